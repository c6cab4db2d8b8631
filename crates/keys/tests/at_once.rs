//! Runs at the same time on one account: one after the other, or a clear word about who is at it; nothing is lost.

#![cfg(unix)]

#[path = "common/child.rs"]
mod child;
mod common;

use child::{Orders, Work};
use common::{Watching, World, engine, journal, open_store};
use venuekit_keys::journal::Journal as _;
use venuekit_keys::store::Store as _;
use venuekit_keys::{Class, Manager, Origin, Reference, Task, Venue};

/// The other half of these tests; see `child.rs`.
#[tokio::test]
async fn child() {
    child::obey().await;
}

fn orders(world: &World, folder: &std::path::Path, work: Work) -> Orders {
    Orders {
        venue: world.venue.to_string(),
        base_url: world.base_url(),
        folder: folder.to_owned(),
        given: Some(world.given.clone()),
        work,
        death: None,
    }
}

#[tokio::test]
async fn processes_that_make_the_same_key_make_one() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let orders = orders(&world, folder.path(), Work::CreateHere);
    let mut children: Vec<_> = (0..6).map(|_| orders.start()).collect();
    let ended = tokio::task::spawn_blocking(move || {
        children.iter_mut().map(|child| child.wait().unwrap().code()).collect::<Vec<_>>()
    });
    let ended = ended.await.unwrap();
    assert!(ended.contains(&Some(0)), "{ended:?}");
    let engine = engine(folder.path());
    assert_eq!(world.live(&engine, &world.manager()).await.len(), 2);
    assert_eq!(open_store(folder.path()).get(&world.reference()).await.unwrap().keys.len(), 1);
    assert!(engine.unfinished().unwrap().is_empty());
    engine.verify(&world.account(), &world.reference()).await.unwrap();
}

#[tokio::test]
async fn processes_that_rotate_the_same_key_leave_one() {
    let world = World::start(Venue::YATIVO).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let task = Task::Create(world.create(Origin::Best));
    engine.run(&world.account(), task, &world.manager(), &Watching::default()).await.unwrap();
    let mut orders = orders(&world, folder.path(), Work::Rotate);
    orders.given = None;
    let mut children: Vec<_> = (0..4).map(|_| orders.start()).collect();
    let ended = tokio::task::spawn_blocking(move || {
        children.iter_mut().map(|child| child.wait().unwrap().code()).collect::<Vec<_>>()
    });
    let ended = ended.await.unwrap();
    assert!(ended.contains(&Some(0)), "{ended:?}");
    let manager = Manager::Stored(world.reference());
    assert_eq!(world.live(&engine, &manager).await.len(), 2);
    assert_eq!(open_store(folder.path()).get(&world.reference()).await.unwrap().keys.len(), 1);
    assert!(engine.unfinished().unwrap().is_empty());
}

#[tokio::test]
async fn a_second_run_says_who_is_at_it() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let held = journal(folder.path()).lock(&world.account()).unwrap();
    let task = Task::Create(world.create(Origin::Best));
    let watching = Watching::default();
    let error = engine.run(&world.account(), task.clone(), &world.manager(), &watching).await.unwrap_err();
    assert_eq!(error.class(), Class::Busy);
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    assert!(world.sandbox.executed().is_empty());
    drop(held);
    engine.run(&world.account(), task, &world.manager(), &watching).await.unwrap();
}

#[tokio::test]
async fn keys_of_one_account_are_made_by_many_without_a_loss() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let make = async |name: &str| {
        let reference = Reference::of(&world.account(), name).unwrap();
        let create = venuekit_keys::Create { reference, ..world.create(Origin::Best) };
        loop {
            let task = Task::Create(create.clone());
            match engine.run(&world.account(), task, &world.manager(), &Watching::default()).await {
                Ok(_) => return,
                Err(error) if error.class() == Class::Busy => tokio::task::yield_now().await,
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    tokio::join!(make("a"), make("b"), make("c"), make("d"));
    assert_eq!(open_store(folder.path()).list().await.unwrap().len(), 4);
    assert_eq!(world.live(&engine, &world.manager()).await.len(), 5);
}
