//! The clients: which left history here, and whether it is imported before they delete it.

use super::{Finding, Level, failed};
use crate::commands::{Session, schedule};

/// Looks at the clients and the schedule.
pub(super) fn look(session: &Session, _now: i64) -> Vec<Finding> {
    let mut findings = Vec::new();
    match hyp_backfill::roots(&session.places) {
        Err(error) => findings.push(failed("clients", &error)),
        Ok(clients) => {
            let mut absent = Vec::new();
            // A source that config.toml names is no client that leaves history somewhere.
            for (title, roots) in clients.into_iter().filter(|(_, roots)| !roots.is_empty()) {
                let there = roots.iter().filter(|root| root.exists);
                let here: Vec<String> = there.map(|it| it.path.display().to_string()).collect();
                let unreadable = roots.iter().find_map(|root| root.unreadable.as_ref());
                if let Some(reason) = unreadable {
                    let words = format!("{title}: {reason}");
                    findings.push(
                        Finding::new("clients", Level::Problem, words)
                            .help("without it, what the client deletes there is never imported"),
                    );
                }
                if here.is_empty() {
                    absent.extend(unreadable.is_none().then_some(title));
                } else {
                    let words = format!("{title}: {}", here.join(", "));
                    findings.push(Finding::ok("clients", words));
                }
            }
            if !absent.is_empty() {
                let words = format!("nothing here of {}", absent.join(", "));
                findings.push(Finding::new("clients", Level::Note, words));
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
