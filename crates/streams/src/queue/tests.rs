use std::time::SystemTime;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::event::{Origin, Reason, Resynced};
use crate::sink::Kind;

fn entry(number: u32) -> Entry {
    let raw = Bytes::from(number.to_string());
    let data = 0..u32::try_from(raw.len()).unwrap();
    Entry {
        raw,
        data,
        kind: Kind::Known(""),
        received: SystemTime::UNIX_EPOCH,
        sent: None,
        sequence: None,
        origin: Origin::Stream,
        replaced: 0,
        is_record: false,
    }
}

fn stale(item: Option<&str>) -> State {
    let since = SystemTime::UNIX_EPOCH;
    State::Stale(Stale { reason: Reason::Overflow, item: item.map(Into::into), since })
}

fn resynced(item: Option<&str>, missed: u64) -> State {
    State::Resynced(Resynced { item: item.map(Into::into), missed: Missed::Exactly(missed), caught_up: 0 })
}

fn take(queue: &Queue) -> Vec<QueueItem> {
    let mut taken = VecDeque::new();
    let mut all = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    while queue.poll_take(&mut context, &mut taken).is_ready() && !taken.is_empty() {
        all.extend(taken.drain(..));
    }
    all
}

fn show(items: &[QueueItem]) -> String {
    let words = items.iter().map(|item| match item {
        QueueItem::Data(entry) if entry.replaced > 0 => {
            format!("{}(+{})", String::from_utf8_lossy(entry.data()), entry.replaced)
        }
        QueueItem::Data(entry) => String::from_utf8_lossy(entry.data()).into_owned(),
        QueueItem::Lagged(count) => format!("lagged:{count}"),
        QueueItem::State(State::Stale(stale)) => format!("stale:{}", stale.item.as_deref().unwrap_or("all")),
        QueueItem::State(State::Resynced(own)) => {
            format!("resynced:{}:{:?}", own.item.as_deref().unwrap_or("all"), own.missed)
        }
        other => format!("{other:?}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_dropped_is_counted_where_it_stood() {
    let queue = Queue::new(Overflow::DropOldest, 2, Arc::default());
    for number in 1..=3 {
        queue.data(entry(number), None);
    }
    queue.state(stale(None));
    for number in 4..=5 {
        queue.data(entry(number), None);
    }
    queue.state(resynced(None, 1));
    queue.data(entry(6), None);
    assert_eq!(show(&take(&queue)), "lagged:3 stale:all lagged:1 5 resynced:all:Exactly(1) 6");
    assert_eq!(queue.counts().lagged, 4);
}

#[test]
fn newer_messages_take_the_place_of_older_ones_of_their_item() {
    let queue = Queue::new(Overflow::Newest, 10, Arc::default());
    for (number, key) in [(1, "a"), (2, "b"), (3, "a"), (4, "a")] {
        queue.data(entry(number), Some(key));
    }
    queue.state(stale(None));
    queue.data(entry(5), Some("b"));
    queue.data(entry(6), None);
    assert_eq!(show(&take(&queue)), "4(+2) stale:all 5(+1) 6");
    queue.data(entry(7), Some("a"));
    assert_eq!(show(&take(&queue)), "7");
}

#[test]
fn a_blocking_queue_drops_nothing_and_tells_when_there_is_room() {
    let room = Arc::<Notify>::default();
    let queue = Queue::new(Overflow::Block, 2, room.clone());
    let mut told = std::pin::pin!(room.notified());
    assert!(!told.as_mut().enable());
    for number in 1..=3 {
        queue.data(entry(number), None);
    }
    assert!(queue.is_full());
    assert_eq!(show(&take(&queue)), "1 2 3");
    assert!(!queue.is_full() && told.as_mut().enable());
}

#[test]
fn a_reader_that_does_not_read_costs_no_more_for_states() {
    for overflow in [Overflow::DropOldest, Overflow::Block, Overflow::Newest] {
        let queue = Queue::new(overflow, 4, Arc::default());
        queue.data(entry(1), Some("a"));
        for _ in 0..10_000 {
            queue.state(stale(None));
            queue.state(resynced(None, 1));
            queue.state(stale(Some("x")));
            if overflow != Overflow::Block {
                queue.data(entry(2), Some("a"));
            }
        }
        assert!(queue.inner().items.len() < 300, "{overflow:?}: {}", queue.inner().items.len());
        let missed: u64 = take(&queue)
            .iter()
            .map(|item| match item {
                QueueItem::State(State::Resynced(Resynced { missed: Missed::Exactly(count), .. })) => *count,
                _ => 0,
            })
            .sum();
        assert_eq!(missed, 10_000, "{overflow:?}");
    }
}

/// What is said of certainty in front of the place must not come to stand behind it, and what was dropped behind it must.
#[test]
fn the_place_from_which_on_messages_are_withheld_is_kept() {
    let queue = Queue::new(Overflow::DropOldest, 4, Arc::default());
    queue.state(stale(None));
    queue.data(entry(1), None);
    queue.state(resynced(None, 0));
    queue.withhold();
    for _ in 0..MANY_STATES {
        queue.state(stale(Some("x")));
    }
    let told = show(&take(&queue));
    assert!(told.starts_with("stale:all Withheld lagged:1 ") && !told.contains("resynced"), "{told}");
    queue.withhold();
    queue.data(entry(2), None);
    queue.state(resynced(None, 0));
    for _ in 0..MANY_STATES {
        queue.state(stale(None));
        queue.state(resynced(None, 0));
    }
    let told = show(&take(&queue));
    assert!(told.starts_with("stale:all Withheld lagged:1 ") && told.contains("resynced:all"), "{told}");
}

#[test]
fn nothing_follows_the_end() {
    let queue = Queue::new(Overflow::DropOldest, 4, Arc::default());
    queue.data(entry(1), None);
    queue.state(State::Ended(crate::event::Ended::Closed));
    queue.data(entry(2), None);
    queue.state(stale(None));
    let taken = take(&queue);
    assert!(matches!(taken[..], [QueueItem::Data(_), QueueItem::State(State::Ended(_))]), "{taken:?}");
}

/// What happens to a queue.
#[derive(Clone, Debug)]
enum Turn {
    Data(u8),
    Stale,
    Resynced,
    Take(u8),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        8 => (0..4_u8).prop_map(Turn::Data),
        1 => Just(Turn::Stale),
        1 => Just(Turn::Resynced),
        2 => (1..6_u8).prop_map(Turn::Take),
    ]
}

proptest! {
    /// Every message is delivered in order, or counted exactly where it is missing; states stand where they stood.
    #[test]
    fn everything_is_delivered_or_counted(
        turns in prop::collection::vec(turn(), 1..400),
        capacity in 1..40_usize,
        overflow in prop_oneof![Just(Overflow::DropOldest), Just(Overflow::Block), Just(Overflow::Newest)],
    ) {
        let queue = Queue::new(overflow, capacity, Arc::default());
        let mut context = Context::from_waker(Waker::noop());
        let (mut sent, mut taken) = (0_u32, VecDeque::new());
        let mut is_stale = false;
        let mut keys = Vec::new();
        let mut out: Vec<QueueItem> = Vec::new();
        for turn in turns {
            match turn {
                Turn::Data(key) => {
                    keys.push(key);
                    queue.data(entry(sent), Some(&key.to_string()));
                    sent += 1;
                    let most = if overflow == Overflow::Block { usize::MAX } else { capacity };
                    prop_assert!(queue.counts().queued <= most);
                }
                Turn::Stale if !is_stale => {
                    is_stale = true;
                    queue.state(stale(None));
                }
                Turn::Resynced if is_stale => {
                    is_stale = false;
                    queue.state(resynced(None, 0));
                }
                Turn::Take(count) => {
                    for _ in 0..count {
                        if taken.is_empty() && queue.poll_take(&mut context, &mut taken).is_pending() {
                            break;
                        }
                        out.extend(taken.pop_front());
                    }
                }
                _ => {}
            }
        }
        out.extend(taken.drain(..));
        out.extend(take(&queue));
        let (mut next, mut lagged, mut told_stale) = (0, 0, false);
        let mut given = vec![false; sent as usize];
        let mut replaced = 0;
        for item in &out {
            match item {
                QueueItem::Data(entry) => {
                    let number: u32 = std::str::from_utf8(entry.data()).unwrap().parse().unwrap();
                    if overflow != Overflow::Newest {
                        prop_assert_eq!(u64::from(number), next + lagged, "in order, and what is missing is counted before it");
                        (next, lagged) = (u64::from(number) + 1, 0);
                    }
                    replaced += entry.replaced;
                    prop_assert!(!std::mem::replace(&mut given[number as usize], true));
                }
                QueueItem::Lagged(count) => lagged += count,
                QueueItem::State(State::Stale(_)) => prop_assert!(!std::mem::replace(&mut told_stale, true)),
                QueueItem::State(State::Resynced(_)) => prop_assert!(std::mem::replace(&mut told_stale, false)),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(told_stale, is_stale);
        if overflow == Overflow::Newest {
            let delivered = given.iter().filter(|given| **given).count() as u64;
            prop_assert_eq!(delivered + replaced + lagged, u64::from(sent));
            // The newest of each item is among them, unless it was dropped and counted.
            for key in 0..4 {
                if let Some(last) = keys.iter().rposition(|own| *own == key) {
                    prop_assert!(given[last] || lagged > 0);
                }
            }
        } else {
            prop_assert_eq!(next + lagged, u64::from(sent), "what is missing at the end is counted");
            prop_assert!(overflow == Overflow::DropOldest || queue.counts().lagged == 0);
        }
    }
}

#[test]
fn a_reader_that_stands_still_costs_no_more_places_than_its_capacity() {
    // More keys than places, so that newer messages do not only take the place of older ones.
    let queue = Queue::new(Overflow::Newest, 4, Arc::default());
    for number in 0..10_000 {
        queue.data(entry(number), Some(&(number % 8).to_string()));
    }
    assert!(queue.inner().items.len() < 100, "{} places", queue.inner().items.len());
    let dropped: u64 = take(&queue)
        .iter()
        .map(|item| match item {
            QueueItem::Lagged(count) => *count,
            QueueItem::Data(entry) => entry.replaced + 1,
            _ => 0,
        })
        .sum();
    assert_eq!(dropped, 10_000, "each message is delivered or counted");
}
