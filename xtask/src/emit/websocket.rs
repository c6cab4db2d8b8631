//! The table of `x-websocket`: how a venue takes calls over a WebSocket.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::venue::option;
use crate::document::Document;
use crate::model::id_of;
use crate::vocabulary::{self, Added, LogonUse, websocket as words};

pub(super) fn source(document: &Document, value: &Value) -> TokenStream {
    let word: vocabulary::WebSocket = vocabulary::read(value).expect("lint has read it");
    let notification = word.notification.as_ref().map(|words::Notification { method, channel, data }| {
        quote!(notification: Some(Notification { method: #method, channel: #channel, data: #data }),)
    });
    let heartbeat = word.heartbeat.as_ref().map(|word| {
        let words::Heartbeat { method, kind, test, answer, set, interval } = word;
        quote! {
            heartbeat: Some(Heartbeat {
                method: #method, kind: #kind, test: #test, answer: #answer, set: #set, interval: #interval,
            }),
        }
    });
    let dead_after = word.dead_after.map(Literal::u32_unsuffixed).map(|seconds| quote!(dead_after: Some(#seconds),));
    let life = word.connection_life.map(Literal::u32_unsuffixed);
    let life = life.map(|seconds| quote!(connection_life: Some(#seconds),));
    let ping = word.ping.as_ref().map(|words::Ping { every, message }| {
        let every = Literal::u32_unsuffixed(*every);
        quote!(ping: Some(::venuekit_wire::operation::Ping { every: #every, message: #message }),)
    });
    let commands = word.commands.as_ref().map(|word| {
        let commands = commands(document, word);
        quote!(commands: Some(#commands),)
    });
    let envelope = word.envelope.as_ref().map(|word| {
        let envelope = envelope(word);
        quote!(envelope: Some(#envelope),)
    });
    let signed = word.signed.iter().map(|(credential, adds)| {
        let adds = added(adds);
        quote!(SignedCall { credential: #credential, adds: #adds })
    });
    let signed = (!word.signed.is_empty()).then(|| quote!(signed: &[#(#signed),*],));
    let logon = word.logon.as_ref().map(|words::Logon { operation, keys, adds }| {
        let (operation, adds) = (id_of(document, operation), added(adds));
        let keys = keys.iter().map(|key| format_ident!("{key:?}"));
        quote!(logon: Some(Logon { operation: #operation, keys: &[#(KeyType::#keys),*], adds: #adds }),)
    });
    let parameters = word.parameters.iter().map(|(header, parameter)| {
        let header = header.to_lowercase();
        quote!((#header, #parameter))
    });
    let parameters = (!word.parameters.is_empty()).then(|| quote!(parameters: &[#(#parameters),*],));
    quote! {
        WebSocket {
            #notification #heartbeat #dead_after #life #ping #envelope #commands #signed #logon #parameters ..WebSocket::EMPTY
        }
    }
}

fn envelope(word: &words::Envelope) -> TokenStream {
    let words::Envelope { id, method, params, status, result, error, retry_at, event, limits } = word;
    let retry_at = option(retry_at.as_ref().map(|place| quote!(#place)));
    let event = option(event.as_ref().map(|words::EventMembers { data, subscription, kind, closing }| {
        let closing = option(kind.as_ref().zip(closing.as_ref()).map(|(kind, closing)| quote!((#kind, #closing))));
        quote!(EventMembers { data: #data, subscription: #subscription, closing: #closing })
    }));
    let limits = option(limits.as_ref().map(|limits| {
        let words::ReplyLimits { list, kind, unit, number, used, buckets, units } = limits;
        let buckets = buckets.iter().map(|(name, bucket)| quote!((#name, #bucket)));
        let units = units.iter().map(|(name, seconds)| {
            let seconds = Literal::u64_unsuffixed(*seconds);
            quote!((#name, #seconds))
        });
        quote! {
            ReplyLimits {
                list: #list, kind: #kind, unit: #unit, number: #number, used: #used, buckets: &[#(#buckets),*], units: &[#(#units),*],
            }
        }
    }));
    quote! {
        Envelope {
            id: #id, method: #method, params: #params, status: #status, result: #result, error: #error, retry_at: #retry_at,
            event: #event, limits: #limits,
        }
    }
}

fn commands(document: &Document, word: &words::Commands) -> TokenStream {
    let words::Commands { id, command, arguments, headers, adds, body, quiet, closing, logon } = word;
    let words::CommandLogon { operation, credential, values, done } = logon;
    let (adds, operation) = (added(adds), id_of(document, operation));
    let body = body.iter().map(|(name, place)| quote!((#name, #place)));
    let values = values.iter().map(|value| {
        let header = value.header();
        let kind = match value {
            words::Argument::Text(_) => quote!(Text),
            words::Argument::Integer(_) => quote!(Integer),
        };
        quote!((#header, ::venuekit_wire::stream::ParameterKind::#kind))
    });
    quote! {
        ::venuekit_wire::operation::Commands {
            id: #id, command: #command, arguments: #arguments, headers: #headers, adds: #adds, body: &[#(#body),*],
            quiet: &[#(#quiet),*], closing: &[#(#closing),*],
            logon: ::venuekit_wire::operation::CommandLogon {
                operation: #operation, credential: #credential, values: &[#(#values),*], done: &[#(#done),*],
            },
        }
    }
}

fn added(adds: &[Added]) -> TokenStream {
    let adds = adds.iter().flatten().map(|(name, template)| quote!((#name, #template)));
    quote!(&[#(#adds),*])
}

/// What a call has to do with its connection (`x-connection`).
pub(super) fn on_connection(value: &Value) -> TokenStream {
    let word: vocabulary::Connection = vocabulary::read(value).expect("lint has read it");
    let only = word.only.map(|_| quote!(only: true,));
    let closes = word.closes.map(|_| quote!(closes: true,));
    let name = word.sets.as_ref().or(word.unsets.as_ref());
    let setting = name.map(|name| {
        let on = word.sets.is_some();
        let when = word.when.as_ref().and_then(|when| when.iter().next());
        let when = option(when.map(|(param, word)| quote!((#param, #word))));
        quote!(setting: Some(Setting { name: #name, on: #on, when: #when }),)
    });
    let needs_logon = (word.logon == Some(LogonUse::Needed)).then(|| quote!(needs_logon: true,));
    let ends_logon = (word.logon == Some(LogonUse::Ended)).then(|| quote!(ends_logon: true,));
    let own_signature = (word.logon == Some(LogonUse::Unused)).then(|| quote!(own_signature: true,));
    quote!(OnConnection { #only #closes #setting #needs_logon #ends_logon #own_signature ..OnConnection::NONE })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_call_has_to_do_with_its_connection_is_said_in_full() {
        let row = |value| on_connection(&value).to_string().replace(' ', "");
        assert_eq!(row(json!({ "only": true })), "OnConnection{only:true,..OnConnection::NONE}");
        let needed = row(json!({ "only": true, "logon": "needed" }));
        assert_eq!(needed, "OnConnection{only:true,needs_logon:true,..OnConnection::NONE}");
        assert_eq!(
            row(json!({ "unsets": "cod", "when": { "scope": "connection" } })),
            r#"OnConnection{setting:Some(Setting{name:"cod",on:false,when:Some(("scope","connection"))}),..OnConnection::NONE}"#
        );
    }
}
