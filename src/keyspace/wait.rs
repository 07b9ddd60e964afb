//! What a command waits for when there is nothing for it yet. Who waits and in which order is the engine's business.

use alloc::vec::Vec;

use super::{Collection, Key, Keyspace, Kind};

/// What has to come before the running command has an answer.
#[derive(Clone, Debug)]
pub struct Wait {
    /// The keys of which any may serve.
    pub keys: Vec<Vec<u8>>,
    /// The kind of value that serves.
    pub kind: Kind,
    /// Whether the command also ends, with an error, when one of its keys is gone or of another kind.
    pub needs_keys: bool,
    /// When it has waited long enough, in milliseconds since 1970, if ever.
    pub deadline_ms: Option<u64>,
    /// The words to run in place of those received, if those would mean something else by then.
    pub words: Option<Vec<Vec<u8>>>,
}

impl Wait {
    /// For what no key can bring.
    pub fn for_others(deadline_ms: Option<u64>) -> Wait {
        Wait { keys: Vec::new(), kind: Kind::String, needs_keys: false, deadline_ms, words: None }
    }
}

impl Keyspace {
    /// Says that the running command has no answer before one of `keys` holds a `T`. What it answers nonetheless is what
    /// a client is told that may not wait.
    pub fn wait_for<'k, T: Collection>(
        &mut self,
        keys: impl Iterator<Item = Key<'k>>,
        deadline_ms: Option<u64>,
    ) -> &mut Wait {
        let keys = keys.map(|key| key.0.to_vec()).collect();
        self.wait.insert(Wait { keys, kind: T::KIND, needs_keys: false, deadline_ms, words: None })
    }
}
