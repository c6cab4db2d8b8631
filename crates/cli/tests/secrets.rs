//! Nothing secret is printed unless it is asked for by name: a marker in every secret, and every command with both kinds of output.
#![cfg(unix)]

mod common;

use common::{World, texts};

/// Commands over all venues, those that fail included.
const COMMANDS: &[&[&str]] = &[
    &["describe", "kalshi"],
    &["config", "show"],
    &["config", "schema"],
    &["doctor", "bayse/local"],
    &["doctor", "deribit/local"],
    &["doctor", "kalshi/local", "--ask-other-environments"],
    &["doctor", "yativo/local"],
    &["doctor", "kalshi-perps/local"],
    &["sign", "bayse/local", "POST", "/v1/pm/orders"],
    &["sign", "deribit/local", "GET", "/api/v2/private/get_account_summary"],
    &["sign", "kalshi/local", "GET", "/trade-api/v2/portfolio/balance"],
    &["sign", "yativo/local", "GET", "/api/v1/accounts/get-accounts"],
    &["call", "bayse/local", "get_portfolio"],
    &["call", "bayse/local", "list_api_keys"],
    &["call", "bayse/local", "list_api_keys", "--dry-run"],
    &["call", "bayse/local", "create_api_key", "name=a", "--yes"],
    &["call", "bayse/local", "create_api_key", "name=a", "--yes", "--secrets-to", "bayse-KIND.json"],
    &["call", "bayse/local", "login", "email=trader@example.com", "password=MARKER-password", "--dry-run"],
    &["call", "bayse/local", "login", "email=trader@example.com", "password=MARKER-password", "--yes"],
    &[
        "call",
        "bayse/local",
        "login",
        "email=trader@example.com",
        "password=MARKER-password",
        "--yes",
        "--secrets-to",
        "login-KIND.json",
    ],
    &[
        "call",
        "deribit/local",
        "auth",
        "grant_type=client_credentials",
        "client_id=AbCdEfGh",
        "client_secret=MARKER-client-secret",
        "--dry-run",
    ],
    &[
        "call",
        "deribit/local",
        "auth",
        "grant_type=client_credentials",
        "client_id=AbCdEfGh",
        "client_secret=MARKER-client-secret",
        "--yes",
        "--secrets-to",
        "auth-KIND.json",
    ],
    &["call", "deribit/local", "list_api_keys", "--secrets-to", "keys-KIND.json"],
    &["call", "deribit/local", "get_account_summary", "currency=BTC", "--dry-run"],
    &["call", "kalshi/local", "get_balance", "--dry-run"],
    &["call", "kalshi/local", "get_api_keys"],
    &["call", "kalshi/local", "generate_api_key", "name=a", "--yes", "--secrets-to", "kalshi-KIND.json"],
    &["call", "kalshi/local", "get_balance", "limit=MARKER"],
    &["call", "yativo/local", "list_accounts"],
    &["call", "yativo/local", "list_accounts", "--dry-run"],
    &[
        "call",
        "yativo/local",
        "exchange_api_key_for_token",
        "api_key=x",
        "api_secret=MARKER",
        "--yes",
        "--secrets-to",
        "token-KIND.json",
    ],
    &["call", "yativo/local", "exchange_api_key_for_token", "api_key=x", "api_secret=MARKER", "--dry-run"],
    &["verify-signature", "bayse/local", "--headers", "captured.txt"],
    &["verify-signature", "deribit/local", "--headers", "captured.txt"],
    &["verify-signature", "kalshi/local", "--headers", "captured.txt", "--key-file", "kalshi.pem"],
    &["totp", "code", "yativo/local"],
    &["totp", "code", "kalshi/local", "--totp-fd", "0"],
    &["call", "kalshi/local", "get_balance", "--key", "bot"],
    &["man"],
    &["completions", "bash"],
];

#[test]
fn no_command_prints_a_secret() {
    let world = World::new("secrets");
    let capture = "POST /v1/pm/orders HTTP/1.1\nx-public-key: a\nx-timestamp: 1730000000\nx-signature: AAAA\n\
                   authorization: deri-hmac-sha256 id=a,ts=1730000000000,nonce=n,sig=00\n\
                   kalshi-access-key: a\nkalshi-access-timestamp: 1730000000000\nkalshi-access-signature: AAAA\n";
    std::fs::write(world.home.join("captured.txt"), capture).unwrap();
    for command in COMMANDS {
        for kind in ["text", "json"] {
            let mut arguments: Vec<String> = command.iter().map(|one| one.replace("KIND", kind)).collect();
            arguments.extend((kind == "json").then(|| "--json".to_owned()));
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            // What the person typed may be echoed to the person; what the command knows may not.
            let typed = arguments.contains(&"limit=MARKER");
            let output = world.venuekit(&arguments);
            let (stdout, stderr) = texts(&output);
            for secret in world.secrets.iter().filter(|secret| !(typed && secret.as_str() == common::MARKER)) {
                assert!(!stdout.contains(secret), "{arguments:?} prints a secret: {stdout}");
                assert!(!stderr.contains(secret), "{arguments:?} prints a secret: {stderr}");
            }
            assert!(!stderr.contains("panicked") && output.status.code().is_some(), "{arguments:?}: {stderr}");
            if kind == "json" && output.status.success() {
                assert_eq!(stdout.lines().count(), 1, "{arguments:?}: one document");
                assert!(serde_json::from_str::<serde_json::Value>(&stdout).is_ok(), "{arguments:?}: {stdout}");
            }
            if kind == "json" && !output.status.success() && !stderr.is_empty() {
                let last = stderr.lines().last().unwrap();
                assert!(serde_json::from_str::<serde_json::Value>(last).is_ok(), "{arguments:?}: {stderr}");
            }
        }
    }
    // The secrets went where they were sent.
    for file in ["bayse-text.json", "login-text.json", "auth-text.json", "kalshi-json.json"] {
        let text = std::fs::read_to_string(world.home.join(file)).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{file}: {text}");
    }
}

#[test]
fn a_secret_is_printed_where_it_is_asked_for_by_name() {
    let world = World::new("shown");
    let shown = |arguments: &[&str]| texts(&world.venuekit(arguments)).0;
    let made = shown(&["call", "bayse/local", "create_api_key", "name=a", "--yes", "--show-secrets"]);
    assert!(made.contains("sk_live_"), "{made}");
    let signed = shown(&["sign", "yativo/local", "GET", "/api/v1/accounts/get-accounts", "--show-secrets"]);
    assert!(signed.contains(common::MARKER), "{signed}");
}
