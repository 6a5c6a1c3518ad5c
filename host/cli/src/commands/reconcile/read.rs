//! Gathers what the store knows of each thread's tokens.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::judge::{COLUMNS, Counted, Evidence, Response, Tokens};
use crate::commands::ask::{self, Lake, Row};
use crate::commands::owners::Owners;
use crate::failure::Failure;

/// Providers whose clients count responses that they write no record of: Claude Code counts what its compactions and
/// its empty answers cost.
const COUNTS_UNWRITTEN: [&str; 1] = ["claude"];

/// Providers whose clients go on from the last total in a recording, and know nothing of what was answered since.
const TAKES_UP: [&str; 1] = ["claude"];

/// Rows with the first time of their recording, and their order: one recording after another, where a thread has several.
const MESSAGES: &str = "messages left join (select input_id as recording, min(message_created_at) as began \
                        from messages group by 1) on recording = input_id";
const ORDER: &str = "began, input_id, message_index, part_index";

/// A thread and what is known of its tokens.
#[derive(Debug, Default)]
pub(super) struct Thread {
    pub(super) thread_id: String,
    pub(super) provider: String,
    pub(super) title: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) evidence: Evidence,
    forked_from: Option<String>,
    started_at: Option<i64>,
    last_at: Option<i64>,
    /// Times of its responses, of each at least that of the one before.
    times: Vec<i64>,
    /// Whether there was a prompt since its last response that was read.
    is_prompted: bool,
    inputs: BTreeSet<String>,
    /// Models that answered in its recording.
    models: BTreeSet<String>,
    /// What the client counted of each model, where it says so.
    by_model: BTreeMap<String, Tokens>,
}

/// All threads, and how rows find theirs.
struct Threads {
    all: BTreeMap<String, Thread>,
    owners: Owners,
}

/// Reads all threads.
pub(super) fn threads(lake: &Lake) -> Result<Vec<Thread>, Failure> {
    let mut threads = heads(lake)?;
    responses(lake, &mut threads)?;
    copies(lake, &mut threads)?;
    counters(lake, &mut threads)?;
    inputs(lake, &mut threads)?;
    families(&mut threads);
    Ok(threads.all.into_values().collect())
}

fn heads(lake: &Lake) -> Result<Threads, Failure> {
    let mut threads = Threads { all: BTreeMap::new(), owners: Owners::read(lake)? };
    let rows = lake.rows(
        "select thread_id, provider, title, input_id, \
           parent_thread_id, forked_from, cast(started_at as bigint) as started, \
           cast(last_at as bigint) as last from sessions",
    )?;
    for row in rows {
        let text = |name| ask::text(&row, name);
        let thread_id = text("thread_id").unwrap_or_default();
        let input = text("input_id").unwrap_or_default();
        let provider = text("provider").unwrap_or_default();
        let thread = Thread {
            evidence: Evidence {
                counts_unwritten: COUNTS_UNWRITTEN.contains(&provider.as_str()),
                takes_up: TAKES_UP.contains(&provider.as_str()),
                ..Evidence::default()
            },
            title: text("title"),
            parent: text("parent_thread_id"),
            forked_from: text("forked_from"),
            started_at: ask::long(&row, "started"),
            last_at: ask::long(&row, "last"),
            inputs: [input].into(),
            thread_id: thread_id.clone(),
            provider,
            ..Thread::default()
        };
        threads.all.insert(thread_id, thread);
    }
    Ok(threads)
}

/// The responses whose tokens count, in their order, and where prompts are between them.
fn responses(lake: &Lake, threads: &mut Threads) -> Result<(), Failure> {
    let unfinished = lake.rows(
        "select response_id from messages where response_id is not null \
         group by 1 having max(json_get_str(status, 'finish_reason')) is null",
    )?;
    let unfinished: BTreeSet<String> =
        unfinished.iter().filter_map(|row| ask::text(row, "response_id")).collect();
    let sql = format!(
        "select session_id, conversation_id, input_id, response_id, model, {}, \
           cast(message_created_at as bigint) as time, \
           input_tokens is null and output_tokens is null as is_prompt from {MESSAGES} \
         where input_tokens is not null or output_tokens is not null or (role = 'user' \
           and part_type <> 'tool_result' and attachment_type is null) \
         order by {ORDER}",
        COLUMNS.join(", ")
    );
    for row in lake.rows(&sql)? {
        let Some(thread) = threads.all.get_mut(&threads.owners.of_row(&row)) else { continue };
        if row.get("is_prompt").is_some_and(|it| it == true) {
            thread.is_prompted = true;
            continue;
        }
        let response = ask::text(&row, "response_id");
        let before = thread.times.last().copied();
        thread.times.extend(before.max(ask::long(&row, "time")).or(Some(i64::MIN)));
        thread.evidence.responses.push(Response {
            tokens: tokens(&row),
            begins_turn: std::mem::take(&mut thread.is_prompted),
            is_finished: !response.is_some_and(|response| unfinished.contains(&response)),
        });
        thread.inputs.extend(ask::text(&row, "input_id"));
        thread.models.extend(ask::text(&row, "model"));
    }
    Ok(())
}

