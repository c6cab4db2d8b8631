//! Frames on disk: what came, and when.
//!
//! A recording is a stream of JSON lines, compressed by zstd in blocks of their own checksums: a block is checked before anything of
//! it is read, so that a flipped bit is never played as another digit. `zstd -dc` shows the lines. The first line says whose it is, the
//! last one that nothing follows; each other line is one thing that happened on a connection:
//!
//! ```json
//! {"format":1,"venue":"kalshi"}
//! {"at":1790000000123456789,"endpoint":"stream","connection":1,"direction":"opened"}
//! {"at":1790000000223456789,"endpoint":"stream","connection":1,"direction":"in","frame":"{\"type\":\"trade\"}"}
//! {"at":1790000000323456789,"endpoint":"stream","connection":1,"direction":"lost"}
//! {"at":1790000000323456789,"endpoint":"","connection":0,"direction":"end"}
//! ```
//!
//! `at` is in nanoseconds since the Unix epoch, by this machine's clock. `frame` is one JSON object as the venue wrote it. What the
//! client sends is not recorded: it may say who one is.

use std::borrow::Cow;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::hub::io::{ConnectionId, Frame, Now};

/// The version of the lines.
const FORMAT: u32 = 1;

/// A block is written once it has so many bytes.
const BLOCK: usize = 1 << 20;

