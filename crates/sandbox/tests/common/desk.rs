//! Callers that make many calls: one HTTP client, Basic or signed credentials, and numbers without loss.

#![allow(dead_code, reason = "each test binary uses its part")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use venuekit_sandbox::{Accounts, DeribitKey, Sandbox};

use crate::spec::Spec;

/// Some accounts of Deribit, whose responses are held against the spec, unknown members included.
pub struct Desk {
    pub sandbox: Sandbox,
    client: reqwest::Client,
    spec: Spec,
}

impl Desk {
    pub async fn new(accounts: usize) -> Self {
        let key = |number: usize| DeribitKey {
            client_id: format!("account-{number}"),
            client_secret: Some(format!("secret-{number}")),
            ..DeribitKey::default()
        };
        let deribit = (0..accounts).map(key).collect();
        let sandbox = Sandbox::start(Accounts { deribit, ..Accounts::default() }).await.unwrap();
        Self { sandbox, client: reqwest::Client::new(), spec: Spec::of("deribit") }
    }

    /// The result, or the number of the error.
    pub async fn try_call(&self, account: usize, method: &str, params: Value) -> Result<Value, i64> {
        let pair = STANDARD.encode(format!("account-{account}:secret-{account}"));
        self.try_call_with(&format!("Basic {pair}"), method, params).await
    }

    pub async fn try_call_with(&self, authorization: &str, method: &str, params: Value) -> Result<Value, i64> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = self.client.post(format!("{}/{method}", self.sandbox.deribit_url())).json(&body);
        let response = request.header("authorization", authorization).send().await.unwrap();
        let mut answer: Value = response.json().await.unwrap();
        if let Some(code) = answer["error"]["code"].as_i64() {
            return Err(code);
        }
        if let Err(problem) = self.spec.conforms(method, &answer) {
            panic!("{method} {params}: {problem}");
        }
        Ok(answer["result"].take())
    }

    #[track_caller]
    pub fn call<'a>(&'a self, account: usize, method: &'a str, params: Value) -> impl Future<Output = Value> + 'a {
        let at = std::panic::Location::caller();
        async move {
            let answer = self.try_call(account, method, params.clone()).await;
            answer.unwrap_or_else(|code| panic!("{method} {params} at {at}: error {code}"))
        }
    }
}
