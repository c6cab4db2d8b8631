//! `venuekit watch`: what a venue streams.

mod board;
mod book_line;
mod books;
mod channels;
mod ladder;
mod limits;
mod message;
mod messages;
mod open;
mod outcome;
mod screen;
mod status;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use venuekit_wire::stream::Streams;

use self::limits::Limits;
use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::subject::Subject;
use crate::topic;
use crate::venue::Venue;

#[derive(Args, Debug)]
#[command(disable_help_flag = true, after_help = AFTER_HELP)]
pub struct WatchArgs {
    /// The venue, or VENUE/ENVIRONMENT, or the key to use as VENUE/ENVIRONMENT/NAME
    #[arg(value_name = "VENUE", add = ArgValueCompleter::new(complete::venues))]
    subject: Option<Subject>,
    /// The channel; a venue alone lists them
    #[arg(add = ArgValueCompleter::new(complete::channels))]
    channel: Option<String>,
    /// Channel parameters, by name: `market_tickers=A,B`, `interval=100ms`
    #[arg(value_name = "NAME=VALUE", add = ArgValueCompleter::new(complete::channel_parameters))]
    parameters: Vec<String>,
    /// List the channels
    #[arg(long, conflicts_with_all = ["channel", "parameters"])]
    channels: bool,
    /// Show the order book that the channel makes: a ladder in a terminal, one line per change otherwise
    #[arg(long)]
    book: bool,
    /// With --book and --json, the number of levels of each side
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    levels: u16,
    /// Stop after N messages or book changes
    #[arg(long, value_name = "N", value_parser = limits::count)]
    count: Option<u64>,
    /// Stop after this time, such as 30s, 5m or 2h
    #[arg(long = "for", value_name = "TIME", value_parser = limits::span)]
    span: Option<Duration>,
    /// Record all frames, with the times at which they arrived, into this new file
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Replay a file that --record wrote; the venue is not contacted
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// The channel's parameters and content
    #[arg(long, short)]
    help: bool,
}

const AFTER_HELP: &str = "\
With a venue and a channel, --help shows the channel's parameters and content.

It runs until it is interrupted, or until --count or --for end it. Messages and their state are printed in one order: after `stale` data \
may be incomplete until `resynchronized`, which reports how much was permanently lost. With --json each line is a JSON object: \
`event` is `message`, `book`, `stale`, `resynced`, `lagged`, `unknown`, `refused` or `ended`.

Examples:
  venuekit watch deribit --channels
  venuekit watch deribit ticker instrument_name=BTC-PERPETUAL interval=100ms --env test
  venuekit watch deribit book.BTC-PERPETUAL.100ms --book --env test
  venuekit watch kalshi trade --env demo --json --count 10
  venuekit watch kalshi orderbook_delta market_tickers=A,B --env demo --record day.jsonl.zst";

/// `venuekit watch`.
pub async fn run(context: &Context, arguments: &WatchArgs) -> Result<(), Failure> {
    let out = context.out();
    let Some(subject) = &arguments.subject else {
        if arguments.help {
            context.print_help_of("watch");
            return Ok(());
        }
        return Err(Failure::usage("no venue and no channel was given")
            .help("write venuekit watch VENUE CHANNEL; `venuekit watch VENUE` lists channels"));
    };
    let table = table(subject.venue)?;
    let Some(name) = &arguments.channel else {
        channels::all(out, subject.venue, table);
        return out.finish();
    };
    if arguments.help {
        let (channel, _) = topic::channel(subject.venue, table, name)?;
        channels::one(out, subject.venue, table, channel);
        return Ok(());
    }
    let topic = topic::read(subject.venue, table, name, &arguments.parameters)?;
    if arguments.book && !topic.channel().is_book {
        let books: Vec<&str> =
            table.channels.iter().filter(|channel| channel.is_book).map(|channel| channel.id).collect();
        let help = format!("these do: {}", books.join(", "));
        return Err(Failure::usage(format!("`{}` makes no order book", topic.channel().id)).code("no_book").help(help));
    }
    let limits = Limits::new(arguments.count, arguments.span);
    let source = open::source(context, subject, table, &topic, arguments).await?;
    match arguments.book {
        true => books::run(context, subject.venue, source, topic, limits, usize::from(arguments.levels)).await,
        false => messages::run(context, source, topic, limits).await,
    }
}

/// The channels of a venue.
fn table(venue: Venue) -> Result<&'static Streams, Failure> {
    venue.streams().ok_or_else(|| {
        let others: Vec<&str> = Venue::all().filter(|one| one.streams().is_some()).map(Venue::name).collect();
        let help = format!("these do: {}", others.join(", "));
        Failure::usage(format!("{venue} has no live streams")).code("no_streams").help(help)
    })
}
