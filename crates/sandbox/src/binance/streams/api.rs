//! The WebSocket API: the calls of the venue over a connection, its log-on, and subscriptions to events of accounts.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::connection::{Connection, Logon, Subscription};
use super::market::Moment;
use super::user;
use crate::binance::auth;
use crate::binance::limits::Scope;
use crate::binance::permissions::Permission;
use crate::binance::read::Given;
use crate::binance::reply::Refusal;
use crate::binance::served::{self, Need, Route};
use crate::binance::symbols::rate_limits;
use crate::binance::{Call, State};
use crate::executed::Executed;
use crate::faults::Fault;
use crate::spec::{BINANCE, Operation};

const LONGEST_ID: usize = 36;
/// What a call of the session itself weighs.
const SESSION_WEIGHT: u64 = 2;
/// So many subscriptions a connection may begin in its life.
const MOST_SUBSCRIPTIONS: u64 = 65_535;

/// A call of a client. Values of parameters are kept as they were written, since they are signed so.
#[derive(Deserialize)]
pub(in crate::binance) struct Message {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    method: String,
    #[serde(default)]
    params: BTreeMap<String, Box<RawValue>>,
}

impl Message {
    pub(in crate::binance) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The method without its optional version prefix.
    pub(in crate::binance) fn method(&self) -> &str {
        self.method.strip_prefix("v3/").unwrap_or(&self.method)
    }

    /// The key that the call names.
    pub(in crate::binance) fn key(&self) -> Option<String> {
        self.text("apiKey")
    }

    fn text(&self, name: &str) -> Option<String> {
        self.params.get(name).map(|raw| plain(raw))
    }

    /// The text that is signed: all parameters but the signature, sorted by name and not encoded.
    fn signed_text(&self) -> String {
        let pairs = self.params.iter().filter(|(name, _)| *name != "signature");
        let pairs: Vec<String> = pairs.map(|(name, raw)| format!("{name}={}", plain(raw))).collect();
        pairs.join("&")
    }

    fn given(&self) -> Result<Given, Refusal> {
        let value = |raw: &RawValue| match serde_json::from_str(raw.get()) {
            // A number keeps its digits.
            Ok(Value::Number(_)) => Value::from(raw.get()),
            Ok(value) => value,
            Err(_) => Value::Null,
        };
        let params: Map<String, Value> = self.params.iter().map(|(name, raw)| (name.clone(), value(raw))).collect();
        Given::from_params(&params)
    }
}

/// A value as it is signed: a text without its quotes, anything else as it was written.
fn plain(raw: &RawValue) -> String {
    serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
}

/// The result of a call, and the limits that it has used.
struct Outcome {
    result: Result<Value, Refusal>,
    limits: Vec<Value>,
}

impl State {
    /// Executes a call and responds.
    pub(super) fn hear_call(
        &mut self,
        number: u64,
        message: Option<&Message>,
        fault: Option<Fault>,
        executed: &Executed,
        now: i64,
    ) -> Option<Value> {
        let Some(message) = message else {
            let refused = Refusal::new(-1135, "Invalid JSON Request");
            return self.respond(number, (&Value::Null, false), refused_without_use(refused), fault, now);
        };
        let is_id = match &message.id {
            Value::Null => true,
            Value::String(id) => id.len() <= LONGEST_ID,
            Value::Number(id) => id.is_i64(),
            _ => false,
        };
        if !is_id {
            let refused = Refusal::invalid("id");
            return self.respond(number, (&Value::Null, false), refused_without_use(refused), fault, now);
        }
        let shows_limits = message.text("returnRateLimits").as_deref() != Some("false");
        let outcome = self.carry_out_call(number, message, now);
        if outcome.result.is_ok() {
            executed.add("binance", message.method());
        }
        let is_ban = outcome.result.as_ref().is_err_and(|refused| refused.status == 418);
        let sent = self.respond(number, (&message.id, shows_limits), outcome, fault, now);
        if is_ban && let Some(connection) = self.hub.connections.get(&number) {
            connection.refuse("banned");
        }
        sent
    }

    fn respond(
        &self,
        number: u64,
        (id, shows_limits): (&Value, bool),
        outcome: Outcome,
        fault: Option<Fault>,
        now: i64,
    ) -> Option<Value> {
        let connection = self.hub.connections.get(&number)?;
        let mut response = match outcome.result {
            Ok(mut result) => {
                connection.unit.apply(&mut result);
                json!({"id": id, "status": 200, "result": result})
            }
            Err(refused) => {
                let mut error = refused.error();
                if let Some(seconds) = refused.retry_after {
                    error["data"] = json!({"serverTime": now, "retryAfter": now + seconds * 1000});
                }
                json!({"id": id, "status": refused.status, "error": error})
            }
        };
        if shows_limits && connection.returns_limits && !outcome.limits.is_empty() {
            response["rateLimits"] = outcome.limits.into();
        }
        connection.respond(&response, fault);
        Some(response)
    }

