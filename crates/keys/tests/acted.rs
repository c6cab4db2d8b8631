//! What the venues' clients say when a response lacks what a call on keys was made for: the venue has acted, and the error says so.
//! What can be known before is checked before.

#[path = "common/between.rs"]
mod between;
mod common;

use axum::http::Method;
use between::{Between, Choose, answering};
use common::{CODE, Watching, World, engine};
use venuekit_auth::KeyKind;
use venuekit_keys::{Class, Credential, Origin, Outcome, Rotate, Task, Venue};
use venuekit_transport::keys::{ApiKeys, CreatedKey, NewKey, SecretKind};
use venuekit_transport::{Error, ErrorKind};

fn created(credential: Credential) -> CreatedKey {
    match credential {
        Credential::Key { public_id, secret, kind } => CreatedKey::new("", public_id, secret, kind),
        other => panic!("{other:?}"),
    }
}

/// Does something with the keys of a venue's client, whichever that is.
macro_rules! with_keys {
    ($world:expr, $base_url:expr, |$keys:ident| $work:expr) => {{
        let (world, url): (&World, String) = ($world, $base_url);
        let first = world.given.credential();
        match world.venue.name() {
            "bayse" => {
                let Credential::Session { token, device_id } = first else { panic!() };
                let credentials = venuekit_bayse::Credentials::session(token, device_id).unwrap();
                let builder = venuekit_bayse::Client::builder(venuekit_bayse::Environment::Custom(url));
                let client: venuekit_bayse::Client = builder.credentials(credentials).build().unwrap();
                let $keys = client.keys();
                $work
            }
            "deribit" => {
                let credentials = venuekit_deribit::Credentials::try_from(&created(first)).unwrap();
                let builder = venuekit_deribit::Client::builder(venuekit_deribit::Environment::Custom(url));
                let client: venuekit_deribit::Client = builder.credentials(credentials).build().unwrap();
                let $keys = client.keys();
                $work
            }
            "kalshi" => {
                let credentials = venuekit_kalshi::Credentials::try_from(&created(first)).unwrap();
                let builder = venuekit_kalshi::Client::builder(venuekit_kalshi::Environment::Custom(url));
                let client: venuekit_kalshi::Client = builder.credentials(credentials).build().unwrap();
                let $keys = client.keys();
                $work
            }
            _ => {
                let credentials = venuekit_yativo::Credentials::try_from(&created(first)).unwrap();
                let builder = venuekit_yativo::Client::builder(venuekit_yativo::Environment::Custom(url));
                let client: venuekit_yativo::Client = builder.credentials(credentials).build().unwrap();
                let $keys = client.keys();
                $work
            }
        }
    }};
}

fn new_key(venue: Venue) -> NewKey {
    NewKey::named("made").scopes(common::scopes(venue))
}

async fn create_at(world: &World, url: String, new: NewKey) -> Result<CreatedKey, Error> {
    with_keys!(world, url, |keys| keys.create(new).await)
}

async fn rotate_at(world: &World, url: String, id: &str) -> Result<CreatedKey, Error> {
    with_keys!(world, url, |keys| keys.rotate(id).await.map(|rotated| rotated.key))
}

/// The venue has acted: the error says so, never that nothing was sent, and names what to ask.
fn has_acted(error: &Error, what: &str) {
    assert!(error.may_have_been_applied(), "{what}: {error}");
    assert_eq!(error.kind(), ErrorKind::Decode, "{what}: {error}");
    assert!(error.status().is_some() && error.operation().is_some(), "{what}: {error:?}");
    assert!(error.reconcile_with().is_some(), "{what}: {error}");
    assert!(!error.to_string().contains("nothing"), "{what}: {error}");
    assert!(!format!("{error} {error:?}").contains("MARKER"), "{what}: {error:?}");
}

fn is_create(method: &Method, path: &str) -> bool {
    *method == Method::POST
        && ["/api-keys", "create_api_key", "/api_keys", "/api_keys/generate", "/apikey/generate"]
            .iter()
            .any(|end| path.ends_with(end))
}

fn is_rotation(method: &Method, path: &str) -> bool {
    *method == Method::POST && (path.ends_with("/rotate") || path.ends_with("reset_api_key"))
}

async fn replaced(
    world: &World,
    is_it: fn(&Method, &str) -> bool,
    body: &'static str,
) -> (std::sync::Arc<Between>, String) {
    let choose: Choose = Box::new(move |method, path, _| is_it(method, path).then_some((200, body)));
    let (between, account) = answering(world, choose).await;
    (between, account.base_url)
}

