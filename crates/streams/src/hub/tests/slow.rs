//! Readers that are too slow for a book, word by word.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::super::Config;
use super::super::ReaderKey;
use super::*;
use crate::queue::{Queue, QueueItem};
use crate::sink::State;
use crate::withheld::Withheld;

/// A reader with little room, which reads as a subscription does.
struct Slow {
    key: ReaderKey,
    queue: Arc<Queue>,
    taken: VecDeque<QueueItem>,
    withheld: Withheld,
    told: Vec<String>,
}

impl Slow {
    fn new(venue: &mut Venue, topic: &Topic, room: usize) -> Self {
        let queue = Arc::new(Queue::new(Overflow::DropOldest, room, venue.hub.room()));
        let (key, _told) = venue.hub.attach(venue.now, topic, queue.clone()).expect("the topic is right");
        venue.work();
        Self { key, queue, taken: VecDeque::new(), withheld: Withheld::default(), told: Vec::new() }
    }

    /// Reads until it has been told so much more, or there is no more.
    fn read(&mut self, venue: &mut Venue, most: usize) {
        let most = self.told.len().saturating_add(most);
        let mut context = Context::from_waker(Waker::noop());
        while self.told.len() < most {
            let is_pending =
                self.taken.is_empty() && self.queue.poll_take(&mut context, &mut self.taken) == Poll::Pending;
            let Some(item) = self.taken.pop_front().filter(|_| !is_pending) else { return };
            match item {
                QueueItem::Data(entry) => {
                    let value: serde_json::Value = serde_json::from_slice(entry.data()).expect("data is JSON");
                    let is_snapshot = value["type"] == "snapshot";
                    self.told.push(format!("{}{}", if is_snapshot { "=" } else { "" }, value["v"]));
                }
                QueueItem::Lagged(count) => {
                    self.told.push(format!("lagged {count}"));
                    let key = self.key;
                    if self.withheld.dropped(|| usize::from(venue.hub.overflowed(venue.now, key))) {
                        self.told.push("stale".to_owned());
                    }
                    venue.work();
                }
                QueueItem::Withheld => self.withheld.reached(),
                QueueItem::State(state) => self.told.extend(self.withheld.state(state).map(|state| match state {
                    State::Stale(_) => "stale".to_owned(),
                    State::Resynced(_) => "resynced".to_owned(),
                    other => format!("{other:?}"),
                })),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads everything, and returns the events since the last call.
    fn all(&mut self, venue: &mut Venue) -> String {
        self.read(venue, usize::MAX);
        std::mem::take(&mut self.told).join(" ")
    }
}

const BOOKS: [&Table; 3] = [&COMMANDS, &CALLS, &TOPICS];

fn begun(table: &'static Table, room: usize) -> (Venue, Slow) {
    let mut venue = Venue::new(table, Config::default());
    let slow = Slow::new(&mut venue, &topic(table, "book", &["A"]), room);
    (venue, slow)
}

fn publish(venue: &mut Venue, times: usize) {
    (0..times).for_each(|_| venue.publish("book", "A", 1, 1));
}

#[test]
fn what_was_dropped_of_a_snapshot_makes_nothing_certain() {
    for table in BOOKS {
        let (mut venue, mut slow) = begun(table, 3);
        publish(&mut venue, 4);
        // The snapshot and the first change are dropped, and a snapshot is asked for, which comes at once.
        slow.read(&mut venue, 1);
        // It is dropped too.
        publish(&mut venue, 3);
        let mut told = slow.all(&mut venue);
        for _ in 0..10 {
            venue.pass(Duration::from_secs(1));
        }
        publish(&mut venue, 1);
        told.extend([" ", &slow.all(&mut venue)]);
        let words: Vec<_> = told.split_whitespace().collect();
        assert_eq!(words.join(" "), "lagged 2 stale 2 3 4 lagged 1 5 6 7 =7 resynced 8", "{}", table.venue);
    }
}

#[test]
fn what_was_certain_behind_a_loss_is_not_once_it_is_read() {
    for table in BOOKS {
        let (mut venue, mut slow) = begun(table, 3);
        publish(&mut venue, 4);
        venue.cut();
        venue.pass(Duration::from_secs(5));
        publish(&mut venue, 2);
        slow.read(&mut venue, 1);
        // These come behind the place where the loss was noticed.
        publish(&mut venue, 1);
        venue.pass(Duration::from_secs(10));
        publish(&mut venue, 1);
        let told = slow.all(&mut venue);
        let (before, after) = told.split_once(" resynced").expect("it is certain in the end");
        assert!(before.starts_with("lagged 5 stale =4 5 6 ="), "{}: {told}", table.venue);
        assert_eq!(before.matches("stale").count(), 1, "{}: {told}", table.venue);
        assert!(!after.contains("resynced") && after.ends_with(" 8"), "{}: {told}", table.venue);
    }
}

#[test]
fn who_joins_a_reader_that_was_too_slow_gets_a_snapshot() {
    for table in [&CALLS, &TOPICS] {
        let (mut venue, mut slow) = begun(table, 3);
        let mut other = Watcher::new(&mut venue, &topic(table, "book", &["A"]));
        venue.pass(Duration::from_secs(5));
        slow.all(&mut venue);
        publish(&mut venue, 6);
        other.read(&venue);
        let asked = venue.commands.len();
        assert_eq!(slow.all(&mut venue), "lagged 3 stale 4 5 6");
        venue.pass(Duration::from_secs(60));
        assert_eq!(venue.commands.len(), asked, "the other reader does not pay for it");
        publish(&mut venue, 1);
        other.prove_calm(&venue, &["A"]);
        let mut third = Watcher::new(&mut venue, &topic(table, "book", &["A"]));
        venue.pass(Duration::from_secs(5));
        publish(&mut venue, 1);
        third.prove_calm(&venue, &["A"]);
        other.prove_calm(&venue, &["A"]);
        assert_eq!(slow.all(&mut venue), "=7 resynced 8");
    }
}

#[test]
fn readers_that_were_all_too_slow_get_a_snapshot() {
    for table in [&CALLS, &TOPICS] {
        // The others leave, or are too slow too.
        for leaves in [true, false] {
            let (mut venue, mut slow) = begun(table, 3);
            let mut other = Slow::new(&mut venue, &topic(table, "book", &["A"]), 3);
            venue.pass(Duration::from_secs(5));
            slow.all(&mut venue);
            other.all(&mut venue);
            publish(&mut venue, 6);
            assert_eq!(slow.all(&mut venue), "lagged 3 stale 4 5 6");
            if leaves {
                venue.hub.detach(venue.now, other.key);
            } else {
                assert_eq!(other.all(&mut venue), "lagged 3 stale 4 5 6");
            }
            venue.pass(Duration::from_secs(10));
            publish(&mut venue, 1);
            assert_eq!(slow.all(&mut venue), "=6 resynced 7");
            assert!(leaves || other.all(&mut venue) == "=6 resynced 7");
        }
    }
}
