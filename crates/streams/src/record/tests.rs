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
    Now::of(at, UNIX_EPOCH + Duration::from_nanos(1_790_000_000_123_456_789 + millis * 1_000_000))
}

fn put(recorder: &mut Source, millis: u64, what: &What) {
    let (now, connection) = (now(millis), ConnectionId(7));
    match what {
        What::Opened => recorder.opened(now, "stream", connection, None),
        What::Lost => recorder.lost(now, "stream", connection),
        What::Frame(bytes) => {
            let (handle, sequence, sent, command) = (Handle::None, None, None, None);
            let frame = Frame { bytes, handle, kind: "", data: 0..0, sequence, sent, command, body: Body::Data };
            recorder.frame(now, "stream", connection, &frame);
        }
        What::Snapshot { topic, text } => recorder.snapshot(now, "stream", connection, topic, text),
    }
}

fn recorded(events: &[What], millis_apart: u64) -> Vec<u8> {
    let sink = Sink::default();
    let recorder = Recorder::to(sink.clone(), "example").unwrap();
    let mut source = recorder.source();
    for (index, what) in (0..).zip(events) {
        put(&mut source, index * millis_apart, what);
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
        let mut connection = 1;
        for ((index, line), what) in (0..).zip(&read).zip(&events) {
            prop_assert_eq!(&line.what, what);
            prop_assert_eq!(line.at, now(index * millis_apart).wall);
            prop_assert_eq!((&*line.endpoint, line.connection), ("stream", connection));
            connection += u64::from(*what == What::Lost);
        }
    }
}

#[test]
fn a_connection_says_which_one_it_replaces() {
    let sink = Sink::default();
    let recorder = Recorder::to(sink.clone(), "example").unwrap();
    let mut source = recorder.source();
    let (old, new) = (ConnectionId(7), ConnectionId(8));
    source.opened(now(0), "stream", old, None);
    source.opened(now(1), "stream", new, Some(old));
    source.lost(now(2), "stream", old);
    // One that was never recorded has no number.
    source.opened(now(3), "stream", ConnectionId(9), Some(old));
    recorder.finish().unwrap();
    let lines: Vec<_> =
        read(sink.bytes()).0.into_iter().map(|line| (line.connection, line.replaces, line.what)).collect();
    let expected =
        [(1, None, What::Opened), (2, Some(1), What::Opened), (1, None, What::Lost), (3, None, What::Opened)];
    assert_eq!(lines, expected);
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
    let mut source = recorder.source();
    put(&mut source, 0, &What::Opened);
    put(&mut source, 500, &What::Frame(Bytes::from_static(b"{}")));
    assert_eq!(read(sink.bytes()).0.len(), 0, "it waits for others");
    put(&mut source, 1500, &What::Lost);
    // A thread of the recorder writes.
    let written = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        read(sink.bytes()).0.len() == 3
    });
    let (_, error) = read(sink.bytes());
    assert!(written, "{error:?}");
    assert_eq!(error.unwrap().to_string(), "the recording was cut after 3 lines");

    put(&mut source, 1600, &What::Opened);
    let other = recorder.clone();
    drop(recorder);
    other.finish().unwrap();
    assert_eq!(read(sink.bytes()).0.len(), 4);
    put(&mut source, 1700, &What::Lost);
    other.finish().unwrap();
    drop(other);
    let (lines, error) = read(sink.bytes());
    assert!(lines.len() == 4 && error.is_none(), "nothing is written after the end: {error:?}");
}

#[test]
fn the_connections_of_several_clients_are_told_apart() {
    let sink = Sink::default();
    let recorder = Recorder::to(sink.clone(), "example").unwrap();
    let (mut one, mut two) = (recorder.source(), recorder.source());
    // Both clients count their connections from 1.
    put(&mut one, 0, &What::Opened);
    put(&mut two, 1, &What::Opened);
    put(&mut one, 2, &What::Frame(Bytes::from_static(b"{}")));
    put(&mut one, 3, &What::Lost);
    put(&mut one, 4, &What::Opened);
    put(&mut two, 5, &What::Lost);
    recorder.finish().unwrap();
    let numbers: Vec<u64> = read(sink.bytes()).0.iter().map(|line| line.connection).collect();
    assert_eq!(numbers, [1, 2, 1, 1, 3, 2]);
}

/// A disk that takes nothing until it is told to.
struct Stuck(Arc<(Mutex<bool>, std::sync::Condvar)>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (is_free, freed) = &*self.0;
        drop(freed.wait_while(is_free.lock().unwrap(), |is_free| !*is_free).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_disk_does_not_hold_back_who_records() {
    let gate = Arc::new((Mutex::new(true), std::sync::Condvar::new()));
    let recorder = Recorder::to(Stuck(gate.clone()), "example").unwrap();
    *gate.0.lock().unwrap() = false;
    let mut source = recorder.source();
    let noise: String = (0..50_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_string()).collect();
    // A few blocks, none of which is written: this would not return.
    for millis in 0..8 {
        put(&mut source, millis, &What::Frame(Bytes::from(noise.clone())));
    }
    assert_eq!(recorder.lines(), 8);
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    recorder.finish().unwrap();
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
    let mut source = recorder.source();
    put(&mut source, 0, &What::Opened);
    let noise: String = (0..200_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_string()).collect();
    put(&mut source, 2000, &What::Frame(Bytes::from(noise)));
    put(&mut source, 4000, &What::Lost);
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
    let future = of("{\"format\":3,\"venue\":\"example\"}\n").1.unwrap();
    assert_eq!(future.to_string(), "the recording is damaged after 0 lines: format 3 is not known");
    let head = "{\"format\":1,\"venue\":\"example\"}\n";
    let strange = r#"{"at":1,"endpoint":"stream","connection":1,"direction":"sideways"}"#;
    let (lines, error) = of(&format!("{head}{strange}\n"));
    assert!(lines.is_empty() && error.unwrap().to_string().contains("sideways"));
    let (_, error) = of(&format!("{head}{{\"at\":1"));
    assert!(error.unwrap().to_string().ends_with("a line does not end"));
}
