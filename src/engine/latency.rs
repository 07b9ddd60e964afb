//! LATENCY: how long commands take, as a histogram for each of them, and the moments at which one took too long. What is
//! measured is what `dispatch.rs` measures; commands that took less than a microsecond are only counted.

use alloc::{
    boxed::Box,
    collections::VecDeque,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Write;

use super::{
    Engine,
    dispatch::{CallStats, Known},
};
use crate::{
    Result,
    commands::{
        Command, Flags,
        args::{Rest, Text},
        help::{HelpLines, help},
        reply::{Prose, Unknown, Written, typed},
        spec::commands,
    },
    data::containers::ordered::OrderedMap,
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Tells in a sentence what made clients wait.
    "LATENCY DOCTOR" = latency_doctor() since "2.8.13" [ADMIN NOSCRIPT LOADING STALE] O("1");
    /// Draws the samples of an event.
    "LATENCY GRAPH" = latency_graph(event) since "2.8.13" [ADMIN NOSCRIPT LOADING STALE] O("1");
    /// Lists the subcommands.
    "LATENCY HELP" = latency_help() since "2.8.13" [LOADING STALE] O("1");
    /// Returns how often commands took how long: of these commands, or of all.
    "LATENCY HISTOGRAM" = latency_histogram(commands) since "7.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is the number of commands with latency information being retrieved");
    /// Returns the samples of an event: Unix time and milliseconds.
    "LATENCY HISTORY" = latency_history(event) since "2.8.13" [ADMIN NOSCRIPT LOADING STALE] O("1");
    /// Returns each event with its latest sample and its longest.
    "LATENCY LATEST" = latency_latest() since "2.8.13" [ADMIN NOSCRIPT LOADING STALE] O("1");
    /// Forgets the samples of these events, or of all.
    "LATENCY RESET" = latency_reset(events) since "2.8.13" [ADMIN NOSCRIPT LOADING STALE] O("1");
};

/// How often something took how long: each power of two of microseconds in four parts.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Box<[u64; Histogram::BUCKETS]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: Box::new([0; Histogram::BUCKETS]) }
    }
}

impl Histogram {
    const PARTS: usize = 4;
    const BUCKETS: usize = 40 * Histogram::PARTS;

    fn bucket(us: u64) -> usize {
        let octave = us.max(1).ilog2();
        let part = if octave >= 2 { us >> (octave - 2) & 3 } else { us << (2 - octave) & 3 };
        (octave as usize * Histogram::PARTS + part as usize).min(Histogram::BUCKETS - 1)
    }

    /// The first duration that is too long for a bucket.
    fn end(bucket: usize) -> u64 {
        let (octave, part) = (bucket / Histogram::PARTS, (bucket % Histogram::PARTS) as u64);
        ((5 + part) << octave).div_ceil(4)
    }

    /// Counts a duration.
    pub fn record(&mut self, us: u64) {
        self.counts[Histogram::bucket(us)] += 1;
    }
}

impl CallStats {
    /// The longest of the shortest `percent` of all calls, in microseconds.
    pub fn percentile(&self, percent: f64) -> u64 {
        let wanted = (percent / 100.0 * self.calls as f64).max(1.0);
        let Some(histogram) = &self.histogram else { return 0 };
        let measured: u64 = histogram.counts.iter().sum();
        let mut seen = self.calls.saturating_sub(measured);
        for (bucket, count) in histogram.counts.iter().enumerate() {
            if seen as f64 >= wanted {
                return if bucket == 0 { 0 } else { Histogram::end(bucket - 1) - 1 };
            }
            seen += count;
        }
        self.usec
    }

    /// How many calls took less than each power of two of microseconds, as far as that number grows.
    fn cumulative(&self) -> Vec<(u64, u64)> {
        let counts = self.histogram.as_ref().map_or(&[][..], |histogram| &histogram.counts[..]);
        let mut seen = self.calls.saturating_sub(counts.iter().sum());
        let mut steps = if seen > 0 { Vec::from([(1, seen)]) } else { Vec::new() };
        for (octave, parts) in counts.chunks(Histogram::PARTS).enumerate() {
            let more: u64 = parts.iter().sum();
            seen += more;
            if more > 0 {
                steps.push((2 << octave, seen));
            }
        }
        steps
    }
}

/// The moments at which something took too long, by what it was.
#[derive(Default)]
pub struct LatencyMonitor {
    events: OrderedMap<&'static str, Samples>,
}

