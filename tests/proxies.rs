//! Proxies and plain text: what is sent to this machine meets no proxy, secrets leave it inside TLS only, and a proxy that fails is
//! named.

#[path = "common/canned.rs"]
mod canned;
#[path = "common/child.rs"]
mod child;
#[path = "common/proxy.rs"]
mod proxy;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use canned::{Canned, http};
use proxy::{Fault, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use venuekit::transport::{ClientBuilder, Connect, RateLimits, RetryPolicy, Timeouts};
use venuekit::{Error, ErrorKind, bayse, deribit, kalshi, yativo};
use venuekit_sandbox::{Accounts, Sandbox};

/// What stands in every secret.
const MARKER: &str = "MARKERsecretMARKER";

fn set<C: Connect>(builder: ClientBuilder<C>) -> ClientBuilder<C> {
    let timeouts = Timeouts { connect: Duration::from_secs(2), attempt: Duration::from_secs(3), ..Timeouts::default() };
    builder.retry(RetryPolicy::none()).rate_limits(RateLimits::none()).timeouts(timeouts)
}

fn deribit_at(url: &str) -> ClientBuilder<deribit::Client> {
    set(deribit::Client::builder(deribit::Environment::Custom(url.to_owned())))
}

fn key(sandbox: &Sandbox) -> deribit::Credentials {
    let account = &sandbox.accounts().deribit[0];
    deribit::Credentials::secret(&account.client_id, account.client_secret.as_deref().unwrap()).unwrap()
}

async fn summary(client: &deribit::Client) -> Result<(), Error> {
    let currency = deribit::types::Currency::Btc;
    client.get_account_summary().body_map(|params| params.currency(currency)).send().await.map(drop)
}

/// A server that counts who comes, and lets nobody in.
async fn trap() -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://amanda:{MARKER}@{}", listener.local_addr().unwrap());
    let came = Arc::new(Mutex::new(0));
    let count = came.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            *count.lock().unwrap() += 1;
        }
    });
    (url, came)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_variable_puts_a_proxy_before_this_machine() {
    let (url, came) = trap().await;
    for name in child::VARIABLES {
        let url = url.clone();
        let child = move || child::run("calls_to_this_machine", &[(name, &url)]);
        tokio::task::spawn_blocking(child).await.unwrap();
        assert_eq!(*came.lock().unwrap(), 0, "{name}");
    }
}

/// With a variable of the environment that names a trap.
#[tokio::test]
#[ignore = "run by another test, with variables"]
async fn calls_to_this_machine() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "localhost.", "venue.localhost", "[::ffff:127.0.0.1]", "127.1"]
    {
        let url = sandbox.deribit_url().replacen("127.0.0.1", host, 1);
        summary(&deribit_at(&url).credentials(key(&sandbox)).build().unwrap()).await.unwrap();
    }
    let account = &sandbox.accounts().deribit[0];
    let login = deribit::Credentials::login(&account.client_id, account.client_secret.as_deref().unwrap());
    summary(&deribit_at(&sandbox.deribit_url()).credentials(login.unwrap()).build().unwrap()).await.unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let url = sandbox.deribit_websocket_url().replacen("127.0.0.1", host, 1);
        summary(&deribit_at(&url).credentials(key(&sandbox)).build().unwrap()).await.unwrap();
    }
    // Nor does a proxy that the program itself names.
    let (trap, came) = trap().await;
    let builder = deribit_at(&sandbox.deribit_url()).credentials(key(&sandbox)).proxy(trap.clone());
    summary(&builder.build().unwrap()).await.unwrap();
    let own = trap.clone();
    let builder = deribit_at(&sandbox.deribit_url()).credentials(key(&sandbox));
    let builder = builder.http_client(move |http| http.proxy(reqwest::Proxy::all(own).unwrap()));
    summary(&builder.build().unwrap()).await.unwrap();
    let builder = deribit_at(&sandbox.deribit_websocket_url()).credentials(key(&sandbox));
    let builder = builder.http_client(move |http| http.proxy(reqwest::Proxy::all(trap).unwrap()));
    summary(&builder.build().unwrap()).await.unwrap();
    assert_eq!(*came.lock().unwrap(), 0);
}

