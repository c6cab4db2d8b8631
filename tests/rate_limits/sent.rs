//! What is sent, and what waits.

use std::collections::VecDeque;
use std::time::Duration;

use crate::desk::*;
use tokio::task::JoinSet;
use tokio::time::advance;
use venuekit::transport::RateLimits;
use venuekit::wire::operation::Venue;
use venuekit::{Error, ErrorKind, bayse, deribit, kalshi, yativo};

/// What a new account may do at once, and how long the next call has to wait then.
const BY_DEFAULT: [(&str, Call, usize, Duration); 10] = [
    ("Kalshi reads", KALSHI_READ, 60, Duration::from_millis(50)),
    ("Kalshi cancellations", KALSHI_CANCEL, 50, Duration::from_millis(20)),
    ("Kalshi orders", KALSHI_ORDER, 10, Duration::from_millis(100)),
    ("Bayse reads", BAYSE_READ, 30, Duration::from_secs(1)),
    ("Bayse writes", BAYSE_WRITE, 20, Duration::from_secs(1)),
    ("Bayse logins", BAYSE_LOGIN, 1, Duration::from_secs(120)),
    ("Yativo", YATIVO, 60, Duration::from_secs(60)),
    ("Deribit, matching engine", DERIBIT_ORDER, 20, Duration::from_millis(200)),
    ("Deribit, other", DERIBIT_OTHER, 100, Duration::from_millis(50)),
    ("Deribit, instruments", DERIBIT_INSTRUMENTS, 50, Duration::from_secs(1)),
];

#[test]
fn no_more_is_sent_than_a_new_account_may() {
    for (what, call, count, wait) in BY_DEFAULT {
        at_a_standstill(async {
            let desk = Desk::new(RateLimits::new()).await;
            desk.goes(count, call).await;
            // A refusal takes nothing: asking again and again does not put the moment off.
            for _ in 0..3 {
                assert_eq!(desk.is_held_back(call).await, wait, "{what}");
            }
            advance(wait - millis(1)).await;
            assert_eq!(desk.is_held_back(call).await, millis(1), "{what}");
            advance(millis(1)).await;
            desk.goes(1, call).await;
        });
    }
}

#[test]
fn a_call_over_the_limit_waits_for_its_moment_and_those_behind_it_for_theirs() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.goes(50, KALSHI_CANCEL).await;
        let late = || desk.server.seen().iter().filter(|seen| seen.head.contains("/late-1")).count();
        let mut calls: VecDeque<_> = (0..3).map(|_| under_way(&desk.kalshi)).collect();
        for done in 0..3 {
            // What another bucket pays for goes there and back meanwhile.
            desk.goes(3, KALSHI_READ).await;
            assert_eq!((late(), calls.iter().filter(|call| call.is_finished()).count()), (done, 0));
            advance(millis(19)).await;
            desk.goes(3, KALSHI_READ).await;
            assert_eq!(late(), done);
            advance(millis(1)).await;
            calls.pop_front().unwrap().await.unwrap().unwrap();
        }
        assert_eq!(late(), 3);
    });
}

#[test]
fn each_bucket_is_its_own() {
    at_a_standstill(async {
        // All four venues have the same budget here, and two of them a bucket called `read`.
        let desk = Desk::new(RateLimits::new()).await;
        let buckets = BY_DEFAULT.into_iter().filter(|(what, ..)| !what.contains("orders"));
        for (_, call, count, _) in buckets.clone() {
            desk.goes(count, call).await;
        }
        for (what, call, _, wait) in buckets {
            assert_eq!(desk.is_held_back(call).await, wait, "{what}");
        }
    });
}

#[test]
fn calls_at_the_same_time_get_what_there_is_and_no_more() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let mut calls = JoinSet::new();
        for _ in 0..100 {
            let client = desk.kalshi.clone();
            calls.spawn(async move { client.cancel_order_v2().order_id("o-1").send().await.map(drop) });
        }
        let went = calls.join_all().await.into_iter().filter(Result::is_ok).count();
        assert_eq!((went, desk.sent()), (50, 50));
    });
}

#[test]
fn a_batch_is_billed_by_what_is_in_it() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        for _ in 0..6 {
            bayse_batch(&desk.bayse, 3).send().await.unwrap();
        }
        // Two of twenty are left: too few for three, and enough for two.
        let error = bayse_batch(&desk.bayse, 3).send().await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(1))));
        assert!(!error.may_have_been_applied(), "{error}");
        bayse_batch(&desk.bayse, 2).send().await.unwrap();
        desk.is_held_back(BAYSE_WRITE).await;
        assert_eq!(desk.sent(), 7);

        advance(Duration::from_secs(1)).await;
        let cancel = |count: usize| {
            desk.bayse.batch_cancel_orders().body_map(move |body| body.order_ids(vec!["a-1".to_owned(); count]))
        };
        cancel(19).send().await.unwrap();
        assert_eq!(cancel(2).send().await.unwrap_err().kind(), ErrorKind::RateLimited);
        desk.goes(1, BAYSE_WRITE).await;
        desk.is_held_back(BAYSE_WRITE).await;

        // More than ever fits is the venue's to judge, but not while anything else is held.
        advance(Duration::from_secs(1)).await;
        desk.goes(1, BAYSE_WRITE).await;
        assert_eq!(bayse_batch(&desk.bayse, 25).send().await.unwrap_err().kind(), ErrorKind::RateLimited);
        advance(Duration::from_secs(1)).await;
        bayse_batch(&desk.bayse, 25).send().await.unwrap();
        desk.is_held_back(BAYSE_WRITE).await;
    });
}

