//! What the host side of the contract looks like in Rust: the only place with the macro.

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "provider-plugin",
        imports: { default: trappable },
        with: {
            "hyp:backfill/inputs.input": crate::imports::inputs::OpenInput,
            "hyp:backfill/sqlite.database": crate::imports::sqlite::OpenDatabase,
        },
    });
}

pub(crate) use generated::exports::hyp::backfill::provider;
pub(crate) use generated::hyp::backfill::{digest, inputs, log, sqlite, types};
pub(crate) use generated::{ProviderPlugin, ProviderPluginPre};

/// Version of the contract that this host speaks.
pub const CONTRACT: &str = "0.1.0";

/// Package of the contract.
pub const PACKAGE: &str = "hyp:backfill";

/// The interface that `emit` is in, as the linker knows it.
pub(crate) const SINK: &str = "hyp:backfill/sink@0.1.0";
