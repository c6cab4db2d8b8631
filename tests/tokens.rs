//! Tokens and sessions: one login for any number of calls, a fresh one when the venue takes the old one no longer, and no storm when
//! it takes none.

#[path = "common/canned.rs"]
mod canned;
#[path = "common/proxy.rs"]
mod proxy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use proxy::{Fault, Proxy, Seen};
use venuekit::keys::{ApiKeys, NewKey};
use venuekit::transport::{ClientBuilder, Connect, RateLimits, RetryPolicy};
use venuekit::{Error, ErrorKind, bayse, deribit, yativo};
use venuekit_sandbox::{Accounts, Sandbox};

const MANY: usize = 50;

const YATIVO_LOGIN: &str = "yativo POST /api/v1/auth/token";
const DERIBIT_LOGIN: &str = "deribit POST /api/v2/public/auth";
const BAYSE_LOGIN: &str = "bayse POST /v1/user/login";

async fn sandbox() -> (Sandbox, Proxy) {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let proxy = Proxy::before(&sandbox.base_url()).await;
    (sandbox, proxy)
}

fn executed(sandbox: &Sandbox, counted: &str) -> u64 {
    sandbox.executed().get(counted).copied().unwrap_or_default()
}

/// A client with a connection for each request, so that each fault meets the request it is meant for.
fn set<C: Connect>(builder: ClientBuilder<C>) -> C {
    let retry = RetryPolicy { first_wait: Duration::from_millis(1), ..RetryPolicy::default() };
    builder
        .http_client(|http| http.pool_max_idle_per_host(0))
        .retry(retry)
        .rate_limits(RateLimits::none())
        .build()
        .unwrap()
}

fn of_yativo(sandbox: &Sandbox, proxy: &Proxy, secret: Option<&str>) -> yativo::Client {
    let account = &sandbox.accounts().yativo[0];
    let credentials = yativo::Credentials::api_key(&account.api_key, secret.unwrap_or(&account.api_secret)).unwrap();
    let environment = yativo::Environment::Custom(format!("{}/api/v1", proxy.base_url));
    set(yativo::Client::builder(environment).credentials(credentials))
}

fn of_deribit(proxy: &Proxy, credentials: Result<deribit::Credentials, Error>) -> deribit::Client {
    let environment = deribit::Environment::Custom(format!("{}/api/v2", proxy.base_url));
    set(deribit::Client::builder(environment).credentials(credentials.unwrap()))
}

/// A client that logs in with the first account's key.
fn deribit_login(sandbox: &Sandbox, proxy: &Proxy, secret: Option<&str>) -> deribit::Client {
    let account = &sandbox.accounts().deribit[0];
    let secret = secret.or(account.client_secret.as_deref()).unwrap();
    of_deribit(proxy, deribit::Credentials::login(&account.client_id, secret))
}

async fn summary(client: &deribit::Client) -> Result<(), Error> {
    let currency = deribit::types::Currency::Btc;
    client.get_account_summary().body_map(|params| params.currency(currency)).send().await.map(drop)
}

async fn buy(client: &deribit::Client) -> Result<(), Error> {
    let call = client.buy().body_map(|params| params.instrument_name("BTC-PERPETUAL").amount("10").price("1000"));
    call.send().await.map(drop)
}

/// Makes as many calls side by side.
async fn side_by_side<T, F>(count: usize, call: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut calls = tokio::task::JoinSet::new();
    (0..count).for_each(|number| drop(calls.spawn(call(number))));
    calls.join_all().await
}

fn logins(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|seen| seen.line.ends_with("/auth") || seen.line.ends_with("/auth/token")).collect()
}

/// The grants that a Deribit client has asked for.
fn grants(seen: &[Seen]) -> Vec<String> {
    let grant = |seen: &&Seen| {
        let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        body["params"]["grant_type"].as_str().unwrap().to_owned()
    };
    logins(seen).iter().map(grant).collect()
}

