//! Runs hyp from outside.
