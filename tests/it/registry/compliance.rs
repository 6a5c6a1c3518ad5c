//! The test history becomes canonical runs: what is imported, what is not and why, and what status follows.

use std::process::{Child, Command};

use hyp_cache::failpoint;

use super::{Registry, changes, counts, expected};

const HISTORY: &str = "registry-history";

/// Status rows after an import of everything, by the rule that each dataset may have.
const NEWER_WINS: [&str; 5] = [
    "buoy passing buoy-5 07-06 07-06 07-05",
    "cove failing cove-tie-a 05-20 05-20 05-20",
    "pier passing live 07-11 07-11 07-10",
    "quay passing live 07-10 07-10 06-09",
    "reef failing heartbeat 07-04 07-04 07-04",
];

/// All runs, whoever wrote them.
const ALL: &str = "select * exclude (_hyp_run_id) from agent_compliance_runs order by id";

/// Runs of one owner's test that came from two systems.
const DOUBLES: &str = "select count(*) from agent_compliance_runs a join agent_compliance_runs b
    on a.agent_url = b.agent_url and a.overall_status = b.overall_status and a.id < b.id
    and a._hyp_source_system <> b._hyp_source_system and a.triggered_by = 'owner_test'
    and b.triggered_by = 'owner_test' and abs(cast(a.tested_at as bigint) - cast(b.tested_at as bigint)) <= 120000000";

fn runs(registry: &Registry) -> String {
    registry.one("select count(*) from agent_compliance_runs")
}

#[test]
fn every_row_of_the_history_is_counted_under_one_reason() {
    let registry = Registry::adopted("compliance.sql");
    let told = registry.run(HISTORY, &[]);
    assert_eq!(told["source_rows"], 57);
    Registry::assert_history(&told);
    assert_eq!(told["datasets"]["agent_compliance_runs"]["inserted"], 30);
    let status = &told["datasets"]["agent_compliance_status"];
    assert_eq!([&status["inserted"], &status["updated"], &status["same"]], [1, 3, 1]);
}

#[test]
fn a_run_without_commit_writes_nothing_but_its_line_in_the_ledger() {
    let registry = Registry::adopted("compliance.sql");
    let audit = || registry.one("select count(*) from value_audit");
    let before = (registry.files(), audit());
    let told = registry.run(HISTORY, &[]);
    assert_eq!(told["committed"], false);
    assert!((registry.files(), audit()) == before, "byte by byte as it was");
    assert_eq!(runs(&registry), "15");
    assert_eq!(
        registry
            .one("select count(*) from dataset_journal where dataset = 'agent_compliance_status'"),
        "4"
    );
    assert_eq!(
        registry.rows("select dry_run, status from runs where providers like '%history%'"),
        ["true,ok"]
    );
}

#[test]
fn a_dry_run_wins_over_commit() {
    let registry = Registry::adopted("compliance.sql");
    assert_eq!(registry.run(HISTORY, &["--commit", "--dry-run"])["committed"], false);
    assert_eq!(runs(&registry), "15");
}

#[test]
fn chunks_of_seven_are_five_commits() {
    let registry = Registry::adopted("compliance.sql");
    let output = registry.try_run(HISTORY, &["--commit", "--chunk-size", "7"]);
    let told = changes(&output);
    assert_eq!((&told["committed"], &told["chunks"]), (&true.into(), &5.into()), "{output}");
    assert_eq!(told["checks"][0]["found"], 0);
    let run = super::run_id(&output);
    let rows = registry
        .rows(&format!("select count(*) from agent_compliance_runs where _hyp_run_id = '{run}'"));
    assert_eq!(rows, ["30"]);
    assert_eq!(runs(&registry), "45");
    assert_eq!(
        registry.rows("select substr(agent_url, 9, 4), count(*) from agent_compliance_runs group by 1 order by 1"),
        ["buoy,7", "cove,4", "pier,19", "quay,11", "reef,4"]
    );
    assert_eq!(
        registry.rows(&format!(
            "select overall_status, count(*) from agent_compliance_runs where _hyp_run_id = '{run}' group by 1 order by 1"
        )),
        ["failing,11", "passing,19"]
    );
    assert_eq!(registry.status(), NEWER_WINS);
    assert_eq!(told.get("max_changes"), None, "what is only added to has no limit");
    assert_eq!(registry.one(DOUBLES), "0", "nothing that was recorded live came twice");
}

