//! Whatever is ordered, no account spends what it does not have: conditional orders are paid too.

#[path = "common/binance.rs"]
mod binance;
#[path = "common/bybit.rs"]
mod bybit;
mod common;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};

use binance::number;
use bybit::{limit, with};

const STEPS: usize = 250;
const CREATE: &str = "/v5/order/create";

/// A price near another one, on a grid.
fn near(dice: &mut StdRng, price: Decimal, tick: Decimal) -> Decimal {
    let part = Decimal::new(dice.random_range(9_800..=10_200), 4);
    (price * part / tick).round() * tick
}

fn one<'a>(dice: &mut StdRng, words: &[&'a str]) -> &'a str {
    words[dice.random_range(0..words.len())]
}

#[tokio::test]
async fn no_balance_of_binance_falls_below_zero() {
    let sandbox = binance::two_accounts().await;
    let callers = [0, 1].map(|index| binance::Caller::given(&sandbox, index));
    let mut dice = StdRng::seed_from_u64(5);
    let (mut accepted, mut conditional) = (0, 0);
    for step in 0..STEPS {
        let caller = &callers[dice.random_range(0..2_usize)];
        let ticker = binance::public(&sandbox, "/api/v3/ticker/price?symbol=LTCBTC").await;
        let last = number(&ticker["price"]);
        let kind = one(&mut dice, &["LIMIT", "LIMIT", "MARKET", "STOP_LOSS", "TAKE_PROFIT", "STOP_LOSS_LIMIT"]);
        let is_conditional = kind.contains("LOSS") || kind.contains("PROFIT");
        // Mostly buyers wait: without a limit, they need more than they can be sure of.
        let sides: &[&str] = if is_conditional { &["BUY", "BUY", "BUY", "SELL"] } else { &["BUY", "SELL"] };
        let side = one(&mut dice, sides);
        let own = one(&mut dice, &["EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH"]);
        let quantity = Decimal::new(dice.random_range(1..300_000), 2);
        let mut order =
            format!("symbol=LTCBTC&side={side}&type={kind}&quantity={quantity}&selfTradePreventionMode={own}");
        if kind.contains("LIMIT") {
            let force = one(&mut dice, &["GTC", "GTC", "IOC", "FOK"]);
            order.push_str(&format!("&timeInForce={force}&price={}", near(&mut dice, last, dec!(0.000001))));
        }
        if is_conditional {
            // Within a few levels, so that many are triggered.
            let ticks = Decimal::from(dice.random_range(-6..=6));
            order.push_str(&format!("&stopPrice={}", last + ticks * dec!(0.000001)));
        }
        let answer = caller.send("POST", "/api/v3/order", &order, binance::Place::Form).await;
        if answer.status == 200 {
            accepted += 1;
            conditional += i32::from(is_conditional);
        }
        for caller in &callers {
            let account = caller.get("/api/v3/account", "").await;
            for balance in account["balances"].as_array().unwrap() {
                let (free, locked) = (number(&balance["free"]), number(&balance["locked"]));
                assert!(free >= Decimal::ZERO && locked >= Decimal::ZERO, "step {step}, {order}: {balance}");
            }
        }
    }
    assert!(accepted > STEPS / 4 && conditional > 10, "{accepted} accepted, {conditional} of them conditional");
}

#[tokio::test]
async fn a_stop_order_of_binance_holds_coins_and_expires_where_they_are_too_few() {
    let sandbox = binance::two_accounts().await;
    let (caller, other) = (binance::Caller::given(&sandbox, 0), binance::Caller::given(&sandbox, 1));
    let last = number(&binance::public(&sandbox, "/api/v3/ticker/price?symbol=BTCUSDT").await["price"]);
    let stop = (last * dec!(1.001)).round();
    let (free, _) = caller.coin("USDT").await;
    let quantity = (free * dec!(0.99) / stop).round_dp(3);
    let order = format!("symbol=BTCUSDT&side=BUY&type=STOP_LOSS&quantity={quantity}&stopPrice={stop}");
    let placed = caller.place(&order).await;
    assert_eq!(caller.coin("USDT").await, (free - stop * quantity, stop * quantity));
    assert_eq!(caller.refused("POST", "/api/v3/order", &order).await.1, -2010, "it is spent already");

    // Everything but a little is offered above what was held.
    let book = binance::public(&sandbox, "/api/v3/depth?symbol=BTCUSDT&limit=5000").await;
    for level in book["asks"].as_array().unwrap() {
        sandbox.binance_quote("BTCUSDT", false, number(&level[0]), dec!(0));
    }
    sandbox.binance_quote("BTCUSDT", false, stop, dec!(0.001));
    sandbox.binance_quote("BTCUSDT", false, (stop * dec!(1.02)).round(), dec!(1000));
    other.place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001").await;
    let shown = caller.get("/api/v3/order", &format!("symbol=BTCUSDT&orderId={}", placed["orderId"])).await;
    assert_eq!((&shown["status"], number(&shown["executedQty"])), (&json!("EXPIRED"), Decimal::ZERO));
    assert_eq!(caller.coin("USDT").await, (free, Decimal::ZERO));
}

/// Coin, what an account has of it, and what is locked.
async fn coins(caller: &bybit::Caller<'_>) -> Vec<(String, Decimal, Decimal)> {
    let account = caller.read("/v5/account/wallet-balance", "accountType=UNIFIED").await;
    let coins = account["list"][0]["coin"].as_array().unwrap().clone();
    let text = |coin: &Value| coin["coin"].as_str().unwrap().to_owned();
    coins.iter().map(|coin| (text(coin), number(&coin["walletBalance"]), number(&coin["locked"]))).collect()
}

