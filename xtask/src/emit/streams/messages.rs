//! The messages of channels: the type that a subscription gives, and how it is read.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::Document;
use crate::emit::types::text::Text;
use crate::names::pascal;
use crate::streams::Channel;

/// What the messages of a channel are read as.
pub enum Messages {
    /// The one type that there is.
    One {
        /// Its name among the client's types.
        kind: String,
        /// What the venue calls such a message; nothing where it has no name.
        word: String,
    },
    /// An enum of several.
    Several {
        /// The enum's name.
        name: String,
        /// Its variants.
        variants: Vec<Variant>,
    },
}

/// One of several types of messages.
pub struct Variant {
    /// Its key among the messages of the channel.
    pub key: String,
    /// The variant.
    pub name: String,
    /// Its type's name among the client's types.
    pub kind: String,
    /// What the venue calls such a message.
    pub word: String,
    /// The pointer and the text that tell it from others of the same name.
    pub when: Option<(String, String)>,
}

impl Messages {
    pub fn of(document: &Document, channel: &Channel<'_>) -> Result<Self, String> {
        let mut variants = Vec::new();
        for message in channel.messages(document) {
            let schema = message.schema().ok_or_else(|| format!("the message `{}` has no schema", message.key))?;
            variants.push(Variant {
                key: message.key.to_owned(),
                name: pascal(message.key),
                kind: pascal(schema),
                word: message.kind().to_owned(),
                when: message.when().map(|(at, equals)| (at.to_owned(), equals.to_owned())),
            });
        }
        match variants.pop() {
            None => Err(format!("the channel `{}` has no messages", channel.id)),
            Some(only) if variants.is_empty() => Ok(Self::One { kind: only.kind, word: only.word }),
            Some(last) => {
                variants.push(last);
                // What is told by more comes first.
                variants.sort_by_key(|variant| (variant.when.is_none(), variant.word.is_empty()));
                Ok(Self::Several { name: format!("{}Message", pascal(channel.id)), variants })
            }
        }
    }

    /// The type as the module of streams names it.
    pub fn rust(&self) -> String {
        match self {
            Self::One { kind, .. } => format!("types::{kind}"),
            Self::Several { name, .. } => name.clone(),
        }
    }
}

/// Writes the enums, and how each type is read.
pub fn write(out: &mut Text, channels: &[(Channel<'_>, Messages)]) {
    // A type that several channels have is read by the names that it has in any of them.
    let mut single: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (channel, messages) in channels {
        match messages {
            Messages::One { kind, word } => _ = single.entry(kind).or_default().insert(word),
            Messages::Several { name, variants } => several(out, channel, name, variants),
        }
    }
    if single.is_empty() {
        return;
    }
    out.line("");
    out.line("streams::messages! {");
    out.indented(|out| {
        for (kind, words) in single {
            let words: Vec<String> =
                words.iter().filter(|word| !word.is_empty()).map(|word| format!("{word:?}")).collect();
            let words = if words.is_empty() { "_".to_owned() } else { words.join(" | ") };
            out.line(&format!("types::{kind} = {words};"));
        }
    });
    out.line("}");
}

fn several(out: &mut Text, channel: &Channel<'_>, name: &str, variants: &[Variant]) {
    out.line("");
    out.line("streams::message_enum! {");
    out.indented(|out| {
        out.line(&format!("/// A message of the channel `{}`.", channel.address()));
        out.line(&format!("{name} {{"));
        out.indented(|out| {
            for Variant { name, kind, word, when, .. } in variants {
                let word = if word.is_empty() { "_".to_owned() } else { format!("{word:?}") };
                let when = when.as_ref().map(|(at, equals)| format!(" when {at:?} = {equals:?}")).unwrap_or_default();
                out.line(&format!("{name}(types::{kind}) = {word}{when},"));
            }
        });
        out.line("}");
    });
    out.line("}");
}
