//! Messages without a number: responses name a room, and data is identified by its type.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use venuekit_wire::stream;

use super::Login;
use super::layout::Layouts;
use super::top::{Top, each, part, unread, within};
use super::write::{push_name, push_parameters, push_text};
use crate::hub::io::{Action, Body, Command, CommandId, ErrorClass, Frame, Handle, Owner, Reply};
use crate::scan;
use crate::topic::{Topic, Value};

/// The dialect on a connection, with the commands that no reply was matched to yet.
pub(crate) struct Messages {
    words: stream::Messages,
    layouts: Layouts,
    waiting: VecDeque<Waiting>,
}

/// So many commands may be without a reply. The oldest is given up then: its reply is matched to none.
const MOST_WAITING: usize = 4096;

/// A command that was sent.
struct Waiting {
    id: CommandId,
    what: What,
}

enum What {
    Subscribe {
        channel: &'static str,
        /// The values that no response has named yet. A venue that responds for each value names it in the room.
        values: Vec<Arc<str>>,
    },
    Unsubscribe {
        room: Arc<str>,
    },
}

impl Messages {
    pub(super) fn new(words: stream::Messages) -> Self {
        Self { words, layouts: Layouts::default(), waiting: VecDeque::new() }
    }

    pub(super) fn read(&mut self, message: &Bytes, take: &mut dyn FnMut(Frame<'_>)) {
        let words = self.words;
        let names = [words.kind, words.room, words.data, words.sent];
        let mut layouts = std::mem::take(&mut self.layouts);
        let take = std::cell::RefCell::new(take);
        each(
            message,
            words.separator,
            |text, at| {
                let (top, end) = layouts.read(text, at, &names)?;
                let whole = part(message, &(at..end));
                let start = if matches!(whole, Cow::Borrowed(_)) { 0 } else { at };
                self.frame(&top, &whole, start, &text[at..end], |frame| take.borrow_mut()(frame));
                Some(end)
            },
            |range| take.borrow_mut()(unread(&part(message, &range))),
        );
        self.layouts = layouts;
    }

    fn frame(&mut self, top: &Top<'_, 4>, bytes: &Bytes, start: usize, text: &[u8], take: impl FnOnce(Frame<'_>)) {
        let words = self.words;
        let Some(kind) = top.string(0) else { return take(unread(bytes)) };
        let room = top.string(1);
        let named = room.as_deref().unwrap_or_default();
        let (command, body) = match &*kind {
            kind if kind == words.subscribe.1 => {
                let (command, channel) = self.subscribed(named).unzip();
                (command, Body::Reply(Reply::Subscribed { channel: channel.map(Cow::Borrowed) }))
            }
            kind if kind == words.unsubscribe.1 => (self.unsubscribed(named), Body::Reply(Reply::Unsubscribed)),
            kind if kind == words.error => {
                let said = scan::at(text, words.error_text).and_then(|range| scan::text(&text[range]));
                let said = said.unwrap_or_default();
                let command = self.refused(&said);
                let (code, items) = (Cow::Borrowed(""), Vec::new());
                (command, Body::Reply(Reply::Error { code, text: said, items, class: ErrorClass::Refused }))
            }
            kind if words.quiet.contains(&kind) => (None, Body::Quiet),
            _ => (None, Body::Data),
        };
        take(Frame {
            bytes,
            handle: room.as_deref().map_or(Handle::None, Handle::Room),
            kind: &kind,
            data: within(top.range(2), start),
            sequence: None,
            sent: top.millis(3),
            command,
            body,
        });
    }

    /// The command that a room is the reply to: the one with a value that the room names, or of the channel that it names, or the
    /// oldest.
    fn subscribed(&mut self, room: &str) -> Option<(CommandId, &'static str)> {
        let separator = self.words.room_separator;
        let parts = || room.split(separator);
        let subscribes = |waiting: &Waiting| matches!(waiting.what, What::Subscribe { .. });
        let names_channel = |waiting: &Waiting| match &waiting.what {
            What::Subscribe { channel, .. } => parts().next() == Some(channel),
            What::Unsubscribe { .. } => false,
        };
        let names_value = |waiting: &Waiting| match &waiting.what {
            What::Subscribe { values, .. } => values.iter().any(|value| parts().any(|part| part == &**value)),
            What::Unsubscribe { .. } => false,
        };
        let of_both = self.waiting.iter().position(|waiting| names_channel(waiting) && names_value(waiting));
        let of_value = || self.waiting.iter().position(names_value);
        let of_channel = || self.waiting.iter().position(names_channel);
        let oldest = || self.waiting.iter().position(subscribes);
        let at = of_both.or_else(of_value).or_else(of_channel).or_else(oldest)?;
        let waiting = self.waiting.get_mut(at)?;
        let id = waiting.id;
        let What::Subscribe { channel, values } = &mut waiting.what else { return None };
        let (channel, before) = (*channel, values.len());
        values.retain(|value| !parts().any(|part| part == &**value));
        // A reply that names none of the values is the only one.
        if values.is_empty() || values.len() == before {
            self.waiting.remove(at);
        }
        Some((id, channel))
    }

