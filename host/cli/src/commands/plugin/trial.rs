//! A component in temporary stores: it reads folders, and nothing of it stays.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::{fs, path};

use hyp_backfill::{
    Changes, Description, Gauge, Manifest, Places, ProviderReport, Report, Request, Status,
};
use hyp_model::Explain;
use tempfile::TempDir;

use super::fetch::fetch_local;
use crate::commands::Session;
use crate::failure::Failure;

/// Why a component cannot be tried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum TrialError {
    /// The folder is not there.
    #[error("`{}` is no folder", path.display())]
    NoFolder {
        /// What was named.
        path: PathBuf,
    },
    /// There is no room for rows.
    #[error("cannot write below `{}`", std::env::temp_dir().display())]
    Temporary(#[source] io::Error),
    /// A file of the folder cannot be read, or one of a case not written.
    #[error("cannot use `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A database of a case cannot be made of its text.
    #[error("`{}` is no SQL that SQLite takes", path.display())]
    Sql {
        /// The text.
        path: PathBuf,
        /// Why.
        source: hyp_sqlite::QueryError,
    },
    /// It has nothing to read.
    #[error("`{name}` is a materializer, which reads no files")]
    Materializer {
        /// Its name.
        name: String,
    },
    /// There is nothing to compare.
    #[error("`{}` holds no case", folder.display())]
    NoCase {
        /// The folder.
        folder: PathBuf,
    },
}

impl Explain for TrialError {
    fn code(&self) -> &'static str {
        "hyp::plugin::trial"
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoFolder { .. } => "name a folder that holds what the client writes".to_owned(),
            Self::Temporary(_) => "set TMPDIR to a folder that can be written to".to_owned(),
            Self::File { .. } => "see who may read and write it".to_owned(),
            Self::Sql { .. } => "try it with `sqlite3 new.db < FILE`".to_owned(),
            Self::Materializer { .. } => {
                "`hyp plugin test` gives it the items of its cases".to_owned()
            }
            Self::NoCase { folder } => {
                format!(
                    "a case is a folder `{}/NAME/in` with what the client writes",
                    folder.display()
                )
            }
        })
    }
}

/// A component that is ready to read.
pub(super) struct Trial {
    store: TempDir,
    home: PathBuf,
    /// What the component says of itself.
    pub(super) manifest: Manifest,
}

impl Trial {
    /// Brings a component and makes it ready.
    pub(super) fn new(session: &Session, source: &str) -> Result<Self, Failure> {
        let fetched = fetch_local(source)?;
        let store = temporary()?;
        let home = session.places.history_home.clone();
        // What a provider's items go to is what goes to it at home.
        hyp_backfill::lend_materializers(&session.places, store.path())?;
        let places = places(&home, store.path(), Path::new(""));
        let offer = hyp_backfill::offer(&places, fetched.bytes, &fetched.source)?;
        hyp_backfill::install(&places, &offer, true)?;
        Ok(Self { store, home, manifest: offer.manifest })
    }

    /// Returns what a provider says of itself, and refuses anything else.
    pub(super) fn provider(&self) -> Result<&Description, TrialError> {
        let name = || self.manifest.name().to_owned();
        self.manifest.provider().ok_or_else(|| TrialError::Materializer { name: name() })
    }

    /// Returns the component once more, made so that what it computes is counted.
    pub(super) fn metered(&self) -> Result<Gauge, Failure> {
        let file = self.store.path().join("plugins").join(format!("{}.wasm", self.manifest.name()));
        let bytes =
            fs::read(&file).map_err(|source| TrialError::File { path: file.clone(), source })?;
        Ok(Gauge::metered(&file, &bytes, self.store.path())?)
    }

    /// Returns the first store: whoever needs no other uses it.
    pub(super) fn store(&self) -> &Path {
        self.store.path()
    }

