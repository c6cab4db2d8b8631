//! How frames are laid out. A program writes a venue's frames, so that most have the same bytes between the same values: their members
//! are found by a comparison, and the names in them are not read again.

use std::ops::Range;

use super::top::Top;
use crate::scan;

/// The most layouts that are kept for a connection, and the longest one in bytes. A frame with another layout is read by its names.
const MOST: usize = 4;
const LONGEST: usize = 512;

/// The layouts of the frames of a connection. The last one that was met comes first.
#[derive(Default)]
pub(super) struct Layouts {
    known: Vec<Layout>,
    /// Is filled while a frame is read by its names.
    next: Layout,
}

/// The bytes between the values of an object.
#[derive(Default)]
struct Layout {
    bytes: Vec<u8>,
    members: Vec<Member>,
}

struct Member {
    /// Where the bytes before its value end.
    end: usize,
    /// Its place among those that are asked for.
    place: Option<usize>,
}

impl Layouts {
    /// Reads the object that begins at `at` as [`Top::read`] does. The names must be the same in each call.
    pub(super) fn read<'a, const N: usize>(
        &mut self,
        text: &'a [u8],
        at: usize,
        names: &[&str; N],
    ) -> Option<(Top<'a, N>, usize)> {
        let first = self.known.first().and_then(|first| first.find(text, at, |start| scan::behind(text, start, 1)));
        let found = match first {
            Some(found) => Some((0, found)),
            None => {
                let mut ends = Ends::default();
                let mut others = self.known.iter().enumerate().skip(1);
                others
                    .find_map(|(index, layout)| Some((index, layout.find(text, at, |start| ends.behind(text, start))?)))
            }
        };
        if let Some((index, (members, end))) = found {
            // The next frame is compared with this one first.
            self.known.swap(0, index);
            return Some((Top::of(text, members), end));
        }
        self.next.clear();
        let mut before = at;
        let read = Top::read_each(text, at, 0, names, |place, value| {
            self.next.add(&text[before..value.start], place);
            before = value.end;
        });
        // Behind the last value there is nothing but the bracket.
        if matches!(&read, Some((_, end)) if before > at && before + 1 == *end) && !self.next.is_too_long() {
            self.known.insert(0, std::mem::take(&mut self.next));
            if self.known.len() > MOST {
                self.next = self.known.pop().unwrap_or_default();
            }
        }
        read
    }
}

impl Layout {
    fn clear(&mut self) {
        self.bytes.clear();
        self.members.clear();
    }

    fn add(&mut self, before: &[u8], place: Option<usize>) {
        if !self.is_too_long() {
            self.bytes.extend_from_slice(before);
            self.members.push(Member { end: self.bytes.len(), place });
        }
    }

    fn is_too_long(&self) -> bool {
        self.bytes.len() > LONGEST
    }

    /// The members of an object with this layout, and where it ends. `behind` says where the value ends that begins at a place.
    fn find<const N: usize>(
        &self,
        text: &[u8],
        mut at: usize,
        mut behind: impl FnMut(usize) -> Option<usize>,
    ) -> Option<([Range<usize>; N], usize)> {
        let mut members = [const { 0..0 }; N];
        let mut begin = 0;
        for member in &self.members {
            let before = self.bytes.get(begin..member.end)?;
            if !text.get(at..)?.starts_with(before) {
                return None;
            }
            let start = at + before.len();
            at = behind(start)?;
            if let Some(place) = member.place {
                *members.get_mut(place)? = start..at;
            }
            begin = member.end;
        }
        (begin > 0 && text.get(at) == Some(&b'}')).then_some((members, at + 1))
    }
}

/// Where values of a frame end. Layouts that begin alike look for the same ones.
#[derive(Default)]
struct Ends {
    known: [(usize, usize); Self::MOST],
    count: usize,
}

impl Ends {
    const MOST: usize = 8;

    /// Behind the value that begins at `start`.
    fn behind(&mut self, text: &[u8], start: usize) -> Option<usize> {
        if let Some((_, end)) = self.known[..self.count].iter().find(|(known, _)| *known == start) {
            return Some(*end);
        }
        let end = scan::behind(text, start, 1)?;
        if let Some(free) = self.known.get_mut(self.count) {
            *free = (start, end);
            self.count += 1;
        }
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 4] = ["type", "seq", "msg", ""];

    /// Where the members are that were asked for, and where the object ends.
    type Found = Option<([Range<usize>; 4], usize)>;

