//! VCR cassettes: those of Python (`interactions`) and of Ruby (`http_interactions`), as YAML or JSON.

use serde_json::Value;

use super::{Body, Exchange, Seen, Sink, content};
use crate::model::text;

/// Every interaction.
pub fn read(name: &str, cassette: &Value, sink: &mut Sink<'_>) -> Result<(), String> {
    let list = cassette.get("interactions").or_else(|| cassette.get("http_interactions"));
    let list = list.and_then(Value::as_array).ok_or("a cassette without interactions")?;
    for (number, interaction) in (1..).zip(list) {
        let (Some(request), Some(response)) = (interaction.get("request"), interaction.get("response")) else {
            continue;
        };
        let status =
            response.pointer("/status/code").or_else(|| response.get("status_code")).or_else(|| response.get("status"));
        let request_body = request.get("body").map(|body| body.get("string").unwrap_or(body));
        sink(Seen::Exchange(Exchange {
            source: format!("{name} interaction {number}"),
            method: text(request, "method").unwrap_or("GET").to_uppercase(),
            url: text(request, "uri").or_else(|| text(request, "url")).unwrap_or_default().to_owned(),
            status: status.and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok()).unwrap_or_default(),
            request: request_body.and_then(content::request),
            body: body(response),
        }));
    }
    Ok(())
}

fn body(response: &Value) -> Body {
    let encoding = header(response, "content-encoding");
    let body = response.get("body").or_else(|| response.get("content")).unwrap_or(&Value::Null);
    if let Some(coded) = text(body, "base64_string") {
        return content::of_base64(coded, &encoding);
    }
    let said = body.get("string").unwrap_or(body);
    match content::of_value(said) {
        // A compressed body is written as `!!binary`.
        Body::Unreadable(why) => match said.as_str().map(|coded| content::of_base64(coded, &encoding)) {
            Some(decoded @ Body::Json(_)) => decoded,
            _ => Body::Unreadable(why),
        },
        read => read,
    }
}

fn header(response: &Value, name: &str) -> String {
    let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
    let value = headers.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).next();
    let first = value.map(|value| value.as_array().and_then(|all| all.first()).unwrap_or(value));
    first.and_then(Value::as_str).unwrap_or_default().to_owned()
}
