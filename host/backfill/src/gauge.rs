//! What a component costs: time, computation and memory, of it alone.
//!
//! Nothing is made of what it emits, and there is no store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use hyp_plugin::{Host, Limits, Plugin, Source, Startup, UnitInputs, digest_of};

use crate::discover::{discover, terms};
use crate::error::BackfillError;
use crate::places::Places;
use crate::plugins::grants::Lending;

/// A component that is measured.
pub struct Gauge {
    plugin: Arc<Plugin>,
    scratch: PathBuf,
    /// Time that it took to compile, and to ask what it is.
    pub compile: Duration,
}

/// What it took to read a folder once, by one worker.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Reading {
    /// Units read.
    pub units: u64,
    /// Bytes handed to the component, decompressed.
    pub bytes: u64,
    /// Bytes of events that it emitted.
    pub emitted: u64,
    /// Time from the first unit to the last.
    pub wall: Duration,
    /// Time of the processor in the component, and in what the host did for it.
    pub cpu: Duration,
    /// Time spent in the component itself.
    pub guest: Duration,
    /// What it computed, about an instruction a piece, where that is counted.
    pub fuel: Option<u64>,
    /// Most bytes of memory that it had.
    pub memory: u64,
}

impl Gauge {
    /// Compiles a component. What is compiled, and copies of databases, go into `scratch`.
    ///
    /// # Errors
    /// Fails when it is no provider of this contract.
    pub fn new(file: &Path, bytes: &[u8], scratch: &Path) -> Result<Self, BackfillError> {
        Self::with(file, bytes, scratch, Limits::default())
    }

    /// Compiles a component in a way that counts what it computes; its times say nothing then.
    ///
    /// # Errors
    /// Fails when it is no provider of this contract.
    pub fn metered(file: &Path, bytes: &[u8], scratch: &Path) -> Result<Self, BackfillError> {
        Self::with(file, bytes, scratch, Limits { is_metered: true, ..Limits::default() })
    }

    fn with(
        file: &Path,
        bytes: &[u8],
        scratch: &Path,
        limits: Limits,
    ) -> Result<Self, BackfillError> {
        let host = Host::new(Some(scratch.join("compiled")), limits)?;
        let source = Source::File { path: file.to_owned(), digest: digest_of(bytes) };
        let begun = Instant::now();
        let plugin = host.load(source)?;
        Ok(Self { plugin, scratch: scratch.to_owned(), compile: begun.elapsed() })
    }

    /// Brings the compiled component up, and says how long that took.
    ///
    /// # Errors
    /// Fails when it cannot be brought up.
    pub fn startup(&self) -> Result<Startup, BackfillError> {
        Ok(self.plugin.startup()?)
    }

    /// Reads a folder, which stands for the provider's first root or holds one for each.
    ///
    /// # Errors
    /// Fails when the component does, in any unit.
    pub fn read(&self, folder: &Path, cancelled: &AtomicBool) -> Result<Reading, BackfillError> {
        let places = Places {
            history_home: folder.to_owned(),
            history_folder: Some(folder.to_owned()),
            store: self.scratch.clone(),
            environment: BTreeMap::new(),
            sources: BTreeMap::new(),
        };
        let terms = terms(&self.scratch, true);
        let found = discover(self.plugin.description(), &Lending::Everything, &places, &terms)?;
        let plan = self.plugin.plan(&found.files, &mut Vec::new())?;
        let mut reading = Reading::default();
        let mut worker = self.plugin.worker();
        let (begun, before) = (Instant::now(), self.plugin.receipt().cpu_time);
        for unit in plan.units {
            let inputs = unit.inputs.iter().filter_map(|at| found.files.get(*at as usize).cloned());
            let unit = UnitInputs { id: unit.id, inputs: inputs.collect(), context: unit.context };
            let report = worker.scan(&unit, None, cancelled, &mut |_| Ok(()))?;
            reading.units += 1;
            reading.bytes += report.inputs.iter().map(|input| input.bytes_read).sum::<u64>();
            reading.emitted += report.bytes_emitted;
            reading.guest += report.guest_time;
            reading.fuel = reading.fuel.map_or(report.fuel, |sum| Some(sum + report.fuel?));
            reading.memory = reading.memory.max(report.memory);
        }
        reading.wall = begun.elapsed();
        reading.cpu = self.plugin.receipt().cpu_time.saturating_sub(before);
        Ok(reading)
    }
}
