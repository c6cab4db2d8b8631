//! Channels and their messages.

use std::collections::BTreeSet;

use super::compare::{Comparison, changed, parameters};
use crate::surface::pairs::{Direction, Root};
use crate::surface::{Channel, Message};

/// Compares every channel.
pub fn channels(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for (key, channel) in &old.channels {
        if let Some(same) = new.channels.get(key) {
            one(comparison, channel, same);
        } else if let Some(same) = new.channels.values().find(|other| other.id == channel.id) {
            if channel.address != same.address {
                let message = format!("`{}` is `{}` now", channel.address, same.address);
                comparison.find("channel-moved", &name(channel), message, &channel.at, &same.at);
            }
            one(comparison, channel, same);
        } else {
            comparison.find(
                "channel-removed",
                &name(channel),
                format!("`{}` is gone", channel.address),
                &channel.at,
                "",
            );
        }
    }
    for (key, channel) in &new.channels {
        if !old.channels.contains_key(key) && !old.channels.values().any(|other| other.id == channel.id) {
            comparison.find("channel-added", &name(channel), format!("`{}` is new", channel.address), "", &channel.at);
        }
    }
}

fn name(channel: &Channel) -> String {
    format!("channel {}", channel.id)
}

fn one(comparison: &mut Comparison<'_>, old: &Channel, new: &Channel) {
    let place = name(new);
    let (was, at) = (old.at.as_str(), new.at.as_str());
    if old.id != new.id {
        comparison.find("channel-renamed", &name(old), format!("it is called `{}` now", new.id), was, at);
    }
    if old.description != new.description {
        comparison.find("description-changed", &place, "its description says something else", was, at);
    }
    let names: BTreeSet<&String> = old.facts.keys().chain(new.facts.keys()).collect();
    for name in names {
        let (before, now) = (old.facts.get(name), new.facts.get(name));
        if before == now {
            continue;
        }
        let rule = match name.as_str() {
            "x-access" if before.is_some_and(|word| word == "public") => "channel-credential-newly-needed",
            "x-access" | "x-endpoint" => "channel-access-changed",
            "x-book" if before.is_none() => "book-added",
            "x-book" if now.is_none() => "book-removed",
            "x-recover" | "x-sequence" | "x-book" => "recovery-changed",
            _ => "other-change",
        };
        comparison.find(rule, &place, changed(name, before, now), was, at);
    }
    parameters(comparison, &place, was, at, &old.parameters, &new.parameters);
    let is_it = |one: &Message, other: &Message| one.name == other.name && one.when == other.when;
    for message in &old.messages {
        match new.messages.iter().find(|other| is_it(message, other)) {
            Some(other) => {
                let own = format!("{place} {}", message.name).trim_end().to_owned();
                let names: BTreeSet<&String> = message.facts.keys().chain(other.facts.keys()).collect();
                for name in names {
                    let (before, now) = (message.facts.get(name), other.facts.get(name));
                    if before != now {
                        comparison.find("recovery-changed", &own, changed(name, before, now), was, at);
                    }
                }
                comparison.roots.push(Root {
                    one: message.payload,
                    other: other.payload,
                    direction: Direction::Response,
                    user: place.clone(),
                    place: own,
                });
            }
            None => {
                comparison.find("message-removed", &format!("{place} {}", message.name), "the message is gone", was, at)
            }
        }
    }
    for message in new.messages.iter().filter(|message| !old.messages.iter().any(|other| is_it(other, message))) {
        // With one type of message a channel yields that type, with several an enum.
        let rule = if old.messages.len() == 1 { "second-message-added" } else { "message-added" };
        comparison.find(rule, &format!("{place} {}", message.name), "the message is new", was, at);
    }
}
