//! What a provider is written with.
