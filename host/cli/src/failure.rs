//! How a command fails: one report on stderr, and an exit status.

use std::fmt;
use std::io::{self, Write};

use hyp_model::{Exit, Explain};
use miette::{Diagnostic, ReportHandler};

use crate::text;

/// Why a command could not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A library's error, with its code and its way out.
    Explained(Box<dyn Explain + Send + Sync>),
    /// The words on the command line make no sense; told in one line.
    Usage {
        /// The command as typed.
        command: &'static str,
        /// What is wrong.
        message: String,
    },
    /// What was asked for is not there; told in one line.
    Refused {
        /// The command as typed.
        command: &'static str,
        /// What is not there, and what is.
        message: String,
    },
    /// A guard refused; nothing was changed. Told in one line.
    Guarded {
        /// The command as typed.
        command: &'static str,
        /// What the guard wants.
        message: String,
    },
    /// Whoever asked has been told already.
    Told(Exit),
    /// What is printed could not be written.
    Output(io::Error),
}

impl<E: Explain + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Explained(Box::new(error))
    }
}

impl Failure {
    /// Tells stderr what happened, and returns how the process ends.
    pub(crate) fn report(self) -> Exit {
        // Stderr itself may be closed, and then there is nobody left to tell.
        let mut stderr = io::stderr().lock();
        match self {
            Self::Usage { command, message } => {
                let _ = writeln!(stderr, "{command}: {}", text::line(&message));
                Exit::Usage
            }
            Self::Refused { command, message } => {
                let _ = writeln!(stderr, "{command}: {}", text::line(&message));
                Exit::Failed
            }
            Self::Guarded { command, message } => {
                let _ = writeln!(stderr, "{command}: {}", text::line(&message));
                Exit::Refused
            }
            // A reader that has seen enough, such as `head`, is no failure.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(error) => {
                let _ = writeln!(stderr, "error: cannot write the output: {error}");
                Exit::Failed
            }
            Self::Told(exit) => exit,
            Self::Explained(error) => {
                let exit = error.exit();
                let _ = write!(stderr, "{:?}", Report(Explained(error)));
                exit
            }
        }
    }
}

impl Failure {
    /// Returns exit, code, message and help, for programs.
    pub(crate) fn parts(&self) -> (Exit, &'static str, String, Option<String>) {
        match self {
            Self::Usage { message, .. } => (Exit::Usage, "hyp::usage", message.clone(), None),
            Self::Refused { message, .. } => (Exit::Failed, "hyp::refused", message.clone(), None),
            Self::Guarded { message, .. } => (Exit::Refused, "hyp::guarded", message.clone(), None),
            Self::Told(exit) => (*exit, "hyp::told", String::new(), None),
            Self::Output(error) => (Exit::Failed, "hyp::output", error.to_string(), None),
            Self::Explained(error) => {
                let mut message = error.to_string();
                let mut cause = error.source();
                while let Some(next) = cause {
                    let words = next.to_string();
                    // Transparent wrappers repeat what they wrap.
                    if !message.contains(&words) {
                        message = format!("{message}: {words}");
                    }
                    cause = next.source();
                }
                (error.exit(), error.code(), message, error.help())
            }
        }
    }
}

/// An explained error in the words of `miette`.
#[derive(Debug)]
struct Explained(Box<dyn Explain + Send + Sync>);

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Explained {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Diagnostic for Explained {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.0.code()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}

struct Report(Explained);

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Plain.debug(&self.0, f)
    }
}

/// Message, causes, code and help, a line each: the same in a terminal, a pipe and a log.
struct Plain;

impl ReportHandler for Plain {
    fn debug(&self, error: &dyn Diagnostic, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = error.to_string();
        writeln!(f, "error: {}", text::line(&said))?;
        let mut cause = error.source();
        while let Some(next) = cause {
            let words = next.to_string();
            // Transparent wrappers repeat what they wrap.
            if !said.contains(&words) {
                writeln!(f, "  cause: {}", text::line(&words))?;
            }
            said = words;
            cause = next.source();
        }
        if let Some(code) = error.code() {
            writeln!(f, "  code: {code}")?;
        }
        if let Some(help) = error.help() {
            writeln!(f, "  help: {}", text::line(&help.to_string()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read `{0}`")]
    struct Unreadable(&'static str, #[source] io::Error);

    impl Explain for Unreadable {
        fn code(&self) -> &'static str {
            "hyp::test::unreadable"
        }
        fn help(&self) -> Option<String> {
            Some("look at its permissions".to_owned())
        }
    }

    #[test]
    fn a_report_has_cause_code_and_help_and_no_control_characters() {
        let error = Unreadable("a\u{1b}[31mb", io::Error::other("no such device"));
        insta::assert_snapshot!(format!("{:?}", Report(Explained(Box::new(error)))), @r"
        error: cannot read `a\u{1b}[31mb`
          cause: no such device
          code: hyp::test::unreadable
          help: look at its permissions
        ");
    }
}
