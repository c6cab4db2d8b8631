//! Calls over a WebSocket that is described: a sound spec, what it becomes, and mistakes in it.

use super::{Case, Files, check, findings, owned, read};
use crate::emit::generate;

const DESCRIBED: Files = &[(
    "openapi.yaml",
    "\
openapi: 3.0.3
info: { title: t, version: '1' }
servers:
  - { url: 'https://v.test', x-environment: production }
security: [{ signed: [] }]
x-errors: { code: [/code] }
x-buckets:
  weight: [{ tier: basic, windows: [{ count: 6000, seconds: 60 }] }]
x-signatures:
  signature:
    text: [query, body]
    time: unix-ms
    keys: { shared: [hmac-sha256, hex], ed25519: [ed25519, base64] }
    headers: { X-Key: '{id}' }
    adds: [{ timestamp: '{time}' }, { signature: '{signature}' }]
x-client-headers: { X-Time-Unit: [MILLISECOND, MICROSECOND] }
x-websocket:
  parameters: { X-Time-Unit: timeUnit }
  servers: { production: 'wss://w.test/ws-api' }
  dead-after: 60
  connection-life: 82800
  envelope:
    { id: id, method: method, params: params, status: status, result: result, error: error, retry-at: /data/retryAfter,
      event: { data: event, subscription: subscriptionId, type: e, closing: serverShutdown },
      limits: { list: rateLimits, type: rateLimitType, unit: interval, number: intervalNum, used: count,
                buckets: { REQUEST_WEIGHT: weight }, units: { MINUTE: 60 } } }
  signed:
    signature: [{ apiKey: '{id}' }, { recvWindow: '5000' }, { timestamp: '{time}' }, { signature: '{signature}' }]
  logon: { operation: sessionLogon, keys: [ed25519], adds: [{ timestamp: '{time}' }] }
paths:
  /order:
    get:
      operationId: getOrder
      tags: [a]
      x-retry: safe
      x-rate: { bucket: weight, cost: 4 }
      x-method: order.status
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
  /session.logon:
    post:
      operationId: sessionLogon
      description: May be repeated.
      tags: [a]
      x-retry: safe
      x-rate: { bucket: weight, cost: 2 }
      x-method: session.logon
      x-connection: { only: true }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
components:
  securitySchemes:
    signed: { type: apiKey, in: header, name: X-Key, x-credential: signature }
  responses:
    Failed: { description: no, content: { application/json: { schema: { $ref: '#/components/schemas/ApiError' } } } }
  schemas:
    Order: { type: object, required: [orderId], properties: { orderId: { type: integer } } }
    ApiError: { type: object, properties: { code: { type: integer } } }
",
)];

const SERVERS: &str = "  servers: { production: 'wss://w.test/ws-api' }";
const SIGNED: &str =
    "signature: [{ apiKey: '{id}' }, { recvWindow: '5000' }, { timestamp: '{time}' }, { signature: '{signature}' }]";

const CASES: &[Case] = &[
    ("bad-word", SERVERS, "  servers: { demo: 'wss://w.test/ws-api' }", "x-websocket:"),
    ("bad-word", SERVERS, "  servers: { production: 'https://w.test/ws-api' }", "x-websocket:"),
    ("bad-word", "dead-after: 60", "dead-after: 0", "x-websocket:"),
    ("bad-word", "connection-life: 82800", "connection-life: 0", "x-websocket:"),
    ("bad-word", "type: e, closing", "closing", "x-websocket:"),
    ("bad-word", ", closing: serverShutdown", "", "x-websocket:"),
    ("bad-word", "status: status, ", "", "x-websocket:"),
    ("bad-word", "retry-at: /data/retryAfter", "retry-at: data", "x-websocket:"),
    ("bad-word", "REQUEST_WEIGHT: weight", "REQUEST_WEIGHT: orders", "x-websocket:"),
    ("bad-word", SIGNED, "key: [{ signature: '{signature}' }]", "x-websocket:"),
    ("bad-word", SIGNED, "signature: [{ apiKey: '{id}' }]", "x-websocket:"),
    ("bad-word", SIGNED, "signature: [{ a: '{signature}', b: '1' }]", "x-websocket:"),
    ("bad-word", SIGNED, "signature: [{ a: 'x{signature}' }]", "x-websocket:"),
    ("bad-word", SIGNED, "signature: [{ a: '{nonce}' }, { b: '{signature}' }]", "x-websocket:"),
    ("bad-word", "operation: sessionLogon", "operation: logon", "x-websocket:"),
    ("bad-word", "      x-method: session.logon\n", "", "x-websocket:"),
    ("bad-word", "{ X-Time-Unit: timeUnit }", "{ X-Unit: timeUnit }", "x-websocket:"),
    ("bad-word", "keys: [ed25519]", "keys: []", "x-websocket:"),
    ("bad-word", "adds: [{ timestamp: '{time}' }] }\npaths", "adds: [{ s: '{signature}' }] }\npaths", "x-websocket:"),
    ("bad-word", "x-connection: { only: true }", "x-connection: { logon: maybe }", "x-connection:"),
];

