//! The clients: which left history here, and whether it is imported before they delete it.

use super::{Finding, Level, failed};
use crate::commands::{Session, schedule};

/// Looks at the clients and the schedule.
pub(super) fn look(session: &Session, _now: i64) -> Vec<Finding> {
    let mut findings = Vec::new();
    match hyp_backfill::list(&session.places) {
        Err(error) => findings.push(failed("clients", &error)),
        Ok(providers) => {
            for provider in providers {
                let here: Vec<String> = provider
                    .roots
                    .iter()
                    .filter(|root| root.exists)
                    .map(|root| root.path.display().to_string())
                    .collect();
                findings.push(match here.is_empty() {
                    true => Finding::new(
                        "clients",
                        Level::Note,
                        format!("{}: nothing here", provider.title),
                    ),
                    false => {
                        Finding::ok("clients", format!("{}: {}", provider.title, here.join(", ")))
                    }
                });
            }
        }
    }
    findings.extend(scheduled(session));
    findings
}

fn scheduled(session: &Session) -> Option<Finding> {
    let state = schedule::state(session).ok()?;
    Some(match (state.is_installed, state.is_active, state.is_current) {
        (false, ..) => Finding::new("schedule", Level::Note, "imports run only when you run them")
            .help("`hyp schedule install` imports twice a day"),
        (_, false, _) => Finding::new("schedule", Level::Warning, "the timer is there and not on")
            .help("hyp schedule install"),
        (.., false) => Finding::new(
            "schedule",
            Level::Warning,
            "the timer runs another hyp, or on another store",
        )
        .help("hyp schedule install"),
        _ => Finding::ok("schedule", "history is imported twice a day"),
    })
}
