//! The operation table: everything the transport needs to know about a venue, as constants.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use serde_json::Value;

use super::{credentials, environment, error_code, key_lifecycle, variables};
use crate::document::{Document, Kind};
use crate::lint::{KINDS, UNITS};
use crate::model::{Operation, follow, id_of, members, operations, resolve, text, walk_schema};
use crate::source::step;
use crate::vocabulary::{self, Reconcile};

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
    let buckets = members(root, "x-buckets").map(bucket);
    let rate_headers = option(root.get("x-rate-headers").map(rate_headers));
    let largest_request = option(root.get("x-largest-request").and_then(Value::as_u64).map(|bytes| {
        let bytes = proc_macro2::Literal::u64_unsuffixed(bytes);
        quote!(#bytes)
    }));
    let websocket = option(root.get("x-websocket").map(websocket));
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
            CreateKey, Field, FieldPlace, KeyCall, KeyEntry, KeyLifecycle, ListKeys, ManagedBy, NewSecret, OwnKey, Returns, RotateKey, ScopeRule,
            SubAccounts, TextsField, TextsForm, Time, TimeForm,
        };
        use ::venuekit_wire::operation::{
            Bucket, Challenge, ErrorKind, Errors, FailedValue, FailedWhen, Heartbeat, Key, KeyBounds, Limit, OnConnection, Operation, Page,
            Protocol, Rate, RateHeaders, Reconcile, Repeat, Retry, Setting, SignatureAge, Tier, UnknownKey, Venue, VenueTime, WebSocket,
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

fn row(document: &Document, operation: &Operation<'_>) -> TokenStream {
    let (id, method, path) = (&operation.id, &operation.method, &operation.path);
    let access = access(document, operation);
    let retry = retry(operation.value.get("x-retry").unwrap_or(&Value::Null));
    let key = option(operation.idempotency_key(document).map(|(_, schema)| key_bounds(operation, schema)));
    let rate = option(operation.value.get("x-rate").map(rate));
    let page = option(operation.value.get("x-page").map(page));
    let venue_time = option(operation.value.get("x-venue-time").map(venue_time));
    let reconcile =
        option(reconcile(document, operation).map(|(id, by)| quote!(Reconcile { operation: #id, by: &[#(#by),*] })));
    let scope = option(text(operation.value, "x-scope").map(|scope| quote!(#scope)));
    let on_connection = option(operation.value.get("x-connection").map(on_connection));
    let secret_fields = secret_fields(document, operation);
    let secret = returns_secret(document, operation) || !secret_fields.is_empty();
    quote! {
        Operation {
            id: #id, method: #method, path: #path, access: #access, retry: #retry, key: #key, rate: #rate, venue_time: #venue_time,
            page: #page, reconcile: #reconcile, scope: #scope, secret: #secret,
            secret_fields: &[#(#secret_fields),*], on_connection: #on_connection,
        }
    }
}

/// The lookup operation that shows what became of this one, and its parameters without which it finds nothing.
pub(super) fn reconcile(document: &Document, operation: &Operation<'_>) -> Option<(String, Vec<String>)> {
    let word: Reconcile = vocabulary::word(operation.value, "x-reconcile")?;
    let (name, by) = word.parts();
    Some((id_of(document, name), by.to_vec()))
}

fn access(document: &Document, operation: &Operation<'_>) -> TokenStream {
    let ways = ways(document, operation).into_iter().map(|way| {
        let names = way.into_iter();
        quote!(&[#(#names),*])
    });
    quote!(&[#(#ways),*])
}

/// How long what a credential signs may be used: the shortest that one of its headers allows.
fn signature_ages(document: &Document) -> impl Iterator<Item = TokenStream> {
    let mut ages: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, scheme) in document.value.pointer(schemes(document)).and_then(Value::as_object).into_iter().flatten() {
        if let (Some(credential), Some(age)) = (text(scheme, "x-credential"), scheme["x-signature-age"].as_u64()) {
            ages.entry(credential).and_modify(|least| *least = age.min(*least)).or_insert(age);
        }
    }
    ages.into_iter().map(|(credential, seconds)| {
        let seconds = proc_macro2::Literal::u64_unsuffixed(seconds);
        quote!(SignatureAge { credential: #credential, seconds: #seconds })
    })
}

pub(super) fn schemes(document: &Document) -> &'static str {
    match document.kind {
        Kind::OpenApi => "/components/securitySchemes",
        Kind::OpenRpc => "/x-security-schemes",
    }
}

/// Each requirement as the credentials it needs, in the order of their names.
pub fn ways<'a>(document: &'a Document, operation: &Operation<'a>) -> Vec<BTreeSet<&'a str>> {
    let schemes = schemes(document);
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

fn retry(value: &Value) -> TokenStream {
    if value == "safe" {
        return quote!(Retry::Safe);
    }
    match (
        value.pointer("/keyed/header").and_then(Value::as_str),
        value.pointer("/keyed/field").and_then(Value::as_str),
    ) {
        (Some(header), _) => quote!(Retry::Keyed(Key::Header(#header))),
        (_, Some(field)) => quote!(Retry::Keyed(Key::Field(#field))),
        _ => quote!(Retry::Never),
    }
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

fn rate(value: &Value) -> TokenStream {
    let bucket = text(value, "bucket").unwrap_or_default();
    let cost = u32::try_from(value["cost"].as_u64().unwrap_or_default()).unwrap_or(u32::MAX);
    let per_item = option(text(value, "per-item").map(|field| quote!(#field)));
    quote!(Rate { bucket: #bucket, cost: #cost, per_item: #per_item })
}

fn page(value: &Value) -> TokenStream {
    let [param, next, items] = ["param", "next", "items"].map(|key| text(value, key).unwrap_or_default());
    let [last, end] = ["last", "end"].map(|key| option(text(value, key).map(|word| quote!(#word))));
    match text(value, "style") {
        Some("cursor") => quote!(Page::Cursor { param: #param, next: #next, end: #end, items: #items }),
        Some("page") => quote!(Page::Number { param: #param, last: #last, items: #items }),
        _ => quote!(Page::Offset { param: #param, items: #items }),
    }
}

fn bucket((name, tiers): (&String, &Value)) -> TokenStream {
    let tiers = tiers.as_array().into_iter().flatten().map(|tier| {
        let name = text(tier, "tier").unwrap_or_default();
        let refill = tier["refill"].as_f64().map(|refill| {
            let per_second_millis = (refill * 1000.0).round() as u64;
            let capacity = tier["capacity"].as_u64().unwrap_or_default();
            quote!(Limit::Refill { per_second_millis: #per_second_millis, capacity: #capacity })
        });
        let windows = tier["windows"].as_array().into_iter().flatten().map(|window| {
            let [count, seconds] = ["count", "seconds"].map(|key| window[key].as_u64().unwrap_or_default());
            quote!(Limit::Window { count: #count, seconds: #seconds })
        });
        let limits = refill.into_iter().chain(windows);
        quote!(Tier { name: #name, limits: &[#(#limits),*] })
    });
    quote!(Bucket { name: #name, tiers: &[#(#tiers),*] })
}

fn rate_headers(value: &Value) -> TokenStream {
    let [remaining, reset] = ["remaining", "reset"].map(|key| text(value, key).unwrap_or_default().to_lowercase());
    let per_second = per_second(text(value, "unit").unwrap_or("unix-s"));
    quote!(RateHeaders { remaining: #remaining, reset: #reset, per_second: #per_second })
}

fn venue_time(value: &Value) -> TokenStream {
    let at = text(value, "at").unwrap_or_default();
    let unit = text(value, "unit").unwrap_or_default();
    let per_second = per_second(unit);
    quote!(VenueTime { at: #at, per_second: #per_second })
}

/// How many of a unit make a second.
fn per_second(unit: &str) -> i64 {
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

fn websocket(value: &Value) -> TokenStream {
    let word = |part: &str, key: &str| text(&value[part], key).unwrap_or_default().to_owned();
    let [notification, channel, data] = ["method", "channel", "data"].map(|key| word("notification", key));
    let [method, kind, test, answer, set, interval] =
        ["method", "type", "test", "answer", "set", "interval"].map(|key| word("heartbeat", key));
    quote! {
        WebSocket {
            notification: #notification, channel: #channel, data: #data,
            heartbeat: Heartbeat {
                method: #method, kind: #kind, test: #test, answer: #answer, set: #set, interval: #interval,
            },
        }
    }
}

fn on_connection(value: &Value) -> TokenStream {
    let [only, closes] = ["only", "closes"].map(|key| value.get(key).is_some());
    let name = text(value, "sets").or_else(|| text(value, "unsets"));
    let setting = option(name.map(|name| {
        let on = value.get("sets").is_some();
        let when = members(value, "when").next().and_then(|(param, word)| Some((param, word.as_str()?)));
        let when = option(when.map(|(param, word)| quote!((#param, #word))));
        quote!(Setting { name: #name, on: #on, when: #when })
    }));
    quote!(OnConnection { only: #only, closes: #closes, setting: #setting })
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
    let statuses = members(value, "statuses").filter_map(|(status, kind)| {
        let (status, kind) = (status.parse::<u16>().ok()?, variant(kind));
        Some(quote!((#status, ErrorKind::#kind)))
    });
    quote! {
        Errors {
            code: #code, message: #message, detail: #detail, param: #param, retry_after: #retry_after,
            request_id_header: #request_id_header, failed_when: &[#(#failed_when),*], kinds: &[#(#kinds),*],
            statuses: &[#(#statuses),*], unknown_key: &[#(#unknown_key),*], not_processed: #not_processed,
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
        if parameter.get("schema").is_some_and(is_secret) {
            fields.extend(text(parameter, "name").map(str::to_owned));
        }
    }
    let mut names = BTreeSet::new();
    for (pointer, schema) in operation.request_schemas(document) {
        follow(document, &pointer, schema, &mut names);
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
    let Some((pointer, schema)) = operation.result_schema(document) else { return false };
    let mut names = BTreeSet::new();
    follow(document, &pointer, schema, &mut names);
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
