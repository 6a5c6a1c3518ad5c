//! `hyp runs resume RUN`: goes on with an import that did not come to its end.

use std::time::Duration;

use hyp_backfill::Request;
use hyp_model::Exit;

use crate::commands::Session;
use crate::commands::backfill::{self, Progression, Telling};
use crate::failure::Failure;
use crate::{env, moment};

const COMMAND: &str = "hyp runs resume";

/// Arguments of `hyp runs resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp runs resume bf-3f2a

What the run had committed is not read again, and the rest is read with its providers and its window.")]
pub(super) struct ResumeArgs {
    /// The run; the start of its id will do
    #[arg(value_name = "RUN")]
    run: String,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    /// How progress is told, on stderr: bars on a terminal, or JSON lines for programs
    #[arg(long, value_name = "HOW", default_value = "auto")]
    progress: Progression,

    /// Wait that many seconds for another run to end
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    wait: Option<String>,
}

/// Runs `hyp runs resume`.
pub(super) fn resume(session: &Session, args: &ResumeArgs) -> Result<Exit, Failure> {
    let usage = |message| Failure::Usage { command: COMMAND, message };
    let wait = backfill::number("wait", args.wait.as_deref()).map_err(usage)?.unwrap_or(0.0);
    let telling = Telling { progress: args.progress, is_json: args.json };
    backfill::import(session, telling, |config| {
        let request = Request {
            retained_from: config.retention.from(moment::now()),
            secrets: config.privacy.secrets(),
            wait: Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX),
            run_id: env::run_id().unwrap_or_else(|| format!("bf-{}", uuid::Uuid::new_v4())),
            ..Request::default()
        };
        Ok(hyp_backfill::resumed(&session.places, &args.run, request)?)
    })
}
