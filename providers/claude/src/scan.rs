//! A transcript being read.

use hyp_sdk::json::Tape;
use hyp_sdk::{
    Context, Counter, Entry, Fact, Fault, Message, Page, Reading, Record, Scan, Span, Subject,
    Thread, ThreadKind,
};

use crate::context::{Beside, beside};
use crate::copied::Copied;
use crate::head::{client, follows_another, head, is_stub, origin};
use crate::line::{Line, owned};
use crate::path::{Place, is_uuid};
use crate::queue::Queue;
use crate::response::Responses;
use crate::spill::Spills;
use crate::total::Total;
use crate::waiting::Waiting;
use crate::{DESKTOP, aside, kind, message, notice};

/// One transcript: one thread, and another for each session that begins in the midst of it.
#[derive(Debug)]
pub struct Transcript {
    /// The transcript, and what is beside it.
    entries: Vec<Entry>,
    /// Identity of the thread where the place of the file gives it.
    id: String,
    beside: Beside,
    /// First time in the file, of any line.
    first: Option<i64>,
    /// Last time in the session before it, where that is in the same file.
    after: Option<i64>,
    /// Whether records of the client's own, which messages may follow, came before the thread.
    has_links: bool,
    waiting: Waiting,
    pub(crate) open: Option<Open>,
    /// Facts that came before the thread.
    pub(crate) early: Vec<Fact>,
    pub(crate) queue: Queue,
    pub(crate) responses: Responses,
    pub(crate) spills: Spills,
    pub(crate) total: Option<Total>,
}

/// The thread, once its first message has come.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) id: String,
    pub(crate) session: String,
    pub(crate) context: Context,
    /// The session that it was forked from, or that its client was in before, as far as lines have said.
    pub(crate) origin: Option<String>,
    /// Whether it holds something that is known to be no copy: a prompt, or all that stands behind another session.
    pub(crate) is_own: bool,
    /// Whether another session was resumed in the midst of it: what it begins with is no copy then.
    pub(crate) has_resumed: bool,
    /// Id of its last line or record that has one.
    pub(crate) last_id: Option<String>,
    /// Time of its latest line.
    pub(crate) last_time: Option<i64>,
    /// How much of a session can be copied; sub-agents are not.
    pub(crate) copied: Option<Copied>,
    /// The head, as long as the thread is one answer to nothing.
    pub(crate) stub: Option<Thread>,
}

impl Open {
    /// Returns the session that begins with a line in the midst of another one's file, as version 1.0 has it after `/clear`.
    fn next_session(&self, line: &Line<'_>) -> Option<String> {
        let follows = line.parent.or(line.logical_parent).or(line.forked_from).is_some();
        let may_end = self.is_own && self.id == self.session;
        let said = owned(line.session).filter(|_| may_end && !follows && !self.is_told_again(line));
        said.filter(|said| *said != self.session && is_uuid(said))
    }

    /// Says whether a line is an older one that was written again: then its text is in a list.
    fn is_told_again(&self, line: &Line<'_>) -> bool {
        let content = line.message.and_then(|message| message.get("content"));
        line.time() < self.last_time && content.is_some_and(|content| content.is_array())
    }

    /// Notices where version 1.0 resumes another session in the midst of this one: lines name that one and follow none of
    /// these. A fork begins with such lines, each of which follows the one before.
    fn notice_resumed(&mut self, line: &Line<'_>) {
        let is_said = line.forked_from.or(line.request_session).is_some();
        let is_other = owned(line.session).is_some_and(|said| said != self.session);
        if !is_other || is_said || !self.is_own || self.origin.is_some() {
            return;
        }
        self.has_resumed |= owned(line.parent).is_none_or(|parent| self.last_id != Some(parent));
    }
}

