//! The typed client: Progenitor's types, sealed, and our operations.

use std::collections::BTreeSet;

use openapiv3::OpenAPI;
use progenitor_impl::{CrateVers, GenerationSettings, Generator, InterfaceStyle, TagStyle};
use quote::ToTokens;
use serde_json::Value;
use syn::{File, Item};

use super::operations::{self, Method};
use super::seal::seal;
use super::types::lenient::Reading;
use super::{docs, types};
use crate::document::{Document, Kind};

/// A client's text, and the operations in it.
pub fn source(document: &Document, lowered: &Value) -> Result<(Vec<Method>, String), String> {
    let spec: OpenAPI = serde_json::from_value(lowered.clone())
        .map_err(|error| format!("the lowered document is not OpenAPI 3.0: {error}"))?;
    let mut settings = GenerationSettings::default();
    settings
        // Its builders name each parameter and the type of its value; they are read and thrown away.
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_crate("venuekit-wire", CrateVers::Any, None);
    let tokens = Generator::new(&settings).generate_tokens(&spec).map_err(|error| error.to_string())?;
    let mut file: File = syn::parse2(tokens).map_err(|error| error.to_string())?;
    let lowered = document.derived(Kind::OpenApi, lowered.clone());
    let required = docs::required(&lowered);
    docs::types(types_of(&mut file)?, &required);
    let methods = operations::read(document, &lowered, &file, &required)?;
    let types = types_of(&mut file)?;
    let mut items = operations::items(document, types, &methods, &types::ids(&lowered.value))?;
    seal(types, &Reading::of(&lowered))?;
    items.extend(file.items.into_iter().filter(|item| matches!(item, Item::Mod(module) if module.ident == "types")));
    let mut file = File { shebang: None, attrs: Vec::new(), items };
    let types = types::take(document, &lowered.value, &mut file)?;
    let source = types::put(&types, &prettyplease::unparse(&file))?;
    complete(&methods, &lowered.value, &source)?;
    Ok((methods, source))
}

/// The items of the module `types`.
fn types_of(file: &mut File) -> Result<&mut Vec<Item>, String> {
    let types = file.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    });
    types.ok_or_else(|| "the generator made no types: its output has changed".to_owned())
}

/// Every operation is sent by its row, nothing of the generator's runtime is left, and every type of ours was really used: the
/// generator ignores what it does not understand.
fn complete(methods: &[Method], lowered: &Value, source: &str) -> Result<(), String> {
    let sent = source.matches("Call::new(").count();
    if sent != methods.len() {
        return Err(format!("{sent} operations are sent, of {}", methods.len()));
    }
    for foreign in ["progenitor", "reqwest", "regress"] {
        if let Some(line) = source.lines().find(|line| line.contains(foreign) && !line.trim_start().starts_with("//")) {
            return Err(format!("the client names `{foreign}`: {}", line.trim()));
        }
    }
    let mut named = BTreeSet::new();
    rust_types(lowered, &mut named);
    let parameters = methods.iter().flat_map(|method| &method.parameters);
    let taken: BTreeSet<String> =
        parameters.map(|parameter| parameter.kind.to_token_stream().to_string().replace(' ', "")).collect();
    for path in named {
        // The types of wire are `wire::Decimal` among the types.
        let name = path.rsplit("::").next().unwrap_or(path);
        if !source.contains(&format!("::{name}")) && !taken.iter().any(|kind| kind.contains(path)) {
            return Err(format!("the generator ignored `x-rust-type: {path}`"));
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
            map.values().for_each(|inner| rust_types(inner, into));
        }
        _ => {}
    }
}
