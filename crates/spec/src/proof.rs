//! What a response has to hold before it proves that its call was carried out.

use std::fmt;

use serde_json::{Map, Value};

use super::operation::Operation;
use super::outline::Components;
use super::schema::{is_nullable, resolved};

/// What a response lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The way to it, such as `order/order_id`; empty where it is the whole response.
    pub at: String,
    /// What is wrong, as the end of a sentence. Values are never shown.
    pub reason: String,
}

impl Lack {
    fn new(at: &str, reason: impl Into<String>) -> Option<Self> {
        Some(Self { at: at.trim_start_matches('/').to_owned(), reason: reason.into() })
    }

    fn depth(&self) -> usize {
        self.at.matches('/').count()
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.is_empty() {
            true => write!(formatter, "the response {}", self.reason),
            false => write!(formatter, "`{}` in the response {}", self.at, self.reason),
        }
    }
}

impl Operation {
    /// What the body of a response with a success status lacks of what the spec calls vital. None where it is whole. `body` is none
    /// where nothing came.
    ///
    /// Of a read only that is wanted. The response to a write must prove that it was done: an object without any member that the
    /// spec knows, a list that is null and a member that reports an error prove nothing.
    pub fn lacks(&self, body: Option<&Value>) -> Option<Lack> {
        let body = body.filter(|body| !body.is_null());
        if !self.reads
            && let Some(member) = self.error_in(body)
        {
            return Lack::new("", format!("reports an error in `{member}`"));
        }
        let Some(answer) = &self.answer else {
            let is_empty = body.is_none_or(Value::is_object);
            return if self.reads || is_empty { None } else { Lack::new("", "should be empty") };
        };
        Prover { components: &answer.components, reads: self.reads }.value(
            &answer.value,
            body.unwrap_or(&Value::Null),
            "",
        )
    }

    /// The member that reports an error, where the spec knows no member of that name in a successful response.
    fn error_in<'a>(&'a self, body: Option<&Value>) -> Option<&'a str> {
        let members = body?.as_object()?;
        let says = |name: &&String| match members.get(*name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        };
        let known = self.answer.as_ref().map(super::Schema::fields).unwrap_or_default();
        let is_known = |name: &str| known.iter().any(|field| field.name == name);
        self.error_members.iter().filter(says).map(String::as_str).find(|name| !is_known(name))
    }
}

struct Prover<'a> {
    components: &'a Components,
    reads: bool,
}

impl<'a> Prover<'a> {
    /// What a vital value lacks.
    fn value(&self, schema: &'a Value, value: &Value, at: &str) -> Option<Lack> {
        let may_be_null = says_null(schema);
        let schema = resolved(self.components, schema);
        if value.is_null() {
            // Some venues send null for an empty list.
            let is_read_list = self.reads && types(schema).contains(&"array");
            let is_good = may_be_null || says_null(schema) || is_read_list || self.takes_null(schema);
            return if is_good { None } else { Lack::new(at, if at.is_empty() { "is empty" } else { "is null" }) };
        }
        let one_of = ["anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array());
        for forms in one_of {
            let lacks: Option<Vec<Lack>> = forms.iter().map(|form| self.value(form, value, at)).collect();
            // Of the forms that it may have, what the nearest one wants.
            if let Some(lack) = lacks.and_then(|lacks| lacks.into_iter().max_by_key(Lack::depth)) {
                return Some(lack);
            }
        }
        let mut parts = schema["allOf"].as_array().into_iter().flatten();
        parts.find_map(|part| self.value(part, value, at)).or_else(|| self.typed(schema, value, at))
    }

    fn takes_null(&self, schema: &'a Value) -> bool {
        let forms = || ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
        let is_open = types(schema).is_empty() && schema.get("properties").is_none() && forms().next().is_none();
        self.reads && is_open || forms().any(|form| says_null(form) || says_null(resolved(self.components, form)))
    }

    fn typed(&self, schema: &'a Value, value: &Value, at: &str) -> Option<Lack> {
        let types = types(schema);
        let has_format = schema.get("format").is_some();
        let is_object = types.contains(&"object") || schema.get("properties").is_some();
        match value {
            Value::Object(members) if is_object => self.object(schema, members, at),
            Value::Array(items) if types.contains(&"array") => {
                let each = || items.iter().enumerate();
                each().find_map(|(index, item)| self.value(&schema["items"], item, &format!("{at}/{index}")))
            }
            Value::String(text) if text.trim().is_empty() && (!types.is_empty() || !self.reads) => {
                Lack::new(at, "is empty")
            }
            Value::String(_) if types.contains(&"string") => None,
            // Amounts and times are written as numbers here and as texts there.
            Value::String(_) if has_format && !is_object && !types.contains(&"array") => None,
            Value::Number(_) if types.contains(&"integer") || types.contains(&"number") => None,
            Value::Number(_) if schema["format"] == "decimal" => None,
            Value::Bool(_) if types.contains(&"boolean") => None,
            // Nobody has described it: what is empty proves nothing.
            Value::Object(members) if types.is_empty() && members.is_empty() && !self.reads => {
                Lack::new(at, "is empty")
            }
            _ if types.is_empty() && !is_object => None,
            _ => Lack::new(at, format!("is not {}", named(types.first().copied().unwrap_or("object")))),
        }
    }

    fn object(&self, schema: &'a Value, members: &Map<String, Value>, at: &str) -> Option<Lack> {
        let empty = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&empty);
        let names = |word: &str| schema[word].as_array().into_iter().flatten().filter_map(Value::as_str);
        let is_there = |name: &str| members.get(name).is_some_and(|value| !value.is_null());
        let whole = |name: &'a str, member: &Value| {
            let schema = schema["properties"].get(name)?;
            self.value(schema, member, &format!("{at}/{name}"))
        };
        for name in names("required") {
            let lack = match members.get(name) {
                Some(member) => whole(name, member),
                None if schema["properties"][name].as_object().is_some_and(is_nullable) => None,
                None => Lack::new(&format!("{at}/{name}"), "is missing"),
            };
            if lack.is_some() {
                return lack;
            }
        }
        if names("x-vital").next().is_some() {
            if !names("x-vital").any(is_there) {
                return Lack::new(at, format!("has none of {}", names("x-vital").collect::<Vec<_>>().join(", ")));
            }
            let mut there = names("x-vital").filter(|name| is_there(name));
            return there.find_map(|name| members.get(name).and_then(|member| whole(name, member)));
        }
        let says_more = ["allOf", "anyOf", "oneOf"].into_iter().any(|word| schema.get(word).is_some());
        if self.reads || says_more || names("required").next().is_some() {
            return None;
        }
        let proves = match properties.is_empty() {
            true => members.values().any(|value| !value.is_null()),
            false => properties.keys().any(|name| is_there(name)),
        };
        if proves { None } else { Lack::new(at, "has no member that the spec knows") }
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect(),
        _ => Vec::new(),
    }
}

