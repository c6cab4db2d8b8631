//! `venuekit doctor`: why a key does not work, one cause after the other.

mod account;
mod clock;
mod facts;
mod key;
mod probe;
mod refused;
mod report;
mod scope;
mod symptom;

use clap::Args;
use serde_json::json;
use venuekit_wire::UnixMillis;

use self::facts::Facts;
use self::report::Report;
use crate::context::Context;
use crate::credential::{Credential, variable};
use crate::failure::{Exit, Failure};
use crate::subject::Subject;
use crate::target::Target;

/// What `venuekit doctor` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct DoctorArgs {
    /// VENUE, VENUE/ENVIRONMENT, or the key as VENUE/ENVIRONMENT/NAME
    #[arg(value_name = "VENUE|REFERENCE")]
    subject: Subject,
    /// An operation that the key should be allowed to call
    #[arg(long = "for", value_name = "OPERATION")]
    operation: Option<String>,
    /// Ask the venue's other environments too whether they know the key: a signed call is sent there, the secret is not
    #[arg(long)]
    ask_other_environments: bool,
}

const AFTER_HELP: &str = "\
Every call that it makes changes nothing. Exit code 8 says that a fault was found.

Example:
  venuekit doctor kalshi/demo/bot --for create_order_v2";

/// A diagnosis under way.
pub struct Examination<'a> {
    context: &'a Context,
    arguments: &'a DoctorArgs,
    target: Target,
    credential: Credential,
    facts: &'static Facts,
    /// What is to be added to this machine's clock.
    offset_millis: i64,
    report: Report<'a>,
}

/// `venuekit doctor`.
pub async fn run(context: &Context, arguments: &DoctorArgs) -> Result<(), Failure> {
    let target = context.target(&arguments.subject)?;
    let mut report = Report::new(context.out());
    report.good("environment", format!("{} at {}", target.environment, target.base_url));
    let credential = match context.credential(&target, &arguments.subject).await {
        Ok(credential) => credential,
        Err(failure) => {
            let advice = failure.advice().unwrap_or_default();
            report.fault("credential", "credential", failure.message(), advice);
            Credential::none()
        }
    };
    let facts = facts::of(target.venue);
    let mut examination = Examination { context, arguments, target, credential, facts, offset_millis: 0, report };
    examination.go().await?;
    examination.finish()
}

impl Examination<'_> {
    async fn go(&mut self) -> Result<(), Failure> {
        let has_key = self.look_at_key();
        if !self.reach().await? || !has_key {
            return Ok(());
        }
        if self.prove().await? {
            self.look_at_scopes().await;
        }
        Ok(())
    }

    fn look_at_key(&mut self) -> bool {
        if self.report.is_bad() {
            return false;
        }
        if self.credential.is_none() {
            let remedy = format!("name a stored key with --key NAME, or set {}", variable::names(&self.target));
            self.report.fault("credential", "no_key", "there is none", &remedy);
            return false;
        }
        self.report.good("credential", self.credential.source.clone());
        key::look(&mut self.report, self.target.venue, &self.credential)
    }

    /// Whether the venue answers at all, and what time it is there.
    async fn reach(&mut self) -> Result<bool, Failure> {
        let anonymous = probe::client(&self.target, &Credential::none(), 0)?;
        let sent = UnixMillis::now();
        match probe::send(&self.target, &anonymous, &self.facts.reach).await {
            Ok(response) => {
                self.report.good("server", "answers");
                let offset = response.and_then(|response| clock::offset(&response, sent));
                self.offset_millis = offset.unwrap_or_default();
                clock::look(&mut self.report, self.facts, offset);
                Ok(true)
            }
            // Any answer of the venue shows that it is there.
            Err(error) if error.status().is_some_and(|status| !status.is_server_error()) => {
                self.report.good("server", "answers");
                Ok(true)
            }
            Err(error) => {
                let remedy = "check the network, a proxy, and the server's address; then whether the venue is down";
                self.report.fault("server", "unreachable", error.to_string(), remedy);
                Ok(false)
            }
        }
    }

    /// Signed calls, with the clock put right: what fails now is no fault of the clock.
    async fn prove(&mut self) -> Result<bool, Failure> {
        if self.credential.key().is_none() && self.target.venue == crate::venue::Venue::Bayse {
            return self.prove_session().await;
        }
        let client = probe::client(&self.target, &self.credential, self.offset_millis)?;
        for probe in self.facts.prove {
            match probe::send(&self.target, &client, probe).await {
                Ok(_) => self.report.good("signed call", probe.proves),
                Err(error) => {
                    self.refused(&error).await;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// A session proves itself by what it is for.
    async fn prove_session(&mut self) -> Result<bool, Failure> {
        let client = probe::client(&self.target, &self.credential, self.offset_millis)?;
        match account::keys(&client).await {
            Ok(keys) => self.report.good("session", format!("lists {} keys", keys.len())),
            Err(error) => self.refused(&error).await,
        }
        Ok(false)
    }

    fn finish(self) -> Result<(), Failure> {
        let ok = !self.report.is_bad();
        self.context
            .out()
            .document(&json!({"ok": ok, "venue": self.target.venue.name(), "environment": self.target.environment,
            "base_url": self.target.base_url, "checks": self.report.checks()}));
        if ok { Ok(()) } else { Err(Failure::told(Exit::Fault)) }
    }
}
