//! What an operation takes: parameters, the body's members, and what stands in those.

use serde_json::{Value, json};
use venuekit_spec::{Field, ParameterLocation, Schema};

use super::text::{said, wrapped};
use crate::lookup::Found;
use crate::output::Output;
use crate::request::meaning;

/// Nothing is nested deeper, but what contains itself.
const DEEPEST: usize = 4;

/// One thing that an operation takes.
pub struct Input {
    /// As it is written on the command line: `orders/0/price`.
    way: String,
    name: String,
    place: &'static str,
    kind: String,
    /// The words that it may be, where the spec lists them.
    words: Vec<String>,
    pub required: bool,
    description: String,
    members: Vec<Self>,
}

/// All that an operation takes, what is required first.
pub fn inputs(found: &Found) -> Vec<Input> {
    let parameters = found.spec.parameters.iter().map(|one| {
        let place = match one.place {
            ParameterLocation::Path => "path",
            ParameterLocation::Query => "query",
            ParameterLocation::Header => "header",
        };
        Input {
            way: one.name.clone(),
            name: one.name.clone(),
            place,
            kind: one.schema.kind(),
            words: one.schema.words(),
            required: one.required,
            description: said(found.venue, &meaning(one)),
            members: Vec::new(),
        }
    });
    let fields = found.spec.fields().into_iter().map(|field| member(found, "", field, 0));
    let mut all: Vec<Input> = parameters.chain(fields).collect();
    all.sort_by_key(|one| !one.required);
    all
}

fn member(found: &Found, above: &str, field: Field, depth: usize) -> Input {
    let way = if above.is_empty() { field.name.clone() } else { format!("{above}/{}", field.name) };
    let members = members(found, &way, &field.schema, depth + 1);
    Input {
        way,
        name: field.name,
        place: "body",
        kind: field.schema.kind(),
        words: field.schema.words(),
        required: field.required,
        description: said(found.venue, &field.description),
        members,
    }
}

/// The members of an object, or of the objects in a list.
fn members(found: &Found, way: &str, schema: &Schema, depth: usize) -> Vec<Input> {
    if depth > DEEPEST {
        return Vec::new();
    }
    match schema.items() {
        Some(item) => members(found, &format!("{way}/0"), &item, depth + 1),
        None => schema.fields().into_iter().map(|field| member(found, way, field, depth)).collect(),
    }
}

impl Input {
    /// Its line, what it means, and below it its members.
    pub fn print(&self, out: &Output) {
        out.line(&format!("  {} ({}, {})", self.way, self.kind, self.place));
        self.explain(out, 6);
    }

    fn explain(&self, out: &Output, indent: usize) {
        if !self.description.is_empty() {
            out.line(&wrapped(&self.description, indent));
        }
        for inner in &self.members {
            let required = if inner.required { ", required" } else { "" };
            out.line(&format!("{:indent$}{} ({}{required})", "", inner.way, inner.kind));
            inner.explain(out, indent + 4);
        }
    }

    /// For scripts.
    pub fn document(&self) -> Value {
        let document = json!({"name": self.name, "in": self.place, "kind": self.kind, "required": self.required,
            "description": self.description});
        let mut document = with_words(document, &self.words);
        if !self.members.is_empty() {
            document["members"] = self.members.iter().map(Self::document).collect();
        }
        document
    }
}

/// The same with the words that a value may be, as a list: `kind` has them in one text.
pub fn with_words(mut document: Value, words: &[String]) -> Value {
    if !words.is_empty() {
        document["enum"] = words.into();
    }
    document
}
