//! `hyp runs`: what imports did, one line a run; below it, what can be done with one of them.

mod cells;
mod find;
mod resume;
mod show;
mod undo;

use std::fmt::Write;

use hyp_model::Exit;
use serde::Serialize;
use serde_json::Value;

use super::ask::{self, Lake, Row};
use super::{Session, print, print_json, short};
use crate::failure::Failure;
use crate::{moment, terminal, text};

/// The words before each message.
const COMMAND: &str = "hyp runs";

/// Shortest part of an id that stands for it.
const SHORTEST_ID: usize = 11;

/// Arguments of `hyp runs`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  hyp runs
  hyp runs show bf-3f2a --json
  hyp runs undo bf-3f2a --commit

Runs that wrote nothing, such as dry ones, are there too.")]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    command: Option<RunsCommand>,

    /// List at most that many; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,

    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum RunsCommand {
    /// Show a run: what each provider read and wrote, what was noted, what was kept in quarantine
    Show(show::ShowArgs),
    /// Go on with an import that did not come to its end
    Resume(resume::ResumeArgs),
    /// Take back what a run did: the store is as if it had never been
    Undo(undo::UndoArgs),
}

#[derive(Serialize)]
struct List {
    runs: Vec<Entry>,
}

/// A run.
#[derive(Debug, Serialize)]
struct Entry {
    run_id: String,
    started_at: Option<String>,
    ended_at: Option<String>,
    status: String,
    dry_run: bool,
    /// `import`, `undo` or `record`.
    kind: String,
    /// The run that it undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<String>,
    /// The run that undid it, where nothing of it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<String>,
    /// Providers whose history was there; of a run without a report, those that were asked for.
    providers: Vec<String>,
    rows_written: u64,
    rows_skipped: u64,
    #[serde(skip)]
    started: Option<i64>,
    #[serde(skip)]
    ended: Option<i64>,
}

/// What is read of each run.
const COLUMNS: &str = "run_id, status, dry_run, kind, undoes, undone_by, rows_written, rows_skipped, report, providers, \
     cast(started_at as bigint) as started, cast(ended_at as bigint) as ended, \
     cast(since as bigint) as since, cast(until as bigint) as until";

/// Runs `hyp runs`.
pub(crate) fn runs(session: &Session, args: &RunsArgs) -> Result<Exit, Failure> {
    match &args.command {
        Some(RunsCommand::Show(args)) => return show::show(session, args),
        Some(RunsCommand::Resume(args)) => return resume::resume(session, args),
        Some(RunsCommand::Undo(args)) => return undo::undo(session, args),
        None => {}
    }
    let limit = if args.limit == 0 { String::new() } else { format!("limit {}", args.limit) };
    let lake = Lake::open(session)?;
    let rows =
        lake.rows(&format!("select {COLUMNS} from runs order by started desc, run_id {limit}"))?;
    let runs: Vec<Entry> = rows.iter().map(entry).collect();
    if args.json {
        print_json(&List { runs })?;
    } else if terminal::width().is_some() {
        let ids = lake.rows("select run_id from runs")?;
        let mut ids: Vec<String> = ids.iter().filter_map(|row| ask::text(row, "run_id")).collect();
        ids.sort_unstable();
        let start = |id: &str| short::start(id, &ids, SHORTEST_ID);
        print(&table(&runs, |id| start(id).unwrap_or_else(|| id.to_owned())))?;
    } else {
        print(&table(&runs, str::to_owned))?;
    }
    Ok(Exit::Done)
}

fn entry(row: &Row) -> Entry {
    let (started, ended) = (ask::long(row, "started"), ask::long(row, "ended"));
    Entry {
        run_id: ask::text(row, "run_id").unwrap_or_default(),
        started_at: started.and_then(moment::rfc3339),
        ended_at: ended.and_then(moment::rfc3339),
        status: ask::text(row, "status").unwrap_or_default(),
        dry_run: row.get("dry_run").is_some_and(|it| it == true),
        kind: ask::text(row, "kind").unwrap_or_default(),
        undoes: ask::text(row, "undoes"),
        undone_by: ask::text(row, "undone_by"),
        providers: providers(row),
        rows_written: ask::count(row, "rows_written"),
        rows_skipped: ask::count(row, "rows_skipped"),
        started,
        ended,
    }
}

