//! How a venue takes calls over a WebSocket (`x-websocket` of its spec).

use crate::signature::KeyType;
use crate::stream::ParameterKind;

/// How a venue talks over a WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    /// How it notifies of what was subscribed to, where its messages are JSON-RPC 2.0.
    pub notification: Option<Notification>,
    /// How each side sees that the other is there, where calls do that.
    pub heartbeat: Option<Heartbeat>,
    /// Seconds without a frame after which a connection is dead, where the venue sends pings by itself.
    pub dead_after: Option<u32>,
    /// Seconds after which another connection takes the place of one, where the venue ends connections because of their age.
    pub connection_life: Option<u32>,
    /// The ping that the client sends at an interval, where the venue wants that.
    pub ping: Option<Ping>,
    /// How requests and replies are framed; none for JSON-RPC 2.0.
    pub envelope: Option<Envelope>,
    /// The same where a reply is what a response is over HTTP, in other members.
    pub commands: Option<Commands>,
    /// What a call adds to its params to prove who calls, by the credential.
    pub signed: &'static [SignedCall],
    /// How a connection is logged on, so that its calls are no longer signed.
    pub logon: Option<Logon>,
    /// Headers that a client may be built with, and the parameters of the URL that say the same for a connection.
    pub parameters: &'static [(&'static str, &'static str)],
}

impl WebSocket {
    /// Plain JSON-RPC 2.0. The tables of tests start from it.
    pub const EMPTY: Self = Self {
        notification: None,
        heartbeat: None,
        dead_after: None,
        connection_life: None,
        ping: None,
        envelope: None,
        commands: None,
        signed: &[],
        logon: None,
        parameters: &[],
    };

    /// What a call with this credential adds.
    pub fn signed_by(&self, credential: &str) -> Option<&'static SignedCall> {
        self.signed.iter().find(|signed| signed.credential == credential)
    }
}

/// How a JSON-RPC venue notifies of what was subscribed to.
#[derive(Debug)]
pub struct Notification {
    /// The method of a notification.
    pub method: &'static str,
    /// The member of its params that names the channel.
    pub channel: &'static str,
    /// The member of its params that contains the data.
    pub data: &'static str,
}

/// How the two ends of a connection see that the other is there.
#[derive(Debug)]
pub struct Heartbeat {
    /// The method of the venue's notification.
    pub method: &'static str,
    /// The member of its params that says what it wants.
    pub kind: &'static str,
    /// What that member contains when the venue wants a reply.
    pub test: &'static str,
    /// The JSON-RPC method that is the reply.
    pub answer: &'static str,
    /// The JSON-RPC method that switches heartbeats on.
    pub set: &'static str,
    /// Its parameter: seconds between two.
    pub interval: &'static str,
}

/// What a client sends so that the venue keeps its connection. Any frame of the venue's shows that it is there.
#[derive(Clone, Copy, Debug)]
pub struct Ping {
    /// Seconds between two.
    pub every: u32,
    /// The whole message.
    pub message: &'static str,
}

/// Calls as commands on a connection that is logged on: a request has the headers and the body of the call over HTTP, and a reply
/// those of its response.
#[derive(Debug)]
pub struct Commands {
    /// The member with the id of a request, a text, which its reply repeats.
    pub id: &'static str,
    /// The member with the name of the command.
    pub command: &'static str,
    /// The member of a request with a list of arguments: one object with the parameters of the call.
    pub arguments: &'static str,
    /// The member with an object of headers, in requests and replies.
    pub headers: &'static str,
    /// Names and templates of the headers that a call has on a connection that is logged on: `{time}` is replaced.
    pub adds: &'static [(&'static str, &'static str)],
    /// The members of a response over HTTP, and the pointers to their values in a reply.
    pub body: &'static [(&'static str, &'static str)],
    /// Commands whose replies belong to no call.
    pub quiet: &'static [&'static str],
    /// Codes by which the venue says that the connection takes no more calls.
    pub closing: &'static [&'static str],
    /// How a connection is logged on.
    pub logon: CommandLogon,
}

/// A command that logs a connection on.
#[derive(Clone, Copy, Debug)]
pub struct CommandLogon {
    /// The operation.
    pub operation: &'static str,
    /// The credential that signs it.
    pub credential: &'static str,
    /// The headers of the credential whose values are the arguments, in order, and the form of each.
    pub values: &'static [(&'static str, ParameterKind)],
    /// Codes by which the venue says that the connection is logged on already.
    pub done: &'static [&'static str],
}

/// The members of requests and replies.
#[derive(Debug)]
pub struct Envelope {
    /// The number of a request, which its reply repeats.
    pub id: &'static str,
    /// The method of a request.
    pub method: &'static str,
    /// Its params.
    pub params: &'static str,
    /// The status of a reply, as HTTP has it.
    pub status: &'static str,
    /// The result, in a reply to a call that succeeded.
    pub result: &'static str,
    /// The error, in any other reply. The pointers of `x-errors` lead into it.
    pub error: &'static str,
    /// A pointer into the error: the time in Unix milliseconds until which the venue takes no call.
    pub retry_at: Option<&'static str>,
    /// How to recognize events, where the venue sends any.
    pub event: Option<EventMembers>,
    /// How replies report the use of the venue's limits.
    pub limits: Option<ReplyLimits>,
}

/// The members of an event, which is a message that replies to no call.
#[derive(Debug)]
pub struct EventMembers {
    /// What happened.
    pub data: &'static str,
    /// The subscription that it belongs to. An event of the connection itself has none.
    pub subscription: &'static str,
    /// The member of the data with the type of an event, and the type by which the venue says that it is going to close the connection.
    pub closing: Option<(&'static str, &'static str)>,
}

/// How replies report the use of the venue's limits: a list of windows.
#[derive(Debug)]
pub struct ReplyLimits {
    /// The member of a reply with the list.
    pub list: &'static str,
    /// The member of an entry that names what is counted.
    pub kind: &'static str,
    /// The member with the unit of the window.
    pub unit: &'static str,
    /// The member with the number of these units.
    pub number: &'static str,
    /// The member with what has been used in the window.
    pub used: &'static str,
    /// What is counted, and its bucket.
    pub buckets: &'static [(&'static str, &'static str)],
    /// The names of units, and their seconds.
    pub units: &'static [(&'static str, u64)],
}

/// What a call adds to its params to prove who calls.
///
/// The text to sign is all params but the signature, sorted by name, as `name=value` with `&` between them. Values are as they are
/// sent and not percent-encoded: a text without its quotes, everything else as JSON. The key signs as the credential's
/// [`Signature`](crate::signature::Signature) says.
#[derive(Clone, Copy, Debug)]
pub struct SignedCall {
    /// The credential.
    pub credential: &'static str,
    /// Names and templates of what is added: `{id}`, `{time}` and `{signature}` are replaced. A value of digits alone is a number. A
    /// parameter that the caller gives is not replaced.
    pub adds: &'static [(&'static str, &'static str)],
}

/// How a connection is logged on.
#[derive(Debug)]
pub struct Logon {
    /// The operation, which is signed like any other.
    pub operation: &'static str,
    /// The kinds of keys that can do it.
    pub keys: &'static [KeyType],
    /// What calls add to their params from then on, in place of a signature.
    pub adds: &'static [(&'static str, &'static str)],
}
