//! HashiCorp Vault or OpenBao: the key-value engine, version 2.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use venuekit_transport::endpoint::{Route, may_carry_secrets, without_user};
use venuekit_wire::Secret;
use zeroize::Zeroizing;

use super::{Store, StoreError, StoreFuture};
use crate::record::Record;
use crate::reference::Reference;

/// How to reach a Vault.
#[derive(Clone, Debug)]
pub struct VaultSettings {
    /// Its address, such as `https://vault.example.com:8200`.
    pub address: String,
    /// The token that it knows the caller by.
    pub token: Secret,
    /// Where the engine is mounted, often `secret`.
    pub mount: String,
    /// The path below that which keys are kept under.
    pub prefix: String,
    /// The namespace, where the server has such.
    pub namespace: Option<String>,
}

/// Keys in a Vault, one secret a record at `PREFIX/VENUE/ENVIRONMENT/NAME`.
///
/// Every write is checked against the version that was read before it (check-and-set), so that two machines cannot undo each
/// other's work. What is removed is removed with all its versions.
pub struct VaultStore {
    http: reqwest::Client,
    route: Route,
    settings: VaultSettings,
    versions: Mutex<HashMap<Reference, u64>>,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl fmt::Debug for VaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultStore").field("address", &self.settings.address).finish_non_exhaustive()
    }
}

/// A secret as the server returns it. A deleted one has a version and no data.
#[derive(Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
}

#[derive(Deserialize)]
struct Wrapped<T> {
    data: T,
}

#[derive(Serialize)]
struct Write<'a> {
    options: Options,
    data: &'a RawValue,
}

/// The version that the write is to follow.
#[derive(Serialize)]
struct Options {
    cas: u64,
}

#[derive(Deserialize)]
struct Names {
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct Problems {
    #[serde(default)]
    errors: Vec<String>,
}

/// The body of a 404 of the engine: `{"errors":[]}`.
#[derive(Deserialize)]
struct Missing {
    errors: Vec<String>,
}

impl VaultStore {
    /// A store at this server. Nothing is sent.
    ///
    /// # Errors
    /// An address that cannot be read or that is not TLS, other than on this machine; a token that no header can hold; a proxy in
    /// the environment that cannot be used.
    pub fn new(settings: VaultSettings) -> Result<Self, StoreError> {
        let refused = |what: &str| StoreError::Refused(format!("{}: {what}", without_user(&settings.address)));
        let url = reqwest::Url::parse(&settings.address).map_err(|error| refused(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(refused("an address begins with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("an address has no user and no password; the token says who calls"));
        }
        if !may_carry_secrets(&url) {
            return Err(refused("keys do not cross a network without TLS; use https://"));
        }
        let mut token =
            HeaderValue::from_str(settings.token.expose()).map_err(|_| refused("the token cannot be sent"))?;
        token.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([("x-vault-token".parse().expect("a header's name"), token)]);
        headers.insert("x-vault-request", HeaderValue::from_static("true"));
        if let Some(namespace) = &settings.namespace {
            let value = HeaderValue::from_str(namespace).map_err(|_| refused("the namespace cannot be sent"))?;
            headers.insert("x-vault-namespace", value);
        }
        let route = Route::to(&url, None).map_err(|error| refused(error.message()))?;
        let http = route.client(reqwest::Client::builder().default_headers(headers).timeout(PATIENCE));
        let http = http.build().map_err(|error| refused(&error.to_string()))?;
        Ok(Self { http, route, settings, versions: Mutex::default() })
    }

    fn url(&self, part: &str, path: &str) -> String {
        let VaultSettings { address, mount, prefix, .. } = &self.settings;
        let trim = |text: &str| text.trim_matches('/').to_owned();
        let path = [trim(mount), part.to_owned(), trim(prefix), trim(path)];
        let path: Vec<String> = path.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}/v1/{}", address.trim_end_matches('/'), path.join("/"))
    }

    /// A call: its status and body.
    async fn send(
        &self,
        method: Method,
        url: String,
        body: Option<&Write<'_>>,
    ) -> Result<(StatusCode, Zeroizing<Vec<u8>>), StoreError> {
        let unreachable = |error: reqwest::Error| {
            let error: &dyn std::error::Error = &error.without_url();
            let causes = std::iter::successors(Some(error), |error| error.source());
            let said: Vec<String> = causes.map(ToString::to_string).collect();
            StoreError::Unreachable(format!("{}{}: {}", self.settings.address, self.route, said.join(": ")))
        };
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(unreachable)?;
        Ok((status, Zeroizing::new(bytes.to_vec())))
    }

    /// What the server says where it fails.
    fn refused(&self, status: StatusCode, body: &[u8]) -> StoreError {
        let problems: Problems = serde_json::from_slice(body).unwrap_or(Problems { errors: Vec::new() });
        let said = problems.errors.iter().map(|error| error.trim()).collect::<Vec<_>>().join("; ");
        let said = if said.is_empty() { "no explanation".to_owned() } else { said };
        let what = format!("{}: {} ({said})", self.settings.address, status.as_u16());
        if status.is_server_error() || status.is_redirection() {
            return StoreError::Unreachable(what);
        }
        StoreError::Refused(what)
    }

    fn broken(&self, what: &str) -> StoreError {
        StoreError::corrupted(self.settings.address.clone(), what)
    }

    fn remember(&self, reference: &Reference, version: Option<u64>) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        match version {
            Some(version) => versions.insert(reference.clone(), version),
            None => versions.remove(reference),
        };
    }

    /// A record, if there is one, and the version to check the next write against.
    async fn read(&self, reference: &Reference) -> Result<(Option<Record>, u64), StoreError> {
        let url = self.url("data", &reference.to_string());
        let (status, body) = self.send(Method::GET, url, None).await?;
        if status != StatusCode::OK && status != StatusCode::NOT_FOUND {
            return Err(self.refused(status, &body));
        }
        let Ok(kept) = serde_json::from_slice::<Wrapped<Kept<'_>>>(&body) else {
            return match status {
                StatusCode::OK => Err(self.broken("the response is not a secret of version 2")),
                _ if is_nothing_there(&body) => Ok((None, 0)),
                _ => Err(self.refused(status, &body)),
            };
        };
        let version = kept.data.metadata.version;
        let Some(data) = kept.data.data.filter(|data| data.get() != "null") else { return Ok((None, version)) };
        let record = Record::from_secret(&Secret::new(data.get()));
        let record = record.map_err(|error| StoreError::unreadable(format!("the secret `{reference}`"), error))?;
        Ok((Some(record), version))
    }

