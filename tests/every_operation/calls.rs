//! Every operation of every venue, called through its typed client with a marker in each secret.

use std::pin::Pin;

use venuekit::{Error, bayse, deribit, kalshi, yativo};

use crate::example::MARKER;

/// One call: what its answer looks like in a log, or its error.
pub type Call<'a> = Pin<Box<dyn Future<Output = Result<String, Error>> + 'a>>;

macro_rules! calls {
    ($($id:ident => $call:expr),* $(,)?) => {
        vec![$((stringify!($id), Box::pin(async move { $call.send().await.map(|answer| format!("{answer:?}")) }) as Call<'_>)),*]
    };
}

pub const ID: &str = "f6a7b8c9-d0e1-2345-fabc-678901234567";

pub fn kalshi(c: &kalshi::Client) -> Vec<(&'static str, Call<'_>)> {
    use kalshi::types::{BookSide, SelfTradePreventionType, TimeInForce};
    calls![
        get_account_api_limits => c.get_account_api_limits(),
        get_api_keys => c.get_api_keys(),
        create_api_key => c.create_api_key().body_map(|b| b.name("bot").public_key("PEM")),
        generate_api_key => c.generate_api_key().body_map(|b| b.name("bot")),
        delete_api_key => c.delete_api_key().api_key(ID),
        get_exchange_status => c.get_exchange_status(),
        get_markets => c.get_markets().limit(5).cursor("next"),
        get_market => c.get_market().ticker("FED-23DEC-T3.00"),
        get_balance => c.get_balance(),
        create_order_v2 => c.create_order_v2().body_map(|b| {
            b.ticker("FED-23DEC-T3.00")
                .side(BookSide::Bid)
                .count("10")
                .price("0.56")
                .time_in_force(TimeInForce::GoodTillCanceled)
                .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
        }),
        cancel_order_v2 => c.cancel_order_v2().order_id(ID),
        get_orders => c.get_orders(),
        get_order => c.get_order().order_id(ID),
    ]
}

pub fn bayse(c: &bayse::Client) -> Vec<(&'static str, Call<'_>)> {
    use bayse::types::{BatchOrder, OrderType, Side};
    let order = || BatchOrder::builder().side(Side::Buy).outcome_id(ID).amount("7.50").type_(OrderType::Limit);
    calls![
        get_health => c.get_health(),
        get_version => c.get_version(),
        login => c.login().body_map(|b| b.email("me@example.com").password(MARKER)),
        create_api_key => c.create_api_key().body_map(|b| b.name("bot")),
        list_api_keys => c.list_api_keys(),
        revoke_api_key => c.revoke_api_key().key_id(ID),
        rotate_api_key => c.rotate_api_key().key_id(ID),
        list_events => c.list_events().page(1).category("sports & more"),
        place_order => c.place_order().event_id(ID).market_id(ID).body_map(|b| {
            b.side(Side::Buy).outcome_id(ID).amount("7.50").type_(OrderType::Market)
        }),
        get_order => c.get_order().order_id(ID),
        list_orders => c.list_orders(),
        cancel_order => c.cancel_order().order_id(ID),
        batch_place_orders => c.batch_place_orders().idempotency_key("once").body_map(|b| {
            b.orders(vec![order().try_into().unwrap()])
        }),
        batch_cancel_orders => c.batch_cancel_orders().idempotency_key("once").body_map(|b| b.order_ids(vec![ID.into()])),
        get_portfolio => c.get_portfolio(),
    ]
}

pub fn yativo(c: &yativo::Client) -> Vec<(&'static str, Call<'_>)> {
    calls![
        exchange_api_key_for_token => c.exchange_api_key_for_token().body_map(|b| b.api_key("key").api_secret(MARKER)),
        create_api_key => c.create_api_key().body_map(|b| b.key_name("bot")),
        list_api_keys => c.list_api_keys(),
        get_api_key => c.get_api_key().key_id("key_1"),
        revoke_api_key => c.revoke_api_key().key_id("key_1"),
        rotate_api_key => c.rotate_api_key().key_id("key_1"),
        update_api_key_permissions => c.update_api_key_permissions().key_id("key_1").body_map(|b| {
            b.permissions(vec!["read".parse().unwrap()])
        }),
        create_api_key_first_gen => c.create_api_key_first_gen().body_map(|b| b.name("bot")),
        list_api_keys_first_gen => c.list_api_keys_first_gen(),
        revoke_api_key_first_gen => c.revoke_api_key_first_gen().key_id("key_1"),
        list_accounts => c.list_accounts(),
        send_funds => c.send_funds().idempotency_key("once").body_map(|b| {
            b.account("a").assets("w").receiving_address("x").amount("0.1").type_("USDC").chain("solana").category("other")
        }),
        get_transaction => c.get_transaction().body_map(|b| b.transaction_id("txn_1")),
        list_transactions => c.list_transactions(),
    ]
}

pub fn deribit(c: &deribit::Client) -> Vec<(&'static str, Call<'_>)> {
    use deribit::types::{Currency, GrantType};
    calls![
        auth => c.auth().body_map(|b| {
            b.grant_type(GrantType::ClientCredentials).client_id("me").client_secret(MARKER).refresh_token(MARKER)
        }),
        get_time => c.get_time(),
        status => c.status(),
        test => c.test().body_map(|b| b),
        ticker => c.ticker().body_map(|b| b.instrument_name("BTC-PERPETUAL")),
        get_instruments => c.get_instruments().body_map(|b| b.currency("any")),
        create_api_key => c.create_api_key().body_map(|b| b.max_scope("account:read")),
        edit_api_key => c.edit_api_key().body_map(|b| b.id(1).max_scope("account:read")),
        change_api_key_name => c.change_api_key_name().body_map(|b| b.id(1).name("new")),
        change_scope_in_api_key => c.change_scope_in_api_key().body_map(|b| b.id(1).max_scope("account:read")),
        enable_api_key => c.enable_api_key().body_map(|b| b.id(1)),
        disable_api_key => c.disable_api_key().body_map(|b| b.id(1)),
        reset_api_key => c.reset_api_key().body_map(|b| b.id(1)),
        remove_api_key => c.remove_api_key().body_map(|b| b.id(1)),
        list_api_keys => c.list_api_keys(),
        get_account_summary => c.get_account_summary().body_map(|b| b.currency(Currency::Btc)),
        buy => c.buy().body_map(|b| b.instrument_name("BTC-PERPETUAL").amount("10").price("50000.5")),
        cancel => c.cancel().body_map(|b| b.order_id("ETH-584830574")),
        get_open_orders => c.get_open_orders().body_map(|b| b),
        get_open_orders_by_currency => c.get_open_orders_by_currency().body_map(|b| b.currency(Currency::Btc)),
        get_order_state_by_label => c.get_order_state_by_label().body_map(|b| b.currency(Currency::Btc).label("mine")),
    ]
}
