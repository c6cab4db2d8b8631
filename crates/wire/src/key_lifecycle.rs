//! The life cycle of a venue's API keys, as its spec says it (`x-keys`).
//!
//! Places in responses are JSON pointers, tried in order.

use crate::credentials::Probe;
use crate::signature::KeyType;

/// What a venue lets its users do with API keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLifecycle {
    /// The name of this family of keys, where the venue has several.
    pub family: Option<&'static str>,
    /// The venue's other families of keys.
    pub others: &'static [KeyLifecycle],
    /// The environments in which keys are managed by calls. Empty: in all.
    pub environments: &'static [&'static str],
    /// Who may manage keys.
    pub managed_by: ManagedBy,
    /// What scopes a key has.
    pub scopes: ScopeRule,
    /// The longest name of a key, in characters.
    pub longest_name: usize,
    /// What stands between a name and its tag.
    pub name_separator: char,
    /// An account has no more keys than that.
    pub most: Option<usize>,
    /// A key may be bound to addresses.
    pub binds_addresses: bool,
    /// Days after which a key ends that is bound to no address.
    pub unbound_days: Option<u32>,
    /// Clients of the venue that cannot sign with an Ed25519 key.
    pub without_ed25519: Option<&'static str>,
    /// Makes a key, and the venue its secret.
    pub create: Option<CreateKey>,
    /// Registers the public half of a pair.
    pub register: Option<CreateKey>,
    /// Lists the keys.
    pub list: ListKeys,
    /// The key that asks, where the venue tells it apart from the list.
    pub own: Option<OwnKey>,
    /// Gives a key a new secret. Without it a key is made, and the old one revoked.
    pub rotate: Option<RotateKey>,
    /// Calls that change a key, in this order. Each is made where something of it is to change. Empty: keys stay as they were made.
    pub edit: &'static [EditKey],
    /// Ends a key for good.
    pub revoke: KeyCall,
    /// Switches a key on again.
    pub enable: Option<KeyCall>,
    /// The sub-accounts whose keys are managed.
    pub sub_accounts: Option<SubAccounts>,
    /// Calls that prove that a new key works. Empty: those of the venue's probes.
    pub probes: &'static [Probe],
}

impl KeyLifecycle {
    /// The families of keys: this one, and the others.
    pub fn families(&'static self) -> impl Iterator<Item = &'static Self> {
        std::iter::once(self).chain(self.others)
    }

    /// The family of this name; without one this family.
    pub fn of_family(&'static self, name: Option<&str>) -> Option<&'static Self> {
        match name {
            Some(name) => self.families().find(|keys| keys.family == Some(name)),
            None => Some(self),
        }
    }

    /// Whether keys are managed by calls in this environment.
    pub fn is_in(&self, environment: &str) -> bool {
        self.environments.is_empty() || self.environments.contains(&environment)
    }
}

/// Who may manage keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedBy {
    /// A key.
    Key,
    /// A session of the account's owner, and no key.
    Session,
}

/// What scopes keys have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeRule {
    /// Keys have none.
    None,
    /// A key without any gets what the venue gives by default.
    Optional,
    /// A key without any may do nothing.
    Required,
}

/// A call about one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCall {
    /// The operation.
    pub operation: &'static str,
    /// Where the key's id goes.
    pub id: Field,
    /// Where the sub-account of the key goes.
    pub sub_account: Option<Field>,
    /// What a good response is.
    pub returns: Returns,
}

/// What the good response of a call is that returns nothing of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// It has no body.
    Nothing,
    /// A text.
    Text,
    /// An object.
    Object,
    /// Something else.
    Anything,
}

/// A parameter or a member of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Where it goes.
    pub place: FieldPlace,
    /// Whether it is written as a number.
    pub is_number: bool,
    /// Whether a request must have it.
    pub is_required: bool,
}

