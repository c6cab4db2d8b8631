//! Every venue, every class of operation, every fault: how often the venue executed the operation, how often it was asked, and what
//! the caller was told. No write is ever executed twice.

#[path = "common/proxy.rs"]
mod proxy;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use proxy::{FAULTS, Fault, Proxy};
use venuekit::auth::KeyKind;
use venuekit::keys::{ApiKeys, NewKey};
use venuekit::transport::{ClientBuilder, Connect, RateLimits, RetryPolicy, Timeouts};
use venuekit::wire::operation::{Key, Retry, Venue};
use venuekit::{Error, ErrorKind, bayse, binance, deribit, kalshi, kalshi_perps, yativo};
use venuekit_sandbox::{Accounts, Sandbox};

/// What a fault leaves the caller with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// A successful response.
    None,
    /// The venue's word that it did nothing, and that it may be asked again.
    Refused,
    /// No word on what was done. It passes.
    Passing,
    /// The same, and it would come again.
    Lasting,
}

fn effect(fault: Fault) -> Effect {
    match fault {
        Fault::WrongType => Effect::None,
        Fault::Status(429) | Fault::RetryAfter(429, _) | Fault::RetryDate(429, _) => Effect::Refused,
        Fault::Status(500) | Fault::StatusAfter(500) => Effect::Lasting,
        fault if fault.is_impostor() => Effect::Lasting,
        _ => Effect::Passing,
    }
}

/// What the caller is told of a fault if the call is not repeated.
fn kind(fault: Fault) -> ErrorKind {
    match fault {
        Fault::Refuse | Fault::ResetBefore | Fault::ResetAfter | Fault::Cut => ErrorKind::Network,
        Fault::Stall | Fault::StallAfter => ErrorKind::Timeout,
        fault if fault.is_impostor() => ErrorKind::Decode,
        Fault::Status(503) | Fault::RetryAfter(503, _) | Fault::RetryDate(503, _) | Fault::StatusAfter(503) => {
            ErrorKind::Maintenance
        }
        _ => ErrorKind::Server,
    }
}

/// A client of each venue.
struct Clients {
    kalshi: kalshi::Client,
    kalshi_perps: kalshi_perps::Client,
    bayse: bayse::Client,
    binance: binance::Client,
    yativo: yativo::Client,
    deribit: deribit::Client,
}

/// What all cells share: the sandbox, clients that meet no fault, and what orders and transfers are about.
struct World {
    sandbox: Sandbox,
    direct: Clients,
    market: String,
    event: (String, String, String),
    wallet: serde_json::Value,
}

/// The clients of one cell, behind its own proxy.
struct Desk {
    world: Arc<World>,
    proxy: Proxy,
    to: Clients,
}

type Outcome<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// A call of one venue's operation, `number` distinguishes calls.
type Call = for<'a> fn(&'a Desk, number: usize) -> Outcome<'a>;

