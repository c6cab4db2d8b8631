//! What a credential is made of, how one logs in, what is signed, what proves a key, what a refusal means.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::calls::Yes;

/// The environment variables that credentials are read from, and what these are good for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Variables {
    /// Whose keys these are, where they are another venue's.
    pub of: Option<String>,
    /// All that is set counts, each for its own operations; otherwise the first counts.
    pub together: Option<Yes>,
    /// Looked for in this order.
    pub credentials: Vec<CredentialVariables>,
}

/// One credential.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CredentialVariables {
    /// What the variables hold.
    pub kind: CredentialKind,
    /// The variable of what identifies the caller.
    pub id: Option<String>,
    /// The variable of what proves it.
    pub secret: String,
    /// The variable of the passphrase of a private key.
    pub passphrase: Option<String>,
    /// The `x-credential` names that it is good for, by itself or through a login.
    pub proves: Vec<String>,
    /// How id and secret begin, where that shows that they were swapped.
    pub begins: Option<(String, String)>,
    /// What the id looks like.
    pub id_pattern: Option<IdPattern>,
    /// The id alone reads an account, so that it is treated as a secret.
    #[serde(default)]
    pub id_is_secret: bool,
}

/// What an id looks like.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdPattern {
    /// A UUID.
    Uuid,
}

/// What the variables of a credential hold.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// An id and a secret that the venue knows too.
    Key,
    /// An id and a private key as PEM text.
    PrivateKey,
    /// An id and the path of a file with a private key.
    PrivateKeyFile,
    /// A device id and the token of a session.
    Session,
    /// An e-mail address and its password.
    Login,
    /// A bearer token.
    Token,
}

/// What a header of a credential carries.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CarriesWord {
    /// What identifies the caller.
    Id,
    /// What proves it.
    Secret,
    /// A one-time code.
    Code,
}

/// How credentials are fetched, by the `x-credential` that is fetched.
pub type Logins = BTreeMap<String, Login>;

/// How a credential is fetched.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Login {
    /// The operation.
    pub operation: String,
    /// With what.
    pub takes: Vec<CredentialKind>,
    /// The members of the request that hold id and secret.
    pub fields: Option<LoginFields>,
    /// The signature whose fields are the request.
    pub signed_by: Option<String>,
    /// Where the response has what is fetched.
    pub returns: LoginReturns,
}

/// Members of a request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoginFields {
    /// What identifies the caller.
    pub id: String,
    /// What proves it.
    pub secret: String,
}

/// Places in a response.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoginReturns {
    /// The token.
    pub token: String,
    /// The id that goes along with it.
    pub id: Option<String>,
    /// The scopes that were granted.
    pub scopes: Option<GrantedScopes>,
}

/// Scopes as one text with blanks between.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GrantedScopes {
    /// The place.
    pub at: String,
    /// How those words end that are scopes.
    #[serde(default)]
    pub endings: Vec<String>,
}

/// What is signed, by the `x-credential` that it makes, or by the name that a login refers to.
pub type Signatures = BTreeMap<String, Signature>;

/// A text to sign.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Signature {
    /// Its pieces: `time`, `nonce`, `id`, `method`, `path`, `query`, `target`, `body`, `body-hash`, `data`, or a text that stands for itself.
    pub text: Vec<String>,
    /// What stands between the pieces.
    #[serde(default)]
    pub separator: String,
    /// What stands behind the last piece.
    #[serde(default)]
    pub end: String,
    /// The unit of the time.
    pub time: TimeUnit,
    /// Milliseconds by which the time lies ahead.
    #[serde(default)]
    pub ahead: u32,
    /// How each kind of key signs, and how the signature is written.
    pub keys: BTreeMap<KeyType, (Algorithm, Encoding)>,
    /// The kinds of keys whose algorithm no source confirms.
    #[serde(default)]
    pub unsure: Vec<KeyType>,
    /// The headers of a request, with templates of `{id}`, `{time}`, `{nonce}` and `{signature}`.
    pub headers: Option<BTreeMap<String, String>>,
    /// The parameters of a login, with the same templates and `{data}`.
    pub params: Option<BTreeMap<String, String>>,
    /// Parameters that a request is given beside `headers`, in this order, one a mapping, `{signature}` last.
    #[serde(default)]
    pub adds: Vec<BTreeMap<String, String>>,
}

/// The unit of a signed time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
pub enum TimeUnit {
    /// Unix seconds.
    #[serde(rename = "unix-s")]
    Seconds,
    /// Unix milliseconds.
    #[serde(rename = "unix-ms")]
    Millis,
}

/// What signs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyType {
    /// A secret that the venue knows too.
    Shared,
    /// An RSA key.
    Rsa,
    /// An Ed25519 key.
    Ed25519,
}

/// How a text is signed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// RSA-PSS with SHA-256 and a salt of 32 bytes.
    #[serde(rename = "pss-sha256")]
    PssSha256,
    /// RSA with PKCS#1 v1.5 and SHA-256.
    #[serde(rename = "pkcs1v15-sha256")]
    Pkcs1v15Sha256,
    /// Ed25519.
    #[serde(rename = "ed25519")]
    Ed25519,
}

