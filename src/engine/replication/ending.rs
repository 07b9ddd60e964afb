//! The end of a server whose replicas do not have all of its changes yet: it waits for them, though not for ever, and changes
//! nothing meanwhile.

use alloc::{format, vec::Vec};

use super::{Awaited, Engine, SECOND};
use crate::{
    Error,
    data::number::parse_i64,
    engine::{ClientId, Ending},
    keyspace::{Kind, Wait},
};

/// An end that is put off.
pub(in crate::engine) struct Delay {
    /// How it is to come.
    ending: Ending,
    /// When it comes anyhow.
    deadline_ms: u64,
    /// When replicas were last asked how far they have come.
    asked_ms: u64,
}

pub(in crate::engine) const NOT_ENDED: Error = Error::refused("ERR Errors trying to SHUTDOWN. Check logs.");

impl Engine {
    /// For how many more milliseconds the end is put off, if it is.
    pub(in crate::engine) fn ends_in_ms(&self) -> Option<u64> {
        let delay = self.replication.delay.as_ref()?;
        Some(delay.deadline_ms.saturating_sub(self.keyspace.now_ms()))
    }

    /// Puts the end off if there are replicas to wait for; whether it is.
    pub(in crate::engine) fn delay_end(&mut self, ending: Ending) -> bool {
        if self.replication.delay.is_some() {
            return true;
        }
        let patience_s = parse_i64(&self.config.get("shutdown-timeout").unwrap_or_default()).unwrap_or(0);
        if ending.now || patience_s <= 0 || self.lagging().is_empty() {
            return false;
        }
        let now_ms = self.keyspace.now_ms();
        self.note("Waiting for replicas before shutting down.".into());
        self.replication.delay =
            Some(Delay { ending, deadline_ms: now_ms + patience_s as u64 * SECOND, asked_ms: 0 });
        self.pause_writes(u64::MAX);
        self.tend_end();
        true
    }

    /// Has the current client wait for the end.
    pub(in crate::engine) fn await_end(&mut self) {
        self.current_mut().awaits = Some(Awaited::End);
        self.keyspace.wait = Some(Wait {
            keys: Vec::new(),
            kind: Kind::String,
            needs_keys: false,
            deadline_ms: None,
            words: None,
        });
    }

    /// Goes on with an end that is put off.
    pub(super) fn tend_end(&mut self) {
        let now_ms = self.keyspace.now_ms();
        let lagging = self.lagging();
        let Some(delay) = &mut self.replication.delay else { return };
        if !lagging.is_empty() && now_ms < delay.deadline_ms {
            if now_ms >= delay.asked_ms + SECOND {
                delay.asked_ms = now_ms;
                self.say_in_stream(&[b"REPLCONF", b"GETACK", b"*"]);
            }
            return;
        }
        let ending = delay.ending;
        self.replication.delay = None;
        if self.prepare_to_end(ending).is_err() {
            self.note("Errors trying to shut down the server. Check the logs for more information.".into());
            self.stay();
        } else {
            self.end();
        }
    }

    /// Gives up an end that is put off; whether there was one.
    pub(in crate::engine) fn cancel_end(&mut self) -> bool {
        let was_delayed = self.replication.delay.take().is_some();
        if was_delayed {
            self.note("Shutdown manually aborted.".into());
            self.stay();
        }
        was_delayed
    }

    fn stay(&mut self) {
        self.end_pause_of_writes();
        let awaits_end = |client: &crate::engine::Client| client.awaits == Some(Awaited::End);
        let waiting: Vec<ClientId> =
            self.clients.iter().filter(|(_, client)| awaits_end(client)).map(|(id, _)| id).collect();
        waiting.into_iter().for_each(|id| self.give_up(id, Some(NOT_ENDED)));
    }

    /// The replicas that do not have everything.
    fn lagging(&self) -> Vec<ClientId> {
        let offset = self.replication.history.offset();
        let lags = |it: &super::Replica| it.acknowledges() && it.acked < offset;
        self.replicas().filter(|(_, it)| lags(it)).map(|(id, _)| id).collect()
    }

    /// Tells who does not have everything although the end comes.
    pub(in crate::engine) fn note_lagging(&mut self) {
        let (all, lagging) = (self.replication.replicas.len(), self.lagging());
        for &id in &lagging {
            let acked = self.clients.get(id).and_then(|it| it.replica.as_ref()).map_or(0, |it| it.acked);
            let behind = self.replication.history.offset() - acked;
            self.note(format!(
                "Lagging replica {} reported offset {behind} behind master.",
                self.name_of(id)
            ));
        }
        if all > 0 {
            self.note(format!("{} of {all} replicas are in sync when shutting down.", all - lagging.len()));
        }
    }
}
