//! Requests that are signed in their query or their form, what they cost, and what the client makes of bans, clocks and unknown outcomes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use venuekit_auth::described::{DescribedSigner, SigningKey};
use venuekit_transport::carrier::{Carrier, CarrierFuture, CarrierRequest, RawResponse, SendError};
use venuekit_transport::client::{Call, JsonBody, Session};
use venuekit_transport::{
    ClientBuilder, Connect, Credentials, Debit, Error, ErrorKind, RateBudget, RateFeedback, RateFuture, RateLimits,
    RetryPolicy,
};
use venuekit_wire::credentials::{CredentialRules, Probe, Probes, Symptoms};
use venuekit_wire::operation::{
    Bucket, ClientHeader, CostRule, CostWhen, ErrorText, Errors, Limit, Operation, Rate, RateHeaders, Reconcile, Retry,
    Tier, Venue, VenueTime,
};
use venuekit_wire::server::Server;
use venuekit_wire::signature::{Algorithm, Encoding, KeyType, Piece, Place, Signature, SigningRule, TimeUnit};

static SIGNATURE: Signature = Signature {
    name: "signature",
    text: &[Piece::Query, Piece::Body],
    separator: "",
    end: "",
    time: TimeUnit::Millis,
    ahead_millis: 0,
    keys: &[SigningRule {
        key: KeyType::Shared,
        algorithm: Algorithm::HmacSha256,
        encoding: Encoding::Hex,
        is_unsure: false,
    }],
    fields: &[("x-key", "{id}")],
    place: Place::Headers,
    adds: &[("recvWindow", "5000"), ("timestamp", "{time}"), ("signature", "{signature}")],
};

const SIGNED: Operation = Operation { access: &[&["signature"]], ..Operation::EMPTY };
const TIME: Option<VenueTime> = Some(VenueTime { at: "/serverTime", per_second: 1000 });

const fn window(count: u64, seconds: u64) -> Limit {
    Limit::Window { count, seconds }
}

static VENUE: Venue = Venue {
    name: "venue",
    servers: &[Server {
        environment: "test",
        url: "https://test.venue.test/api",
        hosts: &[],
        key_page: None,
        serves: &["/order", "/time"],
    }],
    operations: &[
        Operation { id: "account", path: "/s/account", rate: &[Rate::new("paths", 1)], ..SIGNED },
        Operation {
            id: "depth",
            path: "/depth",
            rate: &[Rate::new("weight", 5).unless(&[
                CostRule { when: CostWhen::Above("limit", 100), cost: 25 },
                CostRule { when: CostWhen::Above("limit", 500), cost: 50 },
            ])],
            venue_time: TIME,
            ..Operation::EMPTY
        },
        Operation {
            id: "new_order",
            path: "/order",
            method: "POST",
            retry: Retry::Never,
            rate: &[Rate::new("weight", 1), Rate::new("orders", 1)],
            reconcile: Some(Reconcile { operation: "order", by: &["origId"] }),
            form: true,
            client_id: Some("newId"),
            ..SIGNED
        },
        Operation { id: "order", path: "/order", rate: &[Rate::new("weight", 4)], ..SIGNED },
        Operation {
            id: "ticker",
            path: "/ticker",
            rate: &[Rate::new("weight", 4).each("symbols").unless(&[
                CostRule { when: CostWhen::Without("symbols"), cost: 80 },
                CostRule { when: CostWhen::ItemsAbove("symbols", 3), cost: 10 },
            ])],
            json_lists: &["symbols"],
            ..Operation::EMPTY
        },
        Operation { id: "time", path: "/time", rate: &[Rate::new("weight", 1)], venue_time: TIME, ..Operation::EMPTY },
    ],
    errors: Errors {
        code: &["/code"],
        message: &["/msg"],
        texts: &[ErrorText { code: Some("-2010"), says: "insufficient balance", kind: ErrorKind::InsufficientFunds }],
        kinds: &[("-1007", ErrorKind::Server), ("-2010", ErrorKind::InvalidRequest)],
        statuses: &[(418, ErrorKind::RateLimited)],
        bans: &[(418, 259_200)],
        outcome_unknown: &["-1007"],
        ..Errors::EMPTY
    },
    buckets: &[
        Bucket {
            name: "orders",
            per_path: false,
            tiers: &[Tier { name: "basic", limits: &[window(50, 10), window(900, 86_400)] }],
        },
        Bucket { name: "paths", per_path: true, tiers: &[Tier { name: "basic", limits: &[window(12_000, 60)] }] },
        Bucket { name: "weight", per_path: false, tiers: &[Tier { name: "basic", limits: &[window(6_000, 60)] }] },
    ],
    rate_headers: &[
        RateHeaders::Used { bucket: "weight", used: "x-used-1m", seconds: 60 },
        RateHeaders::Used { bucket: "orders", used: "x-orders-10s", seconds: 10 },
        RateHeaders::Used { bucket: "orders", used: "x-orders-1d", seconds: 86_400 },
        RateHeaders::Used { bucket: "paths", used: "x-path-1m", seconds: 60 },
    ],
    client_headers: &[ClientHeader { name: "x-time-unit", values: &["MILLISECOND", "MICROSECOND"] }],
    credentials: CredentialRules {
        probes: Probes {
            reach: Some(Probe {
                operation: "time",
                with: &[],
                members: &["serverTime"],
                list: &[],
                finds_nothing: false,
                proves: "",
            }),
            key: &[],
        },
        symptoms: Symptoms { first: &[], last: &[] },
        ..CredentialRules::NONE
    },
    ..Venue::EMPTY
};

