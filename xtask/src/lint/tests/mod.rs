//! Every rule by name: a sound spec, one mistake in it, and the line that lint must point at.

mod credentials;
mod ids;
mod joining;
mod keys;
mod operations;
mod parameters;
mod requests;
mod schemas;
mod streams;
mod texts;
mod websocket;
mod words;

use std::collections::BTreeSet;
use std::path::Path;

use syn::visit_mut::{self, VisitMut};

use super::lint;
use crate::document::Document;
use crate::emit::generate;
use crate::finding::Finding;
use crate::source::Source;
use crate::tests::root;
use crate::tests::streams::FILES as STREAMS;

/// A rule; what to replace in the sound spec, and with what; and a text on the line that the finding names, with a dollar sign where the
/// line ends with it.
type Case = (&'static str, &'static str, &'static str, &'static str);

type Files = &'static [(&'static str, &'static str)];

const REST: Files = &[
    (
        "openapi.yaml",
        "\
openapi: 3.0.3
info: { title: t, version: '1' }
servers:
  - { url: 'https://v.test', x-environment: production }
security: []
x-errors: { code: [/code] }
x-buckets:
  all: [{ tier: basic, refill: 1, capacity: 1 }]
paths:
  '/things/{id}': { $ref: 'a.yaml#/paths/~1things~1{id}' }
  /things: { $ref: 'a.yaml#/paths/~1things' }
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Key, x-credential: key, x-carries: secret }
  responses:
    Failed: { description: no }
",
    ),
    (
        "a.yaml",
        "\
paths:
  '/things/{id}':
    post:
      operationId: MakeThing
      x-retry: never
      x-rate: { bucket: all, cost: 1 }
      parameters:
        - { name: id, in: path, required: true, schema: { $ref: '#/schemas/ThingId' } }
        - { name: page, in: query, schema: { type: string } }
        - { name: from, in: query, schema: { type: integer } }
        - { name: X-Trace, in: header, schema: { type: string } }
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '#/schemas/NewThing' }
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema: { $ref: '#/schemas/Thing' }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
  /things:
    get:
      operationId: ListThings
      x-retry: safe
      x-rate: { bucket: all, cost: 1 }
      responses:
        '204': { description: nothing }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
schemas:
  ThingId: { type: string, pattern: '^[a-z]+$' }
  Kind: { type: string, enum: [big, small] }
  NewThing:
    type: object
    required: [name]
    properties:
      name: { type: string }
      kind: { $ref: '#/schemas/Kind' }
  Thing:
    type: object
    properties:
      id: { type: string }
      parts: { type: array, items: { $ref: '#/schemas/Part' } }
      last: { type: integer }
      rest: { $ref: '#/schemas/Rest' }
  Rest:
    type: object
    properties:
      mark: { type: string }
      things: { type: array, items: { $ref: '#/schemas/Thing' } }
  Part:
    type: object
    properties:
      weight: { type: number }
",
    ),
];

const RPC: Files = &[
    (
        "openrpc.yaml",
        "\
openrpc: 1.3.2
info: { title: t, version: '1' }
servers:
  - { url: 'https://v.test', x-environment: production }
x-security: []
x-security-schemes:
  key: { type: http, scheme: bearer, x-credential: key }
x-errors: { code: [/code] }
methods:
  - { $ref: 'a.yaml#/methods/public~1get_thing' }
",
    ),
    (
        "a.yaml",
        "\
methods:
  public/get_thing:
    name: public/get_thing
    x-retry: safe
    params:
      - { name: id, required: true, schema: { type: string } }
    result:
      name: thing
      schema: { $ref: '#/schemas/Thing' }
schemas:
  Thing:
    type: object
    properties:
      size: { type: [integer, 'null'] }
      next: { oneOf: [{ $ref: '#/schemas/Thing' }, { type: 'null' }] }
",
    ),
];

fn read(files: &[(&str, String)]) -> Result<Document, Vec<Finding>> {
    let sources: Result<Vec<Source>, Finding> =
        files.iter().map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text)).collect();
    Document::join("v", sources.map_err(|finding| vec![finding])?)
}

fn findings(files: &[(&str, String)]) -> Vec<Finding> {
    read(files).map_or_else(|findings| findings, |document| lint(&document))
}

fn owned(files: Files) -> Vec<(&'static str, String)> {
    files.iter().map(|(name, text)| (*name, (*text).to_owned())).collect()
}

/// Makes each mistake and sees that it is named, where it is.
fn check(base: Files, cases: &[Case]) {
    check_in(&owned(base), cases);
}

