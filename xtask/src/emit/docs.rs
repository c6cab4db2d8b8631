//! Documentation that the generator does not write: who may call an operation, what it costs, whether it may be repeated and what to
//! ask after a lost response; what each setter of a builder takes.

use std::collections::BTreeMap;

use serde_json::Value;
use syn::{Attribute, Expr, Fields, File, ImplItem, ImplItemFn, Item, ItemImpl, Lit, Meta, Stmt, Type, parse_quote};

use super::dispatch::{functions, named};
use super::seal::argument;
use super::venue::{reconcile, ways};
use crate::document::{Document, Kind};
use crate::markup;
use crate::model::{Operation, operations, schema_ref, text};
use crate::names::{pascal, snake};
use crate::source::step;

/// Adds what is missing.
pub fn add(document: &Document, lowered: &Value, client: &mut File) {
    let types = module(&mut client.items, "types").map(|items| types(items)).unwrap_or_default();
    let lowered = document.derived(Kind::OpenApi, lowered.clone());
    let requests: BTreeMap<String, Operation<'_>> =
        operations(&lowered).into_iter().map(|operation| (operation.id.clone(), operation)).collect();
    for operation in operations(document) {
        let request = requests.get(&operation.id);
        for item in &mut client.items {
            if let Item::Impl(item) = item
                && is_of(item, "Client")
                && let Some(method) = methods(item).find(|method| method.sig.ident == operation.id)
            {
                append(&mut method.attrs, facts(document, &operation, ""));
            }
        }
        let name = pascal(&operation.id);
        for item in module(&mut client.items, "builder").into_iter().flatten() {
            match item {
                Item::Struct(item) if item.ident == name => {
                    append(&mut item.attrs, facts(document, &operation, "super::"))
                }
                Item::Impl(item) if is_of(item, &name) => {
                    for method in methods(item).filter(|method| lines(&method.attrs).is_empty()) {
                        let said =
                            request.and_then(|request| parameter(&lowered, request, &method.sig.ident.to_string()));
                        let said = said.or_else(|| of_body(method, &types)).map(|said| doc(&said));
                        append(&mut method.attrs, said);
                    }
                }
                _ => {}
            }
        }
    }
}

/// What is to be known before an operation is called, as a list. Links to other operations begin with `path`.
fn facts(document: &Document, operation: &Operation<'_>, path: &str) -> Vec<Attribute> {
    let word = |key| operation.value.get(key);
    let mut facts = Vec::new();
    let ways: Vec<String> = ways(document, operation)
        .into_iter()
        .map(|way| way.into_iter().map(markup::code).collect::<Vec<_>>().join(" and "))
        .collect();
    facts.push(match ways.iter().any(String::is_empty) {
        true if ways.len() > 1 => "Credentials: none needed; used where the client has them.".to_owned(),
        true => "Credentials: none, anybody may call it.".to_owned(),
        false => format!("Credentials: {}.", ways.join(", or ")),
    });
    facts.extend(word("x-scope").and_then(Value::as_str).map(|scope| format!("Scope: {}.", markup::code(scope))));
    if word("x-second-factor").is_some() {
        facts.push("Second factor: the venue may ask for a one-time code; see `ErrorKind::Challenge`.".to_owned());
    }
    if let Some(rate) = word("x-rate") {
        let each = text(rate, "per-item").map(|field| format!(" for each element of {}", markup::code(field)));
        let bucket = markup::code(text(rate, "bucket").unwrap_or_default());
        facts.push(format!("Cost: {} of the rate limit {bucket}{}.", rate["cost"], each.unwrap_or_default()));
    }
    facts.push(retry(word("x-retry").unwrap_or(&Value::Null)));
    if let Some(other) = reconcile(document, operation) {
        let link = if path.is_empty() { String::new() } else { format!("({path}Client::{other})") };
        facts.push(format!("After a lost response: [`Client::{other}`]{link} tells what became of the call."));
    }
    if operation.value.pointer("/x-connection/only").is_some() {
        facts.push("WebSocket: only a client over a WebSocket can make this call.".to_owned());
    }
    if word("x-page").is_some() {
        facts.push("Pages: `stream` in place of `send` gives the items of all pages.".to_owned());
    }
    let blank = String::new();
    [blank].into_iter().chain(facts.into_iter().map(|fact| format!(" - {fact}"))).map(|line| doc_line(&line)).collect()
}

