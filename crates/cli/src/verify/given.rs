//! What is to be checked: the signature, what should have been signed, the key, and what is wrong on the face of it.

use std::path::Path;

use serde_json::Value;
use venuekit_wire::UnixMillis;
use zeroize::Zeroizing;

use super::VerifyArgs;
use super::capture::{Capture, below_host};
use super::check::{Encoding, Key, Scheme};
use super::guess::{BodyForm, Guess, Kind};
use crate::context::Context;
use crate::credential::Credential;
use crate::failure::{Exit, Failure};
use crate::input;
use crate::subject::Subject;
use crate::venue::Venue;

/// What is to be checked.
pub struct Given {
    /// What the venue expects to be signed.
    pub guess: Guess,
    /// The signature as it was sent.
    pub signature: String,
    /// Other keys, by their names.
    pub others: Vec<(String, Key)>,
    /// What is wrong whatever was signed.
    pub faults: Vec<String>,
}

/// The fields of a signature, as a venue's headers or params have them.
struct Fields {
    kind: Kind,
    time: String,
    nonce: String,
    data: String,
    signature: String,
    key_id: Option<String>,
}

/// Reads the capture, and finds the key.
pub async fn read(context: &Context, arguments: &VerifyArgs) -> Result<Given, Failure> {
    let venue = arguments.subject.venue;
    let capture = Capture::read(&input::text(&arguments.headers)?);
    let body = match &arguments.body {
        Some(file) => input::bytes(file)?,
        None => capture.trimmed_body().to_vec(),
    };
    let fields = fields(venue, &capture, &body)?;
    let (key, key_name, key_id) = key(context, arguments, fields.kind).await?;
    let mut faults = faults(venue, &fields);
    if let (Some(sent), Some(known)) = (&fields.key_id, &key_id)
        && sent != known
    {
        faults.push(format!("the request names the key {sent}, and {key_name} is {known}"));
    }
    let others = arguments.other_key.iter().map(|file| Ok((file.display().to_string(), key_of(file, fields.kind)?)));
    let others = others.collect::<Result<_, Failure>>()?;
    let missing = |what: &str, option: &str| {
        Failure::usage(format!("{} has no request line: the {what} is not known", arguments.headers.display()))
            .help(format!("say {option}"))
    };
    let is_login = fields.kind == Kind::Login;
    let method = arguments.method.clone().or(capture.method).or(is_login.then(String::new));
    let target = arguments.path.as_deref().map(below_host).or(capture.target).or(is_login.then(String::new));
    let method = method.ok_or_else(|| missing("method", "--method GET"))?;
    let target = target.ok_or_else(|| missing("path", "--path /..."))?;
    let (path, query) = target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query)));
    let (separator, end) = match fields.kind {
        Kind::Kalshi => ("", ""),
        Kind::Bayse => (".", ""),
        Kind::Deribit => ("\n", "\n"),
        Kind::Login => ("\n", ""),
    };
    let encoding = match (fields.kind, &key) {
        (Kind::Kalshi | Kind::Bayse, _) => Encoding::Base64,
        (_, Key::Shared(_)) => Encoding::Hex,
        _ => Encoding::Base64UrlNoPad,
    };
    let guess = Guess {
        kind: fields.kind,
        time: fields.time,
        nonce: fields.nonce,
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        with_query: fields.kind == Kind::Deribit,
        body: if is_login { fields.data.into_bytes() } else { body },
        body_form: BodyForm::Proper,
        separator,
        end,
        encoding,
        scheme: Scheme::Proper,
        key,
        key_name,
    };
    Ok(Given { guess, signature: fields.signature, others, faults })
}

fn fields(venue: Venue, capture: &Capture, body: &[u8]) -> Result<Fields, Failure> {
    let header = |name: &str| {
        let missing = || Failure::new(Exit::Fault, format!("the header {name} is missing")).code("missing_header");
        capture.header(name).filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(missing)
    };
    let empty = String::new;
    Ok(match venue {
        Venue::Kalshi | Venue::KalshiPerps => Fields {
            kind: Kind::Kalshi,
            time: header("kalshi-access-timestamp")?,
            nonce: empty(),
            data: empty(),
            signature: header("kalshi-access-signature")?,
            key_id: Some(header("kalshi-access-key")?),
        },
        Venue::Bayse => Fields {
            kind: Kind::Bayse,
            time: header("x-timestamp")?,
            nonce: empty(),
            data: empty(),
            signature: header("x-signature")?,
            key_id: Some(header("x-public-key")?),
        },
        Venue::Deribit => match login(body) {
            Some(fields) => fields,
            None => of_authorization(&header("authorization")?)?,
        },
        Venue::Yativo => {
            let message = "Yativo signs no requests: a key is exchanged for a token, or stands in two headers";
            return Err(Failure::usage(message).help("`venuekit doctor yativo` tells what is wrong with a key"));
        }
    })
}

