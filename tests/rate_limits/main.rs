//! A client sends no more than the venue allows. The numbers here are the venues' own, written down a second time; the clock stands
//! still unless a test moves it, so that waits are exact.

#[path = "../common/canned.rs"]
mod canned;

mod budget;
mod desk;
mod sent;
mod told;
mod waits;
