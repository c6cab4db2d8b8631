//! Every venue, every class of operation, every fault: how often the venue executed the operation, and what the caller was told.
//! No write is ever executed twice.

#[path = "common/proxy.rs"]
mod proxy;

use std::pin::Pin;
use std::time::Duration;

use proxy::{Fault, Proxy};
use venuekit::auth::KeyKind;
use venuekit::keys::{ApiKeys, NewKey};
use venuekit::transport::{RateLimits, RetryPolicy, Timeouts};
use venuekit::wire::operation::{Key, Retry, Venue};
use venuekit::{Error, bayse, deribit, kalshi, yativo};
use venuekit_sandbox::{Accounts, Sandbox};

const FAULTS: [Fault; 13] = [
    Fault::Refuse,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::Stall,
    Fault::Cut,
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(502),
    Fault::Status(503),
    Fault::Status(504),
    Fault::Page(502),
    Fault::StatusAfter(502),
    Fault::StatusAfter(503),
];

/// Whether the venue has executed the request that met the fault.
fn executes(fault: Fault) -> bool {
    matches!(fault, Fault::ResetAfter | Fault::Cut | Fault::StatusAfter(_))
}

/// The clients of one sandbox behind one proxy, and their calls by name.
struct Desk {
    sandbox: Sandbox,
    proxy: Proxy,
    kalshi: kalshi::Client,
    bayse: bayse::Client,
    yativo: yativo::Client,
    deribit: deribit::Client,
    event: (String, String, String),
    wallet: serde_json::Value,
}

/// A call of one venue's operation, `number` telling calls apart.
type Call = for<'a> fn(&'a Desk, number: usize) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// A cell's row: the venue, the operation, how the sandbox counts it, and the call.
const ROWS: [(&Venue, &str, &str, Call); 12] = [
    (&kalshi::VENUE, "get_balance", "kalshi GET /trade-api/v2/portfolio/balance", |desk, _| {
        Box::pin(async { desk.kalshi.get_balance().send().await.map(drop) })
    }),
    (&kalshi::VENUE, "create_order_v2", "kalshi POST /trade-api/v2/portfolio/events/orders", |desk, _| {
        Box::pin(desk.kalshi_order())
    }),
    (&kalshi::VENUE, "generate_api_key", "kalshi POST /trade-api/v2/api_keys/generate", |desk, _| {
        use kalshi::types::ApiKeyType;
        let call = desk.kalshi.generate_api_key().body_map(|key| key.name("bot").key_type(ApiKeyType::Ed25519));
        Box::pin(async { call.send().await.map(drop) })
    }),
    (&bayse::VENUE, "get_portfolio", "bayse GET /v1/pm/portfolio", |desk, _| {
        Box::pin(async { desk.bayse.get_portfolio().send().await.map(drop) })
    }),
    (&bayse::VENUE, "batch_place_orders", "bayse POST /v1/pm/orders/batch", |desk, _| Box::pin(desk.bayse_batch())),
    (&bayse::VENUE, "place_order", "bayse POST /v1/pm/events/{eventId}/markets/{marketId}/orders", |desk, _| {
        Box::pin(desk.bayse_order())
    }),
    (&yativo::VENUE, "list_accounts", "yativo GET /api/v1/accounts/get-accounts", |desk, _| {
        Box::pin(async { desk.yativo.list_accounts().send().await.map(drop) })
    }),
    (&yativo::VENUE, "send_funds", "yativo POST /api/v1/transactions/send-funds", |desk, _| {
        Box::pin(desk.yativo_transfer())
    }),
    (&yativo::VENUE, "create_api_key", "yativo POST /api/v1/apikey/generate", |desk, number| {
        let call = desk.yativo.create_api_key().body_map(|key| key.key_name(format!("bot {number}")));
        Box::pin(async { call.send().await.map(drop) })
    }),
    (&deribit::VENUE, "get_account_summary", "deribit POST /api/v2/private/get_account_summary", |desk, _| {
        let currency = deribit::types::Currency::Btc;
        let call = desk.deribit.get_account_summary().body_map(|params| params.currency(currency));
        Box::pin(async { call.send().await.map(drop) })
    }),
    (&deribit::VENUE, "buy", "deribit POST /api/v2/private/buy", |desk, _| {
        let call = desk.deribit.buy().body_map(|p| p.instrument_name("BTC-PERPETUAL").amount("10").price("1000"));
        Box::pin(async { call.send().await.map(drop) })
    }),
    (&deribit::VENUE, "create_api_key", "deribit POST /api/v2/private/create_api_key", |desk, _| {
        Box::pin(async {
            let made = desk
                .deribit
                .keys()
                .create(NewKey::named("bot").scopes(["account:read"]).local(KeyKind::Ed25519))
                .await?;
            // An account has room for eight keys; what this cell made, it takes away.
            desk.deribit.keys().revoke(&made.id).await
        })
    }),
];