#[tokio::test]
async fn a_yativo_token_is_fetched_once_for_any_number_of_calls_and_once_after_each_end() {
    let (sandbox, proxy) = sandbox().await;
    let client = Arc::new(of_yativo(&sandbox, &proxy, None));
    for round in 1..=4_u64 {
        let outcomes = side_by_side(MANY, |_| {
            let client = client.clone();
            async move { client.list_accounts().send().await.map(drop) }
        });
        for outcome in outcomes.await {
            outcome.unwrap();
        }
        assert_eq!(executed(&sandbox, YATIVO_LOGIN), round);
        assert_eq!(executed(&sandbox, "yativo GET /api/v1/accounts/get-accounts"), round * MANY as u64);
        // For the venue two hours have passed, for the client none: it does not know that the token has ended.
        sandbox.clock().set_offset_millis(i64::try_from(round).unwrap() * 2 * 3_600_000);
    }
    assert_eq!(logins(&proxy.take_seen()).len(), 4, "none was refused");
}

#[tokio::test]
async fn one_failed_login_costs_none_of_the_calls_that_waited_for_it() {
    let (sandbox, proxy) = sandbox().await;
    let client = Arc::new(of_yativo(&sandbox, &proxy, None));
    proxy.next(Fault::Status(503));
    let outcomes = side_by_side(MANY, |_| {
        let client = client.clone();
        async move { client.list_accounts().send().await.map(drop) }
    });
    for outcome in outcomes.await {
        outcome.unwrap();
    }
    assert_eq!(executed(&sandbox, YATIVO_LOGIN), 1);
}

#[tokio::test]
async fn a_write_with_a_token_that_has_ended_is_executed_once() {
    let (sandbox, proxy) = sandbox().await;
    let client = of_yativo(&sandbox, &proxy, None);
    client.list_accounts().send().await.unwrap();
    sandbox.clock().set_offset_millis(2 * 3_600_000);
    client.create_api_key().body_map(|key| key.key_name("bot")).send().await.unwrap();
    assert_eq!((executed(&sandbox, YATIVO_LOGIN), executed(&sandbox, "yativo POST /api/v1/apikey/generate")), (2, 1));
}

#[tokio::test]
async fn a_deribit_token_is_fetched_once_for_any_number_of_calls_and_once_after_each_end() {
    let (sandbox, proxy) = sandbox().await;
    let account = &sandbox.accounts().deribit[0];
    let secret = account.client_secret.as_deref().unwrap();
    let direct = Proxy::before(&sandbox.base_url()).await;
    let owner = of_deribit(&direct, deribit::Credentials::secret(&account.client_id, secret));
    let new = NewKey::named("bot").scopes(["account:read", "trade:read_write"]);
    let made = owner.keys().create(new).await.unwrap();
    let id: i64 = made.id.parse().unwrap();
    let client_id = made.public_id.clone();
    let client = Arc::new(of_deribit(&proxy, deribit::Credentials::login(client_id, made.secret.clone())));
    for round in 1..=4_u64 {
        // Half of them writes.
        let outcomes = side_by_side(MANY, |number| {
            let client = client.clone();
            async move { if number % 2 == 0 { summary(&client).await } else { buy(&client).await } }
        });
        for outcome in outcomes.await {
            outcome.unwrap();
        }
        assert_eq!(executed(&sandbox, DERIBIT_LOGIN), round);
        let half = round * MANY as u64 / 2;
        assert_eq!(executed(&sandbox, "deribit POST /api/v2/private/buy"), half);
        assert_eq!(executed(&sandbox, "deribit POST /api/v2/private/get_account_summary"), half);
        // A key that is switched off loses its tokens, and when it is switched on again they do not come back.
        owner.disable_api_key().body_map(|params| params.id(id)).send().await.unwrap();
        owner.enable_api_key().body_map(|params| params.id(id)).send().await.unwrap();
    }
    assert_eq!(logins(&proxy.take_seen()).len(), 4, "none was refused");
}

