//! Responses that hold a secret, such as a new key. They are shown once by the venue, so they must have a place to go before the call.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::failure::{Exit, Failure};
use crate::lookup::Found;
use crate::raw_json::RawJson;

/// Where the secrets of a response go.
pub struct Secrets {
    names: Vec<String>,
    is_secret: bool,
    place: Place,
}

enum Place {
    /// There are none, or they are asked for by name.
    Shown,
    /// A file that was made for them.
    File(PathBuf, Mutex<Kept>),
}

struct Kept {
    file: File,
    /// How much of it is responses.
    length: u64,
}

impl Secrets {
    /// Refuses a call whose response holds a secret that has no place to go.
    pub fn check(found: &Found, shown: bool, file: Option<&Path>) -> Result<(), Failure> {
        if shown || file.is_some() || !found.spec.answers_with_secret() {
            return Ok(());
        }
        let message = format!(
            "the response of `{}` contains a secret, and neither --secrets-to nor --show-secrets was given",
            found.spec.name
        );
        let of_keys =
            if found.spec.name.contains("key") { "; `venuekit keys` manages the whole life of keys" } else { "" };
        let help = format!("--secrets-to FILE stores it, --show-secrets prints it{of_keys}");
        Err(Failure::usage(message).code("secret_response").help(help))
    }

    /// Makes the file.
    pub fn prepare(found: &Found, file: Option<&Path>) -> Result<Self, Failure> {
        if file == Some(Path::new("-")) {
            return Err(Failure::usage("--secrets-to needs the name of a file").help("--show-secrets prints them"));
        }
        let response = found.spec.answer.as_ref();
        let names = response.map(|response| response.secret_names().into_iter().collect()).unwrap_or_default();
        let is_secret = response.is_some_and(venuekit_spec::Schema::is_secret);
        let place = match file {
            Some(path) => Place::File(path.to_owned(), Mutex::new(create(path)?)),
            None => Place::Shown,
        };
        Ok(Self { names, is_secret, place })
    }

    /// Keeps a response as it came, before anything else is done with it.
    pub fn keep(&self, response: &[u8]) -> Result<(), Failure> {
        let Place::File(path, file) = &self.place else { return Ok(()) };
        let written = file.lock().map_err(|_| std::io::Error::other("in use")).and_then(|mut file| {
            file.length += response.len() as u64 + 1;
            file.file.write_all(response)?;
            file.file.write_all(b"\n")?;
            file.file.set_len(file.length)?;
            file.file.sync_all()
        });
        written.map_err(|error| {
            let message = format!("{}: {error}; the secret in the response is lost", path.display());
            let help = "revoke what was created: its secret is lost; then create another";
            Failure::new(Exit::NeedsPerson, message).code("secret_not_kept").help(help)
        })
    }

    /// The file that keeps them.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path, _) => Some(path),
            Place::Shown => None,
        }
    }

    /// Removes the file again where nothing was written to it.
    pub fn discard(&self) {
        if let Place::File(path, file) = &self.place
            && file.lock().is_ok_and(|file| file.length == 0)
        {
            // It holds nothing: if it stays, nothing is lost.
            _ = fs::remove_file(path);
        }
    }

    /// What may be shown of a response.
    pub fn hide(&self, mut response: RawJson) -> RawJson {
        if let Place::File(path, _) = &self.place {
            let replacement = format!("[in {}]", path.display());
            if self.is_secret {
                return RawJson::text(&replacement);
            }
            response.redact(&self.names, &replacement);
        }
        response
    }
}

/// No response that holds a secret is longer.
const ROOM: usize = 64 * 1024;

/// A new file that only its owner may read, with room for a response: a full disk shows before the call.
fn create(path: &Path) -> Result<Kept, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::usage(format!("{} already exists", path.display())).code("file").help("name a new file")
        }
        _ => Failure::file(path, &error),
    })?;
    let room = file.write_all(&[b' '; ROOM]).and_then(|()| file.sync_all()).and_then(|()| file.rewind());
    room.map_err(|error| {
        _ = fs::remove_file(path);
        Failure::file(path, &error)
    })?;
    Ok(Kept { file, length: 0 })
}
