//! A WebSocket server that responds to every call as a test says. What a client sends of its own accord, its login and its
//! heartbeat, it handles by itself.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_websockets::{Message, ServerBuilder};
use venuekit::wire::operation::Operation;

use crate::canned::{Canned, Log, Script, Seen};
use crate::example::MARKER;

/// The call that the test is making.
pub type Current = Arc<Mutex<Option<&'static Operation>>>;

pub async fn start(script: Script, current: Current) -> Canned {
    Canned::serving(move |stream, log| serve(stream, script.clone(), current.clone(), log)).await
}

async fn serve(stream: TcpStream, script: Script, current: Current, log: Log) {
    let (_, mut frames) = ServerBuilder::new().accept(stream).await.unwrap();
    while let Some(Ok(frame)) = frames.next().await {
        let Some(text) = frame.as_text() else { continue };
        let call: Value = serde_json::from_str(text).unwrap();
        let operation = current.lock().unwrap().expect("a call is in flight");
        let answer = if call["method"] == operation.path[1..] {
            let seen = Seen { head: String::new(), body: text.as_bytes().to_vec() };
            log.lock().unwrap().push(seen.clone());
            if operation.on_connection.is_some_and(|on| on.closes) {
                return;
            }
            String::from_utf8(body(&script(&seen)).to_vec()).unwrap()
        } else {
            let result = match call["method"].as_str() {
                Some("public/auth") => {
                    assert!(!text.contains(MARKER), "the secret does not cross the wire: {text}");
                    json!({"access_token": MARKER, "expires_in": 900, "refresh_token": MARKER, "scope": ""})
                }
                Some("public/set_heartbeat") => json!("ok"),
                other => panic!("{other:?} beside {}", operation.id),
            };
            json!({"jsonrpc": "2.0", "id": call["id"], "result": result}).to_string()
        };
        frames.send(Message::text(answer)).await.unwrap();
    }
}

/// The body of a whole HTTP response.
fn body(response: &[u8]) -> &[u8] {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole response");
    &response[end + 4..]
}
