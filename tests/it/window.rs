//! The window: what is in it is written, what a window leaves out can come later.

use crate::sandbox::{Sandbox, assert_same_rows, total};

#[test]
fn words_that_make_no_sense_exit_2_with_one_line() {
    let sandbox = Sandbox::with("claude-one-turn");
    #[rustfmt::skip]
    let cases: &[(&[&str], &str)] = &[
        (&["--since", "soon"], "hyp backfill: --since expects a parseable date (got soon)\n"),
        (&["--until", "2026-02-30"],
            "hyp backfill: --until expects a parseable date (got 2026-02-30)\n"),
        (&["--since", "2026-02-01", "--until", "2026-01-01"],
            "hyp backfill: --since must be before or equal to --until (got 2026-02-01 > 2026-01-01)\n"),
        (&["--retention-days", "-3"],
            "hyp backfill: --retention-days expects a number >= 0 (got -3)\n"),
        (&["--retention-days", "x"],
            "hyp backfill: --retention-days expects a number (got x)\n"),
        (&["claude", "codex", "--max-changes", "5"],
            "hyp backfill: --max-changes is for providers that fill datasets (got claude, codex)\n"),
        (&["claude", "--commit"],
            "hyp backfill: --commit is for providers that fill datasets (got claude)\n"),
        (&["claude", "--set", "mode=reconcile"],
            "hyp backfill: --set mode is for providers that fill datasets (got claude)\n"),
    ];
    for (args, expected) in cases {
        let output = sandbox.hyp(["backfill"].iter().chain(*args).copied());
        assert_eq!(output.status, Some(2), "{output}");
        assert_eq!(output.stderr, *expected);
        assert!(output.stdout.is_empty());
    }
    assert!(!sandbox.store().exists(), "nothing was written");
}

#[test]
fn unknown_flags_and_commands_exit_2() {
    let sandbox = Sandbox::new();
    for args in [
        &["backfill", "--nosuch"][..],
        &["backfill", "plan", "--since", "2026-01-01"],
        &["backfill", "list", "claude"],
        &["nosuch"],
        &["--nosuch"],
    ] {
        let output = sandbox.hyp(args.iter().copied());
        assert_eq!(output.status, Some(2), "{args:?}\n{output}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn only_rows_inside_the_window_are_written() {
    let sandbox = Sandbox::with("sample");
    let report = sandbox.import(["--since", "2026-10-03", "--until", "2026-10-31"]);
    assert!(total(&report, "rows_written") > 0);
    let times = sandbox.rows(
        "select min(message_created_at) >= timestamp '2026-10-03T00:00:00Z',
                max(message_created_at) < timestamp '2026-11-01T00:00:00Z'
         from ai_gateway_messages",
    );
    assert_eq!(times, ["true,true"]);
}

#[test]
fn windows_that_meet_give_the_rows_of_one_run() {
    let parts = Sandbox::with("sample");
    parts.import(["--since", "2026-09-01", "--until", "2026-09-14T08:12:30Z"]);
    parts.import(["--until", "2026-08-31"]);
    parts.import(["--since", "2026-10-01"]);
    parts.import([]);
    let whole = Sandbox::with("sample");
    whole.import([]);
    assert_same_rows(&parts.all_rows(), &whole.all_rows(), "four windows and one run");
}

#[test]
fn retention_of_zero_days_is_no_limit_and_since_goes_before_it() {
    let sandbox = Sandbox::with("sample");
    let narrow = sandbox.import(["--retention-days", "0.000001"]);
    assert_eq!(total(&narrow, "rows_written"), 0, "{narrow:#}");
    let since = sandbox.import(["--retention-days", "0.000001", "--since", "2026-11-01"]);
    assert!(total(&since, "rows_written") > 0, "{since:#}");
    let all = sandbox.import(["--retention-days", "0"]);
    assert!(total(&all, "rows_written") > 0, "{all:#}");
}
