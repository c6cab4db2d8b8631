//! Operations, read off the builders that Progenitor made and the document that it made them of. What one of them has and the other
//! does not is an error: the generator's output has changed, or it ignored something.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use syn::visit_mut::{self, VisitMut};
use syn::{File, ImplItemFn, Item, ItemImpl, ItemStruct, ReturnType, Type, TypePath, parse_quote};

use super::{Body, Member, Method, Parameter, Place, ident};
use crate::document::{Document, Kind};
use crate::emit::docs::{self, Required};
use crate::emit::items::{functions, lines, module, named, of, option};
use crate::lower::JSON_LIST;
use crate::model::{Operation, operations, text};
use crate::names::{pascal, snake};

/// Members of a builder, other than its parameters.
const OWN: [&str; 4] = ["client", "refused", "body", "body_map"];

/// Its methods.
const METHODS: [&str; 5] = ["body", "body_map", "new", "send", "stream"];

pub fn methods(
    document: &Document,
    lowered: &Document,
    file: &File,
    required: &Required,
) -> Result<Vec<Method>, String> {
    let requests = operations(lowered);
    let requests: BTreeMap<&str, &Operation<'_>> =
        requests.iter().map(|request| (request.id.as_str(), request)).collect();
    let mut all = operations(document);
    if document.kind == Kind::OpenApi {
        // The order of a mapping depends on how it was built.
        all.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
    }
    let made = Made::of(file);
    if made.builders.len() != all.len() {
        let (found, wanted) = (made.builders.len(), all.len());
        return Err(format!("the generator made {found} builders for {wanted} operations: its output has changed"));
    }
    let read = |operation: &Operation<'_>| {
        let request = requests.get(operation.id.as_str()).ok_or("lowering lost it")?;
        Reader { document, lowered, request, made: &made, required }.method(operation)
    };
    all.iter()
        .map(|operation| read(operation).map_err(|problem| format!("the operation `{}`: {problem}", operation.id)))
        .collect()
}

/// What the generator made.
struct Made<'a> {
    builders: BTreeMap<String, &'a ItemStruct>,
    /// What `send` of each builder answers.
    answers: BTreeMap<String, Type>,
    types: BTreeMap<String, &'a ItemStruct>,
    /// The names of all types.
    names: BTreeSet<String>,
}

impl<'a> Made<'a> {
    fn of(file: &'a File) -> Self {
        let structs = |name: &str| {
            module(file, name)
                .filter_map(|item| match item {
                    Item::Struct(item) => Some((item.ident.to_string(), item)),
                    _ => None,
                })
                .collect()
        };
        let own = module(file, "builder").filter_map(|item| match item {
            Item::Impl(item) => Some((named(&item.self_ty)?.to_string(), answer(item)?)),
            _ => None,
        });
        let names = module(file, "types").filter_map(|item| match item {
            Item::Struct(item) => Some(item.ident.to_string()),
            Item::Enum(item) => Some(item.ident.to_string()),
            _ => None,
        });
        Self { builders: structs("builder"), answers: own.collect(), types: structs("types"), names: names.collect() }
    }
}

/// `T` of `fn send(..) -> Result<ResponseValue<T>, ..>`.
fn answer(item: &ItemImpl) -> Option<Type> {
    let send: &ImplItemFn = functions(item).find(|function| function.sig.ident == "send")?;
    let ReturnType::Type(_, kind) = &send.sig.output else { return None };
    of("ResponseValue", of("Result", kind)?).cloned()
}

struct Reader<'a> {
    document: &'a Document,
    lowered: &'a Document,
    request: &'a Operation<'a>,
    made: &'a Made<'a>,
    required: &'a Required,
}

