//! The mistakes that people make, as a list: each is tried alone, and each with each other.

use zeroize::Zeroizing;

use super::check::{Encoding, Form, Hash, Key, Scheme};
use super::guess::{BodyForm, Guess, Kind};
use crate::exact::Exact;

/// The part of a signature that a mistake is in. Two mistakes in one part exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The timestamp.
    Time,
    /// The nonce.
    Nonce,
    /// The method.
    Method,
    /// The path.
    Path,
    /// The query.
    Query,
    /// The body's bytes.
    Body,
    /// How the body goes into the text.
    BodyForm,
    /// What stands between the parts.
    Separator,
    /// What stands at the end.
    End,
    /// How the signature is written.
    Encoding,
    /// How it was made.
    Scheme,
    /// The key.
    Key,
}

/// One mistake.
pub struct Mistake {
    /// A word for it.
    pub name: &'static str,
    /// Where it is.
    pub part: Part,
    /// What to do instead.
    pub remedy: &'static str,
    /// Makes the mistake. False where it makes no sense.
    pub make: fn(&mut Guess) -> bool,
}

const fn mistake(name: &'static str, part: Part, remedy: &'static str, make: fn(&mut Guess) -> bool) -> Mistake {
    Mistake { name, part, remedy, make }
}

/// All of them, the commonest first: of two that explain a signature the first is told.
pub const MISTAKES: &[Mistake] = &[
    mistake("query_included", Part::Query, "leave the query out of the signed path", |guess| {
        guess.query.is_some() && !std::mem::replace(&mut guess.with_query, true)
    }),
    mistake("query_left_out", Part::Query, "the query belongs to the signed path, behind a question mark", |guess| {
        guess.query.is_some() && std::mem::replace(&mut guess.with_query, false)
    }),
    mistake("path_without_prefix", Part::Path, "sign the whole path, with the prefix of the API", |guess| {
        ["/trade-api/v2", "/api/v2", "/v1"]
            .iter()
            .any(|prefix| replace_path(guess, |path| path.strip_prefix(prefix).map(str::to_owned)))
    }),
    mistake("path_without_version", Part::Path, "sign the whole path, with the prefix of the API", |guess| {
        replace_path(guess, |path| path.strip_prefix("/trade-api").or(path.strip_prefix("/api")).map(str::to_owned))
    }),
    mistake("path_without_slash", Part::Path, "the signed path begins with a slash", |guess| {
        replace_path(guess, |path| path.strip_prefix('/').map(str::to_owned))
    }),
    mistake(
        "path_with_slash_at_end",
        Part::Path,
        "the signed path has no slash at its end, since the sent one has none",
        |guess| replace_path(guess, |path| (!path.ends_with('/')).then(|| format!("{path}/"))),
    ),
    mistake("slash_at_end_left_out", Part::Path, "the signed path ends in a slash, as the sent one does", |guess| {
        replace_path(guess, |path| path.strip_suffix('/').map(str::to_owned))
    }),
    mistake("path_decoded", Part::Path, "sign the path as it is sent, percent signs and all", |guess| {
        replace_path(guess, |path| {
            let decoded = format!("/{}", venuekit_spec::decode_segments(path).join("/"));
            (decoded != path).then_some(decoded)
        })
    }),
    mistake("host_included", Part::Path, "sign the path alone, without scheme and host", |guess| {
        let host = match guess.kind {
            Kind::Kalshi => "https://external-api.kalshi.com",
            Kind::Bayse => "https://relay.bayse.markets",
            Kind::Deribit | Kind::Login => "https://www.deribit.com",
        };
        replace_path(guess, |path| Some(format!("{host}{path}")))
    }),
    mistake("seconds", Part::Time, "sign the time in milliseconds, with the digits that the header has", |guess| {
        guess.kind != Kind::Bayse && cut_time(guess, 13, 10)
    }),
    mistake("milliseconds", Part::Time, "sign the time in seconds, with the digits that the header has", |guess| {
        guess.kind == Kind::Bayse && cut_time(guess, 13, 10)
    }),
    mistake("time_left_out", Part::Time, "the time belongs to the signed text", |guess| {
        !std::mem::take(&mut guess.time).is_empty()
    }),
    mistake("nonce_left_out", Part::Nonce, "the nonce belongs to the signed text", |guess| {
        !std::mem::take(&mut guess.nonce).is_empty()
    }),
    mistake("method_lower_case", Part::Method, "sign the method in capitals", |guess| {
        let lower = guess.method.to_ascii_lowercase();
        guess.kind != Kind::Login && std::mem::replace(&mut guess.method, lower.clone()) != lower
    }),
    mistake("method_left_out", Part::Method, "the method belongs to the signed text", |guess| {
        guess.kind != Kind::Login && !std::mem::take(&mut guess.method).is_empty()
    }),
    mistake("method_get", Part::Method, "sign the method that is sent, not GET", |guess| other_method(guess, "GET")),
    mistake("method_post", Part::Method, "sign the method that is sent, not POST", |guess| other_method(guess, "POST")),
    mistake("body_left_out", Part::BodyForm, "the body belongs to the signed text", |guess| {
        matches!(guess.kind, Kind::Bayse | Kind::Deribit) && body_form(guess, BodyForm::Out, true)
    }),
    mistake("body_included", Part::BodyForm, "the body does not belong to the signed text", |guess| {
        guess.kind == Kind::Kalshi && body_form(guess, BodyForm::Raw, true)
    }),
    mistake(
        "body_hash_included",
        Part::BodyForm,
        "the body does not belong to the signed text, nor does its hash",
        |guess| guess.kind == Kind::Kalshi && body_form(guess, BodyForm::HashOfNone, true),
    ),
    mistake(
        "body_not_hashed",
        Part::BodyForm,
        "the SHA-256 of the body is signed, as hex, not the body itself",
        |guess| guess.kind == Kind::Bayse && body_form(guess, BodyForm::Raw, true),
    ),
    mistake(
        "hash_of_no_body",
        Part::BodyForm,
        "where there is no body, nothing stands in place of its hash",
        |guess| guess.kind == Kind::Bayse && guess.body.is_empty() && body_form(guess, BodyForm::HashOfNone, false),
    ),
    mistake("hash_upper_case", Part::BodyForm, "write the hash of the body in lower case", |guess| {
        guess.kind == Kind::Bayse && body_form(guess, BodyForm::UpperHash, true)
    }),
    mistake("hash_base64", Part::BodyForm, "write the hash of the body as hex, not as base64", |guess| {
        guess.kind == Kind::Bayse && body_form(guess, BodyForm::Base64Hash, true)
    }),
    mistake("hash_sha512", Part::BodyForm, "the body is hashed with SHA-256, not with SHA-512", |guess| {
        guess.kind == Kind::Bayse && body_form(guess, BodyForm::Sha512, true)
    }),
    mistake("body_hashed", Part::BodyForm, "the body itself is signed, not its hash", |guess| {
        guess.kind == Kind::Deribit && body_form(guess, BodyForm::HashOfNone, true)
    }),
    mistake("body_compact", Part::Body, "sign the body that is sent: it was signed without its blanks", |guess| {
        replace_json(guess, Exact::compact)
    }),
    mistake(
        "body_pretty",
        Part::Body,
        "sign the body that is sent: it was signed over several lines, with an indent of two",
        |guess| replace_json(guess, Exact::pretty),
    ),
    mistake(
        "body_pretty_four",
        Part::Body,
        "sign the body that is sent: it was signed over several lines, with an indent of four",
        |guess| replace_json(guess, |body| body.indented(4)),
    ),
    mistake(
        "body_spaced",
        Part::Body,
        "sign the body that is sent: it was signed with a blank after each comma and colon, as Python writes JSON",
        |guess| replace_json(guess, Exact::spaced),
    ),
    mistake(
        "body_sorted",
        Part::Body,
        "sign the body that is sent: it was signed with its members in another order",
        |guess| replace_json(guess, |body| body.sorted().compact()),
    ),
    mistake(
        "body_sorted_spaced",
        Part::Body,
        "sign the body that is sent: it was signed with its members sorted and blanks between them",
        |guess| replace_json(guess, |body| body.sorted().spaced()),
    ),
    mistake(
        "body_empty_object",
        Part::Body,
        "sign the body that is sent: {} was signed in place of no body",
        |guess| guess.body.is_empty() && replace_body(guess, |_| Some(b"{}".to_vec())),
    ),
    mistake(
        "body_with_line_end",
        Part::Body,
        "sign the body that is sent: it was signed with a line's end behind it",
        |guess| replace_body(guess, |body| (!body.is_empty()).then(|| [body, b"\n"].concat())),
    ),
    mistake("line_end_left_out", Part::End, "a line feed stands behind every part, the last one too", |guess| {
        guess.kind == Kind::Deribit && !std::mem::take(&mut guess.end).is_empty()
    }),
    mistake("line_end_added", Part::End, "nothing stands behind the last part, no line feed either", |guess| {
        guess.kind != Kind::Deribit && std::mem::replace(&mut guess.end, "\n").is_empty()
    }),
    mistake("dots", Part::Separator, "nothing stands between the parts", |guess| {
        guess.kind == Kind::Kalshi && separate(guess, ".")
    }),
    mistake("no_separator", Part::Separator, "the parts have the venue's separator between them", |guess| {
        separate(guess, "")
    }),
    mistake("blanks", Part::Separator, "the parts have the venue's separator between them, no blanks", |guess| {
        separate(guess, " ")
    }),
    mistake(
        "line_feeds",
        Part::Separator,
        "the parts have the venue's separator between them, no line feeds",
        |guess| matches!(guess.kind, Kind::Kalshi | Kind::Bayse) && separate(guess, "\n"),
    ),
    mistake(
        "backslash_n",
        Part::Separator,
        "the parts have line feeds between them, not a backslash and an n",
        |guess| {
            if !matches!(guess.kind, Kind::Deribit | Kind::Login) {
                return false;
            }
            guess.end = if guess.end.is_empty() { "" } else { "\\n" };
            separate(guess, "\\n")
        },
    ),
    mistake("hex", Part::Encoding, "write the signature as base64, not as hex", |guess| {
        guess.encoding != Encoding::Hex && encode(guess, Encoding::Hex)
    }),
    mistake(
        "hex_upper_case",
        Part::Encoding,
        "write the signature as the venue does, not as hex in capitals",
        |guess| encode(guess, Encoding::UpperHex),
    ),
    mistake("base64", Part::Encoding, "write the signature as the venue does, not as base64 with padding", |guess| {
        encode(guess, Encoding::Base64)
    }),
    mistake("base64_without_padding", Part::Encoding, "keep the padding of the base64 text", |guess| {
        encode(guess, Encoding::Base64NoPad)
    }),
    mistake(
        "base64url",
        Part::Encoding,
        "write the signature in the usual alphabet of base64, with + and /",
        |guess| encode(guess, Encoding::Base64Url),
    ),
    mistake(
        "base64url_without_padding",
        Part::Encoding,
        "write the signature in the usual alphabet of base64, with padding",
        |guess| encode(guess, Encoding::Base64UrlNoPad),
    ),
    mistake("base64_of_hex", Part::Encoding, "encode the bytes of the signature, not their hex text", |guess| {
        encode(guess, Encoding::Base64OfHex)
    }),
    mistake(
        "salt_longest",
        Part::Scheme,
        "PSS with a salt of 32 bytes, as long as the hash: the longest that fits was used",
        |guess| rsa(guess, Scheme::Salt(None)),
    ),
    mistake("salt_none", Part::Scheme, "PSS with a salt of 32 bytes, as long as the hash: none was used", |guess| {
        rsa(guess, Scheme::Salt(Some(0)))
    }),
    mistake("salt_20", Part::Scheme, "PSS with a salt of 32 bytes, as long as the hash: 20 bytes were used", |guess| {
        rsa(guess, Scheme::Salt(Some(20)))
    }),
    mistake("salt_64", Part::Scheme, "PSS with a salt of 32 bytes, as long as the hash: 64 bytes were used", |guess| {
        rsa(guess, Scheme::Salt(Some(64)))
    }),
    mistake("pkcs1v15", Part::Scheme, "RSA-PSS is wanted, not PKCS#1 v1.5", |guess| {
        guess.kind != Kind::Login && rsa(guess, Scheme::Pkcs1v15)
    }),
    mistake("pss", Part::Scheme, "PKCS#1 v1.5 is wanted, not RSA-PSS", |guess| {
        guess.kind == Kind::Login && rsa(guess, Scheme::Pss)
    }),
    mistake("sha512", Part::Scheme, "the hash is SHA-256, not SHA-512", |guess| {
        scheme(guess, Scheme::Hash(Hash::Sha512))
    }),
    mistake("sha384", Part::Scheme, "the hash is SHA-256, not SHA-384", |guess| {
        scheme(guess, Scheme::Hash(Hash::Sha384))
    }),
    mistake("sha1", Part::Scheme, "the hash is SHA-256, not SHA-1", |guess| scheme(guess, Scheme::Hash(Hash::Sha1))),
    mistake("hashed_twice", Part::Scheme, "sign the text itself: its SHA-256 was signed", |guess| {
        scheme(guess, Scheme::Twice(Form::Bytes))
    }),
    mistake("hashed_twice_hex", Part::Scheme, "sign the text itself: the hex of its SHA-256 was signed", |guess| {
        scheme(guess, Scheme::Twice(Form::Hex))
    }),
    mistake(
        "secret_decoded_base64",
        Part::Key,
        "use the secret's text as it is: it was taken for base64 and decoded",
        |guess| secret(guess, |secret| Encoding::Base64.read(secret).or_else(|| Encoding::Base64UrlNoPad.read(secret))),
    ),
    mistake(
        "secret_decoded_hex",
        Part::Key,
        "use the secret's text as it is: it was taken for hex and decoded",
        |guess| secret(guess, |secret| hex::decode(secret).ok()),
    ),
    mistake("secret_without_prefix", Part::Key, "the prefix belongs to the secret", |guess| {
        secret(guess, |secret| {
            secret.strip_prefix("sk_live_").or(secret.strip_prefix("sk_")).map(|rest| rest.as_bytes().to_vec())
        })
    }),
    mistake(
        "secret_with_line_end",
        Part::Key,
        "use the secret without the end of the line that it was read from",
        |guess| secret(guess, |secret| Some(format!("{secret}\n").into_bytes())),
    ),
];

