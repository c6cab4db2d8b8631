//! Reads the specs on its own, so that it can disagree with the sandbox.

use serde_json::{Map, Value, json};

/// One venue's document.
pub struct Spec(Value);

/// A value that a request has to have, or that has a type.
#[derive(Debug)]
pub struct Input {
    pub name: String,
    pub required: bool,
    pub kind: Option<String>,
}

impl Spec {
    pub fn of(venue: &str) -> Self {
        let text = match venue {
            "bayse" => include_str!("../../../spec/src/generated/bayse.json"),
            "binance" => include_str!("../../../spec/src/generated/binance.json"),
            "bybit" => include_str!("../../../spec/src/generated/bybit.json"),
            "deribit" => include_str!("../../../spec/src/generated/deribit.json"),
            "kalshi" => include_str!("../../../spec/src/generated/kalshi.json"),
            "kalshi_perps" => include_str!("../../../spec/src/generated/kalshi_perps.json"),
            _ => include_str!("../../../spec/src/generated/yativo.json"),
        };
        Self(serde_json::from_str(text).unwrap())
    }

    /// An operation with the parameters of its path.
    fn operation(&self, id: &str) -> Value {
        if let Some(methods) = self.0["methods"].as_array() {
            return methods.iter().find(|method| method["name"] == id).unwrap().clone();
        }
        let items = self.0["paths"].as_object().unwrap().values();
        let with_shared = items.flat_map(|item| {
            item.as_object().unwrap().values().map(move |operation| (operation, item["parameters"].as_array()))
        });
        let (operation, shared) =
            with_shared.into_iter().find(|(operation, _)| operation["operationId"] == id).unwrap();
        let mut operation = operation.clone();
        let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        parameters.extend(shared.cloned().unwrap_or_default());
        operation["parameters"] = Value::Array(parameters);
        operation
    }

    /// The query parameters of an operation.
    pub fn query(&self, id: &str) -> Vec<Input> {
        let operation = self.operation(id);
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let parameters = parameters.iter().map(|parameter| self.resolved(parameter).clone());
        let query = parameters.filter(|parameter| parameter["in"] == "query");
        query
            .map(|parameter| self.input(&parameter["name"], parameter["required"] == true, &parameter["schema"]))
            .collect()
    }

    /// The members of an operation's body, or the params of a JSON-RPC method.
    pub fn body(&self, id: &str) -> Vec<Input> {
        let operation = self.operation(id);
        if let Some(params) = operation["params"].as_array() {
            let params = params.iter().map(|param| self.resolved(param));
            return params
                .map(|param| self.input(&param["name"], param["required"] == true, &param["schema"]))
                .collect();
        }
        let schema = self.resolved(&operation["requestBody"]["content"]["application/json"]["schema"]);
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let input = |(name, property): (&String, &Value)| {
            let name = Value::from(name.as_str());
            self.input(&name, required.contains(&name), property)
        };
        properties.iter().map(input).collect()
    }

    fn input(&self, name: &Value, required: bool, schema: &Value) -> Input {
        let schema = self.resolved(schema);
        let schema = schema["allOf"].get(0).map_or(schema, |one| self.resolved(one));
        let kind = schema["type"].as_str().map(str::to_owned);
        Input { name: name.as_str().unwrap().to_owned(), required, kind }
    }

    /// What a response lacks of its schema, or has beyond it. A member that is null counts as left out.
    pub fn conforms(&self, id: &str, answer: &Value) -> Result<(), String> {
        let operation = self.operation(id);
        if operation.get("methods").is_some() || operation.get("params").is_some() {
            return self.fits_exactly(&operation["result"]["schema"], &answer["result"], "result");
        }
        let responses = operation["responses"].as_object().unwrap();
        let (_, good) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
        match self.resolved(good)["content"]["application/json"].get("schema") {
            Some(schema) => self.fits_exactly(schema, answer, "body"),
            None => Ok(()),
        }
    }

