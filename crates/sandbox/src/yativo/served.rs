//! One operation on its way: by a route that remembers, or by the spec alone.

use super::credentials::Caller;
use super::reply::Failure;
use super::routes::{Call, Permission, Route};
use super::state::State;
use crate::message::{Reply, Request};
use crate::spec::{self, ExampleReply, Operation};

/// What is served.
pub(super) struct Served {
    route: Option<&'static Route>,
    /// None for a path that no page documents and the venue serves nevertheless.
    operation: Option<&'static Operation>,
    pub(super) needs_caller: bool,
    permission: Option<Permission>,
    second_factor: bool,
    /// What it is counted under.
    pub(super) counter: String,
}

impl Served {
    pub(super) fn route(route: &'static Route, operation: Option<&'static Operation>) -> Self {
        Self {
            route: Some(route),
            operation,
            needs_caller: route.permission.is_some(),
            permission: route.permission,
            second_factor: route.second_factor,
            counter: route.operation(),
        }
    }

    pub(super) fn example(operation: &'static Operation) -> Self {
        Self {
            route: None,
            operation: Some(operation),
            needs_caller: operation.needs_credentials(),
            permission: operation.scope.as_deref().and_then(Permission::named),
            second_factor: operation.may_carry("x-2fa-token"),
            counter: spec::YATIVO.counter(operation),
        }
    }

    /// Checks that every header of a set of credentials is there. Routes know on their own what a key alone is good for.
    pub(super) fn check_headers(&self, caller: Caller, request: &Request) -> Result<Caller, Failure> {
        let operation = self.operation.filter(|_| self.route.is_none());
        match operation.and_then(|operation| operation.missing_credential(request)) {
            None => Ok(caller),
            Some(missing) if missing.field().eq_ignore_ascii_case("x-2fa-token") => {
                Err(Failure::two_factor("two_factor_required", &missing.to_string()))
            }
            Some(missing) => Err(Failure::unauthorized(&missing.to_string())),
        }
    }

    /// Checks what the caller may do, and the second factor.
    pub(super) fn check_caller(&self, state: &State, call: &Call<'_>) -> Result<(), Failure> {
        let caller = call.caller()?;
        if let Some(permission) = self.permission {
            state.check_permission(caller, permission)?;
        }
        if self.second_factor { state.check_second_factor(caller, call.request) } else { Ok(()) }
    }

    pub(super) fn run(&self, state: &mut State, call: &Call<'_>) -> Result<Reply, Failure> {
        let given = match self.operation {
            Some(operation) => operation.check(call.request).map_err(|problem| Failure::wrong(&problem))?,
            None => spec::Given::default(),
        };
        match (self.route, self.operation) {
            (Some(route), _) => (route.run)(state, call),
            (None, Some(operation)) => Ok(operation.reply(&given)),
            (None, None) => Err(Failure::not_found("nothing is served here")),
        }
    }
}
