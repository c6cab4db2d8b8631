//! HAR 1.2, as browsers and proxies export it.

use serde_json::Value;

use super::{Exchange, Frame, Seen, Sink, content};
use crate::model::text;

/// Every entry, and the frames of WebSockets that some browsers add.
pub fn read(name: &str, har: &Value, sink: &mut Sink<'_>) -> Result<(), String> {
    let entries = har.pointer("/log/entries").and_then(Value::as_array).ok_or("a HAR file without entries")?;
    for (number, entry) in (1..).zip(entries) {
        let source = format!("{name} entry {number}");
        for frame in entry.get("_webSocketMessages").and_then(Value::as_array).into_iter().flatten() {
            if text(frame, "type") == Some("receive")
                && let Some(value) = frame.get("data").and_then(content::request)
            {
                let endpoint = entry.pointer("/request/url").and_then(Value::as_str).unwrap_or_default().to_owned();
                sink(Seen::Frame(Frame { source: source.clone(), endpoint, value }));
            }
        }
        let (Some(request), Some(response)) = (entry.get("request"), entry.get("response")) else { continue };
        let status = response.get("status").and_then(Value::as_u64).unwrap_or_default();
        let content = response.get("content").unwrap_or(&Value::Null);
        let said = text(content, "text").unwrap_or_default();
        let body = if text(content, "encoding") == Some("base64") {
            content::of_base64(said, "")
        } else {
            content::of_plain(said.as_bytes())
        };
        sink(Seen::Exchange(Exchange {
            source,
            method: text(request, "method").unwrap_or("GET").to_owned(),
            url: text(request, "url").unwrap_or_default().to_owned(),
            status: u16::try_from(status).unwrap_or_default(),
            request: request.pointer("/postData/text").and_then(content::request),
            body,
        }));
    }
    Ok(())
}
