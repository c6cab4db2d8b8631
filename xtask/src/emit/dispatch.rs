//! The calls that the tests make by name: a function an operation, which sets through the typed builder what it is given. Each
//! value's type is read off the builder itself, so that nothing says a second time what a schema becomes.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use serde_json::Value;
use syn::{File, FnArg, ImplItem, ImplItemFn, Item, ItemImpl, ReturnType, Type, TypeParamBound, WherePredicate};

use super::seal::argument;
use crate::document::{Document, Kind};
use crate::model::{Operation, operations, text};
use crate::names::snake;

/// What a generated builder takes and gives.
#[derive(Default)]
struct Builder {
    /// The type of each setter.
    setters: BTreeMap<String, Type>,
    /// What an answer is read as.
    answer: Option<Type>,
}

pub fn source(document: &Document, lowered: &Value, client: &File) -> Result<String, String> {
    let lowered = document.derived(Kind::OpenApi, lowered.clone());
    let mut all = operations(&lowered);
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let names = methods(client);
    let builders = builders(client);
    let (mut calls, mut answers, mut functions) = (Vec::new(), Vec::new(), Vec::new());
    for operation in &all {
        let id = &operation.id;
        let builder = names.get(id).and_then(|name| builders.get(name));
        let builder = builder.ok_or_else(|| format!("the client has no builder for `{id}`"))?;
        let answer = builder.answer.as_ref().ok_or_else(|| format!("`{id}` has no `send`"))?;
        let name = ident(&format!("call_{id}"));
        calls.push(quote!(#id => #name(client, given)));
        answers.push(quote!(#id => reread::<#answer>(answer)));
        functions.push(function(&lowered, operation, &name, builder)?);
    }
    let venue = ident(&document.venue);
    let tokens = quote! {
        use venuekit::#venue::{Client, types};

        use crate::call::{Call, Given, reread, sent};

        /// Calls an operation with what is given.
        pub fn call<'a>(client: &'a Client, operation: &str, given: Given) -> Result<Call<'a>, String> {
            match operation {
                #(#calls,)*
                _ => Err(format!("`{operation}` has no call")),
            }
        }

        /// Reads a text as an operation's answer, and writes that again.
        pub fn answer(operation: &str, answer: &[u8]) -> Result<String, String> {
            match operation {
                #(#answers,)*
                _ => Err(format!("`{operation}` has no answer")),
            }
        }

        #(#functions)*
    };
    let file = syn::parse2(tokens).map_err(|error| error.to_string())?;
    Ok(format!("{ALLOWED}\n\n{}", prettyplease::unparse(&file)))
}

const ALLOWED: &str = "#![allow(unused_imports, unused_mut, unused_qualifications, clippy::all)]";

/// Sets what is given, and sends.
fn function(
    lowered: &Document,
    operation: &Operation<'_>,
    name: &Ident,
    builder: &Builder,
) -> Result<TokenStream, String> {
    let method = ident(&operation.id);
    let mut unset: Vec<&String> = builder.setters.keys().collect();
    let mut settings = Vec::new();
    let parameters = operation.parameters(lowered);
    let parameters = parameters.iter().filter_map(|(_, parameter)| text(parameter, "name"));
    let body = operation.value.get("requestBody").map(|_| "body");
    for given in parameters.chain(body) {
        let setter = snake(given);
        let kind = builder.setters.get(&setter);
        let kind = kind.ok_or_else(|| format!("the builder of `{}` does not take `{given}`", operation.id))?;
        unset.retain(|name| **name != setter);
        let setter = ident(&setter);
        settings.push(quote! {
            if let Some(value) = given.take::<#kind>(#given)? {
                call = call.#setter(value);
            }
        });
    }
    if !unset.is_empty() {
        return Err(format!("the builder of `{}` takes {unset:?}, which the document does not have", operation.id));
    }
    Ok(quote! {
        fn #name<'a>(client: &'a Client, mut given: Given) -> Result<Call<'a>, String> {
            let mut call = client.#method();
            #(#settings)*
            given.used_up()?;
            Ok(sent(format!("{call:?}"), call.send()))
        }
    })
}

/// The builder that each of the client's methods returns.
fn methods(client: &File) -> BTreeMap<String, String> {
    let own = client.items.iter().filter_map(|item| match item {
        Item::Impl(item) if item.trait_.is_none() && named(&item.self_ty).is_some_and(|name| name == "Client") => {
            Some(item)
        }
        _ => None,
    });
    let returned = |function: &ImplItemFn| match &function.sig.output {
        ReturnType::Type(_, kind) => named(kind).map(ToString::to_string),
        ReturnType::Default => None,
    };
    own.flat_map(functions).filter_map(|function| Some((function.sig.ident.to_string(), returned(function)?))).collect()
}

/// The builders of operations, by their names.
fn builders(client: &File) -> BTreeMap<String, Builder> {
    let module = client.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "builder" => module.content.as_ref(),
        _ => None,
    });
    let mut builders: BTreeMap<String, Builder> = BTreeMap::new();
    for item in module.iter().flat_map(|(_, items)| items) {
        let Item::Impl(item) = item else { continue };
        let Some(name) = named(&item.self_ty).filter(|_| item.trait_.is_none()) else { continue };
        let builder = builders.entry(name.to_string()).or_default();
        for function in functions(item) {
            if function.sig.ident == "send" {
                builder.answer = answer(function);
            } else if let Some(kind) = set(function) {
                builder.setters.insert(function.sig.ident.to_string(), kind);
            }
        }
    }
    builders
}

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

/// What a setter takes, if this is one: `T` of `V: TryInto<T>`, where `V` is its only argument's type.
fn set(function: &ImplItemFn) -> Option<Type> {
    let mut arguments = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(argument) => Some(&*argument.ty),
        FnArg::Receiver(_) => None,
    });
    let (only, None) = (named(arguments.next()?)?, arguments.next()) else { return None };
    let predicates = &function.sig.generics.where_clause.as_ref()?.predicates;
    predicates.iter().find_map(|predicate| match predicate {
        WherePredicate::Type(predicate) if named(&predicate.bounded_ty) == Some(only) => {
            predicate.bounds.iter().find_map(|bound| match bound {
                TypeParamBound::Trait(bound) => {
                    let last = bound.path.segments.last().filter(|segment| segment.ident == "TryInto")?;
                    argument(&last.arguments).cloned()
                }
                _ => None,
            })
        }
        _ => None,
    })
}

/// `T` of `Result<ResponseValue<T>, Error>`.
pub fn answer(send: &ImplItemFn) -> Option<Type> {
    let ReturnType::Type(_, kind) = &send.sig.output else { return None };
    let inner = |kind: &Type| match kind {
        Type::Path(path) => path.path.segments.last().and_then(|last| argument(&last.arguments).cloned()),
        _ => None,
    };
    inner(&inner(kind)?)
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
