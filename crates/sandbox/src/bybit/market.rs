//! What everybody sees of the markets.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::candles::interval_named;
use super::category::Category;
use super::order::{side_name, text};
use super::read::Given;
use super::reply::{Outcome, Refusal};
use super::streams::BookFeed;
use super::trading::{PublicTrade, Trading};
use super::wishes;
use crate::exchange::Side;
use crate::paging::key;

const HOUR_MILLIS: i64 = 3_600_000;
const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;
const FUNDING_MILLIS: i64 = 8 * HOUR_MILLIS;

pub(super) fn time(now: i64) -> Outcome {
    // The clock has milliseconds; the rest of the nanoseconds is zero.
    let nanos = format!("{now}000000");
    Outcome::ok(json!({"timeSecond": now.div_euclid(1000).to_string(), "timeNano": nanos}))
}

pub(super) fn instruments(trading: &Trading, given: &Given, now: i64) -> Result<Outcome, Refusal> {
    let category = given.category()?;
    if let Some(symbol) = given.text("symbol")
        && trading.find(category, symbol).is_none()
    {
        return Err(Refusal::params("symbol invalid"));
    }
    let meant = trading.of(category).filter(|(_, one)| {
        given.lets_in("symbol", &one.symbol)
            && given.lets_in("baseCoin", one.base)
            && given.lets_in("status", if one.is_live(now) { "Trading" } else { "Closed" })
    });
    let (page, next) = if category == Category::Spot {
        // It has no pages.
        (meant.map(|(_, one)| one).collect(), String::new())
    } else {
        given.page(meant.map(|(index, one)| (key(index), one)), 500, 1000)?
    };
    let page: Vec<Value> = page.into_iter().map(|one| one.show(now)).collect();
    Ok(Outcome::ok(json!({"category": category.name(), "list": page, "nextPageCursor": next})))
}

