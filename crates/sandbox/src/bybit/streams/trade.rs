//! The trade channel: orders over a connection that is logged in.

use serde_json::{Value, json};

use super::commands;
use super::connection::Connection;
use crate::bybit::auth;
use crate::bybit::category::Category;
use crate::bybit::orders::Action;
use crate::bybit::read::Given;
use crate::bybit::reply::{Outcome, Refusal};
use crate::bybit::served;
use crate::bybit::{State, USUAL_LIMIT};
use crate::executed::Executed;
use crate::faults::Fault;

const LONGEST_ID: usize = 36;

/// The operations that the channel carries, and the paths that do the same.
const OPS: [(&str, Action, bool, &str); 6] = [
    ("order.create", Action::Create, false, "/v5/order/create"),
    ("order.amend", Action::Amend, false, "/v5/order/amend"),
    ("order.cancel", Action::Cancel, false, "/v5/order/cancel"),
    ("order.create-batch", Action::Create, true, "/v5/order/create-batch"),
    ("order.amend-batch", Action::Amend, true, "/v5/order/amend-batch"),
    ("order.cancel-batch", Action::Cancel, true, "/v5/order/cancel-batch"),
];

/// A message of a client.
pub(in crate::bybit) struct Message(Value);

impl Message {
    pub(in crate::bybit) fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    pub(in crate::bybit) fn op(&self) -> &str {
        self.0["op"].as_str().unwrap_or_default()
    }

    fn id(&self) -> Option<&str> {
        self.0["reqId"].as_str()
    }

    /// A header, written as a text or as a number.
    fn header(&self, name: &str) -> Option<String> {
        match &self.0["header"][name] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

impl State {
    /// Carries a message out and responds.
    pub(super) fn hear_trade(
        &mut self,
        number: u64,
        message: &Message,
        fault: Option<Fault>,
        executed: &Executed,
        now: i64,
    ) {
        let Some(connection) = self.hub.connections.get_mut(&number) else { return };
        let mut response = match message.op() {
            "ping" => json!({
                "retCode": 0, "retMsg": "OK", "op": "pong", "data": [now.to_string()], "connId": connection.id,
            }),
            "auth" => log_in(connection, &self.members, message, now),
            op => {
                let outcome = self.carry_out_trade(number, message, now);
                if outcome.is_ok()
                    && let Some((.., path)) = OPS.into_iter().find(|(name, ..)| *name == op)
                {
                    executed.add("bybit", &format!("POST {path}"));
                }
                let Some(connection) = self.hub.connections.get(&number) else { return };
                let header = self.header(connection, op, now);
                let (code, text, result, ext) = match outcome {
                    Ok(Outcome { message, result, ext }) => (0, message.to_owned(), result, ext),
                    Err(Refusal { code, message, .. }) => (code, message, json!({}), json!({})),
                };
                json!({
                    "retCode": code, "retMsg": text, "op": op, "data": result, "retExtInfo": ext, "header": header,
                    "connId": connection.id,
                })
            }
        };
        if let Some(id) = message.id() {
            response["reqId"] = id.into();
        }
        if let Some(connection) = self.hub.connections.get(&number) {
            connection.respond(&response, fault);
        }
    }

    fn carry_out_trade(&mut self, number: u64, message: &Message, now: i64) -> Result<Outcome, Refusal> {
        let Some(connection) = self.hub.connections.get_mut(&number) else { return Err(Refusal::new(10016, "gone")) };
        let unknown = || Refusal::new(10404, "op type is not found");
        let (_, action, is_batch, path) = OPS.into_iter().find(|(op, ..)| *op == message.op()).ok_or_else(unknown)?;
        if let Some(id) = message.id() {
            if id.len() > LONGEST_ID {
                return Err(Refusal::params("reqId"));
            }
            if !connection.commands.insert(id.to_owned()) {
                return Err(Refusal::new(20006, "reqId is duplicated"));
            }
        }
        let login = connection.login.clone().ok_or_else(|| Refusal::new(10005, "Request not authorized"))?;
        let key = self.members.key(&login.key).ok_or_else(|| Refusal::new(10003, "API key is invalid."))?;
        auth::check_key(&self.members, key, now)?;
        let timestamp = message.header("X-BAPI-TIMESTAMP").ok_or_else(|| Refusal::params("X-BAPI-TIMESTAMP"))?;
        let window = message.header("X-BAPI-RECV-WINDOW").unwrap_or_else(|| "5000".to_owned());
        auth::check_time(&timestamp, &window, now)?;
        let Some([body]) = message.0["args"].as_array().map(Vec::as_slice) else {
            return Err(Refusal::params("args must have one item"));
        };
        let given = Given::from(body.clone())?;
        if given.text("category").and_then(Category::named).is_none() {
            return Err(Refusal::new(10404, "category is not correct"));
        }
        let route = served::find("POST", path);
        let limit = route.and_then(|route| route.limit).unwrap_or(USUAL_LIMIT);
        let enforced = self.hub.settings.enforces_limits;
        if self.limits.count((login.member, path.to_owned()), limit, now, enforced).exceeded {
            return Err(Refusal::new(10006, "Too many visits. Exceeded the API Rate Limit."));
        }
        self.permit(key, (route, path), true, &given)?;
        let mut desk = crate::bybit::orders::Desk {
            trading: &mut self.trading,
            members: &mut self.members.all,
            member: login.member,
            now,
        };
        if is_batch { desk.batch(action, &given) } else { desk.one(action, &given) }
    }

    fn header(&self, connection: &Connection, op: &str, now: i64) -> Value {
        let mut header = json!({"Traceid": crate::make::uuid().replace('-', ""), "Timenow": now.to_string()});
        if let Some((.., path)) = OPS.into_iter().find(|(name, ..)| *name == op)
            && let Some(login) = &connection.login
        {
            let limit = served::find("POST", path).and_then(|route| route.limit).unwrap_or(USUAL_LIMIT);
            let standing = self.limits.standing(&(login.member, path.to_owned()), limit, now);
            header["X-Bapi-Limit"] = standing.limit.to_string().into();
            header["X-Bapi-Limit-Status"] = standing.left.to_string().into();
            header["X-Bapi-Limit-Reset-Timestamp"] = standing.reset.to_string().into();
        }
        header
    }
}

fn log_in(connection: &mut Connection, members: &crate::bybit::members::Members, message: &Message, now: i64) -> Value {
    let id = connection.id.clone();
    let reply = |code: i64, text: &str| json!({"retCode": code, "retMsg": text, "op": "auth", "connId": id});
    if connection.login.is_some() {
        return reply(20001, "Repeat auth");
    }
    match commands::login(message.0["args"].as_array(), members, now) {
        Ok(login) => {
            connection.login = Some(login);
            reply(0, "OK")
        }
        Err((code, text)) => reply(code, &text),
    }
}
