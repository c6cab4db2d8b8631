//! Watching the order books that a channel makes: a ladder in a terminal, a line a change elsewhere.

use std::future::Future;
use std::io::IsTerminal;
use std::pin::{Pin, pin};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use venuekit_books::BookMessage;
use venuekit_streams::{BookChange, BookVisitor, Event, LiveBook, Message, StreamMessage, Subscribe, Topic};
use venuekit_wire::UnixMillis;

use super::board::{Board, BookState};
use super::book_line;
use super::limits::Limits;
use super::messages::show;
use super::open::Source;
use super::outcome::{Outcome, begun, finished, internal};
use super::screen::{KeyAction, Screen};
use super::status::StreamStatus;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::interrupt::stopped;
use crate::venue::Venue;

/// Watches until something ends it.
pub async fn run(
    context: &Context,
    venue: Venue,
    source: Source,
    topic: Topic,
    limits: Limits,
    levels: usize,
) -> Result<(), Failure> {
    let channel = topic.channel().id;
    match venue.with_book(channel, Watch { context, source, topic, limits, levels }) {
        Some(watching) => watching.await,
        None => Err(Failure::new(Exit::Internal, format!("`{channel}` has no book in the client"))),
    }
}

struct Watch<'a> {
    context: &'a Context,
    source: Source,
    topic: Topic,
    limits: Limits,
    levels: usize,
}

impl<'a> BookVisitor for Watch<'a> {
    type Output = Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

    fn visit<T: StreamMessage + BookMessage>(self) -> Self::Output {
        Box::pin(watch::<T>(self))
    }
}

async fn watch<T: StreamMessage + BookMessage>(watch: Watch<'_>) -> Result<(), Failure> {
    let Watch { context, mut source, topic, mut limits, levels } = watch;
    let out = context.out();
    let mut stopped = pin!(stopped().map_err(internal)?);
    let subscribe = Subscribe::<T>::new(source.streams.clone(), topic.clone()).book();
    let mut books = tokio::select! {
        made = subscribe.subscribe() => match made {
            Ok(made) => made,
            Err(error) => return Err(source.refused(&error)),
        },
        _ = &mut stopped => return source.close().await,
        after = limits.overdue() => return Err(source.unconfirmed(after, None)),
    };
    begun(out, &source, &topic);
    let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let mut screen = match !out.is_json() && is_terminal {
        true => Some(Screen::open(source.place.clone(), topic.to_string(), out.has_colours()).map_err(internal)?),
        false => None,
    };
    let playing = source.play();
    let mut messages = 0_u64;
    let mut board = Board::default();
    let outcome = loop {
        let due = screen.as_ref().map(Screen::due);
        let event = tokio::select! {
            // Keys first: a busy book leaves them no turn else.
            biased;
            _ = &mut stopped => break Outcome::Enough,
            () = limits.over() => break Outcome::Enough,
            action = action(&mut screen) => match action {
                KeyAction::End => break Outcome::Enough,
                action => {
                    turn(&mut screen, action, &board);
                    continue;
                }
            },
            () = at(due) => {
                if let Some(screen) = &mut screen {
                    screen.draw(&board).map_err(internal)?;
                }
                continue;
            }
            event = books.next() => event,
        };
        let Some(event) = event else { break Outcome::Enough };
        messages += u64::from(matches!(event, Event::Message(_) | Event::Unknown(_)));
        let is_enough = match &event {
            Event::Message(message) => {
                changed(context, &books, &mut board, message, screen.is_none(), levels) && limits.shown(1)
            }
            other => {
                if let Some(status) = StreamStatus::of(other) {
                    board.status(&status);
                    if screen.is_none() {
                        show(context, &status);
                    }
                }
                false
            }
        };
        if let Some(screen) = &mut screen {
            screen.changed();
        }
        if let Event::Ended(ended) = event {
            break Outcome::Ended(ended);
        }
        if is_enough || out.is_closed() {
            break Outcome::Enough;
        }
    };
    // The terminal shows lines again before anything is said.
    drop(screen);
    books.close().await;
    finished(context, &source, &topic, messages, playing, outcome).await
}

/// Takes a change over, and shows it where no ladder does. Whether there was one.
fn changed<T>(
    context: &Context,
    books: &LiveBook<T>,
    board: &mut Board,
    message: &Message<BookChange>,
    in_lines: bool,
    levels: usize,
) -> bool {
    let instrument = &message.value.instrument;
    let Some(book) = books.get(instrument) else { return false };
    let (received, sequence) = (message.received, message.sequence);
    let shown = BookState { book, received, lag: lag(received, message.sent), sequence };
    if in_lines {
        let out = context.out();
        match out.is_json() {
            true => out.document(&book_line::json(instrument, &shown, books.is_live(instrument), levels)),
            false => out.line(&book_line::text(instrument, &shown)),
        }
    }
    board.change(instrument.clone(), shown, message.value.updates);
    true
}

/// How long a message was in flight, by the clocks of both. Clocks that differ make it nothing, not less.
fn lag(received: SystemTime, sent: Option<UnixMillis>) -> Option<Duration> {
    let sent = UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(sent?.0).ok()?))?;
    Some(received.duration_since(sent).unwrap_or_default())
}

async fn action(screen: &mut Option<Screen>) -> KeyAction {
    match screen {
        Some(screen) => screen.action().await,
        None => std::future::pending().await,
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn turn(screen: &mut Option<Screen>, action: KeyAction, board: &Board) {
    if let Some(screen) = screen {
        screen.turn(action, board.instruments().len());
    }
}
