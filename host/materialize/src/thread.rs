//! The state of one thread: who spoke last, what was seen, and what it comes to.

use std::collections::HashMap;
use std::sync::Arc;

use hyp_model::event::{Context, Micros, Thread};
use hyp_model::judge::ThreadFacts;
use hyp_model::row::{Row, ThreadRow};

use crate::attributes::Attributes;
use crate::copies::Copies;
use crate::draft::{Draft, Tokens};
use crate::part::Tools;
use crate::produced::Source;
use crate::responses::Responses;
use crate::said::{self, PrintMap, PrintSet};
use crate::saved::{Reader, Writer};
use crate::{json, time};

/// Everything that a thread's later messages need of its earlier ones.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) row: Arc<ThreadRow>,
    pub(crate) facts: ThreadFacts,
    /// True where `facts` changed since they were handed out.
    pub(crate) is_news: bool,
    /// Numbers given to messages so far.
    pub(crate) numbers: u64,
    pub(crate) attributes: Attributes,
    pub(crate) tools: Tools,
    pub(crate) responses: Responses,
    pub(crate) copies: Copies,
    pub(crate) last_time: Option<Micros>,
    started: Option<Micros>,
    seen: PrintSet,
    occurrences: PrintMap<u32>,
    /// Last message id of each agent.
    tails: HashMap<String, String>,
}

impl State {
    /// Begins a thread. The time of its head has been checked.
    pub(crate) fn new(mut head: Thread, source: &Source) -> Self {
        if let Some(remote) = &mut head.context.git.remote {
            redact(remote);
        }
        let started = head.started_at;
        let facts = ThreadFacts {
            thread_id: head.id.clone(),
            provider: source.provider.clone(),
            session_id: head.session_id.clone(),
            conversation_id: head.conversation_id.clone(),
            input_id: source.input_id.clone(),
            client: head.client.clone(),
            kind: head.kind,
            started_at: started,
            first_at: None,
            last_at: None,
            forked_from: head.forked_from.clone(),
            parent_thread_id: head.parent_thread_id.clone(),
            root_thread_id: head.root_thread_id.clone(),
            cwd: head.context.cwd.clone(),
            messages: 0,
            parts: 0,
            may_start_with_copy: head.may_start_with_copy,
        };
        let attributes = Attributes::new(
            &head.client,
            head.attributes.as_deref(),
            scope(&head),
            (!source.is_live).then_some(source.source_path_hash.as_str()),
        );
        Self {
            row: row(head, started, source),
            facts,
            is_news: true,
            numbers: 0,
            attributes,
            tools: Tools::default(),
            responses: Responses::default(),
            copies: Copies::default(),
            last_time: None,
            started,
            seen: PrintSet::default(),
            occurrences: PrintMap::default(),
            tails: HashMap::new(),
        }
    }

    /// Goes on with a thread whose head was told again.
    pub(crate) fn resume(&mut self, head: Thread, source: &Source) {
        let fresh = Self::new(head, source);
        self.started = self.started.or(fresh.started);
        let mut row = fresh.row;
        if let (Some(started), Some(row)) = (self.started, Arc::get_mut(&mut row)) {
            row.started_at = started;
        }
        self.row = row;
        self.attributes = fresh.attributes;
        self.facts = ThreadFacts {
            started_at: self.facts.started_at.or(fresh.facts.started_at),
            first_at: self.facts.first_at,
            last_at: self.facts.last_at,
            cwd: fresh.facts.cwd.or(self.facts.cwd.take()),
            messages: self.facts.messages,
            parts: self.facts.parts,
            ..fresh.facts
        };
        self.is_news = true;
    }

    /// Returns what holds for a message.
    pub(crate) fn context<'a>(&'a self, own: Option<&'a Context>) -> &'a Context {
        own.unwrap_or(&self.row.head.context)
    }

    /// Returns the conversation, or else the session: what derived ids and chains are scoped to.
    pub(crate) fn scope(&self) -> &str {
        scope(&self.row.head)
    }

    /// Notes a native id; false where it was seen before.
    pub(crate) fn is_new(&mut self, id: &str) -> bool {
        self.seen.insert(said::print(id))
    }

    /// Counts another message with this derived id; the first one is number 1.
    pub(crate) fn occurrence(&mut self, print: u64) -> u32 {
        let count = self.occurrences.entry(print).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// Puts a message at the end of its agent's chain, and returns what it follows as a JSON array.
    pub(crate) fn follow(&mut self, agent: Option<&str>, id: &str) -> String {
        let agent = agent.unwrap_or_default();
        let Some(tail) = self.tails.get_mut(agent) else {
            self.tails.insert(agent.to_owned(), id.to_owned());
            return "[]".to_owned();
        };
        let mut previous = String::with_capacity(tail.len() + 4);
        previous.push('[');
        json::push_string(&mut previous, tail);
        previous.push(']');
        id.clone_into(tail);
        previous
    }

    /// Returns the time of a message: its own where it is believed, else that of the message before, else
    /// the start of the thread.
    pub(crate) fn time(&mut self, own: Option<Micros>) -> Option<Micros> {
        self.last_time = own.or(self.last_time).or(self.started);
        self.last_time
    }

    /// Appends the rows of a message that waited long enough.
    pub(crate) fn settle(&mut self, draft: Draft, rows: &mut Vec<Row>) {
        let time = draft.time.or(self.started).unwrap_or_default();
        if self.started.is_none() {
            self.started = Some(time);
            if let Some(row) = Arc::get_mut(&mut self.row) {
                row.started_at = time;
            }
        }
        let usage = match draft.tokens {
            Tokens::None => None,
            Tokens::Own(usage) => Some(usage),
            Tokens::Response(response) => self.responses.settle(response),
        };
        self.is_news = true;
        count(&mut self.facts, &draft);
        draft.settle(&self.row, time, usage, rows);
    }

    /// Says whether what is held back can change only by way of [`Produced::late`](crate::Produced::late).
    pub(crate) fn is_savable<'d>(&self, held: impl Iterator<Item = &'d Draft>) -> bool {
        !self.copies.is_waiting() && { held }.all(|draft| draft.time.is_some())
    }

