//! The state machine.
pub(crate) mod io;
