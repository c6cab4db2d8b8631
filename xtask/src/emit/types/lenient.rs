//! How the generated types are read: what an honest venue may write in a response is not refused. The rules are `wire::lenient`'s;
//! here each field names the one that its type needs. Types that only requests are made of are not read by them.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use serde_json::Value;
use syn::{Field, Fields, GenericArgument, Item, PathArguments, PathSegment, Type, parse_quote};

use super::{is_list, is_text};
use crate::document::Document;
use crate::emit::items::argument;
use crate::emit::items::field;
use crate::model::{Reach, follow, members};

/// What is read from a number or a text, digit by digit.
const SCALARS: [&str; 15] = [
    "i32",
    "u32",
    "i64",
    "u64",
    "f64",
    "Decimal",
    "DecimalNumber",
    "DecimalOrText",
    "IntegerOrText",
    "DateTime",
    "UnixSeconds",
    "UnixMillis",
    "UnixMillisOrMicros",
    "UnixMicros",
    "UnixNanos",
];

/// What the generated types cannot say by themselves.
#[derive(Default)]
pub struct Reading {
    /// The types that only requests are made of.
    pub requests: BTreeSet<String>,
    /// The types that serde reads from a buffer, in which the text of a number is lost: choices, and maps beside fields.
    pub buffered: BTreeSet<String>,
    /// By its name, the members of a type of which one must be in a response.
    pub vital: BTreeMap<String, Vec<String>>,
}

impl Reading {
    pub fn of(lowered: &Document) -> Self {
        let reach = Reach::of(lowered);
        let mut buffered = BTreeSet::new();
        for (_, schema) in members(&lowered.value["components"], "schemas") {
            let extra = schema.get("additionalProperties").filter(|_| schema.get("properties").is_some());
            for part in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten().chain(extra) {
                follow(lowered, part, &mut buffered);
            }
        }
        let vital = members(&lowered.value["components"], "schemas").filter_map(|(name, schema)| {
            let names = schema.get("x-vital")?.as_array()?.iter().filter_map(Value::as_str);
            Some((name.clone(), names.map(str::to_owned).collect()))
        });
        let requests = reach.request.difference(&reach.response).cloned().collect();
        Self { requests, buffered, vital: vital.collect() }
    }
}

