//! Why a provider cannot be loaded, and why one cannot go on.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyp_model::Explain;

/// Why a component cannot be used as a provider.
///
/// `origin` is the path of a component, or the name of a bundled one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum LoadError {
    /// The engine did not start.
    #[error("cannot start the component engine")]
    Engine { source: wasmtime::Error },
    /// The folder of compiled components cannot be used.
    #[error("cannot use `{path}` for compiled components")]
    Cache { path: PathBuf, source: std::io::Error },
    /// The file is missing or unreadable.
    #[error("cannot read provider at `{origin}`")]
    Read { origin: String, source: std::io::Error },
    /// The file is larger than a component may be.
    #[error("`{origin}` has {bytes} bytes, a component may have {limit}")]
    TooLarge { origin: String, bytes: u64, limit: u64 },
    /// The bytes are not those that were agreed to.
    #[error("`{origin}` has digest {found}, expected {expected}")]
    Digest { origin: String, expected: String, found: String },
    /// The bytes are a core module, which lacks the types of the contract.
    #[error("`{origin}` is a core module, not a component")]
    CoreModule { origin: String },
    /// The bytes are something else.
    #[error("`{origin}` is not a WebAssembly component")]
    NotAComponent { origin: String },
    /// The compiler refused it.
    #[error("`{origin}` does not compile")]
    Compile { origin: String, source: wasmtime::Error },
    /// The compiler took too long.
    #[error("`{origin}` did not compile within {} s", limit.as_secs())]
    CompileTimeout { origin: String, limit: Duration },
    /// It was built against another version of the contract.
    #[error("`{origin}` wants hyp:backfill@{wanted}, this host speaks {spoken}")]
    Contract { origin: String, wanted: String, spoken: &'static str },
    /// It does not export what a component of its world exports.
    #[error("`{origin}` is not a {world}: it exports {exports}")]
    World { origin: String, world: &'static str, exports: String },
    /// It wants something that the host does not give.
    #[error("`{origin}` imports `{import}`, which this host does not give to {world}s")]
    Import { origin: String, world: &'static str, import: String },
    /// Its version of the contract is the host's, and yet the types differ.
    #[error("`{origin}` does not fit hyp:backfill@{spoken}")]
    Shape { origin: String, spoken: &'static str, source: wasmtime::Error },
    /// It broke while it said what it is.
    #[error("`{origin}` failed while it described itself")]
    Describe { origin: String, source: Box<RunError> },
    /// What it says of itself cannot be.
    #[error("`{origin}` describes itself badly: {reason}")]
    Description { origin: String, reason: String },
    /// Another provider has the name.
    #[error("the name `{name}` of `{origin}` is taken by `{by}`")]
    NameTaken { origin: String, name: String, by: String },
}

impl Explain for LoadError {
    fn code(&self) -> &'static str {
        match self {
            Self::Engine { .. } => "hyp::plugin::engine",
            Self::Cache { .. } => "hyp::plugin::cache",
            Self::Read { .. } => "hyp::plugin::read",
            Self::TooLarge { .. } => "hyp::plugin::too_large",
            Self::Digest { .. } => "hyp::plugin::digest",
            Self::CoreModule { .. } | Self::NotAComponent { .. } => "hyp::plugin::not_a_component",
            Self::Compile { .. } | Self::CompileTimeout { .. } => "hyp::plugin::compile",
            Self::Contract { .. } | Self::Shape { .. } => "hyp::plugin::contract",
            Self::World { .. } => "hyp::plugin::world",
            Self::Import { .. } => "hyp::plugin::import",
            Self::Describe { .. } | Self::Description { .. } => "hyp::plugin::description",
            Self::NameTaken { .. } => "hyp::plugin::name_taken",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Engine { .. } => {
                "this machine cannot run compiled components; report it with `hyp --version --verbose`"
                    .into()
            }
            Self::Read { origin, .. } => {
                format!("put the file back to `{origin}`, or take it out of plugins.lock")
            }
            Self::Cache { path, source }
                if source.kind() != ErrorKind::PermissionDenied || !path.exists() =>
            {
                "name a folder that can be written to: `--store DIR` or HYP_HOME".into()
            }
            Self::Cache { path, .. } => {
                format!("the folder must be yours alone: try `chmod 700 {}`", path.display())
            }
            Self::TooLarge { .. } => "strip debug information from the component".into(),
            Self::Digest { origin, .. } => {
                format!("if you replaced `{origin}` yourself, install it again to agree to it")
            }
            Self::CoreModule { origin } => {
                format!("make it a component: `wasm-tools component new {origin}`")
            }
            Self::NotAComponent { .. } => "a provider is a WebAssembly component".into(),
            Self::Compile { .. } | Self::CompileTimeout { .. } => {
                "ask the component's author: the file is damaged or uses features that this host lacks"
                    .into()
            }
            Self::Contract { spoken, .. } | Self::Shape { spoken, .. } => {
                format!("rebuild the provider against hyp-sdk {spoken}, or upgrade hyp")
            }
            Self::World { world, .. } => format!("a {world} exports `hyp:backfill/{world}`"),
            Self::Import { world, .. } => {
                format!("a {world} may import `hyp:backfill` and `wasi` interfaces only")
            }
            Self::Describe { source, .. } => return source.help(),
            Self::Description { .. } => "ask the component's author".into(),
            Self::NameTaken { .. } => "remove one of the two".into(),
        })
    }
}

/// Why a provider could not go on with a unit, or with its plan (`unit` is `plan` then).
///
/// Its store is gone afterwards; the next unit starts with a fresh one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum RunError {
    /// The component could not be brought up.
    #[error("cannot start provider `{provider}`")]
    Load { provider: Arc<str>, source: LoadError },
    /// The unit is not what the provider reads, or the provider lost its way. The provider itself said so.
    #[error("{provider} cannot read `{unit}`: {message}")]
    Fault { provider: Arc<str>, unit: String, message: String },
    /// The guest trapped.
    #[error("{provider} crashed in `{unit}`: {message}")]
    Trapped { provider: Arc<str>, unit: String, message: String, backtrace: Vec<String> },
    /// The guest did not come back in time.
    #[error("{provider} did not come back from `{unit}` within {} ms", limit.as_millis())]
    Deadline { provider: Arc<str>, unit: String, limit: Duration },
    /// The guest wanted more memory than it may have.
    #[error("{provider} wanted {wanted} bytes of memory in `{unit}`, it may have {limit}")]
    Memory { provider: Arc<str>, unit: String, wanted: usize, limit: usize },
    /// The guest emitted more than it may.
    #[error("{provider} emitted more than the {limit} bytes of {whole} in `{unit}`")]
    OutputBound { provider: Arc<str>, unit: String, limit: u64, whole: &'static str },
    /// The guest emitted items of a kind that its description does not name.
    #[error("{provider} emitted an item of kind `{kind}` in `{unit}`, which it does not declare")]
    UndeclaredKind { provider: Arc<str>, unit: String, kind: String },
    /// A span cannot be true.
    #[error("{provider} lied in `{unit}`: span {offset}+{length} of input {input} {reason}")]
    Span {
        provider: Arc<str>,
        unit: String,
        input: u32,
        offset: u64,
        length: u64,
        reason: &'static str,
    },
    /// The unit is over and bytes are left that nothing accounts for.
    #[error(
        "{provider} did not account for {unclaimed} bytes of input {input} in `{unit}`, \
         the first at {offset}"
    )]
    Accounting { provider: Arc<str>, unit: String, input: u32, unclaimed: u64, offset: u64 },
    /// The guest's statements took more out of a database than there can be use for.
    #[error("{provider} went too far with the database of `{unit}`: {what}")]
    Statement { provider: Arc<str>, unit: String, what: String },
    /// The guest did something at a time when it may not.
    #[error("{provider} broke the contract in `{unit}`: {what}")]
    Forbidden { provider: Arc<str>, unit: String, what: String },
    /// The plan names entries that are not there, or a unit twice.
    #[error("{provider} made an impossible plan: {reason}")]
    Plan { provider: Arc<str>, reason: String },
}

