//! Mistakes in what a spec says of credentials and keys.

use super::keys::with_list;
use super::{Case, REST, check, check_in, findings, owned, read};
use crate::emit::generate;

const ERRORS: &str = "x-errors: { code: [/code] }";
const SCHEME: &str = "x-credential: key, x-carries: secret";

macro_rules! root {
    ($text:literal) => {
        concat!("x-errors: { code: [/code] }\n", $text)
    };
}

/// Names an operation of each kind, fields and places that exist.
const CASES: &[Case] = &[
    ("missing-word", SCHEME, "x-credential: key", "    key:"),
    ("bad-word", SCHEME, "x-credential: key, x-carries: token", "x-carries"),
    ("misplaced-word", ERRORS, root!("x-carries: id"), "x-carries"),
    ("misplaced-word", ERRORS, root!("x-key-page: somewhere"), "x-key-page"),
    ("bad-word", "x-environment: production", "x-environment: production, x-key-page: ''", "https://v.test"),
    ("bad-word", ERRORS, root!("x-variables: { credentials: [{ kind: key, id: A, secret: B }] }"), "x-variables"),
    (
        "bad-word",
        ERRORS,
        root!("x-variables: { credentials: [{ kind: key, id: A, secret: B, proves: [] }] }"),
        "x-variables",
    ),
    (
        "bad-word",
        ERRORS,
        root!("x-variables: { credentials: [{ kind: key, id: A, secret: B, proves: [other] }] }"),
        "x-variables",
    ),
    (
        "bad-word",
        ERRORS,
        root!("x-variables: { credentials: [{ kind: key, id: A, secret: B, proves: [key], begins: [a] }] }"),
        "x-variables",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-logins: { other: { operation: MakeThing, takes: [key], fields: { id: name, secret: kind }, returns: { token: /id } } }"
        ),
        "x-logins",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-logins: { key: { operation: Login, takes: [key], fields: { id: name, secret: kind }, returns: { token: /id } } }"
        ),
        "x-logins",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-logins: { key: { operation: MakeThing, takes: [key], fields: { id: name, secret: none }, returns: { token: /id } } }"
        ),
        "x-logins",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-logins: { key: { operation: MakeThing, takes: [key], fields: { id: name, secret: kind }, returns: { token: /none } } }"
        ),
        "x-logins",
    ),
    (
        "bad-word",
        ERRORS,
        root!("x-logins: { key: { operation: MakeThing, takes: [key], returns: { token: /id } } }"),
        "x-logins",
    ),
    (
        "bad-word",
        ERRORS,
        root!("x-logins: { key: { operation: MakeThing, takes: [key], signed-by: other, returns: { token: /id } } }"),
        "x-logins",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-signatures: { login: { text: [time, body_hash], time: unix-s, keys: { shared: [hmac-sha256, hex] }, params: { a: '{signature}' } } }"
        ),
        "x-signatures",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-signatures: { login: { text: [time, Method], time: unix-s, keys: { shared: [hmac-sha256, hex] }, params: { a: '{signature}' } } }"
        ),
        "x-signatures",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-signatures: { login: { text: [tme], time: unix-s, keys: { shared: [hmac-sha256, hex] }, params: { a: '{signature}' } } }"
        ),
        "x-signatures",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-signatures: { login: { text: [time], time: unix-s, keys: { shared: [pss-sha256, hex] }, params: { a: '{signature}' } } }"
        ),
        "x-signatures",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-signatures: { login: { text: [time], time: unix-s, keys: { shared: [hmac-sha256, hex] }, params: { a: '{id}' } } }"
        ),
        "x-signatures",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-signatures: { login: { text: [time], time: unix-s, keys: { shared: [hmac-sha256, hex] }, params: { a: '{key}{signature}' } } }"
        ),
        "x-signatures",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-signatures: { login: { text: [time], time: unix-s, keys: { shared: [hmac-sha256, hex] }, params: { a: '{signature' } } }"
        ),
        "x-signatures",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-signatures: { login: { text: [time], time: unix-us, keys: { shared: [hmac-sha256, hex] }, params: { a: '{signature}' } } }"
        ),
        "x-signatures",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-signatures: { login: { text: [time], time: unix-s, keys: { shared: [hmac-sha256, hex] }, unsure: [rsa], params: { a: '{signature}' } } }"
        ),
        "x-signatures",
    ),
    (
        "bad-word",
        ERRORS,
        root!(
            "x-signatures: { sign: { text: [time], time: unix-s, keys: { shared: [hmac-sha256, hex] }, headers: { X-Sign: '{signature}' } } }"
        ),
        "x-signatures",
    ),
    ("bad-word", ERRORS, root!("x-clock-window: { behind: 0, ahead: 5 }"), "x-clock-window"),
    ("bad-word", ERRORS, root!("x-clock-window: { behind: 5 }"), "x-clock-window"),
    ("bad-word", ERRORS, root!("x-probes: { reach: { operation: GetThings } }"), "x-probes"),
    ("bad-word", ERRORS, root!("x-probes: { reach: { operation: ListThings, members: [id] } }"), "x-probes"),
    (
        "bad-word",
        ERRORS,
        root!("x-probes: { key: [{ operation: ListThings, with: { id: a }, proves: it reads }] }"),
        "x-probes",
    ),
    (
        "bad-word",
        ERRORS,
        root!("x-probes: { key: [{ operation: MakeThing, with: { name: a }, proves: it reads }] }"),
        "x-probes",
    ),
    ("bad-word", ERRORS, root!("x-probes: { key: [{ operation: ListThings }] }"), "x-probes"),
    ("bad-word", ERRORS, root!("x-probes: { key: [{ operation: ListThings, proves: it reads }] }"), "x-probes"),
    ("bad-word", ERRORS, root!("x-symptoms: { first: [{ says: 'Not found', cause: unknown-key }] }"), "x-symptoms"),
    ("bad-word", ERRORS, root!("x-symptoms: { first: [{ says: not found, cause: unknown }] }"), "x-symptoms"),
    (
        "bad-word",
        ERRORS,
        root!("x-symptoms: { first: [{ kind: refused, says: not found, cause: unknown-key }] }"),
        "x-symptoms",
    ),
    ("bad-word", ERRORS, root!("x-symptoms: { last: [{ cause: unknown-key }] }"), "x-symptoms"),
    (
        "bad-word",
        "      x-retry: never",
        "      x-retry: never\n      x-reconcile: { operation: ListThings, by: [none] }",
        "x-reconcile",
    ),
    (
        "bad-word",
        "      x-retry: never",
        "      x-retry: never\n      x-reconcile: { operation: ListThings }",
        "x-reconcile",
    ),
];

