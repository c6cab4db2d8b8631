//! Signed calls, with the clock corrected: what fails now is not the clock's fault.

use venuekit_transport::credential_parts::CredentialParts;
use venuekit_wire::credentials::Cause as Known;

use super::symptom::{Cause, cause};
use super::{Examination, account, probe, server};
use crate::client::Client;

/// What proves who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A key.
    Key,
    /// A session.
    Session,
    /// An email and a password.
    Login,
    /// A token that was fetched elsewhere.
    Token,
}

impl Examination<'_> {
    /// Whether all that is there works.
    pub(super) async fn prove(&mut self) -> bool {
        let client = match probe::client(&self.target, &self.credential, self.offset()) {
            Ok(client) => client,
            Err(failure) => {
                let remedy = failure.advice().unwrap_or("copy it again, both parts of it").to_owned();
                self.report.fault("key", failure.word().to_owned(), failure.message(), &remedy);
                return false;
            }
        };
        let has_key = self.credential.key().is_some();
        if !self.target.venue.has_sessions() {
            let proof = if has_key { Proof::Key } else { Proof::Token };
            return self.prove_key(&client, proof).await;
        }
        let key_is_good = !has_key || self.prove_key(&client, Proof::Key).await;
        self.prove_session(&client, has_key).await && key_is_good
    }

    /// What is added to this machine's clock.
    pub(super) fn offset(&self) -> i64 {
        self.offset_millis.unwrap_or_default()
    }

    async fn prove_key(&mut self, client: &Client, proof: Proof) -> bool {
        for probe in self.rules.probes.key {
            match probe::send(&self.target, client, probe).await {
                Ok(Some(response)) if !probe::proves(probe, &response) => {
                    let found = format!("{}: the response is not the venue's", probe.operation);
                    self.report.fault("server", "web_page", found, server::OTHER_SERVER);
                    return false;
                }
                Ok(_) => {
                    self.has_response = true;
                    self.report.good("signed call", probe.proves);
                }
                Err(error) => match cause(self.target.venue, &error) {
                    // A venue that looks at scopes has looked at the signature before.
                    Cause::Known(Known::Scope | Known::SubAccount) => {
                        self.has_response = true;
                        let found =
                            format!("the signature is accepted; {} needs more than the key may do", probe.operation);
                        self.report.good("signed call", found);
                    }
                    cause => {
                        self.refused(&error, cause, proof).await;
                        return false;
                    }
                },
            }
        }
        true
    }

    /// A session proves itself by what it is for. Whether it works, or need not be asked.
    async fn prove_session(&mut self, client: &Client, has_key: bool) -> bool {
        let parts = &self.credential.parts;
        let has_login = parts.iter().any(|one| matches!(one, CredentialParts::Login { .. }));
        let proof = match parts.iter().any(|one| matches!(one, CredentialParts::Session { .. })) {
            true => Proof::Session,
            false if !has_login => return true,
            false if has_key => {
                self.report.skipped("login", "not tried: the key was, and venues allow few logins");
                return true;
            }
            false => Proof::Login,
        };
        if has_login && proof == Proof::Session {
            self.report.skipped("login", "not tried: the session is used instead");
        }
        match account::keys(client).await {
            Ok(keys) => {
                self.has_response = true;
                let word = if keys.len() == 1 { "key" } else { "keys" };
                self.report.good("session", format!("lists {} {word}", keys.len()));
                true
            }
            Err(error) => {
                let cause = cause(self.target.venue, &error);
                self.refused(&error, cause, proof).await;
                false
            }
        }
    }
}
