//! Words of the guest, for the trace and for the report of a panic.

use crate::bindings::log::{Host, Level};
use crate::state::State;

const MESSAGE_AT_MOST: usize = 4 * 1024;

impl Host for State {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        if self.log_lines == 0 {
            return Ok(());
        }
        self.log_lines -= 1;
        let provider = &*self.provider;
        let message = shortened(&message);
        match level {
            Level::Debug => tracing::debug!(target: "hyp::guest", provider, "{message}"),
            Level::Info => tracing::info!(target: "hyp::guest", provider, "{message}"),
            Level::Warn => tracing::warn!(target: "hyp::guest", provider, "{message}"),
        }
        Ok(())
    }

    fn panicked(&mut self, message: String) -> wasmtime::Result<()> {
        self.panic.get_or_insert_with(|| shortened(&message).to_owned());
        Ok(())
    }
}

fn shortened(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE_AT_MOST)]
}