#[test]
fn a_tier_has_its_own_numbers() {
    let tiers: [(&str, &str, Call, usize, Duration); 5] = [
        ("kalshi", "premier", KALSHI_READ, 120, Duration::from_micros(8_333)),
        ("kalshi", "expert", KALSHI_ORDER, 180, Duration::from_micros(16_666)),
        ("deribit", "tier3", DERIBIT_ORDER, 30, millis(100)),
        // A bucket that has no such tier keeps its only one.
        ("deribit", "tier3", DERIBIT_OTHER, 100, millis(50)),
        ("yativo", "pro", YATIVO, 300, Duration::from_secs(60)),
    ];
    for (venue, tier, call, count, wait) in tiers {
        at_a_standstill(async {
            let mut desk = Desk::new(RateLimits::new()).await;
            let limits = RateLimits::new().tier(tier);
            let url = &desk.server.base_url;
            match venue {
                "kalshi" => desk.kalshi = kalshi_at(url, &limits).unwrap(),
                "deribit" => desk.deribit = deribit_at(url, &limits).unwrap(),
                _ => desk.yativo = yativo_at(url, &limits).unwrap(),
            }
            desk.goes(count - 1, call).await;
            // What is no whole number of nanoseconds is rounded up each time: a call is never early.
            advance(Duration::from_micros(1)).await;
            desk.goes(1, call).await;
            let told = desk.is_held_back(call).await;
            assert!(told.abs_diff(wait) <= Duration::from_micros(1), "{told:?} for {venue} {tier}");
        });
    }
}

#[test]
fn a_tier_that_the_venue_has_not_is_refused_with_those_it_has() {
    let limits = RateLimits::new().tier("platinum");
    let url = "http://127.0.0.1:9";
    let refusals: [(&Venue, Error); 4] = [
        (&kalshi::VENUE, kalshi_at(url, &limits).unwrap_err()),
        (&bayse::VENUE, bayse_at(url, &limits).unwrap_err()),
        (&deribit::VENUE, deribit_at(url, &limits).unwrap_err()),
        (&yativo::VENUE, yativo_at(url, &limits).unwrap_err()),
    ];
    for (venue, error) in refusals {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.message().contains("platinum") && error.message().contains(venue.name), "{error}");
        for tier in venue.buckets.iter().flat_map(|bucket| bucket.tiers) {
            assert!(error.message().contains(tier.name), "no {} in {error}", tier.name);
        }
    }
    // What is a tier at one venue is none at another.
    kalshi_at(url, &RateLimits::new().tier("premier")).unwrap();
    assert_eq!(bayse_at(url, &RateLimits::new().tier("premier")).unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[test]
fn those_who_share_limits_share_the_budget_and_others_do_not() {
    at_a_standstill(async {
        let limits = RateLimits::new();
        let desk = Desk::new(limits.clone()).await;
        let url = &desk.server.base_url;
        let partner = kalshi_at(url, &limits).unwrap();
        let clone = partner.clone();
        let other = clone.with_retry(AT_ONCE).with_timeout(Duration::from_secs(5));
        for client in [&desk.kalshi, &partner, &clone, &other] {
            for _ in 0..15 {
                client.get_balance().send().await.unwrap();
            }
        }
        for client in [&desk.kalshi, &partner, &clone, &other] {
            let error = client.get_balance().send().await.unwrap_err();
            assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(millis(50))), "{error}");
        }
        // A value of its own is another account's.
        let stranger = kalshi_at(url, &RateLimits::new()).unwrap();
        stranger.get_balance().send().await.unwrap();
        assert_eq!(desk.sent(), 61);
    });
}

#[test]
fn without_limits_nothing_waits() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::none()).await;
        desk.goes(200, KALSHI_READ).await;
        desk.goes(5, BAYSE_LOGIN).await;
        // Not even after the venue's own word.
        desk.answers(refusal(429, "retry-after: 3600\r\n", ""));
        let error = KALSHI_READ(&desk).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(3600))));
        desk.goes(1, KALSHI_READ).await;
        // A tier is looked at nevertheless.
        let url = &desk.server.base_url;
        assert!(kalshi_at(url, &RateLimits::none().tier("platinum")).is_err());
    });
}
