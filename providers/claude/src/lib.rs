//! Reads what Claude Code keeps: one transcript a session, one more for each of its sub-agents.
//!
//! [`plan`] makes a unit of every transcript; [`scan::Transcript`] reads one. What a line is, is said in
//! `line`, what becomes of a message in `message` and of its blocks in `content`. What the client wrote
//! for other purposes (titles, snapshots, copies of requests) is known by name in `kind`; where it is the
//! only copy of something said, `queue` and `aside` find that. What it wrote in the person's name is told by
//! `injected`.

mod aside;
mod content;
mod context;
mod copied;
mod head;
mod hooks;
mod injected;
mod kind;
mod line;
mod message;
mod notice;
mod path;
mod plan;
mod queue;
mod response;
mod scan;
mod spill;
mod state;
#[cfg(test)]
mod tests;
mod total;
mod usage;
mod waiting;

use hyp_sdk::{
    Candidate, Description, Entry, EnvironmentCandidate, Fault, Note, Peek, PlanResult, Provider,
    Root,
};

/// Root of the command line client's transcripts.
const PROJECTS: &str = "projects";
/// Root of the desktop application's local sessions, each with a `.claude` of its own.
const DESKTOP: &str = "desktop";
/// Root of what the desktop application notes of its coding sessions, whose transcripts are among the others.
const DESKTOP_CODE: &str = "desktop-code";
/// Root of the records that a session hook leaves.
const HOOKS: &str = "hooks";

/// The provider `claude`.
#[derive(Debug)]
pub struct Claude;

hyp_sdk::register!(Claude);

impl Provider for Claude {
    type Scan = scan::Transcript;

    fn description() -> Description {
        let elsewhere = EnvironmentCandidate {
            variable: "CLAUDE_CONFIG_DIR".to_owned(),
            is_list: true,
            below: "projects".to_owned(),
            overrides: true,
        };
        let projects = Root::new(PROJECTS, Candidate::Environment(elsewhere))
            .or(Candidate::Home(".claude/projects".to_owned()))
            .or(Candidate::ConfigHome("claude/projects".to_owned()))
            .glob("**/*.jsonl")
            .glob("**/*.meta.json")
            .glob("**/tool-results/*")
            .depth(12);
        let support =
            |path: &str| Candidate::ApplicationSupport(format!("{path}/local-agent-mode-sessions"));
        let desktop = Root::new(DESKTOP, support("Claude-3p"))
            .or(support("Claude/Claude-3p"))
            .or(support("Claude"))
            .glob("**/.claude/projects/**/*.jsonl")
            .glob("**/.claude/projects/**/*.meta.json")
            .glob("**/.claude/projects/**/tool-results/*")
            .glob("**/local_*.json")
            .depth(14);
        let notes = Candidate::ApplicationSupport("Claude/claude-code-sessions".to_owned());
        let desktop_code = Root::new(DESKTOP_CODE, notes).glob("**/local_*.json").depth(6);
        let hook = |plugin: &str| {
            Candidate::HypHome(format!("hypaware/plugins/{plugin}/session-context.jsonl"))
        };
        let hooks = Root::new(HOOKS, hook("claude")).or(hook("@hypaware/claude"));
        Description::new("claude", "Claude Code", env!("CARGO_PKG_VERSION"))
            .summary("Transcripts of Claude Code sessions and their sub-agents")
            .client(
                "Claude Code",
                "0.2, 1.0, 2.0, 2.1",
                Some("recordings of 1.0.80 to 2.1.329, sessions of 0.2.100 to 2.1.330 against a scripted API"),
            )
            .root(projects)
            .root(desktop)
            .root(desktop_code)
            .root(hooks)
    }

    fn plan(
        entries: &[Entry],
        peek: &mut dyn Peek,
        _notes: &mut Vec<Note>,
    ) -> Result<PlanResult, Fault> {
        Ok(plan::plan(entries, peek))
    }

    fn open(unit_id: &str, entries: &[Entry], context: &[u8]) -> Result<scan::Transcript, Fault> {
        scan::Transcript::open(unit_id, entries, context)
    }

    fn resume(
        unit_id: &str,
        entries: &[Entry],
        context: &[u8],
        state: &[u8],
    ) -> Option<scan::Transcript> {
        scan::Transcript::open(unit_id, entries, context).ok()?.restored(state)
    }
}
