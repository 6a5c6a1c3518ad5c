//! A recording that grew and is gone on with gives the rows of one that is read whole.

use std::collections::BTreeMap;

use hyp_materialize::{Exchange, Produced, Source, with_usage};
use hyp_model::event::{Event, Thread};
use hyp_model::judge::ThreadFacts;
use hyp_model::row::Row;
use proptest::prelude::*;

use crate::events::{message, start};

/// Keeps what a store keeps: one row per id, corrected by what is learnt later.
#[derive(Debug, Default, PartialEq)]
struct Store {
    rows: BTreeMap<String, Row>,
    threads: BTreeMap<String, ThreadFacts>,
}

impl Store {
    /// Takes rows; one that is told again replaces what is there.
    fn take(&mut self, produced: Produced) {
        for row in produced.rows {
            self.rows.insert(row.part_id.clone(), row);
        }
        for (id, usage) in produced.late {
            with_usage(self.rows.get_mut(&id).expect("it was handed out"), usage);
        }
        for thread in produced.threads {
            self.threads.insert(thread.thread_id.clone(), thread);
        }
    }
}

/// Reads events into a store, and saves before the one at `cut` if that can be; returns what was saved.
fn read(
    store: &mut Store,
    mut exchange: Exchange,
    events: &[Event],
    cut: usize,
) -> Option<Vec<u8>> {
    let mut saved = None;
    for (at, event) in events.iter().enumerate() {
        if at == cut {
            store.take(exchange.take());
            saved = exchange.save();
        }
        exchange.push(event.clone()).expect("the thread is small");
    }
    store.take(exchange.take());
    store.take(exchange.finish().0);
    saved
}

/// Gives every message an id of its thread alone, as clients do.
fn own_ids(mut events: Vec<Event>) -> Vec<Event> {
    let mut thread = String::new();
    for event in &mut events {
        match event {
            Event::ThreadStart(head) => thread.clone_from(&head.id),
            Event::Message(message) => {
                let own = |id: String| format!("{thread}-{id}");
                message.id = message.id.take().map(own);
                message.response_id = message.response_id.take().map(own);
            }
            _ => {}
        }
    }
    events
}

fn recording() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![60 => message(), 1 => start(), 1 => Just(Event::ThreadEnd)];
    let rest = proptest::collection::vec(event, 1..260);
    let again = proptest::collection::vec((any::<prop::sample::Index>(), 1..8usize), 0..12);
    (start(), rest, again).prop_map(|(start, mut rest, again)| {
        for (number, (from, length)) in again.into_iter().enumerate() {
            repeat(&mut rest, from, length, number);
        }
        rest.insert(0, start);
        own_ids(rest)
    })
}

/// Writes some messages once more, right after themselves and under new ids, as clients do.
fn repeat(events: &mut Vec<Event>, from: prop::sample::Index, length: usize, number: usize) {
    let from = from.index(events.len());
    let end = events.len().min(from + length);
    let mut again = events[from..end].to_vec();
    for (at, event) in again.iter_mut().enumerate() {
        if let Event::Message(message) = event {
            message.id = Some(format!("again-{number}-{at}"));
        }
    }
    events.splice(end..end, again);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn going_on_gives_the_rows_of_the_whole(
        events in recording(),
        cut in any::<prop::sample::Index>(),
        end in any::<prop::sample::Index>(),
        says_end in any::<bool>(),
    ) {
        let cut = cut.index(events.len());
        let end = cut + 1 + end.index(events.len() - cut);
        let mut first = events[..end.min(events.len())].to_vec();
        if says_end {
            first.push(Event::ThreadEnd);
        }

        let mut whole = Store::default();
        read(&mut whole, Exchange::new(Source::default()), &events, usize::MAX);

        let mut grown = Store::default();
        let fresh = Exchange::new(Source::default());
        let Some(saved) = read(&mut grown, fresh, &first, cut) else { return Ok(()) };
        let resumed = Exchange::restore(Source::default(), &saved).expect("it was saved here");
        prop_assert_eq!(resumed.save().map(|bytes| bytes.len()), Some(saved.len()));
        read(&mut grown, resumed, &events[cut..], usize::MAX);

        for (id, row) in &whole.rows {
            prop_assert_eq!(Some(row), grown.rows.get(id));
        }
        prop_assert_eq!(whole.rows.len(), grown.rows.len());
        prop_assert_eq!(whole.threads, grown.threads);
    }
}

#[test]
fn bytes_that_are_no_state_are_refused() {
    let mut exchange = Exchange::new(Source::default());
    let head = Thread { provider: "p".into(), session_id: "s".into(), ..Thread::default() };
    exchange.push(Event::ThreadStart(Box::new(head))).expect("a thread begins");
    let saved = exchange.save().expect("nothing waits");
    assert!(Exchange::restore(Source::default(), &saved).is_some());
    for length in 0..saved.len() {
        assert!(Exchange::restore(Source::default(), &saved[..length]).is_none(), "{length}");
    }
    let longer = [&saved[..], &[0]].concat();
    assert!(Exchange::restore(Source::default(), &longer).is_none());
}
