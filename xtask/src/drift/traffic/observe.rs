//! Holds values against the types of our spec, and counts what they do not know.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::route::{self, Found, Routes};
use super::{Body, Exchange, Outcome, Seen, left_out, redact};
use crate::document::{Document, Kind};
use crate::drift::finding::Drift;
use crate::judgement::{Judgement, counted};
use crate::model::{members, text};
use crate::streams;
use crate::surface::asyncapi::Frame;
use crate::surface::endpoints::Endpoints;
use crate::surface::{Channel, Kinds, Message, Surface, Type, Use};

/// Levels of a value that are looked at.
const DEEPEST: usize = 64;

/// Something that was seen, and how often.
struct Tally {
    judgement: Judgement,
    what: String,
    at: String,
    count: usize,
    first: String,
    example: String,
    users: BTreeSet<String>,
}

/// The members of a frame with an event of an account.
struct EventFrame {
    subscription: String,
    data: String,
    /// The member of the event that has its type.
    kind: String,
}

/// Looks at everything that recordings hold.
pub struct Observer<'a> {
    surface: &'a Surface,
    is_rpc: bool,
    routes: Routes<'a>,
    frame: Frame,
    /// How events of accounts come at endpoints (`events` of `x-login`), by the names of the endpoints.
    events: BTreeMap<String, EventFrame>,
    endpoints: Endpoints,
    found: BTreeMap<(&'static str, String), Tally>,
    operations: BTreeMap<String, usize>,
    channels: BTreeMap<String, usize>,
    left_out: BTreeMap<&'static str, usize>,
    /// The operation or channel that is looked at, and where it is recorded.
    user: String,
    source: String,
}

impl<'a> Observer<'a> {
    /// For a spec.
    pub fn new(document: &Document, surface: &'a Surface) -> Self {
        Self {
            surface,
            is_rpc: document.kind == Kind::OpenRpc,
            routes: Routes::of(document, surface),
            frame: Frame::of(&document.value),
            events: event_frames(document),
            endpoints: Endpoints::of(document),
            found: BTreeMap::new(),
            operations: BTreeMap::new(),
            channels: BTreeMap::new(),
            left_out: BTreeMap::new(),
            user: String::new(),
            source: String::new(),
        }
    }

    /// Looks at one piece.
    pub fn see(&mut self, seen: Seen) {
        match seen {
            Seen::Exchange(exchange) => self.exchange(exchange),
            Seen::Frame(frame) => {
                self.source = frame.source;
                let endpoint = self.endpoints.named(&frame.endpoint);
                match self.frame.address.clone() {
                    Some(way) => self.addressed(&way, &endpoint, &frame.value),
                    None => self.frame(&frame.value),
                }
            }
            Seen::LeftOut(why) => *self.left_out.entry(why).or_default() += 1,
        }
    }

    /// What was found, the heaviest first.
    pub fn end(self) -> Outcome {
        let mut found: Vec<Drift> = Vec::new();
        for ((rule, place), tally) in self.found {
            let times = if tally.count == 1 { "once".to_owned() } else { format!("{} times", tally.count) };
            let example = if tally.example.is_empty() { String::new() } else { format!("; it was {}", tally.example) };
            let message = format!("{}; seen {times}, first in {}{example}", tally.what, tally.first);
            found.push(Drift {
                rule,
                place,
                message,
                judgement: tally.judgement,
                at: tally.at,
                users: tally.users,
                change: None,
            });
        }
        found.sort_by(|one, other| {
            other.judgement.cmp(&one.judgement).then_with(|| (one.rule, &one.place).cmp(&(other.rule, &other.place)))
        });
        let count = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        let mut parts = Vec::new();
        if !self.operations.is_empty() {
            let (all, of) = (counted(count(&self.operations), "response"), counted(self.operations.len(), "operation"));
            parts.push(format!("{all} of {of}"));
        }
        if !self.channels.is_empty() {
            let (all, of) = (counted(count(&self.channels), "message"), counted(self.channels.len(), "channel"));
            parts.push(format!("{all} of {of}"));
        }
        let looked = if parts.is_empty() { "nothing of this venue".to_owned() } else { parts.join(" and ") };
        let skipped = left_out(&self.left_out);
        let extent = if skipped.is_empty() { looked } else { format!("{looked}; left out: {skipped}") };
        Outcome { found, extent }
    }

