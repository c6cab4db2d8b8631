//! Frames on disk: what came, and when.
//!
//! A recording is a stream of JSON lines, compressed by zstd in blocks, each with a checksum: a block is checked before anything of
//! it is read, so that a flipped bit is never played as another digit. `zstd -dc` shows the lines. The first line says whose it is, the
//! last one that nothing follows; each other line is one thing that happened on a connection:
//!
//! ```json
//! {"format":2,"venue":"kalshi"}
//! {"at":1790000000123456789,"endpoint":"stream","connection":1,"direction":"opened"}
//! {"at":1790000000223456789,"endpoint":"stream","connection":1,"direction":"in","frame":"{\"type\":\"trade\"}"}
//! {"at":1790000000323456789,"endpoint":"stream","connection":1,"direction":"lost"}
//! {"at":1790000000323456789,"endpoint":"","connection":0,"direction":"end"}
//! ```
//!
//! `at` is in nanoseconds since the Unix epoch, by this machine's clock. `frame` is one JSON object as the venue wrote it. What the
//! client sends is not recorded: it may say who one is. `connection` is a number of the recording: several clients' streams may write to one.
//!
//! A connection that is opened before the one that it replaces is closed has the number of that one in `replaces`. Both go on for a moment.
//!
//! Where a channel's snapshot comes by a call, `direction` is `snapshot`, `topic` the channel's address, and `frame` what the call returned.
//! Format 1 lacks these lines.
//!
//! Lines are only collected where frames are read; a thread of the recorder compresses and writes them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::hub::io::{ConnectionId, Frame, Now};

/// The version of the lines. Older ones are read.
const FORMAT: u32 = 2;

/// A block is written once it has so many bytes.
const BLOCK: usize = 1 << 20;

/// The largest block that is read: a block, and a frame with its escapes.
const LARGEST: u64 = 256 * 1024 * 1024;

/// So many blocks may wait for the thread that writes them.
const MOST_WAITING: usize = 16;

/// A block is handed over with the next line once its first one has waited for so long. Without a next line it waits for the end: a recording
/// that is cut lacks this much of what came before its last line, and that line.
const WAIT: Duration = Duration::from_secs(1);

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
    writer: Option<Writer>,
    /// The lines of the next block.
    block: Vec<u8>,
    /// Since when the first of them waits.
    since: Instant,
    lines: u64,
    /// How many connections have been recorded.
    connections: u64,
    /// The thread has ended with an error.
    has_failed: bool,
}

/// The thread that compresses and writes. It ends at the first error, which it returns.
struct Writer {
    blocks: SyncSender<Vec<u8>>,
    thread: JoinHandle<io::Result<()>>,
}

/// What one client's streams record: their connections have numbers of the recording.
pub(crate) struct Source {
    recorder: Recorder,
    numbers: HashMap<ConnectionId, u64>,
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
    endpoint: Cow<'a, str>,
    connection: u64,
    #[serde(borrow)]
    direction: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    topic: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    frame: Option<Cow<'a, str>>,
}

impl Recorder {
    /// Writes to a new file, which only its owner may read: private channels tell of an account. One that is there is left alone.
    ///
    /// # Errors
    /// The file is there already, or cannot be written.
    pub fn create(path: impl AsRef<Path>, venue: &str) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;

