//! One run: providers one after the other, each with all the workers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hyp_cache::{RunEnd, RunStart, Store, StoreError, Upkeep, Upkept};
use hyp_materialize::Window;
use hyp_model::dataset::MESSAGES;
use hyp_plugin::{Limits, Plugin};
use tracing::info_span;

use crate::basis::{Arguments, Basis, Source};
use crate::components::{Components, is_enabled, name_of};
use crate::discover::{Found, discover, sweep, terms};
use crate::engine::{Changes, Deriving, Engine, check_sources, may_change, settled};
use crate::error::BackfillError;
use crate::ignored::Ignored;
use crate::import::Import;
use crate::places::Places;
use crate::policy::Policy;
use crate::report::{Progress, ProviderReport, Report, Status, UpkeepReport};
use crate::scope::Scope;
use crate::secrets::Secrets;
use crate::work::reader;

/// What is asked of a run.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Names of providers, in the order in which they run; none means every enabled one whose
    /// source exists.
    pub providers: Vec<String>,
    /// Names of the enabled providers; `None` means all. What is named runs, enabled or not.
    pub enabled: Option<Vec<String>>,
    /// Earliest message to import, inclusive, in microseconds.
    pub since: Option<i64>,
    /// Latest message to import, inclusive, in microseconds.
    pub until: Option<i64>,
    /// Days back from now; `since` wins over it.
    pub retention_days: Option<f64>,
    /// Where what the store keeps begins: earlier rows are not imported, and stored ones expire.
    pub retained_from: Option<i64>,
    /// Reads and judges everything, writes nothing but the run's record.
    pub dry_run: bool,
    /// Reads files again that did not change.
    pub full: bool,
    /// Copies databases of any size where they have to be copied to be read.
    pub allow_copy: bool,
    /// How long to wait for another run to end.
    pub wait: Duration,
    /// Replaces likely secrets before anything is stored; none where they are stored as they are.
    pub secrets: Option<Secrets>,
    /// How providers of other things than messages go about it.
    pub changes: Changes,
    /// Id of the run.
    pub run_id: String,
    /// Reads the units that hold records which were not understood, and no others.
    pub quarantined_only: bool,
    /// The run that this one goes on with; see [`resumed`](crate::resumed).
    pub resumes: Option<String>,
    /// What that run was worked out from; if its sources moved, nothing is done.
    pub sources: Option<Basis>,
    /// Fingerprint of a dry run, and what it was worked out from: if anything of it moved, nothing is done; see
    /// [`applied`](crate::applied).
    pub expected: Option<(String, Basis)>,
}

/// Upkeep after an import takes one part in so many of its time,
const UPKEEP_SHARE: u32 = 10;

/// or this, which is enough for the small files of small imports.
const UPKEEP_LEAST: Duration = Duration::from_millis(300);

impl Request {
    pub(crate) fn window(&self, now: i64) -> Window {
        const DAY: f64 = 86_400e6;
        let days = self.retention_days.filter(|days| *days > 0.0);
        #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what is meant")]
        let retained = days.map(|days| now.saturating_sub((days * DAY) as i64));
        Window { since: self.since.or(retained), until: self.until }
    }
}

/// Returns the time in microseconds.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate that asks the clock")]
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX))
}

