//! Looks whether a store is what it should be. Nothing is changed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::kernels::aggregate::{max, max_string, min, min_string};
use arrow::datatypes::TimestampMicrosecondType;
use iceberg::spec::{Datum, PrimitiveLiteral};
use parquet::arrow::ProjectionMask;
use rusqlite::Connection;
use serde::Serialize;

use crate::catalog::{self, Catalog};
use crate::clock::month_of;
use crate::error::StoreError;
use crate::layout::Layout;
use crate::schema::field_id;
use crate::store::Store;
use crate::table::{LiveData, LiveFile, Table, live_files, manifest_list};
use crate::{doubles, merge, source, summed};

/// What a check of a store found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// Data files and files of deletes.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows that are not superseded.
    pub rows: u64,
    /// Files without a recorded checksum, which were decoded whole instead.
    pub without_checksum: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The file, or the table of the catalog.
    pub subject: String,
    /// What is wrong with it.
    pub what: String,
}

/// Columns that are read of every file.
const COLUMNS: [&str; 7] = [
    "client_name",
    "session_id",
    "message_created_at",
    "message_index",
    "part_index",
    "part_id",
    "run_id",
];

/// Checks a store: that every pointer leads somewhere, every file is as it was written, every row in its place, and
/// no id there twice. Ends early, with what it found until then, once it is cancelled.
///
/// # Errors
/// Fails only when the catalog cannot be opened. Whatever else is wrong is in the result.
pub fn verify(store: &Store, cancelled: &AtomicBool) -> Result<Verification, StoreError> {
    let snapshot = store.snapshot().map(|snapshot| snapshot.lease);
    let catalog = Catalog::read(&store.catalog_path())?;
    let mut check = Check {
        layout: store.layout(),
        catalog: &catalog,
        result: Verification::default(),
        runs: HashMap::new(),
        sessions: HashSet::new(),
    };
    check.database();
    let pointer = catalog.pointer();
    match (snapshot, pointer) {
        (Err(error), _) | (_, Err(error)) => check.error("the table", &error),
        (Ok(lease), Ok(None)) => {
            check.lost();
            check.datasets(cancelled);
            drop(lease);
        }
        (Ok(lease), Ok(Some(location))) => {
            check.pointer(&location);
            check.table(&location, cancelled);
            check.datasets(cancelled);
            drop(lease);
        }
    }
    Ok(check.result)
}

struct Check<'a> {
    layout: &'a Layout,
    catalog: &'a Catalog,
    result: Verification,
    /// Rows by the run that wrote them.
    runs: HashMap<String, u64>,
    /// Sessions that rows name.
    sessions: HashSet<String>,
}