impl RunError {
    /// Tells whether only this unit is lost: the provider itself is sound and may go on with others.
    pub fn is_of_the_unit(&self) -> bool {
        matches!(self, Self::Fault { .. })
    }

    /// Returns the guest's frames, innermost first, where it crashed.
    pub fn backtrace(&self) -> &[String] {
        match self {
            Self::Trapped { backtrace, .. } => backtrace,
            _ => &[],
        }
    }
}

/// Returns the table that a database was not granted, where that is the fault.
fn ungranted(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("access to ")?;
    let (column, _) = rest.split_once(" is prohibited")?;
    column.split_once('.').map(|(table, _)| table)
}

impl Explain for RunError {
    fn code(&self) -> &'static str {
        match self {
            Self::Load { source, .. } => source.code(),
            Self::Fault { .. } => "hyp::plugin::fault",
            Self::Trapped { .. } => "hyp::plugin::trap",
            Self::Deadline { .. } => "hyp::plugin::deadline",
            Self::Memory { .. } => "hyp::plugin::memory",
            Self::OutputBound { .. } => "hyp::plugin::output",
            Self::UndeclaredKind { .. } => "hyp::plugin::undeclared_kind",
            Self::Span { .. } | Self::Accounting { .. } => "hyp::plugin::accounting",
            Self::Statement { .. } => "hyp::plugin::statement",
            Self::Forbidden { .. } => "hyp::plugin::forbidden",
            Self::Plan { .. } => "hyp::plugin::plan",
        }
    }

    fn help(&self) -> Option<String> {
        let author = "report this to the component's author";
        Some(match self {
            Self::Load { source, .. } => return source.help(),
            Self::Fault { message, .. } => match ungranted(message) {
                Some(table) => format!(
                    "if it may be read, add `{table}.*` to the grants of its source in `config.toml`"
                ),
                None => "see that it is what it should be, and can be read".into(),
            },
            Self::Trapped { backtrace, .. } if backtrace.is_empty() => author.into(),
            Self::Trapped { backtrace, .. } => {
                format!("{author}, with these frames:\n  {}", backtrace.join("\n  "))
            }
            Self::Deadline { .. } => {
                format!("{author}; on a busy machine, running it again may help")
            }
            Self::UndeclaredKind { kind, .. } => {
                format!("{author}: `{kind}` belongs into `kinds` of its description")
            }
            _ => author.into(),
        })
    }
}
