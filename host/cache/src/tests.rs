//! Histories in, tables out.

mod copies;
mod crash;
mod ledger;
mod storage;
mod world;
