//! What is wrong between here and the venue.

use venuekit_transport::{Error, ErrorKind};

/// The word for it, and what to do about it.
pub type Fault = (&'static str, &'static str);

/// Why there is no response of the venue's own.
pub fn unreachable(error: &Error) -> Fault {
    let said = error.message().to_ascii_lowercase();
    if said.contains("certificate") {
        return certificate(&said);
    }
    if said.contains("corrupt message") || said.contains("invalidcontenttype") {
        return ("tls", "the server does not speak TLS there: check the port, and whether it should be http");
    }
    match error.kind() {
        ErrorKind::Network | ErrorKind::Timeout => {
            ("unreachable", "check the network, a proxy, and the server's address; then whether the venue is down")
        }
        _ => ("unreachable", "the venue is down, or under maintenance: try again later"),
    }
}

fn certificate(said: &str) -> Fault {
    if said.contains("notvalidyet") || said.contains("not valid yet") {
        return ("certificate", "this machine's clock is behind, or the certificate is not valid yet: set the clock");
    }
    if said.contains("expired") {
        return ("certificate", "the server's certificate has expired, or this machine's clock is ahead");
    }
    if said.contains("notvalidforname") || said.contains("not valid for name") {
        return ("certificate", "the certificate is for another server: check the server's address");
    }
    (
        "certificate",
        "no authority that this machine trusts has signed the server's certificate: for your own inspecting proxy, \
         put its certificate into a PEM file and set SSL_CERT_FILE to that",
    )
}

/// Something else has responded.
pub fn foreign(error: &Error) -> Fault {
    match error.status() {
        Some(status) if status.is_redirection() => {
            ("redirect", "check the server's address: a captive portal or a proxy redirects, or the venue has moved")
        }
        _ => ("web_page", OTHER_SERVER),
    }
}

/// What to do where something responds that is not the venue.
pub const OTHER_SERVER: &str =
    "check the server's address: a captive portal, a proxy or another server responds in the venue's place";
