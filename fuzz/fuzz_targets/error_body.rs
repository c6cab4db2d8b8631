//! Responses of two REST venues with every status, one with errors in the status and one with errors in the body: no input panics,
//! an error shows no secret, and a write whose response cannot be read is not taken for a failure.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use venuekit_auth::{KeyKind, PrivateKey};
use venuekit_bybit::types::Category;
use venuekit_transport::carrier::RawResponse;
use venuekit_transport::{Error, ErrorKind, RateLimits};

#[path = "support.rs"]
mod support;

const SECRET: &str = "not-to-be-shown-in-any-error";

struct Clients {
    kalshi: venuekit_kalshi_perps::Client,
    bybit: venuekit_bybit::Client,
    shared: support::Shared,
}

fuzz_target!(|input: (u16, u8, &[u8])| {
    static CLIENTS: OnceLock<Clients> = OnceLock::new();
    let clients = CLIENTS.get_or_init(clients);
    let (status, choice, body) = input;
    let Ok(status) = http::StatusCode::from_u16(200 + status % 400) else { return };
    let mut response = RawResponse::new(status, body.to_vec());
    if choice % 2 == 0 {
        response = response.header(http::header::CONTENT_TYPE, "application/json".parse().expect("a header"));
    }
    clients.shared.set(response);
    support::block_on(async {
        let (read, write) = if choice % 4 < 2 {
            let read = clients.kalshi.get_margin_balance().send().await.map(|response| drop(response.unknown()));
            (read, clients.kalshi.cancel_margin_order().order_id("1").send().await.map(drop))
        } else {
            let read = clients.bybit.get_api_key().send().await.map(|response| drop(response.unknown()));
            let order = clients.bybit.cancel_order().category(Category::Linear).symbol("BTCUSDT").order_id("1");
            (read, order.send().await.map(drop))
        };
        if let Err(error) = read {
            shown(&error, body);
            assert!(!error.may_have_been_applied(), "an operation that only reads: {error}");
        }
        if let Err(error) = write {
            shown(&error, body);
            if status.is_success() && error.kind() == ErrorKind::Decode {
                assert!(
                    error.may_have_been_applied(),
                    "a response that cannot be read says nothing about the order: {error}"
                );
            }
        }
    });
});

fn clients() -> Clients {
    let shared = support::Shared::default();
    let key = PrivateKey::generate(KeyKind::Ed25519).expect("a key");
    let credentials =
        venuekit_kalshi_perps::Credentials::new("a952bcbe-ec3b-4b5b-b8f9-11dae589608c", key).expect("credentials");
    let kalshi = venuekit_kalshi_perps::Client::builder(venuekit_kalshi_perps::Environment::Demo)
        .credentials(credentials)
        .carrier(shared.clone())
        .rate_limits(RateLimits::none())
        .retry(support::once());
    let credentials = venuekit_bybit::Credentials::api_key("XXXXXXXX", SECRET).expect("credentials");
    let bybit = venuekit_bybit::Client::builder(venuekit_bybit::Environment::Test)
        .credentials(credentials)
        .carrier(shared.clone())
        .rate_limits(RateLimits::none())
        .retry(support::once());
    Clients { kalshi: kalshi.build().expect("a client"), bybit: bybit.build().expect("a client"), shared }
}

/// Everything that shows an error. A secret in it would be ours: the response does not have it.
fn shown(error: &Error, body: &[u8]) {
    let text = format!("{error} {error:?} {:?} {:?}", error.retry_after(), error.raw_body());
    assert!(!text.contains(SECRET) || body.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
}
