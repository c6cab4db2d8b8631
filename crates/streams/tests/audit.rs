//! Order books against a call of the venue.

mod common;

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use venuekit_books::{Book, BookKind, BookMessage, Fault, Side};
use venuekit_streams::{Audit, Event, LiveBook, ReadError, Reason, StreamMessage, Streams, Subscribe, Topic};
use venuekit_transport::{ClientBuilder, WebSocketOptions};
use venuekit_wire::rust_decimal::Decimal;
use venuekit_wire::stream::{
    BookAudit, Channel, Message, Parameter, Recovery, Sequence, SnapshotCall, Streams as Table,
};

use common::{CALLED, Client, Connection, Server, in_time};

static BOOKS: Table = Table { channels: &[BOOK], ..CALLED };

const BOOK: Channel = Channel {
    name: "book.{market}",
    id: "book",
    endpoint: "stream",
    parameters: &[Parameter { name: "market", is_required: true, ..Parameter::EMPTY }],
    messages: &[Message { kind: "", when: None, is_snapshot: false, snapshot_when: Some(("/type", "snapshot")) }],
    is_book: true,
    sequence: Sequence::Chain { number: "/n", previous: "/p" },
    recovery: Recovery::Resubscribe,
    audit: Some(&BookAudit {
        call: SnapshotCall {
            operation: "get_book",
            parameters: &[("name", "market")],
            fixed: &[],
            kind: "",
            number: "/n",
            added: &[],
        },
        bids: "/bids",
        asks: "/asks",
        depth: 10,
    }),
    ..Channel::EMPTY
};

#[derive(Deserialize)]
struct Levels {
    r#type: String,
    n: i64,
    bids: Vec<(i64, i64)>,
    asks: Vec<(i64, i64)>,
}

impl StreamMessage for Levels {
    fn read(_: &str, data: &[u8]) -> Result<Option<Self>, ReadError> {
        Ok(Some(serde_json::from_slice(data)?))
    }
}

impl BookMessage for Levels {
    fn instrument(&self) -> Option<Cow<'_, str>> {
        Some("A".into())
    }

    fn kind(&self) -> BookKind {
        if self.r#type == "snapshot" { BookKind::Snapshot } else { BookKind::Change }
    }

    fn mark(&self) -> Option<i64> {
        Some(self.n)
    }

    fn apply(&self, book: &mut Book) -> Result<(), Fault> {
        if self.kind() == BookKind::Snapshot {
            book.clear();
        }
        for (side, levels) in [(Side::Bid, &self.bids), (Side::Ask, &self.asks)] {
            for (price, size) in levels {
                book.set(side, Decimal::from(*price), Decimal::from(*size))?;
            }
        }
        Ok(())
    }
}

/// What a call gets, and what the stream brings before and after its reply.
struct Step {
    before: Vec<Value>,
    reply: Value,
    after: Vec<Value>,
}

fn change(number: i64, size: i64) -> Value {
    json!({"type": "change", "n": number, "p": number - 1, "bids": [[10, size]], "asks": []})
}

fn listed(number: i64, size: i64) -> Value {
    json!({"n": number, "bids": [[10, size]], "asks": [[11, 1.0]]})
}

async fn notify(connection: &mut Connection, data: &Value) {
    let params = json!({"channel": "book.A", "data": data});
    connection.say(json!({"jsonrpc": "2.0", "method": "subscription", "params": params})).await;
}

