//! Why the store could not be used.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hyp_model::{Exit, Explain};

use crate::lock::Holder;

const NO_SPACE: &str =
    "free some space and run it again; the store is as of its last commit, nothing in it is lost";

/// Why the store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no store.
    #[error("there is no store at `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },

    /// The folder belongs to something else.
    #[error("`{}` is not a store of hyp: {found}", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },

    /// The catalog knows nothing of the files that lie beside it: written to, the store would lose them all.
    #[error("the catalog `{}` {what}, and `{}` has files of a store", path.display(), warehouse.display())]
    Lost {
        /// The catalog.
        path: PathBuf,
        /// The folder of the tables.
        warehouse: PathBuf,
        /// What became of the catalog.
        what: &'static str,
    },

    /// A newer hyp wrote the store.
    #[error("the store at `{}` has version {found}, this hyp knows {known}", path.display())]
    Newer {
        /// The catalog.
        path: PathBuf,
        /// Version of the store.
        found: i64,
        /// Highest version that is known here.
        known: i64,
    },

    /// Another hyp changed the store's tables in another way than this one would.
    #[error("the catalog `{}` cannot be brought up to date: {reason}", path.display())]
    Migrations {
        /// The catalog.
        path: PathBuf,
        /// Which migrations do not go together.
        reason: String,
    },

    /// A file or folder could not be read or written.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },

    /// The catalog refused.
    #[error("the catalog `{}` failed", path.display())]
    Catalog {
        /// The catalog.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: Box<rusqlite::Error>,
    },

    /// Table metadata could not be read or written.
    #[error("table metadata at `{}` cannot be used", path.display())]
    Metadata {
        /// The file or folder.
        path: PathBuf,
        /// What the table format's library said.
        #[source]
        source: Box<iceberg::Error>,
    },

    /// A data file could not be read or written.
    #[error("the data file `{}` cannot be used", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the file format's library said.
        #[source]
        source: Box<parquet::errors::ParquetError>,
    },

    /// Something in the store is not as it must be.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// Rows do not have the columns that the table has.
    #[error("rows cannot be written: {reason}")]
    Rows {
        /// What is wrong with them.
        reason: String,
    },

    /// Another writer changed the table although the lock is held.
    #[error("the table in `{}` was changed by another program", path.display())]
    Conflict {
        /// The catalog.
        path: PathBuf,
    },

    /// No such table can be read.
    #[error("there is no table `{name}`")]
    NoTable {
        /// The name asked for.
        name: String,
    },

    /// An older hyp wrote the store, and it lacks the table or a column of it.
    #[error("the store is too old for the table `{name}`")]
    Older {
        /// The name asked for.
        name: String,
    },

    /// There is no copy of the catalog to go back to.
    #[error("the store at `{}` was never upgraded, or its copy is gone", path.display())]
    NoBackup {
        /// The store.
        path: PathBuf,
    },

    /// A copy of the catalog cannot be read, so that nobody knows which files it names.
    #[error("nothing is removed, because the catalog's copy `{}` cannot be read", path.display())]
    Copy {
        /// The copy.
        path: PathBuf,
        /// What is wrong with it, or with a file that it names.
        #[source]
        source: Box<StoreError>,
    },

    /// A test asked for a failure.
    #[error("failed on purpose at `{name}`")]
    Failpoint {
        /// The place.
        name: &'static str,
    },
}

impl StoreError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn metadata(path: &Path) -> impl FnOnce(iceberg::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Metadata { path, source: Box::new(source) }
    }

    pub(crate) fn parquet(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        use parquet::errors::ParquetError;

        let path = path.to_owned();
        move |source| match source {
            ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
                Ok(source) => Self::Io { path, source: *source },
                Err(cause) => {
                    Self::Parquet { path, source: Box::new(ParquetError::External(cause)) }
                }
            },
            source => Self::Parquet { path, source: Box::new(source) },
        }
    }

    pub(crate) fn arrow(path: &Path) -> impl FnOnce(arrow::error::ArrowError) -> Self {
        let path = path.to_owned();
        move |source| Self::Damaged { path, reason: source.to_string() }
    }

    pub(crate) fn rows(source: arrow::error::ArrowError) -> Self {
        Self::Rows { reason: source.to_string() }
    }

    pub(crate) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.into() }
    }
}

