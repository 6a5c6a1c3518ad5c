//! The exports of a component, written once for every provider.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::exports::hyp::backfill::provider::{
    Guest, GuestScan, Scan as ScanHandle, ScanBorrow,
};
use crate::bindings::hyp::backfill::{inputs, log, sink, sqlite as host};
use crate::bindings::materializer::exports::hyp::backfill::materializer::Guest as MaterializerGuest;
use crate::bindings::materializer::exports::hyp::backfill::value_sets::Guest as ValueSetsGuest;
use crate::drive::{Checkpoint, Drive, Sink, Source};
use crate::materializer::{self, Materializer};
use crate::sqlite::{Database, Handed, Problem, Query};
use crate::{
    Chunk, Counter, Description, Entry, Event, Fault, Item, Lines, Peek, PlanResult, Progress,
    Provider, ReadError, Scan,
};

/// What is exported for a provider.
pub struct Glue<P>(PhantomData<P>);

impl<P: Provider> Guest for Glue<P> {
    type Scan = Open<P>;

    fn describe() -> Description {
        tell_panics();
        P::description()
    }

    fn plan(entries: Vec<Entry>) -> Result<PlanResult, Fault> {
        tell_panics();
        let mut notes = Vec::new();
        let plan = P::plan(&entries, &mut Host::default(), &mut notes)?;
        if !notes.is_empty() {
            sink::emit(&notes.into_iter().map(Event::Note).collect::<Vec<_>>());
        }
        Ok(plan)
    }

    fn counters(scan: ScanBorrow<'_>) -> Vec<Counter> {
        scan.get::<Open<P>>().0.borrow().0.scan().counters()
    }
}

/// A scan that the host holds.
pub struct Open<P: Provider>(RefCell<(Drive<P::Scan>, Host)>);

impl<P: Provider> GuestScan for Open<P> {
    fn open(
        unit_id: String,
        entries: Vec<Entry>,
        context: Vec<u8>,
        checkpoint: Option<Vec<u8>>,
    ) -> Result<ScanHandle, Fault> {
        tell_panics();
        let inputs = entries.len() as u32;
        let drive = match checkpoint.as_deref() {
            None => Drive::new(P::open(&unit_id, &entries, &context)?, inputs),
            Some(bytes) => {
                let strange = || Fault::source("this is no checkpoint of this provider");
                let checkpoint = Checkpoint::read(bytes).ok_or_else(strange)?;
                let scan = P::resume(&unit_id, &entries, &context, checkpoint.state);
                Drive::from(scan.ok_or_else(strange)?, inputs, &checkpoint)
            }
        };
        Ok(ScanHandle::new(Self(RefCell::new((drive, Host::default())))))
    }

    fn advance(&self, budget: u32) -> Result<Progress, Fault> {
        let (drive, host) = &mut *self.0.borrow_mut();
        drive.advance(budget, host, &mut Pages)
    }
}

/// The host's inputs.
#[derive(Default)]
pub struct Host(Option<inputs::Input>);

impl Host {
    fn input(&mut self) -> Result<&mut inputs::Input, ReadError> {
        self.0.as_mut().ok_or(ReadError::Failed)
    }
}

impl Source for Host {
    fn open(&mut self, input: u32, offset: u64) -> Result<(), ReadError> {
        self.0 = None;
        self.0 = Some(inputs::Input::open(input, offset)?);
        Ok(())
    }

    fn read_lines(&mut self, budget: u32) -> Result<Chunk, ReadError> {
        self.input()?.read_lines(budget)
    }

    fn read_document(&mut self) -> Result<Lines, ReadError> {
        self.input()?.read_document()
    }

    fn database(&mut self, input: u32) -> Result<Box<dyn Database>, Problem> {
        self.0 = None;
        open(input)
    }
}

impl Peek for Host {
    fn head(&mut self, entry: u32, limit: u32) -> Option<Vec<u8>> {
        inputs::head(entry, limit).ok()
    }

    fn tail(&mut self, entry: u32, limit: u32) -> Option<Vec<u8>> {
        inputs::tail(entry, limit).ok()
    }

    fn database(&mut self, entry: u32) -> Result<Box<dyn Database>, Problem> {
        open(entry)
    }
}

fn open(index: u32) -> Result<Box<dyn Database>, Problem> {
    Ok(Box::new(host::Database::open(index)?))
}

impl Database for host::Database {
    fn columns(&mut self, table: &str) -> Result<Vec<String>, Problem> {
        Self::columns(self, table)
    }

    fn query(&mut self, query: &Query) -> Result<(), Problem> {
        Self::query(self, &query.statement, &query.parameters)
    }

    fn next(&mut self, budget: u32) -> Result<Vec<Handed>, Problem> {
        Self::next(self, budget)
    }
}

struct Pages;

impl Sink for Pages {
    fn emit(&mut self, page: &[Event]) {
        sink::emit(page);
    }
}

/// What is exported for a materializer.
pub struct MaterializerGlue<M>(PhantomData<M>);

impl<M: Materializer> MaterializerGuest for MaterializerGlue<M> {
    fn describe() -> materializer::Description {
        tell_panics();
        M::description()
    }

    fn materialize(items: Vec<Item>) -> Result<Vec<materializer::Derived>, Fault> {
        tell_panics();
        M::materialize(&items)
    }
}

impl<M: Materializer> ValueSetsGuest for MaterializerGlue<M> {
    fn describe() -> Vec<materializer::ValueSet> {
        tell_panics();
        M::value_sets()
    }
}

/// A panic only traps; its message has to be told before.
fn tell_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| log::panicked(&panic.to_string())));
    });
}
