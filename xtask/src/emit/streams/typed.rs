//! A method for each channel: what it must be given are arguments, what it may be given are setters.

use super::Structs;
use super::books;
use super::messages::{self, Messages};
use super::values::{Taken, Words};
use crate::document::Document;
use crate::emit::types::text::Text;
use crate::markup;
use crate::model::text;
use crate::names::{pascal, snake};
use crate::streams::{self, Channel, Parameter};

pub fn source(document: &Document, structs: &Structs) -> Result<String, String> {
    let words = Words::of(document);
    let channels = streams::channels(document).into_iter().map(|channel| {
        let messages = Messages::of(document, &channel)?;
        Ok((channel, messages))
    });
    let channels = channels.collect::<Result<Vec<_>, String>>()?;
    let mut out = Text::top();
    // Channels are called as they like: nothing is imported that could have the name of one.
    out.line("use ::venuekit_streams::{self as streams, generated};");
    out.line("use ::venuekit_wire as wire;");
    out.line("");
    out.line("pub use super::channels::STREAMS;");
    out.line("use super::client::types;");
    out.line("");
    methods(&mut out, document, &words, &channels)?;
    setters(&mut out, document, &words, &channels)?;
    word_lists(&mut out, &words);
    messages::write(&mut out, &channels);
    books::write(&mut out, document, &channels, structs)?;
    with_book(&mut out, &channels);
    Ok(out.finish())
}

fn docs(out: &mut Text, lines: &str) {
    for line in lines.lines() {
        out.line(format!("/// {line}").trim_end());
    }
}

