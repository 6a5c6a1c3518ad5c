//! Tests of `gemini`.

use hyp_sdk::testkit;

use crate::Gemini;

#[test]
fn the_manifest_says_what_the_component_says() {
    testkit::manifest::<Gemini>("manifest.json");
}

/// Every folder below `fixtures/gemini` is a case.
#[test]
fn every_fixture_gives_the_events_it_should() {
    testkit::golden::<Gemini>("../../fixtures/gemini");
}
