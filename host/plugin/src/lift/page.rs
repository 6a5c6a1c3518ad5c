//! From guest memory to the host's own events.

use hyp_model::event as own;
use hyp_model::item::{Datum, Item, Origin};
use wasmtime::Result;

use super::copier::Copier;
use super::shape::*;

const PART_COST: usize = 96;
const PAIR_COST: usize = 32;

/// Copies one event.
pub(crate) fn copy_event(copier: &mut Copier<'_>, event: LEvent) -> Result<own::Event> {
    Ok(match event {
        LEvent::ThreadStart(it) => own::Event::ThreadStart(Box::new(thread(copier, &it)?)),
        LEvent::Message(it) => own::Event::Message(Box::new(message(copier, &it)?)),
        LEvent::ThreadEnd => own::Event::ThreadEnd,
        LEvent::Fact(it) => own::Event::Fact(own::Fact {
            about: match &it.about {
                LSubject::ThisThread => own::Subject::ThisThread,
                LSubject::Thread(id) => own::Subject::Thread(copier.string(id)?),
                LSubject::HolderOf(id) => own::Subject::HolderOf(copier.string(id)?),
            },
            name: copier.string(&it.name)?,
            value: copier.string(&it.value)?,
            rank: it.rank,
        }),
        LEvent::Item(it) => own::Event::Item(span(&it.span), item(copier, &it.item)?),
        LEvent::Skip(it) => own::Event::Skip(own::Skip {
            span: span(&it.span),
            kind: copier.string(&it.kind)?,
            count: it.count,
        }),
        LEvent::Failure(it) => own::Event::Failure(own::Failure {
            span: span(&it.span),
            class: match it.class {
                LFailureClass::Malformed => own::FailureClass::Malformed,
                LFailureClass::Unknown => own::FailureClass::Unknown,
                LFailureClass::TooLong => own::FailureClass::TooLong,
                LFailureClass::Unavailable => own::FailureClass::Unavailable,
            },
            reason: copier.string(&it.reason)?,
        }),
        LEvent::Note(it) => own::Event::Note(own::Note {
            event: copier.string(&it.event)?,
            attributes: copier.list(&it.attributes, PAIR_COST, |copier, pair| {
                Ok((copier.string(&pair.name)?, copier.string(&pair.value)?))
            })?,
        }),
        LEvent::Timing(it) => own::Event::Timing(own::Timing {
            id: copier.string(&it.id)?,
            elapsed_ms: it.elapsed_ms,
        }),
    })
}

fn item(copier: &mut Copier<'_>, it: &LItem) -> Result<Item> {
    Ok(Item {
        kind: copier.string(&it.kind)?,
        origin: Origin {
            system: copier.string(&it.origin.system)?,
            id: copier.string(&it.origin.id)?,
            ended_at: it.origin.ended_at,
        },
        cells: copier.list(&it.cells, PAIR_COST, |copier, cell| {
            Ok((copier.string(&cell.column)?, datum(copier, &cell.value)?))
        })?,
    })
}

fn datum(copier: &mut Copier<'_>, it: &LDatum) -> Result<Datum> {
    Ok(match it {
        LDatum::Null => Datum::Null,
        LDatum::Boolean(flag) => Datum::Boolean(*flag),
        LDatum::Integer(number) => Datum::Integer(*number),
        LDatum::Real(number) => Datum::Real(*number),
        LDatum::Text(text) => Datum::Text(copier.string(text)?),
        LDatum::Timestamp(at) => Datum::Timestamp(*at),
        LDatum::Json(text) => Datum::Json(copier.string(text)?),
    })
}

fn thread(copier: &mut Copier<'_>, it: &LThread) -> Result<own::Thread> {
    Ok(own::Thread {
        id: copier.string(&it.id)?,
        provider: copier.string(&it.provider)?,
        session_id: copier.string(&it.session_id)?,
        conversation_id: copier.maybe(it.conversation_id.as_ref())?,
        client: copier.string(&it.client)?,
        kind: match it.kind {
            LThreadKind::Main => own::ThreadKind::Main,
            LThreadKind::Subagent => own::ThreadKind::Subagent,
            LThreadKind::Review => own::ThreadKind::Review,
            LThreadKind::Side => own::ThreadKind::Side,
        },
        started_at: it.started_at,
        forked_from: copier.maybe(it.forked_from.as_ref())?,
        parent_thread_id: copier.maybe(it.parent_thread_id.as_ref())?,
        root_thread_id: copier.maybe(it.root_thread_id.as_ref())?,
        spawned_by_call: copier.maybe(it.spawned_by_call.as_ref())?,
        may_start_with_copy: it.may_start_with_copy,
        context: context(copier, &it.context)?,
        attributes: copier.maybe(it.attributes.as_ref())?,
    })
}

