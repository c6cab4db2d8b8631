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
use crate::binance::{self, BinanceSettings};
use crate::bybit::{self, BybitSettings};
use crate::clock::Clock;
use crate::console;
use crate::deribit::{self, DeribitSettings};
use crate::exchange::Side;
use crate::faults::{self, Candidate, Fault, Faults, Transport};
use crate::kalshi::{self, KalshiSettings};
use crate::market_maker::MarketMakerSettings;
use crate::message::{Reply, Request};
use crate::request_log::{self, Arrived};
use crate::stream::{Disconnector, Listener};
use crate::streams::{BookLevels, FrameLog};
use crate::venues::{Venue, Venues, is_below};

const BODY_LIMIT: usize = 1024 * 1024;

/// A running sandbox. It stops when this value is dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    accounts: Arc<Accounts>,
    venues: Arc<Venues>,
    console_token: Arc<str>,
    _stop: oneshot::Sender<()>,
}

impl Sandbox {
    /// Starts on a free port of the loopback interface. Accounts left out are generated.
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
        let accounts = Arc::new(accounts);
        let venues = Arc::new(Venues::new(Arc::clone(&accounts)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let console_token: Arc<str> = console::new_token().into();
        let shared = Shared { venues: Arc::clone(&venues), console_token: Arc::clone(&console_token), address };
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(serve).with_state(shared);
        let service = router.into_make_service_with_connect_info::<Disconnector>();
        // The receiver ends when the sender is dropped with the sandbox; open connections end with their current call.
        let server = axum::serve(Listener(listener), service).with_graceful_shutdown(async { _ = stopped.await });
        tokio::spawn(server.into_future());
        Ok(Self { address, accounts, venues, console_token, _stop: stop })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The page that shows requests, state and reference documentation in a browser. Only somebody who has the URL can open it.
    pub fn console_url(&self) -> String {
        format!("{}{}/{}/", self.base_url(), console::PREFIX, self.console_token)
    }

    /// Puts every venue back into the state that it had at the start: accounts, keys, orders and balances. Open WebSocket
    /// connections are closed; faults, the clock and the counters are reset as well.
    pub fn reset(&self) {
        self.venues.reset();
    }

    /// Lets the markets of every venue move: a random walk quotes and trades, or a recording is played back. With nothing it stops.
    /// Called within a Tokio runtime.
    ///
    /// # Errors
    /// The settings make no sense.
    pub fn set_market_maker(&self, settings: Option<MarketMakerSettings>) -> Result<(), String> {
        self.venues.market_maker.set(&self.venues, settings)
    }

    /// Where Bayse is served: what a client takes as its base URL.
    pub fn bayse_url(&self) -> String {
        self.base_url()
    }

    /// Where Binance is served: what a client takes as its base URL. Its paths begin with `/api/v3` and `/sapi`.
    pub fn binance_url(&self) -> String {
        self.base_url()
    }

    /// Where the market streams of Binance are served: `/ws` and `/stream` follow.
    pub fn binance_stream_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Where Binance is called over a WebSocket.
    pub fn binance_websocket_api_url(&self) -> String {
        format!("ws://{}/ws-api/v3", self.address)
    }

    /// Sends a payload on a stream of Binance, such as `btcusdt@trade`, to every connection that holds it. Returns how many
    /// those are.
    pub fn binance_notify(&self, stream: &str, payload: &Value) -> usize {
        self.venues.binance.notify(stream, payload)
    }

    /// Sends an event of the account of a key of Binance to all who have subscribed to it. Returns how many those are.
    pub fn binance_notify_account(&self, key: &str, event: &Value) -> usize {
        self.venues.binance.notify_account(key, event)
    }

    /// Has Binance tell all connections that it shuts down: `serverShutdown`. They stay open. Returns how many those are.
    pub fn binance_shutdown(&self) -> usize {
        self.venues.binance.announce_shutdown()
    }

    /// How Binance is set up.
    pub fn binance_settings(&self) -> BinanceSettings {
        self.venues.binance.settings()
    }

    /// Sets Binance up again. What belongs to a connection holds for new ones.
    pub fn set_binance_settings(&self, settings: BinanceSettings) {
        self.venues.binance.set_settings(settings);
    }

    /// Has Binance itself rest as much as this at a price, as bid or as ask; with 0 nothing. What that meets in the book trades.
    /// Whether there is such a market.
    pub fn binance_quote(&self, symbol: &str, is_bid: bool, price: Decimal, size: Decimal) -> bool {
        self.venues.binance.quote(symbol, if is_bid { Side::Bid } else { Side::Ask }, price, size)
    }

    /// A whole order book of Binance as it was after an update, which is the `u` of a frame or the `lastUpdateId` of a snapshot, or
    /// as it is now. None where that is longer ago than is kept, or still to come.
    pub fn binance_book(&self, symbol: &str, update: Option<i64>) -> Option<BookLevels> {
        self.venues.binance.book_at(symbol, update)
    }

    /// Where Bybit is served: what a client takes as its base URL. Its paths begin with `/v5`.
    pub fn bybit_url(&self) -> String {
        self.base_url()
    }

    /// Where the streams of Bybit are served: `public/linear`, `public/spot`, `private`, `trade` and others.
    pub fn bybit_websocket_url(&self, endpoint: &str) -> String {
        format!("ws://{}{}/{endpoint}", self.address, bybit::ROOT)
    }

    /// How Bybit is set up.
    pub fn bybit_settings(&self) -> BybitSettings {
        self.venues.bybit.settings()
    }

    /// Sets Bybit up again. What belongs to a connection holds for new ones.
    pub fn set_bybit_settings(&self, settings: BybitSettings) {
        self.venues.bybit.set_settings(settings);
    }

    /// Sends data on a topic of Bybit, such as `allLiquidation.BTCUSDT`, to every connection to that endpoint that holds it. The
    /// frame has the type where that is `snapshot` or `delta`. Returns how many connections those are.
    pub fn bybit_notify(&self, endpoint: &str, topic: &str, kind: &str, data: &Value) -> usize {
        self.venues.bybit.notify(endpoint, topic, kind, data)
    }

    /// Has Bybit itself rest as much as this at a price, as bid or as ask; with 0 nothing. What that meets in the book trades.
    /// Whether there is such an instrument.
    pub fn bybit_quote(&self, (category, symbol): (&str, &str), is_bid: bool, price: Decimal, size: Decimal) -> bool {
        self.venues.bybit.quote((category, symbol), if is_bid { Side::Bid } else { Side::Ask }, price, size)
    }

    /// A whole order book of Bybit as it was at the mark of a frame, which is its `seq`, or as it is now. None where that is longer
    /// ago than is kept, or still to come.
    pub fn bybit_book(&self, category: &str, symbol: &str, mark: Option<i64>) -> Option<BookLevels> {
        self.venues.bybit.book_at(category, symbol, mark)
    }

    /// Has all order books of Bybit's streams begin again with the number 1, as after a restart of the venue.
    pub fn bybit_restart_books(&self) {
        self.venues.bybit.restart_books();
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

    /// Who may call, with everything that was generated.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The clock that timestamps are judged by and that responds carry in their `date` header.
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

    /// Sets Deribit up again; what is open continues.
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

    /// Sends something on a channel of Kalshi's stream, as a message of that type, to every connection whose subscription lets it
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

    /// Every frame that a stream had to send, and what happened to it.
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

    /// Sets the streams of Bayse up again; what is open continues.
    pub fn set_bayse_stream_settings(&self, settings: BayseStreamSettings) {
        self.venues.bayse.set_stream_settings(settings);
    }

    /// Sends a message of Bayse, such as `price_update`, to all subscribers of a room, such as `prices:EVENT`. Returns how many those are.
    pub fn bayse_notify(&self, room: &str, kind: &str, data: &Value) -> usize {
        self.venues.bayse.notify(room, kind, data)
    }

    /// Gives an asset of Bayse a price, which is sent at once. Returns how many receive it; none where there is no such asset.
    pub fn set_bayse_asset_price(&self, symbol: &str, price: Decimal) -> Option<usize> {
        self.venues.bayse.set_asset_price(symbol, price)
    }

    /// The book of an outcome of Bayse as it was sent on a stream, by the `timestamp` that it carried.
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
enum WebsocketVenue {
    Bayse,
    Binance,
    Bybit,
    Deribit,
    Kalshi,
}

impl WebsocketVenue {
    fn at(path: &str) -> Option<Self> {
        if path == deribit::WEBSOCKET_PATH {
            Some(Self::Deribit)
        } else if bayse::is_stream(path) {
            Some(Self::Bayse)
        } else if binance::is_stream(path) {
            Some(Self::Binance)
        } else if bybit::is_stream(path) {
            Some(Self::Bybit)
        } else if is_below(path, kalshi::WEBSOCKET_ROOT) {
            Some(Self::Kalshi)
        } else {
            None
        }
    }
}

/// What every request needs.
#[derive(Clone)]
struct Shared {
    venues: Arc<Venues>,
    console_token: Arc<str>,
    address: SocketAddr,
}

async fn serve(
    State(shared): State<Shared>,
    ConnectInfo(cut): ConnectInfo<Disconnector>,
    request: http::Request<Body>,
) -> Response {
    let Shared { venues, console_token, address } = shared;
    if is_below(request.uri().path(), console::PREFIX) {
        return console::serve(&venues, &console_token, address, request).await;
    }
    let websocket = WebsocketVenue::at(request.uri().path());
    let (mut parts, body) = request.into_parts();
    let upgrade = parts.extensions.remove();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return write(Reply::json(413, &json!({"error": "the body is larger than 1 MiB"})), &venues.clock);
    };
    let request = Arc::new(read(parts, body));
    let venue = Venue::at(&request.path);
    let pending = venue.map(|venue| {
        let time = venues.clock.millis();
        let (request, transport) = (Arc::clone(&request), Transport::Http);
        (venues.requests.arrive(Arrived { venue: venue.name(), transport, request, time }), time)
    });
    let fault = fault_of(&venues, &request, websocket.is_some());
    if let (Some((pending, _)), Some(fault)) = (&pending, &fault) {
        pending.fault(fault);
    }
    let mut sent = None;
    let carry_out = async {
        let response = match websocket {
            Some(WebsocketVenue::Bayse) => bayse::open_websocket(&venues.bayse, &request, upgrade, cut.clone()),
            Some(WebsocketVenue::Binance) => binance::open_websocket(&venues.binance, &request, upgrade, cut.clone()),
            Some(WebsocketVenue::Bybit) => bybit::open_websocket(&venues.bybit, &request, upgrade, cut.clone()),
            Some(WebsocketVenue::Deribit) => deribit::open_websocket(&venues.deribit, &request, upgrade, cut.clone()),
            Some(WebsocketVenue::Kalshi) => {
                kalshi::open_websocket(&venues.kalshi, Arc::clone(&request), upgrade, cut.clone()).await
            }
            None => {
                let reply = handle(&venues, Arc::clone(&request)).await;
                sent = Some(request_log::Response::of(&reply));
                return write(reply, &venues.clock);
            }
        };
        dated(response, &venues.clock)
    };
    let response = match &fault {
        Some(fault) => faults::http::answer(fault.clone(), &cut, carry_out).await,
        None => carry_out.await,
    };
    let (Some(venue), Some((pending, time))) = (venue, pending) else { return response };
    let is_lost = matches!(fault, Some(Fault::DropBefore | Fault::DropAfter));
    let (response, sent) = match sent {
        Some(sent) if !matches!(fault, Some(Fault::Status { .. })) => (response, sent),
        _ if is_lost => return response,
        _ => record(response).await,
    };
    let id = pending.id;
    if is_lost {
        drop(pending);
    } else {
        pending.respond(sent.clone());
    }
    inspect(&venues, venue, (request, time), id, sent);
    response
}

/// A response with a small body, and a copy of it for the log.
async fn record(response: Response) -> (Response, request_log::Response) {
    let (parts, body) = response.into_parts();
    let (status, headers) = (parts.status.as_u16(), parts.headers.clone());
    if parts.status == http::StatusCode::SWITCHING_PROTOCOLS {
        let sent = request_log::Response { status, headers, body: bytes::Bytes::new() };
        return (Response::from_parts(parts, body), sent);
    }
    let bytes = axum::body::to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let sent = request_log::Response { status, headers, body: bytes.clone() };
    (Response::from_parts(parts, Body::from(bytes)), sent)
}

/// Looks at the credentials of a request. The caller does not wait for it: to explain a signature takes a while.
fn inspect(
    venues: &Arc<Venues>,
    venue: Venue,
    (request, time): (Arc<Request>, i64),
    id: u64,
    sent: request_log::Response,
) {
    let venues = Arc::clone(venues);
    tokio::task::spawn_blocking(move || {
        let is_accepted = !venue.refuses_credentials(&sent);
        let inspection = venues.inspect(venue, &request, time, is_accepted);
        venues.requests.inspected(id, inspection, is_accepted);
    });
}

fn fault_of(venues: &Venues, request: &Request, is_handshake: bool) -> Option<Fault> {
    let venue = Venue::at(&request.path)?;
    let call = format!("{} {}", request.method, request.path);
    let method = (venue == Venue::Deribit && !is_handshake).then(|| deribit::method_of(request)).flatten();
    let names: Vec<&str> = method.as_deref().into_iter().chain([call.as_str()]).collect();
    let transport = Transport::Http;
    venues.faults.strike(&Candidate { venue: venue.name(), transport, names: &names, by_name_only: is_handshake })
}

async fn handle(venues: &Arc<Venues>, request: Arc<Request>) -> Reply {
    let handler = Arc::clone(venues);
    // Checking an RSA signature, and more so making a key, would hold up the executor.
    tokio::task::spawn_blocking(move || handler.handle(&request))
        .await
        .unwrap_or_else(|_| Reply::json(500, &json!({"error": "the sandbox failed: see its standard error"})))
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
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    dated(response, clock)
}

/// A response that says when it was sent, by the sandbox's clock.
fn dated(mut response: Response, clock: &Clock) -> Response {
    let date = http::HeaderValue::from_str(&http_date(clock.millis())).expect("a date is printable");
    response.headers_mut().insert(http::header::DATE, date);
    response
}

/// A time as HTTP headers write it.
fn http_date(millis: i64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis.max(0).unsigned_abs()))
}
