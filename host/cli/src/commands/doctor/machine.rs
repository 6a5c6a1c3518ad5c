//! What lies outside the catalog: settings, room on the disk, components.

use std::path::Path;

use hyp_backfill::PluginState;

use super::{Finding, Level, failed};
use crate::commands::Session;
use crate::{config, text};

/// Bytes that should be free, and without which nothing can be written.
const ENOUGH: u64 = 1 << 30;
const LEAST: u64 = 64 << 20;

/// Looks at settings, disk and components.
pub(super) fn look(session: &Session) -> Vec<Finding> {
    let mut findings = vec![settings(session)];
    if let Err(error) = hyp_backfill::read_list(&session.places.store) {
        findings.push(failed("ignored", &error));
    }
    findings.extend(disk(&session.places.store));
    match hyp_backfill::states(&session.places) {
        Ok(states) => {
            findings.extend(unknown_clients(session, &states));
            findings.extend(components(&states));
        }
        Err(error) => findings.push(failed("plugins", &error)),
    }
    findings
}

fn settings(session: &Session) -> Finding {
    let path = config::path(&session.places.store);
    match session.config() {
        Err(error) => failed("config", &error),
        Ok(_) if path.exists() => Finding::ok("config", format!("{} is in order", path.display())),
        Ok(_) => Finding::ok("config", "there is no config.toml, so everything is at its default"),
    }
}

/// Looks for clients that the settings name and nothing reads.
fn unknown_clients(session: &Session, states: &[PluginState]) -> Option<Finding> {
    let named = session.config().ok()?.import.clients?;
    let providers = states.iter().filter(|state| state.materializer.is_none());
    let known: Vec<&str> = providers.map(|state| state.name.as_str()).collect();
    let unknown: Vec<&str> =
        named.iter().map(String::as_str).filter(|name| !known.contains(name)).collect();
    if unknown.is_empty() {
        return None;
    }
    let message = format!("config.toml names {}, which no provider reads", unknown.join(", "));
    let help = format!("set `[import] clients` right; known are: {}", known.join(", "));
    Some(Finding::new("config", Level::Problem, message).help(help))
}

fn disk(store: &Path) -> Option<Finding> {
    // The folder may not be there yet.
    let folder = store.ancestors().find(|folder| folder.exists())?;
    let room = rustix::fs::statvfs(folder).ok()?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let message = format!("{} are free at {}", text::bytes(free), folder.display());
    Some(match free {
        ENOUGH.. => Finding::ok("disk", message),
        LEAST.. => Finding::new("disk", Level::Warning, message)
            .help("an import needs about a third of what it reads; free some space"),
        _ => Finding::new("disk", Level::Problem, message)
            .help("nothing can be imported; free some space"),
    })
}

fn components(states: &[PluginState]) -> Vec<Finding> {
    let broken = states.iter().filter_map(|state| Some((state, state.error.as_ref()?)));
    let mut findings: Vec<Finding> = broken
        .map(|(state, error)| {
            let message = format!("provider `{}` cannot be used: {error}", state.name);
            Finding::new("plugins", Level::Problem, message).help(format!(
                "`hyp plugin install` it again, or `hyp plugin remove {}`",
                state.name
            ))
        })
        .collect();
    let sound: Vec<&str> =
        states.iter().filter(|it| it.error.is_none()).map(|it| it.name.as_str()).collect();
    if !sound.is_empty() {
        let message = format!("{} load, and are the files that were agreed to", sound.join(", "));
        findings.push(Finding::ok("plugins", message));
    }
    findings
}
