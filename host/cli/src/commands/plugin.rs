//! `hyp plugin`: providers from elsewhere, looked at, installed, checked and removed.

mod fetch;
mod install;
mod list;
mod receipts;
mod run;
mod test;
mod trial;
mod update;

use std::path::PathBuf;

use hyp_model::Exit;

use super::{Session, say};
use crate::failure::Failure;
use crate::text;

/// Arguments of `hyp plugin`.
#[derive(Debug, clap::Args)]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    command: PluginCommand,
}

/// The commands below `hyp plugin`.
#[derive(Debug, clap::Subcommand)]
enum PluginCommand {
    /// List the providers, and what each may read
    #[command(after_help = "Example: hyp plugin list --json")]
    List(ListArgs),
    /// Say what a component is and could read, without installing it
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(InspectArgs),
    /// Install a provider, once you agree to what it will be able to read
    #[command(after_help = INSTALL_EXAMPLES)]
    Install(InstallArgs),
    /// Fetch an installed provider again from where it came
    #[command(after_help = "Example: hyp plugin update notes")]
    Update(UpdateArgs),
    /// Remove an installed provider; rows that it gave stay
    #[command(after_help = "Example: hyp plugin remove notes")]
    Remove(NameArgs),
    /// Let an installed provider run when no provider is named
    #[command(after_help = "Example: hyp plugin enable notes")]
    Enable(NameArgs),
    /// Let an installed provider run only when it is named
    #[command(after_help = "Example: hyp plugin disable notes")]
    Disable(NameArgs),
    /// Lend an installed provider roots that were taken back from it
    #[command(after_help = GRANT_EXAMPLES)]
    Grant(RootArgs),
    /// Take roots back from an installed provider: it runs on, and sees nothing of them
    #[command(after_help = GRANT_EXAMPLES)]
    Revoke(RootArgs),
    /// Show what a provider took in each run: processor time, memory, bytes, limits
    Receipts(ReceiptsArgs),
    /// Compare every installed file with what was agreed to
    #[command(after_help = "Example: hyp plugin verify")]
    Verify(ListArgs),
    /// Read a folder with a component and show the rows; nothing is stored
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Compare what a component makes of cases, and of damaged copies of them
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArgs),
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  hyp plugin inspect notebook.wasm
  hyp plugin inspect notebook.wasm --json";

const INSTALL_EXAMPLES: &str = "\
Examples:
  hyp plugin install notebook.wasm
  hyp plugin install https://example.org/notebook.wasm
  hyp plugin install oci://ghcr.io/example/notebook:0.1.0";

const GRANT_EXAMPLES: &str = "\
plugins.lock names the roots of each provider; all are granted when it is installed.

Examples:
  hyp plugin revoke notebook drafts
  hyp plugin grant notebook drafts";

const RUN_EXAMPLES: &str = "\
Examples:
  hyp plugin run notebook.wasm --on ~/.notebook
  hyp plugin run notebook.wasm --on tests/sample --limit 5";

const TEST_EXAMPLES: &str = "\
A case is a folder CASES/NAME: `in/` is what the client writes, `rows.json` what should come of it.
For a provider that reads databases, a file `chats.db.sql` becomes the database `chats.db`.

Examples:
  hyp plugin test notebook
  hyp plugin test notebook.wasm --cases tests/cases --bless";

/// Arguments of `hyp plugin list` and `hyp plugin verify`.
#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `hyp plugin inspect`.
#[derive(Debug, clap::Args)]
struct InspectArgs {
    /// The component: a file, or a folder that holds one
    source: String,

    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `hyp plugin install`.
#[derive(Debug, clap::Args)]
struct InstallArgs {
    /// The component: a file, a folder that holds one, an https:// address, or oci://HOST/REPOSITORY:TAG
    source: String,

    /// Agree without being asked
    #[arg(long, short)]
    yes: bool,

    /// Let it stand in for a provider of the same name
    #[arg(long)]
    replace: bool,
}

/// Arguments of `hyp plugin update`.
#[derive(Debug, clap::Args)]
struct UpdateArgs {
    /// Providers to fetch again [default: every installed one]
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Agree without being asked, also where one wants to read more
    #[arg(long, short)]
    yes: bool,
}

/// Arguments of commands about one provider.
#[derive(Debug, clap::Args)]
struct NameArgs {
    /// Name of an installed provider
    name: String,
}

/// Arguments of `hyp plugin grant` and `hyp plugin revoke`.
#[derive(Debug, clap::Args)]
struct RootArgs {
    /// Name of an installed provider
    name: String,

    /// Names that the provider gives its folders
    #[arg(required = true, value_name = "ROOT")]
    roots: Vec<String>,
}

/// Arguments of `hyp plugin receipts`.
#[derive(Debug, clap::Args)]
struct ReceiptsArgs {
    /// Name of a provider, bundled or installed
    name: String,

    /// Runs to show, newest first; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// Print the receipts as JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `hyp plugin run`.
#[derive(Debug, clap::Args)]
struct RunArgs {
    /// The component: a file, or a folder that holds one
    source: String,

    /// Folder that stands for each folder of the client's
    #[arg(long, value_name = "FOLDER")]
    on: PathBuf,

    /// Rows to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

/// Arguments of `hyp plugin test`.
#[derive(Debug, clap::Args)]
struct TestArgs {
    /// The component: a file, or a folder that holds one
    source: String,

    /// Folder of the cases [default: `cases` beside the component]
    #[arg(long, value_name = "CASES")]
    cases: Option<PathBuf>,

    /// Write what comes out as what is expected, and damage nothing
    #[arg(long)]
    bless: bool,
}

/// Runs `hyp plugin`.
pub(crate) fn plugin(session: &Session, args: &PluginArgs) -> Result<Exit, Failure> {
    let places = &session.places;
    match &args.command {
        PluginCommand::List(args) => list::list(session, args),
        PluginCommand::Verify(args) => list::verify(session, args),
        PluginCommand::Receipts(args) => receipts::receipts(session, args),
        PluginCommand::Inspect(args) => install::inspect(session, args),
        PluginCommand::Install(args) => install::install(session, args),
        PluginCommand::Update(args) => update::update(session, args),
        PluginCommand::Run(args) => run::run(session, args),
        PluginCommand::Test(args) => test::test(session, args),
        PluginCommand::Grant(RootArgs { name, roots }) => {
            for place in hyp_backfill::grant(places, name, roots)? {
                say(&format!("{name} may read {}", text::line(&place)));
            }
            Ok(Exit::Done)
        }
        PluginCommand::Revoke(RootArgs { name, roots }) => {
            for place in hyp_backfill::revoke(places, name, roots)? {
                say(&format!("{name} may not read {}; rows that it gave stay", text::line(&place)));
            }
            Ok(Exit::Done)
        }
        PluginCommand::Remove(NameArgs { name }) => {
            let gone = hyp_backfill::remove(places, name)?;
            say(&format!("removed {} {}; rows that it gave stay", gone.name, gone.version));
            Ok(Exit::Done)
        }
        PluginCommand::Enable(NameArgs { name }) => {
            hyp_backfill::set_enabled(places, name, true)?;
            say(&format!("{name} runs with every `hyp backfill`"));
            Ok(Exit::Done)
        }
        PluginCommand::Disable(NameArgs { name }) => {
            hyp_backfill::set_enabled(places, name, false)?;
            say(&format!("{name} runs with `hyp backfill {name}` alone"));
            Ok(Exit::Done)
        }
    }
}
