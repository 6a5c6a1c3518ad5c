//! `hyp plugin list` and `hyp plugin verify`: what there is, and whether it is what was agreed to.

use std::fmt::Write;

use hyp_backfill::PluginState;
use hyp_model::Exit;
use serde::Serialize;

use super::ListArgs;
use crate::commands::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::text;

#[derive(Serialize)]
struct List<'a> {
    plugins: &'a [PluginState],
}

/// Runs `hyp plugin list`.
pub(super) fn list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let states = hyp_backfill::states(&session.places)?;
    if args.json {
        print_json(&List { plugins: &states })?;
    } else {
        print(&show(&states))?;
    }
    Ok(Exit::Done)
}

/// Runs `hyp plugin verify`.
pub(super) fn verify(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let mut states = hyp_backfill::states(&session.places)?;
    states.retain(|state| state.origin == "installed");
    if args.json {
        print_json(&List { plugins: &states })?;
    } else if states.is_empty() {
        say("nothing is installed; `hyp plugin install FILE` does that");
    } else {
        print(&verdicts(&states))?;
    }
    let is_good = states.iter().all(|state| state.error.is_none());
    Ok(if is_good { Exit::Done } else { Exit::Failed })
}

fn show(states: &[PluginState]) -> String {
    let widest = |of: fn(&PluginState) -> &str, head: &str| {
        states.iter().map(|state| of(state).len()).max().unwrap_or(0).max(head.len())
    };
    let name = widest(|state| &state.name, "NAME");
    let version = widest(|state| &state.version, "VERSION");
    let mut out = format!("{:name$}  {:version$}  ORIGIN     STATE\n", "NAME", "VERSION");
    for state in states {
        let _ = writeln!(
            out,
            "{:name$}  {:version$}  {:<9}  {}",
            text::line(&state.name),
            text::line(&state.version),
            state.origin,
            match (&state.error, state.enabled) {
                (Some(_), _) => "refused",
                (None, true) => "enabled",
                (None, false) => "disabled",
            }
        );
        if state.origin == "installed" {
            for place in &state.reads {
                let _ = writeln!(out, "{:name$}  reads {}", "", text::line(place));
            }
            if let Some(declared) = &state.materializer {
                let (kinds, datasets) = (declared.kinds.join(", "), declared.datasets.join(", "));
                let _ = writeln!(out, "{:name$}  takes {}", "", text::line(&kinds));
                let _ = writeln!(out, "{:name$}  fills {}", "", text::line(&datasets));
            }
            for root in &state.revoked {
                let _ = writeln!(out, "{:name$}  `{}` was taken back", "", text::line(root));
            }
        }
        if let Some(error) = &state.error {
            let _ = writeln!(out, "{:name$}  {}", "", text::line(error));
        }
    }
    out
}

fn verdicts(states: &[PluginState]) -> String {
    let mut out = String::new();
    for state in states {
        let verdict = match &state.error {
            None => format!("ok  sha256:{}", state.digest),
            Some(error) => format!("refused  {}", text::line(error)),
        };
        let _ = writeln!(out, "{}: {verdict}", text::line(&state.name));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_each_may_read_and_why_one_is_refused() {
        let state = |name: &str, origin, error: Option<&str>| PluginState {
            name: name.into(),
            version: "0.1.0".into(),
            origin,
            source: String::new(),
            digest: "aa".into(),
            enabled: origin == "bundled",
            reads: vec![format!("~/.{name}/**/*.jsonl")],
            materializer: None,
            revoked: if name == "notebook" { vec!["drafts".into()] } else { Vec::new() },
            error: error.map(str::to_owned),
        };
        let states = [
            state("claude", "bundled", None),
            state("diary", "installed", Some("the file is gone")),
            state("notebook", "installed", None),
        ];
        insta::assert_snapshot!(show(&states), @r"
        NAME      VERSION  ORIGIN     STATE
        claude    0.1.0    bundled    enabled
        diary     0.1.0    installed  refused
                  reads ~/.diary/**/*.jsonl
                  the file is gone
        notebook  0.1.0    installed  disabled
                  reads ~/.notebook/**/*.jsonl
                  `drafts` was taken back
        ");
        insta::assert_snapshot!(verdicts(&states[1..]), @r"
        diary: refused  the file is gone
        notebook: ok  sha256:aa
        ");
    }
}
