//! What callers have used: weight by address and by account, and orders. Windows are aligned to the clock.

use std::collections::BTreeMap;

use super::reply::Refusal;
use super::settings::BinanceSettings;

pub(super) const MINUTE_MILLIS: i64 = 60_000;
pub(super) const TEN_SECONDS_MILLIS: i64 = 10_000;
pub(super) const DAY_MILLIS: i64 = 86_400_000;
/// The duration of an address's first ban.
const BAN_MILLIS: i64 = 120_000;
/// The weight per minute and address of one path under `/sapi`.
const SAPI_ADDRESS: u64 = 12_000;
/// The weight per minute and account of one path under `/sapi`.
const SAPI_ACCOUNT: u64 = 180_000;

/// What a call counts against.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    /// All of `/api` together, by address.
    Api,
    /// One path of `/sapi`, by address.
    Address,
    /// One path of `/sapi`, by account.
    Account,
}

/// Use within one window.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    start: i64,
    used: u64,
}

impl Window {
    fn at(&mut self, now: i64, length: i64) -> &mut u64 {
        let start = now - now.rem_euclid(length);
        if self.start != start {
            *self = Self { start, used: 0 };
        }
        &mut self.used
    }
}

/// What is used, by caller. Every caller of the sandbox has the same address.
#[derive(Debug, Default)]
pub(super) struct Limits {
    api: Window,
    paths: BTreeMap<(Option<usize>, String), Window>,
    /// By account: in ten seconds and in a day.
    orders: BTreeMap<usize, [Window; 2]>,
    refusals: u64,
    banned_until: i64,
}

impl Limits {
    /// Counts a call. Returns what is used of its limit, including this call.
    pub(super) fn count(
        &mut self,
        (scope, path, account): (Scope, &str, usize),
        weight: u64,
        settings: &BinanceSettings,
        now: i64,
    ) -> Result<u64, Refusal> {
        self.check_ban(settings, now)?;
        let (window, limit) = match scope {
            Scope::Api => (&mut self.api, settings.weight_per_minute),
            Scope::Address => (self.paths.entry((None, path.to_owned())).or_default(), SAPI_ADDRESS),
            Scope::Account => (self.paths.entry((Some(account), path.to_owned())).or_default(), SAPI_ACCOUNT),
        };
        let used = window.at(now, MINUTE_MILLIS);
        *used += weight;
        let used = *used;
        if !settings.enforces_limits || used <= limit {
            return Ok(used);
        }
        self.refusals += 1;
        if scope == Scope::Api && self.refusals > settings.refusals_before_ban {
            self.banned_until = now + BAN_MILLIS;
            self.refusals = 0;
            self.check_ban(settings, now)?;
        }
        let message = format!(
            "Too much request weight used; current limit is {limit} request weight per 1 MINUTE. \
             Please use WebSocket Streams for live updates to avoid polling the API."
        );
        Err(refused(429, -1003, message, left(now, MINUTE_MILLIS)))
    }

    fn check_ban(&self, settings: &BinanceSettings, now: i64) -> Result<(), Refusal> {
        let rest = self.banned_until - now;
        if !settings.enforces_limits || rest <= 0 {
            return Ok(());
        }
        let message = format!(
            "Way too much request weight used; IP banned until {}. \
             Please use WebSocket Streams for live updates to avoid bans.",
            self.banned_until
        );
        Err(refused(418, -1003, message, (rest + 999) / 1000))
    }

    /// Counts orders that an account places together. If they are refused, none is counted.
    pub(super) fn count_orders(
        &mut self,
        account: usize,
        count: u64,
        settings: &BinanceSettings,
        now: i64,
    ) -> Result<(), Refusal> {
        let windows = self.orders.entry(account).or_default();
        let limits = [
            (TEN_SECONDS_MILLIS, settings.orders_per_ten_seconds, "10 SECOND"),
            (DAY_MILLIS, settings.orders_per_day, "1 DAY"),
        ];
        for (window, (length, limit, name)) in windows.iter_mut().zip(limits) {
            if settings.enforces_limits && window.at(now, length).saturating_add(count) > limit {
                let message = format!("Too many new orders; current limit is {limit} orders per {name}.");
                return Err(refused(429, -1015, message, left(now, length)));
            }
        }
        for (window, (length, ..)) in windows.iter_mut().zip(limits) {
            *window.at(now, length) += count;
        }
        Ok(())
    }

