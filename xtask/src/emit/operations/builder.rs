//! The builders of operations: what an operation is given, and how it is sent.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, ItemMod, Type, parse_quote};

use super::{Body, Member, Method, Parameter, Place, WIRE, ident, short};
use crate::emit::items::{doc_lines, of};
use crate::emit::pages;
use crate::emit::types::Setter;
use crate::markup;

pub fn module(methods: &[Method], types: &[Item], ids: &BTreeSet<String>) -> Result<ItemMod, String> {
    let builders = methods.iter().map(|method| {
        let tokens = Builder { method, types, ids }.tokens();
        tokens.map_err(|problem| format!("the builder of `{}`: {problem}", method.id))
    });
    let builders = builders.collect::<Result<Vec<_>, _>>()?;
    let wire = WIRE.map(ident);
    let module = syn::parse2(quote! {
        /// Builders of calls: the methods of `Client` return them.
        pub mod builder {
            use ::std::fmt::Display;
            use ::venuekit_transport::Pages;
            use ::venuekit_transport::client::{Call, Error, ResponseValue};
            use ::venuekit_wire::given::Refused;
            use ::venuekit_wire::{#(#wire),*};
            use super::{Client, operations, types};
            #(#builders)*
        }
    });
    module.map_err(|error| error.to_string())
}

struct Builder<'a> {
    method: &'a Method,
    types: &'a [Item],
    ids: &'a BTreeSet<String>,
}

