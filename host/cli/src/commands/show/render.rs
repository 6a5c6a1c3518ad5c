//! A conversation as people read it, as text or as Markdown.

use std::fmt::Write;

use super::find::Thread;
use super::read::{Conversation, Message, Part};
use crate::commands::typed::behind_tags;
use crate::{moment, terminal, text};

/// What is folded into a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// Nothing.
    Nothing,
    /// Thoughts, calls, results, and what clients put into a person's mouth.
    Details,
}

/// What is written for each kind of thing.
trait Style {
    fn title(&self, out: &mut String, words: &str);
    fn speaker(&self, out: &mut String, words: &str);
    fn said(&self, out: &mut String, text: &str);
    fn detail(&self, out: &mut String, head: &str, line: &str);
    fn whole(&self, out: &mut String, head: &str, text: &str);
    fn rule(&self, out: &mut String, words: &str);
}

/// Text for a terminal.
struct Plain {
    is_styled: bool,
    width: usize,
}

/// Markdown.
struct Marked;

/// Returns the conversation as text.
pub(super) fn text(conversation: &Conversation, fold: Fold) -> String {
    let width = terminal::width().unwrap_or(100);
    render(conversation, fold, &Plain { is_styled: terminal::is_styled(), width })
}

/// Returns the conversation as Markdown.
pub(super) fn markdown(conversation: &Conversation, fold: Fold) -> String {
    render(conversation, fold, &Marked)
}

fn render(conversation: &Conversation, fold: Fold, style: &dyn Style) -> String {
    let mut out = String::new();
    let Conversation { thread, messages, .. } = conversation;
    let asked = || {
        let parts = messages.iter().flat_map(|it| it.parts.iter().map(move |part| (it, part)));
        let is_main = thread.kind == "main";
        let mut prompts = parts.filter(|(it, part)| part.is_typed && !(is_main && it.is_sidechain));
        prompts.next().and_then(|(_, part)| part.text.as_deref()).map(behind_tags)
    };
    let title = thread.title.as_deref().or_else(asked).unwrap_or(&thread.thread_id);
    style.title(&mut out, title);
    for line in about(conversation) {
        style.rule(&mut out, &line);
    }
    let mut subagents = conversation.subagents.iter().peekable();
    let mut speaker = String::new();
    let mut shared: Option<&Message> = None;
    for message in messages {
        while let Some(subagent) = subagents.next_if(|it| it.first_at < message.at) {
            style.rule(&mut out, &started(subagent));
        }
        let is_shared = message.shared_with.is_some() || message.is_copy;
        if let Some(last) = shared.take_if(|_| !is_shared) {
            style.rule(&mut out, &until_here(last));
            speaker.clear();
        }
        shared = is_shared.then_some(message);
        let is_model = message.role == "assistant";
        let says = is_model || message.parts.iter().any(|part| is_said(message, part));
        let next = speaker_of(message);
        if says && speaker != next {
            style.speaker(&mut out, &format!("{next} · {}", moment::show(message.at)));
            speaker = next;
        }
        for part in &message.parts {
            render_part(&mut out, message, part, fold, style);
        }
    }
    for subagent in subagents {
        style.rule(&mut out, &started(subagent));
    }
    out
}

/// Says whose what came before is, after the last message that is not the session's own.
fn until_here(message: &Message) -> String {
    match &message.shared_with {
        Some(thread) => format!("until here shared with another session: hyp show {thread}"),
        None => "until here copied from an earlier session".to_owned(),
    }
}

fn about(conversation: &Conversation) -> [String; 2] {
    let Conversation { thread, messages, .. } = conversation;
    let own = messages.iter().filter(|it| it.shared_with.is_none() && !it.is_copy);
    let tokens: u64 = own.map(|message| message.tokens).sum();
    let (first, last) = (moment::show(thread.first_at), moment::show(thread.last_at));
    let (messages, tokens) = (text::counted(messages.len() as u64, "message"), text::count(tokens));
    let folder = thread.cwd.as_ref().map_or_else(String::new, |cwd| format!(" · {cwd}"));
    [
        format!("session {} · {}", thread.thread_id, thread.client),
        format!("{first} to {last} · {messages} · {tokens} tokens{folder}"),
    ]
}

fn started(thread: &Thread) -> String {
    let name = thread.title.as_deref().unwrap_or(&thread.kind);
    let name = text::headline(name, 60);
    let messages = text::counted(thread.messages, "message");
    format!("{name}, {messages}: hyp show {}", thread.thread_id)
}