fn says_null(schema: &Value) -> bool {
    let listed = schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == "null"));
    listed || schema["type"] == "null" || schema.as_object().is_some_and(is_nullable)
}

fn named(kind: &str) -> &'static str {
    match kind {
        "array" => "a list",
        "boolean" => "true or false",
        "integer" | "number" => "a number",
        "string" => "a text",
        _ => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Given, all, of};

    fn lack(venue: &str, operation: &str, body: &str) -> Option<String> {
        let body = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
        let operation = of(venue).unwrap().named(operation).unwrap();
        operation.lacks(body.as_ref()).map(|lack| lack.to_string())
    }

    #[test]
    fn a_response_that_proves_nothing_says_what_it_lacks() {
        for (venue, operation, body, said) in [
            ("kalshi", "create_order_v2", "", "the response is empty"),
            ("kalshi", "create_order_v2", "null", "the response is empty"),
            ("kalshi", "create_order_v2", "{}", "`order_id` in the response is missing"),
            ("kalshi", "create_order_v2", "[]", "the response is not an object"),
            ("kalshi", "create_order_v2", r#""done""#, "the response is not an object"),
            ("kalshi", "create_order_v2", "true", "the response is not an object"),
            ("kalshi", "create_order_v2", r#"{"order_id":null}"#, "`order_id` in the response is null"),
            ("kalshi", "create_order_v2", r#"{"order_id":""}"#, "`order_id` in the response is empty"),
            ("kalshi", "create_order_v2", r#"{"order_id":" "}"#, "`order_id` in the response is empty"),
            ("kalshi", "create_order_v2", r#"{"order_id":7}"#, "`order_id` in the response is not a text"),
            ("kalshi", "create_order_v2", r#"{"order_id":{}}"#, "`order_id` in the response is not a text"),
            ("kalshi", "create_order_v2", r#"{"error":{"code":"x"}}"#, "reports an error in `error`"),
            ("kalshi", "create_order_v2", r#"{"order_id":"a","error":{"code":"x"}}"#, "reports an error in `error`"),
            ("kalshi", "generate_api_key", "{}", "`api_key_id` in the response is missing"),
            ("kalshi", "generate_api_key", r#"{"api_key_id":"a"}"#, "`private_key` in the response is missing"),
            ("kalshi", "create_rfq_batch", r#"{"rfq_batch":{}}"#, "`rfq_batch/id` in the response is missing"),
            ("kalshi", "batch_create_orders_v2", r#"{"orders":null}"#, "`orders` in the response is null"),
            ("kalshi", "batch_create_orders_v2", r#"{"orders":{}}"#, "`orders` in the response is not a list"),
            ("kalshi", "batch_create_orders_v2", r#"{"orders":[{}]}"#, "`orders/0` in the response has none of"),
            ("kalshi", "batch_create_orders_v2", r#"{"orders":[null]}"#, "`orders/0` in the response is null"),
            ("kalshi", "batch_cancel_orders_v2", r#"{"orders":[{"order_id":"a"},{}]}"#, "`orders/1/order_id`"),
            ("kalshi", "delete_order_group", r#"{"error":{"code":"x"}}"#, "reports an error"),
            ("kalshi", "delete_order_group", r#""no""#, "the response should be empty"),
            ("kalshi", "delete_api_key", r#"{"error":"no"}"#, "reports an error"),
            ("kalshi", "create_subaccount", r#"{"subaccount_number":"x"}"#, "is not a number"),
            ("deribit", "buy", "null", "the response is empty"),
            ("deribit", "buy", "{}", "`order` in the response is missing"),
            ("deribit", "buy", r#"{"order":[]}"#, "`order` in the response is not an object"),
            ("deribit", "buy", r#"{"order":{"order_id":"1"}}"#, "`order/instrument_name` in the response is missing"),
            ("deribit", "set_email_language", "null", "the response is empty"),
            ("deribit", "set_email_language", "{}", "the response is not a text"),
            ("deribit", "cancel_all", "null", "the response is empty"),
            ("deribit", "cancel_all", "{}", "the response is empty"),
            ("deribit", "mass_quote", "{}", "the response has none of errors, "),
            ("deribit", "accept_block_rfq", "{}", "the response has none of trade_trigger, block_trades"),
            ("bayse", "place_order", r#"{"engine":"CLOB"}"#, "the response has none of order, clobOrder, ammOrder"),
            ("bayse", "place_order", r#"{"clobOrder":{}}"#, "`clobOrder/id` in the response is missing"),
            ("bayse", "cancel_order", "{}", "has no member that the spec knows"),
            ("bayse", "batch_place_orders", r#"{"results":[{"index":0}]}"#, "`results/0` in the response has none of"),
            ("yativo", "revoke_api_key_guide", "{}", "has no member that the spec knows"),
            ("yativo", "rotate_api_key", r#"{"success":true}"#, "has none of api_secret, data"),
            ("kalshi", "get_market", "{}", "`market` in the response is missing"),
            ("kalshi", "get_balance", "[]", "the response is not an object"),
        ] {
            let found = lack(venue, operation, body).unwrap_or_else(|| panic!("{operation} {body} is taken for whole"));
            assert!(found.contains(said), "{operation} {body}: {found}");
        }
    }

    #[test]
    fn what_proves_enough_is_whole() {
        for (venue, operation, body) in [
            ("kalshi", "create_order_v2", r#"{"order_id":"a","new":{}}"#),
            ("kalshi", "delete_api_key", ""),
            ("kalshi", "delete_order_group", "{}"),
            ("kalshi", "batch_create_orders_v2", r#"{"orders":[{"error":{"code":"x"}},{"order_id":"a"}]}"#),
            ("kalshi", "get_markets", r#"{"markets":null,"cursor":""}"#),
            ("kalshi", "update_fcm_subtrader_blocked_categories", r#"{"categories":[]}"#),
            ("deribit", "cancel_all", "0"),
            ("deribit", "create_deposit_address", "null"),
            ("deribit", "remove_api_key", r#""ok""#),
            ("bayse", "place_order", r#"{"engine":"CLOB","clobOrder":{"id":"a"}}"#),
            ("bayse", "cancel_order", r#"{"message":"Order cancelled"}"#),
            ("yativo", "delete_webhook", r#"{"anything":1}"#),
        ] {
            assert_eq!(lack(venue, operation, body), None, "{operation} {body}");
        }
    }

    #[test]
    fn no_write_with_a_response_is_proved_by_an_empty_one() {
        let (mut writes, mut silent) = (0, Vec::new());
        for spec in all() {
            for operation in spec.operations.iter().filter(|operation| !operation.reads) {
                let Some(example) = operation.example(&Given::default()) else { continue };
                assert_eq!(operation.lacks(Some(&example)), None, "{} {}", spec.venue, operation.id);
                // Over JSON-RPC an error stands beside the result.
                let error = (spec.venue != "deribit").then(|| json!({"error": {"code": "x", "message": "y"}}));
                let empty = [None, Some(json!({})), error];
                match empty.iter().all(|body| operation.lacks(body.as_ref()).is_some()) {
                    true => writes += 1,
                    false => silent.push(operation.name.as_str()),
                }
            }
        }
        assert!(writes > 100);
        // Binance responds to these with an empty object, or with nothing; Deribit with null before an address is made.
        let expected = [
            "disable_fast_withdraw_switch",
            "enable_fast_withdraw_switch",
            "delete_special_key",
            "edit_ip_for_special_key",
            "small_liability_exchange",
            "exit_special_key_mode",
            "close_user_data_stream",
            "keepalive_user_data_stream",
            "delete_sub_account_api_key",
            "close_user_data_stream_v2",
            "keepalive_user_data_stream_v2",
            "user_data_stream_unsubscribe",
            "create_deposit_address",
        ];
        assert_eq!(silent, expected);
    }

    #[test]
    fn an_example_of_a_read_is_whole() {
        for operation in all().into_iter().flat_map(crate::Spec::operations) {
            let example = operation.example(&Given::default());
            assert_eq!(operation.lacks(example.as_ref()), None, "{}", operation.id);
        }
    }
}
