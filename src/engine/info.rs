//! INFO: what the engine tells about itself, under Redis's names and in Redis's order, so that tools find their way.
//! Fields about what does not exist here (forks, threads, defragmentation) say that nothing of it happens.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::{Display, Write};

use super::{Engine, config::Host, pubsub::Space};
use crate::{
    Result,
    commands::{
        Command,
        args::{Rest, Text},
        reply::{Prose, Written, typed},
        spec::commands,
    },
    data::number::parse_float,
    keyspace::Random,
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Tells about the server: all that is usual, or the sections named.
    "INFO" = info(sections) since "1.0.0" [LOADING STALE DANGEROUS] O("1");
    /// Returns the time in Unix seconds, and the microseconds of this second.
    "TIME" = time() since "2.6.0" [LOADING STALE FAST] O("1");
    /// Draws something, and names the version.
    "LOLWUT" = lolwut(options) since "5.0.0" [READONLY FAST] O("1");
};

/// The version of Redis whose answers ours are meant to be.
pub const REDIS_VERSION: &str = "7.2.4";

/// What distinguishes one run of an engine from another.
pub struct Identity {
    run_id: String,
    /// When the engine first heard of the time.
    started_ms: Option<u64>,
    peak_bytes: usize,
}

impl Identity {
    /// Names that follow from a seed.
    pub fn new(seed: u64) -> Identity {
        // Not the numbers that the keyspace draws from the same seed: what is shown here must not tell those.
        let run_id = Identity::name(&mut Random::new(seed.rotate_left(32)));
        Identity { run_id, started_ms: None, peak_bytes: 0 }
    }

    /// A name that nothing else has: forty digits.
    pub fn name(random: &mut Random) -> String {
        let digits = |_| format!("{:08x}", random.next() >> 32);
        (0..5).map(digits).collect()
    }

    /// It is `now_ms`, perhaps for the first time.
    #[inline]
    pub fn seen(&mut self, now_ms: u64) {
        self.started_ms.get_or_insert(now_ms);
    }
}

/// A section: its name, its heading, whether INFO without an argument shows it, and what writes it.
struct Section {
    name: &'static str,
    heading: &'static str,
    is_usual: bool,
    write: fn(&Engine, &mut Fields),
}

const fn usual(heading: &'static str, name: &'static str, write: fn(&Engine, &mut Fields)) -> Section {
    Section { name, heading, is_usual: true, write }
}

const fn special(heading: &'static str, name: &'static str, write: fn(&Engine, &mut Fields)) -> Section {
    Section { name, heading, is_usual: false, write }
}

/// In the order in which they are written, whatever the order they are asked for.
const SECTIONS: [Section; 13] = [
    usual("Server", "server", server),
    usual("Clients", "clients", clients),
    usual("Memory", "memory", memory),
    usual("Persistence", "persistence", persistence),
    usual("Stats", "stats", stats),
    usual("Replication", "replication", replication),
    usual("CPU", "cpu", cpu),
    usual("Modules", "modules", |_, _| {}),
    special("Commandstats", "commandstats", commandstats),
    usual("Errorstats", "errorstats", errorstats),
    special("Latencystats", "latencystats", latencystats),
    usual("Cluster", "cluster", cluster),
    usual("Keyspace", "keyspace", keyspace),
];

impl Section {
    /// Whether `word` asks for this section.
    fn is_meant_by(&self, word: &[u8]) -> bool {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        is(self.name)
            || is("everything")
            || is("all") && self.name != "modules"
            || is("default") && self.is_usual
    }
}

/// The text of INFO as it grows.
struct Fields(String);

impl Fields {
    /// `name:value`
    fn add(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.0, "{name}:{value}\r\n");
    }

    /// `name:value` for several with the same value.
    fn all(&mut self, names: &[&str], value: impl Display) {
        names.iter().for_each(|name| self.add(name, &value));
    }

    /// `name:bytes`, and `name_human` after it.
    fn bytes(&mut self, name: &str, bytes: u64) {
        self.add(name, bytes);
        self.add(&format!("{name}_human"), Human(bytes));
    }
}

