//! What the journal and the ledgers tell: runs that failed, alarms, inputs that were not understood, the clock.

use hyp_cache::{Bound, Store};

use super::{Finding, Level, failed};
use crate::commands::Session;
use crate::commands::ask::{self, Lake};
use crate::failure::Failure;
use crate::{moment, text};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Looks at what was told so far.
pub(super) fn look(session: &Session, store: &Store, now: i64) -> Vec<Finding> {
    match told(session, now) {
        Ok(mut findings) => {
            findings.extend(newest(store, now));
            findings
        }
        // An older store is read as it is; what its runs told cannot be asked for yet.
        Err(Failure::Explained(error)) if error.code() == "hyp::store::older" => {
            let help = error.help().unwrap_or_default();
            vec![Finding::new("ledger", Level::Note, error.to_string()).help(help)]
        }
        Err(Failure::Explained(error)) => vec![failed("ledger", error.as_ref())],
        Err(_) => vec![Finding::new("ledger", Level::Problem, "it cannot be read")],
    }
}

fn told(session: &Session, now: i64) -> Result<Vec<Finding>, Failure> {
    let lake = Lake::open(session)?;
    let mut findings = Vec::new();
    let last = lake.rows(
        "select run_id, status, cast(started_at as bigint) as started from runs \
         where not dry_run and kind = 'import' order by started desc, run_id limit 1",
    )?;
    findings.push(match last.first() {
        None => Finding::new("last run", Level::Note, "nothing was imported yet")
            .help("run `hyp backfill`"),
        Some(row) => run(row, now),
    });
    let alarms = lake.rows(&format!(
        "select event, count(*) as n from journal \
         where event in ('duplicate_dropped', 'foreign_snapshot') and cast(at as bigint) > {} \
         group by event order by event",
        now.saturating_sub(30 * DAY)
    ))?;
    for row in &alarms {
        let (event, count) = (ask::text(row, "event").unwrap_or_default(), ask::count(row, "n"));
        let message = match event.as_str() {
            "duplicate_dropped" => format!("{count} ids had more than one row in the last 30 days"),
            _ => format!("other programs wrote to the table {count} times in the last 30 days"),
        };
        findings.push(
            Finding::new("journal", Level::Warning, message)
                .help("let only hyp write to its store; `select * from journal` has the details"),
        );
    }
    let inputs = lake.rows("select status, count(*) as n from inputs group by status")?;
    let of = |status: &str| {
        let found = inputs.iter().find(|row| ask::text(row, "status").as_deref() == Some(status));
        found.map_or(0, |row| ask::count(row, "n"))
    };
    if of("broken_off") > 0 {
        findings.push(
            Finding::new(
                "inputs",
                Level::Warning,
                format!("{} recordings could not be read to their end", of("broken_off")),
            )
            .help("`select path from inputs where status = 'broken_off'`: check their rights"),
        );
    }
    let unknown: u64 = lake
        .rows("select count(*) as n from quarantine")?
        .first()
        .map_or(0, |row| ask::count(row, "n"));
    if of("not_understood") + unknown > 0 {
        findings.push(Finding::new(
            "inputs",
            Level::Note,
            format!(
                "{} recordings and {unknown} records were not understood; they wait for a newer provider",
                of("not_understood")
            ),
        ));
    }
    Ok(findings)
}

fn run(row: &ask::Row, now: i64) -> Finding {
    let started = ask::long(row, "started").unwrap_or_default();
    let status = ask::text(row, "status").unwrap_or_default();
    let when = moment::show(Some(started));
    if started > now.saturating_add(DAY / 24) {
        return Finding::new(
            "clock",
            Level::Warning,
            format!("the last run began at {when}, which is still to come"),
        )
        .help("set the machine's clock: what is kept, and for how long, depends on it");
    }
    let run = ask::text(row, "run_id").unwrap_or_default();
    let run = text::line(&run);
    match status.as_str() {
        "failed" => Finding::new("last run", Level::Warning, format!("it failed, {when}"))
            .help(format!("`hyp runs show {run}` says why")),
        "crashed" => Finding::new("last run", Level::Warning, format!("it was killed, {when}"))
            .help(format!("`hyp runs resume {run}` goes on with it")),
        "refused" => Finding::new("last run", Level::Note, format!("it was refused, {when}"))
            .help(format!("`hyp runs show {run}` says why")),
        _ => Finding::ok("last run", format!("{status}, {when}")),
    }
}

/// Compares the newest message with the clock.
fn newest(store: &Store, now: i64) -> Option<Finding> {
    let files = store.snapshot().ok()?.files;
    let newest = files
        .iter()
        .filter_map(|file| match file.bounds.get("message_created_at")?.1 {
            Some(Bound::Timestamp(at)) => Some(at),
            _ => None,
        })
        .max()?;
    (newest > now.saturating_add(DAY)).then(|| {
        let when = moment::show(Some(newest));
        Finding::new(
            "clock",
            Level::Warning,
            format!("the newest message is of {when}, which is to come"),
        )
        .help("a clock is wrong, now or when it was written")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_goes_on_names_the_run() {
        let help = |status: &str| {
            let row = serde_json::json!({ "run_id": "bf-1", "status": status, "started": 5 });
            run(row.as_object().unwrap(), DAY).help
        };
        assert_eq!(help("crashed").as_deref(), Some("`hyp runs resume bf-1` goes on with it"));
        assert_eq!(help("failed").as_deref(), Some("`hyp runs show bf-1` says why"));
        assert_eq!(help("ok"), None);
    }
}
