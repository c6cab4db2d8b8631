//! A random walk by several accounts of Deribit: after each step, all that the venue shows agrees.
#![allow(clippy::print_stdout, reason = "shown where a step of the walk fails")]

#[path = "common/desk.rs"]
mod desk;
#[path = "common/numbers.rs"]
mod numbers;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "the operations' own tests use the rest")]
mod spec;

use std::collections::{BTreeMap, BTreeSet};

use desk::Desk;
use numbers::{dec, list, number};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use venuekit_sandbox::DeribitSettings;

const ACCOUNTS: usize = 3;
const CURRENCIES: [&str; 3] = ["BTC", "ETH", "USDC"];

/// Name, a price near the middle, tick, smallest amount.
const INSTRUMENTS: [(&str, Decimal, Decimal, Decimal); 4] = [
    ("BTC-PERPETUAL", dec!(68250), dec!(0.5), dec!(10)),
    ("BTC_USDC-PERPETUAL", dec!(68256), dec!(0.5), dec!(0.0001)),
    ("BTC_USDC", dec!(68247), dec!(1), dec!(0.0001)),
    ("BTC-26MAR27-70000-C", dec!(0.0475), dec!(0.0005), dec!(0.1)),
];

struct Walk {
    desk: Desk,
    dice: StdRng,
    steps: BTreeMap<String, usize>,
}

/// What an account shows of itself.
struct Shown {
    open: Vec<Value>,
    orders: BTreeMap<String, Value>,
    trades: Vec<Value>,
    positions: Vec<Value>,
    summaries: BTreeMap<String, Value>,
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn signed(trade: &Value) -> Decimal {
    let amount = dec(&trade["amount"]);
    if trade["direction"] == "buy" { amount } else { -amount }
}

impl Walk {
    async fn new(seed: u64, generated_book: bool) -> Self {
        let desk = Desk::new(ACCOUNTS).await;
        desk.sandbox.set_deribit_settings(DeribitSettings {
            generated_book,
            user_transfer_millis: 0,
            ..DeribitSettings::default()
        });
        Self { desk, dice: StdRng::seed_from_u64(seed), steps: BTreeMap::new() }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.dice.random_range(0..from.len())]
    }

    fn order(&mut self) -> (&'static str, Value) {
        let (name, middle, tick, smallest) = self.pick(&INSTRUMENTS);
        let price = middle + tick * Decimal::from(self.dice.random_range(-4..=4));
        let amount = smallest * Decimal::from(self.dice.random_range(1..=20));
        let mut order = json!({
            "instrument_name": name, "amount": number(amount), "type": "limit", "price": number(price),
            "label": self.pick(&["a", "b", "c"]),
        });
        match self.dice.random_range(0..10) {
            0 => order["time_in_force"] = json!("immediate_or_cancel"),
            1 => order["time_in_force"] = json!("fill_or_kill"),
            2 => order["post_only"] = json!(true),
            3 => order["reduce_only"] = json!(true),
            4 => order["type"] = json!("market"),
            5 => order["mmp"] = json!(true),
            6 => {
                order["type"] = json!("stop_limit");
                order["trigger"] = json!("last_price");
                order["trigger_price"] = number(middle + tick * Decimal::from(self.dice.random_range(-4..=4)));
            }
            _ => {}
        }
        if order["type"] == "market" {
            order.as_object_mut().unwrap().remove("price");
        }
        (name, order)
    }

