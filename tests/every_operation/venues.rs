//! The venues under test.

use venuekit::transport::{RateLimits, RetryPolicy};
use venuekit::wire::operation::{Operation, Venue};
use venuekit::{bayse, binance, bybit, deribit, kalshi, kalshi_perps, yativo};

use crate::call::{Call, Given};
use crate::generated;
use crate::leaks::key;
use crate::spec::Spec;

/// A venue: its table, its lowered spec, its types and its client.
pub struct Subject {
    pub venue: &'static Venue,
    pub spec: Spec,
    /// Reads a text as an operation's response, and writes that again.
    pub answer: fn(&str, &[u8]) -> Result<String, String>,
    /// A client of the server at this URL, with this in each of its secrets.
    pub connect: fn(&str, &str) -> Box<dyn Client>,
    /// The headers that its credentials write.
    pub headers: &'static [&'static str],
    pub carrier: Carrier,
}

/// What carries a client's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Http,
    WebSocket,
}

impl Subject {
    /// Every operation that this client can call.
    pub fn operations(&self) -> Vec<&'static Operation> {
        let only = |operation: &Operation| operation.on_connection.is_some_and(|on| on.only);
        let all = self.venue.operations.iter();
        all.filter(|operation| self.carrier == Carrier::WebSocket || !only(operation)).collect()
    }
}

/// A venue's client, called by name.
pub trait Client {
    fn call<'a>(&'a self, operation: &str, given: Given) -> Result<Call<'a>, String>;

    /// The same client as this operation needs it: with a one-time code or without.
    fn fit(&self, operation: &Operation, secret: &str) -> Box<dyn Client>;

    /// The client, as a log would show it.
    fn shown(&self) -> String;
}

macro_rules! venues {
    ($($venue:ident, $headers:expr, |$secret:pat_param| $credentials:expr $(, $coded:ident)?;)*) => {
        $(
            impl Client for $venue::Client {
                fn call<'a>(&'a self, operation: &str, given: Given) -> Result<Call<'a>, String> {
                    generated::$venue::call(self, operation, given)
                }

                #[allow(unused_variables)]
                fn fit(&self, operation: &Operation, secret: &str) -> Box<dyn Client> {
                    $(if operation.access.iter().all(|way| way.contains(&"second-factor")) {
                        return Box::new(self.$coded(secret));
                    })?
                    Box::new(self.clone())
                }

                fn shown(&self) -> String {
                    format!("{self:?}")
                }
            }
        )*

        pub fn subjects() -> Vec<Subject> {
            vec![$(Subject {
                venue: &$venue::VENUE,
                spec: Spec::of(&$venue::VENUE),
                answer: generated::$venue::answer,
                connect: |url, $secret| {
                    let builder = $venue::Client::builder($venue::Environment::Custom(url.to_owned()));
                    let builder = builder.credentials($credentials);
                    Box::new(builder.rate_limits(RateLimits::none()).retry(RetryPolicy::none()).build().unwrap())
                },
                headers: &$headers,
                carrier: Carrier::Http,
            }),*]
        }
    };
}

const KALSHI: [&str; 3] = ["kalshi-access-key", "kalshi-access-timestamp", "kalshi-access-signature"];
const BYBIT: [&str; 4] = ["x-bapi-api-key", "x-bapi-timestamp", "x-bapi-recv-window", "x-bapi-sign"];
const BAYSE: [&str; 5] = ["x-auth-token", "x-device-id", "x-public-key", "x-timestamp", "x-signature"];

venues! {
    bayse, BAYSE, |secret| bayse::Credentials::api_key(secret, secret).unwrap().and_session(secret, secret).unwrap();
    binance, ["x-mbx-apikey"], |secret| binance::Credentials::api_key("key", secret).unwrap();
    bybit, BYBIT, |secret| bybit::Credentials::api_key("key", secret).unwrap();
    deribit, ["authorization"], |secret| deribit::Credentials::secret("me", secret).unwrap();
    kalshi, KALSHI, |_| kalshi::Credentials::new("key-id", key()).unwrap();
    kalshi_perps, KALSHI, |_| kalshi_perps::Credentials::new("key-id", key()).unwrap();
    yativo, ["authorization", "x-2fa-token"], |secret| yativo::Credentials::token(secret).unwrap(), with_code;
}

/// Each venue's clients, over over any transport.
pub fn everywhere() -> Vec<Subject> {
    let mut all = subjects();
    all.push(Subject {
        venue: &deribit::VENUE,
        spec: Spec::of(&deribit::VENUE),
        answer: generated::deribit::answer,
        connect: |url, secret| {
            let url = url.replacen("http", "ws", 1);
            let builder = deribit::Client::websocket(deribit::Environment::Custom(url));
            let credentials = deribit::Credentials::login("me", secret).unwrap();
            let builder = builder.credentials(credentials).rate_limits(RateLimits::none());
            Box::new(builder.retry(RetryPolicy::none()).build().unwrap())
        },
        headers: &[],
        carrier: Carrier::WebSocket,
    });
    all
}
