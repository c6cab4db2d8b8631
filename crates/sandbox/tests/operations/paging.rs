//! Every list ends when it is paged as its spec says.

use serde_json::{Value, json};
use venuekit_sandbox::example_requests;

use crate::call::{Caller, USUAL, replace};
use crate::spec::Spec;
use crate::state;

/// No list of a new sandbox has as many pages.
const MOST_PAGES: usize = 3000;

async fn every_list_ends(venue: &'static str) {
    let spec = Spec::of(venue);
    let (mut lists, mut wrong) = (0, Vec::new());
    for with_optional in [true, false] {
        let caller = Caller::new(venue).await;
        let known = state::of(&caller, with_optional).await;
        for mut request in example_requests(venue, with_optional) {
            let operation = request.operation.clone();
            let Some(page) = spec.page(&operation) else { continue };
            lists += 1;
            replace(&mut request, &known[&operation], false);
            let param = page["param"].as_str().unwrap();
            let place = if request.body.is_some() { "body" } else { "query" };
            // The first page: without a mark, or by its number.
            let first = match page["style"].as_str() {
                Some("page") => json!(1),
                Some("offset") => json!(0),
                _ => Value::Null,
            };
            let mut next = Some(first);
            let mut pages = 0;
            while let Some(asked) = next.take() {
                pages += 1;
                replace(&mut request, &json!({place: {param: asked}}), true);
                let answer = caller.send(&request, USUAL).await;
                if answer.status != 200 {
                    wrong.push(format!("{operation}, page {pages}: {} {}", answer.status, answer.text));
                    break;
                }
                next = following(&page, &asked, &answer.json());
                if pages == MOST_PAGES {
                    wrong.push(format!("{operation} ({with_optional}) never ends: {}", answer.text));
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{venue}: {} of {lists} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(lists > 0, "{venue} has no list");
}

/// What asks for the page after this one; none where it was the last.
fn following(page: &Value, asked: &Value, answer: &Value) -> Option<Value> {
    let body = answer.get("jsonrpc").map_or(answer, |_| &answer["result"]);
    let at = |name: &str| body.pointer(&format!("/{}", name.replace('.', "/"))).cloned().unwrap_or_default();
    let items = match page["items"].as_str() {
        Some(name) if !name.is_empty() => at(name),
        _ => body.clone(),
    };
    let count = items.as_array().map_or(0, Vec::len);
    if let Some(next) = page["next"].as_str() {
        let next = at(next);
        let ends = next.is_null() || next == "" || next == page["end"];
        return (!ends).then_some(next);
    }
    if let Some(key) = page["key"].as_str() {
        let last = items.as_array().and_then(|items| items.last());
        return last.map(|item| json!(item[key].as_i64().unwrap() + 1));
    }
    let number = asked.as_i64().unwrap();
    if let Some(last) = page["last"].as_str() {
        return (number < at(last).as_i64().unwrap_or_default()).then(|| json!(number + 1));
    }
    let step = if page["style"] == "offset" { i64::try_from(count).unwrap() } else { 1 };
    (count > 0).then(|| json!(number + step))
}

#[tokio::test]
async fn every_list_of_bayse_ends() {
    every_list_ends("bayse").await;
}

#[tokio::test]
async fn every_list_of_bybit_ends() {
    every_list_ends("bybit").await;
}

#[tokio::test]
async fn every_list_of_deribit_ends() {
    every_list_ends("deribit").await;
}

#[tokio::test]
async fn every_list_of_kalshi_ends() {
    every_list_ends("kalshi").await;
}

#[tokio::test]
async fn every_list_of_kalshi_perps_ends() {
    every_list_ends("kalshi_perps").await;
}

#[tokio::test]
async fn every_list_of_yativo_ends() {
    every_list_ends("yativo").await;
}