/// Imports history.
///
/// Ends at a chunk border soon after `cancelled` is set; what was committed until then stays.
///
/// # Errors
/// Fails as a whole when a provider is unknown or the store cannot be used. What goes wrong with
/// one provider is in its report, and the next one runs all the same.
pub fn run(
    places: &Places,
    request: &Request,
    progress: &(dyn Fn(Progress) + Sync),
    cancelled: &AtomicBool,
) -> Result<Report, BackfillError> {
    match Store::open(&places.store) {
        Ok(_) | Err(StoreError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let started = now();
    let clock = Instant::now();
    let scope = Scope::new(request.window(started), request.retained_from);
    let window = scope.window();
    let mut components = Components::load(places, Limits::default(), &request.providers)?;
    let plugins = components.select(&request.providers, request.enabled.as_deref())?;
    for plugin in &plugins {
        check_sources(plugin, places)?;
    }
    let fills_datasets = of_one_kind(&plugins)?;
    if fills_datasets {
        components.makers.check_rules(request.changes.rules.keys())?;
    }
    // What changes stored rows is written when that was asked for, and else only told.
    let is_asked_first = fills_datasets
        && may_change(&components, &plugins, &request.changes.rules)
            .map_err(|error| BackfillError::Datasets { reason: crate::explain(&error) })?;
    let is_dry = request.dry_run || (is_asked_first && !request.changes.commit);
    let settings = settled(&plugins, &request.changes)?;
    let mut writer = Store::open_or_create(&places.store)?.writer(request.wait, &request.run_id)?;

    let ignored = Ignored::load(&places.store)?;
    let forgotten = writer.store().forgotten()?;

    let terms = terms(&places.store, request.allow_copy);
    sweep(&terms.scratch, started);
    let mut arguments = Arguments::new(request, places, started, fills_datasets);
    // What a dry run tells holds for what it listed, and is done with what is listed now.
    let mut listed = HashMap::new();
    if request.dry_run || request.expected.is_some() || fills_datasets {
        let mut basis = Basis::new(writer.store(), request)?;
        for plugin in &plugins {
            let name = name_of(plugin);
            basis.look(plugin, places, &components.makers, &request.changes);
            let found = discover(plugin.description(), &components.lending(plugin), places, &terms);
            if let Ok(found) = &found
                && !is_absent(request, found)
            {
                let reader = reader(plugin, request.secrets.as_ref());
                basis.add(name, Source::new(&reader, found));
            }
            listed.insert(name.to_owned(), found);
        }
        if let Some((fingerprint, expected)) = &request.expected {
            let what = expected.moved(&basis);
            if !what.is_empty() {
                let fingerprint = fingerprint.clone();
                return Err(BackfillError::Moved { fingerprint, what });
            }
        }
        // Who goes on with the rest of a table that changed would not get what one run gets.
        if let Some((run_id, before)) = request.resumes.as_ref().zip(request.sources.as_ref()) {
            let moved = before.rest_moved(&basis);
            if !moved.is_empty() {
                let (run_id, reason) = (run_id.clone(), moved.join("; "));
                return Err(BackfillError::NotResumable { run_id, reason });
            }
        }
        arguments.basis = (request.dry_run || fills_datasets).then_some(basis);
    }

    // Only now is it certain that something is done.
    let mut deriving = Deriving::new(&components, request.changes.ask.as_ref(), &request.run_id);
    if !is_dry {
        deriving.work(&mut writer, cancelled)?;
    }
    components.host.settle(settings);

    let span = info_span!(
        "backfill.start",
        hyp_component = "backfill",
        dev_run_id = request.run_id,
        provider_count = plugins.len(),
        dry_run = request.dry_run,
        since = window.since,
        until = window.until
    );
    let _entered = span.enter();
    let start = RunStart {
        run_id: request.run_id.clone(),
        started_at: started,
        dry_run: is_dry,
        providers: plugins.iter().map(|plugin| name_of(plugin).to_owned()).collect(),
        since: window.since,
        until: window.until,
        arguments: serde_json::to_string(&arguments).ok(),
        ..RunStart::default()
    };

    let mut report = Report {
        run_id: request.run_id.clone(),
        dry_run: is_dry,
        resumes: request.resumes.clone(),
        fingerprint: request.dry_run.then(|| arguments.fingerprint()),
        derived: deriving.done.clone(),
        ..Report::default()
    };
    let mut report = writer.run(&start, now, |writer, end| {
        let done = plugins.into_iter().try_for_each(|plugin| {
            if cancelled.load(Ordering::Relaxed) {
                return Ok(());
            }
            let found = listed.remove(name_of(&plugin)).unwrap_or_else(|| {
                discover(plugin.description(), &components.lending(&plugin), places, &terms)
            });
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    report.providers.push(refused(name_of(&plugin), &error));
                    return Ok(());
                }
            };
            if is_absent(request, &found) {
                return Ok(());
            }
            if !plugin.description().emits_messages() {
                let engine = Engine {
                    plugin: &plugin,
                    components: &components,
                    writer,
                    request,
                    places,
                    progress,
                    cancelled,
                    writes: !is_dry,
                    report: ProviderReport {
                        provider: name_of(&plugin).to_owned(),
                        plugin: format!("{} {}", name_of(&plugin), plugin.description().version),
                        ..ProviderReport::default()
                    },
                };
                let (told, done) = engine.run(found);
                report.providers.push(told);
                return done;
            }
            let import = Import {
                plugin: &plugin,
                writer,
                request,
                scope,
                policy: Policy::new(ignored.clone(), forgotten.clone(), name_of(&plugin)),
                secrets: request.secrets.as_ref(),
                window: &window,
                progress,
                cancelled,
                report: ProviderReport {
                    provider: name_of(&plugin).to_owned(),
                    plugin: format!("{} {}", name_of(&plugin), plugin.description().version),
                    datasets: vec![MESSAGES.to_owned()],
                    ..ProviderReport::default()
                },
                sessions: BTreeSet::new(),
            };
            let (told, done) = import.run(found);
            report.providers.push(told);
            done
        });
        // Who asked for certain providers did not ask for these.
        if done.is_ok() && request.providers.is_empty() {
            let is_enabled = |name: &str| is_enabled(name, request.enabled.as_deref());
            for (name, error) in components.refused.iter().filter(|(name, _)| is_enabled(name)) {
                report.providers.push(refused(name, error));
            }
            report.without_provider = components.unknown(request.enabled.as_deref().unwrap_or(&[]));
        }
        report.interrupted = cancelled.load(Ordering::Relaxed);
        if done.is_ok() && !is_dry && !report.interrupted {
            report.upkeep = Some(upkeep(writer, request, clock.elapsed(), cancelled));
            report.interrupted = cancelled.load(Ordering::Relaxed);
        }
        // What is refused, or fails, is not done by naming it either.
        let cannot_be_done = |it: &ProviderReport| {
            let is_refused = it.changes.as_ref().is_some_and(|changes| changes.refused.is_some());
            is_refused || it.status == Status::Failed
        };
        if done.is_err() || report.interrupted || report.providers.iter().any(cannot_be_done) {
            report.fingerprint = None;
        }
        finish(&report, end);
        done.map(|()| report)
    })?;
    if !is_dry && !report.interrupted {
        deriving.work(&mut writer, cancelled)?;
        report.derived = deriving.done;
    }
    Ok(report)
}

