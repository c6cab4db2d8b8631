//! Mistakes in our own words.

use super::{Case, REST, RPC, check, check_in, findings, owned};

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
    ("bad-word", ", x-credential: key", ", x-credential: key, x-signature-age: 0", "x-signature-age"),
    ("bad-word", ", x-credential: key", ", x-credential: key, x-signature-age: 1.5", "x-signature-age"),
    ("misplaced-word", RETRY, "      x-retry: never\n      x-signature-age: 5", "x-signature-age"),
    ("bad-word", RETRY, "      x-retry: always", "x-retry: always"),
    // What only writes cannot find a response that was lost.
    ("bad-word", RETRY, "      x-retry: never\n      x-reconcile: MakeThing", "x-reconcile"),
    ("bad-word", RATE, "      x-retry: never\n      x-rate: { bucket: all, cost: 2 }", "cost: 2"),
    (
        "bad-word",
        RATE,
        "      x-retry: never\n      x-rate: { bucket: all, cost: 1, costs: [{ given: page, cost: 2 }] }",
        "cost: 2",
    ),
    ("bad-word", "capacity: 1 }]", "capacity: 1 }, { tier: basic, refill: 1, capacity: 1 }]", "x-buckets"),
    ("bad-word", "tier: basic", "tier: ''", "x-buckets"),
    ("bad-word", ERRORS, "x-errors: { kinds: { '': other } }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { kinds: { '*': other } }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { names: { '': none } }", "x-errors"),
    ("bad-word", "x-environment: production", "x-environment: production, x-hosts: ['a b.c']", "https://v.test"),
    ("bad-word", "x-environment: production", "x-environment: production, x-hosts: [w.test.]", "https://v.test"),
    ("bad-word", "x-environment: production", "x-environment: production, x-hosts: ['w.test?a']", "https://v.test"),
    // Below a property that is called `properties`, words are words.
    (
        "unknown-word",
        "      name: { type: string }",
        "      properties: { type: string, x-foo: 1 }\n      name: { type: string }",
        "x-foo",
    ),
    ("bad-word", RETRY, "      x-retry: { keyed: {} }", "x-retry: { keyed"),
    ("bad-word", RETRY, "      x-retry: { keyed: { field: name, repeat: maybe } }", "x-retry: { keyed"),
    ("bad-word", RETRY, "      x-retry: { keyed: { field: name, repeat: refused } }", "x-retry: { keyed"),
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
    (
        "bad-word",
        "x-environment: production",
        "x-environment: production, x-websockets: ['https://w.test/ws']",
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
    ("bad-word", ERRORS, "x-errors: { failed-when: [{ at: /ok, equals: 1, not: 0 }] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { outcome-unknown: [10000] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { repeated-key: '110072' }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { outcome-unknown: ['1'], not-processed: ['1'] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { request-id-header: [a] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { not-processed: [1.5] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { unknown-key: { code: a } }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { unknown-key: [{ status: 401 }] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { unknown-key: [{ status: 502, code: a }] }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { unknown-key: [{ code: a, except: [Clock] }] }", "x-errors"),
    ("bad-word", "      name: { type: string }", "      name: { type: string, x-name: theName }", "name: {"),
    ("bad-word", "      name: { type: string }", "      name: { type: string, x-name: type }", "name: {"),
    (
        "unknown-vital",
        "  Thing:\n    type: object\n",
        "  Thing:\n    type: object\n    x-vital: [nothing]\n",
        "  Thing:",
    ),
    ("bad-word", ERRORS, "x-errors: { names: { '1': a_b, '2': aB } }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { names: { '1': unknown } }", "x-errors"),
    ("bad-word", ERRORS, "x-errors: { code: [/code] }\nx-variables: { credentials: [] }", "x-variables"),
    (
        "bad-word",
        ERRORS,
        "x-errors: { code: [/code] }\nx-variables: { credentials: [{ kind: seed, id: A, secret: B, proves: [key] }] }",
        "x-variables",
    ),
    (
        "bad-word",
        ERRORS,
        "x-errors: { code: [/code] }\nx-variables: { credentials: [{ kind: key, secret: B, proves: [key] }] }",
        "x-variables",
    ),
    (
        "bad-word",
        ERRORS,
        "x-errors: { code: [/code] }\nx-variables: { credentials: [{ kind: private-key, id: A, secret: B, proves: [key] }] }",
        "x-variables",
    ),
    (
        "bad-word",
        ERRORS,
        "x-errors: { code: [/code] }\nx-variables: { credentials: [{ kind: token, secret: access_token, proves: [key] }] }",
        "x-variables",
    ),
    (
        "bad-word",
        ERRORS,
        "x-errors: { code: [/code] }\nx-variables: { together: yes, credentials: [{ kind: token, secret: A, proves: [key] }] }",
        "x-variables",
    ),
    (
        "bad-word",
        ERRORS,
        "x-errors: { code: [/code] }\nx-variables: { of: Other, credentials: [{ kind: token, secret: A, proves: [key] }] }",
        "x-variables",
    ),
    (
        "bad-word",
        ERRORS,
        "x-errors: { code: [/code] }\nx-variables: { credentials: [{ kind: key, id: A, secret: B, proves: [key] }, { kind: login, id: C, secret: B, proves: [key] }] }",
        "x-variables",
    ),
    ("bad-word", "capacity: 1 }", "capacity: 0 }", "x-buckets"),
    ("bad-word", "refill: 1, capacity: 1 }", "refill: 0.0001, capacity: 1 }", "x-buckets"),
    ("bad-word", "refill: 1, capacity: 1 }", "capacity: 1 }", "x-buckets"),
    ("bad-word", "refill: 1, capacity: 1 }", "windows: [] }", "x-buckets"),
    ("bad-word", "refill: 1, capacity: 1 }", "windows: [{ count: 1, seconds: 0 }] }", "x-buckets"),
    ("bad-word", "refill: 1, capacity: 1 }", "windows: [{ count: 1, per: 1 }] }", "x-buckets"),
    ("bad-word", ERRORS, "x-errors: { code: [/code] }\nx-rate-headers: { remaining: X-Left }", "x-rate-headers"),
    (
        "bad-word",
        ERRORS,
        "x-errors: { code: [/code] }\nx-rate-headers: { remaining: X-Left, reset: X-Reset, unit: minutes }",
        "x-rate-headers",
    ),
    ("bad-word", RETRY, "      x-retry: never\n      x-venue-time: { at: time, unit: unix-s }", "x-venue-time"),
    ("bad-word", RETRY, "      x-retry: never\n      x-venue-time: { at: /time, unit: minutes }", "x-venue-time"),
    ("bad-word", "      id: { type: string }", "      id: { type: string, x-not-secret: '' }", "x-not-secret"),
    ("bad-word", "      id: { type: string }", "      id: { type: string, x-not-id: '' }", "x-not-id"),
    ("bad-word", "      id: { type: string }", "      id: { type: string, x-also: integer }", "x-also"),
    ("bad-word", "      id: { type: string }", "      id: { type: string, x-vital: id }", "x-vital"),
    (
        "misplaced-word",
        "in: query, schema: { type: integer }",
        "in: query, x-left-out: true, schema: { type: integer }",
        "x-left-out",
    ),
    ("bad-word", ERRORS, "x-errors: { code: [/code] }\nx-no-body: false", "x-no-body"),
    ("bad-word", "  Part:\n    type: object", "  Part:\n    type: object\n    x-vital: []", "x-vital"),
    ("unknown-vital", "  Part:\n    type: object", "  Part:\n    type: object\n    x-vital: [wieght]", "  Part:"),
    (
        "unknown-vital",
        "  NewThing:\n    type: object",
        "  NewThing:\n    type: object\n    x-vital: [name]",
        "  NewThing:",
    ),
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
    ("idempotency-key", RETRY, "      x-retry: { keyed: { header: X-Trace } }", "X-Trace, in: header"),
    ("idempotency-key", RETRY, "      x-retry: { keyed: { field: name } }", "      name: { type: string }"),
    ("idempotency-key", RETRY, "      x-retry: { keyed: { field: kind } }", "  Kind:"),
    ("idempotency-key", RETRY, "      x-retry: { keyed: { field: from } }", "name: from"),
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
    (
        "unknown-key",
        RETRY,
        "      x-retry: never\n      x-page: { style: after, param: from, key: none, items: rest.things }",
        "x-page",
    ),
    (
        "page-type",
        RETRY,
        "      x-retry: never\n      x-page: { style: after, param: from, key: id, items: rest.things }",
        "x-page",
    ),
];

