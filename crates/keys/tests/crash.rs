//! A run is killed at every write it makes and at every call it sends, and its replies are lost; the next process goes on. In the
//! end the account has one new working key with its secret in the store, and no other.

#![cfg(unix)]

#[path = "common/child.rs"]
mod child;
mod common;
#[path = "../../../tests/common/proxy.rs"]
mod proxy;

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use child::{Death, Orders, When, Work};
use common::{Given, World, engine, open_store};
use proxy::{Fault, Proxy};
use venuekit_keys::record::State;
use venuekit_keys::store::Store as _;
use venuekit_keys::{Manager, Origin, Task, Venue};

/// No run makes as many writes, or sends as many calls.
const MANY: usize = 60;

/// The other half of these tests; see `child.rs`.
#[tokio::test]
async fn child() {
    child::obey().await;
}

/// One account, in the state that the work begins with.
struct Case {
    world: World,
    folder: tempfile::TempDir,
    work: Work,
    /// The live keys before, but the one that is to be replaced.
    others: Vec<String>,
}

impl Case {
    async fn new(venue: Venue, work: Work) -> Self {
        let world = World::start(venue).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let first = match work {
            Work::Rotate | Work::RotateInPlace => Some(Origin::Venue),
            Work::RotateHere => Some(Origin::Best),
            _ => None,
        };
        if let Some(origin) = first {
            let task = Task::Create(world.create(origin));
            engine.run(&world.account(), task, &world.manager(), &common::Watching::default()).await.unwrap();
        }
        let live = world.live(&engine, &world.manager()).await;
        let others = live.into_iter().filter(|line| line.reference.is_none());
        let others = others.filter_map(|line| line.id).collect();
        Self { world, folder, work, others }
    }

    /// While a key is replaced it manages itself where it can, which is the harder way.
    fn given(&self) -> Option<Given> {
        let itself = matches!(self.work, Work::Rotate | Work::RotateHere) && self.world.venue != Venue::BAYSE;
        (!itself).then(|| self.world.given.clone())
    }

    fn orders(&self, base_url: &str, death: Option<Death>) -> Orders {
        Orders {
            venue: self.world.venue.to_string(),
            base_url: base_url.to_owned(),
            folder: self.folder.path().to_owned(),
            given: self.given(),
            work: self.work,
            death,
        }
    }

    async fn run(&self, orders: &Orders) -> std::process::ExitStatus {
        let orders = orders.clone();
        tokio::task::spawn_blocking(move || orders.run()).await.unwrap()
    }

    /// A fresh process goes on, and then all is as it should be.
    async fn ends_well(&self, what: &str) {
        let orders = self.orders(&self.world.base_url(), None);
        let path = orders.folder.join("said.txt");
        let ended = std::fs::read_to_string(&path).is_ok_and(|said| said == "done");
        if !ended {
            self.run(&orders).await;
            assert_eq!(orders.venue_message(), "done", "{what}\n{}", journals(self.folder.path()));
        }
        let engine = engine(self.folder.path());
        let record = open_store(self.folder.path()).get(&self.world.reference()).await.unwrap();
        assert_eq!(record.keys.len(), 1, "{what}");
        assert_eq!(record.keys[0].state, State::Active, "{what}");
        engine.verify(&self.world.account(), &self.world.reference()).await.unwrap();
        let manager = match self.world.venue.name() {
            "bayse" => self.world.manager(),
            _ => Manager::Stored(self.world.reference()),
        };
        let mut live: Vec<String> =
            self.world.live(&engine, &manager).await.into_iter().filter_map(|line| line.id).collect();
        let new = record.keys[0].id.clone().unwrap();
        assert!(live.contains(&new), "{what}");
        live.retain(|id| *id != new);
        assert_eq!(live, self.others, "{what}\n{}", journals(self.folder.path()));
        assert!(engine.unfinished().unwrap().is_empty(), "{what}");
        self.shows_no_secret(record.keys[0].secret.expose());
    }

    /// Neither the journal nor what the children said has the secret.
    fn shows_no_secret(&self, secret: &str) {
        let line = secret.lines().nth(1).unwrap_or(secret);
        let said = std::fs::read_to_string(self.folder.path().join("stderr.txt")).unwrap_or_default();
        let shown = journals(self.folder.path()) + &said;
        assert!(!shown.contains(line));
    }
}

fn journals(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder.join("journal")).into_iter().flatten().flatten() {
        all += &std::fs::read_to_string(entry.path()).unwrap_or_default();
    }
    all
}

