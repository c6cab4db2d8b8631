//! What must hold for every sequence of calls. The clock is paused: waiting takes no time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::time::{Instant, sleep};
use venuekit_wire::operation::Limit;

use super::meter::Meter;
use super::{Debit, LocalBudget, RateBudget, RateFeedback, Refused};

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Limits live as long as the program, since they stand in a table.
fn leaked(limits: Vec<Limit>) -> &'static [Limit] {
    limits.leak()
}

fn limits() -> impl Strategy<Value = Vec<Limit>> {
    let refill = (50_u64..50_000, 1_u64..60)
        .prop_map(|(per_second_millis, capacity)| Limit::Refill { per_second_millis, capacity });
    let window = (1_u64..60, 1_u64..20).prop_map(|(count, seconds)| Limit::Window { count, seconds });
    vec(prop_oneof![refill, window], 1..3)
}

fn debit(limits: &'static [Limit], tokens: u64) -> Debit {
    Debit { venue: "venue", bucket: "bucket", path: "", limits, tokens }
}

/// The most that any call may cost without being more than ever fits.
fn largest(limits: &[Limit]) -> u64 {
    let fits = |limit: &Limit| match *limit {
        Limit::Refill { capacity, .. } => capacity,
        Limit::Window { count, .. } => count,
    };
    limits.iter().map(fits).min().unwrap()
}

/// Over every span between two grants no more was granted than the limits allow.
fn kept(limits: &[Limit], grants: &[(Instant, u64)]) -> Result<(), TestCaseError> {
    for (first, (from, _)) in grants.iter().enumerate() {
        let mut sum = 0_u128;
        for (to, tokens) in &grants[first..] {
            sum += u128::from(*tokens);
            let span = (*to - *from).as_nanos();
            for limit in limits {
                let allowed = match *limit {
                    Limit::Refill { per_second_millis, capacity } => {
                        u128::from(capacity) + span * u128::from(per_second_millis) / 1_000_000_000_000
                    }
                    Limit::Window { count, seconds } if span < u128::from(seconds) * 1_000_000_000 => u128::from(count),
                    Limit::Window { .. } => continue,
                };
                if sum > allowed {
                    return Err(TestCaseError::fail(format!("{sum} in {span} ns where {limit:?} allows {allowed}")));
                }
            }
        }
    }
    Ok(())
}

fn check<S: Strategy>(input: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&input, test).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn never_above_the_limit_over_any_span_and_never_later_than_said() {
    let calls = vec((0_u64..3_000, 1_u64..80), 1..120);
    check((limits(), calls), |(limits, calls)| {
        let start = Instant::now();
        let mut meter = Meter::new(&limits, start);
        let (mut now, mut grants) = (start, Vec::new());
        for (pause, tokens) in calls {
            now += millis(pause);
            let tokens = tokens.min(largest(&limits));
            if let Err(wait) = meter.take(tokens, now) {
                let early = now + wait.saturating_sub(Duration::from_nanos(1));
                proptest::prop_assert!(early <= now || meter.take(tokens, early).is_err(), "earlier than said");
                now += wait;
                proptest::prop_assert!(meter.take(tokens, now).is_ok(), "not even after {wait:?}");
            }
            grants.push((now, tokens));
        }
        kept(&limits, &grants)
    });
}

#[test]
fn all_that_a_limit_allows_is_granted() {
    let second = Duration::from_secs(1);
    for limit in [Limit::Refill { per_second_millis: 10_000, capacity: 5 }, Limit::Window { count: 10, seconds: 1 }] {
        let start = Instant::now();
        let mut meter = Meter::new(&[limit], start);
        let mut granted = 0;
        for tick in 0..100_000 {
            granted += u32::from(meter.take(1, start + millis(tick)).is_ok());
        }
        // A window forgets in batches, so that a token comes back a little late.
        let expected = second.as_millis() as u32 - if matches!(limit, Limit::Window { .. }) { 20 } else { 0 };
        assert!(granted >= expected && granted <= 1_010, "{granted} of {limit:?}");
    }
}

