//! What was missed, and calls list: when it is asked for, in which order it comes, and what readers are told of it.

use std::time::Duration;

use super::directed::{second, venue};
use super::*;

/// The connection is lost, and the lists of what was missed come after the next one has opened.
fn cut_and_listed(venue: &mut Venue) {
    venue.cut();
    venue.pass(Duration::from_secs(5));
    for _ in 0..3 {
        venue.answer_calls();
        venue.pass(Duration::from_secs(5));
    }
}

#[test]
fn a_list_of_held_messages_that_is_full_loses_none() {
    let mut venue = venue(&CALLS);
    let mut reader = Watcher::new(&mut venue, &topic(&CALLS, "trades", &["A"]));
    venue.publish("trades", "A", 1, 1);
    venue.fault(Fault::Drop);
    venue.publish("trades", "A", 1, 1);
    // What follows the gap is held back while a call is in flight.
    let most = super::super::catch_up::MOST_HELD;
    for _ in 0..most + 2 {
        venue.publish("trades", "A", 1, 0);
    }
    reader.read(&venue);
    assert_eq!(reader.messages, most as u64 + 3, "everything but the one that was dropped");
    assert_eq!(venue.hub.stats().gaps, 1, "{:?}", reader.reasons);
    venue.answer_calls();
    venue.pass(Duration::from_secs(5));
    venue.answer_calls();
    reader.prove_calm(&venue, &["A"]);
}

#[test]
fn missed_records_are_caught_up_once_in_order_and_the_end_is_told() {
    for (table, channel) in [(&COMMANDS, "trade"), (&CALLS, "trades")] {
        let mut venue = venue(table);
        let mut reader = Watcher::new(&mut venue, &topic(table, channel, &["A"]));
        for _ in 0..3 {
            venue.publish(channel, "A", 1, 1);
        }
        venue.cut();
        // While nobody listens.
        for _ in 0..3 {
            venue.publish(channel, "A", 1, 1);
        }
        venue.pass(Duration::from_secs(5));
        // Between the new subscription and the call's answer.
        venue.publish(channel, "A", 1, 1);
        reader.read(&venue);
        assert!(reader.is_stale);
        assert_eq!(reader.messages, 3, "held back");
        venue.answer_calls();
        reader.read(&venue);
        assert_eq!(reader.messages, 7);
        venue.pass(Duration::from_secs(5));
        venue.answer_calls();
        reader.prove_calm(&venue, &["A"]);
        assert_eq!((reader.messages, reader.caught_up), (7, 3), "{channel}");
        assert_eq!(reader.missed, [Missed::None]);
    }
}

/// It waits for its item to be accepted. What the stream brings of that may come before what is listed of it.
#[test]
fn a_reader_that_waits_while_others_miss_something_is_told_that_it_is_listed() {
    for (name, others_stay) in [("others stay", true), ("others go", false)] {
        let mut venue = venue(&COMMANDS);
        let first = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["D"]));
        venue.fault(Fault::Later);
        let mut waiting = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["C"]));
        venue.fault(Fault::Drop);
        venue.publish("trade", "D", 1, 1);
        venue.publish("trade", "D", 1, 1);
        venue.publish("trade", "C", 1, 1);
        if !others_stay {
            venue.hub.detach(venue.now, first.key);
            venue.work();
        }
        second(&mut venue);
        waiting.read(&venue);
        assert!(matches!(waiting.result, Some(Ok(()))), "{name}: {:?}", waiting.result);
        assert!(waiting.is_stale && waiting.reasons == [Reason::CatchUp], "{name}: {:?}", waiting.reasons);
        // The first list has nothing of it yet.
        venue.fault(Fault::OldCall);
        venue.answer_calls();
        venue.publish("trade", "C", 1, 1);
        for _ in 0..3 {
            venue.pass(Duration::from_secs(5));
            venue.answer_calls();
        }
        waiting.prove_calm(&venue, &["C"]);
        assert_eq!((waiting.caught_up, &waiting.missed[..]), (1, &[Missed::None][..]), "{name}");
    }
}

#[test]
fn a_catch_up_that_fails_is_said_to_have_missed_something() {
    let mut venue = venue(&COMMANDS);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["A"]));
    venue.publish("trade", "A", 1, 1);
    venue.fault(Fault::Drop);
    venue.publish("trade", "A", 1, 1);
    venue.publish("trade", "A", 1, 1);
    for _ in 0..3 {
        venue.fault(Fault::NoCall);
        venue.answer_calls();
        venue.pass(Duration::from_secs(5));
    }
    reader.prove_calm(&venue, &["A"]);
    assert_eq!(reader.missed, [Missed::Unknown]);
    assert_eq!(reader.messages, 2);
}

