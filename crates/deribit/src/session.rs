//! Who is calling.

use std::fmt;
use std::time::Duration;

use venuekit_auth::deribit::{ClientSignature, DeribitHmac, DeribitKey};
use venuekit_auth::{Headers, PrivateKey, SignError};
use venuekit_transport::credential_parts::{CredentialParts, FromCredentialParts, only, unfit};
use venuekit_transport::keys::{CreatedKey, SecretKind};
use venuekit_transport::{Challenge, Connect, Error, ErrorKind, Grant, GrantFuture, Token};
use venuekit_wire::Secret;
use venuekit_wire::operation::Venue;

use crate::types::{AuthToken, GrantType};
use crate::{Client, VENUE};

/// Deribit credentials: a client id with its secret, or with a private key whose public half was registered.
///
/// Over HTTP each request proves who calls, by a signature or by a token. A WebSocket is logged in once, by a signature, so that
/// [`secret`](Self::secret), [`login`](Self::login) and [`private_key`](Self::private_key) work there; the secret crosses the wire
/// in none of them.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub(crate) ready: venuekit_transport::Credentials,
    login: Option<Login>,
}

/// The session that tokens fetched over HTTP belong to by default.
const SESSION: &str = "venuekit";

impl Credentials {
    /// A client id and its secret, signing each request (`deri-hmac-sha256`), or the login of a WebSocket.
    ///
    /// # Errors
    /// An empty part, or one that no header can hold.
    pub fn secret(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Result<Self, Error> {
        let secret = client_secret.into();
        let key = DeribitHmac::new(client_id, secret.clone())?;
        let ready = venuekit_transport::Credentials::none().signer("signature", key.clone()).hide(secret);
        Ok(Self { ready, login: Some(Login::new(Prover::Secret(key))) })
    }

    /// A client id and its secret in a basic `Authorization` header. Prefer [`secret`](Self::secret), which does not send it.
    ///
    /// # Errors
    /// An empty part, or one that no header can hold.
    pub fn basic(client_id: impl AsRef<str>, client_secret: impl Into<Secret>) -> Result<Self, Error> {
        let secret = client_secret.into();
        let basic = Headers::basic(client_id.as_ref(), secret.clone())?;
        Ok(Self::ready(venuekit_transport::Credentials::none().signer("basic", basic).hide(secret)))
    }

    /// A bearer token that was fetched elsewhere. It is not renewed.
    ///
    /// # Errors
    /// An empty token, or one that no header can hold.
    pub fn token(token: impl Into<Secret>) -> Result<Self, Error> {
        let token = token.into();
        let bearer = Headers::bearer(token.clone())?;
        Ok(Self::ready(venuekit_transport::Credentials::none().signer("bearer", bearer).hide(token)))
    }

    /// A login by a signature that the client secret makes, for a bearer token that the calls carry.
    ///
    /// # Errors
    /// An empty part, or one that no header can hold.
    pub fn login(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Result<Self, Error> {
        let secret = client_secret.into();
        let key = DeribitHmac::new(client_id, secret.clone())?;
        let ready = venuekit_transport::Credentials::none().hide(secret);
        Ok(Self { ready, login: Some(Login::new(Prover::Secret(key))) })
    }

    /// A login by a signature that a private key makes. A key with a public half at the venue can log in only this way.
    ///
    /// Ed25519 signatures are what Deribit's own example makes. For RSA no page that we could read names the padding; this uses
    /// PKCS#1 v1.5 with SHA-256.
    ///
    /// # Errors
    /// An empty client id.
    pub fn private_key(client_id: impl Into<String>, key: PrivateKey) -> Result<Self, Error> {
        let login = Login::new(Prover::Key(DeribitKey::new(client_id, key)?));
        Ok(Self { ready: venuekit_transport::Credentials::none(), login: Some(login) })
    }

    /// The same with its own session name, for credentials that log in.
    ///
    /// A token that outlives its connection belongs to a named session: over HTTP always, `venuekit` by default; over a
    /// WebSocket only if a name is given here. Give each program that uses the same key another name; a key has at most 16
    /// sessions, and a further one ends the oldest.
    #[must_use]
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        if let Some(login) = &mut self.login {
            login.session = Some(name.into());
        }
        self
    }

    fn ready(ready: venuekit_transport::Credentials) -> Self {
        Self { ready, login: None }
    }
}

impl From<Credentials> for venuekit_transport::Credentials {
    fn from(credentials: Credentials) -> Self {
        let Some(login) = credentials.login else { return credentials.ready };
        credentials.ready.token("bearer", move |anonymous| {
            // A connection's token may belong to it alone; one over HTTP would be lost with a connection of a pool.
            let unnamed = (!anonymous.is_on_connection()).then(|| SESSION.to_owned());
            let Login { prover, session } = login.clone();
            let client = Client::connect(anonymous);
            LoginGrant { client, prover, session: session.or(unnamed) }
        })
    }
}

impl FromCredentialParts for Credentials {
    const VENUE: &'static Venue = &VENUE;

