//! The clients that left history here, as people and programs are told of them.

use hyp_backfill::Detected;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::expiry::{self, Expiry};
use crate::{moment, text};

/// Longest name of a client that is shown.
const TITLE_AT_MOST: usize = 24;

/// A client, and what it deletes by itself.
pub(super) struct Client {
    pub(super) found: Detected,
    pub(super) expiry: Option<Expiry>,
}

/// A client, as the summary tells of it.
#[derive(Debug, Serialize)]
pub(super) struct ClientSummary {
    provider: String,
    title: String,
    sessions: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletes: Option<Deletes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What the client deletes by itself.
#[derive(Debug, Serialize)]
struct Deletes {
    after_days: u32,
    sessions_soon: u64,
    bytes_soon: u64,
}

impl Client {
    pub(super) fn new(found: Detected, now: i64) -> Self {
        Self { expiry: expiry::of(&found, now), found }
    }

    /// Returns the name for people.
    pub(super) fn title(&self) -> String {
        text::headline(&self.found.title, TITLE_AT_MOST)
    }

    /// Says whether there is history of it.
    pub(super) fn is_here(&self) -> bool {
        !self.found.sessions.is_empty()
    }

    /// Returns what will be gone soon, in a sentence.
    pub(super) fn warning(&self) -> Option<String> {
        let expiry = self.expiry.filter(|expiry| expiry.sessions > 0)?;
        let (title, days, bytes) = (self.title(), expiry.after_days, text::bytes(expiry.bytes));
        let all = self.found.sessions.len();
        let which = match expiry.sessions {
            1 => format!("1 of {all} ({bytes}) is"),
            soon => format!("{soon} of {all} ({bytes}) are"),
        };
        Some(format!(
            "{title} deletes a session {days} days after its last use: {which} gone within a week"
        ))
    }

    /// Returns what programs are told.
    pub(super) fn summary(&self) -> ClientSummary {
        let found = &self.found;
        let span = found.span();
        ClientSummary {
            provider: found.provider.clone(),
            title: found.title.clone(),
            sessions: found.sessions.len() as u64,
            bytes: found.bytes(),
            oldest: span.and_then(|(oldest, _)| moment::rfc3339(oldest)),
            newest: span.and_then(|(_, newest)| moment::rfc3339(newest)),
            deletes: self.expiry.map(|expiry| Deletes {
                after_days: expiry.after_days,
                sessions_soon: expiry.sessions,
                bytes_soon: expiry.bytes,
            }),
            error: found.error.clone(),
        }
    }
}

/// Returns a line for each client, in columns, as much of them as there is room for.
pub(super) fn lines(clients: &[&Client], width: usize) -> Vec<String> {
    let columns: Vec<[String; 4]> = clients.iter().map(|client| columns(client)).collect();
    let widest = |at: usize| columns.iter().map(|row| row[at].width()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(widest);
    // Whole columns go, the last first: half a number would be another number.
    let fits = |shown: usize| widths[..shown].iter().sum::<usize>() + 2 * (shown - 1) <= width;
    let shown = (1..=4).rev().find(|shown| fits(*shown)).unwrap_or(1);
    let line = |row: &[String; 4]| {
        let cells = row.iter().zip(widths).take(shown).enumerate().map(|(at, (cell, width))| {
            let room = " ".repeat(width - cell.width());
            if matches!(at, 1 | 2) { format!("{room}{cell}") } else { format!("{cell}{room}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    columns.iter().map(line).collect()
}

fn columns(client: &Client) -> [String; 4] {
    let found = &client.found;
    let sessions = match found.sessions.len() {
        1 => "1 session".to_owned(),
        count => format!("{count} sessions"),
    };
    let days = found.span().map(|(oldest, newest)| [oldest, newest].map(moment::local_day));
    let span = days.map_or_else(String::new, |[oldest, newest]| {
        if oldest == newest { oldest } else { format!("{oldest} to {newest}") }
    });
    [client.title(), sessions, text::bytes(found.bytes()), span]
}

/// Returns names as people list them: `A`, `A and B`, `A, B and C`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use hyp_backfill::DetectedSession;

    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn client(provider: &str, title: &str, days: &[i64]) -> Client {
        let session = |day: &i64| DetectedSession {
            root: "projects".to_owned(),
            bytes: 700 << 10,
            changed: day * DAY,
        };
        let found = Detected {
            provider: provider.to_owned(),
            title: title.to_owned(),
            roots: vec!["/nowhere/projects".into()],
            sessions: days.iter().map(session).collect(),
            ..Detected::default()
        };
        Client::new(found, 20_500 * DAY)
    }

    #[test]
    fn columns_go_whole_where_there_is_no_room() {
        let clients = [
            client("claude", "Claude Code", &[20_499, 20_450, 20_475]),
            client("notes", "No\u{1b}[31mtes\u{202e} of a very long name", &[20_499]),
        ];
        let clients: Vec<&Client> = clients.iter().collect();
        let at = |width| lines(&clients, width).join("\n");
        insta::assert_snapshot!(at(80), @r"
        Claude Code               3 sessions    2.1 MiB  2025-12-28 to 2026-02-15
        No\u{1b}[31mtes\u{202e}…   1 session  700.0 KiB  2026-02-15
        ");
        insta::assert_snapshot!(at(50), @r"
        Claude Code               3 sessions    2.1 MiB
        No\u{1b}[31mtes\u{202e}…   1 session  700.0 KiB
        ");
        insta::assert_snapshot!(at(10), @r"
        Claude Code
        No\u{1b}[31mtes\u{202e}…
        ");
    }

    #[test]
    fn what_a_client_deletes_soon_is_a_sentence() {
        let warning = |days: &[i64]| client("claude", "Claude Code", days).warning();
        assert_eq!(warning(&[20_499]), None);
        insta::assert_snapshot!(warning(&[20_499, 20_476]).unwrap(), @"Claude Code deletes a session 30 days after its last use: 1 of 2 (700.0 KiB) is gone within a week");
        insta::assert_snapshot!(warning(&[20_470, 20_400]).unwrap(), @"Claude Code deletes a session 30 days after its last use: 2 of 2 (1.4 MiB) are gone within a week");
    }

    #[test]
    fn names_are_listed_as_people_do() {
        let names = ["A", "B", "C"].map(str::to_owned);
        let listed = [1, 2, 3].map(|count| listed(&names[..count]));
        assert_eq!(listed, ["A", "A and B", "A, B and C"]);
    }
}
