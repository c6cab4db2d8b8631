//! Random orders of several accounts, over HTTP: after each step all reads have to agree with one another.
//!
//! The walks are seeded, so that one that fails can be repeated.

mod common;

use std::collections::BTreeMap;

use common::trader::{PERP, Trader, margin_order, number, open_market, order, traders};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use venuekit_sandbox::Sandbox;

const STEPS: usize = 60;
const HOUSE_SIZE: Decimal = dec!(1000);

/// What a venue calls its operations and members.
struct Venue {
    orders: &'static str,
    reads: &'static str,
    groups: &'static str,
    ticker: String,
    prices: &'static [&'static str],
    /// The quotes of the market maker.
    house: [Decimal; 2],
    is_perp: bool,
}

struct Walk {
    venue: Venue,
    _sandbox: Sandbox,
    traders: Vec<Trader>,
    random: StdRng,
    /// Volume and open interest before the first step.
    start: (Decimal, Decimal),
    names: u64,
}

impl Walk {
    async fn events(seed: u64) -> Self {
        let (sandbox, traders) = traders(3).await;
        let market = open_market(&traders[0]).await;
        let venue = Venue {
            orders: "/portfolio/events/orders",
            reads: "/portfolio/orders",
            groups: "/portfolio/order_groups",
            ticker: market["ticker"].as_str().unwrap().to_owned(),
            prices: &["0.0200", "0.3000", "0.4500", "0.5000", "0.5500", "0.7000", "0.9800"],
            house: [dec!(0.02), dec!(0.98)],
            is_perp: false,
        };
        let start = (number(&market["volume_fp"]), number(&market["open_interest_fp"]));
        Self { venue, _sandbox: sandbox, traders, random: StdRng::seed_from_u64(seed), start, names: 0 }
    }

    async fn perps(seed: u64) -> Self {
        let (sandbox, traders) = traders(3).await;
        let market = traders[0].get(&format!("/margin/markets/{PERP}")).await["market"].take();
        let venue = Venue {
            orders: "/margin/orders",
            reads: "/margin/orders",
            groups: "/margin/order_groups",
            ticker: PERP.to_owned(),
            prices: &["1.4000", "2.0000", "2.7500", "2.8000", "2.8500", "4.0000", "5.6000"],
            house: [dec!(1.4), dec!(5.6)],
            is_perp: true,
        };
        let start = (number(&market["volume"]), number(&market["open_interest"]));
        Self { venue, _sandbox: sandbox, traders, random: StdRng::seed_from_u64(seed), start, names: 0 }
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices.choose(&mut self.random).copied().unwrap()
    }

    fn count(&mut self) -> String {
        Decimal::new(self.random.random_range(1..4000), 2).to_string()
    }

    fn new_order(&mut self, group: Option<&Value>) -> Value {
        let time_in_force = self.pick(&[
            "good_till_canceled",
            "good_till_canceled",
            "good_till_canceled",
            "immediate_or_cancel",
            "fill_or_kill",
        ]);
        let rests = time_in_force == "good_till_canceled";
        self.names += 1;
        let mut more = json!({
            "time_in_force": time_in_force,
            "self_trade_prevention_type": self.pick(&["taker_at_cross", "maker"]),
            "post_only": rests && self.random.random_ratio(1, 5),
            "reduce_only": !rests && self.random.random_ratio(1, 2),
            // Now and then one that was used before.
            "client_order_id": format!("order-{}", if self.random.random_ratio(1, 15) { 1 } else { self.names }),
        });
        if let Some(group) = group {
            more["order_group_id"] = group.clone();
        }
        let (side, price, count) = (self.pick(&["bid", "ask"]), self.pick(self.venue.prices), self.count());
        match self.venue.is_perp {
            true => margin_order(side, price, &count, more),
            false => order(&self.venue.ticker, side, price, &count, more),
        }
    }

