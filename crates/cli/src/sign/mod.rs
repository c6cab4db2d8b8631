//! `venuekit sign`: the headers of a request, and the exact text that was signed.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};
use venuekit_auth::bayse::{self, BayseWrite};
use venuekit_auth::deribit::{DeribitHmac, DeribitKey};
use venuekit_auth::kalshi::KalshiSigner;
use venuekit_auth::{Headers, Nonces, Parts, PrivateKey, SignError, Signed, Signer, yativo};
use venuekit_keys::Credential as Material;
use venuekit_spec::Request;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::Protocol;

use crate::context::Context;
use crate::credential::{Credential, variable};
use crate::exact::Exact;
use crate::failure::{Exit, Failure};
use crate::input;
use crate::lookup::Found;
use crate::subject::Subject;
use crate::target::Target;
use crate::venue::Venue;

/// What `venuekit sign` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct SignArgs {
    /// VENUE, VENUE/ENVIRONMENT, or the key to use as VENUE/ENVIRONMENT/NAME
    #[arg(value_name = "VENUE")]
    subject: Subject,
    /// The HTTP method
    method: String,
    /// The path as it is sent, with its query; the venue's prefix is put in front where it is missing
    path: String,
    /// The body, exactly as it is sent, from a file or with - from standard input
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The time to sign for, in Unix milliseconds; now if left out
    #[arg(long, value_name = "MILLIS", allow_negative_numbers = true)]
    time: Option<i64>,
    /// The nonce, where the venue wants one; a random one if left out
    #[arg(long)]
    nonce: Option<String>,
    /// Show headers that are the credential itself, such as a bearer token
    #[arg(long)]
    show_secrets: bool,
}

const AFTER_HELP: &str = "\
Nothing is sent. Deribit's key pairs sign a login: METHOD and PATH are then those of public/auth.

Example:
  venuekit sign kalshi/demo/bot GET '/trade-api/v2/portfolio/orders?limit=5'";

/// What was signed, and what goes on the request.
pub struct Signature {
    /// The text, where one is signed.
    pub text: Option<String>,
    /// Headers in their order: name, value, and whether the value is the credential itself.
    pub headers: Vec<(String, String, bool)>,
    /// Params of a login, where that is what is signed.
    pub params: Vec<(String, Value)>,
}

/// What stands in place of a credential.
const HIDDEN: &str = "[hidden]";

/// `venuekit sign`.
pub async fn run(context: &Context, arguments: &SignArgs) -> Result<(), Failure> {
    let target = context.target(&arguments.subject)?;
    let credential = context.credential(&target, &arguments.subject).await?;
    let body = arguments.body.as_deref().map(input::bytes).transpose()?.unwrap_or_default();
    let path = whole_path(context, &target, &arguments.path);
    let parts = Parts::new(&arguments.method, &path, &body);
    let time = arguments.time.unwrap_or_else(|| UnixMillis::now().get());
    let signature = sign(&target, &credential, &parts, time, arguments.nonce.as_deref())?;
    show(context, &target, &credential, &signature, arguments.show_secrets);
    Ok(())
}

/// The path with the venue's prefix: signatures cover it, and a path without it is the commonest mistake.
fn whole_path(context: &Context, target: &Target, path: &str) -> String {
    let prefix =
        url::Url::parse(&target.base_url).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    if prefix.is_empty() || path.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with('/')) {
        return path;
    }
    context.out().note(&format!("note: {prefix} was put in front of the path, since it is signed too"));
    format!("{prefix}{path}")
}

/// Signs as the venue's client does.
pub fn sign(
    target: &Target,
    credential: &Credential,
    parts: &Parts<'_>,
    time: i64,
    nonce: Option<&str>,
) -> Result<Signature, Failure> {
    if credential.is_none() {
        let message = format!("there is no key of {}/{} to sign with", target.venue, target.environment);
        let help = format!("name a stored key with --key NAME, or set {}", variable::names(target));
        return Err(Failure::new(Exit::Store, message).code("no_key").help(help));
    }
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Store, format!("{}: {error}", credential.source)).code("unusable")
    };
    let nonces = || nonce.map_or_else(Nonces::random, fixed);
    let mut made = Signature { text: None, headers: Vec::new(), params: Vec::new() };
    for material in &credential.material {
        match (target.venue, material) {
            (Venue::Deribit, Material::Key { public_id, secret, kind: SecretKind::PrivateKeyPem }) => {
                let key = PrivateKey::from_pem(secret.expose()).map_err(|error| unusable(&error))?;
                let signer = DeribitKey::new(public_id, key).map_err(|error| unusable(&error))?.with_nonces(nonces());
                let signed = signer.client_signature(time, "").map_err(|error| unusable(&error))?;
                made.text = Some(signed.string_to_sign());
                made.params = vec![
                    ("grant_type".to_owned(), json!("client_signature")),
                    ("client_id".to_owned(), json!(signed.client_id)),
                    ("timestamp".to_owned(), json!(signed.timestamp)),
                    ("nonce".to_owned(), json!(signed.nonce)),
                    ("data".to_owned(), json!(signed.data)),
                    ("signature".to_owned(), json!(signed.signature.expose())),
                ];
            }
            (venue, material) => {
                for signer in signers(venue, material, nonces()).map_err(|error| unusable(&error))? {
                    let signed = signer.sign(parts, time).map_err(|error| unusable(&error))?;
                    made.add(&signed);
                }
            }
        }
    }
    Ok(made)
}

