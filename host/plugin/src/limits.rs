//! How much a guest may take.

use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// The bounds that hold for every guest of a host.
///
/// They protect the person's machine from a broken or hostile component; a well-behaved one never meets them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of linear memory of one guest.
    pub memory: usize,
    /// Time that one call into the guest may take.
    pub advance_deadline: Duration,
    /// Bytes of events that the guest is asked for in one call.
    pub advance_budget: u32,
    /// Bytes of a record; longer lines are passed over in constant memory.
    pub record_bytes: u64,
    /// Bytes of events that one `emit` may carry.
    pub page_bytes: usize,
    /// Bytes of events that a unit may emit whatever its size.
    pub output_bytes: u64,
    /// Bytes of events that a unit may emit for each byte it was handed, beyond `output_bytes`.
    pub output_bytes_per_input_byte: u64,
    /// Bytes of a component's file.
    pub component_bytes: u64,
    /// Time that compiling a component may take.
    pub compile_timeout: Duration,
    /// Lines that a scan may write to the log.
    pub log_lines: u32,
    /// Counts what a guest computes. It costs a good part of its speed: for measurements.
    pub is_metered: bool,
}

impl Limits {
    /// A deadline that never comes. Guests of a host with it are not watched, and do not pay for it: for measurements.
    pub const NO_DEADLINE: Duration = Duration::from_secs(u32::MAX as u64);
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: (192 * MIB) as usize,
            advance_deadline: Duration::from_secs(10),
            advance_budget: 256 * 1024,
            record_bytes: 32 * MIB,
            page_bytes: (64 * MIB) as usize,
            output_bytes: 64 * MIB,
            output_bytes_per_input_byte: 16,
            component_bytes: 64 * MIB,
            compile_timeout: Duration::from_secs(120),
            log_lines: 1024,
            is_metered: false,
        }
    }
}
