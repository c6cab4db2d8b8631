//! Puts `name=value` where the operation wants it.

use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use venuekit_spec::{Operation, Parameter, Request, Schema, Whence};
use venuekit_transport::client::encode_path;
use venuekit_wire::operation::Protocol;

use super::value;
use crate::client::json_headers;
use crate::exact::Exact;
use crate::failure::{Exit, Failure};
use crate::input;
use crate::lookup::Found;
use crate::similar::{plain, suggestions};

/// What was given for a call, each value in its place.
#[derive(Clone, Debug, Default)]
pub struct Given {
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Exact>,
}

impl Given {
    /// Reads the arguments of a call, and its body's file.
    pub fn read(found: &Found, arguments: &[String], body: Option<&Path>, unknown: bool) -> Result<Self, Failure> {
        let mut given = Self::default();
        if let Some(file) = body {
            given.body = Some(read_body(found, file, unknown)?);
        }
        for argument in arguments {
            let Some((name, written)) = argument.split_once('=') else {
                let help = format!(
                    "write name=value; `venuekit describe {} {}` shows the names",
                    found.venue, found.spec.name
                );
                return Err(Failure::usage(format!("`{argument}` is not name=value")).help(help));
            };
            given.set(found, name.trim(), &value::text(written)?)?;
        }
        if given.body.is_none() && found.spec.body.is_some() {
            given.body = Some(Exact::Object(Vec::new()));
        }
        Ok(given)
    }

    fn set(&mut self, found: &Found, name: &str, text: &str) -> Result<(), Failure> {
        let (place, rest) = match name.split_once('/') {
            Some((place @ ("path" | "query" | "header" | "body"), rest)) => (Some(place), rest),
            _ => (None, name),
        };
        let is_here = |wanted: &str| place.is_none_or(|place| place == wanted);
        let parameters =
            found.spec.parameters.iter().filter(|one| plain(&one.name) == plain(rest) && is_here(word(one.place)));
        let parameters: Vec<&Parameter> = parameters.collect();
        let first = rest.split('/').next().unwrap_or_default();
        let in_body =
            is_here("body") && found.spec.body.as_ref().is_some_and(|body| takes(body, first, place.is_some()));
        match (parameters.as_slice(), in_body) {
            ([], true) => self.set_member(found, rest, text),
            ([parameter], false) => self.set_parameter(parameter, text),
            ([], false) => Err(unknown_name(found, name)),
            (several, in_body) => {
                let places = several.iter().map(|one| word(one.place)).chain(in_body.then_some("body"));
                let places: Vec<String> = places.map(|place| format!("{place}/{rest}=...")).collect();
                Err(Failure::usage(format!("`{name}` stands in several places"))
                    .help(format!("write {}", places.join(" or "))))
            }
        }
    }

    fn set_parameter(&mut self, parameter: &Parameter, text: &str) -> Result<(), Failure> {
        let texts = match value::of(&parameter.schema, text) {
            Exact::List(items) => items.iter().map(|item| item.as_text().unwrap_or_else(|| item.compact())).collect(),
            _ => vec![text.to_owned()],
        };
        let list = match parameter.place {
            Whence::Path => &mut self.path,
            Whence::Query => &mut self.query,
            Whence::Header => &mut self.headers,
        };
        let is_again = list.iter().any(|(name, _)| *name == parameter.name);
        if is_again && !parameter.schema.types().contains("array") {
            return Err(Failure::usage(format!("{}/{} is given twice", word(parameter.place), parameter.name)));
        }
        list.extend(texts.into_iter().map(|text| (parameter.name.clone(), text)));
        Ok(())
    }

    fn set_member(&mut self, found: &Found, way: &str, text: &str) -> Result<(), Failure> {
        let Some(schema) = &found.spec.body else { return Err(unknown_name(found, way)) };
        let body = self.body.get_or_insert_with(|| Exact::Object(Vec::new()));
        let names: Vec<&str> = way.split('/').collect();
        insert(body, schema, &names, text).map_err(|reason| Failure::usage(format!("body/{way}: {reason}")))
    }

    /// Puts a value in the place of one of that name, for the next page.
    pub fn replace(&mut self, operation: &Operation, name: &str, value: &Exact) {
        let text = value.as_text().unwrap_or_else(|| value.compact());
        if operation.parameters.iter().any(|one| one.name == name && one.place == Whence::Query) {
            self.query.retain(|(own, _)| own != name);
            self.query.push((name.to_owned(), text));
        } else if let Some(Exact::Object(members)) = &mut self.body {
            members.retain(|(own, _)| own != name);
            members.push((name.to_owned(), value.clone()));
        }
    }

    /// The value of that name in the query or at the top of the body.
    pub fn value_of(&self, name: &str) -> Option<String> {
        let in_query = self.query.iter().find(|(own, _)| own == name).map(|(_, text)| text.clone());
        in_query.or_else(|| self.body.as_ref()?.member(name)?.as_text())
    }