    /// What the data of a stream's message lacks of the schemas of its channel, or has beyond them. Gives the channel's name in the
    /// spec.
    pub fn message(&self, channel: &str, kind: &str, data: &Value) -> Result<String, String> {
        self.message_at(None, channel, kind, data)
    }

    /// The same of a message at one endpoint, where several have channels of the same address.
    pub fn message_at(
        &self,
        endpoint: Option<&str>,
        channel: &str,
        kind: &str,
        data: &Value,
    ) -> Result<String, String> {
        let streams = &self.0["x-streams"];
        let channels = streams["channels"].as_object().ok_or("no streams")?;
        let is_there = |one: &Value| endpoint.is_none_or(|endpoint| one["x-endpoint"] == endpoint);
        let channels = channels.iter().filter(|(_, one)| is_there(one));
        let fitting = channels.filter_map(|(name, one)| {
            let literal = matches_address(one["address"].as_str()?, channel)?;
            Some((literal, name, one))
        });
        // Of `orders.{name}.{interval}` and `orders.{name}.raw`, the one that says more.
        let (_, name, found) =
            fitting.max_by_key(|(literal, ..)| *literal).ok_or_else(|| format!("no channel {channel}"))?;
        let messages = found["messages"].as_object().unwrap().values().map(|message| self.resolved(message));
        let mut meant = messages.filter(|message| message.get("name").is_none_or(|name| name == kind)).peekable();
        if meant.peek().is_none() {
            return Err(format!("{channel} has no message {kind}"));
        }
        let records = match data {
            Value::Array(records) if found["x-list"] == true => records.clone(),
            one => vec![one.clone()],
        };
        let fits = |message: &Value| {
            records.iter().try_for_each(|record| self.fits_exactly(&message["payload"], record, channel))
        };
        let mut outcomes = meant.map(fits);
        let first = outcomes.next().unwrap();
        let outcome = if first.is_err() { outcomes.find(Result::is_ok).unwrap_or(first) } else { first };
        outcome.map(|()| name.clone())
    }

    /// The same of a whole frame that belongs to no channel.
    pub fn reply(&self, kind: &str, frame: &Value) -> Result<(), String> {
        let messages = self.0["x-streams"]["messages"].as_object().ok_or("no streams")?.values();
        let meant = messages.filter(|message| message["x-control"] == true && message["name"] == kind);
        let mut outcomes = meant.map(|message| self.fits_exactly(&message["payload"], frame, kind));
        let first = outcomes.next().ok_or_else(|| format!("no reply {kind}"))?;
        if first.is_err() { outcomes.find(Result::is_ok).unwrap_or(first) } else { first }
    }

    /// The names of all channels.
    pub fn channels(&self) -> Vec<String> {
        self.0["x-streams"]["channels"].as_object().unwrap().keys().cloned().collect()
    }

    /// How an operation's list is paged.
    pub fn page(&self, id: &str) -> Option<Value> {
        self.operation(id).get("x-page").cloned()
    }

    fn fits_exactly(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        self.fits(schema, value, at)?;
        let mut unknown = Vec::new();
        self.unknown(&[schema], value, at, &mut unknown);
        if unknown.is_empty() { Ok(()) } else { Err(format!("not in the spec: {}", unknown.join(", "))) }
    }

