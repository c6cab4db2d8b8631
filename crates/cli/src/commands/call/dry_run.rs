//! `venuekit call --dry-run`: what the client would send, without the parts that prove anything.

use http::HeaderValue;
use serde_json::{Map, Value};
use url::Url;
use venuekit_auth::{Added, Parts};
use venuekit_spec::Request;
use venuekit_transport::Carried;
use venuekit_wire::operation::{Key, Protocol, Retry};
use venuekit_wire::{Secret, UnixMillis};

use crate::client;
use crate::context::Context;
use crate::credential::Credential;
use crate::failure::{Exit, Failure};
use crate::lookup::{Found, SECOND_FACTOR};
use crate::raw_json::RawJson;
use crate::target::Target;
use crate::venue::Venue;

/// Shown in place of an idempotency key that the client makes.
const NEW_KEY: &str = "[a new key]";

/// Shown in place of a credential.
const HIDDEN: &str = "[hidden]";

/// Shown in place of a one-time code.
const CODE: &str = "[the one-time code]";

/// Names and values of headers.
type Headers = Vec<(String, String)>;

/// Shows what a call would send. `with_code` says that a one-time code would go along.
pub fn dry_run(
    context: &Context,
    target: &Target,
    credential: &Credential,
    found: &Found,
    request: &Request,
    with_code: bool,
) -> Result<(), Failure> {
    let out = context.out();
    let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let mut url = format!("{}{}{query}", target.base_url, request.path);
    let parsed = Url::parse(&url).map_err(|error| Failure::usage(format!("invalid URL `{url}`: {error}")))?;
    let shown = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers: Headers = request.headers.iter().map(|(name, value)| (name.to_string(), shown(value))).collect();
    let new_key = match found.row.retry {
        Retry::Keyed(Key::Header(name)) if !request.headers.contains_key(name) => {
            headers.push((name.to_ascii_lowercase(), NEW_KEY.to_owned()));
            None
        }
        Retry::Keyed(Key::Field(name)) => Some(name),
        _ => None,
    };
    let target_path = format!("{}{query}", parsed.path());
    let parts = Parts::new(request.method.as_str(), &target_path, &request.body);
    let (proof, added) = carried(target, credential, found, &parts, with_code)?;
    headers.extend(proof);
    let mut form = found.spec.form.then(|| form(found, request));
    match &added {
        Some(Added::Query(text)) => url.push_str(&without_signature(text)),
        Some(Added::Body(text)) => form.get_or_insert_default().push_str(&without_signature(text)),
        None => {}
    }
    let form = form.filter(|form| !form.is_empty());
    let body = body(found, request, new_key).filter(|_| !found.spec.form);
    out.line(&format!("{} {url}", request.method));
    headers.iter().for_each(|(name, value)| out.line(&format!("{name}: {value}")));
    if let Some(text) = body.as_ref().map(RawJson::pretty).or_else(|| form.clone()) {
        out.line(&format!("\n{text}"));
    }
    out.note("nothing was sent");
    let headers: Map<String, Value> = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    let body = body.map(|body| body.compact()).or_else(|| Some(Value::from(form?).to_string()));
    let raw = body.as_deref().and_then(|body| serde_json::from_str::<&serde_json::value::RawValue>(body).ok());
    out.document(&Sent { dry_run: true, method: request.method.as_str(), url: &url, headers, body: raw });
    Ok(())
}

/// The form as it is sent, with its secrets hidden.
fn form(found: &Found, request: &Request) -> String {
    let spec = found.spec.body.as_ref();
    let secrets: Vec<String> = spec.map(|body| body.secret_names().into_iter().collect()).unwrap_or_default();
    let pairs = request.form_pairs().into_iter().map(|(name, value)| {
        let value = if secrets.contains(&name) { HIDDEN.to_owned() } else { value };
        (name, value)
    });
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What a signature adds, without the signature itself.
fn without_signature(added: &str) -> String {
    added.rsplit_once('=').map_or_else(String::new, |(before, _)| format!("{before}={HIDDEN}"))
}

/// The body as it is sent, without its secrets and with the key that the client adds.
fn body(found: &Found, request: &Request, new_key: Option<&str>) -> Option<RawJson> {
    let mut body = RawJson::parse(std::str::from_utf8(&request.body).ok()?).ok()?;
    let spec = found.spec.body.as_ref();
    let secrets: Vec<String> = spec.map(|body| body.secret_names().into_iter().collect()).unwrap_or_default();
    body.redact(&secrets, HIDDEN);
    if let (Some(name), RawJson::Object(members)) = (new_key, &mut body)
        && members.iter().all(|(own, _)| own != name)
    {
        members.push((name.to_owned(), RawJson::text(NEW_KEY)));
    }
    if found.venue.table().protocol == Protocol::Rest {
        return Some(body);
    }
    let method = RawJson::text(found.row.path.trim_start_matches('/'));
    let (version, id) = (RawJson::text("2.0"), RawJson::Scalar("1".to_owned()));
    let members = [("jsonrpc", version), ("id", id), ("method", method), ("params", body)];
    Some(RawJson::Object(members.map(|(name, value)| (name.to_owned(), value)).to_vec()))
}

/// What the client would prove with who calls, by its own choice among the ways that the operation has.
fn carried(
    target: &Target,
    credential: &Credential,
    found: &Found,
    parts: &Parts<'_>,
    with_code: bool,
) -> Result<(Headers, Option<Added>), Failure> {
    if credential.is_none() && !found.is_public() {
        let needed = format!("[needs a key of {}/{}]", target.venue, target.environment);
        return Ok((vec![("signature".to_owned(), needed)], None));
    }
    let code = with_code.then(|| Secret::new("000000"));
    let credentials = client::credentials(target.venue, credential)?;
    let (mut headers, mut added) = (Vec::new(), None);
    for Carried { name, signer } in credentials.preview(found.row, code.as_ref())? {
        let Some(signer) = signer else {
            headers.extend(fetched(target.venue, name));
            continue;
        };
        let signed = signer
            .sign(parts, UnixMillis::now().get())
            .map_err(|error| Failure::new(Exit::Store, format!("{}: {error}", credential.source)).code("unusable"))?;
        added = added.or_else(|| signed.added().cloned());
        for (header, value) in signed.headers() {
            let text = match value.is_sensitive() {
                true if name == SECOND_FACTOR => CODE.to_owned(),
                true => HIDDEN.to_owned(),
                false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            };
            headers.push((header.as_str().to_owned(), text));
        }
    }
    Ok((headers, added))
}

/// The headers of a credential that the client fetches before the call.
fn fetched(venue: Venue, name: &str) -> Headers {
    let Some(login) = venue.table().credentials.login(name) else { return vec![(name.to_owned(), HIDDEN.to_owned())] };
    let row = venue.table().operation(login.operation);
    let call = row.map(|row| format!("{} {}", row.method, row.path)).unwrap_or_default();
    let headers = venue.table().credentials.headers_of(name);
    headers.map(|header| (header.to_owned(), format!("[fetched first by {call}]"))).collect()
}

/// A request that was not sent; its body keeps its digits.
#[derive(serde::Serialize)]
struct Sent<'a> {
    dry_run: bool,
    method: &'a str,
    url: &'a str,
    headers: Map<String, Value>,
    body: Option<&'a serde_json::value::RawValue>,
}
