//! Order groups of perpetual futures.

use super::super::call::Call;
use super::super::error::Refusal;
use super::super::state::State;
use crate::message::Reply;

pub(in super::super) fn create(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    state.perps.groups.create(call)
}

pub(in super::super) fn list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    state.perps.groups.list(call)
}

pub(in super::super) fn get(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    state.perps.groups.get(&state.perps.exchange, call)
}

pub(in super::super) fn delete(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    state.perps.groups.delete(&mut state.perps.exchange, call)
}

pub(in super::super) fn reset(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    state.perps.groups.reset(call)
}

pub(in super::super) fn trigger(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    state.perps.groups.trigger(&mut state.perps.exchange, call)
}

pub(in super::super) fn update_limit(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    state.perps.groups.update_limit(call)
}
