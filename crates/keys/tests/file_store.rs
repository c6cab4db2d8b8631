//! What can go wrong with the file, each time with an error that says so and nothing lost.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use venuekit_keys::Reference;
use venuekit_keys::record::{Kind, Record, State, StoredKey};
use venuekit_keys::store::{FileStore, FoundInstead, Store as _, StoreError, Unlock};
use venuekit_wire::{Secret, UnixSeconds};

const MARKER: &str = "MARKER-of-a-secret";

fn record(name: &str) -> Record {
    sized(name, MARKER.to_owned())
}

fn sized(name: &str, secret: String) -> Record {
    let key = StoredKey {
        label: format!("{name}-7f3a"),
        id: Some("1".into()),
        public_id: Some("public".into()),
        kind: Kind::Shared,
        secret: Secret::new(secret),
        scopes: vec!["read".into()],
        made: UnixSeconds(1),
        state: State::Active,
        family: None,
    };
    Record { reference: format!("kalshi/demo/{name}").parse().unwrap(), keys: vec![key] }
}

fn reference(name: &str) -> Reference {
    record(name).reference
}

fn identity(folder: &Path) -> Unlock {
    Unlock::IdentityFile(folder.join("identity.txt"))
}

fn open(folder: &Path) -> Result<FileStore, StoreError> {
    FileStore::open(folder.join("keys.age"), &identity(folder))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// All that lies in a folder, byte for byte.
fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| (entry.path(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn records_are_kept_listed_replaced_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    assert!(matches!(store.get(&reference("bot")).await, Err(StoreError::NotFound(_))));
    store.put(&record("bot")).await.unwrap();
    store.put(&record("anna")).await.unwrap();
    let mut changed = record("bot");
    changed.keys[0].state = State::Retiring;
    store.put(&changed).await.unwrap();

    let again = open(folder.path()).unwrap();
    assert_eq!(again.list().await.unwrap(), [reference("anna"), reference("bot")]);
    assert_eq!(again.get(&reference("bot")).await.unwrap(), changed);
    again.remove(&reference("bot")).await.unwrap();
    assert!(matches!(again.remove(&reference("bot")).await, Err(StoreError::NotFound(_))));
    assert_eq!(store.list().await.unwrap(), [reference("anna")]);

    for (path, bytes) in snapshot(folder.path()) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        assert!(!String::from_utf8_lossy(&bytes).contains("MARKER"), "{}", path.display());
    }
}

#[tokio::test]
async fn a_passphrase_opens_the_store_and_a_wrong_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/here/keys.age");
    let phrase = |text: &str| Unlock::Passphrase(Secret::new(text));
    let store = FileStore::open(&path, &phrase("correct horse")).unwrap();
    store.put(&record("bot")).await.unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let before = snapshot(path.parent().unwrap());
    let error = FileStore::open(&path, &phrase("battery staple")).unwrap_err();
    assert!(matches!(error, StoreError::WrongPassphrase { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("staple"));
    assert_eq!(snapshot(path.parent().unwrap()), before);
    let again = FileStore::open(&path, &phrase("correct horse")).unwrap();
    assert_eq!(again.get(&reference("bot")).await.unwrap(), record("bot"));

    // Without its identity the store is not taken for a new one.
    let identity = path.with_extension("identity.age");
    fs::rename(&identity, path.with_extension("away")).unwrap();
    let error = FileStore::open(&path, &phrase("correct horse")).unwrap_err();
    assert!(matches!(error, StoreError::IdentityMissing { .. }), "{error:?}");
    assert!(!identity.exists());
    fs::write(&identity, b"age-encryption.org/v1\n").unwrap();
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o600)).unwrap();
    let error = FileStore::open(&path, &phrase("correct horse")).unwrap_err();
    assert!(matches!(error, StoreError::Corrupted { .. }), "{error:?}");
}

