//! One guess of what was signed, and how a venue puts the text together.

use venuekit_wire::signature::{Algorithm, KeyType, Piece, Place, Signature as Rule, TimeUnit};

use super::check::{Encoding, Hash, Key, Scheme, hashed, is_right};

/// The pieces of a rule's text. How path and body go into it is identified by other members of a guess.
pub fn pieces(rule: &Rule) -> Vec<Piece> {
    let plain = |piece: &Piece| match piece {
        Piece::Path => Piece::Target,
        Piece::BodyHash | Piece::Data => Piece::Body,
        other => *other,
    };
    rule.text.iter().map(plain).collect()
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
    /// What the venue wants to be signed.
    pub rule: &'static Rule,
    /// What else its callers sign.
    pub other_rules: &'static [Rule],
    /// Method and path of the call that logs in, where that is signed.
    pub login: Option<(String, String)>,
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
    /// What is in front of the path of every operation.
    pub prefix: &'static str,
    /// Whether a WebSocket is opened at the path.
    pub is_websocket: bool,
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
    /// Fixed pieces of the rule for which the request has another value.
    pub literals: Vec<(&'static str, String)>,
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
            Piece::Id => self.key_id.clone().into(),
            Piece::Text(text) => {
                let sent = self.literals.iter().find(|(own, _)| *own == text);
                sent.map_or(text, |(_, sent)| sent.as_str()).as_bytes().to_vec()
            }
            Piece::Query => self.query.clone().filter(|_| self.with_query).unwrap_or_default().into(),
            Piece::Path | Piece::Target => match self.query.as_ref().filter(|_| self.with_query) {
                Some(query) => format!("{}?{query}", self.path).into(),
                None => self.path.clone().into(),
            },
            Piece::Body | Piece::BodyHash | Piece::Data => self.body_part(),
        }
    }

    fn body_part(&self) -> Vec<u8> {
        let hash = |bytes: &[u8]| hashed(Hash::Sha256, bytes);
        match self.body_form {
            BodyForm::Proper if !self.rule.covers(Piece::BodyHash) => self.body.clone(),
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

    /// Whether a login is signed, and no request.
    pub fn is_login(&self) -> bool {
        self.rule.place == Place::Params
    }

    /// Whether the body belongs to the text, as it is or as its hash.
    pub fn signs_body(&self) -> bool {
        self.rule.covers(Piece::Body) || self.rule.covers(Piece::BodyHash)
    }

    /// Whether the time is signed in seconds.
    pub fn is_in_seconds(&self) -> bool {
        self.rule.time == TimeUnit::Seconds
    }

    /// The padding that the venue wants of RSA keys.
    pub fn padding(&self) -> Scheme {
        match self.rule.rule(KeyType::Rsa).map(|rule| rule.algorithm) {
            Some(Algorithm::PssSha256) => Scheme::Pss,
            _ => Scheme::Pkcs1v15,
        }
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
