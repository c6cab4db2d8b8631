//! What the venue sends unasked reaches a handler unchanged.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use venuekit::deribit::Event;

use crate::desk::{builder, options, sandbox, until};

#[tokio::test]
async fn notifications_reach_the_handler_as_raw_json() {
    let sandbox = sandbox().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    let options = options().on_event(move |event| {
        if let Event::Notification { channel, data, .. } = event {
            told.lock().unwrap().push((channel.to_owned(), data.to_owned()));
        }
    });
    let client = builder(&sandbox).websocket(options).build().unwrap();
    let channels = vec!["announcements".to_owned()];
    let subscribed = client.subscribe().body_map(|params| params.channels(channels.clone())).send().await.unwrap();
    assert_eq!(*subscribed, channels);
    for number in 0..50 {
        assert_eq!(sandbox.deribit_notify("announcements", json!({"number": number, "price": "0.10"})), 1);
        client.get_time().send().await.unwrap();
    }
    until("all arrive", || seen.lock().unwrap().len() == 50).await;
    for (number, (channel, data)) in seen.lock().unwrap().iter().enumerate() {
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!((channel.as_str(), &data["number"]), ("announcements", &json!(number)));
    }
    let stats = client.connection().unwrap().stats();
    assert_eq!((stats.unasked_answers, stats.unreadable_messages), (0, 0));
}
