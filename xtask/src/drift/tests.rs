//! Seeded changes of a vendor's document: each is found, at its place, and judged right.

use std::collections::BTreeSet;

use super::compare::compare;
use super::finding::{Drift, RULES};
use super::patch;
use crate::document::Document;
use crate::judgement::Judgement::{self, Addition, Behaviour, Breaking, Docs};
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

/// The kind of change, its place, its judgement, and how the vendor's document is changed.
type Seed = (&'static str, &'static str, Judgement, &'static [(&'static str, &'static str)]);

const SEEDS: [Seed; 79] = [
    ("tighter-bound", "GetMarkets(limit) maximum=50", Breaking, &[("maximum: 100", "maximum: 50")]),
    ("tighter-bound", "GetMarkets(limit) minimum=5", Breaking, &[("minimum: 1,", "minimum: 5,")]),
    ("tighter-bound", "NewOrder.count maximum=9", Breaking, &[("0, maximum: 10", "0, maximum: 9")]),
    (
        "tighter-bound",
        "NewOrder.count exclusiveMinimum=5",
        Behaviour,
        &[("exclusiveMinimum: 0", "exclusiveMinimum: 5")],
    ),
    ("looser-bound", "GetMarkets(limit) maximum=1000", Addition, &[("maximum: 100", "maximum: 1000")]),
    ("looser-bound", "NewOrder.count maximum", Addition, &[("0, maximum: 10", "0")]),
    (
        "pattern",
        "GetMarkets(day) pattern=^[0-9-]+$",
        Behaviour,
        &[(
            "name: day, in: query, required: true, schema: { type: string }",
            "name: day, in: query, required: true, schema: { type: string, pattern: '^[0-9-]+$' }",
        )],
    ),
    ("default", "GetMarkets(page) default=2", Behaviour, &[("default: 1 }", "default: 2 }")]),
    ("retyped-text", "GetMarkets(limit)", Docs, &[("type: [integer, 'null']", "type: string")]),
    (
        "retyped-text",
        "GetMarkets(least)",
        Docs,
        &[("schema: { type: string, description: least }", "schema: { type: number }")],
    ),
    (
        "default",
        "NewOrder.post_only default=true",
        Behaviour,
        &[("post_only: { type: boolean }", "post_only: { type: boolean, default: true }")],
    ),
    ("default", "NewOrder.side default=sell", Behaviour, &[("side: { allOf: [", "side: { default: sell, allOf: [")]),
    ("moved-parameter", "GetMarkets(day)", Breaking, &[("name: day, in: query", "name: day, in: header")]),
    (
        "no-longer-nullable",
        "NewOrder.memo",
        Breaking,
        &[("memo: { type: [string, 'null'] }", "memo: { type: string }")],
    ),
    (
        "removed-body",
        "CreateOrder request",
        Breaking,
        &[("      requestBody: { $ref: '#/components/requestBodies/Order' }\n", "")],
    ),
    (
        "removed-body",
        "CreateOrder response",
        Breaking,
        &[(
            "'201': { content: { application/json: { schema: { $ref: '#/components/schemas/OrderOut' } } } }",
            "'201': { description: done }",
        )],
    ),
    ("notation", "GetMarkets(kinds)", Breaking, &[("in: query, explode: false", "in: query, explode: true")]),
    (
        "new-operation",
        "GetOrders",
        Addition,
        &[("  /api/v1/orders:\n    post:", "  /api/v1/orders:\n    get: { operationId: GetOrders }\n    post:")],
    ),
    ("new-operation", "Ping", Addition, &[("paths:\n", "paths:\n  /api/v1/ping: { get: { operationId: Ping } }\n")]),
    (
        "removed-operation",
        "CancelOrder",
        Breaking,
        &[("    delete:\n      operationId: CancelOrder", "    x-gone:\n      operationId: CancelOrder")],
    ),
    ("moved-operation", "CancelOrder", Breaking, &[("  /api/v1/orders/{id}:", "  /api/v1/order/{id}:")]),
    ("moved-operation", "CancelOrder", Breaking, &[("    delete:\n", "    post:\n")]),
    (
        "deprecated",
        "CreateOrder",
        Docs,
        &[("operationId: CreateOrder", "operationId: CreateOrder\n      deprecated: true")],
    ),
    ("access", "GetMarkets", Breaking, &[("      security: []\n", "")]),
    (
        "access",
        "CancelOrder",
        Addition,
        &[("operationId: CancelOrder", "operationId: CancelOrder\n      security: []")],
    ),
    ("status", "CreateOrder", Behaviour, &[("'201': {", "'202': {")]),
    (
        "new-body",
        "CancelOrder request",
        Breaking,
        &[(
            "operationId: CancelOrder",
            "operationId: CancelOrder\n      requestBody: { $ref: '#/components/requestBodies/Order' }",
        )],
    ),
    (
        "new-body",
        "CancelOrder response",
        Addition,
        &[(
            "{ description: gone }",
            "{ content: { application/json: { schema: { $ref: '#/components/schemas/OrderOut' } } } }",
        )],
    ),
    (
        "new-parameter",
        "GetMarkets(series)",
        Addition,
        &[(
            "        - { name: day,",
            "        - { name: series, in: query, schema: { type: boolean } }\n        - { name: day,",
        )],
    ),
    (
        "newly-required",
        "GetMarkets(series)",
        Breaking,
        &[(
            "        - { name: day,",
            "        - { name: series, in: query, required: true, schema: { type: boolean } }\n        - { name: day,",
        )],
    ),
    (
        "newly-required",
        "GetMarkets(limit)",
        Breaking,
        &[("Limit: { name: limit, in: query,", "Limit: { name: limit, in: query, required: true,")],
    ),
    (
        "no-longer-required",
        "GetMarkets(day)",
        Addition,
        &[("name: day, in: query, required: true", "name: day, in: query")],
    ),
    (
        "removed-parameter",
        "GetMarkets(limit)",
        Breaking,
        &[("        - { $ref: '#/components/parameters/Limit' }\n", "")],
    ),
    ("renamed-parameter", "GetMarkets(status)", Breaking, &[("name: status, in: query", "name: statuses, in: query")]),
    ("renamed-parameter", "GetMarkets(limit)", Breaking, &[("name: limit, in: query", "name: page_limit, in: query")]),
    ("retyped", "GetMarkets(limit)", Breaking, &[("type: [integer, 'null']", "type: boolean")]),
    (
        "retyped",
        "GetMarkets(day)",
        Breaking,
        &[(
            "name: day, in: query, required: true, schema: { type: string }",
            "name: day, in: query, required: true, schema: { type: integer }",
        )],
    ),
    (
        "retyped",
        "CancelOrder(order_id)",
        Breaking,
        &[(
            "name: id, in: path, required: true, schema: { type: string }",
            "name: id, in: path, required: true, schema: { type: integer }",
        )],
    ),
    ("deprecated", "GetMarkets(limit)", Docs, &[("Limit: { name: limit,", "Limit: { deprecated: true, name: limit,")]),
    ("new-value", "Filter=paused", Addition, &[("enum: [open, closed]", "enum: [open, closed, paused]")]),
    ("removed-value", "Filter=closed", Breaking, &[("enum: [open, closed]", "enum: [open]")]),
    (
        "new-field",
        "Market.rank",
        Addition,
        &[("            volume: {", "            rank: { type: boolean }\n            volume: {")],
    ),
    (
        "new-field",
        "Market.rank",
        Addition,
        &[("title: { type: string } }", "title: { type: string }, rank: { type: boolean } }")],
    ),
    (
        "new-field",
        "Markets.total",
        Addition,
        &[("        cursor: {", "        total: { type: integer }\n        cursor: {")],
    ),
    (
        "new-field",
        "NewOrder.group",
        Addition,
        &[("        side: {", "        group: { type: array, items: { type: string } }\n        side: {")],
    ),
    ("new-field", "Order.fee", Addition, &[("        price: {", "        fee: { type: number }\n        price: {")]),
    (
        "newly-required",
        "NewOrder.group",
        Breaking,
        &[
            ("required: [ticker, count]", "required: [ticker, count, group]"),
            ("        side: {", "        group: { type: array, items: { type: string } }\n        side: {"),
        ],
    ),
    ("newly-required", "NewOrder.side", Breaking, &[("required: [ticker, count]", "required: [ticker, count, side]")]),
    (
        "newly-required",
        "NewOrder.post_only",
        Breaking,
        &[("required: [ticker, count]", "required: [post_only, ticker, count]")],
    ),
    ("no-longer-required", "NewOrder.count", Addition, &[("required: [ticker, count]", "required: [ticker]")]),
    ("removed-field", "NewOrder.post_only", Breaking, &[("        post_only: { type: boolean }\n", "")]),
    (
        "removed-field",
        "Market.tags",
        Behaviour,
        &[("            tags: { type: [array, 'null'], items: { type: string } }\n", "")],
    ),
    (
        "removed-field",
        "Market.ticker",
        Breaking,
        &[("required: [ticker], properties: { ticker: { type: string }, title", "properties: { title")],
    ),
    ("removed-field", "Order.order_id", Breaking, &[("        order_id: { type: string }\n", "")]),
    (
        "removed-field",
        "Markets.cursor",
        Behaviour,
        &[("        cursor: { anyOf: [{ type: string }, { type: 'null' }] }\n", "")],
    ),
    ("renamed-field", "Market.bid_size", Behaviour, &[("            bid_size:", "            bid_size_fp:")]),
    ("renamed-field", "Market.title", Behaviour, &[("title: { type: string } }", "market_title: { type: string } }")]),
    ("renamed-field", "Market.status", Behaviour, &[("            status: {", "            market_status: {")]),
    ("renamed-field", "NewOrder.post_only", Breaking, &[("        post_only:", "        postOnly:")]),
    ("renamed-field", "Order.order_id", Breaking, &[("        order_id: {", "        orderId: {")]),
    (
        "retyped",
        "Market.closes",
        Breaking,
        &[("closes: { type: integer, format: int64 }", "closes: { type: boolean }")],
    ),
    ("retyped", "Market.bid_size", Behaviour, &[("bid_size: { type: string }", "bid_size: { type: number }")]),
    ("retyped", "Market.volume", Behaviour, &[("volume: { type: number }", "volume: { type: string }")]),
    ("retyped", "Market.tags", Breaking, &[("type: [array, 'null'], items: { type: string }", "type: string")]),
    (
        "retyped",
        "Market.tags[]",
        Breaking,
        &[(
            "type: [array, 'null'], items: { type: string }",
            "type: array, items: { type: object, properties: { a: { type: string } } }",
        )],
    ),
    (
        "retyped",
        "Market.limits.*",
        Breaking,
        &[("additionalProperties: { type: integer }", "additionalProperties: { type: boolean }")],
    ),
    (
        "retyped",
        "NewOrder.count",
        Breaking,
        &[("count: { type: integer, exclusiveMinimum: 0, maximum: 10 }", "count: { type: string }")],
    ),
    (
        "retyped",
        "GetMarkets response",
        Breaking,
        &[(
            "'200': { content: { application/json: { schema: { $ref: '#/components/schemas/MarketList' } } } }",
            "'200': { content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/MarketList' } } } } }",
        )],
    ),
    (
        "unit",
        "Market.closes",
        Breaking,
        &[("closes: { type: integer, format: int64 }", "closes: { type: integer, format: unix-ms }")],
    ),
    (
        "newly-nullable",
        "Market.ticker",
        Breaking,
        &[("{ ticker: { type: string }, title", "{ ticker: { type: [string, 'null'] }, title")],
    ),
    (
        "newly-nullable",
        "Order.order_id",
        Breaking,
        &[("order_id: { type: string }", "order_id: { oneOf: [{ type: string }, { type: 'null' }] }")],
    ),
    (
        "newly-nullable",
        "Order.order_id",
        Breaking,
        &[("order_id: { type: string }", "order_id: { type: string, nullable: true }")],
    ),
    ("newly-optional", "Order.order_id", Breaking, &[("required: [order_id]", "required: [price]")]),
    ("new-value", "Status=paused", Behaviour, &[("enum: [active, settled]", "enum: [active, settled, paused]")]),
    ("new-value", "Market.fixed=maybe", Breaking, &[("enum: ['yes', 'no']", "enum: ['yes', 'no', maybe]")]),
    ("removed-value", "Status=settled", Behaviour, &[("enum: [active, settled]", "enum: [active]")]),
    ("removed-value", "Side=sell", Breaking, &[("enum: [buy, sell]", "enum: [buy]")]),
    (
        "removed-field",
        "Order.order_id",
        Breaking,
        &[(
            "      required: [order_id]\n      properties:\n        order_id: { type: string }\n        price: { type: string }\n",
            "      properties: {}\n",
        )],
    ),
    (
        "deprecated",
        "Market.bid_size",
        Docs,
        &[("bid_size: { type: string }", "bid_size: { type: string, deprecated: true }")],
    ),
];

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
fn documents_that_mean_the_same_do_not_differ() {
    assert_eq!(said(&against(VENDOR)), [""; 0]);
    let (_, extent) = compare(&ours::surface(&document()), &vendor::read(VENDOR, &document()).unwrap());
    assert_eq!((extent.operations, extent.fields > 20), (3, true));
    // In OpenAPI 3.0's words too.
    let old = VENDOR
        .replace("3.1.0", "3.0.0")
        .replace("type: [array, 'null']", "type: array, nullable: true")
        .replace("type: [string, 'null']", "type: string, nullable: true");
    assert_eq!(said(&against(&old.replace("type: [integer, 'null']", "type: integer, nullable: true"))), [""; 0]);
}

#[test]
fn every_seeded_change_is_found_alone_and_judged() {
    for (rule, place, judgement, edits) in SEEDS {
        let found = against(&edited(VENDOR, edits));
        let is_it = |drift: &&Drift| drift.rule == rule && drift.place == place;
        let hit = found.iter().find(is_it).unwrap_or_else(|| panic!("{rule} {place} is not among {:?}", said(&found)));
        assert_eq!(hit.judgement, judgement, "{hit}");
        // Nothing else is said, but of the same thing.
        let others: Vec<String> = said(&found).into_iter().filter(|one| !one.contains(place)).collect();
        let is_consequence = rule == "removed-operation" || place == "Order.order_id";
        assert!(others.is_empty() || is_consequence, "{rule} {place}: {others:?}");
    }
    let kinds: BTreeSet<&str> = SEEDS.iter().map(|seed| seed.0).collect();
    let tested_elsewhere = ["new-channel", "removed-channel", "new-message", "removed-message"];
    let all: BTreeSet<&str> = RULES.iter().map(|rule| rule.0).filter(|rule| !tested_elsewhere.contains(rule)).collect();
    assert_eq!(kinds, all);
}

#[test]
fn what_can_be_followed_is_patched_in_place_with_comments_kept() {
    let document = document();
    let mut followed = 0;
    for (rule, place, _, edits) in SEEDS {
        let vendor = vendor::read(&edited(VENDOR, edits), &document).unwrap();
        let (found, _) = compare(&ours::surface(&document), &vendor);
        let patch = patch::propose_with(&document, &found, |_| Some(OURS.to_owned()));
        let Some(text) = patch.files.get("specs/v/openapi.yaml") else { continue };
        let again = Document::join("v", vec![Source::parse("specs/v/openapi.yaml", text).unwrap()]).unwrap();
        let left = compare(&ours::surface(&again), &vendor).0;
        let still: Vec<String> =
            said(&left).into_iter().filter(|one| one.contains(&format!("{rule} {place}:"))).collect();
        let was_left = patch.left.iter().any(|one| one.contains(&format!("{rule} {place}:")));
        assert!(still.is_empty() || was_left, "{rule} {place}: {still:?}\n{text}");
        for comment in ["# What it is called.", "# open set", "# open ones first"] {
            let is_gone_with_it = place == "Market.ticker" || place == "Market.status" || place == "GetMarkets(status)";
            assert!(text.contains(comment) || is_gone_with_it, "{rule} {place} lost a comment:\n{text}");
        }
        followed += usize::from(!was_left);
    }
    assert!(followed >= 30, "{followed} changes were followed");
}

#[test]
fn several_changes_are_patched_together() {
    let document = document();
    let edits = [
        ("            bid_size:", "            bid_size_fp:"),
        (
            "            volume: {",
            "            rank: { type: boolean }\n            on: { type: string }\n            volume: {",
        ),
        ("enum: [active, settled]", "enum: [active, settled, 'no']"),
        ("        post_only: { type: boolean }\n", ""),
    ];
    let vendor = vendor::read(&edited(VENDOR, &edits), &document).unwrap();
    let (found, _) = compare(&ours::surface(&document), &vendor);
    let patch = patch::propose_with(&document, &found, |_| Some(OURS.to_owned()));
    assert_eq!((patch.done.len(), patch.left.len()), (5, 0), "{:?}", patch.left);
    let text = &patch.files["specs/v/openapi.yaml"];
    for line in [
        "        bid_size_fp: { type: string, format: decimal }\n",
        "        rank: { type: boolean }\n",
        "        'on': { type: string }\n",
        "    Status: { type: string, enum: [active, settled, 'no'] }\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    let again = Document::join("v", vec![Source::parse("specs/v/openapi.yaml", text).unwrap()]).unwrap();
    assert_eq!(said(&compare(&ours::surface(&again), &vendor).0), [""; 0]);
}

#[test]
fn a_new_type_has_no_format_of_the_old_one() {
    let document = document();
    let text = edited(VENDOR, &[("volume: { type: number }", "volume: { type: boolean }")]);
    let (found, _) = compare(&ours::surface(&document), &vendor::read(&text, &document).unwrap());
    let patch = patch::propose_with(&document, &found, |_| Some(OURS.to_owned()));
    assert!(patch.files["specs/v/openapi.yaml"].contains("        volume: { type: boolean }\n"), "{:?}", patch.done);
}

const RPC: &str = "\
openrpc: 1.3.2
info: { title: Ours, version: '1' }
methods:
  - name: public/get_book
    params:
      - { name: instrument_name, required: true, schema: { type: string } }
      - { name: depth, required: false, schema: { type: integer } }
    result: { name: result, schema: { $ref: '#/components/schemas/Book' } }
components:
  schemas:
    Book:
      type: object
      required: [timestamp]
      properties:
        timestamp: { type: integer, format: unix-ms }
        bids: { type: array, items: { type: array, x-tuple: [{ type: number, format: decimal }, { type: number, format: decimal }] } }
";

/// JSON-RPC as paths, the whole envelope described.
const RPC_AS_PATHS: &str = "\
openapi: 3.0.0
info: { title: Vendor, version: 1 }
paths:
  /public/get_book:
    get:
      parameters:
        - { name: instrument_name, in: query, required: true, schema: { type: string } }
        - { name: depth, in: query, schema: { type: integer } }
      responses:
        '200': { content: { application/json: { schema: { $ref: '#/components/schemas/BookResponse' } } } }
components:
  schemas:
    BookResponse:
      type: object
      required: [jsonrpc, result]
      properties:
        jsonrpc: { type: string }
        result:
          type: object
          required: [timestamp]
          properties: { timestamp: { type: integer }, bids: { type: array, items: { type: array, items: { type: number } } } }
";

const RPC_INVENTORY: &str = r#"{"venue": "v", "methods": [{"method": "public/get_book", "params":
    [{"name": "instrument_name", "required": true, "type": "string"}, {"name": "depth", "required": false, "type": "integer"}],
    "result": {"type": "object", "properties": {"timestamp": {"type": "integer(ms)", "required": true}, "bids": {"type": "array"}}}}]}"#;

