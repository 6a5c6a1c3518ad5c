//! An older contract, made up for the tests of the seam, and its adapter.

use hyp_model::event::{Content, Event, Message, Part, Skip, Span, Text, Thread};
use wasmtime::component::{HasSelf, Linker, Resource, ResourceAny};
use wasmtime::{Engine, Result, StoreContextMut};

use super::Step;
use crate::bindings::inputs::{self as present, Chunk};
use crate::bindings::log::Level;
use crate::bindings::types;
use crate::description::{Candidate, Description, Purpose, Root};
use crate::imports::inputs::OpenInput;
use crate::imports::sink;
use crate::plan::{Plan, Unit};
use crate::state::{MESSAGE_KIND, State};

mod bindings {
    wasmtime::component::bindgen!({
        path: "src/seam/elder.wit",
        world: "provider-plugin",
        imports: { default: trappable },
        with: { "hyp:backfill/inputs.input": crate::imports::inputs::OpenInput },
    });
}

use bindings::hyp::backfill::{inputs, log, sink as words};

pub(crate) use bindings::{ProviderPlugin as Spoken, ProviderPluginPre};

/// A component of this contract that is linked.
pub(crate) type Ready = ProviderPluginPre<State>;

/// Its version.
pub(crate) const CONTRACT: &str = "0.0.9";

/// Gives a linker everything that this contract knows.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    inputs::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state)?;
    words::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state)?;
    log::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state)?;
    Ok(linker)
}

pub(crate) fn describe(it: &Spoken, store: StoreContextMut<'_, State>) -> Result<Description> {
    let said = it.hyp_backfill_provider().call_describe(store)?;
    Ok(Description {
        name: said.name,
        title: said.title,
        version: said.version,
        summary: String::new(),
        kinds: vec![MESSAGE_KIND.to_owned()],
        clients: Vec::new(),
        roots: vec![Root {
            name: "history".to_owned(),
            purpose: Purpose::History,
            candidates: vec![Candidate::Home(said.folder)],
            globs: vec![said.glob],
            depth: 1,
            tables: Vec::new(),
        }],
        settings: Vec::new(),
    })
}

pub(crate) fn plan(
    it: &Spoken,
    store: StoreContextMut<'_, State>,
    entries: &[present::Entry],
) -> Result<Result<Plan, types::Fault>> {
    let groups = it.hyp_backfill_provider().call_plan(store, &told(entries))?;
    let id = |group: &[u32]| {
        let first = group.first().and_then(|at| entries.get(*at as usize));
        first.map(|entry| entry.path.clone()).unwrap_or_default()
    };
    let unit =
        |inputs: Vec<u32>| Unit { id: id(&inputs), inputs, context: Vec::new(), stamp: None };
    let units = groups.into_iter().map(unit).collect();
    Ok(Ok(Plan { units, ignored: Vec::new() }))
}

pub(crate) fn open(
    it: &Spoken,
    store: StoreContextMut<'_, State>,
    entries: &[present::Entry],
    checkpoint: Option<&[u8]>,
) -> Result<Result<ResourceAny, types::Fault>> {
    if checkpoint.is_some() {
        return Ok(Err(types::Fault::Internal("this contract knows no checkpoints".to_owned())));
    }
    it.hyp_backfill_provider().scan().call_open(store, &told(entries)).map(Ok)
}

pub(crate) fn advance(
    it: &Spoken,
    store: StoreContextMut<'_, State>,
    scan: ResourceAny,
    budget: u32,
) -> Result<Result<Step, types::Fault>> {
    let answer = it.hyp_backfill_provider().scan().call_advance(store, scan, budget)?;
    Ok(answer.map(|is_done| Step { is_done, checkpoint: None }).map_err(types::Fault::Source))
}

fn told(entries: &[present::Entry]) -> Vec<inputs::Entry> {
    let entry = |it: &present::Entry| inputs::Entry { path: it.path.clone(), size: it.size };
    entries.iter().map(entry).collect()
}

impl inputs::Host for State {}

impl inputs::HostInput for State {
    fn open(&mut self, index: u32) -> Result<Option<Resource<OpenInput>>> {
        Ok(present::HostInput::open(self, index, 0)?.ok())
    }

    fn read_lines(
        &mut self,
        input: Resource<OpenInput>,
        budget: u32,
    ) -> Result<Result<Vec<u8>, String>> {
        Ok(match present::HostInput::read_lines(self, input, budget)? {
            Ok(Chunk::Lines(lines)) => Ok(lines.bytes),
            Ok(Chunk::End) => Ok(Vec::new()),
            Ok(Chunk::LongLine(_)) => Err("a line is too long for this contract".to_owned()),
            Err(error) => Err(error.to_string()),
        })
    }

    fn drop(&mut self, input: Resource<OpenInput>) -> Result<()> {
        present::HostInput::drop(self, input)
    }
}

impl log::Host for State {
    fn write(&mut self, message: String) -> Result<()> {
        crate::bindings::log::Host::write(self, Level::Info, message)
    }
}

impl words::Host for State {
    fn emit(&mut self, page: Vec<words::Event>) -> Result<()> {
        sink::receive(self, page.into_iter().map(event).collect())
    }
}

fn event(it: words::Event) -> Event {
    let span = |it: words::Span| Span { input: 0, offset: it.offset, length: it.length };
    match it {
        words::Event::Thread(id) => Event::ThreadStart(Box::new(Thread {
            session_id: id.clone(),
            client: "elder".to_owned(),
            id,
            ..Thread::default()
        })),
        words::Event::Said(words::Said { at, role, text }) => Event::Message(Box::new(Message {
            span: span(at),
            role,
            parts: vec![Part {
                block_type: "text".to_owned(),
                content: Content::Text(Text { value: text, literal: None }),
            }],
            ..Message::default()
        })),
        words::Event::Skip(at) => {
            Event::Skip(Skip { span: span(at), kind: "known".to_owned(), count: 1 })
        }
        words::Event::ThreadEnd => Event::ThreadEnd,
    }
}

#[cfg(test)]
mod tests;