fn retry(word: &Value) -> String {
    let key = ["/keyed/header", "/keyed/field"].iter().find_map(|place| word.pointer(place)?.as_str());
    match (word.as_str(), key) {
        (Some("safe"), _) => "Retry: safe, repeated after a passing failure.".to_owned(),
        (_, Some(key)) => {
            format!(
                "Retry: repeated with the same idempotency key {}; the client makes one where none is given.",
                markup::code(key)
            )
        }
        _ => "Retry: repeated only where it is certain that the venue did not process it.".to_owned(),
    }
}

/// What a parameter of a request means.
fn parameter(lowered: &Document, request: &Operation<'_>, setter: &str) -> Option<String> {
    let all = request.parameters(lowered);
    let (_, parameter) =
        all.iter().find(|(_, parameter)| text(parameter, "name").is_some_and(|name| snake(name) == setter))?;
    let schema = parameter.get("schema").unwrap_or(&Value::Null);
    let said = text(parameter, "description").or_else(|| described(lowered, schema)).unwrap_or_default();
    Some(with_required(said, parameter.get("required") == Some(&Value::Bool(true))))
}

/// What a schema says of itself, or the one that it refers to.
fn described<'a>(lowered: &'a Document, schema: &'a Value) -> Option<&'a str> {
    let parameters = schema.pointer("/x-rust-type/parameters").and_then(Value::as_array).into_iter().flatten();
    let named = schema_ref(schema).into_iter().chain(parameters.filter_map(schema_ref));
    let mut targets = named.filter_map(|name| lowered.value.pointer(&step("/components/schemas", name)));
    text(schema, "description").or_else(|| targets.find_map(|target| text(target, "description")))
}

