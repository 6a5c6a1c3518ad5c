//! The public API of the SDK as a list, so that a change of it is seen in review.
//!
//! What is listed are the heads of public items, the variants of enums and the traits of types, as the formatter lays them
//! out. Words of the contract that the SDK hands on are in `wit/`, and not listed again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{root, say};

/// Where the list is, and of what it is made.
const LIST: &str = "sdk/public-api.txt";
const SOURCES: &str = "sdk/src";

/// What nobody writes against: generated code, glue between it and providers, tests.
const INTERNAL: [&str; 4] = ["bindings.rs", "glue.rs", "tests.rs", "testkit/"];

/// Writes the list.
pub fn write() -> Result<()> {
    let root = root();
    fs::write(root.join(LIST), list(&root)?).with_context(|| format!("cannot write `{LIST}`"))?;
    say("the list of the SDK's public API is written");
    Ok(())
}

/// Returns what is wrong with the list, and with the example in the README.
pub(crate) fn problems(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    if fs::read_to_string(root.join(LIST)).unwrap_or_default() != list(root)? {
        problems.push(format!("{LIST} is not what the sources say (`cargo xtask api` writes it)"));
    }
    let readme = fs::read_to_string(root.join("sdk/README.md"))?;
    let documented = fs::read_to_string(root.join(SOURCES).join("lib.rs"))?;
    if example(&readme) != example(&documented) {
        problems.push("sdk/README.md: the example is not that of `sdk/src/lib.rs`".to_owned());
    }
    Ok(problems)
}

/// Returns the lines of the first example of a page or of a module's documentation.
fn example(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.strip_prefix("//!").unwrap_or(line));
    let lines = lines
        .map(|line| line.strip_prefix(' ').filter(|_| text.starts_with("//!")).unwrap_or(line));
    let from = lines.skip_while(|line| !line.starts_with("```")).skip(1);
    from.take_while(|line| !line.starts_with("```")).collect()
}

fn list(root: &Path) -> Result<String> {
    let sources = root.join(SOURCES);
    let mut files = Vec::new();
    files_of(&sources, &mut files)?;
    files.sort();
    let mut list = String::new();
    for file in files {
        let below = file.strip_prefix(&sources)?.display().to_string().replace('\\', "/");
        if INTERNAL.iter().any(|internal| below.ends_with(internal) || below.starts_with(internal))
        {
            continue;
        }
        let items = items(&fs::read_to_string(&file)?);
        if !items.is_empty() {
            list.push_str(&format!("{below}\n"));
            list.extend(items.iter().map(|item| format!("  {item}\n")));
        }
    }
    Ok(list)
}

fn files_of(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files_of(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// What the lines at hand are in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    Other,
    Trait,
    Enum,
}

/// Returns the heads of public items of a formatted source file, those of the functions of public traits, the variants of
/// public enums, and the traits that types have.
fn items(source: &str) -> Vec<String> {
    let own = private(source);
    let mut items = Vec::new();
    let mut lines = source.lines();
    let (mut holder, mut variant, mut body) = (String::new(), String::new(), Body::Other);
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            break;
        }
        let item = line.trim_start();
        if line.starts_with("impl") || line.starts_with("pub trait ") {
            holder = head(line, &mut lines.clone());
            body = if line.starts_with("pub trait ") { Body::Trait } else { Body::Other };
            if holder.contains(" for ") && !own.iter().any(|name| mentions(&holder, name)) {
                items.push(holder.clone());
            }
        } else if line.starts_with("pub enum ") {
            body = Body::Enum;
        } else if line == "}" {
            holder.clear();
            body = Body::Other;
        }
        let is_public = item.starts_with("pub ") || line.starts_with("macro_rules! ");
        let is_of_trait = body == Body::Trait
            && ["    fn ", "    type ", "    const "].iter().any(|it| line.starts_with(it));
        if is_public || is_of_trait {
            let is_enum = line.starts_with("pub enum ");
            let said = head(item, &mut lines);
            let is_method = line.starts_with("    ") && !holder.is_empty();
            items.push(if is_method { format!("{holder}: {said}") } else { said });
            if is_enum {
                holder = name(line["pub enum ".len()..].trim()).to_owned();
            }
        } else if body == Body::Enum && is_member(line, "    ", char::is_uppercase) {
            variant = head(item, &mut lines);
            items.push(format!("{holder}::{variant}"));
            variant.truncate(name(&variant).len());
        } else if body == Body::Enum && is_member(line, "        ", char::is_lowercase) {
            items.push(format!("{holder}::{variant}: {}", head(item, &mut lines)));
        }
    }
    items
}

