//! What a venue is asked for, and what readers are told, case by case.

use std::collections::HashMap;
use std::time::Duration;

use super::super::Config;
use super::super::io::ErrorClass;
use super::*;
use crate::error::Error;
use crate::sink::Sink;

pub(super) fn venue(table: &'static Table) -> Venue {
    Venue::new(table, Config::default())
}

/// The words of all commands so far.
fn asked(venue: &Venue) -> Vec<String> {
    let words = venue.commands.iter().map(|(_, command)| match &command.action {
        Action::Subscribe(topics) => {
            format!("subscribe {}", topics.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + "))
        }
        Action::Unsubscribe(owners) => format!("unsubscribe {owners:?}"),
        Action::Update { action, items, .. } => format!("{action} {}", items.join(",")),
    });
    words.collect()
}

pub(super) fn second(venue: &mut Venue) {
    venue.pass(Duration::from_secs(1));
}

#[test]
fn the_first_reader_subscribes_and_the_last_one_unsubscribes() {
    let mut venue = venue(&COMMANDS);
    venue.publish("book", "A", 1, 5);
    let mut one = Watcher::new(&mut venue, &topic(&COMMANDS, "book", &["A"]));
    assert_eq!(one.messages, 1, "the snapshot");
    let mut two = Watcher::new(&mut venue, &topic(&COMMANDS, "book", &["A", "B"]));
    assert_eq!(asked(&venue), ["subscribe book items=A", "add B", "snapshot A"]);
    one.read(&venue);
    assert_eq!(two.messages, 2, "a snapshot of its own, and that of the new item");
    venue.publish("book", "B", 1, 5);
    venue.publish("book", "A", 1, 5);
    one.prove_calm(&venue, &["A"]);
    two.prove_calm(&venue, &["A", "B"]);
    assert_eq!((one.reasons.len(), two.reasons.len()), (0, 0));
    assert_eq!(one.last("B"), None, "the other reader's item");

    venue.hub.detach(venue.now, one.key);
    venue.work();
    assert_eq!(asked(&venue).len(), 3, "somebody else has it");
    venue.hub.remove(venue.now, two.key, &venue::names(&["A"])).unwrap();
    venue.work();
    venue.hub.detach(venue.now, two.key);
    venue.work();
    assert_eq!(asked(&venue)[3..], ["remove A", "unsubscribe [Number(1)]"]);
    venue.pass(Duration::from_secs(20));
    assert!(venue.hub.is_empty(), "{}", venue.hub.inventory());
}

#[test]
fn a_gap_is_seen_in_all_items_of_a_subscription_and_healed_by_snapshots() {
    let mut venue = venue(&COMMANDS);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "book", &["A", "B", "C", "D"]));
    second(&mut venue);
    venue.fault(Fault::Drop);
    venue.publish("book", "A", 1, 5);
    reader.read(&venue);
    assert!(!reader.is_stale, "nobody can know yet");
    venue.publish("book", "B", 1, 5);
    second(&mut venue);
    reader.prove_calm(&venue, &["A", "B"]);
    assert!(matches!(reader.reasons[..], [Reason::Gap { expected: 5, got: 6 }]), "{:?}", reader.reasons);
    assert_eq!(reader.missed, [Missed::Exactly(1)]);
    assert_eq!(asked(&venue)[2..], ["snapshot A,B,C", "snapshot D"], "in batches of the venue's size");
    assert_eq!(venue.hub.stats().gaps, 1);
}

#[test]
fn a_duplicate_is_dropped_and_a_restart_is_a_gap() {
    let mut venue = venue(&COMMANDS);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "feed", &[]));
    venue.publish("feed", "F", 1, 1);
    venue.fault(Fault::Duplicate);
    venue.publish("feed", "F", 1, 1);
    reader.read(&venue);
    assert_eq!((reader.messages, reader.reasons.len(), venue.hub.stats().duplicates), (2, 0, 1));
    venue.publish("feed", "F", 1, 1);
    venue.fault(Fault::Restart);
    venue.publish("feed", "F", 1, 1);
    reader.prove_calm(&venue, &["F"]);
    assert_eq!(reader.reasons, [Reason::Gap { expected: 4, got: 1 }]);
    assert_eq!(reader.missed, [Missed::Unknown]);
}

