//! A user's own budget.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::desk::*;
use venuekit::transport::{Debit, RateBudget, RateFeedback, RateFuture, RateLimits, Refused, Timeouts};
use venuekit::wire::operation::Limit;
use venuekit::{ErrorKind, yativo};

/// A budget that notes what it is asked and told, and can be out of reach.
#[derive(Clone, Debug, Default)]
struct Noting(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    taken: Mutex<Vec<(Debit, Duration)>>,
    told: Mutex<Vec<(Debit, RateFeedback)>>,
    gone: AtomicBool,
    gone_once: AtomicBool,
}

#[derive(Debug)]
struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the cable is cut")
    }
}

impl std::error::Error for Gone {}

impl RateBudget for Noting {
    fn take<'a>(&'a self, debit: &'a Debit, longest: Duration) -> RateFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            self.0.taken.lock().unwrap().push((*debit, longest));
            if self.0.gone.load(Ordering::SeqCst) || self.0.gone_once.swap(false, Ordering::SeqCst) {
                return Err(Refused::Unreachable(Box::new(Gone)));
            }
            Ok(())
        })
    }

    fn learn<'a>(&'a self, debit: &'a Debit, told: RateFeedback) -> RateFuture<'a, ()> {
        self.0.told.lock().unwrap().push((*debit, told));
        Box::pin(std::future::ready(()))
    }
}

/// A budget that never responds, or panics, wherever it is asked to.
#[derive(Clone, Copy, Debug)]
enum Dead {
    Taking,
    Learning,
    Panicking,
}

impl RateBudget for Dead {
    fn take<'a>(&'a self, _: &'a Debit, _: Duration) -> RateFuture<'a, Result<(), Refused>> {
        match self {
            Self::Taking => Box::pin(std::future::pending()),
            Self::Learning | Self::Panicking => Box::pin(std::future::ready(Ok(()))),
        }
    }

    fn learn<'a>(&'a self, _: &'a Debit, _: RateFeedback) -> RateFuture<'a, ()> {
        match self {
            Self::Panicking => panic!("a budget's own fault"),
            Self::Taking | Self::Learning => Box::pin(std::future::pending()),
        }
    }
}

impl Noting {
    fn taken(&self) -> Vec<Debit> {
        std::mem::take(&mut *self.0.taken.lock().unwrap()).into_iter().map(|(debit, _)| debit).collect()
    }
}

fn order_debit() -> Debit {
    let limits = &[Limit::Refill { per_second_millis: 100_000, capacity: 100 }];
    Debit { venue: "kalshi", bucket: "write", path: "", limits, tokens: 10 }
}

#[test]
fn a_budget_of_ones_own_is_asked_for_every_attempt() {
    at_a_standstill(async {
        let budget = Noting::default();
        let desk = Desk::new(RateLimits::shared(budget.clone())).await;
        desk.goes(1, KALSHI_ORDER).await;
        assert_eq!(budget.taken(), [order_debit()]);

        // Repetitions are calls for the venue too.
        let client = desk.kalshi.with_retry(AT_ONCE);
        for _ in 0..2 {
            desk.answers(refusal(503, "", ""));
        }
        desk.answers(Vec::new());
        kalshi_order(&client).send().await.unwrap();
        assert_eq!(budget.taken(), [order_debit(); 4]);

        // It is told what the venue says, and what each call costs.
        desk.answers(refusal(429, "retry-after: 2.5\r\n", ""));
        KALSHI_ORDER(&desk).await.unwrap_err();
        desk.answers(refusal(429, "", ""));
        KALSHI_ORDER(&desk).await.unwrap_err();
        let told = std::mem::take(&mut *budget.0.told.lock().unwrap());
        let expected = [Some(millis(2_500)), None].map(|lasts| (order_debit(), RateFeedback { left: 0, lasts }));
        assert_eq!(told, expected, "and nothing of the calls that went well");
        budget.taken();
        bayse_batch(&desk.bayse, 7).send().await.unwrap();
        let limits = &[Limit::Window { count: 20, seconds: 1 }];
        assert_eq!(budget.taken(), [Debit { venue: "bayse", bucket: "write", path: "", limits, tokens: 7 }]);

        // How long a call would wait is what it says, and no longer than it may take.
        let timeouts = Timeouts { call: Duration::from_secs(30), ..Timeouts::default() };
        let environment = yativo::Environment::Custom(desk.server.base_url.clone());
        let builder = yativo::Client::builder(environment).timeouts(timeouts);
        let credentials = yativo::Credentials::token("t0ken").unwrap();
        let limits = RateLimits::shared(budget.clone()).tier("pro");
        let client = builder.credentials(credentials).rate_limits(limits).build().unwrap();
        for client in [&client, &client.with_rate_wait(Duration::from_secs(3)), &client.with_rate_wait(Duration::ZERO)]
        {
            client.list_accounts().send().await.unwrap();
        }
        let taken = std::mem::take(&mut *budget.0.taken.lock().unwrap());
        let (longest, asked) = (taken[0].1, [taken[1].1, taken[2].1]);
        assert!(longest <= Duration::from_secs(30) && longest > Duration::from_secs(3), "{longest:?}");
        assert_eq!(asked, [Duration::from_secs(3), Duration::ZERO]);
        assert!(
            taken.iter().all(|(debit, _)| debit.limits == [Limit::Window { count: 300, seconds: 60 }]),
            "{taken:?}"
        );
    });
}

