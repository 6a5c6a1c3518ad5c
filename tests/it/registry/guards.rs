//! What stands before a write: settings, sources, grants, limits, locks.

use std::fs;
use std::path::PathBuf;

use super::{Registry, changes, counts, expected};
use crate::sandbox::repository;

#[test]
fn a_source_that_nobody_named_is_exit_2_with_the_name_of_the_setting() {
    let registry = Registry::new("compliance.sql");
    fs::write(registry.sandbox.store().join("config.toml"), "").unwrap();
    let output = registry.sandbox.hyp(["backfill", "registry-history"]);
    assert_eq!(output.status, Some(2));
    insta::assert_snapshot!(output.stderr, @r#"
    error: `[sources.registry] path` is not set in config.toml, and `registry-history` reads it
      code: hyp::backfill::source
      help: config.toml needs `[sources.registry]` with `path = "…"` and `grants = ["table.*"]`; nothing is created
    "#);
}

#[test]
#[rustfmt::skip]
fn a_source_that_is_no_database_is_told_by_name_and_no_file_is_made() {
    let registry = Registry::new("compliance.sql");
    let odd = registry.sandbox.beside("odd.sqlite");
    fs::write(&odd, "this is no database, whatever it is called").unwrap();
    let absent = registry.sandbox.beside("absent.sqlite");
    let folder = registry.sandbox.store();
    let cases = [
        ("path = \"\"",                                   2, "`[sources.registry] path` is not set"),
        (&format!("path = {absent:?}"),                   2, "absent.sqlite"),
        (&format!("path = {folder:?}"),                   2, "it is a folder"),
        (&format!("path = {odd:?}\ngrants = [\"x.*\"]"), 1, "odd.sqlite"),
    ];
    for (setting, exit, words) in cases {
        let text = format!("[sources.registry]\n{setting}\n");
        fs::write(registry.sandbox.store().join("config.toml"), text).unwrap();
        let output = registry.sandbox.hyp(["backfill", "registry-history"]);
        assert_eq!(output.status, Some(exit), "{setting}: {output}");
        assert!(format!("{}{}", output.stdout, output.stderr).contains(words), "{setting}: {output}");
    }
    assert!(!absent.exists(), "nothing is made of what is only named");
}

#[test]
fn a_table_or_a_column_that_is_not_there_is_named() {
    for (change, words) in [
        ("drop table agent_test_history", "agent_test_history"),
        ("alter table agent_test_history drop column summary", "summary"),
    ] {
        let registry = Registry::adopted("compliance.sql");
        let before = registry.files();
        registry.change(change);
        let output = registry.try_run("registry-history", &["--commit"]);
        assert_eq!(output.status, Some(1), "{change}: {output}");
        assert!(output.stdout.contains(words), "{change}: {output}");
        assert!(registry.files() == before, "{change}");
    }
}

#[test]
fn a_store_that_another_run_holds_is_told_with_that_run() {
    let registry = Registry::adopted("compliance.sql");
    let store = hyp_cache::Store::open(&registry.sandbox.store()).unwrap();
    let _writer = store.writer(std::time::Duration::ZERO, "bf-other").unwrap();
    let output = registry.try_run("registry-history", &["--commit"]);
    assert_eq!(output.status, Some(3), "{output}");
    assert!(output.stderr.contains("bf-other"), "{output}");
}

#[test]
fn whoever_dies_midway_leaves_nothing_and_its_siblings_run() {
    let mut registry = Registry::new("agents.sql");
    let home = registry.sandbox.home().join("guest");
    registry.sandbox.set("GUEST_HOME", home.to_str().unwrap());
    for guest in ["tides", "ledger"] {
        let path = repository().join(format!("tests/guests/dist/{guest}.wasm"));
        let told = registry.sandbox.hyp(["plugin", "install", path.to_str().unwrap(), "--yes"]);
        assert_eq!(told.status, Some(0), "{told}");
    }
    let run = |last: &str| {
        let mut lines: Vec<String> =
            (0..2_000).map(|at| format!("{{\"id\":\"e{at}\",\"amount\":{at}}}\n")).collect();
        lines.insert(1_700, format!("{{\"id\":\"{last}\",\"amount\":7}}\n"));
        registry.sandbox.write("guest/a.jsonl", lines.concat().as_bytes());
        registry.try_run("tides", &["registry-state", "--commit", "--chunk-size", "100"])
    };
    for (dies, by) in [("tides-dies", "tides crashed"), ("ledger-dies", "ledger crashed")] {
        let output = run(dies);
        assert_eq!(output.status, Some(1), "{output}");
        let report = output.json();
        let [broken, sound] = &report["providers"].as_array().unwrap()[..] else { panic!("two") };
        let error = broken["error"].as_str().unwrap();
        assert!(error.contains("on purpose") && error.contains(by), "{error}");
        assert_eq!((&broken["status"], &sound["status"]), (&"failed".into(), &"ok".into()));
        let told = registry.try_run("tides", &["--dry-run"]);
        assert_eq!(told.status, Some(1), "its rows were not read: {told}");
        assert_eq!(
            registry.one("select count(*) from dataset_journal where dataset = 'entries'"),
            "0"
        );
        let left =
            registry.files().into_keys().filter(|path| path.to_string_lossy().contains("entries"));
        assert_eq!(left.collect::<Vec<_>>(), Vec::<PathBuf>::new());
    }
    assert_eq!(registry.one("select count(*) from member_agents"), "40", "once");
    assert_eq!(run("e-last").status, Some(0));
    assert_eq!(registry.one("select count(*) from entries"), "2001");
}

#[test]
fn list_and_plan_know_the_sources_that_settings_name_and_the_datasets_that_are_filled() {
    let registry = Registry::new("compliance.sql");
    let hyp = |args: &[&str]| registry.sandbox.hyp(args.iter().copied()).json();
    let list = hyp(&["backfill", "list", "--json"]);
    let of = |name: &str| {
        let all = list["providers"].as_array().unwrap();
        all.iter().find(|it| it["name"] == name).unwrap().clone()
    };
    let root = of("registry-history")["roots"][0].clone();
    assert_eq!(root["exists"], true, "{list:#}");
    assert_eq!(root["path"].as_str(), registry.source().to_str());
    assert_eq!(of("claude")["datasets"], serde_json::json!(["ai_gateway_messages"]));
    let filled = of("registry-history")["datasets"].clone();
    let told = registry.try_run("registry-history", &["--dry-run"]).json();
    assert_eq!(filled, told["providers"][0]["datasets"], "{told:#}");
    let plan = hyp(&["backfill", "plan", "registry-history", "--json"]);
    assert_eq!(plan["providers"][0]["datasets"], filled, "{plan:#}");
    assert_eq!(plan["providers"][0]["files"], 1, "{plan:#}");
}

#[test]
fn what_is_not_granted_is_not_read() {
    let registry = Registry::adopted("compliance.sql");
    let path = registry.source();
    let text = format!(
        "[sources.registry]\npath = {path:?}\ngrants = [\"agent_test_history.*\", \"agent_contexts.id\"]\n"
    );
    fs::write(registry.sandbox.store().join("config.toml"), text).unwrap();
    let output = registry.sandbox.hyp(["backfill", "registry-history"]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(
        output.stdout.contains("access to agent_contexts.organization_id is prohibited"),
        "{output}"
    );
    assert!(
        output.stdout.contains("add `agent_contexts.*` to the grants of its source"),
        "{output}"
    );
}

#[test]
fn tables_of_which_nothing_is_granted_are_told() {
    let registry = Registry::new("suites.sql");
    let path = registry.source();
    let text = format!("[sources.registry]\npath = {path:?}\ngrants = [\"test_suites.*\"]\n");
    fs::write(registry.sandbox.store().join("config.toml"), text).unwrap();
    let output = registry.sandbox.hyp(["backfill", "registry-state", "--commit"]);
    assert_eq!(output.status, Some(0), "{output}");
    let note = output.stdout.lines().find(|line| line.contains("not_granted")).unwrap();
    assert!(note.contains("root=registry") && note.contains("capabilities"), "{output}");
    assert!(!note.contains("test_suites"), "{output}");
}

#[test]
fn a_rule_for_a_dataset_that_nobody_fills_is_told_with_those_that_there_are() {
    let registry = Registry::adopted("compliance.sql");
    registry.settle("[datasets.agent_compliance]\non_conflict = \"keep\"\n");
    let before = registry.files();
    let output = registry.sandbox.hyp(["backfill", "registry-state", "--commit"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("agent_compliance`"), "{output}");
    assert!(output.stderr.contains("agent_compliance_status"), "{output}");
    assert!(registry.files() == before, "nothing was written");
}

#[test]
fn the_source_is_left_as_it_is() {
    let registry = Registry::new("compliance.sql");
    let before = fs::read(registry.source()).unwrap();
    registry.run("registry-state", &["--commit"]);
    registry.run("registry-history", &["--commit"]);
    assert_eq!(fs::read(registry.source()).unwrap(), before);
    let beside: Vec<_> = ["-wal", "-shm", "-journal"]
        .iter()
        .map(|end| format!("{}{end}", registry.source().display()))
        .filter(|path| std::path::Path::new(path).exists())
        .collect();
    assert_eq!(beside, Vec::<String>::new());
}

#[test]
fn a_value_that_a_setting_cannot_have_is_told_with_its_name() {
    let registry = Registry::adopted("compliance.sql");
    for (provider, set, told) in [
        ("registry-reprobe", "timeout-ms=abc", "setting `timeout-ms` is a whole number, not `abc`"),
        (
            "registry-history",
            "respect-opt-out=no",
            "setting `respect-opt-out` is true or false, not `no`",
        ),
    ] {
        let output = registry.sandbox.hyp(["backfill", provider, "--set", set]);
        assert_eq!(output.status, Some(2), "{output}");
        assert!(output.stderr.contains(told), "{output}");
    }
}

#[test]
fn a_setting_that_is_none_is_told_with_those_that_there_are() {
    let registry = Registry::new("compliance.sql");
    let output = registry.sandbox.hyp(["backfill", "registry-history", "--set", "opt-out=no"]);
    assert_eq!(output.status, Some(2));
    insta::assert_snapshot!(output.stderr, @r"
    error: there is no setting `opt-out`
      code: hyp::backfill::setting
      help: there are: mode, respect-opt-out
    ");
}

#[test]
fn a_run_past_its_limit_is_refused_and_writes_nothing() {
    let registry = Registry::adopted("compliance.sql");
    let output = registry.try_run("registry-history", &["--commit", "--max-changes", "2"]);
    assert_eq!(output.status, Some(3), "{output}");
    let told = changes(&output);
    assert_eq!(
        (&told["committed"], &told["refused"]),
        (&false.into(), &"3 changes, limit 2".into())
    );
    assert_eq!(registry.one("select count(*) from agent_compliance_runs"), "15");
    assert_eq!(registry.one("select status from runs order by started_at desc limit 1"), "refused");
    let share = registry.try_run("registry-history", &["--commit", "--max-changes", "50%"]);
    assert_eq!(share.status, Some(0), "3 of 19 rows and those of the runs are less: {share}");
}

#[test]
fn a_row_that_is_not_expected_refuses_the_run() {
    let registry = Registry::adopted("compliance.sql");
    let list = registry.sandbox.beside("expected.txt");
    let url = |name: &str| format!("https://{name}.example/mcp\n");
    fs::write(&list, format!("# what may change\n{}{}", url("quay"), url("buoy"))).unwrap();
    let args = ["--commit", "--expect", list.to_str().unwrap()];
    let output = registry.try_run("registry-history", &args);
    assert_eq!(output.status, Some(3));
    assert_eq!(changes(&output)["refused"], "not expected: https://reef.example/mcp");
    fs::write(&list, [url("quay"), url("buoy"), url("reef")].concat()).unwrap();
    assert_eq!(registry.try_run("registry-history", &args).status, Some(0));
}

#[test]
fn what_is_imported_once_is_not_imported_again_under_another_key() {
    let registry = Registry::adopted("compliance.sql");
    registry.change(
        "update agent_compliance_runs set observations_json =
             '{\"backfill_source\": \"elsewhere\", \"backfill_source_id\": \"quay-0\"}', id = 'r-again' where id = 'r-manual'",
    );
    let told = registry.run("registry-state", &["--commit"]);
    assert_eq!(counts(&told["items"])["already_imported"], 22, "15 runs, 7 listed agents");
    assert_eq!(told["checks"][0]["found"], 0);
}

#[test]
fn records_that_are_broken_are_counted_and_stop_nobody() {
    let registry = Registry::adopted("compliance.sql");
    registry.change("update agent_test_history set started_at = 'yesterday' where id = 'pier-05'");
    let told = registry.run("registry-history", &["--commit"]);
    assert_eq!(counts(&told["failed"]), expected(&[("malformed: `started_at` is no time", 1)]));
    assert_eq!((&told["items"]["inserted"], &told["source_rows"]), (&29.into(), &57.into()));
}