    fn note(&mut self, rule: &'static str, place: String, judgement: Judgement, what: &str, at: &str, example: String) {
        let tally = self.found.entry((rule, place)).or_insert_with(|| Tally {
            judgement,
            what: what.to_owned(),
            at: at.to_owned(),
            count: 0,
            first: self.source.clone(),
            example,
            users: BTreeSet::new(),
        });
        tally.count += 1;
        tally.judgement = tally.judgement.max(judgement);
        if !self.user.is_empty() {
            tally.users.insert(self.user.clone());
        }
    }

    fn skip(&mut self, why: &'static str) {
        *self.left_out.entry(why).or_default() += 1;
    }

    fn exchange(&mut self, exchange: Exchange) {
        self.source = exchange.source;
        self.user.clear();
        let operation = match self.routes.find(&exchange.method, &exchange.url, exchange.request.as_ref()) {
            Found::Operation(operation) => operation,
            Found::Elsewhere => return self.skip("requests to other servers"),
            Found::Undocumented(method, path) => {
                // An unknown path may also be a mistake of the caller.
                if exchange.status < 400 {
                    let place = format!("{method} {}", redact::shown_path(&path));
                    let what = "our spec has no such operation";
                    self.note("new-operation", place, Judgement::Addition, what, "", String::new());
                } else {
                    self.skip("failed requests to unknown paths");
                }
                return;
            }
        };
        self.user.clone_from(&operation.name);
        *self.operations.entry(operation.name.clone()).or_default() += 1;
        let value = match exchange.body {
            Body::Json(value) => value,
            Body::Empty => return self.empty(operation, exchange.status),
            Body::Unreadable(_) => return self.skip("responses that are not JSON"),
        };
        let is_good = (200..300).contains(&exchange.status);
        if self.is_rpc {
            if let (Some(result), Some(expected)) = (value.get("result"), operation.result) {
                self.value(expected, result, &format!("{} response", operation.name), &operation.at, 0);
            }
            return;
        }
        if is_good
            && let Some(status) =
                operation.success.as_ref().filter(|status| status.bytes().all(|byte| byte.is_ascii_digit()))
            && *status != exchange.status.to_string()
        {
            let what = format!("a good response has {}, our spec says {status}", exchange.status);
            self.note("status", operation.name.clone(), Judgement::Behaviour, &what, &operation.at, String::new());
        }
        let (expected, which) = if is_good { (operation.result, "response") } else { (operation.error, "error") };
        match expected {
            Some(expected) => self.value(expected, &value, &format!("{} {which}", operation.name), &operation.at, 0),
            None if is_good && value.as_object().is_none_or(|members| !members.is_empty()) => {
                let what = "the response has a body, our spec has none";
                let example = redact::example("", &value);
                self.note(
                    "new-body",
                    format!("{} response", operation.name),
                    Judgement::Addition,
                    what,
                    &operation.at,
                    example,
                );
            }
            None => {}
        }
    }

    fn empty(&mut self, operation: &crate::surface::Operation, status: u16) {
        if (200..300).contains(&status) && operation.result.is_some() && !self.is_rpc {
            let what = "the response has no body, our spec has one";
            self.note(
                "removed-body",
                format!("{} response", operation.name),
                Judgement::Breaking,
                what,
                &operation.at,
                String::new(),
            );
        }
    }

    fn frame(&mut self, frame: &Value) {
        self.user.clear();
        let Some(kind) = self.frame.kind.clone() else { return self.skip("frames without a type") };
        let Some(name) = text(frame, &kind) else { return self.skip("frames without a type") };
        if self.frame.replies.iter().any(|reply| reply == name) {
            return self.skip("replies to commands");
        }
        let member = self.frame.data.first().cloned().unwrap_or_default();
        let data = frame.get(&member).unwrap_or(frame);
        let surface = self.surface;
        let all = surface
            .channels
            .values()
            .flat_map(|channel| channel.messages.iter().map(move |message| (channel, message)));
        let named: Vec<_> = all.filter(|(_, message)| message.name == name).collect();
        let fits = |message: &Message| {
            message.when.as_ref().is_some_and(|(at, equals)| data.pointer(at).and_then(Value::as_str) == Some(equals))
        };
        let found = named
            .iter()
            .find(|(_, message)| fits(message))
            .or_else(|| named.iter().find(|(_, message)| message.when.is_none()));
        match found.or_else(|| named.first()) {
            Some((channel, message)) => {
                self.user = format!("channel {}", channel.id);
                *self.channels.entry(channel.id.clone()).or_default() += 1;
                self.message(message, data, &format!("channel {} {name}", channel.id), &channel.at);
            }
            None => {
                let place = format!("message {}", redact::shown_name(name));
                self.note(
                    "new-message",
                    place,
                    Judgement::Behaviour,
                    "our spec has no message of this type",
                    "",
                    redact::example("", data),
                );
            }
        }
    }