#[test]
fn mistakes_in_the_description_are_named() {
    check(DESCRIBED, CASES);
}

#[test]
fn the_description_becomes_a_table() {
    let files = owned(DESCRIBED);
    assert_eq!(findings(&files), []);
    let generated = generate(&read(&files).unwrap()).unwrap();
    let table: String = generated.files["venue.rs"].split_whitespace().collect();
    for part in [
        r#"websocket:Some(WebSocket{dead_after:Some(60),connection_life:Some(82800),envelope:Some(Envelope{id:"id",method:"method","#,
        r#"retry_at:Some("/data/retryAfter"),event:Some(EventMembers{data:"event",subscription:"subscriptionId",closing:Some(("e","serverShutdown")),}),"#,
        r#"buckets:&[("REQUEST_WEIGHT","weight")],units:&[("MINUTE",60)],"#,
        r#"("recvWindow","5000"),("timestamp","{time}"),("signature","{signature}"),"#,
        r#"logon:Some(Logon{operation:"session_logon",keys:&[KeyType::Ed25519],adds:&[("timestamp","{time}")],}),"#,
        r#"on_connection:Some(OnConnection{only:true,..OnConnection::NONE}),"#,
        r#"parameters:&[("x-time-unit","timeUnit")],..WebSocket::EMPTY}),"#,
        r#"rpc_method:Some("order.status"),"#,
        r#"pubfnwebsocket_url(&self)->&str"#,
    ] {
        assert!(table.contains(part), "{part}\nis not in\n{table}");
    }
    let client: String = generated.files["client.rs"].split_whitespace().collect();
    assert!(client.contains("pubfnwebsocket(environment:"), "{client}");
}

const COMMANDS: Files = &[(
    "openapi.yaml",
    "\
openapi: 3.0.3
info: { title: t, version: '1' }
servers:
  - { url: 'https://v.test', x-environment: production, x-hosts: [old.v.test] }
  - { url: 'https://demo.v.test', x-environment: demo }
security: [{ signed: [], signature: [] }]
x-errors: { code: [/retCode], failed-when: [{ at: /retCode, not: 0 }] }
x-signatures:
  signature:
    text: [time, body]
    time: unix-ms
    keys: { shared: [hmac-sha256, hex] }
    headers: { X-Key: '{id}', X-Sign: '{signature}' }
  stream:
    text: ['GET/realtime', time]
    time: unix-ms
    keys: { shared: [hmac-sha256, hex] }
    headers: { X-Stream-Key: '{id}', X-Stream-Expires: '{time}', X-Stream-Sign: '{signature}' }
x-websocket:
  servers: { production: 'wss://w.test/trade', demo: none }
  ping: { every: 20, message: '{\"op\":\"ping\"}' }
  commands:
    id: reqId
    command: op
    arguments: args
    headers: header
    adds: [{ X-Timestamp: '{time}' }, { X-Window: '5000' }]
    body: { retCode: /retCode, result: /data, time: /header/Timenow }
    quiet: [pong]
    closing: ['10019']
    logon: { operation: logOn, credential: stream, values: [x-stream-key, { integer: x-stream-expires }], done: ['20001'] }
paths:
  /order:
    post:
      operationId: placeOrder
      tags: [a]
      x-retry: never
      x-method: order.create
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
  /auth:
    post:
      operationId: logOn
      description: May be repeated.
      tags: [a]
      security: [{ key: [], expires: [], sign: [] }]
      x-retry: safe
      x-method: auth
      x-connection: { only: true }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
components:
  securitySchemes:
    signed: { type: apiKey, in: header, name: X-Key, x-credential: signature }
    signature: { type: apiKey, in: header, name: X-Sign, x-credential: signature }
    key: { type: apiKey, in: header, name: X-Stream-Key, x-credential: stream }
    expires: { type: apiKey, in: header, name: X-Stream-Expires, x-credential: stream }
    sign: { type: apiKey, in: header, name: X-Stream-Sign, x-credential: stream }
  responses:
    Failed: { description: no, content: { application/json: { schema: { $ref: '#/components/schemas/ApiError' } } } }
  schemas:
    Order: { type: object, required: [retCode], properties: { retCode: { type: integer } } }
    ApiError: { type: object, properties: { retCode: { type: integer } } }
",
)];

