//! JSON lines: `{method, url, status, body}`, and the lines of recorded streams.

use std::io::{BufRead, Read};

use serde_json::Value;

use super::{Exchange, Frame, Seen, Sink, content};
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
        match serde_json::from_slice::<Value>(content::without_mark(&line)) {
            Ok(value) => one(source, &value, sink),
            Err(_) => sink(Seen::LeftOut("lines that are not JSON")),
        }
    }
    Ok(())
}

fn one(source: String, line: &Value, sink: &mut Sink<'_>) {
    // A line of a recorded stream: see docs/STREAMS.md.
    if let Some(direction) = text(line, "direction") {
        if let (Some(frame), "in") = (text(line, "frame"), direction) {
            match serde_json::from_str(frame) {
                Ok(value) => {
                    let endpoint = text(line, "endpoint").unwrap_or_default().to_owned();
                    sink(Seen::Frame(Frame { source, endpoint, value }));
                }
                Err(_) => sink(Seen::LeftOut("frames that are not JSON")),
            }
        }
        return;
    }
    if line.get("format").is_some() && line.get("venue").is_some() {
        return;
    }
    let Some(url) = text(line, "url").or_else(|| text(line, "path")) else {
        return sink(Seen::LeftOut("lines without a URL"));
    };
    let status = line.get("status").and_then(Value::as_u64).unwrap_or(200);
    let body = line.get("body").or_else(|| line.get("response")).unwrap_or(&Value::Null);
    let request = line.get("request").or_else(|| line.get("request_body"));
    sink(Seen::Exchange(Exchange {
        source,
        method: text(line, "method").unwrap_or("GET").to_uppercase(),
        url: url.to_owned(),
        status: u16::try_from(status).unwrap_or_default(),
        request: request.and_then(content::request),
        body: content::of_value(body),
    }));
}
