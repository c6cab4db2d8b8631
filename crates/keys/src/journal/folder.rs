//! A folder with a file a run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs4::TryLockError;
use serde::Deserialize;
use venuekit_wire::UnixMillis;

use super::{Entry, Glimpse, Guard, Journal, JournalError, RunId, SCHEMA, Step};
use crate::account::Account;

/// A folder with a file a run, one JSON object a line, and a lock file an account.
#[derive(Clone, Debug)]
pub struct FolderJournal {
    folder: PathBuf,
    retention: Retention,
}

/// How long the journals of ended runs are kept. What has not ended, or cannot be read, is never removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long after its last step.
    pub age: Duration,
    /// How many at most, the latest ones.
    pub count: usize,
}

impl Default for Retention {
    /// 90 days, and 200 runs.
    fn default() -> Self {
        Self { age: Duration::from_secs(90 * 24 * 3600), count: 200 }
    }
}

const SUFFIX: &str = ".jsonl";

impl FolderJournal {
    /// A journal in this folder. It is made when it is first needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), retention: Retention::default() }
    }

    /// How long the journals of ended runs are kept; looked at whenever a run begins.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
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

impl FolderJournal {
    /// Removes the journals of runs that ended long ago. One that cannot be removed does no harm.
    fn prune(&self) {
        let age = i64::try_from(self.retention.age.as_millis()).unwrap_or(i64::MAX);
        let oldest = UnixMillis::now().get().saturating_sub(age);
        let mut ended: Vec<(UnixMillis, RunId)> = Vec::new();
        for run in self.runs().unwrap_or_default() {
            match self.read(&run).as_deref() {
                Ok([first, .., last]) if last.step.is_last() && matches!(first.step, Step::Planned { .. }) => {
                    ended.push((last.at, run));
                }
                // It was broken off before it had noted anything.
                Ok([]) => ended.extend(self.modified(&run).filter(|at| at.get() < oldest).map(|at| (at, run))),
                _ => {}
            }
        }
        ended.sort();
        let too_many = ended.len().saturating_sub(self.retention.count);
        for (index, (at, run)) in ended.into_iter().enumerate() {
            if index < too_many || at.get() < oldest {
                let _ = fs::remove_file(self.path(&run));
            }
        }
    }

    fn modified(&self, run: &RunId) -> Option<UnixMillis> {
        let at = fs::metadata(self.path(run)).ok()?.modified().ok()?;
        let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(UnixMillis(i64::try_from(since.as_millis()).ok()?))
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

/// A file's content. A pipe would keep its reader waiting.
fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    fs::read(path)
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
        // Only for the process that is kept out: the lock itself does not depend on it, not even on there being room for it.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "process {}", std::process::id()));
        Ok(Guard::new(file))
    }

    fn begin(&self, run: &RunId, entry: &Entry) -> Result<(), JournalError> {
        self.make()?;
        self.prune();
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
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let whole = whole_lines(&bytes).len() as u64;
        // A line that was not written whole was not written.
        file.set_len(whole).and_then(|()| file.seek(SeekFrom::Start(whole))).map_err(io)?;
        write_line(&mut file, entry).map_err(io)
    }

    fn read(&self, run: &RunId) -> Result<Vec<Entry>, JournalError> {
        let path = self.path(run);
        let bytes = bytes_of(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => JournalError::NoSuchRun(run.clone()),
            _ => failed(&path, error),
        })?;
        let mut entries = Vec::new();
        for (index, line) in whole_lines(&bytes).split_inclusive(|byte| *byte == b'\n').enumerate() {
            entries.push(parse(line).map_err(|newer| match newer {
                true => JournalError::Newer { path: path.clone() },
                false => JournalError::Corrupted { path: path.clone(), line: index + 1 },
            })?);
        }
        Ok(entries)
    }

    /// By its first line and its last one, which may be whole although another one is not.
    fn glimpse(&self, run: &RunId) -> Glimpse {
        #[derive(Deserialize)]
        struct Line {
            plan: About,
        }
        #[derive(Deserialize)]
        struct About {
            account: String,
        }
        let bytes = bytes_of(&self.path(run)).unwrap_or_default();
        let mut lines = whole_lines(&bytes).split_inclusive(|byte| *byte == b'\n');
        let first = lines.next().and_then(|line| serde_json::from_slice::<Line>(line).ok());
        let last = lines.next_back().and_then(|line| parse(line).ok());
        Glimpse { account: first.map(|first| first.plan.account), ended: last.is_some_and(|last| last.step.is_last()) }
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
fn parse(line: &[u8]) -> Result<Entry, bool> {
    let newer = |version: Version| version.schema.is_some_and(|schema| schema > SCHEMA);
    if serde_json::from_slice(line).is_ok_and(newer) {
        return Err(true);
    }
    serde_json::from_slice(line).map_err(|_| false)
}

/// The lines that have an end.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    &bytes[..end]
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
        let account = |environment| Account::known(crate::Venue::KALSHI, environment).unwrap();
        let held = journal.lock(&account("demo")).unwrap();
        let error = journal.lock(&account("demo")).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        journal.lock(&account("production")).unwrap();
        drop(held);
        journal.lock(&account("demo")).unwrap();
    }
}