/// Says whether providers fill datasets, and refuses some that do together with some that do not.
fn of_one_kind(plugins: &[Arc<Plugin>]) -> Result<bool, BackfillError> {
    let of = |emits: bool| plugins.iter().find(|it| it.description().emits_messages() == emits);
    let name = |plugin: &Arc<Plugin>| name_of(plugin).to_owned();
    match (of(true), of(false)) {
        (Some(messages), Some(datasets)) => {
            let (messages, datasets) = (name(messages), name(datasets));
            Err(BackfillError::Mixed { messages, datasets })
        }
        (_, datasets) => Ok(datasets.is_some()),
    }
}

/// Says whether a provider that nobody named has nothing to read.
fn is_absent(request: &Request, found: &Found) -> bool {
    request.providers.is_empty() && !found.has_source && found.unreadable.is_empty()
}

/// Keeps the store in order, for a share of the time that the import took.
fn upkeep(
    writer: &mut hyp_cache::Writer,
    request: &Request,
    took: Duration,
    cancelled: &AtomicBool,
) -> UpkeepReport {
    let span =
        info_span!("backfill.upkeep", hyp_component = "backfill", dev_run_id = request.run_id);
    let upkeep = Upkeep {
        budget: Some((took / UPKEEP_SHARE).max(UPKEEP_LEAST)),
        retained_from: request.retained_from,
        ..Upkeep::default()
    };
    match span.in_scope(|| writer.maintain(&upkeep, cancelled)) {
        Ok(done) => UpkeepReport { done, error: None },
        Err(error) => UpkeepReport { done: Upkept::default(), error: Some(crate::explain(&error)) },
    }
}

fn refused(name: &str, error: &BackfillError) -> ProviderReport {
    let mut report = ProviderReport { provider: name.to_owned(), ..ProviderReport::default() };
    report.fail(crate::explain(error));
    report
}

/// Tells how a run ended.
fn finish(report: &Report, end: &mut RunEnd) {
    let sum = |of: fn(&ProviderReport) -> u64| report.providers.iter().map(of).sum::<u64>();
    let failed =
        report.providers.iter().filter(|provider| provider.status == Status::Failed).count();
    let refused = report.providers.iter().any(ProviderReport::is_refused);
    let status = match (report.interrupted, failed) {
        (true, _) => "interrupted",
        (false, 0) if refused => "refused",
        (false, 0) => "ok",
        _ => "failed",
    };
    let span = info_span!(
        "backfill.finish",
        hyp_component = "backfill",
        dev_run_id = report.run_id,
        total_items = sum(|provider| provider.items_seen),
        total_rows_written = sum(|provider| provider.rows_written),
        total_rows_skipped = sum(|provider| provider.rows_skipped),
        error_count = failed,
        status
    );
    let _entered = span.entered();
    end.status = status.to_owned();
    end.rows_written = sum(|provider| provider.rows_written);
    end.rows_skipped = sum(|provider| provider.rows_skipped);
    end.report = serde_json::to_string(report).unwrap_or_default();
}
