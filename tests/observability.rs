//! What a call reports to observers: one span with the outcome, and nothing of the content.

#[path = "common/canned.rs"]
mod canned;
#[path = "common/nowhere.rs"]
mod nowhere;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use canned::{Canned, Script, http};
use nowhere::Nowhere;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::transport::{
    ClientBuilder, Connect, Credentials, Debit, LocalBudget, RateBudget, RateFeedback, RateFuture, RateLimits, Refused,
    RetryPolicy,
};
use venuekit::{ErrorKind, bayse, deribit, kalshi, yativo};

type Fields = BTreeMap<String, String>;

/// Everything that was recorded, at every level and by every crate.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    spans: Vec<Seen>,
    events: Vec<Seen>,
}

/// A span or an event. An event's name is its message.
#[derive(Clone, Debug)]
struct Seen {
    name: String,
    target: String,
    fields: Fields,
    /// The span it is in, by its place among the spans.
    within: Option<usize>,
}

/// A span's place among all spans.
struct Place(usize);

struct Reader<'a>(&'a mut Fields);

impl Visit for Reader<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let within = span.parent().and_then(|parent| Some(parent.extensions().get::<Place>()?.0));
        let mut fields = Fields::new();
        attributes.record(&mut Reader(&mut fields));
        let mut recorded = self.0.lock().unwrap();
        span.extensions_mut().insert(Place(recorded.spans.len()));
        let (name, target) = (span.name().to_owned(), attributes.metadata().target().to_owned());
        recorded.spans.push(Seen { name, target, fields, within });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let place = span.extensions().get::<Place>().unwrap().0;
        values.record(&mut Reader(&mut self.0.lock().unwrap().spans[place].fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let within = context.event_span(event).and_then(|span| Some(span.extensions().get::<Place>()?.0));
        let mut fields = Fields::new();
        event.record(&mut Reader(&mut fields));
        let (name, target) = (fields.remove("message").unwrap_or_default(), event.metadata().target().to_owned());
        self.0.lock().unwrap().events.push(Seen { name, target, fields, within });
    }
}

impl Recorder {
    /// Records what this thread does from now on.
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let recorder = Self::default();
        let guard = tracing_subscriber::registry().with(recorder.clone()).set_default();
        (recorder, guard)
    }

    /// The calls so far, in the order in which they began.
    fn calls(&self) -> Vec<Fields> {
        let recorded = self.0.lock().unwrap();
        recorded.spans.iter().filter(|span| span.name == "call").map(|span| span.fields.clone()).collect()
    }

    /// The only call so far.
    fn call(&self) -> Fields {
        let calls = self.calls();
        let [call] = &calls[..] else { panic!("{calls:?}") };
        call.clone()
    }

    /// The transport's events of this name, each with the operation of the call that it happened in.
    fn events(&self, name: &str) -> Vec<(Fields, Option<String>)> {
        let recorded = self.0.lock().unwrap();
        let ours = |event: &&Seen| event.name == name && event.target.starts_with("venuekit");
        let operation = |event: &Seen| recorded.spans[event.within?].fields.get("operation").cloned();
        recorded.events.iter().filter(ours).map(|event| (event.fields.clone(), operation(event))).collect()
    }

    /// Every text, and where it was.
    fn texts(&self) -> Vec<String> {
        let recorded = self.0.lock().unwrap();
        recorded.spans.iter().chain(&recorded.events).map(|seen| format!("{seen:?}")).collect()
    }
}

/// A server that gives these responses in turn, the last one forever. An empty response is a connection that is closed.
async fn in_turn(answers: Vec<Vec<u8>>) -> Canned {
    let answers = Mutex::new(VecDeque::from(answers));
    let script: Script = Arc::new(move |_| {
        let mut answers = answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    });
    Canned::start(script).await
}

fn json(status: u16, body: &str) -> Vec<u8> {
    http(status, "application/json", body.as_bytes())
}

