//! Input other than arguments: files, and standard input as `-`.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use venuekit_wire::Secret;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Whether standard input was read: it has an end, and a second reader would find nothing.
static IS_READ: AtomicBool = AtomicBool::new(false);

/// The bytes of a file, or of standard input where the name is `-`.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    if path != Path::new("-") {
        return fs::read(path).map_err(|error| Failure::file(path, &error));
    }
    if IS_READ.swap(true, Ordering::Relaxed) {
        let help = "only one value can be read from there: give a file for the others";
        return Err(Failure::usage("standard input is named twice").help(help));
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Failure::file(Path::new(&shown(path)), &error))?;
    Ok(bytes)
}

/// The text of a file, or of standard input where the name is `-`.
pub fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes(path)?).map_err(|_| Failure::usage(format!("{}: is not UTF-8", shown(path))))
}

/// A secret that is a whole file, such as a PEM: bytes that are not UTF-8 around it do no harm.
pub fn secret(path: &Path) -> Result<Secret, Failure> {
    let bytes = Zeroizing::new(bytes(path)?);
    Ok(Secret::new(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()).as_str()))
}

/// Where it was read, in words.
pub fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// A secret from standard input, without the line's end.
pub fn secret_from_stdin() -> Result<Secret, Failure> {
    let text = Zeroizing::new(text(Path::new("-"))?);
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}
