//! A guest on a bench: files to lend it, and what it makes of them.

use std::cell::Cell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyp_model::event::Event;
use hyp_plugin::{
    Checkpoint, Compression, Database, Entry, Host, Lent, Limits, LoadError, Page, Plugin,
    RunError, ScanReport, Source, Terms, UnitInputs, digest_of,
};

pub(crate) struct Bench {
    pub(crate) plugin: Arc<Plugin>,
    folder: tempfile::TempDir,
    files: Cell<u32>,
}

/// What came of a scan that went through.
pub(crate) type Found = (Vec<Event>, ScanReport);

impl Bench {
    pub(crate) fn new(guest: &str, limits: Limits) -> Self {
        let plugin = load(guest, limits).unwrap();
        Self { plugin, folder: tempfile::tempdir().unwrap(), files: Cell::new(0) }
    }

    /// Writes a file that the guest knows by this name.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> Lent {
        self.files.set(self.files.get() + 1);
        let file = self.folder.path().join(self.files.get().to_string());
        std::fs::write(&file, bytes).unwrap();
        let (root, path) = ("home".to_owned(), name.to_owned());
        let entry = Entry { root, path, size: bytes.len() as u64, modified: 0 };
        Lent { entry, file, compression: Compression::None, database: None }
    }

    /// Makes a database of SQL text that the guest knows by this name, with what the guest declares granted.
    pub(crate) fn database(&self, name: &str, sql: &str) -> Lent {
        self.database_within(name, sql, self.terms().memory)
    }

    /// Makes a database whose statements may take this much memory.
    pub(crate) fn database_within(&self, name: &str, sql: &str, memory: u64) -> Lent {
        let mut lent = self.file(name, b"");
        hyp_sqlite::make(&lent.file, sql).unwrap();
        lent.entry.size = lent.file.metadata().unwrap().len();
        let grants = self.plugin.description().roots[0].grants().unwrap();
        let terms = Terms { memory, ..self.terms() };
        lent.database = Some(Arc::new(Database::new(lent.file.clone(), grants, terms)));
        lent
    }

    fn terms(&self) -> Terms {
        Terms::new(self.folder.path().join("copies"))
    }

    /// Reads a file as a unit of that name.
    pub(crate) fn scan_as(&self, id: &str, input: &Lent) -> Result<Found, RunError> {
        let mut events = Vec::new();
        let unit = UnitInputs { id: id.to_owned(), ..unit(std::slice::from_ref(input)) };
        let report =
            self.plugin.worker().scan(&unit, None, &AtomicBool::new(false), &mut |page| {
                events.extend(page.events);
                Ok(())
            })?;
        Ok((events, report))
    }

    /// Reads the files as one unit.
    pub(crate) fn scan(&self, inputs: &[Lent]) -> Result<Found, RunError> {
        let mut events = Vec::new();
        let report = self.scan_with(inputs, |page| events.extend(page))?;
        Ok((events, report))
    }

    pub(crate) fn scan_with(
        &self,
        inputs: &[Lent],
        mut each: impl FnMut(Vec<Event>),
    ) -> Result<ScanReport, RunError> {
        let mut worker = self.plugin.worker();
        worker.scan(&unit(inputs), None, &AtomicBool::new(false), &mut |page| {
            each(page.events);
            Ok(())
        })
    }

    /// Reads the files as one unit from a checkpoint on, and gives what each call gave.
    pub(crate) fn scan_from(
        &self,
        inputs: &[Lent],
        from: Option<&Checkpoint>,
    ) -> Result<(Vec<Page>, ScanReport), RunError> {
        let mut pages = Vec::new();
        let mut worker = self.plugin.worker();
        let report = worker.scan(&unit(inputs), from, &AtomicBool::new(false), &mut |page| {
            pages.push(page);
            Ok(())
        })?;
        Ok((pages, report))
    }
}

pub(crate) fn unit(inputs: &[Lent]) -> UnitInputs {
    UnitInputs { id: "a".into(), inputs: inputs.to_vec(), context: Vec::new() }
}

pub(crate) fn guest(name: &str) -> PathBuf {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/dist");
    guests.join(format!("{name}.wasm"))
}

pub(crate) fn providers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../providers/dist")
}

pub(crate) fn source(name: &str) -> Source {
    let path = guest(name);
    let digest = digest_of(&std::fs::read(&path).unwrap());
    Source::File { path, digest }
}

pub(crate) fn load(name: &str, limits: Limits) -> Result<Arc<Plugin>, LoadError> {
    Host::new(None, limits)?.load(source(name))
}

/// A line that a guest understands.
pub(crate) fn line(number: u32) -> String {
    let at = format!("2026-01-01T00:00:{:02}Z", number % 60);
    format!(r#"{{"id":"m{number}","text":"hello {number}","at":"{at}"}}"#) + "\n"
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
