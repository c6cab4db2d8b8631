//! A venue's spec, joined into one document whose every value still knows its file and line.

mod streams;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde_json::{Map, Value};

pub use self::streams::STREAMS;
use crate::finding::{Finding, Location};
use crate::source::{Source, step, unescaped};

/// Which standard a spec is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// OpenAPI 3.0.
    OpenApi,
    /// OpenRPC 1.
    OpenRpc,
}

/// A joined spec.
#[derive(Debug)]
pub struct Document {
    /// The venue's folder name.
    pub venue: String,
    /// Its standard.
    pub kind: Kind,
    /// The document: every file's operations and schemas in one, with `#/components/...` references only.
    pub value: Value,
    sources: Vec<Source>,
    /// Where parts of `value` came from, by their pointers: source, pointer in the source. The longest that fits counts.
    mounts: HashMap<String, (usize, String)>,
}

/// The file beside a spec that lists accepted differences to what others say.
pub const DRIFT: &str = "drift.yaml";

/// Whether a file of a venue's folder is part of its spec.
pub fn is_spec(name: &str) -> bool {
    name.ends_with(".yaml") && name != DRIFT
}

/// An entry of a venue's folder that looks like a part of its spec and is not read.
fn unread(root: &Path, folder: &str, name: &str) -> Option<Finding> {
    let file = format!("{folder}/{name}");
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default();
    let (message, help) = if root.join(&file).is_dir() {
        ("folders are not read", "move its files into the folder of the venue")
    } else if matches!(ending.as_str(), "yml" | "yaml") && !name.ends_with(".yaml") {
        ("only files that end with `.yaml` are read", "rename it, or delete it")
    } else {
        return None;
    };
    let at = Location { file, line: 0, column: 0 };
    Some(Finding { rule: "unread-file", message: message.to_owned(), at, help: help.to_owned() })
}

/// The sections of a tag file that become sections of `components`.
const SECTIONS: [&str; 2] = ["schemas", "parameters"];

impl Document {
    /// Reads and joins `specs/<venue>/`.
    pub fn read(root: &Path, venue: &str) -> Result<Self, Vec<Finding>> {
        let folder = format!("specs/{venue}");
        let mut names: Vec<String> = std::fs::read_dir(root.join(&folder))
            .map_err(|error| {
                vec![Finding {
                    rule: "unreadable",
                    message: format!("{folder}: {error}"),
                    at: Location { file: folder.clone(), line: 0, column: 0 },
                    help: "name a folder below specs/".to_owned(),
                }]
            })?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        let mut sources = Vec::new();
        let mut findings: Vec<Finding> = names.iter().filter_map(|name| unread(root, &folder, name)).collect();
        names.retain(|name| is_spec(name) && !root.join(&folder).join(name).is_dir());
        for name in &names {
            match Source::read(root, &format!("{folder}/{name}")) {
                Ok(source) => sources.push(source),
                Err(finding) => findings.push(finding),
            }
        }
        if !root.join(&folder).join("sources.md").is_file() {
            findings.push(Finding {
                rule: "missing-sources",
                message: format!("{folder} does not say where its facts come from"),
                at: Location { file: format!("{folder}/sources.md"), line: 0, column: 0 },
                help: "write sources.md: a row for each fact, what sources disagree about, what was left out"
                    .to_owned(),
            });
        }
        if findings.is_empty() { Self::join(venue, sources) } else { Err(findings) }
    }

    /// Joins files that are already in memory.
    pub fn join(venue: &str, sources: Vec<Source>) -> Result<Self, Vec<Finding>> {
        let named = |name: &str| sources.iter().position(|source| source.path == format!("specs/{venue}/{name}"));
        let (root, kind) = match (named("openapi.yaml"), named("openrpc.yaml")) {
            (Some(root), None) => (root, Kind::OpenApi),
            (None, Some(root)) => (root, Kind::OpenRpc),
            _ => {
                return Err(vec![Finding {
                    rule: "no-root",
                    message: format!("specs/{venue} needs either openapi.yaml or openrpc.yaml"),
                    at: Location { file: format!("specs/{venue}"), line: 0, column: 0 },
                    help: "begin with the root document; book/src/adding-a-venue.md names some to copy".to_owned(),
                }]);
            }
        };
        let files = sources.iter().enumerate().map(|(at, source)| (source.path.as_str(), at)).collect();
        Joiner { venue, sources: &sources, files, findings: Vec::new(), mounts: Vec::new() }.run(root, kind).map(
            |(value, mounts)| {
                let mounts = mounts.into_iter().map(|(at, source, inner)| (at, (source, inner))).collect();
                Self { venue: venue.to_owned(), kind, value, sources, mounts }
            },
        )
    }

