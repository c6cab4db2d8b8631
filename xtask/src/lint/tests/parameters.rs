//! Mistakes in parameters.

use super::{Case, REST, check};

const PAGE: &str = "        - { name: page, in: query, schema: { type: string } }";
const TRACE: &str = "        - { name: X-Trace, in: header, schema: { type: string } }";
const ID: &str = "        - { name: id, in: path, required: true, schema: { $ref: '#/schemas/ThingId' } }";

pub const CASES: &[Case] = &[
    ("nameless-parameter", PAGE, "        - { in: query, schema: { type: string } }", "- { in: query"),
    ("parameter-content", PAGE, "        - { name: page, in: query, content: {} }", "name: page"),
    ("parameter-place", PAGE, "        - { name: page, in: cookie, schema: { type: string } }", "name: page"),
    (
        "parameter-style",
        PAGE,
        "        - { name: page, in: query, style: deepObject, schema: { type: string } }",
        "name: page",
    ),
    ("explode", PAGE, "        - { name: page, in: query, explode: false, schema: { type: string } }", "name: page"),
    ("parameter-collision", PAGE, "        - { name: ID, in: query, schema: { type: string } }", "    post:"),
    ("parameter-type", PAGE, "        - { name: page, in: query, schema: { $ref: '#/schemas/Part' } }", "name: page"),
    ("parameter-type", PAGE, "        - { name: page, in: query, schema: {} }", "name: page"),
    (
        "list-parameter",
        TRACE,
        "        - { name: X-Trace, in: header, schema: { type: array, items: { type: string } } }",
        "X-Trace",
    ),
    ("header-name", TRACE, "        - { name: 'X Trace', in: header, schema: { type: string } }", "X Trace"),
    ("transport-header", TRACE, "        - { name: x-key, in: header, schema: { type: string } }", "x-key"),
    (
        "transport-header",
        TRACE,
        "        - { name: Authorization, in: header, schema: { type: string } }",
        "Authorization",
    ),
    (
        "secret-header",
        TRACE,
        "        - { name: X-Trace, in: header, schema: { type: string, format: secret } }",
        "X-Trace",
    ),
    (
        "secret-in-url",
        PAGE,
        "        - { name: page, in: query, schema: { type: string, format: secret } }",
        "name: page",
    ),
    ("secret-in-url", "in: header, name: X-Key", "in: query, name: key", "in: query, name: key"),
    ("secret-in-url", "pattern: '^[a-z]+$'", "format: secret, pattern: '^[a-z]+$'", "name: id"),
    ("plain-secret", PAGE, "        - { name: api_secret, in: query, schema: { type: string } }", "name: api_secret"),
    ("float-money", PAGE, "        - { name: price, in: query, schema: { type: number } }", "name: price"),
    ("reserved-name", PAGE, "        - { name: send, in: query, schema: { type: string } }", "name: send"),
    ("reserved-name", PAGE, "        - { name: stream, in: query, schema: { type: string } }", "name: stream"),
    ("reserved-name", PAGE, "        - { name: refused, in: query, schema: { type: string } }", "name: refused"),
    ("reserved-name", PAGE, "        - { name: client, in: query, schema: { type: string } }", "name: client"),
    ("reserved-name", PAGE, "        - { name: Body, in: query, schema: { type: string } }", "name: Body"),
    ("inline-enum", PAGE, "        - { name: page, in: query, schema: { type: string, enum: [a] } }", "name: page"),
    (
        "optional-path-parameter",
        ID,
        "        - { name: id, in: path, schema: { $ref: '#/schemas/ThingId' } }",
        "name: id",
    ),
    (
        "bare-path-parameter",
        ID,
        "        - { name: id, in: path, required: true, schema: { type: string } }",
        "name: id",
    ),
    (
        "bare-path-parameter",
        "{ type: string, pattern: '^[a-z]+$' }",
        "{ type: string, format: date-time, pattern: '^[a-z]+$' }",
        "name: id",
    ),
    ("unsafe-path-pattern", "'^[a-z]+$'", "'^[a-z.]+$'", "name: id"),
    ("unsafe-path-pattern", "'^[a-z]+$'", "'[a-z]+'", "name: id"),
    ("unsafe-path-pattern", "'^[a-z]+$'", "'[0-9]+'", "name: id"),
    ("unsafe-path-pattern", "'^[a-z]+$'", "'[A-Z]{3}'", "name: id"),
    ("unsafe-path-pattern", "'^[a-z]+$'", "'^[0-9]+|x$'", "name: id"),
    ("unsafe-path-pattern", "'^[a-z]+$'", "'^[0-9]+'", "name: id"),
    ("unsafe-path-pattern", "'^[a-z]+$'", "'[0-9]+$'", "name: id"),
    ("unsafe-path-pattern", "'^[a-z]+$'", "'^[^a-z]+$'", "name: id"),
    ("unsafe-path-pattern", "'^[a-z]+$'", "'^[A-Z]+/[A-Z]+$'", "name: id"),
    (
        "missing-path-parameter",
        ID,
        "        - { name: other, in: query, schema: { $ref: '#/schemas/ThingId' } }",
        "    post:",
    ),
    (
        "unused-path-parameter",
        PAGE,
        "        - { name: page, in: path, required: true, schema: { $ref: '#/schemas/ThingId' } }",
        "    post:",
    ),
];

#[test]
fn mistakes_in_parameters_are_named() {
    check(REST, CASES);
}
