//! What is served from state, and what carries it out. Every other operation of the specs is answered with an example.

use super::call::Call;
use super::error::Refusal;
use super::keys::{self, Key};
use super::perps::{book, change as margin_change, groups as margin_groups, market, orders as margin, risk, triggers};
use super::perps::{candles as margin_candles, portfolio as margin_portfolio};
use super::state::State;
use super::{
    batch, books, candles, change, exchange, historical, listing, markets, orders, portfolio, positions, queue, rfqs,
    transfers,
};
use crate::message::{Reply, Request};

/// A key that was made, and the response that shows it.
type NewKey = Result<(Key, Reply), Refusal>;

/// What carries an operation out.
#[derive(Clone, Copy)]
pub(super) enum Run {
    State(fn(&mut State, &Call) -> Result<Reply, Refusal>),
    /// Makes a key for an account, which takes a while.
    NewKey(fn(&Request, usize) -> NewKey),
}

/// What carries out an operation of either spec; none for an example.
pub(super) fn find(id: &str) -> Option<Run> {
    ROUTES.iter().find(|(name, _)| *name == id).map(|(_, run)| *run)
}

/// Whether an operation of either spec is served from state.
pub(crate) fn serves(id: &str) -> bool {
    find(id).is_some()
}

/// The ids of both specs. Where both have one, it means the same.
const ROUTES: &[(&str, Run)] = &[
    ("AcceptQuote", Run::State(rfqs::accept)),
    ("AcceptRFQQuote", Run::State(rfqs::accept)),
    ("AmendOrderV2", Run::State(change::amend)),
    ("ApplySubaccountTransfer", Run::State(transfers::apply)),
    ("BatchCancelOrdersV2", Run::State(batch::cancel)),
    ("BatchCreateOrdersV2", Run::State(batch::create)),
    ("BatchGetMarketCandlesticks", Run::State(candles::of_markets)),
    ("CancelAllOrders", Run::State(orders::cancel_all)),
    ("CancelOrderV2", Run::State(change::cancel)),
    ("ConfirmQuote", Run::State(rfqs::confirm)),
    ("ConfirmRFQQuote", Run::State(rfqs::confirm)),
    ("CreateApiKey", Run::NewKey(keys::create)),
    ("CreateOrderGroup", Run::State(|state, call| state.groups.create(call))),
    ("CreateOrderV2", Run::State(orders::create)),
    ("CreateQuote", Run::State(rfqs::create_quote)),
    ("CreateRFQ", Run::State(rfqs::create)),
    ("CreateSubaccount", Run::State(transfers::create_subaccount)),
    ("DecreaseOrderV2", Run::State(change::decrease)),
    ("DeleteApiKey", Run::State(keys::delete)),
    ("DeleteOrderGroup", Run::State(|state, call| state.groups.delete(&mut state.events, call))),
    ("DeleteQuote", Run::State(rfqs::delete_quote)),
    ("DeleteRFQ", Run::State(rfqs::delete)),
    ("DeleteRFQQuote", Run::State(rfqs::delete_quote)),
    ("GenerateApiKey", Run::NewKey(keys::generate)),
    ("GetAccountApiLimits", Run::State(exchange::limits)),
    ("GetApiKeys", Run::State(keys::list)),
    ("GetBalance", Run::State(portfolio::balance)),
    ("GetCommunicationsID", Run::State(rfqs::id)),
    ("GetDeposits", Run::State(portfolio::deposits)),
    ("GetEvent", Run::State(listing::event_alone)),
    ("GetEvents", Run::State(listing::events_page)),
    ("GetExchangeStatus", Run::State(exchange::status)),
    ("GetFills", Run::State(portfolio::fills)),
    ("GetFillsHistorical", Run::State(historical::fills)),
    ("GetHistoricalCutoff", Run::State(historical::cutoff)),
    ("GetHistoricalMarket", Run::State(historical::market)),
    ("GetHistoricalMarkets", Run::State(historical::markets)),
    ("GetHistoricalOrders", Run::State(historical::orders)),
    ("GetHistoricalPositions", Run::State(historical::positions)),
    ("GetIntraExchangeInstanceTransfer", Run::State(transfers::instance_one)),
    ("GetIntraExchangeInstanceTransfers", Run::State(transfers::instance_list)),
    ("GetMarket", Run::State(markets::get)),
    ("GetMarketCandlesticks", Run::State(candles::of_market)),
    ("GetMarketCandlesticksByEvent", Run::State(candles::of_event)),
    ("GetMarketCandlesticksHistorical", Run::State(historical::market)),
    ("GetMarketOrderbook", Run::State(books::one)),
    ("GetMarketOrderbooks", Run::State(books::several)),
    ("GetMarkets", Run::State(markets::list)),
    ("GetOrder", Run::State(orders::get)),
    ("GetOrderGroup", Run::State(|state, call| state.groups.get(&state.events, call))),
    ("GetOrderGroups", Run::State(|state, call| state.groups.list(call))),
    ("GetOrderQueuePosition", Run::State(queue::one)),
    ("GetOrderQueuePositions", Run::State(queue::all)),
    ("GetOrders", Run::State(orders::list)),
    ("GetPortfolioRestingOrderTotalValue", Run::State(portfolio::resting_value)),
    ("GetPositions", Run::State(positions::get)),
    ("GetQuote", Run::State(rfqs::quote)),
    ("GetQuotes", Run::State(rfqs::quotes)),
    ("GetRFQ", Run::State(rfqs::get)),
    ("GetRFQQuote", Run::State(rfqs::quote)),
    ("GetRfqs", Run::State(rfqs::list)),
    ("GetSeries", Run::State(listing::series_alone)),
    ("GetSeriesList", Run::State(listing::series_list)),
    ("GetSettlements", Run::State(portfolio::settlements)),
    ("GetSubaccountBalances", Run::State(transfers::balances)),
    ("GetSubaccountNetting", Run::State(transfers::netting)),
    ("GetSubaccountTransfers", Run::State(transfers::list)),
    ("GetTargetBalanceAllocation", Run::State(transfers::allocation)),
    ("GetTrades", Run::State(books::trades)),
    ("GetTradesHistorical", Run::State(historical::trades)),
    ("GetUserDataTimestamp", Run::State(exchange::user_data_timestamp)),
    ("GetWithdrawals", Run::State(portfolio::withdrawals)),
    ("IntraExchangeInstanceTransfer", Run::State(transfers::between_instances)),
    ("ResetOrderGroup", Run::State(|state, call| state.groups.reset(call))),
    ("SetTargetBalanceAllocation", Run::State(transfers::set_allocation)),
    ("TriggerOrderGroup", Run::State(|state, call| state.groups.trigger(&mut state.events, call))),
    ("UpdateOrderGroupLimit", Run::State(|state, call| state.groups.update_limit(call))),
    ("UpdateSubaccountNetting", Run::State(transfers::set_netting)),
    // Perpetual futures.
    ("AmendMarginOrder", Run::State(margin_change::amend)),
    ("ApplyMarginSubaccountTransfer", Run::State(transfers::apply_margin)),
    ("CancelAllMarginOrders", Run::State(margin::cancel_all)),
    ("CancelMarginOrder", Run::State(margin_change::cancel)),
    ("CreateMarginOrder", Run::State(margin::create)),
    ("CreateMarginOrderGroup", Run::State(margin_groups::create)),
    ("CreateMarginSubaccount", Run::State(transfers::create_margin_subaccount)),
    ("DecreaseMarginOrder", Run::State(margin_change::decrease)),
    ("DeleteCrossMarginExitTrigger", Run::State(triggers::delete)),
    ("DeleteCrossMarginExitTriggerById", Run::State(triggers::delete_one)),
    ("DeleteIsolatedMarginExitTrigger", Run::State(triggers::delete_isolated)),
    ("DeleteMarginOrderGroup", Run::State(margin_groups::delete)),
    ("GetCrossMarginExitTriggers", Run::State(triggers::list)),
    ("GetIsolatedMarginExitTriggers", Run::State(triggers::list_isolated)),
    ("GetMarginBalance", Run::State(margin_portfolio::balance)),
    ("GetMarginEnabled", Run::State(market::enabled)),
    ("GetMarginExchangeStatus", Run::State(market::status)),
    ("GetMarginFeeTierRates", Run::State(risk::fee_tier_rates)),
    ("GetMarginFeeTiers", Run::State(risk::fee_tiers)),
    ("GetMarginFills", Run::State(margin_portfolio::fills)),
    ("GetMarginFundingHistory", Run::State(margin_portfolio::funding_history)),
    ("GetMarginMarket", Run::State(market::get)),
    ("GetMarginMarketCandlesticks", Run::State(margin_candles::get)),
    ("GetMarginMarketOrderbook", Run::State(book::one)),
    ("GetMarginMarketOrderbooks", Run::State(book::several)),
    ("GetMarginMarkets", Run::State(market::list)),
    ("GetMarginNotionalRiskLimit", Run::State(risk::notional_limit)),
    ("GetMarginOrder", Run::State(margin::get)),
    ("GetMarginOrderGroup", Run::State(margin_groups::get)),
    ("GetMarginOrderGroups", Run::State(margin_groups::list)),
    ("GetMarginOrders", Run::State(margin::list)),
    ("GetMarginPositions", Run::State(margin_portfolio::positions)),
    ("GetMarginRisk", Run::State(risk::get)),
    ("GetMarginRiskParameters", Run::State(risk::parameters)),
    ("GetMarginTrades", Run::State(book::trades)),
    ("GetPerpsAccountApiLimits", Run::State(exchange::perps_limits)),
    ("ResetMarginOrderGroup", Run::State(margin_groups::reset)),
    ("SetCrossMarginExitTrigger", Run::State(triggers::set)),
    ("SetIsolatedMarginExitTrigger", Run::State(triggers::set_isolated)),
    ("TriggerMarginOrderGroup", Run::State(margin_groups::trigger)),
    ("UpdateCrossMarginExitTrigger", Run::State(triggers::update)),
    ("UpdateMarginOrderGroupLimit", Run::State(margin_groups::update_limit)),
];
