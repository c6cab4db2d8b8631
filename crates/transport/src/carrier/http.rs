//! One request over HTTP, and its response.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::Request;
use url::Url;
use venuekit_wire::operation::ErrorKind;

use super::{Carrier, CarrierFuture, CarrierRequest, RawResponse, SendError};
use crate::clock::after;
use crate::deadline::Deadlines;
use crate::endpoint::{Route, authority};

/// Of an error's body no more is read than this: it is there to say what went wrong.
const LARGEST_ERROR: usize = 1024 * 1024;

/// Sends requests over HTTP, or HTTPS, as the base URL says.
#[derive(Clone, Debug)]
pub struct HttpCarrier {
    http: reqwest::Client,
    /// The server that most requests are for, without a path.
    server: Url,
    route: Route,
    deadlines: Deadlines,
}

impl HttpCarrier {
    pub(crate) fn new(http: reqwest::Client, mut server: Url, route: Route, deadlines: Deadlines) -> Self {
        server.set_path("");
        Self { http, server, route, deadlines }
    }
}

impl Carrier for HttpCarrier {
    fn send<'a>(&'a self, request: CarrierRequest<'a>) -> CarrierFuture<'a> {
        let (time, largest) = (request.time, request.largest);
        match self.request(request) {
            Ok(request) => Box::pin(self.exchange(self.http.execute(request), time, largest)),
            Err(refused) => Box::pin(ready(Err(refused))),
        }
    }
}

impl HttpCarrier {
    /// The URL of a request. Scheme, host and port of the server are not read again.
    fn url(&self, url: &str, path_at: usize) -> Option<Url> {
        match url.split_at_checked(path_at) {
            Some((server, target)) if self.server.as_str().strip_suffix('/') == Some(server) => {
                let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
                let mut url = self.server.clone();
                url.set_path(path);
                url.set_query(query);
                Some(url)
            }
            _ => Url::parse(url).ok(),
        }
    }

    /// A request as the HTTP client has it.
    fn request(&self, request: CarrierRequest<'_>) -> Result<Request, SendError> {
        let CarrierRequest { method, url, path_at, headers, body, .. } = request;
        let parsed = self.url(url, path_at).ok_or_else(|| SendError::refused("invalid request URL"))?;
        // What is sent is what was signed.
        if parsed.as_str() != url {
            return Err(SendError::refused("the request URL is not normalized"));
        }
        let mut request = Request::new(method, parsed);
        *request.headers_mut() = headers;
        if !body.is_empty() {
            *request.body_mut() = Some(body.clone().into());
        } else if matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) {
            // RFC 9110, 8.6: there are servers that refuse such a request without a length (411).
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(request)
    }

    /// Nothing is sent before this is polled.
    async fn exchange(
        &self,
        sent: impl Future<Output = reqwest::Result<reqwest::Response>>,
        time: Duration,
        largest: usize,
    ) -> Result<RawResponse, SendError> {
        let mut incoming = None;
        // Pinned here, and passed by reference: what is passed is held twice.
        let ended = {
            let whole = pin!(async {
                let mut response = sent.await.map_err(|error| Box::new(broken(&self.route, error)))?;
                // Inside of TLS only the venue can respond.
                if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED && response.url().scheme() == "http" {
                    return Err(Box::new(unauthenticated(&self.route)));
                }
                incoming.insert(Incoming::new(&mut response)).read(&mut response, largest).await.map_err(Box::new)
            });
            self.deadlines.until(after(time), whole).await
        };
        let ended = ended.unwrap_or_else(|_| Err(Box::new(late(time, incoming.is_some()))));
        match (incoming, ended) {
            (Some(incoming), Ok(())) => Ok(incoming.response(false)),
            // What arrived of an error says more than how its body ended.
            (Some(incoming), Err(_)) if incoming.is_error() => Ok(incoming.response(true)),
            (Some(incoming), Err(failed)) => {
                Err(SendError { status: Some(incoming.status), may_have_left: true, ..*failed })
            }
            (None, ended) => Err(ended.err().map_or_else(|| SendError::lost("no response"), |failed| *failed)),
        }
    }
}

fn late(time: Duration, has_begun: bool) -> SendError {
    let what = if has_begun { "the response was not complete" } else { "no response" };
    SendError::late(format!("{what} in {time:.1?}"))
}

/// A response of which the head is here, and the body comes in pieces.
struct Incoming {
    status: StatusCode,
    headers: HeaderMap,
    pieces: Vec<Bytes>,
    /// How many bytes the pieces have together.
    size: usize,
    is_cut: bool,
}

impl Incoming {
    fn new(response: &mut reqwest::Response) -> Self {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        Self { status, headers, pieces: Vec::new(), size: 0, is_cut: false }
    }

    fn is_error(&self) -> bool {
        !self.status.is_success()
    }

