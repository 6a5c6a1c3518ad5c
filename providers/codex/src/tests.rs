//! What comes of whole recordings.

use hyp_sdk::testkit;

use super::Codex;

/// Every folder below `fixtures/codex` is a case: `in/` is read, `events.json` is what comes out.
#[test]
fn the_manifest_says_what_the_component_says() {
    testkit::manifest::<Codex>("manifest.json");
}

#[test]
fn golden() {
    testkit::golden::<Codex>("../../fixtures/codex");
}

#[test]
fn whatever_a_file_holds_nothing_fails_and_nothing_is_invented() {
    testkit::vary::<Codex>("../../fixtures/codex");
}
