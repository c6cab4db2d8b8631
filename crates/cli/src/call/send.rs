//! Sends one request, with a one-time code where the venue wants one.

use venuekit_spec::Request;
use venuekit_transport::{Error, Response};

use super::secrets::Secrets;
use crate::client::Client;
use crate::confirm;
use crate::context::Context;
use crate::exact::Exact;
use crate::failure::{Exit, Failure};
use crate::lookup::Found;
use crate::target::Target;

/// What is needed to send requests of one operation.
pub struct Sender<'a> {
    /// The options.
    pub context: &'a Context,
    /// Where to.
    pub target: &'a Target,
    /// By which client.
    pub client: Client,
    /// The operation.
    pub found: &'a Found,
    /// Whether a one-time code goes along although the venue may do without.
    pub with_code: bool,
    /// Where secrets of the answers go.
    pub secrets: &'a Secrets,
}

impl Sender<'_> {
    /// The answer, as it is written.
    pub async fn send(&self, request: &Request) -> Result<Exact, Failure> {
        let response = self.response(request).await?;
        self.secrets.keep(response.body())?;
        let body = std::str::from_utf8(response.body()).map_err(|_| self.unreadable("is no text"))?;
        if body.trim().is_empty() {
            return Ok(Exact::null());
        }
        Exact::parse(body).map_err(|_| self.unreadable("is no JSON"))
    }

    fn unreadable(&self, what: &str) -> Failure {
        let exit = if self.found.is_write() { Exit::Unknown } else { Exit::Network };
        Failure::new(exit, format!("{}: the answer {what}", self.found.spec.name)).code("decode")
    }

    async fn response(&self, request: &Request) -> Result<Response, Failure> {
        let early = self.found.needs_code() || self.found.takes_code() && (self.with_code || self.context.has_codes());
        let client = match early {
            true => self.client.with_code(self.context.code(self.target).await?),
            false => self.client.clone(),
        };
        let error = match client.send(self.found.row.id, request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        // The venue has refused for want of a code: nothing was carried out.
        if let Some(challenge) = error.challenge() {
            let code = self.context.code(self.target).await?;
            return Ok(self.client.confirming(challenge, code).send(self.found.row.id, request).await?);
        }
        if !early && self.found.takes_code() && wants_code(&error) {
            if !confirm::is_attended() {
                return Err(Failure::from(error).help("the venue wants a one-time code: --totp, or --totp-fd N"));
            }
            let client = self.client.with_code(self.context.code(self.target).await?);
            return Ok(client.send(self.found.row.id, request).await?);
        }
        Err(error.into())
    }
}

fn wants_code(error: &Error) -> bool {
    let says =
        |text: &str| ["two_factor_required", "2fa_required", "2fa required"].iter().any(|word| text.contains(word));
    error.status().is_some_and(|status| status.is_client_error())
        && [error.code(), Some(error.message())].into_iter().flatten().any(|text| says(&text.to_ascii_lowercase()))
}