impl Transcript {
    /// Prepares to read a unit of the plan.
    pub(crate) fn open(unit: &str, entries: &[Entry], context: &[u8]) -> Result<Self, Fault> {
        let entry = entries.first().ok_or_else(|| Fault::source("a unit without a transcript"))?;
        let place = Place::of(&entry.path);
        let mut beside = beside(context);
        Ok(Self {
            id: if place.is_unique() { place.id() } else { unit.to_owned() },
            entries: entries.to_vec(),
            first: None,
            after: None,
            has_links: false,
            waiting: Waiting::default(),
            open: None,
            early: beside.title.take().map(titled).into_iter().collect(),
            beside,
            queue: Queue::default(),
            responses: Responses::default(),
            spills: Spills::default(),
            total: None,
        })
    }

    /// Begins the thread with the first line that gives a message.
    fn begin(&mut self, line: &Line<'_>, made: &Message, out: &mut Page) -> Context {
        let entry = &self.entries[0];
        let follows = !self.has_links && follows_another(line, &self.id);
        let is_left = message::is_interruption(made, line);
        let goes_on = follows && !is_left;
        let meta = &self.beside.meta;
        let mut thread = head(Place::of(&entry.path), &self.id, line, meta, goes_on);
        let origin = thread.forked_from.clone();
        if follows && is_left {
            // The last word of the session before this one, of which nothing else is here.
            thread.forked_from = None;
        }
        let context = self.beside.hook.thread(line);
        thread.client = client(entry.root == DESKTOP, &context).to_owned();
        // A fork may begin with a record of its own time; what it copied began before.
        let first = self.first.into_iter().chain(line.time()).min();
        // What 1.0 begins it with after `/clear` has the time of the client's own beginning.
        thread.started_at = first.max(self.after);
        thread.context = context.clone();
        self.open = Some(Open {
            id: thread.id.clone(),
            session: thread.session_id.clone(),
            context: context.clone(),
            origin,
            is_own: false,
            has_resumed: false,
            last_id: None,
            last_time: None,
            copied: thread.parent_thread_id.is_none().then(Copied::default),
            stub: is_stub(&thread, line).then(|| thread.clone()),
        });
        out.thread_start(thread);
        self.early.drain(..).for_each(|fact| out.fact(fact));
        context
    }

    fn message(&mut self, record: &Record<'_>, line: &Line<'_>, kind: &str, out: &mut Page) {
        let is_said = !matches!(kind, "system" | "attachment");
        let next = self.open.as_ref().filter(|_| is_said).and_then(|open| open.next_session(line));
        let begins = next.is_some();
        if let Some(session) = next {
            self.after = self.open.as_ref().and_then(|open| open.last_time);
            self.close(out);
            (self.id, self.first, self.has_links) = (session, line.time(), true);
        }
        // A thread without a message is none, so the first one is made before the thread is there.
        let unset = Context::default();
        let thread = self.open.as_ref().map_or(&unset, |open| &open.context);
        let hook = &self.beside.hook;
        let made = match kind {
            "system" => Some(notice::system(record, line, hook, thread)),
            "attachment" => {
                self.queue.see_attachment();
                let name = owned(line.attachment.and_then(|it| it.get("type")));
                let name = name.as_deref().unwrap_or("unnamed");
                let made = notice::attached(record, line, name, hook, thread);
                if made.is_none() {
                    out.skip(record.span, &format!("attachment.{name}"));
                }
                made
            }
            _ => {
                let made = message::spoken(record, line, hook, thread);
                if made.is_none() && line.message.is_some_and(|message| message.is_object()) {
                    out.skip(record.span, "empty");
                }
                made
            }
        };
        let Some(mut made) = made else { return };
        self.responses.tell_apart(&mut made);
        if let Some(open) = &mut self.open {
            open.stub = None;
        } else {
            let context = self.begin(line, &made, out);
            let model = made.context.take().and_then(|context| context.model);
            made.context = self.beside.hook.message(line, model, &context);
        }
        if let Some(open) = self.open.as_mut().filter(|_| begins) {
            // It copies nothing, and another one may follow though nobody said anything in it.
            open.is_own = true;
        }
        if kind == "assistant" {
            self.emit_lost(record.span, out);
        } else {
            if message::is_prompt(&made, line) {
                self.queue.see_prompt(&made);
                let said = owned(line.session);
                let own = self.open.as_mut().filter(|open| said.as_ref() == Some(&open.session));
                own.into_iter().for_each(|open| open.is_own = true);
            }
            self.queue.see(&made);
        }
        if self.entries.len() > 1 {
            let noted = line.tool_use_result.and_then(|result| result.get("persistedOutputPath"));
            self.spills.look(&made, owned(noted).as_deref());
        }
        out.message(made);
        if let Some(open) = &mut self.open {
            open.notice_resumed(line);
            open.last_id = owned(line.uuid).or(open.last_id.take());
            open.last_time = line.time().max(open.last_time);
        }
        self.note_origin(line, out);
        if let Some(copied) = self.copied() {
            copied.line(line, kind);
        }
    }

