//! Many signed calls at once through a proxy that spoils one request in twenty: every call ends once, what the venues executed is what
//! the callers were told, and memory stays flat.
//!
//! `VENUEKIT_SOAK=200000 cargo test --release --test soak -- --nocapture` runs the whole and prints the figures.

#[path = "common/proxy.rs"]
mod proxy;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proxy::{FAULTS, Fault, Proxy, Seen};
use venuekit::transport::{RateLimits, RetryPolicy, Timeouts};
use venuekit::{Error, deribit, kalshi};
use venuekit_sandbox::{Accounts, Sandbox};

/// How many calls, if `VENUEKIT_SOAK` does not say it.
const CALLS: usize = 3_000;
const IN_FLIGHT: usize = 64;

/// One request in so many meets a fault.
const ONE_IN: u64 = 20;

/// Waits that cannot be read: they end a call, and stop no other.
const UNREADABLE: [Fault; 2] = [Fault::RetryText(429, "soon"), Fault::RetryText(503, "soon")];

/// The calls that one sandbox serves: what it remembers of orders is not what is measured.
const ROUND: usize = 5_000;

/// How much the process may grow after the first quarter, in KiB.
const GROWTH: usize = 8 * 1024;

/// What a round may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(300);

const KALSHI_READ: &str = "kalshi GET /trade-api/v2/portfolio/balance";
const KALSHI_ORDER: &str = "kalshi POST /trade-api/v2/portfolio/events/orders";
const DERIBIT_READ: &str = "deribit POST /api/v2/private/get_account_summary";
const DERIBIT_ORDER: &str = "deribit POST /api/v2/private/buy";

/// A row of random numbers that is the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// The four kinds of call, in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    KalshiRead,
    KalshiOrder,
    DeribitRead,
    DeribitOrder,
}

impl Kind {
    fn of(number: usize) -> Self {
        [Self::KalshiRead, Self::KalshiOrder, Self::DeribitRead, Self::DeribitOrder][number % 4]
    }
}

/// What a caller was told: the order's id if it was placed, nothing for a read.
type Told = Result<Option<String>, Error>;

/// Clients of a sandbox's first accounts. The key is a keyed order's idempotency key, and the label of one that has none.
struct Clients {
    kalshi: kalshi::Client,
    deribit: deribit::Client,
    market: String,
}

impl Clients {
    async fn new(sandbox: &Sandbox, url: &str) -> Self {
        let direct = kalshi::Client::builder(kalshi::Environment::Custom(sandbox.kalshi_url())).build().unwrap();
        let open = kalshi::types::MarketStatusFilter::Open;
        let markets = direct.get_markets().status(open).limit(1).send().await.unwrap();
        let market = markets.markets[0].ticker.clone();

        let retry = RetryPolicy { first_wait: Duration::from_millis(5), ..RetryPolicy::default() };
        let timeouts = Timeouts { attempt: Duration::from_secs(1), ..Timeouts::default() };
        let account = &sandbox.accounts().kalshi[0];
        let pem = account.private_key_pem.as_ref().unwrap();
        let kalshi = kalshi::Client::builder(kalshi::Environment::Custom(format!("{url}/trade-api/v2")))
            .credentials(kalshi::Credentials::from_pem(&account.key_id, pem).unwrap())
            .rate_limits(RateLimits::none())
            .timeouts(timeouts)
            .retry(retry)
            .build()
            .unwrap();
        let account = &sandbox.accounts().deribit[0];
        let secret = account.client_secret.as_deref().unwrap();
        let deribit = deribit::Client::builder(deribit::Environment::Custom(format!("{url}/api/v2")))
            .credentials(deribit::Credentials::secret(&account.client_id, secret).unwrap())
            .rate_limits(RateLimits::none())
            .timeouts(timeouts)
            .retry(retry)
            .build()
            .unwrap();
        Self { kalshi, deribit, market: market.to_string() }
    }

    async fn call(&self, number: usize) -> Told {
        match Kind::of(number) {
            Kind::KalshiRead => self.kalshi.get_balance().send().await.map(|_| None),
            Kind::KalshiOrder => self.kalshi_order(name(number)).await,
            Kind::DeribitRead => {
                let currency = deribit::types::Currency::Btc;
                self.deribit
                    .get_account_summary()
                    .body_map(|params| params.currency(currency))
                    .send()
                    .await
                    .map(|_| None)
            }
            Kind::DeribitOrder => self.deribit_order(name(number)).await,
        }
    }

    async fn kalshi_order(&self, name: String) -> Told {
        use kalshi::types::{BookSide, SelfTradePreventionType, TimeInForce};
        let call = self.kalshi.create_order_v2().body_map(|order| {
            order
                .ticker(&self.market)
                .client_order_id(name)
                .side(BookSide::Bid)
                .count("1")
                .price("0.01")
                .time_in_force(TimeInForce::GoodTillCanceled)
                .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
        });
        call.send().await.map(|placed| Some(placed.order_id.to_string()))
    }

