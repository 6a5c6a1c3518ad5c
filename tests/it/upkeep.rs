//! Stores that are looked after, checked, moved, upgraded and brought back; messages that expire.

use std::fs;
use std::path::Path;

use crate::sandbox::{Sandbox, files, fixtures, total};

fn old_store(sandbox: &Sandbox) {
    let from = fixtures().join("stores/version-1");
    for file in files(&from) {
        let to = sandbox.store().join(file.strip_prefix(&from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&file, to).unwrap();
    }
}

fn data_files(sandbox: &Sandbox) -> Vec<std::path::PathBuf> {
    files(&sandbox.store().join("warehouse"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|it| it == "parquet"))
        .collect()
}

#[test]
fn a_store_that_is_whole_is_called_sound() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let output = sandbox.hyp(["cache", "verify"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(output.stdout.ends_with("sound\n"), "{output}");
    let status = sandbox.hyp(["cache", "status"]);
    assert_eq!(status.status, Some(0), "{status}");
    assert!(status.stdout.contains("2026-"), "{status}");
}

#[test]
fn a_flipped_bit_a_cut_file_and_a_missing_one_are_each_told_in_a_line() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let data = data_files(&sandbox);
    assert!(data.len() >= 3, "{data:?}");
    let mut bytes = fs::read(&data[0]).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 1;
    fs::write(&data[0], bytes).unwrap();
    let bytes = fs::read(&data[1]).unwrap();
    fs::write(&data[1], &bytes[..bytes.len() / 2]).unwrap();
    fs::remove_file(&data[2]).unwrap();
    let output = sandbox.hyp(["cache", "verify"]);
    assert_eq!(output.status, Some(1), "{output}");
    let line_of = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        output.stdout.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned()
    };
    assert!(line_of(&data[0]).contains("its bytes are not those that were written"), "{output}");
    assert!(line_of(&data[1]).contains("instead of"), "{output}");
    assert!(line_of(&data[2]).contains("missing"), "{output}");
}

#[test]
fn what_nothing_points_at_is_counted_and_removed() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let stray = sandbox.store().join("warehouse/hyp/ai_gateway_messages/data/stray.parquet");
    fs::write(&stray, "left by a crash").unwrap();
    let counted = sandbox.hyp(["cache", "gc", "--dry-run"]);
    assert_eq!(counted.stdout, "1 file would be removed, 15 B\n", "{counted}");
    assert!(stray.exists());
    let removed = sandbox.hyp(["cache", "gc"]);
    assert_eq!(removed.stdout, "1 file removed, 15 B\n", "{removed}");
    assert!(!stray.exists());
    assert_eq!(sandbox.hyp(["cache", "verify"]).status, Some(0));
}

#[test]
fn a_store_that_was_moved_gets_locations_that_others_can_follow() {
    let mut sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let rows = sandbox.all_rows();
    let moved = sandbox.beside("moved");
    fs::rename(sandbox.store(), &moved).unwrap();
    sandbox.set("HYP_HOME", moved.to_str().unwrap());
    let output = sandbox.hyp(["cache", "relocate"]);
    assert_eq!(output.status, Some(0), "{output}");
    let status = sandbox.hyp(["cache", "status", "--json"]).json();
    assert_eq!(status["is_moved"], false);
    let pointer = status["metadata_location"].as_str().unwrap().trim_start_matches("file://");
    assert!(pointer.starts_with(moved.to_str().unwrap()), "{pointer}");
    let metadata = fs::read_to_string(pointer).unwrap();
    assert!(!metadata.contains("/store/warehouse"), "no location of the old folder: {metadata}");
    // What the old locations stand in is no longer pointed at.
    assert_eq!(sandbox.hyp(["cache", "gc"]).status, Some(0));
    let old = sandbox.store().display().to_string();
    for file in files(&moved.join("warehouse")) {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(old.len()).any(|window| window == old.as_bytes()), "{file:?}");
    }
    assert_eq!(sandbox.all_rows(), rows);
    assert_eq!(sandbox.hyp(["cache", "verify"]).status, Some(0));
    assert!(sandbox.hyp(["cache", "relocate"]).stderr.starts_with("nothing to do"));
}