#[test]
fn readers_see_whole_chunks_and_wait_for_none() {
    let registry = Registry::adopted("compliance.sql");
    let args = ["backfill", HISTORY, "--commit", "--chunk-size", "7", "--sleep-ms", "1500"];
    let mut child = registry.sandbox.start(args);
    let mut seen = Vec::new();
    while child.try_wait().unwrap().is_none() {
        seen.push(runs(&registry));
    }
    seen.push(runs(&registry));
    seen.dedup();
    let chunks = ["15", "22", "29", "36", "43", "45"];
    assert!(seen.iter().all(|count| chunks.contains(&count.as_str())), "{seen:?}");
    assert!(seen.len() > 2 && seen.last().unwrap() == "45", "{seen:?}");
}

/// Starts an import that rests after its first chunk for longer than any test.
fn between_chunks(registry: &Registry) -> Child {
    let args = ["backfill", HISTORY, "--commit", "--chunk-size", "7", "--sleep-ms", "60000"];
    let mut child = registry.sandbox.start(args);
    while runs(registry) == "15" {
        assert_eq!(child.try_wait().unwrap(), None, "it ended early");
    }
    child
}

#[test]
fn an_interrupted_run_tells_what_it_left() {
    let registry = Registry::adopted("compliance.sql");
    let mut child = between_chunks(&registry);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let last = registry.sandbox.hyp(["runs", "--json"]).json()["runs"][0]["run_id"].clone();
    let shown = registry.sandbox.hyp(["runs", "show", last.as_str().unwrap()]);
    for told in ["[interrupted]", "rows are written, ", "are not"] {
        assert!(shown.stdout.contains(told), "{shown}");
    }
    registry.run(HISTORY, &["--commit"]);
    assert_eq!(runs(&registry), "45");
}

#[test]
fn the_size_of_chunks_changes_no_row() {
    let rows = |size: &str| {
        let registry = Registry::adopted("compliance.sql");
        registry.run(HISTORY, &["--commit", "--chunk-size", size]);
        (registry.rows(ALL), registry.status())
    };
    let whole = rows("1000");
    assert_eq!(whole.0.len(), 45 + 1, "one headline has two lines");
    for size in ["1", "3", "7"] {
        assert_eq!(rows(size), whole, "chunks of {size}");
    }
}

#[test]
fn run_again_nothing_changes() {
    let registry = Registry::adopted("compliance.sql");
    registry.run(HISTORY, &["--commit"]);
    let journal = "select count(*) from dataset_journal";
    let before = registry.one(journal);
    let told = registry.run(HISTORY, &["--commit"]);
    assert_eq!(counts(&told["items"]), expected(&[("already_imported", 33), ("after_cutover", 8)]));
    assert_eq!((&told["chunks"], registry.one(journal)), (&0.into(), before));
    let again = registry.run("registry-state", &["--commit"]);
    assert_eq!(again["items"]["inserted"], serde_json::Value::Null, "{again}");
    assert_eq!(registry.status(), NEWER_WINS);
}

#[test]
#[rustfmt::skip]
fn each_rule_for_the_status_gives_what_it_says() {
    let cases: [(&str, &[&str]); 4] = [
        ("newer-wins", &NEWER_WINS),
        ("keep", &[
            "buoy failing heartbeat 06-01 - 06-01",
            "pier passing live 07-11 07-11 07-10",
            "quay passing live 07-10 07-10 -",
            "reef failing heartbeat 07-04 - 07-04",
        ]),
        ("fill-missing", &[
            "buoy failing heartbeat 06-01 - 06-01",
            "cove failing cove-tie-a 05-20 05-20 05-20",
            "pier passing live 07-11 07-11 07-10",
            "quay passing live 07-10 07-10 -",
            "reef failing heartbeat 07-04 - 07-04",
        ]),
        ("last-write-wins", &[
            "buoy passing buoy-5 07-06 07-06 07-05",
            "cove passing cove-tie-b 05-20 05-20 05-20",
            "pier failing pier-11 06-12 07-11 07-10",
            "quay failing quay-7 06-09 07-10 06-09",
            "reef passing reef-2 07-04 07-04 07-04",
        ]),
    ];
    for (rule, expected) in cases {
        let registry = Registry::adopted("compliance.sql");
        registry.settle(&format!("[datasets.agent_compliance_status]\non_conflict = \"{rule}\"\n"));
        registry.run(HISTORY, &["--commit", "--chunk-size", "4"]);
        assert_eq!(registry.status(), expected, "{rule}");
        registry.run(HISTORY, &["--commit"]);
        assert_eq!(registry.status(), expected, "{rule}, again");
        assert_eq!(runs(&registry), "45", "{rule}");
    }
}

