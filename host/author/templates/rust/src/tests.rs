//! Every folder below `cases` is a case: `in/` is read, `events.json` is what comes of it.
//!
//! `UPDATE_GOLDEN=1 cargo test` writes what comes out now: look at it before it is committed.

use hyp_sdk::testkit;

use crate::NoteBook;

#[test]
fn the_manifest_says_what_the_component_says() {
    testkit::manifest::<NoteBook>("manifest.json");
}

#[test]
fn every_case_gives_the_events_it_should() {
    testkit::golden::<NoteBook>("cases");
}

/// Cut, damaged and shuffled copies of every case; `HYP_VARIATIONS=100 cargo test` makes more of them.
#[test]
fn whatever_a_file_holds_every_byte_is_accounted_for() {
    testkit::vary::<NoteBook>("cases");
}
