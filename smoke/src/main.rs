//! Smokes.
fn main() {}
