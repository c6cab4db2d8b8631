use serde_json::{Value, json};

use super::{bundle, without_streams};
use crate::tests::streams::{document, edited};

fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or_else(|| panic!("{pointer}\n{value:#}"))
}

/// Every reference leads somewhere.
fn references(whole: &Value, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(whole, item)),
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get("$ref") {
                assert!(whole.pointer(target.trim_start_matches('#')).is_some(), "{target}");
            }
            map.values().for_each(|inner| references(whole, inner));
        }
        _ => {}
    }
}

#[test]
fn messages_are_whole_frames() {
    let bundle = bundle(&document()).unwrap();
    references(&bundle, &bundle);
    let trade = at(&bundle, "/components/messages/Trade");
    assert_eq!(trade["name"], "trade");
    assert_eq!(trade["payload"]["required"], json!(["type", "msg"]));
    assert_eq!(trade["payload"]["properties"]["type"], json!({"type": "string", "const": "trade"}));
    assert_eq!(trade["payload"]["properties"]["msg"], json!({"$ref": "#/components/schemas/TradeMessage"}));
    assert!(trade["payload"]["properties"].get("seq").is_none(), "its channel has no numbers");
    assert_eq!(at(&bundle, "/components/messages/BookLevel/payload/properties/seq/type"), "integer");
    assert_eq!(at(&bundle, "/components/messages/BookWhole/x-when/equals"), "whole");
    assert_eq!(at(&bundle, "/components/messages/Refusal/payload/$ref"), "#/components/schemas/RefusalMessage");
}

#[test]
fn channels_and_operations_refer_to_them() {
    let bundle = bundle(&document()).unwrap();
    let book = at(&bundle, "/channels/book");
    assert_eq!(book["address"], "book.{ticker}.{interval}");
    assert_eq!(book["servers"], json!([{"$ref": "#/servers/production"}]));
    assert_eq!(book["messages"]["whole"], json!({"$ref": "#/components/messages/BookWhole"}));
    assert_eq!(book["parameters"]["interval"]["enum"], json!(["raw", "100ms"]));
    assert_eq!(book["parameters"]["ticker"]["x-schema"]["$ref"], "#/components/schemas/Ticker");
    assert_eq!(book["x-recover"], "resubscribe");
    let receive = at(&bundle, "/operations/receive_book");
    assert_eq!((&receive["action"], &receive["channel"]["$ref"]), (&json!("receive"), &json!("#/channels/book")));
    assert_eq!(receive["messages"][0]["$ref"], "#/channels/book/messages/level");
    assert_eq!(at(&bundle, "/channels/control/address"), &Value::Null);
    let sent = at(&bundle, "/operations/send_commands/messages").as_array().unwrap();
    assert_eq!(sent.len(), 3);
    assert_eq!(at(&bundle, "/components/messages/SubscribeCommand/payload/properties/cmd/const"), "subscribe");
}

#[test]
fn schemas_are_those_of_the_standard() {
    let bundle = bundle(&document()).unwrap();
    let schemas = at(&bundle, "/components/schemas");
    assert_eq!(schemas["BookLevelMessage"]["properties"]["size"]["type"], json!(["string", "null"]));
    let level = &schemas["BookWholeMessage"]["properties"]["bids"]["items"];
    assert_eq!(
        level["prefixItems"],
        json!([{"type": "string", "format": "decimal"}, {"type": "string", "format": "decimal"}])
    );
    assert!(schemas.get("TradeList").is_none(), "only calls have it");
}

#[test]
fn a_list_of_records_is_a_list_in_the_frame() {
    let bundle = bundle(&edited("    x-sequence: none", "    x-list: true\n    x-sequence: none")).unwrap();
    let data = at(&bundle, "/components/messages/Trade/payload/properties/msg");
    assert_eq!(data, &json!({"type": "array", "items": {"$ref": "#/components/schemas/TradeMessage"}}));
}

#[test]
fn an_event_of_an_account_is_framed_as_its_endpoint_has_it() {
    let events = "{ stream: { events: { subscription: sub, data: event, type: e } } }";
    let bundle = bundle(&edited("{ stream: { upgrade: key } }", events)).unwrap();
    let trade = at(&bundle, "/components/messages/Trade/payload");
    assert_eq!(trade["required"], json!(["sub", "event"]));
    assert_eq!(trade["properties"]["event"], json!({"$ref": "#/components/schemas/TradeMessage"}));
}

#[test]
fn the_document_of_calls_is_without_them() {
    let calls = without_streams(&document());
    assert!(calls.get("x-streams").is_none());
    let schemas = at(&calls, "/components/schemas");
    assert!(schemas.get("TradeMessage").is_none() && schemas.get("RefusalMessage").is_none());
    assert!(schemas.get("TradeRecord").is_some() && schemas.get("Ticker").is_some());
    references(&calls, &calls);
}