    /// A frame that names its channel, such as a notification of JSON-RPC.
    fn addressed(&mut self, way: &[String], endpoint: &str, frame: &Value) {
        self.user.clear();
        let at = |way: &[String]| way.iter().try_fold(frame, |value, name| value.get(name));
        let Some(address) = at(way).and_then(Value::as_str) else { return self.event(endpoint, frame) };
        let data = at(&self.frame.data).unwrap_or(frame);
        let Some(channel) = route::channel(self.surface, address, endpoint) else {
            let parts = address.split('.').map(|part| if is_plain(part) { part } else { "{}" });
            let place = format!("channel {}", parts.collect::<Vec<_>>().join("."));
            let what = "our spec has no such channel";
            return self.note("new-channel", place, Judgement::Addition, what, "", redact::example("", data));
        };
        let kind = self.frame.kind.as_ref().and_then(|member| text(frame, member)).unwrap_or_default();
        self.of_channel(channel, kind, data);
    }

    /// A frame without a channel: an event of an account, whose endpoint has one channel, or a reply.
    fn event(&mut self, endpoint: &str, frame: &Value) {
        let surface = self.surface;
        let known = self.events.iter().filter(|(name, _)| endpoint.is_empty() || *name == endpoint);
        let mut found = known.filter_map(|(name, said)| {
            let (_, event) = (frame.get(&said.subscription)?, frame.get(&said.data)?);
            let channel = surface.channels.values().find(|channel| channel.endpoints.contains(name))?;
            Some((channel, text(event, &said.kind).unwrap_or_default(), event))
        });
        match found.next() {
            Some((channel, kind, event)) => self.of_channel(channel, kind, event),
            None => self.skip("frames that name no channel, such as replies"),
        }
    }

    /// Data of a channel, by the type of its message.
    fn of_channel(&mut self, channel: &Channel, kind: &str, data: &Value) {
        self.user = format!("channel {}", channel.id);
        *self.channels.entry(channel.id.clone()).or_default() += 1;
        let is_it = |message: &&Message| message.name == kind || message.name.is_empty();
        match channel.messages.iter().find(is_it).or(channel.messages.first().filter(|_| channel.messages.len() == 1)) {
            Some(message) => self.message(message, data, &self.user.clone(), &channel.at),
            None => {
                let place = format!("channel {} {}", channel.id, redact::shown_name(kind));
                let what = "our spec has no message of this type";
                self.note("new-message", place, Judgement::Behaviour, what, &channel.at, redact::example("", data));
            }
        }
    }

    fn message(&mut self, message: &Message, data: &Value, place: &str, at: &str) {
        match data.as_array().filter(|_| message.in_list) {
            Some(records) => records.iter().for_each(|record| self.value(message.payload, record, place, at, 0)),
            None => self.value(message.payload, data, place, at, 0),
        }
    }