/// Unix seconds and milliseconds, at most one a second, and the longest ever.
#[derive(Default)]
struct Samples {
    latest: VecDeque<(u64, u64)>,
    longest_ms: u64,
}

impl LatencyMonitor {
    const SAMPLES_MAX: usize = 160;

    /// Keeps a moment.
    fn add(&mut self, event: &'static str, unix_seconds: u64, ms: u64) {
        let samples = self.events.get_or_default(event);
        samples.longest_ms = samples.longest_ms.max(ms);
        match samples.latest.back_mut() {
            Some((at, longest_ms)) if *at == unix_seconds => *longest_ms = ms.max(*longest_ms),
            _ => samples.latest.push_back((unix_seconds, ms)),
        }
        if samples.latest.len() > LatencyMonitor::SAMPLES_MAX {
            samples.latest.pop_front();
        }
    }

    fn find(&self, event: &[u8]) -> Option<(&'static str, &Samples)> {
        let found = self.events.iter().find(|(name, _)| event.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(name, samples)| (*name, samples))
    }
}

impl Engine {
    /// Keeps how long a command took wherever that is kept.
    #[inline(never)]
    pub(super) fn keep_duration(&mut self, known: Known, words: &[&[u8]], took_us: u64) {
        if self.config.latency_tracking && took_us > 0 {
            self.calls[known.0 as usize].histogram.get_or_insert_default().record(took_us);
        }
        let is_fast = self.table.spec(known).flags.has(Flags::FAST);
        self.keep_event(if is_fast { "fast-command" } else { "command" }, took_us);
        let slow_us = self.config.slowlog_log_slower_than;
        if slow_us >= 0 && took_us >= slow_us as u64 {
            self.log_slow(known, words, took_us);
        }
    }

    /// Keeps that something took so long, if that is too long.
    pub(super) fn keep_event(&mut self, event: &'static str, took_us: u64) {
        let threshold_ms = self.config.latency_monitor_threshold;
        if threshold_ms > 0 && took_us / 1000 >= threshold_ms {
            self.latency.add(event, self.keyspace.now_ms() / 1000, took_us / 1000);
        }
    }
}

typed! {
    /// Events: name, Unix time, milliseconds, longest in milliseconds.
    Events = "[event: string, time: number, milliseconds: number, longest: number][]";
    /// Unix time and milliseconds.
    Moments = "[time: number, milliseconds: number][]";
}

fn latency_latest(engine: &mut Engine) -> Result<Written<Events, impl FnOnce(&mut Writer) + use<'_>>> {
    let events = &engine.latency.events;
    Ok(Written::new(move |out| {
        out.array(events.len());
        for (name, samples) in events {
            let (at, ms) = samples.latest.back().copied().unwrap_or_default();
            out.array(4);
            out.bulk(name.as_bytes());
            [at, ms, samples.longest_ms].into_iter().for_each(|n| out.integer(n as i64));
        }
    }))
}

fn latency_history<'c>(
    engine: &'c mut Engine,
    event: Text,
) -> Result<Written<Moments, impl FnOnce(&mut Writer) + use<'c>>> {
    let found = engine.latency.find(event.0);
    Ok(Written::new(move |out| {
        out.array(found.map_or(0, |(_, samples)| samples.latest.len()));
        for &(at, ms) in found.iter().flat_map(|(_, samples)| &samples.latest) {
            out.array(2);
            out.integer(at as i64);
            out.integer(ms as i64);
        }
    }))
}

fn latency_reset<'a>(engine: &mut Engine, events: Option<Rest<'a, Text<'a>>>) -> Result<usize> {
    let kept = &mut engine.latency.events;
    let before = kept.len();
    match events {
        None => kept.clear(),
        Some(events) => {
            let is_named =
                |name: &str| events.iter().any(|event| event.0.eq_ignore_ascii_case(name.as_bytes()));
            kept.retain(|name, _| !is_named(name));
        }
    }
    Ok(before - kept.len())
}

fn latency_graph(engine: &mut Engine, event: Text) -> Result<Prose> {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let Some((name, samples)) = engine.latency.find(event.0) else {
        let event = String::from_utf8_lossy(event.0);
        return Err(format!("ERR No samples available for event '{event}'").into());
    };
    let all = || samples.latest.iter().map(|&(_, ms)| ms);
    let (high, low) = (all().max().unwrap_or(0), all().min().unwrap_or(0));
    let mut text =
        format!("{name} - high {high} ms, low {low} ms (all time high {} ms)\n", samples.longest_ms);
    text.extend(all().map(|ms| LEVELS[((ms - low) * 7 / (high - low).max(1)) as usize]));
    text.push('\n');
    Ok(Prose(text))
}

