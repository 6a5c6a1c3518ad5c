//! Copies out of guest memory, against a bound.

use wasmtime::StoreContextMut;
use wasmtime::component::{Lift, WasmList, WasmStr};

use crate::fence::Fence;
use crate::state::State;

/// What a page may still cost. An event costs its text and, so that empty ones cost something, a sum for its shape.
pub(crate) struct Copier<'a> {
    pub(crate) store: StoreContextMut<'a, State>,
    spent: u64,
    bound: Bound,
}

/// How much may be copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    /// Bytes that are left.
    pub(crate) left: u64,
    /// Bytes that there were at first.
    pub(crate) limit: u64,
    /// What the limit is for: `a page`, `a unit`.
    pub(crate) whole: &'static str,
}

impl<'a> Copier<'a> {
    pub(crate) fn new(store: StoreContextMut<'a, State>, bound: Bound) -> Self {
        Self { store, spent: 0, bound }
    }

    pub(crate) fn spent(&self) -> u64 {
        self.spent
    }

    pub(crate) fn string(&mut self, text: &WasmStr) -> wasmtime::Result<String> {
        let text = text.to_str(&self.store)?;
        self.bound.spend(&mut self.spent, text.len())?;
        Ok(text.into_owned())
    }

    pub(crate) fn maybe(&mut self, text: Option<&WasmStr>) -> wasmtime::Result<Option<String>> {
        text.map(|text| self.string(text)).transpose()
    }

    /// Copies a list, each element for `cost` bytes and what its text comes to.
    pub(crate) fn list<T: Lift, R>(
        &mut self,
        list: &WasmList<T>,
        cost: usize,
        mut copy: impl FnMut(&mut Self, T) -> wasmtime::Result<R>,
    ) -> wasmtime::Result<Vec<R>> {
        self.bound.spend(&mut self.spent, list.len().saturating_mul(cost))?;
        let mut copies = Vec::with_capacity(list.len());
        for index in 0..list.len() {
            let element =
                list.get(&mut self.store, index).expect("the index is below the length")?;
            copies.push(copy(self, element)?);
        }
        Ok(copies)
    }
}

impl Bound {
    /// Counts bytes before they are copied.
    fn spend(&self, spent: &mut u64, bytes: usize) -> Result<(), Fence> {
        *spent = spent.saturating_add(bytes as u64);
        if *spent > self.left {
            return Err(Fence::Output { limit: self.limit, whole: self.whole });
        }
        Ok(())
    }
}