/// What an instrument's ticker says, with the names of the lists.
pub(super) fn ticker(trading: &Trading, index: usize, now: i64) -> Map<String, Value> {
    let instrument = &trading.instruments[index];
    let trades = trading.trades.get(&index).map(Vec::as_slice).unwrap_or_default();
    let from = |age: i64| trades.partition_point(|trade| trade.time <= now - age);
    let day = &trades[from(DAY_MILLIS)..];
    let price_at = |age: i64| from(age).checked_sub(1).map_or(instrument.first_price, |at| trades[at].price);
    let (last, before) = (trading.last(index), price_at(DAY_MILLIS));
    let prices = day.iter().map(|trade| trade.price);
    let (high, low) = (prices.clone().max().unwrap_or(last), prices.min().unwrap_or(last));
    let volume: Decimal = day.iter().map(|trade| trade.qty).sum();
    let turnover: Decimal = day.iter().map(|trade| instrument.value(trade.price, trade.qty)).sum();
    let change = if before.is_zero() { Decimal::ZERO } else { ((last - before) / before).round_dp(6) };
    let best = |side: Side| match trading.best(index, side) {
        Some((price, qty)) => (instrument.show_price(price), instrument.show_qty(qty)),
        None => (String::new(), String::new()),
    };
    let (bid, ask) = (best(Side::Bid), best(Side::Ask));
    let book = trading.book(index).book(&instrument.symbol);
    let interest = book.map(|book| book.open_interest).unwrap_or_default();
    let shown = |price: Decimal| instrument.show_price(price);
    let index_price = trading.dollars(instrument.base);
    let mut fields = json!({
        "symbol": &*instrument.symbol, "lastPrice": shown(last), "bid1Price": bid.0, "bid1Size": bid.1,
        "ask1Price": ask.0, "ask1Size": ask.1, "highPrice24h": shown(high), "lowPrice24h": shown(low),
        "turnover24h": text(turnover), "volume24h": text(volume),
    });
    let more = match instrument.category {
        Category::Spot => json!({
            "prevPrice24h": shown(before), "price24hPcnt": text(change), "usdIndexPrice": text(index_price),
        }),
        Category::Option => json!({
            "bid1Iv": "0.5", "ask1Iv": "0.6", "markPrice": shown(trading.mark(index)), "indexPrice": text(index_price),
            "markIv": "0.55", "underlyingPrice": text(index_price), "openInterest": text(interest),
            "totalVolume": text(volume), "totalTurnover": text(turnover), "delta": "0.5", "gamma": "0.00001",
            "vega": "300.5", "theta": "-20.5", "predictedDeliveryPrice": "0", "change24h": text(change),
        }),
        Category::Linear | Category::Inverse => {
            let (is_future, next) = (instrument.delivery > 0, (now.div_euclid(FUNDING_MILLIS) + 1) * FUNDING_MILLIS);
            let of_perpetual = |value: &str| if is_future { String::new() } else { value.to_owned() };
            let value = instrument.value(last, interest);
            json!({
                "indexPrice": text(index_price), "markPrice": shown(trading.mark(index)),
                "prevPrice24h": shown(before), "price24hPcnt": text(change),
                "prevPrice1h": shown(price_at(HOUR_MILLIS)), "openInterest": text(interest),
                "openInterestValue": text(value), "fundingRate": of_perpetual("0.0001"),
                "nextFundingTime": if is_future { "0".to_owned() } else { next.to_string() },
                "fundingIntervalHour": of_perpetual("8"), "fundingCap": of_perpetual("0.005"),
                "predictedDeliveryPrice": "", "basisRate": "", "basis": "", "basisRateYear": "",
                "deliveryFeeRate": "", "deliveryTime": instrument.delivery.to_string(), "preOpenPrice": "",
                "preQty": "", "curPreListingPhase": "",
            })
        }
    };
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

pub(super) fn tickers(trading: &Trading, given: &Given, now: i64) -> Result<Outcome, Refusal> {
    let category = given.category()?;
    let symbol = given.text("symbol");
    if symbol.is_some_and(|symbol| trading.find(category, symbol).is_none()) {
        return Err(Refusal::params("symbol invalid"));
    }
    let meant = trading.of(category).filter(|(_, one)| {
        given.lets_in("symbol", &one.symbol) && (symbol.is_some() || given.lets_in("baseCoin", one.base))
    });
    let list: Vec<Value> = meant.map(|(index, _)| Value::Object(ticker(trading, index, now))).collect();
    Ok(Outcome::ok(json!({"category": category.name(), "list": list})))
}

/// Levels as the venue writes them, the best one first.
pub(super) fn levels(trading: &Trading, index: usize, levels: &[(Decimal, Decimal)], most: usize) -> Vec<[String; 2]> {
    let instrument = &trading.instruments[index];
    let show = |(price, qty): &(Decimal, Decimal)| {
        let qty = if qty.is_zero() { "0".to_owned() } else { instrument.show_qty(*qty) };
        [instrument.show_price(*price), qty]
    };
    levels.iter().take(most).map(show).collect()
}

/// The instrument of a request for a book, and how many levels of it are wanted; all where the product has no bound.
pub(super) fn book_request(trading: &Trading, given: &Given, whole: bool) -> Result<(usize, usize), Refusal> {
    let category = given.category()?;
    let symbol = given.required("symbol")?;
    let index = trading.find(category, symbol).ok_or_else(|| Refusal::params("symbol invalid"))?;
    let (usual, most) = match category {
        _ if whole => return Ok((index, usize::MAX)),
        Category::Linear | Category::Inverse => (25, 1000),
        Category::Spot => (1, 1000),
        Category::Option => (1, 25),
    };
    let limit = match given.integer("limit")? {
        None => usual,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=most).contains(limit))
            .ok_or_else(|| Refusal::params(format!("limit must be between 1 and {most}")))?,
    };
    Ok((index, limit))
}

/// A book, with the numbers of the stream that it compares with.
pub(super) fn book(trading: &Trading, index: usize, feed: &BookFeed, most: usize, now: i64) -> Outcome {
    Outcome::ok(json!({
        "s": &*trading.instruments[index].symbol, "b": levels(trading, index, &feed.bids, most),
        "a": levels(trading, index, &feed.asks, most), "ts": now, "u": feed.u, "seq": feed.seq, "cts": feed.cts,
    }))
}

