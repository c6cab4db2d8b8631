//! Every example runs to its end.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

macro_rules! examples {
    ($($name:ident: $path:literal,)*) => {
        $(
            // `main` is for `cargo run --example`; here only `run` is called.
            #[allow(dead_code)]
            #[path = $path]
            mod $name;

            #[tokio::test]
            async fn $name() {
                $name::run().await.unwrap_or_else(|error| panic!("{error}"));
            }
        )*

        const COVERED: &[&str] = &[$($path),*];
    };
}

examples! {
    bayse_streams: "../examples/bayse_streams.rs",
    create_keys: "../examples/create_keys.rs",
    deribit_key_and_token: "../examples/deribit_key_and_token.rs",
    deribit_second_factor: "../examples/deribit_second_factor.rs",
    deribit_streams: "../examples/deribit_streams.rs",
    deribit_websocket: "../examples/deribit_websocket.rs",
    error_kinds: "../examples/error_kinds.rs",
    kalshi_markets: "../examples/kalshi_markets.rs",
    kalshi_order: "../examples/kalshi_order.rs",
    kalshi_perps_streams: "../examples/kalshi_perps_streams.rs",
    kalshi_streams: "../examples/kalshi_streams.rs",
    stored_key: "../examples/stored_key.rs",
    yativo_webhook: "../examples/yativo_webhook.rs",
}

#[test]
fn no_example_is_left_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let there: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| format!("../examples/{}", entry.unwrap().file_name().into_string().unwrap()))
        .collect();
    let covered: BTreeSet<String> = COVERED.iter().map(|path| (*path).to_owned()).collect();
    assert_eq!(there, covered, "examples/ on the left, what is run here on the right");
}
