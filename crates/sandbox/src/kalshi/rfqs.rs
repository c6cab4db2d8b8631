//! Requests for quotes, and the quotes that are made on them. One account is on both sides here.

use serde_json::{Map, Value, json};

use super::error::Refusal;
use super::markets::Market;
use super::read::{Query, count, dollars, fixed_point};
use crate::clock::rfc3339;
use crate::make::uuid;
use crate::message::{Reply, Request};
use crate::spec::{Answering, Given, Operation};

const MOST_OPEN: usize = 100;
const CALLER: &str = "sandbox";

/// Both kinds as they are shown, in the order of arrival.
#[derive(Default)]
pub(super) struct Rfqs {
    rfqs: Vec<Value>,
    quotes: Vec<Value>,
}

impl Rfqs {
    /// Whether an operation is one of these.
    pub(super) fn serves(operation: &Operation) -> bool {
        let below = |path: &str| operation.template.starts_with(path);
        below("/communications/rfqs") || below("/communications/quotes")
    }

    pub(super) fn carry_out(
        &mut self,
        markets: &[Market],
        operation: &Operation,
        given: &Given,
        request: &Request,
        now: i64,
    ) -> Result<Reply, Refusal> {
        let rfq_id = given.in_path("rfq_id");
        let quote = || self.quote(rfq_id, given.in_path("quote_id"));
        match operation.id.as_str() {
            "CreateRFQ" => self.create(markets, &body(request), now),
            "GetRfqs" => list(&self.rfqs, "rfqs", &["status", "market_ticker", "event_ticker"], operation, request),
            "GetRFQ" => Ok(Reply::json(200, &json!({"rfq": self.rfqs[self.rfq(rfq_id)?]}))),
            "DeleteRFQ" => {
                let index = self.rfq(rfq_id)?;
                self.close(index, now);
                Ok(Reply::empty(204))
            }
            "CreateQuote" => self.make_quote(&body(request), now),
            "GetQuotes" => list(&self.quotes, "quotes", &["status", "rfq_id"], operation, request),
            "GetQuote" | "GetRFQQuote" => Ok(Reply::json(200, &json!({"quote": self.quotes[quote()?]}))),
            "DeleteQuote" | "DeleteRFQQuote" => {
                let index = quote()?;
                advance(&mut self.quotes[index], &["open", "accepted"], "cancelled", now)
            }
            "AcceptQuote" | "AcceptRFQQuote" => {
                let index = quote()?;
                let reply = advance(&mut self.quotes[index], &["open"], "accepted", now)?;
                self.quotes[index]["accepted_side"] = body(request)["accepted_side"].clone();
                Ok(reply)
            }
            "ConfirmQuote" | "ConfirmRFQQuote" => {
                let index = quote()?;
                let reply = advance(&mut self.quotes[index], &["accepted"], "confirmed", now)?;
                // The timer before execution is not waited for.
                advance(&mut self.quotes[index], &["confirmed"], "executed", now)?;
                let rfq = self.rfq(self.quotes[index]["rfq_id"].as_str().unwrap_or_default())?;
                self.close(rfq, now);
                Ok(reply)
            }
            _ => Ok(operation.reply(given)),
        }
    }

    fn rfq(&self, id: &str) -> Result<usize, Refusal> {
        self.rfqs.iter().position(|rfq| rfq["id"] == id).ok_or_else(Refusal::not_found)
    }

    /// A quote; on its older path without the request that it belongs to.
    fn quote(&self, rfq_id: &str, id: &str) -> Result<usize, Refusal> {
        let wanted = |quote: &Value| quote["id"] == id && (rfq_id.is_empty() || quote["rfq_id"] == rfq_id);
        self.quotes.iter().position(wanted).ok_or_else(Refusal::not_found)
    }

