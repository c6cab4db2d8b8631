//! How do I know that a webhook delivery comes from Yativo?
//!
//! `cargo run --example yativo_webhook` serves an endpoint on loopback, acts as Yativo, and delivers a valid event, a forged one, an
//! altered one and an old one.
//!
//! For the real venue change two lines: the secret, which Yativo shows when the webhook is created, and the address to listen on.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use venuekit::yativo::webhook::{WebhookScheme, WebhookVerifier};

const EVENT: &str = r#"{"id":"evt_1","event":"deposit.confirmed","data":{"amount":"25.50"}}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// Serves the endpoint and delivers to it.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let secret = "whsec_a_secret_of_this_example";
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;

    // Five minutes of tolerance is the default. Name the scheme of your webhook: the older one does not protect against replay.
    let verifier = WebhookVerifier::new(secret)?.only(WebhookScheme::Timestamped);
    let address = listener.local_addr()?;
    let router = Router::new().route("/webhook", post(receive)).with_state(verifier);
    let server = tokio::spawn(axum::serve(listener, router).into_future());

    let url = format!("http://{address}/webhook");
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let deliveries = [
        ("a good delivery", secret, now, EVENT.to_owned(), StatusCode::NO_CONTENT),
        ("one that somebody else signed", "a guess", now, EVENT.to_owned(), StatusCode::UNAUTHORIZED),
        ("one with another amount", secret, now, EVENT.replace("25.50", "2550"), StatusCode::UNAUTHORIZED),
        ("one of an hour ago", secret, now - 3600, EVENT.to_owned(), StatusCode::UNAUTHORIZED),
    ];
    for (what, signer, seconds, body, expected) in deliveries {
        let answered = deliver(&url, signer, seconds, body).await?;
        println!("{what}: status {answered}");
        if answered != expected {
            return Err(format!("{what} got {answered}, not {expected}").into());
        }
    }
    server.abort();
    Ok(())
}

/// The endpoint. It takes the body as raw bytes: a body that was parsed and serialized again no longer matches its signature.
async fn receive(State(verifier): State<WebhookVerifier>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_millis = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    match verifier.verify(&headers, &body, now_millis) {
        // Only now may the body be parsed and trusted. An id that was seen before is a repeated delivery: respond in the same way.
        Ok(_) => StatusCode::NO_CONTENT,
        Err(reason) => {
            println!("  refused: {reason}");
            StatusCode::UNAUTHORIZED
        }
    }
}

/// Acts as Yativo: signs the event, and sends `sent` as its body.
async fn deliver(url: &str, secret: &str, seconds: i64, sent: String) -> Result<StatusCode, Box<dyn Error>> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(format!("{seconds}.{EVENT}").as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let request = reqwest::Client::builder()
        .no_proxy()
        .build()?
        .post(url)
        .header("x-yativo-timestamp", seconds)
        .header("x-yativo-signature", signature)
        .body(sent);
    Ok(request.send().await?.status())
}
