//! A signer that works by a venue's description (`x-signatures` of its spec): the text to sign, and what a request carries.

mod adds;
mod params;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderName, HeaderValue};
use venuekit_wire::Secret;
use venuekit_wire::operation::SignedCall;
use venuekit_wire::signature::{Algorithm, Encoding, KeyType, Piece, Place, Signature, SigningRule};

use self::adds::{Adds, Appended, Values};
pub use self::params::{CallParam, add_params};
use crate::credential::{check, check_time, header};
use crate::mac::MacKey;
use crate::nonce::Nonce;
use crate::text::{push_hash, push_method, push_number};
use crate::{Added, Nonces, Parts, PrivateKey, SignError, Signed, Signer};

/// What signs.
#[derive(Clone)]
pub enum SigningKey {
    /// A secret that the venue knows too.
    Shared(Secret),
    /// The private half of a key pair.
    Pair(PrivateKey),
}

impl SigningKey {
    fn key_type(&self) -> KeyType {
        match self {
            Self::Shared(_) => KeyType::Shared,
            Self::Pair(key) => match key.algorithm() {
                crate::Algorithm::Rsa => KeyType::Rsa,
                crate::Algorithm::Ed25519 => KeyType::Ed25519,
            },
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.key_type())
    }
}

/// What a text to sign is put together from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The time in the unit of the signature.
    pub time: i64,
    /// The nonce; empty where the text has none.
    pub nonce: &'a str,
    /// What identifies the caller.
    pub id: &'a str,
    /// The request; none for a login.
    pub parts: Option<&'a Parts<'a>>,
    /// Extra data that a login signs.
    pub data: &'a str,
}

/// The text to sign.
///
/// ```
/// use venuekit_auth::described::{Inputs, string_to_sign};
/// use venuekit_auth::Parts;
/// use venuekit_wire::signature::{Piece, Place, Signature, TimeUnit};
///
/// const SIGNATURE: Signature = Signature {
///     name: "signature",
///     text: &[Piece::Time, Piece::Method, Piece::Target],
///     separator: ".",
///     end: "",
///     time: TimeUnit::Millis,
///     ahead_millis: 0,
///     keys: &[],
///     fields: &[],
///     place: Place::Headers,
///     adds: &[],
/// };
/// let parts = Parts::new("get", "/orders?limit=5", b"");
/// let inputs = Inputs { time: 1700000000000, nonce: "", id: "me", parts: Some(&parts), data: "" };
/// assert_eq!(string_to_sign(&SIGNATURE, &inputs), b"1700000000000.GET./orders?limit=5");
/// ```
pub fn string_to_sign(signature: &Signature, inputs: &Inputs<'_>) -> Vec<u8> {
    text_of(signature, inputs, Appended::default())
}

/// The text to sign of a request to whose query or body parameters are appended.
fn text_of(signature: &Signature, inputs: &Inputs<'_>, appended: Appended<'_>) -> Vec<u8> {
    let parts = inputs.parts;
    let sizes = parts.map_or(0, |parts| parts.path.len() + parts.query.map_or(0, str::len) + parts.body.len());
    let mut text = Vec::with_capacity(128 + inputs.id.len() + inputs.nonce.len() + inputs.data.len() + sizes);
    for (index, piece) in signature.text.iter().enumerate() {
        if index > 0 {
            text.extend_from_slice(signature.separator.as_bytes());
        }
        push_piece(&mut text, *piece, inputs, appended);
    }
    text.extend_from_slice(signature.end.as_bytes());
    text
}

