//! Logins that are messages: one member of each message, or one command before the others.

use std::borrow::Cow;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use url::Url;
use venuekit_transport::Error;
use venuekit_transport::client::Session;
use venuekit_transport::streaming::Socket;
use venuekit_transport::streaming::websocket::Message;
use venuekit_wire::Secret;
use venuekit_wire::stream::{self, Endpoint, ParameterKind};

use super::lost::{broken, ended, failed, refused};
use crate::dialect::{Dialect, Login};
use crate::hub::io::{Lost, LostCause};

/// How long the response to a login may take.
const LOGIN_WITHIN: Duration = Duration::from_secs(15);

/// A shorter text is not secret, and to remove it would spoil the rest.
const SHORTEST: usize = 4;

/// The login of a connection, and what must not be shown of it.
pub(super) struct ConnectionLogin {
    session: Session,
    pub(super) login: Option<Login>,
    secrets: Vec<Secret>,
}

impl ConnectionLogin {
    /// The member of every message to this endpoint, where its login is one. A client without a credential for it sends none, unless
    /// a private channel is wanted.
    pub(super) async fn of(session: &Session, endpoint: &Endpoint, url: &Url, is_private: bool) -> Result<Self, Error> {
        let mut own = Self { session: session.clone(), login: None, secrets: Vec::new() };
        let stream::Login::Message { member, ways } = endpoint.login else { return Ok(own) };
        let way = ways.iter().find(|way| session.has_credential(way.credential));
        // Without any the first one is asked for, whose error names it.
        let Some(way) = way.or_else(|| ways.first().filter(|_| is_private)) else { return Ok(own) };
        let values = session.header_values(way.credential, url).await?;
        let mut object = serde_json::Map::new();
        for (name, header) in way.members {
            if let Some(value) = values.get(header) {
                object.insert((*name).to_owned(), value.expose().into());
            }
        }
        let value = Secret::new(serde_json::Value::Object(object).to_string());
        own.login = Some(Login { member, value });
        own.secrets.extend(values.secrets().cloned());
        Ok(own)
    }

    /// Logs in by a command, where that is the login of the endpoint. `was_open` says whether a login has succeeded before.
    pub(super) async fn log_in(
        &mut self,
        endpoint: &Endpoint,
        url: &Url,
        dialect: &Dialect,
        socket: &mut Socket,
        was_open: bool,
    ) -> Result<(), Lost> {
        let stream::Login::Command { credential, command, values } = endpoint.login else { return Ok(()) };
        let headers = self.session.header_values(credential, url).await;
        let headers = headers.map_err(|error| failed(&self.session, &error, was_open))?;
        self.secrets.extend(headers.secrets().cloned());
        let mut arguments = Vec::with_capacity(values.len());
        for (header, kind) in values {
            let value = headers.get(header).map(Secret::expose);
            let missing = || LostCause::Failed(format!("the credential {credential} has no {header}"));
            let value = value.ok_or_else(|| Lost { cause: missing(), is_final: true, retry_after: None })?;
            arguments.push(match kind {
                ParameterKind::Integer if value.parse::<i64>().is_ok() => value.to_owned(),
                _ => serde_json::Value::from(value).to_string(),
            });
        }
        let without = || ended(LostCause::Failed("the venue has no command that logs in".to_owned()));
        let text = dialect.login(command, &arguments).ok_or_else(without)?;
        let exchange = async {
            let sent = socket.send(Message::text(text.expose().to_owned())).await;
            sent.map_err(|error| ended(broken(&error)))?;
            loop {
                let message = socket.next().await.ok_or_else(|| ended(LostCause::Cut))?;
                let message = message.map_err(|error| ended(broken(&error)))?;
                if let Some((code, text)) = message.as_close() {
                    let text = self.redacted(Cow::Borrowed(text)).into_owned();
                    return Err(ended(LostCause::Closed { code: code.into(), text }));
                }
                // Nothing is subscribed to yet: what else comes is a greeting.
                match dialect.logged_in(command, message.as_payload()) {
                    None => {}
                    Some(Ok(())) => return Ok(()),
                    Some(Err(text)) => {
                        let text = self.redacted(Cow::Owned(text));
                        return Err(refused(format!("the login was refused: {text}"), was_open));
                    }
                }
            }
        };
        let late = |_| ended(LostCause::Failed(format!("no response to the login within {LOGIN_WITHIN:?}")));
        tokio::time::timeout(LOGIN_WITHIN, exchange).await.map_err(late)?
    }

    /// A text of the venue without what must not be shown.
    pub(super) fn redacted<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        let mut text = text;
        for secret in self.secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= SHORTEST) {
            if text.contains(secret) {
                text = text.replace(secret, "[redacted]").into();
            }
        }
        match self.session.redacted(&text) {
            same if same == text => text,
            redacted => Cow::Owned(redacted),
        }
    }
}
