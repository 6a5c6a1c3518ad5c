//! Reads units: a component and a materializer state per unit, a queue of results per run.

use std::collections::BTreeSet;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use hyp_cache::Store;
use hyp_materialize::{Counts, Exchange, Produced, Source};
use hyp_model::event::{Event, Micros};
use hyp_model::judge::ThreadFacts;
use hyp_plugin::{Checkpoint, Counter, InputReport, Page, Plugin, RunError, Stop, UnitInputs};

use crate::discover::hex;
use crate::resume::{self, Before, Point};
use crate::retold::Retold;
use crate::secrets::Secrets;
use crate::tally::Tally;
use crate::work::Work;

/// Rows of about this size are handed on together.
const PARCEL_BYTES: usize = 2 << 20;

/// What a worker hands on.
pub(crate) enum Parcel {
    /// Rows of a unit, in order. The mark is a point in it; rows that were handed on earlier lie before it.
    Rows { unit: usize, produced: Produced, mark: Option<(u32, u64)> },
    /// A unit is read to its end; nothing of it follows.
    Done { unit: usize, end: Box<UnitEnd> },
    /// A unit could not be read on, for a reason that is its own; its rows so far stay.
    Unreadable { unit: usize, reason: String },
    /// The component did what no component may: its provider ends here.
    Broken { error: RunError },
}

/// How a unit ended.
pub(crate) struct UnitEnd {
    pub(crate) tally: Tally,
    pub(crate) counts: Counts,
    pub(crate) inputs: Vec<InputReport>,
    pub(crate) counters: Vec<Counter>,
    pub(crate) notes: Vec<String>,
    pub(crate) times: Times,
    /// What is known of the part that was not read again.
    pub(crate) before: Option<Before>,
    /// Where the next run may go on.
    pub(crate) point: Option<Point>,
    pub(crate) retold: Retold,
    pub(crate) guest_seconds: f64,
    pub(crate) row_seconds: f64,
}

/// What the threads of a unit span.
#[derive(Debug, Default)]
pub(crate) struct Times {
    pub(crate) threads: BTreeSet<String>,
    pub(crate) first_at: Option<Micros>,
    pub(crate) last_at: Option<Micros>,
}

impl Times {
    fn note(&mut self, thread: &ThreadFacts) {
        if !self.threads.contains(&thread.thread_id) {
            self.threads.insert(thread.thread_id.clone());
        }
        self.first_at = self.first_at.into_iter().chain(thread.first_at).min();
        self.last_at = self.last_at.into_iter().chain(thread.last_at).max();
    }
}

/// What the workers of a provider share.
pub(crate) struct Shared<'a> {
    pub(crate) plugin: &'a Arc<Plugin>,
    pub(crate) store: &'a Store,
    /// Rules by which secrets are replaced, if they are.
    pub(crate) secrets: Option<&'a Secrets>,
    pub(crate) units: &'a [Work],
    /// The unit that is taken next.
    pub(crate) next: AtomicUsize,
    pub(crate) cancelled: &'a AtomicBool,
}

/// Takes units from the queue until there are none, or the run is told to stop.
pub(crate) fn work(shared: &Shared<'_>, to: &SyncSender<Parcel>) {
    let Shared { plugin, store, secrets, units, next, cancelled } = shared;
    let mut worker = plugin.worker();
    while !cancelled.load(Ordering::Relaxed) {
        let unit = next.fetch_add(1, Ordering::Relaxed);
        let Some(work) = units.get(unit) else { return };
        let source = source(plugin, &work.inputs);
        let mut reading = Reading::new(unit, work, source.clone(), (*secrets, to));
        let mut from = None;
        let (earlier, resume) = resume::look_up(store, &source, work);
        reading.retold.earlier.clone_from(&earlier);
        if let Some(resume) = resume {
            from = Some(resume.from);
            reading.exchange = resume.exchange;
            reading.retold.reach(resume.before.end(), iter::empty());
            reading.before = Some(resume.before);
        }
        let mut scanned =
            worker.scan(&work.inputs, from.as_ref(), cancelled, &mut |page| reading.take(page));
        if from.is_some() && !reading.has_begun && scanned.is_err() {
            // The component does not know its checkpoint any more.
            reading = Reading::new(unit, work, source, (*secrets, to));
            reading.retold.earlier = earlier;
            scanned = worker.scan(&work.inputs, None, cancelled, &mut |page| reading.take(page));
        }
        let parcel = match scanned {
            Ok(report) if report.stopped => match reading.refused {
                Some(reason) => Parcel::Unreadable { unit, reason },
                None => return,
            },
            Ok(report) => {
                let mut end = reading.finish();
                end.inputs = report.inputs;
                end.counters = report.counters;
                end.retold.prints = resume::prints_of_end(&work.inputs);
                end.guest_seconds = report.guest_time.as_secs_f64();
                Parcel::Done { unit, end: Box::new(end) }
            }
            Err(error) if error.is_of_the_unit() => {
                Parcel::Unreadable { unit, reason: crate::explain(&error) }
            }
            Err(error) => Parcel::Broken { error },
        };
        let is_last = matches!(parcel, Parcel::Broken { .. });
        if to.send(parcel).is_err() || is_last {
            return;
        }
    }
}