    async fn step(&mut self) {
        let who = self.random.random_range(0..self.traders.len());
        let orders = self.orders(who).await;
        let resting: Vec<&Value> = orders.iter().filter(|order| remaining(order) > Decimal::ZERO).collect();
        let one = resting
            .choose(&mut self.random)
            .map(|order| (order["order_id"].as_str().unwrap().to_owned(), (*order).clone()));
        let groups = self.traders[who].get(self.venue.groups).await["order_groups"].take();
        let group = groups.get(0).map(|group| group["id"].clone());
        let (base, grouped) = (self.venue.orders, self.random.random_ratio(1, 4));
        let (method, path, body) = match (self.random.random_range(0..20), one) {
            (0, _) => ("DELETE", base.to_owned(), None),
            (1, _) if group.is_none() => {
                ("POST", format!("{}/create", self.venue.groups), Some(json!({"contracts_limit": 30})))
            }
            (1, _) => {
                let what = self.pick(&["trigger", "reset"]);
                ("PUT", format!("{}/{}/{what}", self.venue.groups, group.unwrap().as_str().unwrap()), Some(json!({})))
            }
            (2, _) if !self.venue.is_perp => {
                let orders: Vec<Value> = (0..3).map(|_| self.new_order(None)).collect();
                ("POST", format!("{base}/batched"), Some(json!({"orders": orders})))
            }
            (3, Some((id, _))) if !self.venue.is_perp => {
                let orders = json!([{"order_id": id}, {"order_id": id}, {"order_id": "none"}]);
                ("DELETE", format!("{base}/batched"), Some(json!({"orders": orders})))
            }
            (4..=5, Some((id, _))) => ("DELETE", format!("{base}/{id}"), None),
            (6..=7, Some((id, _))) => {
                let name = self.pick(&["reduce_by", "reduce_to"]);
                ("POST", format!("{base}/{id}/decrease"), Some(json!({name: self.count()})))
            }
            (8..=11, Some((id, order))) => {
                let side = order.get("book_side").unwrap_or(&order["side"]).clone();
                let body = json!({
                    "ticker": self.venue.ticker, "side": side, "price": self.pick(self.venue.prices), "count": self.count(),
                });
                ("POST", format!("{base}/{id}/amend"), Some(body))
            }
            _ => ("POST", base.to_owned(), Some(self.new_order(group.as_ref().filter(|_| grouped)))),
        };
        let (status, answer) = self.traders[who].send(method, &path, body.clone()).await;
        assert!([200, 201, 204, 400, 404, 409].contains(&status), "{method} {path} {body:?}: {status} {answer}");
    }

    async fn orders(&self, who: usize) -> Vec<Value> {
        self.traders[who].all(self.venue.reads, "orders").await
    }

    async fn check(&self) {
        let (mut levels, mut filled) = (BTreeMap::new(), Decimal::ZERO);
        for who in 0..self.traders.len() {
            filled += self.check_account(who, &mut levels).await;
        }
        self.check_market(&levels, filled).await;
    }

