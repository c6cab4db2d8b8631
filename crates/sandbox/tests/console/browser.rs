//! The page in a headless Chromium, driven over the WebDriver protocol.
//!
//! Without `chromedriver` this is skipped, unless `VENUEKIT_CHROMIUM` is `required`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use venuekit_sandbox::Sandbox;

use crate::client::sandbox;
use crate::common::{Kalshi, Signature, now_millis, send};

const PATIENCE: Duration = Duration::from_secs(60);
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own, which ends with this value.
struct Browser {
    driver: Child,
    http: Client,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// None where there is no Chromium and none is required.
    async fn start() -> Option<Self> {
        let started = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut driver = match started {
            Ok(driver) => driver,
            Err(error) if std::env::var("VENUEKIT_CHROMIUM").is_ok_and(|wanted| wanted == "required") => {
                panic!("chromedriver: {error}");
            }
            Err(error) => {
                #[allow(clippy::print_stderr, reason = "what is skipped is to be seen")]
                {
                    eprintln!(
                        "SKIPPED: the console in a browser (chromedriver: {error}; apt-get install chromium chromium-driver)"
                    );
                }
                return None;
            }
        };
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines
            .filter_map(|line| {
                line.rsplit_once("successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned())
            })
            .next();
        let base = format!("http://127.0.0.1:{}", port.expect("chromedriver names its port"));
        let profile = tempfile::tempdir().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1400,900",
            &folder,
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"}}}});
        let http = Client::builder().no_proxy().build().unwrap();
        let made: Value =
            http.post(format!("{base}/session")).json(&capabilities).send().await.unwrap().json().await.unwrap();
        let id = made["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{made}"));
        Some(Self { driver, http, session: format!("{base}/session/{id}"), _profile: profile })
    }

    async fn ask(&self, path: &str, body: Value) -> Value {
        let response = self.http.post(format!("{}/{path}", self.session)).json(&body).send().await.unwrap();
        response.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let mut json = self.ask(path, body).await;
        assert!(json["value"]["error"].is_null(), "{path}: {json}");
        json["value"].take()
    }

    async fn open(&self, url: &str) {
        self.post("url", json!({"url": url})).await;
    }

    /// The value of an expression of JavaScript.
    async fn value(&self, expression: &str) -> Value {
        self.post("execute/sync", json!({"script": format!("return {expression};"), "args": []})).await
    }

