//! What a client asks for on a connection to public or private data.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::connection::{Login, strike};
use super::hub::Hub;
use super::topics::{self, Endpoint, Topic};
use crate::bybit::auth;
use crate::bybit::category::Category;
use crate::bybit::members::Members;
use crate::bybit::trading::Trading;
use crate::faults::Fault;

/// So many topics may be in one request of a spot connection.
const MOST_SPOT: usize = 10;
/// So many topics a connection to options may hold.
const MOST_OPTION: usize = 2000;
/// All topics of a public connection may have so many characters.
const MOST_CHARACTERS: usize = 21_000;

/// The venue's state that commands are carried out in.
pub(super) struct Room<'a> {
    pub(super) members: &'a Members,
    pub(super) trading: &'a Trading,
    pub(super) now: i64,
}

/// A command of a client.
struct Command<'a> {
    op: &'a str,
    /// Empty where none was given.
    id: &'a str,
    args: Option<&'a Vec<Value>>,
}

impl Hub {
    /// Carries a message of a client out.
    pub(super) fn hear(&mut self, number: u64, text: &str, room: &Room<'_>) {
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        if !message.is_object() {
            let message = format!("Failed to decode incoming data: {}", text.chars().take(80).collect::<String>());
            return self.refuse(number, &message, "", "");
        }
        let word = |name: &str| message[name].as_str().unwrap_or_default();
        // A number is echoed as a text.
        let id = match &message["req_id"] {
            Value::Number(number) => number.to_string(),
            _ => word("req_id").to_owned(),
        };
        let command = Command { op: word("op"), id: &id, args: message["args"].as_array() };
        match strike(&self.faults, &[command.op], true) {
            Some(Fault::Error { text, .. }) => {
                return self.refuse(number, text.as_deref().unwrap_or("Internal error"), command.op, command.id);
            }
            Some(Fault::SilenceBefore | Fault::Drop) => return,
            _ => {}
        }
        match command.op {
            "ping" => self.pong(number, &command, room.now),
            "auth" => self.log_in(number, &command, room),
            "subscribe" => self.subscribe(number, &command, room),
            "unsubscribe" => self.unsubscribe(number, &command, room),
            _ => self.refuse(number, "error:invalid op", command.op, command.id),
        }
    }

    fn refuse(&self, number: u64, message: &str, op: &str, id: &str) {
        if let Some(connection) = self.connections.get(&number) {
            connection.reply(&self.faults, "error", &connection.error(message, op, id));
        }
    }

    /// The pong has another form at each endpoint.
    fn pong(&self, number: u64, command: &Command<'_>, now: i64) {
        let Some(connection) = self.connections.get(&number) else { return };
        let (id, time) = (&connection.id, now.to_string());
        let reply = match connection.endpoint {
            Endpoint::Public(Category::Option) | Endpoint::Other("spread") => json!({"op": "pong", "args": [time]}),
            Endpoint::Private => json!({"req_id": command.id, "op": "pong", "args": [time], "conn_id": id}),
            // The operation stays what it was.
            _ => json!({"success": true, "ret_msg": "pong", "conn_id": id, "req_id": command.id, "op": "ping"}),
        };
        connection.reply(&self.faults, "pong", &reply);
    }

