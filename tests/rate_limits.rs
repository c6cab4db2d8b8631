//! A client sends no more than the venue allows. The numbers here are the venues' own, written down a second time; the clock stands
//! still unless a test moves it, so that waits are exact.

#[path = "common/canned.rs"]
mod canned;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use canned::{Canned, Script, Seen, http};
use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::advance;
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::kalshi::types::{BookSide, SelfTradePreventionType, TimeInForce};
use venuekit::transport::{Connect, Debit, RateBudget, RateFuture, RateLimits, Refused, RetryPolicy, Timeouts, Told};
use venuekit::wire::operation::{Limit, Venue};
use venuekit::{Error, ErrorKind, bayse, deribit, kalshi, yativo};

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Runs a test with a clock that moves by `advance` only, while sockets work as ever.
fn at_a_standstill<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (over, is_over) = channel::<()>();
    runtime.block_on(async {
        // As long as a thread is at work, the clock does not go ahead by itself. This one also ends a test in which a call waits for
        // ever; otherwise it goes when the test does, however that ends.
        let watch = tokio::task::spawn_blocking(move || is_over.recv_timeout(Duration::from_secs(120)));
        let result = tokio::select! {
            biased;
            result = test => result,
            Ok(Err(RecvTimeoutError::Timeout)) = watch => panic!("a call waits for a clock that stands still"),
        };
        drop(over);
        result
    })
}

/// A client of every venue, all of the same server and with clones of the same limits.
struct Desk {
    server: Canned,
    next: Arc<Mutex<VecDeque<Vec<u8>>>>,
    kalshi: kalshi::Client,
    bayse: bayse::Client,
    yativo: yativo::Client,
    deribit: deribit::Client,
}

/// No wait between attempts: the clock would have to be moved for it.
const AT_ONCE: RetryPolicy = RetryPolicy { attempts: 4, first_wait: Duration::ZERO, longest_wait: Duration::ZERO };

fn finish<C: Connect>(builder: venuekit::transport::ClientBuilder<C>, limits: &RateLimits) -> Result<C, Error> {
    builder.rate_limits(limits.clone()).rate_wait(Duration::ZERO).retry(RetryPolicy::none()).build()
}

fn kalshi_at(url: &str, limits: &RateLimits) -> Result<kalshi::Client, Error> {
    let credentials = kalshi::Credentials::new("key-id", PrivateKey::generate(KeyKind::Ed25519).unwrap()).unwrap();
    let builder = kalshi::Client::builder(kalshi::Environment::Custom(url.to_owned()));
    finish(builder.credentials(credentials), limits)
}

fn bayse_at(url: &str, limits: &RateLimits) -> Result<bayse::Client, Error> {
    let credentials = bayse::Credentials::session("token", "device").unwrap().and_api_key("pk", "sk").unwrap();
    let builder = bayse::Client::builder(bayse::Environment::Custom(url.to_owned()));
    finish(builder.credentials(credentials), limits)
}

fn yativo_at(url: &str, limits: &RateLimits) -> Result<yativo::Client, Error> {
    let builder = yativo::Client::builder(yativo::Environment::Custom(url.to_owned()));
    finish(builder.credentials(yativo::Credentials::token("t0ken").unwrap()), limits)
}

fn deribit_at(url: &str, limits: &RateLimits) -> Result<deribit::Client, Error> {
    let builder = deribit::Client::builder(deribit::Environment::Custom(url.to_owned()));
    finish(builder.credentials(deribit::Credentials::secret("AMANDA", "AMANDASECRECT").unwrap()), limits)
}

impl Desk {
    /// No call waits and none is repeated, unless a test says so.
    async fn new(limits: RateLimits) -> Self {
        let next: Arc<Mutex<VecDeque<Vec<u8>>>> = Arc::default();
        let waiting = next.clone();
        let script: Script = Arc::new(move |seen| waiting.lock().unwrap().pop_front().unwrap_or_else(|| usual(seen)));
        let server = Canned::start(script).await;
        let url = &server.base_url;
        Self {
            kalshi: kalshi_at(url, &limits).unwrap(),
            bayse: bayse_at(url, &limits).unwrap(),
            yativo: yativo_at(url, &limits).unwrap(),
            deribit: deribit_at(url, &limits).unwrap(),
            next,
            server,
        }
    }