/// How errors are described, so that pointers into them can be followed.
const FAILED: &str = "content: { application/json: { schema: { $ref: 'a.yaml#/schemas/Failure' } } }";

#[test]
fn pointers_of_errors_are_followed() {
    let mut base = owned(REST);
    base[0].1 = base[0].1.replace("{ description: no }", &format!("{{ description: no, {FAILED} }}"));
    base[1].1 += "  Failure:\n    type: object\n    properties: { code: { type: string }, error: { oneOf: [{ $ref: '#/schemas/Inner' }, { type: string }] } }\n  Inner: { type: object, properties: { wait: { type: integer } } }\n";
    let cases: &[Case] = &[
        ("unknown-key", ERRORS, "x-errors: { code: [/code, /eror/wait] }", "/eror/wait"),
        ("unknown-key", ERRORS, "x-errors: { code: [/code], message: [/message] }", "message"),
        ("unknown-key", ERRORS, "x-errors: { code: [/code], retry-after: [/error/code] }", "retry-after"),
        ("unknown-key", ERRORS, "x-errors: { code: [/code], failed-when: [{ at: /nope, equals: 1 }] }", "/nope"),
    ];
    check_in(&base, cases);
    // A member of one of several forms, and of a response that says in its body that it has failed.
    let good = "x-errors: { code: [/code], retry-after: [/error/wait], failed-when: [{ at: /last, equals: 1 }] }";
    base[0].1 = base[0].1.replace(ERRORS, good);
    let found = findings(&base);
    assert!(!found.iter().any(|finding| finding.rule == "unknown-key"), "{found:?}");
}

