//! Files that are there whole or not at all, and that only their owner reads.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs4::TryLockError;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::StoreError;

/// How the name of an unfinished file begins. The name of its target follows, then the process and some random letters, with dots
/// between.
const UNFINISHED: &str = ".venuekit.";

/// How long another process may hold a file.
const PATIENCE: Duration = Duration::from_secs(10);

/// The folder of a file.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where a file really is: what is written in its place must not take a link's.
pub(super) fn behind_links(path: PathBuf) -> PathBuf {
    let mut real = path;
    // A link to itself fails when it is opened.
    for _ in 0..32 {
        let Ok(target) = fs::read_link(&real) else { break };
        real = folder(&real).join(target);
    }
    real
}

/// Makes the folder that a file is to be in, for its owner alone.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    let folder = folder(path);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| StoreError::io(folder, error))
}

/// Writes a file: beside its place first, then to the disk, then into its place, then the folder to the disk. An old file stays as
/// it was until the new one is whole. With `create_new`, a file that exists is left alone, and the error says so.
///
/// # Errors
/// The file is as it was before, but for [`StoreError::Unsynced`]: then it is in its place, and a power cut may still undo that.
pub(super) fn write(path: &Path, bytes: &[u8], create_new: bool) -> Result<(), StoreError> {
    write_with(path, bytes, create_new, sync_folder)
}

fn write_with(
    path: &Path,
    bytes: &[u8],
    create_new: bool,
    sync: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::io(path, error);
    let folder = folder(path);
    // Readable by its owner alone, as all files of that crate.
    let mut file: NamedTempFile =
        tempfile::Builder::new().prefix(&unfinished_of(path)).tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    let placed = if create_new { file.persist_noclobber(path) } else { file.persist(path) };
    placed.map_err(|error| failed(error.error))?;
    sync(folder).map_err(|source| StoreError::Unsynced { path: path.to_owned(), source })
}

/// Without this the name of a new file may be lost with the power.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// How the names of a target's unfinished files begin while this process writes them.
fn unfinished_of(path: &Path) -> OsString {
    let mut name = OsString::from(UNFINISHED);
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.", std::process::id()));
    name
}

/// Whether this is the name of an unfinished file of that target, and of no other that shares its folder.
fn is_unfinished_of(name: &OsStr, path: &Path) -> bool {
    let (name, target) = (name.as_encoded_bytes(), path.file_name().unwrap_or_default().as_encoded_bytes());
    let rest = name.strip_prefix(UNFINISHED.as_bytes()).and_then(|rest| rest.strip_prefix(target));
    let Some(rest) = rest.and_then(|rest| rest.strip_prefix(b".")) else { return false };
    let mut parts = rest.split(|byte| *byte == b'.');
    let is_process = parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    let is_random = parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_alphanumeric));
    is_process && is_random && parts.next().is_none()
}

/// Removes what a process left that was killed while writing this file. The file's lock must be held: then nobody is writing it.
/// Where there is no such lock, only what is older is removed.
pub(super) fn remove_unfinished(path: &Path, older: Option<Duration>) {
    let Ok(entries) = fs::read_dir(folder(path)) else { return };
    let age = |entry: &fs::DirEntry| entry.metadata().ok()?.modified().ok()?.elapsed().ok();
    for entry in entries.flatten() {
        let is_old = older.is_none_or(|older| age(&entry).is_some_and(|age| age > older));
        if is_old && is_unfinished_of(&entry.file_name(), path) {
            // No later write depends on it.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Reads a file that holds secrets; `None` if it does not exist.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::Io { path: path.to_owned(), source }),
    };
    check_mode(path, &file)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.read_to_end(&mut bytes).map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
    Ok(Some(bytes))
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata().map_err(|error| StoreError::io(path, error))?.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(StoreError::Loose { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), StoreError> {
    Ok(())
}

/// A lock against other processes. It ends with this value, and with the process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Locks a file, and creates it if it does not exist. Waits a while for its holder.
    pub(super) fn hold(path: PathBuf) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| StoreError::io(&path, error))?;
        let begun = Instant::now();
        loop {
            match fs4::FileExt::try_lock(&file) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => return Err(StoreError::Busy { path }),
                Err(TryLockError::Error(error)) => return Err(StoreError::io(&path, error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_synced_leaves_the_new_file_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.age");
        write(&path, b"old", false).unwrap();
        let fails = |_: &Path| Err(io::Error::other("no"));
        let error = write_with(&path, b"new", false, fails).unwrap_err();
        assert!(matches!(error, StoreError::Unsynced { .. }), "{error:?}");
        assert!(error.to_string().contains("power"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn unfinished_files_belong_to_one_target() {
        let target = |name: &str| Path::new("/folder").join(name);
        let mut name = unfinished_of(&target("keys.age"));
        name.push("aB3dE6");
        assert!(is_unfinished_of(&name, &target("keys.age")), "{name:?}");
        for other in ["keys", "keys.age.1", "age", "other.age", "keys.ag", "eys.age"] {
            assert!(!is_unfinished_of(&name, &target(other)), "{other}");
        }
        for foreign in [
            "keys.age",
            ".venuekit.keys.age",
            ".venuekit.keys.age.1",
            ".venuekit.keys.age.1.a.b",
            ".venuekit.keys.age.x.a",
        ] {
            assert!(!is_unfinished_of(OsStr::new(foreign), &target("keys.age")), "{foreign}");
        }
    }

    #[test]
    fn only_the_targets_own_unfinished_files_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, other) = (folder.path().join("mine.age"), folder.path().join("mine.age.2"));
        let left = |path: &Path| {
            let mut name = unfinished_of(path);
            name.push("abcdef");
            fs::write(folder.path().join(&name), b"half").unwrap();
            folder.path().join(name)
        };
        let (of_mine, of_other) = (left(&mine), left(&other));
        remove_unfinished(&mine, Some(Duration::from_secs(60)));
        assert!(of_mine.exists());
        remove_unfinished(&mine, None);
        assert!(!of_mine.exists() && of_other.exists());
    }
}
