//! What goes wrong beside crashes: stores that fail in the middle, keys that come alive late, keys that do not die, venues that
//! take no pair.

#[path = "common/between.rs"]
mod between;
mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::Method;
use between::answering;
use common::{Given, Watching, World, engine, journal, open_store, settings};
use venuekit_keys::record::Record;
use venuekit_keys::store::{FileStore, Store, StoreError, StoreFuture};
use venuekit_keys::{Account, Class, Engine, Event, Manager, Origin, Outcome, Reference, Target, Task, Venue};
use venuekit_transport::keys::KeyEdit;
use venuekit_wire::Secret;

/// A store that takes no writes for a while, as on a full disk.
struct Failing {
    inner: FileStore,
    /// The first write that fails, and how many do.
    fails: (usize, usize),
    writes: AtomicUsize,
}

impl Failing {
    fn engine(folder: &Path, fails: (usize, usize)) -> Engine {
        let store = Self { inner: open_store(folder), fails, writes: AtomicUsize::new(0) };
        Engine::new(Arc::new(store), Arc::new(journal(folder))).settings(settings())
    }

    fn write<'a>(&'a self, write: StoreFuture<'a, ()>) -> StoreFuture<'a, ()> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        let (first, count) = self.fails;
        if (first..first.saturating_add(count)).contains(&number) {
            let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Box::pin(async { Err(StoreError::Full { path: "keys.age".into(), source }) });
        }
        write
    }
}

impl Store for Failing {
    fn get<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, Record> {
        self.inner.get(reference)
    }

    fn put<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, ()> {
        self.write(self.inner.put(record))
    }

    fn list(&self) -> StoreFuture<'_, Vec<Reference>> {
        self.inner.list()
    }

    fn remove<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, ()> {
        self.write(self.inner.remove(reference))
    }
}

#[tokio::test]
async fn a_store_that_fails_before_the_venue_is_asked_has_it_not_asked() {
    for venue in common::VENUES {
        let world = World::start(venue).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = Failing::engine(folder.path(), (0, usize::MAX));
        let task = Task::Create(world.create(Origin::Best));
        let error = engine.run(&world.account(), task, &world.manager(), &Watching::default()).await.unwrap_err();
        assert_eq!(error.class(), Class::Store, "{error}");
        assert!(world.live(&engine, &world.manager()).await.len() == 1, "{venue}");
        let resumed = common::engine(folder.path());
        let run = error.run().unwrap();
        resumed.resume(&world.account(), run, &world.manager(), &Watching::default()).await.unwrap();
        assert_eq!(world.live(&resumed, &world.manager()).await.len(), 2);
    }
}

