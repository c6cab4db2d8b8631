//! The operator of a run: a person or a program.

use venuekit_wire::Secret;

use crate::BoxFuture;
use crate::account::Account;
use crate::event::Event;
use crate::reference::Reference;

/// The caller of a run: it is notified of its progress, has the one-time codes, and passes the new key on.
pub trait Operator: Send + Sync {
    /// Something was done, or is waited for.
    fn notify(&self, event: &Event) {
        let _ = event;
    }

    /// A one-time code, which counts once. The error says why there is none.
    fn code<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Secret, String>> {
        let _ = account;
        Box::pin(async { Err("the venue wants a one-time code, and nobody is here to give one".to_owned()) })
    }

    /// Passes the new key on to the program that uses it, and returns when that has acknowledged it. The key is in the store. The
    /// old one still works, and is revoked when this has returned. After a run that was interrupted it may be called again.
    fn hand_over<'a>(&'a self, key: &'a Handed) -> BoxFuture<'a, Result<(), String>> {
        let _ = key;
        Box::pin(async { Ok(()) })
    }
}

/// A key that is handed over.
#[derive(Clone, Debug)]
pub struct Handed {
    /// Where the store has it.
    pub reference: Reference,
    /// What identifies the caller in requests.
    pub public_id: String,
    /// Whether another key of the same name ends when this one was taken over.
    pub replaces: bool,
    /// Whether the run was begun by somebody who had a command for it.
    pub by_command: bool,
}

/// Nobody: there are no notifications and no codes, and the store is where the consumer finds the key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Operator for Silent {}
