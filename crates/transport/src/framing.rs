//! How a venue frames its messages: with an envelope that its spec describes, as commands, or as JSON-RPC 2.0.

use bytes::Bytes;
use memchr::memmem::Finder;
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{Operation, Venue};

use crate::error::Error;
use crate::message::{HEARTBEAT, Message};
use crate::rate::{Debits, Limiter};
use crate::response::Response;
use crate::{commands, envelope, jsonrpc};

/// The id of the first call of a connection; the others count on from it. Where ids are texts, some venues refuse one that another
/// connection of the account has used: then it is random.
pub(crate) fn first_id(venue: &'static Venue) -> u64 {
    match commands::of(venue) {
        Some(_) => fastrand::u64(1 << 48..1 << 62),
        None => HEARTBEAT + 1,
    }
}

/// Reads a message of this venue. `None` if the text is not one.
pub(crate) fn read(venue: &'static Venue, body: Bytes) -> Option<Message> {
    match (envelope::of(venue), commands::of(venue)) {
        (Some(envelope), _) => envelope::read(envelope, body),
        (None, Some(words)) => commands::read(venue, words, body),
        (None, None) => jsonrpc::read(body),
    }
}

/// Takes the envelope off a response over a connection. `now` is the venue's time, as far as it is known.
pub(crate) fn unwrap(
    venue: &'static Venue,
    search: Option<&Finder<'_>>,
    operation: &'static Operation,
    message: Message,
    now: UnixMillis,
) -> Result<Response, Error> {
    match (envelope::of(venue), commands::of(venue)) {
        (Some(envelope), _) => envelope::unwrap(venue, envelope, operation, message, now),
        (None, Some(_)) => commands::unwrap(venue, operation, message, now),
        (None, None) => jsonrpc::unwrap_message(venue, search, operation, message),
    }
}

/// Takes over what a reply says of the venue's limits.
pub(crate) fn learn_limits(
    venue: &'static Venue,
    limiter: &Limiter,
    debits: &Debits,
    message: &Message,
    now: UnixMillis,
) {
    if let Some(headers) = &message.headers {
        limiter.heard(debits, headers, now);
    }
    if let (Some(limits), Some(envelope)) = (&message.limits, envelope::of(venue)) {
        limiter.used(debits, &envelope::used(envelope, limits), now);
    }
}
