use serde_json::{Map, Value, json};

use super::*;

#[test]
fn every_answer_that_is_made_up_keeps_to_its_schema() {
    for spec in all() {
        assert!(spec.operations().len() > 0, "{}", spec.venue);
        for operation in spec.operations() {
            let example = operation.example(&Given::default());
            assert_eq!(example.is_some(), operation.answer.is_some());
            let checked = example.as_ref().zip(operation.answer.as_ref()).map(|(value, schema)| schema.check(value));
            if let Some(Err(error)) = checked {
                panic!("{} {}: {}: {error}", spec.venue, operation.id, error.instance_path());
            }
            assert_eq!(example, operation.example(&Given::default()), "the same every time");
        }
    }
}

#[test]
fn an_answer_that_is_made_up_is_no_failure_and_the_last_page() {
    for spec in all() {
        for operation in spec.operations() {
            let Some(value) = operation.example(&Given::default()) else { continue };
            for failing in operation.refused.iter() {
                let said = value.pointer(&failing.at);
                assert!(!said.is_some_and(|said| failing.fits(&failing.at, said)), "{} {}", spec.venue, operation.id);
            }
            if let Some(operation::Page::Next(at)) = &operation.page {
                let next = value.pointer(&format!("/{}", at.replace('.', "/")));
                assert!(next.is_none_or(|next| next == ""), "{} {}", spec.venue, operation.id);
            }
        }
    }
}

/// Members of responses that say whether more of a list is to come, and those that lead there.
const MORE: [&str; 3] = ["has_more", "hasMore", "has_next"];
const MARKS: [&str; 6] = ["continuation", "cursor", "next_cursor", "nextCursor", "next_page_token", "next_start_id"];

fn leads_on(value: &Value) -> Option<String> {
    match value {
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let says_more = MORE.contains(&name.as_str()) && *member != json!(false);
            let has_mark = MARKS.contains(&name.as_str()) && *member != json!("");
            if says_more || has_mark { Some(format!("{name}: {member}")) } else { leads_on(member) }
        }),
        Value::Array(items) => items.iter().find_map(leads_on),
        _ => None,
    }
}

#[test]
fn no_list_that_is_made_up_says_that_more_is_to_come() {
    for spec in all() {
        for operation in spec.operations() {
            let Some(value) = operation.example(&Given::default()) else { continue };
            assert_eq!(leads_on(&value), None, "{} {}", spec.venue, operation.id);
            assert!(operation.answer.as_ref().is_none_or(|schema| schema.check(&value).is_ok()), "{}", operation.id);
        }
    }
    // What the request gives does not lead on either.
    let mut given = Given::default();
    given.add("continuation", &json!("more"));
    given.add("cursor", &json!("more"));
    for operation in all().into_iter().flat_map(Spec::operations) {
        let value = operation.example(&given).unwrap_or_default();
        assert_eq!(leads_on(&value), None, "{}", operation.id);
    }
}

#[test]
fn the_page_after_the_last_one_is_empty() {
    let mut tried = 0;
    for operation in all().into_iter().flat_map(Spec::operations) {
        let Some(operation::Page::Empty { param, first, items }) = &operation.page else { continue };
        let list = |asked: i64| {
            let mut given = Given::default();
            given.add(param, &json!(asked));
            let value = operation.example(&given).unwrap();
            let at = if items.is_empty() { String::new() } else { format!("/{}", items.replace('.', "/")) };
            value.pointer(&at).and_then(Value::as_array).unwrap().len()
        };
        assert_eq!((list(*first), list(first + 1)), (1, 0), "{}", operation.id);
        tried += 1;
    }
    assert!(tried > 0);
}

#[test]
fn every_request_that_is_made_up_is_accepted() {
    for spec in all() {
        for with_optional in [false, true] {
            for (operation, request) in spec.operations().zip(example_requests(spec.venue, with_optional)) {
                let checked = operation.check(&sent(&request));
                let place = format!("{} {}", spec.venue, operation.id);
                assert!(checked.is_ok(), "{place}: {}", checked.err().map(|problem| problem.to_string()).unwrap());
                let found = spec.find(&request.method.parse().unwrap(), &below(spec, &request));
                assert_eq!(found.map(|found| found.id.as_str()), Ok(operation.id.as_str()), "{place}");
            }
        }
    }
}

