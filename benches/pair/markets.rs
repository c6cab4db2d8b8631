//! A page of markets as the sandbox sends it.

use serde_json::Value;
use venuekit_sandbox::{Accounts, Sandbox};

/// The sandbox's markets, repeated under other tickers until there are enough.
pub fn page(count: usize) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let page: Value = runtime.block_on(async {
        let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
        let url = format!("{}/trade-api/v2/markets?limit=1000", sandbox.base_url());
        reqwest::get(url).await.unwrap().json().await.unwrap()
    });
    let mut markets: Vec<Value> = page["markets"].as_array().unwrap().iter().cycle().take(count).cloned().collect();
    for (number, market) in markets.iter_mut().enumerate() {
        market["ticker"] = format!("KXBENCH-26NOV22-T{number}").into();
    }
    serde_json::to_vec(&serde_json::json!({"cursor": "next", "markets": markets})).unwrap()
}
