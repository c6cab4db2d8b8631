//! The channels of a venue, and the parameters and content of one.

use serde_json::{Value, json};
use venuekit_wire::stream::{Access, Channel, Endpoint, Login, Parameter, ParameterKind, Recovery, Sequence, Streams};

use super::topic::{form, settable};
use crate::output::Output;
use crate::venue::Venue;

/// The channels of a venue.
pub fn all(out: &Output, venue: Venue, table: &'static Streams) {
    let row = |channel: &'static Channel| {
        let names: Vec<String> = settable(channel).map(short).collect();
        vec![
            channel.id.to_owned(),
            access(table, channel),
            names.join(" "),
            first_sentence(channel.description).to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = table.channels.iter().map(row).collect();
    out.table(&["channel", "needs", "parameters", "content"], &rows);
    let listed: Vec<Value> = table.channels.iter().map(|channel| document(table, channel)).collect();
    out.document(&json!({"venue": venue.name(), "channels": listed}));
}

/// The parameters and content of a channel.
pub fn one(out: &Output, venue: Venue, table: &'static Streams, channel: &'static Channel) {
    out.line(&format!("{}: {}", channel.id, channel.description));
    out.line(&form(venue, channel));
    out.line("");
    out.step("channel", channel.name);
    out.step("needs", &access(table, channel));
    let kinds: Vec<&str> =
        channel.messages.iter().map(|message| message.kind).filter(|kind| !kind.is_empty()).collect();
    if !kinds.is_empty() {
        out.step("messages", &kinds.join(", "));
    }
    out.step("gaps", gaps(channel));
    out.step("recovery", recovery(channel));
    if channel.is_book {
        out.step("book", "--book shows the order book");
    }
    for parameter in settable(channel) {
        out.line(&format!("\n  {}", short(parameter)));
        let values = match parameter.values {
            [] => kind(parameter).to_owned(),
            values => values.join(", "),
        };
        for text in [parameter.description, &values] {
            if !text.is_empty() {
                out.line(&format!("      {text}"));
            }
        }
    }
    out.document(&document(table, channel));
}

fn document(table: &'static Streams, channel: &'static Channel) -> Value {
    let parameter = |one: &Parameter| {
        json!({"name": one.name, "description": one.description, "required": one.is_required, "list": one.is_list,
            "values": one.values, "kind": kind(one)})
    };
    json!({"channel": channel.id, "name": channel.name, "description": channel.description,
        "needs": access(table, channel), "endpoint": channel.endpoint, "book": channel.is_book,
        "parameters": settable(channel).map(parameter).collect::<Vec<_>>(),
        "messages": channel.messages.iter().map(|message| message.kind).filter(|kind| !kind.is_empty()).collect::<Vec<_>>(),
        "gaps": gaps(channel), "recovery": recovery(channel)})
}

/// `name`, with brackets where it may be left out and dots where it is a list.
fn short(parameter: &Parameter) -> String {
    let dots = if parameter.is_list { ",.." } else { "" };
    match parameter.is_required {
        true => format!("{}{dots}", parameter.name),
        false => format!("[{}{dots}]", parameter.name),
    }
}

fn kind(parameter: &Parameter) -> &'static str {
    match parameter.kind {
        ParameterKind::Integer => "integer",
        ParameterKind::Boolean => "boolean",
        ParameterKind::Text => "text",
    }
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text.trim_end_matches('.'), |(first, _)| first)
}

/// The endpoint that serves a channel.
pub fn endpoint(table: &'static Streams, channel: &Channel) -> Option<&'static Endpoint> {
    table.endpoint(channel.endpoint)
}

/// Whether nobody gets as far as a connection without a key.
pub fn is_signed(table: &'static Streams, channel: &Channel) -> bool {
    endpoint(table, channel).is_some_and(|endpoint| matches!(endpoint.login, Login::Upgrade { .. }))
}

fn access(table: &'static Streams, channel: &Channel) -> String {
    match channel.access {
        _ if is_signed(table, channel) => "a key".to_owned(),
        Access::Private => "a key".to_owned(),
        Access::PrivateWhen { parameter, value } => format!("a key for {parameter}={value}"),
        Access::Public => "none (public)".to_owned(),
    }
}

fn gaps(channel: &Channel) -> &'static str {
    match channel.sequence {
        Sequence::None => "not detectable",
        Sequence::Counter { .. } => "detected by the venue's sequence number",
        Sequence::Chain { .. } => "detected: each message names the previous one",
        Sequence::Successive { .. } => "detected: the number of each change is one higher",
        Sequence::Range { .. } => "detected: each change names the updates that it contains",
        Sequence::PerItem { .. } => "detected by the sequence number of each item",
    }
}

fn recovery(channel: &Channel) -> &'static str {
    match channel.recovery {
        Recovery::Snapshot => "a snapshot on request",
        Recovery::Resubscribe => "a new subscription, which begins with a snapshot",
        Recovery::Next => "the next message, which is complete",
        Recovery::CatchUp(_) => "calls that list what was missed",
        Recovery::Call(_) => "a call that returns a snapshot",
        Recovery::Never => "none: what was missed is lost, and reported",
    }
}
