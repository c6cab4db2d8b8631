//! What a request body answers for itself, by `CallBody`: its idempotency key, its secrets, how many items it asks for, and whether it
//! changes the setting of its connection. Nobody then has to read what was written.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Field, ItemStruct, Type};

use super::Structs;
use super::text::Text;
use crate::document::Document;
use crate::emit::items::named;
use crate::emit::items::{field, of, option};
use crate::model::{members, operations, stands_for, text};
use crate::names::pascal;

/// What the operations say of a body that they take.
#[derive(Default, PartialEq)]
struct Said<'a> {
    /// The member that is its idempotency key.
    key: Option<&'a str>,
    /// The list whose elements count.
    per_item: Option<&'a str>,
    /// The member that must have this word, or be left out, for the call to change a setting.
    when: Option<(&'a str, &'a str)>,
}

/// Writes the implementations for the bodies of all operations.
pub fn write(out: &mut Text, document: &Document, lowered: &Document, structs: &Structs) -> Result<(), String> {
    let mut bodies: BTreeMap<String, Said<'_>> = BTreeMap::new();
    let types: BTreeMap<String, String> = operations(lowered)
        .iter()
        .filter_map(|operation| {
            let (_, media) = operation.request_media().into_iter().next()?;
            Some((operation.id.clone(), pascal(stands_for(media.get("schema")?)?)))
        })
        .collect();
    for operation in operations(document) {
        let Some(body) = types.get(&operation.id) else { continue };
        let when = operation.value.pointer("/x-connection").and_then(|value| members(value, "when").next());
        let said = Said {
            key: operation.value.pointer("/x-retry/keyed").and_then(|keyed| text(keyed, "field")),
            per_item: operation.rates().iter().find_map(|rate| text(rate, "per-item")),
            when: when.and_then(|(name, word)| Some((name.as_str(), word.as_str()?))),
        };
        match bodies.get(body) {
            Some(other) if *other != said => {
                return Err(format!("the operations that take `{body}` do not say the same of it"));
            }
            _ => _ = bodies.insert(body.clone(), said),
        }
    }
    for (name, said) in bodies {
        let owner = structs.get(&name).ok_or_else(|| format!("the body `{name}` is no struct"))?;
        let mut lines = Vec::new();
        if let Some(member) = said.key {
            lines.extend(key(own(owner, member)?));
        }
        let secrets = secrets(owner, "self", structs, &mut BTreeSet::new());
        if !secrets.is_empty() {
            lines.push("fn secrets(&self, into: &mut Vec<wire::Secret>) {".to_owned());
            lines.extend(secrets.into_iter().map(|line| format!("    {line}")));
            lines.push("}".to_owned());
        }
        // The list may be one of the query.
        if let Some(list) = said.per_item.and_then(|member| field(owner, member)) {
            let name = ident(list);
            let count = match option(&list.ty) {
                Some(_) => format!("self.{name}.as_ref().map_or(1, |items| items.len().max(1))"),
                None => format!("self.{name}.len().max(1)"),
            };
            lines.extend(function("fn items(&self) -> usize {", &count));
        }
        if let Some((member, word)) = said.when {
            let given = own(owner, member)?;
            let name = ident(given);
            let is = match option(&given.ty) {
                Some(_) => format!("self.{name}.as_ref().is_none_or(|word| word.as_str() == {word:?})"),
                None => format!("self.{name}.as_str() == {word:?}"),
            };
            lines.extend(function("fn changes_setting(&self) -> bool {", &is));
        }
        let head = format!("impl ::venuekit_transport::client::CallBody for {name} {{");
        if lines.is_empty() {
            out.line(&format!("{head}}}"));
            continue;
        }
        out.line(&head);
        out.indented(|out| lines.iter().for_each(|line| out.line(line)));
        out.line("}");
    }
    Ok(())
}

fn own<'a>(owner: &'a ItemStruct, member: &str) -> Result<&'a Field, String> {
    field(owner, member).ok_or_else(|| format!("`{}` has no field for `{member}`", owner.ident))
}

fn ident(field: &Field) -> String {
    field.ident.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn function(head: &str, body: &str) -> [String; 3] {
    [head.to_owned(), format!("    {body}"), "}".to_owned()]
}

fn key(field: &Field) -> Vec<String> {
    let name = ident(field);
    let (get, set) = match option(&field.ty) {
        Some(_) => (format!("self.{name}.as_deref()"), format!("self.{name} = Some(key.into());")),
        None => (format!("Some(&self.{name})"), format!("self.{name} = key.into();")),
    };
    let get = function("fn idempotency_key(&self) -> Option<&str> {", &get);
    get.into_iter().chain(function("fn set_idempotency_key(&mut self, key: String) {", &set)).collect()
}

/// The statements that collect the secrets below `place`.
fn secrets(owner: &ItemStruct, place: &str, structs: &Structs, above: &mut BTreeSet<String>) -> Vec<String> {
    let mut lines = Vec::new();
    // A type that holds itself has no end.
    if !above.insert(owner.ident.to_string()) {
        return lines;
    }
    for field in owner.fields.iter().filter(|field| field.ident.is_some()) {
        let at = format!("{place}.{}", ident(field));
        let (inside, each) = innermost(&field.ty);
        let Some(name) = named(inside).map(ToString::to_string) else { continue };
        match (&*name, each) {
            ("Secret", None) => lines.push(format!("into.push({at}.clone());")),
            ("Secret", Some("Option")) => lines.push(format!("into.extend({at}.clone());")),
            ("Secret", Some("HashMap")) => lines.push(format!("into.extend({at}.values().cloned());")),
            ("Secret", Some(_)) if option(&field.ty).is_some() => {
                lines.push(format!("into.extend({at}.iter().flatten().cloned());"));
            }
            ("Secret", Some(_)) => lines.push(format!("into.extend({at}.iter().cloned());")),
            (name, each) => {
                let Some(inner) = structs.get(name) else { continue };
                let inside = if each.is_some() { "each" } else { &at };
                let inside = secrets(inner, inside, structs, above);
                let list = match (each, option(&field.ty).and_then(|inner| of("Vec", inner))) {
                    (Some("HashMap"), _) => format!("{at}.values()"),
                    (_, Some(_)) => format!("{at}.iter().flatten()"),
                    _ => format!("&{at}"),
                };
                match each {
                    _ if inside.is_empty() => {}
                    None => lines.extend(inside),
                    Some(_) => {
                        lines.push(format!("for each in {list} {{"));
                        lines.extend(inside.into_iter().map(|line| format!("    {line}")));
                        lines.push("}".to_owned());
                    }
                }
            }
        }
    }
    above.remove(&owner.ident.to_string());
    lines
}

/// What a field holds, and what holds it.
fn innermost(kind: &Type) -> (&Type, Option<&'static str>) {
    for holder in ["Option", "Vec", "Box"] {
        if let Some(inner) = of(holder, kind) {
            let (inner, each) = innermost(inner);
            return (inner, each.or((holder != "Box").then_some(holder)));
        }
    }
    if named(kind).is_some_and(|name| name == "HashMap")
        && let Type::Path(path) = kind
        && let Some(syn::PathArguments::AngleBracketed(arguments)) =
            path.path.segments.last().map(|last| &last.arguments)
        && let Some(syn::GenericArgument::Type(inner)) = arguments.args.last()
    {
        return (inner, Some("HashMap"));
    }
    (kind, None)
}
