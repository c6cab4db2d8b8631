//! What a response holds goes into the next request as it is: ids, words of lists, and words that the venue has added.

#[path = "common/canned.rs"]
mod canned;

use std::sync::Arc;

use canned::{Canned, http};
use venuekit::kalshi::types::{
    BookSide, IncentiveType, IncentiveTypeFilter, MarketStatus, MarketStatusFilter, OrderId, OrderStatus, TimeInForce,
};
use venuekit::kalshi::{Client, Credentials, Environment};
use venuekit::wire::Open;
use venuekit_sandbox::{Accounts, Sandbox};

/// A venue that responds to every request alike, and a client for it.
async fn canned() -> (Canned, Client) {
    let server = Canned::start(Arc::new(|_| http(200, "application/json", br#"{"orders": [], "markets": []}"#))).await;
    let pair = venuekit::auth::PrivateKey::generate(venuekit::auth::KeyKind::Ed25519).unwrap();
    let credentials = Credentials::from_pem("id", pair.private_key_pem().expose()).unwrap();
    let client =
        Client::builder(Environment::Custom(server.base_url.clone())).credentials(credentials).build().unwrap();
    (server, client)
}

fn request_line(server: &Canned) -> String {
    let seen = server.seen().pop().expect("a request has arrived");
    assert!(seen.body.is_empty(), "a GET has no body");
    seen.head.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_order_is_looked_up_by_the_id_and_the_status_that_a_response_holds() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let account = &sandbox.accounts().kalshi[0];
    let credentials = Credentials::from_pem(&account.key_id, account.private_key_pem.as_deref().unwrap()).unwrap();
    let client = Client::builder(Environment::Custom(sandbox.kalshi_url())).credentials(credentials).build().unwrap();
    let market = client.get_markets().status("open").limit(1).send().await.unwrap().into_inner().markets.remove(0);
    let placed = client
        .create_order_v2()
        .body_map(|order| {
            order
                .ticker(&market.ticker)
                .side("bid")
                .count("10")
                .price("0.01")
                .time_in_force(TimeInForce::GoodTillCanceled)
                .self_trade_prevention_type("taker_at_cross")
                .client_order_id("chained-1")
        })
        .send()
        .await
        .unwrap();
    let order = client.get_order().order_id(&placed.order_id).send().await.unwrap().into_inner().order;
    assert_eq!(order.order_id, placed.order_id);
    let status = order.status.as_ref().expect("an order has a status");
    for page in [
        client.get_orders().status(status).send().await.unwrap(),
        client.get_orders().status(status.clone()).send().await.unwrap(),
        client.get_orders().status(status.as_str()).send().await.unwrap(),
        client.get_orders().status("resting").send().await.unwrap(),
    ] {
        assert!(page.orders.iter().any(|other| other.order_id == placed.order_id));
    }
    client.cancel_order_v2().order_id(&placed.order_id).send().await.unwrap();
}

#[tokio::test]
#[allow(clippy::needless_borrows_for_generic_args, reason = "that a reference is taken is what is tested")]
async fn a_word_that_the_venue_may_have_added_is_sent_as_it_is() {
    let (server, client) = canned().await;
    client.get_orders().status("halted_by_moon").send().await.unwrap();
    assert!(request_line(&server).contains("status=halted_by_moon"), "{}", request_line(&server));
    client.get_orders().status(&OrderStatus::Resting).send().await.unwrap();
    assert!(request_line(&server).contains("status=resting"), "{}", request_line(&server));
}

#[tokio::test]
async fn words_of_one_list_filter_by_another_where_it_has_them() {
    let (server, client) = canned().await;
    let closed: Open<MarketStatus> = "closed".into();
    client.get_markets().status(&closed).send().await.unwrap();
    assert!(request_line(&server).contains("status=closed"), "{}", request_line(&server));
    // Kalshi filters by other words than it responds with: this one is `open` there.
    let active: Open<MarketStatus> = MarketStatus::Active.into();
    let error = client.get_markets().status(&active).send().await.unwrap_err();
    assert_eq!(error.kind(), venuekit::ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("status: not one of unopened, open, paused"), "{error}");
    assert_eq!(server.seen().len(), 1, "nothing was sent");

    let volume: Open<IncentiveType> = "volume".into();
    assert_eq!(IncentiveTypeFilter::try_from(&volume).unwrap(), IncentiveTypeFilter::Volume);
    let refused = MarketStatusFilter::try_from(active).unwrap_err().to_string();
    assert_eq!(refused, "not one of unopened, open, paused, closed, settled");
}

#[test]
fn ids_and_words_convert_by_reference() {
    let text = "3f2b1a60-5c4d-4e8f-9a0b-1c2d3e4f5a6b".to_owned();
    let id = OrderId::from(&text);
    assert_eq!(OrderId::from(&id), id);
    assert_eq!((id.as_str(), String::from(&id)), (text.as_str(), text.clone()));
    assert!(text.parse::<OrderId>().is_ok() && "../orders".parse::<OrderId>().is_err());
    assert_eq!(BookSide::try_from(&"ask".to_owned()).unwrap(), BookSide::Ask);
    assert_eq!((BookSide::Ask.as_str(), BookSide::from(&BookSide::Bid)), ("ask", BookSide::Bid));
    let words = [BookSide::Bid, BookSide::Ask].map(|side| side.as_ref().to_owned());
    assert_eq!(words, [BookSide::Bid, BookSide::Ask].map(|side| side.to_string()));
}
