//! What calls bring that list what was missed.

use std::time::Duration;

use venuekit_wire::stream::{Recovery, Sequence};

use super::Hub;
use super::arena::Key;
use super::catch_up::{CatchUpState, MOST_HELD, merge, name_of};
use super::io::{CatchUpCall, CatchUpId, Now, Output, Record};
use super::sequence::Step;
use super::sub::{Sub, integer_at, text_at};
use crate::event::{Missed, Origin, Reason};
use crate::sink::{Entry, Kind};

/// How often a call that fails is made.
const TRIES: u32 = 3;

/// How often what is there is asked for.
const PASSES: u32 = 2;

impl Hub {
    /// Something was missed that a call can list: between two messages, or while the venue sent nothing.
    pub(super) fn catch_up(&mut self, now: Now, key: Key<Sub>, was_silent: bool) {
        let (margin, venue_time) = (self.config.catch_up_margin, self.venue_time(now));
        self.note_certain(now, key);
        let Some(sub) = self.subs.get_mut(key) else { return };
        sub.direct = None;
        match &mut sub.catch {
            Some(catch) if catch.call.is_some() => {
                catch.is_open |= was_silent;
                catch.is_holding = true;
                catch.is_resubscribing = true;
                return;
            }
            Some(catch) => {
                catch.is_open |= was_silent;
                catch.begin_again(margin);
                catch.next_at = None;
            }
            none => {
                let certain = sub.certain_until.unwrap_or(venue_time);
                let since = certain.checked_sub(margin).unwrap_or(certain);
                *none = Some(CatchUpState { is_open: was_silent, ..CatchUpState::new(since) });
            }
        }
        // Readers that still wait for the venue's reply are given what is listed too.
        self.mark_stale(now, key, &Reason::CatchUp, Missed::None);
        self.call(now, key);
    }

