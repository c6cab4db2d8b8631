//! What is read besides arguments: files, and standard input as `-`.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use venuekit_wire::Secret;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The bytes of a file, or of standard input where the name is `-`.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::file(Path::new("standard input"), &error))?;
        return Ok(bytes);
    }
    fs::read(path).map_err(|error| Failure::file(path, &error))
}

/// The text of a file, or of standard input where the name is `-`.
pub fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes(path)?).map_err(|_| Failure::usage(format!("{}: is not UTF-8", path.display())))
}

/// A secret from standard input, without the line's end.
pub fn secret_from_stdin() -> Result<Secret, Failure> {
    let text = Zeroizing::new(text(Path::new("-"))?);
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}
