//! What the engine counts while it runs; INFO shows it.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
};

/// Counters since the start, or since CONFIG RESETSTAT.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Bytes received.
    pub input_bytes: u64,
    /// Bytes handed to the shell.
    pub output_bytes: u64,
    /// Commands run.
    pub commands: u64,
    /// Error replies by code.
    pub errors: BTreeMap<String, u64>,
    /// Error replies in all.
    pub error_replies: u64,
}

impl Stats {
    /// How many error codes are told apart.
    const CODES_MAX: usize = 128;

    /// Counts an error reply.
    pub fn count_error(&mut self, code: &str) {
        self.error_replies += 1;
        if let Some(count) = self.errors.get_mut(code) {
            *count += 1;
        } else if self.errors.len() < Stats::CODES_MAX {
            self.errors.insert(code.to_string(), 1);
        }
    }
}
