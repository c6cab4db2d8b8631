//! The venues of one sandbox, and which of them a path leads to.

use std::sync::Arc;

use serde_json::json;

use crate::accounts::Accounts;
use crate::bayse::Bayse;
use crate::clock::Clock;
use crate::deribit::Deribit;
use crate::executed::Executed;
use crate::faults::Faults;
use crate::kalshi::{self, Kalshi};
use crate::message::{Reply, Request};
use crate::spec;
use crate::streams::FrameLog;
use crate::yativo::Yativo;

/// One of the venues.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Venue {
    Bayse,
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
        } else if is_below(path, "/api") {
            Some(Self::Yativo)
        } else if is_below(path, "/v1") || is_below(path, "/ws/v1") || path == "/health" || path == "/version" {
            Some(Self::Bayse)
        } else {
            None
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bayse => "bayse",
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
    match venue {
        "bayse" => crate::bayse::serves(&known.id),
        "deribit" => crate::deribit::serves(&known.id),
        "kalshi" | "kalshi_perps" => kalshi::serves(&known.id),
        "yativo" => crate::yativo::serves(&known.method, &known.template),
        _ => false,
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
    pub(crate) deribit: Arc<Deribit>,
    pub(crate) bayse: Arc<Bayse>,
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
    pub(crate) fn new(accounts: &Accounts) -> Self {
        let (clock, executed, faults) = (Clock::default(), Executed::default(), Faults::default());
        let frames = FrameLog::default();
        let deribit = Deribit::new(&accounts.deribit, clock.clone(), executed.clone(), faults.clone(), frames.clone());
        Self {
            bayse: Arc::new(Bayse::new(&accounts.bayse, clock.clone(), faults.clone(), frames.clone())),
            deribit: Arc::new(deribit),
            kalshi: Arc::new(Kalshi::new(&accounts.kalshi, clock.clone(), faults.clone(), frames.clone())),
            yativo: Yativo::new(&accounts.yativo, clock.clone()),
            clock,
            executed,
            faults,
            frames,
        }
    }

    /// How many WebSocket connections are open.
    pub(crate) fn connections(&self) -> usize {
        self.deribit.connections() + self.kalshi.connections() + self.bayse.connections()
    }

    /// Cuts all WebSocket connections. Returns how many there were.
    pub(crate) fn cut_connections(&self) -> usize {
        self.deribit.cut_connections() + self.kalshi.cut_connections() + self.bayse.cut_connections()
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let Some(venue) = Venue::at(&request.path) else {
            return Reply::json(404, &json!({"error": "no venue is served at this path"}));
        };
        let reply = match venue {
            Venue::Bayse => self.bayse.handle(request),
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
