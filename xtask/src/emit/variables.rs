//! Whose keys a venue takes, in which environments, and where they are found: parts of its table.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::venue::{ident, option};
use crate::document::Document;
use crate::lint::VARIABLES;
use crate::model::text;

/// The servers of its environments.
pub fn servers(document: &Document) -> TokenStream {
    let servers = document.value.get("servers").and_then(Value::as_array).into_iter().flatten().map(|server| {
        let [environment, url] = ["x-environment", "url"].map(|key| text(server, key).unwrap_or_default());
        let hosts = server.get("x-hosts").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        quote!(Server { environment: #environment, url: #url, hosts: &[#(#hosts),*] })
    });
    quote!(&[#(#servers),*])
}

/// The environment variables of its credentials.
pub fn source(document: &Document) -> TokenStream {
    let value = document.value.get("x-variables").unwrap_or(&Value::Null);
    let of = text(value, "of").unwrap_or(&document.venue);
    let together = value.get("together").is_some();
    let credentials = value["credentials"].as_array().into_iter().flatten().map(|one| {
        let variant = VARIABLES.iter().find(|(name, _)| one["kind"] == *name).map_or("Key", |(_, variant)| variant);
        let (kind, secret) = (ident(variant), text(one, "secret").unwrap_or_default());
        let [id, passphrase] = ["id", "passphrase"].map(|key| option(text(one, key).map(|name| quote!(#name))));
        quote!(CredentialVariables { kind: VariableKind::#kind, id: #id, secret: #secret, passphrase: #passphrase })
    });
    quote!(Variables { of: #of, together: #together, credentials: &[#(#credentials),*] })
}
