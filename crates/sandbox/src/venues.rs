//! The venues of one sandbox, and which of them a path leads to.

use std::sync::Arc;

use serde_json::json;

use crate::accounts::Accounts;
use crate::bayse::Bayse;
use crate::binance::{self, Binance};
use crate::bybit::{self, Bybit};
use crate::clock::Clock;
use crate::deribit::{self, Deribit};
use crate::executed::Executed;
use crate::faults::Faults;
use crate::kalshi::{self, Kalshi};
use crate::market_maker::{MarketMaker, MarketStep, Tradable};
use crate::masking::Secrets;
use crate::message::{Reply, Request};
use crate::overview::{MarketView, Overview};
use crate::request_log::{RequestLog, Response};
use crate::signature::Inspection;
use crate::spec;
use crate::streams::FrameLog;
use crate::yativo::Yativo;

/// One of the venues.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Venue {
    Bayse,
    Binance,
    Bybit,
    Deribit,
    Kalshi,
    KalshiPerps,
    Yativo,
}

impl Venue {
    /// The venue that is served at a path.
    pub(crate) fn at(path: &str) -> Option<Self> {
        if is_below(path, kalshi::PERPS_WEBSOCKET_PATH) {
            Some(Self::KalshiPerps)
        } else if is_below(path, kalshi::WEBSOCKET_ROOT) {
            Some(Self::Kalshi)
        } else if is_below(path, "/trade-api/v2") {
            // Two operations are offered by both; they count as Kalshi's.
            let is_perps = !spec::KALSHI.knows(path) && spec::KALSHI_PERPS.knows(path);
            Some(if is_perps { Self::KalshiPerps } else { Self::Kalshi })
        } else if is_below(path, "/api/v2") || is_below(path, "/ws/api/v2") {
            Some(Self::Deribit)
        } else if is_below(path, bybit::ROOT) {
            Some(Self::Bybit)
        } else if binance::ROOTS.iter().any(|root| is_below(path, root)) || binance::is_stream(path) {
            Some(Self::Binance)
        } else if is_below(path, "/api") {
            Some(Self::Yativo)
        } else if is_below(path, "/v1") || is_below(path, "/ws/v1") || path == "/health" || path == "/version" {
            Some(Self::Bayse)
        } else {
            None
        }
    }

    pub(crate) const ALL: [Self; 7] =
        [Self::Bayse, Self::Binance, Self::Bybit, Self::Deribit, Self::Kalshi, Self::KalshiPerps, Self::Yativo];

    /// Whether a response says that the credentials of its request were not accepted.
    pub(crate) fn refuses_credentials(self, response: &Response) -> bool {
        if response.status == 401 {
            return true;
        }
        // At some venues the code of the error decides: it comes with another status.
        let (at, decides): (&str, fn(i64) -> bool) = match self {
            Self::Binance => ("/code", binance::refuses_credentials),
            Self::Bybit => ("/retCode", bybit::refuses_credentials),
            Self::Deribit => ("/error/code", deribit::refuses_credentials),
            Self::Bayse | Self::Kalshi | Self::KalshiPerps | Self::Yativo => return false,
        };
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
        body.pointer(at).and_then(serde_json::Value::as_i64).is_some_and(decides)
    }

    /// The venue of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|venue| venue.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bayse => "bayse",
            Self::Binance => "binance",
            Self::Bybit => "bybit",
            Self::Deribit => "deribit",
            Self::Kalshi => "kalshi",
            Self::KalshiPerps => "kalshi_perps",
            Self::Yativo => "yativo",
        }
    }
}

/// Whether the sandbox serves an operation from its state, so that it agrees with every other operation that shows or changes
/// the same. Any other is answered with an example made from the spec, marked by the header `x-sandbox`.
///
/// The operation is an `operationId`, or the name of a JSON-RPC method; one that the venue does not have is not served.
pub fn keeps_state(venue: &str, operation: &str) -> bool {
    let Some(known) = venuekit_spec::of(venue).and_then(|spec| spec.method(operation)) else { return false };
    let Some(venue) = Venue::named(venue) else { return false };
    match venue {
        Venue::Bayse => crate::bayse::serves(&known.id),
        Venue::Binance => binance::serves(&known.method, &known.template),
        Venue::Bybit => bybit::serves(&known.method, &known.template),
        Venue::Deribit => deribit::serves(&known.id),
        Venue::Kalshi | Venue::KalshiPerps => kalshi::serves(&known.id),
        Venue::Yativo => crate::yativo::serves(&known.method, &known.template),
    }
}

