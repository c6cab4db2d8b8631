//! What is to be checked: the signature, what should have been signed, the key, and what is wrong on the face of it.

use super::VerifyArgs;
use super::body::Body;
use super::capture::{Capture, below_host, is_url};
use super::check::{Encoding, Key, Scheme};
use super::fields;
use super::guess::{BodyForm, Guess, Kind};
use super::key;
use crate::context::Context;
use crate::failure::Failure;
use crate::input;
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

/// Reads the capture, and finds the key.
pub async fn read(context: &Context, arguments: &VerifyArgs) -> Result<Given, Failure> {
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
    let kind = fields.kind;
    let signs_body = matches!(kind, Kind::Bayse | Kind::Deribit);
    if signs_body && body.is_empty() && capture.says_body() {
        let message = format!("{file} has no body, and its content-length says that one was sent");
        return Err(Failure::usage(message).help("give the body exactly as it was sent with --body FILE"));
    }
    let (key, key_name, key_id) = key::find(context, arguments, kind).await?;
    let mut faults = fields::faults(venue, &capture, &mut fields);
    match difference.filter(|_| signs_body) {
        // What was sent is known all the same: its signature may be right.
        Some(difference) if given_body.is_some() => {
            context.out().note(&format!("note: {difference}: it is taken without line ends, as curl's -d sends it"));
        }
        difference => faults.extend(difference),
    }
    match (&fields.key_id, &key_id) {
        (Some(sent), Some(known)) if sent != known => faults.push(match venue {
            // The public part alone reads an account.
            Venue::Bayse => format!("the request names another key than that of {key_name}"),
            _ => format!("the request names the key {sent}, and {key_name} is {known}"),
        }),
        _ => {}
    }
    let others = arguments.other_key.iter().map(|file| Ok((file.display().to_string(), key::of_file(file, kind)?)));
    let others = others.collect::<Result<_, Failure>>()?;
    let missing = |what: &str, option: &str| {
        Failure::usage(format!("{file} has no request line: the {what} is not known")).help(format!("say {option}"))
    };
    let is_login = kind == Kind::Login;
    let method = arguments.method.clone().or(capture.method.clone()).or(is_login.then(String::new));
    let method = method.ok_or_else(|| missing("method", "--method GET"))?;
    let target = target.or(is_login.then(String::new)).ok_or_else(|| missing("path", "--path /..."))?;
    let (path, query) = target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query)));
    let mut path = path.to_owned();
    let is_whole = arguments.path.as_deref().map_or(capture.has_url(), is_url);
    if is_whole && !is_login && !is_websocket(venue, &path) && !venue.spec().knows(&path) {
        faults.insert(0, format!("no operation of {venue} has the path {path}, to which the request was sent"));
    } else if !is_login && !is_websocket(venue, &path) {
        let (whole, fault) = with_prefix(venue.spec().prefix, &path);
        (path, faults) = (whole, fault.into_iter().chain(faults).collect());
    }
    let template = template(venue, &method, &path);
    let (separator, end) = kind.separators();
    let encoding = match (kind, &key) {
        (Kind::Kalshi | Kind::Bayse, _) => Encoding::Base64,
        (_, Key::Shared(_)) => Encoding::Hex,
        _ => Encoding::Base64UrlNoPad,
    };
    let guess = Guess {
        kind,
        time: fields.time,
        nonce: fields.nonce,
        method: method.to_ascii_uppercase(),
        origin: capture.origin().unwrap_or_else(|| usual_origin(venue)),
        path,
        template,
        query: query.map(str::to_owned),
        with_query: kind == Kind::Deribit,
        body: if is_login { fields.data.into_bytes() } else { body },
        given_body,
        body_form: BodyForm::Proper,
        pieces: kind.pieces().to_vec(),
        separator,
        end,
        encoding,
        scheme: Scheme::Proper,
        key,
        key_name,
        key_id: fields.key_id.unwrap_or_default(),
    };
    Ok(Given { guess, signature: fields.signature, others, faults })
}

/// Whether a path is one at which a WebSocket connection is opened, of the venue itself or of another that takes its keys.
pub fn is_websocket(venue: Venue, path: &str) -> bool {
    let takes_its_keys = |other: &Venue| other.of_keys() == venue.of_keys();
    Venue::ALL.into_iter().filter(takes_its_keys).any(|venue| venue.spec().is_websocket(path))
}

fn usual_origin(venue: Venue) -> String {
    let url = venue.base_url("production").and_then(|url| url::Url::parse(url).ok());
    url.map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// The path as the spec has it, with braces where values go.
fn template(venue: Venue, method: &str, path: &str) -> Option<String> {
    let spec = venue.spec();
    let method = http::Method::from_bytes(method.to_ascii_uppercase().as_bytes()).ok()?;
    let operation = spec.find(&method, path.strip_prefix(spec.prefix)?).ok()?;
    Some(format!("{}{}", spec.prefix, operation.template))
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
