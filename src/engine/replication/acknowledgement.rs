//! Who has what: replicas tell how far they have come, and clients wait until enough of them have come far enough.

use alloc::vec::Vec;

use super::Engine;
use crate::{
    Error, Result,
    commands::{Command, args::Millis, spec::commands},
    engine::{Client, ClientId},
    keyspace::{Kind, Wait},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "generic";
    /// Waits until so many replicas have what this connection wrote, or for so long; returns how many do.
    "WAIT" = wait(numreplicas, timeout) since "3.0.0" [BLOCKING] O("1");
};

/// What a client waits for that only other machines, or the disk, can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// Replicas that have the stream up to here (WAIT).
    Replicas {
        /// The offset.
        offset: u64,
        /// How many.
        count: usize,
    },
    /// Disks, here and of replicas (WAITAOF).
    Disks {
        /// The position in the journal.
        position: u64,
        /// The offset of the stream.
        offset: u64,
        /// How many here, of one.
        local: usize,
        /// How many of replicas.
        count: usize,
    },
    /// The end of the server (SHUTDOWN).
    End,
}

const ON_REPLICA: Error = Error::refused(
    "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.",
);

fn wait(engine: &mut Engine, numreplicas: i64, timeout: Millis) -> Result<usize> {
    if engine.replication.primary.is_some() {
        return Err(ON_REPLICA);
    }
    let count = usize::try_from(numreplicas).unwrap_or(0);
    let offset = engine.current().wrote_to;
    let awaited = engine.await_others(Awaited::Replicas { offset, count }, timeout);
    Ok(engine.reached(awaited).1)
}

impl Engine {
    /// Has the current client wait for something unless it has happened already, or will never be waited for here; returns
    /// what it has waited for so far.
    pub(in crate::engine) fn await_others(&mut self, awaited: Awaited, timeout: Millis) -> Awaited {
        let awaited = *self.current_mut().awaits.get_or_insert(awaited);
        if self.has_happened(awaited) || self.executing.is_some() {
            self.current_mut().awaits = None;
            return awaited;
        }
        let deadline_ms = (timeout.0 > 0).then(|| self.keyspace.now_ms().saturating_add(timeout.0));
        self.keyspace.wait =
            Some(Wait { keys: Vec::new(), kind: Kind::String, needs_keys: false, deadline_ms, words: None });
        // Otherwise they tell within a second.
        if !self.waiting.is_retrying && !self.waiting.is_paused() && self.replication.feeds() {
            self.say_in_stream(&[b"REPLCONF", b"GETACK", b"*"]);
        }
        awaited
    }

    /// On how many machines what is waited for has happened: here, and elsewhere.
    pub(in crate::engine) fn reached(&self, awaited: Awaited) -> (usize, usize) {
        match awaited {
            Awaited::Replicas { offset, .. } => {
                (0, self.replicas().filter(|(_, it)| it.acknowledges() && it.acked >= offset).count())
            }
            Awaited::End => (0, 0),
            Awaited::Disks { position, offset, .. } => {
                let elsewhere = self
                    .replicas()
                    .filter(|(_, it)| it.acknowledges() && it.synced >= offset && it.synced > 0);
                (self.is_safe(position) as usize, elsewhere.count())
            }
        }
    }

    fn has_happened(&self, awaited: Awaited) -> bool {
        let (here, elsewhere) = self.reached(awaited);
        // Where there are no sockets, nobody waits for a replica that cannot come.
        let is_alone = self.config.host.listen.is_none();
        match awaited {
            Awaited::Replicas { count, .. } => elsewhere >= count || is_alone,
            Awaited::End => false,
            Awaited::Disks { local, count, .. } => here >= local && (elsewhere >= count || is_alone),
        }
    }

    /// Has those go on for whom enough has happened.
    pub(in crate::engine) fn serve_acknowledged(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let is_meant = |client: &Client| {
            client.parked.is_some() && client.awaits.is_some_and(|awaited| self.has_happened(awaited))
        };
        let served: Vec<ClientId> =
            self.clients.iter().filter(|(_, client)| is_meant(client)).map(|(id, _)| id).collect();
        served.into_iter().for_each(|id| self.retry(id));
    }

    /// Tells a client that waited for long enough how far it has come.
    pub(in crate::engine) fn write_reached(&self, awaited: Awaited, out: &mut Writer) {
        let (here, elsewhere) = self.reached(awaited);
        if let Awaited::Disks { .. } = awaited {
            out.array(2);
            out.integer(here as i64);
        }
        out.integer(elsewhere as i64);
    }
}