#[test]
fn what_is_refused_is_named_one_by_one() {
    for names_refusals in [true, false] {
        let mut venue = venue(&COMMANDS);
        venue.names_refusals = names_refusals;
        venue.unknown.extend(["X".to_owned(), "Y".to_owned()]);
        let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "book", &["A", "X", "B", "Y", "C"]));
        venue.pass(Duration::from_secs(3));
        reader.read(&venue);
        let Some(Err(Error::Refused(refused))) = &reader.result else { panic!("{:?}", reader.result) };
        let mut items: Vec<_> =
            refused.refusals.iter().flat_map(|own| own.items.iter().map(ToString::to_string)).collect();
        items.sort();
        assert_eq!(items, ["X", "Y"]);
        assert_eq!(refused.refusals[0].code, "8");
        assert!(refused.to_string().contains('X') && refused.to_string().contains("no"), "{refused}");
        // Nothing of it stays when its handle goes.
        venue.hub.detach(venue.now, reader.key);
        venue.pass(Duration::from_secs(20));
        assert!(venue.hub.is_empty(), "{}", venue.hub.inventory());
    }
}

#[test]
fn a_channel_that_is_left_out_of_the_result_is_refused() {
    let mut venue = venue(&CALLS);
    venue.unknown.insert("NONE".to_owned());
    let good = Watcher::new(&mut venue, &topic(&CALLS, "book", &["A"]));
    let bad = Watcher::new(&mut venue, &topic(&CALLS, "book", &["NONE"]));
    assert!(matches!(good.result, Some(Ok(()))));
    let Some(Err(Error::Refused(refused))) = &bad.result else { panic!("{:?}", bad.result) };
    assert_eq!(refused.refusals[0].topic.to_string(), "book.NONE");
    assert!(good.ended.is_none());
}

#[test]
fn a_topic_that_refuses_a_whole_command_is_refused_alone() {
    for names_refusals in [true, false] {
        let mut venue = venue(&TOPICS);
        venue.names_refusals = names_refusals;
        venue.unknown.insert("X".to_owned());
        let mut good: Vec<Watcher> =
            ["A", "B"].map(|item| Watcher::new(&mut venue, &topic(&TOPICS, "book", &[item]))).into();
        // One command subscribes to all of them.
        venue.is_down = true;
        venue.cut();
        venue.pass(Duration::from_millis(10));
        let mut bad = Watcher::new(&mut venue, &topic(&TOPICS, "book", &["X"]));
        venue.is_down = false;
        venue.commands.clear();
        venue.pass(Duration::from_secs(5));
        venue.publish("book", "A", 1, 1);
        venue.publish("book", "B", 1, 1);
        bad.read(&venue);
        let Some(Err(Error::Refused(refused))) = &bad.result else { panic!("{:?}", bad.result) };
        assert_eq!(refused.refusals[0].topic.to_string(), "book.X");
        for (reader, item) in good.iter_mut().zip(["A", "B"]) {
            reader.prove_calm(&venue, &[item]);
        }
        let words = asked(&venue);
        assert_eq!(words[0], "subscribe book.X + book.A + book.B");
        if names_refusals {
            assert_eq!(words[1..], ["subscribe book.A + book.B"], "the others at once");
        }
    }
}

#[test]
fn a_topic_that_is_held_already_is_ended_before_it_is_subscribed_to() {
    let mut venue = venue(&TOPICS);
    venue.names_refusals = true;
    // The venue carries the command out, and its response is lost.
    venue.fault(Fault::Mute);
    let mut reader = Watcher::new(&mut venue, &topic(&TOPICS, "book", &["A"]));
    venue.pass(Duration::from_secs(25));
    venue.publish("book", "A", 1, 1);
    reader.prove_calm(&venue, &["A"]);
    assert_eq!(
        asked(&venue),
        ["subscribe book.A", "subscribe book.A", "unsubscribe [Name(\"book.A\")]", "subscribe book.A"]
    );
}

/// The command that ends a subscription is repeated, and the reply to the first one comes when the next subscription has begun.
#[test]
fn a_late_reply_to_what_ended_a_subscription_does_not_end_the_next_one() {
    for answer in [venue::Answer::Ok, venue::Answer::Error(ErrorClass::Retry, Vec::new())] {
        let mut venue = venue(&TOPICS);
        venue.publish("book", "A", 1, 1);
        let mut reader = Watcher::new(&mut venue, &topic(&TOPICS, "book", &["A"]));
        venue.fault(Fault::Drop);
        venue.publish("book", "A", 1, 1);
        venue.fault(Fault::Mute);
        venue.publish("book", "A", 1, 1);
        venue.pass(Duration::from_secs(15));
        reader.prove_calm(&venue, &["A"]);
        let ended = "unsubscribe [Name(\"book.A\")]";
        assert_eq!(asked(&venue), ["subscribe book.A", ended, ended, "subscribe book.A"]);
        let (connection, command) = venue.commands[1].clone();
        venue.answer(connection, Some(command.id), &venue::Name::None, &answer);
        venue.work();
        venue.publish("book", "A", 1, 1);
        reader.prove_calm(&venue, &["A"]);
        assert_eq!((asked(&venue).len(), reader.reasons.len()), (4, 1), "{:?}", reader.reasons);
    }
}