/// Bytes as people read them: `918.80K`.
struct Human(u64);

impl Display for Human {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
        if self.0 < 1024 {
            return write!(f, "{}B", self.0);
        }
        let unit = (self.0.ilog2() as usize / 10).min(UNITS.len());
        write!(f, "{}{}", fixed(self.0, 1 << (10 * unit), 2), UNITS[unit - 1])
    }
}

/// A quotient with a fixed number of digits behind the point. Floating point would make the engine larger by what prints it.
fn fixed(dividend: u64, divisor: u64, digits: u32) -> impl Display {
    struct Fixed(u128, u32);

    impl Display for Fixed {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            let unit = 10u128.pow(self.1);
            write!(f, "{}.{:02$}", self.0 / unit, self.0 % unit, self.1 as usize)
        }
    }

    let divisor = u128::from(divisor.max(1));
    Fixed((u128::from(dividend) * 10u128.pow(digits) + divisor / 2) / divisor, digits)
}

fn info<'a>(engine: &mut Engine, sections: Option<Rest<'a, Text<'a>>>) -> Result<Prose> {
    engine.peak_memory();
    const USUAL: &[&[u8]] = &[b"default"];
    let asked = sections.map_or(USUAL, |sections| sections.words());
    let mut text = Fields(String::new());
    for section in SECTIONS.iter().filter(|section| asked.iter().any(|word| section.is_meant_by(word))) {
        if !text.0.is_empty() {
            text.0.push_str("\r\n");
        }
        let _ = write!(text.0, "# {}\r\n", section.heading);
        (section.write)(engine, &mut text);
    }
    Ok(Prose(text.0))
}

fn server(engine: &Engine, out: &mut Fields) {
    let Host { os, process_id, tcp_port, executable, config_file, .. } = &engine.config.host;
    let now_ms = engine.keyspace.now_ms();
    let uptime = engine.uptime_seconds();
    out.add("redis_version", REDIS_VERSION);
    out.add("keyside_version", env!("CARGO_PKG_VERSION"));
    out.add("redis_git_sha1", "00000000");
    out.add("redis_git_dirty", 0);
    out.add("redis_build_id", 0);
    out.add("redis_mode", "standalone");
    out.add("os", os);
    out.add("arch_bits", usize::BITS);
    // The host has those, and it is the host's affair which.
    out.all(&["monotonic_clock", "multiplexing_api", "atomicvar_api"], "host");
    out.add("gcc_version", "0.0.0");
    out.add("process_id", process_id);
    out.add("process_supervised", "no");
    out.add("run_id", &engine.identity.run_id);
    out.add("tcp_port", tcp_port);
    out.add("server_time_usec", now_ms * 1000);
    out.add("uptime_in_seconds", uptime);
    out.add("uptime_in_days", uptime / 86_400);
    out.all(&["hz", "configured_hz"], engine.setting("hz"));
    out.add("lru_clock", (now_ms / 1000) & 0xff_ffff);
    out.add("executable", executable);
    out.add("config_file", config_file);
    out.add("io_threads_active", 0);
    if let Some(ms) = engine.ends_in_ms() {
        out.add("shutdown_in_milliseconds", ms);
    }
    listeners(engine, out);
}

/// Where the shell listens, if it does.
fn listeners(engine: &Engine, out: &mut Fields) {
    let bind: String =
        engine.setting("bind").split_ascii_whitespace().map(|address| format!("bind={address},")).collect();
    let mut all = Vec::new();
    for (name, directive) in [("tcp", "port"), ("tls", "tls-port")] {
        let port = engine.setting(directive);
        if port != "0" && !bind.is_empty() {
            all.push(format!("name={name},{bind}port={port}"));
        }
    }
    let path = engine.setting("unixsocket");
    if !path.is_empty() {
        all.push(format!("name=unix,bind={path}"));
    }
    let listens = engine.config.host.listen.is_some();
    for (number, listener) in all.iter().filter(|_| listens).enumerate() {
        out.add(&format!("listener{number}"), listener);
    }
}

