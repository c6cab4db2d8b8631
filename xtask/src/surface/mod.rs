//! What a document says of an API, in one form, whichever standard it is written in: operations, channels, and the types that they are
//! made of. `diff` compares two of ours, `drift` compares ours with a vendor's or with recorded traffic.

pub mod asyncapi;
pub mod build;
pub mod endpoints;
pub mod inventory;
pub mod openapi;
pub mod openrpc;
pub mod ours;
pub mod pairs;
pub mod said;
pub mod stream_inventory;
pub mod tree;
pub mod vendor;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Which form a document has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// OpenAPI 3.0 or 3.1, of REST or of JSON-RPC methods.
    OpenApi,
    /// OpenRPC 1.
    OpenRpc,
    /// AsyncAPI 2 or 3.
    AsyncApi,
    /// An inventory of operations.
    Inventory,
    /// An inventory of channels.
    StreamInventory,
}

impl Form {
    /// Its name in `drift.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenApi => "openapi",
            Self::OpenRpc => "openrpc",
            Self::AsyncApi => "asyncapi",
            Self::Inventory => "inventory",
            Self::StreamInventory => "stream-inventory",
        }
    }

    /// The form of a name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::OpenApi, Self::OpenRpc, Self::AsyncApi, Self::Inventory, Self::StreamInventory];
        all.into_iter().find(|form| form.name() == name)
    }
}

/// An index into [`Surface::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub usize);

/// A type where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The type.
    pub id: TypeId,
    /// Whether null is allowed here.
    pub nullable: bool,
}

/// JSON types, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// A text.
    pub const STRING: Self = Self(1);
    /// A whole number.
    pub const INTEGER: Self = Self(2);
    /// A number, whole or not.
    pub const NUMBER: Self = Self(4);
    /// True or false.
    pub const BOOLEAN: Self = Self(8);
    /// An object.
    pub const OBJECT: Self = Self(16);
    /// A list.
    pub const ARRAY: Self = Self(32);
    /// Not known: anything.
    pub const ANY: Self = Self(0);

    const NAMES: [(Self, &'static str); 6] = [
        (Self::STRING, "string"),
        (Self::INTEGER, "integer"),
        (Self::NUMBER, "number"),
        (Self::BOOLEAN, "boolean"),
        (Self::OBJECT, "object"),
        (Self::ARRAY, "array"),
    ];

    /// The set of one type's name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, own)| *own == name).map(|(kind, _)| *kind)
    }

    /// The names of the types in the set; none where it may be anything.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(kind, _)| self.has(*kind)).map(|(_, name)| name)
    }

    /// Both sets together. What may be anything stays so.
    pub fn or(self, other: Self) -> Self {
        if self.is_any() || other.is_any() { Self::ANY } else { Self(self.0 | other.0) }
    }

    /// Whether nothing is known.
    pub fn is_any(self) -> bool {
        self.0 == 0
    }

    /// Whether a type is among these.
    pub fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }

    /// Whether each of the other types is among these. A whole number is a number.
    pub fn covers(self, other: Self) -> bool {
        let own = if self.has(Self::NUMBER) { self.0 | Self::INTEGER.0 } else { self.0 };
        self.is_any() || other.is_any() || own & other.0 == other.0
    }

    /// Whether a value is one of these.
    pub fn admit(self, value: &Value) -> bool {
        let kind = match value {
            Value::Null => return true,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if number.is_f64() => {
                // 25.0 is a whole number.
                if number.as_f64().is_some_and(|float| float.fract() == 0.0) { Self::INTEGER } else { Self::NUMBER }
            }
            Value::Number(_) => Self::INTEGER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        };
        self.covers(kind)
    }
}

impl std::fmt::Display for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_any() {
            return f.write_str("anything");
        }
        f.write_str(&self.names().collect::<Vec<_>>().join(" or "))
    }
}