    async fn step(&mut self) -> String {
        let account = self.dice.random_range(0..ACCOUNTS);
        let (name, order) = self.order();
        let method = match self.dice.random_range(0..20) {
            0..=5 => "private/buy",
            6..=11 => "private/sell",
            12 | 13 => "private/edit",
            14 => "private/cancel",
            15 => self.pick(&[
                "private/cancel_all",
                "private/cancel_by_label",
                "private/cancel_all_by_instrument",
                "private/cancel_all_by_currency",
                "private/cancel_quotes",
            ]),
            16 | 17 => "private/mass_quote",
            18 => "private/close_position",
            _ => "private/submit_transfer_to_user",
        };
        let params = match method {
            "private/buy" | "private/sell" => order,
            "private/edit" | "private/cancel" => {
                let open = self.desk.call(account, "private/get_open_orders", json!({})).await;
                let open = list(&open);
                if open.is_empty() {
                    return "nothing to change".to_owned();
                }
                let chosen = &open[self.dice.random_range(0..open.len())];
                let known = INSTRUMENTS.iter().find(|(name, ..)| chosen["instrument_name"] == *name).unwrap();
                let amount = known.3 * Decimal::from(self.dice.random_range(1..=20));
                let price = known.1 + known.2 * Decimal::from(self.dice.random_range(-4..=4));
                match method {
                    "private/edit" => {
                        json!({"order_id": chosen["order_id"], "amount": number(amount), "price": number(price)})
                    }
                    _ => json!({"order_id": chosen["order_id"]}),
                }
            }
            "private/cancel_by_label" => json!({"label": "a"}),
            "private/cancel_all_by_instrument" => json!({"instrument_name": name}),
            "private/cancel_all_by_currency" => json!({"currency": "BTC"}),
            "private/cancel_quotes" => json!({"cancel_type": "all", "detailed": true}),
            "private/mass_quote" => {
                let known = INSTRUMENTS.iter().find(|(known, ..)| *known == name).unwrap();
                let amount = number(known.3 * Decimal::from(self.dice.random_range(0..=9)));
                let apart = known.2 * Decimal::from(self.dice.random_range(1..=3));
                let quotes = json!([{
                    "instrument_name": name,
                    "bid": {"price": number(known.1 - apart), "amount": amount},
                    "ask": {"price": number(known.1 + apart), "amount": amount},
                }]);
                json!({"quote_id": "1", "mmp_group": "group", "quotes": quotes, "detailed": true})
            }
            "private/close_position" => json!({"instrument_name": name, "type": "market"}),
            "private/submit_transfer_to_user" => {
                let other = (account + 1) % ACCOUNTS;
                json!({"currency": "USDC", "amount": 12.5, "destination": format!("trader{}", 10 + other)})
            }
            _ => json!({}),
        };
        let outcome = self.desk.try_call(account, method, params.clone()).await;
        *self.steps.entry(format!("{method}: {}", if outcome.is_ok() { "good" } else { "refused" })).or_default() += 1;
        format!("account {account}: {method} {params} -> {outcome:?}")
    }

    async fn look(&self, account: usize) -> Shown {
        let call = |method, params| self.desk.call(account, method, params);
        let open = list(&call("private/get_open_orders", json!({})).await).to_vec();
        let (mut orders, mut trades) = (BTreeMap::new(), Vec::new());
        for currency in ["BTC", "USDC"] {
            let params = json!({"currency": currency, "count": 1000, "include_unfilled": true});
            let past = call("private/get_order_history_by_currency", params).await;
            for order in list(&past) {
                orders.insert(text(order, "order_id").to_owned(), order.clone());
            }
            let params = json!({"currency": currency, "count": 1000, "sorting": "asc"});
            let page = call("private/get_user_trades_by_currency", params).await;
            assert_eq!(page["has_more"], false);
            trades.extend(list(&page["trades"]).iter().cloned());
        }
        // Spot is listed under both of its currencies.
        let mut seen = BTreeSet::new();
        trades.retain(|trade| seen.insert(text(trade, "trade_id").to_owned() + text(trade, "order_id")));
        for order in &open {
            orders.insert(text(order, "order_id").to_owned(), order.clone());
        }
        let positions = list(&call("private/get_positions", json!({})).await).to_vec();
        let all = call("private/get_account_summaries", json!({})).await;
        let summaries = list(&all["summaries"]).iter().map(|one| (text(one, "currency").to_owned(), one.clone()));
        Shown { open, orders, trades, positions, summaries: summaries.collect() }
    }

    async fn check(&self) -> Vec<Shown> {
        let mut all = Vec::new();
        for account in 0..ACCOUNTS {
            let shown = self.look(account).await;
            self.check_orders(&shown);
            self.check_positions(&shown);
            self.check_balances(account, &shown).await;
            all.push(shown);
        }
        for (name, ..) in INSTRUMENTS {
            self.check_market(name, &all).await;
        }
        all
    }

