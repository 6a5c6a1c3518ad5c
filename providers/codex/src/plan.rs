//! What is read together: one recording of each thread.

use std::collections::BTreeMap;

use hyp_sdk::{Entry, Ignored, PlanResult, Unit};

/// Why an entry is not read: another one holds the same thread.
const SAME_THREAD: &str = "same-thread-copy";

/// Makes one unit of every thread, named by the id in its file's name.
///
/// A rollout moves when it is archived and changes its suffix when it is compressed, and for a
/// moment it is there twice. The one that the client would go on with is read.
pub(crate) fn units(entries: &[Entry]) -> PlanResult {
    let mut threads: BTreeMap<String, u32> = BTreeMap::new();
    let mut ignored = Vec::new();
    for (index, entry) in (0u32..).zip(entries) {
        let id = thread_id(&entry.path).unwrap_or_else(|| entry.path.clone());
        threads
            .entry(id)
            .and_modify(|chosen| {
                let mut other = index;
                if rank(entry) > rank(&entries[*chosen as usize]) {
                    other = std::mem::replace(chosen, index);
                }
                ignored.push(Ignored { entry: other, kind: SAME_THREAD.to_owned() });
            })
            .or_insert(index);
    }
    let units = threads
        .into_iter()
        .map(|(id, index)| Unit { id, inputs: vec![index], context: Vec::new() })
        .collect();
    PlanResult { units, ignored }
}

/// Orders recordings of one thread: in use before archived; then plain, which is larger, before compressed.
fn rank(entry: &Entry) -> (bool, u64) {
    (entry.root == "sessions", entry.size)
}

/// Returns the last UUID in the name of a file.
pub(crate) fn thread_id(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let last = name.len().checked_sub(36)?;
    let found = (0..=last).rev().find_map(|at| name.get(at..at + 36).filter(|id| is_uuid(id)))?;
    Some(found.to_ascii_lowercase())
}

/// Returns true for an id in the usual notation.
pub(crate) fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0199a0b1-0000-7000-8000-000000000001";

    fn entry(root: &str, path: &str, size: u64) -> Entry {
        Entry { root: root.to_owned(), path: path.to_owned(), size, modified: 0 }
    }

    #[test]
    fn the_thread_is_named_by_the_last_uuid() {
        let name = format!("2026/01/02/rollout-2026-01-02T03-04-05-{ID}.jsonl");
        assert_eq!(thread_id(&name).as_deref(), Some(ID));
        assert_eq!(thread_id("2026/rollout-notes.jsonl"), None);
        assert_eq!(thread_id("rollout-é-0199a0b1-0000-7000-8000.jsonl"), None);
    }

    #[test]
    fn a_thread_under_several_names_is_read_once() {
        let name = format!("rollout-2026-01-02T03-04-05-{ID}.jsonl");
        let below = format!("2026/01/02/{name}");
        let entries = [
            entry("archived_sessions", &name, 900),
            entry("sessions", &below, 300),
            entry("sessions", &below, 1_000),
            entry("sessions", "2026/rollout-notes.jsonl", 10),
        ];
        let plan = units(&entries);
        let read: Vec<_> =
            plan.units.iter().map(|unit| (unit.id.as_str(), unit.inputs[0])).collect();
        assert_eq!(read, [(ID, 2), ("2026/rollout-notes.jsonl", 3)]);
        let ignored: Vec<_> = plan.ignored.iter().map(|it| (it.entry, it.kind.as_str())).collect();
        assert_eq!(ignored, [(0, SAME_THREAD), (1, SAME_THREAD)]);
    }
}