    fn places((top, end): (Top<'_, 4>, usize)) -> ([Range<usize>; 4], usize) {
        (std::array::from_fn(|place| top.range(place)), end)
    }

    fn by_layout(layouts: &mut Layouts, text: &str) -> Found {
        layouts.read(text.as_bytes(), 0, &NAMES).map(places)
    }

    fn by_names(text: &str) -> Found {
        Top::read(text.as_bytes(), 0, &NAMES).map(places)
    }

    #[test]
    fn a_frame_with_a_known_layout_is_read_by_it() {
        let mut layouts = Layouts::default();
        for text in [
            r#"{"type":"trade","seq":1,"msg":{"a":1}}"#,
            r#"{"type":"other","seq":22,"msg":{"a":{"b":[]}}}"#,
            r#"{"type":"x","seq":3,"msg":null} {"#,
        ] {
            assert_eq!(by_layout(&mut layouts, text), by_names(text), "{text}");
        }
        assert_eq!(layouts.known.len(), 1);
        let text = r#"{"type":"x","seq":3,"msg":7}"#;
        assert!(
            layouts.known[0].find::<4>(text.as_bytes(), 0, |start| scan::behind(text.as_bytes(), start, 1)).is_some()
        );
    }

    #[test]
    fn what_is_laid_out_in_another_way_is_read_by_its_names() {
        let mut layouts = Layouts::default();
        let first = r#"{"type":"trade","seq":1,"msg":{"a":1}}"#;
        assert!(by_layout(&mut layouts, first).is_some());
        for text in [
            r#"{"seq":1,"type":"trade","msg":{"a":1}}"#,
            r#"{"type":"trade","seq":1,"msg":{"a":1},"more":1}"#,
            r#"{"type":"trade","seq":1}"#,
            r#"{"type":"trade", "seq":1,"msg":{"a":1}}"#,
            r#"{"type":"trade","seq":1,"msg":{"a":1} }"#,
            r#"{"type":"trade","seq":1,"seq":2,"msg":{}}"#,
            r#"{"type":"trade","\u0073eq":1,"msg":{}}"#,
            r#"{"type":"a","seq":1,"msg":{}"#,
            r#"{"type":"a","seq":1,"msg":{},}"#,
            r#"{"type":"a","seq":,"msg":{}}"#,
            "{}",
            "{",
            "[]",
            "",
        ] {
            assert_eq!(by_layout(&mut layouts, text), by_names(text), "{text}");
            assert_eq!(by_layout(&mut layouts, text), by_names(text), "{text}, again");
            assert_eq!(by_layout(&mut layouts, first), by_names(first));
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut layouts = Layouts::default();
        for count in 0..100 {
            let more: String = (0..count).map(|n| format!(r#","{n}":{n}"#)).collect();
            let text = format!(r#"{{"type":"a"{more}}}"#);
            assert_eq!(by_layout(&mut layouts, &text), by_names(&text));
        }
        assert_eq!(layouts.known.len(), MOST);
        assert!(layouts.known.iter().all(|layout| layout.bytes.len() < 2 * LONGEST));
    }

    proptest! {
        #[test]
        fn a_layout_changes_nothing(frames in prop::collection::vec(any_frame(), 1..12)) {
            let mut layouts = Layouts::default();
            for frame in frames {
                prop_assert_eq!(by_layout(&mut layouts, &frame), by_names(&frame), "{}", frame);
            }
        }
    }

    /// A frame, or nearly one.
    fn any_frame() -> impl Strategy<Value = String> {
        let name = prop_oneof![Just("type"), Just("seq"), Just("msg"), Just("sid"), Just("\\u0073eq"), Just("a\\\"b")];
        let value = prop_oneof![
            Just(r#""x""#),
            Just(r#""\"}""#),
            Just("12"),
            Just("null"),
            Just("{}"),
            Just(r#"{"a":[1,{"b":"}"}]}"#),
            Just(r#"{"a":1}"#),
            Just("[]")
        ];
        let gap = prop_oneof![8 => Just(""), 1 => Just(" ")];
        let member = (name, gap, value).prop_map(|(name, gap, value)| format!(r#""{name}":{gap}{value}"#));
        let whole = prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(",")));
        (whole, prop_oneof![6 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)]).prop_map(
            |(frame, cut)| match cut {
                Some(cut) => frame[..cut.index(frame.len())].to_owned(),
                None => frame,
            },
        )
    }
}
