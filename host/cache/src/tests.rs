//! Histories in, tables out.

mod copies;
mod crash;
mod histories;
mod history;
mod ledger;
mod model;
mod refresh;
mod retention;
mod storage;
mod upkeep;
mod world;
