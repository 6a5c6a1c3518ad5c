//! A line of a transcript, taken apart in one pass.

use std::borrow::Cow;

use hyp_sdk::json::Value;
use hyp_sdk::time;

/// Members of a line that go into the attributes of its rows as they are: the client's key, and ours.
#[rustfmt::skip]
const NOTED: [(&str, &str); 27] = [
    ("advisorModel",                "advisor_model"),
    ("apiErrorStatus",              "api_error_status"),
    ("apiErrorType",                "api_error_type"),
    ("attributionAgent",            "attribution_agent"),
    ("attributionMcpServer",        "attribution_mcp_server"),
    ("attributionPlugin",           "attribution_plugin"),
    ("attributionSkill",            "attribution_skill"),
    ("costUSD",                     "cost_usd"),
    ("durationMs",                  "duration_ms"),
    ("effort",                      "effort"),
    ("error",                       "error"),
    ("errorDetails",                "error_details"),
    ("forkedFrom",                  "forked_from"),
    ("interruptedMessageId",        "interrupted_message_id"),
    ("isAbortedMidStream",          "is_aborted_mid_stream"),
    ("isApiErrorMessage",           "is_api_error_message"),
    ("isMeta",                      "is_meta"),
    ("isVisibleInTranscriptOnly",   "is_visible_in_transcript_only"),
    ("level",                       "level"),
    ("messageCount",                "message_count"),
    ("origin",                      "origin"),
    ("promptSource",                "prompt_source"),
    ("sourceToolUseID",             "source_tool_use_id"),
    ("teamName",                    "team_name"),
    ("toolUseID",                   "tool_use_id"),
    ("turnOrigin",                  "turn_origin"),
    ("url",                         "url"),
];

/// Who made a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    /// The client.
    Client,
    /// A person had it made: by a prompt, or a command.
    Person,
    /// A person typed it as it is.
    Typist,
    /// Nothing says who.
    Unsaid,
}

/// What all kinds of lines have in common. Older lines lack much of it, and a few are in snake case.
#[derive(Debug, Default)]
pub(crate) struct Line<'t> {
    pub(crate) kind: Option<Value<'t>>,
    pub(crate) subtype: Option<Value<'t>>,
    pub(crate) uuid: Option<Value<'t>>,
    pub(crate) parent: Option<Value<'t>>,
    pub(crate) logical_parent: Option<Value<'t>>,
    pub(crate) source_tool_assistant: Option<Value<'t>>,
    pub(crate) session: Option<Value<'t>>,
    pub(crate) timestamp: Option<Value<'t>>,
    pub(crate) cwd: Option<Value<'t>>,
    pub(crate) branch: Option<Value<'t>>,
    pub(crate) version: Option<Value<'t>>,
    pub(crate) slug: Option<Value<'t>>,
    pub(crate) entrypoint: Option<Value<'t>>,
    pub(crate) user_type: Option<Value<'t>>,
    pub(crate) permission_mode: Option<Value<'t>>,
    pub(crate) is_sidechain: Option<Value<'t>>,
    pub(crate) agent: Option<Value<'t>>,
    pub(crate) request: Option<Value<'t>>,
    pub(crate) prompt: Option<Value<'t>>,
    pub(crate) is_compact_summary: Option<Value<'t>>,
    pub(crate) compact_metadata: Option<Value<'t>>,
    pub(crate) is_api_error: Option<Value<'t>>,
    pub(crate) forked_from: Option<Value<'t>>,
    pub(crate) request_session: Option<Value<'t>>,
    pub(crate) message: Option<Value<'t>>,
    pub(crate) tool_use_result: Option<Value<'t>>,
    pub(crate) attachment: Option<Value<'t>>,
    pub(crate) content: Option<Value<'t>>,
    pub(crate) error: Option<Value<'t>>,
    /// The plan that the client says is to be carried out.
    pub(crate) plan: Option<Value<'t>>,
    /// What goes into the attributes as it is, under our key.
    pub(crate) noted: Vec<(&'static str, Value<'t>)>,
}

impl<'t> Line<'t> {
    /// Takes an object apart.
    pub(crate) fn of(json: Value<'t>) -> Self {
        let mut line = Self::default();
        for (key, value) in json.entries() {
            if value.is_null() {
                continue;
            }
            line.take(&key, value);
        }
        line
    }

