//! What is to be checked: the signature, what should have been signed, the key, and what is wrong on the face of it.

use venuekit_wire::signature::{Encoding as Written, KeyType, Piece, Place, Signature as Rule};
use venuekit_wire::variables::VariableKind;

use super::VerifyArgs;
use super::body::Body;
use super::capture::{Capture, below_host, is_url};
use super::check::{Encoding, Key, Scheme};
use super::fields;
use super::guess::{BodyForm, Guess, pieces};
use super::key;
use crate::context::Context;
use crate::failure::Failure;
use crate::input;
use crate::venue::Venue;

/// What is to be checked.
pub struct Case {
    /// What the venue expects to be signed.
    pub guess: Guess,
    /// The signature as it was sent.
    pub signature: String,
    /// Other keys, by their names.
    pub others: Vec<(String, Key)>,
    /// What is wrong whatever was signed.
    pub faults: Vec<String>,
}

/// Reads the capture, and finds the key.
pub async fn read(context: &Context, arguments: &VerifyArgs) -> Result<Case, Failure> {
    let venue = arguments.subject.venue;
    let file = arguments.headers.display();
    let capture = Capture::read(&input::text(&arguments.headers)?).map_err(|what| {
        let help = "it should be a request as it was sent: request line, headers and body, or what `curl -v` shows";
        Failure::usage(format!("{file} {what}")).help(help)
    })?;
    let body = match &arguments.body {
        Some(file) => input::bytes(file)?,
        None => capture.sent_body().to_vec(),
    };
    let Body { sent: body, given: given_body, difference } = Body::new(body, capture.content_length());
    let target = arguments.path.as_deref().map(below_host).or(capture.target.clone());
    let mut fields = fields::read(venue, &capture, target.as_deref(), &body)?;
    let rule = fields.rule;
    let signs_body = rule.covers(Piece::Body) || rule.covers(Piece::BodyHash);
    if signs_body && body.is_empty() && capture.says_body() {
        let message = format!("{file} has no body, and its content-length says that one was sent");
        return Err(Failure::usage(message).help("give the body exactly as it was sent with --body FILE"));
    }
    let (key, key_name, key_id) = key::find(context, arguments, rule).await?;
    let mut faults = fields::faults(venue, &capture, &mut fields);
    match difference.filter(|_| signs_body) {
        // What was sent is known nevertheless: its signature may be right.
        Some(difference) if given_body.is_some() => {
            context.out().note(&format!("note: {difference}: it is taken without line ends, as curl's -d sends it"));
        }
        difference => faults.extend(difference),
    }
    match (&fields.key_id, &key_id) {
        (Some(sent), Some(known)) if sent != known => faults.push(match id_is_secret(venue) {
            // The public part alone reads an account.
            true => format!("the request names another key than that of {key_name}"),
            false => format!("the request names the key {sent}, and {key_name} is {known}"),
        }),
        _ => {}
    }
    let others =
        arguments.other_key.iter().map(|file| Ok((file.display().to_string(), key::of_file(file, venue, rule)?)));
    let others = others.collect::<Result<_, Failure>>()?;
    let missing = |what: &str, option: &str| {
        Failure::usage(format!("{file} has no request line: the {what} is not known")).help(format!("pass {option}"))
    };
    let is_login = rule.place == Place::Params;
    let method = arguments.method.clone().or(capture.method.clone()).or(is_login.then(String::new));
    let method = method.ok_or_else(|| missing("method", "--method GET"))?;
    let target = target.or(is_login.then(String::new)).ok_or_else(|| missing("path", "--path /..."))?;
    let (path, query) = target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query)));
    let mut path = path.to_owned();
    let (query, body, given_body) = match fields.signed.take() {
        Some(signed) => (signed.query, signed.body, None),
        None => (query.map(str::to_owned), body, given_body),
    };
    let is_whole = arguments.path.as_deref().map_or(capture.has_url(), is_url);
    if is_whole && !is_login && !venue.is_websocket(&path) && !venue.spec().knows(&path) {
        faults.insert(0, format!("no operation of {venue} has the path {path}, to which the request was sent"));
    } else if !is_login && !venue.is_websocket(&path) {
        let (whole, fault) = with_prefix(venue.prefix(), &path);
        (path, faults) = (whole, fault.into_iter().chain(faults).collect());
        if !venue.spec().knows(&path) {
            context.out().note(&format!("note: no operation of {venue} has the path {path}"));
        }
    }
    faults.extend(capture.origin().and_then(|origin| not_served(venue, &origin, &path)));
    let template = template(venue, &method, &path);
    let guess = Guess {
        rule,
        other_rules: venue.table().credentials.signatures,
        login: login_call(venue, rule),
        is_websocket: venue.is_websocket(&path),
        prefix: venue.prefix(),
        time: fields.time,
        nonce: fields.nonce,
        method: method.to_ascii_uppercase(),
        origin: capture.origin().unwrap_or_else(|| usual_origin(venue)),
        path,
        template,
        query,
        with_query: rule.covers(Piece::Target) || rule.covers(Piece::Query),
        body: if is_login { fields.data.into_bytes() } else { body },
        given_body,
        body_form: BodyForm::Proper,
        pieces: pieces(rule),
        literals: fields.literals,
        separator: rule.separator,
        end: rule.end,
        encoding: encoding(rule, &key),
        scheme: Scheme::Proper,
        key,
        key_name,
        key_id: fields.key_id.unwrap_or_default(),
    };
    Ok(Case { guess, signature: fields.signature, others, faults })
}

