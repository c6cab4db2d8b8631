//! The life cycle of API keys. Fields are names of parameters or of members of a request, places are JSON pointers into a response.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::credentials::{KeyType, Probe};
use super::form;

/// Places that are tried in order.
pub type Places = Vec<String>;

/// What can be done with keys, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Keys {
    /// The name of this family of keys, where there are several.
    pub family: Option<String>,
    /// Other families by their names. One that leaves out `own` has that of this one.
    #[serde(default)]
    pub others: BTreeMap<String, Keys>,
    /// Who may manage keys.
    pub managed_by: ManagedBy,
    /// What scopes a key has.
    pub scopes: ScopeRule,
    /// What a name may be.
    pub name: KeyName,
    /// How many keys an account may have.
    pub most: Option<u32>,
    /// A key may be bound to addresses.
    #[serde(default)]
    pub addresses: bool,
    /// Days after which a key ends that is bound to no address.
    pub unbound_days: Option<u32>,
    /// Clients of the venue that cannot sign with an Ed25519 key.
    pub without_ed25519: Option<String>,
    /// Makes a key, and the venue its secret.
    pub create: Option<CreateKey>,
    /// Registers the public half of a pair.
    pub register: Option<CreateKey>,
    /// Lists the keys.
    pub list: ListKeys,
    /// Shows the key that asks.
    pub own: Option<OwnKey>,
    /// Gives a key a new secret.
    pub rotate: Option<RotateKey>,
    /// Calls that change a key, in this order; each is made where something of it is to change.
    #[serde(default)]
    pub edit: Vec<EditKey>,
    /// Ends a key.
    pub revoke: KeyCall,
    /// Switches a key on again.
    pub enable: Option<KeyCall>,
    /// The sub-accounts whose keys are managed.
    pub sub_accounts: Option<SubAccounts>,
    /// Calls that prove that a new key works; those of `x-probes` if they are left out.
    #[serde(default)]
    pub probes: Vec<Probe>,
}

/// Who may manage keys.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ManagedBy {
    /// A key.
    Key,
    /// A session, and no key.
    Session,
}

/// What scopes keys have.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeRule {
    /// None.
    None,
    /// Without any the venue gives its own.
    Optional,
    /// Without any a key may do nothing.
    Required,
}

/// What a name may be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeyName {
    /// Characters.
    pub longest: u32,
    /// What stands before a tag.
    pub separator: char,
}

/// A call about one key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeyCall {
    /// The operation.
    pub operation: String,
    /// The field of the key's id.
    pub id: String,
    /// The field of the sub-account that the key is of.
    pub sub_account: Option<String>,
}

/// How a key is made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CreateKey {
    /// The operation.
    pub operation: String,
    /// What the request is made of.
    pub fields: CreateFields,
    /// Members that are always sent.
    #[serde(default)]
    pub fixed: BTreeMap<String, Value>,
    /// Members that are copied from a key that the new one is to be like: member of the request, place in an entry of the list. Each of
    /// the entry's `limits` is among the places.
    #[serde(default)]
    pub copies: BTreeMap<String, String>,
    /// What the response holds.
    pub returns: NewSecret,
}

/// A call that changes a key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EditKey {
    /// The operation.
    pub operation: String,
    /// The field of the key's id; without it the call is about the key that makes it.
    pub id: Option<String>,
    /// The field of the sub-account that the key is of.
    pub sub_account: Option<String>,
    /// What changes. What stays is left out, unless the request must have it.
    #[serde(default)]
    pub fields: EditFields,
    /// Addresses are sent along also where they stay: the venue takes what is left out for none.
    #[serde(default)]
    pub always_addresses: bool,
    /// Members in place of addresses, for a key that is to be bound to none.
    #[serde(default)]
    pub unbound: BTreeMap<String, Value>,
    /// Addresses that the key is not to be bound to any longer, of a call that does nothing else.
    pub removes: Option<Texts>,
    /// Members that are copied from the entry of the key, so that they stay: member of the request, place in the entry.
    #[serde(default)]
    pub copies: BTreeMap<String, String>,
}

/// What a call changes of a key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EditFields {
    /// The name.
    pub name: Option<String>,
    /// The scopes.
    pub scopes: Option<Texts>,
    /// The addresses that it may be used from.
    pub addresses: Option<Texts>,
}

/// Fields of a request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CreateFields {
    /// The name.
    pub name: Option<String>,
    /// The scopes.
    pub scopes: Option<Texts>,
    /// The kinds of key for which scopes count; all if it is left out.
    pub scopes_for: Option<ScopesFor>,
    /// The public half of a pair, as PEM.
    pub public_key: Option<String>,
    /// The kinds of pair that are accepted; any if it is left out.
    #[serde(default)]
    pub pairs: Vec<KeyType>,
    /// The sub-account whose key it becomes.
    pub sub_account: Option<String>,
    /// The addresses that it may be used from.
    pub addresses: Option<Texts>,
}

/// The kinds of key for which scopes count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScopesFor {
    /// Kinds of pair.
    pub pairs: Vec<KeyType>,
    /// The scope of every other key, whatever is asked for.
    pub otherwise: String,
}

/// A field with several texts: its name alone where they are a list.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Texts {
    /// A list.
    List(String),
    /// Another form.
    Other(OtherTexts),
    /// Booleans.
    Flags(Flags),
}

/// A field whose texts are no list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherTexts {
    /// The field.
    pub field: String,
    /// How the texts are written.
    pub form: TextsForm,
    /// Members that are also sent where there are texts.
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
}

