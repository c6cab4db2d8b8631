//! Small specs in, the text of their operations out.

use crate::document::Document;
use crate::emit::generate;
use crate::lint::lint;
use crate::source::Source;

const REST: &str = "\
openapi: 3.0.3
info: { title: The Venue, version: '7', description: Sells things. }
servers: [{ url: 'https://v.test', x-environment: production }]
tags: [{ name: things, description: What is sold. }, { name: api-keys }]
security: []
x-errors: { code: [/code] }
paths:
  '/shops/{shopId}/things/{id}':
    get:
      operationId: GetThing
      summary: One thing
      tags: [things]
      x-retry: safe
      parameters:
        - { name: id, in: path, required: true, schema: { $ref: '#/components/schemas/ThingId' } }
        - { name: shopId, in: path, required: true, description: The shop., schema: { $ref: '#/components/schemas/ThingId' } }
        - { name: since, in: query, required: true, schema: { type: integer, format: unix-s }, description: Not before. }
        - { name: limit, in: query, schema: { type: integer } }
        - { name: 'side[]', in: query, schema: { type: array, items: { $ref: '#/components/schemas/Side' } } }
        - { name: X-Trace, in: header, schema: { type: string } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
        4XX: { description: no }
        5XX: { description: no }
  '/things/{id}':
    post:
      operationId: MakeThing
      tags: [things]
      x-retry: { keyed: { field: name } }
      parameters:
        - { name: id, in: path, required: true, schema: { $ref: '#/components/schemas/ThingId' } }
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: '#/components/schemas/NewThing' } } }
      responses: { '204': { description: done }, 4XX: { description: no }, 5XX: { description: no } }
components:
  schemas:
    ThingId: { type: string, pattern: '^[a-z]+$' }
    Side: { type: string, enum: [buy, sell] }
    Thing: { type: object, properties: { name: { type: string }, side: { $ref: '#/components/schemas/Side' } } }
    NewThing:
      type: object
      required: [name, price, side]
      properties:
        name: { type: string, minLength: 1, description: Never to be used twice. }
        price: { type: string, format: decimal, description: Dollars. }
        side: { $ref: '#/components/schemas/Side' }
        id: { type: integer }
        send: { type: boolean }
";

const RPC: &str = "\
openrpc: 1.3.2
info: { title: t, version: '1' }
servers: [{ url: 'https://v.test', x-environment: production }]
x-security: []
x-errors: { code: [/code] }
methods:
  - name: public/ticker
    x-retry: safe
    tags: [{ name: market-data }]
    params: [{ name: instrument_name, required: true, schema: { type: string }, description: Its name. }]
    result: { name: r, schema: { type: string } }
  - name: public/get_time
    x-retry: safe
    tags: [{ name: supporting }]
    params: []
    result: { name: r, schema: { type: integer, format: unix-ms } }
";

/// The client of a spec without spaces, so that it does not matter where lines are broken.
fn client(name: &str, spec: &str) -> String {
    let document = Document::join("v", vec![Source::parse(&format!("specs/v/{name}"), spec).unwrap()]).unwrap();
    assert_eq!(lint(&document), []);
    dense(&generate(&document).unwrap().files["client.rs"])
}

/// A comma before a closing bracket depends on whether the line is broken.
fn dense(text: &str) -> String {
    let text: String = text.split_whitespace().collect();
    [",)", ",>"].iter().fold(text, |text, end| text.replace(end, &end[1..]))
}

#[track_caller]
fn has(client: &str, parts: &[&str]) {
    for part in parts {
        assert!(client.contains(&dense(part)), "{part}\n{client}");
    }
}