#[tokio::test]
async fn another_identity_does_not_open_it() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().put(&record("bot")).await.unwrap();
    let other = Unlock::IdentityFile(folder.path().join("other.txt"));
    let path = folder.path().join("keys.age");
    let error = FileStore::open(&path, &other).unwrap_err();
    assert!(matches!(error, StoreError::IdentityMissing { .. }), "none is made for a store that is there: {error:?}");
    let elsewhere = tempfile::tempdir().unwrap();
    FileStore::open(elsewhere.path().join("keys.age"), &other).unwrap();
    let error = FileStore::open(&path, &other).unwrap_err();
    assert!(matches!(error, StoreError::WrongIdentity { .. }), "{error:?}");
    for (bad, expected) in [
        ("", FoundInstead::Empty),
        ("nothing\n", FoundInstead::Other),
        ("age-encryption.org/v1\nrest", FoundInstead::Encrypted),
    ] {
        fs::write(folder.path().join("other.txt"), bad).unwrap();
        let error = FileStore::open(&path, &other).unwrap_err();
        assert!(matches!(error, StoreError::NotAnIdentity { found, .. } if found == expected), "{error:?}");
    }
    fs::write(folder.path().join("other.txt"), "AGE-SECRET-KEY-1QQQQ\n").unwrap();
    let error = FileStore::open(&path, &other).unwrap_err();
    assert!(matches!(error, StoreError::Corrupted { .. }), "{error:?}");
}

#[tokio::test]
async fn a_damaged_store_is_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    store.put(&record("bot")).await.unwrap();
    let path = folder.path().join("keys.age");
    let whole = fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> = (0..whole.len()).step_by(7).map(|end| whole[..end].to_vec()).collect();
    for at in (0..whole.len()).step_by(11) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        damaged.push(flipped);
    }
    for bytes in damaged {
        fs::write(&path, &bytes).unwrap();
        for error in [
            store.get(&reference("bot")).await.unwrap_err(),
            store.put(&record("other")).await.unwrap_err(),
            store.remove(&reference("bot")).await.unwrap_err(),
            open(folder.path()).unwrap_err(),
        ] {
            assert!(
                matches!(error, StoreError::Corrupted { .. } | StoreError::WrongIdentity { .. }),
                "{error:?} of {} bytes",
                bytes.len()
            );
            assert!(!format!("{error} {error:?}").contains("MARKER"));
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "nothing was written over it");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(store.get(&reference("bot")).await.unwrap(), record("bot"));
}

/// Encrypts what another version could have written.
fn write_content(folder: &Path, content: &str) {
    use std::str::FromStr as _;
    let text = fs::read_to_string(folder.join("identity.txt")).unwrap();
    let line = text.lines().find(|line| line.starts_with("AGE-")).unwrap();
    let recipient = age::x25519::Identity::from_str(line).unwrap().to_public();
    fs::write(folder.join("keys.age"), age::encrypt(&recipient, content.as_bytes()).unwrap()).unwrap();
}

