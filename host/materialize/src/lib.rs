//! Expands projected exchanges into canonical rows.
