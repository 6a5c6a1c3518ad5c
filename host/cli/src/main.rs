//! hyp.
fn main() {}
