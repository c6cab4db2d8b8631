//! Which channels a connection hears.

use super::channels::{Channel, is_private};
use super::error::Error;
use super::feeds::Feed;
use super::params::Params;
use super::session::connected;
use super::state::{Outcome, State, done};

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

/// Lets a connection hear channels. One that it hears already goes on as it is, and does not begin again.
fn add(state: &mut State, connection: u64, names: Vec<String>, label: Option<&String>) -> Outcome {
    let read = |name: String| Some((Channel::read(state, &name)?, name));
    let known: Vec<(Channel, String)> = names.into_iter().filter_map(read).collect();
    let feeds = &mut connected(state, connection)?.feeds;
    for (channel, name) in &known {
        let label = label.filter(|_| is_private(name)).cloned();
        feeds.entry(name.clone()).or_insert_with(|| Feed::new(channel.clone(), None)).label = label;
    }
    done(&known.iter().map(|(_, name)| name).collect::<Vec<_>>())
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