#[tokio::test]
async fn secrets_leave_this_machine_inside_tls_only() {
    let credentials = || deribit::Credentials::secret("AMANDA", MARKER).unwrap();
    for host in ["venue.example", "localhost.evil.com", "127.0.0.1.evil.com", "10.0.0.1", "[::2]", "0.0.0.0:1"] {
        for scheme in ["http", "ws", "HTTP", "Ws"] {
            let error =
                deribit_at(&format!("{scheme}://{host}/api/v2")).credentials(credentials()).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
            let told = format!("{error} {error:?}");
            assert!(told.contains("TLS") && told.contains(host) && !told.contains(MARKER), "{told}");
        }
        for scheme in ["https", "wss", "HTTPS"] {
            deribit_at(&format!("{scheme}://{host}/api/v2")).credentials(credentials()).build().unwrap();
        }
    }
    // Each kind of credential, and each venue.
    let plain = || "http://venue.example".to_owned();
    let login = deribit::Credentials::login("AMANDA", MARKER).unwrap();
    assert!(deribit_at(&plain()).credentials(login).build().is_err());
    let yativo = yativo::Client::builder(yativo::Environment::Custom(plain()));
    assert!(yativo.credentials(yativo::Credentials::token(MARKER).unwrap()).build().is_err());
    let bayse = bayse::Client::builder(bayse::Environment::Custom(plain()));
    assert!(bayse.credentials(bayse::Credentials::login("a@b.example", MARKER).unwrap()).build().is_err());
}

/// A client without credentials may read in plain text what anybody may read, and send no secret of a single call.
#[tokio::test]
async fn a_call_that_carries_a_secret_of_its_own_needs_tls_too() {
    let server = Canned::start(Arc::new(|_| http(200, "application/json", b"{}"))).await;
    // A name that is not this machine's, and leads to the server nevertheless.
    let address: SocketAddr = server.base_url.strip_prefix("http://").unwrap().parse().unwrap();
    let url = format!("http://venue.example:{}", address.port());
    fn leads<C: Connect>(builder: ClientBuilder<C>, address: SocketAddr) -> C {
        set(builder).http_client(move |http| http.no_proxy().resolve("venue.example", address)).build().unwrap()
    }
    let bayse = leads(bayse::Client::builder(bayse::Environment::Custom(url.clone())), address);
    let _ = bayse.list_events().send().await;
    assert_eq!(server.seen().len(), 1, "what anybody may read");
    let login = bayse.login().body_map(|body| body.email("a@b.example").password(MARKER)).send().await.unwrap_err();
    let yativo = leads(yativo::Client::builder(yativo::Environment::Custom(url.clone())), address);
    let code = yativo.with_code(MARKER).list_accounts().send().await.unwrap_err();
    let deribit = leads(deribit::Client::builder(deribit::Environment::Custom(url.clone())), address);
    let call = deribit.auth().body_map(|body| {
        body.grant_type(deribit::types::GrantType::ClientCredentials).client_id("AMANDA").client_secret(MARKER)
    });
    let auth = call.send().await.unwrap_err();
    let kalshi = leads(kalshi::Client::builder(kalshi::Environment::Custom(url)), address);
    let made = kalshi.generate_api_key().body_map(|key| key.name("bot")).send().await.unwrap_err();
    for error in [login, code, auth, made] {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.to_string().contains("TLS") && !error.to_string().contains(MARKER), "{error}");
        assert!(!error.may_have_been_applied());
    }
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_url_with_a_password_is_refused_and_not_repeated() {
    for url in [
        format!("https://amanda:{MARKER}@venue.example"),
        format!("wss://amanda:{MARKER}@venue.example"),
        format!("https://{MARKER}@venue.example"),
        format!("amanda:{MARKER}@venue.example"),
        format!("https://amanda:{MARKER}@[venue"),
        format!("ftp://amanda:{MARKER}@venue.example"),
    ] {
        let builder = deribit_at(&url).proxy(url.clone());
        assert!(!format!("{builder:?}").contains(MARKER), "{builder:?}");
        let error = builder.build().unwrap_err();
        assert!(!format!("{error} {error:?}").contains(MARKER), "{error}");
    }
    for wrong in ["proxy.example:3128", "socks5://proxy.example", "http://proxy.example/path", ""] {
        let proxy = wrong.replacen("proxy", &format!("amanda:{MARKER}@proxy"), 1);
        let error = deribit_at("https://venue.example").proxy(proxy).build().unwrap_err();
        assert!(error.to_string().contains("http://host:port"), "{error}");
        assert!(!format!("{error} {error:?}").contains(MARKER), "{error}");
    }
}

