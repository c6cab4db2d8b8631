//! Calls: the same over both transports, any number at once, each with its own end.

use std::time::Duration;

use futures_util::future::join_all;
use rust_decimal::Decimal;
use venuekit::ErrorKind;
use venuekit::deribit::types::Currency;
use venuekit::deribit::{Client, Credentials, Environment};
use venuekit_sandbox::{Fault, RequestLimit, Rule, Sandbox};

use crate::desk::{ID, SECRET, builder, buy, options, sandbox, until};

/// One program, over any transport.
async fn program(client: &Client) {
    let time = client.get_time().send().await.unwrap();
    assert!(time.get() > 1_700_000_000_000, "a bare integer");
    assert!(time.timing().unwrap().us_out.is_some());
    assert_eq!(time.status(), 200);
    let currencies = client.get_currencies().send().await.unwrap();
    assert!(!currencies.is_empty(), "an array");
    let order = buy(client, "one-program").await.unwrap();
    assert_eq!(order.label.as_deref(), Some("one-program"));
    let found = client.get_order_state().body_map(|params| params.order_id(&order.order_id)).send().await.unwrap();
    assert_eq!(found.order_id, order.order_id);
    let summary = client.get_account_summary().body_map(|params| params.currency(Currency::Btc)).send().await.unwrap();
    assert!(summary.equity.is_some());
    client.cancel().body_map(|params| params.order_id(&order.order_id)).send().await.unwrap();
    let error = client.cancel().body_map(|params| params.order_id("BTC-1")).send().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("10004")), "{error}");
    assert!(!error.may_have_been_applied());
    let error = client.ticker().body_map(|params| params.instrument_name("NONE")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.code().is_some());
}

#[tokio::test]
async fn the_same_program_runs_over_both() {
    let sandbox = sandbox().await;
    let http = Client::builder(Environment::Custom(sandbox.deribit_url()))
        .credentials(Credentials::secret(ID, SECRET).unwrap())
        .build()
        .unwrap();
    program(&http).await;
    assert_eq!(sandbox.websocket_connections(), 0);
    assert!(http.connection().is_none());

    let socket = builder(&sandbox).build().unwrap();
    program(&socket).await;
    assert_eq!(sandbox.websocket_connections(), 1, "one connection for all");
    let stats = socket.connection().unwrap().stats();
    assert_eq!((stats.opened, stats.unasked_answers, stats.unreadable_messages), (1, 0, 0));
    drop(socket);
    until("the connection goes with the last client", || sandbox.websocket_connections() == 0).await;
}

#[tokio::test]
async fn an_error_over_a_connection_has_no_status_and_all_else() {
    let sandbox = sandbox().await;
    let client = builder(&sandbox).build().unwrap();
    let call = client.get_instruments().body_map(|params| params.currency("GOLD".to_owned()));
    let error = call.send().await.unwrap_err();
    assert_eq!((error.kind(), error.code(), error.status()), (ErrorKind::InvalidRequest, Some("-32602"), None));
    assert_eq!(error.param(), Some("currency"), "{error}");
    assert!(error.detail().is_some(), "{error}");
}

#[tokio::test]
async fn answers_find_their_calls_in_any_order() {
    let sandbox = sandbox().await;
    sandbox.faults().set_seeded(
        vec![
            Rule::new(Fault::Reorder).on("public/ticker").chance(0.3),
            Rule::new(Fault::Duplicate).on("public/ticker").chance(0.2),
            Rule::new(Fault::Split { parts: 3 }).on("public/ticker").chance(0.2),
            Rule::new(Fault::UnknownId).on("public/ticker").chance(0.2),
            Rule::new(Fault::Delay { ms: 3 }).on("public/ticker").chance(0.2),
        ],
        7,
    );
    let client = builder(&sandbox).build().unwrap();
    let names = ["BTC-PERPETUAL", "ETH-PERPETUAL"];
    let calls = (0..400).map(|number| {
        let (client, name) = (&client, names[number % names.len()]);
        async move {
            let call = client.ticker().body_map(|params| params.instrument_name(name));
            assert_eq!(call.send().await.unwrap().instrument_name, name);
        }
    });
    // A response that is held back until the next one waits for another call.
    let more = async {
        loop {
            client.test().send().await.unwrap();
        }
    };
    tokio::select! {
        _ = join_all(calls) => {}
        () = more => {}
    }
    assert!(sandbox.faults().strikes().iter().all(|strikes| *strikes > 0), "{:?}", sandbox.faults().strikes());
    let stats = client.connection().unwrap().stats();
    assert!(stats.unasked_answers > 10, "{stats:?}");
    assert_eq!(stats.opened, 1);
}