    fn take(&mut self, key: &str, value: Value<'t>) {
        let slot = match key {
            "type" => &mut self.kind,
            "subtype" => &mut self.subtype,
            "uuid" => &mut self.uuid,
            "parentUuid" | "parent_uuid" => &mut self.parent,
            "logicalParentUuid" | "logical_parent_uuid" => &mut self.logical_parent,
            "sourceToolAssistantUUID" | "source_tool_assistant_uuid" => {
                &mut self.source_tool_assistant
            }
            "sessionId" => &mut self.session,
            "timestamp" => &mut self.timestamp,
            "cwd" => &mut self.cwd,
            "gitBranch" => &mut self.branch,
            "version" | "claude_version" => &mut self.version,
            "slug" => &mut self.slug,
            "entrypoint" => &mut self.entrypoint,
            "userType" | "user_type" => &mut self.user_type,
            "permissionMode" | "permission_mode" => &mut self.permission_mode,
            "isSidechain" => &mut self.is_sidechain,
            "agentId" | "agent_id" => &mut self.agent,
            "requestId" | "request_id" => &mut self.request,
            "promptId" | "prompt_id" => &mut self.prompt,
            "isCompactSummary" => &mut self.is_compact_summary,
            "compactMetadata" | "compact_metadata" => &mut self.compact_metadata,
            "message" => &mut self.message,
            "toolUseResult" => &mut self.tool_use_result,
            "attachment" => &mut self.attachment,
            "planContent" => &mut self.plan,
            "content" => &mut self.content,
            _ => return self.note(key, value),
        };
        // Where a line has both spellings, the client's own comes with a capital letter in it.
        if slot.is_none() || !key.contains('_') {
            *slot = Some(value);
        }
    }

    fn note(&mut self, key: &str, value: Value<'t>) {
        match key {
            "error" => self.error = Some(value),
            "isApiErrorMessage" => self.is_api_error = Some(value),
            "forkedFrom" => self.forked_from = Some(value),
            "requestSessionId" => self.request_session = Some(value),
            _ => {}
        }
        if value.bool() == Some(false) {
            return;
        }
        if let Ok(at) = NOTED.binary_search_by(|(theirs, _)| (*theirs).cmp(key)) {
            // Of two with one name the last one stands, as everywhere.
            self.noted.retain(|(key, _)| *key != NOTED[at].1);
            self.noted.push((NOTED[at].1, value));
        }
    }

    /// Returns when the line was written.
    pub(crate) fn time(&self) -> Option<i64> {
        time_of(self.timestamp?)
    }

    /// Returns who made the line, as far as the client says.
    pub(crate) fn author(&self) -> Author {
        let of = |name: &str| self.noted.iter().find(|(noted, _)| *noted == name).map(|it| it.1);
        let source = of("prompt_source").and_then(Value::str);
        let origin = of("origin").and_then(|origin| origin.get("kind")?.str());
        let is_meta = of("is_meta").and_then(Value::bool) == Some(true);
        match (source.as_deref(), origin.as_deref()) {
            _ if is_meta || self.plan.is_some() => Author::Client,
            (Some("system"), _) => Author::Client,
            (_, Some(origin)) if origin != "human" => Author::Client,
            (Some("typed" | "queued"), _) => Author::Typist,
            (_, Some("human")) => Author::Person,
            _ => Author::Unsaid,
        }
    }

    /// Returns the kind of the line.
    pub(crate) fn kind(&self) -> Option<Cow<'t, str>> {
        self.kind?.str()
    }
}

/// Returns a time: text, or a number. Text without a zone is UTC.
fn time_of(value: Value<'_>) -> Option<i64> {
    match value.str() {
        Some(text) => time::parse(&text).or_else(|| time::parse(&format!("{text}Z"))),
        None => value.f64().and_then(of_number),
    }
}

/// Returns the time of a number: of seconds where milliseconds would be in the years up to 1973.
fn of_number(number: f64) -> Option<i64> {
    time::from_millis(if number.abs() < 1e11 { number * 1000.0 } else { number })
}

/// Returns the text of a member that has some.
pub(crate) fn owned(value: Option<Value<'_>>) -> Option<String> {
    value.and_then(Value::non_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_that_the_search_needs() {
        assert!(NOTED.is_sorted_by(|one, other| one.0 < other.0));
    }
}