fn context(copier: &mut Copier<'_>, it: &LContext) -> Result<own::Context> {
    Ok(own::Context {
        cwd: copier.maybe(it.cwd.as_ref())?,
        git: own::Git {
            branch: copier.maybe(it.git.branch.as_ref())?,
            remote: copier.maybe(it.git.remote.as_ref())?,
            head: copier.maybe(it.git.head.as_ref())?,
            root: copier.maybe(it.git.root.as_ref())?,
        },
        client_version: copier.maybe(it.client_version.as_ref())?,
        entrypoint: copier.maybe(it.entrypoint.as_ref())?,
        user_type: copier.maybe(it.user_type.as_ref())?,
        permission_mode: copier.maybe(it.permission_mode.as_ref())?,
        agent_id: copier.maybe(it.agent_id.as_ref())?,
        is_sidechain: it.is_sidechain,
        model: copier.maybe(it.model.as_ref())?,
    })
}

fn message(copier: &mut Copier<'_>, it: &LMessage) -> Result<own::Message> {
    let context = it.context.as_ref().map(|it| context(copier, it)).transpose()?;
    Ok(own::Message {
        span: span(&it.span),
        id: copier.maybe(it.id.as_ref())?,
        role: copier.string(&it.role)?,
        created_at: it.created_at,
        response_id: copier.maybe(it.response_id.as_ref())?,
        usage: it.usage.as_ref().map(usage),
        stop_reason: copier.maybe(it.stop_reason.as_ref())?,
        context: context.map(Box::new),
        provider_uuid: copier.maybe(it.provider_uuid.as_ref())?,
        parent_uuid: copier.maybe(it.parent_uuid.as_ref())?,
        logical_parent_uuid: copier.maybe(it.logical_parent_uuid.as_ref())?,
        source_tool_assistant_uuid: copier.maybe(it.source_tool_assistant_uuid.as_ref())?,
        request_id: copier.maybe(it.request_id.as_ref())?,
        prompt_id: copier.maybe(it.prompt_id.as_ref())?,
        provider_type: copier.maybe(it.provider_type.as_ref())?,
        provider_subtype: copier.maybe(it.provider_subtype.as_ref())?,
        attachment_type: copier.maybe(it.attachment_type.as_ref())?,
        hook_event: copier.maybe(it.hook_event.as_ref())?,
        is_compact_summary: it.is_compact_summary,
        compact_metadata: copier.maybe(it.compact_metadata.as_ref())?,
        attributes: copier.maybe(it.attributes.as_ref())?,
        raw_frame: copier.maybe(it.raw_frame.as_ref())?,
        identity: copier.maybe(it.identity.as_ref())?,
        is_copy: it.is_copy,
        parts: copier.list(&it.parts, PART_COST, |copier, part| {
            Ok(own::Part {
                block_type: copier.string(&part.block_type)?,
                content: content(copier, &part.content)?,
            })
        })?,
    })
}

fn content(copier: &mut Copier<'_>, it: &LContent) -> Result<own::Content> {
    Ok(match it {
        LContent::Text(it) => own::Content::Text(text(copier, it)?),
        LContent::Thinking(it) => own::Content::Thinking(own::Thinking {
            text: maybe_text(copier, it.text.as_ref())?,
            signature: copier.maybe(it.signature.as_ref())?,
        }),
        LContent::ToolCall(it) => own::Content::ToolCall(own::ToolCall {
            id: copier.maybe(it.id.as_ref())?,
            name: copier.maybe(it.name.as_ref())?,
            input: copier.maybe(it.input.as_ref())?,
            caller_type: copier.maybe(it.caller_type.as_ref())?,
        }),
        LContent::ToolResult(it) => own::Content::ToolResult(own::ToolResult {
            call_id: copier.maybe(it.call_id.as_ref())?,
            text: maybe_text(copier, it.text.as_ref())?,
            content: copier.maybe(it.content.as_ref())?,
            is_error: it.is_error,
        }),
        LContent::Image(it) => own::Content::Image(blob(copier, it)?),
        LContent::File(it) => own::Content::File(blob(copier, it)?),
        LContent::Error(it) => own::Content::Error(own::ErrorBlock {
            code: copier.maybe(it.code.as_ref())?,
            message: maybe_text(copier, it.message.as_ref())?,
        }),
        LContent::Other(it) => own::Content::Other(maybe_text(copier, it.as_ref())?),
    })
}

fn text(copier: &mut Copier<'_>, it: &LText) -> Result<own::Text> {
    Ok(own::Text { value: copier.string(&it.value)?, literal: copier.maybe(it.literal.as_ref())? })
}

fn maybe_text(copier: &mut Copier<'_>, it: Option<&LText>) -> Result<Option<own::Text>> {
    it.map(|it| text(copier, it)).transpose()
}

fn blob(copier: &mut Copier<'_>, it: &LBlob) -> Result<own::Blob> {
    Ok(own::Blob {
        media_type: copier.maybe(it.media_type.as_ref())?,
        encoded_length: it.encoded_length,
    })
}

fn usage(it: &LUsage) -> own::Usage {
    own::Usage {
        input: it.input,
        output: it.output,
        cache_read: it.cache_read,
        cache_write: it.cache_write,
        cache_write_1h: it.cache_write_1h,
        reasoning: it.reasoning,
        total: it.total,
    }
}

fn span(it: &LSpan) -> own::Span {
    own::Span { input: it.input, offset: it.offset, length: it.length }
}