#[test]
fn what_costs_more_than_ever_fits_goes_when_nothing_else_is_held() {
    let now = Instant::now();
    let mut meter = Meter::new(&[Limit::Refill { per_second_millis: 10_000, capacity: 10 }], now);
    assert_eq!(meter.take(50, now), Ok(()), "the account may have a larger tier than is known");
    assert_eq!(meter.take(1, now), Err(millis(4_100)), "and all of it is owed");
    let mut meter = Meter::new(&[Limit::Window { count: 10, seconds: 60 }], now);
    assert_eq!((meter.take(1, now), meter.take(50, now)), (Ok(()), Err(Duration::from_secs(60))));
}

#[test]
fn the_venue_is_believed() {
    let now = Instant::now();
    let told = |left, seconds: Option<u64>| RateFeedback { left, lasts: seconds.map(Duration::from_secs) };
    let refill = || Meter::new(&[Limit::Refill { per_second_millis: 1_000, capacity: 100 }], now);

    // A header: so many are left until the limit starts again.
    let mut meter = refill();
    meter.learn(told(1, Some(30)), now);
    assert_eq!((meter.take(1, now), meter.take(1, now)), (Ok(()), Err(Duration::from_secs(30))));
    // A response that was in flight longer does not give back what was spent since.
    meter.learn(told(2, Some(30)), now);
    assert_eq!(meter.take(1, now), Err(Duration::from_secs(30)));
    assert_eq!(meter.take(1, now + Duration::from_secs(30)), Ok(()));

    // A refusal with a wait, and one without.
    let mut meter = refill();
    meter.learn(told(0, Some(7)), now);
    assert_eq!(meter.take(1, now), Err(Duration::from_secs(7)));
    let mut meter = refill();
    meter.learn(told(0, None), now);
    assert_eq!(meter.take(3, now), Err(Duration::from_secs(3)), "the bucket is empty and fills as usual");
    let mut meter =
        Meter::new(&[Limit::Window { count: 5, seconds: 60 }, Limit::Window { count: 9, seconds: 3600 }], now);
    meter.learn(told(0, None), now);
    assert_eq!(meter.take(1, now), Err(Duration::from_secs(60)), "the shortest span");
}

#[test]
fn no_number_is_too_large_to_count_with() {
    let any_limit = prop_oneof![
        (any::<u64>(), any::<u64>())
            .prop_map(|(per_second_millis, capacity)| Limit::Refill { per_second_millis, capacity }),
        (any::<u64>(), any::<u64>()).prop_map(|(count, seconds)| Limit::Window { count, seconds }),
    ];
    let large = || prop_oneof![any::<u64>(), Just(u64::MAX), Just(0)];
    let told = (large(), proptest::option::of(large())).prop_map(|(left, seconds)| RateFeedback {
        left,
        lasts: seconds.map(|seconds| Duration::new(seconds, 999_999_999)),
    });
    check((vec(any_limit, 0..3), vec((large(), large(), told), 1..20)), |(limits, steps)| {
        let now = Instant::now();
        let mut meter = Meter::new(&limits, now);
        for (tokens, ahead, told) in steps {
            let _ = meter.take(tokens, now);
            meter.learn(told, now);
            let wait = meter.wait(ahead, tokens, now);
            let _ = meter.take(1, now + wait.min(Duration::from_secs(86_400)));
        }
        Ok(())
    });
}

#[test]
fn no_call_is_too_dear_to_be_refused() {
    paused(async {
        let budget = LocalBudget::default();
        for limit in
            [Limit::Refill { per_second_millis: 1, capacity: 1 }, Limit::Window { count: 1, seconds: u64::MAX }]
        {
            let limits = leaked(vec![limit]);
            let all = Debit {
                bucket: if matches!(limit, Limit::Refill { .. }) { "a" } else { "b" },
                ..debit(limits, u64::MAX)
            };
            for _ in 0..3 {
                let _ = budget.take(&all, Duration::ZERO).await;
            }
            let refused = budget.take(&all, Duration::ZERO).await;
            assert!(matches!(refused, Err(Refused::Wait(_))), "{refused:?}");
        }
    });
}

/// A runtime whose clock stands still until everybody sleeps.
fn paused<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(work)
}

