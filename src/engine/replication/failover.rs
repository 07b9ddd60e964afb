//! FAILOVER: a primary and one of its replicas change places, without a write being lost.

use alloc::{
    format,
    string::{String, ToString},
};

use super::Engine;
use crate::{
    Error, Result,
    commands::{
        Command, Kind, Shape,
        args::{Arg, Words},
        reply::Done,
        spec::commands,
    },
    data::number::parse_i64,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Has a replica take over, and makes this server its replica.
    "FAILOVER" = failover(options) since "6.2.0" [ADMIN NOSCRIPT STALE] O("1");
};

/// A change of places that goes on.
pub(in crate::engine) struct Failover {
    /// The replica to take over; any, if `None`.
    target: Option<(String, u16)>,
    /// When it is given up, or forced.
    deadline_ms: Option<u64>,
    /// Whether the target takes over even if it has not caught up by then.
    is_forced: bool,
    /// Whether the target has been asked.
    is_asking: bool,
}

impl Failover {
    /// Its state as INFO calls it.
    pub fn state(&self) -> &'static str {
        if self.is_asking { "failover-in-progress" } else { "waiting-for-sync" }
    }
}

/// `[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]`
struct Options {
    target: Option<(String, u16)>,
    force: bool,
    abort: bool,
    timeout_ms: Option<u64>,
}