    /// Checks one account, adds its resting orders to the levels, and gives how much it has traded.
    async fn check_account(&self, who: usize, levels: &mut BTreeMap<(bool, Decimal), Decimal>) -> Decimal {
        let trader = &self.traders[who];
        let fills = trader.all(if self.venue.is_perp { "/margin/fills" } else { "/portfolio/fills" }, "fills").await;
        let mut by_order: BTreeMap<String, Decimal> = BTreeMap::new();
        let (mut position, mut cost, mut fees, mut traded) =
            (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        for fill in &fills {
            let count = number(fill.get("count_fp").unwrap_or(&fill["count"]));
            let price = number(fill.get("yes_price_dollars").unwrap_or(&fill["price"]));
            let is_bid = fill.get("book_side").unwrap_or(&fill["side"]) == "bid";
            let sign = if is_bid { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            position += sign * count;
            cost += sign * count * price;
            fees += number(fill.get("fee_cost").unwrap_or(&fill["fees"]));
            traded += count;
            *by_order.entry(fill["order_id"].as_str().unwrap().to_owned()).or_default() += count;
        }
        let orders = self.orders(who).await;
        for order in &orders {
            let id = order["order_id"].as_str().unwrap();
            let (rests, done) = (remaining(order), number(order.get("fill_count_fp").unwrap_or(&order["fill_count"])));
            assert_eq!(by_order.remove(id).unwrap_or_default(), done, "{order}");
            if let Some(count) = order.get("initial_count_fp") {
                let cancelled = number(count) - done - rests;
                assert!(cancelled >= Decimal::ZERO, "{order}");
                let status = order["status"].as_str().unwrap();
                let fits = match status {
                    "resting" => rests > Decimal::ZERO && cancelled >= Decimal::ZERO,
                    "executed" => rests.is_zero() && done > Decimal::ZERO,
                    _ => rests.is_zero(),
                };
                assert!(fits, "{order}");
            }
            if rests > Decimal::ZERO {
                let is_bid = order.get("book_side").unwrap_or(&order["side"]) == "bid";
                let price = number(order.get("yes_price_dollars").unwrap_or(&order["price"]));
                *levels.entry((is_bid, price)).or_default() += rests;
            }
        }
        assert!(by_order.is_empty(), "fills of unknown orders: {by_order:?}");
        match self.venue.is_perp {
            true => self.check_margin(trader, position, cost, fees).await,
            false => self.check_cash(trader, position, cost, fees).await,
        }
        traded
    }

    /// Cash and what is reserved: what was paid, and a dollar for each contract of no.
    async fn check_cash(&self, trader: &Trader, position: Decimal, cost: Decimal, fees: Decimal) {
        let positions = trader.get("/portfolio/positions").await["market_positions"].take();
        let shown = positions.get(0).map(|one| number(&one["position_fp"])).unwrap_or_default();
        assert_eq!(shown, position, "fills sum up to the position");
        let available = number(&trader.get("/portfolio/balance").await["balance_dollars"]);
        assert!(available >= Decimal::ZERO);
        let value = trader.get("/portfolio/summary/total_resting_order_value").await;
        let reserved = number(&value["resting_order_value_breakdown"][0]["balance"]);
        let collateral = (-position).max(Decimal::ZERO);
        assert_eq!(available + reserved, dec!(10000) - cost - fees - collateral, "cash is conserved");
        if let Some(one) = positions.get(0) {
            let (exposure, realized) = (number(&one["market_exposure_dollars"]), number(&one["realized_pnl_dollars"]));
            assert_eq!(available + reserved + exposure, dec!(10000) + realized - fees, "{one}");
            assert_eq!(number(&one["fees_paid_dollars"]), fees);
        }
    }

    async fn check_margin(&self, trader: &Trader, position: Decimal, cost: Decimal, fees: Decimal) {
        let positions = trader.get("/margin/positions").await["positions"].take();
        let shown = positions.get(0).map(|one| number(&one["position"])).unwrap_or_default();
        assert_eq!(shown, position, "fills sum up to the position");
        let market = trader.get(&format!("/margin/markets/{PERP}")).await["market"].take();
        let mark = number(&market["price"]);
        let balance = trader.get("/margin/balance?compute_available_balance=true").await;
        let (settled, balance) = (number(&balance["settled_funds"]), &balance["subaccount_balances"][0]);
        let equity = number(&balance["account_equity"]);
        assert_eq!(equity, dec!(10000) - fees - cost + position * mark, "equity is conserved");
        let unrealized = positions.get(0).map(|one| number(&one["unrealized_pnl"])).unwrap_or_default();
        assert_eq!(settled + unrealized, equity);
        let bound = number(&balance["initial_margin"]) + number(&balance["resting_orders_margin"]);
        assert_eq!(number(&balance["available_balance"]), equity - bound);
    }

    /// The book is the resting orders, and the market's numbers are those of the book and the trades.
    async fn check_market(&self, levels: &BTreeMap<(bool, Decimal), Decimal>, filled: Decimal) {
        let (trader, ticker) = (&self.traders[0], &self.venue.ticker);
        let (book, market, trades) = match self.venue.is_perp {
            true => {
                let book = trader.get(&format!("/margin/markets/{ticker}/orderbook")).await["orderbook"].take();
                let market = trader.get(&format!("/margin/markets/{ticker}")).await["market"].take();
                (book, market, trader.all(&format!("/margin/trades?ticker={ticker}"), "trades").await)
            }
            false => {
                let book = trader.get(&format!("/markets/{ticker}/orderbook")).await["orderbook_fp"].take();
                let market = trader.get(&format!("/markets/{ticker}")).await["market"].take();
                (book, market, trader.all(&format!("/markets/trades?ticker={ticker}"), "trades").await)
            }
        };
        let (mut house, mut best) = (Decimal::ZERO, [None, None]);
        for (index, names) in [["yes_dollars", "bids"], ["no_dollars", "asks"]].iter().enumerate() {
            let is_bid = index == 0;
            let mut shown = BTreeMap::new();
            for level in book.get(names[0]).unwrap_or(&book[names[1]]).as_array().unwrap() {
                let price = number(&level[0]);
                let price = if is_bid || self.venue.is_perp { price } else { Decimal::ONE - price };
                assert!(shown.insert(price, number(&level[1])).is_none(), "one level twice: {book}");
                best[index] = Some(price);
            }
            for ((_, price), count) in levels.iter().filter(|((side, _), _)| *side == is_bid) {
                let left = shown.get(price).copied().unwrap_or_default() - count;
                assert!(left >= Decimal::ZERO, "{price} of {count} is not in {book}");
                shown.insert(*price, left);
            }
            for (price, left) in shown {
                assert!(
                    left.is_zero() || price == self.venue.house[index] && left <= HOUSE_SIZE,
                    "nobody's: {price} {left}"
                );
                house += left;
            }
        }
        if let [Some(bid), Some(ask)] = best {
            assert!(bid < ask, "the book is crossed: {book}");
        }
        let field = |perp: &str, event: &str| number(&market[if self.venue.is_perp { perp } else { event }]);
        let count = |trade: &Value| number(trade.get("count_fp").unwrap_or(&trade["count"]));
        let volume: Decimal = trades.iter().map(count).sum();
        assert_eq!(field("volume", "volume_fp"), volume, "the volume is that of the trades");
        let new = volume - self.start.0;
        assert_eq!(filled, new * Decimal::TWO - (HOUSE_SIZE * Decimal::TWO - house), "each trade is two fills");
        let last = trades[0].get("yes_price_dollars").unwrap_or(&trades[0]["price"]);
        assert_eq!(field("price", "last_price_dollars"), number(last));
        if let Some(bid) = best[0] {
            assert_eq!(field("bid", "yes_bid_dollars"), bid);
        }
        if let Some(ask) = best[1] {
            assert_eq!(field("ask", "yes_ask_dollars"), ask);
        }
        assert!(field("open_interest", "open_interest_fp") <= self.start.1 + new);
    }

    async fn go(&mut self) {
        for _ in 0..STEPS {
            self.step().await;
            self.check().await;
        }
    }
}

fn remaining(order: &Value) -> Decimal {
    number(order.get("remaining_count_fp").unwrap_or(&order["remaining_count"]))
}

#[tokio::test]
async fn reads_agree_after_every_step_on_event_contracts() {
    for seed in [1, 2] {
        Walk::events(seed).await.go().await;
    }
}

#[tokio::test]
async fn reads_agree_after_every_step_on_perpetual_futures() {
    for seed in [3, 4] {
        Walk::perps(seed).await.go().await;
    }
}
