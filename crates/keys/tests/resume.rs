//! What a run may not do when it is resumed, confirmed or given up: end a key that is in use, or ask for a secret that it has already.

#[path = "common/between.rs"]
mod between;
#[path = "common/breaking.rs"]
mod breaking;
mod common;

use std::sync::Arc;

use between::answering;
use common::{Watching, World, engine, journal, open_store, settings};
use venuekit_keys::journal::{RunId, Step};
use venuekit_keys::store::Store as _;
use venuekit_keys::{Class, Credential, Engine, Manager, Origin, Outcome, Revoke, Rotate, Target, Task, Venue};
use venuekit_transport::keys::SecretKind;
use venuekit_wire::Secret;

/// Where keys can be given a new secret.
const REPLACING: [Venue; 3] = [Venue::BAYSE, Venue::DERIBIT, Venue::YATIVO];

/// A world with one stored key, and the folder of its store.
async fn with_key(venue: Venue, origin: Origin) -> (World, tempfile::TempDir) {
    let world = World::start(venue).await;
    let folder = tempfile::tempdir().unwrap();
    let task = Task::Create(world.create(origin));
    engine(folder.path()).run(&world.account(), task, &world.manager(), &Watching::default()).await.unwrap();
    (world, folder)
}

/// The same engine with the store of another folder.
fn elsewhere(folder: &tempfile::TempDir, store: &tempfile::TempDir) -> Engine {
    Engine::new(Arc::new(open_store(store.path())), Arc::new(journal(folder.path()))).settings(settings())
}

fn in_place(world: &World) -> Task {
    Task::Rotate(Rotate { in_place: true, ..world.rotate() })
}

async fn secret(world: &World, folder: &tempfile::TempDir) -> String {
    let record = open_store(folder.path()).get(&world.reference()).await.unwrap();
    assert_eq!(record.keys.len(), 1);
    record.active().unwrap().secret.expose().to_owned()
}

#[tokio::test]
async fn a_key_that_another_store_has_is_not_revoked() {
    for (rotates, step) in [(false, "handed_over"), (true, "handed_over"), (true, "revoking")] {
        let world = World::start(Venue::KALSHI).await;
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (account, manager, watching) = (world.account(), world.manager(), Watching::default());
        let full = match step {
            "revoking" => breaking::engine(folder.path(), |step, _| matches!(step, Step::Revoking { .. })),
            _ => breaking::engine(folder.path(), |step, _| matches!(step, Step::HandedOver)),
        };
        let mut task = Task::Create(world.create(Origin::Best));
        if rotates {
            engine(folder.path()).run(&account, task, &manager, &watching).await.unwrap();
            task = Task::Rotate(world.rotate());
        }
        let run = full.run(&account, task, &manager, &watching).await.unwrap_err().run().unwrap().clone();
        let before = world.live(&engine(folder.path()), &manager).await.len();

        let error = elsewhere(&folder, &other).resume(&account, &run, &manager, &watching).await.unwrap_err();
        assert_eq!(error.class(), Class::NotFound, "{error}");
        assert!(error.to_string().contains("which this run has stored"), "{error}");
        assert!(error.help().unwrap().contains("use the store that has it"), "{:?}", error.help());
        assert_eq!(world.live(&engine(folder.path()), &manager).await.len(), before, "nothing was revoked or made");

        let done = engine(folder.path()).resume(&account, &run, &manager, &watching).await.unwrap();
        assert!(matches!(done, Outcome::Done(_)), "{done:?}");
        engine(folder.path()).verify(&account, &world.reference()).await.unwrap();
    }
}

/// The venue was not asked for a new secret yet when the place for it was stored.
#[tokio::test]
async fn a_rotation_in_place_that_is_given_up_leaves_the_key() {
    for venue in REPLACING {
        let (world, folder) = with_key(venue, Origin::Venue).await;
        let (account, manager, watching) = (world.account(), world.manager(), Watching::default());
        let before = secret(&world, &folder).await;
        let full = breaking::engine(folder.path(), |step, _| matches!(step, Step::Revoking { .. }));
        let error = full.run(&account, in_place(&world), &manager, &watching).await.unwrap_err();
        let engine = engine(folder.path());
        engine.abandon(&account, error.run().unwrap(), &manager, &watching).await.unwrap();
        assert_eq!(secret(&world, &folder).await, before, "{venue}");
        engine.verify(&account, &world.reference()).await.unwrap();
    }
}

/// All was done but the note of it.
#[tokio::test]
async fn a_secret_that_the_consumer_has_is_not_replaced_again() {
    for venue in REPLACING {
        let (world, folder) = with_key(venue, Origin::Venue).await;
        let (account, manager, watching) = (world.account(), world.manager(), Watching::default());
        let full = breaking::engine(folder.path(), |step, _| matches!(step, Step::Done));
        let error = full.run(&account, in_place(&world), &manager, &watching).await.unwrap_err();
        let handed = secret(&world, &folder).await;
        let engine = engine(folder.path());
        let done = engine.resume(&account, error.run().unwrap(), &manager, &watching).await.unwrap();
        assert!(matches!(done, Outcome::Done(_)), "{venue}: {done:?}");
        assert_eq!(secret(&world, &folder).await, handed, "{venue}");
        engine.verify(&account, &world.reference()).await.unwrap();
    }
}

