//! What the venue may change without asking is read, in every response of every operation, and no change of it changes money.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::Value;
use venuekit::wire::operation::Operation;

use crate::example::Shape;
use crate::json::{Json, Step};
use crate::mutate::{Change, Form, Mutation, mutations, vital};
use crate::venues::{Subject, subjects};

/// One operation's response, whole.
struct Answer<'a> {
    subject: &'a Subject,
    operation: &'static Operation,
    schema: &'a Value,
    whole: Json,
}

impl<'a> Answer<'a> {
    fn all(subject: &'a Subject) -> impl Iterator<Item = Self> {
        subject.venue.operations.iter().filter_map(move |operation| {
            let whole = subject.spec.answer(operation, Shape::Full)?;
            let schema = subject.spec.endpoint(operation).answer?;
            Some(Self { subject, operation, schema, whole })
        })
    }

    fn mutations(&self) -> Vec<Mutation> {
        mutations(&self.subject.spec, self.schema, &self.whole, &mut |_| true)
    }

    /// The changed response is read, and says what it said.
    fn survives<'m>(&self, changes: impl IntoIterator<Item = (&'m Mutation, &'m str)>) -> Result<(), String> {
        let mut sent = self.whole.clone();
        changes.into_iter().for_each(|(mutation, digits)| mutation.apply(&mut sent, digits));
        let failed = |what: String| format!("{} {}{what}: {sent}", self.subject.venue.name, self.operation.id);
        let got = (self.subject.answer)(self.operation.id, sent.to_string().as_bytes());
        let got = got.map_err(|error| failed(format!(": {error}")))?;
        self.subject.spec.same(self.schema, &sent, &Json::parse(&got)).map_err(failed)
    }
}

/// Numbers at the edge of what is exact, and such as a float would change.
const MONEY: [&str; 9] = [
    "0",
    "0.000",
    "0.1",
    "-0.0000000000000000000000000001",
    "79228162514264337593543950335",
    "9007199254740993.10",
    "4.35",
    "1e-7",
    "-1.50E+3",
];

#[test]
fn every_answer_survives_each_change() {
    for subject in subjects() {
        let mut changes = 0;
        // A schema is one type, wherever it stands.
        let mut done = HashSet::new();
        for answer in Answer::all(&subject) {
            let mut new = |schema: &Value| done.insert(std::ptr::from_ref(schema));
            for mutation in mutations(&subject.spec, answer.schema, &answer.whole, &mut new) {
                answer.survives([(&mutation, "1.50")]).unwrap_or_else(|error| panic!("{mutation:?}: {error}"));
                changes += 1;
            }
        }
        assert!(changes > 500, "{} has {changes} changes", subject.venue.name);
    }
}

#[test]
fn money_is_read_digit_by_digit_in_either_form() {
    for subject in subjects() {
        for answer in Answer::all(&subject) {
            let all = answer.mutations();
            for form in [Form::Text, Form::Number] {
                let money = || all.iter().filter(|mutation| matches!(mutation.change, Change::Money(f) if f == form));
                for digits in MONEY.iter().filter(|_| money().next().is_some()) {
                    answer
                        .survives(money().map(|mutation| (mutation, *digits)))
                        .unwrap_or_else(|error| panic!("{error}"));
                }
            }
        }
    }
}

#[test]
fn only_what_is_vital_is_missed() {
    for subject in subjects() {
        for answer in Answer::all(&subject) {
            for at in vital(&subject.spec, answer.schema, &answer.whole) {
                let mutation = Mutation { at, change: Change::Missing };
                assert!(answer.survives([(&mutation, "")]).is_err(), "{} {mutation:?}", answer.operation.id);
            }
        }
    }
}

#[test]
fn one_of_the_members_that_a_venue_chooses_from_is_wanted() {
    let mut found = 0;
    for subject in subjects() {
        for answer in Answer::all(&subject) {
            let members = subject.spec.one_of(answer.schema);
            if members.is_empty() {
                continue;
            }
            found += 1;
            let missing = |name: &&str| Mutation { at: vec![Step::Key((*name).to_owned())], change: Change::Missing };
            let all: Vec<Mutation> = members.iter().map(missing).collect();
            let error = answer.survives(all.iter().map(|mutation| (mutation, ""))).unwrap_err();
            assert!(error.contains("missing field: one of "), "{} {error}", answer.operation.id);
            let empty = (subject.answer)(answer.operation.id, b"{}").unwrap_err();
            assert!(empty.contains("missing field: one of "), "{} {empty}", answer.operation.id);
        }
    }
    assert!(found > 50, "{found} responses");
}

/// Any number that can be held exactly, as text.
fn money() -> impl Strategy<Value = String> {
    (-(1_i128 << 93)..(1_i128 << 93), 0..=28_usize).prop_map(|(number, scale)| {
        let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
        let (whole, part) = digits.split_at(digits.len() - scale);
        let sign = if number < 0 { "-" } else { "" };
        if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    })
}

#[test]
fn every_answer_survives_any_changes_at_once() {
    let config = Config::default();
    let cases = config.cases / 4 + 1;
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..config };
    for subject in subjects() {
        for answer in Answer::all(&subject) {
            let all = answer.mutations();
            if all.is_empty() {
                continue;
            }
            // The same cases on every run, as many as `PROPTEST_CASES` says.
            let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            let picks = vec((any::<proptest::sample::Index>(), money()), 1..12);
            let result = TestRunner::new_with_rng(config.clone(), rng).run(&picks, |picks| {
                let changes = picks.iter().map(|(pick, digits)| (pick.get(&all), digits.as_str()));
                answer.survives(changes).map_err(TestCaseError::fail)
            });
            result.unwrap_or_else(|failure| panic!("{failure}"));
        }
    }
}
