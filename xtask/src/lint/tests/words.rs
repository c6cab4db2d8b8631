//! Mistakes in our own words.

use super::{Case, REST, RPC, check};

const RETRY: &str = "      x-retry: never";
const RATE: &str = "      x-retry: never\n      x-rate: { bucket: all, cost: 1 }";
const ERRORS: &str = "x-errors: { code: [/code] }";

pub const CASES: &[Case] = &[
    ("unknown-word", RETRY, "      x-retry: never\n      x-retries: 3", "x-retries"),
    ("misplaced-word", RETRY, "      x-retry: never\n      x-environment: demo", "x-environment: demo"),
    ("misplaced-word", RETRY, "      x-retry: never\n      x-second-factor: true", "x-second-factor"),
    ("misplaced-word", "security: []", "security: []\nx-security: []", "x-security"),
    ("missing-word", "x-errors: { code: [/code] }\n", "", "openapi:"),
    ("missing-word", "      x-retry: never\n", "", "    post:"),
    ("missing-word", RATE, RETRY, "    post:"),
    ("missing-word", ", x-environment: production", "", "https://v.test"),
    ("missing-word", ", x-credential: key", "", "    key:"),
    ("bad-word", RETRY, "      x-retry: always", "x-retry: always"),
    ("bad-word", RETRY, "      x-retry: { keyed: {} }", "x-retry: { keyed"),
    ("bad-word", RATE, "      x-retry: never\n      x-rate: { bucket: none, cost: 1 }", "bucket: none"),
    ("bad-word", RATE, "      x-retry: never\n      x-rate: { bucket: all, cost: -1 }", "cost: -1"),
    ("bad-word", RETRY, "      x-retry: never\n      x-page: { style: offset }", "x-page"),
    (
        "bad-word",
        RETRY,
        "      x-retry: never\n      x-page: { style: offset, param: page, last: id, items: parts }",
        "x-page",
    ),
    ("bad-word", RETRY, "      x-retry: never\n      x-page: { style: number, param: page, items: parts }", "x-page"),
    ("bad-word", RETRY, "      x-retry: never\n      x-reconcile: GetThing", "x-reconcile"),
    ("bad-word", RETRY, "      x-retry: never\n      x-scope: ''", "x-scope"),
    ("bad-word", "x-environment: production", "x-environment: '1'", "https://v.test"),
    ("bad-word", "x-environment: production", "x-environment: self", "https://v.test"),
    (
        "bad-word",
        "x-environment: production",
        "x-environment: production, x-hosts: ['https://w.test']",
        "https://v.test",
    ),
    ("bad-word", "x-environment: production", "x-environment: Production", "https://v.test"),
    ("bad-word", ERRORS, "x-errors: { code: /code }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { codes: [/code] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { kinds: { a: broken } }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { kinds: [other] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { statuses: { 4XX: other } }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { failed-when: { at: /ok, equals: false } }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { failed-when: [{ at: ok, equals: false }] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { request-id-header: [a] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { not-processed: [1.5] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { names: { '1': a_b, '2': aB } }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { names: { '1': unknown } }", "x-errors"),
    ("bad-word", "capacity: 1 }", "capacity: 0 }", "x-buckets"),
    ("bad-word", "refill: 1, capacity: 1 }", "refill: 0.0001, capacity: 1 }", "x-buckets"),
    ("bad-word", "refill: 1, capacity: 1 }", "capacity: 1 }", "x-buckets"),
    ("bad-word", "refill: 1, capacity: 1 }", "windows: [] }", "x-buckets"),
    ("bad-word", "refill: 1, capacity: 1 }", "windows: [{ count: 1, seconds: 0 }] }", "x-buckets"),
    ("bad-word", "refill: 1, capacity: 1 }", "windows: [{ count: 1, per: 1 }] }", "x-buckets"),
    ("bad-word", ERRORS, "x-errors: { code: [/code] }\nx-rate-headers: { remaining: X-Left }", "x-rate-headers"),
    ("bad-word", RETRY, "      x-retry: never\n      x-venue-time: { at: time, unit: unix-s }", "x-venue-time"),
    ("bad-word", RETRY, "      x-retry: never\n      x-venue-time: { at: /time, unit: minutes }", "x-venue-time"),
    ("bad-word", "      id: { type: string }", "      id: { type: string, x-not-secret: '' }", "x-not-secret"),
    ("bad-word", "      id: { type: string }", "      id: { type: string, x-also: integer }", "x-also"),
    ("bad-word", "      id: { type: string }", "      id: { type: string, x-vital: id }", "x-vital"),
    (
        "misplaced-word",
        "in: query, schema: { type: integer }",
        "in: query, x-left-out: true, schema: { type: integer }",
        "x-left-out",
    ),
    ("bad-word", ERRORS, "x-errors: { code: [/code] }\nx-no-body: false", "x-no-body"),
    (
        "bad-word",
        "      id: { type: string }",
        "      id: { type: string, x-rust-type: { crate: other, version: '*', path: 'other::A' } }",
        "x-rust-type",
    ),
    (
        "bad-word",
        "      id: { type: string }",
        "      id: { type: string, x-rust-type: { crate: venuekit-wire, version: '*', path: 'venuekit_wire::A B' } }",
        "x-rust-type",
    ),
    ("unknown-key", RETRY, "      x-retry: { keyed: { header: X-Key-Of-Call } }", "X-Key-Of-Call"),
    ("unknown-key", RETRY, "      x-retry: { keyed: { field: nothing } }", "field: nothing"),
    (
        "unknown-key",
        RATE,
        "      x-retry: never\n      x-rate: { bucket: all, cost: 1, per-item: nothing }",
        "per-item",
    ),
    ("unknown-key", RETRY, "      x-retry: never\n      x-venue-time: { at: /time, unit: unix-s }", "x-venue-time"),
    (
        "unknown-key",
        RETRY,
        "      x-retry: never\n      x-page: { style: cursor, param: p, next: id, items: parts }",
        "x-page",
    ),
    (
        "unknown-key",
        RETRY,
        "      x-retry: never\n      x-page: { style: cursor, param: page, next: id.x, items: parts }",
        "x-page",
    ),
    (
        "page-type",
        RETRY,
        "      x-retry: never\n      x-page: { style: cursor, param: page, next: id, items: id }",
        "x-page",
    ),
    (
        "page-type",
        RETRY,
        "      x-retry: never\n      x-page: { style: cursor, param: page, next: parts, items: parts }",
        "x-page",
    ),
    (
        "page-type",
        RETRY,
        "      x-retry: never\n      x-page: { style: cursor, param: kind, next: id, items: parts }",
        "x-page",
    ),
    ("page-type", RETRY, "      x-retry: never\n      x-page: { style: page, param: page, items: parts }", "x-page"),
    (
        "page-type",
        RETRY,
        "      x-retry: never\n      x-page: { style: page, param: from, last: id, items: parts }",
        "x-page",
    ),
    ("page-type", RETRY, "      x-retry: never\n      x-page: { style: offset, param: page, items: parts }", "x-page"),
];

