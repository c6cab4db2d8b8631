//! What the stream has missed, put together from a call and from what came meanwhile.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use venuekit_wire::rust_decimal::Decimal;
use venuekit_wire::stream::CatchUp;

use super::io::{CatchUpId, Record};
use super::sub::text_at;
use crate::event::{Missed, Origin};
use crate::sink::{Entry, Kind};

/// How many of the last messages are compared with what a call lists. Anything older than them was delivered before.
const KNOWN: usize = 1024;

/// How many are kept: more messages may have the time of the oldest that is compared.
const REMEMBERED: usize = 2 * KNOWN;

/// How many messages are held back for a call.
pub(crate) const MOST_HELD: usize = 20_000;

/// For how long it is remembered at least what calls have brought: streams are not so far behind.
const BROUGHT: Duration = Duration::from_secs(600);

/// The names of what calls have brought, and the stream may bring too. Each is kept for a while, and for twice as long at most.
#[derive(Clone, Default)]
pub(crate) struct Brought {
    newer: HashSet<String>,
    older: HashSet<String>,
    /// Since when there have been newer ones.
    since: Option<Instant>,
}

impl Brought {
    pub(crate) fn is_empty(&self) -> bool {
        self.newer.is_empty() && self.older.is_empty()
    }

    pub(crate) fn extend(&mut self, now: Instant, names: impl Iterator<Item = String>) {
        self.forget(now);
        self.newer.extend(names);
    }

    /// Whether a name is one of them. It is removed.
    pub(crate) fn take(&mut self, now: Instant, name: &str) -> bool {
        self.forget(now);
        self.newer.remove(name) || self.older.remove(name)
    }

    fn forget(&mut self, now: Instant) {
        let age = now.saturating_duration_since(*self.since.get_or_insert(now));
        if age < BROUGHT {
            return;
        }
        self.older = std::mem::take(&mut self.newer);
        if age >= 2 * BROUGHT {
            self.older.clear();
        }
        self.since = Some(now);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.newer.len() + self.older.len()
    }
}

/// The last messages that readers were given.
#[derive(Clone, Default)]
pub(crate) struct RecentMessages {
    last: VecDeque<Bytes>,
}

impl RecentMessages {
    pub(crate) fn push(&mut self, data: Bytes) {
        if self.last.len() >= REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(data);
    }

    /// The oldest that is known, and whether all that are remembered are of its moment: then there may have been more of them.
    fn horizon(&self, order: &str) -> Option<(OrderValue, bool)> {
        let oldest = OrderValue::of(self.last.get(self.last.len().saturating_sub(KNOWN))?, order)?;
        let is_cut = self.last.len() >= REMEMBERED
            && self.last.front().and_then(|data| OrderValue::of(data, order)).as_ref() == Some(&oldest);
        Some((oldest, is_cut))
    }
}

/// A catch-up in progress.
pub(crate) struct CatchUpState {
    /// From when on, by the venue's clock, as the two times below.
    pub(crate) since: SystemTime,
    /// When the last call was made.
    pub(crate) called: Option<SystemTime>,
    /// When the last call was made that has succeeded.
    pub(crate) listed: Option<SystemTime>,
    /// The call, where one is in flight.
    pub(crate) call: Option<CatchUpId>,
    /// When the call counts as lost.
    pub(crate) deadline: Option<Instant>,
    /// When the next call is to be made.
    pub(crate) next_at: Option<Instant>,
    /// How many calls have succeeded. The first brings what there is; venues list late, so another one follows.
    pub(crate) passes: u32,
    /// How many have failed in a row.
    pub(crate) failures: u32,
    /// What came while the first call was in flight.
    pub(crate) held: Vec<Entry>,
    /// Whether what comes is held back.
    pub(crate) is_holding: bool,
    /// Something was missed after the call had begun.
    pub(crate) is_resubscribing: bool,
    /// What is missing though a call was made.
    pub(crate) missed: Missed,
    /// How many frames are missing by a count that is not the item's. Each is a record at least.
    pub(crate) counted: u64,
    /// How many records calls have brought that the stream has not brought since then.
    pub(crate) brought: u64,
    /// The venue sent nothing for a while: no number shows where what was missed ends.
    pub(crate) is_open: bool,
}

