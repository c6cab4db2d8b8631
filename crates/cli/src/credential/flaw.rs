//! What is wrong with a text that was copied from somewhere. The text itself is never shown.

pub use venuekit_transport::flaw::{Flaw, fatal};

/// What is most likely wrong, but might be right.
pub fn odd(text: &str) -> Option<Flaw> {
    text.contains(['"', '\'', '`']).then_some(("quotes", "has quotes in it: most likely they do not belong to it"))
}

/// Whether a text looks like a UUID.
pub fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_badly_is_seen() {
        assert!(odd("sk_live_a").is_none() && odd("\"sk\"").is_some());
        assert!(is_uuid("11111111-1111-4111-8111-111111111111") && !is_uuid("11111111-1111-4111-8111"));
    }
}
