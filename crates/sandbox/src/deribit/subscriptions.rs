//! Which channels a connection receives.

use super::channels::{self, Channel, is_private};
use super::connections;
use super::error::Error;
use super::feeds::Feed;
use super::params::Params;
use super::session::connected;
use super::state::{Outcome, State, done};
use crate::faults::Fault;

const MAX_LABEL: usize = 16;

/// `public/subscribe`. Channels that need a login are left out, as are those that do not exist.
pub(super) fn subscribe(state: &mut State, connection: u64, params: &Params) -> Outcome {
    let asked = params.required("channels", params.list("channels")?)?;
    if connected(state, connection)?.login.is_none() && asked.iter().any(|channel| channel.ends_with(".raw")) {
        return Err(Error::new(Error::RAW_NEEDS_LOGIN));
    }
    let public = asked.into_iter().filter(|channel| !is_private(channel)).collect();
    add(state, connection, public, None)
}

/// `private/subscribe`. Channels that do not exist are left out.
pub(super) fn subscribe_private(state: &mut State, connection: u64, params: &Params) -> Outcome {
    let channels = params.required("channels", params.list("channels")?)?;
    let label = params.text("label")?;
    if label.as_ref().is_some_and(|label| label.chars().count() > MAX_LABEL) {
        return Err(Error::invalid_param("label", "at most 16 characters"));
    }
    add(state, connection, channels, label.as_ref())
}

/// Lets a connection receive channels. One that it receives already continues as it is, and does not begin again.
fn add(state: &mut State, connection: u64, names: Vec<String>, label: Option<&String>) -> Outcome {
    let mut known: Vec<(Channel, String)> = Vec::new();
    for name in names {
        let family = channels::family(&name);
        let of_family = format!("subscribe/{family}");
        let of_channel = format!("subscribe/{name}");
        match connections::strike(&state.faults, &["subscribe", &of_family, &of_channel], true) {
            Some(Fault::Error { code, .. }) => {
                return Err(Error::new(i32::try_from(code).unwrap_or(Error::INTERNAL_SERVER_ERROR)));
            }
            Some(Fault::LeaveOut | Fault::Drop) => {}
            _ => known.extend(Channel::read(state, &name).map(|channel| (channel, name))),
        }
    }
    for (channel, _) in &known {
        if let Channel::Book(instrument, _) = channel {
            state.show_first(instrument);
        }
    }
    let shuffles = state.settings.shuffles_channels;
    let feeds = &mut connected(state, connection)?.feeds;
    for (channel, name) in &known {
        let label = label.filter(|_| is_private(name)).cloned();
        feeds.entry(name.clone()).or_insert_with(|| Feed::new(channel.clone(), None)).label = label;
    }
    let mut accepted: Vec<&String> = known.iter().map(|(_, name)| name).collect();
    if shuffles {
        // Any order but the caller's will do, and one that is the same each time is kinder.
        accepted.reverse();
    }
    done(&accepted)
}

/// `public/unsubscribe`, `private/unsubscribe`.
pub(super) fn unsubscribe(state: &mut State, connection: u64, params: &Params) -> Outcome {
    let channels = params.required("channels", params.list("channels")?)?;
    let known = &mut connected(state, connection)?.feeds;
    let ended: Vec<String> = channels.into_iter().filter(|channel| known.remove(channel).is_some()).collect();
    done(&ended)
}

/// `public/unsubscribe_all`, `private/unsubscribe_all`.
pub(super) fn unsubscribe_all(state: &mut State, connection: u64, _params: &Params) -> Outcome {
    connected(state, connection)?.feeds.clear();
    done(&"ok")
}