#[test]
fn json_rpc_is_compared_in_every_form_that_vendors_have() {
    let ours = Document::join("v", vec![Source::parse("specs/v/openrpc.yaml", RPC).unwrap()]).unwrap();
    let found = |text: &str| said(&compare(&ours::surface(&ours), &vendor::read(text, &ours).unwrap()).0);
    for (text, from, to, expected) in [
        (RPC, "name: depth", "name: levels", "public/get_book(depth)"),
        (RPC_AS_PATHS, "timestamp: { type: integer }", "timestamp: { type: string }", "retyped Book.timestamp"),
        (
            RPC_AS_PATHS,
            "{ timestamp: { type: integer },",
            "{ timestamp: { type: integer }, usage: { type: boolean },",
            "new-field Book.usage",
        ),
        (RPC_INVENTORY, "integer(ms)", "integer(us)", "unit Book.timestamp"),
        (RPC_INVENTORY, "\"required\": false", "\"required\": true", "newly-required public/get_book(depth)"),
    ] {
        assert_eq!(found(text), [""; 0]);
        let changed = found(&edited(text, &[(from, to)]));
        assert!(changed.iter().any(|one| one.contains(expected)), "{expected}: {changed:?}");
    }
}

const STREAMS: &str = "\
asyncapi: 3.0.0
info: { title: Streams, version: '1' }
x-dialect: { commands: { kind: type, data: msg, subscribe: [subscribe, subscribed], unsubscribe: [u, sids, unsubscribed], ok: ok, error: error } }
channels:
  trade: { $ref: 'stream-a.yaml#/channels/trade' }
