//! The venue's error codes, as an enum that keeps those it does not know.

use heck::ToPascalCase;
use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::venue::ident;
use crate::markup;

pub fn source(names: &Value) -> TokenStream {
    let mut all: Vec<(&String, &str)> =
        names.as_object().into_iter().flatten().filter_map(|(code, name)| Some((code, name.as_str()?))).collect();
    all.sort();
    let variants = all.iter().map(|(code, name)| {
        let (doc, variant) =
            (format!(" {} ({}).", markup::code(name), markup::inline(code)), ident(&name.to_pascal_case()));
        quote!(#[doc = #doc] #variant)
    });
    let rows = all.iter().map(|(code, name)| {
        let variant = ident(&name.to_pascal_case());
        quote!((#code, #name, ErrorCode::#variant))
    });
    quote! {
        /// Why the venue refuses a call, by its own codes.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            #(#variants,)*
            /// A code that was not known when this was generated.
            Unknown(String),
        }

        const ERROR_CODES: &[(&str, &str, ErrorCode)] = &[#(#rows),*];

        impl ErrorCode {
            /// The code of an error, where the venue gave one.
            pub fn of(error: &::venuekit_transport::Error) -> Option<Self> {
                error.code().map(Self::from)
            }

            /// The code as the venue writes it.
            pub fn code(&self) -> &str {
                match self {
                    Self::Unknown(code) => code,
                    known => ERROR_CODES.iter().find(|(_, _, other)| other == known).map_or("", |(code, _, _)| code),
                }
            }

            /// The venue's name for it; none for a code that is not known.
            pub fn name(&self) -> Option<&'static str> {
                ERROR_CODES.iter().find(|(_, _, other)| other == self).map(|(_, name, _)| *name)
            }
        }

        impl From<&str> for ErrorCode {
            fn from(code: &str) -> Self {
                let known = ERROR_CODES.iter().find(|(other, _, _)| *other == code);
                known.map_or_else(|| Self::Unknown(code.to_owned()), |(_, _, known)| known.clone())
            }
        }
    }
}
