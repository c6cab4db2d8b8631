//! The four products that the venue trades.

/// A product: each has its own instruments, books and rules.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Category {
    Linear,
    Inverse,
    Spot,
    Option,
}

impl Category {
    pub(super) const ALL: [Self; 4] = [Self::Linear, Self::Inverse, Self::Spot, Self::Option];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Inverse => "inverse",
            Self::Spot => "spot",
            Self::Option => "option",
        }
    }

    /// Whether trades lead to a position instead of an exchange of two coins.
    pub(super) fn has_positions(self) -> bool {
        self != Self::Spot
    }
}