/// Puts the responses of a thread in the order of their turns, each with what the same prompt set off.
///
/// Two processes that go on with one session at once write their turns between one another.
pub(super) fn sort_by_turn(lake: &Lake, thread: &mut Thread) -> Result<(), Failure> {
    let owners = Owners::read(lake)?;
    let rows = lake.rows(&format!(
        "select session_id, conversation_id, input_id, message_id, parent_uuid, \
           input_tokens is not null or output_tokens is not null as is_response, \
           role = 'user' and part_type <> 'tool_result' and attachment_type is null as is_prompt \
         from {MESSAGES} where coalesce(conversation_id, session_id) = {} \
         order by {ORDER}",
        ask::quote(&thread.thread_id)
    ))?;
    let mut turn_of: HashMap<String, usize> = HashMap::new();
    let (mut prompts, mut turns) = (0, Vec::new());
    for row in rows.iter().filter(|row| owners.of_row(row) == thread.thread_id) {
        let is = |name: &str| row.get(name).is_some_and(|it| it == true);
        let parent = ask::text(row, "parent_uuid");
        prompts += usize::from(is("is_prompt"));
        let followed = parent.and_then(|parent| turn_of.get(&parent).copied());
        let turn = followed.filter(|_| !is("is_prompt")).unwrap_or(prompts);
        turn_of.insert(ask::text(row, "message_id").unwrap_or_default(), turn);
        if is("is_response") {
            turns.push(turn);
        }
    }
    let responses = &mut thread.evidence.responses;
    if turns.len() != responses.len() {
        return Ok(());
    }
    let mut sorted: Vec<_> = turns.into_iter().zip(responses.drain(..)).collect();
    sorted.sort_by_key(|(turn, _)| *turn);
    let mut before = None;
    responses.extend(sorted.into_iter().map(|(turn, response)| Response {
        begins_turn: before.replace(turn) != Some(turn),
        ..response
    }));
    Ok(())
}

/// What recordings hold a second time: rows that are copies, and rows that another thread has.
fn copies(lake: &Lake, threads: &mut Threads) -> Result<(), Failure> {
    let written = COLUMNS
        .map(|name| format!("json_get_int(attributes, 'usage_as_written', '{name}') as {name}"));
    let replays = lake.rows(&format!(
        "select session_id, conversation_id, input_id, model, {} from ai_gateway_messages \
         where is_replay",
        written.join(", ")
    ))?;
    for row in replays {
        if let Some(thread) = threads.all.get_mut(&threads.owners.of_row(&row)) {
            thread.evidence.copies.add(tokens(&row));
            thread.evidence.is_fork = true;
            thread.models.extend(ask::text(&row, "model"));
        }
    }
    let seen = lake.rows(&format!(
        "select s.thread_id as seen_in, m.session_id, m.conversation_id, m.input_id, m.model, {} \
         from sightings s join messages m on m.part_id = s.part_id",
        COLUMNS.map(|name| format!("m.{name}")).join(", ")
    ))?;
    for row in seen {
        let (owner, seen_in) = (threads.owners.of_row(&row), ask::text(&row, "seen_in"));
        let Some(thread) = seen_in.and_then(|id| threads.all.get_mut(&id)) else { continue };
        // A thread may lie in two files: then it sees its own rows again.
        if owner != thread.thread_id {
            thread.evidence.copies.add(tokens(&row));
            thread.evidence.is_fork = true;
            thread.models.extend(ask::text(&row, "model"));
            thread.forked_from.get_or_insert(owner);
        }
    }
    Ok(())
}

/// A client's total, and of what models it is.
type Told = (Counted, BTreeMap<String, Tokens>);

/// Where several units tell a thread's total, the largest is the latest.
fn counters(lake: &Lake, threads: &mut Threads) -> Result<(), Failure> {
    let mut told: BTreeMap<(String, String, String), Told> = BTreeMap::new();
    for row in lake.rows("select provider, unit_id, thread_id, name, value from counters")? {
        let text = |name| ask::text(&row, name).unwrap_or_default();
        let (name, value) = (text("name"), ask::count(&row, "value"));
        let (name, model) = name.split_once('/').unwrap_or((&name, ""));
        let Some(column) = COLUMNS.iter().position(|column| *column == name) else { continue };
        let counted = told.entry((text("thread_id"), text("provider"), text("unit_id")));
        let (counted, by_model) = counted.or_default();
        if model.is_empty() {
            counted.0[column] = Some(value);
        } else {
            by_model.entry(model.to_owned()).or_default().0[column] = value;
        }
    }
    for ((thread_id, provider, _), (counted, by_model)) in told {
        let thread = threads.all.entry(thread_id.clone()).or_insert_with(|| Thread {
            thread_id,
            provider,
            ..Thread::default()
        });
        let known = &mut thread.evidence.counted;
        if known.is_none_or(|known| known.total() < counted.total()) {
            *known = Some(counted);
            thread.by_model = by_model;
        }
    }
    Ok(())
}

