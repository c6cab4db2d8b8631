//! Responses of a JSON-RPC venue: no input panics, and a response that is neither an error nor a result is not taken for one.
#![no_main]

use std::sync::{Arc, Mutex, OnceLock};

use libfuzzer_sys::fuzz_target;
use venuekit_deribit::types::{Currency, InstrumentKind};
use venuekit_deribit::{Client, Environment};
use venuekit_transport::RateLimits;
use venuekit_transport::carrier::{Carrier, CarrierFuture, CarrierRequest, RawResponse};

#[path = "support.rs"]
#[allow(dead_code)]
mod support;

/// Puts the id of the request into the response, without which every response would be one to another request.
#[derive(Clone, Default)]
struct Enveloped(Arc<Mutex<Vec<u8>>>);

impl Carrier for Enveloped {
    fn send<'a>(&'a self, request: CarrierRequest<'a>) -> CarrierFuture<'a> {
        let input = self.0.lock().expect("the lock").clone();
        let id = request.rpc_id.unwrap_or_default();
        let response = match input.split_first() {
            Some((choice, rest)) if choice % 4 != 0 => {
                let begin = format!(r#"{{"jsonrpc":"2.0","id":{id},"#).into_bytes();
                let status = if choice % 4 == 3 { 400 } else { 200 };
                RawResponse::new(status.try_into().expect("a status"), [begin, rest.to_vec(), b"}".to_vec()].concat())
            }
            _ => RawResponse::new(200.try_into().expect("a status"), input),
        };
        Box::pin(std::future::ready(Ok(response)))
    }
}

fuzz_target!(|input: &[u8]| {
    static CLIENT: OnceLock<(Client, Enveloped)> = OnceLock::new();
    let (client, carrier) = CLIENT.get_or_init(|| {
        let carrier = Enveloped::default();
        let builder = Client::builder(Environment::Test).carrier(carrier.clone()).rate_limits(RateLimits::none());
        (builder.retry(support::once()).build().expect("a client"), carrier)
    });
    *carrier.0.lock().expect("the lock") = input.to_vec();
    support::block_on(async {
        if let Err(error) = client.get_order_book().instrument_name("BTC-PERPETUAL").send().await {
            let _ = (error.to_string(), format!("{error:?}"), error.retry_after(), error.raw_body());
            assert!(!error.may_have_been_applied(), "an operation that only reads: {error}");
        }
        if let Ok(response) = client.get_instruments().currency("BTC").send().await {
            let _ = response.unknown();
        }
        let call = client.get_book_summary_by_currency().currency(Currency::Btc).kind(InstrumentKind::Future);
        let _ = call.send().await;
    });
});
