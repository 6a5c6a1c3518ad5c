//! What a materializer says of itself, and what it may not say.

use hyp_model::item::{
    Check, ColumnMode, ColumnRule, ColumnType, ConflictRule, Cutover, Dataset, DatasetColumn,
    OwnedColumn, Role, STORED, ValueSet,
};
use serde::{Deserialize, Serialize};

use super::words::cell_in;
use crate::bindings::materializer as wit;
use crate::description::{check_count, check_name, check_text, check_unique};
use crate::shelf::Checked;

/// What a materializer is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct MaterializerDescription {
    pub name: String,
    pub version: String,
    pub kinds: Vec<String>,
    pub queues: Vec<String>,
    pub datasets: Vec<Dataset>,
    pub checks: Vec<Check>,
}

/// Beginning of the names of columns that the host fills.
const OWN: &str = "_hyp_";

impl Checked for MaterializerDescription {
    fn check(&self) -> Result<(), String> {
        check_name(&self.name)?;
        check_text("version", &self.version)?;
        if self.kinds.is_empty() {
            return Err("it takes no kinds".into());
        }
        check_count("kinds", self.kinds.len())?;
        check_unique("kind", self.kinds.iter())?;
        check_count("queued kinds", self.queues.len())?;
        check_unique("queued kind", self.queues.iter())?;
        check_count("datasets", self.datasets.len())?;
        check_unique("dataset", self.datasets.iter().map(|dataset| &dataset.name))?;
        check_count("checks", self.checks.len())?;
        check_unique("check", self.checks.iter().map(|check| &check.name))?;
        if let Some(kind) = self.queues.iter().find(|kind| kind.starts_with(STORED)) {
            return Err(format!("it queues items of kind `{kind}`, which only hyp makes"));
        }
        let mut derived = self.kinds.iter().filter_map(|kind| kind.strip_prefix(STORED));
        let owns = |name: &str| {
            let mut datasets = self.datasets.iter().filter(|dataset| dataset.name == name);
            datasets.any(|dataset| !dataset.owns.is_empty() && dataset.may_change())
        };
        if let Some(name) = derived.find(|name| !owns(name)) {
            return Err(format!("it derives columns of `{name}` and owns none that can change"));
        }
        self.datasets.iter().try_for_each(|dataset| {
            check_dataset(dataset).map_err(|reason| format!("dataset `{}`: {reason}", dataset.name))
        })
    }
}

fn check_dataset(it: &Dataset) -> Result<(), String> {
    check_identifier(&it.name)?;
    check_count("columns", it.columns.len())?;
    check_unique("column", it.columns.iter().map(|column| &column.name))?;
    for column in &it.columns {
        check_identifier(&column.name)?;
        if column.name.starts_with(OWN) {
            return Err(format!("`{}`: names that begin with `{OWN}` are the host's", column.name));
        }
        if let Role::PreviousOf(other) | Role::ChangedWith(other) = &column.role {
            known(it, other)?;
        }
    }
    if it.key.is_empty() {
        return Err("it has no key".into());
    }
    it.key.iter().try_for_each(|column| known(it, column))?;
    if let Some(column) = &it.ordered_by {
        known(it, column)?;
    } else if matches!(it.on_conflict, ConflictRule::NewerWins | ConflictRule::FillMissing) {
        return Err("its rule needs a column that orders versions of a row".into());
    }
    for rule in &it.column_rules {
        known(it, &rule.column)?;
        if it.key.contains(&rule.column) {
            return Err(format!("`{}` is of the key and cannot be asserted", rule.column));
        }
    }
    for (at, owned) in it.owns.iter().enumerate() {
        known(it, &owned.column)?;
        owned.scope.iter().try_for_each(|(column, _)| known(it, column))?;
        if it.owns[at + 1..].iter().any(|other| owned.meets(other)) {
            return Err(format!("`{}` is owned twice in the same rows", owned.column));
        }
    }
    check_count("value sets", it.value_sets.len())?;
    check_unique("value set", it.value_sets.iter().map(|set| &set.column))?;
    for ValueSet { column, values } in &it.value_sets {
        known(it, column)?;
        if !it.columns.iter().any(|one| one.name == *column && one.kind == ColumnType::Text) {
            return Err(format!("`{column}` is no text, and has words listed for it"));
        }
        if values.is_empty() {
            return Err(format!("`{column}` may hold no word at all"));
        }
        check_count("values", values.len())?;
    }
    if let Some(cutover) = &it.cutover {
        known(it, &cutover.time)?;
        let columns = cutover.live.iter().map(|(column, _)| column).chain(&cutover.twin_columns);
        columns.into_iter().try_for_each(|column| known(it, column))?;
    }
    Ok(())
}

