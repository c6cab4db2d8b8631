//! The consumer and the old key: the old one ends after the consumer has the new one, and never before.

#[path = "common/between.rs"]
mod between;
#[path = "common/breaking.rs"]
mod breaking;
mod common;

use between::answering;
use common::{Watching, World, engine, open_store};
use venuekit_keys::journal::Step;
use venuekit_keys::store::Store as _;
use venuekit_keys::{Class, Manager, Origin, Outcome, Revoke, Rotate, Target, Task, Venue};

#[tokio::test]
async fn a_consumer_that_does_not_take_the_key_keeps_the_old_one() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    engine
        .run(&world.account(), Task::Create(world.create(Origin::Best)), &world.manager(), &Watching::default())
        .await
        .unwrap();
    let old = open_store(folder.path()).get(&world.reference()).await.unwrap();
    let itself = Manager::Stored(world.reference());

    let refuses = Watching { refuses: true, ..Watching::default() };
    let task = Task::Rotate(world.rotate());
    let error = engine.run(&world.account(), task.clone(), &itself, &refuses).await.unwrap_err();
    assert_eq!(error.class(), Class::NeedsPerson);
    assert!(error.to_string().contains("the bot is busy"), "{error}");
    assert_eq!(world.live(&engine, &itself).await.len(), 3, "both keys work");
    // Another run for the same key would undo this one's work.
    let second = engine.run(&world.account(), task.clone(), &itself, &Watching::default()).await.unwrap_err();
    assert_eq!(second.run(), error.run());

    engine.abandon(&world.account(), error.run().unwrap(), &itself, &Watching::default()).await.unwrap();
    assert_eq!(open_store(folder.path()).get(&world.reference()).await.unwrap(), old);
    assert_eq!(world.live(&engine, &itself).await.len(), 2);
    engine.verify(&world.account(), &world.reference()).await.unwrap();
    let done = engine.run(&world.account(), task, &itself, &Watching::default()).await.unwrap();
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
}

#[tokio::test]
async fn a_key_that_was_taken_over_is_not_taken_back() {
    let world = World::start(Venue::DERIBIT).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let watching = Watching::default();
    let create = Task::Create(world.create(Origin::Best));
    engine.run(&world.account(), create, &world.manager(), &watching).await.unwrap();
    let full = breaking::engine(folder.path(), |step, _| matches!(step, Step::Revoking { .. }));
    let task = Task::Rotate(Rotate { by_command: true, ..world.rotate() });
    let error = full.run(&world.account(), task, &world.manager(), &watching).await.unwrap_err();
    assert_eq!(error.class(), Class::Store, "{error}");
    let handed =
        |watching: &Watching| watching.handed.lock().unwrap().iter().map(|key| key.by_command).collect::<Vec<_>>();
    assert_eq!(handed(&watching), [false, true]);

    let run = error.run().unwrap();
    let help = error.help().unwrap();
    assert!(help.contains("keys resume") && !help.contains("--abandon"), "{help}");
    let kept = engine.forget(&world.account(), &world.reference()).await.unwrap_err();
    assert_eq!(kept.run(), Some(run), "both secrets are still needed: {kept}");
    let refused = engine.abandon(&world.account(), run, &world.manager(), &watching).await.unwrap_err();
    assert_eq!(refused.class(), Class::Usage);
    assert!(refused.to_string().contains("uses the new key"), "{refused}");
    assert_eq!(world.live(&engine, &world.manager()).await.len(), 3, "nothing was revoked");

    let itself = Manager::Stored(world.reference());
    let again = Watching::default();
    let done = engine.resume(&world.account(), run, &itself, &again).await.unwrap();
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
    assert!(handed(&again).is_empty(), "the consumer is told once");
    assert_eq!(world.live(&engine, &itself).await.len(), 2);
}

/// Ends the newest key of an account, as its owner may do in the venue's own pages.
async fn end_newest(world: &World) {
    let elsewhere = tempfile::tempdir().unwrap();
    let engine = engine(elsewhere.path());
    let newest = world.live(&engine, &world.manager()).await.pop().unwrap();
    let revoke = Revoke { target: Target::Listed(newest.id.unwrap()), last: false };
    let ended = engine.run(&world.account(), Task::Revoke(revoke), &world.manager(), &Watching::default()).await;
    assert!(matches!(ended, Ok(Outcome::Done(_))), "{ended:?}");
}

#[tokio::test]
async fn an_old_key_does_not_end_for_a_new_one_that_is_dead() {
    for is_taken_over in [false, true] {
        let world = World::start(Venue::DERIBIT).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let (account, manager, watching) = (world.account(), world.manager(), Watching::default());
        engine.run(&account, Task::Create(world.create(Origin::Best)), &manager, &watching).await.unwrap();
        let broken = breaking::engine(folder.path(), |step, _| matches!(step, Step::Revoking { .. }));
        let refuses = Watching { refuses: !is_taken_over, ..Watching::default() };
        let error = broken.run(&account, Task::Rotate(world.rotate()), &manager, &refuses).await.unwrap_err();
        let run = error.run().unwrap();
        end_newest(&world).await;

        let outcome = engine.resume(&account, run, &manager, &watching).await.unwrap();
        let Outcome::NeedsPerson(needs) = outcome else { panic!("{outcome:?}") };
        assert!(engine.unfinished().unwrap()[0].can_be_abandoned, "as it is advised");
        assert!(needs.what.contains("does not work any more") && needs.how.contains("--abandon"), "{needs:?}");
        assert_eq!(world.live(&engine, &manager).await.len(), 2, "the old key is there");
        engine.abandon(&account, run, &manager, &watching).await.unwrap();
        engine.verify(&account, &world.reference()).await.unwrap();
    }
}

#[tokio::test]
async fn a_run_that_is_being_given_up_does_not_go_on() {
    let world = World::start(Venue::DERIBIT).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let (account, itself, watching) = (world.account(), Manager::Stored(world.reference()), Watching::default());
    engine.run(&account, Task::Create(world.create(Origin::Best)), &world.manager(), &watching).await.unwrap();
    let refuses = Watching { refuses: true, ..Watching::default() };
    let error = engine.run(&account, Task::Rotate(world.rotate()), &itself, &refuses).await.unwrap_err();
    let run = error.run().unwrap();

    // The new key ends, and the response to that is lost.
    let (between, lossy) =
        answering(&world, Box::new(|_, path, _| path.ends_with("remove_api_key").then_some((502, "lost")))).await;
    let lost = engine.abandon(&lossy, run, &itself, &watching).await.unwrap_err();
    assert!(between.seen.lock().unwrap().iter().any(|call| call.ends_with("remove_api_key")));
    let help = lost.help().unwrap();
    assert!(help.contains("--abandon") && !help.contains("continues it"), "{help}");
    end_newest(&world).await;

    let refused = engine.resume(&account, run, &itself, &watching).await.unwrap_err();
    assert!(refused.class() == Class::Usage && refused.help().unwrap().contains("--abandon"), "{refused}");
    engine.verify(&account, &world.reference()).await.unwrap();
    engine.abandon(&account, run, &itself, &watching).await.unwrap();
    engine.verify(&account, &world.reference()).await.unwrap();
    assert_eq!(world.live(&engine, &itself).await.len(), 2);
    assert!(engine.unfinished().unwrap().is_empty());
}
