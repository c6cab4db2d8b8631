//! What Progenitor's types need before a user's money may depend on them. Each change counts what it did, and one that no longer
//! applies is an error. What it emits for operations goes as a whole: see `operations`.
//!
//! 1. Responses are read leniently: see `lenient.rs`.
//! 2. A setter of an optional field takes what the field holds, as those of query parameters do, and not an `Option` of it:
//!    `.price("0.56")`, `.label("mine")`.
//! 3. Types may gain fields and variants without breaking a user: `#[non_exhaustive]`.
//! 4. Patterns are read with the flag `u`, as JSON Schema asks and as lint reads them.
//! 5. Ids and words convert from what a response holds: see `conversions`.

use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, GenericArgument, ImplItemFn, Item, PathArguments, Type, TypeParamBound, WherePredicate, parse_quote};

use super::conversions;
use super::lenient::{self, Reading};

pub fn seal(items: &mut Vec<Item>, reading: &Reading) -> Result<(), String> {
    let texts = items.iter().map(|item| item.to_token_stream().to_string());
    let wanted: usize = texts.map(|text| text.matches("regress :: Regex :: new").count()).sum();
    let mut patterns = Patterns::default();
    for item in items.iter_mut() {
        patterns.visit_item_mut(item);
        Setters.visit_item_mut(item);
    }
    open(items);
    lenient::apply(items, reading)?;
    conversions::add(items);
    let found = patterns.found;
    match found == wanted {
        true => Ok(()),
        false => Err(format!("sealing patterns: found {found}, expected {wanted}; the generator's output has changed")),
    }
}

#[derive(Default)]
struct Patterns {
    found: usize,
}

impl VisitMut for Patterns {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        if let Some(pattern) = pattern(expression) {
            *expression = parse_quote!(::regress::Regex::with_flags(#pattern, "u"));
            self.found += 1;
        } else {
            visit_mut::visit_expr_mut(self, expression);
        }
    }
}

/// What `::regress::Regex::new` is called with.
fn pattern(expression: &Expr) -> Option<Expr> {
    let Expr::Call(call) = expression else { return None };
    (call.func.to_token_stream().to_string() == ":: regress :: Regex :: new").then(|| call.args.first().cloned())?
}

/// Types may grow.
fn open(items: &mut [Item]) {
    for item in items {
        match item {
            Item::Struct(item) => item.attrs.push(parse_quote!(#[non_exhaustive])),
            Item::Enum(item) => item.attrs.push(parse_quote!(#[non_exhaustive])),
            _ => {}
        }
    }
}

struct Setters;

impl VisitMut for Setters {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        let predicates = function.sig.generics.where_clause.iter_mut().flat_map(|clause| &mut clause.predicates);
        let mut optional = false;
        for predicate in predicates {
            let WherePredicate::Type(predicate) = predicate else { continue };
            for bound in &mut predicate.bounds {
                let TypeParamBound::Trait(bound) = bound else { continue };
                if let Some(target) = bound.path.segments.last_mut().filter(|segment| segment.ident == "TryInto")
                    && let Some(Type::Path(option)) = argument(&target.arguments)
                    && let Some(last) = option.path.segments.last().filter(|segment| segment.ident == "Option")
                    && let Some(inner) = argument(&last.arguments).cloned()
                {
                    target.arguments = PathArguments::AngleBracketed(parse_quote!(<#inner>));
                    optional = true;
                }
            }
        }
        if optional {
            SomeOf.visit_block_mut(&mut function.block);
        }
    }
}

/// The first type argument.
pub fn argument(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    }
}

/// `value.try_into()` becomes `value.try_into().map(Some)`.
struct SomeOf;

impl VisitMut for SomeOf {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        if let Expr::MethodCall(call) = expression
            && call.method == "try_into"
        {
            *expression = parse_quote!(#call.map(::std::option::Option::Some));
        } else {
            visit_mut::visit_expr_mut(self, expression);
        }
    }
}
