//! Where a message was said: directory, branch, version, mode.

use std::borrow::Cow;

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::{Context, Git};

use crate::line::{Line, owned};

/// What the session hook noted. It saw the repository, so it stands above what lines say.
#[derive(Debug, Default)]
pub(crate) struct Hook {
    cwd: Option<String>,
    git: Git,
}

/// What the client noted beside a sub-agent's transcript.
#[derive(Debug, Default)]
pub(crate) struct Meta {
    pub(crate) agent_type: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) tool_use: Option<String>,
}

/// What the plan found beside a transcript.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    pub(crate) hook: Hook,
    pub(crate) meta: Meta,
    /// Sub-agents that have a transcript of their own.
    pub(crate) agents: Vec<String>,
    /// Title that the desktop application shows.
    pub(crate) title: Option<String>,
}

/// Returns true for a version that resumes in a new file, with a copy of what was said so far.
pub(crate) fn resumes_by_copy(version: &str) -> bool {
    version.starts_with("0.") || version.starts_with("1.")
}

/// Reads what the plan found beside a transcript.
pub(crate) fn beside(context: &[u8]) -> Beside {
    let mut tape = Tape::new();
    let Ok(json) = tape.parse_document(context) else { return Default::default() };
    let text = |path: [&str; 2]| owned(json.path(&path));
    let hook = Hook {
        cwd: text(["hook", "cwd"]),
        git: Git {
            branch: text(["hook", "git_branch"]),
            remote: text(["hook", "git_remote"]),
            head: text(["hook", "head_sha"]),
            root: text(["hook", "repo_root"]),
        },
    };
    let meta = Meta {
        agent_type: text(["meta", "agentType"]),
        description: text(["meta", "description"]),
        tool_use: text(["meta", "toolUseId"]),
    };
    let agents = json.get("agents").map(|agents| agents.items().filter_map(Value::non_empty));
    let title = owned(json.get("title"));
    Beside { hook, meta, agents: agents.into_iter().flatten().collect(), title }
}

impl Hook {
    /// Returns the context of a thread that begins with this line.
    pub(crate) fn thread(&self, line: &Line<'_>) -> Context {
        let unset = Context { git: self.git.clone(), ..Context::default() };
        let context = self.message(line, None, &unset).unwrap_or(unset);
        // The mode is a prompt's: lines in answer to it do not repeat it, and the next prompt may have another.
        Context { permission_mode: None, ..context }
    }

    /// Returns the context of a message, if it is not that of its thread. What a line leaves out is as in the thread.
    pub(crate) fn message(
        &self,
        line: &Line<'_>,
        model: Option<String>,
        thread: &Context,
    ) -> Option<Context> {
        let from_hook = |noted: &Option<String>, said: Option<Value<'_>>| match noted {
            Some(noted) => Some(noted.clone()),
            None => owned(said),
        };
        let is_same = model.is_none()
            && (self.cwd.is_some() || is_as(&thread.cwd, line.cwd))
            && (self.git.branch.is_some() || is_branch(&thread.git.branch, line.branch))
            && is_as(&thread.client_version, line.version)
            && is_as(&thread.entrypoint, line.entrypoint)
            && is_as(&thread.user_type, line.user_type)
            && owned(line.permission_mode).is_none()
            && is_as(&thread.agent_id, line.agent)
            && line
                .is_sidechain
                .and_then(Value::bool)
                .is_none_or(|it| thread.is_sidechain == Some(it))
            && (self.cwd.is_none() || thread.cwd == self.cwd);
        if is_same {
            return None;
        }
        let or = |said: Option<String>, known: &Option<String>| said.or_else(|| known.clone());
        let branch = match line.branch {
            Some(branch) if self.git.branch.is_none() => branch_of(branch).map(Cow::into_owned),
            _ => thread.git.branch.clone(),
        };
        Some(Context {
            cwd: or(from_hook(&self.cwd, line.cwd), &thread.cwd),
            git: Git { branch, ..thread.git.clone() },
            client_version: or(owned(line.version), &thread.client_version),
            entrypoint: or(owned(line.entrypoint), &thread.entrypoint),
            user_type: or(owned(line.user_type), &thread.user_type),
            permission_mode: owned(line.permission_mode),
            agent_id: or(owned(line.agent), &thread.agent_id),
            is_sidechain: line.is_sidechain.and_then(Value::bool).or(thread.is_sidechain),
            model,
        })
    }
}

/// Returns true where a line says nothing, or what is known.
fn is_as(known: &Option<String>, said: Option<Value<'_>>) -> bool {
    match said.and_then(Value::str) {
        Some(said) if !said.is_empty() => known.as_deref() == Some(&*said),
        _ => true,
    }
}

fn is_branch(known: &Option<String>, said: Option<Value<'_>>) -> bool {
    said.is_none_or(|said| known.as_deref() == branch_of(said).as_deref())
}

/// Returns a branch. Outside of git the client writes nothing or `HEAD`.
fn branch_of(value: Value<'_>) -> Option<Cow<'_, str>> {
    value.str().filter(|branch| !branch.is_empty() && branch != "HEAD")
}