#[tokio::test]
async fn a_wrong_secret_is_every_callers_error_and_one_login() {
    let (sandbox, proxy) = sandbox().await;
    let yativo = Arc::new(of_yativo(&sandbox, &proxy, Some("wr0ng-secret")));
    let errors = side_by_side(MANY, |number| {
        let client = yativo.clone();
        async move {
            match number % 2 {
                0 => client.list_accounts().send().await.map(drop).unwrap_err(),
                _ => client.create_api_key().body_map(|key| key.key_name("bot")).send().await.map(drop).unwrap_err(),
            }
        }
    });
    told_once(&errors.await, &proxy);

    let deribit = Arc::new(deribit_login(&sandbox, &proxy, Some("wr0ng-secret")));
    let errors = side_by_side(MANY, |number| {
        let client = deribit.clone();
        async move { if number % 2 == 0 { summary(&client).await } else { buy(&client).await }.unwrap_err() }
    });
    told_once(&errors.await, &proxy);

    let environment = bayse::Environment::Custom(proxy.base_url.clone());
    let credentials = bayse::Credentials::login(&*sandbox.accounts().bayse[0].email, "wr0ng-secret").unwrap();
    let bayse = Arc::new(set(bayse::Client::builder(environment).credentials(credentials)));
    let errors = side_by_side(MANY, |_| {
        let client = bayse.clone();
        async move { client.list_api_keys().send().await.map(drop).unwrap_err() }
    });
    told_once(&errors.await, &proxy);
}

fn told_once(errors: &[Error], proxy: &Proxy) {
    assert_eq!(errors.len(), MANY);
    for error in errors {
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unauthorized, 1), "{error}");
        assert!(!error.may_have_been_applied() && !error.is_retryable(), "{error}");
        assert!(!format!("{error} {error:?}").contains("wr0ng"), "{error}");
    }
    let seen = proxy.take_seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test]
async fn a_login_that_meets_a_passing_fault_is_repeated_with_the_call_that_needs_it() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::Status(503), Fault::Status(429), Fault::Cut] {
        let (sandbox, proxy) = sandbox().await;
        proxy.next(fault);
        buy(&deribit_login(&sandbox, &proxy, None)).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(executed(&sandbox, "deribit POST /api/v2/private/buy"), 1, "{fault:?}");
        assert_eq!(grants(&proxy.take_seen()), ["client_signature"; 2], "{fault:?}");
    }
}

/// The session name is part of the requested scope. What follows it there requests tokens that live for twelve seconds.
const BRIEF: &str = "bot expires:12";

/// Half of that and a little: they are renewed now.
const DUE: Duration = Duration::from_millis(6_200);

fn deribit_brief(sandbox: &Sandbox, proxy: &Proxy) -> deribit::Client {
    let account = &sandbox.accounts().deribit[0];
    let login = deribit::Credentials::login(&account.client_id, account.client_secret.as_deref().unwrap());
    of_deribit(proxy, login.map(|login| login.session_name(BRIEF)))
}

