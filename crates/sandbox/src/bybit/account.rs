//! What an account sees of itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::category::Category;
use super::members::Member;
use super::order::text;
use super::read::Given;
use super::reply::{Outcome, Refusal};
use super::trading::Trading;
use super::wallet;

pub(super) fn info(now: i64) -> Outcome {
    Outcome::ok(json!({
        "unifiedMarginStatus": 6, "marginMode": "REGULAR_MARGIN", "isMasterTrader": false, "spotHedgingStatus": "OFF",
        "updatedTime": now.to_string(), "dcpStatus": "OFF", "timeWindow": 10, "smpGroup": 0,
    }))
}

pub(super) fn self_trade_group() -> Outcome {
    Outcome::ok(json!({"smpGroup": 0}))
}

pub(super) fn balance(trading: &Trading, members: &[Member], member: usize, given: &Given) -> Result<Outcome, Refusal> {
    if given.required("accountType")? != "UNIFIED" {
        return Err(Refusal::params("accountType only support UNIFIED."));
    }
    let coins: Option<Vec<&str>> = given.text("coin").map(|coins| coins.split(',').collect());
    let is_wanted = |coin: &str| coins.as_ref().is_none_or(|coins| coins.contains(&coin));
    Ok(Outcome::ok(json!({"list": [wallet::show(trading, members, member, is_wanted)]})))
}

/// The coins that can be held, each on one chain.
pub(super) fn coins(trading: &Trading, given: &Given) -> Outcome {
    let names: BTreeSet<&str> = trading.instruments.iter().flat_map(|one| [one.base, one.quote]).collect();
    let rows = names.into_iter().filter(|name| *name != "USD" && given.lets_in("coin", name)).map(|name| {
        let chain = if name == "BTC" { "BTC" } else { "ETH" };
        json!({"name": name, "coin": name, "remainAmount": "10000000", "chains": [{
            "chain": chain, "chainType": chain, "confirmation": "6", "withdrawFee": "0.001", "depositMin": "0",
            "withdrawMin": "0.001", "chainDeposit": "1", "chainWithdraw": "1", "minAccuracy": "8",
            "withdrawPercentageFee": "0", "contractAddress": "", "safeConfirmNumber": "12",
        }]})
    });
    Outcome::silent(json!({"rows": rows.collect::<Vec<Value>>()}))
}

pub(super) fn fees(trading: &Trading, given: &Given) -> Result<Outcome, Refusal> {
    let category = given.category()?;
    let meant = trading.of(category).map(|(_, one)| one);
    let meant = meant.filter(|one| given.lets_in("symbol", &one.symbol) && given.lets_in("baseCoin", one.base));
    let mut list: Vec<Value> = Vec::new();
    for one in meant {
        let by_coin = category == Category::Option;
        let shown = json!({
            "symbol": if by_coin { "" } else { &*one.symbol }, "baseCoin": if by_coin { one.base } else { "" },
            "takerFeeRate": text(one.taker_rate()), "makerFeeRate": text(one.maker_rate()),
        });
        if !list.contains(&shown) {
            list.push(shown);
        }
    }
    if list.is_empty() {
        return Err(Refusal::params("symbol invalid"));
    }
    Ok(Outcome::ok(json!({"category": category.name(), "list": list})))
}