";

const CHANNELS: &str = "\
channels:
  trade:
    address: trade
    x-parameters: { tickers: { description: 'Markets, at most 10.', schema: { type: array, items: { type: string } }, required: false } }
    messages: { trade: { $ref: '#/messages/Trade' } }
messages:
  Trade: { name: trade, payload: { $ref: '#/schemas/TradeMessage' } }
schemas:
  TradeMessage: { type: object, required: [id], properties: { id: { type: string }, side: { type: string, enum: [a, b] } } }
";

/// Whole frames, the data in one of their members.
const ASYNCAPI: &str = "\
asyncapi: 3.0.0
info: { title: Vendor, version: 1 }
channels:
  root: { address: /, messages: { subscribe: { payload: { type: object } } } }
  trade:
    address: trade
    messages:
      trade: { $ref: '#/components/messages/trade' }
      ok: { name: ok, payload: { type: object, properties: { type: { const: ok } } } }
components:
  messages:
    trade:
      name: tradeUpdate
      payload:
        type: object
        properties:
          type: { type: string, const: trade }
          sid: { type: integer }
          msg: { type: object, required: [id], properties: { id: { type: string }, side: { type: string, enum: [a, b] } } }
";

const STREAM_INVENTORY: &str = r#"[{"venue": "v", "channel": "trade", "params": [{"name": "tickers", "type": "string[]", "max": 10}],
    "message_types": [{"type": "trade", "fields": [{"name": "id", "type": "string", "nullable": false, "optional": false},
    {"name": "side", "type": "string", "nullable": false, "optional": true, "enum": ["a", "b"]}]}]},
    {"venue": "other", "channel": "strange", "message_types": []}]"#;

