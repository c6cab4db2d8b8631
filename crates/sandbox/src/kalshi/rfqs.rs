//! Requests for quotes, and the quotes on them. One that is executed is a trade between the two.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::error::Refusal;
use super::read::{Query, count, dollars, fixed_point};
use super::state::State;
use super::streams::Event;
use crate::clock::rfc3339;
use crate::exchange::{Owner, Side};
use crate::make::uuid;
use crate::message::{Reply, Request};
use crate::paging::newest_first;

const MOST_OPEN: usize = 100;

/// A request or a quote.
struct Entry {
    owner: Owner,
    /// The owner of the request that a quote is on.
    asker: Owner,
    /// The event of its market, which is filtered by and not shown.
    event: String,
    /// As it is shown.
    json: Value,
}

/// Both kinds, in the order of arrival.
#[derive(Default)]
pub(super) struct Rfqs {
    rfqs: Vec<Entry>,
    quotes: Vec<Entry>,
    /// What has happened and was not sent yet.
    happened: Vec<Event>,
}

impl Rfqs {
    /// What has happened since this was asked last.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.happened)
    }

    /// Notes what has become of a request.
    fn note_rfq(&mut self, kind: &'static str, index: usize, time: &str, now: i64) {
        let rfq = &self.rfqs[index];
        let more = json!({"event_ticker": rfq.event, time: rfc3339(now)});
        self.happened.push(Event::of_quotes(kind, vec![rfq.owner], &rfq.json, more));
    }

    /// Notes what has become of a quote. The two parties are notified.
    fn note_quote(&mut self, kind: &'static str, index: usize, mut more: Value) {
        let quote = &self.quotes[index];
        for bid in ["yes_bid_dollars", "no_bid_dollars"] {
            more[bid] = quote.json[bid].clone();
        }
        for (offered, bid) in
            [("yes_contracts_offered_fp", "yes_bid_dollars"), ("no_contracts_offered_fp", "no_bid_dollars")]
        {
            let has_bid =
                quote.json[bid].as_str().and_then(|text| fixed_point(text, 8)).is_some_and(|bid| !bid.is_zero());
            more[offered] = if has_bid { quote.json["contracts_fp"].clone() } else { count(Decimal::ZERO).into() };
        }
        if let Some(cost) = quote.json.get("rfq_target_cost_dollars") {
            more["rfq_target_cost_dollars"] = cost.clone();
        }
        more["event_ticker"] = quote.event.as_str().into();
        self.happened.push(Event::of_quotes(kind, vec![quote.owner, quote.asker], &quote.json, more));
    }

    fn rfq(&self, id: &str) -> Result<usize, Refusal> {
        self.rfqs.iter().position(|rfq| rfq.json["id"] == id).ok_or_else(Refusal::not_found)
    }

    /// A quote that the caller has made or got; on its older path without the request that it belongs to.
    fn quote(&self, call: &Call) -> Result<usize, Refusal> {
        let (rfq_id, id) = (call.given.in_path("rfq_id"), call.given.in_path("quote_id"));
        let wanted = |quote: &Entry| {
            quote.json["id"] == id
                && (rfq_id.is_empty() || quote.json["rfq_id"] == rfq_id)
                && (call.sees(quote.owner) || call.sees(quote.asker))
        };
        self.quotes.iter().position(wanted).ok_or_else(Refusal::not_found)
    }

    /// Ends a request, and the quotes on it that are still open.
    fn close(&mut self, index: usize, now: i64) {
        self.note_rfq("rfq_deleted", index, "deleted_ts", now);
        let rfq = &mut self.rfqs[index].json;
        rfq["status"] = "closed".into();
        rfq["updated_ts"] = rfc3339(now).into();
        rfq["cancelled_ts"] = rfc3339(now).into();
        let id = rfq["id"].clone();
        let quotes = self.quotes.iter_mut().map(|quote| &mut quote.json);
        for quote in quotes.filter(|quote| quote["rfq_id"] == id && quote["status"] == "open") {
            quote["status"] = "cancelled".into();
            quote["cancelled_ts"] = rfc3339(now).into();
        }
    }
}

