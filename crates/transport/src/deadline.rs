//! The deadlines of the calls in flight: one timer for all of them.
//!
//! With a timer of its own, nearly every call would register it with the runtime and remove it again, and where the runtime has none that fires
//! sooner, tokio wakes its own driver for it, with a system call. Here a task has one timer, set to what was the earliest deadline when it
//! was set. A call with a later deadline does not touch it, and one that ends leaves it as it is. When it fires, it is set to the earliest
//! deadline of that moment; with no call in flight, the task ends. Each runtime has its own: a runtime that nobody drives fires no timer.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use slab::Slab;
use tokio::runtime::{Handle, Id};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};

/// The deadlines of a client's calls.
#[derive(Clone, Default)]
pub(crate) struct Deadlines(Arc<Shared>);

impl fmt::Debug for Deadlines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadlines").finish_non_exhaustive()
    }
}

/// The deadline has passed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed;

#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    runtimes: Vec<OnRuntime>,
    /// How many calls there were.
    calls: u64,
}

/// The calls that wait on one runtime.
struct OnRuntime {
    runtime: Id,
    waiting: Slab<Waiting>,
    /// When the timer fires at the latest.
    fires: Instant,
    /// Wakes the task before that.
    sooner: Arc<Notify>,
}

struct Waiting {
    /// Keys are used again: this is whose entry it is.
    call: u64,
    end: Instant,
    /// None once the deadline has passed.
    waker: Option<Waker>,
}

impl Deadlines {
    /// Runs a future until this moment. It is polled once in any case.
    pub(crate) async fn until<F: Future>(&self, end: Instant, future: F) -> Result<F::Output, Passed> {
        let mut future = pin!(future);
        let mut entry = Entry { shared: &self.0, end, place: None };
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => entry.poll(context).map(Err),
        })
        .await
    }
}

/// A call that waits.
struct Entry<'a> {
    shared: &'a Arc<Shared>,
    end: Instant,
    place: Option<Place>,
}

/// Where it is registered.
#[derive(Clone, Copy)]
struct Place {
    runtime: Id,
    key: usize,
    call: u64,
}

impl Entry<'_> {
    fn poll(&mut self, context: &Context<'_>) -> Poll<Passed> {
        if let Some(place) = self.place {
            let mut state = self.shared.lock();
            match state.waiting(place).map(|waiting| &mut waiting.waker) {
                Some(None) => return Poll::Ready(Passed),
                Some(Some(waker)) if waker.will_wake(context.waker()) => return Poll::Pending,
                Some(Some(waker)) => {
                    let old = std::mem::replace(waker, context.waker().clone());
                    // What a waker does when it is dropped is not ours.
                    drop(state);
                    drop(old);
                    return Poll::Pending;
                }
                // The task has ended, with the last deadline or with its runtime.
                None if self.end <= Instant::now() => return Poll::Ready(Passed),
                None => {}
            }
        }
        self.place = Some(self.shared.add(self.end, context.waker()));
        Poll::Pending
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let removed = self.place.and_then(|place| self.shared.lock().remove(place));
        drop(removed);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(self: &Arc<Self>, end: Instant, waker: &Waker) -> Place {
        let runtime = Handle::current().id();
        let waker = Some(waker.clone());
        let mut state = self.lock();
        state.calls += 1;
        let call = state.calls;
        let waiting = Waiting { call, end, waker };
        if let Some(on) = state.on(runtime) {
            let key = on.waiting.insert(waiting);
            if end < on.fires {
                on.fires = end;
                let sooner = on.sooner.clone();
                drop(state);
                sooner.notify_one();
            }
            return Place { runtime, key, call };
        }
        // Made here, because a runtime without timers panics: that is the caller's to see.
        let timer = Box::pin(sleep_until(end));
        let sooner = Arc::new(Notify::new());
        let task = Task { shared: Arc::downgrade(self), sooner: sooner.clone() };
        let mut on = OnRuntime { runtime, waiting: Slab::new(), fires: end, sooner };
        let key = on.waiting.insert(waiting);
        state.runtimes.push(on);
        // A runtime that shuts down drops the task at once, and then it takes the lock.
        drop(state);
        tokio::spawn(task.run(timer));
        Place { runtime, key, call }
    }
}

impl State {
    fn on(&mut self, runtime: Id) -> Option<&mut OnRuntime> {
        self.runtimes.iter_mut().find(|on| on.runtime == runtime)
    }

    fn waiting(&mut self, place: Place) -> Option<&mut Waiting> {
        self.on(place.runtime)?.waiting.get_mut(place.key).filter(|waiting| waiting.call == place.call)
    }

    fn remove(&mut self, place: Place) -> Option<Waiting> {
        self.waiting(place)?;
        self.on(place.runtime)?.waiting.try_remove(place.key)
    }

    /// Takes out the calls of a task.
    fn take(&mut self, task: &Task) -> Option<OnRuntime> {
        let at = self.runtimes.iter().position(|on| Arc::ptr_eq(&on.sooner, &task.sooner))?;
        Some(self.runtimes.swap_remove(at))
    }
}

/// The client is gone, and with it every call.
impl Drop for Shared {
    fn drop(&mut self) {
        self.lock().runtimes.iter().for_each(|on| on.sooner.notify_one());
    }
}

