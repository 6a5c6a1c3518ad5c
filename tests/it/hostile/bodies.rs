//! Code that means harm.

use wasm_encoder::{BlockType, Instruction};

use crate::forge::Code;

/// Traps.
pub(super) fn trap() -> Code {
    vec![Instruction::Unreachable]
}

/// Never comes back.
pub(super) fn spin() -> Code {
    vec![
        Instruction::Loop(BlockType::Empty),
        Instruction::Br(0),
        Instruction::End,
        Instruction::Unreachable,
    ]
}

/// Calls itself, by the index of the function, without an end.
pub(super) fn recurse(function: u32, parameters: u32) -> Code {
    let mut code: Code = (0..parameters).map(|_| Instruction::I32Const(0)).collect();
    code.extend([Instruction::Call(function), Instruction::Drop, Instruction::Unreachable]);
    code
}

/// Takes 64 MiB at a time for as long as it is given any.
pub(super) fn hog() -> Code {
    vec![
        Instruction::Loop(BlockType::Empty),
        Instruction::I32Const(1024),
        Instruction::MemoryGrow(0),
        Instruction::Drop,
        Instruction::Br(0),
        Instruction::End,
        Instruction::Unreachable,
    ]
}

/// Gives back a constant: for a record, where it is said to lie.
pub(super) fn answer(value: i32) -> Code {
    vec![Instruction::I32Const(value)]
}

/// Calls an import with constants.
pub(super) fn call(import: u32, arguments: &[i32]) -> Code {
    let mut code: Code = arguments.iter().map(|value| Instruction::I32Const(*value)).collect();
    code.push(Instruction::Call(import));
    code
}

/// Does something without an end.
pub(super) fn forever(body: Code) -> Code {
    let mut code = vec![Instruction::Loop(BlockType::Empty)];
    code.extend(body);
    code.extend([Instruction::Br(0), Instruction::End, Instruction::Unreachable]);
    code
}
