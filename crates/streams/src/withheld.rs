//! Which states a reader gets after messages were dropped for it on which later ones build.
//!
//! The hub learns of the overflow when the reader reads [`Lagged`](crate::Event::Lagged). From then on it withholds changes until a snapshot
//! has come, and marks that place in the queue. States that were queued before the mark do not know of the overflow, and are not passed on.

use crate::event::Missed;
use crate::queue::add_carried;
use crate::sink::State;

/// The state of a reader between an overflow and the mark.
#[derive(Debug, Default)]
pub(crate) struct Withheld {
    /// The last state that it got says that it is uncertain.
    is_stale: bool,
    /// How many marks are still in the queue: one for each hub that withholds changes.
    marks: usize,
    /// What was missed and has not been reported.
    carried: (Missed, u64),
}

impl Withheld {
    /// Messages were dropped. `withhold` tells the hubs, and returns how many marks they have queued; it is not called while a mark is still
    /// to come. Returns whether to report that the reader is uncertain.
    pub(crate) fn dropped(&mut self, withhold: impl FnOnce() -> usize) -> bool {
        if self.marks == 0 {
            self.marks = withhold();
        }
        self.marks > 0 && !std::mem::replace(&mut self.is_stale, true)
    }

    /// A mark was read.
    pub(crate) fn reached(&mut self) {
        self.marks = self.marks.saturating_sub(1);
    }

    /// The state to report, if any.
    pub(crate) fn state(&mut self, state: State) -> Option<State> {
        match state {
            State::Stale(_) if self.marks > 0 => None,
            State::Resynced(mut resynced) if self.marks > 0 => {
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

    /// Whether a mark is still to come.
    #[cfg(test)]
    pub(crate) fn is_pending(&self) -> bool {
        self.marks > 0
    }
}
