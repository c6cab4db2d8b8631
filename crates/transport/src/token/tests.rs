use std::sync::atomic::{AtomicU64, Ordering};

use venuekit_wire::operation::ErrorKind;

use super::*;
use crate::error::Inner;

/// Gives numbered tokens, or fails, and counts both ways of asking.
#[derive(Default)]
struct Desk {
    fetched: AtomicU64,
    refreshed: AtomicU64,
    lives: Option<Duration>,
    refreshable: bool,
    failure: Mutex<Option<Error>>,
}

impl Desk {
    async fn token(&self, name: &str, count: &AtomicU64) -> Result<Token, Error> {
        let number = count.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
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
    (desk.clone(), Arc::new(TokenCache::new(Box::new(desk))))
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
    assert_eq!(tokens.iter().filter(|token| *token == "renewed-0").count(), 1, "the first one");
    assert_eq!(tokens.iter().filter(|token| *token == "token-0").count(), 19, "nobody waits");
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
    let turn = cache.turn.lock().await;
    tokio::time::sleep(HOUR - Duration::from_secs(1)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(turn);
    tokio::time::sleep(Duration::from_secs(1)).await;
    supervisor.abort();
    assert_eq!(desk.counts(), (1, 1), "renewed once the turn was free");
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

    let cache = TokenCache::new(Box::new(Panics(Arc::default())));
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

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_leaves_the_fetch_to_the_next() {
    let (desk, cache) = cache(Desk::default());
    tokio::time::timeout(Duration::from_millis(10), cache.get()).await.unwrap_err();
    assert_eq!(got(&cache).await, "token-1");
    assert_eq!(desk.counts(), (2, 0));
}