fn fixed(nonce: &str) -> Nonces {
    let nonce = nonce.to_owned();
    Nonces::from_fn(move || nonce.clone())
}

fn signers(
    venue: Venue,
    material: &Material,
    nonces: Nonces,
) -> Result<Vec<Box<dyn Signer>>, Box<dyn std::error::Error>> {
    Ok(match (venue, material) {
        (Venue::Kalshi | Venue::KalshiPerps, Material::Key { public_id, secret, .. }) => {
            vec![Box::new(KalshiSigner::new(public_id, PrivateKey::from_pem(secret.expose())?)?)]
        }
        (Venue::Bayse, Material::Key { public_id, secret, .. }) => {
            vec![Box::new(bayse::read(public_id.as_str())?), Box::new(BayseWrite::new(secret.clone())?)]
        }
        (Venue::Bayse, Material::Session { token, device_id }) => {
            vec![Box::new(bayse::session(token.clone(), device_id.clone())?)]
        }
        (Venue::Deribit, Material::Key { public_id, secret, .. }) => {
            vec![Box::new(DeribitHmac::new(public_id, secret.clone())?.with_nonces(nonces))]
        }
        (Venue::Yativo, Material::Key { public_id, secret, .. }) => {
            vec![Box::new(yativo::key_headers(public_id.as_str(), secret.clone())?)]
        }
        (Venue::Deribit | Venue::Yativo, Material::Token(token)) => vec![Box::new(Headers::bearer(token.clone())?)],
        _ => return Err(Box::new(SignError::Unfit("credential"))),
    })
}

impl Signature {
    fn add(&mut self, signed: &Signed) {
        let text = signed.string_to_sign().map(str::to_owned);
        let is_signature = text.is_some();
        self.text = self.text.take().or(text);
        for (name, value) in signed.headers() {
            // A signature proves one request; without a signed text, the header is the credential itself.
            let hidden = value.is_sensitive() && !is_signature;
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            self.headers.push((name.as_str().to_owned(), value, hidden));
        }
    }
}

fn show(context: &Context, target: &Target, credential: &Credential, signature: &Signature, secrets: bool) {
    let out = context.out();
    out.step("key", &credential.source);
    match &signature.text {
        Some(text) => out.step("signed", &text.escape_debug().to_string()),
        None => out.step("signed", &format!("nothing: {} takes this credential as it is", target.venue)),
    }
    let shown = |value: &str, hidden: bool| if hidden && !secrets { HIDDEN.to_owned() } else { value.to_owned() };
    let mut headers = Map::new();
    for (name, value, hidden) in &signature.headers {
        out.step("header", &format!("{name}: {}", shown(value, *hidden)));
        headers.insert(name.clone(), shown(value, *hidden).into());
    }
    for (name, value) in &signature.params {
        out.step("param", &format!("{name}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    if signature.headers.iter().any(|(_, _, hidden)| *hidden) && !secrets {
        out.note("note: --show-secrets shows what is hidden");
    }
    let params: Map<String, Value> = signature.params.iter().cloned().collect();
    out.document(&json!({"venue": target.venue.name(), "environment": target.environment, "key": credential.source,
        "string_to_sign": signature.text, "headers": headers, "params": params}));
}

/// What a call would send, without the parts that prove anything.
pub fn dry_run(
    context: &Context,
    target: &Target,
    credential: &Credential,
    found: &Found,
    request: &Request,
) -> Result<(), Failure> {
    let out = context.out();
    let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}{}{query}", target.base_url, request.path);
    let parsed = url::Url::parse(&url).map_err(|error| Failure::usage(format!("`{url}` is no URL: {error}")))?;
    let mut body = Exact::parse(std::str::from_utf8(&request.body).unwrap_or_default()).ok();
    let secret_names: Vec<String> =
        found.spec.body.as_ref().map(|body| body.secret_names().into_iter().collect()).unwrap_or_default();
    if let Some(body) = &mut body {
        body.redact(&secret_names, HIDDEN);
        if found.venue.table().protocol == Protocol::JsonRpc {
            let method = Exact::text(found.row.path.trim_start_matches('/'));
            let (version, id) = (Exact::text("2.0"), Exact::Scalar("1".to_owned()));
            let members = [("jsonrpc", version), ("id", id), ("method", method), ("params", body.clone())];
            *body = Exact::Object(members.map(|(name, value)| (name.to_owned(), value)).to_vec());
        }
    }
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    if !found.row.access.iter().all(|way| way.is_empty()) && !credential.is_none() {
        let target_path = format!("{}{query}", parsed.path());
        let parts = Parts::new(request.method.as_str(), &target_path, &request.body);
        let signature = sign(target, credential, &parts, UnixMillis::now().get(), None)?;
        headers.extend(signature.headers.into_iter().map(|(name, value, hidden)| {
            let proves = hidden || ["signature", "authorization"].iter().any(|word| name.contains(word));
            (name, if proves { HIDDEN.to_owned() } else { value })
        }));
    }
    out.line(&format!("{} {url}", request.method));
    headers.iter().for_each(|(name, value)| out.line(&format!("{name}: {value}")));
    if let Some(body) = &body {
        out.line(&format!("\n{}", body.pretty()));
    }
    out.note("nothing was sent");
    let headers: Map<String, Value> = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    let body = body.map(|body| body.compact());
    let raw = body.as_deref().and_then(|body| serde_json::from_str::<&serde_json::value::RawValue>(body).ok());
    out.document(&Sent { dry_run: true, method: request.method.as_str(), url: &url, headers, body: raw });
    Ok(())
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
