//! Commands that list topics; data names its topic.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use venuekit_wire::UnixMillis;
use venuekit_wire::stream::{self, ParameterKind};

use super::layout::Layouts;
use super::top::{Top, each, millis, part, texts, unread, within};
use super::write::{push_list, push_name, push_number, push_text};
use crate::hub::io::{Action, Body, Command, CommandId, ErrorClass, Frame, Handle, Owner, Reply};
use crate::scan;

/// The dialect on a connection, with the commands that have no reply yet.
pub(crate) struct Topics {
    words: stream::Topics,
    layouts: Layouts,
    waiting: VecDeque<Waiting>,
}

/// So many commands may be without a reply. The oldest is given up then: its reply is matched to none.
const MOST_WAITING: usize = 4096;

/// A command that was sent.
struct Waiting {
    id: CommandId,
    topics: Vec<Arc<str>>,
}

/// The members of a frame that are asked for.
type Members<'a> = Top<'a, 12>;

/// A member at the top of a frame; a pointer leads into its data.
fn top_level(name: &'static str) -> &'static str {
    if name.starts_with('/') { "" } else { name }
}

impl Topics {
    pub(super) fn new(words: stream::Topics) -> Self {
        Self { words, layouts: Layouts::default(), waiting: VecDeque::new() }
    }

    pub(super) fn read(&mut self, message: &Bytes, take: &mut dyn FnMut(Frame<'_>)) {
        let words = self.words;
        let sent = |at: usize| top_level(words.sent.get(at).copied().unwrap_or_default());
        let replies = [words.success, words.command, words.id, words.text];
        let [success, command, id, text] = replies;
        let others = [sent(0), sent(1), words.result, words.error, words.code];
        let [first, second, result, error, code] = others;
        let names =
            [words.topic, words.kind, words.data, success, command, id, text, first, second, result, error, code];
        let mut layouts = std::mem::take(&mut self.layouts);
        let take = std::cell::RefCell::new(take);
        each(
            message,
            None,
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

    fn frame(&mut self, top: &Members<'_>, bytes: &Bytes, start: usize, text: &[u8], take: impl FnOnce(Frame<'_>)) {
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
        if self.is_closing(topic.as_deref(), top.token(2), text) {
            (frame.handle, frame.body) = (Handle::None, Body::Closing);
            return take(frame);
        }
        if topic.is_some() {
            frame.sent = self.sent(top);
            return take(frame);
        }
        (frame.command, frame.body) = self.reply(top, text);
        take(frame);
    }

    /// When data was sent.
    fn sent(&self, top: &Members<'_>) -> Option<UnixMillis> {
        let at = |(place, name): (usize, &&str)| match name.starts_with('/') {
            false => top.integer(7 + place),
            true => scan::at(top.token(2), name).and_then(|at| scan::integer(&top.token(2)[at])),
        };
        self.words.sent.iter().take(2).enumerate().find_map(at).map(millis)
    }

    /// Whether the venue is going to close the connection.
    fn is_closing(&self, topic: Option<&str>, data: &[u8], whole: &[u8]) -> bool {
        let Some(closing) = self.words.closing else { return false };
        let within = match topic {
            Some(topic) if topic == closing.topic => data,
            Some(_) => return false,
            None => whole,
        };
        let member = |(name, _): &(&[u8], _)| scan::is_name(name, closing.member);
        let said = scan::Members::of(within, scan::skip_whitespace(within, 0)).find(member);
        said.and_then(|(_, at)| scan::text(&within[at])).is_some_and(|said| said == closing.equals)
    }

    /// Whether a reply says that its command was carried out; none where it is no reply.
    fn success(&self, top: &Members<'_>) -> Option<bool> {
        match top.token(3) {
            b"true" => return Some(true),
            b"false" => return Some(false),
            _ => {}
        }
        // An error may be there beside a result that is empty.
        if top.token(10).starts_with(b"{") || !matches!(top.token(11), b"" | b"null") {
            return Some(false);
        }
        (!top.token(9).is_empty()).then_some(true)
    }

    /// The code and the text of an error, which stand in a member of the reply or in the reply itself.
    fn error<'a>(&self, top: &Members<'a>) -> (Cow<'a, str>, Cow<'a, str>) {
        let nested = top.token(10);
        let (mut code, mut said) = (top.text(11), top.text(6));
        for (name, at) in scan::Members::of(nested, 0).filter(|_| nested.starts_with(b"{")) {
            if scan::is_name(name, self.words.code) {
                code = scan::text(&nested[at]).or(code);
            } else if scan::is_name(name, self.words.text) {
                said = scan::text(&nested[at]).or(said);
            }
        }
        (code.unwrap_or_default(), said.unwrap_or_default())
    }

    fn reply<'a>(&mut self, top: &Members<'a>, text: &'a [u8]) -> (Option<CommandId>, Body<'a>) {
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
        let Some(success) = self.success(top) else { return (None, Body::Data) };
        let (code, said) = self.error(top);
        let named: Vec<&str> = accepted.iter().chain(&refused).flatten().map(|topic| &**topic).collect();
        let id = top.text(5).and_then(|id| id.parse().ok());
        let waiting = self.waiting(id, &named);
        let command = waiting.as_ref().map(|waiting| waiting.id).or(id);
        let body = match (success, accepted) {
            (true, Some(accepted)) => Reply::Names(accepted),
            (true, None) => Reply::Ok,
            (false, _) => {
                let is_any = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
                let class = match () {
                    () if is_any(words.held) => ErrorClass::AlreadyHeld,
                    () if is_any(words.retry) => ErrorClass::Retry,
                    () => ErrorClass::Refused,
                };
                let own = waiting.map(|waiting| waiting.topics).unwrap_or_default();
                let items = own.iter().filter(|topic| names(&said, topic)).map(|topic| topic.to_string().into());
                Reply::Error { code, items: items.collect(), text: said, class }
            }
        };
        (command, Body::Reply(body))
    }

    /// The command that a reply is for: by its number, or by the topics that it names, or the oldest. Where every reply repeats its
    /// number, one without is for none.
    fn waiting(&mut self, id: Option<CommandId>, named: &[&str]) -> Option<Waiting> {
        let has = |waiting: &Waiting| waiting.topics.iter().any(|topic| named.contains(&&**topic));
        let at = match id {
            Some(id) => self.waiting.iter().position(|waiting| waiting.id == id)?,
            None if self.words.id_is_number => return None,
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
            let quote = if words.id_is_number { "" } else { "\"" };
            text.push_str(quote);
            push_number(&mut text, id);
            text.push_str(quote);
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
