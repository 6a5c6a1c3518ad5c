//! Writing `config.toml`: a new one with a word to each key, an old one with only what changed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use hyp_model::{Exit, Explain};
use toml_edit::{Array, Value};

use super::edit::with_key;

/// What somebody wants of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Wish<T> {
    /// Whatever it is.
    #[default]
    AsItIs,
    /// Its default.
    Default,
    /// That value.
    Is(T),
}

/// What somebody wants the file to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// Clients whose history is imported.
    pub(crate) clients: Wish<Vec<String>>,
    /// Earliest message to import, as people write it.
    pub(crate) since: Wish<String>,
    /// Days that messages are kept.
    pub(crate) keep_days: Wish<u32>,
}

/// Why the file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub(crate) struct WriteError {
    path: PathBuf,
    source: io::Error,
}

impl Explain for WriteError {
    fn code(&self) -> &'static str {
        "hyp::config::write"
    }

    fn help(&self) -> Option<String> {
        Some("name a store in a folder of yours with --store DIR".to_owned())
    }

    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

impl Wishes {
    /// Says whether the file may stay as it is.
    pub(crate) fn is_content(&self) -> bool {
        *self == Self::default()
    }

    /// Returns a new file, with a word to each key.
    pub(crate) fn fresh(&self) -> String {
        let mut out = String::from(HEAD);
        let mut key = |comment: &str, name: &str, set: Option<Value>, example: &str| {
            // Writing to a string cannot fail.
            let _ = match set {
                Some(value) => writeln!(out, "{comment}{name} = {value}"),
                None => writeln!(out, "{comment}# {name} = {example}"),
            };
        };
        let clients = self.clients.value().map(|names| array(names).into());
        key(CLIENTS, "clients", clients, r#"["claude", "codex"]"#);
        key(SINCE, "since", self.since.value().map(Value::from), "\"2026-01-31\"");
        let days = self.keep_days.value().map(|days| i64::from(*days).into());
        key(RETENTION, "ai_gateway_messages", days, "365");
        key(PRIVACY, "redact", None, "true");
        out
    }

    /// Returns the file with only these keys changed; comments and all else stay.
    ///
    /// The text must be one that [`super::Config::parse`] took.
    pub(crate) fn applied_to(&self, text: &str) -> String {
        let text = self.clients.put(text, "import", "clients", |names| array(names).into());
        let text = self.since.put(&text, "import", "since", |since| since.into());
        let days = |days: &u32| i64::from(*days).into();
        self.keep_days.put(&text, "retention", "ai_gateway_messages", days)
    }
}

impl<T> Wish<T> {
    fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::AsItIs | Self::Default => None,
        }
    }

    /// Returns the text with what is wished for.
    fn put(&self, text: &str, table: &str, key: &str, written: impl Fn(&T) -> Value) -> String {
        match self {
            Self::AsItIs => text.to_owned(),
            Self::Default | Self::Is(_) => with_key(text, table, key, self.value().map(written)),
        }
    }
}

/// Puts a file in its place whole or not at all, for its owner alone.
pub(crate) fn save(path: &Path, text: &str) -> Result<(), WriteError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = || -> io::Result<()> {
        // A temporary file is its owner's alone from the start.
        let mut file = tempfile::Builder::new().prefix(".config.").tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        if cfg!(unix) {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    written().map_err(|source| WriteError { path: path.to_owned(), source })
}

fn array(names: &[String]) -> Array {
    names.iter().map(String::as_str).collect()
}

const HEAD: &str = "\
# Settings of hyp. Every key may be left out, and a flag goes before what stands here.
# A key that hyp does not know is an error.

version = 1

[import]
";

const CLIENTS: &str = "\
# Clients whose history `hyp backfill` imports when none is named.
# Left out: every client that left history here.
";

const SINCE: &str = "
# Earliest message to import: a day, or a time such as \"2026-01-31T09:00:00Z\".
# Left out: everything.
";

const RETENTION: &str = "
[retention]
# Days that messages are kept, by their own time.
# Left out: for ever.
";

const PRIVACY: &str = "
[privacy]
# Likely secrets, such as keys and tokens, that are replaced before anything is stored: true, or a list of
# kinds, as `hyp privacy scan` names them. Left out: what is imported is stored as it was written.
";
