//! Sessions and logins by a venue's table (`x-logins`).

use serde_json::Value;
use venuekit_auth::described::{DescribedSigner, ParamValue};
use venuekit_wire::Secret;
use venuekit_wire::credentials::Login;

use super::entry::text_at;
use super::request::Request;
use crate::error::Error;
use crate::session::Session;

/// A session that was opened.
#[derive(Clone, Debug)]
pub struct OpenedSession {
    /// Its token.
    pub token: Secret,
    /// The id that goes along with it, where there is one.
    pub id: Option<Secret>,
}

/// Logs in with what identifies the caller and what proves it.
///
/// # Errors
/// The venue's refusal, or a login that is signed instead.
pub async fn log_in(session: &Session, login: &Login, id: &str, secret: &Secret) -> Result<OpenedSession, Error> {
    let (Some(id_field), Some(secret_field)) = (login.id, login.secret) else {
        return Err(Error::invalid_request(format!("`{}` takes a signature, and no secret", login.operation)));
    };
    let mut request = Request::new(session, login.operation)?;
    request.set_value(id_field, id.into());
    request.set_value(secret_field, secret.expose().into());
    let mut answer = request.send(session).await?;
    let id = login.id_at.map(|place| text_at(&answer.value, &[place]).ok_or_else(|| answer.lacks("id of the session")));
    let id = id.transpose()?.map(Secret::new);
    match answer.value.pointer_mut(login.token_at).map(Value::take) {
        Some(Value::String(token)) if !token.is_empty() => Ok(OpenedSession { token: Secret::new(token), id }),
        _ => Err(answer.lacks("token")),
    }
}

/// The scopes that a login grants, as its response names them. The login is signed, and its token is not kept.
///
/// # Errors
/// The venue's refusal.
pub async fn granted_scopes(
    session: &Session,
    login: &Login,
    signer: &DescribedSigner,
) -> Result<Option<Vec<String>>, Error> {
    let Some(place) = login.scopes_at else { return Ok(None) };
    let mut request = Request::new(session, login.operation)?;
    for (name, value) in signer.params(session.clock().now().get(), "")?.params() {
        request.set_value(
            name,
            match value {
                ParamValue::Text(text) => text.as_str().into(),
                ParamValue::Number(number) => (*number).into(),
                ParamValue::Signature(signature) => signature.expose().into(),
                _ => continue,
            },
        );
    }
    let answer = request.send(session).await?;
    let granted = text_at(&answer.value, &[place]);
    let is_scope =
        |word: &&str| login.scope_endings.is_empty() || login.scope_endings.iter().any(|end| word.ends_with(end));
    Ok(granted.map(|granted| granted.split_whitespace().filter(is_scope).map(str::to_owned).collect()))
}
