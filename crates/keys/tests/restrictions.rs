//! What limits a key beyond its scopes is not lost when another takes its place.

mod common;

use common::{Given, Watching, World, engine};
use venuekit_keys::{Class, Manager, Outcome, Rotate, Task, Venue};

#[tokio::test]
async fn a_subaccount_at_kalshi_is_kept() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let Given::Pair(id, pem) = &world.first else { unreachable!() };
    let credentials = venuekit_kalshi::Credentials::from_pem(id, pem).unwrap();
    let environment = venuekit_kalshi::Environment::Custom(world.base_url());
    let client = venuekit_kalshi::Client::builder(environment).credentials(credentials).build().unwrap();
    let made =
        client.generate_api_key().name("narrow").subaccount(3).key_type(venuekit_kalshi::types::ApiKeyType::Ed25519);
    let made = made.send().await.unwrap();
    let narrow = Given::Pair(made.api_key_id.to_string(), made.private_key.expose().to_owned()).credential();
    engine.adopt(&world.account(), &world.reference(), &narrow, &Watching::default()).await.unwrap();
    // A key of one subaccount manages none: another one does.
    let outcome =
        engine.run(&world.account(), Task::Rotate(world.rotate()), &world.manager(), &Watching::default()).await;
    let Ok(Outcome::Done(report)) = outcome else { panic!("{outcome:?}") };
    let live = world.live(&engine, &world.manager()).await;
    let line = live.iter().find(|line| line.id == report.id).unwrap();
    assert_eq!(line.restrictions, ["subaccount 3"]);
}

#[tokio::test]
async fn addresses_at_deribit_are_kept_by_a_rotation_in_place_and_no_other_is_done() {
    let world = World::start(Venue::DERIBIT).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let task = Task::Create(world.create(venuekit_keys::Origin::Venue));
    let outcome = engine.run(&world.account(), task, &world.manager(), &Watching::default()).await.unwrap();
    let Outcome::Done(report) = outcome else { panic!("{outcome:?}") };
    let Given::Shared(id, secret) = &world.first else { unreachable!() };
    let environment = venuekit_deribit::Environment::Custom(world.base_url());
    let credentials = venuekit_deribit::Credentials::secret(id, secret.as_str()).unwrap();
    let client = venuekit_deribit::Client::builder(environment).credentials(credentials).build().unwrap();
    let number: i64 = report.id.unwrap().parse().unwrap();
    let edit = client
        .edit_api_key()
        .id(number)
        .max_scope(common::DERIBIT_SCOPES.join(" "))
        .ip_whitelist(vec!["127.0.0.1".to_owned()]);
    edit.send().await.unwrap();

    let run = async |in_place| {
        let task = Task::Rotate(Rotate { in_place, ..world.rotate() });
        engine.run(&world.account(), task, &world.manager(), &Watching::default()).await
    };
    let error = run(false).await.unwrap_err();
    assert_eq!(error.class(), Class::Usage);
    assert!(error.to_string().contains("address 127.0.0.1"), "{error}");
    assert!(error.help().unwrap().contains("in place"));
    assert!(matches!(run(true).await, Ok(Outcome::Done(_))));
    let live = world.live(&engine, &Manager::Stored(world.reference())).await;
    assert!(live.iter().any(|line| line.restrictions == ["address 127.0.0.1"]));
}