    /// A value against a type. `place` is what it is called, `at` where our spec says it.
    fn value(&mut self, expected: Use, value: &Value, place: &str, at: &str, depth: usize) {
        let surface = self.surface;
        let kind = surface.at(expected);
        let place = kind.name.as_deref().filter(|_| kind.values.is_none()).unwrap_or(place);
        if depth > DEEPEST || value.is_null() {
            return;
        }
        if !kind.kinds.admit(value) {
            return self.retyped(kind, value, place, at);
        }
        match value {
            Value::Object(members) => self.object(kind, members, place, depth),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let element = kind.tuple.get(index).copied().or(kind.items);
                    let Some(element) = element else { continue };
                    if item.is_null() && !surface.nullable(element) {
                        let what = "an element of the list is null";
                        self.note("newly-nullable", format!("{place}[]"), Judgement::Breaking, what, at, String::new());
                    }
                    self.value(element, item, &format!("{place}[]"), at, depth + 1);
                }
            }
            Value::String(text) => {
                self.word(kind, text, place);
                if kind.format.as_deref() == Some("date-time") && !text.trim().is_empty() && !redact::is_time(text) {
                    let what = "it is not written as a time";
                    self.note("unit", place.to_owned(), Judgement::Behaviour, what, at, redact::example(place, value));
                }
            }
            Value::Number(number) => {
                if let Some(values) = &kind.values
                    && !values.contains(&number.to_string())
                {
                    self.word(kind, &number.to_string(), place);
                }
                if let (Some(said), Some(seen)) = (kind.format.as_deref(), number.as_f64().and_then(unit))
                    && said.starts_with("unix-")
                    && said != seen
                {
                    let what = format!("it looks like {seen}, our spec says {said}");
                    self.note("unit", place.to_owned(), Judgement::Breaking, &what, at, String::new());
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, kind: &'a Type, members: &serde_json::Map<String, Value>, place: &str, depth: usize) {
        let surface = self.surface;
        for (name, value) in members {
            if let Some(field) = kind.field(name) {
                let own = format!("{place}.{name}");
                if value.is_null()
                    && field.required
                    && !surface.nullable(field.value)
                    && !surface.at(field.value).reads_null()
                {
                    let what = "it is vital, and null: such responses are rejected";
                    self.note("newly-nullable", own, Judgement::Breaking, what, &field.at, String::new());
                } else {
                    self.value(field.value, value, &own, &field.at, depth + 1);
                }
            } else if let Some(entries) = kind.entries {
                self.value(entries, value, &format!("{place}.*"), &kind.at, depth + 1);
            } else if !kind.open && !kind.kinds.is_any() {
                let own = format!("{place}.{}", redact::shown_name(name));
                let what = "our spec lacks it, and its value is lost";
                self.note("new-field", own, Judgement::Addition, what, &kind.at, redact::example(name, value));
            }
        }
        for field in kind.fields.iter().filter(|field| field.required && !members.contains_key(&field.name)) {
            let what = "it is vital, and missing: such responses are rejected";
            self.note(
                "newly-optional",
                format!("{place}.{}", field.name),
                Judgement::Breaking,
                what,
                &field.at,
                String::new(),
            );
        }
        let has = |name: &String| members.get(name).is_some_and(|value| !value.is_null());
        if !kind.one_of.is_empty() && !kind.one_of.iter().any(has) {
            let what = format!("none of [{}] is there: such responses are rejected", kind.one_of.join(", "));
            self.note("newly-optional", place.to_owned(), Judgement::Breaking, &what, &kind.at, String::new());
        }
    }

    fn word(&mut self, kind: &Type, text: &str, place: &str) {
        let Some(values) = &kind.values else { return };
        if values.contains(text) || text.trim().is_empty() {
            return;
        }
        let name = place.rsplit('.').next().unwrap_or_default();
        let shown = redact::value(name, text);
        let own = kind.name.as_deref().unwrap_or(place);
        let judgement = if kind.closed { Judgement::Breaking } else { Judgement::Behaviour };
        self.note("new-value", format!("{own}={shown}"), judgement, "our enum lacks it", &kind.at, String::new());
    }

    fn retyped(&mut self, kind: &Type, value: &Value, place: &str, at: &str) {
        let is_scalar = value.is_number() || value.is_string();
        // Blank texts stand for no value, and decimals are read from both notations.
        if value.as_str().is_some_and(|text| text.trim().is_empty())
            || kind.format.as_deref() == Some("decimal") && is_scalar
        {
            return;
        }
        let is_whole = |value: &Value| value.as_str().is_some_and(|text| text.trim().parse::<i64>().is_ok());
        let is_read = kind.kinds.has(Kinds::INTEGER) && is_whole(value);
        let judgement = if is_read { Judgement::Behaviour } else { Judgement::Breaking };
        let note = if is_read { "; it is read nevertheless" } else { "" };
        let name = place.rsplit('.').next().unwrap_or_default();
        let what = format!("our spec says {}{note}", kind.kinds);
        self.note("retyped", place.to_owned(), judgement, &what, at, redact::example(name, value));
    }
}

fn event_frames(document: &Document) -> BTreeMap<String, EventFrame> {
    let endpoints = members(streams::root(document), "x-login");
    let said = endpoints.filter_map(|(name, _)| Some((name, streams::events(document, name)?)));
    let word = |events: &Value, key: &str| text(events, key).unwrap_or_default().to_owned();
    let frame = |events: &Value| EventFrame {
        subscription: word(events, "subscription"),
        data: word(events, "data"),
        kind: word(events, "type"),
    };
    said.map(|(name, events)| (name.clone(), frame(events))).collect()
}

/// Whether a part of an address is a word of the venue and no name of an instrument or an account.
fn is_plain(part: &str) -> bool {
    part.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// The unit of a time of this century, by its size.
fn unit(number: f64) -> Option<&'static str> {
    [(1e9, "unix-s"), (1e12, "unix-ms"), (1e15, "unix-us"), (1e18, "unix-ns")]
        .into_iter()
        .find(|(scale, _)| (0.9 * scale..4.0 * scale).contains(&number))
        .map(|(_, name)| name)
}