fn with_required(said: &str, required: bool) -> String {
    let mark = if required { "*Required.*" } else { "" };
    [said, mark].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What the two setters of a body take.
fn of_body(method: &ImplItemFn, types: &Types) -> Option<String> {
    let (how, part) = match method.sig.ident.to_string().as_str() {
        "body" => ("The body", ""),
        "body_map" => ("The members of the body, set on its builder", "builder::"),
        _ => return None,
    };
    let name = body_type(method)?;
    let required = types.get(&name).map(|names| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>());
    let required = required.filter(|names| !names.is_empty()).map(|names| format!(" Required: {}.", names.join(", ")));
    Some(format!("{how}: [`types::{part}{name}`].{}", required.unwrap_or_default()))
}

/// The type of the body: the last name in a bound `TryInto<types::X>`, or what a bound `FnOnce` takes.
fn body_type(method: &ImplItemFn) -> Option<String> {
    let predicates = &method.sig.generics.where_clause.as_ref()?.predicates;
    predicates.iter().find_map(|predicate| {
        let syn::WherePredicate::Type(predicate) = predicate else { return None };
        predicate.bounds.iter().find_map(|bound| {
            let syn::TypeParamBound::Trait(bound) = bound else { return None };
            let last = bound.path.segments.last()?;
            let taken = match &last.arguments {
                syn::PathArguments::Parenthesized(taken) => taken.inputs.first()?,
                arguments => argument(arguments)?,
            };
            let Type::Path(path) = taken else { return None };
            let is_ours = path.path.segments.first().is_some_and(|first| first.ident == "types");
            is_ours.then(|| named(taken).map(ToString::to_string))?
        })
    })
}

/// The members that must be set, by the name of the type.
type Types = BTreeMap<String, Vec<String>>;

/// Documents the fields of types and the setters of their builders.
fn types(items: &mut [Item]) -> Types {
    let said: BTreeMap<String, Vec<String>> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some((item.ident.to_string(), lines(&item.attrs))),
            Item::Enum(item) => Some((item.ident.to_string(), lines(&item.attrs))),
            _ => None,
        })
        .collect();
    let mut fields: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for item in items.iter_mut() {
        let Item::Struct(item) = item else { continue };
        let Fields::Named(members) = &mut item.fields else { continue };
        for field in &mut members.named {
            if lines(&field.attrs).is_empty()
                && let Some(of_type) = innermost(&field.ty).and_then(|name| said.get(&name).map(|lines| (name, lines)))
                // The generator calls what has no description by its name.
                && of_type.1.first().is_some_and(|line| *line != format!("`{}`", of_type.0))
            {
                append(&mut field.attrs, of_type.1.iter().map(|line| doc(line)));
            }
            let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            fields.insert((item.ident.to_string(), name), lines(&field.attrs));
        }
    }
    let mut required = Types::new();
    let Some(builders) = module(items, "builder") else { return required };
    for item in builders.iter() {
        if let Item::Impl(item) = item
            && item
                .trait_
                .as_ref()
                .is_some_and(|(_, path, _)| path.segments.last().is_some_and(|last| last.ident == "Default"))
            && let Some(name) = named(&item.self_ty)
        {
            required.insert(name.to_string(), functions(item).flat_map(without_default).collect());
        }
    }
    for item in builders.iter_mut() {
        let Item::Impl(item) = item else { continue };
        let Some(owner) = named(&item.self_ty).map(ToString::to_string).filter(|_| item.trait_.is_none()) else {
            continue;
        };
        for method in methods(item) {
            let name = method.sig.ident.to_string();
            let Some(said) = fields.get(&(owner.clone(), name.clone())) else { continue };
            let must_be_set = required.get(&owner).is_some_and(|names| names.contains(&name));
            let said = with_required(&said.join("\n"), must_be_set);
            append(&mut method.attrs, (!said.is_empty()).then(|| doc(&said)));
        }
    }
    required
}

/// The members that `default` gives an error for.
fn without_default(function: &ImplItemFn) -> Vec<String> {
    let Some(Stmt::Expr(Expr::Struct(made), None)) = function.block.stmts.last() else { return Vec::new() };
    let is_error = |value: &Expr| matches!(value, Expr::Call(call) if matches!(&*call.func, Expr::Path(path) if path.path.is_ident("Err")));
    let names = made.fields.iter().filter(|field| is_error(&field.expr)).filter_map(|field| match &field.member {
        syn::Member::Named(name) => Some(name.to_string()),
        syn::Member::Unnamed(_) => None,
    });
    names.collect()
}

/// The name of the type that a field holds, in an option, a list or an open list of words.
fn innermost(kind: &Type) -> Option<String> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last()?;
    match last.ident.to_string().as_str() {
        "Option" | "Open" | "Vec" | "Box" => innermost(argument(&last.arguments)?),
        name => Some(name.to_owned()),
    }
}

fn module<'a>(items: &'a mut [Item], name: &str) -> Option<&'a mut Vec<Item>> {
    items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == name => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    })
}

fn is_of(item: &ItemImpl, name: &str) -> bool {
    item.trait_.is_none() && named(&item.self_ty).is_some_and(|own| own == name)
}

fn methods(item: &mut ItemImpl) -> impl Iterator<Item = &mut ImplItemFn> {
    item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    })
}