fn check_in(base: &[(&'static str, String)], cases: &[Case]) {
    for (rule, find, with, at) in cases {
        let mut files = base.to_vec();
        let places = files.iter().filter(|(_, text)| text.contains(find)).count();
        assert_eq!(places, 1, "{rule}: {find:?} is in one file");
        for (_, text) in &mut files {
            *text = text.replacen(find, with, 1);
        }
        let is_it = |line: &str| match at.strip_suffix('$') {
            Some(end) => line.ends_with(end),
            None => line.contains(at),
        };
        let line = |text: &str| text.lines().position(is_it).map(|line| line + 1);
        let (file, line) = files
            .iter()
            .find_map(|(name, text)| Some((format!("specs/v/{name}"), line(text)?)))
            .unwrap_or_else(|| panic!("{rule}: no line has {at:?}"));
        let findings = findings(&files);
        let found = findings.iter().find(|f| f.rule == *rule && f.at.file == file && f.at.line == line);
        let all = || findings.iter().map(|f| format!("{f}\n")).collect::<String>();
        let found = found.unwrap_or_else(|| panic!("{rule} at {file}:{line} for {with:?}; found\n{}", all()));
        assert!(!found.help.is_empty() && !found.message.is_empty(), "{found}");
    }
}

#[test]
fn the_sound_specs_are_clean_and_are_generated() {
    for base in [REST, RPC, STREAMS] {
        let files = owned(base);
        assert_eq!(findings(&files), []);
        generate(&read(&files).unwrap()).unwrap();
    }
}

/// The other place of a duplicate is named.
#[test]
fn what_stands_twice_is_named_with_both_places() {
    for (find, with, expected) in [
        (
            "enum: [big, small]",
            "enum: [big,\n      small,\n      big]",
            "`big` is defined twice in `enum`, first at specs/v/a.yaml:36:32",
        ),
        (
            "required: [name]",
            "required: [name, kind, name]",
            "`name` is defined twice in `required`, first at specs/v/a.yaml:39:16",
        ),
        (
            "operationId: ListThings",
            "operationId: MakeThing",
            "the operation `make_thing` exists twice: the other is at specs/v/a.yaml:26:5",
        ),
        (
            "operationId: ListThings",
            "operationId: makeThing",
            "the operation `make_thing` exists twice: the other is at specs/v/a.yaml:26:5",
        ),
        (
            "{ name: page, in: query, schema: { type: string } }",
            "{ name: from, in: query, schema: { type: string } }",
            "the parameter `from` is defined twice: at specs/v/a.yaml:9:11 and at specs/v/a.yaml:10:11",
        ),
        (
            "components:\n",
            "schemas: { Part: {} }\ncomponents:\n",
            "`Part` is defined twice, first at specs/v/openapi.yaml:12:12",
        ),
        (
            "  - { url: 'https://v.test', x-environment: production }",
            "  - { url: 'https://v.test', x-environment: production }\n  - { url: 'https://w.test', x-environment: production }",
            "`production` is also the server at specs/v/openapi.yaml:4:5",
        ),
        (
            "      id: { type: string }",
            "      id: { type: string }\n      id: { type: integer }",
            "the key `id` is used twice in one mapping, first at line 46",
        ),
    ] {
        let mut files = owned(REST);
        for (_, text) in &mut files {
            *text = text.replacen(find, with, 1);
        }
        let messages: Vec<String> = findings(&files).into_iter().map(|finding| finding.message).collect();
        assert!(messages.iter().any(|message| message == expected), "{expected}\n{messages:#?}");
    }
}

/// Sound forms that look like mistakes.
#[test]
fn what_is_allowed_is_generated() {
    for (find, with) in [
        ("id: { type: string }", "id: { type: array, items: { type: array, items: { type: string } } }"),
        ("id: { type: string }", "id: { type: string, nullable: true }"),
        ("id: { type: string }", "id: { type: object, additionalProperties: { $ref: '#/schemas/Part' } }"),
        ("id: { type: string }", "id: { allOf: [{ $ref: '#/schemas/Part' }], description: d, nullable: true }"),
        ("id: { type: string }", "id: { oneOf: [{ type: number, format: decimal }, { type: string }] }"),
        ("id: { type: string }", "id: { oneOf: [{ type: integer }, { type: string }] }"),
        (
            "schema: { $ref: '#/schemas/Thing' }",
            "schema: { oneOf: [{ $ref: '#/schemas/Thing' }, { type: array, items: { $ref: '#/schemas/Thing' } }] }",
        ),
        ("  Part:\n    type: object", "  Part:\n    type: object\n    x-vital: [weight]"),
        ("id: { type: string }", "id: {}"),
        ("id: { type: string }", "type: { type: string }\n      self: { type: string }\n      '1d': { type: string }"),
        ("id: { type: string }", "parent: { $ref: '#/schemas/Thing' }"),
        ("x-retry: never", "x-retry: never\n      x-page: { style: cursor, param: page, next: id, items: parts }"),
        (
            "x-retry: never",
            "x-retry: never\n      x-page: { style: cursor, param: name, next: rest.mark, items: rest.things }",
        ),
        ("x-retry: never", "x-retry: never\n      x-page: { style: page, param: from, last: last, items: parts }"),
        ("x-retry: never", "x-retry: never\n      x-page: { style: page, param: from, items: rest.things }"),
        ("x-retry: never", "x-retry: never\n      x-page: { style: offset, param: from, items: parts }"),
        (
            "x-retry: never",
            "x-retry: never\n      x-page: { style: after, param: from, key: last, items: rest.things }",
        ),
        ("schemas:\n", "schemas:\n  Either: { oneOf: [{ $ref: '#/schemas/Part' }, { type: string }] }\n"),
        (
            "    type: object\n    properties:\n      weight: { type: number }",
            "    allOf: [{ $ref: '#/schemas/NewThing' }]\n    description: d\n  Free: { type: object, additionalProperties: true, description: unknown }",
        ),
    ] {
        let mut files = owned(REST);
        for (_, text) in &mut files {
            *text = text.replacen(find, with, 1);
        }
        let findings: Vec<Finding> =
            findings(&files).into_iter().filter(|f| !["unused-schema", "alias"].contains(&f.rule)).collect();
        assert_eq!(findings, [], "{with}");
        generate(&read(&files).unwrap()).unwrap_or_else(|failed| panic!("{with}: {failed:?}"));
    }
}

/// The names of rules in the sources: the first argument of whatever records a finding.
#[derive(Default)]
struct Rules(BTreeSet<String>);

impl Rules {
    fn take(&mut self, expression: &syn::Expr) {
        if let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) = expression {
            self.0.insert(name.value());
        }
    }
}

impl VisitMut for Rules {
    fn visit_expr_call_mut(&mut self, call: &mut syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func
            && path.path.is_ident("fail")
        {
            call.args.first().into_iter().for_each(|rule| self.take(rule));
        }
        visit_mut::visit_expr_call_mut(self, call);
    }

    fn visit_macro_mut(&mut self, call: &mut syn::Macro) {
        let parser = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        if let Ok(arguments) = call.parse_body_with(parser) {
            arguments.into_iter().for_each(|mut argument| self.visit_expr_mut(&mut argument));
        }
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
        if call.method == "fail" || call.method == "finding" {
            call.args.first().into_iter().for_each(|rule| self.take(rule));
        }
        visit_mut::visit_expr_method_call_mut(self, call);
    }

    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        if matches!(&field.member, syn::Member::Named(name) if name == "rule") {
            self.take(&field.expr);
        }
        visit_mut::visit_field_value_mut(self, field);
    }
}

