//! Texts under the name of the user that no person wrote.

use hyp_sdk::Message;
use hyp_sdk::json::Value;

use crate::{attributes, item};

/// How they begin, and what they are.
const BEGINNINGS: &[(&str, &str)] = &[
    ("<environment_context>", "environment_context"),
    ("# AGENTS.md instructions for ", "agents_md"),
    ("# AGENTS.md instructions\n", "agents_md"),
    ("<user_instructions>", "user_instructions"),
    ("<permissions instructions>", "permissions"),
    ("<permissions_instructions>", "permissions"),
    ("<skills_instructions>", "skills"),
    ("<skill>", "skill"),
    ("<turn_aborted>", "turn_aborted"),
    ("<subagent_notification>", "subagent_notification"),
    ("<user_shell_command>", "user_shell_command"),
    ("<recommended_plugins>", "recommended_plugins"),
    ("<user_action>", "user_action"),
    ("<collaboration_mode>", "collaboration_mode"),
    ("<model_switch>", "model_switch"),
    ("<personality_spec>", "personality_spec"),
    ("<hook_prompt", "hook_prompt"),
    ("<external_", "additional_context"),
    ("<goal_context>", "goal_context"),
    ("Warning: apply_patch was requested via ", "model_warning"),
    ("Warning: update_plan was requested via ", "model_warning"),
    ("Warning: The maximum number of exec processes ", "model_warning"),
    ("Warning: The maximum number of unified exec processes ", "model_warning"),
    ("Warning: Your account was flagged for potentially high-risk cyber activity", "model_warning"),
];

/// Returns what a user's text is, if the client wrote it.
fn kind(text: &str) -> Option<&str> {
    listed(text).or_else(|| tag(text.trim_start()))
}

/// Returns what a text is that begins as the client is known to begin.
fn listed(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let known = BEGINNINGS.iter().find(|(beginning, _)| text.starts_with(beginning));
    known.map(|&(_, kind)| kind)
}

/// Who made an item, as far as the client says.
enum Teller {
    /// A person, at least some of it.
    Person,
    /// The client; with its word for what it is.
    Client(String),
}

/// Returns who made an item: clients of 2026 say of each of its blocks what it is.
fn teller(item: Value<'_>) -> Option<Teller> {
    let kinds = ["internal_chat_message_metadata_passthrough", "content_item_kinds"];
    let kinds = item.path(&kinds)?.items().filter_map(Value::str);
    let mut kinds = kinds.filter(|kind| kind != "unknown").peekable();
    let first = kinds.peek()?.to_string();
    if first == "user.goal" && item.get("content").is_some_and(is_goal_cleared) {
        return Some(Teller::Client(first));
    }
    let is_persons = kinds.any(|kind| kind.starts_with("user."));
    Some(if is_persons { Teller::Person } else { Teller::Client(first) })
}

/// Says whether an item tells the model which goal the person has set.
pub(crate) fn is_goal(item: Value<'_>) -> bool {
    item.get("content")
        .is_some_and(|content| says_of_goal(content, "") && !is_goal_cleared(content))
}

/// Says whether a text tells the model that there is no goal any longer. Where it tells of one, it has the person's words.
fn is_goal_cleared(content: Value<'_>) -> bool {
    says_of_goal(content, "User cleared the goal.")
}

fn says_of_goal(content: Value<'_>, beginning: &str) -> bool {
    let mut texts = content.items().filter_map(|block| block.get("text")?.str());
    texts.any(|text| {
        let inside =
            text.trim_start().strip_prefix("<codex_internal_context source=\"user_goal\">");
        inside.is_some_and(|inside| inside.trim_start().starts_with(beginning))
    })
}