/// Whether a path is the prefix itself or continues it with a further segment.
pub(crate) fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(crate) struct Venues {
    pub(crate) clock: Clock,
    pub(crate) executed: Executed,
    pub(crate) faults: Faults,
    pub(crate) frames: FrameLog,
    pub(crate) requests: RequestLog,
    pub(crate) secrets: Secrets,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) market_maker: MarketMaker,
    pub(crate) deribit: Arc<Deribit>,
    pub(crate) bayse: Arc<Bayse>,
    pub(crate) binance: Arc<Binance>,
    pub(crate) bybit: Arc<Bybit>,
    pub(crate) kalshi: Arc<Kalshi>,
    yativo: Yativo,
}

// A venue's state holds secrets: none of it is shown.
impl std::fmt::Debug for Venues {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Venues").finish_non_exhaustive()
    }
}

impl Venues {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        let (clock, executed, faults) = (Clock::default(), Executed::default(), Faults::default());
        let (frames, requests) = (FrameLog::default(), RequestLog::default());
        let logs = || (frames.clone(), requests.clone());
        let deribit = Deribit::new(&accounts.deribit, clock.clone(), executed.clone(), faults.clone(), logs());
        let bybit = Bybit::new(&accounts.bybit, clock.clone(), executed.clone(), faults.clone(), logs());
        let binance = Binance::new(&accounts.binance, clock.clone(), executed.clone(), faults.clone(), logs());
        Self {
            binance: Arc::new(binance),
            bayse: Arc::new(Bayse::new(&accounts.bayse, clock.clone(), faults.clone(), logs())),
            deribit: Arc::new(deribit),
            bybit: Arc::new(bybit),
            kalshi: Arc::new(Kalshi::new(&accounts.kalshi, clock.clone(), faults.clone(), logs())),
            yativo: Yativo::new(&accounts.yativo, clock.clone()),
            secrets: Secrets::new(&accounts),
            accounts,
            market_maker: MarketMaker::default(),
            clock,
            executed,
            faults,
            frames,
            requests,
        }
    }

    /// What a request says about its sender. `now` is when it arrived.
    pub(crate) fn inspect(&self, venue: Venue, request: &Request, now: i64, is_accepted: bool) -> Inspection {
        let evidence = match venue {
            Venue::Bayse => self.bayse.inspect(request, now),
            Venue::Binance => self.binance.inspect(request, now),
            Venue::Bybit => self.bybit.inspect(request, now, is_accepted),
            Venue::Deribit => self.deribit.inspect(request, now),
            Venue::Kalshi | Venue::KalshiPerps => self.kalshi.inspect(request, now, is_accepted),
            Venue::Yativo => self.yativo.inspect(request, now, is_accepted).into(),
        };
        evidence.explain()
    }

    /// What a venue remembers.
    pub(crate) fn overview(&self, venue: Venue) -> Overview {
        match venue {
            Venue::Bayse => self.bayse.overview(),
            Venue::Binance => self.binance.overview(),
            Venue::Bybit => self.bybit.overview(),
            Venue::Deribit => self.deribit.overview(),
            Venue::Kalshi => self.kalshi.overview(false),
            Venue::KalshiPerps => self.kalshi.overview(true),
            Venue::Yativo => self.yativo.overview(),
        }
    }

    /// The book of a market of a venue, and its last trades.
    pub(crate) fn market_view(&self, venue: Venue, market: &str) -> Option<MarketView> {
        match venue {
            Venue::Bayse => self.bayse.market_view(market),
            Venue::Binance => self.binance.market_view(market),
            Venue::Bybit => self.bybit.market_view(market),
            Venue::Deribit => self.deribit.market_view(market),
            Venue::Kalshi | Venue::KalshiPerps => self.kalshi.market_view(market),
            Venue::Yativo => None,
        }
    }

    /// Revokes a key of a venue, by what requests name it by. Whether there was one.
    pub(crate) fn revoke(&self, venue: Venue, key: &str) -> bool {
        match venue {
            Venue::Bayse => self.bayse.revoke(key),
            Venue::Binance => self.binance.revoke(key),
            Venue::Bybit => self.bybit.revoke(key),
            Venue::Deribit => self.deribit.revoke(key),
            Venue::Kalshi | Venue::KalshiPerps => self.kalshi.revoke(key),
            Venue::Yativo => self.yativo.revoke(key),
        }
    }

    /// The markets of a venue that a market maker can quote.
    pub(crate) fn tradable(&self, venue: Venue) -> Vec<Tradable> {
        match venue {
            Venue::Bayse => self.bayse.tradable(),
            Venue::Binance => self.binance.tradable(),
            Venue::Deribit => self.deribit.tradable(),
            Venue::Kalshi => self.kalshi.tradable(false),
            Venue::KalshiPerps => self.kalshi.tradable(true),
            Venue::Bybit => self.bybit.tradable(),
            Venue::Yativo => Vec::new(),
        }
    }

    /// Has the market maker of a venue quote a market, and others take from it.
    pub(crate) fn make_market(&self, venue: Venue, market: &str, step: &MarketStep) {
        match venue {
            Venue::Bayse => self.bayse.make_market(market, step),
            Venue::Binance => self.binance.make_market(market, step),
            Venue::Deribit => self.deribit.make_market(market, step),
            Venue::Kalshi | Venue::KalshiPerps => self.kalshi.make_market(market, step),
            Venue::Bybit => self.bybit.make_market(market, step),
            Venue::Yativo => {}
        }
    }

    /// Puts everything back into the state that it had at the start. Open connections are closed.
    pub(crate) fn reset(&self) {
        self.cut_connections();
        self.market_maker.stop();
        self.clock.set_offset_millis(0);
        self.faults.clear();
        Venue::ALL.into_iter().for_each(|venue| self.reset_venue(venue));
        self.executed.clear();
        self.frames.clear();
        self.requests.forget_uses();
    }

    fn reset_venue(&self, venue: Venue) {
        match venue {
            Venue::Bayse => self.bayse.reset(&self.accounts.bayse),
            Venue::Binance => self.binance.reset(),
            Venue::Bybit => self.bybit.reset(),
            Venue::Deribit => self.deribit.reset(&self.accounts.deribit),
            Venue::Kalshi => self.kalshi.reset(&self.accounts.kalshi),
            // Its state is part of Kalshi's.
            Venue::KalshiPerps => {}
            Venue::Yativo => self.yativo.reset(&self.accounts.yativo),
        }
    }

    /// How many WebSocket connections are open.
    pub(crate) fn connections(&self) -> usize {
        let of = |venue| match venue {
            Venue::Bayse => self.bayse.connections(),
            Venue::Binance => self.binance.connections(),
            Venue::Bybit => self.bybit.connections(),
            Venue::Deribit => self.deribit.connections(),
            Venue::Kalshi => self.kalshi.connections(),
            // The first counts with Kalshi's, the second has no WebSocket.
            Venue::KalshiPerps | Venue::Yativo => 0,
        };
        Venue::ALL.into_iter().map(of).sum()
    }

    /// Cuts all WebSocket connections. Returns how many there were.
    pub(crate) fn cut_connections(&self) -> usize {
        let of = |venue| match venue {
            Venue::Bayse => self.bayse.cut_connections(),
            Venue::Binance => self.binance.cut_connections(),
            Venue::Bybit => self.bybit.cut_connections(),
            Venue::Deribit => self.deribit.cut_connections(),
            Venue::Kalshi => self.kalshi.cut_connections(),
            Venue::KalshiPerps | Venue::Yativo => 0,
        };
        Venue::ALL.into_iter().map(of).sum()
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let Some(venue) = Venue::at(&request.path) else {
            return Reply::json(404, &json!({"error": "no venue is served at this path"}));
        };
        let reply = match venue {
            Venue::Bayse => self.bayse.handle(request),
            Venue::Binance => self.binance.handle(request),
            Venue::Bybit => self.bybit.handle(request),
            Venue::Deribit => self.deribit.handle(request),
            Venue::Kalshi => self.kalshi.handle(request),
            Venue::KalshiPerps => self.kalshi.handle_perps(request),
            Venue::Yativo => self.yativo.handle(request),
        };
        if let Some(operation) = &reply.executed {
            self.executed.add(venue.name(), operation);
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spec_has_a_venue_and_its_paths_lead_there() {
        for spec in venuekit_spec::all() {
            let venue = Venue::named(spec.venue).unwrap_or_else(|| panic!("{} is not in Venue::ALL", spec.venue));
            for operation in spec.operations().filter(|one| !one.template.starts_with("/ws-api/")) {
                let path = format!("{}{}", spec.prefix, operation.template);
                // Two operations of the perpetual futures are Kalshi's own.
                let is_shared = venue == Venue::KalshiPerps && spec::KALSHI.knows(&path);
                let expected = if is_shared { Venue::Kalshi } else { venue };
                assert_eq!(Venue::at(&path), Some(expected), "{} {path}", operation.id);
            }
        }
    }
}
