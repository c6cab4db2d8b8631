//! Streams go through what the client's calls go through, and nowhere where a secret could be read.

use reqwest::Url;
use venuekit::kalshi;
use venuekit::streams::{Error, StreamOptions};

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
