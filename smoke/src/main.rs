//! Smoke checks: the built `hyp` against fixtures, and other engines against its store.
//!
//! `cargo run --bin hyp-smoke -- [NAME…]` runs the named checks, or all of them. `HYP_BIN` names the
//! binary; without it, the one that lies beside this program is taken.

mod agents;
mod author;
mod fixture;
mod hyp;
mod interop;
mod left;
mod purge;
mod python;
mod registry;
mod socket;
mod upgrade;
mod walkthrough;
mod year;

use anyhow::{Result, bail};

/// One check.
type Check = fn() -> Result<()>;

const CHECKS: &[(&str, Check)] = &[
    ("backfill_claude_fixture", fixture::claude),
    ("backfill_codex_fixture", fixture::codex),
    ("walkthrough_backfill_client_history", walkthrough::check),
    ("a_provider_is_written", author::page),
    ("a_provider_in_python", author::gptme),
    ("interop_iceberg", interop::iceberg),
    ("backfills_of_a_registry_of_agents", agents::check),
    ("plugins_of_a_registry", registry::check),
    ("purge_leaves_nothing", purge::check),
    ("no_socket", socket::check),
    ("upgrade_keeps_everything", upgrade::check),
    ("a_year_of_imports", year::check),
];

fn main() -> Result<()> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = names.iter().find(|name| CHECKS.iter().all(|(known, _)| known != name)) {
        let known: Vec<_> = CHECKS.iter().map(|(name, _)| *name).collect();
        bail!("no check `{unknown}`; there are: {}", known.join(", "));
    }
    for (name, check) in CHECKS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            hyp::say(&format!("smoke {name} …"));
            check().map_err(|error| error.context(format!("smoke {name} failed")))?;
            hyp::say(&format!("smoke {name} ok"));
        }
    }
    Ok(())
}
