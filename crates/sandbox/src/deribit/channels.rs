//! The names of channels: what each one tells, and which names there are.

use std::time::Duration;

use super::candles;
use super::instruments::{CURRENCIES, Instrument, KINDS};
use super::state::State;
use crate::number;

/// Channels of no parts.
const PLAIN: [&str; 3] = ["platform_state", "platform_state.public_methods_state", "announcements"];
const PLAIN_OF_ACCOUNT: [&str; 6] = [
    "user.access_log",
    "user.lock",
    "user.liquidation",
    "user.isolated.liquidation",
    "user.lsp",
    "block_trade_confirmations",
];
/// Channels of a price index.
const OF_INDEX: [&str; 6] = [
    "deribit_price_index",
    "deribit_price_ranking",
    "deribit_price_statistics",
    "deribit_volatility_index",
    "markprice.options",
    "estimated_expiration_price",
];
/// Channels of a currency that are the account's own.
const OF_CURRENCY: [&str; 4] =
    ["block_trade_confirmations", "block_rfq.maker", "block_rfq.taker", "block_rfq.maker.quotes"];
const DEPTHS: [usize; 3] = [1, 10, 20];

/// How often a channel tells.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum UpdateInterval {
    /// At each change.
    Raw,
    Fast,
    /// Once a second.
    Second,
    Slow,
}

impl UpdateInterval {
    fn read(text: &str) -> Option<Self> {
        match text {
            "raw" => Some(Self::Raw),
            "100ms" => Some(Self::Fast),
            "agg2" => Some(Self::Slow),
            _ => None,
        }
    }

    /// How long changes are gathered.
    pub(super) fn pause(self) -> Duration {
        Duration::from_millis(match self {
            Self::Raw => 0,
            Self::Fast => 100,
            Self::Second => 1000,
            Self::Slow => 2000,
        })
    }
}

/// Which instruments a channel is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    One(&'static str),
    /// A kind and a currency, each of which may be `any`.
    Of(String, String),
}

impl Scope {
    fn read(state: &State, parts: &[&str]) -> Option<Self> {
        match parts {
            [name] => Some(Self::One(state.instrument(name)?.instrument_name)),
            [kind, currency] => {
                let is_kind = KINDS.contains(kind) || ["any", "combo"].contains(kind);
                (is_kind && is_currency(currency)).then(|| Self::Of((*kind).to_owned(), currency.to_uppercase()))
            }
            _ => None,
        }
    }

    pub(super) fn lets_in(&self, instrument: &Instrument) -> bool {
        match self {
            Self::One(name) => *name == instrument.instrument_name,
            Self::Of(kind, currency) => {
                let is_of_kind =
                    kind == "any" || kind == instrument.kind || kind == "combo" && instrument.kind.ends_with("_combo");
                is_of_kind && (currency == "ANY" || instrument.is_listed_under(currency))
            }
        }
    }
}

/// What an account receives of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Private {
    Orders,
    Trades,
    ComboTrades,
    Changes,
}

