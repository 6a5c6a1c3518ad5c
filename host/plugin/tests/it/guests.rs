//! Guests that behave, and one for each way in which a guest may not.

use std::time::Duration;

use crate::bench::{self, Bench, line};
use hyp_model::Explain;
use hyp_model::event::{Content, Event};
use hyp_plugin::{Compression, Host, Limits, LoadError, RunError, Source, digest_of};

/// Reads one file of two lines with a guest that fails at it.
fn failure(guest: &str, limits: Limits) -> RunError {
    let bench = Bench::new(guest, limits);
    let lent = bench.file("a.jsonl", [line(1), line(2)].concat().as_bytes());
    let error = bench.scan(&[lent]).unwrap_err();
    assert!(error.to_string().contains(guest), "{error}");
    error
}

fn quick() -> Limits {
    Limits { advance_deadline: Duration::from_millis(400), ..Limits::default() }
}

#[test]
fn a_good_guest_says_what_it_found() {
    let bench = Bench::new("good", Limits::default());
    let text = [line(1), line(2)].concat();
    let (events, report) = bench.scan(&[bench.file("a.jsonl", text.as_bytes())]).unwrap();

    let [
        Event::ThreadStart(thread),
        Event::Message(first),
        Event::Message(second),
        Event::ThreadEnd,
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((thread.id.as_str(), thread.client.as_str()), ("a", "guest"));
    assert_eq!((first.id.as_deref(), second.id.as_deref()), (Some("m1"), Some("m2")));
    assert!(matches!(&first.parts[0].content, Content::Text(text) if text.value == "hello 1"));
    assert_eq!(first.created_at, Some(1_767_225_601_000_000));
    assert_eq!(second.span.offset, line(1).len() as u64);
    assert_eq!(report.inputs.len(), 1);
    let input = &report.inputs[0];
    let size = text.len() as u64;
    assert_eq!((input.bytes_read, input.claimed), (size, size));
    assert!(input.opened && input.ended && input.failed.is_none() && !report.stopped);
    assert!(report.bytes_emitted > 0);
}

#[test]
fn what_a_guest_says_of_itself_is_known() {
    let bench = Bench::new("good", Limits::default());
    let description = bench.plugin.description();
    assert_eq!(description.name, "good");
    assert_eq!(description.kinds, ["ai_gateway.projected_exchange"]);
    assert_eq!(description.roots[0].globs, ["*.jsonl"]);
}

#[test]
fn a_plan_is_a_unit_a_file() {
    let bench = Bench::new("good", Limits::default());
    let entries = [bench.file("a.jsonl", b""), bench.file("b.jsonl", b"")];
    let mut notes = Vec::new();
    let plan = bench.plugin.plan(&entries, &mut notes).unwrap();
    let inputs: Vec<_> = plan.units.iter().map(|unit| unit.inputs.as_slice()).collect();
    assert_eq!(inputs, [&[0][..], &[1]]);
}

#[test]
fn packed_files_are_read_like_others() {
    let bench = Bench::new("good", Limits::default());
    let text: String = (0..2000).map(line).collect();
    let plain = bench.file("a.jsonl", text.as_bytes());
    let mut zstd = bench.file("a.jsonl", &zstd::encode_all(text.as_bytes(), 3).unwrap());
    zstd.compression = Compression::Zstd;
    let mut gzip = bench.file("a.jsonl", &bench::gzip(text.as_bytes()));
    gzip.compression = Compression::Gzip;

    let expected = bench.scan(&[plain]).unwrap();
    assert_eq!(expected.1.inputs[0].bytes_read, text.len() as u64);
    for packed in [zstd, gzip] {
        let (events, report) = bench.scan(&[packed]).unwrap();
        assert_eq!(events, expected.0);
        assert_eq!(report.inputs, expected.1.inputs);
    }
}

#[test]
fn a_damaged_stream_gives_what_came_before_the_damage() {
    let bench = Bench::new("good", Limits::default());
    let text: String = (0..20_000).map(line).collect();
    let packed = bench::gzip(text.as_bytes());
    let mut lent = bench.file("a.jsonl", &packed[..packed.len() / 2]);
    lent.compression = Compression::Gzip;
    let mut seen = 0;
    let outcome = bench.scan_with(&[lent], |events| seen += events.len());
    assert!(seen > 1000, "{seen} events, {outcome:?}");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_not_followed() {
    let bench = Bench::new("good", Limits::default());
    let mut lent = bench.file("a.jsonl", line(1).as_bytes());
    let link = lent.file.with_file_name("link");
    std::os::unix::fs::symlink(&lent.file, &link).unwrap();
    lent.file = link;
    let mut seen = 0;
    let outcome = bench.scan_with(&[lent], |events| {
        seen += events.iter().filter(|event| matches!(event, Event::Message(_))).count();
    });
    assert_eq!(seen, 0, "{outcome:?}");
}

#[test]
fn a_line_longer_than_a_record_is_reported_with_its_head() {
    let limits = Limits { record_bytes: 4 * 1024, ..Limits::default() };
    let bench = Bench::new("good", limits);
    let long = format!("{}\n", "x".repeat(1_000_000));
    let text = [line(1), long.clone(), line(2)].concat();
    let (events, report) = bench.scan(&[bench.file("a.jsonl", text.as_bytes())]).unwrap();
    let input = &report.inputs[0];
    assert_eq!(input.bytes_read, text.len() as u64);
    assert_eq!(input.claimed, input.bytes_read);
    let [passed] = &input.long_lines[..] else { panic!("{input:?}") };
    assert_eq!((passed.offset, passed.length), (line(1).len() as u64, long.len() as u64));
    assert_eq!(passed.head, vec![b'x'; 4096]);
    assert!(events.iter().any(|event| matches!(event, Event::Failure(_))));
}

#[test]
fn a_crash_tells_what_the_guest_said_and_where() {
    let error = failure("trap", Limits::default());
    assert_eq!(error.code(), "hyp::plugin::trap");
    assert!(error.to_string().contains("guest says hello"), "{error}");
    assert_eq!(error.backtrace(), ["hyp:backfill/provider@0.1.2#[method]scan.advance"]);
    assert!(error.help().unwrap().contains("author"));
}

#[test]
fn a_guest_that_spins_is_stopped() {
    assert_eq!(failure("spin", quick()).code(), "hyp::plugin::deadline");
}

#[test]
fn a_guest_that_hogs_memory_is_stopped() {
    let limits = Limits { memory: 16 * 1024 * 1024, ..Limits::default() };
    let error = failure("hog", limits);
    assert_eq!(error.code(), "hyp::plugin::memory");
    assert!(matches!(error, RunError::Memory { limit: 16_777_216, .. }), "{error:?}");
}

#[test]
fn a_guest_that_floods_is_stopped() {
    let limits = Limits { output_bytes: 1024 * 1024, ..Limits::default() };
    let error = failure("flood", limits);
    assert_eq!(error.code(), "hyp::plugin::output");
    assert!(error.to_string().contains("bytes of this unit"), "{error}");
}

#[test]
fn a_guest_that_emits_other_kinds_is_stopped() {
    let error = failure("undeclared-kind", Limits::default());
    assert_eq!(error.code(), "hyp::plugin::undeclared_kind");
    assert!(error.to_string().contains("`guests.undeclared`"), "{error}");
}

#[test]
fn a_guest_that_lies_about_bytes_is_stopped() {
    #[rustfmt::skip]
    let cases = [
        ("beyond.jsonl",    "holds bytes that the guest was not given"),
        ("backwards.jsonl", "shares bytes with the span before it"),
        ("gap.jsonl",       "starts before the span before it"),
    ];
    let bench = Bench::new("lying-ids", Limits::default());
    for (name, reason) in cases {
        let lent = bench.file(name, [line(1), line(2)].concat().as_bytes());
        let error = bench.scan(&[lent]).unwrap_err();
        assert_eq!(error.code(), "hyp::plugin::accounting", "{name}: {error}");
        assert!(error.to_string().contains(reason), "{name}: {error}");
    }
}

#[test]
fn a_guest_of_another_contract_is_refused() {
    let error = bench::load("wrong-version", Limits::default()).unwrap_err();
    assert!(matches!(&error, LoadError::Contract { wanted, .. } if wanted == "0.9.0"), "{error}");
}

#[test]
fn the_providers_that_come_with_the_program_are_taken() {
    for name in ["claude", "codex", "cursor", "gemini", "opencode", "pi", "qwen"] {
        let path = bench::providers().join(format!("{name}.wasm"));
        let digest = digest_of(&std::fs::read(&path).unwrap());
        let host = Host::new(None, Limits::default()).unwrap();
        let plugin = host.load(Source::File { path, digest }).unwrap();
        assert_eq!(plugin.description().name, name);
        assert!(plugin.plan(&[], &mut Vec::new()).unwrap().units.is_empty());
    }
}
