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

/// Whether the crate that typed channels need is there.
pub const TYPED: bool = false;

/// The structs among the types of a client, by their names.
pub type Structs = BTreeMap<String, ItemStruct>;

/// The files of a venue that streams, by their names; none for another.
pub fn files(document: &Document, structs: &Structs) -> Result<Vec<(&'static str, String)>, String> {
    if !streams::any(document) {
        return Ok(Vec::new());
    }
    let mut files = vec![("channels.rs", table::source(document))];
    let typed = typed::source(document, structs)?;
    if TYPED {
        files.push(("streams.rs", typed));
    }
    Ok(files)
}
