//! The state of one unit: events in, settled rows out.

use std::collections::{HashMap, VecDeque};

use hyp_model::event::{Context, Event, Fact, Message, Thread, Usage};
use hyp_model::ids::is_of_world;

use crate::copies::{Copy, Line, Sighting};
use crate::draft::{Draft, Tokens, part_id};
use crate::identity::{self, Payload};
use crate::part::{self, Around, Cells};
use crate::produced::{Counts, Produced, Source};
use crate::refused::Refused;
use crate::thread::{self, State};
use crate::tokens::disbelieve;
use crate::{said, strip, time};

mod saving;

/// Messages that a thread may have.
const LIMIT: u64 = 5_000_000;

/// Messages that are held back: lines of one response lie at most so far apart.
const HELD: usize = 64;

/// Content that is held back at most.
const HELD_BYTES: usize = 32 << 20;

/// Makes rows of the events of one unit.
///
/// Rows are held back until 64 further messages were seen, so that the tokens of a response are known; what
/// comes out does not depend on when [`Exchange::take`] is called.
#[derive(Debug)]
pub struct Exchange {
    source: Source,
    limit: u64,
    open: Option<Box<State>>,
    ended: HashMap<String, Box<State>>,
    /// Numbers of the messages of `ended`.
    remembered: u64,
    last_thread: String,
    held: VecDeque<Draft>,
    held_bytes: usize,
    produced: Produced,
    counts: Counts,
    scratch: String,
}

impl Exchange {
    /// Begins a unit.
    pub fn new(source: Source) -> Self {
        Self::with_limit(source, LIMIT)
    }

    pub(crate) fn with_limit(source: Source, limit: u64) -> Self {
        Self {
            source,
            limit,
            open: None,
            ended: HashMap::new(),
            remembered: 0,
            last_thread: String::new(),
            held: VecDeque::new(),
            held_bytes: 0,
            produced: Produced::default(),
            counts: Counts::default(),
            scratch: String::new(),
        }
    }

    /// Takes the next event. Events that are no part of a conversation are let pass.
    ///
    /// A thread that is told again goes on where it was.
    ///
    /// # Errors
    ///
    /// A thread that grows past five million messages; the unit cannot go on then.
    pub fn push(&mut self, event: Event) -> Result<(), Refused> {
        match event {
            Event::ThreadStart(head) => self.start(*head),
            Event::ThreadEnd => self.end(),
            Event::Message(message) => return self.message(message),
            Event::Fact(fact) => self.fact(fact),
            _ => {}
        }
        Ok(())
    }

    /// Hands out what is settled.
    pub fn take(&mut self) -> Produced {
        if let Some(state) = self.open.as_deref_mut() {
            hand_out(&mut self.produced, state);
        }
        std::mem::take(&mut self.produced)
    }

    /// Ends the unit and hands out the rest.
    pub fn finish(mut self) -> (Produced, Counts) {
        self.end();
        (self.produced, self.counts)
    }

    fn start(&mut self, mut head: Thread) {
        self.end();
        if !thread::is_sound(&head) {
            self.counts.malformed += 1;
            return;
        }
        if !thread::check_time(&mut head) {
            self.counts.doubtful_times += 1;
        }
        self.last_thread.clone_from(&head.id);
        let state = match self.ended.remove(&head.id) {
            Some(mut state) => {
                self.remembered -= state.numbers;
                state.resume(head, &self.source);
                state
            }
            None => Box::new(State::new(head, &self.source)),
        };
        self.open = Some(state);
    }

    fn end(&mut self) {
        while !self.held.is_empty() {
            self.settle_oldest();
        }
        let Some(mut state) = self.open.take() else { return };
        hand_out(&mut self.produced, &mut state);
        // Threads rarely come back; they are forgotten before they fill the memory.
        if self.remembered > self.limit {
            self.ended.clear();
            self.remembered = 0;
        }
        self.remembered += state.numbers;
        self.ended.insert(state.facts.thread_id.clone(), state);
    }

    fn fact(&mut self, fact: Fact) {
        self.produced.facts.push((self.last_thread.clone(), fact));
    }