fn push_piece(text: &mut Vec<u8>, piece: Piece, inputs: &Inputs<'_>, appended: Appended<'_>) {
    let parts = inputs.parts;
    let query = parts.and_then(|parts| parts.query);
    let whole_query = [query.unwrap_or_default(), appended.query];
    let whole_body = [parts.map_or(&[][..], |parts| parts.body), appended.body.as_bytes()];
    match piece {
        Piece::Time => push_number(text, inputs.time),
        Piece::Nonce => text.extend_from_slice(inputs.nonce.as_bytes()),
        Piece::Id => text.extend_from_slice(inputs.id.as_bytes()),
        Piece::Method => push_method(text, parts.map_or("", |parts| parts.method)),
        Piece::Path => text.extend_from_slice(parts.map_or("", |parts| parts.path).as_bytes()),
        Piece::Query => whole_query.iter().for_each(|part| text.extend_from_slice(part.as_bytes())),
        Piece::Target => {
            text.extend_from_slice(parts.map_or("", |parts| parts.path).as_bytes());
            if query.is_some() || !appended.query.is_empty() {
                text.push(b'?');
                whole_query.iter().for_each(|part| text.extend_from_slice(part.as_bytes()));
            }
        }
        Piece::Body => whole_body.iter().for_each(|part| text.extend_from_slice(part)),
        Piece::BodyHash => push_hash(text, &whole_body),
        Piece::Data => text.extend_from_slice(inputs.data.as_bytes()),
        Piece::Text(fixed) => text.extend_from_slice(fixed.as_bytes()),
    }
}

/// Signs as a venue's description says.
#[derive(Clone)]
pub struct DescribedSigner {
    signature: &'static Signature,
    rule: SigningRule,
    id: String,
    key: Key,
    nonces: Nonces,
    fields: Vec<Field>,
    adds: Option<Adds>,
    is_body_text: bool,
    has_nonce: bool,
}

#[derive(Clone)]
enum Key {
    Shared(MacKey),
    Pair(PrivateKey),
}

/// A field of a request, read once.
#[derive(Clone)]
struct Field {
    name: &'static str,
    /// None where the field is a parameter.
    header: Option<HeaderName>,
    value: Template,
}

