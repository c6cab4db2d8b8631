//! What one view of a thing shows, the other views of it show too: public methods beside their private twins, and methods beside the
//! channels of the same name. Deribit alone has both. The differences that are right stand with their reasons in the venue's
//! `sources.md`, which is read here; what is not listed there is a field that a caller loses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// One of our schemas, another view of the same thing, and the fields of that view which the schema does not have.
struct Row {
    schema: String,
    view: String,
    lacks: BTreeSet<String>,
}

struct Views {
    lowered: Value,
    channels: BTreeMap<String, Vec<String>>,
    rows: Vec<Row>,
}

impl Views {
    fn read() -> Self {
        let read = |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let lowered = serde_json::from_str(&read("crates/deribit/src/generated/lowered.json")).unwrap();
        let mut channels: Value = serde_json::from_str(&read("tests/twins/channels.json")).unwrap();
        let channels = serde_json::from_value(channels["channels"].take()).unwrap();
        let sources = read("specs/deribit/sources.md");
        let table =
            sources.split("## Views of the same thing").nth(1).expect("the section").split("\n## ").next().unwrap();
        Self { lowered, channels, rows: table.lines().filter_map(row).collect() }
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let only = schema["allOf"].as_array().filter(|parts| parts.len() == 1).map(|parts| &parts[0]);
        match (schema["$ref"].as_str(), only) {
            (Some(target), _) => self.resolve(self.lowered.pointer(&target[1..]).expect(target)),
            (None, Some(only)) => self.resolve(only),
            (None, None) if schema["type"] == "array" => self.resolve(&schema["items"]),
            _ => schema,
        }
    }

    fn named(&self, name: &str) -> &Value {
        let schema = &self.lowered["components"]["schemas"][name];
        assert!(schema.is_object(), "`{name}` is a schema");
        self.resolve(schema)
    }

    /// Whether a value has a place for a field, by its dotted name. What is left open has a place for any.
    fn has<'a>(&'a self, mut schema: &'a Value, field: &str) -> bool {
        for name in field.split('.') {
            let Some(members) = self.resolve(schema)["properties"].as_object() else { return true };
            let Some(member) = members.get(name) else { return false };
            schema = member;
        }
        true
    }

    /// The fields of a view: a channel, a member of its notification behind a `#`, or one of our schemas.
    fn fields(&self, view: &str) -> Vec<String> {
        let (channel, member) = view.split_once('#').unwrap_or((view, ""));
        match self.channels.get(channel) {
            Some(fields) if member.is_empty() => fields.clone(),
            Some(fields) => {
                let below = format!("{member}.");
                fields.iter().filter_map(|field| field.strip_prefix(&below)).map(str::to_owned).collect()
            }
            None => self.named(view)["properties"].as_object().expect(view).keys().cloned().collect(),
        }
    }

    /// The name of what a method returns: of an item where it returns a list, or a page of one.
    fn shown(&self, path: &str) -> Option<&str> {
        let result =
            self.lowered["paths"][path]["post"]["responses"]["2XX"].pointer("/content/application~1json/schema")?;
        let name =
            |schema: &'_ Value| schema["$ref"].as_str().map(|target| target.rsplit('/').next().unwrap().to_owned());
        let item = |schema: &Value| name(schema).or_else(|| name(&schema["items"]));
        let members = self.resolve(result)["properties"].as_object();
        let is_page = members.is_some_and(|members| members.len() <= 3);
        let listed =
            members.filter(|_| is_page).and_then(|members| members.values().find_map(|member| name(&member["items"])));
        let name = listed.or_else(|| item(result))?;
        self.lowered["components"]["schemas"].as_object()?.keys().map(String::as_str).find(|known| *known == name)
    }
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.trim().trim_matches('|').split(" | ").map(str::trim).collect();
    let [schema, view, lacks, reason] = cells[..] else { return None };
    let plain = |cell: &str| cell.trim_matches('`').to_owned();
    if !schema.starts_with('`') {
        return None;
    }
    let lacks: BTreeSet<String> = lacks.split(", ").filter(|field| field.starts_with('`')).map(plain).collect();
    assert!(lacks.is_empty() || !reason.is_empty(), "{line}: a difference has a reason");
    Some(Row { schema: plain(schema), view: plain(view), lacks })
}

#[test]
fn no_view_loses_what_another_shows() {
    let views = Views::read();
    assert!(views.rows.len() > 30, "{} rows", views.rows.len());
    for row in views.rows.iter().filter(|row| row.schema != "none") {
        let schema = views.named(&row.schema);
        let fields = views.fields(&row.view);
        assert!(!fields.is_empty(), "{} has fields", row.view);
        let lacks: BTreeSet<String> = fields.into_iter().filter(|field| !views.has(schema, field)).collect();
        assert_eq!(lacks, row.lacks, "what `{}` has of `{}`", row.schema, row.view);
    }
}

#[test]
fn every_channel_is_held_against_a_method() {
    let views = Views::read();
    let held: BTreeSet<&str> = views.rows.iter().map(|row| row.view.split('#').next().unwrap()).collect();
    for channel in views.channels.keys() {
        assert!(held.contains(channel.as_str()), "`{channel}` has a row in sources.md");
    }
}

#[test]
fn every_public_method_is_held_against_its_private_twin() {
    let views = Views::read();
    let paths = views.lowered["paths"].as_object().unwrap();
    let bare = |path: &str| {
        let mut name = path.rsplit('/').next().unwrap().to_owned();
        for (word, without) in
            [("_last_", "_"), ("_new_", "_"), ("_user_", "_"), ("_history", ""), ("settlements", "settlement")]
        {
            name = name.replace(word, without);
        }
        name
    };
    let mut pairs = 0;
    for public in paths.keys().filter(|path| path.starts_with("/public/")) {
        for private in paths.keys().filter(|path| path.starts_with("/private/") && bare(path) == bare(public)) {
            let (Some(seen), Some(own)) = (views.shown(public), views.shown(private)) else { continue };
            let is_held = |row: &Row| row.schema == seen && row.view == own;
            assert!(seen == own || views.rows.iter().any(is_held), "{public} shows `{seen}`, {private} shows `{own}`");
            pairs += 1;
        }
    }
    assert!(pairs >= 7, "{pairs} pairs of methods");
}
