//! Where findings arrive: pages are copied out of guest memory, counted and checked, before `emit` returns.

use std::time::Instant;

use hyp_model::event::Event;
use wasmtime::component::{Linker, WasmList};
use wasmtime::{AsContextMut, Result, StoreContextMut};

use crate::bindings::SINK;
use crate::fence::Fence;
use crate::lift::{Bound, Copier, LEvent, copy_event};
use crate::state::{MESSAGE_KIND, Phase, State};

/// Bytes that an event counts for beside its text.
const EVENT_COST: usize = 64;

/// A page that was planned is made of notes; more than this is no plan.
const NOTES_AT_MOST: u64 = 1024 * 1024;

/// Gives the linker `emit`, in the form that borrows from guest memory.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    linker.instance(SINK)?.func_wrap(
        "emit",
        |mut store: StoreContextMut<'_, State>, (page,): (WasmList<LEvent>,)| {
            let asked = Instant::now();
            let taken = emit(&mut store, &page);
            store.data_mut().host_time += asked.elapsed();
            taken
        },
    )
}

fn emit(store: &mut StoreContextMut<'_, State>, page: &WasmList<LEvent>) -> Result<()> {
    let state = store.data_mut();
    let bound = bound(state)?;
    // Out of the store, so that the store can be borrowed to read guest memory.
    let mut events = std::mem::take(&mut state.page);
    let known = events.len();

    let mut copier = Copier::new(store.as_context_mut(), bound);
    events.extend(copier.list(page, EVENT_COST, copy_event)?);
    let spent = copier.spent();

    let state = store.data_mut();
    state.bytes_in_call += spent;
    state.bytes_emitted += spent;
    for event in &events[known..] {
        check(state, event)?;
    }
    state.page = events;
    Ok(())
}

/// Takes a page of an older contract, whose events were copied before they could be counted.
#[cfg(test)]
pub(crate) fn receive(state: &mut State, events: Vec<Event>) -> Result<()> {
    bound(state)?;
    let spent = (events.len() * EVENT_COST) as u64;
    state.bytes_in_call += spent;
    state.bytes_emitted += spent;
    for event in &events {
        check(state, event)?;
    }
    state.page.extend(events);
    Ok(())
}

/// Returns how many bytes the guest may emit now: the tightest of the bounds on a page, a call and the unit.
fn bound(state: &State) -> Result<Bound, Fence> {
    match state.phase {
        Phase::Plan => Ok(left("a plan", NOTES_AT_MOST, state.bytes_in_call)),
        Phase::Advance => {
            let page = state.limits.page_bytes as u64;
            let bounds = [
                left("a page", page, 0),
                left("one call of `advance`", page.saturating_mul(2), state.bytes_in_call),
                left("this unit", state.output_bound(), state.bytes_emitted),
            ];
            Ok(bounds.into_iter().min_by_key(|bound| bound.left).expect("there are three bounds"))
        }
        Phase::Idle | Phase::Open => {
            Err(Fence::Forbidden { what: "called `emit` outside of `advance` and `plan`" })
        }
    }
}

fn left(whole: &'static str, limit: u64, spent: u64) -> Bound {
    Bound { left: limit.saturating_sub(spent), limit, whole }
}

fn check(state: &mut State, event: &Event) -> Result<(), Fence> {
    if state.phase == Phase::Plan {
        return match event {
            Event::Note(_) => Ok(()),
            _ => Err(Fence::Forbidden { what: "emitted something else than notes in `plan`" }),
        };
    }
    let declared = |kind: &str| {
        if state.kinds.iter().any(|known| known == kind) {
            return Ok(());
        }
        Err(Fence::UndeclaredKind { kind: kind.to_owned() })
    };
    match event {
        Event::Message(message) => {
            declared(MESSAGE_KIND)?;
            state.claim(message.span)
        }
        Event::Item(span, item) => {
            declared(&item.kind)?;
            state.claim(*span)
        }
        Event::Skip(skip) => state.claim(skip.span),
        Event::Failure(failure) => state.claim(failure.span),
        _ => Ok(()),
    }
}
