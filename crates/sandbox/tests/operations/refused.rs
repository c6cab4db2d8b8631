//! A request that does not keep to the spec is refused in the venue's error shape, which names the place.

use serde_json::Value;
use venuekit_sandbox::{ExampleRequest, example_requests};

use crate::accepted::{WEBSOCKET_ONLY, is_of_connections};
use crate::call::{Answer, Caller, Manner, USUAL, replace};
use crate::spec::{Spec, of_another_type};
use crate::state;

/// By the venue's own text any one param is enough for a key; ccxt asks for instruments without a currency.
const NOT_REALLY_REQUIRED: [(&str, &str); 2] =
    [("private/edit_api_key", "max_scope"), ("public/get_instruments", "currency")];

struct Refusals {
    caller: Caller,
    wrong: Vec<String>,
    count: usize,
}

impl Refusals {
    /// Sends what must be refused, with one of the statuses, naming the place.
    async fn expect(&mut self, request: &ExampleRequest, manner: Manner, statuses: &[u16], place: &str) {
        self.count += 1;
        let before = self.caller.sandbox.executed();
        let answer = self.caller.send(request, manner).await;
        let named = place.split('|').any(|place| answer.text.contains(place));
        let carried_out = self.caller.sandbox.executed() != before;
        if !statuses.contains(&answer.status) || !named || !has_shape(self.caller.venue, &answer) || carried_out {
            let operation = &request.operation;
            self.wrong.push(format!("{operation}, {place}: {} {}", answer.status, answer.text));
        }
    }

    /// The status of a request that does not keep to the spec.
    fn wrong(&self) -> u16 {
        if self.caller.venue == "bybit" { 200 } else { 400 }
    }

    async fn missing_and_wrong_values(&mut self, spec: &Spec, request: &ExampleRequest) {
        let id = &request.operation;
        for input in spec.query(id) {
            let mut changed = request.clone();
            changed.query.retain(|(name, _)| *name != input.name);
            let place = format!("query/{}", input.name);
            if input.required {
                self.expect(&changed, USUAL, &[self.wrong()], &format!("{place}: is required")).await;
            }
            if matches!(input.kind.as_deref(), Some("integer" | "number" | "boolean")) {
                changed.query.push((input.name, "x".to_owned()));
                self.expect(&changed, USUAL, &[self.wrong()], &format!("{place}: must be a")).await;
            }
        }
        let body = if self.caller.venue == "deribit" { "params" } else { "body" };
        for input in spec.body(id) {
            let mut changed = request.clone();
            let Some(Value::Object(members)) = &mut changed.body else { continue };
            members.remove(&input.name);
            let place = format!("{body}/{}", input.name);
            if input.required && !NOT_REALLY_REQUIRED.contains(&(id.as_str(), input.name.as_str())) {
                self.expect(&changed.clone(), USUAL, &[self.wrong()], &format!("{place}: is required")).await;
            }
            let Some(kind) = input.kind else { continue };
            let Some(Value::Object(members)) = &mut changed.body else { continue };
            members.insert(input.name, of_another_type(&kind));
            self.expect(&changed, USUAL, &[self.wrong()], &format!("{place}: must be ")).await;
        }
    }
}

fn has_shape(venue: &str, answer: &Answer) -> bool {
    let json = answer.json();
    match venue {
        "bayse" => json["error"].is_string() && json["message"].is_string() && json["statusCode"] == answer.status,
        "deribit" => json["jsonrpc"] == "2.0" && json["error"]["code"].is_i64() && json["error"]["message"].is_string(),
        "bybit" => json["retCode"].as_i64().is_some_and(|code| code != 0) && json["retMsg"].is_string(),
        "yativo" => json["error"].is_string() && json["message"].is_string(),
        _ => json["error"]["code"].is_string() || json["code"].is_string() || json["msg"].is_string(),
    }
}

async fn what_is_wrong_is_refused(venue: &'static str) {
    let spec = Spec::of(venue);
    let caller = Caller::new(venue).await;
    let known = state::of(&caller, true).await;
    let mut refusals = Refusals { caller, wrong: Vec::new(), count: 0 };
    for mut request in example_requests(venue, true) {
        if WEBSOCKET_ONLY.contains(&request.operation.as_str()) || is_of_connections(&request.template) {
            continue;
        }
        let values = &known[&request.operation];
        replace(&mut request, values, false);
        refusals.missing_and_wrong_values(&spec, &request).await;
        if request.body.is_some() {
            let (manner, status) = (Manner { content_type: "text/plain", ..USUAL }, refusals.wrong());
            refusals.expect(&request, manner, &[status], "content-type|invalid_content_type").await;
        }
        if !request.credentials.is_empty() && request.credentials.iter().all(|set| !set.is_empty()) {
            let manner = Manner { with_credentials: false, ..USUAL };
            // Kalshi's answer is recorded, and names none of its three headers.
            refusals.expect(&request, manner, &[401], "header/|signature_is_missing_from_headers").await;
        }
    }
    assert!(refusals.count > 50, "{venue}: {}", refusals.count);
    let wrong = refusals.wrong;
    assert!(wrong.is_empty(), "{venue}: {} of {} wrong\n{}", wrong.len(), refusals.count, wrong.join("\n"));
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_bayse() {
    what_is_wrong_is_refused("bayse").await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_bybit() {
    what_is_wrong_is_refused("bybit").await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_deribit() {
    what_is_wrong_is_refused("deribit").await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_kalshi() {
    what_is_wrong_is_refused("kalshi").await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_kalshi_perps() {
    what_is_wrong_is_refused("kalshi_perps").await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_yativo() {
    what_is_wrong_is_refused("yativo").await;
}