    /// The next request is answered so. An empty answer is a connection that is closed.
    fn answers(&self, answer: Vec<u8>) {
        self.next.lock().unwrap().push_back(answer);
    }

    fn sent(&self) -> usize {
        self.server.seen().len()
    }

    /// Makes a call so often, and each of them goes.
    async fn goes(&self, count: usize, call: Call) {
        let before = self.sent();
        for number in 0..count {
            call(self).await.unwrap_or_else(|error| panic!("{number}: {error}"));
        }
        assert_eq!(self.sent() - before, count);
    }

    /// Makes a call that the limiter holds back, and returns the wait that it tells.
    async fn is_held_back(&self, call: Call) -> Duration {
        let before = self.sent();
        let error = call(self).await.expect_err("it is over the limit");
        assert_eq!(self.sent(), before, "nothing is sent");
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1), "{error}");
        assert!(!error.may_have_been_applied() && error.is_retryable() && error.status().is_none(), "{error}");
        error.retry_after().expect("it tells the wait")
    }
}

/// A good answer to whatever is asked.
fn usual(seen: &Seen) -> Vec<u8> {
    let body = match serde_json::from_slice::<Value>(&seen.body).ok().filter(|body| body["jsonrpc"] == "2.0") {
        Some(envelope) => {
            let result = match envelope["method"].as_str().unwrap() {
                "public/get_time" => json!(1_768_000_000_123_i64),
                "public/get_instruments" => json!([]),
                _ => json!({"order_id": "ETH-1", "instrument_name": "ETH-PERPETUAL"}),
            };
            json!({"jsonrpc": "2.0", "id": envelope["id"], "result": result})
        }
        None => {
            json!({"balance_dollars": "1.0000", "order_id": "o-1", "id": "o-1", "token": "s3ssion", "deviceId": "d-1",
            "status": true, "success": true, "data": [], "results": [], "keys": [],
            "access_token": "t0ken"})
        }
    };
    http(200, "application/json", body.to_string().as_bytes())
}

fn refusal(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Canned\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

type Call = for<'a> fn(&'a Desk) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

const KALSHI_READ: Call = |desk| Box::pin(async { desk.kalshi.get_balance().send().await.map(drop) });
const KALSHI_CANCEL: Call =
    |desk| Box::pin(async { desk.kalshi.cancel_order_v2().order_id("o-1").send().await.map(drop) });
const KALSHI_ORDER: Call = |desk| Box::pin(async { kalshi_order(&desk.kalshi).send().await.map(drop) });
const BAYSE_READ: Call = |desk| Box::pin(async { desk.bayse.list_api_keys().send().await.map(drop) });
const BAYSE_WRITE: Call = |desk| Box::pin(async { desk.bayse.revoke_api_key().key_id("k-1").send().await.map(drop) });
const BAYSE_LOGIN: Call = |desk| {
    let call = desk.bayse.login().body_map(|body| body.email("me@example.com").password("pass"));
    Box::pin(async { call.send().await.map(drop) })
};
const YATIVO: Call = |desk| Box::pin(async { desk.yativo.list_accounts().send().await.map(drop) });
const DERIBIT_ORDER: Call = |desk| {
    let call = desk.deribit.cancel().body_map(|params| params.order_id("ETH-1"));
    Box::pin(async { call.send().await.map(drop) })
};
const DERIBIT_OTHER: Call = |desk| Box::pin(async { desk.deribit.get_time().send().await.map(drop) });
const DERIBIT_INSTRUMENTS: Call = |desk| {
    let call = desk.deribit.get_instruments().body_map(|params| params.currency("BTC"));
    Box::pin(async { call.send().await.map(drop) })
};

fn kalshi_order(client: &kalshi::Client) -> kalshi::builder::CreateOrderV2<'_> {
    client.create_order_v2().body_map(|order| {
        order
            .ticker("T")
            .side(BookSide::Bid)
            .count("1")
            .price("0.5600")
            .time_in_force(TimeInForce::GoodTillCanceled)
            .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
    })
}