pub(super) fn id(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::json(200, &json!({"communications_id": state.users[call.user()?]})))
}

pub(super) fn create(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let new = body(call.request);
    let ticker = new["market_ticker"].as_str().unwrap_or_default();
    let market = state.market(ticker).ok_or_else(|| Refusal::new(404, "market_not_found"))?;
    let by_contracts = new.contains_key("contracts") || new.contains_key("contracts_fp");
    let by_cost = new.contains_key("target_cost_dollars") || new.contains_key("target_cost_centi_cents");
    if by_contracts == by_cost {
        return Err(Refusal::invalid("body: either contracts_fp or target_cost_dollars is required, not both"));
    }
    let owner = call.owner(new.get("subaccount").and_then(Value::as_i64))?;
    let is_open = |rfq: &Entry| rfq.owner.user == owner.user && rfq.json["status"] == "open";
    if state.rfqs.rfqs.iter().filter(|rfq| is_open(rfq)).count() >= MOST_OPEN {
        return Err(Refusal::invalid("no more than 100 requests may be open"));
    }
    let older = state.rfqs.rfqs.iter().position(|rfq| is_open(rfq) && rfq.json["market_ticker"] == ticker);
    if older.is_some() && new.get("replace_existing") != Some(&json!(true)) {
        return Err(Refusal::detailed(409, "already_exists", "a request is open on this market"));
    }
    let whole = |name: &str| new.get(name).and_then(Value::as_i64).unwrap_or_default();
    let exact = |name: &str| new.get(name).and_then(Value::as_str).and_then(|text| fixed_point(text, 4));
    let contracts = exact("contracts_fp").unwrap_or_else(|| whole("contracts").into());
    let user = &state.users[owner.user];
    let event = market.event_ticker.to_string();
    let mut rfq = json!({
        "id": uuid(),
        "creator_id": user,
        "creator_user_id": user,
        "creator_subaccount": owner.subaccount,
        "market_ticker": ticker,
        "contracts_fp": count(contracts),
        "rest_remainder": new["rest_remainder"],
        "status": "open",
        "created_ts": rfc3339(call.now),
        "updated_ts": rfc3339(call.now),
    });
    let cost = exact("target_cost_dollars").or_else(|| {
        new.contains_key("target_cost_centi_cents").then(|| Decimal::new(whole("target_cost_centi_cents"), 4))
    });
    if let Some(cost) = cost {
        rfq["target_cost_dollars"] = dollars(cost).into();
    }
    if let Some(index) = older {
        state.rfqs.close(index, call.now);
    }
    let reply = Reply::json(201, &json!({"id": rfq["id"]}));
    state.rfqs.rfqs.push(Entry { owner, asker: owner, event, json: rfq });
    state.rfqs.note_rfq("rfq_created", state.rfqs.rfqs.len() - 1, "created_ts", call.now);
    Ok(reply)
}

pub(super) fn list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let subaccount = query.integer("subaccount")?;
    let own = query.one_of("user_filter", &["self"])?.is_some() || subaccount.is_some();
    let mine = newest_first(&state.rfqs.rfqs).filter(|(_, rfq)| {
        (!own || call.sees(rfq.owner))
            && subaccount.is_none_or(|number| rfq.owner.subaccount == number)
            && query.text("event_ticker").is_none_or(|wanted| rfq.event == wanted)
    });
    page(&query, mine, "rfqs", &["status", "market_ticker", "creator_user_id"], 100)
}

pub(super) fn get(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let index = state.rfqs.rfq(call.given.in_path("rfq_id"))?;
    Ok(Reply::json(200, &json!({"rfq": state.rfqs.rfqs[index].json})))
}

pub(super) fn delete(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let index = state.rfqs.rfq(call.given.in_path("rfq_id"))?;
    if !call.sees(state.rfqs.rfqs[index].owner) {
        return Err(Refusal::not_found());
    }
    state.rfqs.close(index, call.now);
    Ok(Reply::empty(204))
}

