//! What is kept beside the messages.

use arrow::array::AsArray;
use hyp_model::event::{Fact, Subject};

use super::world::{judged, thread, world};
use crate::{
    Commit, InputState, Listing, Quarantined, RunEnd, RunStart, TABLES, UnitState, table_schema,
};

#[test]
fn what_was_read_is_remembered_with_the_rows() {
    let world = world();
    let mut writer = world.writer("r1");
    writer
        .begin_run(&RunStart { run_id: "r1".into(), started_at: 1, ..Default::default() })
        .unwrap();
    let unit = UnitState {
        provider: "claude".into(),
        unit_id: "u".into(),
        fingerprint: "f".into(),
        since: Some(3),
        ..Default::default()
    };
    let listing = Listing { hash: "h".into(), ..Default::default() };
    let record = Quarantined {
        input_id: "i".into(),
        offset: 7,
        bytes: Some(vec![1, 2]),
        ..Default::default()
    };
    let input = InputState { input_id: "i".into(), size: 9, ..Default::default() };
    let commit = Commit {
        units: vec![unit.clone()],
        inputs: vec![input],
        quarantine: vec![record],
        listing: Some(("claude".into(), listing.clone())),
        ..Commit::default()
    };
    writer.commit(commit.clone()).unwrap();
    writer.commit(commit).unwrap();
    writer
        .end_run(&RunEnd { run_id: "r1".into(), status: "ok".into(), ..Default::default() })
        .unwrap();
    drop(writer);

    assert_eq!(world.store.units("claude").unwrap()["u"], unit);
    assert!(world.store.units("codex").unwrap().is_empty());
    assert_eq!(world.store.listing("claude").unwrap(), Some(listing));
    for (table, rows) in
        [("runs", 1), ("chunks", 2), ("inputs", 1), ("quarantine", 1), ("sessions", 0)]
    {
        let batch = world.store.read_table(table).unwrap();
        assert_eq!(batch.num_rows(), rows, "{table}");
        assert_eq!(batch.schema(), table_schema(table).unwrap());
    }
    assert!(world.store.read_table("units").is_err());
    assert!(TABLES.iter().all(|table| table_schema(table).is_some()));
}

#[test]
fn a_title_reaches_its_session_also_by_way_of_a_message() {
    let world = world();
    let mut writer = world.writer("run");
    let threads = [thread("a", 0, 2), thread("b", 1, 2)];
    let title = |about, value: &str, rank| {
        let fact = Fact { about, name: "title".into(), value: value.into(), rank };
        ("a".to_owned(), fact)
    };
    let mut commit = judged(&mut writer, &threads, &[(0, 0), (0, 1), (1, 0), (1, 1)]).unwrap();
    commit.facts = vec![
        title(Subject::ThisThread, "first", 1),
        title(Subject::ThisThread, "second", 1),
        title(Subject::ThisThread, "weak", 0),
        title(Subject::HolderOf("b-m1".into()), "of b", 0),
    ];
    writer.commit(commit).unwrap();
    writer.end_run(&RunEnd { run_id: "run".into(), ..Default::default() }).unwrap();
    let sessions = world.store.read_table("sessions").unwrap();
    let titles = sessions.column_by_name("title").unwrap().as_string::<i32>();
    assert_eq!(titles.iter().flatten().collect::<Vec<_>>(), ["second", "of b"]);
}
