//! Questions on a terminal. They go to stderr, as all talk does.

use std::fmt::Display;
use std::io::{self, IsTerminal};

use crate::env;

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

/// One answer of several.
pub(crate) struct Choice<T> {
    /// What it means.
    pub(crate) value: T,
    /// Its line.
    pub(crate) label: String,
    /// What is said beside it while it is looked at.
    pub(crate) hint: String,
}

impl<T> Choice<T> {
    /// Returns an answer with its line.
    pub(crate) fn new(value: T, label: impl Into<String>) -> Self {
        Self { value, label: label.into(), hint: String::new() }
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
    let mut list = cliclack::multiselect(question).required(false).initial_values(picked);
    for Choice { value, label, hint } in choices {
        list = list.item(value.clone(), label, hint);
    }
    Ok(list.interact()?)
}

/// Asks for one of several answers; the first is the one to begin with.
pub(crate) fn one<T: Clone + Eq>(
    question: impl Display,
    choices: &[Choice<T>],
) -> Result<T, Unanswered> {
    let mut list = cliclack::select(question);
    for Choice { value, label, hint } in choices {
        list = list.item(value.clone(), label, hint);
    }
    Ok(list.interact()?)
}

/// Asks for yes or no, yes to begin with.
pub(crate) fn confirm(question: impl Display) -> Result<bool, Unanswered> {
    Ok(cliclack::confirm(question).initial_value(true).interact()?)
}

/// Asks for a text until `check` takes it.
pub(crate) fn text(
    question: impl Display,
    example: &str,
    check: impl Fn(&str) -> Result<(), String> + 'static,
) -> Result<String, Unanswered> {
    let mut input = cliclack::input(question)
        .placeholder(example)
        .validate(move |text: &String| check(text.trim()));
    let text: String = input.interact()?;
    Ok(text.trim().to_owned())
}
