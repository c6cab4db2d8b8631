//! The operation table: everything the transport needs to know about a venue, as constants.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use serde_json::Value;

use super::{credentials, environment, error_code, key_lifecycle, rates, variables, websocket};
use crate::document::{Document, Kind};
use crate::lint::{KINDS, UNITS};
use crate::model::{
    Operation, follow, id_of, is_json_text, members, operations, parameter_schema, resolve, schemes, schemes_at, text,
    walk_schema,
};
use crate::source::step;
use crate::vocabulary::{self, ClientHeaders, Reconcile};

pub fn source(document: &Document) -> String {
    let root = &document.value;
    let mut all = operations(document);
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let rows = all.iter().map(|operation| row(document, operation));
    let names = all.iter().enumerate().map(|(i, operation)| {
        let (name, i) = (ident(&operation.id.to_uppercase()), proc_macro2::Literal::usize_unsuffixed(i));
        quote!(pub const #name: &Operation = &OPERATIONS[#i];)
    });
    let name = &document.venue;
    let protocol = match document.kind {
        Kind::OpenApi => quote!(Rest),
        Kind::OpenRpc => quote!(JsonRpc),
    };
    let errors = errors(root.get("x-errors").unwrap_or(&Value::Null));
    let challenge = option(root.get("x-challenge").map(challenge));
    let buckets = members(root, "x-buckets").map(rates::bucket);
    let rate_headers = rates::headers(root.get("x-rate-headers"));
    let client_headers = client_headers(root);
    let largest_request = option(root.get("x-largest-request").and_then(Value::as_u64).map(|bytes| {
        let bytes = proc_macro2::Literal::u64_unsuffixed(bytes);
        quote!(#bytes)
    }));
    let websocket = option(root.get("x-websocket").map(|word| websocket::source(document, word)));
    let signature_ages = signature_ages(document);
    let credentials = credentials::source(document);
    let keys = vocabulary::word(root, "x-keys").map(|keys| key_lifecycle::items(document, &keys));
    let environment = environment::source(document);
    let servers = variables::servers(document);
    let variables = variables::source(document);
    let error_code = root.pointer("/x-errors/names").map(error_code::source);
    let tokens = quote! {
        use ::venuekit_wire::credentials::{
            Carries, Cause, ClockWindow, CredentialRules, Login, Probe, Probes, Scheme, Symptom, Symptoms,
        };
        use ::venuekit_wire::key_lifecycle::{
            CreateKey, EditKey, Field, FieldPlace, KeyCall, KeyEntry, KeyLifecycle, ListKeys, ManagedBy, NewSecret, OwnKey, Returns, RotateKey, ScopeRule, ScopesFor,
            SubAccounts, TextsField, TextsForm, Time, TimeForm,
        };
        use ::venuekit_wire::operation::{
            Bucket, Challenge, ClientHeader, CostRule, CostWhen, Envelope, ErrorKind, ErrorText, Errors, EventMembers, FailedValue, FailedWhen, Heartbeat, Key, KeyBounds, Limit, Logon,
            Notification, OnConnection, Operation, Page,
            Protocol, Rate, RateHeaders, Reconcile, Repeat, ReplyLimits, Retry, Setting, SignatureAge, SignedCall, Tier, UnknownKey, Venue,
            VenueTime, WebSocket,
        };
        use ::venuekit_wire::server::Server;
        use ::venuekit_wire::signature::{Algorithm, Encoding, KeyType, Piece, Place, Signature, SigningRule, TimeUnit};
        use ::venuekit_wire::variables::{CredentialVariables, VariableKind, Variables};

        #environment

        #error_code

        /// Everything the transport knows about this venue.
        pub static VENUE: Venue = Venue {
            name: #name,
            protocol: Protocol::#protocol,
            servers: #servers,
            variables: #variables,
            operations: OPERATIONS,
            errors: #errors,
            challenge: #challenge,
            buckets: &[#(#buckets),*],
            rate_headers: #rate_headers,
            client_headers: #client_headers,
            largest_request: #largest_request,
            websocket: #websocket,
            signature_ages: &[#(#signature_ages),*],
            credentials: #credentials,
        };

        #keys

        /// One row per operation, ordered by name.
        pub static OPERATIONS: &[Operation] = &[#(#rows),*];

        /// The rows by name.
        pub mod operations {
            use super::{OPERATIONS, Operation};

            #(#names)*
        }
    };
    let file = syn::parse2(tokens).expect("the table is made of constants");
    format!("#![allow(unused_imports)]\n\n{}", prettyplease::unparse(&file))
}

/// The row of an operation: only what differs from the default, a public call that may be repeated.
fn row(document: &Document, operation: &Operation<'_>) -> TokenStream {
    let (id, path, word) = (&operation.id, &operation.path, |key: &str| operation.value.get(key));
    let mut row = quote!(id: #id, path: #path,);
    let mut add = |name: &str, value: Option<TokenStream>| {
        let name = ident(name);
        row.extend(value.map(|value| quote!(#name: #value,)));
    };
    let some = |value: TokenStream| quote!(Some(#value));
    add("method", Some(&operation.method).filter(|method| *method != "GET").map(|method| quote!(#method)));
    add("access", access(document, operation));
    add("retry", retry(word("x-retry").unwrap_or(&Value::Null)));
    add("key", operation.idempotency_key(document).map(|(_, schema)| some(key_bounds(operation, schema))));
    add("rate", word("x-rate").map(rates::of_call));
    add("venue_time", word("x-venue-time").map(|word| some(venue_time(word))));
    add("page", word("x-page").map(|word| some(page(word))));
    let reconcile = reconcile(document, operation);
    add("reconcile", reconcile.map(|(id, by)| quote!(Some(Reconcile { operation: #id, by: &[#(#by),*] }))));
    let name = |key: &str| text(operation.value, key).map(|name| quote!(Some(#name)));
    add("scope", name("x-scope"));
    let secret_fields = secret_fields(document, operation);
    let is_secret = returns_secret(document, operation) || !secret_fields.is_empty();
    add("secret", is_secret.then(|| quote!(true)));
    add("secret_fields", (!secret_fields.is_empty()).then(|| quote!(&[#(#secret_fields),*])));
    add("on_connection", word("x-connection").map(|word| some(websocket::on_connection(word))));
    add("form", operation.is_form().then(|| quote!(true)));
    let parameters = operation.parameters(document);
    let json_texts = parameters.iter().filter(|(_, parameter)| is_json_text(parameter));
    let json_lists: Vec<&str> = json_texts.filter_map(|(_, parameter)| text(parameter, "name")).collect();
    add("json_lists", (!json_lists.is_empty()).then(|| quote!(&[#(#json_lists),*])));
    add("client_id", name("x-client-id"));
    add("rpc_method", name("x-method"));
    quote!(Operation { #row ..Operation::EMPTY })
}

fn client_headers(root: &Value) -> TokenStream {
    let headers: ClientHeaders = vocabulary::word(root, "x-client-headers").unwrap_or_default();
    let headers = headers.iter().map(|(name, values)| {
        let name = name.to_lowercase();
        quote!(ClientHeader { name: #name, values: &[#(#values),*] })
    });
    quote!(&[#(#headers),*])
}

/// The lookup operation that shows what became of this one, and its parameters without which it finds nothing.
pub(super) fn reconcile(document: &Document, operation: &Operation<'_>) -> Option<(String, Vec<String>)> {
    let word: Reconcile = vocabulary::word(operation.value, "x-reconcile")?;
    let (name, by) = word.parts();
    Some((id_of(document, name), by.to_vec()))
}

/// The ways to authorize a call; none where anybody may make it.
fn access(document: &Document, operation: &Operation<'_>) -> Option<TokenStream> {
    let ways = ways(document, operation);
    if matches!(ways.as_slice(), [only] if only.is_empty()) {
        return None;
    }
    let ways = ways.into_iter().map(|way| {
        let names = way.into_iter();
        quote!(&[#(#names),*])
    });
    Some(quote!(&[#(#ways),*]))
}

/// How long what a credential signs may be used: the shortest that one of its headers allows.
fn signature_ages(document: &Document) -> impl Iterator<Item = TokenStream> {
    let mut ages: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, scheme) in schemes(document) {
        if let (Some(credential), Some(age)) = (text(scheme, "x-credential"), scheme["x-signature-age"].as_u64()) {
            ages.entry(credential).and_modify(|least| *least = age.min(*least)).or_insert(age);
        }
    }
    ages.into_iter().map(|(credential, seconds)| {
        let seconds = proc_macro2::Literal::u64_unsuffixed(seconds);
        quote!(SignatureAge { credential: #credential, seconds: #seconds })
    })
}

/// Each requirement as the credentials it needs, in the order of their names.
pub fn ways<'a>(document: &'a Document, operation: &Operation<'a>) -> Vec<BTreeSet<&'a str>> {
    let schemes = schemes_at(document);
    let key = match document.kind {
        Kind::OpenApi => "security",
        Kind::OpenRpc => "x-security",
    };
    let requirements = operation
        .value
        .get(key)
        .or_else(|| document.value.get(key))
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut ways: Vec<BTreeSet<&str>> = Vec::new();
    for requirement in requirements {
        let names = requirement.as_object().into_iter().flatten().map(|(name, _)| name);
        let credentials =
            names.filter_map(|name| text(document.value.pointer(&step(schemes, name))?, "x-credential")).collect();
        if !ways.contains(&credentials) {
            ways.push(credentials);
        }
    }
    if ways.is_empty() {
        ways.push(BTreeSet::new());
    }
    ways
}

/// Whether a call may be repeated; none where it only reads.
fn retry(value: &Value) -> Option<TokenStream> {
    if value == "safe" {
        return None;
    }
    let keyed = |key: &str| value.pointer(key).and_then(Value::as_str);
    Some(match (keyed("/keyed/header"), keyed("/keyed/field")) {
        (Some(header), _) => quote!(Retry::Keyed(Key::Header(#header))),
        (_, Some(field)) => quote!(Retry::Keyed(Key::Field(#field))),
        _ => quote!(Retry::Never),
    })
}

fn key_bounds(operation: &Operation<'_>, schema: &Value) -> TokenStream {
    let length = |name: &str| schema.get(name).and_then(Value::as_u64).map(proc_macro2::Literal::u64_unsuffixed);
    let shortest = length("minLength").unwrap_or_else(|| proc_macro2::Literal::u64_unsuffixed(1));
    let longest = option(length("maxLength").map(|length| quote!(#length)));
    let repeat = match operation.value.pointer("/x-retry/keyed/repeat").is_some() {
        true => quote!(Repeat::Refused),
        false => quote!(Repeat::Replayed),
    };
    quote!(KeyBounds { shortest: #shortest, longest: #longest, repeat: #repeat })
}

fn page(value: &Value) -> TokenStream {
    let [param, next, key, items] = ["param", "next", "key", "items"].map(|key| text(value, key).unwrap_or_default());
    let [last, end] = ["last", "end"].map(|key| option(text(value, key).map(|word| quote!(#word))));
    match text(value, "style") {
        Some("cursor") => quote!(Page::Cursor { param: #param, next: #next, end: #end, items: #items }),
        Some("page") => quote!(Page::Number { param: #param, last: #last, items: #items }),
        Some("after") => quote!(Page::After { param: #param, key: #key, items: #items }),
        _ => quote!(Page::Offset { param: #param, items: #items }),
    }
}

fn venue_time(value: &Value) -> TokenStream {
    let at = text(value, "at").unwrap_or_default();
    let unit = text(value, "unit").unwrap_or_default();
    let per_second = per_second(unit);
    quote!(VenueTime { at: #at, per_second: #per_second })
}

/// How many of a unit make a second.
pub(super) fn per_second(unit: &str) -> i64 {
    UNITS.iter().find(|(name, _)| *name == unit).map_or(1, |(_, per_second)| *per_second)
}

fn challenge(value: &Value) -> TokenStream {
    let word: vocabulary::Challenge = vocabulary::read(value).expect("lint has read it");
    let vocabulary::Challenge { flag, challenge, params, wrong_code } = &word;
    let (challenge_param, code_param) = (&params.challenge, &params.code);
    quote! {
        Challenge {
            flag: #flag, challenge: #challenge, challenge_param: #challenge_param, code_param: #code_param,
            wrong_code: &[#(#wrong_code),*],
        }
    }
}

fn errors(value: &Value) -> TokenStream {
    let list = |key: &str| {
        let places = value.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        quote!(&[#(#places),*])
    };
    let [code, message, detail, param, retry_after] = ["code", "message", "detail", "param", "retry-after"].map(list);
    let [not_processed, outcome_unknown, repeated_key] = ["not-processed", "outcome-unknown", "repeated-key"].map(list);
    let request_id_header = option(text(value, "request-id-header").map(|name| {
        let name = name.to_lowercase();
        quote!(#name)
    }));
    let failed_when = value.get("failed-when").and_then(Value::as_array).into_iter().flatten().map(|test| {
        let at = text(test, "at").unwrap_or_default();
        let value = match (test.get("equals"), test.get("not")) {
            (None, Some(value)) => (quote!(IsNot), value.to_string()),
            (value, _) => (quote!(Is), value.unwrap_or(&Value::Null).to_string()),
        };
        let (how, value) = value;
        quote!(FailedWhen { at: #at, value: FailedValue::#how(#value) })
    });
    let texts = value.get("texts").and_then(Value::as_array).into_iter().flatten().map(|row| {
        let code = option(text(row, "code").map(|code| quote!(#code)));
        let (says, kind) = (text(row, "says").unwrap_or_default(), variant(&row["kind"]));
        quote!(ErrorText { code: #code, says: #says, kind: ErrorKind::#kind })
    });
    let mut kinds: Vec<_> = members(value, "kinds").collect();
    kinds.sort_by_key(|(code, _)| code.as_str());
    let kinds = kinds.into_iter().map(|(code, kind)| {
        let kind = variant(kind);
        quote!((#code, ErrorKind::#kind))
    });
    let unknown_key = value.get("unknown-key").and_then(Value::as_array).into_iter().flatten().map(|test| {
        let status = option(test["status"].as_u64().and_then(|status| u16::try_from(status).ok()).map(|s| quote!(#s)));
        let [code, message, detail] =
            ["code", "message", "detail"].map(|key| option(text(test, key).map(|word| quote!(#word))));
        let except = test["except"].as_array().into_iter().flatten().filter_map(Value::as_str);
        quote!(UnknownKey { status: #status, code: #code, message: #message, detail: #detail, except: &[#(#except),*] })
    });
    let refused = value.get("not-processed").and_then(Value::as_array).into_iter().flatten();
    let not_processed_statuses = refused.filter_map(Value::as_u64).filter_map(|status| u16::try_from(status).ok());
    let bans = members(value, "bans").filter_map(|(status, longest)| {
        let status = proc_macro2::Literal::u16_unsuffixed(status.parse().ok()?);
        let longest = proc_macro2::Literal::u64_unsuffixed(longest.as_u64()?);
        Some(quote!((#status, #longest)))
    });
    let statuses = members(value, "statuses").filter_map(|(status, kind)| {
        let (status, kind) = (status.parse::<u16>().ok()?, variant(kind));
        Some(quote!((#status, ErrorKind::#kind)))
    });
    quote! {
        Errors {
            code: #code, message: #message, detail: #detail, param: #param, retry_after: #retry_after,
            request_id_header: #request_id_header, failed_when: &[#(#failed_when),*], texts: &[#(#texts),*], kinds: &[#(#kinds),*],
            statuses: &[#(#statuses),*], bans: &[#(#bans),*], unknown_key: &[#(#unknown_key),*], not_processed: #not_processed,
            not_processed_statuses: &[#(#not_processed_statuses),*], outcome_unknown: #outcome_unknown,
            repeated_key: #repeated_key,
        }
    }
}

fn variant(kind: &Value) -> Ident {
    let name = KINDS.iter().find(|(name, _)| kind == name).map_or("Other", |(_, variant)| variant);
    ident(name)
}

/// The names of a request's members that are secrets.
fn secret_fields(document: &Document, operation: &Operation<'_>) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    let is_secret = |schema: &Value| text(resolve(document, schema), "format") == Some("secret");
    for (_, parameter) in operation.parameters(document) {
        if parameter_schema(parameter).is_some_and(|(_, schema)| is_secret(schema)) {
            fields.extend(text(parameter, "name").map(str::to_owned));
        }
    }
    let mut names = BTreeSet::new();
    for (_, schema) in operation.request_schemas(document) {
        follow(document, schema, &mut names);
    }
    for schema in names.iter().filter_map(|name| document.value.pointer(&step("/components/schemas", name))) {
        walk_schema("", schema, &mut |_, inner| {
            fields.extend(
                members(inner, "properties").filter(|(_, property)| is_secret(property)).map(|(name, _)| name.clone()),
            );
        });
    }
    fields
}

fn returns_secret(document: &Document, operation: &Operation<'_>) -> bool {
    let Some((_, schema)) = operation.result_schema(document) else { return false };
    let mut names = BTreeSet::new();
    follow(document, schema, &mut names);
    let named = names.iter().filter_map(|name| document.value.pointer(&step("/components/schemas", name)));
    let mut found = false;
    for schema in named.chain([schema]) {
        walk_schema("", schema, &mut |_, inner| found |= text(inner, "format") == Some("secret"));
    }
    found
}

pub(super) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

pub(super) fn option(tokens: Option<TokenStream>) -> TokenStream {
    tokens.map_or_else(|| quote!(None), |tokens| quote!(Some(#tokens)))
}
