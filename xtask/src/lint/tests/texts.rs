//! Characters that cannot stand in a spec, wherever they are; patterns that engines read differently; bounds.

use super::{Case, REST, RPC, check, findings, owned};

const ID: &str = "      id: { type: string }";
const PATTERN: &str = "pattern: '^[a-z]+$'";
const PAGE: &str = "        - { name: page, in: query, schema: { type: string } }";

pub const CASES: &[Case] = &[
    // Written by an escape, so that the file itself is plain.
    ("strange-character", "title: t,", "title: \"t\\u202E\",", "info:"),
    ("strange-character", "enum: [big, small]", "enum: [big, \"sm\\u200Ball\"]", "  Kind:"),
    ("strange-character", "      name: { type: string }", "      \"na\\u2066me\": { type: string }", "na\\u2066me"),
    ("strange-character", ID, "      id: { type: string, description: \"a\\rb\" }", "      id: {"),
    ("strange-character", ID, "      id: { type: string, example: \"a\\0b\" }", "      id: {"),
    ("strange-character", ID, "      id: { type: string, x-not-secret: \"\\u200F\" }", "      id: {"),
    ("strange-character", ID, "      id: { type: string, title: \"\\x1b[0m\" }", "      id: {"),
    ("strange-character", PATTERN, "pattern: \"^[a-z\\uFEFF]+$\"", "  ThingId:"),
    ("strange-character", "x-errors: { code: [/code] }", "x-errors: { names: { '1': \"no\\u2028\" } }", "x-errors"),
    ("strange-character", ID, "      \"i\\nd\": { type: string }", "i\\nd"),
    ("strange-character", PAGE, "        - { name: 'pa ge', in: query, schema: { type: string } }", "pa ge"),
    ("strange-character", PAGE, "        - { name: 'pa`ge', in: query, schema: { type: string } }", "pa`ge"),
    ("strange-character", ID, "      id: { type: string, description: 'to \u{202e}the left' }", "      id: {"),
    ("number-range", ID, "      id: { type: integer, maximum: 18446744073709551615 }", "      id: {"),
    ("number-range", ID, "      id: { type: number, minimum: -1e400 }", "      id: {"),
    ("bad-pattern", PATTERN, "pattern: '^[z-a]+$'", "  ThingId:"),
    ("unportable-pattern", PATTERN, "pattern: '^\\p{L}+$'", "  ThingId:"),
    ("unportable-pattern", PATTERN, "pattern: '^\\u{1F600}$'", "  ThingId:"),
    (
        "unportable-pattern",
        ID,
        "      id: { type: string, x-also: { type: string, pattern: '(?<=a)b' } }",
        "      id: {",
    ),
    ("shape", ID, "      id: { type: string, minLength: -1 }", "      id: {"),
    ("shape", ID, "      id: { type: string, maxLength: 1.5 }", "      id: {"),
    ("shape", ID, "      id: { type: integer, exclusiveMinimum: yes }", "      id: {"),
    ("shape", ID, "      id: { type: string, x-also: { type: string, minLength: -1 } }", "      id: {"),
    ("unknown-type", ID, "      id: { type: string, x-also: { type: sting } }", "      id: {"),
    (
        "bad-bounds",
        ID,
        "      id: { type: string, x-also: { type: array, items: { type: number, multipleOf: 0 } } }",
        "      id: {",
    ),
    ("enum-values", ID, "      id: { type: string, x-also: { type: string, enum: [] } }", "      id: {"),
    ("duplicate-word", ID, "      id: { type: string, x-also: { enum: [1, 2, 1] } }", "      id: {"),
    ("bad-bounds", ID, "      id: { type: integer, minimum: 2, maximum: 1 }", "      id: {"),
    ("bad-bounds", ID, "      id: { type: string, minLength: 2, maxLength: 1 }", "      id: {"),
    ("bad-bounds", ID, "      id: { type: integer, multipleOf: 0 }", "      id: {"),
    (
        "float-money",
        ID,
        "      levels: { type: array, items: { type: array, items: { type: string } } }\n      prices: { type: array, items: { type: array, items: { type: number } } }",
        "prices",
    ),
    (
        "float-money",
        ID,
        "      prices: { type: object, additionalProperties: { type: array, items: { type: number } } }",
        "prices",
    ),
    ("duplicate-word", "enum: [big, small]", "enum: [big, small, big]", "  Kind:"),
    (
        "duplicate-path",
        "  /things: { $ref: 'a.yaml#/paths/~1things' }",
        "  /things: { $ref: 'a.yaml#/paths/~1things' }\n  '/things/{name}': {}",
        "{name}",
    ),
    (
        "error-responses",
        "        4XX: { $ref: '#/components/responses/Failed' }\n        5XX: { $ref: '#/components/responses/Failed' }\n  /things:",
        "        5XX: { $ref: '#/components/responses/Failed' }\n  /things:",
        "    post:",
    ),
    (
        "error-responses",
        "        4XX: { $ref: '#/components/responses/Failed' }\n        5XX: { $ref: '#/components/responses/Failed' }\n  /things:",
        "        4XX: { $ref: '#/components/responses/Failed' }\n  /things:",
        "    post:",
    ),
    (
        "error-responses",
        "        4XX: { $ref: '#/components/responses/Failed' }\n        5XX: { $ref: '#/components/responses/Failed' }\nschemas:",
        "        '404': { description: no }\nschemas:",
        "    get:",
    ),
    (
        "error-schema",
        "        4XX: { $ref: '#/components/responses/Failed' }\n        5XX: { $ref: '#/components/responses/Failed' }\nschemas:",
        "        4XX: { description: a, content: { application/json: { schema: { $ref: '#/schemas/Part' } } } }\n        5XX: { description: b, content: { application/json: { schema: { $ref: '#/schemas/Rest' } } } }\nschemas:",
        "5XX: { description: b",
    ),
    (
        "response-media",
        "Failed: { description: no }",
        "Failed: { description: no, content: { text/html: { schema: {} } } }",
        "Failed:",
    ),
    (
        "response-media",
        "        '204': { description: nothing }",
        "        '200': { description: d, content: { text/csv: { schema: { type: string } } } }",
        "'200': { description: d",
    ),
    (
        "response-media",
        "        '204': { description: nothing }",
        "        '200': { description: d, content: { 'application/json; charset=utf-8': { schema: {} } } }",
        "'200': { description: d",
    ),
    (
        "response-media",
        "        '204': { description: nothing }",
        "        '200': { description: d, content: { application/json: { schema: {} }, application/octet-stream: { schema: {} } } }",
        "'200': { description: d",
    ),
    ("version", "version: '1' }", "version: '[1]' }", "info:"),
];

#[test]
fn mistakes_in_texts_are_named() {
    check(REST, CASES);
    check(
        RPC,
        &[
            ("strange-character", "name: thing", "name: \"thi\\u202Eng\"", "thi\\u202E"),
            (
                "duplicate-operation",
                "  - { $ref: 'a.yaml#/methods/public~1get_thing' }",
                "  - { $ref: 'a.yaml#/methods/public~1get_thing' }\n  - { $ref: 'a.yaml#/methods/public~1get_thing' }",
                "  public/get_thing:",
            ),
        ],
    );
}

#[test]
fn a_pattern_that_is_not_portable_says_why() {
    let mut files = owned(REST);
    files[1].1 = files[1].1.replacen(PATTERN, "pattern: '^\\p{L}+$'", 1);
    let found = findings(&files);
    let expected = "`^\\p{L}+$`: `\\p` is not read alike by all engines";
    assert!(found.iter().any(|finding| finding.message == expected), "{found:?}");
}
