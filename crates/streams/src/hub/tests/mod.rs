//! The hub against a venue that is made of faults.

mod caught_up;
mod checker;
mod directed;
mod faults;
mod range;
mod slow;
mod venue;

use std::sync::Arc;

use venuekit_wire::stream::{
    Actions, CatchUp, Channel, Commands, Dialect, Endpoint, KeepAlive, Limits, Login, Message, Messages, Parameter,
    Recovery, Sequence, Streams as Table, Topics,
};

use self::checker::Watcher;
use self::venue::{Fault, Venue};
use super::io::{Action, Now, Output};
use crate::event::{Ended, Missed, Reason};
use crate::queue::Overflow;
use crate::topic::Topic;

const ITEMS: Parameter = Parameter { name: "items", is_list: true, ..Parameter::EMPTY };
const NAME: Parameter = Parameter { name: "name", is_required: true, ..Parameter::EMPTY };

const fn one(kind: &'static str) -> Message {
    Message { kind, when: None, is_snapshot: false, snapshot_when: None }
}

static CATCH_UP: [CatchUp; 1] = [CatchUp { operation: "GetTrades", key: "/k", order: "/t", ..CatchUp::EMPTY }];

static COMMAND_CHANNELS: [Channel; 4] = [
    // A book: deltas that need a snapshot, counted over all items.
    Channel {
        name: "book",
        id: "book",
        endpoint: "stream",
        parameters: &[ITEMS],
        items: Some("items"),
        item: Some("/i"),
        messages: &[Message { is_snapshot: true, ..one("book_snapshot") }, one("book_delta")],
        sequence: Sequence::Counter { member: "seq", first: 1 },
        recovery: Recovery::Snapshot,
        actions: Actions { add: Some("add"), remove: Some("remove"), snapshot: Some("snapshot") },
        ..Channel::EMPTY
    },
    // Events that nobody lists again.
    Channel {
        name: "feed",
        id: "feed",
        endpoint: "stream",
        messages: &[one("feed")],
        sequence: Sequence::Counter { member: "seq", first: 1 },
        recovery: Recovery::Never,
        ..Channel::EMPTY
    },
    // Whole records, not counted.
    Channel {
        name: "tick",
        id: "tick",
        endpoint: "stream",
        parameters: &[ITEMS],
        items: Some("items"),
        all: true,
        item: Some("/i"),
        messages: &[one("tick")],
        is_whole: true,
        recovery: Recovery::Next,
        actions: Actions { add: Some("add"), remove: Some("remove"), snapshot: None },
        ..Channel::EMPTY
    },
    // Records that a call lists.
    Channel {
        name: "trade",
        id: "trade",
        endpoint: "stream",
        parameters: &[ITEMS],
        items: Some("items"),
        all: true,
        item: Some("/i"),
        messages: &[one("trade")],
        sequence: Sequence::Counter { member: "seq", first: 1 },
        recovery: Recovery::CatchUp(&CATCH_UP),
        actions: Actions { add: Some("add"), remove: Some("remove"), snapshot: None },
        ..Channel::EMPTY
    },
];

static CALL_CHANNELS: [Channel; 2] = [
    Channel {
        name: "book.{name}",
        id: "book",
        endpoint: "stream",
        parameters: &[NAME],
        messages: &[Message { snapshot_when: Some(("/type", "snapshot")), ..one("") }],
        sequence: Sequence::Chain { number: "/c", previous: "/p" },
        recovery: Recovery::Resubscribe,
        ..Channel::EMPTY
    },
    Channel {
        name: "trades.{name}",
        id: "trades",
        endpoint: "stream",
        parameters: &[NAME],
        messages: &[one("")],
        is_list: true,
        sequence: Sequence::PerItem { number: "/v", item: "/i" },
        recovery: Recovery::CatchUp(&CATCH_UP),
        ..Channel::EMPTY
    },
];

const TOPIC_CHANNEL: Channel = Channel {
    name: "book.{name}",
    id: "book",
    endpoint: "stream",
    parameters: &[NAME],
    messages: &[Message { snapshot_when: Some(("/type", "snapshot")), ..one("") }],
    sequence: Sequence::Successive { number: "/u", first: 1 },
    recovery: Recovery::Resubscribe,
    ..Channel::EMPTY
};

