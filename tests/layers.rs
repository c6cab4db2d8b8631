//! What must not be: the invariants of docs/ARCHITECTURE.md that can be read off manifests and sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proc_macro2::TokenTree;
use serde_json::Value;
use syn::visit::{self, Visit};
use syn::{PathArguments, Type};

const VENUES: [&str; 7] = ["bayse", "binance", "bybit", "deribit", "kalshi", "kalshi_perps", "yativo"];

/// The package of a venue's folder.
fn package(venue: &str) -> String {
    format!("venuekit-{}", venue.replace('_', "-"))
}

/// The checkout that the tests run in, whichever it was where they were built: Cargo starts them in the folder of their package.
fn root() -> &'static Path {
    Path::new(".")
}

fn cargo(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO")).current_dir(root()).args(arguments).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

/// The workspace's packages with what each of them depends on, tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let all = package["dependencies"].as_array().unwrap().iter();
            let normal = all.filter(|dependency| dependency["kind"].is_null());
            let names = normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect();
            (package["name"].as_str().unwrap().to_owned(), names)
        })
        .collect()
}

fn ours(names: &BTreeSet<String>) -> BTreeSet<&str> {
    names.iter().map(String::as_str).filter(|name| name.starts_with("venuekit")).collect()
}

#[test]
fn each_crate_knows_only_the_ones_below_it() {
    let all = dependencies();
    assert_eq!(ours(&all["venuekit-wire"]), BTreeSet::new());
    assert_eq!(ours(&all["venuekit-auth"]), BTreeSet::from(["venuekit-wire"]));
    assert_eq!(ours(&all["venuekit-transport"]), BTreeSet::from(["venuekit-auth", "venuekit-wire"]));
    for venue in VENUES {
        let mut below = BTreeSet::from(["venuekit-auth", "venuekit-transport", "venuekit-wire"]);
        if root().join(format!("specs/{venue}/asyncapi.yaml")).exists() {
            below.insert("venuekit-streams");
        }
        assert_eq!(ours(&all[&package(venue)]), below);
    }
    assert_eq!(ours(&all["venuekit-books"]), BTreeSet::from(["venuekit-wire"]));
    assert_eq!(
        ours(&all["venuekit-streams"]),
        BTreeSet::from(["venuekit-books", "venuekit-transport", "venuekit-wire"])
    );
    // It verifies with code of its own what the clients sign.
    assert_eq!(ours(&all["venuekit-sandbox"]), BTreeSet::from(["venuekit-spec"]));
    assert_eq!(ours(&all["venuekit-spec"]), BTreeSet::new());
    assert_eq!(ours(&all["xtask"]), BTreeSet::new());
}

#[test]
fn wire_knows_no_network() {
    let all = dependencies();
    for network in ["reqwest", "http", "hyper", "tokio", "url"] {
        assert!(!all["venuekit-wire"].contains(network), "{network}");
    }
}

