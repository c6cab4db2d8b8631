//! What the sandbox knows: ids that are found, instead of those that are generated.

mod bayse;
mod binance;
mod bybit;
mod deribit;
mod kalshi;
mod kalshi_perps;
mod yativo;

use rsa::pkcs8::LineEnding;
use serde_json::Value;

use crate::call::Caller;

/// For each operation that needs them: `{path, query, body, needed, needed_query}`, with what is needed although the spec does not require it.
pub async fn of(caller: &Caller, with_optional: bool) -> Value {
    match caller.venue {
        "bayse" => bayse::of(caller, with_optional).await,
        "binance" => binance::of(caller).await,
        "bybit" => bybit::of(caller).await,
        "deribit" => deribit::of(caller).await,
        "kalshi" => kalshi::of(caller).await,
        "kalshi_perps" => kalshi_perps::of(caller).await,
        "yativo" => yativo::of(caller).await,
        _ => Value::Null,
    }
}

fn public_key_pem() -> String {
    use ed25519_dalek::pkcs8::EncodePublicKey as _;
    let key = ed25519_dalek::SigningKey::from_bytes(&rand::random());
    key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap()
}