    fn carry_out_call(&mut self, number: u64, message: &Message, now: i64) -> Outcome {
        // A key that was deleted ends the log-on, and no call is to blame.
        if let Some(connection) = self.hub.connections.get_mut(&number)
            && let Some(logon) = &connection.logon
            && self.members.key(&logon.key).is_none()
        {
            connection.logon = None;
            connection.subscriptions.retain(|_, one| !one.by_logon);
            let error = Refusal::key().error();
            connection.respond(&json!({"id": null, "status": 401, "error": error}), None);
        }
        let method = message.method();
        let route = served::named(method);
        let operation = BINANCE.rpc(method);
        let is_session = method.starts_with("session.") || method.starts_with("userDataStream.");
        if route.is_none() && operation.is_none() && !is_session {
            return refused_without_use(Refusal::new(-1000, "Unknown method."));
        }
        let given = match message.given() {
            Ok(given) => given,
            Err(refused) => return refused_without_use(refused),
        };
        let need = match (route, operation) {
            (Some(route), _) => route.need,
            (None, Some(operation)) if !is_session => crate::binance::need_of(operation),
            (None, _) => Need::Public,
        };
        let key = match self.authenticate_call(number, message, &given, need, now) {
            Ok(key) => key,
            Err(refused) => return refused_without_use(refused),
        };
        let account = key.map(|key| self.members.keys[key].member).unwrap_or_default();
        let weight = route.map_or(if is_session { SESSION_WEIGHT } else { 1 }, |route| route.weight(&given));
        let counted = self.limits.count((Scope::Api, method, account), weight, &self.settings, now);
        let used = match counted {
            Ok(used) => used,
            Err(refused) => return refused_without_use(refused),
        };
        let result = match (route, operation) {
            (Some(route), _) => self.carry_out(&Call { route, given: &given, key, now }),
            (None, _) if is_session => self.session(number, message, &given, now),
            (None, Some(operation)) => Ok(example(operation, &given)),
            (None, None) => Err(Refusal::new(-1000, "Unknown method.")),
        };
        let orders = route.filter(|route| Route::counts_orders(route)).map(|_| self.limits.orders(account, now));
        Outcome { result, limits: self.used(used, orders) }
    }

    /// What a call has used of the limits that it counts against.
    fn used(&self, weight: u64, orders: Option<[u64; 2]>) -> Vec<Value> {
        let counts = [Some(weight), orders.map(|orders| orders[0]), orders.map(|orders| orders[1])];
        let limits = rate_limits(&self.settings).into_iter().zip(counts);
        limits
            .filter_map(|(mut limit, count)| {
                limit["count"] = count?.into();
                Some(limit)
            })
            .collect()
    }

    /// The key that a call is made with: its own, or that of the log-on.
    fn authenticate_call(
        &self,
        number: u64,
        message: &Message,
        given: &Given,
        need: Need,
        now: i64,
    ) -> Result<Option<usize>, Refusal> {
        if need == Need::Public {
            return Ok(None);
        }
        let logon = self.hub.connections.get(&number).and_then(|connection| connection.logon.as_ref());
        let key = match (message.key(), logon) {
            (Some(_), _) if need == Need::Key => auth::key_of(&self.members, message.key().as_deref())?,
            (Some(_), _) => self.signed(message, given, now)?,
            (None, Some(logon)) => {
                if need != Need::Key {
                    auth::check_time(given, now)?;
                }
                self.members.key(&logon.key).ok_or_else(Refusal::key)?
            }
            (None, None) => return Err(Refusal::mandatory("apiKey")),
        };
        self.permit(key, need)?;
        Ok(Some(key))
    }

    /// The key of a call that is signed.
    fn signed(&self, message: &Message, given: &Given, now: i64) -> Result<usize, Refusal> {
        let key = auth::key_of(&self.members, Some(given.required("apiKey")?))?;
        auth::check_time(given, now)?;
        let signature = given.text("signature").filter(|text| !text.is_empty());
        let signature = signature.ok_or_else(|| Refusal::mandatory("signature"))?;
        let text = message.signed_text();
        if auth::is_signed(&self.members.keys[key], text.as_bytes(), signature) {
            Ok(key)
        } else {
            Err(auth::invalid())
        }
    }

