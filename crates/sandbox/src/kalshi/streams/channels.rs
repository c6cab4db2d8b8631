//! The channels of both endpoints.

/// One of the two endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kalshi) enum Endpoint {
    Events,
    Perps,
}

impl Endpoint {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Events => super::WEBSOCKET_PATH,
            Self::Perps => super::PERPS_WEBSOCKET_PATH,
        }
    }

    pub(super) fn venue(self) -> &'static str {
        match self {
            Self::Events => "kalshi",
            Self::Perps => "kalshi_perps",
        }
    }

    pub(super) fn channel(self, name: &str) -> Option<&'static Channel> {
        let channels = match self {
            Self::Events => EVENTS,
            Self::Perps => PERPS,
        };
        channels.iter().find(|channel| channel.name == name)
    }
}

/// What a subscription is narrowed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// Markets, which have to be named.
    Named,
    /// Markets; all where none is named.
    Markets,
    /// Nothing that can be changed afterwards.
    None,
    /// Requests for quotes: whose, and which share.
    Quotes,
    Indices(&'static Indices),
}

/// What the channels of price indices say differently.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Indices {
    /// The member that lists them.
    pub(super) member: &'static str,
    /// The actions that add, take away and list.
    pub(super) actions: [&'static str; 3],
    /// The type of the list.
    pub(super) list: &'static str,
    /// The member of data that names one.
    pub(super) id: &'static str,
    /// The error where none is named.
    pub(super) missing: i64,
    /// How many values there are to one of the others.
    pub(super) per_value: u64,
    pub(super) known: &'static [&'static str],
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Channel {
    pub(super) name: &'static str,
    /// Whether its frames are counted.
    pub(super) counted: bool,
    /// Whether it tells what is an account's own.
    pub(super) private: bool,
    pub(super) filter: Filter,
}

const fn channel(name: &'static str, counted: bool, private: bool, filter: Filter) -> Channel {
    Channel { name, counted, private, filter }
}

const CFBENCHMARKS: Indices = Indices {
    member: "index_ids",
    actions: ["subscribe_indices", "unsubscribe_indices", "indexlist"],
    list: "cfbenchmarks_value_indexlist",
    id: "index_id",
    missing: 24,
    per_value: 1,
    known: &["BRTI", "DOGEUSD_RTI", "ETHUSD_RTI", "SOLUSD_RTI", "XRPUSD_RTI"],
};
const CFBENCHMARKS_5HZ: Indices = Indices { list: "cfbenchmarks_value_5hz_indexlist", per_value: 5, ..CFBENCHMARKS };
const PYTH: Indices = Indices {
    member: "underlying_tickers",
    actions: ["subscribe_underlyings", "unsubscribe_underlyings", "underlying_list"],
    list: "pyth_value_underlying_list",
    id: "underlying_ticker",
    missing: 28,
    per_value: 1,
    known: &["FX.EUR/USD", "Metal.XAG/USD", "Metal.XAU/USD"],
};

const EVENTS: &[Channel] = &[
    channel("orderbook_delta", true, false, Filter::Named),
    channel("ticker", false, false, Filter::Markets),
    channel("trade", true, false, Filter::Markets),
    channel("fill", false, true, Filter::Markets),
    channel("market_positions", false, true, Filter::Markets),
    channel("user_orders", false, true, Filter::Markets),
    channel("order_group_updates", true, true, Filter::None),
    channel("market_lifecycle_v2", true, false, Filter::None),
    channel("multivariate_market_lifecycle", true, false, Filter::None),
    channel("communications", true, true, Filter::Quotes),
    channel("cfbenchmarks_value", true, true, Filter::Indices(&CFBENCHMARKS)),
    channel("cfbenchmarks_value_5hz", true, true, Filter::Indices(&CFBENCHMARKS_5HZ)),
    channel("pyth_value", true, true, Filter::Indices(&PYTH)),
];

const PERPS: &[Channel] = &[
    channel("orderbook_delta", true, false, Filter::Named),
    channel("ticker", false, false, Filter::Markets),
    channel("trade", true, false, Filter::Markets),
    channel("fill", false, true, Filter::Markets),
    channel("user_orders", false, true, Filter::Markets),
    channel("order_group_updates", true, true, Filter::None),
    channel("corporate_actions", true, false, Filter::Markets),
];
