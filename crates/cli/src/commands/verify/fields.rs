//! The fields of a signature, as a venue's headers or params have them (`x-signatures`).

use serde_json::Value;
use venuekit_wire::UnixMillis;
use venuekit_wire::credentials::Carries;
use venuekit_wire::signature::{Piece, Place, Signature as Rule, TimeUnit};

use super::capture::Capture;
use super::parameters::{self, Signed};
use crate::failure::{Exit, Failure};
use crate::venue::Venue;

/// The fields of a signature.
pub struct Fields {
    /// What it signs.
    pub rule: &'static Rule,
    /// The time, as its digits.
    pub time: String,
    /// The nonce, where there is one.
    pub nonce: String,
    /// The data of a login.
    pub data: String,
    /// The signature, as it is sent.
    pub signature: String,
    /// What identifies the key.
    pub key_id: Option<String>,
    /// Fixed pieces of the text for which the request has another value.
    pub literals: Vec<(&'static str, String)>,
    /// What of query and form is signed, where the signature is a parameter.
    pub signed: Option<Signed>,
}

/// Finds the fields in a captured request to a path.
pub fn read(venue: Venue, capture: &Capture, target: Option<&str>, body: &[u8]) -> Result<Fields, Failure> {
    let rules = venue.table().credentials.signatures;
    for rule in rules.iter().filter(|rule| rule.place == Place::Params) {
        if let Some(found) = login(rule, body).or_else(|| login_by_query(venue, rule, target?)) {
            return found;
        }
    }
    match rules.iter().find(|rule| rule.place == Place::Headers) {
        Some(rule) => {
            let mut found = of_headers(venue, rule, capture)?;
            if !rule.adds.is_empty() {
                found.of_parameters(target.unwrap_or_default(), body)?;
            }
            Ok(found)
        }
        None => {
            let message = format!("{venue} signs no requests: a key is exchanged for a token, or is in the headers");
            Err(Failure::usage(message).help(format!("`venuekit doctor {venue}` finds out what is wrong with a key")))
        }
    }
}

/// The headers that hold a rule's fields, and that of the key's id if it is another one.
fn headers(venue: Venue, rule: &'static Rule) -> impl Iterator<Item = String> {
    let id = id_header(venue, rule).map(str::to_owned);
    rule.fields.iter().map(|(name, _)| name.to_ascii_lowercase()).chain(id)
}

/// The header that holds the key's id, where the signature's own do not.
fn id_header(venue: Venue, rule: &Rule) -> Option<&'static str> {
    if rule.fields.iter().any(|(_, template)| template.contains("{id}")) {
        return None;
    }
    let schemes = venue.table().credentials.schemes.iter();
    let of_keys = |name: &str| {
        let credentials = venue.table().variables.credentials.iter();
        credentials.filter(|one| one.proves.contains(&rule.name)).any(|one| one.proves.contains(&name))
    };
    let mut ids = schemes.filter(|scheme| scheme.carries == Carries::Id && of_keys(scheme.credential));
    ids.next().map(|scheme| scheme.header)
}

fn of_headers(venue: Venue, rule: &'static Rule, capture: &Capture) -> Result<Fields, Failure> {
    let header = |name: &str| {
        let missing = || Failure::new(Exit::Fault, format!("the header {name} is missing")).code("missing_header");
        capture.header(name).filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(missing)
    };
    let mut found = Fields::new(rule);
    // The time first, then the signature: that is what people look for.
    let mut fields: Vec<(String, &str)> =
        rule.fields.iter().map(|(name, template)| (name.to_ascii_lowercase(), *template)).collect();
    fields.sort_by_key(|(_, template)| ["{time}", "{signature}"].iter().position(|one| one == template).unwrap_or(2));
    for (name, template) in fields {
        match template.contains('{') {
            true => found.take(&name, template, &header(&name)?)?,
            // The value is signed as it was sent.
            false if rule.covers(Piece::Text(template)) => found.literals.push((template, header(&name)?)),
            false => {}
        }
    }
    if let Some(name) = id_header(venue, rule) {
        found.key_id = Some(header(name)?);
    }
    Ok(found)
}

impl Fields {
    fn new(rule: &'static Rule) -> Self {
        let empty = String::new;
        Self {
            rule,
            time: empty(),
            nonce: empty(),
            data: empty(),
            signature: empty(),
            key_id: None,
            literals: Vec::new(),
            signed: None,
        }
    }

    /// Reads what the signature adds to query or form.
    fn of_parameters(&mut self, target: &str, body: &[u8]) -> Result<(), Failure> {
        let (signed, found) = parameters::read(self.rule, target, body)?;
        self.signed = Some(signed);
        found.into_iter().for_each(|one| self.set(one.template, one.value));
        Ok(())
    }

    fn set(&mut self, hole: &str, value: String) {
        match hole {
            "{time}" => self.time = value,
            "{nonce}" => self.nonce = value,
            "{data}" => self.data = value,
            "{signature}" => self.signature = value,
            "{id}" => self.key_id = Some(value),
            _ => {}
        }
    }