    /// Ends the thread.
    fn close(&mut self, out: &mut Page) {
        let Some(mut open) = self.open.take() else { return };
        if let Some(copied) = &open.copied {
            out.fact(copied.fact());
        }
        out.thread_end();
        if let Some(mut thread) = open.stub.take() {
            thread.kind = ThreadKind::Side;
            out.thread_start(thread);
            out.thread_end();
        }
    }

    fn copied(&mut self) -> Option<&mut Copied> {
        self.open.as_mut()?.copied.as_mut()
    }

    /// Emits the prompts that turn out to be nowhere but in the queue.
    fn emit_lost(&mut self, at: Span, out: &mut Page) {
        while let Some(message) = self.queue.lost(at) {
            out.message(message);
        }
    }

    /// Says that a thread is a fork where that shows only after its start, and of which session: a fork of a fork has lines
    /// of both, and those of the nearer one come last.
    fn note_origin(&mut self, line: &Line<'_>, out: &mut Page) {
        let may_be = |open: &&mut Open| is_uuid(&open.id) && !open.has_resumed;
        let Some(open) = self.open.as_mut().filter(may_be) else { return };
        let said = origin(line, &open.session);
        let is_news = |said: &String| open.origin.as_ref() != Some(said) && *said != open.id;
        if let Some(origin) = said.filter(is_news) {
            open.origin = Some(origin.clone());
            out.fact(Fact::new(Subject::ThisThread, "forked-from", origin));
        }
    }

    /// Takes a record of the client's own. Some of them say something about the thread, or hold a message.
    fn state(&mut self, record: &Record<'_>, word: &str, out: &mut Page) {
        let json = record.json;
        if let Some(copied) = self.copied() {
            copied.record(json);
        }
        if self.first.is_none() {
            self.first = Line::of(json).time();
        }
        if let Some(id) = owned(json.get("uuid")) {
            self.has_links = true;
            if let Some(open) = &mut self.open {
                open.last_id = Some(id);
            }
        }
        match word {
            "queue-operation" => self.queue.operate(json),
            "cost-state" => self.total = Total::of(json).or(self.total.take()),
            "progress" => {
                if let Some(message) = self.aside(record) {
                    return out.message(message);
                }
            }
            _ => {}
        }
        let own = self.open.as_ref().map_or(&self.id, |open| &open.id);
        if let Some(fact) = kind::fact(word, json, own) {
            if self.open.is_some() {
                out.fact(fact);
            } else {
                self.early.push(fact);
            }
        }
        out.skip(record.span, word);
    }

    /// Reads the lines that wait.
    fn go_on(&mut self, out: &mut Page) {
        let lines = self.waiting.end();
        if lines.is_empty() {
            return;
        }
        let mut tape = Tape::new();
        for (span, bytes) in lines {
            if let Ok(json) = tape.parse_document(&bytes) {
                self.read(&Record { input: span.input, span, json, bytes: &bytes }, out);
            }
        }
        // What stands before the prompt is not what was copied.
        if let Some(copied) = self.copied() {
            *copied = Copied::default();
        }
    }