#[test]
fn streams_are_compared_without_their_frames() {
    let files = [("openapi.yaml", OURS), ("asyncapi.yaml", STREAMS), ("stream-a.yaml", CHANNELS)];
    let sources = files.map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text).unwrap());
    let ours = Document::join("v", sources.into()).unwrap();
    let found = |text: &str| compare(&ours::surface(&ours), &vendor::read(text, &ours).unwrap()).0;
    for (text, from, to, expected) in [
        (
            ASYNCAPI,
            "id: { type: string },",
            "id: { type: string }, at: { type: integer },",
            "new-field TradeMessage.at",
        ),
        (ASYNCAPI, "enum: [a, b]", "enum: [a, b, c]", "new-value TradeMessage.side=c"),
        (ASYNCAPI, "    address: trade\n", "    address: trades\n", "removed-channel channel trade"),
        (
            ASYNCAPI,
            "  trade:\n    address",
            "  fills: { address: fills, messages: { x: { payload: {} } } }\n  trade:\n    address",
            "new-channel channel fills",
        ),
        (
            ASYNCAPI,
            "      ok: {",
            "      bust: { name: bust, payload: { type: object } }\n      ok: {",
            "new-message channel trade bust",
        ),
        (STREAM_INVENTORY, "\"id\", \"type\": \"string\"", "\"id\", \"type\": \"boolean\"", "retyped TradeMessage.id"),
        (
            STREAM_INVENTORY,
            "\"max\": 10}",
            "\"max\": 10}, {\"name\": \"flag\", \"type\": \"boolean\"}",
            "new-parameter channel trade(flag)",
        ),
    ] {
        assert_eq!(said(&found(text)), [""; 0]);
        // An address is also found by the channel's key.
        let to = if expected.starts_with("removed-channel") { "    address: trades\n" } else { to };
        let text = edited(text, &[(from, to)]);
        let text =
            if expected.starts_with("removed-channel") { text.replace("\n  trade:\n", "\n  trades:\n") } else { text };
        let changed = said(&found(&text));
        assert!(changed.iter().any(|one| one.contains(expected)), "{expected}: {changed:?}");
    }
    let two = edited(
        ASYNCAPI,
        &[
            ("const: trade", "const: other"),
            (
                "      ok: {",
                "      bust: { name: bust, payload: { type: object, properties: { type: { const: bust } } } }\n      ok: {",
            ),
        ],
    );
    assert!(
        said(&found(&two)).iter().any(|one| one.starts_with("removed-message channel trade trade")),
        "{:?}",
        said(&found(&two))
    );
}

