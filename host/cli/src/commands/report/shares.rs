//! Who had how much: tables whose rows have bars.

use maud::{Markup, html};

use super::chart::part;
use super::names::Names;
use crate::commands::figures::{Figures, Share, Tool, Usage};
use crate::text;

/// Rows of a table.
const LISTED: usize = 12;

/// Returns the table of models.
pub(super) fn models(figures: &Figures) -> Markup {
    table("Model", &figures.models, figures, |name| name.to_owned())
}

/// Returns the table of clients.
pub(super) fn clients(figures: &Figures) -> Markup {
    table("Client", &figures.clients, figures, |name| name.to_owned())
}

/// Returns the table of repositories.
pub(super) fn repositories(figures: &Figures, names: &Names) -> Markup {
    table("Repository", &figures.repositories, figures, |name| names.repository(name).into_owned())
}

fn table(what: &str, shares: &[Share], figures: &Figures, name: impl Fn(&str) -> String) -> Markup {
    let total = figures.usage.total_tokens;
    let largest = shares.first().map_or(0, |share| share.usage.total_tokens);
    let has_cost = figures.usage.cost_usd.is_some();
    let (listed, rest) = shares.split_at(shares.len().min(LISTED));
    let mut others = Usage::default();
    for share in rest {
        others.add(&share.usage);
    }
    let row = |name: &str, usage: &Usage| {
        let tokens = usage.total_tokens;
        html! {
            tr {
                th scope="row" { bdi { (name) } }
                td { (text::count(tokens)) }
                td.bar { (bar(tokens, largest)) }
                td { (text::percent(tokens, total)) " %" }
                td.wide { (text::count(usage.tokens.output)) }
                @if has_cost { td { (cost(usage)) } }
            }
        }
    };
    html! {
        div.scroll role="region" aria-label=(format!("{what}, tokens")) tabindex="0" {
            table.shares {
                thead {
                    tr {
                        th scope="col" { (what) }
                        th scope="col" { "Tokens" }
                        td.bar {}
                        th scope="col" { "Share" }
                        th.wide scope="col" { "Output" }
                        @if has_cost { th scope="col" { "Cost" } }
                    }
                }
                tbody {
                    @for share in listed { (row(&name(&share.name), &share.usage)) }
                    @if !rest.is_empty() { (row(&format!("{} more", rest.len()), &others)) }
                }
            }
        }
    }
}

/// Returns the table of tools.
pub(super) fn tools(figures: &Figures, names: &Names) -> Markup {
    let tools = merged(&figures.tools, names);
    let largest = tools.first().map_or(0, |tool| tool.calls);
    let (listed, rest) = tools.split_at(tools.len().min(LISTED));
    let others = Tool {
        name: format!("{} more", rest.len()),
        calls: rest.iter().map(|tool| tool.calls).sum(),
        errors: rest.iter().map(|tool| tool.errors).sum(),
    };
    let row = |tool: &Tool| {
        html! {
            tr {
                th scope="row" { bdi { (tool.name) } }
                td { (text::count(tool.calls)) }
                td.bar { (bar(tool.calls, largest)) }
                td { (text::percent(tool.calls, figures.tool_calls)) " %" }
                td { (text::count(tool.errors)) }
            }
        }
    };
    html! {
        @if tools.is_empty() {
            p { "No tool was called." }
        } @else {
            div.scroll role="region" aria-label="Tool, calls" tabindex="0" {
                table.shares {
                    thead {
                        tr {
                            th scope="col" { "Tool" }
                            th scope="col" { "Calls" }
                            td.bar {}
                            th scope="col" { "Share" }
                            th scope="col" { "Failed" }
                        }
                    }
                    tbody {
                        @for tool in listed { (row(tool)) }
                        @if !rest.is_empty() { (row(&others)) }
                    }
                }
            }
        }
    }
}

/// Adds up tools that are called the same on the page.
fn merged(tools: &[Tool], names: &Names) -> Vec<Tool> {
    let mut merged: Vec<Tool> = Vec::new();
    for tool in tools {
        let name = names.tool(&tool.name);
        match merged.iter_mut().find(|known| known.name == name) {
            Some(known) => {
                known.calls += tool.calls;
                known.errors += tool.errors;
            }
            None => merged.push(Tool { name: name.to_owned(), ..*tool }),
        }
    }
    merged.sort_by_key(|tool| std::cmp::Reverse(tool.calls));
    merged
}

fn bar(value: u64, largest: u64) -> Markup {
    html! {
        svg width="100%" height="8" aria-hidden="true" {
            rect.s0 width=(part(value, largest)) height="8" rx="2" {}
        }
    }
}

/// Returns what something costs; what has no price costs nothing that is known.
pub(super) fn cost(usage: &Usage) -> String {
    usage.cost_usd.map_or_else(|| "–".to_owned(), money)
}

/// Returns an amount of money.
pub(super) fn money(amount: f64) -> String {
    format!("${amount:.2}")
}
