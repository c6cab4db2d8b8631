//! A machine whose clock is off: for each venue that signs timestamps, how often a call is refused for it, how often the venue
//! executes it, and what happens to the client's clock.

#[path = "common/proxy.rs"]
mod proxy;

use std::pin::Pin;
use std::sync::Arc;

use proxy::Proxy;
use venuekit::transport::{ClientBuilder, Clock, Connect, RateLimits};
use venuekit::{Error, ErrorKind, bayse, deribit, kalshi, yativo};
use venuekit_sandbox::{Accounts, Sandbox};

const SECONDS: i64 = 1_000;
const MINUTES: i64 = 60 * SECONDS;

/// What is within the bound, what the venues' windows forgive, and what they do not.
const SHIFTS: [i64; 4] = [10 * SECONDS, -10 * SECONDS, 10 * MINUTES, -10 * MINUTES];

/// What no client believes.
const BEYOND: [i64; 2] = [20 * MINUTES, -20 * MINUTES];

/// A response's `Date` is cut to seconds, and it was in flight for a while: long, on a busy machine.
const NEAR: i64 = 8 * SECONDS;

/// A sandbox, and what an order at Bayse is about.
struct World {
    sandbox: Sandbox,
    event: (String, String, String),
}

/// Fresh clients of a sandbox, behind a proxy that counts what they send. They share one clock.
struct Desk {
    world: Arc<World>,
    proxy: Proxy,
    clock: Clock,
    kalshi: kalshi::Client,
    bayse: bayse::Client,
    yativo: yativo::Client,
    deribit: deribit::Client,
    /// Deribit by a token that a signature is exchanged for.
    login: deribit::Client,
}

type Outcome<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

struct Row {
    name: &'static str,
    /// How the sandbox counts the call.
    counted: &'static str,
    /// How far off a timestamp may be. None for a call that carries none.
    window: Option<i64>,
    /// What the venue's refusal is. Deribit does not say that it was the timestamp.
    refusal: ErrorKind,
    /// Whether a login goes before.
    login: bool,
    call: for<'a> fn(&'a Desk) -> Outcome<'a>,
}

const ROWS: [Row; 10] = [
    Row {
        name: "Kalshi, safe",
        counted: "kalshi GET /trade-api/v2/portfolio/balance",
        window: Some(30 * SECONDS),
        refusal: ErrorKind::Clock,
        login: false,
        call: |desk| Box::pin(async { desk.kalshi.get_balance().send().await.map(drop) }),
    },
    Row {
        name: "Kalshi, never",
        counted: "kalshi POST /trade-api/v2/api_keys/generate",
        window: Some(30 * SECONDS),
        refusal: ErrorKind::Clock,
        login: false,
        call: |desk| Box::pin(new_kalshi_key(&desk.kalshi)),
    },
    Row {
        // Reading carries the public key and nothing else.
        name: "Bayse, safe",
        counted: "bayse GET /v1/pm/portfolio",
        window: None,
        refusal: ErrorKind::Clock,
        login: false,
        call: |desk| Box::pin(async { desk.bayse.get_portfolio().send().await.map(drop) }),
    },
    Row {
        name: "Bayse, never",
        counted: "bayse POST /v1/pm/events/{eventId}/markets/{marketId}/orders",
        window: Some(300 * SECONDS),
        refusal: ErrorKind::Clock,
        login: false,
        call: |desk| Box::pin(bayse_order(desk)),
    },
    Row {
        name: "Deribit by signature, safe",
        counted: "deribit POST /api/v2/private/get_account_summary",
        window: Some(60 * SECONDS),
        refusal: ErrorKind::Unauthorized,
        login: false,
        call: |desk| Box::pin(summary(&desk.deribit)),
    },
    Row {
        name: "Deribit by signature, never",
        counted: "deribit POST /api/v2/private/buy",
        window: Some(60 * SECONDS),
        refusal: ErrorKind::Unauthorized,
        login: false,
        call: |desk| Box::pin(buy(&desk.deribit)),
    },
    Row {
        name: "Deribit by login, safe",
        counted: "deribit POST /api/v2/private/get_account_summary",
        window: Some(60 * SECONDS),
        refusal: ErrorKind::Unauthorized,
        login: true,
        call: |desk| Box::pin(summary(&desk.login)),
    },
    Row {
        name: "Deribit by login, never",
        counted: "deribit POST /api/v2/private/buy",
        window: Some(60 * SECONDS),
        refusal: ErrorKind::Unauthorized,
        login: true,
        call: |desk| Box::pin(buy(&desk.login)),
    },
    Row {
        // A token carries no time.
        name: "Yativo, safe",
        counted: "yativo GET /api/v1/accounts/get-accounts",
        window: None,
        refusal: ErrorKind::Clock,
        login: true,
        call: |desk| Box::pin(async { desk.yativo.list_accounts().send().await.map(drop) }),
    },
    Row {
        name: "Yativo, never",
        counted: "yativo POST /api/v1/apikey/generate",
        window: None,
        refusal: ErrorKind::Clock,
        login: true,
        call: |desk| Box::pin(new_yativo_key(&desk.yativo)),
    },
];