fn rules_of(path: &Path, rules: &mut Rules) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            rules_of(&entry.unwrap().path(), rules);
        }
    } else {
        let mut file = syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap();
        // A test names rules too, and proves nothing.
        file.items.retain(|item| !matches!(item, syn::Item::Mod(_)));
        rules.visit_file_mut(&mut file);
    }
}

#[test]
fn every_rule_has_a_case() {
    let mut rules = Rules::default();
    let sources = root().join("xtask/src");
    for entry in std::fs::read_dir(sources.join("lint")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_file() {
            rules_of(&entry, &mut rules);
        }
    }
    rules_of(&sources.join("lint/streams"), &mut rules);
    for file in ["document.rs", "document/streams.rs", "source.rs", "yaml.rs"] {
        rules_of(&sources.join(file), &mut rules);
    }
    let lists: [&[Case]; 13] = [
        ids::CASES,
        joining::REST_CASES,
        joining::RPC_CASES,
        operations::CASES,
        operations::RPC_CASES,
        parameters::CASES,
        requests::CASES,
        schemas::CASES,
        schemas::RPC_CASES,
        streams::CASES,
        texts::CASES,
        words::CASES,
        words::TIMES,
    ];
    let cases: BTreeSet<String> = lists
        .iter()
        .flat_map(|list| list.iter())
        .map(|(rule, ..)| *rule)
        .chain(joining::FILES)
        .chain(streams::FILES)
        .map(str::to_owned)
        .collect();
    assert!(rules.0.len() > 60, "the sources name their rules as literals: {:?}", rules.0);
    let differ: Vec<_> = rules.0.symmetric_difference(&cases).collect();
    assert!(differ.is_empty(), "rules without a case, or cases without a rule: {differ:?}");
}
