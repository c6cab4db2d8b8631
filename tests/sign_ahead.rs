//! Signatures that are made before their calls: valid, shared while they are fresh, and never of another call or time.

#[path = "common/canned.rs"]
mod canned;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use canned::{Canned, Seen, http};
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::kalshi::types::{BookSide, SelfTradePreventionType, TimeInForce};
use venuekit::kalshi::{Client, Credentials, Environment};
use venuekit::transport::{Clock, RateLimits, SignAhead};
use venuekit::{Error, ErrorKind};
use venuekit_sandbox::{Accounts, Sandbox};

/// What a signature may be older than its call by, and the clock's own step.
const OLDEST: i64 = 1_000;

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn built(url: String, credentials: Credentials, clock: &Clock) -> Result<Client, Error> {
    let builder = Client::builder(Environment::Custom(url)).credentials(credentials).clock(clock.clone());
    // Root certificates take long to load, and nothing here is TLS.
    builder.rate_limits(RateLimits::none()).http_client(|http| http.tls_certs_only([])).build()
}

/// The DER of a public key in PEM.
fn der(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).unwrap()
}

fn header(seen: &Seen, name: &str) -> String {
    let mut lines = seen.head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).expect(name)
}

/// Time and signature of a request, which is valid for what the request is.
fn signature(seen: &Seen, public: &[u8]) -> (i64, String) {
    let [time, signature] = ["KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE"].map(|name| header(seen, name));
    let (method, target) = seen.head.split_once(' ').unwrap();
    let path = target.split([' ', '?']).next().unwrap();
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public)
        .verify(format!("{time}{method}{path}").as_bytes(), &STANDARD.decode(&signature).unwrap())
        .unwrap_or_else(|_| panic!("signed for something else: {}", seen.head));
    (time.parse().unwrap(), signature)
}

/// A client whose balance is signed ahead, and the server that it calls.
struct World {
    server: Canned,
    credentials: Credentials,
    public: Vec<u8>,
    clock: Clock,
    kalshi: Client,
}

impl World {
    async fn new() -> Self {
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let public = der(key.public_key_pem());
        let body = br#"{"balance":1,"balance_dollars":"0.01","portfolio_value":1,"updated_ts":1,"orders":[]}"#;
        let server = Canned::start(Arc::new(|_| http(200, "application/json", body))).await;
        let credentials = Credentials::new("key", key).unwrap().sign_ahead(["get_balance"]);
        let clock = Clock::default();
        let kalshi = built(format!("{}/trade-api/v2", server.base_url), credentials.clone(), &clock).unwrap();
        Self { server, credentials, public, clock, kalshi }
    }

    /// A balance, whose signature is no older than it may be.
    async fn balance(&self, kalshi: &Client) -> (i64, String) {
        let before = now();
        kalshi.get_balance().send().await.unwrap();
        let (time, signature) = signature(self.server.seen().last().unwrap(), &self.public);
        let offset = self.clock.offset_millis();
        assert!((before - OLDEST..=now()).contains(&(time - offset)), "{before} {time} {offset}");
        (time, signature)
    }
}

#[tokio::test]
async fn a_fresh_signature_is_shared_and_an_old_one_is_not() {
    let world = World::new().await;
    let mut signatures = BTreeSet::new();
    for _ in 0..50 {
        signatures.insert(world.balance(&world.kalshi).await);
    }
    assert!(signatures.len() < 50, "none is shared");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let later = world.balance(&world.kalshi).await;
    assert!(!signatures.contains(&later));
}

#[tokio::test]
async fn each_call_has_a_signature_of_its_own_line() {
    let world = World::new().await;
    let other = built(format!("{}/demo/v2", world.server.base_url), world.credentials.clone(), &world.clock).unwrap();
    let mut all = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    for _ in 0..10 {
        all[0].insert(world.balance(&world.kalshi).await.1);
        all[1].insert(world.balance(&other).await.1);
        world.kalshi.get_orders().send().await.unwrap();
        all[2].insert(signature(world.server.seen().last().unwrap(), &world.public).1);
    }
    assert_eq!(all[2].len(), 10, "what is not signed ahead is signed each time");
    assert!(all[0].is_disjoint(&all[1]) && all[0].is_disjoint(&all[2]) && all[1].is_disjoint(&all[2]));
}

#[tokio::test]
async fn a_corrected_clock_leaves_no_signature() {
    let world = World::new().await;
    for offset in [0, -5_000, 5_000, 300, 0] {
        world.clock.set_offset_millis(offset);
        // `balance` holds the signed time against the corrected one.
        let before = now();
        let first = world.balance(&world.kalshi).await;
        let signed = first.0 - offset;
        assert!((before - OLDEST - 250..=now() + 250).contains(&signed), "{offset}: {first:?}");
        world.balance(&world.kalshi).await;
    }
}

#[tokio::test]
async fn orders_are_taken_and_a_clock_that_is_off_is_healed() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let account = &sandbox.accounts().kalshi[0];
    let pem = account.private_key_pem.as_ref().unwrap();
    let ahead = SignAhead::from(["create_order_v2", "get_balance"]).oldest(Duration::from_millis(200));
    let credentials = Credentials::from_pem(&account.key_id, pem).unwrap().sign_ahead(ahead);
    let clock = Clock::default();
    let kalshi = built(format!("{}/trade-api/v2", sandbox.base_url()), credentials, &clock).unwrap();
    let markets = kalshi.get_markets().status("open").limit(1).send().await.unwrap();
    let ticker = &markets.markets[0].ticker;
    for shift in [0, 600_000] {
        sandbox.clock().set_offset_millis(shift);
        for number in 0..20 {
            let order = kalshi.create_order_v2().body_map(|order| {
                let order = order.ticker(ticker).side(BookSide::Bid).count("1").price("0.01");
                let order = order.time_in_force(TimeInForce::GoodTillCanceled);
                let order = order.self_trade_prevention_type(SelfTradePreventionType::TakerAtCross);
                order.client_order_id(format!("order-{shift}-{number}"))
            });
            order.send().await.unwrap();
            kalshi.get_balance().send().await.unwrap();
        }
        assert!((clock.offset_millis() - shift).abs() < 30_000);
    }
    let executed = sandbox.executed();
    assert_eq!(executed.get("kalshi POST /trade-api/v2/portfolio/events/orders"), Some(&40), "{executed:?}");
}

#[tokio::test]
async fn what_cannot_be_signed_ahead_is_refused_by_name() {
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    for name in ["get_market", "cancel_order_v2", "get_markets", "createOrderV2"] {
        let credentials = Credentials::new("key", key.clone()).unwrap().sign_ahead([name]);
        let error = built("http://127.0.0.1:1/trade-api/v2".to_owned(), credentials, &Clock::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
    }
}
