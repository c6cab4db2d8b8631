//! Puts `name=value` where the operation wants it.

use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use uuid::Uuid;
use venuekit_spec::{Operation, Parameter, ParameterLocation, Request};
use venuekit_transport::client::encode_segment;
use venuekit_wire::operation::{Key, Protocol, Retry};

use super::{body, plain as digits, value};
use crate::client::{form_headers, json_headers};
use crate::failure::{Exit, Failure};
use crate::lookup::Found;
use crate::raw_json::RawJson;
use crate::similar::{plain, suggestions};

/// What was given for a call, each value in its place.
#[derive(Clone, Debug, Default)]
pub struct RequestBuilder {
    pub(super) path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<RawJson>,
    /// Whether words may be sent that the spec does not list.
    unlisted: bool,
    /// What was named and could not be taken.
    pub(super) mistaken: Vec<String>,
    /// Whether the body's file could not be taken.
    pub(super) is_body_unread: bool,
}

impl RequestBuilder {
    /// Reads the arguments of a call, and its body's file.
    pub fn read(found: &Found, arguments: &[String], file: Option<&Path>, unknown: bool) -> Result<Self, Failure> {
        let (given, mistakes) = Self::collect(found, arguments, file, unknown);
        Failure::all(mistakes).map_or(Ok(given), Err)
    }

    /// The same with all that is wrong with them.
    pub fn collect(found: &Found, arguments: &[String], file: Option<&Path>, unknown: bool) -> (Self, Vec<Failure>) {
        let (mut given, mut mistakes) = (Self { unlisted: unknown, ..Self::default() }, Vec::new());
        match file.map(|file| body::read(found, file, unknown)).transpose() {
            Ok(body) => given.body = body,
            Err(failure) => {
                given.is_body_unread = true;
                mistakes.push(failure);
            }
        }
        for argument in arguments {
            if let Err(failure) = given.take(found, argument) {
                given.mistaken.push(plain(first_step(argument.split('=').next().unwrap_or_default())));
                mistakes.push(failure);
            }
        }
        if given.body.is_none() && found.spec.body.is_some() {
            given.body = Some(RawJson::Object(Vec::new()));
        }
        mistakes.extend(given.write_plainly(found));
        (given, mistakes)
    }

    fn take(&mut self, found: &Found, argument: &str) -> Result<(), Failure> {
        let Some((name, written)) = argument.split_once('=') else {
            let help =
                format!("write name=value; `venuekit describe {} {}` shows the names", found.venue, found.spec.name);
            return Err(Failure::usage(format!("`{argument}` is not name=value")).help(help));
        };
        self.set(found, name.trim(), &value::text(name, written)?)
    }

    /// Writes numbers without exponents.
    fn write_plainly(&mut self, found: &Found) -> Vec<Failure> {
        let failure = |at: String| {
            let help = "a decimal has at most 28 digits: write it with fewer";
            Failure::usage(format!("{at}: has too many digits")).code("invalid_parameter").detail("at", at).help(help)
        };
        let mut mistakes = Vec::new();
        for parameter in &found.spec.parameters {
            let list = match parameter.place {
                ParameterLocation::Path => &mut self.path,
                ParameterLocation::Query => &mut self.query,
                ParameterLocation::Header => &mut self.headers,
            };
            for (_, text) in list.iter_mut().filter(|(name, _)| *name == parameter.name) {
                if digits::text(text, &parameter.schema).is_err() {
                    mistakes.push(failure(format!("{}/{}", word(parameter.place), parameter.name)));
                }
            }
        }
        if let (Some(body), Some(schema)) = (&mut self.body, &found.spec.body)
            && let Err(way) = digits::body(body, schema)
        {
            mistakes.push(failure(format!("{}/{way}", body_word(found))));
        }
        mistakes
    }