impl Algorithm {
    /// Whether a kind of key can sign so.
    pub fn fits(self, key: KeyType) -> bool {
        match self {
            Self::HmacSha256 => key == KeyType::Shared,
            Self::PssSha256 | Self::Pkcs1v15Sha256 => key == KeyType::Rsa,
            Self::Ed25519 => key == KeyType::Ed25519,
        }
    }
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Lower-case hex.
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64url without padding.
    Base64Url,
}

/// A piece of a text to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceWord {
    /// A part of the request, by its variant in the table.
    Part(&'static str),
    /// A text that stands for itself.
    Text(String),
}

const PIECES: [(&str, &str); 10] = [
    ("time", "Time"),
    ("nonce", "Nonce"),
    ("id", "Id"),
    ("method", "Method"),
    ("path", "Path"),
    ("query", "Query"),
    ("target", "Target"),
    ("body", "Body"),
    ("body-hash", "BodyHash"),
    ("data", "Data"),
];

/// The names of the pieces.
pub fn pieces() -> impl Iterator<Item = &'static str> {
    PIECES.iter().map(|(name, _)| *name)
}

/// What a text of the list stands for; none for what looks like a word and is none.
pub fn piece(text: &str) -> Option<PieceWord> {
    if let Some((_, variant)) = PIECES.iter().find(|(name, _)| *name == text) {
        return Some(PieceWord::Part(variant));
    }
    let looks_like_a_word = text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-' || byte == b'_');
    (!looks_like_a_word).then(|| PieceWord::Text(text.to_owned()))
}

/// How far a signed time may be off.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClockWindow {
    /// Seconds for a clock that is behind the venue's.
    pub behind: u32,
    /// Seconds for a clock that is ahead of it.
    pub ahead: u32,
}

/// Calls that prove something and change nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probes {
    /// A call that anybody may make.
    pub reach: Option<Probe>,
    /// Calls that a good key may make, in their order.
    #[serde(default)]
    pub key: Vec<Probe>,
}

/// A call that changes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probe {
    /// The operation.
    pub operation: String,
    /// What goes along.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
    /// Members of the response: of a key's probe all are there, of `reach` one is.
    #[serde(default)]
    pub members: Vec<String>,
    /// Places of which one holds a list.
    #[serde(default)]
    pub list: Vec<String>,
    /// "There is no such thing" is the good response.
    #[serde(default)]
    pub finds_nothing: bool,
    /// What a good response proves, for people.
    #[serde(default)]
    pub proves: String,
}

/// What refusals mean.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Symptoms {
    /// Rows that count before those that hold for all venues.
    #[serde(default)]
    pub first: Vec<Symptom>,
    /// Rows that count after them.
    #[serde(default)]
    pub last: Vec<Symptom>,
}

/// What one kind of refusal means.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Symptom {
    /// The kind of error; left out: any that is about credentials.
    pub kind: Option<String>,
    /// Words of code, message or detail: lower case, a blank in place of other signs.
    #[serde(default)]
    pub says: String,
    /// What it means.
    pub cause: Cause,
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The venue does not know the key.
    UnknownKey,
    /// The signature is of another key.
    OtherSecret,
    /// The key or its secret.
    KeyOrSecret,
    /// The key, the address or a permission.
    KeyAddressOrScope,
    /// The headers of the signature are missing.
    NoSignature,
    /// The session or the token is over.
    SessionOver,
    /// The key has expired.
    Expired,
    /// The key was revoked.
    Revoked,
    /// The key is switched off.
    Disabled,
    /// The key is too new.
    NotYetActive,
    /// A clock is wrong.
    Clock,
    /// The key may not do this.
    Scope,
    /// A key of a sub-account may not do this.
    SubAccount,
    /// The key may not be used from here.
    Address,
    /// The country is not served.
    Region,
    /// The account is not verified.
    Verification,
    /// Trading is locked.
    Locked,
    /// A one-time code is missing or wrong.
    SecondFactor,
    /// A one-time code was used already.
    SecondFactorUsed,
    /// A one-time code came too late.
    SecondFactorLate,
    /// There were too many wrong one-time codes.
    SecondFactorLocked,
}

#[cfg(test)]
mod tests {
    use super::{PieceWord, piece};

    #[test]
    fn what_looks_like_a_word_stands_for_a_part_or_is_a_mistake() {
        assert_eq!(piece("body-hash"), Some(PieceWord::Part("BodyHash")));
        for mistake in ["body_hash", "Method", "METHOD", "BodyHash", "clock", "-", "_", ""] {
            assert_eq!(piece(mistake), None, "{mistake:?}");
        }
        for text in ["5000", "GET/realtime", "a b", "\n", ":", "v1"] {
            assert_eq!(piece(text), Some(PieceWord::Text(text.to_owned())), "{text:?}");
        }
    }
}