/// `deri-hmac-sha256 id=...,ts=...,nonce=...,sig=...`.
fn of_authorization(value: &str) -> Result<Fields, Failure> {
    let wrong =
        |what: &str| Failure::new(Exit::Fault, format!("the header authorization {what}")).code("malformed_header");
    let Some((scheme, rest)) = value.split_once(' ') else { return Err(wrong("has no scheme")) };
    if !scheme.eq_ignore_ascii_case("deri-hmac-sha256") {
        return Err(
            wrong("does not begin with deri-hmac-sha256").help("a bearer token and a basic header are not signed")
        );
    }
    let field = |name: &str| {
        let mut pairs = rest.split(',').filter_map(|pair| pair.trim().split_once('='));
        let found = pairs.find(|(own, _)| own.trim() == name).map(|(_, value)| value.trim().to_owned());
        found.ok_or_else(|| wrong(&format!("has no {name}=")))
    };
    let (time, nonce, signature) = (field("ts")?, field("nonce")?, field("sig")?);
    Ok(Fields { kind: Kind::Deribit, time, nonce, data: String::new(), signature, key_id: Some(field("id")?) })
}

/// The params of `public/auth`, in their envelope or without.
fn login(body: &[u8]) -> Option<Fields> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let params = body.get("params").unwrap_or(&body);
    let text = |name: &str| match params.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Some(Fields {
        kind: Kind::Login,
        time: text("timestamp")?,
        nonce: text("nonce").unwrap_or_default(),
        data: text("data").unwrap_or_default(),
        signature: text("signature")?,
        key_id: text("client_id"),
    })
}

/// What is wrong whatever was signed.
fn faults(venue: Venue, fields: &Fields) -> Vec<String> {
    let mut found = Vec::new();
    let (unit, digits) = if venue == Venue::Bayse { ("seconds", 10) } else { ("milliseconds", 13) };
    let time = &fields.time;
    match time.parse::<i64>() {
        Err(_) => found.push(format!("the timestamp is no number: Unix {unit} are wanted")),
        Ok(_) if time.len() != digits => {
            let other = match time.len() {
                10 => "seconds",
                13 => "milliseconds",
                16 => "microseconds",
                19 => "nanoseconds",
                _ => "something else",
            };
            found.push(format!("the timestamp is in {other}: Unix {unit} are wanted, {digits} digits"));
        }
        Ok(stamp) => {
            let millis = if venue == Venue::Bayse { stamp.saturating_mul(1000) } else { stamp };
            if millis > UnixMillis::now().get().saturating_add(15 * 60 * 1000) {
                found.push("the timestamp lies in the future: set the clock of the machine that signed".to_owned());
            }
        }
    }
    if fields.signature.contains(char::is_whitespace) || fields.signature.contains("\\n") {
        found.push("the signature has line breaks or blanks in it: encode it without".to_owned());
    }
    found
}

/// The key that should have signed: its name, and what identifies it, where that is known.
async fn key(context: &Context, arguments: &VerifyArgs, kind: Kind) -> Result<(Key, String, Option<String>), Failure> {
    // A file may also be given as --key: whoever has one in hand writes it there.
    let as_key = context.global().key.as_deref().map(Path::new).filter(|path| path.is_file());
    if let Some(file) = arguments.key_file.as_deref().or(as_key) {
        return Ok((key_of(file, kind)?, file.display().to_string(), None));
    }
    let credential = credential(context, &arguments.subject).await?;
    let Some((public_id, secret, _)) = credential.key() else {
        let message = "there is no key to check the signature with";
        return Err(Failure::new(Exit::Store, message)
            .code("no_key")
            .help("give it with --key-file FILE, or --key NAME"));
    };
    let key = of_text(secret.expose(), kind).ok_or_else(|| unreadable(&credential.source))?;
    Ok((key, credential.source.clone(), Some(public_id.to_owned())))
}

async fn credential(context: &Context, subject: &Subject) -> Result<Credential, Failure> {
    let target = context.target(subject)?;
    context.credential(&target, subject).await
}

fn key_of(file: &Path, kind: Kind) -> Result<Key, Failure> {
    let text = Zeroizing::new(input::text(file)?);
    of_text(&text, kind).ok_or_else(|| unreadable(&file.display().to_string()))
}

fn of_text(text: &str, kind: Kind) -> Option<Key> {
    let pem = Key::from_pem(text);
    match kind {
        Kind::Kalshi => pem,
        _ if text.contains("-----BEGIN") => pem,
        _ => Some(Key::Shared(Zeroizing::new(text.trim_end_matches(['\r', '\n']).as_bytes().to_vec()))),
    }
}

fn unreadable(what: &str) -> Failure {
    let help = "a PEM is wanted, public or private, RSA or Ed25519; for Bayse and Deribit's client secrets a file with the secret";
    Failure::new(Exit::Store, format!("{what}: is no key that can check a signature")).code("unusable").help(help)
}
