//! Errors with a stable code and a way out.

/// What an error tells beside its message.
///
/// Libraries implement it; the command line alone turns it into a report.
pub trait Explain: std::error::Error {
    /// Stable code, such as `hyp::plugin::contract`.
    fn code(&self) -> &'static str;

    /// What the reader can do next, if there is something to do.
    fn help(&self) -> Option<String> {
        None
    }

    /// What the failure means for the exit status.
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// All done.
    Done,
    /// Something failed.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// A guard or another run's lock refused; what was refused is not written.
    Refused,
    /// Interrupted; the same command goes on.
    Interrupted,
}

impl Exit {
    /// Returns the exit status.
    pub fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Interrupted => 130,
        }
    }
}
