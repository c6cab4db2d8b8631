//! What went wrong, for people and for scripts: one line, what to do about it, and an exit code.

use std::fmt;
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use venuekit_transport::{Error, ErrorKind};

use crate::remedy;
use crate::visible::{on_one_line, visible};

/// The exit codes. They are documented in the README and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// The venue said no.
    Refused = 1,
    /// The command line, the configuration or the request is wrong; nothing was sent.
    Usage = 2,
    /// There is no such thing: a key, a profile, an order.
    NotFound = 3,
    /// It may have been executed nevertheless: look before it is repeated.
    Unknown = 4,
    /// No program can settle it: a person must act.
    NeedsPerson = 5,
    /// The store or a credential cannot be used.
    Store = 6,
    /// No usable response: the network, a venue that is down or overloaded. Trying again later is safe.
    Network = 7,
    /// A diagnosis or a verification found a fault.
    Fault = 8,
    /// Something that should not happen.
    Internal = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not succeed. Its texts never hold a secret.
#[derive(Debug)]
pub struct Failure {
    /// What a script sees.
    pub exit: Exit,
    code: Box<str>,
    message: String,
    help: Option<Box<str>>,
    details: Map<String, Value>,
    is_reported: bool,
    /// What else is wrong.
    others: Vec<Failure>,
}

impl Failure {
    /// A failure with its sentence.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        let code = match exit {
            Exit::Ok => "ok",
            Exit::Refused => "refused",
            Exit::Usage => "usage",
            Exit::NotFound => "not_found",
            Exit::Unknown => "outcome_unknown",
            Exit::NeedsPerson => "needs_person",
            Exit::Store => "credentials",
            Exit::Network => "network",
            Exit::Fault => "fault_found",
            Exit::Internal => "internal",
        };
        let (code, message) = (code.into(), message.into());
        Self { exit, code, message, help: None, details: Map::new(), is_reported: false, others: Vec::new() }
    }

    /// The command line or the configuration is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// All that is wrong, where several mistakes were found before anything was done. The first decides the exit code.
    pub fn all(mistakes: Vec<Self>) -> Option<Self> {
        let mut mistakes = mistakes.into_iter();
        let mut first = mistakes.next()?;
        first.others.extend(mistakes);
        Some(first)
    }

    /// The same behind others that were found before it.
    #[must_use]
    pub fn after(self, mut mistakes: Vec<Self>) -> Self {
        match mistakes.is_empty() {
            true => self,
            false => {
                let mut first = mistakes.remove(0);
                first.others.extend(mistakes);
                first.others.push(self);
                first
            }
        }
    }

    /// A failure that the command has already reported: only the exit code remains.
    pub fn reported(exit: Exit) -> Self {
        Self { is_reported: true, ..Self::new(exit, "") }
    }

    /// The person said no.
    pub fn declined() -> Self {
        Self::new(Exit::NeedsPerson, "cancelled: not confirmed").code("declined")
    }

    /// A file that cannot be read or written.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::usage(format!("{}: {error}", path.display())).code("file")
    }

    /// What to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into().into());
        self
    }

    /// What a script sees, where it is not what the cause alone would say.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Another sentence, where the cause's own says less.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The word by which scripts tell it from others.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into().into();
        self
    }

    /// One more fact, for scripts.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// A fact for scripts that is a text.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.details.get(name)?.as_str()
    }

    /// The word by which scripts tell it from others.
    pub fn word(&self) -> &str {
        &self.code
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Whether nothing is left to say.
    pub fn is_reported(&self) -> bool {
        self.is_reported
    }

    /// As one JSON document.
    pub fn document(&self) -> Value {
        let mut error = self.members();
        if !self.others.is_empty() {
            error.insert("others".to_owned(), self.others.iter().map(Self::members).collect());
        }
        json!({ "error": error })
    }

    fn members(&self) -> Map<String, Value> {
        let mut error = self.details.clone();
        error.insert("code".to_owned(), json!(self.code));
        error.insert("message".to_owned(), json!(self.message));
        error.insert("help".to_owned(), json!(self.help));
        error.insert("exit".to_owned(), json!(self.exit as u8));
        error
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", on_one_line(&self.message))?;
        if let Some(help) = &self.help {
            write!(formatter, "\n help: {}", visible(help).replace('\n', "\n       "))?;
        }
        self.others.iter().try_for_each(|other| write!(formatter, "\n{other}"))
    }
}

/// The word for a kind of error.
pub fn kind_word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unauthorized => "unauthorized",
        ErrorKind::Forbidden => "forbidden",
        ErrorKind::Clock => "clock",
        ErrorKind::RateLimited => "rate_limited",
        ErrorKind::InsufficientFunds => "insufficient_funds",
        ErrorKind::InvalidRequest => "invalid_request",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Maintenance => "maintenance",
        ErrorKind::Challenge => "second_factor",
        ErrorKind::Server => "server",
        ErrorKind::Network => "network",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Decode => "decode",
        _ => "other",
    }
}

fn exit_of(error: &Error) -> Exit {
    let has_response = error.status().is_some();
    match error.kind() {
        _ if error.may_have_been_applied() => Exit::Unknown,
        ErrorKind::NotFound => Exit::NotFound,
        ErrorKind::Challenge => Exit::NeedsPerson,
        ErrorKind::RateLimited
        | ErrorKind::Maintenance
        | ErrorKind::Server
        | ErrorKind::Network
        | ErrorKind::Timeout
        | ErrorKind::Decode => Exit::Network,
        ErrorKind::InvalidRequest if !has_response => Exit::Usage,
        ErrorKind::Unauthorized if !has_response => Exit::Store,
        _ => Exit::Refused,
    }
}

fn help_of(error: &Error) -> Option<String> {
    Some(match error.kind() {
        // The message names the operation that tells, where there is one.
        _ if error.may_have_been_applied() => match (error.idempotency_key(), error.reconcile_with()) {
            (Some(key), _) => format!("it was sent with the idempotency key {key}"),
            (None, None) => "find out what happened to it before repeating it".to_owned(),
            (None, Some(_)) => return None,
        },
        // With the key and the place that a command knows, it says more.
        ErrorKind::Unauthorized | ErrorKind::Clock if error.status().is_some() => remedy::of_key("VENUE/ENVIRONMENT"),
        ErrorKind::Forbidden => {
            "the key is known and may not do this: see its scopes with `venuekit keys list`".to_owned()
        }
        ErrorKind::RateLimited | ErrorKind::Maintenance => match error.retry_after() {
            Some(wait) => format!("try again in {} s", wait.as_secs().max(1)),
            None => "try again later".to_owned(),
        },
        _ => return None,
    })
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::new(exit_of(&error), error.to_string()).code(kind_word(error.kind()));
        failure.help = help_of(&error).map(Into::into);
        let texts = [
            ("operation", error.operation()),
            ("venue_code", error.code()),
            ("venue_message", error.status().map(|_| error.message())),
            ("venue_detail", error.detail()),
            ("parameter", error.param()),
            ("request_id", error.request_id()),
            ("idempotency_key", error.idempotency_key()),
            ("reconcile_with", error.reconcile_with()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                failure = failure.detail(name, text);
            }
        }
        if let Some(status) = error.status() {
            failure = failure.detail("status", status.as_u16());
        }
        if let Some(wait) = error.retry_after() {
            failure = failure.detail("retry_after_seconds", wait.as_secs());
        }
        failure.detail("may_have_been_applied", error.may_have_been_applied()).detail("attempts", error.attempts())
    }
}
