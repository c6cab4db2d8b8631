//! The names of streams, and the paths at which connections are opened.

use percent_encoding::percent_decode_str;

use crate::binance::candles::interval_named;
use crate::binance::trading::Trading;
use crate::exchange::Interval;
use crate::venues::is_below;

/// Where calls are made over a connection.
pub(super) const API_PATH: &str = "/ws-api/v3";
const RAW_PATH: &str = "/ws";
const COMBINED_PATH: &str = "/stream";
/// What stands below `/ws` and belongs to Deribit and Bayse.
const OF_OTHERS: [&str; 2] = ["/ws/api", "/ws/v1"];
/// The only zone other than UTC that candle streams support.
const EAST_MILLIS: i64 = 8 * 3_600_000;

/// What is served at a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Endpoint {
    /// Market data. On a combined connection, frames name their stream.
    Market {
        combined: bool,
    },
    Api,
}

impl Endpoint {
    pub(super) fn at(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        match path {
            API_PATH => Some(Self::Api),
            RAW_PATH => Some(Self::Market { combined: false }),
            COMBINED_PATH => Some(Self::Market { combined: true }),
            _ => name_of_path(path).map(|_| Self::Market { combined: false }),
        }
    }

    /// The path at which connections of the kind are opened.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Api => API_PATH,
            Self::Market { combined: true } => COMBINED_PATH,
            Self::Market { combined: false } => RAW_PATH,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Api => "ws-api",
            Self::Market { combined: true } => "stream",
            Self::Market { combined: false } => "ws",
        }
    }
}

/// The streams that a path names after `/ws/`. Any name is accepted, as the venue does: clients open `/ws/0`, and say later
/// what they want.
fn name_of_path(path: &str) -> Option<String> {
    if OF_OTHERS.iter().any(|other| is_below(path, other)) {
        return None;
    }
    let name = path.strip_prefix(RAW_PATH)?.strip_prefix('/')?;
    Some(percent_decode_str(name).decode_utf8().ok()?.into_owned())
}

/// The streams that a request for a connection names.
pub(super) fn names_of(path: &str, query: Option<&str>) -> Vec<String> {
    let of_path = name_of_path(path);
    let of_query = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("streams="));
    // A plus sign is one here: it belongs to the zone of a candle.
    let of_query = of_query.map(|names| percent_decode_str(names).decode_utf8_lossy().into_owned());
    let all = of_path.into_iter().chain(of_query);
    all.flat_map(|names| names.split('/').map(str::to_owned).collect::<Vec<_>>())
        .filter(|name| !name.is_empty())
        .collect()
}

/// What a stream is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Subject {
    Trade,
    AggregateTrade,
    Candle {
        interval: Interval,
        zone: i64,
    },
    MiniTicker,
    Ticker,
    /// The statistics of so many hours.
    WindowTicker(i64),
    BookTicker,
    AveragePrice,
    ReferencePrice,
    BlockTrade,
    /// So many levels of each side.
    Levels {
        count: usize,
        fast: bool,
    },
    Changes {
        fast: bool,
    },
}

/// A stream that exists: its subject and its market. Without a market it covers all of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Topic {
    pub(super) subject: Subject,
    pub(super) symbol: Option<usize>,
}

impl Topic {
    /// The name of the channel without market, interval and speed.
    pub(super) fn channel(self) -> &'static str {
        match self.subject {
            Subject::Trade => "trade",
            Subject::AggregateTrade => "aggTrade",
            Subject::Candle { .. } => "kline",
            Subject::MiniTicker => "miniTicker",
            Subject::Ticker => "ticker",
            Subject::WindowTicker(_) => "rollingTicker",
            Subject::BookTicker => "bookTicker",
            Subject::AveragePrice => "avgPrice",
            Subject::ReferencePrice => "referencePrice",
            Subject::BlockTrade => "blockTrade",
            Subject::Levels { .. } => "partialDepth",
            Subject::Changes { .. } => "depth",
        }
    }
}

/// The stream of a name. The venue acknowledges every name: one that it does not know stays silent.
pub(super) fn read(name: &str, trading: &Trading) -> Option<Topic> {
    if let Some(what) = name.strip_prefix('!') {
        return Some(Topic { subject: of_all(what)?, symbol: None });
    }
    let (market, what) = name.split_once('@')?;
    // Names have small letters, and payloads have capital ones.
    let symbol = trading.symbols.iter().position(|symbol| symbol.name.to_lowercase() == market)?;
    Some(Topic { subject: subject(what)?, symbol: Some(symbol) })
}

