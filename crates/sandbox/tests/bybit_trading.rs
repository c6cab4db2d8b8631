//! Bybit: orders, positions, wallets and transfers, and that all reads agree with them.

#[path = "common/bybit.rs"]
mod bybit;
mod common;

use bybit::{Caller, limit, market, number, public, two_accounts, with};
use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};

const CREATE: &str = "/v5/order/create";

async fn coin(caller: &Caller<'_>, coin: &str) -> Decimal {
    let account = caller.read("/v5/account/wallet-balance", "accountType=UNIFIED").await;
    let coins = account["list"][0]["coin"].as_array().unwrap().clone();
    coins.iter().find(|one| one["coin"] == coin).map_or(Decimal::ZERO, |one| number(&one["walletBalance"]))
}

async fn position(caller: &Caller<'_>, category: &str, symbol: &str) -> Value {
    caller.read("/v5/position/list", &format!("category={category}&symbol={symbol}")).await["list"][0].take()
}

async fn best(sandbox: &venuekit_sandbox::Sandbox, category: &str, symbol: &str) -> (Decimal, Decimal) {
    let book = public(sandbox, &format!("/v5/market/orderbook?category={category}&symbol={symbol}&limit=1")).await;
    (number(&book["b"][0][0]), number(&book["a"][0][0]))
}

