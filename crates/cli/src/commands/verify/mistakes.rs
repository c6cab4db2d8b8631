//! The mistakes that people make, as a list: each is tried alone, and each with each other.

use venuekit_wire::signature::{Piece, Place};

use super::check::{Encoding, Form, Hash, Scheme, lenient_base64};
use super::guess::BodyForm;
use super::make::{
    ascii, body_form, cut_time, encode, leave_out, orders, other_method, other_rule, query_orders, replace_body,
    replace_json, replace_path, rsa, scheme, secret, separate, shared, thousandths, times, version,
};
use super::mistake::{Mistake, Part, many, mistake};
use super::parameters::{self, change};
use crate::raw_json::RawJson;

/// All of them, the commonest first: of two that explain a signature the first is told.
pub const MISTAKES: &[Mistake] = &[
    mistake("query_included", Part::Query, "leave the query out of the signed path", |guess| {
        guess.query.is_some() && !std::mem::replace(&mut guess.with_query, true)
    }),
    mistake("query_left_out", Part::Query, "the query belongs to the signed path, behind a question mark", |guess| {
        guess.query.is_some() && std::mem::replace(&mut guess.with_query, false)
    }),
    mistake("query_decoded", Part::Query, "sign the query as it is sent, percent signs and all", |guess| {
        let is_own = guess.with_query && guess.rule.adds.is_empty();
        let Some(query) = guess.query.as_ref().filter(|_| is_own) else { return false };
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let decoded = pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        guess.query.replace(decoded.clone()).is_some_and(|query| query != decoded)
    }),
    mistake("parameters_encoded_twice", Part::Query, "percent-encode the parameters once, and sign that", |guess| {
        change(guess, parameters::once)
    }),
    mistake(
        "parameters_decoded",
        Part::Query,
        "sign the parameters as they are sent, percent signs and all",
        |guess| change(guess, parameters::plain),
    ),
    mistake(
        "parameters_signed_encoded_twice",
        Part::Query,
        "sign the parameters as they are sent: they were percent-encoded once more before",
        |guess| change(guess, parameters::twice),
    ),
    mistake("blanks_as_percent_20", Part::Query, "sign the parameters as they are sent: a blank is + there", |guess| {
        change(guess, |form| form.replace('+', "%20"))
    }),
    mistake("blanks_as_plus", Part::Query, "sign the parameters as they are sent: a blank is %20 there", |guess| {
        change(guess, |form| form.replace("%20", "+"))
    }),
    mistake("parameters_sorted", Part::Order, "sign the parameters in the order in which they are sent", |guess| {
        change(guess, parameters::sorted)
    }),
    mistake("parameter_in_seconds", Part::Time, "sign the time that is sent: it was signed in seconds", |guess| {
        parameters::time_as(guess, 10)
    }),
    mistake(
        "parameter_in_milliseconds",
        Part::Time,
        "sign the time that is sent: it was signed in milliseconds",
        |guess| parameters::time_as(guess, 13),
    ),
    mistake("path_without_prefix", Part::Path, "sign the whole path, with the prefix of the API", |guess| {
        // Where the API has no prefix of its own, it begins with a version.
        let prefix = if guess.prefix.is_empty() { "/v1" } else { guess.prefix };
        replace_path(guess, |path| path.strip_prefix(prefix).map(str::to_owned))
    }),
    mistake("path_without_version", Part::Path, "sign the whole path, with the prefix of the API", |guess| {
        let Some((root, _)) = version(guess) else { return false };
        replace_path(guess, |path| path.strip_prefix(root).map(str::to_owned))
    }),
    mistake("path_with_prefix_twice", Part::Path, "the prefix of the API is in the signed path once", |guess| {
        let prefix = guess.prefix;
        let has_prefix = !prefix.is_empty() && guess.path.starts_with(prefix);
        has_prefix && replace_path(guess, |path| Some(format!("{prefix}{path}")))
    }),
    mistake(
        "websocket_path_with_prefix",
        Part::Path,
        "sign the path of the WebSocket as it is sent: the prefix of the REST paths was put in front of it",
        |guess| {
            let (prefix, is_websocket) = (guess.prefix, guess.is_websocket);
            is_websocket && replace_path(guess, |path| Some(format!("{prefix}{path}")))
        },
    ),
    mistake(
        "websocket_path_of_rest",
        Part::Path,
        "sign the path of the WebSocket as it is sent: ws is before the version in it",
        |guess| {
            let Some((_, version)) = version(guess).filter(|_| guess.is_websocket) else { return false };
            let sent = format!("/ws{version}");
            replace_path(guess, |path| path.contains(&sent).then(|| path.replacen(&sent, &format!("{version}/ws"), 1)))
        },
    ),
    mistake(
        "path_of_version_1",
        Part::Path,
        "the signed path has another version of the API in it, not version 1",
        |guess| {
            let Some((root, version)) = version(guess).filter(|(_, version)| *version != "/v1") else { return false };
            let (own, first) = (format!("{root}{version}/"), format!("{root}/v1/"));
            replace_path(guess, |path| path.contains(&own).then(|| path.replacen(&own, &first, 1)))
        },
    ),
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
    mistake("path_template", Part::Path, "sign the path as it is sent, with values in place of the braces", |guess| {
        let template = guess.template.take();
        replace_path(guess, |path| template.filter(|template| template != path))
    }),
    mistake("host_included", Part::Path, "sign the path alone, without scheme and host", |guess| {
        let origin = guess.origin.clone();
        replace_path(guess, |path| Some(format!("{origin}{path}")))
    }),
    mistake("host_without_scheme", Part::Path, "sign the path alone, without the host", |guess| {
        let host = guess.origin.split_once("://").map(|(_, host)| host.to_owned()).unwrap_or_default();
        replace_path(guess, |path| Some(format!("{host}{path}")))
    }),
    mistake("seconds", Part::Time, "sign the time in milliseconds, with the digits that the header has", |guess| {
        !guess.is_in_seconds() && cut_time(guess, 13, 10)
    }),
    mistake("milliseconds", Part::Time, "sign the time in seconds, with the digits that the header has", |guess| {
        guess.is_in_seconds() && cut_time(guess, 13, 10)
    }),
    mistake("time_left_out", Part::Time, "the time belongs to the signed text", |guess| leave_out(guess, Piece::Time)),
    mistake("time_empty", Part::Time, "the time belongs to the signed text", |guess| {
        !std::mem::take(&mut guess.time).is_empty()
    }),
    mistake("nonce_left_out", Part::Nonce, "the nonce belongs to the signed text", |guess| {
        leave_out(guess, Piece::Nonce)
    }),
    mistake("nonce_empty", Part::Nonce, "the nonce belongs to the signed text", |guess| {
        !std::mem::take(&mut guess.nonce).is_empty()
    }),
    mistake("method_lower_case", Part::Method, "sign the method in capitals", |guess| {
        let lower = guess.method.to_ascii_lowercase();
        guess.pieces.contains(&Piece::Method) && std::mem::replace(&mut guess.method, lower.clone()) != lower
    }),
    mistake("method_left_out", Part::Method, "the method belongs to the signed text", |guess| {
        leave_out(guess, Piece::Method)
    }),
    mistake("method_empty", Part::Method, "the method belongs to the signed text", |guess| other_method(guess, "")),
    mistake("method_get", Part::Method, "sign the method that is sent, not GET", |guess| other_method(guess, "GET")),
    mistake("method_post", Part::Method, "sign the method that is sent, not POST", |guess| other_method(guess, "POST")),
    mistake("method_put", Part::Method, "sign the method that is sent, not PUT", |guess| other_method(guess, "PUT")),
    mistake("method_patch", Part::Method, "sign the method that is sent, not PATCH", |guess| {
        other_method(guess, "PATCH")
    }),
    mistake("method_delete", Part::Method, "sign the method that is sent, not DELETE", |guess| {
        other_method(guess, "DELETE")
    }),
    mistake("body_left_out", Part::BodyForm, "the body belongs to the signed text", |guess| {
        guess.signs_body() && body_form(guess, BodyForm::Out, true)
    }),
    mistake("body_part_left_out", Part::BodyForm, "the body belongs to the signed text", |guess| {
        guess.signs_body() && !guess.body.is_empty() && leave_out(guess, Piece::Body)
    }),
    mistake("data_left_out", Part::Body, "the data that is sent belongs to the signed text", |guess| {
        guess.is_login() && !std::mem::take(&mut guess.body).is_empty()
    }),
    mistake(
        "empty_part_left_out",
        Part::BodyForm,
        "the last part is empty, and the separator before it stays",
        |guess| guess.end.is_empty() && guess.body.is_empty() && leave_out(guess, Piece::Body),
    ),
    mistake("body_included", Part::BodyForm, "the body does not belong to the signed text", |guess| {
        !guess.is_login() && !guess.signs_body() && body_form(guess, BodyForm::Raw, true)
    }),
    mistake(
        "body_hash_included",
        Part::BodyForm,
        "the body does not belong to the signed text, nor does its hash",
        |guess| !guess.is_login() && !guess.signs_body() && body_form(guess, BodyForm::HashOfNone, false),
    ),
    mistake(
        "body_not_hashed",
        Part::BodyForm,
        "the SHA-256 of the body is signed, as hex, not the body itself",
        |guess| guess.rule.covers(Piece::BodyHash) && body_form(guess, BodyForm::Raw, true),
    ),
    mistake("hash_of_no_body", Part::BodyForm, "without a body, nothing takes the place of its hash", |guess| {
        guess.rule.covers(Piece::BodyHash) && guess.body.is_empty() && body_form(guess, BodyForm::HashOfNone, false)
    }),
    mistake("hash_upper_case", Part::BodyForm, "write the hash of the body in lower case", |guess| {
        guess.rule.covers(Piece::BodyHash) && body_form(guess, BodyForm::UpperHash, true)
    }),
    mistake("hash_base64", Part::BodyForm, "write the hash of the body as hex, not as base64", |guess| {
        guess.rule.covers(Piece::BodyHash) && body_form(guess, BodyForm::Base64Hash, true)
    }),
    mistake("hash_sha512", Part::BodyForm, "the body is hashed with SHA-256, not with SHA-512", |guess| {
        guess.rule.covers(Piece::BodyHash) && body_form(guess, BodyForm::Sha512, true)
    }),
    mistake("body_hashed", Part::BodyForm, "the body itself is signed, not its hash", |guess| {
        guess.rule.covers(Piece::Body) && body_form(guess, BodyForm::HashOfNone, false)
    }),
    mistake(
        "hash_of_empty_text",
        Part::BodyForm,
        "the SHA-256 of an empty text was signed in place of the body: read the body before it is hashed",
        |guess| !guess.is_login() && body_form(guess, BodyForm::HashOfEmpty, true),
    ),
    mistake(
        "body_as_in_its_file",
        Part::Body,
        "sign the body that is sent: it was sent without the line ends of its file, as curl's -d does; --data-binary keeps them",
        |guess| {
            let given = guess.given_body.take();
            replace_body(guess, |_| given)
        },
    ),
    mistake(
        "body_line_end_left_out",
        Part::Body,
        "sign the body that is sent: it was signed without the line's end behind it; if that was not sent, leave it out of --body",
        |guess| {
            replace_body(guess, |body| {
                body.strip_suffix(b"\r\n").or_else(|| body.strip_suffix(b"\n")).map(<[u8]>::to_vec)
            })
        },
    ),
    mistake("body_compact", Part::Body, "sign the body that is sent: it was signed without its blanks", |guess| {
        replace_json(guess, RawJson::compact)
    }),
    mistake(
        "body_pretty",
        Part::Body,
        "sign the body that is sent: it was signed over several lines, with an indent of two",
        |guess| replace_json(guess, RawJson::pretty),
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
        |guess| replace_json(guess, RawJson::spaced),
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
        "sign the body that is sent: {} was signed although there is no body",
        |guess| guess.body.is_empty() && replace_body(guess, |_| Some(b"{}".to_vec())),
    ),
    mistake(
        "body_with_line_end",
        Part::Body,
        "sign the body that is sent: it was signed with a line's end behind it",
        |guess| replace_body(guess, |body| (!body.is_empty()).then(|| [body, b"\n"].concat())),
    ),
    mistake(
        "body_escaped",
        Part::Escapes,
        "sign the body that is sent: it was signed with \\u escapes in it, as Python writes JSON",
        |guess| replace_body(guess, |body| Some(ascii(std::str::from_utf8(body).ok()?).into_bytes())),
    ),
    mistake("line_end_left_out", Part::End, "a line feed follows every part, the last one too", |guess| {
        !std::mem::take(&mut guess.end).is_empty()
    }),
    mistake("line_end_twice", Part::End, "one line feed follows the last part, not two", |guess| {
        guess.rule.end == "\n" && guess.body.is_empty() && std::mem::replace(&mut guess.end, "\n\n") == "\n"
    }),
    mistake("line_end_added", Part::End, "nothing follows the last part, no line feed either", |guess| {
        guess.rule.end.is_empty() && std::mem::replace(&mut guess.end, "\n").is_empty()
    }),
    mistake("ampersand", Part::Separator, "they were signed with &", |guess| {
        guess.rule.separator.is_empty() && !guess.rule.adds.is_empty() && separate(guess, "&")
    }),
    mistake("dots", Part::Separator, "they were signed with dots", |guess| separate(guess, ".")),
    mistake("no_separator", Part::Separator, "they were signed with nothing", |guess| separate(guess, "")),
    mistake("blanks", Part::Separator, "they were signed with blanks", |guess| separate(guess, " ")),
    mistake("line_feeds", Part::Separator, "they were signed with line feeds", |guess| separate(guess, "\n")),
    mistake("carriage_returns", Part::Separator, "they were signed with a carriage return as well", |guess| {
        guess.end = if guess.end.is_empty() { "" } else { "\r\n" };
        separate(guess, "\r\n")
    }),
    mistake("backslash_n", Part::Separator, "they were signed with a backslash and an n", |guess| {
        if guess.rule.separator != "\n" {
            return false;
        }
        guess.end = if guess.end.is_empty() { "" } else { "\\n" };
        separate(guess, "\\n")
    }),
    mistake("hex", Part::Encoding, "it is hex", |guess| encode(guess, Encoding::Hex)),
    mistake("hex_upper_case", Part::Encoding, "it is hex in capitals", |guess| encode(guess, Encoding::UpperHex)),
    mistake("base64", Part::Encoding, "it is base64 with padding", |guess| encode(guess, Encoding::Base64)),
    mistake("base64_without_padding", Part::Encoding, "it is base64 without padding", |guess| {
        encode(guess, Encoding::Base64NoPad)
    }),
    mistake("base64url", Part::Encoding, "it is in the alphabet of base64url, with padding", |guess| {
        encode(guess, Encoding::Base64Url)
    }),
    mistake(
        "base64url_without_padding",
        Part::Encoding,
        "it is in the alphabet of base64url, without padding",
        |guess| encode(guess, Encoding::Base64UrlNoPad),
    ),
    mistake("base64_of_hex", Part::Encoding, "its hex text was encoded, not its bytes", |guess| {
        encode(guess, Encoding::Base64OfHex)
    }),
    mistake("base64_twice", Part::Encoding, "it was encoded twice", |guess| encode(guess, Encoding::Base64Twice)),
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
    mistake(
        "mask_sha1",
        Part::Scheme,
        "PSS with a mask (MGF1) of SHA-256: one of SHA-1 was used, as Java does by default",
        |guess| rsa(guess, Scheme::Sha1Mask(32)),
    ),
    mistake(
        "mask_sha1_salt_20",
        Part::Scheme,
        "PSS with a mask (MGF1) of SHA-256 and a salt of 32 bytes: SHA-1 and 20 bytes were used",
        |guess| rsa(guess, Scheme::Sha1Mask(20)),
    ),
    mistake("pkcs1v15", Part::Scheme, "the venue expects RSA-PSS, not PKCS#1 v1.5", |guess| {
        guess.padding() == Scheme::Pss && rsa(guess, Scheme::Pkcs1v15)
    }),
    mistake("pss", Part::Scheme, "the venue expects PKCS#1 v1.5, not RSA-PSS", |guess| {
        guess.padding() != Scheme::Pss && rsa(guess, Scheme::Pss)
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
        "hmac_turned_round",
        Part::Scheme,
        "the secret is the key of the HMAC, and the text its message: they were given the other way round",
        |guess| shared(guess, Scheme::TurnedRound),
    ),
    mistake(
        "hash_of_secret_and_text",
        Part::Scheme,
        "the venue expects an HMAC with SHA-256: secret and text were put together and hashed",
        |guess| shared(guess, Scheme::HashOfSecretAndText),
    ),
    mistake(
        "hash_of_text_and_secret",
        Part::Scheme,
        "the venue expects an HMAC with SHA-256: text and secret were put together and hashed",
        |guess| shared(guess, Scheme::HashOfTextAndSecret),
    ),
    mistake(
        "secret_decoded_base64",
        Part::Key,
        "use the secret's text as it is: it was taken for base64 and decoded",
        |guess| secret(guess, |secret| lenient_base64(&secret.replace('-', "+").replace('_', "/"))),
    ),
    mistake(
        "secret_decoded_base64_in_part",
        Part::Key,
        "use the secret's text as it is: it was taken for base64 and decoded, without the letters that do not belong there",
        |guess| secret(guess, |secret| lenient_base64(&secret.replace(['-', '_'], ""))),
    ),
    mistake(
        "secret_without_prefix_decoded",
        Part::Key,
        "use the secret's text as it is: its prefix was left out, and the rest was taken for base64 and decoded",
        |guess| secret(guess, |secret| lenient_base64(secret.strip_prefix("sk_live_")?)),
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
    mistake(
        "public_part_as_secret",
        Part::Key,
        "sign with the secret part of the key, not with the public one",
        |guess| {
            let id = guess.key_id.clone();
            secret(guess, |_| (!id.is_empty()).then(|| id.into_bytes()))
        },
    ),
    mistake("text_of_a_login", Part::Kind, "sign the request itself: the text of a login was signed", |guess| {
        other_rule(guess, Place::Params)
    }),
    mistake("text_of_a_request", Part::Kind, "a login signs another text: that of a request was signed", |guess| {
        if guess.path.is_empty()
            && let Some((method, path)) = guess.login.clone()
        {
            (guess.method, guess.path) = (method, path);
        }
        other_rule(guess, Place::Headers)
    }),
    many(
        "query_order",
        Part::Query,
        "sign the query as it is sent: its parameters were signed in another order",
        query_orders,
    ),
    many(
        "parameter_moved",
        Part::Order,
        "sign the parameters in the order in which they are sent: one of them was at another place",
        parameters::moved,
    ),
    many(
        "added_parameter_left_out",
        Part::Body,
        "the parameters that are sent with the signature belong to the signed text: the time, and the window if one is sent",
        parameters::left_out,
    ),
    many("order", Part::Order, "sign the parts in the venue's order: another one was signed", orders),
    many(
        "milliseconds",
        Part::Time,
        "sign the time with the digits that the header has, not in milliseconds",
        thousandths,
    ),
    many("time_taken_twice", Part::Time, "take the time once: another one was signed than the request has", times),
];
