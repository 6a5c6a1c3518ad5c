//! Questions on a terminal. They go to stderr, as all talk does.

use std::fmt::Display;
use std::io::{self, IsTerminal};

use crate::{env, terminal, text};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The person went away: Ctrl-C, Escape, or a terminal that was closed.
    Cancelled,
    /// The terminal failed.
    Terminal(io::Error),
}

impl From<io::Error> for Unanswered {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::Interrupted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::UnexpectedEof => Self::Cancelled,
            _ => Self::Terminal(error),
        }
    }
}

/// Columns that stand before a question.
const RAIL: usize = 3;

/// Columns that stand before an answer, and the one that no line may reach.
pub(crate) const MARGIN: usize = RAIL + 4;

/// One answer of several.
pub(crate) struct Choice<T> {
    /// What it means.
    pub(crate) value: T,
    /// Its line.
    label: String,
}

impl<T> Choice<T> {
    /// Returns an answer with its line.
    pub(crate) fn new(value: T, label: impl Into<String>) -> Self {
        let room = terminal::talk_width().saturating_sub(MARGIN).max(1);
        Self { value, label: text::cut(&label.into(), room) }
    }
}

/// Says whether somebody is there to answer.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal() && !env::is_dumb()
}

/// Asks for any number of answers; those that `is_set` says so are picked at first.
pub(crate) fn several<T: Clone + Eq>(
    question: impl Display,
    choices: &[Choice<T>],
    is_set: impl Fn(&T) -> bool,
) -> Result<Vec<T>, Unanswered> {
    let picked = choices.iter().map(|choice| choice.value.clone()).filter(is_set).collect();
    let mut list = cliclack::multiselect(fold(question)).required(false).initial_values(picked);
    for Choice { value, label } in choices {
        list = list.item(value.clone(), label, "");
    }
    Ok(list.interact()?)
}

/// Asks for one of several answers; the first is the one to begin with.
pub(crate) fn one<T: Clone + Eq>(
    question: impl Display,
    choices: &[Choice<T>],
) -> Result<T, Unanswered> {
    let mut list = cliclack::select(fold(question));
    for Choice { value, label } in choices {
        list = list.item(value.clone(), label, "");
    }
    Ok(list.interact()?)
}

/// Asks for yes or no, yes to begin with.
pub(crate) fn confirm(question: impl Display) -> Result<bool, Unanswered> {
    Ok(cliclack::confirm(fold(question)).initial_value(true).interact()?)
}

/// Asks for a text until `check` takes it.
pub(crate) fn text(
    question: impl Display,
    example: &str,
    check: impl Fn(&str) -> Result<(), String> + 'static,
) -> Result<String, Unanswered> {
    let mut input = cliclack::input(fold(question))
        .placeholder(example)
        .validate(move |text: &String| check(text.trim()));
    let text: String = input.interact()?;
    Ok(text.trim().to_owned())
}

/// Returns words on lines that fit behind the rail; no path is taken apart.
pub(crate) fn fold(words: impl Display) -> String {
    let width = terminal::talk_width().saturating_sub(RAIL + 1).max(10);
    let options = textwrap::Options::new(width)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::fill(&words.to_string(), options)
}

/// Keys that nobody asked for yet: while it lives they are not shown, for they would garble the
/// questions.
pub(crate) struct Hush(#[cfg(unix)] Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Hush {
    /// Begins. An interrupt interrupts still.
    pub(crate) fn begin() -> Self {
        use rustix::termios::{LocalModes, tcgetattr};

        let hush = Self(tcgetattr(io::stdin()).ok());
        hush.without(LocalModes::ECHO);
        hush
    }

    /// From now on an interrupt is a key too, which the next question takes for its answer.
    pub(crate) fn wait_for_questions(&self) {
        use rustix::termios::LocalModes;

        self.without(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    }

    fn without(&self, modes: rustix::termios::LocalModes) {
        let Some(before) = &self.0 else { return };
        let mut quiet = before.clone();
        quiet.local_modes -= modes;
        set(&quiet);
    }
}

#[cfg(unix)]
impl Drop for Hush {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            set(before);
        }
    }
}

#[cfg(unix)]
fn set(modes: &rustix::termios::Termios) {
    // Where the terminal does not take it, keys are shown, and nothing else is worse.
    let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, modes);
}

#[cfg(not(unix))]
impl Hush {
    /// Begins.
    pub(crate) fn begin() -> Self {
        Self()
    }

    /// An interrupt is what it is.
    pub(crate) fn wait_for_questions(&self) {}
}