    /// A count over all items shows that so many frames are missing: the calls are to bring as many records at least.
    pub(super) fn count_missing(&mut self, key: Key<Sub>, missing: u64) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        if let (Sequence::Counter { .. }, Some(catch)) = (sub.channel.sequence, &mut sub.catch) {
            catch.counted = catch.counted.saturating_add(missing);
        }
    }

    /// Makes the call, once the venue sends everything again: what it lists then is all that the stream does not bring.
    fn call(&mut self, now: Now, key: Key<Sub>) {
        let venue_time = self.venue_time(now);
        let Some(sub) = self.subs.get_mut(key).filter(|sub| sub.is_complete()) else { return };
        let (Some(catch), Recovery::CatchUp(calls)) = (&mut sub.catch, sub.channel.recovery) else { return };
        self.last_catch_up += 1;
        let id = CatchUpId(self.last_catch_up);
        let deadline = now.at + self.config.catch_up_within;
        (catch.call, catch.called) = (Some(id), Some(venue_time));
        catch.deadline = Some(deadline);
        catch.next_at = None;
        let items =
            (!sub.is_all && sub.everything().is_none()).then(|| sub.sub_items.keys().cloned().collect::<Vec<_>>());
        let since = sub.catch.as_ref().map_or(venue_time, |catch| catch.since);
        self.outputs.push_back(Output::CatchUp(CatchUpCall {
            id,
            calls,
            topic: sub.base.clone(),
            items: items.filter(|items| !items.is_empty()),
            since,
            from: sub.per_item.due(),
        }));
        self.catch_ups.insert(id, key);
        self.schedule(deadline);
    }

    /// The venue sends everything of a subscription: what it missed before is asked for now.
    pub(super) fn catch_up_if_due(&mut self, now: Now, key: Key<Sub>) {
        let Some(sub) = self.subs.get(key) else { return };
        if !sub.is_complete() || !matches!(sub.channel.recovery, Recovery::CatchUp(_)) {
            return;
        }
        match &sub.catch {
            Some(catch) if catch.call.is_none() && catch.next_at.is_none() => self.catch_up(now, key, true),
            None if sub.certain_until.is_some() => self.catch_up(now, key, true),
            _ => {}
        }
    }

    /// The venue sends no more: what is held back stays so until it does, and the call is made again then.
    pub(super) fn suspend_catch_up(&mut self, key: Key<Sub>) {
        let call = self.subs.get_mut(key).and_then(|sub| sub.catch.as_mut()).and_then(|catch| {
            (catch.deadline, catch.next_at) = (None, None);
            catch.call.take()
        });
        if let Some(call) = call {
            self.forget_catch_up(call);
        }
        self.forget_fetch(key);
    }

    pub(super) fn forget_catch_up(&mut self, id: CatchUpId) {
        if self.catch_ups.remove(&id).is_some() {
            self.outputs.push_back(Output::Forget(id));
        }
    }

    pub(super) fn tick_catch_up(&mut self, now: Now, key: Key<Sub>) {
        let Some(catch) = self.subs.get_mut(key).and_then(|sub| sub.catch.as_mut()) else { return };
        if let Some(deadline) = catch.deadline {
            if deadline > now.at {
                return self.schedule(deadline);
            }
            if let Some(call) = catch.call {
                self.forget_catch_up(call);
                self.catch_failed(now, key);
            }
        } else if let Some(next) = catch.next_at {
            if next > now.at {
                return self.schedule(next);
            }
            catch.next_at = None;
            self.call(now, key);
        }
    }

    pub(super) fn caught_up(&mut self, now: Now, id: CatchUpId, result: Result<Vec<Record>, String>) {
        let margin = self.config.catch_up_margin;
        let Some(key) = self.catch_ups.remove(&id) else { return };
        let Some(sub) = self.subs.get_mut(key) else { return };
        if sub.fetch.as_ref().is_some_and(|fetch| fetch.call == Some(id)) {
            return self.snapshot_came(now, key, result);
        }
        let Some(catch) = sub.catch.as_mut().filter(|catch| catch.call == Some(id)) else { return };
        (catch.call, catch.deadline) = (None, None);
        let records = match result {
            Ok(records) => records,
            Err(why) => {
                tracing::debug!(channel = sub.channel.id, why, "a call that lists what was missed failed");
                return self.catch_failed(now, key);
            }
        };
        catch.failures = 0;
        catch.passes += 1;
        catch.listed = catch.called;
        catch.is_holding = false;
        let is_resubscribing = std::mem::take(&mut catch.is_resubscribing);
        let held = std::mem::take(&mut catch.held);
        let passes = catch.passes;
        let Recovery::CatchUp(rules) = sub.channel.recovery else { return };
        // A record has the form of a message; where there are several types, it is the first.
        let kind = Kind::Known(sub.channel.messages.first().map_or("", |message| message.kind));
        let empty = super::catch_up::RecentMessages::default();
        let merged = merge(rules, &kind, sub.ring.as_ref().unwrap_or(&empty), records, held, now.wall);
        // What a call lists may be on its way over the stream too.
        let of = |entry: &Entry| rules.first().and_then(|rule| name_of(rule, entry.data()));
        let brought = merged.iter().filter(|entry| entry.origin == Origin::CatchUp);
        catch.brought += brought.clone().count() as u64;
        sub.brought.extend(now.at, brought.filter_map(of));
        self.deliver_merged(now, key, merged);
        let Some(sub) = self.subs.get_mut(key) else { return };
        let Some(catch) = &mut sub.catch else { return };
        let is_counted = matches!(sub.channel.sequence, Sequence::PerItem { .. }) && !catch.is_open;
        if is_resubscribing {
            // What was missed since then is listed late too.
            catch.begin_again(margin);
            self.call(now, key);
        } else if passes >= PASSES || (is_counted && catch.missed == Missed::None) {
            self.catch_done(now, key, None);
        } else {
            let next = now.at + self.config.catch_up_settle;
            catch.next_at = Some(next);
            self.schedule(next);
        }
    }

    fn catch_failed(&mut self, now: Now, key: Key<Sub>) {
        let Some(catch) = self.subs.get_mut(key).and_then(|sub| sub.catch.as_mut()) else { return };
        (catch.call, catch.deadline) = (None, None);
        catch.failures += 1;
        self.stats.failed_catch_ups += 1;
        if catch.failures < TRIES {
            let next = now.at + Duration::from_secs(1) * catch.failures;
            catch.next_at = Some(next);
            return self.schedule(next);
        }
        self.release(now, key);
        self.catch_done(now, key, Some(Missed::Unknown));
    }

    /// Nothing more is asked for.
    fn catch_done(&mut self, now: Now, key: Key<Sub>, missed: Option<Missed>) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        let Some(catch) = sub.catch.take() else { return };
        let missed = missed.unwrap_or(catch.missed());
        sub.certain_until = None;
        sub.last_heard = sub.last_heard.max(catch.listed);
        for sub_reader in &mut sub.sub_readers {
            // What the stream had missed has been found, but for this.
            sub_reader.missed = missed;
        }
        sub.refresh();
        self.resync_all_if_certain(now, key);
    }

    /// Whether a call has brought a message already.
    pub(super) fn was_brought(&mut self, now: Now, key: Key<Sub>, data: &[u8]) -> bool {
        let Some(sub) = self.subs.get_mut(key).filter(|sub| !sub.brought.is_empty()) else { return false };
        let Recovery::CatchUp([rule, ..]) = sub.channel.recovery else { return false };
        let was_brought = name_of(rule, data).is_some_and(|name| sub.brought.take(now.at, &name));
        if was_brought && let Some(catch) = &mut sub.catch {
            // It was late, not missing.
            catch.brought = catch.brought.saturating_sub(1);
        }
        was_brought
    }

    /// Keeps a message until the call has returned. Gives it back where nothing is held back.
    pub(super) fn hold(&mut self, now: Now, key: Key<Sub>, entry: Entry) -> Option<Entry> {
        let Some(sub) = self.subs.get_mut(key) else { return Some(entry) };
        if !sub.catch.as_ref().is_some_and(|catch| catch.is_holding) {
            return Some(entry);
        }
        // By the time of its delivery the hub may have forgotten that the item was removed.
        let item = sub.channel.item.and_then(|item| text_at(entry.data(), item));
        if item.is_some_and(|item| sub.is_removed(&item)) {
            self.stats.unwanted += 1;
            return None;
        }
        let Some(catch) = &mut sub.catch else { return Some(entry) };
        catch.held.push(entry);
        if catch.held.len() > MOST_HELD {
            self.release(now, key);
        }
        None
    }

    /// Gives readers what was held back, without what the call would have put between.
    fn release(&mut self, now: Now, key: Key<Sub>) {
        let Some(catch) = self.subs.get_mut(key).and_then(|sub| sub.catch.as_mut()) else { return };
        catch.is_holding = false;
        let held = std::mem::take(&mut catch.held);
        self.deliver_merged(now, key, held);
    }

    fn deliver_merged(&mut self, now: Now, key: Key<Sub>, merged: Vec<Entry>) {
        for entry in merged {
            let Some(sub) = self.subs.get_mut(key) else { return };
            if let Sequence::PerItem { number, item } = sub.channel.sequence
                && let (Some(item), Some(number)) = (text_at(entry.data(), item), integer_at(entry.data(), number))
            {
                let step = sub.per_item.step(&item, number);
                match (step, &mut sub.catch) {
                    (Step::Duplicate, _) => {
                        self.stats.duplicates += 1;
                        continue;
                    }
                    (Step::Gap { missing, .. }, Some(catch)) => {
                        catch.missed = catch.missed.and(Missed::Exactly(missing));
                    }
                    // One that a former call did not list yet.
                    (Step::Restart { .. }, Some(catch)) if entry.origin == Origin::CatchUp => {
                        catch.missed = match catch.missed {
                            Missed::Exactly(1) => Missed::None,
                            Missed::Exactly(count) => Missed::Exactly(count - 1),
                            other => other,
                        };
                    }
                    (Step::Restart { .. }, _) => sub.per_item.set(&item, number),
                    _ => {}
                }
                if let Step::Gap { expected, got, .. } | Step::Restart { expected, got } = step
                    && entry.origin == Origin::Stream
                {
                    // A reader that came meanwhile is not uncertain yet.
                    self.mark_stale(now, key, &Reason::Gap { expected, got }, Missed::None);
                }
            }
            self.stats.caught_up += u64::from(entry.origin == Origin::CatchUp);
            self.deliver(now, key, entry);
        }
    }
}
