//! Tables whose rows are adopted as they are.

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::sqlite::{Query, Row};
use hyp_sdk::{Cells, Datum, FailureClass, Item, Origin, Page};

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Text,
    Number,
    Flag,
    Time,
    Json,
}

/// A column, and the cell that it becomes.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) from: &'static str,
    to: &'static str,
    of: As,
}

/// A table, and the kind of items that its rows are.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    /// The first one numbers the rows.
    pub(crate) columns: &'static [Column],
}

const fn column(from: &'static str, of: As) -> Column {
    Column { from, to: from, of }
}

use As::{Flag, Json, Number, Text, Time};

#[rustfmt::skip]
pub(crate) const TABLES: &[Table] = &[
    Table { name: "agent_compliance_runs", kind: "registry.compliance_run", columns: &[
        column("id", Text), column("agent_url", Text), column("lifecycle_stage", Text), column("overall_status", Text),
        column("headline", Text), column("total_duration_ms", Number), column("tested_at", Time),
        column("tracks_json", Json), column("tracks_passed", Number), column("tracks_failed", Number),
        column("tracks_skipped", Number), column("tracks_partial", Number), column("agent_profile_json", Json),
        column("observations_json", Json), column("triggered_by", Text), column("triggered_org_id", Text),
        column("dry_run", Flag),
    ] },
    Table { name: "agent_compliance_status", kind: "registry.compliance_status", columns: &[
        column("agent_url", Text), column("status", Text), column("last_checked_at", Time),
        column("last_passed_at", Time), column("last_failed_at", Time), column("headline", Text),
        column("previous_status", Text), column("status_changed_at", Time),
    ] },
    Table { name: "agent_capabilities_snapshot", kind: "registry.agent_snapshot", columns: &[
        column("agent_url", Text), column("protocol", Text), column("inferred_type", Text),
        column("discovery_error", Text), column("oauth_required", Flag), column("last_discovered", Time),
    ] },
    Table { name: "capabilities", kind: "registry.capability", columns: &[
        column("slug", Text), column("is_active", Flag), column("last_tested_at", Time), column("cost_class", Text),
    ] },
    Table { name: "test_suites", kind: "registry.suite_state", columns: &[
        column("id", Text), column("capability_slug", Text), column("test_name", Text), column("active", Flag),
        column("test_status", Text), column("external_cost_cents", Number), column("eligible_declared", Flag),
        column("scheduled_testing_eligible", Flag), column("updated_at", Time),
    ] },
];

impl Table {
    /// Returns the statement for a table; none where the database has none. Columns that it lacks are null.
    pub(crate) fn query(&self, there: &[String]) -> Option<Query> {
        let is_there = |name: &str| there.iter().any(|column| column.eq_ignore_ascii_case(name));
        let id = self.columns.first().map(|column| column.from).filter(|id| is_there(id))?;
        let columns: Vec<&str> = self
            .columns
            .iter()
            .map(|column| if is_there(column.from) { column.from } else { "null" })
            .collect();
        let statement = format!("select {} from {} order by {id}", columns.join(", "), self.name);
        Some(Query::new(self.name, statement))
    }

    pub(crate) fn row(&self, row: &Row<'_>, out: &mut Page) {
        let mut cells = Cells::new();
        for (at, column) in self.columns.iter().enumerate() {
            let text = || row.text(at).map(|text| text.into_owned());
            let value = match column.of {
                Text => text().into(),
                Json => text().map_or(Datum::Null, Datum::Json),
                Number => row.integer(at).into(),
                Flag => row.flag(at).into(),
                Time => match row.time(at) {
                    Ok(at) => at.map_or(Datum::Null, Datum::Timestamp),
                    Err(reason) => return out.failure(row.span, FailureClass::Malformed, reason),
                },
            };
            cells = cells.with(column.to, value);
        }
        let Some(id) = row.text(0) else {
            return out.failure(row.span, FailureClass::Malformed, "a row without an id");
        };
        let origin = self
            .imported(row)
            .unwrap_or_else(|| Origin::new(format!("registry.{}", self.name), id));
        out.item(row.span, Item::new(self.kind, origin, cells));
    }

    /// Returns where a run came from that the registry itself imported.
    fn imported(&self, row: &Row<'_>) -> Option<Origin> {
        let at = self.columns.iter().position(|column| column.from == "observations_json")?;
        let text = row.text(at)?;
        let mut tape = Tape::new();
        let observations = tape.parse_document(text.as_bytes()).ok()?;
        let text = |name| observations.get(name).and_then(Value::non_empty);
        Some(Origin::new(text("backfill_source")?, text("backfill_source_id")?))
    }
}
