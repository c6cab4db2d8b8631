//! The log of requests: what arrived, what came of it, and what was wrong with its credentials.
//!
//! Requests are kept as they arrived. They are written as JSON, with secrets masked, only when somebody looks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::watch;

use crate::faults::{Fault, Transport};
use crate::message::{Reply, Request};
use crate::signature::Inspection;

/// So many entries are kept, the newest.
const KEPT: usize = 1000;
/// So many bytes of requests and responses are kept.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// A request that arrived, over HTTP or as a message of a WebSocket.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) venue: &'static str,
    pub(crate) transport: Transport,
    pub(crate) request: Arc<Request>,
    /// Milliseconds since the Unix epoch, by the sandbox's clock.
    pub(crate) time: i64,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Pending,
    Response(Response),
    /// A command of a stream was received. What comes of it are frames.
    Received,
    /// The caller hung up, or a fault kept the response back.
    NoResponse,
}

/// What was sent back.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Response {
    pub(crate) fn of(reply: &Reply) -> Self {
        Self { status: reply.status.as_u16(), headers: reply.headers.clone(), body: reply.body.clone() }
    }
}

/// One entry of the log.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    /// The number of the change that the entry was last part of.
    pub(crate) version: u64,
    pub(crate) arrived: Arrived,
    pub(crate) outcome: Outcome,
    pub(crate) fault: Option<Fault>,
    pub(crate) micros: Option<u64>,
    /// None until the credentials were looked at.
    pub(crate) inspection: Option<Arc<Inspection>>,
}

impl Entry {
    fn bytes(&self) -> usize {
        let response = match &self.outcome {
            Outcome::Response(response) => headers(&response.headers) + response.body.len(),
            _ => 0,
        };
        let Request { path, query, headers: of_request, body, .. } = &*self.arrived.request;
        path.len() + query.as_ref().map_or(0, String::len) + headers(of_request) + body.len() + response
    }
}

/// The bytes of headers.
fn headers(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// When a credential was used last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastUse {
    pub(crate) time: i64,
    pub(crate) count: u64,
}

/// The log of one sandbox. A copy is a handle on the same log.
#[derive(Clone, Debug)]
pub(crate) struct RequestLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    version: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: VecDeque<Entry>,
    bytes: usize,
    last_id: u64,
    version: u64,
    /// By venue and credential.
    uses: BTreeMap<(&'static str, String), LastUse>,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self(Arc::new(Shared { inner: Mutex::default(), version: watch::Sender::new(0) }))
    }
}

impl RequestLog {
    /// Notes a request. Its outcome is reported to the returned value.
    pub(crate) fn arrive(&self, arrived: Arrived) -> Pending {
        let mut inner = self.lock();
        inner.last_id += 1;
        let id = inner.last_id;
        let entry =
            Entry { id, version: 0, arrived, outcome: Outcome::Pending, fault: None, micros: None, inspection: None };
        inner.bytes += entry.bytes();
        inner.entries.push_back(entry);
        while (inner.entries.len() > KEPT || inner.bytes > KEPT_BYTES)
            && let Some(oldest) = inner.entries.pop_front()
        {
            inner.bytes -= oldest.bytes();
        }
        drop(inner);
        self.change(id, |_| {});
        Pending { log: self.clone(), id, started: Instant::now(), is_over: false }
    }

    /// Notes a command that came over a stream.
    pub(crate) fn command(&self, venue: &'static str, path: &str, text: &str, time: i64, credential: Option<&str>) {
        let request = Request {
            method: http::Method::GET,
            path: path.to_owned(),
            query: None,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(text.as_bytes()),
        };
        let arrived = Arrived { venue, transport: Transport::Stream, request: Arc::new(request), time };
        let pending = self.arrive(arrived);
        let (id, inspection) = (pending.id, credential.map_or_else(Inspection::none, Inspection::of));
        pending.received();
        self.inspected(id, inspection, credential.is_some());
    }

    /// Adds the findings about the credentials of an entry. `is_accepted` says whether the venue accepted them. A call that needs
    /// no credentials is accepted with a wrong signature as well; that does not count as a use of the key.
    pub(crate) fn inspected(&self, id: u64, inspection: Inspection, is_accepted: bool) {
        let is_use = is_accepted && inspection.has_no_wrong_signature();
        if let Some(credential) = inspection.credential.clone().filter(|_| is_use) {
            let mut inner = self.lock();
            let found = inner.entries.iter().rev().find(|entry| entry.id == id);
            if let Some((venue, time)) = found.map(|entry| (entry.arrived.venue, entry.arrived.time)) {
                let last = inner.uses.entry((venue, credential)).or_insert(LastUse { time, count: 0 });
                last.time = time;
                last.count += 1;
            }
        }
        self.change(id, |entry| entry.inspection = Some(Arc::new(inspection)));
    }

