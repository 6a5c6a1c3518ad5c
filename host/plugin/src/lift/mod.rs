//! Pages of events as they lie in guest memory, and the one copy that is made of them.
//!
//! The shapes mirror `wit/types.wit` field by field; the linker checks them against a component before any of its code
//! runs. Unlike the generated types they borrow: a string is a pointer into guest memory until [`Copier`] has counted
//! its bytes against the bound and copied it.

mod copier;
mod page;
mod shape;

pub(crate) use copier::{Bound, Copier};
pub(crate) use page::copy_event;
pub(crate) use shape::LEvent;
