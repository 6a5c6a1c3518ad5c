//! What files say, as far as it shows without knowing their format.

use std::collections::HashSet;

use super::super::files::File;
use crate::words::COPIED_AT_MOST;
use crate::{Content, Context, Event, Message, Thread, time};

/// How long a time is at most, as it is written.
const LONGEST_TIME: usize = 35;

/// Everything that the files say.
pub(super) struct Said {
    /// All of it, paths too.
    text: String,
    /// What may be a time.
    times: HashSet<i64>,
}

impl Said {
    pub(super) fn of(files: &[File]) -> Self {
        let mut text = String::new();
        for file in files {
            text.push_str(&file.entry.path);
            text.push('\n');
            text.push_str(&String::from_utf8_lossy(&file.bytes));
            text.push('\n');
        }
        let mut times = HashSet::new();
        let digit = |byte: &u8| byte.is_ascii_digit();
        let bytes = text.as_bytes();
        for at in 0..bytes.len() {
            if digit(&bytes[at]) && (at == 0 || !digit(&bytes[at - 1])) {
                numbers(&text[at..], &mut times);
            }
            if bytes[at..].iter().take(4).all(digit) && bytes.get(at + 4) == Some(&b'-') {
                written(&bytes[at..], &mut times);
            }
        }
        Self { text, times }
    }

    /// Returns what an event says that no file does.
    pub(super) fn invented(&self, event: &Event) -> Option<String> {
        match event {
            Event::ThreadStart(thread) => self.in_thread(thread),
            Event::Message(message) => self.in_message(message),
            // How many messages there are is counted.
            Event::Fact(fact) if fact.name == COPIED_AT_MOST => None,
            Event::Fact(fact) => self.word(&fact.value),
            _ => None,
        }
    }

    fn in_thread(&self, thread: &Thread) -> Option<String> {
        let words = [
            &thread.conversation_id,
            &thread.forked_from,
            &thread.parent_thread_id,
            &thread.root_thread_id,
            &thread.spawned_by_call,
        ];
        // The id of a copy may name the folder, too.
        let ids = [&thread.id, &thread.session_id].into_iter().flat_map(|id| id.split(" in "));
        let words = words.into_iter().flatten().map(String::as_str);
        let word = words.chain(ids).find_map(|word| self.word(word));
        word.or_else(|| self.in_context(&thread.context)).or_else(|| self.time(thread.started_at))
    }

    fn in_context(&self, context: &Context) -> Option<String> {
        let words = [
            &context.cwd,
            &context.git.branch,
            &context.git.head,
            &context.client_version,
            &context.entrypoint,
            &context.user_type,
            &context.permission_mode,
            &context.agent_id,
            &context.model,
        ];
        words.into_iter().flatten().find_map(|word| self.word(word))
    }

    fn in_message(&self, message: &Message) -> Option<String> {
        let words = [
            &message.id,
            &message.response_id,
            &message.stop_reason,
            &message.provider_uuid,
            &message.parent_uuid,
            &message.request_id,
            &message.prompt_id,
        ];
        let word = words.into_iter().flatten().find_map(|word| self.word(word));
        let text = || message.parts.iter().find_map(|part| self.in_content(&part.content));
        let context = || message.context.as_ref().and_then(|context| self.in_context(context));
        word.or_else(context).or_else(text).or_else(|| self.time(message.created_at))
    }

    fn in_content(&self, content: &Content) -> Option<String> {
        match content {
            Content::Text(text) => self.word(&text.value),
            Content::Thinking(thinking) => self.word(&thinking.text.as_ref()?.value),
            Content::ToolCall(call) => {
                [&call.id, &call.name].into_iter().flatten().find_map(|word| self.word(word))
            }
            Content::ToolResult(result) => {
                let text = result.text.as_ref().map(|text| text.value.as_str());
                result.call_id.as_deref().into_iter().chain(text).find_map(|word| self.word(word))
            }
            _ => None,
        }
    }

    /// Returns a word or text that is nowhere. Ids may be made of several, and what is written with escapes is passed over.
    fn word(&self, word: &str) -> Option<String> {
        let pieces = word.split(['/', '\n']);
        let mut plain = pieces.filter(|piece| {
            piece.bytes().all(|byte| (b' '..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\'))
        });
        let unknown = plain.find(|piece| !self.text.contains(piece))?;
        Some(format!("invented `{unknown}`"))
    }

    fn time(&self, at: Option<i64>) -> Option<String> {
        let at = at.filter(|at| !self.times.contains(at))?;
        Some(format!("invented {}", time::format(at)))
    }
}

/// Adds the times that a number may mean: milliseconds, or seconds.
fn numbers(text: &str, times: &mut HashSet<i64>) {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    if let Ok(number) = text[..end].parse::<f64>() {
        for number in [number, -number] {
            times.extend([number, number * 1000.0].into_iter().filter_map(time::from_millis));
        }
    }
}

/// Adds the times that stand at the beginning of a text, in the forms of records and of file names.
fn written(bytes: &[u8], times: &mut HashSet<i64>) {
    let longest = &bytes[..bytes.len().min(LONGEST_TIME)];
    let text = String::from_utf8_lossy(longest);
    for end in 10..=text.len() {
        let Some(time) = text.get(..end) else { continue };
        times.extend([time.to_owned(), format!("{time}Z")].iter().filter_map(|it| time::parse(it)));
    }
    let Some(day) = text.get(..10) else { return };
    let clock = text.get(10..19).and_then(|clock| clock.strip_prefix('T'));
    let clock = clock.map(|clock| clock.replace('-', ":"));
    for clock in clock.iter().map(String::as_str).chain(["00:00:00"]) {
        times.extend(time::parse(&format!("{day}T{clock}Z")));
    }
}
