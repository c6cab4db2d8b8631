//! mitmproxy's dump files: flows as typed netstrings, one behind the other.

use serde_json::Value;

use super::{Exchange, Frame, Seen, Sink, content};

/// A value of a netstring.
enum Net<'a> {
    Bytes(&'a [u8]),
    Number(i64),
    Flag(bool),
    List(Vec<Net<'a>>),
    Map(Vec<(&'a [u8], Net<'a>)>),
    Other,
}

/// Levels of a flow; mitmproxy writes five.
const DEEPEST: usize = 32;

/// Whether a file begins like a dump: a length, a colon, and so many bytes further on a sign for the type.
pub fn is_one(head: &[u8]) -> bool {
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=9).contains(&digits) && head.get(digits) == Some(&b':')
}

/// Every flow.
pub fn read(name: &str, mut bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), String> {
    let mut number = 0;
    while !bytes.trim_ascii().is_empty() {
        number += 1;
        let (flow, rest) = value(bytes, 0).ok_or_else(|| format!("flow {number} is cut off or no netstring"))?;
        bytes = rest;
        one(&format!("{name} flow {number}"), &flow, sink);
    }
    Ok(())
}

fn one(source: &str, flow: &Net<'_>, sink: &mut Sink<'_>) {
    let request = flow.get("request");
    let url = request.map(url).unwrap_or_default();
    for message in flow.get("websocket").and_then(|socket| socket.get("messages")).map(Net::items).unwrap_or_default() {
        // Type, from the client, content, and more.
        if let [_, Net::Flag(false), Net::Bytes(frame), ..] = message.items() {
            match serde_json::from_slice::<Value>(frame) {
                Ok(value) => sink(Seen::Frame(Frame { source: source.to_owned(), endpoint: url.clone(), value })),
                Err(_) => sink(Seen::LeftOut("frames that are not JSON")),
            }
        }
    }
    let Some(request) = request else { return sink(Seen::LeftOut("flows that are not HTTP")) };
    let Some(response) = flow.get("response").filter(|response| matches!(response, Net::Map(_))) else {
        return sink(Seen::LeftOut("requests without a response"));
    };
    let raw = |of: &Net<'_>| {
        content::of_bytes(of.get("content").map(Net::bytes).unwrap_or_default(), &header(of, "content-encoding"))
    };
    sink(Seen::Exchange(Exchange {
        source: source.to_owned(),
        method: request.get("method").map(Net::text).unwrap_or_default().to_uppercase(),
        url,
        status: response.get("status_code").map_or(0, |status| u16::try_from(status.number()).unwrap_or_default()),
        request: match raw(request) {
            super::Body::Json(value) => Some(value),
            _ => None,
        },
        body: raw(response),
    }));
}

/// The URL of a request, by the name that the client asked for.
fn url(request: &Net<'_>) -> String {
    let part = |name: &str| request.get(name).map(Net::text).unwrap_or_default();
    let port = request.get("port").map_or(0, Net::number);
    let port = if matches!(port, 0 | 80 | 443) { String::new() } else { format!(":{port}") };
    let said = header(request, "host");
    let host = if said.is_empty() { format!("{}{port}", part("host")) } else { said };
    format!("{}://{host}{}", part("scheme"), part("path"))
}

fn header(message: &Net<'_>, name: &str) -> String {
    let headers = message.get("headers").map(Net::items).unwrap_or_default().iter();
    let mut found = headers.filter_map(|pair| match pair.items() {
        [own, value] if own.text().eq_ignore_ascii_case(name) => Some(value.text()),
        _ => None,
    });
    found.next_back().unwrap_or_default()
}

/// Reads one value. None: it is cut off, or written otherwise.
fn value(bytes: &[u8], depth: usize) -> Option<(Net<'_>, &[u8])> {
    let colon = bytes.iter().take(10).position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
    let data = bytes.get(colon + 1..)?.get(..length)?;
    let rest = &bytes[colon + 1 + length..];
    let (kind, rest) = rest.split_first()?;
    if depth > DEEPEST {
        return None;
    }
    let text = || std::str::from_utf8(data).ok();
    let made = match kind {
        b',' | b';' => Net::Bytes(data),
        b'#' => Net::Number(text()?.parse().ok()?),
        b'!' => Net::Flag(data == b"true"),
        b'^' | b'~' => Net::Other,
        b']' => {
            let (mut all, mut left) = (Vec::new(), data);
            while !left.is_empty() {
                let (one, after) = value(left, depth + 1)?;
                all.push(one);
                left = after;
            }
            Net::List(all)
        }
        b'}' => {
            let (mut all, mut left) = (Vec::new(), data);
            while !left.is_empty() {
                let (Net::Bytes(name), after) = value(left, depth + 1)? else { return None };
                let (one, after) = value(after, depth + 1)?;
                all.push((name, one));
                left = after;
            }
            Net::Map(all)
        }
        _ => return None,
    };
    Some((made, rest))
}

impl<'a> Net<'a> {
    fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(all) => all.iter().find(|(own, _)| *own == name.as_bytes()).map(|(_, value)| value),
            _ => None,
        }
    }

    fn items(&self) -> &[Self] {
        match self {
            Self::List(all) => all,
            _ => &[],
        }
    }

    fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            _ => 0,
        }
    }
}
