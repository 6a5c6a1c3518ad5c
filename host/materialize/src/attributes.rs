//! The column `attributes`: what client, message, thread and gateway say, merged without a JSON tree.
//!
//! Later layers win. Where two layers hold an object under one key, their members are merged; nothing
//! deeper is.

use std::borrow::Cow;

use crate::json;

/// Members that the tokens of a response own; other layers cannot set them.
const OWNED: [&str; 2] = ["\"usage\"", "\"usage_as_written\""];

/// What a thread adds to the attributes of its rows.
#[derive(Debug)]
pub(crate) struct Attributes {
    client: String,
    thread: Option<String>,
    /// The gateway's object for native ids, and for derived ones.
    gateway: [String; 2],
    /// The attributes of the last message that had none of its own.
    plain: Option<(Option<String>, bool, String)>,
}

impl Attributes {
    /// Prepares the attributes of a thread; without a path, it was recorded while it was said.
    pub(crate) fn new(
        client: &str,
        thread: Option<&str>,
        native_id: &str,
        source_path_hash: Option<&str>,
    ) -> Self {
        let gateway = |is_derived: bool| {
            let mut out = String::from("{");
            if is_derived {
                out.push_str("\"identity_source\":\"gateway_fallback\",");
            }
            if !native_id.is_empty() {
                out.push_str("\"native_id\":");
                json::push_string(&mut out, native_id);
                out.push(',');
            }
            out.push_str("\"source\":");
            json::push_string(
                &mut out,
                if source_path_hash.is_some() { "backfill" } else { "live" },
            );
            if let Some(hash) = source_path_hash.filter(|hash| !hash.is_empty()) {
                out.push_str(",\"source_path_hash\":");
                json::push_string(&mut out, hash);
            }
            out.push('}');
            out
        };
        Self {
            client: client.to_owned(),
            thread: thread.map(str::to_owned),
            gateway: [gateway(false), gateway(true)],
            plain: None,
        }
    }

    /// Returns the attributes of a message, as a JSON object that never is empty.
    pub(crate) fn of(
        &mut self,
        version: Option<&str>,
        is_derived: bool,
        message: Option<&str>,
    ) -> String {
        if message.is_some() {
            return self.merge(version, is_derived, message);
        }
        if let Some((known, derived, plain)) = &self.plain
            && *derived == is_derived
            && known.as_deref() == version
        {
            return plain.clone();
        }
        let plain = self.merge(version, is_derived, None);
        self.plain = Some((version.map(str::to_owned), is_derived, plain.clone()));
        plain
    }

    fn merge(&self, version: Option<&str>, is_derived: bool, message: Option<&str>) -> String {
        let client = client(&self.client, version);
        let mut merged: Vec<(&str, Cow<'_, str>)> = Vec::new();
        if let Some(client) = &client {
            merged.push(("\"client\"", client.into()));
        }
        for layer in [message, self.thread.as_deref()].into_iter().flatten() {
            let members = json::members(layer).unwrap_or_default();
            for (key, value) in members.into_iter().filter(|(key, _)| !OWNED.contains(key)) {
                lay(&mut merged, key, value);
            }
        }
        lay(&mut merged, "\"gateway\"", &self.gateway[usize::from(is_derived)]);
        merged.sort_by_key(|(key, _)| *key);
        object(merged.iter().map(|(key, value)| (*key, &**value)))
    }
}

fn client(name: &str, version: Option<&str>) -> Option<String> {
    let mut out = String::new();
    for (key, value) in [("\"name\"", Some(name)), ("\"version\"", version)] {
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        out.push(if out.is_empty() { '{' } else { ',' });
        out.push_str(key);
        out.push(':');
        json::push_string(&mut out, value);
    }
    (!out.is_empty()).then(|| out + "}")
}

/// Puts a member over those that are there.
fn lay<'a>(merged: &mut Vec<(&'a str, Cow<'a, str>)>, key: &'a str, value: &'a str) {
    let Some((_, below)) = merged.iter_mut().find(|(known, _)| *known == key) else {
        merged.push((key, value.into()));
        return;
    };
    let (Some(mut members), Some(above)) = (json::members(below), json::members(value)) else {
        *below = value.into();
        return;
    };
    for (key, value) in above {
        match members.iter_mut().find(|(known, _)| *known == key) {
            Some(member) => member.1 = value,
            None => members.push((key, value)),
        }
    }
    *below = object(members.into_iter()).into();
}

/// Returns an object of these members.
pub(crate) fn object<'a>(members: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> String {
    let length: usize = members.clone().map(|(key, value)| key.len() + value.len() + 2).sum();
    let mut out = String::with_capacity(length + 2);
    out.push('{');
    for (key, value) in members {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(key);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_layers_win_and_objects_are_merged_one_level_deep() {
        let mut attributes = Attributes::new(
            "claude",
            Some(r#"{"x":{"b":2,"deep":{"c":1}},"z":3}"#),
            "s",
            Some("0f"),
        );
        let merged = attributes.of(
            Some("2.1"),
            false,
            Some(r#"{ "z":[1], "x":{"a":1,"b":1,"deep":{"d":1}}, "gateway":{"extra":true,"source":"x"}, "usage":{} }"#),
        );
        assert_eq!(
            merged,
            concat!(
                r#"{"client":{"name":"claude","version":"2.1"},"#,
                r#""gateway":{"extra":true,"source":"backfill","native_id":"s","source_path_hash":"0f"},"#,
                r#""x":{"a":1,"b":2,"deep":{"c":1}},"z":3}"#
            )
        );
    }

    #[test]
    fn a_derived_id_is_marked() {
        let mut attributes = Attributes::new("codex", None, "t", Some("0f"));
        assert_eq!(
            attributes.of(None, true, None),
            concat!(
                r#"{"client":{"name":"codex"},"gateway":{"identity_source":"gateway_fallback","#,
                r#""native_id":"t","source":"backfill","source_path_hash":"0f"}}"#
            )
        );
    }

    #[test]
    fn the_remembered_attributes_follow_version_and_identity() {
        let mut attributes = Attributes::new("c", None, "", Some(""));
        for (version, is_derived) in [(None, false), (Some("1"), false), (Some("1"), true)] {
            let fresh = Attributes::new("c", None, "", Some("")).of(version, is_derived, None);
            assert_eq!(attributes.of(version, is_derived, None), fresh);
            assert_eq!(attributes.of(version, is_derived, None), fresh);
        }
    }

    #[test]
    fn attributes_that_are_no_object_are_left_out() {
        let mut attributes = Attributes::new("", None, "", Some(""));
        assert_eq!(attributes.of(None, false, Some("[1]")), r#"{"gateway":{"source":"backfill"}}"#);
    }
}
