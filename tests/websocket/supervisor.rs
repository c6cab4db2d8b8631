//! The task that keeps the connection: neither a panic of the user's functions nor the end of a runtime leaves calls waiting for
//! nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use venuekit::ErrorKind;
use venuekit::deribit::{Client, Credentials, Environment, Event};
use venuekit::transport::{Debit, RateBudget, RateFeedback, RateFuture, RateLimits, Refused, RetryPolicy};
use venuekit_sandbox::{Fault, Rule, Sandbox};

use crate::desk::{ID, SECRET, builder, buy, options, sandbox, until};

/// Long before any call's own time is over.
const SOON: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_handler_that_panics_costs_the_event_alone() {
    let sandbox = sandbox().await;
    let seen = Arc::new(AtomicU64::new(0));
    let count = seen.clone();
    let options = options().on_event(move |event| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        assert!(number % 2 == 1, "on purpose: {event:?}");
    });
    let client = builder(&sandbox).websocket(options).build().unwrap();
    client.get_time().send().await.unwrap();
    let channels = vec!["announcements".to_owned()];
    client.subscribe().body_map(|params| params.channels(channels)).send().await.unwrap();
    for number in 0..10 {
        sandbox.deribit_notify("announcements", json!({ "number": number }));
        client.get_time().send().await.unwrap();
    }
    until("all events", || seen.load(Ordering::SeqCst) >= 11).await;
    // A lost connection and a failed one are events as well.
    sandbox.cut_connections();
    until("another connection", || client.connection().unwrap().stats().opened == 2).await;
    buy(&client, "after").await.unwrap();
    let stats = client.connection().unwrap().stats();
    let seen = seen.load(Ordering::SeqCst);
    assert_eq!(stats.handler_panics, seen.div_ceil(2), "{stats:?}");
    assert_eq!(stats.lost, 1, "{stats:?}");
}

#[tokio::test]
async fn a_handler_that_always_panics_stops_nothing() {
    let options = options().on_event(|event| {
        if let Event::Failed { .. } | Event::Lost { .. } | Event::Opened { .. } = event {
            panic!("on purpose");
        }
    });
    let sandbox = sandbox().await;
    let refuses = Fault::Status { status: 503, body: None, content_type: None, retry_after: Some(0), executed: false };
    sandbox.faults().set(vec![Rule::new(refuses).on("GET /ws/api/v2").times(3)]);
    let client = builder(&sandbox).websocket(options).build().unwrap();
    let mut failed = 0;
    while client.get_time().send().await.is_err() {
        failed += 1;
        assert!(failed < 500, "the fourth handshake is taken");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let stats = client.connection().unwrap().stats();
    assert_eq!((stats.opened, stats.handler_panics), (1, 4), "three that failed and one that was opened: {stats:?}");
}

/// A budget whose methods panic.
#[derive(Debug, Default)]
struct Panics {
    taken: AtomicU64,
    first: u64,
}

impl RateBudget for Panics {
    fn take<'a>(&'a self, _: &'a Debit, _: Duration) -> RateFuture<'a, Result<(), Refused>> {
        assert!(self.taken.fetch_add(1, Ordering::SeqCst) >= self.first, "on purpose");
        Box::pin(async { Ok(()) })
    }

    fn learn<'a>(&'a self, _: &'a Debit, _: RateFeedback) -> RateFuture<'a, ()> {
        panic!("on purpose")
    }
}

#[tokio::test]
async fn a_rate_budget_that_panics_is_an_error_of_the_call() {
    let sandbox = sandbox().await;
    let limits = RateLimits::shared(Panics { first: 1, ..Panics::default() });
    let client = builder(&sandbox).rate_limits(limits).build().unwrap();
    let error = client.get_time().send().await.unwrap_err();
    assert!(error.to_string().contains("rate budget") && !error.may_have_been_applied(), "{error}");
    buy(&client, "after").await.unwrap();
    // One that panics when it is told of a refusal loses no response.
    sandbox.faults().set(vec![Rule::new(Fault::Status {
        status: 429,
        body: None,
        content_type: None,
        retry_after: None,
        executed: false,
    })]);
    let limits = RateLimits::shared(Panics::default());
    let http = Client::builder(Environment::Custom(sandbox.deribit_url())).rate_limits(limits);
    let error = http.retry(RetryPolicy::none()).build().unwrap().get_time().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
}

fn current() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A venue on a runtime that goes on.
fn venue() -> (Runtime, Sandbox) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let sandbox = runtime.block_on(sandbox());
    (runtime, sandbox)
}

#[test]
fn the_next_call_after_the_end_of_a_runtime_opens_another_connection() {
    let (_runtime, sandbox) = venue();
    let client = builder(&sandbox).build().unwrap();
    for number in 1..=3 {
        let runtime = current();
        runtime.block_on(async {
            let call = buy(&client, "again");
            tokio::time::timeout(SOON, call).await.expect("nobody works").unwrap();
        });
        assert_eq!(client.connection().unwrap().stats().opened, number);
    }
}

#[test]
fn calls_under_way_fail_at_once_when_the_runtime_of_the_connection_ends() {
    let (_runtime, sandbox) = venue();
    let client = builder(&sandbox).build().unwrap();
    sandbox.faults().set(vec![Rule::new(Fault::SilenceAfter).on("private/buy").times(1)]);
    let keeping = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    keeping.block_on(async { client.connection().unwrap().open().await.unwrap() });
    let call = std::thread::spawn({
        let client = client.clone();
        move || current().block_on(async { tokio::time::timeout(SOON, buy(&client, "lost")).await })
    });
    let begin = Instant::now();
    while !sandbox.deribit_order_labels().contains_key("lost") && begin.elapsed() < SOON {
        std::thread::sleep(Duration::from_millis(5));
    }
    keeping.shutdown_background();
    let error = call.join().unwrap().expect("it fails at once").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(error.may_have_been_applied(), "{error}");
    current().block_on(async { buy(&client, "next").await.unwrap() });
}

#[test]
fn calls_that_wait_for_a_connection_outlive_the_runtime_that_was_to_open_it() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // The first connection is accepted and gets no response.
    let (accepted, is_accepted) = std::sync::mpsc::channel();
    let (url, sandbox) = runtime.block_on(async {
        let sandbox = sandbox().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ws/api/v2", listener.local_addr().unwrap());
        let venue = sandbox.base_url().strip_prefix("http://").unwrap().to_owned();
        tokio::spawn(async move {
            let _silent = listener.accept().await.unwrap();
            accepted.send(()).unwrap();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = tokio::net::TcpStream::connect(&venue).await.unwrap();
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
            }
        });
        (url, sandbox)
    });
    let client = Client::websocket(Environment::Custom(url)).credentials(Credentials::secret(ID, SECRET).unwrap());
    let client =
        client.retry(RetryPolicy::none()).rate_limits(RateLimits::none()).websocket(options()).build().unwrap();
    let opening = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    opening.spawn({
        let client = client.clone();
        async move { client.get_time().send().await.map(drop) }
    });
    is_accepted.recv().unwrap();
    let waiting = std::thread::spawn({
        let client = client.clone();
        move || current().block_on(async { tokio::time::timeout(SOON, buy(&client, "waited")).await })
    });
    std::thread::sleep(Duration::from_millis(100));
    opening.shutdown_background();
    waiting.join().unwrap().expect("it does not wait for nobody").unwrap();
    assert_eq!(sandbox.deribit_order_labels()["waited"], 1);
}
