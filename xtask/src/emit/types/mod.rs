//! The module `types`: what the generator made of the schemas, written shorter. Enums, ids and builders are made by macros of `wire`, which
//! say once what all of them can do; structs stay as they are, a line a field, and a macro reads and writes them (`objects`).
//!
//! A type has a builder only where a request is made of it. What requests are made of implements `CallBody`, see `bodies`.

mod bodies;
mod builders;
pub mod lenient;
pub mod lists;
mod mock;
mod objects;
mod setter;
pub mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use syn::{Fields, File, Item, ItemEnum, ItemImpl, ItemStruct, Type};

use self::objects::Object;
pub use self::setter::{Setter, ids};
use self::text::{Text, kind};
use super::items::{named, renamed};
use crate::document::{Document, Kind};
use crate::model::{Reach, members};
use crate::names::pascal;

/// Structs by their names.
type Structs = BTreeMap<String, ItemStruct>;

/// Takes the module `types` out of a client, and returns its text.
pub fn take(document: &Document, lowered: &Value, client: &mut File) -> Result<String, String> {
    let items = client.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    });
    let items = std::mem::take(items.ok_or("the client has no types")?);
    let lowered = document.derived(Kind::OpenApi, lowered.clone());
    let structs: Structs = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some((item.ident.to_string(), item.clone())),
            _ => None,
        })
        .collect();
    let reach = Reach::of(&lowered);
    let rust = |names: BTreeSet<String>| names.iter().map(|name| pascal(name)).collect::<BTreeSet<String>>();
    let patterns = patterns(&lowered.value);
    let in_responses = rust(reach.response);
    let in_calls = rust(calls(&lowered));
    let mock = mock::can_be_made(&items, &in_responses);
    let mut text = Text::new();
    text.line("use ::std::collections::HashMap;");
    text.line("");
    text.line("use ::venuekit_wire::{self as wire, lenient};");
    let mut made = BTreeSet::new();
    for item in &items {
        match item {
            Item::Struct(item) if is_text(item) => {
                let name = item.ident.to_string();
                let pattern = patterns.get(&name).ok_or_else(|| format!("the text `{name}` has no pattern"))?;
                text.line("wire::ids! {");
                text.indented(|text| {
                    text.docs(&item.attrs);
                    text.line(&format!("{name} = {pattern:?};"));
                });
                text.line("}");
                made.insert(name);
            }
            Item::Struct(item) => {
                match Object::of(item) {
                    Some(object) => {
                        structure(&mut text, &object.item, &mock);
                        object.write(&mut text);
                    }
                    None => structure(&mut text, item, &mock),
                }
                if let Some(inner) = wrapped(item) {
                    text.line(&format!("wire::wraps! {{ {}({}); }}", item.ident, kind(inner)));
                    made.insert(item.ident.to_string());
                }
            }
            Item::Enum(item) if is_list(item) => {
                words(&mut text, item, in_calls.contains(&item.ident.to_string()));
                made.insert(item.ident.to_string());
            }
            Item::Impl(item) if is_replaced(item, &made) => {}
            Item::Mod(module) if module.ident == "builder" => {
                let (_, items) = module.content.as_ref().ok_or("the builders have no content")?;
                let used = rust(reach.request.clone());
                builders::write(&mut text, items, &structs, &used, &ids(&lowered.value))?;
            }
            Item::Mod(module) if module.ident == "error" => {}
            other => text.item(other),
        }
    }
    bodies::write(&mut text, document, &lowered, &structs)?;
    Ok(text.finish())
}

/// Puts the text of the module into that of the client, where the module was taken from.
pub fn put(types: &str, client: &str) -> Result<String, String> {
    const EMPTY: &str = "pub mod types {}\n";
    let (before, after) = client.split_once(EMPTY).ok_or("the client has no place for its types")?;
    Ok(format!("{before}pub mod types {{\n{types}}}\n{after}"))
}

/// The pattern of each text that has one, by the name of its type.
fn patterns(lowered: &Value) -> BTreeMap<String, String> {
    let schemas = members(&lowered["components"], "schemas");
    schemas.filter_map(|(name, schema)| Some((pascal(name), schema.get("pattern")?.as_str()?.to_owned()))).collect()
}

/// A text with a name and a pattern.
fn is_text(item: &ItemStruct) -> bool {
    wrapped(item).and_then(named).is_some_and(|name| name == "String")
}

/// What a type with a name of its own holds, if that is all of it.
fn wrapped(item: &ItemStruct) -> Option<&Type> {
    match &item.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first().map(|field| &field.ty),
        _ => None,
    }
}

/// A list of words.
fn is_list(item: &ItemEnum) -> bool {
    !item.variants.is_empty() && item.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit))
}

/// Implementations that a macro makes, and the functions that builders bring with them.
fn is_replaced(item: &ItemImpl, made: &BTreeSet<String>) -> bool {
    let of = |kind: &Type| named(kind).is_some_and(|name| made.contains(&name.to_string()));
    // `impl From<OrderId> for String` has its type among the arguments.
    let from = item.trait_.as_ref().and_then(|(_, path, _)| super::items::argument(&path.segments.last()?.arguments));
    match &item.trait_ {
        None => of(&item.self_ty) || item.items.iter().all(is_builder),
        Some(_) => of(&item.self_ty) || from.is_some_and(of),
    }
}

fn is_builder(item: &syn::ImplItem) -> bool {
    matches!(item, syn::ImplItem::Fn(function) if function.sig.ident == "builder")
}

