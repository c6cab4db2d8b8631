//! What the types of a client convert from, so that a value of a response goes into the next request as it is: ids and words by
//! reference, the words of one list into another by their text. What a list does not have is refused with the words that it has.

use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{Fields, Ident, Item, ItemEnum, ItemImpl, ItemStruct, Lit, LitStr, parse_quote};

use super::items::{named, renamed};

/// Adds the conversions to the items of the module `types`.
pub fn add(items: &mut Vec<Item>) {
    let mut added = Vec::new();
    let mut refusals = Vec::new();
    for item in items.iter() {
        match item {
            Item::Struct(item) if is_text(item) => added.extend(id(&item.ident)),
            Item::Enum(item) if is_list(item) => {
                let words: Vec<(&Ident, String)> =
                    item.variants.iter().map(|variant| (&variant.ident, word(variant))).collect();
                refusals.push((item.ident.clone(), refusal(&words)));
                added.extend(list(&item.ident, &words));
            }
            _ => {}
        }
    }
    for item in items.iter_mut() {
        let Item::Impl(item) = item else { continue };
        if let Some((_, refusal)) = refusals.iter().find(|(name, _)| is_from_str(item, name)) {
            Refusal(refusal).visit_item_impl_mut(item);
        }
    }
    items.extend(added);
}

/// A text with a name and a pattern.
fn is_text(item: &ItemStruct) -> bool {
    let Fields::Unnamed(fields) = &item.fields else { return false };
    fields.unnamed.len() == 1
        && fields.unnamed.iter().all(|field| named(&field.ty).is_some_and(|name| name == "String"))
}

/// A list of words.
fn is_list(item: &ItemEnum) -> bool {
    !item.variants.is_empty() && item.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit))
}

fn word(variant: &syn::Variant) -> String {
    renamed(&variant.attrs).unwrap_or_else(|| variant.ident.to_string())
}

fn id(name: &Ident) -> Vec<Item> {
    let tokens = quote! {
        impl ::std::convert::TryFrom<&::std::string::String> for #name {
            type Error = self::error::ConversionError;
            fn try_from(value: &::std::string::String) -> ::std::result::Result<Self, self::error::ConversionError> {
                value.parse()
            }
        }
        impl ::std::convert::From<&#name> for #name {
            fn from(value: &#name) -> Self {
                value.clone()
            }
        }
        impl ::std::convert::From<&#name> for ::std::string::String {
            fn from(value: &#name) -> Self {
                value.0.clone()
            }
        }
    };
    syn::parse2::<syn::File>(tokens).expect("the items are constants").items
}

fn list(name: &Ident, words: &[(&Ident, String)]) -> Vec<Item> {
    let arms = words.iter().map(|(variant, word)| quote!(Self::#variant => #word));
    let tokens = quote! {
        impl #name {
            /// The word as the venue writes it.
            pub fn as_str(&self) -> &'static str {
                match self {
                    #(#arms,)*
                }
            }
        }
        impl ::venuekit_wire::Word for #name {
            fn as_str(&self) -> &str {
                Self::as_str(self)
            }
        }
        impl ::std::convert::AsRef<str> for #name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
        impl ::std::convert::From<&#name> for #name {
            fn from(value: &#name) -> Self {
                *value
            }
        }
        impl ::std::convert::TryFrom<&::std::string::String> for #name {
            type Error = self::error::ConversionError;
            fn try_from(value: &::std::string::String) -> ::std::result::Result<Self, self::error::ConversionError> {
                value.parse()
            }
        }
        /// By the word: refused where this list does not have it.
        impl<W: ::venuekit_wire::Word> ::std::convert::TryFrom<&::venuekit_wire::Open<W>> for #name {
            type Error = self::error::ConversionError;
            fn try_from(value: &::venuekit_wire::Open<W>) -> ::std::result::Result<Self, self::error::ConversionError> {
                value.as_str().parse()
            }
        }
        /// By the word: refused where this list does not have it.
        impl<W: ::venuekit_wire::Word> ::std::convert::TryFrom<::venuekit_wire::Open<W>> for #name {
            type Error = self::error::ConversionError;
            fn try_from(value: ::venuekit_wire::Open<W>) -> ::std::result::Result<Self, self::error::ConversionError> {
                value.as_str().parse()
            }
        }
    };
    syn::parse2::<syn::File>(tokens).expect("the items are constants").items
}

fn refusal(words: &[(&Ident, String)]) -> String {
    let words: Vec<String> =
        words.iter().map(|(_, word)| if word.is_empty() { "\"\"".to_owned() } else { word.clone() }).collect();
    format!("not one of {}", words.join(", "))
}

fn is_from_str(item: &ItemImpl, name: &Ident) -> bool {
    let is_trait =
        item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()).is_some_and(|last| last.ident == "FromStr");
    is_trait && named(&item.self_ty) == Some(name)
}

/// Puts a text in place of the generator's, which does not say what a value should be.
struct Refusal<'a>(&'a str);

impl VisitMut for Refusal<'_> {
    fn visit_lit_mut(&mut self, literal: &mut Lit) {
        if let Lit::Str(text) = literal
            && text.value() == "invalid value"
        {
            let refusal = LitStr::new(self.0, text.span());
            *literal = parse_quote!(#refusal);
        } else {
            visit_mut::visit_lit_mut(self, literal);
        }
    }
}
