//! Makes components that no compiler would: each says of itself, and does, what a test wants.
//!
//! The core module is written instruction by instruction after the canonical ABI of `wit/provider.wit`; the records
//! that it gives back lie ready in its memory.

use std::borrow::Cow;
use std::path::Path;
use std::sync::LazyLock;

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction, MemArg, MemorySection,
    MemoryType, Module, TypeSection, ValType,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use crate::sandbox::guest;

/// Where data lies in the module's memory; below is nothing.
const BASE: u32 = 1024;

const PROVIDER: &str = "hyp:backfill/provider@0.1.2";

/// Index of the import `sink.emit`.
pub(crate) const EMIT: u32 = 0;
/// Index of the import that makes a scan.
const NEW_SCAN: u32 = 1;
/// Index of the import `log.write`.
pub(crate) const LOG: u32 = 2;
/// Index of the import `inputs.head`.
pub(crate) const HEAD: u32 = 3;
/// Index of the import `get-environment` of `wasi`, for whoever [asks](Forge::asks_wasi).
pub(crate) const ENVIRONMENT: u32 = 4;

/// Code of a function: its values of result are left on the stack.
pub(crate) type Code = Vec<Instruction<'static>>;

/// A root of a provider.
#[derive(Clone)]
pub(crate) struct Root {
    pub(crate) name: String,
    /// Path below the home folder.
    pub(crate) home: String,
    /// A variable that names the folder as well.
    pub(crate) variable: Option<String>,
    pub(crate) globs: Vec<String>,
}

impl Root {
    pub(crate) fn new(name: &str, home: &str, glob: &str) -> Self {
        Self { name: name.into(), home: home.into(), variable: None, globs: vec![glob.into()] }
    }
}

/// A provider to be made.
#[derive(Clone)]
pub(crate) struct Forge {
    pub(crate) name: Vec<u8>,
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) kinds: Vec<String>,
    pub(crate) roots: Vec<Root>,
    /// Units that its plan gives, each by its id and the entries that it is made of.
    pub(crate) units: Vec<(String, Vec<u32>)>,
    /// Code in place of what gives its description.
    pub(crate) describe: Option<Code>,
    /// Code in place of what gives its plan.
    pub(crate) plan: Option<Code>,
    /// Code in place of what opens a scan.
    pub(crate) open: Option<Code>,
    /// Code in front of what says that the unit is at its end.
    pub(crate) advance: Code,
    /// Code in place of the allocator.
    pub(crate) realloc: Option<Code>,
    /// Code that runs when the component is started.
    pub(crate) start: Code,
    /// Whether it imports `wasi:cli/environment`.
    pub(crate) asks_wasi: bool,
    /// Pages of memory that it begins with.
    pub(crate) pages: u64,
    /// Bytes for its own use; [`Forge::data_at`] says where they come to lie.
    pub(crate) data: Vec<u8>,
}

