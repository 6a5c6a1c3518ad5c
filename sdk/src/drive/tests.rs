//! Lines in, events out: as clients leave them, and as crashes leave them.

use super::*;
use crate::testkit::{UnitRun, run_files};
use crate::{
    Candidate, Counter, Description, Entry, FailureClass, Message, Part, Provider, Record, Root,
};

/// Emits objects with `t`, skips objects with `s`, and knows nothing else.
struct Probe;

crate::register!(Probe);

impl Provider for Probe {
    type Scan = Words;

    fn description() -> Description {
        Description::new("probe", "Probe", "1")
            .root(Root::new("files", Candidate::Home(".probe".into())).glob("**/*"))
    }

    fn open(_: &str, entries: &[Entry], _: &[u8]) -> Result<Words, Fault> {
        Ok(Words {
            reading: entries.iter().map(|entry| reading(&entry.path)).collect(),
            records: 0,
        })
    }

    fn resume(unit: &str, entries: &[Entry], context: &[u8], state: &[u8]) -> Option<Words> {
        let records = u64::from_le_bytes(state.try_into().ok()?);
        Some(Words { records, ..Self::open(unit, entries, context).ok()? })
    }
}

fn reading(path: &str) -> Reading {
    match path.rsplit('.').next() {
        Some("json") => Reading::Document,
        Some("bin") => Reading::Unread,
        _ => Reading::Lines,
    }
}

struct Words {
    reading: Vec<Reading>,
    records: u64,
}

impl Scan for Words {
    fn reading(&self, input: u32) -> Reading {
        self.reading[input as usize]
    }

    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        self.records += 1;
        assert_eq!(record.bytes, record.json.raw().as_bytes());
        if let Some(text) = record.json.get("t").and_then(|text| text.text()) {
            let mut message = Message::new(record.span, "user");
            message.parts.push(Part::text(text));
            out.message(message);
        } else if let Some(kind) = record.json.get("s").and_then(|kind| kind.str()) {
            out.skip(record.span, &kind);
        }
    }

    fn save(&self) -> Option<Vec<u8>> {
        Some(self.records.to_le_bytes().to_vec())
    }

    fn counters(&self) -> Vec<Counter> {
        vec![Counter { thread_id: String::new(), name: "records".into(), value: self.records }]
    }
}

fn read(text: &str) -> UnitRun {
    run_files::<Probe>(&[("a.jsonl", text)]).units.remove(0)
}

