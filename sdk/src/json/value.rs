//! A parsed value, and the ways to look at it.

use std::borrow::Cow;

use super::tape::Node;
use super::unescape::unescape;
use crate::Text;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A value on a tape: as cheap to copy as a reference. Nothing is unescaped or converted until asked for.
#[derive(Clone, Copy)]
pub struct Value<'t> {
    nodes: &'t [Node],
    text: &'t str,
    index: u32,
}

impl<'t> Value<'t> {
    pub(super) fn new(nodes: &'t [Node], text: &'t str) -> Self {
        Self { nodes, text, index: 0 }
    }

    #[inline]
    fn node(self) -> Node {
        self.nodes[self.index as usize]
    }

    #[inline]
    fn at(self, index: u32) -> Self {
        Self { index, ..self }
    }

    /// Returns what the value is.
    #[inline]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Returns the exact source of the value.
    #[inline]
    pub fn raw(self) -> &'t str {
        let node = self.node();
        &self.text[node.start as usize..node.end as usize]
    }

    /// Returns the member of an object; of several with this key, the last.
    pub fn get(self, key: &str) -> Option<Value<'t>> {
        let node = self.node();
        if node.kind != Kind::Object {
            return None;
        }
        let mut found = None;
        let mut index = self.index + 1;
        while index < node.next {
            let name = self.nodes[index as usize];
            let inner = &self.text.as_bytes()[name.start as usize + 1..name.end as usize - 1];
            let same = if name.escaped {
                self.at(index).str().is_some_and(|name| name == key)
            } else {
                inner == key.as_bytes()
            };
            if same {
                found = Some(index + 1);
            }
            index = self.nodes[index as usize + 1].next;
        }
        found.map(|index| self.at(index))
    }

    /// Returns what is found by going down one key after the other.
    pub fn path(self, keys: &[&str]) -> Option<Value<'t>> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Returns a string's text, with U+FFFD in place of each lone surrogate.
    #[inline]
    pub fn str(self) -> Option<Cow<'t, str>> {
        let node = self.node();
        if node.kind != Kind::String {
            return None;
        }
        let inner = &self.text[node.start as usize + 1..node.end as usize - 1];
        Some(if node.escaped { Cow::Owned(unescape(inner).0) } else { Cow::Borrowed(inner) })
    }

    /// Returns a string's text as the contract carries it: with its literal where it has lone surrogates.
    pub fn text(self) -> Option<Text> {
        let node = self.node();
        if !node.surrogates {
            return self.str().map(|value| Text { value: value.into_owned(), literal: None });
        }
        let raw = self.raw();
        let (value, lone) = unescape(&raw[1..raw.len() - 1]);
        Some(Text { value, literal: lone.then(|| raw.to_owned()) })
    }

    /// Returns a string's text if there is any.
    pub fn non_empty(self) -> Option<String> {
        self.str().filter(|text| !text.is_empty()).map(Cow::into_owned)
    }

    /// Returns a boolean.
    pub fn bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// Returns a number that is whole and fits.
    pub fn i64(self) -> Option<i64> {
        if self.kind() != Kind::Number {
            return None;
        }
        self.raw().parse().ok().or_else(|| {
            let number = self.f64()?;
            let whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
            whole.then_some(number as i64)
        })
    }

    /// Returns a number that is whole, not negative, and fits.
    pub fn u64(self) -> Option<u64> {
        if self.kind() != Kind::Number {
            return None;
        }
        self.raw().parse().ok().or_else(|| self.i64().and_then(|number| number.try_into().ok()))
    }

    /// Returns a number.
    pub fn f64(self) -> Option<f64> {
        (self.kind() == Kind::Number).then(|| self.raw().parse().ok()).flatten()
    }

    /// Returns true for an object.
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// Returns true for an array.
    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    /// Returns true for a string.
    pub fn is_string(self) -> bool {
        self.kind() == Kind::String
    }

    /// Returns true for `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Returns an object's members in their order, duplicates included; nothing for another value.
    pub fn entries(self) -> Entries<'t> {
        Entries(self.children(Kind::Object))
    }

    /// Returns an array's items; nothing for another value.
    pub fn items(self) -> Items<'t> {
        self.children(Kind::Array)
    }

    fn children(self, of: Kind) -> Items<'t> {
        let node = self.node();
        let next = self.index + 1;
        Items { value: self, next, end: if node.kind == of { node.next } else { next } }
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw())
    }
}

/// The items of an array.
#[derive(Debug, Clone)]
pub struct Items<'t> {
    value: Value<'t>,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        if self.next >= self.end {
            return None;
        }
        let item = self.value.at(self.next);
        self.next = item.node().next;
        Some(item)
    }
}

/// The members of an object.
#[derive(Debug, Clone)]
pub struct Entries<'t>(Items<'t>);

impl<'t> Iterator for Entries<'t> {
    type Item = (Cow<'t, str>, Value<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.0.next()?.str()?;
        Some((key, self.0.next()?))
    }
}