    /// Another document of the same venue, made from this one; its values have no lines.
    pub fn derived(&self, kind: Kind, value: Value) -> Self {
        Self { venue: self.venue.clone(), kind, value, sources: Vec::new(), mounts: HashMap::new() }
    }

    /// Where a value stands in the spec's files.
    pub fn locate(&self, pointer: &str) -> Location {
        let mut prefix = pointer;
        loop {
            if let Some((source, inner)) = self.mounts.get(prefix) {
                return self.sources[*source].locate(&format!("{inner}{}", &pointer[prefix.len()..]));
            }
            match prefix.rfind('/') {
                Some(end) => prefix = &prefix[..end],
                None => return Location { file: format!("specs/{}", self.venue), line: 0, column: 0 },
            }
        }
    }

    /// A broken rule at a pointer of the joined document.
    pub fn finding(
        &self,
        rule: &'static str,
        pointer: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Finding {
        Finding { rule, message: message.into(), at: self.locate(pointer), help: help.into() }
    }
}

type Mounts = Vec<(String, usize, String)>;

struct Joiner<'a> {
    venue: &'a str,
    sources: &'a [Source],
    /// The sources by their paths.
    files: HashMap<&'a str, usize>,
    findings: Vec<Finding>,
    mounts: Mounts,
}

