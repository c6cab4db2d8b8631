//! Faults of HTTP answers at every venue, and what was carried out under them.

mod common;

use std::time::Duration;

use common::{Kalshi, Signature, now_millis};
use reqwest::{Client, StatusCode};
use serde_json::json;
use venuekit_sandbox::{Accounts, Fault, Rule, Sandbox, Transport};

const CREATE: &str = "/trade-api/v2/portfolio/order_groups/create";

/// So long may a response take.
const USUAL: Duration = Duration::from_secs(30);

async fn create(
    sandbox: &Sandbox,
    client: &Client,
    patience: Duration,
) -> Result<(StatusCode, String), reqwest::Error> {
    let key = Kalshi::given(sandbox, 1);
    let now = now_millis();
    let response = client
        .post(format!("{}{CREATE}", sandbox.base_url()))
        .header("KALSHI-ACCESS-KEY", &key.key_id)
        .header("KALSHI-ACCESS-TIMESTAMP", now.to_string())
        .header("KALSHI-ACCESS-SIGNATURE", key.sign(&Signature::Ed25519, &format!("{now}POST{CREATE}")))
        .json(&json!({"contracts_limit": 10}))
        .timeout(patience)
        .send()
        .await?;
    Ok((response.status(), response.text().await?))
}

fn created(sandbox: &Sandbox) -> u64 {
    sandbox.executed().get(&format!("kalshi POST {CREATE}")).copied().unwrap_or_default()
}

#[tokio::test]
async fn a_request_is_lost_before_or_after_it_is_carried_out() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let client = Client::builder().no_proxy().retry(reqwest::retry::never()).build().unwrap();
    for (fault, times) in [
        (Fault::DropBefore, 0),
        (Fault::DropAfter, 1),
        (Fault::CloseMidAnswer, 1),
        (Fault::SilenceBefore, 0),
        (Fault::SilenceAfter, 1),
    ] {
        let before = created(&sandbox);
        let rule = Rule::new(fault.clone()).at("kalshi").on(format!("POST {CREATE}")).over(Transport::Http).times(1);
        sandbox.faults().set(vec![rule]);
        let is_silent = matches!(fault, Fault::SilenceBefore | Fault::SilenceAfter);
        let patience = if is_silent { Duration::from_millis(2500) } else { USUAL };
        let lost = create(&sandbox, &client, patience).await.unwrap_err();
        assert_eq!(lost.is_timeout(), is_silent, "{fault:?}: {lost:?}");
        assert_eq!(created(&sandbox) - before, times, "{fault:?}");
        let (status, _) = create(&sandbox, &client, USUAL).await.unwrap();
        assert_eq!((status, sandbox.faults().strikes()), (StatusCode::CREATED, vec![1]), "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_is_late_or_another_one() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    sandbox.faults().set(vec![Rule::new(Fault::Delay { ms: 20 }).times(1), Rule::new(Fault::Reorder)]);
    assert_eq!(create(&sandbox, &client, USUAL).await.unwrap().0, StatusCode::CREATED);
    assert_eq!((created(&sandbox), sandbox.faults().strikes()), (1, vec![1, 0]), "frames are not reordered here");

    let rules = r#"[
        {"fault": "status", "status": 503, "times": 1},
        {"fault": "status", "status": 429, "body": "{}", "content_type": "application/json", "retry_after": 7, "times": 1},
        {"fault": "status", "status": 502, "executed": true, "times": 1}
    ]"#;
    sandbox.faults().set(serde_json::from_str(rules).unwrap());
    let (status, body) = create(&sandbox, &client, USUAL).await.unwrap();
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && body.starts_with("<html>"), "{status} {body}");
    let limited = client.get(format!("{}/health", sandbox.base_url())).send().await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(limited.headers()["content-type"], "application/json");
    assert_eq!(created(&sandbox), 1);
    assert_eq!((create(&sandbox, &client, USUAL).await.unwrap().0, created(&sandbox)), (StatusCode::BAD_GATEWAY, 2));
    sandbox.faults().clear();
    assert_eq!(create(&sandbox, &client, USUAL).await.unwrap().0, StatusCode::CREATED);
}

#[tokio::test]
async fn a_rule_is_for_its_venue_and_operation() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    sandbox.faults().set(vec![
        Rule::new(Fault::status(500)).on("GET /trade-api/v2/markets/{ticker}"),
        Rule::new(Fault::status(501)).at("bayse"),
        Rule::new(Fault::status(502)).on("public/get_time"),
        Rule::new(Fault::status(503)).at("yativo").on("GET /api/v1/nothing"),
        Rule::new(Fault::status(504)).over(Transport::Websocket),
    ]);
    let status = async |path: &str| {
        let response = client.get(format!("{}{path}", sandbox.base_url())).send().await.unwrap();
        response.status().as_u16()
    };
    assert_eq!(status("/trade-api/v2/markets/ANY").await, 500);
    assert_eq!(status("/trade-api/v2/markets?limit=1").await, 200);
    assert_eq!(status("/health").await, 501);
    assert_eq!(status("/api/v2/public/get_time").await, 502);
    assert_eq!(status("/api/v2/public/status").await, 200);
    assert_eq!(status("/api/v1/nothing").await, 503);
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "public/get_time"}).to_string();
    let post = client.post(format!("{}/api/v2", sandbox.base_url())).header("content-type", "application/json");
    assert_eq!(post.body(body).send().await.unwrap().status(), 502, "the method stands in the body");
    assert_eq!(sandbox.faults().strikes(), [1, 1, 2, 1, 0]);
    assert_eq!(sandbox.executed().values().sum::<u64>(), 2);
}
