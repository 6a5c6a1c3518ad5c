//! One provider's part of a run: plan, read with all workers, judge and commit in chunks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use hyp_cache::{Commit, Correction, Listing, UnitState, Untold, Writer};
use hyp_materialize::Window;
use hyp_model::event::{Note, Usage};
use hyp_plugin::{Plugin, RunError};
use tracing::info_span;

use crate::chunk::{CHUNK_BYTES, Chunk, FIRST_CHUNK_BYTES, Judged};
use crate::discover::Found;
use crate::error::BackfillError;
use crate::policy::Policy;
use crate::report::{Progress, ProviderReport, Receipt};
use crate::retold;
use crate::run::{Request, now};
use crate::scope::Scope;
use crate::secrets::Secrets;
use crate::tally::RowTally;
use crate::unit::Ended;
use crate::work::{Agenda, Only, Question, Work, agenda, reader};
use crate::worker::{Parcel, Shared, UnitEnd, note_line, work};

/// Parcels that may wait between the workers and the commit.
const WAITING_PARCELS: usize = 4;

/// The state of one provider's import.
pub(crate) struct Import<'a> {
    pub(crate) plugin: &'a Arc<Plugin>,
    pub(crate) writer: &'a mut Writer,
    pub(crate) request: &'a Request,
    pub(crate) scope: Scope,
    pub(crate) policy: Policy,
    /// What secrets are replaced by rules, if any are.
    pub(crate) secrets: Option<&'a Secrets>,
    pub(crate) window: &'a Window,
    pub(crate) progress: &'a (dyn Fn(Progress) + Sync),
    pub(crate) cancelled: &'a AtomicBool,
    pub(crate) report: ProviderReport,
    /// Threads that got a row.
    pub(crate) sessions: BTreeSet<String>,
}

/// What the chunks of an import add up to.
#[derive(Default)]
struct Sums {
    tallies: HashMap<usize, RowTally>,
    ends: HashMap<usize, Box<UnitEnd>>,
    /// Tokens that units under way tell of stored rows, by row: what holds is known at the unit's end.
    other_tokens: BTreeMap<String, (usize, Usage)>,
    /// True when every unit came to its end and the next run may trust the listing.
    is_whole: bool,
}

impl Sums {
    /// Returns stored rows of units that end now and that these no longer tell.
    fn untold(
        &mut self,
        writer: &mut Writer,
        provider: &str,
        done: &[usize],
        units: &[Work],
    ) -> Result<Vec<Untold>, BackfillError> {
        let mut untold = Vec::new();
        for unit in done {
            if let Some(end) = self.ends.get_mut(unit) {
                untold.extend(retold::untold(writer, provider, &units[*unit].inputs.id, end)?);
            }
        }
        Ok(untold)
    }

    /// Takes in what a chunk tells of stored rows' tokens; returns what holds for units that end with it.
    fn settle_tokens(&mut self, judged: &mut Judged) -> Vec<Correction> {
        for (unit, part_id, usage) in judged.other_tokens.drain(..) {
            self.other_tokens.insert(part_id, (unit, usage));
        }
        judged.late.retain(|(part_id, late)| match self.other_tokens.get_mut(part_id) {
            Some((_, usage)) => {
                *usage = *late;
                false
            }
            None => true,
        });
        let settled = self.other_tokens.extract_if(.., |_, (unit, _)| judged.done.contains(unit));
        settled.map(|(part_id, (_, usage))| Correction::usage(part_id, usage)).collect()
    }
}

