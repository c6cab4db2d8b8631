//! What proves that a key has ended: a difference between it and a key that works, in the venue's own words. Whatever else comes back
//! proves nothing; a person decides, the run can be resumed, and the store keeps the key.

#[path = "common/between.rs"]
mod between;
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::Method;
use between::{Choose, Fake, answering};
use common::{Watching, World, journal, open_store, settings};
use venuekit_keys::store::{Store as _, StoreError};
use venuekit_keys::{
    Class, Engine, Event, Manager, NeedsPerson, Origin, Outcome, Revoke, Rotate, Settings, Target, Task, Venue, Waits,
};

/// No long waits: what proves nothing the first time proves nothing later.
fn engine(folder: &std::path::Path) -> Engine {
    let millis = Duration::from_millis;
    let prove = Waits { first: millis(1), longest: millis(1), total: millis(2) };
    Engine::new(Arc::new(open_store(folder)), Arc::new(journal(folder))).settings(Settings { prove, ..settings() })
}

/// How each venue says that it does not know a key.
fn unknown_key(venue: Venue) -> Fake {
    match venue.name() {
        "bayse" => (401, r#"{"error":"unauthorized","message":"invalid API key","statusCode":401}"#),
        "deribit" => (401, r#"{"jsonrpc":"2.0","error":{"code":13009,"message":"unauthorized"}}"#),
        "kalshi" => {
            (401, r#"{"error":{"code":"authentication_error","message":"authentication_error","details":"NOT_FOUND"}}"#)
        }
        _ => (401, r#"{"success":false,"error":"Invalid, expired, or revoked API key"}"#),
    }
}

/// How each venue refuses a key for another reason.
fn of_another_kind(venue: Venue) -> [Fake; 2] {
    match venue.name() {
        "bayse" => [
            (401, r#"{"error":"timestamp_expired","message":"the timestamp is outside of the window"}"#),
            (429, r#"{"error":"rate_limit","message":"too many requests"}"#),
        ],
        "deribit" => [
            (
                401,
                r#"{"jsonrpc":"2.0","error":{"code":13009,"message":"unauthorized","data":{"reason":"timestamp is off"}}}"#,
            ),
            (429, r#"{"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests"}}"#),
        ],
        "kalshi" => [
            (401, r#"{"error":{"code":"header_timestamp_expired","message":"header timestamp expired"}}"#),
            (401, r#"{"error":{"code":"authentication_error","message":"x","details":"INCORRECT_API_KEY_SIGNATURE"}}"#),
        ],
        _ => [
            (401, r#"{"error":"unauthorized","message":"Invalid or expired access token"}"#),
            (429, r#"{"error":"rate_limit_exceeded","message":"slow down","retry_after":0}"#),
        ],
    }
}

const NOTHING: [Fake; 8] = [
    (401, "{}"),
    (401, "<html>log in to the hotel's network</html>"),
    (401, r#"{"message":"Unauthorized"}"#),
    (403, "<html>blocked</html>"),
    (403, r#"{"message":"Forbidden"}"#),
    (302, ""),
    (404, "not here"),
    (200, "<html>welcome</html>"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    Rotated,
    Replaced,
    Revoked,
}

/// The key whose life is looked at, and what is done with it.
struct Case {
    world: World,
    folder: tempfile::TempDir,
    ends: Ends,
    public_id: String,
    secret: String,
}

impl Case {
    async fn new(venue: Venue, ends: Ends) -> Self {
        let world = World::start(venue).await;
        let folder = tempfile::tempdir().unwrap();
        let create = Task::Create(world.create(Origin::Venue));
        engine(folder.path()).run(&world.account(), create, &world.manager(), &Watching::default()).await.unwrap();
        let record = open_store(folder.path()).get(&world.reference()).await.unwrap();
        let (public_id, secret) =
            (record.keys[0].public_id.clone().unwrap(), record.keys[0].secret.expose().to_owned());
        Self { world, folder, ends, public_id, secret }
    }

    fn task(&self) -> Task {
        match self.ends {
            Ends::Rotated => Task::Rotate(self.world.rotate()),
            Ends::Replaced => Task::Rotate(Rotate { in_place: true, ..self.world.rotate() }),
            Ends::Revoked => Task::Revoke(Revoke { target: Target::Stored(self.world.reference()), last: false }),
        }
    }

    /// The old key is still in the store, and the run goes on at the venue itself.
    async fn waits_for_a_person(&self, outcome: Result<Outcome, venuekit_keys::Error>, what: &str) -> NeedsPerson {
        let needs = match outcome {
            Ok(Outcome::NeedsPerson(needs)) => needs,
            other => panic!("{what}: {other:?}"),
        };
        assert!(needs.what.contains("nothing proves") && needs.how.contains("--confirm-ended"), "{what}: {needs:?}");
        let record = open_store(self.folder.path()).get(&self.world.reference()).await.expect(what);
        assert!(record.keys.iter().any(|key| key.secret.expose() == self.secret), "{what}: the old key was dropped");
        let unfinished = engine(self.folder.path()).unfinished().unwrap();
        assert_eq!(unfinished.len(), 1, "{what}");
        needs
    }

    async fn goes_on(&self, needs: &NeedsPerson, what: &str) {
        let engine = engine(self.folder.path());
        let (account, manager) = (self.world.account(), self.world.manager());
        let watching = Watching::default();
        let outcome = engine.resume(&account, &needs.run, &manager, &watching).await;
        assert!(matches!(outcome, Ok(Outcome::Done(_))), "{what}: {outcome:?}");
        assert!(watching.words().contains(&"proved"), "{what}: {:?}", watching.words());
        let record = open_store(self.folder.path()).get(&self.world.reference()).await;
        let kept = record.map(|record| record.keys).unwrap_or_default();
        assert!(kept.iter().all(|key| key.secret.expose() != self.secret), "{what}");
        assert!(engine.unfinished().unwrap().is_empty(), "{what}");
    }
}

fn works_of(venue: Venue) -> Vec<Ends> {
    match venue.name() {
        "kalshi" => vec![Ends::Rotated, Ends::Revoked],
        _ => vec![Ends::Rotated, Ends::Replaced, Ends::Revoked],
    }
}

/// Whether a call ends the old key, or its secret.
fn is_end(method: &Method, path: &str) -> bool {
    *method == Method::DELETE && path.contains("key")
        || path.ends_with("/rotate")
        || path.ends_with("reset_api_key")
        || path.ends_with("remove_api_key")
}

/// From the moment in which the old key ends, everybody is answered so: an outage, a firewall, a proxy.
async fn everybody_is_refused(venue: Venue) {
    let fakes = NOTHING.into_iter().chain([unknown_key(venue)]).chain(of_another_kind(venue));
    for (number, fake) in fakes.enumerate() {
        let works = works_of(venue);
        let ends = works[number % works.len()];
        let what = format!("{venue} {ends:?} {fake:?}");
        let case = Case::new(venue, ends).await;
        let over = Arc::new(AtomicBool::new(false));
        let choose: Choose = Box::new(move |method, path, _| {
            let fake = over.load(Ordering::SeqCst).then_some(fake);
            over.fetch_or(is_end(method, path), Ordering::SeqCst);
            fake
        });
        let (_, account) = answering(&case.world, choose).await;
        let engine = engine(case.folder.path());
        let outcome = engine.run(&account, case.task(), &case.world.manager(), &Watching::default()).await;
        if ends == Ends::Replaced {
            // The new secret could not be verified, so that the run has not come to the proof.
            assert!(!matches!(outcome, Ok(Outcome::Done(_))), "{what}: {outcome:?}");
            let record = open_store(case.folder.path()).get(&case.world.reference()).await.unwrap();
            assert!(record.keys.iter().any(|key| key.secret.expose() == case.secret), "{what}");
            continue;
        }
        let needs = case.waits_for_a_person(outcome, &what).await;
        case.goes_on(&needs, &what).await;
    }
}

/// The venue is not asked to revoke, and only calls of the old key get this response.
async fn the_old_key_alone_is_refused(venue: Venue) {
    for (number, fake) in NOTHING.into_iter().chain(of_another_kind(venue)).enumerate() {
        let works: Vec<Ends> = works_of(venue).into_iter().filter(|ends| *ends != Ends::Replaced).collect();
        let ends = works[number % works.len()];
        let what = format!("{venue} {ends:?} {fake:?}");
        let case = Case::new(venue, ends).await;
        // The calls that end keys are answered as if that had happened.
        let choose: Choose = Box::new(move |method, path, _| {
            let done =
                if venue == Venue::DERIBIT { r#"{"jsonrpc":"2.0","result":"ok"}"# } else { r#"{"message":"done"}"# };
            (is_end(method, path) && !path.ends_with("rotate")).then_some((200, done))
        });
        let (between, account) = answering(&case.world, choose).await;
        between.answer_to(&case.public_id, fake);
        let engine = engine(case.folder.path());
        let outcome = engine.run(&account, case.task(), &case.world.manager(), &Watching::default()).await;
        let needs = case.waits_for_a_person(outcome, &what).await;
        case.goes_on(&needs, &what).await;
    }
}

/// A fault that lasts for one call is no proof either.
async fn a_refusal_that_passes_proves_nothing(venue: Venue) {
    let case = Case::new(venue, Ends::Revoked).await;
    let (once, fake) = (AtomicBool::new(false), unknown_key(venue));
    let over = AtomicBool::new(false);
    let choose: Choose = Box::new(move |method, path, _| {
        let is_next = over.load(Ordering::SeqCst) && !once.load(Ordering::SeqCst);
        if is_end(method, path) {
            over.store(true, Ordering::SeqCst);
            let done =
                if venue == Venue::DERIBIT { r#"{"jsonrpc":"2.0","result":"ok"}"# } else { r#"{"message":"done"}"# };
            return Some((200, done));
        }
        is_next.then(|| {
            once.store(true, Ordering::SeqCst);
            fake
        })
    });
    let (_, account) = answering(&case.world, choose).await;
    let engine = engine(case.folder.path());
    let outcome = engine.run(&account, case.task(), &case.world.manager(), &Watching::default()).await.unwrap();
    let Outcome::NeedsPerson(needs) = outcome else { panic!("{venue}: {outcome:?}") };
    assert!(needs.what.contains("still works"), "{needs:?}");
    assert!(open_store(case.folder.path()).get(&case.world.reference()).await.is_ok());
    case.goes_on(&needs, "once").await;
}

macro_rules! on_every_venue {
    ($($module:ident: $venue:ident;)*) => {$(
        mod $module {
            use venuekit_keys::Venue;

            #[tokio::test]
            async fn everybody_is_refused() {
                super::everybody_is_refused(Venue::$venue).await;
            }

            #[tokio::test]
            async fn the_old_key_alone_is_refused() {
                super::the_old_key_alone_is_refused(Venue::$venue).await;
            }

            #[tokio::test]
            async fn a_refusal_that_passes_proves_nothing() {
                super::a_refusal_that_passes_proves_nothing(Venue::$venue).await;
            }
        }
    )*};
}

on_every_venue! {
    bayse: BAYSE;
    deribit: DERIBIT;
    kalshi: KALSHI;
    yativo: YATIVO;
}

#[tokio::test]
async fn a_person_can_say_that_the_key_has_ended() {
    let case = Case::new(Venue::KALSHI, Ends::Revoked).await;
    let (account, manager, watching) = (case.world.account(), case.world.manager(), Watching::default());
    let over = AtomicBool::new(false);
    let choose: Choose = Box::new(move |method, path, _| {
        let fake = over.load(Ordering::SeqCst).then_some((401, "{}"));
        over.fetch_or(is_end(method, path), Ordering::SeqCst);
        fake
    });
    let (_, behind) = answering(&case.world, choose).await;
    let engine = engine(case.folder.path());
    let outcome = engine.run(&behind, case.task(), &manager, &watching).await;
    let needs = case.waits_for_a_person(outcome, "confirm").await;
    let outcome = engine.confirm_ended(&account, &needs.run, &manager, &watching).await.unwrap();
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert!(watching.words().contains(&"confirmed") && !watching.words().contains(&"proved"), "{:?}", watching.words());
    let gone = open_store(case.folder.path()).get(&case.world.reference()).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn nobody_confirms_an_end_that_was_not_asked_for() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let busy = Watching { refuses: true, ..Watching::default() };
    engine
        .run(&world.account(), Task::Create(world.create(Origin::Best)), &world.manager(), &Watching::default())
        .await
        .unwrap();
    let error = engine.run(&world.account(), Task::Rotate(world.rotate()), &world.manager(), &busy).await.unwrap_err();
    let run = error.run().unwrap();
    let error = engine.confirm_ended(&world.account(), run, &world.manager(), &busy).await.unwrap_err();
    assert_eq!(error.class(), Class::Usage, "{error}");
    assert!(error.help().unwrap().contains("resume"), "{error}");
}

/// The only key that manages an account has no witness: the venue's own response to its end is wanted as well.
#[tokio::test]
async fn the_last_key_is_not_taken_for_gone_by_refusals_alone() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    engine.adopt(&world.account(), &world.reference(), &world.first.credential(), &Watching::default()).await.unwrap();
    let over = AtomicBool::new(false);
    let choose: Choose = Box::new(move |method, _, _| {
        over.fetch_or(*method == Method::DELETE, Ordering::SeqCst);
        over.load(Ordering::SeqCst).then_some(unknown_key(Venue::KALSHI))
    });
    let (_, account) = answering(&world, choose).await;
    let last = Task::Revoke(Revoke { target: Target::Stored(world.reference()), last: true });
    let itself = Manager::Stored(world.reference());
    let outcome = engine.run(&account, last, &itself, &Watching::default()).await.unwrap();
    let Outcome::NeedsPerson(needs) = outcome else { panic!("{outcome:?}") };
    engine.verify(&world.account(), &world.reference()).await.unwrap();
    let outcome = engine.resume(&world.account(), &needs.run, &itself, &Watching::default()).await.unwrap();
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
}

/// A key that is not in the store ends by the list, and a list that anybody could have made shows nothing.
#[tokio::test]
async fn only_the_venues_own_list_shows_that_a_key_is_gone() {
    let lists = |venue: Venue| -> Vec<&'static str> {
        let mut lists =
            vec!["{}", "null", "[]", "<html></html>", r#"{"keys":[],"api_keys":[],"data":[]}"#, r#"{"result":[]}"#];
        lists.push(match venue.name() {
            "bayse" => r#"{"keys":[{"id":"other"}],"total":2}"#,
            "deribit" => r#"{"jsonrpc":"2.0","result":[{"id":99,"client_id":"other"}]}"#,
            "kalshi" => r#"{"api_keys":[{"api_key_id":"other"}]}"#,
            _ => r#"{"data":[{"id":"key_1","api_key":"other"}]}"#,
        });
        lists
    };
    for venue in common::VENUES {
        for list in lists(venue) {
            let case = Case::new(venue, Ends::Revoked).await;
            let engine = engine(case.folder.path());
            let (manager, account) = (case.world.manager(), case.world.account());
            let lines = engine.list(&account, &manager, &Watching::default()).await.unwrap();
            let id = lines.iter().find(|line| line.reference.is_some()).and_then(|line| line.id.clone()).unwrap();
            // Only the venue knows it now.
            engine.forget(&account, &case.world.reference()).await.unwrap();
            let over = AtomicBool::new(false);
            let choose: Choose = Box::new(move |method, path, _| {
                let done = if venue == Venue::DERIBIT {
                    r#"{"jsonrpc":"2.0","result":"ok"}"#
                } else {
                    r#"{"message":"done"}"#
                };
                if is_end(method, path) {
                    over.store(true, Ordering::SeqCst);
                    return Some((200, done));
                }
                let is_list = path.ends_with("keys") || path.ends_with("/apikey");
                (is_list && over.load(Ordering::SeqCst)).then_some((200, list))
            });
            let (_, behind) = answering(&case.world, choose).await;
            let revoke = Task::Revoke(Revoke { target: Target::Listed(id), last: false });
            let outcome = engine.run(&behind, revoke, &manager, &Watching::default()).await;
            let Ok(Outcome::NeedsPerson(needs)) = outcome else { panic!("{venue} {list}: {outcome:?}") };
            assert!(needs.what.contains("nothing proves"), "{venue} {list}: {needs:?}");
            let watching = Watching::default();
            engine.resume(&account, &needs.run, &manager, &watching).await.unwrap();
            assert!(watching.events.lock().unwrap().contains(&Event::Proved { tried: false }), "{venue} {list}");
        }
    }
}