#[tokio::test]
async fn a_call_past_its_time_fails_alone() {
    let sandbox = sandbox().await;
    sandbox.faults().set(vec![Rule::new(Fault::SilenceAfter).on("private/buy").times(1)]);
    let client = builder(&sandbox).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    // Long enough that the order is sent on a busy machine too. The others go on for longer.
    let impatient = client.with_timeout(Duration::from_secs(2));
    let (late, others) = tokio::join!(
        buy(&impatient, "late"),
        join_all((0..20).map(|number| {
            let client = &client;
            async move {
                tokio::time::sleep(Duration::from_millis(150 * number)).await;
                client.get_time().send().await.map(drop)
            }
        }))
    );
    let error = late.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.may_have_been_applied(), "{error}");
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    assert_eq!(client.connection().unwrap().stats().opened, 1, "the connection stays");
    assert_eq!(sandbox.deribit_order_labels()["late"], 1);
}

#[tokio::test]
async fn a_call_that_waits_for_its_turn_is_not_sent_when_its_time_is_over() {
    let sandbox = sandbox().await;
    sandbox.faults().set(vec![Rule::new(Fault::SilenceBefore).on("public/test")]);
    let client = builder(&sandbox).websocket(options().in_flight(2)).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    let blocked: Vec<_> = (0..2)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.test().send().await.map(drop) })
        })
        .collect();
    until("both turns are taken", || sandbox.faults().strikes() == [2]).await;
    let error = buy(&client.with_timeout(Duration::from_millis(100)), "no-turn").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(!error.may_have_been_applied(), "{error}");
    blocked.iter().for_each(tokio::task::JoinHandle::abort);
    // A call that is dropped leaves its turn to the next.
    buy(&client, "its-turn").await.unwrap();
    assert!(!sandbox.deribit_order_labels().contains_key("no-turn"));
}

#[tokio::test]
async fn what_is_too_large_is_not_sent() {
    let sandbox = sandbox().await;
    let socket = builder(&sandbox).build().unwrap();
    let http = Client::builder(Environment::Custom(sandbox.deribit_url())).build().unwrap();
    for client in [socket, http] {
        let name = "A".repeat(40_000);
        let error = client.ticker().body_map(|params| params.instrument_name(name)).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.message().contains("32000"), "{error}");
        assert!(!error.may_have_been_applied());
        assert!(!sandbox.executed().contains_key("deribit POST /api/v2/public/ticker"));
    }
}

#[tokio::test]
async fn too_many_requests_are_a_rate_limit() {
    let sandbox = limited().await;
    let client = builder(&sandbox).build().unwrap();
    let results = join_all((0..50).map(|_| client.get_time().send())).await;
    let errors: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(!errors.is_empty());
    for error in errors {
        assert_eq!((error.kind(), error.code()), (ErrorKind::RateLimited, Some("10028")), "{error}");
        assert!(!error.may_have_been_applied());
    }
}

async fn limited() -> Sandbox {
    let sandbox = sandbox().await;
    let mut settings = sandbox.deribit_settings();
    settings.limit = Some(RequestLimit { burst: 10, per_second: 1, closes: false });
    sandbox.set_deribit_settings(settings);
    sandbox
}

#[tokio::test]
async fn money_is_exact() {
    let sandbox = sandbox().await;
    let client = builder(&sandbox).build().unwrap();
    let order = client
        .buy()
        .body_map(|params| params.instrument_name("BTC-PERPETUAL").amount("12340").price("20000.5").label("exact"))
        .send()
        .await
        .unwrap()
        .into_inner()
        .order;
    let exact = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(order.amount.unwrap().get(), exact("12340"));
    assert_eq!(order.price.unwrap().decimal().unwrap().get(), exact("20000.5"));
}

#[tokio::test]
async fn an_unusable_key_is_refused_before_anything_is_sent() {
    let sandbox = sandbox().await;
    let client = builder(&sandbox).build().unwrap();
    let long = "x".repeat(129);
    for key in ["", "        ", "\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}", "seven-7", "with\na-break", &long] {
        let call = client
            .submit_transfer_between_subaccounts()
            .body_map(|params| params.currency(Currency::Btc).amount("0.1").destination(2).nonce(key));
        let error = call.send().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{key:?}: {error}");
        assert!(error.message().contains("nonce") && !error.may_have_been_applied(), "{key:?}: {error}");
    }
    assert_eq!(sandbox.websocket_connections(), 0, "not even a connection was opened");
}
