//! Commands that list topics, a login by a command, and data that names its topic.

mod common;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use venuekit_streams::{Error, Streams, Topic};
use venuekit_transport::ClientBuilder;
use venuekit_wire::stream::Streams as Table;
use venuekit_wire::stream::{
    Channel, Dialect, Endpoint, KeepAlive, Limits, Login, Message as Kind, Parameter, ParameterKind, Recovery,
    Sequence, Topics,
};

use common::{Client, Connection, SECRET, Server, in_time, told, until};

const NAME: Parameter = Parameter { name: "symbol", is_required: true, ..Parameter::EMPTY };

static TABLE: Table = Table {
    venue: "venue",
    endpoints: &[Endpoint {
        name: "private",
        servers: &[],
        path: "/v5/private",
        login: Login::Command {
            credential: "signature",
            command: "auth",
            values: &[("x-key", ParameterKind::Text), ("x-signed", ParameterKind::Text)],
        },
    }],
    dialect: Dialect::Topics(Topics {
        command: "op",
        id: "req_id",
        topics: "args",
        subscribe: "subscribe",
        unsubscribe: "unsubscribe",
        success: "success",
        text: "ret_msg",
        listed: ("/data/successTopics", "/data/failTopics"),
        topic: "topic",
        kind: "type",
        data: "data",
        sent: &["ts", "creationTime"],
        quiet: &["ping", "pong"],
        held: &["already subscribed"],
        ..Topics::EMPTY
    }),
    keep_alive: KeepAlive { ask_after: 1, dead_after: 60, ping: Some(r#"{"op":"ping"}"#) },
    limits: Limits {
        per_command: 10,
        commands_per_second: 0,
        per_connection: 500,
        connections: &[],
        channel_once: false,
        ..Limits::EMPTY
    },
    query: &[],
    channels: &[Channel {
        name: "book.50.{symbol}",
        id: "book",
        endpoint: "private",
        parameters: &[NAME],
        messages: &[
            Kind { kind: "snapshot", when: None, is_snapshot: true, snapshot_when: None },
            Kind { kind: "delta", when: None, is_snapshot: false, snapshot_when: None },
        ],
        sequence: Sequence::Successive { number: "/u", first: 1 },
        recovery: Recovery::Resubscribe,
        ..Channel::EMPTY
    }],
};

fn book(symbol: &str) -> Topic {
    Topic::new(&TABLE.channels[0]).set("symbol", symbol)
}

type Heard = Arc<Mutex<Vec<Value>>>;

/// Answers a command as the venue does: all of it, or nothing.
async fn serve(connection: &mut Connection, heard: &Heard, held: &mut Vec<String>) -> Option<()> {
    let command = connection.hear().await?;
    heard.lock().unwrap().push(command.clone());
    let id = &command["req_id"];
    let reply = |success: bool, text: &str| json!({"success": success, "ret_msg": text, "conn_id": "c", "req_id": id, "op": command["op"]});
    let topics = command["args"].as_array().cloned().unwrap_or_default();
    let topics: Vec<&str> = topics.iter().filter_map(Value::as_str).collect();
    match command["op"].as_str() {
        Some("auth") => connection.say(json!({"success": true, "ret_msg": "", "op": "auth", "conn_id": "c"})).await,
        Some("ping") => connection.say(json!({"success": true, "ret_msg": "pong", "op": "ping", "conn_id": "c"})).await,
        Some("unsubscribe") => {
            held.retain(|topic| !topics.contains(&topic.as_str()));
            connection.say(reply(true, "")).await;
        }
        _ => {
            let bad = topics.iter().find(|topic| topic.ends_with(".NO"));
            let again = topics.iter().find(|topic| held.iter().any(|held| held == *topic));
            let text = match (bad, again) {
                (Some(topic), _) => format!("error:handler not found,topic:{topic}"),
                (None, Some(topic)) => format!("error:already subscribed,topic:{topic}"),
                (None, None) => String::new(),
            };
            connection.say(reply(text.is_empty(), &text)).await;
            if text.is_empty() {
                for topic in topics {
                    held.push(topic.to_owned());
                    let data = json!({"s": topic, "u": 7});
                    connection.say(json!({"topic": topic, "ts": 5, "type": "snapshot", "data": data})).await;
                }
            }
        }
    }
    Some(())
}

async fn venue(heard: Heard) -> Server {
    Server::open(move |_, mut connection| {
        let heard = heard.clone();
        async move {
            let mut held = Vec::new();
            while serve(&mut connection, &heard, &mut held).await.is_some() {}
        }
    })
    .await
}

#[tokio::test]
async fn a_login_goes_before_the_first_subscription() {
    let heard = Heard::default();
    let server = venue(heard.clone()).await;
    // Symbols may have full stops.
    let streams = server.streams(&TABLE);
    let mut reader = in_time(streams.topic(book("XRP-30OCT26-0.4-P-USDT")).subscribe()).await.unwrap();
    let snapshot = told(&mut reader).await;
    assert_eq!(snapshot, r#"message {"s":"book.50.XRP-30OCT26-0.4-P-USDT","u":7}"#);
    let all = heard.lock().unwrap().clone();
    assert_eq!(all[0]["op"], "auth");
    assert_eq!(all[0]["args"][0], SECRET);
    assert!(all[0]["args"][1].as_str().unwrap().starts_with("GET/v5/private#"), "{}", all[0]);
    assert_eq!(all[1]["op"], "subscribe");
    assert_eq!(all[1]["args"], json!(["book.50.XRP-30OCT26-0.4-P-USDT"]));
    until("the venue is asked whether it is there", || {
        heard.lock().unwrap().iter().any(|message| message["op"] == "ping")
    })
    .await;
    reader.close().await;
    until("what nobody reads is unsubscribed", || {
        heard.lock().unwrap().iter().any(|message| message["op"] == "unsubscribe")
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_the_venue_refuses_is_an_error_and_the_others_go_on() {
    let heard = Heard::default();
    let server = venue(heard.clone()).await;
    let streams = server.streams(&TABLE);
    let subscribe = |symbol: &str| streams.topic(book(symbol)).subscribe();
    let (one, no, two) = in_time(async { tokio::join!(subscribe("A"), subscribe("NO"), subscribe("B")) }).await;
    let Err(Error::Refused(refused)) = no else { panic!("it is unknown") };
    assert_eq!(refused.refusals[0].topic.to_string(), "book.50.NO");
    assert!(refused.refusals[0].text.contains("handler not found"), "{refused:?}");
    for (mut reader, name) in [(one.unwrap(), "A"), (two.unwrap(), "B")] {
        assert_eq!(told(&mut reader).await, format!(r#"message {{"s":"book.50.{name}","u":7}}"#));
    }
}

#[tokio::test]
async fn a_login_that_is_refused_is_final_and_its_text_has_no_secret() {
    let server = Server::open(|_, mut connection| async move {
        let command = connection.hear().await.unwrap();
        let text = format!("Params Error {}", command["args"]);
        connection.say(json!({"success": false, "ret_msg": text, "op": "auth", "conn_id": "c"})).await;
        connection.rest().await;
    })
    .await;
    let error = in_time(server.streams(&TABLE).topic(book("A")).subscribe()).await.unwrap_err();
    assert!(error.to_string().contains("the login was refused: Params Error"), "{error}");
    assert!(!error.to_string().contains(SECRET), "{error}");
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn a_login_without_its_credential_is_an_error() {
    let server = Server::open(|_, connection| async move { _ = connection.rest().await }).await;
    let client: Client = ClientBuilder::new(server.base_url()).build().unwrap_or_else(|error| panic!("{error}"));
    let error = in_time(Streams::of(&client.0, &TABLE).topic(book("A")).subscribe()).await.unwrap_err();
    assert!(error.to_string().contains("needs the credential signature"), "{error}");
}
