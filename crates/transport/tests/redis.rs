//! The shared budget against a real server: Redis or Valkey, whichever is installed. Limits come back so slowly here that the time a
//! test takes does not count.
#![cfg(feature = "redis")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use tokio::task::JoinSet;
use venuekit_transport::{Debit, LocalBudget, RateBudget, RateFeedback, RedisBudget, Refused};
use venuekit_wire::operation::Limit;

/// The server may stand still on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server of one test, which ends with it.
struct Server {
    program: &'static str,
    process: Child,
    port: u16,
}

impl Server {
    /// None where no server is installed, which is an error where one has to be.
    async fn start() -> Option<Self> {
        let Some(program) = ["redis-server", "valkey-server"].into_iter().find(|program| is_installed(program)) else {
            let required = std::env::var("VENUEKIT_REDIS").is_ok_and(|value| value == "required");
            assert!(!required, "VENUEKIT_REDIS=required, and neither redis-server nor valkey-server is installed");
            // Past the test runner, which keeps the words of a test that passes to itself.
            let _ =
                writeln!(std::io::stderr(), "SKIPPED: no redis-server, no valkey-server: RedisBudget is NOT tested");
            return None;
        };
        // Between the moment at which a port is found free and the server's start somebody else may take it.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server = Self { program, process: spawn(program, port), port };
            if server.comes_up().await {
                return Some(server);
            }
        }
        panic!("{program} does not start");
    }

    /// The same port again, with nothing in memory.
    async fn restart(&mut self) -> bool {
        self.process = spawn(self.program, self.port);
        self.comes_up().await
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Whether this very process responds. It does not where the port is somebody else's.
    async fn comes_up(&mut self) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(60) {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                && let Ok(info) = redis::cmd("INFO").arg("server").query_async::<String>(&mut connection).await
            {
                return info.lines().any(|line| line == format!("process_id:{}", self.process.id()));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A budget with a connection of its own, as each process has.
    async fn budget(&self, account: &str) -> RedisBudget {
        RedisBudget::connect_within(&self.url(), account, PATIENCE).await.unwrap()
    }

    async fn keys(&self) -> Keys {
        Keys(redis::Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Nothing is written to disk.
fn spawn(program: &str, port: u16) -> Child {
    Command::new(program)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What the server holds.
struct Keys(MultiplexedConnection);

impl Keys {
    async fn all(&mut self) -> Vec<String> {
        redis::cmd("KEYS").arg("*").query_async(&mut self.0).await.unwrap()
    }

    /// The only bucket there is, byte for byte.
    async fn only(&mut self) -> (String, Vec<u8>) {
        let names = self.all().await;
        let [name] = &names[..] else { panic!("{names:?}") };
        (name.clone(), redis::cmd("GET").arg(name).query_async(&mut self.0).await.unwrap())
    }

    /// How long an account's bucket is kept, in milliseconds.
    async fn lives(&mut self, account: &str) -> i64 {
        let name = format!("venuekit:{{{account}:venue:bucket}}");
        redis::cmd("PTTL").arg(name).query_async(&mut self.0).await.unwrap()
    }
}

/// A token in a thousand seconds.
const fn refill(capacity: u64) -> Limit {
    Limit::Refill { per_second_millis: 1, capacity }
}

/// So many in an hour.
const fn window(count: u64) -> Limit {
    Limit::Window { count, seconds: 3600 }
}

/// Limits live as long as the program, since they stand in a table.
fn debit(limits: &[Limit], tokens: u64) -> Debit {
    Debit { venue: "venue", bucket: "bucket", path: "", limits: limits.to_vec().leak(), tokens }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Takes at once or not at all: the wait, if it is refused.
async fn take(budget: &impl RateBudget, debit: Debit) -> Option<Duration> {
    match budget.take(&debit, Duration::ZERO).await {
        Ok(()) => None,
        Err(Refused::Wait(wait)) => Some(wait),
        Err(refused) => panic!("{refused:?}"),
    }
}

/// A wait is what is expected, less the time that the test has taken. That is never as much as a minute.
#[track_caller]
fn about(told: Option<Duration>, expected: Duration) {
    let told = told.expect("it is refused");
    // The server counts in microseconds, and rounds up.
    assert!(told <= expected + Duration::from_micros(10) && told + seconds(60) > expected, "{told:?} for {expected:?}");
}

/// Waits until something holds, and fails if that takes too long.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < seconds(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Reserves tokens for a moment that lies far ahead, and goes on waiting for it.
async fn reserve(budget: &RedisBudget, debit: Debit, keys: &mut Keys, waiting: &mut JoinSet<()>) {
    let before = keys.only().await;
    let budget = budget.clone();
    waiting.spawn(async move { drop(budget.take(&debit, Duration::MAX).await) });
    until("it is reserved", async || keys.only().await != before).await;
}

#[tokio::test]
async fn however_many_ask_at_once_exactly_what_there_is_is_granted() {
    let Some(server) = Server::start().await else { return };
    for (account, limit, expected) in [("refill", refill(37), 37), ("window", window(41), 41)] {
        let mut calls = JoinSet::new();
        for _ in 0..4 {
            let budget = server.budget(account).await;
            for _ in 0..50 {
                let budget = budget.clone();
                calls.spawn(async move { take(&budget, debit(&[limit], 1)).await });
            }
        }
        let waits = calls.join_all().await;
        assert_eq!((waits.len(), waits.iter().filter(|wait| wait.is_none()).count()), (200, expected), "{account}");
    }
}

#[tokio::test]
async fn accounts_venues_and_buckets_are_apart() {
    let Some(server) = Server::start().await else { return };
    let one = debit(&[refill(1)], 1);
    for account in ["desk-7", "desk-8"] {
        let budget = server.budget(account).await;
        for debit in [one, Debit { bucket: "another", ..one }, Debit { venue: "another", ..one }] {
            assert_eq!(take(&budget, debit).await, None, "{account} {debit:?}");
            about(take(&budget, debit).await, seconds(1_000));
        }
    }
    let names: BTreeSet<String> = server.keys().await.all().await.into_iter().collect();
    // What stands in braces says where in a cluster a key lives: all of a bucket in one place.
    let in_braces = |name: &&String| name.starts_with("venuekit:{desk-") && name.ends_with('}');
    assert_eq!((names.len(), names.iter().filter(in_braces).count()), (6, 6), "{names:?}");
}

#[tokio::test]
async fn a_refusal_tells_the_wait() {
    let Some(server) = Server::start().await else { return };
    let budget = server.budget("refill").await;
    let cost = |tokens| debit(&[refill(10)], tokens);
    assert_eq!(take(&budget, cost(4)).await, None);
    about(take(&budget, cost(7)).await, seconds(1_000));
    assert_eq!(take(&budget, cost(6)).await, None);
    for tokens in [1, 2, 5, 10] {
        about(take(&budget, cost(tokens)).await, seconds(tokens * 1_000));
    }
    // What costs more than ever fits goes when nothing else is held, and all of it is owed then.
    about(take(&budget, cost(50)).await, seconds(10_000));
    let budget = server.budget("too much").await;
    assert_eq!(take(&budget, cost(50)).await, None);
    about(take(&budget, cost(1)).await, seconds(41_000));

    let budget = server.budget("window").await;
    let cost = |tokens| debit(&[window(10)], tokens);
    assert_eq!(take(&budget, cost(4)).await, None);
    assert_eq!(take(&budget, cost(6)).await, None);
    for tokens in [1, 5, 10, 50] {
        about(take(&budget, cost(tokens)).await, seconds(3_600));
    }
}

#[tokio::test]
async fn a_wait_that_is_short_enough_is_waited() {
    let Some(server) = Server::start().await else { return };
    let budget = server.budget("short").await;
    // A token in twenty milliseconds.
    let one = debit(&[Limit::Refill { per_second_millis: 50_000, capacity: 1 }], 1);
    let started = Instant::now();
    for _ in 0..6 {
        budget.take(&one, seconds(30)).await.unwrap();
    }
    // Never early; how much later is the machine's affair.
    assert!(started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());

    let budget = server.budget("long").await;
    assert_eq!(take(&budget, debit(&[refill(1)], 1)).await, None);
    let refused = budget.take(&debit(&[refill(1)], 1), seconds(900)).await;
    assert!(matches!(refused, Err(Refused::Wait(wait)) if wait > seconds(900)), "{refused:?}");
}

#[tokio::test]
async fn callers_of_all_processes_go_in_the_order_in_which_they_came() {
    let Some(server) = Server::start().await else { return };
    let (here, there) = (server.budget("desk-7").await, server.budget("desk-7").await);
    let mut keys = server.keys().await;
    let mut waiting = JoinSet::new();
    let cost = |tokens| debit(&[refill(10)], tokens);
    assert_eq!(take(&here, cost(10)).await, None);
    about(take(&there, cost(1)).await, seconds(1_000));
    // The expensive call goes in 8,000 seconds. A cheap one that came later does not go before it, though there would be room.
    reserve(&here, cost(8), &mut keys, &mut waiting).await;
    about(take(&there, cost(1)).await, seconds(9_000));
    reserve(&there, cost(1), &mut keys, &mut waiting).await;
    about(take(&here, cost(3)).await, seconds(12_000));
    about(take(&there, cost(1)).await, seconds(10_000));
    // A call that is given up leaves its reservation: nobody goes earlier for it.
    waiting.shutdown().await;
    about(take(&there, cost(1)).await, seconds(10_000));
}

#[tokio::test]
async fn in_a_window_too_nobody_is_overtaken() {
    let Some(server) = Server::start().await else { return };
    let (here, there) = (server.budget("desk-7").await, server.budget("desk-7").await);
    let mut keys = server.keys().await;
    let mut waiting = JoinSet::new();
    let cost = |tokens| debit(&[window(10)], tokens);
    assert_eq!(take(&here, cost(5)).await, None);
    // Five are left, which is too few for eight: those wait for an hour, and later ones at least as long.
    reserve(&here, cost(8), &mut keys, &mut waiting).await;
    about(take(&there, cost(1)).await, seconds(3_600));
    // That holds also where the venue asks for a shorter wait.
    here.learn(&cost(1), RateFeedback { left: 0, lasts: Some(seconds(500)) }).await;
    about(take(&there, cost(1)).await, seconds(3_600));
    reserve(&there, cost(2), &mut keys, &mut waiting).await;
    // That hour is full as well.
    about(take(&there, cost(1)).await, seconds(7_200));
}

#[tokio::test]
async fn all_limits_of_a_bucket_hold_at_once() {
    let Some(server) = Server::start().await else { return };
    let day = Limit::Window { count: 4, seconds: 86_400 };
    let cases = [
        (vec![refill(5), window(3)], 3, seconds(3_600)),
        (vec![window(3), refill(5)], 3, seconds(3_600)),
        (vec![window(9), refill(4)], 4, seconds(1_000)),
        (vec![window(9), day], 4, seconds(86_400)),
        (vec![refill(6), window(8), refill(2)], 2, seconds(1_000)),
    ];
    for (case, (limits, count, wait)) in cases.into_iter().enumerate() {
        let budget = server.budget(&format!("case {case}")).await;
        for number in 0..count {
            assert_eq!(take(&budget, debit(&limits, 1)).await, None, "{limits:?} {number}");
        }
        about(take(&budget, debit(&limits, 1)).await, wait);
    }
}

#[tokio::test]
async fn a_refused_call_leaves_nothing() {
    let Some(server) = Server::start().await else { return };
    let budget = server.budget("desk-7").await;
    let mut keys = server.keys().await;
    let limits = [refill(5), window(8)];
    assert_eq!(take(&budget, debit(&limits, 3)).await, None);
    let before = keys.only().await;
    for tokens in [3, 5, 8, 9] {
        take(&budget, debit(&limits, tokens)).await.expect("it is refused");
    }
    assert_eq!(keys.only().await, before);
    assert_eq!(take(&budget, debit(&limits, 2)).await, None);

    // A bucket that only the venue has said something of is no other.
    budget.learn(&debit(&limits, 1), RateFeedback { left: 0, lasts: Some(seconds(9_000)) }).await;
    let before = keys.only().await;
    about(take(&budget, debit(&limits, 1)).await, seconds(9_000));
    assert_eq!(keys.only().await, before);
}

#[tokio::test]
async fn the_venue_is_believed() {
    let Some(server) = Server::start().await else { return };
    let (here, there) = (server.budget("header").await, server.budget("header").await);
    let cost = |tokens| debit(&[refill(100)], tokens);
    let told = |left, lasts: Option<u64>| RateFeedback { left, lasts: lasts.map(seconds) };

    // A header: so many are left until the limit starts again, for all processes.
    let anew = Instant::now() + seconds(3_000);
    let header = || RateFeedback { left: 2, lasts: Some(anew - Instant::now()) };
    here.learn(&cost(1), header()).await;
    about(take(&there, cost(3)).await, seconds(3_000));
    assert_eq!(take(&there, cost(1)).await, None);
    // A response that was in flight longer does not give back what was spent since.
    here.learn(&cost(1), header()).await;
    assert_eq!(take(&here, cost(1)).await, None);
    about(take(&there, cost(1)).await, seconds(3_000));
    // The next span is another matter.
    here.learn(&cost(1), told(5, Some(6_000))).await;
    assert_eq!(take(&there, cost(5)).await, None);
    about(take(&there, cost(1)).await, seconds(6_000));

    // A refusal with a wait holds so long, and takes nothing away.
    let budget = server.budget("wait").await;
    budget.learn(&cost(1), told(0, Some(700))).await;
    about(take(&budget, cost(1)).await, seconds(700));
    about(take(&budget, cost(100)).await, seconds(700));

    // A bare one: the bucket is empty and fills as usual. To say so twice does not make it emptier.
    let budget = server.budget("bare").await;
    for _ in 0..2 {
        budget.learn(&cost(1), told(0, None)).await;
        about(take(&budget, cost(3)).await, seconds(3_000));
    }

    // In windows it holds for the shortest.
    let windows = [window(9), Limit::Window { count: 5, seconds: 900 }];
    let budget = server.budget("windows").await;
    budget.learn(&debit(&windows, 1), told(0, None)).await;
    about(take(&budget, debit(&windows, 1)).await, seconds(900));
    let budget = server.budget("rest").await;
    budget.learn(&debit(&windows, 1), told(2, None)).await;
    assert_eq!(take(&budget, debit(&windows, 2)).await, None);
    about(take(&budget, debit(&windows, 1)).await, seconds(900));

    // More than the tier has is not made of it.
    let budget = server.budget("more").await;
    budget.learn(&debit(&windows, 1), told(1_000, Some(800))).await;
    assert_eq!(take(&budget, debit(&windows, 5)).await, None);
    about(take(&budget, debit(&windows, 1)).await, seconds(900));
}

#[tokio::test]
async fn what_the_venue_says_holds_no_longer_than_it_says() {
    let Some(server) = Server::start().await else { return };
    let budget = server.budget("desk-7").await;
    let one = debit(&[refill(3)], 1);
    budget.learn(&one, RateFeedback { left: 0, lasts: Some(Duration::from_millis(50)) }).await;
    budget.take(&one, seconds(30)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(take(&budget, one).await, None);
    }
    about(take(&budget, one).await, seconds(1_000));
}

#[tokio::test]
async fn nothing_is_kept_longer_than_it_counts() {
    let Some(server) = Server::start().await else { return };
    let mut keys = server.keys().await;
    // A second longer than anything in it counts, and not much less: the test takes no minute.
    let check = |what: &str, lives: i64, longest: u64| {
        let most = i64::try_from(longest).unwrap() * 1_000 + 1_000;
        assert!(lives > most - 60_000 && lives <= most, "{what}: {lives} of {most} milliseconds");
    };
    let cases = [
        ("refill", vec![refill(10)], 4_000),
        ("window", vec![window(10)], 3_600),
        ("window first", vec![window(10), refill(10)], 4_000),
        ("refill first", vec![refill(10), Limit::Window { count: 10, seconds: 9_000 }], 9_000),
    ];
    for (account, limits, longest) in cases {
        assert_eq!(take(&server.budget(account).await, debit(&limits, 4)).await, None);
        check(account, keys.lives(account).await, longest);
    }
    for (account, lasts, longest) in
        [("told", Some(500), 3_600), ("told long", Some(9_000), 9_000), ("bare", None, 3_600)]
    {
        let told = RateFeedback { left: 0, lasts: lasts.map(seconds) };
        server.budget(account).await.learn(&debit(&[window(10)], 1), told).await;
        check(account, keys.lives(account).await, longest);
    }
    // What is over goes.
    let fast = Limit::Refill { per_second_millis: 1_000_000, capacity: 10 };
    assert_eq!(take(&server.budget("fast").await, debit(&[fast], 10)).await, None);
    until("the key is gone", async || keys.lives("fast").await == -2).await;
}

#[tokio::test]
async fn a_server_that_is_gone_lets_nothing_through_until_it_is_back() {
    let Some(mut server) = Server::start().await else { return };
    let budget = server.budget("desk-7").await;
    let one = debit(&[refill(1_000)], 1);
    assert_eq!(take(&budget, one).await, None);
    server.stop();
    // Neither a caller who would not wait, nor one who would.
    for longest in [Duration::ZERO, Duration::ZERO, Duration::MAX] {
        let refused = budget.take(&one, longest).await;
        assert!(matches!(refused, Err(Refused::Unreachable(_))), "{refused:?}");
    }
    // What cannot be said is no reason for a call to fail that has its response.
    budget.learn(&one, RateFeedback { left: 0, lasts: None }).await;
    assert!(RedisBudget::connect(&server.url(), "desk-7").await.is_err());

    // Those who were connected find the server again, unless somebody else has got its port.
    if server.restart().await {
        until("it is found again", async || budget.take(&one, Duration::ZERO).await.is_ok()).await;
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_an_error() {
    assert!(RedisBudget::connect("no address", "desk-7").await.is_err());
}

#[tokio::test]
async fn a_password_in_the_address_does_not_show() {
    let Some(server) = Server::start().await else { return };
    let mut control = server.keys().await.0;
    redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("hunter2").exec_async(&mut control).await.unwrap();
    let address = |password: &str| format!("redis://:{password}@127.0.0.1:{}", server.port);
    let hides = |what: &dyn Debug| {
        let shown = format!("{what:?}");
        assert!(!shown.contains("hunter"), "{shown}");
    };
    let budget = RedisBudget::connect_within(&address("hunter2"), "desk-7", PATIENCE).await.unwrap();
    assert_eq!(take(&budget, debit(&[refill(1)], 1)).await, None);
    hides(&budget);
    hides(&RedisBudget::connect(&address("hunter3"), "desk-7").await.unwrap_err());
    drop(server);
    hides(&budget.take(&debit(&[refill(1)], 1), Duration::ZERO).await.unwrap_err());
}

/// What a sequence is made of.
#[derive(Clone, Copy, Debug)]
enum Step {
    Take(u64),
    Learn(RateFeedback),
}

fn steps(random: &mut fastrand::Rng) -> Vec<Step> {
    let step = |random: &mut fastrand::Rng| match random.u8(..10) {
        0 => {
            let lasts = random.bool().then(|| seconds(random.u64(1_000..4_000)));
            Step::Learn(RateFeedback { left: random.u64(0..12), lasts })
        }
        _ => Step::Take(random.u64(1..14)),
    };
    (0..random.usize(5..40)).map(|_| step(random)).collect()
}

fn limits(random: &mut fastrand::Rng) -> Vec<Limit> {
    let limit = |random: &mut fastrand::Rng| match random.bool() {
        true => Limit::Refill { per_second_millis: random.u64(1..=3), capacity: random.u64(1..40) },
        false => Limit::Window { count: random.u64(1..40), seconds: random.u64(2_000..9_000) },
    };
    (0..random.usize(1..4)).map(|_| limit(random)).collect()
}

#[tokio::test]
async fn the_shared_budget_decides_as_the_local_one() {
    let Some(server) = Server::start().await else { return };
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut granted, mut refused) = (0, 0);
    for case in 0..300 {
        let (limits, steps) = (limits(&mut random), steps(&mut random));
        let (shared, local) = (server.budget(&format!("case {case}")).await, LocalBudget::default());
        for (number, step) in steps.iter().enumerate() {
            match *step {
                Step::Take(tokens) => {
                    let debit = debit(&limits, tokens);
                    let waits = (take(&shared, debit).await, take(&local, debit).await);
                    let alike = match waits {
                        (None, None) => true,
                        (Some(shared), Some(local)) => shared.abs_diff(local) < seconds(60),
                        _ => false,
                    };
                    assert!(alike, "seed {seed}, case {case}, step {number}: {waits:?} for {limits:?} after {steps:?}");
                    *(if waits.0.is_none() { &mut granted } else { &mut refused }) += 1;
                }
                Step::Learn(told) => {
                    shared.learn(&debit(&limits, 1), told).await;
                    local.learn(&debit(&limits, 1), told).await;
                }
            }
        }
    }
    assert!(granted > 500 && refused > 500, "{granted} granted and {refused} refused prove little");
}
