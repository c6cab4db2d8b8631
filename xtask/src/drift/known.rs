//! `specs/<venue>/drift.yaml`: differences that are known and accepted, each with its reason and its source.

use std::path::Path;

use serde_json::Value;

use super::finding::{Drift, RULES};
use crate::document::DRIFT;
use crate::finding::Finding;
use crate::model::text;
use crate::source::{Source, step};
use crate::surface::Form;

/// What is accepted of a venue.
#[derive(Debug, Default)]
pub struct Known {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    rule: String,
    against: Vec<String>,
    /// Places or patterns of places, and where they stand.
    places: Vec<(String, Location)>,
}

type Location = crate::finding::Location;

/// What an entry consists of.
const MEMBERS: [&str; 5] = ["finding", "at", "against", "reason", "source"];

/// Where traffic is compared.
pub const TRAFFIC: &str = "traffic";

impl Known {
    /// Reads the file of a venue; a venue without one accepts nothing.
    pub fn read(root: &Path, venue: &str) -> Result<Self, Vec<Finding>> {
        let path = format!("specs/{venue}/{DRIFT}");
        if !root.join(&path).is_file() {
            return Ok(Self::default());
        }
        let source = Source::read(root, &path).map_err(|finding| vec![finding])?;
        Self::of(&source)
    }

    /// Reads a file that is in memory.
    pub fn of(source: &Source) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut entries = Vec::new();
        for name in
            source.value.as_object().into_iter().flatten().map(|(name, _)| name).filter(|name| *name != "accepted")
        {
            findings.push(problem(
                source,
                &step("", name),
                format!("`{name}` means nothing here"),
                "the file has one list: `accepted`",
            ));
        }
        let list = source.value.get("accepted").and_then(Value::as_array);
        for (index, value) in list.into_iter().flatten().enumerate() {
            let at = step("/accepted", &index.to_string());
            match entry(source, &at, value) {
                Ok(entry) => entries.push(entry),
                Err(finding) => findings.push(finding),
            }
        }
        if findings.is_empty() { Ok(Self { entries }) } else { Err(findings) }
    }

    /// The places of all entries, patterns among them, with where they stand.
    #[cfg(test)]
    pub fn places(&self) -> impl Iterator<Item = &(String, Location)> {
        self.entries.iter().flat_map(|entry| &entry.places)
    }

    /// Takes out what is accepted. Returns how many findings that were, and the entries that no longer apply.
    pub fn apply(&self, found: &mut Vec<Drift>, against: &str) -> (usize, Vec<Finding>) {
        let before = found.len();
        let mut stale = Vec::new();
        let mut accepted = vec![false; found.len()];
        for entry in self.entries.iter().filter(|entry| entry.against.iter().any(|form| form == against)) {
            for (place, location) in &entry.places {
                let mut applies = false;
                for (index, drift) in found.iter().enumerate() {
                    if drift.rule == entry.rule && matches(place, &drift.place) {
                        accepted[index] = true;
                        applies = true;
                    }
                }
                if !applies {
                    stale.push(Finding {
                        rule: "stale-drift",
                        message: format!("`{}` of `{place}` no longer applies to this {against} document", entry.rule),
                        at: location.clone(),
                        help: "remove the entry; where the vendor went back to what our spec says, nothing else is to be done"
                            .to_owned(),
                    });
                }
            }
        }
        let mut flags = accepted.into_iter();
        found.retain(|_| !flags.next().unwrap_or_default());
        (before - found.len(), stale)
    }
}

fn problem(source: &Source, at: &str, message: String, help: &str) -> Finding {
    Finding { rule: "drift-file", message, at: source.locate(at), help: help.to_owned() }
}