    /// The members of a value that no schema of several names.
    fn unknown(&self, schemas: &[&Value], value: &Value, at: &str, found: &mut Vec<String>) {
        let mut flat = Vec::new();
        schemas.iter().for_each(|schema| self.flatten(schema, &mut flat));
        match value {
            Value::Object(members) => {
                let is_open = flat.iter().all(|schema| schema.get("properties").is_none());
                for (name, member) in members {
                    let named = flat.iter().filter_map(|schema| schema["properties"].get(name));
                    let mut named: Vec<&Value> = named.collect();
                    let others = flat.iter().filter_map(|schema| schema.get("additionalProperties"));
                    let others: Vec<&Value> = others.filter(|more| **more != json!(false)).collect();
                    if named.is_empty() && others.is_empty() && !is_open {
                        found.push(format!("{at}/{name}"));
                    }
                    if named.is_empty() {
                        named.extend(others.into_iter().filter(|more| more.is_object()));
                    }
                    self.unknown(&named, member, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) => {
                let of_items: Vec<&Value> = flat.iter().filter_map(|schema| schema.get("items")).collect();
                for (index, item) in items.iter().enumerate() {
                    self.unknown(&of_items, item, &format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
    }

    /// The schemas that a schema is made of.
    fn flatten<'a>(&'a self, schema: &'a Value, flat: &mut Vec<&'a Value>) {
        let schema = self.resolved(schema);
        flat.push(schema);
        let parts = ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|word| schema[word].as_array());
        parts.flatten().for_each(|part| self.flatten(part, flat));
    }

    fn fits(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let schema = self.resolved(schema);
        if let Some(parts) = schema["allOf"].as_array() {
            parts.iter().try_for_each(|part| self.fits(part, value, at))?;
        }
        if let Some(alternatives) = schema["oneOf"].as_array()
            && !alternatives.iter().any(|alternative| self.fits(alternative, value, at).is_ok())
        {
            return Err(format!("{at} fits no alternative: {value}"));
        }
        let types = match &schema["type"] {
            Value::Null => Vec::new(),
            Value::Array(names) => names.clone(),
            one => vec![one.clone()],
        };
        if !types.is_empty() && !types.iter().any(|name| self.is_a(value, name.as_str().unwrap())) {
            return Err(format!("{at} is no {types:?}: {value}"));
        }
        if let Value::Object(members) = value {
            self.members_fit(schema, members, at)?;
        }
        if let (Value::Array(items), Some(item)) = (value, schema.get("items")) {
            items.iter().enumerate().try_for_each(|(index, one)| self.fits(item, one, &format!("{at}/{index}")))?;
        }
        if let (Value::Array(items), Some(elements)) = (value, schema["x-tuple"].as_array()) {
            if items.len() < elements.len() {
                return Err(format!("{at} has too few elements: {value}"));
            }
            let mut pairs = elements.iter().zip(items).enumerate();
            pairs.try_for_each(|(index, (element, one))| self.fits(element, one, &format!("{at}/{index}")))?;
        }
        Ok(())
    }

    /// Bybit writes whole numbers as texts, and an absent one as an empty text; its spec names what they are read as.
    fn is_a(&self, value: &Value, name: &str) -> bool {
        let is_text = |text: &str| text.is_empty() || text.parse::<i64>().is_ok();
        let reads_texts = name == "integer" && self.0["info"]["title"] == "Bybit v5";
        is_a(value, name) || reads_texts && value.as_str().is_some_and(is_text)
    }

    fn members_fit(&self, schema: &Value, members: &Map<String, Value>, at: &str) -> Result<(), String> {
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            let nullable = schema["properties"][name]["nullable"] == true;
            if !nullable && members.get(name).is_none_or(Value::is_null) {
                return Err(format!("{at}/{name} is missing"));
            }
        }
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let more = &schema["additionalProperties"];
            let property = schema["properties"].get(name).or_else(|| more.is_object().then_some(more));
            if let Some(property) = property {
                self.fits(property, value, &format!("{at}/{name}"))?;
            }
        }
        Ok(())
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(target) => self.resolved(self.0.pointer(target.trim_start_matches('#')).unwrap()),
            None => value,
        }
    }
}

/// How many parts of a channel's name are those of an address, where it is one of them.
fn matches_address(address: &str, channel: &str) -> Option<usize> {
    let (mut literal, mut parts) = (0, channel.split('.'));
    for expected in address.split('.') {
        let part = parts.next()?;
        match expected.starts_with('{') {
            true => {}
            false if expected == part => literal += 1,
            false => return None,
        }
    }
    parts.next().is_none().then_some(literal)
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        _ => value.is_string(),
    }
}

/// A JSON value of another type.
pub fn of_another_type(kind: &str) -> Value {
    match kind {
        "string" => json!(17),
        _ => json!("not so"),
    }
}