impl Forge {
    /// Returns a provider that reads `*.jsonl` below `~/.NAME`, and finds nothing there.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            title: name.into(),
            version: "0.1.0".into(),
            kinds: vec!["ai_gateway.projected_exchange".into()],
            roots: vec![Root::new("history", &format!(".{name}"), "*.jsonl")],
            units: Vec::new(),
            describe: None,
            plan: None,
            open: None,
            advance: Vec::new(),
            realloc: None,
            start: Vec::new(),
            asks_wasi: false,
            pages: 4,
            data: Vec::new(),
        }
    }

    /// Returns where `data` lies: it comes first.
    pub(crate) fn data_at() -> i32 {
        i32::try_from(BASE).unwrap()
    }

    /// Returns the component.
    pub(crate) fn component(&self) -> Vec<u8> {
        let mut module = self.module();
        let (resolve, world) = if self.asks_wasi { &*ASKING } else { &*CONTRACT };
        embed_component_metadata(&mut module, resolve, *world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }

    fn module(&self) -> Vec<u8> {
        let mut memory = Memory(self.data.clone());
        let description = self.description(&mut memory);
        let description = memory.put(&description);
        let plan = self.planned(&mut memory);
        let plan = memory.put(&plan);
        // A scan, and the end of a unit: `ok` with a handle, `ok` with `done` and no checkpoint.
        let opened = memory.put(&[0; 16]);
        let done = memory.put(&[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let nothing = memory.put(&[0; 8]);

        let at = |address: u32| vec![Instruction::I32Const(i32::try_from(address).unwrap())];
        let store = MemArg { offset: 0, align: 2, memory_index: 0 };
        let open = [
            at(opened + 4),
            vec![
                Instruction::I32Const(7),
                Instruction::Call(NEW_SCAN),
                Instruction::I32Store(store),
            ],
            at(opened),
        ];
        // The heap begins behind the data, and never ends.
        let allocate = vec![
            Instruction::GlobalGet(0),
            Instruction::I32Const(15),
            Instruction::I32Add,
            Instruction::I32Const(-16),
            Instruction::I32And,
            Instruction::GlobalSet(0),
            Instruction::GlobalGet(0),
            Instruction::GlobalGet(0),
            Instruction::LocalGet(3),
            Instruction::I32Add,
            Instruction::GlobalSet(0),
        ];
        let i32s = |count: usize| vec![ValType::I32; count];
        #[rustfmt::skip]
        let functions: Vec<(String, Vec<ValType>, usize, Code)> = vec![
            (format!("{PROVIDER}#describe"),              i32s(0), 1, self.describe.clone().unwrap_or(at(description))),
            (format!("{PROVIDER}#plan"),                  i32s(2), 1, self.plan.clone().unwrap_or(at(plan))),
            (format!("{PROVIDER}#[static]scan.open"),     i32s(9), 1, self.open.clone().unwrap_or(open.concat())),
            (format!("{PROVIDER}#[method]scan.advance"),  i32s(2), 1, [self.advance.clone(), at(done)].concat()),
            (format!("{PROVIDER}#counters"),              i32s(1), 1, at(nothing)),
            (format!("{PROVIDER}#[dtor]scan"),            i32s(1), 0, Vec::new()),
            ("cabi_realloc".to_owned(),                   i32s(4), 1, self.realloc.clone().unwrap_or(allocate)),
            ("_initialize".to_owned(),                    i32s(0), 0, self.start.clone()),
        ];

        let mut types = TypeSection::new();
        let mut imports = ImportSection::new();
        #[rustfmt::skip]
        let mut imported = vec![
            ("hyp:backfill/sink@0.1.2",      "emit",               2, 0),
            ("[export]hyp:backfill/provider@0.1.2", "[resource-new]scan", 1, 1),
            ("hyp:backfill/log@0.1.2",       "write",              3, 0),
            ("hyp:backfill/inputs@0.1.2",    "head",               3, 0),
        ];
        if self.asks_wasi {
            imported.push(("wasi:cli/environment@0.2.0", "get-environment", 1, 0));
        }
        let first = u32::try_from(imported.len()).unwrap();
        for (index, (interface, name, params, results)) in (0..).zip(imported) {
            types.ty().function(i32s(params), i32s(results));
            imports.import(interface, name, EntityType::Function(index));
        }
        let mut declared = FunctionSection::new();
        let mut exports = ExportSection::new();
        let mut code = CodeSection::new();
        for (index, (name, params, results, body)) in (0..).zip(&functions) {
            types.ty().function(params.clone(), i32s(*results));
            declared.function(first + index);
            exports.export(name, ExportKind::Func, first + index);
            // One local beside the parameters, for whoever counts.
            let mut function = Function::new([(1, ValType::I32)]);
            body.iter().for_each(|instruction| {
                function.instruction(instruction);
            });
            function.instruction(&Instruction::End);
            code.function(&function);
        }
        exports.export("memory", ExportKind::Memory, 0);
        let end = BASE + u32::try_from(memory.0.len()).unwrap();
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: self.pages.max(u64::from(end / 65_536 + 2)),
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut globals = GlobalSection::new();
        let heap = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(heap, &ConstExpr::i32_const(i32::try_from(end).unwrap()));
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(Self::data_at()), memory.0);

        let mut module = Module::new();
        module.section(&types).section(&imports).section(&declared).section(&memories);
        module.section(&globals).section(&exports).section(&code).section(&data);
        module.finish()
    }

    fn description(&self, memory: &mut Memory) -> Vec<u8> {
        let name = memory.list(&self.name, self.name.len());
        let title = memory.text(&self.title);
        let version = memory.text(&self.version);
        let kinds: Vec<_> = self.kinds.iter().map(|kind| memory.text(kind).to_vec()).collect();
        let kinds = memory.list(&kinds.concat(), self.kinds.len());
        let roots: Vec<_> = self.roots.iter().map(|root| root.record(memory)).collect();
        let roots = memory.list(&roots.concat(), self.roots.len());
        [name, title, version, [0; 8], kinds, [0; 8], roots, [0; 8]].concat()
    }

    /// Returns `ok` with the units.
    fn planned(&self, memory: &mut Memory) -> Vec<u8> {
        let units = self.units.iter().map(|(id, inputs)| {
            let id = memory.text(id);
            let bytes: Vec<u8> = inputs.iter().flat_map(|input| input.to_le_bytes()).collect();
            let inputs = memory.list(&bytes, inputs.len());
            // No context, and no stamp.
            [&id[..], &inputs, &[0; 8], &[0; 32]].concat()
        });
        let units: Vec<_> = units.collect();
        let units = memory.list(&units.concat(), units.len());
        [&[0; 4][..], &units, &[0; 8]].concat()
    }
}

impl Root {
    fn record(&self, memory: &mut Memory) -> Vec<u8> {
        let name = memory.text(&self.name);
        let mut candidates = Vec::new();
        if let Some(variable) = &self.variable {
            let variable = memory.text(variable);
            // `environment`: no list, nothing below, overrides.
            candidates.push([&[0; 4][..], &variable, &[0; 4], &[0; 8], &[1, 0, 0, 0]].concat());
        }
        let home = memory.text(&self.home);
        candidates.push([&[1, 0, 0, 0][..], &home, &[0; 16]].concat());
        let candidates = memory.list(&candidates.concat(), candidates.len());
        let globs: Vec<_> = self.globs.iter().map(|glob| memory.text(glob).to_vec()).collect();
        let globs = memory.list(&globs.concat(), self.globs.len());
        let depth = 4_u32.to_le_bytes();
        // Purpose `history`, and no tables.
        [&name[..], &[0; 4], &candidates, &globs, &depth, &[0; 8]].concat()
    }
}

/// Bytes that begin at [`BASE`].
struct Memory(Vec<u8>);

impl Memory {
    /// Puts bytes down and returns their address.
    fn put(&mut self, bytes: &[u8]) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        let at = BASE + u32::try_from(self.0.len()).unwrap();
        self.0.extend(bytes);
        at
    }

    /// Puts a list down and returns its address and its length.
    fn list(&mut self, bytes: &[u8], length: usize) -> [u8; 8] {
        let at = self.put(bytes).to_le_bytes();
        let length = u32::try_from(length).unwrap().to_le_bytes();
        [at, length].concat().try_into().unwrap()
    }

    fn text(&mut self, text: &str) -> [u8; 8] {
        self.list(text.as_bytes(), text.len())
    }
}

