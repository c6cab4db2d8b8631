//! The login inside of messages.

use std::borrow::Cow;

use url::Url;
use venuekit_transport::Error;
use venuekit_transport::client::Session;
use venuekit_wire::Secret;
use venuekit_wire::stream::{self, Endpoint};

use crate::dialect::Login;

/// What a connection says of who one is, and what must not be seen of it.
pub(super) struct Proof {
    pub(super) login: Option<Login>,
    secrets: Vec<Secret>,
}

/// A shorter text is no secret, and taking it out would spoil the rest.
const SHORTEST: usize = 4;

impl Proof {
    /// What goes along with every message to this endpoint. A client without a credential for it says nothing, unless something
    /// private is asked for.
    pub(super) async fn of(session: &Session, endpoint: &Endpoint, url: &Url, is_private: bool) -> Result<Self, Error> {
        let nothing = Self { login: None, secrets: Vec::new() };
        let stream::Login::Message { member, ways } = endpoint.login else { return Ok(nothing) };
        let way = ways.iter().find(|way| session.has_credential(way.credential));
        // Without any the first one is asked for, whose error names it.
        let Some(way) = way.or_else(|| ways.first().filter(|_| is_private)) else { return Ok(nothing) };
        let values = session.header_values(way.credential, url).await?;
        let mut object = serde_json::Map::new();
        for (name, header) in way.members {
            if let Some(value) = values.get(header) {
                object.insert((*name).to_owned(), value.expose().into());
            }
        }
        let value = Secret::new(serde_json::Value::Object(object).to_string());
        Ok(Self { login: Some(Login { member, value }), secrets: values.secrets().cloned().collect() })
    }

    /// A text of the venue without what must not be seen.
    pub(super) fn redacted<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        let mut text = text;
        for secret in self.secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= SHORTEST) {
            if text.contains(secret) {
                text = text.replace(secret, "[redacted]").into();
            }
        }
        text
    }
}