pub const TIMES: &[Case] = &[(
    "venue-time-unit",
    "      last: { type: integer }",
    "      last: { type: integer, format: unix-ms }",
    "x-venue-time",
)];

#[test]
fn the_unit_of_a_time_is_that_of_the_member() {
    let mut base = owned(REST);
    base[1].1 = base[1].1.replace(RETRY, &format!("{RETRY}\n      x-venue-time: {{ at: /last, unit: unix-s }}"));
    check_in(&base, TIMES);
}

#[test]
fn a_mistake_in_a_word_of_several_forms_is_named() {
    for (find, with, said) in [
        (RATE, "      x-retry: never\n      x-rate: { cots: 10 }", &["`cots`", "`bucket`", "`cost`"] as &[&str]),
        (RATE, "      x-retry: never\n      x-rate: [{ bucket: all, cost: 1, each: a }]", &["each", "`per-item`"]),
        (RATE, "      x-retry: never\n      x-rate: 10", &["{bucket, cost}"]),
        (RETRY, "      x-retry: nevr", &["`nevr`", "`safe`", "`never`", "`keyed: "]),
        (RETRY, "      x-retry: true", &["`safe`", "`never`"]),
        (RETRY, "      x-retry: { keyd: { field: name } }", &["`keyd`", "`keyed`"]),
        (RETRY, "      x-retry: { keyed: { fields: name } }", &["`keyed.fields`", "`header`", "`field`"]),
        (RETRY, "      x-retry: never\n      x-reconcile: { operation: ListThings }", &["`by`"]),
        (RETRY, "      x-retry: never\n      x-reconcile: [ListThings]", &["{operation, by: [...]}"]),
        (ERRORS, "x-errors: { not-processed: [true] }", &["not-processed", "code", "status"]),
        (ERRORS, "x-errors: { not-processed: [-1] }", &["not-processed", "u16"]),
        (ERRORS, "x-errors: { code: [/code] }\nx-rate-headers: { remain: A }", &["`remain`", "`remaining`"]),
        (ERRORS, "x-errors: { code: [/code] }\nx-rate-headers: A", &["{remaining, reset}"]),
    ] {
        let mut files = owned(REST);
        files.iter_mut().for_each(|(_, text)| *text = text.replacen(find, with, 1));
        let found = findings(&files);
        let found =
            found.iter().find(|finding| finding.rule == "bad-word").unwrap_or_else(|| panic!("{with}: {found:?}"));
        for part in said {
            assert!(found.message.contains(part), "{with}: {}", found.message);
        }
        assert!(!found.message.contains("untagged"), "{}", found.message);
    }
}

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
