//! What people and Sentinels are told of replication: ROLE, and a section of INFO.

use alloc::{
    format,
    string::{String, ToString},
};

use super::Engine;
use crate::{
    Result,
    commands::{
        Command,
        reply::{Unknown, Written},
        spec::commands,
    },
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Tells the role in replication, and of the others.
    "ROLE" = role() since "2.8.12" [NOSCRIPT LOADING STALE FAST] O("1");
};

fn role(engine: &mut Engine) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<'_>>> {
    Ok(Written::new(move |out| engine.write_role(out)))
}

impl Engine {
    fn write_role(&self, out: &mut Writer) {
        let offset = self.replication.history.offset() as i64;
        if let Some(primary) = &self.replication.primary {
            out.array(5);
            out.bulk(b"slave");
            out.bulk(primary.host.as_bytes());
            out.integer(primary.port.into());
            out.bulk(primary.state().as_bytes());
            return out.integer(if primary.is_up() { offset } else { -1 });
        }
        out.array(3);
        out.bulk(b"master");
        out.integer(offset);
        out.counted(Writer::array, |out| {
            let online = self.replicas().filter(|(_, it)| it.is_online());
            online
                .map(|(id, it)| {
                    let addr = self.clients.get(id).map_or("", |client| client.origin.addr.as_str());
                    out.array(3);
                    out.bulk(it.host(addr).as_bytes());
                    out.bulk_display(it.port);
                    out.bulk_display(it.acked);
                })
                .count()
        });
    }

    /// The section of INFO: a name and a value for each line.
    pub(in crate::engine) fn replication_fields(&self, mut add: impl FnMut(&str, String)) {
        let it = &self.replication;
        let now_ms = self.keyspace.now_ms();
        let flag = |flag: bool| (flag as u8).to_string();
        let seconds_since = |then_ms: u64| now_ms.saturating_sub(then_ms) / 1000;
        let offset = it.history.offset();
        add("role", if it.primary.is_some() { "slave" } else { "master" }.into());
        if let Some(primary) = &it.primary {
            let heard = primary.client().and_then(|id| self.clients.get(id)).map(|client| client.active_ms);
            let transfer = primary.transfer();
            let silence = heard.filter(|_| primary.is_up()).map_or(-1, |ms| seconds_since(ms) as i64);
            add("master_host", primary.host.clone());
            add("master_port", primary.port.to_string());
            add("master_link_status", if primary.is_up() { "up" } else { "down" }.into());
            add("master_last_io_seconds_ago", silence.to_string());
            add("master_sync_in_progress", flag(transfer.is_some()));
            add("slave_read_repl_offset", offset.to_string());
            add("slave_repl_offset", offset.to_string());
            if let Some((read, progress)) = transfer {
                let (all, left) = progress.unwrap_or((0, 0));
                let percent = (read * 100).checked_div(all).unwrap_or(0);
                add("master_sync_total_bytes", all.to_string());
                add("master_sync_read_bytes", read.to_string());
                add("master_sync_left_bytes", progress.map_or("-1".into(), |_| left.to_string()));
                add("master_sync_perc", format!("{percent}.00"));
                add("master_sync_last_io_seconds_ago", heard.map_or(0, seconds_since).to_string());
            }
            if !primary.is_up() {
                let since = primary.down_since_ms.map_or(-1, |ms| seconds_since(ms) as i64);
                add("master_link_down_since_seconds", since.to_string());
            }
            let text =
                |name| String::from_utf8_lossy(&self.config.get(name).unwrap_or_default()).into_owned();
            add("slave_priority", text("replica-priority"));
            add("slave_read_only", flag(self.is_on("replica-read-only")));
            add("replica_announced", flag(self.is_on("replica-announced")));
        }
        add("connected_slaves", it.replicas.len().to_string());
        if it.settings.least_replicas > 0 && it.settings.lag_max_ms > 0 {
            add("min_slaves_good_slaves", self.good_replicas().to_string());
        }
        for (number, (id, replica)) in self.replicas().enumerate() {
            let addr = self.clients.get(id).map_or("", |client| client.origin.addr.as_str());
            let lag = if replica.is_online() { seconds_since(replica.seen_ms) } else { 0 };
            let line = format!(
                "ip={},port={},state={},offset={},lag={lag}",
                replica.host(addr),
                replica.port,
                replica.state(),
                replica.acked,
            );
            add(&format!("slave{number}"), line);
        }
        add("master_failover_state", self.failover_state().into());
        add("master_replid", it.history.id.clone());
        let former = it.history.former.as_ref();
        add("master_replid2", former.map_or_else(|| "0".repeat(40), |(id, _)| id.clone()));
        add("master_repl_offset", offset.to_string());
        add("second_repl_offset", former.map_or("-1".into(), |(_, end)| end.to_string()));
        add("repl_backlog_active", flag(it.history.is_kept()));
        add("repl_backlog_size", it.settings.backlog.to_string());
        let first = if it.history.is_kept() { it.history.first_offset() } else { 0 };
        add("repl_backlog_first_byte_offset", first.to_string());
        add("repl_backlog_histlen", it.history.kept().to_string());
    }
}