#[test]
fn changes_that_count_on_by_one_show_a_gap_and_a_new_start_shows_none() {
    let mut venue = venue(&TOPICS);
    venue.publish("book", "A", 1, 1);
    let mut reader = Watcher::new(&mut venue, &topic(&TOPICS, "book", &["A"]));
    venue.publish("book", "A", 1, 1);
    venue.fault(Fault::Restart);
    venue.publish("book", "A", 1, 1);
    venue.publish("book", "A", 1, 1);
    reader.prove_calm(&venue, &["A"]);
    assert_eq!(reader.reasons, [], "the snapshot has everything");
    venue.fault(Fault::Drop);
    venue.publish("book", "A", 1, 1);
    venue.publish("book", "A", 1, 1);
    reader.read(&venue);
    assert_eq!(reader.reasons, [Reason::Gap { expected: 3, got: 4 }]);
    second(&mut venue);
    venue.publish("book", "A", 1, 1);
    reader.prove_calm(&venue, &["A"]);
}

/// A channel of changes alone: another subscription would bring no snapshot either.
#[test]
fn changes_that_have_no_snapshot_are_delivered_and_a_gap_is_told() {
    static CHANGES: Table = Table {
        channels: &[Channel {
            name: "changes.{name}",
            id: "changes",
            messages: &[one("")],
            recovery: Recovery::Never,
            ..TOPIC_CHANNEL
        }],
        ..TOPICS_TABLE
    };
    let mut venue = venue(&CHANGES);
    let mut reader = Watcher::new(&mut venue, &topic(&CHANGES, "changes", &["A"]));
    for _ in 0..3 {
        venue.publish("changes", "A", 1, 1);
    }
    reader.prove_calm(&venue, &["A"]);
    assert_eq!((reader.messages, reader.reasons.len()), (3, 0));
    venue.fault(Fault::Drop);
    venue.publish("changes", "A", 1, 1);
    venue.publish("changes", "A", 1, 1);
    venue.publish("changes", "A", 1, 1);
    reader.prove_calm(&venue, &["A"]);
    assert!(
        matches!(reader.reasons[..], [Reason::Gap { expected, got }] if got == expected + 1),
        "{:?}",
        reader.reasons
    );
    assert_eq!((reader.messages, &reader.missed[..]), (5, &[Missed::Exactly(1)][..]));
    assert_eq!(asked(&venue), ["subscribe changes.A"]);
    venue.cut();
    venue.publish("changes", "A", 1, 1);
    venue.pass(Duration::from_secs(5));
    venue.publish("changes", "A", 1, 1);
    reader.prove_calm(&venue, &["A"]);
    assert_eq!(reader.missed.last(), Some(&Missed::Unknown));
}

#[test]
fn a_call_of_many_names_that_may_succeed_later_is_not_repeated_at_once() {
    let mut venue = venue(&CALLS);
    let mut readers: Vec<Watcher> =
        ["A", "B"].map(|item| Watcher::new(&mut venue, &topic(&CALLS, "book", &[item]))).into();
    for _ in 0..3 {
        venue.fault(Fault::Later);
    }
    venue.commands.clear();
    venue.cut();
    let mut times = Vec::new();
    for _ in 0..3000 {
        let before = venue.commands.len();
        venue.pass(Duration::from_millis(10));
        times.extend(std::iter::repeat_n(venue.now.at, venue.commands.len() - before));
    }
    for (reader, item) in readers.iter_mut().zip(["A", "B"]) {
        venue.publish("book", item, 1, 1);
        reader.prove_calm(&venue, &[item]);
    }
    times.dedup();
    assert!(times.len() >= 3, "each after a wait: {:?}", asked(&venue));
}

