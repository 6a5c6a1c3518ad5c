//! What was settled for the run, questions to remote agents, and stored rows.

use std::time::Instant;

use crate::bindings::probe::{self, FailureClass};
use crate::bindings::{run, store_read, types};
use crate::materializer::{cells_out, datum_in};
use crate::settled::{ProbeFailure, ProbeFailureClass};
use crate::state::{Phase, State};

/// Keys that one call may ask for.
const KEYS_AT_MOST: usize = 65_536;

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
        let asked = Instant::now();
        let denied = |message: &str| ProbeFailure {
            class: ProbeFailureClass::Denied,
            message: message.to_owned(),
            elapsed_ms: 0,
        };
        let answer = match &self.settled.prober {
            _ if self.phase != Phase::Advance => Err(denied("questions are asked in a scan only")),
            Some(prober) => prober.ask(&url, timeout_ms),
            None => {
                Err(denied("nothing may be asked: `[probe] allow` in config.toml says what may"))
            }
        };
        self.host_time += asked.elapsed();
        Ok(match answer {
            Ok(report) => Ok(probe::Report {
                inferred_type: report.inferred_type,
                elapsed_ms: report.elapsed_ms,
            }),
            Err(failure) => Err(probe::ProbeFailure {
                class: class(failure.class),
                message: failure.message,
                elapsed_ms: failure.elapsed_ms,
            }),
        })
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