/// One address at three sockets: two of ours are one channel of the vendor, and one address is another channel elsewhere.
const SOCKETS: &str = "\
asyncapi: 3.0.0
info: { title: Streams, version: '1' }
servers:
  spot: { host: s.example.com, pathname: /v5/spot, protocol: wss, x-environment: production, x-endpoint: spot }
  linear: { host: s.example.com, pathname: /v5/linear, protocol: wss, x-environment: production, x-endpoint: linear }
  option: { host: s.example.com, pathname: /v5/option, protocol: wss, x-environment: production, x-endpoint: option }
  private: { host: s.example.com, pathname: /v5/private, protocol: wss, x-environment: production, x-endpoint: private }
x-dialect: { topics: { command: op, topics: args, subscribe: subscribe, unsubscribe: unsubscribe, success: success, topic: topic, kind: type, data: data } }
channels:
  spot_trades: { $ref: 'stream-a.yaml#/channels/spot_trades' }
  linear_trades: { $ref: 'stream-a.yaml#/channels/linear_trades' }
  option_trades: { $ref: 'stream-a.yaml#/channels/option_trades' }
  order: { $ref: 'stream-a.yaml#/channels/order' }
  order_by_kind: { $ref: 'stream-a.yaml#/channels/order_by_kind' }
";

