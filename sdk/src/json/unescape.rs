//! Escapes of strings that the parser has found to be well formed.

/// Returns the text, and true if it has U+FFFD in place of a lone surrogate.
pub(super) fn unescape(inner: &str) -> (String, bool) {
    let bytes = inner.as_bytes();
    let mut text = String::with_capacity(inner.len());
    let mut lone = false;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        text.push_str(&inner[at..at + found]);
        at += found + 2;
        match bytes.get(at - 1) {
            Some(b'u') => {
                let (character, used) = code_point(bytes, at);
                lone |= character.is_none();
                text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
                at += used;
            }
            Some(b'b') => text.push('\u{8}'),
            Some(b'f') => text.push('\u{c}'),
            Some(b'n') => text.push('\n'),
            Some(b'r') => text.push('\r'),
            Some(b't') => text.push('\t'),
            Some(&other) => text.push(char::from(other)),
            None => return (text, lone),
        }
    }
    text.push_str(&inner[at..]);
    (text, lone)
}

/// Returns the character whose hex digits start at `at`, and how many bytes from there it takes.
fn code_point(bytes: &[u8], at: usize) -> (Option<char>, usize) {
    let Some(first) = unit(bytes, at) else { return (None, 0) };
    if !(0xd800..0xdc00).contains(&first) {
        return (char::from_u32(first), 4);
    }
    if bytes.get(at + 4..at + 6) == Some(b"\\u")
        && let Some(second @ 0xdc00..0xe000) = unit(bytes, at + 6)
    {
        return (char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)), 10);
    }
    (None, 4)
}

fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |unit, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(unit << 4 | digit)
    })
}
