//! Reads a request that somebody captured: a request line, headers and a body, as `curl -v` shows them or as a file holds them.

use url::Url;

/// What was captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// The method, where there is a request line.
    pub method: Option<String>,
    /// Path and query, where there is a request line.
    pub target: Option<String>,
    headers: Vec<(String, String)>,
    /// What stands behind the empty line.
    pub body: Vec<u8>,
}

impl Capture {
    /// Reads a text.
    pub fn read(text: &str) -> Self {
        let mut found = Self::default();
        let is_verbose = text.lines().any(|line| line.starts_with("> "));
        let mut rest = text;
        while let Some((line, after)) = rest.split_once('\n').or_else(|| (!rest.is_empty()).then_some((rest, ""))) {
            rest = after;
            let line = line.trim_end_matches('\r');
            let line = match (is_verbose, line.strip_prefix('>')) {
                (true, Some(sent)) => sent.strip_prefix(' ').unwrap_or(sent),
                // Whatever else a verbose client tells: connections, answers.
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
        if let (None, Some(method), Some(target)) = (&self.method, words.next(), words.next())
            && !method.contains(':')
            && method.chars().all(|letter| letter.is_ascii_alphabetic())
        {
            self.method = Some(method.to_owned());
            self.target = Some(below_host(target));
        } else if let Some((name, value)) = line.split_once(':') {
            self.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as it was sent: a file that ends in a line's end was mostly not sent with it.
    pub fn trimmed_body(&self) -> &[u8] {
        self.body.strip_suffix(b"\r\n").or_else(|| self.body.strip_suffix(b"\n")).unwrap_or(&self.body)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_a_verbose_client_are_read() {
        let file = "POST /v1/pm/orders?x=1 HTTP/1.1\r\nX-Timestamp: 1\r\n\r\n{\"a\": 1}\n";
        let read = Capture::read(file);
        assert_eq!((read.method.as_deref(), read.target.as_deref()), (Some("POST"), Some("/v1/pm/orders?x=1")));
        assert_eq!((read.header("x-timestamp"), read.trimmed_body()), (Some("1"), &b"{\"a\": 1}"[..]));
        let verbose = "* Connected\n> GET https://host/a/b?c HTTP/2\n> X-Timestamp: 2\n>\n< HTTP/2 401\n< X-Timestamp: 3\n{\"e\":1}\n";
        let read = Capture::read(verbose);
        assert_eq!((read.target.as_deref(), read.header("x-timestamp")), (Some("/a/b?c"), Some("2")));
        assert!(read.body.is_empty());
        let bare = Capture::read("kalshi-access-key: a\nkalshi-access-timestamp: 5");
        assert_eq!((bare.method, bare.headers.len()), (None, 2));
    }
}