impl Builder<'_> {
    fn tokens(&self) -> Result<TokenStream, String> {
        let Method { id, builder: name, parameters, body, .. } = self.method;
        let doc = doc_lines(&[format!("A call of [`Client::{id}`], before it is sent.")]);
        let refused = self.refuses().then(|| ident("refused"));
        let (refused, none) = (refused.iter().collect::<Vec<_>>(), parameters.iter().map(|parameter| &parameter.field));
        let fields = parameters.iter().map(|parameter| {
            let (field, kind) = (&parameter.field, short(&parameter.kind));
            quote!(#field: Option<#kind>)
        });
        let (body_field, body_value) = match body {
            None => (None, None),
            Some(Body::Members(name, _)) => {
                (Some(quote!(body: types::builder::#name,)), Some(quote!(body: types::builder::#name::default(),)))
            }
            Some(Body::Whole(kind)) => {
                let kind = short(kind);
                (Some(quote!(body: Option<#kind>,)), Some(quote!(body: None,)))
            }
        };
        let setters = parameters.iter().map(|parameter| self.setter(parameter));
        let body_setters = body.as_ref().map(|body| self.body(body));
        let send = self.send();
        let stream = self.method.page.as_ref().map(|page| pages::stream(self.method, page, self.types)).transpose()?;
        Ok(quote! {
            #(#doc)*
            #[derive(Clone, Debug)]
            #[must_use = "nothing is sent before `send`"]
            pub struct #name<'a> {
                client: &'a Client,
                #(#fields,)*
                #body_field
                #(#refused: Refused,)*
            }

            impl<'a> #name<'a> {
                pub(super) fn new(client: &'a Client) -> Self {
                    Self { client, #(#none: None,)* #body_value #(#refused: Refused::default(),)* }
                }
                #(#setters)*
                #body_setters
                #send
                #stream
            }
        })
    }

    /// Whether a value can be refused before the body is made.
    fn refuses(&self) -> bool {
        let mut kinds = self.method.parameters.iter().map(|parameter| &parameter.kind);
        let whole = match &self.method.body {
            Some(Body::Whole(kind)) => Some(kind),
            _ => None,
        };
        kinds.any(|kind| self.can_fail(kind)) || whole.is_some_and(|kind| self.can_fail(kind))
    }

    fn can_fail(&self, kind: &Type) -> bool {
        !matches!(Setter::of(kind, self.ids), Setter::Plain | Setter::Into)
    }

    fn setter(&self, parameter: &Parameter) -> TokenStream {
        let Parameter { field, kind, .. } = parameter;
        let docs = doc_lines(&parameter.docs);
        let (taken, value) = (self.taken(kind), self.value(&field.to_string(), kind));
        quote! {
            #(#docs)*
            pub fn #field(mut self, value: #taken) -> Self {
                self.#field = #value;
                self
            }
        }
    }

    /// What a setter takes for a value of this type.
    fn taken(&self, kind: &Type) -> Type {
        let short = short(kind);
        match Setter::of(kind, self.ids) {
            Setter::Plain => short,
            Setter::Into | Setter::Id => parse_quote!(impl Into<#short>),
            Setter::Ids => {
                let item = of("Vec", &short).unwrap_or(&short);
                parse_quote!(impl IntoIterator<Item = impl Into<#item>>)
            }
            Setter::Take => parse_quote!(impl TryInto<#short, Error: Display>),
        }
    }

    /// The option that a setter makes of its argument.
    fn value(&self, name: &str, kind: &Type) -> TokenStream {
        match Setter::of(kind, self.ids) {
            Setter::Plain => quote!(Some(value)),
            Setter::Into => quote!(Some(value.into())),
            Setter::Id => quote!(self.refused.id(#name, value)),
            Setter::Ids => quote!(self.refused.ids(#name, value)),
            Setter::Take => quote!(self.refused.take(#name, value)),
        }
    }

    fn body(&self, body: &Body) -> TokenStream {
        match body {
            Body::Whole(kind) => {
                let (taken, value) = (self.taken(kind), self.value("body", kind));
                quote! {
                    /// The body. *Required.*
                    pub fn body(mut self, value: #taken) -> Self {
                        self.body = #value;
                        self
                    }
                }
            }
            Body::Members(name, members) => {
                let setters = members.iter().map(|member| self.member(member));
                let whole = doc_lines(&[format!("The whole body: a [`types::{name}`].")]);
                let map = doc_lines(&[format!("The body by its own builder: [`types::builder::{name}`].")]);
                quote! {
                    #(#setters)*
                    #(#whole)*
                    pub fn body(mut self, value: impl Into<types::builder::#name>) -> Self {
                        self.body = value.into();
                        self
                    }
                    #(#map)*
                    pub fn body_map(
                        mut self,
                        map: impl FnOnce(types::builder::#name) -> types::builder::#name,
                    ) -> Self {
                        self.body = map(self.body);
                        self
                    }
                }
            }
        }
    }

    fn member(&self, member: &Member) -> TokenStream {
        let Member { setter, field, kind, docs } = member;
        let (docs, taken) = (doc_lines(docs), self.taken(kind));
        quote! {
            #(#docs)*
            pub fn #setter(mut self, value: #taken) -> Self {
                self.body = self.body.#field(value);
                self
            }
        }
    }

    fn send(&self) -> TokenStream {
        let Method { row, parameters, body, answer, .. } = self.method;
        let doc = doc_lines(&[format!("Sends {}.", markup::code(&self.method.sends))]);
        let given = self.refuses().then(|| quote!(.given(self.refused)));
        let parameters =
            parameters.iter().map(|Parameter { name, field, place, json, required, .. }| match (place, required) {
                (Place::Path, _) => quote!(.required_path(&self.#field)),
                (Place::Query, true) if *json => quote!(.required_json_query(#name, &self.#field)),
                (Place::Query, false) if *json => quote!(.json_query(#name, &self.#field)),
                (Place::Query, true) => quote!(.required_query(#name, &self.#field)),
                (Place::Query, false) => quote!(.query(#name, &self.#field)),
                (Place::Header, true) => quote!(.required_header(#name, self.#field)),
                (Place::Header, false) => quote!(.header(#name, self.#field)),
            });
        let body = body.as_ref().map(|body| match body {
            Body::Members(name, _) => quote!(.built_body::<types::#name>(self.body)),
            Body::Whole(_) => quote!(.required_body(self.body)),
        });
        let is_nothing = matches!(answer, Type::Tuple(parts) if parts.elems.is_empty());
        let how = ident(if is_nothing { "call_empty" } else { "call" });
        let answer = short(answer);
        quote! {
            #(#doc)*
            pub async fn send(self) -> Result<ResponseValue<#answer>, Error> {
                let call = Call::new(operations::#row) #given #(#parameters)* #body;
                self.client.session.#how(call).await
            }
        }
    }
}