/// Where a field of a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldPlace {
    /// Into the path, in place of its one parameter.
    Path,
    /// Into the query.
    Query,
    /// Into the body; of a JSON-RPC call into its params.
    Body,
}

/// A field with several texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextsField {
    /// The field; with [`TextsForm::Flags`], a field for each possible text.
    pub fields: &'static [Field],
    /// How the texts are written.
    pub form: TextsForm,
    /// Members that are added if there are any texts: their names, and their values as JSON.
    pub with: &'static [(&'static str, &'static str)],
}

impl TextsField {
    /// Whether a request without any texts leaves the field out, so that the venue decides. Booleans that are left out are false.
    pub fn is_optional(&self) -> bool {
        self.form != TextsForm::Flags && self.fields.iter().all(|field| !field.is_required)
    }
}

/// How several texts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextsForm {
    /// As a list.
    List,
    /// As one text, with blanks between.
    Blanks,
    /// As one text, with commas between.
    Commas,
    /// As an object of lists: `Spot:Trade` is the text `Trade` in the list `Spot`.
    Groups,
    /// As booleans: each text is the name of a member that is true.
    Flags,
    /// As a single text.
    One,
}

/// How a key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateKey {
    /// The operation.
    pub operation: &'static str,
    /// Where the name goes.
    pub name: Option<Field>,
    /// Where the scopes go.
    pub scopes: Option<TextsField>,
    /// The kinds of key for which scopes count, where that is not all of them.
    pub scopes_for: Option<ScopesFor>,
    /// Where the public half of a pair goes, as PEM.
    pub public_key: Option<Field>,
    /// The kinds of pair that are accepted. Empty: any.
    pub pairs: &'static [KeyType],
    /// Where the sub-account goes whose key it becomes.
    pub sub_account: Option<Field>,
    /// Where the addresses go that it may be used from.
    pub addresses: Option<TextsField>,
    /// Members that are always sent: the name, and the value as JSON.
    pub fixed: &'static [(&'static str, &'static str)],
    /// Members that are copied from a key that the new one is to be like: the field, the pointer into the entry of a list. Where the
    /// request must have the field and the entry does not show it, no key is made.
    pub copies: &'static [(Field, &'static str)],
    /// What the response holds.
    pub returns: NewSecret,
}

/// Kinds of key for which scopes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopesFor {
    /// Pairs of these kinds. A key with a shared secret is never among them.
    pub pairs: &'static [KeyType],
    /// The scope of every other key, whatever is asked for.
    pub otherwise: &'static str,
}

/// What a response has of a new key, or of a new secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSecret {
    /// The id that other calls take. Without a pointer the list is asked for it.
    pub id: &'static [&'static str],
    /// What identifies the caller in requests.
    pub public_id: &'static [&'static str],
    /// The secret. Without a pointer there is none: a pair was registered.
    pub secret: &'static [&'static str],
    /// Whether the secret is a private key as PEM.
    pub is_private_key: bool,
    /// A member that is there where the secret's place holds no secret but a fingerprint.
    pub fingerprint_if: Option<&'static str>,
    /// What the venue warns of.
    pub warning: Option<&'static str>,
}

/// How a key gets a new secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotateKey {
    /// The call.
    pub call: KeyCall,
    /// What the response holds.
    pub returns: NewSecret,
}

/// A call that changes a key. What stays is left out, unless the request must have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EditKey {
    /// The operation.
    pub operation: &'static str,
    /// Where the key's id goes. None: the call is about the key that makes it.
    pub id: Option<Field>,
    /// Where the sub-account of the key goes.
    pub sub_account: Option<Field>,
    /// Where the name goes.
    pub name: Option<Field>,
    /// Where the scopes go.
    pub scopes: Option<TextsField>,
    /// Where the addresses go that it may be used from.
    pub addresses: Option<TextsField>,
    /// Addresses are sent along also where they stay: the venue takes what is left out for none.
    pub always_addresses: bool,
    /// Members that are sent in place of addresses where the key is to be bound to none: their names, and their values as JSON.
    pub unbound: &'static [(&'static str, &'static str)],
    /// Where addresses go that the key is not to be bound to any longer. Such a call does nothing else.
    pub removes: Option<TextsField>,
    /// Members that are copied from the entry of the key, so that they stay: the field, the pointer into the entry.
    pub copies: &'static [(Field, &'static str)],
    /// What a good response is.
    pub returns: Returns,
}

