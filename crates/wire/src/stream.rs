//! The tables that `cargo xtask codegen` makes of a venue's AsyncAPI document: what can be subscribed to, and how the venue talks
//! while it streams.
//!
//! They are plain constants. `venuekit-streams` reads them; no other code depends on the name of a venue or channel. A *pointer* is a JSON
//! pointer into the data of a message, such as `/market_ticker`; where data is a list of records, into each record.

pub use crate::recovery::{BookAudit, CatchUp, Recovery, Sequence, SnapshotCall};

/// Everything about the streams of a venue.
#[derive(Debug)]
pub struct Streams {
    /// The venue's folder name under `specs/`.
    pub venue: &'static str,
    /// The URLs that connections are opened to.
    pub endpoints: &'static [Endpoint],
    /// How commands, replies and data are framed.
    pub dialect: Dialect,
    /// How each side sees that the other is there.
    pub keep_alive: KeepAlive,
    /// What the venue allows.
    pub limits: Limits,
    /// Parameters that the URL of a connection may have, and their values.
    pub query: &'static [(&'static str, &'static [&'static str])],
    /// Every channel, ordered by [`Channel::id`].
    pub channels: &'static [Channel],
}

impl Streams {
    /// The channel of this id or name.
    pub fn channel(&self, name: &str) -> Option<&'static Channel> {
        self.channels.iter().find(|channel| channel.id == name || channel.name == name)
    }

    /// The endpoint of this name.
    pub fn endpoint(&self, name: &str) -> Option<&'static Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }
}

/// One URL of each environment.
#[derive(Debug)]
pub struct Endpoint {
    /// Its name within the venue.
    pub name: &'static str,
    /// The URL of each environment, by the environment's name.
    pub servers: &'static [(&'static str, &'static str)],
    /// The path, which is the same for all of them.
    pub path: &'static str,
    /// How a client authenticates.
    pub login: Login,
}

/// How a client authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Not at all.
    None,
    /// By signed headers of the request that opens the connection.
    Upgrade {
        /// The credential that signs.
        credential: &'static str,
    },
    /// By a member of every message that the client sends.
    Message {
        /// The member, such as `auth`.
        member: &'static str,
        /// Its members, in the sets that the venue takes: the first whose credential the client has is used.
        ways: &'static [MessageLogin],
    },
    /// By a call on the connection, which the client makes for its calls too.
    Call,
    /// As for calls: the connection carries them, and one of them subscribes to the events of the account.
    Events(EventCalls),
    /// By a command on the connection, before the first subscription ([`Dialect::Topics`]).
    Command {
        /// The credential.
        credential: &'static str,
        /// The command's name.
        command: &'static str,
        /// The headers of the credential whose values are the arguments, in order, and the form of each.
        values: &'static [(&'static str, ParameterKind)],
    },
}

/// How events of an account are subscribed to on a connection that carries calls ([`crate::operation::WebSocket`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventCalls {
    /// The operation that subscribes where the connection is logged on, and the one that carries a signature, by their ids.
    pub subscribe: (&'static str, &'static str),
    /// The operation that ends it.
    pub unsubscribe: &'static str,
    /// The member of its params, of the reply that subscribes and of events with the subscription's number.
    pub subscription: &'static str,
    /// The member of events with what happened.
    pub data: &'static str,
    /// The member of that with its type.
    pub kind: &'static str,
    /// The type by which the venue announces that it closes the connection.
    pub closing: &'static str,
}

/// One set of members that say who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLogin {
    /// The credential.
    pub credential: &'static str,
    /// The name of a member, and the header of the credential whose value it takes.
    pub members: &'static [(&'static str, &'static str)],
}

