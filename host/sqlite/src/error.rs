//! Why a database cannot be read, and why a statement gives nothing.

use std::io;

/// Why a database cannot be read. What it says goes on from the file's name: "`x.db` is not a SQLite database".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum DatabaseError {
    /// The file is gone, or may not be read.
    #[error("cannot be opened: {source}")]
    Open { source: io::Error },
    /// The file holds something else.
    #[error("is not a SQLite database")]
    Foreign,
    /// The file would have to be copied, and is larger than what is copied unasked.
    #[error(
        "has {} MiB and a write-ahead log, and would be copied: `--allow-copy` allows it, \
         or close the client, which ends the log",
        bytes >> 20
    )]
    TooLarge { bytes: u64 },
    /// The copy was not made.
    #[error("cannot be copied into the store: {source}")]
    Copy { source: io::Error },
    /// The file changed during each of several copies.
    #[error("is written to without a pause: run it again when its client is idle")]
    Restless,
    /// The file changed while it was read as it lies.
    #[error("changed while it was read: run it again")]
    Changed,
    /// SQLite finds the file damaged, or encrypted.
    #[error("is damaged: {reason}")]
    Damaged { reason: String },
}

/// Why a statement gives nothing, or nothing more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum QueryError {
    /// It names what was not granted, or does more than read.
    #[error("{reason}")]
    Denied { reason: String },
    /// It makes no sense to this database.
    #[error("{reason}")]
    Statement { reason: String },
    /// The database cannot be read on.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// It ran past the deadline.
    #[error("the statement ran past its deadline")]
    Deadline,
    /// It wanted more memory than it may have.
    #[error("the statement wanted more than {} MiB of memory", limit >> 20)]
    Memory { limit: u64 },
}

impl From<rusqlite::Error> for QueryError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;

        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::AuthorizationForStatementDenied) => Self::Denied { reason },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure) => {
                DatabaseError::Damaged { reason }.into()
            }
            Some(ErrorCode::NotADatabase) => DatabaseError::Foreign.into(),
            // Of a function, SQLite says so in words alone.
            _ if reason.starts_with("not authorized") => Self::Denied { reason },
            _ => Self::Statement { reason },
        }
    }
}