fn clients(engine: &Engine, out: &mut Fields) {
    let largest =
        |size: fn(&super::Client) -> usize| engine.clients.iter().map(|(_, client)| size(client)).max();
    out.add("connected_clients", engine.clients.len() - engine.replicas().count());
    out.add("cluster_connections", 0);
    out.add("maxclients", engine.setting("maxclients"));
    out.add("client_recent_max_input_buffer", largest(super::Client::pending_query).unwrap_or(0));
    out.add("client_recent_max_output_buffer", largest(super::Client::pending_output).unwrap_or(0));
    out.add("blocked_clients", engine.waiting.blocked_clients());
    out.add("tracking_clients", engine.tracking.counts()[0]);
    out.add("clients_in_timeout_table", engine.waiting.clients_with_deadline());
    let (keys, keys_needed) = engine.waiting.blocking_keys();
    out.add("total_blocking_keys", keys);
    out.add("total_blocking_keys_on_nokey", keys_needed);
}

fn memory(engine: &Engine, out: &mut Fields) {
    let used = engine.used_memory() as u64;
    let allocated = (engine.config.host.allocated)() as u64;
    let resident = ((engine.config.host.resident)() as u64).max(allocated);
    let peak = engine.identity.peak_bytes as u64;
    let ratio = |part: u64, whole: u64| fixed(part, whole, 2);
    out.bytes("used_memory", used);
    out.bytes("used_memory_rss", resident);
    out.bytes("used_memory_peak", peak);
    out.add("used_memory_peak_perc", format_args!("{}%", ratio(100 * used, peak)));
    out.all(&["used_memory_overhead", "used_memory_startup"], 0);
    out.add("used_memory_dataset", used);
    out.add("used_memory_dataset_perc", "100.00%");
    out.add("allocator_allocated", used);
    out.add("allocator_active", allocated);
    out.add("allocator_resident", resident);
    out.bytes("total_system_memory", 0);
    let (scripts, functions) = (&engine.scripts, &engine.functions);
    let (sources, memory) = (scripts.source_bytes(), scripts.used_memory());
    out.all(&["used_memory_lua", "used_memory_vm_eval"], memory);
    out.add("used_memory_lua_human", Human(memory as u64));
    out.add("used_memory_scripts_eval", sources);
    out.add("number_of_cached_scripts", scripts.count());
    out.add("number_of_functions", functions.libraries().functions());
    out.add("number_of_libraries", functions.libraries().len());
    out.add("used_memory_vm_functions", functions.used_memory());
    out.bytes("used_memory_vm_total", (memory + functions.used_memory()) as u64);
    out.add("used_memory_functions", functions.source_bytes());
    out.bytes("used_memory_scripts", (sources + functions.source_bytes()) as u64);
    out.bytes("maxmemory", engine.config.maxmemory);
    out.add("maxmemory_policy", engine.setting("maxmemory-policy"));
    out.add("allocator_frag_ratio", ratio(allocated, used));
    out.add("allocator_frag_bytes", allocated.saturating_sub(used));
    out.add("allocator_rss_ratio", ratio(resident, allocated));
    out.add("allocator_rss_bytes", resident - allocated);
    out.add("rss_overhead_ratio", "1.00");
    out.add("rss_overhead_bytes", 0);
    out.add("mem_fragmentation_ratio", ratio(resident, used));
    out.add("mem_fragmentation_bytes", resident.saturating_sub(used));
    out.add("mem_not_counted_for_evict", engine.uncounted_memory());
    out.add("mem_replication_backlog", engine.replication_memory() - engine.replication.excess());
    out.add("mem_total_replication_buffers", engine.replication_memory());
    let [slaves, normal] = engine.buffers();
    out.add("mem_clients_slaves", slaves);
    out.add("mem_clients_normal", normal);
    out.all(&["mem_cluster_links", "mem_aof_buffer"], 0);
    out.add("mem_allocator", "keyside");
    out.add("active_defrag_running", 0);
    out.add("lazyfree_pending_objects", engine.keyspace.freeing.pending());
    out.add("lazyfreed_objects", engine.keyspace.freeing.freed());
}