#[tokio::test]
async fn no_coin_of_bybit_falls_below_zero() {
    let sandbox = bybit::two_accounts().await;
    let callers = [0, 1].map(|index| bybit::Caller::given(&sandbox, index));
    let mut dice = StdRng::seed_from_u64(7);
    let (mut accepted, mut conditional) = (0, 0);
    for step in 0..STEPS {
        let caller = &callers[dice.random_range(0..2_usize)];
        let ticker = bybit::public(&sandbox, "/v5/market/tickers?category=spot&symbol=BTCUSDT").await;
        let last = number(&ticker["list"][0]["lastPrice"]);
        let qty = Decimal::new(dice.random_range(1..4_000), 2).to_string();
        let price = near(&mut dice, last, dec!(0.1)).to_string();
        let mut order = limit("spot", "BTCUSDT", one(&mut dice, &["Buy", "Sell"]), &price, &qty);
        order["timeInForce"] = one(&mut dice, &["GTC", "GTC", "IOC", "FOK", "PostOnly"]).into();
        order["smpType"] = one(&mut dice, &["None", "CancelMaker", "CancelTaker", "CancelBoth"]).into();
        if dice.random_bool(0.3) {
            order = with(order, json!({"orderType": "Market", "marketUnit": "baseCoin"}));
        }
        if dice.random_bool(0.5) {
            order["triggerPrice"] = near(&mut dice, last, dec!(0.1)).to_string().into();
            order["orderFilter"] = one(&mut dice, &["StopOrder", "tpslOrder"]).into();
        }
        let answer = caller.post(CREATE, order.clone()).await;
        if answer.json["retCode"] == 0 {
            accepted += 1;
            conditional += i32::from(order.get("triggerPrice").is_some());
        }
        for caller in &callers {
            for (coin, wallet, locked) in coins(caller).await {
                let is_sound = wallet >= locked && locked >= Decimal::ZERO;
                assert!(is_sound, "step {step}, {order}: {wallet} {coin}, {locked} locked");
            }
        }
    }
    assert!(accepted > STEPS / 4 && conditional > 10, "{accepted} accepted, {conditional} of them conditional");
}

#[tokio::test]
async fn a_conditional_order_of_bybit_is_paid_when_its_price_comes() {
    let sandbox = bybit::two_accounts().await;
    let (caller, other) = (bybit::Caller::given(&sandbox, 0), bybit::Caller::given(&sandbox, 1));
    let book = bybit::public(&sandbox, "/v5/market/orderbook?category=spot&symbol=BTCUSDT&limit=1").await;
    let ask = number(&book["a"][0][0]);
    let wallet = coins(&caller).await.into_iter().find(|(coin, ..)| coin == "BTC").unwrap().1;
    let order = with(
        limit("spot", "BTCUSDT", "Sell", &(ask + dec!(100)).to_string(), &wallet.to_string()),
        json!({"triggerPrice": ask.to_string(), "orderFilter": "StopOrder"}),
    );
    let (first, second) = (caller.place(order.clone()).await, caller.place(order.clone()).await);
    assert!(coins(&caller).await.iter().all(|(_, _, locked)| locked.is_zero()), "nothing is bound before the price");
    other.place(limit("spot", "BTCUSDT", "Buy", &ask.to_string(), "0.001")).await;
    assert_eq!(caller.order("spot", &first).await["orderStatus"], "New");
    let rejected = caller.order("spot", &second).await;
    assert_eq!((&rejected["orderStatus"], &rejected["rejectReason"]), (&json!("Rejected"), &json!("EC_Others")));
    let locked = coins(&caller).await.into_iter().find(|(coin, ..)| coin == "BTC").unwrap().2;
    assert_eq!(locked, wallet);
    caller.write("/v5/order/cancel-all", json!({"category": "spot"})).await;

    // A take profit of the spot market binds coins at once.
    let trigger = (ask * dec!(1.5)).round_dp(1).to_string();
    let tpsl = with(order, json!({"orderFilter": "tpslOrder", "triggerPrice": trigger}));
    caller.place(tpsl.clone()).await;
    assert_eq!(caller.refused(CREATE, tpsl).await, 170_131);

    // A contract that its margin cannot carry.
    let leverage = json!({"category": "linear", "symbol": "ETHUSDT", "buyLeverage": "1", "sellLeverage": "1"});
    caller.write("/v5/position/set-leverage", leverage).await;
    let linear = bybit::public(&sandbox, "/v5/market/orderbook?category=linear&symbol=ETHUSDT&limit=1").await;
    let ask = number(&linear["a"][0][0]);
    let order = with(
        limit("linear", "ETHUSDT", "Buy", &(ask * dec!(1.01)).round_dp(1).to_string(), "100"),
        json!({"triggerPrice": ask.to_string(), "triggerDirection": 1}),
    );
    for _ in 0..20 {
        caller.place(order.clone()).await;
    }
    other.place(limit("linear", "ETHUSDT", "Buy", &ask.to_string(), "0.1")).await;
    let history = caller.read("/v5/order/history", "category=linear&orderStatus=Rejected").await;
    let rejected = history["list"].as_array().unwrap().len();
    assert!((1..20).contains(&rejected), "some are paid, and some are not: {rejected}");
}
