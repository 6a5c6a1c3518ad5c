//! Runs provider components and lends them read-only inputs.