/// Responses to a new key without its secret, or without its id.
fn halves(venue: Venue) -> Vec<&'static str> {
    match venue.name() {
        "bayse" => vec![
            "{}",
            "null",
            r#"{"id":"1","publicKey":"pk_live_a"}"#,
            r#"{"id":"1","publicKey":"pk_live_a","secretKey":null}"#,
            r#"{"id":"1","publicKey":"pk_live_a","secretKey":""}"#,
            r#"{"id":"1","publicKey":"","secretKey":"MARKER-secret"}"#,
            r#"{"publicKey":"pk_live_a","secretKey":"MARKER-secret"}"#,
        ],
        "deribit" => vec![
            r#"{"jsonrpc":"2.0","result":null}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            r#"{"jsonrpc":"2.0"}"#,
            r#"{"jsonrpc":"2.0","result":{"id":5,"client_id":"abc"}}"#,
            r#"{"jsonrpc":"2.0","result":{"id":5,"client_id":"abc","client_secret":""}}"#,
            r#"{"jsonrpc":"2.0","result":{"id":5,"client_id":"abc","client_secret":null}}"#,
            r#"{"jsonrpc":"2.0","result":{"id":5,"client_id":"","client_secret":"MARKER-secret"}}"#,
            r#"{"jsonrpc":"2.0","result":{"id":5,"client_id":"abc","client_secret":"MARKER-md5","public_key":"-----BEGIN PUBLIC KEY-----"}}"#,
        ],
        "kalshi" => vec![
            "{}",
            "null",
            r#"{"api_key_id":"a"}"#,
            r#"{"api_key_id":"a","private_key":""}"#,
            r#"{"api_key_id":"","private_key":"MARKER-secret"}"#,
            r#"{"private_key":"MARKER-secret"}"#,
        ],
        _ => vec![
            "{}",
            "null",
            r#"{"success":true}"#,
            r#"{"success":true,"data":{"api_key":"yativo_a"}}"#,
            r#"{"success":true,"data":{"api_key":"yativo_a","api_secret":""}}"#,
            r#"{"success":true,"data":{"api_key":"","api_secret":"MARKER-secret"}}"#,
            r#"{"success":true,"data":{"api_secret":"MARKER-secret"}}"#,
        ],
    }
}

#[tokio::test]
async fn a_new_key_without_one_of_its_halves_was_made_all_the_same() {
    for venue in common::VENUES {
        let world = World::start(venue).await;
        for body in halves(venue) {
            let (_, url) = replaced(&world, is_create, body).await;
            let error = create_at(&world, url, new_key(venue)).await.expect_err(body);
            has_acted(&error, &format!("{venue} {body}"));
        }
    }
}

