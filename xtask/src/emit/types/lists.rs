//! Lists that a request may leave out. Progenitor writes no empty list, so that "none" and "not given" are the same request, and to many
//! venues they are not: without a list of scopes a key may do everything, and an empty list of addresses unbinds it. Here such a list is an
//! option, and an empty one is sent. Types that responses have too stay as they are.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::{Field, Item, ItemStruct, Type, parse_quote};

use crate::emit::items::{named, renamed};

/// Makes options of the lists and maps that the types of requests may leave out.
pub fn optional(items: &mut [Item], requests: &BTreeSet<String>) {
    let mut made = BTreeSet::new();
    for item in &mut *items {
        let Item::Struct(item) = item else { continue };
        if requests.contains(&item.ident.to_string()) {
            made.extend(item.fields.iter_mut().filter_map(in_type).map(|field| (item.ident.to_string(), field)));
        }
    }
    let builders = items.iter_mut().filter_map(|item| match item {
        Item::Mod(module) if module.ident == "builder" => module.content.as_mut(),
        _ => None,
    });
    for item in builders.flat_map(|(_, items)| items) {
        if let Item::Struct(item) = item {
            in_builder(item, &made);
        }
    }
}

/// The name of a field that has become an option.
fn in_type(field: &mut Field) -> Option<String> {
    let may_be_left_out = field.attrs.iter().any(|attribute| {
        let text = attribute.to_token_stream().to_string();
        text.contains("Vec::is_empty") || text.contains("HashMap::is_empty")
    });
    if !may_be_left_out || !named(&field.ty).is_some_and(|name| name == "Vec" || name == "HashMap") {
        return None;
    }
    let (kind, rename) = (&field.ty, renamed(&field.attrs));
    field.ty = parse_quote!(::std::option::Option<#kind>);
    field.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
    field.attrs.extend(rename.map(|name| parse_quote!(#[serde(rename = #name)])));
    field.attrs.push(parse_quote!(#[serde(default, skip_serializing_if = "::std::option::Option::is_none")]));
    field.ident.as_ref().map(ToString::to_string)
}

/// The builder holds `Result<T, String>` of each field.
fn in_builder(item: &mut ItemStruct, made: &BTreeSet<(String, String)>) {
    let owner = item.ident.to_string();
    for field in &mut item.fields {
        let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        if !made.contains(&(owner.clone(), name)) {
            continue;
        }
        let Type::Path(path) = &mut field.ty else { continue };
        let Some(syn::PathArguments::AngleBracketed(arguments)) =
            path.path.segments.last_mut().map(|last| &mut last.arguments)
        else {
            continue;
        };
        if let Some(syn::GenericArgument::Type(kind)) = arguments.args.first_mut() {
            *kind = parse_quote!(::std::option::Option<#kind>);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_a_request_may_leave_out_is_an_option() {
        let mut file: syn::File = parse_quote! {
            pub struct New {
                #[serde(rename = "theScopes", default, skip_serializing_if = "::std::vec::Vec::is_empty")]
                pub scopes: ::std::vec::Vec<Scope>,
                pub orders: ::std::vec::Vec<Order>,
                #[serde(flatten)]
                pub extra: ::std::collections::HashMap<String, i64>,
            }
            pub struct Shown {
                #[serde(default, skip_serializing_if = "::std::vec::Vec::is_empty")]
                pub scopes: ::std::vec::Vec<Scope>,
            }
            pub mod builder {
                pub struct New {
                    scopes: ::std::result::Result<::std::vec::Vec<super::Scope>, ::std::string::String>,
                    orders: ::std::result::Result<::std::vec::Vec<super::Order>, ::std::string::String>,
                }
            }
        };
        optional(&mut file.items, &["New".to_owned()].into());
        let expected: syn::File = parse_quote! {
            pub struct New {
                #[serde(rename = "theScopes")]
                #[serde(default, skip_serializing_if = "::std::option::Option::is_none")]
                pub scopes: ::std::option::Option<::std::vec::Vec<Scope>>,
                pub orders: ::std::vec::Vec<Order>,
                #[serde(flatten)]
                pub extra: ::std::collections::HashMap<String, i64>,
            }
            pub struct Shown {
                #[serde(default, skip_serializing_if = "::std::vec::Vec::is_empty")]
                pub scopes: ::std::vec::Vec<Scope>,
            }
            pub mod builder {
                pub struct New {
                    scopes: ::std::result::Result<
                        ::std::option::Option<::std::vec::Vec<super::Scope>>, ::std::string::String>,
                    orders: ::std::result::Result<::std::vec::Vec<super::Order>, ::std::string::String>,
                }
            }
        };
        assert_eq!(file.to_token_stream().to_string(), expected.to_token_stream().to_string());
    }
}
