//! The columns that are read, in the order in which statements name them.

pub(crate) const HISTORY: [&str; 13] = [
    "id",
    "agent_context_id",
    "scenario",
    "overall_passed",
    "steps_passed",
    "steps_failed",
    "total_duration_ms",
    "summary",
    "dry_run",
    "user_id",
    "agent_profile_json",
    "started_at",
    "completed_at",
];

pub(crate) const CONTEXTS: [&str; 3] = ["id", "organization_id", "agent_url"];

pub(crate) const MEMBERS: [&str; 2] = ["workos_organization_id", "workos_user_id"];

pub(crate) const PROFILES: [&str; 2] = ["workos_organization_id", "agents"];

pub(crate) const AGENTS: [&str; 3] = ["agent_url", "lifecycle_stage", "compliance_opt_out"];
