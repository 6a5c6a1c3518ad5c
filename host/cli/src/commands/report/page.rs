//! The page as a whole.

use jiff::civil::Date;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::buckets::{Bucket, Buckets};
use super::chart::{Chart, Part, Scale};
use super::names::Names;
use super::policy::{SCRIPT, STYLE, policy};
use super::shares::{self, cost, money};
use super::{sessions, week};
use crate::commands::figures::{Figures, Usage};
use crate::commands::scope::Scope;
use crate::text;

/// Models with a colour of their own.
const COLOURED: usize = 5;

/// Colours of parts; the last is that of all others.
const CLASSES: [&str; COLOURED + 1] = ["s0", "s1", "s2", "s3", "s4", "s5"];

/// Returns the page as HTML.
///
/// Whatever comes out of the store is escaped by the templates. What is left that could turn or hide text is spelled
/// out in the whole page at its end, so that no part can forget it.
pub(super) fn page(figures: &Figures, scope: &Scope, names: &Names) -> String {
    let buckets = Buckets::of(&figures.days);
    let parts = [
        ("time", "Over time"),
        ("cache", "Cache"),
        ("models", "Models"),
        ("tools", "Tools"),
        ("repositories", "Repositories"),
        ("hours", "Hours"),
        ("sessions", "Sessions"),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { "Coding agents, " (dates(figures)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Coding agents" }
                    p { (dates(figures)) span.soft { " · days of " (figures.timezone) } }
                    @if !scope.words.is_empty() && names.are_real() {
                        p.soft { "Only " (scope.words.join(", ")) }
                    }
                    nav aria-label="Parts of this page" {
                        ul {
                            @for (id, name) in parts {
                                @if id != "sessions" || names.are_real() {
                                    li { a href=(format!("#{id}")) { (name) } }
                                }
                            }
                        }
                    }
                }
                main {
                    (tiles(figures))
                    section #time { (over_time(figures, &buckets)) }
                    section #cache { (cache(figures, &buckets)) }
                    section #models {
                        h2 { "Models" } (shares::models(figures))
                        @if figures.clients.len() > 1 { h3 { "Clients" } (shares::clients(figures)) }
                    }
                    section #tools { h2 { "Tools" } (shares::tools(figures, names)) }
                    section #repositories {
                        h2 { "Repositories" } (shares::repositories(figures, names))
                    }
                    section #hours { h2 { "Hours of the week" } (week::week(figures)) }
                    @if names.are_real() {
                        section #sessions {
                            h2 { "Sessions" } (sessions::list(figures, scope, names))
                        }
                    }
                }
                footer {
                    p {
                        "Made by hyp " (env!("CARGO_PKG_VERSION")) " from the history on one machine. \
                         Copies that forks and resumes left count once. This page loads nothing."
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    text::lines(&page.into_string()).into_owned()
}

/// Returns the first and the last day in words.
fn dates(figures: &Figures) -> String {
    let long = |day: Date| day.strftime("%-d %B %Y").to_string();
    match (figures.days.first(), figures.days.last()) {
        (Some(first), Some(last)) if first.day != last.day => {
            format!("{} to {}", long(first.day), long(last.day))
        }
        (Some(first), _) => long(first.day),
        _ => String::new(),
    }
}

fn tiles(figures: &Figures) -> Markup {
    let tokens = figures.usage.tokens;
    let mut tiles = vec![
        ("Sessions", text::full(figures.sessions)),
        ("Messages", text::count(figures.messages)),
        ("Tool calls", text::count(figures.tool_calls)),
        ("Tokens", text::count(figures.usage.total_tokens)),
        ("Read from cache", format!("{} %", text::percent(tokens.cache_read, tokens.given()))),
        ("Days", text::full(figures.days.len() as u64)),
    ];
    tiles.extend(figures.usage.cost_usd.map(|cost| ("Cost", money(cost))));
    html! {
        dl.tiles { @for (name, value) in &tiles { div { dt { (name) } dd { (value) } } } }
        @if let Some(unpriced @ 1..) = figures.unpriced_tokens {
            p.soft { (text::count(unpriced)) " tokens are of models without a price." }
        }
    }
}

fn over_time(figures: &Figures, buckets: &Buckets) -> Markup {
    let own: Vec<&str> =
        figures.models.iter().take(COLOURED).map(|model| model.name.as_str()).collect();
    let mut parts: Vec<Part> =
        own.iter().zip(CLASSES).map(|(name, class)| part(name, class)).collect();
    let others = figures.models.len().saturating_sub(COLOURED);
    if others > 0 {
        parts.push(part(&format!("{others} more"), CLASSES[COLOURED]));
    }
    let values = |bucket: &Bucket| {
        let of = |name: &&str| bucket.models.get(*name).copied().unwrap_or_default();
        let mut values: Vec<u64> = own.iter().map(of).collect();
        values.push(bucket.usage.total_tokens - values.iter().sum::<u64>());
        values
    };
    let title = format!("Tokens per {}", buckets.step.name());
    let largest = buckets.all.iter().max_by_key(|bucket| bucket.usage.total_tokens);
    let description = largest.map_or_else(String::new, |bucket| {
        let tokens = text::count(bucket.usage.total_tokens);
        format!("Most tokens, {tokens}, are of: {}.", buckets.name(bucket.start))
    });
    chart(
        &Chart {
            id: "time",
            title,
            description,
            buckets,
            parts: &parts,
            values: &values,
            scale: Scale::Largest,
        },
        figures,
    )
}

fn cache(figures: &Figures, buckets: &Buckets) -> Markup {
    let tokens = figures.usage.tokens;
    let parts =
        [part("read from cache", "s0"), part("written to cache", "s1"), part("not cached", "s5")];
    let values = |bucket: &Bucket| {
        let tokens = bucket.usage.tokens;
        vec![tokens.cache_read, tokens.cache_write, tokens.input]
    };
    let description = format!(
        "{} % of what models were given came from a cache.",
        text::percent(tokens.cache_read, tokens.given())
    );
    chart(
        &Chart {
            id: "cache",
            title: format!("Cache: what models were given, per {}", buckets.step.name()),
            description,
            buckets,
            parts: &parts,
            values: &values,
            scale: Scale::Each,
        },
        figures,
    )
}

fn part(name: &str, class: &'static str) -> Part {
    Part { name: name.to_owned(), class }
}

fn chart(chart: &Chart<'_>, figures: &Figures) -> Markup {
    let has_cost = figures.usage.cost_usd.is_some() && chart.scale == Scale::Largest;
    let name = chart.buckets.step.name();
    html! {
        h2 { (chart.title) }
        figure {
            (chart.legend())
            (chart.draw())
            details {
                summary { "As a table" }
                div.scroll role="region" aria-label=(chart.title) tabindex="0" {
                    table.plain {
                        thead {
                            tr {
                                th scope="col" { (name[..1].to_uppercase()) (name[1..]) }
                                th scope="col" { "Messages" }
                                th scope="col" { "Tokens" }
                                @for part in chart.parts { th scope="col" { bdi { (part.name) } } }
                                @if has_cost { th scope="col" { "Cost" } }
                            }
                        }
                        tbody { @for bucket in &chart.buckets.all { (row(chart, bucket, has_cost)) } }
                    }
                }
            }
        }
    }
}

fn row(chart: &Chart<'_>, bucket: &Bucket, has_cost: bool) -> Markup {
    let usage: &Usage = &bucket.usage;
    let values = (chart.values)(bucket);
    let sum = match chart.scale {
        Scale::Largest => usage.total_tokens,
        Scale::Each => values.iter().sum(),
    };
    html! {
        tr {
            th scope="row" { (chart.buckets.name(bucket.start)) }
            td { (text::full(usage.messages)) }
            td { (text::full(sum)) }
            @for (_, value) in chart.parts.iter().zip(values) { td { (text::full(value)) } }
            @if has_cost { td { (cost(usage)) } }
        }
    }
}
