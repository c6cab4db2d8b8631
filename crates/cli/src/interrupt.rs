//! Ctrl-C, and an end from outside. The terminal echoes again, and the user learns what was in flight.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::{io, process};

use tokio::process::Child as Process;

use crate::failure::Failure;
use crate::output::Output;

/// What is to be told, if anything is.
type Words = Box<dyn FnOnce() -> Option<Failure> + Send>;

static LISTENS: Once = Once::new();
static IN_FLIGHT: Mutex<Option<(bool, Words)>> = Mutex::new(None);

/// Something that an interrupt does not undo. While this lives, an interrupt reports it.
pub struct InterruptReport(());

/// From now on until the guard is dropped, an interrupt ends the command with these words. There is one such guard at a time.
pub fn reporting(out: &Output, words: impl FnOnce() -> Option<Failure> + Send + 'static) -> InterruptReport {
    listen();
    *in_flight() = Some((out.is_json(), Box::new(words)));
    InterruptReport(())
}

impl Drop for InterruptReport {
    fn drop(&mut self) {
        in_flight().take();
    }
}

fn in_flight() -> MutexGuard<'static, Option<(bool, Words)>> {
    IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that an interrupt is left to.
struct Child {
    id: u32,
    got_interrupt: bool,
}

static CHILD: Mutex<Option<Child>> = Mutex::new(None);

fn child() -> MutexGuard<'static, Option<Child>> {
    CHILD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that this one waits for. While this lives, the first interrupt is the process's: nothing ends before it has.
pub struct Waiting(());

/// Starts a process, and from now on until the guard is dropped, it is waited for.
pub fn waiting_for(start: impl FnOnce() -> io::Result<Process>) -> io::Result<(Process, Waiting)> {
    listen();
    // Held while the process starts: an interrupt in between is left to it too. Otherwise this program would end and leave it running.
    let mut child = child();
    let process = start()?;
    *child = process.id().map(|id| Child { id, got_interrupt: false });
    Ok((process, Waiting(())))
}

impl Waiting {
    /// Whether there was an interrupt.
    pub fn was_interrupted(&self) -> bool {
        child().as_ref().is_some_and(|child| child.got_interrupt)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        child().take();
    }
}

/// Asks at the terminal for what is not shown. If that is interrupted, the terminal is left as it was.
pub fn unseen<T>(ask: impl FnOnce() -> T) -> T {
    listen();
    terminal::remember();
    let response = ask();
    terminal::forget();
    response
}

/// An interrupt or a request to terminate, listened for from now on, so that a command can be ended as soon as it says that it is ready.
#[cfg(unix)]
pub fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    })
}

/// An interrupt.
#[cfg(not(unix))]
pub fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}

/// Once begun, it goes on: the default of a signal does not come back.
fn listen() {
    LISTENS.call_once(|| {
        tokio::spawn(signals::end());
    });
}

/// Tells what is in flight, and ends with its exit code. Returns where there is nothing to tell.
fn tell() {
    terminal::restore();
    // It stays locked: whatever was in flight must not end in the middle of this.
    let mut in_flight = in_flight();
    if let Some((json, words)) = in_flight.take()
        && let Some(failure) = words()
    {
        Output::new(json).failure(&failure);
        process::exit(failure.exit as i32);
    }
}

#[cfg(unix)]
mod signals {
    use rustix::process::{Pid, Signal, kill_process};
    use tokio::signal::unix::{SignalKind, signal};

    /// Waits for a signal and ends as it says. One that cannot be heard does what it always does.
    pub fn end() -> impl Future<Output = ()> {
        // Listened for before anything else is done.
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let signals =
            kinds.map(|kind| if kind == SignalKind::hangup() && outlives_hangup() { None } else { signal(kind).ok() });
        async move {
            let [mut interrupt, mut terminate, mut hangup] = signals;
            loop {
                let kind = tokio::select! {
                    Some(()) = async { interrupt.as_mut()?.recv().await } => SignalKind::interrupt(),
                    Some(()) = async { terminate.as_mut()?.recv().await } => SignalKind::terminate(),
                    Some(()) = async { hangup.as_mut()?.recv().await } => SignalKind::hangup(),
                    else => return,
                };
                if is_left_to_child(kind) {
                    continue;
                }
                super::tell();
                // As if nobody had listened: a shell that runs a script ends it then.
                _ = signal_hook::low_level::emulate_default_handler(kind.as_raw_value());
                return;
            }
        }
    }

    /// Whether a process is waited for that has not been told to end yet. What is typed at a terminal has reached it already.
    fn is_left_to_child(kind: SignalKind) -> bool {
        let mut child = super::child();
        let Some(child) = child.as_mut().filter(|child| !child.got_interrupt) else { return false };
        child.got_interrupt = true;
        if kind != SignalKind::interrupt()
            && let Some(id) = i32::try_from(child.id).ok().and_then(Pid::from_raw)
        {
            // It may have ended just now.
            _ = kill_process(id, Signal::TERM);
        }
        true
    }

    /// Whether a hangup was switched off before, as `nohup` does. Where that cannot be known, it is left as it is.
    fn outlives_hangup() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        // The lowest bit is that of signal 1.
        ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
    }
}

#[cfg(not(unix))]
mod signals {
    pub async fn end() {
        if tokio::signal::ctrl_c().await.is_ok() {
            super::tell();
            std::process::exit(130);
        }
    }
}

#[cfg(unix)]
mod terminal {
    use std::fs::File;
    use std::io::{self, Write};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    static BEFORE: Mutex<Option<(File, Termios)>> = Mutex::new(None);

    fn before() -> MutexGuard<'static, Option<(File, Termios)>> {
        BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn remember() {
        let open = File::options().read(true).write(true).open("/dev/tty").ok();
        *before() = open.and_then(|file| tcgetattr(&file).ok().map(|settings| (file, settings)));
    }

    pub fn forget() {
        before().take();
    }

    pub fn restore() {
        if let Some((file, settings)) = before().take() {
            // Where it does not take them, nothing is left to do.
            _ = tcsetattr(&file, OptionalActions::Now, &settings);
            // After what was not shown the line goes on.
            _ = writeln!(io::stderr());
        }
    }
}

#[cfg(not(unix))]
mod terminal {
    pub fn remember() {}
    pub fn forget() {}
    pub fn restore() {}
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::{Duration, Instant};

    use rustix::process::{Signal, getpid, kill_process};
    use tokio::process::Command;

    use super::waiting_for;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_interrupt_while_a_process_starts_is_left_to_it() {
        let start = || {
            kill_process(getpid(), Signal::INT).unwrap();
            // Long enough for this program to be ended, if it were.
            std::thread::sleep(Duration::from_millis(300));
            Command::new("true").spawn()
        };
        let (mut process, waiting) = waiting_for(start).unwrap();
        let begin = Instant::now();
        while !waiting.was_interrupted() {
            assert!(begin.elapsed() < Duration::from_secs(60), "nobody has heard the interrupt");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(process.wait().await.unwrap().success());
    }
}
