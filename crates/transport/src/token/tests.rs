use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use std::sync::Mutex;

use tokio::time::Instant;
use venuekit_wire::operation::ErrorKind;

use super::state::{PAUSE, REFUSAL_EARNED, REFUSALS_AT_ONCE, SHORTEST_LIFE, State};
use super::*;
use crate::error::Inner;
use crate::retry_after::LONG;

/// Gives numbered tokens, or fails, and counts both ways of asking.
#[derive(Default)]
struct Desk {
    fetched: AtomicU64,
    refreshed: AtomicU64,
    lives: Option<Duration>,
    refreshable: bool,
    failure: Mutex<Option<Error>>,
    /// It never responds.
    hangs: AtomicBool,
    /// Logins that were dropped before they had a response.
    dropped: AtomicU64,
}

/// Counts a login that is dropped.
struct Unanswered<'a>(&'a AtomicU64);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Desk {
    async fn token(&self, name: &str, count: &AtomicU64) -> Result<Token, Error> {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let unanswered = Unanswered(&self.dropped);
        tokio::time::sleep(Duration::from_millis(100)).await;
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        std::mem::forget(unanswered);
        if let Some(error) = &*self.failure.lock().unwrap() {
            return Err(error.clone());
        }
        let mut token = Token::bearer(format!("{name}-{number}"))?;
        token.lives = self.lives;
        Ok(if self.refreshable { token.refreshed_by("refresh") } else { token })
    }

    fn fails(&self, kind: ErrorKind, status: Option<u16>) {
        let status = status.map(|status| http::StatusCode::from_u16(status).unwrap());
        let error = Error::new(Inner { kind: Some(kind), status, applied: true, ..Inner::default() });
        *self.failure.lock().unwrap() = Some(error);
    }

    fn counts(&self) -> (u64, u64) {
        (self.fetched.load(Ordering::SeqCst), self.refreshed.load(Ordering::SeqCst))
    }
}

impl Grant for Arc<Desk> {
    fn fetch(&self) -> GrantFuture<'_> {
        Box::pin(self.token("token", &self.fetched))
    }

    fn refresh<'a>(&'a self, refresh: &'a Secret) -> GrantFuture<'a> {
        assert_eq!(refresh.expose(), "refresh");
        Box::pin(self.token("renewed", &self.refreshed))
    }
}

fn cache(desk: Desk) -> (Arc<Desk>, Arc<TokenCache>) {
    let desk = Arc::new(desk);
    (desk.clone(), Arc::new(TokenCache::new(Box::new(desk), LIMIT)))
}

/// What so many calls get that need a token at the same moment.
async fn at_once(cache: &Arc<TokenCache>, count: usize) -> Vec<Result<String, Error>> {
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.get().await.map(|token| text(&token)) })
        })
        .collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.unwrap());
    }
    results
}

fn text(token: &Token) -> String {
    token.secrets[0].expose().to_owned()
}

async fn got(cache: &TokenCache) -> String {
    text(&cache.get().await.unwrap())
}

const HOUR: Duration = Duration::from_secs(3600);

/// A login may take so long.
const LIMIT: Duration = Duration::from_secs(60);

