//! How much a change means to those who use a client.

use std::fmt;

/// From nothing to do to code that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// Descriptions only.
    Docs,
    /// Something new that nobody must use.
    Addition,
    /// The same code runs, and something differs.
    Behaviour,
    /// Code that compiled or calls that worked fail.
    Breaking,
}

impl Judgement {
    /// All, the heaviest first.
    pub const ALL: [Self; 4] = [Self::Breaking, Self::Behaviour, Self::Addition, Self::Docs];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Behaviour => "behaviour",
            Self::Addition => "addition",
            Self::Docs => "docs",
        }
    }
}

/// `3 differences: 1 breaking, 2 additions`; `noun` is what one of them is called.
pub fn count(noun: &str, judgements: &[Judgement]) -> String {
    if judgements.is_empty() {
        return format!("no {noun}s");
    }
    let each = Judgement::ALL.into_iter().filter_map(|judgement| {
        let count = judgements.iter().filter(|one| **one == judgement).count();
        (count > 0).then(|| format!("{count} {judgement}"))
    });
    format!("{}: {}", counted(judgements.len(), noun), each.collect::<Vec<_>>().join(", "))
}

/// `1 message`, `2 messages`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
