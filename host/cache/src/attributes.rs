//! The tokens in a row's `attributes`, spelled as the materializer spells them.

use std::fmt;

use hyp_model::event::Usage;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

const USAGE: &str = "usage";
const AS_WRITTEN: &str = "usage_as_written";

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
pub(crate) fn usage_as_written(text: &str, one_hour: Option<i64>) -> Option<String> {
    let members = members(text)?;
    let (_, usage) = members.iter().find(|(name, _)| name == USAGE)?;
    let mut object = usage.get().trim().to_owned();
    if let Some(tokens) = one_hour
        && object.ends_with('}')
    {
        object.truncate(object.len() - 1);
        let comma = if object.trim_end() == "{" { "" } else { "," };
        object.push_str(&format!("{comma}\"cache_write_1h_tokens\":{tokens}}}"));
    }
    Some(join(&members, AS_WRITTEN, &object))
}

/// Returns attributes with the tokens of a response, as ones that count or as ones that a copy repeats.
pub(crate) fn with_usage(text: &str, usage: &Usage, is_replay: bool) -> String {
    let names = [
        ("input_tokens", usage.input),
        ("output_tokens", usage.output),
        ("cache_read_tokens", usage.cache_read),
        ("cache_write_tokens", usage.cache_write),
        ("reasoning_tokens", usage.reasoning),
        ("total_tokens", usage.total),
        ("cache_write_1h_tokens", usage.cache_write_1h.filter(|_| is_replay)),
    ];
    let parts: Vec<String> = names
        .into_iter()
        .filter_map(|(name, tokens)| tokens.map(|tokens| format!("\"{name}\":{tokens}")))
        .collect();
    let object = if parts.is_empty() { String::new() } else { format!("{{{}}}", parts.join(",")) };
    let name = if is_replay { AS_WRITTEN } else { USAGE };
    join(&members(text).unwrap_or_default(), name, &object)
}

fn members(text: &str) -> Option<Vec<(String, Box<RawValue>)>> {
    serde_json::from_str::<Members>(text).ok().map(|members| members.0)
}

/// Returns an object of the members that are no tokens, then the tokens, if there are any.
fn join(members: &[(String, Box<RawValue>)], name: &str, object: &str) -> String {
    let kept = members.iter().filter(|(name, _)| ![USAGE, AS_WRITTEN].contains(&name.as_str()));
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
            usage_as_written(before, Some(4)).unwrap(),
            r#"{"a":{"b": 1.0},"usage_as_written":{"input_tokens":1,"total_tokens":9,"cache_write_1h_tokens":4}}"#
        );
        assert_eq!(usage_as_written(r#"{"a":1}"#, None), None);
    }

    #[test]
    fn new_tokens_take_the_place_of_old_ones() {
        let usage = Usage { input: Some(2), cache_write_1h: Some(3), ..Usage::default() };
        let before = r#"{"usage":{"input_tokens":1},"x":null}"#;
        assert_eq!(with_usage(before, &usage, false), r#"{"x":null,"usage":{"input_tokens":2}}"#);
        assert_eq!(
            with_usage("{}", &usage, true),
            r#"{"usage_as_written":{"input_tokens":2,"cache_write_1h_tokens":3}}"#
        );
    }
}
