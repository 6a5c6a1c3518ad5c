//! `components.lock`: what each checked in component was made from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// What is known of a checked in component.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Locked {
    /// Digest of the component.
    pub(super) sha256: String,
    /// Digest of everything that it was made from.
    pub(super) source: String,
    /// Compiler that made it.
    pub(super) rustc: String,
}

/// The components of one folder, by name.
#[derive(Debug, Default)]
pub(super) struct Lockfile(BTreeMap<String, Locked>);

impl Lockfile {
    /// Reads a lock; one that is not there is empty.
    pub(super) fn read(path: &Path) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).with_context(|| format!("`{}`", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        }
    }

    /// Parses the few shapes of TOML that [`Self::text`] writes.
    fn parse(text: &str) -> Result<Self> {
        let mut lock = Self::default();
        let mut name = None;
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                lock.0.insert(header.to_owned(), Locked::default());
                name = Some(header.to_owned());
                continue;
            }
            let locked = name.as_ref().and_then(|name| lock.0.get_mut(name));
            let (Some(locked), Some((key, value))) = (locked, line.split_once(" = ")) else {
                bail!("cannot read the line `{line}`");
            };
            let value = value.trim_matches('"').to_owned();
            match key {
                "sha256" => locked.sha256 = value,
                "source" => locked.source = value,
                "rustc" => locked.rustc = value,
                _ => bail!("unknown key `{key}`"),
            }
        }
        Ok(lock)
    }

    fn text(&self) -> String {
        let mut text = String::from("# Written by `cargo xtask components`.\n");
        for (name, Locked { sha256, source, rustc }) in &self.0 {
            let _ = write!(
                text,
                "\n[{name}]\nsha256 = \"{sha256}\"\nsource = \"{source}\"\nrustc = \"{rustc}\"\n"
            );
        }
        text
    }

    /// Writes the lock, if there is anything in it.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        fs::write(path, self.text()).with_context(|| format!("cannot write `{}`", path.display()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Locked> {
        self.0.get(name)
    }

    pub(super) fn insert(&mut self, name: &str, locked: Locked) {
        self.0.insert(name.to_owned(), locked);
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| keep(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_lock_is_read_back() {
        let mut lock = Lockfile::default();
        let locked = |sha256: &str| Locked {
            sha256: sha256.to_owned(),
            source: "ab".to_owned(),
            rustc: "rustc 1.2.3 (abc) with std".to_owned(),
        };
        lock.insert("claude", locked("00"));
        lock.insert("codex", locked("11"));
        let again = Lockfile::parse(&lock.text()).unwrap();
        assert_eq!(again.0, lock.0);
        assert!(Lockfile::parse("sha256 = \"x\"").is_err());
        assert!(Lockfile::parse("[a]\nother = \"x\"").is_err());
    }
}
