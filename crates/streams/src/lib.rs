//! Live streams behind venuekit's clients: data, and whether it can be trusted, in one order.
//!
//! A [`Subscription`] is a stream of [`Event`]s. Messages come as the types of their channel. Between them is what is known of
//! their state: [`Event::Stale`] when something may be missing, [`Event::Resynced`] when everything is certain again, and how much
//! was missed; [`Event::Lagged`] when this reader was too slow. What a venue sends with an unknown type or form is passed on as
//! [`Event::Unknown`]. Generated clients have a method for each channel; what is behind it is here, and knows no venue:
//!
//! | module | concern |
//! |---|---|
//! | [`Topic`] | a subscription as a value |
//! | [`Subscribe`], [`Subscription`] | one reader: its queue, and what happens when it is full ([`Overflow`]) |
//! | [`SubscribeBook`], [`LiveBook`] | order books that are kept up to date, and say whether they can be trusted |
//! | [`Streams`] | the connections of a client, shared by all its readers |
//! | [`record`], [`replay`] | frames on disk, and back through the same types, checks and books |
//!
//! Several readers of the same share what the venue sends; the first one subscribes, the last one unsubscribes. A gap, a lost connection
//! or an error of the venue is recovered in the way that the venue's table names, and readers are notified of its beginning and its end.
//!
//! ```no_run
//! use venuekit_streams::{Event, Streams, Topic};
//! # async fn run(streams: Streams) -> Result<(), Box<dyn std::error::Error>> {
//! let topic = Topic::parse(streams.table(), "trade", [("market_tickers", "KXRAIN-26DEC01-T0.5")])?;
//! let mut trades = streams.topic(topic).subscribe().await?;
//! while let Some(event) = trades.next().await {
//!     match event {
//!         Event::Message(trade) => println!("{}", trade.to_value()?),
//!         Event::Stale(why) => println!("uncertain from here on: {}", why.reason),
//!         Event::Resynced(how) => println!("certain again, missed: {:?}", how.missed),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

mod audit;
mod catch_up;
mod contents;
mod dialect;
mod error;
mod event;
pub mod generated;
mod hub;
mod link;
mod live_book;
mod queue;
mod read;
pub mod record;
pub mod replay;
mod sink;
mod stats;
mod streams;
mod subscribe;
mod subscription;
mod topic;
mod withheld;

use venuekit_transport::scan;

pub use audit::Audit;
pub use error::{Error, ReadError, Refusal, Refused};
pub use event::{Ended, Event, Message, Missed, Origin, Raw, Reason, Resynced, Silent, Stale};
pub use generated::{All, BookVisitor, Items};
pub use live_book::{BookChange, BookStats, LiveBook};
pub use queue::Overflow;
pub use read::StreamMessage;
pub use stats::Stats;
pub use streams::{StreamOptions, Streams};
pub use subscribe::{Subscribe, SubscribeBook};
pub use subscription::{ReaderStats, Subscription};
pub use topic::{Topic, TopicError, Value};