fn persistence(engine: &Engine, out: &mut Fields) {
    out.add("loading", 0);
    let transfer = engine.replication.primary.as_ref().and_then(|primary| primary.transfer());
    out.add("async_loading", transfer.is_some() as u8);
    out.all(&["current_cow_peak", "current_cow_size", "current_cow_size_age"], 0);
    out.add("current_fork_perc", "0.00");
    out.all(&["current_save_keys_processed", "current_save_keys_total"], 0);
    out.add("rdb_changes_since_last_save", engine.unsaved_changes());
    out.add("rdb_bgsave_in_progress", engine.is_writing_snapshot() as u8);
    out.add("rdb_last_save_time", engine.last_save_seconds());
    out.add("rdb_last_bgsave_status", if engine.snapshots.failed { "err" } else { "ok" });
    let seconds = |seconds: Option<u64>| seconds.map_or(-1, |seconds| seconds as i64);
    out.add("rdb_last_bgsave_time_sec", seconds(engine.snapshots.took_s));
    out.add("rdb_current_bgsave_time_sec", seconds(engine.saving_seconds()));
    out.add("rdb_saves", engine.snapshots.count);
    out.add("rdb_last_cow_size", 0);
    let (loaded, expired) = engine.snapshots.loaded;
    out.add("rdb_last_load_keys_expired", expired);
    out.add("rdb_last_load_keys_loaded", loaded);
    engine.append_only_fields(|name, value| out.add(name, value));
}

fn stats(engine: &Engine, out: &mut Fields) {
    let (stats, counters) = (&engine.stats, &engine.keyspace.counters);
    let kilobytes = |bytes: u64| fixed(bytes, 1024, 2);
    out.add("total_connections_received", stats.connections);
    out.add("total_commands_processed", stats.commands);
    out.add("instantaneous_ops_per_sec", stats.commands_rate.per_second());
    out.add("total_net_input_bytes", stats.input_bytes);
    out.add("total_net_output_bytes", stats.output_bytes);
    let replicated = &engine.replication.counters;
    out.add("total_net_repl_input_bytes", replicated.received_bytes);
    out.add("total_net_repl_output_bytes", replicated.sent_bytes);
    out.add("instantaneous_input_kbps", kilobytes(stats.input_rate.per_second()));
    out.add("instantaneous_output_kbps", kilobytes(stats.output_rate.per_second()));
    out.all(&["instantaneous_input_repl_kbps", "instantaneous_output_repl_kbps"], "0.00");
    out.add("rejected_connections", stats.rejected_connections);
    out.add("sync_full", replicated.full);
    out.add("sync_partial_ok", replicated.partial);
    out.add("sync_partial_err", replicated.partial_refused);
    out.add("expired_keys", counters.expired);
    out.add("expired_stale_perc", "0.00");
    out.all(&["expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds"], 0);
    out.add("evicted_keys", counters.evicted);
    out.add("evicted_clients", stats.evicted_clients);
    out.all(&["total_eviction_exceeded_time", "current_eviction_exceeded_time"], 0);
    out.add("keyspace_hits", counters.hits);
    out.add("keyspace_misses", counters.misses);
    out.add("pubsub_channels", engine.pubsub.len(Space::Channel));
    out.add("pubsub_patterns", engine.pubsub.len(Space::Pattern));
    out.add("pubsubshard_channels", engine.pubsub.len(Space::Shard));
    out.all(
        &[
            "latest_fork_usec",
            "total_forks",
            "migrate_cached_sockets",
            "slave_expires_tracked_keys",
            "active_defrag_hits",
            "active_defrag_misses",
            "active_defrag_key_hits",
            "active_defrag_key_misses",
            "total_active_defrag_time",
            "current_active_defrag_time",
        ],
        0,
    );
    let [_, keys, items, prefixes] = engine.tracking.counts();
    out.add("tracking_total_keys", keys);
    out.add("tracking_total_items", items);
    out.add("tracking_total_prefixes", prefixes);
    out.add("unexpected_error_replies", 0);
    out.add("total_error_replies", stats.error_replies);
    out.add("dump_payload_sanitizations", 0);
    out.all(&["total_reads_processed", "total_writes_processed"], stats.reads);
    out.all(
        &[
            "io_threaded_reads_processed",
            "io_threaded_writes_processed",
            "reply_buffer_shrinks",
            "reply_buffer_expands",
        ],
        0,
    );
    let denials = &engine.acl.denials;
    for (field, count) in [
        ("acl_access_denied_auth", denials.auth),
        ("acl_access_denied_cmd", denials.command),
        ("acl_access_denied_key", denials.key),
        ("acl_access_denied_channel", denials.channel),
    ] {
        out.add(field, count);
    }
}

