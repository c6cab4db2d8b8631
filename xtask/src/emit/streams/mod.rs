//! The streams of a venue: the table of its channels, and a typed method for each.

mod books;
mod messages;
mod place;
mod table;
#[cfg(test)]
mod tests;
mod typed;
mod values;

use std::collections::BTreeMap;

use syn::ItemStruct;

pub use self::values::variant;
use crate::document::Document;
use crate::streams;

/// The structs among the types of a client, by their names.
pub type Structs = BTreeMap<String, ItemStruct>;

/// The files of a venue that streams, by their names; none for another.
pub fn files(document: &Document, structs: &Structs) -> Result<Vec<(&'static str, String)>, String> {
    if !streams::any(document) {
        return Ok(Vec::new());
    }
    Ok(vec![("channels.rs", table::source(document)), ("streams.rs", typed::source(document, structs)?)])
}
