//! `hyp quarantine show ID`.

use std::fmt::Write;

use hyp_cache::{Kept, Store};
use hyp_model::Exit;
use serde::Serialize;

use super::list::Record;
use crate::commands::{Session, print_json};
use crate::failure::Failure;
use crate::{pager, text};

const COMMAND: &str = "hyp quarantine show";

/// Arguments of `hyp quarantine show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp quarantine show 0b1c44d09e21-7718

What would control a terminal is spelled out, and so are bytes that are no text.")]
pub(super) struct ShowArgs {
    /// The record, as `hyp quarantine list` names it
    #[arg(value_name = "ID")]
    id: String,

    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    record: Record<'a>,
    /// What is kept of it, as text; none where only its place is known.
    content: Option<String>,
    /// False where only its beginning is kept, or nothing.
    is_whole: bool,
}

/// Runs `hyp quarantine show`.
pub(super) fn show(session: &Session, args: &ShowArgs) -> Result<Exit, Failure> {
    let store = Store::open(&session.places.store)?;
    let found = store.quarantine()?.into_iter().find(|kept| kept.id() == args.id);
    let Some(kept) = found else {
        let message = format!("no record `{}`; `hyp quarantine list` has their ids", args.id);
        return Err(Failure::Refused { command: COMMAND, message });
    };
    let bytes = store.quarantined_bytes(&kept)?.as_deref().and_then(hyp_backfill::unpacked);
    if args.json {
        print_json(&Shown {
            is_whole: bytes.as_ref().is_some_and(|bytes| bytes.len() as u64 >= kept.length),
            content: bytes.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            record: Record::of(&kept),
        })?;
    } else {
        pager::print(&words(&kept, bytes.as_deref()))?;
    }
    Ok(Exit::Done)
}

fn words(kept: &Kept, bytes: Option<&[u8]>) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<9}{}", text::line(value));
    };
    line("record", &kept.id());
    line("provider", &kept.provider);
    line("path", &kept.path);
    line("at", &format!("byte {}, {} bytes", kept.offset, kept.length));
    line("class", &kept.class);
    line("reason", &kept.reason);
    line("run", &kept.run_id);
    out.push('\n');
    match bytes {
        None => out.push_str("(its bytes are not kept)\n"),
        Some(bytes) => {
            out.push_str(&spelled(bytes));
            if !out.ends_with('\n') {
                out.push('\n');
            }
            if (bytes.len() as u64) < kept.length {
                let _ = writeln!(out, "(the first {} bytes of {})", bytes.len(), kept.length);
            }
        }
    }
    out
}

/// Returns bytes as text: what is none, byte by byte.
fn spelled(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out.push_str(&text::lines(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_record_cannot_move_the_cursor() {
        let mut kept = Kept::default();
        kept.input_id = "0123456789abcdef".into();
        kept.length = 99;
        let shown = words(&kept, Some(b"a\x1b[2J\xff\xfeb\nc"));
        assert!(
            shown.ends_with("\na\\u{1b}[2J\\xff\\xfeb\nc\n(the first 10 bytes of 99)\n"),
            "{shown}"
        );
        assert!(words(&kept, None).contains("not kept"));
    }
}