fn replication(engine: &Engine, out: &mut Fields) {
    engine.replication_fields(|name, value| out.add(name, value));
}

fn cpu(engine: &Engine, out: &mut Fields) {
    let (system, user) = (engine.config.host.cpu)();
    let seconds = |us: u64| fixed(us, 1_000_000, 6);
    out.add("used_cpu_sys", seconds(system));
    out.add("used_cpu_user", seconds(user));
    out.all(&["used_cpu_sys_children", "used_cpu_user_children"], seconds(0));
    out.add("used_cpu_sys_main_thread", seconds(system));
    out.add("used_cpu_user_main_thread", seconds(user));
}

fn commandstats(engine: &Engine, out: &mut Fields) {
    for known in engine.table.all() {
        let stats = &engine.calls[known.0 as usize];
        if stats.calls + stats.rejected + stats.failed > 0 {
            let name = engine.table.name(known);
            let each = fixed(stats.usec, stats.calls, 2);
            let line = format_args!(
                "calls={},usec={},usec_per_call={each},rejected_calls={},failed_calls={}",
                stats.calls, stats.usec, stats.rejected, stats.failed
            );
            out.add(&format!("cmdstat_{name}"), line);
        }
    }
}

fn latencystats(engine: &Engine, out: &mut Fields) {
    let percentiles = engine.setting("latency-tracking-info-percentiles");
    let percentiles: Vec<&str> = percentiles.split_ascii_whitespace().collect();
    for known in engine.table.all().filter(|_| engine.config.latency_tracking && !percentiles.is_empty()) {
        let stats = &engine.calls[known.0 as usize];
        if stats.calls > 0 {
            let value = |percent: &&str| {
                format!(
                    "p{percent}={}.000",
                    stats.percentile(parse_float(percent.as_bytes()).unwrap_or(100.0))
                )
            };
            let values: Vec<String> = percentiles.iter().map(value).collect();
            out.add(&format!("latency_percentiles_usec_{}", engine.table.name(known)), values.join(","));
        }
    }
}

