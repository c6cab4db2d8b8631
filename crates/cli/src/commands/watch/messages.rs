//! Watching messages: a line each, in text or JSON, with their state between them.

use std::pin::pin;
use std::time::SystemTime;

use venuekit_streams::{Event, Overflow, Topic};

use super::limits::Limits;
use super::open::Source;
use super::outcome::{Outcome, begun, finished};
use super::status::StreamStatus;
use super::{message, outcome};
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::stopped;

/// Watches until something ends it.
pub async fn run(context: &Context, mut source: Source, topic: Topic, mut limits: Limits) -> Result<(), Failure> {
    let out = context.out();
    let mut stopped = pin!(stopped().map_err(outcome::internal)?);
    let channel = topic.channel().id;
    let mut subscription = tokio::select! {
        // A terminal or a pipe that is slow for a moment costs nothing while there is room; a recording waits for it.
        made = source.streams.topic(topic.clone()).overflow(overflow(&source)).subscribe() => match made {
            Ok(made) => made,
            Err(error) => return Err(source.refused(&error)),
        },
        _ = &mut stopped => return source.close().await,
        after = limits.overdue() => return Err(source.unconfirmed(after, None)),
    };
    begun(out, &source, &topic);
    let playing = source.play();
    let mut messages = 0_u64;
    let outcome = loop {
        let event = tokio::select! {
            event = subscription.next() => event,
            _ = &mut stopped => break Outcome::Enough,
            () = limits.over() => break Outcome::Enough,
        };
        let Some(event) = event else { break Outcome::Enough };
        messages += u64::from(matches!(event, Event::Message(_) | Event::Unknown(_)));
        if let Event::Message(message) = &event {
            match out.is_json() {
                true => out.raw(&format!("{}\n", message::json(channel, message))),
                false => out.line(&message::text(channel, message)),
            }
            if limits.shown(1) {
                break Outcome::Enough;
            }
        } else if let Some(status) = StreamStatus::of(&event) {
            show(context, &status);
        }
        if let Event::Ended(ended) = event {
            break Outcome::Ended(ended);
        }
        if out.is_closed() {
            break Outcome::Enough;
        }
    };
    subscription.close().await;
    finished(context, &source, &topic, messages, playing, outcome).await
}

/// How a reader that prints deals with having no room.
pub fn overflow(source: &Source) -> Overflow {
    if source.is_replay() { Overflow::Block } else { Overflow::DropOldest }
}

/// A state, in the line of the messages.
pub fn show(context: &Context, status: &StreamStatus<'_>) {
    let out = context.out();
    match out.is_json() {
        true => out.document(&status.json()),
        false => out.line(&format!("{}  -- {}", message::clock(SystemTime::now()), status.text())),
    }
}
