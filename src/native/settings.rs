//! What the shell itself has to be told: where to listen, whom to serve, what to log. The engine has its own directives.

use std::path::PathBuf;

use keyside::Config;

use super::{
    directives::{Directive, Fatal},
    log::{Level, Log},
};

/// The directives that concern the shell, with Redis's defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses to listen on; `*` and `::*` for all, and a `-` before one that this machine may lack.
    pub bind: Vec<String>,
    /// The TCP port; 0 for none.
    pub port: u16,
    /// The path of the UNIX socket, if there is to be one.
    pub unixsocket: Option<PathBuf>,
    /// Its permissions.
    pub unixsocketperm: Option<u32>,
    /// Whether only this machine is served while there is no password.
    pub protected_mode: bool,
    /// After how many seconds of silence a client is closed; 0 for never.
    pub timeout: u64,
    /// Seconds between two probes of a silent connection; 0 for none.
    pub tcp_keepalive: u64,
    /// How many connections may wait to be accepted.
    pub tcp_backlog: i32,
    /// How many clients are served at once.
    pub maxclients: usize,
    /// The directory to work in.
    pub dir: Option<PathBuf>,
    /// What is logged, and where to.
    pub log: Log,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            bind: vec!["127.0.0.1".into(), "-::1".into()],
            port: 6379,
            unixsocket: None,
            unixsocketperm: None,
            protected_mode: true,
            timeout: 0,
            tcp_keepalive: 300,
            tcp_backlog: 511,
            maxclients: 10_000,
            dir: None,
            log: Log { level: Level::Notice, file: None },
        }
    }
}

impl Settings {
    /// Follows the directives one after the other; a later one wins.
    pub fn read(directives: &[Directive], config: &mut Config) -> Result<Settings, Fatal> {
        let mut settings = Settings::default();
        for directive in directives {
            settings.apply(directive, config).map_err(|reason| directive.refuse(reason))?;
        }
        Ok(settings)
    }

    fn apply(&mut self, directive: &Directive, config: &mut Config) -> Result<(), String> {
        let Directive { name, values, .. } = directive;
        match (&**name, &**values) {
            ("bind", _) => self.bind = addresses(values)?,
            ("port", [value]) => self.port = number(value, 0, 65_535)? as u16,
            ("unixsocket", [value]) => self.unixsocket = path(value)?,
            ("unixsocketperm", [value]) => self.unixsocketperm = Some(permissions(value)?),
            ("protected-mode", [value]) => self.protected_mode = yes_or_no(value)?,
            ("timeout", [value]) => self.timeout = number(value, 0, i32::MAX as i64)? as u64,
            ("tcp-keepalive", [value]) => self.tcp_keepalive = number(value, 0, i32::MAX as i64)? as u64,
            ("tcp-backlog", [value]) => self.tcp_backlog = number(value, 0, i32::MAX as i64)? as i32,
            ("maxclients", [value]) => self.maxclients = number(value, 1, u32::MAX as i64)? as usize,
            ("dir", [value]) => self.dir = path(value)?,
            ("loglevel", [value]) => self.log.level = one_of(value, &Level::NAMES)?,
            ("logfile", [value]) => self.log.file = path(value)?,
            ("daemonize", [value]) => {
                if yes_or_no(value)? {
                    return Err("keyside stays in the foreground; let the service manager or the shell detach it".into());
                }
            }
            ("databases", [value]) => config.databases = number(value, 1, i32::MAX as i64)? as usize,
            ("requirepass", [value]) => config.requirepass = value.clone(),
            (known, _) if NAMES.contains(&known) => return Err("wrong number of arguments".into()),
            _ => return Err("Bad directive or wrong number of arguments".into()),
        }
        Ok(())
    }
}

