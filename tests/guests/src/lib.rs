//! What the misbehaving guests have in common: where they look, and how they behave until they do not.
//!
//! Each guest is a file in `examples`, and a component in `dist` that `cargo xtask components` makes. A guest
//! reads `*.jsonl` below the folder that the environment variable `GUEST_HOME` names.

use hyp_sdk::{Candidate, Description, Entry, Message, Page, Part, Record, Root, Thread, time};

/// Describes a guest by its name.
pub fn description(name: &str) -> Description {
    Description::new(name, name, "0.1.0")
        .summary("A guest for tests")
        .root(Root::new("home", Candidate::overriding("GUEST_HOME", "")).glob("*.jsonl").depth(1))
}

/// One file of lines with `id`, `text` and perhaps `at`, as a well-behaved guest reads it.
#[derive(Debug)]
pub struct Lines {
    /// Path of the file.
    pub path: String,
    started: bool,
}

impl Lines {
    /// Starts a unit of one file.
    pub fn new(entries: &[Entry]) -> Self {
        let path = entries.first().map(|entry| entry.path.clone()).unwrap_or_default();
        Self { path, started: false }
    }

    /// Returns what it takes to go on after the last line.
    pub fn save(&self) -> Vec<u8> {
        vec![u8::from(self.started)]
    }

    /// Goes on with a unit of one file.
    pub fn resume(entries: &[Entry], state: &[u8]) -> Option<Self> {
        let [started] = *state else { return None };
        Some(Self { started: started == 1, ..Self::new(entries) })
    }

    /// Emits a line's message; a line without an `id` or a `text` is left alone.
    pub fn message(&mut self, record: &Record<'_>, out: &mut Page) {
        self.start(out);
        if let Some(message) = message(record) {
            out.message(message);
        }
    }

    /// Begins the thread, once.
    pub fn start(&mut self, out: &mut Page) {
        if !self.started {
            let id = self.path.trim_end_matches(".jsonl");
            out.thread_start(Thread::new(id, "guests", id, "guest"));
            self.started = true;
        }
    }

    /// Ends the thread, if it began.
    pub fn end(&mut self, out: &mut Page) {
        if self.started {
            out.thread_end();
        }
    }
}

/// Makes a message of a line.
pub fn message(record: &Record<'_>) -> Option<Message> {
    let mut message = Message::new(record.span, "user");
    message.id = record.json.get("id")?.non_empty();
    message.parts.push(Part::text(record.json.get("text")?.text()?));
    message.created_at =
        record.json.get("at").and_then(|at| at.str()).and_then(|at| time::parse(&at));
    Some(message)
}

/// Makes a provider named `$name` whose scan is `$scan`, a wrapper of [`Lines`].
#[macro_export]
macro_rules! guest {
    ($name:literal, $scan:ident) => {
        struct Guest;

        hyp_sdk::register!(Guest);

        impl hyp_sdk::Provider for Guest {
            type Scan = $scan;

            fn description() -> hyp_sdk::Description {
                $crate::description($name)
            }

            fn open(
                _: &str,
                entries: &[hyp_sdk::Entry],
                _: &[u8],
            ) -> Result<$scan, hyp_sdk::Fault> {
                Ok($scan($crate::Lines::new(entries)))
            }

            fn resume(
                _: &str,
                entries: &[hyp_sdk::Entry],
                _: &[u8],
                state: &[u8],
            ) -> Option<$scan> {
                $crate::Lines::resume(entries, state).map($scan)
            }
        }
    };
}
