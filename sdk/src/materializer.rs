//! What a materializer is written with: a component that says which rows items are.
//!
//! It compares nothing with what is stored and decides no conflict: it declares the rules, and the host follows them for
//! every writer alike.
//!
//! ```
//! use hyp_sdk::materializer::{ColumnType, Dataset, Derived, Description, Materializer, Row};
//! use hyp_sdk::{Cells, Fault, Item};
//!
//! struct Tides;
//!
//! hyp_sdk::register_materializer!(Tides);
//!
//! impl Materializer for Tides {
//!     fn description() -> Description {
//!         let tides = Dataset::append_only("tides", "id")
//!             .required("id", ColumnType::Text)
//!             .column("metres", ColumnType::Integer);
//!         Description::new("tides", "0.1.0").kind("harbour.tide").dataset(tides)
//!     }
//!
//!     fn materialize(items: &[Item]) -> Result<Vec<Derived>, Fault> {
//!         let row = |item: &Item| Row::new("tides", Cells::new().with("metres", item.integer("metres")));
//!         Ok(Derived::each(items, |item, out| out.append(row(item))))
//!     }
//! }
//! ```

pub use crate::bindings::materializer::exports::hyp::backfill::materializer::{
    Assertion, Change, Check, Column, ColumnMode, ColumnRole, ColumnRule, ColumnType, ConflictRule,
    Cutover, Dataset, Derived, Description, OwnedColumn, Row,
};
pub use crate::bindings::materializer::exports::hyp::backfill::value_sets::ValueSet;
use crate::{Cell, Cells, Datum, Fault, Item};

/// Says which rows items are.
pub trait Materializer: 'static {
    /// Says what this materializer is. Pure.
    fn description() -> Description;

    /// Says which columns hold nothing but words of a set, besides null: the host writes no other value. Pure.
    fn value_sets() -> Vec<ValueSet> {
        Vec::new()
    }

    /// Says what items mean. The same items, settings and stored rows give the same answer.
    fn materialize(items: &[Item]) -> Result<Vec<Derived>, Fault>;
}

/// Makes a materializer the export of this component.
///
/// Elsewhere than on WebAssembly it only checks the type: a native library cannot export a component.
#[macro_export]
macro_rules! register_materializer {
    ($materializer:ty) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "generated exports")]
        const _: () = {
            type Component = $crate::glue::MaterializerGlue<$materializer>;
    $crate::bindings::materializer::export_materializer!(Component with_types_in $crate::bindings::materializer);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn() = || {
            fn check<M: $crate::materializer::Materializer>() {}
            check::<$materializer>();
        };
    };
}

/// Returns the stored rows of some keys, of a dataset of this materializer; natively there are none.
pub fn current(dataset: &str, keys: &[Vec<Datum>]) -> Result<Vec<Option<Vec<Cell>>>, String> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::materializer::hyp::backfill::store_read::current(dataset, keys);
    #[cfg(not(target_family = "wasm"))]
    {
        let _ = dataset;
        Ok(vec![None; keys.len()])
    }
}

