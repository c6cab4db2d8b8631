//! JSON-RPC methods, in each form in which vendors describe them.

use super::super::compare::compare;
use super::{edited, said};
use crate::document::Document;
use crate::source::Source;
use crate::surface::{ours, vendor};

const RPC: &str = "\
openrpc: 1.3.2
info: { title: Ours, version: '1' }
methods:
  - name: public/get_book
    params:
      - { name: instrument_name, required: true, schema: { type: string } }
      - { name: depth, required: false, schema: { type: integer } }
    result: { name: result, schema: { $ref: '#/components/schemas/Book' } }
components:
  schemas:
    Book:
      type: object
      required: [timestamp]
      properties:
        timestamp: { type: integer, format: unix-ms }
        bids: { type: array, items: { type: array, x-tuple: [{ type: number, format: decimal }, { type: number, format: decimal }] } }
";

/// JSON-RPC as paths, the whole envelope described.
const RPC_AS_PATHS: &str = "\
openapi: 3.0.0
info: { title: Vendor, version: 1 }
paths:
  /public/get_book:
    get:
      parameters:
        - { name: instrument_name, in: query, required: true, schema: { type: string } }
        - { name: depth, in: query, schema: { type: integer } }
      responses:
        '200': { content: { application/json: { schema: { $ref: '#/components/schemas/BookResponse' } } } }
components:
  schemas:
    BookResponse:
      type: object
      required: [jsonrpc, result]
      properties:
        jsonrpc: { type: string }
        result:
          type: object
          required: [timestamp]
          properties: { timestamp: { type: integer }, bids: { type: array, items: { type: array, items: { type: number } } } }
";

const RPC_INVENTORY: &str = r#"{"venue": "v", "methods": [{"method": "public/get_book", "params":
    [{"name": "instrument_name", "required": true, "type": "string"}, {"name": "depth", "required": false, "type": "integer"}],
    "result": {"type": "object", "properties": {"timestamp": {"type": "integer(ms)", "required": true}, "bids": {"type": "array"}}}}]}"#;

#[test]
fn json_rpc_is_compared_in_every_form_that_vendors_have() {
    let ours = Document::join("v", vec![Source::parse("specs/v/openrpc.yaml", RPC).unwrap()]).unwrap();
    let found = |text: &str| said(&compare(&ours::surface(&ours), &vendor::read(text, &ours).unwrap()).0);
    for (text, from, to, expected) in [
        (RPC, "name: depth", "name: levels", "public/get_book(depth)"),
        (RPC_AS_PATHS, "timestamp: { type: integer }", "timestamp: { type: string }", "retyped Book.timestamp"),
        (
            RPC_AS_PATHS,
            "{ timestamp: { type: integer },",
            "{ timestamp: { type: integer }, usage: { type: boolean },",
            "new-field Book.usage",
        ),
        (RPC_INVENTORY, "integer(ms)", "integer(us)", "unit Book.timestamp"),
        (RPC_INVENTORY, "\"required\": false", "\"required\": true", "newly-required public/get_book(depth)"),
    ] {
        assert_eq!(found(text), [""; 0]);
        let changed = found(&edited(text, &[(from, to)]));
        assert!(changed.iter().any(|one| one.contains(expected)), "{expected}: {changed:?}");
    }
}
