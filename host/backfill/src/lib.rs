//! The run: finds history, reads what changed through components, commits it, tells about it.
//!
//! Read first: [`run()`], what `hyp backfill` does; [`Request`], what can be asked of it;
//! [`Report`], what it tells.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//! use hyp_backfill::{Places, Request};
//!
//! # fn main() -> Result<(), hyp_backfill::BackfillError> {
//! let places = Places {
//!     history_home: "/home/me".into(),
//!     history_folder: None,
//!     store: "/home/me/.hyp".into(),
//!     environment: std::env::vars().collect(),
//!     sources: Default::default(),
//! };
//! let request = Request {
//!     providers: vec!["claude".into()],
//!     dry_run: true,
//!     run_id: "bf-1".into(),
//!     ..Request::default()
//! };
//! let report = hyp_backfill::run(&places, &request, &|_| {}, &AtomicBool::new(false))?;
//! assert_eq!(report.providers[0].rows_written, 0);
//! # Ok(())
//! # }
//! ```

mod basis;
mod chunk;
mod components;
mod detect;
mod diff;
mod discover;
mod engine;
mod error;
mod gauge;
mod ignored;
mod import;
mod inspect;
mod makers;
mod places;
mod plugins;
mod policy;
mod quarantine;
mod record;
mod report;
mod resume;
mod retold;
mod run;
mod scope;
mod secrets;
mod small;
mod tally;
mod unit;
mod work;
mod worker;

pub use basis::{Basis, applied, resumed};
pub use components::bundled;
pub use detect::{Detected, DetectedSession, detect};
pub use diff::Diff;
pub use engine::{
    Ask, CellChange, Changes, ChangesReport, CheckReport, CutoverReport, DatasetChanges,
    Derivation, MaxChanges, Probing, Recorded, Recording, Slow, Undo, Undone, UndoneCell,
    is_dataset_run, record, undo,
};
pub use error::BackfillError;
pub use gauge::{Gauge, Reading};
pub use hyp_plugin::{
    CONTRACT, Description, Manifest, MaterializerDescription, PACKAGE, ProbeFailure,
    ProbeFailureClass, ProbeReport, Prober, Startup,
};
pub use ignored::{Class, Entry, Ignored, list_path, read_list, write_list};
pub use inspect::{list, plan, roots, variables};
pub use places::{NamedSource, Places};
pub use plugins::{
    Declared, Grant, Locked, Offer, PluginState, grant, install, installed, lend_materializers,
    offer, remove, revoke, set_enabled, states,
};
pub use quarantine::{readable, unpacked};
pub use record::{ExchangeRecording, PROJECTED_EXCHANGE, RecordedExchange, record_exchange};
pub use report::{
    Progress, ProviderInfo, ProviderPlan, ProviderReport, Receipt, Report, RootInfo, SlowUnit,
    Status, UpkeepReport,
};
pub use run::{Request, run};
pub use secrets::{Finding, Secrets};
pub use small::read as read_small;

/// Returns an error with its causes and its help as one line.
fn explain(error: &dyn hyp_model::Explain) -> String {
    let line = causes(error);
    match error.help() {
        Some(help) => format!("{line} ({help})"),
        None => line,
    }
}

/// Returns an error with its causes as one line.
fn causes(error: &dyn hyp_model::Explain) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}
