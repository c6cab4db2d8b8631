//! A long run with faults: the log explains every message that comes, and each book is the one of its time.

mod common;
#[path = "common/lines.rs"]
mod lines;

use std::collections::BTreeMap;

use lines::{End, Stream, cancel, events, place, quiet_sandbox, text, trader};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use venuekit_sandbox::{BayseStreamSettings, Fault, Rule, Sandbox};

/// A client that keeps the books of a market, and everything that came.
struct Client<'a> {
    sandbox: &'a Sandbox,
    stream: Stream,
    market: String,
    connection: u64,
    came: Vec<Value>,
    /// By outcome: the time of the last one.
    books: BTreeMap<String, OffsetDateTime>,
    checked: usize,
    connected: usize,
}

impl Client<'_> {
    async fn open(&mut self) {
        self.stream = Stream::try_connect(self.sandbox, "markets").await.unwrap();
        self.came.clear();
        self.connected += 1;
        let message = json!({"type": "subscribe", "channel": "orderbook", "marketIds": [self.market]});
        self.stream.say(message).await;
        self.ping().await.unwrap();
        self.connection = self.sandbox.frames().all().iter().map(|frame| frame.connection).max().unwrap();
    }

    /// Takes in what comes until a ping is answered.
    async fn ping(&mut self) -> Result<(), End> {
        self.stream.say(json!({"type": "ping"})).await;
        loop {
            let message = self.stream.try_next().await?;
            self.came.push(message.clone());
            match text(&message, "/type") {
                "pong" => return Ok(()),
                "orderbook_update" => self.take(&message["data"]["orderbook"]),
                _ => {}
            }
        }
    }

    /// Takes a book unless a newer one has come.
    fn take(&mut self, book: &Value) {
        let (outcome, time) = (text(book, "/outcomeId"), text(book, "/timestamp"));
        // As texts they do not sort: zeros at the end are left out.
        let moment = OffsetDateTime::parse(time, &Rfc3339).unwrap();
        if self.books.get(outcome).is_some_and(|last| *last >= moment) {
            return;
        }
        self.books.insert(outcome.to_owned(), moment);
        let own = self.sandbox.bayse_book(outcome, "USD", time).unwrap();
        let number = |value: &Value| {
            let text = value.to_string();
            text.parse().or_else(|_| Decimal::from_scientific(&text)).unwrap()
        };
        for (name, side) in [("bids", &own.bids), ("asks", &own.asks)] {
            let levels = book[name].as_array().unwrap().iter();
            let levels: Vec<(Decimal, Decimal)> =
                levels.map(|level| (number(&level["price"]), number(&level["quantity"]))).collect();
            assert_eq!(levels, *side);
        }
        self.checked += 1;
    }

    fn explain(&self, is_whole: bool) {
        let frames = self.sandbox.frames().of(self.connection).into_iter().filter(|frame| frame.sent);
        let sent: Vec<Value> = frames.map(|frame| serde_json::from_str(&frame.text).unwrap()).collect();
        assert_eq!(self.came[..], sent[..self.came.len()]);
        assert!(!is_whole || self.came.len() == sent.len(), "{} of {}", self.came.len(), sent.len());
    }
}

#[tokio::test]
async fn the_log_explains_a_long_run_and_no_book_is_wrong() {
    let sandbox = quiet_sandbox().await;
    let settings = BayseStreamSettings { messages_per_second: 100_000, ..sandbox.bayse_stream_settings() };
    sandbox.set_bayse_stream_settings(settings);
    let maker = trader(&sandbox, 0);
    let event = events(&sandbox, "CLOB").await.remove(0);
    let mut client = Client {
        sandbox: &sandbox,
        stream: Stream::try_connect(&sandbox, "markets").await.unwrap(),
        market: text(&event, "/markets/0/id").to_owned(),
        connection: 0,
        came: Vec::new(),
        books: BTreeMap::new(),
        checked: 0,
        connected: 0,
    };
    client.open().await;
    let faults = [
        Fault::Drop,
        Fault::Duplicate,
        Fault::Reorder,
        Fault::Several { count: 2 },
        Fault::UnknownType,
        Fault::Exponents,
        Fault::set_to("/data/sky", "clear"),
        Fault::error(0),
        Fault::DropBefore,
        Fault::Close { code: 1012, reason: "restart".to_owned() },
    ];
    let count = faults.len();
    let rules = faults.map(|fault| Rule::new(fault).on("orderbook/orderbook_update").chance(0.03));
    sandbox.faults().set_seeded(rules.to_vec(), 5);
    let mut placed = Vec::new();
    for step in 0..250_i64 {
        let price = (10 + step * 7 % 60) as f64 / 100.0;
        placed.push(place(&maker, &event, json!({"price": price, "amount": 5 + step % 9})).await);
        if placed.len() > 15 {
            cancel(&maker, &placed.remove(0)).await;
        }
        if client.ping().await.is_err() {
            client.explain(false);
            client.open().await;
        }
    }
    let strikes = sandbox.faults().strikes();
    assert!(strikes.len() == count && strikes.iter().all(|count| *count > 0), "{strikes:?}");
    assert!(client.checked > 150 && client.connected > 3, "{} {}", client.checked, client.connected);
    sandbox.faults().clear();
    client.ping().await.unwrap();
    client.ping().await.unwrap();
    client.explain(true);
}