/// A type.
#[derive(Clone, Debug, Default)]
pub struct Type {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Where it is defined: a pointer into the document.
    pub at: String,
    /// What it may be.
    pub kinds: Kinds,
    /// Whether null is one of its values.
    pub nullable: bool,
    /// How a text or a number is written, such as `date-time`.
    pub format: Option<String>,
    /// The values that there are.
    pub values: Option<BTreeSet<String>>,
    /// Whether no value may be added (`x-closed`).
    pub closed: bool,
    /// The members of an object.
    pub fields: Vec<Field>,
    /// Whether the schema lists the members of an object, even if there are none.
    pub lists_members: bool,
    /// The elements of a list.
    pub items: Option<Use>,
    /// The elements of a list of fixed length.
    pub tuple: Vec<Use>,
    /// The values of a map.
    pub entries: Option<Use>,
    /// Whether an object may have members that nobody describes.
    pub open: bool,
    /// Members of which one at least must be there (`x-vital`).
    pub one_of: Vec<String>,
    /// Bounds and patterns, by their words.
    pub limits: BTreeMap<String, String>,
    /// What it is for.
    pub description: String,
    /// Whether a text is a secret.
    pub secret: bool,
    /// Our other words of the schema, by their names.
    pub words: BTreeMap<String, Value>,
}

impl Type {
    /// The member of a name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether null in a response is read as a value of it: lists and maps are empty then.
    pub fn reads_null(&self) -> bool {
        self.kinds == Kinds::ARRAY || self.entries.is_some() && self.fields.is_empty()
    }

    /// Whether it says nothing of its values but what they are at the outside.
    pub fn is_opaque(&self) -> bool {
        self.fields.is_empty() && self.items.is_none() && self.entries.is_none() && self.tuple.is_empty()
    }
}

/// A member of an object.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub value: Use,
    /// Whether it must be there.
    pub required: bool,
    /// Where it is defined.
    pub at: String,
    /// Its place among the members, from 0 for the first to 1 for the last.
    pub position: f32,
    /// What it is for.
    pub description: String,
    /// Whether it is going to be removed.
    pub deprecated: bool,
    /// What counts where it is left out.
    pub default: Option<String>,
    /// Its name in Rust, where it is not the venue's (`x-name`).
    pub rust_name: Option<String>,
}

/// A parameter of an operation or a channel.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The member that it would be of an object: name, type, whether it is required.
    pub field: Field,
    /// `path`, `query`, `header`; `param` of a JSON-RPC method.
    pub place: String,
    /// How a list in it is written, where the document says it.
    pub notation: Option<Notation>,
    /// What else is said of it: our words, by their names.
    pub facts: BTreeMap<String, Value>,
}

/// How a list in a parameter is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// The parameter is repeated.
    Repeated,
    /// One text, by another sign or in another style.
    Joined,
    /// JSON text.
    Json,
}

impl Notation {
    /// As a parameter of OpenAPI says it; nothing where it does not.
    pub fn of(parameter: &Value) -> Option<Self> {
        if parameter.get("content").is_some() {
            return Some(Self::Json);
        }
        let style = parameter.get("style").and_then(Value::as_str);
        let explode = parameter.get("explode").and_then(Value::as_bool);
        match (style, explode) {
            (None, None) => None,
            (None | Some("form"), None | Some(true)) => Some(Self::Repeated),
            _ => Some(Self::Joined),
        }
    }

    /// In a few words.
    pub fn says(self) -> &'static str {
        match self {
            Self::Repeated => "the parameter is repeated",
            Self::Joined => "the elements are joined to one text",
            Self::Json => "the list is JSON text",
        }
    }
}

