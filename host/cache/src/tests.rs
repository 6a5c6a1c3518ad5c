//! Histories in, tables out.

mod bench;
mod copies;
mod crash;
mod ledger;
mod storage;
mod world;