    fn set(&mut self, found: &Found, name: &str, text: &str) -> Result<(), Failure> {
        let (place, rest) = match name.split_once('/') {
            Some((place @ ("path" | "query" | "header" | "body"), rest)) => (Some(place), rest),
            Some((place, rest)) if place == body_word(found) => (Some("body"), rest),
            _ => (None, name),
        };
        let is_here = |wanted: &str| place.is_none_or(|place| place == wanted);
        let parameters =
            found.spec.parameters.iter().filter(|one| plain(&one.name) == plain(rest) && is_here(word(one.place)));
        let parameters: Vec<&Parameter> = parameters.collect();
        let first = rest.split('/').next().unwrap_or_default();
        let in_body =
            is_here("body") && found.spec.body.as_ref().is_some_and(|body| body::takes(body, first, place.is_some()));
        match (parameters.as_slice(), in_body) {
            ([], true) => self.set_member(found, rest, text),
            ([parameter], false) => self.set_parameter(found, parameter, text),
            ([], false) => Err(unknown_name(found, name)),
            (several, in_body) => {
                let places = several.iter().map(|one| word(one.place)).chain(in_body.then_some("body"));
                let places: Vec<String> = places.map(|place| format!("{place}/{rest}=...")).collect();
                Err(Failure::usage(format!("`{name}` is ambiguous")).help(format!("write {}", places.join(" or "))))
            }
        }
    }

    fn set_parameter(&mut self, found: &Found, parameter: &Parameter, text: &str) -> Result<(), Failure> {
        let at = || format!("{}/{}", word(parameter.place), parameter.name);
        if text.is_empty() {
            return Err(match parameter.required {
                true => self.wrong(found, &at(), &parameter.name, "is empty"),
                false => Failure::usage(format!("{}: is empty", at())).help("omit it to leave it unset"),
            });
        }
        let read = value::of(&parameter.schema, text).map_err(|said| Failure::usage(format!("{}: {said}", at())))?;
        let texts = match read {
            // A list in one parameter: items that are given again are appended.
            RawJson::List(items) if parameter.json => {
                let given = self.query.iter().position(|(name, _)| *name == parameter.name);
                let before = given.map(|index| self.query.remove(index).1);
                let before = before.and_then(|text| RawJson::parse(&text).ok());
                let mut all = match before {
                    Some(RawJson::List(before)) => before,
                    _ => Vec::new(),
                };
                all.extend(items);
                vec![RawJson::List(all).compact()]
            }
            RawJson::List(items) => items.iter().map(|item| item.as_text().unwrap_or_else(|| item.compact())).collect(),
            _ => vec![text.to_owned()],
        };
        let list = match parameter.place {
            ParameterLocation::Path => &mut self.path,
            ParameterLocation::Query => &mut self.query,
            ParameterLocation::Header => &mut self.headers,
        };
        let is_again = list.iter().any(|(name, _)| *name == parameter.name);
        if is_again && !parameter.schema.types().contains("array") {
            return Err(self.wrong(found, &at(), &parameter.name, "is given twice"));
        }
        list.extend(texts.into_iter().map(|text| (parameter.name.clone(), text)));
        Ok(())
    }

    fn set_member(&mut self, found: &Found, way: &str, text: &str) -> Result<(), Failure> {
        let Some(schema) = &found.spec.body else { return Err(unknown_name(found, way)) };
        let body = self.body.get_or_insert_with(|| RawJson::Object(Vec::new()));
        let names: Vec<&str> = way.split('/').collect();
        let before = body.clone();
        body::insert(body, schema, &names, text).map_err(|reason| {
            *body = before;
            Failure::usage(format!("{}/{way}: {reason}", body_word(found)))
        })
    }

    /// What was given for a name, wherever it stands: what is neither a list nor an object.
    pub fn given(&self, name: &str) -> Option<String> {
        let mut parameters = self.path.iter().chain(&self.query);
        let parameter = parameters.find(|(own, _)| plain(own) == plain(name)).map(|(_, text)| text.clone());
        let member = || match self.body.as_ref()? {
            RawJson::Object(members) => members.iter().find(|(own, _)| plain(own) == plain(name)),
            _ => None,
        };
        parameter.or_else(|| match &member()?.1 {
            value @ RawJson::Scalar(_) => value.as_text().or_else(|| Some(value.compact())),
            _ => None,
        })
    }