    fn message(&mut self, mut message: Box<Message>) -> Result<(), Refused> {
        let Some(state) = self.open.as_deref_mut() else {
            self.counts.malformed += 1;
            return Ok(());
        };
        if state.numbers >= self.limit {
            return Err(Refused::TooBig {
                thread: state.facts.thread_id.clone(),
                path: self.source.path_below_root.clone(),
                limit: self.limit,
            });
        }
        let index = i32::try_from(state.numbers).unwrap_or(i32::MAX);
        state.numbers += 1;
        if message.usage.as_mut().is_some_and(disbelieve) {
            self.counts.doubtful_tokens += 1;
        }
        if message.role.is_empty() || message.parts.is_empty() {
            self.counts.empty += 1;
            learn(&mut self.produced, state, &message, message.is_copy);
            return Ok(());
        }
        if let Some(remote) = message.context.as_deref_mut().and_then(remote) {
            thread::redact(remote);
        }
        let agent = state.context(message.context.as_deref()).agent_id.clone();
        let (message_id, is_derived_id) = match message.id.take().filter(|id| !id.is_empty()) {
            Some(id) => (id, false),
            None => (derive(&mut self.scratch, state, agent.as_deref(), &message), true),
        };
        if !state.is_new(&message_id) && !is_derived_id {
            self.counts.duplicates += 1;
            return Ok(());
        }

        let mut draft = Draft {
            is_derived_id,
            previous: state.follow(agent.as_deref(), &message_id),
            message_id,
            index,
            time: None,
            attributes: String::new(),
            cells: Vec::with_capacity(message.parts.len()),
            is_replay: message.is_copy,
            tokens: Tokens::None,
            message,
        };
        clock(&mut self.counts, state, &mut self.held, &mut draft);
        fill(state, &mut draft);
        notice(state, &mut self.held, &mut draft);
        learn(&mut self.produced, state, &draft.message, draft.is_replay);
        draft.tokens = tokens(state, &draft);
        self.hold(draft);
        Ok(())
    }

    fn hold(&mut self, draft: Draft) {
        self.held_bytes += draft.size();
        self.held.push_back(draft);
        while self.held.len() > HELD || (self.held_bytes > HELD_BYTES && self.held.len() > 1) {
            self.settle_oldest();
        }
    }

    fn settle_oldest(&mut self) {
        let (Some(draft), Some(state)) = (self.held.pop_front(), self.open.as_deref_mut()) else {
            return;
        };
        self.held_bytes = self.held_bytes.saturating_sub(draft.size());
        self.counts.messages += 1;
        self.counts.parts += draft.cells.len() as u64;
        self.counts.replays += u64::from(draft.is_replay);
        self.counts.timeless += u64::from(draft.time.is_none());
        state.settle(draft, &mut self.produced.rows);
    }
}

/// Adds the facts of a thread to what is handed out, in place of older ones.
fn hand_out(produced: &mut Produced, state: &mut State) {
    if !std::mem::take(&mut state.is_news) {
        return;
    }
    let known = produced.threads.iter_mut().rfind(|known| known.thread_id == state.facts.thread_id);
    match known {
        Some(known) => known.clone_from(&state.facts),
        None => produced.threads.push(state.facts.clone()),
    }
}

fn remote(context: &mut Context) -> Option<&mut String> {
    context.git.remote.as_mut()
}

fn derive(
    scratch: &mut String,
    state: &mut State,
    agent: Option<&str>,
    message: &Message,
) -> String {
    let written = message.identity.as_deref().and_then(identity::canonical_content);
    let content = written.as_deref().unwrap_or_else(|| {
        scratch.clear();
        identity::push_parts(scratch, &message.parts);
        scratch
    });
    let payload = Payload::new(state.scope(), agent, &message.role, content);
    let occurrence = state.occurrence(payload.print());
    payload.id(occurrence)
}

/// Gives a message its time, and those before it that wait for one.
fn clock(counts: &mut Counts, state: &mut State, held: &mut VecDeque<Draft>, draft: &mut Draft) {
    let told = draft.message.created_at;
    let own = time::believable(told);
    match (told, own) {
        (None, _) => counts.missing_times += 1,
        (Some(_), None) => counts.doubtful_times += 1,
        _ => {}
    }
    let is_first = state.last_time.is_none();
    draft.time = state.time(own);
    if is_first && draft.time.is_some() {
        for waiting in held.iter_mut() {
            waiting.time = waiting.time.or(draft.time);
        }
    }
}

