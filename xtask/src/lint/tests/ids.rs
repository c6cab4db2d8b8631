//! Mistakes in the types of ids.

use super::{Case, Files, check, findings, owned};

/// What a path is called by is in a request and in a response too.
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
paths:
  '/shops/{shopId}/things/{id}': { $ref: 'a.yaml#/paths/~1shops~1{shopId}~1things~1{id}' }
",
    ),
    (
        "a.yaml",
        "\
paths:
  '/shops/{shopId}/things/{id}':
    post:
      operationId: MakeThing
      x-retry: never
      parameters:
        - { name: shopId, in: path, required: true, schema: { $ref: '#/schemas/ShopId' } }
        - { name: id, in: path, required: true, schema: { $ref: '#/schemas/ThingId' } }
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: '#/schemas/NewThing' } } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/schemas/Thing' } } } }
        4XX: { description: no }
        5XX: { description: no }
schemas:
  ShopId: { type: string, pattern: '^[a-z]+$' }
  ThingId: { type: string, pattern: '^[0-9]+$' }
  NewThing:
    type: object
    properties:
      shopId: { $ref: '#/schemas/ShopId' }
  Thing:
    type: object
    properties:
      id: { type: string }
      sellers: { type: array, items: { $ref: '#/schemas/Seller' } }
  Seller:
    type: object
    properties:
      name: { type: string }
",
    ),
];

const IN_REQUEST: &str = "      shopId: { $ref: '#/schemas/ShopId' }";
const IN_LIST: &str = "      name: { type: string }";

pub const CASES: &[Case] = &[
    ("plain-id", IN_REQUEST, "      shopId: { type: string }", "      shopId:"),
    ("plain-id", IN_REQUEST, "      shopId: { type: string, nullable: true, description: d }", "      shopId:"),
    ("plain-id", IN_LIST, "      shopId: { type: string }", "      shopId: { type"),
    // A name for any string says no more.
    (
        "plain-id",
        "    properties:\n      name: { type: string }",
        "    properties:\n      shopId: { $ref: '#/schemas/Word' }\n  Word: { type: string }",
        "      shopId: { $ref: '#/schemas/Word' }",
    ),
];

#[test]
fn ids_that_are_plain_strings_are_named() {
    check(REST, CASES);
}

/// The sound spec has a plain `id` too, which may be that of anything.
#[test]
fn what_is_no_id_of_a_path_may_be_a_string() {
    for with in [
        IN_REQUEST,
        "      shopId: { type: string, x-not-id: The name of the shop on the sign. }",
        "      shopId: { type: integer }",
        "      shop: { type: string }",
    ] {
        let mut files = owned(REST);
        for (_, text) in &mut files {
            *text = text.replacen(IN_REQUEST, with, 1);
        }
        assert_eq!(findings(&files), [], "{with}");
    }
}
