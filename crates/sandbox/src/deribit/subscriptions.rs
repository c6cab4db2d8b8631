//! Which channels a connection hears, and the notifications on them.

use serde::Serialize;

use super::connections::Outgoing;
use super::error::Error;
use super::params::Params;
use super::session::connected;
use super::state::{Outcome, State, done};

/// Channels of one's own begin like this.
const PRIVATE: [&str; 2] = ["user.", "block_rfq.maker"];
const MAX_LABEL: usize = 16;

/// `public/subscribe`. Channels that need a login are left out.
pub(super) fn subscribe(state: &mut State, connection: u64, params: &Params) -> Outcome {
    let connection = connected(state, connection)?;
    let asked = params.required("channels", params.list("channels")?)?;
    if connection.login.is_none() && asked.iter().any(|channel| channel.ends_with(".raw")) {
        return Err(Error::new(Error::RAW_NEEDS_LOGIN));
    }
    let channels: Vec<String> = asked.into_iter().filter(|channel| !is_private(channel)).collect();
    connection.channels.extend(channels.iter().map(|channel| (channel.clone(), None)));
    done(&channels)
}

/// `private/subscribe`.
pub(super) fn subscribe_private(state: &mut State, connection: u64, params: &Params) -> Outcome {
    let channels = params.required("channels", params.list("channels")?)?;
    let label = params.text("label")?;
    if label.as_ref().is_some_and(|label| label.chars().count() > MAX_LABEL) {
        return Err(Error::invalid_param("label", "at most 16 characters"));
    }
    let labelled = |channel: &String| (channel.clone(), label.clone().filter(|_| is_private(channel)));
    connected(state, connection)?.channels.extend(channels.iter().map(labelled));
    done(&channels)
}

/// `public/unsubscribe`, `private/unsubscribe`.
pub(super) fn unsubscribe(state: &mut State, connection: u64, params: &Params) -> Outcome {
    let channels = params.required("channels", params.list("channels")?)?;
    let known = &mut connected(state, connection)?.channels;
    let ended: Vec<String> = channels.into_iter().filter(|channel| known.remove(channel).is_some()).collect();
    done(&ended)
}

/// `public/unsubscribe_all`, `private/unsubscribe_all`.
pub(super) fn unsubscribe_all(state: &mut State, connection: u64, _params: &Params) -> Outcome {
    connected(state, connection)?.channels.clear();
    done(&"ok")
}

fn is_private(channel: &str) -> bool {
    PRIVATE.into_iter().any(|beginning| channel.starts_with(beginning))
}

#[derive(Serialize)]
struct Notification<'a, T: Serialize> {
    jsonrpc: &'static str,
    method: &'static str,
    params: Told<'a, T>,
}

#[derive(Serialize)]
struct Told<'a, T: Serialize> {
    channel: &'a str,
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

fn notification(channel: &str, label: Option<&str>, data: &impl Serialize) -> Outgoing {
    let params = Told { channel, data, label };
    let notification = Notification { jsonrpc: "2.0", method: "subscription", params };
    Outgoing::Notification(serde_json::to_string(&notification).expect("notifications are plain JSON"))
}

impl State {
    /// Notifies everybody who hears the channel. Returns how many those are.
    pub(super) fn notify(&self, channel: &str, data: &impl Serialize) -> usize {
        let hearers =
            self.connections.values().filter_map(|connection| Some((connection, connection.channels.get(channel)?)));
        hearers.map(|(connection, label)| connection.send(notification(channel, label.as_deref(), data))).count()
    }

    /// Notifies those who hear one of an account's channels on an instrument: all at once, or one by one where it is `raw`.
    pub(super) fn notify_owner(
        &self,
        account: usize,
        prefix: &str,
        instrument: &str,
        kind: &str,
        data: &[impl Serialize],
    ) {
        for connection in self.connections.values() {
            if connection.login.as_ref().is_none_or(|login| login.account != account) {
                continue;
            }
            for (channel, label) in &connection.channels {
                let Some(interval) = self.interval(channel, prefix, instrument, kind) else { continue };
                if interval == "raw" && prefix == "user.orders." {
                    data.iter().for_each(|one| connection.send(notification(channel, label.as_deref(), one)));
                } else if !data.is_empty() {
                    connection.send(notification(channel, label.as_deref(), &data));
                }
            }
        }
    }

    /// Notifies everybody who hears an instrument's channel with that beginning.
    pub(super) fn notify_all(&self, prefix: &str, instrument: &str, kind: &str, data: &[impl Serialize]) {
        for connection in self.connections.values().filter(|_| !data.is_empty()) {
            for (channel, label) in &connection.channels {
                if self.interval(channel, prefix, instrument, kind).is_some() {
                    connection.send(notification(channel, label.as_deref(), &data));
                }
            }
        }
    }

    /// The interval of a channel such as `trades.BTC-PERPETUAL.raw` or `trades.future.BTC.raw`, if it is for the instrument.
    fn interval<'a>(&self, channel: &'a str, prefix: &str, instrument: &str, kind: &str) -> Option<&'a str> {
        let parts: Vec<&str> = channel.strip_prefix(prefix)?.split('.').collect();
        match parts.as_slice() {
            [name, interval] => (*name == instrument).then_some(*interval),
            [of_kind, currency, interval] => {
                let of_kind = *of_kind == kind || *of_kind == "any";
                let listed = self.instrument(instrument).is_some_and(|instrument| instrument.is_listed_under(currency));
                (of_kind && (listed || *currency == "any")).then_some(*interval)
            }
            _ => None,
        }
    }
}
