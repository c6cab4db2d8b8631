//! Readers come and go.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::arena::Key;
use super::io::{Now, Output};
use super::reader::{Reader, Ticket, Waited};
use super::sub::{Held, Opens, Snap, Sub};
use super::{Hub, ReaderKey};
use crate::error::{Error, Refusal};
use crate::event::{Ended, Reason, Stale};
use crate::sink::{Sink, State};
use crate::topic::Topic;

/// The venue's word, once it has come.
pub(crate) type Told = oneshot::Receiver<Result<(), Error>>;

impl Hub {
    /// A reader comes. It gets data from now on; what is told later is whether the venue has accepted all of it.
    pub(crate) fn attach(&mut self, now: Now, topic: &Topic, sink: Arc<dyn Sink>) -> Result<(ReaderKey, Told), Error> {
        topic.check()?;
        if self.is_closed {
            return Err(Error::Closed);
        }
        let base = match topic.channel().items {
            Some(items) => topic.clone().without(items),
            None => topic.clone(),
        };
        let items = topic.items().map(<[_]>::to_vec);
        let reader = self.readers.insert(Reader {
            sink,
            base,
            subs: Vec::new(),
            items: items.as_ref().map(|items| items.iter().cloned().collect()),
            is_started: false,
            is_stale: false,
            stale_items: BTreeMap::new(),
            tickets: Vec::new(),
        });
        match self.seat(now, reader, items) {
            Ok(waiting) => {
                let told = self.ticket(now, reader, waiting, true);
                self.finish(now);
                Ok((reader, told))
            }
            Err(error) => {
                self.detach(now, reader);
                Err(error)
            }
        }
    }

    /// A reader wants more items.
    pub(crate) fn add(&mut self, now: Now, reader: ReaderKey, items: Vec<Arc<str>>) -> Result<Told, Error> {
        let own = self.readers.get(reader).ok_or(Error::Closed)?;
        let Some(has) = &own.items else { return Err(no_items(own)) };
        let more: Vec<_> = items.into_iter().filter(|item| !has.contains(item)).collect();
        if !more.is_empty() {
            let name = own.base.channel().items.unwrap_or_default();
            own.base.clone().list(name, more.clone()).check()?;
        }
        let waiting = match self.seat(now, reader, Some(more.clone())) {
            Ok(waiting) => waiting,
            Err(error) => {
                self.take_items(now, reader, &more);
                return Err(error);
            }
        };
        if let Some(own) = self.readers.get_mut(reader) {
            own.items.get_or_insert_default().extend(more);
        }
        let told = self.ticket(now, reader, waiting, false);
        self.finish(now);
        Ok(told)
    }

    /// A reader wants no more of some items.
    pub(crate) fn remove(&mut self, now: Now, reader: ReaderKey, items: &[Arc<str>]) -> Result<(), Error> {
        let own = self.readers.get(reader).ok_or(Error::Closed)?;
        if own.items.is_none() {
            return Err(no_items(own));
        }
        self.take_items(now, reader, items);
        self.settle(now, reader);
        self.finish(now);
        Ok(())
    }

    fn take_items(&mut self, now: Now, reader: ReaderKey, items: &[Arc<str>]) {
        let Some(own) = self.readers.get_mut(reader) else { return };
        for item in items {
            own.stale_items.remove(item);
            if let Some(has) = &mut own.items {
                has.remove(item);
            }
        }
        for key in own.subs.clone() {
            let Some(sub) = self.subs.get_mut(key) else { continue };
            items.iter().for_each(|item| sub.leave_item(reader, item));
            let is_empty = !sub
                .whole
                .iter()
                .chain(sub.parts.values().flat_map(|part| &part.routes))
                .any(|route| route.reader == reader);
            if is_empty {
                self.unseat(now, reader, key);
            } else {
                sub.refresh();
                self.want(key);
            }
        }
    }

