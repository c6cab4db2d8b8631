//! A random walk by several accounts of Bayse: after each step, all that the venue shows agrees.
#![allow(clippy::print_stdout, reason = "shown where a step of the walk fails")]

mod common;
#[path = "common/numbers.rs"]
mod numbers;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "the operations' own tests use the rest")]
mod spec;

use std::collections::BTreeMap;

use common::{Bayse, now_millis};
use numbers::{dec, list, number};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Client;
use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use spec::Spec;
use venuekit_sandbox::{Accounts, BayseAccount, Sandbox};

const ACCOUNTS: usize = 3;
const BATCH: &str = "/v1/pm/orders/batch";
const AMEND: &str = "/v1/pm/orders/batch/amend";

struct Walk {
    sandbox: Sandbox,
    client: Client,
    spec: Spec,
    dice: StdRng,
    event: Value,
    /// Pairs of shares that were minted less those that were burnt.
    pairs: Decimal,
    steps: BTreeMap<String, usize>,
}

/// What an account shows of itself.
struct Shown {
    user_id: Value,
    cash: Decimal,
    pending: Decimal,
    orders: Vec<Value>,
    balances: Vec<Value>,
    trades: Vec<Value>,
    pnl: Decimal,
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn sum(of: &[Value], name: &str) -> Decimal {
    of.iter().map(|one| dec(&one[name])).sum()
}

fn is_open(order: &Value) -> bool {
    matches!(text(order, "status"), "open" | "partial_filled")
}

impl Walk {
    async fn new(seed: u64) -> Self {
        let account = |number: usize| BayseAccount {
            public_key: format!("pk_live_{number}"),
            secret_key: format!("sk_live_{number}"),
            auth_token: format!("token-{number}"),
            device_id: format!("d_{number}"),
            email: format!("trader{number}@example.com"),
            password: format!("password-{number}"),
        };
        let bayse = (0..ACCOUNTS).map(account).collect();
        let sandbox = Sandbox::start(Accounts { bayse, ..Accounts::default() }).await.unwrap();
        let client = Client::new();
        let url = format!("{}/v1/pm/events?status=open&size=50", sandbox.base_url());
        let events: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        let event = list(&events["events"]).iter().find(|event| event["engine"] == "CLOB").unwrap().clone();
        let dice = StdRng::seed_from_u64(seed);
        let spec = Spec::of("bayse");
        Self { sandbox, client, spec, dice, event, pairs: Decimal::ZERO, steps: BTreeMap::new() }
    }

    fn market(&self) -> &Value {
        &self.event["markets"][0]
    }

    fn outcomes(&self) -> [&str; 2] {
        [text(self.market(), "outcome1Id"), text(self.market(), "outcome2Id")]
    }

