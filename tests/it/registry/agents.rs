//! Types of listed agents against what agents were found to be able to.

use std::fs;

use serde_json::{Value, json};

use super::{Registry, changes, counts, expected};

const TYPES: &str = "agent-types";

fn types(registry: &Registry) -> Vec<String> {
    registry.rows(
        "select profile_id || '/' || position || ' ' || coalesce(type, '-') from member_agents
         where agent_url is not null order by profile_id, position",
    )
}

#[test]
fn promoting_writes_what_is_missing_and_notes_what_disagrees() {
    let registry = Registry::adopted("agents.sql");
    let told = registry.run(TYPES, &["--set", "mode=promote-only", "--commit"]);
    assert_eq!(
        counts(&told["assertions"]),
        expected(&[("promote", 7), ("disagree", 9), ("same", 2), ("unknown_evidence", 12)])
    );
    assert_eq!(told["datasets"]["member_agents"]["updated"], 7);
    let again = registry.run(TYPES, &["--set", "mode=promote-only", "--commit"]);
    assert_eq!(again["datasets"]["member_agents"]["updated"], 0);
    let log = "select event, count(*) from value_audit group by 1 order by 1";
    assert_eq!(registry.rows(log), ["disagree,9", "promote,7"], "a disagreement is noted once");
}

#[test]
fn evidence_about_an_agent_that_moved_in_its_list_changes_no_other() {
    let registry = Registry::adopted("agents.sql");
    // Every list the other way round: the rows that were adopted have other agents in their places.
    registry.change(
        "update member_profiles set agents =
             (select json_group_array(case type when 'object' then json(value) else value end) from
                 (select value, type from json_each(agents) order by cast(key as integer) desc))
         where case when json_valid(agents) then json_array_length(agents) > 1 else false end",
    );
    let told =
        registry.run(TYPES, &["--commit", "--set", "mode=reconcile", "--max-changes", "100"]);
    assert!(told["outcomes"]["moved"].as_u64().unwrap() > 0, "{told}");
    let listed = registry.rows(
        "select c.agent_url from type_reclassification_log c join member_agents m
             on c.agent_url = m.agent_url and c.new_type <> coalesce(m.type, '-')",
    );
    assert_eq!(listed, [""; 0], "what the log names is what was changed");
}

#[test]
fn a_plan_that_is_refused_has_no_fingerprint() {
    let registry = Registry::adopted("agents.sql");
    let of = |more: &[&str]| {
        let args = ["backfill", TYPES, "--dry-run", "--json"].iter().chain(more).copied();
        registry.sandbox.hyp(args).json()["fingerprint"].clone()
    };
    assert!(of(&[]).is_string());
    assert!(of(&["--max-changes", "3"]).is_null());
}

#[test]
fn reconciling_replaces_what_disagrees() {
    let registry = Registry::adopted("agents.sql");
    let dry = registry.run(TYPES, &[]);
    assert_eq!(dry["datasets"]["member_agents"]["updated"], 16);
    assert_eq!(registry.one("select count(*) from value_audit"), "0", "nothing was done");
    let output = registry.try_run(TYPES, &["--commit"]);
    let told = changes(&output);
    assert_eq!(told["datasets"]["member_agents"]["updated"], 16, "{output}");
    assert_eq!(told["max_changes"], 25, "unless somebody says otherwise");
    // 40 entries of lists, and profiles without any: none, no list, and an empty one.
    assert_eq!(told["source_rows"], 43, "{output}");
    assert_eq!(
        counts(&told["skipped"]),
        expected(&[
            ("agents_are_no_list", 1),
            ("no_address", 4),
            ("no_agents", 2),
            ("no_snapshot", 6),
        ])
    );
    let profiles = "select count(distinct json_get_str(row_key, 0)) from dataset_journal
        where column_name = 'type'";
    assert_eq!(registry.one(profiles), "10");
    assert_eq!(registry.run(TYPES, &["--commit"])["datasets"]["member_agents"]["updated"], 0);
    let log = "select agent_url, old_type, new_type, event, source from type_reclassification_log
        where member_id in ('p-lathe', 'p-bare') order by agent_url";
    assert_eq!(
        registry.rows(log),
        [
            "https://bare-creative.example/mcp,,creative,promote,backfill_script",
            "https://bare-sales.example/mcp,,sales,promote,backfill_script",
            "https://lathe.example/mcp,buying,sales,flip,backfill_script",
        ]
    );
    let run = super::run_id(&output);
    let of_run = format!("select count(*) from type_reclassification_log where run_id = '{run}'");
    assert_eq!(registry.one(&of_run), "16");
}