#[test]
fn a_build_of_a_client_runs_no_generator_and_links_no_advisory() {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    for package in metadata["packages"].as_array().unwrap() {
        let scripts =
            package["targets"].as_array().unwrap().iter().filter(|target| target["kind"][0] == "custom-build");
        let name = package["name"].as_str().unwrap();
        assert_eq!(scripts.count(), usize::from(name == "venuekit"), "{name} has a build script");
    }
    let default: Vec<&str> =
        metadata["workspace_default_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(!default.is_empty() && default.iter().all(|id| !id.contains("xtask")), "{default:?}");
    for venue in VENUES {
        let tree = cargo(&["tree", "--offline", "-p", &package(venue), "-e", "normal", "--prefix", "none"]);
        assert!(tree.contains("aws-lc-rs v"), "{tree}");
        for unwanted in ["rsa v", "progenitor-impl v", "typify v", "openssl v", "native-tls v"] {
            assert!(!tree.lines().any(|line| line.starts_with(unwanted)), "{venue} depends on {unwanted}");
        }
    }
}

/// Hashes and random numbers exist in several generations, which do not fit together and each cost their build.
#[test]
fn a_client_links_each_hash_once() {
    for venue in VENUES {
        let tree = cargo(&["tree", "--offline", "-p", &package(venue), "-e", "normal", "--prefix", "none"]);
        for shared in ["digest", "hmac", "sha2", "rand_core", "pkcs8", "der"] {
            let versions: BTreeSet<&str> = tree
                .lines()
                .filter_map(|line| line.strip_prefix(shared)?.strip_prefix(" v"))
                .filter_map(|rest| rest.split(' ').next())
                .collect();
            assert_eq!(versions.len(), 1, "{venue}: {shared} {versions:?}");
        }
    }
}

/// The Rust sources below a folder.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

#[test]
fn generated_code_names_three_of_our_crates_and_says_what_it_is() {
    for venue in VENUES {
        let files = sources(&root().join(format!("crates/{venue}/src/generated")));
        assert!(files.len() >= 3, "{venue}");
        for (path, text) in files {
            assert!(text.starts_with("//! Generated by `cargo xtask codegen"), "{}", path.display());
            // Examples are about the crate itself.
            let code = text.lines().filter(|line| !line.trim_start().starts_with("///"));
            let text = code.collect::<Vec<_>>().join("\n");
            for (at, _) in text.match_indices("venuekit_") {
                let name: String = text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let known = ["venuekit_wire", "venuekit_transport", "venuekit_streams"];
                assert!(known.contains(&name.as_str()), "{}: {name}", path.display());
            }
        }
    }
}

#[test]
fn requests_are_touched_in_two_places() {
    let mut touched = BTreeSet::new();
    for (path, text) in sources(&root().join("crates")) {
        let below = path.strip_prefix(root().join("crates")).unwrap().to_string_lossy().replace('\\', "/");
        let names_it = text.contains("reqwest::Request") || text.contains("use reqwest::{Body, Request}");
        if names_it && !below.contains("/generated/") && !below.contains("/tests/") {
            touched.insert(below);
        }
    }
    let allowed = |file: &str| file.starts_with("transport/") || file == "auth/src/request.rs";
    // The crate docs of auth name the type in prose.
    touched.retain(|file| !allowed(file) && file != "auth/src/lib.rs");
    assert_eq!(touched, BTreeSet::new());
}

/// Words of a field's name that say that it holds money or a quantity.
const MONEY: [&str; 18] = [
    "price",
    "amount",
    "quantity",
    "qty",
    "balance",
    "fee",
    "fees",
    "premium",
    "pnl",
    "profit",
    "loss",
    "cost",
    "equity",
    "margin",
    "commission",
    "notional",
    "volume",
    "funds",
];

/// What a file of Rust defines, by name.
#[derive(Default)]
struct Definitions {
    aliases: BTreeMap<String, Type>,
    /// Structs whose fields have no names, as a wrapper of one value.
    tuples: BTreeMap<String, Vec<Type>>,
    /// Fields by what they belong to and their name.
    fields: Vec<(String, String, Type)>,
}

impl<'ast> Visit<'ast> for Definitions {
    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.aliases.insert(item.ident.to_string(), (*item.ty).clone());
        self.fields.push(("type".to_owned(), item.ident.to_string(), (*item.ty).clone()));
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        let owner = item.ident.to_string();
        for field in &item.fields {
            match &field.ident {
                Some(name) => self.fields.push((owner.clone(), name.to_string(), field.ty.clone())),
                None => {
                    self.tuples.entry(owner.clone()).or_default().push(field.ty.clone());
                    self.fields.push(("struct".to_owned(), owner.clone(), field.ty.clone()));
                }
            }
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        for field in &variant.fields {
            let name = field.ident.as_ref().unwrap_or(&variant.ident).to_string();
            self.fields.push((variant.ident.to_string(), name, field.ty.clone()));
        }
    }
}

impl Definitions {
    fn of(source: &str) -> Self {
        let mut definitions = Self::default();
        definitions.visit_file(&syn::parse_file(source).unwrap());
        definitions
    }

    /// The names of all types that a type is made of, behind aliases and wrappers too.
    fn parts(&self, kind: &Type) -> BTreeSet<String> {
        struct Names(Vec<String>);
        impl<'ast> Visit<'ast> for Names {
            fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
                self.0.push(segment.ident.to_string());
                match &segment.arguments {
                    // What a builder has instead of a value is a text that says why.
                    PathArguments::AngleBracketed(arguments) if segment.ident == "Result" => {
                        arguments.args.iter().take(1).for_each(|value| self.visit_generic_argument(value));
                    }
                    _ => visit::visit_path_segment(self, segment),
                }
            }
        }
        let mut parts = BTreeSet::new();
        let mut open = Names(Vec::new());
        open.visit_type(kind);
        while let Some(name) = open.0.pop() {
            if parts.insert(name.clone()) {
                self.aliases.get(&name).into_iter().for_each(|kind| open.visit_type(kind));
                self.tuples.get(&name).into_iter().flatten().for_each(|kind| open.visit_type(kind));
            }
        }
        parts
    }

    /// The fields whose name has one of these words and whose type is made of one of those.
    fn named(&self, words: &[&str], kinds: &[&str]) -> Vec<String> {
        let has = |name: &str| {
            let snake: String = name
                .chars()
                .flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase()))
                .collect();
            snake.split('_').any(|part| words.contains(&part))
                || words.iter().any(|word| word.contains('_') && snake.contains(word))
        };
        let found = self
            .fields
            .iter()
            .filter(|(_, name, kind)| has(name) && kinds.iter().any(|one| self.parts(kind).contains(*one)));
        found.map(|(owner, name, _)| format!("{owner}.{name}")).collect()
    }
}

