//! What messages do to an order book: `impl BookMessage` for what a channel with `x-book` gives.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Structs;
use super::messages::Messages;
use super::place::{Found, at};
use crate::document::Document;
use crate::emit::items::{named, of, option};
use crate::emit::types::text::Text;
use crate::model::text;
use crate::streams::Channel;

/// One of the types that a subscription gives.
struct Form<'a> {
    /// What a `match` on the whole has for it; nothing where it is the whole.
    pattern: Option<String>,
    /// Its struct.
    owner: &'a str,
    /// What it is as a snapshot, and as a change.
    snapshot: Option<&'a Value>,
    change: Option<&'a Value>,
}

/// Writes the implementations. A type that two channels have says the same in both.
pub fn write(
    out: &mut Text,
    document: &Document,
    channels: &[(Channel<'_>, Messages)],
    structs: &Structs,
) -> Result<(), String> {
    let mut written: BTreeMap<String, &Value> = BTreeMap::new();
    for (channel, messages) in channels {
        let Some(book) = channel.value.get("x-book") else { continue };
        let name = messages.rust();
        match written.insert(name.clone(), book) {
            Some(other) if other != book => {
                return Err(format!("the channels that give `{name}` do not say the same `x-book`"));
            }
            Some(_) => continue,
            None => {}
        }
        let keys = channel.messages(document);
        let form = |pattern, owner, key: &str| Form {
            pattern,
            owner,
            snapshot: book["snapshots"].get(key),
            change: book["changes"].get(key),
        };
        let forms: Vec<Form<'_>> = match messages {
            Messages::One { kind, .. } => keys.first().map(|only| form(None, kind, only.key)).into_iter().collect(),
            Messages::Several { variants, .. } => {
                let one = |variant: &'_ super::messages::Variant| format!("Self::{}(message)", variant.name);
                variants.iter().map(|variant| form(Some(one(variant)), &variant.kind, &variant.key)).collect()
            }
        };
        implementation(out, &name, book, &forms, structs)
            .map_err(|problem| format!("`x-book` of the channel `{}`: {problem}", channel.id))?;
    }
    Ok(())
}

fn implementation(
    out: &mut Text,
    name: &str,
    book: &Value,
    forms: &[Form<'_>],
    structs: &Structs,
) -> Result<(), String> {
    out.line("");
    out.line(&format!("impl generated::BookMessage for {name} {{"));
    out.indented(|out| {
        function(out, "fn instrument(&self) -> Option<generated::Cow<'_, str>> {", forms, "None", |form| {
            Ok(vec![instrument(structs, form.owner, &book["instrument"])?])
        })?;
        function(out, "fn kind(&self) -> generated::BookKind {", forms, "generated::BookKind::Other", |form| {
            kind(structs, form).map(|kind| vec![kind])
        })?;
        function(out, "fn mark(&self) -> Option<i64> {", forms, "None", |form| {
            let own = [form.snapshot, form.change].into_iter().flatten().find_map(|said| text(said, "mark"));
            let mark = own.or_else(|| text(book, "mark"));
            let mark = mark.map(|mark| at(structs, form.owner, "message", mark)?.whole_number());
            Ok(vec![mark.unwrap_or_else(|| Ok("None".to_owned()))?])
        })?;
        function(
            out,
            "fn apply(&self, book: &mut generated::Book) -> Result<(), generated::Fault> {",
            forms,
            "Ok(())",
            |form| apply(structs, form),
        )
    })?;
    out.line("}");
    Ok(())
}

/// A function of the trait: an arm for each type that is about the book, and what the others give.
fn function(
    out: &mut Text,
    head: &str,
    forms: &[Form<'_>],
    other: &str,
    body: impl Fn(&Form<'_>) -> Result<Vec<String>, String>,
) -> Result<(), String> {
    out.line(head);
    out.indented(|out| {
        if let [Form { pattern: None, .. }] = forms {
            let lines = body(&forms[0])?;
            if lines.iter().any(|line| line.contains("message")) {
                out.line("let message = self;");
            }
            lines.iter().for_each(|line| out.line(line));
            return Ok(());
        }
        out.line("match self {");
        out.indented(|out| {
            for form in forms.iter().filter(|form| form.snapshot.is_some() || form.change.is_some()) {
                let lines = body(form)?;
                let pattern = form.pattern.as_deref().unwrap_or("_");
                let is_used = lines.iter().any(|line| line.contains("message"));
                let pattern = if is_used { pattern.to_owned() } else { pattern.replace("message", "_") };
                match lines.as_slice() {
                    [one] => out.line(&format!("{pattern} => {one},")),
                    lines => {
                        out.line(&format!("{pattern} => {{"));
                        out.indented(|out| lines.iter().for_each(|line| out.line(line)));
                        out.line("}");
                    }
                }
            }
            if forms.iter().any(|form| form.snapshot.is_none() && form.change.is_none()) {
                out.line(&format!("_ => {other},"));
            }
            Ok::<(), String>(())
        })?;
        out.line("}");
        Ok::<(), String>(())
    })?;
    out.line("}");
    Ok(())
}

fn instrument(structs: &Structs, owner: &str, pointers: &Value) -> Result<String, String> {
    let one = |pointer: &str| at(structs, owner, "message", pointer).map(|found| found.text());
    match pointers {
        Value::String(pointer) => Ok(format!("{}.map(generated::Cow::Borrowed)", one(pointer)?)),
        _ => {
            let pointers = pointers.as_array().into_iter().flatten().filter_map(Value::as_str);
            let all = pointers.map(one).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("generated::joined(&[{}])", all.join(", ")))
        }
    }
}

/// Whether a message is a snapshot or a change, where its type alone does not say it.
fn condition(structs: &Structs, owner: &str, said: &Value) -> Result<Option<String>, String> {
    let Some(when) = said.get("when") else { return Ok(None) };
    let (pointer, equals) = (text(when, "at").unwrap_or_default(), text(when, "equals").unwrap_or_default());
    let found = at(structs, owner, "message", pointer)?;
    Ok(Some(format!("{} == Some({equals:?})", found.text())))
}

fn kind(structs: &Structs, form: &Form<'_>) -> Result<String, String> {
    let mut kind = String::new();
    for (said, variant) in [(form.snapshot, "Snapshot"), (form.change, "Change")] {
        let Some(said) = said else { continue };
        match condition(structs, form.owner, said)? {
            None => return Ok(format!("{kind}{}", braced(&kind, &format!("generated::BookKind::{variant}")))),
            Some(condition) => kind = format!("{kind}if {condition} {{ generated::BookKind::{variant} }} else "),
        }
    }
    Ok(format!("{kind}{}", braced(&kind, "generated::BookKind::Other")))
}

fn braced(before: &str, last: &str) -> String {
    if before.is_empty() { last.to_owned() } else { format!("{{ {last} }}") }
}

fn apply(structs: &Structs, form: &Form<'_>) -> Result<Vec<String>, String> {
    let snapshot = form.snapshot.map(|said| snapshot(structs, form.owner, said)).transpose()?;
    let change = form.change.map(|said| change(structs, form.owner, said)).transpose()?;
    let is_told = [form.snapshot, form.change].into_iter().flatten().any(|said| said.get("when").is_some());
    match (snapshot, change) {
        (Some(lines), None) | (None, Some(lines)) if !is_told => Ok(lines),
        (snapshot, change) => {
            let mut lines = vec!["match self.kind() {".to_owned()];
            for (body, variant) in [(snapshot, "Snapshot"), (change, "Change")] {
                let Some(body) = body else { continue };
                lines.push(format!("    generated::BookKind::{variant} => {{"));
                lines.extend(body.into_iter().map(|line| format!("        {line}")));
                lines.push("    }".to_owned());
            }
            lines.push("    _ => Ok(()),".to_owned());
            lines.push("}".to_owned());
            Ok(lines)
        }
    }
}

fn snapshot(structs: &Structs, owner: &str, said: &Value) -> Result<Vec<String>, String> {
    let [bids, asks] = sides(structs, owner, said)?;
    Ok(vec![format!("book.snapshot({bids}, {asks})")])
}

/// The levels of both sides, as iterators of price and size.
fn sides(structs: &Structs, owner: &str, said: &Value) -> Result<[String; 2], String> {
    let one = |key: &str| {
        let found = at(structs, owner, "message", text(said, key).unwrap_or_default())?;
        levels(structs, &found, &said["entry"])
    };
    Ok([one("bids")?, one("asks")?])
}

fn levels(structs: &Structs, found: &Found<'_>, entry: &Value) -> Result<String, String> {
    let (elements, one) = found.elements()?;
    let kind = named(one).map(ToString::to_string).unwrap_or_default();
    if entry.is_array() {
        if !matches!(kind.as_str(), "Level" | "ActionLevel") {
            return Err(format!("the levels are `{kind}` and no tuples"));
        }
        return Ok(format!("{elements}.map(|level| (level.price.get(), level.size.get()))"));
    }
    let member = |key: &str| {
        let name = text(entry, key).unwrap_or_default();
        let found = at(structs, &kind, "level", &format!("/{name}"))?;
        Ok::<_, String>((number(&found)?, name))
    };
    let ((price, price_name), (size, size_name)) = (member("price")?, member("size")?);
    Ok(format!("generated::levels({elements}, {price_name:?}, {size_name:?}, |level| ({price}, {size}))?"))
}

/// An option of a decimal.
fn number(found: &Found<'_>) -> Result<String, String> {
    let kind = option(found.kind).or_else(|| of("Box", found.kind)).unwrap_or(found.kind);
    match named(kind).map(ToString::to_string).as_deref() {
        Some("Decimal" | "DecimalNumber") => Ok(format!("{}.map(|at| at.get())", found.expression)),
        other => Err(format!("`{}` is no decimal", other.unwrap_or_default())),
    }
}

fn change(structs: &Structs, owner: &str, said: &Value) -> Result<Vec<String>, String> {
    let how = if text(said, "is") == Some("change") { "change" } else { "set" };
    if said.get("side").is_none() {
        let [bids, asks] = sides(structs, owner, said)?;
        let side = |side: &str, levels: String| {
            format!("for (price, size) in {levels} {{ book.{how}(generated::Side::{side}, price, size)?; }}")
        };
        return Ok(vec![side("Bid", bids), side("Ask", asks), "Ok(())".to_owned()]);
    }
    let place = |key: &str| {
        let pointer = text(said, key).unwrap_or_default();
        Ok::<_, String>((at(structs, owner, "message", pointer)?, pointer.trim_start_matches('/')))
    };
    let (side, side_name) = place("side")?;
    let (price, price_name) = place("price")?;
    let (size, size_name) = place("size")?;
    let [bid, ask] = ["bid", "ask"].map(|key| text(said, key).unwrap_or_default());
    Ok(vec![
        format!("let side = generated::side({}, {bid:?}, {ask:?}, {side_name:?})?;", side.text()),
        format!("let price = generated::needed({}, {price_name:?})?;", number(&price)?),
        format!("let size = generated::needed({}, {size_name:?})?;", number(&size)?),
        format!("book.{how}(side, price, size)"),
    ])
}
