//! The listener: turns HTTP requests into [`Request`]s and hands each to its venue.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use http::request::Parts;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::accounts::Accounts;
use crate::bayse::{self, BayseStreamSettings};
use crate::clock::Clock;
use crate::deribit::{self, DeribitSettings};
use crate::exchange::Side;
use crate::faults::{self, Candidate, Faults, Transport};
use crate::kalshi::{self, KalshiSettings};
use crate::message::{Reply, Request};
use crate::stream::{Cut, Listener};
use crate::streams::{BookLevels, FrameLog};
use crate::venues::{Venue, Venues, is_below};

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
        let service = router.into_make_service_with_connect_info::<Cut>();
        // The receiver ends when the sender is dropped with the sandbox; open connections end with their current call.
        let server = axum::serve(Listener(listener), service).with_graceful_shutdown(async { _ = stopped.await });
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

    /// Where Deribit is served, over a WebSocket.
    pub fn deribit_websocket_url(&self) -> String {
        format!("ws://{}{}", self.address, deribit::WEBSOCKET_PATH)
    }

    /// Where Kalshi is served.
    pub fn kalshi_url(&self) -> String {
        format!("{}/trade-api/v2", self.base_url())
    }

    /// Where Kalshi's perpetual futures are served: beside Kalshi itself, for the same keys.
    pub fn kalshi_perps_url(&self) -> String {
        self.kalshi_url()
    }

    /// Where Kalshi streams, over a WebSocket.
    pub fn kalshi_websocket_url(&self) -> String {
        format!("ws://{}{}", self.address, kalshi::WEBSOCKET_PATH)
    }

    /// Where Kalshi's perpetual futures stream, over a WebSocket.
    pub fn kalshi_perps_websocket_url(&self) -> String {
        format!("ws://{}{}", self.address, kalshi::PERPS_WEBSOCKET_PATH)
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
        self.venues.executed.all()
    }

    /// What goes wrong on purpose. There is nothing at first.
    pub fn faults(&self) -> &Faults {
        &self.venues.faults
    }

    /// How many orders `private/buy` and `private/sell` of Deribit made with each label; those without one count under the empty text.
    pub fn deribit_order_labels(&self) -> BTreeMap<String, u64> {
        self.venues.deribit.order_labels()
    }

    /// How Deribit is set up.
    pub fn deribit_settings(&self) -> DeribitSettings {
        self.venues.deribit.settings()
    }

    /// Sets Deribit up anew; what is open goes on.
    pub fn set_deribit_settings(&self, settings: DeribitSettings) {
        self.venues.deribit.set_settings(settings);
    }

    /// Sends a notification to every WebSocket connection that is subscribed to the channel. Returns how many those are.
    pub fn deribit_notify(&self, channel: &str, data: Value) -> usize {
        self.venues.deribit.notify(channel, &data)
    }

    /// How Kalshi's streams are set up.
    pub fn kalshi_settings(&self) -> KalshiSettings {
        self.venues.kalshi.settings()
    }

    /// Sets Kalshi's streams up again. What belongs to a connection holds for new ones.
    pub fn set_kalshi_settings(&self, settings: KalshiSettings) {
        self.venues.kalshi.set_settings(settings);
    }

    /// Tells something on a channel of Kalshi's stream, as a message of that type, to every connection whose subscription lets it
    /// in. Returns how many those are.
    pub fn kalshi_notify(&self, channel: &str, kind: &str, data: &Value) -> usize {
        self.venues.kalshi.notify(false, channel, kind, data)
    }

    /// The same on the stream of Kalshi's perpetual futures.
    pub fn kalshi_perps_notify(&self, channel: &str, kind: &str, data: &Value) -> usize {
        self.venues.kalshi.notify(true, channel, kind, data)
    }

    /// Has the market maker of Kalshi, or of its perpetual futures, rest as much as this at a price, as bid or as ask; with 0 nothing.
    /// What that meets in the book trades. Whether there is such a market with such a price.
    pub fn kalshi_quote(&self, ticker: &str, is_bid: bool, price: Decimal, size: Decimal) -> bool {
        self.venues.kalshi.quote(ticker, if is_bid { Side::Bid } else { Side::Ask }, price, size)
    }

    /// Makes a trade on a market of Kalshi, or of its perpetual futures, at a price or better. Whether there is such a market with
    /// such a price.
    pub fn kalshi_trade(&self, ticker: &str, price: Decimal, count: Decimal) -> bool {
        self.venues.kalshi.trade(ticker, price, count)
    }

    /// Every frame that a stream had to send, and what became of it.
    pub fn frames(&self) -> &FrameLog {
        &self.venues.frames
    }

    /// An order book of Kalshi, or of its perpetual futures, as it was at the mark of a frame, or as it is now, with yes as the bids.
    /// None where the mark is longer ago than is kept, or still to come.
    pub fn kalshi_book(&self, ticker: &str, mark: Option<i64>) -> Option<BookLevels> {
        self.venues.kalshi.book(ticker, mark)
    }

    /// An order book of Deribit as it was at a `change_id`. None where that is longer ago than is kept.
    pub fn deribit_book(&self, instrument_name: &str, change_id: i64) -> Option<BookLevels> {
        self.venues.deribit.book_at(instrument_name, change_id)
    }

    /// Where the streams of Bayse are served: `markets`, `user` or `realtime`.
    pub fn bayse_websocket_url(&self, endpoint: &str) -> String {
        format!("ws://{}/ws/v1/{endpoint}", self.address)
    }

    /// How the streams of Bayse are set up.
    pub fn bayse_stream_settings(&self) -> BayseStreamSettings {
        self.venues.bayse.stream_settings()
    }

    /// Sets the streams of Bayse up again; what is open goes on.
    pub fn set_bayse_stream_settings(&self, settings: BayseStreamSettings) {
        self.venues.bayse.set_stream_settings(settings);
    }

    /// Sends a message of Bayse, such as `price_update`, to all who hear a room, such as `prices:EVENT`. Returns how many those are.
    pub fn bayse_notify(&self, room: &str, kind: &str, data: &Value) -> usize {
        self.venues.bayse.notify(room, kind, data)
    }

    /// Gives an asset of Bayse a price, which is told at once. Returns how many hear of it; none where there is no such asset.
    pub fn set_bayse_asset_price(&self, symbol: &str, price: Decimal) -> Option<usize> {
        self.venues.bayse.set_asset_price(symbol, price)
    }

    /// The book of an outcome of Bayse as it was told on a stream, by the `timestamp` that it carried.
    pub fn bayse_book(&self, outcome_id: &str, currency: &str, timestamp: &str) -> Option<BookLevels> {
        self.venues.bayse.book_at(outcome_id, currency, timestamp)
    }

    /// How many WebSocket connections are open.
    pub fn websocket_connections(&self) -> usize {
        self.venues.connections()
    }

    /// Cuts all WebSocket connections as a broken network does. When it returns nothing of theirs is carried out any more, and
    /// the orders of those that cancel on disconnect are cancelled. Returns how many they were.
    pub fn cut_connections(&self) -> usize {
        self.venues.cut_connections()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.venues.cut_connections();
    }
}

