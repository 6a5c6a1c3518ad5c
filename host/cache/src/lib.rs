//! The lake: an Iceberg table with a SQLite catalog, written through one commit.
//!
//! Read first: [`Store`], an opened folder; [`Writer`], which alone may change it; [`Commit`], what is
//! written together. Readers start at [`Snapshot`]. This crate alone knows Iceberg and SQLite.
//!
//! ```
//! use std::time::Duration;
//!
//! use hyp_cache::{Commit, Store};
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::open_or_create(&folder.path().join("store"))?;
//! let mut writer = store.writer(Duration::ZERO, "run-1")?;
//! writer.commit(Commit::default())?;
//! assert!(store.snapshot()?.files.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod again;
mod backup;
mod beginnings;
mod burial;
mod catalog;
mod change;
mod checkpoint;
mod clock;
mod commit;
mod compaction;
mod crashed;
mod datasets;
mod deletes;
mod derivations;
mod doubles;
mod due;
mod encode;
mod error;
mod facts;
pub mod failpoint;
mod foreign;
mod forgotten;
mod gather;
mod ghosts;
mod graves;
mod heir;
mod index;
mod install;
mod judge;
mod kept;
mod kin;
mod layout;
mod lease;
mod ledger;
mod lineage;
mod lock;
mod merge;
mod migrations;
mod outline;
mod own;
mod publish;
mod purge;
mod recordings;
mod relocate;
mod replays;
mod retention;
mod rows;
mod schema;
mod snapshot;
mod source;
mod split;
mod stale;
mod standing;
mod store;
mod summed;
mod sweep;
mod table;
mod tables;
mod tail;
mod threads;
mod undo;
mod untold;
mod upkeep;
mod verify;
mod wait;
mod writer;

pub use backup::Backup;
pub use checkpoint::Checkpoint;
pub use commit::{Commit, Committed};
pub use datasets::{
    AuditEntry, DatasetCommit, DatasetCommitted, DatasetFiles, DatasetRow, DatasetRun,
    DatasetWrite, JournalEntry, JournalOperation, OWN, OpenDataset, RUN_ID, SOURCE_ID,
    SOURCE_SYSTEM, Stage, datum_from_json, datum_to_json, key_of, origin_key, row_from_json,
    row_to_json,
};
pub use error::{LockError, StoreError};
pub use forgotten::{Fate, Fates, Forgotten, Told};
pub use heir::Heir;
pub use judge::{Arriving, Change, Correction, Judgement};
pub use kept::Kept;
pub use lease::Lease;
pub use ledger::{
    Asked, ClientTotal, InputState, Listing, Quarantined, RunEnd, RunKind, RunStart, UnitState,
};
pub use lock::Holder;
pub use outline::{Outline, Part};
pub use purge::{Purge, Purged, Selector};
pub use retention::{Expired, retained_from};
pub use schema::messages_schema;
pub use snapshot::{Bound, FileEntry, Snapshot};
pub use store::Store;
pub use sweep::Rubbish;
pub use tables::{TABLES, table_schema};
pub use undo::{KeptThread, Reach, UndoError, Undone};
pub use untold::{PartSet, PartSum, Telling, Untold};
pub use upkeep::{Upkeep, Upkept};
pub use verify::{Problem, Verification, verify};
pub use writer::Writer;

#[cfg(test)]
mod tests;
