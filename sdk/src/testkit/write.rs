//! A run as JSON that people read: what is absent is left out, spans are `input:offset+length`.

use super::Run;
use crate::json::{Object, quote};
use crate::{
    Content, Context, Datum, Event, Fault, Message, Note, Part, Span, Subject, Text, Thread, Usage,
    time,
};

/// Writes a run with one event a line.
pub(super) fn to_json(run: &Run) -> String {
    let mut out = String::from("{\n");
    let ignored = run.ignored.iter().map(|ignored| {
        let mut o = Object::new();
        o.u64("entry", ignored.entry.into()).text("kind", &ignored.kind);
        done(o)
    });
    list(&mut out, "  ", "ignored", ignored);
    list(&mut out, "  ", "not_planned", run.not_planned.iter().map(|path| quote(path)));
    list(&mut out, "  ", "notes", run.notes.iter().map(|it| done(note(it))));
    out.push_str("  \"units\": [");
    for (index, unit) in run.units.iter().enumerate() {
        out.push_str(if index == 0 { "\n    {\n" } else { ",\n    {\n" });
        out.push_str(&format!("      \"id\": {},\n", quote(&unit.id)));
        if let Some(it) = &unit.fault {
            out.push_str(&format!("      \"fault\": {},\n", quote(&fault(it))));
        }
        list(&mut out, "      ", "inputs", unit.inputs.iter().map(|path| quote(path)));
        let counters = unit.counters.iter().map(|counter| {
            let mut o = Object::new();
            o.text("thread_id", &counter.thread_id).u64(&counter.name, counter.value);
            done(o)
        });
        list(&mut out, "      ", "counters", counters);
        list(&mut out, "      ", "events", unit.events.iter().map(event));
        out.truncate(out.trim_end_matches([',', '\n']).len());
        out.push_str("\n    }");
    }
    out.push_str(if run.units.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
    out
}

/// Writes a list, one item a line; an empty one is left out.
fn list(out: &mut String, indent: &str, name: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.map(|item| format!("{indent}  {item}")).collect();
    if !items.is_empty() {
        out.push_str(&format!("{indent}\"{name}\": [\n{}\n{indent}],\n", items.join(",\n")));
    }
}

fn done(object: Object) -> String {
    object.finish().unwrap_or_else(|| "{}".to_owned())
}

fn event(event: &Event) -> String {
    let mut o = Object::new();
    match event {
        Event::ThreadStart(it) => o.object("thread_start", thread(it)),
        Event::Message(it) => o.object("message", message(it)),
        Event::ThreadEnd => o.bool("thread_end", true),
        Event::Fact(it) => {
            let mut fact = Object::new();
            match &it.about {
                Subject::ThisThread => fact.text("about", "this-thread"),
                Subject::Thread(id) => fact.text("thread", id),
                Subject::HolderOf(id) => fact.text("holder_of", id),
            };
            fact.text("name", &it.name).text("value", &it.value).u64("rank", it.rank.into());
            o.object("fact", fact)
        }
        Event::Item(it) => {
            let mut item = Object::new();
            let origin = &it.item.origin;
            item.text("kind", &it.item.kind).text("system", &origin.system).text("id", &origin.id);
            item.maybe_text("ended_at", origin.ended_at.map(time::format).as_deref());
            for cell in &it.item.cells {
                item.raw(&cell.column, &datum(&cell.value));
            }
            item.text("span", &span(it.span));
            o.object("item", item)
        }
        Event::Timing(it) => {
            let mut timing = Object::new();
            timing.text("id", &it.id).u64("elapsed_ms", it.elapsed_ms.into());
            o.object("timing", timing)
        }
        Event::Skip(it) => {
            let mut skip = Object::new();
            skip.text("kind", &it.kind).u64("count", it.count.into()).text("span", &span(it.span));
            o.object("skip", skip)
        }
        Event::Failure(it) => {
            let mut failure = Object::new();
            failure.text("class", &word(it.class));
            failure.text("reason", &it.reason).text("span", &span(it.span));
            o.object("failure", failure)
        }
        Event::Note(it) => o.object("note", note(it)),
    };
    done(o)
}

/// Writes a value as JSON; a time is written as a text.
fn datum(datum: &Datum) -> String {
    match datum {
        Datum::Null => "null".to_owned(),
        Datum::Boolean(flag) => flag.to_string(),
        Datum::Integer(number) => number.to_string(),
        Datum::Real(number) => number.to_string(),
        Datum::Text(text) => quote(text),
        Datum::Timestamp(at) => quote(&time::format(*at)),
        Datum::Json(text) => text.clone(),
    }
}

/// Returns the name of an enum's case; the generated types print as `Enum::Case`.
fn word(case: impl std::fmt::Debug) -> String {
    let case = format!("{case:?}");
    case.rsplit("::").next().unwrap_or_default().to_lowercase()
}

fn span(span: Span) -> String {
    format!("{}:{}+{}", span.input, span.offset, span.length)
}

fn fault(fault: &Fault) -> String {
    match fault {
        Fault::Source(reason) => format!("source: {reason}"),
        Fault::Internal(reason) => format!("internal: {reason}"),
    }
}

fn note(note: &Note) -> Object {
    let mut o = Object::new();
    o.text("event", &note.event);
    for pair in &note.attributes {
        o.text(&pair.name, &pair.value);
    }
    o
}

fn thread(thread: &Thread) -> Object {
    let mut o = Object::new();
    o.text("id", &thread.id)
        .text("provider", &thread.provider)
        .text("session_id", &thread.session_id)
        .maybe_text("conversation_id", thread.conversation_id.as_deref())
        .text("client", &thread.client)
        .text("kind", &word(thread.kind))
        .maybe_text("started_at", thread.started_at.map(time::format).as_deref())
        .maybe_text("forked_from", thread.forked_from.as_deref())
        .maybe_text("parent_thread_id", thread.parent_thread_id.as_deref())
        .maybe_text("root_thread_id", thread.root_thread_id.as_deref())
        .maybe_text("spawned_by_call", thread.spawned_by_call.as_deref())
        .maybe_bool("may_start_with_copy", thread.may_start_with_copy.then_some(true))
        .object("context", context(&thread.context))
        .maybe_raw("attributes", thread.attributes.as_deref());
    o
}

fn context(context: &Context) -> Object {
    let mut git = Object::new();
    git.maybe_text("branch", context.git.branch.as_deref())
        .maybe_text("remote", context.git.remote.as_deref())
        .maybe_text("head", context.git.head.as_deref())
        .maybe_text("root", context.git.root.as_deref());
    let mut o = Object::new();
    o.maybe_text("cwd", context.cwd.as_deref())
        .object("git", git)
        .maybe_text("client_version", context.client_version.as_deref())
        .maybe_text("entrypoint", context.entrypoint.as_deref())
        .maybe_text("user_type", context.user_type.as_deref())
        .maybe_text("permission_mode", context.permission_mode.as_deref())
        .maybe_text("agent_id", context.agent_id.as_deref())
        .maybe_bool("is_sidechain", context.is_sidechain)
        .maybe_text("model", context.model.as_deref());
    o
}

fn message(message: &Message) -> Object {
    let mut o = Object::new();
    o.text("span", &span(message.span))
        .maybe_text("id", message.id.as_deref())
        .text("role", &message.role)
        .maybe_text("created_at", message.created_at.map(time::format).as_deref())
        .maybe_text("response_id", message.response_id.as_deref())
        .maybe_raw("usage", message.usage.as_ref().map(|it| done(usage(it))).as_deref())
        .maybe_text("stop_reason", message.stop_reason.as_deref())
        .maybe_raw("context", message.context.as_ref().map(|it| done(context(it))).as_deref())
        .maybe_text("provider_uuid", message.provider_uuid.as_deref())
        .maybe_text("parent_uuid", message.parent_uuid.as_deref())
        .maybe_text("logical_parent_uuid", message.logical_parent_uuid.as_deref())
        .maybe_text("source_tool_assistant_uuid", message.source_tool_assistant_uuid.as_deref())
        .maybe_text("request_id", message.request_id.as_deref())
        .maybe_text("prompt_id", message.prompt_id.as_deref())
        .maybe_text("provider_type", message.provider_type.as_deref())
        .maybe_text("provider_subtype", message.provider_subtype.as_deref())
        .maybe_text("attachment_type", message.attachment_type.as_deref())
        .maybe_text("hook_event", message.hook_event.as_deref())
        .maybe_bool("is_compact_summary", message.is_compact_summary)
        .maybe_raw("compact_metadata", message.compact_metadata.as_deref())
        .maybe_raw("attributes", message.attributes.as_deref())
        .maybe_raw("raw_frame", message.raw_frame.as_deref())
        .maybe_raw("identity", message.identity.as_deref())
        .maybe_bool("is_copy", message.is_copy.then_some(true));
    let parts: Vec<String> = message.parts.iter().map(|it| done(part(it))).collect();
    o.raw("parts", &format!("[{}]", parts.join(",")));
    o
}

fn usage(usage: &Usage) -> Object {
    let mut o = Object::new();
    o.maybe_u64("input", usage.input)
        .maybe_u64("output", usage.output)
        .maybe_u64("cache_read", usage.cache_read)
        .maybe_u64("cache_write", usage.cache_write)
        .maybe_u64("cache_write_1h", usage.cache_write1h)
        .maybe_u64("reasoning", usage.reasoning)
        .maybe_u64("total", usage.total);
    o
}

fn part(part: &Part) -> Object {
    let mut o = Object::new();
    o.text("block_type", &part.block_type);
    let mut content = Object::new();
    let name = match &part.content {
        Content::Text(it) => {
            o.raw("text", &text(it));
            return o;
        }
        Content::Thinking(it) => {
            content
                .maybe_raw("text", maybe(&it.text).as_deref())
                .maybe_text("signature", it.signature.as_deref());
            "thinking"
        }
        Content::ToolCall(it) => {
            content
                .maybe_text("id", it.id.as_deref())
                .maybe_text("name", it.name.as_deref())
                .maybe_raw("input", it.input.as_deref())
                .maybe_text("caller_type", it.caller_type.as_deref());
            "tool_call"
        }
        Content::ToolResult(it) => {
            content
                .maybe_text("call_id", it.call_id.as_deref())
                .maybe_raw("text", maybe(&it.text).as_deref())
                .maybe_raw("content", it.content.as_deref())
                .maybe_bool("is_error", it.is_error);
            "tool_result"
        }
        Content::Image(it) | Content::File(it) => {
            content.maybe_text("media_type", it.media_type.as_deref());
            content.u64("encoded_length", it.encoded_length);
            if matches!(part.content, Content::Image(_)) { "image" } else { "file" }
        }
        Content::Error(it) => {
            content
                .maybe_text("code", it.code.as_deref())
                .maybe_raw("message", maybe(&it.message).as_deref());
            "error"
        }
        Content::Other(it) => {
            content.maybe_raw("text", maybe(it).as_deref());
            "other"
        }
    };
    o.raw(name, &done(content));
    o
}

/// Writes text as a string; where that could not hold it, as the literal it came from.
fn text(text: &Text) -> String {
    text.literal.clone().unwrap_or_else(|| quote(&text.value))
}

fn maybe(content: &Option<Text>) -> Option<String> {
    content.as_ref().map(text)
}
