//! What decides how collections are stored: up to which size each kind keeps its small encoding. The names and the
//! defaults are those of Redis's directives.

use crate::data::stream::NodeLimit;

/// Limits of the small encodings, and the seed of the large ones.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most elements of a node of a list if positive; if negative, -1 to -5 for 4, 8, 16, 32, 64 KiB.
    pub list_max_listpack_size: i32,
    /// Most fields of a packed hash.
    pub hash_max_listpack_entries: usize,
    /// Longest field or value of a packed hash, in bytes.
    pub hash_max_listpack_value: usize,
    /// Most members of a set of integers.
    pub set_max_intset_entries: usize,
    /// Most members of a packed set.
    pub set_max_listpack_entries: usize,
    /// Longest member of a packed set, in bytes.
    pub set_max_listpack_value: usize,
    /// Most members of a packed sorted set.
    pub zset_max_listpack_entries: usize,
    /// Longest member of a packed sorted set, in bytes.
    pub zset_max_listpack_value: usize,
    /// Longest text of a sparse HyperLogLog, in bytes.
    pub hll_sparse_max_bytes: usize,
    /// How large a node of a stream may grow.
    pub stream_node_limit: NodeLimit,
    /// What hashes of members and fields begin with. Unknown outside, it keeps anybody from choosing ones that collide.
    pub seed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            list_max_listpack_size: -2,
            hash_max_listpack_entries: 512,
            hash_max_listpack_value: 64,
            set_max_intset_entries: 512,
            set_max_listpack_entries: 128,
            set_max_listpack_value: 64,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value: 64,
            hll_sparse_max_bytes: 3000,
            stream_node_limit: NodeLimit::default(),
            seed: 0,
        }
    }
}
