//! Tokens in the column `attributes`: under `usage` where they count, under `usage_as_written` in a copy.
//!
//! The one place that writes them, so that a row says the same whether the materializer made it a copy or the
//! store did. Other members stay as they are written.

use std::collections::HashMap;
use std::fmt;

use crate::event::Usage;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

const USAGE: &str = "usage";
const AS_WRITTEN: &str = "usage_as_written";
const ONE_HOUR: &str = "cache_write_1h_tokens";

/// Members of an object in their order, values as they are written.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Returns attributes in which the tokens that counted are tokens that a copy repeats; none without such.
///
/// Tokens written to a cache for an hour have a column only, and come from there.
pub fn move_to_copy(attributes: &str, one_hour: Option<i64>) -> Option<String> {
    let members = members(attributes)?;
    let (_, usage) = members.iter().find(|(name, _)| name == USAGE)?;
    let mut object = usage.get().trim().to_owned();
    if let Some(tokens) = one_hour
        && object.ends_with('}')
    {
        object.truncate(object.len() - 1);
        let comma = if object.trim_end() == "{" { "" } else { "," };
        object.push_str(&format!("{comma}\"{ONE_HOUR}\":{tokens}}}"));
    }
    Some(join(&members, AS_WRITTEN, &object))
}

/// Returns the tokens that a copy repeats; none where its attributes hold none.
pub fn of_copy(attributes: &str) -> Option<Usage> {
    let members = members(attributes)?;
    let (_, usage) = members.iter().find(|(name, _)| name == AS_WRITTEN)?;
    let tokens: HashMap<String, u64> = serde_json::from_str(usage.get()).ok()?;
    let of = |name: &str| tokens.get(name).copied();
    Some(Usage {
        input: of("input_tokens"),
        output: of("output_tokens"),
        cache_read: of("cache_read_tokens"),
        cache_write: of("cache_write_tokens"),
        cache_write_1h: of(ONE_HOUR),
        reasoning: of("reasoning_tokens"),
        total: of("total_tokens"),
    })
}

/// Returns the tokens as attributes hold them, whether they count or not.
pub fn written(attributes: &str) -> Option<String> {
    let tokens = members(attributes)?.into_iter().find(|(name, _)| is_tokens(name));
    tokens.map(|(name, value)| format!("{name} {}", value.get()))
}

/// Returns attributes without tokens, and without another member.
pub fn without(attributes: &str, other: &str) -> String {
    let mut members = members(attributes).unwrap_or_default();
    members.retain(|(name, _)| name != other);
    join(&members, USAGE, "")
}

/// Returns attributes with the tokens of a response, in place of those that they hold.
pub fn put(attributes: &str, usage: &Usage, is_copy: bool) -> String {
    join(&members(attributes).unwrap_or_default(), name(is_copy), &object(usage, is_copy))
}

/// Adds the tokens of a response to attributes that hold none. Nothing is parsed.
pub fn append(mut attributes: String, usage: &Usage, is_copy: bool) -> String {
    let object = object(usage, is_copy);
    if object.is_empty() {
        return attributes;
    }
    attributes.truncate(attributes.len().saturating_sub(1));
    if attributes.len() > 1 {
        attributes.push(',');
    }
    for text in ["\"", name(is_copy), "\":", &object, "}"] {
        attributes.push_str(text);
    }
    attributes
}

fn name(is_copy: bool) -> &'static str {
    if is_copy { AS_WRITTEN } else { USAGE }
}

/// Returns tokens under the names that upstream gave them; empty where there are none.
fn object(usage: &Usage, is_copy: bool) -> String {
    let mut object = String::new();
    for (name, tokens) in [
        ("input_tokens", usage.input),
        ("output_tokens", usage.output),
        ("cache_read_tokens", usage.cache_read),
        ("cache_write_tokens", usage.cache_write),
        ("reasoning_tokens", usage.reasoning),
        ("total_tokens", usage.total),
        (ONE_HOUR, usage.cache_write_1h.filter(|_| is_copy)),
    ] {
        let Some(tokens) = tokens else { continue };
        object.push(if object.is_empty() { '{' } else { ',' });
        object.push_str(&format!("\"{name}\":{tokens}"));
    }
    if !object.is_empty() {
        object.push('}');
    }
    object
}

fn is_tokens(name: &str) -> bool {
    [USAGE, AS_WRITTEN].contains(&name)
}

fn members(text: &str) -> Option<Vec<(String, Box<RawValue>)>> {
    serde_json::from_str::<Members>(text).ok().map(|members| members.0)
}

/// Returns an object of the members that are no tokens, then the tokens, if there are any.
fn join(members: &[(String, Box<RawValue>)], name: &str, object: &str) -> String {
    let kept = members.iter().filter(|(name, _)| !is_tokens(name));
    let mut parts: Vec<String> = kept
        .map(|(name, value)| {
            let name = serde_json::to_string(name).expect("a string is JSON");
            format!("{name}:{}", value.get())
        })
        .collect();
    if !object.is_empty() {
        parts.push(format!("\"{name}\":{object}"));
    }
    format!("{{{}}}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_move_and_everything_else_stays_as_it_is() {
        let before = r#"{"a":{"b": 1.0},"usage":{"input_tokens":1,"total_tokens":9}}"#;
        assert_eq!(
            move_to_copy(before, Some(4)).unwrap(),
            r#"{"a":{"b": 1.0},"usage_as_written":{"input_tokens":1,"total_tokens":9,"cache_write_1h_tokens":4}}"#
        );
        assert_eq!(move_to_copy(r#"{"a":1}"#, None), None);
    }

    #[test]
    fn new_tokens_take_the_place_of_old_ones() {
        let usage = Usage { input: Some(2), cache_write_1h: Some(3), ..Usage::default() };
        let before = r#"{"usage":{"input_tokens":1},"x":null}"#;
        assert_eq!(put(before, &usage, false), r#"{"x":null,"usage":{"input_tokens":2}}"#);
        assert_eq!(
            put("{}", &usage, true),
            r#"{"usage_as_written":{"input_tokens":2,"cache_write_1h_tokens":3}}"#
        );
    }
    #[test]
    fn tokens_are_added_as_they_are_put() {
        let usage = Usage { output: Some(2), cache_write_1h: Some(3), ..Usage::default() };
        for (attributes, is_copy) in [("{}", true), (r#"{"a":1}"#, false)] {
            let added = append(attributes.to_owned(), &usage, is_copy);
            assert_eq!(added, put(attributes, &usage, is_copy));
            assert_eq!(without(&added, "b"), attributes);
            assert_eq!(without(&added, "a"), "{}");
            assert!(written(&added).is_some_and(|tokens| tokens.contains("output_tokens")));
            assert_eq!(of_copy(&added), is_copy.then_some(usage));
        }
        assert_eq!(append("{}".to_owned(), &Usage::default(), false), "{}");
    }
}