/// A row: the venue, the operation, how the sandbox counts it, and the call.
type Row = (&'static Venue, &'static str, &'static str, Call);

const ROWS: [Row; 14] = [
    (&kalshi::VENUE, "get_balance", "kalshi GET /trade-api/v2/portfolio/balance", |desk, _| {
        Box::pin(async { desk.to.kalshi.get_balance().send().await.map(drop) })
    }),
    (&kalshi::VENUE, "create_order_v2", "kalshi POST /trade-api/v2/portfolio/events/orders", |desk, _| {
        Box::pin(desk.kalshi_order(None))
    }),
    (&kalshi::VENUE, "generate_api_key", "kalshi POST /trade-api/v2/api_keys/generate", |desk, _| {
        use kalshi::types::ApiKeyType;
        let call = desk.to.kalshi.generate_api_key().body_map(|key| key.name("bot").key_type(ApiKeyType::Ed25519));
        Box::pin(async { call.send().await.map(drop) })
    }),
    (&bayse::VENUE, "get_portfolio", "bayse GET /v1/pm/portfolio", |desk, _| {
        Box::pin(async { desk.to.bayse.get_portfolio().send().await.map(drop) })
    }),
    (&bayse::VENUE, "batch_place_orders", "bayse POST /v1/pm/orders/batch", |desk, _| Box::pin(desk.bayse_batch(None))),
    (&bayse::VENUE, "place_order", "bayse POST /v1/pm/events/{eventId}/markets/{marketId}/orders", |desk, _| {
        Box::pin(desk.bayse_order())
    }),
    (&binance::VENUE, "get_account", "binance GET /api/v3/account", |desk, _| {
        Box::pin(async { desk.to.binance.get_account().send().await.map(drop) })
    }),
    (&binance::VENUE, "new_order", "binance POST /api/v3/order", |desk, _| {
        use binance::types::{OrderType, Side, TimeInForce};
        let order = desk.to.binance.new_order().symbol("BTCUSDT").side(Side::Buy).type_(OrderType::Limit);
        let order = order.time_in_force(TimeInForce::Gtc).quantity("0.001").price("50000");
        Box::pin(async { order.send().await.map(drop) })
    }),
    (&yativo::VENUE, "list_accounts", "yativo GET /api/v1/accounts/get-accounts", |desk, _| {
        Box::pin(async { desk.to.yativo.list_accounts().send().await.map(drop) })
    }),
    (&yativo::VENUE, "send_funds", "yativo POST /api/v1/transactions/send-funds", |desk, _| {
        Box::pin(desk.yativo_transfer(None))
    }),
    (&yativo::VENUE, "create_api_key", "yativo POST /api/v1/apikey/generate", |desk, number| {
        let call = desk.to.yativo.create_api_key().body_map(|key| key.key_name(format!("bot {number}")));
        Box::pin(async { call.send().await.map(drop) })
    }),
    (&deribit::VENUE, "get_account_summary", "deribit POST /api/v2/private/get_account_summary", |desk, _| {
        let currency = deribit::types::Currency::Btc;
        let call = desk.to.deribit.get_account_summary().body_map(|params| params.currency(currency));
        Box::pin(async { call.send().await.map(drop) })
    }),
    (&deribit::VENUE, "buy", "deribit POST /api/v2/private/buy", |desk, _| {
        let call = desk.to.deribit.buy().body_map(|p| p.instrument_name("BTC-PERPETUAL").amount("10").price("1000"));
        Box::pin(async { call.send().await.map(drop) })
    }),
    (&deribit::VENUE, "create_api_key", "deribit POST /api/v2/private/create_api_key", |desk, _| {
        Box::pin(async {
            let new = NewKey::named("bot").scopes(["account:read"]).local(KeyKind::Ed25519);
            desk.to.deribit.keys().create(new).await.map(drop)
        })
    }),
];

/// A caller's own idempotency key.
fn own_key(number: usize) -> String {
    format!("own-key-{number}")
}

/// The same with a caller's own idempotency key. They have a sandbox to themselves, which counts by operation.
const OWN_KEYS: [Row; 3] = [
    (&kalshi::VENUE, "create_order_v2", "kalshi POST /trade-api/v2/portfolio/events/orders", |desk, number| {
        Box::pin(desk.kalshi_order(Some(own_key(number))))
    }),
    (&bayse::VENUE, "batch_place_orders", "bayse POST /v1/pm/orders/batch", |desk, number| {
        Box::pin(desk.bayse_batch(Some(own_key(number))))
    }),
    (&yativo::VENUE, "send_funds", "yativo POST /api/v1/transactions/send-funds", |desk, number| {
        Box::pin(desk.yativo_transfer(Some(own_key(number))))
    }),
];

impl Clients {
    /// Fresh ones: none has spent of its repetitions yet.
    fn new(sandbox: &Sandbox, url: &str, timeouts: Timeouts) -> Self {
        fn set<C: Connect>(builder: ClientBuilder<C>, timeouts: Timeouts) -> C {
            let retry = RetryPolicy { first_wait: Duration::from_millis(1), ..RetryPolicy::default() };
            let builder = builder.retry(retry).timeouts(timeouts).rate_limits(RateLimits::none());
            // A connection for each request, so that none meets the fate of another. Root certificates take long to load.
            builder.http_client(|http| http.pool_max_idle_per_host(0).tls_certs_only([])).build().unwrap()
        }
        let accounts = sandbox.accounts();

        let account = &accounts.kalshi[0];
        let pem = account.private_key_pem.as_ref().unwrap();
        let credentials = kalshi::Credentials::from_pem(&account.key_id, pem).unwrap();
        let builder = kalshi::Client::builder(kalshi::Environment::Custom(format!("{url}/trade-api/v2")));
        let kalshi = set(builder.credentials(credentials), timeouts);

        let credentials = kalshi_perps::Credentials::from_pem(&account.key_id, pem).unwrap();
        let builder = kalshi_perps::Client::builder(kalshi_perps::Environment::Custom(format!("{url}/trade-api/v2")));
        let kalshi_perps = set(builder.credentials(credentials), timeouts);

        let account = &accounts.bayse[0];
        let credentials = bayse::Credentials::api_key(&*account.public_key, &*account.secret_key).unwrap();
        let builder = bayse::Client::builder(bayse::Environment::Custom(url.to_owned()));
        let bayse = set(builder.credentials(credentials), timeouts);

        let account = &accounts.binance[0];
        let secret = account.api_secret.as_deref().unwrap();
        let credentials = binance::Credentials::api_key(&account.api_key, secret).unwrap();
        let builder = binance::Client::builder(binance::Environment::Custom(url.to_owned()));
        let binance = set(builder.credentials(credentials), timeouts);

        let account = &accounts.yativo[0];
        let credentials = yativo::Credentials::api_key(&account.api_key, &*account.api_secret).unwrap();
        let builder = yativo::Client::builder(yativo::Environment::Custom(format!("{url}/api/v1")));
        let yativo = set(builder.credentials(credentials), timeouts);

        let account = &accounts.deribit[0];
        let secret = account.client_secret.as_deref().unwrap();
        let credentials = deribit::Credentials::secret(&account.client_id, secret).unwrap();
        let builder = deribit::Client::builder(deribit::Environment::Custom(format!("{url}/api/v2")));
        let deribit = set(builder.credentials(credentials), timeouts);
        Self { kalshi, kalshi_perps, bayse, binance, yativo, deribit }
    }
}

impl World {
    async fn new() -> Arc<Self> {
        let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
        let direct = Clients::new(&sandbox, &sandbox.base_url(), Timeouts::default());

        let open = kalshi::types::MarketStatusFilter::Open;
        let markets = direct.kalshi.get_markets().status(open).limit(1).send().await.unwrap();
        let market = markets.markets[0].ticker.to_string();

        let events = direct.bayse.list_events().size(100).send().await.unwrap();
        let event = events.events.iter().find(|event| event.engine.as_ref().is_some_and(|e| e.to_string() == "CLOB"));
        let event = event.expect("the sandbox has an order book");
        let one = &event.markets[0];
        let event = (event.id.to_string(), one.id.to_string(), one.outcome1_id.clone().unwrap().to_string());

        // The client does not know the operation that lists wallets; a wallet is all that is wanted of it here.
        let account = &sandbox.accounts().yativo[0];
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let wallets = http.post(format!("{}/assets/get-user-assets", sandbox.yativo_url()));
        let wallets = wallets.header("x-api-key", &account.api_key).header("x-api-secret", &account.api_secret);
        let wallets: serde_json::Value =
            wallets.json(&serde_json::json!({})).send().await.unwrap().json().await.unwrap();
        let wallet = wallets["data"][0].clone();
        Arc::new(Self { sandbox, direct, market, event, wallet })
    }

    fn executed(&self, counted: &str) -> u64 {
        self.sandbox.executed().get(counted).copied().unwrap_or_default()
    }

    /// Takes away the keys that a row has made: an account has room for a few.
    async fn remove_keys(&self, (venue, id, ..): Row) {
        match (venue.name, id) {
            ("deribit", "create_api_key") => revoke(self.direct.deribit.keys()).await,
            ("yativo", "create_api_key") => revoke(self.direct.yativo.keys()).await,
            _ => {}
        }
    }
}

async fn revoke(keys: impl ApiKeys) {
    for key in keys.list().await.unwrap() {
        if key.name.is_some_and(|name| name.starts_with("bot")) && key.enabled != Some(false) {
            keys.revoke(&key.id).await.unwrap();
        }
    }
}

impl Desk {
    async fn new(world: &Arc<World>) -> Self {
        Self::with(world, Timeouts::default()).await
    }

    /// The desk of a call that meets this fault.
    async fn before(world: &Arc<World>, fault: Fault) -> Self {
        // A response that does not come is waited for no longer than one takes that does come, on a busy machine too.
        let short = Timeouts::default().with_attempt(Duration::from_secs(4));
        let is_silent = matches!(fault, Fault::Stall | Fault::StallAfter);
        Self::with(world, if is_silent { short } else { Timeouts::default() }).await
    }

    async fn with(world: &Arc<World>, timeouts: Timeouts) -> Self {
        let proxy = Proxy::before(&world.sandbox.base_url()).await;
        let to = Clients::new(&world.sandbox, &proxy.base_url, timeouts);
        Self { world: world.clone(), proxy, to }
    }

    /// The fault is meant for the call and not for the login before it.
    async fn log_in(&self, venue: &Venue) {
        if venue.name == "yativo" {
            self.to.yativo.list_transactions().send().await.unwrap();
        }
        self.proxy.take_seen();
    }

    async fn kalshi_order(&self, key: Option<String>) -> Result<(), Error> {
        use kalshi::types::{BookSide, SelfTradePreventionType, TimeInForce};
        let order = self.to.kalshi.create_order_v2().body_map(|order| {
            order
                .ticker(&self.world.market)
                .side(BookSide::Bid)
                .count("1")
                .price("0.05")
                .time_in_force(TimeInForce::GoodTillCanceled)
                .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
        });
        let order = match key {
            Some(key) => order.body_map(|order| order.client_order_id(key)),
            None => order,
        };
        order.send().await.map(drop)
    }

    async fn bayse_order(&self) -> Result<(), Error> {
        use bayse::types::{Currency, OrderType, Side};
        let (event, market, outcome) = &self.world.event;
        let call = self.to.bayse.place_order().event_id(event.as_str()).market_id(market.as_str()).body_map(|order| {
            order
                .side(Side::Buy)
                .outcome_id(outcome)
                .amount(100)
                .price("0.10")
                .type_(OrderType::Limit)
                .currency(Currency::Usd)
        });
        call.send().await.map(drop)
    }

    async fn bayse_batch(&self, key: Option<String>) -> Result<(), Error> {
        use bayse::types::{BatchOrder, Currency, OrderType, Side};
        let (_, _, outcome) = &self.world.event;
        let order = BatchOrder::builder().side(Side::Buy).outcome_id(outcome).amount(100).price("0.10");
        let order: BatchOrder = order.type_(OrderType::Limit).currency(Currency::Usd).try_into().unwrap();
        let call = self.to.bayse.batch_place_orders().body_map(|batch| batch.orders(vec![order]));
        let call = match key {
            Some(key) => call.idempotency_key(key),
            None => call,
        };
        call.send().await.map(drop)
    }

    async fn yativo_transfer(&self, key: Option<String>) -> Result<(), Error> {
        let wallet = &self.world.wallet;
        let text = |name: &str| wallet[name].as_str().unwrap_or_else(|| panic!("{name} in {wallet}")).to_owned();
        let call = self.to.yativo.send_funds().body_map(|body| {
            body.account(text("account_id"))
                .assets(text("asset_id"))
                .receiving_address("7fUAJdStEuGbc3sM84cKRL6y")
                .amount("0.01")
                .type_(text("type"))
                .chain(text("chain"))
                .category("payment")
        });
        let call = match key {
            Some(key) => call.idempotency_key(key),
            None => call,
        };
        call.send().await.map(drop)
    }
}

/// Runs one test for each row, side by side.
async fn for_every_row<T: Future<Output = ()> + Send + 'static>(test: impl Fn(Arc<World>, Row) -> T) {
    for rows in [&ROWS[..], &OWN_KEYS[..]] {
        let world = World::new().await;
        let rows: Vec<_> = rows.iter().map(|row| tokio::spawn(test(world.clone(), *row))).collect();
        for row in rows {
            if let Err(failed) = row.await {
                std::panic::resume_unwind(failed.into_panic());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_executes_a_write_twice() {
    for_every_row(every_fault).await;
}

async fn every_fault(world: Arc<World>, (venue, id, counted, call): Row) {
    // The count is by the name the call is known under: without a fault it is executed once.
    let before = world.executed(counted);
    call(&Desk::new(&world).await, 0).await.unwrap_or_else(|error| panic!("{}: {error}", venue.name));
    assert_eq!(world.executed(counted) - before, 1, "{counted} in {:?}", world.sandbox.executed());
    for (number, fault) in FAULTS.into_iter().enumerate() {
        cell(&world, (venue, id, counted, call), fault, number + 1).await;
        world.remove_keys((venue, id, counted, call)).await;
    }
}

async fn cell(world: &Arc<World>, (venue, id, counted, call): Row, fault: Fault, number: usize) {
    let operation = venue.operation(id).unwrap();
    let what = format!("{} {id} {:?} {fault:?}", venue.name, operation.retry);
    let desk = Desk::before(world, fault).await;
    desk.log_in(venue).await;
    let before = world.executed(counted);
    desk.proxy.next(fault);
    let outcome = call(&desk, number).await;
    let executed = world.executed(counted) - before;
    let asked = desk.proxy.take_seen();

    let effect = effect(fault);
    let repeated = match operation.retry {
        Retry::Safe | Retry::Keyed(_) => matches!(effect, Effect::Refused | Effect::Passing),
        Retry::Never => effect == Effect::Refused,
    };
    assert_eq!(asked.len(), if repeated { 2 } else { 1 }, "{what}: {asked:?}");
    assert_eq!(asked[0].fault, Some(fault), "{what}");
    if let (Fault::RetryAfter(_, seconds) | Fault::RetryDate(_, seconds), [first, second]) = (fault, &*asked) {
        let waited = second.at.duration_since(first.at);
        assert!(waited >= Duration::from_secs(seconds), "{what}: {waited:?}");
    }

    let first = u64::from(fault.passes_on());
    let again = u64::from(repeated);
    // Kalshi refuses the second order, and by its key it is the first; the others return the first response again.
    let is_duplicate = fault.passes_on() && repeated && matches!(operation.retry, Retry::Keyed(Key::Field(_)));
    match operation.retry {
        Retry::Safe => assert_eq!(executed, first + again, "{what}"),
        Retry::Keyed(_) => assert_eq!(executed, first.max(again), "{what}"),
        Retry::Never => assert_eq!(executed, first + again, "{what}: asked again only if it was not executed"),
    }
    assert!(executed <= 1 || operation.retry == Retry::Safe, "{what}");

    assert_eq!(outcome.is_ok(), effect == Effect::None || repeated && !is_duplicate, "{what}: {outcome:?}");
    let Err(error) = outcome else { return };
    let expected = if is_duplicate { ErrorKind::Conflict } else { kind(fault) };
    assert_eq!(error.kind(), expected, "{what}: {error}");
    assert_eq!(error.may_have_been_applied(), operation.retry != Retry::Safe, "{what}: {error}");
    assert_eq!(error.reconcile_with().is_some(), operation.retry != Retry::Safe, "{what}: {error}");
    assert_eq!(error.attempts() as usize, asked.len(), "{what}: {error}");
    assert_eq!(error.idempotency_key().is_some(), matches!(operation.retry, Retry::Keyed(_)), "{what}: {error}");
    if let Fault::RetryAfter(_, seconds) | Fault::RetryDate(_, seconds) = fault {
        assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)), "{what}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_connection_nothing_is_executed_and_the_caller_knows() {
    for_every_row(no_connection).await;
}

async fn no_connection(world: Arc<World>, (venue, id, counted, call): Row) {
    let what = format!("{} {id}", venue.name);
    let desk = Desk::new(&world).await;
    desk.log_in(venue).await;
    let before = world.executed(counted);
    desk.proxy.close().await;
    let error = call(&desk, 0).await.expect_err(&what);
    assert_eq!(world.executed(counted), before, "{what}");
    // Any class is repeated: the venue has certainly not seen the call.
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Network, 4), "{what}: {error}");
    assert!(!error.may_have_been_applied() && error.is_retryable(), "{what}: {error}");
}

/// A refusal as the venue itself writes it, with a wait of a second.
fn refusal(venue: &Venue) -> Option<(u16, &'static str)> {
    Some(match venue.name {
        "bayse" => (429, r#"{"message":"too many requests","retryAfter":1}"#),
        "yativo" => (429, r#"{"error":"rate_limit_exceeded","message":"slow down","retry_after":1}"#),
        "deribit" => {
            (400, r#"{"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests","data":{"wait":1}}}"#)
        }
        // Kalshi's refusal carries no wait.
        _ => return None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_in_the_venues_own_words_is_kept() {
    for_every_row(own_words).await;
}

async fn own_words(world: Arc<World>, (venue, id, counted, call): Row) {
    let what = format!("{} {id}", venue.name);
    let Some((status, body)) = refusal(venue) else { return };
    let desk = Desk::new(&world).await;
    desk.log_in(venue).await;
    let before = world.executed(counted);
    desk.proxy.next(Fault::Answer(status, body));
    call(&desk, 1000).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(world.executed(counted) - before, 1, "{what}");
    let asked = desk.proxy.take_seen();
    let [first, second] = &*asked else { panic!("{what}: {asked:?}") };
    let waited = second.at.duration_since(first.at);
    assert!(waited >= Duration::from_secs(1), "{what}: {waited:?}");
}

/// Waits that make no sense, or cannot be read.
const UNBELIEVABLE: [&str; 9] = [
    "1e19",
    "18446744073709551615",
    "99999999999999999999999999",
    "-1",
    "NaN",
    "inf",
    "soon",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Sun, 99 Nov 2026 03:00:00 GMT",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_that_nobody_can_mean_is_an_hour_and_ends_the_call() {
    for_every_row(unbelievable).await;
}

async fn unbelievable(world: Arc<World>, (venue, id, counted, call): Row) {
    let desk = Desk::new(&world).await;
    desk.log_in(venue).await;
    let before = world.executed(counted);
    for (number, text) in UNBELIEVABLE.into_iter().enumerate() {
        for status in [429, 503] {
            let what = format!("{} {id} {status} {text}", venue.name);
            desk.proxy.next(Fault::RetryText(status, text));
            let error = call(&desk, 2_000 + number).await.expect_err(&what);
            assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)), "{what}: {error}");
            assert_eq!((error.attempts(), desk.proxy.take_seen().len()), (1, 1), "{what}: {error}");
        }
    }
    assert_eq!(world.executed(counted), before, "{} {id}", venue.name);
}

/// A call with a caller's own idempotency key.
type Keyed = for<'a> fn(&'a Desk, key: &'a str) -> Outcome<'a>;

/// Every operation that is repeated by its key.
const KEYED: [(&Venue, &str, Keyed); 11] =
    [
        (&kalshi::VENUE, "create_order_v2", |desk, key| Box::pin(desk.kalshi_order(Some(key.to_owned())))),
        (&kalshi::VENUE, "apply_subaccount_transfer", |desk, key| {
            let call = desk.to.kalshi.apply_subaccount_transfer();
            let call = call.body_map(|t| t.client_transfer_id(key).from_subaccount(0).to_subaccount(1).amount_cents(1));
            Box::pin(async { call.send().await.map(drop) })
        }),
        (&kalshi_perps::VENUE, "create_margin_order", |desk, key| {
            use kalshi_perps::types::{BookSide, SelfTradePreventionType, TimeInForce};
            let call = desk.to.kalshi_perps.create_margin_order().body_map(|order| {
                order
                    .ticker("KXBTCPERP")
                    .client_order_id(key)
                    .side(BookSide::Bid)
                    .count("1")
                    .price("0.05")
                    .time_in_force(TimeInForce::GoodTillCanceled)
                    .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
            });
            Box::pin(async { call.send().await.map(drop) })
        }),
        (&kalshi_perps::VENUE, "apply_margin_subaccount_transfer", |desk, key| {
            let call = desk.to.kalshi_perps.apply_margin_subaccount_transfer();
            let call = call.body_map(|t| t.client_transfer_id(key).from_subaccount(0).to_subaccount(1).amount_cents(1));
            Box::pin(async { call.send().await.map(drop) })
        }),
        (&kalshi_perps::VENUE, "intra_exchange_instance_transfer", |desk, key| {
            use kalshi_perps::types::ExchangeInstance;
            let call = desk.to.kalshi_perps.intra_exchange_instance_transfer().body_map(|t| {
                let t = t.source(ExchangeInstance::EventContract).destination(ExchangeInstance::Margined);
                t.client_transfer_id(key).amount(1)
            });
            Box::pin(async { call.send().await.map(drop) })
        }),
        (&bayse::VENUE, "batch_place_orders", |desk, key| Box::pin(desk.bayse_batch(Some(key.to_owned())))),
        (&bayse::VENUE, "batch_cancel_orders", |desk, key| {
            let call = desk.to.bayse.batch_cancel_orders().body_map(|body| body.order_ids(["a-1"]));
            let call = call.idempotency_key(key);
            Box::pin(async { call.send().await.map(drop) })
        }),
        (&bayse::VENUE, "batch_amend_orders", |desk, key| {
            use bayse::types::BatchAmendment;
            let call = desk.to.bayse.batch_amend_orders().body_map(|body| body.items(Vec::<BatchAmendment>::new()));
            let call = call.idempotency_key(key);
            Box::pin(async { call.send().await.map(drop) })
        }),
        (&yativo::VENUE, "send_funds", |desk, key| Box::pin(desk.yativo_transfer(Some(key.to_owned())))),
        (&deribit::VENUE, "withdraw", |desk, key| {
            let call = desk.to.deribit.withdraw().body_map(|params| {
                params.currency(deribit::types::Currency::Btc).address("bc1q").amount("0.1").nonce(key)
            });
            Box::pin(async { call.send().await.map(drop) })
        }),
        (&deribit::VENUE, "submit_transfer_between_subaccounts", |desk, key| {
            let call = desk.to.deribit.submit_transfer_between_subaccounts().body_map(|params| {
                params.currency(deribit::types::Currency::Btc).amount("0.1").destination(2).nonce(key)
            });
            Box::pin(async { call.send().await.map(drop) })
        }),
    ];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unusable_key_is_refused_before_anything_is_sent() {
    let venues = [&kalshi::VENUE, &kalshi_perps::VENUE, &bayse::VENUE, &yativo::VENUE, &deribit::VENUE];
    for venue in venues {
        for operation in venue.operations.iter().filter(|operation| matches!(operation.retry, Retry::Keyed(_))) {
            let is_tried = |(of, id, _): &(&Venue, &str, Keyed)| of.name == venue.name && *id == operation.id;
            assert!(KEYED.iter().any(is_tried), "{} {}", venue.name, operation.id);
        }
    }
    let world = World::new().await;
    let desk = Desk::new(&world).await;
    let long = "x".repeat(300);
    let none = [
        "",
        " ",
        "\t",
        "\r\n",
        "\u{a0}\u{3000}",
        "\u{200b}",
        "\u{feff}",
        "a\nb",
        "a\u{0}b",
        " own-key-1",
        "own-key-1 ",
        &long,
    ];
    for (venue, id, call) in KEYED {
        for key in none {
            let what = format!("{} {id} {key:?}", venue.name);
            let error = call(&desk, key).await.expect_err(&what);
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{what}: {error}");
            assert!(!error.may_have_been_applied(), "{what}: {error}");
        }
    }
    assert!(desk.proxy.take_seen().is_empty(), "nothing was sent");
}
