//! Each rule by one change of the spec.

use std::collections::BTreeSet;

use super::super::compare::compare;
use super::super::rules::RULES;
use super::{changes, document};
use crate::surface::ours;

/// A rule, the place it is reported at, and the edits that bring it about.
type Seed = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const SEEDS: [Seed; 103] = [
    (
        "operation-removed",
        "CancelOrder",
        &[
            ("  /orders/{order_id}: { $ref: 'a.yaml#/paths/~1orders~1{order_id}' }\n", ""),
            (
                "  /orders/{order_id}:\n    delete:\n      operationId: CancelOrder\n      x-retry: { keyed: { field: reason } }\n      parameters:\n        - { name: order_id, in: path, required: true, schema: { type: string } }\n        - { name: reason, in: query, required: true, schema: { type: string } }\n      responses:\n        '204': { description: d }\n",
                "",
            ),
        ],
    ),
    (
        "operation-added",
        "GetOrders",
        &[("  /orders:\n    post:", "  /orders:\n    get: { operationId: GetOrders, responses: {} }\n    post:")],
    ),
    ("operation-renamed", "CancelOrder", &[("operationId: CancelOrder", "operationId: DropOrder")]),
    ("operation-moved", "CancelOrder", &[("    delete:\n", "    put:\n")]),
    (
        "operation-deprecated",
        "CreateOrder",
        &[("operationId: CreateOrder", "operationId: CreateOrder\n      deprecated: true")],
    ),
    ("credential-newly-needed", "GetMarkets", &[("      security: []\n", "")]),
    (
        "credential-no-longer-needed",
        "CreateOrder",
        &[("operationId: CreateOrder", "operationId: CreateOrder\n      security: []")],
    ),
    (
        "credential-changed",
        "CreateOrder",
        &[("operationId: CreateOrder", "operationId: CreateOrder\n      security: [{ key: [], other: [] }]")],
    ),
    (
        "authentication-changed",
        "security schemes",
        &[("name: KEY, x-credential: key", "name: X-KEY, x-credential: key")],
    ),
    (
        "request-body-format-changed",
        "CreateOrder",
        &[(
            "requestBody: { content: { application/json:",
            "requestBody: { content: { application/x-www-form-urlencoded:",
        )],
    ),
    (
        "parameter-notation-changed",
        "GetMarkets(status)",
        &[("- { name: status, in: query,", "- { name: status, in: query, style: form, explode: false,")],
    ),
    (
        "parameter-notation-changed",
        "GetMarkets(cursor)",
        &[(
            "name: cursor, in: query, schema: { type: string }",
            "name: cursor, in: query, content: { application/json: { schema: { type: string } } }",
        )],
    ),
    ("rust-name-changed", "GetMarkets(cursor)", &[("- { name: cursor,", "- { name: cursor, x-name: after,")]),
    ("rust-name-changed", "Market.word", &[("word: { type: string }", "word: { type: string, x-name: saying }")]),
    (
        "request-newly-nullable",
        "GetMarkets(cursor)",
        &[(
            "name: cursor, in: query, schema: { type: string }",
            "name: cursor, in: query, schema: { type: string, nullable: true }",
        )],
    ),
    (
        "object-opened",
        "Market",
        &[("    x-vital: [title, status]\n", "    x-vital: [title, status]\n    additionalProperties: true\n")],
    ),
    (
        "other-change",
        "NewOrder.note",
        &[("pattern: '^[a-z]*$', nullable", "x-also: { type: integer }, pattern: '^[a-z]*$', nullable")],
    ),
    ("channel-access-changed", "channel trade", &[("address: trade\n", "address: trade\n    x-endpoint: other\n")]),
    ("request-limit-tightened", "NewOrder.count", &[("minimum: 1", "minimum: 1, exclusiveMinimum: true")]),
    ("request-limit-loosened", "NewOrder.count", &[("minimum: 1", "minimum: 0")]),
    ("scope-changed", "CreateOrder", &[("x-scope: write", "x-scope: trade")]),
    ("retry-changed", "GetMarkets", &[("x-retry: safe", "x-retry: never")]),
    // A key in another member is still a key.
    ("retry-changed", "CancelOrder", &[("keyed: { field: reason }", "keyed: { field: other }")]),
    ("retry-newly-safe", "CreateOrder", &[("x-retry: never", "x-retry: safe")]),
    ("retry-no-longer-keyed", "CancelOrder", &[("x-retry: { keyed: { field: reason } }", "x-retry: never")]),
    ("http-removed", "GetMarkets", &[("x-retry: safe", "x-retry: safe\n      x-connection: { only: true }")]),
    ("websocket-removed", "CreateOrder", &[("      x-method: order.create\n", "")]),
    ("cost-changed", "GetMarkets", &[("cost: 1 }", "cost: 2 }")]),
    ("pages-added", "CreateOrder", &[("x-scope: write", "x-scope: write\n      x-page: { style: page }")]),
    (
        "pages-removed",
        "GetMarkets",
        &[("      x-page: { style: cursor, param: cursor, next: cursor, items: markets }\n", "")],
    ),
    ("pages-changed", "GetMarkets", &[("next: cursor,", "next: after,")]),
    ("reconcile-changed", "CreateOrder", &[("x-reconcile: GetMarkets", "x-reconcile: CancelOrder")]),
    ("status-changed", "CreateOrder", &[("'201': {", "'200': {")]),
    (
        "request-body-added",
        "CancelOrder",
        &[(
            "operationId: CancelOrder",
            "operationId: CancelOrder\n      requestBody: { content: { application/json: { schema: { $ref: '#/schemas/Nested' } } } }",
        )],
    ),
    (
        "request-body-removed",
        "CreateOrder",
        &[("      requestBody: { content: { application/json: { schema: { $ref: '#/schemas/NewOrder' } } } }\n", "")],
    ),
    (
        "response-body-added",
        "CancelOrder",
        &[(
            "'204': { description: d }",
            "'200': { description: d, content: { application/json: { schema: { $ref: '#/schemas/Nested' } } } }",
        )],
    ),
    (
        "response-body-removed",
        "CreateOrder",
        &[(
            "'201': { description: d, content: { application/json: { schema: { $ref: '#/schemas/Order' } } } }",
            "'201': { description: d }",
        )],
    ),
    ("description-changed", "GetMarkets", &[("description: Markets.", "description: All markets.")]),
    ("description-changed", "Market.title", &[("description: Title.", "description: Heading.")]),
    ("description-changed", "info", &[("Test API, version: '1'", "Test API, version: '2'")]),
    (
        "parameter-removed",
        "GetMarkets(status)",
        &[("        - { name: status, in: query, schema: { $ref: '#/schemas/Filter' } }\n", "")],
    ),
    (
        "parameter-added",
        "GetMarkets(series)",
        &[(
            "        - { name: cursor, in",
            "        - { name: series, in: query, schema: { type: boolean } }\n        - { name: cursor, in",
        )],
    ),
    (
        "required-parameter-added",
        "GetMarkets(series)",
        &[(
            "        - { name: cursor, in",
            "        - { name: series, in: query, required: true, schema: { type: boolean } }\n        - { name: cursor, in",
        )],
    ),
    ("parameter-renamed", "GetMarkets(status)", &[("name: status,", "name: statuses,")]),
    (
        "path-parameter-renamed",
        "CancelOrder(order_id)",
        &[
            (
                "/orders/{order_id}: { $ref: 'a.yaml#/paths/~1orders~1{order_id}' }",
                "/orders/{id}: { $ref: 'a.yaml#/paths/~1orders~1{id}' }",
            ),
            ("  /orders/{order_id}:\n", "  /orders/{id}:\n"),
            ("name: order_id, in: path", "name: id, in: path"),
        ],
    ),
    ("parameter-moved", "GetMarkets(limit)", &[("name: limit, in: query", "name: limit, in: header")]),
    (
        "parameter-newly-required",
        "GetMarkets(limit)",
        &[("name: limit, in: query", "name: limit, in: query, required: true")],
    ),
    (
        "parameter-no-longer-required",
        "CancelOrder(reason)",
        &[("name: reason, in: query, required: true", "name: reason, in: query")],
    ),
    (
        "parameter-deprecated",
        "GetMarkets(limit)",
        &[("name: limit, in: query", "name: limit, in: query, deprecated: true")],
    ),
    ("request-field-removed", "NewOrder.post_only", &[("      post_only: { type: boolean, default: false }\n", "")]),
    (
        "request-field-added",
        "NewOrder.group",
        &[("      side: {", "      group: { type: array, items: { type: string } }\n      side: {")],
    ),
    (
        "required-request-field-added",
        "NewOrder.group",
        &[
            ("required: [ticker, count]", "required: [ticker, count, group]"),
            ("      side: {", "      group: { type: array, items: { type: string } }\n      side: {"),
        ],
    ),
    ("request-field-renamed", "NewOrder.post_only", &[("post_only:", "post_only_flag:")]),
    (
        "request-field-newly-required",
        "NewOrder.side",
        &[("required: [ticker, count]", "required: [ticker, count, side]")],
    ),
    ("request-field-no-longer-required", "NewOrder.count", &[("required: [ticker, count]", "required: [ticker]")]),
    (
        "request-newly-nullable",
        "NewOrder.post_only",
        &[("post_only: { type: boolean,", "post_only: { type: boolean, nullable: true,")],
    ),
    ("request-no-longer-nullable", "NewOrder.note", &[("pattern: '^[a-z]*$', nullable: true", "pattern: '^[a-z]*$'")]),
    ("response-field-removed", "Market.word", &[("      word: { type: string }\n", "")]),
    ("response-field-added", "Market.rank", &[("      word: {", "      rank: { type: boolean }\n      word: {")]),
    ("response-field-renamed", "Market.volume", &[("      volume: {", "      volume_fp: {")]),
    (
        "response-field-newly-vital",
        "Market.word",
        &[("required: [ticker]\n    x-vital", "required: [ticker, word]\n    x-vital")],
    ),
    ("response-field-no-longer-vital", "Market.ticker", &[("    required: [ticker]\n    x-vital", "    x-vital")]),
    (
        "response-newly-nullable",
        "Order.order_id",
        &[("order_id: { type: string }", "order_id: { type: string, nullable: true }")],
    ),
    ("response-no-longer-nullable", "Order.price", &[("format: decimal, nullable: true", "format: decimal")]),
    ("vital-set-changed", "Market", &[("x-vital: [title, status]", "x-vital: [title]")]),
    ("field-deprecated", "Market.word", &[("word: { type: string }", "word: { type: string, deprecated: true }")]),
    (
        "request-type-changed",
        "NewOrder.count",
        &[("count: { type: integer, minimum: 1 }", "count: { type: number, minimum: 1 }")],
    ),
    (
        "request-type-changed",
        "GetMarkets(limit)",
        &[("schema: { type: integer, maximum", "schema: { type: string, maximum")],
    ),
    ("response-type-changed", "Market.word", &[("word: { type: string }", "word: { type: boolean }")]),
    ("response-type-changed", "TradeMessage.count", &[("count: { type: integer } }", "count: { type: string } }")]),
    (
        "request-format-changed",
        "NewOrder.ticker",
        &[("ticker: { type: string }\n      count", "ticker: { type: string, format: decimal }\n      count")],
    ),
    (
        "response-format-changed",
        "Market.volume",
        &[("volume: { type: string, format: decimal,", "volume: { type: string,")],
    ),
    ("unit-changed", "Market.closes", &[("format: unix-s", "format: unix-ms")]),
    ("type-renamed", "Nested", &[("'#/schemas/Nested'", "'#/schemas/Inner'"), ("  Nested: {", "  Inner: {")]),
    ("request-limit-tightened", "GetMarkets(limit)", &[("maximum: 100", "maximum: 50")]),
    ("request-limit-tightened", "NewOrder.count", &[("minimum: 1", "minimum: 2")]),
    ("request-limit-loosened", "GetMarkets(limit)", &[("maximum: 100", "maximum: 1000")]),
    ("request-limit-loosened", "NewOrder.count", &[("type: integer, minimum: 1", "type: integer")]),
    ("request-pattern-changed", "NewOrder.note", &[("'^[a-z]*$'", "'^[a-z0-9]*$'")]),
    ("response-limit-changed", "Market.volume", &[("maxLength: 20", "maxLength: 30")]),
    ("default-changed", "GetMarkets(limit)", &[("default: 10", "default: 20")]),
    ("default-changed", "NewOrder.post_only", &[("default: false", "default: true")]),
    ("request-value-removed", "Side=sell", &[("enum: [buy, sell]", "enum: [buy]")]),
    ("request-value-added", "Filter=paused", &[("enum: [open, closed]", "enum: [open, closed, paused]")]),
    ("response-value-removed", "Status=settled", &[("enum: [active, settled]", "enum: [active]")]),
    ("response-value-added", "Status=paused", &[("enum: [active, settled]", "enum: [active, paused, settled]")]),
    ("enum-closed", "Status", &[("enum: [active, settled]", "enum: [active, settled], x-closed: true")]),
    ("enum-opened", "Fixed", &[(", x-closed: true", "")]),
    ("enum-introduced", "Market.word", &[("word: { type: string }", "word: { type: string, enum: [a, b] }")]),
    (
        "enum-dropped",
        "Market.status",
        &[("Status: { type: string, enum: [active, settled] }", "Status: { type: string }")],
    ),
    (
        "channel-removed",
        "channel book",
        &[
            ("  book: { $ref: 'stream-a.yaml#/channels/book' }\n", ""),
            (
                "  book:\n    address: 'book.{item}'\n    x-access: public\n    parameters: { item: { description: d, enum: [a, b], x-lower-case: true } }\n    x-parameters:\n      items: { description: d, schema: { type: array, items: { type: string } } }\n      one: { description: d, schema: { type: string }, alias-of: items }\n      mode: { description: d, schema: { type: string }, of-connection: true }\n    x-book: { instrument: /ticker }\n    messages: { book: { $ref: '#/messages/Book' } }\n",
                "",
            ),
        ],
    ),
    (
        "channel-added",
        "channel tick",
        &[(
            "  book: { $ref: 'stream-a.yaml#/channels/book' }\n",
            "  book: { $ref: 'stream-a.yaml#/channels/book' }\n  tick: { address: tick, messages: {} }\n",
        )],
    ),
    (
        "channel-renamed",
        "channel book",
        &[
            ("  book: { $ref: 'stream-a.yaml#/channels/book' }", "  books: { $ref: 'stream-a.yaml#/channels/books' }"),
            ("  book:\n    address", "  books:\n    address"),
        ],
    ),
    ("channel-moved", "channel book", &[("address: 'book.", "address: 'books.")]),
    (
        "channel-credential-newly-needed",
        "channel trade",
        &[("x-access: public\n    x-sequence", "x-access: private\n    x-sequence")],
    ),
    ("message-removed", "channel trade bust", &[(", bust: { $ref: '#/messages/Bust' }", "")]),
    (
        "message-added",
        "channel trade book",
        &[(
            "bust: { $ref: '#/messages/Bust' }",
            "bust: { $ref: '#/messages/Bust' }, book: { $ref: '#/messages/Book' }",
        )],
    ),
    (
        "second-message-added",
        "channel book trade",
        &[(
            "{ book: { $ref: '#/messages/Book' } }",
            "{ book: { $ref: '#/messages/Book' }, trade: { $ref: '#/messages/Trade' } }",
        )],
    ),
    ("book-added", "channel trade", &[("x-sequence: none", "x-sequence: none\n    x-book: { instrument: /a }")]),
    ("book-removed", "channel book", &[("    x-book: { instrument: /ticker }\n", "")]),
    ("recovery-changed", "channel trade", &[("x-recover: never", "x-recover: next")]),
    (
        "server-added",
        "servers demo",
        &[("servers:\n", "servers:\n  - { url: 'https://d.example.com', x-environment: demo }\n")],
    ),
    ("server-changed", "servers production", &[("a.example.com/v1", "b.example.com/v1")]),
];