impl Explain for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "hyp::store::missing",
            Self::Foreign { .. } => "hyp::store::foreign",
            Self::Lost { .. } => "hyp::store::lost",
            Self::Newer { .. } => "hyp::store::newer",
            Self::Migrations { .. } => "hyp::store::migrations",
            Self::Io { .. } => "hyp::store::io",
            Self::Catalog { .. } => "hyp::store::catalog",
            Self::Metadata { .. } => "hyp::store::metadata",
            Self::Parquet { .. } => "hyp::store::data_file",
            Self::Damaged { .. } => "hyp::store::damaged",
            Self::Rows { .. } => "hyp::store::rows",
            Self::Conflict { .. } => "hyp::store::conflict",
            Self::NoTable { .. } => "hyp::store::no_table",
            Self::Older { .. } => "hyp::store::older",
            Self::NoBackup { .. } => "hyp::store::no_backup",
            Self::Copy { .. } => "hyp::store::copy",
            Self::Failpoint { .. } => "hyp::store::failpoint",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some("run `hyp backfill` to make one".to_owned()),
            Self::Foreign { .. } => Some("name an empty folder, or the store itself".to_owned()),
            Self::Lost { path, .. } => Some(format!(
                "put back a copy of `catalog.db` from a backup; or move `{}` away and import again, which brings back what the clients still have",
                path.parent().unwrap_or(path).display()
            )),
            Self::Newer { .. } => Some("update hyp; this one leaves the store alone".to_owned()),
            Self::Migrations { .. } => {
                Some("use the hyp that wrote to it last; this one leaves the store alone".to_owned())
            }
            Self::Io { source, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                    Some(NO_SPACE.to_owned())
                }
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    Some("the store is as of its last commit".to_owned())
                }
                ErrorKind::NotFound => Some("run the command again; if the file stays away, restore it from a backup".to_owned()),
                _ => Some("see that the disk is sound and run the command again; the store is as of its last commit".to_owned()),
            },
            Self::Catalog { source, .. }
                if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) =>
            {
                Some(NO_SPACE.to_owned())
            }
            Self::Catalog { source, .. }
                if source.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly) =>
            {
                Some("the store cannot be written to: see whose it is, and whether its disk is mounted to be written".to_owned())
            }
            Self::Conflict { .. } => Some("run the import again".to_owned()),
            Self::Older { .. } => {
                Some("run `hyp backfill`: it brings the store up to date".to_owned())
            }
            Self::Parquet { .. } | Self::Damaged { .. } | Self::Metadata { .. } => {
                Some("restore the file from a backup, or import into a new store".to_owned())
            }
            Self::Catalog { .. } => {
                Some("run the command again; if it fails again, restore `catalog.db` from a backup".to_owned())
            }
            Self::NoBackup { .. } => {
                Some("restore `catalog.db` from a backup of your own".to_owned())
            }
            Self::Copy { .. } => {
                Some("move the copy away if you need no way back: `hyp cache rollback` is all that it is for".to_owned())
            }
            Self::NoTable { .. } => Some("`hyp query schema` lists the tables".to_owned()),
            Self::Rows { .. } => Some("report this; nothing of it was written".to_owned()),
            Self::Failpoint { .. } => None,
        }
    }
}

/// Why the store could not be written to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another run holds the lock.
    #[error("the store is in use by {holder}")]
    Held {
        /// Who holds it.
        holder: Holder,
    },

    /// The store behind the lock cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Explain for LockError {
    fn code(&self) -> &'static str {
        match self {
            Self::Held { .. } => "hyp::store::locked",
            Self::Store(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Held { .. } => Some("wait for it to end, or pass `--wait SECONDS`".to_owned()),
            Self::Store(error) => error.help(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Held { .. } => Exit::Refused,
            Self::Store(error) => error.exit(),
        }
    }
}