struct Client(Session);

impl Connect for Client {
    const VENUE: &'static Venue = &VENUE;

    fn connect(session: Session) -> Self {
        Self(session)
    }
}

/// A request as it was sent.
#[derive(Clone, Debug)]
struct Sent {
    target: String,
    body: String,
    headers: http::HeaderMap,
}

/// What was sent, and the responses that are still to be returned.
type Exchange = (Vec<Sent>, VecDeque<Result<RawResponse, SendError>>);

/// Keeps what is sent, and returns what it was given.
#[derive(Clone, Debug, Default)]
struct Requests(Arc<Mutex<Exchange>>);

impl Requests {
    fn responds(&self, response: RawResponse) {
        self.0.lock().unwrap().1.push_back(Ok(response));
    }

    fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().0.clone()
    }

    fn last(&self) -> Sent {
        self.sent().pop().unwrap()
    }
}

impl Carrier for Requests {
    fn send<'a>(&'a self, request: CarrierRequest<'a>) -> CarrierFuture<'a> {
        let mut state = self.0.lock().unwrap();
        state.0.push(Sent {
            target: request.target().to_owned(),
            body: String::from_utf8(request.body.to_vec()).unwrap(),
            headers: request.headers.clone(),
        });
        let response = state.1.pop_front().unwrap_or_else(|| Ok(RawResponse::new(StatusCode::OK, "{}")));
        Box::pin(std::future::ready(response))
    }
}

/// The debits, and what was learned about their buckets.
type Counted = (Vec<Debit>, Vec<(Debit, RateFeedback)>);

/// What was taken of which bucket, and what the venue said of it.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<Mutex<Counted>>);

impl Counting {
    fn taken(&self) -> Vec<(&'static str, &'static str, u64)> {
        let taken = std::mem::take(&mut self.0.lock().unwrap().0);
        taken.into_iter().map(|debit| (debit.bucket, debit.path, debit.tokens)).collect()
    }

    fn learned(&self) -> Vec<(Debit, RateFeedback)> {
        std::mem::take(&mut self.0.lock().unwrap().1)
    }
}

impl RateBudget for Counting {
    fn take<'a>(&'a self, debit: &'a Debit, _: Duration) -> RateFuture<'a, Result<(), venuekit_transport::Refused>> {
        self.0.lock().unwrap().0.push(*debit);
        Box::pin(std::future::ready(Ok(())))
    }

    fn learn<'a>(&'a self, debit: &'a Debit, told: RateFeedback) -> RateFuture<'a, ()> {
        self.0.lock().unwrap().1.push((*debit, told));
        Box::pin(std::future::ready(()))
    }
}

fn builder(server: &Requests) -> ClientBuilder<Client> {
    let signer = DescribedSigner::new(&SIGNATURE, "the-key", SigningKey::Shared("secret".into())).unwrap();
    let credentials = Credentials::none().signer("signature", signer);
    ClientBuilder::new("http://127.0.0.1:1/api")
        .credentials(credentials)
        .carrier(server.clone())
        .retry(RetryPolicy::none())
}

fn row(id: &str) -> &'static Operation {
    VENUE.operation(id).unwrap()
}

fn order(body: &str) -> Call {
    Call::new(row("new_order")).body(JsonBody::new(row("new_order"), body).unwrap())
}

