//! What is expected of registries, told apart from hyp in `expected.json`: that of the fixtures, or of another folder of
//! databases and results that `HYP_REGISTRY` names.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{Registry, agents, changes, counts, run_id};
use crate::sandbox::fixtures;

/// Databases by their names in `expected.json`, with those of the fixtures.
const DATABASES: [(&str, &str); 4] = [
    ("compliance", "compliance.sql"),
    ("agent_types", "agents.sql"),
    ("test_suites", "suites.sql"),
    ("test_suites_column_present", "suites_drifted.sql"),
];

const HISTORY: &str = "registry-history";

/// A folder of databases and of what is expected of them.
struct Cases {
    folder: PathBuf,
    is_ours: bool,
}

impl Cases {
    fn database(&self, name: &str) -> String {
        let ours = DATABASES.iter().find(|(known, _)| *known == name && self.is_ours);
        let file = ours.map_or_else(|| format!("{name}.sql"), |(_, file)| (*file).to_owned());
        self.folder.join(file).to_str().unwrap().to_owned()
    }

    fn registry(&self, name: &str) -> Registry {
        Registry::new(&self.database(name))
    }

    fn adopted(&self, name: &str) -> Registry {
        Registry::adopted(&self.database(name))
    }

    /// Returns when suites are looked at.
    fn clock(&self) -> String {
        match self.is_ours {
            true => "2026-06-11T12:00:00Z".to_owned(),
            false => self.expected()["test_suites"]["clock"].as_str().unwrap().to_owned(),
        }
    }

    fn expected(&self) -> Map<String, Value> {
        let text = fs::read_to_string(self.folder.join("expected.json"));
        serde_json::from_str(&text.unwrap_or_else(|_| "{}".to_owned())).unwrap()
    }

    /// Compares what was found with what is expected; each place of the former has to be in the latter.
    fn check(&self, name: &str, found: &Value) {
        let path = self.folder.join("expected.json");
        let mut all = self.expected();
        if self.is_ours && std::env::var_os("UPDATE_GOLDEN").is_some() {
            let known = all.entry(name).or_insert_with(|| json!({})).as_object_mut().unwrap();
            known.extend(found.as_object().unwrap().clone());
            fs::write(&path, format!("{:#}\n", Value::from(all))).unwrap();
            return;
        }
        assert_within(found, &all[name], &format!("{name} of {}", path.display()));
    }
}

/// Compares what was found with what is expected there; more may be expected of it.
fn assert_within(found: &Value, expected: &Value, place: &str) {
    match found.as_object() {
        Some(fields) if expected.is_object() => {
            for (name, found) in fields {
                assert_within(found, &expected[name], &format!("{name} of {place}"));
            }
        }
        _ => assert_eq!(found, expected, "{place}"),
    }
}

fn cases() -> Vec<Cases> {
    let ours = Cases { folder: fixtures().join("registry"), is_ours: true };
    let others = std::env::var_os("HYP_REGISTRY").map(PathBuf::from);
    let others = others.map(|folder| Cases { folder, is_ours: false });
    std::iter::once(ours).chain(others).collect()
}

/// Returns rows as objects.
fn objects(registry: &Registry, sql: &str) -> Vec<Value> {
    let args = ["query", "sql", sql, "--json", "--max-cell", "0", "--max-bytes", "0"];
    let output = registry.sandbox.hyp(args);
    assert_eq!(output.status, Some(0), "{output}");
    output.json().as_array().unwrap().clone()
}

/// A column with a time as it is written by others.
fn time(column: &str) -> String {
    format!("to_char({column}, '%Y-%m-%dT%H:%M:%SZ') as {column}")
}

/// Returns what became of each test of the history, by the words of whoever expects it.
fn verdicts(told: &Value) -> Value {
    let mut all = counts(&told["items"]);
    all.extend(counts(&told["skipped"]));
    if let Some(inserted) = all.remove("inserted") {
        all.insert("eligible".to_owned(), inserted);
    }
    all.entry("opted_out".to_owned()).or_default();
    json!(all)
}

fn status(registry: &Registry) -> Value {
    let times = ["last_checked_at", "last_failed_at", "last_passed_at"].map(time).join(", ");
    let sql = format!("select agent_url, status, headline, {times} from agent_compliance_status");
    let mut all = Map::new();
    for mut row in objects(registry, &sql) {
        let url = row.as_object_mut().unwrap().remove("agent_url").unwrap();
        all.insert(url.as_str().unwrap().to_owned(), row);
    }
    Value::from(all)
}

