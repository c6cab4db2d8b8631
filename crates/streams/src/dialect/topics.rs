//! Commands that list topics; data names its topic.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use venuekit_wire::stream::{self, ParameterKind};

use super::top::{Top, each, part, texts, unread, within};
use super::write::{push_list, push_name, push_number, push_text};
use crate::hub::io::{Action, Body, Command, CommandId, ErrorClass, Frame, Handle, Owner, Reply};
use crate::scan;

/// The dialect on a connection, with the commands that have no reply yet.
pub(crate) struct Topics {
    words: stream::Topics,
    waiting: VecDeque<Waiting>,
}

/// So many commands may be without a reply. The oldest is given up then: its reply is matched to none.
const MOST_WAITING: usize = 4096;

/// A command that was sent.
struct Waiting {
    id: CommandId,
    topics: Vec<Arc<str>>,
}

impl Topics {
    pub(super) fn new(words: stream::Topics) -> Self {
        Self { words, waiting: VecDeque::new() }
    }

    pub(super) fn read(&mut self, message: &Bytes, take: &mut dyn FnMut(Frame<'_>)) {
        let words = self.words;
        let sent = |at: usize| words.sent.get(at).copied().unwrap_or_default();
        let (words, sent) = (&words, [sent(0), sent(1)]);
        let names =
            [words.topic, words.kind, words.data, words.success, words.command, words.id, words.text, sent[0], sent[1]];
        let take = std::cell::RefCell::new(take);
        each(
            message,
            None,
            |text, at| {
                let (top, end) = Top::read(text, at, &names)?;
                let whole = part(message, &(at..end));
                let start = if matches!(whole, Cow::Borrowed(_)) { 0 } else { at };
                self.frame(&top, &whole, start, &text[at..end], |frame| take.borrow_mut()(frame));
                Some(end)
            },
            |range| take.borrow_mut()(unread(&part(message, &range))),
        );
    }

    fn frame(&mut self, top: &Top<'_, 9>, bytes: &Bytes, start: usize, text: &[u8], take: impl FnOnce(Frame<'_>)) {
        let kind = top.string(1).unwrap_or_default();
        let topic = top.string(0);
        let mut frame = Frame {
            bytes,
            handle: topic.as_deref().map_or(Handle::None, Handle::Name),
            kind: &kind,
            data: within(top.range(2), start),
            sequence: None,
            sent: None,
            command: None,
            body: Body::Data,
        };
        if topic.is_some() {
            frame.sent = top.millis(7).or_else(|| top.millis(8));
            return take(frame);
        }
        (frame.command, frame.body) = self.reply(top, text);
        take(frame);
    }

    fn reply<'a>(&mut self, top: &Top<'a, 9>, text: &'a [u8]) -> (Option<CommandId>, Body<'a>) {
        let words = self.words;
        let command = top.string(4).unwrap_or_default();
        if words.quiet.contains(&&*command) {
            return (None, Body::Quiet);
        }
        let listed = |pointer: &str| {
            let range = Some(pointer).filter(|pointer| !pointer.is_empty()).and_then(|pointer| scan::at(text, pointer));
            range.map(|range| texts(&text[range]))
        };
        let (accepted, refused) = (listed(words.listed.0), listed(words.listed.1));
        let (success, said) = (top.token(3), top.text(6).unwrap_or_default());
        let named: Vec<&str> = accepted.iter().chain(&refused).flatten().map(|topic| &**topic).collect();
        let id = top.text(5).and_then(|id| id.parse().ok());
        match success {
            b"true" | b"false" => {}
            _ => return (None, Body::Data),
        }
        let waiting = self.waiting(id, &named);
        let command = waiting.as_ref().map(|waiting| waiting.id).or(id);
        let body = match (success, accepted) {
            (b"true", Some(accepted)) => Reply::Names(accepted),
            (b"true", None) => Reply::Ok,
            _ => {
                let is_any = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
                let class = match () {
                    () if is_any(words.held) => ErrorClass::AlreadyHeld,
                    () if is_any(words.retry) => ErrorClass::Retry,
                    () => ErrorClass::Refused,
                };
                let own = waiting.map(|waiting| waiting.topics).unwrap_or_default();
                let items = own.iter().filter(|topic| names(&said, topic)).map(|topic| topic.to_string().into());
                Reply::Error { code: Cow::Borrowed(""), items: items.collect(), text: said, class }
            }
        };
        (command, Body::Reply(body))
    }

    /// The command that a reply is for: by its number, or by the topics that it names, or the oldest.
    fn waiting(&mut self, id: Option<CommandId>, named: &[&str]) -> Option<Waiting> {
        let has = |waiting: &Waiting| waiting.topics.iter().any(|topic| named.contains(&&**topic));
        let at = match id {
            Some(id) => self.waiting.iter().position(|waiting| waiting.id == id)?,
            None if named.is_empty() => 0,
            None => self.waiting.iter().position(has)?,
        };
        self.waiting.remove(at)
    }

    /// The command's text; none where the dialect has no word for it.
    pub(super) fn write(&mut self, command: &Command) -> Option<String> {
        let (name, topics): (_, Vec<Arc<str>>) = match &command.action {
            Action::Subscribe(topics) => {
                (self.words.subscribe, topics.iter().map(|topic| topic.to_string().into()).collect())
            }
            Action::Unsubscribe(owners) => {
                let names = owners.iter().filter_map(|owner| match owner {
                    Owner::Name(name) => Some(name.clone()),
                    Owner::Number(_) | Owner::Room(_) => None,
                });
                (self.words.unsubscribe, names.collect())
            }
            Action::Update { .. } => return None,
        };
        let text = self.command(name, Some(command.id), |text| push_list(text, ParameterKind::Text, &topics));
        if self.waiting.len() == MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting { id: command.id, topics });
        Some(text)
    }

    /// A command that logs in: its arguments are values as JSON.
    pub(super) fn login(&self, name: &str, values: &[String]) -> String {
        self.command(name, None, |text| {
            text.push('[');
            text.push_str(&values.join(","));
            text.push(']');
        })
    }

    /// Whether a login was accepted, where a message is the reply to it; the venue's text where it was not.
    pub(super) fn logged_in(&self, name: &str, message: &[u8]) -> Option<Result<(), String>> {
        let words = &self.words;
        let (top, _) = Top::read(message, 0, &[words.command, words.success, words.text])?;
        if top.string(0).as_deref() != Some(name) {
            return None;
        }
        Some(match top.token(1) {
            b"true" => Ok(()),
            _ => Err(top.text(2).unwrap_or_default().into_owned()),
        })
    }

    fn command(&self, name: &str, id: Option<CommandId>, arguments: impl FnOnce(&mut String)) -> String {
        let words = &self.words;
        let mut text = String::with_capacity(128);
        text.push('{');
        push_name(&mut text, words.command);
        push_text(&mut text, name);
        if let Some(id) = id {
            push_name(&mut text, words.id);
            text.push('"');
            push_number(&mut text, id);
            text.push('"');
        }
        push_name(&mut text, words.topics);
        arguments(&mut text);
        text.push('}');
        text
    }
}

/// Whether a text names a topic, and not one whose name begins or ends with it.
fn names(text: &str, topic: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    text.match_indices(topic).any(|(at, _)| {
        let after = text[at + topic.len()..].chars().next();
        // A full stop may end a sentence, or be part of a topic.
        let goes_on = match after {
            Some('.') => text[at + topic.len() + 1..].starts_with(is_of_name),
            after => after.is_some_and(is_of_name),
        };
        !text[..at].ends_with(is_of_name) && !goes_on
    })
}

#[cfg(test)]
mod tests;
