//! Who is calling: one login a connection, kept fresh, and no secret on the wire.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio_websockets::Message;
use venuekit::ErrorKind;
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::deribit::{Client, Credentials, Environment};
use venuekit::transport::Timeouts;
use venuekit_sandbox::DeribitKey;

use crate::desk::{ID, SECRET, builder, buy, key, options, sandbox, until, with};
use crate::scripted::{answer, client, serve};

#[tokio::test]
async fn one_login_serves_all_calls() {
    let sandbox = sandbox().await;
    let client = builder(&sandbox).build().unwrap();
    client.get_time().send().await.unwrap();
    let logins = || sandbox.executed().get("deribit POST /api/v2/public/auth").copied().unwrap_or_default();
    assert_eq!(logins(), 0, "a public call needs none");
    let orders = (0..20).map(|number| buy(&client, ["a", "b", "c"][number % 3]));
    assert!(futures_util::future::join_all(orders).await.iter().all(Result::is_ok));
    assert_eq!(logins(), 1);
}

#[tokio::test]
async fn a_private_key_logs_in() {
    let pair = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let public = DeribitKey { public_key_pem: Some(pair.public_key_pem().to_owned()), client_secret: None, ..key() };
    let sandbox = with(public).await;
    let client = builder(&sandbox).credentials(Credentials::private_key(ID, pair).unwrap()).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    buy(&client, "by-key").await.unwrap();
}

#[tokio::test]
async fn a_login_that_is_refused_leaves_public_calls_alone() {
    let sandbox = sandbox().await;
    let wrong = Credentials::secret(ID, "some-other-secret").unwrap();
    let client = builder(&sandbox).credentials(wrong).build().unwrap();
    let error = client.connection().unwrap().open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    let error = buy(&client, "refused").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some("13004")), "{error}");
    assert!(!error.may_have_been_applied(), "the order was never sent: {error}");
    assert!(!format!("{error} {error:?}").contains("some-other-secret"));
    client.get_time().send().await.unwrap();
    assert_eq!(client.connection().unwrap().stats().opened, 1);
}

#[tokio::test]
async fn credentials_that_cannot_log_in_are_named() {
    let sandbox = sandbox().await;
    let client = builder(&sandbox).credentials(Credentials::basic(ID, SECRET).unwrap()).build().unwrap();
    let error = buy(&client, "basic").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    assert!(error.message().contains("credentials that log in") && error.message().contains("basic"), "{error}");
    let anonymous = Client::websocket(Environment::Custom(sandbox.deribit_websocket_url())).build().unwrap();
    assert!(buy(&anonymous, "nobody").await.unwrap_err().message().contains("none"));
    anonymous.get_time().send().await.unwrap();
}

#[tokio::test]
async fn a_token_is_renewed_ahead_of_its_end_without_any_call() {
    let sandbox = sandbox().await;
    let mut settings = sandbox.deribit_settings();
    settings.access_token_seconds = 2;
    sandbox.set_deribit_settings(settings);
    let client = builder(&sandbox).build().unwrap();
    buy(&client, "before").await.unwrap();
    let logins = || sandbox.executed()["deribit POST /api/v2/public/auth"];
    until("another token", || logins() >= 2).await;
    buy(&client, "after").await.unwrap();
    assert_eq!(client.connection().unwrap().stats().opened, 1);
}

#[tokio::test]
async fn a_second_factor_works_as_over_http() {
    let sandbox = with(DeribitKey { totp_code: Some("123456".into()), ..key() }).await;
    let client = builder(&sandbox).build().unwrap();
    let error = client.list_api_keys().send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Challenge, None), "{error}");
    let keys = client.confirm(error.challenge().unwrap(), "123456").list_api_keys().send().await.unwrap();
    assert!(!keys.is_empty());
}

#[tokio::test]
async fn logging_out_ends_the_connection_and_the_next_call_begins_another() {
    let sandbox = sandbox().await;
    let client = builder(&sandbox).build().unwrap();
    client.enable_cancel_on_disconnect().send().await.unwrap();
    let order = buy(&client, "stays").await.unwrap();
    client.logout().send().await.unwrap();
    until("the connection ends", || sandbox.websocket_connections() == 0).await;
    assert_eq!(client.connection().unwrap().stats().opened, 1, "nobody asked for another yet");
    let order = client.get_order_state().body_map(|params| params.order_id(order.order_id)).send().await.unwrap();
    assert_eq!(
        order.order_state.as_ref().map(ToString::to_string).as_deref(),
        Some("open"),
        "logging out cancels nothing"
    );
    assert_eq!(client.connection().unwrap().stats().opened, 2);
    let setting = client.get_cancel_on_disconnect().send().await.unwrap();
    assert!(!setting.enabled, "what the login had made does not come again");
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_over_a_connection_is_followed_by_a_login_on_it() {
    let grants = Arc::new(Mutex::new(Vec::new()));
    let seen = grants.clone();
    let url = serve(move |mut stream, _| {
        let seen = seen.clone();
        async move {
            while let Some(Ok(message)) = stream.next().await {
                let Some(text) = message.as_text() else { continue };
                let request: serde_json::Value = serde_json::from_str(text).unwrap();
                let grant = request["params"]["grant_type"].as_str().unwrap_or_default().to_owned();
                let id = &request["id"];
                let reply = match grant.as_str() {
                    "" => answer(text, "1"),
                    "refresh_token" => {
                        let error = r#"{"code":13004,"message":"invalid_credentials"}"#;
                        format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
                    }
                    _ => answer(text, r#"{"access_token":"a","refresh_token":"b","expires_in":2}"#),
                };
                if !grant.is_empty() {
                    seen.lock().unwrap().push(grant);
                }
                stream.send(Message::text(reply)).await.unwrap();
            }
        }
    })
    .await;
    let client = client(&url, Timeouts::default(), options());
    let client = client.credentials(Credentials::secret(ID, SECRET).unwrap()).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    // Before the first token has ended, and without a call.
    until("another login", || grants.lock().unwrap().len() >= 3).await;
    assert_eq!(grants.lock().unwrap()[..3], ["client_signature", "refresh_token", "client_signature"]);
    client.cancel_all().send().await.unwrap();
    assert_eq!(client.connection().unwrap().stats().opened, 1);
}

#[tokio::test]
async fn a_token_without_a_life_is_no_login_without_end() {
    let logins = Arc::new(Mutex::new(0));
    let seen = logins.clone();
    let url = serve(move |mut stream, _| {
        let seen = seen.clone();
        async move {
            while let Some(Ok(message)) = stream.next().await {
                let Some(text) = message.as_text() else { continue };
                let is_login = text.contains("public/auth");
                *seen.lock().unwrap() += usize::from(is_login);
                let result = if is_login { r#"{"access_token":"a","refresh_token":"b"}"# } else { "1" };
                stream.send(Message::text(answer(text, result))).await.unwrap();
            }
        }
    })
    .await;
    let client = client(&url, Timeouts::default(), options());
    let client = client.credentials(Credentials::secret(ID, SECRET).unwrap()).build().unwrap();
    for _ in 0..50 {
        client.cancel_all().send().await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(*logins.lock().unwrap(), 1);
}