/// A venue whose book has the number 1 and a bid of 1 when it is subscribed to.
async fn venue(steps: Vec<Step>) -> (Server, Arc<Mutex<Vec<Value>>>) {
    let (steps, calls) = (Arc::new(Mutex::new(steps.into_iter())), Arc::new(Mutex::new(Vec::new())));
    let heard = calls.clone();
    let server = Server::open(move |_, mut connection| {
        let (steps, heard) = (steps.clone(), heard.clone());
        async move {
            while let Some(call) = connection.hear().await {
                heard.lock().unwrap().push(call.clone());
                let reply = |result: &Value| json!({"jsonrpc": "2.0", "id": call["id"], "result": result});
                match call["method"].as_str().unwrap() {
                    "public/get_book" => {
                        let step = steps.lock().unwrap().next().expect("no more calls are expected");
                        for data in &step.before {
                            notify(&mut connection, data).await;
                        }
                        connection.say(reply(&step.reply)).await;
                        tokio::time::sleep(Duration::from_millis(30)).await;
                        for data in &step.after {
                            notify(&mut connection, data).await;
                        }
                    }
                    "public/subscribe" => {
                        connection.say(reply(&call["params"]["channels"])).await;
                        let book = json!({"type": "snapshot", "n": 1, "bids": [[10, 1]], "asks": [[11, 1]]});
                        notify(&mut connection, &book).await;
                    }
                    _ => connection.say(reply(&json!([]))).await,
                }
            }
        }
    })
    .await;
    (server, calls)
}

async fn live(server: &Server) -> LiveBook<Levels> {
    let options = WebSocketOptions::new().heartbeat(None);
    let builder = ClientBuilder::<Client>::new(format!("ws://{}/ws/api", server.address)).websocket(options);
    let session = builder.build().unwrap_or_else(|error| panic!("{error}")).0;
    let topic = Topic::new(&BOOKS.channels[0]).set("market", "A");
    let mut book = in_time(Subscribe::new(Streams::of(&session, &BOOKS), topic).book().subscribe()).await.unwrap();
    while !book.is_live("A") {
        in_time(book.next()).await;
    }
    book
}

#[tokio::test]
async fn a_book_is_compared_at_the_number_of_the_call() {
    let step = |before: Vec<Value>, reply, after: Vec<Value>| Step { before, reply, after };
    let (server, calls) = venue(vec![
        // Nothing happens; the stream is behind the call; the stream is ahead of it.
        step(vec![], listed(1, 1), vec![]),
        step(vec![], listed(3, 7), vec![change(2, 5), change(3, 7), change(4, 2)]),
        step(vec![change(5, 6), change(6, 8)], listed(5, 6), vec![]),
    ])
    .await;
    let book = live(&server).await;
    for mark in [1, 3, 5] {
        assert_eq!(in_time(book.audit("A")).await, Audit::Same { mark, levels: 2 });
    }
    assert!(book.is_live("A"));
    let calls = calls.lock().unwrap();
    let asked: Vec<_> = calls.iter().filter(|call| call["method"] == "public/get_book").collect();
    assert!(asked.len() == 3 && asked.iter().all(|call| call["params"] == json!({"name": "A"})), "{asked:?}");
}

#[tokio::test]
async fn a_book_that_differs_is_synchronized_again() {
    let (server, _) = venue(vec![Step { before: vec![], reply: listed(1, 2), after: vec![] }]).await;
    let mut book = live(&server).await;
    let audit = in_time(book.audit("A")).await;
    assert!(
        matches!(&audit, Audit::Different { mark: 1, difference } if difference.contains("bid of 1 at 10")),
        "{audit:?}"
    );
    let stale = loop {
        match in_time(book.next()).await {
            Some(Event::Stale(stale)) => break stale,
            Some(Event::Message(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(&stale.reason, Reason::BookFault(why) if why.contains("not what the venue has")), "{stale:?}");
    while !matches!(in_time(book.next()).await, Some(Event::Resynced(_))) {}
    assert!(book.is_live("A"));
    assert_eq!(book.stats().books, 1);
}

#[tokio::test]
async fn numbers_that_never_meet_are_not_compared() {
    let old = || Step { before: vec![], reply: listed(0, 9), after: vec![] };
    let (server, _) = venue((0..5).map(|_| old()).collect()).await;
    let book = live(&server).await;
    let audit = in_time(book.audit("A")).await;
    assert!(matches!(&audit, Audit::Unknown { reason } if reason.contains("no state with the number 0")), "{audit:?}");
    assert!(matches!(in_time(book.audit("B")).await, Audit::Unknown { reason } if reason.contains("uncertain")));
    assert!(book.is_live("A"));
}