#[test]
fn histories_become_what_is_expected_of_them() {
    for cases in cases() {
        let registry = cases.adopted("compliance");
        let before =
            (registry.one("select count(*) from agent_compliance_runs"), status(&registry));
        let output = registry.try_run(HISTORY, &["--commit", "--chunk-size", "7"]);
        let (told, run) = (changes(&output), run_id(&output));
        let tested_at = time("tested_at");
        let inserted = format!(
            "select agent_url, _hyp_source_system as backfill_source, _hyp_source_id as backfill_source_id, dry_run,
                 headline, lifecycle_stage, original_scenario, overall_status, source_dry_run, {tested_at},
                 total_duration_ms, tracks_failed, tracks_partial, tracks_passed, tracks_skipped, triggered_by,
                 triggered_org_id, triggered_user_id
             from agent_compliance_runs where _hyp_run_id = '{run}' order by _hyp_source_id"
        );
        let inserted = objects(&registry, &inserted);
        let of = |word: &str| inserted.iter().filter(|row| row["overall_status"] == word).count();
        let by_agent =
            "select agent_url, count(*) as n from agent_compliance_runs group by 1 order by 1";
        let by_agent = objects(&registry, by_agent);
        let by_agent: BTreeMap<&str, &Value> =
            by_agent.iter().map(|row| (row["agent_url"].as_str().unwrap(), &row["n"])).collect();
        let at = told["cutover"]["at"].as_i64().unwrap();
        let rerun = registry.run(HISTORY, &["--commit"]);
        let mut found = json!({
            "source_rows": told["source_rows"],
            "counts": verdicts(&told),
            "cutover": jiff::Timestamp::from_microsecond(at).unwrap().to_string(),
            "cutover_pairs": told["cutover"]["pairs"],
            "cutover_unmatched": told["cutover"]["unmatched"],
            "existing_runs": before.0.parse::<u64>().unwrap(),
            "passing_failing_inserted": { "passing": of("passing"), "failing": of("failing") },
            "runs_after": registry.one("select count(*) from agent_compliance_runs").parse::<u64>().unwrap(),
            "runs_after_by_agent": by_agent,
            "rerun_inserted": rerun["items"]["inserted"].as_u64().unwrap_or(0),
        });
        found["inserted"] = inserted.into();
        found["status_after"] = rules(&cases);
        let undone = registry.sandbox.hyp(["runs", "undo", &run, "--commit"]);
        assert_eq!(undone.status, Some(0), "{undone}");
        let after = (registry.one("select count(*) from agent_compliance_runs"), status(&registry));
        assert_eq!(after, before);
        found["undo_restores"] =
            json!({ "runs": after.0.parse::<u64>().unwrap(), "status": after.1 });
        cases.check("compliance", &found);
    }
}

/// Returns the status under each rule.
fn rules(cases: &Cases) -> Value {
    let mut all = Map::new();
    for rule in ["newer-wins", "keep", "fill-missing", "last-write-wins"] {
        let registry = cases.adopted("compliance");
        registry.settle(&format!("[datasets.agent_compliance_status]\non_conflict = \"{rule}\"\n"));
        registry.run(HISTORY, &["--commit"]);
        all.insert(rule.to_owned(), status(&registry));
    }
    all.into()
}

#[test]
fn histories_that_are_imported_otherwise_become_what_is_expected_of_them() {
    for cases in cases() {
        let imported = |args: &[&str]| verdicts(&cases.adopted("compliance").run(HISTORY, args));
        let registry = cases.registry("compliance");
        registry.change(
            "delete from agent_compliance_runs where triggered_by = 'owner_test' and observations_json is null",
        );
        registry.run("registry-state", &["--commit"]);
        let variants = json!({
            "recover_unmatched": imported(&["--recover-unmatched", "--commit"]),
            "opt_out_ignored": imported(&["--set", "respect-opt-out=false"]),
            "no_live_rows": { "eligible": registry.run(HISTORY, &[])["items"]["inserted"] },
        });
        cases.check("compliance", &json!({ "variants": variants }));
    }
}

