//! What is read together: all recordings of a thread.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::{Entry, Peek, PlanResult, Unit};

/// As much of a recording as its header takes.
const HEAD: u32 = 64 << 10;

/// Makes one unit of every thread, named by the id in its file's name, or else in its header.
///
/// A rollout moves when it is archived and changes its suffix when it is compressed, so for a moment, or in a
/// copied home, it is there twice; some builds go on in another file. All are read, the oldest name first, and
/// of one name the largest: what a later one repeats is left out when it is read.
pub(crate) fn units(entries: &[Entry], peek: &mut dyn Peek) -> PlanResult {
    let mut threads: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (index, entry) in (0u32..).zip(entries) {
        let id = if entry.path.is_empty() {
            // A root that is a file is no recording.
            entry.root.clone()
        } else {
            thread_id(&entry.path)
                .or_else(|| told_id(&peek.head(index, HEAD)?))
                .unwrap_or_else(|| entry.path.clone())
        };
        threads.entry(id).or_default().push(index);
    }
    let units = threads.into_iter().map(|(id, mut inputs)| {
        inputs.sort_by_key(|&index| rank(&entries[index as usize]));
        Unit::new(id, inputs)
    });
    PlanResult { units: units.collect(), ignored: Vec::new() }
}

/// Orders recordings of one thread. Of one name and size, that which is in use comes before the archived one.
fn rank(entry: &Entry) -> (&str, Reverse<u64>, bool, &str) {
    let name = entry.path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or(name);
    (stem, Reverse(entry.size), entry.root != "sessions", &entry.path)
}

/// Returns the thread that the name of a file tells: its last UUID, or the one that this is joined to by `_`.
///
/// A thread that is taken up again, or back to an earlier turn, goes on in a file of its own, whose name adds the file's
/// id to the thread's.
pub(crate) fn thread_id(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let uuid = |at: usize| name.get(at..at.checked_add(36)?).filter(|id| is_uuid(id));
    let last = name.len().checked_sub(36)?;
    let at = (0..=last).rev().find(|&at| uuid(at).is_some())?;
    let joined =
        name[..at].strip_suffix('_').and_then(|thread| uuid(thread.len().checked_sub(36)?));
    joined.or_else(|| uuid(at)).map(str::to_ascii_lowercase)
}

/// Returns the id in the header at the start of a recording.
fn told_id(head: &[u8]) -> Option<String> {
    let line = head.split(|&byte| byte == b'\n').next()?;
    let mut tape = Tape::new();
    let record = tape.parse_document(line).ok()?;
    let header = match record.get("type").and_then(Value::str).as_deref() {
        Some("session_meta") => record.get("payload")?,
        Some(_) => return None,
        None => record.get("session").unwrap_or(record),
    };
    header.get("id").and_then(Value::non_empty)
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

    /// Recordings without names, as far as they are looked into.
    struct Heads(Vec<&'static str>);

    impl Peek for Heads {
        fn head(&mut self, entry: u32, _limit: u32) -> Option<Vec<u8>> {
            self.0.get(entry as usize).map(|head| head.as_bytes().to_vec())
        }

        fn tail(&mut self, _entry: u32, _limit: u32) -> Option<Vec<u8>> {
            None
        }
    }

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
    fn a_file_that_a_thread_goes_on_in_has_the_threads_id_first() {
        let other = "0199a0b2-0000-7000-8000-000000000002";
        let name = |ids: &str| format!("2026/01/02/rollout-2026-01-02T03-04-05-{ids}.jsonl");
        assert_eq!(thread_id(&name(&format!("{ID}_{other}"))).as_deref(), Some(ID));
        assert_eq!(thread_id(&name(&format!("{ID}-{other}"))).as_deref(), Some(other));
        assert_eq!(thread_id(&name(&format!("x_{other}"))).as_deref(), Some(other));
    }

    #[test]
    fn a_thread_under_several_names_is_one_unit() {
        let name = format!("rollout-2026-01-02T03-04-05-{ID}.jsonl");
        let below = format!("2026/01/02/{name}");
        let later = format!("2026/01/03/rollout-2026-01-03T03-04-05-{ID}.jsonl");
        let entries = [
            entry("archived_sessions", &name, 900),
            entry("sessions", &later, 5_000),
            entry("sessions", &below, 300),
            entry("sessions", &below, 900),
            entry("sessions", "2026/rollout-notes.jsonl", 10),
        ];
        let plan = units(&entries, &mut Heads(Vec::new()));
        let read: Vec<_> =
            plan.units.iter().map(|unit| (unit.id.as_str(), unit.inputs.as_slice())).collect();
        assert_eq!(read, [(ID, &[3, 0, 2, 1][..]), ("2026/rollout-notes.jsonl", &[4][..])]);
    }

    #[test]
    fn a_file_without_an_id_in_its_name_has_it_in_its_header() {
        let entries = ["a", "b", "c", "d"].map(|name| entry("sessions", name, 1));
        let heads = Heads(vec![
            "{\"type\":\"session_meta\",\"payload\":{\"id\":\"x\"}}\n{}",
            "{\"session\":{\"id\":\"x\"},\"items\":[]}",
            "{\"id\":\"y\",\"timestamp\":\"\"}\n",
            "{\"type\":\"message\",\"id\":\"x\"}",
        ]);
        let plan = units(&entries, &mut { heads });
        let read: Vec<_> =
            plan.units.iter().map(|unit| (unit.id.as_str(), unit.inputs.as_slice())).collect();
        assert_eq!(read, [("d", &[3][..]), ("x", &[0, 1]), ("y", &[2])]);
    }
}
