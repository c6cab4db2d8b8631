//! What became of a call that did not simply succeed, and what to do about it.

use venuekit_transport::{Error, ErrorKind};

use super::look_up::LookUp;
use super::send::Sender;
use crate::failure::{Exit, Failure};
use crate::one_time_code::{is_about_code, of_code};
use crate::remedy;
use crate::target::Target;

/// Where a call goes, as a command line says it.
pub fn place(target: &Target) -> String {
    format!("{}/{}", target.venue, target.environment)
}

impl Sender<'_> {
    /// An error of the transport, with what this call adds to it.
    pub fn failed(&self, error: Error, carried_code: bool) -> Failure {
        let is_lost = error.may_have_been_applied();
        let is_of_code = carried_code && (is_about_code(&error) || error.kind() == ErrorKind::Challenge);
        let (kind, has_response) = (error.kind(), error.status().is_some());
        let failure = Failure::from(error.clone());
        match kind {
            _ if is_lost => {
                // The help says how it may be repeated: the transport's sentence forbids that.
                let failure = match (&self.key, failure.message().split_once("; it may have been executed")) {
                    (Some(_), Some((what, _))) => {
                        let message = format!("{what}; it may have been executed");
                        failure.with_message(message)
                    }
                    _ => failure,
                };
                match self.afterwards() {
                    Some(help) => failure.help(help),
                    None => failure,
                }
            }
            _ if is_of_code => of_code(&error, failure),
            ErrorKind::Unauthorized | ErrorKind::Clock if has_response => failure.help(remedy::of_key(&self.doctor)),
            ErrorKind::Network if !has_response => failure.help(remedy::of_server(&self.target.base_url, &self.doctor)),
            _ => failure,
        }
    }

    /// The command was interrupted before the response came.
    pub fn interrupted(&self) -> Failure {
        let mut message = format!("{}: interrupted; it may have been executed", self.found.spec.name);
        if self.key.is_none() {
            message.push_str(", do not repeat it");
        }
        if let (None, Some(reconcile)) = (&self.key, self.found.row.reconcile) {
            message.push_str(&format!(": check with `{}` first", reconcile.operation));
        }
        self.with_traces(Failure::new(Exit::Unknown, message).code("interrupted"))
    }

    /// It was carried out, and its response cannot be printed.
    pub fn unprinted(&self, why: &Failure, response: &str) -> Failure {
        let message =
            format!("{} was executed; its response could not be printed: {}", self.found.spec.name, why.message());
        let help = match self.secrets.file() {
            Some(file) => format!("do not repeat it: the response is in {}", file.display()),
            None => format!("do not repeat it; the response was {response}"),
        };
        self.with_traces(Failure::new(Exit::Unknown, message).code("response_not_printed")).help(help)
    }

    pub(super) fn with_traces(&self, mut failure: Failure) -> Failure {
        failure = failure.detail("operation", self.found.spec.name.as_str()).detail("may_have_been_applied", true);
        if let Some((_, key)) = &self.key {
            failure = failure.detail("idempotency_key", key.as_str());
        }
        if let Some(reconcile) = self.found.row.reconcile {
            failure = failure.detail("reconcile_with", reconcile.operation);
        }
        match self.afterwards() {
            Some(help) => failure.help(help),
            None => failure,
        }
    }

    /// What to do about a write whose outcome is unknown.
    fn afterwards(&self) -> Option<String> {
        const AGAIN: &str = "a retry with the same id is not executed twice";
        match (&self.key, &self.look_up) {
            (Some((name, key)), Some(LookUp { line, hint })) => {
                Some(format!("it was sent with {name}={key}: look for that id in `{line}`; {AGAIN}{hint}"))
            }
            (Some((name, key)), None) => Some(format!("it was sent with {name}={key}; {AGAIN}")),
            (None, Some(LookUp { line, hint })) => Some(format!("check what happened to it: `{line}`{hint}")),
            (None, None) => None,
        }
    }
}
