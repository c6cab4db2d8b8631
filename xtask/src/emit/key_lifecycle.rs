//! The life cycle of keys, as a part of the venue's table.

use std::collections::BTreeMap;

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use serde_json::Value;

use super::credentials::{probe, text_option};
use super::venue::{ident, option};
use crate::document::Document;
use crate::model::{FieldPlace, id_of, named, request_field, resolve, servers, text};
use crate::vocabulary::{
    CreateKey, EditKey, KeyCall, KeyEntry, KeyType, Keys, Limit, ManagedBy, NewSecret, Places, Texts, TextsForm, Time,
};

/// The table of the life cycle, and the client's method that works by it.
pub fn items(document: &Document, keys: &Keys) -> TokenStream {
    let table = table(document, keys, None);
    let needs = match keys.managed_by {
        ManagedBy::Key => "",
        ManagedBy::Session => " Needs a session: no key manages keys here.",
    };
    let doc = format!(" The account's API keys, with the interface that all venues share.{needs}");
    quote! {
        /// The life cycle of API keys.
        pub static KEYS: KeyLifecycle = #table;

        impl super::client::Client {
            #[doc = #doc]
            pub fn keys(&self) -> ::venuekit_transport::key_lifecycle::SessionKeys<'_> {
                ::venuekit_transport::key_lifecycle::SessionKeys::with_rules(self.session(), &KEYS)
            }
        }
    }
}

