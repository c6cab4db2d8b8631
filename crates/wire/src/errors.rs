//! How a venue reports errors (`x-errors` of its spec), and the kinds of errors that all venues share.

use crate::credentials::contains_words;

/// How to read a venue's errors. Places are JSON pointers into the error body, tried in order.
#[derive(Debug)]
pub struct Errors {
    /// The venue's code: a string or a number.
    pub code: &'static [&'static str],
    /// The sentence for people.
    pub message: &'static [&'static str],
    /// Further explanation.
    pub detail: &'static [&'static str],
    /// The offending parameter.
    pub param: &'static [&'static str],
    /// Seconds to wait.
    pub retry_after: &'static [&'static str],
    /// The response header that identifies the request to the venue's support.
    pub request_id_header: Option<&'static str>,
    /// What makes a response with a success status a failure nevertheless.
    pub failed_when: &'static [FailedWhen],
    /// What codes mean together with a text, in this order; before [`kinds`](Self::kinds).
    pub texts: &'static [ErrorText],
    /// Codes and what they mean, ordered by code. A trailing `*` stands for any ending.
    pub kinds: &'static [(&'static str, ErrorKind)],
    /// Statuses that mean something else here than usual.
    pub statuses: &'static [(u16, ErrorKind)],
    /// Statuses by which the venue bans the address for a while, and the longest ban in seconds.
    pub bans: &'static [(u16, u32)],
    /// How the venue says that it does not know a key, or that its secret is another one. Any one of them will do.
    pub unknown_key: &'static [UnknownKey],
    /// Codes after which nothing was executed.
    pub not_processed: &'static [&'static str],
    /// Statuses after which nothing was executed, beside the refusals by 4xx.
    pub not_processed_statuses: &'static [u16],
    /// Codes after which it is unknown whether the call was executed, under any status.
    pub outcome_unknown: &'static [&'static str],
    /// Codes by which the venue refuses an idempotency key that it has seen.
    pub repeated_key: &'static [&'static str],
}

impl Errors {
    /// Nothing is known of errors but their status.
    pub const EMPTY: Self = Self {
        code: &[],
        message: &[],
        detail: &[],
        param: &[],
        retry_after: &[],
        request_id_header: None,
        failed_when: &[],
        texts: &[],
        kinds: &[],
        statuses: &[],
        bans: &[],
        unknown_key: &[],
        not_processed: &[],
        not_processed_statuses: &[],
        outcome_unknown: &[],
        repeated_key: &[],
    };

    /// What a code, a text and a status mean. The text is that of [`words`](crate::credentials::words).
    pub fn kind(&self, code: Option<&str>, said: &str, status: u16) -> ErrorKind {
        let by_text = self.texts.iter().find(|row| row.fits(code, said)).map(|row| row.kind);
        let by_status = || self.statuses.iter().find(|(known, _)| *known == status).map(|(_, kind)| *kind);
        by_text
            .or_else(|| code.and_then(|code| self.kind_of_code(code)))
            .or_else(by_status)
            .unwrap_or_else(|| ErrorKind::of_status(status))
    }

    /// What a code means by itself; none for a code that the spec does not list.
    pub fn kind_of_code(&self, code: &str) -> Option<ErrorKind> {
        let exact = self.kinds.iter().find(|(known, _)| *known == code);
        let prefix = || {
            let starts = |known: &str| known.strip_suffix('*').is_some_and(|start| code.starts_with(start));
            self.kinds.iter().find(|(known, _)| starts(known))
        };
        exact.or_else(prefix).map(|(_, kind)| *kind)
    }
}

/// What a code means together with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorText {
    /// The code; none where the text alone decides.
    pub code: Option<&'static str>,
    /// Words of code, message or detail, as [`words`](crate::credentials::words) writes them.
    pub says: &'static str,
    /// What they mean.
    pub kind: ErrorKind,
}

impl ErrorText {
    /// Whether an error says so.
    pub fn fits(&self, code: Option<&str>, said: &str) -> bool {
        self.code.is_none_or(|wanted| code == Some(wanted)) && contains_words(said, self.says)
    }
}