/// A unit while it is read.
struct Reading<'a> {
    unit: usize,
    work: &'a Work,
    secrets: Option<&'a Secrets>,
    to: &'a SyncSender<Parcel>,
    exchange: Exchange,
    before: Option<Before>,
    point: Option<Point>,
    retold: Retold,
    /// Set where the point is newer than the last parcel.
    mark: Option<(u32, u64)>,
    has_begun: bool,
    parcel: Produced,
    parcel_bytes: usize,
    tally: Tally,
    notes: Vec<String>,
    times: Times,
    /// Why the materializer takes no more.
    refused: Option<String>,
    row_seconds: f64,
}

impl<'a> Reading<'a> {
    fn new(
        unit: usize,
        work: &'a Work,
        source: Source,
        (secrets, to): (Option<&'a Secrets>, &'a SyncSender<Parcel>),
    ) -> Self {
        Self {
            unit,
            work,
            secrets,
            to,
            exchange: Exchange::new(source),
            before: None,
            point: None,
            retold: Retold::default(),
            mark: None,
            has_begun: false,
            parcel: Produced::default(),
            parcel_bytes: 0,
            tally: Tally::default(),
            notes: Vec::new(),
            times: Times::default(),
            refused: None,
            row_seconds: 0.0,
        }
    }

    fn take(&mut self, page: Page) -> Result<(), Stop> {
        let started = Instant::now();
        self.has_begun = true;
        for event in page.events {
            self.tally.note(&event);
            match event {
                Event::Note(note) => self.notes.push(note_line(&note)),
                event => {
                    if let Err(refused) = self.exchange.push(event) {
                        self.refused = Some(refused.to_string());
                        return Err(Stop);
                    }
                }
            }
        }
        let produced = self.exchange.take();
        self.add(produced);
        if let Some(checkpoint) = page.checkpoint {
            self.reach(checkpoint);
        }
        self.row_seconds += started.elapsed().as_secs_f64();
        if self.parcel_bytes >= PARCEL_BYTES {
            self.parcel_bytes = 0;
            let produced = std::mem::take(&mut self.parcel);
            let parcel = Parcel::Rows { unit: self.unit, produced, mark: self.mark.take() };
            self.to.send(parcel).map_err(|_| Stop)?;
        }
        Ok(())
    }

    /// Keeps a checkpoint, if the next run could go on from it.
    fn reach(&mut self, checkpoint: Checkpoint) {
        // Of a unit that nothing was understood of, the end might be.
        if self.tally.understood == 0 && self.before.is_none() {
            return;
        }
        let state = (&self.exchange, &self.tally);
        if let Some(point) = Point::new(checkpoint, self.point.as_ref(), self.work, state) {
            self.mark = Some(point.place());
            self.retold.reach(point.place(), self.exchange.held_back());
            self.point = Some(point);
        }
    }

    fn finish(mut self) -> UnitEnd {
        let started = Instant::now();
        let exchange = std::mem::replace(&mut self.exchange, Exchange::new(Source::default()));
        let (produced, counts) = exchange.finish();
        self.add(produced);
        // A closed channel is noticed by the caller's own send.
        let (unit, produced, mark) = (self.unit, self.parcel, self.mark);
        let _ = self.to.send(Parcel::Rows { unit, produced, mark });
        UnitEnd {
            tally: self.tally,
            counts,
            inputs: Vec::new(),
            counters: Vec::new(),
            notes: self.notes,
            times: self.times,
            before: self.before,
            point: self.point,
            retold: self.retold,
            guest_seconds: 0.0,
            row_seconds: self.row_seconds + started.elapsed().as_secs_f64(),
        }
    }

    fn add(&mut self, mut produced: Produced) {
        if let Some(secrets) = self.secrets {
            secrets.redact(&mut produced);
        }
        produced.rows.iter().for_each(|row| self.retold.note(row));
        self.parcel_bytes += produced.rows.iter().map(crate::chunk::weight).sum::<usize>();
        for thread in &produced.threads {
            self.times.note(thread);
        }
        self.parcel.rows.extend(produced.rows);
        self.parcel.threads.extend(produced.threads);
        self.parcel.late.extend(produced.late);
        self.parcel.facts.extend(produced.facts);
    }
}

fn source(plugin: &Plugin, inputs: &UnitInputs) -> Source {
    let provider = plugin.description().name.clone();
    let path = inputs.inputs.first().map_or(String::new(), |lent| lent.entry.path.clone());
    Source {
        input_id: input_id(&provider, &inputs.id),
        source_path_hash: hex(&hyp_model::row::Key::of(path.as_bytes()).0[..8]),
        provider,
        unit_id: inputs.id.clone(),
        path_below_root: path,
        is_live: false,
    }
}

/// Returns the identity of a recording: the same wherever the file lies and whatever it is called.
pub(crate) fn input_id(provider: &str, unit: &str) -> String {
    hex(&hyp_model::row::Key::of(format!("{provider}\0{unit}").as_bytes()).0)
}

/// Returns a note as one line.
pub(crate) fn note_line(note: &hyp_model::event::Note) -> String {
    let attributes: Vec<String> =
        note.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{} {}", note.event, attributes.join(" ")).trim_end().to_owned()
}
