//! Market maker protection: its settings by index and group, and the freeze that too many fills set off.

use rust_decimal::Decimal;
use serde::Serialize;

use super::book::OrderLocation;
use super::error::Error;
use super::orders::OrderState;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use super::trades::Trade;
use crate::number::Number;

const LONGEST_SECONDS: i64 = 3600;

/// The settings for one index and group, and whether quoting is frozen.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Protection {
    index_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    mmp_group: String,
    #[serde(skip_serializing_if = "is_false")]
    block_rfq: bool,
    interval: i64,
    frozen_time: i64,
    max_quote_quantity: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity_limit: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_limit: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vega_limit: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trade_count_limit: Option<i64>,
    /// Until when: 0 until it is reset, none where it is not frozen.
    #[serde(skip)]
    frozen_until: Option<i64>,
    /// The last reset: what was traded before it counts no more.
    #[serde(skip)]
    since: i64,
}

fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Serialize)]
struct Status<'a> {
    index_name: &'a str,
    mmp_group: &'a str,
    frozen_until: i64,
    #[serde(skip_serializing_if = "is_false")]
    block_rfq: bool,
}

/// What names a protection, as far as a call says.
struct ProtectionRequest {
    index_name: Option<String>,
    group: Option<String>,
    block_rfq: bool,
}

impl ProtectionRequest {
    fn read(params: &Params) -> Result<Self, Error> {
        Ok(Self {
            index_name: params.text("index_name")?,
            group: params.text("mmp_group")?,
            block_rfq: params.boolean("block_rfq")?.unwrap_or_default(),
        })
    }

    fn is(&self, one: &Protection) -> bool {
        self.block_rfq == one.block_rfq
            && self.index_name.as_ref().is_none_or(|name| *name == one.index_name)
            && self.group.as_ref().is_none_or(|group| *group == one.mmp_group)
    }
}

impl Protection {
    fn is_frozen(&self, now: i64) -> bool {
        self.frozen_until.is_some_and(|until| until == 0 || now < until)
    }

    fn is_set_off_by(&self, trades: &[&Trade]) -> bool {
        let traded: Decimal = trades.iter().map(|trade| trade.base_amount).sum();
        let delta: Decimal = trades.iter().map(|trade| trade.signed_base_amount()).sum();
        let count = i64::try_from(trades.len()).unwrap_or(i64::MAX);
        self.quantity_limit.is_some_and(|limit| traded >= limit.0)
            || self.delta_limit.is_some_and(|limit| delta.abs() >= limit.0)
            || self.trade_count_limit.is_some_and(|limit| count >= limit)
    }
}

/// `private/get_mmp_config`.
pub(super) fn get_mmp_config(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let wanted = ProtectionRequest::read(params)?;
    let all = state.accounts[session.account].protections.iter();
    done(&all.filter(|one| wanted.is(one)).collect::<Vec<_>>())
}

/// `private/set_mmp_config`: an interval of 0 takes the settings away.
pub(super) fn set_mmp_config(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let seconds = |name: &str| {
        let value = params.required(name, params.integer(name)?)?;
        let fits = (0..=LONGEST_SECONDS).contains(&value);
        if fits { Ok(value) } else { Err(Error::invalid_param(name, "must be 0 to 3600")) }
    };
    let limit = |name: &str| Ok::<_, Error>(params.decimal(name)?.map(Number));
    let new = Protection {
        index_name: params.required("index_name", params.text("index_name")?)?,
        mmp_group: params.text("mmp_group")?.unwrap_or_default(),
        block_rfq: params.boolean("block_rfq")?.unwrap_or_default(),
        interval: seconds("interval")?,
        frozen_time: seconds("frozen_time")?,
        max_quote_quantity: params.required("max_quote_quantity", limit("max_quote_quantity")?)?,
        quantity_limit: limit("quantity_limit")?,
        delta_limit: limit("delta_limit")?,
        vega_limit: limit("vega_limit")?,
        trade_count_limit: params.integer("trade_count_limit")?,
        frozen_until: None,
        since: state.now(),
    };
    let has_limit = new.quantity_limit.or(new.delta_limit).or(new.vega_limit).is_some();
    if new.interval > 0 && !has_limit && new.trade_count_limit.is_none() {
        return Err(Error::invalid_param("quantity_limit", "at least one limit is needed"));
    }
    let all = &mut state.accounts[session.account].protections;
    let is_same = |one: &Protection| {
        (&one.index_name, &one.mmp_group, one.block_rfq) == (&new.index_name, &new.mmp_group, new.block_rfq)
    };
    all.retain(|one| !is_same(one));
    if new.interval == 0 {
        return done(&[(); 0]);
    }
    let result = done(&[&new]);
    all.push(new);
    result
}

