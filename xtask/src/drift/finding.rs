//! What a vendor's document or traffic says otherwise than our spec.

use std::collections::BTreeSet;
use std::fmt;

use crate::judgement::Judgement;

/// Rules of comparison, by the names that `drift.yaml` and reports use.
pub const RULES: [(&str, &str); 34] = [
    ("new-operation", "the vendor has an operation that our spec lacks"),
    ("removed-operation", "our spec has an operation that the vendor lacks"),
    ("moved-operation", "an operation has another path or method"),
    ("deprecated", "the vendor is going to remove it"),
    ("access", "whether a credential is needed"),
    ("status", "the status of a good response"),
    ("new-body", "the vendor sends or takes a body where our spec has none"),
    ("removed-body", "our spec has a body where the vendor has none"),
    ("new-parameter", "a parameter that our spec lacks"),
    ("removed-parameter", "a parameter that the vendor lacks"),
    ("moved-parameter", "a parameter in another place of the request"),
    ("renamed-parameter", "a parameter that seems to have another name"),
    ("new-field", "a member that our spec lacks: its value is lost"),
    ("removed-field", "a member that the vendor lacks"),
    ("renamed-field", "a member that seems to have another name: its value is lost"),
    ("retyped", "another JSON type"),
    ("retyped-text", "another JSON type of a parameter, where both are written the same"),
    ("unit", "a time in another unit or notation"),
    ("newly-required", "requests need it"),
    ("no-longer-required", "requests may leave it out"),
    ("no-longer-nullable", "a member of a request may not be null"),
    ("newly-nullable", "a vital member of a response may be null"),
    ("newly-optional", "a vital member of a response may be missing"),
    ("tighter-bound", "requests with values that our spec allows are refused"),
    ("looser-bound", "requests may have more values than our spec says"),
    ("pattern", "how a text of a request must be written"),
    ("default", "what counts where a request leaves it out"),
    ("notation", "how a list in a parameter is written"),
    ("new-value", "a value that our enum lacks"),
    ("removed-value", "a value that the vendor's enum lacks"),
    ("new-channel", "a channel that our spec lacks"),
    ("removed-channel", "a channel that the vendor lacks"),
    ("new-message", "a message that our spec lacks"),
    ("removed-message", "a message that the vendor lacks"),
];

/// A change to our spec that would follow the vendor.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A member of the object at a pointer.
    AddField { object: String, name: String, schema: String, required: bool },
    /// The same member under another name.
    RenameField { object: String, from: String, to: String },
    /// No such member.
    RemoveField { object: String, name: String },
    /// Another `type`.
    Retype { schema: String, to: String },
    /// One more value of the enum at a pointer.
    AddValue { schema: String, value: String },
    /// One value less.
    RemoveValue { schema: String, value: String },
    /// One more name in the list `required` of an object.
    Require { object: String, name: String },
    /// One name less in it.
    Release { object: String, name: String },
    /// One more parameter in the list of an operation.
    AddParameter { operation: String, name: String, place: String, required: bool, schema: String },
    /// No such parameter.
    RemoveParameter { parameter: String },
    /// The same parameter under another name.
    RenameParameter { parameter: String, to: String },
}

/// One difference.
#[derive(Clone, Debug)]
pub struct Drift {
    /// One of [`RULES`].
    pub rule: &'static str,
    /// What it is about: `Market.ticker`, `GetMarkets(limit)`, `Order.status=resting`.
    pub place: String,
    /// What differs.
    pub message: String,
    /// What it means for users.
    pub judgement: Judgement,
    /// Where our spec says it: a pointer into the joined document.
    pub at: String,
    /// Operations and channels that it is part of.
    pub users: BTreeSet<String>,
    /// How our spec would follow.
    pub change: Option<Change>,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.rule, self.place, self.message)
    }
}