/// How commands, replies and data are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Calls of the venue's JSON-RPC methods, with a list of channel names, and notifications.
    Calls {
        /// The operation that subscribes to public channels, and the one for private ones, by their ids.
        subscribe: (&'static str, &'static str),
        /// The operations that end it.
        unsubscribe: (&'static str, &'static str),
        /// The parameter that lists channels. The result lists those that were accepted.
        channels: &'static str,
    },
    /// Commands with a number, which replies repeat; data comes with the number of its subscription.
    Commands(Commands),
    /// Messages without a number; replies name a room, and data is identified by its type.
    Messages(Messages),
    /// Commands that list topics; data names its topic.
    Topics(Topics),
}

/// Commands with a number, and replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commands {
    /// The member with the command's number, in commands and replies.
    pub id: &'static str,
    /// The member with the command's name.
    pub command: &'static str,
    /// The member with what the command is given.
    pub params: &'static str,
    /// The member of the params that lists channels.
    pub channels: &'static str,
    /// The member of every message that names its type.
    pub kind: &'static str,
    /// The member with the data.
    pub data: &'static str,
    /// The member with the subscription's number, in data and replies.
    pub subscription: &'static str,
    /// The member of data and replies that counts the frames of a subscription, and of the time at which a frame was sent, in Unix
    /// milliseconds.
    pub sent: &'static str,
    /// The command that subscribes, and the type of its reply.
    pub subscribe: (&'static str, &'static str),
    /// The member of that reply's data that names the channel.
    pub channel: &'static str,
    /// The type of any other successful response.
    pub ok: &'static str,
    /// The command that unsubscribes, the member of its params that lists subscriptions, and the type of its reply.
    pub unsubscribe: (&'static str, &'static str, &'static str),
    /// The command that changes a subscription, and the member of its params that says how.
    pub update: (&'static str, &'static str),
    /// The type of an error.
    pub error: &'static str,
    /// The members of its data: code, text.
    pub error_members: (&'static str, &'static str),
    /// Codes after which the subscription is over.
    pub terminal: &'static [&'static str],
    /// Codes after which the same command may succeed.
    pub retry: &'static [&'static str],
    /// Codes, and what they mean.
    pub codes: &'static [(&'static str, &'static str)],
}

/// Messages without a number, and rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Messages {
    /// The separator of several JSON objects in one frame.
    pub separator: Option<&'static str>,
    /// The member of every message that names its type.
    pub kind: &'static str,
    /// The member with the data.
    pub data: &'static str,
    /// The member with the room, in replies and in commands that unsubscribe. Data may have it.
    pub room: &'static str,
    /// What separates the parts of a room's name: the channel, and values of the subscription.
    pub room_separator: char,
    /// The member with the time at which a message was sent, in Unix milliseconds.
    pub sent: &'static str,
    /// The member that names the channel in a command that subscribes.
    pub channel: &'static str,
    /// The type that subscribes, and that of its reply.
    pub subscribe: (&'static str, &'static str),
    /// The type that unsubscribes, and that of its reply.
    pub unsubscribe: (&'static str, &'static str),
    /// The type of an error.
    pub error: &'static str,
    /// Where an error has its text, as a pointer into the message.
    pub error_text: &'static str,
    /// Types of messages that are not data: greetings, replies to pings.
    pub quiet: &'static [&'static str],
}

