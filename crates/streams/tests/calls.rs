//! Streams of a JSON-RPC venue: over the connection of the calls, and over one of their own.

mod common;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use venuekit_streams::{Error, Overflow, StreamOptions, Streams, Topic};
use venuekit_transport::client::{Call, JsonBody, Session};
use venuekit_transport::{ClientBuilder, WebSocketOptions};

use common::{CALLED, Client, Connection, Server, in_time, told, until};

fn trades(market: &str) -> Topic {
    Topic::new(&CALLED.channels[0]).set("market", market)
}

fn session(base_url: &str) -> Session {
    let options = WebSocketOptions::new().heartbeat(None);
    let builder = ClientBuilder::<Client>::new(base_url).websocket(options);
    builder.build().unwrap_or_else(|error| panic!("{error}")).0
}

/// A client whose calls go over a WebSocket.
fn over_socket(server: &Server) -> Session {
    session(&format!("ws://{}/ws/api", server.address))
}

fn notification(channel: &str, number: i64) -> Value {
    json!({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": {"n": number}}})
}

/// Answers a call that subscribes or unsubscribes: what begins with `no` is left out, as venues do. Returns the call.
async fn serve(connection: &mut Connection) -> Option<Value> {
    let call = connection.hear().await?;
    let channels = call["params"]["channels"].as_array().cloned().unwrap_or_default();
    let taken: Vec<_> = channels.into_iter().filter(|name| !name.as_str().unwrap().ends_with(".no")).collect();
    connection.say(json!({"jsonrpc": "2.0", "id": call["id"], "result": taken})).await;
    Some(call)
}

type Heard = Arc<Mutex<Vec<(usize, Value)>>>;

/// A venue that sends one notification of each channel after it is subscribed to.
async fn venue(heard: Heard) -> Server {
    Server::open(move |number, mut connection| {
        let heard = heard.clone();
        async move {
            while let Some(call) = serve(&mut connection).await {
                heard.lock().unwrap().push((number, call.clone()));
                if call["method"] == "public/subscribe" {
                    let names = call["params"]["channels"].as_array().unwrap().iter();
                    for name in names.filter_map(Value::as_str).filter(|name| !name.ends_with(".no")) {
                        connection.say(notification(name, 1)).await;
                    }
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn streams_share_the_connection_of_the_calls() {
    let heard = Heard::default();
    let server = venue(heard.clone()).await;
    let session = over_socket(&server);
    let streams = Streams::of(&session, &CALLED);
    let mut one = in_time(streams.topic(trades("A")).subscribe()).await.unwrap();
    let mut two = in_time(streams.topic(trades("B")).subscribe()).await.unwrap();
    assert_eq!(told(&mut one).await, r#"message {"n":1}"#);
    assert_eq!(told(&mut two).await, r#"message {"n":1}"#);
    let row = session.venue().operation("unsubscribe").unwrap();
    let body = JsonBody::new(row, r#"{"channels":["other"]}"#).unwrap();
    in_time(session.send(Call::new(row).body(body))).await.unwrap();
    assert_eq!(server.heads().len(), 1, "one connection carries both");
    assert!(server.heads()[0].starts_with("/ws/api\n"));
    drop(one);
    let unsubscribed = |channel: &str| {
        let heard = heard.lock().unwrap();
        heard
            .iter()
            .any(|(_, call)| call["params"] == json!({"channels": [channel]}) && call["method"] == "public/unsubscribe")
    };
    until("what nobody reads is unsubscribed", || unsubscribed("trades.A")).await;
    drop((two, streams));
    until("the last handle ends what is left", || unsubscribed("trades.B")).await;
    let body = JsonBody::new(row, r#"{"channels":["other"]}"#).unwrap();
    in_time(session.send(Call::new(row).body(body))).await.unwrap();
    assert_eq!(server.heads().len(), 1, "the calls keep their connection");
}

#[tokio::test]
async fn closed_streams_leave_the_connection_of_the_calls_without_subscriptions() {
    let heard = Heard::default();
    let server = venue(heard.clone()).await;
    let session = over_socket(&server);
    let streams = Streams::of(&session, &CALLED);
    let _readers = [
        in_time(streams.topic(trades("A")).subscribe()).await.unwrap(),
        in_time(streams.topic(trades("B")).subscribe()).await.unwrap(),
    ];
    in_time(streams.close()).await;
    let heard = heard.lock().unwrap();
    let ended: Vec<_> = heard.iter().filter(|(_, call)| call["method"] == "public/unsubscribe").collect();
    assert_eq!(ended.len(), 1, "{heard:?}");
    assert_eq!(ended[0].1["params"], json!({"channels": ["trades.A", "trades.B"]}));
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn streams_may_have_a_connection_of_their_own() {
    let heard = Heard::default();
    let server = venue(heard.clone()).await;
    let session = over_socket(&server);
    session.websocket().unwrap().open().await.unwrap();
    let streams = Streams::of(&session, &CALLED).with(StreamOptions::new().own_connection(true));
    let mut reader = in_time(streams.topic(trades("A")).subscribe()).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"n":1}"#);
    assert_eq!(server.heads().len(), 2);
    assert!(heard.lock().unwrap().iter().all(|(number, _)| *number == 2));
}

/// The response to a call would wait behind data that nobody reads before it.
#[tokio::test]
async fn a_reader_that_blocks_does_not_come_by_the_connection_of_the_calls() {
    let server = venue(Heard::default()).await;
    let session = over_socket(&server);
    let shared = Streams::of(&session, &CALLED);
    let blocking = |streams: &Streams| streams.topic(trades("A")).overflow(Overflow::Block).subscribe();
    let error = in_time(blocking(&shared)).await.unwrap_err();
    assert!(matches!(error, Error::BlocksCalls { channel: "trades" }), "{error:?}");
    assert!(error.to_string().contains("`StreamOptions::own_connection(true)`"), "{error}");
    assert!(server.heads().is_empty(), "nothing is opened for it");
    let own = shared.with(StreamOptions::new().own_connection(true));
    let over_http = Streams::of(&self::session(&server.base_url()), &CALLED);
    for streams in [own, over_http] {
        let mut reader = in_time(blocking(&streams)).await.unwrap();
        assert_eq!(told(&mut reader).await, r#"message {"n":1}"#);
    }
}

#[tokio::test]
async fn a_client_over_http_streams_over_a_socket() {
    let server = venue(Heard::default()).await;
    let session = session(&server.base_url());
    let mut reader = in_time(Streams::of(&session, &CALLED).topic(trades("A")).subscribe()).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"n":1}"#);
    assert!(server.heads()[0].starts_with("/ws/api\n"), "{:?}", server.heads());
}

#[tokio::test]
async fn what_is_subscribed_survives_the_connection() {
    for own in [false, true] {
        let server = Server::open(move |number, mut connection| async move {
            serve(&mut connection).await;
            connection.say(notification("trades.A", i64::try_from(number).unwrap())).await;
            if number > 1 {
                connection.rest().await;
            }
        })
        .await;
        let streams = Streams::of(&over_socket(&server), &CALLED).with(StreamOptions::new().own_connection(own));
        let mut reader = in_time(streams.topic(trades("A")).subscribe()).await.unwrap();
        assert_eq!(told(&mut reader).await, r#"message {"n":1}"#, "{own}");
        assert!(told(&mut reader).await.starts_with("stale connection lost"), "{own}");
        assert_eq!(told(&mut reader).await, "resynced Unknown", "{own}");
        assert_eq!(told(&mut reader).await, r#"message {"n":2}"#, "{own}");
    }
}

#[tokio::test]
async fn a_channel_that_is_left_out_is_refused_by_name() {
    let server = venue(Heard::default()).await;
    let streams = Streams::of(&over_socket(&server), &CALLED);
    let error = in_time(streams.topic(trades("no")).subscribe()).await.unwrap_err();
    let Error::Refused(refused) = &error else { panic!("{error:?}") };
    assert_eq!(refused.refusals[0].topic.to_string(), "trades.no");
    let mut other = in_time(streams.topic(trades("A")).subscribe()).await.unwrap();
    assert_eq!(told(&mut other).await, r#"message {"n":1}"#);
}

#[tokio::test]
async fn the_error_of_a_call_is_told_with_its_code() {
    let server = Server::open(|_, mut connection| async move {
        while let Some(call) = connection.hear().await {
            let error = json!({"code": 13778, "message": "raw_subscriptions_not_available_for_unauthorized"});
            connection.say(json!({"jsonrpc": "2.0", "id": call["id"], "error": error})).await;
        }
    })
    .await;
    let streams = Streams::of(&over_socket(&server), &CALLED);
    let error = in_time(streams.topic(trades("A")).subscribe()).await.unwrap_err();
    let Error::Refused(refused) = &error else { panic!("{error:?}") };
    assert_eq!(refused.refusals[0].code, "13778");
    assert!(refused.refusals[0].text.contains("raw_subscriptions"), "{error}");
}

#[tokio::test]
async fn data_that_comes_with_its_reply_is_not_before_it() {
    // Reply and data leave together, so that both are there at once; the two take different ways in the client.
    for _ in 0..20 {
        let server = Server::open(|_, mut connection| async move {
            use futures_util::SinkExt;
            use tokio_websockets::Message;
            let call = connection.hear().await.unwrap();
            let reply = json!({"jsonrpc": "2.0", "id": call["id"], "result": ["trades.A"]});
            let _ = connection.socket.feed(Message::text(reply.to_string())).await;
            for number in 1..=3 {
                let _ = connection.socket.feed(Message::text(notification("TRADES.A", number).to_string())).await;
            }
            let _ = connection.socket.flush().await;
            connection.rest().await;
        })
        .await;
        let streams = Streams::of(&over_socket(&server), &CALLED);
        let mut reader = in_time(streams.topic(trades("A")).subscribe()).await.unwrap();
        for number in 1..=3 {
            assert_eq!(told(&mut reader).await, format!(r#"message {{"n":{number}}}"#));
        }
    }
}

#[tokio::test]
async fn the_handler_of_the_user_is_told_too() {
    let server = venue(Heard::default()).await;
    let told_user = Arc::new(Mutex::new(Vec::new()));
    let log = told_user.clone();
    let options = WebSocketOptions::new().heartbeat(None).on_event(move |event| {
        if let venuekit_transport::Event::Notification { channel, data, .. } = event {
            log.lock().unwrap().push(format!("{channel} {data}"));
        }
    });
    let builder = ClientBuilder::<Client>::new(format!("ws://{}/ws/api", server.address)).websocket(options);
    let session = builder.build().unwrap_or_else(|error| panic!("{error}")).0;
    let mut reader = in_time(Streams::of(&session, &CALLED).topic(trades("A")).subscribe()).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"n":1}"#);
    until("the handler has it", || *told_user.lock().unwrap() == [r#"trades.A {"n":1}"#]).await;
}
