//! The commands: subscribe, change, end, list.

use std::collections::HashMap;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::channels::{Channel, Endpoint, Filter};
use super::codes;
use super::connections::Connection;
use super::params::{Command, Params};
use super::send::{CommandReply, FrameWriter};
use super::settings::KalshiSettings;
use super::subscription::{Quotes, Subscription};
use crate::faults::Fault;
use crate::kalshi::auth;
use crate::kalshi::markets::market_id;
use crate::kalshi::state::State;
use crate::streams::CloseReason;

/// The word for all indices.
const ALL: &str = "all";

/// Carries out a message of a connection, unless that has been cut.
pub(super) fn carry_out(state: &mut State, number: u64, text: &str) -> ControlFlow<CloseReason> {
    let Some(mut connection) = state.feeds.connections.remove(&number) else { return Break(CloseReason::Abort) };
    let flow = CommandHandler { state, connection: &mut connection }.carry_out(text);
    state.feeds.connections.insert(number, connection);
    flow
}

struct CommandHandler<'a> {
    state: &'a mut State,
    connection: &'a mut Connection,
}

/// What a command asks to receive.
struct MarketSelection {
    /// Markets, by their tickers.
    markets: Vec<String>,
    /// Whether they were named by their ids.
    by_id: bool,
}

impl CommandHandler<'_> {
    fn writer(&self) -> FrameWriter<'_> {
        self.state.feeds.writer()
    }

    fn refuse(&self, id: Option<i64>, channel: Option<&'static str>, code: i64) {
        self.writer().refuse(self.connection, id, channel, code);
    }

    fn carry_out(&mut self, text: &str) -> ControlFlow<CloseReason> {
        let command = match Command::read(text) {
            Ok(command) => command,
            Err(unread) => {
                self.refuse(unread.id, None, unread.code);
                return Continue(());
            }
        };
        let id = command.id;
        let outcome = match (command.name.as_str(), &command.params) {
            ("subscribe", Some(params)) => self.subscribe(id, params),
            ("update_subscription", Some(params)) => self.update(id, params),
            ("unsubscribe", Some(params)) => self.unsubscribe(id, params),
            ("subscribe" | "update_subscription" | "unsubscribe", None) => Err(codes::NO_PARAMS),
            ("list_subscriptions", _) => {
                self.list(id);
                Ok(Continue(()))
            }
            _ => Err(codes::UNKNOWN_COMMAND),
        };
        outcome.unwrap_or_else(|code| {
            self.refuse(id, None, code);
            Continue(())
        })
    }

    /// What goes wrong on purpose with a command on a channel: whether it continues.
    fn meets_fault(&self, id: Option<i64>, command: &str, channel: &'static str) -> ControlFlow<CloseReason, bool> {
        let names = [command, &format!("{command}/{channel}")];
        match self.writer().strike(self.connection.endpoint, &names, true) {
            Some(Fault::Error { code, text }) => {
                let msg = Some(codes::data(code, text.as_deref()));
                let answer = CommandReply { kind: "error", channel: Some(channel), msg, ..CommandReply::default() };
                self.writer().reply(self.connection, id, answer);
                Continue(false)
            }
            Some(Fault::LeaveOut | Fault::SilenceBefore | Fault::Drop) => Continue(false),
            Some(Fault::DropBefore) => Break(CloseReason::Abort),
            Some(Fault::Close { code, reason }) => Break(CloseReason::Close(code, reason)),
            _ => Continue(true),
        }
    }

    fn subscribe(&mut self, id: Option<i64>, params: &Params) -> Result<ControlFlow<CloseReason>, i64> {
        let channels = params.texts("channels")?;
        if channels.is_empty() {
            return Err(codes::NO_CHANNELS);
        }
        let quotes = quotes(params)?;
        let selected_markets = self.selected_markets(params)?;
        for name in channels {
            let Some(channel) = self.connection.endpoint.channel(&name) else {
                self.refuse(id, None, codes::UNKNOWN_CHANNEL);
                continue;
            };
            match self.meets_fault(id, "subscribe", channel.name) {
                Continue(true) => {}
                Continue(false) => continue,
                Break(end) => return Ok(Break(end)),
            }
            if let Err(code) = self.subscribe_to(id, channel, params, &selected_markets, quotes) {
                self.refuse(id, Some(channel.name), code);
            }
        }
        Ok(Continue(()))
    }

    fn subscribe_to(
        &mut self,
        id: Option<i64>,
        channel: &'static Channel,
        params: &Params,
        selected_markets: &MarketSelection,
        quotes: Quotes,
    ) -> Result<(), i64> {
        if channel.private && auth::authorize(&self.connection.key, Some("read")).is_err() {
            return Err(codes::NOT_ALLOWED);
        }
        let named = match channel.filter {
            Filter::Named if selected_markets.markets.is_empty() => return Err(codes::NO_MARKET),
            Filter::Named | Filter::Markets => selected_markets.markets.clone(),
            Filter::Indices(_) if !self.state.feeds.settings.indices => return Err(codes::NOT_ALLOWED),
            Filter::Indices(indices) => params.texts(indices.member)?,
            Filter::None | Filter::Quotes => Vec::new(),
        };
        let (use_yes_price, skip_ack) = (params.flag("use_yes_price")?, params.flag("skip_ticker_ack")?);
        let initial = params.flag("send_initial_snapshot")?.unwrap_or(false);
        let known = self.connection.subscriptions.get(channel.name);
        check_count(&self.state.feeds.settings, known, &named)?;
        let is_new = known.is_none();
        if is_new {
            self.connection.last_sid += 1;
            let mut subscription = Subscription::new(channel, self.connection.last_sid);
            subscription.quotes = quotes;
            subscription.use_yes_price = use_yes_price.unwrap_or(false);
            self.connection.subscriptions.insert(channel.name, subscription);
        }
        let subscription = self.connection.subscriptions.get_mut(channel.name).ok_or(codes::CHANNEL_FAILED)?;
        let takes_all = match channel.filter {
            Filter::Markets => named.is_empty(),
            Filter::None | Filter::Quotes => true,
            Filter::Named | Filter::Indices(_) => false,
        };
        subscription.selection.all |= takes_all;
        subscription.skip_ack = skip_ack.unwrap_or(subscription.skip_ack);
        let added = subscription.selection.add(&named, all_word(channel));
        let sid = subscription.sid;
        if is_new {
            let msg = Some(json!({"channel": channel.name, "sid": sid}));
            let answer =
                CommandReply { kind: "subscribed", channel: Some(channel.name), sid: Some(sid), seq: None, msg };
            self.writer().reply(self.connection, id, answer);
        } else {
            self.acknowledge(id, channel, selected_markets.by_id, false);
        }
        self.begin(channel, &added, takes_all, initial);
        Ok(())
    }

    /// Says what a subscription has now.
    fn acknowledge(&mut self, id: Option<i64>, channel: &'static Channel, by_id: bool, is_update: bool) {
        let counts = is_update && self.state.feeds.settings.counts_replies;
        let Some(subscription) = self.connection.subscriptions.get_mut(channel.name) else { return };
        let mut names: Vec<&str> = subscription.selection.names.iter().map(|name| &**name).collect();
        let (msg, counts) = match channel.filter {
            Filter::Indices(indices) => {
                if subscription.selection.all {
                    names.push(ALL);
                }
                (Some(json!({ indices.member: names })), true)
            }
            Filter::None | Filter::Quotes => (None, counts),
            Filter::Named | Filter::Markets => {
                if subscription.skip_ack {
                    names.clear();
                }
                let mut msg = json!({"market_tickers": names});
                if by_id {
                    msg["market_ids"] = names.iter().map(|ticker| market_id(ticker)).collect();
                }
                (Some(msg), counts)
            }
        };
        let seq = (counts && channel.counted).then(|| subscription.next_seq());
        let sid = Some(subscription.sid);
        self.writer().reply(
            self.connection,
            id,
            CommandReply { kind: "ok", channel: Some(channel.name), sid, seq, msg },
        );
    }

    /// Sends what a subscription begins with.
    fn begin(&mut self, channel: &'static Channel, added: &[Arc<str>], takes_all: bool, initial: bool) {
        match (channel.name, channel.filter) {
            ("orderbook_delta", _) => self.state.send_snapshots(self.connection, added, None),
            ("ticker", _) if initial => {
                let markets = if takes_all { self.markets() } else { added.to_vec() };
                self.state.send_tickers(self.connection, &markets);
            }
            (_, Filter::Indices(indices)) => {
                let settings = &self.state.feeds.settings;
                let pause = Duration::from_millis(settings.index_millis / indices.per_value);
                if let Some(subscription) = self.connection.subscriptions.get_mut(channel.name)
                    && settings.index_millis > 0
                {
                    let at = Instant::now() + pause;
                    subscription.next_value.get_or_insert(at);
                    self.connection.outbox.tick_at(at);
                }
            }
            _ => {}
        }
    }

    /// The tickers of all markets.
    fn markets(&self) -> Vec<Arc<str>> {
        match self.connection.endpoint {
            Endpoint::Events => self.state.markets.iter().map(|market| market.ticker.as_str().into()).collect(),
            Endpoint::Perps => self.state.perps.contracts.iter().map(|contract| contract.ticker.into()).collect(),
        }
    }

    /// The markets that a command names, by tickers or ids.
    fn selected_markets(&self, params: &Params) -> Result<MarketSelection, i64> {
        let mut markets = params.one_or_several("market_ticker", "market_tickers")?;
        let ids = params.one_or_several("market_id", "market_ids")?;
        let by_id = !ids.is_empty();
        if by_id && self.connection.endpoint == Endpoint::Perps {
            return Err(codes::INVALID);
        }
        if by_id {
            let known: HashMap<String, &str> =
                self.state.markets.iter().map(|market| (market_id(&market.ticker), market.ticker.as_str())).collect();
            // One that it is unknown is let in and never heard of, like a ticker.
            markets.extend(ids.into_iter().map(|id| known.get(&id).map_or(id, |ticker| (*ticker).to_owned())));
        }
        Ok(MarketSelection { markets, by_id })
    }

    fn update(&mut self, id: Option<i64>, params: &Params) -> Result<ControlFlow<CloseReason>, i64> {
        let mut sids = params.integers("sids")?;
        sids.extend(params.integer("sid")?);
        let action = params.text("action")?.filter(|action| !action.is_empty()).ok_or(codes::NO_ACTION)?;
        let [sid] = sids[..] else { return Err(codes::ONE_SID) };
        let channel = self.channel_of(sid).ok_or(codes::UNKNOWN_SID)?;
        match self.meets_fault(id, action, channel.name) {
            Continue(true) => {}
            Continue(false) => return Ok(Continue(())),
            Break(end) => return Ok(Break(end)),
        }
        let done = self.count_command(channel).and_then(|()| self.change(id, channel, action, params));
        if let Err(code) = done {
            let msg = Some(codes::data(code, None));
            let sid = u64::try_from(sid).ok();
            self.writer().reply(
                self.connection,
                id,
                CommandReply { kind: "error", channel: Some(channel.name), sid, seq: None, msg },
            );
        }
        Ok(Continue(()))
    }

    fn channel_of(&self, sid: i64) -> Option<&'static Channel> {
        let mut all = self.connection.subscriptions.values();
        all.find(|subscription| i64::try_from(subscription.sid) == Ok(sid)).map(|subscription| subscription.channel)
    }

    /// Counts a command, and refuses one too many within a second.
    fn count_command(&mut self, channel: &'static Channel) -> Result<(), i64> {
        let most = self.state.feeds.settings.commands_per_second;
        let Some(subscription) = self.connection.subscriptions.get_mut(channel.name) else { return Ok(()) };
        let now = Instant::now();
        let (since, count) = &mut subscription.commands;
        if since.is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1)) {
            (*since, *count) = (Some(now), 0);
        }
        *count = count.saturating_add(1);
        if most > 0 && *count > most { Err(codes::TOO_MANY_COMMANDS) } else { Ok(()) }
    }

    fn change(&mut self, id: Option<i64>, channel: &'static Channel, action: &str, params: &Params) -> Result<(), i64> {
        if let Filter::Indices(indices) = channel.filter {
            let [add, remove, list] = indices.actions;
            if action == list {
                self.list_indices(id, channel, indices.list, &json!({indices.member: indices.known}));
                return Ok(());
            }
            let names = params.texts(indices.member)?;
            if ![add, remove].contains(&action) {
                return Err(codes::UNSUPPORTED);
            } else if names.is_empty() {
                return Err(indices.missing);
            }
            let subscription = self.connection.subscriptions.get_mut(channel.name).ok_or(codes::UNKNOWN_SID)?;
            if action == add {
                subscription.selection.add(&names, Some(ALL));
            } else {
                subscription.selection.remove(&names, Some(ALL));
            }
            self.acknowledge(id, channel, false, true);
            return Ok(());
        }
        let is_known = match action {
            "add_markets" | "delete_markets" => matches!(channel.filter, Filter::Named | Filter::Markets),
            "get_snapshot" => channel.filter == Filter::Named,
            _ => false,
        };
        if !is_known {
            return Err(codes::UNSUPPORTED);
        }
        let selected_markets = self.selected_markets(params)?;
        if selected_markets.markets.is_empty() {
            return Err(codes::NO_MARKET);
        }
        if action == "get_snapshot" {
            let markets: Vec<Arc<str>> = selected_markets.markets.iter().map(|market| market.as_str().into()).collect();
            self.state.send_snapshots(self.connection, &markets, id);
            return Ok(());
        }
        let initial = params.flag("send_initial_snapshot")?.unwrap_or(false);
        let skip_ack = params.flag("skip_ticker_ack")?;
        let subscription = self.connection.subscriptions.get_mut(channel.name).ok_or(codes::UNKNOWN_SID)?;
        subscription.skip_ack = skip_ack.unwrap_or(subscription.skip_ack);
        let mut added = Vec::new();
        if action == "add_markets" {
            check_count(&self.state.feeds.settings, Some(subscription), &selected_markets.markets)?;
            added = subscription.selection.add(&selected_markets.markets, None);
        } else {
            subscription.selection.remove(&selected_markets.markets, None);
        }
        self.acknowledge(id, channel, selected_markets.by_id, true);
        self.begin(channel, &added, false, initial);
        Ok(())
    }

    fn list_indices(&mut self, id: Option<i64>, channel: &'static Channel, kind: &'static str, msg: &Value) {
        let Some(subscription) = self.connection.subscriptions.get_mut(channel.name) else { return };
        let (sid, seq) = (Some(subscription.sid), Some(subscription.next_seq()));
        let answer = CommandReply { kind, channel: Some(channel.name), sid, seq, msg: Some(msg.clone()) };
        self.writer().reply(self.connection, id, answer);
    }

    fn unsubscribe(&mut self, id: Option<i64>, params: &Params) -> Result<ControlFlow<CloseReason>, i64> {
        let sids = params.integers("sids")?;
        if sids.is_empty() {
            return Err(codes::NO_SIDS);
        }
        for sid in sids {
            let Some(channel) = self.channel_of(sid) else {
                self.refuse(id, None, codes::UNKNOWN_SID);
                continue;
            };
            match self.meets_fault(id, "unsubscribe", channel.name) {
                Continue(true) => {}
                Continue(false) => continue,
                Break(end) => return Ok(Break(end)),
            }
            let Some(mut subscription) = self.connection.subscriptions.remove(channel.name) else { continue };
            let (sid, seq) = (Some(subscription.sid), Some(subscription.next_seq()));
            let answer = CommandReply { kind: "unsubscribed", channel: Some(channel.name), sid, seq, msg: None };
            self.writer().reply(self.connection, id, answer);
        }
        Ok(Continue(()))
    }

    fn list(&self, id: Option<i64>) {
        let mut all: Vec<&Subscription> = self.connection.subscriptions.values().collect();
        all.sort_by_key(|subscription| subscription.sid);
        let shown = all.iter().map(|one| json!({"channel": one.channel.name, "sid": one.sid}));
        let msg = Some(shown.collect());
        self.writer().reply(self.connection, id, CommandReply { kind: "ok", msg, ..CommandReply::default() });
    }
}