/// What all clients of a desk have in common.
struct Settings<'a> {
    clock: &'a Clock,
    heal: bool,
}

impl Settings<'_> {
    fn on<C: Connect>(&self, builder: ClientBuilder<C>) -> C {
        let builder = builder.rate_limits(RateLimits::none()).clock(self.clock.clone()).correct_clock_skew(self.heal);
        // Root certificates take long to load, and nothing here is TLS.
        builder.http_client(|http| http.tls_certs_only([])).build().unwrap()
    }
}

async fn new_kalshi_key(client: &kalshi::Client) -> Result<(), Error> {
    use kalshi::types::ApiKeyType;
    let call = client.generate_api_key().body_map(|key| key.name("bot").key_type(ApiKeyType::Ed25519));
    call.send().await.map(drop)
}

async fn new_yativo_key(client: &yativo::Client) -> Result<(), Error> {
    client.create_api_key().body_map(|key| key.key_name("bot")).send().await.map(drop)
}

async fn bayse_order(desk: &Desk) -> Result<(), Error> {
    use bayse::types::{Currency, OrderType, Side};
    let (event, market, outcome) = &desk.world.event;
    let call = desk.bayse.place_order().event_id(event.as_str()).market_id(market.as_str()).body_map(|order| {
        let order = order.side(Side::Buy).outcome_id(outcome).amount(100).price("0.10");
        order.type_(OrderType::Limit).currency(Currency::Usd)
    });
    call.send().await.map(drop)
}

async fn summary(client: &deribit::Client) -> Result<(), Error> {
    let currency = deribit::types::Currency::Btc;
    client.get_account_summary().body_map(|params| params.currency(currency)).send().await.map(drop)
}

async fn buy(client: &deribit::Client) -> Result<(), Error> {
    let call = client.buy().body_map(|params| params.instrument_name("BTC-PERPETUAL").amount("10").price("1000"));
    call.send().await.map(drop)
}

impl World {
    async fn new() -> Arc<Self> {
        let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
        let direct = bayse::Client::builder(bayse::Environment::Custom(sandbox.bayse_url()));
        let direct = direct.build().unwrap();
        let events = direct.list_events().size(100).send().await.unwrap();
        let event = events.events.iter().find(|event| event.engine.as_ref().is_some_and(|e| e.to_string() == "CLOB"));
        let event = event.expect("the sandbox has an order book");
        let one = &event.markets[0];
        let event = (event.id.to_string(), one.id.to_string(), one.outcome1_id.clone().unwrap().to_string());
        Arc::new(Self { sandbox, event })
    }