impl Check<'_> {
    fn problem(&mut self, subject: impl Into<String>, what: impl Into<String>) {
        self.result.problems.push(Problem { subject: subject.into(), what: what.into() });
    }

    fn error(&mut self, subject: &str, error: &StoreError) {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        self.problem(subject, format!("{error}{}", cause.unwrap_or_default()));
    }

    /// Has SQLite check its file.
    fn database(&mut self) {
        let path = self.catalog.path.display().to_string();
        match self.catalog.check() {
            Ok(lines) => lines.into_iter().for_each(|line| self.problem(&path, line)),
            Err(error) => self.error(&path, &error),
        }
    }

    /// Tells of rows in the ledgers where the catalog names no table at all.
    fn lost(&mut self) {
        // A catalog without ledgers was told already, or is new.
        if self.catalog.lost_its_tables().unwrap_or_default() {
            let what = "it has no row, and the ledgers list rows: nothing points at the files of the store any more";
            self.problem("table `iceberg_tables`", what);
        }
    }

    fn pointer(&mut self, location: &str) {
        let own = catalog::mark(&self.catalog.connection, catalog::POINTER).ok().flatten();
        if own.is_some_and(|own| own != location) {
            self.problem(
                location,
                "another program wrote to the table; the next import checks all ids",
            );
        }
    }

    fn table(&mut self, location: &str, cancelled: &AtomicBool) {
        let table = match Table::load(self.layout, location) {
            Ok(table) => table,
            Err(error) => return self.error(location, &error),
        };
        self.earlier_snapshots(&table);
        if !self.files(&table, cancelled, Self::rows) {
            return;
        }
        let all: Vec<&LiveData> = table.data.iter().collect();
        // A file that cannot be read was told already.
        for places in doubles::find(&all).unwrap_or_default() {
            let (file, row) = places[0];
            let path = table.data[file].live.path.display().to_string();
            self.problem(path, format!("{} rows share the id of row {row}", places.len()));
        }
        if let Err(error) = self.ledger() {
            let path = self.catalog.path.display().to_string();
            self.problem(path, error.to_string());
        }
    }

    /// Checks the tables of datasets: that every file is as it was written, and has as many rows as it says.
    fn datasets(&mut self, cancelled: &AtomicBool) {
        let names = match self.catalog.datasets() {
            Ok(names) => names,
            Err(error) => return self.error("table `iceberg_tables`", &error),
        };
        for name in names {
            let location = self.catalog.pointer_of(&name);
            let load = |location: String| Table::load(self.layout, &location);
            match location.and_then(|location| location.map(load).transpose()) {
                Ok(None) => {}
                Ok(Some(table)) => {
                    self.earlier_snapshots(&table);
                    if !self.files(&table, cancelled, Self::count) {
                        return;
                    }
                }
                Err(error) => self.error(&name, &error),
            }
        }
    }

    /// Checks the files of a table, and their rows by `look`, which is told whether a checksum fits; false when it was
    /// cancelled.
    fn files(
        &mut self,
        table: &Table,
        cancelled: &AtomicBool,
        look: fn(&mut Self, &LiveData, bool) -> Result<(), StoreError>,
    ) -> bool {
        let sums = sums(&self.catalog.connection).unwrap_or_default();
        for deletes in &table.deletes {
            self.file(&deletes.live, &sums);
        }
        for data in &table.data {
            if cancelled.load(Ordering::Relaxed) {
                return false;
            }
            let is_summed = self.file(&data.live, &sums);
            if let Err(error) = look(self, data, is_summed) {
                self.error(&data.live.path.display().to_string(), &error);
            }
        }
        true
    }

    /// Counts a file's rows; reads them where no checksum says that they are as they were written.
    fn count(&mut self, data: &LiveData, is_summed: bool) -> Result<(), StoreError> {
        let path = data.live.path.as_path();
        if !path.exists() {
            return Ok(());
        }
        let builder = source::open(path)?;
        self.compare_count(data, builder.metadata().file_metadata().num_rows());
        if !is_summed {
            for batch in builder.build().map_err(StoreError::parquet(path))? {
                batch.map_err(StoreError::arrow(path))?;
            }
        }
        Ok(())
    }

    /// Compares how many rows a file has with how many the table says that it has.
    fn compare_count(&mut self, data: &LiveData, rows: i64) {
        let count = data.live.file.record_count();
        if u64::try_from(rows) != Ok(count) {
            let name = data.live.path.display().to_string();
            self.problem(name, format!("it has {rows} rows instead of {count}"));
        }
        self.result.rows += count.saturating_sub(data.deleted.len() as u64);
    }

    /// Looks whether the files of earlier snapshots, which other engines may still read, are there.
    fn earlier_snapshots(&mut self, table: &Table) {
        let mut seen = BTreeSet::new();
        for snapshot in table.metadata.snapshots() {
            let manifests = match manifest_list(self.layout, snapshot.manifest_list()) {
                Ok(manifests) => manifests,
                Err(error) => {
                    self.error(snapshot.manifest_list(), &error);
                    continue;
                }
            };
            for manifest in manifests {
                if !seen.insert(manifest.manifest_path.clone()) {
                    continue;
                }
                match live_files(self.layout, &manifest) {
                    Err(error) => self.error(&manifest.manifest_path, &error),
                    Ok(files) => {
                        for live in files.iter().filter(|live| !live.path.exists()) {
                            self.problem(live.path.display().to_string(), "the file is missing");
                        }
                    }
                }
            }
        }
    }

    /// Checks size and checksum; true when there is a checksum, and it fits.
    fn file(&mut self, live: &LiveFile, sums: &HashMap<String, u32>) -> bool {
        let path = live.path.display().to_string();
        let Ok(known) = live.path.metadata() else { return false };
        self.result.files += 1;
        self.result.bytes += known.len();
        if known.len() != live.file.file_size_in_bytes() {
            let size = live.file.file_size_in_bytes();
            self.problem(path, format!("it has {} bytes instead of {size}", known.len()));
            return false;
        }
        let Some(sum) = sums.get(Layout::name_of(live.file.file_path())) else {
            self.result.without_checksum += 1;
            return false;
        };
        match summed::sum_of(&live.path) {
            Ok(found) if found == *sum => true,
            Ok(_) => {
                self.problem(path, "its bytes are not those that were written");
                false
            }
            Err(error) => {
                self.error(&path, &error);
                false
            }
        }
    }

    /// Checks what a file says about its rows against the rows.
    fn rows(&mut self, data: &LiveData, is_summed: bool) -> Result<(), StoreError> {
        let path = data.live.path.as_path();
        if !path.exists() {
            return Ok(());
        }
        let name = path.display().to_string();
        let builder = source::open(path)?;
        self.compare_count(data, builder.metadata().file_metadata().num_rows());
        let mask = match is_summed {
            true => ProjectionMask::columns(builder.parquet_schema(), COLUMNS),
            false => ProjectionMask::all(),
        };
        let reader = builder.with_projection(mask).build().map_err(StoreError::parquet(path))?;
        let mut seen = Seen::default();
        for batch in reader {
            let batch = batch.map_err(StoreError::arrow(path))?;
            self.batch(data, &batch, &mut seen)
                .ok_or_else(|| StoreError::damaged(path, "columns are missing"))?;
        }
        for what in seen.against(data) {
            self.problem(&name, what);
        }
        if data.live.file.sort_order_id() == Some(1) && !merge::descents(data)?.is_empty() {
            self.problem(&name, "its rows are not in the order that it states");
        }
        Ok(())
    }

    fn batch(&mut self, data: &LiveData, batch: &RecordBatch, seen: &mut Seen) -> Option<()> {
        let column = |name| batch.column_by_name(name);
        let text = |name| column(name)?.as_string_opt::<i32>();
        let times = column("message_created_at")?;
        let times = times.as_primitive_opt::<TimestampMicrosecondType>()?;
        let (clients, sessions) = (text("client_name")?, text("session_id")?);
        seen.add(batch)?;
        let runs = text("run_id")?;
        let (client, month) = &data.live.partition;
        for at in 0..batch.num_rows() {
            let position = seen.rows;
            seen.rows += 1;
            if clients.value(at) != client || month_of(times.value(at)) != *month {
                seen.misplaced += 1;
            }
            if data.deleted.binary_search(&position).is_ok() {
                continue;
            }
            if runs.is_valid(at) {
                *self.runs.entry(runs.value(at).to_owned()).or_default() += 1;
            }
            if !self.sessions.contains(sessions.value(at)) {
                self.sessions.insert(sessions.value(at).to_owned());
            }
        }
        Some(())
    }

    /// Compares the rows with what the ledgers say of them.
    fn ledger(&mut self) -> rusqlite::Result<()> {
        let connection = &self.catalog.connection;
        let written: BTreeMap<String, u64> = connection
            .prepare("SELECT run_id, sum(rows) FROM chunks GROUP BY run_id")?
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?
            .collect::<rusqlite::Result<_>>()?;
        let known: HashSet<String> = connection
            .prepare("SELECT session_id FROM sessions")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut found = Vec::new();
        for (run, rows) in &self.runs {
            match written.get(run) {
                None => found.push(("chunks", format!("run `{run}` has {rows} rows and no chunk"))),
                Some(told) if rows > told => {
                    found
                        .push(("chunks", format!("run `{run}` has {rows} rows, and wrote {told}")));
                }
                Some(_) => {}
            }
        }
        for session in self.sessions.difference(&known) {
            found.push(("sessions", format!("session `{session}` has rows and is not known")));
        }
        found.sort();
        for (table, what) in found {
            self.problem(format!("table `{table}`"), what);
        }
        Ok(())
    }
}