pub(super) fn klines(trading: &Trading, given: &Given, now: i64, with_volume: bool) -> Result<Outcome, Refusal> {
    let category = match given.text("category") {
        None => Category::Linear,
        Some(_) => given.category()?,
    };
    let symbol = given.required("symbol")?;
    let index = trading.find(category, symbol).ok_or_else(|| Refusal::params("symbol invalid"))?;
    let interval = interval_named(given.required("interval")?);
    let interval = interval.ok_or_else(|| Refusal::params("interval invalid"))?;
    let limit = given.integer("limit")?.unwrap_or(200);
    let limit = usize::try_from(limit).ok().filter(|limit| (1..=1000).contains(limit));
    let limit = limit.ok_or_else(|| Refusal::params("limit must be between 1 and 1000"))?;
    let span = (given.integer("start")?, given.integer("end")?);
    let instrument = &trading.instruments[index];
    let show = |price: Decimal| instrument.show_price(price);
    let candles = trading.candles(index, interval, span, limit, now).into_iter().map(|candle| {
        let mut row =
            vec![candle.start.to_string(), show(candle.open), show(candle.high), show(candle.low), show(candle.close)];
        if with_volume {
            row.extend([text(candle.volume), text(candle.turnover)]);
        }
        row
    });
    let list: Vec<Vec<String>> = candles.collect();
    Ok(Outcome::ok(json!({"category": category.name(), "symbol": symbol, "list": list})))
}

/// The last trades of a symbol, or of all options of a coin.
pub(super) fn recent_trades(trading: &Trading, given: &Given) -> Result<Outcome, Refusal> {
    let category = given.category()?;
    let (usual, most) = if category == Category::Spot { (60, 60) } else { (500, 1000) };
    let limit = given.integer("limit")?.map_or(Ok(usual), |limit| {
        usize::try_from(limit).ok().filter(|limit| *limit > 0).ok_or_else(|| Refusal::params("limit invalid"))
    })?;
    let meant: Vec<usize> = match given.text("symbol") {
        Some(symbol) => vec![trading.find(category, symbol).ok_or_else(|| Refusal::params("symbol invalid"))?],
        None if category == Category::Option => {
            let is_wanted = |base: &str| given.text("baseCoin").unwrap_or("BTC") == base;
            trading.of(category).filter(|(_, one)| is_wanted(one.base)).map(|(index, _)| index).collect()
        }
        None => return Err(Refusal::params("symbol is required")),
    };
    let mut trades: Vec<(usize, &PublicTrade)> = meant
        .into_iter()
        .flat_map(|index| trading.trades.get(&index).into_iter().flatten().map(move |trade| (index, trade)))
        .collect();
    trades.sort_by_key(|(_, trade)| std::cmp::Reverse((trade.time, trade.seq)));
    let show = |(index, trade): (usize, &PublicTrade)| {
        let instrument = &trading.instruments[index];
        let mut shown = json!({
            "execId": trade.id, "symbol": &*instrument.symbol, "price": instrument.show_price(trade.price),
            "size": instrument.show_qty(trade.qty), "side": side_name(trade.side), "time": trade.time.to_string(),
            "isBlockTrade": false, "isRPITrade": false, "seq": trade.seq.to_string(),
        });
        if category == Category::Option {
            let base = text(trading.dollars(instrument.base));
            for (name, value) in [
                ("mP", instrument.show_price(trade.price)),
                ("iP", base),
                ("mIv", "0.55".into()),
                ("iv", "0.55".into()),
            ] {
                shown[name] = value.into();
            }
        }
        shown
    };
    let list: Vec<Value> = trades.into_iter().take(limit.min(most)).map(show).collect();
    Ok(Outcome::ok(json!({"category": category.name(), "list": list})))
}

/// The prices between which an order may lie.
pub(super) fn price_limit(trading: &Trading, given: &Given, now: i64) -> Result<Outcome, Refusal> {
    let category = given.text("category").map_or(Ok(Category::Linear), |_| given.category())?;
    let symbol = given.required("symbol")?;
    let index = trading.find(category, symbol).ok_or_else(|| Refusal::params("symbol invalid"))?;
    let mut shown = limits(trading, index);
    shown["ts"] = now.to_string().into();
    Ok(Outcome::ok(shown))
}

pub(super) fn limits(trading: &Trading, index: usize) -> Value {
    let instrument = &trading.instruments[index];
    let far = |side: Side| instrument.show_price(wishes::market_limit(trading, index, side));
    json!({"symbol": &*instrument.symbol, "buyLmt": far(Side::Bid), "sellLmt": far(Side::Ask)})
}
