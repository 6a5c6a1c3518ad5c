//! `hyp cache verify`: whether the store is what it should be.

use hyp_cache::{Store, Verification};
use hyp_model::Exit;
use serde::Serialize;

use crate::commands::{Session, print, print_json};
use crate::failure::Failure;
use crate::{interrupt, text};

/// Arguments of `hyp cache verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp cache verify")]
pub(crate) struct VerifyArgs {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    found: &'a Verification,
    is_sound: bool,
}

/// Runs `hyp cache verify`.
pub(crate) fn verify(session: &Session, args: &VerifyArgs) -> Result<Exit, Failure> {
    let cancelled = interrupt::flag();
    let found = hyp_cache::verify(&Store::open(&session.places.store)?, &cancelled)?;
    let is_sound = found.problems.is_empty();
    if args.json {
        print_json(&Answer { found: &found, is_sound })?;
    } else {
        print(&show(&found))?;
    }
    Ok(match (cancelled.load(std::sync::atomic::Ordering::Relaxed), is_sound) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Done,
        (false, false) => Exit::Failed,
    })
}

fn show(found: &Verification) -> String {
    let mut out = String::new();
    for problem in &found.problems {
        out.push_str(&format!("{}: {}\n", text::line(&problem.subject), text::line(&problem.what)));
    }
    let size = text::bytes(found.bytes);
    let state = match found.problems.len() {
        0 => "sound".to_owned(),
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    let [rows, files] = [(found.rows, "row"), (found.files, "file")]
        .map(|(number, what)| text::counted_full(number, what));
    out + &format!("{rows} in {files}, {size}: {state}\n")
}
