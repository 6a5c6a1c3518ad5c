//! Tests of `qwen`.

use hyp_sdk::testkit;

use crate::Qwen;

#[test]
fn the_manifest_says_what_the_component_says() {
    testkit::manifest::<Qwen>("manifest.json");
}

/// Every folder below `fixtures/qwen` is a case.
#[test]
fn every_fixture_gives_the_events_it_should() {
    testkit::golden::<Qwen>("../../fixtures/qwen");
}
