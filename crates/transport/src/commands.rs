//! Calls as commands on a connection that is logged on (`x-websocket.commands`): a request has the headers and the body that it has over
//! HTTP, and a reply is the response of it in other members.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::value::RawValue;
use venuekit_auth::described::{CallParam, add_params};
use venuekit_auth::{Parts, Signer};
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{CommandLogon, Commands, ErrorKind, Operation, Venue};
use venuekit_wire::stream::ParameterKind;

use crate::answer::{Answer, judge};
use crate::call::{Call, object};
use crate::error::Error;
use crate::key_ring::{Credential, KeyRing};
use crate::members::{Members, string};
use crate::message::{Id, Message, Part};
use crate::response::Response;

/// The description of the venue's commands, where it has them.
pub(crate) fn of(venue: &'static Venue) -> Option<&'static Commands> {
    venue.websocket.as_ref()?.commands.as_ref()
}

/// A call that travels as a command.
pub(crate) struct CommandCall {
    words: &'static Commands,
    command: &'static str,
    /// The object with the parameters of the call.
    argument: String,
    proof: Proof,
}

/// What proves who calls.
enum Proof {
    /// A public call.
    Nothing,
    /// The log-on of the connection.
    Logon,
    /// The call is the log-on.
    Signature(Arc<dyn Signer>),
}

impl CommandCall {
    /// A call of an operation that the venue has as a command.
    pub(crate) fn new(
        words: &'static Commands,
        command: &'static str,
        call: &mut Call,
        ring: &KeyRing,
    ) -> Result<Self, Error> {
        let operation = call.operation();
        let refused = |message: String| Error::before_sending(operation, ErrorKind::InvalidRequest, message);
        // The body is the argument as it is written; only a query has to be written as one.
        let argument = match call.target().contains('?') {
            true => object(&call.params().map_err(refused)?),
            false => call.body.take().unwrap_or_else(|| "{}".to_owned()),
        };
        let proof = match ring.way(operation, false)? {
            [] => Proof::Nothing,
            _ => match logs_on(words, ring) {
                Some(signer) if words.logon.operation == operation.id => Proof::Signature(signer.clone()),
                Some(_) => Proof::Logon,
                None => {
                    let message = format!(
                        "over a WebSocket this operation needs the credential {}, which logs the connection on",
                        words.logon.credential
                    );
                    return Err(Error::before_sending(operation, ErrorKind::Unauthorized, message));
                }
            },
        };
        Ok(Self { words, command, argument, proof })
    }

    /// Whether the connection must be logged on first.
    pub(crate) fn needs_login(&self) -> bool {
        matches!(self.proof, Proof::Logon)
    }

    /// Whether the time is part of it.
    pub(crate) fn has_time(&self) -> bool {
        !matches!(self.proof, Proof::Nothing)
    }

    /// The request with this id, at this time.
    pub(crate) fn write(&self, operation: &'static Operation, now: UnixMillis, id: u64) -> Result<String, Error> {
        let Self { words, command, argument, proof } = self;
        match proof {
            Proof::Nothing => Ok(request(words, command, id, &[], argument)),
            Proof::Logon => {
                let mut headers = Vec::with_capacity(words.adds.len());
                add_params(words.adds, "", now.get(), &mut headers);
                // A header is a text, whatever it says.
                headers.iter_mut().for_each(|header| header.is_text = true);
                Ok(request(words, command, id, &headers, argument))
            }
            Proof::Signature(signer) => {
                let arguments = log_on(&words.logon, &**signer, now).map_err(|error| error.within(operation))?;
                Ok(request(words, command, id, &[], &arguments))
            }
        }
    }
}

/// The credential with which this client logs a connection on.
pub(crate) fn logs_on<'a>(words: &Commands, ring: &'a KeyRing) -> Option<&'a Arc<dyn Signer>> {
    match ring.by_name.get(words.logon.credential) {
        Some(Credential::Signer(signer)) => Some(signer),
        Some(Credential::Token(_) | Credential::Login) | None => None,
    }
}