    fn unsubscribed(&mut self, room: &str) -> Option<CommandId> {
        let fits = |waiting: &Waiting, any: bool| match &waiting.what {
            What::Unsubscribe { room: own } => any || **own == *room,
            What::Subscribe { .. } => false,
        };
        let at = self.waiting.iter().position(|waiting| fits(waiting, false));
        // A reply that names no room is for the oldest.
        let oldest = || self.waiting.iter().position(|waiting| room.is_empty() && fits(waiting, true));
        let waiting = self.waiting.remove(at.or_else(oldest)?)?;
        // Rooms of one command are unsubscribed from one by one, and the command is done with the last of them.
        let is_last = !self.waiting.iter().any(|other| other.id == waiting.id);
        is_last.then_some(waiting.id)
    }

    /// The command that an error is about: the one with a value that it names, or the oldest.
    fn refused(&mut self, said: &str) -> Option<CommandId> {
        let names = |waiting: &Waiting| match &waiting.what {
            What::Subscribe { values, .. } => values.iter().any(|value| said.contains(&**value)),
            What::Unsubscribe { room } => said.contains(&**room),
        };
        let at = self.waiting.iter().position(names).unwrap_or(0);
        let waiting = self.waiting.remove(at)?;
        self.waiting.retain(|other| other.id != waiting.id);
        Some(waiting.id)
    }

    pub(super) fn write(&mut self, command: &Command, login: Option<&Login>) -> Vec<String> {
        let words = self.words;
        match &command.action {
            Action::Subscribe(topics) => topics.iter().map(|topic| self.subscribe(command.id, topic, login)).collect(),
            Action::Unsubscribe(owners) => {
                let rooms = owners.iter().filter_map(|owner| match owner {
                    Owner::Room(room) => Some(room),
                    Owner::Name(_) | Owner::Number(_) => None,
                });
                let mut texts = Vec::new();
                for room in rooms {
                    let mut text = self.begin(words.unsubscribe.0);
                    push_name(&mut text, words.room);
                    push_text(&mut text, room);
                    texts.push(self.end(text, login));
                    self.wait(Waiting { id: command.id, what: What::Unsubscribe { room: room.clone() } });
                }
                texts
            }
            // The dialect has no way to change a subscription.
            Action::Update { .. } => Vec::new(),
        }
    }

    fn subscribe(&mut self, id: CommandId, topic: &Topic, login: Option<&Login>) -> String {
        let words = self.words;
        let mut text = self.begin(words.subscribe.0);
        push_name(&mut text, words.channel);
        push_text(&mut text, topic.channel().name);
        push_parameters(&mut text, topic);
        let values = topic.values().filter(|(parameter, _)| parameter.is_list).flat_map(|(_, value)| match value {
            Value::List(values) => values.clone(),
            Value::One(value) => vec![value.clone()],
        });
        let values: Vec<_> = values.collect();
        // Without a list the other values tell which command a room is for.
        let values = match values.is_empty() {
            true => topic.values().filter_map(|(_, value)| one(value)).take(1).collect(),
            false => values,
        };
        self.wait(Waiting { id, what: What::Subscribe { channel: topic.channel().name, values } });
        self.end(text, login)
    }

    fn wait(&mut self, waiting: Waiting) {
        if self.waiting.len() == MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(waiting);
    }

    fn begin(&self, kind: &str) -> String {
        let mut text = String::with_capacity(128);
        text.push('{');
        push_name(&mut text, self.words.kind);
        push_text(&mut text, kind);
        text
    }

    fn end(&self, mut text: String, login: Option<&Login>) -> String {
        if let Some(login) = login {
            push_name(&mut text, login.member);
            text.push_str(login.value.expose());
        }
        text.push('}');
        text
    }
}

fn one(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::One(value) => Some(value.clone()),
        Value::List(_) => None,
    }
}
