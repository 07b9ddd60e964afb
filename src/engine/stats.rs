//! What the engine counts while it runs. INFO shows it; nothing is decided by it.

use alloc::string::{String, ToString};

use super::{Engine, dispatch::CallStats};
use crate::data::containers::ordered::OrderedMap;

/// Counters since the start, or since CONFIG RESETSTAT.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Bytes received.
    pub input_bytes: u64,
    /// Bytes handed to the shell.
    pub output_bytes: u64,
    /// Commands run.
    pub commands: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Connections refused as there were too many.
    pub rejected_connections: u64,
    /// Times that bytes were received, and that replies were handed out.
    pub reads: u64,
    /// Clients closed because clients took too much memory.
    pub evicted_clients: u64,
    /// Error replies by code.
    pub errors: OrderedMap<String, u64>,
    /// Error replies in all.
    pub error_replies: u64,
    /// Commands a second.
    pub commands_rate: Rate,
    /// Bytes received a second.
    pub input_rate: Rate,
    /// Bytes handed out a second.
    pub output_rate: Rate,
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

    /// Looks at the counters that have a rate, as long as time passes.
    #[inline]
    pub fn sample(&mut self, now_ms: u64) {
        if now_ms >= self.commands_rate.due_ms() {
            self.commands_rate.sample(self.commands, now_ms);
            self.input_rate.sample(self.input_bytes, now_ms);
            self.output_rate.sample(self.output_bytes, now_ms);
        }
    }
}

/// How fast a counter grows, averaged over the last samples. Nobody wakes up for a sample: one is taken when something
/// happens, and after a long silence it stands for all of it.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    samples: [u64; Rate::SAMPLES],
    next: usize,
    last_count: u64,
    last_ms: u64,
}

impl Rate {
    const SAMPLES: usize = 16;
    const STEP_MS: u64 = 100;

    fn due_ms(&self) -> u64 {
        self.last_ms + Rate::STEP_MS
    }

    fn sample(&mut self, count: u64, now_ms: u64) {
        let passed_ms = now_ms.saturating_sub(self.last_ms).max(1);
        if self.last_ms > 0 {
            let rate = (count - self.last_count) * 1000 / passed_ms;
            for _ in 0..(passed_ms / Rate::STEP_MS).clamp(1, Rate::SAMPLES as u64) {
                self.samples[self.next] = rate;
                self.next = (self.next + 1) % Rate::SAMPLES;
            }
        }
        self.last_count = count;
        self.last_ms = now_ms;
    }

    /// The average, a second.
    pub fn per_second(&self) -> u64 {
        self.samples.iter().sum::<u64>() / Rate::SAMPLES as u64
    }
}

impl Engine {
    /// Counts a connection that the shell refused.
    pub fn count_rejected(&mut self) {
        self.stats.rejected_connections += 1;
    }

    /// Forgets what was counted (CONFIG RESETSTAT).
    pub(super) fn reset_stats(&mut self) {
        self.replication.counters = Default::default();
        self.stats = Stats::default();
        self.keyspace.counters = Default::default();
        self.keyspace.freeing.reset_freed();
        self.calls.fill(CallStats::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_follows_what_happens_and_fades_in_silence() {
        let mut rate = Rate::default();
        for second in 0..30 {
            rate.sample(second * 50, 1000 + second * 100);
        }
        assert_eq!(rate.per_second(), 500);
        rate.sample(1450, 1_000_000);
        assert_eq!(rate.per_second(), 0);
    }

    #[test]
    fn only_so_many_error_codes_are_told_apart() {
        let mut stats = Stats::default();
        (0..1000).for_each(|n| stats.count_error(&n.to_string()));
        assert_eq!((stats.errors.len(), stats.error_replies), (Stats::CODES_MAX, 1000));
    }
}