/// A book that breaks again and again is begun again each time. That counts by itself: it is no command that fails.
#[test]
fn an_error_that_may_pass_after_many_gaps_refuses_nothing() {
    let mut venue = venue(&CALLS);
    let mut reader = Watcher::new(&mut venue, &topic(&CALLS, "book", &["A"]));
    for gap in 0..8 {
        venue.publish("book", "A", 1, 1);
        venue.fault(Fault::Drop);
        venue.publish("book", "A", 1, 1);
        let before = asked(&venue).len();
        venue.publish("book", "A", 1, 1);
        // It was ended, and waits for its new beginning, but not for so long that it counts as sound.
        while asked(&venue).len() == before {
            second(&mut venue);
        }
        if gap == 7 {
            venue.fault(Fault::Later);
        }
        while asked(&venue).len() < before + 2 {
            second(&mut venue);
        }
    }
    (0..60).for_each(|_| second(&mut venue));
    venue.publish("book", "A", 1, 1);
    reader.prove_calm(&venue, &["A"]);
}

#[test]
fn an_item_that_is_refused_later_is_an_event_and_the_last_one_an_end() {
    let mut venue = venue(&COMMANDS);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "book", &["A", "B"]));
    venue.unknown.insert("B".to_owned());
    venue.cut();
    venue.pass(Duration::from_secs(5));
    reader.prove_calm(&venue, &["A"]);
    assert_eq!(reader.refused, ["B"]);
    assert!(reader.ended.is_none());
    venue.unknown.insert("A".to_owned());
    venue.cut();
    venue.pass(Duration::from_secs(5));
    reader.read(&venue);
    assert!(matches!(&reader.ended, Some(Ended::Refused(refusal)) if *refusal.items == venue::names(&["A"])));
}

/// What it had is refused while it waits for more, and then that too; or it has given up itself what it had.
#[test]
fn a_reader_that_is_refused_what_it_adds_ends_where_nothing_is_left_of_it_by_the_venue() {
    for gives_up in [false, true] {
        let mut venue = venue(&COMMANDS);
        let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &["A"]));
        venue.publish("tick", "A", 1, 1);
        venue.unknown.extend(["A".to_owned(), "B".to_owned()]);
        venue.cut();
        let mut told = venue.hub.add(venue.now, reader.key, venue::names(&["B"])).unwrap();
        if gives_up {
            venue.hub.remove(venue.now, reader.key, &venue::names(&["A"])).unwrap();
        }
        venue.pass(Duration::from_secs(5));
        reader.read(&venue);
        assert!(matches!(told.try_recv(), Ok(Err(Error::Refused(_)))), "the caller learns it");
        if !gives_up {
            assert_eq!(reader.refused, ["A"]);
            let ended = reader.ended.as_ref();
            assert!(matches!(ended, Some(Ended::Refused(own)) if *own.items == venue::names(&["B"])), "{ended:?}");
            continue;
        }
        assert!(reader.ended.is_none() && !reader.is_stale, "it has nothing that could be uncertain");
        venue.unknown.clear();
        let mut told = venue.hub.add(venue.now, reader.key, venue::names(&["A"])).unwrap();
        venue.pass(Duration::from_secs(5));
        assert!(matches!(told.try_recv(), Ok(Ok(()))));
        venue.publish("tick", "A", 1, 1);
        reader.prove_calm(&venue, &["A"]);
    }
}

#[test]
fn a_broken_chain_is_ended_and_begun_again_in_this_order() {
    let mut venue = venue(&CALLS);
    let mut reader = Watcher::new(&mut venue, &topic(&CALLS, "book", &["A"]));
    venue.publish("book", "A", 1, 5);
    venue.fault(Fault::Drop);
    venue.publish("book", "A", 1, 5);
    venue.publish("book", "A", 1, 5);
    venue.publish("book", "A", 1, 5);
    second(&mut venue);
    venue.publish("book", "A", 1, 5);
    reader.prove_calm(&venue, &["A"]);
    assert_eq!(asked(&venue), ["subscribe book.A", "unsubscribe [Name(\"book.A\")]", "subscribe book.A"]);
    assert_eq!(reader.reasons, [Reason::Gap { expected: 3, got: 6 }]);
}

#[test]
fn a_second_reader_of_a_chain_gets_a_snapshot_and_the_first_is_told() {
    let mut venue = venue(&CALLS);
    venue.publish("book", "A", 1, 5);
    let mut one = Watcher::new(&mut venue, &topic(&CALLS, "book", &["A"]));
    second(&mut venue);
    let mut two = Watcher::new(&mut venue, &topic(&CALLS, "book", &["A"]));
    second(&mut venue);
    venue.publish("book", "A", 2, 5);
    one.prove_calm(&venue, &["A"]);
    two.prove_calm(&venue, &["A"]);
    assert_eq!(one.reasons, [Reason::Shared]);
    assert_eq!((two.reasons.len(), two.messages), (0, 2));
    assert!(matches!(two.result, Some(Ok(()))));
    // What does not build on itself is shared without a word.
    let mut three = Watcher::new(&mut venue, &topic(&CALLS, "trades", &["A"]));
    let mut four = Watcher::new(&mut venue, &topic(&CALLS, "trades", &["A"]));
    venue.publish("trades", "A", 1, 1);
    three.prove_calm(&venue, &["A"]);
    four.prove_calm(&venue, &["A"]);
    assert_eq!(asked(&venue).iter().filter(|words| words.contains("trades")).count(), 1);
}

