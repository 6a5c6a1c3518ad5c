//! Units that are gone on with from a checkpoint.

use hyp_model::event::Event;
use hyp_plugin::{Checkpoint, Limits, RunError};

use crate::bench::{Bench, line};

/// A file that is large enough for checkpoints.
fn large() -> String {
    (0..80_000).map(line).collect()
}

fn messages<'e>(events: impl Iterator<Item = &'e Event>) -> Vec<Event> {
    events.filter(|event| matches!(event, Event::Message(_))).cloned().collect()
}

#[test]
fn from_a_checkpoint_on_only_what_comes_after_it_is_read() {
    let bench = Bench::new("good", Limits::default());
    let mut text = large();
    let (pages, report) = bench.scan_from(&[bench.file("a.jsonl", text.as_bytes())], None).unwrap();
    assert_eq!(report.inputs[0].bytes_read, text.len() as u64);
    let with_checkpoint = |page: usize| pages[page].checkpoint.clone().map(|found| (page, found));
    let (page, checkpoint) = (0..pages.len()).rev().find_map(with_checkpoint).unwrap();
    assert_eq!(checkpoint.input, 0);
    assert!(text[..checkpoint.offset as usize].ends_with('\n'));
    let first = pages.iter().position(|page| page.checkpoint.is_some()).unwrap();
    let before = messages(pages[..=first].iter().flat_map(|page| &page.events));
    assert!(before.len() > 40_000, "small units have none: {}", before.len());

    text.push_str(&line(80_000));
    let grown = [bench.file("a.jsonl", text.as_bytes())];
    let (rest, report) = bench.scan_from(&grown, Some(&checkpoint)).unwrap();
    assert_eq!(report.inputs[0].bytes_read, text.len() as u64 - checkpoint.offset);
    assert_eq!(report.inputs[0].claimed, report.inputs[0].bytes_read);
    let mut found = messages(pages[..=page].iter().flat_map(|page| &page.events));
    found.extend(messages(rest.iter().flat_map(|page| &page.events)));
    assert_eq!(found, messages(bench.scan(&grown).unwrap().0.iter()));
}

#[test]
fn what_lies_before_a_checkpoint_is_not_lent() {
    let bench = Bench::new("good", Limits::default());
    let lent = [bench.file("a.jsonl", large().as_bytes())];
    let (pages, _) = bench.scan_from(&lent, None).unwrap();
    let checkpoint = pages.into_iter().find_map(|page| page.checkpoint).unwrap();
    let cases = [
        Checkpoint { offset: checkpoint.offset + 1, ..checkpoint.clone() },
        Checkpoint { input: 1, ..checkpoint.clone() },
        Checkpoint { state: vec![1, 2, 3], ..checkpoint },
    ];
    for case in cases {
        let mut seen = 0;
        let unit = crate::bench::unit(&lent);
        let error = bench
            .plugin
            .worker()
            .scan(&unit, Some(&case), &std::sync::atomic::AtomicBool::new(false), &mut |_| {
                seen += 1;
                Ok(())
            })
            .unwrap_err();
        assert!(matches!(error, RunError::Fault { .. }), "{error}");
        assert_eq!(seen, 0, "it fails before anything is emitted");
    }
}
