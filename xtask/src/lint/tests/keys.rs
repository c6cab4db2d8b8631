//! The life cycle of keys (`x-keys`): a sound one with every rarer word, what it becomes, and mistakes in it.

use super::{REST, findings, owned, read};
use crate::emit::generate;

const KEYS: &str = "\
x-keys:
  family: first
  managed-by: key
  scopes: optional
  name: { longest: 20, separator: '-' }
  addresses: true
  create:
    operation: MakeThing
    fields: { name: name, scopes: { flags: [page, from] }, addresses: { field: kind, form: commas, with: { page: x } } }
    fixed: { id: x }
    copies: { id: /weight }
    returns: { id: [/id], public-id: [/id], secret: [/rest/mark] }
  register:
    operation: MakeThing
    fields: { name: name, scopes: page, scopes-for: { pairs: [ed25519], otherwise: x }, public-key: kind, pairs: [ed25519] }
    fixed: { id: x }
    returns: { id: [/id], public-id: [/id] }
  list:
    operation: ListThings
    with: { page: all }
    at: [/parts]
    sub-account: from
    entry: { id: [/weight], addresses: [/rest/mark], addresses-form: commas, bound: [/weight], limits: [{ at: /weight, says: it is heavy }] }
    detail: { operation: MakeThing, id: id, sub-account: from }
  own: { operation: ListThings, entry: { name: [/last] } }
  edit:
    - operation: MakeThing
      id: id
      sub-account: from
      fields: { name: name, addresses: { field: kind, form: commas } }
      always-addresses: true
      unbound: { kind: any }
      copies: { kind: /weight }
    - { operation: MakeThing, fields: { scopes: { flags: [page] } }, copies: { kind: /last, id: /last } }
    - { operation: MakeThing, id: id, removes: { field: kind, form: commas } }
  revoke: { operation: MakeThing, id: id, sub-account: from }
  sub-accounts: { operation: ListThings, with: { page: all }, at: [/parts], id: [/weight] }
  others:
    second:
      managed-by: key
      scopes: none
      name: { longest: 20, separator: '-' }
      create: { operation: MakeThing, fields: { name: name }, fixed: { id: x }, returns: { id: [/id], secret: [/rest/mark] } }
      list: { operation: ListThings, at: [/parts], entry: { id: [/weight] } }
      revoke: { operation: MakeThing, id: id }
";

/// What is replaced in the life cycle and with what, and a part of the message.
const MISTAKES: [(&str, &str, &str); 33] = [
    ("  family: first\n", "", "`family` does not name this one"),
    (
        "    fixed: { id: x }\n    copies: { id: /weight }\n    returns: { id: [/id], public-id: [/id], s",
        "    returns: { id: [/id], public-id: [/id], s",
        "requires `id`",
    ),
    ("{ kind: /last, id: /last }", "{ kind: /last }", "requires `id`"),
    ("  own: { operation: ListThings", "  own: { operation: MakeThing", "requires `id`"),
    ("    second:\n", "    first:\n", "is named once"),
    ("    second:\n", "    second:\n      family: third\n", "is named once"),
    ("flags: [page, from]", "flags: [page, none]", "has no `none`"),
    ("flags: [page, from]", "flags: []", "`flags` is empty: it lists the members"),
    ("form: commas, with", "form: flags, with", "`flags: [kind]` lists the members"),
    ("with: { page: x }", "with: { none: x }", "has no `none`"),
    ("otherwise: x }, public-key: kind, pairs", "otherwise: x }, pairs", "`pairs` goes with"),
    ("scopes: page, scopes-for", "scopes-for", "`scopes-for` names kinds of pair"),
    ("{ pairs: [ed25519], otherwise", "{ pairs: [], otherwise", "`scopes-for` names kinds of pair"),
    ("  addresses: true\n", "", "`addresses: true` stands where"),
    (
        "      name: { longest: 20, separator: '-' }\n",
        "      name: { longest: 20, separator: '-' }\n      addresses: true\n",
        "`addresses: true` stands where",
    ),
    ("at: /weight, says", "at: /rest/mark, says", "`copies` leaves out `/rest/mark`"),
    ("bound: [/weight]", "bound: [/none]", "has no `/none`"),
    ("    with: { page: all }", "    with: { none: all }", "has no `none`"),
    ("addresses: [/rest/mark], addresses-form", "addresses-form", "`addresses-form` goes with"),
    ("addresses: [/rest/mark]", "addresses: [/none]", "has no `/none`"),
    ("detail: { operation: MakeThing, id: id", "detail: { operation: MakeThing, id: none", "has no `none`"),
    ("fields: { name: name, addresses: {", "fields: { name: none, addresses: {", "has no `none`"),
    ("unbound: { kind: any }", "unbound: { none: any }", "has no `none`"),
    ("copies: { kind: /weight }", "copies: { kind: /none }", "has no `/none`"),
    ("copies: { kind: /last,", "copies: { kind: /weight,", "has no `/weight`"),
    ("scopes: { flags: [page] }", "scopes: { flags: [none] }", "has no `none`"),
    ("removes: { field: kind", "fields: { name: name }, removes: { field: kind", "and not both"),
    (
        "      fields: { name: name, addresses: { field: kind, form: commas } }\n",
        "      fields: { name: name }\n",
        "go with `addresses`",
    ),
    ("  own: { operation: ListThings, entry: { name: [/last] } }\n", "", "which `own` shows"),
    ("own: { operation: ListThings, entry: { name", "own: { operation: ListThings, entry: { public-id", "has no `id`"),
    ("entry: { id: [/weight], addresses", "entry: { addresses", "has no `id`"),
    (
        "      revoke: { operation: MakeThing, id: id }",
        "      revoke: { operation: MakeThing, id: id, sub-account: from }",
        "`list` asks for none",
    ),
    (
        "  others:",
        "  probes: [{ operation: MakeThing, members: [id], proves: it works }]\n  others:",
        "may change something",
    ),
];

