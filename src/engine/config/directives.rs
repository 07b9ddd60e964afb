//! Every directive, declared once: its names, what values it takes, where its value lives. A directive that lives in no
//! field of [`Config`] is kept as text, for the shell, or only to be shown again: programs set such ones, too, and
//! expect to read back what they set.

use alloc::{format, string::ToString, vec::Vec};
use core::str;

use super::{
    Config,
    kind::{
        Kind::{self, Integer, Memory, MemoryOrPercent, Octal, OneOf, SomeOf, Text, Words, YesNo},
        addresses, defragmentation, event_classes, oom_scores, output_limits, percentiles, primary,
        save_points,
    },
};
use crate::{
    data::number::{Digits, parse_i64, write_i64},
    engine::{eviction::ClientLimit, notifications::Notifications, output_limits::OutputLimits},
    keyspace::Policy,
};

/// What is known of one directive.
pub struct Directive {
    /// Its name.
    pub name: &'static str,
    /// An older name, or empty.
    pub alias: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Where its value lives.
    pub place: Place,
    /// Who may change it.
    pub change: Change,
}

/// Where a value lives.
#[derive(Clone, Copy)]
#[allow(clippy::type_complexity)]
pub enum Place {
    /// In a field of [`Config`].
    Field { get: fn(&Config) -> Vec<u8>, set: fn(&mut Config, &[u8]) },
    /// As text, with this default.
    Stored(&'static str),
}

/// Who may change a directive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// CONFIG SET, at any time.
    Live,
    /// Only the configuration file and the command line.
    AtStart,
    /// CONFIG SET only when the directive `enable-protected-configs` says so.
    Protected,
}

impl Directive {
    const fn stored(name: &'static str, kind: Kind, default: &'static str) -> Directive {
        Directive { name, alias: "", kind, place: Place::Stored(default), change: Change::Live }
    }

    const fn field(name: &'static str, kind: Kind, place: Place) -> Directive {
        Directive { name, alias: "", kind, place, change: Change::Live }
    }

    const fn or(self, alias: &'static str) -> Directive {
        Directive { alias, ..self }
    }

    const fn at_start(self) -> Directive {
        Directive { change: Change::AtStart, ..self }
    }

    const fn protected(self) -> Directive {
        Directive { change: Change::Protected, ..self }
    }

    /// Whether patterns pass it over: tests alone ask for it, and by its name.
    pub fn is_hidden(&self) -> bool {
        matches!(self.name, "key-load-delay" | "rdb-key-save-delay")
    }

    /// Whether its value is a secret, which the slow log does not show.
    pub fn is_secret(&self) -> bool {
        matches!(
            self.name,
            "requirepass"
                | "http-token"
                | "http-read-only-token"
                | "masterauth"
                | "masteruser"
                | "tls-key-file-pass"
                | "tls-client-key-file-pass"
        )
    }
}

/// The directive called `name`, in any letter case, and whether that is its older name.
pub fn find(name: &[u8]) -> Option<&'static Directive> {
    let is = |it: &str| !it.is_empty() && name.eq_ignore_ascii_case(it.as_bytes());
    DIRECTIVES.iter().find(|it| is(it.name) || is(it.alias))
}

/// A type that a field of [`Config`] may have.
trait Setting {
    fn show(&self) -> Vec<u8>;
    fn read(&mut self, text: &[u8]);
}

macro_rules! integers {
    ($($Type:ty)*) => { $(
        impl Setting for $Type {
            fn show(&self) -> Vec<u8> {
                write_i64(i64::try_from(*self).unwrap_or(i64::MAX), &mut Digits::new()).to_vec()
            }
            fn read(&mut self, text: &[u8]) {
                *self = str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(<$Type>::MAX);
            }
        }
    )* };
}
integers!(i64 u64 u32 i32 usize);