impl CatchUpState {
    pub(crate) fn new(since: SystemTime) -> Self {
        Self {
            since,
            called: None,
            listed: None,
            call: None,
            deadline: None,
            next_at: None,
            passes: 0,
            failures: 0,
            held: Vec::new(),
            is_holding: true,
            is_resubscribing: false,
            missed: Missed::None,
            counted: 0,
            brought: 0,
            is_open: false,
        }
    }

    /// The calls begin again, because something else was missed. What the last one has listed is not listed again, but for the end of it.
    pub(crate) fn begin_again(&mut self, margin: Duration) {
        self.is_holding = true;
        self.passes = 0;
        if let Some(listed) = self.listed.and_then(|listed| listed.checked_sub(margin)) {
            self.since = self.since.max(listed);
        }
    }

    /// What is missing once the calls are over. Fewer records than frames that were missing: what was listed is too old.
    pub(crate) fn missed(&self) -> Missed {
        if self.brought < self.counted { Missed::Unknown } else { self.missed }
    }
}

/// What orders records: numbers by their value, texts as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum OrderValue {
    Number(Decimal),
    Text(String),
}

impl OrderValue {
    fn of(data: &[u8], pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return None;
        }
        let text = text_at(data, pointer)?;
        Some(match text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text)) {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Text(text.into_owned()),
        })
    }

    /// Values of two forms have no order.
    fn compare(one: Option<&Self>, two: Option<&Self>) -> Option<Ordering> {
        match (one?, two?) {
            (Self::Number(one), Self::Number(two)) => Some(one.cmp(two)),
            (Self::Text(one), Self::Text(two)) => Some(one.cmp(two)),
            _ => None,
        }
    }
}

/// Puts what calls listed among what was held back. A record is left out where the stream has delivered it or holds it, or where it
/// has delivered a later state of the same thing. The stream stays as it was, in its order.
pub(crate) fn merge(
    rules: &'static [CatchUp],
    kind: &Kind,
    ring: &RecentMessages,
    records: Vec<Record>,
    held: Vec<Entry>,
    received: SystemTime,
) -> Vec<Entry> {
    let Some(first) = rules.first() else { return held };
    let given = Delivered::of(ring, first);
    // What is older than anything that is remembered was given before that, or is from before the subscription.
    let horizon = ring.horizon(first.order);
    let is_before = |order_value: Option<&OrderValue>| match &horizon {
        Some((oldest, is_cut)) => match OrderValue::compare(Some(oldest), order_value) {
            Some(Ordering::Greater) => true,
            Some(Ordering::Equal) => *is_cut,
            _ => false,
        },
        None => false,
    };
    let mut seen: HashMap<String, Vec<Option<OrderValue>>> = HashMap::new();
    let mut stream = Vec::with_capacity(held.len());
    for entry in held {
        let order_value = OrderValue::of(entry.data(), first.order);
        // A venue that begins to count again may send again what it has sent.
        if order_value.is_some() && given.texts.contains(entry.data()) {
            continue;
        }
        if let Some(key) = text_at(entry.data(), first.key) {
            seen.entry(key.into_owned()).or_default().push(order_value.clone());
        }
        stream.push((order_value, entry));
    }
    let mut listed = Vec::with_capacity(records.len());
    for record in records {
        let Some(rule) = rules.get(record.call) else { continue };
        let order_value = OrderValue::of(&record.text, rule.order);
        if is_before(order_value.as_ref()) || given.texts.contains(&record.text[..]) {
            continue;
        }
        if let Some(key) = text_at(&record.text, rule.key) {
            let is_given = order_value.is_some()
                && given.order_values.get(&*key).is_some_and(|given| {
                    given == &order_value
                        || OrderValue::compare(given.as_ref(), order_value.as_ref()) == Some(Ordering::Greater)
                });
            let order_values = seen.entry(key.into_owned()).or_default();
            // Without an order the stream's word counts, which is newer than the call's or as old.
            let is_seen =
                if order_value.is_some() { order_values.contains(&order_value) } else { !order_values.is_empty() };
            if is_given || is_seen {
                continue;
            }
            order_values.push(order_value.clone());
        }
        let Ok(length) = u32::try_from(record.text.len()) else { continue };
        listed.push((
            order_value,
            Entry {
                raw: record.text,
                data: 0..length,
                kind: kind.clone(),
                received,
                sent: None,
                sequence: None,
                origin: Origin::CatchUp,
                replaced: 0,
                is_record: true,
            },
        ));
    }
    listed.sort_by(|(one, _), (two, _)| OrderValue::compare(one.as_ref(), two.as_ref()).unwrap_or(Ordering::Equal));
    let mut merged = Vec::with_capacity(listed.len() + stream.len());
    let mut listed = listed.into_iter().peekable();
    for (own, entry) in stream {
        while let Some((_, earlier)) = listed.next_if(|(order_value, _)| {
            OrderValue::compare(order_value.as_ref(), own.as_ref()) != Some(Ordering::Greater)
        }) {
            merged.push(earlier);
        }
        merged.push(entry);
    }
    merged.extend(listed.map(|(_, entry)| entry));
    merged
}

