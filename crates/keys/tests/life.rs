//! For every venue, over real sockets: keys are made, handed over, rotated and revoked, and what is left is what should be.

mod common;

use common::{CODE, Watching, World, engine, journal, open_store};
use venuekit_auth::{KeyKind, PrivateKey};
use venuekit_keys::journal::{Journal as _, Step};
use venuekit_keys::record::{Kind, State};
use venuekit_keys::store::{Store as _, StoreError};
use venuekit_keys::{
    Class, Create, Credential, Engine, Event, Manager, Origin, Outcome, Reference, Report, Revoke, Rotate, Target,
    Task, Venue,
};
use venuekit_wire::Secret;

fn done(outcome: Outcome) -> Report {
    match outcome {
        Outcome::Done(report) => report,
        Outcome::NeedsPerson(needs) => panic!("{needs:?}"),
    }
}

async fn run(world: &World, engine: &Engine, task: Task, manager: &Manager) -> (Report, Watching) {
    let watching = Watching::default();
    let outcome = engine.run(&world.account(), task, manager, &watching).await.unwrap();
    (done(outcome), watching)
}

/// The whole life of a key, with itself as the one that manages where the venue has that.
async fn life(venue: Venue, origin: Origin, code: Option<&str>, in_place: bool) {
    let world = World::guarded(venue, code).await;
    let folder = tempfile::tempdir().unwrap();
    let (engine, reference) = (engine(folder.path()), world.reference());
    let before = world.live(&engine, &world.manager()).await.len();

    let (made, told) = run(&world, &engine, Task::Create(world.create(origin)), &world.manager()).await;
    assert!(told.words().contains(&"stored") && told.words().contains(&"verified"), "{:?}", told.words());
    let record = open_store(folder.path()).get(&reference).await.unwrap();
    assert_eq!((record.keys.len(), record.keys[0].state), (1, State::Active));
    let here = origin != Origin::Venue && [Venue::KALSHI, Venue::DERIBIT].contains(&venue);
    assert_eq!(told.words().contains(&"generated"), here);
    if here {
        assert_eq!(record.keys[0].kind, Kind::PrivateKeyPem);
    }
    engine.verify(&world.account(), &reference).await.unwrap();

    let itself = Manager::Stored(reference.clone());
    let manager = if venue == Venue::BAYSE || in_place { world.manager() } else { itself };
    let rotate = Rotate { in_place, ..world.rotate() };
    let (rotated, told) = run(&world, &engine, Task::Rotate(rotate), &manager).await;
    assert!(told.words().ends_with(&["proved"]), "{:?}", told.words());
    assert_eq!(told.handed.lock().unwrap().len(), 1);
    assert_eq!(rotated.public_id == made.public_id, in_place);
    let kept = open_store(folder.path()).get(&reference).await.unwrap();
    assert_eq!((kept.keys.len(), kept.keys[0].kind), (1, record.keys[0].kind));
    if kept.keys[0].kind == Kind::PrivateKeyPem {
        let pairs = [&record, &kept].map(|record| PrivateKey::from_pem(record.keys[0].secret.expose()).unwrap());
        assert_eq!(pairs[0].kind(), pairs[1].kind(), "the consumer may read no other");
    }
    assert_ne!(kept.keys[0].secret.expose(), record.keys[0].secret.expose());
    let live = world.live(&engine, &manager).await;
    assert_eq!(live.len(), before + 1);
    let line = live.iter().find(|line| line.id == rotated.id).unwrap();
    assert_eq!(line.reference, Some(reference.to_string()));
    assert_eq!(line.name, rotated.label);

    let revoke = Revoke { target: Target::Stored(reference.clone()), last: false };
    let (revoked, _) = run(&world, &engine, Task::Revoke(revoke), &world.manager()).await;
    assert_eq!(revoked.revoked, rotated.id);
    assert!(matches!(open_store(folder.path()).get(&reference).await, Err(StoreError::NotFound(_))));
    assert_eq!(world.live(&engine, &world.manager()).await.len(), before);
    assert!(engine.unfinished().unwrap().is_empty());
    let journal = journal(folder.path());
    for run in journal.runs().unwrap() {
        assert_eq!(journal.read(&run).unwrap().last().unwrap().step, Step::Done);
    }
}