fn latency_doctor(engine: &mut Engine) -> Result<Prose> {
    let mut text = String::new();
    for (name, Samples { latest, longest_ms }) in &engine.latency.events {
        let average = latest.iter().map(|(_, ms)| ms).sum::<u64>() / latest.len().max(1) as u64;
        let count = latest.len();
        let _ = writeln!(
            text,
            "{name}: {count} times, {average} ms on average, {longest_ms} ms at most. SLOWLOG GET may tell which."
        );
    }
    if text.is_empty() {
        text = match engine.config.latency_monitor_threshold {
            0 => "Nobody watches: CONFIG SET latency-monitor-threshold <milliseconds> starts that.\n"
                .to_string(),
            ms => format!("Nothing has taken {ms} ms or longer.\n"),
        };
    }
    Ok(Prose(text))
}

fn latency_histogram<'c>(
    engine: &'c mut Engine,
    commands: Option<Rest<'c, Text<'c>>>,
) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<'c>>> {
    let (table, calls) = (&engine.table, &engine.calls);
    let is_meant = |known: Known, name: &[u8]| {
        let own = table.name(known);
        let container = own.split('|').next().unwrap_or(own);
        [own, container].iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()))
    };
    let is_asked_for = |known: &Known| match commands {
        None => true,
        Some(names) => names.iter().any(|name| is_meant(*known, name.0)),
    };
    let shown = table.all().filter(|known| calls[known.0 as usize].calls > 0).filter(is_asked_for);
    let shown: Vec<Known> = shown.collect();
    Ok(Written::new(move |out| {
        out.map(shown.len());
        for known in shown {
            let stats = &calls[known.0 as usize];
            out.bulk(table.name(known).as_bytes());
            out.map(2);
            out.bulk(b"calls");
            out.integer(stats.calls as i64);
            out.bulk(b"histogram_usec");
            let steps = stats.cumulative();
            out.map(steps.len());
            for (below, count) in steps {
                out.integer(below as i64);
                out.integer(count as i64);
            }
        }
    }))
}

fn latency_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("LATENCY", COMMANDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Config, config::Host, testing::Session};

    #[test]
    fn every_duration_is_below_the_end_of_its_bucket() {
        for us in (1..5000).chain([1 << 20, (1 << 20) + 1, 1 << 35]) {
            let bucket = Histogram::bucket(us);
            assert!(us < Histogram::end(bucket), "{us} in {bucket}");
            assert!(bucket == 0 || us >= Histogram::end(bucket - 1), "{us} in {bucket}");
        }
        assert_eq!(Histogram::bucket(u64::MAX), Histogram::BUCKETS - 1);
    }

    #[test]
    fn percentiles_count_the_calls_that_took_no_time() {
        let mut stats = CallStats { calls: 100, usec: 10_000, ..CallStats::default() };
        let histogram = stats.histogram.get_or_insert_default();
        (0..9).for_each(|_| histogram.record(100));
        histogram.record(5000);
        assert_eq!(stats.percentile(50.0), 0);
        assert!((100..128).contains(&stats.percentile(99.0)), "{}", stats.percentile(99.0));
        assert!((5000..6144).contains(&stats.percentile(100.0)), "{}", stats.percentile(100.0));
        assert_eq!(stats.cumulative(), [(1, 90), (128, 99), (8192, 100)]);
    }

    /// A clock by which every command takes 20 ms.
    fn slow_clock() -> u64 {
        use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
        static NOW_US: AtomicU64 = AtomicU64::new(0);
        NOW_US.fetch_add(20_000, Relaxed)
    }

    #[test]
    fn moments_are_kept_once_a_second() {
        let host = Host { clock: slow_clock, ..Host::default() };
        let mut session = Session::with(Config { host, ..Config::default() });
        session.ask("CONFIG SET latency-monitor-threshold 10");
        session.ask("LATENCY RESET");
        session.ask("LRANGE l 0 -1\nLRANGE l 0 -1");
        let history = session.ask("LATENCY HISTORY command");
        assert!(history.starts_with("*1\r\n*2\r\n:1000\r\n:"), "{history}");
        assert!(session.ask("LATENCY GRAPH command").contains("command - high "));
        assert!(session.ask("LATENCY HISTOGRAM lrange").contains("histogram_usec"));
        assert_eq!(session.ask("LATENCY RESET banana"), ":0\r\n");
        assert!(session.ask("INFO latencystats").contains("latency_percentiles_usec_lrange:p50="));
    }
}
