//! The market maker of Bayse: two accounts that belong to nobody, one that quotes and one that takes.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::events::{self, Engine};
use super::ledger::Currency;
use super::order::{Duration, SelfTrade, Side, Terms};
use super::streams::MarketState;
use super::{Account, Bayse, State};
use crate::accounts::BayseAccount;
use crate::make::random_text;
use crate::market_maker::{MarketStep, Tradable};

const MAKER: &str = "market-maker@sandbox.invalid";
const TAKER: &str = "market-taker@sandbox.invalid";
/// So many markets are quoted.
const MOST_MARKETS: usize = 6;
const PLENTY: Decimal = dec!(1_000_000_000);

impl Account {
    /// Whether it is one of the market maker's.
    pub(super) fn is_of_market_maker(&self) -> bool {
        self.email == MAKER || self.email == TAKER
    }
}

impl Bayse {
    /// The outcomes that the market maker quotes.
    pub(crate) fn tradable(&self) -> Vec<Tradable> {
        let events = self.events.iter().filter(|event| event.engine == Engine::Clob && event.is_open());
        let markets = events.filter_map(|event| event.markets.first());
        let outcome = |market: &events::Market| Tradable {
            id: market.outcome1_id.clone(),
            price: market.initial_price(&market.outcome1_id),
            tick: dec!(0.01),
            lowest: dec!(0.04),
            highest: dec!(0.96),
            lot: Decimal::TEN,
        };
        markets.map(outcome).take(MOST_MARKETS).collect()
    }

    /// Has the market maker quote an outcome, and others take from it.
    pub(crate) fn make_market(&self, outcome_id: &str, step: &MarketStep) {
        let Some(outcome) = events::outcome(&self.events, outcome_id) else { return };
        let now = self.clock.millis();
        let state = &mut *self.state();
        let (maker, taker) = (state.account_of(MAKER, outcome_id, now), state.account_of(TAKER, outcome_id, now));
        let sides = [(Side::Buy, &step.bids), (Side::Sell, &step.asks)];
        let sides = sides.into_iter().filter(|(_, levels)| !levels.is_empty());
        for (side, levels) in sides.clone() {
            let is_wanted = |price: Decimal| levels.iter().any(|(wanted, _)| *wanted == price);
            let own = state.exchange.open_on(maker, outcome_id).filter(|order| order.terms.side == side);
            let over: Vec<String> = own.filter(|order| !is_wanted(order.price)).map(|order| order.id.clone()).collect();
            for id in over {
                let _ = state.exchange.cancel(&mut state.accounts, maker, &id, now);
            }
        }
        for (side, levels) in sides {
            for (price, size) in levels {
                let own = state.exchange.open_on(maker, outcome_id);
                let own = own.filter(|order| order.terms.side == side && order.price == *price);
                let held: Decimal = own.map(|order| order.remaining()).sum();
                if held < *size / Decimal::TWO {
                    let terms = terms(side, *price, *size - held, Duration::Rest);
                    let _ = state.exchange.place(&mut state.accounts, maker, outcome, terms, now);
                }
            }
        }
        for one in &step.trades {
            let side = if one.is_buy { Side::Buy } else { Side::Sell };
            let terms = terms(side, one.price, one.size, Duration::FillAndKill);
            let _ = state.exchange.place(&mut state.accounts, taker, outcome, terms, now);
        }
        let changes = state.exchange.take_changes();
        let State { accounts, exchange, hub } = state;
        hub.publish(&changes, MarketState { events: &self.events, accounts, exchange, now });
    }
}

impl State {
    /// An account of the market maker, with money and shares of an outcome.
    fn account_of(&mut self, email: &str, outcome_id: &str, now: i64) -> usize {
        let found = self.accounts.iter().position(|account| account.email == email);
        let index = found.unwrap_or_else(|| {
            let secret = || random_text(32);
            self.accounts.push(Account::given(
                &BayseAccount {
                    email: email.to_owned(),
                    password: secret(),
                    auth_token: secret(),
                    device_id: secret(),
                    public_key: secret(),
                    secret_key: secret(),
                },
                now,
            ));
            self.accounts.len() - 1
        });
        let ledger = &mut self.accounts[index].ledger;
        if ledger.cash(Currency::Usd) < PLENTY / Decimal::TWO {
            ledger.receive(Currency::Usd, PLENTY);
        }
        if ledger.free_shares(outcome_id, Currency::Usd) < PLENTY / Decimal::TWO {
            ledger.add_shares(outcome_id, Currency::Usd, PLENTY, PLENTY / Decimal::TWO, now);
        }
        index
    }
}

fn terms(side: Side, price: Decimal, shares: Decimal, duration: Duration) -> Terms {
    Terms {
        side,
        amount: shares * price,
        currency: Currency::Usd,
        limit: Some(price),
        max_slippage: None,
        duration,
        post_only: false,
        self_trade: SelfTrade::Skip,
    }
}
