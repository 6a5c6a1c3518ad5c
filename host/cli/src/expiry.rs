//! What clients delete by themselves: history that is gone unless it is imported in time.
//!
//! No provider can tell, so what is known of each client is known here.

use std::fs;
use std::path::Path;

use hyp_backfill::Detected;
use serde::Deserialize;

const DAY: i64 = 86_400_000_000;

/// Days ahead that count as soon.
const SOON: u32 = 7;

/// Days that Claude Code keeps a session that nobody goes on with, unless its settings say otherwise.
const CLAUDE_DAYS: u32 = 30;

/// Name of the root of Claude Code's sessions that it clears itself.
const CLAUDE_ROOT: &str = "projects";

/// What a client deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    /// Days after its last use that the client deletes a session.
    pub(crate) after_days: u32,
    /// Sessions that it deletes within [`SOON`] days.
    pub(crate) sessions: u64,
    /// Their size.
    pub(crate) bytes: u64,
}

/// The one setting of Claude Code that counts here.
#[derive(Deserialize)]
struct ClaudeSettings {
    #[serde(rename = "cleanupPeriodDays")]
    cleanup_period_days: Option<u32>,
}

/// Returns what a client deletes by itself; none where it keeps everything, as far as is known.
pub(crate) fn of(client: &Detected, now: i64) -> Option<Expiry> {
    if client.provider != "claude" {
        return None;
    }
    let roots = client.roots.iter().filter(|root| root.ends_with(CLAUDE_ROOT));
    let after_days = roots.map(|root| claude_days(root)).min()?;
    let oldest = now.saturating_sub(i64::from(after_days.saturating_sub(SOON)) * DAY);
    let is_soon = |changed: i64| changed < oldest;
    let soon = client.sessions.iter().filter(|it| it.root == CLAUDE_ROOT && is_soon(it.changed));
    let (sessions, bytes) =
        soon.fold((0, 0), |(count, bytes), session| (count + 1, bytes + session.bytes));
    Some(Expiry { after_days, sessions, bytes })
}

fn claude_days(root: &Path) -> u32 {
    let settings = root.parent().map(|folder| folder.join("settings.json"));
    // Settings that cannot be read are none: the client then goes by its default, too.
    let settings = settings.and_then(|path| fs::read(path).ok());
    let settings = settings.and_then(|text| serde_json::from_slice::<ClaudeSettings>(&text).ok());
    settings.and_then(|settings| settings.cleanup_period_days).unwrap_or(CLAUDE_DAYS)
}

#[cfg(test)]
mod tests {
    use hyp_backfill::DetectedSession;

    use super::*;

    fn client(folder: &Path, provider: &str, days_ago: &[(&str, i64)]) -> Detected {
        let root = folder.join(CLAUDE_ROOT);
        fs::create_dir_all(&root).unwrap();
        Detected {
            provider: provider.to_owned(),
            roots: vec![root],
            sessions: days_ago
                .iter()
                .map(|(root, days)| DetectedSession {
                    root: (*root).to_owned(),
                    bytes: 10,
                    changed: 100 * DAY - days * DAY,
                })
                .collect(),
            ..Detected::default()
        }
    }

    #[test]
    fn claude_deletes_after_what_its_settings_say() {
        let home = tempfile::tempdir().unwrap();
        let ages = [("projects", 1), ("projects", 24), ("projects", 40), ("desktop", 40)];
        let client = client(home.path(), "claude", &ages);
        #[rustfmt::skip]
        let cases = [
            (None,                                Expiry { after_days: 30, sessions: 2, bytes: 20 }),
            (Some(r#"{"cleanupPeriodDays":45}"#), Expiry { after_days: 45, sessions: 1, bytes: 10 }),
            (Some(r#"{"cleanupPeriodDays":99}"#), Expiry { after_days: 99, sessions: 0, bytes: 0 }),
            (Some(r#"{"cleanupPeriodDays":2}"#),  Expiry { after_days: 2,  sessions: 3, bytes: 30 }),
            (Some(r#"{"theme":"dark"}"#),         Expiry { after_days: 30, sessions: 2, bytes: 20 }),
            (Some("{"),                           Expiry { after_days: 30, sessions: 2, bytes: 20 }),
        ];
        for (settings, expected) in cases {
            if let Some(settings) = settings {
                fs::write(home.path().join("settings.json"), settings).unwrap();
            }
            assert_eq!(of(&client, 100 * DAY), Some(expected), "{settings:?}");
        }
    }

    #[test]
    fn of_other_clients_nothing_is_known() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(of(&client(home.path(), "codex", &[("projects", 40)]), 100 * DAY), None);
    }
}
