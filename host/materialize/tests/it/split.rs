//! What comes out of a unit does not depend on when it is taken out.

use hyp_materialize::{Counts, Exchange, Produced, Source};
use hyp_model::event::Event;
use proptest::prelude::*;

use crate::events::{message, start};

fn events() -> impl Strategy<Value = Vec<(Event, bool)>> {
    let event = prop_oneof![40 => message(), 1 => start(), 1 => Just(Event::ThreadEnd)];
    let rest = proptest::collection::vec((event, proptest::bool::weighted(0.2)), 0..250);
    (start(), rest).prop_map(|(start, mut rest)| {
        rest.insert(0, (start, false));
        rest
    })
}

fn run(events: &[(Event, bool)], is_split: bool) -> (Produced, Counts) {
    let mut exchange = Exchange::new(Source::default());
    let mut all = Produced::default();
    let mut add = |some: Produced| {
        all.rows.extend(some.rows);
        all.late.extend(some.late);
        for thread in some.threads {
            all.threads.retain(|known| known.thread_id != thread.thread_id);
            all.threads.push(thread);
        }
        all.threads.sort_by(|one, other| one.thread_id.cmp(&other.thread_id));
    };
    for (event, is_taken) in events {
        exchange.push(event.clone()).expect("the thread is small");
        if is_split && *is_taken {
            add(exchange.take());
        }
    }
    let (rest, counts) = exchange.finish();
    add(rest);
    (all, counts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn taking_rows_at_any_time_gives_the_same(events in events()) {
        let (whole, whole_counts) = run(&events, false);
        let (split, split_counts) = run(&events, true);
        prop_assert_eq!(&whole, &split);
        prop_assert_eq!(whole_counts, split_counts);
        prop_assert_eq!(whole.rows.len() as u64, whole_counts.parts);

        let parts: u64 = whole.threads.iter().map(|thread| thread.parts).sum();
        prop_assert_eq!(parts, whole_counts.parts);
        for row in &whole.rows {
            prop_assert!(!row.is_replay || row.usage.is_none());
            prop_assert!(serde_json::from_str::<serde_json::Value>(row.attributes.as_deref().unwrap()).is_ok());
        }
    }

    #[test]
    fn the_tokens_of_a_response_are_counted_once_a_thread(events in events()) {
        let (produced, _) = run(&events, true);
        let mut carriers: Vec<_> = produced
            .rows
            .iter()
            .filter(|row| row.usage.is_some())
            .filter_map(|row| Some((&row.message.thread.head.id, row.message.response_id.as_ref()?)))
            .collect();
        let count = carriers.len();
        carriers.sort();
        carriers.dedup();
        prop_assert_eq!(carriers.len(), count);
    }
}
