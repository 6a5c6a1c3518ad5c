//! `hyp plugin`: components from elsewhere, looked at, installed, checked and removed.

mod bench;
mod fetch;
mod install;
mod list;
mod new;
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
    /// Lay out the project of a new component, with a sample and tests
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArgs),
    /// Make a component of a project
    #[command(after_help = BUILD_EXAMPLES)]
    Build(BuildArgs),
    /// List the providers, and what each may read
    #[command(after_help = "Example: hyp plugin list --json")]
    List(ListArgs),
    /// Say what a component is and could read, without installing it
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(InspectArgs),
    /// Install a component, once you agree to what it will be able to read or fill
    #[command(after_help = INSTALL_EXAMPLES)]
    Install(InstallArgs),
    /// Fetch an installed component again from where it came
    #[command(after_help = "Example: hyp plugin update notes")]
    Update(UpdateArgs),
    /// Remove an installed component; rows that it gave stay
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
    #[command(after_help = "Example: hyp plugin receipts notes")]
    Receipts(ReceiptsArgs),
    /// Compare every installed file with what was agreed to
    #[command(after_help = "Example: hyp plugin verify")]
    Verify(ListArgs),
    /// Read a folder with a component and show the rows; nothing is stored
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Measure what a component costs: time, computation, memory
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArgs),
    /// Compare what a component makes of cases, and of damaged copies of them
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArgs),
}

const NEW_EXAMPLES: &str = "\
Examples:
  hyp plugin new notebook
  hyp plugin new notebook --lang python
  hyp plugin new tides --kind materializer
  hyp plugin new notebook --dir ~/src/hyp-notebook";

const BUILD_EXAMPLES: &str = "\
A compiler for wasm32-unknown-unknown or wasm32-wasip2 is taken from rustup,
or else from the folder that HYP_WASM_TOOLCHAIN names. A project in Python needs
componentize-py: pip install \"componentize-py>=0.25,<0.26\"

Examples:
  hyp plugin build notebook
  cd notebook && hyp plugin build";

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

const BENCH_EXAMPLES: &str = "\
Examples:
  hyp plugin bench notebook --on ~/.notebook/chats
  hyp plugin bench notebook.wasm --on ~/.notebook/chats --json";

const TEST_EXAMPLES: &str = "\
A case is a folder CASES/NAME: `in/` is what the client writes, `rows.json` what should come of it.
For a provider that reads databases, a file `chats.db.sql` becomes the database `chats.db`.
For a materializer, `in/KIND.jsonl` holds items of a kind, as `hyp record KIND --json FILE` takes them.

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

/// Arguments of `hyp plugin new`.
#[derive(Debug, clap::Args)]
struct NewArgs {
    /// Name of the component: lower case letters, digits and hyphens
    name: String,

    /// Folder of the project [default: its name, in this folder]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// What it is written in
    #[arg(long, value_enum, default_value = "rust")]
    lang: Lang,

    /// What it does
    #[arg(long, value_enum, default_value = "provider")]
    kind: Kind,
}

/// What components do.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// Reads what a client writes
    Provider,
    /// Says which rows items are
    Materializer,
}

/// Languages that there are templates for.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Lang {
    /// Rust, with the SDK
    Rust,
    /// Python, as a component that holds its interpreter
    Python,
}

/// Arguments of `hyp plugin build`.
#[derive(Debug, clap::Args)]
struct BuildArgs {
    /// Folder of the project
    #[arg(default_value = ".")]
    dir: PathBuf,
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

/// Arguments of `hyp plugin bench`.
#[derive(Debug, clap::Args)]
struct BenchArgs {
    /// The component: a file, or a folder that holds one
    source: String,

    /// Folder that stands for each folder of the client's
    #[arg(long, value_name = "FOLDER")]
    on: PathBuf,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
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
        PluginCommand::New(args) => new::new(args),
        PluginCommand::Build(args) => new::build(args),
        PluginCommand::List(args) => list::list(session, args),
        PluginCommand::Verify(args) => list::verify(session, args),
        PluginCommand::Receipts(args) => receipts::receipts(session, args),
        PluginCommand::Inspect(args) => install::inspect(session, args),
        PluginCommand::Install(args) => install::install(session, args),
        PluginCommand::Update(args) => update::update(session, args),
        PluginCommand::Run(args) => run::run(session, args),
        PluginCommand::Bench(args) => bench::bench(args),
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
