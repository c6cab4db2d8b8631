//! Streams go through what the client's calls go through, and nowhere where a secret could be read.

use std::sync::{Arc, Mutex};

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use venuekit::streams::{Error, StreamOptions};
use venuekit::transport::Clock;
use venuekit::{deribit, kalshi};

use crate::desk::{in_time, kalshi as client_of, market, message, sandbox, trade};

#[tokio::test]
async fn a_url_may_be_another_one() {
    let sandbox = sandbox().await;
    let key = &sandbox.accounts().kalshi[0];
    let credentials = kalshi::Credentials::from_pem(&key.key_id, key.private_key_pem.as_ref().unwrap()).unwrap();
    // Calls would go to a server that is not there.
    let environment = kalshi::Environment::Custom("http://127.0.0.1:9/trade-api/v2".to_owned());
    let client = kalshi::Client::builder(environment).credentials(credentials).build().unwrap();
    let url = Url::parse(&sandbox.kalshi_websocket_url()).unwrap();
    let streams = client.streams().shared().with(StreamOptions::new().url("stream", url));
    let ticker = market(&client_of(&sandbox)).await;
    let topic = client.streams().trade([ticker.clone()]).topic().clone();
    let mut trades = in_time("subscribed", streams.topic(topic).subscribe()).await.unwrap();
    trade(&sandbox, &ticker, "1.00");
    message(&mut trades).await;
}

/// Nothing is signed, so that nothing can be refused for its time.
#[tokio::test]
async fn the_handshake_of_a_public_stream_corrects_the_clock() {
    let sandbox = sandbox().await;
    for is_corrected in [true, false] {
        let clock = Clock::default();
        sandbox.clock().set_offset_millis(-60_000);
        let builder = deribit::Client::builder(deribit::Environment::Custom(sandbox.deribit_url()));
        let client = builder.clock(clock.clone()).correct_clock_skew(is_corrected).build().unwrap();
        let _quotes = client.streams().quote("BTC-PERPETUAL").subscribe().await.unwrap();
        let offset = clock.offset_millis();
        let bound = if is_corrected { i64::MIN..-45_000 } else { 0..1 };
        assert!(bound.contains(&offset), "{offset}");
    }
}

#[tokio::test]
async fn nothing_is_signed_for_a_server_that_others_can_listen_to() {
    let sandbox = sandbox().await;
    let client = client_of(&sandbox);
    for (url, why) in [
        ("ws://venue.example/trade-api/ws/v2", "is not wss"),
        ("https://venue.example/", "must begin with `wss://`"),
        ("wss://amanda:MARKER@venue.example/", "must not contain a user or a password"),
    ] {
        let options = StreamOptions::new().url("stream", Url::parse(url).unwrap());
        let streams = client.streams().shared().with(options);
        let topic = client.streams().trade(["KXANY"]).topic().clone();
        let error = in_time("refused", streams.topic(topic).subscribe()).await.unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(matches!(error, Error::Connection(_)) && said.contains(why) && !said.contains("MARKER"), "{said}");
    }
}

/// A proxy that notes the first line of each request, and opens no tunnel.
async fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = log.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let log = log.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = client.read_u8().await else { return };
                    head.push(byte);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                log.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
                let _ = client.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
            });
        }
    });
    (url, seen)
}

/// A server on this machine is reached without the proxy, so that the venue is one that does not exist.
#[tokio::test]
async fn a_stream_goes_through_the_proxy_of_its_client() {
    let sandbox = sandbox().await;
    let (url, seen) = proxy().await;
    let key = &sandbox.accounts().kalshi[0];
    let credentials = kalshi::Credentials::from_pem(&key.key_id, key.private_key_pem.as_ref().unwrap()).unwrap();
    let environment = kalshi::Environment::Custom("https://venue.example/trade-api/v2".to_owned());
    let client = kalshi::Client::builder(environment).credentials(credentials).proxy(url).build().unwrap();
    let subscribe = client.streams().trade(["KXANY"]).subscribe();
    let is_asked = crate::desk::until("the proxy is asked", || !seen.lock().unwrap().is_empty());
    tokio::select! {
        subscribed = subscribe => panic!("there is no venue: {subscribed:?}"),
        () = is_asked => {}
    }
    assert_eq!(seen.lock().unwrap()[0], "CONNECT venue.example:443 HTTP/1.1");
}
