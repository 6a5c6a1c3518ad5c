//! One fixture of each client: rows and trace of a first run, and a second that writes nothing.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::hyp::Hyp;

/// A transcript of one question and one answer by Claude Code.
pub(crate) fn claude() -> Result<()> {
    check(&Expected {
        provider: "claude",
        fixture: "claude-one-turn",
        vendor: "anthropic",
        texts: &["How many sensors are there?", "There are three sensors."],
    })
}

/// A rollout of one question and one answer by Codex.
pub(crate) fn codex() -> Result<()> {
    check(&Expected {
        provider: "codex",
        fixture: "codex-one-turn",
        vendor: "openai",
        texts: &["How many harbours are there?", "There are nine harbours."],
    })
}

struct Expected {
    provider: &'static str,
    fixture: &'static str,
    vendor: &'static str,
    texts: &'static [&'static str],
}

fn check(expected: &Expected) -> Result<()> {
    let hyp = Hyp::new()?;
    hyp.add(expected.fixture, |_| true)?;

    let args = [expected.provider, "--since", "2000-01-01"];
    let first = hyp.import("smoke-first", &args)?;
    ensure!(first["status"] == "ok", "{first:#}");
    ensure!(first["sessions_seen"] == 1, "{first:#}");
    ensure!(first["rows_written"].as_u64() >= Some(2), "{first:#}");

    let sql = format!(
        "select part_id, content_text, provider, client_name, conversation_source, run_id \
         from ai_gateway_messages where client_name = '{}' order by message_index, part_index",
        expected.provider
    );
    let rows = hyp.query(&sql)?;
    ensure!(first["rows_written"] == rows.len(), "{first:#}\n{rows:#?}");
    let texts: Vec<_> = rows.iter().filter_map(|row| row["content_text"].as_str()).collect();
    for text in expected.texts {
        ensure!(texts.contains(text), "`{text}` is missing: {texts:?}");
    }
    for row in &rows {
        ensure!(row["provider"] == expected.vendor, "{row:#}");
        ensure!(row["conversation_source"] == expected.provider, "{row:#}");
        ensure!(row["run_id"] == "smoke-first", "{row:#}");
    }
    trace(&fs::read_to_string(hyp.trace())?, "smoke-first")?;

    let second = hyp.import("smoke-second", &args)?;
    ensure!(second["rows_written"] == 0, "{second:#}");
    ensure!(hyp.query(&sql)? == rows, "a second run changes nothing");
    Ok(())
}

/// Fails unless the trace has the spans of a run, each with the run's id.
fn trace(text: &str, run_id: &str) -> Result<()> {
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).context("a line of the trace is JSON")?;
        let span = &line["span"];
        if span["dev_run_id"] == run_id
            && let Some(name) = span["name"].as_str()
        {
            seen.insert(name.to_owned());
        }
    }
    for name in ["backfill.start", "backfill.provider_start", "backfill.finish"] {
        ensure!(seen.contains(name), "no span `{name}` of the run in the trace: {seen:?}");
    }
    Ok(())
}
