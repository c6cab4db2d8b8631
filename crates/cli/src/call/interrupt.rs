//! Ctrl-C and an end from outside while a write is under way: it may stand, and whoever ends the command must hear that.

use std::process;

/// What comes of some work; none where it was interrupted.
pub async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Option<T> {
    // Listens before the work begins.
    let interrupted = interrupted();
    tokio::select! {
        biased;
        done = work => Some(done),
        () = interrupted => None,
    }
}

/// The same for a question to a person: nothing is under way then, and an interrupt ends the command as it does without us.
pub async fn ending_when_interrupted<T>(question: impl Future<Output = T>) -> T {
    let interrupted = interrupted();
    let ended = tokio::spawn(async {
        interrupted.await;
        // What a shell says of a command that Ctrl-C has ended.
        process::exit(130);
    });
    let answer = question.await;
    ended.abort();
    answer
}

/// Listens from now on. A signal that cannot be heard does what it always does.
#[cfg(unix)]
fn interrupted() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};

    let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).ok());
    async move {
        let [mut end, mut interrupt] = signals;
        tokio::select! {
            Some(()) = async { end.as_mut()?.recv().await } => {}
            Some(()) = async { interrupt.as_mut()?.recv().await } => {}
            else => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