    /// A reader goes. Nothing more is told to it.
    pub(crate) fn detach(&mut self, now: Now, reader: ReaderKey) {
        let Some(own) = self.readers.get(reader) else { return };
        for sub in own.subs.clone() {
            self.unseat(now, reader, sub);
        }
        self.readers.remove(reader);
        self.finish(now);
    }

    /// A reader is told that nothing follows, and goes.
    pub(super) fn end(&mut self, now: Now, reader: ReaderKey, ended: Ended) {
        let Some(own) = self.readers.get_mut(reader) else { return };
        own.sink.state(State::Ended(ended.clone()));
        for ticket in std::mem::take(&mut own.tickets) {
            let error = match &ended {
                Ended::Closed => Error::Closed,
                Ended::Failed(why) => Error::Connection(why.clone()),
                Ended::Refused(refusal) => Error::Refused(crate::error::Refused { refusals: vec![refusal.clone()] }),
            };
            let _ = ticket.tell.send(Err(error));
        }
        for sub in own.subs.clone() {
            self.unseat(now, reader, sub);
        }
        self.readers.remove(reader);
    }

    /// Everything ends: readers are told, subscriptions are ended by closing their connections.
    pub(crate) fn close(&mut self, now: Now) {
        self.is_closed = true;
        for reader in self.readers.keys() {
            self.end(now, reader, Ended::Closed);
        }
        for key in self.slots.keys() {
            self.hang_up(key);
        }
        self.finish(now);
        self.end_if_over();
    }

    pub(super) fn end_if_over(&mut self) {
        if self.is_over() {
            self.over.notify_waiters();
            self.outputs.push_back(Output::End);
        }
    }

    /// A reader that was too slow reads again, and what was dropped for it cannot be done without. Returns whether it became uncertain
    /// now, and was not so before.
    pub(crate) fn overflowed(&mut self, now: Now, reader: ReaderKey) -> bool {
        let Some(own) = self.readers.get_mut(reader) else { return false };
        let was_stale = std::mem::replace(&mut own.is_stale, true);
        for key in own.subs.clone() {
            let Some(sub) = self.subs.get_mut(key) else { continue };
            if sub.opens != Opens::Snapshot {
                continue;
            }
            let can_ask = sub.can_ask();
            // Another reader is not to pay for this one.
            let is_alone = sub.seats.len() == 1;
            let items: Vec<_> = sub
                .parts
                .iter()
                .filter(|(_, part)| part.routes.iter().any(|route| route.reader == reader))
                .map(|(item, _)| item.clone())
                .collect();
            for item in &items {
                sub.await_reader(reader, item);
            }
            sub.await_reader_whole(reader);
            if can_ask {
                for item in &items {
                    if let Some(part) = sub.parts.get_mut(item)
                        && part.held == Held::Yes
                        && part.snap == Snap::No
                    {
                        part.snap = Snap::Wanted;
                    }
                }
                self.want(key);
            } else if is_alone {
                self.again(now, key);
            }
        }
        self.finish(now);
        !was_stale
    }

