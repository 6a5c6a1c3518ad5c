//! What is kept beside the messages.

use arrow::array::AsArray;
use hyp_model::event::{Fact, Subject};

use super::world::{Thread, World, judged, thread, world};
use crate::{
    ClientTotal, Commit, InputState, Listing, Quarantined, RunEnd, RunStart, StoreError, TABLES,
    UnitState, table_schema,
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
    let total = |name: &str, value| ClientTotal {
        provider: "claude".into(),
        unit_id: "u".into(),
        thread_id: "t".into(),
        name: name.into(),
        value,
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
        totals: vec![total("input_tokens", 7), total("output_tokens", 1)],
        quarantine: vec![record],
        listing: Some(("claude".into(), listing.clone())),
        ..Commit::default()
    };
    writer.commit(commit.clone()).unwrap();
    let again = Commit { totals: vec![total("input_tokens", 9)], ..commit };
    writer.commit(again).unwrap();
    writer
        .end_run(&RunEnd { run_id: "r1".into(), status: "ok".into(), ..Default::default() })
        .unwrap();
    drop(writer);

    assert_eq!(world.store.units("claude").unwrap()["u"], unit);
    assert!(world.store.units("codex").unwrap().is_empty());
    assert_eq!(world.store.listing("claude").unwrap(), Some(listing));
    for (table, rows) in [
        ("runs", 1),
        ("chunks", 2),
        ("inputs", 1),
        ("quarantine", 1),
        ("counters", 1),
        ("sessions", 0),
    ] {
        let batch = world.store.read_table(table).unwrap();
        assert_eq!(batch.num_rows(), rows, "{table}");
        assert_eq!(batch.schema(), table_schema(table).unwrap());
    }
    assert!(world.store.read_table("units").is_err());
    assert!(TABLES.iter().all(|table| table_schema(table).is_some()));
}

#[test]
fn records_of_several_files_of_a_unit_are_kept_and_forgotten_as_their_file_is_read() {
    let world = world();
    let record = |input, offset| Quarantined {
        input_id: "i".into(),
        input,
        offset,
        bytes: Some(vec![u8::try_from(input).unwrap()]),
        ..Quarantined::default()
    };
    let commit = |from, quarantine: Vec<Quarantined>| {
        let input = InputState { input_id: "i".into(), read_from: from, ..Default::default() };
        let commit = Commit { inputs: vec![input], quarantine, ..Commit::default() };
        world.writer("r").commit(commit).unwrap();
        let kept = world.store.quarantine().unwrap();
        for record in &kept {
            let bytes = world.store.quarantined_bytes(record).unwrap().unwrap();
            assert_eq!(u32::from(bytes[0]), record.input);
        }
        let mut ids: Vec<String> = kept.iter().map(crate::Kept::id).collect();
        ids.sort();
        ids
    };
    let all = vec![record(0, 0), record(0, 9), record(1, 0), record(1, 9), record(2, 0)];
    assert_eq!(commit((0, 0), all), ["i-0", "i-1-0", "i-1-9", "i-2-0", "i-9"]);
    assert_eq!(commit((1, 5), vec![record(1, 7)]), ["i-0", "i-1-0", "i-1-7", "i-9"]);
    assert_eq!(commit((0, 5), vec![]), ["i-0"]);
}

/// Imports threads in a run of its own, with what their recordings say beside the messages.
fn tell(world: &World, threads: &[Thread], facts: Vec<(String, Fact)>) {
    let mut writer = world.writer("run");
    let lines = |at: usize| (0..threads[at].lines.len()).map(move |line| (at, line));
    let rows: Vec<(usize, usize)> = (0..threads.len()).flat_map(lines).collect();
    let commit = Commit { facts, ..judged(&mut writer, threads, &rows).unwrap() };
    writer.commit(commit).unwrap();
    writer.end_run(&RunEnd { run_id: "run".into(), ..Default::default() }).unwrap();
}

fn title(teller: &str, about: Subject, value: &str, rank: u32) -> (String, Fact) {
    (teller.to_owned(), Fact { about, name: "title".into(), value: value.to_owned(), rank })
}

