//! Documentation that the generator does not write: who may call an operation, what it costs, whether it may be repeated and what to
//! ask after a lost response; what each setter of a builder takes.

use std::collections::BTreeMap;

use serde_json::Value;
use syn::{Fields, ImplItem, Item, Type};

use super::items::{argument, doc_lines, lines, named};
use super::venue::{reconcile, ways};
use crate::document::Document;
use crate::markup;
use crate::model::{Operation, members, schema_ref, text};
use crate::names::{pascal, snake};
use crate::source::step;
use crate::vocabulary::{self, Rate, Rates, When};

/// What an operation does, as `request` of the lowered document says it, and what is to be known before it is called.
pub fn of_operation(document: &Document, operation: &Operation<'_>, request: &Operation<'_>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in ["summary", "description"].into_iter().filter_map(|key| text(request.value, key)) {
        lines.extend(paragraph.lines().map(str::to_owned));
        lines.push(String::new());
    }
    lines.extend(facts(document, operation).into_iter().map(|fact| format!("- {fact}")));
    lines
}

fn facts(document: &Document, operation: &Operation<'_>) -> Vec<String> {
    let word = |key| operation.value.get(key);
    let mut facts = Vec::new();
    let ways: Vec<String> = ways(document, operation)
        .into_iter()
        .map(|way| way.into_iter().map(markup::code).collect::<Vec<_>>().join(" and "))
        .collect();
    facts.push(match ways.iter().any(String::is_empty) {
        true if ways.len() > 1 => "Credentials: optional; used if the client has them.".to_owned(),
        true => "Credentials: none.".to_owned(),
        false => format!("Credentials: {}.", ways.join(", or ")),
    });
    facts.extend(word("x-scope").and_then(Value::as_str).map(|scope| format!("Scope: {}.", markup::code(scope))));
    if word("x-second-factor").is_some() {
        facts.push("Second factor: the venue may ask for a one-time code; see `ErrorKind::Challenge`.".to_owned());
    }
    let rates: Option<Rates> = vocabulary::word(operation.value, "x-rate");
    facts.extend(rates.iter().flat_map(Rates::all).map(cost));
    facts.push(retry(word("x-retry").unwrap_or(&Value::Null)));
    if let Some((other, _)) = reconcile(document, operation) {
        facts.push(format!("After a lost response: [`Client::{other}`] finds out what happened to the call."));
    }
    if let Some(name) = text(operation.value, "x-client-id") {
        let finds = reconcile(document, operation).map(|(other, _)| format!(", so that [`Client::{other}`] finds it"));
        facts.push(format!(
            "Own id: {} names what the call makes{}. It is no idempotency key: the venue may accept the same one again.",
            markup::code(name),
            finds.unwrap_or_default()
        ));
    }
    if operation.value.pointer("/x-connection/only").is_some() {
        facts.push("WebSocket: only a client over a WebSocket can make this call.".to_owned());
    }
    if word("x-page").is_some() {
        facts.push("Pages: `stream` instead of `send` returns the items of all pages.".to_owned());
    }
    facts
}

/// What a call costs in a bucket.
fn cost(rate: &Rate) -> String {
    let each = rate.per_item.as_deref().map(|list| format!(" for each element of {}", markup::code(list)));
    let rows = rate.costs.iter().filter_map(|row| {
        let name = |name: &str| markup::code(name);
        let when = match row.when()? {
            When::Without(parameter) => format!("without {}", name(parameter)),
            When::Given(parameter) => format!("with {}", name(parameter)),
            When::Is(parameter, text) => format!("with {} {}", name(parameter), name(text)),
            When::Above(parameter, bound) => format!("with {} above {bound}", name(parameter)),
            When::ItemsAbove(parameter, bound) => format!("with more than {bound} elements of {}", name(parameter)),
        };
        Some(format!("; {} {when}", row.cost))
    });
    let rows: String = rows.collect();
    format!("Cost: {} of the rate limit {}{}{rows}.", rate.cost, markup::code(&rate.bucket), each.unwrap_or_default())
}

fn retry(word: &Value) -> String {
    let key = ["/keyed/header", "/keyed/field"].iter().find_map(|place| word.pointer(place)?.as_str());
    match (word.as_str(), key) {
        (Some("safe"), _) => "Retry: safe; retried after a transient failure.".to_owned(),
        (_, Some(key)) => {
            let refused = match word.pointer("/keyed/repeat") {
                Some(_) => {
                    " Where the venue refuses the repetition, `Error::was_applied_before` says that the first attempt was executed."
                }
                None => "",
            };
            format!(
                "Retry: retried with the same idempotency key {}; the client generates one if none is given.{refused}",
                markup::code(key)
            )
        }
        _ => "Retry: retried only if it is certain that the venue did not process it.".to_owned(),
    }
}

/// What a parameter of a request means.
pub fn of_parameter(lowered: &Document, parameter: &Value) -> Vec<String> {
    let schema = parameter.get("schema").unwrap_or(&Value::Null);
    let said = text(parameter, "description").or_else(|| described(lowered, schema)).unwrap_or_default();
    with_required(said.lines().map(str::to_owned).collect(), parameter.get("required") == Some(&Value::Bool(true)))
}

