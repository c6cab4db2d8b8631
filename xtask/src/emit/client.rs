//! The typed client: Progenitor's types, sealed, and our operations.

use std::collections::BTreeSet;

use openapiv3::OpenAPI;
use progenitor_impl::{CrateVers, GenerationSettings, Generator, InterfaceStyle, TagStyle};
use serde_json::Value;
use syn::visit::{self, Visit};
use syn::{File, Item, Path};

use super::items::rename;
use super::operations::{self, Method};
use super::prune::prune;
use super::seal::seal;
use super::streams::Structs;
use super::types::lenient::Reading;
use super::types::lists;
use super::{docs, types};
use crate::document::{Document, Kind, STREAMS};

/// A client.
pub struct Client {
    /// Its operations.
    pub methods: Vec<Method>,
    /// The structs among its types, by their names.
    pub structs: Structs,
    /// Its text.
    pub text: String,
}

/// Makes the client of a document.
pub fn source(document: &Document, lowered: &Value) -> Result<Client, String> {
    let spec: OpenAPI = serde_json::from_value(lowered.clone())
        .map_err(|error| format!("the lowered document is not OpenAPI 3.0: {error}"))?;
    let mut settings = GenerationSettings::default();
    settings
        // Its builders name each parameter and the type of its value; they are read and thrown away.
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_crate("venuekit-wire", CrateVers::Any, None);
    let tokens = Generator::new(&settings).generate_tokens(&spec).map_err(|error| error.to_string())?;
    let mut file: File = syn::parse2(prune(tokens)).map_err(|error| error.to_string())?;
    understood(lowered, &file)?;
    let lowered = document.derived(Kind::OpenApi, lowered.clone());
    let required = docs::required(&lowered);
    docs::types(types_of(&mut file)?, &required);
    let methods = operations::read(document, &lowered, &file, &required)?;
    let types = types_of(&mut file)?;
    // Builders look members up by the venue's names.
    rename(types, &lowered.value);
    let reading = Reading::of(&lowered);
    lists::optional(types, &reading.requests);
    let mut items = operations::items(document, types, &methods, &types::ids(&lowered.value))?;
    seal(types, &reading)?;
    let structs = types.iter().filter_map(|item| match item {
        Item::Struct(item) => Some((item.ident.to_string(), item.clone())),
        _ => None,
    });
    let structs = structs.collect();
    items.extend(file.items.into_iter().filter(|item| matches!(item, Item::Mod(module) if module.ident == "types")));
    let mut file = File { shebang: None, attrs: Vec::new(), items };
    let types = types::take(document, &lowered.value, &mut file)?;
    let text = types::put(&types, &prettyplease::unparse(&file))?;
    complete(&methods, &text)?;
    Ok(Client { methods, structs, text })
}

/// The items of the module `types`.
fn types_of(file: &mut File) -> Result<&mut Vec<Item>, String> {
    let types = file.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    });
    types.ok_or_else(|| "the generator made no types: its output has changed".to_owned())
}

/// Every type of ours was really used: the generator ignores what it does not understand.
fn understood(lowered: &Value, file: &File) -> Result<(), String> {
    let mut wanted = BTreeSet::new();
    rust_types(lowered, &mut wanted);
    let mut missing = Missing(wanted.into_iter().map(|path| path.split("::").collect()).collect());
    missing.visit_file(file);
    match missing.0.first() {
        Some(path) => Err(format!("the generator ignored `x-rust-type: {}`", path.join("::"))),
        None => Ok(()),
    }
}

/// The paths that a file has not named yet, by their segments.
struct Missing<'a>(Vec<Vec<&'a str>>);

impl<'ast> Visit<'ast> for Missing<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        let is_named = |wanted: &Vec<&str>| {
            path.segments.len() == wanted.len()
                && path.segments.iter().zip(wanted).all(|(segment, wanted)| segment.ident == wanted)
        };
        if let Some(at) = self.0.iter().position(is_named) {
            self.0.remove(at);
        }
        visit::visit_path(self, path);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        // Nothing is left to look for.
        if !self.0.is_empty() {
            visit::visit_item(self, item);
        }
    }
}

/// Every operation is sent by its row, and nothing of the generator's runtime is left.
fn complete(methods: &[Method], source: &str) -> Result<(), String> {
    let sent = source.matches("Call::new(").count();
    if sent != methods.len() {
        return Err(format!("{sent} operations are sent, of {}", methods.len()));
    }
    for foreign in ["progenitor", "reqwest", "regress"] {
        if let Some(line) = source.lines().find(|line| line.contains(foreign) && !line.trim_start().starts_with("//")) {
            return Err(format!("the client names `{foreign}`: {}", line.trim()));
        }
    }
    Ok(())
}

fn rust_types<'a>(value: &'a Value, into: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| rust_types(item, into)),
        Value::Object(map) => {
            if let Some(path) = value.pointer("/x-rust-type/path").and_then(Value::as_str) {
                into.insert(path);
            }
            let named = map.iter().filter(|(key, _)| *key != STREAMS);
            named.for_each(|(_, inner)| rust_types(inner, into));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_ignored_type_is_noticed() {
        let price = json!({ "type": "string", "x-rust-type": { "path": "venuekit_wire::Decimal" } });
        let lowered = json!({ "paths": { "/a": { "get": { "responses": { "200": { "schema": price } } } } } });
        let check = |source: &str| understood(&lowered, &syn::parse_file(source).unwrap());
        for used in [
            "fn send() -> Result<ResponseValue<::venuekit_wire::Decimal>, Error<()>> {}",
            "pub struct A { price: ::std::option::Option<::venuekit_wire::Decimal> }",
        ] {
            assert_eq!(check(used), Ok(()), "{used}");
        }
        for ignored in [
            "fn send() -> Result<ResponseValue<i64>, Error<()>> {}",
            "pub struct A { price: ::venuekit_wire::DecimalNumber }",
            "/// Not a ::venuekit_wire::Decimal.\npub struct A { price: types::Decimal }",
        ] {
            let expected = "the generator ignored `x-rust-type: venuekit_wire::Decimal`";
            assert_eq!(check(ignored), Err(expected.to_owned()), "{ignored}");
        }
    }
}
