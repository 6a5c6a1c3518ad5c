//! Long answers, page by page where a person reads them.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::env;
use crate::failure::Failure;

/// What shows pages where the person named nothing else: it ends at once when all fits on the screen.
const USUAL: &str = "less -FRX";

/// Prints a text; on a terminal through the person's pager.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let is_terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
    if is_terminal && paged(&env::pager().unwrap_or_else(|| USUAL.to_owned()), text) {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Output)
}

/// Hands a text to a pager; false where there is none.
fn paged(command: &str, text: &str) -> bool {
    let mut words = command.split_whitespace();
    let Some(program) = words.next() else { return false };
    let Ok(mut child) = Command::new(program).args(words).stdin(Stdio::piped()).spawn() else {
        return false;
    };
    if let Some(mut pages) = child.stdin.take() {
        // A person who has read enough closes the pager, and the rest is not wanted.
        let _ = pages.write_all(text.as_bytes());
    }
    child.wait().is_ok()
}