/// Has all members write what is known of their agents: items of evidence, recorded by the authority of the server. Returns
/// how many there were, and what was done.
pub(super) fn write_all(registry: &Registry) -> (usize, Value) {
    let found = registry.rows(
        "select profile_id, position, m.agent_url, s.agent_url is not null, s.inferred_type
         from member_agents as m left join agent_capabilities_snapshot as s on s.agent_url = m.agent_url
         where m.agent_url is not null",
    );
    let items: Vec<Value> = found
        .iter()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [profile, position, url, was_seen, inferred] = cells[..] else { panic!("{line}") };
            let position: u32 = position.parse().unwrap();
            let mut item = json!({ "profile_id": profile, "position": position, "agent_url": url });
            if was_seen == "true" {
                let inferred = Some(inferred).filter(|it| !it.is_empty());
                item["inferred_type"] = json!(inferred);
            }
            item
        })
        .collect();
    let path = registry.sandbox.beside("written.json");
    fs::write(&path, Value::from(items.clone()).to_string()).unwrap();
    let output = registry.sandbox.hyp([
        "record",
        "registry.agent_type_evidence",
        "--json",
        path.to_str().unwrap(),
        "--policy",
        "server-authoritative",
        "--source",
        "member_write",
        "--report-json",
    ]);
    assert_eq!(output.status, Some(0), "{output}");
    (items.len(), output.json())
}

#[test]
fn by_the_authority_of_the_server_members_keep_only_what_is_known() {
    let registry = Registry::adopted("agents.sql");
    let (items, told) = write_all(&registry);
    assert_eq!(items, 36);
    assert_eq!(
        counts(&told["assertions"]),
        expected(&[("flip", 21), ("same", 2), ("unknown_evidence", 13)])
    );
    let changed = registry.rows(
        "select substr(agent_url, 9, strpos(agent_url, '.') - 9) || ' ' || coalesce(old_type, '-') || ' ' || new_type
         from type_reclassification_log where source = 'member_write' order by 1",
    );
    assert_eq!(
        changed,
        [
            "anvil buying sales",
            "bare-creative - creative",
            "bare-sales - sales",
            "both creative signals",
            "both sales signals",
            "both unknown signals",
            "buying-creative buying creative",
            "buying-sales buying sales",
            "lathe buying sales",
            "old-creative seller creative",
            "old-odd seller unknown",
            "old-sales seller sales",
            "old-silent seller unknown",
            "old-unseen seller unknown",
            "sales-creative sales creative",
            "sales-odd sales unknown",
            "sales-silent sales unknown",
            "unknown-creative unknown creative",
            "unknown-sales unknown sales",
            "void-creative - creative",
            "void-sales - sales",
        ]
    );
    let kept = "select count(*) from member_agents where type = 'buying' or agent_url like '%sales-unseen%' and type = 'sales'";
    assert_eq!(registry.one(kept), "4", "who buys is not told by tools, and nobody saw the other");
    assert_eq!(write_all(&registry).1["datasets"]["member_agents"]["updated"], 0);
}

#[test]
fn evidence_that_says_nothing_never_replaces_a_type() {
    let registry = Registry::adopted("agents.sql");
    registry.run(TYPES, &["--commit"]);
    let kept = registry.rows(
        "select substr(agent_url, 9, strpos(agent_url, '.') - 9) || ' ' || type from member_agents
         where agent_url like '%-silent.%' and type is not null or agent_url like '%-odd.%' and type is not null
         order by 1",
    );
    assert_eq!(
        kept,
        [
            "buying-odd buying",
            "buying-silent buying",
            "old-odd seller",
            "old-silent seller",
            "sales-odd sales",
            "sales-silent sales",
            "unknown-odd unknown",
            "unknown-silent unknown",
        ]
    );
}

