//! Every operation of every venue against answers that are valid, that differ as they may, that fail, and that make no sense.
//! No secret shows anywhere, and no answer that an honest venue could give is refused.

mod calls;
#[path = "../common/canned.rs"]
mod canned;
mod example;

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use calls::Call;
use canned::{Canned, Script, Seen, http};
use example::{MARKER, Shape, Spec};
use serde_json::{Value, json};
use venuekit::wire::operation::{Errors, Operation, Protocol, Retry, Venue};
use venuekit::{Error, ErrorKind, bayse, deribit, kalshi, yativo};

/// Everything that any crate has logged, down to the finest level.
static LOG: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || Writer(writer.clone()))
        .init();
    log
});

struct Writer(Arc<Mutex<Vec<u8>>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The PEM of a key that is made for this run; a line of it must not show.
static KEY: LazyLock<(venuekit::auth::PrivateKey, String)> = LazyLock::new(|| {
    let key = venuekit::auth::PrivateKey::generate(venuekit::auth::KeyKind::Ed25519).unwrap();
    let pem = key.private_key_pem();
    let line = pem.expose().lines().nth(1).unwrap().to_owned();
    (key, line)
});

fn assert_no_secret(what: &str, text: &str) {
    assert!(!text.contains(MARKER), "{what} shows the marker: {text}");
    assert!(!text.contains(&KEY.1), "{what} shows the private key: {text}");
}

/// A venue under test: its table, its lowered spec, and its calls against a base URL.
struct Subject {
    venue: &'static Venue,
    spec: Spec,
    run: fn(String) -> Runs,
}

/// The outcomes of every call, by operation.
type Runs = std::pin::Pin<Box<dyn Future<Output = Vec<(&'static str, Result<String, Error>)>>>>;

async fn all(calls: Vec<(&'static str, Call<'_>)>) -> Vec<(&'static str, Result<String, Error>)> {
    let mut outcomes = Vec::new();
    for (id, call) in calls {
        outcomes.push((id, call.await));
    }
    outcomes
}

fn subjects() -> Vec<Subject> {
    vec![
        Subject {
            venue: &kalshi::VENUE,
            spec: Spec::of("kalshi"),
            run: |url| {
                Box::pin(async {
                    let credentials = kalshi::Credentials::new("key-id", KEY.0.clone()).unwrap();
                    let builder = kalshi::Client::builder(kalshi::Environment::Custom(url)).credentials(credentials);
                    let client = builder.build().unwrap();
                    assert_no_secret("Debug of the client", &format!("{client:?}"));
                    all(calls::kalshi(&client)).await
                })
            },
        },
        Subject {
            venue: &bayse::VENUE,
            spec: Spec::of("bayse"),
            run: |url| {
                Box::pin(async {
                    let credentials = bayse::Credentials::api_key(MARKER, MARKER).unwrap();
                    let credentials = credentials.and_session(MARKER, MARKER).unwrap();
                    let builder = bayse::Client::builder(bayse::Environment::Custom(url)).credentials(credentials);
                    let client = builder.build().unwrap();
                    assert_no_secret("Debug of the client", &format!("{client:?}"));
                    all(calls::bayse(&client)).await
                })
            },
        },
        Subject {
            venue: &yativo::VENUE,
            spec: Spec::of("yativo"),
            run: |url| {
                Box::pin(async {
                    let credentials = yativo::Credentials::token(MARKER).unwrap();
                    let builder = yativo::Client::builder(yativo::Environment::Custom(url)).credentials(credentials);
                    let client = builder.build().unwrap();
                    assert_no_secret("Debug of the client", &format!("{client:?}"));
                    all(calls::yativo(&client)).await
                })
            },
        },
        Subject {
            venue: &deribit::VENUE,
            spec: Spec::of("deribit"),
            run: |url| {
                Box::pin(async {
                    let credentials = deribit::Credentials::secret("me", MARKER).unwrap();
                    let builder = deribit::Client::builder(deribit::Environment::Custom(url)).credentials(credentials);
                    let client = builder.build().unwrap();
                    assert_no_secret("Debug of the client", &format!("{client:?}"));
                    all(calls::deribit(&client)).await
                })
            },
        },
    ]
}

/// The operation that a request is for.
fn operation_of(venue: &'static Venue, seen: &Seen) -> &'static Operation {
    let mut words = seen.head.split_whitespace();
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let path = target.split('?').next().unwrap();
    let fits = |template: &str| {
        let (a, b): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        a.len() == b.len() && a.iter().zip(&b).all(|(want, got)| want.starts_with('{') || want == got)
    };
    let found = venue.operations.iter().filter(|operation| operation.method == method && fits(operation.path));
    // Of `/orders/batch` and `/orders/{id}` the literal one is meant.
    found.min_by_key(|operation| operation.path.matches('{').count()).unwrap_or_else(|| panic!("{method} {path}"))
}

/// Runs every call of a venue against a server that answers as `reply` says, and looks for secrets everywhere.
async fn run(
    subject: &Subject,
    reply: impl Fn(&'static Operation, &Seen) -> Vec<u8> + Send + Sync + 'static,
) -> Vec<(&'static Operation, Result<String, Error>)> {
    LazyLock::force(&LOG);
    let venue = subject.venue;
    let script: Script = Arc::new(move |seen| reply(operation_of(venue, seen), seen));
    let server = Canned::start(script).await;
    let outcomes = (subject.run)(server.base_url.clone()).await;
    let called: BTreeSet<&str> = outcomes.iter().map(|(id, _)| *id).collect();
    let known: BTreeSet<&str> = venue.operations.iter().map(|operation| operation.id).collect();
    assert_eq!(called, known, "every operation of {} has a call", venue.name);
    for seen in server.seen() {
        assert_no_secret("the URL", seen.head.lines().next().unwrap());
    }
    for (id, outcome) in &outcomes {
        match outcome {
            Ok(shown) => assert_no_secret(id, shown),
            Err(error) => assert_no_secret(id, &format!("{error} {error:?} {error:#?} {:?}", sources(error))),
        }
    }
    let log = String::from_utf8_lossy(&LOG.lock().unwrap()).into_owned();
    assert_no_secret("the log", &log);
    assert!(known.iter().all(|id| log.contains(id)), "the log that is searched has every call");
    let by_id = |id| venue.operation(id).unwrap();
    outcomes.into_iter().map(|(id, outcome)| (by_id(id), outcome)).collect()
}

fn sources(error: &Error) -> Vec<String> {
    let mut texts = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        texts.push(format!("{inner} {inner:?}"));
        source = inner.source();
    }
    texts
}

/// A good answer, in the envelope that the venue's protocol asks for.
fn good(venue: &Venue, seen: &Seen, body: Option<&str>) -> Vec<u8> {
    match (venue.protocol, body) {
        (Protocol::Rest, None) => http(204, "text/plain", b""),
        (Protocol::Rest, Some(body)) => http(200, "application/json", body.as_bytes()),
        (Protocol::JsonRpc, body) => {
            let request: Value = serde_json::from_slice(&seen.body).expect("an envelope");
            let body = body.unwrap_or("null");
            let id = &request["id"];
            let text = format!(
                r#"{{"jsonrpc":"2.0","id":{id},"result":{body},"usIn":1,"usOut":3,"usDiff":2,"testnet":true}}"#
            );
            http(200, "application/json", text.as_bytes())
        }
    }
}

/// What every call returns when each answer is an example of that shape.
async fn answers(subject: &Subject, shape: Shape) -> Vec<(&'static Operation, Result<String, Error>)> {
    let venue = subject.venue;
    let examples: std::collections::HashMap<&str, Option<String>> = venue
        .operations
        .iter()
        .map(|operation| {
            let answer = subject.spec.answer(operation.path, operation.method, shape);
            (operation.id, answer.map(|answer| answer.to_string()))
        })
        .collect();
    run(subject, move |operation, seen| good(venue, seen, examples[operation.id].as_deref())).await
}

#[tokio::test]
async fn every_honest_answer_is_read() {
    for subject in subjects() {
        let plain = answers(&subject, Shape::Full).await;
        let shapes =
            [Shape::Minimal, Shape::ExtraField, Shape::UnknownEnum, Shape::Null, Shape::EmptyLists, Shape::OtherForm];
        for shape in shapes {
            for ((operation, outcome), (_, plain)) in answers(&subject, shape).await.iter().zip(&plain) {
                let what = format!("{} {} with {shape:?}", subject.venue.name, operation.id);
                let shown = outcome.as_ref().unwrap_or_else(|error| panic!("{what}: {error}"));
                // A new field changes nothing, and neither does the form in which a number came.
                if matches!(shape, Shape::ExtraField | Shape::OtherForm) {
                    assert_eq!(shown, plain.as_ref().unwrap(), "{what}");
                }
                let knows_it = shown.contains("Unknown(\"something_new\")");
                let has_enum = plain.as_ref().unwrap().contains("Known(");
                assert_eq!(knows_it, shape == Shape::UnknownEnum && has_enum, "{what}: {shown}");
            }
        }
    }
}

/// An error body in which every place that the venue's errors are read from echoes the caller's secret.
fn echo(errors: &Errors) -> Value {
    let mut body = json!({});
    for place in [errors.message, errors.detail, errors.param].concat() {
        let mut at = &mut body;
        let steps: Vec<&str> = place[1..].split('/').collect();
        let (last, above) = steps.split_last().unwrap();
        for step in above {
            if !at[*step].is_object() {
                at[*step] = json!({});
            }
            at = &mut at[*step];
        }
        if at[*last].is_null() {
            at[*last] = json!(format!("refused {MARKER} as given"));
        }
    }
    body
}

#[tokio::test]
async fn a_refusal_is_typed_and_echoes_no_secret() {
    // Kalshi's requests carry nothing that it could echo: its secret never leaves this machine.
    for subject in subjects().into_iter().filter(|subject| subject.venue.name != "kalshi") {
        let venue = subject.venue;
        let body = echo(&venue.errors);
        let outcomes = run(&subject, move |_, _| {
            let body = match venue.protocol {
                Protocol::Rest => body.clone(),
                Protocol::JsonRpc => json!({"jsonrpc": "2.0", "id": 1, "error": body}),
            };
            http(401, "application/json", body.to_string().as_bytes())
        })
        .await;
        for (operation, outcome) in outcomes {
            let error = outcome.expect_err(operation.id);
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
            assert_eq!(error.status().unwrap(), 401);
            assert!(!error.may_have_been_applied(), "{error}");
            assert!(error.message().starts_with("refused"), "{error}");
        }
    }
}

#[tokio::test]
async fn an_answer_of_no_sense_is_a_clear_error_and_loses_nothing() {
    let page = format!("<html><body>{MARKER}</body></html>");
    let cases: Vec<(&str, u16, &str, Vec<u8>)> = vec![
        ("truncated", 200, "application/json", Vec::new()),
        ("empty", 200, "application/json", Vec::new()),
        ("a page", 200, "text/html", page.clone().into_bytes()),
        ("a page with 502", 502, "text/html", page.into_bytes()),
        ("not UTF-8", 200, "application/json", [b"[[\"", MARKER.as_bytes(), b"\xff\xfe\"]]"].concat()),
        ("another type", 200, "application/json", format!("[[\"{MARKER}\"]]").into_bytes()),
        ("a text", 200, "application/json", format!("\"{MARKER}").into_bytes()),
    ];
    for subject in subjects() {
        let venue = subject.venue;
        let full: std::collections::HashMap<&str, String> = venue
            .operations
            .iter()
            .filter_map(|operation| {
                Some((operation.id, subject.spec.answer(operation.path, operation.method, Shape::Full)?.to_string()))
            })
            .collect();
        for (name, status, kind, body) in cases.clone() {
            let full = full.clone();
            let outcomes = run(&subject, move |operation, seen| match full.get(operation.id) {
                Some(answer) if name == "truncated" => {
                    let whole = good(venue, seen, Some(answer));
                    let text = String::from_utf8(whole).unwrap();
                    let body = text.split_once("\r\n\r\n").unwrap().1;
                    http(status, kind, &body.as_bytes()[..body.len() - 1])
                }
                _ => http(status, kind, &body),
            })
            .await;
            for (operation, outcome) in outcomes {
                let what = format!("{} {} {name}", venue.name, operation.id);
                let typed = subject.spec.answer(operation.path, operation.method, Shape::Full).is_some();
                let error = match outcome {
                    Err(error) => error,
                    // Where the spec knows no body, none is read.
                    Ok(_) => {
                        assert!(!typed && status == 200, "{what}");
                        continue;
                    }
                };
                let expected = if status == 502 { ErrorKind::Server } else { ErrorKind::Decode };
                assert_eq!(error.kind(), expected, "{what}: {error}");
                assert_eq!(error.may_have_been_applied(), operation.retry != Retry::Safe, "{what}: {error}");
                // What may hold a one-time secret is kept, and only under seal.
                if operation.secret && name != "empty" {
                    assert!(error.raw_body().is_none(), "{what}");
                    assert!(error.sealed_body().unwrap().expose().contains(MARKER) || name == "truncated", "{what}");
                }
            }
        }
    }
}

#[test]
fn a_request_that_is_being_built_shows_no_secret() {
    let url = || "http://127.0.0.1:9".to_owned();
    let bayse = bayse::Client::builder(bayse::Environment::Custom(url())).build().unwrap();
    let deribit = deribit::Client::builder(deribit::Environment::Custom(url())).build().unwrap();
    let yativo = yativo::Client::builder(yativo::Environment::Custom(url())).build().unwrap().with_code(MARKER);
    let shown = [
        format!("{:?}", bayse.login().body_map(|body| body.email("me").password(MARKER))),
        format!(
            "{:?}",
            deribit.auth().body_map(|body| body.client_secret(MARKER).refresh_token(MARKER).signature(MARKER))
        ),
        format!("{:?}", yativo.exchange_api_key_for_token().body_map(|body| body.api_key("key").api_secret(MARKER))),
        format!("{yativo:?}"),
    ];
    for text in shown {
        assert!(text.contains("Session"), "it is shown at all: {text}");
        assert_no_secret("a builder", &text);
    }
}

#[tokio::test]
async fn a_token_that_was_fetched_is_not_echoed_either() {
    let script: Script = Arc::new(|seen| match seen.head.starts_with("POST /auth/token ") {
        true => {
            http(200, "application/json", json!({"access_token": MARKER, "expires_in": 3600}).to_string().as_bytes())
        }
        false => {
            http(403, "application/json", json!({"error": format!("no scope for {MARKER}")}).to_string().as_bytes())
        }
    });
    let server = Canned::start(script).await;
    let credentials = yativo::Credentials::api_key("key", "secret").unwrap();
    let environment = yativo::Environment::Custom(server.base_url.clone());
    let client = yativo::Client::builder(environment).credentials(credentials).build().unwrap();
    let error = client.list_accounts().send().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Forbidden, "no scope for [redacted]"));
    assert_no_secret("the error", &format!("{error} {error:?}"));
}
