//! Our spec against a vendor's document: seeded changes are found, judged and patched. The documents and helpers of these tests are here.

mod against;
mod json_rpc;
mod patches;
mod streams;

use std::collections::BTreeSet;

use super::compare::compare;
use super::finding::Drift;
use crate::document::Document;
use crate::source::Source;
use crate::surface::{ours, vendor};

/// Our spec, with comments that a patch has to keep.
const OURS: &str = "\
openapi: 3.0.3
info: { title: Ours, version: '1' }
servers: [{ url: 'https://a.example.com/api/v1', x-environment: production }]
security: [{ key: [] }]
paths:
  /markets:
    get:
      operationId: GetMarkets
      security: []
      parameters:
        - { name: limit, in: query, schema: { type: integer }, description: 'Markets a page, 1 to 100.' }
        - { name: page, in: query, schema: { type: integer }, description: 'Left out: 1.' }
        - { name: least, in: query, schema: { type: string, format: decimal } }
        - { name: kinds, in: query, style: form, explode: false, schema: { type: array, items: { type: string } } }
        - { name: status, in: query, schema: { $ref: '#/components/schemas/Filter' } }   # open ones first
        - { name: day, in: query, required: true, schema: { type: string } }
      responses:
        '200': { description: d, content: { application/json: { schema: { $ref: '#/components/schemas/Markets' } } } }
  /orders:
    post:
      operationId: CreateOrder
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/NewOrder' } } } }
      responses:
        '201': { description: d, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        4XX: { description: d, content: { application/json: { schema: { $ref: '#/components/schemas/Failure' } } } }
  /orders/{order_id}:
    delete:
      operationId: CancelOrder
      parameters:
        - { name: order_id, in: path, required: true, schema: { type: string } }
      responses:
        '204': { description: d }
components:
  schemas:
    Filter: { type: string, enum: [open, closed] }
    Markets:
      type: object
      required: [markets]
      properties:
        markets: { type: array, items: { $ref: '#/components/schemas/Market' } }
        cursor: { type: string }
    Market:
      type: object
      required: [ticker]
      properties:
        # What it is called.
        ticker: { type: string }
        title: { type: string, description: Heading. }
        status: { $ref: '#/components/schemas/Status' }   # open set
        bid_size: { type: string, format: decimal }
        closes: { type: integer, format: unix-s }
        volume: { type: number, format: decimal }
        tags: { type: array, items: { type: string } }
        limits: { type: object, additionalProperties: { type: integer } }
        fixed: { type: string, enum: ['yes', 'no'], x-closed: true }
        details: { type: object, additionalProperties: true }
    Status: { type: string, enum: [active, settled] }
    NewOrder:
      type: object
      required: [ticker, count]
      properties:
        ticker: { type: string }
        count: { type: integer, maximum: 10 }
        post_only: { type: boolean }
        memo: { type: string, nullable: true }
        side: { $ref: '#/components/schemas/Side' }
    Side: { type: string, enum: [buy, sell] }
    Order:
      type: object
      required: [order_id]
      properties:
        order_id: { type: string }
        price: { type: string, format: decimal }
    Failure: { type: object, properties: { code: { type: string } } }
";

/// The same as a vendor writes it: other names of types, OpenAPI 3.1, references to parameters, a prefix in each path.
const VENDOR: &str = "\
openapi: 3.1.0
info: { title: Vendor, version: 2 }
servers: [{ url: 'https://b.example.com' }]
security: [{ apiKey: [] }]
paths:
  /api/v1/markets:
    get:
      operationId: list_markets
      security: []
      parameters:
        - { $ref: '#/components/parameters/Limit' }
        - { name: page, in: query, schema: { type: integer, default: 1 } }
        - { name: least, in: query, schema: { type: string, description: least } }
        - { name: kinds, in: query, explode: false, schema: { type: array, items: { type: string } } }
        - { name: status, in: query, schema: { type: string, enum: [open, closed] } }
        - { name: day, in: query, required: true, schema: { type: string } }
      responses:
        '200': { content: { application/json: { schema: { $ref: '#/components/schemas/MarketList' } } } }
  /api/v1/orders:
    post:
      operationId: CreateOrder
      requestBody: { $ref: '#/components/requestBodies/Order' }
      responses:
        '201': { content: { application/json: { schema: { $ref: '#/components/schemas/OrderOut' } } } }
        '400': { content: { application/json: { schema: { type: object, properties: { code: { type: string } } } } } }
  /api/v1/orders/{id}:
    delete:
      operationId: CancelOrder
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { '204': { description: gone } }
components:
  parameters:
    Limit: { name: limit, in: query, schema: { type: [integer, 'null'], minimum: 1, maximum: 100 } }
  requestBodies:
    Order: { content: { application/json: { schema: { $ref: '#/components/schemas/OrderIn' } } } }
  schemas:
    MarketList:
      type: object
      required: [markets]
      properties:
        markets: { type: array, items: { $ref: '#/components/schemas/MarketOut' } }
        cursor: { anyOf: [{ type: string }, { type: 'null' }] }
    Base: { type: object, required: [ticker], properties: { ticker: { type: string }, title: { type: string } } }
    MarketOut:
      allOf:
        - { $ref: '#/components/schemas/Base' }
        - type: object
          properties:
            status: { $ref: '#/components/schemas/MarketStatus' }
            bid_size: { type: string }
            closes: { type: integer, format: int64 }
            volume: { type: number }
            tags: { type: [array, 'null'], items: { type: string } }
            limits: { type: object, additionalProperties: { type: integer } }
            fixed: { type: string, enum: ['yes', 'no'] }
            details: { type: object, properties: { anything: { type: string } } }
    MarketStatus: { type: string, enum: [active, settled] }
    OrderIn:
      type: object
      required: [ticker, count]
      properties:
        ticker: { type: string }
        count: { type: integer, exclusiveMinimum: 0, maximum: 10 }
        post_only: { type: boolean }
        memo: { type: [string, 'null'] }
        side: { allOf: [{ $ref: '#/components/schemas/OrderSide' }] }
    OrderSide: { type: string, enum: [buy, sell] }
    OrderOut:
      type: object
      required: [order_id]
      properties:
        order_id: { type: string }
        price: { type: string }
";

fn document() -> Document {
    Document::join("v", vec![Source::parse("specs/v/openapi.yaml", OURS).unwrap()]).unwrap()
}

fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "`{from}` is not in the document");
        text.replacen(from, to, 1)
    })
}