    fn from_credential_parts(parts: &[CredentialParts]) -> Result<Self, Error> {
        match only(parts)? {
            CredentialParts::Key { public_id, secret, kind: SecretKind::PrivateKeyPem } => {
                Self::private_key(public_id.clone(), PrivateKey::from_pem(secret.expose())?)
            }
            CredentialParts::Key { public_id, secret, .. } => Self::secret(public_id.clone(), secret.clone()),
            CredentialParts::Token(token) => Self::token(token.clone()),
            other => Err(unfit(other, "a client id with its secret or private key")),
        }
    }

    fn of_program(self, name: &'static str) -> Self {
        // The newest of the sessions with one name ends the oldest.
        self.session_name(name)
    }

    fn of_environment(mut self, environment: &'static str) -> Self {
        self.ready = self.ready.of_environment(environment);
        self
    }
}

/// Requests are signed with the key's secret, or a login with its private key.
impl TryFrom<&CreatedKey> for Credentials {
    type Error = Error;

    fn try_from(key: &CreatedKey) -> Result<Self, Error> {
        Self::from_credential_parts(&[key.into()])
    }
}

impl Client {
    /// A client whose calls carry the response to a challenge: repeat the challenged call through it, with the same parameters.
    ///
    /// A challenge lives a minute and a code half of one; both count once.
    ///
    /// ```no_run
    /// # async fn example(deribit: venuekit_deribit::Client) -> Result<(), venuekit_deribit::Error> {
    /// let keys = match deribit.list_api_keys().send().await {
    ///     Err(error) if error.challenge().is_some() => {
    ///         let challenge = error.challenge().expect("it was there");
    ///         deribit.confirm(challenge, "123456").list_api_keys().send().await?
    ///     }
    ///     other => other?,
    /// };
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn confirm(&self, challenge: &Challenge, code: impl Into<Secret>) -> Self {
        self.with_session(self.session().confirming(challenge, code))
    }
}

/// A login by `public/auth` with the grant `client_signature`.
#[derive(Clone)]
struct Login {
    prover: Prover,
    session: Option<String>,
}

impl Login {
    fn new(prover: Prover) -> Self {
        Self { prover, session: None }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("session", &self.session).finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum Prover {
    Secret(DeribitHmac),
    Key(DeribitKey),
}

impl Prover {
    fn sign(&self, now_millis: i64) -> Result<ClientSignature, SignError> {
        match self {
            Self::Secret(key) => key.client_signature(now_millis, ""),
            Self::Key(key) => key.client_signature(now_millis, ""),
        }
    }
}

struct LoginGrant {
    client: Client,
    prover: Prover,
    session: Option<String>,
}

/// Whether a login may have been refused for its timestamp: the clock was off by at least half of what the venue accepts. Without
/// a known window it was not.
fn is_far_off(millis: u64) -> bool {
    let window = VENUE.credentials.clock_window;
    window.is_some_and(|window| millis >= u64::from(window.behind.min(window.ahead)) * 500)
}

impl LoginGrant {
    async fn log_in(&self) -> Result<Token, Error> {
        let signed = self.prover.sign(self.client.clock().now().get())?;
        let mut call = self.client.auth().grant_type(GrantType::ClientSignature).client_id(signed.client_id);
        if let Some(name) = &self.session {
            call = call.scope(format!("session:{name}"));
        }
        let call = call.timestamp(signed.timestamp).nonce(signed.nonce).data(signed.data).signature(signed.signature);
        token(&*call.send().await?)
    }
}

impl Grant for LoginGrant {
    fn fetch(&self) -> GrantFuture<'_> {
        Box::pin(async {
            let before = self.client.clock().offset_millis();
            match self.log_in().await {
                // The signature is part of the request, so the transport cannot make it again. The refusal contained the venue's time.
                Err(error) if error.kind() == ErrorKind::Unauthorized => {
                    let moved = self.client.clock().offset_millis().abs_diff(before);
                    if is_far_off(moved) { self.log_in().await } else { Err(error) }
                }
                result => result,
            }
        })
    }

    fn refresh<'a>(&'a self, refresh: &'a Secret) -> GrantFuture<'a> {
        Box::pin(async {
            let call = self.client.auth().grant_type(GrantType::RefreshToken).refresh_token(refresh.clone());
            token(&*call.send().await?)
        })
    }
}

fn token(answer: &AuthToken) -> Result<Token, Error> {
    let token = Token::bearer(answer.access_token.clone())?;
    // A life that is missing or no life at all says nothing: the token is used until the venue refuses it.
    let token = match answer.expires_in.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0) {
        Some(seconds) => token.lives(Duration::from_secs(seconds)),
        None => token,
    };
    Ok(match &answer.refresh_token {
        Some(refresh) => token.refreshed_by(refresh.clone()),
        None => token,
    })
}