const RPC_CASES: &[Case] = &[
    ("bad-word", "x-security: []", "x-security: {}", "x-security: {"),
    ("bad-word", "x-security: []", "x-security: []\nx-challenge: { flag: f }", "x-challenge"),
    ("bad-word", "x-security: []", "x-security: []\nx-largest-request: 0", "x-largest-request"),
    ("bad-word", "x-security: []", "x-security: []\nx-websocket: { servers: {} }", "x-websocket"),
    ("bad-word", "    x-retry: safe", "    x-retry: safe\n    x-second-factor: maybe", "x-second-factor"),
    ("bad-word", "    x-retry: safe", "    x-retry: safe\n    x-connection: {}", "x-connection"),
    ("bad-word", "    x-retry: safe", "    x-retry: safe\n    x-connection: { only: false }", "x-connection"),
    ("bad-word", "    x-retry: safe", "    x-retry: safe\n    x-connection: { when: { a: b } }", "x-connection"),
    ("bad-word", "required: true, schema", "x-left-out: true, schema", "x-left-out"),
    ("missing-word", "    x-retry: safe", "    x-retry: safe\n    x-connection: { only: true }", "public/get_thing:"),
    ("missing-word", ", x-credential: key", "", "  key:"),
    ("missing-word", "    x-retry: safe", "    x-retry: safe\n    x-second-factor: true", "public/get_thing:"),
];

#[test]
fn mistakes_in_our_words_are_named() {
    check(REST, CASES);
    check(RPC, RPC_CASES);
}