#[test]
fn a_catch_up_without_end_asks_for_what_is_new() {
    let mut venue = venue(&COMMANDS);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["A"]));
    venue.publish("trade", "A", 1, 1);
    let miss = |venue: &mut Venue| {
        venue.fault(Fault::Drop);
        venue.publish("trade", "A", 1, 1);
        venue.publish("trade", "A", 1, 1);
    };
    miss(&mut venue);
    for _ in 0..20 {
        // While the call is in flight.
        miss(&mut venue);
        second(&mut venue);
        venue.answer_calls();
        let [(call, made)] = &venue.calls[..] else { panic!("{} calls are in flight", venue.calls.len()) };
        let age = made.duration_since(call.since).unwrap();
        assert!(age < Duration::from_secs(10), "{age:?} are asked for again");
    }
    for _ in 0..3 {
        venue.pass(Duration::from_secs(5));
        venue.answer_calls();
    }
    reader.prove_calm(&venue, &["A"]);
    assert_eq!((&reader.missed[..], reader.messages), (&[Missed::None][..], 43));
}

#[test]
fn what_was_missed_is_asked_for_since_it_was_sent_where_frames_are_read_late() {
    // A frame without a date was sent after nothing was there to be read.
    for is_dated in [true, false] {
        let mut venue = venue(&COMMANDS);
        venue.is_dated = is_dated;
        let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["A"]));
        venue.pass(Duration::from_secs(20));
        venue.lag = Duration::from_secs(10);
        venue.publish("trade", "A", 1, 1);
        venue.fault(Fault::Drop);
        venue.publish("trade", "A", 1, 1);
        venue.publish("trade", "A", 1, 1);
        for _ in 0..3 {
            venue.answer_calls();
            venue.pass(Duration::from_secs(5));
        }
        reader.prove_calm(&venue, &["A"]);
        assert_eq!((reader.caught_up, &reader.missed[..]), (1, &[Missed::None][..]), "dated: {is_dated}");
    }
}

/// The program stood still while the venue accepted a subscription, sent, and closed the connection.
#[test]
fn what_was_missed_is_asked_for_since_the_subscription_was_accepted_where_its_reply_is_read_late() {
    let mut venue = venue(&COMMANDS);
    venue.is_dated = false;
    venue.pass(Duration::from_secs(20));
    venue.lag = Duration::from_secs(10);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["A"]));
    venue.fault(Fault::Drop);
    venue.publish("trade", "A", 1, 1);
    venue.cut();
    venue.lag = Duration::ZERO;
    for _ in 0..3 {
        venue.pass(Duration::from_secs(5));
        venue.answer_calls();
    }
    reader.prove_calm(&venue, &["A"]);
    assert_eq!((reader.caught_up, &reader.missed[..]), (1, &[Missed::None][..]));
}

/// A call is made once the venue sends everything of a subscription: when the item that it waits for is removed, it does.
#[test]
fn a_gap_is_closed_when_the_item_that_is_missing_is_given_up() {
    for is_removed in [false, true] {
        let mut venue = venue(&COMMANDS);
        let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["A"]));
        venue.publish("trade", "A", 1, 1);
        venue.fault(Fault::Later);
        let items: &[&str] = if is_removed { &["A", "B"] } else { &["B"] };
        let mut other = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", items));
        venue.fault(Fault::Drop);
        venue.publish("trade", "A", 1, 1);
        venue.publish("trade", "A", 1, 1);
        assert!(venue.calls.is_empty(), "B is still to come");
        if is_removed {
            venue.hub.remove(venue.now, other.key, &venue::names(&["B"])).unwrap();
            other.forget("B");
        } else {
            venue.hub.detach(venue.now, other.key);
        }
        venue.work();
        for _ in 0..3 {
            venue.answer_calls();
            venue.pass(Duration::from_secs(5));
        }
        reader.prove_calm(&venue, &["A"]);
        assert_eq!((reader.caught_up, &reader.missed[..]), (1, &[Missed::None][..]), "removed: {is_removed}");
    }
}

/// A list is ahead of the stream, and lacks what was lost.
#[test]
fn a_record_that_the_stream_brings_later_is_not_what_was_missed() {
    let begin = || {
        let mut venue = venue(&COMMANDS);
        let reader = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["A", "B"]));
        venue.publish("trade", "A", 1, 1);
        venue.fault(Fault::Drop);
        venue.publish("trade", "B", 1, 1);
        venue.publish("trade", "A", 1, 1);
        (venue, reader)
    };
    let mut twin = begin().0;
    twin.publish("trade", "A", 1, 1);
    let next = twin.last("trade", "A");
    let (mut venue, mut reader) = begin();
    venue.answer_call(vec![next.clone()]);
    venue.publish("trade", "A", 1, 1);
    venue.pass(Duration::from_secs(5));
    venue.answer_call(vec![next]);
    reader.read(&venue);
    assert_eq!((reader.caught_up, reader.messages, &reader.missed[..]), (1, 3, &[Missed::Unknown][..]));
}

