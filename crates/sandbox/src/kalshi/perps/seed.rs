//! What the perpetual futures have at the start: contracts, quotes of the market maker, and some trades.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::super::seed::{MAKER, TAKER, resting};
use super::market::Contract;
use super::rules::MarginRules;
use crate::exchange::{Exchange, Side};
use crate::make::uuid;

const HOUR_MILLIS: i64 = 3_600_000;
const QUOTE_SIZE: Decimal = dec!(1000);

pub(super) fn contracts() -> Vec<Contract> {
    let contract = |ticker, title, size, fractional, price| Contract {
        ticker,
        market_id: uuid(),
        title,
        contract_size: size,
        fractional,
        first_price: price,
    };
    vec![
        contract("KXBTCPERP", "Bitcoin perpetual", dec!(0.0001), false, dec!(9.05)),
        contract("KXETHPERP", "Ether perpetual", dec!(0.001), true, dec!(2.8)),
        contract("KXSOLPERP", "Solana perpetual", dec!(0.1), true, dec!(13.4)),
    ]
}

/// Quotes and trades each contract a little. The quotes are wide, so that orders at usual prices meet only one another.
pub(super) fn trade(exchange: &mut Exchange<MarginRules>, contracts: &[Contract], now: i64) {
    exchange.open_unlimited(MAKER);
    exchange.open_unlimited(TAKER);
    for (hours, offset, count) in [(30, dec!(0.98), 20), (5, dec!(1.01), 30), (1, Decimal::ONE, 10)] {
        let time = now - hours * HOUR_MILLIS;
        for contract in contracts {
            let price = contract.first_price;
            if hours == 30 {
                let bid = (price / Decimal::TWO).round_dp(4);
                place(exchange, contract, [(Side::Bid, bid), (Side::Ask, price * Decimal::TWO)], QUOTE_SIZE, time);
            }
            let price = (price * offset).round_dp(4);
            let orders = [(Side::Bid, price), (Side::Ask, price)];
            place(exchange, contract, orders, Decimal::from(count), time);
        }
    }
}

/// Two orders. Those that meet are of two owners.
fn place(
    exchange: &mut Exchange<MarginRules>,
    contract: &Contract,
    orders: [(Side, Decimal); 2],
    count: Decimal,
    time: i64,
) {
    let meet = orders[0].1 == orders[1].1;
    for (index, (side, price)) in orders.into_iter().enumerate() {
        let owner = if meet && index == 1 { TAKER } else { MAKER };
        let placed = exchange.place(owner, contract.ticker, resting(side, price, count), false, time);
        debug_assert!(placed.is_ok(), "the market maker is refused: {placed:?}");
    }
}
