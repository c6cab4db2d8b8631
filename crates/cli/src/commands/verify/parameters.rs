//! Signatures that are a parameter of the request: how they are read from the query or the form, and the mistakes that go with them.

use url::form_urlencoded;
use venuekit_wire::signature::Signature as Rule;

use super::guess::Guess;
use crate::failure::{Exit, Failure};

/// The parameters of a request as they were sent, and what of them is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The query without the signature.
    pub query: Option<String>,
    /// The form without the signature.
    pub body: Vec<u8>,
    /// The signature as it was sent, percent-encoded or not.
    pub raw: String,
    /// Whether the signature is the last parameter.
    pub is_last: bool,
}

/// A value that a request must have.
pub struct Found {
    /// What it is: `{time}`, `{signature}` or another template.
    pub template: &'static str,
    /// Its value, decoded.
    pub value: String,
}

/// Reads the parameters that a rule adds to a request.
pub fn read(rule: &'static Rule, target: &str, body: &[u8]) -> Result<(Signed, Vec<Found>), Failure> {
    let query = target.split_once('?').map(|(_, query)| query);
    let form = std::str::from_utf8(body).unwrap_or_default();
    let mut found = Vec::new();
    // The time first: that is what people look for.
    for (name, template) in rule.adds.iter().filter(|(_, template)| template.contains('{')) {
        let raw = raw(form, name).or_else(|| raw(query.unwrap_or_default(), name)).ok_or_else(|| {
            let message = format!("the parameter {name} is missing in the query and in the form");
            Failure::new(Exit::Fault, message).code("missing_parameter")
        })?;
        found.push((*name, *template, raw));
    }
    let signature = found.iter().find(|(_, template, _)| *template == "{signature}");
    let (name, raw) = signature.map_or(("", ""), |(name, _, raw)| (*name, *raw));
    let is_last = |form: &str| form.rsplit('&').next().is_some_and(|last| own(last, name).is_some());
    let signed = Signed {
        query: query.map(|query| without(query, name)).filter(|query| !query.is_empty()),
        body: if form.is_empty() { body.to_vec() } else { without(form, name).into_bytes() },
        raw: raw.to_owned(),
        is_last: is_last(form) || is_last(query.unwrap_or_default()),
    };
    let found = found.into_iter().map(|(_, template, raw)| Found { template, value: decoded(raw) }).collect();
    Ok((signed, found))
}

/// What is wrong with the signature as a parameter, independent of what was signed.
pub fn faults(signed: &Signed) -> Vec<String> {
    let mut faults = Vec::new();
    if !signed.is_last {
        faults.push("the signature is not the last parameter: put it after all others".to_owned());
    }
    if signed.raw.contains(['+', '/', '=']) {
        let how = "write + as %2B, / as %2F and = as %3D";
        faults.push(format!("the signature is not percent-encoded: {how}"));
    }
    faults
}

/// The value of `name=value`, where that is its name.
fn own<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    pair.strip_prefix(name)?.strip_prefix('=')
}

fn raw<'a>(form: &'a str, name: &str) -> Option<&'a str> {
    form.split('&').find_map(|pair| own(pair, name))
}

fn without(form: &str, name: &str) -> String {
    form.split('&').filter(|pair| own(pair, name).is_none()).collect::<Vec<_>>().join("&")
}