#[test]
fn what_is_lost_is_restored_once_and_within_the_limits() {
    static MANY: Table = Table {
        limits: Limits { per_command: 100, per_connection: 1000, commands_per_second: 4, ..CALLS.limits },
        venue: "calls",
        endpoints: &ENDPOINTS,
        dialect: CALLS.dialect,
        keep_alive: KEEP_ALIVE,
        query: &[],
        channels: &CALL_CHANNELS,
    };
    let mut venue = venue(&MANY);
    let names: Vec<String> = (0..500).map(|number| format!("I{number}")).collect();
    let mut readers: Vec<Watcher> =
        names.iter().map(|name| Watcher::new(&mut venue, &topic(&MANY, "book", &[name]))).collect();
    venue.pass(Duration::from_secs(200));
    let rounds = std::env::var("VENUEKIT_SOAK_CUTS").ok().and_then(|cuts| cuts.parse().ok()).unwrap_or(20);
    for round in 0..rounds {
        venue.commands.clear();
        venue.cut();
        let begin = venue.now.at;
        let mut times = Vec::new();
        for _ in 0..600 {
            let before = venue.commands.len();
            venue.pass(Duration::from_millis(25));
            times.extend(std::iter::repeat_n(venue.now.at, venue.commands.len() - before));
        }
        let mut restored: HashMap<String, usize> = HashMap::new();
        for (_, command) in &venue.commands {
            let Action::Subscribe(topics) = &command.action else { panic!("{command:?}") };
            assert!(topics.len() <= 100);
            for topic in topics {
                *restored.entry(topic.to_string()).or_default() += 1;
            }
        }
        assert!(restored.len() == 500 && restored.values().all(|count| *count == 1), "round {round}");
        assert_eq!(venue.commands.len(), 5);
        for (index, time) in times.iter().enumerate() {
            let within = times[index..].iter().filter(|other| **other < *time + Duration::from_millis(975)).count();
            assert!(within <= 4, "{within} commands in a second, from {:?}", *time - begin);
        }
        for (name, reader) in names.iter().zip(&mut readers) {
            venue.publish("book", name, 1, 1);
            reader.prove_calm(&venue, &[name]);
            assert_eq!(reader.reasons.len(), round + 1);
        }
    }
}

#[test]
fn more_connections_are_opened_when_one_is_full_up_to_the_limit() {
    let mut venue = Venue::new(&COMMANDS, Config { connections: 2, ..Config::default() });
    let all: Vec<String> = (0..12).map(|number| format!("I{number:02}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "book", &all));
    second(&mut venue);
    assert_eq!(venue.open().len(), 2);
    for item in &all {
        venue.publish("book", item, 1, 1);
    }
    reader.prove_calm(&venue, &all);
    assert!(matches!(reader.result, Some(Ok(()))));
    let more: Vec<String> = (0..5).map(|number| format!("J{number}")).collect();
    let more: Vec<_> = more.iter().map(|item| item.as_str().into()).collect();
    let refused = venue.hub.add(venue.now, reader.key, more);
    assert!(matches!(refused, Err(Error::Full { connections: 2 })), "{refused:?}");
    venue.work();
    second(&mut venue);
    reader.prove_calm(&venue, &all);
    // When one of the two is lost, the other one's items are uncertain too for a reader that has both.
    venue.cut();
    reader.read(&venue);
    assert!(reader.is_stale);
    venue.pass(Duration::from_secs(5));
    reader.prove_calm(&venue, &all);
    assert_eq!(reader.reasons.len(), 1);
}

#[test]
fn one_reader_of_everything_serves_those_of_single_items() {
    let mut venue = venue(&COMMANDS);
    let mut all = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &[]));
    let mut one = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &["A"]));
    assert_eq!(asked(&venue), ["subscribe tick"]);
    venue.publish("tick", "A", 1, 1);
    venue.publish("tick", "B", 1, 1);
    all.prove_calm(&venue, &["A", "B"]);
    one.prove_calm(&venue, &["A"]);
    assert_eq!(one.messages, 1);
}

