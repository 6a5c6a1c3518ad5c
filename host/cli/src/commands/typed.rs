//! Which texts under the user's name a person wrote.

use serde_json::Value;

use super::ask::{self, Row};

/// Clients whose readers mark what the client wrote: what bears no mark was typed.
const MARKED: [&str; 4] = ["claude", "claude-desktop", "codex", "pi"];

/// How texts begin that no person wrote, whatever their row says.
const BEGINNINGS: [&str; 2] = ["# AGENTS.md instructions", "[Request interrupted by user"];

/// Tags of what is put before a prompt, in its text or in one of its own.
const ADDED: [&str; 4] = ["system-reminder", "ide_opened_file", "ide_selection", "ide_diagnostics"];

/// Who wrote a message, as far as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    Client,
    Person,
    /// Nobody says.
    Unknown,
}

impl Author {
    /// Returns the author of a row with `client_name`, `provider_subtype`, `is_compact_summary` and `attributes`.
    pub(super) fn of(row: &Row) -> Self {
        let all: Row = ask::text(row, "attributes")
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let is = |name: &str, value: &str| row.get(name).is_some_and(|it| it == value);
        let is_summary = row.get("is_compact_summary").is_some_and(|it| it == true);
        if is_summary || is("provider_subtype", "injected") || all.values().any(is_marked) {
            return Self::Client;
        }
        // What was recorded while it was said went through no reader.
        let is_live = all.get("gateway").is_some_and(|it| it["source"] == "live");
        let client = row.get("client_name").and_then(Value::as_str).unwrap_or_default();
        if MARKED.contains(&client) && !is_live { Self::Person } else { Self::Unknown }
    }
}

/// Says whether what a client notes of a message is that no person wrote it.
fn is_marked(noted: &Value) -> bool {
    noted["injected"].is_string() || noted["is_meta"] == true || noted["synthetic"] == true
}

/// Says of each text of a message whether a person wrote it.
///
/// What stands in tags was added to the prompt beside it. Where there is none, it is the prompt itself, if its client
/// would have been known to write it.
pub(super) fn typed(author: Author, texts: &[&str]) -> Vec<bool> {
    let is_free = |text: &&str| !text.trim().is_empty() && !is_added(text);
    let is_plain = |text: &&str| is_free(text) && !is_in_tags(text);
    let is_in_tags_alone = author == Author::Person && !texts.iter().any(is_plain);
    let is_typed = |text: &&str| match author {
        Author::Client => false,
        _ if is_in_tags_alone => is_free(text),
        _ => is_plain(text),
    };
    texts.iter().map(is_typed).collect()
}

/// Returns what a person wrote behind what the client put before it.
pub(super) fn behind_tags(text: &str) -> &str {
    let rest = || {
        let (tag, rest) = text.trim_start().strip_prefix('<')?.split_once('>')?;
        let tag = ADDED.iter().find(|name| **name == tag)?;
        rest.split_once(&format!("</{tag}>")).map(|(_, rest)| rest.trim_start())
    };
    rest().map_or(text, behind_tags)
}

fn is_added(text: &str) -> bool {
    let text = text.trim();
    let is_picture = matches!(text, "<image>" | "</image>")
        || text.starts_with("<image name=") && is_in_tags(text);
    is_picture
        || BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
        || behind_tags(text).is_empty()
}

fn is_in_tags(text: &str) -> bool {
    let text = behind_tags(text).trim();
    text.starts_with('<') && text.ends_with('>')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_says_who_wrote_it() {
        let author = |client: &str, subtype: &str, attributes: Value| {
            let row = json!({"client_name": client, "provider_subtype": subtype,
                "attributes": attributes.to_string()});
            Author::of(row.as_object().unwrap())
        };
        let read = json!({"gateway": {"source": "backfill"}});
        assert_eq!(author("claude", "text", read.clone()), Author::Person);
        assert_eq!(author("codex", "injected", read.clone()), Author::Client);
        assert_eq!(author("gemini", "text", read), Author::Unknown);
        let live = json!({"gateway": {"source": "live"}});
        assert_eq!(author("claude", "text", live), Author::Unknown);
        for noted in
            [json!({"injected": "caveat"}), json!({"is_meta": true}), json!({"synthetic": true})]
        {
            assert_eq!(author("any", "text", json!({"any": noted})), Author::Client, "{noted}");
        }
        let noted = json!({"any": {"injected": null, "is_meta": false}});
        assert_eq!(author("pi", "text", noted), Author::Person);
        let summary = json!({"client_name": "pi", "is_compact_summary": true});
        assert_eq!(Author::of(summary.as_object().unwrap()), Author::Client);
    }

    #[test]
    fn what_is_in_tags_is_a_prompt_where_nothing_else_is() {
        use Author::{Client, Person, Unknown};
        const BUTTON: &str = "<Button> does not render, why?";
        const SPEC: &str = "<task_description>\nCount\n</task_description>\n";
        const REMINDER: &str = "<system-reminder>Be brief</system-reminder>";
        #[rustfmt::skip]
        let cases: &[(Author, &[&str], &[bool])] = &[
            (Client,  &["Go on"],                       &[false]),
            (Person,  &[BUTTON],                        &[true]),
            (Unknown, &[BUTTON],                        &[true]),
            (Person,  &[SPEC],                          &[true]),
            (Unknown, &[SPEC],                          &[false]),
            (Person,  &[SPEC, "Go on"],                 &[false, true]),
            (Person,  &[REMINDER],                      &[false]),
            (Person,  &[REMINDER, SPEC],                &[false, true]),
            (Person,  &["<image name=[Image #1]>", "</image>", "Left"], &[false, false, true]),
            (Person,  &["<image name=[Image #1]>", "</image>"],         &[false, false]),
            (Unknown, &["# AGENTS.md instructions for /a"],             &[false]),
            (Person,  &["# AGENTS.md is too long"],     &[true]),
            (Person,  &["[Request interrupted by user for tool use]"],  &[false]),
            (Person,  &[" \n"],                         &[false]),
            (Person,  &[],                              &[]),
        ];
        for (author, texts, expected) in cases {
            assert_eq!(typed(*author, texts), *expected, "{author:?} {texts:?}");
        }
    }

    #[test]
    fn a_prompt_may_stand_behind_tags() {
        let both = "<system-reminder>a</system-reminder>\n<ide_selection>b</ide_selection>\nGo on";
        assert_eq!(behind_tags(both), "Go on");
        for text in ["<b>bold</b> please", "<system-reminder>a", "Go on"] {
            assert_eq!(behind_tags(text), text);
        }
    }
}
