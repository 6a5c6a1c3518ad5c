//! Rows that come again from where they came from, and say something else.

use super::copies::resumed;
use super::world::{Thread, thread, world};

#[test]
fn a_row_that_is_read_otherwise_is_replaced_and_one_that_is_not_is_left() {
    let world = world();
    let mut thread = thread("a", 0, 4);
    world.import(std::slice::from_ref(&thread));
    thread.lines[2].text = "understood now".into();
    let done = world.import(std::slice::from_ref(&thread));
    assert_eq!((done.rows, done.superseded), (1, 1));
    assert_eq!(world.table()["a-m2#0"]["content_text"], "understood now");
    let done = world.import(&[thread]);
    assert_eq!((done.rows, done.superseded), (0, 0), "the second time it is stored already");
    assert_eq!(world.store.read_table("sightings").unwrap().num_rows(), 0);
}

#[test]
fn what_the_store_found_out_itself_is_no_other_content() {
    let world = world();
    let original = thread("a", 0, 4);
    let mut copy = thread("b", 100, 4);
    for (copy, original) in copy.lines.iter_mut().zip(&original.lines) {
        copy.text.clone_from(&original.text);
        copy.response_id.clone_from(&original.response_id);
    }
    world.import(std::slice::from_ref(&copy));
    world.import(&[original]);
    let done = world.import(std::slice::from_ref(&copy));
    assert_eq!((done.rows, done.superseded), (0, 0));

    copy.lines[1].tokens = Some(12);
    let done = world.import(std::slice::from_ref(&copy));
    assert_eq!((done.rows, done.superseded), (0, 1), "tokens are corrected in place");
    let row = &world.table()["b-m1#0"];
    assert_eq!(row["attributes"], r#"{"a":1,"usage_as_written":{"output_tokens":12}}"#);
    assert_eq!((&*row["is_replay"], &*row["output_tokens"]), ("true", ""));
}

#[test]
fn a_copy_that_the_store_found_may_say_so_itself_later() {
    let world = world();
    let original = |at| thread("a", at, 4);
    let mut copy = resumed("b", 100, &original(0));
    world.import(&[original(0), copy.clone()]);
    assert_eq!(world.table()["b-a-m1#0"]["replay_of"], "a-m1#0");
    copy.lines.iter_mut().for_each(|line| line.is_marked = true);
    world.import(std::slice::from_ref(&copy));
    assert_eq!(world.import(&[copy]).superseded, 0, "its word is known");
    world.import(&[original(200)]);
    assert_eq!(world.table()["b-a-m1#0"]["is_replay"], "true");
}

#[test]
fn a_row_of_another_recording_is_no_other_content() {
    let world = world();
    let original = thread("a", 0, 2);
    let mut fork = Thread { lines: original.lines.clone(), ..thread("b", 100, 0) };
    fork.lines[0].text = "cut short".into();
    world.import(&[original]);
    let done = world.import(&[fork]);
    assert_eq!((done.rows, done.superseded), (0, 0));
    assert_eq!(world.table()["a-m0#0"]["content_text"], "a says 0");
}
