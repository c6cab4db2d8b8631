//! Mistakes in operations, bodies and answers.

use super::{Case, REST, RPC, check};

pub const CASES: &[Case] = &[
    ("safe-write", "      x-retry: never", "      x-retry: safe", "    post:"),
    ("safe-write", "    get:\n", "    delete: # here\n", "# here"),
    ("safe-write", "    get:\n", "    post: # here\n      description: ' '\n", "# here"),
    ("version", "openapi: 3.0.3", "openapi: 3.1.0", "openapi: 3.1.0"),
    ("version", "version: '1' }", "version: 1 }", "info:"),
    ("shape", "title: t", "title: 7", "title: 7"),
    ("shape", "security: []", "security: [key]", "security: [key]"),
    (
        "shape",
        "      operationId: ListThings",
        "      operationId: ListThings\n      description: [d]",
        "description: [d]",
    ),
    (
        "shape",
        "      operationId: ListThings",
        "      operationId: ListThings\n      security: { key: [] }",
        "security: { key",
    ),
    ("unknown-member", "security: []", "security: []\nwebhooks: {}", "webhooks"),
    ("unknown-member", "      operationId: ListThings", "      operationId: ListThings\n      sumary: s", "sumary"),
    ("missing-member", "info: { title: t, version: '1' }\n", "", "openapi:"),
    (
        "missing-member",
        "      responses:\n        '204': { description: nothing }\n        4XX: { $ref: '#/components/responses/Failed' }\n        5XX: { $ref: '#/components/responses/Failed' }\n",
        "",
        "    get:",
    ),
    ("server-url", "https://v.test'", "https://v.test/'", "v.test/"),
    ("server-url", "https://v.test'", "http://v.test'", "http:"),
    ("server-url", "https://v.test'", "https://{host}'", "{host}"),
    (
        "duplicate-environment",
        "servers:",
        "servers:\n  - { url: 'https://w.test', x-environment: production }",
        "https://v.test",
    ),
    ("duplicate-environment", "x-environment: production", "x-environment: custom", "https://v.test"),
    ("bad-path", "\npaths:\n", "\npaths:\n  /a//b: { get: {} }\n", "/a//b"),
    ("bad-path", "\npaths:\n", "\npaths:\n  /a/../b: { get: {} }\n", "/a/../b"),
    ("bad-path", "\npaths:\n", "\npaths:\n  /a?b=c: { get: {} }\n", "/a?b"),
    ("bad-path", "\npaths:\n", "\npaths:\n  '/a/{b': { get: {} }\n", "/a/{b"),
    ("bad-method", "    get:\n", "    head:\n", "    head:"),
    ("callbacks", "      operationId: ListThings", "      operationId: ListThings\n      callbacks: {}", "    get:"),
    ("no-operation-id", "      operationId: ListThings\n", "", "    get:"),
    ("operation-name", "operationId: ListThings", "operationId: type", "    get:"),
    ("operation-name", "operationId: ListThings", "operationId: 1Thing", "    get:"),
    ("reserved-name", "operationId: ListThings", "operationId: WithTimeout", "    get:"),
    ("reserved-name", "operationId: ListThings", "operationId: builder", "    get:"),
    ("reserved-name", "operationId: ListThings", "operationId: Result", "    get:"),
    ("reserved-name", "operationId: ListThings", "operationId: Call", "    get:"),
    ("reserved-name", "operationId: ListThings", "operationId: session", "    get:"),
    ("duplicate-operation", "operationId: ListThings", "operationId: make_thing", "    post:"),
    ("no-security", "security: []\n", "", "    get:"),
    ("unknown-scheme", "security: []", "security: [{ kye: [] }]", "    get:"),
    (
        "body-on-get",
        "      operationId: ListThings",
        "      operationId: ListThings\n      requestBody: { required: true, content: {} }",
        "      requestBody: { req",
    ),
    ("optional-body", "        required: true\n", "", "requestBody:"),
    (
        "request-media",
        "          application/json:\n            schema: { $ref: '#/schemas/NewThing' }",
        "          multipart/form-data: { schema: { $ref: '#/schemas/NewThing' } }",
        "multipart",
    ),
    (
        "request-media",
        "        content:\n          application/json:\n            schema: { $ref: '#/schemas/NewThing' }",
        "        content: {}",
        "requestBody:",
    ),
    (
        "encoding",
        "            schema: { $ref: '#/schemas/NewThing' }",
        "            schema: { $ref: '#/schemas/NewThing' }\n            encoding: {}",
        "          application/json",
    ),
    (
        "untyped-request",
        "            schema: { $ref: '#/schemas/NewThing' }",
        "            example: 1",
        "          application/json",
    ),
    (
        "form",
        "          application/json:\n            schema: { $ref: '#/schemas/NewThing' }",
        "          application/x-www-form-urlencoded:\n            schema: { $ref: '#/schemas/Thing' }",
        "x-www-form",
    ),
    ("success-responses", "        4XX:", "        '204': { description: nothing }\n        4XX:", "    post:"),
    ("success-responses", "        '204': { description: nothing }", "        '404': { description: no }", "    get:"),
    ("response-status", "        4XX:", "        default:", "default:"),
    ("response-status", "        4XX:", "        '302':", "'302'"),
    (
        "response-ref",
        "        '204': { description: nothing }",
        "        '204': { $ref: '#/components/responses/Failed' }",
        "'204'",
    ),
    ("response-description", "{ description: nothing }", "{}", "'204'"),
    (
        "response-media",
        "            application/json:\n              schema: { $ref: '#/schemas/Thing' }",
        "            text/csv: { schema: { $ref: '#/schemas/Thing' } }",
        "'200'",
    ),
    ("untyped-response", "              schema: { $ref: '#/schemas/Thing' }", "              example: 1", "'200'"),
];

pub const RPC_CASES: &[Case] = &[
    ("version", "openrpc: 1.3.2", "openrpc: '2.0'", "openrpc:"),
    (
        "missing-member",
        "    result:\n      name: thing\n      schema: { $ref: '#/schemas/Thing' }\n",
        "",
        "public/get_thing:",
    ),
    ("untyped-response", "      schema: { $ref: '#/schemas/Thing' }\n", "", "public/get_thing:"),
    ("param-structure", "    x-retry: safe", "    x-retry: safe\n    paramStructure: by-position", "public/get_thing:"),
    ("shape", "    x-retry: safe", "    x-retry: safe\n    x-security: [key]", "x-security: [key]"),
    ("no-security", "x-security: []\n", "", "public/get_thing:"),
    ("unknown-scheme", "    x-retry: safe", "    x-retry: safe\n    x-security: [{ kye: [] }]", "public/get_thing:"),
    ("parameter-content", "schema: { type: string } }", "description: d }", "name: id"),
    (
        "parameter-collision",
        "    params:",
        "    params:\n      - { name: Id, schema: { type: string } }",
        "public/get_thing:",
    ),
];

#[test]
fn mistakes_in_operations_are_named() {
    check(REST, CASES);
    check(RPC, RPC_CASES);
}
