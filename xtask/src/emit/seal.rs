//! What Progenitor's output needs before a user's money may depend on it. Each change counts what it did, and one that no longer
//! applies is an error.
//!
//! 1. The runtime is `venuekit_transport::client` in place of `progenitor_client`, whose errors print whole answers, secrets
//!    included, and whose `exec` can fail with nothing but a `reqwest::Error`.
//! 2. No request carries an `api-version` header, which no venue asked for.
//! 3. A client is made by our builder only: progenitor's constructors would follow redirects and time out as they please.
//! 4. Responses are read leniently: see `lenient.rs`.
//! 5. A value that is refused before anything is sent is refused in the name of its operation.
//! 6. Types may gain fields and variants without breaking a user: `#[non_exhaustive]`.
//! 7. Patterns are read with the flag `u`, as JSON Schema asks and as lint reads them.
//! 8. A parameter that is refused says why, and not only that it is.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, File, GenericArgument, ImplItem, ImplItemFn, Item, ItemImpl, LitStr, Path, PathArguments, Stmt, Type,
    TypeParamBound, WherePredicate, parse_quote,
};

use super::types::lenient::{self, Reading};

pub fn seal(file: &mut File, operations: usize, reading: &Reading) -> Result<(), String> {
    let renamed = runtime(file.to_token_stream());
    *file = syn::parse2(renamed).map_err(|error| error.to_string())?;
    let unsealed = file.to_token_stream().to_string();
    let patterns = unsealed.matches("regress :: Regex :: new").count();
    let source_refuses = unsealed.contains("Error :: InvalidRequest");
    let mut sealer = Sealer::default();
    sealer.visit_file_mut(file);
    for item in &mut file.items {
        if let Item::Mod(module) = item
            && module.ident == "types"
        {
            if let Some((_, items)) = &mut module.content {
                open(items);
                lenient::apply(items, reading)?;
            }
        }
        if let Item::Mod(module) = item
            && module.ident == "builder"
        {
            Reasons.visit_item_mod_mut(module);
        }
    }
    let expected = [
        ("the api-version header", sealer.version_headers, operations),
        ("errors of generated methods", sealer.errors.min(operations), operations),
        ("refused values", sealer.refusals.min(1), usize::from(source_refuses)),
        ("Client::new", sealer.constructors, 2),
        ("patterns", sealer.patterns, patterns),
    ];
    match expected.iter().find(|(_, found, wanted)| found != wanted) {
        Some((what, found, wanted)) => {
            Err(format!("sealing {what}: found {found}, expected {wanted}; the generator's output has changed"))
        }
        None => Ok(()),
    }
}

fn runtime(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) if ident == "progenitor_client" => quote!(::venuekit_transport::client),
            TokenTree::Group(group) => TokenTree::from(Group::new(group.delimiter(), runtime(group.stream()))).into(),
            other => other.into(),
        })
        .collect()
}

/// Where no header is left once the version is gone.
const ROOM_FOR_THE_VERSION: &str = "HeaderMap :: with_capacity (1usize)";

#[derive(Default)]
struct Sealer {
    version_headers: usize,
    errors: usize,
    refusals: usize,
    constructors: usize,
    patterns: usize,
    /// The operation whose `send` is being visited.
    operation: Option<LitStr>,
}