fn titles(world: &World) -> Vec<String> {
    let sessions = world.store.read_table("sessions").unwrap();
    let titles = sessions.column_by_name("title").unwrap().as_string::<i32>();
    titles.iter().flatten().map(str::to_owned).collect()
}

#[test]
fn a_title_reaches_its_session_also_by_way_of_a_message() {
    let world = world();
    let facts = vec![
        title("a", Subject::ThisThread, "first", 1),
        title("a", Subject::ThisThread, "second", 1),
        title("a", Subject::ThisThread, "weak", 0),
        title("a", Subject::HolderOf("b-m1".into()), "of b", 0),
    ];
    tell(&world, &[thread("a", 0, 2), thread("b", 1, 2)], facts);
    assert_eq!(titles(&world), ["second", "of b"]);
}

#[test]
fn of_titles_of_one_rank_that_of_the_later_thread_stands_whichever_is_read_first() {
    for tellers in [[("b", 10), ("c", 20)], [("c", 20), ("b", 10)]] {
        let world = world();
        world.import(&[thread("a", 0, 2)]);
        for (id, began) in tellers {
            let value = format!("as {id} has it");
            let facts = [Subject::HolderOf("a-m1".into()), Subject::Thread("b".into())]
                .map(|about| title(id, about, &value, 1));
            tell(&world, &[thread(id, began, 2)], facts.into());
        }
        assert_eq!(titles(&world), ["as c has it", "as c has it"]);
    }
}

#[test]
fn a_store_of_an_older_version_is_read_until_the_next_run_brings_it_up_to_date() {
    let world = world();
    let path = world.store.catalog_path();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(include_str!("../migrations/0001_create.sql")).unwrap();
    connection.execute("INSERT INTO journal VALUES (1, 'r', 'e', 'd')", []).unwrap();
    let record = "INSERT INTO quarantine VALUES ('i', 'p', 'a', 7, 1, 'c', 'why', x'05', 'r')";
    connection.execute(record, []).unwrap();
    connection.pragma_update(None, "application_id", crate::migrations::APPLICATION_ID).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    drop(connection);

    assert_eq!(world.store.read_table("journal").unwrap().num_rows(), 1);
    let kept = world.store.quarantine().unwrap();
    assert_eq!((kept.len(), kept[0].id().as_str()), (1, "i-7"));
    assert_eq!(world.store.quarantined_bytes(&kept[0]).unwrap(), Some(vec![5]));
    let error = world.store.read_table("counters").unwrap_err();
    assert!(matches!(&error, StoreError::Older { name } if name == "counters"), "{error}");
    drop(world.writer("r1"));
    assert_eq!(world.store.read_table("counters").unwrap().num_rows(), 0);
    assert_eq!(world.store.quarantine().unwrap(), kept);
    assert_eq!(world.store.read_table("journal").unwrap().num_rows(), 1);
}

#[test]
fn a_run_is_ended_whatever_happens_and_the_first_error_is_told() {
    let world = world();
    let mut writer = world.writer("run");
    let start = RunStart { run_id: "run".into(), ..Default::default() };
    let failed = |name| Err::<(), _>(StoreError::Failpoint { name });
    let done = writer.run(
        &start,
        || 7,
        |_, end| {
            end.rows_written = 3;
            failed("work")
        },
    );
    assert!(matches!(done, Err(StoreError::Failpoint { name: "work" })), "{done:?}");
    let read = |column: &str| {
        let sql = format!("SELECT {column} FROM runs");
        writer.catalog.connection.query_row(&sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    assert_eq!(read("status || ' ' || ended_at || ' ' || rows_written"), "failed 7 3");

    let done = writer.run(
        &start,
        || 8,
        |writer, _| {
            writer.catalog.connection.execute("DROP TABLE runs", []).unwrap();
            failed("later")
        },
    );
    assert!(matches!(done, Err(StoreError::Failpoint { name: "later" })), "{done:?}");
}
