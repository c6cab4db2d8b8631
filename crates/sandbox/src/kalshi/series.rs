//! The series: what the markets are made from.

/// What the markets of a series have in common.
pub(super) struct Series {
    pub(super) ticker: &'static str,
    pub(super) title: &'static str,
    pub(super) category: &'static str,
    pub(super) unit: &'static str,
    pub(super) first_strike: i64,
    pub(super) strike_step: i64,
    /// The name of the price grid.
    pub(super) structure: &'static str,
}

pub(super) static SERIES: [Series; 6] = [
    series("KXHIGHNY", "Highest temperature in New York", "Climate and Weather", "°F", (38, 3), "linear_cent"),
    series("KXRAINSEA", "Rain in Seattle", "Climate and Weather", "mm", (1, 2), "linear_cent"),
    series("KXBTCD", "Bitcoin at 5 pm", "Crypto", "USD", (84_000, 1_500), "tapered_deci_cent"),
    series("KXETHD", "Ether at 5 pm", "Crypto", "USD", (2_600, 100), "tapered_deci_cent"),
    series("KXINXD", "S&P 500 at the close", "Financials", "points", (6_300, 75), "deci_cent"),
    series("KXEURUSD", "Euro in US cents at 10 am", "Financials", "¢", (104, 2), "deci_cent"),
];

const fn series(
    ticker: &'static str,
    title: &'static str,
    category: &'static str,
    unit: &'static str,
    (first_strike, strike_step): (i64, i64),
    structure: &'static str,
) -> Series {
    Series { ticker, title, category, unit, first_strike, strike_step, structure }
}

/// The series of a market, by the index that the market has of it.
pub(super) fn series_at(index: usize) -> &'static Series {
    &SERIES[index]
}