static TOPIC_CHANNELS: [Channel; 2] = [
    TOPIC_CHANNEL,
    Channel {
        name: "trades.{name}",
        id: "trades",
        endpoint: "stream",
        parameters: &[NAME],
        messages: &[one("")],
        is_list: true,
        sequence: Sequence::PerItem { number: "/v", item: "/i" },
        recovery: Recovery::CatchUp(&CATCH_UP),
        ..Channel::EMPTY
    },
];

static MESSAGE_CHANNELS: [Channel; 2] = [
    Channel {
        name: "prices",
        id: "prices",
        endpoint: "stream",
        parameters: &[ITEMS],
        items: Some("items"),
        item: Some("/i"),
        messages: &[one("price")],
        is_whole: true,
        recovery: Recovery::Next,
        ..Channel::EMPTY
    },
    // The same type of message: data does not say whose it is.
    Channel {
        name: "user_prices",
        id: "user_prices",
        endpoint: "stream",
        parameters: &[NAME],
        messages: &[one("price")],
        ..Channel::EMPTY
    },
];

static ENDPOINTS: [Endpoint; 1] = [Endpoint { name: "stream", servers: &[], path: "/", login: Login::None }];

const LIMITS: Limits =
    Limits { per_command: 3, commands_per_second: 20, per_connection: 8, channel_once: true, ..Limits::EMPTY };

const KEEP_ALIVE: KeepAlive = KeepAlive { ask_after: 10, dead_after: 30, ping: None };

static COMMANDS: Table = Table {
    venue: "commands",
    endpoints: &ENDPOINTS,
    dialect: Dialect::Commands(Commands {
        id: "id",
        command: "cmd",
        params: "params",
        channels: "channels",
        kind: "type",
        data: "msg",
        subscription: "sid",
        sent: "sent",
        subscribe: ("subscribe", "subscribed"),
        channel: "channel",
        ok: "ok",
        unsubscribe: ("unsubscribe", "sids", "unsubscribed"),
        update: ("update", "action"),
        error: "error",
        error_members: ("code", "msg"),
        terminal: &[],
        retry: &[],
        codes: &[],
    }),
    keep_alive: KEEP_ALIVE,
    limits: LIMITS,
    query: &[],
    channels: &COMMAND_CHANNELS,
};

static CALLS: Table = Table {
    venue: "calls",
    endpoints: &ENDPOINTS,
    dialect: Dialect::Calls {
        subscribe: ("subscribe", "subscribe_private"),
        unsubscribe: ("unsubscribe", "unsubscribe_private"),
        channels: "channels",
    },
    keep_alive: KEEP_ALIVE,
    limits: Limits { channel_once: false, ..LIMITS },
    query: &[],
    channels: &CALL_CHANNELS,
};

static TOPICS: Table = TOPICS_TABLE;

const TOPICS_TABLE: Table = Table {
    venue: "topics",
    endpoints: &ENDPOINTS,
    dialect: Dialect::Topics(Topics {
        command: "op",
        id: "req_id",
        topics: "args",
        subscribe: "subscribe",
        unsubscribe: "unsubscribe",
        success: "success",
        text: "ret_msg",
        topic: "topic",
        kind: "type",
        data: "data",
        sent: &["ts"],
        ..Topics::EMPTY
    }),
    keep_alive: KEEP_ALIVE,
    limits: Limits { channel_once: false, ..LIMITS },
    query: &[],
    channels: &TOPIC_CHANNELS,
};

static MESSAGES: Table = Table {
    venue: "messages",
    endpoints: &ENDPOINTS,
    dialect: Dialect::Messages(Messages {
        separator: Some("\n"),
        kind: "type",
        data: "data",
        room: "room",
        room_separator: ':',
        sent: "timestamp",
        channel: "channel",
        subscribe: ("subscribe", "subscribed"),
        unsubscribe: ("unsubscribe", "unsubscribed"),
        error: "error",
        error_text: "/data/message",
        quiet: &[],
    }),
    keep_alive: KEEP_ALIVE,
    limits: LIMITS,
    query: &[],
    channels: &MESSAGE_CHANNELS,
};

fn topic(table: &'static Table, id: &str, items: &[&str]) -> Topic {
    let channel = table.channel(id).expect("the channel is in the table");
    let topic = Topic::new(channel);
    match (channel.items, items) {
        (Some(name), [_, ..]) => topic.list(name, items.iter().copied()),
        (None, [name]) => topic.set("name", *name),
        _ => topic,
    }
}