    async fn write(&self, record: &Record) -> Result<(), StoreError> {
        let reference = &record.reference;
        let known = self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(reference).copied();
        let version = match known {
            Some(version) => version,
            None => self.read(reference).await?.1,
        };
        let text = record.to_secret();
        let data: &RawValue = serde_json::from_str(text.expose()).map_err(|_| self.broken("the record"))?;
        let body = Write { options: Options { cas: version }, data };
        let (status, response) = self.send(Method::POST, self.url("data", &reference.to_string()), Some(&body)).await?;
        if !status.is_success() {
            self.remember(reference, None);
            let problems: Problems = serde_json::from_slice(&response).unwrap_or(Problems { errors: Vec::new() });
            let stale = problems.errors.iter().any(|error| error.contains("check-and-set"));
            return match status {
                StatusCode::BAD_REQUEST if stale => Err(StoreError::Conflict(reference.clone())),
                _ => Err(self.refused(status, &response)),
            };
        }
        let now: Option<Wrapped<Metadata>> = serde_json::from_slice(&response).ok();
        self.remember(reference, now.map(|now| now.data.version));
        Ok(())
    }

    /// The names below a path; those of folders end in a slash.
    async fn names(&self, path: &str) -> Result<Vec<String>, StoreError> {
        let url = format!("{}?list=true", self.url("metadata", path));
        let (status, body) = self.send(Method::GET, url, None).await?;
        match status {
            StatusCode::NOT_FOUND if is_nothing_there(&body) => Ok(Vec::new()),
            StatusCode::OK => {
                let names: Wrapped<Names> =
                    serde_json::from_slice(&body).map_err(|_| self.broken("the response is not a list"))?;
                Ok(names.data.keys)
            }
            _ => Err(self.refused(status, &body)),
        }
    }
}

impl Store for VaultStore {
    fn get<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, Record> {
        Box::pin(async move {
            let (record, version) = self.read(reference).await?;
            self.remember(reference, Some(version));
            record.ok_or_else(|| StoreError::NotFound(reference.clone()))
        })
    }

    fn put<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, ()> {
        Box::pin(self.write(record))
    }

    fn list(&self) -> StoreFuture<'_, Vec<Reference>> {
        Box::pin(async move {
            let mut found = Vec::new();
            for venue in folders(self.names("").await?) {
                for environment in folders(self.names(&venue).await?) {
                    let path = format!("{venue}/{environment}");
                    for name in self.names(&path).await? {
                        // Whatever else lies there is not ours.
                        found.extend(format!("{path}/{name}").parse::<Reference>());
                    }
                }
            }
            // A secret that was deleted by hand is listed until its metadata goes.
            let mut live = Vec::new();
            for reference in found {
                match self.read(&reference).await {
                    Ok((None, _)) => {}
                    // One that cannot be read exists nevertheless.
                    Ok((Some(_), _)) | Err(StoreError::Corrupted { .. } | StoreError::Newer { .. }) => {
                        live.push(reference);
                    }
                    Err(error) => return Err(error),
                }
            }
            live.sort();
            Ok(live)
        })
    }

    fn remove<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            match self.read(reference).await {
                Ok((None, _)) => return Err(StoreError::NotFound(reference.clone())),
                // A damaged one may be removed, one of a newer version is not.
                Ok((Some(_), _)) | Err(StoreError::Corrupted { .. }) => {}
                Err(error) => return Err(error),
            }
            let url = self.url("metadata", &reference.to_string());
            let (status, body) = self.send(Method::DELETE, url, None).await?;
            self.remember(reference, None);
            if status.is_success() { Ok(()) } else { Err(self.refused(status, &body)) }
        })
    }
}

/// Whether a 404 is the engine's own: it has no such secret, and says so by a list of errors that is empty. Of a mount that it does not have,
/// the server says more, and what is no such list comes from somewhere else.
fn is_nothing_there(body: &[u8]) -> bool {
    serde_json::from_slice::<Missing>(body).is_ok_and(|missing| missing.errors.is_empty())
}

fn folders(names: Vec<String>) -> impl Iterator<Item = String> {
    names.into_iter().filter_map(|name| Some(name.strip_suffix('/')?.to_owned()))
}
