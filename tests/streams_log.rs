//! What must not be seen is seen nowhere: not in errors, not in `Debug`, not in the log at its finest level.
//!
//! A program of its own: whether a line is logged at all is remembered for a whole process, whichever thread asked first.

#[path = "streams/desk.rs"]
#[allow(dead_code, reason = "the other tests of streams use the rest")]
mod desk;

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;
use venuekit_sandbox::{Fault, Rule};

use desk::{bayse, deribit, in_time, kalshi, market, message, sandbox, stale, trade};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_in_the_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let sandbox = sandbox().await;
    let mut seen = String::new();

    let client = kalshi(&sandbox);
    let ticker = market(&client).await;
    let mut trades = client.streams().trade([ticker.clone()]).subscribe().await.unwrap();
    trade(&sandbox, &ticker, "1.00");
    seen += &format!("{:?} {trades:?} {client:?}", message(&mut trades).await);
    sandbox.cut_connections();
    seen += &format!("{:?}", stale(&mut trades).await);

    let client = deribit(&sandbox);
    let mut orders = client.streams().user_orders_raw("BTC-PERPETUAL").subscribe().await;
    if let Ok(orders) = &mut orders {
        seen += &format!("{orders:?}");
    }
    let news = client.streams().user_access_log().subscribe().await;
    seen += &format!("{:?} {:?}", news.is_ok(), client.streams());

    let client = bayse(&sandbox);
    let rule = Rule::new(Fault::error(0)).at("bayse").on("subscribe");
    sandbox.faults().set(vec![rule]);
    let market = venuekit::bayse::types::MarketId::from("00000000-0000-4000-8000-000000000001");
    if let Err(error) = in_time("told", client.streams().orders([market]).subscribe()).await {
        seen += &format!("{error} {error:?}");
    }

    seen += &String::from_utf8_lossy(&log.0.lock().unwrap());
    let accounts = sandbox.accounts();
    let (kalshi, bayse) = (&accounts.kalshi[0], &accounts.bayse[0]);
    let pem = kalshi.private_key_pem.clone().unwrap();
    let inside: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    assert!(seen.contains("a connection for streams is open"), "the log was written");
    for secret in [inside.as_str(), "AMANDASECRET", &bayse.secret_key, &bayse.public_key, &bayse.auth_token] {
        assert!(
            !seen.contains(secret),
            "a secret is seen: {}",
            &seen[seen.find(secret).unwrap().saturating_sub(200)..]
        );
    }
    for header in ["KALSHI-ACCESS-SIGNATURE: ", "kalshi-access-signature: "] {
        assert!(!seen.contains(header));
    }
}
