//! What the host keeps for one guest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyp_model::event::{Event, Span};
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::fence::Fence;
use crate::lent::Lent;
use crate::limits::Limits;
use crate::report::Books;
use crate::settled::{Current, Settled};
use crate::worker::Checkpoint;

/// Kind of the messages, which have no item of their own.
pub(crate) const MESSAGE_KIND: &str = "ai_gateway.projected_exchange";

/// Bytes that a guest may write to its standard error.
const COMPLAINTS: usize = 1 << 20;

/// What the guest is being asked for, and so what it may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing: it says what it is, or its resources are dropped.
    Idle,
    /// It groups entries: it may peek at them and emit notes.
    Plan,
    /// It starts on a unit: it may read.
    Open,
    /// It reads on: it may read and emit.
    Advance,
}

/// The data of a store.
pub(crate) struct State {
    pub(crate) provider: Arc<str>,
    pub(crate) kinds: Arc<[String]>,
    pub(crate) limits: Limits,
    pub(crate) settled: Arc<Settled>,
    /// What a materializer may read of the store; a provider nothing.
    pub(crate) reads: Option<Arc<dyn Current>>,
    pub(crate) phase: Phase,
    /// What the guest may read: the entries while planning, the inputs of the unit while scanning.
    pub(crate) lent: Vec<Lent>,
    pub(crate) books: Vec<Books>,
    /// Input and offset that the scan goes on from; what lies before is not lent again.
    pub(crate) from: Option<(usize, u64)>,
    pub(crate) open_inputs: u32,
    pub(crate) page: Vec<Event>,
    /// Bytes of the pages that this call has emitted.
    pub(crate) bytes_in_call: u64,
    pub(crate) bytes_emitted: u64,
    pub(crate) log_lines: u32,
    pub(crate) panic: Option<String>,
    pub(crate) deadline: Instant,
    /// Time spent in host functions, which is not the guest's.
    pub(crate) host_time: Duration,
    pub(crate) table: ResourceTable,
    /// Bytes of linear memory. They are never given back, so it is the most that there were, too.
    pub(crate) memory: usize,
    wasi: WasiCtx,
    /// What guests of other languages say when they crash.
    complaints: MemoryOutputPipe,
}

impl State {
    pub(crate) fn new(
        provider: Arc<str>,
        kinds: Arc<[String]>,
        limits: Limits,
        settled: Arc<Settled>,
    ) -> Self {
        let complaints = MemoryOutputPipe::new(COMPLAINTS);
        Self {
            provider,
            kinds,
            settled,
            reads: None,
            phase: Phase::Idle,
            lent: Vec::new(),
            books: Vec::new(),
            from: None,
            open_inputs: 0,
            page: Vec::new(),
            bytes_in_call: 0,
            bytes_emitted: 0,
            log_lines: limits.log_lines,
            panic: None,
            deadline: Instant::now(),
            host_time: Duration::ZERO,
            table: ResourceTable::new(),
            memory: 0,
            wasi: WasiCtx::builder().stderr(complaints.clone()).build(),
            complaints,
            limits,
        }
    }

    /// Returns what the guest said when it crashed, by the contract's own way or on its standard error.
    pub(crate) fn last_words(&mut self) -> Option<String> {
        /// Characters that are told, counted from the end: there a language names the error.
        const TOLD: usize = 2000;

        self.panic.take().or_else(|| {
            let said = self.complaints.contents();
            let said = String::from_utf8_lossy(&said);
            let said = said.trim();
            let from = said.char_indices().rev().nth(TOLD).map_or(0, |(at, _)| at);
            (!said.is_empty()).then(|| said[from..].to_owned())
        })
    }

    /// Opens the books for a unit that is read from its start or from a checkpoint on.
    pub(crate) fn begin(&mut self, lent: Vec<Lent>, from: Option<&Checkpoint>) {
        self.books = lent.iter().map(|_| Books::default()).collect();
        self.from = from.map(|from| (from.input as usize, from.offset));
        if let Some((input, offset)) = self.from
            && let Some(books) = self.books.get_mut(input)
        {
            *books = Books::from(offset);
        }
        self.lent = lent;
        self.page.clear();
        self.bytes_emitted = 0;
        self.log_lines = self.limits.log_lines;
        self.host_time = Duration::ZERO;
    }

    /// Returns the bytes of the unit's inputs that the guest was handed so far.
    pub(crate) fn bytes_handed(&self) -> u64 {
        self.books.iter().map(|books| books.account.bytes_handed()).sum()
    }

    /// Bytes of events that this unit may have emitted by now.
    pub(crate) fn output_bound(&self) -> u64 {
        let read = self.bytes_handed();
        let each = self.limits.output_bytes_per_input_byte;
        self.limits.output_bytes.saturating_add(read.saturating_mul(each))
    }

    /// Returns the point up to which all that was handed out is accounted for, if that is within an input.
    pub(crate) fn reached(&self) -> Option<(u32, u64)> {
        let at = self.books.iter().rposition(|books| books.opened)?;
        let (books, before) = (&self.books[at], &self.books[..at]);
        let is_whole = !books.ended && books.failed.is_none();
        let is_due = before.iter().all(|books| books.account.unclaimed().is_none());
        let offset = books.account.claimed_to().filter(|_| is_whole && is_due)?;
        Some((u32::try_from(at).ok()?, offset))
    }

    /// Books the bytes that an event accounts for.
    pub(crate) fn claim(&mut self, span: Span) -> Result<(), Fence> {
        let Span { input, offset, length } = span;
        let fence = |reason| Fence::Span { input, offset, length, reason };
        let books = self.books.get_mut(input as usize);
        let books = books.ok_or_else(|| fence("names an input that the unit does not have"))?;
        books.account.claim(span).map_err(|lie| fence(lie.reason()))
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // The bound is on all memories of a guest together.
        let wanted = self.memory.saturating_add(desired.saturating_sub(current));
        if wanted > self.limits.memory {
            return Err(Fence::Memory { wanted }.into());
        }
        self.memory = wanted;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 100_000)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
