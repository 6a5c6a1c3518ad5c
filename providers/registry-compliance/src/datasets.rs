//! The datasets: runs, the status of each agent, and tests by others than owners.

use hyp_sdk::Cell;
use hyp_sdk::materializer::ColumnType::{Boolean, Integer, Json, Text, Timestamp};
use hyp_sdk::materializer::{ColumnRole, Cutover, Dataset, ValueSet};

/// Seconds by which what two writers say of one test may differ.
const TWINS: u32 = 120;

/// What may have triggered a run.
pub(crate) const TRIGGERS: [&str; 4] = ["heartbeat", "owner_test", "manual", "webhook"];

/// What may have come of a run.
const OUTCOMES: [&str; 3] = ["passing", "failing", "partial"];

/// What may hold of an agent.
const STATES: [&str; 4] = ["passing", "degraded", "failing", "unknown"];

/// Columns that hold nothing but words of a set.
pub(crate) fn value_sets() -> Vec<ValueSet> {
    let (runs, status) = ("agent_compliance_runs", "agent_compliance_status");
    vec![
        ValueSet::new(runs, "overall_status", &OUTCOMES),
        ValueSet::new(runs, "triggered_by", &TRIGGERS),
        ValueSet::new(status, "status", &STATES),
        ValueSet::new(status, "previous_status", &STATES),
        ValueSet::new(status, "last_triggered_by", &TRIGGERS),
    ]
}

/// Canonical runs. They are written as tests happen since the first run of an owner that was not imported.
pub(crate) fn runs() -> Dataset {
    Dataset::append_only("agent_compliance_runs", "id")
        .required("id", Text)
        .required("agent_url", Text)
        .column("lifecycle_stage", Text)
        .required("overall_status", Text)
        .column("headline", Text)
        .column("total_duration_ms", Integer)
        .required("tested_at", Timestamp)
        .column("tracks_json", Json)
        .column("tracks_passed", Integer)
        .column("tracks_failed", Integer)
        .column("tracks_skipped", Integer)
        .column("tracks_partial", Integer)
        .column("agent_profile_json", Json)
        .column("observations_json", Json)
        .required("triggered_by", Text)
        .column("triggered_org_id", Text)
        .column("triggered_user_id", Text)
        .column("dry_run", Boolean)
        .column("source_dry_run", Boolean)
        .column("original_scenario", Text)
        .cutover(Cutover {
            time: "tested_at".to_owned(),
            live: vec![Cell { column: "triggered_by".to_owned(), value: "owner_test".into() }],
            twin_columns: vec!["agent_url".to_owned(), "overall_status".to_owned()],
            twin_within: TWINS,
        })
}

/// What holds of each agent now: the newest run says it.
pub(crate) fn status() -> Dataset {
    Dataset::newer_wins("agent_compliance_status", &["agent_url"], "last_checked_at")
        .required("agent_url", Text)
        .required("status", Text)
        .column("last_checked_at", Timestamp)
        .role("last_passed_at", Timestamp, ColumnRole::Forward)
        .role("last_failed_at", Timestamp, ColumnRole::Forward)
        .column("headline", Text)
        .role("previous_status", Text, ColumnRole::PreviousOf("status".to_owned()))
        .role("status_changed_at", Timestamp, ColumnRole::ChangedWith("status".to_owned()))
        .column("last_triggered_by", Text)
}

/// Tests of agents by others than their owners.
pub(crate) fn history() -> Dataset {
    Dataset::append_only("agent_test_history", "id")
        .required("id", Text)
        .required("agent_url", Text)
        .column("organization", Text)
        .column("user", Text)
        .column("scenario", Text)
        .column("passed", Boolean)
        .column("steps_passed", Integer)
        .column("steps_failed", Integer)
        .column("duration_ms", Integer)
        .column("summary", Text)
        .column("tested_at", Timestamp)
}