#[tokio::test]
async fn a_store_that_fails_when_the_key_is_made_leaves_no_key_without_a_secret() {
    for venue in common::VENUES {
        let world = World::start(venue).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = Failing::engine(folder.path(), (1, usize::MAX));
        let task = Task::Create(world.create(Origin::Venue));
        let watching = Watching::default();
        let error = engine.run(&world.account(), task, &world.manager(), &watching).await.unwrap_err();
        assert_eq!(error.class(), Class::Store, "{venue}: {error}");
        assert_eq!(world.live(&engine, &world.manager()).await.len(), 1, "{venue}: {:?}", watching.words());
        let resumed = common::engine(folder.path());
        let run = error.run().unwrap();
        resumed.resume(&world.account(), run, &world.manager(), &Watching::default()).await.unwrap();
        assert_eq!(world.live(&resumed, &world.manager()).await.len(), 2, "{venue}");
        resumed.verify(&world.account(), &world.reference()).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_of_ours_that_the_store_does_not_know_by_its_id_is_listed_once() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = Failing::engine(folder.path(), (1, usize::MAX));
    let task = Task::Create(world.create(Origin::Best));
    engine.run(&world.account(), task, &world.manager(), &Watching::default()).await.unwrap_err();
    let lines = engine.list(&world.account(), &world.manager(), &Watching::default()).await.unwrap();
    let ours: Vec<_> = lines.iter().filter(|line| line.reference.is_some()).collect();
    assert!(lines.len() == 2 && ours.len() == 1 && ours[0].live == Some(true) && ours[0].id.is_some(), "{lines:?}");
}

#[tokio::test]
async fn a_store_that_fails_for_a_moment_is_tried_again() {
    let world = World::start(Venue::YATIVO).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = Failing::engine(folder.path(), (1, 2));
    let task = Task::Create(world.create(Origin::Venue));
    engine.run(&world.account(), task, &world.manager(), &Watching::default()).await.unwrap();
    assert_eq!(world.live(&engine, &world.manager()).await.len(), 2);
}

const UNKNOWN: (u16, &str) =
    (401, r#"{"error":{"code":"authentication_error","message":"authentication_error","details":"NOT_FOUND"}}"#);
const FORBIDDEN: (u16, &str) = (403, r#"{"error":{"code":"forbidden","message":"usage level too low"}}"#);

#[tokio::test]
async fn a_key_that_comes_alive_late_is_waited_for() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let late =
        |_: &Method, path: &str, count: usize| (path.ends_with("/account/limits") && count < 4).then_some(UNKNOWN);
    let (_, account) = answering(&world, Box::new(late)).await;
    let watching = Watching::default();
    let task = Task::Create(world.create(Origin::Best));
    let outcome = engine.run(&account, task, &world.manager(), &watching).await.unwrap();
    assert!(matches!(outcome, Outcome::Done(_)));
    assert_eq!(watching.words().iter().filter(|word| **word == "waiting").count(), 3);
}

#[tokio::test]
async fn a_key_that_does_not_come_alive_waits_for_a_person_and_the_old_one_stays() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    engine.adopt(&world.account(), &world.reference(), &world.first.credential(), &Watching::default()).await.unwrap();
    let itself = Manager::Stored(world.reference());
    let never = |_: &Method, path: &str, _: usize| path.ends_with("/account/limits").then_some(UNKNOWN);
    let (_, account) = answering(&world, Box::new(never)).await;
    let task = Task::Rotate(world.rotate());
    let outcome = engine.run(&account, task, &itself, &Watching::default()).await.unwrap();
    let Outcome::NeedsPerson(needs) = outcome else { panic!("{outcome:?}") };
    assert!(needs.what.contains("still refuses it") && needs.what.contains("The old key was not touched"), "{needs:?}");
    engine.verify(&world.account(), &world.reference()).await.unwrap();
    assert_eq!(world.live(&engine, &itself).await.len(), 2);
    // The venue has come round.
    let outcome = engine.resume(&world.account(), &needs.run, &itself, &Watching::default()).await.unwrap();
    assert!(matches!(outcome, Outcome::Done(_)));
    assert_eq!(world.live(&engine, &itself).await.len(), 1);
}

#[tokio::test]
async fn a_venue_that_takes_no_pair_makes_one() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let choose = |method: &Method, path: &str, _: usize| {
        (*method == Method::POST && path.ends_with("/api_keys")).then_some(FORBIDDEN)
    };
    let (_, account) = answering(&world, Box::new(choose)).await;
    let watching = Watching::default();
    let task = Task::Create(world.create(Origin::Best));
    engine.run(&account, task, &world.manager(), &watching).await.unwrap();
    let told = watching.events.lock().unwrap().clone();
    assert!(told.contains(&Event::VenueMakes { why: "usage level too low".into() }), "{told:?}");
    assert_eq!(world.live(&engine, &world.manager()).await.len(), 2);
    engine.verify(&world.account(), &world.reference()).await.unwrap();

    // A pair that was asked for by name is not left out silently, and nothing is left of it.
    let reference = Reference::of(&account, "other").unwrap();
    let create = venuekit_keys::Create {
        reference: reference.clone(),
        ..world.create(Origin::Here(venuekit_auth::KeyKind::Ed25519))
    };
    let error = engine.run(&account, Task::Create(create), &world.manager(), &watching).await.unwrap_err();
    assert_eq!(error.class(), Class::Refused, "{error}");
    assert!(matches!(open_store(folder.path()).get(&reference).await, Err(StoreError::NotFound(_))));
    assert!(engine.unfinished().unwrap().is_empty());
}

#[tokio::test]
async fn an_account_that_has_all_keys_it_may_have_is_told_of() {
    let world = World::start(Venue::DERIBIT).await;
    let folder = tempfile::tempdir().unwrap();
    let (engine, watching) = (engine(folder.path()), Watching::default());
    let run = async |name: usize| {
        let reference = Reference::of(&world.account(), format!("bot{name}")).unwrap();
        let create = venuekit_keys::Create { reference, ..world.create(Origin::Best) };
        engine.run(&world.account(), Task::Create(create), &world.manager(), &watching).await
    };
    let mut name = world.live(&engine, &world.manager()).await.len();
    while name < 8 {
        run(name).await.unwrap();
        name += 1;
    }
    assert!(!watching.words().contains(&"note"));
    assert_eq!(run(name).await.unwrap_err().class(), Class::Refused);
    assert!(watching.events.lock().unwrap().contains(&Event::Full { most: 8 }));
}