    fn check_orders(&self, shown: &Shown) {
        for (id, order) in &shown.orders {
            let of_order = shown.trades.iter().filter(|trade| trade["order_id"] == **id);
            let traded: Decimal = of_order.map(|trade| dec(&trade["amount"])).sum();
            let (amount, filled) = (dec(&order["amount"]), dec(&order["filled_amount"]));
            assert_eq!(traded, filled, "the trades of an order are what is filled of it: {order}");
            assert!(filled <= amount, "{order}");
            let is_open = shown.open.iter().any(|open| open["order_id"] == **id);
            match text(order, "order_state") {
                "filled" => assert!(filled == amount && !is_open, "{order}"),
                "cancelled" => assert!(filled < amount && !is_open, "{order}"),
                _ => assert!(filled < amount && is_open, "{order}"),
            }
        }
        for trade in &shown.trades {
            assert!(shown.orders.contains_key(text(trade, "order_id")), "{trade}");
        }
    }

    fn check_positions(&self, shown: &Shown) {
        let mut sizes: BTreeMap<&str, Decimal> = BTreeMap::new();
        for trade in shown.trades.iter().filter(|trade| trade["instrument_name"] != "BTC_USDC") {
            *sizes.entry(text(trade, "instrument_name")).or_default() += signed(trade);
        }
        sizes.retain(|_, size| !size.is_zero());
        let positions: BTreeMap<&str, Decimal> =
            shown.positions.iter().map(|one| (text(one, "instrument_name"), dec(&one["size"]))).collect();
        assert_eq!(positions, sizes, "positions are what the trades add up to");
    }

    async fn check_balances(&self, account: usize, shown: &Shown) {
        let mut changes: BTreeMap<&str, Decimal> = BTreeMap::new();
        for trade in &shown.trades {
            let (price, signed) = (dec(&trade["price"]), signed(trade));
            let quote = match text(trade, "instrument_name") {
                "BTC_USDC" => {
                    *changes.entry("BTC").or_default() += signed;
                    -signed * price
                }
                "BTC-26MAR27-70000-C" => -signed * price,
                _ => dec(&trade["profit_loss"]),
            };
            *changes.entry(text(trade, "fee_currency")).or_default() += quote - dec(&trade["fee"]);
        }
        for currency in CURRENCIES {
            let summary = &shown.summaries[currency];
            let params = json!({"currency": currency, "start_timestamp": 0, "end_timestamp": 4_000_000_000_000_i64, "count": 1000});
            let log = self.desk.call(account, "private/get_transaction_log", params).await;
            let entries = list(&log["logs"]);
            let balance = dec(&summary["balance"]);
            let sum: Decimal = entries.iter().map(|entry| dec(&entry["change"])).sum();
            assert_eq!(sum, balance, "the ledger adds up to the balance of {currency}");
            assert!(entries.first().is_none_or(|last| dec(&last["balance"]) == balance), "{currency}");
            let others = entries.iter().filter(|entry| entry["type"] != "trade");
            let others: Decimal = others.map(|entry| dec(&entry["change"])).sum();
            let traded = changes.get(currency).copied().unwrap_or_default();
            assert_eq!(others + traded, balance, "trades less fees are what the balance of {currency} changed by");

            let of_currency = |one: &&Value| {
                let name = text(one, "instrument_name");
                if name.contains("_USDC") { currency == "USDC" } else { name.starts_with(currency) }
            };
            let positions: Vec<&Value> = shown.positions.iter().filter(of_currency).collect();
            let sum = |name: &str| positions.iter().map(|one| dec(&one[name])).sum::<Decimal>();
            let shows = |name: &str| dec(&summary[name]);
            assert_eq!(sum("floating_profit_loss"), shows("session_upl"), "{currency}");
            assert_eq!(sum("total_profit_loss"), sum("floating_profit_loss") + sum("realized_profit_loss"));
            assert_eq!(sum("delta"), shows("delta_total"), "{currency}");
            assert_eq!(
                shows("equity"),
                balance + shows("futures_session_upl") + shows("options_value"),
                "{currency}: {summary}"
            );
            assert_eq!(shows("available_funds"), shows("margin_balance") - shows("initial_margin"));
            let ids: Vec<&Value> = shown.open.iter().map(|order| &order["order_id"]).collect();
            let margins = self.desk.call(account, "private/get_order_margin_by_ids", json!({"ids": ids})).await;
            let of_orders = list(&margins).iter().filter(|one| one["initial_margin_currency"] == currency);
            let of_orders: Decimal = of_orders.map(|one| dec(&one["initial_margin"])).sum();
            assert_eq!(of_orders + sum("initial_margin"), shows("initial_margin"), "{currency}");
        }
        let family = self.desk.call(account, "private/get_subaccounts", json!({"with_portfolio": true})).await;
        assert_eq!(list(&family).len(), 1);
        for currency in CURRENCIES {
            let portfolio = &family[0]["portfolio"][currency.to_lowercase()];
            for name in ["balance", "equity", "available_funds", "initial_margin", "maintenance_margin"] {
                assert_eq!(portfolio[name], shown.summaries[currency][name], "{currency} {name}");
            }
        }
    }