#[test]
fn other_fields_and_strange_entries_stay_as_they_were() {
    let registry = Registry::adopted("agents.sql");
    let entries = "select profile_id, position, entry_json from member_agents order by 1, 2";
    let before = registry.rows(entries);
    registry.run(TYPES, &["--commit"]);
    assert_eq!(registry.rows(entries), before);
    let strange =
        "select entry_json from member_agents where profile_id = 'p-strange' order by position";
    let output = registry.sandbox.hyp(["query", "sql", strange, "--json"]);
    let texts: Vec<Value> =
        output.json().as_array().unwrap().iter().map(|row| row["entry_json"].clone()).collect();
    assert_eq!(
        texts,
        [
            json!(r#"{"name":"no address","type":"sales"}"#),
            json!("\"text\""),
            json!("null"),
            json!("7")
        ]
    );
    let extra = "select entry_json from member_agents where profile_id = 'p-lathe'";
    let output = registry.sandbox.hyp(["query", "sql", extra, "--json"]);
    assert!(output.stdout.contains(r#"\"x_extra\":{\"keep\":[1,2]}"#), "{output}");
}

#[test]
fn twenty_five_changes_are_made_and_twenty_six_are_refused() {
    for (flips, exit) in [(25, 0), (26, 3)] {
        let registry = Registry::new("agents.sql");
        registry.change("delete from member_profiles; delete from agent_capabilities_snapshot;");
        for at in 0..40 {
            let kind = if at < flips { "buying" } else { "sales" };
            registry.change(&format!(
                "insert into member_profiles values ('p-{at:02}', 'o', 's{at}',
                     '[{{\"url\":\"https://many-{at:02}.example/mcp\",\"type\":\"{kind}\"}}]', '2026-06-01T00:00:00Z');
                 insert into agent_capabilities_snapshot values
                     ('https://many-{at:02}.example/mcp', 'mcp', 'sales', null, 0, '2026-06-28T00:00:00Z');"
            ));
        }
        registry.run("registry-state", &["--commit"]);
        let journal = || registry.one("select count(*) from dataset_journal");
        let before = (registry.files(), journal());
        let output = registry.try_run(TYPES, &["--commit"]);
        assert_eq!(output.status, Some(exit), "{flips} changes: {output}");
        if exit == 3 {
            assert_eq!(changes(&output)["refused"], "26 changes, limit 25");
            assert!((registry.files(), journal()) == before, "byte by byte as it was");
        }
        let written = registry.one("select count(*) from value_audit");
        assert_eq!(written, if exit == 0 { "25" } else { "0" }, "{flips} changes");
        let flipped = registry.one("select count(*) from member_agents where type = 'buying'");
        assert_eq!(flipped, if exit == 0 { "0" } else { "26" });
    }
}

#[test]
fn an_agent_that_is_not_expected_is_named() {
    let registry = Registry::adopted("agents.sql");
    let told = registry.run(TYPES, &[]);
    let subjects = told["changes"].as_array().unwrap().iter();
    let mut subjects: Vec<&str> = subjects.map(|one| one["subject"].as_str().unwrap()).collect();
    subjects.retain(|subject| !subject.contains("anvil"));
    let list = registry.sandbox.beside("expected.txt");
    fs::write(&list, subjects.join("\n")).unwrap();
    let before = types(&registry);
    let output = registry.try_run(TYPES, &["--commit", "--expect", list.to_str().unwrap()]);
    assert_eq!(output.status, Some(3));
    assert_eq!(changes(&output)["refused"], "not expected: https://anvil.example/a2a");
    assert_eq!(types(&registry), before);
}

#[test]
fn a_source_that_grew_past_the_limit_since_the_plan_is_refused() {
    let registry = Registry::adopted("agents.sql");
    let planned = registry.run(TYPES, &["--max-changes", "16"]);
    assert_eq!(planned["refused"], Value::Null, "{planned}");
    registry.change(
        "update agent_capabilities_snapshot set inferred_type = 'signals'
             where agent_url = 'https://sales-silent.example/mcp'",
    );
    let before = types(&registry);
    let output = registry.try_run(TYPES, &["--commit", "--max-changes", "16"]);
    assert_eq!(output.status, Some(3), "{output}");
    assert_eq!(changes(&output)["refused"], "17 changes, limit 16");
    assert_eq!(types(&registry), before);
}

/// Makes a table of the catalog one that takes no rows.
fn refuse_rows(registry: &Registry, table: &str) {
    let refuse = format!(
        "create trigger full before insert on {table} begin select raise(abort, 'no room'); end"
    );
    registry.catalog().execute_batch(&refuse).unwrap();
}

#[test]
fn an_audit_that_cannot_be_written_stops_nobody() {
    let registry = Registry::adopted("agents.sql");
    refuse_rows(&registry, "value_audit");
    let told = registry.run(TYPES, &["--commit"]);
    assert_eq!(told["datasets"]["member_agents"]["updated"], 16);
    assert_eq!(told["committed"], true);
    let undisturbed = Registry::adopted("agents.sql");
    undisturbed.run(TYPES, &["--commit"]);
    assert_eq!(types(&registry), types(&undisturbed));
    let failed = counts(&told["audit_insert_failed"]);
    assert_eq!(failed.values().copied().collect::<Vec<_>>(), [16]);
    let label = failed.keys().next().unwrap();
    assert!(
        label.starts_with("source=backfill_script,error_class=") && !label.contains("http"),
        "{label}"
    );
}

#[test]
fn without_a_journal_nothing_is_written() {
    let registry = Registry::adopted("agents.sql");
    let before = types(&registry);
    refuse_rows(&registry, "dataset_journal");
    assert_eq!(registry.try_run(TYPES, &["--commit"]).status, Some(1));
    assert_eq!(types(&registry), before);
}

#[test]
fn the_audit_is_added_to_and_nothing_else() {
    let registry = Registry::adopted("agents.sql");
    registry.run(TYPES, &["--commit"]);
    let catalog = registry.catalog();
    for sql in ["update value_audit set new_value = 'x'", "delete from value_audit"] {
        let error = catalog.execute(sql, []).unwrap_err();
        assert_eq!(error.to_string(), "value_audit is added to only", "{sql}");
    }
    assert_eq!(registry.one("select count(*) from value_audit"), "16");

    // The agents may go; what became of their types is told all the same.
    for provider in [TYPES, "registry-state"] {
        let of = format!("select run_id from runs where providers like '%{provider}%'");
        let undone = registry.sandbox.hyp(["runs", "undo", &registry.one(&of), "--commit"]);
        assert_eq!(undone.status, Some(0), "{undone}");
    }
    assert_eq!(registry.one("select count(*) from member_agents"), "0");
    assert_eq!(registry.one("select count(*) from value_audit"), "16");
}

/// Answers for every agent that is asked.
pub(super) fn script(registry: &Registry) {
    let known =
        |kind: &str, elapsed_ms: u32| json!({ "inferred_type": kind, "elapsed_ms": elapsed_ms });
    let silent = |elapsed_ms: u32| json!({ "elapsed_ms": elapsed_ms });
    let lost = |why: &str, elapsed_ms: u32| json!({ "failure": why, "elapsed_ms": elapsed_ms });
    let answers = json!({
        "https://bare-silent.example/mcp": known("sales", 900),
        "https://void-silent.example/mcp": known("creative", 4100),
        "https://unknown-silent.example/mcp": silent(650),
        "https://sales-silent.example/mcp": lost("timeout", 30_000),
        "https://buying-silent.example/mcp": lost("name-resolution", 45),
        "https://old-silent.example/mcp": known("signals", 700),
        "https://bare-unseen.example/mcp": known("signals", 12_000),
        "https://void-unseen.example/mcp": lost("http-status", 2100),
        "https://unknown-unseen.example/mcp": lost("refused", 12),
        "https://sales-unseen.example/mcp": silent(5100),
        "https://buying-unseen.example/mcp": silent(310),
        "https://old-unseen.example/mcp": lost("malformed", 820),
        "https://found-1.example/mcp": known("creative", 640),
        "https://found-2.example/a2a": lost("name-resolution", 5005),
    });
    let path = registry.sandbox.beside("answers.json");
    fs::write(&path, answers.to_string()).unwrap();
    registry.settle(&format!("[probe]\nallow = [\"*\"]\nscript = {path:?}\n"));
}

#[test]
fn agents_are_asked_again_and_what_cannot_be_had_is_no_value() {
    let registry = Registry::adopted("agents.sql");
    script(&registry);
    let known = json!({ "agent_url": "https://old-silent.example/mcp", "inferred_type": "brand" });
    let recorded = registry.sandbox.beside("known.json");
    fs::write(&recorded, known.to_string()).unwrap();
    let output = registry.sandbox.hyp([
        "record",
        "registry.probe_result",
        "--json",
        recorded.to_str().unwrap(),
    ]);
    assert_eq!(output.status, Some(0), "{output}");

    let told = registry.run("registry-reprobe", &["--commit"]);
    assert_eq!(told["source_rows"], 14);
    assert_eq!(counts(&told["failed"]), expected(&[("dns_failed", 3), ("probe_failed", 3)]));
    assert_eq!(
        counts(&told["outcomes"]),
        expected(&[
            ("newly_classified.creative", 2),
            ("newly_classified.sales", 1),
            ("newly_classified.signals", 1),
            ("skipped_already_classified", 1),
            ("still_unknown", 3),
        ])
    );
    let slowest: Vec<u64> = told["slowest"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["elapsed_ms"].as_u64().unwrap())
        .collect();
    assert_eq!(slowest, [30_000, 12_000, 5_100, 5_005, 4_100]);
    let snapshots = registry.rows(
        "select substr(agent_url, 9, strpos(agent_url, '.') - 9), inferred_type from agent_capabilities_snapshot
         where agent_url like '%-silent.%' or agent_url like '%-unseen.%' or agent_url like '%found%' order by 1",
    );
    assert_eq!(
        snapshots,
        [
            "bare-silent,sales",
            "bare-unseen,signals",
            "buying-silent,",
            "buying-unseen,",
            "found-1,creative",
            "old-silent,brand",
            "sales-silent,",
            "sales-unseen,",
            "unknown-silent,",
            "void-silent,creative",
        ]
    );
    // What was learnt goes on to the profiles that list the agent.
    let learnt = registry.rows(
        "select agent_url, type from member_agents where agent_url in ('https://bare-silent.example/mcp',
             'https://void-silent.example/mcp', 'https://bare-unseen.example/mcp') order by 1",
    );
    assert_eq!(
        learnt,
        [
            "https://bare-silent.example/mcp,sales",
            "https://bare-unseen.example/mcp,signals",
            "https://void-silent.example/mcp,creative",
        ]
    );
}

#[test]
fn an_answer_that_does_not_come_takes_no_type_away() {
    let registry = Registry::adopted("agents.sql");
    script(&registry);
    let known =
        json!({ "agent_url": "https://sales-silent.example/mcp", "inferred_type": "sales" });
    let output = super::record::record(&registry, "registry.probe_result", &known);
    assert_eq!(output.status, Some(0), "{output}");
    let told = registry.run("registry-reprobe", &["--commit"]);
    assert_eq!(
        counts(&told["failed"])["probe_failed"],
        3,
        "the source still wants to know: {told}"
    );
    let row = "select inferred_type from agent_capabilities_snapshot
        where agent_url = 'https://sales-silent.example/mcp'";
    assert_eq!(registry.one(row), "sales");
}

#[test]
fn nobody_is_asked_who_is_not_allowed() {
    let registry = Registry::adopted("agents.sql");
    let told = registry.run("registry-reprobe", &[]);
    assert_eq!(counts(&told["failed"]), expected(&[("not_allowed", 14)]));
    assert_eq!(told["items"], json!({}));
}

#[test]
fn what_an_answer_means_for_others_is_committed_with_it() {
    let types = "select agent_url, type from member_agents order by 1, 2";
    let snapshots = "select agent_url, inferred_type from agent_capabilities_snapshot order by 1";
    let whole = Registry::adopted("agents.sql");
    script(&whole);
    whole.run("registry-reprobe", &["--commit"]);
    for name in ["after_catalog", "in_catalog", "after_data_files"] {
        let mut registry = Registry::adopted("agents.sql");
        script(&registry);
        registry.sandbox.set("HYP_FAILPOINT", &format!("{name}:abort:2"));
        let died = registry.try_run("registry-reprobe", &["--commit", "--chunk-size", "1"]);
        assert_ne!(died.status, Some(0), "{name} is never reached: {died}");
        registry.sandbox.set("HYP_FAILPOINT", "");
        assert_ne!(registry.rows(snapshots), whole.rows(snapshots), "{name}: all of it was in");
        registry.run("registry-reprobe", &["--commit", "--chunk-size", "1"]);
        assert_eq!(registry.rows(snapshots), whole.rows(snapshots), "{name}");
        assert_eq!(registry.rows(types), whole.rows(types), "{name}");
    }
}
