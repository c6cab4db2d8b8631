//! Structs that `wire::object!` reads and writes in place of serde's derives, and the word that it has for each field.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, Field, Fields, ItemStruct, Meta, Path, Token, parse_quote};

use super::text::{Text, code};
use crate::emit::items::{option, renamed};

/// The traits that the macro implements.
const MADE: [&str; 2] = ["Deserialize", "Serialize"];

/// A struct as the macro has it.
pub struct Object {
    /// The struct without what is said to serde.
    pub item: ItemStruct,
    /// Of each field its name, that of its member, and its word.
    fields: Vec<String>,
}

impl Object {
    /// `None` for what the macro cannot say: structs without names, members of unknown names, or words to serde that it does not know.
    pub fn of(item: &ItemStruct) -> Option<Self> {
        let Fields::Named(named) = &item.fields else { return None };
        if item.attrs.iter().any(is_for_serde) {
            return None;
        }
        let fields = named.named.iter().map(field).collect::<Option<Vec<String>>>()?;
        let mut item = item.clone();
        item.attrs.iter_mut().try_for_each(without_made)?;
        for field in &mut item.fields {
            field.attrs.retain(|attribute| !is_for_serde(attribute));
        }
        Some(Self { item, fields })
    }

    /// Writes the macro.
    pub fn write(&self, text: &mut Text) {
        let name = &self.item.ident;
        if self.fields.is_empty() {
            return text.line(&format!("wire::object! {{ {name} {{}} }}"));
        }
        text.line(&format!("wire::object! {{ {name} {{"));
        text.indented(|text| text.filled(self.fields.iter().map(|field| format!("{field},"))));
        text.line("} }");
    }
}

fn is_for_serde(attribute: &Attribute) -> bool {
    attribute.path().is_ident("serde")
}

/// Takes the traits that the macro implements out of what is derived. `None` if they are not derived.
fn without_made(attribute: &mut Attribute) -> Option<()> {
    if !attribute.path().is_ident("derive") {
        return Some(());
    }
    let derived = attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok()?;
    let is_made = |path: &Path| path.segments.last().is_some_and(|last| MADE.iter().any(|made| last.ident == made));
    let others: Vec<&Path> = derived.iter().filter(|path| !is_made(path)).collect();
    if others.len() + MADE.len() != derived.len() {
        return None;
    }
    *attribute = parse_quote!(#[derive(#(#others),*)]);
    Some(())
}

/// The name of a field, that of its member, and the word for how it is read and written.
fn field(field: &Field) -> Option<String> {
    let name = field.ident.as_ref()?;
    let mut said = BTreeSet::new();
    for attribute in field.attrs.iter().filter(|attribute| is_for_serde(attribute)) {
        let parts = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
        let others = parts.iter().filter(|part| !part.path().is_ident("rename"));
        said.extend(others.map(|part| code(part.to_token_stream())));
    }
    let reads = |function: &str| said.contains(&format!("deserialize_with = \"lenient::{function}\""));
    let skips = |function: &str| said.contains(&format!("skip_serializing_if = \"{function}\""));
    let is_default = said.contains("default");
    let skips_none = skips("Option::is_none");
    let skips_empty = skips("Vec::is_empty") || skips("HashMap::is_empty");
    let is_option = option(&field.ty).is_some();
    // How many of the words are accounted for.
    let (word, known) = match () {
        () if reads("optional") && is_default && skips_none => ("optional", 3),
        () if reads("optional") && is_default => ("optional_null", 2),
        () if reads("vital") => ("vital", 1),
        () if reads("collection") && is_default && skips_empty => ("list_or_none", 3),
        () if reads("collection") => ("list", 1),
        () if is_option && skips_none && is_default => ("maybe", 2),
        () if is_option && skips_none => ("maybe", 1),
        () if is_option => ("nullable", 0),
        () => ("plain", 0),
    };
    let member = renamed(&field.attrs).unwrap_or_else(|| name.to_string());
    // The macro compares names as they are written between quotes.
    if member.contains(|c: char| c == '"' || c == '\\' || c.is_control()) {
        return None;
    }
    (said.len() == known).then(|| format!("{name} {member:?} {word}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(item: &ItemStruct) -> Option<String> {
        let mut text = Text::top();
        let object = Object::of(item)?;
        object.write(&mut text);
        text.item(&object.item.into());
        Some(text.finish())
    }

    #[test]
    fn each_field_has_a_word() {
        let text = written(&parse_quote! {
            #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
            #[non_exhaustive]
            pub struct Row {
                pub a: ::std::string::String,
                #[serde(rename = "theB", skip_serializing_if = "::std::option::Option::is_none")]
                pub b: ::std::option::Option<::std::string::String>,
                #[serde(skip_serializing_if = "::std::option::Option::is_none")]
                #[serde(default, deserialize_with = "::venuekit_wire::lenient::optional")]
                pub c: ::std::option::Option<i64>,
                #[serde(deserialize_with = "::venuekit_wire::lenient::vital")]
                pub d: i64,
                #[serde(default, skip_serializing_if = "::std::vec::Vec::is_empty")]
                #[serde(deserialize_with = "::venuekit_wire::lenient::collection")]
                pub e: ::std::vec::Vec<i64>,
                #[serde(deserialize_with = "::venuekit_wire::lenient::collection")]
                pub f: ::std::vec::Vec<i64>,
                pub g: ::std::option::Option<::std::string::String>,
                #[serde(default, deserialize_with = "::venuekit_wire::lenient::optional")]
                pub h: ::std::option::Option<i64>,
            }
        });
        let text = text.unwrap();
        let fields = "a \"a\" plain, b \"theB\" maybe, c \"c\" optional, d \"d\" vital, e \"e\" list_or_none, f \"f\" list, g \"g\" nullable,";
        assert!(text.contains(fields) && text.contains("h \"h\" optional_null,\n} }\n"), "{text}");
        assert!(text.contains("#[derive(Clone, Debug)]\n#[non_exhaustive]\n"), "{text}");
        assert!(!text.contains("serde"), "{text}");
    }

    #[test]
    fn what_the_macro_cannot_say_is_left_to_serde() {
        for item in [
            "#[derive(Deserialize, Serialize)] struct A { #[serde(flatten)] a: HashMap<String, i64> }",
            "#[derive(Deserialize, Serialize)] struct A { #[serde(default)] a: bool }",
            "#[derive(Deserialize, Serialize)] struct A { #[serde(default, deserialize_with = \"::venuekit_wire::lenient::collection\")] a: Vec<i64> }",
            "#[derive(Deserialize, Serialize)] #[serde(deny_unknown_fields)] struct A { a: bool }",
            "#[derive(Deserialize, Serialize)] #[serde(transparent)] struct A(bool);",
            "#[derive(Clone, Deserialize)] struct A { a: bool }",
            r#"#[derive(Deserialize, Serialize)] struct A { #[serde(rename = "a\"b")] a: i64 }"#,
            r#"#[derive(Deserialize, Serialize)] struct A { #[serde(rename = "a\\b")] a: i64 }"#,
            r#"#[derive(Deserialize, Serialize)] struct A { #[serde(rename = "a\tb")] a: i64 }"#,
        ] {
            assert!(written(&syn::parse_str(item).unwrap()).is_none(), "{item}");
        }
        let empty = written(&parse_quote!(
            #[derive(Deserialize, Serialize, Clone)]
            struct A {}
        ))
        .unwrap();
        assert!(empty.starts_with("wire::object! { A {} }\n"), "{empty}");
    }
}
