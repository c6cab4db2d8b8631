//! Bayse: rooms, several objects in a frame, a login in every message.

use venuekit::bayse::types::{EventId, MarketId};
use venuekit::streams::{Error, Reason};
use venuekit_sandbox::{Fault, Rule, Sandbox};

use crate::desk::{bayse, in_time, message, resynced, sandbox, stale};

/// An event with an order book, and its first market.
async fn event(client: &venuekit::bayse::Client) -> (EventId, MarketId) {
    let page = client.list_events().send().await.unwrap().into_inner();
    let event =
        page.events.into_iter().find(|event| event.engine.as_ref().is_some_and(|engine| engine.to_string() == "CLOB"));
    let event = event.expect("the sandbox has one with a book");
    (event.id.clone(), event.markets[0].id.clone())
}

#[tokio::test]
async fn prices_come_one_by_one_or_several_in_a_frame() {
    let sandbox = sandbox().await;
    let client = bayse(&sandbox);
    let (event, _) = event(&client).await;
    let mut prices = client.streams().prices(event.clone()).subscribe().await.unwrap();
    let room = format!("prices:{}", &*event);
    let tell = |number: i64| {
        let data = serde_json::json!({"id": *event, "number": number});
        assert_eq!(sandbox.bayse_notify(&room, "price_update", &data), 1);
    };
    sandbox.faults().set(vec![Rule::new(Fault::Several { count: 3 }).at("bayse").on("prices/price_update").times(2)]);
    for number in 0..3 {
        tell(number);
    }
    for number in 0..3 {
        let told = in_time("a price", async {
            loop {
                let message = message(&mut prices).await;
                if String::from_utf8_lossy(&message.raw).contains(&format!("\"number\":{number}")) {
                    return message;
                }
            }
        })
        .await;
        assert!(serde_json::from_slice::<serde_json::Value>(&told.raw).is_ok(), "its own object alone");
    }
}

#[tokio::test]
async fn a_lost_connection_is_opened_again_with_its_rooms() {
    let sandbox = sandbox().await;
    let client = bayse(&sandbox);
    let (event, _) = event(&client).await;
    let mut prices = client.streams().prices(event.clone()).subscribe().await.unwrap();
    sandbox.cut_connections();
    assert!(matches!(stale(&mut prices).await.reason, Reason::Reconnect(_)));
    let room = format!("prices:{}", &*event);
    crate::desk::until("the room is joined again", || {
        sandbox.bayse_notify(&room, "price_update", &serde_json::json!({"id": *event})) == 1
    })
    .await;
    resynced(&mut prices).await;
}

#[tokio::test]
async fn whole_books_follow_each_other() {
    let sandbox = sandbox().await;
    let client = bayse(&sandbox);
    let (_, market) = event(&client).await;
    let mut books = client.streams().orderbook([market.clone()]).subscribe().await.unwrap();
    place(&client, &market).await;
    let book = message(&mut books).await;
    assert!(String::from_utf8_lossy(&book.raw).contains(&*market));
}

async fn place(client: &venuekit::bayse::Client, market: &MarketId) {
    let page = client.list_events().send().await.unwrap().into_inner();
    let (event, found) = page
        .events
        .iter()
        .find_map(|event| Some((event, event.markets.iter().find(|found| found.id == *market)?)))
        .unwrap();
    let outcome = found.outcome1_id.clone().unwrap();
    let call = client.place_order().event_id(event.id.clone()).market_id(market.clone()).body_map(|body| {
        use venuekit::bayse::types::{OrderType, Side};
        body.side(Side::Buy)
            .outcome_id(outcome)
            .amount("200")
            .currency("USD".to_owned())
            .type_(OrderType::Limit)
            .price("0.05")
    });
    call.send().await.unwrap();
}

#[tokio::test]
async fn a_stranger_is_refused_the_orders_of_an_account() {
    let sandbox = sandbox().await;
    let client = bayse(&sandbox);
    let (_, market) = event(&client).await;
    let _orders = client.streams().orders([market.clone()]).subscribe().await.unwrap();
    let stranger = stranger(&sandbox);
    let error = in_time("refused", stranger.streams().orders([market]).subscribe()).await.unwrap_err();
    let Error::Refused(refused) = &error else { panic!("{error:?}") };
    assert!(!refused.refusals[0].text.is_empty(), "{error}");
    assert!(!format!("{error} {error:?}").contains("pk_of_nobody"), "{error}");
}

fn stranger(sandbox: &Sandbox) -> venuekit::bayse::Client {
    let credentials = venuekit::bayse::Credentials::api_key("pk_of_nobody_at_all", "sk_of_nobody_at_all").unwrap();
    let environment = venuekit::bayse::Environment::Custom(sandbox.bayse_url());
    venuekit::bayse::Client::builder(environment).credentials(credentials).build().unwrap()
}