impl Joiner<'_> {
    fn run(mut self, root: usize, kind: Kind) -> Result<(Value, Mounts), Vec<Finding>> {
        self.mounts.push((String::new(), root, String::new()));
        let mut value = self.rewritten(root, "", &self.sources[root].value.clone());
        match kind {
            Kind::OpenApi => self.mount_paths(root, &mut value),
            Kind::OpenRpc => self.mount_methods(root, &mut value),
        }
        self.mount_components(root, &mut value);
        self.tag_members(root, kind);
        self.mount_streams(root, &mut value);
        if self.findings.is_empty() { Ok((value, self.mounts)) } else { Err(self.findings) }
    }

    fn fail(
        &mut self,
        rule: &'static str,
        source: usize,
        pointer: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let at = self.sources[source].locate(pointer);
        self.findings.push(Finding { rule, message: message.into(), at, help: help.into() });
    }

    /// A copy in which every reference points into `#/components`.
    fn rewritten(&mut self, source: usize, pointer: &str, value: &Value) -> Value {
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(i, item)| self.rewritten(source, &step(pointer, &i.to_string()), item))
                .collect(),
            Value::Object(map) => {
                let mut copy = Map::new();
                for (key, value) in map {
                    let below = step(pointer, key);
                    let value = match (key.as_str(), value) {
                        ("$ref", Value::String(reference)) => Value::String(self.reference(source, &below, reference)),
                        ("x-tuple", Value::Array(elements)) => {
                            let elements: Value = elements.iter().map(streams::element).collect();
                            self.rewritten(source, &below, &elements)
                        }
                        _ => self.rewritten(source, &below, value),
                    };
                    copy.insert(key.clone(), value);
                }
                Value::Object(copy)
            }
            scalar => scalar.clone(),
        }
    }

    fn reference(&mut self, source: usize, pointer: &str, reference: &str) -> String {
        if reference.starts_with("#/components/") {
            return reference.to_owned();
        }
        if let Some((target, inner)) = self.resolve(source, reference) {
            let exists = self.sources[target].value.pointer(&inner).is_some();
            if exists && let Some(section) = SECTIONS.iter().find(|s| inner.starts_with(&format!("/{s}/"))) {
                return format!("#/components/{section}/{}", &inner[section.len() + 2..]);
            }
            if exists && let Some(name) = inner.strip_prefix("/messages/") {
                return format!("#/{STREAMS}/messages/{name}");
            }
            // Paths, methods and channels are mounted by the root documents, which resolve them themselves.
            if exists
                && (inner.starts_with("/paths/") || inner.starts_with("/methods/") || inner.starts_with("/channels/"))
            {
                return reference.to_owned();
            }
        }
        let help = "write `#/schemas/NAME` for the same file or `FILE.yaml#/schemas/NAME` for another";
        self.fail("dangling-ref", source, pointer, format!("`{reference}` leads nowhere"), help);
        reference.to_owned()
    }

    /// The source and pointer that a reference names.
    fn resolve(&self, source: usize, reference: &str) -> Option<(usize, String)> {
        let (file, pointer) = reference.split_once('#')?;
        if file.is_empty() {
            return Some((source, pointer.to_owned()));
        }
        let path = format!("specs/{}/{}", self.venue, file.trim_start_matches("./"));
        Some((*self.files.get(path.as_str())?, pointer.to_owned()))
    }

    fn mount_paths(&mut self, root: usize, document: &mut Value) {
        let mut listed = BTreeSet::new();
        if let Some(Value::Object(paths)) = document.get_mut("paths") {
            for (path, item) in paths.iter_mut() {
                let pointer = step("/paths", path);
                let Some(reference) = item.get("$ref").and_then(Value::as_str).map(str::to_owned) else {
                    listed.insert((root, pointer));
                    continue;
                };
                let Some((source, inner)) = self.resolve(root, &reference) else { continue };
                if inner != pointer {
                    let message = format!("`{path}` refers to another path, `{inner}`");
                    self.fail(
                        "wrong-path",
                        root,
                        &pointer,
                        message,
                        "the path and the reference must name the same path",
                    );
                    continue;
                }
                if let Some(target) = self.sources[source].value.pointer(&inner).cloned() {
                    *item = self.rewritten(source, &inner, &target);
                    self.mounts.push((pointer, source, inner.clone()));
                    listed.insert((source, inner));
                }
            }
        }
        for source in 0..self.sources.len() {
            let names: Vec<String> = keys(&self.sources[source].value, "paths");
            for path in names {
                let inner = step("/paths", &path);
                if source != root && !listed.contains(&(source, inner.clone())) {
                    let file = self.sources[source].path.rsplit('/').next().unwrap_or_default();
                    let help = format!("add to the root document:  {path}: {{ $ref: '{file}#{inner}' }}");
                    self.fail("unlisted-path", source, &inner, format!("`{path}` is not in the root document"), help);
                }
            }
        }
    }

    fn mount_methods(&mut self, root: usize, document: &mut Value) {
        let mut listed = BTreeSet::new();
        if let Some(Value::Array(methods)) = document.get_mut("methods") {
            for (i, method) in methods.iter_mut().enumerate() {
                let pointer = step("/methods", &i.to_string());
                let Some(reference) = method.get("$ref").and_then(Value::as_str).map(str::to_owned) else { continue };
                let Some((source, inner)) = self.resolve(root, &reference) else { continue };
                let Some(target) = self.sources[source].value.pointer(&inner).cloned() else { continue };
                let key = unescaped(inner.rsplit('/').next().unwrap_or_default());
                if target.get("name").and_then(Value::as_str) != Some(key.as_str()) {
                    let help = "a method stands under its own name";
                    self.fail("wrong-path", source, &inner, format!("`{key}` holds a method of another name"), help);
                }
                *method = self.rewritten(source, &inner, &target);
                self.mounts.push((pointer, source, inner.clone()));
                listed.insert((source, inner));
            }
        }
        for source in 0..self.sources.len() {
            if source == root {
                continue;
            }
            for name in keys(&self.sources[source].value, "methods") {
                let inner = step("/methods", &name);
                if !listed.contains(&(source, inner.clone())) {
                    let file = self.sources[source].path.rsplit('/').next().unwrap_or_default();
                    let help = format!("add to the root document:  - {{ $ref: '{file}#{inner}' }}");
                    self.fail("unlisted-path", source, &inner, format!("`{name}` is not in the root document"), help);
                }
            }
        }
    }

    /// What stands at the top of a tag file and is read by nobody. Files of streams have a check of their own.
    fn tag_members(&mut self, root: usize, kind: Kind) {
        let calls = if kind == Kind::OpenApi { "paths" } else { "methods" };
        let known = [calls, "schemas", "parameters"];
        for source in 0..self.sources.len() {
            if source == root || self.is_of_streams(source) {
                continue;
            }
            let Some(map) = self.sources[source].value.as_object() else {
                let help = format!("write `{calls}`, `schemas` or `parameters`, or delete the file");
                self.fail("shape", source, "", "this is no mapping", help);
                continue;
            };
            let members: Vec<(String, bool)> =
                map.iter().map(|(name, value)| (name.clone(), value.is_object())).collect();
            for (name, is_map) in members {
                let at = step("", &name);
                if !known.contains(&name.as_str()) {
                    let help = format!(
                        "a tag file has `{calls}`, `schemas` and `parameters`; what holds for the whole venue stands in the root document"
                    );
                    self.fail("unknown-member", source, &at, format!("`{name}` means nothing here"), help);
                } else if !is_map {
                    self.fail("shape", source, &at, format!("`{name}` is no mapping"), "indent its entries below it");
                }
            }
        }
    }

    fn mount_components(&mut self, root: usize, document: &mut Value) {
        let mut homes: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut sections: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for section in SECTIONS {
            for name in keys(document.get("components").unwrap_or(&Value::Null), section) {
                homes.insert((section.to_owned(), name), root);
            }
            for source in 0..self.sources.len() {
                for name in keys(&self.sources[source].value, section) {
                    let inner = step(&format!("/{section}"), &name);
                    if let Some(first) = homes.insert((section.to_owned(), name.clone()), source) {
                        let other = if first == root && section_is_nested(document, section, &name) {
                            step(&format!("/components/{section}"), &name)
                        } else {
                            inner.clone()
                        };
                        let message =
                            format!("`{name}` is defined twice, first at {}", self.sources[first].locate(&other));
                        self.fail("duplicate-schema", source, &inner, message, "a name is used once in a venue");
                        continue;
                    }
                    let Some(target) = self.sources[source].value.pointer(&inner).cloned() else { continue };
                    let target = self.rewritten(source, &inner, &target);
                    self.mounts.push((step(&format!("/components/{section}"), &name), source, inner));
                    sections.entry(section.to_owned()).or_default().insert(name, target);
                }
            }
        }
        let Value::Object(document) = document else { return };
        for section in SECTIONS {
            document.remove(section);
        }
        let components = document.entry("components").or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(components) = components else { return };
        for (section, entries) in sections {
            let target = components.entry(section).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(target) = target {
                target.extend(entries);
            }
        }
    }
}

