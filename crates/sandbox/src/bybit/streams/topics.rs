//! Topics: what a connection can hear, by the text that names it.

use std::sync::Arc;

use crate::bybit::candles::interval_named;
use crate::bybit::category::Category;
use crate::bybit::trading::Trading;
use crate::exchange::Interval;

/// Where a connection is made to. Each offers its own topics.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Endpoint {
    Public(Category),
    /// Public data that the sandbox has none of: a test sends it.
    Other(&'static str),
    Private,
    Trade,
}

const OTHER: [&str; 4] = ["spread", "rfq", "fp", "misc/status"];

impl Endpoint {
    pub(super) fn at(path: &str) -> Option<Self> {
        let name = path.strip_prefix("/v5/")?;
        match name {
            "private" => return Some(Self::Private),
            "trade" => return Some(Self::Trade),
            _ => {}
        }
        let name = name.strip_prefix("public/")?;
        let other = || OTHER.into_iter().find(|other| *other == name).map(Self::Other);
        Category::named(name).map(Self::Public).or_else(other)
    }

    /// What it is called after `/v5/`.
    pub(super) fn name(self) -> String {
        match self {
            Self::Public(category) => format!("public/{}", category.name()),
            Self::Other(name) => format!("public/{name}"),
            Self::Private => "private".to_owned(),
            Self::Trade => "trade".to_owned(),
        }
    }

    /// Whether its replies list topics instead of naming the command.
    pub(super) fn lists_topics(self) -> bool {
        matches!(self, Self::Public(Category::Option) | Self::Other("spread"))
    }

    pub(super) fn needs_login(self) -> bool {
        matches!(self, Self::Private | Self::Trade)
    }
}

/// What a topic is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Subject {
    /// So many levels of a book.
    Book {
        instrument: usize,
        depth: usize,
    },
    /// The best prices, each time as a whole.
    TopOfBook {
        instrument: usize,
    },
    /// Changes of the whole book, which begins with a call.
    FullBook {
        instrument: usize,
    },
    /// A book that shows with each level what retail users alone may take.
    RetailBook {
        instrument: usize,
    },
    Trades {
        instrument: usize,
    },
    /// The trades of all options of a coin.
    CoinTrades {
        base: &'static str,
    },
    Ticker {
        instrument: usize,
    },
    Kline {
        instrument: usize,
        interval: Interval,
    },
    PriceLimit {
        instrument: usize,
    },
    Orders(Option<Category>),
    Executions(Option<Category>),
    FastExecutions(Option<Category>),
    Positions(Option<Category>),
    Wallet,
    /// Nothing happens on it unless a test sends it.
    Quiet,
}

/// Something to hear.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Topic {
    /// The first words of its text, such as `orderbook`.
    pub(super) channel: &'static str,
    pub(super) subject: Subject,
    /// The symbol, coin or product; empty where it has none.
    pub(super) item: Arc<str>,
}

/// Reads the text of a topic. None where the endpoint has no such topic.
pub(super) fn read(endpoint: Endpoint, text: &str, trading: &Trading) -> Option<Topic> {
    match endpoint {
        Endpoint::Public(category) => public(category, text, trading),
        Endpoint::Other(name) => other(name, text),
        Endpoint::Private => private(text),
        Endpoint::Trade => None,
    }
}

fn public(category: Category, text: &str, trading: &Trading) -> Option<Topic> {
    // A symbol may hold dots: everything after the words of the channel is the symbol.
    let (first, rest) = text.split_once('.')?;
    let instrument = |symbol: &str| trading.find(category, symbol);
    let topic = |channel, subject, item: &str| Some(Topic { channel, subject, item: item.into() });
    let is_contract = matches!(category, Category::Linear | Category::Inverse);
    match first {
        "orderbook" => {
            let (depth, symbol) = rest.split_once('.')?;
            let instrument = instrument(symbol)?;
            let subject = match (category, depth) {
                (Category::Option, "25" | "100") => Subject::Book { instrument, depth: depth.parse().ok()? },
                // Named among the good topics, and silent.
                (Category::Option, "1" | "50" | "200" | "1000") => Subject::Quiet,
                (Category::Option, _) => return None,
                (_, "1") => Subject::TopOfBook { instrument },
                (_, "50" | "200" | "1000") => Subject::Book { instrument, depth: depth.parse().ok()? },
                (_, "full") => Subject::FullBook { instrument },
                (_, "rpi") => Subject::RetailBook { instrument },
                _ => return None,
            };
            topic("orderbook", subject, symbol)
        }
        "publicTrade" if category == Category::Option => {
            let base = trading.of(category).map(|(_, one)| one.base).find(|base| *base == rest)?;
            topic("publicTrade", Subject::CoinTrades { base }, rest)
        }
        "publicTrade" => topic("publicTrade", Subject::Trades { instrument: instrument(rest)? }, rest),
        "tickers" => topic("tickers", Subject::Ticker { instrument: instrument(rest)? }, rest),
        "kline" => {
            let (interval, symbol) = rest.split_once('.')?;
            let (interval, instrument) = (interval_named(interval)?, instrument(symbol)?);
            let subject =
                if category == Category::Option { Subject::Quiet } else { Subject::Kline { instrument, interval } };
            topic("kline", subject, symbol)
        }
        "priceLimit" if category != Category::Option => {
            topic("priceLimit", Subject::PriceLimit { instrument: instrument(rest)? }, rest)
        }
        "allLiquidation" if is_contract => instrument(rest).and_then(|_| topic("allLiquidation", Subject::Quiet, rest)),
        "liquidation" if is_contract => instrument(rest).and_then(|_| topic("liquidation", Subject::Quiet, rest)),
        "adlAlert" if is_contract && is_pool(rest) => topic("adlAlert", Subject::Quiet, rest),
        "insurance" if is_contract && is_pool(rest) => topic("insurance", Subject::Quiet, rest),
        _ => None,
    }
}

