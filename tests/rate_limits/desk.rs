//! Clients of every venue against one server, a clock that stands still, and the calls that are counted.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::canned::{Canned, Script, Seen, http};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::kalshi::types::{BookSide, SelfTradePreventionType, TimeInForce};
use venuekit::transport::{Connect, RateLimits, RetryPolicy};
use venuekit::{Error, ErrorKind, bayse, deribit, kalshi, yativo};

pub fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Runs a test with a clock that moves by `advance` only, while sockets work as ever.
pub fn at_a_standstill<T>(test: impl Future<Output = T>) -> T {
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
pub struct Desk {
    pub server: Canned,
    pub next: Arc<Mutex<VecDeque<Vec<u8>>>>,
    pub kalshi: kalshi::Client,
    pub bayse: bayse::Client,
    pub yativo: yativo::Client,
    pub deribit: deribit::Client,
}

/// No wait between attempts: the clock would have to be moved for it.
pub const AT_ONCE: RetryPolicy = RetryPolicy { attempts: 4, first_wait: Duration::ZERO, longest_wait: Duration::ZERO };

pub fn finish<C: Connect>(builder: venuekit::transport::ClientBuilder<C>, limits: &RateLimits) -> Result<C, Error> {
    builder.rate_limits(limits.clone()).rate_wait(Duration::ZERO).retry(RetryPolicy::none()).build()
}

pub fn kalshi_at(url: &str, limits: &RateLimits) -> Result<kalshi::Client, Error> {
    let credentials = kalshi::Credentials::new("key-id", PrivateKey::generate(KeyKind::Ed25519).unwrap()).unwrap();
    let builder = kalshi::Client::builder(kalshi::Environment::Custom(url.to_owned()));
    finish(builder.credentials(credentials), limits)
}

pub fn bayse_at(url: &str, limits: &RateLimits) -> Result<bayse::Client, Error> {
    let credentials = bayse::Credentials::session("token", "device").unwrap().and_api_key("pk", "sk").unwrap();
    let builder = bayse::Client::builder(bayse::Environment::Custom(url.to_owned()));
    finish(builder.credentials(credentials), limits)
}

pub fn yativo_at(url: &str, limits: &RateLimits) -> Result<yativo::Client, Error> {
    let builder = yativo::Client::builder(yativo::Environment::Custom(url.to_owned()));
    finish(builder.credentials(yativo::Credentials::token("t0ken").unwrap()), limits)
}

pub fn deribit_at(url: &str, limits: &RateLimits) -> Result<deribit::Client, Error> {
    let builder = deribit::Client::builder(deribit::Environment::Custom(url.to_owned()));
    finish(builder.credentials(deribit::Credentials::secret("AMANDA", "AMANDASECRECT").unwrap()), limits)
}

impl Desk {
    /// No call waits and none is repeated, unless a test says so.
    pub async fn new(limits: RateLimits) -> Self {
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

    /// The next request is answered so. An empty response is a connection that is closed.
    pub fn answers(&self, answer: Vec<u8>) {
        self.next.lock().unwrap().push_back(answer);
    }

    pub fn sent(&self) -> usize {
        self.server.seen().len()
    }

    /// Makes a call so often, and each of them goes.
    pub async fn goes(&self, count: usize, call: Call) {
        let before = self.sent();
        for number in 0..count {
            call(self).await.unwrap_or_else(|error| panic!("{number}: {error}"));
        }
        assert_eq!(self.sent() - before, count);
    }

    /// Makes a call that the limiter holds back, and returns the wait that it reports.
    pub async fn is_held_back(&self, call: Call) -> Duration {
        let before = self.sent();
        let error = call(self).await.expect_err("it is over the limit");
        assert_eq!(self.sent(), before, "nothing is sent");
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1), "{error}");
        assert!(!error.may_have_been_applied() && error.is_retryable() && error.status().is_none(), "{error}");
        error.retry_after().expect("it tells the wait")
    }
}

/// A successful response to whatever is asked.
pub fn usual(seen: &Seen) -> Vec<u8> {
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

pub fn refusal(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Canned\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

pub type Call = for<'a> fn(&'a Desk) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

pub const KALSHI_READ: Call = |desk| Box::pin(async { desk.kalshi.get_balance().send().await.map(drop) });
pub const KALSHI_CANCEL: Call =
    |desk| Box::pin(async { desk.kalshi.cancel_order_v2().order_id("o-1").send().await.map(drop) });
pub const KALSHI_ORDER: Call = |desk| Box::pin(async { kalshi_order(&desk.kalshi).send().await.map(drop) });
pub const BAYSE_READ: Call = |desk| Box::pin(async { desk.bayse.list_api_keys().send().await.map(drop) });
pub const BAYSE_WRITE: Call =
    |desk| Box::pin(async { desk.bayse.revoke_api_key().key_id("k-1").send().await.map(drop) });
pub const BAYSE_LOGIN: Call = |desk| {
    let call = desk.bayse.login().body_map(|body| body.email("me@example.com").password("pass"));
    Box::pin(async { call.send().await.map(drop) })
};
pub const YATIVO: Call = |desk| Box::pin(async { desk.yativo.list_accounts().send().await.map(drop) });
pub const DERIBIT_ORDER: Call = |desk| {
    let call = desk.deribit.cancel().body_map(|params| params.order_id("ETH-1"));
    Box::pin(async { call.send().await.map(drop) })
};
pub const DERIBIT_OTHER: Call = |desk| Box::pin(async { desk.deribit.get_time().send().await.map(drop) });
pub const DERIBIT_INSTRUMENTS: Call = |desk| {
    let call = desk.deribit.get_instruments().body_map(|params| params.currency("BTC"));
    Box::pin(async { call.send().await.map(drop) })
};

pub fn kalshi_order(client: &kalshi::Client) -> kalshi::builder::CreateOrderV2<'_> {
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

pub fn bayse_batch(client: &bayse::Client, count: usize) -> bayse::builder::BatchPlaceOrders<'_> {
    use bayse::types::{BatchOrder, OrderType, Side};
    let order = || BatchOrder::builder().side(Side::Buy).outcome_id("f-1").amount(100).type_(OrderType::Market);
    let orders: Vec<BatchOrder> = (0..count).map(|_| order().try_into().unwrap()).collect();
    client.batch_place_orders().orders(orders)
}

/// A call in flight, made by a client that waits.
pub fn under_way(client: &kalshi::Client) -> JoinHandle<Result<(), Error>> {
    let client = client.with_rate_wait(Duration::MAX);
    tokio::spawn(async move { client.cancel_order_v2().order_id("late-1").send().await.map(drop) })
}