/// Longer than a login takes that responds.
const A_MOMENT: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn any_number_of_calls_fetch_once_and_share_what_comes_of_it() {
    let (desk, cache) = cache(Desk { lives: Some(HOUR), ..Desk::default() });
    desk.fails(ErrorKind::Network, None);
    let failed = at_once(&cache, 50).await;
    assert!(failed.iter().all(|result| result.as_ref().is_err_and(|error| !error.may_have_been_applied())));
    assert_eq!(desk.counts(), (1, 0), "one failure for all who waited for it");

    *desk.failure.lock().unwrap() = None;
    let tokens = at_once(&cache, 50).await;
    assert!(tokens.into_iter().all(|token| token.unwrap() == "token-1"));
    assert_eq!(desk.counts(), (2, 0), "the next call tries again");
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_not_tried_again_at_once() {
    let (desk, cache) = cache(Desk::default());
    desk.fails(ErrorKind::Unauthorized, Some(401));
    for _ in 0..20 {
        assert_eq!(cache.get().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    }
    assert_eq!(desk.counts(), (1, 0));
    tokio::time::sleep(PAUSE).await;
    cache.get().await.unwrap_err();
    assert_eq!(desk.counts(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_put_off_is_not_tried_before() {
    for (asked, kept) in [(Duration::from_secs(30), Duration::from_secs(30)), (Duration::MAX, LONG)] {
        let (desk, cache) = cache(Desk::default());
        desk.fails(ErrorKind::RateLimited, Some(429));
        let error = desk.failure.lock().unwrap().take().unwrap();
        *desk.failure.lock().unwrap() = Some(error.waiting(asked));
        cache.get().await.unwrap_err();
        *desk.failure.lock().unwrap() = None;
        tokio::time::sleep(kept / 2).await;
        let error = cache.get().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        let left = error.retry_after().unwrap();
        assert!(left <= kept / 2 && left > kept / 2 - PAUSE, "{left:?}");
        assert_eq!(desk.counts(), (1, 0));
        tokio::time::sleep(kept / 2).await;
        cache.get().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_token_that_was_refused_is_dropped() {
    let (desk, cache) = cache(Desk::default());
    let first = cache.get().await.unwrap();
    cache.drop_if(&first);
    assert_eq!(got(&cache).await, "token-1");
    cache.drop_if(&first);
    assert_eq!(got(&cache).await, "token-1");
    tokio::time::sleep(HOUR * 10_000).await;
    assert_eq!(got(&cache).await, "token-1", "without a life it has no end");
    assert_eq!(desk.counts(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_ahead_of_its_end_while_others_go_on_with_it() {
    let (desk, cache) = cache(Desk { lives: Some(HOUR), refreshable: true, ..Desk::default() });
    assert_eq!(got(&cache).await, "token-0");
    tokio::time::sleep(HOUR - AHEAD.mul_f32(1.6)).await;
    assert_eq!(got(&cache).await, "token-0", "not yet");
    tokio::time::sleep(AHEAD.mul_f32(0.7)).await;
    let tokens: Vec<String> = at_once(&cache, 20).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(tokens, ["token-0"; 20], "nobody waits");
    tokio::time::sleep(A_MOMENT).await;
    assert_eq!((got(&cache).await, desk.counts()), ("renewed-0".to_owned(), (1, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_ahead_of_the_end_costs_no_call() {
    let (desk, cache) = cache(Desk { lives: Some(HOUR), refreshable: true, ..Desk::default() });
    cache.get().await.unwrap();
    tokio::time::sleep(HOUR - AHEAD.mul_f32(0.9)).await;
    desk.fails(ErrorKind::Server, Some(500));
    for _ in 0..20 {
        assert_eq!(got(&cache).await, "token-0");
        tokio::time::sleep(A_MOMENT / 10).await;
    }
    assert_eq!(desk.counts(), (2, 1), "the refresh token, then a login, then a pause");
    // At its end there is nothing left to go on with.
    tokio::time::sleep(AHEAD).await;
    assert_eq!(cache.get().await.unwrap_err().kind(), ErrorKind::Server);
}

#[tokio::test(start_paused = true)]
async fn a_life_of_nothing_is_no_login_for_every_call() {
    let (desk, cache) = cache(Desk { lives: Some(Duration::ZERO), refreshable: true, ..Desk::default() });
    for _ in 0..50 {
        assert_eq!(got(&cache).await, "token-0");
    }
    assert_eq!(desk.counts(), (1, 0));
    let supervisor = tokio::spawn({
        let cache = cache.clone();
        async move { cache.keep().await }
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    supervisor.abort();
    let (fetched, refreshed) = desk.counts();
    assert!(fetched + refreshed <= 62, "no more than one a second: {fetched} and {refreshed}");
}

#[tokio::test(start_paused = true)]
async fn a_venue_that_refuses_every_token_is_not_asked_for_ever_more() {
    let (desk, cache) = cache(Desk::default());
    let refused = async || {
        let token = cache.get().await.unwrap();
        cache.drop_if(&token)
    };
    let mut replaced = 0;
    for _ in 0..200 {
        replaced += u64::from(refused().await);
    }
    let first = u64::from(REFUSALS_AT_ONCE);
    assert_eq!(replaced, first);
    assert_eq!(desk.counts().0, first + 1);
    assert_eq!(got(&cache).await, format!("token-{first}"), "the last one still serves those that it is valid for");
    tokio::time::sleep(REFUSAL_EARNED).await;
    assert!(refused().await);
    assert!(!refused().await);
    tokio::time::sleep(HOUR).await;
    for _ in 0..first {
        assert!(refused().await);
    }
    assert!(!refused().await);
}

/// A refresh token that is refused over a WebSocket, where there is no status.
#[tokio::test(start_paused = true)]
async fn a_refused_refresh_token_is_followed_by_a_login_whatever_carries_it() {
    for (kind, status, logs_in) in [
        (ErrorKind::Unauthorized, None, true),
        (ErrorKind::InvalidRequest, None, true),
        (ErrorKind::Other, None, true),
        (ErrorKind::Unauthorized, Some(400), true),
        (ErrorKind::Network, None, false),
        (ErrorKind::Timeout, None, false),
        (ErrorKind::RateLimited, Some(429), false),
        (ErrorKind::Maintenance, Some(503), false),
    ] {
        let (desk, cache) = cache(Desk { lives: Some(HOUR), refreshable: true, ..Desk::default() });
        cache.get().await.unwrap();
        tokio::time::sleep(HOUR - AHEAD.mul_f32(0.9)).await;
        desk.fails(kind, status);
        assert_eq!(got(&cache).await, "token-0");
        tokio::time::sleep(A_MOMENT).await;
        assert_eq!(desk.counts(), (1 + u64::from(logs_in), 1), "{kind:?}");
    }
}

/// Counts how often a task is polled.
struct Polled<F>(F, Arc<AtomicU64>);

impl<F: Future + Unpin> Future for Polled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<F::Output> {
        // A loop that never waits is never polled again, and would never end here either.
        assert!(self.1.fetch_add(1, Ordering::SeqCst) < 1000, "it spins");
        Pin::new(&mut self.0).poll(context)
    }
}

#[tokio::test(start_paused = true)]
async fn keeping_waits_while_a_call_renews() {
    let (desk, cache) = cache(Desk { lives: Some(HOUR), refreshable: true, ..Desk::default() });
    cache.get().await.unwrap();
    let polls = Arc::new(AtomicU64::new(0));
    let supervisor = tokio::spawn({
        let (cache, polls) = (cache.clone(), polls.clone());
        Polled(Box::pin(async move { cache.keep().await }), polls)
    });
    tokio::time::sleep(HOUR - AHEAD.mul_f32(1.6)).await;
    desk.hangs.store(true, Ordering::SeqCst);
    // The renewal is given up, and the next one responds.
    tokio::time::sleep(LIMIT).await;
    let _ = within(10, &cache).await;
    desk.hangs.store(false, Ordering::SeqCst);
    tokio::time::sleep(LIMIT + HOUR / 2).await;
    supervisor.abort();
    assert_eq!(desk.counts(), (1, 2), "one at a time");
    assert!(polls.load(Ordering::SeqCst) < 20, "{polls:?}");
}

#[tokio::test(start_paused = true)]
async fn renewals_that_fail_are_further_and_further_apart() {
    let (desk, cache) = cache(Desk { lives: Some(HOUR), refreshable: true, ..Desk::default() });
    cache.get().await.unwrap();
    desk.fails(ErrorKind::Unauthorized, None);
    let supervisor = tokio::spawn({
        let cache = cache.clone();
        async move { cache.keep().await }
    });
    tokio::time::sleep(HOUR * 25).await;
    supervisor.abort();
    let (_, refreshed) = desk.counts();
    assert!((200..400).contains(&refreshed), "one in five minutes: {refreshed}");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_panics_is_a_failed_login() {
    struct Panics(Arc<AtomicU64>);

    impl Grant for Panics {
        fn fetch(&self) -> GrantFuture<'_> {
            assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "on purpose");
            Box::pin(async { Ok(Token::bearer("token")?) })
        }
    }

    let cache = TokenCache::new(Box::new(Panics(Arc::default())), LIMIT);
    let error = cache.get().await.unwrap_err();
    assert!(error.is_login_failure() && error.to_string().contains("the login panicked"), "{error}");
    tokio::time::sleep(PAUSE).await;
    assert_eq!(got(&cache).await, "token");
}

proptest::proptest! {
    #[test]
    fn no_life_and_no_lead_is_too_much(lives: Option<(u64, u32)>, ahead: (u64, u32), now: u32) {
        let span = |(seconds, nanos)| Duration::new(seconds, nanos % 1_000_000_000);
        let mut token = Token::bearer("token").unwrap().renewed_ahead(span(ahead));
        token.lives = lives.map(span);
        let mut state = State::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let now = Instant::now() + Duration::from_secs(now.into());
            state.hold(token, now);
            let held = state.held.as_ref().unwrap();
            proptest::prop_assert!(held.renew_at.is_none_or(|at| at >= now + SHORTEST_LIFE));
            proptest::prop_assert!(held.ends_at.is_none_or(|at| at >= now + SHORTEST_LIFE));
            Ok(())
        })?;
    }
}

/// What a call gets that waits no longer than this.
async fn within(millis: u64, cache: &TokenCache) -> Option<String> {
    let got = tokio::time::timeout(Duration::from_millis(millis), cache.get()).await.ok()?;
    Some(text(&got.unwrap()))
}

#[tokio::test(start_paused = true)]
async fn a_login_goes_on_for_the_next_where_its_caller_gave_up() {
    let (desk, cache) = cache(Desk::default());
    for _ in 0..3 {
        assert_eq!(within(30, &cache).await, None);
    }
    assert_eq!(within(30, &cache).await.as_deref(), Some("token-0"));
    assert_eq!(desk.counts(), (1, 0), "one login for all of them");

    // It is kept for later, if nobody waits any more.
    let (desk, cache) = self::cache(Desk::default());
    assert_eq!(within(30, &cache).await, None);
    tokio::time::sleep(HOUR).await;
    assert_eq!((within(0, &cache).await.as_deref(), desk.counts()), (Some("token-0"), (1, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_costs_no_call_its_time() {
    let (desk, cache) = cache(Desk { lives: Some(HOUR), refreshable: true, ..Desk::default() });
    cache.get().await.unwrap();
    tokio::time::sleep(HOUR - AHEAD.mul_f32(0.9)).await;
    desk.hangs.store(true, Ordering::SeqCst);
    for _ in 0..20 {
        assert_eq!(within(10, &cache).await.as_deref(), Some("token-0"), "it is valid");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(desk.counts(), (1, 1), "one renewal at a time");
    assert_eq!(desk.dropped.load(Ordering::SeqCst), 0, "the venue may have executed it");
}

#[tokio::test(start_paused = true)]
async fn a_login_from_before_the_end_of_a_log_on_is_not_kept() {
    let (desk, cache) = cache(Desk::default());
    let call = tokio::spawn({
        let cache = cache.clone();
        async move { got(&cache).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    cache.forget();
    assert_eq!(call.await.unwrap(), "token-1", "the first one may be from before the end");
    assert_eq!((got(&cache).await, desk.counts()), ("token-1".to_owned(), (2, 0)));

    // The same of a renewal, for which nobody waits.
    let (desk, cache) = self::cache(Desk { lives: Some(HOUR), refreshable: true, ..Desk::default() });
    cache.get().await.unwrap();
    tokio::time::sleep(HOUR - AHEAD.mul_f32(0.9)).await;
    let _ = within(10, &cache).await;
    cache.forget();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!cache.is_held());
    assert_eq!((got(&cache).await, desk.counts()), ("token-1".to_owned(), (2, 1)));
}

#[test]
fn a_login_that_ended_with_its_runtime_is_begun_again() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (desk, cache) = cache(Desk::default());
    let first = runtime();
    assert_eq!(first.block_on(within(30, &cache)), None);
    let second = runtime();
    second.block_on(async {
        let waiting = tokio::spawn({
            let cache = cache.clone();
            async move { got(&cache).await }
        });
        tokio::task::yield_now().await;
        std::thread::spawn(|| drop(first)).join().unwrap();
        assert_eq!(waiting.await.unwrap(), "token-1");
    });
    assert_eq!((desk.counts(), desk.dropped.load(Ordering::SeqCst)), ((2, 0), 1));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_hangs_is_given_up_in_the_end() {
    let (desk, cache) = cache(Desk::default());
    desk.hangs.store(true, Ordering::SeqCst);
    let failed = at_once(&cache, 20).await;
    for error in failed.into_iter().map(Result::unwrap_err) {
        assert_eq!((error.kind(), error.is_login_failure()), (ErrorKind::Timeout, true), "{error}");
        assert!(!error.may_have_been_applied() && error.is_retryable(), "{error}");
    }
    assert_eq!((desk.counts(), desk.dropped.load(Ordering::SeqCst)), ((1, 0), 1));
    desk.hangs.store(false, Ordering::SeqCst);
    assert_eq!(got(&cache).await, "token-1");
}

#[tokio::test(start_paused = true)]
async fn a_login_ends_with_its_client() {
    let (desk, cache) = cache(Desk::default());
    desk.hangs.store(true, Ordering::SeqCst);
    assert_eq!(within(10, &cache).await, None);
    assert_eq!(desk.dropped.load(Ordering::SeqCst), 0);
    drop(cache);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((Arc::strong_count(&desk), desk.dropped.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_refused_does_not_come_back_where_its_renewal_fails() {
    let (desk, cache) = cache(Desk { lives: Some(HOUR), refreshable: true, ..Desk::default() });
    let first = cache.get().await.unwrap();
    tokio::time::sleep(HOUR - AHEAD.mul_f32(0.9)).await;
    desk.fails(ErrorKind::Network, None);
    assert_eq!(got(&cache).await, "token-0", "its renewal begins");
    assert!(cache.drop_if(&first));
    *desk.failure.lock().unwrap() = None;
    let call = tokio::spawn({
        let cache = cache.clone();
        async move { got(&cache).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    desk.fails(ErrorKind::Network, None);
    tokio::time::sleep(Duration::from_millis(60)).await;
    *desk.failure.lock().unwrap() = None;
    assert_eq!(call.await.unwrap(), "token-1", "a login after the renewal has failed");
    assert_eq!(desk.counts(), (2, 1), "one at a time");
}
