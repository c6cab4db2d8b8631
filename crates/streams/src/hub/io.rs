//! The hub's inputs and outputs: the interface between the state machine and the I/O layer.
//!
//! The hub reads no clock, opens no socket and writes no frame. [`Input`]s come with a time; [`Output`]s are taken one by one.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use venuekit_wire::UnixMillis;
use venuekit_wire::stream::{CatchUp, Channel, Endpoint, SnapshotCall};

use crate::topic::Topic;

/// A moment, by the clock that never goes back and by that of the wall.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// For deadlines.
    pub(crate) at: Instant,
    /// For what readers are shown.
    pub(crate) wall: SystemTime,
    /// What was read arrived after this time, at which nothing was left to be read. It may be long ago if the program was suspended.
    pub(crate) after: SystemTime,
}

/// One attempt to have a connection. The next attempt has another number, so that nothing of an old one is taken for the new one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// One call that catches up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CatchUpId(pub(crate) u64);

/// The number of a command, from 1 on each connection.
pub(crate) type CommandId = u32;

/// What happened.
#[derive(Debug)]
pub(crate) enum Input<'a> {
    /// A connection is open and logged in: commands may follow.
    Opened(ConnectionId),
    /// A connection was lost, or could not be opened. Nothing follows for this number.
    Lost(ConnectionId, Lost),
    /// A JSON object was read, or a call of the connection returned.
    Frame(ConnectionId, Frame<'a>),
    /// The calls that catch up have returned: the records of all of them, all pages, call by call. Records from before
    /// [`CatchUpCall::since`] are left out where [`CatchUp::since`] has no parameter for it. After [`Output::Snapshot`] the one record is
    /// the snapshot.
    CaughtUp(CatchUpId, Result<Vec<Record>, String>),
    /// Nothing, but time went by.
    Tick,
}

/// One record of a catch-up.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Its JSON text, its members as in messages ([`CatchUp::renamed`] and [`CatchUp::times`] applied).
    pub(crate) text: Bytes,
    /// By which of the calls it came: an index of [`CatchUpCall::calls`].
    pub(crate) call: usize,
}

/// Why a connection was lost.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    /// Why.
    pub(crate) cause: LostCause,
    /// Whether another attempt is useless: a credential is missing, or the venue refuses it.
    pub(crate) is_final: bool,
    /// How long the venue asks to wait.
    pub(crate) retry_after: Option<Duration>,
}

/// Why a connection was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LostCause {
    /// The venue closed it with a frame.
    Closed {
        /// The code of the close frame.
        code: u16,
        /// Its text.
        text: String,
    },
    /// It ended without a close frame.
    Cut,
    /// Nothing came for as long as the venue's keep-alive allows.
    Silent,
    /// It could not be opened, or logged in, or written to.
    Failed(String),
    /// The venue refused the credential.
    Refused(String),
    /// By our own word ([`Output::Close`]).
    Ours,
}

/// One JSON object from the venue, taken apart as far as routing needs it.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    /// Its text.
    pub(crate) bytes: &'a Bytes,
    /// Whose it is.
    pub(crate) handle: Handle<'a>,
    /// Its type by the venue's word; empty where the venue does not name types.
    pub(crate) kind: &'a str,
    /// Where in `bytes` the data is. Empty: it has none.
    pub(crate) data: Range<usize>,
    /// Its count, where it has one ([`venuekit_wire::stream::Sequence::Counter`]).
    pub(crate) sequence: Option<i64>,
    /// When the venue sent it, where it says so.
    pub(crate) sent: Option<UnixMillis>,
    /// The command that it responds to, where it says so.
    pub(crate) command: Option<CommandId>,
    /// What it is.
    pub(crate) body: Body<'a>,
}