    /// Reads the body to its end, and that of an error no further than makes sense.
    async fn read(&mut self, response: &mut reqwest::Response, max_answer: usize) -> Result<(), SendError> {
        let limit = if self.is_error() { max_answer.min(LARGEST_ERROR) } else { max_answer };
        while let Some(piece) = response.chunk().await.map_err(|error| broken_off(&error))? {
            if piece.len() <= limit - self.size {
                self.size += piece.len();
                self.pieces.push(piece);
            } else if self.is_error() {
                self.pieces.push(piece.slice(..limit - self.size));
                self.is_cut = true;
                return Ok(());
            } else {
                let message =
                    format!("the response is larger than {limit} bytes; raise `max_answer` if this is expected");
                return Err(SendError { kind: ErrorKind::Decode, ..SendError::lost(message) });
            }
        }
        Ok(())
    }

    /// What is here.
    fn response(self, broke_off: bool) -> RawResponse {
        let Self { status, headers, pieces, is_cut, .. } = self;
        // A response in one piece, as most are, is not copied.
        let body = if let [whole] = &*pieces { whole.clone() } else { pieces.concat().into() };
        RawResponse { status, headers, body, is_cut: is_cut || broke_off }
    }
}

fn broken_off(error: &reqwest::Error) -> SendError {
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
    SendError { kind, ..SendError::lost(format!("the response broke off: {}", reason(error))) }
}

/// A call that got no response.
fn broken(route: &Route, error: reqwest::Error) -> SendError {
    let server = error.url().map(authority).unwrap_or_default();
    let error = error.without_url();
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
    // Only while connecting is it certain that the venue has seen nothing.
    let (may_have_left, what) = match (error.is_connect(), error.is_timeout()) {
        (true, _) => (false, "no connection to"),
        (false, true) => (true, "no response in time from"),
        (false, false) => (true, "no response from"),
    };
    let message = format!("{what} {server}{route}: {}", reason(&error));
    SendError { kind, message, may_have_left, status: None, source: Some(Arc::new(error)) }
}

/// A proxy that passes on nothing without a user and a password. The venue has seen nothing.
fn unauthenticated(route: &Route) -> SendError {
    SendError::not_sent(format!("nothing was sent{route}: it asks for a user name and a password (407)"))
}

/// The innermost reason, which is the specific one.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    // The words of the client that opens tunnels, which name neither the proxy nor what to do.
    match innermost.to_string() {
        said if said.ends_with("proxy authorization required") => {
            "the proxy asks for a user name and a password (407)".to_owned()
        }
        said if said == "tunnel error: unsuccessful" => "the proxy refused to open a tunnel".to_owned(),
        said if said == "tunnel error: unexpected end of file" => {
            "the proxy closed the connection instead of opening a tunnel".to_owned()
        }
        said => said,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::fixtures;

    /// The head of a request as it is sent, in lower case.
    async fn head(method: Method, body: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut sent = String::new();
            while !sent.contains("\r\n\r\n") {
                sent.push(char::from(stream.read_u8().await.unwrap()));
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            sent.to_ascii_lowercase()
        };
        let route = Route::to(&Url::parse(&url).unwrap(), None).unwrap();
        let http = route.client(reqwest::Client::builder()).build().unwrap();
        let body = Bytes::from_static(body.as_bytes());
        let request = CarrierRequest {
            operation: &fixtures::OPERATION,
            method,
            path_at: url.len() - "/keys".len(),
            url: &url,
            headers: HeaderMap::new(),
            body: &body,
            unsigned_url: &url,
            unsigned_body: Some(&body),
            rpc_id: None,
            time: Duration::from_secs(20),
            largest: 1024,
        };
        let carrier = HttpCarrier::new(http, Url::parse(&url).unwrap(), route, Deadlines::default());
        let (sent, response) = tokio::join!(server, carrier.send(request));
        assert_eq!(response.unwrap().status(), StatusCode::NO_CONTENT);
        sent
    }

    #[test]
    fn a_url_is_the_same_whether_or_not_its_server_is_known() {
        let url = |server: &str| Url::parse(server).unwrap();
        let carrier = |server: &str| {
            let route = Route::to(&url(server), None).unwrap();
            let http = route.client(reqwest::Client::builder()).build().unwrap();
            HttpCarrier::new(http, url(server), route, Deadlines::default())
        };
        for server in ["http://127.0.0.1:9100", "https://api.venue.example", "http://[::1]:8080"] {
            let carriers = [carrier(&format!("{server}/trade-api/v2")), carrier("https://other.example")];
            for target in ["/", "/a/b%2Fc", "/a?b=c", "/a?", "/a?b=%20&c=%C3%A9?/", "/a'b/;=", "/a?b='", "//a", "/a|b"]
            {
                let whole = format!("{server}{target}");
                for carrier in &carriers {
                    assert_eq!(carrier.url(&whole, server.len()).as_ref(), Some(&url(&whole)), "{whole}");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_request_that_could_have_a_body_says_that_it_has_none() {
        let length = "content-length:";
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            let head = head(method.clone(), "").await;
            assert_eq!(head.matches("content-length: 0\r\n").count(), 1, "{method}: {head}");
        }
        for method in [Method::GET, Method::DELETE] {
            let head = head(method.clone(), "").await;
            assert!(!head.contains(length), "{method}: {head}");
        }
        let head = head(Method::POST, "{}").await;
        assert!(head.contains("content-length: 2\r\n") && head.matches(length).count() == 1, "{head}");
    }
}
