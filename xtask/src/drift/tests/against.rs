//! Each seeded change of the vendor's document is found alone, at its place, and judged.

use std::collections::BTreeSet;

use super::super::compare::compare;
use super::super::finding::{Drift, RULES};
use super::{VENDOR, against, document, edited, said};
use crate::judgement::Judgement::{self, Addition, Behaviour, Breaking, Docs};
use crate::surface::{ours, vendor};

/// The kind of change, its place, its judgement, and how the vendor's document is changed.
pub type Seed = (&'static str, &'static str, Judgement, &'static [(&'static str, &'static str)]);

pub const SEEDS: [Seed; 79] = [
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
