//! What may be read of a database, asked by SQLite while it prepares a statement.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Tables, and the columns of each that may be read. Names are those of SQLite, whose case does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(Vec<(String, Vec<String>)>);

/// Functions that a statement may call: none that makes much of little, reaches files, or changes anything.
const FUNCTIONS: &[&str] = &[
    "->",
    "->>",
    "abs",
    "avg",
    "coalesce",
    "count",
    "glob",
    "ifnull",
    "iif",
    "instr",
    "json_array_length",
    "json_extract",
    "json_type",
    "json_valid",
    "length",
    "like",
    "lower",
    "ltrim",
    "max",
    "min",
    "nullif",
    "octet_length",
    "round",
    "rtrim",
    "substr",
    "substring",
    "sum",
    "total",
    "trim",
    "typeof",
    "upper",
];

/// Name of a row's number, where no column has it.
pub(crate) const ROWID: &str = "rowid";

impl Grants {
    /// Grants columns by table.
    pub fn new<T, C>(tables: impl IntoIterator<Item = (T, C)>) -> Self
    where
        T: Into<String>,
        C: IntoIterator<Item: Into<String>>,
    {
        let columns = |columns: C| columns.into_iter().map(Into::into).collect();
        Self(tables.into_iter().map(|(table, of)| (table.into(), columns(of))).collect())
    }

    /// Returns the columns that are granted of a table.
    pub(crate) fn of(&self, table: &str) -> Option<&[String]> {
        let found = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(table));
        found.map(|(_, columns)| columns.as_slice())
    }

    /// Returns the names of the tables.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Takes away tables for which `keep` is false.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.0.retain(|(name, _)| keep(name));
    }

    /// Lets statements use the number that SQLite gives each row of a table.
    pub(crate) fn allow_rowid(&mut self, table: &str) {
        let found = self.0.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(table));
        if let Some((_, columns)) = found {
            columns.push(ROWID.to_owned());
        }
    }

    /// Answers SQLite.
    pub(crate) fn judge(&self, context: &AuthContext<'_>) -> Authorization {
        let is_allowed = match context.action {
            AuthAction::Select => true,
            AuthAction::Read { table_name, column_name } => self.may_read(table_name, column_name),
            AuthAction::Function { function_name } => {
                FUNCTIONS.iter().any(|known| known.eq_ignore_ascii_case(function_name))
            }
            _ => false,
        };
        if is_allowed { Authorization::Allow } else { Authorization::Deny }
    }

    /// A statement that takes no column of a table, such as `count(*)`, names an empty one.
    fn may_read(&self, table: &str, column: &str) -> bool {
        self.of(table).is_some_and(|columns| {
            column.is_empty() || columns.iter().any(|known| known.eq_ignore_ascii_case(column))
        })
    }
}