    async fn deribit_order(&self, name: String) -> Told {
        let call = self
            .deribit
            .buy()
            .body_map(|params| params.instrument_name("BTC-PERPETUAL").amount("10").price("1000").label(name));
        call.send().await.map(|placed| Some(placed.order.order_id.clone()))
    }

    /// The orders that Kalshi has, by the callers' names.
    async fn kalshi_orders(&self) -> Vec<(String, String)> {
        let (mut orders, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.kalshi.get_orders().limit(1_000).cursor(&*cursor).send().await.unwrap().into_inner();
            orders.extend(
                page.orders.into_iter().map(|order| (order.client_order_id.unwrap(), order.order_id.to_string())),
            );
            cursor = page.cursor.unwrap_or_default();
            if cursor.is_empty() {
                return orders;
            }
        }
    }

    /// The same of Deribit.
    async fn deribit_orders(&self) -> Vec<(String, String)> {
        let call = self.deribit.get_open_orders_by_currency();
        let orders = call.body_map(|params| params.currency(deribit::types::Currency::Btc)).send().await.unwrap();
        orders.iter().map(|order| (order.label.clone().unwrap(), order.order_id.clone())).collect()
    }
}

fn name(number: usize) -> String {
    format!("soak-{number}")
}

/// The name in a request that places an order.
fn name_in(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let name = body.get("client_order_id").or_else(|| body.pointer("/params/label"))?;
    Some(name.as_str()?.to_owned())
}

/// What a run has come to.
#[derive(Debug, Default)]
struct Figures {
    ok: usize,
    failed: usize,
    unknown: usize,
    unknown_but_executed: usize,
    /// Orders whose last request was answered by somebody else with a success status.
    impostors: usize,
    impostors_but_executed: usize,
    orders: usize,
    requests: usize,
    faults: usize,
}

/// glibc gives threads heaps of their own, and how full each of them is differs from run to run. With one heap, what is resident
/// is what is held; it is chosen before a process begins.
const ONE_HEAP: (&str, &str) = ("MALLOC_ARENA_MAX", "1");

#[test]
fn what_the_venues_executed_is_what_the_callers_were_told() {
    if std::env::var(ONE_HEAP.0).as_deref() == Ok(ONE_HEAP.1) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        return runtime.block_on(soak());
    }
    let test = "what_the_venues_executed_is_what_the_callers_were_told";
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    let ran = again.args(["--exact", test, "--nocapture"]).env(ONE_HEAP.0, ONE_HEAP.1).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && said.contains("1 passed"), "{said}\n{complained}");
    show(said.lines().filter(|line| line.starts_with(FIGURE)));
}

async fn soak() {
    let calls = std::env::var("VENUEKIT_SOAK").map_or(CALLS, |calls| calls.parse().expect("a number of calls"));
    let round = ROUND.min(calls.div_ceil(8));
    let accounts = Accounts::default().complete().unwrap();
    let first = Sandbox::start(accounts.clone()).await.unwrap();
    let mut random = Random(3);
    let faults = [&FAULTS[..], &UNREADABLE[..]].concat();
    let choose = move || (random.below(ONE_IN) == 0).then(|| faults[random.below(faults.len() as u64) as usize]);
    let proxy = Proxy::choosing(&first.base_url(), Box::new(choose)).await;
    let clients = Arc::new(Clients::new(&first, &proxy.base_url).await);
    drop(first);

    let mut figures = Figures::default();
    let (begin, mut resident) = (Instant::now(), Vec::new());
    for start in (0..calls).step_by(round) {
        let sandbox = Sandbox::start(accounts.clone()).await.unwrap();
        proxy.point_to(&sandbox.base_url());
        let told = tokio::time::timeout(PATIENCE, run(&clients, start..calls.min(start + round))).await;
        let told = told.expect("a call hangs");
        proxy.settled().await;
        reconcile(&sandbox, &proxy, &told, start, &mut figures).await;
        drop((sandbox, told));
        resident.push((start, resident_kib()));
    }
    report(calls, begin.elapsed(), &figures, &resident);

    assert_eq!(figures.ok + figures.failed, calls);
    // Neither did the faults miss, nor did they stop everything.
    assert!(figures.faults > calls / 40 && figures.ok > calls * 9 / 10, "{figures:?}");
    let quarter = resident.iter().find(|(start, _)| start + round >= calls / 4).and_then(|(_, kib)| *kib);
    if let (Some(quarter), Some((_, Some(end)))) = (quarter, resident.last()) {
        assert!(*end <= quarter + GROWTH, "{quarter} KiB after a quarter, {end} KiB at the end");
    }
}

/// Makes the calls of these numbers, so many at a time, and returns what became of each.
async fn run(clients: &Arc<Clients>, numbers: Range<usize>) -> Vec<(usize, Told)> {
    let next = Arc::new(AtomicUsize::new(numbers.start));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (clients, next, end) = (clients.clone(), next.clone(), numbers.end);
        workers.spawn(async move {
            let mut told = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    return told;
                }
                told.push((number, clients.call(number).await));
            }
        });
    }
    let told: BTreeMap<usize, Told> = workers.join_all().await.into_iter().flatten().collect();
    assert!(told.keys().copied().eq(numbers), "every call ends once");
    told.into_iter().collect()
}