impl Description {
    /// Describes a materializer of nothing yet.
    pub fn new(name: &str, version: &str) -> Self {
        let (name, version) = (name.to_owned(), version.to_owned());
        Self {
            name,
            version,
            kinds: Vec::new(),
            queues: Vec::new(),
            datasets: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// Adds a kind of items.
    pub fn kind(mut self, kind: &str) -> Self {
        self.kinds.push(kind.to_owned());
        self
    }

    /// Adds a dataset.
    pub fn dataset(mut self, dataset: Dataset) -> Self {
        self.datasets.push(dataset);
        self
    }

    /// Takes the stored rows of a dataset of its own, to derive the columns of it that it owns: items of kind `stored.` and the
    /// name, with the row's cells. What is upserted for them stands in for the row.
    pub fn derives(self, dataset: &str) -> Self {
        self.kind(&format!("stored.{dataset}"))
    }

    /// Adds a kind of items that are queued for another materializer.
    pub fn queues(mut self, kind: &str) -> Self {
        self.queues.push(kind.to_owned());
        self
    }

    /// Adds a question about a dataset that has to have this answer after a run.
    pub fn check(mut self, name: &str, dataset: &str, sql: &str, expect: i64) -> Self {
        let [name, dataset, sql] = [name, dataset, sql].map(str::to_owned);
        self.checks.push(Check { name, dataset, sql, expect });
        self
    }
}

impl Dataset {
    fn new(name: &str, key: &[&str], on_conflict: ConflictRule, ordered_by: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            columns: Vec::new(),
            key: key.iter().map(|&column| column.to_owned()).collect(),
            on_conflict,
            ordered_by: ordered_by.map(str::to_owned),
            column_rules: Vec::new(),
            owns: Vec::new(),
            cutover: None,
        }
    }

    /// Describes a dataset whose rows are never changed.
    pub fn append_only(name: &str, key: &str) -> Self {
        Self::new(name, &[key], ConflictRule::AppendOnly, None)
    }

    /// Describes a dataset in which the row stands that is newer by a column.
    pub fn newer_wins(name: &str, key: &[&str], ordered_by: &str) -> Self {
        Self::new(name, key, ConflictRule::NewerWins, Some(ordered_by))
    }

    /// Describes a dataset in which the row stands that comes last.
    pub fn last_write_wins(name: &str, key: &[&str]) -> Self {
        Self::new(name, key, ConflictRule::LastWriteWins, None)
    }

    /// Adds a column that may be null.
    pub fn column(self, name: &str, of: ColumnType) -> Self {
        self.with(name, of, true, ColumnRole::Plain)
    }

    /// Adds a column that is never null.
    pub fn required(self, name: &str, of: ColumnType) -> Self {
        self.with(name, of, false, ColumnRole::Plain)
    }

    /// Adds a column with a role of its own.
    pub fn role(self, name: &str, of: ColumnType, role: ColumnRole) -> Self {
        self.with(name, of, true, role)
    }

    fn with(
        mut self,
        name: &str,
        column_type: ColumnType,
        nullable: bool,
        role: ColumnRole,
    ) -> Self {
        self.columns.push(Column { name: name.to_owned(), column_type, nullable, role });
        self
    }

    /// Has values of a column asserted: known ones replace each other.
    pub fn reconciles(mut self, column: &str, unknown: &[&str], known: &[&str]) -> Self {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        self.column_rules.push(ColumnRule {
            column: column.to_owned(),
            mode: ColumnMode::Reconcile,
            unknown_values: words(unknown),
            known_values: words(known),
        });
        self
    }

    /// Owns a column in all rows: no other materializer may derive it.
    pub fn owns(mut self, column: &str) -> Self {
        self.owns.push(OwnedColumn { column: column.to_owned(), scope: None });
        self
    }

    /// Says from when on it is written as things happen.
    pub fn cutover(mut self, cutover: Cutover) -> Self {
        self.cutover = Some(cutover);
        self
    }
}

impl ValueSet {
    /// Lists what a text column of a dataset may hold.
    pub fn new(dataset: &str, column: &str, values: &[&str]) -> Self {
        let [dataset, column] = [dataset, column].map(str::to_owned);
        Self { dataset, column, values: values.iter().map(|&value| value.to_owned()).collect() }
    }
}

impl Row {
    /// Makes a row.
    pub fn new(dataset: &str, cells: Cells) -> Self {
        Self { dataset: dataset.to_owned(), cells: cells.done() }
    }
}

impl Derived {
    /// Asks for each item what it gives.
    pub fn each(items: &[Item], mut of: impl FnMut(&Item, &mut Self)) -> Vec<Self> {
        let mut all = Vec::with_capacity(items.len());
        for (at, item) in (0..).zip(items) {
            let mut one = Self { item: at, changes: Vec::new(), then: Vec::new(), outcome: None };
            of(item, &mut one);
            all.push(one);
        }
        all
    }

    /// Adds a row that is new.
    pub fn append(&mut self, row: Row) {
        self.changes.push(Change::Append(row));
    }

    /// Adds a row that is new, or stands in for the stored one as the dataset's rule says.
    pub fn upsert(&mut self, row: Row) {
        self.changes.push(Change::Upsert(row));
    }

    /// Says what a column should hold.
    pub fn assert_value(&mut self, assertion: Assertion) {
        self.changes.push(Change::AssertValue(assertion));
    }

    /// Says under which word the report counts the item: what became of it, or why it gives nothing.
    pub fn counts_as(&mut self, outcome: &str) {
        self.outcome = Some(outcome.to_owned());
    }
}