const LOGON: &str =
    "logon: { operation: logOn, credential: stream, values: [x-stream-key, { integer: x-stream-expires }]";

const COMMAND_CASES: &[Case] = &[
    ("bad-word", "demo: none", "demo: nowhere", "x-websocket:"),
    ("bad-word", ", demo: none }", " }", "x-websocket:"),
    ("bad-word", "production: 'wss://w.test/trade'", "production: none", "x-websocket:"),
    ("bad-word", "every: 20", "every: 0", "x-websocket:"),
    ("bad-word", "message: '{\"op\":\"ping\"}'", "message: ping", "x-websocket:"),
    ("bad-word", "  ping: {", "  dead-after: 60\n  ping: {", "x-websocket:"),
    ("bad-word", "    id: reqId\n", "", "x-websocket:"),
    ("bad-word", "    id: reqId\n", "    id: reqId\n    status: status\n", "x-websocket:"),
    ("bad-word", "result: /data", "result: data", "x-websocket:"),
    ("bad-word", "body: { retCode: /retCode, ", "body: { ", "x-websocket:"),
    ("bad-word", ", failed-when: [{ at: /retCode, not: 0 }]", "", "x-websocket:"),
    ("bad-word", "code: [/retCode]", "code: [/error/retCode]", "x-websocket:"),
    ("bad-word", "code: [/retCode]", "code: [/retMsg]", "x-websocket:"),
    ("bad-word", "      x-method: auth\n", "", "x-websocket:"),
    ("bad-word", "X-Window: '5000'", "X-Window: '{signature}'", "x-websocket:"),
    ("bad-word", "X-Window: '5000'", "X-Window: '{id}'", "x-websocket:"),
    ("bad-word", LOGON, "logon: { operation: logIn, credential: stream, values: [x-stream-key]", "x-websocket:"),
    ("bad-word", LOGON, "logon: { operation: logOn, credential: login, values: [x-stream-key]", "x-websocket:"),
    ("bad-word", LOGON, "logon: { operation: logOn, credential: stream, values: []", "x-websocket:"),
    ("bad-word", LOGON, "logon: { operation: logOn, credential: stream, values: [x-key]", "x-websocket:"),
    (
        "bad-word",
        LOGON,
        "logon: { operation: logOn, credential: stream, values: [{ number: x-stream-key }]",
        "x-websocket:",
    ),
    ("bad-word", "text: ['GET/realtime', time]", "text: ['GET/realtime', time, path]", "x-websocket:"),
    ("bad-word", "  commands:\n", "  signed: { stream: [{ a: '{signature}' }] }\n  commands:\n", "x-websocket:"),
    ("bad-word", "  commands:\n", "  logon: { operation: logOn, keys: [shared] }\n  commands:\n", "x-websocket:"),
];

#[test]
fn mistakes_in_commands_are_named() {
    check(COMMANDS, COMMAND_CASES);
}

#[test]
fn commands_become_a_table() {
    let files = owned(COMMANDS);
    assert_eq!(findings(&files), []);
    let generated = generate(&read(&files).unwrap()).unwrap();
    let table: String = generated.files["venue.rs"].split_whitespace().collect();
    for part in [
        r#"ping:Some(::venuekit_wire::operation::Ping{every:20,message:"{\"op\":\"ping\"}",}),"#,
        r#"adds:&[("X-Timestamp","{time}"),("X-Window","5000")],"#,
        r#"body:&[("result","/data"),("retCode","/retCode"),("time","/header/Timenow"),],quiet:&["pong"],closing:&["10019"],"#,
        r#"operation:"log_on",credential:"stream",values:&[("x-stream-key",::venuekit_wire::stream::ParameterKind::Text),"#,
        r#"("x-stream-expires",::venuekit_wire::stream::ParameterKind::Integer"#,
        r#"done:&["20001"],"#,
        r#"hosts:&["old.v.test","w.test"],"#,
        r#"Self::Demo=>"","#,
    ] {
        assert!(table.contains(part), "{part}\nis not in\n{table}");
    }
}
