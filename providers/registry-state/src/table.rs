//! Tables whose rows are adopted as they are.

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::sqlite::{Fields, Misfit, Query};
use hyp_sdk::{Cells, Datum, Item, Origin, Page};

/// What may have triggered a run.
const TRIGGERS: &[&str] = &["heartbeat", "manual", "owner_test", "webhook"];

/// What may have come of a run.
const OUTCOMES: &[&str] = &["failing", "partial", "passing"];

/// What may hold of an agent.
const STATES: &[&str] = &["degraded", "failing", "passing", "unknown"];

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Text,
    /// One of these.
    Word(&'static [&'static str]),
    Number,
    Flag,
    Time,
    Json,
}

/// A column, and the cell of its name that it becomes.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) from: &'static str,
    of: As,
    /// Whether a row without it is broken.
    is_required: bool,
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
    Column { from, of, is_required: false }
}

const fn required(from: &'static str, of: As) -> Column {
    Column { from, of, is_required: true }
}

use As::{Flag, Json, Number, Text, Time, Word};

#[rustfmt::skip]
pub(crate) const TABLES: &[Table] = &[
    Table { name: "agent_compliance_runs", kind: "registry.compliance_run", columns: &[
        required("id", Text), required("agent_url", Text), column("lifecycle_stage", Text),
        required("overall_status", Word(OUTCOMES)), column("headline", Text), column("total_duration_ms", Number),
        required("tested_at", Time),
        column("tracks_json", Json), column("tracks_passed", Number), column("tracks_failed", Number),
        column("tracks_skipped", Number), column("tracks_partial", Number), column("agent_profile_json", Json),
        column("observations_json", Json), required("triggered_by", Word(TRIGGERS)), column("triggered_org_id", Text),
        column("dry_run", Flag),
    ] },
    Table { name: "agent_compliance_status", kind: "registry.compliance_status", columns: &[
        required("agent_url", Text), required("status", Word(STATES)), column("last_checked_at", Time),
        column("last_passed_at", Time), column("last_failed_at", Time), column("headline", Text),
        column("previous_status", Word(STATES)), column("status_changed_at", Time),
    ] },
    Table { name: "agent_capabilities_snapshot", kind: "registry.agent_snapshot", columns: &[
        required("agent_url", Text), column("protocol", Text), column("inferred_type", Text),
        column("discovery_error", Text), column("oauth_required", Flag), column("last_discovered", Time),
    ] },
    Table { name: "capabilities", kind: "registry.capability", columns: &[
        required("slug", Text), column("is_active", Flag), column("last_tested_at", Time), column("cost_class", Text),
    ] },
    Table { name: "test_suites", kind: "registry.suite_state", columns: &[
        required("id", Text), column("capability_slug", Text), column("test_name", Text), column("active", Flag),
        column("test_status", Text), column("external_cost_cents", Number), column("eligible_declared", Flag),
        column("scheduled_testing_eligible", Flag), column("updated_at", Time),
    ] },
];

impl Table {
    /// Returns the statement for a table; none where the database has none. Columns that it lacks are null.
    pub(crate) fn query(&self, there: &[String]) -> Option<Query> {
        let is_there = |name: &str| there.iter().any(|column| column.eq_ignore_ascii_case(name));
        let id = Some(self.id()).filter(|id| is_there(id))?;
        let columns: Vec<&str> = self
            .columns
            .iter()
            .map(|column| if is_there(column.from) { column.from } else { "null" })
            .collect();
        let statement = format!("select {} from {} order by {id}", columns.join(", "), self.name);
        Some(Query::new(self.name, statement))
    }

    /// Returns the column that numbers the rows.
    fn id(&self) -> &'static str {
        self.columns.first().map_or("", |column| column.from)
    }

    /// Returns the names of the columns, in the order in which the statement has them.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|column| column.from).collect()
    }

    pub(crate) fn row(&self, row: &Fields<'_>, out: &mut Page) -> Result<(), Misfit> {
        let mut cells = Cells::new();
        for column in self.columns {
            let value = if column.is_required {
                row.required(column.from, |row, _| column.value(row))?
            } else {
                column.value(row)?.unwrap_or(Datum::Null)
            };
            cells = cells.with(column.from, value);
        }
        let id = row.required(self.id(), Fields::text)?;
        let origin = self
            .imported(row)
            .unwrap_or_else(|| Origin::new(format!("registry.{}", self.name), id));
        out.item(row.span, Item::new(self.kind, origin, cells));
        Ok(())
    }

    /// Returns where a run came from that the registry itself imported.
    fn imported(&self, row: &Fields<'_>) -> Option<Origin> {
        let text = row.text("observations_json").ok()??;
        let mut tape = Tape::new();
        let observations = tape.parse_document(text.as_bytes()).ok()?;
        let text = |name| observations.get(name).and_then(Value::non_empty);
        Some(Origin::new(text("backfill_source")?, text("backfill_source_id")?))
    }
}

impl Column {
    fn value(&self, row: &Fields<'_>) -> Result<Option<Datum>, Misfit> {
        let text = |text: std::borrow::Cow<'_, str>| text.into_owned();
        Ok(match self.of {
            Text => row.text(self.from)?.map(text).map(Datum::Text),
            Word(words) => row.word(self.from, words)?.map(text).map(Datum::Text),
            Number => row.integer(self.from)?.map(Datum::Integer),
            Flag => row.flag(self.from)?.map(Datum::Boolean),
            Time => row.time(self.from)?.map(Datum::Timestamp),
            Json => row.json(self.from)?.map(text).map(Datum::Json),
        })
    }
}
