//! The hundred: what each does, and what a person is told of it.

use wasm_encoder::Instruction;

use super::bodies::{answer, call, forever, hog, recurse, spin, trap};
use crate::forge::{Code, EMIT, Forge, HEAD, LOG, Root};

/// A component that means harm.
pub(super) struct Hostile {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Words that a person is told, wherever it is stopped.
    pub(super) told: &'static str,
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

pub(super) fn all() -> Vec<Hostile> {
    let mut dice = Dice(0x5eed_cafe_f00d_1234);
    [damaged(&mut dice), imports(&mut dice), lies(), at_start(), at_plan(), at_scan(&mut dice)]
        .into_iter()
        .flatten()
        .collect()
}

/// A provider that would find a file to read.
fn forge(name: &str) -> Forge {
    let mut forge = Forge::new(name);
    forge.roots = vec![Root::new("history", ".hostile", "*.jsonl")];
    forge.units = vec![("a".into(), vec![0])];
    forge
}

fn named<T>(
    family: &str,
    cases: Vec<(T, &'static str)>,
    make: impl Fn(&str, T) -> Vec<u8>,
) -> Vec<Hostile> {
    let one = |(number, (case, told)): (usize, (T, &'static str))| {
        let name = format!("{family}-{number}");
        Hostile { bytes: make(&name, case), name, told }
    };
    cases.into_iter().enumerate().map(one).collect()
}

/// Files that were cut off, or are noise in the middle.
fn damaged(dice: &mut Dice) -> Vec<Hostile> {
    let whole = forge("damaged").component();
    let mut cases: Vec<(Vec<u8>, &str)> = Vec::new();
    for _ in 0..8 {
        cases.push((whole[..8 + dice.below(whole.len() - 8)].to_vec(), "does not compile"));
    }
    for _ in 0..8 {
        let mut bytes = whole.clone();
        let at = 8 + dice.below(400);
        bytes[at..at + 32].copy_from_slice(&dice.bytes(32));
        cases.push((bytes, "does not compile"));
    }
    named("damaged", cases, |_, bytes| bytes)
}

/// Wishes that no host should fulfil.
fn imports(dice: &mut Dice) -> Vec<Hostile> {
    let mut cases: Vec<(String, &str)> = [
        ("wasi:http/outgoing-handler@0.2.0", "does not fit hyp:backfill@0.1.2"),
        ("wasi:sockets/raw@9.0.0", "does not fit hyp:backfill@0.1.2"),
        ("hyp:backfill/store-read@0.1.2", "which this host does not give to providers"),
        ("hyp:backfill/materializer@0.1.2", "which this host does not give to providers"),
        ("hyp:backfill/inputs@0.0.9", "wants hyp:backfill@0.0.9, this host speaks 0.1.2"),
        ("hyp:backfill/inputs@7.0.0", "wants hyp:backfill@7.0.0, this host speaks 0.1.2"),
    ]
    .map(|(name, told)| (name.to_owned(), told))
    .into();
    for _ in 0..8 {
        let mut word = || -> String {
            (0..3 + dice.below(12)).map(|_| char::from(b'a' + dice.below(26) as u8)).collect()
        };
        let name = format!("{}:{}/{}@1.0.0", word(), word(), word());
        cases.push((name, "which this host does not give to providers"));
    }
    named("imports", cases, |_, import| empty(&import))
}

/// Returns a component that imports an instance of a name and exports an empty provider.
fn empty(import: &str) -> Vec<u8> {
    use wasm_encoder::{
        Component, ComponentExportKind, ComponentExportSection, ComponentImportSection,
        ComponentInstanceSection, ComponentTypeRef, ComponentTypeSection, InstanceType,
    };
    let mut types = ComponentTypeSection::new();
    types.instance(&InstanceType::new());
    let mut imports = ComponentImportSection::new();
    imports.import(import, ComponentTypeRef::Instance(0));
    let mut instances = ComponentInstanceSection::new();
    instances.export_items(std::iter::empty::<(&str, ComponentExportKind, u32)>());
    let mut exports = ComponentExportSection::new();
    exports.export("hyp:backfill/provider@0.1.2", ComponentExportKind::Instance, 1, None);
    let mut component = Component::new();
    component.section(&types).section(&imports).section(&instances).section(&exports);
    component.finish()
}

/// Descriptions that are not to be believed.
fn lies() -> Vec<Hostile> {
    type Spoil = fn(&mut Forge);
    fn home(forge: &mut Forge, path: &str) {
        forge.roots[0].home = path.into();
    }
    fn glob(forge: &mut Forge, glob: &str) {
        forge.roots[0].globs = vec![glob.into()];
    }
    let no_name = "is no name: lower case letters, digits and hyphens are";
    #[rustfmt::skip]
    let cases: Vec<(Spoil, &str)> = vec![
        (|it| it.name.clear(),                         no_name),
        (|it| it.name = b"Claude".to_vec(),            no_name),
        (|it| it.name = b"--yes".to_vec(),             no_name),
        (|it| it.name = b"../claude".to_vec(),         no_name),
        (|it| it.name = b"a".repeat(65),               no_name),
        (|it| it.name = b"\x1b[2Jgone".to_vec(),       no_name),
        (|it| it.name = b"nul\0".to_vec(),             no_name),
        (|it| it.name = b"\xff\xfe".to_vec(),          "does not fit hyp:backfill@0.1.2: invalid utf-8"),
        (|it| it.name = b"list".to_vec(),              "the name `list` is taken by a command"),
        (|it| it.name = b"claude".to_vec(),            "the name `claude` is taken by a bundled component"),
        (|it| it.title = "\u{1b}]0;owned\u{7}".into(), "its title has control characters"),
        (|it| it.title = "x".repeat(5000),             "its title is longer than 4096 bytes"),
        (|it| it.version.clear(),                      "its version is empty"),
        (|it| it.kinds.clear(),                        "it declares no kinds"),
        (|it| it.kinds = vec!["k".into(); 2],          "it has two of kind `k`"),
        (|it| it.kinds = vec!["k".into(); 100_000],    "it has more than 64 kinds"),
        (|it| home(it, ""),                            "it is a whole home folder"),
        (|it| home(it, "."),                           "it is a whole home folder"),
        (|it| home(it, "./."),                         "it is a whole home folder"),
        (|it| home(it, "/etc"),                        "leads out of the root"),
        (|it| home(it, "a/../../../etc"),              "leads out of the root"),
        (|it| home(it, "~root"),                       "leads out of the root"),
        (|it| glob(it, "/etc/*"),                      "leads out of the root"),
        (|it| glob(it, "../*"),                        "leads out of the root"),
        (|it| glob(it, ""),                            "it has an empty glob"),
        (|it| glob(it, "[z-a"),                        "has the unusable glob"),
        (|it| it.roots = vec![it.roots[0].clone(); 2], "it has two of root `history`"),
        (|it| it.roots = vec![it.roots[0].clone(); 90], "it has more than 64 roots"),
    ];
    named("lies", cases, |name, spoil| {
        let mut forge = forge(name);
        spoil(&mut forge);
        forge.component()
    })
}

/// A change of a component that is harmless without it.
type Spoil = Box<dyn Fn(&mut Forge)>;

/// Harm that is done before anything is agreed to.
fn at_start() -> Vec<Hostile> {
    let describe: fn(&mut Forge, Code) = |forge, code| forge.describe = Some(code);
    let failed = "failed while it described itself";
    let misfit = "does not fit hyp:backfill@0.1.2: ";
    let mut cases: Vec<(Spoil, &str)> = Vec::new();
    // `describe` is the first function after the imports.
    for (code, told) in [
        (trap(), failed),
        (recurse(4, 0), failed),
        (hog(), failed),
        (answer(-8), misfit),
        (answer(3), misfit),
        (answer(i32::MAX - 3), misfit),
        (forever(call(EMIT, &[0, 0])), failed),
        ([call(HEAD, &[0, 100, 8]), trap()].concat(), failed),
    ] {
        cases.push((Box::new(move |forge| describe(forge, code.clone())), told));
    }
    cases.push((Box::new(move |forge| describe(forge, spin())), "did not come back"));
    cases.push((Box::new(|forge| forge.start = trap()), failed));
    cases.push((Box::new(|forge| forge.pages = 4096), failed));
    cases.push((Box::new(|forge| forge.pages = 65_536), failed));
    named("start", cases, |name, spoil| {
        let mut forge = forge(name);
        spoil(&mut forge);
        forge.component()
    })
}

/// Harm that is done while files are grouped.
fn at_plan() -> Vec<Hostile> {
    let page = Forge::data_at();
    let crashed = "crashed in `plan`";
    let impossible = "made an impossible plan";
    let plan = |code: Code| -> Spoil { Box::new(move |forge| forge.plan = Some(code.clone())) };
    let realloc =
        |code: Code| -> Spoil { Box::new(move |forge| forge.realloc = Some(code.clone())) };
    let units = |units: Vec<(String, Vec<u32>)>| -> Spoil {
        Box::new(move |forge| forge.units.clone_from(&units))
    };
    #[rustfmt::skip]
    let cases: Vec<(Spoil, &str)> = vec![
        (plan(trap()),                                             crashed),
        (plan(recurse(5, 2)),                                      crashed),
        (plan(hog()),                                              "bytes of memory in `plan`"),
        (plan(answer(-4)),                                         crashed),
        (plan(answer(page)),                                       crashed),
        (plan([call(LOG, &[9, 0, 0]), trap()].concat()),           crashed),
        (plan(forever(call(LOG, &[0, -1, 100]))),                  crashed),
        (plan([call(HEAD, &[7, 100, -8]), trap()].concat()),       crashed),
        (realloc(answer(-1)),                                      crashed),
        (realloc(answer(1)),                                       crashed),
        (realloc(trap()),                                          crashed),
        (units(vec![("a".into(), vec![9])]),                       impossible),
        (units(vec![("a".into(), vec![0]), ("a".into(), vec![0])]), impossible),
        (units(vec![(String::new(), vec![0])]),                    impossible),
        (units(vec![("x".repeat(100_000), vec![0])]),              impossible),
    ];
    named("plan", cases, |name, spoil| {
        let mut forge = forge(name);
        // What is no answer to anything: a discriminant that there is not.
        forge.data = vec![9; 64];
        spoil(&mut forge);
        forge.component()
    })
}

/// Harm that is done while a unit is read.
fn at_scan(dice: &mut Dice) -> Vec<Hostile> {
    let page = Forge::data_at();
    let crashed = "crashed in `a`";
    let open = |code: Code| -> Spoil { Box::new(move |forge| forge.open = Some(code.clone())) };
    let advance = |code: Code| -> Spoil { Box::new(move |forge| forge.advance.clone_from(&code)) };
    let emit = |data: Vec<u8>, count: i32| -> Spoil {
        Box::new(move |forge| {
            forge.data.clone_from(&data);
            forge.advance = call(EMIT, &[page, count]);
        })
    };
    #[rustfmt::skip]
    let mut cases: Vec<(Spoil, &str)> = vec![
        (open(trap()),                                      crashed),
        (open(answer(page)),                                crashed),
        (open(answer(-1)),                                  crashed),
        (advance(trap()),                                   crashed),
        (advance(spin()),                                   "did not come back from `a`"),
        (advance(hog()),                                    "bytes of memory in `a`"),
        (advance(call(EMIT, &[-8, 1])),                     crashed),
        (advance(call(EMIT, &[page, i32::MAX])),            crashed),
        (advance(call(EMIT, &[page + 1, 1])),               crashed),
        (advance(forever(call(EMIT, &[page, 0]))),          "did not come back from `a`"),
    ];
    let idle: Spoil = Box::new(move |forge| {
        // `ok` with `done` false and no checkpoint.
        forge.data = vec![0; 64];
        forge.advance = vec![Instruction::I32Const(page), Instruction::Return];
    });
    cases.push((idle, "it did nothing in 1000 calls"));
    for _ in 0..4 {
        cases.push((emit(dice.bytes(4096), 3), crashed));
    }
    named("scan", cases, |name, spoil| {
        let mut forge = forge(name);
        forge.data = vec![9; 64];
        spoil(&mut forge);
        forge.component()
    })
}