const NAMES: [&str; 15] = [
    "bind",
    "port",
    "unixsocket",
    "unixsocketperm",
    "protected-mode",
    "timeout",
    "tcp-keepalive",
    "tcp-backlog",
    "maxclients",
    "dir",
    "loglevel",
    "logfile",
    "daemonize",
    "databases",
    "requirepass",
];

fn text(value: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(value).map_err(|_| "argument is not UTF-8".into())
}

fn number(value: &[u8], min: i64, max: i64) -> Result<i64, String> {
    let n: i64 = text(value)?.parse().map_err(|_| "argument couldn't be parsed into an integer")?;
    if (min..=max).contains(&n) { Ok(n) } else { Err(format!("argument must be between {min} and {max} inclusive")) }
}

fn permissions(value: &[u8]) -> Result<u32, String> {
    let bits = u32::from_str_radix(text(value)?, 8).ok().filter(|&bits| bits <= 0o777);
    bits.ok_or("argument must be an octal number between 0 and 777".into())
}

fn yes_or_no(value: &[u8]) -> Result<bool, String> {
    match text(value)?.to_ascii_lowercase().as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("argument must be 'yes' or 'no'".into()),
    }
}

fn one_of<T: Copy>(value: &[u8], names: &[(&str, T)]) -> Result<T, String> {
    let value = text(value)?;
    names.iter().find(|(name, _)| name.eq_ignore_ascii_case(value)).map(|&(_, it)| it).ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        format!("argument(s) must be one of the following: {}", names.join(", "))
    })
}

/// A path; empty for none.
fn path(value: &[u8]) -> Result<Option<PathBuf>, String> {
    let path = text(value)?;
    Ok((!path.is_empty()).then(|| path.into()))
}

/// Addresses, given as words or as one word with spaces; one empty word for none.
fn addresses(values: &[Vec<u8>]) -> Result<Vec<String>, String> {
    if values.is_empty() {
        return Err("wrong number of arguments".into());
    }
    let mut addresses = Vec::new();
    for value in values {
        addresses.extend(text(value)?.split_ascii_whitespace().map(String::from));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::{super::directives::Place, *};

    fn read(name: &str, values: &[&str]) -> Result<Settings, String> {
        let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let directive = Directive { name: name.into(), values, place: Place::CommandLine };
        Settings::read(&[directive], &mut Config::default())
            .map_err(|fatal| fatal.to_string().lines().last().unwrap().to_string())
    }

    #[test]
    fn refusals_say_what_would_be_right() {
        for (name, values, reason) in [
            ("port", &["70x0"][..], "argument couldn't be parsed into an integer"),
            ("port", &["70000"], "argument must be between 0 and 65535 inclusive"),
            ("port", &[], "wrong number of arguments"),
            ("port", &["1", "2"], "wrong number of arguments"),
            ("prot", &["7000"], "Bad directive or wrong number of arguments"),
            ("maxclients", &["0"], "argument must be between 1 and 4294967295 inclusive"),
            ("protected-mode", &["maybe"], "argument must be 'yes' or 'no'"),
            ("loglevel", &["foo"], "argument(s) must be one of the following: debug, verbose, notice, warning"),
        ] {
            assert_eq!(read(name, values).unwrap_err(), reason);
        }
        assert!(read("daemonize", &["yes"]).is_err() && read("daemonize", &["no"]).is_ok());
    }

    #[test]
    fn every_name_is_understood() {
        for name in NAMES {
            assert_eq!(read(name, &[]).unwrap_err(), "wrong number of arguments");
            assert_ne!(read(name, &["\u{0}"]).err().as_deref(), Some("Bad directive or wrong number of arguments"));
        }
    }

    #[test]
    fn addresses_are_words_or_one_quoted_word() {
        assert_eq!(read("bind", &["*", "-::*"]).unwrap().bind, ["*", "-::*"]);
        assert_eq!(read("bind", &["* -::*"]).unwrap().bind, ["*", "-::*"]);
        assert!(read("bind", &[""]).unwrap().bind.is_empty());
    }
}
