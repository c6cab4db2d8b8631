//! Sends a request that was made from a spec, signed as its venue wants it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use venuekit_sandbox::{Accounts, ExampleRequest, Sandbox, example_requests};

use crate::common::{Bayse, Kalshi, Signature, now_millis};

/// A caller of one venue.
pub struct Caller {
    pub venue: &'static str,
    pub sandbox: Sandbox,
    client: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
    /// Whether it says that it is an example.
    pub is_example: bool,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

/// How a request is sent.
#[derive(Clone, Copy)]
pub struct Manner {
    pub content_type: &'static str,
    pub with_credentials: bool,
}

pub const USUAL: Manner = Manner { content_type: "application/json", with_credentials: true };

impl Caller {
    pub async fn new(venue: &'static str) -> Self {
        let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
        Self { venue, sandbox, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// The response to an operation with the required values, some of them replaced.
    pub async fn call(&self, operation: &str, values: Value) -> Value {
        let mut request =
            example_requests(self.venue, false).into_iter().find(|one| one.operation == operation).unwrap();
        replace(&mut request, &values, true);
        let answer = self.send(&request, USUAL).await;
        assert_eq!(answer.status, request.status, "{operation}: {}", answer.text);
        answer.json()
    }

    pub async fn send(&self, request: &ExampleRequest, manner: Manner) -> Answer {
        let path = path(request);
        let body = self.body(request);
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
        let (query, body) = self.with_parameters(request, manner, query, body);
        let separator = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{separator}{query}", self.sandbox.base_url());
        let mut sent = self.client.request(request.method.parse().unwrap(), url);
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        if manner.with_credentials {
            for (name, value) in self.credentials(request, &path, &query, &body) {
                sent = sent.header(name, value);
            }
        }
        if request.body.is_some() {
            let is_usual = manner.content_type == USUAL.content_type;
            let content_type = if is_usual { request.content_type() } else { manner.content_type };
            sent = sent.header("content-type", content_type).body(body);
        }
        let response = sent.send().await.unwrap();
        let is_example = response.headers().contains_key("x-sandbox");
        Answer { status: response.status().as_u16(), text: response.text().await.unwrap(), is_example }
    }

    /// Adds time and signature where the venue expects them among the parameters.
    fn with_parameters(
        &self,
        request: &ExampleRequest,
        manner: Manner,
        query: String,
        body: String,
    ) -> (String, String) {
        let is_signed = request.credentials.iter().any(|set| !set.is_empty());
        match self.venue {
            "binance" if is_signed && manner.with_credentials => {
                let caller = crate::binance::Caller::given(&self.sandbox, 0);
                if request.form { (query, caller.signed(&body)) } else { (caller.signed(&query), body) }
            }
            _ => (query, body),
        }
    }

    /// JSON-RPC puts its params into an envelope.
    fn body(&self, request: &ExampleRequest) -> String {
        match (self.venue, &request.body) {
            ("deribit", Some(params)) => {
                json!({"jsonrpc": "2.0", "id": 1, "method": request.operation, "params": params}).to_string()
            }
            _ => request.body_text(),
        }
    }

    fn credentials(
        &self,
        request: &ExampleRequest,
        path: &str,
        query: &str,
        body: &str,
    ) -> Vec<(&'static str, String)> {
        let Some(headers) = request.credentials.iter().find(|set| !set.is_empty()) else { return Vec::new() };
        let headers: BTreeSet<String> = headers.iter().map(|name| name.to_ascii_lowercase()).collect();
        let accounts = self.sandbox.accounts();
        match self.venue {
            "bayse" if headers.contains("x-auth-token") => {
                let account = &accounts.bayse[0];
                vec![("x-auth-token", account.auth_token.clone()), ("x-device-id", account.device_id.clone())]
            }
            "bayse" if headers.contains("x-signature") => {
                Bayse::given(&self.sandbox).sign(now_millis() / 1000, &request.method, path, body).to_vec()
            }
            "bayse" => vec![("x-public-key", accounts.bayse[0].public_key.clone())],
            "binance" => vec![("x-mbx-apikey", accounts.binance[0].api_key.clone())],
            "bybit" => {
                let payload = if request.method == "GET" { query } else { body };
                crate::bybit::Caller::given(&self.sandbox, 0).headers(now_millis(), "5000", payload)
            }
            "yativo" => {
                let bearer = accounts.yativo[0].access_token.clone().unwrap();
                vec![("authorization", format!("Bearer {bearer}")), ("x-2fa-token", "042137".to_owned())]
            }
            "deribit" => {
                let key = &accounts.deribit[0];
                let pair = format!("{}:{}", key.client_id, key.client_secret.as_deref().unwrap());
                vec![("authorization", format!("Basic {}", STANDARD.encode(pair)))]
            }
            _ => {
                let (key, now) = (Kalshi::given(&self.sandbox, 1), now_millis());
                let signature = key.sign(&Signature::Ed25519, &format!("{now}{}{path}", request.method));
                vec![
                    ("kalshi-access-key", key.key_id),
                    ("kalshi-access-timestamp", now.to_string()),
                    ("kalshi-access-signature", signature),
                ]
            }
        }
    }
}

fn path(request: &ExampleRequest) -> String {
    let fill = |path: String, (name, value): &(String, String)| path.replace(&format!("{{{name}}}"), value);
    request.path.iter().fold(request.template.clone(), fill)
}

/// Puts `{path, query, body, needed, needed_query}` values in the place of those that were generated. What is null is left out; what the request does not
/// have stays away unless `add`, but for what is `needed` in the body.
pub fn replace(request: &mut ExampleRequest, values: &Value, add: bool) {
    for (name, value) in members(&values["path"]) {
        let place = request.path.iter_mut().find(|(one, _)| one == name).unwrap();
        place.1 = text(value);
    }
    for (name, value) in members(&values["query"]) {
        let is_there = request.query.iter().any(|(one, _)| one == name);
        request.query.retain(|(one, _)| one != name);
        if !value.is_null() && (add || is_there) {
            request.query.push((name.to_owned(), text(value)));
        }
    }
    for (name, value) in members(&values["needed_query"]) {
        request.query.retain(|(one, _)| one != name);
        request.query.push((name.to_owned(), text(value)));
    }
    let Some(Value::Object(body)) = &mut request.body else { return };
    for (name, value) in members(&values["body"]) {
        let is_there = body.remove(name).is_some();
        if !value.is_null() && (add || is_there) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    body.extend(members(&values["needed"]).map(|(name, value)| (name.to_owned(), value.clone())));
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().map(Map::iter).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
