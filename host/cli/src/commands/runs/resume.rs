//! `hyp runs resume RUN`: goes on with an import that did not come to its end.

use hyp_backfill::Request;
use hyp_model::Exit;

use super::find;
use crate::commands::Session;
use crate::commands::ask::{self, Lake};
use crate::commands::backfill::{self, Telling};
use crate::failure::Failure;
use crate::{env, moment};

/// Arguments of `hyp runs resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp runs resume bf-3f2a

What the run had committed is not read again, and the rest is read with its providers and its window.")]
pub(super) struct ResumeArgs {
    /// The run; the start of its id will do
    #[arg(value_name = "RUN")]
    run: String,

    #[command(flatten)]
    telling: Telling,
}

/// Runs `hyp runs resume`.
pub(super) fn resume(session: &Session, args: &ResumeArgs) -> Result<Exit, Failure> {
    let wait = args.telling.wait.time("hyp runs resume")?;
    let run = find::run(&Lake::open(session)?, &args.run)?;
    let run = ask::text(&run, "run_id").unwrap_or_default();
    backfill::import(session, &args.telling, |config| {
        let request = Request {
            retained_from: config.retention.from(moment::now()),
            secrets: config.privacy.secrets(),
            wait,
            run_id: env::run_id("bf"),
            ..Request::default()
        };
        Ok(hyp_backfill::resumed(&session.places, &run, request)?)
    })
}