    /// Gives a reader its share in subscriptions: those that are there, and new ones. Returns what the venue has not accepted yet.
    fn seat(&mut self, now: Now, reader: ReaderKey, items: Option<Vec<Arc<str>>>) -> Result<HashSet<Waited>, Error> {
        let Some(own) = self.readers.get(reader) else { return Err(Error::Closed) };
        let base = own.base.clone();
        let mut waiting = HashSet::new();
        let Some(items) = items else {
            let key = match self.groups.get(&(base.clone(), true)).and_then(|keys| keys.first()) {
                Some(key) => *key,
                None => self.place(now, &base, true)?,
            };
            self.join(now, reader, key, None, &mut waiting);
            return Ok(waiting);
        };
        // Who has everything has these too.
        let everything = self.groups.get(&(base.clone(), true)).and_then(|keys| keys.first()).copied();
        if let Some(key) = everything.filter(|_| base.channel().item.is_some()) {
            for item in &items {
                self.join(now, reader, key, Some(item), &mut waiting);
            }
            return Ok(waiting);
        }
        let mut rest = Vec::with_capacity(items.len());
        for item in items {
            let keys = self.groups.get(&(base.clone(), false));
            let found = keys
                .into_iter()
                .flatten()
                .copied()
                .find(|key| self.subs.get(*key).is_some_and(|sub| sub.parts.contains_key(&item)));
            match found {
                Some(key) => self.join(now, reader, key, Some(&item), &mut waiting),
                None => rest.push(item),
            }
        }
        let mut rest = rest.into_iter().peekable();
        let shares = self.groups.get(&(base.clone(), false)).cloned().unwrap_or_default();
        for key in shares {
            let Some(slot) = self.subs.get(key).and_then(|sub| self.slots.get(sub.slot)) else { continue };
            for _ in 0..self.free(slot) {
                let Some(item) = rest.next() else { break };
                self.join(now, reader, key, Some(&item), &mut waiting);
            }
        }
        while rest.peek().is_some() {
            let key = self.place(now, &base, false)?;
            // It weighs one already.
            let free = self.subs.get(key).and_then(|sub| self.slots.get(sub.slot)).map_or(0, |slot| self.free(slot));
            for item in rest.by_ref().take(free + 1) {
                self.join(now, reader, key, Some(&item), &mut waiting);
            }
        }
        Ok(waiting)
    }

    fn join(
        &mut self,
        now: Now,
        reader: ReaderKey,
        key: Key<Sub>,
        item: Option<&Arc<str>>,
        waiting: &mut HashSet<Waited>,
    ) {
        let (Some(own), Some(sub)) = (self.readers.get_mut(reader), self.subs.get_mut(key)) else { return };
        if !own.subs.contains(&key) {
            own.subs.push(key);
        }
        let held = match item.filter(|_| !sub.is_all) {
            Some(item) if sub.held == Held::Yes => sub.parts.get(item).map_or(Held::No, |part| part.held),
            _ => sub.held,
        };
        let is_held = held == Held::Yes && !sub.is_again;
        // The first snapshot may be on its way: then there is nothing to ask for.
        let is_coming = sub.awaiting_of(item) > 0;
        let needs_snapshot = is_held && sub.opens == Opens::Snapshot && !is_coming;
        sub.join(reader, &own.sink, item, !is_held || sub.opens == Opens::Snapshot);
        // What is being caught up is given to all: between it nothing is certain.
        if (sub.certain_until.is_some() || sub.catch.is_some()) && !own.is_stale {
            (own.is_started, own.is_stale) = (true, true);
            own.sink.state(State::Stale(Stale { reason: Reason::CatchUp, item: None, since: now.wall }));
        }
        let can_ask = sub.can_ask();
        if needs_snapshot
            && can_ask
            && let Some(part) = item.and_then(|item| sub.parts.get_mut(item))
        {
            part.snap = Snap::Wanted;
        }
        sub.refresh();
        let is_again = needs_snapshot && !can_ask;
        let slot = sub.slot;
        if is_held && !is_again {
            own.is_started = true;
        } else {
            waiting.insert((key, item.filter(|_| !sub.is_all).cloned()));
        }
        if is_again {
            // Those who have a snapshot learn that it is going to be replaced; the new one has nothing that could be uncertain.
            self.disturb(now, key, &Reason::Shared, crate::event::Missed::Unknown);
            self.again(now, key);
        }
        self.want(key);
        self.find_blockers(slot);
    }

    /// Takes a reader's share in a subscription.
    fn unseat(&mut self, now: Now, reader: ReaderKey, key: Key<Sub>) {
        if let Some(own) = self.readers.get_mut(reader) {
            own.subs.retain(|own| *own != key);
            for ticket in &mut own.tickets {
                ticket.waiting.retain(|(sub, _)| *sub != key);
            }
        }
        let Some(sub) = self.subs.get_mut(key) else { return };
        sub.leave(reader);
        sub.refresh();
        let slot = sub.slot;
        if !sub.is_wanted() && sub.held == Held::No {
            self.drop_sub(now, key);
        } else {
            self.want(key);
        }
        self.find_blockers(slot);
    }

