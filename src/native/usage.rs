//! What the operating system says of this process, for INFO. Where it does not say so in `/proc`, the figures are zero.

use std::fs;

/// Bytes of memory that the process holds.
pub fn resident() -> usize {
    const PAGE: usize = 4096;
    let pages = fs::read_to_string("/proc/self/statm").ok();
    pages.and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok()).map_or(0, |pages| pages * PAGE)
}

/// Processor time used, in microseconds: in the system, and in the process itself.
pub fn cpu_us() -> (u64, u64) {
    /// Linux counts in hundredths of a second, whatever the kernel's own ticks are.
    const TICK_US: u64 = 10_000;
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program may hold spaces; it ends with the last parenthesis.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        |n: usize| fields.split_whitespace().nth(n).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    (ticks(12) * TICK_US, ticks(11) * TICK_US)
}