#[tokio::test]
async fn a_limit_order_rests_is_amended_and_cancelled() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let order = with(limit("linear", "BTCUSDT", "Buy", "90000", "0.010"), json!({"orderLinkId": "mine-1"}));
    let id = caller.place(order.clone()).await;
    let shown = caller.order("linear", &id).await;
    assert_eq!(
        (&shown["orderStatus"], &shown["leavesQty"], &shown["price"]),
        (&json!("New"), &json!("0.010"), &json!("90000.00"))
    );
    assert_eq!(
        (&shown["rejectReason"], &shown["avgPrice"], &shown["timeInForce"]),
        (&json!("EC_NoError"), &json!(""), &json!("GTC"))
    );
    // The id is the caller's own once: a repetition is refused, in each product by its own code.
    assert_eq!(caller.refused(CREATE, order.clone()).await, 110_072);
    let in_spot = with(order.clone(), json!({"category": "spot"}));
    caller.write(CREATE, in_spot.clone()).await;
    assert_eq!(caller.refused(CREATE, in_spot).await, 170_141);
    Caller::given(&sandbox, 1).write(CREATE, order).await;

    let which = json!({"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "mine-1"});
    caller.write("/v5/order/amend", with(which.clone(), json!({"qty": "0.020", "price": "90100"}))).await;
    let shown = caller.order("linear", &id).await;
    assert_eq!(
        (&shown["qty"], &shown["price"], &shown["leavesQty"]),
        (&json!("0.020"), &json!("90100.00"), &json!("0.020"))
    );
    let same = with(which.clone(), json!({"price": "90100"}));
    assert_eq!(caller.refused("/v5/order/amend", same).await, 10001);

    let open = caller.read("/v5/order/realtime", "category=linear&symbol=BTCUSDT").await;
    assert_eq!(open["list"].as_array().unwrap().len(), 1);
    assert_eq!(caller.refused_read("/v5/order/realtime", "category=linear").await, 10001, "of which coin?");
    let cancelled = caller.write("/v5/order/cancel", which.clone()).await;
    assert_eq!(cancelled, json!({"orderId": id, "orderLinkId": "mine-1"}));
    assert_eq!(caller.refused("/v5/order/cancel", which).await, 110_010);
    let unknown = json!({"category": "linear", "symbol": "BTCUSDT", "orderId": "unknown"});
    assert_eq!(caller.refused("/v5/order/cancel", unknown.clone()).await, 110_001);
    assert_eq!(caller.refused("/v5/order/cancel", with(unknown, json!({"category": "spot"}))).await, 170_213);
    let history = caller.read("/v5/order/history", "category=linear").await;
    let last = &history["list"][0];
    assert_eq!((&last["orderStatus"], &last["cancelType"]), (&json!("Cancelled"), &json!("CancelByUser")));
    assert_eq!(caller.read("/v5/order/realtime", "category=linear&symbol=BTCUSDT").await["list"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_refused() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let linear = limit("linear", "BTCUSDT", "Buy", "90000", "0.010");
    let spot = limit("spot", "BTCUSDT", "Buy", "90000", "0.010");
    for (order, change, code) in [
        (&linear, json!({"symbol": "NOSUCH"}), 10001),
        (&spot, json!({"symbol": "NOSUCH"}), 170_121),
        (&linear, json!({"side": "buy"}), 10001),
        (&spot, json!({"side": "buy"}), 170_117),
        (&linear, json!({"price": "90000.05"}), 10001),
        (&spot, json!({"price": "90000.05"}), 170_134),
        (&linear, json!({"qty": "0.0001"}), 110_017),
        (&spot, json!({"qty": "0.0000001"}), 170_136),
        (&linear, json!({"qty": "0.0105"}), 10001),
        (&linear, json!({"qty": 0.01}), 10001),
        (&linear, json!({"qty": "0.001", "price": "100"}), 110_094),
        (&spot, json!({"qty": "0.000011", "price": "100"}), 170_140),
        (&linear, json!({"orderLinkId": "with space"}), 10001),
        (&linear, json!({"orderLinkId": "x".repeat(37)}), 10001),
        (&linear, json!({"timeInForce": "RPI"}), 110_119),
        (&linear, json!({"qty": "1000"}), 110_007),
        (&spot, json!({"qty": "80"}), 170_131),
        (&linear, json!({"category": "option", "symbol": "BTC-31DEC27-80000-C-USDT"}), 10001),
        (&linear, json!({"positionIdx": 1}), 10001),
    ] {
        let order = with(order.clone(), change.clone());
        assert_eq!(caller.refused(CREATE, order).await, code, "{change}");
    }
    assert!(!sandbox.executed().contains_key("bybit POST /v5/order/create"), "nothing was carried out");
}

#[tokio::test]
async fn a_market_order_opens_a_position_and_another_closes_it() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let before = coin(&caller, "USDT").await;
    let (_, ask) = best(&sandbox, "linear", "BTCUSDT").await;
    let id = caller.place(market("linear", "BTCUSDT", "Buy", "0.100")).await;
    let shown = caller.order("linear", &id).await;
    assert_eq!((&shown["orderStatus"], &shown["timeInForce"]), (&json!("Filled"), &json!("IOC")));
    assert_eq!(number(&shown["avgPrice"]), ask);
    let held = position(&caller, "linear", "BTCUSDT").await;
    assert_eq!((&held["side"], number(&held["size"]), number(&held["avgPrice"])), (&json!("Buy"), dec!(0.1), ask));
    let fee = ask * dec!(0.1) * dec!(0.00055);
    assert_eq!(number(&held["curRealisedPnl"]), -fee);
    assert_eq!(coin(&caller, "USDT").await, before - fee);
    let executions = caller.read("/v5/execution/list", "category=linear").await;
    let execution = &executions["list"][0];
    assert_eq!((&execution["orderId"], &execution["isMaker"]), (&json!(id), &json!(false)));
    assert_eq!((number(&execution["execFee"]), &execution["feeCurrency"]), (fee, &json!("USDT")));

    let (bid, _) = best(&sandbox, "linear", "BTCUSDT").await;
    let close = with(market("linear", "BTCUSDT", "Sell", "0.500"), json!({"reduceOnly": true}));
    let id = caller.place(close.clone()).await;
    assert_eq!(number(&caller.order("linear", &id).await["cumExecQty"]), dec!(0.1), "cut to the position");
    let held = position(&caller, "linear", "BTCUSDT").await;
    assert_eq!((&held["side"], number(&held["size"])), (&json!(""), Decimal::ZERO));
    let closed = caller.read("/v5/position/closed-pnl", "category=linear").await;
    let closed = &closed["list"][0];
    let close_fee = bid * dec!(0.1) * dec!(0.00055);
    let profit = (bid - ask) * dec!(0.1);
    assert_eq!(number(&closed["closedPnl"]), profit - fee - close_fee);
    assert_eq!((number(&closed["avgEntryPrice"]), number(&closed["avgExitPrice"])), (ask, bid));
    assert_eq!(coin(&caller, "USDT").await, before + profit - fee - close_fee);
    assert_eq!(caller.refused(CREATE, close).await, 110_017, "there is nothing to reduce");
}

#[tokio::test]
async fn an_inverse_position_is_settled_in_coins() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let before = coin(&caller, "BTC").await;
    let (_, ask) = best(&sandbox, "inverse", "BTCUSD").await;
    caller.place(market("inverse", "BTCUSD", "Buy", "9000")).await;
    let value = (dec!(9000) / ask).round_dp(8);
    let held = position(&caller, "inverse", "BTCUSD").await;
    assert_eq!(number(&held["positionValue"]), value);
    assert_eq!(coin(&caller, "BTC").await, before - (value * dec!(0.00055)).round_dp(10));
}

#[tokio::test]
async fn spot_exchanges_two_coins() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let (usdt, btc) = (coin(&caller, "USDT").await, coin(&caller, "BTC").await);
    let (_, ask) = best(&sandbox, "spot", "BTCUSDT").await;
    // Without a unit a market order that buys says what it spends.
    let id = caller.place(market("spot", "BTCUSDT", "Buy", "1000")).await;
    let shown = caller.order("spot", &id).await;
    let qty = (dec!(1000) / ask * dec!(1000000)).floor() / dec!(1000000);
    assert_eq!((number(&shown["cumExecQty"]), &shown["orderStatus"]), (qty, &json!("Filled")));
    assert_eq!(
        coin(&caller, "BTC").await,
        btc + qty - (qty * dec!(0.001)).round_dp(10),
        "the fee is in what is bought"
    );
    assert_eq!(coin(&caller, "USDT").await, usdt - qty * ask);
    let (bid, _) = best(&sandbox, "spot", "BTCUSDT").await;
    let usdt = coin(&caller, "USDT").await;
    caller.place(market("spot", "BTCUSDT", "Sell", "0.01")).await;
    assert_eq!(coin(&caller, "USDT").await, usdt + bid * dec!(0.01) * dec!(0.999));
    let resting = caller.place(limit("spot", "BTCUSDT", "Buy", "90000", "0.1")).await;
    let account = caller.read("/v5/account/wallet-balance", "accountType=UNIFIED&coin=USDT").await;
    assert_eq!(number(&account["list"][0]["coin"][0]["locked"]), dec!(9000));
    caller.write("/v5/order/cancel", json!({"category": "spot", "symbol": "BTCUSDT", "orderId": resting})).await;
    assert_eq!(caller.refused(CREATE, market("spot", "BTCUSDT", "Sell", "80")).await, 170_131);
    let none = caller.read("/v5/order/realtime", "category=spot").await;
    assert_eq!(none["list"], json!([]));
}