/// Says for each field of the types how it is read.
pub fn apply(items: &mut Vec<Item>, reading: &Reading) -> Result<(), String> {
    let (mut objects, mut others, mut vital) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for item in &*items {
        match item {
            Item::Struct(item) if reading.vital.contains_key(&item.ident.to_string()) => {
                vital.push(item.ident.clone());
                objects.insert(item.ident.clone())
            }
            Item::Struct(item) if matches!(item.fields, Fields::Named(_)) => objects.insert(item.ident.clone()),
            // Ids and lists of words are made by macros, which know how they are read.
            Item::Struct(item) if !is_text(item) => others.insert(item.ident.clone()),
            Item::Enum(item) if !is_list(item) => others.insert(item.ident.clone()),
            _ => continue,
        };
    }
    let maps: BTreeSet<Ident> =
        others.iter().filter(|name| is_named_map(items, &parse_quote!(#name))).cloned().collect();
    for item in &mut *items {
        let Item::Struct(item) = item else { continue };
        let name = item.ident.to_string();
        let how = match (reading.buffered.contains(&name), reading.requests.contains(&name)) {
            (true, _) => How::Buffered,
            (_, true) => How::Request,
            _ => How::Response,
        };
        let transparent = item.attrs.iter().any(|attribute| says(attribute, "transparent"));
        if matches!(item.fields, Fields::Named(_)) || transparent {
            item.fields.iter_mut().for_each(|field| read(field, &objects, &maps, how));
        }
    }
    let vital = vital.into_iter().map(|name| one_of(items, &name, &reading.vital[&name.to_string()]));
    let vital = vital.collect::<Result<Vec<_>, _>>()?;
    let objects = objects.iter().filter(|name| !reading.vital.contains_key(&name.to_string()));
    items.push(parse_quote! {
        ::venuekit_wire::lenient_types! { objects { #(#objects)* } others { #(#others)* } vital { #(#vital)* } }
    });
    Ok(())
}

/// A type with its members of which one must be there; those that are lists or maps; the fields of the others.
fn one_of(items: &[Item], name: &Ident, members: &[String]) -> Result<TokenStream, String> {
    let owner = items.iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == *name => Some(item),
        _ => None,
    });
    let (mut lists, mut fields) = (Vec::new(), Vec::new());
    for member in members {
        let field = owner.and_then(|owner| field(owner, member));
        let field = field.ok_or_else(|| format!("`{name}` has no field for `{member}` of its `x-vital`"))?;
        let optional = last(&field.ty).filter(|last| last.ident == "Option");
        match optional.and_then(|last| argument(&last.arguments)) {
            Some(inner) if !is_named_map(items, inner) => fields.push(&field.ident),
            _ => lists.push(member),
        }
    }
    Ok(quote!(#name [#(#members)*] [#(#lists)*] [#(#fields)*]))
}

/// Whether a type is a name for a list or a map.
fn is_named_map(items: &[Item], kind: &Type) -> bool {
    items.iter().any(|item| match item {
        Item::Struct(item) => {
            last(kind).is_some_and(|last| last.ident == item.ident)
                && matches!(item.fields, Fields::Unnamed(_))
                && item.fields.iter().all(|field| is_collection(&field.ty))
        }
        _ => false,
    })
}

/// Where a type is read.
#[derive(Clone, Copy, PartialEq)]
enum How {
    Response,
    Request,
    Buffered,
}

fn read(field: &mut Field, objects: &BTreeSet<Ident>, maps: &BTreeSet<Ident>, how: How) {
    // What has no name of its own has no null of its own either, and passes through serde's buffer.
    if field.attrs.iter().any(|attribute| says(attribute, "flatten")) {
        return;
    }
    let inner = last(&field.ty).filter(|last| last.ident == "Option").and_then(|last| argument(&last.arguments));
    let in_responses = how != How::Request;
    match inner {
        // By serde alone, which needs no text.
        _ if how == How::Buffered && has_token(&field.ty) && is_collection(&field.ty) => {
            field.attrs.push(parse_quote!(#[serde(deserialize_with = "::venuekit_wire::lenient::null_as_default")]));
        }
        _ if how == How::Buffered && has_token(&field.ty) => {}
        None if is_collection(&field.ty) => {
            field.attrs.push(parse_quote!(#[serde(deserialize_with = "::venuekit_wire::lenient::collection")]));
        }
        // A map with a name of its own takes null for none, and would take a member that is missing for that.
        None if in_responses && (has_rule(&field.ty, objects) || has_rule(&field.ty, maps)) => {
            field.attrs.push(parse_quote!(#[serde(deserialize_with = "::venuekit_wire::lenient::vital")]));
        }
        Some(inner) if in_responses && (is_collection(inner) || has_rule(inner, objects)) => {
            field.attrs.push(parse_quote!(#[serde(default, deserialize_with = "::venuekit_wire::lenient::optional")]));
        }
        _ => {}
    }
}

/// Whether a value is read otherwise than serde reads it by itself.
fn has_rule(kind: &Type, objects: &BTreeSet<Ident>) -> bool {
    let Some(last) = last(kind) else { return false };
    match argument(&last.arguments) {
        Some(inner) if last.ident == "Box" => has_rule(inner, objects),
        Some(_) => false,
        None => SCALARS.iter().any(|scalar| last.ident == scalar) || objects.contains(&last.ident),
    }
}

/// Whether there is a number or a time in a value, but not in a type of its own.
fn has_token(kind: &Type) -> bool {
    let Some(last) = last(kind) else { return false };
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.last(),
        _ => None,
    };
    match inner {
        Some(GenericArgument::Type(inner)) => has_token(inner),
        _ => SCALARS.iter().any(|scalar| last.ident == scalar),
    }
}

fn is_collection(kind: &Type) -> bool {
    last(kind).is_some_and(|last| last.ident == "Vec" || last.ident == "HashMap")
}

fn last(kind: &Type) -> Option<&PathSegment> {
    let Type::Path(path) = kind else { return None };
    path.path.segments.last()
}

fn says(attribute: &syn::Attribute, word: &str) -> bool {
    attribute.path().is_ident("serde") && attribute.to_token_stream().to_string().contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(source: &str, reading: &Reading) -> String {
        let mut file = syn::parse_file(source).unwrap();
        apply(&mut file.items, reading).unwrap();
        file.to_token_stream().to_string().replace([' ', '\n'], "")
    }

    #[test]
    fn each_field_of_a_response_has_its_rule() {
        let source = "
            pub struct Row { a: ::std::option::Option<i64>, b: ::venuekit_wire::Decimal, c: ::std::vec::Vec<Leg>, d: Leg,
                e: ::std::option::Option<::std::boxed::Box<Leg>>, f: ::std::string::String, g: ::venuekit_wire::Open<Side>,
                #[serde(flatten)] h: ::std::collections::HashMap<String, i64>, i: ::std::option::Option<Totals> }
            pub struct Leg { ratio: ::std::option::Option<f64> }
            pub enum Side { A }
            #[serde(transparent)] pub struct Totals(pub ::std::collections::HashMap<String, i64>);
        ";
        let result = applied(source, &Reading::default());
        for (rule, field) in [
            ("default,deserialize_with=\"::venuekit_wire::lenient::optional\"", "a:"),
            ("deserialize_with=\"::venuekit_wire::lenient::vital\"", "b:"),
            ("deserialize_with=\"::venuekit_wire::lenient::collection\"", "c:"),
            ("deserialize_with=\"::venuekit_wire::lenient::vital\"", "d:"),
            ("default,deserialize_with=\"::venuekit_wire::lenient::optional\"", "e:"),
            ("default,deserialize_with=\"::venuekit_wire::lenient::optional\"", "ratio:"),
            (
                "deserialize_with=\"::venuekit_wire::lenient::collection\"",
                "pub::std::collections::HashMap<String,i64>)",
            ),
        ] {
            assert!(result.contains(&format!("#[serde({rule})]{field}")), "{field} {result}");
        }
        for field in ["f:", "g:", "i:"] {
            assert!(result.contains(&format!(",{field}")), "{field} has no rule: {result}");
        }
        assert!(result.contains("#[serde(flatten)]h:"), "{result}");
        assert!(result.contains("lenient_types!{objects{LegRow}others{Totals}vital{}}"), "{result}");
    }

    #[test]
    fn requests_are_not_read_by_these_rules() {
        let reading = Reading { requests: ["Row".to_owned()].into(), ..Reading::default() };
        let result = applied("pub struct Row { a: ::std::option::Option<i64>, c: ::std::vec::Vec<i64> }", &reading);
        assert!(result.contains("{a:") && result.contains("lenient::collection\")]c:"), "{result}");
    }

    #[test]
    fn what_passes_through_a_buffer_is_read_by_serde_alone() {
        let reading = Reading { buffered: ["Row".to_owned()].into(), ..Reading::default() };
        let source = "pub struct Row { a: ::std::option::Option<i64>, b: f64, c: ::std::vec::Vec<::std::vec::Vec<i64>>,
            d: ::std::collections::HashMap<String, i64>, e: ::std::vec::Vec<String>, f: ::std::option::Option<Row> }";
        let result = applied(source, &reading);
        let null = "#[serde(deserialize_with=\"::venuekit_wire::lenient::null_as_default\")]";
        assert!(result.contains("{a:") && result.contains(",b:"), "{result}");
        assert!(result.contains(&format!("{null}c:")) && result.contains(&format!("{null}d:")), "{result}");
        assert!(result.contains("lenient::collection\")]e:") && result.contains("lenient::optional\")]f:"), "{result}");
    }

    #[test]
    fn one_of_several_members_must_be_there() {
        let members = ["accounts".to_owned(), "theAccount".to_owned()];
        let reading = Reading { vital: [("Row".to_owned(), members.to_vec())].into(), ..Reading::default() };
        let source = "pub struct Row { accounts: ::std::vec::Vec<i64>,
            #[serde(rename = \"theAccount\")] the_account: ::std::option::Option<String> }";
        let result = applied(source, &reading);
        let expected = "objects{}others{}vital{Row[\"accounts\"\"theAccount\"][\"accounts\"][the_account]}";
        assert!(result.contains(expected), "{result}");
        let mut file = syn::parse_file("pub struct Row { accounts: ::std::vec::Vec<i64> }").unwrap();
        assert!(apply(&mut file.items, &reading).unwrap_err().contains("`theAccount`"));
    }
}
