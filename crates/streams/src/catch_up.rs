//! Calls that list what was missed, by the tables: parameters, pages, and records with the names that messages have.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use venuekit_transport::client::{Call, JsonBody, Session, encode_segment};
use venuekit_wire::DateTime;
use venuekit_wire::operation::{Operation, Page, Protocol};
use venuekit_wire::stream::{CatchUp, Parameter, ParameterKind, Sequence};

use crate::dialect::push_value;
use crate::hub::io::{CatchUpCall, Record, SnapshotRequest};
use crate::scan::{self, Elements, Members};
use crate::topic::{Topic, Value};

/// So many pages are asked for. A list that is longer is not whole, and counts as none.
const MOST_PAGES: usize = 50;

/// So many records are kept, and so many bytes of them.
const MOST_RECORDS: usize = 200_000;
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// Of more values than this the operation is asked for everything, where it can be. The hub knows which records it wants.
const MOST_CALLS: usize = 20;

/// What a venue's clock and ours may differ by, in seconds: what was listed already is recognized by its key.
const OVERLAP: i64 = 1;

/// Makes the calls. All records or none: a list with holes would pass for a whole one.
///
/// # Errors
/// What went wrong, for people.
pub(crate) async fn catch_up(session: &Session, call: &CatchUpCall) -> Result<Vec<Record>, String> {
    let mut found = Found::default();
    for (index, words) in call.calls.iter().enumerate() {
        let operation = session.venue().operation(words.operation);
        let operation = operation.ok_or_else(|| format!("`{}` is not in the operation table", words.operation))?;
        for asked in asked(call, words)? {
            let begin = found.records.len();
            let mut list = List { session, operation, words, index, call, asked, ends: None, found: &mut found };
            list.walk().await?;
            // What happened at the same moment is delivered in the order in which it happened.
            if list.is_newest_first() {
                found.records[begin..].reverse();
            }
        }
    }
    Ok(found.records)
}