#[tokio::test]
async fn bayse() {
    life(Venue::BAYSE, Origin::Best, None, false).await;
    life(Venue::BAYSE, Origin::Best, None, true).await;
}

#[tokio::test]
async fn kalshi() {
    life(Venue::KALSHI, Origin::Best, None, false).await;
    life(Venue::KALSHI, Origin::Here(KeyKind::Rsa2048), None, false).await;
    life(Venue::KALSHI, Origin::Venue, None, false).await;
}

#[tokio::test]
async fn yativo() {
    for code in [None, Some(CODE)] {
        life(Venue::YATIVO, Origin::Best, code, false).await;
        life(Venue::YATIVO, Origin::Venue, code, true).await;
    }
}

#[tokio::test]
async fn deribit() {
    for code in [None, Some(CODE)] {
        life(Venue::DERIBIT, Origin::Best, code, false).await;
        life(Venue::DERIBIT, Origin::Venue, code, false).await;
        life(Venue::DERIBIT, Origin::Venue, code, true).await;
    }
}

#[tokio::test]
async fn a_login_at_bayse_is_kept_for_the_next_run() {
    let world = World::start(Venue::BAYSE).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let account = &world.sandbox.accounts().bayse[0];
    let login = Credential::Login { email: account.email.clone(), password: Secret::new(&account.password) };
    let manager = Manager::Given(login);
    run(&world, &engine, Task::Create(world.create(Origin::Best)), &manager).await;
    run(&world, &engine, Task::Rotate(world.rotate()), &manager).await;
    assert_eq!(world.sandbox.executed()["bayse POST /v1/user/login"], 1);
    // What is kept for the engine is no key of the user's.
    let lines = engine.stored(&world.account()).await.unwrap();
    assert_eq!(lines.len(), 1);
}

#[tokio::test]
async fn a_code_that_nobody_has_stops_the_run_before_anything_was_made() {
    for venue in [Venue::YATIVO, Venue::DERIBIT] {
        let world = World::guarded(venue, Some(CODE)).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let nobody = Watching { codes: Some(0.into()), ..Watching::default() };
        let task = Task::Create(world.create(Origin::Best));
        let error = engine.run(&world.account(), task, &world.manager(), &nobody).await.unwrap_err();
        assert_eq!(error.class(), Class::NeedsPerson, "{error}");
        assert!(error.run().is_none() && engine.unfinished().unwrap().is_empty(), "nothing is left to be done");
        assert!(open_store(folder.path()).list().await.unwrap().is_empty());
        assert_eq!(world.live(&engine, &world.manager()).await.len(), 1);
    }
}

