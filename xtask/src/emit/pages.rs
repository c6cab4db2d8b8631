//! Lists that come in pages get a `stream` beside their `send`. What an item is, and where the items and the next page stand, is
//! read off the types that were generated.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use syn::visit_mut::VisitMut;
use syn::{Item, ItemStruct, Type, parse_quote};

use super::items::{field, named, of, option};
use super::operations::{Body, Method, Qualify, ident, short};
use crate::model::text;

/// Structs by their names.
type Structs<'a> = BTreeMap<String, &'a ItemStruct>;

/// The stream over the pages of an operation.
pub fn stream(method: &Method, page: &Value, types: &[Item]) -> Result<TokenStream, String> {
    let structs = types.iter().filter_map(|item| match item {
        Item::Struct(item) => Some((item.ident.to_string(), item)),
        _ => None,
    });
    let structs: Structs<'_> = structs.collect();
    let word = |key| text(page, key).unwrap_or_default();
    let (items, list) = member(&structs, method.answer.clone(), word("items"), Take::Move)?;
    let items = if option(&list).is_some() { quote!(#items.unwrap_or_default()) } else { items };
    let item = of("Vec", option(&list).unwrap_or(&list)).ok_or("the items are no list")?;
    let item = short(&qualified(item, types));
    let (first, set) = position(word("param"), method, &structs)?;
    // Read before the items are moved out.
    let told = |key| {
        let (told, kind) = member(&structs, method.answer.clone(), word(key), Take::Copy)?;
        Ok::<_, String>(if option(&kind).is_some() { told } else { quote!(Some(#told)) })
    };
    if word("style") == "after" {
        return after(method, word("key"), &items, &item, (&first, &set), &structs);
    }
    let (constructor, told, page) = match (word("style"), page.get("last")) {
        ("cursor", _) => {
            let told = told("next")?;
            let told = match text(page, "end") {
                Some(end) => quote!(#told.filter(|told| told != #end)),
                None => told,
            };
            ("by_cursor", Some(told), quote!((#items, told)))
        }
        // It ends by itself, so that it has no error of its own.
        ("page", Some(_)) => ("by_number", Some(told("last")?), quote!((#items, told))),
        ("page", None) => ("by_page", None, items),
        _ => ("by_offset", None, items),
    };
    let row = &method.row;
    let row = (constructor != "by_number").then(|| quote!(operations::#row,));
    let constructor = ident(constructor);
    let told = told.map(|told| quote!(let told = #told;));
    Ok(quote! {
        /// Every item of every page, as a stream. A page is requested when the items before it are consumed.
        pub fn stream(self) -> Pages<'a, #item> {
            Pages::#constructor(#row #first, move |at| {
                let mut call = self.clone();
                if let Some(at) = at {
                    call = call.#set(at);
                }
                async move {
                    let (answer, unread) = call.send().await?.into_parts();
                    #told
                    Ok((#page, unread))
                }
            })
        }
    })
}

/// The stream over pages of which each begins behind the last item of the page before.
fn after(
    method: &Method,
    key: &str,
    items: &TokenStream,
    item: &Type,
    (first, set): (&TokenStream, &TokenStream),
    types: &Structs<'_>,
) -> Result<TokenStream, String> {
    let owner = named(item).and_then(|owner| types.get(&owner.to_string()));
    let field = owner.and_then(|owner| field(owner, key)).ok_or_else(|| format!("the items have no `{key}`"))?;
    let (name, row) = (&field.ident, &method.row);
    let how = ident(if option(&field.ty).is_some() { "and_then" } else { "map" });
    Ok(quote! {
        /// Every item of every page, as a stream. A page is requested when the items before it are consumed.
        pub fn stream(self) -> Pages<'a, #item> {
            Pages::by_key(operations::#row, #first, move |at| {
                let mut call = self.clone();
                if let Some(at) = at {
                    call = call.#set(at);
                }
                async move {
                    let (answer, unread) = call.send().await?.into_parts();
                    let items = #items;
                    let last = items.last().#how(|item| item.#name);
                    Ok(((items, last), unread))
                }
            })
        }
    })
}

/// Where a request begins, and the setter of where it goes on: a parameter, or a member of its body.
fn position(param: &str, method: &Method, types: &Structs<'_>) -> Result<(TokenStream, TokenStream), String> {
    if let Some(parameter) = method.parameters.iter().find(|parameter| parameter.name == param) {
        let name = &parameter.field;
        return Ok((quote!(self.#name.clone()), quote!(#name)));
    }
    let Some(Body::Members(body, members)) = &method.body else { return Err("there is no such parameter".to_owned()) };
    let field =
        types.get(&body.to_string()).and_then(|body| field(body, param)).ok_or("the body has no such member")?;
    let member = members.iter().find(|member| Some(&member.field) == field.ident.as_ref());
    let (name, setter) = member.map(|member| (&member.field, &member.setter)).ok_or("the body has no such member")?;
    let how = ident(if option(&field.ty).is_some() { "and_then" } else { "map" });
    let first = quote!(types::#body::try_from(self.body.clone()).ok().#how(|body| body.#name));
    Ok((first, quote!(#setter)))
}

/// Whether a member is moved out of a response, or copied.
#[derive(Clone, Copy, PartialEq)]
enum Take {
    Move,
    Copy,
}

/// The value of a member of `answer`, by its dotted name, and its type; an option of it where something above may be missing.
fn member(types: &Structs<'_>, answer: Type, dotted: &str, take: Take) -> Result<(TokenStream, Type), String> {
    let (mut value, mut kind) = (quote!(answer), answer);
    let mut names = dotted.split('.').filter(|name| !name.is_empty()).peekable();
    while let Some(name) = names.next() {
        let above = option(&kind);
        let owner = above.unwrap_or(&kind);
        // A type that holds itself is boxed.
        let owner = named(of("Box", owner).unwrap_or(owner)).and_then(|owner| types.get(&owner.to_string()));
        let field =
            owner.and_then(|owner| field(owner, name)).ok_or_else(|| format!("the response has no `{dotted}`"))?;
        let (member, may_be_missing, is_last) = (&field.ident, option(&field.ty).is_some(), names.peek().is_none());
        let how = match take {
            Take::Copy if is_last => quote!(.clone()),
            Take::Copy if may_be_missing => quote!(.as_ref()),
            _ => quote!(),
        };
        let by_reference = (take == Take::Copy && !is_last && !may_be_missing).then(|| quote!(&));
        (value, kind) = match (above, may_be_missing) {
            (Some(_), true) => (quote!(#value.and_then(|at| at.#member #how)), field.ty.clone()),
            (Some(_), false) => {
                let kind = &field.ty;
                (quote!(#value.map(|at| #by_reference at.#member #how)), parse_quote!(::std::option::Option<#kind>))
            }
            (None, _) => (quote!(#value.#member #how), field.ty.clone()),
        };
    }
    Ok((value, kind))
}

/// A type of the module `types`, as it is named from where the builders are.
fn qualified(kind: &Type, types: &[Item]) -> Type {
    let names = types.iter().filter_map(|item| match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        _ => None,
    });
    let (names, mut kind): (BTreeSet<String>, _) = (names.collect(), kind.clone());
    Qualify(&names).visit_type_mut(&mut kind);
    kind
}

#[cfg(test)]
mod tests {
    use crate::document::Document;
    use crate::emit::generate;
    use crate::lint::lint;
    use crate::source::Source;

    const SPEC: &str = "\
openrpc: 1.3.2
info: { title: t, version: '1' }
servers: [{ url: 'https://v.test', x-environment: production }]
x-security: []
x-errors: { code: [/code] }
methods:
  - name: public/get_log
    x-retry: safe
    x-page: { style: cursor, param: continuation, next: log.continuation, items: log.entries }
    params: [{ name: continuation, schema: { type: integer } }]
    result: { name: r, schema: { $ref: '#/components/schemas/Log' } }
  - name: public/get_sides
    x-retry: safe
    x-page: { style: offset, param: offset, items: '' }
    params: [{ name: offset, required: true, schema: { type: integer } }]
    result: { name: r, schema: { type: array, items: { $ref: '#/components/schemas/Side' } } }
  - name: public/get_trades
    x-retry: safe
    x-page: { style: after, param: from, key: id, items: '' }
    params: [{ name: from, schema: { type: integer } }]
    result: { name: r, schema: { type: array, items: { $ref: '#/components/schemas/Trade' } } }
components:
  schemas:
    Side: { type: string, enum: [buy, sell] }
    Trade: { type: object, required: [id], properties: { id: { type: integer } } }
    Log: { type: object, properties: { log: { $ref: '#/components/schemas/LogPage' } } }
    LogPage:
      type: object
      required: [continuation]
      properties:
        continuation: { type: [integer, 'null'] }
        entries: { type: array, items: { $ref: '#/components/schemas/Side' } }
";

    #[test]
    fn a_position_in_the_body_and_items_below_what_may_be_missing() {
        let source = Source::parse("specs/v/openrpc.yaml", SPEC).unwrap();
        let document = Document::join("v", vec![source]).unwrap();
        assert_eq!(lint(&document), []);
        let client: String = generate(&document).unwrap().files["client.rs"].split_whitespace().collect();
        for part in [
            "Pages<'a,Open<types::Side>>",
            // An optional position, one that the request must have, and the next of each.
            "types::GetLogParams::try_from(self.body.clone()).ok().and_then(|body|body.continuation),",
            "types::GetSidesParams::try_from(self.body.clone()).ok().map(|body|body.offset),",
            "call=call.continuation(at);",
            "call=call.offset(at);",
            "lettold=answer.log.as_ref().and_then(|at|at.continuation.clone())",
            "answer.log.map(|at|at.entries).unwrap_or_default()",
            // The number of the last item.
            "letitems=answer;letlast=items.last().map(|item|item.id);Ok(((items,last),unread))",
        ] {
            assert!(client.contains(part), "{part}");
        }
    }
}
