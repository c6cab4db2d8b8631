//! Our words as types: lint reads a spec with them, the table is written of them, and editors get a JSON Schema of them.

#[allow(dead_code, reason = "some members are only read to validate them")]
mod calls;
mod credentials;
#[allow(dead_code, reason = "some members are read only to know that they are sound")]
mod errors;
mod keys;
mod schema;
#[allow(dead_code, reason = "some members are read only to know that they are sound")]
pub mod websocket;

use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::calls::{
    Buckets, Challenge, ClientHeaders, Connection, LogonUse, Page, Per, Rate, Rates, Reconcile, Tier, VenueTime, When,
    Window, Yes,
};
pub use self::credentials::{
    CarriesWord, ClockWindow, CredentialKind, CredentialVariables, IdPattern, KeyType, Login, Logins, PieceWord, Probe,
    Probes, Signature, Signatures, Symptom, Symptoms, Variables, piece, pieces,
};
pub use self::errors::{AllRateHeaders, CodeOrStatus, Errors, FailedWhen, RateHeaders, Retry, RustType, UnknownKey};
pub use self::keys::{
    CreateKey, EditKey, Flags, KeyCall, KeyEntry, Keys, Limit, ManagedBy, NewSecret, OtherTexts, Places, ScopesFor,
    Texts, TextsForm, Time,
};

pub use self::schema::schema;
pub use self::websocket::{Added, WebSocket};

/// A word's value; the error says what is wrong with its form.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let said = error.into_inner().to_string();
        if path == "." { said } else { format!("`{path}`: {said}") }
    })
}

/// What a mapping or a scalar inside a word says, read as the form that its JSON type shows. A list of forms that are tried one after the
/// other could only say that none fits.
fn form<T: DeserializeOwned, E: serde::de::Error>(value: &Value) -> Result<T, E> {
    read(value).map_err(E::custom)
}

/// One mapping, or a list of them; `what` says it where the value is neither.
fn one_or_several<'de, D, T>(deserializer: D, what: &str) -> Result<OneOrSeveral<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    match value {
        Value::Object(_) => form(&value).map(OneOrSeveral::One),
        Value::Array(_) => form(&value).map(OneOrSeveral::Several),
        _ => Err(serde::de::Error::custom(format!("is {what}, or a list of these"))),
    }
}

/// See [`one_or_several`].
enum OneOrSeveral<T> {
    One(T),
    Several(Vec<T>),
}

/// A word of the root that lint has found to be sound.
pub fn word<T: DeserializeOwned>(root: &Value, name: &str) -> Option<T> {
    read(root.get(name)?).ok()
}
