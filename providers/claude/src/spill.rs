//! Results that were too long for their line: the client keeps them in files beside the transcript.
//!
//! The line has the beginning, which is what the model saw, and names the file. The whole becomes a message of its own,
//! so that a result is the same with its file and without.

use hyp_sdk::json::Object;
use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Content, Entry, Message, Note, Part, Span};

/// How the text of such a result begins, and what stands before the path: that of a tool of the client, and of a server's.
const FORMS: [(&str, &str); 2] =
    [("<persisted-output>", "saved to: "), ("Error: result (", "Output has been saved to ")];
/// Files that are larger, as no line may be, stay where they are.
const LIMIT: u64 = 32 << 20;

/// A result whose whole is in a file.
#[derive(Debug)]
struct Spill {
    name: String,
    call: Option<String>,
    line: Option<String>,
    time: Option<i64>,
}

/// The results of a transcript that are in files.
#[derive(Debug, Default)]
pub(crate) struct Spills(Vec<Spill>);

impl Spills {
    /// Looks for such results in a message; `noted` is the path that its line has beside it.
    pub(crate) fn look(&mut self, message: &Message, noted: Option<&str>) {
        for part in &message.parts {
            let Content::ToolResult(result) = &part.content else { continue };
            let text = result.text.as_ref().map_or("", |text| &text.value);
            if let Some(name) = named(text).or_else(|| noted.and_then(last)) {
                self.0.push(Spill {
                    name: name.to_owned(),
                    call: result.call_id.clone(),
                    line: message.id.clone(),
                    time: message.created_at,
                });
            }
        }
    }

    /// Writes which results are in files.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(self.0.iter(), |out, spill| {
            out.text(&spill.name);
            out.maybe_text(spill.call.as_deref());
            out.maybe_text(spill.line.as_deref());
            out.maybe(spill.time, Writer::time);
        });
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let spills = from.list(|from| {
            let (name, call, line) = (from.text()?, from.maybe_text()?, from.maybe_text()?);
            Some(Spill { name, call, line, time: from.maybe(Reader::time)? })
        });
        spills.map(Self)
    }

    /// Says whether a file is to be read.
    pub(crate) fn wants(&self, entry: &Entry) -> bool {
        entry.size <= LIMIT && self.find(&entry.path).is_some()
    }

    /// Notes the files that are not read for their size.
    pub(crate) fn note_long<'a>(&'a self, entries: &'a [Entry]) -> impl Iterator<Item = Note> + 'a {
        let long = entries.iter().filter(|entry| entry.size > LIMIT);
        long.filter(|entry| self.find(&entry.path).is_some()).map(|entry| {
            Note::new("result_too_long_to_read")
                .attribute("path", &entry.path)
                .attribute("bytes", entry.size.to_string())
        })
    }

    /// Returns the message of a file.
    pub(crate) fn message(&mut self, path: &str, span: Span, bytes: &[u8]) -> Option<Message> {
        let spill = self.0.swap_remove(self.find(path)?);
        let mut message = Message::new(span, "tool");
        message.id = spill.line.map(|line| format!("{line}/{}", spill.name));
        message.created_at = spill.time;
        message.provider_type = Some("tool-result".to_owned());
        let mut output = Object::new();
        output
            .maybe_text("name", Some(&spill.name))
            .maybe_text("tool_use_id", spill.call.as_deref());
        let mut claude = Object::new();
        claude.object("persisted_output", output);
        let mut attributes = Object::new();
        attributes.object("claude", claude);
        message.attributes = attributes.finish();
        let text = String::from_utf8_lossy(bytes).into_owned();
        message.parts.push(Part::new("persisted_output", Content::Other(Some(text.into()))));
        Some(message)
    }

    fn find(&self, path: &str) -> Option<usize> {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.0.iter().position(|spill| spill.name == name)
    }
}

/// Returns the name of the file that the text of a result speaks of.
fn named(text: &str) -> Option<&str> {
    let (_, saved) = FORMS.iter().find(|(beginning, _)| text.starts_with(beginning))?;
    let path = text.lines().find_map(|line| Some(line.split_once(saved)?.1.trim()))?;
    last(path.trim_end_matches('.'))
}

/// Returns the last name of a path, of Windows too.
fn last(path: &str) -> Option<&str> {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty())
}
