//! Roots that are lent to an installed provider, and taken back.

use hyp_plugin::{Description, Limits, Purpose, Root};

use crate::components::Components;
use crate::error::BackfillError;
use crate::places::Places;
use crate::plugins::grants::outside;
use crate::plugins::lock::Lock;

/// Lends a provider roots that were taken back; returns what it may read with them.
///
/// # Errors
/// Fails when it is not installed, has no such root, or when a root leads to a place that is lent to nobody.
pub fn grant(places: &Places, name: &str, roots: &[String]) -> Result<Vec<String>, BackfillError> {
    let mut components = Components::load(places, Limits::default(), &[name.to_owned()])?;
    let lock = Lock::read(&places.store)?;
    locked_roots(&lock, name, roots)?;
    let plugins = components.select(&[name.to_owned()], None)?;
    for description in plugins.iter().map(|plugin| plugin.description()) {
        for root in description.roots.iter().filter(|root| roots.contains(&root.name)) {
            check_reach(places, name, description, root)?;
        }
    }
    set_revoked(places, name, roots, false)
}

/// Takes roots back from a provider; returns what it may read no longer.
///
/// # Errors
/// Fails when it is not installed, has no such root, or the store cannot be written.
pub fn revoke(places: &Places, name: &str, roots: &[String]) -> Result<Vec<String>, BackfillError> {
    set_revoked(places, name, roots, true)
}

fn set_revoked(
    places: &Places,
    name: &str,
    roots: &[String],
    revoked: bool,
) -> Result<Vec<String>, BackfillError> {
    Lock::change(&places.store, |lock| {
        locked_roots(lock, name, roots)?;
        let grants = lock.plugin.iter_mut().filter(|plugin| plugin.name == name);
        let grants = grants.flat_map(|plugin| &mut plugin.grants);
        let mut reads = Vec::new();
        for grant in grants.filter(|grant| roots.contains(&grant.root)) {
            grant.revoked = revoked;
            reads.extend(grant.reads.iter().cloned());
        }
        Ok(reads)
    })
}

/// Refuses names that are no roots of an installed provider.
fn locked_roots(lock: &Lock, name: &str, roots: &[String]) -> Result<(), BackfillError> {
    let locked =
        lock.get(name).ok_or_else(|| BackfillError::NotInstalled { name: name.to_owned() })?;
    let known: Vec<String> = locked.grants.iter().map(|grant| grant.root.clone()).collect();
    match roots.iter().find(|root| !known.contains(root)) {
        Some(root) => {
            Err(BackfillError::NoRoot { name: name.to_owned(), root: root.clone(), known })
        }
        None => Ok(()),
    }
}

/// Refuses a root that leads, as things lie now, to a place that is lent to no component from elsewhere.
pub(super) fn check_reach(
    places: &Places,
    name: &str,
    description: &Description,
    root: &Root,
) -> Result<(), BackfillError> {
    if places.history_folder.is_some() || root.purpose != Purpose::History {
        return Ok(());
    }
    for folder in places.folders(description, root) {
        let Ok(found) = folder.canonicalize() else { continue };
        if let Some(what) = outside(&found, places) {
            let (name, root) = (name.to_owned(), root.name.clone());
            return Err(BackfillError::OutOfReach { name, root, folder, what });
        }
    }
    Ok(())
}
