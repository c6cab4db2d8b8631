//! Over a WebSocket every method of Deribit is answered, those about the connection too.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use venuekit_sandbox::example_requests;

use crate::accepted::WEBSOCKET_ONLY;
use crate::call::{Caller, replace};
use crate::spec::Spec;
use crate::state;

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn send(&mut self, method: &str, params: &Value) {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        self.0.send(Message::text(call.to_string())).await.unwrap();
    }

    async fn call(&mut self, method: &str, params: &Value) -> Value {
        self.send(method, params).await;
        match self.0.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{method}: {other:?}"),
        }
    }

    async fn log_in(&mut self, caller: &Caller) {
        let key = &caller.sandbox.accounts().deribit[0];
        let params = json!({
            "grant_type": "client_credentials", "client_id": key.client_id, "client_secret": key.client_secret,
        });
        assert!(self.call("public/auth", &params).await["result"]["access_token"].is_string());
    }
}

#[tokio::test]
async fn every_method_of_deribit_is_answered_over_a_websocket() {
    let spec = Spec::of("deribit");
    let mut wrong = Vec::new();
    for with_optional in [true, false] {
        let caller = Caller::new("deribit").await;
        let known = state::of(&caller, with_optional).await;
        let mut socket = Socket(connect_async(caller.sandbox.deribit_websocket_url()).await.unwrap().0);
        socket.log_in(&caller).await;
        let requests = example_requests("deribit", with_optional);
        assert_eq!(requests.len(), 182);
        for mut request in requests {
            let method = request.operation.clone();
            if method == "private/logout" {
                continue;
            }
            replace(&mut request, &known[&method], false);
            let count = || caller.sandbox.executed().get(&request.counter).copied().unwrap_or_default();
            let before = count();
            let answer = socket.call(&method, request.body.as_ref().unwrap()).await;
            if answer.get("result").is_none() || count() != before + 1 {
                wrong.push(format!("{method} ({with_optional}): {answer}"));
            } else if let Err(problem) = spec.conforms(&method, &answer) {
                wrong.push(format!("{method} ({with_optional}): {problem}"));
            }
            if ["public/auth", "public/exchange_token"].contains(&method.as_str()) {
                socket.log_in(&caller).await;
            }
        }
        socket.send("private/logout", &json!({})).await;
        assert!(matches!(socket.0.next().await, Some(Ok(Message::Close(_)))));
        let executed = caller.sandbox.executed();
        assert!(WEBSOCKET_ONLY.iter().all(|method| executed[&format!("deribit POST /api/v2/{method}")] == 1));
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