    /// The request, checked against the spec.
    pub fn request(&self, found: &Found) -> Result<Request, Failure> {
        let operation = found.spec;
        let fill =
            |path: String, (name, text): &(String, String)| path.replace(&format!("{{{name}}}"), &encode_path(text));
        let path = self.path.iter().fold(operation.template.clone(), fill);
        if let Some((_, rest)) = path.split_once('{') {
            let name = rest.split('}').next().unwrap_or_default();
            return Err(wrong(found, &format!("path/{name}"), name, "is required"));
        }
        let query = (!self.query.is_empty())
            .then(|| url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish());
        let mut headers = if self.body.is_some() { json_headers() } else { HeaderMap::new() };
        for (name, text) in &self.headers {
            let header = HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::from_str(text).ok());
            let (header, text) = header
                .ok_or_else(|| wrong(found, &format!("header/{name}"), name, "holds a character that no header can"))?;
            headers.insert(header, text);
        }
        let body = self.body.as_ref().map(Exact::compact).unwrap_or_default();
        let method = operation.method.parse().map_err(|_| Failure::new(Exit::Internal, "the spec names no method"))?;
        let request = Request { method, path, query, headers, body: body.into() };
        let problem = match found.venue.table().protocol {
            Protocol::Rest => operation.check(&request).err(),
            Protocol::JsonRpc => {
                let params: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                operation.check_params(&params).err()
            }
        };
        match problem {
            Some(problem) => {
                let said = problem.to_string();
                let at = said.split(':').next().unwrap_or_default();
                Err(wrong(found, at, problem.field(), &problem.reason))
            }
            None => Ok(request),
        }
    }
}

fn word(place: Whence) -> &'static str {
    match place {
        Whence::Path => "path",
        Whence::Query => "query",
        Whence::Header => "header",
    }
}

/// Whether a body has such a member, or takes any where its place is said.
fn takes(body: &Schema, name: &str, is_placed: bool) -> bool {
    let is_named = body.fields().iter().any(|field| plain(&field.name) == plain(name));
    let is_list = body.items().is_some() && name.parse::<usize>().is_ok();
    is_named || is_list || body.other_members().is_some() && (is_placed || body.fields().is_empty())
}

/// Puts a value into a body, member by member.
fn insert(into: &mut Exact, schema: &Schema, way: &[&str], text: &str) -> Result<(), String> {
    let [name, rest @ ..] = way else {
        let new = value::of(schema, text);
        match (into, new) {
            (Exact::List(items), Exact::List(more)) => items.extend(more),
            (place, new) if *place == Exact::Scalar(String::new()) => *place = new,
            _ => return Err("is given twice".to_owned()),
        }
        return Ok(());
    };
    // What is not there yet.
    let empty = || Exact::Scalar(String::new());
    if let (Some(schema), Ok(index)) = (schema.items(), name.parse::<usize>()) {
        if *into == empty() {
            *into = Exact::List(Vec::new());
        }
        let Exact::List(items) = into else { return Err("is no list".to_owned()) };
        if index > items.len() {
            return Err(format!("the item before it is missing: {} comes next", items.len()));
        }
        if index == items.len() {
            items.push(empty());
        }
        return insert(&mut items[index], &schema, rest, text);
    }
    if *into == empty() {
        *into = Exact::Object(Vec::new());
    }
    let Exact::Object(members) = into else { return Err("is no object".to_owned()) };
    let fields = schema.fields();
    let field = fields.into_iter().find(|field| plain(&field.name) == plain(name));
    let (name, schema) = match (field, schema.other_members()) {
        (Some(field), _) => (field.name, field.schema),
        (None, Some(other)) => ((*name).to_owned(), other),
        (None, None) => return Err(format!("there is no `{name}`")),
    };
    let at = match members.iter().position(|(own, _)| *own == name) {
        Some(at) => at,
        None => {
            members.push((name, empty()));
            members.len() - 1
        }
    };
    insert(&mut members[at].1, &schema, rest, text)
}

fn read_body(found: &Found, file: &Path, unknown: bool) -> Result<Exact, Failure> {
    let text = input::text(file)?;
    let shown = file.display();
    let Some(schema) = &found.spec.body else {
        return Err(Failure::usage(format!("`{}` takes no body", found.spec.name)));
    };
    let at = |error: &serde_json::Error| format!("{shown}:{}:{}: is not JSON", error.line(), error.column());
    let value: Value = serde_json::from_str(&text).map_err(|error| Failure::usage(at(&error)))?;
    if let Some(way) = schema.unknown_members(&value).first()
        && !unknown
    {
        let last = way.rsplit('/').next().unwrap_or_default();
        let fields = found.spec.fields();
        let near = suggestions(last, fields.iter().map(|field| field.name.as_str()), 1);
        let near = near.first().map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        let help = format!("{near}--allow-unknown sends it as it stands");
        return Err(Failure::usage(format!("body/{way}: is not in the spec")).code("unknown_field").help(help));
    }
    Exact::parse(&text).map_err(|error| Failure::usage(at(&error)))
}

