//! A question that must be answered before something happens that cannot be taken back lightly.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::failure::Failure;

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// Go ahead.
    Given,
    /// Leave everything as it is.
    Refused,
}

/// Asks on the terminal; where there is none, only `--yes` is consent.
///
/// Nothing but a yes is one: an empty line, the end of the input and any other word refuse.
pub(super) fn consent(
    question: &str,
    is_given: bool,
    command: &'static str,
) -> Result<Consent, Failure> {
    if is_given {
        return Ok(Consent::Given);
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        let message = "nobody is there to agree; say so with --yes".to_owned();
        return Err(Failure::Guarded { command, message });
    }
    let mut stderr = io::stderr().lock();
    let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let heard = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    heard.map_err(Failure::Output)?;
    if is_yes(&answer) {
        return Ok(Consent::Given);
    }
    let _ = writeln!(stderr, "nothing was changed");
    Ok(Consent::Refused)
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_yes_is_one() {
        for (answer, expect) in [
            ("y\n", true),
            (" YES \n", true),
            ("\n", false),
            ("", false),
            ("no\n", false),
            ("yep\n", false),
        ] {
            assert_eq!(is_yes(answer), expect, "{answer:?}");
        }
    }
}
