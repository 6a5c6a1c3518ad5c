//! Dry runs that are done afterwards, and imports that are gone on with.

use serde_json::Value;

use crate::sandbox::{Sandbox, total};

fn dry(sandbox: &Sandbox, more: &[&str]) -> Value {
    let args = ["backfill", "--dry-run", "--json"].into_iter().chain(more.iter().copied());
    sandbox.hyp(args).json()
}

fn fingerprint(report: &Value) -> String {
    report["fingerprint"].as_str().unwrap().to_owned()
}

/// Applies a dry run that is no longer true, and returns what is said.
fn refused(sandbox: &Sandbox, fingerprint: &str) -> String {
    let before = sandbox.all_rows();
    let output = sandbox.hyp(["backfill", "--apply", fingerprint]);
    assert_eq!(output.status, Some(3), "{output}");
    assert_eq!(sandbox.all_rows(), before, "nothing was written");
    // Messages are wrapped where the line ends.
    output.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_dry_run_tells_what_its_application_does() {
    let sandbox = Sandbox::with("sample");
    sandbox.import(["codex"]);
    let told = dry(&sandbox, &[]);
    assert_eq!(dry(&sandbox, &[])["fingerprint"], told["fingerprint"], "the same of the same");
    let output = sandbox.hyp(["backfill", "--apply", &fingerprint(&told), "--json"]);
    assert_eq!(output.status, Some(0), "{output}");
    let done = output.json();
    for (told, done) in
        told["providers"].as_array().unwrap().iter().zip(done["providers"].as_array().unwrap())
    {
        assert_eq!(told["diff"], done["diff"]);
        let (diff, rows) = (&done["diff"], done["rows_by_reason"].as_object().unwrap());
        let sum = |counts: &Value| {
            counts.as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum::<u64>()
        };
        let counted = diff["insert"].as_u64().unwrap()
            + diff["same"].as_u64().unwrap()
            + sum(&diff["changed"])
            + sum(&diff["skipped"]);
        assert_eq!(counted, rows.values().map(|it| it.as_u64().unwrap()).sum::<u64>());
    }
    assert!(total(&done, "rows_written") > 0);
}

#[test]
fn the_window_and_the_providers_of_the_dry_run_hold() {
    let sandbox = Sandbox::with("sample");
    let told = dry(&sandbox, &["claude", "--until", "2000-01-01"]);
    let done = sandbox.hyp(["backfill", "--apply", &fingerprint(&told), "--json"]).json();
    let providers = done["providers"].as_array().unwrap();
    assert_eq!(providers.len(), 1);
    assert_eq!(providers[0]["diff"], told["providers"][0]["diff"]);
    assert_eq!(total(&done, "rows_written"), 0);
    let both = sandbox.hyp(["backfill", "--apply", "fp-1", "--since", "2026-01-01"]);
    assert_eq!(both.status, Some(2), "{both}");
}

#[test]
fn a_dry_run_says_for_people_how_it_is_done() {
    let sandbox = Sandbox::with("claude-one-turn");
    let output = sandbox.hyp(["backfill", "--dry-run"]);
    let fingerprint = output.stdout.lines().find_map(|line| line.strip_prefix("  fingerprint="));
    let fingerprint = fingerprint.unwrap_or_else(|| panic!("{output}"));
    assert!(output.stdout.contains("    diff: insert=2  same=0\n"), "{output}");
    assert!(output.stderr.contains(&format!("hyp backfill --apply {fingerprint}")), "{output}");
}

#[test]
fn what_moved_since_the_dry_run_is_told_and_nothing_is_written() {
    let sandbox = Sandbox::with("claude-one-turn");
    let told = fingerprint(&dry(&sandbox, &[]));
    assert!(refused(&sandbox, "fp-none").contains("hyp::backfill::no_dry_run"));

    sandbox.add("codex-one-turn", |_| true);
    assert!(refused(&sandbox, &told).contains("codex: it has history here by now"));

    let told = fingerprint(&dry(&sandbox, &[]));
    sandbox.write(".claude/projects/-w/more.jsonl", b"{\"type\":\"mode\"}\n");
    assert!(refused(&sandbox, &told).contains("claude: its files changed, from 1"));

    let told = fingerprint(&dry(&sandbox, &[]));
    let run = sandbox.import(["codex"])["run_id"].as_str().unwrap().to_owned();
    let said = refused(&sandbox, &told);
    assert!(said.contains("the store: run") && said.contains(&run[..8]), "{said}");

    let told = fingerprint(&dry(&sandbox, &[]));
    std::fs::write(sandbox.store().join("config.toml"), "version = 1\n[privacy]\nredact = true\n")
        .unwrap();
    assert!(refused(&sandbox, &told).contains("the rules for secrets changed"));
}

#[test]
fn a_run_that_crashed_is_gone_on_with_and_ends_like_one_that_did_not() {
    let whole = Sandbox::with("sample");
    whole.import(["claude", "codex"]);
    let mut sandbox = Sandbox::with("sample");
    // The first provider is committed, the second is not.
    sandbox.set("HYP_FAILPOINT", "before_data_files:abort:2");
    sandbox.set("DEV_RUN_ID", "bf-broken");
    let crashed = sandbox.hyp(["backfill", "claude", "codex"]);
    assert_ne!(crashed.status, Some(0), "{crashed}");
    sandbox.set("HYP_FAILPOINT", "none");
    sandbox.set("DEV_RUN_ID", "bf-next");
    assert!(sandbox.all_rows().len() < whole.all_rows().len());

    let output = sandbox.hyp(["runs", "resume", "bf-bro", "--json"]);
    assert_eq!(output.status, Some(0), "{output}");
    let resumed = output.json();
    assert_eq!(resumed["resumes"], "bf-broken");
    let names: Vec<_> = resumed["providers"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 2);
    assert_eq!(names[0]["files_seen"], names[0]["files_unchanged"], "was read already");
    assert_eq!(sandbox.all_rows(), whole.all_rows());

    for (run, status, words) in [
        ("bf-next", 3, "it came to its end"),
        ("bf-none", 1, "no run `bf-none`"),
        ("bf-", 1, "begins more than one run"),
    ] {
        let output = sandbox.hyp(["runs", "resume", run]);
        assert_eq!(output.status, Some(status), "{output}");
        let said = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "{output}");
    }
}

#[test]
fn what_is_no_import_is_not_gone_on_with() {
    let sandbox = Sandbox::with("claude-one-turn");
    let dry = dry(&sandbox, &[]);
    let run = sandbox.import([]);
    let undone =
        sandbox.hyp(["runs", "undo", run["run_id"].as_str().unwrap(), "--commit", "--json"]).json();
    for (run, words) in [(&dry, "it was a dry run"), (&undone, "it is no import")] {
        let output = sandbox.hyp(["runs", "resume", run["run_id"].as_str().unwrap()]);
        assert_eq!(output.status, Some(3), "{output}");
        let said = output.stderr.replace('\n', " ");
        assert!(said.contains("hyp::runs::not_resumable"), "{output}");
        assert!(said.split_whitespace().collect::<Vec<_>>().join(" ").contains(words), "{output}");
    }
}
