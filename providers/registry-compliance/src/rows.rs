//! From tests to rows.

use hyp_sdk::materializer::{Derived, Row};
use hyp_sdk::{Cells, Datum, Fault, Item};

use crate::datasets::TRIGGERS;

/// Refuses a test that does not say how it went, or says something else than it may, whosever it was.
pub(crate) fn check(item: &Item) -> Result<(), Fault> {
    if matches!(item.kind.as_str(), "registry.compliance_run" | "registry.compliance_status") {
        return Ok(());
    }
    if item.flag("passed").is_none() {
        return Err(Fault::source("`passed` has to be true or false"));
    }
    for column in ["is_owner", "opted_out"] {
        if !matches!(item.get(column), Datum::Null | Datum::Boolean(_)) {
            return Err(Fault::source(format!("`{column}` has to be true or false")));
        }
    }
    match item.get("triggered_by") {
        Datum::Null => Ok(()),
        Datum::Text(word) if TRIGGERS.contains(&word.as_str()) => Ok(()),
        _ => Err(Fault::source(format!("`triggered_by` is one of {}", TRIGGERS.join(", ")))),
    }
}

/// Says which rows an item is.
pub(crate) fn of(item: &Item, out: &mut Derived) {
    match item.kind.as_str() {
        "registry.owner_test" => canonical(item, "owner_test", out),
        "registry.test_run" if item.flag("opted_out") == Some(true) => out.counts_as("opted_out"),
        "registry.test_run" if item.flag("is_owner") == Some(true) => {
            canonical(item, item.text("triggered_by").unwrap_or("owner_test"), out);
        }
        "registry.test_run" => out.append(history(item)),
        "registry.compliance_run" => out.append(as_it_is("agent_compliance_runs", item)),
        _ => out.upsert(as_it_is("agent_compliance_status", item)),
    }
}

/// A run, and the status that it leaves its agent with.
fn canonical(item: &Item, triggered_by: &str, out: &mut Derived) {
    let passed = item.flag("passed") == Some(true);
    let status = if passed { "passing" } else { "failing" };
    let cell = |name: &str| item.get(name).clone();
    let or = |name: &str, other: Datum| match item.get(name) {
        Datum::Null => other,
        value => value.clone(),
    };
    let run = Cells::new()
        .with("id", cell("id"))
        .with("agent_url", cell("agent_url"))
        .with("lifecycle_stage", or("lifecycle_stage", "production".into()))
        .with("overall_status", status)
        .with("headline", cell("summary"))
        .with("total_duration_ms", cell("duration_ms"))
        .with("tested_at", cell("tested_at"))
        .with("tracks_json", or("tracks", Datum::Json("[]".to_owned())))
        .with("tracks_passed", or("steps_passed", 0_i64.into()))
        .with("tracks_failed", or("steps_failed", 0_i64.into()))
        .with("tracks_skipped", 0_i64)
        .with("tracks_partial", 0_i64)
        .with("agent_profile_json", cell("agent_profile"))
        .with("triggered_by", triggered_by)
        .with("triggered_org_id", cell("organization"))
        .with("triggered_user_id", cell("user"))
        .with("dry_run", false)
        .with("source_dry_run", cell("source_dry_run"))
        .with("original_scenario", cell("scenario"));
    out.append(Row::new("agent_compliance_runs", run));
    let at = |is_it: bool| if is_it { cell("tested_at") } else { Datum::Null };
    let verdict = Cells::new()
        .with("agent_url", cell("agent_url"))
        .with("status", status)
        .with("last_checked_at", cell("tested_at"))
        .with("last_passed_at", at(passed))
        .with("last_failed_at", at(!passed))
        .with("headline", cell("summary"))
        .with("status_changed_at", cell("tested_at"))
        .with("last_triggered_by", triggered_by);
    out.upsert(Row::new("agent_compliance_status", verdict));
}

fn history(item: &Item) -> Row {
    let columns = [
        "id",
        "agent_url",
        "organization",
        "user",
        "scenario",
        "passed",
        "steps_passed",
        "steps_failed",
        "duration_ms",
        "summary",
        "tested_at",
    ];
    let cells =
        columns.iter().fold(Cells::new(), |cells, name| cells.with(name, item.get(name).clone()));
    Row::new("agent_test_history", cells)
}

fn as_it_is(dataset: &str, item: &Item) -> Row {
    Row { dataset: dataset.to_owned(), cells: item.cells.clone() }
}
