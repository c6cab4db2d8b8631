//! Lists that come in pages get a `stream` beside their `send`. What an item is, and where the items and the next page stand, is
//! read off the types that were generated.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use serde_json::Value;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Field, File, Item, ItemEnum, ItemStruct, LitStr, Type, TypePath, parse_quote};

use super::dispatch::{answer, functions, named};
use super::seal::argument;
use crate::document::Document;
use crate::model::{operations, text};
use crate::names::{pascal, snake};

/// Structs by their names.
type Structs = BTreeMap<String, ItemStruct>;

/// Adds the streams to the builders of operations.
pub fn add(document: &Document, client: &mut File) -> Result<(), String> {
    let (types, builders) = (structs(client, "types"), structs(client, "builder"));
    let mut streams = Vec::new();
    for operation in operations(document) {
        let Some(page) = operation.value.get("x-page") else { continue };
        let stream = stream(&operation.id, page, client, &types, &builders);
        let tokens = stream.map_err(|problem| format!("the pages of `{}`: {problem}", operation.id))?;
        streams.push(syn::parse2(tokens).map_err(|error| error.to_string())?);
    }
    if let Some(items) = client.items.iter_mut().find_map(|item| content(item, "builder")) {
        items.append(&mut streams);
    }
    Ok(())
}

