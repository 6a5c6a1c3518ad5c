//! What wit-bindgen makes of `wit/`. Everything of use is re-exported by name from the crate's root.

#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    unsafe_code,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::undocumented_unsafe_blocks,
    reason = "generated"
)]

wit_bindgen::generate!({
    world: "provider-plugin",
    path: "../wit",
    additional_derives: [PartialEq],
    pub_export_macro: true,
    export_macro_name: "export_component",
});

/// The other world: what a materializer imports and exports.
pub mod materializer {
    wit_bindgen::generate!({
        world: "materializer-plugin-with-value-sets",
        path: "../wit",
        additional_derives: [PartialEq],
        with: {
            "hyp:backfill/types@0.1.2": crate::bindings::hyp::backfill::types,
            "hyp:backfill/run@0.1.2": crate::bindings::hyp::backfill::run,
            "hyp:backfill/log@0.1.2": crate::bindings::hyp::backfill::log,
            "hyp:backfill/digest@0.1.2": crate::bindings::hyp::backfill::digest,
        },
        pub_export_macro: true,
        export_macro_name: "export_materializer",
    });
}