/// The first request may still make the key, whose private half is kept for it.
#[tokio::test]
async fn a_refusal_does_not_end_a_run_whose_earlier_request_is_open() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let (_, account) = answering(
        &world,
        Box::new(|method, path, count| {
            let is_asking = method.as_str() == "POST" && path.contains("api_keys");
            match count {
                1 if is_asking => Some((502, "lost")),
                2 if is_asking => Some((403, r#"{"error":{"code":"forbidden","message":"not allowed"}}"#)),
                _ => None,
            }
        }),
    )
    .await;
    let (manager, watching) = (world.manager(), Watching::default());
    let task = Task::Create(world.create(Origin::Venue));
    let error = engine.run(&account, task, &manager, &watching).await.unwrap_err();
    assert_eq!(error.class(), Class::Unknown, "{error}");
    assert!(!watching.words().contains(&"undone"), "{:?}", watching.words());
    let run = error.run().expect("it can be resumed");
    let done = engine.resume(&world.account(), run, &manager, &watching).await.unwrap();
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
    assert_eq!(world.live(&engine, &manager).await.len(), 2);
}

/// Begins to revoke or to rotate a key whose end the venue does not acknowledge.
async fn not_revoked(world: &World, engine: &Engine, task: Task) -> RunId {
    let (_, deaf) =
        answering(world, Box::new(|method, _, _| (method.as_str() == "DELETE").then_some((500, "{}")))).await;
    let error = engine.run(&deaf, task, &world.manager(), &Watching::default()).await.unwrap_err();
    assert_eq!(error.class(), Class::Unknown, "{error}");
    error.run().unwrap().clone()
}

#[tokio::test]
async fn the_end_of_a_key_that_works_is_not_confirmed() {
    let (world, folder) = with_key(Venue::KALSHI, Origin::Best).await;
    let (account, manager, watching) = (world.account(), world.manager(), Watching::default());
    let engine = engine(folder.path());
    let before = secret(&world, &folder).await;
    let task = Task::Revoke(Revoke { target: Target::Stored(world.reference()), last: false });
    let run = not_revoked(&world, &engine, task).await;
    let error = engine.confirm_ended(&account, &run, &manager, &watching).await.unwrap_err();
    assert_eq!(error.class(), Class::Usage, "{error}");
    assert!(error.to_string().contains("still works"), "{error}");
    assert_eq!(secret(&world, &folder).await, before);

    // Another account's key as the manager: the venue does not know it, and that says nothing of the stored key.
    let stranger = Credential::Key {
        public_id: "0b5d9f5c-0000-4000-8000-00000000dead".into(),
        secret: Secret::new(&before),
        kind: SecretKind::PrivateKeyPem,
    };
    let error = engine.resume(&account, &run, &Manager::Given(stranger), &watching).await.unwrap_err();
    assert_eq!(error.class(), Class::Refused, "{error}");
    engine.verify(&account, &world.reference()).await.unwrap();

    let done = engine.resume(&account, &run, &manager, &watching).await.unwrap();
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
}

/// The venue was asked to end the old key, which works, and its owner has ended the new one.
#[tokio::test]
async fn a_rotation_is_given_up_where_only_the_old_key_works() {
    let (world, folder) = with_key(Venue::KALSHI, Origin::Best).await;
    let (account, manager, watching) = (world.account(), world.manager(), Watching::default());
    let engine = engine(folder.path());
    let before = secret(&world, &folder).await;
    let run = not_revoked(&world, &engine, Task::Rotate(world.rotate())).await;
    let refused = engine.abandon(&account, &run, &manager, &watching).await.unwrap_err();
    assert!(refused.to_string().contains("can only be resumed"), "{refused}");

    let record = open_store(folder.path()).get(&world.reference()).await.unwrap();
    let new = record.active().unwrap().id.clone().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let revoke = Task::Revoke(Revoke { target: Target::Listed(new), last: false });
    common::engine(elsewhere.path()).run(&account, revoke, &manager, &watching).await.unwrap();

    let outcome = engine.resume(&account, &run, &manager, &watching).await.unwrap();
    let Outcome::NeedsPerson(needs) = outcome else { panic!("{outcome:?}") };
    assert!(needs.what.contains("was asked to revoke the old one"), "{needs:?}");
    assert!(needs.how.contains("--abandon") && needs.how.contains("--confirm-ended"), "{needs:?}");
    engine.abandon(&account, &run, &manager, &watching).await.unwrap();
    assert_eq!(secret(&world, &folder).await, before);
    engine.verify(&account, &world.reference()).await.unwrap();
}