/// Marks what stands under the user's name and is the client's. Clients that write items without an envelope have no other
/// tags than those that are listed, and no events to tell what a person wrote.
pub(crate) fn mark(message: &mut Message, item: Value<'_>, is_bare: bool) {
    match teller(item) {
        Some(Teller::Person) => {}
        Some(Teller::Client(word)) => {
            mark_as(message, |text| kind(text).map_or_else(|| word.clone(), str::to_owned).into());
        }
        None => mark_as(message, |text| {
            if is_bare { listed(text) } else { kind(text) }.map(str::to_owned)
        }),
    }
}

/// Marks what a part of the client says in the user's name.
pub(crate) fn mark_of(message: &mut Message, speaker: &str) {
    if is_human(message) {
        mark_as(message, |_| Some(speaker.to_owned()));
    }
}

/// Marks an event that tells what the client is known to write: all else that events tell in the user's name was typed.
pub(crate) fn mark_event(message: &mut Message) {
    mark_as(message, |text| listed(text).map(str::to_owned));
}

/// Takes the mark from an item that stands in tags, if an event tells that a person wrote it.
pub(crate) fn confirm(item: &mut Message, event: &Message) {
    if !is_human(item) && is_human(event) && is_same(item, event) {
        item.provider_subtype = None;
        item.attributes.clone_from(&event.attributes);
    }
}

/// Says whether an event tells the prompt of an item.
pub(crate) fn is_same(item: &Message, event: &Message) -> bool {
    let words =
        |message| item::texts(message).flat_map(str::split_whitespace).collect::<Vec<&str>>();
    item.role == "user" && words(item) == words(event)
}

fn mark_as(message: &mut Message, kind: impl Fn(&str) -> Option<String>) {
    let kind = item::texts(message).next().and_then(kind);
    if let Some(kind) = kind {
        message.provider_subtype = Some("injected".to_owned());
        attributes::set(message, &[("injected", Some(&kind))]);
    }
}

/// Returns the name of a tag that the whole text stands in: newer clients have more of them than are listed.
fn tag(text: &str) -> Option<&str> {
    let (head, _) = text.strip_prefix('<')?.split_once('>')?;
    let name = head.split(' ').next()?;
    let is_name = name.contains('_') && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let rest = text.trim_end().strip_suffix('>')?.strip_suffix(name)?;
    (is_name && rest.ends_with("</")).then_some(name)
}

/// Says whether a person wrote a message, as far as it shows.
pub(crate) fn is_human(message: &Message) -> bool {
    message.role == "user" && message.provider_subtype.is_none()
}

/// Returns the working directory that an environment context names.
pub(crate) fn cwd(text: &str) -> Option<&str> {
    let tagged = || text.split_once("<cwd>")?.1.split_once("</cwd>");
    // Before it had tags.
    let line = || text.lines().find_map(|line| line.strip_prefix("Current working directory: "));
    let cwd = tagged().map(|(cwd, _)| cwd).or_else(line)?;
    Some(cwd.trim()).filter(|cwd| is_absolute(cwd))
}

/// Returns true for an absolute path, of Windows too.
pub(crate) fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    path.starts_with(['/', '\\'])
        || (bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_may_write_angle_brackets() {
        assert_eq!(kind("<b>bold</b> please"), None);
        assert_eq!(kind("# A heading"), None);
        assert_eq!(kind("<my_tag> what is this?"), None);
        assert_eq!(kind("<div>\n</div>"), None);
        assert_eq!(kind("Warning: the build is broken"), None);
        assert_eq!(kind("<new_context n=\"1\">\nx\n</new_context>\n"), Some("new_context"));
        assert_eq!(kind("\n<turn_aborted>\nreason"), Some("turn_aborted"));
    }

    #[test]
    fn the_environment_names_the_working_directory() {
        let text = "<environment_context>\n  <cwd>/home/dev/app</cwd>\n</environment_context>";
        assert_eq!(cwd(text), Some("/home/dev/app"));
        assert_eq!(cwd("<cwd>app</cwd>"), None);
        let text = "<environment_context>\nCurrent working directory: /home/dev/app\nApproval policy: never\n</environment_context>";
        assert_eq!(cwd(text), Some("/home/dev/app"));
    }
}