fn balance() -> Vec<u8> {
    json(200, r#"{"balance_dollars":"1.0000"}"#)
}

fn unavailable(status: u16, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Busy\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

/// Repeats as by default, only sooner.
fn quick() -> RetryPolicy {
    RetryPolicy { first_wait: Duration::from_millis(2), ..RetryPolicy::default() }
}

fn kalshi_at(url: &str, limits: RateLimits) -> kalshi::Client {
    let credentials = kalshi::Credentials::new("key-id", PrivateKey::generate(KeyKind::Ed25519).unwrap()).unwrap();
    let builder = kalshi::Client::builder(kalshi::Environment::Custom(url.to_owned())).credentials(credentials);
    builder.rate_limits(limits).retry(quick()).build().unwrap()
}

fn number(fields: &Fields, name: &str) -> u64 {
    let text = fields.get(name).unwrap_or_else(|| panic!("no {name} in {fields:?}"));
    text.parse().unwrap_or_else(|_| panic!("{name} is {text}"))
}

/// What a call's span says of itself, of how often it was sent, and of what came of it.
fn said(call: &Fields) -> [&str; 5] {
    let times = ["latency_ms", "waited_ms"].map(|name| number(call, name));
    assert!(times[0] >= times[1], "no call takes less time than it waits: {call:?}");
    ["venue", "operation", "attempts", "status", "kind"].map(|name| call.get(name).map_or("-", String::as_str))
}

#[tokio::test]
async fn a_call_is_one_span_that_tells_how_it_went() {
    let answers = vec![
        balance(),
        json(404, r#"{"error":{"code":"not_found","message":"x"}}"#),
        json(500, ""),
        unavailable(429, "retry-after: 3600\r\n"),
    ];
    let server = in_turn(answers).await;
    let client = kalshi_at(&server.base_url, RateLimits::new()).with_retry(RetryPolicy::none());
    let (recorder, _recording) = Recorder::start();
    client.get_balance().send().await.unwrap();
    for kind in [ErrorKind::NotFound, ErrorKind::Server, ErrorKind::RateLimited] {
        assert_eq!(client.get_balance().send().await.unwrap_err().kind(), kind);
    }
    // The bucket is closed now: this one is not sent.
    client.with_rate_wait(Duration::ZERO).get_markets().send().await.unwrap_err();
    // Nobody listens there.
    let reserved = Nowhere::new();
    let nowhere = format!("http://{}", reserved.address());
    let client = kalshi_at(&nowhere, RateLimits::new()).with_retry(RetryPolicy::none());
    client.cancel_order_v2().order_id("o-1").send().await.unwrap_err();
    // Nor is a call sent that has no credential.
    let anonymous = kalshi::Client::builder(kalshi::Environment::Custom(nowhere)).build().unwrap();
    anonymous.get_balance().send().await.unwrap_err();

    let calls = recorder.calls();
    let expected = [
        ["kalshi", "get_balance", "1", "200", "-"],
        ["kalshi", "get_balance", "1", "404", "NotFound"],
        ["kalshi", "get_balance", "1", "500", "Server"],
        ["kalshi", "get_balance", "1", "429", "RateLimited"],
        ["kalshi", "get_markets", "1", "-", "RateLimited"],
        ["kalshi", "cancel_order_v2", "1", "-", "Network"],
        ["kalshi", "get_balance", "0", "-", "Unauthorized"],
    ];
    assert_eq!(calls.iter().map(said).collect::<Vec<_>>(), expected);
    // Each ends with one event, inside of it and with the same names.
    let ends = ["answered", "failed"].map(|name| recorder.events(name));
    assert_eq!(ends.each_ref().map(Vec::len), [1, 6]);
    for (event, operation) in ends.iter().flatten() {
        assert_eq!((event.get("operation"), event["venue"].as_str()), (operation.as_ref(), "kalshi"), "{event:?}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_a_failure() {
    let server = in_turn(vec![json(200, "{")]).await;
    let (recorder, _recording) = Recorder::start();
    let error = kalshi_at(&server.base_url, RateLimits::new()).get_balance().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let failed: Vec<Fields> = recorder.events("failed").into_iter().map(|(event, _)| event).collect();
    let [event] = &failed[..] else { panic!("told of {} failures", failed.len()) };
    assert_eq!([&*event["operation"], &*event["kind"], &*event["status"]], ["get_balance", "Decode", "200"]);
}

#[tokio::test]
async fn every_venue_tells_its_own_name() {
    let server = in_turn(vec![json(500, "{}")]).await;
    let url = &server.base_url;
    let (recorder, _recording) = Recorder::start();
    kalshi_at(url, RateLimits::new()).get_exchange_status().send().await.unwrap_err();
    let bayse = bayse::Client::builder(bayse::Environment::Custom(url.clone())).build().unwrap();
    bayse.get_health().send().await.unwrap_err();
    let yativo = yativo::Client::builder(yativo::Environment::Custom(url.clone()));
    let yativo = yativo.credentials(yativo::Credentials::token("t0ken").unwrap()).build().unwrap();
    yativo.list_accounts().send().await.unwrap_err();
    let deribit = deribit::Client::builder(deribit::Environment::Custom(url.clone())).build().unwrap();
    deribit.get_time().send().await.unwrap_err();
    let names: Vec<_> =
        recorder.calls().iter().map(|call| [call["venue"].clone(), call["operation"].clone()]).collect();
    let expected = [
        ["kalshi", "get_exchange_status"],
        ["bayse", "get_health"],
        ["yativo", "list_accounts"],
        ["deribit", "get_time"],
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_repeated_call_is_one_span_with_both_attempts() {
    // The venue asks for a wait, so that there is one to be seen.
    let server = in_turn(vec![unavailable(503, "retry-after: 0.05\r\n"), balance()]).await;
    let client = kalshi_at(&server.base_url, RateLimits::new());
    let (recorder, _recording) = Recorder::start();
    client.get_balance().send().await.unwrap();
    let call = recorder.call();
    assert_eq!(said(&call), ["kalshi", "get_balance", "2", "200", "-"]);
    assert!(number(&call, "waited_ms") >= 50, "{call:?}");
    let repeated = recorder.events("repeating");
    let [(event, within)] = &repeated[..] else { panic!("{repeated:?}") };
    assert_eq!((event["attempt"].as_str(), event["kind"].as_str()), ("1", "Maintenance"), "{event:?}");
    assert_eq!(within.as_deref(), Some("get_balance"));
    assert_eq!(recorder.events("answered").len(), 1);
}

#[tokio::test]
async fn a_call_that_fails_for_good_tells_its_last_answer() {
    let server = in_turn(vec![unavailable(503, ""), Vec::new(), json(502, ""), unavailable(503, "")]).await;
    let (recorder, _recording) = Recorder::start();
    let error = kalshi_at(&server.base_url, RateLimits::new()).get_balance().send().await.unwrap_err();
    assert_eq!(error.attempts(), 4);
    assert_eq!(said(&recorder.call()), ["kalshi", "get_balance", "4", "503", "Maintenance"]);
    let kinds: Vec<String> = recorder.events("repeating").iter().map(|(event, _)| event["kind"].clone()).collect();
    assert_eq!(kinds, ["Maintenance", "Network", "Server"]);
}

/// Lets every call through after a while.
#[derive(Debug, Default)]
struct Slow(LocalBudget);

impl RateBudget for Slow {
    fn take<'a>(&'a self, debit: &'a Debit, longest: Duration) -> RateFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(40)).await;
            self.0.take(debit, longest).await
        })
    }

    fn learn<'a>(&'a self, debit: &'a Debit, told: RateFeedback) -> RateFuture<'a, ()> {
        self.0.learn(debit, told)
    }
}

#[tokio::test]
async fn waiting_for_the_limit_is_waiting() {
    let server = in_turn(vec![unavailable(503, ""), balance()]).await;
    let client = kalshi_at(&server.base_url, RateLimits::shared(Slow::default()));
    let (recorder, _recording) = Recorder::start();
    client.get_balance().send().await.unwrap();
    let call = recorder.call();
    assert_eq!(call["attempts"], "2");
    assert!(number(&call, "waited_ms") >= 80, "both attempts waited: {call:?}");
}

#[tokio::test]
async fn a_login_is_a_span_of_its_own_within_the_call_that_needs_it() {
    let token = json(200, r#"{"access_token":"t0ken","expires_in":3600}"#);
    let server = in_turn(vec![token, json(200, r#"{"status":true,"data":[]}"#)]).await;
    let credentials = yativo::Credentials::api_key("key", "secret").unwrap();
    let environment = yativo::Environment::Custom(server.base_url.clone());
    let client = yativo::Client::builder(environment).credentials(credentials).build().unwrap();
    let (recorder, _recording) = Recorder::start();
    client.list_accounts().send().await.unwrap();
    client.list_accounts().send().await.unwrap();
    let calls = recorder.calls();
    let expected = [
        ["yativo", "list_accounts", "1", "200", "-"],
        ["yativo", "exchange_api_key_for_token", "1", "200", "-"],
        ["yativo", "list_accounts", "1", "200", "-"],
    ];
    assert_eq!(calls.iter().map(said).collect::<Vec<_>>(), expected);
    let recorded = recorder.0.lock().unwrap();
    let login = recorded.spans.iter().find(|span| span.fields.get("operation").is_some_and(|id| id.contains("token")));
    let outer = &recorded.spans[login.and_then(|login| login.within).expect("it is in another span")];
    assert_eq!(outer.fields["operation"], "list_accounts");
}

/// What stands in every secret, parameter, header and body.
const MARKER: &str = "MARKERsecretMARKER";

/// A client that neither waits for limits nor long for anything else.
fn hasty<C: Connect>(builder: ClientBuilder<C>, credentials: impl Into<Credentials>) -> C {
    builder.credentials(credentials).rate_limits(RateLimits::none()).retry(quick()).build().unwrap()
}

/// Calls that carry the marker wherever a call can carry something, and get it back. Returns what arrived.
async fn calls_with_the_marker(answer: Vec<u8>) -> Vec<canned::Seen> {
    let server = in_turn(vec![answer]).await;
    let url = &server.base_url;
    // Root certificates take long to load, and nothing here is TLS.
    fn quick<C: Connect>(builder: ClientBuilder<C>) -> ClientBuilder<C> {
        builder.http_client(|http| http.tls_certs_only([]))
    }
    let with_marker = |text: &str| text.replace('*', MARKER);

    let kalshi = kalshi_at(url, RateLimits::none());
    let _ = kalshi.get_markets().cursor(MARKER).send().await;
    let _ = kalshi.get_order().order_id(with_marker("o-*")).send().await;
    let _ = kalshi.cancel_order_v2().order_id(with_marker("o-*")).send().await;
    let pem = with_marker("-----BEGIN PUBLIC KEY-----*");
    let _ = kalshi.create_api_key().body_map(|key| key.name(MARKER).public_key(pem)).send().await;
    let _ = kalshi.generate_api_key().body_map(|key| key.name(MARKER)).send().await;

    let builder = || quick(bayse::Client::builder(bayse::Environment::Custom(url.clone())));
    let credentials = bayse::Credentials::session(MARKER, MARKER).unwrap().and_api_key(MARKER, MARKER).unwrap();
    let bayse = hasty(builder(), credentials);
    let _ = bayse.login().body_map(|body| body.email(with_marker("*@example.com")).password(MARKER)).send().await;
    let _ = bayse.list_events().category(MARKER).send().await;
    let cancel = bayse.batch_cancel_orders().idempotency_key(MARKER);
    let _ = cancel.body_map(|body| body.order_ids([MARKER])).send().await;
    let _ = bayse.create_api_key().body_map(|key| key.name(MARKER)).send().await;
    let bayse = hasty(builder(), bayse::Credentials::login(with_marker("*@example.com"), MARKER).unwrap());
    let _ = bayse.list_api_keys().send().await;

    for credentials in [
        yativo::Credentials::api_key(MARKER, MARKER),
        yativo::Credentials::token(MARKER),
        yativo::Credentials::key_headers(MARKER, MARKER),
    ] {
        let builder = quick(yativo::Client::builder(yativo::Environment::Custom(url.clone())));
        let yativo = hasty(builder, credentials.unwrap());
        let _ = yativo.get_transaction().body_map(|body| body.transaction_id(MARKER)).send().await;
        let _ = yativo.with_code(MARKER).create_api_key().body_map(|key| key.key_name(MARKER)).send().await;
    }

    for credentials in [
        deribit::Credentials::secret(MARKER, MARKER),
        deribit::Credentials::basic(MARKER, MARKER),
        deribit::Credentials::token(MARKER),
        deribit::Credentials::login(MARKER, MARKER),
    ] {
        let builder = quick(deribit::Client::builder(deribit::Environment::Custom(url.clone())));
        let deribit = hasty(builder, credentials.unwrap());
        let _ = deribit.buy().body_map(|order| order.instrument_name(MARKER).amount("10").label(MARKER)).send().await;
        if let Err(error) = deribit.list_api_keys().send().await
            && let Some(challenge) = error.challenge()
        {
            let _ = deribit.confirm(challenge, MARKER).list_api_keys().send().await;
        }
    }
    server.seen()
}

#[tokio::test]
async fn nothing_that_a_call_carries_is_told() {
    let (recorder, _recording) = Recorder::start();
    tracing::trace!(control = MARKER, "the control");
    let marked = |recorder: &Recorder| -> Vec<String> {
        recorder.texts().into_iter().filter(|text| text.contains(MARKER)).collect()
    };
    assert_eq!(marked(&recorder).len(), 1, "what is told is found");

    let texts = r#""message":"*","code":"*","error":"*","detail":"*","token":"*","deviceId":"*","access_token":"*","refresh_token":"*""#;
    let texts = texts.replace('*', MARKER);
    let nested = format!(r#"{{{texts},"error":{{{texts},"data":{{"reason":"{MARKER}"}}}}}}"#);
    let challenge = format!(r#"{{"security_key_authorization_required":true,"challenge":"{MARKER}"}}"#);
    let headers =
        format!("x-trace-id: {MARKER}\r\nretry-after: {MARKER}\r\ndate: {MARKER}\r\nset-cookie: {MARKER}\r\n");
    let refused = format!("HTTP/1.1 401 {MARKER}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n");
    let answers = [
        json(200, &format!("{{{texts}}}")),
        json(200, &format!(r#"{{"jsonrpc":"2.0","result":{{{texts}}}}}"#)),
        json(200, &format!(r#"{{"jsonrpc":"2.0","result":{challenge}}}"#)),
        json(200, MARKER),
        json(400, &nested),
        json(401, &nested),
        json(429, &format!("{{{texts}}}")),
        json(500, &format!("{{{texts}}}")),
        json(503, &nested),
        http(502, "text/html", MARKER.as_bytes()),
        refused.into_bytes(),
        format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/{MARKER}\r\ncontent-length: 0\r\n\r\n")
            .into_bytes(),
        format!("{MARKER}\r\n\r\n").into_bytes(),
        Vec::new(),
    ];
    let rounds = answers.len();
    for answer in answers {
        let seen = calls_with_the_marker(answer).await;
        let (heads, bodies) = (
            seen.iter().filter(|seen| seen.head.contains(MARKER)).count(),
            seen.iter().filter(|seen| String::from_utf8_lossy(&seen.body).contains(MARKER)).count(),
        );
        assert!(heads > 10 && bodies > 10, "{heads} heads and {bodies} bodies of {} carry it", seen.len());
    }
    // Every call was watched, and those that failed were reported.
    let (calls, failed) = (recorder.calls().len(), recorder.events("failed").len());
    assert!(calls > rounds * 20 && failed > rounds * 10 && failed <= calls, "{failed} of {calls} failed");
    assert_eq!(marked(&recorder)[1..], [] as [String; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_told_and_not_what_was_answered() {
    // As long as a thread is at work, the clock moves by `advance` only.
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || is_over.recv());
    let listed = json(200, r#"{"status":true,"data":[]}"#);
    let token = json(200, r#"{"access_token":"t0ken","expires_in":3600}"#);
    let refused = json(403, &format!(r#"{{"error":"forbidden","message":"{MARKER}"}}"#));
    let server = in_turn(vec![token, listed.clone(), refused, listed]).await;
    let builder = yativo::Client::builder(yativo::Environment::Custom(server.base_url.clone()));
    let client = hasty(builder, yativo::Credentials::api_key("key", "secret").unwrap());
    let (recorder, _recording) = Recorder::start();
    client.list_accounts().send().await.unwrap();
    tokio::time::advance(Duration::from_secs(3590)).await;
    // A call that has no time left is not sent, and the renewal begins.
    let error = client.with_timeout(Duration::ZERO).list_accounts().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let told = || recorder.events("could not renew the token before it expires");
    while told().is_empty() {
        tokio::task::yield_now().await;
    }
    client.list_accounts().send().await.unwrap();
    let told = told();
    let [(event, within)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((event["kind"].as_str(), within.as_deref()), ("Forbidden", None), "it is no call's");
    assert!(recorder.texts().iter().all(|text| !text.contains(MARKER)), "{:?}", recorder.texts());
    drop(over);
}

#[cfg(feature = "metrics")]
mod counted {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

    use super::*;

    /// Counts, and of each histogram how often and what sum, by name and labels.
    fn measured(snapshotter: &Snapshotter) -> BTreeMap<String, (u64, f64)> {
        let metrics = snapshotter.snapshot().into_vec().into_iter();
        metrics
            .map(|(key, _, _, value)| {
                let key = key.key();
                let mut labels: Vec<String> = key.labels().map(|l| format!("{}={}", l.key(), l.value())).collect();
                labels.sort();
                let value = match value {
                    DebugValue::Counter(count) => (count, 0.0),
                    DebugValue::Histogram(values) => (values.len() as u64, values.iter().map(|v| v.into_inner()).sum()),
                    DebugValue::Gauge(_) => panic!("{key} is a gauge"),
                };
                (format!("{} {}", key.name(), labels.join(" ")), value)
            })
            .collect()
    }

    async fn some_calls() {
        let missing = json(404, &format!(r#"{{"error":{{"code":"not_found","message":"{MARKER}"}}}}"#));
        let other = json(200, r#"{"balance":{}}"#);
        let server =
            in_turn(vec![balance(), unavailable(503, "retry-after: 0.05\r\n"), balance(), other, missing]).await;
        let client = kalshi_at(&server.base_url, RateLimits::new());
        for _ in 0..2 {
            client.get_balance().send().await.unwrap();
        }
        // A response that is no such thing, and none.
        client.get_balance().send().await.unwrap_err();
        client.get_balance().send().await.unwrap_err();
        client.cancel_order_v2().order_id("o-1").send().await.unwrap_err();
        // Held back, and counted as well.
        let bayse = bayse::Client::builder(bayse::Environment::Custom(server.base_url.clone())).build().unwrap();
        for _ in 0..2 {
            let call = bayse.login().body_map(|body| body.email("me@example.com").password(MARKER));
            call.send().await.unwrap_err();
        }
    }

    #[test]
    fn calls_attempts_and_times_are_counted_by_name_and_outcome() {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        metrics::with_local_recorder(&recorder, || runtime.block_on(some_calls()));
        let measured = measured(&snapshotter);
        let counts: Vec<(&str, u64)> = measured.iter().map(|(name, (count, _))| (name.as_str(), *count)).collect();
        let expected = [
            ("venuekit_attempts_total operation=cancel_order_v2 venue=kalshi", 1),
            ("venuekit_attempts_total operation=get_balance venue=kalshi", 5),
            ("venuekit_attempts_total operation=login venue=bayse", 2),
            ("venuekit_call_seconds operation=cancel_order_v2 outcome=NotFound venue=kalshi", 1),
            ("venuekit_call_seconds operation=get_balance outcome=NotFound venue=kalshi", 1),
            ("venuekit_call_seconds operation=get_balance outcome=ok venue=kalshi", 3),
            ("venuekit_call_seconds operation=login outcome=NotFound venue=bayse", 1),
            ("venuekit_call_seconds operation=login outcome=RateLimited venue=bayse", 1),
            ("venuekit_calls_total operation=cancel_order_v2 outcome=NotFound venue=kalshi", 1),
            ("venuekit_calls_total operation=get_balance outcome=NotFound venue=kalshi", 1),
            ("venuekit_calls_total operation=get_balance outcome=ok venue=kalshi", 3),
            ("venuekit_calls_total operation=login outcome=NotFound venue=bayse", 1),
            ("venuekit_calls_total operation=login outcome=RateLimited venue=bayse", 1),
            ("venuekit_unreadable_total operation=get_balance venue=kalshi", 1),
            ("venuekit_waited_seconds operation=cancel_order_v2 venue=kalshi", 1),
            ("venuekit_waited_seconds operation=get_balance venue=kalshi", 4),
            ("venuekit_waited_seconds operation=login venue=bayse", 2),
        ];
        assert_eq!(counts, expected);
        let sum = |name: &str| measured[name].1;
        let waited = sum("venuekit_waited_seconds operation=get_balance venue=kalshi");
        let took = sum("venuekit_call_seconds operation=get_balance outcome=ok venue=kalshi");
        assert!(waited >= 0.05 && took >= 0.05, "{waited} and {took}");
    }
}

#[tokio::test]
async fn a_call_that_its_caller_gives_up_is_told() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let client = kalshi_at(&url, RateLimits::new());
    let (recorder, _recording) = Recorder::start();
    let call = client.get_balance().send();
    tokio::time::timeout(Duration::from_millis(50), call).await.map(drop).unwrap_err();
    let abandoned: Vec<Fields> = recorder.events("abandoned").into_iter().map(|(event, _)| event).collect();
    let [event] = &abandoned[..] else { panic!("told of {} such calls", abandoned.len()) };
    assert_eq!([&*event["venue"], &*event["operation"]], ["kalshi", "get_balance"]);
}