const SOCKET_CHANNELS: &str = "\
channels:
  spot_trades: { address: 'trade.{symbol}', x-endpoint: spot, x-list: true, parameters: { symbol: { description: d } }, messages: { a: { $ref: '#/messages/Trade' } } }
  linear_trades: { address: 'trade.{symbol}', x-endpoint: linear, x-list: true, parameters: { symbol: { description: d } }, messages: { a: { $ref: '#/messages/Trade' } } }
  option_trades: { address: 'trade.{base_coin}', x-endpoint: option, x-list: true, parameters: { base_coin: { description: d } }, messages: { a: { $ref: '#/messages/OptionTrade' } } }
  order: { address: order, x-endpoint: private, messages: { a: { $ref: '#/messages/Order' } } }
  order_by_kind: { address: 'order.{kind}', x-endpoint: private, parameters: { kind: { description: d, enum: [a, b] } }, messages: { a: { $ref: '#/messages/Order' } } }
messages:
  Trade: { name: snapshot, payload: { $ref: '#/schemas/Trade' } }
  OptionTrade: { name: snapshot, payload: { $ref: '#/schemas/OptionTrade' } }
  Order: { payload: { $ref: '#/schemas/UserOrder' } }
schemas:
  Trade: { type: object, properties: { p: { type: string } } }
  OptionTrade: { type: object, properties: { p: { type: string }, iv: { type: string } } }
  UserOrder: { type: object, properties: { id: { type: string } } }