#[test]
fn readers_of_single_items_go_on_where_everything_is_refused() {
    let mut venue = venue(&COMMANDS);
    let mut all = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &[]));
    let mut one = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &["B"]));
    venue.publish("tick", "B", 1, 1);
    venue.fault(Fault::Refuse);
    venue.cut();
    venue.pass(Duration::from_secs(5));
    venue.publish("tick", "B", 1, 1);
    all.read(&venue);
    assert!(matches!(all.ended, Some(Ended::Refused(_))), "{:?}", all.ended);
    one.prove_calm(&venue, &["B"]);
    assert_eq!((one.refused.len(), &one.missed[..]), (0, &[Missed::Unknown][..]));
    assert_eq!(asked(&venue)[1..], ["subscribe tick", "subscribe tick items=B"]);
    // What it has missed meanwhile is listed.
    let mut venue = self::venue(&COMMANDS);
    let mut all = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &[]));
    let mut one = Watcher::new(&mut venue, &topic(&COMMANDS, "trade", &["B"]));
    venue.publish("trade", "B", 1, 1);
    venue.fault(Fault::Refuse);
    venue.cut();
    venue.publish("trade", "B", 1, 1);
    venue.pass(Duration::from_secs(5));
    for _ in 0..3 {
        venue.answer_calls();
        venue.pass(Duration::from_secs(5));
    }
    venue.publish("trade", "B", 1, 1);
    all.read(&venue);
    one.prove_calm(&venue, &["B"]);
    assert_eq!((one.caught_up, &one.missed[..]), (1, &[Missed::None][..]));
}

#[test]
fn a_caller_that_waits_for_items_has_them_where_everything_is_refused() {
    let mut venue = venue(&COMMANDS);
    venue.is_down = true;
    let mut all = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &[]));
    let mut one = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &["B"]));
    venue.is_down = false;
    venue.fault(Fault::Refuse);
    venue.pass(Duration::from_secs(10));
    venue.publish("tick", "B", 1, 1);
    all.read(&venue);
    assert!(matches!(all.result, Some(Err(Error::Refused(_)))), "{:?}", all.result);
    one.prove_calm(&venue, &["B"]);
    assert!(matches!(one.result, Some(Ok(()))), "{:?}", one.result);
}

#[test]
fn a_caller_may_wait_for_ever() {
    let mut venue = Venue::new(&COMMANDS, Config { subscribe_within: Duration::MAX, ..Config::default() });
    venue.is_down = true;
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "feed", &[]));
    venue.pass(Duration::from_secs(3600));
    assert!(reader.result.is_none());
    venue.is_down = false;
    venue.pass(Duration::from_secs(60));
    reader.read(&venue);
    assert!(matches!(reader.result, Some(Ok(()))));
}

#[test]
fn a_snapshot_that_waits_in_the_socket_is_not_asked_for_again() {
    let mut venue = venue(&CALLS);
    let queue = Arc::new(crate::queue::Queue::new(Overflow::Block, 1, venue.hub.room()));
    let (_key, _told) = venue.hub.attach(venue.now, &topic(&CALLS, "trades", &["A"]), queue.clone()).unwrap();
    venue.work();
    venue.fault(Fault::Drop);
    let mut book = Watcher::new(&mut venue, &topic(&CALLS, "book", &["A"]));
    venue.publish("trades", "A", 1, 1);
    assert!(venue.hub.is_full(venue.open()[0]));
    let before = asked(&venue).len();
    venue.pass(Duration::from_secs(40));
    assert_eq!(asked(&venue).len(), before, "it may have come");
    let mut taken = std::collections::VecDeque::new();
    let _ = queue.poll_take(&mut std::task::Context::from_waker(std::task::Waker::noop()), &mut taken);
    venue.pass(Duration::from_secs(20));
    assert_eq!(asked(&venue)[before..], ["unsubscribe [Name(\"book.A\")]", "subscribe book.A"], "it has not");
    venue.publish("book", "A", 1, 1);
    book.prove_calm(&venue, &["A"]);
}

