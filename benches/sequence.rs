//! What a process costs that makes signed calls one after another, to set beside one that uses another client.
//!
//! The server is another process, so that only the client is counted: benches/README.md has the commands, and sequence.py is the same
//! with Kalshi's own Python SDK.
//!
//! `cargo bench --bench sequence -- [ahead] [CALLS]` reads URL and key from the variables that `venuekit sandbox --env-file` writes.

#![allow(clippy::print_stdout)]

#[allow(dead_code)]
#[path = "pair/calls.rs"]
mod calls;
#[allow(dead_code)]
mod pair;

use std::error::Error;
use std::hint::black_box;

use calls::generous;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Builder;
use venuekit::kalshi::{Client, Credentials, Environment};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    // Compiled and started as a test too: then there is no server.
    let Ok(server) = std::env::var("VENUEKIT_LOCAL_URL") else {
        println!("set the variables of a sandbox: see benches/README.md");
        return Ok(());
    };
    let calls = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1500);
    let ahead = arguments.iter().any(|argument| argument == "ahead");
    Builder::new_current_thread().enable_all().build()?.block_on(balances(&server, calls, ahead))?;
    let used = clock_gettime(ClockId::ProcessCPUTime);
    println!("{calls} calls: {:.3} s of processor time", used.tv_sec as f64 + used.tv_nsec as f64 / 1e9);
    Ok(())
}

async fn balances(server: &str, calls: usize, ahead: bool) -> Result<(), Box<dyn Error>> {
    let environment = Environment::Custom(format!("{server}/trade-api/v2"));
    let mut credentials = Credentials::from_env(&environment)?;
    if ahead {
        credentials = credentials.sign_ahead(["get_balance"]);
    }
    let client = Client::builder(environment).credentials(credentials).rate_limits(generous()).build()?;
    for _ in 0..calls {
        black_box(client.get_balance().send().await?);
    }
    Ok(())
}
