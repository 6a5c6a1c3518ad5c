//! The list of sessions, newest first.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::names::Names;
use super::shares::cost;
use crate::commands::figures::{Conversation, Figures};
use crate::commands::scope::Scope;
use crate::{moment, text};

/// Sessions that are listed; more would make the page slow to open.
const LISTED: usize = 2_000;

/// Bytes that their rows may have together.
const BYTES: usize = 1_400_000;

/// Returns the sessions that are listed: the newest.
pub(super) fn listed(figures: &Figures) -> Vec<&Conversation> {
    let mut sessions: Vec<&Conversation> = figures.conversations.iter().collect();
    sessions.sort_by_key(|session| Reverse(session.last));
    sessions.truncate(LISTED);
    sessions
}

/// Returns the list. Roles are spelled out because narrow screens lay the rows out as paragraphs.
pub(super) fn list(figures: &Figures, scope: &Scope, names: &Names) -> Markup {
    let has_cost = figures.usage.cost_usd.is_some();
    let mut rows = Vec::new();
    let mut bytes = 0;
    for session in listed(figures) {
        let row = row(session, scope, names, has_cost);
        bytes += row.0.len();
        if bytes > BYTES {
            break;
        }
        rows.push(row);
    }
    let all = figures.conversations.len();
    html! {
        @if rows.len() < all {
            p.soft {
                "The newest " (text::full(rows.len() as u64)) " of " (text::full(all as u64))
                " sessions."
            }
        }
        form #search hidden role="search" {
            label for="words" { "Filter" }
            input #words type="search" autocomplete="off" spellcheck="false"
                placeholder="title, client, folder, id";
            output #found for="words" role="status" {}
        }
        div.scroll role="region" aria-label="Sessions" tabindex="0" {
            table #list role="table" {
                thead role="rowgroup" {
                    tr role="row" {
                        th role="columnheader" scope="col" data-kind="number" aria-sort="descending" { "Last message" }
                        th role="columnheader" scope="col" data-kind="text" { "Session" }
                        th role="columnheader" scope="col" data-kind="number" { "Messages" }
                        th role="columnheader" scope="col" data-kind="number" { "Tokens" }
                        @if has_cost { th role="columnheader" scope="col" data-kind="number" { "Cost" } }
                    }
                }
                tbody role="rowgroup" { @for row in &rows { (row) } }
            }
        }
        p { button #more type="button" hidden { "Show all" } }
    }
}

fn row(session: &Conversation, scope: &Scope, names: &Names, has_cost: bool) -> Markup {
    let usage = &session.usage;
    html! {
        tr role="row" {
            td role="cell" data-value=(session.last.unwrap_or_default()) {
                time datetime=[session.last.and_then(moment::rfc3339)] {
                    (moment::in_zone(session.last, &scope.zone))
                }
            }
            th role="rowheader" scope="row" {
                bdi { (names.session(&session.session_id)) }
                small {
                    (session.client)
                    @if let Some(repository) = &session.repository {
                        " · " bdi { (names.repository(repository)) }
                    }
                    " · " code { (session.session_id) }
                }
            }
            td role="cell" data-value=(usage.messages) data-unit="messages" { (text::count(usage.messages)) }
            td role="cell" data-value=(usage.total_tokens) data-unit="tokens" { (text::count(usage.total_tokens)) }
            @if has_cost {
                td role="cell" data-value=(usage.cost_usd.unwrap_or_default()) { (cost(usage)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::commands::scope::ScopeArgs;

    #[test]
    fn a_long_list_ends_before_the_page_is_too_large_and_says_so() {
        let session = |n: u32| Conversation {
            session_id: format!("{n:0>36}"),
            client: "claude".to_owned(),
            repository: Some("&".repeat(200)),
            last: Some(i64::from(n)),
            ..Conversation::default()
        };
        let conversations = (0..3_000).map(session).collect();
        let figures = Figures { conversations, ..Figures::default() };
        let title = "\"<>&".repeat(30);
        let titles = figures.conversations.iter().map(|it| (it.session_id.clone(), title.clone()));
        let names = Names::read(Path::new("/home/ada"), titles.collect());
        let Ok(scope) = ScopeArgs::default().read("test") else { panic!("a scope of everything") };
        let html = list(&figures, &scope, &names).into_string();
        assert!(html.len() < BYTES + 2_000, "{}", html.len());
        let rows = html.matches("<tr").count() - 1;
        assert!(rows > 500 && rows < LISTED, "{rows}");
        assert!(
            html.contains(&format!("The newest {} of 3,000 sessions.", text::full(rows as u64)))
        );
    }
}