static CONTRACT: LazyLock<(Resolve, WorldId)> = LazyLock::new(|| {
    let mut resolve = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(folder).unwrap();
    let world = resolve.select_world(&[package], Some("provider-plugin")).unwrap();
    (resolve, world)
});

/// The contract, and what programs for `wasi` ask for.
static ASKING: LazyLock<(Resolve, WorldId)> = LazyLock::new(|| {
    let mut resolve = CONTRACT.0.clone();
    let wasi = "package wasi:cli@0.2.0; \
                interface environment { get-environment: func() -> list<tuple<string, string>>; }";
    let asks = "package it:it; world asks { \
                include hyp:backfill/provider-plugin@0.1.2; import wasi:cli/environment@0.2.0; }";
    resolve.push_str("wasi.wit", wasi).unwrap();
    let package = resolve.push_str("asks.wit", asks).unwrap();
    let world = resolve.select_world(&[package], Some("asks")).unwrap();
    (resolve, world)
});

/// Returns the component of a guest in which one word stands wherever another of its length stood.
pub(crate) fn reworded<const N: usize>(name: &str, from: &[u8; N], to: &[u8; N]) -> Vec<u8> {
    let mut component = std::fs::read(guest(name)).unwrap();
    for at in 0..component.len() - N {
        if component[at..].starts_with(from) {
            component[at..at + N].copy_from_slice(to);
        }
    }
    component
}

/// Returns a component with a custom section: the same program under another digest.
pub(crate) fn stamped(component: &[u8], stamp: &str) -> Vec<u8> {
    use wasm_encoder::{Component, CustomSection};
    let section =
        CustomSection { name: Cow::Borrowed("build"), data: Cow::Borrowed(stamp.as_bytes()) };
    let mut tail = Component::new();
    tail.section(&section);
    let tail = tail.finish();
    // The first eight bytes are the preamble.
    [component, &tail[8..]].concat()
}