fn all_word(channel: &Channel) -> Option<&'static str> {
    matches!(channel.filter, Filter::Indices(_)).then_some(ALL)
}

fn check_count(settings: &KalshiSettings, known: Option<&Subscription>, names: &[String]) -> Result<(), i64> {
    let is_new = |name: &&String| known.is_none_or(|known| !known.selection.names.contains(name.as_str()));
    let count = known.map_or(0, |known| known.selection.names.len()) + names.iter().filter(is_new).count();
    if count > settings.markets { Err(codes::TOO_MANY_MARKETS) } else { Ok(()) }
}

fn quotes(params: &Params) -> Result<Quotes, i64> {
    let own = match params.text("user_filter")? {
        None | Some("") => false,
        Some("self") => true,
        Some(_) => return Err(codes::INVALID),
    };
    let shard = match (params.integer("shard_factor")?, params.integer("shard_key")?) {
        (None, None) => None,
        (None, Some(_)) => return Err(codes::NO_SHARD_FACTOR),
        (Some(factor), _) if factor <= 0 => return Err(codes::SHARD_FACTOR),
        (Some(factor), _) if factor > 100 => return Err(codes::SHARD_FACTOR_TOO_LARGE),
        (Some(factor), key) => {
            let key = key.unwrap_or(0);
            if !(0..factor).contains(&key) {
                return Err(codes::SHARD_KEY);
            }
            Some((factor.unsigned_abs(), key.unsigned_abs()))
        }
    };
    Ok(Quotes { own, shard })
}
