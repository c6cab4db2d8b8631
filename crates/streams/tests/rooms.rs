//! Messages without a number, and a login in each of them.

mod common;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use venuekit_streams::{Error, Topic};

use common::{Connection, ROOMS, SECRET, Server, in_time, told, until};

fn trades(markets: &[&str]) -> Topic {
    Topic::new(&ROOMS.channels[0]).list("markets", markets.iter().copied())
}

/// Everything that clients have said.
type Heard = Arc<Mutex<Vec<Value>>>;

/// Answers as a venue of rooms does: one reply for each market.
async fn serve(connection: &mut Connection, heard: &Heard) -> Option<()> {
    let command = connection.hear().await?;
    heard.lock().unwrap().push(command.clone());
    match command["type"].as_str() {
        Some("subscribe") => {
            for market in command["markets"].as_array().unwrap() {
                let room = format!("trades:u1:{}", market.as_str().unwrap());
                connection.say(json!({"type": "subscribed", "room": room, "timestamp": 1})).await;
            }
        }
        Some("unsubscribe") => connection.say(json!({"type": "unsubscribed", "room": command["room"]})).await,
        Some("ping") => connection.say(json!({"type": "pong"})).await,
        _ => {}
    }
    Some(())
}

async fn venue(heard: Heard) -> Server {
    Server::open(move |_, mut connection| {
        let heard = heard.clone();
        async move {
            connection.say(json!({"type": "connected", "data": {"status": "ok"}})).await;
            serve(&mut connection, &heard).await;
            let trade = |market: &str, number: i64| json!({"type": "trade", "data": {"market": market, "n": number}, "timestamp": 5});
            let frame = [trade("A", 1), json!({"type": "pong"}), trade("A", 2), trade("B", 1)].map(|message| message.to_string());
            connection.text(&frame.join("\n")).await;
            while serve(&mut connection, &heard).await.is_some() {}
        }
    })
    .await
}

#[tokio::test]
async fn several_messages_in_a_frame_reach_their_readers() {
    let heard = Heard::default();
    let server = venue(heard.clone()).await;
    let streams = server.streams(&ROOMS);
    let mut reader = in_time(streams.topic(trades(&["A", "B"])).subscribe()).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"market":"A","n":1}"#);
    assert_eq!(told(&mut reader).await, r#"message {"market":"A","n":2}"#);
    assert_eq!(told(&mut reader).await, r#"message {"market":"B","n":1}"#);
    until("the venue is asked by a message of its own", || {
        heard.lock().unwrap().iter().any(|message| message["type"] == "ping")
    })
    .await;
    reader.close().await;
    let left = || {
        let heard = heard.lock().unwrap();
        let rooms = heard.iter().filter(|message| message["type"] == "unsubscribe");
        rooms.map(|message| message["room"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    until("each room is left", || left().len() == 2).await;
    let mut rooms = left();
    rooms.sort();
    assert_eq!(rooms, ["trades:u1:A", "trades:u1:B"]);
    for message in heard.lock().unwrap().iter() {
        assert_eq!(message["auth"], json!({"apiKey": SECRET}), "in every message, pings too");
    }
}

#[tokio::test]
async fn an_error_in_words_is_told_without_the_secret_in_it() {
    let server = Server::open(|_, mut connection| async move {
        while connection.hear().await.is_some() {
            let text = format!("invalid key {SECRET} for market A");
            connection.say(json!({"type": "error", "data": {"message": text}})).await;
        }
    })
    .await;
    let streams = server.streams(&ROOMS);
    let error = in_time(streams.topic(trades(&["A"])).subscribe()).await.unwrap_err();
    let Error::Refused(refused) = &error else { panic!("{error:?}") };
    assert_eq!(refused.refusals[0].text, "invalid key [redacted] for market A");
    assert!(!format!("{error} {error:?} {streams:?}").contains(SECRET));
}

#[tokio::test]
async fn a_private_channel_takes_a_credential() {
    let server = Server::open(|_, _| async {}).await;
    let client: common::Client =
        venuekit_transport::ClientBuilder::new(server.base_url()).build().unwrap_or_else(|error| panic!("{error}"));
    let streams = venuekit_streams::Streams::of(&client.0, &ROOMS);
    let error = in_time(streams.topic(trades(&["A"])).subscribe()).await.unwrap_err();
    assert!(error.to_string().contains("needs the credential signature"), "{error}");
    assert!(server.heads().is_empty());
}
