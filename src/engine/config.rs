//! What can be configured, and what the shell tells the engine about its host.

use alloc::{string::String, vec::Vec};

use super::notifications::Notifications;

/// How an engine runs. What a running engine may change of it, CONFIG SET changes.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many databases there are.
    pub databases: usize,
    /// The password of the default user; empty for none.
    pub requirepass: Vec<u8>,
    /// The longest word of a request, in bytes.
    pub proto_max_bulk_len: usize,
    /// The longest incomplete request of a client, in bytes.
    pub client_query_buffer_limit: usize,
    /// Which events on keys are published. Whoever changes it on a running engine calls `Engine::refresh_interests`.
    pub notify_keyspace_events: Notifications,
    /// From how many microseconds on a command is kept in the slow log; negative for never.
    pub slowlog_log_slower_than: i64,
    /// How many commands the slow log keeps.
    pub slowlog_max_len: usize,
    /// Whether the effects of every unit are written to [`Engine::journal`](super::Engine::journal).
    pub journal: bool,
    /// The host.
    pub host: Host,
}

/// What only the shell knows.
#[derive(Clone, Debug)]
pub struct Host {
    /// A clock for durations, in microseconds from any point in time.
    pub clock: fn() -> u64,
    /// Bytes that the process has allocated.
    pub allocated: fn() -> usize,
    /// Free text for INFO: the operating system.
    pub os: String,
    /// The process's number, or 0.
    pub process_id: u32,
    /// The port it listens on, or 0.
    pub tcp_port: u16,
    /// The program, as started.
    pub executable: String,
    /// The configuration file, or empty.
    pub config_file: String,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            databases: 16,
            requirepass: Vec::new(),
            proto_max_bulk_len: 512 << 20,
            client_query_buffer_limit: 1 << 30,
            notify_keyspace_events: Notifications::default(),
            slowlog_log_slower_than: 10_000,
            slowlog_max_len: 128,
            journal: false,
            host: Host::default(),
        }
    }
}

/// A host without a clock, whose commands take no time.
impl Default for Host {
    fn default() -> Self {
        Host {
            clock: || 0,
            allocated: || 0,
            os: String::new(),
            process_id: 0,
            tcp_port: 0,
            executable: String::new(),
            config_file: String::new(),
        }
    }
}