#[test]
fn what_shares_no_connection_gets_its_own() {
    let mut venue = venue(&MESSAGES);
    let mut prices = Watcher::new(&mut venue, &topic(&MESSAGES, "prices", &["A", "B"]));
    let mine = Watcher::new(&mut venue, &topic(&MESSAGES, "user_prices", &["me"]));
    assert_eq!(venue.open().len(), 2, "their messages have the same type");
    assert!(matches!(mine.result, Some(Ok(()))));
    venue.publish("prices", "A", 1, 1);
    venue.publish("prices", "B", 1, 1);
    prices.prove_calm(&venue, &["A", "B"]);
    // Rooms are left one by one, and one command waits for the other.
    venue.hub.remove(venue.now, prices.key, &venue::names(&["A"])).unwrap();
    venue.work();
    venue.publish("prices", "A", 1, 1);
    venue.publish("prices", "B", 1, 1);
    prices.read(&venue);
    assert_eq!((prices.messages, prices.strays), (3, 0));
    venue.hub.detach(venue.now, prices.key);
    venue.hub.detach(venue.now, mine.key);
    venue.pass(Duration::from_secs(20));
    let words = asked(&venue);
    assert_eq!(words[2..4], ["unsubscribe [Room(\"prices:A\")]", "unsubscribe [Room(\"prices:B\")]"], "{words:?}");
    assert!(venue.hub.is_empty(), "{}", venue.hub.inventory());
}

#[test]
fn a_subscription_that_the_venue_ends_is_begun_again() {
    let mut venue = venue(&COMMANDS);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "book", &["A"]));
    venue.publish("book", "A", 1, 1);
    venue.end("book");
    venue.publish("book", "A", 1, 1);
    venue.pass(Duration::from_secs(5));
    venue.publish("book", "A", 1, 1);
    reader.prove_calm(&venue, &["A"]);
    assert!(matches!(&reader.reasons[..], [Reason::ClosedByVenue { code, .. }] if code == "8"), "{:?}", reader.reasons);
    // Another one that has its number is not taken for it.
    assert_eq!(reader.strays, 0);
}

#[test]
fn commands_without_a_reply_are_sent_again_and_a_silent_connection_is_replaced() {
    let mut venue = venue(&COMMANDS);
    venue.fault(Fault::Mute);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "book", &["A"]));
    venue.publish("book", "A", 1, 1);
    assert_eq!(reader.messages, 0, "its subscription is unknown");
    venue.pass(Duration::from_secs(15));
    reader.prove_calm(&venue, &["A"]);
    assert_eq!((reader.messages, venue.opened), (2, 1));
    for _ in 0..3 {
        venue.fault(Fault::Mute);
    }
    let _other = Watcher::new(&mut venue, &topic(&COMMANDS, "feed", &[]));
    venue.pass(Duration::from_secs(60));
    assert_eq!(venue.opened, 2);
    reader.prove_calm(&venue, &["A"]);
}

#[test]
fn a_reply_behind_its_data_loses_nothing() {
    let mut venue = venue(&COMMANDS);
    venue.fault(Fault::SlowReply);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "book", &["A"]));
    venue.publish("book", "A", 1, 1);
    venue.calm();
    reader.prove_calm(&venue, &["A"]);
    assert_eq!((reader.messages, reader.reasons.len(), reader.strays), (2, 0, 0));
}

#[test]
fn no_connection_in_time_is_a_timeout_that_says_why() {
    let mut venue = venue(&COMMANDS);
    venue.is_down = true;
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "feed", &[]));
    venue.pass(Duration::from_secs(31));
    reader.read(&venue);
    assert!(
        matches!(&reader.result, Some(Err(Error::Timeout { last: Some(last), .. })) if last == "down"),
        "{:?}",
        reader.result
    );
}

#[test]
fn a_credential_that_is_refused_ends_readers() {
    let mut venue = venue(&COMMANDS);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "feed", &[]));
    let connection = venue.open()[0];
    let lost = super::super::io::Lost {
        cause: super::super::io::LostCause::Failed("401".to_owned()),
        is_final: true,
        retry_after: None,
    };
    venue.hub.input(venue.now, super::super::io::Input::Lost(connection, lost));
    reader.read(&venue);
    assert_eq!(reader.ended, Some(Ended::Failed("401".to_owned())));
}

#[test]
fn readers_learn_that_a_credential_is_no_longer_good() {
    let mut venue = venue(&COMMANDS);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "feed", &[]));
    let refusals = |reader: &Watcher| {
        let texts = reader.reasons.iter().filter_map(|reason| match reason {
            Reason::CredentialRefused(text) => Some(text.clone()),
            _ => None,
        });
        texts.collect::<Vec<_>>()
    };
    // Each text once, however often it is tried.
    for (text, told) in [("401", vec!["401"]), ("403", vec!["401", "403"])] {
        venue.refuses = Some(text);
        venue.cut();
        venue.pass(Duration::from_secs(3600));
        reader.read(&venue);
        assert_eq!(refusals(&reader), told);
        assert!(reader.is_stale && reader.ended.is_none());
    }
    venue.refuses = None;
    venue.pass(Duration::from_secs(3600));
    reader.read(&venue);
    assert!(!reader.is_stale, "it is good again");
}