#[tokio::test]
async fn a_deribit_token_is_renewed_ahead_of_its_end_by_its_refresh_token() {
    let (sandbox, proxy) = sandbox().await;
    let client = Arc::new(deribit_brief(&sandbox, &proxy));
    let give_up = Instant::now() + Duration::from_secs(60);
    let sandbox = Arc::new(sandbox);
    // All the while calls go on, and none fails.
    let outcomes = side_by_side(10, |_| {
        let (client, sandbox) = (client.clone(), sandbox.clone());
        async move {
            while executed(&sandbox, DERIBIT_LOGIN) < 2 && Instant::now() < give_up {
                summary(&client).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            summary(&client).await
        }
    });
    for outcome in outcomes.await {
        outcome.unwrap();
    }
    assert_eq!(grants(&proxy.take_seen()), ["client_signature", "refresh_token"]);
}

/// Has a client begin the renewal of its token, by a call that has no time left and is not sent. Returns what the proxy sees until there
/// are so many grants.
async fn renewed(client: &deribit::Client, proxy: &Proxy, count: usize) -> Vec<Seen> {
    let error = summary(&client.with_timeout(Duration::ZERO)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let give_up = Instant::now() + Duration::from_secs(60);
    let mut seen = proxy.take_seen();
    while grants(&seen).len() < count && Instant::now() < give_up {
        tokio::time::sleep(Duration::from_millis(10)).await;
        seen.extend(proxy.take_seen());
    }
    seen
}

#[tokio::test]
async fn a_refresh_token_that_is_not_taken_is_followed_by_a_login() {
    let (sandbox, proxy) = sandbox().await;
    let client = deribit_brief(&sandbox, &proxy);
    summary(&client).await.unwrap();
    tokio::time::sleep(DUE).await;
    proxy.next(Fault::Answer(400, r#"{"jsonrpc":"2.0","error":{"code":13004,"message":"invalid_credentials"}}"#));
    let seen = renewed(&client, &proxy, 3).await;
    assert_eq!(grants(&seen), ["client_signature", "refresh_token", "client_signature"]);
    buy(&client).await.unwrap();
    assert_eq!(grants(&proxy.take_seen()), [] as [&str; 0]);
    assert_eq!(executed(&sandbox, "deribit POST /api/v2/private/buy"), 1);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_token_that_still_works() {
    let (sandbox, proxy) = sandbox().await;
    let client = deribit_brief(&sandbox, &proxy);
    summary(&client).await.unwrap();
    tokio::time::sleep(DUE).await;
    proxy.next(Fault::ResetBefore);
    let mut seen = renewed(&client, &proxy, 2).await;
    // Calls go on with the old token, and do not try the renewal at once again.
    buy(&client).await.unwrap();
    buy(&client).await.unwrap();
    seen.extend(proxy.take_seen());
    assert_eq!(grants(&seen), ["client_signature", "refresh_token"]);
    assert_eq!(executed(&sandbox, "deribit POST /api/v2/private/buy"), 2);
    assert_eq!(seen.len(), 5, "{seen:?}");
}

fn of_bayse(sandbox: &Sandbox, proxy: &Proxy, limits: RateLimits) -> bayse::Client {
    let account = &sandbox.accounts().bayse[0];
    let credentials = bayse::Credentials::login(&*account.email, &*account.password).unwrap();
    let environment = bayse::Environment::Custom(proxy.base_url.clone());
    bayse::Client::builder(environment).credentials(credentials).rate_limits(limits).build().unwrap()
}

/// A login that is not to be had for now: an error that contains the wait, and nothing was done.
fn is_to_wait(error: &Error) {
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1), "{error}");
    let wait = error.retry_after().unwrap();
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(120), "{wait:?}");
    assert!(!error.may_have_been_applied() && error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_bayse_session_serves_all_calls_and_a_second_login_is_to_wait() {
    let (sandbox, proxy) = sandbox().await;
    let limits = RateLimits::new();
    let client = Arc::new(of_bayse(&sandbox, &proxy, limits.clone()));
    let outcomes = side_by_side(20, |number| {
        let client = client.clone();
        async move {
            let made = client.keys().create(NewKey::named(format!("bot {number}"))).await?;
            client.keys().list().await?;
            client.keys().revoke(&made.id).await
        }
    });
    for outcome in outcomes.await {
        outcome.unwrap();
    }
    assert_eq!(executed(&sandbox, BAYSE_LOGIN), 1);
    assert_eq!(executed(&sandbox, "bayse POST /v1/user/me/api-keys"), 20);

    // Another client that knows nothing of the first: the venue refuses its login.
    proxy.take_seen();
    let second = of_bayse(&sandbox, &proxy, RateLimits::new());
    is_to_wait(&second.keys().create(NewKey::named("late")).await.unwrap_err());
    assert_eq!(proxy.take_seen().len(), 1);
    // One that keeps the limits together with the first does not ask.
    let third = of_bayse(&sandbox, &proxy, limits);
    is_to_wait(&third.keys().create(NewKey::named("late")).await.unwrap_err());
    assert_eq!(proxy.take_seen().len(), 0);
    assert_eq!(executed(&sandbox, "bayse POST /v1/user/me/api-keys"), 20);
    // The session of the first still serves.
    client.keys().list().await.unwrap();
    assert_eq!(executed(&sandbox, BAYSE_LOGIN), 1);
}

#[tokio::test]
async fn a_bayse_session_that_the_venue_ends_is_not_replaced_within_two_minutes() {
    let (sandbox, proxy) = sandbox().await;
    let client = of_bayse(&sandbox, &proxy, RateLimits::new());
    client.keys().list().await.unwrap();
    proxy.take_seen();
    proxy.next(Fault::Answer(401, r#"{"error":"unauthorized","message":"invalid session","statusCode":401}"#));
    let error = client.keys().create(NewKey::named("bot")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 2), "{error}");
    assert!(error.retry_after().is_some_and(|wait| wait <= Duration::from_secs(120)), "{error:?}");
    assert!(!error.may_have_been_applied(), "{error}");
    assert_eq!(proxy.take_seen().len(), 1, "the login was not sent");
    assert_eq!(executed(&sandbox, "bayse POST /v1/user/me/api-keys"), 0);
}

/// A venue that responds to a login with this, and any other call with that.
async fn answering(login: String, other: (u16, &'static str)) -> (canned::Canned, deribit::Client) {
    let script = move |seen: &canned::Seen| match String::from_utf8_lossy(&seen.body).contains("public/auth") {
        true => canned::http(200, "application/json", login.as_bytes()),
        false => canned::http(other.0, "application/json", other.1.as_bytes()),
    };
    let server = canned::Canned::start(Arc::new(script)).await;
    let environment = deribit::Environment::Custom(server.base_url.clone());
    let credentials = deribit::Credentials::login("AMANDA", "AMANDASECRECT").unwrap();
    let client = set(deribit::Client::builder(environment).credentials(credentials));
    (server, client)
}

fn sent(server: &canned::Canned, method: &str) -> usize {
    server.seen().iter().filter(|seen| String::from_utf8_lossy(&seen.body).contains(method)).count()
}

#[tokio::test]
async fn whatever_a_venue_says_of_a_tokens_life_there_is_no_login_for_every_call() {
    for (life, is_read) in [
        ("", true),
        (r#","expires_in":null"#, true),
        (r#","expires_in":0"#, true),
        (r#","expires_in":-1"#, true),
        (r#","expires_in":-9223372036854775808"#, true),
        (r#","expires_in":9223372036854775807"#, true),
        (r#","expires_in":900"#, true),
        (r#","expires_in":18446744073709551615"#, false),
        (r#","expires_in":1e300"#, false),
        (r#","expires_in":900.0"#, false),
        (r#","expires_in":"900""#, false),
        (r#","expires_in":"soon""#, false),
        (r#","expires_in":{}"#, false),
    ] {
        let login = format!(
            r#"{{"jsonrpc":"2.0","result":{{"access_token":"a","refresh_token":"b","token_type":"bearer"{life}}}}}"#
        );
        let (server, client) = answering(login, (200, r#"{"jsonrpc":"2.0","result":1}"#)).await;
        for _ in 0..20 {
            let result = client.cancel_all().send().await;
            assert!(result.is_ok() || !is_read, "{life}: {result:?}");
        }
        assert_eq!(sent(&server, "public/auth"), 1, "{life}");
    }
}

#[tokio::test]
async fn a_venue_that_refuses_each_token_that_it_gives_is_asked_for_few() {
    let login = r#"{"jsonrpc":"2.0","result":{"access_token":"a","refresh_token":"b","expires_in":900}}"#;
    let refused = r#"{"jsonrpc":"2.0","error":{"code":13009,"message":"unauthorized"}}"#;
    let (server, client) = answering(login.to_owned(), (401, refused)).await;
    for _ in 0..50 {
        let error = client.cancel_all().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert!(!error.may_have_been_applied(), "{error}");
    }
    assert!(sent(&server, "public/auth") <= 6, "{}", sent(&server, "public/auth"));
    assert!(sent(&server, "cancel_all") <= 56);
}