#[tokio::test]
async fn a_run_that_runs_out_of_codes_goes_on_when_there_are_some() {
    let world = World::guarded(Venue::YATIVO, Some(CODE)).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    run(&world, &engine, Task::Create(world.create(Origin::Best)), &world.manager()).await;
    let manager = Manager::Stored(world.reference());
    let one = Watching { codes: Some(1.into()), ..Watching::default() };
    let error = engine.run(&world.account(), Task::Rotate(world.rotate()), &manager, &one).await.unwrap_err();
    assert_eq!(error.class(), Class::NeedsPerson, "{error}");
    assert_eq!(world.live(&engine, &manager).await.len(), 3, "the new key and the old one");
    let resumed = engine.resume(&world.account(), error.run().unwrap(), &manager, &Watching::default()).await;
    assert!(done(resumed.unwrap()).revoked.is_some());
    assert_eq!(world.live(&engine, &manager).await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let refused = async |world: &World, task: Task| {
        let error = engine.run(&world.account(), task, &world.manager(), &Watching::default()).await.unwrap_err();
        assert_eq!(error.class(), Class::Usage, "{error}");
        error.to_string()
    };
    let bayse = World::start(Venue::BAYSE).await;
    let mut create = bayse.create(Origin::Best);
    create.scopes = vec!["read".into()];
    assert!(refused(&bayse, Task::Create(create)).await.contains("no scopes"));
    let yativo = World::start(Venue::YATIVO).await;
    let create = yativo.create(Origin::Here(KeyKind::Ed25519));
    assert!(refused(&yativo, Task::Create(create)).await.contains("makes the secret itself"));
    let deribit = World::start(Venue::DERIBIT).await;
    let mut create = deribit.create(Origin::Best);
    create.scopes.clear();
    assert!(refused(&deribit, Task::Create(create)).await.contains("without scopes"));
    assert!(deribit.sandbox.executed().is_empty());

    // The key that manages, and that would be the last.
    let kalshi = World::start(Venue::KALSHI).await;
    let first = kalshi.first.credential();
    engine.adopt(&kalshi.account(), &kalshi.reference(), &first, &Watching::default()).await.unwrap();
    let last = Task::Revoke(Revoke { target: Target::Stored(kalshi.reference()), last: false });
    assert!(refused(&kalshi, last).await.contains("manages the account"));
    let in_place = Task::Rotate(Rotate { in_place: true, ..kalshi.rotate() });
    assert!(refused(&kalshi, in_place).await.contains("has no secret at kalshi"));
    assert!(engine.unfinished().unwrap().is_empty());
    kalshi.sandbox.executed().keys().for_each(|call| assert!(call.contains("GET"), "{call}"));
}

#[tokio::test]
async fn the_last_key_ends_only_when_told_so() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    engine.adopt(&world.account(), &world.reference(), &world.first.credential(), &Watching::default()).await.unwrap();
    let last = Task::Revoke(Revoke { target: Target::Stored(world.reference()), last: true });
    let (report, told) = run(&world, &engine, last, &Manager::Stored(world.reference())).await;
    assert!(report.revoked.is_some() && told.words().contains(&"proved"));
    assert!(open_store(folder.path()).list().await.unwrap().is_empty());
}

#[tokio::test]
async fn only_a_key_that_works_is_adopted() {
    let world = World::start(Venue::DERIBIT).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let wrong = common::Given::Shared("first001".into(), "MARKER-wrong-secret".into()).credential();
    let error = engine.adopt(&world.account(), &world.reference(), &wrong, &Watching::default()).await.unwrap_err();
    assert_eq!(error.class(), Class::Failed);
    assert!(!format!("{error} {error:?}").contains("MARKER"), "{error:?}");
    assert!(open_store(folder.path()).list().await.unwrap().is_empty());
    let first = world.first.credential();
    let adopted = engine.adopt(&world.account(), &world.reference(), &first, &Watching::default()).await.unwrap();
    assert!(adopted.id.is_some());
    run(&world, &engine, Task::Rotate(world.rotate()), &Manager::Stored(world.reference())).await;
    assert_eq!(world.live(&engine, &Manager::Stored(world.reference())).await.len(), 1);
}

#[tokio::test]
async fn a_stored_key_is_revoked_by_its_id_too() {
    let world = World::start(Venue::YATIVO).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let (made, _) = run(&world, &engine, Task::Create(world.create(Origin::Venue)), &world.manager()).await;
    let revoke = Task::Revoke(Revoke { target: Target::Listed(made.id.unwrap()), last: false });
    let (report, told) = run(&world, &engine, revoke, &world.manager()).await;
    assert_eq!(report.reference, Some(world.reference().to_string()));
    assert!(told.events.lock().unwrap().contains(&Event::Proved { tried: true }));
    assert!(open_store(folder.path()).list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_has_one_name_in_the_store() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let (account, first, watching) = (world.account(), world.first.credential(), Watching::default());
    engine.adopt(&account, &world.reference(), &first, &watching).await.unwrap();
    let other = Reference::of(&account, "other").unwrap();
    let error = engine.adopt(&account, &other, &first, &watching).await.unwrap_err();
    assert!(error.class() == Class::Usage && error.to_string().contains("kalshi/local/bot"), "{error}");
}

#[tokio::test]
async fn scopes_that_the_venue_gave_by_default_are_stored() {
    let world = World::start(Venue::YATIVO).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let create = Create { scopes: Vec::new(), ..world.create(Origin::Venue) };
    run(&world, &engine, Task::Create(create), &world.manager()).await;
    let stored = engine.stored(&world.account()).await.unwrap();
    assert!(stored[0].scopes.contains(&"read".to_owned()), "{stored:?}");
}