#[tokio::test]
async fn a_pair_that_was_registered_without_an_id_was_registered_all_the_same() {
    for (venue, bodies) in [
        (Venue::KALSHI, ["{}", r#"{"api_key_id":""}"#]),
        (
            Venue::DERIBIT,
            [r#"{"jsonrpc":"2.0","result":{"id":5}}"#, r#"{"jsonrpc":"2.0","result":{"id":5,"client_id":""}}"#],
        ),
    ] {
        let world = World::start(venue).await;
        for body in bodies {
            let (_, url) = replaced(&world, is_create, body).await;
            let new = new_key(venue).local(KeyKind::Ed25519);
            let error = create_at(&world, url, new).await.expect_err(body);
            has_acted(&error, &format!("{venue} {body}"));
        }
    }
}

#[tokio::test]
async fn a_rotation_without_a_secret_was_carried_out_all_the_same() {
    for venue in [Venue::BAYSE, Venue::DERIBIT, Venue::YATIVO] {
        let world = World::start(venue).await;
        let made = create_at(&world, world.base_url(), new_key(venue)).await.unwrap();
        let bodies = match venue.name() {
            "bayse" => vec![
                "{}".to_owned(),
                format!(r#"{{"id":"{}"}}"#, made.id),
                format!(r#"{{"id":"{}","secretKey":""}}"#, made.id),
                r#"{"id":"other","secretKey":"MARKER-secret"}"#.to_owned(),
            ],
            "deribit" => vec![
                r#"{"jsonrpc":"2.0","result":null}"#.to_owned(),
                format!(r#"{{"jsonrpc":"2.0","result":{{"id":{},"client_id":"abc"}}}}"#, made.id),
                format!(r#"{{"jsonrpc":"2.0","result":{{"id":{},"client_id":"abc","client_secret":""}}}}"#, made.id),
                format!(
                    r#"{{"jsonrpc":"2.0","result":{{"id":{},"client_id":"abc","client_secret":"MARKER-md5","public_key":"x"}}}}"#,
                    made.id
                ),
                r#"{"jsonrpc":"2.0","result":{"id":999999,"client_id":"abc","client_secret":"MARKER-secret"}}"#
                    .to_owned(),
            ],
            _ => vec![
                "{}".to_owned(),
                r#"{"success":true,"data":{}}"#.to_owned(),
                r#"{"success":true,"data":{"api_secret":""}}"#.to_owned(),
                r#"{"success":true,"api_secret":null}"#.to_owned(),
                r#"{"success":true,"data":{"id":"key_other","api_secret":"MARKER-secret"}}"#.to_owned(),
            ],
        };
        for body in bodies {
            let body: &'static str = Box::leak(body.into_boxed_str());
            let (_, url) = replaced(&world, is_rotation, body).await;
            let error = rotate_at(&world, url, &made.id).await.expect_err(body);
            has_acted(&error, &format!("{venue} {body}"));
        }
        // And the whole response is taken.
        let rotated = rotate_at(&world, world.base_url(), &made.id).await.unwrap();
        assert!(rotated.id == made.id && rotated.secret.expose() != made.secret.expose(), "{venue}");
        assert_eq!(rotated.public_id, made.public_id, "{venue}");
    }
}

#[tokio::test]
async fn a_key_with_a_public_key_is_not_reset() {
    let world = World::start(Venue::DERIBIT).await;
    let new = new_key(Venue::DERIBIT).local(KeyKind::Ed25519);
    let made = create_at(&world, world.base_url(), new).await.unwrap();
    assert_eq!(made.kind, SecretKind::PrivateKeyPem);
    let (between, url) = replaced(&world, |_, _| false, "").await;
    let error = rotate_at(&world, url.clone(), &made.id).await.unwrap_err();
    assert!(!error.may_have_been_applied() && error.to_string().contains("make a new key"), "{error}");
    let unknown = rotate_at(&world, url, "424242").await.unwrap_err();
    assert!(!unknown.may_have_been_applied() && unknown.to_string().contains("no key `424242`"), "{unknown}");
    assert!(between.seen.lock().unwrap().iter().all(|call| !call.contains("reset_api_key")));
    assert!(!world.sandbox.executed().keys().any(|call| call.contains("reset_api_key")));
}

/// The engine's own plan looks at the venue's list too, whatever the store says the key is.
#[tokio::test]
async fn a_stored_fingerprint_is_not_replaced_in_place() {
    let world = World::guarded(Venue::DERIBIT, Some(CODE)).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let create = Task::Create(world.create(Origin::Here(KeyKind::Ed25519)));
    engine.run(&world.account(), create, &world.manager(), &Watching::default()).await.unwrap();
    let store = common::open_store(folder.path());
    let mut record = venuekit_keys::store::Store::get(&store, &world.reference()).await.unwrap();
    record.keys[0].kind = venuekit_keys::record::Kind::Shared;
    venuekit_keys::store::Store::put(&store, &record).await.unwrap();
    let task = Task::Rotate(Rotate { in_place: true, ..world.rotate() });
    let error = engine.run(&world.account(), task, &world.manager(), &Watching::default()).await.unwrap_err();
    assert!(error.class() == Class::Usage && error.to_string().contains("has no secret at deribit"), "{error}");
    assert!(!world.sandbox.executed().keys().any(|call| call.contains("reset_api_key")));
    assert!(engine.unfinished().unwrap().is_empty());
}

/// A rotation whose response shows no secret is requested again, and the one that comes is stored.
#[tokio::test]
async fn a_secret_that_a_response_lacks_is_asked_for_again() {
    for venue in [Venue::BAYSE, Venue::DERIBIT, Venue::YATIVO] {
        let world = World::start(venue).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let create = Task::Create(world.create(Origin::Venue));
        engine.run(&world.account(), create, &world.manager(), &Watching::default()).await.unwrap();
        let choose: Choose = Box::new(move |method, path, count| {
            let body = if venue == Venue::DERIBIT { r#"{"jsonrpc":"2.0","result":{}}"# } else { "{}" };
            (is_rotation(method, path) && count == 1).then_some((200, body))
        });
        let (_, account) = answering(&world, choose).await;
        let (task, watching) = (Task::Rotate(Rotate { in_place: true, ..world.rotate() }), Watching::default());
        let outcome = engine.run(&account, task, &world.manager(), &watching).await;
        assert!(matches!(outcome, Ok(Outcome::Done(_))), "{venue}: {outcome:?}");
        assert!(watching.words().contains(&"unknown"), "{venue}: {:?}", watching.words());
        engine.verify(&world.account(), &world.reference()).await.unwrap();
    }
}
