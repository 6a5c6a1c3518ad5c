//! Why a run could not begin, or had to end.

use std::path::PathBuf;

use hyp_cache::{LockError, StoreError};
use hyp_model::{Exit, Explain};
use hyp_plugin::{LoadError, RunError};

/// Why a run could not begin, or had to end as a whole.
///
/// What goes wrong with one provider or one file is in the report instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackfillError {
    /// A name on the command line is no provider.
    #[error("unknown provider(s): {}", names.join(", "))]
    Unknown {
        /// The names that were asked for.
        names: Vec<String>,
        /// The names that there are.
        known: Vec<String>,
    },

    /// No dry run has the fingerprint.
    #[error("no dry run of this store has the fingerprint `{fingerprint}`")]
    NoDryRun {
        /// What was asked for.
        fingerprint: String,
    },

    /// Something is not as it was in a dry run.
    #[error("not as it was when `{fingerprint}` was told: {}", what.join("; "))]
    Moved {
        /// The dry run's fingerprint.
        fingerprint: String,
        /// What moved, a line each.
        what: Vec<String>,
    },

    /// What is to be recorded is no projected exchange.
    #[error("no projected exchange: {reason}")]
    NoExchange {
        /// What is wrong with it.
        reason: String,
    },

    /// A run cannot be gone on with.
    #[error("run `{run_id}` cannot be resumed: {reason}")]
    NotResumable {
        /// The run.
        run_id: String,
        /// Why.
        reason: String,
    },

    /// The component or its host refused.
    #[error(transparent)]
    Load(#[from] LoadError),

    /// A component failed where no provider's report can hold it.
    #[error(transparent)]
    Run(#[from] RunError),

    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),

    /// Another run holds the store.
    #[error(transparent)]
    Lock(#[from] LockError),

    /// The list of installed components cannot be read.
    #[error("cannot read `{}`: {reason}", path.display())]
    PluginList {
        /// The list.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The list of folders that are not imported cannot be read.
    #[error("cannot use `{}`, which says what is not imported: {reason}", path.display())]
    IgnoreList {
        /// The list.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The list of folders that are not imported cannot be written: it says what it said.
    #[error("cannot write `{}`, which says what is not imported", path.display())]
    IgnoreListUnwritten {
        /// The list.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },

    /// What was offered is no provider that this hyp can use.
    #[error("{reason}")]
    Offer {
        /// What it is, and what is wrong with it.
        reason: String,
        /// Code of the error.
        code: &'static str,
        /// What there is to do.
        help: Option<String>,
    },

    /// A file or folder of installed components cannot be written.
    #[error("cannot write `{}`: {reason}", path.display())]
    PluginFile {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },

    /// The name of a component is another one's.
    #[error("the name `{name}` is taken by {by}")]
    NameTaken {
        /// The name.
        name: String,
        /// Who has it.
        by: String,
    },

    /// What a materializer takes or fills is another one's.
    #[error("`{name}` {what}, as `{other}` does")]
    Taken {
        /// The materializer.
        name: String,
        /// What both do.
        what: String,
        /// The other one.
        other: String,
    },

    /// No installed component has the name.
    #[error("`{name}` is not installed")]
    NotInstalled {
        /// The name.
        name: String,
    },

    /// A materializer does not run by itself.
    #[error("`{name}` is a materializer: it runs wherever there are items for it")]
    NeverRuns {
        /// The component.
        name: String,
    },

    /// An installed component has no such root.
    #[error("`{name}` has no root `{root}`")]
    NoRoot {
        /// The component.
        name: String,
        /// What was named.
        root: String,
        /// The roots that it has.
        known: Vec<String>,
    },

    /// A root of an installed component leads to a place that is lent to hyp's own providers alone.
    #[error("`{name}` may not read `{}`, where its root `{root}` leads: it is {what}", folder.display())]
    OutOfReach {
        /// The component.
        name: String,
        /// The root.
        root: String,
        /// Where it leads.
        folder: PathBuf,
        /// What is wrong with that place.
        what: &'static str,
    },

    /// A provider reads what the person has to name, and it is not named.
    #[error("`[sources.{name}] path` is not set in config.toml, and `{provider}` reads it")]
    NoSource {
        /// The provider.
        provider: String,
        /// Name of the source.
        name: String,
    },

    /// What the person named cannot be read.
    #[error("`[sources.{name}] path` is `{}`, which cannot be read: {reason}", path.display())]
    SourceFile {
        /// Name of the source.
        name: String,
        /// Where it is said to lie.
        path: PathBuf,
        /// Why.
        reason: String,
    },

    /// There is no such setting.
    #[error("there is no setting `{name}`")]
    Setting {
        /// What was set.
        name: String,
        /// The settings that there are.
        known: Vec<String>,
    },

    /// A setting was given a value that it cannot have.
    #[error("setting `{name}` is {expected}, not `{value}`")]
    SettingValue {
        /// The setting.
        name: String,
        /// What it was set to.
        value: String,
        /// What it may be.
        expected: &'static str,
    },

    /// The answers of remote agents cannot be read.
    #[error("cannot read `{}`, which `[probe] script` names: {reason}", path.display())]
    ProbeScript {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// What was to be recorded cannot be.
    #[error("nothing was recorded: {reason}")]
    Recording {
        /// Why.
        reason: String,
        /// What is wrong with the materializer, where it is that, as a code of diagnostics.
        code: Option<&'static str>,
    },

    /// A provider's items have no materializer, or it cannot be loaded.
    #[error("{reason}")]
    Datasets {
        /// Why.
        reason: String,
    },

    /// What a run did does not stand.
    #[error(transparent)]
    Undo(#[from] hyp_cache::UndoError),

    /// Providers were named together that have to be undone apart.
    #[error(
        "`{messages}` fills the messages and `{datasets}` datasets: that takes two runs, each of which can be undone"
    )]
    Mixed {
        /// One of the first.
        messages: String,
        /// One of the second.
        datasets: String,
    },

    /// The settings have a rule for a dataset that nobody fills.
    #[error("config.toml has a rule for the dataset `{name}`, and nothing fills such a dataset")]
    RuleForNothing {
        /// What it was called.
        name: String,
        /// The datasets that there are.
        known: Vec<String>,
    },

    /// A run wrote to no dataset.
    #[error("run `{run_id}` wrote to no dataset")]
    NoDatasetRun {
        /// The run.
        run_id: String,
    },

    /// A provider's description has a glob that cannot be matched.
    #[error("provider `{provider}` has the unusable glob `{pattern}`: {reason}")]
    Glob {
        /// The provider.
        provider: String,
        /// The glob.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Explain for BackfillError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "hyp::backfill::unknown_provider",
            Self::NoDryRun { .. } => "hyp::backfill::no_dry_run",
            Self::Moved { .. } => "hyp::backfill::moved",
            Self::NoExchange { .. } => "hyp::record::no_exchange",
            Self::NotResumable { .. } => "hyp::runs::not_resumable",
            Self::Load(error) => error.code(),
            Self::Run(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Lock(error) => error.code(),
            Self::PluginList { .. } => "hyp::backfill::plugins_lock",
            Self::Offer { code, .. } => code,
            Self::IgnoreList { .. } => "hyp::privacy::list",
            Self::IgnoreListUnwritten { .. } => "hyp::privacy::unwritten",
            Self::PluginFile { .. } => "hyp::plugin::file",
            Self::NameTaken { .. } => "hyp::plugin::name_taken",
            Self::Taken { .. } => "hyp::plugin::taken",
            Self::NotInstalled { .. } => "hyp::plugin::not_installed",
            Self::NeverRuns { .. } => "hyp::plugin::never_runs",
            Self::NoRoot { .. } => "hyp::plugin::root",
            Self::OutOfReach { .. } => "hyp::plugin::out_of_reach",
            Self::NoSource { .. } | Self::SourceFile { .. } => "hyp::backfill::source",
            Self::Setting { .. } | Self::SettingValue { .. } => "hyp::backfill::setting",
            Self::ProbeScript { .. } => "hyp::probe::script",
            Self::Recording { code, .. } => code.unwrap_or("hyp::record::refused"),
            Self::RuleForNothing { .. } => "hyp::config::no_dataset",
            Self::NoDatasetRun { .. } => "hyp::runs::no_dataset",
            Self::Undo(error) => error.code(),
            Self::Mixed { .. } => "hyp::backfill::mixed",
            Self::Datasets { .. } => "hyp::dataset::materializer",
            Self::Glob { .. } => "hyp::backfill::glob",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Unknown { known, .. } => Some(format!("known are: {}", known.join(", "))),
            Self::NoDryRun { .. } | Self::Moved { .. } => {
                Some("nothing was written; run `hyp backfill --dry-run` again".to_owned())
            }
            Self::NoExchange { .. } => {
                Some("nothing was written; docs/runs.md has the shape".to_owned())
            }
            Self::NotResumable { .. } => {
                Some("`hyp backfill` imports whatever is not imported yet".to_owned())
            }
            Self::Load(error) => error.help(),
            Self::Run(error) => error.help(),
            Self::Store(error) => error.help(),
            Self::Lock(error) => error.help(),
            Self::PluginList { path, .. } => {
                Some(format!("mend it, or move `{}` away and install again", path.display()))
            }
            Self::Offer { help, .. } => help.clone(),
            Self::IgnoreList { path, .. } => Some(format!(
                "nothing was imported; mend `{}`, or move it away to import everything",
                path.display()
            )),
            Self::IgnoreListUnwritten { .. } => {
                Some("nothing was changed; make room, or make its folder writable to you".to_owned())
            }
            Self::PluginFile { .. } => {
                Some("make room, or name a store that can be written to with --store DIR".to_owned())
            }
            Self::NameTaken { .. } => {
                Some("if it is to stand in for that one, install it with --replace".to_owned())
            }
            Self::Taken { other, .. } => {
                Some(format!("only one can: remove `{other}` if it is to be this one"))
            }
            Self::NotInstalled { .. } => {
                Some("`hyp plugin list` shows what is; bundled ones are chosen by `[import] clients` in config.toml".to_owned())
            }
            Self::NeverRuns { name } => {
                Some(format!("`hyp plugin remove {name}` ends that; rows that it gave stay"))
            }
            Self::NoRoot { known, .. } => Some(format!("its roots are: {}", known.join(", "))),
            Self::OutOfReach { .. } => Some(
                "move it below the home folder, or name the folder that holds it as the home with --history-home DIR".to_owned(),
            ),
            Self::NoSource { name, .. } | Self::SourceFile { name, .. } => Some(format!(
                "config.toml needs `[sources.{name}]` with `path = \"…\"` and `grants = [\"table.*\"]`; nothing is created"
            )),
            Self::Setting { known, .. } | Self::RuleForNothing { known, .. } => {
                Some(format!("there are: {}", known.join(", ")))
            }
            Self::ProbeScript { .. } => {
                Some("it is a JSON object with an answer for each address".to_owned())
            }
            Self::Undo(error) => error.help(),
            Self::Mixed { .. } => Some("name them in two commands".to_owned()),
            Self::SettingValue { .. } | Self::Recording { .. } | Self::Datasets { .. } => None,
            Self::NoDatasetRun { .. } => Some("`hyp runs` lists what there is".to_owned()),
            Self::Glob { .. } => Some("report this to the component's author".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Load(error) => error.exit(),
            Self::Run(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::Lock(error) => error.exit(),
            Self::Undo(error) => error.exit(),
            Self::PluginList { .. }
            | Self::IgnoreList { .. }
            | Self::NeverRuns { .. }
            | Self::NoRoot { .. }
            | Self::NoSource { .. }
            | Self::SourceFile { .. }
            | Self::Mixed { .. }
            | Self::Setting { .. }
            | Self::SettingValue { .. }
            | Self::RuleForNothing { .. }
            | Self::ProbeScript { .. } => Exit::Usage,
            Self::OutOfReach { .. }
            | Self::NoDryRun { .. }
            | Self::Moved { .. }
            | Self::NotResumable { .. } => Exit::Refused,
            Self::Unknown { .. }
            | Self::IgnoreListUnwritten { .. }
            | Self::Offer { .. }
            | Self::PluginFile { .. }
            | Self::NoExchange { .. }
            | Self::NameTaken { .. }
            | Self::Taken { .. }
            | Self::NotInstalled { .. }
            | Self::Recording { .. }
            | Self::NoDatasetRun { .. }
            | Self::Datasets { .. }
            | Self::Glob { .. } => Exit::Failed,
        }
    }
}
