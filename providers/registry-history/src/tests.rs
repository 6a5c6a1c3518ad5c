//! Tests of `registry-history`.

use hyp_sdk::testkit;

use crate::RegistryHistory;

#[test]
fn the_manifest_says_what_the_component_says() {
    testkit::manifest::<RegistryHistory>("manifest.json");
}
