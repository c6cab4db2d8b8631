//! A folder with a file a run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fs4::TryLockError;
use serde::Deserialize;

use super::{Entry, Guard, Journal, JournalError, RunId, SCHEMA};
use crate::account::Account;

/// A folder with a file a run, one JSON object a line, and a lock file an account.
#[derive(Clone, Debug)]
pub struct FolderJournal {
    folder: PathBuf,
}

const SUFFIX: &str = ".jsonl";

impl FolderJournal {
    /// A journal in this folder. It is made when it is first needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The file of a run.
    pub fn path(&self, run: &RunId) -> PathBuf {
        self.folder.join(format!("{run}{SUFFIX}"))
    }

    fn make(&self) -> Result<(), JournalError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder).map_err(|error| failed(&self.folder, error))
    }
}

fn failed(path: &Path, source: io::Error) -> JournalError {
    JournalError::Io { path: path.to_owned(), source }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// One line to the disk.
fn write_line(file: &mut File, entry: &Entry) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_all()
}

impl Journal for FolderJournal {
    fn lock(&self, account: &Account) -> Result<Guard, JournalError> {
        self.make()?;
        let path = self.folder.join(format!("{}-{}.lock", account.venue, account.environment));
        let io = |error| failed(&path, error);
        let mut file = options().create(true).truncate(false).open(&path).map_err(io)?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let holder = file.read_to_string(&mut holder).ok().map(|_| holder.trim().to_owned());
                let holder = holder.filter(|holder| !holder.is_empty());
                return Err(JournalError::Busy { account: account.to_string(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        // Only for whoever is kept out: the lock itself does not depend on it, not even on there being room for it.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "process {}", std::process::id()));
        Ok(Guard::new(file))
    }

    fn begin(&self, run: &RunId, entry: &Entry) -> Result<(), JournalError> {
        self.make()?;
        let path = self.path(run);
        let mut file = options().create_new(true).open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => JournalError::Exists(run.clone()),
            _ => failed(&path, error),
        })?;
        write_line(&mut file, entry).map_err(|error| failed(&path, error))?;
        sync_folder(&self.folder).map_err(|error| failed(&self.folder, error))
    }

    fn append(&self, run: &RunId, entry: &Entry) -> Result<(), JournalError> {
        let path = self.path(run);
        let io = |error| failed(&path, error);
        let mut file = options().open(&path).map_err(io)?;
        let whole = whole_lines(&mut file).map_err(io)?;
        // A line that was not written whole was not written.
        file.set_len(whole).and_then(|()| file.seek(SeekFrom::Start(whole))).map_err(io)?;
        write_line(&mut file, entry).map_err(io)
    }

    fn read(&self, run: &RunId) -> Result<Vec<Entry>, JournalError> {
        let path = self.path(run);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => JournalError::NoSuchRun(run.clone()),
            _ => failed(&path, error),
        })?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut entries = Vec::new();
        for (index, line) in whole.lines().enumerate() {
            entries.push(parse(line).map_err(|newer| match newer {
                true => JournalError::Newer { path: path.clone() },
                false => JournalError::Corrupted { path: path.clone(), line: index + 1 },
            })?);
        }
        Ok(entries)
    }

    fn runs(&self) -> Result<Vec<RunId>, JournalError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.folder, error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| failed(&self.folder, error))?.file_name();
            runs.extend(name.to_string_lossy().strip_suffix(SUFFIX).map(RunId::new));
        }
        runs.sort();
        Ok(runs)
    }
}

#[derive(Deserialize)]
struct Version {
    schema: Option<u32>,
}

/// An entry; or whether it is a newer version's.
fn parse(line: &str) -> Result<Entry, bool> {
    let newer = |version: Version| version.schema.is_some_and(|schema| schema > SCHEMA);
    if serde_json::from_str(line).is_ok_and(newer) {
        return Err(true);
    }
    serde_json::from_str(line).map_err(|_| false)
}

/// How many bytes belong to lines that have an end.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    Ok(end as u64)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Step;

    fn entry(step: Step) -> Entry {
        Entry { at: 1.into(), step }
    }

    #[test]
    fn a_line_that_was_not_written_whole_was_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let journal = FolderJournal::new(folder.path().join("journal"));
        let run = RunId::new("bot-7f3a");
        journal.begin(&run, &entry(Step::Verified)).unwrap();
        journal.append(&run, &entry(Step::Promoted)).unwrap();
        let whole = fs::read(journal.path(&run)).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for end in 0..whole.len() {
            fs::write(journal.path(&run), &whole[..end]).unwrap();
            let left = journal.read(&run).unwrap();
            assert_eq!(left.len(), usize::from(end >= first), "{end}");
            journal.append(&run, &entry(Step::Done)).unwrap();
            let steps: Vec<Step> = journal.read(&run).unwrap().into_iter().map(|entry| entry.step).collect();
            let expected = [Step::Verified, Step::Done];
            assert_eq!(steps, expected[usize::from(end < first)..], "{end}");
        }
    }

    #[test]
    fn a_damaged_line_in_the_middle_and_a_newer_one_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let journal = FolderJournal::new(folder.path());
        let run = RunId::new("bot-7f3a");
        journal.begin(&run, &entry(Step::Verified)).unwrap();
        fs::write(journal.path(&run), "{\"at\":1,\"step\":\"verified\"}\nMARKER\n").unwrap();
        let error = journal.read(&run).unwrap_err();
        assert!(matches!(error, JournalError::Corrupted { line: 2, .. }), "{error:?}");
        assert!(!error.to_string().contains("MARKER"), "{error}");
        fs::write(journal.path(&run), "{\"at\":1,\"step\":\"planned\",\"schema\":2,\"plan\":\"other\"}\n").unwrap();
        assert!(matches!(journal.read(&run), Err(JournalError::Newer { .. })));
    }

    #[test]
    fn an_account_is_held_by_one_run() {
        let folder = tempfile::tempdir().unwrap();
        let journal = FolderJournal::new(folder.path());
        let account = |environment| Account::known(crate::Venue::Kalshi, environment).unwrap();
        let held = journal.lock(&account("demo")).unwrap();
        let error = journal.lock(&account("demo")).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        journal.lock(&account("production")).unwrap();
        drop(held);
        journal.lock(&account("demo")).unwrap();
    }
}
