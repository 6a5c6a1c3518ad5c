//! States as bytes: numbers of variable length, texts with their length, lists with theirs.
//!
//! Only [`Exchange`](crate::Exchange) knows what follows what; its format number changes with that.

use hyp_model::event::{Context, Git, Thread, ThreadKind, Usage};

/// Kinds of threads by the number that stands for them.
const KINDS: [ThreadKind; 4] =
    [ThreadKind::Main, ThreadKind::Subagent, ThreadKind::Review, ThreadKind::Side];

/// Bytes that are being written.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    /// Writes a number that may be negative: its sign goes to the lowest bit.
    pub(crate) fn signed(&mut self, number: i64) {
        self.number((number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
    }

    /// Writes a hash, which has no small values.
    pub(crate) fn print(&mut self, print: u64) {
        self.0.extend(print.to_le_bytes());
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.0.push(flag.into());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    pub(crate) fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn maybe_text(&mut self, text: Option<&str>) {
        self.maybe(text, Self::text);
    }

    pub(crate) fn list<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.number(items.len() as u64);
        items.for_each(|item| write(self, item));
    }

    pub(crate) fn usage(&mut self, usage: &Usage) {
        let Usage { input, output, cache_read, cache_write, cache_write_1h, reasoning, total } =
            *usage;
        for tokens in [input, output, cache_read, cache_write, cache_write_1h, reasoning, total] {
            self.maybe(tokens, Self::number);
        }
    }

    pub(crate) fn thread(&mut self, thread: &Thread) {
        for text in [&thread.id, &thread.provider, &thread.session_id, &thread.client] {
            self.text(text);
        }
        let kind = KINDS.iter().position(|kind| *kind == thread.kind).unwrap_or_default();
        self.number(kind as u64);
        self.maybe(thread.started_at, Self::signed);
        self.flag(thread.may_start_with_copy);
        let Context { git, is_sidechain, .. } = &thread.context;
        self.maybe(*is_sidechain, Self::flag);
        for text in [
            &thread.conversation_id,
            &thread.forked_from,
            &thread.parent_thread_id,
            &thread.root_thread_id,
            &thread.spawned_by_call,
            &thread.attributes,
            &git.branch,
            &git.remote,
            &git.head,
            &git.root,
            &thread.context.cwd,
            &thread.context.client_version,
            &thread.context.entrypoint,
            &thread.context.user_type,
            &thread.context.permission_mode,
            &thread.context.agent_id,
            &thread.context.model,
        ] {
            self.maybe_text(text.as_deref());
        }
    }
}

/// Bytes that are being read. Nothing comes of bytes that no [`Writer`] wrote.
#[derive(Debug)]
pub(crate) struct Reader<'b>(pub(crate) &'b [u8]);

impl Reader<'_> {
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub(crate) fn print(&mut self) -> Option<u64> {
        let (print, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*print))
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        str::from_utf8(text).ok().map(str::to_owned)
    }

    pub(crate) fn maybe<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.flag()? {
            true => read(self).map(Some),
            false => Some(None),
        }
    }

    pub(crate) fn maybe_text(&mut self) -> Option<Option<String>> {
        self.maybe(Self::text)
    }

    pub(crate) fn list<T, C: FromIterator<T>>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<C> {
        let length = self.number()?;
        (0..length).map(|_| read(self)).collect()
    }

    pub(crate) fn usage(&mut self) -> Option<Usage> {
        let mut tokens = || self.maybe(Self::number);
        Some(Usage {
            input: tokens()?,
            output: tokens()?,
            cache_read: tokens()?,
            cache_write: tokens()?,
            cache_write_1h: tokens()?,
            reasoning: tokens()?,
            total: tokens()?,
        })
    }

    pub(crate) fn thread(&mut self) -> Option<Thread> {
        let [id, provider, session_id, client] =
            [self.text()?, self.text()?, self.text()?, self.text()?];
        let kind = *KINDS.get(usize::try_from(self.number()?).ok()?)?;
        let started_at = self.maybe(Self::signed)?;
        let may_start_with_copy = self.flag()?;
        let is_sidechain = self.maybe(Self::flag)?;
        let mut text = || self.maybe_text();
        Some(Thread {
            id,
            provider,
            session_id,
            client,
            kind,
            started_at,
            may_start_with_copy,
            conversation_id: text()?,
            forked_from: text()?,
            parent_thread_id: text()?,
            root_thread_id: text()?,
            spawned_by_call: text()?,
            attributes: text()?,
            context: Context {
                git: Git { branch: text()?, remote: text()?, head: text()?, root: text()? },
                cwd: text()?,
                client_version: text()?,
                entrypoint: text()?,
                user_type: text()?,
                permission_mode: text()?,
                agent_id: text()?,
                is_sidechain,
                model: text()?,
            },
        })
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let mut out = Writer::default();
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        numbers.iter().for_each(|number| out.number(*number));
        let signed = [0, -1, 1, i64::MIN, i64::MAX, 1_760_000_000_000_000];
        signed.iter().for_each(|number| out.signed(*number));
        let mut from = Reader(&out.0);
        assert_eq!(numbers.map(|_| from.number().unwrap()), numbers);
        assert_eq!(signed.map(|_| from.signed().unwrap()), signed);
        assert_eq!(from.number(), None);
    }

    #[test]
    fn a_list_longer_than_its_bytes_is_no_list() {
        let mut out = Writer::default();
        out.number(u64::MAX);
        assert_eq!(Reader(&out.0).list::<_, Vec<_>>(Reader::print), None);
        assert_eq!(Reader(&[0xff; 11]).number(), None);
        assert_eq!(Reader(&[5, b'a']).text(), None);
    }
}
