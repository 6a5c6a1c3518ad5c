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

mod materializing {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "materializer-plugin",
        imports: { default: trappable },
        with: {
            "hyp:backfill/types": super::generated::hyp::backfill::types,
            "hyp:backfill/run": super::generated::hyp::backfill::run,
            "hyp:backfill/log": super::generated::hyp::backfill::log,
            "hyp:backfill/digest": super::generated::hyp::backfill::digest,
        },
    });
}

pub(crate) use generated::exports::hyp::backfill::provider;
pub(crate) use generated::hyp::backfill::{digest, inputs, log, probe, run, sqlite, types};
pub(crate) use generated::{ProviderPlugin, ProviderPluginPre};
pub(crate) use materializing::exports::hyp::backfill::materializer;
pub(crate) use materializing::hyp::backfill::store_read;
pub(crate) use materializing::{MaterializerPlugin, MaterializerPluginPre};

/// Version of the contract that this host speaks.
pub const CONTRACT: &str = "0.1.2";

/// Package of the contract.
pub const PACKAGE: &str = "hyp:backfill";

/// The interface that `emit` is in, as the linker knows it.
pub(crate) const SINK: &str = "hyp:backfill/sink@0.1.2";

/// The interface that materializers export, as the linker knows it.
pub(crate) const MATERIALIZER: &str = "hyp:backfill/materializer@0.1.2";

/// The interface that some of them export beside it.
pub(crate) const VALUE_SETS: &str = "hyp:backfill/value-sets@0.1.2";