/// The arguments of a log-on, separated by commas.
fn log_on(words: &CommandLogon, signer: &dyn Signer, now: UnixMillis) -> Result<String, Error> {
    let signed = signer.sign(&Parts::new("GET", "", b""), now.get())?;
    let mut arguments = String::with_capacity(256);
    for (name, kind) in words.values {
        let header = signed.headers().iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name));
        let value = header.and_then(|(_, value)| std::str::from_utf8(value.as_bytes()).ok());
        let Some(value) = value else {
            return Err(Error::invalid_request(format!("the credential {} has no {name}", words.credential)));
        };
        if !arguments.is_empty() {
            arguments.push(',');
        }
        match kind {
            ParameterKind::Integer if value.parse::<i64>().is_ok() => arguments.push_str(value),
            // A text is always written.
            _ => arguments.push_str(&serde_json::to_string(value).unwrap_or_default()),
        }
    }
    Ok(arguments)
}

/// A request. Its id is a text.
fn request(words: &Commands, command: &str, id: u64, headers: &[CallParam<'_>], arguments: &str) -> String {
    let Commands { id: id_name, command: command_name, arguments: arguments_name, headers: headers_name, .. } = words;
    let mut request = String::with_capacity(arguments.len() + 192);
    // Writing to a text cannot fail.
    let _ = write!(request, r#"{{"{id_name}":"{id}","{command_name}":"{command}""#);
    if !headers.is_empty() {
        let _ = write!(request, r#","{headers_name}":{}"#, object(headers));
    }
    let _ = write!(request, r#","{arguments_name}":[{arguments}]}}"#);
    request
}

/// Cuts a message into its parts. `None` if the text is not an object.
pub(crate) fn read(venue: &Venue, words: &Commands, body: Bytes) -> Option<Message> {
    let members = Members::of(std::str::from_utf8(&body).ok()?)?;
    let is_one_of = |value: Option<&RawValue>, known: &[&str]| {
        value.is_some_and(|value| known.contains(&value.get().trim_matches('"')))
    };
    let id = match members.get(words.id).and_then(|id| string(id)?.parse().ok()) {
        Some(id) => Id::Number(id),
        None if is_one_of(members.get(words.command), words.quiet) => return Some(Message::quiet(body)),
        None if members.get(words.id).is_none() => Id::Missing,
        None => Id::Other,
    };
    let mut response = String::with_capacity(body.len());
    // Without the member by which a failure is known, a reply does not say what became of its call.
    let tests = venue.errors.failed_when;
    let tells = |name: &str| tests.is_empty() || tests.iter().any(|test| test.at.split('/').nth(1) == Some(name));
    let (mut has_verdict, mut is_closing) = (false, false);
    for (name, place) in words.body {
        // A member that is there twice stays so: `judge` decides what counts.
        for value in members.at(place) {
            response.push(if response.is_empty() { '{' } else { ',' });
            let _ = write!(response, r#""{name}":{}"#, value.get());
            has_verdict |= tells(name);
            let is_code = || venue.errors.code.iter().any(|place| place.strip_prefix('/') == Some(name));
            is_closing |= is_one_of(Some(value), words.closing) && is_code();
        }
    }
    let part = match has_verdict {
        false => Part::Nothing,
        true => {
            response.push('}');
            Part::Result(response.into())
        }
    };
    let headers = members.get(words.headers).and_then(|headers| Members::of(headers.get())).map(|members| {
        let mut headers = HeaderMap::new();
        for (name, value) in members.iter() {
            let text = string(value).unwrap_or_else(|| value.get().to_owned());
            let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::try_from(text).ok());
            // A map that is full takes no more.
            if header.is_some_and(|(name, value)| headers.try_append(name, value).is_err()) {
                break;
            }
        }
        Box::new(headers)
    });
    Some(Message { headers, is_closing, ..Message::new(body, id, part) })
}

/// The response in a reply: what it is over HTTP, which says that a call has failed by its body. `now` is the venue's time, as far as it is
/// known.
pub(crate) fn unwrap(
    venue: &'static Venue,
    operation: &'static Operation,
    message: Message,
    now: UnixMillis,
) -> Result<Response, Error> {
    let Message { body, part, headers, .. } = message;
    let (status, headers) = (StatusCode::OK, headers.map(|headers| *headers).unwrap_or_default());
    match part {
        Part::Result(body) => {
            judge(venue, operation, Answer { status, headers, body, is_cut: false, now }).map_err(Error::without_status)
        }
        _ => {
            let message = "the reply does not say what became of the call".to_owned();
            Err(Response::new(operation, status, headers, body).refused(ErrorKind::Decode, message).without_status())
        }
    }
}
