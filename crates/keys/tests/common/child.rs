//! A run in a process of its own, which kills itself where it is told to.

#![allow(dead_code)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use venuekit_keys::journal::{Entry, FolderJournal, Guard, Journal, JournalError, RunId, Step};
use venuekit_keys::record::Record;
use venuekit_keys::store::{FileStore, Store, StoreFuture};
use venuekit_keys::{Account, Engine, Manager, Origin, Outcome, Reference, Rotate, Task, Venue};

use crate::common::{Given, Watching, journal, open_store, settings};

/// Where a process dies: at which of its writes, and how far that has come. Torn writes count by themselves: those to the store
/// are whole or not at all.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Death {
    pub write: usize,
    pub when: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    Before,
    /// Half of the journal's line is on the disk.
    Torn,
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    CreateHere,
    CreateThere,
    /// Of a key that the venue has made.
    Rotate,
    /// Of a key that was made here.
    RotateHere,
    RotateInPlace,
}

/// What a child is to do.
#[derive(Clone, Serialize, Deserialize)]
pub struct Orders {
    pub venue: String,
    pub base_url: String,
    pub folder: PathBuf,
    /// None: the stored key manages.
    pub given: Option<Given>,
    pub work: Work,
    pub death: Option<Death>,
}

const ORDERS: &str = "VENUEKIT_TEST_ORDERS";

impl Orders {
    /// Starts this test's executable once more, as the child.
    pub fn start(&self) -> std::process::Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(ORDERS, serde_json::to_string(self).unwrap())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.folder.join("stderr.txt")).unwrap())
            .spawn()
            .unwrap()
    }

    pub fn run(&self) -> ExitStatus {
        self.start().wait().unwrap()
    }

    /// What the child said when it ended by itself.
    pub fn venue_message(&self) -> String {
        fs::read_to_string(self.folder.join("said.txt")).unwrap_or_default()
    }
}

/// What the child does. Does nothing where this process is no child.
pub async fn obey() {
    let Ok(text) = std::env::var(ORDERS) else { return };
    let orders: Orders = serde_json::from_str(&text).unwrap();
    let counter = Counter { death: orders.death, writes: Arc::default(), lines: Arc::default() };
    let store = DyingStore { inner: open_store(&orders.folder), counter: counter.clone() };
    let journal = DyingJournal { inner: journal(&orders.folder), folder: orders.folder.clone(), counter };
    let engine = Engine::new(Arc::new(store), Arc::new(journal)).settings(settings());
    let venue: Venue = orders.venue.parse().unwrap();
    let account = Account { venue, environment: "local".into(), base_url: orders.base_url.clone(), family: None };
    let reference = Reference::of(&account, "bot").unwrap();
    let manager = match &orders.given {
        Some(given) => Manager::Given(given.credential()),
        None => Manager::Stored(reference.clone()),
    };
    let outcome = engine_does(&engine, &account, &manager, &orders).await;
    fs::write(orders.folder.join("said.txt"), &outcome).unwrap();
    std::process::exit(i32::from(outcome != "done"));
}

/// Goes on with what was left, or begins.
async fn engine_does(engine: &Engine, account: &Account, manager: &Manager, orders: &Orders) -> String {
    let watching = Watching::default();
    let outcome = match engine.unfinished().unwrap().first() {
        Some(left) => engine.resume(account, &left.run, manager, &watching).await,
        None if has_ended(orders) => return "done".into(),
        None => engine.run(account, task(account, orders), manager, &watching).await,
    };
    let events = watching.words().join(" ");
    match outcome {
        Ok(Outcome::Done(_)) => "done".into(),
        Ok(Outcome::NeedsPerson(needs)) => format!("person: {needs:?} after {events}"),
        Err(error) => format!("error: {:?}: {error} / {error:?} after {events}", error.class()),
    }
}

/// Whether the process was killed with all done.
fn has_ended(orders: &Orders) -> bool {
    let journal = journal(&orders.folder);
    let wanted = match orders.work {
        Work::CreateHere | Work::CreateThere => venuekit_keys::Work::Create,
        Work::Rotate | Work::RotateHere => venuekit_keys::Work::Rotate,
        Work::RotateInPlace => venuekit_keys::Work::RotateInPlace,
    };
    journal.runs().unwrap().iter().any(|run| {
        let entries = journal.read(run).unwrap();
        let planned = entries.first().map(|entry| &entry.step);
        matches!(planned, Some(Step::Planned { plan, .. }) if plan.work == wanted)
            && entries.last().is_some_and(|entry| entry.step == Step::Done)
    })
}