fn structure(text: &mut Text, item: &ItemStruct, mock: &BTreeSet<String>) {
    let name = item.ident.to_string();
    text.docs(&item.attrs);
    text.attributes(&item.attrs);
    if mock.contains(&name) {
        text.line("#[cfg_attr(feature = \"mock\", derive(Default))]");
    }
    match (&item.fields, wrapped(item)) {
        (Fields::Named(fields), _) if fields.named.is_empty() => text.line(&format!("pub struct {name} {{}}")),
        (Fields::Named(fields), _) => {
            text.line(&format!("pub struct {name} {{"));
            text.indented(|text| {
                for field in &fields.named {
                    text.docs(&field.attrs);
                    text.attributes(&field.attrs);
                    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                    text.line(&format!("pub {name}: {},", kind(&field.ty)));
                }
            });
            text.line("}");
        }
        (fields, Some(inner)) => {
            let attributes: Vec<String> = fields.iter().flat_map(|field| text::attributes(&field.attrs)).collect();
            let attributes: String = attributes.iter().map(|attribute| format!("{attribute} ")).collect();
            text.line(&format!("pub struct {name}({attributes}pub {});", kind(inner)));
        }
        (Fields::Unit | Fields::Unnamed(_), None) => text.item(&Item::Struct(item.clone())),
    }
}

/// The schemas that calls are made of.
fn calls(lowered: &Document) -> BTreeSet<String> {
    let reach = Reach::of_calls(lowered);
    reach.request.into_iter().chain(reach.response).collect()
}

/// A list of words. Those of streams are named as in the module of streams; those of calls had their names before.
fn words(text: &mut Text, item: &ItemEnum, in_calls: bool) {
    text.line("wire::words! {");
    text.indented(|text| {
        text.docs(&item.attrs);
        text.line(&format!("{} {{", item.ident));
        let words = item.variants.iter().map(|variant| {
            let word = renamed(&variant.attrs).unwrap_or_else(|| variant.ident.to_string());
            let name = if in_calls { variant.ident.to_string() } else { crate::emit::variant(&word) };
            format!("{name} = {word:?},")
        });
        text.indented(|text| text.filled(words));
        text.line("}");
    });
    text.line("}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn taken(schemas: &str, client: &str) -> String {
        let spec = format!(
            "openapi: 3.0.3\ninfo: {{ title: t, version: '1' }}\npaths:\n  /a:\n    post:\n      operationId: Make\n      requestBody: {{ content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Row' }} }} }} }}\ncomponents:\n  schemas:\n{schemas}"
        );
        let document = Document::join("v", vec![Source::parse("specs/v/openapi.yaml", &spec).unwrap()]).unwrap();
        let mut file = syn::parse_file(&format!("pub mod types {{ {client} }}")).unwrap();
        let text = take(&document, &document.value, &mut file).unwrap();
        let whole = put(&text, &prettyplease::unparse(&file)).unwrap();
        syn::parse_file(&whole).unwrap_or_else(|error| panic!("{error}: {whole}"));
        text
    }

    #[test]
    fn macros_take_the_place_of_what_is_written_for_each_type() {
        let client = r##"
            ///A side.
            #[derive(Clone)] pub enum Side { #[serde(rename = "bid")] Bid, #[serde(rename = "\"")] X }
            impl ::std::fmt::Display for Side { fn fmt(&self) {} }
            ///An id.
            #[derive(Clone)] pub struct Id(::std::string::String);
            impl ::std::convert::From<Id> for ::std::string::String { fn from(value: Id) -> Self { value.0 } }
            #[derive(Clone)] #[serde(transparent)] pub struct Map(pub ::std::collections::HashMap<::std::string::String, i64>);
            impl ::std::ops::Deref for Map { type Target = i64; }
            ///A row.
            #[derive(Clone)] pub struct Row {
                /** Two
 lines. */
                #[serde(rename = "aB", skip_serializing_if = "::std::option::Option::is_none")]
                #[serde(default, deserialize_with = "::venuekit_wire::lenient::optional")]
                pub a_b: ::std::option::Option<::venuekit_wire::Decimal>,
                pub key: ::std::option::Option<::venuekit_wire::Secret>,
            }
            impl Row { pub fn builder() -> builder::Row { Default::default() } }
            pub mod builder {
                pub struct Row { a_b: ::std::result::Result<::std::option::Option<::venuekit_wire::Decimal>, ::std::string::String>,
                    key: ::std::result::Result<::std::option::Option<::venuekit_wire::Secret>, ::std::string::String> }
                impl ::std::default::Default for Row { fn default() -> Self { Self { a_b: Ok(Default::default()), key: Ok(Default::default()) } } }
                impl Row {
                    /// A number.
                    pub fn a_b<T>(mut self, value: T) -> Self { self }
                }
                pub struct Other { a: ::std::result::Result<i64, ::std::string::String> }
            }
            pub mod error {}
        "##;
        let text = taken("    Id: { type: string, pattern: '^a\"$' }\n    Row: { type: object }\n", client);
        for expected in [
            "        /// A side.\n        Side {\n            Bid = \"bid\", X = \"\\\"\",\n        }\n",
            "        /// An id.\n        Id = \"^a\\\"$\";\n",
            "    #[serde(transparent)]\n    pub struct Map(pub HashMap<String, i64>);\n    wire::wraps! { Map(HashMap<String, i64>); }\n",
            "        /// Two\n        /// lines.\n        #[serde(rename = \"aB\", skip_serializing_if = \"Option::is_none\", default, deserialize_with = \"lenient::optional\")]\n        pub a_b: Option<wire::Decimal>,\n",
            "        wire::builder! { Row {\n            /// A number.\n            a_b: optional take wire::Decimal;\n",
            "            into.extend(self.key.clone());\n",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        for gone in ["Display", "impl ::std", "Other", "pub fn builder"] {
            assert!(!text.contains(gone), "{gone}\n{text}");
        }
    }
}
