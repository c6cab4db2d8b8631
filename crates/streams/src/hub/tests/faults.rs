//! Any faults in any order: whatever happens, readers are told the truth.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tokio::sync::oneshot::error::TryRecvError;

use super::super::Config;
use super::*;

/// Something that happens.
#[derive(Clone, Debug)]
enum Turn {
    Publish { channel: usize, item: usize, level: i64, change: i64 },
    Fault(Fault),
    Cut,
    Down,
    Up,
    Pass(u64),
    Calls,
    Attach { channel: usize, items: u8 },
    Detach(usize),
    Add { reader: usize, item: usize },
    Remove { reader: usize, item: usize },
    End(usize),
}

const ITEM_NAMES: [&str; 5] = ["A", "B", "C", "D", "E"];

fn turn() -> impl Strategy<Value = Turn> {
    use Fault::*;
    let fault = prop_oneof![
        Just(Drop),
        Just(Duplicate),
        Just(Swap),
        Just(Restart),
        Just(Refuse),
        Just(Later),
        Just(Mute),
        Just(SlowReply),
        Just(NoCall),
        Just(OldCall)
    ];
    prop_oneof![
        20 => (0..4_usize, 0..5_usize, 0..3_i64, -3..4_i64)
            .prop_map(|(channel, item, level, change)| Turn::Publish { channel, item, level, change }),
        6 => fault.prop_map(Turn::Fault),
        1 => Just(Turn::Cut),
        1 => Just(Turn::Down),
        1 => Just(Turn::Up),
        5 => (0..20_000_u64).prop_map(Turn::Pass),
        4 => Just(Turn::Calls),
        3 => (0..4_usize, 1..32_u8).prop_map(|(channel, items)| Turn::Attach { channel, items }),
        1 => (0..8_usize).prop_map(Turn::Detach),
        1 => (0..8_usize, 0..5_usize).prop_map(|(reader, item)| Turn::Add { reader, item }),
        1 => (0..8_usize, 0..5_usize).prop_map(|(reader, item)| Turn::Remove { reader, item }),
        1 => (0..4_usize).prop_map(Turn::End),
    ]
}