/// Commands that list topics. One that names an invalid topic, or one that is subscribed to already, is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topics {
    /// The member with the command's name, in commands and replies.
    pub command: &'static str,
    /// The member with the command's number. Not every reply repeats it.
    pub id: &'static str,
    /// Whether that number is written as a JSON number, and not as a text.
    pub id_is_number: bool,
    /// The member of a command that lists topics.
    pub topics: &'static str,
    /// The command that subscribes.
    pub subscribe: &'static str,
    /// The command that unsubscribes.
    pub unsubscribe: &'static str,
    /// The member of a reply that says whether the command was carried out: `true` or `false`. Empty: replies have none.
    pub success: &'static str,
    /// The member that a reply has if the command was carried out, whatever its value. Empty: replies have none.
    pub result: &'static str,
    /// The member with the error, in any other reply. Empty if errors have no member of their own, or if the members of the error are in the reply itself.
    pub error: &'static str,
    /// The member with the code of that error. Empty: it has none.
    pub code: &'static str,
    /// The member of a reply, or of its error, with the text of an error.
    pub text: &'static str,
    /// Where a reply lists the topics that were accepted, and those that were refused, as pointers. Empty: it does not.
    pub listed: (&'static str, &'static str),
    /// The member of data that names its topic.
    pub topic: &'static str,
    /// The member of data that names its type. Data of some topics does not have it.
    pub kind: &'static str,
    /// The member with the data.
    pub data: &'static str,
    /// The members with the time at which data was sent, in Unix milliseconds or microseconds: up to two, of which the first one
    /// present counts. One that begins with a slash is a pointer into the data.
    pub sent: &'static [&'static str],
    /// How the venue announces that it is going to close the connection.
    pub closing: Option<Closing>,
    /// Commands whose replies are of no interest: pings.
    pub quiet: &'static [&'static str],
    /// Parts of the text of an error which says that a topic is subscribed to already.
    pub held: &'static [&'static str],
    /// Parts of the text of an error after which the same command may succeed.
    pub retry: &'static [&'static str],
}

impl Topics {
    /// The defaults of a table.
    pub const EMPTY: Self = Self {
        command: "",
        id: "",
        id_is_number: false,
        topics: "",
        subscribe: "",
        unsubscribe: "",
        success: "",
        result: "",
        error: "",
        code: "",
        text: "",
        listed: ("", ""),
        topic: "",
        kind: "",
        data: "",
        sent: &[],
        closing: None,
        quiet: &[],
        held: &[],
        retry: &[],
    };
}

/// The notice that a venue is going to close a connection: another one is opened at once, and takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The topic that it comes under, which nobody subscribes to.
    pub topic: &'static str,
    /// The member, of the data or of a frame without a topic, by which it is recognized.
    pub member: &'static str,
    /// The text of that member.
    pub equals: &'static str,
}

/// How each side sees that the other is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// After this many seconds without a frame from the venue the client asks.
    pub ask_after: u32,
    /// After this many seconds without a frame the connection is dead.
    pub dead_after: u32,
    /// The message that asks, where a ping frame is not enough. It is sent as often as [`ask_after`](Self::ask_after), whatever comes.
    pub ping: Option<&'static str>,
}

/// What the venue allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Values of a list in one command, or channels in one call.
    pub per_command: usize,
    /// Commands in a second, over one connection.
    pub commands_per_second: u32,
    /// Values of lists, or channels, of one connection.
    pub per_connection: usize,
    /// Connections of one account, for each environment that has a number, by its name.
    pub connections: &'static [(&'static str, usize)],
    /// Whether a connection takes a channel once, so that other parameters need another connection.
    pub channel_once: bool,
    /// After so many seconds a connection is replaced by a new one, before the venue closes it. Zero: it may stay for good.
    pub connection_life: u32,
}

impl Limits {
    /// No known limits. The defaults of a table.
    pub const EMPTY: Self = Self {
        per_command: usize::MAX,
        commands_per_second: u32::MAX,
        per_connection: usize::MAX,
        connections: &[],
        channel_once: false,
        connection_life: 0,
    };
}

