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

/// Kills of one store before its import is let to its end.
const KILLS: u32 = 3;

/// Runs of one import, of which all but the last are killed, over a small history; or as many as `HYP_KILLS` says over one
/// of 20 MB.
#[test]
fn a_run_that_is_killed_at_any_time_is_made_good_by_the_next() {
    let asked = std::env::var("HYP_KILLS")
        .ok()
        .map(|kills| kills.parse::<u32>().expect("HYP_KILLS is a number"));
    let new = || {
        let sandbox = Sandbox::with("sample");
        if asked.is_some() {
            sandbox.write(".claude/projects/-home-ada-long/long.jsonl", long_session().as_bytes());
        }
        sandbox
    };
    let warm = new();
    let started = Instant::now();
    warm.import([]);
    let whole = started.elapsed();
    let expected = (warm.all_rows(), outline(&warm));

    let kills = asked.unwrap_or(12);
    let (mut sandbox, mut died, mut died_here, mut tries) = (new(), 0, 0, 0_u32);
    while died < kills {
        tries += 1;
        assert!(tries <= 4 * kills, "{died} of {tries} runs died: most were done by then");
        // Moments spread over the run: steps of the golden ratio come to none of them twice.
        let at = whole.mul_f64((f64::from(tries) * 0.618_034).fract());
        let mut child = sandbox.start(["backfill"]);
        thread::sleep(at.max(Duration::from_millis(1)));
        let _ = child.kill();
        let is_dead = child.wait().unwrap().code().is_none();
        died += u32::from(is_dead);
        died_here += u32::from(is_dead);
        // A store in which a run came to its end has little left to be killed at.
        if !is_dead || died_here == KILLS || died == kills {
            sandbox.import([]);
            assert_same_rows(&sandbox.all_rows(), &expected.0, &format!("after {died} kills"));
            assert_eq!(outline(&sandbox), expected.1, "after {died} kills");
            let left = sandbox.hyp(["cache", "gc", "--dry-run", "--json"]).json();
            assert_eq!(left["files"], 0, "rubbish after {died} kills: {left}");
            let verified = sandbox.hyp(["cache", "verify"]);
            assert_eq!(verified.status, Some(0), "after {died} kills: {verified}");
            (sandbox, died_here) = (new(), 0);
        }
    }
}

/// Returns what has to be the same beside the rows: inputs, each once, and that no run goes on.
fn outline(sandbox: &Sandbox) -> Vec<String> {
    let mut outline =
        sandbox.rows("select regexp_replace(path, '.*/', ''), status from inputs order by 1");
    outline.extend(sandbox.rows("select 'runs ' || count(*) from runs where status = 'running'"));
    outline
}

/// A session of 20 MB.
fn long_session() -> String {
    use std::fmt::Write;
    let mut lines = String::new();
    let words = "wind from the north-west, gusts, and rain over the estuary ".repeat(32);
    for turn in 0..5_000_u32 {
        let (prompt, answer) = (2 * turn, 2 * turn + 1);
        let at = |line: u32| {
            format!(
                "2026-03-01T{:02}:{:02}:{:02}.{:03}Z",
                line / 3600 % 24,
                line / 60 % 60,
                line % 60,
                line % 1000
            )
        };
        let id = |line: u32| format!("{line:08x}-0000-4000-8000-000000000000");
        let common = "\"sessionId\":\"10000000-0000-4000-8000-000000000000\",\"version\":\"2.1.300\",\"cwd\":\"/home/ada/long\"";
        let before =
            if prompt == 0 { "null".to_owned() } else { format!("\"{}\"", id(prompt - 1)) };
        let _ = writeln!(
            lines,
            "{{\"type\":\"user\",\"uuid\":\"{}\",\"parentUuid\":{before},{common},\"timestamp\":\"{}\",\
             \"message\":{{\"role\":\"user\",\"content\":\"{turn}: {words}\"}}}}",
            id(prompt),
            at(prompt)
        );
        let _ = writeln!(
            lines,
            "{{\"type\":\"assistant\",\"uuid\":\"{}\",\"parentUuid\":\"{}\",{common},\"timestamp\":\"{}\",\
             \"requestId\":\"req_{turn:06}\",\"message\":{{\"id\":\"msg_{turn:06}\",\"role\":\"assistant\",\"model\":\"m\",\
             \"stop_reason\":\"end_turn\",\"content\":[{{\"type\":\"text\",\"text\":\"{turn}: {words}\"}}],\
             \"usage\":{{\"input_tokens\":3,\"output_tokens\":{turn}}}}}}}",
            id(answer),
            id(prompt),
            at(answer)
        );
    }
    lines
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