#[test]
fn a_call_with_path_query_and_headers() {
    let client = client("openapi.yaml", REST);
    has(
        &client,
        &[
            "pub struct GetThing<'a> {
                client: &'a Client,
                shop_id: Option<types::ThingId>,
                id: Option<types::ThingId>,
                since: Option<UnixSeconds>,
                limit: Option<i64>,
                side: Option<Vec<Open<types::Side>>>,
                x_trace: Option<String>,
                refused: Refused, }",
            "/// The shop. *Required.*
            pub fn shop_id(mut self, value: impl Into<types::ThingId>) -> Self {
                self.shop_id = self.refused.id(\"shop_id\", value);
                self }",
            "/// Not before. *Required.*
            pub fn since(mut self, value: impl Into<UnixSeconds>) -> Self {
                self.since = Some(value.into());
                self }",
            "pub fn limit(mut self, value: impl TryInto<i64, Error: Display>) -> Self {
                self.limit = self.refused.take(\"limit\", value);
                self }",
            "/// Sends `GET /shops/{shopId}/things/{id}`.
            pub async fn send(self) -> Result<ResponseValue<types::Thing>, Error> {
                let call = Call::new(operations::GET_THING)
                    .given(self.refused)
                    .required_path(&self.shop_id)
                    .required_path(&self.id)
                    .required_query(\"since\", &self.since)
                    .query(\"limit\", &self.limit)
                    .query(\"side[]\", &self.side)
                    .header(\"X-Trace\", self.x_trace);
                self.client.session.call(call).await }",
        ],
    );
}

#[test]
fn the_members_of_a_body_are_set_on_the_call() {
    let client = client("openapi.yaml", REST);
    has(
        &client,
        &[
            "pub struct MakeThing<'a> { client: &'a Client, id: Option<types::ThingId>, body: types::builder::NewThing, refused: Refused, }",
            "/// Dollars. *Required.*
            pub fn price(mut self, value: impl TryInto<Decimal, Error: Display>) -> Self {
                self.body = self.body.price(value);
                self }",
            "pub fn side(mut self, value: impl Into<Open<types::Side>>) -> Self { self.body = self.body.side(value); self }",
            // These names are taken: by the path, and by the builder itself.
            "pub fn body_id(mut self, value: impl TryInto<i64, Error: Display>) -> Self { self.body = self.body.id(value); self }",
            "pub fn body_send(mut self, value: bool) -> Self { self.body = self.body.send(value); self }",
            "pub fn body(mut self, value: impl Into<types::builder::NewThing>) -> Self { self.body = value.into(); self }",
            "pub async fn send(self) -> Result<ResponseValue<()>, Error> {
                let call = Call::new(operations::MAKE_THING)
                    .given(self.refused)
                    .required_path(&self.id)
                    .built_body::<types::NewThing>(self.body);
                self.client.session.call_empty(call).await }",
        ],
    );
}

#[test]
fn a_remote_procedure_has_its_params_as_a_body() {
    let client = client("openrpc.yaml", RPC);
    has(
        &client,
        &[
            "pub struct Ticker<'a> { client: &'a Client, body: types::builder::TickerParams, }",
            "/// Its name. *Required.*
            pub fn instrument_name(mut self, value: impl Into<String>) -> Self {
                self.body = self.body.instrument_name(value);
                self }",
            "/// Sends `public/ticker`.
            pub async fn send(self) -> Result<ResponseValue<String>, Error> {
                let call = Call::new(operations::TICKER).built_body::<types::TickerParams>(self.body);
                self.client.session.call(call).await }",
            "pub async fn send(self) -> Result<ResponseValue<UnixMillis>, Error> {
                let call = Call::new(operations::GET_TIME);
                self.client.session.call(call).await }",
        ],
    );
}

#[test]
fn methods_stand_by_subject_and_say_what_they_do() {
    let client = client("openapi.yaml", REST);
    has(
        &client,
        &[
            "/// A client for The Venue.
            ///
            /// Sells things.
            ///
            /// Version: 7
            #[derive(Clone, Debug)]
            pub struct Client { session: Session, }",
            "/// # Things
            ///
            /// What is sold.
            impl Client {
                /// One thing
                ///
                /// - Credentials: none.
                /// - Retry: safe; retried after a transient failure.
                pub fn get_thing(&self) -> builder::GetThing<'_> { builder::GetThing::new(self) }",
        ],
    );
    // A subject without operations has no heading.
    assert!(!client.contains("///#APIkeys"), "{client}");
}
