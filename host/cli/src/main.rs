//! hyp: the history of coding agents as one table.
//!
//! This crate parses the command line, calls the libraries, and prints. Stdout is data, stderr is
//! talk. Nothing is started before the arguments are understood, so `hyp --version` costs nothing.

mod agents;
mod args;
mod commands;
mod config;
mod env;
mod events;
mod expiry;
mod failure;
mod interrupt;
mod moment;
mod pager;
mod progress;
mod prompt;
mod target;
mod telemetry;
mod terminal;
mod text;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use hyp_model::Exit;

use crate::args::{Cli, Command, HistoryCommand, QueryCommand};
use crate::commands::Session;
use crate::failure::Failure;

fn main() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(other) => answer(&other),
    };
    let exit = match exit {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    };
    ExitCode::from(exit.status())
}

/// Answers what is no command: a wish for help or the version, or words that make no sense.
fn answer(error: &clap::Error) -> Result<Exit, Failure> {
    if error.kind() == ErrorKind::DisplayVersion && env::args().any(|arg| arg == "--verbose") {
        return commands::version();
    }
    // Where nobody reads the answer, there is nobody to tell.
    let _ = error.print();
    Ok(if error.use_stderr() { Exit::Usage } else { Exit::Done })
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    if cli.verbose {
        let message = "--verbose goes with --version".to_owned();
        return Err(Failure::Usage { command: "hyp", message });
    }
    moment::check()?;
    let session = Session::new(&cli.global)?;
    telemetry::start(env::log_file().as_deref())?;
    let Some(command) = cli.command else { return commands::welcome(&session) };
    match command {
        Command::Init(args) => commands::init(&session, &args),
        Command::Backfill(args) => match args.command {
            None => commands::backfill(&session, args.run),
            Some(HistoryCommand::List(list)) => commands::backfill_list(&session, &list),
            Some(HistoryCommand::Plan(plan)) => commands::backfill_plan(&session, &plan),
        },
        Command::Query(args) => match args.command {
            QueryCommand::Overview(args) => commands::query_overview(&session, &args),
            QueryCommand::Sql(sql) => commands::query_sql(&session, &sql),
            QueryCommand::Schema(schema) => commands::query_schema(&session, &schema),
        },
        Command::Search(args) => commands::search(&session, &args),
        Command::Show(args) => commands::show(&session, &args),
        Command::Sessions(args) => commands::sessions(&session, &args),
        Command::Report(args) => commands::report(&session, &args),
        Command::Export(args) => commands::export(&session, &args),
        Command::Attach(args) => commands::attach(&session, &args),
        Command::Explain(args) => commands::explain(&session, &args),
        Command::Reconcile(args) => commands::reconcile(&session, &args),
        Command::Record(args) => commands::record(&session, args),
        Command::Plugin(args) => commands::plugin(&session, &args),
        Command::Privacy(args) => commands::privacy(&session, args.command),
        Command::Cache(args) => commands::cache(&session, args.command),
        Command::Schedule(args) => commands::schedule(&session, &args),
        Command::Doctor(args) => commands::doctor(&session, &args),
        Command::Runs(args) => commands::runs(&session, &args),
        Command::Quarantine(args) => commands::quarantine(&session, &args),
        Command::Status(args) => commands::status(&session, &args),
        Command::Demo(args) => commands::demo(&args),
        Command::Completions(args) => commands::completions(&args),
        Command::Man(args) => commands::man(&args),
    }
}