    /// A response with status 200, held against the spec; none where the call was refused.
    async fn send(&self, account: usize, operation: &str, method: &str, path: &str, body: &str) -> Option<Value> {
        let own = &self.sandbox.accounts().bayse[account];
        let caller =
            Bayse { sandbox: &self.sandbox, public_key: own.public_key.clone(), secret_key: own.secret_key.clone() };
        let bare = path.split('?').next().unwrap();
        let url = format!("{}{path}", self.sandbox.base_url());
        let mut request = self.client.request(method.parse().unwrap(), url);
        for (name, value) in caller.sign(now_millis() / 1000, method, bare, body) {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        let response = request.send().await.unwrap();
        if !response.status().is_success() {
            assert_eq!(response.status(), 400, "{operation}: {}", response.text().await.unwrap());
            return None;
        }
        let answer: Value = response.json().await.unwrap();
        if let Err(problem) = self.spec.conforms(operation, &answer) {
            panic!("{operation} {body}: {problem}");
        }
        Some(answer)
    }

    async fn read(&self, account: usize, operation: &str, path: &str) -> Value {
        self.send(account, operation, "GET", path, "").await.unwrap_or_else(|| panic!("{operation} was refused"))
    }

    fn order(&mut self) -> Value {
        let index = self.dice.random_range(0..2);
        let outcome = self.outcomes()[index].to_owned();
        let price = Decimal::new(self.dice.random_range(40..60), 2);
        let shares = Decimal::from(self.dice.random_range(10..60));
        let mut order = json!({
            "side": if self.dice.random_bool(0.5) { "BUY" } else { "SELL" }, "outcomeId": outcome, "type": "LIMIT",
            "price": number(price), "amount": number(price * shares), "currency": "USD",
        });
        match self.dice.random_range(0..8) {
            0 => order["timeInForce"] = json!("FAK"),
            1 => order["timeInForce"] = json!("FOK"),
            2 => order["postOnly"] = json!(true),
            3 => order["stpMode"] = json!("CANCEL_OLDEST"),
            4 => order["stpMode"] = json!("CANCEL_NEWEST"),
            5 => order["stpMode"] = json!("CANCEL_BOTH"),
            _ => {}
        }
        order
    }

    async fn open_orders(&self, account: usize) -> Vec<Value> {
        let page = self.read(account, "listOrders", "/v1/pm/orders?currency=USD&size=100").await;
        list(&page["orders"]).iter().filter(|order| is_open(order)).cloned().collect()
    }

    async fn step(&mut self) -> String {
        let account = self.dice.random_range(0..ACCOUNTS);
        let open = self.open_orders(account).await;
        let market = text(self.market(), "id").to_owned();
        let some = (!open.is_empty()).then(|| self.dice.random_range(0..open.len()));
        let chosen = some.map(|index| open[index].clone());
        let (operation, method, path, body) = match self.dice.random_range(0..12) {
            0..=4 => {
                let path = format!("/v1/pm/events/{}/markets/{market}/orders", text(&self.event, "id"));
                ("placeOrder", "POST", path, self.order())
            }
            5 | 6 => {
                let orders = json!({"orders": [self.order(), self.order()]});
                ("batchPlaceOrders", "POST", BATCH.to_owned(), orders)
            }
            7 | 8 => {
                let Some(chosen) = chosen else { return "nothing to amend".to_owned() };
                let price = number(Decimal::new(self.dice.random_range(40..60), 2));
                let size = self.dice.random_range(1..80);
                let items = json!({"items": [{"orderId": chosen["id"], "newPrice": price, "newSize": size}]});
                ("batchAmendOrders", "POST", AMEND.to_owned(), items)
            }
            9 => {
                let Some(chosen) = chosen else { return "nothing to cancel".to_owned() };
                ("cancelOrder", "DELETE", format!("/v1/pm/orders/{}", text(&chosen, "id")), Value::Null)
            }
            10 => ("mintShares", "POST", format!("/v1/pm/markets/{market}/mint"), json!({"quantity": 40})),
            _ => ("burnShares", "POST", format!("/v1/pm/markets/{market}/burn"), json!({"quantity": 15})),
        };
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(account, operation, method, &path, &text).await;
        match (operation, &answer) {
            ("mintShares", Some(minted)) => self.pairs += dec(&minted["quantity"]),
            ("burnShares", Some(burnt)) => self.pairs -= dec(&burnt["quantity"]),
            _ => {}
        }
        *self
            .steps
            .entry(format!("{operation}: {}", if answer.is_some() { "good" } else { "refused" }))
            .or_default() += 1;
        format!("account {account}: {operation} {text} -> {answer:?}")
    }

    async fn look(&self, account: usize) -> Shown {
        let assets = self.read(account, "getAssets", "/v1/wallet/assets").await;
        let usd = list(&assets["assets"]).iter().find(|asset| asset["symbol"] == "USD").unwrap();
        let user_id = usd["userId"].clone();
        let mut orders = Vec::new();
        for page in 1.. {
            let path = format!("/v1/pm/orders?currency=USD&size=100&page={page}");
            let answer = self.read(account, "listOrders", &path).await;
            orders.extend(list(&answer["orders"]).iter().cloned());
            if answer["pagination"]["lastPage"] == page {
                break;
            }
        }
        let portfolio = self.read(account, "getPortfolio", "/v1/pm/portfolio").await;
        let path = format!("/v1/pm/trades?userId={}&size=100", user_id.as_str().unwrap());
        let trades = self.read(account, "listTrades", &path).await;
        assert_eq!(trades["pagination"]["lastPage"], 1, "the walk is short enough for one page");
        let pnl = self.read(account, "getPnl", "/v1/pm/pnl?currency=USD").await;
        Shown {
            user_id,
            cash: dec(&usd["availableBalance"]),
            pending: dec(&usd["pendingBalance"]),
            orders,
            balances: list(&portfolio["outcomeBalances"]).to_vec(),
            trades: list(&trades["data"]).to_vec(),
            pnl: dec(&pnl["realizedPnl"]),
        }
    }

    fn check_account(&self, shown: &Shown) {
        let side = |trade: &Value| if trade["takerUserId"] == shown.user_id { "taker" } else { "maker" };
        for order in &shown.orders {
            let of_order = shown
                .trades
                .iter()
                .filter(|one| one["takerOrderId"] == order["id"] || one["makerOrderId"] == order["id"]);
            let of_order: Vec<Value> = of_order.cloned().collect();
            let filled = dec(&order["filledSize"]);
            assert_eq!(sum(&of_order, "size"), filled, "the trades of an order are what is filled of it: {order}");
            assert_eq!(filled + dec(&order["remainingSize"]), dec(&order["size"]), "{order}");
            let money: Decimal = of_order.iter().map(|one| dec(&one["price"]) * dec(&one["size"])).sum();
            if filled > Decimal::ZERO {
                let average = dec(&order["avgFillPrice"]);
                assert!((average - money / filled).abs() < dec!(0.0000001), "{order}");
            }
            let is_full = filled == dec(&order["size"]);
            match text(order, "status") {
                "open" => assert!(filled.is_zero(), "{order}"),
                "partial_filled" => assert!(filled > Decimal::ZERO && !is_full, "{order}"),
                "filled" => assert!(is_full, "{order}"),
                _ => assert!(!is_full, "{order}"),
            }
            let limit = dec(&order["price"]);
            let fair = of_order.iter().all(|one| match (side(one), text(order, "side")) {
                ("taker", "BUY") => dec(&one["price"]) <= limit || order["updatedAt"] != order["createdAt"],
                ("taker", _) => dec(&one["price"]) >= limit || order["updatedAt"] != order["createdAt"],
                _ => true,
            });
            assert!(fair, "{order}: {of_order:?}");
        }
        let open: Vec<&Value> = shown.orders.iter().filter(|order| is_open(order)).collect();
        let tied_up: Decimal = open
            .iter()
            .filter(|order| order["side"] == "BUY")
            .map(|order| dec(&order["remainingSize"]) * dec(&order["price"]))
            .sum();
        assert_eq!(tied_up, shown.pending, "what is tied up is what open orders would spend");
        for balance in &shown.balances {
            let offered: Decimal = open
                .iter()
                .filter(|order| order["side"] == "SELL" && order["outcomeId"] == balance["outcomeId"])
                .map(|order| dec(&order["remainingSize"]))
                .sum();
            let free = dec(&balance["balance"]) - dec(&balance["availableBalance"]);
            assert_eq!(offered, free, "{balance}");
            assert!(!dec(&balance["availableBalance"]).is_sign_negative(), "{balance}");
        }
        assert!(!shown.cash.is_sign_negative() && !shown.pending.is_sign_negative());
    }

    async fn check(&self) {
        let mut all = Vec::new();
        for account in 0..ACCOUNTS {
            let shown = self.look(account).await;
            self.check_account(&shown);
            all.push(shown);
        }
        // Every pair of shares is backed by a dollar.
        let money: Decimal = all.iter().map(|shown| shown.cash + shown.pending).sum();
        assert_eq!(money + self.pairs, dec!(30000), "money changes hands, and none is made or lost");
        for outcome in self.outcomes() {
            let balances = all.iter().flat_map(|shown| &shown.balances).filter(|one| one["outcomeId"] == outcome);
            let shares: Decimal = balances.map(|one| dec(&one["balance"])).sum();
            assert_eq!(shares, self.pairs, "shares come from minting only");
            self.check_market(outcome, &all).await;
        }
        // What was gained is what the money and the cost of the shares that are left come to.
        for shown in &all {
            let cost = sum(&shown.balances, "cost");
            let gained = shown.cash + shown.pending + cost - dec!(10000);
            assert!((gained - shown.pnl).abs() < dec!(0.0001), "{gained} {}", shown.pnl);
        }
    }

    async fn check_market(&self, outcome: &str, all: &[Shown]) {
        let books = self.read(0, "getOrderBooks", &format!("/v1/pm/books?outcomeId[]={outcome}&depth=100")).await;
        for (side, name) in [("bids", "BUY"), ("asks", "SELL")] {
            let mut resting: BTreeMap<Decimal, Decimal> = BTreeMap::new();
            for order in all.iter().flat_map(|shown| &shown.orders).filter(|order| is_open(order)) {
                if order["side"] == name && order["outcomeId"] == outcome {
                    *resting.entry(dec(&order["price"])).or_default() += dec(&order["remainingSize"]);
                }
            }
            let mut levels: BTreeMap<Decimal, Decimal> =
                list(&books[0][side]).iter().map(|level| (dec(&level["price"]), dec(&level["quantity"]))).collect();
            // The venue itself stands behind everybody.
            assert!(levels.remove(&if name == "BUY" { dec!(0.03) } else { dec!(0.97) }).is_some());
            assert_eq!(levels, resting, "the {side} of the book are the orders that rest");
        }
        let path = format!("/v1/pm/markets/{}/ticker?outcomeId={outcome}", text(self.market(), "id"));
        let ticker = self.read(0, "getTicker", &path).await;
        assert_eq!(ticker["bestBid"], books[0]["bids"][0]["price"]);
        assert_eq!(ticker["bestAsk"], books[0]["asks"][0]["price"]);
        let trades = self.read(0, "listTrades", &format!("/v1/pm/trades?outcomeId={outcome}&size=100")).await;
        let trades = list(&trades["data"]);
        assert_eq!(dec(&ticker["volume24h"]), sum(trades, "size"));
        assert_eq!(ticker["tradeCount24h"], trades.len());
        let last = trades.first().map(|trade| trade["price"].clone()).unwrap_or_default();
        if !last.is_null() {
            assert_eq!(ticker["lastPrice"], last);
        }
        assert_eq!(books[0].get("lastTradedPrice").cloned().unwrap_or_default(), last);
        for trade in trades {
            let seen = all.iter().flat_map(|shown| &shown.trades).filter(|one| one["id"] == trade["id"]).count();
            assert_eq!(seen, 2, "both sides show {trade}");
            assert_ne!(trade["takerUserId"], trade["makerUserId"]);
        }
        let event = self.read(0, "getEvent", &format!("/v1/pm/events/{}", text(&self.event, "id"))).await;
        let market = &event["markets"][0];
        let is_first = text(market, "outcome1Id") == outcome;
        assert_eq!(market[if is_first { "yesBuyPrice" } else { "noBuyPrice" }], ticker["bestAsk"]);
        let prices = [dec(&market["outcome1Price"]), dec(&market["outcome2Price"])];
        assert_eq!(prices[0] + prices[1], Decimal::ONE);
        let latest = format!("/v1/pm/trades?marketId={}&size=1", text(market, "id"));
        let latest = self.read(0, "listTrades", &latest).await;
        // The latest trade of either outcome decides.
        if list(&latest["data"]).first().is_some_and(|trade| trade["takerOutcomeId"] == outcome) {
            assert_eq!(prices[usize::from(!is_first)], dec(&last));
        }
        let name = if is_first { "YES" } else { "NO" };
        let path = format!(
            "/v1/pm/events/{}/price-history?outcome={name}&marketId[]={}",
            text(&event, "id"),
            text(market, "id")
        );
        let history = self.read(0, "getPriceHistory", &path).await;
        let points = list(&history["markets"][0]["priceHistory"]);
        assert_eq!(points.len(), trades.len() + 1);
        assert_eq!(points.last().unwrap()["p"], market[if is_first { "outcome1Price" } else { "outcome2Price" }]);
    }
}

#[tokio::test]
async fn accounts_that_trade_with_each_other_agree_with_what_is_shown() {
    for seed in [1, 2] {
        let mut walk = Walk::new(seed).await;
        for step in 0..90 {
            let what = walk.step().await;
            // Shown where one of the checks fails.
            println!("{step}: {what}");
            walk.check().await;
        }
        let all = walk.read(0, "listTrades", "/v1/pm/trades").await;
        assert!(list(&all["data"]).len() > 3, "{:?}", walk.steps);
        for needed in ["placeOrder", "batchPlaceOrders", "batchAmendOrders", "mintShares", "burnShares", "cancelOrder"]
        {
            assert!(walk.steps.contains_key(&format!("{needed}: good")), "{:?}", walk.steps);
        }
    }
}
