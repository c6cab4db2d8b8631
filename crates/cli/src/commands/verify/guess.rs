//! One guess of what was signed, and how a venue puts the text together.

use super::check::{Encoding, Hash, Key, Scheme, hashed, is_right};

/// What a venue signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Kalshi: time, method, path.
    Kalshi,
    /// Bayse: time, method, path and the hash of the body, with dots between them.
    Bayse,
    /// A request of Deribit: time, nonce, method, path with query, body, each on its line.
    Deribit,
    /// A login of Deribit: time, nonce and data on their lines.
    Login,
}

/// A piece of the signed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The timestamp.
    Time,
    /// The nonce.
    Nonce,
    /// The method.
    Method,
    /// Path and query.
    Target,
    /// The body, its hash, or the data of a login.
    Body,
}

impl Kind {
    /// The pieces of the text in their order.
    pub fn pieces(self) -> &'static [Piece] {
        match self {
            Self::Kalshi => &[Piece::Time, Piece::Method, Piece::Target],
            Self::Bayse => &[Piece::Time, Piece::Method, Piece::Target, Piece::Body],
            Self::Deribit => &[Piece::Time, Piece::Nonce, Piece::Method, Piece::Target, Piece::Body],
            Self::Login => &[Piece::Time, Piece::Nonce, Piece::Body],
        }
    }

    /// What stands between the pieces, and behind the last one.
    pub fn separators(self) -> (&'static str, &'static str) {
        match self {
            Self::Kalshi => ("", ""),
            Self::Bayse => (".", ""),
            Self::Deribit => ("\n", "\n"),
            Self::Login => ("\n", ""),
        }
    }
}

/// How the body goes into the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// As the venue wants it.
    Proper,
    /// Not at all.
    Out,
    /// As it is.
    Raw,
    /// The hash of it, also of none.
    HashOfNone,
    /// The hash of an empty text.
    HashOfEmpty,
    /// Its hash in upper case.
    UpperHash,
    /// Its hash as base64.
    Base64Hash,
    /// Another hash.
    Sha512,
}

/// One guess.
#[derive(Clone)]
pub struct Guess {
    /// What is signed.
    pub kind: Kind,
    /// The time, as its digits.
    pub time: String,
    /// The nonce, where there is one.
    pub nonce: String,
    /// The method.
    pub method: String,
    /// Scheme and host that the request went to.
    pub origin: String,
    /// The path.
    pub path: String,
    /// The path as the venue describes it, with braces in place of values, where there are any.
    pub template: Option<String>,
    /// The query, where there is one.
    pub query: Option<String>,
    /// Whether the query belongs to the text.
    pub with_query: bool,
    /// The body's bytes; for a login the data.
    pub body: Vec<u8>,
    /// The body in its file, where it was sent without the line ends.
    pub given_body: Option<Vec<u8>>,
    /// How the body goes in.
    pub body_form: BodyForm,
    /// The pieces of the text in their order.
    pub pieces: Vec<Piece>,
    /// What stands between the pieces.
    pub separator: &'static str,
    /// What stands behind the last piece.
    pub end: &'static str,
    /// How the signature is written.
    pub encoding: Encoding,
    /// How it was made.
    pub scheme: Scheme,
    /// What it was made with.
    pub key: Key,
    /// What that key is called.
    pub key_name: String,
    /// What the request calls it.
    pub key_id: String,
}

impl Guess {
    /// The text that was signed.
    pub fn text(&self) -> Vec<u8> {
        let pieces: Vec<Vec<u8>> = self.pieces.iter().map(|piece| self.piece(*piece)).collect();
        let mut text = pieces.join(self.separator.as_bytes());
        text.extend_from_slice(self.end.as_bytes());
        text
    }

    fn piece(&self, piece: Piece) -> Vec<u8> {
        match piece {
            Piece::Time => self.time.clone().into(),
            Piece::Nonce => self.nonce.clone().into(),
            Piece::Method => self.method.clone().into(),
            Piece::Target => match self.query.as_ref().filter(|_| self.with_query) {
                Some(query) => format!("{}?{query}", self.path).into(),
                None => self.path.clone().into(),
            },
            Piece::Body => self.body_part(),
        }
    }

    fn body_part(&self) -> Vec<u8> {
        let hash = |bytes: &[u8]| hashed(Hash::Sha256, bytes);
        match self.body_form {
            BodyForm::Proper if self.kind != Kind::Bayse => self.body.clone(),
            BodyForm::Proper if self.body.is_empty() => Vec::new(),
            BodyForm::Proper | BodyForm::HashOfNone => hex::encode(hash(&self.body)).into_bytes(),
            BodyForm::HashOfEmpty => hex::encode(hash(&[])).into_bytes(),
            BodyForm::Out => Vec::new(),
            BodyForm::Raw => self.body.clone(),
            BodyForm::UpperHash => hex::encode_upper(hash(&self.body)).into_bytes(),
            BodyForm::Base64Hash => {
                base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash(&self.body)).into_bytes()
            }
            BodyForm::Sha512 => hex::encode(hashed(Hash::Sha512, &self.body)).into_bytes(),
        }
    }

    /// The padding that the venue wants of RSA keys.
    fn padding(&self) -> Scheme {
        if self.kind == Kind::Kalshi { Scheme::Pss } else { Scheme::Pkcs1v15 }
    }

    /// Whether it is what was signed.
    pub fn fits(&self, signature: &str) -> bool {
        let Some(bytes) = self.encoding.read(signature) else { return false };
        is_right(&self.key, self.scheme, self.padding(), &self.text(), &bytes)
    }

    /// The text for people.
    pub fn shown(&self) -> String {
        shown(&String::from_utf8_lossy(&self.text()))
    }
}

/// A signed text on one line: what does not show is written out, and backslashes, since that is done with them.
pub fn shown(text: &str) -> String {
    let written = |letter: char| match letter {
        '"' | '\'' => letter.to_string(),
        _ => letter.escape_debug().to_string(),
    };
    text.chars().map(written).collect()
}
