//! Read-only SQL over the lake.
//!
//! Read first: [`Session`], which answers statements; [`Rows`], an answer that streams; [`Writer`], which
//! prints it in a [`Format`]. What a store holds comes from `hyp-cache`; nothing here writes to it.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), hyp_query::QueryError> {
//! use hyp_query::{Format, Options, Output, Session};
//!
//! let session = Session::empty(Options::default())?;
//! let answer = session.sql("select count(*) as parts from ai_gateway_messages").await?;
//! let mut text = Vec::new();
//! hyp_query::write(&answer, &Output::new(Format::Jsonl), &mut text)?;
//! assert_eq!(text, b"{\"parts\":0}\n");
//! # Ok(())
//! # }
//! ```

mod access;
mod answer;
mod columns;
mod dialect;
mod error;
mod lake;
mod messages;
mod output;
mod pruning;
mod session;
mod statement;
mod store;
mod stored;
mod translate;
mod views;

pub use answer::{Answer, Rows};
pub use columns::{Column, columns};
pub use error::QueryError;
pub use output::{Format, Output, ParquetFile, Receipt, Writer, write};
pub use session::{Options, Session};