    fn read(&mut self, record: &Record<'_>, out: &mut Page) {
        let json = record.json;
        let known = json.get("type").and_then(|kind| kind.str());
        if let Some(word) = known.as_deref()
            && kind::is_known(word)
        {
            return self.state(record, word, out);
        }
        if !json.is_object() {
            return;
        }
        let line = Line::of(json);
        self.first = self.first.or_else(|| line.time());
        match known.as_deref() {
            Some(word @ ("user" | "assistant" | "system" | "attachment")) => {
                self.message(record, &line, word, out);
            }
            // Some tools write messages in the client's form without saying what they are.
            None if line.message.is_some_and(kind::is_message) => {
                self.message(record, &line, "user", out);
            }
            _ => {}
        }
    }

    fn aside(&self, record: &Record<'_>) -> Option<Message> {
        let thread = &self.open.as_ref()?.context;
        aside::message(record, &self.beside.agents, &self.beside.hook, thread)
    }
}

/// Returns the fact of a title that the application around the client gave.
fn titled(title: String) -> Fact {
    Fact::new(Subject::ThisThread, "title", title).rank(2)
}

impl Scan for Transcript {
    fn reading(&self, input: u32) -> Reading {
        let entry = self.entries.get(input as usize);
        match entry {
            _ if input == 0 => Reading::Lines,
            Some(entry) if entry.path.ends_with(".meta.json") => Reading::Document,
            Some(entry) if self.spills.wants(entry) => Reading::Document,
            _ => Reading::Unread,
        }
    }

    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        if self.open.is_none() {
            let line = Line::of(record.json);
            if self.waiting.take(record, &line) {
                return out.hold();
            }
            if !self.waiting.is_empty() {
                let times = self.first.into_iter().chain(self.waiting.time());
                self.first = times.chain(line.time()).min();
                self.go_on(out);
            }
        }
        self.read(record, out);
    }

    fn release(&mut self, out: &mut Page) {
        self.go_on(out);
    }

    fn document(&mut self, input: u32, bytes: &[u8], out: &mut Page) {
        let span = Span { input, offset: 0, length: bytes.len() as u64 };
        let path = self.entries.get(input as usize).map_or("", |entry| &entry.path);
        match self.spills.message(path, span, bytes) {
            Some(message) => out.message(message),
            None => out.skip(span, "agent-meta"),
        }
    }

    fn save(&self) -> Option<Vec<u8>> {
        self.saved()
    }

    fn input_end(&mut self, input: u32, out: &mut Page) {
        if input != 0 {
            return;
        }
        self.go_on(out);
        if self.open.is_some() {
            self.emit_lost(out.here(), out);
        }
        self.spills.note_long(&self.entries).for_each(|note| out.note(note));
    }

    fn end(&mut self, out: &mut Page) {
        self.close(out);
        for mut fact in self.early.drain(..) {
            if matches!(fact.about, Subject::ThisThread) {
                fact.about = Subject::Thread(self.id.clone());
            }
            out.fact(fact);
        }
    }

    /// Returns the totals of the transcript's last `cost-state`, which versions from 2.1.3xx on write after each turn.
    ///
    /// `input_tokens` (neither read from nor written to a cache), `output_tokens`, `cache_read_tokens` and
    /// `cache_write_tokens` are tokens, summed over models, and `input_tokens/MODEL` and so on those of each of several
    /// models; `cost_usd_micros` is millionths of a dollar, and absent where the client did not know a price. They are the
    /// session's, from its first process on through every resume:
    ///
    /// - the answers of the thread, those cut off by an error included, with the tokens that their lines have;
    /// - the answers of its sub-agents, whose transcripts have no totals of their own;
    /// - the requests that wrote the summaries of compactions. No line has those tokens: after a compaction, rows are
    ///   less by just that;
    /// - in a fork, all that the origin had come to by then;
    /// - answers that the client counted and then did not write, which is rare.
    ///
    /// Not in them are answers that the person interrupted, whose lines have the tokens that were known by then, and those
    /// of a process that ended before it wrote a total, or never writes any: the next one goes on from the last total in
    /// the transcript. Titles and other requests on the side seem to be in them, by a model of their own.
    fn counters(&self) -> Vec<Counter> {
        let id = self.open.as_ref().map_or(&self.id, |open| &open.id);
        self.total.as_ref().map(|total| total.counters(id)).unwrap_or_default()
    }
}
