//! What there is to import, without importing it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hyp_cache::{Store, StoreError, UnitState};
use hyp_materialize::Window;
use hyp_plugin::{Candidate, Limits, Plugin};

use crate::components::{Components, name_of, origin_of};
use crate::discover::{barred, discover, terms};
use crate::error::BackfillError;
use crate::makers::Makers;
use crate::places::Places;
use crate::plugins::grants::Lending;
use crate::report::{ProviderInfo, ProviderPlan, RootInfo};
use crate::run::now;
use crate::secrets::Secrets;
use crate::work::{Question, agenda, reader};
use crate::worker::note_line;

/// Lists the providers that this machine has.
///
/// # Errors
/// Fails when `plugins.lock` cannot be read or a bundled component is damaged.
pub fn list(places: &Places) -> Result<Vec<ProviderInfo>, BackfillError> {
    let components = Components::look(places)?;
    let makers = &components.makers;
    Ok(components.registry.iter().map(|plugin| info(plugin, places, makers)).collect())
}

fn info(plugin: &Plugin, places: &Places, makers: &Makers) -> ProviderInfo {
    let description = plugin.description();
    ProviderInfo {
        name: description.name.clone(),
        plugin: format!("{} {}", description.name, description.version),
        title: description.title.clone(),
        version: description.version.clone(),
        datasets: makers.filled_by(description),
        summary: description.summary.clone(),
        origin: origin_of(plugin),
        roots: roots_of(plugin, places),
    }
}

fn roots_of(plugin: &Plugin, places: &Places) -> Vec<RootInfo> {
    let roots = plugin.description().roots.iter().flat_map(|root| {
        places.resolve(&root.candidates).into_iter().map(|path| {
            let looked = path.metadata();
            RootInfo {
                name: root.name.clone(),
                exists: looked.is_ok(),
                unreadable: looked.err().and_then(|error| barred(&path, &error)),
                path,
            }
        })
    });
    roots.collect()
}

/// Returns where each provider looks, by its name for people. No materializer is started for it, and nothing is kept.
///
/// # Errors
/// Fails when `plugins.lock` cannot be read or a bundled component is damaged.
pub fn roots(places: &Places) -> Result<Vec<(String, Vec<RootInfo>)>, BackfillError> {
    let components = Components::look(places)?;
    let of = |plugin: &Arc<Plugin>| (plugin.description().title.clone(), roots_of(plugin, places));
    Ok(components.registry.iter().map(of).collect())
}

/// Says what a run of these providers would read, or without names one of the enabled ones. `secrets` are the rules
/// that it would follow: where they changed, everything is read again.
///
/// No component sees content beyond what its plan peeks at.
///
/// # Errors
/// Fails when a provider is unknown, its component fails, or the store cannot be read.
pub fn plan(
    places: &Places,
    providers: &[String],
    enabled: Option<&[String]>,
    secrets: Option<&Secrets>,
) -> Result<Vec<ProviderPlan>, BackfillError> {
    let store = match Store::open(&places.store) {
        Ok(store) => Some(store),
        Err(StoreError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut components = Components::load(places, Limits::default(), providers)?;
    let plugins = components.select(providers, enabled)?;
    let mut plans = Vec::new();
    for plugin in plugins {
        let ledger = match &store {
            Some(store) => store.units(name_of(&plugin))?,
            None => HashMap::new(),
        };
        let reader = reader(&plugin, secrets);
        let plan = plan_of(&plugin, &reader, &components.lending(&plugin), places, &ledger)?;
        let datasets = components.makers.filled_by(plugin.description());
        plans.push(ProviderPlan { datasets, ..plan });
    }
    Ok(plans)
}

fn plan_of(
    plugin: &Plugin,
    reader: &str,
    lending: &Lending,
    places: &Places,
    ledger: &HashMap<String, UnitState>,
) -> Result<ProviderPlan, BackfillError> {
    let found = discover(plugin.description(), lending, places, &terms(&places.store, false))?;
    let mut notes = found.notes.clone();
    let plan = plugin.plan(&found.files, &mut notes)?;
    let units = plan.units.len() as u64;
    let window = Window { since: None, until: None };
    let question = Question {
        ledger,
        component_digest: reader,
        window: &window,
        full: false,
        only: None,
        now: now(),
    };
    let agenda = agenda(&found, plan, &question);
    let times = || found.files.iter().map(|lent| lent.entry.modified);
    Ok(ProviderPlan {
        provider: name_of(plugin).to_owned(),
        plugin: format!("{} {}", name_of(plugin), plugin.description().version),
        units,
        units_unchanged: agenda.unchanged_units,
        files: found.files.len() as u64,
        bytes: found.files.iter().map(|lent| lent.entry.size).sum(),
        bytes_to_read: agenda.work.iter().map(|work| work.size).sum(),
        oldest: times().min(),
        newest: times().max(),
        ignored: agenda.ignored,
        not_understood: agenda.not_understood,
        notes: notes.iter().map(note_line).chain(found.unreadable).collect(),
        ..ProviderPlan::default()
    })
}

/// Returns the variables, of those that are set, by which clients are told where to keep their history.
///
/// # Errors
/// Fails when `plugins.lock` cannot be read or a bundled component is damaged.
pub fn variables(places: &Places) -> Result<BTreeMap<String, String>, BackfillError> {
    let components = Components::look(places)?;
    let roots = components.registry.iter().flat_map(|plugin| &plugin.description().roots);
    let names = roots.flat_map(|root| &root.candidates).filter_map(|candidate| match candidate {
        Candidate::Environment { variable, .. } => Some(variable.as_str()),
        Candidate::ConfigHome(_) => Some("XDG_CONFIG_HOME"),
        Candidate::DataHome(_) => Some("XDG_DATA_HOME"),
        _ => None,
    });
    let set = names.filter_map(|name| {
        let value = places.environment.get(name).filter(|value| !value.is_empty())?;
        Some((name.to_owned(), value.clone()))
    });
    Ok(set.collect())
}