fn is_pool(name: &str) -> bool {
    ["USDT", "USDC", "inverse"].contains(&name)
}

fn other(endpoint: &str, text: &str) -> Option<Topic> {
    let (channel, item) = match (endpoint, text) {
        ("misc/status", "system.status") => ("system.status", ""),
        ("rfq", "rfq.open.public.trades") => ("rfq.open.public.trades", ""),
        ("fp", "earn.dualassets.offers") => ("earn.dualassets.offers", ""),
        ("fp", "earn.discountbuy.offers") => ("earn.discountbuy.offers", ""),
        ("fp", "earn.doublewin.offers") => ("earn.doublewin.offers", ""),
        ("fp", "earn.smartleverage.offers") => ("earn.smartleverage.offers", ""),
        ("spread", _) => {
            let of = |channel, prefix: &str| text.strip_prefix(prefix).map(|item| (channel, item));
            of("orderbook", "orderbook.25.")
                .or_else(|| of("publicTrade", "publicTrade."))
                .or_else(|| of("tickers", "tickers."))?
        }
        _ => return None,
    };
    Some(Topic { channel, subject: Subject::Quiet, item: item.into() })
}

fn private(text: &str) -> Option<Topic> {
    let quiet = |channel| Some(Topic { channel, subject: Subject::Quiet, item: "".into() });
    match text {
        "wallet" => return Some(Topic { channel: "wallet", subject: Subject::Wallet, item: "".into() }),
        "greeks" => return quiet("greeks"),
        "strategy" => return quiet("strategy"),
        "spread.order" => return quiet("spread.order"),
        "spread.execution" => return quiet("spread.execution"),
        "rfq.open.rfqs" => return quiet("rfq.open.rfqs"),
        "rfq.open.quotes" => return quiet("rfq.open.quotes"),
        "rfq.open.trades" => return quiet("rfq.open.trades"),
        // These arm cancelling on disconnect, and send nothing.
        "dcp.future" | "dcp.spot" | "dcp.option" => return quiet("dcp"),
        _ => {}
    }
    // The longer word comes first: one begins with the other.
    let channels = ["execution.fast", "execution", "order", "position"];
    let (channel, rest) = channels.into_iter().find_map(|channel| Some((channel, text.strip_prefix(channel)?)))?;
    let category = match rest.strip_prefix('.') {
        Some(name) => Some(Category::named(name)?),
        None if rest.is_empty() => None,
        None => return None,
    };
    if channel == "position" && category == Some(Category::Spot) {
        return None;
    }
    let subject = match channel {
        "execution.fast" => Subject::FastExecutions(category),
        "execution" => Subject::Executions(category),
        "order" => Subject::Orders(category),
        _ => Subject::Positions(category),
    };
    Some(Topic { channel, subject, item: category.map_or("", Category::name).into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_their_own_topics() {
        let trading = Trading::new(1_795_972_275_000);
        let known = |endpoint: &str, text: &str| {
            let endpoint = Endpoint::at(&format!("/v5/{endpoint}")).unwrap();
            read(endpoint, text, &trading).map(|topic| (topic.channel, topic.item.to_string()))
        };
        let some = |channel, item: &str| Some((channel, item.to_owned()));
        assert_eq!(known("public/linear", "orderbook.50.BTCUSDT"), some("orderbook", "BTCUSDT"));
        assert_eq!(known("public/linear", "orderbook.30.BTCUSDT"), None);
        assert_eq!(known("public/linear", "orderbook.50.btcusdt"), None);
        assert_eq!(known("public/linear", "orderbook.50.BTCUSD"), None, "of another product");
        assert_eq!(known("public/spot", "allLiquidation.BTCUSDT"), None);
        assert_eq!(known("public/linear", "adlAlert"), None);
        assert_eq!(known("public/option", "publicTrade.BTC"), some("publicTrade", "BTC"));
        assert_eq!(known("public/linear", "order"), None);
        assert_eq!(known("private", "order.linear"), some("order", "linear"));
        assert_eq!(known("private", "execution.fast.spot"), some("execution.fast", "spot"));
        assert_eq!(known("private", "position.spot"), None);
        assert_eq!(known("private", "orderbook.50.BTCUSDT"), None);
        assert_eq!(known("public/misc/status", "system.status"), some("system.status", ""));
        assert_eq!(Endpoint::at("/v5/public/unknown"), None);
    }
}
