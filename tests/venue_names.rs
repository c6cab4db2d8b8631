//! What a venue is like stands in `specs/` and in its crate. Other crates name venues only where this list says so, and the numbers
//! only fall.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;

/// The crates that know no venue.
const CRATES: [&str; 9] = ["auth", "books", "cli", "keys", "spec", "streams", "transport", "venues", "wire"];

/// Files that may name venues: how often, and why.
const ALLOWED: &[(&str, usize, &str)] = &[
    (
        "crates/auth/src/bayse.rs",
        5,
        "the signer of its client, without a loop over pieces; tests/described_signers.rs holds it to x-signatures",
    ),
    (
        "crates/auth/src/deribit.rs",
        7,
        "the signer of its client, without a loop over pieces; tests/described_signers.rs holds it to x-signatures",
    ),
    (
        "crates/auth/src/kalshi.rs",
        6,
        "the signer of its client, without a loop over pieces; tests/described_signers.rs holds it to x-signatures",
    ),
    ("crates/auth/src/lib.rs", 4, "the modules of these signers, whose names are public"),
    ("crates/auth/src/yativo/webhook.rs", 2, "headers of webhook deliveries, which no operation of a spec describes"),
    ("crates/cli/src/commands/call/mod.rs", 1, "an example on the help page of the command"),
    ("crates/cli/src/commands/doctor/mod.rs", 1, "an example on the help page of the command"),
    ("crates/cli/src/commands/keys/adopt.rs", 1, "an example on the help page of the command"),
    ("crates/cli/src/commands/keys/create.rs", 1, "an example on the help page of the command"),
    ("crates/cli/src/commands/keys/mod.rs", 1, "an example on the help page of the command"),
    ("crates/cli/src/commands/manual.rs", 1, "an example on the help page of the command"),
    ("crates/cli/src/commands/sign/mod.rs", 1, "an example on the help page of the command"),
    ("crates/cli/src/commands/verify/mod.rs", 1, "an example on the help page of the command"),
    ("crates/cli/src/commands/watch/mod.rs", 1, "an example on the help page of the command"),
    ("crates/cli/src/sandbox/mod.rs", 1, "an example on the help page of the command"),
];

fn venues() -> BTreeSet<String> {
    let folders = fs::read_dir("specs").unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        if path.is_dir() {
            if !["generated", "tests"].contains(&name.as_str()) {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    let says_test =
        |one: &syn::Attribute| one.path().is_ident("cfg") && one.to_token_stream().to_string().contains("test");
    attributes.iter().any(says_test)
}

/// Names and literals of a file, without its documentation and its tests.
fn words(text: &str) -> Vec<String> {
    let file = syn::parse_file(text).unwrap();
    let mut words = Vec::new();
    for item in file.items {
        let test = match &item {
            syn::Item::Mod(item) => is_test(&item.attrs),
            syn::Item::Fn(item) => is_test(&item.attrs),
            syn::Item::Use(item) => is_test(&item.attrs),
            syn::Item::Impl(item) => is_test(&item.attrs),
            _ => false,
        };
        if !test {
            collect(item.to_token_stream(), &mut words);
        }
    }
    words
}

fn collect(tokens: TokenStream, words: &mut Vec<String>) {
    let mut before_brackets = false;
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => {
                // `#[doc = "..."]` is documentation.
                let is_doc = before_brackets && group.stream().to_string().starts_with("doc");
                if !is_doc {
                    collect(group.stream(), words);
                }
                before_brackets = false;
            }
            TokenTree::Punct(punct) => {
                before_brackets = punct.as_char() == '#' || before_brackets && punct.as_char() == '!'
            }
            TokenTree::Ident(name) => {
                words.push(name.to_string());
                before_brackets = false;
            }
            TokenTree::Literal(literal) => {
                words.push(literal.to_string());
                before_brackets = false;
            }
        }
    }
}

/// How often the words name a venue.
fn count(words: &[String], venues: &BTreeSet<String>) -> usize {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let names: Vec<String> = venues.iter().map(|venue| plain(venue)).collect();
    words.iter().map(|word| plain(word)).filter(|word| names.iter().any(|name| word.contains(name))).count()
}

#[test]
fn no_other_crate_names_a_venue() {
    let venues = venues();
    let mut found = BTreeMap::new();
    for one in CRATES {
        let mut files = Vec::new();
        sources(&PathBuf::from(format!("crates/{one}/src")), &mut files);
        for path in files {
            let named = count(&words(&fs::read_to_string(&path).unwrap()), &venues);
            if named > 0 {
                found.insert(path.display().to_string(), named);
            }
        }
    }
    let allowed: BTreeMap<String, usize> = ALLOWED.iter().map(|(path, most, _)| ((*path).to_owned(), *most)).collect();
    assert_eq!(
        found, allowed,
        "left: what names venues; right: what may. A new match belongs into specs/ or the venue's crate; a number that has fallen is \
         written down here"
    );
    assert!(ALLOWED.iter().all(|(_, _, why)| why.len() > 20), "each has its reason");
}

#[test]
fn names_are_found_in_code_and_not_in_documentation() {
    let venues = BTreeSet::from(["kalshi_perps".to_owned(), "bayse".to_owned()]);
    let code = r#"
        //! Bayse.
        /// For bayse.
        fn a(venue: Venue) -> bool { venue == Venue::KalshiPerps || name == "kalshi-perps" }
        #[cfg(test)]
        mod tests { const A: &str = "bayse"; }
    "#;
    assert_eq!(count(&words(code), &venues), 2);
    assert_eq!(count(&words("fn b() { bayse::login() }"), &venues), 1);
}