    /// What is done with the connection itself.
    fn session(&mut self, number: u64, message: &Message, given: &Given, now: i64) -> Result<Value, Refusal> {
        let gone = || Refusal::new(-1001, "Internal error; unable to process your request. Please try again.");
        match message.method() {
            "session.logon" => {
                let key = self.signed(message, given, now)?;
                if self.members.keys[key].secret.kind() != "Ed25519" {
                    return Err(Refusal::new(-2028, "Only Ed25519 keys are supported for this request."));
                }
                auth::check_key(&self.members.keys[key], Permission::Read)?;
                let name = self.members.keys[key].name.clone();
                let connection = self.hub.connections.get_mut(&number).ok_or_else(gone)?;
                connection.logon = Some(Logon { key: name, since: now });
                Ok(status(connection, now))
            }
            "session.status" => Ok(status(self.hub.connections.get(&number).ok_or_else(gone)?, now)),
            "session.logout" => {
                self.end_subscriptions(number, |_, one| one.by_logon, now);
                let connection = self.hub.connections.get_mut(&number).ok_or_else(gone)?;
                connection.logon = None;
                Ok(status(connection, now))
            }
            "session.subscriptions" => {
                let connection = self.hub.connections.get(&number).ok_or_else(gone)?;
                Ok(connection.subscriptions.keys().map(|id| json!({"subscriptionId": id})).collect())
            }
            "userDataStream.subscribe" => {
                if !message.params.is_empty() {
                    let count = message.params.len();
                    let text =
                        format!("Not all sent parameters were read; read '0' parameter(s) but was sent '{count}'.");
                    return Err(Refusal::new(-1104, text));
                }
                let connection = self.hub.connections.get(&number).ok_or_else(gone)?;
                let logon = connection.logon.as_ref().ok_or_else(Refusal::key)?;
                let key = self.members.key(&logon.key).ok_or_else(Refusal::key)?;
                self.subscribe(number, self.members.keys[key].member, true)
            }
            "userDataStream.subscribe.signature" => {
                let key = self.signed(message, given, now)?;
                auth::check_key(&self.members.keys[key], Permission::Read)?;
                self.subscribe(number, self.members.keys[key].member, false)
            }
            "userDataStream.unsubscribe" => {
                let wanted = given.integer("subscriptionId")?.map(|id| u64::try_from(id).unwrap_or(u64::MAX));
                let ended = self.end_subscriptions(number, |id, _| wanted.is_none_or(|wanted| wanted == id), now);
                if wanted.is_some() && ended == 0 { Err(Refusal::invalid("subscriptionId")) } else { Ok(json!({})) }
            }
            _ => Err(Refusal::new(-1000, "Unknown method.")),
        }
    }

    fn subscribe(&mut self, number: u64, member: usize, by_logon: bool) -> Result<Value, Refusal> {
        let Some(connection) = self.hub.connections.get_mut(&number) else { return Err(Refusal::key()) };
        if connection.subscriptions.values().any(|one| one.member == member) {
            return Err(Refusal::new(-2035, "Subscription already active."));
        }
        let id = connection.next_subscription;
        if id >= MOST_SUBSCRIPTIONS {
            return Err(Refusal::new(-2042, "Too many subscriptions on this connection."));
        }
        connection.next_subscription += 1;
        connection.subscriptions.insert(id, Subscription { member, by_logon });
        Ok(json!({"subscriptionId": id}))
    }

    /// Ends subscriptions of a connection. Returns how many.
    fn end_subscriptions(&mut self, number: u64, ends: impl Fn(u64, &Subscription) -> bool, now: i64) -> usize {
        let Some(connection) = self.hub.connections.get_mut(&number) else { return 0 };
        let over = connection.subscriptions.iter().filter(|(id, one)| ends(**id, one)).map(|(id, _)| *id);
        let over: Vec<u64> = over.collect();
        for id in &over {
            connection.subscriptions.remove(id);
        }
        if let Some(connection) = self.hub.connections.get(&number) {
            let event = user::terminated(Moment { now, unit: connection.unit });
            for id in &over {
                self.hub.tell_account(connection, *id, &event);
            }
        }
        over.len()
    }
}

fn refused_without_use(refused: Refusal) -> Outcome {
    Outcome { result: Err(refused), limits: Vec::new() }
}

/// How a connection stands.
fn status(connection: &Connection, now: i64) -> Value {
    json!({
        "apiKey": connection.logon.as_ref().map(|logon| logon.key.as_str()),
        "authorizedSince": connection.logon.as_ref().map(|logon| logon.since),
        "connectedSince": connection.since,
        "returnRateLimits": connection.returns_limits,
        "serverTime": now,
        "userDataStream": !connection.subscriptions.is_empty(),
    })
}

/// The response to a call that is not served from state.
fn example(operation: &Operation, given: &Given) -> Value {
    let params: Map<String, Value> =
        given.without_credentials().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let mut named = crate::spec::Given::default();
    named.add_all(&Value::Object(params));
    operation.example(&named).unwrap_or_else(|| json!({}))
}
