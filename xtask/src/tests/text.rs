//! No text makes the reader panic.

use proptest::collection::vec;
use proptest::prelude::any;

use super::mutated_specs::runner;
use super::root;
use crate::document::Document;
use crate::emit::generate;
use crate::lint::lint;
use crate::source::Source;

const PIECES: [&str; 28] = [
    "a", ": ", ":", "- ", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ",", "'", "\"", "&x ", "*x", "!!int ", "? ",
    "|\n", ">-\n", "#", "---\n", "...\n", "\t", "\u{0}", "~", "0x1", "1e999",
];

#[test]
fn any_text_is_read_or_refused() {
    let pieces = vec(0..PIECES.len(), 0..60);
    let run = runner().run(&pieces, |pieces| {
        let text: String = pieces.into_iter().map(|i| PIECES[i]).collect();
        let _ = Source::parse("a.yaml", &text);
        Ok(())
    });
    assert_eq!(run.map_err(|failure| failure.to_string()), Ok(()));
    let run = runner().run(&any::<String>(), |text| {
        let _ = Source::parse("a.yaml", &text);
        Ok(())
    });
    assert_eq!(run.map_err(|failure| failure.to_string()), Ok(()));
}

#[test]
fn a_damaged_spec_is_read_or_refused() {
    let text = std::fs::read_to_string(root().join("specs/bayse/orders.yaml")).unwrap();
    let lines: Vec<&str> = text.lines().take(60).collect();
    let damage = vec((0..lines.len(), any::<u8>(), 0..PIECES.len()), 1..4);
    let run = runner().run(&damage, |damage| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        for (at, place, piece) in damage {
            let line = &mut lines[at];
            let place =
                line.char_indices().map(|(i, _)| i).nth(usize::from(place) % (line.len() + 1)).unwrap_or(line.len());
            line.insert_str(place, PIECES[piece]);
        }
        let _ = Source::parse("a.yaml", &lines.join("\n"));
        Ok(())
    });
    assert_eq!(run.map_err(|failure| failure.to_string()), Ok(()));
}

#[test]
fn deep_nesting_is_refused_and_does_not_overflow() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("[", "")] {
        let deep = open.repeat(100_000) + &close.repeat(100_000);
        assert!(Source::parse("a.yaml", &format!("a: {deep}")).is_err(), "{open}");
    }
}

#[test]
fn the_deepest_schema_that_is_read_overflows_nothing_later() {
    let schema = |levels: usize| {
        let list = "{ type: array, items: ".repeat(levels) + "{}" + &" }".repeat(levels);
        format!(
            "openapi: 3.0.3\ninfo: {{ title: t, version: '1' }}\nsecurity: []\nx-errors: {{}}\npaths:\n  /a:\n    get:\n      operationId: GetA\n      x-retry: safe\n      responses:\n        '200':\n          description: d\n          content: {{ application/json: {{ schema: {list} }} }}\n        4XX: {{ description: d }}\n        5XX: {{ description: d }}\n"
        )
    };
    let read = |levels| Source::parse("specs/v/openapi.yaml", &schema(levels));
    let deepest = (1..1000).take_while(|levels| read(*levels).is_ok()).last().unwrap();
    let document = Document::join("v", vec![read(deepest).unwrap()]).unwrap();
    assert_eq!(lint(&document), []);
    generate(&document).unwrap();
}