#[test]
fn money_is_no_float_and_no_secret_is_a_plain_string() {
    let secret = ["secret", "private_key", "access_token", "refresh_token", "password"];
    for venue in VENUES {
        let path = root().join(format!("crates/{venue}/src/generated/client.rs"));
        let definitions = Definitions::of(&fs::read_to_string(path).unwrap());
        assert!(definitions.fields.len() > 300, "{venue}: the fields are found");
        assert_eq!(definitions.named(&MONEY, &["f32", "f64"]), Vec::<String>::new(), "{venue}");
        let mut plain = definitions.named(&secret, &["String"]);
        plain.retain(|field| !field.contains("hint") && !field.contains("type"));
        assert_eq!(plain, Vec::<String>::new(), "{venue}");
    }
}

/// What the check above must see: it can fail.
#[test]
fn a_float_is_found_however_deep_it_is() {
    for kind in [
        "f64",
        "f32",
        "Option<f64>",
        "::std::vec::Vec<f64>",
        "::std::option::Option<::std::vec::Vec<f64>>",
        "HashMap<String, f64>",
        "::std::collections::BTreeMap<String, Vec<Option<f64>>>",
        "[f64; 2]",
        "Vec<[f64; 2]>",
        "(String, f64)",
        "&'static [f64]",
        "Box<f64>",
        "Alias",
        "Option<Alias>",
        "Vec<Aliased>",
        "Wrapped",
        "HashMap<String, Wrapped>",
        "Nested",
    ] {
        let source = format!(
            "type Alias = f64; type Aliased = Vec<Alias>; pub struct Wrapped(pub f64); pub struct Nested(Vec<Wrapped>);\
             pub struct Order {{ pub limit_price: {kind}, pub rate: {kind} }}"
        );
        assert_eq!(Definitions::of(&source).named(&MONEY, &["f32", "f64"]), ["Order.limit_price"], "{kind}");
    }
    for (source, found) in [
        ("pub type Price = f64;", "type.Price"),
        ("pub struct FeeAmount(pub Vec<f64>);", "struct.FeeAmount"),
        ("pub enum Value { Price(f64), Text(String) }", "Price.Price"),
        ("pub mod inner { pub struct A { pub fees: Vec<f64> } }", "A.fees"),
    ] {
        assert_eq!(Definitions::of(source).named(&MONEY, &["f32", "f64"]), [found], "{source}");
    }
    let sound = "pub struct A { pub price: Vec<Decimal>, pub ratio: f64, pub feed: f64, pub status: Option<String> }";
    assert_eq!(Definitions::of(sound).named(&MONEY, &["f32", "f64"]), Vec::<String>::new());
}

/// Texts in code, and those of them that something is compared with.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    compared: Vec<String>,
}

impl Texts {
    fn of(source: &str) -> Self {
        let mut texts = Self::default();
        texts.visit_file(&syn::parse_file(source).unwrap());
        texts
    }