    fn create(&mut self, markets: &[Market], new: &Map<String, Value>, now: i64) -> Result<Reply, Refusal> {
        let ticker = new["market_ticker"].as_str().unwrap_or_default();
        let market = Market::find(markets, ticker).ok_or_else(|| Refusal::new(404, "market_not_found"))?;
        let by_contracts = new.contains_key("contracts") || new.contains_key("contracts_fp");
        let by_cost = new.contains_key("target_cost_dollars") || new.contains_key("target_cost_centi_cents");
        if by_contracts == by_cost {
            return Err(Refusal::invalid("body: either contracts_fp or target_cost_dollars is required, not both"));
        }
        let open = |rfq: &&mut Value| rfq["status"] == "open";
        if self.rfqs.iter_mut().filter(open).count() >= MOST_OPEN {
            return Err(Refusal::invalid("no more than 100 requests may be open"));
        }
        if let Some(index) = self.rfqs.iter().position(|rfq| rfq["status"] == "open" && rfq["market_ticker"] == ticker)
        {
            if new.get("replace_existing") != Some(&json!(true)) {
                return Err(Refusal::detailed(409, "already_exists", "a request is open on this market"));
            }
            self.close(index, now);
        }
        let whole = |name: &str| new.get(name).and_then(Value::as_i64).unwrap_or_default();
        let exact = |name: &str| new.get(name).and_then(Value::as_str).and_then(|text| fixed_point(text, 4));
        let contracts = exact("contracts_fp").unwrap_or_else(|| whole("contracts").into());
        let mut rfq = json!({
            "id": uuid(),
            "creator_id": CALLER,
            "creator_user_id": CALLER,
            "creator_subaccount": whole("subaccount"),
            "market_ticker": ticker,
            "event_ticker": market.event_ticker,
            "contracts_fp": count(contracts),
            "rest_remainder": new["rest_remainder"],
            "status": "open",
            "created_ts": rfc3339(now),
            "updated_ts": rfc3339(now),
        });
        if let Some(cost) = exact("target_cost_dollars") {
            rfq["target_cost_dollars"] = dollars(cost).into();
        }
        let reply = Reply::json(201, &json!({"id": rfq["id"]}));
        self.rfqs.push(rfq);
        Ok(reply)
    }

    fn make_quote(&mut self, new: &Map<String, Value>, now: i64) -> Result<Reply, Refusal> {
        let rfq = &self.rfqs[self.rfq(new["rfq_id"].as_str().unwrap_or_default())?];
        if rfq["status"] != "open" {
            return Err(Refusal::invalid("body/rfq_id: must be a request that is open"));
        }
        let bid = |name: &str| {
            let bid = new[name].as_str().and_then(|text| fixed_point(text, 4));
            bid.ok_or_else(|| Refusal::invalid(&format!("body/{name}: must be dollars with at most 4 decimals")))
        };
        let quote = json!({
            "id": uuid(),
            "rfq_id": rfq["id"],
            "creator_id": CALLER,
            "creator_user_id": CALLER,
            "rfq_creator_id": rfq["creator_id"],
            "rfq_creator_user_id": rfq["creator_user_id"],
            "market_ticker": rfq["market_ticker"],
            "contracts_fp": rfq["contracts_fp"],
            "yes_bid_dollars": dollars(bid("yes_bid")?),
            "no_bid_dollars": dollars(bid("no_bid")?),
            "rest_remainder": new["rest_remainder"],
            "post_only": new.get("post_only").is_some_and(|value| *value == true),
            "status": "open",
            "created_ts": rfc3339(now),
            "updated_ts": rfc3339(now),
        });
        let reply = Reply::json(201, &json!({"id": quote["id"]}));
        self.quotes.push(quote);
        Ok(reply)
    }

    /// Ends a request, and the quotes on it that are still open.
    fn close(&mut self, index: usize, now: i64) {
        let rfq = &mut self.rfqs[index];
        rfq["status"] = "closed".into();
        rfq["updated_ts"] = rfc3339(now).into();
        rfq["cancelled_ts"] = rfc3339(now).into();
        let id = rfq["id"].clone();
        for quote in self.quotes.iter_mut().filter(|quote| quote["rfq_id"] == id && quote["status"] == "open") {
            quote["status"] = "cancelled".into();
            quote["cancelled_ts"] = rfc3339(now).into();
        }
    }
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

/// A page of what fits the filters, the newest first.
fn list(
    all: &[Value],
    member: &str,
    filters: &[&str],
    operation: &Operation,
    request: &Request,
) -> Result<Reply, Refusal> {
    let query = Query::new(&operation.id, request);
    let fits = |one: &&Value| filters.iter().all(|name| query.text(name).is_none_or(|wanted| one[*name] == wanted));
    let (page, cursor) = query.page(all.iter().rev().filter(fits))?;
    Ok(Reply::json(200, &json!({member: page, "cursor": cursor})))
}