impl VisitMut for Sealer {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let count = path.segments.len();
        for (i, at) in (0..count).zip(1..) {
            if path.segments[i].ident != "Error" || path.leading_colon.is_some() {
                continue;
            }
            // One error type serves all operations, so its parameter goes.
            if matches!(path.segments[i].arguments, PathArguments::AngleBracketed(_)) {
                path.segments[i].arguments = PathArguments::None;
                self.errors += 1;
            }
            if let Some(variant) = path.segments.get_mut(at)
                && variant.ident == "UnexpectedResponse"
            {
                variant.ident = Ident::new("unexpected_response", Span::call_site());
            }
        }
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        self.operation = named_operation(function.block.to_token_stream());
        visit_mut::visit_impl_item_fn_mut(self, function);
        self.operation = None;
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        if let (Expr::Path(path), Some(operation)) = (&*expression, &self.operation)
            && path.to_token_stream().to_string() == "Error :: InvalidRequest"
        {
            *expression = parse_quote!(Error::refused(#operation));
            self.refusals += 1;
        } else if let Some(pattern) = pattern(expression) {
            *expression = parse_quote!(::regress::Regex::with_flags(#pattern, "u"));
            self.patterns += 1;
        } else if expression.to_token_stream().to_string().ends_with(ROOM_FOR_THE_VERSION) {
            // An empty map allocates nothing.
            *expression = parse_quote!(::reqwest::header::HeaderMap::new());
        } else {
            visit_mut::visit_expr_mut(self, expression);
        }
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        visit_mut::visit_block_mut(self, block);
        block.stmts.retain(|statement| {
            let is_version = matches!(statement, Stmt::Expr(..))
                && statement.to_token_stream().to_string().contains("\"api-version\"");
            self.version_headers += usize::from(is_version);
            !is_version
        });
    }

    fn visit_item_impl_mut(&mut self, item: &mut ItemImpl) {
        visit_mut::visit_item_impl_mut(self, item);
        if item.trait_.is_some() || item.self_ty.to_token_stream().to_string() != "Client" {
            return;
        }
        item.items.retain(|inner| {
            let is_new = matches!(inner, ImplItem::Fn(function) if function.sig.ident == "new");
            self.constructors += usize::from(is_new);
            !is_new
        });
        for inner in &mut item.items {
            if let ImplItem::Fn(function) = inner
                && function.sig.ident == "new_with_client"
            {
                function.vis = parse_quote!(pub(crate));
                self.constructors += 1;
            }
        }
    }
}

/// What `::regress::Regex::new` is called with.
fn pattern(expression: &Expr) -> Option<Expr> {
    let Expr::Call(call) = expression else { return None };
    (call.func.to_token_stream().to_string() == ":: regress :: Regex :: new").then(|| call.args.first().cloned())?
}

/// The literal after `operation_id:`.
fn named_operation(tokens: TokenStream) -> Option<LitStr> {
    let mut found = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found = ident == "operation_id",
            TokenTree::Literal(literal) if found => return syn::parse2(TokenTree::from(literal).into()).ok(),
            TokenTree::Group(group) => {
                if let Some(operation) = named_operation(group.stream()) {
                    return Some(operation);
                }
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    None
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

/// Setters of parameters keep the reason for which a value is refused.
struct Reasons;

impl VisitMut for Reasons {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        let mut reason = Reason { parameter: function.sig.ident.to_string(), found: false };
        reason.visit_block_mut(&mut function.block);
        let Some(clause) = function.sig.generics.where_clause.as_mut().filter(|_| reason.found) else { return };
        let mut displayed: Vec<WherePredicate> = Vec::new();
        for predicate in &clause.predicates {
            let WherePredicate::Type(predicate) = predicate else { continue };
            let kind = &predicate.bounded_ty;
            for bound in &predicate.bounds {
                if let TypeParamBound::Trait(bound) = bound
                    && bound.path.segments.last().is_some_and(|last| last.ident == "TryInto")
                {
                    let conversion = &bound.path;
                    displayed.push(parse_quote!(<#kind as #conversion>::Error: ::std::fmt::Display));
                }
            }
        }
        clause.predicates.extend(displayed);
    }
}

/// `.map_err(|_| "failed".to_string())` becomes one with the parameter and the reason.
struct Reason {
    parameter: String,
    found: bool,
}

impl VisitMut for Reason {
    fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        let drops_it = matches!(call.args.first(), Some(Expr::Closure(closure)) if matches!(closure.inputs.first(), Some(syn::Pat::Wild(_))));
        if call.method == "map_err" && drops_it {
            let text = format!("{}: {{}}", self.parameter);
            call.args = parse_quote!(|error| format!(#text, error));
            self.found = true;
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
