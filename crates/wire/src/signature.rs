//! What a venue's requests and logins sign, as its spec says it (`x-signatures`).

/// A text to sign, and where its signature goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The credential that it makes, or the name that a login refers to it by.
    pub name: &'static str,
    /// The pieces of the text in their order.
    pub text: &'static [Piece],
    /// What stands between the pieces.
    pub separator: &'static str,
    /// What stands behind the last piece.
    pub end: &'static str,
    /// The unit of the time.
    pub time: TimeUnit,
    /// Milliseconds by which the signed time lies ahead.
    pub ahead_millis: u32,
    /// The keys that sign, each with its algorithm and the form of the signature.
    pub keys: &'static [SigningRule],
    /// What a request carries, with a template for each value: `{id}`, `{time}`, `{nonce}`, `{data}` and `{signature}` are replaced.
    pub fields: &'static [(&'static str, &'static str)],
    /// Where the fields go.
    pub place: Place,
    /// Parameters that a request is given, in this order, with the same templates: at the end of its form body, or of its query where
    /// it has no body. What comes before `{signature}`, which is the last, is part of the text.
    pub adds: &'static [(&'static str, &'static str)],
}

impl Signature {
    /// How this kind of key signs.
    pub fn rule(&self, key: KeyType) -> Option<SigningRule> {
        self.keys.iter().copied().find(|rule| rule.key == key)
    }

    /// Whether the text has this piece.
    pub fn covers(&self, piece: Piece) -> bool {
        self.text.contains(&piece)
    }
}

/// A piece of a text to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The time, in digits.
    Time,
    /// The nonce.
    Nonce,
    /// What identifies the caller.
    Id,
    /// The method in capitals.
    Method,
    /// The path as it is sent, without the query.
    Path,
    /// The query as it is sent, without its question mark.
    Query,
    /// The path, and the query with its question mark where there is one.
    Target,
    /// The bytes of the body.
    Body,
    /// The SHA-256 of the body in lower-case hex; nothing where there is no body.
    BodyHash,
    /// Extra data that a login signs.
    Data,
    /// This text.
    Text(&'static str),
}

/// The unit of a signed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Unix seconds.
    Seconds,
    /// Unix milliseconds.
    Millis,
}

impl TimeUnit {
    /// A time in this unit, of Unix milliseconds.
    pub fn of_millis(self, millis: i64) -> i64 {
        match self {
            Self::Seconds => millis.div_euclid(1000),
            Self::Millis => millis,
        }
    }

    /// Unix milliseconds of a time in this unit.
    pub fn to_millis(self, time: i64) -> i64 {
        match self {
            Self::Seconds => time.saturating_mul(1000),
            Self::Millis => time,
        }
    }
}

/// How a kind of key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningRule {
    /// The key.
    pub key: KeyType,
    /// What is made of the text.
    pub algorithm: Algorithm,
    /// How that is written.
    pub encoding: Encoding,
    /// Whether no source of the spec confirms the algorithm.
    pub is_unsure: bool,
}

/// What signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// A secret that the venue knows too.
    Shared,
    /// The private half of an RSA key pair.
    Rsa,
    /// The private half of an Ed25519 key pair.
    Ed25519,
}

/// How a text is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC with SHA-256, whose key is the secret's text.
    HmacSha256,
    /// RSA-PSS with SHA-256, a mask of SHA-256 and a salt of 32 bytes.
    PssSha256,
    /// RSA with the padding PKCS#1 v1.5 and SHA-256.
    Pkcs1v15Sha256,
    /// Ed25519.
    Ed25519,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Lower-case hex.
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64url without padding.
    Base64Url,
}

/// Where the fields of a signature go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into headers.
    Headers,
    /// Into the parameters of a login.
    Params,
}
