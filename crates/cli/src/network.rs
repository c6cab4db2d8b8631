//! How calls get to a venue: how long they may take, and through which proxy they go.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;
use venuekit_transport::Timeouts;
use venuekit_wire::Secret;

use crate::number;

/// How calls get to a venue.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Global options")]
pub struct Network {
    /// Seconds that a call may take, with all its attempts [default: 60]
    #[arg(long, global = true, value_name = "SECONDS")]
    pub timeout: Option<Seconds>,
    /// The proxy for calls; put a URL with a password into the profile
    #[arg(long, global = true, value_name = "URL")]
    pub proxy: Option<Proxy>,
}

impl Network {
    /// The same for a client.
    pub fn timeouts(&self) -> Timeouts {
        let usual = Timeouts::default();
        let Some(Seconds(seconds)) = self.timeout else { return usual };
        let call = Duration::from_secs(seconds);
        // An attempt has its share of a longer time, and all of a short one.
        let attempt = usual.attempt.max(call / 3).min(call);
        Timeouts { connect: usual.connect.min(call), attempt, call }
    }

    /// The whole address of the proxy.
    pub fn proxy(&self) -> Option<Secret> {
        self.proxy.as_ref().map(|proxy| Secret::new(&proxy.0))
    }
}

/// A time limit in whole seconds, up to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Seconds(#[schemars(range(min = 1, max = 86_400))] u64);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        number::seconds(text).map(Self)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        seconds.to_string().parse().map_err(serde::de::Error::custom)
    }
}

/// The address of a proxy, as it was written. It may hold a password, which is not shown, and is read when it is used: a parser of
/// command lines would quote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy(String);

impl Proxy {
    /// What it says.
    ///
    /// # Errors
    /// It is not the URL of a proxy.
    pub fn url(&self) -> Result<Url, &'static str> {
        const NO_URL: &str = "it is not the URL of a proxy: write it as http://HOST:PORT or https://HOST:PORT";
        let url = Url::parse(&self.0).map_err(|_| NO_URL)?;
        let is_known = matches!(url.scheme(), "http" | "https") && url.has_host();
        let has_more = url.path().len() > 1 || url.query().is_some() || url.fragment().is_some();
        if is_known && !has_more { Ok(url) } else { Err(NO_URL) }
    }
}

impl FromStr for Proxy {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// The server, without user and password.
impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(url) = self.url() else { return formatter.write_str("[not a URL]") };
        write!(formatter, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
        url.port().map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Proxy({self})")
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let proxy = Self(String::deserialize(deserializer)?);
        proxy.url().map_err(serde::de::Error::custom)?;
        Ok(proxy)
    }
}

impl JsonSchema for Proxy {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Proxy".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": "^https?://", "description": "The address of a proxy."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_whose_password_is_not_shown() {
        let proxy: Proxy = "http://user:MARKER@proxy.example:3128".parse().unwrap();
        assert_eq!((proxy.to_string(), format!("{proxy:?}")).0, "http://proxy.example:3128");
        assert!(!format!("{proxy:?}").contains("MARKER"));
        for wrong in ["proxy.example:3128", "ftp://proxy.example", "http://", "http://proxy.example/MARKER", "MARKER"] {
            let proxy: Proxy = wrong.parse().unwrap();
            assert!(proxy.url().is_err() && !format!("{proxy} {proxy:?}").contains("MARKER"), "{wrong}");
        }
    }

    #[test]
    fn a_time_limit_holds_for_a_call_and_its_attempts() {
        let of = |text: &str| Network { timeout: Some(text.parse().unwrap()), proxy: None }.timeouts();
        let seconds = |timeouts: Timeouts| [timeouts.connect, timeouts.attempt, timeouts.call].map(|one| one.as_secs());
        assert_eq!(seconds(of("2")), [2, 2, 2]);
        assert_eq!(seconds(of("30")), [5, 20, 30]);
        assert_eq!(seconds(of("300")), [5, 100, 300]);
        assert_eq!(seconds(Network::default().timeouts()), [5, 20, 60]);
    }
}