/// Killed before, in and after every write, one after the other, until a run gets through.
async fn killed_at_every_write(venue: Venue, work: Work) {
    for when in [When::Before, When::Torn, When::After] {
        let mut deaths = 0;
        for write in 0..MANY {
            let case = Case::new(venue, work).await;
            let orders = case.orders(&case.world.base_url(), Some(Death { write, when }));
            let status = case.run(&orders).await;
            let what = format!("{venue} {work:?}, killed {when:?} write {write}");
            case.ends_well(&what).await;
            if status.success() {
                break;
            }
            assert_eq!(status.signal(), Some(9), "{what}: {}", orders.venue_message());
            deaths += 1;
        }
        assert!(deaths > 3, "{venue} {work:?}: {deaths} deaths {when:?}");
    }
}

/// What happens to one call of the many that a run sends.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// The process is killed while the call is on its way; the venue never sees it.
    KilledBefore,
    /// The process is killed when the venue has carried the call out.
    KilledAfter,
    /// The call is lost.
    LostBefore,
    /// The call is carried out and its response lost.
    LostAfter,
}

async fn struck_at_every_call(venue: Venue, work: Work, blow: Blow) {
    let mut blows = 0;
    for call in 0..MANY {
        let case = Case::new(venue, work).await;
        let seen = Arc::new(AtomicUsize::new(0));
        let fault = match blow {
            Blow::KilledBefore => Fault::Stall,
            Blow::KilledAfter => Fault::StallAfter,
            Blow::LostBefore => Fault::ResetBefore,
            Blow::LostAfter => Fault::ResetAfter,
        };
        let choose = {
            let seen = seen.clone();
            Box::new(move || (seen.fetch_add(1, Ordering::SeqCst) == call).then_some(fault))
        };
        let proxy = Proxy::choosing(&origin(&case.world.base_url()), choose).await;
        let url = case.world.base_url().replace(&origin(&case.world.base_url()), &proxy.base_url);
        let orders = case.orders(&url, None);
        let what = format!("{venue} {work:?}, {blow:?} call {call}");
        let mut child = orders.start();
        loop {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            if seen.load(Ordering::SeqCst) > call && matches!(blow, Blow::KilledBefore | Blow::KilledAfter) {
                proxy.settled().await;
                // By its id, and only this one.
                let _ = child.kill();
                child.wait().unwrap();
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        case.ends_well(&what).await;
        if seen.load(Ordering::SeqCst) <= call {
            break;
        }
        blows += 1;
    }
    assert!(blows > 2, "{venue} {work:?}: {blows} blows {blow:?}");
}

fn origin(base_url: &str) -> String {
    base_url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

macro_rules! crashes {
    ($($name:ident: $venue:ident, $work:ident;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn killed_at_every_write() {
                super::killed_at_every_write(Venue::$venue, Work::$work).await;
            }

            #[tokio::test]
            async fn killed_before_every_call() {
                struck_at_every_call(Venue::$venue, Work::$work, Blow::KilledBefore).await;
            }

            #[tokio::test]
            async fn killed_after_every_call() {
                struck_at_every_call(Venue::$venue, Work::$work, Blow::KilledAfter).await;
            }

            #[tokio::test]
            async fn every_call_lost() {
                struck_at_every_call(Venue::$venue, Work::$work, Blow::LostBefore).await;
            }

            #[tokio::test]
            async fn every_answer_lost() {
                struck_at_every_call(Venue::$venue, Work::$work, Blow::LostAfter).await;
            }
        }
    )*};
}

crashes! {
    bayse_create: BAYSE, CreateThere;
    bayse_rotate: BAYSE, Rotate;
    bayse_rotate_in_place: BAYSE, RotateInPlace;
    deribit_create_here: DERIBIT, CreateHere;
    deribit_create_there: DERIBIT, CreateThere;
    deribit_rotate: DERIBIT, Rotate;
    deribit_rotate_here: DERIBIT, RotateHere;
    deribit_rotate_in_place: DERIBIT, RotateInPlace;
    kalshi_create_here: KALSHI, CreateHere;
    kalshi_create_there: KALSHI, CreateThere;
    kalshi_rotate: KALSHI, Rotate;
    yativo_create: YATIVO, CreateThere;
    yativo_rotate: YATIVO, Rotate;
    yativo_rotate_in_place: YATIVO, RotateInPlace;
}