    /// The venues' clock is off by so much.
    fn shift(&self, millis: i64) {
        self.sandbox.clock().set_offset_millis(millis);
    }
}

impl Desk {
    async fn new(world: &Arc<World>, heal: bool) -> Self {
        let clock = Clock::default();
        let set = Settings { clock: &clock, heal };
        let proxy = Proxy::before(&world.sandbox.base_url()).await;
        let (url, accounts) = (&proxy.base_url, world.sandbox.accounts());

        let account = &accounts.kalshi[0];
        let pem = account.private_key_pem.as_ref().unwrap();
        let credentials = kalshi::Credentials::from_pem(&account.key_id, pem).unwrap();
        let builder = kalshi::Client::builder(kalshi::Environment::Custom(format!("{url}/trade-api/v2")));
        let kalshi = set.on(builder.credentials(credentials));

        let account = &accounts.bayse[0];
        let credentials = bayse::Credentials::api_key(&*account.public_key, &*account.secret_key).unwrap();
        let builder = bayse::Client::builder(bayse::Environment::Custom(url.clone()));
        let bayse = set.on(builder.credentials(credentials));

        let account = &accounts.yativo[0];
        let credentials = yativo::Credentials::api_key(&account.api_key, &*account.api_secret).unwrap();
        let builder = yativo::Client::builder(yativo::Environment::Custom(format!("{url}/api/v1")));
        let yativo = set.on(builder.credentials(credentials));

        let account = &accounts.deribit[0];
        let secret = account.client_secret.as_deref().unwrap();
        let [deribit, login] = [
            deribit::Credentials::secret(&account.client_id, secret),
            deribit::Credentials::login(&account.client_id, secret),
        ]
        .map(|credentials| {
            let builder = deribit::Client::builder(deribit::Environment::Custom(format!("{url}/api/v2")));
            set.on(builder.credentials(credentials.unwrap()))
        });
        Self { world: world.clone(), proxy, clock, kalshi, bayse, yativo, deribit, login }
    }

    fn executed(&self, row: &Row) -> u64 {
        self.world.sandbox.executed().get(row.counted).copied().unwrap_or_default()
    }

    /// How many requests were sent since this was asked last.
    fn sent(&self) -> usize {
        self.proxy.take_seen().len()
    }
}

impl Row {
    fn is_refused_at(&self, shift: i64) -> bool {
        self.window.is_some_and(|window| shift.abs() > window)
    }

    /// The requests of a call that no timestamp is refused in.
    fn requests(&self) -> usize {
        1 + usize::from(self.login)
    }
}