/// Holds what the venues have done against what the callers were told.
async fn reconcile(sandbox: &Sandbox, proxy: &Proxy, told: &[(usize, Told)], start: usize, figures: &mut Figures) {
    let executed = sandbox.executed();
    let executed = |counted: &str| executed.get(counted).copied().unwrap_or_default() as usize;
    let direct = Clients::new(sandbox, &sandbox.base_url()).await;
    let seen = proxy.take_seen();
    let of = |kind: Kind| told.iter().filter(move |(number, _)| Kind::of(*number) == kind);

    // Reads: each that was passed on was executed, and each successful response is one that came back whole.
    for (kind, counted) in [(Kind::KalshiRead, KALSHI_READ), (Kind::DeribitRead, DERIBIT_READ)] {
        let path = counted.rsplit(' ').next().unwrap();
        let seen = || seen.iter().filter(|seen| seen.line.ends_with(path));
        let passed_on = seen().filter(|seen| seen.was_passed_on()).count();
        let whole = seen().filter(|seen| matches!(seen.fault, None | Some(Fault::WrongType))).count();
        let ok = of(kind).filter(|(_, told)| told.is_ok()).count();
        assert_eq!(executed(counted), passed_on, "{kind:?}");
        assert!(ok <= whole, "{kind:?}: {ok} good answers, {whole} that came back whole");
        for (_, told) in of(kind) {
            assert!(told.as_ref().err().is_none_or(|error| !error.may_have_been_applied()), "{kind:?}: {told:?}");
        }
    }

    // Orders, one by one.
    let mut requests: BTreeMap<String, Vec<&Seen>> = BTreeMap::new();
    for seen in &seen {
        if let Some(name) = name_in(&seen.body) {
            requests.entry(name).or_default().push(seen);
        }
    }
    let orders = [
        (Kind::KalshiOrder, KALSHI_ORDER, direct.kalshi_orders().await),
        (Kind::DeribitOrder, DERIBIT_ORDER, direct.deribit_orders().await),
    ];
    for (kind, counted, orders) in orders {
        assert_eq!(executed(counted), orders.len(), "{kind:?}: every order is in the list");
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        orders.into_iter().for_each(|(name, id)| by_name.entry(name).or_default().push(id));
        for (number, told) in of(kind) {
            let placed = by_name.remove(&name(*number)).unwrap_or_default();
            let asked = requests.remove(&name(*number)).unwrap_or_default();
            let what = format!("{kind:?} {number}: {asked:?} placed {placed:?}, and the caller was told {told:?}");
            assert_eq!(placed.len(), usize::from(asked.iter().any(|seen| seen.was_passed_on())), "{what}");
            if asked.last().and_then(|last| last.fault).is_some_and(Fault::is_impostor) {
                // Nobody but the venue can say that it has done it, or that it has not.
                assert!(told.as_ref().is_err_and(Error::may_have_been_applied), "{what}");
                figures.impostors += 1;
                figures.impostors_but_executed += placed.len();
            }
            match told {
                Ok(id) => assert_eq!(placed, [id.clone().unwrap()], "{what}"),
                Err(error) if error.may_have_been_applied() => {
                    figures.unknown += 1;
                    figures.unknown_but_executed += placed.len();
                }
                Err(_) => assert!(placed.is_empty(), "{what}"),
            }
            figures.orders += placed.len();
        }
        assert!(by_name.is_empty(), "nobody asked for {by_name:?}");
    }

    figures.ok += told.iter().filter(|(_, told)| told.is_ok()).count();
    figures.failed += told.iter().filter(|(_, told)| told.is_err()).count();
    figures.requests += seen.len();
    figures.faults += seen.iter().filter(|seen| seen.fault.is_some()).count();
    assert!(told.first().is_some_and(|(number, _)| *number == start));
}

/// The memory that this process holds, where the system reports it.
fn resident_kib() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// How a line of the report begins.
const FIGURE: &str = "soak: ";

fn report(calls: usize, took: Duration, figures: &Figures, resident: &[(usize, Option<usize>)]) {
    let resident: Vec<usize> = resident.iter().filter_map(|(_, kib)| *kib).collect();
    let lines = [
        format!("{FIGURE}{calls} calls in {took:.1?}, {:.0} a second", calls as f64 / took.as_secs_f64()),
        format!("{FIGURE}{figures:?}"),
        format!("{FIGURE}KiB resident after each round: {resident:?}"),
    ];
    show(lines.iter().map(String::as_str));
}

#[expect(clippy::print_stdout, reason = "figures are what a long run is for")]
fn show<'a>(lines: impl Iterator<Item = &'a str>) {
    lines.for_each(|line| println!("{line}"));
}
