//! Whose keys a venue takes, in which environments, and where they are found: parts of its table.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::credentials::text_option;
use super::venue::{ident, option};
use crate::document::Document;
use crate::model::{self, text};
use crate::vocabulary::{self, IdPattern, word};

/// The servers of its environments.
pub fn servers(document: &Document) -> TokenStream {
    let servers = model::servers(document).map(|server| {
        let [environment, url] = ["x-environment", "url"].map(|key| text(server, key).unwrap_or_default());
        let hosts = server.get("x-hosts").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        // Where calls go over a WebSocket is the same environment.
        let own = [url].into_iter().chain(hosts.clone());
        let socket = document.value.get("x-websocket").and_then(|word| text(&word["servers"], environment));
        let socket = socket.filter(|socket| *socket != "none").map(host);
        let socket = socket.filter(|socket| !own.map(host).any(|known| known == *socket));
        let hosts = hosts.chain(socket);
        let key_page = option(text(server, "x-key-page").map(|page| quote!(#page)));
        let serves = server.get("x-serves").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        quote! {
            Server {
                environment: #environment, url: #url, hosts: &[#(#hosts),*], key_page: #key_page, serves: &[#(#serves),*],
            }
        }
    });
    quote!(&[#(#servers),*])
}

/// The host of a URL, or of a host itself.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}

/// The environment variables of its credentials.
pub fn source(document: &Document) -> TokenStream {
    let variables = word(&document.value, "x-variables");
    let variables = variables.unwrap_or(vocabulary::Variables { of: None, together: None, credentials: Vec::new() });
    let of = variables.of.as_ref().unwrap_or(&document.venue);
    let together = variables.together.is_some();
    let credentials = variables.credentials.iter().map(|one| {
        let (kind, secret, proves) = (ident(&format!("{:?}", one.kind)), &one.secret, &one.proves);
        let [id, passphrase] = [&one.id, &one.passphrase].map(|name| text_option(name.as_deref()));
        let begins = option(one.begins.as_ref().map(|(id, secret)| quote!((#id, #secret))));
        let (id_is_uuid, id_is_secret) = (one.id_pattern == Some(IdPattern::Uuid), one.id_is_secret);
        quote! {
            CredentialVariables {
                kind: VariableKind::#kind, id: #id, secret: #secret, passphrase: #passphrase, proves: &[#(#proves),*],
                begins: #begins, id_is_uuid: #id_is_uuid, id_is_secret: #id_is_secret,
            }
        }
    });
    quote!(Variables { of: #of, together: #together, credentials: &[#(#credentials),*] })
}
