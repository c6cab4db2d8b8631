//! The builders of what requests are made of, by `wire::builder!`.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Attribute, Expr, ExprStruct, Fields, Item, ItemStruct, Member, Stmt, Type};

use super::text::{Text, kind};
use super::{Setter, Structs};
use crate::emit::items::argument;
use crate::emit::items::option;
use crate::emit::items::{functions, named};

/// Writes the builders of the types in `used`.
pub fn write(
    text: &mut Text,
    items: &[Item],
    structs: &Structs,
    used: &BTreeSet<String>,
    ids: &BTreeSet<String>,
) -> Result<(), String> {
    let (required, docs) = (required(items), docs(items));
    text.line("/// Builders of the types of requests.");
    text.line("pub mod builder {");
    let written = text.indented(|text| {
        text.line("use super::{HashMap, wire};");
        for item in items {
            let Item::Struct(item) = item else { continue };
            if used.contains(&item.ident.to_string()) {
                builder(text, item, structs, &required, &docs, ids)?;
            }
        }
        Ok::<(), String>(())
    });
    text.line("}");
    written
}

/// By the names of a builder and a field.
type Docs<'a> = BTreeMap<(String, String), &'a [Attribute]>;

fn builder(
    text: &mut Text,
    item: &ItemStruct,
    structs: &Structs,
    required: &BTreeSet<(String, String)>,
    docs: &Docs<'_>,
    ids: &BTreeSet<String>,
) -> Result<(), String> {
    let name = item.ident.to_string();
    let Fields::Named(fields) = &item.fields else { return Err(format!("the builder of `{name}` has no fields")) };
    if fields.named.is_empty() {
        text.line(&format!("wire::builder! {{ {name} {{}} }}"));
        return Ok(());
    }
    text.line(&format!("wire::builder! {{ {name} {{"));
    text.indented(|text| {
        for field in &fields.named {
            let Some(ident) = &field.ident else { continue };
            let place = (name.clone(), ident.to_string());
            let held = result(&field.ty).ok_or_else(|| format!("the builder of `{name}` holds `{ident}` otherwise"))?;
            let (need, taken) = match option(held) {
                Some(inner) => ("optional", inner),
                // What an object may hold beside its members need not be there.
                None if required.contains(&place) && !is_flat(structs.get(&name), &place.1) => ("required", held),
                None => ("default", held),
            };
            text.docs(docs.get(&place).copied().unwrap_or_default());
            text.line(&format!("{ident}: {need} {} {};", Setter::of(taken, ids).word(), kind(taken)));
        }
        Ok::<(), String>(())
    })?;
    text.line("} }");
    Ok(())
}

/// `T` of `Result<T, String>`.
fn result(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    argument(&last.arguments)
}

fn is_flat(owner: Option<&ItemStruct>, field: &str) -> bool {
    let field =
        owner.and_then(|owner| owner.fields.iter().find(|own| own.ident.as_ref().is_some_and(|own| own == field)));
    field.is_some_and(|field| {
        super::text::attributes(&field.attrs).iter().any(|attribute| attribute.contains("flatten"))
    })
}

/// The documentation of setters.
fn docs(items: &[Item]) -> Docs<'_> {
    let mut docs = Docs::new();
    for item in items {
        let Item::Impl(item) = item else { continue };
        let Some(owner) = named(&item.self_ty).filter(|_| item.trait_.is_none()) else { continue };
        for setter in functions(item) {
            docs.insert((owner.to_string(), setter.sig.ident.to_string()), &setter.attrs);
        }
    }
    docs
}

/// The fields that `default` gives an error for.
fn required(items: &[Item]) -> BTreeSet<(String, String)> {
    let mut required = BTreeSet::new();
    for item in items {
        let Item::Impl(item) = item else { continue };
        let Some(owner) = named(&item.self_ty).filter(|_| item.trait_.is_some()) else { continue };
        for default in functions(item).filter(|function| function.sig.ident == "default") {
            let Some(Stmt::Expr(Expr::Struct(made), None)) = default.block.stmts.last() else { continue };
            required.extend(errors(made).map(|field| (owner.to_string(), field)));
        }
    }
    required
}

fn errors(made: &ExprStruct) -> impl Iterator<Item = String> {
    let is_error = |value: &Expr| matches!(value, Expr::Call(call) if matches!(&*call.func, Expr::Path(path) if path.path.is_ident("Err")));
    made.fields.iter().filter(move |field| is_error(&field.expr)).filter_map(|field| match &field.member {
        Member::Named(name) => Some(name.to_string()),
        Member::Unnamed(_) => None,
    })
}
