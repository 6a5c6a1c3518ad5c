//! `hyp plugin bench`: what a component costs, beside what it may cost.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyp_backfill::{Gauge, Reading, Startup};
use hyp_model::Exit;
use serde::Serialize;

use super::BenchArgs;
use super::fetch::fetch_local;
use super::trial::{folder, temporary};
use crate::commands::{print, print_json, say};
use crate::failure::Failure;
use crate::{interrupt, text};

/// Times that the component is brought up, and that the folder is read; the best counts.
const ROUNDS: usize = 5;

/// Milliseconds that a compiled component may take to be loaded and instantiated.
const STARTUP: Duration = Duration::from_millis(3);

/// How long it is tried to see it start as fast as that: what was compiled is read whole for as long as it was only just
/// written.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a component may compute for each byte, and whatever it reads.
const FUEL_PER_BYTE: u64 = 1000;
const FUEL_AT_LEAST: u64 = 50_000_000;

/// Bytes of memory that a component may have for each byte that it reads, and whatever it reads.
const MEMORY_PER_BYTE: u64 = 1;
const MEMORY_AT_LEAST: u64 = 48 << 20;

/// Megabytes a second that a component should read.
const RATE: f64 = 10.0;

/// Bytes below which a rate says nothing.
const ENOUGH: u64 = 1_000_000;

/// What was measured.
#[derive(Debug, Serialize)]
struct Figures {
    size: u64,
    compile_ms: f64,
    load_ms: f64,
    instantiate_ms: f64,
    units: u64,
    bytes: u64,
    mb_per_second: f64,
    cpu_seconds: f64,
    guest_seconds: f64,
    fuel: u64,
    fuel_per_byte: f64,
    memory_bytes: u64,
    memory_per_mb: f64,
    over: Vec<&'static str>,
}

/// Runs `hyp plugin bench`.
pub(super) fn bench(args: &BenchArgs) -> Result<Exit, Failure> {
    let on = folder(&args.on)?;
    let fetched = fetch_local(&args.source)?;
    let scratch = temporary()?;
    let cancelled = interrupt::flag();
    let file = Path::new(&fetched.source);
    let gauge = Gauge::new(file, &fetched.bytes, scratch.path())?;
    let is_cancelled = || cancelled.load(Ordering::Relaxed);
    // What else the machine does makes a time longer, never shorter: the best of some tries is told.
    let (mut startup, begun) = (gauge.startup()?, Instant::now());
    let sum = |it: &Startup| it.load + it.instantiate;
    while sum(&startup) > STARTUP && begun.elapsed() < PATIENCE && !is_cancelled() {
        startup = std::cmp::min_by_key(startup, gauge.startup()?, sum);
    }
    let mut best: Option<Reading> = None;
    for _ in 0..ROUNDS {
        let Some(reading) = read(&gauge, &on, &cancelled)? else { return Ok(Exit::Interrupted) };
        let is_better = best.is_none_or(|best| reading.wall < best.wall);
        best = if is_better { Some(reading) } else { best };
    }
    let metered = Gauge::metered(file, &fetched.bytes, scratch.path())?;
    let Some(counted) = read(&metered, &on, &cancelled)? else { return Ok(Exit::Interrupted) };
    let Some(best) = best.filter(|best| best.bytes > 0) else {
        let message = format!("the component reads nothing below `{}`", on.display());
        return Err(Failure::Refused { command: "hyp plugin bench", message });
    };
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let mut figures = Figures {
        size: fetched.bytes.len() as u64,
        compile_ms: ms(gauge.compile),
        load_ms: ms(startup.load),
        instantiate_ms: ms(startup.instantiate),
        units: best.units,
        bytes: best.bytes,
        mb_per_second: best.bytes as f64 / 1e6 / best.wall.as_secs_f64(),
        cpu_seconds: best.cpu.as_secs_f64(),
        guest_seconds: best.guest.as_secs_f64(),
        fuel: counted.fuel.unwrap_or_default(),
        fuel_per_byte: counted.fuel.unwrap_or_default() as f64 / counted.bytes.max(1) as f64,
        memory_bytes: counted.memory,
        memory_per_mb: counted.memory as f64 / (counted.bytes.max(1) as f64 / 1e6),
        over: over(&counted),
    };
    if sum(&startup) > STARTUP {
        figures.over.push("startup");
    }
    if figures.bytes >= ENOUGH && figures.mb_per_second < RATE {
        figures.over.push("rate");
    }
    if args.json {
        print_json(&figures)?;
    } else {
        print(&show(&figures))?;
    }
    if !figures.over.is_empty() {
        say(&format!("over budget: {}", figures.over.join(", ")));
    }
    Ok(if figures.over.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Reads the folder once; an interrupt leaves nothing, since what a part cost says nothing of the whole.
fn read(gauge: &Gauge, on: &Path, cancelled: &AtomicBool) -> Result<Option<Reading>, Failure> {
    let is_cancelled = || cancelled.load(Ordering::Relaxed);
    if is_cancelled() {
        return Ok(None);
    }
    let reading = gauge.read(on, cancelled);
    if is_cancelled() { Ok(None) } else { Ok(Some(reading?)) }
}

/// Says which budgets of computation and memory a reading is over.
pub(super) fn over(reading: &Reading) -> Vec<&'static str> {
    let mut over = Vec::new();
    if reading.fuel.is_some_and(|fuel| fuel > FUEL_AT_LEAST + FUEL_PER_BYTE * reading.bytes) {
        over.push("fuel");
    }
    if reading.memory > MEMORY_AT_LEAST + MEMORY_PER_BYTE * reading.bytes {
        over.push("memory");
    }
    over
}

fn show(it: &Figures) -> String {
    let cpu = format!("{:.2} s", it.cpu_seconds);
    let rows = [
        ("size", text::bytes(it.size), String::new()),
        ("compile", format!("{:.0} ms", it.compile_ms), "once, at install".to_owned()),
        ("load", format!("{:.2} ms", it.load_ms), String::new()),
        (
            "start",
            format!("{:.2} ms", it.instantiate_ms),
            format!("with load at most {} ms", STARTUP.as_millis()),
        ),
        ("read", text::bytes(it.bytes), format!("in {} units, best of {ROUNDS}", it.units)),
        (
            "rate",
            format!("{:.0} MB/s", it.mb_per_second),
            if it.bytes < ENOUGH {
                "too little was read to tell".to_owned()
            } else {
                format!("at least {RATE:.0} MB/s")
            },
        ),
        ("cpu", cpu, format!("{:.2} s of it in the component", it.guest_seconds)),
        (
            "fuel",
            format!("{:.0} a byte", it.fuel_per_byte),
            format!("at most {FUEL_PER_BYTE} a byte"),
        ),
        (
            "memory",
            text::bytes(it.memory_bytes),
            format!(
                "{} a MB read; at most {}, and a byte for each that is read",
                text::bytes(it.memory_per_mb.round() as u64),
                text::bytes(MEMORY_AT_LEAST)
            ),
        ),
    ];
    rows.map(|(name, value, beside)| {
        format!("{name:<8} {value:>12}  {beside}").trim_end().to_owned() + "\n"
    })
    .concat()
}