    fn tokens(&mut self, tokens: proc_macro2::TokenStream, is_comparison: bool) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream(), is_comparison),
                TokenTree::Literal(literal) => {
                    if let Ok(syn::Lit::Str(text)) = syn::parse_str(&literal.to_string()) {
                        self.all.push(text.value());
                        self.compared.extend(is_comparison.then(|| text.value()));
                    }
                }
                _ => {}
            }
        }
    }

    /// The texts of an expression that something else is compared with.
    fn compare(&mut self, expression: &syn::Expr) {
        let mut inner = Self::default();
        inner.visit_expr(expression);
        self.compared.extend(inner.all);
    }

    /// Names of venues in any text, and of operations in a comparison.
    fn naming(&self, venues: &[&str], operations: &BTreeSet<String>) -> Vec<&str> {
        let of_venue = |text: &&String| venues.iter().any(|venue| text.to_lowercase().contains(venue));
        let of_operation = |text: &&String| operations.contains(*text);
        self.all.iter().filter(of_venue).chain(self.compared.iter().filter(of_operation)).map(String::as_str).collect()
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        matches!(&attribute.meta, syn::Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {
        // Documentation may give an example.
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.all.push(text.value());
    }

    fn visit_expr_binary(&mut self, expression: &'ast syn::ExprBinary) {
        if matches!(expression.op, syn::BinOp::Eq(_) | syn::BinOp::Ne(_)) {
            self.compare(&expression.left);
            self.compare(&expression.right);
        }
        visit::visit_expr_binary(self, expression);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let method = call.method.to_string();
        if ["eq", "contains", "starts_with", "ends_with", "eq_ignore_ascii_case", "strip_prefix", "operation"]
            .contains(&method.as_str())
        {
            call.args.iter().chain([&*call.receiver]).for_each(|compared| self.compare(compared));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_pat(&mut self, pattern: &'ast syn::Pat) {
        if let syn::Pat::Lit(syn::PatLit { lit: syn::Lit::Str(text), .. }) = pattern {
            self.compared.push(text.value());
        }
        visit::visit_pat(self, pattern);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let is_comparison = call.path.segments.last().is_some_and(|last| last.ident == "matches");
        self.tokens(call.tokens.clone(), is_comparison);
    }
}

/// The names of all venues' operations, as methods and on the wire.
fn operations() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for spec in venuekit_spec::all() {
        for operation in spec.operations() {
            names.extend([operation.name.clone(), operation.id.clone()]);
        }
    }
    assert!(names.len() > 500 && names.contains("create_order_v2") && names.contains("private/buy"));
    names
}

#[test]
fn transport_and_wire_know_no_venue_and_no_operation() {
    let venues = ["bayse", "deribit", "kalshi", "yativo"];
    let operations = operations();
    let mut texts = 0;
    for folder in ["crates/transport/src", "crates/wire/src"] {
        for (path, text) in sources(&root().join(folder)) {
            if path.ends_with("tests.rs") {
                continue;
            }
            let found = Texts::of(&text);
            texts += found.all.len();
            assert_eq!(found.naming(&venues, &operations), Vec::<&str>::new(), "{}", path.display());
        }
    }
    assert!(texts > 200, "the texts are found: {texts}");
}

/// What the check above must see: it can fail.
#[test]
fn a_branch_on_a_venue_is_found() {
    let operations = operations();
    for source in [
        "fn a(v: &Venue) -> bool { v.name == \"kalshi\" }",
        "fn a(v: &Venue) -> bool { v.name.starts_with(\"kalshi\") }",
        "fn a(v: &Venue) -> u8 { match v.name { \"deribit\" => 1, _ => 2 } }",
        "fn a(v: &Venue) -> bool { matches!(v.name, \"bayse\" | \"yativo\") }",
        "const SPECIAL: &[&str] = &[\"kalshi_perps\"];",
        "fn a(url: &str) -> bool { url.contains(\"https://www.Deribit.com\") }",
        "fn a(o: &Operation) -> bool { o.id == \"create_order_v2\" }",
        "fn a(o: &Operation) -> bool { \"private/buy\".eq(o.path) }",
        "fn a(o: &Operation) -> u8 { if let \"buy\" | \"sell\" = o.id { 1 } else { 2 } }",
        "fn a(o: &Operation) -> bool { matches!(o.id, \"get_balance\") }",
        "fn a(o: &Operation) -> bool { [\"auth\"].contains(&o.id) == [\"logout\"].contains(&\"auth\") }",
    ] {
        let texts = Texts::of(source);
        assert!(!texts.naming(&["bayse", "deribit", "kalshi", "yativo"], &operations).is_empty(), "{source}");
    }
    let sound = "#[doc = \"kalshi\"] fn a(v: &Venue) { span(\"status\"); } #[cfg(test)] mod tests { const A: &str = \"kalshi\"; }";
    assert!(Texts::of(sound).naming(&["kalshi"], &operations).is_empty());
}

/// Known vulnerabilities are looked for on every run of the hosted workflow, by a version that is named.
#[test]
fn dependencies_are_checked_where_ci_runs() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let workflow = read(".github/workflows/ci.yml");
    let install = workflow.lines().find(|line| line.contains("cargo install") && line.contains("cargo-deny"));
    let install = install.expect("the workflow installs cargo-deny");
    assert!(install.contains("--locked") && install.contains("--version ="), "{install}");
    let required = workflow.lines().find_map(|line| line.strip_prefix("  VENUEKIT_REQUIRE: "));
    let required = required.expect("every job of the workflow fails if a tool is missing");
    assert!(required.split(' ').any(|tool| tool == "deny"), "{required}");
    let run = read(".ci/run");
    for part in [
        "cargo deny --workspace check bans licenses sources",
        "cargo deny --workspace check advisories",
        "cargo deny --workspace fetch db",
    ] {
        assert!(run.contains(part), "{part}");
    }
}

/// The modules at the top of `transport` that a file names, its unit tests left out.
fn named_modules(text: &str, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let paths = text.match_indices("crate::").map(|(at, path)| &text[at + path.len()..]);
    let names = paths.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>());
    names.filter(|name| modules.contains(name)).collect()
}