/// Returns the lists of agents that are other than in the registry, by the names of their members.
fn lists(registry: &Registry) -> Value {
    let slugs = "select id, slug, agents from member_profiles";
    let source = rusqlite::Connection::open(registry.source()).unwrap();
    let mut asked = source.prepare(slugs).unwrap();
    let profiles = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let profiles: Vec<(String, String, Option<String>)> = profiles.map(Result::unwrap).collect();
    let mut all = Map::new();
    for (id, slug, agents) in profiles {
        let agents = agents.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let Some(was @ Value::Array(_)) = agents else { continue };
        let mut list = was.as_array().cloned().unwrap_or_default();
        let rows = format!(
            "select position, type from member_agents where profile_id = '{id}' and agent_url is not null"
        );
        for row in objects(registry, &rows) {
            let entry = &mut list[usize::try_from(row["position"].as_u64().unwrap()).unwrap()];
            if !row["type"].is_null() {
                entry["type"] = row["type"].clone();
            }
        }
        let list = Value::from(list);
        if list != was {
            all.insert(slug, list);
        }
    }
    all.into()
}

#[test]
fn types_of_agents_become_what_is_expected_of_them() {
    for cases in cases() {
        let mut policies = Map::new();
        for policy in ["promote-only", "reconcile", "server-authoritative"] {
            let registry = cases.adopted("agent_types");
            let mode = format!("mode={policy}");
            let told = || match policy {
                "server-authoritative" => agents::write_all(&registry).1,
                _ => registry
                    .run("agent-types", &["--set", &mode, "--commit", "--max-changes", "100"]),
            };
            let (told, again) = (told(), told());
            let mut events = counts(&told["assertions"]);
            events.retain(|name, _| !["same", "unknown_evidence"].contains(&name.as_str()));
            let profiles = "select count(distinct json_get_str(row_key, 0)) from dataset_journal
                where column_name = 'type'";
            let profiles: u64 = registry.one(profiles).parse().unwrap();
            let changed = json!({
                "counts": events,
                "writes": told["datasets"]["member_agents"]["updated"],
                "rerun_writes": again["datasets"]["member_agents"]["updated"],
                "profiles_changed": profiles,
                "agents_after": lists(&registry),
            });
            policies.insert(policy.to_owned(), changed);
        }
        let found = json!({ "policies": policies, "reprobe": reprobed(&cases) });
        cases.check("agent_types", &found);
        // The fixtures have no databases for this; other tests make them.
        if !cases.is_ours {
            limits(&cases);
        }
    }
}

/// Reconciles 25 and 26 agents where 25 may change.
fn limits(cases: &Cases) {
    for (flips, exit) in [("25", 0), ("26", 3)] {
        let registry = cases.adopted(&format!("agent_types_{flips}_flips"));
        let output = registry.try_run("agent-types", &["--commit", "--max-changes", "25"]);
        assert_eq!(output.status, Some(exit), "{output}");
        let written = registry.one("select count(*) from value_audit").parse::<u64>().unwrap();
        let found = json!({ "rows_written": written });
        cases.check("agent_types", &json!({ format!("flips_{flips}"): found }));
    }
}

/// Asks again for what is not known of agents, with the answers that the database has for that, or those of the fixtures.
fn reprobed(cases: &Cases) -> Value {
    let registry = cases.adopted("agent_types");
    match cases.is_ours {
        true => agents::script(&registry),
        false => script(&registry),
    }
    // What somebody else found out meanwhile is theirs.
    let snapshots = "select agent_url, inferred_type from agent_capabilities_snapshot
        where _hyp_source_system <> 'record' order by 1";
    let known = |rows: Vec<Value>| -> Map<String, Value> {
        let cells = rows.into_iter().map(|row| {
            (row["agent_url"].as_str().unwrap().to_owned(), row["inferred_type"].clone())
        });
        cells.collect()
    };
    let output = registry.try_run("registry-reprobe", &["--commit"]);
    let (told, run) = (changes(&output), run_id(&output));
    let outcomes = counts(&told["outcomes"]);
    let of = |name: &str| outcomes.get(name).copied().unwrap_or(0);
    let classified: BTreeMap<&str, u64> = outcomes
        .iter()
        .filter_map(|(name, count)| Some((name.strip_prefix("newly_classified.")?, *count)))
        .collect();
    let slowest = told["slowest"].as_array().unwrap().iter();
    let slowest: Vec<Value> = slowest
        .map(|it| json!({ "agent_url": it["id"], "elapsed_ms": it["elapsed_ms"] }))
        .collect();
    let written = format!(
        "select agent_url from agent_capabilities_snapshot where _hyp_run_id = '{run}' order by 1"
    );
    json!({
        "candidates": told["source_rows"],
        "dns_failed": told["failed"]["dns_failed"],
        "probe_failed": told["failed"]["probe_failed"],
        "newly_classified": classified,
        "still_unknown": of("still_unknown"),
        "skipped_already_classified": of("skipped_already_classified"),
        "slowest_5": slowest,
        "snapshot_after": known(objects(&registry, snapshots)),
        "snapshot_written": registry.rows(&written),
    })
}