/// `private/get_mmp_status`: what is frozen.
pub(super) fn get_mmp_status(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let (wanted, now) = (ProtectionRequest::read(params)?, state.now());
    let frozen = state.accounts[session.account].protections.iter().filter(|one| wanted.is(one) && one.is_frozen(now));
    let status = |one: &Protection| json_status(one);
    done(&frozen.map(status).collect::<Vec<_>>())
}

fn json_status(one: &Protection) -> serde_json::Value {
    let status = Status {
        index_name: &one.index_name,
        mmp_group: &one.mmp_group,
        frozen_until: one.frozen_until.unwrap_or_default(),
        block_rfq: one.block_rfq,
    };
    serde_json::to_value(status).unwrap_or_default()
}

/// `private/reset_mmp`.
pub(super) fn reset_mmp(state: &mut State, session: &Session, params: &Params) -> Outcome {
    params.required("index_name", params.text("index_name")?)?;
    let (wanted, now) = (ProtectionRequest::read(params)?, state.now());
    for one in state.accounts[session.account].protections.iter_mut().filter(|one| wanted.is(one)) {
        one.frozen_until = None;
        one.since = now;
    }
    done(&"ok")
}

impl State {
    /// Whether quotes of a group on an index are frozen.
    pub(super) fn is_frozen(&self, account: usize, index_name: &str, group: &str) -> bool {
        let now = self.now();
        let mut all = self.accounts[account].protections.iter();
        all.any(|one| one.index_name == index_name && one.mmp_group == group && !one.block_rfq && one.is_frozen(now))
    }

    /// Freezes the protections of an account that its last trades have set off, and cancels what they watch.
    pub(super) fn protect(&mut self, account: usize) {
        let now = self.now();
        let owner = &self.accounts[account];
        let fired = |one: &&Protection| {
            let begins = (now - one.interval * 1000).max(one.since);
            let watched = |trade: &&Trade| {
                trade.is_watched(&one.mmp_group)
                    && trade.public.timestamp >= begins
                    && self.instrument(trade.public.instrument_name).is_some_and(|it| it.price_index == one.index_name)
            };
            let trades: Vec<&Trade> = owner.trades.iter().rev().filter(watched).collect();
            !one.block_rfq && !one.is_frozen(now) && one.is_set_off_by(&trades)
        };
        let fired: Vec<(String, String)> =
            owner.protections.iter().filter(fired).map(|one| (one.index_name.clone(), one.mmp_group.clone())).collect();
        for (index_name, group) in fired {
            let watched = self.open_orders(account).filter(|(_, order)| {
                let is_in_group = if group.is_empty() { order.mmp } else { order.mmp_group.as_ref() == Some(&group) };
                is_in_group && self.is_on(order, |instrument| instrument.price_index == index_name)
            });
            let slots: Vec<OrderLocation> = watched.map(|(slot, _)| slot).collect();
            for slot in slots {
                self.end(slot, OrderState::Cancelled, Some("mmp_trigger"));
            }
            let frozen = self.accounts[account]
                .protections
                .iter_mut()
                .find(|one| one.index_name == index_name && one.mmp_group == group && !one.block_rfq);
            let Some(one) = frozen else { continue };
            one.frozen_until = Some(if one.frozen_time == 0 { 0 } else { now + one.frozen_time * 1000 });
            let status = json_status(one);
            self.notify_account(account, &format!("user.mmp_trigger.{index_name}"), &status);
        }
    }
}