/// Where WebSockets are opened.
#[derive(Clone, Copy)]
enum Door {
    Bayse,
    Deribit,
    Kalshi,
}

impl Door {
    fn at(path: &str) -> Option<Self> {
        if path == deribit::WEBSOCKET_PATH {
            Some(Self::Deribit)
        } else if bayse::is_stream(path) {
            Some(Self::Bayse)
        } else if is_below(path, kalshi::WEBSOCKET_ROOT) {
            Some(Self::Kalshi)
        } else {
            None
        }
    }
}

async fn serve(
    State(venues): State<Arc<Venues>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: http::Request<Body>,
) -> Response {
    let door = Door::at(request.uri().path());
    let (mut parts, body) = request.into_parts();
    let upgrade = parts.extensions.remove();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return write(Reply::json(413, &json!({"error": "the body is larger than 1 MiB"})), &venues.clock);
    };
    let request = read(parts, body);
    let fault = fault_of(&venues, &request, door.is_some());
    let carry_out = async {
        match door {
            Some(Door::Bayse) => bayse::open_websocket(&venues.bayse, &request, upgrade, cut.clone()),
            Some(Door::Deribit) => deribit::open_websocket(&venues.deribit, &request, upgrade, cut.clone()),
            Some(Door::Kalshi) => kalshi::open_websocket(&venues.kalshi, request, upgrade, cut.clone()).await,
            None => handle(&venues, request).await,
        }
    };
    match fault {
        Some(fault) => faults::http::answer(fault, &cut, carry_out).await,
        None => carry_out.await,
    }
}

fn fault_of(venues: &Venues, request: &Request, is_handshake: bool) -> Option<faults::Fault> {
    let venue = Venue::at(&request.path)?;
    let call = format!("{} {}", request.method, request.path);
    let method = (venue == Venue::Deribit && !is_handshake).then(|| deribit::method_of(request)).flatten();
    let names: Vec<&str> = method.as_deref().into_iter().chain([call.as_str()]).collect();
    let transport = Transport::Http;
    venues.faults.strike(&Candidate { venue: venue.name(), transport, names: &names, by_name_only: is_handshake })
}

async fn handle(venues: &Arc<Venues>, request: Request) -> Response {
    let handler = Arc::clone(venues);
    // Checking an RSA signature, and more so making a key, would hold up the executor.
    let reply = tokio::task::spawn_blocking(move || handler.handle(&request))
        .await
        .unwrap_or_else(|_| Reply::json(500, &json!({"error": "the sandbox failed: see its standard error"})));
    write(reply, &venues.clock)
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
