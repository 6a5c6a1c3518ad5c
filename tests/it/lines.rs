//! Lines of transcripts, as short as the clients' shapes allow.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// A Claude Code session while it is written.
pub(crate) struct Claude {
    session: &'static str,
    version: &'static str,
    agent: Option<&'static str>,
    minute: u32,
    cwd: String,
    text: String,
}

impl Claude {
    /// Starts a session.
    pub(crate) fn new(session: &'static str) -> Self {
        Self {
            session,
            version: "2.1.100",
            agent: None,
            minute: 0,
            cwd: "/home/ada/tide-tables".into(),
            text: String::new(),
        }
    }

    /// Starts one of the version that copies history under new ids when it resumes.
    pub(crate) fn old(session: &'static str) -> Self {
        Self { version: "1.0.80", ..Self::new(session) }
    }

    /// Starts the recording of a sub-agent.
    pub(crate) fn subagent(session: &'static str, agent: &'static str) -> Self {
        Self { agent: Some(agent), ..Self::new(session) }
    }

    /// Goes on at this minute of the hour; each line takes one.
    pub(crate) fn at(mut self, minute: u32) -> Self {
        self.minute = minute;
        self
    }

    /// Goes on in this folder.
    pub(crate) fn within(mut self, cwd: &str) -> Self {
        cwd.clone_into(&mut self.cwd);
        self
    }

    /// Adds what a person says.
    pub(crate) fn says(self, uuid: &str, text: &str) -> Self {
        let message = json!({"role": "user", "content": text});
        self.line("user", uuid, message)
    }

    /// Adds one text block of a response.
    pub(crate) fn answers(self, uuid: &str, response: &str, text: &str, output: u64) -> Self {
        let message = json!({"model": "claude-sonnet-4-6", "id": response, "type": "message",
            "role": "assistant", "content": [{"type": "text", "text": text}],
            "usage": {"input_tokens": 10, "output_tokens": output,
                "cache_creation_input_tokens": 0, "cache_read_input_tokens": 100}});
        self.line("assistant", uuid, message)
    }

    /// Adds a call, and its result.
    pub(crate) fn runs(self, uuid: &str, response: &str, command: &str, result: &str) -> Self {
        let call = format!("toolu_{response}");
        let message = json!({"model": "claude-sonnet-4-6", "id": response, "type": "message",
            "role": "assistant",
            "content": [{"type": "tool_use", "id": call, "name": "Bash",
                "input": {"command": command}}],
            "usage": {"input_tokens": 10, "output_tokens": 5,
                "cache_creation_input_tokens": 0, "cache_read_input_tokens": 100}});
        let answer = json!({"role": "user",
            "content": [{"type": "tool_result", "tool_use_id": call, "content": result}]});
        let answered = format!("{uuid}-r");
        self.line("assistant", uuid, message).line("user", &answered, answer)
    }

    fn line(mut self, kind: &str, uuid: &str, message: Value) -> Self {
        let mut line = json!({"type": kind, "uuid": uuid, "sessionId": self.session,
            "timestamp": format!("2026-10-02T19:{:02}:00.000Z", self.minute),
            "cwd": self.cwd, "gitBranch": "main", "version": self.version,
            "userType": "external", "isSidechain": self.agent.is_some(), "parentUuid": null,
            "message": message});
        if let Some(agent) = self.agent {
            line["agentId"] = agent.into();
        }
        self.text.push_str(&format!("{line}\n"));
        self.minute += 1;
        self
    }

    /// Writes the recording below a home.
    pub(crate) fn write(&self, sandbox: &Sandbox) {
        self.write_to("-home-ada-tide-tables", sandbox);
    }

    /// Writes it into the folder of a project.
    pub(crate) fn write_to(&self, project: &str, sandbox: &Sandbox) {
        let below = match self.agent {
            None => format!("{}.jsonl", self.session),
            Some(agent) => format!("{}/subagents/agent-{agent}.jsonl", self.session),
        };
        let path = format!(".claude/projects/{project}/{below}");
        sandbox.write(&path, self.text.as_bytes());
    }
}

/// Writes a Codex thread with an answer a minute, each of 10 tokens in and 2 out, whose last count says `total`.
pub(crate) fn codex(sandbox: &Sandbox, path: &str, thread: &str, answers: u32, total: (u64, u64)) {
    let line = |minute: u32, kind: &str, payload: Value| {
        let at = format!("2026-03-01T10:{minute:02}:00.000Z");
        json!({"timestamp": at, "type": kind, "payload": payload}).to_string() + "\n"
    };
    let header = json!({"id": thread, "timestamp": "2026-03-01T10:00:00.000Z",
        "cwd": "/home/ada/tides", "originator": "codex_cli_rs", "cli_version": "0.120.0",
        "source": "cli"});
    let mut text = line(0, "session_meta", header);
    for answer in 1..=answers {
        let content = json!([{"type": "output_text", "text": format!("Answer {answer}.")}]);
        let id = format!("msg_{answer:048}");
        let message = json!({"type": "message", "role": "assistant", "content": content, "id": id});
        text.push_str(&line(answer, "response_item", message));
        let so_far = (u64::from(answer) * 10, u64::from(answer) * 2);
        let (input, output) = if answer == answers { total } else { so_far };
        let usage = |input, output| {
            json!({"input_tokens": input, "cached_input_tokens": 0, "output_tokens": output,
                "reasoning_output_tokens": 0, "total_tokens": input + output})
        };
        let info =
            json!({"total_token_usage": usage(input, output), "last_token_usage": usage(10, 2)});
        let count = json!({"type": "token_count", "info": info, "rate_limits": null});
        text.push_str(&line(answer, "event_msg", count));
    }
    sandbox.write(&format!(".codex/{path}"), text.as_bytes());
}