/// How keys are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListKeys {
    /// The operation.
    pub operation: &'static str,
    /// Parameters with fixed values: names and values.
    pub with: &'static [(&'static str, &'static str)],
    /// Where the list is; the empty pointer is the response itself.
    pub at: &'static [&'static str],
    /// Where the number of all keys is: a list with fewer is not whole.
    pub total: Option<&'static str>,
    /// Where the sub-account goes whose keys are listed.
    pub sub_account: Option<Field>,
    /// What an entry holds.
    pub entry: KeyEntry,
    /// A call about one key whose response shows the addresses that the list leaves out. It is made for a key that is to be replaced.
    pub detail: Option<KeyCall>,
    /// Where the response says until when the account's owner has attested a location.
    pub attested_until: Option<Time>,
}

/// The key that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnKey {
    /// The operation.
    pub operation: &'static str,
    /// Where the key is; the empty pointer is the response itself.
    pub at: &'static str,
    /// What is there. Without an `id`, the key's id is that of the caller.
    pub entry: KeyEntry,
}

/// What a list says of a key. A text may be written as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// The id that other calls take.
    pub id: &'static [&'static str],
    /// What identifies the caller in requests.
    pub public_id: &'static [&'static str],
    /// The name.
    pub name: &'static [&'static str],
    /// The scopes.
    pub scopes: &'static [&'static str],
    /// How scopes are written. With [`TextsForm::Flags`], each place is a boolean whose name is the scope.
    pub scopes_form: TextsForm,
    /// The addresses that it may be used from.
    pub addresses: &'static [&'static str],
    /// How they are written.
    pub addresses_form: TextsForm,
    /// Whether it is bound to addresses, which the venue may not show: a boolean, or its text.
    pub bound: &'static [&'static str],
    /// Whether it works: a boolean.
    pub enabled: &'static [&'static str],
    /// Whether it does not: a boolean.
    pub disabled: &'static [&'static str],
    /// The venue's word for its state, which counts before the booleans.
    pub status: &'static [&'static str],
    /// The words for a key that works.
    pub working: &'static [&'static str],
    /// The word for a key that does not, where a boolean says so.
    pub disabled_is: Option<&'static str>,
    /// Every key of the list works.
    pub all_work: bool,
    /// The public half of a pair, as PEM.
    pub public_key: &'static [&'static str],
    /// When it was made.
    pub created: Option<Time>,
    /// When it ends.
    pub expires: Option<Time>,
    /// When it was used last.
    pub last_used: Option<Time>,
    /// What else limits it: where that is, and how each text of it is said, with `{}` for the text or `{day}` for the day of a time.
    /// Without either it is a fact, which a boolean or a number says: false and 0 limit nothing.
    pub limits: &'static [(&'static str, &'static str)],
}

/// A time in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Where it is.
    pub at: &'static str,
    /// How it is written.
    pub form: TimeForm,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// RFC 3339.
    DateTime,
    /// Unix seconds.
    UnixSeconds,
    /// Unix milliseconds.
    UnixMillis,
}

/// The sub-accounts of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubAccounts {
    /// The operation that lists them.
    pub operation: &'static str,
    /// Parameters with fixed values: names and values.
    pub with: &'static [(&'static str, &'static str)],
    /// Where the list is.
    pub at: &'static [&'static str],
    /// What other calls take.
    pub id: &'static [&'static str],
}