/// What is known of the files.
fn inputs(lake: &Lake, threads: &mut Threads) -> Result<(), Failure> {
    let rows = lake.rows(
        "select input_id, path, coalesce(since > first_at, false) or coalesce(until < last_at, false) \
           as is_partial, coalesce(json_get_int(accounting, 'malformed'), 0) \
           + coalesce(json_get_int(accounting, 'unknown'), 0) \
           + coalesce(json_get_int(accounting, 'too_long'), 0) as failed from inputs",
    )?;
    let known: HashMap<String, Row> =
        rows.into_iter().filter_map(|row| Some((ask::text(&row, "input_id")?, row))).collect();
    for thread in threads.all.values_mut() {
        let inputs: Vec<_> = thread.inputs.iter().filter_map(|id| known.get(id)).collect();
        let evidence = &mut thread.evidence;
        let is = |row: &Row, name: &str| row.get(name).is_some_and(|it| it == true);
        evidence.is_partial = inputs.iter().any(|row| is(row, "is_partial"));
        evidence.has_failures = inputs.iter().any(|row| ask::count(row, "failed") > 0);
        let exists =
            |row: &&Row| ask::text(row, "path").is_some_and(|path| Path::new(&path).exists());
        // What was recorded live has no file.
        evidence.is_gone = !inputs.is_empty() && !inputs.into_iter().any(|row| exists(&row));
    }
    Ok(())
}

/// Adds up sub-agents, those of origins as well.
fn families(threads: &mut Threads) {
    let mut children: HashMap<&str, Vec<&Thread>> = HashMap::new();
    for thread in threads.all.values() {
        if let Some(parent) = &thread.parent {
            children.entry(parent).or_default().push(thread);
        }
    }
    let mut found = Vec::new();
    for thread in threads.all.values() {
        let mut of_thread = Family::default();
        descend(&thread.thread_id, &children, i64::MAX, &mut of_thread);
        let mut of_origins = Family::default();
        let mut seen = BTreeSet::from([thread.thread_id.as_str()]);
        let mut origin = thread.forked_from.as_deref();
        let is_orphan = origin.is_some_and(|id| !threads.all.contains_key(id));
        while let Some(id) = origin.filter(|id| seen.insert(id)) {
            descend(id, &children, thread.started_at.unwrap_or(i64::MAX), &mut of_origins);
            origin = threads.all.get(id).and_then(|thread| thread.forked_from.as_deref());
        }
        let is_known = |model: &String| {
            [&thread.models, &of_thread.models, &of_origins.models]
                .iter()
                .any(|models| models.contains(model))
        };
        let mut aside: Option<Tokens> = None;
        for (_, tokens) in thread.by_model.iter().filter(|(model, _)| !is_known(model)) {
            aside.get_or_insert_default().add(*tokens);
        }
        if !of_thread.responses.is_empty() {
            let own = thread.times.iter().copied().zip(thread.evidence.responses.iter().copied());
            of_thread.responses.splice(..0, own);
            of_thread.responses.sort_by_key(|(time, _)| *time);
        }
        found.push((thread.thread_id.clone(), of_thread, of_origins.tokens, is_orphan, aside));
    }
    for (id, family, inherited, is_orphan, aside) in found {
        let Some(thread) = threads.all.get_mut(&id) else { continue };
        let evidence = &mut thread.evidence;
        evidence.subagents = family.tokens;
        evidence.with_subagents = family.responses.into_iter().map(|(_, it)| it).collect();
        evidence.is_partial |= family.is_partial;
        evidence.has_failures |= family.has_failures;
        evidence.inherited = inherited;
        evidence.aside = aside;
        evidence.is_fork |= thread.forked_from.is_some();
        evidence.is_orphan = is_orphan;
    }
}

/// What the sub-agents of a thread add up to.
#[derive(Default)]
struct Family {
    tokens: Tokens,
    /// Their responses, each with its time.
    responses: Vec<(i64, Response)>,
    models: BTreeSet<String>,
    is_partial: bool,
    has_failures: bool,
    seen: BTreeSet<String>,
}

/// Adds the threads below one that ended before a time.
fn descend(id: &str, children: &HashMap<&str, Vec<&Thread>>, before: i64, family: &mut Family) {
    for child in children.get(id).into_iter().flatten() {
        let is_before = child.last_at.is_none_or(|last| last <= before);
        if is_before && family.seen.insert(child.thread_id.clone()) {
            for (time, response) in child.times.iter().zip(&child.evidence.responses) {
                family.tokens.add(response.tokens);
                family.responses.push((*time, Response { begins_turn: false, ..*response }));
            }
            family.models.extend(child.models.iter().cloned());
            family.is_partial |= child.evidence.is_partial;
            family.has_failures |= child.evidence.has_failures;
            descend(&child.thread_id, children, before, family);
        }
    }
}

fn tokens(row: &Row) -> Tokens {
    Tokens(COLUMNS.map(|name| ask::count(row, name)))
}
