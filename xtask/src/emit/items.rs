//! What is read off generated items, and written to them, in more than one place.

use std::collections::BTreeMap;

use proc_macro2::Ident;
use serde_json::Value;
use syn::{
    Attribute, Expr, Field, File, GenericArgument, ImplItem, ImplItemFn, Item, ItemImpl, ItemStruct, Lit, LitStr, Meta,
    PathArguments, Type, parse_quote,
};

use crate::lower::names::NAMES;
use crate::model::members;
use crate::names::{pascal, snake};

/// The items of a module of a file.
pub fn module<'a>(file: &'a File, name: &str) -> impl Iterator<Item = &'a Item> {
    let modules = file.items.iter().filter_map(move |item| match item {
        Item::Mod(module) if module.ident == name => module.content.as_ref(),
        _ => None,
    });
    modules.flat_map(|(_, items)| items)
}

/// The functions of an `impl` block.
pub fn functions(item: &ItemImpl) -> impl Iterator<Item = &ImplItemFn> {
    item.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) => Some(function),
        _ => None,
    })
}

/// The last name of a type's path.
pub fn named(kind: &Type) -> Option<&Ident> {
    match kind {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

/// The first type argument.
pub fn argument(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    }
}

/// `T` of a type `name<T, ...>`.
pub fn of<'a>(name: &str, kind: &'a Type) -> Option<&'a Type> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == name)?;
    argument(&last.arguments)
}

/// `T` of an option.
pub fn option(kind: &Type) -> Option<&Type> {
    of("Option", kind)
}

/// The field that a member of this name is read into.
pub fn field<'a>(owner: &'a ItemStruct, name: &str) -> Option<&'a Field> {
    owner.fields.iter().find(|field| match renamed(&field.attrs) {
        Some(renamed) => renamed == name,
        None => field.ident.as_ref().is_some_and(|ident| *ident == snake(name)),
    })
}

/// Says what the venue calls members that have a name of their own.
pub fn rename(items: &mut [Item], lowered: &Value) {
    let schemas = members(&lowered["components"], "schemas");
    let named = schemas.filter_map(|(name, schema)| Some((pascal(name), schema.get(NAMES)?.as_object()?)));
    let named: BTreeMap<String, _> = named.collect();
    for item in items {
        let Item::Struct(item) = item else { continue };
        for (own, name) in named.get(&item.ident.to_string()).copied().into_iter().flatten() {
            let own = snake(own);
            let field = item.fields.iter_mut().find(|field| field.ident.as_ref().is_some_and(|ident| *ident == own));
            if let (Some(field), Some(name)) = (field, name.as_str()) {
                // It stands first: see `renamed`.
                field.attrs.insert(0, parse_quote!(#[serde(rename = #name)]));
            }
        }
    }
}

/// `name` of `#[serde(rename = "name")]`.
pub fn renamed(attributes: &[Attribute]) -> Option<String> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // Arguments of another form end the search, and a rename stands first.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = Some(meta.value()?.parse::<LitStr>()?.value());
            }
            Ok(())
        });
    }
    name
}

/// The lines of documentation, without the space that they begin with.
pub fn lines(attributes: &[Attribute]) -> Vec<String> {
    let texts = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
        let Meta::NameValue(meta) = &attribute.meta else { return None };
        match &meta.value {
            Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        }
    });
    texts.flat_map(|text| text.split('\n').map(|line| line.trim().to_owned()).collect::<Vec<_>>()).collect()
}

/// Lines as documentation.
pub fn doc_lines(lines: &[String]) -> Vec<Attribute> {
    let texts = lines.iter().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    texts.map(|text| parse_quote!(#[doc = #text])).collect()
}
