//! JSON lines: `{method, url, status, body}`, and the lines of recorded streams.

use std::io::{BufRead, Read};

use serde_json::Value;

use super::{Exchange, Seen, Sink, content};
use crate::model::text;

/// The largest line.
pub const LARGEST: u64 = 64 << 20;

/// Every line.
pub fn read(name: &str, mut from: impl BufRead, sink: &mut Sink<'_>) -> Result<(), String> {
    let mut line = Vec::new();
    for number in 1_usize.. {
        line.clear();
        let read = from
            .by_ref()
            .take(LARGEST)
            .read_until(b'\n', &mut line)
            .map_err(|error| format!("line {number}: {error}"))?;
        if read == 0 {
            return Ok(());
        }
        if line.len() as u64 == LARGEST {
            return Err(format!("line {number} is longer than {} MiB", LARGEST >> 20));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let source = format!("{name}:{number}");
        match serde_json::from_slice::<Value>(&line) {
            Ok(value) => one(source, &value, sink),
            Err(_) => sink(Seen::LeftOut("lines that are not JSON")),
        }
    }
    Ok(())
}

fn one(source: String, value: &Value, sink: &mut Sink<'_>) {
    // A line of a recorded stream: see docs/STREAMS.md.
    if let Some(direction) = text(value, "direction") {
        if let (Some(frame), "in") = (text(value, "frame"), direction) {
            match serde_json::from_str(frame) {
                Ok(frame) => sink(Seen::Frame(source, frame)),
                Err(_) => sink(Seen::LeftOut("frames that are not JSON")),
            }
        }
        return;
    }
    if value.get("format").is_some() && value.get("venue").is_some() {
        return;
    }
    let Some(url) = text(value, "url").or_else(|| text(value, "path")) else {
        return sink(Seen::LeftOut("lines without a URL"));
    };
    let status = value.get("status").and_then(Value::as_u64).unwrap_or(200);
    let body = value.get("body").or_else(|| value.get("response")).unwrap_or(&Value::Null);
    let request = value.get("request").or_else(|| value.get("request_body"));
    sink(Seen::Exchange(Exchange {
        source,
        method: text(value, "method").unwrap_or("GET").to_uppercase(),
        url: url.to_owned(),
        status: u16::try_from(status).unwrap_or_default(),
        request: request.and_then(content::request),
        body: content::of_value(body),
    }));
}
