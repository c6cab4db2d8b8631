//! What a reader is told when messages were dropped for it on which others build.
//!
//! The hub learns of it when the reader reads that something was dropped. From then on it withholds what builds on that, until a snapshot
//! has come. What was put into the queue before is still there: what it says of certainty is of a time at which nothing was dropped yet, and
//! is not passed on.

use crate::event::Missed;
use crate::queue::add_carried;
use crate::sink::State;

/// What a reader has been told.
#[derive(Debug, Default)]
pub(crate) struct Withheld {
    /// It is uncertain, as far as it was told.
    is_stale: bool,
    /// How many places are still to come at which a hub began to withhold.
    places: usize,
    /// What was missed and has not been reported.
    carried: (Missed, u64),
}

impl Withheld {
    /// Something was dropped here. The hub is told by `withhold`, which returns at how many places it withholds from now on, unless that
    /// place is still to come. Returns whether the reader is to learn that it is uncertain.
    pub(crate) fn dropped(&mut self, withhold: impl FnOnce() -> usize) -> bool {
        if self.places == 0 {
            self.places = withhold();
        }
        self.places > 0 && !std::mem::replace(&mut self.is_stale, true)
    }

    /// Such a place.
    pub(crate) fn reached(&mut self) {
        self.places = self.places.saturating_sub(1);
    }

    /// A state, where the reader is to learn of it.
    pub(crate) fn state(&mut self, state: State) -> Option<State> {
        match state {
            State::Stale(_) if self.places > 0 => None,
            State::Resynced(mut resynced) if self.places > 0 => {
                add_carried(&mut resynced, &mut self.carried);
                self.carried = (resynced.missed, resynced.caught_up);
                None
            }
            State::Resynced(mut resynced) => {
                add_carried(&mut resynced, &mut self.carried);
                self.is_stale &= resynced.item.is_some();
                Some(State::Resynced(resynced))
            }
            State::Stale(stale) => {
                self.is_stale |= stale.item.is_none();
                Some(State::Stale(stale))
            }
            other => Some(other),
        }
    }

    /// Whether a place is still to come.
    #[cfg(test)]
    pub(crate) fn is_pending(&self) -> bool {
        self.places > 0
    }
}