fn bayse_batch(client: &bayse::Client, count: usize) -> bayse::builder::BatchPlaceOrders<'_> {
    use bayse::types::{BatchOrder, OrderType, Side};
    let order = || BatchOrder::builder().side(Side::Buy).outcome_id("f-1").amount(100).type_(OrderType::Market);
    let orders = (0..count).map(|_| order().try_into().unwrap()).collect();
    client.batch_place_orders().body_map(|batch| batch.orders::<Vec<BatchOrder>>(orders))
}

/// What a new account may do at once, and how long the next call has to wait then.
const BY_DEFAULT: [(&str, Call, usize, Duration); 10] = [
    ("Kalshi reads", KALSHI_READ, 60, Duration::from_millis(50)),
    ("Kalshi cancellations", KALSHI_CANCEL, 50, Duration::from_millis(20)),
    ("Kalshi orders", KALSHI_ORDER, 10, Duration::from_millis(100)),
    ("Bayse reads", BAYSE_READ, 30, Duration::from_secs(1)),
    ("Bayse writes", BAYSE_WRITE, 20, Duration::from_secs(1)),
    ("Bayse logins", BAYSE_LOGIN, 1, Duration::from_secs(120)),
    ("Yativo", YATIVO, 60, Duration::from_secs(60)),
    ("Deribit, matching engine", DERIBIT_ORDER, 20, Duration::from_millis(200)),
    ("Deribit, other", DERIBIT_OTHER, 100, Duration::from_millis(50)),
    ("Deribit, instruments", DERIBIT_INSTRUMENTS, 50, Duration::from_secs(1)),
];

#[test]
fn no_more_is_sent_than_a_new_account_may() {
    for (what, call, count, wait) in BY_DEFAULT {
        at_a_standstill(async {
            let desk = Desk::new(RateLimits::new()).await;
            desk.goes(count, call).await;
            // A refusal takes nothing: asking again and again does not put the moment off.
            for _ in 0..3 {
                assert_eq!(desk.is_held_back(call).await, wait, "{what}");
            }
            advance(wait - millis(1)).await;
            assert_eq!(desk.is_held_back(call).await, millis(1), "{what}");
            advance(millis(1)).await;
            desk.goes(1, call).await;
        });
    }
}

/// A call under way, made by a client that waits.
fn under_way(client: &kalshi::Client) -> JoinHandle<Result<(), Error>> {
    let client = client.with_rate_wait(Duration::MAX);
    tokio::spawn(async move { client.cancel_order_v2().order_id("late-1").send().await.map(drop) })
}

#[test]
fn a_call_over_the_limit_waits_for_its_moment_and_those_behind_it_for_theirs() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.goes(50, KALSHI_CANCEL).await;
        let late = || desk.server.seen().iter().filter(|seen| seen.head.contains("/late-1")).count();
        let mut calls: VecDeque<_> = (0..3).map(|_| under_way(&desk.kalshi)).collect();
        for done in 0..3 {
            // What another bucket pays for goes there and back meanwhile.
            desk.goes(3, KALSHI_READ).await;
            assert_eq!((late(), calls.iter().filter(|call| call.is_finished()).count()), (done, 0));
            advance(millis(19)).await;
            desk.goes(3, KALSHI_READ).await;
            assert_eq!(late(), done);
            advance(millis(1)).await;
            calls.pop_front().unwrap().await.unwrap().unwrap();
        }
        assert_eq!(late(), 3);
    });
}

#[test]
fn each_bucket_is_its_own() {
    at_a_standstill(async {
        // All four venues have the same budget here, and two of them a bucket called `read`.
        let desk = Desk::new(RateLimits::new()).await;
        let buckets = BY_DEFAULT.into_iter().filter(|(what, ..)| !what.contains("orders"));
        for (_, call, count, _) in buckets.clone() {
            desk.goes(count, call).await;
        }
        for (what, call, _, wait) in buckets {
            assert_eq!(desk.is_held_back(call).await, wait, "{what}");
        }
    });
}

#[test]
fn calls_at_the_same_time_get_what_there_is_and_no_more() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let mut calls = JoinSet::new();
        for _ in 0..100 {
            let client = desk.kalshi.clone();
            calls.spawn(async move { client.cancel_order_v2().order_id("o-1").send().await.map(drop) });
        }
        let went = calls.join_all().await.into_iter().filter(Result::is_ok).count();
        assert_eq!((went, desk.sent()), (50, 50));
    });
}

