//! A store of the first hyp: read as it is, upgraded by the first import, and brought back.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::hyp::Hyp;

/// What must be as it was, whatever reads the recordings now.
const ROWS: &str = "select part_id, session_id, conversation_id, message_created_at, role, part_type, content_text, \
    tool_args, input_tokens, output_tokens, is_replay, run_id from ai_gateway_messages order by part_id";

/// What is told beside the rows.
const SESSIONS: &str = "select thread_id, title, kind, started_at from sessions order by thread_id";

pub(crate) fn check() -> Result<()> {
    let hyp = Hyp::new()?;
    hyp.put_store("version-1")?;
    let catalog = hyp.store().join("catalog.db");
    let before = fs::read(&catalog)?;
    let (rows, sessions) = (hyp.query(ROWS)?, hyp.query(SESSIONS)?);
    ensure!(rows.len() == 49, "the store has {} rows", rows.len());
    ensure!(version(&hyp)? == 1, "reading changes no version");
    ensure!(fs::read(&catalog)? == before, "reading changes no byte of the catalog");

    // The clients have deleted their files in the meantime: what is stored is all there is.
    hyp.import("bf-upgrades", &[])?;
    ensure!(version(&hyp)? > 1, "the import brought the store up to date");
    ensure!(hyp.query(ROWS)? == rows, "an upgrade changes no row");
    ensure!(hyp.query(SESSIONS)? == sessions, "nor what is told of sessions");
    hyp.run("verify", &["cache", "verify"])?;

    // The same recordings again, as a client has them that deletes nothing.
    for home in ["sample", "claude-one-turn", "codex-one-turn"] {
        hyp.add(home, |_| true)?;
    }
    hyp.import("bf-again", &[])?;
    let ids = |rows: &[Value]| -> Vec<String> {
        rows.iter().map(|row| row["part_id"].to_string()).collect()
    };
    let again = hyp.query(ROWS)?;
    let kept = ids(&again);
    ensure!(ids(&rows).iter().all(|id| kept.contains(id)), "every row has its id still");
    ensure!(kept.windows(2).all(|pair| pair[0] != pair[1]), "no id is there twice");
    hyp.run("maintain", &["cache", "maintain"])
        .or_else(|_| hyp.output("maintain", &["cache", "maintain"]).map(|it| it.0))?;
    hyp.run("verify", &["cache", "verify"])?;

    hyp.output("rollback", &["cache", "rollback"])?;
    ensure!(version(&hyp)? == 1, "the store has its old version again");
    ensure!(hyp.query(ROWS)? == rows, "and its rows");
    hyp.run("verify", &["cache", "verify"])?;
    hyp.import("bf-forward", &[])?;
    ensure!(ids(&hyp.query(ROWS)?) == kept, "and may be upgraded again");
    Ok(())
}

fn version(hyp: &Hyp) -> Result<i64> {
    let status: Value = serde_json::from_str(&hyp.run("status", &["cache", "status", "--json"])?)?;
    Ok(status["version"].as_i64().unwrap_or_default())
}
