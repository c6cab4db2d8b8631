//! How a venue frames its messages: with an envelope that its spec describes, or as JSON-RPC 2.0.

use bytes::Bytes;
use memchr::memmem::Finder;
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{Operation, Venue};

use crate::error::Error;
use crate::message::Message;
use crate::response::Response;
use crate::{envelope, jsonrpc};

/// Reads a message of this venue. `None` if the text is not one.
pub(crate) fn read(venue: &'static Venue, body: Bytes) -> Option<Message> {
    match envelope::of(venue) {
        Some(envelope) => envelope::read(envelope, body),
        None => jsonrpc::read(body),
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
    match envelope::of(venue) {
        Some(envelope) => envelope::unwrap(venue, envelope, operation, message, now),
        None => jsonrpc::unwrap_message(venue, search, operation, message),
    }
}
