//! The listener: turns HTTP requests into [`Request`]s and hands each to its venue.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::accounts::Accounts;
use crate::bayse::Bayse;
use crate::clock::Clock;
use crate::deribit::Deribit;
use crate::kalshi::Kalshi;
use crate::message::{Reply, Request};
use crate::spec;
use crate::yativo::Yativo;

const BODY_LIMIT: usize = 1024 * 1024;

/// A running sandbox. It stops when this value is dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    accounts: Accounts,
    venues: Arc<Venues>,
    _stop: oneshot::Sender<()>,
}

impl Sandbox {
    /// Starts on a free port of the loopback interface. Accounts left out are made up.
    ///
    /// # Errors
    /// The accounts contain a key that cannot be read, or no port is free.
    pub async fn start(accounts: Accounts) -> io::Result<Self> {
        Self::start_on(0, accounts).await
    }

    /// Starts on a given port; 0 means any free one.
    ///
    /// # Errors
    /// The accounts contain a key that cannot be read, or the port is taken.
    pub async fn start_on(port: u16, accounts: Accounts) -> io::Result<Self> {
        let accounts = tokio::task::spawn_blocking(|| accounts.complete()).await?.map_err(io::Error::other)?;
        let venues = Arc::new(Venues::new(&accounts));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(serve).with_state(Arc::clone(&venues));
        // The receiver ends when the sender is dropped with the sandbox; open connections end with their current call.
        let server = axum::serve(listener, router).with_graceful_shutdown(async { _ = stopped.await });
        tokio::spawn(server.into_future());
        Ok(Self { address, accounts, venues, _stop: stop })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where Bayse is served: what a client takes as its base URL.
    pub fn bayse_url(&self) -> String {
        self.base_url()
    }

    /// Where Deribit is served, over HTTP.
    pub fn deribit_url(&self) -> String {
        format!("{}/api/v2", self.base_url())
    }

    /// Where Kalshi is served.
    pub fn kalshi_url(&self) -> String {
        format!("{}/trade-api/v2", self.base_url())
    }

    /// Where Kalshi's perpetual futures are served: beside Kalshi itself, for the same keys.
    pub fn kalshi_perps_url(&self) -> String {
        self.kalshi_url()
    }

    /// Where Yativo is served, under its newer prefix.
    pub fn yativo_url(&self) -> String {
        format!("{}/api/v1", self.base_url())
    }

    /// Who may call, with everything that was made up.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The clock that timestamps are judged by and that answers carry in their `date` header.
    pub fn clock(&self) -> &Clock {
        &self.venues.clock
    }

    /// How often each operation was carried out, by venue, method and path template.
    ///
    /// What was refused, or answered from an earlier answer, does not count.
    pub fn executed(&self) -> BTreeMap<String, u64> {
        self.venues.executed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Venues {
    clock: Clock,
    bayse: Bayse,
    deribit: Deribit,
    kalshi: Kalshi,
    yativo: Yativo,
    executed: Mutex<BTreeMap<String, u64>>,
}

// A venue's state holds secrets: none of it is shown.
impl std::fmt::Debug for Venues {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Venues").finish_non_exhaustive()
    }
}

impl Venues {
    fn new(accounts: &Accounts) -> Self {
        let clock = Clock::default();
        Self {
            bayse: Bayse::new(&accounts.bayse, clock.clone()),
            deribit: Deribit::new(&accounts.deribit, clock.clone()),
            kalshi: Kalshi::new(&accounts.kalshi, clock.clone()),
            yativo: Yativo::new(&accounts.yativo, clock.clone()),
            clock,
            executed: Mutex::default(),
        }
    }

    fn handle(&self, request: &Request) -> Reply {
        let path = request.path.as_str();
        let (venue, reply) = if is_below(path, "/trade-api/v2") {
            // Two operations are offered by both; they count as Kalshi's.
            if spec::KALSHI.knows(path) || !spec::KALSHI_PERPS.knows(path) {
                ("kalshi", self.kalshi.handle(request))
            } else {
                ("kalshi_perps", self.kalshi.handle_perps(request))
            }
        } else if is_below(path, "/api/v2") {
            ("deribit", self.deribit.handle(request))
        } else if is_below(path, "/api") {
            ("yativo", self.yativo.handle(request))
        } else if is_below(path, "/v1") || path == "/health" || path == "/version" {
            ("bayse", self.bayse.handle(request))
        } else {
            return Reply::json(404, &json!({"error": "no venue is served at this path"}));
        };
        if let Some(operation) = &reply.executed {
            let mut executed = self.executed.lock().unwrap_or_else(PoisonError::into_inner);
            *executed.entry(format!("{venue} {operation}")).or_default() += 1;
        }
        reply
    }
}

/// Whether a path is the prefix itself or continues it with a further segment.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

async fn serve(State(venues): State<Arc<Venues>>, request: http::Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let clock = venues.clock.clone();
    let reply = match axum::body::to_bytes(body, BODY_LIMIT).await {
        Ok(body) => {
            let request = read(parts, body);
            // Checking an RSA signature, and more so making a key, would hold up the executor.
            tokio::task::spawn_blocking(move || venues.handle(&request))
                .await
                .unwrap_or_else(|_| Reply::json(500, &json!({"error": "the sandbox failed: see its standard error"})))
        }
        Err(_) => Reply::json(413, &json!({"error": "the body is larger than 1 MiB"})),
    };
    write(reply, &clock)
}

fn read(parts: Parts, body: bytes::Bytes) -> Request {
    Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
    }
}

fn write(reply: Reply, clock: &Clock) -> Response {
    let reply = reply.with_header("date", &http_date(clock.millis()));
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

/// A time as HTTP headers write it.
fn http_date(millis: i64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis.max(0).unsigned_abs()))
}