/// Makes the call that returns a snapshot: the record is the message that it becomes.
///
/// # Errors
/// What went wrong, for people.
pub(crate) async fn snapshot(session: &Session, call: &SnapshotRequest) -> Result<Vec<Record>, String> {
    let words = call.words;
    let operation = session.venue().operation(words.operation);
    let operation = operation.ok_or_else(|| format!("`{}` is not in the operation table", words.operation))?;
    let channel = call.topic.channel();
    let mut parameters = Vec::with_capacity(words.parameters.len() + words.fixed.len());
    for (name, own) in words.parameters {
        let Some(value) = call.topic.value(own) else { continue };
        let parameter = channel.parameters.iter().find(|parameter| parameter.name == *own);
        parameters.push((*name, json(parameter, &value.to_string())));
    }
    parameters.extend(words.fixed.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let request = request(session, operation, &parameters)?;
    let response = session.send(request).await.map_err(|error| error.to_string())?;
    let text = with_members(response.body().clone(), &added(words.added, &call.topic));
    // What was cut off might lack levels.
    match scan::value_end(&text, scan::skip_whitespace(&text, 0)).map(|end| scan::skip_whitespace(&text, end)) {
        Some(end) if end == text.len() && text.starts_with(b"{") => Ok(vec![Record { text, call: 0 }]),
        _ => Err(format!("the response of `{}` is no object", words.operation)),
    }
}

/// Members that a response lacks, with the values of the subscription's parameters.
fn added(words: &[(&'static str, &str)], topic: &Topic) -> Vec<(&'static str, String)> {
    let value = |own: &str| match topic.value(own)? {
        Value::List(values) if values.len() != 1 => None,
        value => Some(value.to_string()),
    };
    words.iter().filter_map(|(name, own)| Some((*name, value(own)?))).collect()
}

/// An object with more members, in front of those that it has: its own count where it has them.
fn with_members(text: Bytes, members: &[(&str, String)]) -> Bytes {
    let begin = scan::skip_whitespace(&text, 0);
    if members.is_empty() || text.get(begin) != Some(&b'{') {
        return text;
    }
    let mut whole = Vec::with_capacity(text.len() + 64);
    for (name, value) in members {
        whole.push(if whole.is_empty() { b'{' } else { b',' });
        whole.extend_from_slice(serde_json::Value::from(*name).to_string().as_bytes());
        whole.push(b':');
        whole.extend_from_slice(serde_json::Value::from(value.as_str()).to_string().as_bytes());
    }
    let rest = &text[scan::skip_whitespace(&text, begin + 1)..];
    if !rest.starts_with(b"}") {
        whole.push(b',');
    }
    whole.extend_from_slice(rest);
    whole.into()
}

/// What one list is asked by.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    /// Names and values as JSON.
    parameters: Vec<(&'static str, String)>,
    /// The value of the list that it is asked for, where there are several.
    item: Option<Arc<str>>,
}

/// One for each value of the parameter that is a list, or one for all.
fn asked(call: &CatchUpCall, words: &CatchUp) -> Result<Vec<Asked>, String> {
    let channel = call.topic.channel();
    let mut all = vec![Asked::default()];
    for (name, own) in words.parameters {
        let parameter = channel.parameters.iter().find(|parameter| parameter.name == *own);
        let items = call.items.as_deref().filter(|_| channel.items == Some(*own));
        let values: &[Arc<str>] = match (items, call.topic.value(own)) {
            (Some(items), _) => items,
            (None, Some(Value::List(values))) => values,
            (None, Some(Value::One(value))) => std::slice::from_ref(value),
            (None, None) => continue,
        };
        if values.len() > MOST_CALLS {
            continue;
        }
        let values: Vec<&Arc<str>> = values.iter().filter(|value| words.skip != Some(&***value)).collect();
        if values.is_empty() {
            continue;
        }
        if all.len().saturating_mul(values.len()) > MOST_CALLS {
            return Err("too many calls would be needed".to_owned());
        }
        let mut next = Vec::with_capacity(all.len() * values.len());
        for before in &all {
            for value in &values {
                let mut parameters = before.parameters.clone();
                parameters.push((*name, json(parameter, value)));
                let item = if channel.items == Some(*own) { Some((*value).clone()) } else { before.item.clone() };
                next.push(Asked { parameters, item });
            }
        }
        all = next;
    }
    Ok(all)
}

/// A value as JSON.
fn json(parameter: Option<&Parameter>, value: &str) -> String {
    let mut json = String::new();
    push_value(&mut json, parameter.map_or(ParameterKind::Text, |parameter| parameter.kind), value);
    json
}

/// The records so far.
#[derive(Default)]
struct Found {
    records: Vec<Record>,
    bytes: usize,
}

/// One list, page by page.
struct List<'a> {
    session: &'a Session,
    operation: &'static Operation,
    words: &'static CatchUp,
    /// Which of the calls it is.
    index: usize,
    call: &'a CatchUpCall,
    asked: Asked,
    /// What orders the first record, and the last one.
    ends: Option<(Vec<u8>, Vec<u8>)>,
    found: &'a mut Found,
}

/// What a page has brought.
#[derive(Default)]
struct Taken {
    count: usize,
    /// Wanted records that no page had before.
    fresh: usize,
    /// The largest time, or whatever else orders records.
    last_order: Option<i64>,
    /// The largest number of a record, where all records are of one item.
    last_number: Option<i64>,
    /// Whether a record is older than what is wanted.
    is_old: bool,
}

impl List<'_> {
    async fn walk(&mut self) -> Result<(), String> {
        let since = self.words.since.map(|(name, per_second)| (name, since(self.call.since, per_second)));
        let mut by_number = self.words.from.and_then(|name| Some((name, self.number()?)));
        let mut by_time = since.filter(|(name, _)| !name.is_empty() && by_number.is_none());
        let begin = if by_number.is_none() { since.map(|(_, time)| time) } else { None };
        let mut position = None;
        let (mut seen, mut positions) = (HashSet::new(), HashSet::new());
        for _ in 0..MOST_PAGES {
            let page = self.page(by_number.or(by_time), position.as_ref()).await?;
            let taken = self.take(&page, begin, &mut seen)?;
            // Without a parameter for the time the newest records come first, and the rest of the list is of no use.
            if taken.is_old {
                return Ok(());
            }
            if let Some(paged) = self.operation.page {
                let Some(next) = next(paged, &page, position.as_ref(), taken.count) else { return Ok(()) };
                if !positions.insert(next.1.clone()) {
                    return Err("the venue's pages have no end".to_owned());
                }
                position = Some(next);
                continue;
            }
            // The next number; or the same moment once more, since other records may be of it.
            let next_number = self.words.from.zip(taken.last_number).filter(|_| by_number.or(by_time).is_some());
            let next_time = by_time.filter(|_| self.words.from.is_none()).zip(taken.last_order);
            let next_time = next_time.filter(|((_, time), last)| last > time || taken.fresh > 0);
            match (self.words.limit.map(|(_, limit)| limit <= taken.count), next_number, next_time) {
                (Some(false), ..) | (None, None, None) => return Ok(()),
                (_, Some((name, last)), _) => (by_number, by_time) = (Some((name, last.saturating_add(1))), None),
                (_, None, Some(((name, _), last))) => by_time = Some((name, last)),
                (Some(true), None, None) => {
                    return Err(format!("the list of `{}` is cut, and cannot be continued", self.words.operation));
                }
            }
        }
        Err(format!("the list has more than {MOST_PAGES} pages"))
    }

    /// The number from which on records are wanted of this list.
    fn number(&self) -> Option<i64> {
        match &self.asked.item {
            Some(item) => self.call.from.iter().find(|(known, _)| known == item).map(|(_, number)| *number),
            None => match &*self.call.from {
                [(_, number)] => Some(*number),
                _ => None,
            },
        }
    }

    async fn page(
        &self,
        start: Option<(&str, i64)>,
        position: Option<&(&'static str, String)>,
    ) -> Result<Bytes, String> {
        let mut parameters: Vec<(&str, String)> = self.asked.parameters.clone();
        parameters.extend(self.words.fixed.iter().map(|(name, value)| (*name, (*value).to_owned())));
        parameters.extend(self.words.limit.map(|(name, limit)| (name, limit.to_string())));
        // Where pages are asked for by the same parameter, it is given once.
        let start = start.filter(|(name, _)| position.is_none_or(|(own, _)| own != name));
        parameters.extend(start.map(|(name, number)| (name, number.to_string())));
        parameters.extend(position.cloned());
        let call = request(self.session, self.operation, &parameters)?;
        let response = self.session.send(call).await.map_err(|error| error.to_string())?;
        Ok(response.body().clone())
    }

    /// Keeps the records of a page.
    fn take(&mut self, page: &Bytes, begin: Option<i64>, seen: &mut HashSet<Bytes>) -> Result<Taken, String> {
        let none = || format!("the response of `{}` has no list at `{}`", self.words.operation, self.words.list);
        // What was cut off might lack its list, or the end of it.
        let end = scan::value_end(page, scan::skip_whitespace(page, 0)).map(|end| scan::skip_whitespace(page, end));
        if end != Some(page.len()) {
            return Err(none());
        }
        let list = scan::at(page, self.words.list).map(|range| &page[range]);
        let list = list.map(|list| list.trim_ascii_start());
        let mut taken = Taken::default();
        let list = match list {
            // An empty list is left out by some venues, or null.
            None if !self.words.list.is_empty() && page.trim_ascii_start().starts_with(b"{") => return Ok(taken),
            Some(list) if list.starts_with(b"null") => return Ok(taken),
            Some(list) if list.starts_with(b"[") => list,
            _ => return Err(none()),
        };
        let channel = self.call.topic.channel();
        let own = added(self.words.added, &self.call.topic);
        // The item whose records are numbered; none once there are several.
        let mut numbered: Option<Option<Vec<u8>>> = None;
        let mut elements = Elements::of(list, 0);
        for range in elements.by_ref() {
            taken.count += 1;
            let text = with_members(record(self.words, &list[range]), &own);
            let at = |pointer: &str| scan::at(&text, pointer).map(|range| text[range].to_owned());
            let ordered = Some(self.words.order).filter(|order| !order.is_empty()).and_then(at);
            let order = ordered.as_deref().and_then(scan::integer);
            if let Some(ordered) = &ordered {
                self.ends.get_or_insert_with(|| (ordered.clone(), Vec::new())).1.clone_from(ordered);
            }
            taken.last_order = taken.last_order.max(order);
            if let Sequence::PerItem { number, item } = channel.sequence {
                let item = at(item);
                taken.last_number = taken.last_number.max(at(number).as_deref().and_then(scan::integer));
                if numbered.get_or_insert_with(|| item.clone()) != &item {
                    numbered = Some(None);
                }
            }
            if !self.is_wanted(channel.item.and_then(at).as_deref()) {
                continue;
            }
            if begin.zip(order).is_some_and(|(begin, order)| order < begin) && self.has_time_of_order() {
                taken.is_old = true;
                continue;
            }
            let key = at(self.words.key).unwrap_or_else(|| text.to_vec());
            let (key, order) = (key.trim_ascii().to_vec(), ordered.unwrap_or_default());
            if !seen.insert([&*key, b" ", order.trim_ascii()].concat().into()) {
                continue;
            }
            taken.fresh += 1;
            self.found.bytes += text.len();
            if self.found.records.len() == MOST_RECORDS || self.found.bytes > MOST_BYTES {
                return Err(format!("the list has more than {MOST_RECORDS} records or {MOST_BYTES} bytes"));
            }
            self.found.records.push(Record { text, call: self.index });
        }
        taken.last_number = taken.last_number.filter(|_| numbered.flatten().is_some());
        if elements.is_whole() { Ok(taken) } else { Err(none()) }
    }

    /// Whether the list begins with what happened last.
    fn is_newest_first(&self) -> bool {
        let Some((first, last)) = &self.ends else { return false };
        match (scan::integer(first), scan::integer(last)) {
            (Some(first), Some(last)) => first > last,
            _ => scan::text(first) > scan::text(last),
        }
    }

    /// Whether a record is about one of the values that are asked for, where it says so.
    fn is_wanted(&self, item: Option<&[u8]>) -> bool {
        let wanted = self.call.items.as_deref().or_else(|| self.call.topic.items());
        match (wanted, item.and_then(scan::text)) {
            (Some(wanted), Some(item)) if self.asked.item.is_none() => wanted.iter().any(|wanted| **wanted == *item),
            _ => true,
        }
    }

    /// Whether what orders records is a time in the unit that the list is asked by.
    fn has_time_of_order(&self) -> bool {
        self.words.since.is_some_and(|(name, _)| name.is_empty())
    }
}

/// The moment from which on records are wanted, in the venue's unit, and a little before.
fn since(time: SystemTime, per_second: i64) -> i64 {
    let micros = match time.duration_since(UNIX_EPOCH) {
        Ok(span) => i128::try_from(span.as_micros()).unwrap_or(i128::MAX),
        Err(_) => 0,
    };
    let units = micros * i128::from(per_second) / 1_000_000 - i128::from(OVERLAP) * i128::from(per_second);
    i64::try_from(units.max(0)).unwrap_or(i64::MAX)
}

/// A call with these parameters: in the path, the query or the body, as its operation has it.
fn request(session: &Session, operation: &'static Operation, parameters: &[(&str, String)]) -> Result<Call, String> {
    let mut path = operation.path.to_owned();
    let mut rest: Vec<(&str, &str)> = Vec::with_capacity(parameters.len());
    for (name, value) in parameters {
        let hole = format!("{{{name}}}");
        match path.contains(&hole) {
            true => path = path.replace(&hole, &encode_segment(&plain(value))),
            false => rest.push((name, value)),
        }
    }
    if let Some((_, name)) = path.split_once('{') {
        return Err(format!("`{}` needs {}", operation.id, name.split('}').next().unwrap_or_default()));
    }
    let in_body = session.venue().protocol == Protocol::JsonRpc || operation.method != "GET";
    if in_body {
        let mut text = String::from("{");
        for (name, value) in &rest {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&serde_json::Value::from(*name).to_string());
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        let body = JsonBody::new(operation, &text).map_err(|error| error.to_string())?;
        return Ok(Call::new(operation).encoded_path(&path).body(body));
    }
    let call = Call::new(operation).encoded_path(&path);
    Ok(rest.into_iter().fold(call, |call, (name, value)| call.query(name, &plain(value))))
}

/// A JSON value as a path or a query has it.
fn plain(value: &str) -> String {
    scan::text(value.as_bytes()).map_or_else(|| value.to_owned(), Into::into)
}

/// The position of the page after this one; none after the last.
fn next(
    page: Page,
    body: &[u8],
    before: Option<&(&'static str, String)>,
    items: usize,
) -> Option<(&'static str, String)> {
    let dotted = |name: &str| {
        let pointer: String = name.split('.').flat_map(|step| ["/", step]).collect();
        scan::at(body, &pointer).map(|range| body[range].trim_ascii())
    };
    let before = before.and_then(|(_, value)| value.parse::<i64>().ok());
    match page {
        Page::Cursor { param, next, end, .. } => {
            let cursor = dotted(next).filter(|token| !token.is_empty() && *token != b"\"\"" && *token != b"null")?;
            let text = std::str::from_utf8(cursor).ok()?;
            (end != Some(&*plain(text))).then(|| (param, text.to_owned()))
        }
        Page::Number { param, last, .. } => {
            let number = before.unwrap_or(1).saturating_add(1);
            let has_more = match last {
                Some(last) => dotted(last).and_then(scan::integer).is_some_and(|last| number <= last),
                None => items > 0,
            };
            has_more.then(|| (param, number.to_string()))
        }
        Page::After { param, key, items: list } => {
            let list = if list.is_empty() { body } else { dotted(list)? };
            let last = serde_json::from_slice::<Vec<serde_json::Value>>(list).ok()?.pop()?.get(key)?.as_i64()?;
            Some((param, last.checked_add(1)?.to_string()))
        }
        Page::Offset { param, .. } => {
            let offset = before.unwrap_or(0).saturating_add(i64::try_from(items).unwrap_or(i64::MAX));
            (items > 0).then(|| (param, offset.to_string()))
        }
    }
}

/// A record with its members named as in messages. What is no object stays as it is.
fn record(words: &CatchUp, text: &[u8]) -> Bytes {
    let members: Vec<_> = Members::of(text, 0).collect();
    let has = |name: &str| members.iter().any(|(written, _)| scan::is_name(written, name));
    let of = |name: &str| members.iter().rev().find(|(written, _)| scan::is_name(written, name));
    let renamed = |written: &[u8]| {
        let new = words.renamed.iter().find(|(name, new)| scan::is_name(written, name) && !has(new))?;
        Some(new.1)
    };
    let times: Vec<_> = words.times.iter().filter(|(_, name)| !has(name)).collect();
    if text.first() != Some(&b'{')
        || (times.is_empty() && !members.iter().any(|(written, _)| renamed(written).is_some()))
    {
        return Bytes::copy_from_slice(text);
    }
    let mut record = Vec::with_capacity(text.len() + 32);
    for (written, value) in &members {
        record.push(if record.is_empty() { b'{' } else { b',' });
        record.push(b'"');
        record.extend_from_slice(renamed(written).map_or(written, str::as_bytes));
        record.extend_from_slice(b"\":");
        record.extend_from_slice(&text[value.clone()]);
    }
    for (name, new) in times {
        let time = of(name).and_then(|(_, value)| serde_json::from_slice::<DateTime>(&text[value.clone()]).ok());
        if let Some(millis) = time.and_then(|time| time.millis()) {
            record.push(if record.is_empty() { b'{' } else { b',' });
            record.extend_from_slice(format!("\"{new}\":{}", millis.get()).as_bytes());
        }
    }
    if record.is_empty() {
        record.push(b'{');
    }
    record.push(b'}');
    record.into()
}

#[cfg(test)]
mod tests;
