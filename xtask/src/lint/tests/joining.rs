//! Files that cannot be read, or make no document together.

use super::{Case, REST, RPC, check, owned, read};
use crate::document::Document;
use crate::tests::Scratch;

/// Rules about files as a whole.
pub const FILES: [&str; 5] = ["unreadable", "missing-sources", "no-root", "too-deep", "unread-file"];

pub const REST_CASES: &[Case] = &[
    ("yaml", "security: []", "security: [] # 1\nsecurity: [] # 2", "# 2"),
    ("yaml", "security: []", "security: [", "x-errors"),
    ("dangling-ref", "{ $ref: '#/schemas/Kind' }", "{ $ref: '#/schemas/Knid' }", "Knid"),
    ("dangling-ref", "{ $ref: '#/schemas/Kind' }", "{ $ref: 'b.yaml#/schemas/Kind' }", "b.yaml"),
    (
        "dangling-ref",
        "{ $ref: '#/schemas/Kind' }",
        "{ $ref: 'https://v.test/a.yaml#/schemas/Kind' }",
        "https://v.test/a",
    ),
    ("dangling-ref", "'a.yaml#/paths/~1things' }", "'https://v.test/b.yaml#/paths/~1things' }", "https://v.test/b"),
    (
        "wrong-path",
        "  /things: { $ref: 'a.yaml#/paths/~1things' }",
        "  /thing: { $ref: 'a.yaml#/paths/~1things' }",
        "/thing:",
    ),
    ("unlisted-path", "  /things: { $ref: 'a.yaml#/paths/~1things' }\n", "", "  /things:"),
    ("duplicate-schema", "components:\n", "schemas: { Part: {} }\ncomponents:\n", "  Part:"),
    ("ref-target", "{ $ref: '#/schemas/Kind' }", "{ $ref: '#/schemas/Thing/properties/id' }", "Thing/properties"),
    ("ref-target", "{ $ref: '#/schemas/Kind' }", "{ $ref: '#/components/responses/Failed' }", "kind:"),
    (
        "ref-target",
        "        - { name: page, in: query, schema: { type: string } }",
        "        - { $ref: '#/schemas/Part' }",
        "        - { $ref: '#/schemas/Part' }",
    ),
    (
        "ref-cycle",
        "  Kind: { type: string, enum: [big, small] }",
        "  Kind: { allOf: [{ $ref: '#/schemas/Kind' }] }",
        "  Kind:",
    ),
    (
        "ref-cycle",
        "  Kind: { type: string, enum: [big, small] }",
        "  Kind: { $ref: '#/schemas/Sort' }\n  Sort: { $ref: '#/schemas/Kind' }",
        "  Kind:",
    ),
    (
        "ref-cycle",
        "  Kind: { type: string, enum: [big, small] }",
        "  Kind: { oneOf: [{ type: string }, { $ref: '#/schemas/Kind' }] }",
        "  Kind:",
    ),
    ("alias", "  Kind: { type: string, enum: [big, small] }", "  Kind: { $ref: '#/schemas/Part' }", "  Kind:"),
    ("unused-schema", "kind: { $ref: '#/schemas/Kind' }", "kind: { type: string }", "  Kind:"),
    (
        "unused-parameter",
        "schemas:\n  ThingId:",
        "parameters:\n  Page: { name: page, in: query, schema: { type: string } }\nschemas:\n  ThingId:",
        "  Page:",
    ),
    // What stands at the top of a tag file is read, or it is a mistake.
    ("unknown-member", "schemas:\n  ThingId:", "security: [] # stray\nschemas:\n  ThingId:", "# stray"),
    ("unknown-member", "schemas:\n  ThingId:", "x-retry: safe # stray\nschemas:\n  ThingId:", "# stray"),
    ("unknown-member", "schemas:\n  ThingId:", "x-foo: 1\nschemas:\n  ThingId:", "x-foo"),
    ("unknown-member", "schemas:\n  ThingId:", "pahts: {}\nschemas:\n  ThingId:", "pahts"),
    ("unknown-member", "schemas:\n  ThingId:", "components: {}\nschemas:\n  ThingId:", "components: {}"),
    ("unknown-member", "schemas:\n  ThingId:", "methods: {}\nschemas:\n  ThingId:", "methods"),
    ("shape", "schemas:\n  ThingId:", "parameters: []\nschemas:\n  ThingId:", "parameters: []"),
    ("type-collision", "  ThingId:", "  ThingID: { type: object }\n  ThingId:", "  ThingId:"),
];

pub const RPC_CASES: &[Case] = &[
    ("wrong-path", "name: public/get_thing", "name: public/get_things", "  public/get_thing:"),
    ("unlisted-path", "schemas:", "  public/other: {}\nschemas:", "  public/other"),
    ("unknown-member", "schemas:", "paths: {}\nschemas:", "paths"),
    ("type-collision", "schemas:", "schemas:\n  GetThingParams: { type: object }", "  GetThingParams"),
];

#[test]
fn mistakes_between_files_are_named() {
    check(REST, REST_CASES);
    check(RPC, RPC_CASES);
}

#[test]
fn files_that_are_missing_are_named() {
    let scratch = Scratch::new();
    let rules = || -> Vec<(&str, String)> {
        let findings = Document::read(scratch.path(), "v").unwrap_err();
        assert!(findings.iter().all(|finding| !finding.help.is_empty()));
        findings.into_iter().map(|finding| (finding.rule, finding.at.to_string())).collect()
    };
    assert_eq!(rules(), [("unreadable", "specs/v".to_owned())]);
    scratch.write("specs/v/a.yaml", "paths: {}\n");
    assert_eq!(rules(), [("missing-sources", "specs/v/sources.md".to_owned())]);
    scratch.write("specs/v/sources.md", "");
    assert_eq!(rules(), [("no-root", "specs/v".to_owned())]);
    // What only looks like a part of the spec is no part of it.
    scratch.write("specs/v/c.yml", "schemas: {}\n");
    scratch.write("specs/v/d.YAML", "schemas: {}\n");
    scratch.write("specs/v/more.yaml/e.yaml", "schemas: {}\n");
    let unread = ["specs/v/c.yml", "specs/v/d.YAML", "specs/v/more.yaml"].map(|file| ("unread-file", file.to_owned()));
    assert_eq!(rules(), unread);
    for name in ["c.yml", "d.YAML"] {
        std::fs::remove_file(scratch.path().join("specs/v").join(name)).unwrap();
    }
    std::fs::remove_dir_all(scratch.path().join("specs/v/more.yaml")).unwrap();
    std::fs::write(scratch.path().join("specs/v/b.yaml"), [0xff, 0xfe]).unwrap();
    assert_eq!(rules(), [("unreadable", "specs/v/b.yaml".to_owned())]);
}

#[test]
fn one_root_is_needed() {
    let both = [owned(REST).remove(0), owned(RPC).remove(0)];
    assert_eq!(read(&both).unwrap_err()[0].rule, "no-root");
}

#[test]
fn a_spec_that_is_too_deep_is_named() {
    let mut files = owned(REST);
    files[0].1 += &format!("x-deep:\n  {}{}\n", "[".repeat(33), "]".repeat(33));
    let findings = read(&files).unwrap_err();
    let line = files[0].1.lines().count();
    assert_eq!((findings[0].rule, findings[0].at.line), ("too-deep", line));
}