/// What watches over the deadlines on one runtime.
struct Task {
    shared: Weak<Shared>,
    sooner: Arc<Notify>,
}

impl Task {
    async fn run(self, mut timer: Pin<Box<Sleep>>) {
        loop {
            tokio::select! {
                () = &mut timer => {}
                () = self.sooner.notified() => {}
            }
            match self.look() {
                Some(earliest) => timer.as_mut().reset(earliest),
                None => return,
            }
        }
    }

    /// Wakes the calls whose deadline has passed. Returns the earliest of the other deadlines, if there is one.
    fn look(&self) -> Option<Instant> {
        let shared = self.shared.upgrade()?;
        let mut state = shared.lock();
        let on = state.runtimes.iter_mut().find(|on| Arc::ptr_eq(&on.sooner, &self.sooner))?;
        let now = Instant::now();
        let mut earliest = None;
        let mut passed = Vec::new();
        for (_, waiting) in &mut on.waiting {
            if waiting.end <= now {
                passed.extend(waiting.waker.take());
            } else {
                earliest = Some(earliest.map_or(waiting.end, |earliest: Instant| earliest.min(waiting.end)));
            }
        }
        match earliest {
            Some(earliest) => on.fires = earliest,
            None => drop(state.take(self)),
        }
        drop(state);
        passed.into_iter().for_each(Waker::wake);
        earliest
    }
}

/// The runtime may end before the calls do: those who still wait register again, where they are polled then.
impl Drop for Task {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let taken = shared.lock().take(self);
        for (_, waiting) in taken.into_iter().flat_map(|on| on.waiting) {
            waiting.waker.into_iter().for_each(Waker::wake);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use tokio::runtime::Builder;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Polls a future once.
    async fn once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
    }

    /// How many tasks watch over deadlines.
    fn tasks(deadlines: &Deadlines) -> usize {
        deadlines.0.lock().runtimes.len()
    }

    #[tokio::test(start_paused = true)]
    async fn each_call_ends_at_its_own_deadline_whatever_the_order() {
        let (deadlines, begin) = (Deadlines::default(), Instant::now());
        let calls: Vec<_> = [20, 5, 7, 60, 5, 0]
            .map(|limit| {
                let deadlines = deadlines.clone();
                tokio::spawn(async move {
                    assert_eq!(deadlines.until(begin + seconds(limit), pending::<()>()).await, Err(Passed));
                    assert_eq!(begin.elapsed().as_secs(), limit);
                })
            })
            .into();
        for call in calls {
            call.await.unwrap();
        }
        tokio::task::yield_now().await;
        assert_eq!((tasks(&deadlines), Handle::current().metrics().num_alive_tasks()), (0, 0), "nothing is left");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_ends_leaves_the_timer_to_those_after_it() {
        let deadlines = Deadlines::default();
        assert_eq!(deadlines.until(Instant::now(), ready(1)).await, Ok(1), "at once, without a task");
        assert_eq!(tasks(&deadlines), 0);
        for second in 0..1000 {
            let call = tokio::time::sleep(seconds(1));
            assert_eq!(deadlines.until(Instant::now() + seconds(20), call).await, Ok(()), "{second}");
            assert_eq!((tasks(&deadlines), Handle::current().metrics().num_alive_tasks()), (1, 1));
        }
        let begin = Instant::now();
        assert_eq!(deadlines.until(begin + seconds(20), pending::<()>()).await, Err(Passed));
        assert_eq!(begin.elapsed(), seconds(20));
        // Dropped while it waits.
        let mut given_up = Box::pin(deadlines.until(Instant::now() + seconds(20), pending::<()>()));
        assert!(once(given_up.as_mut()).await.is_pending());
        drop(given_up);
        assert!(deadlines.0.lock().runtimes.iter().all(|on| on.waiting.is_empty()));
        tokio::time::sleep(seconds(21)).await;
        assert_eq!((tasks(&deadlines), Handle::current().metrics().num_alive_tasks()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_task_ends_with_the_client() {
        let deadlines = Deadlines::default();
        let call = tokio::time::sleep(seconds(1));
        assert_eq!(deadlines.until(Instant::now() + seconds(1000), call).await, Ok(()));
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 1);
        drop(deadlines);
        tokio::task::yield_now().await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    }

    #[test]
    fn every_runtime_has_a_timer_and_may_end_before_the_call() {
        let deadlines = Deadlines::default();
        let runtime = || Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (first, second) = (runtime(), runtime());
        let short = |runtime: &tokio::runtime::Runtime| {
            runtime.block_on(async { deadlines.until(Instant::now() + seconds(1), pending::<()>()).await })
        };
        // The first one is not driven while the second is.
        let mut moves =
            Box::pin(deadlines.until(first.block_on(async { Instant::now() }) + seconds(20), pending::<()>()));
        first.block_on(async { assert!(once(moves.as_mut()).await.is_pending()) });
        assert_eq!(short(&second), Err(Passed));
        assert_eq!((tasks(&deadlines), short(&first)), (1, Err(Passed)));
        // What was waiting there goes on waiting elsewhere.
        drop(first);
        assert_eq!((tasks(&deadlines), second.block_on(moves)), (0, Err(Passed)));
        assert_eq!(short(&runtime()), Err(Passed));
    }
}