#[tokio::test]
async fn time_in_force_decides_what_rests() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let (bid, ask) = best(&sandbox, "linear", "BTCUSDT").await;
    let placed = async |price: Decimal, qty: &str, force: &str| {
        let order = limit("linear", "BTCUSDT", "Buy", &price.to_string(), qty);
        let id = caller.place(with(order, json!({"timeInForce": force}))).await;
        caller.order("linear", &id).await
    };
    let shown = placed(ask, "0.001", "PostOnly").await;
    assert_eq!(
        (&shown["orderStatus"], &shown["rejectReason"]),
        (&json!("Cancelled"), &json!("EC_PostOnlyWillTakeLiquidity"))
    );
    assert_eq!(placed(bid, "0.001", "PostOnly").await["orderStatus"], "New");
    let shown = placed(bid, "0.001", "IOC").await;
    assert_eq!(
        (&shown["orderStatus"], &shown["rejectReason"]),
        (&json!("Cancelled"), &json!("EC_NoImmediateQtyToFill"))
    );
    let shown = placed(ask, "1.000", "IOC").await;
    assert_eq!((&shown["orderStatus"], number(&shown["cumExecQty"])), (&json!("Cancelled"), dec!(0.5)));
    let (_, ask) = best(&sandbox, "linear", "BTCUSDT").await;
    let shown = placed(ask, "1.000", "FOK").await;
    assert_eq!((&shown["orderStatus"], number(&shown["cumExecQty"])), (&json!("Cancelled"), Decimal::ZERO));
    assert_eq!(placed(ask, "0.200", "FOK").await["orderStatus"], "Filled");
    assert_eq!(placed(ask, "0.500", "GTC").await["orderStatus"], "PartiallyFilled");
}

