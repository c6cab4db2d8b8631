//! The specs of the venues as data: which operation a request is for, what is wrong with it, a response that it may have, and what a
//! response lacks or has in addition.
//!
//! The documents are those that `cargo xtask codegen` joins from `specs/`. An operation or a named schema is read when it is needed
//! first, and so is each schema compiled.
//!
//! ```
//! # fn main() -> Result<(), &'static str> {
//! let spec = venuekit_spec::of("kalshi").ok_or("no such venue")?;
//! let operation = spec.named("create_order_v2").ok_or("no such operation")?;
//! assert_eq!((operation.id.as_str(), operation.method.as_str()), ("CreateOrderV2", "POST"));
//! assert!(operation.fields().iter().any(|field| field.name == "ticker" && field.required));
//! # Ok(()) }
//! ```

#![deny(missing_docs)]

mod credentials;
mod describe;
mod echo;
mod example;
// Formatted by its generator.
#[rustfmt::skip]
mod generated;
mod message;
mod operation;
mod outline;
mod problem;
mod proof;
mod request;
mod route;
mod schema;
mod text;
mod unknown;
mod validate;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub use self::describe::Field;
pub use self::echo::Given;
pub use self::generated::*;
pub use self::message::{Request, decode_segments};
use self::operation::Operations;
pub use self::operation::{Operation, Parameter, ParameterLocation};
use self::outline::Outline;
pub use self::problem::{Problem, RequestPart};
pub use self::proof::Lack;
pub use self::request::{ExampleRequest, example_requests, form_text};
pub use self::schema::Schema;
pub use self::unknown::{Novelty, Unknown};

/// One venue's spec.
#[derive(Debug)]
pub struct Spec {
    /// The folder name under `specs/`.
    pub venue: &'static str,
    /// What stands before the path of every operation: the path of the URL of its servers.
    pub prefix: String,
    /// Where the venue is reached.
    pub servers: Vec<Server>,
    operations: Operations,
    source: &'static str,
}

/// One environment of a venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name, such as `production`.
    pub environment: String,
    /// What paths are appended to.
    pub url: String,
    /// Other hosts that serve it.
    pub hosts: Vec<String>,
    /// Where WebSocket connections to it are opened: whole URLs.
    pub websockets: Vec<String>,
}

impl Server {
    /// Whether a host serves this environment.
    pub fn is_at(&self, host: &str) -> bool {
        let own = self.url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next());
        own == Some(host) || self.hosts.iter().any(|other| other == host)
    }

    /// The path of its URL, without a slash at the end.
    fn path(&self) -> &str {
        let behind = self.url.split_once("://").map_or("", |(_, behind)| behind);
        behind.find('/').map_or("", |at| behind[at..].trim_end_matches('/'))
    }
}

impl Spec {
    fn read(venue: &'static str, source: &'static str) -> Self {
        let document: Outline<'static> =
            serde_json::from_str(source).expect("a generated document is JSON of the vocabulary");
        let text = |server: &Value, word: &str| server[word].as_str().unwrap_or_default().to_owned();
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let servers = document.servers.iter().map(|server| {
            let environment = text(server, "x-environment");
            let mut websockets = texts(&server["x-websockets"]);
            let trade = document.websocket["servers"][&environment].as_str().filter(|url| *url != "none");
            websockets.extend(trade.map(str::to_owned));
            Server { url: text(server, "url"), hosts: texts(&server["x-hosts"]), environment, websockets }
        });
        let servers: Vec<Server> = servers.collect();
        let prefix = servers.first().map_or("", Server::path).to_owned();
        Self { venue, prefix, servers, operations: Operations::new(document), source }
    }

    /// The joined document as JSON: OpenAPI or OpenRPC with the words of `specs/README.md`.
    pub fn document(&self) -> &'static str {
        self.source
    }

    /// All operations, in the order of the document.
    pub fn operations(&self) -> impl ExactSizeIterator<Item = &Operation> {
        self.operations.iter()
    }

    /// The operation of that id: an `operationId`, or the name of a JSON-RPC method.
    pub fn method(&self, id: &str) -> Option<&Operation> {
        self.operations.of_id(id)
    }

    /// The operation of that name over the venue's WebSocket API.
    pub fn rpc(&self, name: &str) -> Option<&Operation> {
        self.operations().find(|operation| operation.rpc.as_deref() == Some(name))
    }

    /// The operation of that id or that name, as the generated client calls it.
    pub fn named(&self, name: &str) -> Option<&Operation> {
        self.method(name).or_else(|| self.operations.of_name(name))
    }

    /// Method and whole path template, as calls are counted by.
    pub fn counter(&self, operation: &Operation) -> String {
        format!("{} {}{}", operation.method, self.prefix, operation.template)
    }
}