impl Reader<'_> {
    fn method(&self, operation: &Operation<'_>) -> Result<Method, String> {
        let name = pascal(&operation.id);
        let builder = self.made.builders.get(&name).ok_or("the generator left it out, or called it something else")?;
        let answer = self.made.answers.get(&name).ok_or("the builder has no `send` that answers as expected")?;
        let mut fields: BTreeMap<String, &Type> =
            builder.fields.iter().filter_map(|field| Some((field.ident.as_ref()?.to_string(), &field.ty))).collect();
        fields.remove("client");
        let parameters = self.parameters(&mut fields)?;
        let body = match (fields.remove("body"), self.request.value.get("requestBody")) {
            (None, None) => None,
            (Some(kind), Some(_)) => Some(self.body(kind, &parameters)?),
            (found, _) => {
                let has = if found.is_some() { "has" } else { "does not have" };
                return Err(format!("its builder {has} a body: the generator's output has changed"));
            }
        };
        if !fields.is_empty() {
            let names: Vec<&String> = fields.keys().collect();
            return Err(format!("its builder takes {names:?}, which the document does not have"));
        }
        Ok(Method {
            id: ident(&operation.id),
            builder: builder.ident.clone(),
            row: ident(&operation.id.to_uppercase()),
            sends: match self.document.kind {
                Kind::OpenApi => format!("{} {}", operation.method, operation.path),
                Kind::OpenRpc => operation.path.trim_start_matches('/').to_owned(),
            },
            docs: docs::of_operation(self.document, operation, self.request),
            tag: tag(operation.value),
            parameters,
            body,
            answer: answer.clone(),
            page: operation.value.get("x-page").cloned(),
        })
    }

    fn parameters(&self, fields: &mut BTreeMap<String, &Type>) -> Result<Vec<Parameter>, String> {
        let mut parameters = Vec::new();
        for (_, parameter) in self.request.parameters(self.lowered) {
            let name = text(parameter, "name").unwrap_or_default();
            let field = snake(name);
            let place = match text(parameter, "in") {
                Some("path") => Place::Path,
                Some("query") => Place::Query,
                Some("header") => Place::Header,
                other => return Err(format!("`{name}` is in {}", other.unwrap_or("no place"))),
            };
            if OWN.contains(&field.as_str()) || METHODS.contains(&field.as_str()) {
                return Err(format!("the builder has something else called `{field}`"));
            }
            let given = fields.remove(&field).and_then(|kind| of("Result", kind));
            let given = given.ok_or_else(|| format!("its builder does not take `{name}`"))?;
            parameters.push(Parameter {
                name: name.to_owned(),
                field: ident(&field),
                kind: option(given).unwrap_or(given).clone(),
                place,
                json: parameter.get(JSON_LIST).is_some(),
                required: parameter.get("required") == Some(&Value::Bool(true)),
                docs: docs::of_parameter(self.lowered, parameter),
            });
        }
        let at = |parameter: &Parameter| match parameter.place {
            Place::Path => (0, self.request.path.find(&format!("{{{}}}", parameter.name))),
            Place::Query => (1, None),
            Place::Header => (2, None),
        };
        parameters.sort_by_key(at);
        let lost = parameters.iter().find(|parameter| at(parameter) == (0, None));
        match lost {
            Some(parameter) => Err(format!("its path does not have `{}`", parameter.name)),
            None => Ok(parameters),
        }
    }

    fn body(&self, field: &Type, parameters: &[Parameter]) -> Result<Body, String> {
        let kind = of("Result", field).ok_or("the generator gives bodies in another form")?;
        let is_built =
            matches!(kind, Type::Path(path) if path.path.segments.iter().any(|part| part.ident == "builder"));
        let members = named(kind).and_then(|name| self.made.types.get(&name.to_string())).filter(|_| is_built);
        let Some(owner) = members else { return Ok(Body::Whole(Box::new(kind.clone()))) };
        let required = self.required.get(&owner.ident.to_string());
        let mut taken: BTreeSet<String> = OWN.into_iter().chain(METHODS).map(str::to_owned).collect();
        taken.extend(parameters.iter().map(|parameter| parameter.field.to_string()));
        let mut members = Vec::new();
        for field in &owner.fields {
            let name = field.ident.as_ref().ok_or("the body has members without names")?;
            let mut setter = name.to_string();
            if taken.contains(&setter) {
                setter = format!("body_{setter}");
            }
            if !taken.insert(setter.clone()) {
                return Err(format!("nothing is left to call the setter of the body's `{name}`"));
            }
            let mut kind = option(&field.ty).unwrap_or(&field.ty).clone();
            Qualify(&self.made.names).visit_type_mut(&mut kind);
            let is_required = required.is_some_and(|names| names.contains(&name.to_string()));
            let docs = docs::with_required(lines(&field.attrs), is_required);
            members.push(Member { setter: ident(&setter), field: name.clone(), kind, docs });
        }
        Ok(Body::Members(owner.ident.clone(), members))
    }
}

/// The first tag: lint wants one.
fn tag(operation: &Value) -> String {
    let tag = operation.pointer("/tags/0");
    tag.and_then(|tag| tag.as_str().or_else(|| text(tag, "name"))).unwrap_or_default().to_owned()
}

/// Types are named without a path beside one another, and by `types::` from where the builders are.
pub struct Qualify<'a>(pub &'a BTreeSet<String>);

impl VisitMut for Qualify<'_> {
    fn visit_type_path_mut(&mut self, path: &mut TypePath) {
        visit_mut::visit_type_path_mut(self, path);
        if let Some(name) = path.path.get_ident().filter(|name| self.0.contains(&name.to_string())) {
            *path = parse_quote!(types::#name);
        }
    }
}
