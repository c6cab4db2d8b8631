//! Secrets by file descriptor: they show neither in the process list nor in the environment.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::sync::{Mutex, OnceLock};

use venuekit_wire::Secret;
use zeroize::Zeroizing;

use crate::failure::{Exit, Failure};

/// The lines of a file descriptor, one after the other.
#[derive(Debug)]
pub struct Lines {
    option: &'static str,
    number: u32,
    reader: Mutex<Option<BufReader<File>>>,
    first: OnceLock<Option<Secret>>,
}

impl Lines {
    /// The descriptor that an option names. It is opened when the first line is wanted.
    pub fn new(option: &'static str, number: u32) -> Self {
        Self { option, number, reader: Mutex::default(), first: OnceLock::new() }
    }

    /// The first line, the same on every call. `None` if there is no line.
    pub fn first(&self) -> Result<Option<Secret>, Failure> {
        if let Some(first) = self.first.get() {
            return Ok(first.clone());
        }
        let line = self.next()?;
        Ok(self.first.get_or_init(|| line).clone())
    }

    /// The next line, without its end. None where there are no more.
    pub fn next(&self) -> Result<Option<Secret>, Failure> {
        let failed = |error: io::Error| {
            Failure::new(Exit::Store, format!("{} {}: {error}", self.option, self.number)).code("descriptor")
        };
        let mut reader = self.reader.lock().map_err(|_| failed(io::Error::other("in use")))?;
        let reader = match &mut *reader {
            Some(reader) => reader,
            empty => empty.insert(BufReader::new(open(self.number).map_err(failed)?)),
        };
        let mut line = Zeroizing::new(String::new());
        let read = reader.read_line(&mut line).map_err(failed)?;
        Ok((read > 0).then(|| Secret::new(line.trim_end_matches(['\r', '\n']))))
    }
}

/// Opens a descriptor again by its name in the file system, which needs no unsafe code.
fn open(number: u32) -> io::Result<File> {
    if cfg!(unix) {
        File::open(format!("/dev/fd/{number}"))
    } else {
        Err(io::Error::other("file descriptors have no names on this system; give it on the terminal"))
    }
}
