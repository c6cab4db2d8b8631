//! The log as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;

use super::{entries, text_response};
use crate::venues::Venues;

/// So long nothing is sent at most: the caller who reads knows that the connection is open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Each entry that changes after a version, and from then on as it happens.
pub(super) fn stream(venues: &Arc<Venues>, since: u64) -> Response {
    let state = (Arc::clone(venues), venues.requests.watch(), since);
    let chunks = stream::unfold(state, |(venues, mut changes, since)| async move {
        loop {
            // Marked as seen before the log is read: a change meanwhile ends the next wait at once.
            changes.borrow_and_update();
            let (entries, version) = venues.requests.since(since);
            if !entries.is_empty() {
                let mut text = String::new();
                for entry in &entries {
                    let line = entries::summary(&venues, entry);
                    text.push_str(&format!("id: {version}\nevent: entry\ndata: {line}\n\n"));
                }
                return Some((Ok::<_, Infallible>(Bytes::from(text)), (venues, changes, version)));
            }
            match tokio::time::timeout(KEEP_ALIVE, changes.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => {
                    let text = Bytes::from_static(b": nothing new\n\n");
                    return Some((Ok(text), (venues, changes, since)));
                }
            }
        }
    });
    text_response(200, "text/event-stream", Body::from_stream(chunks))
}
