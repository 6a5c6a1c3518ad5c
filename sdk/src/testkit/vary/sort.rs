//! Sorts of variations.

use std::ops::Range;

use super::super::files::File;
use super::place::{Place, lines, places};

/// Changes files; says whether it could.
type Change = fn(&mut [File], &mut Luck) -> bool;

/// All sorts, by name.
pub(super) const SORTS: [(&str, Change); 26] = [
    ("absent", |files, luck| member(files, luck, |_, _| String::new())),
    ("null", |files, luck| value(files, luck, |_| "null".to_owned())),
    ("true", |files, luck| value(files, luck, |_| "true".to_owned())),
    ("number", |files, luck| value(files, luck, |_| "7".to_owned())),
    ("negative", |files, luck| value(files, luck, |_| "-1".to_owned())),
    ("fraction", |files, luck| value(files, luck, |_| "1.5e300".to_owned())),
    ("text", |files, luck| value(files, luck, |_| "\"x\"".to_owned())),
    ("empty text", |files, luck| value(files, luck, |_| "\"\"".to_owned())),
    ("half a pair", |files, luck| value(files, luck, |_| r#""a\ud83d""#.to_owned())),
    ("in quotes", |files, luck| value(files, luck, |old| format!("\"{}\"", old.replace('"', "")))),
    ("list", |files, luck| value(files, luck, |old| format!("[{old}]"))),
    ("empty list", |files, luck| value(files, luck, |_| "[]".to_owned())),
    ("object", |files, luck| value(files, luck, |old| format!("{{\"text\":{old}}}"))),
    ("empty object", |files, luck| value(files, luck, |_| "{}".to_owned())),
    ("told twice", |files, luck| member(files, luck, |key, old| format!("{key}null,{key}{old}"))),
    ("taken back", |files, luck| member(files, luck, |key, old| format!("{key}{old},{key}null"))),
    ("swapped", swapped),
    ("again", |files, luck| line(files, luck, |line| [line, b"\n", line].concat())),
    ("gone", |files, luck| line(files, luck, |_| Vec::new())),
    ("carriage return", |files, luck| line(files, luck, |line| [line, b"\r"].concat())),
    ("blanks", |files, luck| line(files, luck, |line| [b" \t", line, b"  "].concat())),
    ("zeros", |files, luck| line(files, luck, |line| [&[0; 9], line].concat())),
    ("mark", |files, luck| {
        whole(files, luck, |bytes, _| drop(bytes.splice(..0, *b"\xef\xbb\xbf")))
    }),
    ("two on a line", two_on_a_line),
    ("cut", |files, luck| whole(files, luck, |bytes, at| bytes.truncate(at))),
    ("bad byte", |files, luck| whole(files, luck, |bytes, at| bytes[at] = 0xff)),
];

/// Numbers that look like chance, and are the same for one name.
#[derive(Debug)]
pub(super) struct Luck(u64);

impl Luck {
    pub(super) fn of(name: &str) -> Self {
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Self(seed | 1)
    }

    /// Returns a number below a limit that is not 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn pick<T>(&mut self, mut from: Vec<T>) -> Option<T> {
        if from.is_empty() {
            return None;
        }
        let at = self.below(from.len());
        Some(from.swap_remove(at))
    }
}

fn pick<'f>(files: &'f mut [File], luck: &mut Luck) -> Option<&'f mut Vec<u8>> {
    let files = files.iter_mut().filter(|file| !file.bytes.is_empty());
    luck.pick(files.collect()).map(|file| &mut file.bytes)
}

fn whole(files: &mut [File], luck: &mut Luck, change: fn(&mut Vec<u8>, usize)) -> bool {
    let Some(bytes) = pick(files, luck) else { return false };
    let at = luck.below(bytes.len());
    change(bytes, at);
    true
}

fn line(files: &mut [File], luck: &mut Luck, change: impl Fn(&[u8]) -> Vec<u8>) -> bool {
    let Some(bytes) = pick(files, luck) else { return false };
    let Some(at) = luck.pick(lines(bytes)) else { return false };
    let new = change(&bytes[at.clone()]);
    bytes.splice(at, new);
    true
}

fn swapped(files: &mut [File], luck: &mut Luck) -> bool {
    let Some(bytes) = pick(files, luck) else { return false };
    let lines = lines(bytes);
    let (one, other) = (luck.below(lines.len()), luck.below(lines.len()));
    if one == other {
        return false;
    }
    let (first, second) = (lines[one.min(other)].clone(), lines[one.max(other)].clone());
    let (above, below) = (bytes[first.clone()].to_vec(), bytes[second.clone()].to_vec());
    bytes.splice(second, above);
    bytes.splice(first, below);
    true
}

fn two_on_a_line(files: &mut [File], luck: &mut Luck) -> bool {
    let Some(bytes) = pick(files, luck) else { return false };
    let ends = (0..bytes.len()).filter(|&at| bytes[at] == b'\n').collect();
    let Some(at) = luck.pick(ends) else { return false };
    bytes.remove(at);
    true
}

fn value(files: &mut [File], luck: &mut Luck, new: impl Fn(&str) -> String) -> bool {
    json(files, luck, |text, places, luck| {
        let place = luck.pick(places)?;
        let new = new(&text[place.value.clone()]);
        Some((place.value, new))
    })
}

/// Changes a member; `new` gets its key with the colon, and its value. An empty text takes it away, with a comma.
fn member(files: &mut [File], luck: &mut Luck, new: impl Fn(&str, &str) -> String) -> bool {
    json(files, luck, |text, places, luck| {
        let place = luck.pick(places.into_iter().filter(|place| place.is_member).collect())?;
        let key = &text[place.whole.start..place.value.start];
        let new = new(key, &text[place.value.clone()]);
        let mut at = place.whole;
        if new.is_empty() && text[at.end..].starts_with(',') {
            at.end += 1;
        } else if new.is_empty() && text[..at.start].ends_with(',') {
            at.start -= 1;
        }
        Some((at, new))
    })
}

/// Changes a place of a line, or of a document that is one.
fn json(
    files: &mut [File],
    luck: &mut Luck,
    change: impl Fn(&str, Vec<Place>, &mut Luck) -> Option<(Range<usize>, String)>,
) -> bool {
    let Some(bytes) = pick(files, luck) else { return false };
    let whole = 0..bytes.len();
    let is_one = std::str::from_utf8(bytes)
        .is_ok_and(|text| places(text).len() > 1 && text.starts_with("{\n"));
    let Some(line) = (if is_one { Some(whole) } else { luck.pick(lines(bytes)) }) else {
        return false;
    };
    let Ok(text) = std::str::from_utf8(&bytes[line.clone()]) else { return false };
    let Some((at, new)) = change(text, places(text), luck) else { return false };
    bytes.splice(line.start + at.start..line.start + at.end, new.into_bytes());
    true
}
