//! Tests of `cursor`.

use hyp_sdk::testkit;

use crate::Cursor;

#[test]
fn the_manifest_says_what_the_component_says() {
    testkit::manifest::<Cursor>("manifest.json");
}

/// Every folder below `fixtures/cursor` is a case.
#[test]
fn every_fixture_gives_the_events_it_should() {
    testkit::golden::<Cursor>("../../fixtures/cursor");
}
