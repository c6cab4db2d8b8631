//! Who is sent what, and when.

use serde::Serialize;
use tokio::time::Instant;

use super::channels::{Channel, Private, UpdateInterval};
use super::connections::{Connection, NotificationInfo};
use super::feeds::{AllChanges, ChannelUpdate, Feed, gathers};
use super::instruments::Instrument;
use super::state::State;
use super::trades::PublicTrade;
use crate::faults::Fault;

/// A notification that is nothing but its data.
fn notice<'a>(channel: &'a str, feed: &'a Feed, instrument: Option<&'a str>) -> NotificationInfo<'a> {
    NotificationInfo { channel, label: feed.label.as_deref(), kind: "", instrument, mark: None }
}

fn named<'a>(instruments: &'a [Instrument], name: &str) -> Option<&'a Instrument> {
    instruments.iter().find(|instrument| instrument.instrument_name == name)
}

impl State {
    /// Notifies everybody who is subscribed to the channel. Returns how many those are.
    pub(super) fn notify(&self, channel: &str, data: &impl Serialize) -> usize {
        let subscribers =
            self.connections.values().filter_map(|connection| Some((connection, connection.feeds.get(channel)?)));
        subscribers
            .map(|(connection, feed)| connection.notify(notice(channel, feed, feed.channel.instrument()), data))
            .count()
    }

    /// Notifies an account of what happened to it.
    pub(super) fn notify_account(&self, account: usize, channel: &str, data: &impl Serialize) {
        for connection in self.connections.values().filter(|connection| connection.is_of(account)) {
            if let Some(feed) = connection.feeds.get(channel) {
                connection.notify(notice(channel, feed, None), data);
            }
        }
    }

    /// Notifies an account of its orders or trades on an instrument. At each change there is one notification an order, and one
    /// for all trades; otherwise they are gathered.
    pub(super) fn notify_owner(&mut self, account: usize, what: Private, name: &str, data: &[impl Serialize]) {
        let Self { instruments, connections, .. } = self;
        let Some(instrument) = named(instruments, name).filter(|_| !data.is_empty()) else { return };
        let is_combo = instrument.kind.ends_with("_combo");
        for connection in connections.values_mut().filter(|connection| connection.is_of(account)) {
            let mut feeds = std::mem::take(&mut connection.feeds);
            for (channel, feed) in &mut feeds {
                let Channel::Own(heard, scope, pace) = &feed.channel else { continue };
                let is_meant = *heard == what || *heard == Private::ComboTrades && what == Private::Trades && is_combo;
                if !is_meant || !scope.lets_in(instrument) {
                    continue;
                }
                if gathers(*pace) {
                    feed.gather(data);
                } else if what == Private::Orders {
                    data.iter().for_each(|one| connection.notify(notice(channel, feed, Some(name)), one));
                } else {
                    connection.notify(notice(channel, feed, Some(name)), &data);
                }
            }
            connection.feeds = feeds;
        }
    }

    /// Notifies everybody of trades on an instrument.
    pub(super) fn notify_trades(&mut self, name: &str, trades: &[PublicTrade]) {
        let Self { instruments, connections, .. } = self;
        let Some(instrument) = named(instruments, name).filter(|_| !trades.is_empty()) else { return };
        for connection in connections.values_mut() {
            let mut feeds = std::mem::take(&mut connection.feeds);
            for (channel, feed) in &mut feeds {
                match &feed.channel {
                    Channel::Trades(scope, pace) if scope.lets_in(instrument) => {
                        if gathers(*pace) {
                            feed.gather(trades);
                        } else {
                            connection.notify(notice(channel, feed, Some(name)), &trades);
                        }
                    }
                    _ => {}
                }
            }
            connection.feeds = feeds;
        }
    }

    /// Sends what the calls since the last time have changed; what is not sent at each change waits for its time.
    pub(super) fn publish(&mut self) {
        let changes = std::mem::take(&mut self.changes);
        for name in &changes.instruments {
            self.show(name);
        }
        let mut connections = std::mem::take(&mut self.connections);
        for connection in connections.values_mut() {
            let account = connection.login.as_ref().map(|login| login.account);
            for (&(owner, name), own) in &changes.own {
                if account != Some(owner) {
                    continue;
                }
                let Some(instrument) = self.instrument(name) else { continue };
                let mut feeds = std::mem::take(&mut connection.feeds);
                for (channel, feed) in &mut feeds {
                    match &feed.channel {
                        Channel::Own(Private::Changes, scope, pace) if scope.lets_in(instrument) => {
                            if gathers(*pace) {
                                feed.gather_changes(name, own);
                            } else {
                                let all = AllChanges::new(self, owner, instrument, own);
                                connection.notify(notice(channel, feed, Some(name)), &all);
                            }
                        }
                        _ => {}
                    }
                }
                connection.feeds = feeds;
            }
            for feed in connection.feeds.values_mut() {
                let is_touched = feed.channel.instrument().is_some_and(|name| changes.instruments.contains(name));
                feed.is_due |= is_touched || matches!(feed.channel, Channel::Portfolio(_));
            }
            connection.tell(self, UpdateInterval::Raw);
            connection.plan();
            connection.arrange(self.idle());
        }
        self.connections = connections;
    }

    /// Sends a connection what has changed on its channels of a pace.
    pub(super) fn flush(&mut self, number: u64, pace: UpdateInterval) {
        let Some(mut connection) = self.connections.remove(&number) else { return };
        connection.planned.remove(&pace);
        connection.tell(self, pace);
        self.connections.insert(number, connection);
    }

    /// The number of the last change of a book.
    pub(super) fn change_id(&self, instrument_name: &str) -> i64 {
        let known = self.books.get(instrument_name).and_then(|book| book.change_id);
        known.unwrap_or(super::state::FIRST_CHANGE)
    }
}

impl Connection {
    fn is_of(&self, account: usize) -> bool {
        self.login.as_ref().is_some_and(|login| login.account == account)
    }

    /// Sends what is due on the channels of a pace, and what begins on any.
    fn tell(&mut self, state: &State, pace: UpdateInterval) {
        let account = self.login.as_ref().map(|login| login.account);
        let mut feeds = std::mem::take(&mut self.feeds);
        for (channel, feed) in &mut feeds {
            if feed.is_due && (feed.channel.pace() == pace || feed.begins_at_once()) {
                feed.is_due = false;
                for news in feed.news(state, account) {
                    self.tell_news(state, channel, feed, news);
                }
            }
        }
        self.feeds = feeds;
    }

    fn tell_news(&self, state: &State, channel: &str, feed: &mut Feed, news: ChannelUpdate) {
        let notice = |news: &ChannelUpdate, label| NotificationInfo {
            channel,
            label,
            kind: news.kind,
            instrument: news.instrument,
            mark: news.mark,
        };
        let label = feed.label.clone();
        let fault = self.strike(notice(&news, None));
        // Where the numbers begin again, so does the book.
        let again = if fault == Some(Fault::Restart) && feed.restart() { feed.news(state, None).pop() } else { None };
        let news = again.unwrap_or(news);
        self.notify_with(notice(&news, label.as_deref()), &news.data, fault);
    }

    /// Sees to it that what is due is sent in time.
    fn plan(&mut self) {
        let now = Instant::now();
        for pace in [UpdateInterval::Fast, UpdateInterval::Second, UpdateInterval::Slow] {
            let is_due = self.feeds.values().any(|feed| feed.is_due && feed.channel.pace() == pace);
            if is_due && !self.planned.contains_key(&pace) {
                self.planned.insert(pace, now + pace.pause());
            }
        }
    }
}
