//! What a terminal or a reader could take for a command is shown instead of obeyed.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns a text on one line, without control characters and without those that turn the direction of reading.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hazard) {
        return Cow::Borrowed(text);
    }

    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push('⏎'),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hazard(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn is_hazard(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazards_are_shown() {
        #[rustfmt::skip]
        let cases = [
            ("plain text, ünïcode 日本 👩‍💻", "plain text, ünïcode 日本 👩‍💻"),
            ("two\nlines\r\n",           "two⏎lines\\r⏎"),
            ("a\tb",                     "a\\tb"),
            ("\u{1b}[31mred\u{1b}]0;t\u{7}", "\\u001b[31mred\\u001b]0;t\\u0007"),
            ("\u{9b}31m\u{7f}\u{0}",     "\\u009b31m\\u007f\\u0000"),
            ("\u{202e}gnp.exe",          "\\u202egnp.exe"),
            ("\u{2066}a\u{2069}\u{200e}\u{200f}", "\\u2066a\\u2069\\u200e\\u200f"),
        ];
        for (text, expect) in cases {
            assert_eq!(visible(text), expect);
        }
    }

    #[test]
    fn no_text_keeps_a_hazard() {
        let all: String = ('\0'..='\u{ffff}').collect();
        assert!(!visible(&all).chars().any(is_hazard));
    }
}