#[test]
fn an_answer_names_what_the_request_names_and_stays_good() {
    for spec in all() {
        for (operation, request) in spec.operations().zip(example_requests(spec.venue, true)) {
            let given = operation.check(&sent(&request)).ok().unwrap();
            if let (Some(value), Some(schema)) = (operation.example(&given), &operation.answer) {
                assert!(schema.check(&value).is_ok(), "{} {}", spec.venue, operation.id);
            }
        }
    }
    let operation = KALSHI.method("GetOrder").unwrap();
    let mut given = Given::default();
    given.add_path("order_id", "mine-1".to_owned(), &json!("mine-1"), true);
    assert_eq!(operation.example(&given).unwrap()["order"]["order_id"], "mine-1");
}

fn below(spec: &Spec, request: &ExampleRequest) -> String {
    path(request)[spec.prefix.len()..].to_owned()
}

fn path(request: &ExampleRequest) -> String {
    let fill = |path: String, (name, value): &(String, String)| path.replace(&format!("{{{name}}}"), value);
    request.path.iter().fold(request.template.clone(), fill)
}

/// The request as it arrives.
fn sent(request: &ExampleRequest) -> Request {
    let mut headers = http::HeaderMap::new();
    let content_type = ("content-type".to_owned(), request.content_type().to_owned());
    for (name, value) in request.headers.iter().chain(request.body.iter().map(|_| &content_type)) {
        headers.insert(http::HeaderName::try_from(name.as_str()).unwrap(), value.parse().unwrap());
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
    Request {
        method: request.method.parse().unwrap(),
        path: path(request),
        query: Some(query),
        headers,
        body: request.body_text().into(),
    }
}

fn spec(document: Value) -> Spec {
    Spec::read("things", document.to_string().leak())
}

fn things() -> Spec {
    let thing = json!({
        "type": "object",
        "required": ["items", "note"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
            "note": {"type": "string", "nullable": true},
            "size": {"type": "number", "minimum": 0, "exclusiveMinimum": true},
            "price": {"oneOf": [{"type": "number"}, {"type": "string", "enum": ["market"]}]},
            "token": {"type": "string", "format": "secret", "minLength": 4},
        },
    });
    let item = json!({
        "type": "object",
        "required": ["price"],
        "properties": {
            "price": {"type": "string", "format": "decimal"},
            "side": {"type": "string", "enum": ["buy", "sell"]},
            "inner": {"$ref": "#/components/schemas/Item"},
        },
        "additionalProperties": false,
    });
    let operation = |id: &str| json!({"operationId": id, "responses": {"200": {}}});
    let mut post = operation("post");
    post["requestBody"] = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
    let mut get = operation("get");
    get["parameters"] = json!([
        {"in": "path", "name": "id", "required": true, "schema": {"type": "string", "pattern": "^[a-z]+$"}},
        {"in": "query", "name": "limit", "required": true, "schema": {"type": "integer", "maximum": 10}},
        {"in": "query", "name": "sizes", "schema": {"type": "array", "items": {"type": "integer"}}},
        {"in": "header", "name": "x-mode", "schema": {"type": "string", "enum": ["fast"]}},
    ]);
    spec(json!({
        "components": {"schemas": {"Thing": thing, "Item": item}},
        "paths": {
            "/things": {"post": post},
            "/things/{id}": {"get": get, "delete": operation("delete")},
            "/things/all": {"get": operation("all")},
        },
    }))
}

fn request(method: &str, path: &str, query: &str, body: &str) -> Request {
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", "application/json; charset=utf-8".parse().unwrap());
    Request {
        method: method.parse().unwrap(),
        path: path.to_owned(),
        query: Some(query.to_owned()),
        headers,
        body: body.to_owned().into(),
    }
}

#[test]
fn a_literal_segment_wins_and_a_wrong_method_is_named() {
    let spec = things();
    let find = |method: &str, path: &str| {
        spec.find(&method.parse().unwrap(), path)
            .map(|operation| operation.id.as_str())
            .map_err(|problem| problem.to_string())
    };
    assert_eq!(find("GET", "/things/all"), Ok("all"));
    assert_eq!(find("GET", "/things/al%6C"), Ok("all"));
    assert_eq!(find("GET", "/things/other"), Ok("get"));
    assert_eq!(find("DELETE", "/things/all"), Ok("delete"), "the literal one has no such method");
    assert_eq!(find("PUT", "/things/all").unwrap_err(), "method: PUT is not served here, only DELETE and GET");
    for path in ["/things/", "/things/a/b", "/", "/nothing"] {
        assert_eq!(find("GET", path).unwrap_err(), "path: nothing is served here", "{path}");
    }
}

#[test]
fn what_is_wrong_with_a_body_is_said_with_its_place() {
    let spec = things();
    let check = |body: &str| {
        spec.operations().find(|one| one.id == "post").unwrap().check(&request("POST", "/things", "", body))
    };
    for (body, problem) in [
        ("", "body: is required"),
        ("{", "body: is not JSON at line 1 column 1"),
        ("[]", "body: must be an object"),
        (r#"{}"#, "body/items: is required"),
        (r#"{"items": null}"#, "body/items: is required"),
        (r#"{"items": {}}"#, "body/items: must be an array"),
        (r#"{"items": [{"price": "1"}, {}]}"#, "body/items/1/price: is required"),
        (r#"{"items": [{"price": 1}]}"#, "body/items/0/price: must be a string"),
        (r#"{"items": [{"price": "1x"}]}"#, "body/items/0/price: must be a decimal number in a JSON string"),
        (r#"{"items": [{"price": "1", "side": "hold"}]}"#, "body/items/0/side: must be one of buy, sell"),
        (r#"{"items": [], "note": 1}"#, "body/note: must be a string or must be null"),
        (r#"{"items": [], "size": 0}"#, "body/size: must be more than 0"),
        (r#"{"items": [], "price": true}"#, "body/price: must be a number or must be a string"),
        (r#"{"items": [], "token": "abc"}"#, "body/token: must have at least 4 characters"),
    ] {
        assert_eq!(check(body).map(|_| ()).unwrap_err().to_string(), problem, "{body}");
    }
    for body in [r#"{"items": []}"#, r#"{"items": [{"price": "1", "new": 1}], "note": null, "size": null, "more": {}}"#]
    {
        assert_eq!(check(body).map(|_| ()), Ok(()), "{body}");
    }
    let mut plain = request("POST", "/things", "", r#"{"items": []}"#);
    plain.headers.insert("content-type", "text/plain".parse().unwrap());
    let refused = spec.operations().find(|one| one.id == "post").unwrap().check(&plain).map(|_| ());
    assert_eq!(refused.unwrap_err().to_string(), "header/content-type: must be application/json");
}

#[test]
fn what_is_wrong_with_a_parameter_is_said_with_its_name() {
    let spec = things();
    let operation = spec.operations().find(|one| one.id == "get").unwrap();
    let check = |path: &str, query: &str| {
        let checked = operation.check(&request("GET", path, query, ""));
        checked.map(|_| ()).map_err(|problem| problem.to_string())
    };
    assert_eq!(check("/things/a", "limit=3&sizes=1&sizes=2&unknown=x"), Ok(()));
    for (path, query, problem) in [
        ("/things/A", "limit=3", "path/id: must match ^[a-z]+$"),
        ("/things/a%2Fb", "limit=3", "path/id: must match ^[a-z]+$"),
        ("/things/a", "", "query/limit: is required"),
        ("/things/a", "limit=", "query/limit: is required"),
        ("/things/a", "limit=x", "query/limit: must be an integer"),
        ("/things/a", "limit=11", "query/limit: must be at most 10"),
        ("/things/a", "limit=1&sizes=1&sizes=x", "query/sizes/1: must be an integer"),
    ] {
        assert_eq!(check(path, query).unwrap_err(), problem, "{path} {query}");
    }
    let mut slow = request("GET", "/things/a", "limit=1", "");
    slow.headers.insert("x-mode", "slow".parse().unwrap());
    let refused = operation.check(&slow).map(|_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "header/x-mode: must be fast");
    for other in ["é".as_bytes(), b"\xff"] {
        slow.headers.insert("x-mode", http::HeaderValue::from_bytes(other).unwrap());
        assert_eq!(operation.check(&slow).map(|_| ()).unwrap_err(), refused);
    }
}

#[test]
fn a_schema_that_contains_itself_is_filled_once() {
    let spec = things();
    let operation = spec.operations().find(|one| one.id == "post").unwrap();
    let body = example::request_value(operation.body.as_ref().unwrap(), "", true);
    assert_eq!(body["items"], json!([{"price": "1.0000", "side": "buy"}]));
    let least = example::request_value(operation.body.as_ref().unwrap(), "", false);
    assert_eq!(least.as_object().map(Map::len), Some(2));
}

#[test]
fn every_operation_can_be_described() {
    let mut secrets = 0;
    for operation in all().into_iter().flat_map(Spec::operations) {
        assert!(!operation.summary.is_empty(), "{}", operation.id);
        for field in operation.fields() {
            assert!(!field.schema.kind().is_empty(), "{}: {}", operation.id, field.name);
        }
        secrets += usize::from(operation.answers_with_secret());
    }
    assert!(secrets > 10, "{secrets}");
    let made = KALSHI.named("generate_api_key").unwrap();
    let names = made.answer.as_ref().unwrap().secret_names();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["private_key"]);
    assert!(!KALSHI.named("get_balance").unwrap().answers_with_secret());
}

#[test]
fn what_a_body_does_not_know_is_found_wherever_it_stands() {
    let spec = things();
    let body = spec.method("post").unwrap().body.as_ref().unwrap();
    let value = json!({"items": [{"price": "1"}, {"prise": "1", "inner": {"sid": 1}}], "notes": 1});
    assert_eq!(body.unknown_members(&value), ["items/1/inner/sid", "items/1/prise", "notes"]);
    assert_eq!(body.at("items/0/price").map(|schema| schema.kind()).as_deref(), Some("decimal"));
    assert!(body.at("items/x/price").is_none() && body.at("").is_some());
    let none = KALSHI.named("confirm_quote").unwrap().body.as_ref().unwrap();
    assert_eq!(none.unknown_members(&json!({"quote_id": "x"})), ["quote_id"], "it is said to have no members");
}

#[test]
fn what_a_venue_also_accepts_passes() {
    let body = |name: &str| {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        json!({"operationId": name, "responses": {"200": {}}, "requestBody": {"content": {"application/json": {"schema": schema}}}})
    };
    let rest = spec(json!({
        "x-no-body": true,
        "components": {"schemas": {
            "Thing": {
                "type": "object",
                "required": ["size", "side"],
                "properties": {"size": {"type": "integer"}, "side": {"$ref": "#/components/schemas/Side"}},
                "x-also": {"type": "object", "required": ["old"]},
            },
            "Side": {"type": "string", "enum": ["buy", "sell"], "x-also": {"type": "integer"}},
            "Nothing": {"type": "object"},
        }},
        "paths": {"/things": {"post": body("Thing")}, "/nothing": {"post": body("Nothing")}},
    }));
    let check = |id: &str, body: &str| {
        let checked = rest.method(id).unwrap().check(&request("POST", "/", "", body));
        checked.map(|_| ()).map_err(|problem| problem.to_string())
    };
    for good in [r#"{"size": 1, "side": "buy"}"#, r#"{"size": 1, "side": 7}"#, r#"{"old": true}"#] {
        assert_eq!(check("Thing", good), Ok(()), "{good}");
    }
    assert_eq!(check("Thing", r#"{"size": 1}"#).unwrap_err(), "body/side: is required");
    let other = check("Thing", r#"{"size": 1, "side": "hold"}"#).unwrap_err();
    assert_eq!(other, "body/side: must be one of buy, sell or must be an integer");
    assert_eq!(check("Nothing", ""), Ok(()));
    assert_eq!(check("Thing", "").unwrap_err(), "body/size: is required");

    let rpc = spec(json!({"methods": [{"name": "public/get", "params": [
        {"name": "kind", "required": true, "schema": {"type": "string"}},
        {"name": "currency", "required": true, "x-left-out": true, "schema": {"type": "string"}},
    ]}]}));
    let check = |params: Value| rpc.method("public/get").unwrap().check_params(&params).map(|_| ());
    assert_eq!(check(json!({"kind": "a"})), Ok(()));
    assert!(check(json!({"currency": "a"})).is_err());
}

#[test]
fn paths_of_websockets_are_known() {
    assert!(KALSHI.is_websocket("/trade-api/ws/v2"));
    assert!(KALSHI.is_websocket("/trade-api/ws/v2/?feed=1"));
    assert!(!KALSHI.is_websocket("/trade-api/ws/v2/margin"));
    assert!(KALSHI_PERPS.is_websocket("/trade-api/ws/v2/margin"));
    assert!(DERIBIT.is_websocket("/ws/api/v2"));
    assert!(BAYSE.is_websocket("/ws/v1/user"));
    assert!(!KALSHI.is_websocket("/") && !YATIVO.is_websocket(""));
    for server in all().iter().flat_map(|spec| &spec.servers) {
        assert!(server.websockets.iter().all(|url| url.starts_with("wss://")), "{server:?}");
    }
}

/// A venue that takes parameters in a query or in a form, and lists as JSON text.
const FORMS: &str = r##"{
    "paths": {"/order": {
        "get": {
            "operationId": "GetOrders",
            "parameters": [{"name": "symbols", "in": "query", "content": {"application/json": {
                "schema": {"type": "array", "items": {"type": "string", "enum": ["A", "B"]}}
            }}}],
            "responses": {"200": {}}
        },
        "post": {
            "operationId": "CreateOrder",
            "requestBody": {"required": true, "content": {"application/x-www-form-urlencoded": {
                "schema": {"$ref": "#/components/schemas/NewOrder"}
            }}},
            "responses": {"200": {}}
        },
        "delete": {
            "operationId": "CancelOrder",
            "parameters": [{"name": "orderId", "in": "query", "required": true, "schema": {"type": "integer"}}],
            "responses": {"200": {}}
        }
    }},
    "components": {"schemas": {"NewOrder": {
        "type": "object",
        "properties": {
            "symbol": {"type": "string", "enum": ["A", "B"]},
            "count": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}}
        },
        "required": ["symbol", "count"]
    }}}
}"##;

fn form_request(method: http::Method, query: Option<&str>, body: &str) -> Request {
    let mut headers = http::HeaderMap::new();
    if !body.is_empty() {
        let form = http::HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        headers.insert(http::header::CONTENT_TYPE, form);
    }
    let body = bytes::Bytes::copy_from_slice(body.as_bytes());
    Request { method, path: "/order".to_owned(), query: query.map(str::to_owned), headers, body }
}

#[test]
fn parameters_stand_in_the_query_or_in_a_form() {
    let spec = Spec::read("forms", FORMS);
    let check = |method: http::Method, query: Option<&str>, body: &str| {
        let request = form_request(method, query, body);
        let operation = spec.find(&request.method, &request.path).unwrap();
        operation.problems(&request).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let post = http::Method::POST;
    let good = "symbol=A&count=5&tags=%5B%22x%22%5D&signature=ff";
    assert!(check(post.clone(), Some(good), "").is_empty());
    assert!(check(post.clone(), None, good).is_empty());
    assert!(check(post.clone(), Some("symbol=A"), "symbol=C&count=5").is_empty(), "the query wins");
    assert_eq!(check(post.clone(), None, "symbol=A"), ["body/count: is required"]);
    assert_eq!(check(post.clone(), None, "symbol=A&count="), ["body/count: is required"]);
    assert!(check(post.clone(), None, "symbol=A&count=x")[0].starts_with("body/count: "));
    assert!(check(post, None, "symbol=C&count=1")[0].starts_with("body/symbol: "));
    assert!(check(http::Method::DELETE, None, "orderId=7").is_empty());
    assert_eq!(check(http::Method::DELETE, None, "other=7"), ["query/orderId: is required"]);
}

#[test]
fn a_list_is_written_as_json_text() {
    let spec = Spec::read("forms", FORMS);
    let check = |query: &str| {
        let request = form_request(http::Method::GET, Some(query), "");
        spec.find(&request.method, &request.path).unwrap().problems(&request).len()
    };
    assert_eq!(check("symbols=%5B%22A%22,%22B%22%5D"), 0);
    for wrong in ["symbols=A", "symbols=A&symbols=B", "symbols=%5B%22C%22%5D", "symbols=%5B%22A%22"] {
        assert_eq!(check(wrong), 1, "{wrong}");
    }
    let parameter = &spec.named("get_orders").unwrap().parameters[0];
    assert!(parameter.json);
    assert!(spec.named("create_order").unwrap().form);
}

#[test]
fn paths_are_below_that_of_the_servers() {
    for (url, prefix) in [
        ("https://a.test", ""),
        ("https://a.test/", ""),
        ("https://a.test/api/v2", "/api/v2"),
        ("https://a.test:9100/x", "/x"),
    ] {
        let spec = spec(json!({ "servers": [{ "url": url, "x-environment": "production" }] }));
        assert_eq!(spec.prefix, prefix, "{url}");
        assert!(spec.servers[0].is_at("a.test"), "{url}");
    }
    assert_eq!(spec(json!({})).prefix, "");
}