impl Import<'_> {
    /// Runs the import and returns its report, of what came before an error as well.
    ///
    /// Fails only when the store does; what the provider or its files do wrong is reported.
    pub(crate) fn run(mut self, found: Found) -> (ProviderReport, Result<(), BackfillError>) {
        let span = info_span!(
            "backfill.provider_start",
            hyp_component = "backfill",
            dev_run_id = self.request.run_id,
            provider = self.report.provider,
            dry_run = self.request.dry_run
        );
        let entered = span.enter();
        for note in &found.notes {
            self.report.notes.push(note_line(note));
        }
        for reason in &found.unreadable {
            self.report.fail(reason.clone());
        }
        self.report.files_seen = found.files.len() as u64;
        let done = self.read_changed(&found);
        self.report.sessions_seen = self.sessions.len() as u64;
        drop(entered);
        let rows = self.report.rows_by_reason.values().sum();
        self.report.receipt = Receipt::of(self.plugin, rows);
        let report = &mut self.report;
        report.diff.settle(&report.rows_by_reason, &report.records_by_kind);
        match &done {
            Ok(()) => self.finish(),
            Err(error) => self.report.fail(crate::explain(error)),
        }
        (self.report, done)
    }

    /// Reads what there is, unless nothing changed.
    fn read_changed(&mut self, found: &Found) -> Result<(), BackfillError> {
        if found.files.is_empty() {
            // The component need not even be started.
            return Ok(());
        }
        if self.is_unchanged(found)? {
            self.report.files_unchanged = self.report.files_seen;
            return Ok(());
        }
        match self.read_all(found) {
            Ok(()) => Ok(()),
            Err(ReadError::Plan(error)) => {
                self.report.fail(crate::explain(&error));
                Ok(())
            }
            Err(ReadError::Store(error)) => Err(error),
        }
    }

    /// Says whether nothing at all changed since a run that left nothing open.
    fn is_unchanged(&self, found: &Found) -> Result<bool, BackfillError> {
        if self.request.full || self.request.quarantined_only {
            return Ok(false);
        }
        let Some(listing) = self.writer.listing(&self.report.provider)? else { return Ok(false) };
        let starts =
            listing.since.is_none_or(|had| self.window.since.is_some_and(|now| had <= now));
        let ends = listing.until.is_none_or(|had| self.window.until.is_some_and(|now| now <= had));
        Ok(starts
            && ends
            && listing.component_digest == self.reader()
            && listing.hash == found.fingerprint())
    }

    fn reader(&self) -> String {
        reader(self.plugin, self.secrets)
    }

    /// Reads what there is to read, and then once more those recordings whose rows turned out to be of other threads
    /// than they say: what a row says of its thread only the recording can tell.
    fn read_all(&mut self, found: &Found) -> Result<(), ReadError> {
        let quarantined = self.quarantined().map_err(ReadError::Store)?;
        let (agenda, notes) = self.agenda(found, quarantined)?;
        self.report.notes.extend(notes.iter().map(note_line));
        self.note(&agenda);
        let is_whole = !self.request.quarantined_only && agenda.outside_window == 0;
        self.read(found, agenda, is_whole).map_err(ReadError::Store)?;

        let stale = self.writer.take_stale();
        if stale.is_empty() || self.request.dry_run || self.cancelled.load(Ordering::Relaxed) {
            return Ok(());
        }
        let provider = self.report.provider.clone();
        let only = Only { inputs: stale.into_iter().collect(), provider };
        let (agenda, _) = self.agenda(found, Some(only))?;
        self.read(found, agenda, false).map_err(ReadError::Store)
    }

    /// Returns the units to read where only those are to be read that hold records in quarantine.
    fn quarantined(&self) -> Result<Option<Only>, BackfillError> {
        if !self.request.quarantined_only {
            return Ok(None);
        }
        let provider = self.report.provider.clone();
        let kept = self.writer.store().quarantine()?.into_iter();
        let inputs = kept.filter(|kept| kept.provider == provider).map(|kept| kept.input_id);
        Ok(Some(Only { inputs: inputs.collect(), provider }))
    }

    /// Works out what to read: what changed, or `only` some units, changed or not.
    fn agenda(
        &mut self,
        found: &Found,
        only: Option<Only>,
    ) -> Result<(Agenda, Vec<Note>), ReadError> {
        let started = Instant::now();
        let mut notes = Vec::new();
        let plan = self.plugin.plan(&found.files, &mut notes).map_err(ReadError::Plan)?;
        let ledger = self
            .writer
            .units(&self.report.provider)
            .map_err(|error| ReadError::Store(error.into()))?;
        let agenda = agenda(
            found,
            plan,
            &Question {
                ledger: &ledger,
                component_digest: &self.reader(),
                window: self.window,
                full: self.request.full || only.is_some(),
                only: only.as_ref(),
                now: now(),
            },
        );
        self.report.time("plan", started.elapsed().as_secs_f64());
        Ok((agenda, notes))
    }

    /// Notes what is not read, and why.
    fn note(&mut self, agenda: &Agenda) {
        self.report.files_unchanged = agenda.unchanged_files;
        for (kind, files) in &agenda.ignored {
            self.report.notes.push(format!("{files} files hold no history: {kind}"));
        }
        for path in &agenda.not_understood {
            self.report.notes.push(format!("not understood: {path}"));
        }
        if agenda.outside_window > 0 {
            let units = agenda.outside_window;
            self.report.notes.push(format!("{units} units last changed before the window"));
        }
    }

    /// Reads units with all workers; `is_whole` where the next run may trust the listing if all of them come to an end.
    fn read(&mut self, found: &Found, agenda: Agenda, is_whole: bool) -> Result<(), BackfillError> {
        (self.progress)(Progress::Discovered {
            provider: self.report.provider.clone(),
            files: agenda.work.iter().map(|work| work.inputs.inputs.len() as u64).sum(),
            bytes: agenda.work.iter().map(|work| work.size).sum(),
        });
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let (to, from) = sync_channel(WAITING_PARCELS);
        let mut sums = Sums {
            is_whole: is_whole
                && found.unreadable.is_empty()
                && agenda.work.iter().all(|work| work.is_settled)
                && found.databases_are_settled(now()),
            ..Sums::default()
        };
        let listing = Listing {
            hash: found.fingerprint(),
            component_digest: self.reader(),
            since: self.window.since,
            until: self.window.until,
        };
        let store = self.writer.store().clone();
        let shared = Shared {
            plugin: self.plugin,
            store: &store,
            secrets: self.secrets,
            units: &agenda.work,
            next: AtomicUsize::new(0),
            cancelled: self.cancelled,
        };
        std::thread::scope(|scope| {
            for _ in 0..workers.min(agenda.work.len()) {
                let (to, shared) = (to.clone(), &shared);
                scope.spawn(move || work(shared, &to));
            }
            drop(to);
            let read = self.commit_all(from, &agenda.work, &mut sums, listing);
            // Whoever still works ends at its next border.
            shared.next.store(usize::MAX / 2, Ordering::Relaxed);
            read
        })
    }

    /// Takes what the workers hand on until they are done; commits whenever a chunk is full.
    fn commit_all(
        &mut self,
        from: Receiver<Parcel>,
        units: &[Work],
        sums: &mut Sums,
        listing: Listing,
    ) -> Result<(), BackfillError> {
        let mut chunk = Chunk::default();
        let mut limit = FIRST_CHUNK_BYTES;
        for parcel in from {
            match parcel {
                Parcel::Rows { unit, produced, mark } => {
                    let tally = sums.tallies.entry(unit).or_default();
                    if let Some(mark) = mark {
                        tally.set_mark(mark);
                    }
                    chunk.add(unit, produced, (&self.scope, &mut self.policy), tally);
                }
                Parcel::Done { unit, end } => {
                    self.progress_of(&units[unit]);
                    sums.ends.insert(unit, end);
                    chunk.done.push(unit);
                }
                Parcel::Unreadable { unit, reason } => {
                    sums.is_whole = false;
                    self.progress_of(&units[unit]);
                    self.warn(reason);
                }
                Parcel::Broken { error } => {
                    // Nothing of this provider is written past the last committed chunk.
                    self.report.fail(crate::explain(&error));
                    return Ok(());
                }
            }
            if chunk.is_full(limit) {
                limit = CHUNK_BYTES;
                self.commit(std::mem::take(&mut chunk), units, sums, None)?;
            }
        }
        sums.is_whole &= !self.cancelled.load(Ordering::Relaxed);
        if !chunk.is_empty() || sums.is_whole {
            self.commit(chunk, units, sums, Some(listing))?;
        }
        Ok(())
    }

    fn commit(
        &mut self,
        mut chunk: Chunk,
        units: &[Work],
        sums: &mut Sums,
        listing: Option<Listing>,
    ) -> Result<(), BackfillError> {
        let judging = Instant::now();
        let span = info_span!(
            "backfill.materialize",
            hyp_component = "backfill",
            dev_run_id = self.request.run_id,
            hyp_dataset = hyp_model::dataset::MESSAGES,
            provider = self.report.provider
        );
        let run_id = &self.request.run_id;
        chunk.untold = sums.untold(self.writer, &self.report.provider, &chunk.done, units)?;
        let judging_all = || chunk.judge(self.writer, &mut self.policy, run_id, &mut sums.tallies);
        let mut judged = span.in_scope(judging_all)?;
        let settled = sums.settle_tokens(&mut judged);
        self.report.diff.correct(&judged.corrections);
        self.report.diff.correct(&settled);
        judged.corrections.extend(settled);
        self.report.time("judge", judging.elapsed().as_secs_f64());
        let ended: Vec<Ended> = judged
            .done
            .iter()
            .filter_map(|unit| {
                let end = sums.ends.remove(unit)?;
                let rows = sums.tallies.remove(unit).unwrap_or_default();
                Some(Ended::new(&self.report.provider, *unit, &units[*unit], *end, rows))
            })
            .collect();
        let before = self.report.clone();
        for ended in &ended {
            self.report.units_resumed += u64::from(ended.is_resumed());
            ended.add_to(&mut self.report);
            sums.is_whole &= !ended.has_ignored();
            for reason in ended.broken_off() {
                sums.is_whole = false;
                self.warn(reason);
            }
        }
        let listing = listing.filter(|_| sums.is_whole);
        self.sessions.extend(judged.sessions.iter().cloned());
        let rows = judged.rows;
        if !self.request.dry_run {
            let written = self.write(judged, ended, units, listing);
            // What a chunk would have written is not told as if it had.
            written.inspect_err(|_| self.report = before)?;
        }
        self.report.rows_written += if self.request.dry_run { 0 } else { rows };
        (self.progress)(Progress::Committed { provider: self.report.provider.clone(), rows });
        Ok(())
    }

    fn write(
        &mut self,
        judged: Judged,
        ended: Vec<Ended>,
        units: &[Work],
        listing: Option<Listing>,
    ) -> Result<(), BackfillError> {
        let writing = Instant::now();
        let span = info_span!(
            "backfill.write",
            hyp_component = "backfill",
            dev_run_id = self.request.run_id,
            hyp_dataset = hyp_model::dataset::MESSAGES,
            provider = self.report.provider,
            row_count = judged.rows
        );
        let _entered = span.enter();
        let mut corrections = judged.corrections;
        corrections.extend(
            judged.late.into_iter().map(|(part_id, usage)| Correction::usage(part_id, usage)),
        );
        self.writer.commit(Commit {
            rows: judged.batch,
            take_over: judged.take_over,
            refreshed: judged.refreshed,
            corrections,
            threads: judged.threads,
            units: ended.iter().map(|ended| self.state_of(ended, &units[ended.unit])).collect(),
            inputs: ended.iter().map(Ended::input_state).collect(),
            totals: ended
                .iter()
                .flat_map(Ended::totals)
                .filter(|total| !self.policy.is_in_part(&total.thread_id))
                .collect(),
            facts: judged.facts,
            quarantine: ended.iter().flat_map(|ended| ended.quarantined(self.secrets)).collect(),
            checkpoints: ended
                .into_iter()
                .filter_map(|ended| {
                    let unit = &units[ended.unit].inputs;
                    ended.checkpoint(unit)
                })
                .collect(),
            listing: listing.map(|listing| (self.report.provider.clone(), listing)),
        })?;
        self.report.time("commit", writing.elapsed().as_secs_f64());
        Ok(())
    }

    fn state_of(&self, ended: &Ended, work: &Work) -> UnitState {
        ended.state(work, &self.reader(), self.window)
    }

    fn progress_of(&self, work: &Work) {
        let provider = self.report.provider.clone();
        (self.progress)(Progress::Read { provider, bytes: work.size });
    }

    fn warn(&mut self, message: String) {
        let provider = self.report.provider.clone();
        (self.progress)(Progress::Warned { provider, message: message.clone() });
        self.report.fail(message);
    }

    fn finish(&mut self) {
        for warning in self.policy.warnings() {
            self.report.warnings.push(warning);
        }
        let finished = self.report.finished(self.cancelled.load(Ordering::Relaxed));
        let report = &self.report;
        info_span!(
            "backfill.provider_finish",
            hyp_component = "backfill",
            dev_run_id = self.request.run_id,
            provider = report.provider,
            items_seen = report.items_seen,
            rows_written = report.rows_written,
            rows_skipped = report.rows_skipped,
            sessions_seen = report.sessions_seen,
            status = if report.error.is_some() { "failed" } else { "ok" }
        )
        .in_scope(|| {});
        (self.progress)(finished);
    }
}

/// Why nothing, or no more, is read.
enum ReadError {
    Plan(RunError),
    Store(BackfillError),
}
