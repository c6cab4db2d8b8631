//! Faults on demand: rules that say which calls go wrong, how, and how often.

pub(crate) mod http;
mod names;
mod rule;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

pub use self::rule::{Fault, Rule, Transport};

/// The rules of a sandbox. A copy is a handle on the same ones.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    rules: Vec<ActiveRule>,
    random: StdRng,
}

#[derive(Debug)]
struct ActiveRule {
    rule: Rule,
    /// Calls that the rule was for.
    met: u64,
    struck: u64,
}

/// A call that may meet a fault.
pub(crate) struct Candidate<'a> {
    pub(crate) venue: &'a str,
    pub(crate) transport: Transport,
    /// What an operation may call it.
    pub(crate) names: &'a [&'a str],
    /// Whether only a rule that names it is for it.
    pub(crate) by_name_only: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Inner { rules: Vec::new(), random: StdRng::seed_from_u64(0) })))
    }
}

impl Faults {
    /// Puts these rules in the place of all others. For each call the first one that strikes counts.
    pub fn set(&self, rules: Vec<Rule>) {
        self.set_seeded(rules, 0);
    }

    /// The same with a seed for the chances: the same seed and the same calls have the same faults.
    pub fn set_seeded(&self, rules: Vec<Rule>, seed: u64) {
        let rules = rules.into_iter().map(|rule| ActiveRule { rule, met: 0, struck: 0 }).collect();
        *self.lock() = Inner { rules, random: StdRng::seed_from_u64(seed) };
    }

    /// Adds a rule behind all others.
    pub fn add(&self, rule: Rule) {
        self.lock().rules.push(ActiveRule { rule, met: 0, struck: 0 });
    }

    /// Ends the rule at a place, as [`rules`](Self::rules) lists them. Whether there was one.
    pub fn remove(&self, index: usize) -> bool {
        let rules = &mut self.lock().rules;
        let is_rule = index < rules.len();
        if is_rule {
            rules.remove(index);
        }
        is_rule
    }

    /// All rules, in the order in which they were given.
    pub fn rules(&self) -> Vec<Rule> {
        self.lock().rules.iter().map(|active| active.rule.clone()).collect()
    }

    /// Ends all rules.
    pub fn clear(&self) {
        self.set(Vec::new());
    }

    /// How often each rule struck, in the order in which they were given.
    pub fn strikes(&self) -> Vec<u64> {
        self.lock().rules.iter().map(|active| active.struck).collect()
    }

    /// The fault that a call meets.
    pub(crate) fn strike(&self, call: &Candidate<'_>) -> Option<Fault> {
        let Inner { rules, random } = &mut *self.lock();
        rules.iter_mut().find_map(|active| active.strike(call, random))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActiveRule {
    fn strike(&mut self, call: &Candidate<'_>, random: &mut StdRng) -> Option<Fault> {
        let rule = &self.rule;
        let is_meant = rule.venue.as_ref().is_none_or(|venue| venue == call.venue)
            && rule.transport.is_none_or(|transport| transport == call.transport)
            && rule.fault.happens_over(call.transport)
            && (rule.operation.is_some() || !call.by_name_only && rule.is_for_streams_if(call.transport))
            && rule.names(call.names);
        if !is_meant || rule.times.is_some_and(|times| self.struck >= times) {
            return None;
        }
        self.met += 1;
        if self.met <= rule.skip || rule.chance.is_some_and(|chance| !random.random_bool(chance.clamp(0.0, 1.0))) {
            return None;
        }
        self.struck += 1;
        Some(rule.fault.clone())
    }
}

impl Rule {
    /// Whether a rule that names nothing is for frames of streams, where that is what it is requested: faults of calls are not,
    /// unless it says so.
    fn is_for_streams_if(&self, transport: Transport) -> bool {
        transport != Transport::Stream || self.transport.is_some() || self.fault.is_of_streams()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'a>(names: &'a [&'a str]) -> Candidate<'a> {
        Candidate { venue: "deribit", transport: Transport::Http, names, by_name_only: false }
    }

    #[test]
    fn a_rule_strikes_as_often_as_it_says() {
        let faults = Faults::default();
        faults.set(vec![
            Rule::new(Fault::DropAfter).on("private/buy").skip(1).times(2),
            Rule::new(Fault::DropBefore).at("kalshi"),
            Rule::new(Fault::Reorder),
        ]);
        let struck: Vec<_> = (0..5).map(|_| faults.strike(&call(&["private/buy"])).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert_eq!(faults.strike(&call(&["private/sell"])), None, "another method, venue or transport");
        assert_eq!(faults.strikes(), [2, 0, 0]);
        faults.clear();
        assert_eq!(faults.strikes(), [0; 0]);
    }

    #[test]
    fn chances_come_from_the_seed() {
        let faults = Faults::default();
        let run = |seed| {
            faults.set_seeded(vec![Rule::new(Fault::DropAfter).chance(0.5)], seed);
            (0..64).map(|_| faults.strike(&call(&["any"])).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!(run(1).contains(&true) && run(1).contains(&false));
    }

    #[test]
    fn rules_for_calls_leave_frames_alone() {
        let faults = Faults::default();
        let frame = Candidate { transport: Transport::Stream, ..call(&["data", "trade", "trade/trade"]) };
        faults.set(vec![Rule::new(Fault::DropBefore), Rule::new(Fault::Duplicate)]);
        assert_eq!(faults.strike(&frame), None);
        for rule in [
            Rule::new(Fault::Duplicate).over(Transport::Stream),
            Rule::new(Fault::Duplicate).on("trade/trade"),
            Rule::new(Fault::Drop),
        ] {
            let fault = rule.fault.clone();
            faults.set(vec![rule]);
            assert_eq!(faults.strike(&frame), Some(fault));
        }
        assert_eq!(faults.strike(&call(&["private/buy"])), None, "a fault of frames");
    }

    #[test]
    fn what_is_to_be_named_meets_no_rule_for_all() {
        let faults = Faults::default();
        let handshake = Candidate { by_name_only: true, ..call(&["GET /ws/api/v2"]) };
        faults.set(vec![Rule::new(Fault::DropBefore)]);
        assert_eq!(faults.strike(&handshake), None);
        faults.set(vec![Rule::new(Fault::DropBefore).on("GET /ws/api/v2")]);
        assert_eq!(faults.strike(&handshake), Some(Fault::DropBefore));
    }
}