fn known(dataset: &Dataset, column: &str) -> Result<(), String> {
    match dataset.position(column) {
        Some(_) => Ok(()),
        None => Err(format!("it names the column `{column}`, which it does not have")),
    }
}

/// Names are used in SQL without quotes, and as names of folders.
fn check_identifier(name: &str) -> Result<(), String> {
    let is_good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    if name.len() > 64 || !starts_well || !name.bytes().all(is_good) {
        let name: String = name.escape_debug().take(64).collect();
        return Err(format!("`{name}` is no name: lower case letters, digits and `_` are"));
    }
    Ok(())
}

impl From<wit::Description> for MaterializerDescription {
    fn from(it: wit::Description) -> Self {
        let checks = it.checks.into_iter();
        Self {
            name: it.name,
            version: it.version,
            kinds: it.kinds,
            queues: it.queues,
            datasets: it.datasets.into_iter().map(dataset).collect(),
            checks: checks
                .map(|it| Check {
                    name: it.name,
                    dataset: it.dataset,
                    sql: it.sql,
                    expect: it.expect,
                })
                .collect(),
        }
    }
}

fn dataset(it: wit::Dataset) -> Dataset {
    let owned =
        |it: wit::OwnedColumn| OwnedColumn { column: it.column, scope: it.scope.map(cell_in) };
    Dataset {
        name: it.name,
        columns: it.columns.into_iter().map(column).collect(),
        key: it.key,
        on_conflict: match it.on_conflict {
            wit::ConflictRule::AppendOnly => ConflictRule::AppendOnly,
            wit::ConflictRule::Keep => ConflictRule::Keep,
            wit::ConflictRule::FillMissing => ConflictRule::FillMissing,
            wit::ConflictRule::NewerWins => ConflictRule::NewerWins,
            wit::ConflictRule::LastWriteWins => ConflictRule::LastWriteWins,
        },
        ordered_by: it.ordered_by,
        column_rules: it.column_rules.into_iter().map(rule).collect(),
        owns: it.owns.into_iter().map(owned).collect(),
        cutover: it.cutover.map(|it| Cutover {
            time: it.time,
            live: it.live.into_iter().map(cell_in).collect(),
            twin_columns: it.twin_columns,
            twin_within: it.twin_within,
        }),
        value_sets: Vec::new(),
    }
}

fn column(it: wit::Column) -> DatasetColumn {
    DatasetColumn {
        name: it.name,
        kind: match it.column_type {
            wit::ColumnType::Boolean => ColumnType::Boolean,
            wit::ColumnType::Integer => ColumnType::Integer,
            wit::ColumnType::Real => ColumnType::Real,
            wit::ColumnType::Text => ColumnType::Text,
            wit::ColumnType::Timestamp => ColumnType::Timestamp,
            wit::ColumnType::Json => ColumnType::Json,
        },
        nullable: it.nullable,
        role: match it.role {
            wit::ColumnRole::Plain => Role::Plain,
            wit::ColumnRole::Forward => Role::Forward,
            wit::ColumnRole::PreviousOf(other) => Role::PreviousOf(other),
            wit::ColumnRole::ChangedWith(other) => Role::ChangedWith(other),
        },
    }
}

fn rule(it: wit::ColumnRule) -> ColumnRule {
    ColumnRule {
        column: it.column,
        mode: match it.mode {
            wit::ColumnMode::PromoteOnly => ColumnMode::PromoteOnly,
            wit::ColumnMode::Reconcile => ColumnMode::Reconcile,
        },
        unknown_values: it.unknown_values,
        known_values: it.known_values,
    }
}

