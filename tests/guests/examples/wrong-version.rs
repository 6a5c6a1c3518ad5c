//! Speaks a version of the contract that no host does.

#[cfg(target_family = "wasm")]
#[allow(
    unsafe_code,
    missing_docs,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
mod bindings {
    wit_bindgen::generate!({
        inline: r#"
            package hyp:backfill@0.9.0;

            interface log {
                write: func(message: string);
            }

            interface provider {
                describe: func() -> string;
            }

            world provider-plugin {
                import log;
                export provider;
            }
        "#,
        world: "provider-plugin",
    });

    struct Guest;

    impl exports::hyp::backfill::provider::Guest for Guest {
        fn describe() -> String {
            hyp::backfill::log::write("from the future");
            "wrong-version".to_owned()
        }
    }

    export!(Guest);
}