/// Has agents answer as a table of the registry says; those that somebody else classified meanwhile are recorded.
fn script(registry: &Registry) {
    let source = rusqlite::Connection::open(registry.source()).unwrap();
    let mut asked = source
        .prepare("select agent_url, outcome, inferred_type, error, elapsed_ms, classified_by_other from probe_script")
        .unwrap();
    let mut rows = asked.query([]).unwrap();
    let mut answers = Map::new();
    while let Some(row) = rows.next().unwrap() {
        let (url, outcome): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        let elapsed: u32 = row.get(4).unwrap();
        let kind: Option<String> = row.get(2).unwrap();
        let error: Option<String> = row.get(3).unwrap();
        let error = error.unwrap_or_default();
        let mut answer = json!({ "elapsed_ms": elapsed });
        match outcome.as_str() {
            "classified" => answer["inferred_type"] = json!(kind),
            "still_unknown" => {}
            "dns_failed" if error.contains("REFUSED") => answer["failure"] = json!("refused"),
            "dns_failed" => answer["failure"] = json!("name-resolution"),
            _ if error.contains("timeout") => answer["failure"] = json!("timeout"),
            _ if error.starts_with("HTTP") => answer["failure"] = json!("http-status"),
            _ => answer["failure"] = json!("malformed"),
        }
        if row.get::<_, bool>(5).unwrap() {
            let known = json!({ "agent_url": url, "inferred_type": kind });
            let output = super::record::record(registry, "registry.probe_result", &known);
            assert_eq!(output.status, Some(0), "{output}");
        }
        answers.insert(url, answer);
    }
    let path = registry.sandbox.beside("answers.json");
    fs::write(&path, Value::from(answers).to_string()).unwrap();
    registry.settle(&format!("[probe]\nallow = [\"*\"]\nscript = {path:?}\n"));
}

#[test]
fn suites_are_derived_as_is_expected_of_them() {
    for cases in cases() {
        let eligible =
            "select test_name from test_suites where scheduled_testing_eligible order by 1";
        let registry = cases.registry("test_suites");
        let clock = cases.clock();
        let derived = |registry: &Registry| {
            let output = registry.try_run("registry-state", &["--commit"]);
            assert_eq!(output.status, Some(0), "{output}");
            output.json()["derived"].clone()
        };
        let fresh = derived(&registry);
        let by = |column: &str| -> Vec<String> {
            registry.rows(&format!(
                "select distinct capability_slug from suites_due where {column} order by 1"
            ))
        };
        let unknown =
            "select test_name from suites_skipped where external_cost_cents is null order by 1";
        let free = "select count(*) from test_suites where external_cost_cents = 0";
        let skipped = registry.one("select capabilities from suites_skipped_count");
        let changed = cases.registry("test_suites_column_present");
        let drifted = derived(&changed);
        let run = drifted[0]["run_id"].as_str().unwrap().to_owned();
        let names = format!(
            "select s.test_name from dataset_journal j join test_suites s
                 on s.id = json_get_str(j.row_key, 0) where j.run_id = '{run}' order by 1"
        );
        let found = json!({
            "clock": clock,
            "fresh": {
                "changed": fresh[0]["updated"],
                "cost_zero": registry.one(free).parse::<u64>().unwrap(),
                "eligible": registry.rows(eligible).len(),
                "eligible_names": registry.rows(eligible),
                "rerun_changed": derived(&registry)[0]["updated"].as_u64().unwrap_or(0),
                "unknown_cost": registry.rows(unknown),
            },
            "scheduler": {
                "eligible_capabilities": by("true"),
                "overdue_after": by(&format!("due_at is null or due_at < timestamp '{clock}'")),
                "skipped_capabilities_count": skipped.parse::<u64>().unwrap(),
            },
            "column_present": {
                "changed": changed.rows(&names),
                "eligible_names": changed.rows(eligible),
                "rerun_changed": derived(&changed)[0]["updated"].as_u64().unwrap_or(0),
            },
        });
        cases.check("test_suites", &found);
    }
}
