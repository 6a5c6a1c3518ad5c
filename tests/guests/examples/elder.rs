//! Speaks a contract of long ago: a message a line, and remarks that begin with `#`.

#[cfg(target_family = "wasm")]
#[allow(
    unsafe_code,
    missing_docs,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../host/plugin/src/seam/elder.wit",
        world: "provider-plugin",
    });

    use std::cell::RefCell;

    use exports::hyp::backfill::provider::{Description, Guest, GuestScan};
    use hyp::backfill::inputs::{Entry, Input};
    use hyp::backfill::log;
    use hyp::backfill::sink::{Event, Said, Span, emit};

    struct Elder;

    /// A file, and how far it was read.
    struct Reading {
        path: String,
        input: Option<Input>,
        offset: u64,
    }

    struct Scan(RefCell<Reading>);

    impl Guest for Elder {
        type Scan = Scan;

        fn describe() -> Description {
            let [name, title, version, folder, glob] =
                ["elder", "Elder", "0.1.0", ".elder", "*.txt"].map(str::to_owned);
            Description { name, title, version, folder, glob }
        }

        fn plan(entries: Vec<Entry>) -> Vec<Vec<u32>> {
            (0..entries.len() as u32).map(|entry| vec![entry]).collect()
        }
    }

    impl GuestScan for Scan {
        fn open(entries: Vec<Entry>) -> exports::hyp::backfill::provider::Scan {
            let path = entries.first().map(|entry| entry.path.clone()).unwrap_or_default();
            log::write(&format!("reading {path}"));
            let reading = Reading { path, input: Input::open(0), offset: 0 };
            exports::hyp::backfill::provider::Scan::new(Scan(RefCell::new(reading)))
        }

        fn advance(&self, budget: u32) -> Result<bool, String> {
            let mut reading = self.0.borrow_mut();
            let Some(input) = &reading.input else { return Err("it cannot be read".to_owned()) };
            let bytes = input.read_lines(budget)?;
            if bytes.is_empty() {
                emit(&[Event::ThreadEnd]);
                return Ok(true);
            }
            let mut page = Vec::new();
            if reading.offset == 0 {
                page.push(Event::Thread(reading.path.clone()));
            }
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                let at = Span { offset: reading.offset, length: line.len() as u64 };
                reading.offset += at.length;
                page.push(match line {
                    [b'#', ..] => Event::Skip(at),
                    _ => Event::Said(Said {
                        at,
                        role: "user".to_owned(),
                        text: String::from_utf8_lossy(line).trim_end().to_owned(),
                    }),
                });
            }
            emit(&page);
            Ok(false)
        }
    }

    export!(Elder);
}
