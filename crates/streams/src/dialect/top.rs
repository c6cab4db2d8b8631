//! The top level of a frame: where the members stand that a dialect asks for.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use venuekit_wire::UnixMillis;

use crate::hub::io::{Body, Frame, Handle};
use crate::scan::{self, Members};

/// An object of a text, and where the members stand that were asked for. Of several with the same name the last one counts, as most
/// readers have it.
pub(super) struct Top<'a, const N: usize> {
    text: &'a [u8],
    members: [Range<usize>; N],
}

impl<'a, const N: usize> Top<'a, N> {
    /// Reads the object that begins at `at`, and says where it ends. None where none is whole. A name that is empty is found nowhere.
    pub(super) fn read(text: &'a [u8], at: usize, names: &[&str; N]) -> Option<(Self, usize)> {
        Self::read_inside(text, at, 0, names)
    }

    /// The same for an object that is inside of so many others.
    pub(super) fn read_inside(text: &'a [u8], at: usize, others: usize, names: &[&str; N]) -> Option<(Self, usize)> {
        Self::read_each(text, at, others, names, |_, _| {})
    }

    /// The same. Each member is shown: its place among those that were asked for, and where its value stands.
    pub(super) fn read_each(
        text: &'a [u8],
        at: usize,
        others: usize,
        names: &[&str; N],
        mut show: impl FnMut(Option<usize>, &Range<usize>),
    ) -> Option<(Self, usize)> {
        let mut members = [const { 0..0 }; N];
        let mut all = Members::inside(text, at, others);
        let mut next = 0;
        for (written, value) in &mut all {
            // Names have no escapes, as good as always: they are then compared as they are written. They come in an order, as a rule in
            // that of `names`.
            let is_here = |place: &usize| {
                let name = names[*place].as_bytes();
                name.len() == written.len() && name.first() == written.first() && name == written
            };
            let place = (next..N).chain(0..next).find(is_here).filter(|_| !written.is_empty()).or_else(|| {
                let is_name = |name: &&str| !name.is_empty() && scan::is_name(written, name);
                if scan::has_escape(written) { names.iter().position(is_name) } else { None }
            });
            show(place, &value);
            if let Some(place) = place {
                next = place + 1;
                members[place] = value;
            }
        }
        all.is_whole().then(|| (Self { text, members }, all.end()))
    }

    /// An object whose members were found already.
    pub(super) fn of(text: &'a [u8], members: [Range<usize>; N]) -> Self {
        Self { text, members }
    }

    /// The member that was asked for at this place, as JSON; empty where it is missing.
    pub(super) fn token(&self, place: usize) -> &'a [u8] {
        &self.text[self.range(place)]
    }

    /// Where it is.
    pub(super) fn range(&self, place: usize) -> Range<usize> {
        self.members[place].clone()
    }

    /// The text of a string, or the digits of a number.
    pub(super) fn text(&self, place: usize) -> Option<Cow<'a, str>> {
        scan::text(self.token(place))
    }

    /// A text that is written as one.
    pub(super) fn string(&self, place: usize) -> Option<Cow<'a, str>> {
        Some(self.token(place)).filter(|token| token.first() == Some(&b'"')).and_then(scan::text)
    }

    pub(super) fn integer(&self, place: usize) -> Option<i64> {
        scan::integer(self.token(place))
    }

    pub(super) fn millis(&self, place: usize) -> Option<UnixMillis> {
        self.integer(place).map(UnixMillis)
    }
}

/// What has more digits than milliseconds have for the next thousand years is in microseconds: some venues send what the client asked for.
const MICROS_FROM: i64 = 100_000_000_000_000;

/// A time in milliseconds or microseconds.
pub(super) fn millis(time: i64) -> UnixMillis {
    UnixMillis(if time >= MICROS_FROM { time / 1000 } else { time })
}

/// Walks over the JSON objects of a message. Each is read by `read`, which says where it ended; one that cannot be read, and what
/// follows it up to the separator, is handed to `unread`.
pub(super) fn each(
    message: &Bytes,
    separator: Option<&str>,
    mut read: impl FnMut(&[u8], usize) -> Option<usize>,
    mut unread: impl FnMut(Range<usize>),
) {
    let separator = separator.unwrap_or_default().as_bytes();
    let mut at = 0;
    loop {
        at = scan::skip_whitespace(message, at);
        if !separator.is_empty() && message[at..].starts_with(separator) {
            at += separator.len();
            continue;
        }
        if at == message.len() {
            return;
        }
        if let Some(end) = read(message, at) {
            at = end;
            continue;
        }
        let end = match separator {
            [] => None,
            separator => memchr::memmem::find(&message[at..], separator),
        };
        let end = end.map_or(message.len(), |end| at + end);
        unread(at..end);
        at = end;
    }
}

/// What is not to be read as the dialect has it.
pub(super) fn unread(bytes: &Bytes) -> Frame<'_> {
    Frame {
        bytes,
        handle: Handle::None,
        kind: "",
        data: 0..0,
        sequence: None,
        sent: None,
        command: None,
        body: Body::Unread,
    }
}

/// The part of a message that one object is. The whole of it, blanks aside, is handed on without another handle on the bytes.
pub(super) fn part<'a>(message: &'a Bytes, range: &Range<usize>) -> Cow<'a, Bytes> {
    match range.start == 0 && scan::skip_whitespace(message, range.end) == message.len() {
        true => Cow::Borrowed(message),
        false => Cow::Owned(message.slice(range.clone())),
    }
}

/// A range of the message, within the part of it that begins at `start`.
pub(super) fn within(range: Range<usize>, start: usize) -> Range<usize> {
    range.start.saturating_sub(start)..range.end.saturating_sub(start)
}

/// The texts in a value: itself, or those of a list.
pub(super) fn texts(token: &[u8]) -> Vec<Cow<'_, str>> {
    match token.first() {
        Some(b'[') => scan::Elements::of(token, 0).filter_map(|element| scan::text(&token[element])).collect(),
        _ => scan::text(token).into_iter().collect(),
    }
}