/// Each way in which a proxy fails, over HTTP and over a WebSocket.
#[tokio::test]
async fn a_proxy_that_fails_is_named() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    for (fault, reason) in [
        (Some(Fault::Status(407)), "asks for a user name and a password"),
        (Some(Fault::Status(502)), "refused to open a tunnel"),
        (Some(Fault::Status(403)), "refused to open a tunnel"),
        (Some(Fault::Page(502)), "refused to open a tunnel"),
        (Some(Fault::ResetBefore), ""),
        (Some(Fault::Refuse), ""),
        (Some(Fault::Stall), ""),
        (None, "refused"),
    ] {
        for url in ["https://venue.example/api/v2", "wss://venue.example/ws/api/v2"] {
            let proxy = Proxy::before(&sandbox.base_url()).await;
            match fault {
                Some(fault) => proxy.next(fault),
                None => proxy.close().await,
            }
            let through = proxy.base_url.replacen("http://", &format!("http://amanda:{MARKER}@"), 1);
            let builder = deribit_at(url).credentials(key(&sandbox)).proxy(through);
            assert!(!format!("{builder:?}").contains(MARKER), "{builder:?}");
            let client = builder.build().unwrap();
            let call = client.buy().body_map(|params| params.instrument_name("BTC-PERPETUAL").amount("10").price("1"));
            let error = call.send().await.unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains(&proxy.base_url) && told.contains(reason), "{fault:?} {url}: {told}");
            assert!(!told.contains(MARKER) && !told.contains("amanda"), "{told}");
            assert!(!error.may_have_been_applied(), "nothing was sent: {told}");
            assert!(matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout), "{told}");
            assert!(!format!("{client:?}").contains(MARKER));
            let seen = proxy.take_seen();
            assert!(seen.iter().all(|seen| seen.line.is_empty() || seen.line.starts_with("CONNECT venue.example:443")));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_of_the_environment_that_fails_is_named_as_well() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    for name in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        let proxy = Proxy::before(&sandbox.base_url()).await;
        proxy.next(Fault::Status(407));
        let with_user = proxy.base_url.replacen("http://", &format!("http://amanda:{MARKER}@"), 1);
        let plain = proxy.base_url.clone();
        let child =
            move || child::run("a_call_through_a_proxy_that_fails", &[(name, &with_user), ("EXPECTED", &plain)]);
        tokio::task::spawn_blocking(child).await.unwrap();
        assert_eq!(proxy.take_seen().len(), 1, "{name}");
    }
}

#[tokio::test]
#[ignore = "run by another test, with variables"]
async fn a_call_through_a_proxy_that_fails() {
    let error = deribit_at("https://venue.example/api/v2").build().unwrap().get_time().send().await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(told.contains(&std::env::var("EXPECTED").unwrap()) && !told.contains(MARKER), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_of_the_environment_that_is_of_another_kind_is_refused() {
    let run = || child::run("a_socks_proxy", &[("ALL_PROXY", &format!("socks5://amanda:{MARKER}@127.0.0.1:1"))]);
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[test]
#[ignore = "run by another test, with variables"]
fn a_socks_proxy() {
    let error = deribit_at("https://venue.example").build().unwrap_err().to_string();
    assert!(error.contains("socks5://127.0.0.1:1") && !error.contains(MARKER), "{error}");
    deribit_at("http://127.0.0.1:1").build().unwrap();
}

/// A proxy that opens tunnels to one server, for every request, and writes down what it sees.
async fn tunnel(target: SocketAddr) -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(through(client, target, log.clone()));
        }
    });
    (format!("http://amanda:{MARKER}@{address}"), seen)
}

async fn through(mut client: TcpStream, target: SocketAddr, log: Arc<Mutex<Vec<u8>>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    log.lock().unwrap().extend_from_slice(&head);
    let mut server = TcpStream::connect(target).await?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.split(), server.split());
    let up = async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            log.lock().unwrap().extend_from_slice(&buffer[..count]);
            to_server.write_all(&buffer[..count]).await?;
        }
        std::io::Result::Ok(())
    };
    tokio::select! {
        done = up => done,
        done = tokio::io::copy(&mut from_server, &mut to_client) => done.map(drop),
    }
}

/// TLS in front of the sandbox, for `venue.example`.
async fn with_tls(sandbox: &Sandbox) -> SocketAddr {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let target: SocketAddr = sandbox.base_url().strip_prefix("http://").unwrap().parse().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let (Ok(mut client), Ok(mut server)) =
                    (acceptor.accept(stream).await, TcpStream::connect(target).await)
                else {
                    return;
                };
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_sees_where_calls_go_and_nothing_of_them() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let venue = with_tls(&sandbox).await;
    for url in ["https://venue.example/api/v2", "wss://venue.example/ws/api/v2"] {
        let (proxy, seen) = tunnel(venue).await;
        let builder = deribit_at(url).credentials(key(&sandbox)).proxy(proxy);
        let builder = builder.http_client(|http| {
            http.tls_certs_only([reqwest::Certificate::from_pem(include_bytes!("tls/ca.pem")).unwrap()])
        });
        summary(&builder.build().unwrap()).await.unwrap();
        let seen = seen.lock().unwrap();
        let text = String::from_utf8_lossy(&seen);
        assert!(text.starts_with("CONNECT venue.example:443 HTTP/1.1\r\n"), "{text}");
        assert!(text.to_lowercase().contains("proxy-authorization: basic "), "{text}");
        let account = &sandbox.accounts().deribit[0];
        for secret in [account.client_id.as_str(), "get_account_summary", "deri-hmac-sha256", "public/auth"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}
