//! A small world of threads: makes chunks the way an import does, and reads tables whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeBinaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::util::display::array_value_to_string;
use hyp_model::dataset::{COLUMNS, Column, Type};
use hyp_model::event::{Fact, ThreadKind, Usage};
use hyp_model::judge::{Candidate, ThreadFacts, Verdict};
use hyp_model::row::Key;
use hyp_model::usage;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use crate::schema::messages_schema;
use crate::{
    Arriving, Change, Commit, Committed, Correction, Fate, Store, StoreError, Told, Untold, Writer,
};

/// 2025-10-09.
pub(super) const START: i64 = 1_760_000_000_000_000;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) message_id: String,
    pub(super) message_index: i32,
    pub(super) part_index: i32,
    pub(super) text: String,
    pub(super) response_id: Option<String>,
    /// Call that it makes, or answers where it is of no response.
    pub(super) call_id: Option<String>,
    /// Its client says that it is a copy.
    pub(super) is_marked: bool,
    /// Of what in its own thread, where that is known.
    pub(super) original: Option<String>,
    pub(super) tokens: Option<u64>,
    pub(super) at: i64,
    pub(super) cwd: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Thread {
    pub(super) id: String,
    /// Thread that started it, if it is a sub-agent's.
    pub(super) parent: Option<String>,
    /// What it is read from.
    pub(super) input: String,
    pub(super) started_at: i64,
    pub(super) forked_from: Option<String>,
    pub(super) client: String,
    /// How many of its lines can be copied, and whether no more of them can.
    pub(super) copied: (usize, bool),
    pub(super) lines: Vec<Line>,
}

impl Line {
    pub(super) fn part_id(&self) -> String {
        format!("{}#{}", self.message_id, self.part_index)
    }

    pub(super) fn said_key(&self) -> Key {
        match &self.call_id {
            Some(id) => Key::of(format!("{} {id}", self.response_id.is_some()).as_bytes()),
            None => Key::of(format!("{:?}{}", self.response_id, self.text).as_bytes()),
        }
    }

    /// Returns what its row is a copy of, when it comes as one.
    fn marked(&self) -> Option<Option<String>> {
        self.is_marked.then(|| self.original.clone())
    }
}

/// Returns a thread of `messages` lines with one response each second line.
pub(super) fn thread(id: &str, started_at: i64, messages: i32) -> Thread {
    let lines = (0..messages).map(|at| Line {
        message_id: format!("{id}-m{at}"),
        message_index: at,
        part_index: 0,
        text: format!("{id} says {at}"),
        response_id: (at % 2 == 1).then(|| format!("response0-{id}-{at}")),
        call_id: None,
        is_marked: false,
        original: None,
        tokens: (at % 2 == 1).then_some(10 + at as u64),
        at: START + started_at + i64::from(at),
        cwd: "/w".into(),
    });
    Thread {
        id: id.to_owned(),
        parent: None,
        input: format!("input-{id}"),
        started_at: START + started_at,
        forked_from: None,
        client: "claude".to_owned(),
        copied: (0, false),
        lines: lines.collect(),
    }
}

impl Thread {
    fn session(&self) -> &str {
        self.parent.as_ref().unwrap_or(&self.id)
    }

    fn conversation(&self) -> Option<String> {
        self.parent.as_ref().map(|_| self.id.clone())
    }

    pub(super) fn facts(&self) -> ThreadFacts {
        ThreadFacts {
            thread_id: self.id.clone(),
            provider: "claude".into(),
            session_id: self.session().to_owned(),
            conversation_id: self.conversation(),
            input_id: self.input.clone(),
            client: self.client.clone(),
            kind: self.parent.as_ref().map_or(ThreadKind::Main, |_| ThreadKind::Subagent),
            started_at: Some(self.started_at),
            first_at: Some(self.lines.first().map_or(self.started_at, |line| line.at)),
            last_at: Some(self.lines.last().map_or(self.started_at, |line| line.at)),
            forked_from: self.forked_from.clone(),
            parent_thread_id: self.parent.clone(),
            root_thread_id: None,
            cwd: Some("/w".into()),
            messages: self.lines.len() as u64,
            parts: self.lines.len() as u64,
            may_start_with_copy: true,
        }
    }
}

/// Where a test's store lies.
pub(super) struct World {
    _folder: TempDir,
    pub(super) store: Store,
}

pub(super) fn world() -> World {
    // In memory where there is such a folder: thousands of small commits wait for no disk then.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let store = Store::open_or_create(&folder.path().join("store")).unwrap();
    World { _folder: folder, store }
}

impl World {
    pub(super) fn writer(&self, run: &str) -> Writer {
        self.store.writer(Duration::ZERO, run).unwrap()
    }

