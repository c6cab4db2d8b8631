#!/usr/bin/env bash
# binance-sdk 77.2.0 (crates.io): an order is placed, and the connection ends in the middle of the response; or the venue responds with 503
# and the code -1007, after which, it says, nobody knows whether the call was executed.
#
# Expected by most: a POST is sent once, as the crate does where no response comes at all, and an error has the code.
# Seen: where the response is cut, the same order is sent four times, each of which the venue executes. Of 503 the code -1007 is lost.
#
# Prints what was seen, and exits with 1 if that has changed. Needs cargo, a C compiler, OpenSSL and some minutes; with CARGO_TARGET_DIR set, what
# was built is kept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "cut-response"
version = "0.0.0"
edition = "2021"

[dependencies]
binance-sdk = { version = "=77.2.0", default-features = false, features = ["spot", "openssl-tls"] }
rust_decimal = "1"
tokio = { version = "1", features = ["macros", "rt-multi-thread", "time"] }

[profile.dev]
debug = 0

[workspace]
TOML
cat >"$folder/src/main.rs" <<'RUST'
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use binance_sdk::config::ConfigurationRestApi;
use binance_sdk::spot::rest_api::{NewOrderParams, NewOrderSideEnum, NewOrderTypeEnum};
use binance_sdk::spot::SpotRestApi;

/// Reads a request: its head, and as much body as the head announces.
fn read(stream: &mut TcpStream) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    loop {
        if let Some(end) = text.find("\r\n\r\n") {
            let head = text[..end].to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if text.len() >= end + 4 + length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut buffer) {
            Ok(length) if length > 0 => text.push_str(&String::from_utf8_lossy(&buffer[..length])),
            _ => return text,
        }
    }
}

/// A venue that takes every request, and answers as it is told. Returns its URL and what it gets.
fn venue(response: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = read(&mut stream);
            if !request.is_empty() {
                log.lock().unwrap().push(request.lines().next().unwrap_or_default().to_owned());
                stream.write_all(response.as_bytes()).unwrap();
            }
        }
    });
    (url, requests)
}

const CUT: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{\"symbol\":\"ABCUSDT\",\"orderId\":";
const UNKNOWN: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 75\r\nconnection: close\r\n\r\n{\"code\": -1007, \"msg\": \"Timeout waiting for response from backend server.\"}";

#[tokio::main]
async fn main() {
    for (what, response) in [("a response that is cut", CUT), ("503 with the code -1007", UNKNOWN)] {
        let (url, requests) = venue(response);
        let configuration = ConfigurationRestApi::builder().api_key("k").api_secret("s").base_path(url).backoff(1);
        let rest = SpotRestApi::from_config(configuration.build().unwrap());
        let order = NewOrderParams::builder("ABCUSDT".to_string(), NewOrderSideEnum::Buy, NewOrderTypeEnum::Market);
        let order = order.quantity(rust_decimal::Decimal::ONE).build().unwrap();
        let error = rest.new_order(order).await.err().unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let requests = requests.lock().unwrap();
        let orders = requests.iter().filter(|line| line.starts_with("POST /api/v3/order")).count();
        let error = error.to_string();
        println!("{what}: {orders} POST /api/v3/order: {}", error.split(": error ").next().unwrap_or_default());
    }
}
RUST
seen=$(cargo run --quiet --manifest-path "$folder/Cargo.toml" 2>"$folder/log") || { cat "$folder/log" >&2; exit 1; }
wanted=$(cat <<'TEXT'
a response that is cut: 4 POST /api/v3/order: Connector client error: Failed to get response bytes
503 with the code -1007: 1 POST /api/v3/order: Internal server error: Server error: 503 (status code: Some(503))
TEXT
)
echo "$seen"
if [ "$seen" != "$wanted" ]; then
  echo "this has changed; it was:" >&2
  echo "$wanted" >&2
  exit 1
fi
