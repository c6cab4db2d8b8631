//! What shows that a key works, and what shows nothing: an old key must not end for less than a response of the venue's own.

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
    for venue in common::VENUES {
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

/// What has a success status and is not the venue's answer to the call.
const IMPOSTORS: [(u16, &str); 22] = [
    (200, ""),
    (204, ""),
    (200, "<!DOCTYPE html><html><body>sign in to the network</body></html>"),
    (200, "ok"),
    (200, "{}"),
    (201, "{}"),
    (200, "null"),
    (200, "[]"),
    (200, "[{}]"),
    (200, "true"),
    (200, "1"),
    (200, "\"ok\""),
    (200, r#"{"result":null}"#),
    (200, r#"{"jsonrpc":"2.0","result":null}"#),
    (200, r#"{"jsonrpc":"2.0","result":{}}"#),
    (200, r#"{"jsonrpc":"2.0","id":1}"#),
    (200, r#"{"success":false}"#),
    (200, r#"{"success":true,"message":"welcome"}"#),
    (200, r#"{"status":"success","data":{}}"#),
    (200, r#"{"data":"maintenance"}"#),
    (200, r#"{"usage_tier":null,"read":null,"write":null,"accounts":null,"outcomeBalances":null,"currency":null}"#),
    (200, r#"{"code":200,"error":null,"message":"OK"}"#),
];

/// The call that verifies a key.
fn verifies(venue: Venue, path: &str) -> bool {
    match venue.name() {
        "bayse" => path.contains("/portfolio") || path.contains("/orders/"),
        "deribit" => path.ends_with("get_account_summary"),
        "kalshi" => path.ends_with("/account/limits"),
        _ => path.ends_with("/accounts/get-accounts"),
    }
}

#[tokio::test]
async fn only_the_answer_to_the_call_verifies_a_key() {
    for venue in common::VENUES {
        let world = World::start(venue).await;
        let folder = tempfile::tempdir().unwrap();
        let quick = quick_engine(folder.path());
        let credential = world.first.credential();
        for (impostor, everywhere) in IMPOSTORS.into_iter().flat_map(|one| [(one, true), (one, false)]) {
            let choose: between::Choose =
                Box::new(move |_, path, _| (everywhere || verifies(venue, path)).then_some(impostor));
            let (_, account) = answering(&world, choose).await;
            let what = format!("{venue} {impostor:?} everywhere: {everywhere}");

            let adopted = quick.adopt(&account, &world.reference(), &credential, &Watching::default()).await;
            assert!(adopted.is_err(), "{what}: {adopted:?}");
            assert!(open_store(folder.path()).get(&world.reference()).await.is_err(), "{what}");
            if everywhere {
                continue;
            }
            let create = Task::Create(world.create(Origin::Venue));
            let outcome = quick.run(&account, create, &world.manager(), &Watching::default()).await;
            assert!(!matches!(outcome, Ok(Outcome::Done(_))), "{what}: {outcome:?}");
            let run = quick.unfinished().unwrap()[0].run.clone();
            let resumed = quick.resume(&account, &run, &world.manager(), &Watching::default()).await;
            assert!(!matches!(resumed, Ok(Outcome::Done(_))), "{what}: {resumed:?}");
            quick.abandon(&world.account(), &run, &world.manager(), &Watching::default()).await.unwrap();
        }
        let create = Task::Create(world.create(Origin::Venue));
        quick.run(&world.account(), create, &world.manager(), &Watching::default()).await.unwrap();
        for impostor in IMPOSTORS {
            let choose: between::Choose = Box::new(move |_, path, _| verifies(venue, path).then_some(impostor));
            let (_, account) = answering(&world, choose).await;
            let shown = quick.verify(&account, &world.reference()).await;
            assert!(shown.is_err(), "{venue} {impostor:?}: {shown:?}");
        }
        // A rotation stops before the old key is touched.
        let choose: between::Choose = Box::new(move |_, path, _| verifies(venue, path).then_some((200, "{}")));
        let (_, account) = answering(&world, choose).await;
        let rotated = quick.run(&account, Task::Rotate(world.rotate()), &world.manager(), &Watching::default()).await;
        assert!(!matches!(rotated, Ok(Outcome::Done(_))), "{venue}: {rotated:?}");
        let last = quick.unfinished().unwrap()[0].last.clone();
        assert!(matches!(last, Step::Stored { .. }), "{venue}: {last:?}");
        quick.verify(&world.account(), &world.reference()).await.unwrap();
    }
}

/// Without waits: an impostor stays one.
fn quick_engine(folder: &std::path::Path) -> venuekit_keys::Engine {
    let none = std::time::Duration::ZERO;
    let waits = venuekit_keys::Waits { first: none, longest: none, total: none };
    engine(folder).settings(venuekit_keys::Settings { verify: waits, prove: waits, ..common::settings() })
}

#[tokio::test]
async fn a_refusal_for_want_of_a_permission_verifies_only_in_the_venues_words() {
    for (refusal, counts) in [
        (r#"{"error":{"code":"forbidden","message":"this API key does not have the scope read"}}"#, true),
        (r#"{"error":{"code":"blocked","message":"by a firewall"}}"#, false),
        (r#"{"code":403,"message":"Forbidden"}"#, false),
        (r#"{"error":"Forbidden"}"#, false),
    ] {
        let world = World::start(Venue::KALSHI).await;
        let folder = tempfile::tempdir().unwrap();
        let (_, account) =
            answering(&world, Box::new(move |_, path, _| verifies(Venue::KALSHI, path).then_some((403, refusal))))
                .await;
        let credential = world.first.credential();
        let adopted =
            engine(folder.path()).adopt(&account, &world.reference(), &credential, &Watching::default()).await;
        assert_eq!(adopted.is_ok(), counts, "{refusal}: {adopted:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_being_made_has_its_name_for_itself() {
    let world = World::start(Venue::KALSHI).await;
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
        sub_account: None,
        addresses: Vec::new(),
        family: None,
    };
    journal(folder.path()).begin(&run, &Entry::now(Step::Planned { schema: SCHEMA, plan, store: None })).unwrap();

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
    for venue in [Venue::BAYSE, Venue::YATIVO] {
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
    let world = World::start(Venue::KALSHI).await;
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
