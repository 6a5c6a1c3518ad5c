//! What can be typed, exactly as typed. What it means is worked out by each command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    AttachArgs, BackfillArgs, DemoArgs, ExplainArgs, ExportArgs, ListArgs, OverviewArgs, PlanArgs,
    PluginArgs, ReconcileArgs, ReportArgs, SchemaArgs, SearchArgs, SessionsArgs, ShowArgs, SqlArgs,
    StatusArgs,
};
use crate::env;

/// The history of coding agents as one table
#[derive(Debug, Parser)]
#[command(name = "hyp", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 something failed, 2 usage or configuration, 3 refused by a guard or another
run's lock, 130 interrupted (the same command goes on)";

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Folder of the store [default: ~/.hyp]
    #[arg(long, value_name = "DIR", global = true, env = env::HYP_HOME, hide_env_values = true)]
    pub(crate) store: Option<PathBuf>,

    /// Home folder whose history is read [default: HOME]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) history_home: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Import the history that coding agents left on this machine
    Backfill(History),
    /// Ask the store
    Query(Query),
    /// List the conversations in the store, newest first
    Sessions(SessionsArgs),
    /// Show a session as the conversation that it was
    Show(ShowArgs),
    /// Find where something was said
    Search(SearchArgs),
    /// Make a page of charts, and the list of sessions
    Report(ReportArgs),
    /// Write the messages into a file: Parquet, CSV or JSON lines
    Export(ExportArgs),
    /// Print what opens the store in another engine
    Attach(AttachArgs),
    /// Say where a row comes from and why it stands
    Explain(ExplainArgs),
    /// Compare the stored tokens with what the clients counted themselves
    Reconcile(ReconcileArgs),
    /// Providers from elsewhere: look at them, install them, check them
    Plugin(PluginArgs),
    /// Say what the store holds
    Status(StatusArgs),
    /// Import a small made-up history into a temporary store and query it
    Demo(DemoArgs),
}

/// `hyp backfill`, with or without a command of its own.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct History {
    #[command(subcommand)]
    pub(crate) command: Option<HistoryCommand>,
    #[command(flatten)]
    pub(crate) run: BackfillArgs,
}

/// The commands below `hyp backfill`.
#[derive(Debug, Subcommand)]
pub(crate) enum HistoryCommand {
    /// List the providers and where they look
    List(ListArgs),
    /// Say what would be read, without reading it
    Plan(PlanArgs),
}

/// `hyp query`.
#[derive(Debug, Args)]
pub(crate) struct Query {
    #[command(subcommand)]
    pub(crate) command: QueryCommand,
}

/// The commands below `hyp query`.
#[derive(Debug, Subcommand)]
pub(crate) enum QueryCommand {
    /// Show on one screen what the store holds
    Overview(OverviewArgs),
    /// Run one SELECT over the store
    Sql(SqlArgs),
    /// List the tables, or the columns of one
    Schema(SchemaArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn list_and_plan_are_commands_in_the_first_place_only() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).map(|cli| cli.command);
        let Ok(Command::Backfill(first)) = parse("hyp backfill list") else { panic!("list") };
        assert!(matches!(first.command, Some(HistoryCommand::List(_))));
        let Ok(Command::Backfill(later)) = parse("hyp backfill claude list") else {
            panic!("claude list")
        };
        assert!(later.command.is_none());
        assert_eq!(later.run.providers, ["claude", "list"]);
    }
}
