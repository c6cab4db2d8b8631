//! A long run with faults: the log explains every frame that comes, and a book that checks its chain is never wrong.

mod common;
#[path = "common/deribit.rs"]
mod deribit;
#[path = "common/socket.rs"]
mod socket;

use std::collections::BTreeMap;

use deribit::{Caller, two_accounts};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use socket::{End, Socket};
use venuekit_sandbox::{Fault, Rule, Sandbox};

const FUTURE: &str = "BTC-26MAR27";
const BOOK: &str = "book.BTC-26MAR27.raw";

/// A client that keeps the book, and everything that came.
struct Client<'a> {
    sandbox: &'a Sandbox,
    socket: Socket,
    connection: u64,
    came: Vec<Value>,
    last: Option<i64>,
    bids: BTreeMap<Decimal, Decimal>,
    asks: BTreeMap<Decimal, Decimal>,
    begun_again: usize,
    checked: usize,
}

fn decimal(value: &Value) -> Decimal {
    let text = value.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).unwrap()
}

impl<'a> Client<'a> {
    async fn connect(sandbox: &'a Sandbox) -> Self {
        let socket = Socket::connect(sandbox).await;
        let mut client = Self {
            sandbox,
            socket,
            connection: 0,
            came: Vec::new(),
            last: None,
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            begun_again: 0,
            checked: 0,
        };
        client.open().await;
        client
    }

    async fn open(&mut self) {
        (self.came, self.last) = (Vec::new(), None);
        let login = socket::login(&Caller::given(self.sandbox, 0), "");
        self.call("public/auth", login).await.unwrap();
        self.connection = self.sandbox.frames().all().iter().map(|frame| frame.connection).max().unwrap();
        self.call("public/subscribe", json!({"channels": [BOOK]})).await.unwrap();
    }

    /// Makes a call, and takes in what comes until it is answered.
    async fn call(&mut self, method: &str, params: Value) -> Result<(), End> {
        let id = self.socket.send(method, params).await;
        loop {
            let message = self.socket.receive().await?;
            self.came.push(message.clone());
            if message["id"] == id {
                return Ok(());
            }
            self.take(&message["params"]);
        }
    }

    fn take(&mut self, params: &Value) {
        let data = &params["data"];
        if params["channel"] != BOOK {
            return;
        }
        let change_id = data["change_id"].as_i64();
        if data["type"] == "snapshot" {
            self.bids.clear();
            self.asks.clear();
        } else if self.last.is_none() || change_id == self.last {
            return;
        } else if data["prev_change_id"].as_i64() != self.last {
            self.last = None;
            return;
        }
        self.last = change_id;
        for (name, side) in [("bids", &mut self.bids), ("asks", &mut self.asks)] {
            for level in data[name].as_array().unwrap() {
                match (decimal(&level[1]), decimal(&level[2])) {
                    (price, amount) if amount.is_zero() => _ = side.remove(&price),
                    (price, amount) => _ = side.insert(price, amount),
                }
            }
        }
        let own = self.sandbox.deribit_book(FUTURE, change_id.unwrap()).unwrap();
        assert_eq!(self.bids.iter().rev().map(|(price, amount)| (*price, *amount)).collect::<Vec<_>>(), own.bids);
        assert_eq!(self.asks.iter().map(|(price, amount)| (*price, *amount)).collect::<Vec<_>>(), own.asks);
        self.checked += 1;
    }

    /// What the log says was sent on the connection, of which what came is the beginning; all of it where nothing was lost with
    /// the connection.
    fn explain(&self, is_whole: bool) {
        let frames = self.sandbox.frames().of(self.connection).into_iter().filter(|frame| frame.sent);
        let sent: Vec<Value> = frames.map(|frame| serde_json::from_str(&frame.text).unwrap()).collect();
        assert_eq!(self.came[..], sent[..self.came.len()]);
        assert!(!is_whole || self.came.len() == sent.len(), "{} of {}", self.came.len(), sent.len());
    }

    /// Takes in what has come, and sees to it that the book is right again.
    async fn settle(&mut self) {
        if self.call("public/test", json!({})).await.is_err() {
            self.explain(false);
            self.socket = Socket::connect(self.sandbox).await;
            self.open().await;
            self.begun_again += 1;
        } else if self.last.is_none() {
            self.begun_again += 1;
            self.call("public/unsubscribe", json!({"channels": [BOOK]})).await.unwrap();
            self.call("public/subscribe", json!({"channels": [BOOK]})).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_log_explains_a_long_run_and_the_book_is_never_wrong() {
    let sandbox = two_accounts().await;
    let maker = Caller::given(&sandbox, 1);
    let mut client = Client::connect(&sandbox).await;
    let faults = [
        Fault::Drop,
        Fault::Duplicate,
        Fault::Reorder,
        Fault::Gap { by: 1 },
        Fault::Restart,
        Fault::UnknownType,
        Fault::Exponents,
        Fault::set_to("/params/data/sky", "clear"),
        Fault::DropBefore,
        Fault::Close { code: 1012, reason: "restart".to_owned() },
    ];
    let count = faults.len();
    sandbox.faults().set_seeded(faults.map(|fault| Rule::new(fault).on("book/change").chance(0.03)).to_vec(), 5);
    let mut placed = Vec::new();
    for step in 0..300_i64 {
        let price = 69_000.0 + (step * 37 % 75) as f64 * 5.0;
        let order = json!({"instrument_name": FUTURE, "amount": 10 + step % 7 * 10, "type": "limit", "price": price});
        placed.push(maker.result("private/buy", order).await["order"]["order_id"].clone());
        if placed.len() > 20 {
            maker.result("private/cancel", json!({"order_id": placed.remove(0)})).await;
        }
        client.settle().await;
    }
    let strikes = sandbox.faults().strikes();
    assert!(strikes.len() == count && strikes.iter().all(|count| *count > 0), "{strikes:?}");
    assert!(client.begun_again > 20 && client.checked > 200, "{} {}", client.begun_again, client.checked);
    sandbox.faults().clear();
    client.settle().await;
    client.settle().await;
    client.explain(true);
    let shown = maker.result("public/get_order_book", json!({"instrument_name": FUTURE})).await;
    assert_eq!(client.last, shown["change_id"].as_i64());
}
