//! Commands that repair what was found. They can be typed as they are printed.

use super::Examination;
use super::scope::covers;
use crate::scopes::{grantable, known};

impl Examination<'_> {
    /// The command that makes another key with these scopes.
    pub(super) fn new_key(&self, scopes: &[String]) -> String {
        let scopes: String = scopes.iter().map(|scope| format!(" --scope {scope}")).collect();
        format!("venuekit keys create {}{scopes}", self.target.reference("NAME"))
    }

    /// The same with one scope more than the key has.
    pub(super) fn wider_key(&self, present: &[String], needed: &str) -> String {
        let needed = grantable(needed);
        let beside = present.iter().filter(|scope| !covers(&[needed.to_owned()], scope));
        let mut scopes: Vec<String> = beside.cloned().collect();
        scopes.push(needed.to_owned());
        // Writing without reading is refused where the two are scopes of their own.
        let has_read = || known(self.target.venue).contains("read") && !scopes.iter().any(|scope| scope == "read");
        if needed == "write" && has_read() {
            scopes.insert(0, "read".to_owned());
        }
        self.new_key(&scopes)
    }

    /// How to come by a secret that is known to be right.
    pub(super) fn new_secret(&self) -> String {
        match &self.credential.stored {
            Some(stored) => format!("or rotate it: venuekit keys rotate {}", stored.reference),
            None => format!("or create another key: {}", self.new_key(&self.scopes_at_hand())),
        }
    }

    /// The scopes that the store knows of.
    pub(super) fn scopes_at_hand(&self) -> Vec<String> {
        self.credential.stored.as_ref().map(|stored| stored.scopes.clone()).unwrap_or_default()
    }
}
