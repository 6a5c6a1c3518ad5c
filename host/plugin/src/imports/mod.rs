//! What a guest may call: one file per interface of the contract.

mod digest;
pub(crate) mod inputs;
mod log;
mod run;
pub(crate) mod sink;
pub(crate) mod sqlite;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings;
use crate::state::State;

/// Gives the linker everything that a provider may import.
///
/// `wasi` is there for components whose language cannot do without; its context is empty.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    bindings::inputs::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    bindings::sqlite::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    bindings::log::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    bindings::digest::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    bindings::run::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    bindings::probe::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    sink::add_to_linker(linker)?;
    wasmtime_wasi::p2::add_to_linker_sync(linker)
}

/// Gives the linker everything that a materializer may import.
pub(crate) fn link_materializers(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    bindings::store_read::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    bindings::run::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    bindings::log::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    bindings::digest::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wasmtime_wasi::p2::add_to_linker_sync(linker)
}
