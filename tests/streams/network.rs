//! Streams go through what the client's calls go through, and nowhere where a secret could be read.

use std::sync::{Arc, Mutex};

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use venuekit::kalshi;
use venuekit::streams::{Error, StreamOptions};
use venuekit::transport::RateLimits;

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

#[tokio::test]
async fn nothing_is_signed_for_a_server_that_others_can_listen_to() {
    let sandbox = sandbox().await;
    let client = client_of(&sandbox);
    for (url, why) in [
        ("ws://venue.example/trade-api/ws/v2", "is not wss"),
        ("https://venue.example/", "begins with `wss://`"),
        ("wss://amanda:MARKER@venue.example/", "no user and no password"),
    ] {
        let options = StreamOptions::new().url("stream", Url::parse(url).unwrap());
        let streams = client.streams().shared().with(options);
        let topic = client.streams().trade(["KXANY"]).topic().clone();
        let error = in_time("refused", streams.topic(topic).subscribe()).await.unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(matches!(error, Error::Connection(_)) && said.contains(why) && !said.contains("MARKER"), "{said}");
    }
}

/// A proxy of HTTP that notes the first line of each request. It opens tunnels, and passes on requests that name their server.
async fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, seen) = (format!("http://{}", listener.local_addr().unwrap()), Arc::default());
    let log: Arc<Mutex<Vec<String>>> = seen;
    let seen = log.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, log.clone()));
        }
    });
    (url, seen)
}

async fn pass_on(mut client: TcpStream, log: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let (line, rest) = head.split_once("\r\n")?;
    log.lock().unwrap().push(line.to_owned());
    let mut words = line.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let server = if method == "CONNECT" {
        let server = TcpStream::connect(target).await.ok()?;
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
        server
    } else {
        let (server, path) = target.strip_prefix("http://")?.split_once('/')?;
        let mut server = TcpStream::connect(server).await.ok()?;
        server.write_all(format!("{method} /{path} HTTP/1.1\r\n{rest}").as_bytes()).await.ok()?;
        server
    };
    let mut server = server;
    copy_bidirectional(&mut client, &mut server).await.ok()?;
    Some(())
}

#[tokio::test]
async fn a_stream_goes_through_the_proxy_of_its_client() {
    let sandbox = sandbox().await;
    let (url, seen) = proxy().await;
    let key = &sandbox.accounts().kalshi[0];
    let credentials = kalshi::Credentials::from_pem(&key.key_id, key.private_key_pem.as_ref().unwrap()).unwrap();
    let builder = kalshi::Client::builder(kalshi::Environment::Custom(sandbox.kalshi_url())).credentials(credentials);
    let client = builder.rate_limits(RateLimits::none()).proxy(url).build().unwrap();
    let ticker = market(&client_of(&sandbox)).await;
    let mut trades = in_time("subscribed", client.streams().trade([ticker.clone()]).subscribe()).await.unwrap();
    trade(&sandbox, &ticker, "1.00");
    message(&mut trades).await;
    let seen = seen.lock().unwrap().clone();
    assert!(seen.len() == 1 && seen[0].contains("/trade-api/ws/v2"), "{seen:?}");
}
