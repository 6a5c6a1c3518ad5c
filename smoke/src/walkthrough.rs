//! The first minutes: from the picker to a query, with the history of both clients.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::hyp::Hyp;

const RUN: &str = "smoke-walkthrough";

/// `hyp init` imports both clients in the order in which they were picked, and leaves a trace of it.
pub(crate) fn check() -> Result<()> {
    let hyp = Hyp::new()?;
    hyp.add("claude-one-turn", |_| true)?;
    hyp.add("codex-one-turn", |_| true)?;

    let args =
        ["init", "--yes", "--json", "--no-daemon", "--client", "codex", "--client", "claude"];
    let (stdout, _) = hyp.output(RUN, &args)?;
    let summary: Value = serde_json::from_str(&stdout)?;
    let imported = summary["backfill"].as_array().context("the summary has the imports")?;
    let names: Vec<_> = imported.iter().filter_map(|it| it["provider"].as_str()).collect();
    ensure!(names == ["codex", "claude"], "as picked: {summary:#}");
    let mut written = 0;
    for provider in imported {
        ensure!(provider["ok"] == true && provider["dry_run"] == false, "{provider:#}");
        let rows = provider["rows_written"].as_u64().unwrap_or(0);
        ensure!(rows >= 2 && provider["scanned"] == 1, "{provider:#}");
        written += rows;
    }
    let settings = fs::read_to_string(hyp.store().join("config.toml"))?;
    ensure!(settings.contains(r#"clients = ["codex", "claude"]"#), "{settings}");

    let rows = hyp.query(
        "select client_name, count(*) as n, count(distinct run_id) as runs, min(run_id) as run \
         from ai_gateway_messages group by 1 order by 1",
    )?;
    let clients: Vec<_> = rows.iter().filter_map(|row| row["client_name"].as_str()).collect();
    ensure!(clients == ["claude", "codex"], "{rows:#?}");
    ensure!(rows.iter().all(|row| row["run"] == RUN && row["runs"] == 1), "{rows:#?}");
    let stored: u64 = rows.iter().filter_map(|row| row["n"].as_u64()).sum();
    ensure!(stored == written, "{stored} rows, {written} told");

    trace(&fs::read_to_string(hyp.trace())?, written)?;

    let again: Value = serde_json::from_str(&hyp.run("smoke-again", &["backfill", "--json"])?)?;
    let providers = again["providers"].as_array().context("a report has providers")?;
    ensure!(providers.iter().all(|it| it["rows_written"] == 0), "{again:#}");
    Ok(())
}

/// Fails unless the trace has the walkthrough with its consent and counts, and the import inside it.
fn trace(text: &str, written: u64) -> Result<()> {
    let mut ended = None;
    let mut inside = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).context("a line of the trace is JSON")?;
        let span = line["span"].clone();
        if span["dev_run_id"] != RUN {
            continue;
        }
        match span["name"].as_str() {
            Some("walkthrough.backfill") if line["fields"]["message"] == "close" => {
                ended = Some(span);
            }
            Some(name) if ended.is_none() => inside.push(name.to_owned()),
            _ => {}
        }
    }
    let span = ended.with_context(|| format!("no `walkthrough.backfill` ends in:\n{text}"))?;
    for name in ["backfill.start", "backfill.provider_start", "backfill.finish"] {
        ensure!(inside.iter().any(|it| it == name), "no `{name}` before its end: {inside:?}");
    }
    let expected = [
        ("provider_count", Value::from(2)),
        ("providers", "codex,claude".into()),
        ("dry_run", false.into()),
        ("interactive", false.into()),
        ("consent", true.into()),
        ("consent_cancelled", false.into()),
        ("providers_run", 2.into()),
        ("rows_written", written.into()),
        ("exit_code", 0.into()),
        ("status", "ok".into()),
    ];
    for (name, value) in expected {
        ensure!(span[name] == value, "{name} is {}, not {value}", span[name]);
    }
    ensure!(span["until"].is_number(), "{span:#}");
    Ok(())
}
