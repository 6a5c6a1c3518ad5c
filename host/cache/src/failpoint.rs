//! Places where a commit can be made to fail, so that tests see what a crash leaves behind.
//!
//! `HYP_FAILPOINT=name[:error|abort][:n]` fails at the n-th time that `name` is passed. Unset, a
//! place costs one load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::StoreError;

/// Every place, in the order in which a commit passes them.
pub const NAMES: &[&str] = &[
    "before_data_files",
    "after_data_files",
    "after_delete_files",
    "after_manifests",
    "after_manifest_list",
    "after_metadata",
    "in_catalog",
    "after_catalog",
    "before_compaction",
    "before_expiry",
    "in_sweep",
    "before_erasing",
    "after_sweep",
];

/// What is to happen, and where.
#[derive(Debug)]
struct Setting {
    name: String,
    is_abort: bool,
    at: u64,
    seen: AtomicU64,
}

static SETTING: OnceLock<Option<Setting>> = OnceLock::new();

#[cfg(test)]
thread_local! {
    static ARMED: std::cell::RefCell<Option<(&'static str, u64)>> = const { std::cell::RefCell::new(None) };
}

/// Makes the `nth` pass of a place fail, on this thread.
#[cfg(test)]
pub(crate) fn arm(setting: Option<(&'static str, u64)>) {
    ARMED.with_borrow_mut(|armed| *armed = setting);
}

/// Passes a place: fails where the environment asks for it.
pub(crate) fn hit(name: &'static str) -> Result<(), StoreError> {
    #[cfg(test)]
    if ARMED.with_borrow_mut(|armed| match armed {
        Some((wanted, left)) if *wanted == name => {
            *left = left.saturating_sub(1);
            *left == 0
        }
        _ => false,
    }) {
        return Err(StoreError::Failpoint { name });
    }
    let Some(setting) = SETTING.get_or_init(read) else { return Ok(()) };
    if setting.name != name || setting.seen.fetch_add(1, Ordering::Relaxed) + 1 != setting.at {
        return Ok(());
    }
    if setting.is_abort {
        std::process::abort();
    }
    Err(StoreError::Failpoint { name })
}

fn read() -> Option<Setting> {
    let text = std::env::var("HYP_FAILPOINT").ok()?;
    let mut words = text.split(':');
    let name = words.next().filter(|name| !name.is_empty())?.to_owned();
    let mut setting = Setting { name, is_abort: false, at: 1, seen: AtomicU64::new(0) };
    for word in words {
        match word {
            "abort" => setting.is_abort = true,
            "error" => setting.is_abort = false,
            number => setting.at = number.parse().unwrap_or(1),
        }
    }
    Some(setting)
}