#[test]
fn what_was_recorded_live_is_left_out_and_paired() {
    let registry = Registry::adopted("compliance.sql");
    let cutover = registry.run(HISTORY, &[])["cutover"].clone();
    assert_eq!(cutover["at"], 1_783_512_000_000_000_i64, "2026-07-08T12:00:00Z");
    assert_eq!(cutover["left_out"], 8);
    let pairs: Vec<(String, String)> = serde_json::from_value(cutover["pairs"].clone()).unwrap();
    let pair = |one: &str, two: &str| (one.to_owned(), two.to_owned());
    assert_eq!(
        pairs,
        [
            pair("dual-0", "r-live-2"),
            pair("dual-1", "r-live-3"),
            pair("dual-2", "r-live-4"),
            pair("dual-3", "r-live-5"),
            pair("edge", "r-live-1"),
            pair("straddle", "r-live-0"),
        ]
    );
    assert_eq!(cutover["unmatched"], serde_json::json!(["lost-0", "lost-1"]));
}

#[test]
fn what_nobody_recorded_can_be_recovered() {
    let registry = Registry::adopted("compliance.sql");
    let told = registry.run(HISTORY, &["--recover-unmatched", "--commit"]);
    assert_eq!(
        counts(&told["items"]),
        expected(&[("inserted", 32), ("already_imported", 3), ("after_cutover", 6)])
    );
    assert_eq!(told["cutover"]["unmatched"], serde_json::json!([]));
    assert_eq!((runs(&registry).as_str(), registry.one(DOUBLES).as_str()), ("47", "0"));
}

#[test]
fn without_live_runs_there_is_no_cutover() {
    let registry = Registry::new("compliance.sql");
    registry.change("delete from agent_compliance_runs where id like 'r-live-%'");
    registry.run("registry-state", &["--commit"]);
    let told = registry.run(HISTORY, &[]);
    assert_eq!(told["items"]["inserted"], 38);
    assert_eq!(told["cutover"], serde_json::Value::Null);
}

#[test]
fn who_opted_out_can_be_asked_for() {
    let registry = Registry::adopted("compliance.sql");
    let told = registry.run(HISTORY, &["--set", "respect-opt-out=false"]);
    assert_eq!(told["items"]["inserted"], 32);
    assert_eq!(told["skipped"]["opted_out"], serde_json::Value::Null);
}

#[test]
fn a_run_that_died_is_told_as_such() {
    let registry = Registry::adopted("compliance.sql");
    let mut child = between_chunks(&registry);
    let status = || registry.sandbox.hyp(["runs", "--json"]).json()["runs"][0]["status"].clone();
    assert_eq!(status(), "running");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status(), "crashed");
    let doctor = registry.sandbox.hyp(["doctor"]);
    assert!(doctor.stdout.contains("it was killed"), "{doctor}");
}

#[test]
fn a_history_of_which_nothing_is_understood_fails() {
    let registry = Registry::adopted("compliance.sql");
    registry.change("update agent_test_history set started_at = 'once'");
    let output = registry.try_run(HISTORY, &["--commit"]);
    assert_eq!(output.status, Some(1), "{output}");
    let told = &output.json()["providers"][0];
    assert_eq!((&told["status"], &told["rows_written"]), (&"failed".into(), &0.into()), "{output}");
    let error = told["error"].as_str().unwrap();
    assert!(error.contains("were not understood (malformed: `started_at` is no time)"), "{error}");
}

#[test]
fn an_opt_out_that_is_no_truth_value_is_one() {
    let registry = Registry::adopted("compliance.sql");
    registry.change("update agent_registry_metadata set compliance_opt_out = 'true' where compliance_opt_out = 1");
    assert_eq!(registry.run(HISTORY, &[])["skipped"]["opted_out"], 2);
    registry.change("update agent_registry_metadata set compliance_opt_out = 'no' where compliance_opt_out = 'true'");
    assert_eq!(registry.run(HISTORY, &[])["skipped"]["opted_out"], serde_json::Value::Null);
}

#[test]
fn a_window_of_time_is_for_conversations() {
    let registry = Registry::adopted("compliance.sql");
    for window in [["--since", "2026-05-01"], ["--until", "2026-05-02"], ["--retention-days", "3"]]
    {
        let output = registry.try_run(HISTORY, &window);
        assert_eq!(output.status, Some(2), "{output}");
        assert!(output.stderr.contains("is for conversations"), "{output}");
    }
}

