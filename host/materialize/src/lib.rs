//! Expands projected exchanges into canonical rows: one per message part. No IO, no clock.
//!
//! Read first: [`Exchange`], the state of one unit; [`Produced`], what it hands out; [`candidates`], what
//! the store is asked about rows. [`batch`] turns rows into Arrow columns.
//!
//! ```
//! use hyp_materialize::{Exchange, Source, batch, candidates};
//! use hyp_model::event::{Content, Event, Message, Part, Text, Thread};
//!
//! let mut exchange = Exchange::new(Source::default());
//! let thread = Thread {
//!     id: "t".into(),
//!     provider: "openai".into(),
//!     session_id: "s".into(),
//!     started_at: Some(1_760_000_000_000_000),
//!     ..Thread::default()
//! };
//! let text = Text { value: "hi".into(), literal: None };
//! let part = Part { block_type: "text".into(), content: Content::Text(text) };
//! let message = Message { role: "user".into(), parts: vec![part], ..Message::default() };
//! exchange.push(Event::ThreadStart(Box::new(thread)))?;
//! exchange.push(Event::Message(Box::new(message)))?;
//!
//! let (produced, counts) = exchange.finish();
//! assert_eq!(counts.parts, 1);
//! assert_eq!(candidates(&produced.rows, &produced.threads)[0].thread, 0);
//! assert_eq!(batch(&produced.rows, "run").num_rows(), 1);
//! # Ok::<(), hyp_materialize::Refused>(())
//! ```

mod attributes;
mod batch;
mod candidate;
mod copies;
mod draft;
mod exchange;
pub mod identity;
mod json;
mod part;
mod produced;
mod refused;
mod responses;
mod said;
mod saved;
mod strip;
mod thread;
mod time;
mod tokens;
pub mod window;

pub use batch::{batch, schema};
pub use candidate::candidates;
pub use exchange::Exchange;
pub use produced::{Counts, Produced, Source};
pub use refused::Refused;
pub use tokens::{as_original, as_replay, with_usage};
pub use window::Window;

/// Which rows come of the same events: raised by each change to the values of rows, so that what was imported is read
/// once more.
pub const VERSION: u32 = 1;
