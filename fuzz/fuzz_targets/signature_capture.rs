//! Captured requests, as `venuekit verify-signature` reads them.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/cli/src/commands/verify/capture.rs"]
#[allow(dead_code, missing_docs, clippy::all)]
mod capture;

fuzz_target!(|text: &str| {
    let Ok(found) = capture::Capture::read(text) else { return };
    for name in ["authorization", "x-signature", "kalshi-access-timestamp"] {
        let _ = (found.header(name), found.is_ambiguous(name));
    }
    let _ = (found.origin(), found.has_url(), found.content_length(), found.says_body());
    assert!(found.sent_body().len() <= text.len(), "a body is a part of what was captured");
    if let Some(target) = &found.target {
        let _ = (capture::below_host(target), capture::is_url(target));
    }
});
