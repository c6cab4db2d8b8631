//! What shows that a key works, and what shows nothing: an old key must not end for less than an answer of the venue's own.

#[path = "common/between.rs"]
mod between;
mod common;

use between::answering;
use common::{Given, Watching, World, engine, journal, open_store};
use venuekit_keys::journal::{Entry, Journal as _, RunId, SCHEMA, Step};
use venuekit_keys::store::Store as _;
use venuekit_keys::{Class, Event, Manager, Origin, Outcome, Plan, Revoke, Target, Task, Venue, Work};

#[tokio::test]
async fn an_answer_of_something_in_between_proves_no_key() {
    for venue in Venue::ALL {
        for answer in [(403, r#"{"message":"forbidden"}"#), (404, "{}"), (500, "{}"), (401, "{}"), (403, "{}")] {
            let world = World::start(venue).await;
            let folder = tempfile::tempdir().unwrap();
            let engine = engine(folder.path());
            let (_, account) = answering(&world, Box::new(move |_, _, _| Some(answer))).await;
            let credential = world.first.credential();
            let adopted = engine.adopt(&account, &world.reference(), &credential, &Watching::default()).await;
            assert!(adopted.is_err(), "{venue} {answer:?}: {adopted:?}");
            assert!(open_store(folder.path()).get(&world.reference()).await.is_err(), "{venue} {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_being_made_has_its_name_for_itself() {
    let world = World::start(Venue::Kalshi).await;
    let folder = tempfile::tempdir().unwrap();
    let (engine, run) = (engine(folder.path()), RunId::new("bot-0001"));
    let plan = Plan {
        work: Work::Create,
        account: world.account().to_string(),
        reference: Some(world.reference().to_string()),
        label: run.to_string(),
        scopes: vec!["read".to_owned()],
        origin: Origin::Best,
        old: None,
        by_command: false,
    };
    journal(folder.path()).begin(&run, &Entry::now(Step::Planned { schema: SCHEMA, plan })).unwrap();

    let credential = world.first.credential();
    let adopt = async || engine.adopt(&world.account(), &world.reference(), &credential, &Watching::default()).await;
    let error = adopt().await.unwrap_err();
    assert_eq!((error.class(), error.run()), (Class::NeedsPerson, Some(&run)), "{error}");
    let error = engine.verify(&world.account(), &world.reference()).await.unwrap_err();
    assert!(error.help().unwrap().contains("keys resume bot-0001"), "{error}");
    let done = engine.resume(&world.account(), &run, &world.manager(), &Watching::default()).await.unwrap();
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
}

#[tokio::test]
async fn a_private_key_is_not_sent_as_a_secret() {
    for venue in [Venue::Bayse, Venue::Yativo] {
        let world = World::start(venue).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let (between, account) = answering(&world, Box::new(|_, _, _| None)).await;
        let pair = venuekit_auth::PrivateKey::generate(venuekit_auth::KeyKind::Ed25519).unwrap();
        let pair = Given::Pair("abc".to_owned(), pair.private_key_pem().expose().to_owned()).credential();
        let error = engine.adopt(&account, &world.reference(), &pair, &Watching::default()).await.unwrap_err();
        assert!(error.class() == Class::Usage && error.to_string().contains("private key"), "{error}");
        assert!(between.seen.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn permissions_that_nobody_asked_for_are_told() {
    let world = World::start(Venue::Kalshi).await;
    let folder = tempfile::tempdir().unwrap();
    let (engine, watching) = (engine(folder.path()), Watching::default());
    let create = venuekit_keys::Create { scopes: Vec::new(), ..world.create(Origin::Best) };
    engine.run(&world.account(), Task::Create(create), &world.manager(), &watching).await.unwrap();
    let scopes = vec!["read".to_owned(), "write".to_owned()];
    assert!(watching.events.lock().unwrap().contains(&Event::Scopes { scopes }));
    let revoke = Revoke { target: Target::Stored(world.reference()), last: true };
    let itself = Manager::Stored(world.reference());
    engine.run(&world.account(), Task::Revoke(revoke), &itself, &watching).await.unwrap();
}
