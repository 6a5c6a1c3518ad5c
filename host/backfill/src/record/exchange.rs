//! A projected exchange, as live captures have it, and the events that it stands for.
//!
//! Values are taken as they are written, so that what is hashed or stored whole is what a recording would give.

use std::collections::BTreeMap;

use hyp_model::event::{Context, Event, Git, Message, Micros, Thread, ThreadKind, Usage};
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::blocks::{self, Object, string, text};

/// One thread of an exchange.
pub(crate) struct Told {
    /// Name of the provider that reads the recordings of this client.
    pub(crate) provider: String,
    pub(crate) thread_id: String,
    pub(crate) events: Vec<Event>,
}

/// Reads an exchange; each of its agents has a thread of its own, unless the exchange names its thread.
///
/// # Errors
/// Says what is missing.
pub(crate) fn threads(json: &RawValue) -> Result<Vec<Told>, String> {
    let exchange = blocks::object(json).ok_or("it is no object")?;
    let needed = |key: &str| {
        let said = string(&exchange, key).filter(|text| !text.is_empty());
        said.ok_or_else(|| format!("`{key}` is missing, or no text"))
    };
    let (vendor, session) = (needed("provider")?, needed("session_id")?);
    let messages = exchange.get("messages").and_then(|it| blocks::array(it));
    let messages = messages.ok_or("`messages` is missing, or no array")?;
    let conversation = string(&exchange, "conversation_id").filter(|id| !id.is_empty());
    let client =
        ["client_name", "conversation_source"].iter().find_map(|key| string(&exchange, key));
    let client = client.unwrap_or_else(|| vendor.clone());

    let mut by_agent: BTreeMap<Option<String>, Vec<Object<'_>>> = BTreeMap::new();
    for message in &messages {
        let message = blocks::object(message).ok_or("a message is no object")?;
        let agent = string(&message, "agent_id").or_else(|| string(&exchange, "agent_id"));
        let key = agent.filter(|agent| !agent.is_empty() && conversation.is_none());
        by_agent.entry(key).or_default().push(message);
    }
    let told = by_agent.into_iter().map(|(agent, messages)| {
        let head = head(&exchange, (&vendor, &session, &client), conversation.clone(), agent);
        let thread_id = head.id.clone();
        let context = head.context.clone();
        let mut events = vec![Event::ThreadStart(Box::new(head))];
        events.extend(messages.iter().map(|it| Event::Message(Box::new(message(it, &context)))));
        events.push(Event::ThreadEnd);
        Told { provider: reader_of(&client).to_owned(), thread_id, events }
    });
    Ok(told.collect())
}

/// Returns the provider that reads what a client records.
fn reader_of(client: &str) -> &str {
    if client == "claude-desktop" { "claude" } else { client }
}

fn head(
    exchange: &Object<'_>,
    (vendor, session, client): (&str, &str, &str),
    conversation: Option<String>,
    agent: Option<String>,
) -> Thread {
    let is_sidechain = blocks::bool(exchange, "is_sidechain").or(agent.as_ref().map(|_| true));
    let id = match (&conversation, &agent) {
        (Some(conversation), _) => conversation.clone(),
        (None, Some(agent)) => format!("{session}/agent-{agent}"),
        (None, None) => session.to_owned(),
    };
    let parent = string(exchange, "parent_thread_id");
    let parent = parent.or_else(|| agent.as_ref().map(|_| session.to_owned()));
    let text = |key| string(exchange, key);
    Thread {
        kind: match agent.is_some() || parent.is_some() {
            true => ThreadKind::Subagent,
            false => ThreadKind::Main,
        },
        provider: vendor.to_owned(),
        session_id: session.to_owned(),
        conversation_id: conversation,
        client: client.to_owned(),
        started_at: time(exchange, "conversation_started_at"),
        root_thread_id: agent.as_ref().map(|_| session.to_owned()),
        parent_thread_id: parent,
        context: Context {
            cwd: text("cwd"),
            git: Git {
                branch: text("git_branch"),
                remote: text("git_remote"),
                head: text("head_sha"),
                root: text("repo_root"),
            },
            client_version: text("client_version"),
            entrypoint: text("entrypoint"),
            user_type: text("user_type"),
            permission_mode: text("permission_mode"),
            agent_id: agent.or_else(|| text("agent_id")),
            is_sidechain,
            model: text("model"),
        },
        attributes: blocks::whole_object(exchange, "attributes"),
        id,
        ..Thread::default()
    }
}