            options.mode(0o600);
        }
        Self::to(BufWriter::new(options.open(path)?), venue)
    }

    /// Writes to anything.
    ///
    /// # Errors
    /// It cannot be written to.
    pub fn to(mut writer: impl Write + Send + 'static, venue: &str) -> io::Result<Self> {
        // Whatever happens from now on, the file says what it is.
        let mut head = Vec::new();
        write_line(&mut head, &Head { format: FORMAT, venue: venue.to_owned() })?;
        write_block(&mut writer, &head)?;
        let (blocks, waiting) = std::sync::mpsc::sync_channel::<Vec<u8>>(MOST_WAITING);
        let write = move || waiting.into_iter().try_for_each(|block| write_block(&mut writer, &block));
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(write)?;
        let writer = Some(Writer { blocks, thread });
        let (block, since) = (Vec::new(), Instant::now());
        Ok(Self(Arc::new(Mutex::new(Writing { writer, block, since, lines: 0, connections: 0, has_failed: false }))))
    }

    /// How many lines there are so far.
    pub fn lines(&self) -> u64 {
        self.writing().lines
    }

    /// Ends the recording, and waits until it is written. Nothing is recorded after this.
    ///
    /// # Errors
    /// What went wrong first: the recording is not whole then.
    pub fn finish(&self) -> io::Result<()> {
        let writer = self.writing().end(true);
        writer.map_or(Ok(()), Writer::join)
    }

    /// For the streams of one client.
    pub(crate) fn source(&self) -> Source {
        Source { recorder: self.clone(), numbers: HashMap::new() }
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source {
    /// A connection is open, perhaps in place of another one that is still open.
    pub(crate) fn opened(
        &mut self,
        now: Now,
        endpoint: &str,
        connection: ConnectionId,
        replaced: Option<ConnectionId>,
    ) {
        let replaces = replaced.and_then(|replaced| self.numbers.get(&replaced).copied());
        self.line(now, connection, Line { replaces, ..Line::new(endpoint, "opened") });
    }

    pub(crate) fn lost(&mut self, now: Now, endpoint: &str, connection: ConnectionId) {
        self.line(now, connection, Line::new(endpoint, "lost"));
        self.numbers.remove(&connection);
    }

    pub(crate) fn frame(&mut self, now: Now, endpoint: &str, connection: ConnectionId, frame: &Frame<'_>) {
        // A reply that was not read from a frame has no text.
        if !frame.bytes.is_empty() {
            let frame = Some(String::from_utf8_lossy(frame.bytes));
            self.line(now, connection, Line { frame, ..Line::new(endpoint, "in") });
        }
    }

    /// A snapshot that came by a call, for what is subscribed to on a connection.
    pub(crate) fn snapshot(&mut self, now: Now, endpoint: &str, connection: ConnectionId, topic: &str, text: &[u8]) {
        let (topic, frame) = (Some(topic.into()), Some(String::from_utf8_lossy(text)));
        self.line(now, connection, Line { topic, frame, ..Line::new(endpoint, "snapshot") });
    }

    fn line(&mut self, now: Now, connection: ConnectionId, line: Line<'_>) {
        let mut writing = self.recorder.writing();
        let number = *self.numbers.entry(connection).or_insert_with(|| {
            writing.connections += 1;
            writing.connections
        });
        writing.line(now.at, &Line { at: nanos(now.wall), connection: number, ..line });
    }
}

impl<'a> Line<'a> {
    fn new(endpoint: &'a str, direction: &'a str) -> Self {
        let (endpoint, direction) = (endpoint.into(), direction.into());
        Self { at: 0, endpoint, connection: 0, direction, replaces: None, topic: None, frame: None }
    }
}

impl Writing {
    fn line(&mut self, now: Instant, line: &Line<'_>) {
        if self.writer.is_none() || self.has_failed {
            return;
        }
        if self.block.is_empty() {
            self.since = now;
        }
        let is_due = now.saturating_duration_since(self.since) >= WAIT;
        let whole = self.block.len();
        match write_line(&mut self.block, line) {
            Ok(()) => self.lines += 1,
            // Writing into memory does not fail; half a line would damage the block.
            Err(_) => self.block.truncate(whole),
        }
        if is_due || self.block.len() >= BLOCK {
            self.hand_over();
        }
    }

    /// Has the thread write what waits. Where it is far behind, this waits for it: nothing is dropped, and memory is bounded. After an
    /// error the thread has ended: nothing is recorded or counted any longer, and `finish` returns the error.
    fn hand_over(&mut self) {
        let block = std::mem::take(&mut self.block);
        if let Some(writer) = self.writer.as_ref().filter(|_| !block.is_empty()) {
            self.has_failed |= writer.blocks.send(block).is_err();
        }
    }

    /// Ends the recording. The thread is given back, to be waited for without a lock.
    fn end(&mut self, is_whole: bool) -> Option<Writer> {
        if self.writer.is_some() && is_whole {
            let at = nanos(SystemTime::now());
            let _ = write_line(&mut self.block, &Line { at, ..Line::new("", "end") });
        }
        self.hand_over();
        self.writer.take()
    }
}

impl Writer {
    fn join(self) -> io::Result<()> {
        drop(self.blocks);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes the recording panicked")))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // A caller that wants the result calls `finish`. After a panic the recording is what it is: cut.
        let _ = self.end(!std::thread::panicking()).map(Writer::join);
    }
}

/// A line as text, behind those that are there.
fn write_line(block: &mut Vec<u8>, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *block, line)?;
    block.push(b'\n');
    Ok(())
}