/// One operation or method.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// Where it is defined.
    pub at: String,
    /// `GET /markets/{ticker}`, or the name of a JSON-RPC method.
    pub call: String,
    /// Its parameters; the members of the body are not among them.
    pub parameters: Vec<Parameter>,
    /// The body of its requests.
    pub body: Option<Use>,
    /// Whether the body is a form.
    pub form: bool,
    /// The body of good responses.
    pub result: Option<Use>,
    /// The body of errors.
    pub error: Option<Use>,
    /// The status of a good response, such as `201`.
    pub success: Option<String>,
    /// Whether it is going to be removed.
    pub deprecated: bool,
    /// Whether it is listed as one of an earlier time, which nobody has to have.
    pub earlier: bool,
    /// Whether it needs a credential. None: not said.
    pub signed: Option<bool>,
    /// What else is said of it: our words, by their names.
    pub facts: BTreeMap<String, Value>,
    /// What it is for.
    pub description: String,
}

/// One channel.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// Its key in the document.
    pub id: String,
    /// Where it is defined.
    pub at: String,
    /// Its address, such as `book.{instrument_name}.raw`.
    pub address: String,
    /// The endpoints that serve it; none where that is not said.
    pub endpoints: BTreeSet<String>,
    /// What a subscription takes.
    pub parameters: Vec<Parameter>,
    /// Its messages, data without frames.
    pub messages: Vec<Message>,
    /// What else is said of it: our words, by their names.
    pub facts: BTreeMap<String, Value>,
    /// What it is for.
    pub description: String,
}

impl Channel {
    /// What is one channel: an address at the endpoints that serve it. One address may be another channel at another endpoint.
    pub fn key(&self) -> String {
        let endpoints: Vec<&str> = self.endpoints.iter().map(String::as_str).collect();
        match endpoints.as_slice() {
            [] => channel_key(&self.address),
            all => format!("{} at {}", channel_key(&self.address), all.join(",")),
        }
    }

    /// Whether it is, or may be, served at an endpoint.
    pub fn is_at(&self, endpoint: &str) -> bool {
        self.endpoints.is_empty() || endpoint.is_empty() || self.endpoints.contains(endpoint)
    }
}

/// One message of a channel.
#[derive(Clone, Debug)]
pub struct Message {
    /// The venue's word for its type; empty where the channel has one without a name.
    pub name: String,
    /// A member's pointer and text that tell it from others of the same name.
    pub when: Option<(String, String)>,
    /// The data.
    pub payload: Use,
    /// Whether it is one record of the list that arrives.
    pub in_list: bool,
    /// What else is said of it: our words, by their names.
    pub facts: BTreeMap<String, Value>,
}

/// An API as a document describes it.
#[derive(Clone, Debug, Default)]
pub struct Surface {
    /// What the document calls itself, with its version.
    pub title: String,
    /// By [`key`].
    pub operations: BTreeMap<String, Operation>,
    /// By [`Channel::key`].
    pub channels: BTreeMap<String, Channel>,
    /// All types. They refer to each other by their indices, since they may be recursive.
    pub types: Vec<Type>,
    /// Path prefixes of the servers, which some documents repeat in each path.
    pub prefixes: BTreeSet<String>,
    /// Facts of the whole API: our words of the root, by their names.
    pub facts: BTreeMap<String, Value>,
    /// Whether the document says anywhere who may call.
    pub knows_access: bool,
    /// Whether an operation without a body has none; otherwise it may only be unknown.
    pub knows_bodies: bool,
    /// Headers that carry credentials, in lower case.
    pub credential_headers: BTreeSet<String>,
    /// Parameters that a signature adds to a request.
    pub credential_parameters: BTreeSet<String>,
}

impl Surface {
    /// A type.
    pub fn of(&self, id: TypeId) -> &Type {
        &self.types[id.0]
    }

    /// The type of a use.
    pub fn at(&self, value: Use) -> &Type {
        self.of(value.id)
    }

    /// Whether null is allowed at a use.
    pub fn nullable(&self, value: Use) -> bool {
        value.nullable || self.at(value).nullable
    }

    /// Every operation with whether its key is written with one of the prefixes: the keys without them.
    pub fn without_prefixes(mut self, prefixes: &BTreeSet<String>) -> Self {
        let operations = std::mem::take(&mut self.operations);
        for (key, operation) in operations {
            let short = match key.split_once(' ') {
                Some((method, path)) => {
                    let cut = prefixes.iter().filter_map(|prefix| path.strip_prefix(prefix.as_str()));
                    let cut = cut.filter(|rest| rest.starts_with('/')).min_by_key(|rest| rest.len());
                    format!("{method} {}", cut.unwrap_or(path))
                }
                None => key,
            };
            self.operations.insert(short, operation);
        }
        self
    }
}

