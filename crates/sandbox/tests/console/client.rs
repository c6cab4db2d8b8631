//! Calls the endpoints of a console.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use venuekit_sandbox::{Accounts, Sandbox};

/// Nothing takes as long, so that a lack of it fails a test instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn sandbox() -> Sandbox {
    Sandbox::start(Accounts::default()).await.unwrap()
}

/// One client for all tests. Each test has a runtime of its own, so that connections are not kept.
pub fn http() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()).clone()
}

/// The console of a sandbox.
pub struct Console {
    url: String,
}

impl Console {
    pub fn of(sandbox: &Sandbox) -> Self {
        Self { url: sandbox.console_url() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = http().request(method, self.url(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.unwrap()
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> impl Future<Output = Value> {
        let sent = http().get(self.url(path)).send();
        let path = path.to_owned();
        async move { ok(sent.await.unwrap(), &path).await }
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        ok(self.send("POST", path, Some(&body)).await, path).await
    }

    pub async fn delete(&self, path: &str) -> Value {
        ok(self.send("DELETE", path, Some(&json!(null))).await, path).await
    }

    /// The first complete entry of the log that fits, as soon as there is one.
    pub async fn entry(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let log = self.get("api/log").await;
            let mut entries = log["entries"].as_array().unwrap().iter().filter(|entry| is_complete(entry));
            if let Some(found) = entries.find(|entry| fits(entry)) {
                return found.clone();
            }
            assert!(started.elapsed() < PATIENCE, "no entry fits: {log:#}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The last entry of the log with all that is known of it, once its credentials were looked at.
    pub async fn last_detail(&self) -> Value {
        let started = Instant::now();
        loop {
            let log = self.get("api/log").await;
            let last = log["entries"].as_array().unwrap().last().expect("an entry")["id"].as_u64().unwrap();
            let detail = self.get(&format!("api/log/{last}")).await;
            if is_complete(&detail) {
                return detail;
            }
            assert!(started.elapsed() < PATIENCE, "the entry says nothing of its credentials: {detail:#}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// An entry changes until its response was sent and its credentials were looked at. Either may be first.
pub fn is_complete(entry: &Value) -> bool {
    entry["verdict"] == "no response" || (entry["verdict"] != "pending" && entry["inspected"] == true)
}

async fn ok(response: Response, path: &str) -> Value {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: no JSON: {text}"))
}

/// A call of "try it".
pub fn call(venue: &str, operation: &str) -> Value {
    json!({"venue": venue, "operation": operation, "credential": 0})
}