    async fn check_market(&self, name: &str, all: &[Shown]) {
        let by_name = json!({"instrument_name": name});
        let public = |method, params| self.desk.call(0, method, params);
        let book = public("public/get_order_book", json!({"instrument_name": name, "depth": 10000})).await;
        let ticker = public("public/ticker", by_name.clone()).await;
        let summary = public("public/get_book_summary_by_instrument", by_name.clone()).await;
        let is_made_up = self.desk.sandbox.deribit_settings().generated_book;
        for (side, direction, best, of_summary) in
            [("bids", "buy", "best_bid_price", "bid_price"), ("asks", "sell", "best_ask_price", "ask_price")]
        {
            let mut resting: BTreeMap<Decimal, Decimal> = BTreeMap::new();
            for order in all.iter().flat_map(|shown| &shown.open) {
                let is_here = order["instrument_name"] == name && order["direction"] == direction;
                if is_here && order["order_state"] == "open" {
                    let left = dec(&order["amount"]) - dec(&order["filled_amount"]);
                    *resting.entry(dec(&order["price"])).or_default() += left;
                }
            }
            let levels: BTreeMap<Decimal, Decimal> =
                list(&book[side]).iter().map(|level| (dec(&level[0]), dec(&level[1]))).collect();
            if is_made_up {
                for (price, amount) in resting {
                    let shown = levels.get(&price).copied().unwrap_or_default();
                    assert!(shown >= amount, "{name} {side} at {price}: {shown} of {amount}");
                }
            } else {
                assert_eq!(levels, resting, "{name}: the {side} of the book are the orders that rest");
            }
            let top = list(&book[side]).first().map(|level| level[0].clone()).unwrap_or_default();
            assert!(
                same(&ticker[best], &top) && same(&summary[0][of_summary], &top),
                "{name}: {best} is {top} in the book"
            );
        }
        let bid = list(&book["bids"]).first().map(|level| dec(&level[0]));
        let ask = list(&book["asks"]).first().map(|level| dec(&level[0]));
        assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask), "{name} is crossed: {book}");

        let params = json!({"instrument_name": name, "count": 1000, "sorting": "asc"});
        let page = public("public/get_last_trades_by_instrument", params).await;
        assert_eq!(page["has_more"], false);
        let tape = list(&page["trades"]);
        let own = |liquidity: &str| {
            let trades = all.iter().flat_map(|shown| &shown.trades);
            let fits = trades.filter(|trade| trade["instrument_name"] == name && trade["liquidity"] == liquidity);
            fits.map(|trade| (text(trade, "trade_id"), trade)).collect::<BTreeMap<_, _>>()
        };
        let (takers, makers) = (own("T"), own("M"));
        assert_eq!(tape.len(), takers.len(), "{name}");
        for (index, trade) in tape.iter().enumerate() {
            assert_eq!(trade["trade_seq"], index + 1, "{name}");
            let id = text(trade, "trade_id");
            for member in ["price", "amount", "direction", "timestamp", "trade_seq", "tick_direction"] {
                assert!(same(&trade[member], &takers[id][member]), "{name} {member}");
            }
            if let Some(maker) = makers.get(id) {
                assert!(same(&trade["price"], &maker["price"]) && same(&trade["amount"], &maker["amount"]), "{name}");
                assert_ne!(trade["direction"], maker["direction"]);
            } else {
                assert!(is_made_up, "{name}: somebody has the other side of {trade}");
            }
        }
        assert!(makers.keys().all(|id| takers.contains_key(id)), "{name}");
        let last = tape.last().map(|trade| trade["price"].clone()).unwrap_or_default();
        assert!(same(&ticker["last_price"], &last) && same(&summary[0]["last"], &last), "{name}: {last}");
        assert!(same(&ticker["stats"]["volume"], &summary[0]["volume"]), "{name}");

        let sizes = all.iter().flat_map(|shown| &shown.positions).filter(|one| one["instrument_name"] == name);
        let (mut long, mut short) = (Decimal::ZERO, Decimal::ZERO);
        for size in sizes.map(|one| dec(&one["size"])) {
            if size.is_sign_negative() { short -= size } else { long += size }
        }
        if name != "BTC_USDC" {
            assert!(is_made_up || long == short, "{name}: {long} {short}");
            assert_eq!(dec(&ticker["open_interest"]), long.max(short), "{name}");
        }

        let now = public("public/get_time", json!({})).await;
        let params = json!({
            "instrument_name": name, "resolution": "1", "start_timestamp": now.as_i64().unwrap() - 3_600_000,
            "end_timestamp": now,
        });
        let chart = public("public/get_tradingview_chart_data", params).await;
        let volume: Decimal = list(&chart["volume"]).iter().map(dec).sum();
        assert_eq!(volume, dec(&ticker["stats"]["volume"]), "{name}: candles are made from the trades");
        assert_eq!(list(&chart["close"]).last().cloned().unwrap_or_default(), last, "{name}");
    }

    /// What all accounts have together, with what their positions would gain, and all fees.
    fn total(all: &[Shown], currency: &str) -> Decimal {
        let equity = all.iter().map(|shown| dec(&shown.summaries[currency]["equity"])).sum::<Decimal>();
        let trades = all.iter().flat_map(|shown| &shown.trades).filter(|trade| trade["fee_currency"] == currency);
        equity + trades.map(|trade| dec(&trade["fee"])).sum::<Decimal>()
    }

    async fn run(&mut self, steps: usize) {
        for step in 0..steps {
            let what = self.step().await;
            // Shown where one of the checks fails.
            println!("{step}: {what}");
            let all = self.check().await;
            if !self.desk.sandbox.deribit_settings().generated_book {
                for (currency, total) in [("BTC", dec!(30)), ("ETH", dec!(300)), ("USDC", dec!(750000))] {
                    let off = (Self::total(&all, currency) - total).abs();
                    assert!(off < dec!(0.0001), "{currency}: {off} too much or too little");
                }
            }
        }
        for needed in ["private/buy", "private/sell", "private/mass_quote"] {
            assert!(self.steps.contains_key(&format!("{needed}: good")), "{:?}", self.steps);
        }
        let trades = self.desk.call(0, "public/get_last_trades_by_currency", json!({"currency": "BTC"})).await;
        assert!(!list(&trades["trades"]).is_empty(), "{:?}", self.steps);
    }
}

#[tokio::test]
async fn accounts_that_trade_with_each_other_agree_with_what_is_shown() {
    for seed in [1, 2] {
        Walk::new(seed, false).await.run(70).await;
    }
}

#[tokio::test]
async fn accounts_that_trade_with_the_venue_too_agree_with_what_is_shown() {
    Walk::new(3, true).await.run(70).await;
}

/// Whether two values are equal: a number is the same with and without a decimal point.
fn same(one: &Value, other: &Value) -> bool {
    if one.is_number() && other.is_number() { dec(one) == dec(other) } else { one == other }
}
