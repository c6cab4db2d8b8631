//! What a whole call costs beyond reqwest and serde.
//!
//! Both send the same bytes to the same server on loopback, which always gives the same answer, have the same time for it, and
//! decode it into the same type. They share the signer, so that what differs is everything else that a client does. Client and server have a thread
//! each.

#![allow(clippy::print_stdout)]

#[path = "pair/calls.rs"]
mod calls;
mod pair;

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::routing::{get, post};
use calls::{generous, measure};
use criterion::{Criterion, criterion_group, criterion_main};
use pair::{compare, way};
use reqwest::{Request, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::runtime::Builder;
use venuekit::auth::kalshi::{ACCESS_KEY, ACCESS_SIGNATURE, ACCESS_TIMESTAMP, KalshiSigner};
use venuekit::auth::{Headers, KeyKind, PrivateKey, Signer, apply};
use venuekit::kalshi::types::{
    BookSide, CreateOrderV2Request, CreateOrderV2Response, GetBalanceResponse, GetMarketResponse,
    SelfTradePreventionType, TimeInForce,
};
use venuekit::kalshi::{Client, Credentials, Environment};
use venuekit::transport::Timeouts;
use venuekit_sandbox::{Accounts, Sandbox};

const BALANCE: &str = r#"{"balance":1000000,"balance_dollars":"10000.0000","portfolio_value":250000,"updated_ts":1763769600,
    "balance_breakdown":[{"exchange_index":0,"balance":"10000.0000"}]}"#;
const PLACED: &str = r#"{"order_id":"6f4d0d3a-6c3e-4a53-9d0e-0c8f6a3a7a11","client_order_id":"my-order-1",
    "fill_count":"0.00","remaining_count":"10.00","ts_ms":1763769600123}"#;
const TICKER: &str = "KXHIGHNY-26NOV22-T38";

/// The other way: reqwest, a signature, serde.
#[derive(Clone)]
struct Raw {
    http: reqwest::Client,
    base_url: String,
    signer: KalshiSigner,
}

impl Raw {
    async fn signed<T: DeserializeOwned>(&self, request: RequestBuilder) {
        let mut request = request.build().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        apply(&mut request, [&self.signer as &dyn Signer], i64::try_from(now).unwrap()).unwrap();
        self.send::<T>(request).await;
    }

    async fn send<T: DeserializeOwned>(&self, request: Request) {
        let answer = self.http.execute(request).await.unwrap().error_for_status().unwrap();
        black_box(serde_json::from_slice::<T>(&answer.bytes().await.unwrap()).unwrap());
    }

    async fn balance(self) {
        let request = self.http.get(format!("{}/portfolio/balance", self.base_url));
        self.signed::<GetBalanceResponse>(request).await;
    }

    /// A public call: our client does not sign it either.
    async fn market(self) {
        let request = self.http.get(format!("{}/markets/{TICKER}", self.base_url)).build().unwrap();
        self.send::<GetMarketResponse>(request).await;
    }

    async fn place(self) {
        let order: CreateOrderV2Request = order(CreateOrderV2Request::builder()).try_into().unwrap();
        let request = self.http.post(format!("{}/portfolio/events/orders", self.base_url)).json(&order);
        self.signed::<CreateOrderV2Response>(request).await;
    }
}

fn calls(criterion: &mut Criterion) {
    let base_url = format!("http://{}/trade-api/v2", serve());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    // Ed25519, because with RSA the signature would be most of what is measured.
    let pair = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let signer = KalshiSigner::new("key", pair.clone()).unwrap();
    let timeouts = Timeouts::default();
    let http = reqwest::Client::builder()
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.attempt)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("venuekit/", env!("CARGO_PKG_VERSION")))
        .default_headers([(ACCEPT, HeaderValue::from_static("application/json"))].into_iter().collect());
    let raw = Raw { http: http.build().unwrap(), base_url: base_url.clone(), signer };
    let credentials = Credentials::new("key", pair).unwrap();
    let builder = Client::builder(Environment::Custom(base_url)).credentials(credentials).rate_limits(generous());
    let kalshi = builder.build().unwrap();

    for count in [1, 32] {
        let (ours, other) = (|| balance(kalshi.clone()), ("reqwest", || raw.clone().balance()));
        measure(criterion, &runtime, "get_balance", count, ours, other);
        let (ours, other) = (|| market(kalshi.clone()), ("reqwest", || raw.clone().market()));
        measure(criterion, &runtime, "get_market", count, ours, other);
        let (ours, other) = (|| place(kalshi.clone()), ("reqwest", || raw.clone().place()));
        measure(criterion, &runtime, "create_order_v2", count, ours, other);
    }
}

