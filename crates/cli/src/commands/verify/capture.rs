//! Reads a request that somebody captured: a request line, headers and a body, as `curl -v` shows them or as a file holds them.

use serde_json::Value;
use url::Url;

/// What was captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// The method, where there is a request line.
    pub method: Option<String>,
    /// Path and query, where there is a request line.
    pub target: Option<String>,
    origin: Option<String>,
    headers: Vec<(String, String)>,
    /// What stands behind the empty line.
    pub body: Vec<u8>,
}

impl Capture {
    /// Reads a text. What it is instead, where it is no request.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err("is empty");
        }
        if let Some(found) = Self::of_json(text) {
            return Ok(found);
        }
        let found = Self::of_lines(text);
        let first = text.split_whitespace().find(|word| *word != "$").unwrap_or_default();
        match found.is_begun() {
            _ if first == "curl" && !is_verbose(text) => Err("is a command line, not what was sent"),
            true => Ok(found),
            false => Err("holds no request: there is neither a request line nor a header in it"),
        }
    }

    /// A message of a WebSocket is a body without a request; other objects name headers.
    fn of_json(text: &str) -> Option<Self> {
        let Ok(Value::Object(members)) = serde_json::from_str(text) else { return None };
        if members.contains_key("grant_type") || members.values().any(Value::is_object) {
            return Some(Self { body: text.trim().as_bytes().to_vec(), ..Self::default() });
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let headers = members.iter().map(|(name, value)| (name.to_ascii_lowercase(), text(value)));
        Some(Self { headers: headers.collect(), ..Self::default() })
    }

    fn of_lines(text: &str) -> Self {
        let mut found = Self::default();
        let is_verbose = is_verbose(text);
        let mut rest = text;
        while let Some((line, after)) = rest.split_once('\n').or_else(|| (!rest.is_empty()).then_some((rest, ""))) {
            rest = after;
            let line = line.trim_end_matches('\r');
            let line = match (is_verbose, line.strip_prefix('>')) {
                (true, Some(sent)) => sent.strip_prefix(' ').unwrap_or(sent),
                // Whatever else a verbose client tells: connections, responses.
                (true, None) => continue,
                (false, _) => line,
            };
            if line.trim().is_empty() && found.is_begun() {
                break;
            }
            found.line(line);
        }
        if !is_verbose {
            found.body = rest.as_bytes().to_vec();
        }
        found
    }

    fn is_begun(&self) -> bool {
        self.method.is_some() || !self.headers.is_empty()
    }

    fn line(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        if line.starts_with([' ', '\t'])
            && !line.contains(':')
            && let Some((_, value)) = self.headers.last_mut()
        {
            // A value that was broken over several lines.
            *value = format!("{value} {}", line.trim());
        } else if let (None, Some(method), Some(target)) = (&self.method, words.next(), words.next())
            && !method.contains(':')
            && method.chars().all(|letter| letter.is_ascii_alphabetic())
        {
            self.method = Some(method.to_owned());
            self.target = Some(below_host(target));
            let url = Url::parse(target).ok().filter(Url::has_host);
            self.origin = url.map(|url| url.origin().ascii_serialization());
        } else if let Some((name, value)) = line.split_once(':') {
            self.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether a header is repeated with another value.
    pub fn is_ambiguous(&self, name: &str) -> bool {
        let mut values = self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value);
        let first = values.next();
        values.any(|value| Some(value) != first)
    }

    /// Scheme and host that it went to, where they are known.
    pub fn origin(&self) -> Option<String> {
        self.origin.clone().or_else(|| {
            let host = self.header("host")?;
            let is_here = ["localhost", "127.0.0.1", "[::1]"].iter().any(|start| host.starts_with(start));
            Some(format!("{}://{host}", if is_here { "http" } else { "https" }))
        })
    }

    /// Whether the request line has a whole URL.
    pub fn has_url(&self) -> bool {
        self.origin.is_some()
    }

    /// How long its body says to be.
    pub fn content_length(&self) -> Option<usize> {
        self.header("content-length")?.parse().ok()
    }

    /// Whether it announces a body.
    pub fn says_body(&self) -> bool {
        self.content_length().is_some_and(|length| length > 0)
    }

    /// The body as it was sent: a file that ends in a line's end was mostly not sent with it.
    pub fn sent_body(&self) -> &[u8] {
        if self.content_length() == Some(self.body.len()) {
            return &self.body;
        }
        self.body.strip_suffix(b"\r\n").or_else(|| self.body.strip_suffix(b"\n")).unwrap_or(&self.body)
    }
}

fn is_verbose(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("> "))
}

/// Path and query of a target, whole address or not.
pub fn below_host(target: &str) -> String {
    match Url::parse(target) {
        Ok(url) if url.has_host() => {
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{}{query}", url.path())
        }
        _ => target.to_owned(),
    }
}

/// Whether a target is a whole URL: its path is what is sent, whatever the venue's prefix.
pub fn is_url(target: &str) -> bool {
    Url::parse(target).is_ok_and(|url| url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_a_verbose_client_are_read() {
        let file = "POST /v1/pm/orders?x=1 HTTP/1.1\r\nX-Timestamp: 1\r\n\r\n{\"a\": 1}\n";
        let read = Capture::read(file).unwrap();
        assert_eq!((read.method.as_deref(), read.target.as_deref()), (Some("POST"), Some("/v1/pm/orders?x=1")));
        assert_eq!((read.header("x-timestamp"), read.sent_body()), (Some("1"), &b"{\"a\": 1}"[..]));
        let verbose = "* Connected\n> GET https://host/a/b?c HTTP/2\n> X-Timestamp: 2\n>\n< HTTP/2 401\n< X-Timestamp: 3\n{\"e\":1}\n";
        let read = Capture::read(verbose).unwrap();
        assert_eq!((read.target.as_deref(), read.header("x-timestamp")), (Some("/a/b?c"), Some("2")));
        assert!(read.body.is_empty());
        let bare = Capture::read("kalshi-access-key: a\nkalshi-access-timestamp: 5").unwrap();
        assert_eq!((bare.method, bare.headers.len()), (None, 2));
    }

    #[test]
    fn a_message_and_an_object_of_headers_are_read_and_other_files_are_named() {
        let message = Capture::read("\u{feff}{\"method\":\"public/auth\",\"params\":{\"nonce\":\"a\"}}\n").unwrap();
        assert!(message.body.starts_with(b"{") && message.sent_body().ends_with(b"}}"));
        let headers = Capture::read(r#"{"X-Timestamp": 1, "X-Signature": "a"}"#).unwrap();
        assert_eq!((headers.header("x-timestamp"), headers.header("x-signature")), (Some("1"), Some("a")));
        for (text, what) in [
            (" \n", "is empty"),
            ("curl -H 'a: b' https://host/", "is a command line"),
            ("$ curl https://host/", "is a command line"),
            ("nothing", "holds no request"),
        ] {
            assert!(Capture::read(text).unwrap_err().starts_with(what), "{text}");
        }
        let twice = Capture::read("GET /a HTTP/1.1\nHost: host\na: 1\na: 1\nb: 1\nb: 2\n").unwrap();
        assert_eq!((twice.is_ambiguous("a"), twice.is_ambiguous("b")), (false, true));
        assert_eq!(twice.origin().as_deref(), Some("https://host"));
    }
}