/// Writes lines as a block.
fn write_block(to: &mut impl Write, lines: &[u8]) -> io::Result<()> {
    let mut block = zstd::Encoder::new(Vec::with_capacity(lines.len() / 4), 0)?;
    // Without it a flipped bit would be read as another digit.
    block.include_checksum(true)?;
    block.write_all(lines)?;
    to.write_all(&block.finish()?)?;
    to.flush()
}

/// Nanoseconds since 1970.
fn nanos(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("lines", &self.lines()).finish_non_exhaustive()
    }
}

/// A recording that is read.
pub struct Recording {
    from: BufReader<Box<dyn Read + Send>>,
    /// The lines of a block whose checksum was right.
    block: Vec<u8>,
    /// Where in it the next line begins.
    next: usize,
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
    /// Where it was opened in place of another one that is still open: the number of that one.
    pub replaces: Option<u64>,
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
    /// A call returned the snapshot of a channel.
    Snapshot {
        /// The channel's address.
        topic: String,
        /// The snapshot, which is a JSON object.
        text: Bytes,
    },
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
        let from = BufReader::with_capacity(1 << 16, Box::new(reader) as Box<dyn Read + Send>);
        let mut own = Self { from, block: Vec::new(), next: 0, venue: String::new(), read: 0, is_over: false };
        let head = own.text()?.ok_or(RecordError::Cut { lines: 0 })?;
        let head: Head = serde_json::from_slice(&own.block[head]).map_err(|error| own.damaged(error.to_string()))?;
        if !(1..=FORMAT).contains(&head.format) {
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

    /// Where in the block the next line is. None at the end of the file.
    fn text(&mut self) -> Result<Option<Range<usize>>, RecordError> {
        if self.next == self.block.len() && !self.next_block()? {
            return Ok(None);
        }
        let start = self.next;
        let length = memchr::memchr(b'\n', &self.block[start..]);
        let length = length.ok_or_else(|| self.damaged("a line does not end".to_owned()))?;
        self.next = start + length + 1;
        Ok(Some(start..start + length))
    }

    /// Reads a block, and checks it. False at the end of the file.
    fn next_block(&mut self) -> Result<bool, RecordError> {
        self.block.clear();
        self.next = 0;
        if self.from.fill_buf().map_err(RecordError::Io)?.is_empty() {
            return Ok(false);
        }
        let block = zstd::Decoder::with_buffer(&mut self.from).map_err(RecordError::Io)?;
        match block.single_frame().take(LARGEST).read_to_end(&mut self.block) {
            Ok(0) => Err(self.damaged("a block is empty".to_owned())),
            Ok(_) if self.block.len() as u64 == LARGEST => Err(self.damaged("a block is too large".to_owned())),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(RecordError::Cut { lines: self.read }),
            Err(error) => Err(self.damaged(error.to_string())),
        }
    }

    fn line(&mut self) -> Result<Option<Recorded>, RecordError> {
        // A file that ends without saying so was cut between two blocks.
        let Some(text) = self.text()? else { return Err(RecordError::Cut { lines: self.read }) };
        let line: Line<'_> = match serde_json::from_slice(&self.block[text]) {
            Ok(line) => line,
            Err(error) => return Err(self.damaged(error.to_string())),
        };
        let what = match (&*line.direction, line.topic, line.frame) {
            ("opened", ..) => What::Opened,
            ("lost", ..) => What::Lost,
            ("in", _, Some(frame)) => What::Frame(frame.into_owned().into()),
            ("snapshot", Some(topic), Some(frame)) => {
                What::Snapshot { topic: topic.into_owned(), text: frame.into_owned().into() }
            }
            ("end", ..) => return Ok(None),
            (direction, ..) => return Err(self.damaged(format!("direction {direction:?} is not known"))),
        };
        let at = UNIX_EPOCH + Duration::from_nanos(line.at);
        let Line { connection, replaces, .. } = line;
        let recorded = Recorded { at, endpoint: line.endpoint.into_owned(), connection, replaces, what };
        self.read += 1;
        Ok(Some(recorded))
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

#[cfg(test)]
mod tests;