    /// Puts a value in the place of one of that name, for the next page.
    pub fn replace(&mut self, operation: &Operation, name: &str, value: &RawJson) {
        let text = value.as_text().unwrap_or_else(|| value.compact());
        if operation.parameters.iter().any(|one| one.name == name && one.place == ParameterLocation::Query) {
            self.query.retain(|(own, _)| own != name);
            self.query.push((name.to_owned(), text));
        } else if let Some(RawJson::Object(members)) = &mut self.body {
            members.retain(|(own, _)| own != name);
            members.push((name.to_owned(), value.clone()));
        }
    }

    /// The value of that name in the query or at the top of the body.
    pub fn value_of(&self, name: &str) -> Option<String> {
        let in_query = self.query.iter().find(|(own, _)| own == name).map(|(_, text)| text.clone());
        in_query.or_else(|| self.body.as_ref()?.member(name)?.as_text())
    }

    /// The name under which a repeated call does nothing again: the given one, or a new one. None where the venue knows no such
    /// thing.
    pub fn identify(&mut self, found: &Found) -> Option<(&'static str, String)> {
        let Retry::Keyed(place) = found.row.retry else { return None };
        let new = Uuid::new_v4().to_string();
        match (place, &mut self.body) {
            (Key::Header(name), _) => {
                let given = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
                let key = given.map_or_else(|| new.clone(), |(_, key)| key.clone());
                if given.is_none() {
                    self.headers.push((name.to_owned(), new));
                }
                Some((name, key))
            }
            (Key::Field(name), Some(RawJson::Object(members))) => {
                if let Some((_, key)) = members.iter().find(|(own, _)| own == name) {
                    return Some((name, key.as_text()?));
                }
                members.push((name.to_owned(), RawJson::text(&new)));
                Some((name, new))
            }
            (Key::Field(_), _) => None,
        }
    }

