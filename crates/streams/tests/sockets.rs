//! Connections of the streams' own: opened and signed, read, kept alive, lost, opened again, closed.

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_websockets::{CloseCode, Message};
use venuekit_streams::{Error, Streams, Topic};

use common::{COMMANDED, SECRET, Server, in_time, told, until};

fn trades(markets: &[&str]) -> Topic {
    Topic::new(&COMMANDED.channels[0]).list("markets", markets.iter().copied())
}

#[tokio::test]
async fn a_message_comes_from_the_socket_to_the_reader() {
    let commands: Arc<Mutex<Vec<Value>>> = Arc::default();
    let heard = commands.clone();
    let server = Server::open(move |_, mut connection| {
        let heard = heard.clone();
        async move {
            let command = connection.serve(|command| command["cmd"] == "subscribe").await.unwrap();
            heard.lock().unwrap().push(command);
            connection.trade(1, "A").await;
            connection.text(r#"{"type":"news","sid":1,"seq":2,"msg":{"market":"A"}}"#).await;
            let _ = connection
                .socket
                .send(Message::binary(r#"{"type":"trade","sid":1,"seq":3,"msg":{"market":"A","seq":3}}"#))
                .await;
            connection.rest().await;
        }
    })
    .await;
    let mut reader = in_time(server.streams(&COMMANDED).topic(trades(&["A"])).subscribe()).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"market":"A","seq":1}"#);
    assert_eq!(told(&mut reader).await, r#"message {"market":"A"}"#, "of whatever type");
    assert_eq!(told(&mut reader).await, r#"message {"market":"A","seq":3}"#, "in a binary frame");
    let command = commands.lock().unwrap()[0].clone();
    assert_eq!(command["params"], json!({"channels": ["trades"], "markets": ["A"]}));
    let head = server.heads()[0].clone();
    assert!(head.starts_with("/stream/v2\n") && head.contains("x-signed: GET/stream/v2#"), "{head}");
}

#[tokio::test]
async fn two_readers_share_a_connection_and_none_ends_the_other() {
    let commands: Arc<Mutex<Vec<Value>>> = Arc::default();
    let heard = commands.clone();
    let server = Server::open(move |_, mut connection| {
        let heard = heard.clone();
        async move {
            let mut seq = 0;
            while let Some(command) = connection.serve(|_| true).await {
                heard.lock().unwrap().push(command);
                seq += 1;
                connection.trade(seq, "A").await;
            }
        }
    })
    .await;
    let streams = server.streams(&COMMANDED);
    let mut one = in_time(streams.topic(trades(&["A"])).subscribe()).await.unwrap();
    assert_eq!(told(&mut one).await, r#"message {"market":"A","seq":1}"#);
    let mut two = in_time(streams.topic(trades(&["A", "B"])).subscribe()).await.unwrap();
    assert_eq!(told(&mut one).await, r#"message {"market":"A","seq":2}"#);
    assert_eq!(told(&mut two).await, r#"message {"market":"A","seq":2}"#);
    drop(two);
    until("what nobody reads is left", || {
        commands.lock().unwrap().iter().any(|one| one["params"]["action"] == "remove")
    })
    .await;
    assert_eq!(told(&mut one).await, r#"message {"market":"A","seq":3}"#);
    let all = commands.lock().unwrap().clone();
    assert_eq!(all[1]["params"], json!({"sid": 1, "action": "add", "markets": ["B"]}), "{all:?}");
    assert_eq!(all[2]["params"], json!({"sid": 1, "action": "remove", "markets": ["B"]}), "{all:?}");
    assert_eq!(server.heads().len(), 1);
}

/// How the first connection of a test ends.
type Cut = fn(&mut common::Connection) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>>;

async fn reconnects(cut: Cut, said: &str) {
    let server = Server::open(move |number, mut connection| async move {
        connection.serve(|command| command["cmd"] == "subscribe").await;
        connection.trade(1, "A").await;
        if number == 1 {
            cut(&mut connection).await;
            return;
        }
        connection.rest().await;
    })
    .await;
    let mut reader = in_time(server.streams(&COMMANDED).topic(trades(&["A"])).subscribe()).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"market":"A","seq":1}"#);
    let stale = told(&mut reader).await;
    assert!(stale.starts_with("stale ") && stale.contains(said), "{stale}");
    assert_eq!(told(&mut reader).await, "resynced Unknown");
    assert_eq!(told(&mut reader).await, r#"message {"market":"A","seq":1}"#);
    let signed = |head: &String| head.lines().find(|line| line.starts_with("x-signed")).unwrap().to_owned();
    let heads = server.heads();
    assert_eq!(heads.len(), 2);
    assert_ne!(signed(&heads[0]), signed(&heads[1]), "each attempt is signed for itself");
}

#[tokio::test]
async fn a_connection_that_is_cut_is_opened_again_with_what_was_subscribed() {
    reconnects(|_| Box::pin(async {}), "connection lost").await;
}

#[tokio::test]
async fn a_secret_in_the_text_of_a_close_frame_is_not_shown() {
    let server = Server::open(|number, mut connection| async move {
        connection.serve(|command| command["cmd"] == "subscribe").await;
        if number == 1 {
            let code = CloseCode::try_from(4001).unwrap();
            let _ = connection.socket.send(Message::close(Some(code), &format!("key {SECRET} is invalid"))).await;
        }
        connection.rest().await;
    })
    .await;
    let mut reader = in_time(server.streams(&COMMANDED).topic(trades(&["A"])).subscribe()).await.unwrap();
    let stale = told(&mut reader).await;
    assert!(stale.contains("4001") && stale.contains("is invalid") && !stale.contains(SECRET), "{stale}");
}

#[tokio::test]
async fn a_close_frame_is_told_with_its_code_and_its_text() {
    let close: Cut = |connection| {
        Box::pin(async {
            let code = CloseCode::try_from(4000).unwrap();
            let _ = connection.socket.send(Message::close(Some(code), "heartbeat close")).await;
            let _ = connection.socket.next().await;
        })
    };
    reconnects(close, "4000").await;
}

#[tokio::test]
async fn a_venue_that_says_nothing_is_asked_and_then_given_up() {
    let is_asked = Arc::new(AtomicBool::new(false));
    let asked = is_asked.clone();
    let server = Server::open(move |number, mut connection| {
        let asked = asked.clone();
        async move {
            connection.serve(|command| command["cmd"] == "subscribe").await;
            if number == 1 {
                // It reads, and answers nothing: not even the pings, since what it would say is dropped here.
                let mut source = connection.socket.into_inner();
                let mut buffer = [0; 256];
                while let Ok(count @ 1..) = tokio::io::AsyncReadExt::read(&mut source, &mut buffer).await {
                    asked.fetch_or(buffer[..count].first().is_some_and(|byte| byte & 0x0f == 9), Ordering::Relaxed);
                }
                return;
            }
            connection.trade(1, "A").await;
            connection.rest().await;
        }
    })
    .await;
    let mut reader = in_time(server.streams(&COMMANDED).topic(trades(&["A"])).subscribe()).await.unwrap();
    assert!(told(&mut reader).await.starts_with("stale "));
    assert_eq!(told(&mut reader).await, "resynced Unknown");
    assert_eq!(told(&mut reader).await, r#"message {"market":"A","seq":1}"#);
    assert!(is_asked.load(Ordering::Relaxed), "a ping frame came before");
}

#[tokio::test]
async fn a_quiet_market_on_a_living_connection_is_no_fault() {
    let server = Server::open(|_, mut connection| async move {
        connection.serve(|command| command["cmd"] == "subscribe").await;
        // Longer than the keep-alive allows silence; the client's pings are answered while this reads.
        let _ = tokio::time::timeout(Duration::from_secs(5), connection.hear()).await;
        connection.trade(1, "A").await;
        connection.rest().await;
    })
    .await;
    let mut reader = in_time(server.streams(&COMMANDED).topic(trades(&["A"])).subscribe()).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"market":"A","seq":1}"#);
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn a_ping_behind_a_message_is_answered_while_nobody_reads() {
    let (answered, mut is_answered) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::open(move |_, mut connection| {
        let answered = answered.clone();
        async move {
            connection.serve(|command| command["cmd"] == "subscribe").await;
            for number in 0_u8..3 {
                let trade = json!({"type": "trade", "sid": 1, "msg": {"market": "A"}}).to_string();
                let _ = connection.socket.feed(Message::text(trade)).await;
                let _ = connection.socket.feed(Message::ping(vec![number])).await;
                let _ = connection.socket.flush().await;
                while let Some(Ok(message)) = connection.socket.next().await {
                    if message.is_pong() && message.as_payload()[..] == [number] {
                        let _ = answered.send(number);
                        break;
                    }
                }
            }
            connection.rest().await;
        }
    })
    .await;
    let reader = in_time(server.streams(&COMMANDED).topic(trades(&["A"])).subscribe()).await.unwrap();
    for number in 0..3 {
        assert_eq!(in_time(is_answered.recv()).await, Some(number));
    }
    drop(reader);
}

fn refusal(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_refused_credential_is_told_and_not_tried_again() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let body = format!(r#"{{"code":"bad","message":"no such key {SECRET}"}}"#);
        let response = refusal(status, "content-type: application/json\r\n", &body);
        let server = Server::start(move |_| Some(response.clone()), |_, _| async {}).await;
        let streams = server.streams(&COMMANDED);
        let error = in_time(streams.topic(trades(&["A"])).subscribe()).await.unwrap_err();
        assert!(matches!(error, Error::Connection(_)), "{error:?}");
        let said = format!("{error} {error:?}");
        assert!(said.contains("no such key [redacted]") && !said.contains(SECRET), "{said}");
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(server.heads().len(), 1, "{status} is not hammered");
    }
}

#[tokio::test]
async fn too_many_connections_are_waited_for() {
    let busy = refusal("429 Too Many Requests", "retry-after: 1\r\n", "");
    let server = Server::start(
        move |number| (number <= 2).then(|| busy.clone()),
        |_, mut connection| async move {
            connection.serve(|command| command["cmd"] == "subscribe").await;
            connection.trade(1, "A").await;
            connection.rest().await;
        },
    )
    .await;
    let mut reader = in_time(server.streams(&COMMANDED).topic(trades(&["A"])).subscribe()).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"market":"A","seq":1}"#);
    assert_eq!(server.heads().len(), 3);
}

#[tokio::test]
async fn a_client_without_the_credential_is_told_which_one_it_needs() {
    let server = Server::open(|_, _| async {}).await;
    let client: common::Client =
        venuekit_transport::ClientBuilder::new(server.base_url()).build().unwrap_or_else(|e| panic!("{e}"));
    let error = in_time(Streams::of(&client.0, &COMMANDED).topic(trades(&["A"])).subscribe()).await.unwrap_err();
    assert!(error.to_string().contains("needs the credential signature"), "{error}");
    assert!(server.heads().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_its_connection_and_says_why() {
    let server = Server::open(|number, mut connection| async move {
        connection.serve(|command| command["cmd"] == "subscribe").await;
        if number == 1 {
            let filler = "x".repeat(20_000);
            connection
                .say(json!({"type": "trade", "sid": 1, "seq": 1, "msg": {"market": "A", "filler": filler}}))
                .await;
        }
        connection.rest().await;
    })
    .await;
    let builder = venuekit_transport::ClientBuilder::<common::Client>::new(server.base_url());
    let client =
        builder.credentials(common::credentials()).max_answer(10_000).build().unwrap_or_else(|e| panic!("{e}"));
    let mut reader = in_time(Streams::of(&client.0, &COMMANDED).topic(trades(&["A"])).subscribe()).await.unwrap();
    let stale = told(&mut reader).await;
    assert!(stale.contains("more than 10000 bytes"), "{stale}");
}

#[tokio::test]
async fn refused_channels_are_named() {
    let server = Server::open(|_, mut connection| async move {
        while let Some(command) = connection.hear().await {
            let error = json!({"code": 8, "msg": "Unknown channel", "markets": ["B"]});
            connection.say(json!({"type": "error", "id": command["id"], "msg": error})).await;
        }
    })
    .await;
    let error = in_time(server.streams(&COMMANDED).topic(trades(&["A", "B"])).subscribe()).await.unwrap_err();
    let Error::Refused(refused) = &error else { panic!("{error:?}") };
    assert_eq!((refused.refusals[0].code.as_str(), refused.refusals[0].text.as_str()), ("8", "Unknown channel"));
}

#[tokio::test]
async fn the_last_handle_closes_the_connection_in_good_order() {
    let (left, mut is_left) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::open(move |_, mut connection| {
        let left = left.clone();
        async move {
            connection.serve(|command| command["cmd"] == "subscribe").await;
            let _ = left.send(connection.rest().await);
        }
    })
    .await;
    let streams = server.streams(&COMMANDED);
    let reader = in_time(streams.topic(trades(&["A"])).subscribe()).await.unwrap();
    drop(streams);
    drop(reader);
    assert_eq!(in_time(is_left.recv()).await, Some(true), "with a close frame");
}

#[tokio::test]
async fn closing_says_goodbye_and_ends_readers() {
    let (left, mut is_left) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::open(move |_, mut connection| {
        let left = left.clone();
        async move {
            connection.serve(|command| command["cmd"] == "subscribe").await;
            let _ = left.send(connection.rest().await);
        }
    })
    .await;
    let streams = server.streams(&COMMANDED);
    let mut reader = in_time(streams.topic(trades(&["A"])).subscribe()).await.unwrap();
    in_time(streams.close()).await;
    assert_eq!(told(&mut reader).await, "ended closed");
    assert_eq!(told(&mut reader).await, "nothing");
    assert_eq!(in_time(is_left.recv()).await, Some(true));
    let error = in_time(streams.topic(trades(&["A"])).subscribe()).await.unwrap_err();
    assert!(matches!(error, Error::Closed), "{error:?}");
}

#[test]
fn a_runtime_that_ends_takes_its_tasks_with_it_and_another_goes_on() {
    let served = Arc::new(AtomicUsize::new(0));
    let count = served.clone();
    let venue = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = venue.block_on(Server::open(move |_, mut connection| {
        let count = count.clone();
        async move {
            connection.serve(|command| command["cmd"] == "subscribe").await;
            count.fetch_add(1, Ordering::Relaxed);
            connection.trade(1, "A").await;
            connection.rest().await;
        }
    }));
    let streams = server.streams(&COMMANDED);
    let first = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut reader = first.block_on(in_time(streams.topic(trades(&["A"])).subscribe())).unwrap();
    assert_eq!(first.block_on(told(&mut reader)), r#"message {"market":"A","seq":1}"#);
    // Returns when all tasks are gone.
    drop(first);
    let second = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    second.block_on(async {
        assert!(told(&mut reader).await.starts_with("stale "));
        assert_eq!(told(&mut reader).await, "resynced Unknown");
        assert_eq!(told(&mut reader).await, r#"message {"market":"A","seq":1}"#);
    });
    assert_eq!(served.load(Ordering::Relaxed), 2);
    drop(reader);
    drop(second);
}