    /// Waits until the text of what a selector finds has a text in it. Gives the whole.
    async fn text(&self, selector: &str, wanted: &str) -> String {
        let started = Instant::now();
        let find =
            format!("[...document.querySelectorAll({})].map((one) => one.innerText).join('\\n')", json!(selector));
        loop {
            let text = self.value(&find).await.as_str().unwrap_or_default().to_owned();
            if text.contains(wanted) {
                return text;
            }
            assert!(started.elapsed() < PATIENCE, "{selector} has no `{wanted}`: {text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn element(&self, selector: &str) -> String {
        let found = self.post("element", json!({"using": "css selector", "value": selector})).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    async fn click(&self, selector: &str) {
        // The page puts a new element in the place of one whose entry changes, also after it was found here.
        let started = Instant::now();
        loop {
            let element = self.element(selector).await;
            let clicked = self.ask(&format!("element/{element}/click"), json!({})).await;
            match clicked["value"]["error"].as_str() {
                None => return,
                Some("stale element reference") if started.elapsed() < PATIENCE => {}
                Some(_) => panic!("{selector}: {clicked}"),
            }
        }
    }

    async fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.post(&format!("element/{element}/value"), json!({"text": text})).await;
    }

    /// What the console of the browser has to complain about.
    async fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", json!({"type": "browser"})).await;
        let lines = log.as_array().unwrap().iter().filter(|line| line["level"] == "SEVERE");
        lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    async fn end(mut self) {
        let _ = self.http.delete(&self.session).send().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
    }
}

#[tokio::test]
async fn the_page_shows_requests_explains_signatures_and_calls() {
    let Some(browser) = Browser::start().await else { return };
    let sandbox = sandbox().await;
    browser.open(&sandbox.console_url()).await;
    browser.text("#log", "No requests yet").await;
    log(&browser, &sandbox).await;
    reference(&browser).await;
    state(&browser, &sandbox).await;
    keyboard(&browser).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.end().await;
}

/// A request of an independent client appears, and a wrong signature is explained.
async fn log(browser: &Browser, sandbox: &Sandbox) {
    let key = Kalshi::given(sandbox, 1);
    key.call("GET", "/trade-api/v2/portfolio/balance", "").await.expect(200);
    // The entry is there before its response is.
    let rows = browser.text("#log .rows tbody", "200 accepted").await;
    assert!(rows.contains("GetBalance"), "{rows}");
    let (now, path) = (now_millis(), "/trade-api/v2/portfolio/orders");
    let headers = [
        ("KALSHI-ACCESS-KEY", key.key_id.clone()),
        ("KALSHI-ACCESS-TIMESTAMP", now.to_string()),
        ("KALSHI-ACCESS-SIGNATURE", key.sign(&Signature::Ed25519, &format!("{now}GET{path}?limit=5"))),
    ];
    send(sandbox, "GET", &format!("{path}?limit=5"), &headers, "").await.expect(401);
    browser.text("#log .rows tbody", "Wrong: path").await;
    browser.click("#log .rows tbody tr:first-child button.row").await;
    let detail = browser.text("#log .detail", "the query was signed as well").await;
    assert!(detail.contains(&format!("{now}GET{path}")) && detail.contains(&key.key_id), "{detail}");
    browser.type_into("#log input[type=search]", "balance").await;
    assert_eq!(browser.value("document.querySelectorAll('#log .rows tbody tr').length").await, 1);
}

/// An operation is found, and tried.
async fn reference(browser: &Browser) {
    browser.click("header nav a[data-view=reference]").await;
    browser.text("#reference .list", "operations").await;
    browser.type_into("#reference input[type=search]", "get_balance").await;
    browser.text("#reference .list li:first-child", "get_balance").await;
    browser.click("#reference .list li:first-child a").await;
    let article = browser.text("#reference article", "GET /trade-api/v2/portfolio/balance").await;
    for part in ["scope", "KALSHI-ACCESS-KEY", "retry: safe", "balance_dollars", "curl", "Try it"] {
        assert!(article.contains(part), "no {part}: {article}");
    }
    browser.click("#reference article [role=tab]:nth-child(2)").await;
    browser.click("#reference .try button.primary").await;
    let response = browser.text("#reference .try [role=region]", "balance_dollars").await;
    assert!(response.starts_with("200"), "{response}");
    // Every operation can be shown.
    let count = browser.value("document.querySelectorAll('#reference .list a').length").await;
    assert!(count.as_u64().unwrap() >= 1);
}

/// A fault switch makes the next call fail, and a reset ends it.
async fn state(browser: &Browser, sandbox: &Sandbox) {
    browser.click("header nav a[data-view=state]").await;
    let key = Kalshi::given(sandbox, 1);
    browser.text("#state", &key.key_id).await;
    browser.text("#state .ladder", "spread").await;
    browser.value("(() => { const kind = document.querySelector('#state [aria-label=Faults] select'); kind.value = 'status-503'; kind.dispatchEvent(new Event('change')); })()").await;
    browser.click("#state [aria-label=Faults] button.primary").await;
    browser.text("#state [aria-label=Faults] ul", "status 503").await;
    let answer = key.call("GET", "/trade-api/v2/portfolio/balance", "").await;
    assert_eq!(answer.status, 503);
    browser.text("#state [aria-label=Faults] ul", "struck 1 of 1").await;
    key.call("GET", "/trade-api/v2/portfolio/balance", "").await.expect(200);
    browser.click("#state [aria-label='Market maker'] button").await;
    browser.text("#state [aria-label='Market maker']", "The markets move").await;
    browser.value("(() => { window.confirm = () => true; })()").await;
    browser.click("#state [aria-label=Sandbox] button.danger").await;
    browser.text("#state [aria-label=Faults] ul", "No faults are on").await;
    browser.text("#state [aria-label='Market maker']", "stand still").await;
}

/// Everything can be reached by the keyboard, and has a name.
async fn keyboard(browser: &Browser) {
    for view in ["log", "reference", "state"] {
        browser.click(&format!("header nav a[data-view={view}]")).await;
        let nameless = browser
            .value(
                "[...document.querySelectorAll('a, button, input, select, textarea, [tabindex=\"0\"]')]
                    .filter((one) => one.offsetParent !== null)
                    .filter((one) => !(one.innerText || one.getAttribute('aria-label') || one.labels?.[0]?.innerText || '').trim())
                    .map((one) => one.outerHTML)",
            )
            .await;
        assert_eq!(nameless, json!([]), "{view}");
        let unreachable = browser.value("[...document.querySelectorAll('[onclick]')].length").await;
        assert_eq!(unreachable, 0);
    }
}