";

const SOCKET_INVENTORY: &str = r#"[
    {"channel": "trade.{symbol}", "endpoint": {"production": "wss://s.example.com/v5/{spot,linear}"}, "params": [{"name": "symbol", "type": "string"}],
     "message_types": [{"type": "snapshot", "data": "array", "fields": [{"name": "p", "type": "string"}]}]},
    {"channel": "trade.{baseCoin}@option", "endpoint": {"production": "wss://s.example.com/v5/option"}, "params": [{"name": "baseCoin", "type": "string"}],
     "message_types": [{"type": "snapshot", "data": "array", "fields": [{"name": "p", "type": "string"}, {"name": "iv", "type": "string"}]}]},
    {"channel": "order[.{kind}]", "endpoint": {"production": "wss://s.example.com/v5/private"}, "params": [{"name": "kind", "type": "string", "enum": ["a", "b"]}],
     "message_types": [{"type": "(no type)", "fields": [{"name": "id", "type": "string"}]}]}]"#;

#[test]
fn one_address_at_several_endpoints_is_several_channels() {
    let files = [("openapi.yaml", OURS), ("asyncapi.yaml", SOCKETS), ("stream-a.yaml", SOCKET_CHANNELS)];
    let sources = files.map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text).unwrap());
    let ours = Document::join("v", sources.into()).unwrap();
    let found = |text: &str| said(&compare(&ours::surface(&ours), &vendor::read(text, &ours).unwrap()).0);
    assert_eq!(found(SOCKET_INVENTORY), [""; 0]);
    for (from, to, expected) in [
        ("{spot,linear}", "spot", &["removed-channel channel linear_trades"][..]),
        (
            "{spot,linear}",
            "{spot,linear,option,private}",
            &["new-channel channel trade.{symbol} at option", "new-channel channel trade.{symbol} at private"],
        ),
        (r#"{"name": "iv", "type": "string"}"#, r#"{"name": "iv", "type": "boolean"}"#, &["retyped OptionTrade.iv"]),
        (r#""enum": ["a", "b"]"#, r#""enum": ["a"]"#, &["removed-value channel order_by_kind(kind)=b"]),
        ("order[.{kind}]", "order", &["removed-channel channel order_by_kind", "new-parameter channel order(kind)"]),
    ] {
        let changed = found(&edited(SOCKET_INVENTORY, &[(from, to)]));
        let all =
            changed.len() == expected.len() && changed.iter().zip(expected).all(|(one, name)| one.starts_with(name));
        assert!(all, "{to}: {changed:?}");
    }
    // The same as AsyncAPI, whose channels name their servers.
    let trades = |server: &str| {
        format!(
            "asyncapi: 3.0.0\ninfo: {{ title: V, version: 1 }}\nservers: {{ s: {{ host: s.example.com, pathname: /v5/{server}, protocol: wss }} }}\nchannels: {{ t: {{ address: 'trade.{{x}}', servers: [{{ $ref: '#/servers/s' }}], messages: {{ m: {{ payload: {{ type: object, properties: {{ topic: {{ type: string }}, data: {{ type: array, items: {{ type: object, properties: {{ p: {{ type: string }} }} }} }} }} }} }} }} }} }}\n"
        )
    };
    let lost_iv =
        |server: &str| found(&trades(server)).iter().any(|one| one.starts_with("removed-field OptionTrade.iv"));
    assert!(lost_iv("option") && !lost_iv("linear"));
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