    /// Writes the state as it will be when what is held back was handed out.
    pub(crate) fn save<'d>(&self, held: impl Iterator<Item = &'d Draft>, out: &mut Writer) {
        let (mut facts, mut started) = (self.facts.clone(), self.started);
        for draft in held {
            started = started.or(draft.time);
            count(&mut facts, draft);
        }
        out.thread(&self.row.head);
        for time in [started, self.last_time, facts.started_at, facts.first_at, facts.last_at] {
            out.maybe(time, |out, time| out.signed(time));
        }
        out.maybe_text(facts.cwd.as_deref());
        out.number(facts.messages);
        out.number(facts.parts);
        out.number(self.numbers);
        self.tools.save(out);
        self.responses.save(out);
        self.copies.save(out);
        out.list(self.seen.iter(), |out, print| out.print(*print));
        out.list(self.occurrences.iter(), |out, (print, count)| {
            out.print(*print);
            out.number((*count).into());
        });
        out.list(self.tails.iter(), |out, (agent, id)| {
            out.text(agent);
            out.text(id);
        });
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>, source: &Source) -> Option<Self> {
        let head = from.thread()?;
        let mut time = || from.maybe(Reader::signed);
        let (started, last_time) = (time()?, time()?);
        let (started_at, first_at, last_at) = (time()?, time()?, time()?);
        let fresh = Self::new(head.clone(), source);
        Some(Self {
            row: row(head, started, source),
            facts: ThreadFacts {
                started_at,
                first_at,
                last_at,
                cwd: from.maybe_text()?,
                messages: from.number()?,
                parts: from.number()?,
                ..fresh.facts
            },
            numbers: from.number()?,
            tools: Tools::restore(from)?,
            responses: Responses::restore(from)?,
            copies: Copies::restore(from)?,
            last_time,
            started,
            seen: from.list(Reader::print)?,
            occurrences: from
                .list(|from| Some((from.print()?, u32::try_from(from.number()?).ok()?)))?,
            tails: from.list(|from| Some((from.text()?, from.text()?)))?,
            is_news: true,
            attributes: fresh.attributes,
        })
    }
}

/// Counts a message that is handed out.
fn count(facts: &mut ThreadFacts, draft: &Draft) {
    facts.messages += 1;
    facts.parts += draft.cells.len() as u64;
    if let Some(time) = draft.time {
        facts.started_at = facts.started_at.or(Some(time));
        facts.first_at = Some(facts.first_at.map_or(time, |first| first.min(time)));
        facts.last_at = Some(facts.last_at.map_or(time, |last| last.max(time)));
    }
    if facts.cwd.is_none() {
        facts.cwd = draft.message.context.as_ref().and_then(|context| context.cwd.clone());
    }
}

/// Says whether a thread has what every row of it needs.
pub(crate) fn is_sound(head: &Thread) -> bool {
    !head.provider.is_empty() && !head.session_id.is_empty()
}

/// Checks the time of a head; false where it had one that is not believed.
pub(crate) fn check_time(head: &mut Thread) -> bool {
    let told = head.started_at;
    head.started_at = time::believable(told);
    head.started_at == told
}

/// Takes user name and password out of the address of a remote.
pub(crate) fn redact(remote: &mut String) {
    let Some(scheme) = remote.find("://") else { return };
    let start = scheme + 3;
    let end = remote[start..].find(['/', '?', '#']).map_or(remote.len(), |end| start + end);
    if let Some(at) = remote[start..end].rfind('@') {
        remote.replace_range(start..=start + at, "");
    }
}

fn scope(head: &Thread) -> &str {
    match head.conversation_id.as_deref() {
        Some(conversation) if !conversation.is_empty() => conversation,
        _ => &head.session_id,
    }
}

fn row(head: Thread, started: Option<Micros>, source: &Source) -> Arc<ThreadRow> {
    Arc::new(ThreadRow {
        head,
        started_at: started.unwrap_or_default(),
        input_id: source.input_id.clone(),
        source_path_hash: source.source_path_hash.clone(),
        is_live: source.is_live,
    })
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn credentials_are_taken_out_of_remotes() {
        #[rustfmt::skip]
        let cases = [
            ("https://u:p@host/a/b.git",      "https://host/a/b.git"),
            ("https://token@host/a",          "https://host/a"),
            ("https://u:p@ss@host",           "https://host"),
            ("ssh://git@host:22/a",           "ssh://host:22/a"),
            ("git@host:a/b.git",              "git@host:a/b.git"),
            ("https://host/a@b",              "https://host/a@b"),
            ("/srv/repository",               "/srv/repository"),
        ];
        for (before, after) in cases {
            let mut remote = before.to_owned();
            redact(&mut remote);
            assert_eq!(remote, after);
        }
    }
}