/// Says whether a line has such an indent, and a word that begins so.
fn is_member(line: &str, indent: &str, begins: impl Fn(char) -> bool) -> bool {
    line.strip_prefix(indent).and_then(|rest| rest.chars().next()).is_some_and(begins)
}

/// Returns the name that a text begins with.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Returns the names of types and traits that a file keeps for itself.
fn private(source: &str) -> Vec<&str> {
    let declared = source.lines().filter_map(|line| {
        let near = ["pub(crate) ", "pub(super) "].iter().find_map(|it| line.strip_prefix(it));
        let line = near.unwrap_or(line);
        let kinds = ["struct ", "enum ", "trait ", "type "];
        kinds.iter().find_map(|kind| line.strip_prefix(kind)).map(name)
    });
    declared.collect()
}

/// Says whether a name is one of the words of a text.
fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

/// Returns an item up to its body, on one line.
fn head<'l>(first: &str, rest: &mut impl Iterator<Item = &'l str>) -> String {
    let mut whole = first.trim().to_owned();
    let is_use = whole.starts_with("pub use ");
    while !whole.ends_with(if is_use { &[';'][..] } else { &['{', ';', ',', '}'] })
        || whole.matches('(').count() > whole.matches(')').count()
    {
        let Some(next) = rest.next() else { break };
        if !whole.ends_with('(') {
            whole.push(' ');
        }
        whole.push_str(next.trim());
    }
    whole
        .replace(" )", ")")
        .replace(",)", ")")
        .trim_end_matches(['{', ';', ','])
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_heads_are_listed_and_nothing_else() {
        let source = "//! A module.\n\npub use other::{\n    One, Two,\n};\n\n/// It.\npub struct It {\n    /// Seen.\n    \
                      pub seen: u8,\n    hidden: u8,\n}\n\nimpl It {\n    /// Makes.\n    pub fn new(\n        a: u8,\n        \
                      b: u8,\n    ) -> Self {\n        Self\n    }\n\n    fn own() {}\n    pub(crate) fn near() {}\n}\n\n\
                      pub trait Reads {\n    /// Reads.\n    fn read(&self) -> u8;\n}\n\nfn own() {}\n\n/// Kinds.\n#[derive(Debug)]\n\
                      pub enum Kind<'t> {\n    /// One.\n    One,\n    Two(&'t str),\n    Three {\n        /// Deep.\n        \
                      deep: u8,\n    },\n}\n\nimpl<'t> From<&'t str> for Kind<'t> {\n    fn from(text: &'t str) -> Self {\n        \
                      Self::Two(text)\n    }\n}\n\nstruct Own;\n\nimpl Reads for Own {\n    fn read(&self) -> u8 {\n        1\n    \
                      }\n}\n\nenum Near {\n    Hidden,\n}\n\n#[cfg(test)]\nmod tests {\n    \
                      pub fn not_this() {}\n}\n";
        let expected = [
            "pub use other::{ One, Two, }",
            "pub struct It",
            "pub seen: u8",
            "impl It: pub fn new(a: u8, b: u8) -> Self",
            "pub trait Reads",
            "pub trait Reads: fn read(&self) -> u8",
            "pub enum Kind<'t>",
            "Kind::One",
            "Kind::Two(&'t str)",
            "Kind::Three",
            "Kind::Three: deep: u8",
            "impl<'t> From<&'t str> for Kind<'t>",
        ];
        assert_eq!(items(source), expected);
    }
}
