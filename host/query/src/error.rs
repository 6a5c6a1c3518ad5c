//! Why a query failed.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use hyp_cache::StoreError;
use hyp_model::{Exit, Explain};

/// Why a query could not be answered or its answer not be written.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The store could not be read.
    #[error(transparent)]
    Store(Arc<StoreError>),

    /// A table beside the lake could not be read from the store.
    #[error("cannot read table `{table}`")]
    Table {
        /// Name of the table.
        table: String,
        /// What the store said.
        #[source]
        source: Arc<StoreError>,
    },

    /// The statement would change something.
    #[error("`{statement}` is refused: queries only read")]
    Refused {
        /// First word of the statement.
        statement: String,
    },

    /// Nothing to run.
    #[error("no statement given")]
    Empty,

    /// More than one statement.
    #[error("one statement at a time, got {count}")]
    Several {
        /// How many there were.
        count: usize,
    },

    /// The text is not SQL.
    #[error("not valid SQL: {message}")]
    Syntax {
        /// What was expected, and where.
        message: String,
    },

    /// No such table.
    #[error("unknown table: {name}")]
    UnknownTable {
        /// The name asked for.
        name: String,
        /// Tables and views there are.
        tables: Vec<String>,
    },

    /// No such column.
    #[error("unknown column: {name}")]
    UnknownColumn {
        /// The name asked for.
        name: String,
        /// Columns there are, the most similar first.
        similar: Vec<String>,
    },

    /// No such function.
    #[error("unknown function: {name}")]
    UnknownFunction {
        /// The name asked for.
        name: String,
        /// One that is there.
        similar: Option<String>,
    },

    /// The statement is SQL, but it does not fit the tables.
    #[error("{message}")]
    Plan {
        /// What does not fit.
        message: String,
    },

    /// The statement failed while it ran.
    #[error("query failed: {message}")]
    Run {
        /// What went wrong.
        message: String,
    },

    /// A value is none that can be reckoned with, or none of the type that it was cast to.
    #[error("query failed: {message}")]
    Value {
        /// What went wrong.
        message: String,
    },

    /// The query wants more memory than it may have.
    #[error("query needs more than {} of memory", Megabytes(*.limit))]
    Memory {
        /// The limit in bytes.
        limit: usize,
    },

    /// A data file is missing or damaged.
    #[error("cannot read data file `{path}`: {reason}")]
    DataFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// Some data file is damaged in its middle.
    #[error("a data file is damaged: {reason}")]
    Damaged {
        /// What the reader said.
        reason: String,
    },

    /// The answer could not be written.
    #[error("cannot write the answer")]
    Write(#[source] Arc<io::Error>),
}

impl Explain for QueryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Table { .. } => "hyp::query::table",
            Self::Refused { .. } => "hyp::query::read_only",
            Self::Empty | Self::Several { .. } => "hyp::query::statement",
            Self::Syntax { .. } => "hyp::query::syntax",
            Self::UnknownTable { .. } => "hyp::query::unknown_table",
            Self::UnknownColumn { .. } => "hyp::query::unknown_column",
            Self::UnknownFunction { .. } => "hyp::query::unknown_function",
            Self::Plan { .. } => "hyp::query::plan",
            Self::Run { .. } | Self::Value { .. } => "hyp::query::run",
            Self::Memory { .. } => "hyp::query::memory",
            Self::DataFile { .. } | Self::Damaged { .. } => "hyp::query::data_file",
            Self::Write(_) => "hyp::query::write",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Table { source, .. } => source.help(),
            Self::Refused { .. } => {
                Some("start with SELECT, WITH, VALUES, EXPLAIN, SHOW or DESCRIBE".into())
            }
            Self::Several { .. } => Some("run them one by one".into()),
            Self::UnknownTable { tables, .. } => Some(format!("tables: {}", tables.join(", "))),
            Self::UnknownColumn { similar, .. } if similar.is_empty() => {
                Some("`hyp query schema` lists the columns".into())
            }
            Self::UnknownColumn { similar, .. } => {
                Some(format!("did you mean: {}", similar.join(", ")))
            }
            Self::UnknownFunction { similar, .. } => Some(similar.as_ref().map_or_else(
                || "functions are those of Apache DataFusion, and `json_get…` for JSON".into(),
                |similar| format!("did you mean: {similar}"),
            )),
            Self::Memory { .. } => Some(
                "select fewer columns, add a `where` or a `limit`, or group by something coarser"
                    .into(),
            ),
            Self::DataFile { .. } | Self::Damaged { .. } => {
                Some("import into a new store: `hyp backfill --store DIR`; keep the old one".into())
            }
            Self::Empty | Self::Syntax { .. } => Some(
                "`hyp query sql --help` has an example; the dialect is that of Apache DataFusion"
                    .into(),
            ),
            Self::Plan { .. } => {
                Some("`hyp query schema TABLE` lists columns and their types".into())
            }
            Self::Run { .. } => None,
            Self::Value { .. } => {
                Some("a value was out of range: guard it with `nullif` or `try_cast`".into())
            }
            Self::Write(_) => Some("name another file with -o, or free some space".into()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
            _ => Exit::Failed,
        }
    }
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<io::Error> for QueryError {
    fn from(error: io::Error) -> Self {
        Self::Write(Arc::new(error))
    }
}

/// A number of bytes, shown in MiB.
struct Megabytes(usize);

impl std::fmt::Display for Megabytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} MiB", self.0.div_ceil(1 << 20))
    }
}