pub(super) fn create_quote(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let new = body(call.request);
    let rfq = &state.rfqs.rfqs[state.rfqs.rfq(new["rfq_id"].as_str().unwrap_or_default())?];
    if rfq.json["status"] != "open" {
        return Err(Refusal::invalid("body/rfq_id: must be a request that is open"));
    }
    let bid = |name: &str| {
        let bid = new[name].as_str().and_then(|text| fixed_point(text, 4)).filter(|bid| *bid <= Decimal::ONE);
        bid.ok_or_else(|| Refusal::invalid(&format!("body/{name}: must be dollars with at most 4 decimals, 1 at most")))
    };
    let (yes, no) = (bid("yes_bid")?, bid("no_bid")?);
    if yes + no > Decimal::ONE {
        return Err(Refusal::invalid("body: yes_bid and no_bid are one dollar at most together"));
    }
    let owner = call.owner(new.get("subaccount").and_then(Value::as_i64))?;
    let user = &state.users[owner.user];
    let mut quote = json!({
        "id": uuid(),
        "rfq_id": rfq.json["id"],
        "creator_id": user,
        "creator_user_id": user,
        "creator_subaccount": owner.subaccount,
        "rfq_creator_id": rfq.json["creator_id"],
        "rfq_creator_user_id": rfq.json["creator_id"],
        "market_ticker": rfq.json["market_ticker"],
        "contracts_fp": rfq.json["contracts_fp"],
        "yes_bid_dollars": dollars(yes),
        "no_bid_dollars": dollars(no),
        "rest_remainder": new["rest_remainder"],
        "post_only": new.get("post_only").is_some_and(|value| *value == true),
        "status": "open",
        "created_ts": rfc3339(call.now),
        "updated_ts": rfc3339(call.now),
    });
    if let Some(cost) = rfq.json.get("target_cost_dollars") {
        quote["rfq_target_cost_dollars"] = cost.clone();
    }
    let reply = Reply::json(201, &json!({"id": quote["id"]}));
    let (asker, event) = (rfq.owner, rfq.event.clone());
    state.rfqs.quotes.push(Entry { owner, asker, event, json: quote });
    state.rfqs.note_quote("quote_created", state.rfqs.quotes.len() - 1, json!({"created_ts": rfc3339(call.now)}));
    Ok(reply)
}

pub(super) fn quotes(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let made = query.one_of("user_filter", &["self"])?.is_some();
    let got = query.one_of("rfq_user_filter", &["self"])?.is_some();
    let visible = newest_first(&state.rfqs.quotes).filter(|(_, quote)| {
        (call.sees(quote.owner) || call.sees(quote.asker))
            && (!made || call.sees(quote.owner))
            && (!got || call.sees(quote.asker))
    });
    page(&query, visible, "quotes", &["status", "rfq_id"], 500)
}

pub(super) fn quote(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let index = state.rfqs.quote(call)?;
    Ok(Reply::json(200, &json!({"quote": state.rfqs.quotes[index].json})))
}

pub(super) fn delete_quote(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let index = state.rfqs.quote(call)?;
    let quote = &mut state.rfqs.quotes[index];
    owned(call, quote.owner)?;
    advance(&mut quote.json, &["open", "accepted"], "cancelled", call.now)
}

pub(super) fn accept(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let index = state.rfqs.quote(call)?;
    let quote = &mut state.rfqs.quotes[index];
    owned(call, quote.asker)?;
    let side = body(call.request)["accepted_side"].clone();
    if price_of(&quote.json, &side).is_zero() {
        return Err(Refusal::invalid("body/accepted_side: the quote has no bid on this side"));
    }
    let reply = advance(&mut quote.json, &["open"], "accepted", call.now)?;
    quote.json["accepted_side"] = side.clone();
    let accepted = quote.json["contracts_fp"].clone();
    state.rfqs.note_quote("quote_accepted", index, json!({"accepted_side": side, "contracts_accepted_fp": accepted}));
    Ok(reply)
}