fn speaker_of(message: &Message) -> String {
    match message.role.as_str() {
        "user" if message.is_summary => "summary".to_owned(),
        "user" if message.is_sidechain => "task".to_owned(),
        "user" => "you".to_owned(),
        "assistant" => message.model.clone().unwrap_or_else(|| "assistant".to_owned()),
        other => other.to_owned(),
    }
}

/// Says whether a part is what a person or a model said, and not what is around it.
fn is_said(message: &Message, part: &Part) -> bool {
    let has_words = part.text.as_deref().is_some_and(|it| !it.trim().is_empty());
    match message.role.as_str() {
        "user" if !message.is_summary => part.is_typed,
        "user" | "assistant" => part.kind == "text" && has_words,
        _ => false,
    }
}

fn render_part(out: &mut String, message: &Message, part: &Part, fold: Fold, style: &dyn Style) {
    let said = part.text.as_deref().unwrap_or_default();
    if is_said(message, part) {
        style.said(out, said);
        return;
    }
    let tool = part.tool_name.as_deref().unwrap_or("a tool");
    let (head, body) = match part.kind.as_str() {
        "tool_call" => (format!("→ {tool}"), part.tool_args.as_deref().unwrap_or(said)),
        "tool_result" if part.is_error => (format!("✗ {tool}"), said),
        "tool_result" => (format!("← {tool}"), said),
        "reasoning" => ("· thought".to_owned(), said),
        "text" => (format!("· {}", message.role), said),
        kind => (format!("· {kind}"), said),
    };
    match fold {
        Fold::Nothing if !body.trim().is_empty() => style.whole(out, &head, body),
        // An empty thought says nothing, not even that there is more.
        _ if body.trim().is_empty() && part.kind == "reasoning" => {}
        _ => style.detail(out, &head, body),
    }
}

/// Returns the first line of a text that has words, and how many more there are.
fn folded(body: &str, limit: usize) -> String {
    let lines = body.lines().filter(|line| !line.trim().is_empty()).count();
    let first = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let rest = lines.saturating_sub(1) as u64;
    let more =
        if rest > 0 { format!(" (+{})", text::counted(rest, "line")) } else { String::new() };
    text::headline(first, limit.saturating_sub(more.chars().count()).max(16)) + &more
}

/// Writes a text line by line, so that nothing in it moves the cursor.
fn lines(out: &mut String, text: &str, indent: &str) {
    for line in text.lines() {
        let line = line.replace('\t', "    ");
        let _ = writeln!(out, "{}", format!("{indent}{}", text::line(&line)).trim_end());
    }
}

/// Sees to an empty line between what is a block of its own in Markdown.
fn gap(out: &mut String) {
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
}

impl Style for Plain {
    fn title(&self, out: &mut String, words: &str) {
        let words = text::headline(words, self.width);
        let _ = writeln!(out, "{}", terminal::heading(&words, self.is_styled));
    }

    fn speaker(&self, out: &mut String, words: &str) {
        let words = format!("── {}", text::line(words));
        let _ = writeln!(out, "\n{}", terminal::heading(&words, self.is_styled));
    }

    fn said(&self, out: &mut String, text: &str) {
        lines(out, text, "");
    }

    fn detail(&self, out: &mut String, head: &str, body: &str) {
        let head = text::headline(head, 40);
        let room = self.width.saturating_sub(head.chars().count() + 4);
        let _ = writeln!(out, "{}", format!("  {head}  {}", folded(body, room)).trim_end());
    }

    fn whole(&self, out: &mut String, head: &str, text: &str) {
        let _ = writeln!(out, "  {}", text::line(head));
        lines(out, text, "    ");
    }

    fn rule(&self, out: &mut String, words: &str) {
        let _ = writeln!(out, "  ▸ {}", text::line(words));
    }
}

impl Style for Marked {
    fn title(&self, out: &mut String, words: &str) {
        let _ = writeln!(out, "# {}", text::headline(words, 200));
    }

    fn speaker(&self, out: &mut String, words: &str) {
        gap(out);
        let _ = writeln!(out, "## {}\n", text::line(words));
    }

    fn said(&self, out: &mut String, text: &str) {
        gap(out);
        lines(out, text, "");
        out.push('\n');
    }

    fn detail(&self, out: &mut String, head: &str, body: &str) {
        let body = folded(body, 100).replace('`', "'");
        let _ = writeln!(out, "- {} `{body}`", text::line(head));
    }

    fn whole(&self, out: &mut String, head: &str, text: &str) {
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        gap(out);
        let _ = writeln!(out, "{}\n\n{fence}", text::line(head));
        lines(out, text, "");
        let _ = writeln!(out, "{fence}\n");
    }

    fn rule(&self, out: &mut String, words: &str) {
        gap(out);
        let _ = writeln!(out, "*{}*\n", text::line(words).replace('*', "\\*"));
    }
}
