//! The `codex` object in a message's attributes.

use hyp_sdk::Message;
use hyp_sdk::json::Object;

/// Adds what the client says of a message beside its content.
pub(crate) fn set(message: &mut Message, members: &[(&str, Option<&str>)]) {
    let mut codex = Object::new();
    for (key, value) in members {
        codex.maybe_text(key, *value);
    }
    let mut attributes = Object::new();
    attributes.object("codex", codex);
    if let Some(attributes) = attributes.finish() {
        message.attributes = Some(attributes);
    }
}