fn stream(id: &str, page: &Value, client: &File, types: &Structs, builders: &Structs) -> Result<TokenStream, String> {
    let word = |key| text(page, key).unwrap_or_default();
    let builder = builders.get(&pascal(id)).ok_or("there is no builder")?;
    let name = &builder.ident;
    let answer = answer_of(client, name).ok_or("there is no `send`")?;
    let (items, list) = member(types, answer.clone(), word("items"), Take::Move)?;
    let items = if option(&list).is_some() { quote!(#items.unwrap_or_default()) } else { items };
    let mut item = of("Vec", option(&list).unwrap_or(&list)).cloned().ok_or("the items are no list")?;
    Qualify::of(client).visit_type_mut(&mut item);
    let (first, set) = position(word("param"), builder, types)?;
    // Read before the items are moved out.
    let told = |key| {
        let (told, kind) = member(types, answer.clone(), word(key), Take::Copy)?;
        Ok::<_, String>(if option(&kind).is_some() { told } else { quote!(Some(#told)) })
    };
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
    let id = (constructor != "by_number").then(|| quote!(#id,));
    let constructor = ident(constructor);
    let told = told.map(|told| quote!(let told = #told;));
    let doc = " Every item of every page, as a stream. A page is asked for when the items before it are taken.";
    Ok(quote! {
        impl<'a> #name<'a> {
            #[doc = #doc]
            pub fn stream(self) -> ::venuekit_transport::Pages<'a, #item> {
                let first = #first;
                ::venuekit_transport::Pages::#constructor(#id first, move |at| {
                    let mut call = self.clone();
                    if let Some(at) = at {
                        call = #set;
                    }
                    async move {
                        let (answer, unread) = call.send().await?.into_parts();
                        #told
                        Ok((#page, unread))
                    }
                })
            }
        }
    })
}

/// Where a request begins, and how it is told to go on at `at`: by a parameter, or by a member of its body.
fn position(param: &str, builder: &ItemStruct, types: &Structs) -> Result<(TokenStream, TokenStream), String> {
    let name = ident(&snake(param));
    let flat = |kind: &Type| option(kind).is_some().then(|| quote!(.flatten()));
    if let Some(field) = field(builder, param) {
        let kind = of("Result", &field.ty).ok_or("the builder's fields are not what they were")?;
        let flatten = flat(kind);
        return Ok((quote!(self.#name.clone().ok()#flatten), quote!(call.#name(at))));
    }
    let body = builder.fields.iter().find(|field| field.ident.as_ref().is_some_and(|ident| ident == "body"));
    let body = body.and_then(|field| named(of("Result", &field.ty)?)).ok_or("there is no such parameter")?;
    let body = types.get(&body.to_string()).ok_or("the body has no type of its own")?;
    let field = field(body, param).ok_or("the body has no such member")?;
    let (kind, member) = (&body.ident, &field.ident);
    let flatten = flat(&field.ty);
    Ok((
        quote!(self.body.clone().ok().and_then(|body| types::#kind::try_from(body).ok()).map(|body| body.#member)#flatten),
        quote!(call.body_map(|body| body.#name(at))),
    ))
}

/// Whether a member is moved out of an answer, or a copy of it is taken.
#[derive(Clone, Copy, PartialEq)]
enum Take {
    Move,
    Copy,
}

/// The value of a member of `answer`, by its dotted name, and its type; an option of it where something above may be missing.
fn member(types: &Structs, answer: Type, dotted: &str, take: Take) -> Result<(TokenStream, Type), String> {
    let (mut value, mut kind) = (quote!(answer), answer);
    let mut names = dotted.split('.').filter(|name| !name.is_empty()).peekable();
    while let Some(name) = names.next() {
        let above = option(&kind);
        let owner = above.unwrap_or(&kind);
        // A type that holds itself is boxed.
        let owner = named(of("Box", owner).unwrap_or(owner)).and_then(|owner| types.get(&owner.to_string()));
        let field =
            owner.and_then(|owner| field(owner, name)).ok_or_else(|| format!("the answer has no `{dotted}`"))?;
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

/// The items of a module of the client.
fn content<'a>(item: &'a mut Item, name: &str) -> Option<&'a mut Vec<Item>> {
    match item {
        Item::Mod(module) if module.ident == name => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    }
}

fn module<'a>(client: &'a File, name: &str) -> impl Iterator<Item = &'a Item> {
    let modules = client.items.iter().filter_map(move |item| match item {
        Item::Mod(module) if module.ident == name => module.content.as_ref(),
        _ => None,
    });
    modules.flat_map(|(_, items)| items)
}

fn structs(client: &File, name: &str) -> Structs {
    let structs = module(client, name).filter_map(|item| match item {
        Item::Struct(item) => Some((item.ident.to_string(), item.clone())),
        _ => None,
    });
    structs.collect()
}

/// The field that a member of this name is read into.
pub fn field<'a>(owner: &'a ItemStruct, name: &str) -> Option<&'a Field> {
    owner.fields.iter().find(|field| match renamed(&field.attrs) {
        Some(renamed) => renamed == name,
        None => field.ident.as_ref().is_some_and(|ident| *ident == snake(name)),
    })
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

/// What the `send` of a builder answers.
fn answer_of(client: &File, builder: &Ident) -> Option<Type> {
    let own = module(client, "builder").filter_map(|item| match item {
        Item::Impl(item) if named(&item.self_ty).is_some_and(|name| name == builder) => Some(item),
        _ => None,
    });
    own.flat_map(functions).find(|function| function.sig.ident == "send").and_then(answer)
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

/// Types are named without a path beside one another, and by `types::` from where the builders are.
struct Qualify(BTreeSet<String>);

impl Qualify {
    fn of(client: &File) -> Self {
        let names = module(client, "types").filter_map(|item| match item {
            Item::Struct(ItemStruct { ident, .. }) | Item::Enum(ItemEnum { ident, .. }) => Some(ident.to_string()),
            _ => None,
        });
        Self(names.collect())
    }
}

impl VisitMut for Qualify {
    fn visit_type_path_mut(&mut self, path: &mut TypePath) {
        visit_mut::visit_type_path_mut(self, path);
        if let Some(name) = path.path.get_ident().filter(|name| self.0.contains(&name.to_string())) {
            *path = parse_quote!(types::#name);
        }
    }
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
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
components:
  schemas:
    Side: { type: string, enum: [buy, sell] }
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
            "Pages<'a,::venuekit_wire::Open<types::Side>>",
            // An optional position, one that the request must have, and the next of each.
            ".and_then(|body|types::GetLogParams::try_from(body).ok()).map(|body|body.continuation).flatten()",
            ".and_then(|body|types::GetSidesParams::try_from(body).ok()).map(|body|body.offset);",
            "call.body_map(|body|body.continuation(at))",
            "call.body_map(|body|body.offset(at))",
            "lettold=answer.log.as_ref().and_then(|at|at.continuation.clone())",
            "answer.log.map(|at|at.entries).unwrap_or_default()",
        ] {
            assert!(client.contains(part), "{part}");
        }
    }
}
