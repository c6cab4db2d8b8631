//! Frames on disk: what came, and when.
//!
//! A recording is a stream of JSON lines, compressed by zstd with a checksum. The first line says whose it is; each other line is
//! one thing that happened on a connection:
//!
//! ```json
//! {"format":1,"venue":"kalshi"}
//! {"at":1790000000123456789,"endpoint":"stream","connection":1,"direction":"opened"}
//! {"at":1790000000223456789,"endpoint":"stream","connection":1,"direction":"in","frame":"{\"type\":\"trade\"}"}
//! {"at":1790000000323456789,"endpoint":"stream","connection":1,"direction":"lost"}
//! ```
//!
//! `at` is in nanoseconds since the Unix epoch, by this machine's clock. `frame` is one JSON object as the venue wrote it. What the
//! client sends is not recorded: it may say who one is.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::hub::io::{ConnectionId, Frame, Now};

/// The version of the lines.
const FORMAT: u32 = 1;

/// The longest line that is read: a frame and its escapes.
const LONGEST_LINE: u64 = 256 * 1024 * 1024;

/// After so much time what was compressed is handed to the file, so that a cut recording lacks no more than that.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// Writes what comes to a file. Clones write to the same.
///
/// ```
/// use venuekit_streams::StreamOptions;
/// use venuekit_streams::record::Recorder;
///
/// # fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join(format!("venuekit-record-{}.zst", std::process::id()));
/// let recorder = Recorder::create(&path, "kalshi")?;
/// let options = StreamOptions::new().record(&recorder);
/// // ... streams with these options ...
/// recorder.finish()?;
/// # std::fs::remove_file(path)?;
/// # drop(options);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<Writing>>);

struct Writing {
    /// None after the end.
    to: Option<zstd::Encoder<'static, Box<dyn Write + Send>>>,
    /// What went wrong first. Nothing is written after it.
    error: Option<io::Error>,
    lines: u64,
    flushed: SystemTime,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    venue: String,
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    at: u64,
    #[serde(borrow)]
    endpoint: std::borrow::Cow<'a, str>,
    connection: u64,
    #[serde(borrow)]
    direction: std::borrow::Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    frame: Option<std::borrow::Cow<'a, str>>,
}

impl Recorder {
    /// Writes to a new file, in place of one that is there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: impl AsRef<Path>, venue: &str) -> io::Result<Self> {
        Self::to(BufWriter::new(File::create(path)?), venue)
    }

    /// Writes to anything.
    ///
    /// # Errors
    /// It cannot be written to.
    pub fn to(writer: impl Write + Send + 'static, venue: &str) -> io::Result<Self> {
        let mut to = zstd::Encoder::new(Box::new(writer) as Box<dyn Write + Send>, 0)?;
        // Without it a flipped bit would be read as another digit.
        to.include_checksum(true)?;
        serde_json::to_writer(&mut to, &Head { format: FORMAT, venue: venue.to_owned() })?;
        to.write_all(b"\n")?;
        let writing = Writing { to: Some(to), error: None, lines: 0, flushed: UNIX_EPOCH };
        Ok(Self(Arc::new(Mutex::new(writing))))
    }

    /// How many lines have been written.
    pub fn lines(&self) -> u64 {
        self.writing().lines
    }

    /// Ends the recording. Nothing is written after it.
    ///
    /// # Errors
    /// What went wrong first: the recording is not whole then.
    pub fn finish(&self) -> io::Result<()> {
        let mut writing = self.writing();
        let to = writing.to.take();
        if let Some(error) = writing.error.take() {
            return Err(error);
        }
        match to {
            Some(to) => to.finish()?.flush(),
            None => Ok(()),
        }
    }

    pub(crate) fn opened(&self, now: Now, endpoint: &str, connection: ConnectionId) {
        self.line(now, endpoint, connection, "opened", None);
    }

    pub(crate) fn lost(&self, now: Now, endpoint: &str, connection: ConnectionId) {
        self.line(now, endpoint, connection, "lost", None);
    }

    pub(crate) fn frame(&self, now: Now, endpoint: &str, connection: ConnectionId, frame: &Frame<'_>) {
        // A reply that was not read from a frame has no text.
        if !frame.bytes.is_empty() {
            self.line(now, endpoint, connection, "in", Some(String::from_utf8_lossy(frame.bytes)));
        }
    }

    fn line(
        &self,
        now: Now,
        endpoint: &str,
        connection: ConnectionId,
        direction: &str,
        frame: Option<std::borrow::Cow<'_, str>>,
    ) {
        let at = now.wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let line = Line {
            at: u64::try_from(at).unwrap_or(u64::MAX),
            endpoint: endpoint.into(),
            connection: connection.0,
            direction: direction.into(),
            frame,
        };
        let mut writing = self.writing();
        if writing.error.is_some() {
            return;
        }
        let is_due = now.wall.duration_since(writing.flushed).is_ok_and(|since| since >= FLUSH_AFTER);
        let Some(to) = &mut writing.to else { return };
        let mut write = || {
            serde_json::to_writer(&mut *to, &line)?;
            to.write_all(b"\n")?;
            if is_due { to.flush() } else { Ok(()) }
        };
        match write() {
            Ok(()) => writing.lines += 1,
            Err(error) => writing.error = Some(error),
        }
        if is_due {
            writing.flushed = now.wall;
        }
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(to) = self.to.take() {
            // Who wants to know whether this succeeds calls `finish`.
            let _ = to.finish().and_then(|mut writer| writer.flush());
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("lines", &self.lines()).finish_non_exhaustive()
    }
}

