//! Takes in what a client says while it works, by the way that its recordings go later.
//!
//! An exchange is told from its beginning, as far as it went: what was taken in before is recognized, and so is
//! everything when the recording is imported. No row is made twice, whichever of the two comes first.

mod blocks;
mod exchange;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use hyp_cache::{Commit, RunKind, RunStart, Store, Writer};
use hyp_materialize::{Exchange, Source, Window};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::chunk::{Chunk, Judged};
use crate::error::BackfillError;
use crate::ignored::Ignored;
use crate::places::Places;
use crate::policy::Policy;
use crate::run::now;
use crate::scope::Scope;
use crate::secrets::Secrets;
use crate::tally::RowTally;
use crate::worker::input_id;
use exchange::Told;

/// Kind of what [`record`] takes.
pub const PROJECTED_EXCHANGE: &str = "ai_gateway.projected_exchange";

/// What is asked of a recording.
#[derive(Debug, Clone, Default)]
pub struct ExchangeRecording {
    /// Id of the run.
    pub run_id: String,
    /// How long to wait for another run to end.
    pub wait: Duration,
    /// Where what the store keeps begins.
    pub retained_from: Option<i64>,
    /// Replaces likely secrets before anything is stored.
    pub secrets: Option<Secrets>,
}

/// What a recording did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RecordedExchange {
    /// Id of the run, stamped on every row that it wrote.
    pub run_id: String,
    /// Kind of what was taken in.
    pub kind: &'static str,
    /// Threads that it was about.
    pub threads: Vec<String>,
    /// Rows that were written.
    pub rows_written: u64,
    /// Rows by what became of them.
    pub rows_by_reason: BTreeMap<&'static str, u64>,
}

/// Takes in projected exchanges: one object, or an array of them.
///
/// # Errors
/// Fails when the text is no such exchange, or the store cannot be used; nothing is written then.
pub fn record_exchange(
    places: &Places,
    json: &str,
    asked: &ExchangeRecording,
) -> Result<RecordedExchange, BackfillError> {
    let broken = |reason: String| BackfillError::NoExchange { reason };
    let told = read(json).map_err(broken)?;
    let mut writer = Store::open_or_create(&places.store)?.writer(asked.wait, &asked.run_id)?;
    let mut providers: Vec<String> = told.iter().map(|told| told.provider.clone()).collect();
    providers.sort();
    providers.dedup();
    let start = RunStart {
        run_id: asked.run_id.clone(),
        started_at: now(),
        kind: RunKind::Record,
        providers,
        ..RunStart::default()
    };
    writer.run(&start, now, |writer, end| {
        let mut recorded = RecordedExchange {
            run_id: asked.run_id.clone(),
            kind: PROJECTED_EXCHANGE,
            ..RecordedExchange::default()
        };
        let done = told.into_iter().try_for_each(|told| take(writer, told, asked, &mut recorded));
        end.rows_written = recorded.rows_written;
        end.report = serde_json::to_string(&recorded).unwrap_or_default();
        done.map(|()| recorded)
    })
}

fn read(json: &str) -> Result<Vec<Told>, String> {
    let whole: &RawValue = serde_json::from_str(json.trim()).map_err(|error| error.to_string())?;
    match blocks::array(whole) {
        None => exchange::threads(whole),
        Some(list) => {
            let each = list.into_iter().zip(1u32..).map(|(json, number)| {
                exchange::threads(json).map_err(|reason| format!("exchange {number}: {reason}"))
            });
            each.collect::<Result<Vec<_>, _>>().map(|told| told.into_iter().flatten().collect())
        }
    }
}

/// Takes in one thread, in a commit of its own.
fn take(
    writer: &mut Writer,
    told: Told,
    asked: &ExchangeRecording,
    recorded: &mut RecordedExchange,
) -> Result<(), BackfillError> {
    let mut exchange = Exchange::new(Source {
        input_id: input_id(&told.provider, &told.thread_id),
        unit_id: told.thread_id.clone(),
        provider: told.provider.clone(),
        is_live: true,
        ..Source::default()
    });
    for event in told.events {
        let too_big = |refused: hyp_materialize::Refused| BackfillError::NoExchange {
            reason: refused.to_string(),
        };
        exchange.push(event).map_err(too_big)?;
    }
    let (mut produced, _) = exchange.finish();
    if let Some(secrets) = &asked.secrets {
        secrets.redact(&mut produced);
    }
    let store = writer.store();
    let mut policy = Policy::new(Ignored::load(store.dir())?, store.forgotten()?, &told.provider);
    let scope = Scope::new(Window::default(), asked.retained_from);
    let mut tallies: HashMap<usize, RowTally> = HashMap::new();
    let mut chunk = Chunk::default();
    chunk.add(0, produced, (&scope, &mut policy), tallies.entry(0).or_default());
    let judged = chunk.judge(writer, &mut policy, &asked.run_id, &mut tallies)?;
    let Judged { batch, take_over, refreshed, corrections, threads, facts, rows, .. } = judged;
    writer.commit(Commit {
        rows: batch,
        take_over,
        refreshed,
        corrections,
        threads,
        facts,
        ..Commit::default()
    })?;
    recorded.rows_written += rows;
    recorded.threads.push(told.thread_id);
    for (reason, rows) in tallies.remove(&0).unwrap_or_default().rows {
        *recorded.rows_by_reason.entry(reason).or_default() += rows;
    }
    Ok(())
}
