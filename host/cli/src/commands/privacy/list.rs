//! `hyp privacy list`: the folders that are kept out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hyp_backfill::{Class, Ignored, read_list};
use hyp_model::Exit;
use serde::Serialize;

use crate::commands::ask::{self, Lake};
use crate::commands::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::text;

/// Arguments of `hyp privacy list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp privacy list
  hyp privacy list --json")]
pub(crate) struct ListArgs {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct List {
    folders: Vec<Folder>,
}

/// A folder that somebody said something about.
#[derive(Serialize)]
struct Folder {
    path: PathBuf,
    class: Class,
    /// `list` or `.hypignore`.
    said_by: &'static str,
    /// Rows of messages of it, or of folders below, that are stored.
    stored_rows: u64,
}

/// Runs `hyp privacy list`.
pub(crate) fn list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let stored = stored(session)?;
    let mut folders: BTreeMap<PathBuf, (Class, &'static str)> = BTreeMap::new();
    let mut ignored = Ignored::load(&session.places.store)?;
    for cwd in stored.keys().map(Path::new).filter(|cwd| cwd.is_absolute()) {
        for folder in cwd.ancestors().filter(|folder| folder.join(".hypignore").exists()) {
            let class = ignored.class(&folder.display().to_string());
            folders.insert(folder.to_owned(), (class, ".hypignore"));
        }
    }
    for entry in read_list(&session.places.store)? {
        folders.insert(entry.dir, (entry.class, "list"));
    }
    let below = |path: &Path| {
        let here = stored.iter().filter(|(cwd, _)| Path::new(cwd).starts_with(path));
        here.map(|(_, rows)| rows).sum()
    };
    let folders: Vec<Folder> = folders
        .into_iter()
        .map(|(path, (class, said_by))| Folder { stored_rows: below(&path), path, class, said_by })
        .collect();
    if args.json {
        print_json(&List { folders })?;
        return Ok(Exit::Done);
    }
    if folders.is_empty() {
        say("no folder is kept out; `hyp privacy ignore PATH` keeps one out");
    }
    for Folder { path, class, said_by, stored_rows } in &folders {
        let word = match class {
            Class::Ignore => "ignore",
            Class::LocalOnly => "local-only",
            _ => "full",
        };
        let path = path.display().to_string();
        let path = text::line(&path);
        print(&format!("{word:<10}  {said_by:<10}  {stored_rows:>8} rows stored  {path}\n"))?;
    }
    Ok(Exit::Done)
}

/// Returns how many rows of each folder are stored.
fn stored(session: &Session) -> Result<BTreeMap<String, u64>, Failure> {
    let lake = Lake::open_or_empty(session)?;
    let rows = lake.rows(
        "select cwd, count(*) as count from ai_gateway_messages where cwd is not null group by cwd",
    )?;
    let pair = |row: &ask::Row| Some((ask::text(row, "cwd")?, ask::count(row, "count")));
    Ok(rows.iter().filter_map(pair).collect())
}
