//! Commands with a number, which replies repeat; data comes with the number of its subscription.

use std::borrow::Cow;

use bytes::Bytes;
use venuekit_wire::stream::{self, ParameterKind, Sequence, Streams as Table};

use super::layout::Layouts;
use super::top::{Top, each, part, texts, unread, within};
use super::write::{push_list, push_name, push_number, push_parameters, push_text};
use crate::hub::io::{Action, Body, Command, ErrorClass, Frame, Handle, Owner, Reply};

/// The dialect on a connection.
pub(crate) struct Commands {
    words: stream::Commands,
    layouts: Layouts,
    /// The member that counts the frames of a subscription, where one does.
    counter: &'static str,
    /// Members of an error that name what it is about.
    items: Vec<&'static str>,
}

impl Commands {
    pub(super) fn new(words: stream::Commands, table: &Table) -> Self {
        let counters = table.channels.iter().filter_map(|channel| match channel.sequence {
            Sequence::Counter { member, .. } => Some(member),
            _ => None,
        });
        let named = |pointer: &'static str| pointer.rsplit('/').next();
        let mut items: Vec<&'static str> =
            table.channels.iter().flat_map(|channel| [channel.items, channel.item.and_then(named)]).flatten().collect();
        items.sort_unstable();
        items.dedup();
        Self { words, layouts: Layouts::default(), counter: counters.into_iter().next().unwrap_or_default(), items }
    }

    pub(super) fn read(&mut self, message: &Bytes, take: &mut dyn FnMut(Frame<'_>)) {
        let words = &self.words;
        let names = [words.kind, words.id, words.subscription, self.counter, words.data, words.sent];
        let mut layouts = std::mem::take(&mut self.layouts);
        let take = std::cell::RefCell::new(take);
        each(
            message,
            None,
            |text, at| {
                let (top, end) = layouts.read(text, at, &names)?;
                let whole = part(message, &(at..end));
                let start = if matches!(whole, Cow::Borrowed(_)) { 0 } else { at };
                self.frame(&top, &whole, start, |frame| take.borrow_mut()(frame));
                Some(end)
            },
            |range| take.borrow_mut()(unread(&part(message, &range))),
        );
        self.layouts = layouts;
    }

    fn frame(&self, top: &Top<'_, 6>, bytes: &Bytes, start: usize, take: impl FnOnce(Frame<'_>)) {
        let words = &self.words;
        let Some(kind) = top.string(0) else { return take(unread(bytes)) };
        let data = top.token(4);
        // A number of zero means none.
        let command = top.integer(1).and_then(|id| u32::try_from(id).ok()).filter(|id| *id > 0);
        let mut handle = top.integer(2);
        let body = match &*kind {
            kind if kind == words.subscribe.1 => {
                let inner = Top::read(data, 0, &[words.channel, words.subscription]).map(|(inner, _)| inner);
                handle = handle.or_else(|| inner.as_ref()?.integer(1));
                Body::Reply(Reply::Subscribed { channel: inner.and_then(|inner| inner.text(0)) })
            }
            kind if kind == words.ok => Body::Reply(Reply::Ok),
            kind if kind == words.unsubscribe.2 => Body::Reply(Reply::Unsubscribed),
            kind if kind == words.error => Body::Reply(self.error(data)),
            _ => Body::Data,
        };
        take(Frame {
            bytes,
            handle: handle.map_or(Handle::None, Handle::Number),
            kind: &kind,
            data: within(top.range(4), start),
            sequence: top.integer(3),
            sent: top.millis(5),
            command,
            body,
        });
    }

    fn error<'a>(&self, data: &'a [u8]) -> Reply<'a> {
        let words = &self.words;
        let inner = Top::read(data, 0, &[words.error_members.0, words.error_members.1]).map(|(inner, _)| inner);
        let code = inner.as_ref().and_then(|inner| inner.text(0)).unwrap_or_default();
        let text = inner.and_then(|inner| inner.text(1)).unwrap_or_default();
        let class = match &*code {
            code if words.terminal.contains(&code) => ErrorClass::Terminal,
            code if words.retry.contains(&code) => ErrorClass::Retry,
            _ => ErrorClass::Refused,
        };
        let meaning = words.codes.iter().find(|(known, _)| *known == code).map(|(_, meaning)| Cow::Borrowed(*meaning));
        let text = if text.is_empty() { meaning.unwrap_or_default() } else { text };
        let mut items: Vec<Cow<'_, str>> = Vec::new();
        for (written, value) in crate::scan::Members::of(data, 0) {
            if self.items.iter().any(|name| crate::scan::is_name(written, name)) {
                items.extend(texts(&data[value]));
            }
        }
        Reply::Error { code, text, items, class }
    }

    /// The command's text; none where there is nothing to be said.
    pub(super) fn write(&self, command: &Command) -> Option<String> {
        let words = &self.words;
        let name = match &command.action {
            Action::Subscribe(_) => words.subscribe.0,
            Action::Unsubscribe(_) => words.unsubscribe.0,
            Action::Update { .. } => words.update.0,
        };
        let mut text = String::with_capacity(128);
        text.push('{');
        push_name(&mut text, words.id);
        push_number(&mut text, command.id);
        push_name(&mut text, words.command);
        push_text(&mut text, name);
        push_name(&mut text, words.params);
        text.push('{');
        match &command.action {
            Action::Subscribe(topics) => {
                // Of several topics the hub has seen to it that they have the same values.
                let first = topics.first()?;
                push_name(&mut text, words.channels);
                push_list(&mut text, ParameterKind::Text, topics.iter().map(|topic| topic.channel().name));
                push_parameters(&mut text, first);
            }
            Action::Unsubscribe(owners) => {
                push_name(&mut text, words.unsubscribe.1);
                text.push('[');
                for owner in owners {
                    let Owner::Number(number) = owner else { continue };
                    if !text.ends_with('[') {
                        text.push(',');
                    }
                    push_number(&mut text, number);
                }
                if text.ends_with('[') {
                    return None;
                }
                text.push(']');
            }
            Action::Update { subscription, channel, action, items } => {
                push_name(&mut text, words.subscription);
                push_number(&mut text, subscription);
                push_name(&mut text, words.update.1);
                push_text(&mut text, action);
                if let Some(name) = channel.items.filter(|_| !items.is_empty()) {
                    let parameter = channel.parameters.iter().find(|parameter| parameter.name == name);
                    push_name(&mut text, name);
                    push_list(&mut text, parameter.map_or(ParameterKind::Text, |parameter| parameter.kind), items);
                }
            }
        }
        text.push_str("}}");
        Some(text)
    }
}