    fn log_in(&mut self, number: u64, command: &Command<'_>, room: &Room<'_>) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        if connection.endpoint != Endpoint::Private {
            return self.refuse(number, "error:invalid op", command.op, command.id);
        }
        match login(command.args, room.members, room.now) {
            Ok(login) => {
                connection.login = Some(login);
                let id = &connection.id;
                let mut reply = json!({"success": true, "ret_msg": "", "op": "auth", "conn_id": id});
                if !command.id.is_empty() {
                    reply["req_id"] = command.id.into();
                }
                connection.reply(&self.faults, "auth", &reply);
            }
            Err((code, message)) => {
                let mut reply = connection.error(&message, command.op, command.id);
                reply["retCode"] = code.into();
                connection.reply(&self.faults, "error", &reply);
            }
        }
    }

    /// All topics of a request, or none of them: an unknown one or one that is held already refuses the others too.
    fn subscribe(&mut self, number: u64, command: &Command<'_>, room: &Room<'_>) {
        let Some(connection) = self.connections.get(&number) else { return };
        let endpoint = connection.endpoint;
        let texts = match self.texts(number, command) {
            Ok(texts) => texts,
            Err(message) => return self.refuse(number, &message, command.op, command.id),
        };
        let is_alone = texts.len() == 1;
        let (mut added, mut failed, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for text in &texts {
            let Some(topic) = topics::read(endpoint, text, room.trading) else {
                if !endpoint.lists_topics() {
                    let message = format!("error:handler not found,topic:{text}");
                    return self.refuse(number, &message, command.op, command.id);
                }
                failed.push(text.clone());
                continue;
            };
            let is_held = connection.topics.contains_key(text);
            if is_held && is_alone {
                continue;
            }
            if is_held || !seen.insert(text.clone()) {
                let message = format!("error:already subscribed,topic:{text}");
                return self.refuse(number, &message, command.op, command.id);
            }
            if endpoint == Endpoint::Private && overlaps(&topic, &added, &connection.topics) {
                return self.refuse(number, "Params Error", command.op, command.id);
            }
            added.push((text.clone(), topic));
        }
        let held = connection.topics.len() + added.len();
        if matches!(endpoint, Endpoint::Public(_))
            && connection.topics.keys().map(String::len).sum::<usize>()
                + added.iter().map(|(text, _)| text.len()).sum::<usize>()
                > MOST_CHARACTERS
            || endpoint == Endpoint::Public(Category::Option) && held > MOST_OPTION
        {
            return self.refuse(number, "args size exceeds the limit of the connection", command.op, command.id);
        }
        let left_out: Vec<bool> = added.iter().map(|(text, topic)| self.is_left_out(text, topic)).collect();
        let Some(connection) = self.connections.get_mut(&number) else { return };
        let mut begun = Vec::new();
        for ((text, topic), is_left_out) in added.into_iter().zip(left_out) {
            if !is_left_out {
                begun.push(text.clone());
                connection.topics.insert(text, topic);
            }
        }
        let good: Vec<&String> = texts.iter().filter(|text| !failed.contains(text)).collect();
        self.confirm(number, command, &good, &failed);
        for text in begun {
            self.send_first(number, &text, room.trading, room.now);
        }
    }

    fn is_left_out(&self, text: &str, topic: &Topic) -> bool {
        let names = [&*format!("subscribe/{}", topic.channel), &*format!("subscribe/{text}")];
        matches!(strike(&self.faults, &names, true), Some(Fault::LeaveOut | Fault::Drop | Fault::SilenceBefore))
    }

    fn unsubscribe(&mut self, number: u64, command: &Command<'_>, room: &Room<'_>) {
        let texts = match self.texts(number, command) {
            Ok(texts) => texts,
            Err(message) => return self.refuse(number, &message, command.op, command.id),
        };
        let Some(connection) = self.connections.get_mut(&number) else { return };
        let endpoint = connection.endpoint;
        if let Some(unknown) = texts.iter().find(|text| topics::read(endpoint, text, room.trading).is_none())
            && !endpoint.lists_topics()
        {
            let message = format!("error:handler not found,topic:{unknown}");
            return self.refuse(number, &message, command.op, command.id);
        }
        for text in &texts {
            connection.topics.remove(text);
            connection.shifts.remove(text);
        }
        self.confirm(number, command, &texts.iter().collect::<Vec<_>>(), &[]);
    }

    /// The topics of a request, or what is wrong with it.
    fn texts(&self, number: u64, command: &Command<'_>) -> Result<Vec<String>, String> {
        let Some(connection) = self.connections.get(&number) else { return Err(String::new()) };
        if connection.endpoint.needs_login() && connection.login.is_none() {
            return Err("Request not authorized".to_owned());
        }
        let args = command.args.filter(|args| !args.is_empty()).ok_or_else(|| "Params Error".to_owned())?;
        if connection.endpoint == Endpoint::Public(Category::Spot) && args.len() > MOST_SPOT {
            return Err("args size >10".to_owned());
        }
        let texts: Option<Vec<String>> = args.iter().map(|arg| arg.as_str().map(str::to_owned)).collect();
        texts.ok_or_else(|| "Params Error".to_owned())
    }

    fn confirm(&self, number: u64, command: &Command<'_>, good: &[&String], failed: &[String]) {
        let Some(connection) = self.connections.get(&number) else { return };
        let reply = if connection.endpoint.lists_topics() {
            json!({
                "success": failed.is_empty(), "conn_id": connection.id, "type": "COMMAND_RESP",
                "data": {"failTopics": failed, "successTopics": good},
            })
        } else {
            let is_spot = connection.endpoint == Endpoint::Public(Category::Spot);
            let message = if is_spot { command.op } else { "" };
            json!({
                "success": true, "ret_msg": message, "conn_id": connection.id, "req_id": command.id, "op": command.op,
            })
        };
        connection.reply(&self.faults, command.op, &reply);
    }
}

/// Whether a request has a topic of all products and one of a single product.
fn overlaps(topic: &Topic, added: &[(String, Topic)], held: &std::collections::BTreeMap<String, Topic>) -> bool {
    let others = added.iter().map(|(_, one)| one).chain(held.values());
    others.into_iter().any(|one| one.channel == topic.channel && one.item.is_empty() != topic.item.is_empty())
}

/// Reads and checks the arguments of a login: key, time and signature.
pub(super) fn login(args: Option<&Vec<Value>>, members: &Members, now: i64) -> Result<Login, (i64, String)> {
    let wrong = || (10001, "Params Error".to_owned());
    let [key, expires, signature] = args.map(Vec::as_slice).unwrap_or_default() else { return Err(wrong()) };
    let expires = expires.as_i64().or_else(|| expires.as_str()?.parse().ok()).ok_or_else(wrong)?;
    let (key, signature) = (key.as_str().ok_or_else(wrong)?, signature.as_str().ok_or_else(wrong)?);
    match auth::log_in(members, key, expires, signature, now) {
        Ok(index) => Ok(Login { key: key.to_owned(), member: members.keys[index].member }),
        Err(refused) if refused.code == 10001 => Err(wrong()),
        Err(refused) => Err((refused.code, refused.message)),
    }
}