    /// Returns another store without rows; what was compiled for the first serves it, too.
    pub(super) fn another(&self) -> Result<TempDir, TrialError> {
        let store = temporary()?;
        for below in ["plugins.lock", "plugins", "cache"] {
            copy(&self.store.path().join(below), &store.path().join(below))?;
        }
        Ok(store)
    }

    /// Has the component read a folder.
    pub(super) fn read(
        &self,
        store: &Path,
        folder: &Path,
        is_dry: bool,
        cancelled: &AtomicBool,
    ) -> Result<Report, Failure> {
        let request = Request {
            providers: vec![self.manifest.name().to_owned()],
            dry_run: is_dry,
            full: true,
            // Whatever it changes is in a store that goes away.
            changes: Changes { commit: true, ..Changes::default() },
            run_id: "bf-trial".to_owned(),
            ..Request::default()
        };
        let places = places(&self.home, store, folder);
        Ok(hyp_backfill::run(&places, &request, &|_| {}, cancelled)?)
    }

    /// Lays out what a case holds: a file `NAME.sql` of a provider that reads databases becomes the database `NAME`.
    pub(super) fn lay_out(&self, case: &Path, to: &Path) -> Result<(), TrialError> {
        copy(&case.join("in"), to)?;
        if !self.reads_databases() {
            return Ok(());
        }
        for path in files(to)? {
            if path.extension().is_some_and(|extension| extension == "sql") {
                let failed = |source| TrialError::File { path: path.clone(), source };
                let sql = fs::read_to_string(&path).map_err(failed)?;
                hyp_sqlite::make(&path.with_extension(""), &sql)
                    .map_err(|source| TrialError::Sql { path: path.clone(), source })?;
                fs::remove_file(&path).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn reads_databases(&self) -> bool {
        let roots = self.manifest.provider().into_iter().flat_map(|it| &it.roots);
        roots.into_iter().any(|root| !root.tables.is_empty())
    }

    /// Returns what commands need to ask a store.
    pub(super) fn session(&self, store: &Path) -> Session {
        Session { places: places(&self.home, store, Path::new("")) }
    }
}

fn places(home: &Path, store: &Path, folder: &Path) -> Places {
    Places {
        history_home: home.to_owned(),
        history_folder: Some(folder.to_owned()),
        store: store.to_owned(),
        environment: BTreeMap::new(),
        sources: BTreeMap::new(),
    }
}

/// Returns what the one provider of a report did.
pub(super) fn only(report: &Report) -> Option<&ProviderReport> {
    report.providers.first()
}

/// Says what is wrong with a report, whatever was read.
pub(super) fn fault(report: &ProviderReport) -> Option<String> {
    if report.status == Status::Failed {
        return Some(report.error.clone().unwrap_or_else(|| "it failed".to_owned()));
    }
    let accounted: u64 = report.accounting.values().sum();
    (accounted != report.bytes_read)
        .then(|| format!("{accounted} of {} bytes are accounted for", report.bytes_read))
}

/// Returns a folder that is there, by its whole path.
pub(super) fn folder(named: &Path) -> Result<PathBuf, TrialError> {
    let path = path::absolute(named).unwrap_or_else(|_| named.to_owned());
    if path.is_dir() { Ok(path) } else { Err(TrialError::NoFolder { path }) }
}

/// Returns a new folder that goes when it is dropped.
pub(super) fn temporary() -> Result<TempDir, TrialError> {
    tempfile::Builder::new().prefix("hyp-trial-").tempdir().map_err(TrialError::Temporary)
}

/// Copies a file, or a folder with what is in it; what is not there is left out.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), TrialError> {
    let failed = |source| TrialError::File { path: from.to_owned(), source };
    if from.is_dir() {
        fs::create_dir_all(to).map_err(failed)?;
        for entry in fs::read_dir(from).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else if from.exists() {
        fs::copy(from, to).map_err(failed)?;
    }
    Ok(())
}

/// Lists the files below a folder, sorted.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, TrialError> {
    let failed = |source| TrialError::File { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
