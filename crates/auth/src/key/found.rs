//! What people pass instead of a PEM private key, and how to recognize it.

use std::fmt;

use super::der::{self, Shape};

/// What was found where a PEM private key should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// An RSA key in OpenSSH's own format.
    OpenSshRsa,
    /// Another key in OpenSSH's own format.
    OpenSsh,
    /// One line out of `id_*.pub` or `authorized_keys`, or an SSH2 public key.
    SshPublic,
    /// A public key.
    PublicKey,
    /// A certificate.
    Certificate,
    /// A request for a certificate.
    CertificateRequest,
    /// A private key in the encrypted form of old OpenSSL (`Proc-Type: 4,ENCRYPTED`).
    LegacyEncrypted,
    /// A PuTTY key file.
    Putty,
    /// A PGP block.
    Pgp,
    /// A JSON document.
    Json,
    /// An HTML page.
    Html,
    /// A private key as bare DER bytes.
    Der,
    /// A PKCS#12 bundle.
    Pkcs12,
    /// A Java key store.
    JavaKeyStore,
    /// Text in UTF-16.
    Utf16,
    /// Base64 with neither BEGIN nor END line.
    Base64,
    /// The name of a file, not its contents.
    FileName,
    /// A PEM block with another label.
    OtherPem(String),
    /// Bytes of no known kind.
    Binary,
    /// Text of no known kind.
    Text,
}

impl Found {
    /// What to do about it, as one clause.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::OpenSshRsa => "convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY_OF_THE_KEY",
            Self::OpenSsh => {
                "ssh-keygen cannot convert it, so make a new one and register it: \
                 openssl genpkey -algorithm ed25519 -out key.pem"
            }
            Self::SshPublic | Self::PublicKey | Self::Certificate | Self::CertificateRequest => {
                "give the private key that was made together with it; its file has a line with BEGIN PRIVATE KEY or \
                 BEGIN RSA PRIVATE KEY, and it can be checked with: openssl pkey -in key.pem -noout"
            }
            Self::LegacyEncrypted => "write it without its passphrase: openssl pkey -in key.pem -out plain.pem",
            Self::Putty => {
                "export an RSA key with PuTTYgen (Conversions, Export OpenSSH key) or with: \
                 puttygen key.ppk -O private-openssh -o key.pem; in place of any other, make a new one: \
                 openssl genpkey -algorithm ed25519 -out key.pem"
            }
            Self::Pgp => {
                "a PGP key cannot sign for a venue, make one that can: openssl genpkey -algorithm ed25519 -out key.pem"
            }
            Self::Json => "if the key is one of its fields, take it out: jq -r .private_key answer.json > key.pem",
            Self::Html => "the download was probably a login page; fetch the key again",
            Self::Der => "convert it: openssl pkey -inform DER -in key.der -out key.pem",
            Self::Pkcs12 => "take the key out: openssl pkcs12 -in bundle.p12 -nocerts -nodes -out key.pem",
            Self::JavaKeyStore => {
                "take the key out: keytool -importkeystore -srckeystore store.jks -destkeystore bundle.p12 \
                 -deststoretype PKCS12, then: openssl pkcs12 -in bundle.p12 -nocerts -nodes -out key.pem"
            }
            Self::Utf16 => "save it as UTF-8: iconv -f UTF-16 -t UTF-8 key.txt > key.pem",
            Self::Base64 => {
                "if it is the inside of a PEM file, put back its BEGIN and END lines; if it is base64 of the DER bytes: \
                 base64 -d key.txt | openssl pkey -inform DER -out key.pem"
            }
            Self::FileName => "pass the content of that file, not its name",
            Self::OtherPem(_) | Self::Binary | Self::Text => {
                "a key file can be checked with: openssl pkey -in key.pem -noout, and a new key made with: \
                 openssl genpkey -algorithm ed25519 -out key.pem"
            }
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenSshRsa => "an RSA private key in OpenSSH's own format",
            Self::OpenSsh => "a private key in OpenSSH's own format",
            Self::SshPublic => "an SSH public key",
            Self::PublicKey => "a public key",
            Self::Certificate => "a certificate",
            Self::CertificateRequest => "a certificate request",
            Self::LegacyEncrypted => "a private key encrypted in OpenSSL's old way (Proc-Type: 4,ENCRYPTED)",
            Self::Putty => "a PuTTY key file",
            Self::Pgp => "a PGP block",
            Self::Json => "a JSON document",
            Self::Html => "an HTML page",
            Self::Der => "a private key as binary DER",
            Self::Pkcs12 => "a PKCS#12 bundle (.p12, .pfx)",
            Self::JavaKeyStore => "a Java key store",
            Self::Utf16 => "text in UTF-16",
            Self::Base64 => "base64 without BEGIN and END lines",
            Self::FileName => "the name of a file",
            Self::OtherPem(label) => return write!(f, "a PEM block of the kind {label:?}"),
            Self::Binary => "binary data",
            Self::Text => "plain text",
        })
    }
}

/// Names bytes that are no text.
pub(super) fn binary(bytes: &[u8]) -> Found {
    match der::shape(bytes) {
        Ok(Shape::Pkcs1 | Shape::Pkcs8 | Shape::EncryptedPkcs8 | Shape::Sec1 | Shape::Dsa) => Found::Der,
        Ok(Shape::Pkcs12) => Found::Pkcs12,
        Ok(Shape::PublicKey) => Found::PublicKey,
        Ok(Shape::Certificate) => Found::Certificate,
        Ok(Shape::CertificateRequest) => Found::CertificateRequest,
        Ok(Shape::Other) | Err(_) if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) => Found::JavaKeyStore,
        Ok(Shape::Other) | Err(_) if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) => {
            Found::Utf16
        }
        Ok(Shape::Other) | Err(_) => Found::Binary,
    }
}

/// Names a text without any PEM block. It is trimmed.
pub(super) fn text(text: &str) -> Found {
    let lower: String = text.chars().take(32).collect::<String>().to_ascii_lowercase();
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=-_\r\n".contains(c);
    if text.starts_with("PuTTY-User-Key-File-") {
        Found::Putty
    } else if ["ssh-", "ecdsa-sha2-", "sk-", "---- begin ssh2 public key"].iter().any(|start| lower.starts_with(start))
    {
        Found::SshPublic
    } else if lower.starts_with("<!doctype") || lower.starts_with("<html") {
        Found::Html
    } else if is_path(text) {
        Found::FileName
    } else if text.len() >= 64 && text.chars().all(is_base64) {
        Found::Base64
    } else {
        Found::Text
    }
}

/// Whether a text is the name of a file, by its end or its beginning. Base64 may begin with a slash too, but is longer.
fn is_path(text: &str) -> bool {
    let ends = [".pem", ".key", ".txt", ".der"].iter().any(|end| text.ends_with(end));
    let begins = ["~/", "./", "../"].iter().any(|start| text.starts_with(start));
    !text.contains('\n') && (ends || begins || text.starts_with('/') && text.len() < 64)
}

/// Names a PEM block that is not a private key, by its label.
pub(super) fn pem(label: &str) -> Found {
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Found::PublicKey,
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Found::Certificate,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Found::CertificateRequest,
        _ if label.starts_with("PGP ") => Found::Pgp,
        _ => Found::OtherPem(label.to_owned()),
    }
}
