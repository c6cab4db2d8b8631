//! Changes our YAML as a vendor's document says, for a person to read.

use std::collections::BTreeMap;
use std::path::Path;

use super::fields::quoted;
use super::finding::{Change, Drift};
use super::yaml_edit::Text;
use crate::document::{Document, Kind};
use crate::source::Source;

/// What was done, and what is left to do.
#[derive(Debug, Default)]
pub struct Patch {
    /// The files as they would be.
    pub files: BTreeMap<String, String>,
    /// Differences that were followed.
    pub done: Vec<String>,
    /// Differences that a person has to follow.
    pub left: Vec<String>,
}

/// Follows every difference that can be followed by a small change.
pub fn propose(root: &Path, document: &Document, found: &[Drift]) -> Patch {
    propose_with(document, found, |file| std::fs::read_to_string(root.join(file)).ok())
}

/// The same with files from anywhere.
pub fn propose_with(document: &Document, found: &[Drift], read: impl Fn(&str) -> Option<String>) -> Patch {
    let mut patch = Patch::default();
    // From the end of each file to its beginning, so that places further up stay where they are.
    let mut ordered: Vec<(&Drift, crate::finding::Location)> =
        found.iter().map(|drift| (drift, document.locate(anchor(drift)))).collect();
    ordered.sort_by(|(one, here), (other, there)| {
        (&here.file, there.line, there.column, &one.place).cmp(&(&there.file, here.line, here.column, &other.place))
    });
    for (drift, location) in ordered {
        let said = drift.to_string();
        let Some(change) = drift.change.as_ref().filter(|_| location.line > 0) else {
            patch.left.push(said);
            continue;
        };
        let Some(text) = patch.files.get(&location.file).cloned().or_else(|| read(&location.file)) else {
            patch.left.push(said);
            continue;
        };
        let mut edited = Text(text);
        let changed = edited
            .offset(location.line, location.column)
            .and_then(|at| apply(&mut edited, at, change, document.kind))
            // A change that makes the file something else is not one.
            .and_then(|()| Source::parse(&location.file, &edited.0).ok());
        match changed {
            Some(_) => {
                patch.files.insert(location.file, edited.0);
                patch.done.push(said);
            }
            None => patch.left.push(said),
        }
    }
    patch
}

/// The place in the document that a change is made at.
fn anchor(drift: &Drift) -> &str {
    match &drift.change {
        Some(
            Change::AddField { object, .. }
            | Change::RenameField { object, .. }
            | Change::RemoveField { object, .. }
            | Change::Require { object, .. }
            | Change::Release { object, .. },
        ) => object,
        Some(Change::Retype { schema, .. } | Change::AddValue { schema, .. } | Change::RemoveValue { schema, .. }) => {
            schema
        }
        Some(Change::AddParameter { operation, .. }) => operation,
        Some(Change::RemoveParameter { parameter } | Change::RenameParameter { parameter, .. }) => parameter,
        None => &drift.at,
    }
}

fn apply(text: &mut Text, at: usize, change: &Change, kind: Kind) -> Option<()> {
    match change {
        Change::AddField { name, schema, required, .. } => {
            let properties = text.member(at, "properties")?;
            text.add_member(properties, &quoted(name), schema)?;
            if *required { require(text, at, name) } else { Some(()) }
        }
        Change::RenameField { from, to, .. } => {
            let properties = text.member(at, "properties")?;
            let key = text.member(properties, from)?;
            text.rename_key(key, &quoted(to))?;
            for name in ["required", "x-vital"] {
                if let Some(list) = text.member(at, name)
                    && text.remove_item(list, from).is_some()
                {
                    let list = text.member(at, name)?;
                    text.add_item(list, &quoted(to))?;
                }
            }
            Some(())
        }
        Change::RemoveField { name, .. } => {
            let properties = text.member(at, "properties")?;
            text.remove_member(properties, name)?;
            for list in ["required", "x-vital"] {
                if let Some(list) = text.member(at, list) {
                    text.remove_item(list, name);
                }
            }
            Some(())
        }
        Change::Retype { to, .. } => {
            let inside = |name: &str| text.member(at, name).or_else(|| text.member_at(at, name));
            let own = inside("type").or_else(|| text.member(inside("schema")?, "type"))?;
            text.set_scalar(own, to)?;
            // How a text is written says nothing of another type.
            if !matches!(to.as_str(), "string" | "number") {
                text.remove_member(at, "format");
            }
            Some(())
        }
        Change::AddValue { value, .. } => {
            let list = text.member(at, "enum")?;
            text.add_item(list, &quoted(value))
        }
        Change::RemoveValue { value, .. } => {
            let list = text.member(at, "enum")?;
            text.remove_item(list, value)
        }
        Change::Require { name, .. } => require(text, at, name),
        Change::Release { name, .. } => {
            let list = text.member(at, "required")?;
            text.remove_item(list, name)
        }
        Change::AddParameter { name, place, required, schema, .. } => {
            let is_rpc = kind == Kind::OpenRpc;
            let mut parts = vec![format!("name: {}", quoted(name))];
            if !is_rpc {
                parts.push(format!("in: {place}"));
            }
            if *required {
                parts.push("required: true".to_owned());
            }
            parts.push(format!("schema: {schema}"));
            let item = format!("{{ {} }}", parts.join(", "));
            let list = if is_rpc { "params" } else { "parameters" };
            match text.member(at, list) {
                Some(own) => text.add_item(own, &item),
                None => {
                    let next = text.member(at, if is_rpc { "result" } else { "responses" })?;
                    text.insert_before(next, &[format!("{list}:"), format!("  - {item}")]);
                    Some(())
                }
            }
        }
        Change::RemoveParameter { .. } => text.remove_item_at(at),
        Change::RenameParameter { to, .. } => {
            let name = text.member_at(at, "name")?;
            text.set_scalar(name, &quoted(to))
        }
    }
}

/// Adds a name to the list `required` of an object.
fn require(text: &mut Text, at: usize, name: &str) -> Option<()> {
    if let Some(list) = text.member(at, "required") {
        return text.add_item(list, &quoted(name));
    }
    let kind = text.member(at, "type")?;
    let line = text.0[..kind].rfind('\n').map_or(0, |end| end + 1);
    if text.0[line..kind].trim().is_empty() {
        text.insert_before(kind, &[format!("required: [{}]", quoted(name))]);
        return Some(());
    }
    text.add_member(at, "required", &format!("[{}]", quoted(name)))
}