    /// What was given, on one line, for a person to look at: long values cut, secrets left out.
    pub fn shown(&self, secrets: &[String]) -> String {
        let is_secret = |name: &String| secrets.iter().any(|secret| plain(secret) == plain(name));
        let parameters = self.path.iter().chain(&self.query).chain(&self.headers);
        let mut pairs: Vec<(String, String)> = parameters.cloned().collect();
        match &self.body {
            Some(RawJson::Object(members)) => {
                pairs.extend(members.iter().map(|(name, value)| {
                    let mut value = value.clone();
                    value.redact(secrets, HIDDEN);
                    (name.clone(), value.as_text().unwrap_or_else(|| value.compact()))
                }));
            }
            Some(other) => pairs.push(("body".to_owned(), other.compact())),
            None => {}
        }
        let shown = pairs.iter().map(|(name, value)| match is_secret(name) {
            true => format!("{name}={HIDDEN}"),
            false if value.chars().count() > LONGEST => {
                format!("{name}={}...", value.chars().take(LONGEST).collect::<String>())
            }
            false => format!("{name}={value}"),
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    /// The request, checked against the spec.
    pub fn request(&self, found: &Found) -> Result<Request, Failure> {
        Failure::all(self.mistakes(found)).map_or_else(|| Ok(self.draft(found).0), Err)
    }

    /// The request as it stands, placeholders without a value included, and what cannot be sent of it at all.
    pub fn draft(&self, found: &Found) -> (Request, Vec<Failure>) {
        let (operation, mut mistakes) = (found.spec, Vec::new());
        if let Some(way) = self.body.as_ref().and_then(RawJson::repeated) {
            let message = format!("{}/{way}: is given twice", body_word(found));
            mistakes.push(Failure::usage(message).code("invalid_parameter"));
        }
        let fill =
            |path: String, (name, text): &(String, String)| path.replace(&format!("{{{name}}}"), &encode_segment(text));
        let path = self.path.iter().fold(operation.template.clone(), fill);
        let query = (!self.query.is_empty())
            .then(|| url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish());
        let body = match &self.body {
            Some(RawJson::Object(members)) if operation.form => form(members),
            body => body.as_ref().map(RawJson::compact).unwrap_or_default(),
        };
        let mut headers = match &self.body {
            Some(_) if operation.form && body.is_empty() => HeaderMap::new(),
            Some(_) if operation.form => form_headers(),
            Some(_) => json_headers(),
            None => HeaderMap::new(),
        };
        for (name, text) in &self.headers {
            match HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::from_str(text).ok()) {
                Some((header, text)) => _ = headers.insert(header, text),
                None => {
                    mistakes.push(self.wrong(
                        found,
                        &format!("header/{name}"),
                        name,
                        "holds a character that no header can",
                    ));
                }
            }
        }
        let method = operation.method.parse().unwrap_or_else(|_| {
            mistakes.push(Failure::new(Exit::Internal, "the spec names no method"));
            Method::GET
        });
        (Request { method, path, query, headers, body: body.into() }, mistakes)
    }

    /// Whether words may be sent that the spec does not list.
    pub fn takes_unlisted(&self) -> bool {
        self.unlisted
    }

    /// The texts of a parameter.
    pub fn texts_mut(&mut self, name: &str) -> impl Iterator<Item = &mut String> {
        let all = self.path.iter_mut().chain(&mut self.query).chain(&mut self.headers);
        all.filter(move |(own, _)| own == name).map(|(_, text)| text)
    }

    /// The body.
    pub fn body_mut(&mut self) -> Option<&mut RawJson> {
        self.body.as_mut()
    }
}

/// Members as a form has them: what is null is left out, and lists are JSON text.
fn form(members: &[(String, RawJson)]) -> String {
    let given = members.iter().filter(|(_, value)| *value != RawJson::Scalar("null".to_owned()));
    let pairs = given.map(|(name, value)| (name, value.as_text().unwrap_or_else(|| value.compact())));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The first step of a way, without the place in front.
fn first_step(name: &str) -> &str {
    let mut steps = name.trim().split('/').filter(|step| !["path", "query", "header", "body", "params"].contains(step));
    steps.next().unwrap_or_default()
}

/// What stands in place of a secret.
const HIDDEN: &str = "[hidden]";

/// So much of a value a question shows.
const LONGEST: usize = 60;

/// What the body of a call is called.
fn body_word(found: &Found) -> &'static str {
    match found.venue.table().protocol {
        Protocol::Rest => "body",
        Protocol::JsonRpc => "params",
    }
}

fn word(place: ParameterLocation) -> &'static str {
    match place {
        ParameterLocation::Path => "path",
        ParameterLocation::Query => "query",
        ParameterLocation::Header => "header",
    }
}

/// All names that an operation takes.
pub fn names(operation: &Operation) -> Vec<String> {
    let parameters = operation.parameters.iter().map(|one| one.name.clone());
    parameters.chain(operation.fields().into_iter().map(|field| field.name)).collect()
}

fn unknown_name(found: &Found, name: &str) -> Failure {
    let known = names(found.spec);
    let near = suggestions(name, known.iter().map(String::as_str), 3);
    let is_open = !name.contains('/') && found.spec.body.as_ref().is_some_and(|body| body.other_members().is_some());
    let help = match near.as_slice() {
        [] if is_open => format!("the body is open: body/{name}=... sends it unchanged"),
        [] if known.is_empty() => "it has no parameters".to_owned(),
        [] => format!("its parameters are {}", known.join(", ")),
        near => format!("did you mean `{}`?", near.join("` or `")),
    };
    let message = format!("`{}` has no parameter `{name}`", found.spec.name);
    Failure::usage(message).code("unknown_parameter").help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::operation;
    use crate::venue::Venue;

    fn request(venue: Venue, name: &str, arguments: &[&str]) -> Result<Request, String> {
        let found = operation(venue, name).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let given = RequestBuilder::read(&found, &arguments, None, false).map_err(|failure| failure.to_string())?;
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
        let request = request(Venue::named("kalshi"), "create_order_v2", &order).unwrap();
        assert_eq!(request.path, "/portfolio/events/orders");
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        assert!(body.contains(r#""count":"10.00""#) && body.contains(r#""client_order_id":"mine""#), "{body}");
    }

    #[test]
    fn a_body_without_members_takes_none_from_the_path_and_none_that_is_not_placed() {
        let confirmed =
            request(Venue::named("kalshi"), "confirm_quote", &["quote_id=11111111-1111-4111-8111-111111111111"]);
        assert_eq!(&confirmed.unwrap().body[..], b"{}");
        let made = |arguments: &[&str]| request(Venue::named("deribit"), "create_subaccount", arguments);
        assert!(made(&["name=foo"]).unwrap_err().contains("has no parameter `name`"));
        assert!(made(&["body/name=foo"]).unwrap_err().contains("has no parameter `body/name`"));
        let open = |arguments: &[&str]| request(Venue::named("yativo"), "passkey_verify", arguments);
        assert!(open(&["id=x"]).unwrap_err().contains("body/id=... sends it"));
        assert_eq!(&open(&["body/id=x"]).unwrap().body[..], br#"{"id":"x"}"#);
        for placed in ["amount", "params/amount", "body/amount"] {
            let argument = format!("{placed}=ten");
            let error =
                request(Venue::named("deribit"), "buy", &["instrument_name=BTC-PERPETUAL", &argument]).unwrap_err();
            assert!(error.contains("params/amount: must be a number"), "{error}");
        }
    }

    #[test]
    fn what_a_call_is_reported_by_and_what_a_person_is_asked() {
        let found = operation(Venue::named("kalshi"), "create_order_v2").unwrap();
        let arguments = ["ticker=A".to_owned(), "side=bid".to_owned()];
        let mut given = RequestBuilder::read(&found, &arguments, None, false).unwrap();
        assert_eq!(given.shown(&["side".to_owned()]), "ticker=A, side=[hidden]");
        let (name, key) = given.identify(&found).unwrap();
        assert_eq!((name, key.len()), ("client_order_id", 36));
        assert_eq!(given.identify(&found), Some((name, key)), "it stays the same");
    }

    #[test]
    fn path_and_query_are_encoded() {
        let request = request(Venue::named("kalshi"), "get_markets", &["limit=5", "tickers=A B,C"]).unwrap();
        assert_eq!(request.query.as_deref(), Some("limit=5&tickers=A+B%2CC"));
        let error = tests::request(Venue::named("kalshi"), "get_order", &["order_id=a/b"]).unwrap_err();
        assert!(error.contains("path/order_id: must match"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_name_and_what_it_takes() {
        for (name, arguments, said) in [
            ("get_markets", &["limit=x"][..], "query/limit: must be an integer"),
            ("get_markets", &["limt=5"], "has no parameter `limt`\n help: did you mean `limit`?"),
            ("get_markets", &["limit"], "`limit` is not name=value"),
            ("get_markets", &["limit=1", "limit=2"], "query/limit: is given twice"),
            ("get_markets", &["limit="], "query/limit: is empty"),
            ("get_markets", &["min_created_ts=2026-01-01"], "must be an integer: seconds since 1970"),
            ("get_markets", &["status=@"], "`status=@` names no file"),
            ("get_order", &[], "path/order_id: is required\n"),
            ("create_order_v2", &["ticker=A", "side=bid"], "body/count: is required, and so are body/price, body/"),
            ("confirm_quote", &["foo=x"], "has no parameter `foo`"),
        ] {
            let error = request(Venue::named("kalshi"), name, arguments).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