/// How a venue says whose a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Handle<'a> {
    /// It does not say, or only by the type.
    None,
    /// By the channel's name.
    Name(&'a str),
    /// By the subscription's number.
    Number(i64),
    /// By a room.
    Room(&'a str),
}

/// What a frame is.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// Data, of whatever type.
    Data,
    /// What a command got.
    Reply(Reply<'a>),
    /// Nothing of interest: a greeting, a response to a ping.
    Quiet,
    /// The venue is going to close the connection.
    Closing,
    /// Not to be read as the venue's dialect has it.
    Unread,
}

/// What a command got.
#[derive(Debug)]
pub(crate) enum Reply<'a> {
    /// These channels were accepted, those that were asked for and are missing were not; or: these were unsubscribed.
    Names(Vec<Cow<'a, str>>),
    /// The subscription has been made; the handle says how data will name it.
    Subscribed {
        /// The channel, where the reply names it.
        channel: Option<Cow<'a, str>>,
    },
    /// The command was carried out.
    Ok,
    /// The subscription of the handle has ended.
    Unsubscribed,
    /// It failed, or the subscription of the handle did, or the connection.
    Error {
        /// The venue's code. Empty: it has none.
        code: Cow<'a, str>,
        /// Its text.
        text: Cow<'a, str>,
        /// The items that it names.
        items: Vec<Cow<'a, str>>,
        /// What it means.
        class: ErrorClass,
    },
}

/// What an error of a command means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// The same command will fail again.
    Refused,
    /// What is subscribed to is so already. The venue sends it, and no snapshot of it.
    AlreadyHeld,
    /// The same command may succeed later.
    Retry,
    /// The subscription is over.
    Terminal,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) enum Output {
    /// Open a connection and log in. Followed by [`Input::Opened`] or [`Input::Lost`].
    Open {
        /// Its number.
        connection: ConnectionId,
        /// Where to.
        endpoint: &'static Endpoint,
        /// Whether something on it takes a login, as far as is known now. Later commands may need one nevertheless.
        is_private: bool,
    },
    /// Close a connection in good order. Followed by [`Input::Lost`], which may also come from the other side meanwhile.
    Close(ConnectionId),
    /// Write a command.
    Send {
        /// Over which connection.
        connection: ConnectionId,
        /// The command.
        command: Command,
    },
    /// Make a call that lists what was missed. Followed by [`Input::CaughtUp`].
    CatchUp(CatchUpCall),
    /// Make a call that returns a snapshot. Followed by [`Input::CaughtUp`].
    Snapshot(SnapshotRequest),
    /// The result of this call is not wanted any longer.
    Forget(CatchUpId),
    /// Nothing is left to do, and nothing will be: all handles have been dropped.
    End,
}

/// One command.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// Its number, which replies repeat.
    pub(crate) id: CommandId,
    /// Whether it takes a login.
    pub(crate) is_private: bool,
    /// What is to be done.
    pub(crate) action: Action,
}

/// What a command does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Subscribes: in the dialect of calls to many channels at once, in the others to one. Fixed parameters are not among the values:
    /// the dialect adds them. A list has no more than the limit of values, and may be missing, which means everything.
    Subscribe(Vec<Topic>),
    /// Ends subscriptions.
    Unsubscribe(Vec<Owner>),
    /// Changes a subscription.
    Update {
        /// Its number.
        subscription: i64,
        /// Its channel.
        channel: &'static Channel,
        /// The word of [`venuekit_wire::stream::Actions`].
        action: &'static str,
        /// The values, for the parameter that [`Channel::items`] names.
        items: Vec<Arc<str>>,
    },
}

/// How a command names a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    /// By the channel's name.
    Name(Arc<str>),
    /// By the subscription's number.
    Number(i64),
    /// By a room.
    Room(Arc<str>),
}

/// A call that returns a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotRequest {
    /// Its number.
    pub(crate) id: CatchUpId,
    /// The operation and its parameters.
    pub(crate) words: &'static SnapshotCall,
    /// The subscription whose values the parameters take.
    pub(crate) topic: Topic,
}

/// Calls that list what was missed.
#[derive(Clone, Debug)]
pub(crate) struct CatchUpCall {
    /// Its number.
    pub(crate) id: CatchUpId,
    /// The operations and their parameters, in the order in which they are called.
    pub(crate) calls: &'static [CatchUp],
    /// The subscription whose values the parameters take. Without values for a list it is called once, for everything.
    pub(crate) topic: Topic,
    /// The values to ask for, one call each, where it is the items' parameter that the operation takes; none: as the topic has it.
    pub(crate) items: Option<Vec<Arc<str>>>,
    /// From when on.
    pub(crate) since: SystemTime,
    /// From which number on, by item, where records are numbered.
    pub(crate) from: Vec<(Arc<str>, i64)>,
}
