//! The text that is signed: parts, what is between them, and what clients put in their place by mistake.

use super::Mistake;

/// One part of a text.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) value: Vec<u8>,
    /// Other values, each with what to do instead.
    pub(crate) alternatives: Vec<(Vec<u8>, &'static str)>,
    /// The same for values that are too many to be tried together with other mistakes.
    pub(crate) many: Vec<(Vec<u8>, &'static str)>,
    /// Whether the venue's text has no such part: it is there only because clients add it.
    pub(crate) extra: bool,
}

impl Part {
    pub(crate) fn new(name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        Self { name, value: value.into(), alternatives: Vec::new(), many: Vec::new(), extra: false }
    }

    /// The same part with another value that a client may have signed. One that equals the expected value is left out.
    #[must_use]
    pub(crate) fn or(mut self, value: impl Into<Vec<u8>>, message: &'static str) -> Self {
        let value = value.into();
        let is_known = value == self.value || self.alternatives.iter().any(|(known, _)| *known == value);
        if !is_known {
            self.alternatives.push((value, message));
        }
        self
    }

    /// The same part with one of many values that a client may have signed.
    #[must_use]
    pub(crate) fn or_one_of_many(mut self, value: impl Into<Vec<u8>>, message: &'static str) -> Self {
        self.many.push((value.into(), message));
        self
    }

    /// An alternative by its number; those that are many come last.
    fn alternative(&self, number: usize) -> &(Vec<u8>, &'static str) {
        self.alternatives.get(number).unwrap_or_else(|| &self.many[number - self.alternatives.len()])
    }

    pub(super) fn is_absent(&self) -> bool {
        self.extra
    }
}

/// A text as its parts.
#[derive(Clone, Debug)]
pub(crate) struct SigningText {
    pub(crate) parts: Vec<Part>,
    separator: &'static str,
    end: &'static str,
}

/// A text that may have been signed.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) text: Vec<u8>,
    /// The value of each part that the venue's text has, in its order.
    pub(super) parts: Vec<Vec<u8>>,
    pub(super) mistakes: Vec<Mistake>,
}

/// One way in which a text differs from the expected one.
#[derive(Clone, Copy)]
enum Change {
    /// The value of a part: its index, and the index of the alternative.
    Value(usize, usize),
    Separator(&'static str),
    End(&'static str),
    /// The parts at these indices have changed places.
    Swapped(usize, usize),
}

impl Change {
    /// What of the text it concerns: two changes of the same are no pair.
    fn place(self) -> usize {
        match self {
            Self::Value(part, _) => part,
            Self::Separator(_) => 1000,
            Self::End(_) => 1001,
            Self::Swapped(..) => 1002,
        }
    }
}

const SEPARATORS: [(&str, &str); 5] = [
    ("", "nothing was put between the parts"),
    (".", "dots were put between the parts"),
    ("\n", "line feeds were put between the parts"),
    (" ", "spaces were put between the parts"),
    ("\\n", "a backslash and an n were put between the parts"),
];

impl SigningText {
    pub(crate) fn new(separator: &'static str, end: &'static str) -> Self {
        Self { parts: Vec::new(), separator, end }
    }

    #[must_use]
    pub(crate) fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// The text that the venue expects.
    pub(crate) fn expected(&self) -> Vec<u8> {
        self.build(&[]).text
    }

    /// Texts with exactly so many changes, the likeliest first.
    pub(super) fn variants(&self, changes: usize) -> Vec<Variant> {
        match changes {
            0 => vec![self.build(&[])],
            1 => self.changes().into_iter().chain(self.many()).map(|change| self.build(&[change])).collect(),
            _ => {
                let all = self.changes();
                let pairs = all.iter().enumerate().flat_map(|(index, first)| {
                    let later = all[index + 1..].iter().filter(|second| second.place() != first.place());
                    later.map(|second| self.build(&[*first, *second]))
                });
                pairs.collect()
            }
        }
    }

    fn many(&self) -> impl Iterator<Item = Change> {
        self.parts.iter().enumerate().flat_map(|(index, part)| {
            let first = part.alternatives.len();
            (first..first + part.many.len()).map(move |number| Change::Value(index, number))
        })
    }

    fn changes(&self) -> Vec<Change> {
        let values = self.parts.iter().enumerate().flat_map(|(index, part)| {
            (0..part.alternatives.len()).map(move |alternative| Change::Value(index, alternative))
        });
        let separators = SEPARATORS.iter().filter(|(separator, _)| *separator != self.separator);
        let separators = separators.map(|(separator, _)| Change::Separator(separator));
        let ends = ["", "\n"].into_iter().filter(|end| *end != self.end).map(Change::End);
        let real: Vec<usize> = (0..self.parts.len()).filter(|index| !self.parts[*index].extra).collect();
        let pairs = real.iter().flat_map(|first| real.iter().map(move |second| (*first, *second)));
        let swaps =
            pairs.filter(|(first, second)| first < second).map(|(first, second)| Change::Swapped(first, second));
        values.chain(separators).chain(ends).chain(swaps).collect()
    }

    fn build(&self, changes: &[Change]) -> Variant {
        let mut values: Vec<&[u8]> = self.parts.iter().map(|part| part.value.as_slice()).collect();
        let mut order: Vec<usize> = (0..self.parts.len()).collect();
        let (mut separator, mut end) = (self.separator, self.end);
        let mut mistakes = Vec::new();
        for change in changes {
            mistakes.push(match *change {
                Change::Value(index, alternative) => {
                    let (value, message) = self.parts[index].alternative(alternative);
                    values[index] = value;
                    Mistake::new(self.parts[index].name, *message)
                }
                Change::Separator(other) => {
                    separator = other;
                    if end == self.end && !end.is_empty() && end == self.separator {
                        end = other;
                    }
                    Mistake::new("separator", self.separator_message(other))
                }
                Change::End(other) => {
                    end = other;
                    Mistake::new("end", self.end_message())
                }
                Change::Swapped(first, second) => {
                    order.swap(first, second);
                    let (first, second) = (self.parts[first].name, self.parts[second].name);
                    Mistake::new("order", format!("{first} and {second} have changed places: keep the venue's order"))
                }
            });
        }
        let present = |index: &&usize| !self.parts[**index].extra || !values[**index].is_empty();
        let texts: Vec<&[u8]> = order.iter().filter(present).map(|index| values[*index]).collect();
        let mut text = texts.join(separator.as_bytes());
        text.extend_from_slice(end.as_bytes());
        let parts = self.parts.iter().zip(&values).filter(|(part, _)| !part.extra);
        Variant { text, parts: parts.map(|(_, value)| value.to_vec()).collect(), mistakes }
    }

    fn separator_message(&self, used: &str) -> String {
        let expected = match self.separator {
            "" => "nothing",
            "\n" => "a line feed",
            "." => "a dot",
            other => other,
        };
        let used = SEPARATORS.iter().find(|(separator, _)| *separator == used).map_or("", |(_, message)| message);
        format!("{used}: put {expected} there")
    }

    fn end_message(&self) -> &'static str {
        if self.end.is_empty() {
            "a line feed was signed behind the last part: nothing belongs there"
        } else {
            "the line feed behind the last part is missing"
        }
    }
}

/// Bytes as a person reads them.
pub(super) fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