#[test]
fn a_batch_is_billed_by_what_is_in_it() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        for _ in 0..6 {
            bayse_batch(&desk.bayse, 3).send().await.unwrap();
        }
        // Two of twenty are left: too few for three, and enough for two.
        let error = bayse_batch(&desk.bayse, 3).send().await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(1))));
        assert!(!error.may_have_been_applied(), "{error}");
        bayse_batch(&desk.bayse, 2).send().await.unwrap();
        desk.is_held_back(BAYSE_WRITE).await;
        assert_eq!(desk.sent(), 7);

        advance(Duration::from_secs(1)).await;
        let cancel = |count: usize| {
            desk.bayse.batch_cancel_orders().body_map(move |body| body.order_ids(vec!["a-1".to_owned(); count]))
        };
        cancel(19).send().await.unwrap();
        assert_eq!(cancel(2).send().await.unwrap_err().kind(), ErrorKind::RateLimited);
        desk.goes(1, BAYSE_WRITE).await;
        desk.is_held_back(BAYSE_WRITE).await;

        // More than ever fits is the venue's to judge, but not while anything else is held.
        advance(Duration::from_secs(1)).await;
        desk.goes(1, BAYSE_WRITE).await;
        assert_eq!(bayse_batch(&desk.bayse, 25).send().await.unwrap_err().kind(), ErrorKind::RateLimited);
        advance(Duration::from_secs(1)).await;
        bayse_batch(&desk.bayse, 25).send().await.unwrap();
        desk.is_held_back(BAYSE_WRITE).await;
    });
}

#[test]
fn a_tier_has_its_own_numbers() {
    let tiers: [(&str, &str, Call, usize, Duration); 5] = [
        ("kalshi", "premier", KALSHI_READ, 120, Duration::from_micros(8_333)),
        ("kalshi", "expert", KALSHI_ORDER, 180, Duration::from_micros(16_666)),
        ("deribit", "tier3", DERIBIT_ORDER, 30, millis(100)),
        // A bucket that has no such tier keeps its only one.
        ("deribit", "tier3", DERIBIT_OTHER, 100, millis(50)),
        ("yativo", "pro", YATIVO, 300, Duration::from_secs(60)),
    ];
    for (venue, tier, call, count, wait) in tiers {
        at_a_standstill(async {
            let mut desk = Desk::new(RateLimits::new()).await;
            let limits = RateLimits::new().tier(tier);
            let url = &desk.server.base_url;
            match venue {
                "kalshi" => desk.kalshi = kalshi_at(url, &limits).unwrap(),
                "deribit" => desk.deribit = deribit_at(url, &limits).unwrap(),
                _ => desk.yativo = yativo_at(url, &limits).unwrap(),
            }
            desk.goes(count - 1, call).await;
            // What is no whole number of nanoseconds is rounded up each time: a call is never early.
            advance(Duration::from_micros(1)).await;
            desk.goes(1, call).await;
            let told = desk.is_held_back(call).await;
            assert!(told.abs_diff(wait) <= Duration::from_micros(1), "{told:?} for {venue} {tier}");
        });
    }
}

#[test]
fn a_tier_that_the_venue_has_not_is_refused_with_those_it_has() {
    let limits = RateLimits::new().tier("platinum");
    let url = "http://127.0.0.1:9";
    let refusals: [(&Venue, Error); 4] = [
        (&kalshi::VENUE, kalshi_at(url, &limits).unwrap_err()),
        (&bayse::VENUE, bayse_at(url, &limits).unwrap_err()),
        (&deribit::VENUE, deribit_at(url, &limits).unwrap_err()),
        (&yativo::VENUE, yativo_at(url, &limits).unwrap_err()),
    ];
    for (venue, error) in refusals {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.message().contains("platinum") && error.message().contains(venue.name), "{error}");
        for tier in venue.buckets.iter().flat_map(|bucket| bucket.tiers) {
            assert!(error.message().contains(tier.name), "no {} in {error}", tier.name);
        }
    }
    // What is a tier at one venue is none at another.
    kalshi_at(url, &RateLimits::new().tier("premier")).unwrap();
    assert_eq!(bayse_at(url, &RateLimits::new().tier("premier")).unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[test]
fn those_who_share_limits_share_the_budget_and_others_do_not() {
    at_a_standstill(async {
        let limits = RateLimits::new();
        let desk = Desk::new(limits.clone()).await;
        let url = &desk.server.base_url;
        let partner = kalshi_at(url, &limits).unwrap();
        let clone = partner.clone();
        let other = clone.with_retry(AT_ONCE).with_timeout(Duration::from_secs(5));
        for client in [&desk.kalshi, &partner, &clone, &other] {
            for _ in 0..15 {
                client.get_balance().send().await.unwrap();
            }
        }
        for client in [&desk.kalshi, &partner, &clone, &other] {
            let error = client.get_balance().send().await.unwrap_err();
            assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(millis(50))), "{error}");
        }
        // A value of its own is another account's.
        let stranger = kalshi_at(url, &RateLimits::new()).unwrap();
        stranger.get_balance().send().await.unwrap();
        assert_eq!(desk.sent(), 61);
    });
}

