//! `hyp completions` and `hyp man`: what shells and `man` want to know of the command line.

use std::path::PathBuf;
use std::{fs, io};

use clap::CommandFactory;
use clap_complete::Shell;
use hyp_model::{Exit, Explain};

use super::{print, say};
use crate::args::Cli;
use crate::failure::Failure;

/// Arguments of `hyp completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp completions bash > ~/.local/share/bash-completion/completions/hyp
  hyp completions zsh > ~/.zfunc/_hyp       # with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  hyp completions fish > ~/.config/fish/completions/hyp.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `hyp man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp man ~/.local/share/man/man1 && man hyp-query-sql")]
pub(crate) struct ManArgs {
    /// The folder that gets a page for each command; made if it is not there
    folder: PathBuf,
}

/// Why there are no pages.
#[derive(Debug, thiserror::Error)]
#[error("cannot write man pages to `{}`", folder.display())]
pub(crate) struct ManError {
    folder: PathBuf,
    source: io::Error,
}

impl Explain for ManError {
    fn code(&self) -> &'static str {
        "hyp::man::write"
    }

    fn help(&self) -> Option<String> {
        Some("name a folder that can be written to".to_owned())
    }
}

/// Runs `hyp completions`.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hyp", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Runs `hyp man`.
pub(crate) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let written = fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &args.folder));
    written.map_err(|source| ManError { folder: args.folder.clone(), source })?;
    say(&format!("man pages written to: {}", args.folder.display()));
    Ok(Exit::Done)
}
