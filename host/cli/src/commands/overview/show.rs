//! An overview as people read it: 80 columns, and nothing that needs colour.

use std::fmt::Write;

use jiff::ToSpan;
use jiff::civil::Date;

use super::Overview;
use crate::commands::figures::{Day, Figures, Share, Usage};
use crate::{terminal, text};

/// Rows of each list.
const LISTED: usize = 5;

/// Columns of the widest bar.
const BAR: usize = 24;

/// Days of the line of days.
const SPARK: usize = 52;

/// Days with a line of their own.
const DAYS: usize = 7;

pub(super) fn show(overview: &Overview, is_styled: bool) -> String {
    let figures = &overview.figures;
    if figures.messages == 0 {
        return "Nothing is stored for that yet: `hyp backfill` imports the history on this machine\n"
            .to_owned();
    }
    let heading = |words: &str| terminal::heading(words, is_styled);
    let mut out = String::new();
    let mut dates: Vec<String> = [figures.days.first(), figures.days.last()]
        .into_iter()
        .filter_map(|day| Some(day?.day.to_string()))
        .collect();
    dates.dedup();
    let _ = writeln!(
        out,
        "{}  {}, days of {}",
        heading("OVERVIEW"),
        dates.join(" to "),
        text::line(&figures.timezone)
    );
    if !overview.only.is_empty() {
        let _ = writeln!(out, "  only: {}", text::headline(&overview.only.join(", "), 72));
    }
    let Figures { sessions, messages, tool_calls, .. } = figures;
    let _ = writeln!(
        out,
        "  {}  {}  {}  {}",
        text::counted(*sessions, "session"),
        text::counted(*messages, "message"),
        text::counted(*tool_calls, "tool call"),
        text::counted(figures.days.len() as u64, "day")
    );
    let tokens = figures.usage.tokens;
    let _ = writeln!(
        out,
        "  {} tokens: {} in, {} out, {} cache read, {} cache write{}",
        text::count(tokens.total()),
        text::count(tokens.input),
        text::count(tokens.output),
        text::count(tokens.cache_read),
        text::count(tokens.cache_write),
        cost(&figures.usage)
    );
    if let Some(unpriced @ 1..) = figures.unpriced_tokens {
        let _ = writeln!(out, "  {} tokens are of models without a price", text::count(unpriced));
    }
    for (name, shares) in [
        ("CLIENTS", &figures.clients),
        ("PROVIDERS", &figures.providers),
        ("MODELS", &figures.models),
        ("REPOSITORIES", &figures.repositories),
    ] {
        let _ = writeln!(out, "{}", heading(name));
        bars(&mut out, shares, figures.usage.total_tokens);
    }
    let _ = writeln!(out, "{}", heading("TOKENS PER DAY"));
    days(&mut out, &figures.days);
    let _ = writeln!(out, "{}", heading("TOOLS"));
    let tools: Vec<String> = figures
        .tools
        .iter()
        .take(3 * LISTED)
        .map(|tool| {
            let errors =
                if tool.errors > 0 { format!(" ({} failed)", tool.errors) } else { String::new() };
            format!("{} {}{errors}", text::headline(&tool.name, 24), text::count(tool.calls))
        })
        .collect();
    out.push_str(&terminal::wrap("  ", &tools, Some(terminal::PAPER)));
    let _ = writeln!(out, "{}", heading("LONGEST SESSIONS"));
    for session in &overview.longest_sessions {
        let _ = writeln!(
            out,
            "  {}  {:>6} messages {:>7} tokens  {}",
            session.day,
            text::count(session.messages),
            text::count(session.tokens),
            text::headline(session.title.as_deref().unwrap_or(&session.session_id), 34)
        );
    }
    out
}

fn bars(out: &mut String, shares: &[Share], total: u64) {
    let longest = shares.first().map_or(0, |share| share.usage.total_tokens);
    for share in shares.iter().take(LISTED) {
        let Usage { total_tokens: tokens, .. } = share.usage;
        let line = format!(
            "  {}  {:>6}  {:>3}%  {}{}",
            text::tail_cell(&share.name, 28),
            text::count(tokens),
            text::percent(tokens, total),
            bar(tokens, longest),
            cost(&share.usage)
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if let Some(rest) = shares.get(LISTED..).filter(|rest| !rest.is_empty()) {
        let tokens: u64 = rest.iter().map(|share| share.usage.total_tokens).sum();
        let name = text::tail_cell(&format!("{} more", rest.len()), 28);
        let share = text::percent(tokens, total);
        let _ = writeln!(out, "  {name}  {:>6}  {share:>3}%", text::count(tokens));
    }
}

fn days(out: &mut String, days: &[Day]) {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
    let span = i64::try_from(SPARK - 1).unwrap_or_default();
    let start = last.day.checked_sub(span.days()).map_or(first.day, |day| day.max(first.day));
    let tokens = |day: Date| {
        let found = days.binary_search_by_key(&day, |day| day.day);
        found.map_or(0, |at| days[at].usage.total_tokens)
    };
    let shown: Vec<u64> =
        start.series(1.day()).take_while(|day| *day <= last.day).map(tokens).collect();
    let _ = writeln!(out, "  {}  {start} to {}", spark(&shown), last.day);
    let recent = &days[days.len().saturating_sub(DAYS)..];
    let longest = recent.iter().map(|day| day.usage.total_tokens).max().unwrap_or_default();
    for day in recent {
        let tokens = day.usage.total_tokens;
        let line = format!(
            "  {}  {:>6}  {}{}",
            day.day,
            text::count(tokens),
            bar(tokens, longest),
            cost(&day.usage)
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// Returns a bar; what is not nothing has at least the thinnest one. It is padded only where money follows.
fn bar(value: u64, longest: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = scaled(value, longest, BAR * 8).max(usize::from(value > 0));
    let bar = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
    let room = BAR.saturating_sub(bar.chars().count());
    bar + &" ".repeat(room)
}

/// Returns a character a day, as high as what was used.
fn spark(values: &[u64]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = values.iter().copied().max().unwrap_or_default();
    let height = |value: &u64| match value {
        0 => '·',
        value => HEIGHTS[scaled(*value, highest, 7)],
    };
    values.iter().map(height).collect()
}

fn scaled(value: u64, whole: u64, steps: usize) -> usize {
    if whole == 0 {
        return 0;
    }
    let scaled = u128::from(value) * steps as u128 / u128::from(whole);
    usize::try_from(scaled).unwrap_or(steps).min(steps)
}

fn cost(usage: &Usage) -> String {
    usage.cost_usd.map_or_else(String::new, |cost| format!("  ${cost:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_sparks_are_in_proportion() {
        assert_eq!(bar(16, 16), "█".repeat(BAR));
        assert_eq!(bar(8, 16).trim_end(), "█".repeat(BAR / 2));
        assert_eq!(bar(1, 1_000_000).trim_end(), "▏");
        assert_eq!(bar(0, 0).trim_end(), "");
        assert_eq!(spark(&[0, 1, 4, 8]), "·▁▄█");
        assert_eq!(spark(&[]), "");
    }
}
