//! What a call pays to the venue's limit is paid last: calls that waited together for a connection, a login or a turn leave as the
//! limit allows, and not all at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use venuekit::deribit::{Client, Credentials, Environment};
use venuekit::transport::{Debit, LocalBudget, RateBudget, RateFeedback, RateFuture, RateLimits, Refused, RetryPolicy};
use venuekit_sandbox::{Fault, Rule, Sandbox};

use crate::desk::{ID, SECRET, builder, buy, options, sandbox, until};

const CALLS: usize = 10;

/// A budget that writes down, for each payment of an order, how much had happened at the venue by then.
struct Ledger {
    inner: LocalBudget,
    happened: Box<dyn Fn() -> u64 + Send + Sync>,
    paid: Arc<Mutex<Vec<u64>>>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger")
    }
}

impl RateBudget for Ledger {
    fn take<'a>(&'a self, debit: &'a Debit, longest: Duration) -> RateFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let result = self.inner.take(debit, longest).await;
            if debit.bucket == "matching_engine" {
                self.paid.lock().unwrap().push((self.happened)());
            }
            result
        })
    }

    fn learn<'a>(&'a self, debit: &'a Debit, told: RateFeedback) -> RateFuture<'a, ()> {
        self.inner.learn(debit, told)
    }
}

/// Limits that note what had happened when each order was paid.
fn ledger(happened: impl Fn() -> u64 + Send + Sync + 'static) -> (RateLimits, Arc<Mutex<Vec<u64>>>) {
    let paid = Arc::new(Mutex::new(Vec::new()));
    let ledger = Ledger { inner: LocalBudget::default(), happened: Box::new(happened), paid: paid.clone() };
    (RateLimits::shared(ledger), paid)
}

fn logins(sandbox: &Sandbox) -> u64 {
    sandbox.executed().get("deribit POST /api/v2/public/auth").copied().unwrap_or_default()
}

async fn orders(client: &Client) {
    let labels: Vec<String> = (0..CALLS).map(|number| format!("order-{number}")).collect();
    for result in join_all(labels.iter().map(|label| buy(client, label))).await {
        result.unwrap();
    }
}

#[tokio::test]
async fn calls_pay_after_the_login_that_they_wait_for() {
    let sandbox = Arc::new(sandbox().await);
    let slow = || vec![Rule::new(Fault::Delay { ms: 200 }).on("public/auth")];
    sandbox.faults().set(slow());
    let venue = sandbox.clone();
    let (limits, paid) = ledger(move || logins(&venue));
    orders(&builder(&sandbox).rate_limits(limits).build().unwrap()).await;
    assert_eq!(*paid.lock().unwrap(), [1; CALLS], "over a WebSocket");

    let venue = sandbox.clone();
    let (limits, paid) = ledger(move || logins(&venue));
    let http = Client::builder(Environment::Custom(sandbox.deribit_url()))
        .credentials(Credentials::login(ID, SECRET).unwrap())
        .retry(RetryPolicy::none())
        .rate_limits(limits);
    orders(&http.build().unwrap()).await;
    assert_eq!(*paid.lock().unwrap(), [2; CALLS], "over HTTP");
}

#[tokio::test]
async fn calls_pay_after_the_connection_that_they_wait_for() {
    let sandbox = Arc::new(sandbox().await);
    sandbox.faults().set(vec![Rule::new(Fault::Delay { ms: 200 }).on("GET /ws/api/v2").times(1)]);
    let venue = sandbox.clone();
    let (limits, paid) = ledger(move || venue.websocket_connections() as u64);
    orders(&builder(&sandbox).rate_limits(limits).build().unwrap()).await;
    assert_eq!(*paid.lock().unwrap(), [1; CALLS]);
}

#[tokio::test]
async fn calls_pay_after_the_turn_that_they_wait_for() {
    let sandbox = Arc::new(sandbox().await);
    sandbox.faults().set(vec![Rule::new(Fault::SilenceBefore).on("public/test")]);
    let venue = sandbox.clone();
    let done = Arc::new(Mutex::new(false));
    let is_done = done.clone();
    let (limits, paid) = ledger(move || u64::from(*is_done.lock().unwrap()) + venue.websocket_connections() as u64);
    let client = builder(&sandbox).websocket(options().in_flight(2)).rate_limits(limits).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    // Two calls that get no response hold both turns, until they are given up.
    let blocked: Vec<_> = (0..2)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.test().send().await.map(drop) })
        })
        .collect();
    until("both turns are taken", || sandbox.faults().strikes() == [2]).await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { orders(&client).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    *done.lock().unwrap() = true;
    blocked.iter().for_each(tokio::task::JoinHandle::abort);
    waiting.await.unwrap();
    let late = paid.lock().unwrap().iter().filter(|happened| **happened == 2).count();
    assert!(late >= CALLS, "each has paid once it had its turn: {:?}", paid.lock().unwrap());
}