#[tokio::test]
async fn a_refusal_that_is_not_the_venues_has_it_make_no_secret() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let page = |method: &Method, path: &str, _: usize| {
        (*method == Method::POST && path.ends_with("/api_keys")).then_some((403, "<html>blocked</html>"))
    };
    let (between, account) = answering(&world, Box::new(page)).await;
    let create = Task::Create(world.create(Origin::Best));
    let error = engine.run(&account, create, &world.manager(), &Watching::default()).await.unwrap_err();
    assert_eq!(error.class(), Class::Refused, "{error}");
    assert!(between.seen.lock().unwrap().iter().all(|call| !call.contains("generate")));
}

#[tokio::test]
async fn an_old_key_that_still_answers_is_told() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    engine
        .run(&world.account(), Task::Create(world.create(Origin::Best)), &world.manager(), &Watching::default())
        .await
        .unwrap();
    // The venue says that it has deleted the key, and has not.
    let choose = |method: &Method, _: &str, _: usize| (*method == Method::DELETE).then_some((204, ""));
    let (_, account) = answering(&world, Box::new(choose)).await;
    let outcome =
        engine.run(&account, Task::Rotate(world.rotate()), &world.manager(), &Watching::default()).await.unwrap();
    let Outcome::NeedsPerson(needs) = outcome else { panic!("{outcome:?}") };
    assert!(needs.what.contains("still works") && needs.how.contains("account settings"), "{needs:?}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_no_orphan_and_shows_no_secret() {
    for venue in [Venue::BAYSE, Venue::YATIVO] {
        let world = World::start(venue).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        // The key is made, and the response that comes back is no longer what the spec says.
        let path = if venue == Venue::BAYSE { "/v1/user/me/api-keys" } else { "/api/v1/apikey/generate" };
        let choose = move |method: &Method, seen: &str, _: usize| {
            (*method == Method::POST && seen == path)
                .then_some((200, r#"{"data":{"key":"MARKER"},"secretKey":["MARKER"]}"#))
        };
        let (between, account) = answering(&world, Box::new(choose)).await;
        let watching = Watching::default();
        let task = Task::Create(world.create(Origin::Best));
        let outcome = engine.run(&account, task, &world.manager(), &watching).await;
        let Ok(Outcome::NeedsPerson(needs)) = &outcome else { panic!("{outcome:?}") };
        let calls = between.seen.lock().unwrap().iter().filter(|call| **call == format!("POST {path}")).count();
        assert_eq!(calls, 3, "tried a few times, and not without end");
        let journal = std::fs::read_to_string(journal(folder.path()).path(&needs.run)).unwrap();
        assert!(!format!("{journal} {outcome:?} {:?}", watching.events.lock().unwrap()).contains("MARKER"));
    }
}

/// Runs can be spawned.
#[test]
fn a_run_may_move_between_threads() {
    fn movable<T: Send>(_: T) {}
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let account = Account::known(Venue::KALSHI, "demo").unwrap();
    let manager = Manager::Given(Given::Pair("id".into(), "pem".into()).credential());
    let reference = Reference::of(&account, "bot").unwrap();
    let create = venuekit_keys::Create {
        reference,
        scopes: Vec::new(),
        origin: Origin::Best,
        sub_account: None,
        addresses: Vec::new(),
        by_command: false,
    };
    let watching = Watching::default();
    movable(engine.run(&account, Task::Create(create), &manager, &watching));
}

#[test]
fn nothing_shows_a_secret() {
    let marker = || Secret::new("MARKER");
    let shown = format!(
        "{:?} {:?} {:?}",
        Given::Pair("MARKER".into(), "MARKER".into()).credential(),
        venuekit_keys::Credential::Session { token: marker(), device_id: marker() },
        venuekit_keys::Credential::Login { email: "a".into(), password: marker() },
    );
    assert!(!shown.contains("MARKER"), "{shown}");
}

#[tokio::test]
async fn a_change_that_the_store_does_not_take_is_said_to_be_made() {
    let world = World::start(Venue::DERIBIT).await;
    let folder = tempfile::tempdir().unwrap();
    let task = Task::Create(world.create(Origin::Best));
    engine(folder.path()).run(&world.account(), task, &world.manager(), &Watching::default()).await.unwrap();
    let full = Failing::engine(folder.path(), (0, usize::MAX));
    let edit = KeyEdit::new().scopes(["account:read", "trade:read"]);
    let target = Target::Stored(world.reference());
    let edited = full.edit(&world.account(), &target, &edit, &world.manager(), &Watching::default()).await;
    let error = edited.unwrap_err();
    assert_eq!(error.class(), Class::Store, "{error}");
    let text = error.to_string();
    assert!(text.contains("the venue has changed the key") && text.contains("trade:read;"), "{text}");
}
