//! What `hyp doctor` finds, and that it changes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::Value;

use crate::sandbox::{Output, Sandbox, files};

/// Returns level and message of the findings of a check.
fn findings(output: &Output, check: &str) -> Vec<(String, String)> {
    let answer = output.json();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let all = answer["findings"].as_array().unwrap().iter();
    all.filter(|finding| finding["check"] == check)
        .map(|finding| (text(finding, "level"), text(finding, "message")))
        .collect()
}

fn doctor(sandbox: &Sandbox) -> Output {
    sandbox.hyp(["doctor", "--json"])
}

#[test]
fn a_store_in_order_needs_nothing() {
    let sandbox = Sandbox::with("sample");
    let nothing = doctor(&sandbox);
    assert_eq!(nothing.status, Some(0), "{nothing}");
    assert_eq!(findings(&nothing, "store")[0].0, "note", "there is no store yet");
    sandbox.import([]);
    // A reader of the catalog leaves files of SQLite's own beside it.
    let of_hyp = || {
        let all = files(&sandbox.store()).into_iter();
        all.filter(|path| !path.to_string_lossy().contains("catalog.db-")).collect::<Vec<_>>()
    };
    let before = of_hyp();
    let output = doctor(&sandbox);
    assert_eq!(output.status, Some(0), "{output}");
    for check in ["config", "disk", "plugins", "store", "lock", "catalog", "files", "last run"] {
        assert_eq!(findings(&output, check)[0].0, "ok", "{check}: {output}");
    }
    assert_eq!(of_hyp(), before);
    let told = sandbox.hyp(["doctor"]);
    assert!(told.stdout.ends_with("nothing has to be done\n"), "{told}");
}

#[test]
fn open_rights_a_missing_file_and_a_wrong_setting_are_found() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(sandbox.store(), open).unwrap();
    let data = files(&sandbox.store().join("warehouse/hyp/ai_gateway_messages/data"));
    fs::remove_file(&data[0]).unwrap();
    fs::write(sandbox.store().join("config.toml"), "[retention]\nmessages = 3\n").unwrap();
    let output = doctor(&sandbox);
    assert_eq!(output.status, Some(1), "{output}");
    assert_eq!(findings(&output, "store")[0].0, "warning");
    assert_eq!(findings(&output, "files")[0].0, "problem");
    let (level, message) = &findings(&output, "config")[0];
    assert_eq!(level, "problem");
    assert!(message.contains("2:1"), "line and column: {message}");
}

#[test]
fn a_list_of_ignored_folders_that_cannot_be_read_is_found() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let list = hyp_backfill::list_path(&sandbox.store());
    fs::create_dir_all(list.parent().unwrap()).unwrap();
    fs::write(&list, "{\"entries\": [").unwrap();
    let output = doctor(&sandbox);
    assert_eq!(output.status, Some(1), "{output}");
    let (level, message) = &findings(&output, "ignored")[0];
    assert_eq!(level, "problem");
    assert!(message.contains("local-only.json"), "{message}");
}

#[test]
fn who_is_writing_is_told() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let store = hyp_cache::Store::open(&sandbox.store()).unwrap();
    let _writer = store.writer(Duration::ZERO, "bf-other").unwrap();
    let output = doctor(&sandbox);
    let (level, message) = &findings(&output, "lock")[0];
    assert_eq!(level, "note");
    assert!(message.contains("bf-other"), "{message}");
}

#[test]
fn a_clock_before_the_last_run_is_found() {
    let mut sandbox = Sandbox::with("sample");
    sandbox.import([]);
    sandbox.set("DEV_NOW", "2020-01-01T00:00:00Z");
    let output = doctor(&sandbox);
    assert_eq!(output.status, Some(1), "{output}");
    assert_eq!(findings(&output, "clock").len(), 2, "last run and newest message: {output}");
}