/// What a channel tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Channel {
    /// The whole book first, then what changes.
    Book(&'static str, UpdateInterval),
    /// The best levels, each time whole: the step that prices are rounded to, and how many levels.
    Window {
        instrument: &'static str,
        group: Option<number::Number>,
        depth: usize,
        pace: UpdateInterval,
    },
    Ticker(&'static str, UpdateInterval),
    IncrementalTicker(&'static str),
    Quote(&'static str),
    Perpetual(&'static str, UpdateInterval),
    /// One of a price index: its family, and the index.
    Index(&'static str, &'static str),
    Candles(&'static str, &'static str),
    Trades(Scope, UpdateInterval),
    Own(Private, Scope, UpdateInterval),
    /// A currency, or `ANY`.
    Portfolio(String),
    /// One that tells what does not happen here, unless a test says that it does.
    Silent {
        is_private: bool,
    },
}

/// All families of channels.
const FAMILIES: [&str; 34] = [
    "platform_state",
    "platform_state.public_methods_state",
    "announcements",
    "book",
    "ticker",
    "incremental_ticker",
    "perpetual",
    "quote",
    "deribit_price_index",
    "deribit_price_ranking",
    "deribit_price_statistics",
    "deribit_volatility_index",
    "markprice.options",
    "estimated_expiration_price",
    "chart.trades",
    "instrument.creation",
    "instrument.state",
    "trades",
    "block_trade_confirmations",
    "block_rfq.maker",
    "block_rfq.maker.quotes",
    "block_rfq.taker",
    "block_rfq.trades",
    "user.access_log",
    "user.changes",
    "user.combo_trades",
    "user.isolated.liquidation",
    "user.liquidation",
    "user.lock",
    "user.lsp",
    "user.mmp_trigger",
    "user.orders",
    "user.portfolio",
    "user.trades",
];

/// The family of a channel: its name without its parts. What is no channel is its own family.
pub(super) fn family(name: &str) -> &str {
    let of = |family: &&&str| name == **family || family_parts(name, family).is_some();
    let known = FAMILIES.iter().filter(of).max_by_key(|family| family.len());
    known.map_or(name, |family| &name[..family.len()])
}

/// The beginnings of the names of channels that tell what is an account's own.
pub(super) fn is_private(name: &str) -> bool {
    let own = OF_CURRENCY.iter().any(|family| name == *family || family_parts(name, family).is_some());
    name.starts_with("user.") || own
}

/// The parts of a name behind that of its family.
fn family_parts<'a>(name: &'a str, family: &str) -> Option<Vec<&'a str>> {
    Some(name.strip_prefix(family)?.strip_prefix('.')?.split('.').collect())
}

fn is_currency(text: &str) -> bool {
    let text = text.to_uppercase();
    text == "ANY" || CURRENCIES.contains(&text.as_str())
}

impl Channel {
    /// The channel of a name; none where there is no such channel.
    pub(super) fn read(state: &State, name: &str) -> Option<Self> {
        if PLAIN.contains(&name) {
            return Some(Self::Silent { is_private: false });
        }
        if PLAIN_OF_ACCOUNT.contains(&name) {
            return Some(Self::Silent { is_private: true });
        }
        let of = |family: &str| family_parts(name, family);
        let one = |family: &str| of(family).and_then(|parts| <[&str; 1]>::try_from(parts).ok()).map(|[part]| part);
        let instrument = |name: &str| state.instrument(name).map(|instrument| instrument.instrument_name);
        for family in OF_INDEX {
            if let Some(index) = one(family) {
                let index = state.index_name(index)?;
                return Some(Self::Index(family, index));
            }
        }
        for family in OF_CURRENCY.into_iter().chain(["block_rfq.trades"]) {
            if one(family).is_some_and(is_currency) {
                return Some(Self::Silent { is_private: family != "block_rfq.trades" });
            }
        }
        if let Some(parts) = of("book") {
            return Self::read_book(state, &parts);
        }
        if let Some([name, pace]) = of("ticker").as_deref() {
            return Some(Self::Ticker(instrument(name)?, UpdateInterval::read(pace)?));
        }
        if let Some([name, pace]) = of("perpetual").as_deref() {
            let is_perpetual = state.instrument(name)?.settlement_period == Some("perpetual");
            return instrument(name)
                .filter(|_| is_perpetual)
                .zip(UpdateInterval::read(pace))
                .map(|(it, pace)| Self::Perpetual(it, pace));
        }
        if let Some(name) = one("incremental_ticker") {
            return Some(Self::IncrementalTicker(instrument(name)?));
        }
        if let Some(name) = one("quote") {
            return Some(Self::Quote(instrument(name)?));
        }
        if let Some([name, resolution]) = of("chart.trades").as_deref() {
            return Some(Self::Candles(instrument(name)?, candles::resolution(resolution)?));
        }
        for family in ["instrument.state", "instrument.creation"] {
            if let Some(parts @ [_, _]) = of(family).as_deref() {
                return Scope::read(state, parts).map(|_| Self::Silent { is_private: false });
            }
        }
        if let Some((pace, scope)) = of("trades").as_deref().and_then(<[&str]>::split_last) {
            let pace = UpdateInterval::read(pace)?;
            return Some(Self::Trades(Scope::read(state, scope)?, pace));
        }
        if let Some(currency) = one("user.portfolio") {
            return is_currency(currency).then(|| Self::Portfolio(currency.to_uppercase()));
        }
        if let Some(index) = one("user.mmp_trigger") {
            return (index == "all" || state.index_name(index).is_some()).then_some(Self::Silent { is_private: true });
        }
        let own = [
            ("user.orders", Private::Orders),
            ("user.trades", Private::Trades),
            ("user.combo_trades", Private::ComboTrades),
            ("user.changes", Private::Changes),
        ];
        own.into_iter().find_map(|(family, what)| {
            let parts = of(family)?;
            let (pace, scope) = parts.split_last()?;
            Some(Self::Own(what, Scope::read(state, scope)?, UpdateInterval::read(pace)?))
        })
    }

    fn read_book(state: &State, parts: &[&str]) -> Option<Self> {
        match parts {
            [name, pace] => Some(Self::Book(state.instrument(name)?.instrument_name, UpdateInterval::read(pace)?)),
            [name, group, depth, pace] => {
                let instrument = state.instrument(name)?;
                let group = match *group {
                    "none" => None,
                    step => Some(number::Number(number::parse(step).filter(|step| instrument.is_on_tick(*step))?)),
                };
                let is_zero = group.is_some_and(|step| step.0.is_zero() || step.0.is_sign_negative());
                let depth = depth.parse().ok().filter(|depth| DEPTHS.contains(depth))?;
                let pace = UpdateInterval::read(pace).filter(|pace| *pace != UpdateInterval::Raw && !is_zero)?;
                Some(Self::Window { instrument: instrument.instrument_name, group, depth, pace })
            }
            _ => None,
        }
    }

    /// The one instrument whose book and trades it reports.
    pub(super) fn instrument(&self) -> Option<&'static str> {
        match self {
            Self::Book(name, _)
            | Self::Window { instrument: name, .. }
            | Self::Ticker(name, _)
            | Self::IncrementalTicker(name)
            | Self::Quote(name)
            | Self::Perpetual(name, _)
            | Self::Candles(name, _) => Some(name),
            _ => None,
        }
    }

    pub(super) fn pace(&self) -> UpdateInterval {
        match self {
            Self::Book(_, pace)
            | Self::Window { pace, .. }
            | Self::Ticker(_, pace)
            | Self::Perpetual(_, pace)
            | Self::Trades(_, pace)
            | Self::Own(_, _, pace) => *pace,
            Self::IncrementalTicker(_) => UpdateInterval::Second,
            Self::Quote(_) => UpdateInterval::Fast,
            _ => UpdateInterval::Raw,
        }
    }
}
