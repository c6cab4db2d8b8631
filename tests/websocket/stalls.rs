//! A venue that sends and does not read: it is noticed, and what waits to be written stays within bounds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use tokio_websockets::Message;
use venuekit::ErrorKind;
use venuekit::deribit::{Client, Event};
use venuekit::transport::{RetryPolicy, Timeouts};

use crate::desk::{options, until};
use crate::scripted::{Stream, answer, client, serve};

/// Sends without end, and reads nothing.
async fn sends_only(mut stream: Stream, message: fn() -> Message) {
    while stream.send(message()).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn notification() -> Message {
    Message::text(r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"a","data":1}}"#)
}

/// Responds to every call.
async fn answers(mut stream: Stream) {
    while let Some(Ok(message)) = stream.next().await {
        if let Some(text) = message.as_text() {
            let _ = stream.send(Message::text(answer(text, "1700000000000"))).await;
        }
    }
}

/// As large a request as the venue takes.
async fn large(client: &Client) -> Result<(), venuekit::Error> {
    client.ticker().body_map(|params| params.instrument_name("A".repeat(30_000))).send().await.map(drop)
}

/// A call has a response at last. The time of one attempt is short in these tests.
async fn answered(client: &Client) {
    let patient = RetryPolicy::default().with_attempts(20).with_longest_wait(Duration::from_secs(1));
    client.with_retry(patient).get_time().send().await.unwrap();
}

fn patience(attempt: Duration) -> Timeouts {
    Timeouts { attempt, ..Timeouts::default() }
}

#[tokio::test]
async fn a_venue_that_sends_and_does_not_read_is_given_up() {
    let url = serve(|stream, number| async move {
        match number {
            1 => sends_only(stream, notification).await,
            _ => answers(stream).await,
        }
    })
    .await;
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let told = reasons.clone();
    let options = options().on_event(move |event| {
        if let Event::Lost { reason, .. } = event {
            told.lock().unwrap().push(reason.to_owned());
        }
    });
    let client = client(&url, patience(Duration::from_millis(1500)), options).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    // More than the buffers of both ends hold.
    let calls = join_all((0..2000).map(|_| large(&client)));
    let _ = tokio::join!(calls, until("it is given up", || client.connection().unwrap().stats().lost >= 1));
    let reason = reasons.lock().unwrap()[0].clone();
    assert!(reason.contains("has read nothing for 1.5s"), "{reason}");
    answered(&client).await;
}

#[tokio::test]
async fn what_waits_to_be_written_is_bounded_and_was_not_sent() {
    let url = serve(|stream, _| sends_only(stream, notification)).await;
    let client = client(&url, patience(Duration::from_secs(60)), options()).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    let impatient = client.with_timeout(Duration::from_millis(300));
    // Calls that give up leave their turn to the next, and their texts behind.
    let mut without_room = 0;
    for _ in 0..20 {
        for result in join_all((0..100).map(|_| large(&impatient))).await {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
            without_room += usize::from(error.to_string().contains("queue is full"));
        }
    }
    assert!(without_room > 100, "{without_room}");
    assert_eq!(client.connection().unwrap().stats().lost, 0);
}

#[tokio::test]
async fn a_venue_that_sends_pings_and_does_not_read_the_answers_is_given_up() {
    let url = serve(|mut stream, number| async move {
        match number {
            1 => while stream.feed(Message::ping("x".repeat(100))).await.is_ok() {},
            _ => answers(stream).await,
        }
    })
    .await;
    let client = client(&url, patience(Duration::from_millis(1500)), options()).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    until("it is given up", || client.connection().unwrap().stats().lost >= 1).await;
    answered(&client).await;
}

#[tokio::test]
async fn any_number_of_pings_is_answered_to_a_venue_that_reads() {
    const COUNT: usize = 20_000;
    let answered = Arc::new(Mutex::new(0));
    let counted = answered.clone();
    let url = serve(move |mut stream, _| {
        let counted = counted.clone();
        async move {
            for _ in 0..COUNT {
                stream.feed(Message::ping("x")).await.unwrap();
            }
            stream.flush().await.unwrap();
            while let Some(Ok(message)) = stream.next().await {
                *counted.lock().unwrap() += usize::from(message.is_pong());
            }
        }
    })
    .await;
    let client = client(&url, patience(Duration::from_secs(60)), options()).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    until("all are answered", || *answered.lock().unwrap() == COUNT).await;
    assert_eq!(client.connection().unwrap().stats().lost, 0);
}
