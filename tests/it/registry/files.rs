//! The files of datasets are checked like those of messages, and move with the store.

use std::fs;

use super::Registry;
use crate::sandbox::files;

const ROWS: &str = "select * from agent_compliance_runs order by 1, 2, 3";
const STATUS: &str = "select * from agent_compliance_status order by 1, 2, 3";

fn imported() -> Registry {
    let registry = Registry::adopted("compliance.sql");
    let told = registry.run("registry-history", &["--commit"]);
    assert_eq!(told["committed"], true, "{told}");
    registry
}

#[test]
fn a_byte_of_a_dataset_that_is_another_is_found() {
    let registry = imported();
    let verify = || registry.sandbox.hyp(["cache", "verify"]);
    assert_eq!(verify().status, Some(0), "{}", verify());
    let data = registry.sandbox.store().join("warehouse/hyp/agent_compliance_runs/data");
    let file = files(&data).into_iter().next().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let found = verify();
    assert_eq!(found.status, Some(1), "{found}");
    assert!(found.stdout.contains("its bytes are not those that were written"), "{found}");
    fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    assert!(verify().stdout.contains("bytes instead of"), "{}", verify());
    fs::remove_file(&file).unwrap();
    assert!(verify().stdout.contains("the file is missing"), "{}", verify());
    let doctor = registry.sandbox.hyp(["doctor"]);
    assert_eq!(doctor.status, Some(1), "{doctor}");
    assert!(doctor.stdout.contains("1 are missing or cut short"), "{doctor}");
}

#[test]
fn datasets_of_a_store_that_was_moved_get_locations_that_others_can_follow() {
    let mut registry = imported();
    let before = (registry.rows(ROWS), registry.rows(STATUS));
    let old = registry.sandbox.store().display().to_string();
    let moved = registry.sandbox.beside("moved");
    fs::rename(registry.sandbox.store(), &moved).unwrap();
    registry.sandbox.set("HYP_HOME", moved.to_str().unwrap());
    let doctor = registry.sandbox.hyp(["doctor"]);
    assert!(doctor.stdout.contains("the store was moved"), "{doctor}");
    let output = registry.sandbox.hyp(["cache", "relocate"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(registry.sandbox.hyp(["cache", "gc"]).status, Some(0));
    for file in files(&moved.join("warehouse")) {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(old.len()).any(|window| window == old.as_bytes()), "{file:?}");
    }
    assert_eq!((registry.rows(ROWS), registry.rows(STATUS)), before);
    let found = registry.sandbox.hyp(["cache", "verify", "--json"]).json();
    assert_eq!(found["is_sound"], true, "{found}");
    assert_eq!(found["without_checksum"], 0, "{found}");
    assert!(registry.sandbox.hyp(["cache", "relocate"]).stderr.starts_with("nothing to do"));
    let told = registry.run("registry-history", &["--commit"]);
    assert_eq!((registry.rows(ROWS), registry.rows(STATUS)), before, "{told}");
}
