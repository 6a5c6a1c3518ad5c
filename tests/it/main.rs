//! Runs the built `hyp` from outside: every test has a home and a store of its own.
//!
//! [`sandbox::Sandbox`] is what a test starts with; the other modules are the cases, by subject.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apply;
mod attach;
mod author;
mod backfill;
mod bad_input;
mod config;
mod crash;
mod databases;
mod derived;
#[cfg(target_os = "linux")]
mod disk;
mod doctor;
mod embedding;
mod explain;
mod forge;
#[cfg(unix)]
mod grants;
mod habits;
mod hostile;
mod independent;
#[cfg(target_os = "linux")]
mod init;
mod lines;
mod materializers;
mod order;
mod overview;
mod plugins;
#[cfg(unix)]
mod privacy;
mod prompts;
mod quarantine;
mod queries;
mod query;
mod reconcile;
mod record;
mod refresh;
mod registry;
mod remote;
mod report;
mod resume;
mod runs;
mod sandbox;
mod schedule;
mod server;
mod show;
mod store;
mod terminal;
mod undo;
mod upgrades;
mod upkeep;
mod window;
