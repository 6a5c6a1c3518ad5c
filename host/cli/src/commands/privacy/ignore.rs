//! `hyp privacy ignore` and `hyp privacy allow`: the list of this machine.

use std::path::{Path, PathBuf};

use hyp_backfill::{Class, Entry, Ignored, read_list, write_list};
use hyp_model::Exit;

use crate::commands::{Session, absolute, say};
use crate::failure::Failure;
use crate::text;

/// Arguments of `hyp privacy ignore`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp privacy ignore ~/clients/acme

What was imported already stays; `hyp privacy purge ~/clients/acme` removes it. A file `.hypignore` in the
folder says the same to every machine that has the folder.")]
pub(crate) struct IgnoreArgs {
    /// The folder, with all that is below it
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

/// Arguments of `hyp privacy allow`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp privacy allow ~/clients/acme

The next import brings what is still there; what was purged stays away.")]
pub(crate) struct AllowArgs {
    /// The folder, with all that is below it
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

/// Runs `hyp privacy ignore`.
pub(crate) fn ignore(session: &Session, args: &IgnoreArgs) -> Result<Exit, Failure> {
    let store = &session.places.store;
    let path = absolute(args.path.clone());
    let mut entries = read_list(store)?;
    entries.retain(|entry| entry.dir != path);
    entries.push(Entry { dir: path.clone(), class: Class::Ignore });
    write_list(store, &entries)?;
    let path = shown(&path);
    say(&format!("messages of `{path}`, and of what is below it, are not imported any more"));
    say(&format!("what is stored already stays; to remove it, run `hyp privacy purge '{path}'`"));
    Ok(Exit::Done)
}

/// Runs `hyp privacy allow`.
pub(crate) fn allow(session: &Session, args: &AllowArgs) -> Result<Exit, Failure> {
    let store = &session.places.store;
    let path = absolute(args.path.clone());
    let mut entries = read_list(store)?;
    entries.retain(|entry| entry.dir != path);
    let is_below = entries.iter().any(|entry| path.starts_with(&entry.dir));
    if is_below {
        // A folder above is listed, so this one has to say otherwise.
        entries.push(Entry { dir: path.clone(), class: Class::Full });
    }
    write_list(store, &entries)?;
    let class = Ignored::load(store)?.class(&path.display().to_string());
    let path = shown(&path);
    if class == Class::Ignore {
        let message = format!(
            "the list lets `{path}` in, and a file `.hypignore` at or above it does not: remove that file"
        );
        return Err(Failure::Refused { command: "hyp privacy allow", message });
    }
    say(&format!("messages of `{path}` are imported; `hyp backfill` brings what was left out"));
    Ok(Exit::Done)
}

fn shown(path: &Path) -> String {
    text::line(&path.display().to_string()).into_owned()
}
