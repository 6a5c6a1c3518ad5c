//! What `hyp init` asks before anything is written: whose history, from when on, kept for how long.

use super::clients::{Client, lines};
use crate::config::{Config, Wish, Wishes};
use crate::moment::{self, Edge};
use crate::prompt::{self, Choice, MARGIN, Unanswered};
use crate::{terminal, text};

/// An answer that is worked out further.
#[derive(Clone, PartialEq, Eq)]
enum Pick {
    AsItIs,
    Everything,
    Days(u32),
    Other,
}

/// Asks what flags left open, and returns all that is wished for.
pub(super) fn ask(
    clients: &[Client],
    old: Option<&Config>,
    flags: &Wishes,
    now: i64,
) -> Result<Wishes, Unanswered> {
    let mut wishes = flags.clone();
    if let Some(old) = old
        && wishes.is_content()
        && keeps(old)?
    {
        return Ok(wishes);
    }
    if wishes.clients == Wish::AsItIs {
        wishes.clients = whose(clients, old)?;
    }
    if wishes.since == Wish::AsItIs && clients.iter().any(Client::is_here) {
        wishes.since = from_when(clients, old, now)?;
    }
    if wishes.keep_days == Wish::AsItIs {
        wishes.keep_days = how_long(old)?;
    }
    Ok(wishes)
}

/// Asks whether settings that are there stay as they are.
fn keeps(old: &Config) -> Result<bool, Unanswered> {
    let clients = match &old.import.clients {
        None => "every client".to_owned(),
        Some(names) => names.join(", "),
    };
    let since = match old.import.since {
        None => "everything".to_owned(),
        Some(since) => format!("from {} on", moment::local_day(since.0)),
    };
    let days = match old.retention.ai_gateway_messages {
        None => "kept for ever".to_owned(),
        Some(days) => format!("kept for {} days", days.0),
    };
    let choices = [
        Choice::new(true, format!("Keep them: {clients}, {since}, {days}")),
        Choice::new(false, "Change them"),
    ];
    prompt::one("There are settings already", &choices)
}

fn whose(clients: &[Client], old: Option<&Config>) -> Result<Wish<Vec<String>>, Unanswered> {
    let here: Vec<&Client> = clients.iter().filter(|client| client.is_here()).collect();
    if here.is_empty() {
        return Ok(Wish::AsItIs);
    }
    let width = terminal::talk_width().saturating_sub(MARGIN);
    let choices: Vec<_> = here
        .iter()
        .zip(lines(&here, width))
        .map(|(client, line)| Choice::new(client.found.provider.clone(), line))
        .collect();
    let enabled = old.and_then(|old| old.import.clients.as_ref());
    let picked = prompt::several(
        "Whose history should be imported? (Space picks, Enter goes on)",
        &choices,
        |name| enabled.is_none_or(|enabled| enabled.contains(name)),
    )?;
    // Whoever wants all there are wants those to come, too.
    Ok(if picked.len() == here.len() { Wish::Default } else { Wish::Is(picked) })
}

fn from_when(
    clients: &[Client],
    old: Option<&Config>,
    now: i64,
) -> Result<Wish<String>, Unanswered> {
    let sessions = |since: Option<i64>| {
        let all = clients.iter().flat_map(|client| &client.found.sessions);
        let count =
            all.filter(|session| since.is_none_or(|since| session.changed >= since)).count();
        text::counted_full(count as u64, "session")
    };
    let mut choices = Vec::new();
    if let Some(since) = old.and_then(|old| old.import.since) {
        choices.push(Choice::new(
            Pick::AsItIs,
            format!("From {} on, as it is", moment::local_day(since.0)),
        ));
    }
    choices.push(Choice::new(Pick::Everything, format!("Everything: {}", sessions(None))));
    for days in [90, 30] {
        let since = moment::days_before(now, days);
        let label = format!("The last {days} days: {}", sessions(Some(since)));
        choices.push(Choice::new(Pick::Days(days), label));
    }
    choices.push(Choice::new(Pick::Other, "From a certain day on"));
    Ok(match prompt::one("Import how far back?", &choices)? {
        Pick::AsItIs => Wish::AsItIs,
        Pick::Everything => Wish::Default,
        Pick::Days(days) => Wish::Is(moment::local_day(moment::days_before(now, days))),
        Pick::Other => Wish::Is(prompt::text("Which day?", "2026-01-31", |text| {
            let at = moment::parse(text, Edge::Start, &jiff::tz::TimeZone::system());
            at.map(drop).ok_or_else(|| "A day is written 2026-01-31".to_owned())
        })?),
    })
}

fn how_long(old: Option<&Config>) -> Result<Wish<u32>, Unanswered> {
    let mut choices = Vec::new();
    if let Some(days) = old.and_then(|old| old.retention.ai_gateway_messages) {
        choices.push(Choice::new(Pick::AsItIs, format!("{} days, as it is", days.0)));
    }
    choices.push(Choice::new(Pick::Everything, "For ever"));
    choices.push(Choice::new(Pick::Days(365), "A year"));
    choices.push(Choice::new(Pick::Days(90), "90 days"));
    choices.push(Choice::new(Pick::Other, "A certain number of days"));
    Ok(match prompt::one("Keep imported messages for how long?", &choices)? {
        Pick::AsItIs => Wish::AsItIs,
        Pick::Everything => Wish::Default,
        Pick::Days(days) => Wish::Is(days),
        Pick::Other => {
            let days = |text: &str| text.parse().ok().filter(|days: &u32| *days > 0);
            let text = prompt::text("How many days?", "180", move |text| {
                days(text).map(drop).ok_or_else(|| "A number from 1 on is wanted".to_owned())
            })?;
            days(&text).map_or(Wish::AsItIs, Wish::Is)
        }
    })
}