    /// Reads a value by its template: a hole alone, or a scheme with holes by their names, such as
    /// `deri-hmac-sha256 id={id},ts={time}`.
    fn take(&mut self, header: &str, template: &str, value: &str) -> Result<(), Failure> {
        if template.starts_with('{') {
            self.set(template, value.to_owned());
            return Ok(());
        }
        let wrong =
            |what: &str| Failure::new(Exit::Fault, format!("the header {header} {what}")).code("malformed_header");
        let (wanted, holes) = template.split_once(' ').unwrap_or(("", template));
        let Some((scheme, rest)) = value.split_once(' ') else { return Err(wrong("has no scheme")) };
        if !scheme.eq_ignore_ascii_case(wanted) {
            let help = "a bearer token and a basic header are not signed";
            return Err(wrong(&format!("does not begin with {wanted}")).help(help));
        }
        let mut holes: Vec<(&str, &str)> = holes.split(',').filter_map(|pair| pair.split_once('=')).collect();
        // What is signed is named before who signs.
        holes.sort_by_key(|(_, hole)| *hole == "{id}");
        for (name, hole) in holes {
            let mut pairs = rest.split(',').filter_map(|pair| pair.trim().split_once('='));
            let found = pairs.find(|(own, _)| own.trim() == name).map(|(_, value)| value.trim().to_owned());
            self.set(hole, found.ok_or_else(|| wrong(&format!("has no {name}=")))?);
        }
        Ok(())
    }
}

/// The params of a login, in their envelope or without.
fn login(rule: &'static Rule, body: &[u8]) -> Option<Result<Fields, Failure>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    of_params(rule, body.get("params").unwrap_or(&body))
}

/// The same in the query of a GET.
fn login_by_query(venue: Venue, rule: &'static Rule, target: &str) -> Option<Result<Fields, Failure>> {
    let login = venue.table().credentials.logins.iter().find(|login| login.signed_by == Some(rule.name))?;
    let row = venue.table().operation(login.operation)?;
    let (path, query) = target.split_once('?')?;
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let params = pairs.map(|(name, value)| (name.into_owned(), Value::from(value))).collect();
    path.ends_with(row.path).then(|| of_params(rule, &Value::Object(params)))?
}

fn of_params(rule: &'static Rule, params: &Value) -> Option<Result<Fields, Failure>> {
    let text = |name: &str| match params.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let mut found = Fields::new(rule);
    for (name, template) in rule.fields {
        match (text(name), template.contains('{')) {
            (Some(value), true) => found.set(template, value),
            (Some(value), false) if value != *template => {
                let message = format!("a login with the {name} {value} is not signed");
                let help = format!("the {name} {template} is the one with a signature");
                return Some(Err(Failure::new(Exit::Fault, message).code("not_signed").help(help)));
            }
            _ => {}
        }
    }
    (!found.time.is_empty() && !found.signature.is_empty()).then_some(Ok(found))
}

/// What is wrong with them whatever was signed. The signature is freed of what does not belong to it.
pub fn faults(venue: Venue, capture: &Capture, fields: &mut Fields) -> Vec<String> {
    let mut found = Vec::new();
    if fields.rule.place == Place::Headers {
        let twice = headers(venue, fields.rule).filter(|name| capture.is_ambiguous(name));
        found.extend(twice.map(|name| format!("the header {name} occurs twice, with different values")));
    }
    found.extend(time_fault(fields.rule, &fields.time));
    found.extend(fields.signed.iter().flat_map(parameters::faults));
    let signature = &fields.signature;
    let inner = signature.strip_prefix('b').unwrap_or(signature);
    let quoted = ['\'', '"'].iter().find_map(|quote| inner.strip_prefix(*quote)?.strip_suffix(*quote));
    if let Some(bare) = quoted {
        let what = if inner == signature { "quotes" } else { "Python's b'...'" };
        found.push(format!("the signature has {what} around it: send the text alone"));
        fields.signature = bare.to_owned();
    }
    if fields.signature.contains(char::is_whitespace) || fields.signature.contains("\\n") {
        found.push("the signature has line breaks or blanks in it: encode it without".to_owned());
        fields.signature = fields.signature.replace("\\n", "").split_whitespace().collect();
    }
    found
}

fn time_fault(rule: &Rule, time: &str) -> Option<String> {
    let (unit, digits) = match rule.time {
        TimeUnit::Seconds => ("seconds", 10),
        TimeUnit::Millis => ("milliseconds", 13),
    };
    match time.parse::<i64>() {
        Err(_) => Some(format!("invalid timestamp: expected Unix {unit}, {digits} digits")),
        Ok(_) if time.len() != digits => {
            let other = match time.len() {
                10 => "seconds",
                13 => "milliseconds",
                16 => "microseconds",
                19 => "nanoseconds",
                _ => "something else",
            };
            Some(format!("the timestamp is in {other}: expected Unix {unit}, {digits} digits"))
        }
        Ok(stamp) => {
            let millis = rule.time.to_millis(stamp);
            let is_future = millis > UnixMillis::now().get().saturating_add(15 * 60 * 1000);
            is_future.then(|| "the timestamp lies in the future: set the clock of the machine that signed".to_owned())
        }
    }
}
