//! Paper trading: markets that move. A seeded random walk, or a recording, quotes and trades on every venue that has markets.

mod recording;
mod requote;
mod walk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tokio::task::AbortHandle;

pub use self::recording::{Recording, RecordingError};
pub(crate) use self::requote::requoted;
use self::walk::Walks;
use crate::venues::{Venue, Venues};

/// How the market maker works.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MarketMakerSettings {
    /// The seed of the random walk: the same seed makes the same prices.
    pub seed: u64,
    /// How often each market changes, in milliseconds: 10 to 60,000.
    pub interval_millis: u64,
    /// What is played back in place of the random walk.
    #[serde(skip)]
    pub recording: Option<Arc<Recording>>,
}

impl Default for MarketMakerSettings {
    fn default() -> Self {
        Self { seed: 0, interval_millis: 500, recording: None }
    }
}

/// A market that can be quoted.
#[derive(Clone, Debug)]
pub(crate) struct Tradable {
    pub(crate) id: String,
    /// Where its price begins.
    pub(crate) price: Decimal,
    pub(crate) tick: Decimal,
    pub(crate) lowest: Decimal,
    pub(crate) highest: Decimal,
    /// Sizes are multiples of it.
    pub(crate) lot: Decimal,
}

/// What a market is to look like next.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MarketStep {
    /// Price and size, the best first.
    pub(crate) bids: Vec<(Decimal, Decimal)>,
    pub(crate) asks: Vec<(Decimal, Decimal)>,
    /// Orders that take what is in the book.
    pub(crate) trades: Vec<Taker>,
}

impl MarketStep {
    /// One of its prices.
    pub(crate) fn any_price(&self) -> Decimal {
        let levels = self.bids.first().or(self.asks.first()).map(|(price, _)| *price);
        levels.or_else(|| self.trades.first().map(|taker| taker.price)).unwrap_or_default()
    }
}

/// An order that takes what is in the book, down to a price.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taker {
    pub(crate) is_buy: bool,
    pub(crate) price: Decimal,
    pub(crate) size: Decimal,
}

/// The market maker of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct MarketMaker(Mutex<Option<Running>>);

#[derive(Debug)]
struct Running {
    settings: MarketMakerSettings,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl MarketMaker {
    /// Starts it, or changes how it works; with nothing it stops.
    pub(crate) fn set(&self, venues: &Arc<Venues>, settings: Option<MarketMakerSettings>) -> Result<(), String> {
        let Some(settings) = settings else {
            self.stop();
            return Ok(());
        };
        if !(10..=60_000).contains(&settings.interval_millis) {
            return Err("invalid interval_millis: expected 10 to 60000".to_owned());
        }
        let venues = Arc::downgrade(venues);
        let own = settings.clone();
        let task = tokio::spawn(async move {
            let mut source = Source::new(&own);
            let mut ticks = tokio::time::interval(Duration::from_millis(own.interval_millis));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(venues) = venues.upgrade() else { return };
                let step = tokio::task::spawn_blocking(move || {
                    source.step(&venues);
                    source
                });
                match step.await {
                    Ok(stepped) => source = stepped,
                    Err(_) => return,
                }
            }
        });
        *self.lock() = Some(Running { settings, task: task.abort_handle() });
        Ok(())
    }

    pub(crate) fn stop(&self) {
        *self.lock() = None;
    }

    pub(crate) fn settings(&self) -> Option<MarketMakerSettings> {
        self.lock().as_ref().map(|running| running.settings.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the steps come from.
enum Source {
    Walk(Walks),
    Recording { recording: Arc<Recording>, next: usize, started: Option<i64> },
}

impl Source {
    fn new(settings: &MarketMakerSettings) -> Self {
        match &settings.recording {
            Some(recording) => Self::Recording { recording: Arc::clone(recording), next: 0, started: None },
            None => Self::Walk(Walks::new(settings.seed)),
        }
    }

    /// Changes every market once.
    fn step(&mut self, venues: &Venues) {
        match self {
            Self::Walk(walks) => {
                for venue in Venue::ALL {
                    for market in venues.tradable(venue) {
                        let step = walks.step(venue.name(), &market);
                        venues.make_market(venue, &market.id, &step);
                    }
                }
            }
            Self::Recording { recording, next, started } => {
                let now = venues.clock.millis();
                let elapsed = now - *started.get_or_insert(now);
                let due = recording.lines()[*next..].iter().take_while(|line| line.at_millis <= elapsed);
                let due: Vec<_> = due.collect();
                *next += due.len();
                // Of several states of a market the last one counts; every trade does.
                let mut steps: BTreeMap<(Venue, &str), MarketStep> = BTreeMap::new();
                for line in due {
                    line.add_to(steps.entry((line.venue(), line.market.as_str())).or_default());
                }
                for ((venue, market), step) in steps {
                    venues.make_market(venue, market, &step);
                }
            }
        }
    }
}