/// What is asked for since a time, and the times of frames, are the venue's.
#[test]
fn what_was_missed_is_asked_for_by_the_clock_of_the_venue() {
    let trades = topic(&COMMANDS, "trade", &["A"]);
    for is_first_lost in [true, false] {
        let mut venue = venue(&COMMANDS);
        venue.set_behind(Duration::from_secs(60));
        let mut reader = Watcher::new(&mut venue, &trades);
        if !is_first_lost {
            venue.publish("trade", "A", 1, 1);
        }
        second(&mut venue);
        venue.fault(Fault::Drop);
        venue.publish("trade", "A", 1, 1);
        second(&mut venue);
        cut_and_listed(&mut venue);
        // What a list has shown is not asked for again, but for the end of it.
        venue.fault(Fault::Drop);
        venue.publish("trade", "A", 1, 1);
        cut_and_listed(&mut venue);
        reader.prove_calm(&venue, &["A"]);
        assert_eq!(reader.caught_up, 2, "the first is lost: {is_first_lost}");
    }
}

/// The venue's clock is known only when a call was refused or a connection was opened again.
#[test]
fn what_was_heard_before_the_clock_was_corrected_is_not_later_than_now() {
    let mut venue = venue(&COMMANDS);
    venue.set_behind(Duration::from_secs(60));
    venue.hub.configure(|config| config.clock.set_offset_millis(0));
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["A"]));
    second(&mut venue);
    venue.set_behind(Duration::from_secs(60));
    venue.cut();
    venue.fault(Fault::Drop);
    venue.publish("trade", "A", 1, 1);
    venue.pass(Duration::from_secs(5));
    for _ in 0..3 {
        venue.answer_calls();
        venue.pass(Duration::from_secs(5));
    }
    reader.prove_calm(&venue, &["A"]);
    assert_eq!(reader.caught_up, 1);
}

/// A loss that is shown late: other subscriptions of the connection had something meanwhile.
#[test]
fn what_was_missed_is_asked_for_since_the_last_frame_of_its_subscription() {
    for is_cut in [false, true] {
        let mut venue = venue(&COMMANDS);
        let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["A"]));
        let _ticks = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &["A"]));
        venue.publish("trade", "A", 1, 1);
        venue.fault(Fault::Drop);
        venue.publish("trade", "A", 1, 1);
        for _ in 0..10 {
            second(&mut venue);
            venue.publish("tick", "A", 1, 1);
        }
        if is_cut {
            venue.cut();
            venue.pass(Duration::from_secs(5));
        } else {
            venue.publish("trade", "A", 1, 1);
        }
        for _ in 0..3 {
            venue.answer_calls();
            venue.pass(Duration::from_secs(5));
        }
        reader.prove_calm(&venue, &["A"]);
        assert_eq!(reader.caught_up, 1, "after a cut: {is_cut}");
        assert_eq!(reader.missed, [Missed::None]);
    }
}

#[test]
fn a_list_that_stays_old_is_not_taken_for_what_was_missed() {
    for is_cut in [false, true] {
        let mut venue = venue(&COMMANDS);
        venue.lists_late = true;
        let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["A", "B"]));
        venue.publish("trade", "A", 1, 1);
        venue.fault(Fault::Drop);
        venue.publish("trade", "A", 1, 1);
        venue.publish("trade", "B", 1, 1);
        if is_cut {
            venue.cut();
        }
        for _ in 0..3 {
            venue.pass(Duration::from_secs(5));
            venue.answer_calls();
        }
        reader.read(&venue);
        assert!(!reader.is_stale);
        assert_eq!((&reader.missed[..], reader.caught_up), (&[Missed::Unknown][..], 0), "after a cut: {is_cut}");
    }
}

/// A connection that loses something every few minutes, for hours.
#[test]
fn what_calls_have_brought_is_forgotten_after_a_while() {
    let mut venue = venue(&COMMANDS);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["A"]));
    venue.publish("trade", "A", 1, 1);
    for _ in 0..50 {
        venue.pass(Duration::from_secs(300));
        venue.fault(Fault::Drop);
        venue.publish("trade", "A", 1, 1);
        cut_and_listed(&mut venue);
        reader.prove_calm(&venue, &["A"]);
        let kept = venue.hub.subs.iter().map(|(_, sub)| sub.brought.len()).sum::<usize>();
        assert!((1..=5).contains(&kept), "{kept}");
    }
    assert_eq!(reader.caught_up, 50);
}
