//! Where a secret could show: everything that any crate has logged, down to the finest level.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use venuekit::Error;
use venuekit::auth::{KeyKind, PrivateKey};

use crate::example::MARKER;

static LOG: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || Writer(writer.clone()))
        .init();
    log
});

struct Writer(Arc<Mutex<Vec<u8>>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything that was logged since this was called first.
pub fn log() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap()).into_owned()
}

/// The PEM of a key that is made for this run; a line of it must not show.
static KEY: LazyLock<(PrivateKey, String)> = LazyLock::new(|| {
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let pem = key.private_key_pem();
    let line = pem.expose().lines().nth(1).unwrap().to_owned();
    (key, line)
});

pub fn key() -> PrivateKey {
    KEY.0.clone()
}

pub fn assert_no_secret(what: &str, text: &str) {
    assert!(!text.contains(MARKER), "{what} shows the marker: {text}");
    assert!(!text.contains(&KEY.1), "{what} shows the private key: {text}");
}

/// Every text that an error gives of itself.
pub fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text += &format!(" {inner} {inner:?}");
        source = inner.source();
    }
    text
}
