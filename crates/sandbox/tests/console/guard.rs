//! Who may use the console.

use serde_json::{Value, json};

use crate::client::{Console, http, sandbox};

#[tokio::test]
async fn the_page_and_its_files_are_served() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    for (path, kind) in [("", "text/html"), ("style.css", "text/css"), ("main.js", "text/javascript")] {
        let response = console.send("GET", path, None).await;
        assert_eq!(response.status(), 200, "{path}");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind), "{path}");
        assert!(header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        assert!(!response.headers().contains_key("access-control-allow-origin"));
        assert!(!response.text().await.unwrap().is_empty());
    }
    assert_eq!(console.send("GET", "no-such-file", None).await.status(), 404);
    assert_eq!(console.send("GET", "api/no-such-endpoint", None).await.status(), 404);
}

#[tokio::test]
async fn only_who_knows_the_token_is_let_in() {
    let sandbox = sandbox().await;
    let base = sandbox.base_url();
    let own = sandbox.console_url();
    let mut wrong = own.trim_end_matches('/').to_owned();
    let last = wrong.pop().unwrap();
    wrong.push(if last == 'a' { 'b' } else { 'a' });
    for url in [
        format!("{base}/_console"),
        format!("{base}/_console/"),
        format!("{wrong}/"),
        format!("{base}/_console/x/api/state"),
    ] {
        let response = http().get(&url).send().await.unwrap();
        assert_eq!(response.status(), 404, "{url}");
        let body: Value = response.json().await.unwrap();
        assert!(body["error"].as_str().unwrap().contains("the URL of the console"), "{body}");
    }
    assert_ne!(own, crate::client::sandbox().await.console_url(), "each sandbox has a token of its own");
}

#[tokio::test]
async fn other_hosts_are_refused() {
    let sandbox = sandbox().await;
    let (url, base) = (format!("{}api/state", sandbox.console_url()), sandbox.base_url());
    let port = base.rsplit(':').next().unwrap();
    let status = |host: String| {
        let request = http().get(&url).header("host", host);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "127.0.0.1", "localhost:1"] {
        assert_eq!(status(host.to_owned()).await, 421, "{host}");
    }
    assert_eq!(status(format!("evil.example:{port}")).await, 421, "a name that was pointed at this machine");
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"] {
        assert_eq!(status(format!("{host}:{port}")).await, 200, "{host}");
    }
}

#[tokio::test]
async fn other_origins_and_forms_are_refused() {
    let sandbox = sandbox().await;
    let url = format!("{}api/reset", sandbox.console_url());
    let base = sandbox.base_url();
    let post = |headers: &[(&str, &str)]| {
        let request =
            headers.iter().fold(http().post(&url).body("null"), |request, (name, value)| request.header(*name, *value));
        async move { request.send().await.unwrap().status().as_u16() }
    };
    let json = ("content-type", "application/json");
    for origin in ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", "file://"] {
        assert_eq!(post(&[json, ("origin", origin)]).await, 403, "{origin}");
    }
    assert_eq!(post(&[json, ("sec-fetch-site", "cross-site")]).await, 403);
    assert_eq!(post(&[json, ("sec-fetch-site", "same-site")]).await, 403);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        assert_eq!(post(&[("content-type", kind)]).await, 415, "{kind}");
    }
    assert_eq!(post(&[json, ("origin", &base), ("sec-fetch-site", "same-origin")]).await, 200);
    let preflight =
        http().request(reqwest::Method::OPTIONS, &url).header("origin", "http://evil.example").send().await.unwrap();
    assert!(!preflight.status().is_success(), "there is no CORS");
    let console = Console::of(&sandbox);
    assert_eq!(console.send("POST", "api/clock", Some(&json!({"offset_millis": 1e15 as i64}))).await.status(), 400);
    assert_eq!(console.send("POST", "api/faults", Some(&json!({"fault": "explode"}))).await.status(), 400);
    assert_eq!(
        console.send("POST", "api/faults", Some(&json!({"fault": "drop-after", "venue": "nyse"}))).await.status(),
        400
    );
}

#[tokio::test]
async fn venues_are_not_affected_by_the_console() {
    let sandbox = sandbox().await;
    let response = http().get(format!("{}/_consoles", sandbox.base_url())).send().await.unwrap();
    assert_eq!(response.json::<Value>().await.unwrap()["error"], "no venue is served at this path");
    let health =
        http().get(format!("{}/health", sandbox.base_url())).header("origin", "http://evil.example").send().await;
    assert_eq!(health.unwrap().status(), 200);
}