/// A recording that is read.
pub struct Recording {
    lines: BufReader<zstd::Decoder<'static, BufReader<Box<dyn Read + Send>>>>,
    venue: String,
    read: u64,
    is_over: bool,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// When, by the clock of the machine that recorded it.
    pub at: SystemTime,
    /// On which of the venue's endpoints.
    pub endpoint: String,
    /// On which connection.
    pub connection: u64,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The connection was opened.
    Opened,
    /// It was lost, or closed.
    Lost,
    /// A JSON object came.
    Frame(Bytes),
}

/// Why a recording cannot be read, or not to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordError {
    /// It was cut: these lines are whole, and what followed is missing.
    Cut {
        /// How many lines there are.
        lines: u64,
    },
    /// Something in it is not what was written.
    Damaged {
        /// How many lines were read before.
        lines: u64,
        /// What is wrong.
        why: String,
    },
    /// It is of another venue.
    OtherVenue {
        /// Whose it is.
        venue: String,
    },
    /// The file cannot be read.
    Io(io::Error),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { lines } => write!(f, "the recording was cut after {lines} lines"),
            Self::Damaged { lines, why } => write!(f, "the recording is damaged after {lines} lines: {why}"),
            Self::OtherVenue { venue } => write!(f, "the recording is of {venue}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl Recording {
    /// Opens a file.
    ///
    /// # Errors
    /// The file cannot be read, or is no recording.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        Self::read(File::open(path).map_err(RecordError::Io)?)
    }

    /// Reads from anything.
    ///
    /// # Errors
    /// It cannot be read, or is no recording.
    pub fn read(reader: impl Read + Send + 'static) -> Result<Self, RecordError> {
        let decoder = zstd::Decoder::new(Box::new(reader) as Box<dyn Read + Send>).map_err(RecordError::Io)?;
        let mut own =
            Self { lines: BufReader::with_capacity(1 << 16, decoder), venue: String::new(), read: 0, is_over: false };
        let head = own.text()?.ok_or(RecordError::Cut { lines: 0 })?;
        let head: Head = serde_json::from_str(&head).map_err(|error| own.damaged(error.to_string()))?;
        if head.format != FORMAT {
            return Err(own.damaged(format!("format {} is not known", head.format)));
        }
        own.venue = head.venue;
        Ok(own)
    }

    /// Whose it is.
    pub fn venue(&self) -> &str {
        &self.venue
    }

    fn damaged(&self, why: String) -> RecordError {
        RecordError::Damaged { lines: self.read, why }
    }

    fn text(&mut self) -> Result<Option<String>, RecordError> {
        let mut text = String::new();
        match (&mut self.lines).take(LONGEST_LINE).read_line(&mut text) {
            Ok(0) => Ok(None),
            Ok(_) if text.ends_with('\n') => Ok(Some(text)),
            Ok(_) => Err(self.damaged("a line does not end".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(RecordError::Cut { lines: self.read }),
            Err(error) => Err(self.damaged(error.to_string())),
        }
    }

    fn line(&mut self) -> Result<Option<Recorded>, RecordError> {
        let Some(text) = self.text()? else { return Ok(None) };
        let line: Line<'_> = serde_json::from_str(&text).map_err(|error| self.damaged(error.to_string()))?;
        let what = match (&*line.direction, line.frame) {
            ("opened", _) => What::Opened,
            ("lost", _) => What::Lost,
            ("in", Some(frame)) => What::Frame(frame.into_owned().into()),
            (direction, _) => return Err(self.damaged(format!("direction {direction:?} is not known"))),
        };
        let at = UNIX_EPOCH + Duration::from_nanos(line.at);
        self.read += 1;
        Ok(Some(Recorded { at, endpoint: line.endpoint.into_owned(), connection: line.connection, what }))
    }
}

impl Iterator for Recording {
    type Item = Result<Recorded, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let line = self.line();
        self.is_over = !matches!(line, Ok(Some(_)));
        line.transpose()
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("venue", &self.venue).field("read", &self.read).finish_non_exhaustive()
    }
}
