//! MONITOR: a client that sees every command as it is run. Commands of administrators and secrets are left out.

use alloc::vec::Vec;
use core::fmt::Write;

use super::{ClientId, Engine, dispatch::Known, slowlog::is_secret};
use crate::{
    Error, Result,
    commands::{
        Command, Flags,
        reply::{Unknown, Written},
        spec::commands,
    },
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Shows every command that is run from now on.
    "MONITOR" = monitor() since "1.0.0" [ADMIN NOSCRIPT LOADING STALE] O("1");
};

/// A second MONITOR is not answered.
fn monitor(engine: &mut Engine) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<>>> {
    if engine.executing.is_some() {
        return Err(Error::refused("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    let already = core::mem::replace(&mut engine.current_mut().is_monitor, true);
    if !already {
        engine.monitors.push(engine.current);
    }
    Ok(Written::new(move |out| {
        if !already {
            out.ok();
        }
    }))
}

impl Engine {
    /// Shows the monitors a command that was run. A monitor sees its own after their replies.
    pub(super) fn feed_monitors(&mut self, known: Known, words: &[&[u8]], out: &mut Writer) {
        let spec = self.table.spec(known);
        if spec.flags.has(Flags::ADMIN) || spec.flags.has(Flags::SKIP_MONITOR) {
            return;
        }
        self.show_monitors(spec.name, words, out);
    }

    /// Shows the monitors a script before its commands.
    pub(super) fn feed_monitors_script(&mut self, known: Known, words: &[&[u8]], out: &mut Writer) {
        let spec = self.table.spec(known);
        if spec.flags.has(Flags::SCRIPT_RUNNER) {
            self.show_monitors(spec.name, words, out);
        }
    }

    fn show_monitors(&mut self, name: &str, words: &[&[u8]], out: &mut Writer) {
        let line = self.monitor_line(name, words);
        for &id in &self.monitors {
            if id == self.current {
                out.raw(&line);
            } else {
                self.clients.send(id, |_| &line);
            }
        }
    }

    fn monitor_line(&self, name: &str, words: &[&[u8]]) -> Vec<u8> {
        let (now_ms, client) = (self.keyspace.now_ms(), self.current());
        let (seconds, micros) = (now_ms / 1000, now_ms % 1000 * 1000);
        let addr = if self.scripts.is_calling { "lua" } else { &client.origin.addr };
        let mut line = alloc::format!("+{seconds}.{micros:06} [{} {addr}]", client.db).into_bytes();
        for (i, word) in words.iter().enumerate() {
            line.push(b' ');
            write_quoted(if is_secret(name, words, i) { b"(redacted)" } else { word }, &mut line);
        }
        line.extend_from_slice(b"\r\n");
        line
    }

    /// Shows a client no more commands.
    pub(super) fn stop_monitoring(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(id)
            && core::mem::take(&mut client.is_monitor)
        {
            self.monitors.retain(|&other| other != id);
        }
    }
}

/// Appends a text in quotes, with escapes that inline requests understand.
pub(super) fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => {
                let mut escape = alloc::string::String::new();
                let _ = write!(escape, "\\x{byte:02x}");
                out.extend_from_slice(escape.as_bytes());
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::engine::testing::Session;

    #[test]
    fn a_line_shows_time_client_and_words() {
        let mut session = Session::new();
        let (monitor, client) = (session.connect(), session.connect());
        session.now_ms = 1_339_518_083_107;
        assert_eq!(session.run(monitor, "MONITOR"), b"+OK\r\n");
        session
            .run(client, "SELECT 3\nset k \"a\\\"b\\\\ \\x00\\xff\\n\\t\\r\\a\\b'\"\nCLIENT LIST\nNOTHING");
        assert_eq!(
            String::from_utf8(session.output(monitor)).unwrap(),
            "+1339518083.107000 [3 127.0.0.1:5002] \"SELECT\" \"3\"\r\n\
             +1339518083.107000 [3 127.0.0.1:5002] \"set\" \"k\" \"a\\\"b\\\\ \\x00\\xff\\n\\t\\r\\a\\b'\"\r\n"
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let mut session = Session::new();
        let (monitor, client) = (session.connect(), session.connect());
        session.run(monitor, "MONITOR");
        session.run(client, "AUTH me\nAUTH default me\nHELLO 2 AUTH default me SETNAME x");
        let seen = String::from_utf8(session.output(monitor)).unwrap();
        let words: Vec<&str> = seen.lines().map(|line| line.split_once("] ").unwrap().1).collect();
        assert_eq!(
            words,
            [
                r#""AUTH" "(redacted)""#,
                r#""AUTH" "(redacted)" "(redacted)""#,
                r#""HELLO" "2" "AUTH" "(redacted)" "(redacted)" "SETNAME" "x""#
            ]
        );
    }

    #[test]
    fn a_monitor_sees_transactions_as_they_run_and_may_not_touch_keys() {
        let mut session = Session::new();
        let (monitor, client) = (session.connect(), session.connect());
        session.run(monitor, "MONITOR");
        session.run(client, "MULTI\nSET k v");
        assert!(session.output(monitor).ends_with(b"\"MULTI\"\r\n"));
        session.run(client, "EXEC");
        let seen = session.output(monitor);
        assert!(seen.ends_with(b"\"EXEC\"\r\n") && seen.windows(5).any(|it| it == b"\"SET\""));
        assert_eq!(session.run(monitor, "GET k"), b"-ERR Replica can't interact with the keyspace\r\n");
        assert_eq!(session.run(monitor, "MONITOR"), b"");
        session.run(monitor, "RESET");
        session.run(client, "GET k");
        assert_eq!(session.output(monitor), b"");
    }
}
