//! What one connection receives on one channel.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use super::channels::Channel;

/// What a subscription lets in.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    /// Whether it lets in everything. Names that were chosen are remembered nevertheless.
    pub(super) all: bool,
    pub(super) names: BTreeSet<Arc<str>>,
}

impl Selection {
    pub(super) fn has(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }

    /// Adds names and gives those that were not there. `all` stands for everything.
    pub(super) fn add(&mut self, names: &[String], all_word: Option<&str>) -> Vec<Arc<str>> {
        let mut added = Vec::new();
        for name in names {
            if Some(name.as_str()) == all_word {
                self.all = true;
            } else if !self.names.contains(name.as_str()) {
                let name: Arc<str> = name.as_str().into();
                self.names.insert(Arc::clone(&name));
                added.push(name);
            }
        }
        added
    }

    pub(super) fn remove(&mut self, names: &[String], all_word: Option<&str>) {
        for name in names {
            if Some(name.as_str()) == all_word {
                self.all = false;
            }
            self.names.remove(name.as_str());
        }
    }
}

/// Which share of the requests for quotes a subscription receives.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quotes {
    /// Whether only own requests are sent.
    pub(super) own: bool,
    /// Into how many shares, and which one.
    pub(super) shard: Option<(u64, u64)>,
}

impl Quotes {
    pub(super) fn has(&self, name: &str) -> bool {
        // FNV-1a: any even spread does.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        self.shard.is_none_or(|(factor, key)| hash % factor == key)
    }
}

/// What one connection receives on one channel.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) channel: &'static Channel,
    pub(super) sid: u64,
    /// The number of the last frame.
    pub(super) seq: u64,
    pub(super) selection: Selection,
    /// Whether prices of the no side are sent as the equivalent yes prices.
    pub(super) use_yes_price: bool,
    pub(super) skip_ack: bool,
    pub(super) quotes: Quotes,
    /// When the ticker of a market was sent last.
    pub(super) sent_tickers: BTreeMap<Arc<str>, Instant>,
    /// Markets whose ticker has changed since.
    pub(super) due: BTreeSet<Arc<str>>,
    /// When the indices have their next values.
    pub(super) next_value: Option<Instant>,
    /// When the second began in which commands are counted, and how many there were.
    pub(super) commands: (Option<Instant>, u32),
}

impl Subscription {
    pub(super) fn new(channel: &'static Channel, sid: u64) -> Self {
        Self {
            channel,
            sid,
            seq: 0,
            selection: Selection::default(),
            use_yes_price: false,
            skip_ack: false,
            quotes: Quotes::default(),
            sent_tickers: BTreeMap::new(),
            due: BTreeSet::new(),
            next_value: None,
            commands: (None, 0),
        }
    }

    pub(super) fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_a_mode_beside_names() {
        let names = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let mut selection = Selection::default();
        assert_eq!(selection.add(&names(&["BRTI", "all", "BRTI"]), Some("all")).len(), 1);
        assert!(selection.has("ETHUSD_RTI"));
        selection.remove(&names(&["BRTI"]), Some("all"));
        assert!(selection.has("BRTI"), "one that is taken away is not left out of all");
        selection.add(&names(&["BRTI"]), Some("all"));
        selection.remove(&names(&["all"]), Some("all"));
        assert!(selection.has("BRTI") && !selection.has("ETHUSD_RTI"));
    }

    #[test]
    fn each_request_is_in_one_share() {
        for ticker in ["KXA-1", "KXB-2", "KXC-3"] {
            let has = |key| Quotes { own: false, shard: Some((4, key)) }.has(ticker);
            assert_eq!((0..4).filter(|key| has(*key)).count(), 1, "{ticker}");
        }
    }
}
