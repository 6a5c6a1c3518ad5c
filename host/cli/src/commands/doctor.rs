//! `hyp doctor`: finds what is wrong, or may go wrong, and says what to do. Changes nothing.

mod clients;
mod machine;
mod runs;
mod store;

use hyp_cache::Store;
use hyp_model::Exit;
use serde::Serialize;

use super::{Session, print, print_json};
use crate::failure::Failure;
use crate::{moment, terminal, text};

/// Arguments of `hyp doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp doctor           what is wrong, and what to do about it
  hyp doctor --json    the same, for programs")]
pub(crate) struct DoctorArgs {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// It is as it should be.
    Ok,
    /// Good to know; nothing has to be done.
    Note,
    /// Something should be done before it does harm.
    Warning,
    /// Something does not work.
    Problem,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// What was looked at.
    check: &'static str,
    level: Level,
    message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Finding {
    fn new(check: &'static str, level: Level, message: impl Into<String>) -> Self {
        Self { check, level, message: message.into(), help: None }
    }

    fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, message)
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    findings: &'a [Finding],
    needs_action: bool,
}

/// Runs `hyp doctor`.
pub(crate) fn doctor(session: &Session, args: &DoctorArgs) -> Result<Exit, Failure> {
    let now = moment::now();
    let mut findings = machine::look(session);
    match Store::open(&session.places.store) {
        Err(hyp_cache::StoreError::Missing { path }) => findings.push(
            Finding::new("store", Level::Note, format!("there is none yet at {}", path.display()))
                .help("run `hyp backfill` to import your history"),
        ),
        Err(error) => findings.push(failed("store", &error)),
        Ok(store) => {
            findings.extend(store::look(session, &store));
            findings.extend(runs::look(session, &store, now));
        }
    }
    findings.extend(clients::look(session, now));
    let needs_action = findings.iter().any(|finding| finding.level >= Level::Warning);
    if args.json {
        print_json(&Answer { findings: &findings, needs_action })?;
    } else {
        print(&show(&findings))?;
    }
    Ok(if needs_action { Exit::Failed } else { Exit::Done })
}

/// Returns an error as a finding.
fn failed(check: &'static str, error: &dyn hyp_model::Explain) -> Finding {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    Finding { help: error.help(), ..Finding::new(check, Level::Problem, format!("{error}{cause}")) }
}

fn show(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Problem => "PROBLEM",
        };
        let head = format!("{level:<9}{:<11}", finding.check);
        out.push_str(&terminal::fold(&head, &text::line(&finding.message), terminal::width()));
        if let Some(help) = &finding.help {
            let head = format!("{:20}→ ", "");
            out.push_str(&terminal::fold(&head, &text::line(help), terminal::width()));
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let summary = match (count(Level::Problem), count(Level::Warning)) {
        (0, 0) => "nothing has to be done".to_owned(),
        (0, warnings) => format!("{warnings} to look at"),
        (problems, warnings) => format!("{problems} broken, {warnings} to look at"),
    };
    out + "\n" + &summary + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_say_what_to_do() {
        let findings = [
            Finding::ok("disk", "40.0 GiB are free"),
            Finding::new("store", Level::Warning, "others may read it").help("chmod -R go= /s"),
            Finding::new("config", Level::Problem, "line 3\u{1b}[1m"),
        ];
        insta::assert_snapshot!(show(&findings), @r"
        ok       disk       40.0 GiB are free
        warning  store      others may read it
                            → chmod -R go= /s
        PROBLEM  config     line 3\u{1b}[1m

        1 broken, 1 to look at
        ");
    }
}