#[test]
fn without_limits_nothing_waits() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::none()).await;
        desk.goes(200, KALSHI_READ).await;
        desk.goes(5, BAYSE_LOGIN).await;
        // Not even after the venue's own word.
        desk.answers(refusal(429, "retry-after: 3600\r\n", ""));
        let error = KALSHI_READ(&desk).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(3600))));
        desk.goes(1, KALSHI_READ).await;
        // A tier is looked at all the same.
        let url = &desk.server.base_url;
        assert!(kalshi_at(url, &RateLimits::none().tier("platinum")).is_err());
    });
}

#[test]
fn a_bare_refusal_empties_the_bucket() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.answers(refusal(429, "", r#"{"error":{"code":"too_many_requests","message":"x"}}"#));
        let error = KALSHI_READ(&desk).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, None), "{error}");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
        assert_eq!(desk.is_held_back(KALSHI_READ).await, millis(50));
        desk.goes(50, KALSHI_CANCEL).await;
        // It fills as usual, and is not full at once.
        advance(millis(100)).await;
        desk.goes(2, KALSHI_READ).await;
        assert_eq!(desk.is_held_back(KALSHI_READ).await, millis(50));

        // Where the venue counts in windows, the shortest one is waited for.
        desk.answers(refusal(429, "", r#"{"error":"rate_limit_exceeded"}"#));
        YATIVO(&desk).await.unwrap_err();
        assert_eq!(desk.is_held_back(YATIVO).await, Duration::from_secs(60));
    });
}

#[test]
fn a_refusal_with_a_wait_holds_for_every_caller() {
    at_a_standstill(async {
        let limits = RateLimits::new();
        let desk = Desk::new(limits.clone()).await;
        let partner = kalshi_at(&desk.server.base_url, &limits).unwrap();
        desk.answers(refusal(429, "retry-after: 7\r\n", ""));
        let error = KALSHI_CANCEL(&desk).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(desk.is_held_back(KALSHI_CANCEL).await, Duration::from_secs(7));
        let calls: Vec<_> = [&desk.kalshi, &partner, &partner.clone()].map(under_way).into();
        desk.goes(5, KALSHI_READ).await;
        advance(Duration::from_secs(7) - millis(1)).await;
        desk.goes(5, KALSHI_READ).await;
        assert_eq!(desk.sent(), 11, "one that was refused, and the reads");
        advance(millis(1)).await;
        for call in calls {
            call.await.unwrap().unwrap();
        }
        // It was told how long, and not that nothing is left after that.
        desk.goes(47, KALSHI_CANCEL).await;
        desk.is_held_back(KALSHI_CANCEL).await;
    });
}

#[test]
fn a_wait_is_read_wherever_the_venue_says_it() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let body = r#"{"statusCode":429,"error":"rate_limit","message":"x","retryAfter":3}"#;
        desk.answers(refusal(429, "", body));
        BAYSE_WRITE(&desk).await.unwrap_err();
        assert_eq!(desk.is_held_back(BAYSE_WRITE).await, Duration::from_secs(3));
        desk.goes(30, BAYSE_READ).await;

        // Deribit says it in an envelope, whatever the status.
        let envelope =
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":10028,"message":"too_many_requests","data":{"wait":4}}}"#;
        for status in [200, 400, 429] {
            desk.answers(refusal(status, "", envelope));
            let error = DERIBIT_ORDER(&desk).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
            assert_eq!(desk.is_held_back(DERIBIT_ORDER).await, Duration::from_secs(4), "{status}");
            desk.goes(1, DERIBIT_OTHER).await;
            advance(Duration::from_secs(4)).await;
        }
        // A failure of another kind says nothing of the limit.
        desk.answers(refusal(503, "retry-after: 9\r\n", ""));
        DERIBIT_ORDER(&desk).await.unwrap_err();
        desk.goes(1, DERIBIT_ORDER).await;
    });
}