impl Setting for bool {
    fn show(&self) -> Vec<u8> {
        if *self { b"yes".to_vec() } else { b"no".to_vec() }
    }
    fn read(&mut self, text: &[u8]) {
        *self = text == b"yes";
    }
}

impl Setting for Vec<u8> {
    fn show(&self) -> Vec<u8> {
        self.clone()
    }
    fn read(&mut self, text: &[u8]) {
        *self = text.to_vec();
    }
}

impl Setting for Notifications {
    fn show(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
    fn read(&mut self, text: &[u8]) {
        *self = Notifications::parse(text).unwrap_or_default();
    }
}

impl Setting for OutputLimits {
    fn show(&self) -> Vec<u8> {
        self.text().into_bytes()
    }
    fn read(&mut self, text: &[u8]) {
        *self = OutputLimits::parse(str::from_utf8(text).unwrap_or_default());
    }
}

impl Setting for ClientLimit {
    fn show(&self) -> Vec<u8> {
        match self {
            ClientLimit::Bytes(bytes) => bytes.show(),
            ClientLimit::Percent(percent) => format!("{percent}%").into_bytes(),
        }
    }
    fn read(&mut self, text: &[u8]) {
        *self = match text.strip_suffix(b"%") {
            Some(percent) => ClientLimit::Percent(parse_i64(percent).map_or(100, |n| n as u8)),
            None => ClientLimit::Bytes(parse_i64(text).map_or(u64::MAX, |n| n as u64)),
        };
    }
}

impl Setting for Policy {
    fn show(&self) -> Vec<u8> {
        self.name().as_bytes().to_vec()
    }
    fn read(&mut self, text: &[u8]) {
        *self = Policy::parse(text).unwrap_or(*self);
    }
}

/// A field of [`Config`] as a [`Place`].
macro_rules! at {
    ($($path:ident).+) => {
        Place::Field { get: |config| config.$($path).+.show(), set: |config, text| config.$($path).+.read(text) }
    };
}

const fn stored(name: &'static str, kind: Kind, default: &'static str) -> Directive {
    Directive::stored(name, kind, default)
}

const fn field(name: &'static str, kind: Kind, place: Place) -> Directive {
    Directive::field(name, kind, place)
}

const INT: i64 = i32::MAX as i64;
const LONG: i64 = i64::MAX;
const COUNT: Kind = Integer(0, INT);
const LARGE: Kind = Integer(0, LONG);
const PORT: Kind = Integer(0, 65535);
const BYTES: Kind = Memory(0, LONG as u64);
const SHUTDOWN: Kind = SomeOf(&["default", "save", "nosave", "now", "force"]);
const PROTECTED: Kind = OneOf(&["no", "yes", "local"]);

/// Directives that are known, checked, kept and shown, and direct nothing: there are no forks, no threads, no defragmentation
/// and no cluster here, and what is deleted is always freed in slices.
#[rustfmt::skip]
pub const WITHOUT_EFFECT: &[&str] = &[
    "active-defrag-cycle-max", "active-defrag-cycle-min", "active-defrag-ignore-bytes", "active-defrag-max-scan-fields",
    "active-defrag-threshold-lower", "active-defrag-threshold-upper", "active-expire-effort", "activedefrag", "activerehashing",
    "always-show-logo", "aof-disable-auto-gc", "aof_rewrite_cpulist", "bgsave_cpulist", "bio_cpulist",
    "cluster-allow-pubsubshard-when-down", "cluster-allow-reads-when-down", "cluster-allow-replica-migration",
    "cluster-announce-bus-port", "cluster-announce-hostname", "cluster-announce-human-nodename", "cluster-announce-ip",
    "cluster-announce-port", "cluster-announce-tls-port", "cluster-config-file", "cluster-enabled", "cluster-link-sendbuf-limit",
    "cluster-migration-barrier", "cluster-node-timeout", "cluster-port", "cluster-preferred-endpoint-type",
    "cluster-replica-no-failover", "cluster-replica-validity-factor", "cluster-require-full-coverage", "crash-log-enabled",
    "crash-memcheck-enabled", "disable-thp", "dynamic-hz", "enable-module-command", "ignore-warnings", "io-threads",
    "io-threads-do-reads", "jemalloc-bg-thread", "lazyfree-lazy-eviction", "lazyfree-lazy-expire", "lazyfree-lazy-server-del",
    "lazyfree-lazy-user-del", "lazyfree-lazy-user-flush", "list-compress-depth", "locale-collate", "maxmemory-eviction-tenacity",
    "no-appendfsync-on-rewrite", "oom-score-adj", "oom-score-adj-values", "pidfile", "proc-title-template",
    "propagation-error-behavior", "rdb-del-sync-files", "repl-disable-tcp-nodelay", "repl-diskless-load", "replica-ignore-disk-write-errors",
    "replica-lazy-flush", "sanitize-dump-payload", "server_cpulist", "set-proc-title", "socket-mark-id",
    "supervised", "syslog-enabled", "syslog-facility", "syslog-ident", "tls-ciphers", "tls-ciphersuites",
    "tls-client-cert-file", "tls-client-key-file", "tls-cluster", "tls-dh-params-file", "tls-replication",
    "tls-session-cache-timeout",
];

/// The table, by subject.
#[rustfmt::skip]
pub const DIRECTIVES: &[Directive] = &[
    // Network
    stored("bind", Words(addresses), "* -::*"),
    stored("bind-source-addr", Text, ""),
    stored("port", PORT, "6379"),
    stored("tcp-backlog", COUNT, "511").at_start(),
    stored("tcp-keepalive", COUNT, "300"),
    stored("unixsocket", Text, "").at_start(),
    stored("unixsocketperm", Octal, "0").at_start(),
    stored("socket-mark-id", Integer(0, u32::MAX as i64), "0").at_start(),
    stored("protected-mode", YesNo, "yes"),
    stored("maxclients", Integer(1, u32::MAX as i64), "10000"),
    field("timeout", COUNT, at!(timeout)),
    field("proto-max-bulk-len", Memory(1 << 20, LONG as u64), at!(proto_max_bulk_len)),
    field("client-query-buffer-limit", Memory(1 << 20, LONG as u64), at!(client_query_buffer_limit)),
    field("client-output-buffer-limit", Words(output_limits), at!(output_limits)),
    field("tracking-table-max-keys", LARGE, at!(tracking_table_max_keys)),

    // HTTP, which Redis does not have
    stored("http-port", PORT, "0"),
    stored("http-token", Text, ""),
    stored("http-read-only-token", Text, ""),
    stored("http-cors-origin", Text, "*"),

    // TLS
    stored("tls-port", PORT, "0"),
    stored("tls-cert-file", Text, ""),
    stored("tls-key-file", Text, ""),
    stored("tls-key-file-pass", Text, ""),
    stored("tls-client-cert-file", Text, ""),
    stored("tls-client-key-file", Text, ""),
    stored("tls-client-key-file-pass", Text, ""),
    stored("tls-dh-params-file", Text, ""),
    stored("tls-ca-cert-file", Text, ""),
    stored("tls-ca-cert-dir", Text, ""),
    stored("tls-auth-clients", OneOf(&["no", "yes", "optional"]), "yes"),
    stored("tls-protocols", Text, ""),
    stored("tls-ciphers", Text, ""),
    stored("tls-ciphersuites", Text, ""),
    stored("tls-prefer-server-ciphers", YesNo, "no"),
    stored("tls-session-caching", YesNo, "yes"),
    stored("tls-session-cache-size", COUNT, "20480"),
    stored("tls-session-cache-timeout", COUNT, "300"),
    stored("tls-replication", YesNo, "no"),
    stored("tls-cluster", YesNo, "no"),

    // The process
    stored("daemonize", YesNo, "no").at_start(),
    stored("supervised", OneOf(&["no", "upstart", "systemd", "auto"]), "no").at_start(),
    stored("pidfile", Text, "").at_start(),
    stored("loglevel", OneOf(&["debug", "verbose", "notice", "warning", "nothing"]), "notice"),
    stored("logfile", Text, "").at_start(),
    stored("syslog-enabled", YesNo, "no").at_start(),
    stored("syslog-ident", Text, "redis").at_start(),
    stored("syslog-facility", OneOf(&["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"]), "local0").at_start(),
    stored("crash-log-enabled", YesNo, "yes"),
    stored("crash-memcheck-enabled", YesNo, "yes"),
    stored("always-show-logo", YesNo, "no").at_start(),
    stored("set-proc-title", YesNo, "yes").at_start(),
    stored("proc-title-template", Text, "{title} {listen-addr} {server-mode}"),
    stored("locale-collate", Text, ""),
    stored("hz", COUNT, "10"),
    stored("dynamic-hz", YesNo, "yes"),
    stored("io-threads", Integer(1, 128), "1").at_start(),
    stored("io-threads-do-reads", YesNo, "no").at_start(),
    stored("server_cpulist", Text, "").at_start(),
    stored("bio_cpulist", Text, "").at_start(),
    stored("aof_rewrite_cpulist", Text, "").at_start(),
    stored("bgsave_cpulist", Text, "").at_start(),
    stored("oom-score-adj", OneOf(&["no", "yes", "relative", "absolute"]), "no"),
    stored("oom-score-adj-values", Words(oom_scores), "0 200 800"),
    stored("disable-thp", YesNo, "yes").at_start(),
    stored("jemalloc-bg-thread", YesNo, "yes"),
    stored("ignore-warnings", Text, ""),
    stored("shutdown-timeout", COUNT, "10"),
    stored("shutdown-on-sigint", SHUTDOWN, "default"),
    stored("shutdown-on-sigterm", SHUTDOWN, "default"),
    stored("enable-protected-configs", PROTECTED, "no").at_start(),
    stored("enable-debug-command", PROTECTED, "no").at_start(),
    stored("enable-module-command", PROTECTED, "no").at_start(),

    // The keyspace
    field("databases", Integer(1, INT), at!(databases)).at_start(),
    stored("active-expire-effort", Integer(1, 10), "1"),
    stored("activerehashing", YesNo, "yes"),
    field("notify-keyspace-events", Words(event_classes), at!(notify_keyspace_events)),
    stored("lazyfree-lazy-eviction", YesNo, "no"),
    stored("lazyfree-lazy-expire", YesNo, "no"),
    stored("lazyfree-lazy-server-del", YesNo, "no"),
    stored("lazyfree-lazy-user-del", YesNo, "no"),
    stored("lazyfree-lazy-user-flush", YesNo, "no"),

    // Small encodings
    field("hash-max-listpack-entries", LARGE, at!(limits.hash_max_listpack_entries)).or("hash-max-ziplist-entries"),
    field("hash-max-listpack-value", BYTES, at!(limits.hash_max_listpack_value)).or("hash-max-ziplist-value"),
    field("list-max-listpack-size", Integer(i32::MIN as i64, INT), at!(limits.list_max_listpack_size)).or("list-max-ziplist-size"),
    stored("list-compress-depth", COUNT, "0"),
    field("set-max-intset-entries", LARGE, at!(limits.set_max_intset_entries)),
    field("set-max-listpack-entries", LARGE, at!(limits.set_max_listpack_entries)),
    field("set-max-listpack-value", BYTES, at!(limits.set_max_listpack_value)),
    field("zset-max-listpack-entries", LARGE, at!(limits.zset_max_listpack_entries)).or("zset-max-ziplist-entries"),
    field("zset-max-listpack-value", BYTES, at!(limits.zset_max_listpack_value)).or("zset-max-ziplist-value"),
    field("hll-sparse-max-bytes", BYTES, at!(limits.hll_sparse_max_bytes)),
    field("stream-node-max-bytes", BYTES, at!(limits.stream_node_limit.bytes)),
    field("stream-node-max-entries", LARGE, at!(limits.stream_node_limit.entries)),

    // Memory
    field("maxmemory", Memory(0, u64::MAX), at!(maxmemory)),
    field("maxmemory-policy", OneOf(&["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"]), at!(eviction.policy)),
    field("maxmemory-samples", Integer(1, INT), at!(eviction.samples)),
    stored("maxmemory-eviction-tenacity", Integer(0, 100), "10"),
    field("maxmemory-clients", MemoryOrPercent, at!(maxmemory_clients)),
    field("lfu-log-factor", COUNT, at!(eviction.lfu_log_factor)),
    field("lfu-decay-time", COUNT, at!(eviction.lfu_decay_time)),
    stored("activedefrag", Words(defragmentation), "no"),
    stored("active-defrag-ignore-bytes", Memory(1, LONG as u64), "104857600"),
    stored("active-defrag-threshold-lower", Integer(0, 1000), "10"),
    stored("active-defrag-threshold-upper", Integer(0, 1000), "100"),
    stored("active-defrag-cycle-min", Integer(1, 99), "1"),
    stored("active-defrag-cycle-max", Integer(1, 99), "25"),
    stored("active-defrag-max-scan-fields", Integer(1, LONG), "1000"),

    // Access
    field("requirepass", Text, at!(requirepass)),
    stored("aclfile", Text, "").at_start(),
    stored("acl-pubsub-default", OneOf(&["allchannels", "resetchannels"]), "resetchannels"),
    stored("acllog-max-len", LARGE, "128"),

    // Snapshots
    stored("save", Words(save_points), "3600 1 300 100 60 10000"),
    stored("dir", Text, ".").protected(),
    stored("dbfilename", Text, "dump.rdb").protected(),
    stored("rdbcompression", YesNo, "yes"),
    stored("rdbchecksum", YesNo, "yes").at_start(),
    stored("rdb-del-sync-files", YesNo, "no"),
    stored("rdb-save-incremental-fsync", YesNo, "yes"),
    stored("rdb-key-save-delay", Integer(i32::MIN as i64, INT), "0"),
    stored("key-load-delay", Integer(i32::MIN as i64, INT), "0"),
    stored("sanitize-dump-payload", OneOf(&["no", "yes", "clients"]), "no"),
    stored("stop-writes-on-bgsave-error", YesNo, "yes"),

    // The journal
    stored("appendonly", YesNo, "no"),
    stored("appendfsync", OneOf(&["everysec", "always", "no"]), "everysec"),
    stored("appendfilename", Text, "appendonly.aof").at_start(),
    stored("appenddirname", Text, "appendonlydir").at_start(),
    stored("no-appendfsync-on-rewrite", YesNo, "no"),
    stored("auto-aof-rewrite-percentage", COUNT, "100"),
    stored("auto-aof-rewrite-min-size", BYTES, "67108864"),
    stored("aof-load-truncated", YesNo, "yes"),
    stored("aof-use-rdb-preamble", YesNo, "yes"),
    stored("aof-rewrite-incremental-fsync", YesNo, "yes"),
    stored("aof-timestamp-enabled", YesNo, "no"),
    stored("aof-disable-auto-gc", YesNo, "no"),

    // Watching
    field("slowlog-log-slower-than", Integer(-1, LONG), at!(slowlog_log_slower_than)).or("commandlog-execution-slower-than"),
    field("slowlog-max-len", LARGE, at!(slowlog_max_len)).or("commandlog-slow-execution-max-len"),
    field("commandlog-request-larger-than", Integer(-1, LONG), at!(large_request)),
    field("commandlog-large-request-max-len", LARGE, at!(large_request_max_len)),
    field("commandlog-reply-larger-than", Integer(-1, LONG), at!(large_reply)),
    field("commandlog-large-reply-max-len", LARGE, at!(large_reply_max_len)),
    field("latency-monitor-threshold", LARGE, at!(latency_monitor_threshold)),
    field("latency-tracking", YesNo, at!(latency_tracking)),
    stored("latency-tracking-info-percentiles", Words(percentiles), "50 99 99.9"),

    // Scripts
    field("busy-reply-threshold", LARGE, at!(busy_reply_threshold)).or("lua-time-limit"),

    // Replication
    stored("replicaof", Words(primary), "").or("slaveof").at_start(),
    stored("masterauth", Text, ""),
    stored("masteruser", Text, ""),
    stored("replica-serve-stale-data", YesNo, "yes").or("slave-serve-stale-data"),
    stored("replica-read-only", YesNo, "yes").or("slave-read-only"),
    stored("replica-lazy-flush", YesNo, "no").or("slave-lazy-flush"),
    stored("replica-priority", COUNT, "100").or("slave-priority"),
    stored("replica-announced", YesNo, "yes"),
    stored("replica-announce-ip", Text, "").or("slave-announce-ip"),
    stored("replica-announce-port", PORT, "0").or("slave-announce-port"),
    stored("replica-ignore-maxmemory", YesNo, "yes").or("slave-ignore-maxmemory"),
    stored("replica-ignore-disk-write-errors", YesNo, "no"),
    stored("repl-ping-replica-period", Integer(1, INT), "10").or("repl-ping-slave-period"),
    stored("repl-timeout", Integer(1, INT), "60"),
    stored("repl-disable-tcp-nodelay", YesNo, "no"),
    stored("repl-diskless-sync", YesNo, "yes"),
    stored("repl-diskless-sync-delay", COUNT, "5"),
    stored("repl-diskless-sync-max-replicas", COUNT, "0"),
    stored("repl-diskless-load", OneOf(&["disabled", "on-empty-db", "swapdb"]), "disabled"),
    stored("repl-backlog-size", Memory(1, LONG as u64), "1048576"),
    stored("repl-backlog-ttl", LARGE, "3600"),
    stored("min-replicas-to-write", COUNT, "0").or("min-slaves-to-write"),
    stored("min-replicas-max-lag", COUNT, "10").or("min-slaves-max-lag"),
    stored("propagation-error-behavior", OneOf(&["ignore", "panic", "panic-on-replicas"]), "ignore"),

    // Cluster
    stored("cluster-enabled", YesNo, "no").at_start(),
    stored("cluster-config-file", Text, "nodes.conf").at_start(),
    stored("cluster-port", PORT, "0").at_start(),
    stored("cluster-node-timeout", LARGE, "15000"),
    stored("cluster-migration-barrier", COUNT, "1"),
    stored("cluster-require-full-coverage", YesNo, "yes"),
    stored("cluster-allow-reads-when-down", YesNo, "no"),
    stored("cluster-allow-pubsubshard-when-down", YesNo, "yes"),
    stored("cluster-allow-replica-migration", YesNo, "yes"),
    stored("cluster-replica-validity-factor", COUNT, "10").or("cluster-slave-validity-factor"),
    stored("cluster-replica-no-failover", YesNo, "no").or("cluster-slave-no-failover"),
    stored("cluster-announce-ip", Text, ""),
    stored("cluster-announce-port", PORT, "0"),
    stored("cluster-announce-tls-port", PORT, "0"),
    stored("cluster-announce-bus-port", PORT, "0"),
    stored("cluster-announce-hostname", Text, ""),
    stored("cluster-announce-human-nodename", Text, ""),
    stored("cluster-preferred-endpoint-type", OneOf(&["ip", "hostname", "unknown-endpoint"]), "ip"),
    stored("cluster-link-sendbuf-limit", Memory(0, u64::MAX), "0"),
];
