//! What a venue says of its limit is believed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::desk::*;
use tokio::time::advance;
use venuekit::ErrorKind;
use venuekit::transport::RateLimits;

#[test]
fn a_bare_refusal_empties_the_bucket() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.answers(refusal(429, "", r#"{"error":{"code":"too_many_requests","message":"x"}}"#));
        let error = KALSHI_READ(&desk).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, None), "{error}");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
        assert_eq!(desk.is_held_back(KALSHI_READ).await, millis(50));
        desk.goes(50, KALSHI_CANCEL).await;
        // It fills as usual, and is not full at once.
        advance(millis(100)).await;
        desk.goes(2, KALSHI_READ).await;
        assert_eq!(desk.is_held_back(KALSHI_READ).await, millis(50));

        // Where the venue counts in windows, the shortest one is waited for.
        desk.answers(refusal(429, "", r#"{"error":"rate_limit_exceeded"}"#));
        YATIVO(&desk).await.unwrap_err();
        assert_eq!(desk.is_held_back(YATIVO).await, Duration::from_secs(60));
    });
}

#[test]
fn a_refusal_with_a_wait_holds_for_every_caller() {
    at_a_standstill(async {
        let limits = RateLimits::new();
        let desk = Desk::new(limits.clone()).await;
        let partner = kalshi_at(&desk.server.base_url, &limits).unwrap();
        desk.answers(refusal(429, "retry-after: 7\r\n", ""));
        let error = KALSHI_CANCEL(&desk).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(desk.is_held_back(KALSHI_CANCEL).await, Duration::from_secs(7));
        let calls: Vec<_> = [&desk.kalshi, &partner, &partner.clone()].map(under_way).into();
        desk.goes(5, KALSHI_READ).await;
        advance(Duration::from_secs(7) - millis(1)).await;
        desk.goes(5, KALSHI_READ).await;
        assert_eq!(desk.sent(), 11, "one that was refused, and the reads");
        advance(millis(1)).await;
        for call in calls {
            call.await.unwrap().unwrap();
        }
        // It was told how long, and not that nothing is left after that.
        desk.goes(47, KALSHI_CANCEL).await;
        desk.is_held_back(KALSHI_CANCEL).await;
    });
}

#[test]
fn a_wait_is_read_wherever_the_venue_says_it() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let body = r#"{"statusCode":429,"error":"rate_limit","message":"x","retryAfter":3}"#;
        desk.answers(refusal(429, "", body));
        BAYSE_WRITE(&desk).await.unwrap_err();
        assert_eq!(desk.is_held_back(BAYSE_WRITE).await, Duration::from_secs(3));
        desk.goes(30, BAYSE_READ).await;

        // Deribit says it in an envelope, whatever the status.
        let envelope = r#"{"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests","data":{"wait":4}}}"#;
        for status in [200, 400, 429] {
            desk.answers(refusal(status, "", envelope));
            let error = DERIBIT_ORDER(&desk).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
            assert_eq!(desk.is_held_back(DERIBIT_ORDER).await, Duration::from_secs(4), "{status}");
            desk.goes(1, DERIBIT_OTHER).await;
            advance(Duration::from_secs(4)).await;
        }
        // A failure of another kind says nothing of the limit.
        desk.answers(refusal(503, "retry-after: 9\r\n", ""));
        DERIBIT_ORDER(&desk).await.unwrap_err();
        desk.goes(1, DERIBIT_ORDER).await;
    });
}

/// Yativo's response with what it says of its limit.
fn with_limit(remaining: &str, reset: &str) -> Vec<u8> {
    refusal(200, &format!("X-RateLimit-Remaining: {remaining}\r\nX-RateLimit-Reset: {reset}\r\n"), r#"{"data":[]}"#)
}

/// Unix seconds, so long from now.
fn from_now(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    now.checked_add_signed(seconds).unwrap().to_string()
}

#[test]
fn headers_that_say_what_is_left_are_believed() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.answers(with_limit("2", &from_now(300)));
        desk.goes(1, YATIVO).await;
        // A response that was written earlier does not give back what was spent since.
        desk.answers(with_limit("2", &from_now(300)));
        desk.goes(2, YATIVO).await;
        // The moment is identified by the clock on the wall, which does not stand still.
        let wait = desk.is_held_back(YATIVO).await;
        assert!(wait > Duration::from_secs(200) && wait <= Duration::from_secs(300), "{wait:?}");
        advance(wait).await;
        desk.answers(with_limit("0", &from_now(300)));
        desk.goes(1, YATIVO).await;
        let wait = desk.is_held_back(YATIVO).await;
        assert!(wait > Duration::from_secs(200) && wait <= Duration::from_secs(300), "{wait:?}");
        advance(wait).await;
        // More than the tier has is not made of it.
        desk.answers(with_limit("1000000", &from_now(300)));
        desk.goes(60, YATIVO).await;
        assert_eq!(desk.is_held_back(YATIVO).await, Duration::from_secs(60));
    });
}

#[test]
fn headers_that_make_no_sense_are_passed_over() {
    for (remaining, reset) in [("0", "soon"), ("none", &*from_now(300)), ("-1", &from_now(300)), ("0", &from_now(-300))]
    {
        at_a_standstill(async {
            let desk = Desk::new(RateLimits::new()).await;
            desk.answers(with_limit(remaining, reset));
            desk.goes(60, YATIVO).await;
            assert_eq!(desk.is_held_back(YATIVO).await, Duration::from_secs(60), "{remaining} until {reset}");
        });
    }
    // Other venues have no such headers.
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let reset = from_now(300);
        let headers = format!("X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: {reset}\r\n");
        desk.answers(refusal(200, &headers, r#"{"balance_dollars":"1.0000"}"#));
        desk.goes(60, KALSHI_READ).await;
    });
}

#[test]
fn one_bad_value_does_not_stop_a_client_for_good() {
    let hour = Duration::from_secs(3_600);
    for wait in ["1e19", "18446744073709551615", "99999999999999999999", "86400", "-1", "NaN", "inf", "soon"] {
        at_a_standstill(async {
            let desk = Desk::new(RateLimits::new()).await;
            desk.answers(refusal(429, &format!("retry-after: {wait}\r\n"), ""));
            let error = KALSHI_READ(&desk).await.unwrap_err();
            assert_eq!(error.retry_after(), Some(hour), "{wait}");
            assert_eq!(desk.is_held_back(KALSHI_READ).await, hour, "{wait}");
            advance(hour).await;
            desk.goes(2, KALSHI_READ).await;
        });
    }
    for reset in ["9223372036854775807", "18446744073709551615", "99999999999999999999999", "9223372036854775"] {
        at_a_standstill(async {
            let desk = Desk::new(RateLimits::new()).await;
            desk.answers(with_limit("0", reset));
            desk.goes(1, YATIVO).await;
            assert_eq!(desk.is_held_back(YATIVO).await, hour, "{reset}");
            advance(hour).await;
            desk.goes(2, YATIVO).await;
        });
    }
    // Of what is left, too much is as good as all.
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.answers(with_limit("99999999999999999999999", &from_now(300)));
        desk.goes(2, YATIVO).await;
    });
}

#[test]
fn a_date_until_which_a_refusal_holds_is_kept() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let headers = "date: Sun, 22 Nov 2026 03:00:00 GMT\r\nretry-after: Sun, 22 Nov 2026 03:05:00 GMT\r\n";
        desk.answers(refusal(429, headers, ""));
        KALSHI_CANCEL(&desk).await.unwrap_err();
        assert_eq!(desk.is_held_back(KALSHI_CANCEL).await, Duration::from_secs(300));
    });
}