/// Makes attributes and cells of the event.
fn fill(state: &mut State, draft: &mut Draft) {
    let message = &mut draft.message;
    let own = message.attributes.take().map(strip::json);
    message.compact_metadata = message.compact_metadata.take().map(strip::json);
    let version = state.row.head.context.client_version.as_deref();
    let version = message.context.as_deref().map_or(version, |own| own.client_version.as_deref());
    draft.attributes = state.attributes.of(version, draft.is_derived_id, own.as_deref());

    let parts = std::mem::take(&mut message.parts);
    let last = parts.len() - 1;
    for (at, part) in parts.into_iter().enumerate() {
        let is_said_last = at == last && message.role == "assistant";
        let around = Around {
            role: &message.role,
            response_id: message.response_id.as_deref(),
            stop_reason: message.stop_reason.as_deref().filter(|_| is_said_last),
        };
        draft.cells.push(part::expand(part, around, &mut state.tools));
    }
}

/// Looks whether a message, and the prompts before it, were written before under other ids.
fn notice(state: &mut State, held: &mut VecDeque<Draft>, draft: &mut Draft) {
    if draft.is_replay {
        return;
    }
    let is_answer = draft.message.role == "assistant" && draft.message.response_id.is_some();
    let is_prompt = draft.message.role == "user"
        && draft.cells.iter().any(|cells| cells.part_type != "tool_result");
    let keys = draft.cells.iter().map(|cells| cells.said_key);
    let sighting = |seed| Sighting::new(draft.index, &draft.message_id, seed, keys);
    let mut copies = Vec::new();
    if is_prompt {
        state.copies.prompt(sighting(0));
    } else if is_answer {
        let response = draft.message.response_id.as_deref().unwrap_or_default();
        let line = Line { response, parent: draft.message.parent_uuid.as_deref() };
        // A call is known by its id alone, which may be another's in another response.
        copies = state.copies.answer(sighting(said::print(response)), line);
    } else if let Some(given) = given(&draft.cells) {
        copies.extend(state.copies.result(sighting(given)));
    } else {
        state.copies.other();
    }
    for Copy { index, original, part } in copies {
        if index == draft.index {
            draft.replays(&original, part);
        } else if let Some(held) = held.iter_mut().find(|held| held.index == index) {
            held.replays(&original, part);
        }
    }
}

/// Returns the print of what tools gave back, where a message is nothing else and says of which calls.
fn given(cells: &[Cells]) -> Option<u64> {
    let is_of_call = |cells: &Cells| {
        let call = cells.tool_call_id.as_deref();
        cells.part_type == "tool_result" && call.is_some_and(is_of_world)
    };
    let given = |print: u64, cells: &Cells| {
        print.rotate_left(5) ^ said::print(cells.content_text.as_deref().unwrap_or_default())
    };
    cells.iter().all(is_of_call).then(|| cells.iter().fold(1, given))
}

/// Notes the tokens that a message tells of its response.
fn learn(produced: &mut Produced, state: &mut State, message: &Message, is_replay: bool) {
    if let (Some(response), Some(usage)) = (response(message, is_replay), message.usage)
        && usage != Usage::default()
    {
        produced.late.extend(state.responses.learn(response, usage));
    }
}

/// Returns which tokens the first row of a message carries.
fn tokens(state: &mut State, draft: &Draft) -> Tokens {
    match response(&draft.message, draft.is_replay) {
        Some(response) => {
            let part_id = || part_id(&draft.message_id, 0);
            match state.responses.claim(response, part_id) {
                true => Tokens::Response(response),
                false => Tokens::None,
            }
        }
        None => draft.message.usage.map_or(Tokens::None, Tokens::Own),
    }
}

/// Returns the number of a message's response. A copy of a response keeps its tokens to itself.
fn response(message: &Message, is_replay: bool) -> Option<u64> {
    let id = message.response_id.as_deref().filter(|id| !id.is_empty())?;
    Some(said::print(id) ^ u64::from(is_replay))
}

#[cfg(test)]
mod tests;
