//! The tight loops: ends of strings and of numbers.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Returns the first position at or after `at` of a quote, a backslash or a control character.
#[inline]
pub(super) fn special(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    // Most strings are short keys and ids: a few words are looked at before blocks pay off.
    for _ in 0..4 {
        match word(bytes, at) {
            Some(0) => at += 8,
            Some(hits) => return Some(at + first(hits)),
            None => return slow(bytes, at),
        }
    }
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<64>()) {
        if block.iter().fold(false, |hit, &byte| hit | is_special(byte)) {
            break;
        }
        at += 64;
    }
    while let Some(hits) = word(bytes, at) {
        if hits != 0 {
            return Some(at + first(hits));
        }
        at += 8;
    }
    slow(bytes, at)
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

/// Returns the high bit of every byte of the word at `at` that is special. Bits above the first hit may be wrong.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let word = u64::from_le_bytes(*bytes.get(at..)?.first_chunk::<8>()?);
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    Some((zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c)) | control) & HIGH)
}

#[inline]
fn first(hits: u64) -> usize {
    (hits.trailing_zeros() / 8) as usize
}

#[cold]
fn slow(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.iter().position(|&byte| is_special(byte)).map(|found| at + found)
}

/// Returns the end of the number at `at`, if it is one.
#[inline]
pub(super) fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = |mut at: usize| {
        let start = at;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        (at > start).then_some(at)
    };
    let mut at = at;
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = digits(at)?;
    }
    // `01` and `1x` are no numbers.
    let goes_on = bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
    (!goes_on).then_some(at)
}

/// Returns the first position at or after `at` that is no JSON whitespace.
#[inline]
pub(super) fn blank_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at;
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}
