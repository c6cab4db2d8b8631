//! What a recording keeps of a request that holds a signature or a one-time code.

use venuekit_auth::described::{DescribedSigner, SigningKey};
use venuekit_transport::carrier::{Canned, Recording, Sent};
use venuekit_transport::client::{Call, JsonBody, Session};
use venuekit_transport::{ClientBuilder, Connect, Credentials, ErrorKind, RetryPolicy};
use venuekit_wire::operation::{Challenge, Operation, Protocol, Retry, Venue};
use venuekit_wire::signature::{Algorithm, Encoding, KeyType, Piece, Place, Signature, SigningRule, TimeUnit};

static SIGNATURE: Signature = Signature {
    name: "signature",
    text: &[Piece::Query, Piece::Body],
    separator: "",
    end: "",
    time: TimeUnit::Millis,
    ahead_millis: 0,
    keys: &[SigningRule {
        key: KeyType::Shared,
        algorithm: Algorithm::HmacSha256,
        encoding: Encoding::Hex,
        is_unsure: false,
    }],
    fields: &[("x-key", "{id}")],
    place: Place::Headers,
    adds: &[("timestamp", "{time}"), ("signature", "{signature}")],
};

const SIGNED: Operation = Operation { access: &[&["signature"]], ..Operation::EMPTY };

static REST: Venue = Venue {
    name: "rest",
    operations: &[
        Operation { id: "account", path: "/account", ..SIGNED },
        Operation { id: "place", path: "/order", method: "POST", retry: Retry::Never, form: true, ..SIGNED },
    ],
    ..Venue::EMPTY
};

static RPC: Venue = Venue {
    name: "rpc",
    protocol: Protocol::JsonRpc,
    operations: &[Operation {
        id: "withdraw",
        path: "/withdraw",
        method: "POST",
        access: &[&[]],
        retry: Retry::Never,
        rpc_method: Some("private/withdraw"),
        ..Operation::EMPTY
    }],
    challenge: Some(Challenge {
        flag: "code_required",
        challenge: "challenge",
        challenge_param: "authorization_challenge",
        code_param: "authorization_code",
        wrong_code: &[],
    }),
    ..Venue::EMPTY
};

struct Rest(Session);

impl Connect for Rest {
    const VENUE: &'static Venue = &REST;

    fn connect(session: Session) -> Self {
        Self(session)
    }
}

struct Rpc(Session);

impl Connect for Rpc {
    const VENUE: &'static Venue = &RPC;

    fn connect(session: Session) -> Self {
        Self(session)
    }
}

fn call(venue: &'static Venue, id: &str, body: &str) -> Call {
    let row = venue.operation(id).unwrap();
    Call::new(row).body(JsonBody::new(row, body).unwrap())
}

fn text(sent: &Sent) -> String {
    format!("{} {}", sent.target, String::from_utf8_lossy(&sent.body))
}

#[tokio::test]
async fn a_signature_in_query_or_form_is_not_recorded() {
    let venue = Recording::new(Canned::new().on("account", 200, "{}").on("place", 200, "{}"));
    let key = SigningKey::Shared("a-secret-of-the-test".into());
    let credentials = Credentials::none().signer("signature", DescribedSigner::new(&SIGNATURE, "me", key).unwrap());
    let builder = ClientBuilder::<Rest>::new("http://127.0.0.1:1/api").credentials(credentials);
    let client = builder.carrier(venue.clone()).build().unwrap();
    client.0.send(Call::new(REST.operation("account").unwrap()).query("full", &true)).await.unwrap();
    client.0.send(call(&REST, "place", r#"{"symbol":"BTC","quantity":1}"#)).await.unwrap();
    let sent: Vec<String> = venue.sent().iter().map(text).collect();
    assert_eq!(sent, ["/api/account?full=true ", "/api/order symbol=BTC&quantity=1"]);
}

#[tokio::test]
async fn a_one_time_code_in_the_body_is_not_recorded() {
    let venue = Canned::new().on("withdraw", 200, r#"{"code_required":true,"challenge":"the-challenge"}"#);
    let venue = Recording::new(venue.on("withdraw", 200, "{}"));
    let builder = ClientBuilder::<Rpc>::new("http://127.0.0.1:1/api").retry(RetryPolicy::none());
    let session = builder.carrier(venue.clone()).build().unwrap().0;
    let error = session.send(call(&RPC, "withdraw", r#"{"amount":1}"#)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Challenge, "{error}");
    let confirmed = session.confirming(error.challenge().unwrap(), "123456");
    confirmed.send(call(&RPC, "withdraw", r#"{"amount":1}"#)).await.unwrap();
    let sent: Vec<String> = venue.sent().iter().map(text).collect();
    assert!(sent[0].contains(r#""amount":1"#), "{sent:?}");
    assert_eq!(sent[1], "/api/withdraw ");
}