    /// Imports whole threads, all in one chunk.
    pub(super) fn import(&self, threads: &[Thread]) -> Committed {
        let rows = threads
            .iter()
            .enumerate()
            .flat_map(|(at, thread)| (0..thread.lines.len()).map(move |line| (at, line)));
        chunk(&mut self.writer("run"), threads, &rows.collect::<Vec<_>>()).unwrap()
    }

    /// Returns every row that is not superseded, by id; each column as text but for the run.
    pub(super) fn table(&self) -> BTreeMap<String, BTreeMap<&'static str, String>> {
        let mut rows = BTreeMap::new();
        for file in self.store.snapshot().unwrap().files {
            let reader =
                ParquetRecordBatchReaderBuilder::try_new(File::open(&file.path).unwrap()).unwrap();
            let mut position = 0u64;
            for batch in reader.build().unwrap() {
                let batch = batch.unwrap();
                for at in 0..batch.num_rows() {
                    let is_live = file.deleted.binary_search(&position).is_err();
                    position += 1;
                    if !is_live {
                        continue;
                    }
                    let row = row(&batch, at);
                    let id = row["part_id"].clone();
                    assert!(rows.insert(id.clone(), row).is_none(), "two rows of {id}");
                }
            }
            assert_eq!(position, file.rows);
        }
        rows
    }
}

pub(super) fn row(batch: &RecordBatch, at: usize) -> BTreeMap<&'static str, String> {
    let columns = COLUMNS.iter().filter(|column| column.name != "run_id");
    let text = |column: &Column| {
        array_value_to_string(batch.column_by_name(column.name).unwrap(), at).unwrap()
    };
    columns.map(|column| (column.name, text(column))).collect()
}

/// Imports some rows of some threads as one chunk, the way an import does.
pub(super) fn chunk(
    writer: &mut Writer,
    threads: &[Thread],
    rows: &[(usize, usize)],
) -> Result<Committed, StoreError> {
    let commit = judged(writer, threads, rows)?;
    writer.commit(commit)
}

pub(super) fn judged(
    writer: &mut Writer,
    threads: &[Thread],
    rows: &[(usize, usize)],
) -> Result<Commit, StoreError> {
    judged_with(writer, threads, rows, (&[], &[]))
}

