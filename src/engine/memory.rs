//! MEMORY: how many bytes values take, and the process as a whole. The figures follow what is allocated for a value, not
//! what the allocator makes of that.

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write;

use super::{Engine, config::Host};
use crate::{
    Error, Result,
    commands::{
        Command,
        args::{Key, options},
        help::{HelpLines, help},
        reply::{Done, Prose, Unknown, Written},
        spec::commands,
    },
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Tells in a sentence how memory is used.
    "MEMORY DOCTOR" = memory_doctor() since "4.0.0" [] O("1");
    /// Lists the subcommands.
    "MEMORY HELP" = memory_help() since "4.0.0" [LOADING STALE] O("1");
    /// Tells what the allocator tells of itself, which is nothing.
    "MEMORY MALLOC-STATS" = memory_malloc_stats() since "4.0.0" [] O("1");
    /// Asks the allocator to give memory back.
    "MEMORY PURGE" = memory_purge() since "4.0.0" [] O("1");
    /// Returns how memory is used.
    "MEMORY STATS" = memory_stats() since "4.0.0" [] O("1");
    /// Returns about how many bytes a key and its value take.
    "MEMORY USAGE" = memory_usage(key, options) since "4.0.0" [READONLY] O("N) where N is the number of samples");
};

options! {
    /// The options of MEMORY USAGE. Nothing is sampled: a collection knows what it allocated.
    struct UsageOptions {
        samples: Option<i64> = "SAMPLES",
    }
}

fn memory_usage(engine: &mut Engine, key: Key, options: UsageOptions) -> Result<Option<usize>> {
    if options.samples.is_some_and(|samples| samples < 0) {
        return Err(Error::Syntax);
    }
    let found = engine.keyspace.find(key);
    Ok(found.map(|found| engine.keyspace.database().memory(found)))
}

fn memory_stats(engine: &mut Engine) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<>>> {
    let figures = figures(engine);
    Ok(Written::new(move |out| {
        out.map(figures.len());
        for (name, figure) in figures {
            out.bulk(name.as_bytes());
            match figure {
                Figure::Bytes(bytes) => out.integer(bytes as i64),
                Figure::Ratio(ratio) => out.double(ratio),
                Figure::Database(index) => {
                    out.map(3);
                    for (name, bytes) in [("main", index), ("expires", 0), ("slot-to-keys", 0)] {
                        out.bulk(format!("overhead.hashtable.{name}").as_bytes());
                        out.integer(bytes as i64);
                    }
                }
            }
        }
    }))
}

/// A line of MEMORY STATS.
enum Figure {
    Bytes(usize),
    Ratio(f64),
    /// A database, whose keys take so many bytes in the index.
    Database(usize),
}

