//! Tests of `backfill`.

use clap::Parser;

use super::*;
use crate::config::{Import, Moment};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: BackfillArgs,
}

fn meant(line: &str) -> Result<Request, Failure> {
    let words = std::iter::once("backfill").chain(line.split_whitespace());
    request(Line::try_parse_from(words).unwrap().args, Import::default(), &TimeZone::UTC)
}

#[test]
fn words_that_make_no_sense_are_told_in_one_line() {
    #[rustfmt::skip]
    let cases = [
        ("--since soon",             "--since expects a parseable date (got soon)"),
        ("--until 2026-13-01",       "--until expects a parseable date (got 2026-13-01)"),
        ("--since 2026-02-01 --until 2026-01-31",
            "--since must be before or equal to --until (got 2026-02-01 > 2026-01-31)"),
        ("--retention-days -3",      "--retention-days expects a number >= 0 (got -3)"),
        ("--retention-days many",    "--retention-days expects a number (got many)"),
        ("--retention-days NaN",     "--retention-days expects a number (got NaN)"),
        ("--wait -1",                "--wait expects a number >= 0 (got -1)"),
    ];
    for (line, expected) in cases {
        match meant(line) {
            Err(Failure::Usage { message, .. }) => assert_eq!(message, expected, "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn a_window_of_one_moment_or_one_day_is_a_window() {
    let moment = "2026-01-31T10:00:00Z";
    assert!(meant(&format!("--since {moment} --until {moment}")).is_ok());
    let day = meant("--since 2026-01-31 --until 2026-01-31").unwrap();
    assert_eq!(day.until.unwrap() - day.since.unwrap(), 86_400_000_000 - 1);
}

#[test]
fn fractions_of_days_count() {
    assert_eq!(meant("--retention-days 0.5").unwrap().retention_days, Some(0.5));
}

#[test]
fn the_command_line_goes_before_what_was_settled() {
    let meant = |line: &str| {
        let words = std::iter::once("backfill").chain(line.split_whitespace());
        let settled = Import { clients: Some(vec!["codex".to_owned()]), since: Some(Moment(7)) };
        let args = Line::try_parse_from(words).unwrap().args;
        request(args, settled, &TimeZone::UTC).unwrap()
    };
    assert_eq!(meant("").since, Some(7));
    assert_eq!(meant("").enabled, Some(vec!["codex".to_owned()]));
    assert_eq!(meant("--since 1970-01-01T00:00:00.000009Z").since, Some(9));
    assert_eq!(meant("--retention-days 0").since, None);
    assert_eq!(meant("--retention-days 3").since, None);
}

#[test]
fn a_report_keeps_the_lines_that_scripts_read() {
    let report = Report {
        run_id: "bf-1".to_owned(),
        dry_run: true,
        interrupted: false,
        providers: vec![ProviderReport {
            provider: "claude".to_owned(),
            status: Status::Failed,
            items_seen: 2,
            sessions_seen: 1,
            rows_written: 3,
            rows_skipped: 4,
            files_seen: 2,
            bytes_read: 99,
            rows_by_reason: [("new".to_owned(), 3)].into(),
            error: Some("a\u{1b}b".to_owned()),
            warnings: vec!["a\u{1b}b".to_owned(), "slow".to_owned()],
            ..ProviderReport::default()
        }],
        ..Report::default()
    };
    insta::assert_snapshot!(show_report(&report), @r"
    backfill (dry-run) run_id=bf-1
      claude  [failed]
        items_seen=2  sessions=1  rows_written=3  rows_skipped=4
        files=2  unchanged=0  resumed=0  bytes_read=99
        rows: new=3
        warning: slow
        error: a\u{1b}b
        diff: insert=0  same=0
    ");
}