#[tokio::test]
async fn two_accounts_trade_with_each_other() {
    let sandbox = two_accounts().await;
    let (maker, taker) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let (bid, ask) = best(&sandbox, "linear", "ETHUSDT").await;
    let price = ((bid + ask) / dec!(2)).to_string();
    let resting = maker.place(limit("linear", "ETHUSDT", "Sell", &price, "3.00")).await;
    let id = taker.place(limit("linear", "ETHUSDT", "Buy", &price, "1.00")).await;
    assert_eq!(taker.order("linear", &id).await["orderStatus"], "Filled");
    let shown = maker.order("linear", &resting).await;
    assert_eq!((&shown["orderStatus"], &shown["leavesQty"]), (&json!("PartiallyFilled"), &json!("2.00")));
    let of = async |caller: &Caller<'_>| caller.read("/v5/execution/list", "category=linear").await["list"][0].take();
    let (made, taken) = (of(&maker).await, of(&taker).await);
    assert_eq!((&made["isMaker"], &taken["isMaker"]), (&json!(true), &json!(false)));
    assert_eq!(made["seq"], taken["seq"], "of one trade");
    assert_ne!(made["execId"], taken["execId"]);
    assert_eq!(position(&maker, "linear", "ETHUSDT").await["side"], "Sell");
    let trades = public(&sandbox, "/v5/market/recent-trade?category=linear&symbol=ETHUSDT&limit=1").await;
    let trade = &trades["list"][0];
    assert_eq!((&trade["execId"], &trade["side"], &trade["size"]), (&taken["execId"], &json!("Buy"), &json!("1.00")));
    let ticker = public(&sandbox, "/v5/market/tickers?category=linear&symbol=ETHUSDT").await;
    assert_eq!(number(&ticker["list"][0]["lastPrice"]), price.parse().unwrap());
    let candles = public(&sandbox, "/v5/market/kline?category=linear&symbol=ETHUSDT&interval=5&limit=2").await;
    assert_eq!(number(&candles["list"][0][4]), price.parse().unwrap(), "the newest candle closes there");
}

#[tokio::test]
async fn an_own_order_may_be_met_or_not() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let (bid, ask) = best(&sandbox, "linear", "ETHUSDT").await;
    let price = ((bid + ask) / dec!(2)).to_string();
    for (kind, taker, maker) in [
        ("None", "Filled", "Filled"),
        ("CancelMaker", "New", "Cancelled"),
        ("CancelTaker", "Cancelled", "New"),
        ("CancelBoth", "Cancelled", "Cancelled"),
    ] {
        let resting = caller.place(limit("linear", "ETHUSDT", "Sell", &price, "1.00")).await;
        let order = with(limit("linear", "ETHUSDT", "Buy", &price, "1.00"), json!({"smpType": kind}));
        let id = caller.place(order).await;
        let status = async |id: &str| caller.order("linear", id).await["orderStatus"].take();
        assert_eq!((status(&id).await, status(&resting).await), (json!(taker), json!(maker)), "{kind}");
        caller.write("/v5/order/cancel-all", json!({"category": "linear", "symbol": "ETHUSDT"})).await;
    }
}

#[tokio::test]
async fn a_batch_says_what_each_item_came_to() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let item = |price: &str, link: &str| {
        let mut item = limit("linear", "BTCUSDT", "Buy", price, "0.001");
        item["orderLinkId"] = json!(link);
        item
    };
    let request = json!([item("90000", "a"), item("90000", "a"), item("90000.03", "b"), item("90001", "c")]);
    let body = json!({"category": "linear", "request": request}).to_string();
    let headers = caller.headers(common::now_millis(), "5000", &body);
    let answer = common::send(&sandbox, "POST", "/v5/order/create-batch", &headers, &body).await.expect(200);
    assert_eq!(answer["retCode"], 0, "although not all were accepted");
    let codes: Vec<_> =
        answer["retExtInfo"]["list"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
    assert_eq!(codes, [json!(0), json!(110_072), json!(10001), json!(0)]);
    let list = answer["result"]["list"].as_array().unwrap();
    let ids: Vec<bool> = list.iter().map(|one| one["orderId"].as_str().unwrap().is_empty()).collect();
    assert_eq!(ids, [false, true, true, false]);
    let amend = json!({"category": "linear", "request": [{"symbol": "BTCUSDT", "orderLinkId": "a", "qty": "0.002"}]});
    caller.write("/v5/order/amend-batch", amend).await;
    let open = caller.read("/v5/order/realtime", "category=linear&symbol=BTCUSDT&orderLinkId=a").await;
    assert_eq!(open["list"][0]["qty"], "0.002");
    let cancel = json!({"category": "linear", "request": [
        {"symbol": "BTCUSDT", "orderLinkId": "a"}, {"symbol": "BTCUSDT", "orderLinkId": "b"},
    ]});
    caller.write("/v5/order/cancel-batch", cancel).await;
    let left = caller.write("/v5/order/cancel-all", json!({"category": "linear", "settleCoin": "USDT"})).await;
    assert_eq!(left["list"].as_array().unwrap().len(), 1);
    let many: Vec<Value> = (0..11).map(|_| json!({"symbol": "BTCUSDT"})).collect();
    let too_many = json!({"category": "spot", "request": many});
    assert_eq!(caller.refused("/v5/order/create-batch", too_many).await, 10001);
}