/// What a schema says of itself, or the one that it refers to.
fn described<'a>(lowered: &'a Document, schema: &'a Value) -> Option<&'a str> {
    let parameters = schema.pointer("/x-rust-type/parameters").and_then(Value::as_array).into_iter().flatten();
    let named = schema_ref(schema).into_iter().chain(parameters.filter_map(schema_ref));
    let mut targets = named.filter_map(|name| lowered.value.pointer(&step("/components/schemas", name)));
    text(schema, "description").or_else(|| targets.find_map(|target| text(target, "description")))
}

/// Marks what a request cannot be made without.
pub fn with_required(mut lines: Vec<String>, required: bool) -> Vec<String> {
    match lines.last_mut() {
        _ if !required => {}
        Some(last) if !last.is_empty() => last.push_str(" *Required.*"),
        _ => lines.push("*Required.*".to_owned()),
    }
    lines
}

/// The members that a value cannot be made without, as fields, by the name of its type.
pub type Required = BTreeMap<String, Vec<String>>;

/// The required members of all types of the lowered document.
pub fn required(lowered: &Document) -> Required {
    let schemas = members(&lowered.value["components"], "schemas");
    let required = schemas.filter_map(|(name, schema)| {
        let names = schema.get("required")?.as_array()?.iter().filter_map(Value::as_str);
        Some((pascal(name), names.map(snake).collect()))
    });
    required.collect()
}

/// Documents the fields of types, and the setters of their builders: what has no text of its own has that of its type.
pub fn types(items: &mut [Item], required: &Required) {
    let said: BTreeMap<String, Vec<String>> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some((item.ident.to_string(), lines(&item.attrs))),
            Item::Enum(item) => Some((item.ident.to_string(), lines(&item.attrs))),
            _ => None,
        })
        .collect();
    let mut setters: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for item in items.iter_mut() {
        let Item::Struct(item) = item else { continue };
        let Fields::Named(members) = &mut item.fields else { continue };
        let owner = item.ident.to_string();
        for field in &mut members.named {
            let of_type = innermost(&field.ty).and_then(|name| Some((said.get(&name)?, name)));
            if let Some((text, name)) = of_type.filter(|_| lines(&field.attrs).is_empty())
                // The generator calls what has no description by its name.
                && text.first().is_some_and(|line| *line != format!("`{name}`"))
            {
                field.attrs.splice(0..0, doc_lines(text));
            }
            let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            let is_required = required.get(&owner).is_some_and(|names| names.contains(&name));
            setters.insert((owner.clone(), name), with_required(lines(&field.attrs), is_required));
        }
    }
    let builders = items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "builder" => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    });
    for item in builders.into_iter().flatten() {
        let Item::Impl(item) = item else { continue };
        let Some(owner) = named(&item.self_ty).map(ToString::to_string).filter(|_| item.trait_.is_none()) else {
            continue;
        };
        for setter in item.items.iter_mut() {
            if let ImplItem::Fn(setter) = setter
                && let Some(said) = setters.get(&(owner.clone(), setter.sig.ident.to_string()))
            {
                setter.attrs.splice(0..0, doc_lines(said));
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use syn::visit::{self, Visit};

    use crate::codegen::venues;
    use crate::document::Document;
    use crate::emit::generate;
    use crate::emit::items::{lines, named};
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
            self.found.insert(format!("{}::{name}", self.place.join("::")), lines(attributes).join("\n"));
        }
    }

    impl<'ast> Visit<'ast> for Docs {
        fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
            self.place.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.place.pop();
        }

        fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
            let Some(name) = named(&item.self_ty).filter(|_| item.trait_.is_none()) else { return };
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
                let place = format!("Client::{}", operation.id);
                let said = docs.get(&place).unwrap_or_else(|| panic!("{venue}: {place}"));
                for fact in ["- Credentials: ", "- Retry: "] {
                    assert!(said.contains(fact), "{venue}: {place}: {said}");
                }
                for (word, fact) in
                    [("x-scope", "- Scope: "), ("x-rate", "- Cost: "), ("x-reconcile", "- After a lost response: ")]
                {
                    assert_eq!(operation.value.get(word).is_some(), said.contains(fact), "{venue}: {place}: {said}");
                }
                assert!(!said.starts_with("- "), "{venue}: {place} does not say what it does: {said}");
            }
        }
    }

    #[test]
    fn setters_say_what_they_take() {
        let docs = documented("kalshi");
        for (place, said) in [
            (
                "builder::CreateOrderV2::price",
                "Dollars for one yes contract. Has to lie on the grid of the market. *Required.*",
            ),
            (
                "builder::CreateOrderV2::client_order_id",
                "Name chosen by the caller, never to be used twice. A UUID does well.",
            ),
            (
                "builder::GetOrders::cursor",
                "Where the page before this one ended, unchanged. Left out for the first page.",
            ),
        ] {
            assert_eq!(docs.get(place).map(String::as_str), Some(said), "{place}");
        }
        // What has no text of its own has that of its list of words.
        for place in ["builder::CreateOrderV2::side", "builder::GetOrders::status"] {
            assert!(docs[place].len() > 10, "{place}: {:?}", docs[place]);
        }
        let bare = docs.iter().filter(|(place, said)| place.starts_with("builder::") && said.is_empty());
        let bare: Vec<&String> = bare.map(|(place, _)| place).filter(|place| !place.ends_with("::new")).collect();
        assert!(bare.len() < 20, "{bare:?}");
    }
}