/// A life cycle whose parts are given.
macro_rules! keys {
    ($create:literal, $entry:literal, $rest:literal) => {
        concat!(
            "x-errors: { code: [/code] }\n",
            "x-keys: { managed-by: key, scopes: none, name: { longest: 20, separator: '-' }, ",
            "create: { operation: MakeThing, fields: { ",
            $create,
            " }, fixed: { id: x }, returns: { id: [/id], public-id: [/id], secret: [/rest/mark] } }, ",
            "list: { operation: ListThings, at: [/parts], entry: { ",
            $entry,
            " } }, ",
            "revoke: { operation: MakeThing, id: id }",
            $rest,
            " }"
        )
    };
}

const KEYS: &[Case] = &[
    ("bad-word", ERRORS, keys!("name: none", "id: [/weight]", ""), "x-keys"),
    ("bad-word", ERRORS, keys!("name: name, public-key: kind", "id: [/weight]", ""), "x-keys"),
    ("bad-word", ERRORS, keys!("name: name", "id: [/none]", ""), "x-keys"),
    ("bad-word", ERRORS, keys!("name: name", "id: [weight]", ""), "x-keys"),
    ("bad-word", ERRORS, keys!("name: name", "name: [/weight]", ""), "x-keys"),
    ("bad-word", ERRORS, keys!("name: name", "id: [/weight], limits: [{ at: /weight, says: '{} {}' }]", ""), "x-keys"),
    ("bad-word", ERRORS, keys!("name: name", "id: [/weight], disabled-is: off", ""), "x-keys"),
    (
        "bad-word",
        ERRORS,
        keys!("name: name", "id: [/weight]", ", enable: { operation: MakeThing, id: none }"),
        "x-keys",
    ),
    (
        "bad-word",
        ERRORS,
        keys!("name: name", "id: [/weight]", ", rotate: { operation: None, id: id, returns: {} }"),
        "x-keys",
    ),
    ("bad-word", ERRORS, keys!("name: name", "id: [/weight]", ", most: many"), "x-keys"),
];

#[test]
fn mistakes_about_credentials_are_named() {
    check(REST, CASES);
    let mut files = owned(REST);
    with_list(&mut files);
    check_in(&files, KEYS);
}

#[test]
fn a_sound_life_cycle_is_generated() {
    let sound = keys!("name: name", "id: [/weight]", ", enable: { operation: MakeThing, id: id }");
    let mut files = owned(REST);
    with_list(&mut files);
    for (_, text) in &mut files {
        *text = text.replacen(ERRORS, sound, 1);
    }
    assert_eq!(findings(&files), []);
    let generated = generate(&read(&files).unwrap()).unwrap();
    let table = &generated.files["venue.rs"];
    assert!(table.contains("pub static KEYS: KeyLifecycle") && table.contains("pub fn keys(&self)"), "{table}");
}