    /// An order that has been filled no longer counts.
    pub(super) fn uncount_order(&mut self, account: usize, placed: i64, now: i64) {
        let windows = self.orders.entry(account).or_default();
        for (window, length) in windows.iter_mut().zip([TEN_SECONDS_MILLIS, DAY_MILLIS]) {
            if placed.div_euclid(length) == now.div_euclid(length) {
                let used = window.at(now, length);
                *used = used.saturating_sub(1);
            }
        }
    }

    /// The orders of an account in ten seconds and in a day.
    pub(super) fn orders(&mut self, account: usize, now: i64) -> [u64; 2] {
        let windows = self.orders.entry(account).or_default();
        let [short, long] = windows;
        [*short.at(now, TEN_SECONDS_MILLIS), *long.at(now, DAY_MILLIS)]
    }
}

/// Seconds until a window ends, rounded up.
fn left(now: i64, length: i64) -> i64 {
    (length - now.rem_euclid(length) + 999) / 1000
}

fn refused(status: u16, code: i64, message: String, seconds: i64) -> Refusal {
    Refusal { retry_after: Some(seconds), ..Refusal::new(code, message).with_status(status) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict() -> BinanceSettings {
        BinanceSettings { enforces_limits: true, weight_per_minute: 10, refusals_before_ban: 2, ..Default::default() }
    }

    #[test]
    fn weight_is_counted_by_the_minute_and_a_ban_follows() {
        let (mut limits, settings) = (Limits::default(), strict());
        let mut call = |weight, now| limits.count((Scope::Api, "/api/v3/time", 0), weight, &settings, now);
        assert_eq!(call(4, 1_000).unwrap(), 4);
        assert_eq!(call(6, 59_999).unwrap(), 10);
        let refused = call(1, 59_999).unwrap_err();
        assert_eq!((refused.status, refused.code, refused.retry_after), (429, -1003, Some(1)));
        assert_eq!(call(1, 60_000).unwrap(), 1, "a minute of the calendar begins");
        assert_eq!(call(100, 60_000).unwrap_err().status, 429);
        let banned = call(1, 60_000).unwrap_err();
        assert_eq!((banned.status, banned.retry_after), (418, Some(120)));
        assert_eq!(call(1, 120_000).unwrap_err().status, 418, "a new minute does not end a ban");
        assert_eq!(call(1, 180_000).unwrap(), 1);
    }

    #[test]
    fn each_path_of_sapi_counts_alone() {
        let (mut limits, settings) = (Limits::default(), strict());
        let mut call = |scope, path, account, weight| limits.count((scope, path, account), weight, &settings, 0);
        assert_eq!(call(Scope::Address, "/sapi/a", 0, 12_000).unwrap(), 12_000);
        assert_eq!(call(Scope::Address, "/sapi/b", 0, 1).unwrap(), 1);
        assert_eq!(call(Scope::Address, "/sapi/a", 1, 1).unwrap_err().status, 429);
        assert_eq!(call(Scope::Account, "/sapi/a", 0, 180_000).unwrap(), 180_000);
        assert_eq!(call(Scope::Account, "/sapi/a", 1, 1).unwrap(), 1);
    }

    #[test]
    fn orders_that_are_filled_do_not_count() {
        let settings = BinanceSettings { orders_per_ten_seconds: 2, ..strict() };
        let mut limits = Limits::default();
        assert!(limits.count_orders(0, 1, &settings, 1).is_ok() && limits.count_orders(0, 1, &settings, 2).is_ok());
        let refused = limits.count_orders(0, 1, &settings, 3).unwrap_err();
        assert_eq!((refused.status, refused.code, refused.retry_after), (429, -1015, Some(10)));
        assert_eq!(limits.orders(0, 3), [2, 2]);
        assert!(limits.count_orders(1, 3, &settings, 3).is_err());
        assert_eq!(limits.orders(1, 3), [0, 0], "none of three is counted");
        limits.uncount_order(0, 1, 3);
        assert!(limits.count_orders(0, 1, &settings, 4).is_ok());
        assert_eq!(limits.orders(0, 10_000), [0, 2]);
    }
}
