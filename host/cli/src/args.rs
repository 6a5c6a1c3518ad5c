//! What can be typed, exactly as typed. What it means is worked out by each command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    AttachArgs, BackfillArgs, CacheArgs, CompletionsArgs, DemoArgs, DoctorArgs, ExplainArgs,
    ExportArgs, InitArgs, ListArgs, ManArgs, OverviewArgs, PlanArgs, PluginArgs, PrivacyArgs,
    QuarantineArgs, ReconcileArgs, RecordArgs, ReportArgs, RunsArgs, ScheduleArgs, SchemaArgs,
    SearchArgs, SessionsArgs, ShowArgs, SqlArgs, StatusArgs,
};

/// The history of coding agents as one table
#[derive(Debug, Parser)]
#[command(name = "hyp", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    /// With --version: what this hyp is made of
    #[arg(long)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const AFTER_HELP: &str = "\
Examples:
  hyp backfill                 import the history on this machine
  hyp query overview           what is there, on one screen
  hyp search 'spring tide'     where it was said
  hyp report --open            a page of charts

Exit codes: 0 done, 1 something failed, 2 usage or configuration, 3 refused by a guard or another
run's lock, 130 interrupted (the same command goes on)";

/// Where help lists what every command takes: behind what the command itself takes.
const EVERYWHERE: &str = "Everywhere";

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Folder of the store [default: the variable HYP_HOME, else ~/.hyp]
    #[arg(long, value_name = "DIR", global = true, help_heading = EVERYWHERE)]
    pub(crate) store: Option<PathBuf>,

    /// Home folder whose history is read [default: HOME]
    #[arg(long, value_name = "DIR", global = true, help_heading = EVERYWHERE)]
    pub(crate) history_home: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set hyp up: see which clients left history here, and import it
    Init(InitArgs),
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
    /// Record something as it happens, by the rules that imports follow
    Record(RecordArgs),
    /// Providers from elsewhere: look at them, install them, check them
    Plugin(PluginArgs),
    /// Keep folders out, remove for good what was imported, look for secrets
    Privacy(PrivacyArgs),
    /// Look after the store's files
    Cache(CacheArgs),
    /// Import twice a day, so that history is here before its client deletes it
    Schedule(ScheduleArgs),
    /// Find what is wrong, or may go wrong, and say what to do
    Doctor(DoctorArgs),
    /// List what runs did; show one whole, go on with it, or take it back
    Runs(RunsArgs),
    /// Records that were not understood: list them, show one, read them again
    Quarantine(QuarantineArgs),
    /// Say what the store holds
    Status(StatusArgs),
    /// Import a small made-up history into a temporary store and query it
    Demo(DemoArgs),
    /// Print what completes commands in a shell
    Completions(CompletionsArgs),
    /// Write the man pages into a folder
    #[command(hide = true)]
    Man(ManArgs),
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
mod named;

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Returns the words of every command that is shown, and whether it runs by itself.
    fn commands() -> Vec<(String, bool)> {
        let mut left = vec![("hyp".to_owned(), Cli::command())];
        let mut found = Vec::new();
        while let Some((words, command)) = left.pop() {
            let below = command.get_subcommands().filter(|it| !it.is_hide_set());
            left.extend(below.map(|it| (format!("{words} {}", it.get_name()), it.clone())));
            found.push((words, !command.is_subcommand_required_set()));
        }
        found
    }

    #[test]
    fn every_command_has_its_help_and_an_example() {
        for (words, runs) in commands() {
            let typed = words.split(' ').chain(["--help"]);
            let answer = Cli::command().term_width(100).try_get_matches_from(typed);
            let Err(help) = answer.map_err(|help| help.to_string()) else {
                panic!("{words}: no help")
            };
            let example = format!("{words} ");
            let has_example = help.lines().any(|line| {
                let line = line.trim_start().trim_start_matches("Example: ");
                (format!("{line} ").starts_with(&example) || line.contains(&format!("$({words}")))
                    && !line.starts_with("Usage")
            });
            assert!(!runs || has_example, "{words}: no example\n{help}");
            insta::assert_snapshot!(words.replace(' ', "-"), help);
        }
    }

    #[test]
    fn list_and_plan_are_commands_in_the_first_place_only() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).map(|cli| cli.command);
        let Ok(Some(Command::Backfill(first))) = parse("hyp backfill list") else { panic!("list") };
        assert!(matches!(first.command, Some(HistoryCommand::List(_))));
        let Ok(Some(Command::Backfill(later))) = parse("hyp backfill claude list") else {
            panic!("claude list")
        };
        assert!(later.command.is_none());
        assert_eq!(later.run.providers, ["claude", "list"]);
    }
}