#[test]
fn a_budget_out_of_reach_is_a_network_error_and_nothing_is_sent() {
    at_a_standstill(async {
        let budget = Noting::default();
        let desk = Desk::new(RateLimits::shared(budget.clone())).await;
        budget.0.gone.store(true, Ordering::SeqCst);
        let error = KALSHI_CANCEL(&desk).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), error.retry_after()), (ErrorKind::Network, 1, None), "{error}");
        assert!(!error.may_have_been_applied() && error.is_retryable(), "{error}");
        assert!(error.message().contains("the cable is cut"), "{error}");
        assert!(std::error::Error::source(&error).is_some_and(|source| source.is::<Gone>()), "{error:?}");

        // It passes, so that even a write that is never repeated otherwise is: it was not sent.
        budget.taken();
        let client = desk.kalshi.with_retry(AT_ONCE);
        let error = client.cancel_order_v2().order_id("o-1").send().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), budget.taken().len()), (ErrorKind::Network, 4, 4), "{error}");
        assert!(!error.may_have_been_applied() && desk.sent() == 0, "{error}");
        budget.0.gone.store(false, Ordering::SeqCst);
        budget.0.gone_once.store(true, Ordering::SeqCst);
        client.cancel_order_v2().order_id("o-1").send().await.unwrap();
        assert_eq!((desk.sent(), budget.taken().len()), (1, 2));
    });
}

#[test]
fn a_budget_that_never_learns_keeps_no_response_from_its_caller() {
    // The clock is stopped: a call that waits for such a budget waits forever.
    for dead in [Dead::Learning, Dead::Panicking] {
        at_a_standstill(async {
            let desk = Desk::new(RateLimits::shared(dead)).await;
            // Often enough that it is behind.
            for _ in 0..100 {
                desk.answers(refusal(
                    200,
                    "X-RateLimit-Remaining: 1\r\nX-RateLimit-Reset: 9999999999\r\n",
                    r#"{"data":[]}"#,
                ));
                YATIVO(&desk).await.unwrap();
            }
            desk.answers(refusal(429, "retry-after: 7\r\n", ""));
            let error = KALSHI_ORDER(&desk).await.unwrap_err();
            assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(7))));
            desk.goes(1, KALSHI_ORDER).await;
        });
    }
}

#[test]
fn a_budget_that_never_grants_ends_with_the_call_and_nothing_is_sent() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let desk = Desk::new(RateLimits::shared(Dead::Taking)).await;
        for (wait, longest) in [(Duration::ZERO, 6), (Duration::MAX, 61)] {
            let client = desk.kalshi.with_rate_wait(wait);
            let start = tokio::time::Instant::now();
            let error = client.cancel_order_v2().order_id("o-1").send().await.unwrap_err();
            assert!(start.elapsed() < Duration::from_secs(longest), "{:?}", start.elapsed());
            assert_eq!(error.kind(), ErrorKind::Network, "{error}");
            assert!(!error.may_have_been_applied() && error.message().contains("not sent"), "{error}");
        }
        assert_eq!(desk.sent(), 0);
    });
}