#[tokio::test]
async fn a_clock_that_is_off_costs_one_refusal_at_the_most() {
    for row in &ROWS {
        let world = World::new().await;
        for shift in SHIFTS {
            let what = format!("{} at {shift} ms", row.name);
            world.shift(shift);
            let desk = Desk::new(&world, true).await;
            let before = desk.executed(row);
            (row.call)(&desk).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(desk.executed(row) - before, 1, "{what}");
            assert_eq!(desk.sent(), row.requests() + usize::from(row.is_refused_at(shift)), "{what}");
            let learned = desk.clock.offset_millis();
            assert!((learned - shift).abs() < NEAR, "{what}: {learned}");
            // What was learned is kept: the next call is taken at once.
            (row.call)(&desk).await.unwrap_or_else(|error| panic!("{what}, again: {error}"));
            assert_eq!((desk.executed(row) - before, desk.sent()), (2, 1), "{what}, again");
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_not_to_be_healed_stays_and_the_refusal_comes_through() {
    for row in &ROWS {
        let world = World::new().await;
        for shift in SHIFTS {
            let what = format!("{} at {shift} ms", row.name);
            world.shift(shift);
            let desk = Desk::new(&world, false).await;
            let before = desk.executed(row);
            comes_through(&desk, row, shift, &what).await;
            assert_eq!(desk.executed(row) - before, u64::from(!row.is_refused_at(shift)), "{what}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_off_beyond_belief_stays_and_the_refusal_comes_through() {
    for row in &ROWS {
        let world = World::new().await;
        for shift in BEYOND {
            let what = format!("{} at {shift} ms", row.name);
            world.shift(shift);
            let desk = Desk::new(&world, true).await;
            let before = desk.executed(row);
            comes_through(&desk, row, shift, &what).await;
            assert_eq!(desk.executed(row) - before, u64::from(!row.is_refused_at(shift)), "{what}");
        }
    }
}

/// One call, whose refusal is not hidden and not tried again.
async fn comes_through(desk: &Desk, row: &Row, shift: i64, what: &str) {
    let outcome = (row.call)(desk).await;
    if row.is_refused_at(shift) {
        let error = outcome.expect_err(what);
        assert_eq!((error.kind(), error.attempts()), (row.refusal, 1), "{what}: {error}");
        assert!(!error.may_have_been_applied(), "{what}: {error}");
        // A refused login is the end of it.
        assert_eq!(desk.sent(), 1, "{what}");
    } else {
        outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(desk.sent(), row.requests(), "{what}");
    }
    assert_eq!(desk.clock.offset_millis(), 0, "{what}");
}

#[tokio::test]
async fn an_ordinary_answer_moves_the_clock_unless_anybody_could_have_asked() {
    let world = World::new().await;
    world.shift(10 * SECONDS);
    let moved = |desk: &Desk| (desk.clock.offset_millis() - 10 * SECONDS).abs() < NEAR;

    let desk = Desk::new(&world, true).await;
    desk.kalshi.get_exchange_status().send().await.unwrap();
    desk.bayse.get_health().send().await.unwrap();
    assert_eq!(desk.clock.offset_millis(), 0, "such a response may come from a cache");
    desk.kalshi.get_balance().send().await.unwrap();
    assert!(moved(&desk), "{}", desk.clock.offset_millis());

    let desk = Desk::new(&world, true).await;
    desk.bayse.get_portfolio().send().await.unwrap();
    assert!(moved(&desk), "{}", desk.clock.offset_millis());

    // Deribit's responses carry the time in their bodies, those that anybody may ask for too.
    let desk = Desk::new(&world, true).await;
    desk.deribit.test().send().await.unwrap();
    assert!(moved(&desk), "{}", desk.clock.offset_millis());

    let desk = Desk::new(&world, false).await;
    desk.kalshi.get_balance().send().await.unwrap();
    desk.deribit.test().send().await.unwrap();
    assert_eq!(desk.clock.offset_millis(), 0, "nobody asked for it");
}

#[tokio::test]
async fn a_clock_that_goes_back_is_followed_back() {
    let world = World::new().await;
    let desk = Desk::new(&world, true).await;
    for shift in [10 * MINUTES, -10 * MINUTES, 0] {
        world.shift(shift);
        new_kalshi_key(&desk.kalshi).await.unwrap();
        assert_eq!(desk.sent(), 2, "refused once at {shift} ms");
        let learned = desk.clock.offset_millis();
        assert!((learned - shift).abs() < NEAR, "{learned} at {shift} ms");
    }
}

#[tokio::test]
async fn calls_side_by_side_put_the_clock_right_together() {
    const CALLS: usize = 20;
    let world = World::new().await;
    world.shift(10 * MINUTES);
    let desk = Arc::new(Desk::new(&world, true).await);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..CALLS {
        let desk = desk.clone();
        calls.spawn(async move { buy(&desk.deribit).await });
    }
    while let Some(outcome) = calls.join_next().await {
        outcome.unwrap().unwrap();
    }
    assert_eq!(world.sandbox.executed()["deribit POST /api/v2/private/buy"], CALLS as u64);
    let sent = desk.sent();
    assert!((CALLS + 1..=2 * CALLS).contains(&sent), "each is refused at most once: {sent}");
}
