//! A report for a person, and the same for a program.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::finding::Drift;
use crate::document::Document;
use crate::judgement::{self, Judgement};

/// What was compared with what, and what came of it.
pub struct Report<'a> {
    /// Our spec.
    pub document: &'a Document,
    /// What it was compared with.
    pub against: String,
    /// How much was compared.
    pub extent: String,
    /// What differs and is not accepted.
    pub found: &'a [Drift],
    /// How many differences are accepted.
    pub accepted: usize,
}

/// Operations that a report names before it counts.
const NAMED: usize = 4;

impl Report<'_> {
    /// For a person.
    pub fn text(&self) -> String {
        let mut out = format!("{}: our spec against {}\n{}\n", self.document.venue, self.against, self.extent);
        for judgement in Judgement::ALL {
            let own: Vec<&Drift> = self.found.iter().filter(|drift| drift.judgement == judgement).collect();
            if own.is_empty() {
                continue;
            }
            let _ = writeln!(out, "\n{judgement}: {}", meaning(judgement));
            for drift in own {
                let _ = writeln!(out, "  {:<18} {}: {}", drift.rule, drift.place, drift.message);
                let place = self.place(drift);
                let users = users(drift);
                let line = [place, users].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
                if !line.is_empty() {
                    let _ = writeln!(out, "  {:<18} {line}", "");
                }
            }
        }
        let known = match self.accepted {
            0 => String::new(),
            1 => format!("; one more is known and accepted in specs/{}/drift.yaml", self.document.venue),
            count => format!("; {count} more are known and accepted in specs/{}/drift.yaml", self.document.venue),
        };
        let _ = write!(out, "\n{}{known}", count(self.found));
        if !self.found.is_empty() {
            out += "\ndocs/DRIFT.md says what each kind means, and how a difference is accepted";
        }
        out
    }

    /// For a program.
    pub fn json(&self) -> Value {
        let found: Vec<Value> = self
            .found
            .iter()
            .map(|drift| {
                json!({
                    "rule": drift.rule,
                    "place": drift.place,
                    "message": drift.message,
                    "judgement": drift.judgement.name(),
                    "at": self.place(drift),
                    "users": drift.users,
                })
            })
            .collect();
        json!({
            "venue": self.document.venue,
            "against": self.against,
            "extent": self.extent,
            "accepted": self.accepted,
            "findings": found,
        })
    }

    fn place(&self, drift: &Drift) -> String {
        if drift.at.is_empty() { String::new() } else { self.document.locate(&drift.at).to_string() }
    }
}

/// Which operations a difference is part of.
fn users(drift: &Drift) -> String {
    let mut named: Vec<&str> = drift.users.iter().map(String::as_str).take(NAMED).collect();
    // Of an operation itself the place says it already.
    if named == [drift.place.as_str()] || drift.place.starts_with(&format!("{}(", named.first().unwrap_or(&""))) {
        named.clear();
    }
    match drift.users.len() {
        0 => String::new(),
        _ if named.is_empty() => String::new(),
        all if all > NAMED => format!("used by {} and {} more", named.join(", "), all - NAMED),
        _ => format!("used by {}", named.join(", ")),
    }
}

fn meaning(judgement: Judgement) -> &'static str {
    match judgement {
        Judgement::Breaking => "calls fail, or their responses are rejected",
        Judgement::Behaviour => "calls go on, and something is lost or arrives otherwise",
        Judgement::Addition => "the vendor has more than our spec",
        Judgement::Docs => "nothing changes for a program yet",
    }
}

/// `3 differences: 1 breaking, 2 additions`.
pub fn count(found: &[Drift]) -> String {
    judgement::count("difference", &found.iter().map(|drift| drift.judgement).collect::<Vec<_>>())
}