    fn ticket(&mut self, now: Now, reader: ReaderKey, waiting: HashSet<Waited>, is_first: bool) -> Told {
        let (tell, told) = oneshot::channel();
        let after = self.config.subscribe_within;
        let deadline = now.at + after;
        let ticket = Ticket { waiting, refusals: Vec::new(), deadline, after, is_first, tell };
        if ticket.waiting.is_empty() {
            ticket.resolve();
        } else if let Some(own) = self.readers.get_mut(reader) {
            own.tickets.push(ticket);
            self.schedule(deadline);
        }
        told
    }

    /// The venue has accepted something that readers wait for.
    pub(super) fn accept(&mut self, reader: ReaderKey, key: Key<Sub>, item: Option<&Arc<str>>) {
        let Some(own) = self.readers.get_mut(reader) else { return };
        own.is_started = true;
        self.answered(reader, &(key, item.cloned()), None);
    }

    /// The venue has refused something of a reader: who waits for it is told by that, others by an event.
    pub(super) fn refuse(&mut self, now: Now, reader: ReaderKey, key: Key<Sub>, refusal: Refusal) {
        let waited = (key, refusal.items.first().cloned());
        let Some(own) = self.readers.get_mut(reader) else { return };
        if let Some(items) = &mut own.items {
            items.retain(|item| !refusal.items.contains(item));
        }
        own.stale_items.retain(|item, _| !refusal.items.contains(item));
        let is_first = own.tickets.iter().any(|ticket| ticket.is_first);
        let is_asked = own.tickets.iter().any(|ticket| ticket.waiting.contains(&waited));
        if is_asked {
            self.answered(reader, &waited, Some(refusal));
            return;
        }
        let is_over = own.items.as_ref().is_none_or(HashSet::is_empty) && !is_first;
        if is_over {
            self.end(now, reader, Ended::Refused(refusal));
        } else {
            own.sink.state(State::Refused(refusal));
        }
    }

    fn answered(&mut self, reader: ReaderKey, waited: &Waited, refusal: Option<Refusal>) {
        let Some(own) = self.readers.get_mut(reader) else { return };
        let mut open = Vec::new();
        for mut ticket in std::mem::take(&mut own.tickets) {
            if ticket.waiting.remove(waited)
                && let Some(refusal) = &refusal
            {
                ticket.refuse(refusal.clone());
            }
            if ticket.waiting.is_empty() {
                ticket.resolve();
            } else {
                open.push(ticket);
            }
        }
        own.tickets = open;
    }

    /// Tells those who have waited for too long.
    pub(super) fn tick_tickets(&mut self, now: Now) {
        let mut next = None;
        for key in self.readers.keys() {
            let Some(own) = self.readers.get_mut(key) else { continue };
            if own.tickets.is_empty() {
                continue;
            }
            let slots = own.subs.iter().filter_map(|sub| self.subs.get(*sub)?.slot.into());
            let last = slots.into_iter().find_map(|slot| self.slots.get(slot)?.last_error.clone());
            let (late, open) =
                std::mem::take(&mut own.tickets).into_iter().partition(|ticket| ticket.deadline <= now.at);
            own.tickets = open;
            next = own.tickets.iter().map(|ticket| ticket.deadline).chain(next).min();
            let late: Vec<Ticket> = late;
            for ticket in late {
                let _ = ticket.tell.send(Err(Error::Timeout { after: ticket.after, last: last.clone() }));
            }
        }
        if let Some(next) = next {
            self.schedule(next);
        }
    }
}

fn no_items(reader: &Reader) -> Error {
    let channel = reader.base.channel();
    Error::Topic(crate::topic::TopicError::UnknownParameter {
        channel: channel.id,
        parameter: channel.items.unwrap_or("items").to_owned(),
    })
}