/// A part of a whole.
#[allow(clippy::cast_precision_loss)]
pub fn ratio(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}

/// What two documents have in common of an operation: the method, and the path with its parameters unnamed.
pub fn key(method: &str, path: &str) -> String {
    let path = unnamed(path);
    let path = path.trim_end_matches('/');
    format!("{} {}", method.to_uppercase(), if path.is_empty() { "/" } else { path })
}

/// What two documents have in common of a channel: its address with its parameters unnamed.
pub fn channel_key(address: &str) -> String {
    unnamed(address)
}

/// Whether a text may be an instance of a template such as `kline_{interval}`; how many of its letters are plain ones. A parameter is at
/// least one letter, and has no dot.
pub fn fits(template: &str, text: &str) -> Option<usize> {
    fn matches(literals: &[&str], text: &str) -> bool {
        let Some((first, rest)) = literals.split_first() else { return false };
        // The last one ends the text.
        if rest.is_empty() {
            return text.len() > first.len()
                && text.ends_with(first)
                && !text[..text.len() - first.len()].contains('.');
        }
        let ends = text.match_indices(first).map(|(at, _)| at);
        ends.filter(|at| *at > 0 && !text[..*at].contains('.')).any(|at| matches(rest, &text[at + first.len()..]))
    }
    let template = unnamed(template);
    let literals: Vec<&str> = template.split("{}").collect();
    let plain = literals.iter().map(|literal| literal.len()).sum();
    let (first, rest) = literals.split_first()?;
    let after = text.strip_prefix(first)?;
    let is_it = if rest.is_empty() { after.is_empty() } else { matches(rest, after) };
    is_it.then_some(plain)
}

fn unnamed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('{') {
        out.push_str(before);
        out.push_str("{}");
        rest = inside.split_once('}').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_leave_names_of_parameters_out() {
        assert_eq!(key("get", "/a/{x}/b/{y}/"), "GET /a/{}/b/{}");
        assert_eq!(key("GET", "/"), "GET /");
        assert_eq!(channel_key("book.{instrument}.raw"), "book.{}.raw");
    }

    #[test]
    fn a_template_fits_what_it_may_become() {
        for (template, text, expected) in [
            ("wallet", "wallet", Some(6)),
            ("wallet", "wallets", None),
            ("orderbook.{depth}.{symbol}", "orderbook.50.BTCUSDT", Some(11)),
            ("orderbook.{depth}.{symbol}", "orderbook.50", None),
            ("orderbook.1.{symbol}", "orderbook.1.BTCUSDT", Some(12)),
            ("{symbol}@kline_{interval}", "btcusdt@kline_1m", Some(7)),
            ("{symbol}@kline_{interval}@+08:00", "btcusdt@kline_1m@+08:00", Some(14)),
            ("{symbol}@depth{levels}", "btcusdt@depth", None),
            ("{symbol}@depth", "btcusdt@depth20", None),
            ("trades.{kind}.raw", "trades.a.b.raw", None),
        ] {
            assert_eq!(fits(template, text), expected, "{template} {text}");
        }
    }

    #[test]
    fn a_whole_number_is_a_number_and_not_the_other_way_round() {
        assert!(Kinds::NUMBER.covers(Kinds::INTEGER));
        assert!(!Kinds::INTEGER.covers(Kinds::NUMBER));
        assert!(Kinds::ANY.covers(Kinds::STRING) && Kinds::STRING.covers(Kinds::ANY));
        assert!(Kinds::INTEGER.admit(&serde_json::json!(25.0)));
        assert_eq!(Kinds::STRING.or(Kinds::INTEGER).to_string(), "string or integer");
    }
}
