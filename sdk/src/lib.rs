//! What a provider is written with: a component that reads one client's history.
//!
//! Read first: [`Provider`] (what to implement), [`Scan`] (one unit being read), [`json::Value`]
//! (a record), [`sqlite`] (rows of a database). [`drive`] reads lines, documents and rows and accounts for every byte, so
//! that a provider only says what a record means; the `testkit` module runs the same code natively in tests.
//!
//! ```
//! use hyp_sdk::{Candidate, Description, Entry, Fault, Message, Page, Part, Provider};
//! use hyp_sdk::{Purpose, Reading, Record, Root, Scan, Thread};
//!
//! struct Notebook;
//!
//! hyp_sdk::register!(Notebook);
//!
//! impl Provider for Notebook {
//!     type Scan = Chat;
//!
//!     fn description() -> Description {
//!         let chats = Root::new("chats", Candidate::Home(".notebook".into())).glob("chat/*.jsonl");
//!         Description::new("notebook", "Notebook", "0.1.0").root(chats)
//!     }
//!
//!     fn open(unit: &str, _entries: &[Entry], _context: &[u8]) -> Result<Chat, Fault> {
//!         Ok(Chat { id: unit.to_owned(), started: false })
//!     }
//! }
//!
//! struct Chat {
//!     id: String,
//!     started: bool,
//! }
//!
//! impl Scan for Chat {
//!     fn record(&mut self, record: &Record<'_>, out: &mut Page) {
//!         let Some(asked) = record.json.get("asked").and_then(|text| text.text()) else { return };
//!         if !self.started {
//!             out.thread_start(Thread::new(&self.id, "openai", &self.id, "notebook"));
//!             self.started = true;
//!         }
//!         let mut message = Message::new(record.span, "user");
//!         message.parts.push(Part::text(asked));
//!         out.message(message);
//!     }
//!
//!     fn end(&mut self, out: &mut Page) {
//!         if self.started {
//!             out.thread_end();
//!         }
//!     }
//! }
//! ```

#[doc(hidden)]
pub mod bindings;
mod cells;
pub mod drive;
pub mod gemini;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod glue;
mod ids;
pub mod json;
pub mod materializer;
mod page;
pub mod probe;
mod provider;
pub mod sqlite;
pub mod state;
#[cfg(not(target_family = "wasm"))]
pub mod testkit;
pub mod time;
mod words;

pub use bindings::exports::hyp::backfill::provider::{
    Candidate, Client, Counter, Description, EnvironmentCandidate, Ignored, PlanResult, Purpose,
    Root, Setting, Stamp, Table, Unit,
};
pub use bindings::hyp::backfill::inputs::{Chunk, Entry, Lines, LongLine, ReadError};
pub use bindings::hyp::backfill::log::Level;
pub use bindings::hyp::backfill::sink::{Event, Found, Timing};
pub use bindings::hyp::backfill::types::{
    Attribute, Blob, Cell, Content, Context, Datum, Error as ErrorBlock, Fact, Failure,
    FailureClass, Fault, Git, Item, Message, Note, Origin, Part, Progress, Skip, Span, Subject,
    Text, Thinking, Thread, ThreadKind, Timestamp, ToolCall, ToolResult, Usage,
};
pub use cells::Cells;
pub use ids::is_telling;
pub use page::Page;
pub use provider::{Peek, Provider, Reading, Record, Scan, unit_per_entry};
pub use words::MESSAGES;

/// Makes a provider the export of this component.
///
/// Elsewhere than on WebAssembly it only checks the type: a native library cannot export a component.
#[macro_export]
macro_rules! register {
    ($provider:ty) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "generated exports")]
        const _: () = {
            type Component = $crate::glue::Glue<$provider>;
    $crate::bindings::export_component!(Component with_types_in $crate::bindings);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn() = || {
            fn check<P: $crate::Provider>() {}
            check::<$provider>();
        };
    };
}

/// Returns the value of a setting that was given for this run; natively there is none.
pub fn setting(name: &str) -> Option<String> {
    #[cfg(target_family = "wasm")]
    return bindings::hyp::backfill::run::setting(name);
    #[cfg(not(target_family = "wasm"))]
    {
        let _ = name;
        None
    }
}

/// Writes a line to the host's trace; natively nothing happens.
pub fn log(level: Level, message: &str) {
    #[cfg(target_family = "wasm")]
    bindings::hyp::backfill::log::write(level, message);
    #[cfg(not(target_family = "wasm"))]
    let _ = (level, message);
}
