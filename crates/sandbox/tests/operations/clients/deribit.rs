//! The typed client of Deribit refuses a response that lacks what its own schema requires.

use serde_json::{Value, json};

use crate::call::Caller;

const NAME: &str = "BTC-PERPETUAL";

async fn result(caller: &Caller, method: &str, params: Value) -> Value {
    caller.call(method, json!({"body": params, "needed": params})).await["result"].take()
}

#[tokio::test]
async fn a_list_of_settlements_says_that_it_ends() {
    let caller = Caller::new("deribit").await;
    for (method, params) in [
        ("public/get_last_settlements_by_currency", json!({"currency": "BTC"})),
        ("public/get_last_settlements_by_instrument", json!({"instrument_name": NAME})),
        ("private/get_settlement_history_by_currency", json!({"currency": "BTC"})),
        ("private/get_settlement_history_by_instrument", json!({"instrument_name": NAME})),
    ] {
        assert_eq!(
            result(&caller, method, params).await,
            json!({"settlements": [], "continuation": "none"}),
            "{method}"
        );
    }
}

#[tokio::test]
async fn the_history_of_triggers_says_what_each_one_places() {
    let caller = Caller::new("deribit").await;
    let stop = |more: Value| {
        let mut params = json!({
            "instrument_name": NAME, "amount": 100, "trigger_price": 50000, "trigger": "last_price", "label": "stop",
        });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    for more in [json!({"type": "stop_market"}), json!({"type": "stop_limit", "price": 49000})] {
        let call = json!({"body": {"price": null}, "needed": stop(more)});
        caller.call("private/sell", call).await;
    }
    result(&caller, "private/cancel_all", json!({})).await;
    let history = result(&caller, "private/get_trigger_order_history", json!({"currency": "BTC"})).await;
    let entries = history["entries"].as_array().unwrap();
    let of = |kind: &str| entries.iter().filter(|entry| entry["order_type"] == kind).count();
    assert_eq!((of("market"), of("limit")), (2, 2), "{entries:#?}");
    // Null, and there: what never fired has placed nothing.
    assert!(entries.iter().all(|entry| entry.get("order_id") == Some(&Value::Null)), "{entries:#?}");
}

#[tokio::test]
async fn examples_have_rows_of_the_right_length_and_words_that_are_known() {
    let caller = Caller::new("deribit").await;
    let candles = result(&caller, "public/get_volatility_index_data", json!({})).await;
    let row = candles["data"][0].as_array().unwrap();
    assert_eq!(row.len(), 5, "{row:?}");
    let points = result(&caller, "public/get_historical_volatility", json!({})).await;
    for time in [&row[0], &points[0][0]] {
        assert!(time.as_i64().is_some_and(|time| time > 1_600_000_000_000), "{time}");
    }
    let known = ["open", "filled", "traded", "cancelled", "expired", "closed"];
    let requests = result(&caller, "private/get_block_rfqs", json!({})).await;
    assert!(known.contains(&requests["block_rfqs"][0]["state"].as_str().unwrap()), "{requests:#}");
}