/// Yativo's answer with what it says of its limit.
fn with_limit(remaining: &str, reset: &str) -> Vec<u8> {
    refusal(200, &format!("X-RateLimit-Remaining: {remaining}\r\nX-RateLimit-Reset: {reset}\r\n"), r#"{"data":[]}"#)
}

/// Unix seconds, so long from now.
fn from_now(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    now.checked_add_signed(seconds).unwrap().to_string()
}

#[test]
fn headers_that_say_what_is_left_are_believed() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.answers(with_limit("2", &from_now(300)));
        desk.goes(1, YATIVO).await;
        // An answer that was written earlier does not give back what was spent since.
        desk.answers(with_limit("2", &from_now(300)));
        desk.goes(2, YATIVO).await;
        // The moment is told by the clock on the wall, which does not stand still.
        let wait = desk.is_held_back(YATIVO).await;
        assert!(wait > Duration::from_secs(200) && wait <= Duration::from_secs(300), "{wait:?}");
        advance(wait).await;
        desk.answers(with_limit("0", &from_now(300)));
        desk.goes(1, YATIVO).await;
        let wait = desk.is_held_back(YATIVO).await;
        assert!(wait > Duration::from_secs(200) && wait <= Duration::from_secs(300), "{wait:?}");
        advance(wait).await;
        // More than the tier has is not made of it.
        desk.answers(with_limit("1000000", &from_now(300)));
        desk.goes(60, YATIVO).await;
        assert_eq!(desk.is_held_back(YATIVO).await, Duration::from_secs(60));
    });
}

#[test]
fn headers_that_make_no_sense_are_passed_over() {
    for (remaining, reset) in [("0", "soon"), ("none", &*from_now(300)), ("-1", &from_now(300)), ("0", &from_now(-300))]
    {
        at_a_standstill(async {
            let desk = Desk::new(RateLimits::new()).await;
            desk.answers(with_limit(remaining, reset));
            desk.goes(60, YATIVO).await;
            assert_eq!(desk.is_held_back(YATIVO).await, Duration::from_secs(60), "{remaining} until {reset}");
        });
    }
    // Other venues have no such headers.
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let reset = from_now(300);
        let headers = format!("X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: {reset}\r\n");
        desk.answers(refusal(200, &headers, r#"{"balance_dollars":"1.0000"}"#));
        desk.goes(60, KALSHI_READ).await;
    });
}

#[test]
fn a_wait_that_is_too_long_is_told_at_once() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.goes(60, YATIVO).await;
        // The call itself would have two minutes.
        let patient = desk.yativo.with_timeout(Duration::from_secs(120));
        let error = patient.with_rate_wait(Duration::from_secs(59)).list_accounts().send().await.unwrap_err();
        let told = (error.kind(), error.retry_after(), error.attempts());
        assert_eq!(told, (ErrorKind::RateLimited, Some(Duration::from_secs(60)), 1), "{error}");

        // No wait is longer than the call may take.
        desk.goes(1, BAYSE_LOGIN).await;
        let login = desk.bayse.with_rate_wait(Duration::MAX).with_timeout(Duration::from_secs(119));
        let call = login.login().body_map(|body| body.email("me@example.com").password("pass"));
        let error = call.send().await.unwrap_err();
        let told = (error.kind(), error.retry_after(), error.attempts());
        assert_eq!(told, (ErrorKind::RateLimited, Some(Duration::from_secs(120)), 1), "{error}");
        assert_eq!(desk.sent(), 61);

        // A call that would wait is not repeated either, nor does it stay in the queue behind one that waits.
        let waiting = {
            let client = patient.with_rate_wait(Duration::MAX);
            tokio::spawn(async move { client.list_accounts().send().await.map(drop) })
        };
        desk.goes(3, KALSHI_READ).await;
        let eager = RetryPolicy { longest_wait: Duration::from_secs(100), ..RetryPolicy::default() };
        let patient = patient.with_retry(eager).with_rate_wait(Duration::from_secs(59));
        let error = patient.list_accounts().send().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1), "{error}");
        assert!(!waiting.is_finished());
        advance(Duration::from_secs(60)).await;
        waiting.await.unwrap().unwrap();
    });
}

