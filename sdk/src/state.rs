//! States as bytes, for [`Scan::save`](crate::Scan::save) and [`Provider::resume`](crate::Provider::resume).
//!
//! What is written comes back in the same order, and nothing says what it is: only the component that wrote a state
//! ever reads it.
//!
//! ```
//! use hyp_sdk::state::{Reader, Writer};
//!
//! let mut out = Writer::new();
//! out.number(7);
//! out.maybe_text(Some("seven"));
//! let bytes = out.finish();
//!
//! let mut from = Reader::new(&bytes);
//! assert_eq!(from.number(), Some(7));
//! assert_eq!(from.maybe_text(), Some(Some("seven".to_owned())));
//! assert!(from.is_at_end());
//! ```

use crate::{Context, Git, Text};

/// A state that is being written.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins a state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the state.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Writes a number.
    pub fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    /// Writes a time, or another number that may be negative.
    pub fn time(&mut self, time: i64) {
        self.0.extend(time.to_le_bytes());
    }

    /// Writes a flag.
    pub fn flag(&mut self, flag: bool) {
        self.0.push(flag.into());
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    /// Writes a value that may be absent.
    pub fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Writes a text that may be absent.
    pub fn maybe_text(&mut self, text: Option<&str>) {
        self.maybe(text, Self::text);
    }

    /// Writes items one after the other.
    pub fn list<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.number(items.len() as u64);
        items.for_each(|item| write(self, item));
    }

    /// Writes a text with its literal.
    pub fn exact(&mut self, text: &Text) {
        self.text(&text.value);
        self.maybe_text(text.literal.as_deref());
    }

    /// Writes a context.
    pub fn context(&mut self, context: &Context) {
        self.maybe(context.is_sidechain, Self::flag);
        for text in [
            &context.cwd,
            &context.git.branch,
            &context.git.remote,
            &context.git.head,
            &context.git.root,
            &context.client_version,
            &context.entrypoint,
            &context.user_type,
            &context.permission_mode,
            &context.agent_id,
            &context.model,
        ] {
            self.maybe_text(text.as_deref());
        }
    }
}

/// A state that is being read. Every method returns nothing where the bytes hold something else.
#[derive(Debug)]
pub struct Reader<'s>(&'s [u8]);

impl<'s> Reader<'s> {
    /// Begins to read a state.
    pub fn new(state: &'s [u8]) -> Self {
        Self(state)
    }

    /// Says whether all was read.
    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a number.
    pub fn number(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_le_bytes)
    }

    /// Reads a time, or another number that may be negative.
    pub fn time(&mut self) -> Option<i64> {
        self.chunk().map(i64::from_le_bytes)
    }

    /// Reads a flag.
    pub fn flag(&mut self) -> Option<bool> {
        match self.chunk()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    /// Reads a text.
    pub fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        str::from_utf8(text).ok().map(str::to_owned)
    }

    /// Reads a value that may be absent.
    pub fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.flag()? {
            true => read(self).map(Some),
            false => Some(None),
        }
    }

    /// Reads a text that may be absent.
    pub fn maybe_text(&mut self) -> Option<Option<String>> {
        self.maybe(Self::text)
    }

    /// Reads items one after the other.
    pub fn list<T, C: FromIterator<T>>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<C> {
        let length = self.number()?;
        (0..length).map(|_| read(self)).collect()
    }

    /// Reads a text with its literal.
    pub fn exact(&mut self) -> Option<Text> {
        Some(Text { value: self.text()?, literal: self.maybe_text()? })
    }

    /// Reads a context.
    pub fn context(&mut self) -> Option<Context> {
        let is_sidechain = self.maybe(Self::flag)?;
        let mut text = || self.maybe_text();
        Some(Context {
            cwd: text()?,
            git: Git { branch: text()?, remote: text()?, head: text()?, root: text()? },
            client_version: text()?,
            entrypoint: text()?,
            user_type: text()?,
            permission_mode: text()?,
            agent_id: text()?,
            is_sidechain,
            model: text()?,
        })
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_comes_back_as_it_was() {
        let context = Context {
            cwd: Some("/w".into()),
            git: Git { head: Some("0f".into()), ..Git::default() },
            is_sidechain: Some(false),
            model: Some("m".into()),
            ..Context::default()
        };
        let mut out = Writer::new();
        out.context(&context);
        let bytes = out.finish();
        let read = Reader::new(&bytes).context();
        assert_eq!(format!("{read:?}"), format!("{:?}", Some(context)));
        assert!(Reader::new(&bytes[..bytes.len() - 1]).context().is_none());
    }
}
