//! Calls whose answers are lost: they may have had no effect, an effect already, or one that is still to come.

#[path = "common/between.rs"]
mod between;
#[path = "common/breaking.rs"]
mod breaking;
mod common;

use std::time::Duration;

use axum::http::Method;
use between::{Late, answering, start};
use common::{Watching, World, engine, settings};
use venuekit_keys::journal::Step;
use venuekit_keys::{Origin, Outcome, Rotate, Settings, Task, Venue};

#[tokio::test]
async fn a_call_that_had_no_effect_is_made_again_only_when_the_list_has_shown_it() {
    let world = World::start(Venue::DERIBIT).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let choose = |_: &Method, path: &str, count: usize| {
        (path.ends_with("private/create_api_key") && count == 1).then_some((502, "lost"))
    };
    let (between, account) = answering(&world, Box::new(choose)).await;
    let watching = Watching::default();
    engine.run(&account, Task::Create(world.create(Origin::Best)), &world.manager(), &watching).await.unwrap();
    assert!(watching.words().contains(&"unknown"));
    let calls: Vec<String> =
        between.seen.lock().unwrap().iter().filter(|call| call.contains("api_key")).cloned().collect();
    let creates: Vec<usize> = (0..calls.len()).filter(|at| calls[*at].contains("create_api_key")).collect();
    assert_eq!(creates.len(), 2, "{calls:?}");
    assert!(calls[creates[0]..creates[1]].iter().any(|call| call.contains("list_api_keys")), "{calls:?}");
    assert_eq!(world.live(&engine, &world.manager()).await.len(), 2);
}

#[tokio::test]
async fn a_call_that_comes_through_late_leaves_no_second_key() {
    for origin in [Origin::Best, Origin::Venue] {
        let world = World::start(Venue::KALSHI).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let path = if origin == Origin::Venue { "/api_keys/generate" } else { "/api_keys" };
        // It takes effect when the second attempt has been answered and its key is tried.
        let late = Some(Late { call: path, when: "/account/limits", nth: 1 });
        let (_, account) = start(&world, Box::new(|_, _, _| None), late).await;
        let watching = Watching::default();
        engine.run(&account, Task::Create(world.create(origin)), &world.manager(), &watching).await.unwrap();
        assert!(watching.words().contains(&"cleaned up"), "{:?}", watching.words());
        assert_eq!(world.live(&engine, &world.manager()).await.len(), 2);
        engine.verify(&world.account(), &world.reference()).await.unwrap();
    }
}

#[tokio::test]
async fn a_secret_that_is_replaced_late_is_not_the_one_that_stays() {
    for (venue, call, when) in
        [(Venue::BAYSE, "/rotate", "/portfolio"), (Venue::DERIBIT, "reset_api_key", "get_account_summary")]
    {
        let world = World::start(venue).await;
        let folder = tempfile::tempdir().unwrap();
        // It waits longer than the call takes to come through on a busy machine.
        let patient = Settings { settle: Duration::from_secs(2), ..settings() };
        let engine = engine(folder.path()).settings(patient);
        let create = Task::Create(world.create(Origin::Venue));
        engine.run(&world.account(), create, &world.manager(), &Watching::default()).await.unwrap();
        // The first call comes through while it is waited for; nothing else is called then.
        let (between, account) =
            start(&world, Box::new(|_, _, _| None), Some(Late { call, when, nth: usize::MAX })).await;
        let comes = async {
            while between.seen.lock().unwrap().iter().all(|seen| !seen.contains(call)) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            between.release().await;
        };
        let task = Task::Rotate(Rotate { in_place: true, ..world.rotate() });
        let watching = Watching::default();
        let manager = world.manager();
        let (outcome, ()) = tokio::join!(engine.run(&account, task, &manager, &watching), comes);
        assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
        assert!(watching.words().contains(&"waiting"), "{:?}", watching.words());
        engine.verify(&world.account(), &world.reference()).await.unwrap();
    }
}

#[tokio::test]
async fn a_run_that_is_given_up_waits_for_the_key_that_it_has_asked_for() {
    let world = World::start(Venue::DERIBIT).await;
    let folder = tempfile::tempdir().unwrap();
    let late = Late { call: "private/create_api_key", when: "private/list_api_keys", nth: 5 };
    let (between, account) = start(&world, Box::new(|_, _, _| None), Some(late)).await;
    // Its disk is full when the venue is about to be asked once more.
    let broken = breaking::engine(folder.path(), |step, times| matches!(step, Step::Asking { .. }) && times == 2);
    let create = Task::Create(world.create(Origin::Venue));
    let error = broken.run(&account, create, &world.manager(), &Watching::default()).await.unwrap_err();
    let engine = engine(folder.path());
    engine.abandon(&account, error.run().unwrap(), &world.manager(), &Watching::default()).await.unwrap();
    between.release().await;
    assert_eq!(world.live(&engine, &world.manager()).await.len(), 1, "{:?}", between.seen.lock().unwrap());
    assert!(engine.unfinished().unwrap().is_empty());
}

#[tokio::test]
async fn what_may_still_come_is_told() {
    let world = World::start(Venue::DERIBIT).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let lost = |_: &Method, path: &str, count: usize| {
        (path.ends_with("private/create_api_key") && count == 1).then_some((502, "lost"))
    };
    let (_, account) = answering(&world, Box::new(lost)).await;
    let watching = Watching::default();
    engine.run(&account, Task::Create(world.create(Origin::Best)), &world.manager(), &watching).await.unwrap();
    assert!(watching.words().contains(&"note"), "{:?}", watching.words());
    engine.verify(&world.account(), &world.reference()).await.unwrap();
}
