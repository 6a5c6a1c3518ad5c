//! The events that a scan collects until a page of them is sent.

use std::collections::VecDeque;

use crate::{
    Content, Context, Datum, Event, Fact, Failure, FailureClass, Found, Git, Item, Message, Note,
    Part, Skip, Span, Text, Thread, Timing,
};

/// What an event weighs beside its texts.
const EVENT: usize = 64;
/// Pieces that are no record and wait for records before them, at most.
const GAPS: usize = 1_024;

/// Where a scan's findings go, in input order.
#[derive(Debug)]
pub struct Page {
    events: Vec<Event>,
    weight: usize,
    /// The record at hand, and whether an event stands for it.
    current: Option<Span>,
    claimed: bool,
    here: Span,
    /// What is no record, and comes after records that are held.
    gaps: VecDeque<Gap>,
}

/// Bytes that are no record.
#[derive(Debug)]
pub(crate) enum Gap {
    /// Blank lines, and how many.
    Blank(Span, u32),
    /// A damaged record.
    Broken(Failure),
}

impl Gap {
    fn span(&self) -> Span {
        match self {
            Self::Blank(span, _) => *span,
            Self::Broken(failure) => failure.span,
        }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new()
    }
}

impl Page {
    /// Creates an empty page.
    pub fn new() -> Self {
        Self::from(Span { input: 0, offset: 0, length: 0 })
    }

    /// Creates an empty page for what comes from a place on.
    pub(crate) fn from(here: Span) -> Self {
        Self {
            events: Vec::new(),
            weight: 0,
            current: None,
            claimed: false,
            here,
            gaps: VecDeque::new(),
        }
    }

    /// Returns where the bytes that were accounted for so far end: an empty span.
    ///
    /// It is the place of what turns out at the end of an input only, as bytes without a record may follow the last one.
    pub fn here(&self) -> Span {
        self.here
    }

    /// Begins a thread: messages that follow are its own.
    pub fn thread_start(&mut self, thread: Thread) {
        self.push(Event::ThreadStart(thread));
    }

    /// Adds a message to the open thread.
    pub fn message(&mut self, message: Message) {
        self.claim(message.span);
        self.push(Event::Message(message));
    }

    /// Ends the open thread.
    pub fn thread_end(&mut self) {
        self.push(Event::ThreadEnd);
    }

    /// Says something about a thread. A fact stands for no bytes: its record is to be skipped or emitted as well.
    pub fn fact(&mut self, fact: Fact) {
        self.push(Event::Fact(fact));
    }

    /// Adds a finding for a materializer. Several items of one record carry the same span.
    pub fn item(&mut self, span: Span, item: Item) {
        self.claim(span);
        self.push(Event::Item(Found { span, item }));
    }

    /// Says how long the work on one item took, for the report to name the slowest.
    pub fn timing(&mut self, id: impl Into<String>, elapsed_ms: u32) {
        self.push(Event::Timing(Timing { id: id.into(), elapsed_ms }));
    }

    /// Accounts for a record of a known kind that gives no row. Neighbours of one kind become one event.
    pub fn skip(&mut self, span: Span, kind: &str) {
        self.skips(span, kind, 1);
    }

    fn skips(&mut self, span: Span, kind: &str, count: u32) {
        self.claim(span);
        if let Some(Event::Skip(last)) = self.events.last_mut()
            && last.kind == kind
            && last.span.input == span.input
            && last.span.end() == span.offset
        {
            last.span.length += span.length;
            last.count = last.count.saturating_add(count);
            return;
        }
        self.push(Event::Skip(Skip { span, kind: kind.to_owned(), count }));
    }

    /// Accounts for a record that was not understood. The reason is a few words without content.
    pub fn failure(&mut self, span: Span, class: FailureClass, reason: impl Into<String>) {
        self.claim(span);
        self.push(Event::Failure(Failure { span, class, reason: reason.into() }));
    }

    /// Adds something worth telling that is no record.
    pub fn note(&mut self, note: Note) {
        self.push(Event::Note(note));
    }

    /// Keeps the record at hand for later: the scan itself emits its events with a later record, or at the end.
    ///
    /// Order is kept all the same: nothing else may be emitted before what is held.
    pub fn hold(&mut self) {
        self.claimed = true;
    }

    /// Returns true if an event stands for the record at hand.
    pub fn is_claimed(&self) -> bool {
        self.claimed
    }

    pub(crate) fn begin(&mut self, span: Span) {
        self.current = Some(span);
        self.claimed = false;
    }

    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// Takes the events out, in pages of at most `budget` or of one event.
    pub(crate) fn flush(&mut self, budget: usize, mut emit: impl FnMut(&[Event])) {
        self.weight = 0;
        let mut rest = self.events.as_slice();
        while !rest.is_empty() {
            let mut total = 0;
            let fits = rest.iter().take_while(|event| {
                total += weight(event);
                total <= budget
            });
            let (page, after) = rest.split_at(fits.count().max(1));
            emit(page);
            rest = after;
        }
        self.events.clear();
    }

    /// Accounts for bytes that are no record, as soon as those before them are accounted for.
    pub(crate) fn gap(&mut self, gap: Gap) {
        if self.is_next(&gap) {
            return self.fill(gap);
        }
        let span = gap.span();
        match (self.gaps.back_mut(), &gap) {
            (Some(Gap::Blank(last, count)), Gap::Blank(_, more))
                if last.input == span.input && last.end() == span.offset =>
            {
                last.length += span.length;
                *count = count.saturating_add(*more);
            }
            _ => self.gaps.push_back(gap),
        }
    }

