//! A point between two lines from which a unit can be gone on with, as bytes.
//!
//! Four bytes of input, eight of offset, both with the least first; then the scan's own state. Nobody but the
//! component that wrote them reads these bytes, so that their layout may change with it.

/// What a checkpoint may weigh, by contract.
const HEAVIEST: usize = 1 << 20;

/// A point between two lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checkpoint<'s> {
    /// Index of the input in the unit.
    pub input: u32,
    /// Offset of the next line.
    pub offset: u64,
    /// What the scan saved.
    pub state: &'s [u8],
}

impl<'s> Checkpoint<'s> {
    /// Reads a checkpoint.
    pub fn read(bytes: &'s [u8]) -> Option<Self> {
        let (input, rest) = bytes.split_first_chunk()?;
        let (offset, state) = rest.split_first_chunk()?;
        let (input, offset) = (u32::from_le_bytes(*input), u64::from_le_bytes(*offset));
        Some(Self { input, offset, state })
    }

    /// Writes a checkpoint, unless it is heavier than one may be.
    pub(super) fn write(&self) -> Option<Vec<u8>> {
        let head = [&self.input.to_le_bytes()[..], &self.offset.to_le_bytes()];
        let bytes = [head[0], head[1], self.state].concat();
        (bytes.len() <= HEAVIEST).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let checkpoint = Checkpoint { input: 3, offset: 1 << 40, state: b"state" };
        let bytes = checkpoint.write().unwrap();
        assert_eq!(Checkpoint::read(&bytes), Some(checkpoint));
        assert_eq!(Checkpoint::read(&bytes[..11]), None);
    }

    #[test]
    fn a_state_that_is_too_heavy_gives_no_checkpoint() {
        let state = vec![0; HEAVIEST];
        assert_eq!(Checkpoint { input: 0, offset: 0, state: &state }.write(), None);
    }
}