/// Says in short what came: `M0+9` a message, `S0+9x2:kind` skips, `F0+9:reason` a failure.
fn brief(run: &UnitRun) -> String {
    let word = |event: &Event| match event {
        Event::Message(it) => format!("M{}+{}", it.span.offset, it.span.length),
        Event::Skip(it) => {
            format!("S{}+{}x{}:{}", it.span.offset, it.span.length, it.count, it.kind)
        }
        Event::Failure(it) => format!("F{}+{}:{}", it.span.offset, it.span.length, it.reason),
        other => format!("{other:?}"),
    };
    run.events.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_byte_of_a_line_is_accounted_for() {
    #[rustfmt::skip]
    let cases = [
        ("",                                "nothing"),
        ("{\"t\":\"a\"}\n",                 "M0+10"),
        ("{\"t\":\"a\"}",                   "M0+9"),
        ("{\"t\":\"a\"}\r\n{\"t\":\"b\"}",  "M0+11 M11+9"),
        (" {\"t\":\"a\"} \n",               "M0+12"),
        ("{\"t\":\"a\"}{\"t\":\"b\"}\n",    "M0+9 M9+10"),
        ("{\"t\":\"a\"} {\"t\":\"b\"} \n",  "M0+9 M9+12"),
        ("{\"s\":\"k\"}\n{\"s\":\"k\"}\n",  "S0+20x2:k"),
        ("{\"s\":\"k\"}\n{\"s\":\"l\"}\n",  "S0+10x1:k S10+10x1:l"),
        ("\n \r\n\t\n",                     "S0+6x3:blank"),
        ("\0\0\0\n",                        "S0+4x1:blank"),
        ("\0\0{\"t\":\"a\"}\n",             "S0+2x1:blank M2+10"),
        ("\u{feff}{\"t\":\"a\"}\n",         "M0+13"),
        ("\u{feff}\n",                      "S0+4x1:blank"),
        ("\n\u{feff}{\"t\":\"a\"}\n",       "S0+1x1:blank F1+13:not JSON"),
        ("{\"type\":\"new\"}\n",            "F0+15:new"),
        ("{}\n",                            "F0+3:record without a type"),
        ("[1]\n",                           "F0+4:record without a type"),
        ("17\n",                            "F0+3:record without a type"),
        ("17}\n",                           "F0+4:text between records"),
        ("{\"t\":\"a\"}garbage\n",          "M0+9 F9+8:not JSON"),
        ("{\"t\":\"a\n{\"t\":\"b\"}\n",     "F0+8:cut off M8+10"),
        ("{\"t\":\"a\u{1}\"}\n",            "F0+11:not JSON"),
    ];
    for (text, expect) in cases {
        let run = read(text);
        let got = brief(&run);
        assert_eq!(got, if expect == "nothing" { "" } else { expect }, "{text:?}");
    }
}

#[test]
fn a_torn_line_is_taken_up_where_a_record_begins() {
    let whole = r#"{"type":"user","t":"b"}"#;
    #[rustfmt::skip]
    let heads = [
        r#"{"type":"user","t":"a lon"#,
        r#"{"type":"us"#,
        r#"{"type":"user","t":"a \"#,
        r#"{"type":"user","t":"a \u00"#,
        r#"{"type":"user","n":12"#,
        r#"{"type":"user","n":tru"#,
        r#"{"type":"user","m":{"type":"x","b":1}"#,
        r#"{"#,
        r#"lost head"}"#,
        r#""}"#,
    ];
    for head in heads {
        let run = read(&format!("{head}{whole}\n"));
        let expect = format!("F0+{}:torn record M{}+{}", head.len(), head.len(), whole.len() + 1);
        assert_eq!(brief(&run), expect, "{head}");
    }
    for begins in [r#"{"parentUuid":null,"t":"x"}"#, r#"{"timestamp":"","t":"x"}"#] {
        assert_eq!(read(&format!("{{\"a\":\"b{begins}")).messages().len(), 1, "{begins}");
    }
}

#[test]
fn what_a_cut_off_record_holds_is_no_record() {
    let cut = r#"{"type":"user","content":[{"type":"text","t":"inner"}"#;
    assert_eq!(brief(&read(cut)), format!("F0+{}:cut off", cut.len()));
}

#[test]
fn a_record_after_an_invalid_byte_is_read() {
    let bytes: &[u8] = b"{\"t\":\"a\"}\n{\"t\":\"\xff\"}\n\xc3\n{\"t\":\"b\"}\n";
    let mut buffer = Buffer::new(0, Lines { offset: 0, bytes: bytes.to_vec() });
    let mut page = Page::new();
    let mut scan = Words { reading: Vec::new(), records: 0 };
    let (mut tape, mut spare) = (Tape::new(), Tape::new());
    while buffer.line(&mut tape, &mut spare, &mut scan, &mut page).is_some() {}
    let mut events = Vec::new();
    page.flush(1 << 20, |page| events.extend_from_slice(page));
    let run = UnitRun { events, id: String::new(), inputs: vec![], counters: vec![], fault: None };
    assert_eq!(brief(&run), "M0+10 F10+10:invalid UTF-8 F20+2:invalid UTF-8 M22+10");
    assert!(run.failures().iter().all(|failure| failure.class == FailureClass::Malformed));
}

#[test]
fn a_document_that_nobody_understands_is_a_failure_and_an_unread_input_is_none() {
    struct Both;
    impl Provider for Both {
        type Scan = Words;
        fn description() -> Description {
            Probe::description()
        }
        fn plan(
            entries: &[Entry],
            _: &mut dyn crate::Peek,
            _: &mut Vec<crate::Note>,
        ) -> Result<crate::PlanResult, Fault> {
            let inputs = (0..entries.len() as u32).collect();
            let unit = crate::Unit::new("all", inputs);
            Ok(crate::PlanResult { units: vec![unit], ignored: Vec::new() })
        }
        fn open(unit: &str, entries: &[Entry], context: &[u8]) -> Result<Words, Fault> {
            Probe::open(unit, entries, context)
        }
        fn resume(unit: &str, entries: &[Entry], context: &[u8], state: &[u8]) -> Option<Words> {
            Probe::resume(unit, entries, context, state)
        }
    }
    let files = [("a.bin", "xx"), ("b.json", "{}"), ("c.jsonl", "{\"t\":\"a\"}"), ("d.json", "")];
    let run = run_files::<Both>(&files).units.remove(0);
    assert_eq!(brief(&run), "F0+2:document M0+9");
    assert_eq!(run.counters[0].value, 1);
}

/// Bytes of a line of [`Repeat`].
const LINE: usize = 1_009;

/// An input of lines that are all the same, of which one at a time is given.
struct Repeat {
    given: u64,
    lines: u64,
}

impl Source for Repeat {
    fn open(&mut self, _: u32, offset: u64) -> Result<(), ReadError> {
        self.given = offset / LINE as u64;
        Ok(())
    }

    fn read_lines(&mut self, _: u32) -> Result<Chunk, ReadError> {
        if self.given == self.lines {
            return Ok(Chunk::End);
        }
        let bytes = format!("{{\"t\":\"{}\"}}\n", "x".repeat(LINE - 9)).into_bytes();
        let offset = self.given * LINE as u64;
        self.given += 1;
        Ok(Chunk::Lines(Lines { offset, bytes }))
    }

    fn read_document(&mut self) -> Result<Lines, ReadError> {
        Err(ReadError::Denied)
    }
}

#[test]
fn calls_end_near_their_budget_and_pages_stay_below_it() {
    struct Sizes(Vec<usize>);
    impl Sink for Sizes {
        fn emit(&mut self, page: &[Event]) {
            self.0.push(page.len());
        }
    }
    let mut drive = Drive::new(Words { reading: vec![Reading::Lines], records: 0 }, 1);
    let (mut source, mut sizes) = (Repeat { given: 0, lines: 100 }, Sizes(Vec::new()));
    let progress = drive.advance(64 << 10, &mut source, &mut sizes).unwrap();
    let given = source.given * LINE as u64;
    assert!(!progress.done && given < 100 << 10 && given > 16 << 10, "{given}");
    assert!(sizes.0.len() >= 2 && sizes.0.iter().all(|events| *events < 64), "{:?}", sizes.0);
}

#[test]
fn a_large_input_has_checkpoints_between_its_lines() {
    struct Nowhere;
    impl Sink for Nowhere {
        fn emit(&mut self, _: &[Event]) {}
    }
    let mut source = Repeat { given: 0, lines: 5_500 };
    let mut drive = Drive::new(Words { reading: vec![Reading::Lines], records: 0 }, 1);
    let mut offsets = Vec::new();
    loop {
        let progress = drive.advance(256 << 10, &mut source, &mut Nowhere).unwrap();
        if let Some(bytes) = &progress.checkpoint {
            let checkpoint = Checkpoint::read(bytes).unwrap();
            assert_eq!(checkpoint.offset % LINE as u64, 0);
            assert_eq!(checkpoint.state, (checkpoint.offset / LINE as u64).to_le_bytes());
            offsets.push(checkpoint.offset);
        }
        if progress.done {
            assert_eq!(progress.checkpoint, None, "at the end there is nothing to go on with");
            break;
        }
    }
    assert!(offsets.first().is_some_and(|first| *first >= LEAST && *first < LEAST + (1 << 20)));
    assert!(offsets.is_sorted() && offsets.len() > 2, "{offsets:?}");
}

#[test]
fn within_a_line_that_is_still_written_is_no_checkpoint() {
    struct Growing(Option<&'static str>);
    impl Source for Growing {
        fn open(&mut self, _: u32, _: u64) -> Result<(), ReadError> {
            Ok(())
        }
        fn read_lines(&mut self, _: u32) -> Result<Chunk, ReadError> {
            let bytes = self.0.take().map(|text| text.as_bytes().to_vec());
            Ok(bytes.map_or(Chunk::End, |bytes| Chunk::Lines(Lines { offset: 0, bytes })))
        }
        fn read_document(&mut self) -> Result<Lines, ReadError> {
            Err(ReadError::Denied)
        }
    }
    struct Nowhere;
    impl Sink for Nowhere {
        fn emit(&mut self, _: &[Event]) {}
    }
    let mut source = Growing(Some("{\"s\":\"k\"}\n{\"s\":\"k\"}\n{\"s\":"));
    let drive = Drive::new(Words { reading: vec![Reading::Lines], records: 0 }, 1);
    let mut drive = drive.with_checkpoints_from(0);
    let mut offsets = Vec::new();
    loop {
        let progress = drive.advance(1, &mut source, &mut Nowhere).unwrap();
        let saved = progress.checkpoint.map(|bytes| Checkpoint::read(&bytes).unwrap().offset);
        offsets.push(saved);
        if progress.done {
            break;
        }
    }
    assert!(offsets.contains(&Some(10)) && offsets.contains(&Some(20)), "{offsets:?}");
    assert!(offsets.iter().flatten().all(|offset| *offset <= 20), "{offsets:?}");
}

#[test]
#[should_panic(expected = "saved at byte 8 goes on with")]
fn a_scan_that_forgets_something_is_found_out() {
    struct Forgets;
    struct Numbers(u64);
    impl Provider for Forgets {
        type Scan = Numbers;
        fn description() -> Description {
            Probe::description()
        }
        fn open(_: &str, _: &[Entry], _: &[u8]) -> Result<Numbers, Fault> {
            Ok(Numbers(0))
        }
        fn resume(_: &str, _: &[Entry], _: &[u8], _: &[u8]) -> Option<Numbers> {
            Some(Numbers(0))
        }
    }
    impl Scan for Numbers {
        fn record(&mut self, record: &Record<'_>, out: &mut Page) {
            self.0 += 1;
            out.skip(record.span, &format!("number {}", self.0));
        }
        fn save(&self) -> Option<Vec<u8>> {
            Some(Vec::new())
        }
    }
    run_files::<Forgets>(&[("a.jsonl", "{\"a\":1}\n{\"a\":2}\n")]);
}

/// Emits objects with `t` once the next one comes, or at the end.
struct Late;

struct Behind(Option<Message>, usize);

impl Provider for Late {
    type Scan = Behind;

    fn description() -> Description {
        Probe::description()
    }

    fn open(_: &str, _: &[Entry], _: &[u8]) -> Result<Behind, Fault> {
        Ok(Behind(None, 0))
    }
}

impl Scan for Behind {
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        self.0.take().into_iter().for_each(|message| out.message(message));
        let text = record.json.get("t").and_then(|text| text.text());
        let mut message = Message::new(record.span, "user");
        message.parts.extend(text.map(Part::text));
        self.0 = Some(message);
        out.hold();
    }

    fn release(&mut self, out: &mut Page) {
        self.1 += 1;
        self.end(out);
    }

    fn end(&mut self, out: &mut Page) {
        self.0.take().into_iter().for_each(|message| out.message(message));
    }

    fn counters(&self) -> Vec<Counter> {
        let value = self.1 as u64;
        vec![Counter { thread_id: String::new(), name: "released".into(), value }]
    }
}

#[test]
fn what_is_no_record_waits_for_the_records_before_it() {
    let a = "{\"t\":\"a\"}\n";
    #[rustfmt::skip]
    let cases = [
        (format!("\n{a}\n\0\n{a}"),       "S0+1x1:blank M1+10 S11+3x2:blank M14+10"),
        (format!("{a}{{\"t\n\n{a}"),       "M0+10 F10+4:cut off S14+1x1:blank M15+10"),
        (format!("{a}{{}}garbage\n\n"),      "M0+10 M10+2 F12+8:not JSON S20+1x1:blank"),
        (format!("{a}\0\0{a}"),             "M0+10 S10+2x1:blank M12+10"),
    ];
    for (text, expect) in cases {
        let run = run_files::<Late>(&[("a.jsonl", &text)]).units.remove(0);
        assert_eq!(brief(&run), expect, "{text:?}");
        assert_eq!(run.counters[0].value, 0, "{text:?}");
    }
}

#[test]
fn what_is_held_goes_out_where_too_much_waits_for_it() {
    let text = format!("{{\"t\":\"a\"}}\n{}{{\"t\":\"b\"}}\n", "x\n".repeat(2_000));
    let run = run_files::<Late>(&[("a.jsonl", &text)]).units.remove(0);
    assert_eq!((run.messages().len(), run.failures().len()), (2, 2_000));
    assert_eq!(run.counters[0].value, 1);
}

/// A small generator, so that the same lines come every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

#[test]
fn spans_partition_whatever_is_read() {
    let pieces = [
        "{\"t\":\"a\"}",
        "{\"type\":\"x\",\"t\":\"é\u{2028}\"}",
        "{\"s\":\"k\"}",
        "{\"s\":",
        "\"",
        "\\",
        "}",
        "{",
        "[",
        "]",
        "\n",
        "\n",
        "\n",
        "\r\n",
        " ",
        "\0",
        "\u{feff}",
        "1",
        "true",
        ",",
        ":",
        "{\"type\":\"",
        "{\"parentUuid\":null,\"t\":\"\\ud800\"}",
        "{\"timestamp\":1",
    ];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..4000 {
        let text: String = (0..dice.roll(24)).map(|_| pieces[dice.roll(pieces.len())]).collect();
        // The test kit checks that spans never go backwards and leave no byte out.
        let run = read(&text);
        let total: u64 = run
            .events
            .iter()
            .map(|event| match event {
                Event::Message(it) => it.span.length,
                Event::Skip(it) => it.span.length,
                Event::Failure(it) => it.span.length,
                _ => 0,
            })
            .sum();
        assert_eq!(total, text.len() as u64, "{text:?}");
    }
}