#[test]
fn callers_go_in_the_order_in_which_they_came_and_none_starves() {
    // Each caller: when it comes, what it costs, and whether it gives up, and after how long.
    let callers = vec((0_u64..40, 1_u64..40, any::<bool>(), 0_u64..5_000), 1..60);
    check((limits(), callers), |(limits, callers)| {
        let limits = leaked(limits);
        let granted: Arc<Mutex<Vec<(usize, Instant, u64)>>> = Arc::default();
        let staying = callers.iter().filter(|(_, _, gives_up, _)| !gives_up).count();
        paused(async {
            let budget = Arc::new(LocalBudget::default());
            let mut tasks = Vec::new();
            for (number, (pause, tokens, gives_up, patience)) in callers.into_iter().enumerate() {
                sleep(millis(pause)).await;
                let (budget, granted) = (budget.clone(), granted.clone());
                let tokens = tokens.min(largest(limits));
                tasks.push(tokio::spawn(async move {
                    let debit = debit(limits, tokens);
                    let take = async {
                        if budget.take(&debit, Duration::MAX).await.is_err() {
                            return;
                        }
                        granted.lock().unwrap().push((number, Instant::now(), tokens));
                    };
                    // Giving up drops the call where it stands.
                    let patience = if gives_up { millis(patience) } else { Duration::MAX };
                    let _ = tokio::time::timeout(patience, take).await;
                }));
                tokio::task::yield_now().await;
            }
            for task in tasks {
                task.await.unwrap();
            }
        });
        let granted = granted.lock().unwrap();
        proptest::prop_assert!(granted.len() >= staying, "{} of {staying}", granted.len());
        proptest::prop_assert!(granted.is_sorted_by_key(|(number, ..)| *number), "{granted:?}");
        kept(limits, &granted.iter().map(|(_, at, tokens)| (*at, *tokens)).collect::<Vec<_>>())
    });
}

#[test]
fn a_caller_who_gives_up_costs_nothing() {
    paused(async {
        let budget = Arc::new(LocalBudget::default());
        let limits = leaked(vec![Limit::Refill { per_second_millis: 1_000, capacity: 10 }]);
        let start = Instant::now();
        budget.take(&debit(limits, 10), Duration::ZERO).await.unwrap();
        for _ in 0..5 {
            let all = debit(limits, 10);
            assert!(tokio::time::timeout(millis(1_500), budget.take(&all, Duration::MAX)).await.is_err());
        }
        budget.take(&debit(limits, 10), Duration::MAX).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(10), "as if nobody had waited");
    });
}

#[test]
fn a_wait_that_is_too_long_is_told_at_once_with_all_who_are_ahead() {
    paused(async {
        let budget = Arc::new(LocalBudget::default());
        let limits = leaked(vec![Limit::Refill { per_second_millis: 1_000, capacity: 10 }]);
        budget.take(&debit(limits, 10), Duration::ZERO).await.unwrap();
        let ahead: Vec<_> = (0..3)
            .map(|_| {
                let budget = budget.clone();
                tokio::spawn(async move { budget.take(&debit(limits, 5), Duration::MAX).await.is_ok() })
            })
            .collect();
        tokio::task::yield_now().await;
        let start = Instant::now();
        let refused = budget.take(&debit(limits, 2), Duration::from_secs(16)).await;
        assert!(matches!(refused, Err(Refused::Wait(wait)) if wait == Duration::from_secs(17)), "{refused:?}");
        assert_eq!(start.elapsed(), Duration::ZERO);
        budget.take(&debit(limits, 2), Duration::from_secs(17)).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(17));
        for task in ahead {
            assert!(task.await.unwrap());
        }
        // What the venue takes back while a caller waits may be more than the caller would wait.
        let waiting = {
            let budget = budget.clone();
            tokio::spawn(async move { budget.take(&debit(limits, 2), Duration::from_secs(5)).await })
        };
        sleep(millis(500)).await;
        budget.learn(&debit(limits, 0), RateFeedback { left: 0, lasts: Some(Duration::from_secs(60)) }).await;
        assert!(matches!(waiting.await.unwrap(), Err(Refused::Wait(wait)) if wait > Duration::from_secs(50)));
    });
}