/// Confirms a quote and executes it. The timer before that is not waited for.
pub(super) fn confirm(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let index = state.rfqs.quote(call)?;
    let quote = &mut state.rfqs.quotes[index];
    owned(call, quote.owner)?;
    let mut json = quote.json.clone();
    let reply = advance(&mut json, &["accepted"], "confirmed", call.now)?;
    let (asker_order, maker_order) = execute(state, call, index)?;
    advance(&mut json, &["confirmed"], "executed", call.now)?;
    json["rfq_creator_order_id"] = asker_order.into();
    json["creator_order_id"] = maker_order.into();
    let rfq = state.rfqs.rfq(json["rfq_id"].as_str().unwrap_or_default())?;
    let quote = &state.rfqs.quotes[index];
    for (owner, order_id) in [(quote.asker, &json["rfq_creator_order_id"]), (quote.owner, &json["creator_order_id"])] {
        // Orders of quotes have no name of their owner's.
        let more = json!({"order_id": order_id, "client_order_id": "", "executed_ts": rfc3339(call.now)});
        state.rfqs.happened.push(Event::of_quotes("quote_executed", vec![owner], &json, more));
    }
    state.rfqs.quotes[index].json = json;
    state.rfqs.close(rfq, call.now);
    Ok(reply)
}

/// Trades as the accepted side of a quote says: its maker buys that side at the bid.
fn execute(state: &mut State, call: &Call, index: usize) -> Result<(String, String), Refusal> {
    let quote = &state.rfqs.quotes[index];
    let ticker = quote.json["market_ticker"].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| quote.json[name].as_str().and_then(|text| fixed_point(text, 8)).unwrap_or_default();
    let accepted = &quote.json["accepted_side"];
    let bid = price_of(&quote.json, accepted);
    let contracts = if quote.json.get("rfq_target_cost_dollars").is_some() && bid < Decimal::ONE {
        (number("rfq_target_cost_dollars") / (Decimal::ONE - bid)).trunc_with_scale(2)
    } else {
        number("contracts_fp")
    };
    if contracts.is_zero() {
        return Err(Refusal::new(400, "invalid_order_size"));
    }
    super::orders::trading(state, &ticker, call.now)?;
    let quote = &state.rfqs.quotes[index];
    let (side, price) = if accepted == "yes" { (Side::Ask, bid) } else { (Side::Bid, Decimal::ONE - bid) };
    let both = (quote.asker, quote.owner);
    Ok(state.events.trade_by_agreement(both, &ticker, (side, price, contracts), call.now)?)
}

fn price_of(quote: &Value, side: &Value) -> Decimal {
    let name = if side == "yes" { "yes_bid_dollars" } else { "no_bid_dollars" };
    quote[name].as_str().and_then(|text| fixed_point(text, 8)).unwrap_or_default()
}

/// What only one of the two may do.
fn owned(call: &Call, owner: Owner) -> Result<(), Refusal> {
    if call.sees(owner) { Ok(()) } else { Err(Refusal::forbidden("this is for the other side of the quote")) }
}

/// A body that was checked already.
fn body(request: &Request) -> Map<String, Value> {
    let mut body: Map<String, Value> = serde_json::from_slice(&request.body).unwrap_or_default();
    body.retain(|_, value| !value.is_null());
    body
}

/// Takes a quote from one of some states to the next.
fn advance(quote: &mut Value, from: &[&str], to: &str, now: i64) -> Result<Reply, Refusal> {
    let status = quote["status"].as_str().unwrap_or_default();
    if !from.contains(&status) {
        return Err(Refusal::invalid(&format!("the quote is {status}, not {}", from.join(" or "))));
    }
    quote["status"] = to.into();
    quote[format!("{to}_ts")] = rfc3339(now).into();
    quote["updated_ts"] = rfc3339(now).into();
    Ok(Reply::empty(204))
}

/// A page of what fits the filters.
fn page<'a>(
    query: &Query,
    all: impl Iterator<Item = (i64, &'a Entry)>,
    member: &str,
    filters: &[&str],
    most: usize,
) -> Result<Reply, Refusal> {
    let fits = |one: &Value| filters.iter().all(|name| query.text(name).is_none_or(|wanted| one[*name] == wanted));
    let matching = all.map(|(key, entry)| (key, &entry.json)).filter(|(_, one)| fits(one));
    let (page, cursor) = query.page_of(matching, most, most)?;
    Ok(Reply::json(200, &json!({member: page, "cursor": cursor})))
}
