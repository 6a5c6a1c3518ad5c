//! The id of a message that has none: a hash over its thread, role and content.
//!
//! The payload is `scope:role:canonical content`, where the scope is the thread, with `:agent` where one
//! speaks. Upstream stops there, so that equal messages collapse; here the n-th equal message (n ≥ 2) of
//! a thread and agent appends `:#n`.

mod blocks;
mod canonical;

pub use blocks::push_parts;
pub use canonical::{canonical, canonical_content};

use sha2::{Digest, Sha256};

/// What a derived id is made of, without the number of its occurrence.
#[derive(Debug, Clone)]
pub struct Payload(Sha256);

impl Payload {
    /// Begins the id of a message with this canonical content.
    pub fn new(scope: &str, agent: Option<&str>, role: &str, content: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(scope);
        if let Some(agent) = agent.filter(|agent| !agent.is_empty()) {
            hash.update(":");
            hash.update(agent);
        }
        hash.update(":");
        hash.update(role);
        hash.update(":");
        hash.update(content);
        Self(hash)
    }

    /// Returns a number that is the same for equal messages of a thread and agent.
    pub fn print(&self) -> u64 {
        leading(&self.0)
    }

    /// Returns the id of the n-th such message, counted from 1.
    pub fn id(&self, occurrence: u32) -> String {
        let number = if occurrence < 2 {
            self.print()
        } else {
            let mut hash = self.0.clone();
            hash.update(format!(":#{occurrence}"));
            leading(&hash)
        };
        format!("{number:016x}")
    }
}

fn leading(hash: &Sha256) -> u64 {
    let digest = hash.clone().finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests;