/// What distinguishes a state of a thing from all others: its key and what orders it. None where nothing orders it.
pub(crate) fn name_of(rule: &CatchUp, data: &[u8]) -> Option<String> {
    if rule.order.is_empty() {
        return None;
    }
    Some(format!("{} {}", text_at(data, rule.order)?, text_at(data, rule.key)?))
}

/// What readers have been given, as far as it is remembered.
struct Delivered<'a> {
    /// By key, the latest order_value.
    order_values: HashMap<String, Option<OrderValue>>,
    texts: HashSet<&'a [u8]>,
}

impl<'a> Delivered<'a> {
    fn of(ring: &'a RecentMessages, rule: &CatchUp) -> Self {
        let mut order_values: HashMap<String, Option<OrderValue>> = HashMap::new();
        for data in &ring.last {
            let Some(key) = text_at(data, rule.key) else { continue };
            let order_value = OrderValue::of(data, rule.order);
            match order_values.get_mut(&*key) {
                Some(own) => {
                    if OrderValue::compare(own.as_ref(), order_value.as_ref()) != Some(Ordering::Greater) {
                        *own = order_value;
                    }
                }
                None => drop(order_values.insert(key.into_owned(), order_value)),
            }
        }
        Self { order_values, texts: ring.last.iter().map(|data| &data[..]).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static RULES: [CatchUp; 1] = [CatchUp { key: "/k", order: "/t", ..CatchUp::EMPTY }];

    /// How many of so many trades, of which `at_once` have the same time, a list brings that has all of them, after all were delivered
    /// but for those that `is_missed` names.
    fn brought(trades: u32, at_once: u32, is_missed: impl Fn(u32) -> bool) -> usize {
        let mut ring = RecentMessages::default();
        for number in (0..trades).filter(|number| !is_missed(*number)) {
            ring.push(Bytes::from(format!(r#"{{"k":"{number}","t":{},"streamed":true}}"#, number / at_once)));
        }
        let record = |number| Bytes::from(format!(r#"{{"k":"{number}","t":{}}}"#, number / at_once));
        let records = (0..trades).map(|number| Record { text: record(number), call: 0 }).collect();
        merge(&RULES, &Kind::Known(""), &ring, records, Vec::new(), SystemTime::UNIX_EPOCH).len()
    }

    #[test]
    fn what_was_delivered_is_not_brought_again_however_much_it_was() {
        for (trades, at_once) in [(10, 1), (1500, 7), (5000, 1), (5000, 7), (5000, 1000), (5000, 3000), (5000, 5000)] {
            assert_eq!(brought(trades, at_once, |_| false), 0, "{trades} trades, {at_once} at once");
        }
    }

    #[test]
    fn what_was_missed_is_brought() {
        assert_eq!(brought(10, 1, |number| number == 5), 1);
        assert_eq!(brought(5000, 7, |number| (4500..4510).contains(&number)), 10);
    }
}