fn task(account: &Account, orders: &Orders) -> Task {
    let reference = Reference::of(account, "bot").unwrap();
    let create = |origin| {
        let scopes = crate::common::scopes(account.venue);
        Task::Create(venuekit_keys::Create {
            reference: reference.clone(),
            scopes,
            origin,
            sub_account: None,
            addresses: Vec::new(),
            by_command: false,
        })
    };
    let rotate = |in_place| {
        Task::Rotate(Rotate {
            reference: reference.clone(),
            scopes: None,
            origin: Origin::Best,
            in_place,
            by_command: false,
        })
    };
    match orders.work {
        Work::CreateHere => create(Origin::Best),
        Work::CreateThere => create(Origin::Venue),
        Work::Rotate | Work::RotateHere => rotate(false),
        Work::RotateInPlace => rotate(true),
    }
}

/// Counts the writes of a run to the store and to the journal together.
#[derive(Clone)]
struct Counter {
    death: Option<Death>,
    writes: Arc<AtomicUsize>,
    lines: Arc<AtomicUsize>,
}

impl Counter {
    fn next(&self) -> usize {
        self.writes.fetch_add(1, Ordering::SeqCst)
    }

    fn dies(&self, write: usize, when: When) -> bool {
        self.death.is_some_and(|death| death.write == write && death.when == when)
    }

    fn reach(&self, write: usize, when: When) {
        if self.dies(write, when) {
            die();
        }
    }
}

/// As the system kills: no destructor runs, no buffer is flushed.
#[cfg(not(unix))]
fn die() -> ! {
    std::process::abort()
}

/// As the system kills: no destructor runs, no buffer is flushed.
#[cfg(unix)]
fn die() -> ! {
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
    unreachable!("the process was killed")
}

struct DyingStore {
    inner: FileStore,
    counter: Counter,
}

impl DyingStore {
    fn dying<'a>(&'a self, write: StoreFuture<'a, ()>) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let number = self.counter.next();
            self.counter.reach(number, When::Before);
            let result = write.await;
            self.counter.reach(number, When::After);
            result
        })
    }
}

impl Store for DyingStore {
    fn get<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, Record> {
        self.inner.get(reference)
    }

    fn put<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, ()> {
        self.dying(self.inner.put(record))
    }

    fn list(&self) -> StoreFuture<'_, Vec<Reference>> {
        self.inner.list()
    }

    fn remove<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, ()> {
        self.dying(self.inner.remove(reference))
    }
}

struct DyingJournal {
    inner: FolderJournal,
    folder: PathBuf,
    counter: Counter,
}

impl DyingJournal {
    fn dying(
        &self,
        run: &RunId,
        entry: &Entry,
        write: impl FnOnce() -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let number = self.counter.next();
        self.counter.reach(number, When::Before);
        let line = self.counter.lines.fetch_add(1, Ordering::SeqCst);
        if self.counter.dies(line, When::Torn) {
            tear(&self.inner.path(run), &self.folder, entry);
            die();
        }
        let result = write();
        self.counter.reach(number, When::After);
        result
    }
}

fn tear(path: &Path, folder: &Path, entry: &Entry) {
    fs::create_dir_all(folder.join("journal")).unwrap();
    let line = serde_json::to_vec(entry).unwrap();
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(&line[..line.len() / 2]).unwrap();
}

impl Journal for DyingJournal {
    fn lock(&self, account: &Account) -> Result<Guard, JournalError> {
        self.inner.lock(account)
    }

    fn begin(&self, run: &RunId, entry: &Entry) -> Result<(), JournalError> {
        self.dying(run, entry, || self.inner.begin(run, entry))
    }

    fn append(&self, run: &RunId, entry: &Entry) -> Result<(), JournalError> {
        self.dying(run, entry, || self.inner.append(run, entry))
    }

    fn read(&self, run: &RunId) -> Result<Vec<Entry>, JournalError> {
        self.inner.read(run)
    }

    fn runs(&self) -> Result<Vec<RunId>, JournalError> {
        self.inner.runs()
    }
}
