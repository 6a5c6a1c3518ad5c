//! Ends that nobody asked for: the next run goes on, and the rows are those of a run that ended well.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use hyp_cache::failpoint;

use crate::sandbox::{Sandbox, assert_same_rows};

fn expected() -> Vec<String> {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    sandbox.all_rows()
}

#[test]
fn a_run_that_died_at_any_point_is_made_good_by_the_next() {
    let expected = expected();
    for name in failpoint::NAMES {
        let name = *name;
        let mut sandbox = Sandbox::with("sample");
        let variable = format!("{name}:abort");
        sandbox.set("HYP_FAILPOINT", &variable);
        let died = sandbox.hyp(["backfill"]);
        // A single small import has nothing to compact and nothing to sweep; nothing of it expires or is erased.
        let may_pass =
            ["before_compaction", "before_expiry", "in_sweep", "before_erasing", "after_sweep"];
        let may_pass = may_pass.contains(&name);
        assert!(died.status != Some(0) || may_pass, "{name} is never reached: {died}");
        sandbox.set("HYP_FAILPOINT", "");
        if sandbox.store().join("catalog.db").exists() {
            assert_eq!(sandbox.hyp(["query", "sql", "select 1"]).status, Some(0), "{name}");
        }
        sandbox.import([]);
        assert_same_rows(&sandbox.all_rows(), &expected, name);
    }
}

#[test]
fn a_run_that_is_killed_at_any_time_is_made_good_by_the_next() {
    let expected = expected();
    let warm = Sandbox::with("sample");
    let started = Instant::now();
    warm.import([]);
    let whole = started.elapsed();

    // Twelve moments spread over the run, each off the grid by a bit of its own.
    let sandbox = Sandbox::with("sample");
    for step in 0..12_u32 {
        let jitter = f64::from(step * 7 % 5) / 60.0;
        let at = whole.mul_f64((f64::from(step) / 12.0 + jitter).min(1.0));
        let mut child = sandbox.start(["backfill"]);
        thread::sleep(at.max(Duration::from_millis(1)));
        // It may be done already, which is as good.
        let _ = child.kill();
        child.wait().unwrap();
    }
    sandbox.import([]);
    assert_same_rows(&sandbox.all_rows(), &expected, "after twelve kills");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_run_with_130_or_after_its_end() {
    let sandbox = Sandbox::with("sample");
    let mut child = sandbox.start(["backfill"]);
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    let status = child.wait().unwrap();
    if sent.is_ok_and(|sent| sent.success()) {
        // Killed before the handler stood, interrupted, or done by then.
        assert!(matches!(status.code(), None | Some(0 | 130)), "{status}");
    }
    sandbox.import([]);
    assert_same_rows(&sandbox.all_rows(), &expected(), "after an interrupt");
}

#[test]
fn two_runs_at_once_give_the_rows_of_one() {
    let sandbox = Sandbox::with("sample");
    let mut first = sandbox.start(["backfill", "--wait", "60"]);
    let second = sandbox.hyp(["backfill", "--wait", "60"]);
    assert!(first.wait().unwrap().success());
    assert_eq!(second.status, Some(0), "{second}");
    assert_same_rows(&sandbox.all_rows(), &expected(), "two at once");
}
