//! Finds an operation by what somebody calls it.

use venuekit_spec::Operation;
use venuekit_wire::operation::{Operation as Row, Page, Retry};

use crate::failure::{Exit, Failure};
use crate::similar::{plain, suggestions};
use crate::venue::Venue;

/// One operation: what it takes and gives, and how it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Its venue.
    pub venue: Venue,
    /// What its spec says.
    pub spec: &'static Operation,
    /// Its row in the client's table.
    pub row: &'static Row,
}

impl Found {
    /// Whether it changes anything.
    pub fn is_write(&self) -> bool {
        self.row.retry != Retry::Safe
    }

    /// Whether some way to call it carries a one-time code.
    pub fn takes_code(&self) -> bool {
        self.row.access.iter().any(|way| way.contains(&SECOND_FACTOR))
    }

    /// Whether every way to call it carries a one-time code.
    pub fn needs_code(&self) -> bool {
        self.takes_code() && self.row.access.iter().all(|way| way.contains(&SECOND_FACTOR))
    }

    /// Whether it makes sense on a connection that stays open, and nowhere else.
    pub fn is_socket_only(&self) -> bool {
        self.row.on_connection.is_some_and(|on| on.only)
    }

    /// Where the items of its pages are, with dots; `None` if it has no pages.
    pub fn page_items(&self) -> Option<&'static str> {
        let (Page::Cursor { items, .. }
        | Page::Number { items, .. }
        | Page::Offset { items, .. }
        | Page::After { items, .. }) = self.row.page?;
        Some(items)
    }

    /// Whether anybody may call it.
    pub fn is_public(&self) -> bool {
        self.row.is_public()
    }
}

/// The credential that a one-time code in a header is.
pub const SECOND_FACTOR: &str = "second-factor";

/// The operation of that name: the client's method, the operation id, or the name of a JSON-RPC method.
pub fn operation(venue: Venue, name: &str) -> Result<Found, Failure> {
    let spec = venue.spec();
    let wanted = plain(name);
    let same = || spec.operations().find(|one| plain(&one.name) == wanted || plain(&one.id) == wanted);
    let Some(operation) = spec.named(name).or_else(same) else { return Err(unknown(venue, name)) };
    let row = venue.table().operation(&operation.name).ok_or_else(|| {
        Failure::new(Exit::Internal, format!("`{}` is in the spec and not in the client", operation.name))
    })?;
    Ok(Found { venue, spec: operation, row })
}

fn unknown(venue: Venue, name: &str) -> Failure {
    let names = venue.spec().operations().map(|operation| operation.name.as_str());
    let near = suggestions(name, names, 3);
    let help = match near.as_slice() {
        [] => format!("`venuekit describe {venue}` lists them all"),
        [one] => format!("did you mean `{one}`?"),
        several => format!("did you mean one of these?\n{}", several.join("\n")),
    };
    Failure::usage(format!("{venue} has no operation `{name}`"))
        .code("unknown_operation")
        .help(help)
        .detail("near", near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_several_names() {
        for name in ["create_order_v2", "CreateOrderV2", "createOrderV2", "create-order-v2"] {
            assert_eq!(operation(Venue::named("kalshi"), name).unwrap().spec.id, "CreateOrderV2");
        }
        for name in ["private/create_api_key", "create_api_key"] {
            assert_eq!(operation(Venue::named("deribit"), name).unwrap().row.path, "/private/create_api_key");
        }
        let near = operation(Venue::named("kalshi"), "creat_order_v2").unwrap_err().to_string();
        assert!(near.contains("create_order_v2"), "{near}");
    }
}
