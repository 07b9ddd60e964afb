//! MULTI, EXEC, DISCARD: commands queued by one client and run as one unit.

use alloc::vec::Vec;

use super::{Engine, dispatch::Known};
use crate::{
    Error, Result,
    commands::{
        Command,
        reply::{Done, Unknown, Written},
        spec::commands,
    },
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "transactions";
    /// Starts a transaction: commands are queued until EXEC.
    "MULTI" = multi() since "1.2.0" [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] O("1");
    /// Runs the queued commands as one unit.
    "EXEC" = exec() since "1.2.0" [NOSCRIPT LOADING STALE SKIP_SLOWLOG] O("depends on commands in the transaction");
    /// Forgets the queued commands.
    "DISCARD" = discard() since "2.0.0" [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] O("N), when N is the number of queued commands");
};

/// What a client queued since MULTI.
#[derive(Default)]
pub struct Transaction {
    queued: Vec<(Known, Vec<Vec<u8>>)>,
    /// A command was refused while it was queued, so EXEC is.
    refused: bool,
}

impl Transaction {
    /// Queues a command.
    pub fn push(&mut self, command: Known, words: &[&[u8]]) {
        self.queued.push((command, words.iter().map(|word| word.to_vec()).collect()));
    }

    /// A command was refused while it was queued.
    pub fn refuse(&mut self) {
        self.refused = true;
    }

    /// How many commands wait.
    pub fn len(&self) -> usize {
        self.queued.len()
    }
}

fn multi(engine: &mut Engine) -> Result<Done> {
    let client = engine.current_mut();
    if client.transaction.is_some() {
        return Err(Error::refused("ERR MULTI calls can not be nested"));
    }
    client.transaction = Some(Transaction::default());
    Ok(Done)
}

fn discard(engine: &mut Engine) -> Result<Done> {
    engine.current_mut().transaction.take().ok_or(Error::refused("ERR DISCARD without MULTI"))?;
    Ok(Done)
}

fn exec(engine: &mut Engine) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<'_>>> {
    let transaction = engine.current_mut().transaction.take().ok_or(Error::refused("ERR EXEC without MULTI"))?;
    if transaction.refused {
        return Err(Error::refused("EXECABORT Transaction discarded because of previous errors."));
    }
    Ok(Written::new(move |out| {
        out.array(transaction.queued.len());
        for (command, words) in &transaction.queued {
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            engine.call(*command, &words, out);
        }
    }))
}