#[test]
fn a_store_of_the_first_version_is_read_as_it_is_upgraded_and_brought_back() {
    let sandbox = Sandbox::new();
    old_store(&sandbox);
    let rows = sandbox.all_rows();
    assert_eq!(rows.len(), 49);
    let version = || sandbox.hyp(["cache", "status", "--json"]).json()["version"].as_i64().unwrap();
    assert_eq!(version(), 1);
    sandbox.import([]);
    assert!(version() > 1);
    assert_eq!(sandbox.all_rows(), rows);
    sandbox.hyp(["cache", "maintain"]);
    assert_eq!(sandbox.all_rows(), rows);

    let output = sandbox.hyp(["cache", "rollback"]);
    assert_eq!(output.stdout, "the store has version 1 again\n", "{output}");
    assert_eq!((version(), sandbox.all_rows()), (1, rows.clone()));
    sandbox.import([]);
    assert_eq!(sandbox.all_rows(), rows);

    let fresh = Sandbox::with("sample");
    fresh.import([]);
    let refused = fresh.hyp(["cache", "rollback"]);
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(refused.stderr.contains("was never upgraded"), "{refused}");
}

#[test]
fn messages_expire_by_their_time_and_do_not_come_back() {
    let mut sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let all = sandbox.all_rows().len();
    let old = sandbox.rows("select count(*) from ai_gateway_messages where date < '2026-09-01'");
    let old: usize = old[0].parse().unwrap();
    assert!(old > 0 && old * 2 < all, "{old} of {all}");
    fs::write(sandbox.store().join("config.toml"), "[retention]\nai_gateway_messages = 90\n")
        .unwrap();
    sandbox.set("DEV_NOW", "2026-11-30T10:00:00Z");
    let report = sandbox.import([]);
    assert_eq!(report["upkeep"]["expired"]["rows"], old, "{report:#}");
    assert_eq!(sandbox.all_rows().len(), all - old);
    let report = sandbox.import(["--full"]);
    assert_eq!(report["upkeep"]["expired"]["rows"], 0, "{report:#}");
    assert_eq!(total(&report, "rows_written"), 0);
    let expired: u64 = report["providers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|provider| provider["rows_by_reason"]["expired"].as_u64())
        .sum();
    assert_eq!(expired, old as u64, "{report:#}");
    assert_eq!(sandbox.all_rows().len(), all - old);
    assert_eq!(sandbox.hyp(["cache", "verify"]).status, Some(0));

    fs::remove_file(sandbox.store().join("config.toml")).unwrap();
    sandbox.import([]);
    assert_eq!(sandbox.all_rows().len(), all, "what the client still has is read again");
}

#[test]
fn what_expired_comes_back_once_it_is_to_be_kept() {
    let mut sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let all = sandbox.all_rows();
    sandbox.set("DEV_NOW", "2026-11-30T10:00:00Z");
    let keep = |days| {
        let config = format!("[retention]\nai_gateway_messages = {days}\n");
        fs::write(sandbox.store().join("config.toml"), config).unwrap();
    };
    keep(90);
    sandbox.import([]);
    let kept = sandbox.all_rows().len();
    assert!(kept < all.len());
    assert_eq!(total(&sandbox.import([]), "bytes_read"), 0, "nothing is looked for in vain");
    keep(3650);
    sandbox.import([]);
    assert_eq!(sandbox.all_rows(), all, "the number was raised");
    keep(90);
    sandbox.import([]);
    assert_eq!(sandbox.all_rows().len(), kept);
    fs::remove_file(sandbox.store().join("config.toml")).unwrap();
    sandbox.import([]);
    assert_eq!(sandbox.all_rows(), all, "the line was removed");
    assert_eq!(total(&sandbox.import([]), "bytes_read"), 0);
}

#[test]
fn a_given_time_that_is_none_is_an_error() {
    let mut sandbox = Sandbox::with("sample");
    sandbox.set("DEV_NOW", "tomorrow");
    let refused = sandbox.hyp(["backfill"]);
    assert_eq!(refused.status, Some(2), "{refused}");
    let told = "hyp: DEV_NOW is `tomorrow`, no time; 2026-01-31T09:00:00Z is one\n";
    assert_eq!(refused.stderr, told, "{refused}");
    assert!(!sandbox.store().exists(), "nothing was begun");
}

#[test]
fn a_clock_that_jumped_ahead_empties_no_store() {
    let mut sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let rows = sandbox.all_rows();
    fs::write(sandbox.store().join("config.toml"), "[retention]\nai_gateway_messages = 90\n")
        .unwrap();
    sandbox.set("DEV_NOW", "2036-01-01T00:00:00Z");
    let output = sandbox.hyp(["backfill"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(output.stdout.contains("hyp cache maintain --yes"), "{output}");
    assert_eq!(sandbox.all_rows(), rows);
    let refused = sandbox.hyp(["cache", "maintain"]);
    assert_eq!(refused.status, Some(3), "{refused}");
    assert_eq!(sandbox.all_rows(), rows);
    assert_eq!(sandbox.hyp(["cache", "maintain", "--yes"]).status, Some(0));
    assert!(sandbox.all_rows().is_empty());
}
