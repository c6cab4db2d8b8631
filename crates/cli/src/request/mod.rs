//! A request of an operation, made of `name=value` arguments and checked against the spec.

mod body;
mod builder;
mod mistakes;
mod plain;
mod value;
mod words;

use venuekit_spec::{Parameter, Schema};

pub use self::builder::{RequestBuilder, names};
pub use self::words::check;

/// What a parameter means: by its own description, or by its schema's.
pub fn meaning(parameter: &Parameter) -> String {
    match parameter.description.is_empty() {
        true => parameter.schema.description(),
        false => parameter.description.clone(),
    }
}

/// Whether a text is a valid value of a schema.
pub fn fits(schema: &Schema, text: &str) -> bool {
    let value = value::of(schema, text).ok().and_then(|value| serde_json::from_str(&value.compact()).ok());
    value.is_some_and(|value: serde_json::Value| schema.check(&value).is_ok())
}
