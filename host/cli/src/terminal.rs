//! What stdout is: a terminal of some width, or a pipe.

use std::io::{IsTerminal, stderr, stdout};

use crate::env;

/// Columns of text for which nothing else is known.
pub(crate) const PAPER: usize = 80;

/// Returns the columns of the terminal that stdout is; none where it is a pipe or a file.
pub(crate) fn width() -> Option<usize> {
    let is_terminal = stdout().is_terminal();
    let size = || terminal_size::terminal_size_of(stdout());
    is_terminal.then(|| size().map_or(PAPER, |(width, _)| usize::from(width.0)))
}

/// Returns the columns of the terminal that stderr is; those of paper where it is none.
pub(crate) fn talk_width() -> usize {
    terminal_size::terminal_size_of(stderr()).map_or(PAPER, |(width, _)| usize::from(width.0))
}

/// Says whether stdout takes letters in bold.
pub(crate) fn is_styled() -> bool {
    stdout().is_terminal() && env::is_styled()
}

/// Returns a heading.
pub(crate) fn heading(words: &str, is_styled: bool) -> String {
    if is_styled { format!("\u{1b}[1m{words}\u{1b}[0m") } else { words.to_owned() }
}

/// Returns words on lines of at most `width` columns, after a head on the first and as much room on the others.
pub(crate) fn wrap(head: &str, words: &[String], width: Option<usize>) -> String {
    flow(head, words.iter().map(String::as_str), "  ", width)
}

/// Returns a sentence on lines of at most `width` columns, as [`wrap`] does.
pub(crate) fn fold(head: &str, text: &str, width: Option<usize>) -> String {
    flow(head, text.split(' '), " ", width)
}

fn flow<'a>(
    head: &str,
    words: impl Iterator<Item = &'a str>,
    gap: &str,
    width: Option<usize>,
) -> String {
    let limit = width.unwrap_or(usize::MAX);
    let room = " ".repeat(head.chars().count());
    let (mut out, mut line) = (String::new(), head.to_owned());
    let mut is_empty = true;
    for word in words {
        let length = line.chars().count() + gap.len() + word.chars().count();
        if !is_empty && length > limit {
            out.push_str(&line);
            out.push('\n');
            line.clone_from(&room);
        } else if !is_empty {
            line.push_str(gap);
        }
        line.push_str(word);
        is_empty = false;
    }
    out + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_where_there_is_a_width() {
        let words: Vec<String> =
            ["alpha=1", "beta=22", "gamma=333", "delta=4"].map(str::to_owned).into();
        insta::assert_snapshot!(wrap("  names: ", &words, Some(28)), @"
          names: alpha=1  beta=22
                 gamma=333  delta=4
        ");
        assert_eq!(wrap("n: ", &words, None), "n: alpha=1  beta=22  gamma=333  delta=4\n");
        assert_eq!(wrap("n: ", &words[..1], Some(2)), "n: alpha=1\n");
        assert_eq!(wrap("n: ", &[], Some(2)), "n: \n");
    }
}
