//! `/metrics` in Prometheus's text format and `/health`. All of it is what INFO and PING say; the names are those of
//! redis_exporter, so that its dashboards show this server, too.

use std::{collections::BTreeSet, fmt::Write, rc::Rc};

use keyside::{
    Origin,
    resp::{Piece, read_piece},
};

use super::{super::shell::Shell, Guest, Response};

/// Fields of INFO that have another name as a metric: the field, the metric, and whether it only grows.
const NAMES: &[(&str, &str, bool)] = &[
    ("used_memory", "memory_used_bytes", false),
    ("used_memory_rss", "memory_used_rss_bytes", false),
    ("used_memory_peak", "memory_used_peak_bytes", false),
    ("used_memory_dataset", "memory_used_dataset_bytes", false),
    ("used_memory_lua", "memory_used_lua_bytes", false),
    ("maxmemory", "memory_max_bytes", false),
    ("mem_fragmentation_ratio", "mem_fragmentation_ratio", false),
    ("total_commands_processed", "commands_processed_total", true),
    ("total_connections_received", "connections_received_total", true),
    ("rejected_connections", "rejected_connections_total", true),
    ("total_net_input_bytes", "net_input_bytes_total", true),
    ("total_net_output_bytes", "net_output_bytes_total", true),
    ("total_reads_processed", "total_reads_processed", true),
    ("total_writes_processed", "total_writes_processed", true),
    ("keyspace_hits", "keyspace_hits_total", true),
    ("keyspace_misses", "keyspace_misses_total", true),
    ("expired_keys", "expired_keys_total", true),
    ("evicted_keys", "evicted_keys_total", true),
    ("evicted_clients", "evicted_clients_total", true),
    ("total_error_replies", "total_error_replies", true),
    ("used_cpu_sys", "cpu_sys_seconds_total", true),
    ("used_cpu_user", "cpu_user_seconds_total", true),
    ("rdb_last_save_time", "rdb_last_save_timestamp_seconds", false),
    ("maxclients", "max_clients", false),
];

/// Numbers that measure nothing.
const UNMEASURED: &[&str] = &["redis_git_sha1", "redis_git_dirty", "redis_build_id", "run_id", "tcp_port"];

/// Metrics of fields with several values: where they are in INFO, the label, and each value with its metric.
struct Family {
    prefix: &'static str,
    label: &'static str,
    values: &'static [(&'static str, &'static str, bool)],
}

const FAMILIES: &[Family] = &[
    Family {
        prefix: "cmdstat_",
        label: "cmd",
        values: &[
            ("calls", "commands_total", true),
            ("usec", "commands_duration_microseconds_total", true),
            ("rejected_calls", "commands_rejected_calls_total", true),
            ("failed_calls", "commands_failed_calls_total", true),
        ],
    },
    Family { prefix: "errorstat_", label: "err", values: &[("count", "errors_total", true)] },
    Family {
        prefix: "db",
        label: "db",
        values: &[
            ("keys", "db_keys", false),
            ("expires", "db_keys_expiring", false),
            ("avg_ttl", "db_avg_ttl_milliseconds", false),
        ],
    },
];

/// Answers Prometheus.
pub async fn metrics(shell: &Rc<Shell>, origin: &Origin) -> Response {
    let guest = Guest::new(shell, origin);
    let reply = guest.ask(&[b"INFO", b"everything"]).await.unwrap_or_default();
    let info = match read_piece(&reply) {
        Some((Piece::Bulk(text), _)) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    };
    Response::new(200, "text/plain; version=0.0.4; charset=utf-8", exposition(&info))
}

/// Answers whoever wants to know whether the server does its work: PING is refused when nothing can be kept any more.
pub async fn health(shell: &Rc<Shell>, origin: &Origin) -> Response {
    let guest = Guest::new(shell, origin);
    match guest.ask(&[b"PING"]).await.as_deref() {
        Some(b"+PONG\r\n") => Response::new(200, "application/json", "{\"status\":\"ok\"}\n"),
        Some([b'-', reason @ ..]) => {
            let mut body = String::new();
            super::json::refusal(String::from_utf8_lossy(reason).trim_end(), &mut body);
            Response::new(503, "application/json", body + "\n")
        }
        _ => Response::new(503, "application/json", "{\"error\":\"no answer\"}\n"),
    }
}