#[test]
fn a_login_is_billed_too() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let environment = yativo::Environment::Custom(desk.server.base_url.clone());
        let credentials = yativo::Credentials::api_key("key", "secret").unwrap();
        let client = finish(yativo::Client::builder(environment).credentials(credentials), &RateLimits::new()).unwrap();
        for _ in 0..59 {
            client.list_accounts().send().await.unwrap();
        }
        let error = client.list_accounts().send().await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(60))));
        let paths: Vec<String> =
            desk.server.seen().iter().map(|seen| seen.head.split(' ').nth(1).unwrap().to_owned()).collect();
        assert_eq!((paths.len(), paths.iter().filter(|path| *path == "/auth/token").count()), (60, 1));
    });
}

#[test]
fn a_second_login_within_two_minutes_is_not_sent() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let environment = bayse::Environment::Custom(desk.server.base_url.clone());
        let credentials = bayse::Credentials::login("me@example.com", "pass").unwrap();
        let builder = bayse::Client::builder(environment).credentials(credentials);
        let client = builder.rate_limits(RateLimits::new()).retry(AT_ONCE).build().unwrap();
        client.list_api_keys().send().await.unwrap();
        // The venue no longer takes the session.
        desk.answers(refusal(401, "", r#"{"statusCode":401,"error":"unauthorized","message":"x"}"#));
        let error = client.list_api_keys().send().await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(120)), "{error}");
        assert!(!error.may_have_been_applied() && error.kind() == ErrorKind::RateLimited, "{error}");
        assert_eq!(desk.sent(), 3, "a login, a list, and one that was refused");
        advance(Duration::from_secs(120)).await;
        client.list_api_keys().send().await.unwrap();
        assert_eq!(desk.sent(), 5);
    });
}

#[test]
fn an_order_whose_answer_was_lost_may_have_been_placed_also_when_its_repetition_is_held_back() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.goes(9, KALSHI_ORDER).await;
        desk.answers(Vec::new());
        let error = kalshi_order(&desk.kalshi.with_retry(AT_ONCE)).send().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), desk.sent()), (ErrorKind::RateLimited, 2, 10), "{error}");
        assert!(error.may_have_been_applied() && !error.is_retryable(), "{error}");
        assert_eq!(error.retry_after(), Some(millis(100)));
        let body: Value = serde_json::from_slice(&desk.server.seen()[9].body).unwrap();
        assert_eq!(body["client_order_id"].as_str(), error.idempotency_key());
    });
}

/// A budget that notes what it is asked and told, and can be out of reach.
#[derive(Clone, Debug, Default)]
struct Noting(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    taken: Mutex<Vec<(Debit, Duration)>>,
    told: Mutex<Vec<(Debit, Told)>>,
    gone: AtomicBool,
    gone_once: AtomicBool,
}

#[derive(Debug)]
struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the cable is cut")
    }
}

impl std::error::Error for Gone {}

impl RateBudget for Noting {
    fn take<'a>(&'a self, debit: &'a Debit, longest: Duration) -> RateFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            self.0.taken.lock().unwrap().push((*debit, longest));
            if self.0.gone.load(Ordering::SeqCst) || self.0.gone_once.swap(false, Ordering::SeqCst) {
                return Err(Refused::Unreachable(Box::new(Gone)));
            }
            Ok(())
        })
    }

    fn learn<'a>(&'a self, debit: &'a Debit, told: Told) -> RateFuture<'a, ()> {
        self.0.told.lock().unwrap().push((*debit, told));
        Box::pin(std::future::ready(()))
    }
}

impl Noting {
    fn taken(&self) -> Vec<Debit> {
        std::mem::take(&mut *self.0.taken.lock().unwrap()).into_iter().map(|(debit, _)| debit).collect()
    }
}

fn order_debit() -> Debit {
    let limits = &[Limit::Refill { per_second_millis: 100_000, capacity: 100 }];
    Debit { venue: "kalshi", bucket: "write", limits, tokens: 10 }
}