/// The largest block that is read: a block, and a frame with its escapes.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A block is written with the next line once its first one has waited for so long: a cut recording lacks no more than that.
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
    to: Option<Box<dyn Write + Send>>,
    /// The lines of the next block.
    block: Vec<u8>,
    /// Since when the first of them waits.
    since: Instant,
    /// What went wrong first. Nothing is written after it.
    error: Option<io::Error>,
    lines: u64,
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
    pub fn to(writer: impl Write + Send + 'static, venue: &str) -> io::Result<Self> {
        let (to, since) = (Some(Box::new(writer) as Box<dyn Write + Send>), Instant::now());
        let mut writing = Writing { to, block: Vec::new(), since, error: None, lines: 0 };
        writing.put(&Head { format: FORMAT, venue: venue.to_owned() })?;
        // Whatever happens from now on, the file says what it is.
        writing.flush()?;
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
        self.writing().end()
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

    fn line(&self, now: Now, endpoint: &str, connection: ConnectionId, direction: &str, frame: Option<Cow<'_, str>>) {
        let line = Line {
            at: nanos(now.wall),
            endpoint: endpoint.into(),
            connection: connection.0,
            direction: direction.into(),
            frame,
        };
        self.writing().line(now.at, &line);
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writing {
    fn line(&mut self, now: Instant, line: &Line<'_>) {
        if self.error.is_some() || self.to.is_none() {
            return;
        }
        if self.block.is_empty() {
            self.since = now;
        }
        let is_due = now.saturating_duration_since(self.since) >= WAIT;
        let mut write = || {
            self.put(line)?;
            if is_due || self.block.len() >= BLOCK { self.flush() } else { Ok(()) }
        };
        match write() {
            Ok(()) => self.lines += 1,
            Err(error) => self.error = Some(error),
        }
    }

    fn put(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.block, line)?;
        self.block.push(b'\n');
        Ok(())
    }

    /// Writes what waits as a block.
    fn flush(&mut self) -> io::Result<()> {
        let Some(to) = &mut self.to else { return Ok(()) };
        if !self.block.is_empty() {
            let mut block = zstd::Encoder::new(Vec::with_capacity(self.block.len() / 4), 0)?;
            // Without it a flipped bit would be read as another digit.
            block.include_checksum(true)?;
            block.write_all(&self.block)?;
            to.write_all(&block.finish()?)?;
            self.block.clear();
        }
        to.flush()
    }

    fn end(&mut self) -> io::Result<()> {
        let result = match (self.error.take(), &self.to) {
            (Some(error), _) => Err(error),
            (None, None) => Ok(()),
            (None, Some(_)) => {
                let at = nanos(SystemTime::now());
                let end = Line { at, endpoint: "".into(), connection: 0, direction: "end".into(), frame: None };
                self.put(&end).and_then(|()| self.flush())
            }
        };
        self.to = None;
        result
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // Who wants to know whether this succeeds calls `finish`. After a panic the recording is what it is: cut.
        let _ = if std::thread::panicking() { self.flush() } else { self.end() };
    }
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
        let from = BufReader::with_capacity(1 << 16, Box::new(reader) as Box<dyn Read + Send>);
        let mut own = Self { from, block: Vec::new(), next: 0, venue: String::new(), read: 0, is_over: false };
        let head = own.text()?.ok_or(RecordError::Cut { lines: 0 })?;
        let head: Head = serde_json::from_slice(&own.block[head]).map_err(|error| own.damaged(error.to_string()))?;
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

    /// Where in the block the next line stands. None at the end of the file.
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
        let what = match (&*line.direction, line.frame) {
            ("opened", _) => What::Opened,
            ("lost", _) => What::Lost,
            ("in", Some(frame)) => What::Frame(frame.into_owned().into()),
            ("end", _) => return Ok(None),
            (direction, _) => return Err(self.damaged(format!("direction {direction:?} is not known"))),
        };
        let at = UNIX_EPOCH + Duration::from_nanos(line.at);
        let recorded = Recorded { at, endpoint: line.endpoint.into_owned(), connection: line.connection, what };
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hub::io::{Body, Handle};

    /// What is written, while others still hold the recorder.
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sink {
        fn bytes(&self) -> Vec<u8> {
            self.0.lock().unwrap().clone()
        }
    }

    fn now(millis: u64) -> Now {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let at = *START.get_or_init(Instant::now) + Duration::from_millis(millis);
        Now { at, wall: UNIX_EPOCH + Duration::from_nanos(1_790_000_000_123_456_789 + millis * 1_000_000) }
    }

    fn put(recorder: &Recorder, millis: u64, what: &What) {
        let (now, connection) = (now(millis), ConnectionId(7));
        match what {
            What::Opened => recorder.opened(now, "stream", connection),
            What::Lost => recorder.lost(now, "stream", connection),
            What::Frame(bytes) => {
                let (handle, sequence, sent, command) = (Handle::None, None, None, None);
                let frame = Frame { bytes, handle, kind: "", data: 0..0, sequence, sent, command, body: Body::Data };
                recorder.frame(now, "stream", connection, &frame);
            }
        }
    }

    fn recorded(events: &[What], millis_apart: u64) -> Vec<u8> {
        let sink = Sink::default();
        let recorder = Recorder::to(sink.clone(), "example").unwrap();
        for (index, what) in (0..).zip(events) {
            put(&recorder, index * millis_apart, what);
        }
        assert_eq!(recorder.lines(), events.len() as u64);
        recorder.finish().unwrap();
        sink.bytes()
    }

    fn read(recording: Vec<u8>) -> (Vec<Recorded>, Option<RecordError>) {
        let lines = match Recording::read(io::Cursor::new(recording)) {
            Ok(lines) => lines,
            Err(error) => return (Vec::new(), Some(error)),
        };
        assert_eq!(lines.venue(), "example");
        let mut all = Vec::new();
        for line in lines {
            match line {
                Ok(line) => all.push(line),
                Err(error) => return (all, Some(error)),
            }
        }
        (all, None)
    }

    fn events() -> impl Strategy<Value = Vec<What>> {
        let frame = "\\PC{1,40}\n?".prop_map(|text| What::Frame(Bytes::from(text.into_bytes())));
        proptest::collection::vec(prop_oneof![1 => Just(What::Opened), 1 => Just(What::Lost), 6 => frame], 0..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// With a damaged byte or a cut, what is read was written, and it is said that it is not all.
        #[test]
        fn what_is_read_was_written(
            events in events(),
            millis_apart in prop_oneof![Just(0_u64), Just(300), Just(2000)],
            damage in proptest::option::of((any::<prop::sample::Index>(), 0..=8_u32)),
        ) {
            let mut recording = recorded(&events, millis_apart);
            if let Some((at, bit)) = damage {
                let at = at.index(recording.len());
                match bit {
                    8 => recording.truncate(at),
                    bit => recording[at] ^= 1 << bit,
                }
            }
            let (read, error) = read(recording);
            prop_assert!(error.is_some() || read.len() == events.len());
            prop_assert!(damage.is_some() || error.is_none(), "{:?}", error);
            prop_assert!(read.len() <= events.len());
            for ((index, line), what) in (0..).zip(&read).zip(&events) {
                prop_assert_eq!(&line.what, what);
                prop_assert_eq!(line.at, now(index * millis_apart).wall);
                prop_assert_eq!((&*line.endpoint, line.connection), ("stream", 7));
            }
        }
    }

    #[test]
    fn no_flipped_bit_is_another_digit() {
        let frame = format!(r#"{{"price":"0.{}"}}"#, "1234567".repeat(300));
        let event = What::Frame(Bytes::from(frame));
        let recording = recorded(&[event.clone(), event.clone()], 2000);
        for at in 0..recording.len() * 8 {
            let mut recording = recording.clone();
            recording[at / 8] ^= 1 << (at % 8);
            assert!(read(recording).0.iter().all(|line| line.what == event), "bit {at}");
        }
    }

    #[test]
    fn a_program_that_was_killed_leaves_what_it_had_written() {
        let sink = Sink::default();
        let recorder = Recorder::to(sink.clone(), "example").unwrap();
        put(&recorder, 0, &What::Opened);
        put(&recorder, 500, &What::Frame(Bytes::from_static(b"{}")));
        assert_eq!(read(sink.bytes()).0.len(), 0, "it waits for others");
        put(&recorder, 1500, &What::Lost);
        let (lines, error) = read(sink.bytes());
        assert_eq!(lines.len(), 3);
        assert_eq!(error.unwrap().to_string(), "the recording was cut after 3 lines");

        put(&recorder, 1600, &What::Opened);
        let other = recorder.clone();
        drop(recorder);
        other.finish().unwrap();
        assert_eq!(read(sink.bytes()).0.len(), 4);
        put(&other, 1700, &What::Lost);
        other.finish().unwrap();
        drop(other);
        let (lines, error) = read(sink.bytes());
        assert!(lines.len() == 4 && error.is_none(), "nothing is written after the end: {error:?}");
    }

    #[test]
    fn a_recorder_that_is_dropped_ends_the_recording() {
        let sink = Sink::default();
        drop(Recorder::to(sink.clone(), "example").unwrap());
        let (lines, error) = read(sink.bytes());
        assert!(lines.is_empty() && error.is_none(), "{error:?}");
    }

    #[test]
    fn what_went_wrong_is_told_at_the_end() {
        struct Full(usize);

        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| io::Error::other("the disk is full"))?;
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let recorder = Recorder::to(Full(100), "example").unwrap();
        put(&recorder, 0, &What::Opened);
        let noise: String = (0..200_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_string()).collect();
        put(&recorder, 2000, &What::Frame(Bytes::from(noise)));
        put(&recorder, 4000, &What::Lost);
        assert_eq!(recorder.finish().unwrap_err().to_string(), "the disk is full");
    }

    #[test]
    fn a_file_is_not_overwritten_and_nobody_else_reads_it() {
        let path = std::env::temp_dir().join(format!("venuekit-record-{}.zst", std::process::id()));
        let recorder = Recorder::create(&path, "example").unwrap();
        recorder.finish().unwrap();
        assert_eq!(Recorder::create(&path, "example").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(Recording::open(&path).unwrap().count(), 0);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        let of = |lines: &str| {
            let mut block = zstd::Encoder::new(Vec::new(), 0).unwrap();
            block.write_all(lines.as_bytes()).unwrap();
            read(block.finish().unwrap())
        };
        assert!(matches!(read(Vec::new()).1, Some(RecordError::Cut { lines: 0 })));
        assert!(matches!(read(b"{\"type\":\"trade\"}\n".to_vec()).1, Some(RecordError::Damaged { lines: 0, .. })));
        assert!(matches!(of("{\"type\":\"trade\"}\n").1, Some(RecordError::Damaged { lines: 0, .. })));
        let future = of("{\"format\":2,\"venue\":\"example\"}\n").1.unwrap();
        assert_eq!(future.to_string(), "the recording is damaged after 0 lines: format 2 is not known");
        let head = "{\"format\":1,\"venue\":\"example\"}\n";
        let strange = r#"{"at":1,"endpoint":"stream","connection":1,"direction":"sideways"}"#;
        let (lines, error) = of(&format!("{head}{strange}\n"));
        assert!(lines.is_empty() && error.unwrap().to_string().contains("sideways"));
        let (_, error) = of(&format!("{head}{{\"at\":1"));
        assert!(error.unwrap().to_string().ends_with("a line does not end"));
    }
}