#[test]
fn the_same_id_of_another_system_is_another_row() {
    let registry = Registry::adopted("compliance.sql");
    registry.run(HISTORY, &["--commit"]);
    let of = "select _hyp_source_system from agent_compliance_runs where _hyp_source_id = 'quay-0' order by 1";
    assert_eq!(registry.rows(of), ["agent_test_history", "elsewhere"]);
}

#[test]
fn rows_say_what_the_history_said() {
    let registry = Registry::adopted("compliance.sql");
    registry.run(HISTORY, &["--commit"]);
    let row = |id: &str| {
        let sql = format!(
            "select * exclude (_hyp_run_id, id) from agent_compliance_runs where _hyp_source_id = '{id}'"
        );
        let output = registry.sandbox.hyp(["query", "sql", &sql, "--json", "--max-cell", "0"]);
        output.json()[0].clone()
    };
    let told = row("cove-1");
    assert_eq!(told["headline"], "første linje\nsecond \"line\" \u{1F30A}");
    assert_eq!(told["agent_profile_json"], r#"{"agent": "cove-1"}"#);
    assert_eq!(told["tested_at"], "2026-05-16T00:00:00.000000Z");
    assert_eq!(
        [&told["tracks_passed"], &told["tracks_failed"], &told["tracks_skipped"]],
        [4, 0, 0]
    );
    assert_eq!([&told["dry_run"], &told["source_dry_run"]], [false, true]);
    assert_eq!(
        [&told["triggered_by"], &told["triggered_org_id"], &told["triggered_user_id"]],
        ["owner_test", "o-cove", "fay"]
    );
    assert_eq!([&told["lifecycle_stage"], &told["original_scenario"]], ["production", "nightly"]);
    assert_eq!(row("cove-0")["headline"], serde_json::Value::Null);
    assert_eq!(row("buoy-0")["total_duration_ms"], serde_json::Value::Null);
    assert_eq!(row("quay-1")["lifecycle_stage"], "testing");
    assert_eq!(row("pier-05")["source_dry_run"], serde_json::Value::Null);
}

#[test]
fn an_import_that_dies_anywhere_is_made_good_by_the_next() {
    let undisturbed = Registry::adopted("compliance.sql");
    undisturbed.run(HISTORY, &["--commit", "--chunk-size", "7"]);
    let whole = undisturbed.rows(ALL);
    // Of every place that a commit passes, the third time: two chunks are in by then.
    for name in failpoint::NAMES {
        let mut registry = Registry::adopted("compliance.sql");
        let args = ["--commit", "--chunk-size", "7"];
        registry.sandbox.set("HYP_FAILPOINT", &format!("{name}:abort:3"));
        let died = registry.try_run(HISTORY, &args);
        let may_pass =
            ["before_compaction", "before_expiry", "in_sweep", "before_erasing", "after_sweep"];
        assert!(
            died.status != Some(0) || may_pass.contains(name),
            "{name} is never reached: {died}"
        );
        registry.sandbox.set("HYP_FAILPOINT", "");
        let between: u64 = runs(&registry).parse().unwrap();
        assert_eq!((between - 15) % 7, if between == 45 { 2 } else { 0 }, "{name}: {between} rows");
        let told = registry.run(HISTORY, &args);
        assert_eq!(told["items"]["inserted"].as_u64().unwrap_or(0), 45 - between, "{name}");
        assert!(registry.rows(ALL) == whole, "{name}: the rows of one that ended well");
        assert_eq!(
            (runs(&registry).as_str(), registry.status()),
            ("45", NEWER_WINS.map(str::to_owned).to_vec()),
            "{name}"
        );
    }
}

#[test]
fn views_tell_whose_test_the_newest_run_was() {
    let registry = Registry::adopted("compliance.sql");
    registry.run(HISTORY, &["--commit"]);
    let latest = "select substr(agent_url, 9, 4), label from compliance_latest order by 1";
    assert_eq!(
        registry.rows(latest),
        ["buoy,your test", "cove,your test", "pier,your test", "quay,your test", "reef,your test"]
    );
    assert_eq!(
        registry.one("select count(*) from compliance_history where label = 'your test'"),
        "39"
    );
    assert_eq!(registry.one("select count(*) from compliance_history"), "45");
}

#[test]
fn what_was_only_tried_is_in_no_view() {
    let registry = Registry::new("compliance.sql");
    registry.change("update agent_compliance_runs set dry_run = 1 where id = 'r-live-4'");
    registry.run("registry-state", &["--commit"]);
    registry.run(HISTORY, &["--commit"]);
    assert_eq!(registry.one("select count(*) from agent_compliance_runs where dry_run"), "1");
    let all = registry.one("select count(*) from agent_compliance_runs where not dry_run");
    assert_eq!(registry.one("select count(*) from compliance_history"), all);
}

#[test]
fn a_killed_run_is_gone_on_with_as_it_was_asked() {
    let mut registry = Registry::adopted("compliance.sql");
    registry.sandbox.set("HYP_FAILPOINT", "after_catalog:abort:2");
    let args = ["--commit", "--chunk-size", "7", "--set", "respect-opt-out=false"];
    let died = registry.try_run(HISTORY, &args);
    assert_ne!(died.status, Some(0), "{died}");
    registry.sandbox.set("HYP_FAILPOINT", "");
    let run = registry.one("select run_id from runs where status <> 'ok'");
    let resumed = registry.sandbox.hyp(["runs", "resume", &run, "--json"]);
    assert_eq!(resumed.status, Some(0), "{resumed}");
    let told = changes(&resumed);
    assert_eq!(told["committed"], true, "{told}");

    let whole = Registry::adopted("compliance.sql");
    whole.run(HISTORY, &args);
    assert_eq!(runs(&registry), runs(&whole));
    assert_eq!(registry.status(), whole.status());
}

#[test]
fn a_killed_run_is_not_gone_on_with_once_its_source_or_a_rule_changed() {
    let mut registry = Registry::adopted("compliance.sql");
    registry.sandbox.set("HYP_FAILPOINT", "after_catalog:abort:2");
    let died = registry.try_run(HISTORY, &["--commit", "--chunk-size", "7"]);
    assert_ne!(died.status, Some(0), "{died}");
    registry.sandbox.set("HYP_FAILPOINT", "");
    let run = registry.one("select run_id from runs where status <> 'ok'");
    registry.settle("[datasets.agent_compliance_status]\non_conflict = \"keep\"\n");
    let resumed = registry.sandbox.hyp(["runs", "resume", &run]);
    assert_eq!(resumed.status, Some(3), "{resumed}");
    assert!(resumed.stderr.contains("the rules of datasets changed"), "{resumed}");
    registry.settle("");
    registry.change("delete from agent_test_history where id = 'pier-00'");
    let before = runs(&registry);
    let resumed = registry.sandbox.hyp(["runs", "resume", &run]);
    assert_eq!(resumed.status, Some(3), "{resumed}");
    assert!(resumed.stderr.contains("registry-history: its files changed"), "{resumed}");
    assert_eq!(runs(&registry), before);
    assert_eq!(registry.run(HISTORY, &["--commit"])["committed"], true);
}

#[test]
fn what_a_dry_run_told_is_done_with_its_settings() {
    let registry = Registry::adopted("compliance.sql");
    let dry = registry.try_run(HISTORY, &["--dry-run", "--set", "respect-opt-out=false"]);
    let fingerprint = dry.json()["fingerprint"].as_str().unwrap().to_owned();
    let done = registry.sandbox.hyp(["backfill", "--apply", &fingerprint, "--json"]);
    assert_eq!(done.status, Some(0), "{done}");
    let (dry, done) = (changes(&dry), changes(&done));
    assert_eq!((&dry["committed"], &done["committed"]), (&false.into(), &true.into()));
    assert_eq!((&dry["items"], &dry["datasets"]), (&done["items"], &done["datasets"]));
}

#[test]
fn conversations_and_datasets_are_two_runs() {
    let registry = Registry::adopted("compliance.sql");
    let refused = registry.sandbox.hyp(["backfill", "claude", HISTORY, "--commit"]);
    assert_eq!(refused.status, Some(2), "{refused}");
    let unnamed = registry.sandbox.hyp(["backfill", "--commit"]);
    assert_eq!(unnamed.status, Some(2), "{unnamed}");
    assert_eq!(registry.sandbox.hyp(["backfill"]).status, Some(0));
    assert_eq!(runs(&registry), "15", "what changes datasets is named");
}

#[test]
fn an_unknown_table_is_told_with_the_datasets_and_views_there_are() {
    let registry = Registry::adopted("compliance.sql");
    for args in [&["query", "sql", "select * from nosuch"][..], &["query", "schema", "nosuch"]] {
        let output = registry.sandbox.hyp(args.iter().copied());
        assert_eq!(output.status, Some(1), "{output}");
        let said = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains("help: tables: ai_gateway_messages, messages, sessions, "),
            "{output}"
        );
        for table in ["agent_compliance_runs", "compliance_latest", "type_reclassification_log"] {
            assert!(said.contains(table), "{table}: {output}");
        }
    }
}
