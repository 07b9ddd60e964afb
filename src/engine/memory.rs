//! MEMORY: how many bytes values take, and the process as a whole. The figures follow what is allocated for a value, not
//! what the allocator makes of that.

use alloc::string::String;
use core::fmt::Write;

use super::Engine;
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
    let used = engine.used_memory();
    let peak = engine.peak_memory();
    let allocated = (engine.config.host.allocated)();
    let keys: usize = engine.keyspace.databases().iter().map(|database| database.len()).sum();
    let integers = [
        ("peak.allocated", peak),
        ("total.allocated", used),
        ("startup.allocated", 0),
        ("replication.backlog", 0),
        ("clients.slaves", 0),
        ("clients.normal", 0),
        ("cluster.links", 0),
        ("aof.buffer", 0),
        ("lua.caches", 0),
        ("functions.caches", 0),
        ("overhead.total", 0),
        ("keys.count", keys),
        ("keys.bytes-per-key", used / keys.max(1)),
        ("dataset.bytes", used),
        ("allocator.allocated", used),
        ("allocator.active", allocated),
        ("allocator-fragmentation.bytes", allocated.saturating_sub(used)),
    ];
    let doubles = [
        ("dataset.percentage", 100.0),
        ("peak.percentage", 100.0 * used as f64 / peak.max(1) as f64),
        ("fragmentation", allocated as f64 / used.max(1) as f64),
    ];
    Ok(Written::new(move |out| {
        out.map(integers.len() + doubles.len());
        for (name, value) in integers {
            out.bulk(name.as_bytes());
            out.integer(value as i64);
        }
        for (name, value) in doubles {
            out.bulk(name.as_bytes());
            out.double(value);
        }
    }))
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