const MORE: [Seed; 38] = [
    ("server-words-changed", "servers production", &[("x-hosts: [b.example.com]", "x-hosts: [c.example.com]")]),
    ("server-words-changed", "servers production", &[("x-hosts: [b.example.com], ", "")]),
    ("server-words-changed", "servers production", &[("x-serves: [/a, /b]", "x-serves: [/a, /b, /c]")]),
    ("server-words-changed", "streams: servers production main", &[("protocol: wss", "protocol: ws")]),
    ("description-changed", "servers production", &[("x-hosts:", "description: d, x-hosts:")]),
    ("server-narrowed", "servers production", &[("x-serves: [/a, /b]", "x-serves: [/a]")]),
    ("error-code-renamed", "ErrorCode::NoMoney", &[("'1': no_money", "'1': no_cash")]),
    ("error-code-removed", "ErrorCode::NoMoney", &[("'1': no_money, ", "")]),
    ("error-code-added", "ErrorCode::TooEarly", &[("'1': no_money", "'1': no_money, '3': too_early")]),
    // The variant stays.
    ("errors-changed", "x-errors", &[("'1': no_money", "'3': no_money")]),
    ("errors-changed", "x-errors", &[("'1': no_money", "'1': no-money")]),
    ("variable-renamed", "x-variables KEY_SECRET", &[("secret: KEY_SECRET", "secret: SECRET")]),
    ("variable-removed", "x-variables KEY_SECRET", &[("kind: key", "kind: private-key")]),
    ("variable-removed", "x-variables KEY_ID", &[("proves: [key, other]", "proves: [key]")]),
    ("variable-renamed", "x-variables", &[("x-variables:\n", "x-variables:\n  of: other\n")]),
    ("authentication-changed", "x-variables", &[("x-variables:\n", "x-variables:\n  together: true\n")]),
    (
        "keys-removed",
        "x-keys",
        &[("x-keys: { managed-by: key, edit: [], others: { margin: { managed-by: key } } }\n", "")],
    ),
    ("keys-removed", "x-keys edit", &[("edit: [], ", "")]),
    ("keys-removed", "x-keys margin", &[("others: { margin: { managed-by: key } }", "others: {}")]),
    ("keys-added", "x-keys create", &[("edit: []", "edit: [], create: {}")]),
    ("keys-changed", "x-keys", &[("edit: []", "edit: [], most: 5")]),
    ("keys-changed", "x-keys margin", &[("margin: { managed-by: key", "margin: { managed-by: session")]),
    ("setting-added", "x-client-headers X-UNIT", &[("[ms, us]", "[ms, us, ns]")]),
    ("setting-removed", "x-client-headers X-UNIT", &[("[ms, us]", "[ms]")]),
    ("setting-removed", "streams: x-query unit", &[("x-query: { unit: [ms] }\n", "")]),
    ("websocket-removed", "x-websocket production", &[("production: 'wss://a.example.com'", "production: none")]),
    ("websocket-added", "x-websocket demo", &[("production: 'wss:", "demo: 'wss://d.example.com', production: 'wss:")]),
    ("other-change", "x-websocket", &[("'wss://a.example.com'", "'wss://c.example.com'")]),
    ("other-change", "x-websocket", &[("dead-after: 60", "dead-after: 30")]),
    // Words of channels and their messages.
    ("other-change", "channel book(item)", &[(", x-lower-case: true", "")]),
    ("other-change", "channel book(one)", &[(", alias-of: items", "")]),
    ("other-change", "channel book(mode)", &[(", of-connection: true", "")]),
    ("other-change", "GetMarkets(status)", &[("name: status,", "name: status, x-left-out: true,")]),
    ("recovery-changed", "channel book book", &[(", x-snapshot: true", "")]),
    ("server-removed", "servers production", &[("x-environment: production", "x-environment: live")]),
    ("limits-changed", "x-buckets", &[("refill: 10", "refill: 20")]),
    ("errors-changed", "x-errors", &[("no_money: insufficient-funds", "no_cash: insufficient-funds")]),
    (
        "other-change",
        "x-key-page",
        &[("security: [{ key: [] }]\n", "security: [{ key: [] }]\nx-key-page: { together: true }\n")],
    ),
];