/// Whether the root document has a name under `components`, and not at its top.
fn section_is_nested(document: &Value, section: &str, name: &str) -> bool {
    document.pointer(&step(&format!("/components/{section}"), name)).is_some()
}

fn keys(value: &Value, section: &str) -> Vec<String> {
    value.get(section).and_then(Value::as_object).map(|map| map.keys().cloned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(files: &[(&str, &str)]) -> Result<Document, Vec<Finding>> {
        let sources =
            files.iter().map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text).unwrap()).collect();
        Document::join("v", sources)
    }

    const ROOT: &str = "openapi: 3.0.3\npaths:\n  /a: { $ref: 'a.yaml#/paths/~1a' }\n";

    #[test]
    fn files_become_one_document_that_knows_its_lines() {
        let tag = "paths:\n  /a:\n    get:\n      x: { $ref: '#/schemas/A' }\nschemas:\n  A:\n    items: { $ref: 'b.yaml#/schemas/B' }\n";
        let document =
            join(&[("openapi.yaml", ROOT), ("a.yaml", tag), ("b.yaml", "schemas:\n\n  B: { type: string }\n")])
                .unwrap();
        assert_eq!(document.value.pointer("/paths/~1a/get/x/$ref").unwrap(), "#/components/schemas/A");
        assert_eq!(document.value.pointer("/components/schemas/A/items/$ref").unwrap(), "#/components/schemas/B");
        assert_eq!(document.locate("/paths/~1a/get/x").to_string(), "specs/v/a.yaml:4:7");
        assert_eq!(document.locate("/components/schemas/B/type").file, "specs/v/b.yaml");
        assert_eq!(document.locate("/components/schemas/B").line, 3);
        assert_eq!(document.locate("/openapi").to_string(), "specs/v/openapi.yaml:1:1");
    }

    #[test]
    fn what_does_not_join_is_named() {
        let rules = |files: &[(&str, &str)]| join(files).unwrap_err().into_iter().map(|f| f.rule).collect::<Vec<_>>();
        assert_eq!(rules(&[("a.yaml", "paths: {}")]), ["no-root"]);
        assert_eq!(rules(&[("openapi.yaml", ROOT)]), ["dangling-ref"]);
        let two = "paths:\n  /a: {}\n  /b: {}\n";
        assert_eq!(rules(&[("openapi.yaml", ROOT), ("a.yaml", two)]), ["unlisted-path"]);
        let same = "schemas: { X: {} }";
        assert_eq!(
            rules(&[("openapi.yaml", "openapi: 3.0.3"), ("a.yaml", same), ("b.yaml", same)]),
            ["duplicate-schema"]
        );
        let wrong = "paths:\n  /b: { $ref: 'a.yaml#/paths/~1a' }\n";
        assert_eq!(rules(&[("openapi.yaml", wrong), ("a.yaml", "paths: { /a: {} }")]), ["wrong-path", "unlisted-path"]);
    }
}