/// What signing costs the caller of an order when the key is RSA, as the difference between whole calls: signed ahead, with three
/// headers that are there already, and signed on the spot. The signatures in the background are another thread's.
fn rsa_orders(criterion: &mut Criterion) {
    let environment = Environment::Custom(format!("http://{}/trade-api/v2", serve()));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let on_the_spot = Credentials::new("key", PrivateKey::generate(KeyKind::Rsa2048).unwrap()).unwrap();
    let ahead = on_the_spot.clone().sign_ahead(["create_order_v2"]);
    let headers = Headers::new("key id", ACCESS_KEY, "key").unwrap();
    let headers = headers.and("timestamp", ACCESS_TIMESTAMP, "1703123456789").unwrap();
    let headers = headers.and("signature", ACCESS_SIGNATURE, "A".repeat(344)).unwrap();
    let unsigned = venuekit::transport::Credentials::none().signer("signature", headers);
    let all: [venuekit::transport::Credentials; 3] = [ahead.into(), unsigned, on_the_spot.into()];
    let [ahead, unsigned, on_the_spot] = all.map(|credentials| {
        let builder = Client::builder(environment.clone()).credentials(credentials);
        builder.rate_limits(generous()).build().unwrap()
    });
    let order = |kalshi: Client| {
        let runtime = &runtime;
        move || runtime.block_on(place(kalshi.clone()))
    };
    let others = vec![way("headers that are there", order(unsigned)), way("signed on the spot", order(on_the_spot))];
    compare(criterion, "create_order_v2_rsa", way("signed ahead", order(ahead)), others);
}

async fn balance(kalshi: Client) {
    black_box(kalshi.get_balance().send().await.unwrap());
}

async fn market(kalshi: Client) {
    black_box(kalshi.get_market().ticker(TICKER).send().await.unwrap());
}

async fn place(kalshi: Client) {
    black_box(kalshi.create_order_v2().body_map(order).send().await.unwrap());
}

type OrderBuilder = venuekit::kalshi::types::builder::CreateOrderV2Request;

fn order(order: OrderBuilder) -> OrderBuilder {
    order
        .ticker(TICKER)
        .side(BookSide::Bid)
        .count("10")
        .price("0.56")
        .time_in_force(TimeInForce::GoodTillCanceled)
        .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
        .client_order_id("my-order-1")
}

/// Serves canned answers from a thread of its own, for as long as the process lives.
fn serve() -> SocketAddr {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let json = |body: String| ([(CONTENT_TYPE, "application/json")], body);
            let market = json(one_market().await);
            let router = Router::new()
                .route("/trade-api/v2/portfolio/balance", get(async move || json(BALANCE.to_owned())))
                .route("/trade-api/v2/portfolio/events/orders", post(async move || json(PLACED.to_owned())))
                .route("/trade-api/v2/markets/{ticker}", get(async move || market.clone()));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    receive.recv().unwrap()
}

/// A market with all its fields, as the sandbox has it.
async fn one_market() -> String {
    #[derive(serde::Deserialize)]
    struct Page {
        markets: Vec<Box<RawValue>>,
    }
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let url = format!("{}/trade-api/v2/markets?limit=1", sandbox.base_url());
    let page: Page = reqwest::get(url).await.unwrap().json().await.unwrap();
    format!(r#"{{"market":{}}}"#, page.markets[0])
}

criterion_group!(benches, calls, rsa_orders);
criterion_main!(benches);
