//! What the builders of operations give to a call: values that may be missing, and what was refused of them.

use std::fmt::Display;

use serde::Serialize;
use venuekit_wire::given::Refused;

use super::{Call, CallBody};

impl Call {
    /// Takes over what the setters refused.
    #[must_use]
    pub fn given(self, refused: Refused) -> Self {
        match refused.into_result() {
            Ok(()) => self,
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// The value of the path's next parameter.
    #[must_use]
    pub fn required_path(self, value: &Option<impl Display>) -> Self {
        match value {
            Some(value) => self.path(value),
            None => {
                let name = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(name, _)| name);
                self.refuse(format!("{} is missing", name.unwrap_or("a part of the path")))
            }
        }
    }

    /// A parameter of the query that the call cannot do without.
    #[must_use]
    pub fn required_query(self, name: &str, value: &Option<impl Serialize>) -> Self {
        self.required(name, value).query(name, value)
    }

    /// A list of the query as JSON text that the call cannot do without.
    #[must_use]
    pub fn required_json_query(self, name: &str, value: &Option<impl Serialize>) -> Self {
        self.required(name, value).json_query(name, value)
    }

    /// A header that the call cannot do without.
    #[must_use]
    pub fn required_header(self, name: &'static str, value: Option<impl Display>) -> Self {
        self.required(name, &value).header(name, value)
    }

    /// A body that the call cannot do without.
    #[must_use]
    pub fn required_body(self, body: Option<impl CallBody>) -> Self {
        match body {
            Some(body) => self.body(body),
            None => self.refuse("the body is missing"),
        }
    }

    /// The body that a builder makes.
    #[must_use]
    pub fn built_body<B: CallBody>(self, builder: impl TryInto<B, Error: Display>) -> Self {
        match builder.try_into() {
            Ok(body) => self.body(body),
            Err(refusal) => self.refuse(refusal.to_string()),
        }
    }

    fn required<T>(self, name: &str, value: &Option<T>) -> Self {
        match value {
            Some(_) => self,
            None => self.refuse(format!("{name} is missing")),
        }
    }
}

#[cfg(test)]
mod tests {
    use venuekit_wire::given::{Refusal, Refused};
    use venuekit_wire::operation::Operation;

    use super::*;
    use crate::fixtures;

    static OPERATION: Operation =
        Operation { id: "get_thing", path: "/shops/{shopId}/things/{id}", ..fixtures::OPERATION };

    #[derive(serde::Serialize)]
    struct Body(&'static str);

    impl CallBody for Body {}

    fn whole() -> Call {
        Call::new(&OPERATION).required_path(&Some("a/b")).required_path(&Some(7))
    }

    #[track_caller]
    fn refused(mut call: Call, because: &str) {
        let error = call.ready().unwrap_err();
        assert_eq!(error.operation(), Some("get_thing"));
        assert!(error.to_string().contains(because), "{error}");
    }

    #[test]
    fn what_is_given_is_sent() {
        let call = whole().given(Refused::default()).required_query("since", &Some(1)).query("limit", &None::<i64>);
        let mut call = call.built_body::<Body>(Body("x"));
        call.ready().unwrap();
        assert_eq!((call.target(), call.json()), ("/shops/a%2Fb/things/7?since=1", r#""x""#));
    }

    #[test]
    fn what_is_missing_is_named_by_the_first_of_it() {
        refused(Call::new(&OPERATION).required_path(&None::<i64>).required_path(&Some(7)), "shopId is missing");
        refused(Call::new(&OPERATION).required_path(&Some("a")).required_path(&None::<i64>), "id is missing");
        refused(
            whole().required_query("since", &None::<i64>).required_query("until", &None::<i64>),
            "since is missing",
        );
        refused(whole().required_header("x-trace", None::<&str>), "x-trace is missing");
        refused(whole().required_body(None::<Body>), "the body is missing");
    }

    #[test]
    fn what_was_refused_goes_before_what_is_missing() {
        let mut given = Refused::default();
        assert_eq!(given.take::<u8>("limit", 256), None);
        let call = Call::new(&OPERATION).given(given).required_path(&None::<i64>);
        refused(call, "limit: ");
        struct Incomplete;
        impl TryFrom<Incomplete> for Body {
            type Error = Refusal;
            fn try_from(_: Incomplete) -> Result<Self, Refusal> {
                Err(Refusal::new("price is missing"))
            }
        }
        refused(whole().built_body::<Body>(Incomplete), "price is missing");
    }
}
