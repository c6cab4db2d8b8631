//! Where a venue is reached, as an enum.

use heck::ToPascalCase;
use proc_macro2::TokenStream;
use quote::quote;

use super::venue::ident;
use crate::document::Document;
use crate::markup;
use crate::model::{environments, members, servers, text};

pub fn source(document: &Document) -> TokenStream {
    let names: Vec<&str> = environments(document).collect();
    let servers: Vec<(String, &str, &str)> = servers(document)
        .filter_map(|server| {
            Some((
                text(server, "x-environment")?.to_pascal_case(),
                text(server, "url")?,
                text(server, "description").unwrap_or_default(),
            ))
        })
        .collect();
    let variants = servers.iter().map(|(name, url, said)| {
        let name = ident(name);
        let doc = format!(" {} {}", markup::inline(said), markup::code(url)).replace("  ", " ");
        quote!(#[doc = #doc] #name)
    });
    let arms = servers.iter().map(|(name, url, _)| {
        let name = ident(name);
        quote!(Self::#name => #url)
    });
    let websocket = document.value.get("x-websocket").map(|word| {
        let lacks_some = members(word, "servers").any(|(_, url)| url == "none");
        let said = match lacks_some {
            true => " Where a WebSocket is opened to it; empty where it has no calls over one.",
            false => " Where a WebSocket is opened to it.",
        };
        let arms = servers.iter().zip(names).map(|((variant, _, _), name)| {
            let url = text(&word["servers"], name).filter(|url| *url != "none").unwrap_or_default();
            let variant = ident(variant);
            quote!(Self::#variant => #url)
        });
        quote! {
            #[doc = #said]
            pub fn websocket_url(&self) -> &str {
                match self {
                    #(#arms,)*
                    Self::Custom(url) => url,
                }
            }
        }
    });
    quote! {
        /// Where the venue is reached. Credentials belong to one environment.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Environment {
            #(#variants,)*
            /// Another server: a proxy, or a sandbox on this machine. Include the path prefix.
            Custom(String),
        }

        impl Environment {
            /// The URL that operation paths are appended to.
            pub fn base_url(&self) -> &str {
                match self {
                    #(#arms,)*
                    Self::Custom(url) => url,
                }
            }

            #websocket
        }
    }
}