/// What a field holds.
#[derive(Clone)]
enum Template {
    /// The same on every request.
    Fixed(HeaderValue),
    /// The time alone.
    Time,
    /// The signature alone.
    Signature,
    /// Pieces one behind the other.
    Pieces(Vec<TemplatePiece>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TemplatePiece {
    Text(&'static str),
    Id,
    Time,
    Nonce,
    Data,
    Signature,
}

impl DescribedSigner {
    /// The id that the venue gave, and the key.
    ///
    /// # Errors
    /// A part that is empty or that no request can hold, or a key of a kind that does not sign so.
    pub fn new(signature: &'static Signature, id: impl Into<String>, key: SigningKey) -> Result<Self, SignError> {
        let id = id.into();
        check("key id", &id)?;
        let Some(rule) = signature.rule(key.key_type()) else { return Err(wrong_key(signature, &key)) };
        let key = match key {
            SigningKey::Shared(secret) => {
                check("secret key", secret.expose())?;
                Key::Shared(MacKey::new(secret.expose()))
            }
            SigningKey::Pair(key) => Key::Pair(key),
        };
        let fields = signature.fields.iter();
        let fields: Vec<Field> =
            fields.map(|field| Field::new(signature.place, *field, &id)).collect::<Result<_, _>>()?;
        let adds = Adds::new(signature.adds);
        let is_body_text = signature.covers(Piece::Body);
        let has_nonce = signature.covers(Piece::Nonce);
        Ok(Self { signature, rule, id, key, nonces: Nonces::random(), fields, adds, is_body_text, has_nonce })
    }

    /// Takes nonces from elsewhere.
    #[must_use]
    pub fn with_nonces(mut self, nonces: Nonces) -> Self {
        self.nonces = nonces;
        self
    }

    /// The parameters of a login at this time (Unix milliseconds). `data` is signed along, and may be empty.
    ///
    /// # Errors
    /// What cannot be signed.
    pub fn params(&self, now_millis: i64, data: &str) -> Result<SignedParams, SignError> {
        let made = self.make(now_millis, None, data)?;
        let params = self.fields.iter().map(|field| (field.name, field.value.param(&self.id, &made, data)));
        Ok(SignedParams { params: params.collect(), text: made.text })
    }

    fn make(&self, now_millis: i64, parts: Option<&Parts<'_>>, data: &str) -> Result<Made, SignError> {
        check_time(now_millis)?;
        if self.is_body_text && parts.is_some_and(|parts| std::str::from_utf8(parts.body).is_err()) {
            return Err(SignError::BodyNotText);
        }
        let nonce = if self.has_nonce { Some(self.nonces.next()?) } else { None };
        let time = self.time(now_millis);
        let text_nonce = nonce.as_ref().map_or("", Nonce::as_str);
        let values = Values { id: &self.id, time, nonce: text_nonce };
        let addition = self.adds.as_ref().zip(parts).map(|(adds, parts)| (adds, adds.begin(parts, &values)));
        let appended = addition.as_ref().map_or_else(Appended::default, |(_, addition)| addition.signed());
        let inputs = Inputs { time, nonce: text_nonce, id: &self.id, parts, data };
        let text = text_of(self.signature, &inputs, appended);
        let signature = self.sign_text(&text)?;
        let added = addition.map(|(adds, addition)| adds.finish(addition, &signature, self.rule.encoding));
        Ok(Made { time, nonce, text, signature, added })
    }

    /// The time that is signed, in the unit of the description.
    fn time(&self, now_millis: i64) -> i64 {
        self.signature.time.of_millis(now_millis.saturating_add(self.signature.ahead_millis.into()))
    }

    fn sign_text(&self, text: &[u8]) -> Result<String, SignError> {
        Ok(match (&self.key, self.rule.algorithm) {
            (Key::Shared(key), _) => encode(self.rule.encoding, &key.sign(text)),
            (Key::Pair(key), Algorithm::PssSha256) => encode(self.rule.encoding, &key.sign_pss(text)?),
            (Key::Pair(key), Algorithm::Pkcs1v15Sha256) => encode(self.rule.encoding, &key.sign_pkcs1v15(text)?),
            (Key::Pair(key), _) => encode(self.rule.encoding, &key.sign_ed25519(text)?),
        })
    }
}

/// What a key of another kind would be needed for.
fn wrong_key(signature: &Signature, key: &SigningKey) -> SignError {
    let of = |key_type| match key_type {
        KeyType::Rsa => Some(crate::Algorithm::Rsa),
        KeyType::Ed25519 => Some(crate::Algorithm::Ed25519),
        KeyType::Shared => None,
    };
    let needed = signature.keys.iter().find_map(|rule| of(rule.key));
    match (needed, of(key.key_type())) {
        (Some(needed), Some(given)) => SignError::WrongKey { needed, given },
        _ => SignError::Unfit("secret key"),
    }
}

fn encode(encoding: Encoding, signature: &[u8]) -> String {
    match encoding {
        Encoding::Hex => base16ct::lower::encode_string(signature),
        Encoding::Base64 => STANDARD.encode(signature),
        Encoding::Base64Url => URL_SAFE_NO_PAD.encode(signature),
    }
}

/// What one signature was made of.
struct Made {
    time: i64,
    nonce: Option<Nonce>,
    text: Vec<u8>,
    signature: String,
    added: Option<Added>,
}

impl Signer for DescribedSigner {
    fn sign(&self, parts: &Parts<'_>, now_millis: i64) -> Result<Signed, SignError> {
        let mut made = self.make(now_millis, Some(parts), "")?;
        let mut signed = Signed::of(std::mem::take(&mut made.text), self.fields.len()).adding(made.added.take());
        for field in &self.fields {
            let Some(name) = &field.header else { return Err(SignError::Unfit("place of the signature")) };
            signed = match &field.value {
                Template::Fixed(value) => signed.open(name.clone(), value.clone()),
                Template::Time => signed.open(name.clone(), made.time.into()),
                Template::Signature => signed.sensitive(name.clone(), header("signature", &made.signature)?),
                Template::Pieces(pieces) => {
                    let value = header("key id", joined(pieces, &self.id, &made, ""))?;
                    match pieces.contains(&TemplatePiece::Signature) {
                        true => signed.sensitive(name.clone(), value),
                        false => signed.open(name.clone(), value),
                    }
                }
            };
        }
        Ok(signed)
    }

    fn sign_params(
        &self,
        call: &SignedCall,
        params: &mut Vec<CallParam<'_>>,
        now_millis: i64,
    ) -> Result<(), SignError> {
        self.sign_call(call, params, now_millis)
    }

    fn key_type(&self) -> Option<KeyType> {
        Some(self.rule.key)
    }

    fn public_id(&self) -> Option<&str> {
        Some(&self.id)
    }
}

impl fmt::Debug for DescribedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DescribedSigner").field("signature", &self.signature.name).finish_non_exhaustive()
    }
}

impl Field {
    fn new(place: Place, (name, template): (&'static str, &'static str), id: &str) -> Result<Self, SignError> {
        let header = match place {
            Place::Headers => {
                Some(HeaderName::from_bytes(name.as_bytes()).map_err(|_| SignError::Unfit("header name"))?)
            }
            Place::Params => None,
        };
        let pieces = read(template);
        // The id is one of several parts of such a field, which commas separate.
        if pieces.len() > 1 && pieces.contains(&TemplatePiece::Id) && id.contains(',') {
            return Err(SignError::Unfit("key id"));
        }
        let value = match pieces.as_slice() {
            [TemplatePiece::Time] => Template::Time,
            [TemplatePiece::Signature] => Template::Signature,
            [TemplatePiece::Id] => Template::Fixed(self::header("key id", id)?),
            [TemplatePiece::Text(text)] => Template::Fixed(self::header("fixed text", text)?),
            _ => Template::Pieces(pieces),
        };
        Ok(Self { name, header, value })
    }
}

/// The pieces of a template. Lint has read it: what stands between braces is known.
fn read(template: &'static str) -> Vec<TemplatePiece> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
        if !before.is_empty() {
            pieces.push(TemplatePiece::Text(before));
        }
        pieces.push(match name {
            "id" => TemplatePiece::Id,
            "time" => TemplatePiece::Time,
            "nonce" => TemplatePiece::Nonce,
            "data" => TemplatePiece::Data,
            _ => TemplatePiece::Signature,
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(TemplatePiece::Text(rest));
    }
    pieces
}

fn joined(pieces: &[TemplatePiece], id: &str, made: &Made, data: &str) -> Vec<u8> {
    let mut value = Vec::with_capacity(64 + id.len() + made.signature.len() + data.len());
    for piece in pieces {
        match piece {
            TemplatePiece::Text(text) => value.extend_from_slice(text.as_bytes()),
            TemplatePiece::Id => value.extend_from_slice(id.as_bytes()),
            TemplatePiece::Time => push_number(&mut value, made.time),
            TemplatePiece::Nonce => value.extend_from_slice(made.nonce.as_ref().map_or("", Nonce::as_str).as_bytes()),
            TemplatePiece::Data => value.extend_from_slice(data.as_bytes()),
            TemplatePiece::Signature => value.extend_from_slice(made.signature.as_bytes()),
        }
    }
    value
}

impl Template {
    fn param(&self, id: &str, made: &Made, data: &str) -> ParamValue {
        match self {
            Self::Fixed(value) => ParamValue::Text(String::from_utf8_lossy(value.as_bytes()).into_owned()),
            Self::Time => ParamValue::Number(made.time),
            Self::Signature => ParamValue::Signature(made.signature.clone().into()),
            Self::Pieces(pieces) => {
                let text = String::from_utf8_lossy(&joined(pieces, id, made, data)).into_owned();
                match pieces.contains(&TemplatePiece::Signature) {
                    true => ParamValue::Signature(text.into()),
                    false => ParamValue::Text(text),
                }
            }
        }
    }
}

/// The parameters of a login, signed.
#[derive(Clone)]
pub struct SignedParams {
    params: Vec<(&'static str, ParamValue)>,
    text: Vec<u8>,
}

impl SignedParams {
    /// Names and values, the signature last.
    pub fn params(&self) -> &[(&'static str, ParamValue)] {
        &self.params
    }

    /// The text that was signed.
    pub fn string_to_sign(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }
}

impl fmt::Debug for SignedParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.params.iter().map(|(name, value)| (name, value))).finish()
    }
}

/// The value of a parameter.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ParamValue {
    /// A text.
    Text(String),
    /// A number: the time.
    Number(i64),
    /// The signature.
    Signature(Secret),
}