fn replace_path(guess: &mut Guess, change: impl FnOnce(&str) -> Option<String>) -> bool {
    if guess.kind == Kind::Login {
        return false;
    }
    change(&guess.path).map(|path| guess.path = path).is_some()
}

/// Cuts the digits of a time, or makes up those that were cut: three of them, all zero or whatever they were.
fn cut_time(guess: &mut Guess, long: usize, short: usize) -> bool {
    match guess.time.len() {
        length if length == long => guess.time.truncate(short),
        length if length == short => guess.time.push_str("000"),
        _ => return false,
    }
    true
}

fn other_method(guess: &mut Guess, method: &str) -> bool {
    let is_other = guess.kind != Kind::Login && guess.method != method;
    guess.method = method.to_owned();
    is_other
}

fn body_form(guess: &mut Guess, form: BodyForm, needs_body: bool) -> bool {
    guess.body_form = form;
    !needs_body || !guess.body.is_empty()
}

fn replace_body(guess: &mut Guess, change: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> bool {
    let matters = matches!(guess.kind, Kind::Bayse | Kind::Deribit);
    match change(&guess.body).filter(|new| matters && *new != guess.body) {
        Some(body) => {
            guess.body = body;
            true
        }
        None => false,
    }
}

fn replace_json(guess: &mut Guess, write: impl FnOnce(&Exact) -> String) -> bool {
    replace_body(guess, |body| {
        let exact = Exact::parse(std::str::from_utf8(body).ok()?).ok()?;
        Some(write(&exact).into_bytes())
    })
}

fn separate(guess: &mut Guess, separator: &'static str) -> bool {
    std::mem::replace(&mut guess.separator, separator) != separator
}

fn encode(guess: &mut Guess, encoding: Encoding) -> bool {
    std::mem::replace(&mut guess.encoding, encoding) != encoding
}

fn scheme(guess: &mut Guess, scheme: Scheme) -> bool {
    guess.scheme = scheme;
    true
}

fn rsa(guess: &mut Guess, scheme: Scheme) -> bool {
    guess.scheme = scheme;
    matches!(guess.key, Key::Rsa(_))
}

fn secret(guess: &mut Guess, change: impl FnOnce(&str) -> Option<Vec<u8>>) -> bool {
    let Key::Shared(secret) = &guess.key else { return false };
    let changed = std::str::from_utf8(secret).ok().and_then(change);
    changed.map(|bytes| guess.key = Key::Shared(Zeroizing::new(bytes))).is_some()
}