/// A `+` stays a `+`: in base64 that was not percent-encoded it is no blank.
fn decoded(raw: &str) -> String {
    let pair = format!("={}", raw.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Changes query and form of a guess whose signature is a parameter. False where nothing changes.
pub fn change(guess: &mut Guess, change: impl Fn(&str) -> String) -> bool {
    if guess.rule.adds.is_empty() {
        return false;
    }
    let query = guess.query.as_ref().filter(|_| guess.with_query).map(|query| change(query));
    let body =
        std::str::from_utf8(&guess.body).ok().filter(|body| !body.is_empty()).map(|body| change(body).into_bytes());
    let mut is_other = false;
    if let Some(query) = query.filter(|query| guess.query.as_ref() != Some(query)) {
        (guess.query, is_other) = (Some(query), true);
    }
    if let Some(body) = body.filter(|body| guess.body != *body) {
        (guess.body, is_other) = (body, true);
    }
    is_other
}

/// Without percent-encoding.
pub fn plain(form: &str) -> String {
    let pairs = form_urlencoded::parse(form.as_bytes());
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Values that were encoded twice, encoded once.
pub fn once(form: &str) -> String {
    form.replace("%25", "%")
}

/// Values that were encoded once, encoded twice.
pub fn twice(form: &str) -> String {
    form.replace('%', "%25")
}

/// Parameters in the order of their names.
pub fn sorted(form: &str) -> String {
    let mut pairs: Vec<&str> = form.split('&').collect();
    pairs.sort_by_key(|pair| pair.split('=').next());
    pairs.join("&")
}

/// The largest number of parameters that are tried at other places: each is a guess for each place.
const MOST_MOVED: usize = 40;

/// Each parameter at each other place.
pub fn moved(guess: &Guess) -> Vec<Guess> {
    if guess.rule.adds.is_empty() {
        return Vec::new();
    }
    let count = |form: &str| form.split('&').count();
    let in_query = guess.query.as_ref().filter(|_| guess.with_query);
    let body = std::str::from_utf8(&guess.body).unwrap_or_default();
    let most = in_query.map_or(0, |query| count(query)).max(count(body));
    if most > MOST_MOVED {
        return Vec::new();
    }
    let places = (0..most).flat_map(|from| (0..most).map(move |to| (from, to))).filter(|(from, to)| from != to);
    let guesses = places.filter_map(|(from, to)| {
        let mut guess = guess.clone();
        change(&mut guess, |form| {
            let mut pairs: Vec<&str> = form.split('&').collect();
            if from < pairs.len() && to < pairs.len() {
                let pair = pairs.remove(from);
                pairs.insert(to, pair);
            }
            pairs.join("&")
        })
        .then_some(guess)
    });
    guesses.collect()
}

/// Without one of the parameters that a signature adds, or without any of them.
pub fn left_out(guess: &Guess) -> Vec<Guess> {
    let names: Vec<&str> =
        guess.rule.adds.iter().filter(|(_, value)| *value != "{signature}").map(|(name, _)| *name).collect();
    let each = names.iter().map(|name| vec![*name]).chain((names.len() > 1).then(|| names.clone()));
    let guesses = each.filter_map(|names| {
        let mut guess = guess.clone();
        change(&mut guess, |form| names.iter().fold(form.to_owned(), |form, name| without(&form, name)))
            .then_some(guess)
    });
    guesses.collect()
}

/// With another unit in the signed time than in the sent one.
pub fn time_as(guess: &mut Guess, digits: usize) -> bool {
    let names: Vec<&str> =
        guess.rule.adds.iter().filter(|(_, value)| *value == "{time}").map(|(name, _)| *name).collect();
    let Some(name) = names.first().copied() else { return false };
    let sent = guess.time.clone();
    if sent.is_empty() || !sent.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let other = match sent.len() {
        length if length > digits => sent[..digits].to_owned(),
        length => format!("{sent}{}", "0".repeat(digits - length)),
    };
    change(guess, |form| {
        let pairs = form.split('&').map(|pair| match own(pair, name) {
            Some(_) => format!("{name}={other}"),
            None => pair.to_owned(),
        });
        pairs.collect::<Vec<_>>().join("&")
    })
}

#[cfg(test)]
mod tests {
    use venuekit_wire::signature::{Piece, Place, TimeUnit};

    use super::*;

    static RULE: Rule = Rule {
        name: "signature",
        text: &[Piece::Query, Piece::Body],
        separator: "",
        end: "",
        time: TimeUnit::Millis,
        ahead_millis: 0,
        keys: &[],
        fields: &[],
        place: Place::Headers,
        adds: &[("recvWindow", "5000"), ("timestamp", "{time}"), ("signature", "{signature}")],
    };

    fn of(target: &str, body: &str) -> (Option<String>, String, String, Vec<String>) {
        let (signed, found) = read(&RULE, target, body.as_bytes()).unwrap();
        let value = |template| found.iter().find(|one| one.template == template).unwrap().value.clone();
        assert_eq!(value("{time}"), "7");
        let faults = faults(&signed);
        (signed.query, String::from_utf8(signed.body).unwrap(), value("{signature}"), faults)
    }

    #[test]
    fn the_signature_is_taken_out_of_what_it_signs() {
        let owned = str::to_owned;
        assert_eq!(
            of("/a?x=1&timestamp=7&signature=ab", ""),
            (Some(owned("x=1&timestamp=7")), owned(""), owned("ab"), vec![])
        );
        let (query, body, signature, faults) = of("/a?x=1", "y=2&timestamp=7&signature=a%2Bb%3D%3D");
        assert_eq!((query.as_deref(), &*body, &*signature), (Some("x=1"), "y=2&timestamp=7", "a+b=="));
        assert!(faults.is_empty());
        let (query, _, signature, faults) = of("/a?signature=a+b==&timestamp=7", "");
        assert_eq!((query.as_deref(), &*signature), (Some("timestamp=7"), "a+b=="));
        assert!(faults[0].contains("not the last") && faults[1].contains("%2B"), "{faults:?}");
        let error = read(&RULE, "/a?signature=ab", b"").err().unwrap();
        assert!(error.message().contains("the parameter timestamp is missing"), "{}", error.message());
    }
}