#[cfg(test)]
mod tests {
    use hyp_model::item::Datum;

    use super::*;

    fn suites() -> Dataset {
        let column = |name: &str, kind| DatasetColumn {
            name: name.to_owned(),
            kind,
            nullable: true,
            role: Role::Plain,
        };
        let owned = |scope: &str| OwnedColumn {
            column: "eligible".to_owned(),
            scope: Some(("kind".to_owned(), Datum::Text(scope.to_owned()))),
        };
        Dataset {
            name: "suites".to_owned(),
            columns: vec![
                column("id", ColumnType::Text),
                column("kind", ColumnType::Text),
                column("eligible", ColumnType::Boolean),
            ],
            key: vec!["id".to_owned()],
            on_conflict: ConflictRule::AppendOnly,
            ordered_by: None,
            column_rules: Vec::new(),
            owns: vec![owned("paid"), owned("free")],
            cutover: None,
            value_sets: vec![words("kind", &["paid", "free"])],
        }
    }

    fn words(column: &str, values: &[&str]) -> ValueSet {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        ValueSet { column: column.to_owned(), values }
    }

    #[test]
    fn a_dataset_that_contradicts_itself_is_refused() {
        assert_eq!(check_dataset(&suites()), Ok(()));
        type Change = fn(&mut Dataset);
        let cases: [(Change, &str); 12] = [
            (
                |it| it.name = "Suites".into(),
                "`Suites` is no name: lower case letters, digits and `_` are",
            ),
            (|it| it.key.clear(), "it has no key"),
            (|it| it.key = vec!["ID".into()], "it names the column `ID`, which it does not have"),
            (
                |it| it.columns[1].name = "_hyp_kind".into(),
                "`_hyp_kind`: names that begin with `_hyp_` are the host's",
            ),
            (
                |it| it.on_conflict = ConflictRule::NewerWins,
                "its rule needs a column that orders versions of a row",
            ),
            (
                |it| it.owns[1].scope = it.owns[0].scope.clone(),
                "`eligible` is owned twice in the same rows",
            ),
            (|it| it.owns[0].scope = None, "`eligible` is owned twice in the same rows"),
            (
                |it| it.owns[0].scope = Some(("price".into(), Datum::Null)),
                "it names the column `price`, which it does not have",
            ),
            (
                |it| it.value_sets.push(words("price", &["low"])),
                "it names the column `price`, which it does not have",
            ),
            (
                |it| it.value_sets.push(words("eligible", &["yes"])),
                "`eligible` is no text, and has words listed for it",
            ),
            (|it| it.value_sets[0].values.clear(), "`kind` may hold no word at all"),
            (|it| it.value_sets.push(words("kind", &["gratis"])), "it has two of value set `kind`"),
        ];
        for (change, reason) in cases {
            let mut dataset = suites();
            change(&mut dataset);
            assert_eq!(check_dataset(&dataset), Err(reason.to_owned()));
        }
    }

    #[test]
    fn rows_are_handed_out_to_who_owns_columns_of_them() {
        let ledger = |change: fn(&mut MaterializerDescription)| {
            let mut description = MaterializerDescription {
                name: "ledger".to_owned(),
                version: "1".to_owned(),
                kinds: vec!["stored.suites".to_owned()],
                queues: Vec::new(),
                datasets: vec![Dataset { on_conflict: ConflictRule::LastWriteWins, ..suites() }],
                checks: Vec::new(),
            };
            change(&mut description);
            description.check()
        };
        assert_eq!(ledger(|_| {}), Ok(()));
        let none = Err("it derives columns of `suites` and owns none that can change".to_owned());
        assert_eq!(ledger(|it| it.datasets[0].owns.clear()), none);
        assert_eq!(ledger(|it| it.datasets[0].on_conflict = ConflictRule::AppendOnly), none);
        assert_eq!(ledger(|it| it.datasets[0].name = "others".into()), none);
        assert_eq!(
            ledger(|it| it.queues.push("stored.others".into())),
            Err("it queues items of kind `stored.others`, which only hyp makes".to_owned())
        );
    }
}