#[test]
fn each_rule_is_found_where_it_applies_and_nowhere_else() {
    let mut covered = BTreeSet::new();
    for (rule, place, edits) in SEEDS.into_iter().chain(MORE) {
        let found = changes(edits);
        let said: Vec<String> = found.iter().map(|change| format!("{} {}", change.rule.name, change.place)).collect();
        assert!(said.contains(&format!("{rule} {place}")), "{rule} {place} is not among {said:?}");
        // What else the edit brings about is of the same place or a consequence that is listed here.
        let others: Vec<&String> = said.iter().filter(|one| !one.contains(place)).collect();
        let consequences = [
            "other-change servers",
            "server-added",
            "type-",
            // What a credential proves holds for each of its variables.
            "variable-",
            "parameter-",
            "recovery-changed",
            "operation-",
            "response-",
            "enum-",
        ];
        let strange: Vec<_> =
            others.iter().filter(|one| !consequences.iter().any(|known| one.starts_with(known))).collect();
        assert!(strange.is_empty(), "{rule} {place}: {strange:?}");
        covered.insert(rule);
    }
    // A deprecation that is taken back is the same change from the other side; venues as a whole are tested below.
    covered.extend(["operation-not-deprecated", "parameter-not-deprecated", "field-not-deprecated", "object-closed"]);
    covered.extend(["venue-added", "venue-removed"]);
    let all: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(covered, all);
}

#[test]
fn what_did_not_change_is_not_reported() {
    assert!(changes(&[]).is_empty());
    // What is taken back is the same change from the other side.
    for (edit, rule) in [
        (("operationId: CreateOrder", "operationId: CreateOrder\n      deprecated: true"), "operation-not-deprecated"),
        (("name: limit, in: query", "name: limit, in: query, deprecated: true"), "parameter-not-deprecated"),
        (("word: { type: string }", "word: { type: string, deprecated: true }"), "field-not-deprecated"),
        (("    x-vital: [title", "    additionalProperties: true\n    x-vital: [title"), "object-closed"),
    ] {
        let back = compare(&ours::surface(&document(&[edit])), &ours::surface(&document(&[])));
        assert_eq!(back.iter().map(|change| change.rule.name).collect::<Vec<_>>(), [rule]);
    }
}
