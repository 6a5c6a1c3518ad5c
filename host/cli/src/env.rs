//! Every environment variable that hyp itself reads.
//!
//! Nothing else in the workspace asks for one, but for `HYP_FAILPOINT` in hyp-cache, by which tests
//! make a commit fail, and for the proxy (`HTTPS_PROXY`), which the HTTP client knows by itself.
//!
//! Providers may name more in their descriptions (`CLAUDE_CONFIG_DIR`, `CODEX_HOME`); those come
//! out of [`all`], and out of nowhere else.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Folder of the store; `--store` goes before it.
pub(crate) const HYP_HOME: &str = "HYP_HOME";

/// File that gets the trace, a JSON object a line; unset or empty, no trace is kept.
pub(crate) const HYP_LOG: &str = "HYP_LOG";

/// Id of the run, instead of one made up.
pub(crate) const RUN_ID: &str = "DEV_RUN_ID";

/// The time, as RFC 3339, instead of the machine's, for what depends on the day: which rows expire.
pub(crate) const NOW: &str = "DEV_NOW";

/// Set to anything: no colours and no bold letters.
pub(crate) const NO_COLOR: &str = "NO_COLOR";

/// What shows long answers on a terminal, page by page.
pub(crate) const PAGER: &str = "PAGER";

/// Kind of the terminal.
const TERM: &str = "TERM";

/// Home folder of the person.
const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// Returns the words that were typed.
pub(crate) fn args() -> impl Iterator<Item = OsString> {
    std::env::args_os()
}

/// Returns the home folder of the person who runs hyp.
pub(crate) fn home() -> Option<PathBuf> {
    variable(HOME).map(PathBuf::from)
}

/// Returns the folder of the store that the environment names.
pub(crate) fn store() -> Option<PathBuf> {
    variable(HYP_HOME).map(PathBuf::from)
}

/// Folder of a person's settings; unset, `.config` in the home folder.
pub(crate) const CONFIG_HOME: &str = "XDG_CONFIG_HOME";

/// Returns the folder of the person's settings.
pub(crate) fn config_home() -> Option<PathBuf> {
    variable(CONFIG_HOME).map(PathBuf::from).or_else(|| Some(home()?.join(".config")))
}

/// Returns the file that gets the trace.
pub(crate) fn log_file() -> Option<PathBuf> {
    variable(HYP_LOG).map(PathBuf::from)
}

/// Returns the id that the run was given from outside, or one made up that begins with what it does.
pub(crate) fn run_id(kind: &str) -> String {
    let given = variable(RUN_ID).and_then(|id| id.into_string().ok());
    given.unwrap_or_else(|| format!("{kind}-{}", uuid::Uuid::new_v4()))
}

/// Returns the time that was given from outside.
pub(crate) fn now() -> Option<String> {
    variable(NOW)?.into_string().ok()
}

/// Says whether the person's terminal takes styles and they want them.
pub(crate) fn is_styled() -> bool {
    variable(NO_COLOR).is_none() && !is_dumb()
}

/// Says whether the terminal can do no more than print.
pub(crate) fn is_dumb() -> bool {
    variable(TERM).is_some_and(|term| term == "dumb")
}

/// Folder of an unpacked Rust compiler for WebAssembly, where rustup has none.
const WASM_TOOLCHAIN: &str = "HYP_WASM_TOOLCHAIN";

/// Returns the folder of an unpacked compiler for WebAssembly.
pub(crate) fn wasm_toolchain() -> Option<PathBuf> {
    variable(WASM_TOOLCHAIN).map(PathBuf::from)
}

/// Returns the cargo that the environment asks for.
pub(crate) fn cargo() -> Option<OsString> {
    variable("CARGO")
}

/// Returns the folder that cargo keeps packages in.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    variable("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".cargo")))
}

/// Returns the command that shows long answers.
pub(crate) fn pager() -> Option<String> {
    variable(PAGER)?.into_string().ok()
}

/// Returns every variable that is UTF-8, for the candidates that providers name.
pub(crate) fn all() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
