//! The commands, each in its own module.

pub mod call;
pub mod config;
pub mod describe;
pub mod doctor;
pub mod keys;
pub mod manual;
pub mod sign;
pub mod totp;
pub mod verify;
pub mod watch;
