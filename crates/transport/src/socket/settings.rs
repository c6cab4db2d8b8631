//! What holds for as long as a connection lives, so that the next one is given it.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use venuekit_wire::operation::{Operation, Venue};

use super::calls::Change;
use crate::jsonrpc::method;

/// A connection is closed when nothing was received for two heartbeats and this.
const GRACE: Duration = Duration::from_secs(5);

/// A heartbeat that a call asks for counts as no longer than this.
const LONGEST: Duration = Duration::from_secs(86_400);

/// The settings that the user's calls have made, by name. The newest is the last.
pub(crate) struct Settings {
    venue: &'static Venue,
    made: Vec<(&'static str, Change)>,
    /// How long the venue is silent at most by itself.
    dead_after: Option<Duration>,
    /// How often it is shown that somebody is there, where that is no call.
    ping: Option<Duration>,
    /// How long the venue may be silent.
    silence: watch::Sender<Option<Duration>>,
}

impl Settings {
    /// With a heartbeat from the beginning, where one is wanted.
    pub(crate) fn new(venue: &'static Venue, heartbeat: Option<Duration>) -> Self {
        let words = venue.websocket.as_ref().and_then(|websocket| websocket.heartbeat.as_ref());
        let dead_after =
            venue.websocket.as_ref().and_then(|websocket| websocket.dead_after).filter(|_| heartbeat.is_some());
        let dead_after = dead_after.map(|seconds| Duration::from_secs(seconds.into()));
        let ping = venue.websocket.as_ref().and_then(|websocket| websocket.ping);
        let ping = ping.map(|ping| Duration::from_secs(ping.every.into()));
        // The venue wants its pings whether or not this side looks for silence.
        let ping = ping.map(|every| heartbeat.map_or(every, |wanted| wanted.min(every)));
        let dead_after = ping.filter(|_| heartbeat.is_some()).map(silence).or(dead_after);
        let mut settings = Self { venue, made: Vec::new(), dead_after, ping, silence: watch::Sender::new(dead_after) };
        if let (Some(words), Some(interval)) = (words, heartbeat) {
            let set = venue.operations.iter().find(|operation| method(operation) == words.set);
            let params = format!(r#"{{"{}":{}}}"#, words.interval, interval.as_secs());
            if let Some(operation) = set {
                settings.note(Change { operation, params });
            }
        }
        settings
    }

    /// The change that a call makes, if it is about its connection.
    pub(crate) fn change(operation: &'static Operation, params: Option<&str>) -> Option<Change> {
        operation.on_connection?.setting?;
        Some(Change { operation, params: params?.to_owned() })
    }

    /// The venue has made a change.
    pub(crate) fn note(&mut self, change: Change) {
        let Some(setting) = change.operation.on_connection.and_then(|on| on.setting) else { return };
        self.made.retain(|(name, _)| *name != setting.name);
        if setting.on {
            self.made.push((setting.name, change));
        }
        self.silence.send_replace(self.heartbeat().map(silence).or(self.dead_after));
    }

    /// The calls that give a new connection what the last one had.
    pub(crate) fn calls(&self) -> Vec<(&'static Operation, String)> {
        self.made.iter().map(|(_, change)| (change.operation, change.params.clone())).collect()
    }

    /// After the user has logged out: what only a login could make does not come again.
    pub(crate) fn forget_private(&mut self) {
        self.made.retain(|(_, change)| change.operation.is_public());
    }

    /// How often the venue is pinged.
    pub(crate) fn ping(&self) -> Option<Duration> {
        self.ping
    }

    pub(crate) fn silence(&self) -> watch::Receiver<Option<Duration>> {
        self.silence.subscribe()
    }

    fn heartbeat(&self) -> Option<Duration> {
        let words = self.venue.websocket.as_ref()?.heartbeat.as_ref()?;
        let (_, change) = self.made.iter().find(|(_, change)| method(change.operation) == words.set)?;
        interval(&change.params, words.interval)
    }
}

/// The heartbeat that a call's params ask for, in seconds.
fn interval(params: &str, name: &str) -> Option<Duration> {
    let params: Value = serde_json::from_str(params).ok()?;
    let interval = params.get(name)?;
    let seconds = interval.as_u64().map(Duration::from_secs);
    let seconds = seconds.or_else(|| Duration::try_from_secs_f64(interval.as_f64()?).ok())?;
    Some(seconds.min(LONGEST))
}

/// How long the venue may be silent.
fn silence(interval: Duration) -> Duration {
    interval * 2 + GRACE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_is_read_from_any_number() {
        let read = |params: &str| interval(params, "interval").map(silence);
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(read(r#"{"interval":30}"#), seconds(65));
        assert_eq!(read(r#"{"interval":30.0}"#), seconds(65));
        for nothing in [r#"{"interval":-1}"#, r#"{"interval":"30"}"#, r#"{"interval":null}"#, "{}", "", "[]"] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
        for much in ["18446744073709551615", "9223372036854775807", "1e18", "86401"] {
            assert_eq!(read(&format!(r#"{{"interval":{much}}}"#)), seconds(2 * 86_400 + 5), "{much}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_heartbeat_is_too_much(whole: u64, signed: i64, float: f64) {
            for number in [whole.to_string(), signed.to_string(), float.to_string(), format!("{float:e}")] {
                let read = interval(&format!(r#"{{"interval":{number}}}"#), "interval").map(silence);
                proptest::prop_assert!(read.is_none_or(|silence| silence <= LONGEST * 2 + GRACE));
            }
        }
    }
}
