//! Reads what Codex keeps.