/// Has a list that is asked for with what a life cycle may send along, and requests that require nothing but an id.
pub fn with_list(files: &mut [(&'static str, String)]) {
    let nothing = "      responses:\n        '204': { description: nothing }\n";
    let list = "      parameters:
        - { name: page, in: query, schema: { type: string } }
        - { name: from, in: query, schema: { type: integer } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/schemas/Thing' } } } }
";
    assert!(files[1].1.contains(nothing));
    files[1].1 = files[1].1.replacen(nothing, list, 1).replacen("    required: [name]\n", "", 1);
}

/// The sound spec with a life cycle of keys.
fn files(keys: &str) -> Vec<(&'static str, String)> {
    let mut files = owned(REST);
    files[0].1 = files[0].1.replacen("paths:\n", &format!("{keys}paths:\n"), 1);
    with_list(&mut files);
    files
}

#[test]
fn mistakes_in_a_life_cycle_are_named() {
    assert_eq!(findings(&files(KEYS)), []);
    for (from, to, expected) in MISTAKES {
        assert!(KEYS.contains(from), "{from}");
        let found = findings(&files(&KEYS.replacen(from, to, 1)));
        let is_it = found.iter().any(|one| one.rule == "bad-word" && one.message.contains(expected));
        assert!(is_it, "{to}: {expected:?} is not in {found:?}");
    }
}

#[test]
fn a_scope_is_one_that_a_key_can_be_made_with() {
    let keys = KEYS.replacen("scopes: { flags: [page, from] }", "scopes: scopes", 1);
    for (scope, is_known) in [("read", true), ("raed", false)] {
        let mut files = files(&keys);
        files[1].1 =
            files[1].1.replacen("      x-retry: never", &format!("      x-retry: never\n      x-scope: {scope}"), 1);
        let scopes = "      scopes: { type: array, items: { $ref: '#/schemas/Scope' } }\n";
        files[1].1 = files[1].1.replacen("      kind: {", &format!("{scopes}      kind: {{"), 1);
        files[1].1 += "  Scope: { type: string, enum: [read, write] }\n";
        let found = findings(&files);
        let is_named =
            found.iter().any(|one| one.rule == "bad-word" && one.message.contains("`raed` is not one of the scopes"));
        assert_eq!(is_named, !is_known, "{found:?}");
    }
}

#[test]
fn keys_are_managed_where_the_server_has_the_calls() {
    for (serves, environments) in
        [("[/things]", r#"environments:&["production"]"#), ("[/other, /things]", "environments:&[]")]
    {
        let mut files = files(KEYS);
        let test = format!("production }}\n  - {{ url: 'https://w.test', x-environment: test, x-serves: {serves} }}");
        files[0].1 = files[0].1.replacen("production }", &test, 1);
        files[0].1 = files[0].1.replacen(
            "  /things: { $ref: 'a.yaml#/paths/~1things' }",
            "  /other/things: { $ref: 'a.yaml#/paths/~1other~1things' }",
            1,
        );
        files[1].1 = files[1].1.replacen("  /things:\n", "  /other/things:\n", 1);
        assert_eq!(findings(&files), []);
        let table = &generate(&read(&files).unwrap()).unwrap().files["venue.rs"];
        let table: String = table.split_whitespace().collect();
        // Both families.
        assert_eq!(table.matches(environments).count(), 2, "{serves}\n{table}");
    }
}
