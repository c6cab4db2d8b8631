//! How the stream files join: the root document of streams lists the channels, and becomes the member `x-streams` of the joined document
//! with every channel and message in its place. Their schemas are the venue's, like those of any other file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Joiner, keys};
use crate::finding::{Finding, Location};
use crate::source::step;

/// The document that lists the channels.
pub const ROOT: &str = "asyncapi.yaml";

/// The member of the joined document that holds the streams.
pub const STREAMS: &str = "x-streams";

/// The sections of a stream file that a reference may lead into, other than `schemas`.
pub const SECTIONS: [&str; 2] = ["messages", "channels"];

/// What a stream file holds.
const MEMBERS: [&str; 3] = ["channels", "messages", "schemas"];

/// An element of a tuple, which may be written as one word.
pub fn element(written: &Value) -> Value {
    match written.as_str() {
        Some("decimal") => json!({ "type": "string", "format": "decimal" }),
        Some("decimal-number") => json!({ "type": "number", "format": "decimal" }),
        Some("string") => json!({ "type": "string" }),
        _ => written.clone(),
    }
}

impl Joiner<'_> {
    pub(super) fn mount_streams(&mut self, root: usize, document: &mut Value) {
        if document.get(STREAMS).is_some() {
            let help = format!("write the streams into {ROOT} and the files beside it");
            self.fail("misplaced-word", root, &step("", STREAMS), format!("`{STREAMS}` is made by joining"), help);
            return;
        }
        let Some(streams) = self.files.get(format!("specs/{}/{ROOT}", self.venue).as_str()).copied() else {
            return self.without_root();
        };
        let at = step("", STREAMS);
        self.mounts.push((at.clone(), streams, String::new()));
        let mut value = self.rewritten(streams, "", &self.sources[streams].value.clone());
        self.mount_channels(streams, &mut value);
        let messages = self.messages(&at);
        let (Value::Object(value), Value::Object(document)) = (value, document) else { return };
        let kept = value.into_iter().filter(|(key, _)| key != "schemas" && key != "messages");
        let mut kept: Map<String, Value> = kept.collect();
        kept.insert("messages".to_owned(), Value::Object(messages));
        document.insert(STREAMS.to_owned(), Value::Object(kept));
        self.members(streams);
    }

    /// Whether a file is one of streams.
    pub(super) fn is_of_streams(&self, source: usize) -> bool {
        let value = &self.sources[source].value;
        let is_root = self.sources[source].path == format!("specs/{}/{ROOT}", self.venue);
        is_root || SECTIONS.iter().any(|section| value.get(*section).is_some())
    }

    /// Files of streams that no document lists.
    fn without_root(&mut self) {
        for source in 0..self.sources.len() {
            let value = &self.sources[source].value;
            if let Some(section) = SECTIONS.iter().find(|section| value.get(**section).is_some()) {
                let file = format!("specs/{}/{ROOT}", self.venue);
                self.findings.push(Finding {
                    rule: "no-stream-root",
                    message: format!("{} has `{section}`, and there is no {file}", self.sources[source].path),
                    at: Location { file, line: 0, column: 0 },
                    help: "begin with the document that lists the channels; specs/README.md shows one".to_owned(),
                });
            }
        }
    }

    fn mount_channels(&mut self, root: usize, value: &mut Value) {
        let mut listed = BTreeSet::new();
        if let Some(Value::Object(channels)) = value.get_mut("channels") {
            for (name, channel) in channels.iter_mut() {
                let inner = step("/channels", name);
                let Some(reference) = channel.get("$ref").and_then(Value::as_str).map(str::to_owned) else {
                    listed.insert((root, inner));
                    continue;
                };
                let Some((source, target)) = self.resolve(root, &reference) else { continue };
                if target != inner {
                    let message = format!("`{name}` refers to something else, `{target}`");
                    let help = "the key and the reference must name the same channel";
                    self.fail("wrong-channel", root, &inner, message, help);
                    listed.insert((source, target));
                    continue;
                }
                if let Some(found) = self.sources[source].value.pointer(&target).cloned() {
                    *channel = self.rewritten(source, &target, &found);
                    self.mounts.push((format!("/{STREAMS}{inner}"), source, target.clone()));
                    listed.insert((source, target));
                }
            }
        }
        for source in (0..self.sources.len()).filter(|source| *source != root) {
            for name in keys(&self.sources[source].value, "channels") {
                let inner = step("/channels", &name);
                if !listed.contains(&(source, inner.clone())) {
                    let file = self.sources[source].path.rsplit('/').next().unwrap_or_default();
                    let help = format!("add to {ROOT}:  {name}: {{ $ref: '{file}#{inner}' }}");
                    let message = format!("the channel `{name}` is not in {ROOT}");
                    self.fail("unlisted-channel", source, &inner, message, help);
                }
            }
        }
    }

    /// The messages of all files. A name is used once in a venue.
    fn messages(&mut self, at: &str) -> Map<String, Value> {
        let mut messages = Map::new();
        let mut homes: BTreeMap<String, usize> = BTreeMap::new();
        for source in 0..self.sources.len() {
            for name in keys(&self.sources[source].value, "messages") {
                let inner = step("/messages", &name);
                if let Some(first) = homes.insert(name.clone(), source) {
                    let first = self.sources[first].locate(&inner);
                    let message = format!("the message `{name}` is defined twice, first at {first}");
                    self.fail("duplicate-message", source, &inner, message, "a name is used once in a venue");
                    continue;
                }
                let Some(message) = self.sources[source].value.pointer(&inner).cloned() else { continue };
                let message = self.rewritten(source, &inner, &message);
                self.mounts.push((format!("{at}{inner}"), source, inner));
                messages.insert(name, message);
            }
        }
        messages
    }

    /// What stands at the top of a stream file and is read by nobody.
    fn members(&mut self, root: usize) {
        for source in (0..self.sources.len()).filter(|source| *source != root) {
            let value = &self.sources[source].value;
            let is_of_streams = self.is_of_streams(source);
            let names = value.as_object().into_iter().flatten().map(|(name, _)| name.clone());
            let stray: Vec<String> = names.filter(|name| is_of_streams && !MEMBERS.contains(&name.as_str())).collect();
            for name in stray {
                let help = "a stream file has `channels`, `messages` and `schemas`";
                self.fail("unknown-member", source, &step("", &name), format!("`{name}` means nothing here"), help);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::document::Document;
    use crate::finding::Finding;
    use crate::source::Source;

    fn join(files: &[(&str, &str)]) -> Result<Document, Vec<Finding>> {
        let rest = ("openapi.yaml", "openapi: 3.0.3\npaths: {}\n");
        let files = files.iter().chain([&rest]);
        Document::join(
            "v",
            files.map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text).unwrap()).collect(),
        )
    }

    const ROOT: &str = "asyncapi: 3.0.0\nchannels:\n  trade: { $ref: 'stream-a.yaml#/channels/trade' }\n";
    const TAG: &str = "channels:\n  trade:\n    address: trade\n    messages: { trade: { $ref: '#/messages/Trade' } }\nmessages:\n  Trade:\n    payload: { $ref: '#/schemas/TradeMessage' }\nschemas:\n  TradeMessage: { type: object }\n";

    #[test]
    fn channels_and_messages_join_and_know_their_lines() {
        let document = join(&[("asyncapi.yaml", ROOT), ("stream-a.yaml", TAG)]).unwrap();
        let at = |pointer: &str| document.value.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
        assert_eq!(at("/x-streams/channels/trade/address"), "trade");
        assert_eq!(at("/x-streams/channels/trade/messages/trade/$ref"), "#/x-streams/messages/Trade");
        assert_eq!(at("/x-streams/messages/Trade/payload/$ref"), "#/components/schemas/TradeMessage");
        assert_eq!(at("/components/schemas/TradeMessage/type"), "object");
        assert_eq!(document.locate("/x-streams/channels/trade/address").to_string(), "specs/v/stream-a.yaml:3:5");
        assert_eq!(document.locate("/x-streams/messages/Trade").to_string(), "specs/v/stream-a.yaml:6:3");
        assert_eq!(document.locate("/x-streams/asyncapi").file, "specs/v/asyncapi.yaml");
        assert!(document.value.get("x-streams").unwrap().get("schemas").is_none());
    }

    #[test]
    fn what_does_not_join_is_named() {
        let rules = |files: &[(&str, &str)]| join(files).unwrap_err().into_iter().map(|f| f.rule).collect::<Vec<_>>();
        assert_eq!(rules(&[("stream-a.yaml", TAG)]), ["no-stream-root"]);
        assert_eq!(rules(&[("asyncapi.yaml", "channels: {}"), ("stream-a.yaml", TAG)]), ["unlisted-channel"]);
        assert_eq!(rules(&[("asyncapi.yaml", ROOT)]), ["dangling-ref"]);
        let wrong = ROOT.replace("  trade:", "  trades:");
        assert_eq!(rules(&[("asyncapi.yaml", &wrong), ("stream-a.yaml", TAG)]), ["wrong-channel"]);
        let again = "messages:\n  Trade: { payload: {} }\n";
        let twice = [("asyncapi.yaml", ROOT), ("stream-a.yaml", TAG), ("stream-b.yaml", again)];
        assert_eq!(rules(&twice), ["duplicate-message"]);
        let stray = format!("{TAG}servers: {{}}\n");
        assert_eq!(rules(&[("asyncapi.yaml", ROOT), ("stream-a.yaml", &stray)]), ["unknown-member"]);
        let own = [("openapi.yaml", "openapi: 3.0.3\npaths: {}\nx-streams: {}\n")];
        let own = own.map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text).unwrap());
        assert_eq!(Document::join("v", own.into()).unwrap_err()[0].rule, "misplaced-word");
    }
}
