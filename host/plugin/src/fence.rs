//! Where the host stops a guest in the middle of a call.

/// Why a host function did not return to its guest.
///
/// It travels through the guest's stack as the cause of a trap; [`crate::fault`] turns it into the error that the
/// caller of the scan sees.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fence {
    #[error("a host function ran past the deadline")]
    Deadline,
    #[error("the guest wanted {wanted} bytes of memory")]
    Memory { wanted: usize },
    #[error("the guest emitted more than the {limit} bytes of {whole}")]
    Output { limit: u64, whole: &'static str },
    #[error("an item of kind `{kind}`, which the provider does not declare")]
    UndeclaredKind { kind: String },
    #[error("the span {offset}+{length} of input {input} {reason}")]
    Span { input: u32, offset: u64, length: u64, reason: &'static str },
    #[error("a statement wanted more than {limit} bytes of memory")]
    StatementMemory { limit: u64 },
    #[error("the guest was handed more than {limit} bytes of rows")]
    Rows { limit: u64 },
    #[error("{what}")]
    Forbidden { what: &'static str },
}
