//! From a module to a component that says whose it is.

use std::borrow::Cow;
use std::path::Path;

use wasm_encoder::{CustomSection, Encode};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use crate::error::AuthorError;

/// What a component says of itself to those who have its file only: sections that registries and tools know.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Label {
    /// Version of the package.
    pub version: String,
    /// What it is, in a line.
    pub description: Option<String>,
    /// Licence, as an SPDX expression.
    pub license: Option<String>,
    /// Where its sources are.
    pub repository: Option<String>,
}

impl Label {
    fn sections(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("version", Some(self.version.as_str())),
            ("description", self.description.as_deref()),
            ("licenses", self.license.as_deref()),
            ("source", self.repository.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
    }

    /// Reads what a component says of itself; whoever made it may have written anything.
    pub fn read(component: &[u8]) -> Self {
        let mut label = Self::default();
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(component).map_while(Result::ok) {
            match payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::CustomSection(section) if depth == 0 => {
                    let text = String::from_utf8_lossy(section.data()).into_owned();
                    match section.name() {
                        "version" => label.version = text,
                        "description" => label.description = Some(text),
                        "licenses" => label.license = Some(text),
                        "source" => label.repository = Some(text),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        label
    }
}

/// Makes a component of a module that carries the description of its world; a component stays what it is.
///
/// # Errors
/// Fails when the module exports no world.
pub fn wrap(module: &Path, bytes: &[u8], label: &Label) -> Result<Vec<u8>, AuthorError> {
    let refused = |reason| AuthorError::Wrap { module: module.to_owned(), reason };
    let mut component = match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => bytes.to_vec(),
        _ if !has_world(bytes) => {
            return Err(refused("it exports no world: does it call `hyp_sdk::register!`?".into()));
        }
        _ => ComponentEncoder::default()
            .validate(true)
            .module(bytes)
            .and_then(|encoder| encoder.encode())
            .map_err(|error| refused(format!("{error:#}")))?,
    };
    for (name, value) in label.sections() {
        let section =
            CustomSection { name: Cow::Borrowed(name), data: Cow::Borrowed(value.as_bytes()) };
        component.push(0);
        section.encode(&mut component);
    }
    Ok(component)
}

/// Says whether a module carries the description of a world.
fn has_world(module: &[u8]) -> bool {
    Parser::new(0).parse_all(module).any(|payload| {
        matches!(payload, Ok(Payload::CustomSection(it)) if it.name().starts_with("component-type"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_says_whose_it_is() {
        let empty = b"\0asm\x0d\0\x01\0";
        let label = Label {
            version: "0.1.0".into(),
            description: Some(String::new()),
            license: Some("Apache-2.0".into()),
            repository: None,
        };
        let component = wrap(Path::new("it.wasm"), empty, &label).unwrap();
        let found: Vec<_> = Parser::new(0)
            .parse_all(&component)
            .filter_map(|payload| match payload.unwrap() {
                Payload::CustomSection(section) => {
                    Some((section.name().to_owned(), section.data().to_vec()))
                }
                _ => None,
            })
            .collect();
        let expected = [("version", "0.1.0"), ("licenses", "Apache-2.0")];
        assert_eq!(
            found,
            expected.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        );
        let told = Label { description: None, ..label };
        assert_eq!(Label::read(&component), told);
        assert_eq!(Label::read(&component[..component.len() - 3]).license, None, "cut off");
    }

    #[test]
    fn a_module_without_a_world_is_refused() {
        let error = wrap(Path::new("it.wasm"), b"\0asm\x01\0\0\0", &Label::default());
        assert!(matches!(error, Err(AuthorError::Wrap { .. })));
    }
}
