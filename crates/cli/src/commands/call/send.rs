//! Sends one request, with a one-time code where the venue wants one.

use std::cell::RefCell;
use std::sync::{Arc, Once};

use venuekit_spec::Request;
use venuekit_transport::{Error, Response};
use venuekit_wire::Secret;

use super::look_up::LookUp;
use super::proof;
use super::secrets::Secrets;
use super::strict::Strict;
use crate::client::Client;
use crate::confirm;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::interrupt::{self, InterruptReport};
use crate::lookup::Found;
use crate::one_time_code::is_about_code;
use crate::raw_json::RawJson;
use crate::target::Target;

/// So much of a response an error shows.
const LONGEST: usize = 400;

/// The header by which the sandbox says that nothing was carried out.
const GENERATED: &str = "x-sandbox";

/// What is needed to send requests of one operation.
pub struct Sender<'a> {
    /// The options.
    pub context: &'a Context,
    /// Where to.
    pub target: &'a Target,
    /// What `venuekit doctor` is about: the place, and the stored key that is used.
    pub doctor: String,
    /// By which client.
    pub client: Client,
    /// The operation.
    pub found: &'a Found,
    /// Whether a one-time code goes along although the venue may do without.
    pub with_code: bool,
    /// Where secrets of the responses go.
    pub secrets: Arc<Secrets>,
    /// The name under which a repeated call does nothing again, and the parameter that carries it.
    pub key: Option<(&'static str, String)>,
    /// What looks for values that the spec does not know, where that is wanted.
    pub strict: Option<Strict>,
    /// What to say about the call that tells what became of this one, if its response is lost.
    pub look_up: Option<LookUp>,
    /// Said once, however many pages there are.
    pub generated: Once,
    /// A write that was sent: it may stand, whatever happens to its response.
    pub in_flight: RefCell<Option<InterruptReport>>,
}

impl Sender<'_> {
    /// The response, as it is written.
    pub async fn send(&self, request: &Request) -> Result<RawJson, Failure> {
        let response = self.response(request).await?;
        if response.headers().contains_key(GENERATED) {
            let note = "the sandbox keeps no state for this operation: the response is generated from the spec";
            self.generated.call_once(|| self.context.out().aside(note));
        }
        self.secrets.keep(response.body())?;
        let body =
            std::str::from_utf8(response.body()).map_err(|_| self.unproved("the response body is not UTF-8", None))?;
        let response = match body.trim() {
            "" => RawJson::null(),
            body => RawJson::parse(body).map_err(|_| self.unproved("the response body is not JSON", Some(body)))?,
        };
        match proof::lack(self.found, request, &response) {
            Some(lack) => Err(self.unproved(&lack.to_string(), Some(&response.compact()))),
            None => {
                if let Some(strict) = &self.strict {
                    strict.look(self.found, &response);
                }
                Ok(response)
            }
        }
    }

    /// The venue responded with a success status, and the response does not prove that the call was carried out.
    fn unproved(&self, why: &str, came: Option<&str>) -> Failure {
        let message = format!("{}: {why}", self.found.spec.name);
        let failure = match self.found.is_write() {
            true => {
                // With an id it may be repeated, as the help says.
                let warning = if self.key.is_none() { ", do not just repeat it" } else { "" };
                let message = format!("{message}; it may have been executed{warning}");
                self.with_traces(Failure::new(Exit::Unknown, message))
            }
            false => Failure::new(Exit::Network, message),
        };
        let came = match (self.secrets.file(), came.filter(|came| *came != "null")) {
            (Some(file), _) => format!("the response is in {}", file.display()),
            (None, Some(came)) if came.chars().count() > LONGEST => {
                format!("the response begins with {}", came.chars().take(LONGEST).collect::<String>())
            }
            (None, Some(came)) => format!("the response is {came}"),
            (None, None) => return failure.code("decode"),
        };
        let advice = failure.advice().map(|advice| format!("\n{advice}")).unwrap_or_default();
        failure.code("decode").help(format!("{came}{advice}"))
    }

    async fn response(&self, request: &Request) -> Result<Response, Failure> {
        let early = self.found.needs_code() || self.found.takes_code() && (self.with_code || self.context.has_codes());
        let client = match early {
            true => self.client.with_code(self.code().await?),
            false => self.client.clone(),
        };
        let error = match self.deliver(&client, request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        // The venue has refused for want of a code: nothing was carried out.
        let client = if let Some(challenge) = error.challenge() {
            self.client.confirming(challenge, self.code().await?)
        } else if !early && self.found.takes_code() && is_about_code(&error) {
            match self.code().await {
                Ok(code) => self.client.with_code(code),
                Err(none) if is_without_code(&none) && !confirm::is_attended() => {
                    let help = "the venue wants a one-time code: keep the seed with `venuekit totp set`, or give \
                                --totp-fd N";
                    return Err(Failure::from(error).exit(Exit::NeedsPerson).code("second_factor").help(help));
                }
                Err(failure) => return Err(failure),
            }
        } else {
            return Err(self.failed(error, early));
        };
        self.deliver(&client, request).await.map_err(|error| self.failed(error, true))
    }

    async fn code(&self) -> Result<Secret, Failure> {
        // Whatever was sent was refused.
        drop(self.in_flight.take());
        self.context.code(self.target).await
    }

    /// Sends it. A write that is interrupted from now on may stand.
    async fn deliver(&self, client: &Client, request: &Request) -> Result<Response, Error> {
        if self.found.is_write() {
            let (failure, secrets) = (self.interrupted(), Arc::clone(&self.secrets));
            let words = move || {
                secrets.discard();
                Some(failure)
            };
            drop(self.in_flight.take());
            *self.in_flight.borrow_mut() = Some(interrupt::reporting(self.context.out(), words));
        }
        client.send(self.found.row.id, request).await
    }
}

/// Neither a seed that can be read nor a person is there.
fn is_without_code(failure: &Failure) -> bool {
    failure.exit == Exit::NeedsPerson || failure.word() == "passphrase"
}
