//! What was looked at, and what was found: printed as it comes, and kept for the one JSON document.

use std::borrow::Cow;

use serde::Serialize;

use crate::output::{Output, Verdict};

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Check {
    check: &'static str,
    verdict: Verdict,
    /// The word for what is wrong, where something is.
    cause: Option<Cow<'static, str>>,
    found: String,
    remedy: Option<String>,
}

/// All of them.
pub struct Report<'a> {
    out: &'a Output,
    checks: Vec<Check>,
}

impl<'a> Report<'a> {
    /// Nothing was looked at yet.
    pub fn new(out: &'a Output) -> Self {
        Self { out, checks: Vec::new() }
    }

    /// As it should be.
    pub fn good(&mut self, check: &'static str, found: impl Into<String>) {
        self.add(check, Verdict::Ok, None, found.into(), None);
    }

    /// Could not be looked at.
    pub fn skipped(&mut self, check: &'static str, found: impl Into<String>) {
        self.add(check, Verdict::Skip, None, found.into(), None);
    }

    /// Worth a look.
    pub fn odd(&mut self, check: &'static str, cause: &'static str, found: impl Into<String>, remedy: &str) {
        self.add(check, Verdict::Warn, Some(cause.into()), found.into(), Some(remedy.to_owned()));
    }

    /// A fault, and what to do about it.
    pub fn fault(
        &mut self,
        check: &'static str,
        cause: impl Into<Cow<'static, str>>,
        found: impl Into<String>,
        remedy: &str,
    ) {
        self.add(check, Verdict::Fail, Some(cause.into()), found.into(), Some(remedy.to_owned()));
    }

    fn add(
        &mut self,
        check: &'static str,
        verdict: Verdict,
        cause: Option<Cow<'static, str>>,
        found: String,
        remedy: Option<String>,
    ) {
        let text = match &remedy {
            Some(remedy) if !remedy.is_empty() => format!("{found}\n{remedy}"),
            _ => found.clone(),
        };
        self.out.check(verdict, check, &text);
        self.checks.push(Check { check, verdict, cause, found, remedy: remedy.filter(|remedy| !remedy.is_empty()) });
    }

    /// Whether a fault was found.
    pub fn is_bad(&self) -> bool {
        self.checks.iter().any(|check| check.verdict == Verdict::Fail)
    }

    /// What was looked at.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}
