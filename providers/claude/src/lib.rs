//! Reads what Claude Code keeps.
