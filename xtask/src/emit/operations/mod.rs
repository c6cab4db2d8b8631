//! The operations of a client: what Progenitor emits for `Client` and its builders goes, and what takes its place says in each
//! `send` what is sent, as a `Call`. Progenitor's builders are read for what only they know: which Rust type a value has.

mod builder;
mod client;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};
use serde_json::Value;
use syn::visit_mut::{self, VisitMut};
use syn::{File, Item, PathSegment, Type, TypePath, parse_quote};

pub use self::read::Qualify;
use super::docs::Required;
use crate::document::Document;

/// An operation as its builder and its method have it.
pub struct Method {
    /// The method's name.
    pub id: Ident,
    /// The builder's name.
    pub builder: Ident,
    /// The constant of its row in the table.
    pub row: Ident,
    /// How it is sent, in words.
    pub sends: String,
    /// What it does, and what is to be known before it is called, as lines of documentation.
    pub docs: Vec<String>,
    /// Which of the document's subjects it belongs to.
    pub tag: String,
    /// Its parameters: those of the path as the path has them, and then the others.
    pub parameters: Vec<Parameter>,
    /// Its body.
    pub body: Option<Body>,
    /// What a response is read as; `()` where it has no body.
    pub answer: Type,
    /// Its `x-page`.
    pub page: Option<Value>,
}

/// A parameter of the path, the query or the headers.
pub struct Parameter {
    /// As the venue calls it.
    pub name: String,
    /// The field and its setter.
    pub field: Ident,
    /// The type of its value.
    pub kind: Type,
    /// Where it is sent.
    pub place: Place,
    /// Whether it is a list that is written as JSON text.
    pub json: bool,
    /// Whether a call without it is refused.
    pub required: bool,
    /// Lines of documentation.
    pub docs: Vec<String>,
}

/// Where a parameter is sent.
#[derive(Clone, Copy, PartialEq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

/// What a body is given as.
pub enum Body {
    /// Member by member: a struct of this name.
    Members(Ident, Vec<Member>),
    /// As a whole.
    Whole(Box<Type>),
}

/// A member of a body.
pub struct Member {
    /// The setter of the operation's builder.
    pub setter: Ident,
    /// The setter of the body's builder, named as the field.
    pub field: Ident,
    /// The type of its value.
    pub kind: Type,
    /// Lines of documentation.
    pub docs: Vec<String>,
}

/// Reads the operations off what Progenitor made of them.
pub fn read(document: &Document, lowered: &Document, file: &File, required: &Required) -> Result<Vec<Method>, String> {
    read::methods(document, lowered, file, required)
}

/// All items of a client but its types, which are given as Progenitor made them.
pub fn items(
    document: &Document,
    types: &[Item],
    methods: &[Method],
    ids: &BTreeSet<String>,
) -> Result<Vec<Item>, String> {
    let builders = builder::module(methods, types, ids)?;
    let mut items: Vec<Item> = vec![
        parse_quote!(
            use ::venuekit_transport::client::Session;
        ),
        parse_quote!(
            use super::venue::operations;
        ),
    ];
    items.extend(client::items(document, methods));
    items.push(Item::Mod(builders));
    Ok(items)
}

/// The types of wire that builders name without a path.
const WIRE: [&str; 11] = [
    "DateTime",
    "Decimal",
    "DecimalNumber",
    "DecimalOrText",
    "IntegerOrText",
    "Open",
    "Secret",
    "UnixMicros",
    "UnixMillis",
    "UnixNanos",
    "UnixSeconds",
];

/// A type as one writes it by hand: what the prelude and the imports name has no path.
pub fn short(kind: &Type) -> Type {
    let mut kind = kind.clone();
    Short.visit_type_mut(&mut kind);
    kind
}

struct Short;

impl VisitMut for Short {
    fn visit_type_path_mut(&mut self, path: &mut TypePath) {
        visit_mut::visit_type_path_mut(self, path);
        let names: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let is_named = match names[..] {
            ["std", "option", "Option"] | ["std", "string", "String"] | ["std", "vec", "Vec"] => true,
            ["venuekit_wire", name] => WIRE.contains(&name),
            _ => false,
        };
        if let Some(last) = path.path.segments.last().cloned().filter(|_| is_named) {
            path.path = PathSegment { ident: last.ident, arguments: last.arguments }.into();
        }
    }
}

pub fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
