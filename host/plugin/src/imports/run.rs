//! What was settled for the run, questions to remote agents, and stored rows.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::bindings::probe::{self, FailureClass};
use crate::bindings::{run, store_read, types};
use crate::materializer::{cells_out, datum_in};
use crate::settled::{ProbeFailure, ProbeFailureClass, ProbeReport, Prober};
use crate::state::{Phase, State};

/// Keys that one call may ask for.
const KEYS_AT_MOST: usize = 65_536;

/// Agents that one call may ask.
const QUESTIONS_AT_MOST: usize = 256;

/// Agents that are asked at a time, whatever a guest says.
const ASKERS_AT_MOST: usize = 16;

/// What an agent answered, or why it did not.
type Answer = Result<ProbeReport, ProbeFailure>;

impl run::Host for State {
    fn setting(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.settled.settings.get(&name).cloned())
    }
}

impl probe::Host for State {
    fn ask(
        &mut self,
        url: String,
        timeout_ms: u32,
    ) -> wasmtime::Result<Result<probe::Report, probe::ProbeFailure>> {
        let answers = self.questions(std::slice::from_ref(&url), timeout_ms, 1);
        answers.into_iter().next().ok_or_else(|| wasmtime::Error::msg("a question has an answer"))
    }

    fn ask_several(
        &mut self,
        urls: Vec<String>,
        timeout_ms: u32,
        at_most: u32,
    ) -> wasmtime::Result<Vec<Result<probe::Report, probe::ProbeFailure>>> {
        if urls.len() > QUESTIONS_AT_MOST {
            let message = format!("it asks more than {QUESTIONS_AT_MOST} agents in one call");
            return Err(wasmtime::Error::msg(message));
        }
        let at_most = usize::try_from(at_most).unwrap_or(ASKERS_AT_MOST);
        Ok(self.questions(&urls, timeout_ms, at_most.clamp(1, ASKERS_AT_MOST)))
    }
}

impl State {
    /// Asks agents, some at a time; the answers are in the order of the questions.
    fn questions(
        &mut self,
        urls: &[String],
        timeout_ms: u32,
        at_most: usize,
    ) -> Vec<Result<probe::Report, probe::ProbeFailure>> {
        let asked = Instant::now();
        let denied = |message: &str| {
            let (class, message) = (ProbeFailureClass::Denied, message.to_owned());
            vec![Err(ProbeFailure { class, message, elapsed_ms: 0 }); urls.len()]
        };
        let answers = match &self.settled.prober {
            _ if self.phase != Phase::Advance => denied("questions are asked in a scan only"),
            Some(prober) => ask_all(&**prober, urls, timeout_ms, at_most),
            None => denied("nothing may be asked: `[probe] allow` in config.toml says what may"),
        };
        self.host_time += asked.elapsed();
        answers.into_iter().map(told).collect()
    }
}

fn ask_all(prober: &dyn Prober, urls: &[String], timeout_ms: u32, at_most: usize) -> Vec<Answer> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(vec![None; urls.len()]);
    let ask = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(url) = urls.get(at) else { return };
            let answer = prober.ask(url, timeout_ms);
            answers.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(answer);
        }
    };
    std::thread::scope(|scope| {
        // One of those who ask is this thread.
        for _ in 1..at_most.min(urls.len()) {
            scope.spawn(ask);
        }
        ask();
    });
    let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.into_iter().flatten().collect()
}

fn told(answer: Answer) -> Result<probe::Report, probe::ProbeFailure> {
    match answer {
        Ok(ProbeReport { inferred_type, elapsed_ms }) => {
            Ok(probe::Report { inferred_type, elapsed_ms })
        }
        Err(ProbeFailure { class: why, message, elapsed_ms }) => {
            Err(probe::ProbeFailure { class: class(why), message, elapsed_ms })
        }
    }
}

fn class(class: ProbeFailureClass) -> FailureClass {
    match class {
        ProbeFailureClass::Denied => FailureClass::Denied,
        ProbeFailureClass::Timeout => FailureClass::Timeout,
        ProbeFailureClass::NameResolution => FailureClass::NameResolution,
        ProbeFailureClass::Refused => FailureClass::Refused,
        ProbeFailureClass::HttpStatus => FailureClass::HttpStatus,
        ProbeFailureClass::Malformed => FailureClass::Malformed,
        ProbeFailureClass::Other => FailureClass::Other,
    }
}

impl store_read::Host for State {
    fn current(
        &mut self,
        dataset: String,
        keys: Vec<Vec<types::Datum>>,
    ) -> wasmtime::Result<Result<Vec<Option<Vec<types::Cell>>>, String>> {
        let asked = Instant::now();
        if keys.len() > KEYS_AT_MOST {
            return Ok(Err(format!("more than {KEYS_AT_MOST} keys at once")));
        }
        let Some(reads) = &self.reads else {
            return Ok(Err("the store is not lent now".to_owned()));
        };
        let keys: Vec<Vec<_>> =
            keys.into_iter().map(|key| key.into_iter().map(datum_in).collect()).collect();
        let answer = reads.current(&dataset, &keys);
        self.host_time += asked.elapsed();
        let told =
            |rows: Vec<Option<Vec<_>>>| rows.into_iter().map(|row| row.map(cells_out)).collect();
        Ok(answer.map(told))
    }
}
