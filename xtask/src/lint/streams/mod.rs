//! The streams of a venue: that what their words name is there.

mod books;
mod channels;
pub mod forms;
mod messages;
mod parameters;
mod recovery;

use serde_json::Value;

use super::Fail;
use crate::document::{Document, STREAMS};
use crate::finding::Finding;
use crate::lint::schemas::types;
use crate::model::{environments, id_of, members, operations, resolve, schemes, text, walk_schema};
use crate::source::step;
use crate::streams::{self, Channel};

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    let fail: &mut Fail<'_> = &mut |rule, at, message, help| findings.push(document.finding(rule, at, message, help));
    tuples(document, fail);
    if streams::root(document).is_null() {
        return;
    }
    required(document, fail);
    servers(document, fail);
    channels::check(document, fail);
    messages::check(document, fail);
    for channel in streams::channels(document) {
        parameters::check(document, &channel, fail);
        recovery::check(document, &channel, fail);
        books::check(document, &channel, fail);
    }
}

/// What must be said and is not.
fn required(document: &Document, fail: &mut Fail<'_>) {
    let root = streams::root(document);
    let at = format!("/{STREAMS}");
    let mut needs = |at: &str, value: &Value, word: &str, why: &str| {
        if value.get(word).is_none() {
            fail("missing-word", at, why.to_owned(), &format!("add `{word}`"));
        }
    };
    needs(&at, root, "x-dialect", "nothing says how commands and data are framed");
    needs(&at, root, "x-login", "nothing says how one logs in");
    needs(&at, root, "x-keep-alive", "nothing says how one sees that the venue is there");
    for (name, server) in members(root, "servers") {
        let at = step(&step(&at, "servers"), name);
        needs(&at, server, "x-environment", "the server has no environment");
        needs(&at, server, "x-endpoint", "the server belongs to no endpoint");
    }
    for channel in streams::channels(document) {
        needs(&channel.pointer, channel.value, "x-endpoint", "the channel belongs to no endpoint");
        needs(&channel.pointer, channel.value, "x-access", "nothing says who may subscribe");
        needs(
            &channel.pointer,
            channel.value,
            "x-sequence",
            "nothing says how a gap is seen, not even that it cannot be",
        );
        needs(&channel.pointer, channel.value, "x-recover", "nothing says how what was missed is recovered");
    }
}

/// One server for each environment and endpoint, over TLS, and each endpoint with one path and one login.
fn servers(document: &Document, fail: &mut Fail<'_>) {
    let root = streams::root(document);
    let at = format!("/{STREAMS}/servers");
    let environments: Vec<&str> = environments(document).collect();
    let mut seen: Vec<(&str, &str, &str)> = Vec::new();
    for (name, server) in members(root, "servers") {
        let at = step(&at, name);
        let word = |key: &str| text(server, key).unwrap_or_default();
        let (host, path) = (word("host"), word("pathname"));
        if word("protocol") != "wss" || host.is_empty() || host.contains('/') || !path.starts_with('/') {
            let help =
                "a server has `protocol: wss`, a `host` without a path, and a `pathname` that begins with a slash";
            fail("stream-server", &at, format!("`{name}` has no URL of a WebSocket over TLS"), help);
        }
        let (endpoint, environment) = (word("x-endpoint"), word("x-environment"));
        if !environment.is_empty() && !environments.contains(&environment) {
            let message = format!("calls know no environment `{environment}`");
            fail("unknown-environment", &at, message, "a stream belongs to an environment of the venue's servers");
        }
        for (other, known, other_path) in &seen {
            if *other == endpoint && *known == environment {
                let message = format!("`{endpoint}` has two servers in `{environment}`");
                fail("duplicate-server", &at, message, "keep one");
            } else if *other == endpoint && *other_path != path {
                let message = format!("the path of `{endpoint}` is `{other_path}` elsewhere");
                fail("endpoint-path", &at, message, "an endpoint has one path in all environments");
            }
        }
        seen.push((endpoint, environment, path));
        if !endpoint.is_empty() && root["x-login"].get(endpoint).is_none() {
            let message = format!("`x-login` does not say how one logs in to `{endpoint}`");
            fail("unknown-endpoint", &at, message, "say `none` where nobody does");
        }
    }
    for (name, how) in members(root, "x-login") {
        let at = format!("/{STREAMS}/x-login");
        if !seen.iter().any(|(endpoint, ..)| endpoint == name) {
            fail(
                "unknown-endpoint",
                &step(&at, name),
                format!("no server has the endpoint `{name}`"),
                "correct the name",
            );
        }
        login(document, &step(&at, name), how, fail);
        let served =
            streams::channels(document).into_iter().filter(|channel| text(channel.value, "x-endpoint") == Some(name));
        if how.get("events").is_some() && served.count() > 1 {
            let message = format!("the events of an account are one channel, and `{name}` has several");
            fail("bad-login", &step(&at, name), message, "describe each event as a message of one channel");
        }
    }
}

