//! Two imports a day for a year: few files, and queries as fast as on a store that was imported at once.

use std::fs::{self, File};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};

use crate::hyp::{Hyp, say};

/// Files of the store at any time, compiled components left out.
const FILES: usize = 60;

/// Days after which the client deletes a session.
const CLIENT_KEEPS: i64 = 30;

/// Runs of a query, of which the fastest counts.
const ATTEMPTS: usize = 9;

const QUESTION: &str =
    "select date, count(*), sum(output_tokens) from messages group by date order by date";

pub(crate) fn check() -> Result<()> {
    let (daily, once) = (Hyp::new()?, Hyp::new()?);
    let mut most = 0;
    let (mut imports, mut upkeep) = (Duration::ZERO, 0.0);
    for number in 0..730 {
        write(&daily, number)?;
        write(&once, number)?;
        if let Some(old) = (number >= CLIENT_KEEPS * 2).then(|| number - CLIENT_KEEPS * 2) {
            let path = path(&daily, old);
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
        let started = Instant::now();
        let report = daily.run(&format!("bf-{number:03}"), &["backfill", "--json"])?;
        imports += started.elapsed();
        let report: serde_json::Value = serde_json::from_str(&report)?;
        ensure!(report["providers"][0]["rows_written"] == 2, "{report:#}");
        upkeep += report["upkeep"]["seconds"].as_f64().unwrap_or_default();
        most = most.max(daily.store_files()?);
    }
    once.import("bf-once", &[])?;
    let count =
        daily.query("select count(*) as n, count(distinct part_id) as ids from messages")?;
    ensure!(count[0]["n"] == 1460 && count[0]["ids"] == 1460, "{count:?}");
    ensure!(daily.query(QUESTION)? == once.query(QUESTION)?, "both stores say the same");
    daily.run("verify", &["cache", "verify"])?;

    let (mut slow, mut fast) = (Duration::MAX, Duration::MAX);
    for _ in 0..ATTEMPTS {
        slow = slow.min(time(&daily)?);
        fast = fast.min(time(&once)?);
    }
    say(&format!(
        "  730 imports in {:.1} s, {upkeep:.1} s of it upkeep; at most {most} files; query {} ms, at once {} ms",
        imports.as_secs_f64(),
        slow.as_millis(),
        fast.as_millis()
    ));
    ensure!(most <= FILES, "{most} files");
    ensure!(slow.as_secs_f64() <= 1.2 * fast.as_secs_f64() + 0.01, "{slow:?} instead of {fast:?}");
    Ok(())
}

fn time(hyp: &Hyp) -> Result<Duration> {
    let started = Instant::now();
    hyp.query(QUESTION)?;
    Ok(started.elapsed())
}

fn path(hyp: &Hyp, number: i64) -> std::path::PathBuf {
    hyp.home().join(format!(".claude/projects/-home-ada-weather/{}.jsonl", id(1, number)))
}

fn id(kind: u32, number: i64) -> String {
    format!("{number:08x}-0000-4000-8000-{kind:012x}")
}

/// Writes the session of half a day: a question and its answer.
fn write(hyp: &Hyp, number: i64) -> Result<()> {
    let day = number / 2;
    let (month, day_of_month) = (day / 28 + 1, day % 28 + 1);
    // Thirteen months of four weeks each: no calendar is needed, and a month more than a year has.
    let (year, month) = if month > 12 { (2026, month - 12) } else { (2025, month) };
    let at = format!(
        "{year}-{month:02}-{day_of_month:02}T{:02}:00",
        if number % 2 == 0 { 9 } else { 18 }
    );
    let session = id(1, number);
    let (question, answer) = (id(2, number), id(3, number));
    let common = format!(
        r#""cwd":"/home/ada/weather","sessionId":"{session}","version":"2.1.329","userType":"external""#
    );
    let lines = format!(
        r#"{{"parentUuid":null,"isSidechain":false,"type":"user","message":{{"role":"user","content":"Question {number}?"}},"uuid":"{question}","timestamp":"{at}:00.000Z",{common}}}
{{"parentUuid":"{question}","isSidechain":false,"type":"assistant","message":{{"model":"claude-opus-5-5","id":"msg_{number:020}","type":"message","role":"assistant","content":[{{"type":"text","text":"Answer {number}."}}],"stop_reason":"end_turn","usage":{{"input_tokens":12,"output_tokens":9}}}},"requestId":"req_{number:020}","uuid":"{answer}","timestamp":"{at}:05.000Z",{common}}}
"#
    );
    let path = path(hyp, number);
    fs::create_dir_all(path.parent().context("a file has a folder")?)?;
    fs::write(&path, lines)?;
    // Long past, so that its time tells whether it changed.
    #[expect(clippy::disallowed_methods, reason = "times of change are told from the clock")]
    let past = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(&path)?.set_modified(past)?;
    Ok(())
}
