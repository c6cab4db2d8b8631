//! Which credentials a request carries. Whether they are right is the venue's own affair.

use super::message::Request;
use super::operation::{Header, Operation};
use super::problem::{Problem, RequestPart};

impl Operation {
    /// Whether a call needs credentials at all.
    pub fn needs_credentials(&self) -> bool {
        !self.credentials.is_empty() && self.credentials.iter().all(|set| !set.is_empty())
    }

    /// Whether one of the sets of credentials contains this one, by its name in the document.
    pub fn needs(&self, credential: &str) -> bool {
        self.credentials.iter().flatten().any(|one| one.credential == credential)
    }

    /// Whether one of the sets of credentials names a header.
    pub fn may_carry(&self, header: &str) -> bool {
        self.credentials.iter().flatten().any(|one| one.name.eq_ignore_ascii_case(header))
    }

    /// The first header that is missing from the set of credentials that is nearest to complete.
    pub fn missing_credential(&self, request: &Request) -> Option<Problem> {
        let missing = |set: &Vec<Header>| -> Vec<String> {
            set.iter().filter(|header| !header.is_in(request)).map(|header| header.name.clone()).collect()
        };
        let nearest = self.credentials.iter().map(missing).min_by_key(Vec::len)?;
        let first = nearest.into_iter().next()?;
        Some(Problem::missing(RequestPart::Header, first))
    }
}

impl Header {
    fn is_in(&self, request: &Request) -> bool {
        let value = request.header(&self.name).unwrap_or_default().trim();
        match self.scheme {
            None => !value.is_empty(),
            Some(scheme) => value.split(' ').next().is_some_and(|first| first.eq_ignore_ascii_case(scheme)),
        }
    }
}