/// A login by credentials that the venue's security schemes know.
fn login(document: &Document, at: &str, how: &Value, fail: &mut Fail<'_>) {
    let schemes: Vec<&Value> = schemes(document).map(|(_, scheme)| scheme).collect();
    let known = |credential: &str| schemes.iter().any(|scheme| text(scheme, "x-credential") == Some(credential));
    let ways = how.pointer("/message/ways").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if how.get("command").is_some() && streams::root(document).pointer("/x-dialect/topics").is_none() {
        let help = "only the dialect `topics` has a command that logs in";
        fail("bad-login", at, "there is no such command".to_owned(), help);
    }
    let calls = how.pointer("/events/subscribe").and_then(Value::as_array).into_iter().flatten();
    for name in calls.chain(how.pointer("/events/unsubscribe")).filter_map(Value::as_str) {
        let id = id_of(document, name);
        if !operations(document).iter().any(|operation| operation.id == id) {
            fail("bad-login", at, format!("there is no operation `{name}`"), "name operations of the calls");
        }
    }
    let command = how.get("command").and_then(|command| text(command, "credential"));
    let credentials = ways.iter().filter_map(|way| text(way, "credential")).chain(text(how, "upgrade")).chain(command);
    for credential in credentials.filter(|credential| !known(credential)) {
        let message = format!("no security scheme belongs to the credential `{credential}`");
        fail("unknown-credential", at, message, "name one of `x-credential`");
    }
    for way in ways {
        for (member, header) in members(way, "members") {
            let is_header = schemes.iter().any(|scheme| {
                text(scheme, "x-credential") == text(way, "credential")
                    && text(scheme, "name")
                        .is_some_and(|name| header.as_str().is_some_and(|h| h.eq_ignore_ascii_case(name)))
            });
            if !is_header {
                let message = format!("`{member}` takes the header {header}, which that credential does not have");
                fail("unknown-credential", at, message, "name a header of the credential's security schemes");
            }
        }
    }
}

/// Tuples stand in lists of responses, and hold what there is a type for.
fn tuples(document: &Document, fail: &mut Fail<'_>) {
    for (name, schema) in members(&document.value["components"], "schemas") {
        walk_schema(&step("/components/schemas", name), schema, &mut |at, inner| {
            let Some(elements) = inner.get("x-tuple").and_then(Value::as_array) else { return };
            let is_number = |element: &Value| {
                let element = resolve(document, element);
                text(element, "format") == Some("decimal") && matches!(types(element).as_slice(), ["string" | "number"])
            };
            let is_word = |element: &Value| {
                let element = resolve(document, element);
                types(element) == ["string"] && element.get("format").is_none() && element.get("pattern").is_none()
            };
            let same = |one: &Value, other: &Value| types(resolve(document, one)) == types(resolve(document, other));
            let good = match elements.as_slice() {
                [price, size] => is_number(price) && is_number(size) && same(price, size),
                [action, price, size] => is_word(action) && is_number(price) && is_number(size) && same(price, size),
                _ => false,
            };
            if !good || types(inner) != ["array"] || inner.get("items").is_some() {
                let help =
                    "write `type: array, x-tuple: [decimal, decimal]`, or an enum, a text and two numbers of one form";
                fail("bad-tuple", at, "there is no type for these elements".to_owned(), help);
            }
        });
    }
}

/// Reports a pointer that leads nowhere in the data of any of these messages.
fn leads(document: &Document, payloads: &[&Value], at: &str, pointer: &str, fail: &mut Fail<'_>) -> bool {
    let found = payloads.iter().any(|payload| streams::at(document, payload, pointer).is_some());
    if !found {
        let help = "a JSON pointer leads into the data of a message, or into a record where data is a list";
        fail("dangling-pointer", at, format!("`{pointer}` leads nowhere"), help);
    }
    found
}

/// The schemas of a channel's data.
fn payloads<'a>(document: &'a Document, channel: &Channel<'a>) -> Vec<&'a Value> {
    channel.payloads(document).into_iter().map(|(_, payload)| payload).collect()
}