/// The table of a family. Of another family than the first, `first` is that one.
fn table(document: &Document, keys: &Keys, first: Option<(&str, &Keys)>) -> TokenStream {
    let family = text_option(first.map(|(name, _)| name).or(keys.family.as_deref()));
    let others = keys.others.iter().map(|(name, other)| table(document, other, Some((name, keys))));
    let environments = environments_with(document, keys);
    let own = keys.own.as_ref().or_else(|| first.and_then(|(_, first)| first.own.as_ref()));
    let [managed_by, scopes] =
        [format!("{:?}", keys.managed_by), format!("{:?}", keys.scopes)].map(|name| ident(&name));
    let (longest, separator) = (Literal::u32_unsuffixed(keys.name.longest), keys.name.separator);
    let [most, unbound_days] = [keys.most, keys.unbound_days].map(|number| {
        option(number.map(|number| {
            let number = Literal::u32_unsuffixed(number);
            quote!(#number)
        }))
    });
    let (binds_addresses, without_ed25519) = (keys.addresses, text_option(keys.without_ed25519.as_deref()));
    let [create, register] =
        [&keys.create, &keys.register].map(|one| option(one.as_ref().map(|one| create(document, one))));
    let list = list(document, keys);
    let own = option(own.map(|own| {
        let (operation, at, entry) = (id_of(document, &own.operation), &own.at, entry(&own.entry));
        quote!(OwnKey { operation: #operation, at: #at, entry: #entry })
    }));
    let rotate = option(keys.rotate.as_ref().map(|rotate| {
        let (call, returns) = (call(document, &rotate.operation, &rotate.id, None), returns(&rotate.returns));
        quote!(RotateKey { call: #call, returns: #returns })
    }));
    let edit = keys.edit.iter().map(|one| edit(document, one));
    let of = |one: &KeyCall| call(document, &one.operation, &one.id, one.sub_account.as_deref());
    let (revoke, enable) = (of(&keys.revoke), option(keys.enable.as_ref().map(of)));
    let sub_accounts = option(keys.sub_accounts.as_ref().map(|all| {
        let operation = id_of(document, &all.operation);
        let ([at, id], with) = ([&all.at, &all.id].map(places), pairs(all.with.iter()));
        quote!(SubAccounts { operation: #operation, with: #with, at: #at, id: #id })
    }));
    let probes = keys.probes.iter().map(|one| probe(document, one));
    quote! {
        KeyLifecycle {
            family: #family, others: &[#(#others),*], environments: &[#(#environments),*],
            managed_by: ManagedBy::#managed_by, scopes: ScopeRule::#scopes, longest_name: #longest, name_separator: #separator,
            most: #most, binds_addresses: #binds_addresses, unbound_days: #unbound_days, without_ed25519: #without_ed25519,
            create: #create, register: #register, list: #list, own: #own, rotate: #rotate, edit: &[#(#edit),*],
            revoke: #revoke, enable: #enable, sub_accounts: #sub_accounts, probes: &[#(#probes),*],
        }
    }
}

/// The environments whose servers have the calls for keys (`x-serves`); none where all have them.
fn environments_with<'a>(document: &'a Document, keys: &Keys) -> Vec<&'a str> {
    let path = named(document, &keys.list.operation).map(|found| found.path).unwrap_or_default();
    let has_calls = |server: &&Value| {
        let mut begins =
            server.get("x-serves").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        server.get("x-serves").is_none() || begins.any(|begin| path.starts_with(&format!("{begin}/")))
    };
    if servers(document).all(|server| has_calls(&server)) {
        return Vec::new();
    }
    servers(document).filter(has_calls).filter_map(|server| text(server, "x-environment")).collect()
}

fn list(document: &Document, keys: &Keys) -> TokenStream {
    let list = &keys.list;
    let (operation, at, total) =
        (id_of(document, &list.operation), places(&list.at), text_option(list.total.as_deref()));
    let sub_account = option(list.sub_account.as_ref().map(|name| field(document, &list.operation, name)));
    let (entry, attested_until) = (entry(&list.entry), option(list.attested_until.as_ref().map(time)));
    let with = pairs(list.with.iter());
    let detail = list.detail.as_ref();
    let detail = option(detail.map(|one| call(document, &one.operation, &one.id, one.sub_account.as_deref())));
    quote! {
        ListKeys {
            operation: #operation, with: #with, at: #at, total: #total, sub_account: #sub_account, entry: #entry, detail: #detail,
            attested_until: #attested_until,
        }
    }
}

fn create(document: &Document, create: &CreateKey) -> TokenStream {
    let operation = id_of(document, &create.operation);
    let fields = &create.fields;
    let [name, public_key, sub_account] = [&fields.name, &fields.public_key, &fields.sub_account]
        .map(|one| option(one.as_ref().map(|one| field(document, &create.operation, one))));
    let [scopes, addresses] = [&fields.scopes, &fields.addresses]
        .map(|one| option(one.as_ref().map(|one| texts(document, &create.operation, one))));
    let kinds = |kinds: &[KeyType]| {
        let kinds = kinds.iter().map(|kind| {
            let kind = ident(&format!("{kind:?}"));
            quote!(KeyType::#kind)
        });
        quote!(&[#(#kinds),*])
    };
    let pairs_of = kinds(&fields.pairs);
    let scopes_for = option(fields.scopes_for.as_ref().map(|only| {
        let (pairs, otherwise) = (kinds(&only.pairs), &only.otherwise);
        quote!(ScopesFor { pairs: #pairs, otherwise: #otherwise })
    }));
    let (fixed, copies) = (json_pairs(create.fixed.iter()), copies(document, &create.operation, &create.copies));
    let returns = returns(&create.returns);
    quote! {
        CreateKey {
            operation: #operation, name: #name, scopes: #scopes, scopes_for: #scopes_for, public_key: #public_key, pairs: #pairs_of,
            sub_account: #sub_account, addresses: #addresses, fixed: #fixed, copies: #copies, returns: #returns,
        }
    }
}

fn edit(document: &Document, edit: &EditKey) -> TokenStream {
    let operation = id_of(document, &edit.operation);
    let fields = &edit.fields;
    let [id, sub_account, name] = [&edit.id, &edit.sub_account, &fields.name]
        .map(|one| option(one.as_ref().map(|one| field(document, &edit.operation, one))));
    let [scopes, addresses, removes] = [&fields.scopes, &fields.addresses, &edit.removes]
        .map(|one| option(one.as_ref().map(|one| texts(document, &edit.operation, one))));
    let (always_addresses, unbound) = (edit.always_addresses, json_pairs(edit.unbound.iter()));
    let copies = copies(document, &edit.operation, &edit.copies);
    let returns = returned(document, &edit.operation);
    quote! {
        EditKey {
            operation: #operation, id: #id, sub_account: #sub_account, name: #name, scopes: #scopes, addresses: #addresses,
            always_addresses: #always_addresses, unbound: #unbound, removes: #removes, copies: #copies, returns: #returns,
        }
    }
}

fn texts(document: &Document, operation: &str, texts: &Texts) -> TokenStream {
    let (names, form) = texts.parts();
    let fields = names.iter().map(|name| field(document, operation, name));
    let (form, with) = (texts_form(form), json_pairs(texts.with()));
    quote!(TextsField { fields: &[#(#fields),*], form: #form, with: #with })
}

/// Fields with the places that they are copied from.
fn copies(document: &Document, operation: &str, copies: &BTreeMap<String, String>) -> TokenStream {
    let copies = copies.iter().map(|(name, place)| {
        let field = field(document, operation, name);
        quote!((#field, #place))
    });
    quote!(&[#(#copies),*])
}

/// Names with their texts.
fn pairs<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> TokenStream {
    let pairs = pairs.map(|(name, value)| quote!((#name, #value)));
    quote!(&[#(#pairs),*])
}

/// Names with their values as JSON.
fn json_pairs<'a>(pairs: impl Iterator<Item = (&'a String, &'a Value)>) -> TokenStream {
    let pairs = pairs.map(|(name, value)| {
        let value = value.to_string();
        quote!((#name, #value))
    });
    quote!(&[#(#pairs),*])
}

fn texts_form(form: TextsForm) -> TokenStream {
    let form = ident(&format!("{form:?}"));
    quote!(TextsForm::#form)
}

fn returns(returns: &NewSecret) -> TokenStream {
    let [id, public_id, secret] = [&returns.id, &returns.public_id, &returns.secret].map(places);
    let is_private_key = returns.private_key;
    let [fingerprint_if, warning] =
        [&returns.fingerprint_if, &returns.warning].map(|place| text_option(place.as_deref()));
    quote! {
        NewSecret {
            id: #id, public_id: #public_id, secret: #secret, is_private_key: #is_private_key, fingerprint_if: #fingerprint_if,
            warning: #warning,
        }
    }
}

fn entry(entry: &KeyEntry) -> TokenStream {
    let [id, public_id, name, scopes, addresses, bound, enabled, disabled, status, public_key] = [
        &entry.id,
        &entry.public_id,
        &entry.name,
        &entry.scopes,
        &entry.addresses,
        &entry.bound,
        &entry.enabled,
        &entry.disabled,
        &entry.status,
        &entry.public_key,
    ]
    .map(places);
    let [scopes_form, addresses_form] = [entry.scopes_form, entry.addresses_form].map(texts_form);
    let (working, all_work) = (&entry.working, entry.all_work);
    let disabled_is = text_option(entry.disabled_is.as_deref());
    let [created, expires, last_used] =
        [&entry.created, &entry.expires, &entry.last_used].map(|one| option(one.as_ref().map(time)));
    let limits = entry.limits.iter().map(|Limit { at, says }| quote!((#at, #says)));
    quote! {
        KeyEntry {
            id: #id, public_id: #public_id, name: #name, scopes: #scopes, scopes_form: #scopes_form,
            addresses: #addresses, addresses_form: #addresses_form, bound: #bound, enabled: #enabled, disabled: #disabled, status: #status,
            working: &[#(#working),*], disabled_is: #disabled_is, all_work: #all_work,
            public_key: #public_key, created: #created, expires: #expires, last_used: #last_used, limits: &[#(#limits),*],
        }
    }
}

fn time(time: &Time) -> TokenStream {
    let (at, form) = (&time.at, ident(&format!("{:?}", time.unit)));
    quote!(Time { at: #at, form: TimeForm::#form })
}

fn places(places: &Places) -> TokenStream {
    quote!(&[#(#places),*])
}

fn call(document: &Document, operation: &str, id: &str, sub_account: Option<&str>) -> TokenStream {
    let (name, id) = (id_of(document, operation), field(document, operation, id));
    let sub_account = option(sub_account.map(|name| field(document, operation, name)));
    let returns = returned(document, operation);
    quote!(KeyCall { operation: #name, id: #id, sub_account: #sub_account, returns: #returns })
}

/// What the good response of a call is.
fn returned(document: &Document, operation: &str) -> TokenStream {
    let called = named(document, operation);
    let schema =
        called.as_ref().and_then(|called| called.result_schema(document)).map(|(_, schema)| resolve(document, schema));
    let returns = match schema.map(|schema| text(schema, "type")) {
        None => "Nothing",
        Some(Some("string")) => "Text",
        Some(Some("object")) => "Object",
        Some(_) => "Anything",
    };
    let returns = ident(returns);
    quote!(Returns::#returns)
}

/// A field that lint has found in the request.
fn field(document: &Document, operation: &str, name: &str) -> TokenStream {
    let found = named(document, operation);
    let found = found.as_ref().and_then(|operation| request_field(document, operation, name));
    let place = ident(&format!("{:?}", found.as_ref().map_or(FieldPlace::Body, |found| found.place)));
    let is_number = found.as_ref().is_some_and(|found| found.is_number(document));
    let is_required = found.is_some_and(|found| found.is_required);
    quote!(Field { name: #name, place: FieldPlace::#place, is_number: #is_number, is_required: #is_required })
}