/// What the rows of a file turned out to be.
#[derive(Default)]
struct Seen {
    rows: u64,
    misplaced: u64,
    sessions: Option<(String, String)>,
    times: Option<(i64, i64)>,
}

impl Seen {
    fn add(&mut self, batch: &RecordBatch) -> Option<()> {
        let sessions = batch.column_by_name("session_id")?.as_string_opt::<i32>()?;
        let times = batch.column_by_name("message_created_at")?;
        let times = times.as_primitive_opt::<TimestampMicrosecondType>()?;
        if let (Some(least), Some(most)) = (min_string(sessions), max_string(sessions)) {
            let (low, high) = self.sessions.get_or_insert((least.to_owned(), most.to_owned()));
            *low = low.as_str().min(least).to_owned();
            *high = high.as_str().max(most).to_owned();
        }
        if let (Some(least), Some(most)) = (min(times), max(times)) {
            let (low, high) = self.times.get_or_insert((least, most));
            (*low, *high) = ((*low).min(least), (*high).max(most));
        }
        Some(())
    }

    /// Returns what the table says otherwise.
    fn against(&self, data: &LiveData) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.misplaced > 0 {
            wrong.push(format!("{} rows are of another client or month", self.misplaced));
        }
        let file = &data.live.file;
        let bounds = |name: &str| {
            let id = field_id(name);
            (file.lower_bounds().get(&id), file.upper_bounds().get(&id))
        };
        let text = |datum: &Datum| match datum.literal() {
            PrimitiveLiteral::String(text) => Some(text.clone()),
            _ => None,
        };
        let long = |datum: &Datum| match datum.literal() {
            PrimitiveLiteral::Long(number) => Some(*number),
            _ => None,
        };
        let (low, high) = bounds("session_id");
        let is_outside = self.sessions.as_ref().is_some_and(|(least, most)| {
            low.and_then(text).is_some_and(|low| low > *least)
                || high.and_then(text).is_some_and(|high| high < *most)
        });
        if is_outside {
            wrong.push("sessions are outside the bounds of `session_id`".to_owned());
        }
        let (low, high) = bounds("message_created_at");
        let is_outside = self.times.is_some_and(|(least, most)| {
            low.and_then(long).is_some_and(|low| low > least)
                || high.and_then(long).is_some_and(|high| high < most)
        });
        if is_outside {
            wrong.push("times are outside the bounds of `message_created_at`".to_owned());
        }
        wrong
    }
}

/// Returns the checksums that were recorded; a store that is behind has none.
fn sums(connection: &Connection) -> rusqlite::Result<HashMap<String, u32>> {
    connection
        .prepare("SELECT name, crc32 FROM files")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