fn message(json: &Object<'_>, thread: &Context) -> Message {
    let said = |key| string(json, key);
    let content = json.get("content").copied();
    let role = said("role").unwrap_or_default();
    let frame = json.get("raw_frame").and_then(|frame| blocks::object(frame));
    let framed = frame.as_ref().and_then(|frame| string(frame, "message_id"));
    let request_id = said("request_id");
    // A response is told by the id that the API gave it, which captures keep in the frame.
    let response_id = said("response_id").or(framed).or_else(|| request_id.clone());
    let id = said("message_id").filter(|id| !id.is_empty());
    Message {
        identity: content.filter(|_| id.is_none()).and_then(blocks::identity),
        created_at: time(json, "message_created_at"),
        response_id: response_id.filter(|_| role == "assistant"),
        usage: usage(json).filter(|_| role == "assistant"),
        stop_reason: said("stop_reason"),
        context: context(json, thread).map(Box::new),
        provider_uuid: said("provider_uuid"),
        parent_uuid: said("parent_uuid"),
        logical_parent_uuid: said("logical_parent_uuid"),
        source_tool_assistant_uuid: said("source_tool_assistant_uuid"),
        prompt_id: said("prompt_id"),
        provider_type: said("provider_type"),
        provider_subtype: said("provider_subtype"),
        attachment_type: said("attachment_type"),
        hook_event: said("hook_event"),
        is_compact_summary: blocks::bool(json, "is_compact_summary"),
        compact_metadata: json
            .get("compact_metadata")
            .map(|it| it.get().to_owned())
            .filter(|it| it != "null"),
        attributes: blocks::whole_object(json, "attributes"),
        raw_frame: blocks::whole_object(json, "raw_frame"),
        parts: content.map(blocks::parts).unwrap_or_default(),
        request_id,
        role,
        id,
        ..Message::default()
    }
}

/// Returns what holds for a message, where it says something else than its thread.
fn context(json: &Object<'_>, thread: &Context) -> Option<Context> {
    let or = |key, known: &Option<String>| string(json, key).or_else(|| known.clone());
    let own = Context {
        cwd: or("cwd", &thread.cwd),
        git: Git { branch: or("git_branch", &thread.git.branch), ..thread.git.clone() },
        client_version: or("client_version", &thread.client_version),
        entrypoint: or("entrypoint", &thread.entrypoint),
        user_type: or("user_type", &thread.user_type),
        permission_mode: or("permission_mode", &thread.permission_mode),
        agent_id: or("agent_id", &thread.agent_id),
        is_sidechain: blocks::bool(json, "is_sidechain").or(thread.is_sidechain),
        model: or("model", &thread.model),
    };
    (own != *thread).then_some(own)
}

/// Returns the tokens that a message carries, under the names that stored rows have.
fn usage(json: &Object<'_>) -> Option<Usage> {
    let attributes = blocks::object(json.get("attributes")?)?;
    let usage = blocks::object(attributes.get("usage")?)?;
    let count = |key: &str| serde_json::from_str(usage.get(key)?.get()).ok();
    Some(Usage {
        input: count("input_tokens"),
        output: count("output_tokens"),
        cache_read: count("cache_read_tokens"),
        cache_write: count("cache_write_tokens"),
        cache_write_1h: count("cache_write_1h_tokens"),
        reasoning: count("reasoning_tokens"),
        total: count("total_tokens"),
    })
}

fn time(json: &Object<'_>, key: &str) -> Option<Micros> {
    let text = text(json, key)?.value;
    text.parse::<Timestamp>().ok().map(|time| time.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<Told>, String> {
        threads(serde_json::from_str::<&RawValue>(json).unwrap())
    }

    #[test]
    fn what_makes_no_exchange_is_named() {
        for (json, words) in [
            ("[]", "it is no object"),
            (r#"{"session_id":"s","messages":[]}"#, "`provider` is missing"),
            (
                r#"{"provider":"anthropic","session_id":"","messages":[]}"#,
                "`session_id` is missing",
            ),
            (r#"{"provider":"anthropic","session_id":"s","messages":{}}"#, "`messages` is missing"),
        ] {
            let error = read(json).err().unwrap();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn each_agent_has_a_thread_of_its_own() {
        let told = read(
            r#"{"provider":"anthropic","session_id":"s","client_name":"claude-desktop","messages":[
                {"role":"user","content":"a"},
                {"role":"user","content":"b","agent_id":"7"},
                {"role":"assistant","content":[{"type":"text","text":"c"}]}]}"#,
        )
        .unwrap();
        let ids: Vec<_> = told.iter().map(|it| (it.thread_id.as_str(), it.events.len())).collect();
        assert_eq!(ids, [("s", 4), ("s/agent-7", 3)]);
        assert!(told.iter().all(|it| it.provider == "claude"));
        let Event::ThreadStart(agent) = &told[1].events[0] else { panic!("a thread begins") };
        assert_eq!(
            (agent.kind, agent.parent_thread_id.as_deref()),
            (ThreadKind::Subagent, Some("s"))
        );
    }

    #[test]
    fn a_thread_that_is_named_is_one_whatever_its_agents() {
        let told = read(
            r#"{"provider":"openai","session_id":"s","conversation_id":"t","conversation_source":"codex",
                "messages":[{"role":"user","content":"b","agent_id":"7"}]}"#,
        )
        .unwrap();
        assert_eq!(
            (told.len(), told[0].thread_id.as_str(), told[0].provider.as_str()),
            (1, "t", "codex")
        );
    }
}
