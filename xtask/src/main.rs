//! `cargo xtask`: what this repository does to itself.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds components and checks the tree
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the bundled providers and the test guests, and write what they were built from
    Components {
        /// Build, but compare with what is checked in instead of writing it
        #[arg(long)]
        check: bool,
        /// Build only the components of these names
        names: Vec<String>,
    },
    /// Measure imports and queries of a release build
    Bench(xtask::bench::BenchArgs),
    /// Run one command and print what it cost; `bench` calls it
    #[command(hide = true)]
    Measure(xtask::bench::MeasureArgs),
    /// Release the contract, or start on its next version
    #[command(subcommand)]
    Contract(xtask::contract::ContractTask),
    /// Write the list of the SDK's public API
    Api,
    /// Write the table of supported clients into the README
    Clients,
    /// Make the archive that people install from, with checksums, completions, man pages and licences
    Dist(xtask::dist::DistArgs),
    /// Check lengths, documentation, layers, versions and paths
    Tidy,
}

fn main() -> ExitCode {
    let done = match Args::parse().task {
        Task::Components { check: true, names } => xtask::components::check(&names),
        Task::Components { check: false, names } => xtask::components::build(&names),
        Task::Bench(args) => xtask::bench::bench(&args),
        Task::Measure(args) => xtask::bench::measure(&args),
        Task::Contract(task) => xtask::contract::contract(&task),
        Task::Api => xtask::api::write(),
        Task::Clients => xtask::clients::write(),
        Task::Dist(args) => xtask::dist::dist(&args),
        Task::Tidy => xtask::tidy::tidy(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            xtask::say(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
