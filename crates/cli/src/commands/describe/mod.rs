//! `venuekit describe`: the operations of a venue, and the parameters and response of one.

mod input;
mod text;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde_json::{Value, json};
use venuekit_sandbox::keeps_state;
use venuekit_spec::{Operation, Schema};
use venuekit_wire::operation::{Key, Retry};

use self::input::inputs;
pub use self::text::{said, wrapped};
use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::lookup::{self, Found, SECOND_FACTOR};
use crate::output::Output;
use crate::scopes;
use crate::similar::{holding, suggestions};
use crate::subject::Subject;
use crate::venue::Venue;

#[derive(Args, Debug)]
pub struct DescribeArgs {
    /// The venue
    #[arg(value_name = "VENUE", add = ArgValueCompleter::new(complete::venues))]
    subject: Option<Subject>,
    /// An operation, or words to look for
    #[arg(add = ArgValueCompleter::new(complete::operations))]
    operation: Vec<String>,
}

/// `venuekit describe`.
pub fn run(context: &Context, arguments: &DescribeArgs) -> Result<(), Failure> {
    show(context.out(), arguments)?;
    context.out().finish()
}

fn show(out: &Output, arguments: &DescribeArgs) -> Result<(), Failure> {
    let Some(subject) = &arguments.subject else {
        venues(out);
        return Ok(());
    };
    if arguments.operation.is_empty() {
        all(out, subject.venue, None);
        return Ok(());
    }
    let name = arguments.operation.join(" ");
    match lookup::operation(subject.venue, &name) {
        Ok(found) => one(out, &found),
        Err(failure) => {
            let names = || subject.venue.spec().operations().map(|operation| operation.name.as_str());
            let each = arguments.operation.iter().map(|word| lookup::operation(subject.venue, word).ok());
            // Several operations, or words that some have in their names.
            let mut listed: Vec<&str> = match each.collect::<Option<Vec<Found>>>() {
                Some(each) => each.iter().map(|found| found.spec.name.as_str()).collect(),
                None => holding(&name, names()),
            };
            if listed.is_empty() {
                listed = suggestions(&name, names(), usize::MAX);
                if listed.is_empty() {
                    return Err(failure);
                }
                out.note(&format!("no operation has all of `{name}` in its name; the closest are:"));
            }
            all(out, subject.venue, Some(&listed));
        }
    }
    Ok(())
}

fn venues(out: &Output) {
    let row = |venue: Venue| {
        let environments = venue.environments().join(", ");
        vec![venue.to_string(), venue.table().operations.len().to_string(), environments]
    };
    out.table(&["venue", "operations", "environments"], &Venue::all().map(row).collect::<Vec<_>>());
    let venue = |venue: Venue| json!({"venue": venue.name(), "operation_count": venue.table().operations.len(), "environments": venue.environments()});
    let venues: Vec<Value> = Venue::all().map(venue).collect();
    out.document(&json!({ "venues": venues }));
}

/// The operations of a venue: all, or those of these names.
pub fn all(out: &Output, venue: Venue, names: Option<&[&str]>) {
    let is_wanted = |name: &str| names.is_none_or(|names| names.contains(&name));
    let operations: Vec<_> = venue.spec().operations().filter(|one| is_wanted(&one.name)).collect();
    let mut tags: Vec<&str> = Vec::new();
    for operation in &operations {
        if !tags.contains(&operation.tag.as_str()) {
            tags.push(&operation.tag);
        }
    }
    let width = operations.iter().map(|one| one.name.len()).max().unwrap_or_default();
    for tag in &tags {
        if !tag.is_empty() {
            out.line(tag);
        }
        for operation in operations.iter().filter(|one| one.tag == *tag) {
            let deprecated = if operation.deprecated { " (deprecated)" } else { "" };
            let mark = if in_sandbox(venue, operation) == EXAMPLE { " (generated example in the sandbox)" } else { "" };
            out.line(&format!("  {:<width$}   {}{deprecated}{mark}", operation.name, operation.summary));
        }
    }
    let scopes = scopes::known(venue);
    if names.is_none() && !scopes.is_empty() {
        out.line("");
        out.step("scopes", &scopes.iter().copied().collect::<Vec<_>>().join(", "));
    }
    let listed: Vec<Value> = operations
        .iter()
        .map(|one| {
            json!({"name": one.name, "id": one.id, "tag": one.tag, "summary": one.summary, "method": one.method,
            "path": format!("{}{}", venue.prefix(), one.template), "deprecated": one.deprecated,
            "sandbox": in_sandbox(venue, one)})
        })
        .collect();
    out.document(&json!({"venue": venue.name(), "operations": listed, "scopes": scopes}));
}

