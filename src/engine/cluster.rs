//! CLUSTER and what belongs to it, for a server that is in no cluster: each says so, in the words by which clients find out.

use super::Engine;
use crate::{
    Error, Result,
    commands::{Command, args::Text, reply::Done, spec::commands},
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "cluster";
    /// Lets the next command go to a slot that is moving here.
    "ASKING" = disabled() since "3.0.0" [FAST] O("1");
    /// Lists the subcommands.
    "CLUSTER HELP" = disabled() since "5.0.0" [LOADING STALE] O("1");
    /// Returns the state of the cluster.
    "CLUSTER INFO" = disabled() since "3.0.0" [LOADING STALE] O("1");
    /// Returns the slot of a key.
    "CLUSTER KEYSLOT" = keyslot(key) since "3.0.0" [LOADING STALE] O("N) where N is the number of bytes in the key");
    /// Returns the connections between the servers.
    "CLUSTER LINKS" = disabled() since "7.0.0" [LOADING STALE] O("N) where N is the total number of Cluster nodes");
    /// Returns the number of this server.
    "CLUSTER MYID" = disabled() since "3.0.0" [LOADING STALE] O("1");
    /// Returns the number of the shard of this server.
    "CLUSTER MYSHARDID" = disabled() since "7.2.0" [LOADING STALE] O("1");
    /// Returns the servers as their configuration files list them.
    "CLUSTER NODES" = disabled() since "3.0.0" [LOADING STALE] O("N) where N is the total number of Cluster nodes");
    /// Returns the slots by shards.
    "CLUSTER SHARDS" = disabled() since "7.0.0" [LOADING STALE] O("N) where N is the total number of cluster nodes");
    /// Returns the slots by servers.
    "CLUSTER SLOTS" = disabled() since "3.0.0" [LOADING STALE] O("N) where N is the total number of Cluster nodes");
    /// Lets this connection read from a replica.
    "READONLY" = disabled() since "3.0.0" [LOADING STALE FAST] O("1");
    /// Lets this connection read from a primary alone.
    "READWRITE" = disabled() since "3.0.0" [LOADING STALE FAST] O("1");
};

fn disabled(_: &mut Engine) -> Result<Done> {
    Err(Error::refused("ERR This instance has cluster support disabled"))
}

fn keyslot(engine: &mut Engine, _: Text) -> Result<Done> {
    disabled(engine)
}