/// Returns the names of a run's providers: those that it told of, or else those that it was begun for.
fn providers(row: &Row) -> Vec<String> {
    let report = report(row);
    let names = |list: &Value, of: fn(&Value) -> &Value| -> Vec<String> {
        let names = list.as_array().into_iter().flatten().filter_map(|it| of(it).as_str());
        names.map(str::to_owned).collect()
    };
    let is_derived = ask::text(row, "kind").as_deref() == Some("derive");
    if report.is_object() && !is_derived {
        return names(&report["providers"], |provider| &provider["provider"]);
    }
    let begun = ask::text(row, "providers").unwrap_or_default();
    names(&serde_json::from_str(&begun).unwrap_or_default(), |name| name)
}

/// Returns the report of a run; one that never ended has none.
fn report(row: &Row) -> Value {
    let text = ask::text(row, "report").unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

impl Entry {
    /// Returns how it ended, and whether anything of it is there.
    fn ending(&self) -> String {
        let remark = match (self.dry_run, &self.undone_by) {
            (true, _) => " (dry-run)",
            (_, Some(_)) => " (undone)",
            _ => "",
        };
        format!("{}{remark}", self.status)
    }

    /// Returns what it was about: providers, or the run that it undid.
    fn about(&self, id: impl Fn(&str) -> String) -> String {
        match &self.undoes {
            Some(run) => format!("undo of {}", id(run)),
            None => self.providers.join(" "),
        }
    }

    fn took(&self) -> String {
        let micros = self.started.zip(self.ended).map(|(started, ended)| ended - started);
        let seconds = micros.and_then(|micros| u64::try_from(micros / 100_000).ok());
        seconds
            .map_or_else(|| "-".to_owned(), |tenths| format!("{}.{} s", tenths / 10, tenths % 10))
    }
}

/// Returns a table of runs; `id` says how an id is written.
fn table(runs: &[Entry], id: impl Fn(&str) -> String) -> String {
    let head = ["RUN", "STARTED", "TOOK", "STATUS", "WRITTEN", "SKIPPED", "OF"];
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(runs.iter().map(|run| {
        [
            text::line(&id(&run.run_id)).into_owned(),
            moment::show(run.started),
            run.took(),
            run.ending(),
            text::full(run.rows_written),
            text::full(run.rows_skipped),
            text::line(&run.about(&id)).into_owned(),
        ]
    }));
    let widths: Vec<usize> =
        (0..head.len()).map(|at| lines.iter().map(|it| it[at].len()).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for line in lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_a_run_and_one_that_died_has_no_end() {
        let run = Entry {
            run_id: "bf-1".to_owned(),
            started_at: None,
            ended_at: None,
            status: "ok".to_owned(),
            dry_run: true,
            kind: "import".to_owned(),
            undoes: None,
            undone_by: None,
            providers: vec!["claude".to_owned(), "codex".to_owned()],
            rows_written: 12_345,
            rows_skipped: 0,
            started: Some(0),
            ended: Some(1_340_000),
        };
        let undo = Entry {
            run_id: "bf-3".to_owned(),
            started_at: None,
            ended_at: None,
            status: "ok".to_owned(),
            dry_run: false,
            kind: "undo".to_owned(),
            undoes: Some("bf-1".to_owned()),
            undone_by: Some("bf-4".to_owned()),
            providers: Vec::new(),
            rows_written: 0,
            rows_skipped: 0,
            started: None,
            ended: None,
        };
        let died = Entry {
            run_id: "bf-22\u{1b}".to_owned(),
            status: "crashed".to_owned(),
            dry_run: false,
            kind: "import".to_owned(),
            undoes: None,
            undone_by: None,
            providers: Vec::new(),
            started: None,
            ended: None,
            started_at: None,
            ended_at: None,
            rows_written: 1,
            rows_skipped: 2,
        };
        let runs = [Entry { started: None, ended: None, ..died }, run, undo];
        let lines = table(&runs, str::to_owned);
        let lines: Vec<&str> = lines.lines().collect();
        assert!(lines[1].contains("crashed") && lines[1].contains("  -  "), "{lines:?}");
        assert!(!lines[1].contains('\u{1b}'), "{lines:?}");
        assert!(lines[2].contains("1.3 s  ok (dry-run)"), "{lines:?}");
        assert!(lines[2].ends_with("claude codex"), "{lines:?}");
        assert!(lines[3].contains("ok (undone)"), "{lines:?}");
        assert!(lines[3].ends_with("undo of bf-1"), "{lines:?}");
    }
}
