//! The ACL categories of a command, worked out from its group and flags by Redis's rules. Who may run what is decided
//! elsewhere.

use super::spec::{Flags, Spec};

/// Every category, in the order in which COMMAND INFO names them.
pub const CATEGORIES: [&str; 21] = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];

/// Commands that are in other categories than their group and flags say: each with those it has more, and `-` before
/// those it has not.
const EXCEPTIONS: &[(&str, &[&str])] = &[
    ("ASKING", &["connection"]),
    ("LASTSAVE", &["admin", "dangerous"]),
    ("PUBSUB HELP", &["-pubsub"]),
    ("READONLY", &["connection"]),
    ("READWRITE", &["connection"]),
    ("ROLE", &["admin", "dangerous"]),
    ("SORT", &["set", "sortedset", "list", "dangerous", "-keyspace"]),
    ("SORT_RO", &["set", "sortedset", "list", "dangerous", "-keyspace"]),
    ("WAIT", &["connection", "-keyspace"]),
    ("WAITAOF", &["connection", "-keyspace"]),
];

impl Spec {
    /// The categories, in Redis's order, without the `@`.
    pub fn categories(&self) -> impl Iterator<Item = &'static str> {
        CATEGORIES.into_iter().filter(|category| self.is_in(category))
    }

    /// Whether the command is in the category called `category`, without the `@`.
    pub fn is_in(&self, category: &str) -> bool {
        let exceptions =
            EXCEPTIONS.iter().find(|(name, _)| *name == self.name).map_or(&[][..], |(_, list)| list);
        for exception in exceptions {
            match exception.strip_prefix('-') {
                Some(not) if not == category => return false,
                None if *exception == category => return true,
                _ => {}
            }
        }
        let has = |flag| self.flags.has(flag);
        match category {
            "write" => has(Flags::WRITE),
            "read" => has(Flags::READONLY) && self.group != "scripting",
            "admin" => has(Flags::ADMIN),
            "dangerous" => has(Flags::ADMIN) || has(Flags::DANGEROUS),
            "pubsub" => has(Flags::PUBSUB) || self.group == "pubsub",
            "fast" => has(Flags::FAST),
            "slow" => !has(Flags::FAST),
            "blocking" => has(Flags::BLOCKING),
            "keyspace" => has(Flags::KEYSPACE) || self.group == "generic",
            "connection" => has(Flags::CONNECTION) || self.group == "connection",
            "sortedset" => self.group == "sorted-set",
            "transaction" => self.group == "transactions",
            _ => self.group == category,
        }
    }
}