#[tokio::test]
async fn a_newer_store_is_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    store.put(&record("bot")).await.unwrap();
    write_content(folder.path(), &format!(r#"{{"schema":2,"records":"{MARKER}"}}"#));
    let before = fs::read(folder.path().join("keys.age")).unwrap();
    for error in [store.put(&record("bot")).await.unwrap_err(), open(folder.path()).unwrap_err()] {
        assert!(matches!(error, StoreError::Newer { found: 2, .. }), "{error:?}");
    }
    assert_eq!(fs::read(folder.path().join("keys.age")).unwrap(), before);
    write_content(folder.path(), &format!(r#"{{"schema":1,"records":"{MARKER}"}}"#));
    let error = store.list().await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupted { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("MARKER"));
}

#[tokio::test]
async fn files_that_others_may_read_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    store.put(&record("bot")).await.unwrap();
    for name in ["keys.age", "identity.txt"] {
        let path = folder.path().join(name);
        for loose in [0o640, 0o604, 0o666, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(loose)).unwrap();
            let error = open(folder.path()).unwrap_err();
            assert!(matches!(error, StoreError::Loose { mode, .. } if mode == loose), "{error:?}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(open(folder.path()).unwrap().get(&reference("bot")).await.unwrap(), record("bot"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    // Root may write to any folder, so that modes prove nothing here.
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = FileStore::open(file.join("keys.age"), &identity(folder.path())).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. } | StoreError::Io { .. }), "{error:?}");
    let error = FileStore::open("/proc/keys.age", &identity(folder.path())).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");

    // The folder goes away under an open store, and comes back.
    let inside = folder.path().join("inside");
    let store = FileStore::open(inside.join("keys.age"), &identity(folder.path())).unwrap();
    store.put(&record("bot")).await.unwrap();
    fs::rename(&inside, folder.path().join("away")).unwrap();
    let error = store.put(&record("other")).await.unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    fs::rename(folder.path().join("away"), &inside).unwrap();
    assert_eq!(store.list().await.unwrap(), [reference("bot")]);
}

const FULL: &str = "VENUEKIT_TEST_FULL";

/// The part of the next test that runs where no file may grow beyond a few blocks.
#[tokio::test]
async fn child() {
    let Ok(folder) = std::env::var(FULL) else { return };
    let store = open(Path::new(&folder)).unwrap();
    let error = store.put(&sized("large", "x".repeat(64 * 1024))).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("no room"), "{error}");
    assert_eq!(store.list().await.unwrap(), [reference("bot")]);
    store.put(&record("small")).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().put(&record("bot")).await.unwrap();
    // A limit on the size of files fails a write in its middle, as a full disk does.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$0\" --exact child"])
        .arg(std::env::current_exe().unwrap())
        .env(FULL, folder.path())
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    let store = open(folder.path()).unwrap();
    assert_eq!(store.list().await.unwrap(), [reference("bot"), reference("small")]);
    assert_eq!(store.get(&reference("bot")).await.unwrap(), record("bot"));
    let left: Vec<_> = snapshot(folder.path()).into_iter().map(|(path, _)| path).collect();
    assert_eq!(left.len(), 3, "the store, its lock, its identity: {left:?}");
}

const WRITER: &str = "VENUEKIT_TEST_WRITER";

/// One of several processes that write to the same store at once.
#[tokio::test]
async fn writer() {
    let Ok(text) = std::env::var(WRITER) else { return };
    let (folder, number) = text.split_once('|').unwrap();
    let store = open(Path::new(folder)).unwrap();
    for index in 0..10 {
        store.put(&record(&format!("bot-{number}-{index}"))).await.unwrap();
    }
}

#[tokio::test]
async fn processes_that_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let writers: Vec<_> = (0..4)
        .map(|number| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "writer"])
                .env(WRITER, format!("{}|{number}", folder.path().display()))
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    assert_eq!(open(folder.path()).unwrap().list().await.unwrap().len(), 40);
}

#[tokio::test]
async fn what_a_killed_writer_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().put(&record("bot")).await.unwrap();
    let left = folder.path().join(".venuekit.keys.age.4242.aBc123");
    fs::write(&left, "half a file").unwrap();
    let store = open(folder.path()).unwrap();
    assert!(!left.exists());
    assert_eq!(store.list().await.unwrap(), [reference("bot")]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_stays_one_and_what_it_leads_to_is_written() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let real = elsewhere.path().join("real.age");
    let link = folder.path().join("keys.age");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    for name in ["one", "two"] {
        open(folder.path()).unwrap().put(&record(name)).await.unwrap();
    }
    assert!(link.is_symlink());
    let there = FileStore::open(&real, &identity(folder.path())).unwrap();
    assert_eq!(there.list().await.unwrap().len(), 2);
}

#[tokio::test]
async fn to_be_read_a_store_must_be_there_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.age");
    let missing = FileStore::open_to_read(&path, &identity(folder.path())).unwrap_err();
    assert!(matches!(missing, StoreError::IdentityMissing { .. }), "{missing:?}");
    assert!(snapshot(folder.path()).is_empty());
    open(folder.path()).unwrap().put(&record("one")).await.unwrap();
    fs::remove_file(folder.path().join("keys.lock")).unwrap();
    let before = snapshot(folder.path());
    let store = FileStore::open_to_read(&path, &identity(folder.path())).unwrap();
    assert_eq!(store.list().await.unwrap(), [reference("one")]);
    assert_eq!(snapshot(folder.path()), before);
}
