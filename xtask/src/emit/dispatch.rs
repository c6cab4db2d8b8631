//! The calls that the tests make by name: a function an operation, which sets through the typed builder what it is given. Each
//! value's type is the one that its setter takes, so that nothing says a second time what a schema becomes.

use proc_macro2::TokenStream;
use quote::quote;

use super::operations::{Body, Method, ident};
use crate::document::Document;

pub fn source(document: &Document, methods: &[Method]) -> Result<String, String> {
    let mut all: Vec<&Method> = methods.iter().collect();
    all.sort_by_key(|method| method.id.to_string());
    let calls = all.iter().map(|method| {
        let (id, name) = (method.id.to_string(), name(method));
        quote!(#id => #name(client, given))
    });
    let answers = all.iter().map(|method| {
        let (id, answer) = (method.id.to_string(), &method.answer);
        quote!(#id => reread::<#answer>(answer))
    });
    let functions = all.iter().map(|method| function(method));
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

        /// Reads a text as an operation's response, and serializes it again.
        pub fn answer(operation: &str, answer: &[u8]) -> Result<String, String> {
            match operation {
                #(#answers,)*
                _ => Err(format!("`{operation}` has no response")),
            }
        }

        #(#functions)*
    };
    let file = syn::parse2(tokens).map_err(|error| error.to_string())?;
    Ok(format!("{ALLOWED}\n\n{}", prettyplease::unparse(&file)))
}

const ALLOWED: &str = "#![allow(unused_imports, unused_mut, unused_qualifications, clippy::all)]";

fn name(method: &Method) -> proc_macro2::Ident {
    ident(&format!("call_{}", method.id))
}

/// Sets what is given, and sends.
fn function(method: &Method) -> TokenStream {
    let (id, name) = (&method.id, name(method));
    let parameters = method.parameters.iter().map(|parameter| {
        let (setter, kind, given) = (&parameter.field, &parameter.kind, &parameter.name);
        quote! {
            if let Some(value) = given.take::<#kind>(#given)? {
                call = call.#setter(value);
            }
        }
    });
    let body = method.body.as_ref().map(|body| {
        let kind = match body {
            Body::Members(name, _) => quote!(types::#name),
            Body::Whole(kind) => quote!(#kind),
        };
        quote! {
            if let Some(value) = given.take::<#kind>("body")? {
                call = call.body(value);
            }
        }
    });
    quote! {
        fn #name<'a>(client: &'a Client, mut given: Given) -> Result<Call<'a>, String> {
            let mut call = client.#id();
            #(#parameters)*
            #body
            given.used_up()?;
            Ok(sent(format!("{call:?}"), call.send()))
        }
    }
}