#[tokio::test]
async fn a_conditional_order_waits_for_its_price() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let stop =
        with(market("linear", "BTCUSDT", "Buy", "0.010"), json!({"triggerPrice": "95003", "triggerDirection": 1}));
    let id = caller.place(stop.clone()).await;
    let shown = caller.order("linear", &id).await;
    assert_eq!((&shown["orderStatus"], &shown["stopOrderType"]), (&json!("Untriggered"), &json!("Stop")));
    let falling = with(stop, json!({"triggerDirection": 2}));
    assert_eq!(caller.refused(CREATE, falling).await, 110_093);
    assert!(sandbox.bybit_quote(("linear", "BTCUSDT"), false, dec!(95003), dec!(0)));
    // Somebody trades through the levels below.
    Caller::given(&sandbox, 1).place(limit("linear", "BTCUSDT", "Buy", "95003", "30.000")).await;
    let untriggered = caller.order("linear", &id).await["orderStatus"].take();
    assert_eq!(untriggered, "Untriggered", "no trade at that price");
    Caller::given(&sandbox, 1).place(market("linear", "BTCUSDT", "Buy", "1.000")).await;
    assert_eq!(caller.order("linear", &id).await["orderStatus"], "Filled");
    let late =
        with(market("linear", "BTCUSDT", "Sell", "0.010"), json!({"triggerPrice": "90000", "triggerDirection": 2}));
    let id = caller.place(late).await;
    caller.write("/v5/order/cancel", json!({"category": "linear", "symbol": "BTCUSDT", "orderId": id})).await;
    assert_eq!(caller.order("linear", &id).await["orderStatus"], "Deactivated");
}

#[tokio::test]
async fn leverage_decides_what_is_bound() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let bound = async || {
        let account = caller.read("/v5/account/wallet-balance", "accountType=UNIFIED").await;
        number(&account["list"][0]["totalInitialMargin"])
    };
    let set = |leverage: &str| json!({"category": "linear", "symbol": "BTCUSDT", "buyLeverage": leverage, "sellLeverage": leverage});
    assert_eq!(caller.refused("/v5/position/set-leverage", set("10")).await, 110_043, "that it has already");
    assert_eq!(caller.refused("/v5/position/set-leverage", set("101")).await, 110_013);
    caller.place(limit("linear", "BTCUSDT", "Buy", "90000", "1.000")).await;
    assert_eq!(bound().await, dec!(9000));
    caller.write("/v5/position/set-leverage", set("20")).await;
    assert_eq!(bound().await, dec!(4500));
    assert_eq!(position(&caller, "linear", "BTCUSDT").await["leverage"], "20");
}