impl Desk {
    async fn new() -> Self {
        let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
        let proxy = Proxy::before(&sandbox.base_url()).await;
        let retry = RetryPolicy { first_wait: Duration::from_millis(1), ..RetryPolicy::default() };
        let timeouts = Timeouts { attempt: Duration::from_millis(400), ..Timeouts::default() };
        // A connection for each request, so that each fault meets the request it is meant for.
        let http = || reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let accounts = sandbox.accounts();

        let (url, account) = (format!("{}/trade-api/v2", proxy.base_url), &accounts.kalshi[0]);
        let pem = account.private_key_pem.as_ref().unwrap();
        let kalshi = kalshi::Client::builder(kalshi::Environment::Custom(url))
            .credentials(kalshi::Credentials::from_pem(&account.key_id, pem).unwrap())
            .retry(retry)
            .timeouts(timeouts)
            .http_client(http())
            .rate_limits(RateLimits::none())
            .build()
            .unwrap();

        let account = &accounts.bayse[0];
        let bayse = bayse::Client::builder(bayse::Environment::Custom(proxy.base_url.clone()))
            .credentials(bayse::Credentials::api_key(&*account.public_key, &*account.secret_key).unwrap())
            .retry(retry)
            .timeouts(timeouts)
            .http_client(http())
            .rate_limits(RateLimits::none())
            .build()
            .unwrap();
        let events = bayse.list_events().size(100).send().await.unwrap();
        let event = events.events.iter().find(|event| event.engine.as_ref().is_some_and(|e| e.to_string() == "CLOB"));
        let event = event.expect("the sandbox has an order book");
        let market = &event.markets[0];
        let event = (event.id.clone(), market.id.clone(), market.outcome1_id.clone().unwrap());

        let (url, account) = (format!("{}/api/v1", proxy.base_url), &accounts.yativo[0]);
        let yativo = yativo::Client::builder(yativo::Environment::Custom(url))
            .credentials(yativo::Credentials::api_key(&account.api_key, &*account.api_secret).unwrap())
            .retry(retry)
            .timeouts(timeouts)
            .http_client(http())
            .rate_limits(RateLimits::none())
            .build()
            .unwrap();
        // The client does not know the operation that lists wallets; a wallet is all that is wanted of it here.
        let wallets = http().post(format!("{}/assets/get-user-assets", sandbox.yativo_url()));
        let wallets = wallets.header("x-api-key", &account.api_key).header("x-api-secret", &account.api_secret);
        let wallets: serde_json::Value =
            wallets.json(&serde_json::json!({})).send().await.unwrap().json().await.unwrap();
        let wallet = wallets["data"][0].clone();

        let (url, account) = (format!("{}/api/v2", proxy.base_url), &accounts.deribit[0]);
        let secret = account.client_secret.as_deref().unwrap();
        let deribit = deribit::Client::builder(deribit::Environment::Custom(url))
            .credentials(deribit::Credentials::secret(&account.client_id, secret).unwrap())
            .retry(retry)
            .timeouts(timeouts)
            .http_client(http())
            .rate_limits(RateLimits::none())
            .build()
            .unwrap();
        Self { sandbox, proxy, kalshi, bayse, yativo, deribit, event, wallet }
    }

    async fn kalshi_order(&self) -> Result<(), Error> {
        use kalshi::types::{BookSide, MarketStatusFilter, SelfTradePreventionType, TimeInForce};
        static TICKER: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
        let ticker = TICKER
            .get_or_init(|| async {
                let direct =
                    kalshi::Client::builder(kalshi::Environment::Custom(self.sandbox.kalshi_url())).build().unwrap();
                let page = direct.get_markets().status(MarketStatusFilter::Open).limit(1).send().await.unwrap();
                page.markets[0].ticker.clone()
            })
            .await;
        let order = self.kalshi.create_order_v2().body_map(|order| {
            order
                .ticker(ticker)
                .side(BookSide::Bid)
                .count("1")
                .price("0.05")
                .time_in_force(TimeInForce::GoodTillCanceled)
                .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
        });
        order.send().await.map(drop)
    }