/// A reader, and the items that it has.
struct Reader {
    watcher: Watcher,
    items: Vec<&'static str>,
    added: Vec<(super::super::attach::ResultReceiver, &'static str)>,
}

impl Reader {
    /// Reads what there is, or so much of it if it is slow. Items that it asked for and does not get are not its own: what has come of them before says nothing.
    fn read(&mut self, venue: &mut Venue, most: usize) {
        for (mut told, name) in std::mem::take(&mut self.added) {
            match told.try_recv() {
                Ok(Ok(())) => {}
                Err(TryRecvError::Empty) => self.added.push((told, name)),
                Ok(Err(_)) | Err(TryRecvError::Closed) => {
                    self.items.retain(|own| *own != name);
                    self.watcher.forget(name);
                }
            }
        }
        match self.watcher.is_slow {
            true => self.watcher.read_some(venue, most),
            false => self.watcher.read(venue),
        }
    }
}

fn play(table: &'static Table, turns: Vec<Turn>) {
    play_with(table, turns, false);
}

/// The same; half of the readers of books may be slow. Returns how often something was dropped for them.
fn play_with(table: &'static Table, turns: Vec<Turn>, has_slow: bool) -> usize {
    let mut venue = Venue::new(table, Config::default());
    let mut readers: Vec<Reader> = Vec::new();
    let channels: Vec<&'static str> = table.channels.iter().map(|channel| channel.id).collect();
    let is_calls = matches!(table.dialect, Dialect::Calls { .. } | Dialect::Topics(_));
    let mut lagged = 0;
    for (at, turn) in turns.into_iter().enumerate() {
        match turn {
            Turn::Publish { channel, item, level, change } => {
                // There is more of what may be dropped.
                let channel = if has_slow && channel > 0 { channel - 1 } else { channel };
                let channel = channels[channel % channels.len()];
                let item = if channel == "feed" { "F" } else { ITEM_NAMES[item] };
                venue.publish(channel, item, level, change);
            }
            Turn::Fault(fault) => venue.fault(fault),
            Turn::Cut => venue.cut(),
            Turn::Down => {
                venue.is_down = true;
                venue.cut();
            }
            Turn::Up => venue.is_down = false,
            Turn::Pass(time) => venue.pass(Duration::from_millis(time)),
            Turn::Calls => venue.answer_calls(),
            Turn::Attach { channel, items } if readers.len() < 6 => {
                let channel = channels[channel % channels.len()];
                let mut own: Vec<_> = (0..5).filter(|at| items & (1 << at) != 0).map(|at| ITEM_NAMES[at]).collect();
                if is_calls {
                    own.truncate(1);
                }
                let topic = if channel == "feed" { topic(table, channel, &[]) } else { topic(table, channel, &own) };
                if channel == "feed" {
                    own = vec!["F"];
                }
                let watcher = match has_slow && channel == "book" && readers.len().is_multiple_of(2) {
                    true => Watcher::slow(&mut venue, &topic, own.len() + 2),
                    false => Watcher::new(&mut venue, &topic),
                };
                readers.push(Reader { watcher, items: own, added: Vec::new() });
            }
            Turn::Detach(at) if at < readers.len() => {
                let gone = readers.remove(at);
                venue.hub.detach(venue.now, gone.watcher.key);
                venue.work();
            }
            Turn::Add { reader, item } if reader < readers.len() => {
                let own = &mut readers[reader];
                let name = ITEM_NAMES[item];
                if !own.items.contains(&name)
                    && let Ok(told) = venue.hub.add(venue.now, own.watcher.key, venue::names(&[name]))
                {
                    own.items.push(name);
                    if let Some(wanted) = &mut own.watcher.wanted {
                        wanted.insert(name.to_owned());
                    }
                    own.added.push((told, name));
                    venue.work();
                }
            }
            Turn::Remove { reader, item } if reader < readers.len() => {
                let own = &mut readers[reader];
                let name = ITEM_NAMES[item];
                if own.items.len() > 1
                    && own.items.contains(&name)
                    && venue.hub.remove(venue.now, own.watcher.key, &venue::names(&[name])).is_ok()
                {
                    own.items.retain(|own| *own != name);
                    own.watcher.forget(name);
                    venue.work();
                }
            }
            Turn::End(channel) if !is_calls => venue.end(channels[channel % channels.len()]),
            _ => {}
        }
        let most = if at.is_multiple_of(8) { 3 } else { 0 };
        readers.iter_mut().for_each(|reader| reader.read(&mut venue, most));
        // Who was refused or waited in vain goes, as its handle does.
        let mut at = 0;
        while at < readers.len() {
            let watcher = &readers[at].watcher;
            if matches!(watcher.result, Some(Err(_))) || watcher.ended.is_some() {
                let gone = readers.remove(at);
                lagged += gone.watcher.lagged;
                venue.hub.detach(venue.now, gone.watcher.key);
                venue.work();
            } else {
                at += 1;
            }
        }
    }
    // A calm: what was begun ends, and then something happens to everything.
    venue.calm();
    for round in 0..14 {
        if has_slow && round == 7 {
            // Where a snapshot costs the other readers theirs, one that was too slow waits for the next one.
            venue.cut();
        }
        venue.pass(Duration::from_secs(40));
        venue.answer_calls();
        for channel in &channels {
            for item in ITEM_NAMES.iter().chain(&["F"]) {
                venue.publish(channel, item, round, 1);
                readers.iter_mut().for_each(|reader| reader.read(&mut venue, 1000));
            }
        }
    }
    for reader in &mut readers {
        if matches!(reader.watcher.result, Some(Err(_))) || reader.watcher.ended.is_some() {
            continue;
        }
        let mut refused = reader.watcher.refused.clone();
        refused.extend(reader.added.iter().map(|(_, name)| (*name).to_owned()));
        lagged += reader.watcher.lagged;
        let items: Vec<_> =
            reader.items.iter().copied().filter(|item| !refused.iter().any(|own| own == item)).collect();
        reader.watcher.prove_calm(&venue, &items);
    }
    // When all have gone, nothing stays.
    for reader in readers {
        venue.hub.detach(venue.now, reader.watcher.key);
    }
    for _ in 0..6 {
        venue.pass(Duration::from_secs(40));
    }
    assert!(venue.hub.is_empty(), "something stays: {}", venue.hub.inventory());
    lagged
}

/// Some hundred of each, always the same ones, so that a change is to blame for a failure. Or, to look for unknown faults, as many
/// random ones as `PROPTEST_CASES` says; one that fails is printed, and kept in no file.
fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let rng_seed = if asked.is_some() { RngSeed::Random } else { RngSeed::Fixed(1) };
    ProptestConfig { cases: asked.unwrap_or(300), rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn readers_of_commands_are_told_the_truth(turns in prop::collection::vec(turn(), 1..120)) {
        play(&COMMANDS, turns);
    }

    #[test]
    fn readers_of_calls_are_told_the_truth(turns in prop::collection::vec(turn(), 1..120)) {
        play(&CALLS, turns);
    }

    #[test]
    fn readers_of_topics_are_told_the_truth(turns in prop::collection::vec(turn(), 1..120)) {
        play(&TOPICS, turns);
    }

    #[test]
    fn slow_readers_of_commands_are_told_the_truth(turns in prop::collection::vec(turn(), 1..120)) {
        play_with(&COMMANDS, turns, true);
    }

    #[test]
    fn slow_readers_of_calls_are_told_the_truth(turns in prop::collection::vec(turn(), 1..120)) {
        play_with(&CALLS, turns, true);
    }

    #[test]
    fn slow_readers_of_topics_are_told_the_truth(turns in prop::collection::vec(turn(), 1..120)) {
        play_with(&TOPICS, turns, true);
    }
}

/// The runs above drop something.
#[test]
fn slow_readers_are_too_slow() {
    let mut turns = vec![Turn::Attach { channel: 0, items: 1 }];
    turns.extend((0..20).map(|_| Turn::Publish { channel: 0, item: 0, level: 0, change: 1 }));
    for table in [&COMMANDS, &CALLS, &TOPICS] {
        assert!(play_with(table, turns.clone(), true) > 1, "{}", table.venue);
    }
}

/// The trades are on two connections, each with calls of its own, which get an old list, an error, and an old list again.
#[test]
fn old_lists_of_two_connections() {
    use Fault::{Drop, NoCall, OldCall};
    let publish = |item| Turn::Publish { channel: 3, item, level: 0, change: 0 };
    let mut turns: Vec<_> = [OldCall, NoCall, OldCall, OldCall].into_iter().map(Turn::Fault).collect();
    turns.extend([(0, 1), (2, 15), (3, 31)].map(|(channel, items)| Turn::Attach { channel, items }));
    turns.extend([publish(3), Turn::Fault(Drop), publish(3), publish(4)]);
    turns.extend([Turn::End(3), Turn::Calls, Turn::Pass(2000), Turn::Calls]);
    play(&COMMANDS, turns);
}

/// The trades are on two connections. The venue ends one, and refuses it then.
#[test]
fn a_share_that_is_refused_leaves_the_rest_certain() {
    let mut turns: Vec<_> =
        [(0, 3), (2, 11)].map(|(channel, items)| Turn::Attach { channel, items }).into_iter().collect();
    turns.extend([(2, 4), (1, 1), (3, 3)].map(|(channel, items)| Turn::Attach { channel, items }));
    turns.extend([Turn::Fault(Fault::Refuse), Turn::End(3)]);
    play(&COMMANDS, turns);
}

/// A trade that a call has brought comes over the stream a minute later.
#[test]
fn what_a_call_brought_may_come_late() {
    let publish = Turn::Publish { channel: 1, item: 1, level: 0, change: 0 };
    let attach = |channel, items| Turn::Attach { channel, items };
    let mut turns = vec![attach(1, 6), Turn::Fault(Fault::Drop), Turn::Cut, attach(2, 1), Turn::Fault(Fault::Swap)];
    turns.extend([attach(1, 7), Turn::Pass(124), Turn::Publish { channel: 0, item: 0, level: 0, change: 0 }]);
    turns.extend([publish.clone(), Turn::Calls]);
    turns.extend([12426, 19482, 11727, 16366].map(Turn::Pass));
    turns.push(publish);
    turns.insert(0, Turn::Fault(Fault::Duplicate));
    play(&CALLS, turns);
}

/// The reply to a change of a subscription comes when the venue has ended it, and another one has begun.
#[test]
fn a_late_reply_is_not_taken_for_one_of_the_next_subscription() {
    let publish = Turn::Publish { channel: 0, item: 0, level: 0, change: 0 };
    let attach = |channel, items| Turn::Attach { channel, items };
    let late = [Turn::Fault(Fault::SlowReply), Turn::Add { reader: 1, item: 3 }, Turn::End(3)];
    play(&COMMANDS, [publish, attach(0, 1), attach(3, 23)].into_iter().chain(late).collect());
}

/// A subscription gets no reply, and is refused when it is made again: nothing is certain then.
#[test]
fn a_reader_that_is_refused_is_not_certain() {
    let publish = Turn::Publish { channel: 1, item: 3, level: 0, change: 0 };
    let faults = [Fault::Mute, Fault::Swap, Fault::Drop, Fault::Refuse].map(Turn::Fault);
    let turns = [Turn::Attach { channel: 1, items: 24 }, publish.clone(), publish, Turn::Pass(10_581)];
    play(&CALLS, faults.into_iter().chain(turns).collect());
}

/// The same for the reply to the command that began it: it comes when another one has been sent, and is going to be refused.
#[test]
fn a_late_beginning_is_not_taken_for_the_next_one() {
    let attach = |channel, items| Turn::Attach { channel, items };
    let mut turns = vec![attach(2, 20), attach(2, 11), attach(0, 1), Turn::Down, Turn::Pass(1620), Turn::Pass(10_463)];
    turns.extend([Turn::Fault(Fault::SlowReply), Turn::Fault(Fault::SlowReply), Turn::Up, attach(3, 7)]);
    turns.extend([Turn::Pass(10_730), Turn::Fault(Fault::Refuse), Turn::End(3)]);
    play(&COMMANDS, turns);
}

/// A command is refused of which a late reply has brought a part meanwhile.
#[test]
fn what_a_late_reply_did_not_bring_is_asked_for_again() {
    let mut turns: Vec<_> =
        [(0, 1), (3, 8)].map(|(channel, items)| Turn::Attach { channel, items }).into_iter().collect();
    turns.extend([Turn::Fault(Fault::SlowReply), Turn::End(3), Turn::Fault(Fault::Refuse)]);
    turns.extend([Turn::Add { reader: 1, item: 0 }, Turn::Pass(10_124)]);
    play(&COMMANDS, turns);
}

/// A count begins again twice, and the second beginning is lost too, because it looks like a duplicate. No list has it yet, and no frame has
/// shown that it is missing.
#[test]
fn a_loss_that_no_frame_has_shown_is_not_missing_yet() {
    let publish = || Turn::Publish { channel: 3, item: 0, level: 0, change: 0 };
    let restart = || Turn::Fault(Fault::Restart);
    let mut turns =
        vec![Turn::Attach { channel: 3, items: 7 }, publish(), publish(), restart(), publish(), Turn::Calls];
    turns.extend([restart(), publish(), Turn::Fault(Fault::OldCall), Turn::Pass(2000), Turn::Calls]);
    play(&COMMANDS, turns);
}

/// The reply to an addition is lost, and the next one is refused. What came in between is of an item that the reader does not have.
#[test]
fn an_item_that_is_refused_after_it_has_sent_something_is_not_missed() {
    let attach = |channel, items| Turn::Attach { channel, items };
    let refuse = || Turn::Fault(Fault::Refuse);
    let mut turns = vec![attach(0, 1), attach(0, 2), attach(0, 1), attach(3, 1), Turn::Fault(Fault::Mute)];
    turns.extend([Turn::Add { reader: 3, item: 3 }, Turn::Publish { channel: 3, item: 3, level: 0, change: 0 }]);
    turns.extend([refuse(), Turn::Pass(10_124), Turn::Cut]);
    play(&COMMANDS, turns);
}

/// A trade is held back for a call. Meanwhile its item is refused, and the connection is lost.
#[test]
fn what_is_held_back_of_an_item_that_is_refused_is_not_delivered() {
    let attach = |channel, items| Turn::Attach { channel, items };
    let refuse = || Turn::Fault(Fault::Refuse);
    let mut turns = vec![attach(3, 9), attach(0, 1), Turn::Cut, Turn::Pass(124), refuse()];
    turns.extend([Turn::Publish { channel: 3, item: 0, level: 0, change: 0 }, refuse(), Turn::Cut, refuse()]);
    turns.extend([Turn::Pass(581), Turn::Cut]);
    play(&COMMANDS, turns);
}

/// A subscription gets no reply and is refused when it is repeated, though the venue has it. It sends the item, which another connection has
/// by then.
#[test]
fn an_item_that_got_no_reply_does_not_come_twice() {
    let attach = |channel, items| Turn::Attach { channel, items };
    let (refuse, mute) = (|| Turn::Fault(Fault::Refuse), || Turn::Fault(Fault::Mute));
    let mut turns = vec![attach(3, 5), attach(2, 15), refuse(), mute(), attach(1, 1), attach(0, 2), mute(), refuse()];
    turns.extend([attach(1, 1), Turn::Pass(10_124), attach(0, 31)]);
    play(&COMMANDS, turns);
}

/// A subscription is made twice. The reply to the first command comes late and brings a part of the items, the second one gets none.
#[test]
fn what_a_late_reply_did_not_bring_is_asked_for_again_without_a_reply_too() {
    let slow = || Turn::Fault(Fault::SlowReply);
    let mut turns = vec![slow(), Turn::Fault(Fault::Refuse), slow(), Turn::Fault(Fault::Mute)];
    turns.extend([Turn::Attach { channel: 0, items: 2 }, Turn::Pass(10_124), Turn::Cut, Turn::Pass(81)]);
    turns.extend([Turn::Add { reader: 0, item: 0 }, Turn::Pass(11_519)]);
    play(&COMMANDS, turns);
}

/// An item is refused that a command without a reply has brought, and a message of it comes while others are held back for a call.
#[test]
fn what_comes_of_a_refused_item_is_not_held_back() {
    use Fault::{Later, Mute, Refuse};
    let mut turns = vec![Turn::Attach { channel: 3, items: 3 }];
    turns.extend([Later, Mute].map(Turn::Fault));
    turns.extend([Turn::End(3), Turn::Pass(7006)]);
    turns.extend([Refuse, Refuse].map(Turn::Fault));
    turns.extend([Turn::Pass(3699), Turn::Publish { channel: 3, item: 0, level: 0, change: 0 }, Turn::Cut]);
    play(&COMMANDS, turns);
}

/// A count shows a loss while another reader waits for its item to be accepted. What is listed is given to that one too,
/// and of its own item later than what the stream brings.
#[test]
fn a_reader_that_waits_for_its_item_learns_that_something_is_listed() {
    let publish = |item| Turn::Publish { channel: 3, item, level: 0, change: 0 };
    let attach = |items| Turn::Attach { channel: 3, items };
    let mut turns = vec![Turn::Fault(Fault::Restart), attach(8), Turn::Fault(Fault::Later), publish(3), attach(4)];
    turns.extend([Turn::Fault(Fault::OldCall), publish(3), publish(2), Turn::Pass(124), Turn::Calls, publish(2)]);
    play(&COMMANDS, turns);
}

/// A count begins again twice and the venue ends its subscription, behind a frame whose number looks as if nothing were missing. Nobody
/// could see a loss in it, so the venue of these tests loses it too.
#[test]
fn what_is_sent_before_an_end_is_of_the_subscription_that_ends() {
    let publish = || Turn::Publish { channel: 1, item: 0, level: 0, change: 0 };
    let restart = || Turn::Fault(Fault::Restart);
    let mut turns = vec![Turn::Attach { channel: 1, items: 1 }, publish(), restart(), publish(), restart(), publish()];
    turns.extend([Turn::Fault(Fault::Swap), publish(), Turn::End(1)]);
    play(&COMMANDS, turns);
}

/// The only item of a reader is refused while it waits for another one, which is refused too: nothing is left of it.
#[test]
fn a_reader_of_which_all_is_refused_in_turn_ends() {
    let refuse = || Turn::Fault(Fault::Refuse);
    let mut turns = vec![Turn::Attach { channel: 2, items: 1 }, refuse(), refuse(), refuse(), Turn::Cut];
    turns.extend([Turn::Add { reader: 0, item: 1 }, Turn::Pass(124)]);
    play(&COMMANDS, turns);
}

/// The same where the reader gives the first one up itself.
#[test]
fn a_reader_that_is_left_with_nothing_is_not_uncertain() {
    let mut turns = vec![Turn::Attach { channel: 2, items: 1 }, Turn::Cut, Turn::Fault(Fault::Refuse)];
    turns.extend([Turn::Add { reader: 0, item: 1 }, Turn::Remove { reader: 0, item: 0 }, Turn::Pass(124)]);
    play(&COMMANDS, turns);
}