/// One channel.
#[derive(Debug)]
pub struct Channel {
    /// The venue's name for it, or the template of its names: `book.{instrument_name}.{interval}`.
    pub name: &'static str,
    /// The generated method's name.
    pub id: &'static str,
    /// What it contains, in a sentence.
    pub description: &'static str,
    /// The endpoint that serves it.
    pub endpoint: &'static str,
    /// Who may subscribe.
    pub access: Access,
    /// What a subscription is given, in the order of the template.
    pub parameters: &'static [Parameter],
    /// The parameter whose values are subscribed to one by one: they can be added and taken away.
    pub items: Option<&'static str>,
    /// Whether it may be left out, which asks for everything.
    pub all: bool,
    /// The value that asks for everything where leaving the parameter out does not: it is then sent as the only one.
    pub everything: Option<&'static str>,
    /// Where the data says which of these values it is about.
    pub item: Option<&'static str>,
    /// The types of its messages.
    pub messages: &'static [Message],
    /// Whether data is a list of records.
    pub is_list: bool,
    /// Whether each message is whole for its item, so that an older one is worth nothing.
    pub is_whole: bool,
    /// Whether it makes an order book.
    pub is_book: bool,
    /// How a gap is seen.
    pub sequence: Sequence,
    /// How what was missed is recovered.
    pub recovery: Recovery,
    /// The commands that change a subscription: to add values, to take values away, to ask for a snapshot. Empty if the venue has none.
    pub actions: Actions,
    /// So many seconds after it was accepted a subscription has had its first message, unless nothing happens or its name means nothing.
    /// Zero: the venue refuses a name that means nothing, or there is no such time.
    pub first_within: u32,
    /// The call by which its order books can be checked.
    pub audit: Option<&'static BookAudit>,
}

impl Channel {
    /// The defaults of a row.
    pub const EMPTY: Self = Self {
        name: "",
        id: "",
        description: "",
        endpoint: "",
        access: Access::Public,
        parameters: &[],
        items: None,
        all: false,
        everything: None,
        item: None,
        messages: &[],
        is_list: false,
        is_whole: false,
        is_book: false,
        sequence: Sequence::None,
        recovery: Recovery::Never,
        actions: Actions { add: None, remove: None, snapshot: None },
        first_within: 0,
        audit: None,
    };
}

/// The words that change a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// Adds values.
    pub add: Option<&'static str>,
    /// Takes values away.
    pub remove: Option<&'static str>,
    /// Asks for a snapshot of values.
    pub snapshot: Option<&'static str>,
}

/// Who may subscribe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every client that the endpoint accepts.
    Public,
    /// Who has logged in.
    Private,
    /// Every client, except for this value of a parameter.
    PrivateWhen {
        /// The parameter.
        parameter: &'static str,
        /// The value that takes a login.
        value: &'static str,
    },
}

/// What a subscription is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// The form of its value.
    pub kind: ParameterKind,
    /// The values that there are, where they are few.
    pub values: &'static [&'static str],
    /// Whether the venue may have other values than those: they are then known words, and others are not refused.
    pub is_open: bool,
    /// The form of a text, as a pattern that is read with the flag `u`.
    pub pattern: Option<&'static str>,
    /// Whether it is a list.
    pub is_list: bool,
    /// Whether there is no subscription without it.
    pub is_required: bool,
    /// The value that is always sent, as JSON.
    pub fixed: Option<&'static str>,
    /// Whether one connection takes one value of it only.
    pub is_of_connection: bool,
    /// Whether it stands in lower case in the channel's name, however the value is written elsewhere.
    pub is_lower_case: bool,
}

impl Parameter {
    /// The defaults of a row.
    pub const EMPTY: Self = Self {
        name: "",
        description: "",
        kind: ParameterKind::Text,
        values: &[],
        is_open: false,
        pattern: None,
        is_list: false,
        is_required: false,
        fixed: None,
        is_of_connection: false,
        is_lower_case: false,
    };
}

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
}

/// One type of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// What the venue calls it; empty where a channel has one type, which is not named.
    pub kind: &'static str,
    /// The pointer and the text that distinguish it from others of the same name.
    pub when: Option<(&'static str, &'static str)>,
    /// Whether it is a snapshot of its item.
    pub is_snapshot: bool,
    /// The pointer and the text by which a message is a snapshot, where one type is both that and a change.
    pub snapshot_when: Option<(&'static str, &'static str)>,
}