    async fn bayse_order(&self) -> Result<(), Error> {
        use bayse::types::{Currency, OrderType, Side};
        let (event, market, outcome) = &self.event;
        let call = self.bayse.place_order().event_id(event.as_str()).market_id(market.as_str()).body_map(|order| {
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

    async fn bayse_batch(&self) -> Result<(), Error> {
        use bayse::types::{BatchOrder, Currency, OrderType, Side};
        let (_, _, outcome) = &self.event;
        let order = BatchOrder::builder().side(Side::Buy).outcome_id(outcome).amount(100).price("0.10");
        let order: BatchOrder = order.type_(OrderType::Limit).currency(Currency::Usd).try_into().unwrap();
        self.bayse.batch_place_orders().body_map(|batch| batch.orders(vec![order])).send().await.map(drop)
    }

    async fn yativo_transfer(&self) -> Result<(), Error> {
        let text =
            |name: &str| self.wallet[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.wallet)).to_owned();
        let call = self.yativo.send_funds().body_map(|body| {
            body.account(text("account_id"))
                .assets(text("asset_id"))
                .receiving_address("7fUAJdStEuGbc3sM84cKRL6y")
                .amount("0.01")
                .type_(text("type"))
                .chain(text("chain"))
                .category("payment")
        });
        call.send().await.map(drop)
    }

    fn executed(&self, counted: &str) -> u64 {
        self.sandbox.executed().get(counted).copied().unwrap_or_default()
    }
}

#[tokio::test]
async fn no_fault_executes_a_write_twice() {
    let desk = Desk::new().await;
    for (venue, id, counted, call) in ROWS {
        let operation = venue.operation(id).unwrap();
        // The count is by the name the call is known under: without a fault it is executed once.
        let before = desk.executed(counted);
        call(&desk, 0).await.unwrap_or_else(|error| panic!("{}: {error}", venue.name));
        assert_eq!(desk.executed(counted) - before, 1, "{counted} in {:?}", desk.sandbox.executed());

        for (number, fault) in FAULTS.into_iter().enumerate() {
            // Repetitions are earned by calls: these fill the purse again.
            for _ in 0..12 {
                desk.fill(venue.name).await;
            }
            let what = format!("{} {id} {:?} {fault:?}", venue.name, operation.retry);
            let before = desk.executed(counted);
            desk.proxy.next(fault);
            let outcome = call(&desk, number + 1).await;
            let executed = desk.executed(counted) - before;

            let passing = fault != Fault::Status(500);
            let refused = fault == Fault::Status(429);
            match operation.retry {
                Retry::Safe => {
                    assert_eq!(outcome.is_ok(), passing, "{what}");
                    assert_eq!(executed, u64::from(passing) + u64::from(executes(fault)), "{what}");
                }
                Retry::Keyed(place) => {
                    // Kalshi refuses the second order, and by its key it is the first; the others return the first answer again.
                    let duplicate = executes(fault) && matches!(place, Key::Field(_));
                    assert_eq!(outcome.is_ok(), passing && !duplicate, "{what}");
                    assert_eq!(executed, u64::from(passing), "{what}");
                    if let Err(error) = outcome {
                        assert!(error.may_have_been_applied(), "{what}: {error}");
                        assert!(error.idempotency_key().is_some(), "{what}: {error}");
                    }
                }
                Retry::Never => {
                    assert_eq!(outcome.is_ok(), refused, "{what}");
                    assert_eq!(executed, u64::from(refused || executes(fault)), "{what}");
                    if let Err(error) = outcome {
                        assert!(error.may_have_been_applied() && error.attempts() == 1, "{what}: {error}");
                        assert!(error.reconcile_with().is_some(), "{what}: {error}");
                    }
                }
            }
        }
    }
}

impl Desk {
    /// A call that succeeds.
    async fn fill(&self, venue: &str) {
        match venue {
            "kalshi" => drop(self.kalshi.get_exchange_status().send().await.unwrap()),
            "bayse" => drop(self.bayse.get_health().send().await.unwrap()),
            "yativo" => drop(self.yativo.list_accounts().send().await.unwrap()),
            _ => drop(self.deribit.get_time().send().await.unwrap()),
        }
    }
}
