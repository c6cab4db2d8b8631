//! How far this machine's clock is from the venue's.

use std::time::UNIX_EPOCH;

use venuekit_transport::Response;
use venuekit_wire::UnixMillis;

use venuekit_wire::credentials::ClockWindow;

use super::report::Report;

/// Less than this cannot be measured.
const UNSURE_MILLIS: i64 = 2_000;

/// What is to be added to this machine's clock, in milliseconds, by the response to a call of the time `sent`. None where it has no
/// time.
pub fn offset(response: &Response, sent: UnixMillis) -> Option<i64> {
    // A response from a cache has an old time.
    if response.headers().contains_key(http::header::AGE) {
        return None;
    }
    let exact = response.timing().and_then(|timing| timing.us_out).map(|micros| (micros / 1000, micros / 1000));
    let (earliest, latest) = exact.or_else(|| {
        let date = response.headers().get(http::header::DATE)?.to_str().ok()?;
        let since = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
        let millis = i64::try_from(since.as_millis()).ok()?;
        Some((millis, millis + 999))
    })?;
    let (least, most) = (earliest - UnixMillis::now().get(), latest - sent.get());
    // What agrees with a clock that is right is right.
    Some(0.clamp(least.min(most), most.max(least)))
}

/// Says whether the clock is right.
pub fn look(report: &mut Report<'_>, window: Option<ClockWindow>, offset: Option<i64>) {
    const CHECK: &str = "clock";
    let Some(offset) = offset else {
        let found = if window.is_some() { "the venue sent no time" } else { "no time is signed here" };
        return report.skipped(CHECK, found);
    };
    let way = if offset > 0 { "behind" } else { "ahead of" };
    let found = format!("this machine is {} {way} the venue", shown(offset.abs()));
    let limit = window.map(|window| i64::from(if offset > 0 { window.behind } else { window.ahead }));
    match limit {
        Some(limit) if offset.abs() >= limit * 1000 => {
            let found = format!("{found}, which may refuse times that are {limit} s off");
            report.fault(CHECK, "clock", found, "set the clock, or leave the client's own correction on");
        }
        _ if offset.abs() > UNSURE_MILLIS => {
            report.odd(CHECK, "clock", found, "set the clock before it gets worse");
        }
        _ => report.good(CHECK, "correct to within a few seconds"),
    }
}

/// Rounded to what somebody would say.
fn shown(millis: i64) -> String {
    let rounded = |unit: i64| (millis + unit / 2) / unit;
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..120_000 => format!("{} s", rounded(1_000)),
        120_000..7_200_000 => format!("{} min", rounded(60_000)),
        7_200_000..172_800_000 => format!("{} h", rounded(3_600_000)),
        _ => format!("{} days", rounded(86_400_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_difference_is_rounded_and_not_cut() {
        for (millis, said) in [
            (999, "999 ms"),
            (29_900, "30 s"),
            (400_000, "7 min"),
            (86_370_000, "24 h"),
            (7_199_999, "120 min"),
            (34_560_000_000, "400 days"),
        ] {
            assert_eq!(shown(millis), said);
        }
    }
}
