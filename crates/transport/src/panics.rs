//! A panic in a function that the user supplies ends neither the task of a connection nor a call whose response is there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs a function, and nothing comes of it if it panics. `whose` names it in the log.
pub(crate) fn caught<T>(whose: &'static str, function: impl FnOnce() -> T) -> Option<T> {
    // What is shared with the function is whole between any two of its uses: every lock here is taken over after a panic.
    let result = catch_unwind(AssertUnwindSafe(function));
    if result.is_err() {
        // The panic's own words may hold a secret. The log may be what panics.
        let _ = catch_unwind(|| tracing::error!(whose, "panicked; continuing without it"));
    }
    result.ok()
}

/// The same for what takes time.
pub(crate) async fn caught_in<F: Future>(whose: &'static str, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match caught(whose, || future.as_mut().poll(context)) {
        Some(Poll::Pending) => Poll::Pending,
        Some(Poll::Ready(output)) => Poll::Ready(Some(output)),
        None => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_the_end_of_its_function_alone() {
        assert_eq!(caught("a test", || 1), Some(1));
        assert_eq!(caught("a test", || -> u8 { panic!("on purpose") }), None);
        assert_eq!(caught_in("a test", async { 1 }).await, Some(1));
        let late = async {
            tokio::task::yield_now().await;
            panic!("on purpose")
        };
        assert_eq!(caught_in::<_>("a test", late).await, None::<()>);
        // A function may panic before it returns its future.
        fn panics() -> std::future::Ready<u8> {
            panic!("on purpose")
        }
        assert_eq!(caught_in("a test", async { panics().await }).await, None);
    }
}