#[test]
fn frames_of_nobody_are_shown_to_all_on_the_connection() {
    let mut venue = venue(&COMMANDS);
    let mut one = Watcher::new(&mut venue, &topic(&COMMANDS, "feed", &[]));
    let mut two = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &["A"]));
    let connection = venue.open()[0];
    let text = r#"{"type":"news"}"#.to_owned();
    let wire = venue::Wire { handle: venue::Name::None, kind: "news", text, sequence: None, command: None };
    venue.write(connection, &wire);
    one.read(&venue);
    two.read(&venue);
    assert_eq!((one.strays, two.strays, venue.hub.stats().unknown), (1, 1, 1));
}

#[test]
fn a_subscription_that_is_refused_and_not_answered_in_turn_comes_back() {
    let mut venue = venue(&COMMANDS);
    let mut one = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &["B"]));
    venue.fault(Fault::Refuse);
    venue.fault(Fault::Mute);
    venue.fault(Fault::SlowReply);
    venue.is_down = true;
    venue.cut();
    venue.pass(Duration::from_secs(78));
    let mut two = Watcher::new(&mut venue, &topic(&COMMANDS, "tick", &["A", "C", "E"]));
    venue.is_down = false;
    venue.fault(Fault::Refuse);
    venue.pass(Duration::from_secs(39));
    venue.calm();
    for round in 0..14 {
        venue.pass(Duration::from_secs(40));
        for item in ["A", "B", "C", "E"] {
            venue.publish("tick", item, round, 1);
        }
    }
    two.read(&venue);
    one.read(&venue);
    assert!(!one.is_stale, "{:?} {:?}", asked(&venue), two.result);
    one.prove_calm(&venue, &["B"]);
}

#[test]
fn a_frame_without_a_topic_is_not_taken_for_data_without_a_type() {
    let mut venue = venue(&TOPICS);
    let mut reader = Watcher::new(&mut venue, &topic(&TOPICS, "trades", &["A"]));
    let connection = venue.open()[0];
    let text = r#"{"news":1}"#.to_owned();
    let wire = venue::Wire { handle: venue::Name::None, kind: "", text, sequence: None, command: None };
    venue.write(connection, &wire);
    reader.read(&venue);
    assert_eq!((reader.messages, reader.strays), (0, 1));
}

#[test]
fn a_reader_that_blocks_keeps_its_connection_waiting() {
    let mut venue = venue(&COMMANDS);
    let queue = Arc::new(crate::queue::Queue::new(Overflow::Block, 2, venue.hub.room()));
    let (key, _told) = venue.hub.attach(venue.now, &topic(&COMMANDS, "feed", &[]), queue.clone()).unwrap();
    venue.work();
    let connection = venue.open()[0];
    assert!(!venue.hub.is_full(connection));
    venue.publish("feed", "F", 1, 1);
    venue.publish("feed", "F", 1, 1);
    assert!(venue.hub.is_full(connection) && queue.is_full());
    let mut taken = std::collections::VecDeque::new();
    let _ = queue.poll_take(&mut std::task::Context::from_waker(std::task::Waker::noop()), &mut taken);
    assert!(!venue.hub.is_full(connection));
    venue.publish("feed", "F", 1, 1);
    venue.publish("feed", "F", 1, 1);
    venue.hub.detach(venue.now, key);
    assert!(!venue.hub.is_full(connection), "who has gone keeps nobody waiting");
}

#[test]
fn everything_ends_when_it_is_closed() {
    let mut venue = venue(&COMMANDS);
    let mut reader = Watcher::new(&mut venue, &topic(&COMMANDS, "feed", &[]));
    venue.hub.close(venue.now);
    let outputs: Vec<_> = std::iter::from_fn(|| venue.hub.output()).collect();
    assert!(matches!(outputs[..], [Output::Close(_)]), "{outputs:?}");
    reader.read(&venue);
    assert_eq!(reader.ended, Some(Ended::Closed));
    let again = venue.hub.attach(
        venue.now,
        &topic(&COMMANDS, "feed", &[]),
        Arc::new(crate::queue::Queue::new(Overflow::Block, 2, venue.hub.room())),
    );
    assert!(matches!(again, Err(Error::Closed)));
}