#[test]
fn a_budget_of_ones_own_is_asked_for_every_attempt() {
    at_a_standstill(async {
        let budget = Noting::default();
        let desk = Desk::new(RateLimits::shared(budget.clone())).await;
        desk.goes(1, KALSHI_ORDER).await;
        assert_eq!(budget.taken(), [order_debit()]);

        // Repetitions are calls for the venue too.
        let client = desk.kalshi.with_retry(AT_ONCE);
        for _ in 0..2 {
            desk.answers(refusal(503, "", ""));
        }
        desk.answers(Vec::new());
        kalshi_order(&client).send().await.unwrap();
        assert_eq!(budget.taken(), [order_debit(); 4]);

        // It is told what the venue says, and what each call costs.
        desk.answers(refusal(429, "retry-after: 2.5\r\n", ""));
        KALSHI_ORDER(&desk).await.unwrap_err();
        desk.answers(refusal(429, "", ""));
        KALSHI_ORDER(&desk).await.unwrap_err();
        let told = std::mem::take(&mut *budget.0.told.lock().unwrap());
        let expected = [Some(millis(2_500)), None].map(|lasts| (order_debit(), Told { left: 0, lasts }));
        assert_eq!(told, expected, "and nothing of the calls that went well");
        budget.taken();
        bayse_batch(&desk.bayse, 7).send().await.unwrap();
        let limits = &[Limit::Window { count: 20, seconds: 1 }];
        assert_eq!(budget.taken(), [Debit { venue: "bayse", bucket: "write", limits, tokens: 7 }]);

        // How long a call would wait is what it says, and no longer than it may take.
        let timeouts = Timeouts { call: Duration::from_secs(30), ..Timeouts::default() };
        let environment = yativo::Environment::Custom(desk.server.base_url.clone());
        let builder = yativo::Client::builder(environment).timeouts(timeouts);
        let credentials = yativo::Credentials::token("t0ken").unwrap();
        let limits = RateLimits::shared(budget.clone()).tier("pro");
        let client = builder.credentials(credentials).rate_limits(limits).build().unwrap();
        for client in [&client, &client.with_rate_wait(Duration::from_secs(3)), &client.with_rate_wait(Duration::ZERO)]
        {
            client.list_accounts().send().await.unwrap();
        }
        let taken = std::mem::take(&mut *budget.0.taken.lock().unwrap());
        let (longest, asked) = (taken[0].1, [taken[1].1, taken[2].1]);
        assert!(longest <= Duration::from_secs(30) && longest > Duration::from_secs(3), "{longest:?}");
        assert_eq!(asked, [Duration::from_secs(3), Duration::ZERO]);
        assert!(
            taken.iter().all(|(debit, _)| debit.limits == [Limit::Window { count: 300, seconds: 60 }]),
            "{taken:?}"
        );
    });
}

#[test]
fn a_budget_out_of_reach_is_a_network_error_and_nothing_is_sent() {
    at_a_standstill(async {
        let budget = Noting::default();
        let desk = Desk::new(RateLimits::shared(budget.clone())).await;
        budget.0.gone.store(true, Ordering::SeqCst);
        let error = KALSHI_CANCEL(&desk).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), error.retry_after()), (ErrorKind::Network, 1, None), "{error}");
        assert!(!error.may_have_been_applied() && error.is_retryable(), "{error}");
        assert!(error.message().contains("the cable is cut"), "{error}");
        assert!(std::error::Error::source(&error).is_some_and(|source| source.is::<Gone>()), "{error:?}");

        // It passes, so that even a write that is never repeated otherwise is: it was not sent.
        budget.taken();
        let client = desk.kalshi.with_retry(AT_ONCE);
        let error = client.cancel_order_v2().order_id("o-1").send().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), budget.taken().len()), (ErrorKind::Network, 4, 4), "{error}");
        assert!(!error.may_have_been_applied() && desk.sent() == 0, "{error}");
        budget.0.gone.store(false, Ordering::SeqCst);
        budget.0.gone_once.store(true, Ordering::SeqCst);
        client.cancel_order_v2().order_id("o-1").send().await.unwrap();
        assert_eq!((desk.sent(), budget.taken().len()), (1, 2));
    });
}
