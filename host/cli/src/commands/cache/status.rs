//! `hyp cache status`: what the store consists of, and what upkeep would do.

use std::fmt::Write;

use hyp_cache::{Outline, Store};
use hyp_model::Exit;

use crate::commands::{Session, print, print_json};
use crate::failure::Failure;
use crate::text;

/// Arguments of `hyp cache status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp cache status --json")]
pub(crate) struct CacheStatusArgs {
    /// Print the status as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `hyp cache status`.
pub(crate) fn status(session: &Session, args: &CacheStatusArgs) -> Result<Exit, Failure> {
    let outline = Store::open(&session.places.store)?.outline()?;
    if args.json {
        print_json(&outline)?;
    } else {
        print(&show(&outline))?;
    }
    Ok(Exit::Done)
}

fn show(outline: &Outline) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<12}{:<10}{:>6}{:>12}{:>12}  DUE",
        "CLIENT", "MONTH", "FILES", "ROWS", "SIZE"
    );
    for part in &outline.partitions {
        let due = match part.due {
            0 => "-".to_owned(),
            files => format!("merge {}", text::counted_full(files, "file")),
        };
        let _ = writeln!(
            out,
            "{:<12}{:<10}{:>6}{:>12}{:>12}  {due}",
            text::headline(&part.client, 11),
            part.month,
            part.files,
            part.rows,
            text::bytes(part.bytes)
        );
    }
    let sum = |of: fn(&hyp_cache::Part) -> u64| outline.partitions.iter().map(of).sum::<u64>();
    let _ = writeln!(
        out,
        "{:<12}{:<10}{:>6}{:>12}{:>12}",
        "all",
        "",
        sum(|part| part.files),
        outline.rows,
        text::bytes(sum(|part| part.bytes))
    );
    out.push('\n');
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "{name:<16}{value}");
    };
    line(
        "superseded",
        format!(
            "{}, named by {}",
            text::counted_full(outline.superseded, "row"),
            text::counted_full(outline.delete_files, "file")
        ),
    );
    line("snapshots", outline.snapshots.to_string());
    line(
        "rubbish",
        format!(
            "{}, {}",
            text::counted_full(outline.rubbish.files, "file"),
            text::bytes(outline.rubbish.bytes)
        ),
    );
    line("catalog", format!("version {}, {}", outline.version, text::bytes(outline.catalog_bytes)));
    for (name, rows) in outline.ledgers.iter().filter(|(_, rows)| **rows > 0) {
        line(&format!("  {name}"), rows.to_string());
    }
    for version in &outline.backups {
        line(
            "backup",
            format!("catalog of version {version}; `hyp cache rollback` goes back to it"),
        );
    }
    if outline.is_foreign {
        line(
            "foreign",
            "another program wrote to the table; the next import checks all ids".to_owned(),
        );
    }
    if outline.is_moved {
        line(
            "moved",
            "`hyp cache relocate` makes the table readable to other engines again".to_owned(),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_store_has_a_sum_of_nothing() {
        let shown = show(&Outline::default());
        assert!(shown.contains("all"), "{shown}");
        assert!(!shown.contains("backup") && !shown.contains("foreign"), "{shown}");
    }
}
