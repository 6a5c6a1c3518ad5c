//! Hashes, so that a guest need not carry its own.

use sha2::{Digest, Sha256};

use crate::bindings::digest::Host;
use crate::state::State;

impl Host for State {
    fn sha256(&mut self, bytes: Vec<u8>) -> wasmtime::Result<Vec<u8>> {
        Ok(Sha256::digest(bytes).to_vec())
    }
}
