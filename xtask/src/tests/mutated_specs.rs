//! Whatever is wrong with a spec is named by lint: the generator, which asserts and aborts, never sees it.

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::mutate::{Mutation, mutate, part};
use super::root;
use crate::asyncapi::bundle;
use crate::codegen::venues;
use crate::document::Document;
use crate::emit::generate;
use crate::lint::lint;
use crate::lower::lower;

/// The same cases on every run, as many as `PROPTEST_CASES` says.
pub fn runner() -> TestRunner {
    let config = Config { failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn a_clean_spec_is_generated_and_a_broken_one_is_named() {
    let documents: Vec<Document> =
        venues(&root()).iter().map(|venue| Document::read(&root(), venue).unwrap()).collect();
    let clean = std::cell::Cell::new(0);
    let input = (0..documents.len(), vec(any::<u16>(), 1..3), vec(any::<Mutation>(), 1..4));
    let result = runner().run(&input, |(venue, picks, mutations)| {
        let small = part(&documents[venue], &picks);
        assert_eq!(lint(&small), [], "the part itself is sound");
        let mut value = small.value.clone();
        for mutation in mutations {
            mutate(&mut value, mutation);
        }
        let mutated = small.derived(small.kind, value);
        if !lint(&mutated).is_empty() {
            return Ok(());
        }
        clean.set(clean.get() + 1);
        match generate(&mutated) {
            Ok(generated) => {
                for (name, text) in generated.files.iter().filter(|(name, _)| name.ends_with(".rs")) {
                    syn::parse_file(text).map_err(|error| TestCaseError::fail(format!("{name}: {error}\n{text}")))?;
                }
                bundle(&mutated);
                Ok(())
            }
            Err(findings) => {
                let message = format!("{}\n{:#}", findings[0], lower(&mutated));
                Err(TestCaseError::fail(message))
            }
        }
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    assert!(clean.get() > 10, "too few of the cases reach the generator: {}", clean.get());
}