/// Members that are booleans.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flags {
    /// The members. Each is true where its name is among the texts.
    pub flags: Vec<String>,
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match &value {
            Value::String(field) => Ok(Self::List(field.clone())),
            Value::Object(map) if map.contains_key("flags") => form(&value).map(Self::Flags),
            Value::Object(_) => form(&value).map(Self::Other),
            _ => Err(serde::de::Error::custom("is the name of a list, `{field, form}` or `{flags: [...]}`")),
        }
    }
}

impl Texts {
    /// The fields, and how their texts are written.
    pub fn parts(&self) -> (&[String], TextsForm) {
        match self {
            Self::List(field) => (std::slice::from_ref(field), TextsForm::List),
            Self::Other(OtherTexts { field, form, .. }) => (std::slice::from_ref(field), *form),
            Self::Flags(Flags { flags }) => (flags, TextsForm::Flags),
        }
    }

    /// Members that are also sent where there are texts.
    pub fn with(&self) -> impl Iterator<Item = (&String, &Value)> {
        let with = match self {
            Self::Other(OtherTexts { with, .. }) => Some(with),
            _ => None,
        };
        with.into_iter().flatten()
    }
}

/// How several texts are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TextsForm {
    /// A list.
    #[default]
    List,
    /// One text, with blanks between.
    Blanks,
    /// One text, with commas between.
    Commas,
    /// An object of lists: `Spot:Trade` is `Trade` in the list `Spot`.
    Groups,
    /// Booleans, whose names are the texts.
    Flags,
    /// One text, and no more than that.
    One,
}

/// What a response has of a new key or secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NewSecret {
    /// The id that other calls take; without it the list is asked.
    #[serde(default)]
    pub id: Places,
    /// What identifies the caller.
    #[serde(default)]
    pub public_id: Places,
    /// The secret.
    #[serde(default)]
    pub secret: Places,
    /// The secret is a private key as PEM.
    #[serde(default)]
    pub private_key: bool,
    /// A member that is there where no secret but a fingerprint is.
    pub fingerprint_if: Option<String>,
    /// What the venue warns of.
    pub warning: Option<String>,
}

/// How keys are listed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ListKeys {
    /// The operation.
    pub operation: String,
    /// Parameters that are also sent.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
    /// The list; the empty place is the response itself.
    pub at: Places,
    /// The number of all keys.
    pub total: Option<String>,
    /// The field of the sub-account.
    pub sub_account: Option<String>,
    /// What an entry holds.
    pub entry: KeyEntry,
    /// A call about one key whose response shows the addresses that the list leaves out, for a key that is to be replaced.
    pub detail: Option<KeyCall>,
    /// Until when the account's owner has attested a location.
    pub attested_until: Option<Time>,
}

/// The key that asks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OwnKey {
    /// The operation.
    pub operation: String,
    /// The key; the empty place is the response itself.
    #[serde(default)]
    pub at: String,
    /// What is there; without an `id` the key has that of the caller.
    pub entry: KeyEntry,
}

/// What a list says of a key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeyEntry {
    /// The id that other calls take.
    #[serde(default)]
    pub id: Places,
    /// What identifies the caller.
    #[serde(default)]
    pub public_id: Places,
    /// The name.
    #[serde(default)]
    pub name: Places,
    /// The scopes.
    #[serde(default)]
    pub scopes: Places,
    /// How scopes are written.
    #[serde(default)]
    pub scopes_form: TextsForm,
    /// The addresses that it may be used from.
    #[serde(default)]
    pub addresses: Places,
    /// How they are written.
    #[serde(default)]
    pub addresses_form: TextsForm,
    /// A boolean, or its text: it is bound to addresses, which may not be shown.
    #[serde(default)]
    pub bound: Places,
    /// A boolean: it works.
    #[serde(default)]
    pub enabled: Places,
    /// A boolean: it does not.
    #[serde(default)]
    pub disabled: Places,
    /// The word for its state where that boolean is true.
    pub disabled_is: Option<String>,
    /// The venue's word for its state, which counts before the booleans.
    #[serde(default)]
    pub status: Places,
    /// The words for a key that works.
    #[serde(default)]
    pub working: Vec<String>,
    /// Every key of the list works.
    #[serde(default)]
    pub all_work: bool,
    /// The public half of a pair.
    #[serde(default)]
    pub public_key: Places,
    /// When it was made.
    pub created: Option<Time>,
    /// When it ends.
    pub expires: Option<Time>,
    /// When it was used last.
    pub last_used: Option<Time>,
    /// What else limits it.
    #[serde(default)]
    pub limits: Vec<Limit>,
}

/// What limits a key beside its scopes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limit {
    /// The place of a text, or of a list of texts.
    pub at: String,
    /// How each is said: `{}` stands for the text, `{day}` for the day of a time. Without either it is a fact: false and 0 limit nothing.
    pub says: String,
}

/// A time in a response.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Time {
    /// The place.
    pub at: String,
    /// How it is written.
    pub unit: TimeForm,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
pub enum TimeForm {
    /// RFC 3339.
    #[serde(rename = "date-time")]
    DateTime,
    /// Unix seconds.
    #[serde(rename = "unix-s")]
    UnixSeconds,
    /// Unix milliseconds.
    #[serde(rename = "unix-ms")]
    UnixMillis,
}

/// How a key gets a new secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RotateKey {
    /// The operation.
    pub operation: String,
    /// The field of the key's id.
    pub id: String,
    /// What the response holds.
    pub returns: NewSecret,
}

/// The sub-accounts of an account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SubAccounts {
    /// The operation that lists them.
    pub operation: String,
    /// Parameters that are also sent.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
    /// The list.
    pub at: Places,
    /// What other calls take.
    pub id: Places,
}