/// Judges some rows, with what is said about threads, and rows that are told no longer.
pub(super) fn judged_with(
    writer: &mut Writer,
    threads: &[Thread],
    rows: &[(usize, usize)],
    (said, untold): (&[(String, Fact)], &[Untold]),
) -> Result<Commit, StoreError> {
    let rules = writer.store().forgotten()?;
    let fate = |(thread, line): &(usize, usize)| {
        let (thread, line) = (&threads[*thread], &threads[*thread].lines[*line]);
        let sessions = [thread.id.as_str(), thread.parent.as_deref().unwrap_or_default()];
        let told = Told { provider: "claude", sessions: &sessions, cwd: Some(&line.cwd) };
        rules.fates(told).at(line.at)
    };
    let all = rows;
    let rows: Vec<(usize, usize)> =
        rows.iter().copied().filter(|row| fate(row) != Some(Fate::Alone)).collect();
    let rows = &rows[..];
    // A thread of which only left out rows came is not told of.
    let is_told =
        |at: &usize| all.iter().all(|row| row.0 != *at) || rows.iter().any(|row| row.0 == *at);
    let told: Vec<usize> = (0..threads.len()).filter(is_told).collect();
    let facts: Vec<ThreadFacts> = told.iter().map(|at| threads[*at].facts()).collect();
    let candidates: Vec<Candidate> = rows
        .iter()
        .map(|(thread, line)| {
            let line_of = &threads[*thread].lines[*line];
            Candidate {
                part_id: line_of.part_id(),
                thread: told.binary_search(thread).unwrap(),
                message_index: line_of.message_index,
                response_id: line_of.response_id.clone(),
                call_id: line_of.call_id.clone(),
                said_key: line_of.said_key(),
                created_at: line_of.at,
                is_replay: line_of.is_marked,
                replay_of: line_of.original.clone(),
                is_forgotten: fate(&(*thread, *line)).is_some(),
                span: (*line as u64 * 10, 10),
            }
        })
        .collect();
    let content = |at: &[usize]| {
        let kept = at.iter().map(|at| {
            let (thread, line) = (&threads[rows[*at].0], rows[*at].1);
            (thread, line, thread.lines[line].marked())
        });
        batch(&kept.collect::<Vec<Kept<'_>>>())
    };
    let arriving =
        Arriving { threads: &facts, facts: said, rows: &candidates, untold, content: &content };
    let judgement = writer.judge(arriving)?;
    let mut corrections = judgement.corrections;
    for at in judgement.other_tokens {
        let line = &threads[rows[at].0].lines[rows[at].1];
        let usage = Usage { output: line.tokens, ..Usage::default() };
        corrections.push(Correction::usage(line.part_id(), usage));
    }
    let mut kept = Vec::new();
    let (mut take_over, mut refreshed) = (Vec::new(), Vec::new());
    for ((thread, line), verdict) in rows.iter().zip(judgement.verdicts) {
        let row = &threads[*thread].lines[*line];
        let replay = match verdict {
            Verdict::WriteReplay { replay_of } => Some(replay_of),
            Verdict::WriteOriginal => None,
            verdict if !verdict.is_written() => continue,
            verdict => {
                match verdict {
                    Verdict::TakeOver => take_over.push(row.part_id()),
                    Verdict::Refresh => refreshed.push(row.part_id()),
                    _ => {}
                }
                row.marked()
            }
        };
        kept.push((&threads[*thread], *line, replay));
    }
    Ok(Commit {
        rows: (!kept.is_empty()).then(|| of_run(&batch(&kept), &writer.run_id)),
        take_over,
        refreshed,
        corrections,
        threads: facts,
        facts: said.to_vec(),
        ..Commit::default()
    })
}

/// Returns rows with the id of the run that writes them.
fn of_run(batch: &RecordBatch, run_id: &str) -> RecordBatch {
    let at = hyp_model::dataset::position("run_id").unwrap();
    let mut columns = batch.columns().to_vec();
    columns[at] = Arc::new(StringArray::from(vec![run_id; batch.num_rows()]));
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

pub(super) fn late(part_id: &str, output: u64) -> Correction {
    let usage = Usage { output: Some(output), ..Usage::default() };
    Correction { part_id: part_id.to_owned(), change: Change::Usage(usage) }
}

/// A row to write: its thread, its line, and what it is a copy of if it is one.
pub(super) type Kept<'a> = (&'a Thread, usize, Option<Option<String>>);

pub(super) fn batch(rows: &[Kept<'_>]) -> RecordBatch {
    let columns = COLUMNS.iter().map(|column| array(column, rows)).collect();
    RecordBatch::try_new(messages_schema(), columns).unwrap()
}

fn array(column: &Column, rows: &[Kept<'_>]) -> ArrayRef {
    let lines =
        || rows.iter().map(|(thread, line, replay)| (*thread, &thread.lines[*line], replay));
    match column.kind {
        Type::Int => {
            Arc::new(Int32Array::from_iter_values(lines().map(|(_, line, _)| match column.name {
                "message_index" => line.message_index,
                "part_index" => line.part_index,
                _ => 7,
            })))
        }
        Type::Long => {
            Arc::new(Int64Array::from_iter(rows.iter().map(
                |(thread, at, replay)| match column.name {
                    "input_offset" => Some(*at as i64 * 10),
                    "input_length" => Some(10),
                    "output_tokens" if replay.is_none() => {
                        thread.lines[*at].tokens.map(|tokens| tokens as i64)
                    }
                    _ => None,
                },
            )))
        }
        Type::Boolean => Arc::new(BooleanArray::from_iter(
            lines().map(|(_, _, replay)| (column.name == "is_replay").then_some(replay.is_some())),
        )),
        Type::Timestamp => Arc::new(
            TimestampMicrosecondArray::from_iter_values(lines().map(|(thread, line, _)| {
                match column.name {
                    "message_created_at" => line.at,
                    _ => thread.started_at,
                }
            }))
            .with_timezone("+00:00"),
        ),
        Type::Key => Arc::new(
            FixedSizeBinaryArray::try_from_iter(lines().map(|(_, line, _)| line.said_key().0))
                .unwrap(),
        ),
        _ => Arc::new(StringArray::from_iter(
            lines().map(|(thread, line, replay)| text(column.name, thread, line, replay)),
        )),
    }
}

fn text(
    name: &str,
    thread: &Thread,
    line: &Line,
    replay: &Option<Option<String>>,
) -> Option<String> {
    Some(match name {
        "session_id" => thread.session().to_owned(),
        "conversation_id" => thread.conversation()?,
        "client_name" => Some(thread.client.clone()).filter(|client| !client.is_empty())?,
        "message_id" => line.message_id.clone(),
        "part_id" => line.part_id(),
        "content_text" => line.text.clone(),
        "response_id" => line.response_id.clone()?,
        "tool_call_id" => line.call_id.clone()?,
        "input_id" => thread.input.clone(),
        "cwd" => line.cwd.clone(),
        "replay_of" => replay.clone()??,
        "attributes" => {
            let usage = Usage { output: Some(line.tokens?), ..Usage::default() };
            usage::put(r#"{"a":1}"#, &usage, replay.is_some())
        }
        "gateway_id" | "provider" | "role" | "part_type" | "date" => name.to_owned(),
        _ => return None,
    })
}
