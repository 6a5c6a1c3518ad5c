//! What a table should be: all threads read at once, in the order of their beginnings.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Kept, Line, Thread, batch, row};

/// Rows by id, columns by name.
pub(super) type Table = BTreeMap<String, BTreeMap<&'static str, String>>;

/// The table, and each part with the threads that saw it and do not have its row.
pub(super) struct Expected {
    pub(super) table: Table,
    pub(super) sightings: BTreeSet<(String, String)>,
}

/// Reads all threads at once.
pub(super) fn read(threads: &[Thread]) -> Expected {
    read_some(threads, threads)
}

/// Reads some of the threads that are known.
pub(super) fn read_some(threads: &[Thread], known: &[Thread]) -> Expected {
    let mut threads: Vec<&Thread> = threads.iter().collect();
    let beginnings: BTreeMap<String, (i64, usize)> =
        threads.iter().map(|it| (it.id.clone(), beginning(it, known))).collect();
    threads.sort_by_key(|thread| (beginnings[&thread.id], thread.copied, thread.id.clone()));
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<Kept<'_>> = Vec::new();
    let mut sightings = BTreeSet::new();
    for (at, thread) in threads.iter().enumerate() {
        let mut own = Vec::new();
        for (number, line) in thread.lines.iter().enumerate() {
            if *owners.entry(line.part_id()).or_insert(at) == at {
                own.push(number);
            } else {
                sightings.insert((line.part_id(), thread.id.clone()));
            }
        }
        let kin: Vec<usize> =
            (0..at).filter(|other| last_shared(thread, threads[*other]).is_some()).collect();
        let shared = kin.iter().filter_map(|other| last_shared(thread, threads[*other])).max();
        let end = copied_to(at, &kin, &threads, &owners);
        for number in own {
            let line = &thread.lines[number];
            let is_said = |other: &&usize| {
                threads[**other].lines.iter().any(|it| it.said_key() == line.said_key())
            };
            let is_added = Some(line.message_index) == shared
                && keys(line).next().is_none()
                && !kin.iter().any(|other| is_said(&other));
            // Only what is there can have been copied, or what others copied of it before.
            let origin = thread.forked_from.as_ref();
            let is_here = origin.is_none_or(|id| threads.iter().any(|it| it.id == *id));
            let is_told_copy =
                line.is_marked && !is_here && kin.iter().any(|other| is_said(&other));
            let is_copy = is_told_copy
                || line.message_index <= end
                    && !is_added
                    && !is_news(line, &kin, &threads, &owners);
            let replay = if is_copy {
                let original = kin.iter().find_map(|other| {
                    threads[*other].lines.iter().find(|theirs| theirs.said_key() == line.said_key())
                });
                Some(original.map(Line::part_id))
            } else {
                (line.is_marked && is_here).then_some(None)
            };
            kept.push((*thread, number, replay));
        }
    }
    if kept.is_empty() {
        return Expected { table: Table::new(), sightings };
    }
    let rows = batch(&kept);
    let table = (0..rows.num_rows()).map(|at| row(&rows, at));
    let table = table.map(|row| (row["part_id"].clone(), row)).collect();
    Expected { table, sightings }
}

/// Keys by which threads are kin.
fn keys(line: &Line) -> impl Iterator<Item = &String> {
    line.response_id.iter().chain(&line.call_id)
}

/// Says whether a line has keys that none of the relatives has, or is the result of a call that one of them made and has
/// no result of.
fn is_news(
    line: &Line,
    kin: &[usize],
    threads: &[&Thread],
    owners: &BTreeMap<String, usize>,
) -> bool {
    if let (None, Some(call)) = (&line.response_id, &line.call_id) {
        let mut theirs = kin.iter().flat_map(|other| &threads[*other].lines);
        let is_made = |other: &usize| {
            let mut own = threads[*other].lines.iter().filter(|it| owners[&it.part_id()] == *other);
            own.any(|it| it.call_id.as_ref() == Some(call))
        };
        if !theirs.any(|it| it.said_key() == line.said_key()) && kin.iter().any(is_made) {
            return true;
        }
    }
    let theirs: BTreeSet<&String> =
        kin.iter().flat_map(|other| &threads[*other].lines).flat_map(keys).collect();
    keys(line).next().is_some() && !keys(line).any(|key| theirs.contains(key))
}

/// Returns when a thread began, not before its origin, and how many origins it has that began at that moment.
fn beginning(thread: &Thread, known: &[Thread]) -> (i64, usize) {
    let origin = thread.forked_from.as_ref().or(thread.parent.as_ref());
    let origin = origin.and_then(|id| known.iter().find(|it| it.id == *id));
    match origin.map(|origin| beginning(origin, known)) {
        Some((at, forks)) if at >= thread.started_at => (at, forks + 1),
        _ => (thread.started_at, 0),
    }
}

/// Returns the last message of a thread with a response or call that another has, too.
fn last_shared(thread: &Thread, other: &Thread) -> Option<i32> {
    let theirs: BTreeSet<&String> = other.lines.iter().flat_map(keys).collect();
    let shared = thread.lines.iter().filter(|line| keys(line).any(|key| theirs.contains(key)));
    shared.map(|line| line.message_index).max()
}

/// A message of which all parts are one thread's rows: its position, its time, what it says.
type Message = (i32, i64, Vec<String>);

/// Returns the messages of a thread by those of its lines that are its rows.
fn messages(at: usize, threads: &[&Thread], owners: &BTreeMap<String, usize>) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for line in &threads[at].lines {
        if owners[&line.part_id()] != at {
            continue;
        }
        let said = format!("{:?}", line.said_key());
        match messages.last_mut() {
            Some(last) if last.0 == line.message_index => last.2.push(said),
            _ => messages.push((line.message_index, line.at, vec![said])),
        }
    }
    messages
}

/// Returns the last message that is copied: one with a shared response, or one that visibly goes with it.
fn copied_to(
    at: usize,
    kin: &[usize],
    threads: &[&Thread],
    owners: &BTreeMap<String, usize>,
) -> i32 {
    let last = |other: &usize| last_shared(threads[at], threads[*other]);
    let Some(end) = kin.iter().filter_map(last).max() else { return -1 };
    let mine = messages(at, threads, owners);
    let stamp = mine.iter().find(|message| message.0 == end).map(|message| message.1);
    let mut furthest = end;
    for other in kin.iter().filter(|other| last(other) == Some(end)) {
        let theirs = messages(*other, threads, owners);
        let shared = last_shared(threads[*other], threads[at]).unwrap();
        let Some(from) = theirs.iter().position(|message| message.0 == shared) else { continue };
        let before = theirs[from].1;
        let mut next = from + 1;
        for (index, time, said) in mine.iter().filter(|message| message.0 > end) {
            let is_copy = |it: &Message| {
                it.2 == *said && it.1 != before && (it.1 == *time || stamp == Some(*time))
            };
            let Some(found) = theirs[next..].iter().position(is_copy) else { break };
            next += found + 1;
            furthest = furthest.max(*index);
        }
    }
    furthest
}
