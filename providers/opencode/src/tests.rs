//! Tests of `opencode`.

use hyp_sdk::testkit;

use crate::OpenCode;

#[test]
fn the_manifest_says_what_the_component_says() {
    testkit::manifest::<OpenCode>("manifest.json");
}

/// Every folder below `fixtures/opencode` is a case.
#[test]
fn every_fixture_gives_the_events_it_should() {
    testkit::golden::<OpenCode>("../../fixtures/opencode");
}
