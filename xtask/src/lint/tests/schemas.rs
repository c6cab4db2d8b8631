//! Mistakes in schemas.

use super::{Case, REST, RPC, check};

const NAME: &str = "      name: { type: string }";
const ID: &str = "      id: { type: string }";
const KIND: &str = "enum: [big, small]";

pub const CASES: &[Case] = &[
    ("schema-name", "  ThingId:", "  thing_id: { type: object }\n  ThingId:", "  thing_id"),
    ("reserved-name", "  ThingId:", "  Option: { type: object }\n  ThingId:", "  Option:"),
    ("reserved-name", "  ThingId:", "  Error: { type: object }\n  ThingId:", "  Error:"),
    ("named-list", "  ThingId:", "  Things: { type: array, items: {} }\n  ThingId:", "  Things:"),
    ("nullable-name", KIND, "enum: [big, small], nullable: true", "  Kind:"),
    ("not-a-schema", NAME, "      name: 7", "name: 7"),
    ("ref-sibling", "{ $ref: '#/schemas/Kind' }", "{ $ref: '#/schemas/Kind', description: d }", "kind:"),
    (
        "inline-object",
        NAME,
        "      name: { type: object, properties: { a: { type: string } } }",
        "name: { type: object",
    ),
    (
        "inline-object",
        "              schema: { $ref: '#/schemas/Thing' }",
        "              schema: { type: object, properties: {} }",
        "schema: { type: object",
    ),
    ("inline-choice", NAME, "      name: { oneOf: [{ type: boolean }, { type: string }] }", "name: { oneOf"),
    (
        "closed-object",
        "  Part:\n    type: object",
        "  Part:\n    type: object\n    additionalProperties: false",
        "  Part:",
    ),
    ("default", NAME, "      name: { type: string, default: a }", "default: a"),
    ("property-collision", NAME, "      name: { type: string }\n      _name: { type: string }", "  NewThing:"),
    ("property-collision", NAME, "      name: { type: string }\n      Name: { type: string }", "  NewThing:"),
    (
        "property-collision",
        NAME,
        "      name: { type: string }\n      N: { type: string, x-name: name }",
        "  NewThing:",
    ),
    ("property-collision", NAME, "      name: { type: string }\n      '<': {}\n      '>': {}", "  NewThing:"),
    (
        "property-collision",
        "    required: [name]\n    properties:",
        "    additionalProperties: { type: string }\n    properties:\n      extra: {}",
        "  NewThing:",
    ),
    ("unknown-required", "required: [name]", "required: [nmae]", "  NewThing:"),
    ("unknown-vital", "  Part:\n    type: object", "  Part:\n    type: object\n    x-vital: [wieght]", "  Part:"),
    ("unknown-vital", "    required: [name]", "    required: [name]\n    x-vital: [kind]", "  NewThing:"),
    ("plain-secret", ID, "      api_secret: { type: string }", "api_secret"),
    ("plain-secret", ID, "      backup_secrets: { type: array, items: { type: string } }", "backup_secrets"),
    ("float-money", ID, "      price: { type: number }", "price"),
    ("float-money", ID, "      prices: { type: object, additionalProperties: { type: number } }", "prices"),
    ("type-list", ID, "      id: { type: [string, 'null'] }", "      id: {"),
    ("mixed-type", ID, "      id: { type: [string, integer] }", "      id: {"),
    ("unknown-type", ID, "      id: { type: text }", "      id: {"),
    ("unknown-type", ID, "      id: { type: ['null'] }", "      id: {"),
    ("bare-object", ID, "      id: { type: object }", "      id: {"),
    ("bare-object", ID, "      id: { type: object, additionalProperties: true }", "      id: {"),
    ("list-items", ID, "      id: { type: array }", "      id: {"),
    ("unknown-format", ID, "      id: { type: string, format: money }", "      id: {"),
    ("unknown-format", ID, "      id: { type: string, format: unix-ms }", "      id: {"),
    ("inline-pattern", ID, "      id: { type: string, pattern: '^a$' }", "      id: {"),
    // Properties that are called as what holds properties are schemas.
    (
        "unportable-pattern",
        "      name: { type: string }",
        "      properties: { type: string, pattern: '^\\d$' }\n      name: { type: string }",
        "properties: { type: string, pattern",
    ),
    (
        "unportable-pattern",
        "      name: { type: string }",
        "      schemas: { type: string, pattern: '^\\d$' }\n      name: { type: string }",
        "schemas: { type: string, pattern",
    ),
    ("unportable-pattern", "'^[a-z]+$'", "'('", "  ThingId:"),
    ("enum-values", KIND, "enum: [1, 2]", "  Kind:"),
    ("enum-values", "type: string, enum: [big, small]", "type: integer, enum: [1, 2]", "  Kind:"),
    ("enum-collision", KIND, "enum: ['<=', '==']", "  Kind:"),
    ("enum-collision", KIND, "enum: [a.b, a-b]", "  Kind:"),
    ("inline-enum", ID, "      id: { type: string, enum: [a] }", "      id: {"),
    ("misplaced-word", ID, "      id: { type: string, x-closed: true }", "      id: {"),
    ("unsupported", ID, "      id: { anyOf: [{ type: string }, { type: integer }] }", "      id: {"),
    ("unsupported", ID, "      id: { not: { type: string } }", "      id: {"),
    ("unknown-member", ID, "      id: { type: string, nulable: true }", "nulable"),
    ("unknown-member", ID, "      id: { type: string, items: {} }", "      id: {"),
    ("unknown-member", ID, "      id: { properties: {} }", "      id: {"),
    ("unknown-member", KIND, "enum: [big, small], format: secret", "  Kind:"),
    ("unknown-member", "{ $ref: '#/schemas/Kind' }", "{ allOf: [{ $ref: '#/schemas/Kind' }], type: string }", "kind:"),
    ("shape", ID, "      id: { type: string, nullable: yes }", "nullable: yes"),
    ("shape", ID, "      id: { type: string, description: 7 }", "description: 7"),
    ("all-of", ID, "      id: { allOf: [{ type: string }] }", "      id: {"),
    ("all-of", ID, "      id: { allOf: [{ $ref: '#/schemas/Part' }, { $ref: '#/schemas/NewThing' }] }", "      id: {"),
    (
        "all-of",
        "  ThingId:",
        "  Both: { allOf: [{ $ref: '#/schemas/Part' }, { $ref: '#/schemas/Part' }] }\n  ThingId:",
        "  Both:",
    ),
    ("null-choice", ID, "      id: { oneOf: [{ $ref: '#/schemas/Part' }, { type: 'null' }] }", "      id: {"),
    ("bad-choice", "  ThingId:", "  Either: { oneOf: [{ type: string }, { type: string }] }\n  ThingId:", "  Either:"),
    ("bad-choice", "  ThingId:", "  Either: { oneOf: [{ type: string }] }\n  ThingId:", "  Either:"),
    (
        "decimal-in-choice",
        "      weight: { type: number }",
        "      weight: { type: number, format: decimal }\n  Either: { oneOf: [{ $ref: '#/schemas/Thing' }, { type: string }] }",
        "  Either:",
    ),
    (
        "decimal-in-choice",
        "      weight: { type: number }",
        "      weight: { type: number }\n    additionalProperties: { type: string, format: decimal }",
        "  Part:",
    ),
];

pub const RPC_CASES: &[Case] = &[
    ("nullable", "size: { type: [integer, 'null'] }", "size: { type: integer, nullable: true }", "size:"),
    ("null-choice", "{ $ref: '#/schemas/Thing' }, { type: 'null' }", "{ type: string }, { type: 'null' }", "next:"),
    ("nullable-name", "  Thing:\n    type: object", "  Thing:\n    type: [object, 'null']", "  Thing:"),
    ("unknown-type", "size: { type: [integer, 'null'] }", "size: { type: 'null' }", "size:"),
];

#[test]
fn mistakes_in_schemas_are_named() {
    check(REST, CASES);
    check(RPC, RPC_CASES);
}