/// The lines of documentation.
pub(super) fn lines(attributes: &[Attribute]) -> Vec<String> {
    let texts =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| match &attribute
            .meta
        {
            Meta::NameValue(meta) => match &meta.value {
                Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
    texts.collect()
}

/// Adds documentation behind the one that is there, and before the other attributes.
fn append(attributes: &mut Vec<Attribute>, docs: impl IntoIterator<Item = Attribute>) {
    let at = attributes.iter().rposition(|attribute| attribute.path().is_ident("doc")).map_or(0, |last| last + 1);
    attributes.splice(at..at, docs);
}

fn doc(text: &str) -> Attribute {
    let text = if text.contains('\n') { text.to_owned() } else { format!(" {}", text.trim()) };
    parse_quote!(#[doc = #text])
}

fn doc_line(line: &str) -> Attribute {
    parse_quote!(#[doc = #line])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use syn::visit::{self, Visit};

    use crate::codegen::venues;
    use crate::document::Document;
    use crate::emit::generate;
    use crate::model::operations;
    use crate::tests::root;

    /// The documentation of functions and structs, by the modules and types that they stand in.
    #[derive(Default)]
    struct Docs {
        place: Vec<String>,
        found: BTreeMap<String, String>,
    }

    impl Docs {
        fn add(&mut self, name: &str, attributes: &[syn::Attribute]) {
            self.found.insert(format!("{}::{name}", self.place.join("::")), super::lines(attributes).join("\n"));
        }
    }

    impl<'ast> Visit<'ast> for Docs {
        fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
            self.place.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.place.pop();
        }

        fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
            let Some(name) = super::named(&item.self_ty).filter(|_| item.trait_.is_none()) else { return };
            self.place.push(name.to_string());
            visit::visit_item_impl(self, item);
            self.place.pop();
        }

        fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
            self.add(&item.ident.to_string(), &item.attrs);
        }

        fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
            self.add(&function.sig.ident.to_string(), &function.attrs);
        }
    }

    fn documented(venue: &str) -> BTreeMap<String, String> {
        let document = Document::read(&root(), venue).unwrap();
        let files = generate(&document).unwrap().files;
        let mut docs = Docs::default();
        docs.visit_file(&syn::parse_file(&files["client.rs"]).unwrap());
        docs.found
    }

    #[test]
    fn every_operation_says_who_may_call_it_and_whether_it_is_repeated() {
        for venue in venues(&root()) {
            let docs = documented(&venue);
            for operation in operations(&Document::read(&root(), &venue).unwrap()) {
                let places = [format!("Client::{}", operation.id), format!("builder::{}", operation.pascal())];
                for place in places {
                    let said = docs.get(&place).unwrap_or_else(|| panic!("{venue}: {place}"));
                    for fact in ["- Credentials: ", "- Retry: "] {
                        assert!(said.contains(fact), "{venue}: {place}: {said}");
                    }
                    let words = [
                        ("x-scope", "- Scope: "),
                        ("x-rate", "- Cost: "),
                        ("x-reconcile", "- After a lost response: "),
                    ];
                    for (word, fact) in words {
                        assert_eq!(
                            operation.value.get(word).is_some(),
                            said.contains(fact),
                            "{venue}: {place}: {said}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn setters_say_what_they_take() {
        let docs = documented("kalshi");
        for (place, said) in [
            (
                "types::builder::CreateOrderV2Request::price",
                " Dollars for one yes contract. Has to lie on the grid of the market. *Required.*",
            ),
            (
                "types::builder::CreateOrderV2Request::client_order_id",
                " Name chosen by the caller, never to be used twice. A UUID does well.",
            ),
            (
                "builder::GetOrders::cursor",
                " Where the page before this one ended, unchanged. Left out for the first page.",
            ),
        ] {
            assert_eq!(docs.get(place).map(String::as_str), Some(said), "{place}");
        }
        // What has no text of its own has that of its list of words.
        for place in ["types::builder::CreateOrderV2Request::side", "builder::GetOrders::status"] {
            assert!(docs[place].len() > 10, "{place}: {:?}", docs[place]);
        }
        let body = &docs["builder::CreateOrderV2::body_map"];
        assert!(body.contains("[`types::builder::CreateOrderV2Request`]") && body.contains("`ticker`"), "{body}");
        let bare = docs
            .iter()
            .filter(|(place, said)| place.starts_with("builder::") && said.is_empty() && !place.ends_with("::new"));
        let bare: Vec<&String> = bare.map(|(place, _)| place).collect();
        assert!(bare.len() < 20, "{bare:?}");
    }
}