fn entry(source: &Source, at: &str, value: &Value) -> Result<Entry, Finding> {
    let wrong = |name: &str, message: String, help: &str| problem(source, &step(at, name), message, help);
    if let Some(name) =
        value.as_object().into_iter().flatten().map(|(name, _)| name).find(|name| !MEMBERS.contains(&name.as_str()))
    {
        return Err(wrong(
            name,
            format!("`{name}` is no member of an entry"),
            "an entry has finding, at, against, reason and source",
        ));
    }
    let rule = text(value, "finding").unwrap_or_default();
    if !RULES.iter().any(|(name, _)| *name == rule) {
        let all: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
        return Err(wrong("finding", format!("`{rule}` is no kind of finding"), &format!("one of {}", all.join(", "))));
    }
    for name in ["reason", "source"] {
        if text(value, name).is_none_or(|said| said.trim().is_empty()) {
            return Err(wrong(
                name,
                format!("an entry without a {name}"),
                "say why our spec stays, and where that is known from",
            ));
        }
    }
    let strings = |name: &str| -> Vec<(String, String)> {
        match value.get(name) {
            Some(Value::String(one)) => vec![(one.clone(), step(at, name))],
            Some(Value::Array(all)) => {
                let all = all.iter().enumerate();
                all.filter_map(|(i, one)| Some((one.as_str()?.to_owned(), step(&step(at, name), &i.to_string()))))
                    .collect()
            }
            _ => Vec::new(),
        }
    };
    let against: Vec<String> = strings("against").into_iter().map(|(form, _)| form).collect();
    if against.is_empty() || against.iter().any(|form| form != TRAFFIC && Form::named(form).is_none()) {
        let help = "a list of openapi, openrpc, asyncapi, inventory, stream-inventory and traffic";
        return Err(wrong("against", "what is the difference to?".to_owned(), help));
    }
    let places: Vec<(String, Location)> =
        strings("at").into_iter().map(|(place, at)| (place, source.locate(&at))).collect();
    if places.is_empty() {
        return Err(wrong(
            "at",
            "an entry without a place".to_owned(),
            "the place as the report says it, or a list of them; `*` stands for any text",
        ));
    }
    Ok(Entry { rule: rule.to_owned(), against, places })
}

/// Whether a place is the one that a pattern names, in which `*` stands for any text.
fn matches(pattern: &str, place: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = place.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    match last {
        None => rest.is_empty(),
        Some(last) => last.is_empty() || place.ends_with(last),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::judgement::Judgement;

    fn drift(rule: &'static str, place: &str) -> Drift {
        let (message, at, users) = (String::new(), String::new(), BTreeSet::new());
        Drift { rule, place: place.to_owned(), message, judgement: Judgement::Docs, at, users, change: None }
    }

    #[test]
    fn accepted_differences_go_and_stale_entries_are_errors() {
        let text = "accepted:\n  - finding: removed-field\n    at: [Market.title, Market.gone, 'Order.*_fp']\n    against: [inventory]\n    reason: r\n    source: S\n";
        let known = Known::of(&Source::parse("specs/v/drift.yaml", text).unwrap()).unwrap();
        let all = || {
            vec![
                drift("removed-field", "Market.title"),
                drift("removed-field", "Order.count_fp"),
                drift("removed-field", "Order.count"),
                drift("new-field", "Market.title"),
            ]
        };
        let mut found = all();
        let (count, stale) = known.apply(&mut found, "inventory");
        assert_eq!((count, found.len(), stale.len()), (2, 2, 1));
        assert!(stale[0].message.contains("Market.gone") && stale[0].at.line == 3, "{}", stale[0]);
        let mut found = all();
        assert_eq!(known.apply(&mut found, "openapi").0, 0, "it is about inventories");
    }

    #[test]
    fn an_entry_needs_a_reason_a_source_and_what_it_is_against() {
        let whole = "accepted:\n  - { finding: retyped, at: A.b, against: traffic, reason: r, source: S }\n";
        let read = |text: &str| Known::of(&Source::parse("specs/v/drift.yaml", text).unwrap());
        assert!(read(whole).is_ok());
        for (from, to, said) in [
            ("retyped", "retype", "no kind of finding"),
            (", reason: r", "", "without a reason"),
            (", source: S", ", source: ' '", "without a source"),
            ("traffic", "paper", "difference to"),
            ("at: A.b, ", "", "without a place"),
            ("source: S", "source: S, since: 2026", "no member"),
            ("accepted:", "accept:", "means nothing"),
        ] {
            let findings = read(&whole.replace(from, to)).expect_err(to);
            assert!(findings[0].message.contains(said), "{}", findings[0]);
        }
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, place, expected) in [
            ("A.b", "A.b", true),
            ("A.b", "A.bc", false),
            ("A.*", "A.bc", true),
            ("*.b", "A.b", true),
            ("*.b", "A.bc", false),
            ("A*(c)", "Ab(c)", true),
            ("*", "anything", true),
        ] {
            assert_eq!(matches(pattern, place), expected, "{pattern} {place}");
        }
    }
}
