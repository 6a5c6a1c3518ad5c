//! Sums by what messages have in common.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::groups::Group;
use super::{Conversation, Day, Share, Usage};
use crate::commands::scope::Scope;

/// What nobody named.
const UNKNOWN: &str = "unknown";

/// Usage by name.
#[derive(Debug, Default)]
pub(super) struct ByName(BTreeMap<String, Usage>);

impl ByName {
    fn add(&mut self, name: Option<&str>, usage: &Usage) {
        // Prompts have no model, so what has neither a name nor tokens is of nobody.
        if name.is_some() || usage.total_tokens > 0 {
            self.0.entry(name.unwrap_or(UNKNOWN).to_owned()).or_default().add(usage);
        }
    }

    /// Returns the shares, the largest first.
    pub(super) fn shares(self) -> Vec<Share> {
        let share = |(name, usage)| Share { name, usage };
        let mut shares: Vec<Share> = self.0.into_iter().map(share).collect();
        shares.sort_by_key(|share| Reverse(share.usage.total_tokens));
        shares
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) usage: Usage,
    pub(super) unpriced: u64,
    pub(super) tool_calls: u64,
    pub(super) clients: ByName,
    pub(super) providers: ByName,
    pub(super) models: ByName,
    pub(super) repositories: ByName,
    pub(super) days: BTreeMap<Date, Day>,
    pub(super) hours_of_week: [[u64; 24]; 7],
    sessions: BTreeMap<String, Conversation>,
}

impl Sums {
    /// Adds the messages of a group.
    pub(super) fn add(&mut self, group: &Group<'_>, scope: &Scope) {
        let tokens = group.tokens;
        let model = group.model.unwrap_or(UNKNOWN);
        let prices = scope.prices.as_ref();
        let cost_usd = prices.and_then(|prices| prices.cost(model, &tokens));
        if prices.is_some() && cost_usd.is_none() {
            self.unpriced += tokens.total();
        }
        let total_tokens = tokens.total();
        let usage = Usage { messages: group.messages, tokens, total_tokens, cost_usd };
        self.usage.add(&usage);
        self.tool_calls += group.calls;
        self.clients.add(group.client, &usage);
        self.providers.add(group.provider, &usage);
        self.models.add(group.model, &usage);
        self.repositories.add(group.repository, &usage);
        if let Some(at) = group.quarter.and_then(|at| local(at, &scope.zone)) {
            self.add_to_day(at, model, &usage);
        }
        self.add_to_session(group, &usage);
    }

    fn add_to_day(&mut self, at: DateTime, model: &str, usage: &Usage) {
        let new = || Day { day: at.date(), usage: Usage::default(), models: BTreeMap::new() };
        let day = self.days.entry(at.date()).or_insert_with(new);
        day.usage.add(usage);
        if usage.total_tokens > 0 {
            *day.models.entry(model.to_owned()).or_default() += usage.total_tokens;
        }
        let weekday = usize::try_from(at.date().weekday().to_monday_zero_offset());
        let hour = usize::try_from(at.hour());
        if let (Ok(weekday), Ok(hour)) = (weekday, hour) {
            self.hours_of_week[weekday][hour] += usage.messages;
        }
    }

    fn add_to_session(&mut self, group: &Group<'_>, usage: &Usage) {
        let new = || Conversation {
            session_id: group.session_id.to_owned(),
            client: group.client.unwrap_or(UNKNOWN).to_owned(),
            ..Conversation::default()
        };
        let session = self.sessions.entry(group.session_id.to_owned()).or_insert_with(new);
        // A session is where it began.
        if session.repository.is_none() || group.first < session.first {
            let repository = group.repository.map(str::to_owned);
            session.repository = repository.or(session.repository.take());
        }
        session.first = [session.first, group.first].into_iter().flatten().min();
        session.last = session.last.max(group.last);
        session.usage.add(usage);
    }

    /// Takes the sessions, those with the most messages first.
    pub(super) fn conversations(&mut self) -> Vec<Conversation> {
        let mut all: Vec<_> = std::mem::take(&mut self.sessions).into_values().collect();
        all.sort_by_key(|session| Reverse(session.usage.messages));
        all
    }
}

fn local(micros: i64, zone: &TimeZone) -> Option<DateTime> {
    Some(Timestamp::from_microsecond(micros).ok()?.to_zoned(zone.clone()).datetime())
}
