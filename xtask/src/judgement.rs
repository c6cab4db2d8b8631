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

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
