//! Text for terminals: nothing that a transcript holds may move the cursor or turn the direction.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Returns the text on one line, with control and direction characters spelled out.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Returns the text with its lines, and what else controls or turns it spelled out.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\n' && is_unsafe(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(line).collect::<Vec<_>>().join("\n"))
}

/// Returns the first words of a text, on one line, at most `limit` characters long.
pub(crate) fn headline(text: &str, limit: usize) -> String {
    let words = text.split_whitespace().take(limit).collect::<Vec<_>>().join(" ");
    let safe = line(&words);
    if safe.chars().count() <= limit {
        return safe.into_owned();
    }
    safe.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// Returns the start of a text, on one line, in at most as many columns of a terminal.
pub(crate) fn cut(text: &str, width: usize) -> String {
    let safe = line(text);
    if safe.width() <= width {
        return safe.into_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = safe.chars().take_while(|c| {
        let rest = left.checked_sub(c.width().unwrap_or(0));
        left = rest.unwrap_or(0);
        rest.is_some()
    });
    fits.chain(['…']).collect()
}

/// Returns the end of a text, on one line, in exactly as many columns of a terminal.
pub(crate) fn tail_cell(text: &str, width: usize) -> String {
    let safe = line(text);
    if safe.width() <= width {
        let room = " ".repeat(width - safe.width());
        return format!("{safe}{room}");
    }
    let (mut start, mut left) = (safe.len(), width.saturating_sub(1));
    for (at, c) in safe.char_indices().rev() {
        let Some(rest) = left.checked_sub(c.width().unwrap_or(0)) else { break };
        (start, left) = (at, rest);
    }
    format!("…{}{}", &safe[start..], " ".repeat(left))
}

/// Returns a count as short as its size lets be: `812`, `4.5k`, `12M`.
pub(crate) fn count(count: u64) -> String {
    let units = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let Some((unit, name)) = units.into_iter().find(|(unit, _)| count >= *unit) else {
        return count.to_string();
    };
    let tenths = count / (unit / 10);
    match tenths {
        0..100 => format!("{}.{}{name}", tenths / 10, tenths % 10),
        _ => format!("{}{name}", tenths / 10),
    }
}

/// Returns a short count with what it counts: `1 session`, `4.5k sessions`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{} {what}s", count(number)) }
}

/// Returns a count with all its digits: `1,204,551`.
pub(crate) fn full(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns a whole count with what it counts: `1 row`, `1,204 rows`.
pub(crate) fn counted_full(number: u64, what: &str) -> String {
    format!("{} {what}{}", full(number), if number == 1 { "" } else { "s" })
}

/// Returns a word as a shell reads it back.
pub(crate) fn shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Returns how many of a hundred parts of the whole a part is, rounded.
pub(crate) fn percent(part: u64, whole: u64) -> u128 {
    let whole = u128::from(whole.max(1));
    (u128::from(part) * 100 + whole / 2) / whole
}

/// Returns a number of bytes with a unit.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal place is shown")]
    let mut size = count as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_cannot_reach_the_terminal() {
        assert_eq!(line("a\u{1b}]0;x\u{7}\u{202e}b"), "a\\u{1b}]0;x\\u{7}\\u{202e}b");
        assert_eq!(line("plain é 日本 🌊"), "plain é 日本 🌊");
    }

    #[test]
    fn a_headline_is_one_short_line() {
        assert_eq!(headline("  find\n the   cause\t", 20), "find the cause");
        assert_eq!(headline("abcdefgh", 5), "abcd…");
    }

    #[test]
    fn a_cell_is_as_wide_as_it_says() {
        assert_eq!(tail_cell("abc", 5), "abc  ");
        assert_eq!(tail_cell("abcdefgh", 5), "…efgh");
        assert_eq!(tail_cell("日本語", 5), "…本語");
        assert_eq!(tail_cell("日本語", 4), "…語 ");
    }

    #[test]
    fn counts_are_short() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1.0k"), (45_678, "45k"), (1_250_000, "1.2M")];
        for (number, expected) in cases {
            assert_eq!(count(number), expected);
        }
    }

    #[test]
    fn a_word_can_be_typed_into_a_shell() {
        assert_eq!(shell("a/b-c"), "a/b-c");
        assert_eq!(shell("it's here"), r"'it'\''s here'");
        assert_eq!(shell(""), "''");
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2_048].map(|n| counted(n, "row")), ["0 rows", "1 row", "2.0k rows"]);
        assert_eq!(
            [0, 1, 2_048].map(|n| counted_full(n, "row")),
            ["0 rows", "1 row", "2,048 rows"]
        );
    }

    #[test]
    fn lines_stay_and_escapes_do_not() {
        assert_eq!(lines("a\n\nb\u{202e}\r\n"), "a\n\nb\\u{202e}\\r\n");
        assert_eq!(lines("a\nb"), "a\nb");
    }

    #[test]
    fn digits_are_in_threes_and_percents_are_rounded() {
        assert_eq!(
            [full(0), full(999), full(1_000), full(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        let cases = [((0, 0), 0), ((1, 3), 33), ((2, 3), 67), ((u64::MAX, u64::MAX), 100)];
        for ((part, whole), expected) in cases {
            assert_eq!(percent(part, whole), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn bytes_have_a_unit() {
        assert_eq!([bytes(7), bytes(1536), bytes(5 << 20)], ["7 B", "1.5 KiB", "5.0 MiB"]);
    }
}
