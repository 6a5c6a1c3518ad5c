//! `config.toml`: what it settles, and how it is refused.

use crate::sandbox::Sandbox;

fn with(config: &str) -> Sandbox {
    let sandbox = Sandbox::with("sample");
    std::fs::create_dir(sandbox.store()).unwrap();
    std::fs::write(sandbox.store().join("config.toml"), config).unwrap();
    sandbox
}

#[test]
fn settings_that_name_nothing_but_unknown_clients_end_a_run_with_1() {
    let output = with("version = 1\n[import]\nclients = [\"claud\"]\n").hyp(["backfill"]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stderr.contains("skipped `claud`"), "{output}");
}

#[test]
fn a_run_without_names_imports_the_clients_that_were_settled() {
    let sandbox = with("version = 1\n[import]\nclients = [\"codex\", \"gone\"]\n");
    let output = sandbox.hyp(["backfill"]);
    assert_eq!(output.status, Some(0), "{output}");
    insta::assert_snapshot!(
        output.stderr,
        @"skipped `gone`, which config.toml names: no provider reads it"
    );
    let clients = "select distinct client_name from ai_gateway_messages order by 1";
    assert_eq!(sandbox.rows(clients), ["codex"]);

    let plan = sandbox.hyp(["backfill", "plan"]);
    assert!(plan.stdout.contains("codex") && !plan.stdout.contains("claude"), "{plan}");
    sandbox.import(["claude"]);
    assert_eq!(sandbox.rows(clients), ["claude", "codex"], "a name goes before the file");

    let doctor = sandbox.hyp(["doctor"]);
    assert_eq!(doctor.status, Some(1), "{doctor}");
    let told = "config.toml names gone, which no provider reads";
    assert!(doctor.stdout.replace("\n                    ", " ").contains(told), "{doctor}");
}

#[test]
fn a_window_that_was_settled_holds_until_a_flag_says_otherwise() {
    let sandbox = with("[import]\nsince = 2026-11-01\n");
    sandbox.import([]);
    let days = "select count(*) from ai_gateway_messages where date < '2026-11-01'";
    assert_eq!(sandbox.rows(days), ["0"]);
    sandbox.import(["--retention-days", "0"]);
    assert_ne!(sandbox.rows(days), ["0"]);
}

#[test]
fn a_file_that_is_wrong_is_refused_by_line_and_column_before_anything_is_done() {
    let sandbox = with("version = 1\n\n[import]\nclint = [\"claude\"]\n");
    insta::assert_snapshot!(sandbox.hyp(["backfill"]), @r"
    exit: 2
    -- stderr
    error: [HYP_HOME]/config.toml:4:1: unknown key `clint`, expected `clients` or `since`
      code: hyp::config::wrong
      help: mend that line, or move `[HYP_HOME]/config.toml` away and run `hyp init`
    ");
    let sandbox = with("version = 2\n");
    insta::assert_snapshot!(sandbox.hyp(["backfill"]), @r"
    exit: 2
    -- stderr
    error: [HYP_HOME]/config.toml:1:11: version 2 is newer than this hyp, which knows up to 1
      code: hyp::config::newer
      help: upgrade hyp, or name another store with --store DIR
    ");
    assert!(!sandbox.store().join("catalog.db").exists(), "nothing was begun");
}
