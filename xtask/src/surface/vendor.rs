//! A vendor's document, whatever its standard.

use super::asyncapi::{self, Frame};
use super::endpoints::Endpoints;
use super::tree::Tree;
use super::{Form, Surface, inventory, openapi, openrpc, stream_inventory};
use crate::document::{Document, Kind};

/// A document that was read.
pub struct Vendor {
    /// Its form.
    pub form: Form,
    /// What it says.
    pub surface: Surface,
    /// Whether it is about calls.
    pub calls: bool,
    /// Whether it is about streams.
    pub streams: bool,
}

/// Reads a document that is about the venue of a spec.
pub fn read(text: &str, ours: &Document) -> Result<Vendor, String> {
    let tree = Tree::read(text)?;
    let document = &tree.value;
    let is = |name: &str| document.get(name).is_some_and(|value| value.is_string() || value.is_number());
    let made = if is("openapi") {
        let is_rpc = ours.kind == Kind::OpenRpc;
        let mut surface = openapi::surface(&tree, is_rpc);
        surface.knows_bodies = !is_rpc;
        Vendor { form: Form::OpenApi, surface, calls: true, streams: false }
    } else if is("openrpc") {
        Vendor { form: Form::OpenRpc, surface: openrpc::surface(&tree), calls: true, streams: false }
    } else if is("asyncapi") {
        let surface = asyncapi::surface(&tree, &Frame::of(&ours.value), &Endpoints::of(ours));
        Vendor { form: Form::AsyncApi, surface, calls: false, streams: true }
    } else {
        match inventory::form(document) {
            Some(form @ Form::StreamInventory) => {
                let surface = stream_inventory::surface(document, &ours.venue, &Endpoints::of(ours));
                Vendor { form, surface, calls: false, streams: true }
            }
            Some(form) => Vendor { form, surface: inventory::calls(document), calls: true, streams: false },
            None if is("swagger") => return Err("Swagger 2 is not read: convert it to OpenAPI 3".to_owned()),
            None => {
                return Err(
                    "neither OpenAPI 3, OpenRPC, AsyncAPI nor an inventory of operations or channels".to_owned()
                );
            }
        }
    };
    if made.surface.operations.is_empty() && made.surface.channels.is_empty() {
        return Err(format!("it has no operations or channels of {}", ours.venue));
    }
    Ok(made)
}