/// All names that an operation takes.
pub fn names(operation: &Operation) -> Vec<String> {
    let parameters = operation.parameters.iter().map(|one| one.name.clone());
    parameters.chain(operation.fields().into_iter().map(|field| field.name)).collect()
}

fn unknown_name(found: &Found, name: &str) -> Failure {
    let known = names(found.spec);
    let near = suggestions(name, known.iter().map(String::as_str), 3);
    let help = match near.as_slice() {
        [] if known.is_empty() => "it takes no parameters".to_owned(),
        [] => format!("it takes {}", known.join(", ")),
        near => format!("did you mean `{}`?", near.join("` or `")),
    };
    let message = format!("`{}` has no parameter `{name}`", found.spec.name);
    Failure::usage(message).code("unknown_parameter").help(help)
}

/// What is wrong with a value, with what its place takes.
fn wrong(found: &Found, at: &str, field: &str, reason: &str) -> Failure {
    let parameter = found.spec.parameters.iter().find(|one| one.name == field);
    let described = parameter.map(|one| (one.schema.kind(), one.description.clone())).or_else(|| {
        let field = found.spec.fields().into_iter().find(|one| one.name == field)?;
        Some((field.schema.kind(), field.description))
    });
    let failure = Failure::usage(format!("{at}: {reason}")).code("invalid_parameter").detail("at", at);
    match described {
        Some((kind, description)) => failure.help(format!("{field} ({kind}) {description}").trim_end().to_owned()),
        None => failure.help(format!("see `venuekit describe {} {}`", found.venue, found.spec.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::operation;
    use crate::venue::Venue;

    fn request(venue: Venue, name: &str, arguments: &[&str]) -> Result<Request, String> {
        let found = operation(venue, name).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let given = Given::read(&found, &arguments, None, false).map_err(|failure| failure.to_string())?;
        given.request(&found).map_err(|failure| failure.to_string())
    }

    #[test]
    fn each_value_goes_where_the_operation_wants_it() {
        let order = [
            "ticker=KXHIGHNY-26NOV22-B55",
            "side=bid",
            "count=10.00",
            "price=0.5600",
            "time_in_force=good_till_canceled",
            "self_trade_prevention_type=taker_at_cross",
            "client-order-id=mine",
        ];
        let request = request(Venue::Kalshi, "create_order_v2", &order).unwrap();
        assert_eq!(request.path, "/portfolio/events/orders");
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        assert!(body.contains(r#""count":"10.00""#) && body.contains(r#""client_order_id":"mine""#), "{body}");
    }

    #[test]
    fn path_and_query_are_encoded() {
        let request = request(Venue::Kalshi, "get_markets", &["limit=5", "tickers=A B,C"]).unwrap();
        assert_eq!(request.query.as_deref(), Some("limit=5&tickers=A+B%2CC"));
        let error = tests::request(Venue::Kalshi, "get_order", &["order_id=a/b"]).unwrap_err();
        assert!(error.contains("path/order_id: must match"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_name_and_what_it_takes() {
        for (name, arguments, said) in [
            ("get_markets", &["limit=x"][..], "query/limit: must be an integer"),
            ("get_markets", &["limt=5"], "has no parameter `limt`\n help: did you mean `limit`?"),
            ("get_markets", &["limit"], "`limit` is not name=value"),
            ("get_markets", &["limit=1", "limit=2"], "query/limit is given twice"),
            ("get_order", &[], "path/order_id: is required"),
            ("create_order_v2", &["ticker=A"], "is required"),
        ] {
            let error = request(Venue::Kalshi, name, arguments).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_way_leads_into_lists_and_objects() {
        let found = operation(Venue::Kalshi, "batch_create_orders_v2").unwrap();
        let schema = found.spec.body.as_ref().unwrap();
        let mut body = Exact::Object(Vec::new());
        for (way, text) in [("orders/0/ticker", "A"), ("orders/0/count", "1.50"), ("orders/1/ticker", "B")] {
            insert(&mut body, schema, &way.split('/').collect::<Vec<_>>(), text).unwrap();
        }
        assert_eq!(body.compact(), r#"{"orders":[{"ticker":"A","count":"1.50"},{"ticker":"B"}]}"#);
        assert!(insert(&mut body, schema, &["orders", "3", "ticker"], "C").unwrap_err().contains("2 comes next"));
        assert!(insert(&mut body, schema, &["orders", "0", "ticker"], "C").unwrap_err().contains("twice"));
    }
}