    /// Says whether as much that is no record waits as may.
    pub(crate) fn is_crowded(&self) -> bool {
        self.gaps.len() >= GAPS
    }

    /// Accounts for what is no record as far as no held record is before it.
    pub(crate) fn fill_next_gaps(&mut self) {
        while self.gaps.front().is_some_and(|gap| self.is_next(gap)) {
            let gap = self.gaps.pop_front();
            gap.into_iter().for_each(|gap| self.fill(gap));
        }
    }

    /// Accounts for all that is no record: nothing is held any longer.
    pub(crate) fn fill_gaps(&mut self) {
        while let Some(gap) = self.gaps.pop_front() {
            self.fill(gap);
        }
    }

    fn is_next(&self, gap: &Gap) -> bool {
        let span = gap.span();
        let until = if self.here.input == span.input { self.here.offset } else { 0 };
        span.offset <= until
    }

    fn fill(&mut self, gap: Gap) {
        match gap {
            Gap::Blank(span, count) => self.skips(span, "blank", count),
            Gap::Broken(Failure { span, class, reason }) => self.failure(span, class, reason),
        }
    }

    fn claim(&mut self, span: Span) {
        let is_before = |gap: &Gap| {
            let gap = gap.span();
            gap.input != span.input || gap.offset < span.offset
        };
        while let Some(gap) = self.gaps.pop_front_if(|gap| is_before(gap)) {
            self.fill(gap);
        }
        self.here = Span { offset: span.end(), length: 0, ..span };
        self.claimed |= self.current.is_none_or(|current| {
            current.input == span.input
                && span.offset <= current.offset
                && current.end() <= span.end()
        });
    }

    fn push(&mut self, event: Event) {
        self.weight += weight(&event);
        self.events.push(event);
    }
}

/// Returns about as many bytes as the host sees of an event.
fn weight(event: &Event) -> usize {
    EVENT
        + match event {
            Event::ThreadStart(thread) => {
                let ids = [&thread.id, &thread.provider, &thread.session_id, &thread.client];
                512 + ids.iter().map(|id| id.len()).sum::<usize>()
                    + of(&thread.attributes)
                    + context(&thread.context)
            }
            Event::Message(message) => of_message(message),
            Event::ThreadEnd => 0,
            Event::Fact(fact) => fact.name.len() + fact.value.len() + 64,
            Event::Item(Found { item, .. }) => {
                let cells =
                    item.cells.iter().map(|cell| 16 + cell.column.len() + size(&cell.value));
                let ids = item.kind.len() + item.origin.system.len() + item.origin.id.len();
                ids + cells.sum::<usize>() + 64
            }
            Event::Timing(timing) => timing.id.len(),
            Event::Skip(skip) => skip.kind.len(),
            Event::Failure(failure) => failure.reason.len(),
            Event::Note(note) => {
                let pairs = note.attributes.iter().map(|pair| pair.name.len() + pair.value.len());
                note.event.len() + pairs.sum::<usize>()
            }
        }
}

fn size(datum: &Datum) -> usize {
    match datum {
        Datum::Text(text) | Datum::Json(text) => text.len(),
        _ => 8,
    }
}

fn of_message(message: &Message) -> usize {
    let long = of(&message.attributes)
        + of(&message.raw_frame)
        + of(&message.identity)
        + of(&message.compact_metadata);
    let ids = [
        &message.id,
        &message.response_id,
        &message.provider_uuid,
        &message.parent_uuid,
        &message.logical_parent_uuid,
        &message.source_tool_assistant_uuid,
        &message.request_id,
        &message.prompt_id,
        &message.provider_type,
        &message.provider_subtype,
        &message.attachment_type,
        &message.hook_event,
        &message.stop_reason,
    ];
    512 + long
        + ids.iter().map(|id| of(id)).sum::<usize>()
        + message.context.as_ref().map_or(0, context)
        + message.parts.iter().map(part).sum::<usize>()
}

fn context(context: &Context) -> usize {
    let Git { branch, remote, head, root } = &context.git;
    let texts = [
        branch,
        remote,
        head,
        root,
        &context.cwd,
        &context.client_version,
        &context.entrypoint,
        &context.user_type,
        &context.permission_mode,
        &context.agent_id,
        &context.model,
    ];
    texts.iter().map(|text| of(text)).sum()
}

fn part(part: &Part) -> usize {
    let content = match &part.content {
        Content::Text(content) => text(content),
        Content::Thinking(thinking) => maybe(&thinking.text) + of(&thinking.signature),
        Content::ToolCall(call) => of(&call.id) + of(&call.name) + of(&call.input),
        Content::ToolResult(result) => {
            of(&result.call_id) + maybe(&result.text) + of(&result.content)
        }
        Content::Image(blob) | Content::File(blob) => of(&blob.media_type),
        Content::Error(error) => of(&error.code) + maybe(&error.message),
        Content::Other(content) => maybe(content),
    };
    64 + part.block_type.len() + content
}

fn text(text: &Text) -> usize {
    text.value.len() + of(&text.literal)
}

fn maybe(content: &Option<Text>) -> usize {
    content.as_ref().map_or(0, text)
}

fn of(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}