/// The channel of a name or of an address of the spec, as [`Topic::channel`] calls it, whatever its market.
pub(crate) fn channel_of(address: &str) -> Option<&'static str> {
    let name = address.replace("{interval}", "1m").replace("{levels}", "5").replace("{window}", "1h");
    let subject = match name.strip_prefix('!') {
        Some(what) => of_all(what)?,
        None => subject(name.split_once('@')?.1)?,
    };
    Some(Topic { subject, symbol: None }.channel())
}

fn of_all(what: &str) -> Option<Subject> {
    Some(match what {
        "miniTicker@arr" => Subject::MiniTicker,
        "ticker_1h@arr" => Subject::WindowTicker(1),
        "ticker_4h@arr" => Subject::WindowTicker(4),
        "ticker_1d@arr" => Subject::WindowTicker(24),
        _ => return None,
    })
}

fn subject(what: &str) -> Option<Subject> {
    Some(match what {
        "trade" => Subject::Trade,
        "aggTrade" => Subject::AggregateTrade,
        "miniTicker" => Subject::MiniTicker,
        "ticker" => Subject::Ticker,
        "ticker_1h" => Subject::WindowTicker(1),
        "ticker_4h" => Subject::WindowTicker(4),
        "ticker_1d" => Subject::WindowTicker(24),
        "bookTicker" => Subject::BookTicker,
        "avgPrice" => Subject::AveragePrice,
        "referencePrice" => Subject::ReferencePrice,
        "blockTrade" => Subject::BlockTrade,
        "depth" => Subject::Changes { fast: false },
        "depth@100ms" => Subject::Changes { fast: true },
        _ => return candle(what).or_else(|| levels(what)),
    })
}

fn candle(what: &str) -> Option<Subject> {
    let rest = what.strip_prefix("kline_")?;
    let (interval, zone) = match rest.split_once('@') {
        None => (rest, 0),
        Some((interval, "+08:00")) => (interval, EAST_MILLIS),
        Some(_) => return None,
    };
    Some(Subject::Candle { interval: interval_named(interval)?, zone })
}

fn levels(what: &str) -> Option<Subject> {
    let rest = what.strip_prefix("depth")?;
    let (count, fast) = match rest.split_once('@') {
        None => (rest, false),
        Some((count, "100ms")) => (count, true),
        Some(_) => return None,
    };
    let count = count.parse().ok().filter(|count| [5, 10, 20].contains(count))?;
    Some(Subject::Levels { count, fast })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_opened_where_the_venue_has_them() {
        assert_eq!(Endpoint::at("/ws-api/v3"), Some(Endpoint::Api));
        assert_eq!(Endpoint::at("/stream"), Some(Endpoint::Market { combined: true }));
        for any in ["/ws/btcusdt@trade", "/ws/btcusdt", "/ws/0", "/ws/stream", "/ws/a@trade/b", "/ws/"] {
            assert_eq!(Endpoint::at(any), Some(Endpoint::Market { combined: false }), "{any}");
        }
        for other in ["/ws/api/v2", "/ws/v1/markets", "/v5/public/spot", "/wsx", "/stream/x"] {
            assert_eq!(Endpoint::at(other), None, "{other}");
        }
        assert_eq!(names_of("/ws/a@trade/b@depth", None), ["a@trade", "b@depth"]);
        let query = Some("timeUnit=MICROSECOND&streams=a@trade/b@kline_1m@%2B08:00");
        assert_eq!(names_of("/stream", query), ["a@trade", "b@kline_1m@+08:00"]);
    }

    #[test]
    fn names_are_exact() {
        let trading = Trading::new(1_700_000_000_000);
        let subject = |name: &str| read(name, &trading).map(|topic| topic.subject);
        assert_eq!(subject("btcusdt@depth@100ms"), Some(Subject::Changes { fast: true }));
        assert_eq!(subject("btcusdt@depth20"), Some(Subject::Levels { count: 20, fast: false }));
        let east = Subject::Candle { interval: Interval::Month, zone: EAST_MILLIS };
        assert_eq!(subject("btcusdt@kline_1M@+08:00"), Some(east));
        assert_eq!(subject("币安人生usdt@trade"), Some(Subject::Trade));
        assert_eq!(subject("!miniTicker@arr"), Some(Subject::MiniTicker));
        for silent in ["BTCUSDT@trade", "btcusdt@depth30", "btcusdt@depth@50ms", "none@trade", "!ticker@arr", "x"] {
            assert_eq!(subject(silent), None, "{silent}");
        }
    }
}
