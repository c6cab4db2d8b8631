//! What a spec says of credentials, as a part of the venue's table.

use heck::ToPascalCase;
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use serde_json::Value;

use super::venue::{ident, option};
use crate::document::Document;
use crate::lint::KINDS;
use crate::model::{id_of, schemes, text};
use crate::vocabulary::{
    ClockWindow, CredentialKind, Login, Logins, PieceWord, Probe, Probes, Signature, Signatures, Symptom, Symptoms,
    piece, word,
};

/// The value of the table's member.
pub fn source(document: &Document) -> TokenStream {
    let root = &document.value;
    let signatures: Signatures = word(root, "x-signatures").unwrap_or_default();
    let schemes = headers(document, &signatures);
    let logins: Logins = word(root, "x-logins").unwrap_or_default();
    let logins = logins.iter().map(|(credential, login)| self::login(document, credential, login));
    let signatures = signatures.iter().map(|(name, one)| signature(name, one));
    let clock_window = option(word(root, "x-clock-window").map(|ClockWindow { behind, ahead }| {
        let [behind, ahead] = [behind, ahead].map(Literal::u32_unsuffixed);
        quote!(ClockWindow { behind: #behind, ahead: #ahead })
    }));
    let probes = word(root, "x-probes").unwrap_or(Probes { reach: None, key: Vec::new() });
    let reach = option(probes.reach.as_ref().map(|one| probe(document, one)));
    let key = probes.key.iter().map(|one| probe(document, one));
    let symptoms = word(root, "x-symptoms").unwrap_or(Symptoms { first: Vec::new(), last: Vec::new() });
    let [first, last] = [&symptoms.first, &symptoms.last].map(|rows| {
        let rows = rows.iter().map(symptom);
        quote!(&[#(#rows),*])
    });
    let keys = option(root.get("x-keys").map(|_| quote!(&KEYS)));
    quote! {
        CredentialRules {
            schemes: &[#(#schemes),*],
            logins: &[#(#logins),*],
            signatures: &[#(#signatures),*],
            clock_window: #clock_window,
            probes: Probes { reach: #reach, key: &[#(#key),*] },
            symptoms: Symptoms { first: #first, last: #last },
            keys: #keys,
        }
    }
}

/// The headers that carry credentials, in the order of the security schemes.
fn headers(document: &Document, signatures: &Signatures) -> Vec<TokenStream> {
    let header = |(_, scheme): (&String, &Value)| {
        let credential = text(scheme, "x-credential")?;
        let name = text(scheme, "name").unwrap_or("authorization").to_lowercase();
        let signed = signatures.get(credential).and_then(|one| one.headers.as_ref());
        let is_signed = signed.is_some_and(|headers| headers.keys().any(|own| own.eq_ignore_ascii_case(&name)));
        let carries = match (text(scheme, "scheme"), text(scheme, "x-carries")) {
            _ if is_signed => "Signed",
            (Some("bearer"), _) => "Bearer",
            (Some(_), _) => "Basic",
            (None, Some("id")) => "Id",
            (None, Some("code")) => "Code",
            (None, Some("secret")) => "Secret",
            (None, _) => "Signed",
        };
        let carries = ident(carries);
        Some(quote!(Scheme { credential: #credential, header: #name, carries: Carries::#carries }))
    };
    schemes(document).filter_map(header).collect()
}

fn login(document: &Document, credential: &str, login: &Login) -> TokenStream {
    let operation = id_of(document, &login.operation);
    let takes = login.takes.iter().map(|kind| kind_variant(*kind));
    let [id, secret] = [0, 1].map(|at| {
        option(login.fields.as_ref().map(|fields| {
            let name = [&fields.id, &fields.secret][at];
            quote!(#name)
        }))
    });
    let signed_by = text_option(login.signed_by.as_deref());
    let (token, id_at) = (&login.returns.token, text_option(login.returns.id.as_deref()));
    let scopes_at = text_option(login.returns.scopes.as_ref().map(|scopes| scopes.at.as_str()));
    let endings = login.returns.scopes.iter().flat_map(|scopes| &scopes.endings);
    quote! {
        Login {
            credential: #credential, operation: #operation, takes: &[#(#takes),*], id: #id, secret: #secret, signed_by: #signed_by,
            token_at: #token, id_at: #id_at, scopes_at: #scopes_at, scope_endings: &[#(#endings),*],
        }
    }
}

/// What variables of this kind hold, as the table has it.
fn kind_variant(kind: CredentialKind) -> TokenStream {
    let name = ident(&format!("{kind:?}"));
    quote!(VariableKind::#name)
}

fn signature(name: &str, signature: &Signature) -> TokenStream {
    let pieces = signature.text.iter().filter_map(|text| piece(text)).map(|piece| match piece {
        PieceWord::Part(variant) => {
            let variant = ident(variant);
            quote!(Piece::#variant)
        }
        PieceWord::Text(text) => quote!(Piece::Text(#text)),
    });
    let (separator, end, ahead) = (&signature.separator, &signature.end, Literal::u32_unsuffixed(signature.ahead));
    let time = ident(&format!("{:?}", signature.time));
    let keys = signature.keys.iter().map(|(key, (algorithm, encoding))| {
        let is_unsure = signature.unsure.contains(key);
        let [key, algorithm, encoding] =
            [format!("{key:?}"), format!("{algorithm:?}"), format!("{encoding:?}")].map(|name| ident(&name));
        quote! {
            SigningRule {
                key: KeyType::#key, algorithm: Algorithm::#algorithm, encoding: Encoding::#encoding, is_unsure: #is_unsure,
            }
        }
    });
    let (place, fields) = match (&signature.headers, &signature.params) {
        (Some(headers), _) => ("Headers", headers),
        (None, Some(params)) => ("Params", params),
        (None, None) => unreachable!("lint wants one of them"),
    };
    let adds = signature.adds.iter().flatten().map(|(name, template)| quote!((#name, #template)));
    let is_header = place == "Headers";
    let place = ident(place);
    // The signature itself comes last, as in every description of one.
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(_, template)| template.contains("{signature}"));
    let fields = fields.into_iter().map(|(name, template)| {
        let name = if is_header { name.to_lowercase() } else { name.clone() };
        quote!((#name, #template))
    });
    quote! {
        Signature {
            name: #name, text: &[#(#pieces),*], separator: #separator, end: #end, time: TimeUnit::#time, ahead_millis: #ahead,
            keys: &[#(#keys),*], fields: &[#(#fields),*], place: Place::#place, adds: &[#(#adds),*],
        }
    }
}

pub(super) fn probe(document: &Document, probe: &Probe) -> TokenStream {
    let operation = id_of(document, &probe.operation);
    let with = probe.with.iter().map(|(name, value)| quote!((#name, #value)));
    let (members, list, finds_nothing, proves) = (&probe.members, &probe.list, probe.finds_nothing, &probe.proves);
    quote! {
        Probe {
            operation: #operation, with: &[#(#with),*], members: &[#(#members),*], list: &[#(#list),*],
            finds_nothing: #finds_nothing, proves: #proves,
        }
    }
}

fn symptom(symptom: &Symptom) -> TokenStream {
    let kind = symptom.kind.as_ref().and_then(|kind| KINDS.iter().find(|(name, _)| name == kind));
    let kind = option(kind.map(|(_, variant)| {
        let variant = ident(variant);
        quote!(ErrorKind::#variant)
    }));
    let (says, cause) = (&symptom.says, ident(&format!("{:?}", symptom.cause).to_pascal_case()));
    quote!(Symptom { kind: #kind, says: #says, cause: Cause::#cause })
}

pub(super) fn text_option(text: Option<&str>) -> TokenStream {
    option(text.map(|text| quote!(#text)))
}
