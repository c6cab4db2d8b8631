//! `venuekit doctor`: why a key does not work, one cause after the other.

mod account;
mod clock;
mod key;
mod probe;
mod prove;
mod refused;
mod remedy;
mod report;
mod scope;
mod server;
mod symptom;
mod unknown;

use clap::Args;
use serde_json::json;
use venuekit_wire::UnixMillis;
use venuekit_wire::credentials::CredentialRules;
use venuekit_wire::variables::VariableKind;

use self::report::Report;
use self::symptom::Cause;
use crate::context::Context;
use crate::credential::Credential;
use crate::failure::{Exit, Failure};
use crate::lookup::{self, Found};
use crate::subject::Subject;
use crate::target::Target;
use crate::variables;

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct DoctorArgs {
    /// VENUE, VENUE/ENVIRONMENT, or the key as VENUE/ENVIRONMENT/NAME
    #[arg(value_name = "VENUE|REFERENCE")]
    subject: Subject,
    /// An operation that the key should be allowed to call
    #[arg(long = "for", value_name = "OPERATION")]
    operation: Option<String>,
    /// Also ask the venue's other environments whether they know the key: a signed call is sent there, the secret is not
    #[arg(long)]
    ask_other_environments: bool,
}

const AFTER_HELP: &str = "\
None of its calls changes anything. Exit code 8 means that a check found a problem, 7 that the venue \
asked to wait at every call with the key.

Example:
  venuekit doctor kalshi/demo/bot --for create_order_v2";

/// A diagnosis in flight.
pub struct Examination<'a> {
    context: &'a Context,
    arguments: &'a DoctorArgs,
    target: Target,
    credential: Credential,
    /// What the venue's spec says of its credentials.
    rules: &'static CredentialRules,
    /// What the key should be allowed to call, until that is known.
    wanted: Option<Found>,
    /// What is to be added to this machine's clock, where the venue sent its time.
    offset_millis: Option<i64>,
    /// Whether a signed call got a response, and not only the advice to wait.
    has_response: bool,
    /// Whether the venue has asked to wait.
    was_delayed: bool,
    report: Report<'a>,
}

/// `venuekit doctor`.
pub async fn run(context: &Context, arguments: &DoctorArgs) -> Result<(), Failure> {
    // A typing mistake is reported before anything is sent.
    let wanted =
        arguments.operation.as_ref().map(|name| lookup::operation(arguments.subject.venue, name)).transpose()?;
    context.check_key(&arguments.subject)?;
    let target = context.target(&arguments.subject)?;
    let mut report = Report::new(context.out());
    report.good("environment", format!("{} at {}", target.environment, target.base_url));
    let credential = match context.credential(&target, &arguments.subject).await {
        Ok(credential) => credential,
        Err(failure) => {
            let advice = failure.advice().unwrap_or_default();
            report.fault("credential", failure.word().to_owned(), failure.message(), advice);
            Credential::none()
        }
    };
    let rules = &target.venue.table().credentials;
    let mut examination = Examination {
        context,
        arguments,
        target,
        credential,
        rules,
        wanted,
        offset_millis: None,
        has_response: false,
        was_delayed: false,
        report,
    };
    examination.go().await?;
    examination.finish()
}

impl Examination<'_> {
    async fn go(&mut self) -> Result<(), Failure> {
        let has_key = self.look_at_key();
        if self.reach().await? && has_key && self.prove().await {
            self.look_at_scopes().await;
        }
        Ok(())
    }

    /// Where a person manages the keys.
    fn page(&self) -> &'static str {
        let venue = self.target.venue.of_keys();
        venue.table().key_page(&self.target.environment).unwrap_or("the account's settings at the venue")
    }

    /// Whether the venue accepts key pairs as well as shared secrets, each with its own ids.
    fn has_two_kinds(&self) -> bool {
        let variables = &self.target.venue.table().variables;
        [VariableKind::Key, VariableKind::PrivateKey].iter().all(|kind| variables.of_kind(*kind).is_some())
    }

    fn look_at_key(&mut self) -> bool {
        if self.report.is_bad() {
            return false;
        }
        if self.credential.is_none() {
            let prefix = self.credential.prefix.clone().unwrap_or_else(|| variables::prefix(&self.target));
            let found = match variables::missing(&self.target, &prefix) {
                Some(hint) => format!("no credential: {hint}"),
                None => "no credential".to_owned(),
            };
            let names = variables::names_after(self.target.venue, &prefix);
            let remedy = format!("name a stored key with --key NAME, or set {names}");
            self.report.fault("credential", "no_key", found, &remedy);
            return false;
        }
        self.report.good("credential", self.credential.source.clone());
        let ignored = self.credential.prefix.as_ref().and_then(|prefix| variables::ignored(&self.target, prefix));
        if let Some(ignored) = ignored {
            self.report.odd("credential", "ignored", ignored, "set only the one that is meant");
        }
        for half in self.credential.prefix.iter().flat_map(|prefix| variables::half(&self.target, prefix)) {
            self.report.odd("credential", "half", half, "set both, or neither");
        }
        let page = self.page();
        key::look(&mut self.report, &self.target, &self.credential, page)
    }

    /// Whether the venue responds at all, and what time it is there.
    async fn reach(&mut self) -> Result<bool, Failure> {
        let anonymous = probe::client(&self.target, &Credential::none(), 0)?;
        let Some(probe) = &self.rules.probes.reach else {
            self.report.skipped("server", "the spec names no call that shows whether the venue is reached");
            return Ok(true);
        };
        let sent = UnixMillis::now();
        let error = match probe::send(&self.target, &anonymous, probe).await {
            Ok(Some(response)) if !probe::fits(probe, &response) => {
                let found = format!("{}: the response is not the venue's", probe.operation);
                self.report.fault("server", "web_page", found, server::OTHER_SERVER);
                return Ok(false);
            }
            Ok(response) => {
                self.report.good("server", "responds");
                self.offset_millis = response.and_then(|response| clock::offset(&response, sent));
                clock::look(&mut self.report, self.rules.clock_window, self.offset_millis);
                return Ok(true);
            }
            Err(error) => error,
        };
        let (word, remedy) = match symptom::cause(self.target.venue, &error) {
            Cause::Unreachable => server::unreachable(&error),
            Cause::Foreign => server::foreign(&error),
            // A path that every venue has.
            _ if error.status() == Some(http::StatusCode::NOT_FOUND) => ("wrong_server", server::OTHER_SERVER),
            // Any other response of the venue shows that it is reached.
            _ => {
                self.report.good("server", "responds");
                return Ok(true);
            }
        };
        self.report.fault("server", word, error.to_string(), remedy);
        Ok(false)
    }

    fn finish(mut self) -> Result<(), Failure> {
        // Nothing was found because no call got a response.
        let is_unknown = self.was_delayed && !self.has_response && !self.report.is_bad();
        if let Some(wanted) = self.wanted.filter(|_| !self.report.is_bad()) {
            let found = format!("whether the key may call {} is unknown", wanted.spec.name);
            self.report.fault("operation", "open", found, "run it again once the rest is fixed");
        }
        let ok = !self.report.is_bad() && !is_unknown;
        self.context
            .out()
            .document(&json!({"ok": ok, "venue": self.target.venue.name(), "environment": self.target.environment,
            "base_url": self.target.base_url, "checks": self.report.checks()}));
        match ok {
            true => Ok(()),
            false => Err(Failure::reported(if is_unknown { Exit::Network } else { Exit::Fault })),
        }
    }
}