/// Everything that MEMORY STATS tells, in Redis's order.
fn figures(engine: &mut Engine) -> Vec<(String, Figure)> {
    let (used, peak) = (engine.used_memory(), engine.peak_memory());
    let Host { allocated, resident, .. } = engine.config.host;
    let (active, resident) = (allocated(), resident().max(allocated()));
    let (backlog, [slaves, normal]) = (engine.replication_memory(), engine.buffers());
    let [scripts, functions] = [
        engine.scripts.used_memory() + engine.scripts.source_bytes(),
        engine.functions.used_memory() + engine.functions.source_bytes(),
    ];
    let databases = engine.keyspace.databases();
    let keys: usize = databases.iter().map(|database| database.len()).sum();
    let indexes: Vec<(usize, usize)> = (databases.iter().enumerate())
        .filter(|(_, database)| !database.is_empty())
        .map(|(number, database)| (number, database.index_bytes()))
        .collect();
    let overhead =
        backlog + slaves + normal + scripts + functions + indexes.iter().map(|it| it.1).sum::<usize>();
    let dataset = used.saturating_sub(overhead);
    let ratio = |part: usize, whole: usize| Figure::Ratio(part as f64 / whole.max(1) as f64);
    let percent = |part: usize, whole: usize| Figure::Ratio(100.0 * part as f64 / whole.max(1) as f64);
    let mut all: Vec<(String, Figure)> = Vec::new();
    let mut add = |name: &str, figure| all.push((name.into(), figure));
    add("peak.allocated", Figure::Bytes(peak));
    add("total.allocated", Figure::Bytes(used));
    add("startup.allocated", Figure::Bytes(0));
    add("replication.backlog", Figure::Bytes(backlog));
    add("clients.slaves", Figure::Bytes(slaves));
    add("clients.normal", Figure::Bytes(normal));
    add("cluster.links", Figure::Bytes(0));
    add("aof.buffer", Figure::Bytes(engine.journal.len()));
    add("lua.caches", Figure::Bytes(scripts));
    add("functions.caches", Figure::Bytes(functions));
    for (number, bytes) in indexes {
        add(&format!("db.{number}"), Figure::Database(bytes));
    }
    add("overhead.total", Figure::Bytes(overhead));
    add("keys.count", Figure::Bytes(keys));
    add("keys.bytes-per-key", Figure::Bytes(used / keys.max(1)));
    add("dataset.bytes", Figure::Bytes(dataset));
    add("dataset.percentage", percent(dataset, used));
    add("peak.percentage", percent(used, peak));
    add("allocator.allocated", Figure::Bytes(used));
    add("allocator.active", Figure::Bytes(active));
    add("allocator.resident", Figure::Bytes(resident));
    add("allocator-fragmentation.ratio", ratio(active, used));
    add("allocator-fragmentation.bytes", Figure::Bytes(active.saturating_sub(used)));
    add("allocator-rss.ratio", ratio(resident, active));
    add("allocator-rss.bytes", Figure::Bytes(resident - active));
    add("rss-overhead.ratio", Figure::Ratio(1.0));
    add("rss-overhead.bytes", Figure::Bytes(0));
    add("fragmentation", ratio(resident, used));
    add("fragmentation.bytes", Figure::Bytes(resident.saturating_sub(used)));
    all
}

fn memory_doctor(engine: &mut Engine) -> Result<Prose> {
    let (used, allocated) = (engine.used_memory(), (engine.config.host.allocated)());
    let mut text = String::new();
    let _ = write!(text, "{used} bytes hold data, of {allocated} that are allocated. ");
    text.push_str(match allocated.checked_div(used.max(1)) {
        Some(2..) if allocated > 64 << 20 => {
            "Most is free room that data left behind; what comes next will use it.\n"
        }
        _ => "Nothing is wrong with that.\n",
    });
    Ok(Prose(text))
}

fn memory_malloc_stats(_: &mut Engine) -> Result<Prose> {
    Ok(Prose("Stats not supported for the current allocator".into()))
}

fn memory_purge(_: &mut Engine) -> Result<Done> {
    Ok(Done)
}

fn memory_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("MEMORY", COMMANDS))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use crate::engine::testing::Session;

    #[test]
    fn a_larger_value_takes_more() {
        let mut session = Session::new();
        let mut usage = |set: &str| -> usize {
            session.ask(set);
            let reply = session.ask("MEMORY USAGE k");
            reply.trim_end().trim_start_matches(':').parse().unwrap_or_else(|_| panic!("{set}: {reply}"))
        };
        let small = usage("SET k v");
        let large = usage(&format!("SET k {}", "v".repeat(5000)));
        assert!(small < 100 && (5000..5200).contains(&large), "{small} {large}");
        let list = usage(&format!("DEL k\nRPUSH k {}", "element ".repeat(200).trim_end()));
        assert!((1800..3000).contains(&list), "{list}");
        assert_eq!(session.ask("MEMORY USAGE missing"), "$-1\r\n");
        assert_eq!(session.ask("MEMORY USAGE k SAMPLES -1"), "-ERR syntax error\r\n");
    }
}