#[tokio::test]
async fn a_transfer_has_effect_once() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let path = "/v5/asset/transfer/inter-transfer";
    let transfer = |id: &str, amount: &str| {
        json!({
            "transferId": id, "coin": "USDT", "amount": amount, "fromAccountType": "UNIFIED", "toAccountType": "FUND",
        })
    };
    let id = "0d4d4f16-1f0c-4a8f-9f0c-0d4d4f161f0c";
    let before = coin(&caller, "USDT").await;
    let done = caller.write(path, transfer(id, "250.5")).await;
    assert_eq!(done, json!({"transferId": id, "status": "SUCCESS"}));
    assert_eq!(caller.refused(path, transfer(id, "250.5")).await, 131_214);
    assert_eq!(coin(&caller, "USDT").await, before - dec!(250.5));
    let fund = caller.read("/v5/asset/transfer/query-account-coin-balance", "accountType=FUND&coin=USDT").await;
    assert_eq!(number(&fund["balance"]["walletBalance"]), dec!(100250.5));
    let listed = caller.read("/v5/asset/transfer/query-inter-transfer-list", &format!("transferId={id}")).await;
    assert_eq!((&listed["list"][0]["amount"], &listed["list"][0]["toAccountType"]), (&json!("250.5"), &json!("FUND")));
    let other = "1d4d4f16-1f0c-4a8f-9f0c-0d4d4f161f0c";
    assert_eq!(caller.refused(path, transfer("not-a-uuid", "1")).await, 131_203);
    assert_eq!(caller.refused(path, transfer(other, "100000000")).await, 131_212);
    assert_eq!(caller.refused(path, transfer(other, "0")).await, 131_215);
    let same = with(transfer(other, "1"), json!({"toAccountType": "UNIFIED"}));
    assert_eq!(caller.refused(path, same).await, 131_211);

    let created = caller.write("/v5/user/create-sub-member", json!({"username": "trader01", "memberType": 1})).await;
    let uid: i64 = created["uid"].as_str().unwrap().parse().unwrap();
    let own = caller.read("/v5/user/query-api", "").await["userID"].take();
    let between = json!({
        "transferId": other, "coin": "BTC", "amount": "0.5", "fromMemberId": own, "toMemberId": uid,
        "fromAccountType": "UNIFIED", "toAccountType": "UNIFIED",
    });
    caller.write("/v5/asset/transfer/universal-transfer", between).await;
    let query = format!("memberId={uid}&accountType=UNIFIED");
    let sub = caller.read("/v5/asset/transfer/query-account-coins-balance", &query).await;
    assert_eq!((&sub["balance"][0]["coin"], &sub["balance"][0]["walletBalance"]), (&json!("BTC"), &json!("0.5")));
    let delete = json!({"subMemberId": uid.to_string()});
    assert_eq!(caller.refused("/v5/user/del-submember", delete).await, 10001, "it still holds something");
}

#[tokio::test]
async fn options_and_market_data_are_served() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let order = with(market("option", "BTC-31DEC27-80000-C-USDT", "Buy", "0.50"), json!({"orderLinkId": "option-1"}));
    let id = caller.place(order).await;
    assert_eq!(caller.order("option", &id).await["orderStatus"], "Filled");
    assert_eq!(position(&caller, "option", "BTC-31DEC27-80000-C-USDT").await["size"], "0.5");
    for category in ["linear", "inverse", "spot", "option"] {
        let instruments = public(&sandbox, &format!("/v5/market/instruments-info?category={category}")).await;
        let symbol = instruments["list"][0]["symbol"].as_str().unwrap().to_owned();
        let tickers = public(&sandbox, &format!("/v5/market/tickers?category={category}&symbol={symbol}")).await;
        let book =
            public(&sandbox, &format!("/v5/market/orderbook?category={category}&symbol={symbol}&limit=25")).await;
        assert_eq!(tickers["list"][0]["bid1Price"], book["b"][0][0], "{category}");
        assert_eq!((book["b"].as_array().unwrap().len(), &book["s"]), (25, &json!(symbol)));
        let trades = public(&sandbox, &format!("/v5/market/recent-trade?category={category}&symbol={symbol}")).await;
        let times: Vec<&str> =
            trades["list"].as_array().unwrap().iter().map(|one| one["time"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|one, next| one >= next) && times.len() >= 60, "{category}");
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page =
            public(&sandbox, &format!("/v5/market/instruments-info?category=linear&limit=1&cursor={cursor}")).await;
        seen.push(page["list"][0]["symbol"].clone());
        cursor = page["nextPageCursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
    let candles = public(&sandbox, "/v5/market/kline?category=spot&symbol=BTCUSDT&interval=60&limit=24").await;
    let candles = candles["list"].as_array().unwrap();
    assert_eq!(candles.len(), 24);
    for candle in candles {
        let at = |index: usize| number(&candle[index]);
        assert!(at(3) <= at(1).min(at(4)) && at(2) >= at(1).max(at(4)), "{candle}");
    }
}
