//! An explanation as people read it.

use std::fmt::Write;

use serde_json::Value;

use super::read::{Explained, Link, Part, Response, Sighting};
use crate::text;

/// Longest text of a row that is shown.
const SAID: usize = 68;

/// Rows of a kind that are named before the rest is counted.
const NAMED: usize = 5;

pub(super) fn show(found: &Explained) -> String {
    let mut out = String::new();
    for part in &found.parts {
        let _ = writeln!(out, "part {}", text::line(&part.part_id));
        let thread = part.sightings.first().map_or("", |seen| seen.thread_id.as_str());
        let at = part.at.as_deref().unwrap_or("-");
        let what =
            format!("{} of {}, message {}, {at}", part.part_type, part.role, part.message_index);
        let _ = writeln!(out, "  is        {}", text::line(&what));
        let _ = writeln!(out, "  thread    {} ({})", text::line(thread), text::line(&part.client));
        if let Some(said) = &part.text {
            let _ = writeln!(out, "  says      {}", text::headline(said, SAID));
        }
        let rule = serde_json::to_value(part.rule).unwrap_or_default();
        let _ = writeln!(out, "  rule      {}: {}", word(&rule), part.rule.words());
        if let Some(original) = &part.replay_of {
            let _ = writeln!(out, "  copy of   {}", text::line(original));
        }
        tokens(&mut out, found, part);
        for (at, seen) in part.sightings.iter().enumerate() {
            let head = if at == 0 { "read from" } else { "also in" };
            let _ = writeln!(out, "  {head:<9} {}", path(found, seen));
            place(&mut out, seen);
        }
        links(&mut out, "copies", &part.copies);
        links(&mut out, "same", &part.same_words);
        out.push('\n');
    }
    for response in &found.responses {
        show_response(&mut out, found, response);
    }
    for (id, input) in &found.inputs {
        let _ = writeln!(out, "input {id}");
        let gone = if input.is_gone { ", gone" } else { "" };
        let _ = writeln!(out, "  file      {}{gone}", text::line(&input.path));
        let _ = writeln!(out, "  size      {} bytes, {}", input.size, text::line(&input.status));
        let _ = writeln!(out, "  bytes     {}", counts(&input.accounting));
    }
    out
}

/// Says where the tokens of the row's response are.
fn tokens(out: &mut String, found: &Explained, part: &Part) {
    if let Some(usage) = &part.usage_as_written {
        let _ =
            writeln!(out, "  tokens    none: the original has them; as written: {}", counts(usage));
        return;
    }
    let response = part.response_id.as_ref();
    let response = found.responses.iter().find(|it| Some(&it.response_id) == response);
    let words = match response.and_then(|it| Some((it, it.tokens_on.as_ref()?))) {
        None if part.tokens.is_empty() => return,
        None => {
            format!("here, of no named response: {}", counts(&Value::Object(part.tokens.clone())))
        }
        Some((response, on)) if *on == part.part_id => {
            format!("here: {}", counts(&Value::Object(response.tokens.clone())))
        }
        Some((_, on)) => format!("on {on}, the first row of the response"),
    };
    let _ = writeln!(out, "  tokens    {}", text::line(&words));
}

fn show_response(out: &mut String, found: &Explained, response: &Response) {
    let _ = writeln!(out, "response {}", text::line(&response.response_id));
    let Response { parts, records, .. } = response;
    let _ = writeln!(out, "  size      rows={parts}  records={records}");
    if let Some(on) = &response.tokens_on {
        let tokens = counts(&Value::Object(response.tokens.clone()));
        let _ = writeln!(out, "  tokens    {tokens}");
        let _ = writeln!(out, "  on        {}, its first row", text::line(on));
    }
    if let Some(seen) = &response.read_from {
        let _ = writeln!(out, "  read from {}", path(found, seen));
        let (from, to) = (seen.offset, seen.offset + seen.length);
        let _ = writeln!(out, "            bytes {from} to {to}, its last record");
    }
    out.push('\n');
}

fn path(found: &Explained, seen: &Sighting) -> String {
    let input = found.inputs.get(&seen.input_id);
    let path = input.map_or("a file that is not known any more", |input| input.path.as_str());
    text::line(path).into_owned()
}

fn place(out: &mut String, seen: &Sighting) {
    let (from, to) = (seen.offset, seen.offset + seen.length);
    let _ = writeln!(out, "            bytes {from} to {to}, counted as {}", seen.accounted_as);
    let began = seen.thread_began_at.as_deref().unwrap_or("at an unknown time");
    let _ = writeln!(out, "            thread {}, begun {began}", text::line(&seen.thread_id));
}

fn links(out: &mut String, head: &str, links: &[Link]) {
    for (at, link) in links.iter().take(NAMED).enumerate() {
        let head = if at == 0 { head } else { "" };
        let (part, thread) = (text::line(&link.part_id), text::line(&link.thread_id));
        let _ = writeln!(out, "  {head:<9} {part}\n            thread {thread}");
    }
    if links.len() > NAMED {
        let _ = writeln!(out, "            and {} more", links.len() - NAMED);
    }
}

/// Returns a JSON object of numbers as words.
fn counts(object: &Value) -> String {
    let members = object.as_object().into_iter().flatten();
    let words: Vec<_> =
        members.map(|(name, count)| format!("{}={count}", text::line(name))).collect();
    if words.is_empty() { "none".to_owned() } else { words.join("  ") }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
