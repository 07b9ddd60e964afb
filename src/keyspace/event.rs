//! What can happen to a key, under the names that keyspace notifications use.

/// A class of events, which `notify-keyspace-events` turns on by its letter. Nobody is told of those of `Untold`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Class {
    Generic,
    String,
    List,
    Set,
    Hash,
    SortedSet,
    Stream,
    Expired,
    Evicted,
    New,
    Missed,
    Untold,
}

macro_rules! events {
    ($($Class:ident { $($Event:ident = $name:literal),* $(,)? })*) => {
        /// Something that happened to a key.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs)]
        pub enum Event { $($($Event),*),* }

        impl Event {
            /// The name that subscribers see.
            pub fn name(self) -> &'static str {
                match self { $($(Event::$Event => $name),*),* }
            }

            /// Whether the key is another one now. A key that was missed is not, and of a new one the next event tells.
            pub fn is_change(self) -> bool {
                !matches!(self, Event::New | Event::KeyMiss)
            }

            /// The class it belongs to.
            pub fn class(self) -> Class {
                match self { $($(Event::$Event => Class::$Class),*),* }
            }
        }
    };
}

events! {
    Generic {
        Del = "del", RenameFrom = "rename_from", RenameTo = "rename_to", MoveFrom = "move_from", MoveTo = "move_to",
        CopyTo = "copy_to", Restore = "restore", Expire = "expire", Persist = "persist",
    }
    String {
        Set = "set", SetRange = "setrange", SetBit = "setbit", IncrBy = "incrby", IncrByFloat = "incrbyfloat",
        Append = "append", PfAdd = "pfadd",
    }
    List {
        LPush = "lpush", RPush = "rpush", LPop = "lpop", RPop = "rpop", LInsert = "linsert", LSet = "lset",
        LRem = "lrem", LTrim = "ltrim", SortStore = "sortstore",
    }
    Set {
        SAdd = "sadd", SRem = "srem", SPop = "spop", SInterStore = "sinterstore", SUnionStore = "sunionstore",
        SDiffStore = "sdiffstore",
    }
    Hash {
        HSet = "hset", HDel = "hdel", HIncrBy = "hincrby", HIncrByFloat = "hincrbyfloat", HExpire = "hexpire",
        HExpired = "hexpired", HPersist = "hpersist",
    }
    SortedSet {
        ZAdd = "zadd", ZIncr = "zincr", ZRem = "zrem", ZPopMin = "zpopmin", ZPopMax = "zpopmax",
        ZRemRangeByScore = "zremrangebyscore", ZRemRangeByRank = "zremrangebyrank", ZRemRangeByLex = "zremrangebylex",
        ZRangeStore = "zrangestore", ZUnionStore = "zunionstore", ZInterStore = "zinterstore", ZDiffStore = "zdiffstore",
        GeoSearchStore = "geosearchstore", GeoRadiusStore = "georadiusstore",
    }
    Stream {
        XAdd = "xadd", XDel = "xdel", XTrim = "xtrim", XSetId = "xsetid", XGroupCreate = "xgroup-create",
        XGroupSetId = "xgroup-setid", XGroupDestroy = "xgroup-destroy", XGroupCreateConsumer = "xgroup-createconsumer",
        XGroupDelConsumer = "xgroup-delconsumer",
    }
    Expired { Expired = "expired" }
    Evicted { Evicted = "evicted" }
    // Bytes that mean the same as before.
    Untold { Recode = "recode" }
    New { New = "new" }
    Missed { KeyMiss = "keymiss" }
}