impl Arg<'_> for Options {
    const SHAPE: Shape = Shape::Options(&[
        Shape::Group(&[
            Shape::Token("TO"),
            Shape::Word("host", Kind::Text),
            Shape::Word("port", Kind::Integer),
            Shape::Maybe(&Shape::Token("FORCE")),
        ]),
        Shape::Token("ABORT"),
        Shape::Group(&[Shape::Token("TIMEOUT"), Shape::Word("milliseconds", Kind::Integer)]),
    ]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let mut options = Options { target: None, force: false, abort: false, timeout_ms: None };
        while !words.is_empty() {
            if options.timeout_ms.is_none() && words.take_with("TIMEOUT", 1) {
                let timeout = parse_i64(words.next()?).ok_or(Error::NotInteger)?;
                if timeout <= 0 {
                    return Err(Error::refused("ERR FAILOVER timeout must be greater than 0"));
                }
                options.timeout_ms = Some(timeout as u64);
            } else if !options.abort && words.len() == 1 && words.take("ABORT") {
                options.abort = true;
            } else if options.target.is_none() && words.take_with("TO", 2) {
                let host = String::from_utf8_lossy(words.next()?).into_owned();
                let port = parse_i64(words.next()?).ok_or(Error::NotInteger)?;
                options.target = Some((host, port as u16));
            } else if !options.force && options.target.is_some() && words.take("FORCE") {
                options.force = true;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}

fn failover(engine: &mut Engine, options: Options) -> Result<Done> {
    if options.abort {
        if options.target.is_some() || options.timeout_ms.is_some() {
            return Err(Error::Syntax);
        }
        return engine.abort_failover("Failover manually aborted");
    }
    engine.begin_failover(options).map(|()| Done)
}

impl Engine {
    /// Whether this server is about to change places with a replica.
    pub(in crate::engine) fn is_failing_over(&self) -> bool {
        self.replication.failover.is_some()
    }

    /// The state of a FAILOVER as INFO calls it.
    pub(in crate::engine) fn failover_state(&self) -> &'static str {
        self.replication.failover.as_ref().map_or("no-failover", Failover::state)
    }

    fn begin_failover(&mut self, options: Options) -> Result<()> {
        if self.is_failing_over() {
            return Err(Error::refused("ERR FAILOVER already in progress."));
        }
        if self.replication.primary.is_some() {
            return Err(Error::refused("ERR FAILOVER is not valid when server is a replica."));
        }
        if self.replication.replicas.is_empty() {
            return Err(Error::refused("ERR FAILOVER requires connected replicas."));
        }
        if options.force && (options.timeout_ms.is_none() || options.target.is_none()) {
            return Err(Error::refused(
                "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
            ));
        }
        if let Some((host, port)) = &options.target {
            let found = self
                .replica_at(host, *port)
                .ok_or(Error::refused("ERR FAILOVER target HOST and PORT is not a replica."))?;
            if !found.is_online() {
                return Err(Error::refused("ERR FAILOVER target replica is not online."));
            }
        }
        self.note("FAILOVER requested".into());
        let deadline_ms = options.timeout_ms.map(|timeout| self.keyspace.now_ms().saturating_add(timeout));
        self.replication.failover = Some(Failover {
            target: options.target,
            deadline_ms,
            is_forced: options.force,
            is_asking: false,
        });
        self.pause_writes(u64::MAX);
        self.say_in_stream(&[b"REPLCONF", b"GETACK", b"*"]);
        Ok(())
    }

    /// The replica that is reached at an address.
    fn replica_at(&self, host: &str, port: u16) -> Option<&super::Replica> {
        let is_there = |(id, replica): &(crate::engine::ClientId, &super::Replica)| {
            let addr = self.clients.get(*id).map_or("", |client| client.origin.addr.as_str());
            replica.port == port && replica.host(addr).eq_ignore_ascii_case(host)
        };
        self.replicas().find(is_there).map(|(_, replica)| replica)
    }

    /// Goes on with a FAILOVER, if there is one.
    pub(super) fn tend_failover(&mut self) {
        let Some(failover) = self.replication.failover.as_ref().filter(|it| !it.is_asking) else { return };
        let (offset, now_ms) = (self.replication.history.offset(), self.keyspace.now_ms());
        let is_late = failover.deadline_ms.is_some_and(|deadline_ms| now_ms >= deadline_ms);
        let target = match &failover.target {
            Some((host, port)) => {
                let has_all =
                    self.replica_at(host, *port).is_some_and(|it| it.acknowledges() && it.acked >= offset);
                (has_all || (is_late && failover.is_forced)).then(|| (host.clone(), *port))
            }
            None => {
                let found = self.replicas().find(|(_, it)| it.acknowledges() && it.acked >= offset);
                found.map(|(id, it)| {
                    let addr = self.clients.get(id).map_or("", |client| client.origin.addr.as_str());
                    (it.host(addr).to_string(), it.port)
                })
            }
        };
        match target {
            Some((host, port)) => {
                self.note(if is_late {
                    "Failover target has not caught up: time out exceeded, failing over.".into()
                } else {
                    format!("Failover target {host}:{port} is synced, failing over.")
                });
                self.become_replica(host, port);
                if let Some(primary) = &mut self.replication.primary {
                    primary.takes_over = true;
                }
                if let Some(failover) = &mut self.replication.failover {
                    failover.is_asking = true;
                }
            }
            None if is_late => {
                let _ = self.abort_failover("Replica never caught up before timeout");
            }
            None => {}
        }
    }

    /// Gives up a FAILOVER.
    fn abort_failover(&mut self, reason: &str) -> Result<Done> {
        let Some(failover) = self.replication.failover.take() else {
            return Err(Error::refused("ERR No failover in progress."));
        };
        if failover.is_asking {
            self.become_primary();
        }
        self.note(format!("Aborting failover: {reason}"));
        self.end_pause_of_writes();
        Ok(Done)
    }

    /// The target does not take over.
    pub(super) fn link_refused(&mut self, reason: &str) {
        let is_rejected = reason.starts_with("Failover target rejected") && self.is_failing_over();
        if !is_rejected {
            self.note(reason.into());
        } else {
            let _ = self.abort_failover("Failover target rejected psync request");
        }
    }

    /// The stream of the primary comes: if that was the target of a FAILOVER, it has taken over.
    pub(super) fn failed_over(&mut self) {
        if self.replication.failover.take_if(|it| it.is_asking).is_some() {
            self.end_pause_of_writes();
        }
    }

    /// The primary of this server asks it to take over.
    pub(super) fn give_role(&mut self, is_failover: bool, id: &[u8]) -> Result<()> {
        if !is_failover {
            return Err(Error::Syntax);
        }
        if self.replication.primary.is_none() {
            return Err(Error::refused("ERR PSYNC FAILOVER can't be sent to a master."));
        }
        if id != self.replication.history.id.as_bytes() {
            return Err(Error::refused("ERR PSYNC FAILOVER replid must match my replid."));
        }
        self.note("Failover request received for replid, becoming master.".into());
        self.become_primary();
        Ok(())
    }
}