/// One way in which a venue says that it does not know a key, or that its secret is another one. All that is given must hold.
#[derive(Debug)]
pub struct UnknownKey {
    /// The HTTP status.
    pub status: Option<u16>,
    /// The code.
    pub code: Option<&'static str>,
    /// The sentence.
    pub message: Option<&'static str>,
    /// The further explanation.
    pub detail: Option<&'static str>,
    /// Words that the explanation must not have: the same code with one of them is about something else, such as the clock.
    pub except: &'static [&'static str],
}

impl UnknownKey {
    /// Whether an error says so.
    pub fn fits(&self, status: u16, code: Option<&str>, message: &str, detail: Option<&str>) -> bool {
        let explained = detail.unwrap_or_default().to_ascii_lowercase();
        self.status.is_none_or(|wanted| status == wanted)
            && self.code.is_none_or(|wanted| code == Some(wanted))
            && self.message.is_none_or(|wanted| message == wanted)
            && self.detail.is_none_or(|wanted| detail == Some(wanted))
            && !self.except.iter().any(|word| explained.contains(word))
    }
}

/// A member whose value makes a response with a success status a failure. A member that is absent makes none.
#[derive(Debug)]
pub struct FailedWhen {
    /// A JSON pointer into the response.
    pub at: &'static str,
    /// What its value means failure by.
    pub value: FailedValue,
}

/// Which values of a member mean failure. Values are JSON texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedValue {
    /// This one.
    Is(&'static str),
    /// Every other one.
    IsNot(&'static str),
}

/// What went wrong, in one vocabulary for all venues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The credential is missing, wrong, expired or revoked.
    Unauthorized,
    /// The credential is good, but does not allow this.
    Forbidden,
    /// The request's timestamp is outside the venue's window: one of the two clocks is wrong.
    Clock,
    /// Too many calls.
    RateLimited,
    /// There is not enough money.
    InsufficientFunds,
    /// The venue or the client refused the request as it stands; repeating it is useless.
    InvalidRequest,
    /// There is no such thing.
    NotFound,
    /// It exists already, or is in a state that does not allow this.
    Conflict,
    /// The venue, or the part that was asked, is not open.
    Maintenance,
    /// The venue wants a second factor before it does this.
    Challenge,
    /// The venue failed.
    Server,
    /// No connection, or it broke.
    Network,
    /// The response did not arrive in time.
    Timeout,
    /// The response is not what the spec says.
    Decode,
    /// A venue's error of another kind.
    Other,
}

impl ErrorKind {
    /// What a status means where the venue says nothing more.
    pub fn of_status(status: u16) -> Self {
        match status {
            400 | 422 => Self::InvalidRequest,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            408 => Self::Timeout,
            409 => Self::Conflict,
            429 => Self::RateLimited,
            503 => Self::Maintenance,
            500..=599 => Self::Server,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::words;

    #[test]
    fn a_code_means_what_its_text_says() {
        const ERRORS: Errors = Errors {
            texts: &[
                ErrorText { code: Some("-2010"), says: "insufficient balance", kind: ErrorKind::InsufficientFunds },
                ErrorText { code: None, says: "market is closed", kind: ErrorKind::Maintenance },
            ],
            kinds: &[("-2010", ErrorKind::InvalidRequest)],
            statuses: &[(418, ErrorKind::RateLimited)],
            ..Errors::EMPTY
        };
        let kind = |code, said: &str, status| ERRORS.kind(code, &words([said]), status);
        let funds = "Account has insufficient balance for requested action.";
        assert_eq!(kind(Some("-2010"), funds, 400), ErrorKind::InsufficientFunds);
        assert_eq!(kind(Some("-2011"), funds, 400), ErrorKind::InvalidRequest, "by its status");
        assert_eq!(kind(Some("-2010"), "Duplicate order sent.", 400), ErrorKind::InvalidRequest);
        assert_eq!(kind(None, "Market is closed!", 400), ErrorKind::Maintenance);
        assert_eq!(kind(None, "", 418), ErrorKind::RateLimited);
    }
}