/// The parameters and response of an operation.
pub fn one(out: &Output, found: &Found) {
    let (operation, row) = (found.spec, found.row);
    let (inputs, description) = (inputs(found), said(found.venue, &operation.description));
    out.line(&format!("{}: {}", operation.name, operation.summary));
    out.line(&format!("{} {}{}", operation.method, found.venue.prefix(), operation.template));
    if !operation.description.is_empty() {
        out.line(&format!("\n{}", wrapped(&description, 0)));
    }
    out.line("");
    if operation.deprecated {
        out.step("note", "deprecated: the venue has a replacement");
    }
    if found.is_socket_only() {
        out.step("note", "it exists on a WebSocket only: not from the command line");
    }
    out.step("needs", &access(found));
    if let Some(scope) = row.scope {
        out.step("scope", scope);
    }
    out.step("retry", &repeat(found));
    let sandbox = in_sandbox(found.venue, operation);
    out.step(
        "sandbox",
        if sandbox == EXAMPLE { "responds with an example generated from the spec" } else { "keeps state" },
    );
    let items = found.page_items();
    if let Some(items) = items {
        let which = if items.is_empty() { String::new() } else { format!(", and lists {items}") };
        out.step("pages", &format!("--all follows them{which}"));
    }
    if operation.answers_with_secret() {
        out.step("secret", "the response contains one: --secrets-to FILE or --show-secrets");
    }
    for (heading, required) in [("Required:", true), ("Optional:", false)] {
        let mut part = inputs.iter().filter(|one| one.required == required).peekable();
        if part.peek().is_some() {
            out.line(&format!("\n{heading}"));
        }
        for one in part {
            one.print(out);
        }
    }
    let response = operation.answer.as_ref();
    let fields = response.map(Schema::fields).unwrap_or_default();
    if let Some(response) = response {
        out.line(&format!("\nResponse: {}", if fields.is_empty() { response.kind() } else { "object".to_owned() }));
        for field in &fields {
            out.line(&format!("  {} ({})", field.name, field.schema.kind()));
        }
    }
    let inputs: Vec<Value> = inputs.iter().map(input::Input::document).collect();
    let response: Vec<Value> = fields
        .iter()
        .map(|field| {
            let document = json!({"name": field.name, "kind": field.schema.kind(), "description": field.description});
            input::with_words(document, &field.schema.words())
        })
        .collect();
    out.document(&json!({
        "venue": found.venue.name(), "name": operation.name, "id": operation.id, "method": operation.method,
        "path": format!("{}{}", found.venue.prefix(), operation.template), "summary": operation.summary, "description": description,
        "deprecated": operation.deprecated, "websocket_only": found.is_socket_only(),
        "access": row.access, "scope": row.scope, "changes_something": found.is_write(), "pages": row.page.is_some(), "pages_of": items,
        "response_has_secret": operation.answers_with_secret(), "sandbox": sandbox, "reconcile_with": row.reconcile.map(|reconcile| reconcile.operation), "parameters": inputs, "response": response,
    }));
}

const EXAMPLE: &str = "example";

/// Whether the sandbox serves an operation from its state, or with an example.
fn in_sandbox(venue: Venue, operation: &Operation) -> &'static str {
    if keeps_state(venue.spec().venue, &operation.id) { "state" } else { EXAMPLE }
}

fn access(found: &Found) -> String {
    if found.is_public() {
        return "none (public)".to_owned();
    }
    let mut ways: Vec<String> = Vec::new();
    for way in found.row.access {
        let way: Vec<&str> = way.iter().copied().filter(|one| *one != SECOND_FACTOR).collect();
        let way = way.join(" and ");
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    let code = match (found.needs_code(), found.takes_code()) {
        (true, _) => "; and a one-time code",
        (false, true) => "; and a one-time code if the venue asks for one",
        (false, false) => "",
    };
    format!("{}{code}", ways.join(", or "))
}

fn repeat(found: &Found) -> String {
    let reconcile = found
        .row
        .reconcile
        .map(|lookup| format!("; after a lost response, check with `{}`", lookup.operation))
        .unwrap_or_default();
    match found.row.retry {
        Retry::Safe => "safe: it only reads".to_owned(),
        Retry::Keyed(Key::Header(name) | Key::Field(name)) => format!("with the same {name}{reconcile}"),
        Retry::Never => format!("not without checking first{reconcile}"),
    }
}
