//! What an account holds, and what it may do.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::limits::Limits;
use super::members::{Key, Member};
use super::place::symbol;
use super::read::Given;
use super::reply::Refusal;
use super::settings::BinanceSettings;
use super::symbols::{MAKER_RATE, TAKER_RATE, eight, rate_limits};
use super::trading::Trading;
use super::transfers::WITHDRAWAL_FEE;

type Outcome = Result<Value, Refusal>;

/// The coins that the venue knows.
pub(super) fn coins(trading: &Trading) -> BTreeSet<&'static str> {
    trading.symbols.iter().flat_map(|symbol| [symbol.base, symbol.quote]).collect()
}

pub(super) fn account(trading: &Trading, members: &[Member], member: usize, key: &Key, given: &Given) -> Outcome {
    let omits_zero = given.flag("omitZeroBalances")? == Some(true);
    let balances = coins(trading).into_iter().filter_map(|coin| {
        let (free, locked) = trading.balance(members, member, coin);
        let is_zero = free.is_zero() && locked.is_zero();
        (!is_zero || !omits_zero).then(|| json!({"asset": coin, "free": eight(free), "locked": eight(locked)}))
    });
    let rate = |rate: Decimal| i64::try_from(rate * Decimal::from(10_000)).unwrap_or_default();
    Ok(json!({
        "makerCommission": rate(MAKER_RATE),
        "takerCommission": rate(TAKER_RATE),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": eight(MAKER_RATE),
            "taker": eight(TAKER_RATE),
            "buyer": eight(Decimal::ZERO),
            "seller": eight(Decimal::ZERO),
        },
        "canTrade": key.permissions.trading,
        "canWithdraw": key.permissions.withdrawals,
        "canDeposit": true,
        "brokered": false,
        "requireSelfTradePrevention": false,
        "preventSor": false,
        "updateTime": members[member].updated,
        "accountType": "SPOT",
        "balances": balances.collect::<Vec<Value>>(),
        "permissions": ["SPOT"],
        "uid": members[member].uid,
    }))
}

pub(super) fn commission(trading: &Trading, given: &Given) -> Outcome {
    let index = symbol(trading, given)?;
    let rates = |maker: Decimal, taker: Decimal| {
        let none = eight(Decimal::ZERO);
        json!({"maker": eight(maker), "taker": eight(taker), "buyer": none, "seller": none})
    };
    Ok(json!({
        "symbol": trading.symbols[index].name,
        "standardCommission": rates(MAKER_RATE, TAKER_RATE),
        "specialCommission": rates(Decimal::ZERO, Decimal::ZERO),
        "taxCommission": rates(Decimal::ZERO, Decimal::ZERO),
        "discount": {"enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB", "discount": eight(Decimal::ZERO)},
    }))
}

/// How many orders an account has placed, by window.
pub(super) fn order_rates(limits: &mut Limits, settings: &BinanceSettings, member: usize, now: i64) -> Value {
    let counts = limits.orders(member, now);
    let windows = rate_limits(settings).into_iter().filter(|limit| limit["rateLimitType"] == "ORDERS");
    let counted = windows.zip(counts).map(|(mut limit, count)| {
        limit["count"] = count.into();
        limit
    });
    counted.collect()
}

/// All assets of a wallet that holds any, as `getUserAsset` shows them.
pub(super) fn assets(trading: &Trading, members: &[Member], member: usize, given: &Given) -> Outcome {
    let wanted = given.text("asset");
    let shown = coins(trading).into_iter().filter(|coin| wanted.is_none_or(|wanted| wanted == *coin));
    let shown = shown.filter_map(|coin| {
        let (free, locked) = trading.balance(members, member, coin);
        let none = eight(Decimal::ZERO);
        (!free.is_zero() || !locked.is_zero()).then(|| {
            json!({
                "asset": coin,
                "free": eight(free),
                "locked": eight(locked),
                "freeze": none,
                "withdrawing": none,
                "ipoable": none,
                "btcValuation": none,
            })
        })
    });
    Ok(shown.collect())
}

/// The coins with what the account has of each. Each has one network, which is called as the coin is.
pub(super) fn all_coins(trading: &Trading, members: &[Member], member: usize) -> Value {
    let (none, fee) = (eight(Decimal::ZERO), eight(WITHDRAWAL_FEE));
    let shown = coins(trading).into_iter().map(|coin| {
        let (free, locked) = trading.balance(members, member, coin);
        let network = json!({
            "network": coin, "coin": coin, "name": coin, "isDefault": true, "depositEnable": true,
            "withdrawEnable": true, "depositDesc": "", "withdrawDesc": "", "specialTips": "", "specialWithdrawTips": "",
            "resetAddressStatus": false, "addressRegex": "^[A-Za-z0-9]{20,100}$", "memoRegex": "", "withdrawFee": fee,
            "withdrawMin": fee, "withdrawMax": eight(Decimal::from(1_000_000)), "withdrawInternalMin": fee,
            "depositDust": none, "withdrawIntegerMultiple": "0.00000001", "minConfirm": 1, "unLockConfirm": 1,
            "sameAddress": false, "withdrawTag": false, "estimatedArrivalTime": 1, "busy": false,
            "contractAddressUrl": "", "contractAddress": "",
        });
        json!({
            "coin": coin, "name": coin, "depositAllEnable": true, "withdrawAllEnable": true, "free": eight(free),
            "locked": eight(locked), "freeze": none, "withdrawing": none, "ipoing": none, "ipoable": none,
            "storage": none, "isLegalMoney": false, "trading": true, "networkList": [network],
        })
    });
    shown.collect()
}

/// Whether an account may trade: the sandbox locks none.
pub(super) fn trading_status(now: i64) -> Value {
    json!({"data": {
        "isLocked": false,
        "plannedRecoverTime": 0,
        "triggerCondition": {"GCR": 150, "IFER": 150, "UFR": 300},
        "updateTime": now,
    }})
}

pub(super) fn trade_fee(trading: &Trading, given: &Given) -> Outcome {
    let wanted = if given.has("symbol") { Some(symbol(trading, given)?) } else { None };
    let all = trading.symbols.iter().enumerate();
    let shown = all.filter(|(index, _)| wanted.is_none_or(|wanted| wanted == *index)).map(|(_, symbol)| {
        json!({
            "symbol": symbol.name,
            "makerCommission": MAKER_RATE.to_string(),
            "takerCommission": TAKER_RATE.to_string(),
        })
    });
    Ok(shown.collect())
}
