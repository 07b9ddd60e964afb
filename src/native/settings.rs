//! What the shell itself has to be told: where to listen, whom to serve, what to log. The engine keeps the directives and
//! knows which values they take; here they get the types that sockets and files want.

use std::{path::PathBuf, time::Duration};

use keyside::{Config, Ending};

use super::{
    directives::{Directive, Fatal},
    files,
    log::{Level, Log},
};

/// The directives that concern the shell.
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
    /// After how much silence a client is closed.
    pub timeout: Option<Duration>,
    /// The time between two probes of a silent connection.
    pub tcp_keepalive: Option<Duration>,
    /// How many connections may wait to be accepted.
    pub tcp_backlog: i32,
    /// How many clients are served at once.
    pub maxclients: usize,
    /// Whether there are save points.
    pub saves: bool,
    /// How to end at SIGTERM.
    pub on_sigterm: Ending,
    /// How to end at SIGINT.
    pub on_sigint: Ending,
    /// The directory to work in.
    pub dir: Option<PathBuf>,
    /// What is logged, and where to.
    pub log: Log,
}

/// Applies the directives one after the other, the later ones over the earlier.
pub fn configure(config: &mut Config, directives: &[Directive]) -> Result<(), Fatal> {
    // Nobody but this machine, before somebody says otherwise.
    config.apply("bind", &[b"127.0.0.1", b"-::1"]).expect("two addresses");
    for directive in directives {
        let values: Vec<&[u8]> = directive.values.iter().map(Vec::as_slice).collect();
        config.apply(&directive.name, &values).map_err(|reason| directive.refuse(reason))?;
        if directive.name == "daemonize" && text(config, "daemonize") == "yes" {
            return Err(
                directive.refuse("keyside stays in the foreground: a service manager or a shell detaches it")
            );
        }
    }
    Ok(())
}

impl Settings {
    /// What the directives say now.
    pub fn of(config: &Config) -> Settings {
        Settings {
            bind: text(config, "bind").split_ascii_whitespace().map(String::from).collect(),
            port: number(config, "port"),
            unixsocket: path(config, "unixsocket"),
            unixsocketperm: u32::from_str_radix(&text(config, "unixsocketperm"), 8)
                .ok()
                .filter(|&bits| bits != 0),
            protected_mode: text(config, "protected-mode") == "yes",
            timeout: seconds(config, "timeout"),
            tcp_keepalive: seconds(config, "tcp-keepalive"),
            tcp_backlog: number(config, "tcp-backlog"),
            maxclients: number(config, "maxclients"),
            saves: !text(config, "save").is_empty(),
            on_sigterm: ending(config, "shutdown-on-sigterm"),
            on_sigint: ending(config, "shutdown-on-sigint"),
            dir: path(config, "dir").filter(|dir| dir.as_os_str() != "."),
            log: Log { level: Level::named(&text(config, "loglevel")), file: path(config, "logfile") },
        }
    }

    /// How to end at a signal.
    pub fn on_signal(&self, name: &str) -> Ending {
        if name == "SIGINT" { self.on_sigint } else { self.on_sigterm }
    }

    /// Has the operating system make room for the clients, and allows fewer when it refuses; whether it did.
    pub fn limit_clients(&mut self) -> bool {
        let wanted = self.maxclients;
        self.maxclients = files::make_room(wanted);
        let is_less = self.maxclients < wanted;
        if is_less {
            self.log.warning(format_args!(
                "Open files are limited: maxclients is {} in place of {wanted}. 'ulimit -n' raises the limit",
                self.maxclients
            ));
        }
        is_less
    }
}

fn ending(config: &Config, directive: &str) -> Ending {
    let text = text(config, directive);
    let has = |wish: &str| text.split(' ').any(|word| word == wish);
    Ending {
        save: if has("save") { Some(true) } else { has("nosave").then_some(false) },
        now: has("now"),
        force: has("force"),
    }
}

fn text(config: &Config, name: &str) -> String {
    let value = config.get(name).expect("a directive of the engine");
    String::from_utf8_lossy(&value).into_owned()
}

/// A number whose range the engine has checked.
fn number<T: std::str::FromStr + Default>(config: &Config, name: &str) -> T {
    text(config, name).parse().unwrap_or_default()
}

/// A duration; 0 for none.
fn seconds(config: &Config, name: &str) -> Option<Duration> {
    Some(number(config, name)).filter(|&seconds| seconds > 0).map(Duration::from_secs)
}

/// A path; empty for none.
fn path(config: &Config, name: &str) -> Option<PathBuf> {
    Some(text(config, name)).filter(|path| !path.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::{super::directives::Place, *};

    fn read(directives: &[(&str, &[&str])]) -> Result<Settings, String> {
        let directive = |&(name, values): &(&str, &[&str])| Directive {
            name: name.into(),
            values: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
            place: Place::CommandLine,
        };
        let directives: Vec<Directive> = directives.iter().map(directive).collect();
        let mut config = Config::default();
        configure(&mut config, &directives).map_err(|fatal| fatal.to_string())?;
        Ok(Settings::of(&config))
    }

    #[test]
    fn without_directives_it_is_as_a_stranger_expects() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.bind, ["127.0.0.1", "-::1"]);
        assert_eq!((settings.port, settings.tcp_backlog, settings.maxclients), (6379, 511, 10_000));
        assert_eq!((settings.timeout, settings.tcp_keepalive), (None, Some(Duration::from_secs(300))));
        assert!(settings.protected_mode && settings.unixsocket.is_none() && settings.dir.is_none());
        assert!(settings.log.level == Level::Notice && settings.log.file.is_none());
    }

    #[test]
    fn directives_reach_their_setting() {
        let settings = read(&[
            ("bind", &["*", "-::*"]),
            ("port", &["1"]),
            ("port", &["2"]),
            ("unixsocket", &["/tmp/s"]),
            ("unixsocketperm", &["770"]),
            ("protected-mode", &["no"]),
            ("timeout", &["3"]),
            ("tcp-keepalive", &["0"]),
            ("tcp-backlog", &["4"]),
            ("maxclients", &["5"]),
            ("dir", &["/tmp"]),
            ("loglevel", &["debug"]),
            ("logfile", &["l"]),
        ]);
        let settings = settings.unwrap();
        assert_eq!(settings.bind, ["*", "-::*"]);
        assert_eq!((settings.port, settings.tcp_backlog, settings.maxclients), (2, 4, 5));
        assert_eq!((settings.timeout, settings.tcp_keepalive), (Some(Duration::from_secs(3)), None));
        assert_eq!(settings.unixsocket, Some("/tmp/s".into()));
        assert_eq!(settings.unixsocketperm, Some(0o770));
        assert!(!settings.protected_mode);
        assert_eq!(settings.dir, Some("/tmp".into()));
        assert!(settings.log.level == Level::Debug && settings.log.file == Some("l".into()));
    }

    #[test]
    fn a_refusal_shows_the_directive() {
        let refusal = read(&[("port", &["70x0"])]).unwrap_err();
        assert!(refusal.contains(">>> 'port \"70x0\"'\n"), "{refusal}");
        assert!(read(&[("daemonize", &["yes"])]).is_err() && read(&[("daemonize", &["no"])]).is_ok());
    }
}