/// What each module at the top of a folder imports of the others. Unit tests are left out.
fn imports(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let module = |path: &Path| {
        let first = path.strip_prefix(folder).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let files = sources(folder);
    let modules: BTreeSet<String> = files.iter().map(|(path, _)| module(path)).filter(|name| name != "lib").collect();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| !path.ends_with("tests.rs")) {
        let own = module(path);
        let mut named = named_modules(text, &modules);
        named.remove(&own);
        uses.entry(own).or_default().append(&mut named);
    }
    uses
}

/// The modules that import each other in a circle, directly or not.
fn circles(mut uses: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    // What names nothing that is left goes, until nothing goes any more.
    while let Some(leaf) = uses.iter().find(|(_, named)| named.is_empty()).map(|(name, _)| name.clone()) {
        uses.remove(&leaf);
        uses.values_mut().for_each(|named| _ = named.remove(&leaf));
    }
    uses
}

#[test]
fn the_modules_of_transport_have_no_circle() {
    let uses = imports(&root().join("crates/transport/src"));
    assert!(uses["exec"].contains("session") && uses["session"].contains("error"), "imports are found: {uses:?}");
    assert_eq!(circles(uses), BTreeMap::new(), "these modules import each other in a circle");
}

/// The layers of the command, from the lowest. What is not in them may be anywhere, as long as there is no circle.
const LAYERS: [&[&str]; 8] = [
    &["options"],
    &["venue", "subject"],
    &["target", "config"],
    &["variables", "store"],
    &["credential"],
    &["context"],
    &["commands", "sandbox"],
    &["args"],
];

#[test]
fn the_command_has_layers() {
    let uses = imports(&root().join("crates/cli/src"));
    assert!(uses["context"].contains("credential") && uses["args"].contains("commands"), "imports are found: {uses:?}");
    assert_eq!(circles(uses.clone()), BTreeMap::new(), "these modules import each other in a circle");
    let layer = |name: &String| LAYERS.iter().position(|layer| layer.contains(&name.as_str()));
    for (module, below) in
        uses.iter().filter_map(|(module, named)| Some((module, layer(module)?, named))).map(|(module, own, named)| {
            // Through modules that are in no layer too.
            let (mut open, mut reached) = (named.clone(), BTreeSet::new());
            while let Some(next) = open.pop_first() {
                if reached.insert(next.clone()) && layer(&next).is_none() {
                    open.extend(uses.get(&next).cloned().unwrap_or_default());
                }
            }
            (
                module,
                reached.into_iter().filter(|name| layer(name).is_some_and(|other| other > own)).collect::<Vec<_>>(),
            )
        })
    {
        assert_eq!(below, Vec::<String>::new(), "{module} imports what is above it");
    }
    // The commands among themselves.
    assert_eq!(circles(imports(&root().join("crates/cli/src/commands"))), BTreeMap::new());
}