fn against(text: &str) -> Vec<Drift> {
    let document = document();
    compare(&ours::surface(&document), &vendor::read(text, &document).unwrap()).0
}

fn said(found: &[Drift]) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_no_document_is_said() {
    let document = document();
    for (text, expected) in [
        ("", "empty"),
        ("{\"a\": 1}", "neither"),
        ("swagger: '2.0'\npaths: {}\n", "Swagger 2"),
        ("openapi: 3.0.0\npaths: {}\n", "no operations"),
        ("openapi: [", "pars"),
    ] {
        let problem = vendor::read(text, &document).err().unwrap();
        assert!(problem.contains(expected), "{text}: {problem}");
    }
}

/// What a committed entry is about has to be in our spec, or in the vendor's document alone.
#[test]
fn what_is_accepted_is_about_something_in_the_spec() {
    let root = crate::tests::root();
    let mut entries = 0;
    for venue in crate::codegen::venues(&root) {
        let known = super::known::Known::read(&root, &venue).map_err(|findings| findings[0].to_string()).unwrap();
        let document = Document::read(&root, &venue).unwrap();
        let surface = ours::surface(&document);
        let mut names: BTreeSet<&str> = surface.operations.values().map(|operation| operation.name.as_str()).collect();
        names.extend(surface.types.iter().filter_map(|kind| kind.name.as_deref()));
        let of_operations = surface.operations.values().flat_map(|operation| &operation.parameters);
        let mut parameters: BTreeSet<&str> = of_operations.map(|parameter| parameter.field.name.as_str()).collect();
        parameters.extend(surface.types.iter().flat_map(|kind| &kind.fields).map(|field| field.name.as_str()));
        for (place, location) in known.places() {
            entries += 1;
            let name = place.split(['.', '(', '=', ' ', '[']).next().unwrap_or_default();
            let is_channel = place.starts_with("channel ");
            // `*(price)`: a parameter or a member of a form, of any operation.
            let parameter = place.strip_prefix("*(").and_then(|rest| rest.strip_suffix(')'));
            let is_known = parameter.map_or_else(|| names.contains(name), |name| parameters.contains(name));
            assert!(is_channel || is_known, "{location}: `{place}` is in no spec");
        }
    }
    assert!(entries > 300, "{entries}");
}