fn errorstats(engine: &Engine, out: &mut Fields) {
    for (code, count) in &engine.stats.errors {
        out.add(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
}

fn cluster(_: &Engine, out: &mut Fields) {
    out.add("cluster_enabled", 0);
}

fn keyspace(engine: &Engine, out: &mut Fields) {
    for (number, database) in engine.keyspace.databases().iter().enumerate().filter(|(_, it)| !it.is_empty())
    {
        let ttl = database.average_deadline().map_or(0, |at| at.saturating_sub(engine.keyspace.now_ms()));
        let line = format_args!("keys={},expires={},avg_ttl={ttl}", database.len(), database.volatile());
        out.add(&format!("db{number}"), line);
    }
}

impl Engine {
    /// Bytes in use: what the process has allocated but for the free room inside.
    pub(super) fn used_memory(&self) -> usize {
        (self.config.host.allocated)().saturating_sub(self.keyspace.slack())
    }

    /// The most bytes in use that anybody saw.
    pub(super) fn peak_memory(&mut self) -> usize {
        self.identity.peak_bytes = self.identity.peak_bytes.max(self.used_memory());
        self.identity.peak_bytes
    }

    /// Bytes in the buffers of replicas, with what they have not fetched, and in those of all others.
    pub(super) fn buffers(&self) -> [usize; 2] {
        let mut bytes = [self.replication.unfetched(), 0];
        for (_, client) in self.clients.iter() {
            bytes[!client.replicates() as usize] += client.pending_query() + client.pending_output();
        }
        bytes
    }

    /// Bytes that the stream for replicas takes.
    pub(super) fn replication_memory(&self) -> usize {
        self.replication.history.memory()
    }

    pub(super) fn started_seconds(&self) -> u64 {
        self.identity.started_ms.unwrap_or(0) / 1000
    }

    fn uptime_seconds(&self) -> u64 {
        (self.keyspace.now_ms() / 1000).saturating_sub(self.started_seconds())
    }

    pub(super) fn setting(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.config.get(name).unwrap_or_default()).to_string()
    }
}

typed! {
    /// Seconds and microseconds.
    SecondsAndMicros = "[seconds: string, microseconds: string]";
}

fn time(engine: &mut Engine) -> Result<Written<SecondsAndMicros, impl FnOnce(&mut Writer) + use<>>> {
    let now_ms = engine.keyspace.now_ms() as i64;
    Ok(Written::new(move |out| {
        out.array(2);
        out.bulk_integer(now_ms / 1000);
        out.bulk_integer(now_ms % 1000 * 1000);
    }))
}

fn lolwut<'a>(engine: &mut Engine, _options: Option<Rest<'a, Text<'a>>>) -> Result<Prose> {
    /// A wave that begins anew with every engine.
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let mut height = 3i64;
    let mut text: String = engine
        .identity
        .run_id
        .bytes()
        .map(|digit| {
            height = (height + i64::from(digit % 3) - 1).clamp(0, 7);
            LEVELS[height as usize]
        })
        .collect();
    let _ = write!(
        text,
        "\nkeyside {}, which answers as Redis ver. {REDIS_VERSION}\n",
        env!("CARGO_PKG_VERSION")
    );
    Ok(Prose(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Session;

    #[test]
    fn bytes_are_rounded_as_redis_does() {
        let text = |bytes| Human(bytes).to_string();
        assert_eq!(text(1023), "1023B");
        assert_eq!(fixed(2, 3, 6).to_string(), "0.666667");
        assert_eq!(text(940_848), "918.80K");
        assert_eq!(text(25_276_502_016), "23.54G");
    }

    #[test]
    fn sections_come_in_one_order_and_once() {
        let mut session = Session::new();
        let text = session.ask("INFO keyspace CLUSTER cluster banana");
        assert_eq!(text, "$44\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\n\r\n");
        assert_eq!(session.ask("INFO banana"), "$0\r\n\r\n");
        assert!(!session.ask("INFO").contains("# Commandstats"));
        assert!(session.ask("INFO everything").contains("# Commandstats\r\ncmdstat_info:calls=3,"));
    }

    #[test]
    fn a_database_tells_its_keys_and_how_long_they_live() {
        let mut session = Session::new();
        session.ask("SET a 1");
        session.ask("SET b 1 PX 3000");
        session.ask("SET c 1 PX 5000");
        session.wait(1000);
        assert!(session.ask("INFO keyspace").contains("db0:keys=3,expires=2,avg_ttl=3000\r\n"));
        assert!(session.ask("INFO server").contains("uptime_in_seconds:1\r\n"));
    }

    #[test]
    fn resetstat_starts_counting_anew() {
        let mut session = Session::new();
        for words in ["GET nothing", "GET", "BANANA", "CONFIG RESETSTAT", "GET a", "GET"] {
            session.ask(words);
        }
        let stats = session.ask("INFO stats");
        assert!(stats.contains("keyspace_hits:0\r\nkeyspace_misses:1\r\n"), "{stats}");
        let line = "cmdstat_get:calls=1,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0\r\n";
        assert!(session.ask("INFO commandstats").contains(line));
        assert!(session.ask("INFO errorstats").ends_with("# Errorstats\r\nerrorstat_ERR:count=1\r\n\r\n"));
    }
}
