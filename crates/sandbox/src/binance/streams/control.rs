//! The commands of market streams.

use serde::Deserialize;
use serde_json::{Value, json};

use super::connection::{Held, strike};
use super::hub::Hub;
use super::names::{self, Endpoint};
use crate::binance::settings::BinanceSettings;
use crate::binance::trading::Trading;
use crate::faults::{Fault, Transport};

/// The most streams that a connection may subscribe to.
const MOST_STREAMS: usize = 1024;

/// A message of a client.
#[derive(Deserialize)]
struct Command {
    #[serde(default)]
    method: String,
    params: Option<Value>,
    #[serde(default)]
    id: Value,
}

/// The result of a command, or code and text of an error.
type Outcome = Result<Value, (i64, String)>;

impl Hub {
    /// Executes a command and replies.
    pub(super) fn hear(&mut self, number: u64, text: &str, trading: &Trading, settings: &BinanceSettings) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        let is_object = |value: &Value| value.is_object();
        let command = serde_json::from_str::<Value>(text).ok().filter(is_object);
        let Some(command) = command.and_then(|value| serde_json::from_value::<Command>(value).ok()) else {
            return connection.refuse("Invalid request");
        };
        let kind = command.method.to_lowercase();
        let fault = strike(&self.faults, Transport::Stream, &[&kind, &command.method], true);
        match fault {
            Some(Fault::DropBefore) => return connection.cut(),
            Some(Fault::SilenceBefore) => return,
            Some(Fault::Error { code, text }) => {
                let error = json!({"code": code, "msg": text.unwrap_or_else(|| "Internal error".to_owned())});
                return connection.reply(&self.faults, "error", &json!({"error": error, "id": command.id}));
            }
            _ => {}
        }
        let is_left_out = matches!(fault, Some(Fault::LeaveOut));
        let outcome = self.carry_out(number, &command, trading, is_left_out);
        let Some(connection) = self.connections.get(&number) else { return };
        match outcome {
            Ok(result) => connection.reply(&self.faults, &kind, &json!({"result": result, "id": command.id})),
            Err((code, message)) => {
                let reply = json!({"error": {"code": code, "msg": message}, "id": command.id});
                connection.reply(&self.faults, "error", &reply);
            }
        }
        self.plan(number, settings);
    }

    fn carry_out(&mut self, number: u64, command: &Command, trading: &Trading, is_left_out: bool) -> Outcome {
        let Some(connection) = self.connections.get_mut(&number) else { return Ok(Value::Null) };
        match command.method.as_str() {
            "SUBSCRIBE" => {
                let names = texts(command)?;
                if connection.streams.len() + names.len() > MOST_STREAMS {
                    return Err((4, "Too many streams".to_owned()));
                }
                if !is_left_out {
                    self.subscribe(number, names, trading);
                }
                Ok(Value::Null)
            }
            "UNSUBSCRIBE" => {
                for name in texts(command)? {
                    connection.streams.remove(&name);
                }
                self.forget_unheard();
                Ok(Value::Null)
            }
            "LIST_SUBSCRIPTIONS" => Ok(connection.streams.keys().cloned().collect()),
            "SET_PROPERTY" => match command.params.as_ref().and_then(Value::as_array).map(Vec::as_slice) {
                Some([name, Value::Bool(combined)]) if name == "combined" => {
                    connection.endpoint = Endpoint::Market { combined: *combined };
                    Ok(Value::Null)
                }
                Some([name, _]) if name == "combined" => Err((1, "Invalid value type: expected Boolean".to_owned())),
                _ => Err((0, "Unknown property".to_owned())),
            },
            "GET_PROPERTY" => match command.params.as_ref().and_then(|params| params[0].as_str()) {
                Some("combined") => Ok((connection.endpoint == Endpoint::Market { combined: true }).into()),
                _ => Err((0, "Unknown property".to_owned())),
            },
            other => Err((2, format!("Invalid request: unknown variant `{other}`"))),
        }
    }

    /// Adds streams to a connection. Unknown names are accepted, and never send anything.
    pub(super) fn subscribe(&mut self, number: u64, names: Vec<String>, trading: &Trading) {
        for name in names {
            let topic = names::read(&name, trading);
            let Some(connection) = self.connections.get_mut(&number) else { return };
            connection.streams.entry(name).or_insert(Held { topic, begun: false, candle: None });
            if let Some(topic) = topic {
                self.begin(topic);
            }
        }
    }
}

fn texts(command: &Command) -> Result<Vec<String>, (i64, String)> {
    let list = command.params.as_ref().and_then(Value::as_array);
    let texts = list.map(|list| list.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
    texts.flatten().ok_or_else(|| (2, "Invalid request: params must be an array of strings".to_owned()))
}