/// Whether the id alone reads an account, so that it is not shown.
fn id_is_secret(venue: Venue) -> bool {
    venue.table().variables.of_kind(VariableKind::Key).is_some_and(|variables| variables.id_is_secret)
}

/// How the venue wants a signature of this key to be written.
fn encoding(rule: &Rule, key: &Key) -> Encoding {
    let kind = match key {
        Key::Rsa(_) => KeyType::Rsa,
        Key::Ed25519(_) => KeyType::Ed25519,
        Key::Shared(_) => KeyType::Shared,
    };
    match rule.rule(kind).or(rule.keys.first().copied()).map(|rule| rule.encoding) {
        Some(Written::Hex) => Encoding::Hex,
        Some(Written::Base64Url) => Encoding::Base64UrlNoPad,
        _ => Encoding::Base64,
    }
}

/// Method and path of the call that logs in with such a signature.
fn login_call(venue: Venue, rule: &Rule) -> Option<(String, String)> {
    let login = venue.table().credentials.logins.iter().find(|login| login.signed_by == Some(rule.name))?;
    let row = venue.table().operation(login.operation)?;
    Some((row.method.to_owned(), format!("{}{}", venue.prefix(), row.path)))
}

/// What is wrong with a path at a server that has others.
fn not_served(venue: Venue, origin: &str, path: &str) -> Option<String> {
    let host = url::Url::parse(origin).ok()?.host_str()?.to_ascii_lowercase();
    let server = venue.table().servers.iter().find(|server| server.is_at(&host)).filter(|server| !server.has(path))?;
    let (environment, paths) = (server.environment, server.serves.join(" and "));
    Some(format!("{host} is {venue}'s environment {environment}, which has only what is below {paths}, and not {path}"))
}

fn usual_origin(venue: Venue) -> String {
    let url = venue.base_url("production").and_then(|url| url::Url::parse(url).ok());
    url.map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// The path as the spec has it, with braces where values go.
fn template(venue: Venue, method: &str, path: &str) -> Option<String> {
    let spec = venue.spec();
    let method = http::Method::from_bytes(method.to_ascii_uppercase().as_bytes()).ok()?;
    let operation = spec.find(&method, path.strip_prefix(venue.prefix())?).ok()?;
    Some(format!("{}{}", venue.prefix(), operation.template))
}

/// The path that the venue knows, and what is wrong with the one that was sent.
fn with_prefix(prefix: &str, path: &str) -> (String, Option<String>) {
    if path.strip_prefix(prefix).is_some_and(|rest| prefix.is_empty() || rest.starts_with('/')) {
        return (path.to_owned(), None);
    }
    // `/trade-api/v1/...` has another version, `/v2/...` half of the prefix, anything else nothing of it.
    let (root, _) = prefix.rsplit_once('/').unwrap_or_default();
    let rest = path.strip_prefix(root).filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let is_version = |part: &str| {
        part.strip_prefix('v').is_some_and(|number| !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit()))
    };
    let (first, below) = rest.trim_start_matches('/').split_once('/').unwrap_or_default();
    let rest = if is_version(first) { below } else { rest.trim_start_matches('/') };
    let whole = format!("{prefix}/{rest}");
    let fault = format!("the request itself lacks {prefix}: it was sent to {path}, and the venue has {whole}");
    (whole, Some(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_its_prefix_gets_it() {
        let prefix = "/trade-api/v2";
        for (path, is_whole) in [
            ("/trade-api/v2/portfolio/orders", true),
            ("/portfolio/orders", false),
            ("portfolio/orders", false),
            ("/trade-api/v1/portfolio/orders", false),
            ("/trade-api/portfolio/orders", false),
            ("/v2/portfolio/orders", false),
        ] {
            let (whole, fault) = with_prefix(prefix, path);
            assert_eq!((whole.as_str(), fault.is_none()), ("/trade-api/v2/portfolio/orders", is_whole), "{path}");
        }
        assert_eq!(with_prefix("", "/v1/pm/orders"), ("/v1/pm/orders".to_owned(), None));
    }
}
