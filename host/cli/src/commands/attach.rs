//! `hyp attach`: what another engine is told to read the same tables.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hyp_cache::{Store, StoreError};
use hyp_model::dataset::MESSAGES;
use hyp_model::{Exit, Explain};

use super::ask::quote;
use super::{Session, print, say};
use crate::failure::Failure;

/// Arguments of `hyp attach`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  duckdb -cmd \"$(hyp attach duckdb)\"
  hyp attach pyiceberg > messages.py && python3 -i messages.py

The engines read the files of the store as they are. They must not write to them.")]
pub(crate) struct AttachArgs {
    /// Which engine is to read the store
    #[arg(value_enum, value_name = "ENGINE")]
    engine: Engine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// SQL for DuckDB: the views `ai_gateway_messages` and `messages`
    Duckdb,
    /// Python for PyIceberg: the catalog, and the table `messages`
    Pyiceberg,
}

/// Why another engine cannot read the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttachError {
    /// Nothing was ever written.
    #[error("nothing is stored in `{}` yet", store.display())]
    Empty {
        /// The store.
        store: PathBuf,
    },
    /// Its files name places where it was before.
    #[error("the store was moved, or is a copy: its files name another place as theirs")]
    Moved,
}

impl Explain for AttachError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "hyp::attach::empty",
            Self::Moved => "hyp::attach::moved",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Empty { .. } => "`hyp backfill` imports the history on this machine".to_owned(),
            Self::Moved => {
                "hyp reads it all the same; `hyp cache relocate` makes it whole for other engines"
                    .to_owned()
            }
        })
    }
}

/// Runs `hyp attach`.
pub(crate) fn attach(session: &Session, args: &AttachArgs) -> Result<Exit, Failure> {
    let store = match Store::open(&session.places.store) {
        Err(StoreError::Missing { path }) => return Err(AttachError::Empty { store: path }.into()),
        opened => opened?,
    };
    let metadata = metadata(&store)?;
    match args.engine {
        Engine::Duckdb => {
            print(&duckdb(&metadata))?;
            say("the views show the store as it is now; ask again after an import");
        }
        Engine::Pyiceberg => print(&pyiceberg(&store))?,
    }
    Ok(Exit::Done)
}

/// Returns the file that tells other engines what the table is.
fn metadata(store: &Store) -> Result<PathBuf, Failure> {
    let location = store.snapshot()?.metadata_location;
    let empty = || AttachError::Empty { store: store.dir().to_owned() };
    let location = location.ok_or_else(empty)?;
    if store.outline()?.is_moved {
        return Err(AttachError::Moved.into());
    }
    Ok(PathBuf::from(location.strip_prefix("file://").unwrap_or(&location)))
}

fn duckdb(metadata: &Path) -> String {
    let metadata = quote(&metadata.display().to_string());
    format!(
        "INSTALL iceberg; LOAD iceberg;\n\
         CREATE OR REPLACE TEMP VIEW {MESSAGES} AS SELECT * FROM iceberg_scan({metadata});\n\
         CREATE OR REPLACE TEMP VIEW messages AS SELECT * FROM {MESSAGES} WHERE is_replay IS NOT TRUE;\n"
    )
}

fn pyiceberg(store: &Store) -> String {
    // A JSON string is a string of Python, too.
    let text = |text: String| serde_json::Value::from(text).to_string();
    let uri = text(format!("sqlite:///{}", store.catalog_path().display()));
    let warehouse = text(format!("file://{}", store.dir().join("warehouse").display()));
    format!(
        "from pyiceberg.catalog.sql import SqlCatalog\n\
         catalog = SqlCatalog(\"hyp\", uri={uri}, warehouse={warehouse})\n\
         messages = catalog.load_table(\"hyp.{MESSAGES}\")\n"
    )
}
