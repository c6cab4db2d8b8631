//! Whatever a text of a spec says, rustdoc has nothing against what is generated of it.

use std::path::Path;
use std::process::{Command, Output};

use proptest::collection::vec;
use proptest::strategy::{Strategy as _, ValueTree as _};
use serde_json::Value;
use syn::visit::{self, Visit};

use super::mutated_specs::runner;
use super::{Scratch, root};
use crate::characters::first_problem;
use crate::document::Document;
use crate::emit::generate;
use crate::lint::lint;
use crate::markup;

/// Texts that look like markup of one kind or another.
const TEXTS: [&str; 34] = [
    "See https://docs.venue.test/page?a=1&b=2, and http://venue.test.",
    "(https://venue.test/a_(b)) or \"https://venue.test\" or 'http://venue.test/x'",
    "xhttps://venue.test HTTPS://VENUE.TEST https://1.2.3.4:80/ https://a.b[c]",
    "[brackets] and [`code`] and [Client] and [text](target) and [text][label] and [^note]",
    "[label]: https://venue.test 'title'",
    "[label]: target",
    "![image](x.png) [ ] [x] task",
    "<b>bold <html> </p> <T> Vec<T> <https://venue.test> <a@b.test> < > <!-- no end",
    "<script>alert(1)</script> <?php ?> <![CDATA[ <!DOCTYPE",
    "`unbalanced",
    "`` ` ``",
    "`a`b`",
    "` ` and `[x]` and `<y>`",
    "```\nfn main() { panic!() }\n```",
    "```rust\nlet x: ();",
    "~~~\nlet x = ;\n~~~",
    "    let indented = code;\n\n    more();",
    "\tlet tab = code;",
    "text\n\n        let deep = code;",
    "- item\n\n      let in_item = code;",
    "1. one\n\n        let in_item = code;",
    "> quote\n>     code",
    "# heading {#id .class}\n## [link]",
    "heading\n===\nheading\n---\n***\n___",
    "| a | b |\n|---|---|\n| [x] | <y> |",
    "*/ and /* and */ and //! and ///",
    "/ begins with a slash",
    "* star\n* [star]",
    "\\[escaped\\](https://venue.test) \\`tick \\<b> \\",
    "&lt;b&gt; &#60;b&#62; &amp; &copy &#96;x",
    "$x$ $$y$$ ~~struck~~ **bold** __bold__ *a _b* c_",
    "crate::Type Self::new() std::vec::Vec `struct@Foo` @mention #tag 100% {x}",
    "\u{e9}\u{2013}\u{4e2d} [\u{e9}] <\u{4e2d}> https://\u{e9}.test/\u{4e2d}",
    "{\"json\": [\"<a>\", \"https://venue.test\"]}",
];

/// What texts are made of in the random ones.
const PIECES: [&str; 30] = [
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    "/",
    "`",
    "``",
    "```",
    "\n",
    "\n\n",
    "    ",
    "\t",
    "#",
    "- ",
    "* ",
    "1. ",
    "> ",
    "https://v.test",
    "http://",
    "\\",
    "|",
    "a",
    "b c",
    "&lt;",
    "!",
    ":",
    "~~~",
    "===",
];

/// Documents a function with each text, as generated code does.
fn documented<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let functions = texts.enumerate().map(|(i, text)| {
        let name = quote::format_ident!("f{i}");
        quote::quote!(#[doc = #text] pub fn #name() {})
    });
    let file = syn::parse2(quote::quote!(#(#functions)*)).unwrap();
    prettyplease::unparse(&file)
}

fn rustdoc(folder: &Path, arguments: &[&str]) -> Output {
    let rustdoc = std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    // The toolchain is that of the checkout, not of the temporary folder.
    Command::new(rustdoc)
        .current_dir(root())
        .args(arguments)
        .arg(folder.join("lib.rs"))
        .arg("-o")
        .arg(folder.join("doc"))
        .output()
        .unwrap()
}

fn accepted(source: &str) {
    let scratch = Scratch::new();
    scratch.write("lib.rs", source);
    let run = rustdoc(
        scratch.path(),
        &["--edition=2024", "-Dwarnings", "-Drustdoc::all", "-Arustdoc::missing_crate_level_docs"],
    );
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let run = rustdoc(scratch.path(), &["--edition=2024", "--test", "--test-args=--list"]);
    let listed = String::from_utf8_lossy(&run.stdout);
    assert!(listed.contains("0 tests"), "a text became a test:\n{listed}{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn rustdoc_takes_any_text() {
    let mut texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    let mut runner = runner();
    for _ in 0..600 {
        let pieces = vec(0..PIECES.len(), 1..14).new_tree(&mut runner).unwrap().current();
        texts.push(pieces.into_iter().map(|i| PIECES[i]).collect());
    }
    let texts: Vec<String> = texts.iter().map(|text| markup::text(text)).collect();
    accepted(&documented(texts.iter().map(String::as_str)));
}

#[test]
fn the_texts_need_what_is_done_to_them() {
    // As they are, rustdoc refuses nearly all: the check above can fail.
    let scratch = Scratch::new();
    scratch.write("lib.rs", &documented(TEXTS.into_iter()));
    let run = rustdoc(scratch.path(), &["--edition=2024", "-Wrustdoc::all", "-Arustdoc::missing_crate_level_docs"]);
    assert!(String::from_utf8_lossy(&run.stderr).matches("warning: ").count() > 20);
}

/// The documentation of a client's items, except where it links to the client.
#[derive(Default)]
struct Docs(Vec<String>);

impl<'ast> Visit<'ast> for Docs {
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::NameValue(meta) = &attribute.meta
            && meta.path.is_ident("doc")
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &meta.value
        {
            self.0.push(text.value());
        }
        visit::visit_attribute(self, attribute);
    }
}

/// Puts a text wherever a document has one for people.
fn describe(value: &mut Value, text: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| describe(item, text)),
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                match (key.as_str(), &inner) {
                    ("description" | "summary" | "title" | "x-scope", Value::String(_)) => *inner = text.into(),
                    _ => describe(inner, text),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn a_client_with_any_text_is_documented() {
    for (venue, texts) in [("kalshi_perps", &TEXTS[..17]), ("bayse", &TEXTS[17..]), ("kalshi_perps", &TEXTS[17..])] {
        let document = Document::read(&root(), venue).unwrap();
        let mut value = super::mutate::part(&document, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).value;
        describe(&mut value, &texts.join("\n\n"));
        let document = document.derived(document.kind, value);
        assert_eq!(lint(&document), []);
        let files = generate(&document).unwrap().files;
        let mut docs = Docs::default();
        for name in ["client.rs", "venue.rs"] {
            assert_eq!(first_problem(&files[name]), None);
            docs.visit_file(&syn::parse_file(&files[name]).unwrap());
        }
        let mut texts = docs.0;
        texts.retain(|text| !text.contains("Client::") && !text.contains("types::"));
        assert!(texts.len() > 50, "{}", texts.len());
        accepted(&documented(texts.iter().map(|text| text.as_str())));
    }
}
