//! Every operation of every venue through its typed client: what is sent for what was given; responses that are valid, that differ as
//! they may, that fail, and that make no sense. No secret shows anywhere, and no response that an honest venue could give is refused.
//!
//! The operations are those of the venue's table, the calls are generated (`generated/`), and the values are made from the lowered
//! spec: an operation that has no case fails.

mod answers;
mod call;
#[path = "../common/canned.rs"]
mod canned;
mod example;
mod frames;
// Formatted by its generator.
#[rustfmt::skip]
mod generated {
    pub mod bayse;
    pub mod binance;
    pub mod bybit;
    pub mod deribit;
    pub mod kalshi;
    pub mod kalshi_perps;
    pub mod yativo;
}
mod json;
mod leaks;
mod mutate;
mod refusals;
mod requests;
mod run;
mod same;
mod spec;
mod tolerance;
mod venues;
