//! What the specs say: which operation a request is for, what is wrong with it, and an answer that it may have.
//!
//! The documents are those that `cargo xtask codegen` joins from `specs/`. Each is parsed once, and each schema is compiled when
//! it is needed first.

mod credentials;
mod echo;
mod example;
mod lenient;
mod operation;
mod problem;
mod request;
mod route;
mod schema;
mod text;
mod validate;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use serde_json::Value;

pub(crate) use self::echo::Given;
pub(crate) use self::operation::Operation;
pub(crate) use self::problem::{Place, Problem};
pub use self::request::{ExampleRequest, example_requests};

/// One venue's spec.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) venue: &'static str,
    /// What stands before the path of every operation.
    pub(crate) prefix: &'static str,
    pub(crate) operations: Vec<Operation>,
}

macro_rules! specs {
    ($($name:ident, $venue:literal, $prefix:literal;)*) => {
        $(pub(crate) static $name: LazyLock<Spec> =
            LazyLock::new(|| Spec::read($venue, $prefix, include_str!(concat!("../generated/", $venue, ".json"))));)*

        /// All of them.
        pub(crate) fn all() -> Vec<&'static Spec> {
            vec![$(LazyLock::force(&$name)),*]
        }
    };
}

specs! {
    BAYSE, "bayse", "";
    DERIBIT, "deribit", "/api/v2";
    KALSHI, "kalshi", "/trade-api/v2";
    KALSHI_PERPS, "kalshi_perps", "/trade-api/v2";
    YATIVO, "yativo", "/api/v1";
}

impl Spec {
    fn read(venue: &'static str, prefix: &'static str, document: &str) -> Self {
        let document: Value = serde_json::from_str(document).expect("a generated document is JSON");
        Self { venue, prefix, operations: operation::read(venue, document) }
    }

    /// The operation that a JSON-RPC method name means.
    pub(crate) fn method(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == name)
    }

    /// Method and whole path template, as calls are counted by.
    pub(crate) fn counter(&self, operation: &Operation) -> String {
        format!("{} {}{}", operation.method, self.prefix, operation.template)
    }
}
