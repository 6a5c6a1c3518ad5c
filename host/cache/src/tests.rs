//! Histories in, tables out.

mod copies;
mod crash;
mod histories;
mod history;
mod ledger;
mod migrations;
mod model;
mod purge;
mod purges;
mod recordings;
mod refresh;
mod retention;
mod rollback;
mod storage;
mod undo;
mod undos;
mod upkeep;
mod world;
