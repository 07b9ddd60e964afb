//! The server's log, line by line in Redis's format: process, time, level, text. Times are UTC.

use std::{
    fmt::Arguments,
    fs::OpenOptions,
    io::{self, Write},
    path::PathBuf,
    process,
    time::{SystemTime, UNIX_EPOCH},
};

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// For who looks for a fault.
    Debug,
    /// Each client that comes and goes.
    Verbose,
    /// What an operator wants to know.
    Notice,
    /// What an operator has to know.
    Warning,
    /// No line is of this level.
    Nothing,
}

impl Level {
    /// The level that `loglevel` calls so; `nothing` is above them all.
    pub fn named(name: &str) -> Level {
        match name {
            "debug" => Level::Debug,
            "verbose" => Level::Verbose,
            "warning" => Level::Warning,
            "nothing" => Level::Nothing,
            _ => Level::Notice,
        }
    }

    fn mark(self) -> char {
        match self {
            Level::Debug => '.',
            Level::Verbose => '-',
            Level::Notice => '*',
            Level::Warning | Level::Nothing => '#',
        }
    }
}

/// Where lines go, and which ones.
#[derive(Clone, Debug)]
pub struct Log {
    /// The lowest level that is written.
    pub level: Level,
    /// The file, opened for each line so that it can be moved away; none for standard output.
    pub file: Option<PathBuf>,
}

impl Log {
    /// Writes a line of level `verbose`.
    pub fn verbose(&self, text: Arguments) {
        self.line(Level::Verbose, text);
    }

    /// Writes a line of level `notice`.
    pub fn notice(&self, text: Arguments) {
        self.line(Level::Notice, text);
    }

    /// Writes a line of level `warning`.
    pub fn warning(&self, text: Arguments) {
        self.line(Level::Warning, text);
    }

    fn line(&self, level: Level, text: Arguments) {
        if level < self.level {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = date_and_time(now.as_secs(), now.subsec_millis());
        let line = format!("{}:M {time} {} {text}\n", process::id(), level.mark());
        // There is nobody left to tell when the log itself cannot be written.
        let _ = match &self.file {
            None => io::stdout().write_all(line.as_bytes()),
            Some(path) => OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .and_then(|mut file| file.write_all(line.as_bytes())),
        };
    }
}

/// `23 Nov 2026 16:50:01.123`
fn date_and_time(secs: u64, millis: u32) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil(secs / 86_400);
    let month = MONTHS[month - 1];
    let (hour, minute, second) = (secs / 3600 % 24, secs / 60 % 60, secs % 60);
    format!("{day:02} {month} {year} {hour:02}:{minute:02}:{second:02}.{millis:03}")
}

/// Year, month and day of a day counted from 1970. Years are made to begin in March, so that the leap day comes last.
fn civil(days: u64) -> (u64, usize, u64) {
    const ERA: u64 = 146_097;
    let days = days + 719_468;
    let day_of_era = days % ERA;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (days / ERA * 400 + year_of_era + next_year, month as usize, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_as_in_redis() {
        assert_eq!(date_and_time(0, 7), "01 Jan 1970 00:00:00.007");
        assert_eq!(date_and_time(951_782_399, 999), "28 Feb 2000 23:59:59.999");
        assert_eq!(date_and_time(951_782_400, 0), "29 Feb 2000 00:00:00.000");
        assert_eq!(date_and_time(951_868_800, 0), "01 Mar 2000 00:00:00.000");
        assert_eq!(date_and_time(1_795_453_426, 387), "23 Nov 2026 17:03:46.387");
        assert_eq!(date_and_time(1_798_761_599, 0), "31 Dec 2026 23:59:59.000");
    }
}