    /// The entries that changed after a version, the oldest first, and the version now.
    pub(crate) fn since(&self, version: u64) -> (Vec<Entry>, u64) {
        let inner = self.lock();
        let changed = inner.entries.iter().filter(|entry| entry.version > version);
        (changed.cloned().collect(), inner.version)
    }

    /// The entry of that number, if it is still kept.
    pub(crate) fn entry(&self, id: u64) -> Option<Entry> {
        self.lock().entries.iter().rev().find(|entry| entry.id == id).cloned()
    }

    /// Waits for changes.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// When each credential of a venue was used last.
    pub(crate) fn uses(&self, venue: &str) -> BTreeMap<String, LastUse> {
        let inner = self.lock();
        let own = inner.uses.iter().filter(|((of, _), _)| *of == venue);
        own.map(|((_, credential), last)| (credential.clone(), last.clone())).collect()
    }

    /// Forgets how often credentials were used. The entries stay.
    pub(crate) fn forget_uses(&self) {
        self.lock().uses.clear();
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Entry)) {
        let mut inner = self.lock();
        let version = inner.version + 1;
        let Some(entry) = inner.entries.iter_mut().rev().find(|entry| entry.id == id) else { return };
        let before = entry.bytes();
        change(entry);
        entry.version = version;
        let after = entry.bytes();
        inner.bytes = inner.bytes + after - before;
        inner.version = version;
        drop(inner);
        self.0.version.send_replace(version);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request whose outcome is not known yet. Where it is dropped, there was no response.
#[derive(Debug)]
pub(crate) struct Pending {
    log: RequestLog,
    pub(crate) id: u64,
    started: Instant,
    is_over: bool,
}

impl Pending {
    /// A fault was injected into the request.
    pub(crate) fn fault(&self, fault: &Fault) {
        self.log.change(self.id, |entry| entry.fault = Some(fault.clone()));
    }

    pub(crate) fn respond(mut self, response: Response) {
        self.finish(Outcome::Response(response));
    }

    /// A command of a stream needs no response.
    pub(crate) fn received(mut self) {
        self.finish(Outcome::Received);
    }

    fn finish(&mut self, outcome: Outcome) {
        self.is_over = true;
        let micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.log.change(self.id, |entry| {
            entry.outcome = outcome;
            entry.micros = Some(micros);
        });
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.is_over {
            self.finish(Outcome::NoResponse);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived() -> Arrived {
        let request = Request {
            method: http::Method::GET,
            path: "/health".to_owned(),
            query: None,
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"12345"),
        };
        Arrived { venue: "bayse", transport: Transport::Http, request: Arc::new(request), time: 7 }
    }

    #[test]
    fn an_entry_is_reported_again_when_it_changes() {
        let log = RequestLog::default();
        let first = log.arrive(arrived());
        let second = log.arrive(arrived());
        let (entries, version) = log.since(0);
        assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [1, 2]);
        assert!(log.since(version).0.is_empty());
        first.respond(Response { status: 200, headers: HeaderMap::new(), body: Bytes::new() });
        drop(second);
        let (entries, version) = log.since(version);
        assert!(matches!(&entries[0].outcome, Outcome::Response(response) if response.status == 200));
        assert!(matches!(entries[1].outcome, Outcome::NoResponse));
        log.inspected(1, Inspection::of("pk_1"), true);
        assert_eq!(log.since(version).0.len(), 1);
        assert_eq!(log.uses("bayse")["pk_1"], LastUse { time: 7, count: 1 });
    }

    #[test]
    fn the_oldest_entries_are_removed() {
        let log = RequestLog::default();
        for _ in 0..KEPT + 5 {
            drop(log.arrive(arrived()));
        }
        let (entries, _) = log.since(0);
        assert_eq!((entries.len(), entries[0].id), (KEPT, 6));
        assert_eq!(log.lock().bytes, KEPT * ("/health".len() + 5));
    }

    #[test]
    fn paths_and_headers_count_too() {
        let log = RequestLog::default();
        let large = || {
            let mut arrived = arrived();
            let request = Arc::get_mut(&mut arrived.request).unwrap();
            request.query = Some("q".repeat(1_000_000));
            request.headers.insert("x-long", "h".repeat(1_000_000).parse().unwrap());
            arrived
        };
        for _ in 0..20 {
            drop(log.arrive(large()));
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-long", "h".repeat(2_000_000).parse().unwrap());
        log.arrive(arrived()).respond(Response { status: 200, headers, body: Bytes::new() });
        drop(log.arrive(arrived()));
        assert!(log.lock().bytes <= KEPT_BYTES);
        assert_eq!(log.since(0).0.len(), 15 + 2);
    }
}
