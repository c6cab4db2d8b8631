//! A call as a message takes it: the parameters of its query and the members of its body, with their JSON types.

use serde_json::value::RawValue;
use url::form_urlencoded;
use venuekit_auth::described::CallParam;

use super::Call;
use crate::members::{Members, string};

impl Call {
    /// The parameters of the call by name. They are read from what is written for a request, so that requests do not pay for it.
    ///
    /// # Errors
    /// What a message cannot carry.
    pub(crate) fn params(&self) -> Result<Vec<CallParam<'static>>, String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let mut params: Vec<CallParam<'static>> = Vec::with_capacity(12);
        for (index, (name, value)) in form_urlencoded::parse(query.as_bytes()).enumerate() {
            if params.iter().any(|param| param.name == name) {
                return Err(format!("{name}: several values of this parameter cannot be sent over a WebSocket"));
            }
            let is_text = self.texts.get(index).unwrap_or_else(|| is_text(&value));
            params.push(CallParam { name: name.into_owned().into(), value: value.into_owned().into(), is_text });
        }
        let Some(body) = &self.body else { return Ok(params) };
        let members = Members::of(body).ok_or("the body is not a JSON object")?;
        for (name, value) in members.iter().filter(|(_, value)| value.get() != "null") {
            let (value, is_text) = of_json(value);
            params.push(CallParam { name: name.to_owned().into(), value: value.into(), is_text });
        }
        Ok(params)
    }
}

/// A value as it is signed, and whether it is a text.
fn of_json(value: &RawValue) -> (String, bool) {
    match string(value) {
        Some(text) => (text, true),
        None => (value.get().to_owned(), false),
    }
}

/// Whether a value that somebody has written is a text: everything but JSON of another kind.
fn is_text(value: &str) -> bool {
    let is_json = matches!(value, "true" | "false")
        || value.starts_with(|first: char| matches!(first, '[' | '{' | '-' | '0'..='9'))
            && serde_json::from_str::<&RawValue>(value).is_ok();
    !is_json
}

/// Params as the JSON object of a message.
pub(crate) fn object(params: &[CallParam<'_>]) -> String {
    let size = params.iter().map(|param| param.name.len() + param.value.len() + 8).sum::<usize>() + 2;
    let mut object = Vec::with_capacity(size);
    object.push(b'{');
    for (index, CallParam { name, value, is_text }) in params.iter().enumerate() {
        if index > 0 {
            object.push(b',');
        }
        push_text(&mut object, name);
        object.push(b':');
        match is_text {
            true => push_text(&mut object, value),
            false => object.extend_from_slice(value.as_bytes()),
        }
    }
    object.push(b'}');
    // It is put together from texts.
    String::from_utf8(object).unwrap_or_default()
}

fn push_text(object: &mut Vec<u8>, text: &str) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(object, text);
}

#[cfg(test)]
mod tests {
    use venuekit_wire::operation::Operation;

    use super::*;
    use crate::call::JsonBody;
    use crate::fixtures;

    static OPERATION: Operation = Operation { method: "GET", path: "/order", ..fixtures::OPERATION };

    fn written(call: &Call) -> String {
        object(&call.params().unwrap())
    }

    #[test]
    fn parameters_keep_their_json_types() {
        let call = Call::new(&OPERATION).query("symbol", "１ &\"").query("orderId", &5).query("limit", &None::<i64>);
        let call = call.query("price", "0.10").query("test", &true);
        assert_eq!(written(&call), r#"{"symbol":"１ &\"","orderId":5,"price":"0.10","test":true}"#);
        assert_eq!(written(&Call::new(&OPERATION)), "{}");
    }

    #[test]
    fn a_body_is_taken_as_it_is_written() {
        let body = r#"{"a":"x\u0026y","b":1.50,"c":null,"d":["p"],"e":"1"}"#;
        let call = Call::new(&OPERATION).query("q", &1).body(JsonBody::new(&OPERATION, body).unwrap());
        assert_eq!(written(&call), r#"{"q":1,"a":"x&y","b":1.50,"d":["p"],"e":"1"}"#);
    }

    #[test]
    fn what_was_encoded_before_is_read_by_its_looks() {
        let query = "symbol=BTC%20X&limit=5&list=%5B%22a%22%5D&x=5a&y=true&z=-1.5&none=";
        let call = Call::new(&OPERATION).encoded_query(query);
        let expected = r#"{"symbol":"BTC X","limit":5,"list":["a"],"x":"5a","y":true,"z":-1.5,"none":""}"#;
        assert_eq!(written(&call), expected);
    }

    #[test]
    fn a_list_by_repetition_is_refused() {
        let call = Call::new(&OPERATION).query("ids", &vec!["1", "2"]);
        assert!(call.params().unwrap_err().contains("ids"));
    }
}
