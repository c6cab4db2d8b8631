//! How gaps in a stream are seen, and how what was missed is recovered. Pointers are those of [`stream`](crate::stream).

/// How a gap is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// It cannot be seen.
    None,
    /// Every frame of a subscription that has this member counts on by one, for any type and item.
    Counter {
        /// The member of the frame, beside its type.
        member: &'static str,
        /// The number of the first frame.
        first: i64,
    },
    /// Each message names the one before it, by numbers without an order.
    Chain {
        /// Pointer to a message's number.
        number: &'static str,
        /// Pointer to that of the one before it.
        previous: &'static str,
    },
    /// Each change counts on by one from the message before it. A snapshot sets the number, whatever it was.
    Successive {
        /// Pointer to a message's number.
        number: &'static str,
        /// The number with which the venue begins to count after a restart.
        first: i64,
    },
    /// Each change names the first and the last of the updates that it contains: its first one follows the last one of the change before it. A
    /// snapshot ([`Recovery::Call`]) has the number of the last update that it contains.
    Range {
        /// Pointer to the number of a change's first update.
        first: &'static str,
        /// Pointer to that of its last update.
        last: &'static str,
    },
    /// Records count on by one within their item.
    PerItem {
        /// Pointer to a record's number.
        number: &'static str,
        /// Pointer to its item.
        item: &'static str,
    },
}

/// How what was missed is recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// By the command [`Actions::snapshot`](crate::stream::Actions::snapshot); after a reconnect the venue sends snapshots by itself.
    Snapshot,
    /// By ending the subscription and subscribing again, which brings a snapshot.
    Resubscribe,
    /// By the next message, which is whole.
    Next,
    /// By calls that list what was missed, in this order.
    CatchUp(&'static [CatchUp]),
    /// By a call that returns a snapshot, to which the changes that came meanwhile are applied ([`Sequence::Range`]).
    Call(&'static SnapshotCall),
    /// Not at all: what was missed is lost, and readers are notified.
    Never,
}

/// A call that returns a snapshot. It becomes a message of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotCall {
    /// The operation, by its id.
    pub operation: &'static str,
    /// Parameters of the operation that take a parameter of the subscription: the operation's name, the subscription's.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Parameters with values that are always the same, as JSON.
    pub fixed: &'static [(&'static str, &'static str)],
    /// The type of the message that the response becomes.
    pub kind: &'static str,
    /// Pointer to the number of the last update that it contains.
    pub number: &'static str,
    /// Members that the message has and the response does not: their names, and the parameter of the subscription whose value each takes.
    pub added: &'static [(&'static str, &'static str)],
}

/// A call that returns a book with the number that messages of the channel give to its states: what readers have made of the messages
/// can be compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookAudit {
    /// The call. Its response does not become a message, so that it has no [`kind`](SnapshotCall::kind).
    pub call: SnapshotCall,
    /// Pointer to the bids in the response: pairs of price and size.
    pub bids: &'static str,
    /// Pointer to the asks.
    pub asks: &'static str,
    /// How many levels of each side it returns at most.
    pub depth: usize,
}

/// A call that lists what was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatchUp {
    /// The operation, by its id. It is called page by page where it has pages.
    pub operation: &'static str,
    /// Pointer to the list in the response. Empty: the response is the list.
    pub list: &'static str,
    /// Parameters of the operation that take a parameter of the subscription: the operation's name, the subscription's. With a list,
    /// the operation is called once for each of its values.
    pub parameters: &'static [(&'static str, &'static str)],
    /// The word of a subscription's parameter for which the operation's is left out, such as the one that asks for any.
    pub skip: Option<&'static str>,
    /// Parameters with values that are always the same, as JSON.
    pub fixed: &'static [(&'static str, &'static str)],
    /// The parameter that says how many records a response may have, and the number that is sent. None: the response has all records.
    pub limit: Option<(&'static str, usize)>,
    /// The parameter that takes the time from which on records are wanted, and how many of its units make a second. The parameter is
    /// empty where the operation cannot be asked so: records whose [`order`](Self::order), a time in that unit, is older are passed over.
    pub since: Option<(&'static str, i64)>,
    /// The parameter that takes the number ([`Sequence::PerItem`]) from which on records are wanted.
    pub from: Option<&'static str>,
    /// Pointer to the key of a record, in a message.
    pub key: &'static str,
    /// Pointer to what orders them, in a message: a number or a text. Of two records with the same key the later one counts. Empty
    /// where nothing does: a record whose key a message has brought since is then passed over.
    pub order: &'static str,
    /// Members of a record that a message calls otherwise: the record's name, the message's. A record that has the message's is left as
    /// it is.
    pub renamed: &'static [(&'static str, &'static str)],
    /// Members of a record with a time as text (RFC 3339) that a message has as Unix milliseconds: the record's name, the message's.
    pub times: &'static [(&'static str, &'static str)],
    /// Members that a message has and a record does not: their names, and the parameter of the subscription whose value each takes. Only where
    /// the call is made for one value of it.
    pub added: &'static [(&'static str, &'static str)],
}

impl CatchUp {
    /// The defaults of a row.
    pub const EMPTY: Self = Self {
        operation: "",
        list: "",
        parameters: &[],
        skip: None,
        fixed: &[],
        limit: None,
        since: None,
        from: None,
        key: "",
        order: "",
        renamed: &[],
        times: &[],
        added: &[],
    };
}