/// A number of a metric.
struct Sample<'i> {
    metric: String,
    /// Whether the metric only grows.
    grows: bool,
    /// What tells it from others of the metric, with its braces.
    label: String,
    value: &'i str,
}

impl<'i> Sample<'i> {
    fn new(metric: &str, grows: bool, label: &str, value: &'i str) -> Sample<'i> {
        Sample { metric: metric.into(), grows, label: label.into(), value }
    }
}

/// The text of INFO as metrics: every number in it, and the version as a label.
fn exposition(info: &str) -> String {
    let mut samples = vec![Sample::new("up", false, "", "1")];
    for line in info.lines().filter(|line| !line.starts_with('#')) {
        let Some((field, value)) = line.split_once(':') else { continue };
        if let Some(family) = FAMILIES.iter().find(|it| is_of(it, field, value)) {
            let name = if family.prefix == "db" { field } else { &field[family.prefix.len()..] };
            let label = format!("{{{}=\"{}\"}}", family.label, name.replace(['\\', '"', '\n'], "_"));
            for (key, metric, grows) in family.values {
                let found = value.split(',').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
                let Some(number) = found else { continue };
                samples.push(Sample::new(metric, *grows, &label, number));
            }
        } else if field == "redis_version" || field == "keyside_version" {
            let name =
                field.replace("redis_version", "instance_info").replace("keyside_version", "keyside_info");
            samples.push(Sample::new(&name, false, &format!("{{version=\"{value}\"}}"), "1"));
        } else if !UNMEASURED.contains(&field) && value.parse::<f64>().is_ok_and(f64::is_finite) {
            let known = NAMES.iter().find(|(own, ..)| *own == field);
            let (name, grows) = known.map_or((field, false), |(_, name, grows)| (*name, *grows));
            samples.push(Sample::new(name, grows, "", value));
        }
    }
    write_out(&samples)
}

/// All samples of a metric stand together, as the format asks.
fn write_out(samples: &[Sample]) -> String {
    let mut out = String::new();
    let mut written = BTreeSet::new();
    for Sample { metric, grows, .. } in samples {
        if !written.insert(metric) {
            continue;
        }
        let _ = writeln!(out, "# TYPE redis_{metric} {}", if *grows { "counter" } else { "gauge" });
        for Sample { label, value, .. } in samples.iter().filter(|other| other.metric == *metric) {
            let _ = writeln!(out, "redis_{metric}{label} {value}");
        }
    }
    out
}

fn is_of(family: &Family, field: &str, value: &str) -> bool {
    let Some(rest) = field.strip_prefix(family.prefix) else { return false };
    let is_number = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    value.contains('=') && (family.prefix != "db" || is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_info_are_metrics() {
        let info = "# Server\r\nredis_version:7.2.4\r\nused_memory:12\r\nused_memory_human:12B\r\nrole:master\r\n\
                    cmdstat_get:calls=3,usec=7,usec_per_call=2.33\r\ncmdstat_client|list:calls=1,usec=1\r\n\
                    db0:keys=2,expires=1,avg_ttl=0\r\ntotal_commands_processed:4\r\n";
        assert_eq!(
            exposition(info),
            "# TYPE redis_up gauge\nredis_up 1\n\
             # TYPE redis_instance_info gauge\nredis_instance_info{version=\"7.2.4\"} 1\n\
             # TYPE redis_memory_used_bytes gauge\nredis_memory_used_bytes 12\n\
             # TYPE redis_commands_total counter\nredis_commands_total{cmd=\"get\"} 3\n\
             redis_commands_total{cmd=\"client|list\"} 1\n\
             # TYPE redis_commands_duration_microseconds_total counter\n\
             redis_commands_duration_microseconds_total{cmd=\"get\"} 7\n\
             redis_commands_duration_microseconds_total{cmd=\"client|list\"} 1\n\
             # TYPE redis_db_keys gauge\nredis_db_keys{db=\"db0\"} 2\n\
             # TYPE redis_db_keys_expiring gauge\nredis_db_keys_expiring{db=\"db0\"} 1\n\
             # TYPE redis_db_avg_ttl_milliseconds gauge\nredis_db_avg_ttl_milliseconds{db=\"db0\"} 0\n\
             # TYPE redis_commands_processed_total counter\nredis_commands_processed_total 4\n"
        );
    }
}
