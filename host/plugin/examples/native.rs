//! What the sandbox costs: a provider's work done natively, and done by its component, over the same files.
//!
//! `cargo run --release --example native -- claude FOLDER…` prints CPU-bound wall seconds of one thread, the best of
//! five. A folder is below one of the provider's roots; every `.jsonl` file in it is read as one unit.

#![expect(clippy::print_stdout, reason = "the figures are what the example is for")]

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use hyp_plugin::{Compression, Entry, Host, Lent, Limits, Source, UnitInputs, digest_of};
use hyp_provider_claude::Claude;
use hyp_provider_codex::Codex;
use hyp_sdk::drive::{self, Drive, Sink};
use hyp_sdk::{Chunk, Event, Lines, Provider, ReadError};

/// Rounds of which the best counts.
const ROUNDS: usize = 5;

/// What a call into a provider is asked for, as the host asks for it.
const BUDGET: u32 = 256 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let provider = args.next().ok_or("name a provider, then folders")?;
    let mut files = Vec::new();
    for folder in args {
        list(Path::new(&folder), &mut files)?;
    }
    let bytes: u64 = files.iter().map(|lent| lent.entry.size).sum();
    println!("{provider}: {} files, {:.0} MB", files.len(), megabytes(bytes));
    let native = best(|| match provider.as_str() {
        "claude" => natively::<Claude>(&files),
        _ => natively::<Codex>(&files),
    })?;
    print("native", native, bytes, native);
    let watched = best_of_component(&provider, &files, Limits::default())?;
    print("component", watched, bytes, native);
    let unwatched = Limits { advance_deadline: Limits::NO_DEADLINE, ..Limits::default() };
    let unwatched = best_of_component(&provider, &files, unwatched)?;
    print("component, no deadlines", unwatched, bytes, native);
    Ok(())
}

fn list(folder: &Path, found: &mut Vec<Lent>) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        if file.is_dir() {
            list(&file, found)?;
        } else if file.extension().is_some_and(|it| it == "jsonl") {
            let (root, path) = ("projects".to_owned(), file.display().to_string());
            let size = file.metadata()?.len();
            let entry = Entry { root, path, size, modified: 0 };
            found.push(Lent { entry, file, compression: Compression::None, database: None });
        }
    }
    Ok(())
}

/// Returns the shortest time that some work takes.
fn best(mut work: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        work()?;
        best = best.min(started.elapsed());
    }
    Ok(best)
}

fn natively<P: Provider>(files: &[Lent]) -> Result<(), Box<dyn Error>> {
    for lent in files {
        let Entry { root, path, size, modified } = lent.entry.clone();
        let entries = [hyp_sdk::Entry { root, path, size, modified }];
        let scan =
            P::open(&lent.entry.path, &entries, &[]).map_err(|fault| format!("{fault:?}"))?;
        let mut drive = Drive::new(scan, 1);
        let mut input = Input { path: lent.file.clone(), open: None, offset: 0 };
        while !drive.advance(BUDGET, &mut input, &mut Dropped).map_err(|it| format!("{it:?}"))?.done
        {
        }
    }
    Ok(())
}

/// A file, read in chunks of whole lines.
struct Input {
    path: PathBuf,
    open: Option<BufReader<File>>,
    offset: u64,
}

impl drive::Source for Input {
    fn open(&mut self, _: u32, _: u64) -> Result<(), ReadError> {
        let file = File::open(&self.path).map_err(|_| ReadError::Failed)?;
        self.open = Some(BufReader::with_capacity(64 << 10, file));
        Ok(())
    }

    fn read_lines(&mut self, budget: u32) -> Result<Chunk, ReadError> {
        let open = self.open.as_mut().ok_or(ReadError::Failed)?;
        let mut bytes = Vec::with_capacity(budget as usize + 4096);
        open.take(budget.into()).read_to_end(&mut bytes).map_err(|_| ReadError::Failed)?;
        open.read_until(b'\n', &mut bytes).map_err(|_| ReadError::Failed)?;
        if bytes.is_empty() {
            return Ok(Chunk::End);
        }
        let offset = self.offset;
        self.offset += bytes.len() as u64;
        Ok(Chunk::Lines(Lines { offset, bytes }))
    }

    fn read_document(&mut self) -> Result<Lines, ReadError> {
        Err(ReadError::Denied)
    }
}

/// Looks at events as little as can be.
struct Dropped;

impl Sink for Dropped {
    fn emit(&mut self, page: &[Event]) {
        std::hint::black_box(page.len());
    }
}

fn best_of_component(
    provider: &str,
    files: &[Lent],
    limits: Limits,
) -> Result<Duration, Box<dyn Error>> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../providers/dist");
    let path = dist.join(format!("{provider}.wasm"));
    let digest = digest_of(&std::fs::read(&path)?);
    let plugin = Host::new(None, limits)?.load(Source::File { path, digest })?;
    let mut worker = plugin.worker();
    best(|| {
        for lent in files {
            let (id, inputs) = (lent.entry.path.clone(), vec![lent.clone()]);
            let unit = UnitInputs { id, inputs, context: Vec::new() };
            worker.scan(&unit, None, &AtomicBool::new(false), &mut |page| {
                std::hint::black_box(page.events.len());
                Ok(())
            })?;
        }
        Ok(())
    })
}

#[expect(clippy::cast_precision_loss, reason = "megabytes for a person")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn print(name: &str, time: Duration, bytes: u64, native: Duration) {
    let seconds = time.as_secs_f64();
    let rate = megabytes(bytes) / seconds;
    println!(
        "  {name:<24} {seconds:7.3} s  {rate:6.0} MB/s  {:5.2}",
        seconds / native.as_secs_f64()
    );
}