fn methods(
    out: &mut Text,
    document: &Document,
    words: &Words<'_>,
    channels: &[(Channel<'_>, Messages)],
) -> Result<(), String> {
    let title = text(&streams::root(document)["info"], "title").unwrap_or_default();
    docs(out, &format!("{}: a method for each channel.", markup::inline(title)));
    out.line("#[derive(Clone, Debug)]");
    out.line("pub struct Streams(streams::Streams);");
    out.line("");
    out.line("impl Streams {");
    out.indented(|out| {
        out.line("pub(crate) fn of(session: &::venuekit_transport::client::Session) -> Self {");
        out.indented(|out| out.line("Self(streams::Streams::of(session, &STREAMS))"));
        out.line("}");
        out.line("");
        out.line("/// What all channels share: connections, counters, topics by name.");
        out.line("pub fn shared(&self) -> &streams::Streams {");
        out.indented(|out| out.line("&self.0"));
        out.line("}");
        for (row, (channel, messages)) in channels.iter().enumerate() {
            out.line("");
            method(out, document, words, channel, messages, row)?;
        }
        Ok::<(), String>(())
    })?;
    out.line("}");
    Ok(())
}

/// What a channel must be given, and what may be left out but asks for everything then.
fn is_argument(channel: &Channel<'_>, parameter: &Parameter<'_>) -> bool {
    parameter.is_required() || is_items_or_all(channel, parameter)
}

fn is_items_or_all(channel: &Channel<'_>, parameter: &Parameter<'_>) -> bool {
    let items = &channel.value["x-items"];
    let can_be_left_out = items["all"] == true || items["all"].is_string();
    can_be_left_out && text(items, "parameter") == Some(parameter.name)
}

fn has_setters(channel: &Channel<'_>) -> bool {
    channel.given().iter().any(|parameter| is_setter(channel, parameter))
}

fn is_setter(channel: &Channel<'_>, parameter: &Parameter<'_>) -> bool {
    parameter.fixed().is_none() && !is_argument(channel, parameter)
}

fn method(
    out: &mut Text,
    document: &Document,
    words: &Words<'_>,
    channel: &Channel<'_>,
    messages: &Messages,
    row: usize,
) -> Result<(), String> {
    let (mut arguments, mut given) = (String::new(), String::new());
    let mut said = vec![markup::text(text(channel.value, "description").unwrap_or_default())];
    let mut list = Vec::new();
    for parameter in channel.given().iter().filter(|one| is_argument(channel, one)) {
        let mut taken = Taken::of(document, words, parameter)?;
        if is_items_or_all(channel, parameter) && taken.how == "list" {
            taken.how = "items";
        }
        let name = snake(parameter.name);
        arguments.push_str(&format!(", {name}: {}", taken.argument()));
        let generic =
            if matches!(taken.how, "list" | "items" | "text") { format!("::<{}>", taken.kind) } else { String::new() };
        given.push_str(&format!(".{}{generic}({:?}, {name})", taken.how, parameter.name));
        if let Some(description) = text(parameter.value, "description") {
            let mut description = markup::text(description).replace('\n', " ");
            // An argument of Rust cannot be left out.
            if taken.how == "items" {
                description = format!("{} Pass [`streams::All`] for all.", description.replace(" Left out: all.", ""));
            }
            list.push(format!("- `{name}`: {description}"));
        }
    }
    said.push(format!("Channel `{}`{}.", channel.address(), access(channel)));
    if !list.is_empty() {
        said.push(list.join("\n"));
    }
    docs(out, &said.join("\n\n"));
    let message = messages.rust();
    let gives = if has_setters(channel) { pascal(channel.id) } else { format!("streams::Subscribe<{message}>") };
    out.line(&format!("pub fn {}(&self{arguments}) -> {gives} {{", snake(channel.id)));
    let subscribe = format!("generated::Given::new(&STREAMS.channels[{row}]){given}.subscribe(&self.0)");
    let subscribe = if has_setters(channel) { format!("{}({subscribe})", pascal(channel.id)) } else { subscribe };
    out.indented(|out| out.line(&subscribe));
    out.line("}");
    Ok(())
}

/// Who may subscribe, for documentation.
fn access(channel: &Channel<'_>) -> String {
    let access = &channel.value["x-access"];
    if access == "private" {
        return ", which takes a login".to_owned();
    }
    let when = crate::model::members(access, "private-when").next();
    when.and_then(|(parameter, value)| Some((parameter, value.as_str()?)))
        .map(|(parameter, value)| format!(", which takes a login where `{parameter}` is `{value}`"))
        .unwrap_or_default()
}

/// The types of channels that may be given more than they must.
fn setters(
    out: &mut Text,
    document: &Document,
    words: &Words<'_>,
    channels: &[(Channel<'_>, Messages)],
) -> Result<(), String> {
    for (channel, messages) in channels.iter().filter(|(channel, _)| has_setters(channel)) {
        out.line("");
        out.line("streams::channel! {");
        out.indented(|out| {
            out.line(&format!("/// A subscription to `{}` that is not made yet.", channel.address()));
            let book = if channel.value.get("x-book").is_some() { ", book" } else { "" };
            out.line(&format!("{} gives {}{book} {{", pascal(channel.id), messages.rust()));
            out.indented(|out| {
                for parameter in channel.given().iter().filter(|one| is_setter(channel, one)) {
                    let taken = Taken::of(document, words, parameter)?;
                    docs(out, &markup::text(text(parameter.value, "description").unwrap_or_default()));
                    out.line(&format!(
                        "{} = {:?}: {} {};",
                        snake(parameter.name),
                        parameter.name,
                        taken.how,
                        taken.kind
                    ));
                }
                Ok::<(), String>(())
            })?;
            out.line("}");
            Ok::<(), String>(())
        })?;
        out.line("}");
    }
    Ok(())
}

/// The message types of channels that make an order book, for who does not name them.
fn with_book(out: &mut Text, channels: &[(Channel<'_>, Messages)]) {
    out.line("");
    out.line("/// Calls a visitor with the message type of the channel of this id, where it makes an order book.");
    out.line("pub fn with_book<V: streams::BookVisitor>(channel: &str, visitor: V) -> Option<V::Output> {");
    out.indented(|out| {
        out.line("match channel {");
        out.indented(|out| {
            for (channel, messages) in channels.iter().filter(|(channel, _)| channel.value.get("x-book").is_some()) {
                out.line(&format!("{:?} => Some(visitor.visit::<{}>()),", channel.id, messages.rust()));
            }
            out.line("_ => None,");
        });
        out.line("}");
    });
    out.line("}");
}

fn word_lists(out: &mut Text, words: &Words<'_>) {
    for (name, parameter, variants) in words.all() {
        out.line("");
        out.line("wire::words! {");
        out.indented(|out| {
            out.line(&format!("/// What `{parameter}` may be."));
            out.line(&format!("{name} {{"));
            out.indented(|out| out.filled(variants.iter().map(|(variant, word)| format!("{variant} = {word:?},"))));
            out.line("}");
        });
        out.line("}");
    }
}
