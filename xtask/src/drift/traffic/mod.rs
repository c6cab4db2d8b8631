//! Our spec against what was really seen: recorded HTTP exchanges and frames of streams.

mod cassette;
mod content;
mod flows;
mod har;
mod lines;
mod observe;
mod redact;
mod route;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use self::observe::Observer;
use super::finding::Drift;
use crate::document::Document;
use crate::surface::{Surface, ours};

/// The largest file of a format that is read whole. Lines and recordings of streams have no bound.
const LARGEST: u64 = 512 << 20;

/// One request and its response.
#[derive(Debug, Default, PartialEq)]
pub struct Exchange {
    /// Where it is recorded: the file, and the entry or line in it.
    pub source: String,
    /// The HTTP method.
    pub method: String,
    /// The whole URL, or its path.
    pub url: String,
    /// The status of the response.
    pub status: u16,
    /// The body of the request, where it is JSON.
    pub request: Option<Value>,
    /// The body of the response.
    pub body: Body,
}

/// The body of a response.
#[derive(Debug, Default, PartialEq)]
pub enum Body {
    /// There is none.
    #[default]
    Empty,
    /// JSON.
    Json(Value),
    /// It cannot be read, and why.
    Unreadable(String),
}

/// What a recording holds.
pub enum Seen {
    /// A request and its response.
    Exchange(Exchange),
    /// A frame that the venue sent over a WebSocket.
    Frame(Frame),
    /// Something that was left out, and why.
    LeftOut(&'static str),
}

/// A frame that the venue sent over a WebSocket.
pub struct Frame {
    /// Where it is recorded.
    pub source: String,
    /// The name of the endpoint, or its URL; empty where the recording does not say it.
    pub endpoint: String,
    /// The frame.
    pub value: Value,
}

/// Takes what is read, piece by piece.
pub type Sink<'a> = dyn FnMut(Seen) + 'a;

/// What came of it.
pub struct Outcome {
    /// What our spec does not know.
    pub found: Vec<Drift>,
    /// How much was looked at.
    pub extent: String,
}

/// Compares a spec with recordings.
pub fn compare(document: &Document, files: &[&Path]) -> Result<Outcome, String> {
    let surface = ours::surface(document);
    of_surface(document, &surface, |sink| {
        for file in files {
            read(file, sink).map_err(|problem| format!("{}: {problem}", file.display()))?;
        }
        Ok(())
    })
}

/// Compares a spec with whatever a function reads.
fn of_surface(
    document: &Document,
    surface: &Surface,
    read: impl FnOnce(&mut Sink<'_>) -> Result<(), String>,
) -> Result<Outcome, String> {
    let mut observer = Observer::new(document, surface);
    read(&mut |seen| observer.see(seen))?;
    Ok(observer.end())
}

/// Reads a recording of any known format.
fn read(path: &Path, sink: &mut Sink<'_>) -> Result<(), String> {
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let open = || File::open(path).map_err(|error| error.to_string());
    let mut head = Vec::new();
    open()?.take(4096).read_to_end(&mut head).map_err(|error| error.to_string())?;
    if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let plain = zstd::stream::read::Decoder::new(open()?).map_err(|error| error.to_string())?;
        return lines::read(&name, BufReader::new(plain), sink);
    }
    let begins = content::without_mark(&head).trim_ascii_start();
    if flows::is_one(begins) {
        return flows::read(&name, &whole(path)?, sink);
    }
    if begins.starts_with(b"{") {
        if !begins_with_a_line(open()?).map_err(|error| error.to_string())?
            && let Ok(value) = serde_json::from_slice::<Value>(content::without_mark(&whole(path)?))
        {
            if value.pointer("/log/entries").is_some() {
                return har::read(&name, &value, sink);
            }
            if is_document(&value) {
                return cassette::read(&name, &value, sink);
            }
        }
        return lines::read(&name, BufReader::new(open()?), sink);
    }
    let text = String::from_utf8(whole(path)?)
        .map_err(|_| "not HAR, a mitmproxy dump, a cassette, JSON lines or a recorded stream")?;
    let tree = crate::surface::tree::Tree::read(&text)?;
    if is_document(&tree.value) {
        return cassette::read(&name, &tree.value, sink);
    }
    Err("not HAR, a mitmproxy dump, a cassette, JSON lines or a recorded stream".to_owned())
}

/// Whether the first line is an object of its own. A HAR file or a cassette is one object.
fn begins_with_a_line(from: impl Read) -> std::io::Result<bool> {
    let mut line = Vec::new();
    BufReader::new(from.take(lines::LARGEST)).read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice::<Value>(content::without_mark(&line)).is_ok_and(|value| !is_document(&value)))
}

fn is_document(value: &Value) -> bool {
    ["log", "interactions", "http_interactions"].iter().any(|name| value.get(name).is_some())
}

fn whole(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > LARGEST {
        return Err(format!("larger than {} MiB", LARGEST >> 20));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// Names of what was left out, each with its number.
fn left_out(counts: &std::collections::BTreeMap<&'static str, usize>) -> String {
    let parts: BTreeSet<String> = counts.iter().map(|(why, count)| format!("{why} ({count})")).collect();
    parts.into_iter().collect::<Vec<_>>().join(", ")
}
