//! How a venue frames what is said: commands to text, and text to [`Frame`]s.
//!
//! The words are those of the tables ([`venuekit_wire::stream::Dialect`]). The top level of a frame is scanned once, and no value is
//! made of its data: that is the reader's work, in its own task.

mod calls;
mod commands;
mod events;
mod layout;
mod messages;
#[cfg(test)]
mod tests;
mod top;
mod topics;
mod write;

use bytes::Bytes;
use venuekit_wire::Secret;
use venuekit_wire::operation::Venue;
use venuekit_wire::stream::{self, KeepAlive, Streams as Table};

pub(crate) use self::calls::{Subscribing, class_of, names};
pub(crate) use self::events::Events;
pub(crate) use self::write::push_value;
use crate::hub::io::{Command, Frame};

/// A dialect on one connection. What it remembers of its commands ends with the connection.
pub(crate) enum Dialect {
    Calls(calls::Calls),
    Commands(commands::Commands),
    Messages(messages::Messages),
    Topics(topics::Topics),
}

/// The member that authenticates, in every message to the venue.
pub(crate) struct Login {
    pub(crate) member: &'static str,
    /// Its value, as JSON.
    pub(crate) value: Secret,
}

impl Dialect {
    pub(crate) fn new(table: &'static Table, venue: &'static Venue) -> Self {
        match table.dialect {
            stream::Dialect::Calls { .. } => Self::Calls(calls::Calls::new(venue)),
            stream::Dialect::Commands(words) => Self::Commands(commands::Commands::new(words, table)),
            stream::Dialect::Messages(words) => Self::Messages(messages::Messages::new(words)),
            stream::Dialect::Topics(words) => Self::Topics(topics::Topics::new(words)),
        }
    }

    /// Takes a message of the venue apart, and hands over each JSON object in it.
    pub(crate) fn read(&mut self, text: &Bytes, take: &mut dyn FnMut(Frame<'_>)) {
        match self {
            Self::Calls(calls) => calls.read(text, take),
            Self::Commands(commands) => commands.read(text, take),
            Self::Messages(messages) => messages.read(text, take),
            Self::Topics(topics) => topics.read(text, take),
        }
    }

    /// The messages of a command, in the order in which they are sent. There are none for [`Dialect::Calls`], whose calls are made by
    /// the client.
    pub(crate) fn write(&mut self, command: &Command, login: Option<&Login>) -> Vec<String> {
        match self {
            Self::Calls(_) => Vec::new(),
            Self::Commands(commands) => commands.write(command).into_iter().collect(),
            Self::Messages(messages) => messages.write(command, login),
            Self::Topics(topics) => topics.write(command).into_iter().collect(),
        }
    }

    /// The command that logs in, with its arguments as JSON; none where the dialect has no such command.
    pub(crate) fn login(&self, name: &str, values: &[String]) -> Option<Secret> {
        match self {
            Self::Topics(topics) => Some(Secret::new(topics.login(name, values))),
            Self::Calls(_) | Self::Commands(_) | Self::Messages(_) => None,
        }
    }

    /// Whether a login was accepted, where a message is the reply to it.
    pub(crate) fn logged_in(&self, name: &str, message: &[u8]) -> Option<Result<(), String>> {
        match self {
            Self::Topics(topics) => topics.logged_in(name, message),
            Self::Calls(_) | Self::Commands(_) | Self::Messages(_) => None,
        }
    }
}

/// The message that asks whether the venue is there, where a ping frame does not do.
pub(crate) fn ping(keep_alive: &KeepAlive, login: Option<&Login>) -> Option<String> {
    let ping = keep_alive.ping?;
    Some(match login {
        Some(login) => write::with_member(ping, login.member, login.value.expose()),
        None => ping.to_owned(),
    })
}
