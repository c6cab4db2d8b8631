//! `venuekit describe`: the operations of a venue, and what one takes and gives.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde_json::{Value, json};
use venuekit_spec::{Schema, Whence};
use venuekit_wire::operation::{Key, Retry};

use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::lookup::{self, Found};
use crate::output::Output;
use crate::similar::suggestions;
use crate::subject::Subject;
use crate::venue::Venue;

/// What `venuekit describe` takes.
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
    let out = context.out();
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
            let operations = &subject.venue.spec().operations;
            let near = suggestions(&name, operations.iter().map(|operation| operation.name.as_str()), usize::MAX);
            if near.is_empty() {
                return Err(failure);
            }
            all(out, subject.venue, Some(&near));
        }
    }
    Ok(())
}

fn venues(out: &Output) {
    let row = |venue: Venue| {
        let environments = venue.environments().join(", ");
        vec![venue.to_string(), venue.spec().operations.len().to_string(), environments]
    };
    out.table(&["venue", "operations", "environments"], &Venue::ALL.map(row));
    let venues = Venue::ALL.map(|venue| {
        json!({"venue": venue.name(), "operations": venue.spec().operations.len(), "environments": venue.environments()})
    });
    out.document(&json!({ "venues": venues }));
}

/// The operations of a venue: all, or those of these names.
pub fn all(out: &Output, venue: Venue, names: Option<&[&str]>) {
    let is_wanted = |name: &str| names.is_none_or(|names| names.contains(&name));
    let operations: Vec<_> = venue.spec().operations.iter().filter(|one| is_wanted(&one.name)).collect();
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
            out.line(&format!("  {:<width$}   {}", operation.name, operation.summary));
        }
    }
    let listed: Vec<Value> = operations
        .iter()
        .map(|one| json!({"name": one.name, "id": one.id, "tag": one.tag, "summary": one.summary, "method": one.method, "path": one.template}))
        .collect();
    out.document(&json!({"venue": venue.name(), "operations": listed}));
}

/// One thing that an operation takes.
struct Taken {
    name: String,
    place: &'static str,
    kind: String,
    required: bool,
    description: String,
}

fn taken(found: &Found) -> Vec<Taken> {
    let parameters = found.spec.parameters.iter().map(|one| {
        let place = match one.place {
            Whence::Path => "path",
            Whence::Query => "query",
            Whence::Header => "header",
        };
        let (name, kind, description) = (one.name.clone(), one.schema.kind(), one.description.clone());
        Taken { name, place, kind, required: one.required, description }
    });
    let fields = found.spec.fields().into_iter().map(|field| Taken {
        name: field.name,
        place: "body",
        kind: field.schema.kind(),
        required: field.required,
        description: field.description,
    });
    let mut all: Vec<Taken> = parameters.chain(fields).collect();
    all.sort_by_key(|one| !one.required);
    all
}

/// What an operation takes and gives.
pub fn one(out: &Output, found: &Found) {
    let (operation, row) = (found.spec, found.row);
    let taken = taken(found);
    out.line(&format!("{}: {}", operation.name, operation.summary));
    out.line(&format!("{} {}{}", operation.method, found.venue.spec().prefix, operation.template));
    if !operation.description.is_empty() {
        out.line(&format!("\n{}", wrapped(&operation.description, 0)));
    }
    out.line("");
    out.step("needs", &access(found));
    if let Some(scope) = row.scope {
        out.step("scope", scope);
    }
    out.step("repeat", &repeat(found));
    if row.page.is_some() {
        out.step("pages", "--all follows them");
    }
    if operation.answers_with_secret() {
        out.step("secret", "the answer holds one: --secrets-to FILE or --show-secrets");
    }
    for (heading, required) in [("Required:", true), ("Optional:", false)] {
        let mut part = taken.iter().filter(|one| one.required == required).peekable();
        if part.peek().is_some() {
            out.line(&format!("\n{heading}"));
        }
        for one in part {
            out.line(&format!("  {} ({}, {})", one.name, one.kind, one.place));
            if !one.description.is_empty() {
                out.line(&wrapped(&one.description, 6));
            }
        }
    }
    let answer = operation.answer.as_ref();
    let fields = answer.map(Schema::fields).unwrap_or_default();
    if let Some(answer) = answer {
        out.line(&format!("\nAnswer: {}", if fields.is_empty() { answer.kind() } else { "object".to_owned() }));
        for field in &fields {
            out.line(&format!("  {} ({})", field.name, field.schema.kind()));
        }
    }
    let taken: Vec<Value> = taken
        .iter()
        .map(|one| json!({"name": one.name, "in": one.place, "kind": one.kind, "required": one.required, "description": one.description}))
        .collect();
    let answer: Vec<Value> = fields
        .iter()
        .map(|field| json!({"name": field.name, "kind": field.schema.kind(), "description": field.description}))
        .collect();
    out.document(&json!({
        "venue": found.venue.name(), "name": operation.name, "id": operation.id, "method": operation.method,
        "path": operation.template, "summary": operation.summary, "description": operation.description,
        "access": row.access, "scope": row.scope, "changes_something": found.is_write(), "pages": row.page.is_some(),
        "answers_with_secret": operation.answers_with_secret(), "reconcile_with": row.reconcile, "parameters": taken, "answer": answer,
    }));
}

fn access(found: &Found) -> String {
    let ways: Vec<String> = found.row.access.iter().map(|way| way.join(" and ")).collect();
    match found.is_public() {
        true => "no key: anybody may call it".to_owned(),
        false => ways.join(", or "),
    }
}

fn repeat(found: &Found) -> String {
    let reconcile =
        found.row.reconcile.map(|name| format!("; `{name}` tells what became of a lost one")).unwrap_or_default();
    match found.row.retry {
        Retry::Safe => "safe: it only reads".to_owned(),
        Retry::Keyed(Key::Header(name) | Key::Field(name)) => format!("with the same {name}{reconcile}"),
        Retry::Never => format!("never blindly{reconcile}"),
    }
}

/// Lines of at most 100 characters.
fn wrapped(text: &str, indent: usize) -> String {
    const WIDTH: usize = 100;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines
            .last_mut()
            .filter(|line| line.is_empty() || line.chars().count() + word.chars().count() < WIDTH - indent);
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| format!("{:indent$}{line}", "")).collect::<Vec<_>>().join("\n")
}
