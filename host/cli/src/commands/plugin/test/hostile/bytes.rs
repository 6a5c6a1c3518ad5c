//! What disks, killed writers and other versions do to a file.

use std::fs;
use std::io;
use std::path::Path;

/// Places at which a file is cut.
const CUTS: usize = 8;

/// More than a record may have.
const HUGE: usize = (32 << 20) + 1;

/// What changes a file, and says whether there was anything to change.
type Change = Box<dyn Fn(&Path) -> io::Result<bool>>;

/// Something that is done to a file.
pub(super) struct Damage {
    /// What it is.
    pub(super) what: String,
    /// Does it.
    pub(super) apply: Change,
}

impl Damage {
    fn to(what: impl Into<String>, bytes: Vec<u8>) -> Self {
        let apply = move |file: &Path| fs::write(file, &bytes).map(|()| true);
        Self { what: what.into(), apply: Box::new(apply) }
    }
}

/// Returns what is done to every file.
pub(super) fn small(bytes: &[u8]) -> Vec<Damage> {
    let mut damages = vec![Damage::to("empty", Vec::new())];
    for cut in 1..=CUTS {
        let at = bytes.len() * cut / (CUTS + 1);
        damages.push(Damage::to(format!("cut at byte {at}"), bytes[..at].to_vec()));
    }
    let line = middle(bytes);
    for (what, inserted) in [
        ("a line that is no JSON", &b"{\"half\": \n"[..]),
        ("a line that is no UTF-8", b"{\"text\": \"\xff\xfe\"}\n"),
        ("a line of another kind", b"{\"type\":\"never-heard-of\",\"version\":99}\n"),
        ("a value that is no object", b"[[[0]]]\n"),
        ("a value within many others", &nested()),
        ("zeros", &[0; 512]),
    ] {
        let what = format!("with {what} at byte {line}");
        damages.push(Damage::to(what, [&bytes[..line], inserted, &bytes[line..]].concat()));
    }
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let twice: Vec<&[u8]> = lines.iter().flat_map(|line| [*line, *line]).collect();
    damages.push(Damage::to("with each line twice", twice.concat()));
    lines.reverse();
    damages.push(Damage::to("with its lines the other way round", lines.concat()));
    damages
}

/// Returns the same, and a line that is longer than a record may be.
pub(super) fn all(bytes: &[u8]) -> Vec<Damage> {
    let line = middle(bytes);
    let mut huge = bytes[..line].to_vec();
    huge.extend_from_slice(b"{\"text\":\"");
    huge.resize(huge.len() + HUGE, b'x');
    huge.extend_from_slice(b"\"}\n");
    huge.extend_from_slice(&bytes[line..]);
    let mut damages = small(bytes);
    damages.push(Damage::to(format!("with a line of 32 MiB at byte {line}"), huge));
    damages
}

/// Returns where the first line after the middle begins.
fn middle(bytes: &[u8]) -> usize {
    let half = bytes.len() / 2;
    bytes[half..].iter().position(|byte| *byte == b'\n').map_or(0, |at| half + at + 1)
}

/// Returns lists within lists, deeper than a stack.
fn nested() -> Vec<u8> {
    const DEEP: usize = 100_000;
    let mut line = vec![b'['; DEEP];
    line.resize(2 * DEEP, b']');
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_damaged_in_all_the_ways_that_disks_and_writers_know() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chat.jsonl");
        let whole = b"{\"a\":1}\n{\"b\":2}\n";
        let mut results = Vec::new();
        for damage in all(whole) {
            assert!((damage.apply)(&file).unwrap(), "{}", damage.what);
            results.push(fs::read(&file).unwrap());
        }
        assert!(results.iter().all(|bytes| bytes != whole));
        assert!(results[0].is_empty());
        assert!(results.iter().any(|it| it == b"{\"b\":2}\n{\"a\":1}\n"));
        assert!(results.iter().any(|it| it.starts_with(b"{\"a\":1}\n{\"b\":2}\n{\"half\"")));
        assert!(results.iter().any(|it| it.len() > HUGE));
    }
}
