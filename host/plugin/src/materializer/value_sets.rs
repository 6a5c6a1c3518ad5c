//! Columns that hold nothing but words of a set, as a materializer may say beside its description.

use hyp_model::item::ValueSet;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Instance, Lift};

use super::MaterializerDescription;
use crate::bindings::VALUE_SETS;
use crate::state::State;

/// What is told of one column.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Told {
    dataset: String,
    column: String,
    values: Vec<String>,
}

/// Asks which columns these are; a component that does not export the question has none.
pub(super) fn of(
    store: &mut StoreContextMut<'_, State>,
    instance: &Instance,
) -> wasmtime::Result<Vec<Told>> {
    let interface = instance.get_export_index(&mut *store, None, VALUE_SETS);
    let function = interface
        .and_then(|interface| instance.get_export_index(&mut *store, Some(&interface), "describe"));
    let Some(function) = function else { return Ok(Vec::new()) };
    let function = instance.get_typed_func::<(), (Vec<Told>,)>(&mut *store, function)?;
    function.call(store, ()).map(|(told,)| told)
}

/// Puts what was told where it belongs.
pub(super) fn settle(
    description: &mut MaterializerDescription,
    told: Vec<Told>,
) -> Result<(), String> {
    for Told { dataset, column, values } in told {
        let found = description.datasets.iter_mut().find(|it| it.name == dataset);
        let found = found.ok_or_else(|| {
            format!("it lists values for the dataset `{dataset}`, which it does not have")
        })?;
        found.value_sets.push(ValueSet { column, values });
    }
    Ok(())
}