async fn failed(client: &Client, call: Call) -> Error {
    client.0.send(call).await.unwrap_err()
}

fn response(status: u16, body: &str) -> RawResponse {
    RawResponse::new(StatusCode::from_u16(status).unwrap(), body.to_owned())
}

fn with(response: RawResponse, headers: &[(&'static str, &str)]) -> RawResponse {
    headers.iter().fold(response, |response, (name, value)| {
        response.header(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    })
}

#[tokio::test]
async fn what_is_sent_is_what_was_signed() {
    let server = Requests::default();
    let client = builder(&server).build().unwrap();
    client.0.send(Call::new(row("order")).query("symbol", "LTC/BTC ü").query("orderId", &7)).await.unwrap();
    let sent = server.last();
    let (target, signature) = sent.target.rsplit_once("&signature=").unwrap();
    let (begin, time) = target.rsplit_once("timestamp=").unwrap();
    assert_eq!(begin, "/api/order?symbol=LTC%2FBTC+%C3%BC&orderId=7&recvWindow=5000&");
    assert!(time.parse::<i64>().unwrap() > 1_700_000_000_000);
    assert_eq!((signature.len(), &sent.headers["x-key"], sent.body.as_str()), (64, &"the-key".parse().unwrap(), ""));
    assert!(!sent.headers.contains_key("content-type"));

    client.0.send(order(r#"{"symbol":"A B","price":1e-5,"none":null,"ids":[1,2],"test":true}"#)).await.unwrap();
    let sent = server.last();
    let (body, signature) = sent.body.rsplit_once("&signature=").unwrap();
    assert_eq!((sent.target.as_str(), signature.len()), ("/api/order", 64));
    assert!(
        body.starts_with("symbol=A+B&price=0.00001&ids=%5B1%2C2%5D&test=true&recvWindow=5000&timestamp="),
        "{body}"
    );
    assert_eq!(sent.headers["content-type"], "application/x-www-form-urlencoded");

    // Without parameters there is no body, and nothing else in the query.
    client.0.send(order("{}")).await.unwrap();
    let sent = server.last();
    assert!(sent.target.starts_with("/api/order?recvWindow=5000&timestamp=") && sent.body.is_empty(), "{sent:?}");
    client.0.send(Call::new(row("account"))).await.unwrap();
    assert!(server.last().target.starts_with("/api/s/account?recvWindow=5000&timestamp="));

    let count = server.sent().len();
    let error = failed(&client, order("[1]")).await;
    assert!(error.to_string().contains("a form") && server.sent().len() == count, "{error}");
}

#[tokio::test]
async fn a_list_is_one_parameter_of_json_text() {
    let server = Requests::default();
    let client = builder(&server).build().unwrap();
    let call =
        |symbols: Option<Vec<&str>>| Call::new(row("ticker")).json_query("symbols", &symbols).query("type", "MINI");
    client.0.send(call(Some(vec!["A", "B\"é"]))).await.unwrap();
    assert_eq!(server.last().target, "/api/ticker?symbols=%5B%22A%22%2C%22B%5C%22%C3%A9%22%5D&type=MINI");
    client.0.send(call(None)).await.unwrap();
    assert_eq!(server.last().target, "/api/ticker?type=MINI");
    let missing = Call::new(row("ticker")).required_json_query("symbols", &None::<Vec<&str>>);
    assert!(failed(&client, missing).await.to_string().contains("symbols is missing"));
}

#[tokio::test]
async fn each_call_pays_what_its_parameters_cost() {
    let (server, budget) = (Requests::default(), Counting::default());
    let client = builder(&server).rate_limits(RateLimits::shared(budget.clone())).build().unwrap();
    let depth = |limit: i64| Call::new(row("depth")).query("symbol", "A").query("limit", &limit);
    for (limit, tokens) in [(100, 5), (101, 25), (500, 25), (5000, 50)] {
        client.0.send(depth(limit)).await.unwrap();
        assert_eq!(budget.taken(), [("weight", "", tokens)], "{limit}");
    }
    client.0.send(Call::new(row("depth")).encoded_query("limit=501")).await.unwrap();
    assert_eq!(budget.taken(), [("weight", "", 50)]);
    for (symbols, tokens) in [(Some(vec!["A", "B"]), 8), (Some(vec!["A", "B", "C", "D"]), 10), (None, 80)] {
        client.0.send(Call::new(row("ticker")).json_query("symbols", &symbols)).await.unwrap();
        assert_eq!(budget.taken(), [("weight", "", tokens)], "{symbols:?}");
    }
    // What has room for fewer calls is paid first; each path has its own bucket where the spec says so.
    client.0.send(order(r#"{"symbol":"A"}"#)).await.unwrap();
    assert_eq!(budget.taken(), [("orders", "", 1), ("weight", "", 1)]);
    client.0.send(Call::new(row("account"))).await.unwrap();
    assert_eq!(budget.taken(), [("paths", "/s/account", 1)]);
}

#[tokio::test]
async fn what_the_venue_says_was_used_is_learned_until_the_window_ends() {
    let (server, budget) = (Requests::default(), Counting::default());
    let client = builder(&server).rate_limits(RateLimits::shared(budget.clone())).build().unwrap();
    let headers = [("x-used-1m", "5990"), ("x-orders-10s", "20"), ("x-orders-1d", "890"), ("x-path-1m", "7")];
    server.responds(with(response(200, "{}"), &headers));
    client.0.send(order("{}")).await.unwrap();
    let learned = budget.learned();
    let left: Vec<_> = learned.iter().map(|(debit, told)| (debit.bucket, told.left)).collect();
    // Of the two windows the day has less left. The call paid into no path's bucket.
    assert_eq!(left, [("orders", 10), ("weight", 10)]);
    let lasts = |index: usize| learned[index].1.lasts.unwrap().as_secs();
    assert!(lasts(0) <= 86_400 && lasts(1) <= 60);

    // A bucket that the call does not pay into is learned of too.
    server.responds(with(response(200, "{}"), &[("x-used-1m", "99999"), ("x-path-1m", "12")]));
    client.0.send(Call::new(row("account"))).await.unwrap();
    let left: Vec<_> =
        budget.learned().iter().map(|(debit, told)| (debit.bucket, debit.path, debit.tokens, told.left)).collect();
    assert_eq!(left, [("paths", "/s/account", 1, 11_988), ("weight", "", 0, 0)]);

    server.responds(with(response(200, "{}"), &[("x-used-1m", "many"), ("x-orders-10s", "-1")]));
    client.0.send(order("{}")).await.unwrap();
    assert!(budget.learned().is_empty());

    server.responds(with(response(429, r#"{"code":-1003}"#), &[("retry-after", "7")]));
    assert_eq!(failed(&client, order("{}")).await.retry_after(), Some(Duration::from_secs(7)));
    let empty = RateFeedback { left: 0, lasts: Some(Duration::from_secs(7)) };
    assert_eq!(
        budget.learned().iter().map(|(debit, told)| (debit.bucket, *told)).collect::<Vec<_>>(),
        [("orders", empty), ("weight", empty)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_ban_holds_every_call_of_all_clients_of_the_limit() {
    let (server, limits) = (Requests::default(), RateLimits::new());
    let client = builder(&server).rate_limits(limits.clone()).build().unwrap();
    let other = builder(&server).rate_limits(limits).rate_wait(Duration::ZERO).build().unwrap();
    // Three days are longer than any of the buckets' windows.
    server.responds(with(response(418, r#"{"code":-1003,"msg":"banned"}"#), &[("retry-after", "200000")]));
    let error = failed(&client, Call::new(row("time"))).await;
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(200_000))));
    assert_eq!(server.sent().len(), 1);
    for (client, call) in [(&client, Call::new(row("account"))), (&other, order("{}"))] {
        let error = failed(client, call).await;
        assert!(error.to_string().contains("not sent: the venue has banned this address"), "{error}");
        assert!(error.retry_after() > Some(Duration::from_secs(199_000)) && !error.may_have_been_applied());
    }
    assert_eq!(server.sent().len(), 1, "nothing was sent");
    tokio::time::advance(Duration::from_secs(199_990)).await;
    assert!(other.0.send(Call::new(row("time"))).await.is_err());
    // A client that may wait waits for the rest.
    client.0.send(Call::new(row("time"))).await.unwrap();
    other.0.send(Call::new(row("time"))).await.unwrap();
    assert_eq!(server.sent().len(), 3);
    // A client without limits keeps no bans.
    let unlimited = builder(&server).rate_limits(RateLimits::none()).build().unwrap();
    server.responds(with(response(418, "{}"), &[("retry-after", "60")]));
    assert!(unlimited.0.send(Call::new(row("time"))).await.is_err());
    unlimited.0.send(Call::new(row("time"))).await.unwrap();
}

#[tokio::test]
async fn an_unknown_outcome_names_the_call_to_make_and_the_id() {
    let server = Requests::default();
    let client = builder(&server).build().unwrap();
    let unknown = || response(400, r#"{"code":-1007,"msg":"Timeout waiting for response from backend server."}"#);
    server.responds(unknown());
    let error = failed(&client, order(r#"{"symbol":"A","newId":"mine-1"}"#)).await;
    assert!(error.may_have_been_applied() && !error.is_retryable());
    assert_eq!(
        (error.client_id(), error.reconcile_with(), error.idempotency_key()),
        (Some("mine-1"), Some("order"), None)
    );
    assert!(error.to_string().ends_with("check with `order` first (its id is `mine-1`)"), "{error}");
    server.responds(unknown());
    let error = failed(&client, order(r#"{"symbol":"A"}"#)).await;
    assert_eq!(error.client_id(), None);
    server.responds(response(400, r#"{"code":-2010,"msg":"no"}"#));
    let error = failed(&client, order(r#"{"newId":"mine-2"}"#)).await;
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(!error.to_string().contains("mine-2") && error.client_id() == Some("mine-2"), "{error}");
}

#[tokio::test]
async fn a_header_of_the_client_goes_along_and_no_other() {
    let server = Requests::default();
    let client =
        builder(&server).header("X-Time-Unit", "MILLISECOND").header("x-time-unit", "MICROSECOND").build().unwrap();
    client.0.send(Call::new(row("time"))).await.unwrap();
    let values: Vec<_> = server.last().headers.get_all("x-time-unit").iter().cloned().collect();
    assert_eq!(values, ["MICROSECOND"]);
    for (name, value, says) in [
        ("x-other", "1", "takes no header `x-other`"),
        ("x-time-unit", "NANOSECOND", "one of MILLISECOND, MICROSECOND, and not `NANOSECOND`"),
        ("x-key", "stolen", "takes no header `x-key`"),
    ] {
        let error = builder(&server).header(name, value).build().err().unwrap();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn only_the_call_for_the_time_is_believed_of_what_a_cache_may_have() {
    let server = Requests::default();
    let client = builder(&server).build().unwrap();
    let now = || venuekit_wire::UnixMillis::now().get();
    let told = |time: i64| response(200, &format!(r#"{{"serverTime":{time}}}"#));
    server.responds(told(now() - 120_000));
    client.0.send(Call::new(row("depth"))).await.unwrap();
    assert_eq!(client.0.clock().offset_millis(), 0, "what anybody may ask may come from a cache");
    // A call that is made for the time is believed each time, in whichever unit the client asks for.
    for (time, offset) in [(now() - 120_000, -120_000), (now() + 60_000, 60_000), ((now() - 30_000) * 1000, -30_000)] {
        server.responds(told(time));
        client.0.send(Call::new(row("time"))).await.unwrap();
        let held = client.0.clock().offset_millis();
        assert!((held - offset).abs() < 5_000, "{held} for {offset}");
    }
}

#[tokio::test]
async fn what_an_environment_does_not_serve_is_not_sent() {
    let server = Requests::default();
    let signer = DescribedSigner::new(&SIGNATURE, "the-key", SigningKey::Shared("secret".into())).unwrap();
    let client: Client = ClientBuilder::new("https://test.venue.test/api")
        .credentials(Credentials::none().signer("signature", signer))
        .carrier(server.clone())
        .build()
        .unwrap();
    client.0.send(Call::new(row("order"))).await.unwrap();
    let error = failed(&client, Call::new(row("account"))).await;
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(
        error.to_string().contains("environment test does not serve this: only what is below /order and /time"),
        "{error}"
    );
    assert_eq!(server.sent().len(), 1);
}

#[tokio::test]
async fn one_code_means_what_its_text_says() {
    let server = Requests::default();
    let client = builder(&server).build().unwrap();
    let funds = r#"{"code":-2010,"msg":"Account has insufficient balance for requested action."}"#;
    for (body, kind) in [
        (funds, ErrorKind::InsufficientFunds),
        (r#"{"code":-2010,"msg":"Duplicate order sent."}"#, ErrorKind::InvalidRequest),
    ] {
        server.responds(response(400, body));
        let error = failed(&client, order("{}")).await;
        assert_eq!((error.kind(), error.code(), error.has_known_code()), (kind, Some("-2010"), true), "{body}");
    }
}
